//! What holds for any response table.

mod any;
mod attempts;
mod hostile;
mod tables;
mod verdicts;
