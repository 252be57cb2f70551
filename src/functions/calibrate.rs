//! `calibrate`, declared in `sql/functions/calibrate.sql`.

use std::sync::atomic::AtomicI64;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::calibrate::Settings;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::report;
use crate::functions::options::{Rows, read, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::notices;
use crate::poll;

/// The statement in which the last warning was that a fit has not converged.
static ASKED: AtomicI64 = AtomicI64::new(0);

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn calibrate(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(item, String),
    name!(n, i64),
    name!(facility, Option<f64>),
    name!(discrimination, Option<f64>),
    name!(discrimination_se, Option<f64>),
    name!(discrimination_low, Option<f64>),
    name!(discrimination_high, Option<f64>),
    name!(difficulty, Option<f64>),
    name!(difficulty_se, Option<f64>),
    name!(difficulty_low, Option<f64>),
    name!(difficulty_high, Option<f64>),
    name!(component, Option<i32>),
    name!(status, &'static str),
    name!(status_rank, i32),
    name!(converged, Option<bool>),
    name!(iterations, Option<i32>),
    name!(log_likelihood, Option<f64>),
    name!(warnings, Option<String>),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let options = read::<Options>(&from)?;
    let settings = read::<Settings>(&from)?;
    let calibration =
        solve::calibrate(&gradebook, &scope, &options, &settings, &poll).map_err(report)?;
    let run = calibration.run;
    if let Some(unfinished) = run.filter(|run| !run.converged)
        && notices::is_first_in_statement(&ASKED)
    {
        let advice = match settings.prior {
            true => "give a larger max_iterations",
            false => "give a larger max_iterations, or leave prior on",
        };
        log::warn!(
            "calibrate did not converge in {} iterations; its figures are preliminary: {advice}",
            unfinished.iterations
        );
    }
    let ids = gradebook.items().clone();
    Ok(TableIterator::new(calibration.items.into_iter().map(
        move |row| {
            let (a, b) = (row.discrimination, row.difficulty);
            let error_of_a = a.and_then(|a| a.error);
            let error_of_b = b.and_then(|b| b.error);
            (
                ids.get(row.item).to_string(),
                row.n as i64,
                row.facility,
                a.map(|a| a.value),
                error_of_a.map(|error| error.se),
                error_of_a.map(|error| error.ci_low),
                error_of_a.map(|error| error.ci_high),
                b.map(|b| b.value),
                error_of_b.map(|error| error.se),
                error_of_b.map(|error| error.ci_low),
                error_of_b.map(|error| error.ci_high),
                row.component.map(|component| component as i32),
                row.status.label(),
                row.status.rank(),
                run.map(|run| run.converged),
                run.map(|run| run.iterations as i32),
                run.map(|run| run.log_likelihood),
                calibration.warnings.clone(),
            )
        },
    )))
}
