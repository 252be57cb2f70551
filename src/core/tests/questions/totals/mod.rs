//! Totals that came in as questions: which are found, that nothing else is, and that without them
//! all figures are those of a table that never had them.

mod entered;
mod found;
mod laws;
mod real;
mod slow;

use std::collections::BTreeSet;

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::solve::Item;
use pg_assess_test_support::{OwnId, OwnRow, go, gradebook, normal, row, solve};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The names of the items with this status, and all figures.
fn solved(rows: &[OwnRow]) -> (BTreeSet<String>, Vec<Item>) {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    let totals = items
        .iter()
        .filter(|item| item.quality.status == ItemStatus::Total);
    let names = totals.map(|item| book.items().get(item.item).to_string());
    (names.collect(), items)
}

fn totals(rows: &[OwnRow]) -> BTreeSet<String> {
    solved(rows).0
}

/// A sheet: students by questions with their maxima, and columns that were computed of them.
#[derive(Clone)]
struct Sheet {
    maxima: Vec<f64>,
    /// Points.
    students: Vec<Vec<Option<f64>>>,
    columns: Vec<(&'static str, f64, Vec<Option<f64>>)>,
}

impl Sheet {
    /// Students whose points come from one ability and luck.
    fn new(seed: u64, students: usize, maxima: &[f64]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points = |rng: &mut ChaCha8Rng, ability: f64, at: usize, max: f64| {
            let chance = 1.0 / (1.0 + (-ability - 0.3 * (at % 5) as f64 + 0.6).exp());
            let luck = (0..max as usize).filter(|_| rng.gen_bool(chance));
            Some(luck.count() as f64)
        };
        let students = (0..students)
            .map(|_| {
                let ability = 1.2 * normal(&mut rng);
                let questions = maxima.iter().enumerate();
                questions
                    .map(|(at, &max)| points(&mut rng, ability, at, max))
                    .collect()
            })
            .collect();
        Self {
            maxima: maxima.to_vec(),
            students,
            columns: Vec::new(),
        }
    }

    /// Takes some of the answers away.
    fn with_gaps(mut self, seed: u64, share: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for score in self.students.iter_mut().flatten() {
            if rng.gen_bool(share) {
                *score = None;
            }
        }
        self
    }

    /// Adds a column that is computed of the points of each student.
    fn with(
        mut self,
        name: &'static str,
        max: f64,
        of: impl Fn(usize, &[Option<f64>]) -> Option<f64>,
    ) -> Self {
        let values = self.students.iter().enumerate();
        let values = values.map(|(at, points)| of(at, points)).collect();
        self.columns.push((name, max, values));
        self
    }

    /// The rows with nine more columns that have nothing to do with the others.
    fn with_survey(self) -> Vec<OwnRow> {
        let students = self.students.len();
        let mut rows = self.rows();
        for student in 0..students {
            for at in 0..9 {
                rows.push(OwnRow {
                    item: Some(OwnId::Text(format!("survey {at}"))),
                    max_score: MaxScore::Points(Some(5.0)),
                    ..row(
                        student as i64,
                        0,
                        1,
                        ((3 * student + at * at) % 6) as f64,
                        0.0,
                    )
                });
            }
        }
        rows
    }

    fn possible(&self) -> f64 {
        self.maxima.iter().sum()
    }

    fn rows(&self) -> Vec<OwnRow> {
        let mut rows = Vec::new();
        let mut add = |student: usize, item: &str, score: Option<f64>, max: f64| {
            rows.push(OwnRow {
                item: Some(OwnId::Text(item.to_owned())),
                score,
                max_score: MaxScore::Points(Some(max)),
                ..row(student as i64, 0, 1, 0.0, 0.0)
            });
        };
        for (student, points) in self.students.iter().enumerate() {
            for (question, score) in points.iter().enumerate() {
                add(
                    student,
                    &format!("q{question}"),
                    *score,
                    self.maxima[question],
                );
            }
            for (name, max, values) in &self.columns {
                add(student, name, values[student], *max);
            }
        }
        rows
    }
}

fn sum(points: &[Option<f64>]) -> f64 {
    points.iter().flatten().sum()
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}
