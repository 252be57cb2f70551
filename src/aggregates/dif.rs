//! `mantel_haenszel` and what goes with it, declared in `sql/aggregates/dif.sql`. The state is
//! a tally of strata that is made compact before it grows.

use pg_assess_core::statistics::dif::{Dif, Entry, Stratum, compact, mantel_haenszel};
use pg_assess_core::summary::usable;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::numbers;
use crate::error::Result;
use crate::pg::arguments::Arguments;
use crate::pg::state::{self, Numbers};

fn tidy(numbers: &mut Numbers) {
    let entries: &mut [Entry] = numbers.as_mut_slice().as_chunks_mut().0;
    let length = compact(entries) * size_of::<Entry>() / size_of::<f64>();
    numbers.truncate(length);
}

/// `(correct, is_focal, stratum)`.
#[pg_extern(sql = false)]
fn dif_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    if from.has_null() {
        return state::unchanged(fcinfo);
    }
    let (correct, is_focal, stratum) = (from.boolean(), from.boolean(), from.float());
    state::update_numbers(fcinfo, |numbers| {
        if !usable(stratum) {
            numbers.exclude(1);
            return Ok(());
        }
        let mut entry: Entry = [stratum, 0.0, 0.0, 0.0, 0.0];
        entry[1 + 2 * usize::from(is_focal) + usize::from(correct)] = 1.0;
        if numbers.is_full(entry.len()) {
            let before = numbers.as_slice().len();
            tidy(numbers);
            // Room for twice as many, so that the next few rows do not have the tally sorted again.
            if 2 * numbers.as_slice().len() > before {
                numbers.reserve(before)?;
            }
        }
        numbers.extend(&entry)
    })
}

#[pg_extern(sql = false)]
fn dif_combine(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    numbers::combine(fcinfo, "argument", |numbers, other| {
        numbers.extend(other)?;
        tidy(numbers);
        Ok(())
    })
}

/// A figure of the test of the group that has ended.
fn ended<T>(
    fcinfo: pg_sys::FunctionCallInfo,
    of: impl FnOnce(Dif) -> Option<T>,
) -> Result<Option<T>> {
    let Some(numbers) = numbers::ended(fcinfo)? else {
        return Ok(None);
    };
    let mut entries: Vec<Entry> = numbers.as_slice().as_chunks().0.to_vec();
    let strata = compact(&mut entries);
    Ok(mantel_haenszel(entries[..strata].iter().map(Stratum::from)).and_then(of))
}

#[pg_extern(sql = false)]
fn mantel_haenszel_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |dif| Some(dif.effect?.odds_ratio))
}

#[pg_extern(sql = false)]
fn mantel_haenszel_delta_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |dif| Some(dif.effect?.delta))
}

#[pg_extern(sql = false)]
fn mantel_haenszel_delta_se_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |dif| Some(dif.effect?.delta_se))
}

#[pg_extern(sql = false)]
fn mantel_haenszel_p_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    ended(fcinfo, |dif| Some(dif.p))
}

#[pg_extern(sql = false)]
fn mantel_haenszel_class_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>> {
    ended(fcinfo, |dif| Some(dif.effect?.class.label().to_owned()))
}
