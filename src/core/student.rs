//! The whole of what is told of a student.

use crate::Poll;
use crate::difficulty::Difficulty;
use crate::due::{Work, work};
use crate::item::ItemQuality;
use crate::ledger::Ledger;
use crate::level::{Level, Records};
use crate::options::Options;
use crate::time::days_between;
use crate::trend::{Trend, cohort_noise};

/// Assessments below which evidence is provisional.
const ENOUGH_ASSESSMENTS: u32 = 3;

/// How far a student's figures can be trusted. The order is that of a check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StudentStatus {
    /// No evidence at all; the level is the prior.
    None,
    /// The last evidence is old.
    Stale,
    /// One or two assessments.
    Provisional,
    Ok,
}

impl StudentStatus {
    /// The label in `students`.
    pub fn label(self) -> &'static str {
        match self {
            StudentStatus::None => "none",
            StudentStatus::Stale => "stale",
            StudentStatus::Provisional => "provisional",
            StudentStatus::Ok => "ok",
        }
    }

    /// 1 for no evidence.
    pub fn rank(self) -> i32 {
        self as i32 + 1
    }
}

/// One student.
#[derive(Debug, Clone, PartialEq)]
pub struct Student {
    /// The number in the gradebook.
    pub student: u32,
    /// None while the cohort has no evidence at all.
    pub level: Option<Level>,
    /// Responses.
    pub n: u64,
    /// Assessments with evidence.
    pub assessments: u32,
    pub trend: Trend,
    /// 1 for the greatest need; none where nothing is known of the student.
    pub need_rank: Option<u64>,
    pub work: Work,
    pub status: StudentStatus,
}

/// All students that are known as of the date, in the gradebook's order.
pub fn students(
    ledger: &Ledger,
    difficulty: &Difficulty,
    items: &[ItemQuality],
    options: &Options,
    poll: Poll<'_>,
) -> Vec<Student> {
    let weights = weights(items, options);
    let records = Records::gather(ledger, difficulty, &weights, options, poll);
    let levels = records.levels(ledger, difficulty, options, poll);
    let noise = cohort_noise(records.lines.iter().flatten());
    let work = work(ledger, options.due_share, poll);
    let mut students: Vec<Student> = (0..ledger.student_count())
        .filter(|&student| ledger.known[student])
        .map(|student| {
            if student % 1024 == 0 {
                poll();
            }
            let units = ledger.units_of(student).len() as u32;
            let level = levels[student];
            let last_at = level.and_then(|level| level.last_at);
            Student {
                student: student as u32,
                status: status(last_at, units, ledger.as_of, options),
                level,
                n: ledger.responses_of(student).len() as u64,
                assessments: units,
                trend: records.lines[student]
                    .map_or(Trend::NONE, |line| Trend::of(&line, noise, options)),
                need_rank: None,
                work: work[student],
            }
        })
        .collect();
    rank_by_need(&mut students);
    students
}

/// What each item weighs under the options.
pub fn weights(items: &[ItemQuality], options: &Options) -> Vec<f64> {
    items
        .iter()
        .map(|item| if options.quality { item.weight } else { 1.0 })
        .collect()
}

fn status(last_at: Option<i64>, units: u32, as_of: i64, options: &Options) -> StudentStatus {
    match last_at {
        None => StudentStatus::None,
        Some(last_at)
            if days_between(last_at, as_of) > options.stale_half_lives * options.half_life =>
        {
            StudentStatus::Stale
        }
        Some(_) if units < ENOUGH_ASSESSMENTS => StudentStatus::Provisional,
        Some(_) => StudentStatus::Ok,
    }
}

/// Ranks by need, then by level, then by number, so that no two share a place and the order
/// never depends on chance. Only students of whom something is known, this year or from the
/// last, have a place. Where need cannot be told, the level alone decides, after those
/// where it can.
fn rank_by_need(students: &mut [Student]) {
    let mut order: Vec<(f64, f64, usize)> = (0..students.len())
        .filter_map(|at| {
            let known = |level: &Level| level.last_at.is_some() || level.prior_is_own;
            let level = students[at].level.filter(known)?;
            Some((level.need.unwrap_or(-1.0), level.level, at))
        })
        .collect();
    order.sort_unstable_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    for (rank, (_, _, at)) in (1..).zip(order) {
        students[at].need_rank = Some(rank);
    }
}
