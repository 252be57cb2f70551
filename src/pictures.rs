//! The pictures of a model, as `sql/explain/pictures.sql` calls them.

use pg_assess_core::chart::{
    Cell, Question, Standing, Test, item_curve, score_sheet, student_history,
};
use pg_assess_core::curve::LevelGroup;
use pgrx::prelude::*;

use crate::error::Result;
use crate::functions::options::Rows;
use crate::school_map::same_length;

type Numbers = Option<Vec<Option<f64>>>;

#[pg_extern(sql = false)]
fn map_frame(
    levels: Numbers,
    changes: Numbers,
) -> Rows<(
    name!(lowest, f64),
    name!(highest, f64),
    name!(steepest, f64),
)> {
    let known = |numbers: Numbers| numbers.unwrap_or_default().into_iter().flatten().collect();
    let frame = pg_assess_core::chart::map_frame(known(levels), known(changes));
    Ok(TableIterator::once(frame))
}

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
    let levels = levels.unwrap_or_default();
    let scores = same_length("scores", scores, levels.len())?;
    let answers: Vec<(f64, f64)> = levels
        .into_iter()
        .zip(scores)
        .filter_map(|(level, score)| level.zip(score))
        .collect();
    let (bounded, confidence) = (bounded.unwrap_or(true), confidence.unwrap_or(0.95));
    let least = least.unwrap_or_default().max(0) as usize;
    let groups = pg_assess_core::curve::level_groups(&answers, bounded, confidence, least);
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

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn item_curve_svg(
    title: Option<&str>,
    words: Option<&str>,
    bounded: Option<bool>,
    levels: Numbers,
    students: Option<Vec<Option<i64>>>,
    scores: Numbers,
    ci_lows: Numbers,
    ci_highs: Numbers,
    expecteds: Numbers,
    lowests: Numbers,
    highests: Numbers,
) -> Result<String> {
    let levels = levels.unwrap_or_default();
    let n = levels.len();
    let students = same_length("students", students, n)?;
    let scores = same_length("scores", scores, n)?;
    let ci_lows = same_length("ci_lows", ci_lows, n)?;
    let ci_highs = same_length("ci_highs", ci_highs, n)?;
    let expecteds = same_length("expecteds", expecteds, n)?;
    let lowests = same_length("lowests", lowests, n)?;
    let highests = same_length("highests", highests, n)?;
    let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let groups: Vec<LevelGroup> = (0..n)
        .map(|i| LevelGroup {
            lowest: known(lowests[i]),
            highest: known(highests[i]),
            level: known(levels[i]),
            students: students[i].unwrap_or_default().max(0) as u64,
            score: known(scores[i]),
            ci_low: ci_lows[i],
            ci_high: ci_highs[i],
            expected: expecteds[i],
        })
        .collect();
    Ok(item_curve(
        &groups,
        bounded.unwrap_or(true),
        title.unwrap_or_default(),
        words.unwrap_or_default(),
    ))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn student_history_svg(
    title: Option<&str>,
    labels: Option<Vec<Option<String>>>,
    days: Numbers,
    scores: Numbers,
    raw_scores: Numbers,
    fades: Numbers,
    shares: Numbers,
    as_of: Option<f64>,
    level: Option<f64>,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    prior: Option<f64>,
    slope: Option<f64>,
    trend: Option<&str>,
    half_life: Option<f64>,
    first_day: Option<f64>,
    first_score: Option<f64>,
    last_day: Option<f64>,
    last_score: Option<f64>,
) -> Result<String> {
    let labels = labels.unwrap_or_default();
    let n = labels.len();
    let days = same_length("days", days, n)?;
    let scores = same_length("scores", scores, n)?;
    let raw_scores = same_length("raw_scores", raw_scores, n)?;
    let fades = same_length("fades", fades, n)?;
    let shares = same_length("shares", shares, n)?;
    let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let tests: Vec<Test> = (0..n)
        .map(|i| Test {
            label: labels[i].as_deref().unwrap_or("?"),
            day: known(days[i]),
            score: known(scores[i]),
            raw: raw_scores[i],
            fade: known(fades[i]),
            share: known(shares[i]),
        })
        .collect();
    let first = first_day.zip(first_score);
    let last = last_day.zip(last_score);
    let standing = Standing {
        as_of: known(as_of),
        level,
        ci_low,
        ci_high,
        prior,
        slope,
        trend,
        half_life,
        line: first.zip(last).map(|(first, last)| [first, last]),
    };
    Ok(student_history(
        &tests,
        &standing,
        title.unwrap_or_default(),
    ))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn score_sheet_svg(
    title: Option<&str>,
    words: Option<&str>,
    students: Option<Vec<Option<String>>>,
    items: Option<Vec<Option<String>>>,
    facilities: Numbers,
    pass_marks: Numbers,
    bounded: Option<Vec<Option<bool>>>,
    scores: Numbers,
    expected: Numbers,
    below: Option<Vec<Option<bool>>>,
) -> Result<String> {
    let (students, items) = (students.unwrap_or_default(), items.unwrap_or_default());
    let n = students.len() * items.len();
    let facilities = same_length("facilities", facilities, items.len())?;
    let pass_marks = same_length("pass_marks", pass_marks, items.len())?;
    let bounded = same_length("bounded", bounded, items.len())?;
    let scores = same_length("scores", scores, n)?;
    let expected = same_length("expected", expected, n)?;
    let below = same_length("below", below, n)?;
    let label = |id: &Option<String>| id.as_deref().unwrap_or("?").to_owned();
    let (students, items): (Vec<String>, Vec<String>) = (
        students.iter().map(label).collect(),
        items.iter().map(label).collect(),
    );
    let students: Vec<&str> = students.iter().map(String::as_str).collect();
    let questions: Vec<Question> = items
        .iter()
        .zip(facilities)
        .zip(pass_marks)
        .zip(bounded)
        .map(|(((label, facility), pass_mark), bounded)| Question {
            label,
            facility,
            pass_mark,
            bounded: bounded.unwrap_or(true),
        })
        .collect();
    let cells: Vec<Cell> = scores
        .into_iter()
        .zip(expected)
        .zip(below)
        .map(|((score, expected), below)| Cell {
            score,
            expected,
            is_below: below.unwrap_or(false),
        })
        .collect();
    Ok(score_sheet(
        &students,
        &questions,
        &cells,
        title.unwrap_or_default(),
        words.unwrap_or_default(),
    ))
}
