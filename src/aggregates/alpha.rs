//! `cronbach_alpha`, declared in `sql/aggregates/alpha.sql`. The state holds the sums
//! of `alpha` in the core.

use pg_assess_core::domain::Argument;
use pg_assess_core::statistics::alpha;
use pg_assess_core::summary::usable;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::numbers;
use crate::error::Result;
use crate::pg::arguments::Arguments;
use crate::pg::state;

/// What the arrays of a group have to agree on.
const ITEMS: &str = "length of scores";

/// One student's scores, in the order of the items. A row with a score missing is left out.
#[pg_extern(sql = false)]
fn alpha_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    let Some((scores, dimensions)) = Arguments::after_state(fcinfo).array() else {
        return state::unchanged(fcinfo);
    };
    let row: Option<Vec<f64>> = scores
        .iter()
        .map(|score| score.filter(|&score| usable(score)))
        .collect();
    let items = scores.len();
    state::update_numbers(fcinfo, |numbers| {
        if dimensions > 1 || !(2..=alpha::MAX_ITEMS).contains(&items) {
            return Err(Argument {
                name: "scores",
                value: match dimensions {
                    0 | 1 => format!("an array of {items}"),
                    _ => format!("an array of {dimensions} dimensions"),
                },
                expected: "the scores of one student, one for each of 2 to 1000 items",
            }
            .into());
        }
        numbers.agree_on(ITEMS, items as f64)?;
        let Some(row) = row else {
            numbers.exclude(1);
            return Ok(());
        };
        if numbers.as_slice().is_empty() {
            numbers.extend(&vec![0.0; alpha::length(items)])?;
        }
        alpha::push(numbers.as_mut_slice(), &row);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn alpha_combine(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    numbers::combine(fcinfo, ITEMS, |numbers, other| {
        if numbers.as_slice().is_empty() {
            return numbers.extend(other);
        }
        alpha::merge(numbers.as_mut_slice(), other);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn cronbach_alpha_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(numbers::ended(fcinfo)?.and_then(|numbers| alpha::alpha(numbers.as_slice())))
}

#[pg_extern(sql = false)]
fn cronbach_alpha_se_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(numbers::ended(fcinfo)?.and_then(|numbers| alpha::alpha_se(numbers.as_slice())))
}
