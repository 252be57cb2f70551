//! How well the past would have been predicted, and what that shows about the half-life.

use pg_assess_core::domain::Argument;
use pg_assess_core::forecasts::backtest::{self, Difference, Settings, Slice};
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pg_assess_core::time::DAY;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Result, null_argument, report};
use crate::functions::options::{Rows, Time, finite, read, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::{from_timestamptz, to_timestamptz};
use crate::poll;

/// `cuts`: dates to look back from.
fn read_cuts(from: &NamedArguments, gradebook: &Gradebook<'_>) -> Result<Vec<i64>> {
    let cuts: Vec<Option<TimestampWithTimeZone>> = from.optional("cuts").unwrap_or_default();
    cuts.into_iter()
        .map(|at| {
            let at = at.ok_or_else(|| null_argument("a date in cuts", "Leave it out."))?;
            Ok(from_timestamptz(gradebook.clock(), finite("cuts", at)?))
        })
        .collect()
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn backtest(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(target, &'static str),
    name!(scope, &'static str),
    name!(cut_at, Option<Time>),
    name!(student_group, Option<String>),
    name!(assessments_from, Option<i32>),
    name!(assessments_to, Option<i32>),
    name!(method, &'static str),
    name!(method_rank, i32),
    name!(n, i64),
    name!(rmse, Option<f64>),
    name!(rmse_difference, Option<f64>),
    name!(rmse_difference_low, Option<f64>),
    name!(rmse_difference_high, Option<f64>),
    name!(rank_correlation, Option<f64>),
    name!(rank_correlation_difference, Option<f64>),
    name!(rank_correlation_difference_low, Option<f64>),
    name!(rank_correlation_difference_high, Option<f64>),
    name!(recall, Option<f64>),
    name!(recall_difference, Option<f64>),
    name!(recall_difference_low, Option<f64>),
    name!(recall_difference_high, Option<f64>),
    name!(coverage_80, Option<f64>),
    name!(coverage_95, Option<f64>),
    name!(need_error, Option<f64>),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let cuts = read_cuts(&from, &gradebook)?;
    let rows = backtest::backtest(
        &gradebook,
        &scope,
        &read::<Options>(&from)?,
        &cuts,
        &read::<Settings>(&from)?,
        &read::<Resampling>(&from)?,
        &poll,
    )
    .map_err(report)?;
    let groups = gradebook.roster().groups();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            poll();
            let (mut cut_at, mut group, mut band) = (None, None, None);
            match row.slice {
                Slice::All => {}
                Slice::Cut(at) => cut_at = Some(to_timestamptz(gradebook.clock(), at)),
                Slice::Group(at) => group = Some(groups.get(at).to_string()),
                Slice::Assessments(from, to) => band = Some((from, to)),
            }
            let figures = row.figures;
            let [rmse, ranks, recall] = figures.differences;
            let value = |difference: Option<Difference>| difference.map(|interval| interval.value);
            let low = |difference: Option<Difference>| difference.and_then(|interval| interval.low);
            let high =
                |difference: Option<Difference>| difference.and_then(|interval| interval.high);
            (
                row.target.label(),
                row.slice.label(),
                cut_at,
                group,
                band.map(|(from, _)| from as i32),
                band.and_then(|(_, to)| i32::try_from(to).ok()),
                figures.method.label(),
                figures.method.rank(),
                figures.n as i64,
                figures.rmse,
                value(rmse),
                low(rmse),
                high(rmse),
                figures.rank_correlation,
                value(ranks),
                low(ranks),
                high(ranks),
                figures.recall,
                value(recall),
                low(recall),
                high(recall),
                figures.coverage[0],
                figures.coverage[1],
                figures.need_error,
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn half_life_advice(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(half_life, Option<Interval>),
    name!(rmse, Option<f64>),
    name!(difference, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(indistinguishable, Option<bool>),
    name!(is_best, Option<bool>),
    name!(in_use, bool),
    name!(n, i64),
    name!(students, i64),
    name!(variogram, Option<Interval>),
    name!(advice, String),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let resampling = read::<Resampling>(&from)?;
    let advice = solve::half_life_advice(&gradebook, &scope, &options, &resampling, &poll)
        .map_err(report)?;
    let variogram = advice.variogram.map(interval).transpose()?;
    if advice.trials.is_empty() {
        // Nothing was predicted. The sentence says so, and no report is left without a row.
        let in_use = Some(interval(options.half_life)?);
        let (none, unknown, sentence) = (None, None, advice.sentence);
        return Ok(TableIterator::once((
            in_use, none, none, none, none, unknown, unknown, true, 0, 0, variogram, sentence,
        )));
    }
    let rows = advice
        .trials
        .iter()
        .map(|trial| {
            Ok((
                trial.half_life.map(interval).transpose()?,
                Some(trial.rmse),
                Some(trial.difference),
                trial.ci.map(|(low, _)| low),
                trial.ci.map(|(_, high)| high),
                Some(trial.indistinguishable),
                Some(trial.is_best),
                trial.in_use,
                advice.n as i64,
                advice.students as i64,
                variogram,
                advice.sentence.clone(),
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(TableIterator::new(rows))
}

/// A span as Postgres writes it: whole days, and what is left of one. More days than 32 bits hold
/// become months of 30, as which they came.
fn interval(days: f64) -> Result<Interval> {
    let whole = days.floor();
    let micros = ((days - whole) * DAY as f64).round() as i64;
    let months = match whole > f64::from(i32::MAX) {
        true => (whole / 30.0).floor(),
        false => 0.0,
    };
    let rest = whole - 30.0 * months;
    Interval::new(months as i32, rest as i32, micros).map_err(|_| {
        report(Argument {
            name: "half_life",
            value: days.to_string(),
            expected: "a span that Postgres can give in months and days",
        })
    })
}
