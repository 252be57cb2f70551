//! Work that is missing, and work that has no marks, as SQL functions (`sql/functions/roster.sql`).

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
fn missing_work(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(assessment, String),
    name!(due_at, Time),
    name!(student_group, Option<String>),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let missing = solve::missing_work(&gradebook, &scope, &options, &poll).map_err(report)?;
    // Row by row: Postgres can write rows to disk when they are many, this function cannot.
    let clock = gradebook.clock();
    let (students, assessments) = (
        gradebook.students().clone(),
        gradebook.assessments().clone(),
    );
    let groups = missing.groups;
    Ok(TableIterator::new(missing.list.map(move |row| {
        (
            students.get(row.student).to_string(),
            assessments.get(row.assessment).to_string(),
            to_timestamptz(clock, row.due_at),
            row.group.map(|group| groups.get(group).to_string()),
        )
    })))
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn unmarked(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(assessment, String),
    name!(first_at, Time),
    name!(omitted, i64),
    name!(waiting, i64),
    name!(has_scores, bool),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let rows = solve::unmarked(&gradebook, &scope, &poll).map_err(report)?;
    let clock = gradebook.clock();
    let (students, assessments) = (
        gradebook.students().clone(),
        gradebook.assessments().clone(),
    );
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        (
            students.get(row.student).to_string(),
            assessments.get(row.assessment).to_string(),
            to_timestamptz(clock, row.first_at),
            i64::from(row.omitted),
            i64::from(row.waiting),
            !row.is_uncounted,
        )
    })))
}
