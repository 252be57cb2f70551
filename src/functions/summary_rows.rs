//! `summary_rows`: rows of an export that sum up its students.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::poll;

#[pg_extern(sql = false)]
fn summary_rows(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(kind, &'static str),
    name!(kind_rank, i32),
    name!(questions, i64),
    name!(matching, i64),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let rows = solve::summary_rows(&gradebook, &scope, &poll).map_err(report)?;
    let students = gradebook.students().clone();
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        (
            students.get(row.student).to_string(),
            row.kind.label(),
            row.kind.rank(),
            i64::from(row.questions),
            i64::from(row.matching),
        )
    })))
}
