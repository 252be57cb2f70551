//! `item_drift`, declared in `sql/functions/drift.sql`.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, Time, read, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::to_timestamptz;
use crate::poll;

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
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let drifts = solve::item_drift(&gradebook, &scope, &options, &poll).map_err(report)?;
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
