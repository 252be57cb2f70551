//! `coverage`: what became of the rows.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::poll;

#[pg_extern(sql = false)]
fn coverage(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(name!(reason, &'static str), name!(rows, i64))> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let rows = solve::coverage(&gradebook, &scope, &poll).map_err(report)?;
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(reason, rows)| (reason, i64::try_from(rows).unwrap_or(i64::MAX)))
        .collect();
    Ok(TableIterator::new(rows))
}

#[pg_extern(sql = false)]
fn coverage_by_item(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(item, Option<String>),
    name!(reason, &'static str),
    name!(rows, i64),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let rows = solve::coverage_by_item(&gradebook, &scope, &poll).map_err(report)?;
    let items = gradebook.items().clone();
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        let (item, reason, rows) = row;
        let item = item.map(|item| items.get(item).to_string());
        (item, reason, i64::try_from(rows).unwrap_or(i64::MAX))
    })))
}
