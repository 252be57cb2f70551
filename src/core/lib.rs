//! The arithmetic of pg_assess.
//!
//! Everything here works on plain Rust values: no database, no clock, no files, no threads. A
//! [`gradebook`] holds the responses of a subject; [`solve`] answers questions about it, and the
//! other modules each hold one family of statistics.
#![forbid(unsafe_code)]

pub mod alpha;
pub mod backtest;
mod bootstrap;
pub mod calibrate;
pub mod chart;
pub mod codec;
mod concordance;
pub mod criterion;
pub mod curve;
pub mod dif;
pub mod difficulty;
pub mod distribution;
pub mod domain;
pub mod drift;
pub mod due;
pub mod error;
pub mod explain;
pub mod gradebook;
pub mod half_life;
pub mod item;
pub mod kendall;
pub mod ledger;
pub mod level;
pub mod memory;
pub mod moments;
pub mod multiplicity;
pub mod options;
mod pairs;
pub mod prior;
pub mod quadrant;
pub mod reliability;
pub mod sample;
pub mod scale;
pub mod separation;
pub mod shrink;
pub mod solve;
pub mod student;
pub mod summary;
pub mod theil_sen;
pub mod time;
pub mod trend;
pub mod variogram;
pub mod word;

pub use error::{Error, Result};

/// Called now and then by long loops, so that whoever runs them can stop them by a panic.
pub type Poll<'a> = &'a dyn Fn();
