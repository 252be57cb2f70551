//! Questions: how hard each is, how well it separates, whether it has changed.
//!
//! Rests on `statistics` and the `ledger`. `students` and `forecasts` import it; it knows neither.

pub mod calibrate;
pub mod criterion;
pub mod curve;
pub mod difficulty;
pub mod drift;
pub mod quality;
pub mod separation;
