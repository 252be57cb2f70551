//! The back-test against a slow one that only ever sees the past, laws, schools whose truth is
//! known, and the edges.

mod edges;
mod figures;
mod slow;
mod slow_fit;
mod truth;

use pg_assess_core::forecasts::backtest::{Difference, Method, Outcome, Slice, Target};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{Ask, Settings, backtest};
use pg_assess_test_support::{OwnRow, go, gradebook, mean, normal, row};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOLERANCE: f64 = 1e-9;

/// Values closer than this share a place.
const TIE: f64 = 1e-9;

const METHODS: usize = Method::ALL.len();

/// The cuts of the laws, whatever the school.
fn at_days(days: &[i64]) -> Settings {
    Settings {
        cuts: days.iter().map(|day| day * DAY).collect(),
        resamples: 20,
        ..Settings::default()
    }
}

fn run(rows: &[OwnRow], options: &impl Ask, settings: &Settings) -> Vec<Outcome> {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    backtest(&book, options, settings, &go).expect("rows")
}

/// Weekly assessments of two or more questions; everyone has other questions where sets are
/// uneven. Score: level + effect of the question + noise, and nothing else.
struct Plan {
    seed: u64,
    students: i64,
    weeks: i64,
    /// Questions of an assessment, and how many of them each student is asked.
    questions: i64,
    asked: usize,
    /// Standard deviations of levels, of question effects and of noise, and of a level's
    /// steps from one week to the next.
    spread: f64,
    effects: f64,
    noise: f64,
    step: f64,
    attendance: f64,
}

const PLAN: Plan = Plan {
    seed: 0,
    students: 120,
    weeks: 12,
    questions: 3,
    asked: 3,
    spread: 0.08,
    effects: 0.05,
    noise: 0.1,
    step: 0.01,
    attendance: 0.85,
};

impl Plan {
    /// Schools of one plan have the same questions and other students.
    fn rows(&self) -> Vec<OwnRow> {
        let mut rng = ChaCha8Rng::seed_from_u64(77);
        let effects: Vec<f64> = (0..self.weeks * self.questions)
            .map(|_| self.effects * normal(&mut rng))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut rows = Vec::new();
        for student in 0..self.students {
            let mut level = 0.5 + self.spread * normal(&mut rng);
            for week in 0..self.weeks {
                level += self.step * normal(&mut rng);
                if !rng.gen_bool(self.attendance) {
                    continue;
                }
                let mut questions: Vec<i64> = (0..self.questions).collect();
                questions.shuffle(&mut rng);
                for question in &questions[..self.asked] {
                    let item = week * self.questions + question;
                    let score = level + effects[item as usize] + self.noise * normal(&mut rng);
                    let mut row = row(student, item, week, score + 2.0, 7.0 * week as f64);
                    row.max_score = MaxScore::Points(Some(5.0));
                    rows.push(row);
                }
            }
        }
        rows
    }
}

fn difference(rows: &[Outcome], method: Method, figure: usize) -> Difference {
    let row = rows.iter().find(|row| {
        (row.target, row.slice, row.figures.method) == (Target::Next, Slice::All, method)
    });
    row.expect("a row").figures.differences[figure].expect("a difference")
}

/// Standard deviation.
fn spread(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    (values.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

const UNEVEN: Plan = Plan {
    asked: 1,
    effects: 0.12,
    weeks: 9,
    ..PLAN
};

/// Half the width of a 95 % interval, in standard errors.
fn standard_error(own: Difference) -> f64 {
    (own.high.expect("high") - own.low.expect("low")) / 2.0 / 1.96
}
