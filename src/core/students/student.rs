//! The whole of what is known of a student.

use crate::Poll;
use crate::foundation::Foundation;
use crate::labels::labels;
use crate::ledger::Ledger;
use crate::memory::Result;
use crate::options::Options;
use crate::statistics::pairs::sort;
use crate::students::due::{Work, work};
use crate::students::level::{Cohort, Level, LevelOptions};
use crate::students::previous::Previous;
use crate::students::records::Records;
use crate::students::trend::{Trend, TrendOptions, noise_about_lines};
use crate::time::days_between;

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

labels!(StudentStatus {
    None => "none",
    Stale => "stale",
    Provisional => "provisional",
    Ok => "ok",
});

impl StudentStatus {
    /// How many more assessments would be enough evidence; one where it is old.
    pub fn further_assessments(self, assessments: i32) -> i32 {
        match self {
            Self::Ok => 0,
            _ => (ENOUGH_ASSESSMENTS as i32)
                .saturating_sub(assessments)
                .max(1),
        }
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
    /// 1 for the greatest need; none where nothing is known about the student.
    pub need_rank: Option<u64>,
    pub work: Work,
    pub status: StudentStatus,
    /// Questions left blank, whether or not they count.
    pub omitted: u64,
    /// Questions whose mark is still to come, or that are held back until most are marked.
    pub waiting: u64,
}

/// All students that are known as of the date, in the gradebook's order. They are returned one by
/// one: of a million students, all results together would be several times what they rest on.
pub fn students(
    foundation: Foundation,
    previous: &Previous,
    options: &Options,
    poll: Poll<'_>,
) -> Result<impl Iterator<Item = Student> + use<>> {
    let records = Records::of(&foundation, options, poll);
    let (ledger, difficulty) = (foundation.ledger, foundation.difficulty);
    let levels = LevelOptions::from(options);
    let trends = TrendOptions::from(options);
    let cohort = records.cohort(&ledger, &difficulty, previous, &levels, poll);
    let noise = noise_about_lines(records.lines.iter().flatten());
    let work = work(&ledger, options.due_share, poll)?;
    let ranks = ranks_by_need(&records, cohort.as_ref(), &ledger, previous, &levels, poll);
    let reach = levels.reach();
    let stale_after = options.stale_half_lives * options.half_life;
    let previous = previous.clone();
    let students = (0..ledger.student_count()).filter_map(move |student| {
        let units = ledger.units_of(student).len() as u32;
        let as_of = ledger.as_of;
        let level = cohort
            .as_ref()
            .map(|cohort| records.level(student, cohort, &previous, Some(&reach), as_of, &levels));
        let last_at = level.and_then(|level| level.last_at);
        let unmarked = ledger.unmarked_of(student as u32);
        ledger.known[student].then(|| Student {
            student: student as u32,
            status: status(last_at, units, as_of, stale_after),
            level,
            n: ledger.responses_of(student).len() as u64,
            assessments: units,
            trend: records.lines[student]
                .map_or(Trend::NONE, |line| Trend::of_student(&line, noise, &trends)),
            need_rank: Some(u64::from(ranks[student])).filter(|&rank| rank > 0),
            work: work[student],
            omitted: unmarked.iter().map(|own| u64::from(own.omitted)).sum(),
            waiting: unmarked.iter().map(|own| u64::from(own.waiting)).sum(),
        })
    });
    Ok(students)
}

/// `stale_after` is in days.
fn status(last_at: Option<i64>, units: u32, as_of: i64, stale_after: f64) -> StudentStatus {
    match last_at {
        None => StudentStatus::None,
        Some(last_at) if days_between(last_at, as_of) > stale_after => StudentStatus::Stale,
        Some(_) if units < ENOUGH_ASSESSMENTS => StudentStatus::Provisional,
        Some(_) => StudentStatus::Ok,
    }
}

/// Per student the rank by need, then by level, then by number, so that no two share a place and
/// the order never depends on chance; 0 for those without a place. Only students of whom something
/// is known, this year or from the last, have one. Where need is not known, the level alone
/// decides, after those where it is.
fn ranks_by_need(
    records: &Records,
    cohort: Option<&Cohort>,
    ledger: &Ledger,
    previous: &Previous,
    options: &LevelOptions,
    poll: Poll<'_>,
) -> Vec<u32> {
    let place_of = |student: usize| {
        if student.is_multiple_of(1024) {
            poll();
        }
        let level = records.level(student, cohort?, previous, None, ledger.as_of, options);
        let known = level.last_at.is_some() || level.prior_is_own;
        let has_place = known && ledger.known[student];
        has_place.then_some((level.need.unwrap_or(-1.0), level.level, student as u32))
    };
    let mut order: Vec<(f64, f64, u32)> =
        (0..ledger.student_count()).filter_map(place_of).collect();
    let by_need = |a: &(f64, f64, u32), b: &(f64, f64, u32)| {
        b.0.total_cmp(&a.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    };
    sort(&mut order, by_need, poll);
    let mut ranks = vec![0; ledger.student_count()];
    for (rank, (_, _, student)) in (1..).zip(order) {
        ranks[student as usize] = rank;
    }
    ranks
}
