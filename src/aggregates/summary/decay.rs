//! `decay_agg` and its summary, declared in `decay.sql` and `over_time.sql` of `sql/aggregates`.

use pg_assess_core::summary::DecaySummary;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::summary::{accessors, summary, summary_type};
use crate::error::Result;
use crate::pg::arguments::Arguments;
use crate::pg::state;
use crate::pg::time::{TimeType, from_timestamptz, to_timestamptz};

summary_type!(DecaySummary: decay_summary_in, decay_summary_out, decay_summary_recv,
    decay_summary_send, decay_merge, decay_final, decay_rollup_final,
    decay_n, decay_excluded);

accessors! { DecaySummary:
    decay_level = |decay| decay.level(None);
    decay_level_se = |decay| decay.level_se(None);
    decay_information = |decay| decay.information(None);
    decay_n_effective = DecaySummary::n_effective;
    decay_half_life = DecaySummary::half_life;
}

/// `(score, taken_at, half_life [, weight [, as_of]])`.
#[inline(always)]
fn trans(fcinfo: pg_sys::FunctionCallInfo, time: TimeType) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    let (score, taken_at) = (from.float(), from.time(time));
    let half_life = from.interval_days();
    let weight = if from.has_more() { from.float() } else { 1.0 };
    let is_later = from.has_more() && taken_at > from.time(time);
    let weight = if is_later { 0.0 } else { weight };
    let mut decay: DecaySummary = state::summary_state(fcinfo);
    let change = decay.push(time.clock(), taken_at, score, weight, half_life);
    state::keep_summary(fcinfo, decay, change)
}

#[pg_extern(sql = false)]
fn decay_trans_date(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Date)
}

#[pg_extern(sql = false)]
fn decay_trans_timestamp(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Timestamp)
}

#[pg_extern(sql = false)]
fn decay_trans_timestamptz(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Timestamptz)
}

#[pg_extern(sql = false)]
fn decay_level_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    at(fcinfo, DecaySummary::level)
}

#[pg_extern(sql = false)]
fn decay_level_se_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    at(fcinfo, DecaySummary::level_se)
}

#[pg_extern(sql = false)]
fn decay_information_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    at(fcinfo, DecaySummary::information)
}

/// An accessor at the time in argument 1.
fn at(
    fcinfo: pg_sys::FunctionCallInfo,
    method: fn(&DecaySummary, Option<i64>) -> Option<f64>,
) -> Result<Option<f64>> {
    let mut from = Arguments::of(fcinfo);
    let decay: DecaySummary = from.summary()?;
    let as_of = from_timestamptz(decay.clock(), from.time(TimeType::Timestamptz));
    Ok(method(&decay, Some(as_of)))
}

#[pg_extern(sql = false)]
fn decay_last_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<i64>> {
    let decay: DecaySummary = summary(fcinfo)?;
    Ok(decay
        .last_at()
        .map(|(clock, at)| to_timestamptz(Some(clock), at)))
}
