//! What the rule book says of every row of a table, the slow way.

use std::collections::HashMap;

use pg_assess_core::gradebook::{MaxScore, Standing};
use pg_assess_core::ledger::{Attempts, Blanks, MissingMax, OutOfRange, Reading};
use pg_assess_core::time::{DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{OwnId, OwnRow};

/// What becomes of a row: a reason, or the score that counts and whether its scale is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    Left(&'static str),
    Counts { score: f64, open: bool },
}

/// What a row says of an answer, if anything can be made of it.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    Points(f64),
    Nothing,
    Word(&'static str),
}

fn said(row: &OwnRow) -> Said {
    let (min, max) = scale(row).unwrap_or((0.0, None));
    match (row.standing, row.score) {
        (Standing::Counts, Some(score)) => Said::Points(score),
        (Standing::Counts, None) => Said::Nothing,
        (Standing::Zero, _) => Said::Points(max.map_or(0.0, |max| max.min(0.0)).max(min)),
        (Standing::Waiting, _) => Said::Word("waiting"),
        (Standing::NotTaken, _) => Said::Word("not_taken"),
        (Standing::Exempt, _) => Said::Word("exempt"),
    }
}

/// Minimum and maximum, if they make sense.
fn scale(row: &OwnRow) -> Option<(f64, Option<f64>)> {
    let min = row.min_score.unwrap_or(0.0);
    let max = match row.max_score {
        MaxScore::Share => Some(1.0),
        MaxScore::Points(max) => max,
    };
    if min.is_nan() || max.is_some_and(f64::is_nan) || max.is_some_and(|max| max <= min) {
        return None;
    }
    let free = min == f64::NEG_INFINITY && max == Some(f64::INFINITY);
    (min.is_finite() || free).then_some((min, max))
}

/// Why no reading can use a row.
pub fn excluded(row: &OwnRow) -> Option<&'static str> {
    if row.student.is_none() || row.item.is_none() || row.assessment.is_none() {
        return Some("null_id");
    }
    let Some(at) = row.taken_at else {
        return Some("null_date");
    };
    if matches!(said(row), Said::Points(_)) && scale(row).is_none() {
        return Some("bad_scale");
    }
    let finite = match said(row) {
        Said::Points(points) => points.is_finite(),
        _ => true,
    };
    (!finite || !(MIN_TIME..=MAX_TIME).contains(&at)).then_some("not_finite")
}

pub fn same_test(a: &OwnRow, b: &OwnRow) -> bool {
    (&a.student, &a.assessment) == (&b.student, &b.assessment)
}

/// Whether two rows of a student and assessment are of one sitting, among all of these.
pub fn same_sitting(a: &OwnRow, b: &OwnRow, all: &[&OwnRow]) -> bool {
    if a.attempt.is_some() || b.attempt.is_some() {
        return a.attempt == b.attempt;
    }
    let (from, to) = (a.taken_at.min(b.taken_at), a.taken_at.max(b.taken_at));
    let between = all.iter().filter(|row| row.attempt.is_none());
    let mut times: Vec<i64> = between
        .filter(|row| (from..=to).contains(&row.taken_at))
        .filter_map(|row| row.taken_at)
        .collect();
    times.sort_unstable();
    times.windows(2).all(|pair| pair[1] - pair[0] < DAY / 2)
}

/// Whether a row without a score and a word on it waits for its mark.
fn waits(row: &OwnRow, seen: &[&OwnRow]) -> bool {
    let scored = |other: &&&OwnRow| matches!(said(other), Said::Points(_));
    let of_question =
        |other: &&&OwnRow| (&other.item, &other.assessment) == (&row.item, &row.assessment);
    let own: Vec<&OwnRow> = seen
        .iter()
        .filter(|own| same_test(own, row))
        .copied()
        .collect();
    let of_sitting = |other: &&&OwnRow| same_sitting(other, row, &own);
    !seen.iter().filter(scored).any(|other| of_question(&other))
        || !own.iter().filter(scored).any(|other| of_sitting(&other))
}

/// What becomes of each row that is dated in time and not excluded; `seen` are all of these.
fn judge(row: &OwnRow, seen: &[&OwnRow], reading: Reading) -> Verdict {
    let is_waiting = |row: &OwnRow| match said(row) {
        Said::Nothing => waits(row, seen),
        said => said == Said::Word("waiting"),
    };
    let of_question = seen
        .iter()
        .filter(|other| (&other.item, &other.assessment) == (&row.item, &row.assessment));
    let waiting = of_question
        .clone()
        .filter(|other| is_waiting(other))
        .count();
    let scored = of_question
        .filter(|other| matches!(said(other), Said::Points(_)))
        .count();
    let (min, max) = scale(row).unwrap_or((0.0, None));
    let mut points = match said(row) {
        Said::Word(word) => return Verdict::Left(word),
        Said::Points(points) => points,
        Said::Nothing if waits(row, seen) => return Verdict::Left("waiting"),
        Said::Nothing => {
            let own: Vec<&OwnRow> = seen
                .iter()
                .filter(|own| same_test(own, row))
                .copied()
                .collect();
            let is_omitted = own.iter().any(|other| {
                matches!(said(other), Said::Points(_))
                    && same_sitting(other, row, &own)
                    && row.position.is_some()
                    && other.position > row.position
            });
            let counts = match reading.blanks {
                Blanks::Ignore => false,
                Blanks::Zero => true,
                Blanks::ZeroBeforeLastAnswer => is_omitted,
            };
            if !counts || waiting > scored {
                return Verdict::Left("blank");
            }
            if max.is_none() && min >= 0.0 {
                return Verdict::Counts {
                    score: 0.0,
                    open: false,
                };
            }
            max.map_or(0.0, |max| max.min(0.0)).max(min)
        }
    };
    let span = max.map_or(f64::INFINITY, |max| max - min);
    let slack = if span.is_finite() { 1e-9 * span } else { 0.0 };
    if reading.out_of_range == OutOfRange::Exclude {
        if points < min - slack {
            return Verdict::Left("below_min");
        }
        if max.is_some_and(|max| points > max + slack) {
            return Verdict::Left("above_max");
        }
    }
    points = points.max(min);
    if max.is_none() && reading.missing_max == MissingMax::Exclude {
        return Verdict::Left("no_max_score");
    }
    let of_item = seen.iter().filter(|other| other.item == row.item);
    let most = of_item
        .filter_map(|other| match (scale(other), said(other)) {
            (Some((min, None)), Said::Points(points)) => {
                let counts = points >= min || reading.out_of_range == OutOfRange::Clip;
                counts.then_some(points.max(min))
            }
            _ => None,
        })
        .fold(f64::NEG_INFINITY, f64::max);
    let max = max.unwrap_or(most);
    if max <= min {
        return Verdict::Left("no_max_score");
    }
    if waiting > scored {
        return Verdict::Left("held_back");
    }
    if max == f64::INFINITY {
        return Verdict::Counts {
            score: points + 0.0,
            open: true,
        };
    }
    let share = match (max - min).is_finite() {
        true => (points.min(max) - min) / (max - min),
        false => (points.min(max) / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0),
    };
    Verdict::Counts {
        score: share.clamp(0.0, 1.0) + 0.0,
        open: false,
    }
}

/// The points of a row that counts by itself, within its scale.
pub fn points_of(row: &OwnRow, reading: Reading) -> Option<f64> {
    let Said::Points(points) = said(row) else {
        return None;
    };
    let (min, max) = scale(row)?;
    let span = max.map_or(f64::INFINITY, |max| max - min);
    let slack = if span.is_finite() { 1e-9 * span } else { 0.0 };
    let is_high = max.is_some_and(|max| points > max + slack);
    let counts = excluded(row).is_none()
        && (reading.out_of_range == OutOfRange::Clip || points >= min - slack && !is_high)
        && (reading.missing_max == MissingMax::Observed || max.is_some());
    counts.then_some(points.max(min).min(max.unwrap_or(f64::INFINITY)))
}

/// When the last score was given that counts by itself.
pub fn latest(rows: &[OwnRow], reading: Reading) -> Option<i64> {
    rows.iter()
        .filter(|row| points_of(row, reading).is_some())
        .filter_map(|row| row.taken_at)
        .max()
}

/// What becomes of every row as of a time, before attempts are chosen.
pub fn verdicts(rows: &[OwnRow], reading: Reading, as_of: i64) -> Vec<Verdict> {
    let seen: Vec<&OwnRow> = rows
        .iter()
        .filter(|row| excluded(row).is_none() && row.taken_at <= Some(as_of))
        .collect();
    rows.iter()
        .map(|row| match excluded(row) {
            Some(reason) => Verdict::Left(reason),
            None if row.taken_at > Some(as_of) => Verdict::Left("future"),
            None => judge(row, &seen, reading),
        })
        .collect()
}

/// Where and when an answer was given that counts, and as what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picked {
    pub at: i64,
    pub attempt: Option<i64>,
    pub open: bool,
    pub score: f64,
}

/// The answer that counts of each (student, item, assessment); and how many contradict another.
pub fn picked(
    rows: &[OwnRow],
    verdicts: &[Verdict],
    attempts: Attempts,
) -> (HashMap<[OwnId; 3], Picked>, u64) {
    let mut all: HashMap<[OwnId; 3], Vec<Picked>> = HashMap::new();
    for (row, verdict) in rows.iter().zip(verdicts) {
        if let Verdict::Counts { score, open } = *verdict {
            let ids = [&row.student, &row.item, &row.assessment];
            let key = ids.map(|id| id.clone().expect("an id"));
            all.entry(key).or_default().push(Picked {
                at: row.taken_at.expect("a time"),
                attempt: row.attempt,
                open,
                score,
            });
        }
    }
    let mut conflicting = 0;
    let chosen = all.into_iter().map(|(key, answers)| {
        // Of one time and attempt, the highest stands.
        let rank = |answer: &Picked| (answer.open, answer.score);
        let when = |answer: &Picked| (answer.at, answer.attempt);
        let stands = |answer: &&Picked| {
            let at_once = answers.iter().filter(|other| when(other) == when(answer));
            at_once.into_iter().all(|other| rank(answer) >= rank(other))
        };
        conflicting += answers.iter().filter(|answer| !stands(answer)).count() as u64;
        let standing: Vec<Picked> = answers.iter().filter(stands).copied().collect();
        let better = |a: &Picked, b: &Picked| match attempts {
            Attempts::First | Attempts::FirstAttempt => when(a) < when(b),
            Attempts::Last | Attempts::LastAttempt => when(a) > when(b),
            Attempts::Best | Attempts::BestAttempt => {
                rank(a) > rank(b) || rank(a) == rank(b) && when(a) < when(b)
            }
        };
        let mut best = standing[0];
        for answer in standing {
            if better(&answer, &best) {
                best = answer;
            }
        }
        (key, best)
    });
    let chosen = chosen.collect();
    (chosen, conflicting)
}
