//! What the aggregates have in common whose state is [`Numbers`]: declared in `sql/pairs.sql`.

use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::agg::{self, Numbers};
use crate::error::{Result, report};
use crate::summary::warn_of_excluded;

/// Takes the numbers of another part of the group in, which `merge` adds to those that are there.
pub fn combine(
    fcinfo: pg_sys::FunctionCallInfo,
    merge: impl FnOnce(&mut Numbers, &[f64]) -> pg_assess_core::Result<()>,
) -> Internal {
    let Some(other) = agg::numbers(fcinfo, 1) else {
        return agg::unchanged(fcinfo);
    };
    agg::update_numbers(fcinfo, |numbers| {
        numbers.join(&other)?;
        merge(numbers, other.as_slice())
    })
}

/// The numbers of a group that has ended. It tells that rows were left out.
pub fn ended(fcinfo: pg_sys::FunctionCallInfo) -> Option<Numbers> {
    let numbers = agg::numbers(fcinfo, 0)?;
    warn_of_excluded(fcinfo, numbers.excluded());
    Some(numbers)
}

#[pg_extern(sql = false)]
fn numbers_serial(fcinfo: pg_sys::FunctionCallInfo) -> Option<Vec<u8>> {
    agg::numbers(fcinfo, 0).map(|numbers| agg::sent_numbers(&numbers))
}

#[pg_extern(sql = false)]
fn numbers_deserial(bytes: &[u8], _state: Internal) -> Result<Internal> {
    agg::received_numbers(bytes).map_err(report)
}
