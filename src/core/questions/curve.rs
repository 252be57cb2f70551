//! The curve of a question: how well students of each level do on it.

use crate::statistics::distribution::{normal_quantile, t_quantile};

/// Students of about the same level, and how they did on a question.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LevelGroup {
    pub lowest: f64,
    pub highest: f64,
    /// Mean level.
    pub level: f64,
    pub students: u64,
    /// Mean score, with its interval; none of a single score without a maximum.
    pub score: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Mean score on a question as hard as this that separates as the average one does; none
    /// where scores are no shares.
    pub expected: Option<f64>,
}

/// Students that make a group, and groups at most.
const IN_GROUP: usize = 6;
const GROUPS: usize = 8;
/// Beyond this the squares of figures have no place among numbers, and no picture shows them.
const LARGEST: f64 = 1e100;

/// Groups of about equal size by level, from the lowest; students of one level stay together. No
/// group is smaller than `least`, so there is none where all are fewer.
///
/// `answers` are the level and the score of each student. The interval of a mean of shares is
/// Wilson's (1927), which is too wide rather than too narrow where points are given in part; of
/// other scores it is Student's.
pub fn level_groups(
    answers: &[(f64, f64)],
    bounded: bool,
    confidence: f64,
    least: usize,
) -> Vec<LevelGroup> {
    let mut answers: Vec<(f64, f64)> = answers
        .iter()
        .copied()
        .filter(|(level, score)| level.abs() <= LARGEST && score.abs() <= LARGEST)
        .collect();
    if answers.len() < least.max(1) {
        return Vec::new();
    }
    answers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // An ability and a difficulty add up to a score.
    let ease = mean(&answers, |(level, score)| score - level);
    let groups = by_level(&answers, least);
    let group = |rows: &Vec<(f64, f64)>| {
        let level = mean(rows, |(level, _)| level);
        let score = mean(rows, |(_, score)| score);
        let interval = interval(rows, score, bounded, confidence);
        LevelGroup {
            lowest: rows[0].0,
            highest: rows[rows.len() - 1].0,
            level,
            students: rows.len() as u64,
            score,
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            expected: bounded.then(|| (level + ease).clamp(0.0, 1.0)),
        }
    };
    groups.iter().map(group).collect()
}

/// At least one of them, in order of level, in groups of at least so many.
fn by_level(answers: &[(f64, f64)], least: usize) -> Vec<Vec<(f64, f64)>> {
    let n = answers.len() as f64;
    let count = (answers.len() / IN_GROUP.max(least)).clamp(1, GROUPS);
    let mut groups: Vec<Vec<(f64, f64)>> = Vec::new();
    let (mut before, mut last) = (0, usize::MAX);
    for equal in answers.chunk_by(|a, b| a.0 == b.0) {
        let middle = before as f64 + equal.len() as f64 / 2.0;
        let number = (middle / n * count as f64) as usize;
        before += equal.len();
        match groups.last_mut() {
            Some(rows) if number == last || rows.len() < least => rows.extend(equal),
            _ => groups.push(equal.to_vec()),
        }
        last = number;
    }
    // Only the last one can still be too small.
    if let Some(rest) = groups.pop_if(|rows| rows.len() < least) {
        match groups.last_mut() {
            Some(rows) => rows.extend(rest),
            None => groups.push(rest),
        }
    }
    groups
}

/// Of at least one row. Summed from the first one, so that the mean of equal scores is that score to
/// the last digit.
fn mean(rows: &[(f64, f64)], of: impl Fn((f64, f64)) -> f64) -> f64 {
    let first = of(rows[0]);
    let beyond: f64 = rows.iter().map(|&row| of(row) - first).sum();
    first + beyond / rows.len() as f64
}

fn interval(rows: &[(f64, f64)], mean: f64, bounded: bool, confidence: f64) -> Option<(f64, f64)> {
    let n = rows.len() as f64;
    let tail = 0.5 + confidence / 2.0;
    if !(0.5..1.0).contains(&tail) {
        return None;
    }
    if bounded {
        let z2 = normal_quantile(tail).powi(2) / n;
        let middle = (mean + z2 / 2.0) / (1.0 + z2);
        let reach = (z2 * (mean * (1.0 - mean)).max(0.0) + z2 * z2 / 4.0).sqrt() / (1.0 + z2);
        // At the ends rounding must not leave the mean outside.
        return Some((
            (middle - reach).max(0.0).min(mean),
            (middle + reach).min(1.0).max(mean),
        ));
    }
    if rows.len() < 2 {
        return None;
    }
    let variance = rows.iter().map(|a| (a.1 - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = t_quantile(tail, n - 1.0) * (variance / n).sqrt();
    Some((mean - reach, mean + reach))
}
