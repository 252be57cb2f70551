//! Students: evidence, level, trend, need, work that is missing, and what a level consists of.
//!
//! Rests on `statistics`, the `ledger`, `questions` and the `foundation`. `summary` and `forecasts`
//! import it; it knows neither.

pub mod attendance;
pub mod due;
pub mod evidence;
pub mod explain;
pub mod level;
pub mod previous;
pub mod prior;
pub mod quadrant;
pub mod records;
pub mod stays;
pub mod student;
pub mod summary_rows;
pub mod trend;
pub mod variogram;
