//! One-step aggregates that need all pairs of a group at once, since they go by order: declared
//! in `pairs.sql` and, over time, in `over_time.sql` of `sql/aggregates`. Those over the same
//! arguments share one state.

use pg_assess_core::domain::Domain;
use pg_assess_core::options::Options;
use pg_assess_core::questions::separation;
use pg_assess_core::statistics::kendall::kendall;
use pg_assess_core::statistics::theil_sen::{TheilSen, theil_sen};
use pg_assess_core::students::trend::SLOPE_DAYS;
use pg_assess_core::summary::{self, usable};
use pg_assess_core::time::DAY;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::numbers;
use crate::error::Result;
use crate::pg::arguments::Arguments;
use crate::pg::state::{self, Numbers};
use crate::pg::time::TimeType;
use crate::poll;

/// Microseconds that a slope is given per.
const SLOPE_MICROSECONDS: f64 = SLOPE_DAYS * DAY as f64;

fn add(numbers: &mut Numbers, pair: [f64; 2]) -> summary::Result<()> {
    if pair.into_iter().all(usable) {
        numbers.extend(&pair)
    } else {
        numbers.exclude(1);
        Ok(())
    }
}

/// `(score, criterion)`.
#[pg_extern(sql = false)]
fn pairs_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    if from.has_null() {
        return state::unchanged(fcinfo);
    }
    let pair = [from.float(), from.float()];
    state::update_numbers(fcinfo, |numbers| add(numbers, pair))
}

/// `(score, criterion, share)`.
#[pg_extern(sql = false)]
fn pairs_trans_share(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    if from.has_null() {
        return state::unchanged(fcinfo);
    }
    let (pair, share) = ([from.float(), from.float()], from.float());
    state::update_numbers(fcinfo, |numbers| {
        Domain::Half.check("share", share)?;
        numbers.agree_on("share", share)?;
        add(numbers, pair)
    })
}

/// `(score, taken_at [, confidence])`; pairs of microseconds since 2000-01-01 and scores.
#[inline(always)]
fn timed(fcinfo: pg_sys::FunctionCallInfo, time: TimeType) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    if from.has_null() {
        return state::unchanged(fcinfo);
    }
    let score = from.float();
    let pair = [from.microseconds(time), score];
    let confidence = from.has_more().then(|| from.float());
    state::update_numbers(fcinfo, |numbers| {
        if let Some(confidence) = confidence {
            Domain::Inside0To1.check("confidence", confidence)?;
            numbers.agree_on("confidence", confidence)?;
        }
        add(numbers, pair)
    })
}

#[pg_extern(sql = false)]
fn timed_trans_date(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    timed(fcinfo, TimeType::Date)
}

#[pg_extern(sql = false)]
fn timed_trans_timestamp(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    timed(fcinfo, TimeType::Timestamp)
}

#[pg_extern(sql = false)]
fn timed_trans_timestamptz(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    timed(fcinfo, TimeType::Timestamptz)
}

#[pg_extern(sql = false)]
fn pairs_combine(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    numbers::combine(fcinfo, "share or confidence", Numbers::extend)
}

/// A figure of the pairs of a group that has ended, and of the argument they have in common.
fn ended<T>(
    fcinfo: pg_sys::FunctionCallInfo,
    of: impl FnOnce(&[[f64; 2]], Option<f64>) -> Option<T>,
) -> Result<Option<T>> {
    let numbers = numbers::ended(fcinfo)?;
    Ok(numbers.and_then(|numbers| of(numbers.as_slice().as_chunks().0, numbers.argument())))
}

#[pg_extern(sql = false)]
fn somers_d_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| separation::somers_d(pairs, &poll))
}

#[pg_extern(sql = false)]
fn somers_d_se_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| separation::somers_d_se(pairs, &poll))
}

#[pg_extern(sql = false)]
fn discrimination_index_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, share| {
        let share = share.unwrap_or(Options::default().upper_lower_share);
        separation::discrimination_index(pairs, share, &poll)
    })
}

#[pg_extern(sql = false)]
fn discriminative_efficiency_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| {
        separation::discriminative_efficiency(pairs, &poll)
    })
}

#[pg_extern(sql = false)]
fn theil_sen_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| {
        theil_sen(pairs, None, &poll).map(|line| line.slope * SLOPE_MICROSECONDS)
    })
}

/// One of the limits of the line.
fn ended_theil_sen(
    fcinfo: pg_sys::FunctionCallInfo,
    limit: fn(TheilSen) -> Option<f64>,
) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, confidence| {
        let confidence = confidence.unwrap_or(Options::default().confidence);
        let line = theil_sen(pairs, Some(confidence), &poll)?;
        limit(line).map(|slope| slope * SLOPE_MICROSECONDS)
    })
}

#[pg_extern(sql = false)]
fn theil_sen_ci_low_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended_theil_sen(fcinfo, |line| line.ci_low)
}

#[pg_extern(sql = false)]
fn theil_sen_ci_high_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended_theil_sen(fcinfo, |line| line.ci_high)
}

#[pg_extern(sql = false)]
fn mann_kendall_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| kendall(pairs, &poll)?.p)
}

#[pg_extern(sql = false)]
fn mann_kendall_s_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<i64>> {
    ended(fcinfo, |pairs, _| Some(kendall(pairs, &poll)?.s))
}

#[pg_extern(sql = false)]
fn kendall_tau_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |pairs, _| kendall(pairs, &poll)?.tau_b)
}
