//! Questions: how hard each is, how well it separates, whether it has changed.
//!
//! Rests on `statistics` and the `ledger`. The `foundation`, `students` and
//! `forecasts` import it; it knows none of them.

pub mod additive;
pub mod calibrate;
pub mod criterion;
pub mod curve;
pub mod difficulty;
pub mod drift;
mod linked;
mod parts;
pub mod quality;
pub mod separation;
mod sheet;
pub mod totals;
