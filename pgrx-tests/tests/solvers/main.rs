//! The answers about a gradebook, against other programs and the core.

mod backtest;
mod calibrate;
mod drift;
mod items;
mod moodle;
mod oulad;
mod solvers;
