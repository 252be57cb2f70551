//! Times that are the 0 of computers, which often stands for no time.

use std::ops::RangeInclusive;

use crate::Poll;
use crate::gradebook::{Gradebook, Result};
use crate::time::{Clock, DAY};

/// 1970-01-01 00:00, from which computers count seconds (POSIX.1-2017, 4.16), in microseconds since
/// 2000-01-01.
const ZERO: i64 = -10_957 * DAY;
/// Fourteen hours: no clock on a wall is further ahead of UTC.
const AHEAD: i64 = DAY / 24 * 14;

/// What 0 is read as. On a calendar that depends on the zone in which it was read; west of UTC, its
/// date is the day before.
fn zero_times(clock: Option<Clock>) -> RangeInclusive<i64> {
    match clock {
        Some(Clock::Calendar) => ZERO - DAY..=ZERO + AHEAD,
        _ => ZERO..=ZERO,
    }
}

/// The rows of a gradebook whose time may be such a 0. Where all are later, none is looked at.
pub fn rows_of_zero_time(gradebook: &Gradebook<'_>, poll: Poll<'_>) -> Result<u64> {
    let zero = zero_times(gradebook.clock());
    let mut rows = 0;
    if gradebook
        .earliest()
        .is_some_and(|first| first <= *zero.end())
    {
        gradebook.visit(
            |_| (),
            poll,
            |sitting| {
                if zero.contains(&sitting.taken_at) {
                    rows += sitting.items.len() as u64;
                }
                Ok(())
            },
        )?;
    }
    Ok(rows)
}
