//! The historical level an answer is held against, free of the answer itself.

use crate::difficulty::Difficulty;
use crate::ledger::Ledger;

/// What the rest of a student's record says, for one response.
#[derive(Debug, Clone, Copy)]
pub struct Historical {
    /// Mean difficulty-adjusted score.
    pub level: f64,
    /// How reliable it is, up to 1.
    pub weight: f64,
}

/// Levels of students without the assessment, or at least the item, that is being judged.
#[derive(Debug)]
pub struct Criterion<'a> {
    ledger: &'a Ledger,
    difficulty: &'a Difficulty,
    /// Per student: sum of adjusted scores and their number.
    totals: Vec<Total>,
    /// Responses at which a mean is half noise; 0 when it is not known.
    half_reliable: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    sum: f64,
    n: u32,
}

impl Total {
    fn of(ledger: &Ledger, difficulty: &Difficulty, responses: std::ops::Range<usize>) -> Self {
        let n = responses.len() as u32;
        let sum = responses.map(|at| difficulty.adjusted(ledger, at)).sum();
        Self { sum, n }
    }
}

impl<'a> Criterion<'a> {
    /// Sums up every student.
    pub fn new(ledger: &'a Ledger, difficulty: &'a Difficulty) -> Self {
        let totals = (0..ledger.student_count())
            .map(|student| Total::of(ledger, difficulty, ledger.responses_of(student)))
            .collect();
        let half_reliable = match difficulty.residual_variance {
            Some(residual) if difficulty.ability_variance > 0.0 => {
                residual / difficulty.ability_variance
            }
            _ => 0.0,
        };
        Self {
            ledger,
            difficulty,
            totals,
            half_reliable,
        }
    }

    /// Whether the level of `student` for the responses of `unit` is the same for all of them,
    /// because it comes from other assessments.
    pub fn of_unit(&self, student: usize, unit: usize) -> UnitCriterion {
        let total = self.totals[student];
        let own = Total::of(self.ledger, self.difficulty, self.ledger.responses_in(unit));
        if total.n > own.n {
            UnitCriterion::Others(self.historical(total.sum - own.sum, total.n - own.n))
        } else {
            UnitCriterion::Rest(own.sum, own.n)
        }
    }

    /// The level for one response of that unit: from the student's other assessments, which no
    /// bad day and no shared passage ties to this answer; else from the rest of the same
    /// assessment; none when this is all there is.
    #[inline]
    pub fn of_response(&self, unit: UnitCriterion, response: usize) -> Option<Historical> {
        match unit {
            UnitCriterion::Others(historical) => Some(historical),
            UnitCriterion::Rest(sum, n) if n > 1 => {
                let own = self.difficulty.adjusted(self.ledger, response);
                Some(self.historical(sum - own, n - 1))
            }
            UnitCriterion::Rest(..) => None,
        }
    }

    fn historical(&self, sum: f64, n: u32) -> Historical {
        let n = f64::from(n);
        Historical {
            level: sum / n,
            weight: n / (n + self.half_reliable),
        }
    }
}

/// What the responses of one unit have in common.
#[derive(Debug, Clone, Copy)]
pub enum UnitCriterion {
    /// The level from other assessments.
    Others(Historical),
    /// Only this assessment is there: its sum and number of responses.
    Rest(f64, u32),
}
