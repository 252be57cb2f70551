//! Whether a question became easier or harder on some day: it leaked, was reworded, got another
//! key.
//!
//! Answers are compared with what the same students did in the *other* questions of the same
//! sitting: what a class has learned since last term, or a stronger cohort, is no drift of the
//! question. What all questions of a sitting have in common is ability by definition.
//!
//! `verdict` is the door: it compares the answers of each day with `anchors`, sums them up and
//! lets `change` search for the likeliest day.

mod anchors;
mod change;
mod sums;
mod verdict;

pub use change::Change;
pub use verdict::{Drift, DriftOptions, DriftStatus, drifts};
