//! `explain`: what makes up the level of one student.

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
fn explain(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(assessment, String),
    name!(item, String),
    name!(taken_at, Time),
    name!(score, f64),
    name!(expected, f64),
    name!(quality, f64),
    name!(decay, f64),
    name!(share, f64),
    name!(contribution, f64),
)> {
    let from = NamedArguments::of(fcinfo);
    let (Some(bytes), Some(student)) = (
        from.optional::<&[u8]>("gradebook"),
        from.optional::<String>("student"),
    ) else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let previous = read_previous(&from, &gradebook, &scope, &options)?;
    // A student may be in one subject's gradebook and not in another's.
    let Some(student) = gradebook.students().find(&student) else {
        return Ok(TableIterator::empty());
    };
    let rows =
        solve::explain(&gradebook, student, &scope, &previous, &options, &poll).map_err(report)?;
    let clock = gradebook.clock();
    let (assessments, items) = (gradebook.assessments().clone(), gradebook.items().clone());
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        (
            assessments.get(row.assessment).to_string(),
            items.get(row.item).to_string(),
            to_timestamptz(clock, row.taken_at),
            row.score,
            row.expected,
            row.quality,
            row.decay,
            row.share,
            row.contribution,
        )
    })))
}
