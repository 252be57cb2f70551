//! The same draws in every run.

use pg_assess_core::gradebook::MaxScore;
use pg_assess_core::time::DAY;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::{OwnRow, row};

/// The same cases in every run.
pub fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

/// The same in another order.
pub fn shuffled<T: Clone>(values: &[T], seed: u64) -> Vec<T> {
    let mut shuffled = values.to_vec();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    shuffled
}

/// A draw from the standard normal distribution.
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// A small school in which everything goes wrong that can: everyone has other questions, some
/// sit again, some go on another day, two assessments share their days, one has no upper bound.
pub fn messy_school(seed: u64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let students = rng.gen_range(8..26);
    let assessments = rng.gen_range(3..9);
    let questions = rng.gen_range(2..6);
    let coarse = rng.gen_bool(0.3);
    let mut names: Vec<i64> = (0..assessments).collect();
    names.shuffle(&mut rng);
    let mut rows = Vec::new();
    for student in 0..students {
        let ability = normal(&mut rng);
        for (at, &assessment) in names.iter().enumerate() {
            if rng.gen_bool(0.15) {
                continue;
            }
            let day = (at - at % 2) as f64 * 11.0;
            for question in (0..questions).filter(|q| *q == 0 || student % (q + 2) > 0) {
                let score = |rng: &mut ChaCha8Rng| {
                    let hardness = (question + 2 * assessment) % 5;
                    let logit = ability - 0.6 * hardness as f64 + 1.0 + 0.7 * normal(rng);
                    let score = 1.0 / (1.0 + (-logit).exp());
                    (score * if coarse { 1.0 } else { 4.0 }).round()
                        / if coarse { 1.0 } else { 4.0 }
                };
                let item = assessment * 10 + question;
                let late = if question > 0 && rng.gen_bool(0.1) {
                    5.0
                } else {
                    0.0
                };
                let mut answer = row(student, item, assessment, score(&mut rng), day + late);
                if assessment == 1 {
                    answer.max_score = MaxScore::Points(Some(f64::INFINITY));
                    answer.score = answer.score.map(|score| 80.0 * score + 20.0);
                }
                if rng.gen_bool(0.15) {
                    let later = OwnRow {
                        score: answer.score.map(|score| score * 0.5),
                        taken_at: answer.taken_at.map(|at| at + rng.gen_range(1..30) * DAY),
                        ..answer.clone()
                    };
                    rows.push(later);
                }
                if rng.gen_bool(0.03) {
                    answer.score = None;
                }
                rows.push(answer);
            }
        }
    }
    rows
}
