//! Questions that drift: every figure against a second, slow calculation from the description,
//! laws, simulated banks whose truth is known, and the edges.
//!
//! Right answers follow the logistic curve of item response theory (2PL), for which the straight
//! line of the method is only an approximation. All seeds are fixed, so the bounds may be tight.

mod cohorts;
mod laws;
mod leaks;
mod slow;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::drift::Drift;
use pg_assess_test_support::solve;
use pg_assess_test_support::{OwnRow, go, gradebook, normal, row};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn solve_with(rows: &[OwnRow], options: &Options) -> Vec<Drift> {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    solve::item_drift(&book, options, &go).expect("drifts")
}

fn solve(rows: &[OwnRow]) -> Vec<Drift> {
    solve_with(rows, &Options::default())
}

// The slow calculation.

#[derive(Debug, Clone, Copy)]
struct Answer {
    student: usize,
    item: usize,
    assessment: usize,
    score: f64,
    day: i64,
}

/// Questions that several assessments share, partial scores, blanks, students who meet a question
/// again, some leaks.
fn answers(seed: u64) -> Vec<Answer> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (students, assessments) = (rng.gen_range(80..160), rng.gen_range(1..4));
    let length = rng.gen_range(7..11);
    let bank = length + rng.gen_range(0..4);
    let leaks = rng.gen_range(1..6);
    let (days, blank) = (rng.gen_range(1..9), rng.gen_range(0.0..0.15));
    let partial = rng.gen_bool(0.3);
    let leak = rng.gen_range(0.0..3.0);
    let mut all = Vec::new();
    for student in 0..students {
        let ability = normal(&mut rng) + student as f64 / students as f64;
        for assessment in 0..assessments {
            if rng.gen_bool(0.3) {
                continue;
            }
            // In half of the tables the ids run against time.
            let term = if seed.is_multiple_of(2) {
                assessment
            } else {
                3 - assessment
            };
            let day = (40 * term + student * days / students) as i64;
            let mut items: Vec<usize> = (0..bank).collect();
            items.shuffle(&mut rng);
            for item in items.into_iter().take(length) {
                let leaked = item < leaks && 2 * student > students;
                let boost = if leaked { 2.0 * leak } else { 0.0 };
                let easiness = (item % 5) as f64 / 2.0 - 1.0 + boost;
                let steepness = 0.5 + (item % 3) as f64;
                let chance = 1.0 / (1.0 + (-steepness * (ability + easiness)).exp());
                let draw = (chance + 0.3 * normal(&mut rng)).clamp(0.0, 1.0);
                let score = if partial {
                    (4.0 * draw).round() / 4.0
                } else {
                    draw.round()
                };
                if !rng.gen_bool(blank) {
                    let answer = Answer {
                        student,
                        item,
                        assessment,
                        score,
                        day,
                    };
                    all.push(answer);
                }
            }
        }
    }
    all
}

// Simulated truth.

/// Questions with their curves.
struct Bank {
    slopes: Vec<f64>,
    easiness: Vec<f64>,
}

impl Bank {
    fn new(rng: &mut ChaCha8Rng, questions: usize, spread: f64) -> Self {
        let slopes = (0..questions).map(|_| 1.2 * (0.5 * normal(rng)).exp());
        let slopes = slopes.collect();
        let easiness = (0..questions).map(|_| 0.5 + spread * normal(rng)).collect();
        Self { slopes, easiness }
    }

    fn chance(&self, question: usize, ability: f64) -> f64 {
        1.0 / (1.0 + (-self.slopes[question] * (ability + self.easiness[question])).exp())
    }
}

/// One test that a class takes each week.
struct Weekly {
    weeks: usize,
    class: usize,
    questions: usize,
    /// Spread of the questions' easiness.
    spread: f64,
    /// Mean ability of a week's class.
    ability: fn(f64) -> f64,
    /// Spread of what a class has been taught of a question.
    taught: f64,
}

const WEEKLY: Weekly = Weekly {
    weeks: 10,
    class: 25,
    questions: 20,
    spread: 1.0,
    ability: |_| 0.0,
    taught: 0.0,
};

impl Weekly {
    /// The rows and the bank; `leak` is added to the chance of a right answer to a question in a
    /// week.
    fn rows(
        &self,
        rng: &mut ChaCha8Rng,
        leak: impl Fn(usize, usize) -> f64,
    ) -> (Vec<OwnRow>, Bank) {
        let bank = Bank::new(rng, self.questions, self.spread);
        let mut rows = Vec::new();
        for week in 0..self.weeks {
            let taught: Vec<f64> = (0..self.questions)
                .map(|_| self.taught * normal(rng))
                .collect();
            for student in week * self.class..(week + 1) * self.class {
                let ability = normal(rng) + (self.ability)(week as f64 / self.weeks as f64);
                for (question, taught) in taught.iter().enumerate() {
                    let chance = bank.chance(question, ability + taught) + leak(question, week);
                    let score = f64::from(u8::from(rng.gen_bool(chance.clamp(0.0, 0.98))));
                    let day = 7.0 * week as f64;
                    rows.push(row(student as i64, question as i64, 1, score, day));
                }
            }
        }
        (rows, bank)
    }
}
