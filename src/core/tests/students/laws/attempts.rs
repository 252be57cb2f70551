//! Which whole attempts count, the slow way.

use std::collections::HashMap;

use pg_assess_core::ledger::{Attempts, Reading};
use pg_assess_test_support::OwnRow;

use super::verdicts::{Verdict, points_of, same_sitting, same_test};

/// Rows of a student and an assessment are in order, and sittings of one have their numbers.
fn sittings<'r>(own: &[&'r OwnRow]) -> Vec<Vec<&'r OwnRow>> {
    let mut sittings: Vec<Vec<&OwnRow>> = Vec::new();
    for row in own {
        let known = sittings
            .iter_mut()
            .find(|sitting| same_sitting(sitting[0], row, own));
        match known {
            Some(sitting) => sitting.push(row),
            None => sittings.push(vec![row]),
        }
    }
    sittings
}

/// The most points of each question, added up; none without a score.
fn total(sitting: &[&OwnRow], reading: Reading, has_max: impl Fn(&OwnRow) -> bool) -> Option<f64> {
    let mut most = HashMap::new();
    for row in sitting.iter().filter(|row| has_max(row)) {
        if let Some(points) = points_of(row, reading) {
            let best = most.entry(&row.item).or_insert(points);
            *best = points.max(*best);
        }
    }
    (!most.is_empty()).then(|| most.values().sum())
}

/// The same, where rows of attempts that do not count as a whole are duplicates.
pub fn of_one_attempt(
    rows: &[OwnRow],
    verdicts: Vec<Verdict>,
    reading: Reading,
    attempts: Attempts,
) -> Vec<Verdict> {
    if !attempts.are_whole() {
        return verdicts;
    }
    let is_out = |verdict: &Verdict| {
        let never = ["null_id", "null_date", "bad_scale", "not_finite", "future"];
        never.iter().any(|why| *verdict == Verdict::Left(why))
    };
    let seen: Vec<&OwnRow> = rows
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| !is_out(verdict))
        .map(|(row, _)| row)
        .collect();
    let has_max = |row: &OwnRow| {
        let at = rows.iter().position(|own| std::ptr::eq(own, row));
        at.is_some_and(|at| verdicts[at] != Verdict::Left("no_max_score"))
    };
    let counts = |row: &OwnRow| {
        let own: Vec<&OwnRow> = seen
            .iter()
            .filter(|own| same_test(own, row))
            .copied()
            .collect();
        let mut tried: Vec<(i64, Option<i64>, f64, bool)> = sittings(&own)
            .into_iter()
            .filter_map(|sitting| {
                let begun = sitting.iter().filter_map(|row| row.taken_at).min()?;
                let is_own = same_sitting(sitting[0], row, &own);
                let points = total(&sitting, reading, has_max)?;
                Some((begun, sitting[0].attempt, points, is_own))
            })
            .collect();
        tried.sort_by_key(|(begun, attempt, ..)| (*begun, *attempt));
        let most = tried.iter().map(|tried| tried.2).fold(f64::MIN, f64::max);
        let chosen = match attempts {
            Attempts::LastAttempt => tried.last(),
            Attempts::BestAttempt => tried
                .iter()
                .find(|tried| tried.2 >= most - most.abs() * 1e-9),
            _ => tried.first(),
        };
        tried.len() < 2 || chosen.is_some_and(|chosen| chosen.3)
    };
    rows.iter()
        .zip(&verdicts)
        .map(|(row, verdict)| match is_out(verdict) || counts(row) {
            true => *verdict,
            false => Verdict::Left("duplicate"),
        })
        .collect()
}
