//! What a slow back-test takes from answers: how hard questions are, and how fast levels drift.

use pg_assess_core::options::{Counting, Options};
use pg_assess_core::students::explain::Contribution;
use pg_assess_core::students::level::Level;
use pg_assess_core::time::DAY;
use pg_assess_test_support::difficulty::{Answer, SlowDifficulty};
use pg_assess_test_support::drift::{Piece, slow_drift};

use super::slow::{Sitting, precision, sittings};

/// How hard each question is, by all answers to it.
pub(super) struct Effects {
    items: Vec<u32>,
    difficulty: SlowDifficulty,
}

impl Effects {
    pub(super) fn new(answers: &[(i64, Contribution)], options: &Options) -> Self {
        let sorted = |mut all: Vec<i64>| {
            all.sort_unstable();
            all.dedup();
            all
        };
        let students = sorted(answers.iter().map(|own| own.0).collect());
        let items = sorted(answers.iter().map(|own| i64::from(own.1.item)).collect());
        let place = |all: &[i64], id: i64| all.binary_search(&id).expect("an id");
        let numbered: Vec<Answer> = answers
            .iter()
            .map(|(student, own)| {
                let item = place(&items, i64::from(own.item));
                (place(&students, *student), item, own.score)
            })
            .collect();
        Self {
            difficulty: SlowDifficulty::new(&numbered, options.adjust_difficulty),
            items: items.iter().map(|item| *item as u32).collect(),
        }
    }

    pub(super) fn of(&self, item: u32) -> f64 {
        self.difficulty.effect[self.items.binary_search(&item).expect("an item")]
    }
}

/// How fast levels drift, by all pieces of evidence in order of time.
pub(super) fn drift_of(
    fit: &Effects,
    known: &[(i64, Contribution)],
    students: &[(i64, Level)],
    options: &Options,
) -> f64 {
    // Where every answer may be due to its question, nothing is known of it.
    if fit.difficulty.components.is_none() {
        return 0.0;
    }
    let days = |at: i64| at as f64 / DAY as f64;
    let piece = |(at, _, answers): &Sitting| {
        let weights: Vec<f64> = answers.iter().map(|own| own.quality * own.counts).collect();
        let sums = weights.iter().zip(answers);
        let score: f64 = sums
            .map(|(weight, own)| weight * (own.score - own.expected))
            .sum();
        (
            days(*at),
            score / weights.iter().sum::<f64>(),
            precision(answers, options),
        )
    };
    let pieces_of = |student: i64| -> Vec<Piece> {
        if options.counting != Counting::Responses {
            return sittings(known, student).iter().map(piece).collect();
        }
        let own = known.iter().filter(|own| own.0 == student);
        let mut single: Vec<Sitting> = own
            .filter(|(_, own)| own.quality > 0.0)
            .map(|(_, own)| (own.taken_at, own.assessment, vec![*own]))
            .collect();
        single.sort_by_key(|own| own.0);
        single.iter().map(piece).collect()
    };
    let pieces: Vec<Vec<Piece>> = students.iter().map(|own| pieces_of(own.0)).collect();
    slow_drift(&pieces)
}
