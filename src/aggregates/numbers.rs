//! What the aggregates have in common whose state is [`Numbers`]: declared in
//! `sql/aggregates/pairs.sql`.

use pg_assess_core::{memory, summary};
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::summary::warn_of_excluded;
use crate::error::{Result, report};
use crate::pg::state::{self, Numbers};

/// Takes the numbers of another part of the group in, which `merge` adds to those that are there.
/// `argument` is what all rows of a group have to agree on.
pub fn combine(
    fcinfo: pg_sys::FunctionCallInfo,
    argument: &'static str,
    merge: impl FnOnce(&mut Numbers, &[f64]) -> summary::Result<()>,
) -> Internal {
    let Some(other) = state::numbers(fcinfo, 1) else {
        return state::unchanged(fcinfo);
    };
    state::update_numbers(fcinfo, |numbers| {
        numbers.join(&other, argument)?;
        merge(numbers, other.as_slice())
    })
}

/// How often a figure may hold the numbers of its group while it is worked out: `somers_d_se`,
/// which needs most, has them in two orders, as ranks, and as influences.
const COPIES: usize = 6;

/// The numbers of a group that has ended. Warns when rows were left out.
pub fn ended(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Numbers>> {
    let Some(numbers) = state::numbers(fcinfo, 0) else {
        return Ok(None);
    };
    memory::ask(COPIES * size_of_val(numbers.as_slice())).map_err(report)?;
    warn_of_excluded(fcinfo, numbers.excluded());
    Ok(Some(numbers))
}

#[pg_extern(sql = false)]
fn numbers_serial(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Vec<u8>>> {
    let Some(numbers) = state::numbers(fcinfo, 0) else {
        return Ok(None);
    };
    memory::ask(2 * size_of_val(numbers.as_slice())).map_err(report)?;
    Ok(Some(state::sent_numbers(&numbers)))
}

#[pg_extern(sql = false)]
fn numbers_deserial(bytes: &[u8], _state: Internal) -> Result<Internal> {
    memory::ask(3 * bytes.len()).map_err(report)?;
    state::received_numbers(bytes).map_err(report)
}
