//! Do question weights pay, and are bad questions found?
//!
//! A test is cut in two halves by chance. One half scores the students: its questions weigh what
//! the product makes of the answers of some students; the other students are then ranked by their
//! weighted mean. The target is their plain mean on the other half. What counts is how much closer
//! the two orders come than with equal weights. Some questions of the scoring half are spoilt
//! first: their answers are shuffled among the students, or turned round as by a wrong key.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_test_support::solve;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::Matrix;
use crate::statistics::{Count, mean, rank_correlation};
use pg_assess_test_support::{go, gradebook, row};

/// Random halves of each test: with sound questions the gain is smaller than what a dozen leave to
/// chance.
pub const SPLITS: u64 = 400;
/// Students from whose answers weights are learned.
pub const LEARNERS: [usize; 3] = [30, 100, 300];
/// Fewer questions make no two halves.
pub const MIN_QUESTIONS: usize = 12;
/// Fewer students who are ranked make no rank correlation.
const MIN_RANKED: usize = 200;

/// What is done to some questions of the scoring half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Damage {
    None,
    /// Their answers have nothing to do with the student.
    Random(f64),
    /// Their answer key is wrong.
    Reversed(f64),
}

impl Damage {
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Random(0.10),
        Self::Random(0.25),
        Self::Reversed(0.10),
        Self::Reversed(0.25),
    ];

    pub fn label(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Random(share) => format!("{:.0} % random", 100.0 * share),
            Self::Reversed(share) => format!("{:.0} % reversed", 100.0 * share),
        }
    }

    /// How many of so many questions: at least one.
    fn questions(self, of: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Random(share) | Self::Reversed(share) => {
                ((share * of as f64).round() as usize).max(1)
            }
        }
    }
}

/// One test under one condition, over all splits.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub set: &'static str,
    pub damage: Damage,
    pub learners: usize,
    /// Rank correlation with the target, with equal and with learned weights.
    pub equal: f64,
    pub learned: f64,
    /// Spoilt questions called flawed, and sound ones.
    pub found: Count,
    pub accused: Count,
}

impl Outcome {
    pub fn gain(&self) -> f64 {
        self.learned - self.equal
    }
}

/// Every test, damage and number of learners that the data allow.
pub fn outcomes(matrices: &[Matrix], learners: &[usize]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for matrix in matrices {
        if matrix.scores[0].len() < MIN_QUESTIONS {
            continue;
        }
        for &learners in learners {
            if matrix.scores.len() < learners + MIN_RANKED {
                continue;
            }
            for damage in Damage::ALL {
                outcomes.push(outcome(matrix, damage, learners));
            }
        }
    }
    outcomes
}

fn outcome(matrix: &Matrix, damage: Damage, learners: usize) -> Outcome {
    let (mut equal, mut learned) = (Vec::new(), Vec::new());
    let (mut found, mut accused) = (Count::default(), Count::default());
    for split in 0..SPLITS {
        // One seed for all conditions: they differ in what is done and in nothing else.
        let mut rng = ChaCha8Rng::seed_from_u64(split);
        let mut questions: Vec<usize> = (0..matrix.scores[0].len()).collect();
        questions.shuffle(&mut rng);
        let (scoring, target) = questions.split_at(questions.len() / 2);
        let mut students: Vec<usize> = (0..matrix.scores.len()).collect();
        students.shuffle(&mut rng);
        let spoilt = damage.questions(scoring.len());
        let columns = answers(matrix, scoring, spoilt, damage, &mut rng);

        let (learning, ranked) = students.split_at(learners);
        let weights = weights(&columns, learning);
        for (at, (_, status)) in weights.iter().enumerate() {
            let flawed = f64::from(*status == ItemStatus::Flawed);
            if at < spoilt {
                found.add(flawed);
            } else {
                accused.add(flawed);
            }
        }
        let wanted = answers(matrix, target, 0, Damage::None, &mut rng);
        let wanted = levels(&wanted, &vec![1.0; target.len()], ranked);
        let rho = |weights: &[f64]| rank_correlation(&levels(&columns, weights, ranked), &wanted);
        equal.push(rho(&vec![1.0; scoring.len()]));
        learned.push(rho(&weights
            .iter()
            .map(|(weight, _)| *weight)
            .collect::<Vec<_>>()));
    }
    Outcome {
        set: matrix.name,
        damage,
        learners,
        equal: mean(equal),
        learned: mean(learned),
        found,
        accused,
    }
}

/// The answers to some questions, question by question, of which the first ones are spoilt.
fn answers(
    matrix: &Matrix,
    questions: &[usize],
    spoilt: usize,
    damage: Damage,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<Option<f64>>> {
    let column = |question: usize| matrix.scores.iter().map(move |row| row[question]);
    let mut columns: Vec<Vec<Option<f64>>> = questions
        .iter()
        .map(|&question| column(question).collect())
        .collect();
    for column in &mut columns[..spoilt] {
        match damage {
            Damage::None => {}
            Damage::Random(_) => column.shuffle(rng),
            Damage::Reversed(_) => {
                for score in column.iter_mut().flatten() {
                    *score = 1.0 - *score;
                }
            }
        }
    }
    columns
}

/// What the product makes of the questions, from the answers of some students in one sitting.
fn weights(columns: &[Vec<Option<f64>>], students: &[usize]) -> Vec<(f64, ItemStatus)> {
    let rows: Vec<_> = students
        .iter()
        .flat_map(|&student| {
            let answers = columns.iter().enumerate();
            answers.filter_map(move |(item, column)| {
                Some(row(student as i64, item as i64, 0, column[student]?, 0.0))
            })
        })
        .collect();
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    assert_eq!(items.len(), columns.len(), "every question was answered");
    items
        .iter()
        .map(|item| (item.quality.weight, item.quality.status))
        .collect()
}

/// The weighted mean of each student's answers; 0 of a student without any.
fn levels(columns: &[Vec<Option<f64>>], weights: &[f64], students: &[usize]) -> Vec<f64> {
    students
        .iter()
        .map(|&student| {
            let (mut sum, mut weight) = (0.0, 0.0);
            for (column, q) in columns.iter().zip(weights) {
                if let Some(score) = column[student] {
                    sum += q * score;
                    weight += q;
                }
            }
            if weight > 0.0 { sum / weight } else { 0.0 }
        })
        .collect()
}

/// All tests of one condition taken together.
#[derive(Debug, Clone)]
pub struct Summary {
    pub damage: Damage,
    pub learners: usize,
    pub sets: usize,
    pub equal: f64,
    pub gain: f64,
    /// The least gain of any test.
    pub worst: f64,
    pub found: Count,
    pub accused: Count,
}

/// The mean over tests of one condition.
pub fn summary(outcomes: &[Outcome], damage: Damage, learners: usize) -> Summary {
    let these: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.damage == damage && outcome.learners == learners)
        .collect();
    let (mut found, mut accused) = (Count::default(), Count::default());
    for outcome in &these {
        found += outcome.found;
        accused += outcome.accused;
    }
    Summary {
        damage,
        learners,
        sets: these.len(),
        equal: mean(these.iter().map(|outcome| outcome.equal)),
        gain: mean(these.iter().map(|outcome| outcome.gain())),
        worst: these
            .iter()
            .map(|outcome| outcome.gain())
            .fold(f64::INFINITY, f64::min),
        found,
        accused,
    }
}
