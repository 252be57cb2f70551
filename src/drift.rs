//! `item_drift`, declared in `sql/functions/drift.sql`.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::poll;
use crate::solvers::{Rows, Scope, Time};
use crate::varlena::{Arguments, to_timestamptz};

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn item_drift(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(item, String),
    name!(dates, i32),
    name!(n, i64),
    name!(changed_at, Option<Time>),
    name!(n_before, Option<i64>),
    name!(n_after, Option<i64>),
    name!(facility_before, Option<f64>),
    name!(facility_after, Option<f64>),
    name!(change, Option<f64>),
    name!(change_se, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(p, Option<f64>),
    name!(q, Option<f64>),
    name!(direction, Option<&'static str>),
    name!(status, &'static str),
    name!(status_rank, i32),
)> {
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let mut options = Scope::read(&mut from)?.of(&gradebook, Options::default());
    options.side_answers = from.count("side_answers")?;
    options.drift_alpha = from.required("drift_alpha")?;
    options.drift_margin = from.required("drift_margin")?;
    options.confidence = from.required("confidence")?;
    let drifts = solve::item_drift(&gradebook, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.items().clone());
    Ok(TableIterator::new(drifts.into_iter().map(move |row| {
        let change = row.change;
        (
            ids.get(row.item).to_string(),
            row.dates as i32,
            row.n as i64,
            change.map(|change| to_timestamptz(clock, change.changed_at)),
            change.map(|change| change.n_before as i64),
            change.map(|change| change.n_after as i64),
            change.and_then(|change| change.facility_before),
            change.and_then(|change| change.facility_after),
            change.map(|change| change.value),
            change.map(|change| change.se),
            change.map(|change| change.ci_low),
            change.map(|change| change.ci_high),
            change.map(|change| change.p),
            change.map(|change| change.q),
            row.direction(),
            row.status.label(),
            row.status.rank(),
        )
    })))
}
