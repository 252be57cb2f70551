//! The school map as an SQL function over arrays, and what it calls low.

use pg_assess_chart::{MapPoint, Of, SchoolMap};
use pg_assess_core::students::quadrant::{self, Quadrant};
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
    title: Option<String>,
    mean: Option<f64>,
) -> Result<String, ErrorReport> {
    let labels = labels.unwrap_or_default();
    let n = labels.len();
    check_size(n)?;
    let levels = same_length("levels", levels, n)?;
    let slopes = same_length("slopes", slopes, n)?;
    let needs = same_length("needs", needs, n)?;
    let figures = levels.into_iter().zip(slopes).zip(needs);
    let points = labels.into_iter().zip(figures);
    let points = points.map(|(label, ((level, change), need))| MapPoint {
        student: label.unwrap_or_else(|| "?".to_owned()),
        level,
        change,
        need,
    });
    let map = SchoolMap {
        of: Of::default(),
        title: Some(title.unwrap_or_default()),
        mean,
        points: points.collect(),
    };
    Ok(map.svg())
}

/// Draws a map that is not too large.
pub fn draw(map: &SchoolMap) -> Result<String, ErrorReport> {
    check_size(map.points.len())?;
    Ok(map.svg())
}

fn check_size(n: usize) -> Result<(), ErrorReport> {
    if n <= MOST {
        return Ok(());
    }
    Err(ErrorReport::new(
        PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        "too many students for one school map",
        function_name!(),
    )
    .set_detail(format!(
        "There are {n} labels, at most {MOST} can be drawn."
    ))
    .set_hint("Draw one school or one grade at a time."))
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
fn same_length<T>(
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
