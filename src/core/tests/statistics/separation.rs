//! Somers' D, the upper-lower index and discriminative efficiency of plain samples against their
//! definitions.

use std::panic::{catch_unwind, resume_unwind};

use pg_assess_core::Poll;
use pg_assess_core::questions::separation::{
    discrimination_index, discriminative_efficiency, somers_d, somers_d_se,
};
use pg_assess_core::statistics::kendall::kendall;
use pg_assess_test_support::{cases, close, close_option, go, normal, shuffled};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0..5u8).prop_map(|x| f64::from(x) / 10.0),
        3 => -1.0..1.0f64,
        1 => prop_oneof![Just(-0.0), Just(1e100), Just(-1e100), Just(1e-300)],
    ]
}

/// Any scores, or right and wrong.
fn sample(most: usize) -> impl Strategy<Value = Vec<[f64; 2]>> {
    let graded = (value(), value()).prop_map(|(score, level)| [score, level]);
    let binary = (any::<bool>(), value()).prop_map(|(right, level)| [f64::from(right), level]);
    prop_oneof![
        prop::collection::vec(graded, 0..most),
        prop::collection::vec(binary, 0..most),
    ]
}

fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

/// Per pair of values: agreement with all others, and how many have another score.
fn slow_influences(sample: &[[f64; 2]]) -> Vec<(f64, f64)> {
    let one = |own: &[f64; 2]| {
        let against = |other: &[f64; 2]| {
            let score = sign(own[0] - other[0]);
            (score * sign(own[1] - other[1]), score.abs())
        };
        let pairs = sample.iter().map(against);
        pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
    };
    sample.iter().map(one).collect()
}

fn slow_d(sample: &[[f64; 2]]) -> Option<f64> {
    let (mut balance, mut pairs) = (0.0, 0.0);
    for (a, b) in slow_influences(sample) {
        balance += a;
        pairs += b;
    }
    (pairs > 0.0).then(|| balance / pairs)
}

/// The components of DeLong, DeLong and Clarke-Pearson for right and wrong answers.
fn delong(sample: &[[f64; 2]]) -> Option<f64> {
    let of = |wanted: f64| -> Vec<f64> {
        let of = sample.iter().filter(|pair| pair[0] == wanted);
        of.map(|pair| pair[1]).collect()
    };
    let (right, wrong) = (of(1.0), of(0.0));
    let variance = |values: Vec<f64>| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        (n > 1.0).then(|| squares / (n - 1.0) / n)
    };
    let above = |x: f64, y: f64| (1.0 + sign(x - y)) / 2.0;
    let share = |own: f64, others: &[f64]| {
        others.iter().map(|other| above(own, *other)).sum::<f64>() / others.len() as f64
    };
    let s10 = variance(right.iter().map(|x| share(*x, &wrong)).collect())?;
    let s01 = variance(wrong.iter().map(|x| share(*x, &right)).collect())?;
    Some(2.0 * (s10 + s01).sqrt())
}

/// The share of each student that belongs to the lower group.
fn slow_lower_mean(sample: &[[f64; 2]], mass: f64) -> f64 {
    let part = |own: &[f64; 2]| {
        let below = sample.iter().filter(|pair| pair[1] < own[1]).count() as f64;
        let tied = sample.iter().filter(|pair| pair[1] == own[1]).count() as f64;
        ((mass - below) / tied).clamp(0.0, 1.0)
    };
    sample.iter().map(|own| part(own) * own[0]).sum::<f64>() / mass
}

fn covariance(scores: &[f64], criteria: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(scores), mean(criteria));
    let products = scores.iter().zip(criteria);
    products.map(|(x, y)| (x - mx) * (y - my)).sum()
}

fn scale(sample: &[[f64; 2]]) -> f64 {
    sample
        .iter()
        .fold(1.0, |most: f64, pair| most.max(pair[0].abs()))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn somers_d_is_that_of_its_definition(sample in sample(50), seed in any::<u64>()) {
        let ours = somers_d(&sample, &go);
        close_option(ours, slow_d(&sample), 1e-14, "d");
        prop_assert_eq!(ours, somers_d(&shuffled(&sample, seed), &go));
        let se = somers_d_se(&sample, &go);
        prop_assert_eq!(se, somers_d_se(&shuffled(&sample, seed), &go));
        let Some(ours) = ours else { return Ok(()) };
        let influences = slow_influences(&sample);
        let pairs = influences.iter().map(|(_, b)| b).sum::<f64>() / 2.0;
        let defined = influences.iter().all(|(_, b)| *b < pairs);
        let variance = influences
            .iter()
            .map(|(a, b)| (a - ours * b).powi(2) / (pairs * (pairs - b)))
            .sum::<f64>();
        close_option(se, defined.then(|| variance.sqrt()), 1e-13, "se");
        if sample.iter().all(|pair| pair[0] == 0.0 || pair[0] == 1.0) {
            close_option(se, delong(&sample), 1e-7, "DeLong");
        }
        // Each left out in turn.
        let rest = |at: usize| {
            let mut rest = sample.clone();
            rest.remove(at);
            rest
        };
        prop_assert_eq!(
            defined,
            (0..sample.len()).all(|at| somers_d(&rest(at), &go).is_some())
        );
        let kendall = kendall(&sample, &go).expect("two pairs");
        close(ours * pairs, kendall.s as f64, 1e-9, "S");
    }

    #[test]
    fn groups_have_exactly_their_share(
        sample in sample(40),
        share in prop_oneof![Just(0.27), Just(0.5), Just(1e-9), 0.01..0.5f64],
        seed in any::<u64>(),
    ) {
        let ours = discrimination_index(&sample, share, &go);
        let same = discrimination_index(&shuffled(&sample, seed), share, &go);
        prop_assert_eq!(ours.map(f64::to_bits), same.map(f64::to_bits));
        let mass = share * sample.len() as f64;
        let turned: Vec<_> = sample.iter().map(|[score, level]| [*score, -*level]).collect();
        let expected = slow_lower_mean(&turned, mass) - slow_lower_mean(&sample, mass);
        let expected = (sample.len() > 1).then_some(expected);
        close_option(ours, expected, 1e-12 * scale(&sample), "index");
    }

    #[test]
    fn efficiency_is_a_share_of_the_largest_covariance(
        sample in sample(40),
        seed in any::<u64>(),
    ) {
        let ours = discriminative_efficiency(&sample, &go);
        let same = discriminative_efficiency(&shuffled(&sample, seed), &go);
        prop_assert_eq!(ours.map(f64::to_bits), same.map(f64::to_bits));
        let constant = |at: usize| sample.iter().all(|pair| pair[at] == sample[0][at]);
        prop_assert_eq!(ours.is_none(), constant(0) || constant(1));
        let Some(ours) = ours else { return Ok(()) };
        prop_assert!(ours <= 1.0 && ours.is_finite());
        let side = |at: usize| -> Vec<f64> { sample.iter().map(|pair| pair[at]).collect() };
        let (scores, criteria) = (side(0), side(1));
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let largest = covariance(&sorted(scores.clone()), &sorted(criteria.clone()));
        if largest > 1e-200 {
            close(ours, covariance(&scores, &criteria) / largest, 1e-9, "efficiency");
        }
    }
}

#[test]
fn no_order_beats_the_sorted_one() {
    let scores = [0.0, 0.5, 0.5, 1.0];
    let mut order: Vec<f64> = vec![3.0, -1.0, 7.5, 7.5];
    let mut most = f64::NEG_INFINITY;
    // One swap of neighbours after another.
    for swap in 0..24 {
        let sample: Vec<_> = scores.iter().zip(&order).map(|(x, y)| [*x, *y]).collect();
        most = most.max(discriminative_efficiency(&sample, &go).expect("both vary"));
        order.swap(swap % 3, swap % 3 + 1);
    }
    assert_eq!(most, 1.0);
    // A rare success of the weakest can be worse than the rarest failure can be good.
    let sample = [[0.0, 3.0], [0.0, 3.0], [3.0, 0.0]];
    assert_eq!(discriminative_efficiency(&sample, &go), Some(-2.0));
}

#[test]
fn known_figures() {
    let right_and_wrong = [
        [1.0, 9.0],
        [1.0, 7.0],
        [0.0, 7.0],
        [1.0, 5.0],
        [0.0, 3.0],
        [0.0, 1.0],
    ];
    let ours = somers_d(&right_and_wrong, &go).expect("both");
    // Of nine couples seven agree, one is tied, one disagrees.
    close(ours, 6.0 / 9.0, 1e-15, "d");
    // AUC per right answer 1, 5/6, 2/3; per wrong answer 1, 1, 1/2.
    close(
        somers_d_se(&right_and_wrong, &go).expect("a se"),
        2.0 * (1f64 / 108.0 + 1.0 / 36.0).sqrt(),
        1e-15,
        "se",
    );
    // The upper three have two right answers, the lower three one.
    let index = discrimination_index(&right_and_wrong, 0.5, &go).expect("an index");
    close(index, 1.0 / 3.0, 1e-15, "index");
    // The upper two are one right answer, and half of one right and one wrong that are tied.
    let index = discrimination_index(&right_and_wrong, 1.0 / 3.0, &go).expect("an index");
    close(index, 0.75, 1e-15, "index");
}

#[test]
fn undefined() {
    assert_eq!(somers_d(&[], &go), None);
    assert_eq!(somers_d(&[[0.5, 1.0], [0.5, 2.0]], &go), None);
    assert_eq!(somers_d_se(&[], &go), None);
    assert_eq!(somers_d_se(&[[0.5, 1.0], [0.5, 2.0]], &go), None);
    let lonely = [[1.0, 3.0], [0.0, 1.0], [0.0, 2.0]];
    assert_eq!(somers_d(&lonely, &go), Some(1.0));
    assert_eq!(somers_d_se(&lonely, &go), None);
    assert_eq!(discrimination_index(&[], 0.27, &go), None);
    assert_eq!(discrimination_index(&[[1.0, 1.0]], 0.27, &go), None);
    assert_eq!(
        discrimination_index(&[[1.0, 1.0], [0.0, 1.0]], 0.27, &go),
        Some(0.0)
    );
    assert_eq!(discriminative_efficiency(&[], &go), None);
    assert_eq!(discriminative_efficiency(&[[1.0, 2.0]], &go), None);
}

#[test]
fn errors_are_as_large_as_they_say() {
    for binary in [true, false] {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..1500 {
            let sample: Vec<_> = (0..40)
                .map(|_| {
                    let level = normal(&mut rng);
                    let score = 0.7 * level + normal(&mut rng);
                    let noise = rng.gen_range(0.0..1.0);
                    let score = if binary {
                        f64::from(score > 0.5)
                    } else {
                        score + noise
                    };
                    [score, level]
                })
                .collect();
            let ours = somers_d(&sample, &go).expect("a d");
            values.push(ours);
            errors.push(somers_d_se(&sample, &go).expect("a se"));
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n).sqrt();
        let estimated = (errors.iter().map(|se| se * se).sum::<f64>() / n).sqrt();
        assert!(
            (estimated / sd - 1.0).abs() < 0.08,
            "{estimated} against {sd}"
        );
    }
}

#[test]
fn large_samples() {
    let n = 100_000;
    let sample: Vec<_> = (0..n)
        .map(|x| [f64::from(x % 1000), f64::from((x * 7919) % n)])
        .collect();
    let ours = somers_d(&sample, &go).expect("a d");
    assert!(
        ours.abs() < 0.02 && somers_d_se(&sample, &go).expect("a se") < 0.01,
        "{ours:?}"
    );
}

#[test]
fn large_groups_can_be_stopped() {
    let sample: Vec<[f64; 2]> = (0..100_000)
        .map(|i| [f64::from(i * 7919 % 10_007), f64::from(i * 9_973 % 99_991)])
        .collect();
    // As Postgres leaves a function: without a word in the log of the tests.
    let stop = || resume_unwind(Box::new("stopped"));
    type Figure = fn(&[[f64; 2]], Poll<'_>);
    let figures: [Figure; 4] = [
        |sample, poll| {
            somers_d(sample, poll);
        },
        |sample, poll| {
            somers_d_se(sample, poll);
        },
        |sample, poll| {
            discrimination_index(sample, 0.27, poll);
        },
        |sample, poll| {
            discriminative_efficiency(sample, poll);
        },
    ];
    for figure in figures {
        assert!(catch_unwind(|| figure(&sample, &stop)).is_err());
    }
}

#[test]
fn efficiency_does_not_depend_on_the_origin() {
    let near_0: Vec<[f64; 2]> = (1..=2000)
        .map(|i| {
            [
                f64::from(i * 7919 % 1000) / 1024.0,
                f64::from(i * 31 % 17) / 1_048_576.0,
            ]
        })
        .collect();
    let far: Vec<[f64; 2]> = near_0.iter().map(|[x, y]| [x + 1e12, y + 1e6]).collect();
    // What is left of the values far away.
    let back: Vec<[f64; 2]> = far.iter().map(|[x, y]| [x - 1e12, y - 1e6]).collect();
    let [far, back] = [far, back].map(|sample| discriminative_efficiency(&sample, &go));
    close_option(far, back, 1e-12, "efficiency");
}
