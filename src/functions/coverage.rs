//! `coverage`: what became of the rows.

use pg_assess_core::gradebook::{Exclusion, Gradebook};
use pg_assess_core::ledger::{self, Census, Doubt, Doubtful, Left, rows_of_zero_time};
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Result, report};
use crate::functions::options::{Rows, read_rows, read_scope};
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

/// Whether something is wrong with rows that `coverage` counts under this reason.
#[pg_extern(sql = false)]
fn is_left_out(reason: &str) -> bool {
    let is_wrong = |left: Left| Left::WRONG.contains(&left);
    Exclusion::of_label(reason).is_some() || Left::of_label(reason).is_some_and(is_wrong)
}

/// What may be wrong with the rows that do not count, and what to do.
#[pg_extern(sql = false)]
fn scale_advice(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(None);
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let census = Census::of(&gradebook, &scope, &poll).map_err(report)?;
    Ok(census.doubt.map(advice))
}

/// The same of each question.
#[pg_extern(sql = false)]
fn scale_advice_by_item(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(name!(item, String), name!(advice, String))> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let doubts = Census::doubts_by_item(&gradebook, &scope, &poll).map_err(report)?;
    let items = gradebook.items().clone();
    Ok(TableIterator::new(doubts.into_iter().map(
        move |(item, doubt)| (items.get(item).to_string(), advice(doubt)),
    )))
}

/// Whether a gradebook has an item of this id, as text.
#[pg_extern(sql = false)]
fn has_item(gradebook: &[u8], id: &str) -> Result<bool> {
    let gradebook = Gradebook::open(gradebook).map_err(report)?;
    Ok(gradebook.items().find(id).is_some())
}

/// Whether a gradebook has an assessment of this id, as text.
#[pg_extern(sql = false)]
fn has_assessment(gradebook: &[u8], id: &str) -> Result<bool> {
    let gradebook = Gradebook::open(gradebook).map_err(report)?;
    Ok(gradebook.assessments().find(id).is_some())
}

/// The questions whose scores use next to nothing of their scale.
#[pg_extern(sql = false)]
fn unused_scales(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(name!(item, String), name!(most, f64), name!(max_score, f64))> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_rows(&from, &gradebook)?;
    let unused = ledger::unused_scales(&gradebook, &scope, &poll).map_err(report)?;
    let items = gradebook.items().clone();
    Ok(TableIterator::new(unused.into_iter().map(move |own| {
        let item = items.get(own.item).to_string();
        (item, own.most, own.max_score)
    })))
}

/// The rows whose time is the 0 of computers.
#[pg_extern(sql = false)]
fn zero_times(gradebook: &[u8]) -> Result<i64> {
    let gradebook = Gradebook::open(gradebook).map_err(report)?;
    let rows = rows_of_zero_time(&gradebook, &poll).map_err(report)?;
    Ok(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// What to do where something seems to be wrong.
pub fn advice(found: Doubtful) -> String {
    const BY_COLUMN: &str = "those of the others do not: name a column with each row's maximum as \
                             max_score, or leave out what is no question with exclude_items.";
    const BY_QUESTION: &str = "give the maximum of each question as max_score, or 100 where they \
                               are percentages.";
    let Doubtful { doubt, items, of } = found;
    let all = match (doubt, found.is_mixed()) {
        (Doubt::Percentages, true) => {
            return format!(
                "The scores of {items} of {of} questions look like percentages, {BY_COLUMN}"
            );
        }
        (Doubt::PointsOrPercentages, true) => {
            return format!(
                "The scores of {items} of {of} questions look like points or percentages, \
                 {BY_COLUMN}"
            );
        }
        (Doubt::PointsOrPercentages, false) => {
            return format!("These scores look like points or percentages: {BY_QUESTION}");
        }
        (Doubt::Points, true) => {
            return format!(
                "The scores of {items} of {of} questions look like points, {BY_COLUMN}"
            );
        }
        (Doubt::UnknownMax, true) => {
            return format!(
                "There is no max_score for {items} of {of} questions: give it, read their points \
                 with missing_max => 'observed', give 'infinity' for a scale without an upper \
                 bound, or leave out what is no question with exclude_items."
            );
        }
        (Doubt::Percentages, false) => {
            "These scores look like percentages: give 100 as their max_score."
        }
        (Doubt::Points, false) => {
            "These scores look like points: give as their max_score how many could be had."
        }
        (Doubt::Codes, _) => {
            "Few scores lie far above their maximum, as a code such as 999 may that stands for no \
             score: make them NULL in a view, or give the right max_score."
        }
        (Doubt::Bonus, _) => {
            "Scores above their maximum may be a bonus: read them with out_of_range => 'clip', or \
             give the right max_score."
        }
        (Doubt::LostSign, _) => {
            "Scores are below the minimum, as where wrong answers take points away: give the lowest as \
             min_score."
        }
        (Doubt::UnknownMax, false) => {
            "Points without a max_score say little: give it, read them with missing_max => \
             'observed', or give 'infinity' for a scale without an upper bound."
        }
        (Doubt::NoId, _) => {
            "Rows without a student, a question or an assessment do not count: see which columns \
             were named for these."
        }
        (Doubt::NoTime, _) => {
            "Rows without a time do not count: see which column was named for it, or give the day \
             of the test in its place."
        }
        (Doubt::BadScale, _) => "A max_score must be above its min_score.",
        (Doubt::NotFinite, _) => {
            "Scores and times that are infinite, or no number, do not count: make them NULL where \
             they stand for none."
        }
    };
    all.to_owned()
}
