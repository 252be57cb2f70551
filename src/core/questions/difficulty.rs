//! How hard each item is, and how able each student: the additive fit `score = ability + effect`.
//!
//! A plain mean punishes the students who sat the harder tests. One number per student and one per
//! item takes that out, for any pattern of missing answers. The numbers of items are drawn towards
//! 0 by what answers do not show (random effects): a question with two answers would else explain
//! these answers and take away what they say of their students.

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::questions::additive::{Answers, NormalEquations};
use crate::questions::totals::Totals;
use crate::statistics::rounding::ROUNDING;

/// Degrees of freedom that all variation within students counts as noise, beside what the fit
/// leaves over: of a few answers the fit may leave next to nothing by chance.
const WITHIN_DF: f64 = 8.0;

/// The additive fit.
#[derive(Debug)]
pub struct Difficulty {
    /// Per item: how much easier (above 0) or harder it is than the mean of all responses, in
    /// parts of the score scale. Items that no student links are compared by their plain scores.
    pub effect: Vec<f64>,
    /// Per item: one over the answers that the effect rests on, with those that what is likely of
    /// all items is worth; 0 where nothing was taken from the answers.
    pull: Vec<f64>,
    /// Per student: the mean of the adjusted scores, and how many there are.
    students: Vec<(f64, f64)>,
    /// Whether a student answered an item more than once.
    has_repeats: bool,
    /// Variance of scores about the fit, with its degrees of freedom; none when there are none.
    pub residual_variance: Option<f64>,
    /// Variance of abilities between students, without what noise adds; 0 when noise explains
    /// it all.
    pub ability_variance: f64,
    /// Their answers are those of others, and no part of the fit.
    pub totals: Totals,
}

/// One student in the fit.
pub struct Fitted {
    /// Mean adjusted score.
    level: f64,
    answers: f64,
    /// Their items in order, where somebody answered one more than once; else empty.
    items: Vec<u32>,
}

impl Fitted {
    /// The share of the student's answers that are to other items.
    fn others(&self, item: u32) -> f64 {
        let own = match self.items.is_empty() {
            true => 1,
            false => {
                let from = self.items.partition_point(|&other| other < item);
                let to = self.items.partition_point(|&other| other <= item);
                to - from
            }
        };
        1.0 - own as f64 / self.answers
    }
}

impl Difficulty {
    /// Fits all responses of the ledger; without `adjust` every item counts as equally hard.
    pub fn fit(ledger: &Ledger, adjust: bool, poll: Poll<'_>) -> Self {
        let mut fit = Self {
            effect: vec![0.0; ledger.item_count()],
            pull: vec![0.0; ledger.item_count()],
            students: Vec::new(),
            has_repeats: false,
            residual_variance: None,
            ability_variance: 0.0,
            totals: Totals::default(),
        };
        let is_saturated = adjust && !fit.adjust(ledger, poll);
        if is_saturated {
            return fit;
        }
        let layout = Layout::of(ledger, |at| fit.adjusted(ledger, at), poll);
        if fit.residual_variance.is_none() {
            fit.residual_variance = layout.variance_within();
        }
        if let Some(residual) = fit.residual_variance {
            fit.ability_variance = layout.variance_between(residual);
        }
        fit.students = layout.means;
        fit
    }

    /// Predicts the effects from what the answers show of each item and what is likely of all: the
    /// equations of the mixed model (Henderson 1975), with the variance of effects by his third
    /// method (Searle, Casella and McCulloch 1992, section 5.5). False where every answer may be due
    /// to its item, and nothing is taken from any.
    fn adjust(&mut self, ledger: &Ledger, poll: Poll<'_>) -> bool {
        let responses_of = |student| ledger.responses_of(student);
        let answers = Answers {
            items: &ledger.items,
            scores: &ledger.scores,
            item_count: ledger.item_count(),
            students: ledger.student_count(),
            responses_of: &responses_of,
        };
        let equations = NormalEquations::new(answers, poll);
        let rank = equations.rank();
        let free = ledger.items.len() - equations.students;
        if free < rank + 1 {
            return false;
        }
        let plain = equations.solve(0.0, self.effect.clone(), poll);
        self.effect = plain;
        let left = Layout::of(ledger, |at| self.adjusted(ledger, at), poll);
        let df = (free - rank) as f64;
        let residual = left.within / df;
        self.residual_variance = Some(residual);
        if residual <= ROUNDING * ROUNDING {
            return true;
        }
        let within = equations.squares / free as f64;
        let noise = (left.within + WITHIN_DF * within) / (df + WITHIN_DF);
        let explained = equations.squares - left.within - rank as f64 * noise;
        let between = explained / equations.information.iter().sum::<f64>();
        if between <= ROUNDING * ROUNDING || !between.is_finite() {
            self.effect.fill(0.0);
            return true;
        }
        let ridge = noise / between;
        let plain = std::mem::take(&mut self.effect);
        self.effect = equations.draw_in(ridge, plain, poll);
        equations.centre(&mut self.effect);
        self.has_repeats = equations.has_repeats;
        let pull = |&information: &f64| match information > 0.0 {
            true => 1.0 / (information + ridge),
            false => 0.0,
        };
        self.pull = equations.information.iter().map(pull).collect();
        true
    }

    /// The same without totals. A total is then as hard as it was for students of the level that
    /// their answers to questions show.
    pub fn fit_questions(
        ledger: &Ledger,
        totals: Totals,
        adjust: bool,
        poll: Poll<'_>,
    ) -> Result<Self> {
        if totals.are_none() {
            return Ok(Self::fit(ledger, adjust, poll));
        }
        let questions = totals.questions_of(ledger, poll)?;
        memory::ask(16 * ledger.item_count())?;
        let mut fit = Self {
            totals,
            ..Self::fit(&questions, adjust, poll)
        };
        if adjust {
            fit.place_totals(&questions, ledger, poll);
        }
        Ok(fit)
    }

    fn place_totals(&mut self, questions: &Ledger, ledger: &Ledger, poll: Poll<'_>) {
        let mut distances = vec![(0.0, 0.0); ledger.item_count()];
        for student in 0..ledger.student_count() {
            poll();
            let own = questions.responses_of(student);
            let n = own.len() as f64;
            let sum: f64 = own.map(|at| self.adjusted(questions, at)).sum();
            for at in ledger.responses_of(student).filter(|_| n > 0.0) {
                let (distance, answers) = &mut distances[ledger.items[at] as usize];
                *distance += ledger.scores[at] - sum / n;
                *answers += 1.0;
            }
        }
        for (item, (distance, answers)) in (0..).zip(distances) {
            if self.totals.has(item) && answers > 0.0 {
                self.effect[item as usize] = distance / answers;
            }
        }
    }

    /// A score without the item's effect.
    #[inline]
    pub fn adjusted(&self, ledger: &Ledger, response: usize) -> f64 {
        ledger.scores[response] - self.effect[ledger.items[response] as usize]
    }

    /// The same effects with every answer seen by what all show, its own as well: for outcomes, of
    /// which equal ones must stay equal.
    pub fn by_all(mut self) -> Self {
        self.pull.fill(0.0);
        self
    }

    /// One student, to see the student's answers [by what others show](Self::by_others).
    pub fn fitted(&self, ledger: &Ledger, student: usize) -> Fitted {
        // No part of the fit are students with totals alone, and nobody where it is saturated.
        let own = self.students.get(student).filter(|own| own.1 > 0.0);
        let (level, answers) = own.copied().unwrap_or((0.0, 1.0));
        let mut items = Vec::new();
        if self.has_repeats {
            items.extend_from_slice(&ledger.items[ledger.responses_of(student)]);
            items.sort_unstable();
        }
        Fitted {
            level,
            answers,
            items,
        }
    }

    /// The share of an answer to `item` that it counts: it is that much less sure, as others show
    /// less of the item.
    #[inline]
    pub fn counts(&self, student: &Fitted, item: u32) -> f64 {
        1.0 - student.others(item) * self.pull[item as usize]
    }

    /// A score without what the others' answers show of the item, and the share of an answer that
    /// it counts. The residual of a linear smoother without the answer itself (Hastie, Tibshirani
    /// and Friedman 2009, section 7.10).
    #[inline]
    pub fn by_others(&self, student: &Fitted, ledger: &Ledger, response: usize) -> (f64, f64) {
        let counts = self.counts(student, ledger.items[response]);
        let adjusted = self.adjusted(ledger, response);
        let own = (1.0 - counts) / counts;
        (adjusted + (adjusted - student.level) * own, counts)
    }
}

/// The one-way layout of students and their adjusted answers.
struct Layout {
    /// Sum of squares about the students' means.
    within: f64,
    answers: usize,
    students: usize,
    /// Per student: the mean and how many answers.
    means: Vec<(f64, f64)>,
    total: f64,
}

impl Layout {
    fn of(ledger: &Ledger, adjusted: impl Fn(usize) -> f64, poll: Poll<'_>) -> Self {
        let mut layout = Self {
            within: 0.0,
            answers: ledger.items.len(),
            students: 0,
            means: vec![(0.0, 0.0); ledger.student_count()],
            total: 0.0,
        };
        for student in 0..ledger.student_count() {
            poll();
            let responses = ledger.responses_of(student);
            if responses.is_empty() {
                continue;
            }
            let count = responses.len() as f64;
            let sum: f64 = responses.clone().map(&adjusted).sum();
            let mean = sum / count;
            layout.within += responses
                .map(|at| (adjusted(at) - mean).powi(2))
                .sum::<f64>();
            layout.total += sum;
            layout.students += 1;
            layout.means[student] = (mean, count);
        }
        layout
    }

    /// Of answers about their student's level; none where nobody has two.
    fn variance_within(&self) -> Option<f64> {
        let df = self.answers - self.students;
        (df > 0).then(|| self.within / df as f64)
    }

    /// Of levels between students, by moments (Searle, Casella and McCulloch 1992, section 3.6).
    fn variance_between(&self, residual: f64) -> f64 {
        let n = self.answers as f64;
        let squares: f64 = self.means.iter().map(|(_, k)| k * k).sum();
        let spread = n - squares / n;
        if self.students < 2 || spread <= 0.0 {
            return 0.0;
        }
        let grand = self.total / n;
        let square = |(mean, k): &(f64, f64)| k * (mean - grand).powi(2);
        let between: f64 = self.means.iter().map(square).sum();
        ((between - (self.students as f64 - 1.0) * residual) / spread).max(0.0)
    }
}
