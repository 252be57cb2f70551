//! What holds for any response table.

mod any;
mod hostile;
mod tables;
mod verdicts;
