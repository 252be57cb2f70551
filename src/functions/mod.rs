//! Functions as Postgres calls them, a file for each or for a few that belong together; declared
//! in `sql/functions` and `sql/sample`, those that only models use in `sql/explain`.

mod assessments;
mod backtest;
mod calibrate;
mod contents;
pub mod coverage;
mod curve;
mod drift;
mod explain;
mod items;
mod missing_work;
mod option_table;
pub mod options;
mod pictures;
mod sample;
mod school_map;
mod status;
mod students;
mod summary_rows;
mod word;
