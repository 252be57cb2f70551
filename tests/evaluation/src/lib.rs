//! How well the product does where the answer is known: on real courses and tests, and on a made-up
//! network. Each experiment is a module that gives its figures as plain values; the program writes
//! them as pages and pictures, and the tests hold them to the goals.
//!
//! Everything random comes from fixed seeds, so that equal data give equal pages.

pub mod backtest;
pub mod data;
pub mod groups;
pub mod half_life;
pub mod missing;
pub mod network;
pub mod page;
pub mod pages;
pub mod plot;
pub mod questions;
pub mod statistics;
pub mod thin;
pub mod trend;
