//! How hard each item is, and how able each student: the additive fit `score = ability + effect`.
//!
//! A plain mean punishes the students who sat the harder tests. The least-squares fit of one number
//! per student and one per item takes that out, for any pattern of missing answers. Abilities are
//! eliminated and the normal equations of the items solved by conjugate gradients, with the number
//! of answers as preconditioner (Hestenes and Stiefel 1952): the same answer as alternating means,
//! in a few passes over the responses also where few items link two groups.

use std::ops::Range;

use log::debug;

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::questions::totals::Totals;

/// Passes after which the fit is used as it stands.
const MAX_PASSES: usize = 200;
/// Largest mean residual of an item that is left over, in parts of the score scale.
const TOLERANCE: f64 = 1e-11;

/// The additive fit.
#[derive(Debug)]
pub struct Difficulty {
    /// Per item: how much easier (above 0) or harder it is than the mean of all responses, in
    /// parts of the score scale. Items that no student links are compared by their plain scores.
    pub effect: Vec<f64>,
    /// Variance of scores about the fit, with its degrees of freedom; none when there are none.
    pub residual_variance: Option<f64>,
    /// Variance of abilities between students, without what noise adds; 0 when noise explains
    /// it all.
    pub ability_variance: f64,
    /// Their answers are those of others, and no part of the fit.
    pub totals: Totals,
}

impl Difficulty {
    /// Fits all responses of the ledger; without `adjust` every item counts as equally hard.
    pub fn fit(ledger: &Ledger, adjust: bool, poll: Poll<'_>) -> Self {
        let effect = if adjust {
            let answers = Answers {
                items: &ledger.items,
                scores: &ledger.scores,
                item_count: ledger.item_count(),
                students: ledger.student_count(),
                responses_of: &|student| ledger.responses_of(student),
            };
            effects(&answers, poll)
        } else {
            vec![0.0; ledger.item_count()]
        };
        let mut fit = Self {
            effect,
            residual_variance: None,
            ability_variance: 0.0,
            totals: Totals::default(),
        };
        fit.set_variances(ledger, adjust, poll);
        fit
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

    /// Variance components by the moments of the one-way layout students x responses (Searle,
    /// Casella and McCulloch 1992, section 3.6).
    fn set_variances(&mut self, ledger: &Ledger, adjust: bool, poll: Poll<'_>) {
        let mut within = 0.0;
        let (mut students, mut n, mut n_squares) = (0.0, 0.0, 0.0);
        let mut total = 0.0;
        let mut means = Vec::new();
        for student in 0..ledger.student_count() {
            poll();
            let responses = ledger.responses_of(student);
            if responses.is_empty() {
                continue;
            }
            let count = responses.len() as f64;
            let sum: f64 = responses.clone().map(|at| self.adjusted(ledger, at)).sum();
            let mean = sum / count;
            within += responses
                .map(|at| (self.adjusted(ledger, at) - mean).powi(2))
                .sum::<f64>();
            students += 1.0;
            n += count;
            n_squares += count * count;
            total += sum;
            means.push((mean, count));
        }
        let items = if adjust {
            answered_items(ledger) as f64 - 1.0
        } else {
            0.0
        };
        let df = n - students - items;
        if df < 1.0 {
            return;
        }
        let residual = within / df;
        self.residual_variance = Some(residual);
        let spread = n - n_squares / n;
        if students > 1.0 && spread > 0.0 {
            let grand = total / n;
            let between: f64 = means
                .iter()
                .map(|(mean, k)| k * (mean - grand).powi(2))
                .sum();
            self.ability_variance = ((between - (students - 1.0) * residual) / spread).max(0.0);
        }
    }
}

fn answered_items(ledger: &Ledger) -> usize {
    let mut answered = vec![false; ledger.item_count()];
    for &item in &ledger.items {
        answered[item as usize] = true;
    }
    answered.into_iter().filter(|&yes| yes).count()
}

/// Who answered what, and how well.
pub struct Answers<'a> {
    /// Per response: its item, by its number.
    pub items: &'a [u32],
    /// Per response: its score.
    pub scores: &'a [f64],
    pub item_count: usize,
    pub students: usize,
    /// Numbers of the responses of a student.
    pub responses_of: &'a dyn Fn(usize) -> Range<usize>,
}

/// Solves `(D - N' S^-1 N) effect = b`, where `D` counts the answers per item, `S` per student,
/// `N` says who answered what and `b` sums each item's distances from its students' means.
/// Starting from 0, the solution has a weighted mean of 0 over every linked group of items.
pub fn effects(answers: &Answers<'_>, poll: Poll<'_>) -> Vec<f64> {
    let items = answers.item_count;
    let mut count = vec![0.0; items];
    let mut residual = vec![0.0; items];
    for student in 0..answers.students {
        poll();
        let responses = (answers.responses_of)(student);
        if responses.is_empty() {
            continue;
        }
        let scores = &answers.scores[responses.clone()];
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        for (&item, &score) in answers.items[responses].iter().zip(scores) {
            count[item as usize] += 1.0;
            residual[item as usize] += score - mean;
        }
    }
    let precondition = |residual: &[f64]| -> Vec<f64> {
        residual
            .iter()
            .zip(&count)
            .map(|(r, n)| if *n > 0.0 { r / n } else { 0.0 })
            .collect()
    };
    let mut effect = vec![0.0; items];
    let mut scaled = precondition(&residual);
    let mut direction = scaled.clone();
    let mut energy = dot(&residual, &scaled);
    let mut passes = 0;
    while passes < MAX_PASSES {
        if scaled.iter().all(|r| r.abs() <= TOLERANCE) {
            break;
        }
        let image = apply(answers, &direction, poll);
        passes += 1;
        let curvature = dot(&direction, &image);
        if curvature <= 0.0 || !curvature.is_finite() {
            break;
        }
        let step = energy / curvature;
        for at in 0..items {
            effect[at] += step * direction[at];
            residual[at] -= step * image[at];
        }
        scaled = precondition(&residual);
        let next = dot(&residual, &scaled);
        let turn = next / energy;
        energy = next;
        for (d, r) in direction.iter_mut().zip(&scaled) {
            *d = r + turn * *d;
        }
    }
    debug!("fitted the difficulty of {items} questions in {passes} passes");
    effect
}

/// One pass: what the responses make of `direction`.
fn apply(answers: &Answers<'_>, direction: &[f64], poll: Poll<'_>) -> Vec<f64> {
    let mut image = vec![0.0; direction.len()];
    for student in 0..answers.students {
        poll();
        let items = &answers.items[(answers.responses_of)(student)];
        if items.is_empty() {
            continue;
        }
        let mean = items
            .iter()
            .map(|&item| direction[item as usize])
            .sum::<f64>()
            / items.len() as f64;
        for &item in items {
            image[item as usize] += direction[item as usize] - mean;
        }
    }
    image
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
