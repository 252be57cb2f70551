//! `items`: how well each question separates, and what it weighs.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ebel_label;
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
fn items(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(item, String),
    name!(assessments, i32),
    name!(n, i64),
    name!(n_effective, f64),
    name!(facility, Option<f64>),
    name!(r_rest, Option<f64>),
    name!(discrimination, Option<f64>),
    name!(discrimination_se, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(somers_d, Option<f64>),
    name!(discrimination_index, Option<f64>),
    name!(weight, f64),
    name!(status, &'static str),
    name!(status_rank, i32),
    name!(label, Option<&'static str>),
    name!(first_at, Option<Time>),
    name!(last_at, Option<Time>),
    name!(left_out, i64),
    name!(blank, i64),
    name!(waiting, i64),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let items = solve::items(&gradebook, &scope, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.items().clone());
    Ok(TableIterator::new(items.into_iter().map(move |row| {
        let quality = row.quality;
        let d = quality.discrimination;
        (
            ids.get(row.item).to_string(),
            quality.assessments as i32,
            quality.n as i64,
            quality.n_effective,
            row.facility,
            quality.r_rest,
            d.map(|d| d.value),
            d.map(|d| d.se),
            d.map(|d| d.ci_low),
            d.map(|d| d.ci_high),
            row.separation.somers_d,
            row.separation.discrimination_index,
            quality.weight,
            quality.status.label(),
            quality.status.rank(),
            d.map(|d| ebel_label(d.value)),
            row.span
                .map(|(first_at, _)| to_timestamptz(clock, first_at)),
            row.span.map(|(_, last_at)| to_timestamptz(clock, last_at)),
            row.uncounted.left_out as i64,
            row.uncounted.blank as i64,
            row.uncounted.waiting as i64,
        )
    })))
}
