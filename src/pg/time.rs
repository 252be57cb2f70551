//! Times and spans as they cross from Postgres and back. Times are 64-bit integers on both sides.

use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pgrx::datum::Interval;
use pgrx::{direct_function_call, pg_sys};

/// The type of the times of a call.
#[derive(Clone, Copy)]
pub enum TimeType {
    Date,
    Timestamp,
    Timestamptz,
}

impl TimeType {
    /// For an argument of the call.
    ///
    /// # Safety
    /// `fcinfo` is that of the call at hand, and it has an argument `at`.
    pub unsafe fn of_argument(fcinfo: pg_sys::FunctionCallInfo, at: i32) -> Self {
        // SAFETY: as promised by the caller; both functions only look up.
        match unsafe { pg_sys::getBaseType(pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, at)) } {
            pg_sys::DATEOID => TimeType::Date,
            pg_sys::TIMESTAMPOID => TimeType::Timestamp,
            _ => TimeType::Timestamptz,
        }
    }

    /// A time from its datum; infinite ones are beyond the range of times.
    #[inline(always)]
    pub fn of(self, datum: pg_sys::Datum) -> i64 {
        match self {
            TimeType::Date => midnight(datum.value() as i32),
            TimeType::Timestamp | TimeType::Timestamptz => datum.value() as i64,
        }
    }

    /// What such times mean.
    pub fn clock(self) -> Clock {
        match self {
            TimeType::Date | TimeType::Timestamp => Clock::Calendar,
            TimeType::Timestamptz => Clock::Absolute,
        }
    }
}

/// The first moment of a day; infinite dates and those beyond the last time are infinite.
pub fn midnight(days: i32) -> i64 {
    i64::from(days)
        .checked_mul(DAY)
        .unwrap_or(if days < 0 { i64::MIN } else { i64::MAX })
}

/// The last microsecond of a day, infinite as its first moment is.
pub fn end_of_day(days: i32) -> i64 {
    match midnight(days) {
        infinite @ (i64::MIN | i64::MAX) => infinite,
        midnight => midnight.saturating_add(DAY - 1),
    }
}

/// A span in days.
pub fn days(span: Interval) -> f64 {
    interval_days(span.months(), span.days(), span.micros())
}

/// A span in days; a month has 30, as when Postgres justifies intervals.
#[inline(always)]
pub fn interval_days(months: i32, days: i32, micros: i64) -> f64 {
    let whole = f64::from(months) * 30.0 + f64::from(days);
    // A half-life is read for every row, and most are of whole days.
    match micros {
        0 => whole,
        _ => whole + micros as f64 / DAY as f64,
    }
}

/// A time as a `timestamptz`: calendar times are those of the session's zone,
/// so that a date comes back as the same date everywhere.
pub fn to_timestamptz(clock: Option<Clock>, at: i64) -> i64 {
    match clock {
        Some(Clock::Calendar) => convert(pg_sys::timestamp_timestamptz, at),
        _ => at,
    }
}

/// A `timestamptz` on the clock of the gradebook.
pub fn from_timestamptz(clock: Option<Clock>, at: i64) -> i64 {
    match clock {
        Some(Clock::Calendar) => convert(pg_sys::timestamptz_timestamp, at),
        _ => at,
    }
}

fn convert(function: unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum, at: i64) -> i64 {
    // At the ends of time another zone's clock is not known, and no report may fail over that.
    if !(MIN_TIME + 2 * DAY..=MAX_TIME - 2 * DAY).contains(&at) {
        return at;
    }
    // SAFETY: both functions take one 64-bit time, never NULL, and return one.
    unsafe { direct_function_call::<i64>(function, &[Some(pg_sys::Datum::from(at))]) }.unwrap_or(at)
}
