//! The arithmetic of pg_assess.
//!
//! Everything here works on plain Rust values: no database, no clock, no files, no threads. A
//! [`gradebook`] holds the responses of a subject; [`solve`] answers questions about it, and the
//! other modules each hold one family of statistics.
#![forbid(unsafe_code)]

pub mod assessments;
pub mod domain;
pub mod error;
pub mod forecasts;
pub mod foundation;
pub mod gradebook;
pub(crate) mod labels;
pub mod ledger;
pub mod memory;
pub(crate) mod needs;
pub mod options;
pub mod questions;
pub mod sample;
pub mod solve;
pub mod statistics;
pub mod students;
pub mod summary;
pub mod time;
pub mod word;

pub use assessments as reliability;
pub use forecasts::{backtest, half_life};
pub use ledger::scale;
pub use questions::quality as item;
pub use questions::{calibrate, criterion, curve, difficulty, drift, separation};
pub use statistics::{
    alpha, bootstrap, dif, distribution, kendall, moments, multiplicity, quantile, shrink,
    theil_sen,
};
pub use students::{
    due, evidence, explain, level, previous, prior, quadrant, records, student, trend, variogram,
};

pub use error::{Error, Result};

/// Called now and then by long loops, so that their caller can stop them by a panic.
pub type Poll<'a> = &'a dyn Fn();
