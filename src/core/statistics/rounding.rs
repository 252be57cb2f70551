//! What rounding leaves of figures that are equal.

/// Scores and levels, mostly between 0 and 1, that differ by less are equal: they went through
/// sums of at most some million terms, each of which rounds by 1e-16.
pub const ROUNDING: f64 = 1e-9;
/// The share that cancellation may leave of sums of squares whose difference is 0. Squares have
/// twice the digits of scores, of which a double holds 16.
pub const CANCELLATION: f64 = 1e-12;
