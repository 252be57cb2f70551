//! The pictures of a model, as `sql/explain/pictures.sql` calls them: from the rows that it has
//! gathered.

use pg_assess_chart::{ItemCurve, SchoolMap, ScoreSheet, StudentHistory, Unreadable, read};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pgrx::JsonB;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Result, report};
use crate::functions::options::{Rows, Time, read as read_options, read_scope};
use crate::functions::school_map;
use crate::pg::arguments::NamedArguments;
use crate::pg::time::to_timestamptz;
use crate::poll;

/// Without what stands there: it may name a student.
fn unreadable(Unreadable { line, column }: Unreadable) -> ErrorReport {
    let code = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
    ErrorReport::new(code, "rows are not those of this picture", "")
        .set_detail(format!(
            "The reading ended at line {line}, column {column}."
        ))
        .set_hint("Call the function of the model, which gathers them.")
}

#[pg_extern(sql = false)]
fn map_svg(rows: &str) -> Result<String> {
    school_map::draw(&read(rows).map_err(unreadable)?)
}

#[pg_extern(sql = false)]
fn map_vega(rows: &str) -> Result<JsonB> {
    let map: SchoolMap = read(rows).map_err(unreadable)?;
    Ok(JsonB(map.vega()))
}

#[pg_extern(sql = false)]
fn curve_svg(rows: &str) -> Result<String> {
    let curve: ItemCurve = read(rows).map_err(unreadable)?;
    Ok(curve.svg())
}

#[pg_extern(sql = false)]
fn curve_vega(rows: &str) -> Result<JsonB> {
    let curve: ItemCurve = read(rows).map_err(unreadable)?;
    Ok(JsonB(curve.vega()))
}

#[pg_extern(sql = false)]
fn history_svg(rows: &str) -> Result<String> {
    let history: StudentHistory = read(rows).map_err(unreadable)?;
    Ok(history.svg())
}

#[pg_extern(sql = false)]
fn history_vega(rows: &str) -> Result<JsonB> {
    let history: StudentHistory = read(rows).map_err(unreadable)?;
    Ok(JsonB(history.vega()))
}

#[pg_extern(sql = false)]
fn sheet_svg(rows: &str) -> Result<String> {
    let sheet: ScoreSheet = read(rows).map_err(unreadable)?;
    Ok(sheet.svg())
}

/// The ends of the line of a student's trend; no row without a line.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn trend_line(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(first_at, Time),
    name!(first_score, f64),
    name!(last_at, Time),
    name!(last_score, f64),
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
    let options = read_options::<Options>(&from)?;
    let Some(student) = gradebook.students().find(&student) else {
        return Ok(TableIterator::empty());
    };
    let line = solve::trend_line(&gradebook, student, &scope, &options, &poll).map_err(report)?;
    let clock = gradebook.clock();
    let row = line.map(|[first, last]| {
        let (first_at, last_at) = (first.0, last.0);
        (
            to_timestamptz(clock, first_at),
            first.1,
            to_timestamptz(clock, last_at),
            last.1,
        )
    });
    Ok(TableIterator::new(row))
}
