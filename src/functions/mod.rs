//! Functions as Postgres calls them, a file for each or for a few that belong together; declared
//! in the files of `sql/functions` with the same names.

mod assessments;
mod backtest;
mod calibrate;
mod contents;
mod coverage;
mod drift;
mod explain;
mod items;
mod missing_work;
mod option_table;
pub mod options;
mod sample;
mod status;
mod students;
mod word;
