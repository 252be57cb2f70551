//! `trend_agg` and its summary, declared in `trend.sql` and `over_time.sql` of `sql/aggregates`.

use pg_assess_core::students::trend::Trend;
use pg_assess_core::summary::TrendSummary;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::summary::{accessors, summary, summary_type};
use crate::error::{Result, report};
use crate::pg::arguments::Arguments;
use crate::pg::state;
use crate::pg::time::{TimeType, to_timestamptz};

summary_type!(TrendSummary: trend_summary_in, trend_summary_out, trend_summary_recv,
    trend_summary_send, trend_merge, trend_final, trend_rollup_final,
    trend_n, trend_excluded);

accessors! { TrendSummary:
    trend_slope = TrendSummary::slope;
}

/// `(score, taken_at [, weight])`.
#[inline(always)]
fn trans(fcinfo: pg_sys::FunctionCallInfo, time: TimeType) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    let (score, taken_at) = (from.float(), from.time(time));
    let weight = if from.has_more() { from.float() } else { 1.0 };
    let mut trend: TrendSummary = state::summary_state(fcinfo);
    trend.push(time.clock(), taken_at, score, weight);
    state::keep_summary(fcinfo, trend, Ok(()))
}

#[pg_extern(sql = false)]
fn trend_trans_date(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Date)
}

#[pg_extern(sql = false)]
fn trend_trans_timestamp(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Timestamp)
}

#[pg_extern(sql = false)]
fn trend_trans_timestamptz(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    trans(fcinfo, TimeType::Timestamptz)
}

/// The trend, with the margin in argument 1 where there is one; none without a score.
fn trend(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Trend>> {
    let summary: TrendSummary = summary(fcinfo)?;
    let mut from = Arguments::after_state(fcinfo);
    let margin = from.has_more().then(|| from.float());
    let trend = summary.trend(margin).map_err(report)?;
    Ok((summary.n() > 0).then_some(trend))
}

#[pg_extern(sql = false)]
fn trend_slope_se(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(trend(fcinfo)?.and_then(|trend| trend.slope_se))
}

#[pg_extern(sql = false)]
fn trend_p(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(trend(fcinfo)?.and_then(|trend| trend.p))
}

#[pg_extern(sql = false)]
fn trend_label(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>> {
    Ok(trend(fcinfo)?.map(|trend| trend.direction.label().to_owned()))
}

#[pg_extern(sql = false)]
fn trend_rank(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<i32>> {
    Ok(trend(fcinfo)?.map(|trend| trend.direction.rank()))
}

#[pg_extern(sql = false)]
fn trend_dates(fcinfo: pg_sys::FunctionCallInfo) -> Result<i32> {
    let summary: TrendSummary = summary(fcinfo)?;
    Ok(summary.dates() as i32)
}

#[pg_extern(sql = false)]
fn trend_first_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<i64>> {
    let summary: TrendSummary = summary(fcinfo)?;
    let span = summary.span();
    Ok(span.map(|(clock, first, _)| to_timestamptz(Some(clock), first)))
}

#[pg_extern(sql = false)]
fn trend_last_at(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<i64>> {
    let summary: TrendSummary = summary(fcinfo)?;
    let span = summary.span();
    Ok(span.map(|(clock, _, last)| to_timestamptz(Some(clock), last)))
}
