//! Forecasts: how well the past would have been predicted, and which half-life would have served.
//!
//! Rests on `students` and everything below; nothing but `solve` imports it.

pub mod backtest;
pub mod half_life;
pub mod resampling;
