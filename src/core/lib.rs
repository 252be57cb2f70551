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

pub use error::{Error, Result};

/// Called now and then by long loops, so that their caller can stop them by a panic.
pub type Poll<'a> = &'a dyn Fn();
