//! Times and spans.

/// The earliest time Postgres knows, in microseconds since 2000-01-01 (`MIN_TIMESTAMP` in its
/// `datatype/timestamp.h`).
pub const MIN_TIME: i64 = -211_813_488_000_000_000;
/// The last time Postgres knows (`END_TIMESTAMP - 1`).
pub const MAX_TIME: i64 = 9_223_371_331_199_999_999;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// What a time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// What a calendar and a clock on the wall say (`date`, `timestamp`): the same numbers in
    /// every time zone, and a day always has 24 hours.
    Calendar,
    /// A point in time (`timestamptz`).
    Absolute,
}

/// Days from `from` to `to`, with their fraction; exact before the division.
pub fn days_between(from: i64, to: i64) -> f64 {
    microseconds_between(from, to) / DAY as f64
}

/// Microseconds from `from` to `to`, also for the widest spans, whose difference overflows 64 bits.
pub fn microseconds_between(from: i64, to: i64) -> f64 {
    match to.checked_sub(from) {
        Some(span) => span as f64,
        None => (i128::from(to) - i128::from(from)) as f64,
    }
}
