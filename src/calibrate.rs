//! `calibrate`, declared in `sql/functions/calibrate.sql`.

use std::sync::atomic::AtomicI64;

use pg_assess_core::calibrate::Settings;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::agg;
use crate::error::report;
use crate::poll;
use crate::solvers::{Rows, Scope};
use crate::varlena::Arguments;

/// The statement in which it was last told that a fit has not converged.
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
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let mut options = Scope::read(&mut from)?.of(&gradebook, Options::default());
    options.min_answers = from.required("min_answers")?;
    let settings = Settings {
        prior: from.required("prior")?,
        nodes: from.count("nodes")?,
        max_iterations: from.count("max_iterations")?,
        tolerance: from.required("tolerance")?,
    };
    options.confidence = from.required("confidence")?;
    let told = solve::calibrate(&gradebook, &options, &settings, &poll).map_err(report)?;
    let run = told.run;
    if let Some(unfinished) = run.filter(|run| !run.converged)
        && agg::is_first_in_statement(&ASKED)
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
    Ok(TableIterator::new(told.items.into_iter().map(move |row| {
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
            told.warnings.clone(),
        )
    })))
}
