//! Figures of students and all else that a gradebook is asked.

mod blanks;
mod due;
mod edge_outcomes;
mod laws;
mod oulad_reference;
mod sample_network;
mod scales;
mod silence;
mod slow_reference;
mod summary_rows;
