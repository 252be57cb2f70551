//! `students`: where each student stands, and which way.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, Time, read, read_previous, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::to_timestamptz;
use crate::poll;

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn students(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(level, Option<f64>),
    name!(level_se, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(raw_level, Option<f64>),
    name!(prior, Option<f64>),
    name!(information, Option<f64>),
    name!(n, i64),
    name!(assessments, i32),
    name!(last_at, Option<Time>),
    name!(slope, Option<f64>),
    name!(slope_se, Option<f64>),
    name!(trend_p, Option<f64>),
    name!(trend, &'static str),
    name!(trend_rank, i32),
    name!(need, Option<f64>),
    name!(need_rank, Option<i64>),
    name!(due, i32),
    name!(missing, i32),
    name!(status, &'static str),
    name!(status_rank, i32),
    name!(omitted, i64),
    name!(waiting, i64),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let previous = read_previous(&from, &gradebook, &scope, &options)?;
    let students =
        solve::each_student(&gradebook, &scope, &previous, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.students().clone());
    Ok(TableIterator::new(students.map(move |row| {
        let level = row.level.as_ref();
        (
            ids.get(row.student).to_string(),
            level.map(|level| level.level),
            level.and_then(|level| level.se),
            level.and_then(|level| level.ci_low),
            level.and_then(|level| level.ci_high),
            level.and_then(|level| level.raw_level),
            level.map(|level| level.prior),
            level.map(|level| level.information),
            row.n as i64,
            row.assessments as i32,
            level
                .and_then(|level| level.last_at)
                .map(|at| to_timestamptz(clock, at)),
            row.trend.slope,
            row.trend.slope_se,
            row.trend.p,
            row.trend.direction.label(),
            row.trend.direction.rank(),
            level.and_then(|level| level.need),
            row.need_rank.map(|rank| rank as i64),
            row.work.due as i32,
            row.work.missing as i32,
            row.status.label(),
            row.status.rank(),
            row.omitted as i64,
            row.waiting as i64,
        )
    })))
}
