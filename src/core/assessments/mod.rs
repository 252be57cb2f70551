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
    pub items: u64,
    pub students: u64,
    /// Responses.
    pub n: u64,
    pub first_at: i64,
    pub last_at: i64,
    /// Mean over students of their mean score.
    pub mean: f64,
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
}

/// All assessments of the ledger; none for those without a response.
pub fn assessments(ledger: &Ledger, poll: Poll<'_>) -> Result<Vec<Option<Assessment>>> {
    let takers = ledger.takers(poll);
    let mut units = Vec::new();
    (0..ledger.assessments)
        .map(|at| {
            units.clear();
            units.extend(takers.of(at).iter().map(|&unit| unit as usize));
            assessment(ledger, &units, poll)
        })
        .collect()
}

fn assessment(ledger: &Ledger, units: &[usize], poll: Poll<'_>) -> Result<Option<Assessment>> {
    poll();
    let times = units.iter().flat_map(|&unit| {
        ledger
            .responses_in(unit)
            .map(move |at| ledger.time_of(unit, at))
    });
    let (Some(first_at), Some(last_at)) = (times.clone().min(), times.max()) else {
        return Ok(None);
    };
    let sittings = Sittings::of(ledger, units, poll)?;
    let mut means = Moments::default();
    for (_, scores) in sittings.rows() {
        means.add(scores.iter().sum::<f64>() / scores.len() as f64);
    }
    let variance = means.variance();
    let (found, alpha_status) = match reliability(&sittings, variance, poll)? {
        Ok(found) => (Some(found), AlphaStatus::Ok),
        Err(status) => (None, status),
    };
    Ok(Some(Assessment {
        items: sittings.question_count() as u64,
        students: units.len() as u64,
        n: sittings.response_count() as u64,
        first_at,
        last_at,
        mean: means.mean(),
        sd: variance.map(f64::sqrt),
        alpha: found.as_ref().map(|found| found.alpha),
        alpha_se: found.as_ref().and_then(|found| found.alpha_se),
        sem: found.as_ref().map(|found| found.sem),
        alpha_status,
    }))
}
