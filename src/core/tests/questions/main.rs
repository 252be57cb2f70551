//! Figures of questions, against other programs, slow calculations and simulated truth.

mod calibrate;
mod drift;
mod items_reference;
mod level_groups;
mod recovery;
mod reliability;
mod sparse;
mod totals;
