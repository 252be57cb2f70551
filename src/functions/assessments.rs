//! `assessments`: how reliable each is.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, Time, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::to_timestamptz;
use crate::poll;

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn assessments(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(assessment, String),
    name!(items, i64),
    name!(students, i64),
    name!(n, i64),
    name!(first_at, Option<Time>),
    name!(last_at, Option<Time>),
    name!(mean, Option<f64>),
    name!(sd, Option<f64>),
    name!(alpha, Option<f64>),
    name!(alpha_se, Option<f64>),
    name!(sem, Option<f64>),
    name!(alpha_status, &'static str),
    name!(omitted, i64),
    name!(waiting, i64),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let assessments = solve::assessments(&gradebook, &scope, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.assessments().clone());
    Ok(TableIterator::new(assessments.into_iter().map(
        move |(assessment, row)| {
            (
                ids.get(assessment).to_string(),
                row.items as i64,
                row.students as i64,
                row.n as i64,
                row.span
                    .map(|(first_at, _)| to_timestamptz(clock, first_at)),
                row.span.map(|(_, last_at)| to_timestamptz(clock, last_at)),
                row.mean,
                row.sd,
                row.alpha,
                row.alpha_se,
                row.sem,
                row.alpha_status.label(),
                row.omitted as i64,
                row.waiting as i64,
            )
        },
    )))
}
