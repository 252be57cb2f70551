//! The school map as an SQL function.

use pg_assess_core::chart::{MapPoint, school_map};
use pg_assess_core::quadrant::{self, Quadrant};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// More dots than this make no picture, only a very large text.
const MOST: usize = 100_000;

#[pg_extern(sql = false)]
fn school_map_svg(
    labels: Option<Vec<Option<String>>>,
    levels: Option<Vec<Option<f64>>>,
    slopes: Option<Vec<Option<f64>>>,
    needs: Option<Vec<Option<f64>>>,
    title: Option<&str>,
    mean: Option<f64>,
) -> Result<String, ErrorReport> {
    let labels = labels.unwrap_or_default();
    let n = labels.len();
    if n > MOST {
        return Err(ErrorReport::new(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            "too many students for one school map",
            function_name!(),
        )
        .set_detail(format!(
            "There are {n} labels, at most {MOST} can be drawn."
        ))
        .set_hint("Draw one school or one grade at a time."));
    }
    let levels = same_length("levels", levels, n)?;
    let slopes = same_length("slopes", slopes, n)?;
    let needs = same_length("needs", needs, n)?;
    let points: Vec<MapPoint> = labels
        .iter()
        .zip(levels)
        .zip(slopes)
        .zip(needs)
        .map(|(((label, level), slope), need)| MapPoint {
            label: label.as_deref().unwrap_or("?"),
            level,
            slope,
            need,
        })
        .collect();
    Ok(school_map(&points, title.unwrap_or_default(), mean))
}

/// The middle of the levels, what divides low from high; none without a level.
#[pg_extern(sql = false)]
fn middle_level(levels: Vec<Option<f64>>) -> Option<f64> {
    let levels: Vec<f64> = levels.into_iter().flatten().collect();
    quadrant::middle(&levels)
}

#[pg_extern(sql = false)]
fn quadrant(level: f64, middle: f64, change: f64) -> &'static str {
    Quadrant::of(level, middle, change).label()
}

#[pg_extern(sql = false)]
fn quadrant_rank(level: f64, middle: f64, change: f64) -> i32 {
    Quadrant::of(level, middle, change).rank()
}

/// An array left out says that nothing is known; one of another length pairs the wrong students.
pub fn same_length<T>(
    name: &str,
    values: Option<Vec<Option<T>>>,
    n: usize,
) -> Result<Vec<Option<T>>, ErrorReport> {
    let values = values.unwrap_or_else(|| (0..n).map(|_| None).collect());
    if values.len() == n {
        return Ok(values);
    }
    Err(ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("labels and {name} must have the same length"),
        function_name!(),
    )
    .set_detail(format!("There are {n} labels and {} {name}.", values.len()))
    .set_hint(
        "Gather all arrays in one query with array_agg, without FILTER; unknown figures are NULL.",
    ))
}
