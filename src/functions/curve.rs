//! The groups of the curve of a question, as `question_curve` asks for them.

use pg_assess_core::options::Options;
use pg_assess_core::questions::curve::level_groups as groups;
use pgrx::prelude::*;

use crate::functions::options::Rows;

type Numbers = Option<Vec<Option<f64>>>;

/// `levels` and `scores` come from the same rows, one of each student.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn level_groups(
    levels: Numbers,
    scores: Numbers,
    bounded: Option<bool>,
    confidence: Option<f64>,
    least: Option<i32>,
) -> Rows<(
    name!(lowest, f64),
    name!(highest, f64),
    name!(level, f64),
    name!(students, i64),
    name!(score, f64),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(expected, Option<f64>),
)> {
    let pairs = levels.unwrap_or_default().into_iter();
    let answers: Vec<(f64, f64)> = pairs
        .zip(scores.unwrap_or_default())
        .filter_map(|(level, score)| level.zip(score))
        .collect();
    let bounded = bounded.unwrap_or(true);
    let confidence = confidence.unwrap_or(Options::default().confidence);
    let least = least.unwrap_or_default().max(0) as usize;
    let groups = groups(&answers, bounded, confidence, least);
    Ok(TableIterator::new(groups.into_iter().map(|g| {
        (
            g.lowest,
            g.highest,
            g.level,
            g.students as i64,
            g.score,
            g.ci_low,
            g.ci_high,
            g.expected,
        )
    })))
}
