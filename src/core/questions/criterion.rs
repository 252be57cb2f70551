//! The historical level an answer is compared with, free of the answer itself.

use std::ops::Range;

use crate::Poll;
use crate::ledger::Ledger;
use crate::questions::difficulty::Difficulty;
use crate::questions::totals::Totals;

/// What the rest of a student's record shows, for one response.
#[derive(Debug, Clone, Copy)]
pub struct Historical {
    /// Mean difficulty-adjusted score.
    pub level: f64,
    /// How reliable it is, up to 1.
    pub weight: f64,
}

/// Levels of students without the assessment, or at least the item, that is being judged.
#[derive(Debug)]
pub struct Criterion {
    /// Per student: sum of adjusted scores and their number.
    students: Vec<(f64, usize)>,
    /// They repeat answers, and nothing is compared with them.
    totals: Totals,
    /// Mean adjusted score of all responses.
    pub mean: f64,
    /// Responses at which a mean is half noise; 0 when it is not known.
    half_reliable: f64,
}

impl Criterion {
    /// Sums up every student, without totals.
    pub fn new(ledger: &Ledger, difficulty: &Difficulty, poll: Poll<'_>) -> Self {
        let mut students = Vec::with_capacity(ledger.student_count());
        let (mut all, mut answers) = (0.0, 0);
        for student in 0..ledger.student_count() {
            let (mut total, mut count) = (0.0, 0);
            for unit in ledger.units_of(student) {
                if unit % 1024 == 0 {
                    poll();
                }
                let (sum, n) = sum_of(ledger.responses_in(unit), ledger, difficulty);
                total += sum;
                count += n;
                all += sum;
            }
            answers += count;
            students.push((total, count));
        }
        let mean = all / answers.max(1) as f64;
        let half_reliable = match difficulty.residual_variance {
            Some(residual) if difficulty.ability_variance > 0.0 => {
                residual / difficulty.ability_variance
            }
            _ => 0.0,
        };
        Self {
            students,
            totals: difficulty.totals.clone(),
            mean,
            half_reliable,
        }
    }

    /// What the responses of one of a student's units are compared with: the student's other
    /// assessments, which no bad day and no shared passage ties to these answers; else the rest
    /// of the same assessment.
    pub fn of_unit(
        &self,
        student: usize,
        responses: Range<usize>,
        ledger: &Ledger,
        difficulty: &Difficulty,
    ) -> UnitCriterion {
        let (total, count) = self.students[student];
        let (own, n) = sum_of(responses, ledger, difficulty);
        if count > n {
            UnitCriterion::Others(self.historical(total - own, count - n))
        } else {
            UnitCriterion::Rest(own, n)
        }
    }

    /// The level for one response to `item` with this adjusted score; none when the response is
    /// all there is of the student.
    #[inline]
    pub fn of_response(&self, unit: UnitCriterion, item: u32, adjusted: f64) -> Option<Historical> {
        match unit {
            UnitCriterion::Others(historical) => Some(historical),
            UnitCriterion::Rest(sum, n) if self.totals.has(item) => {
                (n > 0).then(|| self.historical(sum, n))
            }
            UnitCriterion::Rest(sum, n) if n > 1 => Some(self.historical(sum - adjusted, n - 1)),
            UnitCriterion::Rest(..) => None,
        }
    }

    fn historical(&self, sum: f64, n: usize) -> Historical {
        let n = n as f64;
        Historical {
            level: sum / n,
            weight: n / (n + self.half_reliable),
        }
    }
}

/// The adjusted scores together, but those of totals, and their number. There may be as many units
/// as responses: worked out again, their sums take no memory.
fn sum_of(responses: Range<usize>, ledger: &Ledger, difficulty: &Difficulty) -> (f64, usize) {
    let n = responses.len();
    let adjusted = |at| difficulty.adjusted(ledger, at);
    if difficulty.totals.are_none() {
        return (responses.map(adjusted).sum(), n);
    }
    let is_question = |at: &usize| !difficulty.totals.has(ledger.items[*at]);
    let questions = responses.filter(is_question);
    (questions.clone().map(adjusted).sum(), questions.count())
}

/// What the responses of one unit have in common.
#[derive(Debug, Clone, Copy)]
pub enum UnitCriterion {
    /// The level from other assessments, which is the same for all of them.
    Others(Historical),
    /// Only this assessment is there: its sum and number of responses.
    Rest(f64, usize),
}
