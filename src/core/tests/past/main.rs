//! What the past says: back-tests, the half-life, the year before.

mod backtest;
mod carry_over;
mod half_life;
mod oulad_carry_over;
