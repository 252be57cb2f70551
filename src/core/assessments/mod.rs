//! How each assessment turned out: its size and dates, the students' mean scores, and how reliable
//! these are.

mod pairs;
mod reliability;
mod sittings;

pub use reliability::AlphaStatus;

use crate::Poll;
use crate::assessments::reliability::reliability;
use crate::assessments::sittings::Sittings;
use crate::ledger::Ledger;
use crate::memory::Result;
use crate::statistics::moments::Moments;

/// The figures of one assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Questions with a response.
    pub items: u64,
    /// Students with a response.
    pub students: u64,
    /// Responses.
    pub n: u64,
    /// When the first and the last of these were given; none without a response.
    pub span: Option<(i64, i64)>,
    /// Mean over students of their mean score; none without a response.
    pub mean: Option<f64>,
    /// Standard deviation of the students' mean scores.
    pub sd: Option<f64>,
    /// Cronbach's alpha of as many questions as a student answers: the share of the variance of the
    /// mean scores that is no error. Up to 1; may be negative, which says that the questions
    /// disagree. None where the status is another than ok.
    pub alpha: Option<f64>,
    /// Its large-sample standard error (van Zyl, Neudecker and Nel 2000); none without alpha, and
    /// where the covariances make up no variance.
    pub alpha_se: Option<f64>,
    /// Standard error of measurement of a student's mean score: `sd * sqrt(1 - alpha)`.
    pub sem: Option<f64>,
    /// Why there is no alpha, or ok.
    pub alpha_status: AlphaStatus,
    /// Answers left blank, whether or not they count.
    pub omitted: u64,
    /// Answers that wait for their mark, or for that of most to their question.
    pub waiting: u64,
}

/// All assessments of the ledger; none for those of which nobody has a response, a blank or an
/// answer that waits.
pub fn assessments(ledger: &Ledger, poll: Poll<'_>) -> Result<Vec<Option<Assessment>>> {
    let takers = ledger.takers(poll);
    let mut unmarked = vec![(0, 0); ledger.assessments];
    for own in &ledger.unmarked {
        let (omitted, waiting) = &mut unmarked[own.assessment as usize];
        *omitted += u64::from(own.omitted);
        *waiting += u64::from(own.waiting);
    }
    let mut units = Vec::new();
    let rows = unmarked.into_iter().enumerate();
    rows.map(|(at, (omitted, waiting))| {
        units.clear();
        let takers = takers.of(at).iter().map(|&unit| unit as usize);
        units.extend(takers.filter(|&unit| !ledger.responses_in(unit).is_empty()));
        if units.is_empty() && omitted + waiting == 0 {
            return Ok(None);
        }
        let figures = assessment(ledger, &units, poll)?;
        Ok(Some(Assessment {
            omitted,
            waiting,
            ..figures
        }))
    })
    .collect()
}

/// The figures of what some units have of an assessment.
fn assessment(ledger: &Ledger, units: &[usize], poll: Poll<'_>) -> Result<Assessment> {
    poll();
    let times = units.iter().flat_map(|&unit| {
        ledger
            .responses_in(unit)
            .map(move |at| ledger.time_of(unit, at))
    });
    let span = times.clone().min().zip(times.max());
    let sittings = Sittings::of(ledger, units, poll)?;
    let mut means = Moments::default();
    for (_, scores) in sittings.rows() {
        means.add(scores.iter().sum::<f64>() / scores.len() as f64);
    }
    let variance = means.variance();
    let (found, alpha_status) = match span.map(|_| reliability(&sittings, variance, poll)) {
        None => (None, AlphaStatus::NoScores),
        Some(found) => match found? {
            Ok(found) => (Some(found), AlphaStatus::Ok),
            Err(status) => (None, status),
        },
    };
    Ok(Assessment {
        items: sittings.question_count() as u64,
        students: units.len() as u64,
        n: sittings.response_count() as u64,
        span,
        mean: span.map(|_| means.mean()),
        sd: variance.map(f64::sqrt),
        alpha: found.as_ref().map(|found| found.alpha),
        alpha_se: found.as_ref().and_then(|found| found.alpha_se),
        sem: found.as_ref().map(|found| found.sem),
        alpha_status,
        omitted: 0,
        waiting: 0,
    })
}
