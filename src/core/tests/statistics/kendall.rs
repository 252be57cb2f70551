//! Kendall's rank correlation against its definition, against all permutations, and against R.

use pg_assess_core::statistics::kendall::{Kendall, kendall};
use pg_assess_test_support::{close, close_option, go, shuffled};
use proptest::prelude::*;

/// Values that meet often, and some that are far apart.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (0..5u8).prop_map(|x| f64::from(x) / 10.0),
        2 => -1.0..1.0f64,
        1 => prop_oneof![Just(-0.0), Just(1e100), Just(-1e100), Just(1e-300), Just(5e-324)],
    ]
}

fn sample(most: usize) -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec((value(), value()).prop_map(|(x, y)| [x, y]), 0..most)
}

fn sign(x: f64) -> i64 {
    i64::from(x > 0.0) - i64::from(x < 0.0)
}

/// S, and the couples that differ in the first and in the second value.
fn slow_counts(sample: &[[f64; 2]]) -> (i64, i64, i64) {
    let (mut s, mut first, mut second) = (0, 0, 0);
    for (at, a) in sample.iter().enumerate() {
        for b in &sample[..at] {
            s += sign(a[0] - b[0]) * sign(a[1] - b[1]);
            first += sign(a[0] - b[0]).abs();
            second += sign(a[1] - b[1]).abs();
        }
    }
    (s, first, second)
}

/// S of every way to match the first values with the second ones.
fn all_s(sample: &[[f64; 2]]) -> Vec<i64> {
    fn permute(sample: &mut [[f64; 2]], from: usize, all: &mut Vec<i64>) {
        if from == sample.len() {
            all.push(slow_counts(sample).0);
            return;
        }
        for at in from..sample.len() {
            let swap = |sample: &mut [[f64; 2]]| {
                let kept = sample[from][1];
                sample[from][1] = sample[at][1];
                sample[at][1] = kept;
            };
            swap(sample);
            permute(sample, from + 1, all);
            swap(sample);
        }
    }
    let mut all = Vec::new();
    permute(&mut sample.to_vec(), 0, &mut all);
    all
}

/// Kendall's own formula for ties on both sides.
fn textbook_variance(sample: &[[f64; 2]]) -> f64 {
    let n = sample.len() as f64;
    let ties = |side: usize, of: &dyn Fn(f64) -> f64| {
        let mut values: Vec<f64> = sample.iter().map(|pair| pair[side]).collect();
        values.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        let groups = values.chunk_by(|a, b| a == b);
        groups.map(|group| of(group.len() as f64)).sum::<f64>()
    };
    let all = |x: f64| x * (x - 1.0) * (2.0 * x + 5.0);
    let couples = |x: f64| x * (x - 1.0);
    let triples = |x: f64| x * (x - 1.0) * (x - 2.0);
    let mut variance = (all(n) - ties(0, &all) - ties(1, &all)) / 18.0;
    variance += ties(0, &couples) * ties(1, &couples) / (2.0 * couples(n));
    if n > 2.0 {
        variance += ties(0, &triples) * ties(1, &triples) / (9.0 * triples(n));
    }
    variance
}

proptest! {
    #![proptest_config(pg_assess_test_support::cases(400))]

    #[test]
    fn counts_are_those_of_the_definition(sample in sample(80), seed in any::<u64>()) {
        let Some(ours) = kendall(&sample, &go) else {
            prop_assert!(sample.len() < 2);
            return Ok(());
        };
        let (s, first, second) = slow_counts(&sample);
        prop_assert_eq!((ours.n, ours.s), (sample.len() as u64, s));
        close(ours.variance_s, textbook_variance(&sample), 1e-8, "variance");
        let defined = first > 0 && second > 0;
        let tau_b = s as f64 / ((first * second) as f64).sqrt();
        close_option(ours.tau_b, defined.then_some(tau_b), 1e-14, "tau");
        prop_assert!(ours.tau_b.is_none_or(|tau| tau.abs() <= 1.0));
        prop_assert_eq!((ours.z.is_some(), ours.p.is_some()), (defined, defined));
        prop_assert!(ours.p.is_none_or(|p| (0.0..=1.0).contains(&p)));

        let same = kendall(&shuffled(&sample, seed), &go);
        prop_assert_eq!(format!("{ours:?}"), format!("{:?}", same.expect("the same")));
        let turned: Vec<_> = sample.iter().map(|[x, y]| [*y, -*x]).collect();
        let turned = kendall(&turned, &go).expect("as many");
        let expected = Kendall {
            s: -ours.s,
            tau_b: ours.tau_b.map(|tau| 0.0 - tau),
            z: ours.z.map(|z| 0.0 - z),
            ..ours
        };
        prop_assert_eq!(turned, expected);
    }
}

proptest! {
    #![proptest_config(pg_assess_test_support::cases(150))]

    #[test]
    fn chance_is_that_of_all_permutations(sample in sample(8)) {
        let Some(ours) = kendall(&sample, &go) else { return Ok(()) };
        let all = all_s(&sample);
        let variance = all.iter().map(|s| (s * s) as f64).sum::<f64>() / all.len() as f64;
        close(ours.variance_s, variance, 1e-10, "variance");
        let (_, first, second) = slow_counts(&sample);
        let couples = (sample.len() * (sample.len() - 1) / 2) as i64;
        if let Some(p) = ours.p && (first == couples || second == couples) {
            let as_far = all.iter().filter(|s| s.abs() >= ours.s.abs()).count();
            close(p, as_far as f64 / all.len() as f64, 1e-13, "p");
        }
    }
}

/// 1 to n against itself, but for the first `turned` which are turned around.
fn nearly_sorted(n: usize, turned: usize) -> Vec<[f64; 2]> {
    let second = (0..turned).rev().chain(turned..n);
    (0..n)
        .zip(second)
        .map(|(x, y)| [x as f64, y as f64])
        .collect()
}

#[test]
fn exact_tails_keep_all_digits() {
    for n in 2..=50usize {
        // Only two of the n! orders are as far from chance as the sorted one.
        let ours = kendall(&nearly_sorted(n, 0), &go).expect("a sample");
        let orders: f64 = (1..=n).map(|x| x as f64).product();
        let p = ours.p.expect("exact");
        assert!((p * orders / 2.0 - 1.0).abs() < 1e-14, "{n}: {p}");
        assert_eq!(ours.tau_b, Some(1.0));
        // One swap: n - 1 more orders either way.
        let ours = kendall(&nearly_sorted(n, 2), &go).expect("a sample");
        let expected = (2.0 * n as f64 / orders).min(1.0);
        assert!(
            (ours.p.expect("exact") / expected - 1.0).abs() < 1e-13,
            "{n}"
        );
    }
    // Two groups of 25: U of Mann and Whitney, whose rows number 50! / (25! 25!).
    let groups: Vec<_> = (0..50).map(|x| [f64::from(x), f64::from(x / 25)]).collect();
    let rows: f64 = (1..=25).map(|i| f64::from(25 + i) / f64::from(i)).product();
    let p = kendall(&groups, &go)
        .and_then(|ours| ours.p)
        .expect("exact");
    assert!((p * rows / 2.0 - 1.0).abs() < 1e-13, "{p}");
}

#[test]
fn exact_and_normal_chances_meet() {
    for n in [50usize, 51] {
        for turned in 20..n {
            let ours = kendall(&nearly_sorted(n, turned), &go).expect("a sample");
            let normal =
                pg_assess_core::statistics::distribution::normal_two_sided(ours.z.expect("z"));
            let p = ours.p.expect("p");
            if n > 50 {
                assert_eq!(p, normal);
            } else {
                close(p, normal, 2e-3, "p");
            }
        }
    }
    // Ties on both sides are left to the normal distribution at any size.
    let ties = [[0.0, 1.0], [0.0, 2.0], [1.0, 2.0], [2.0, 5.0]];
    let ours = kendall(&ties, &go).expect("a sample");
    let normal = pg_assess_core::statistics::distribution::normal_two_sided(ours.z.expect("z"));
    assert_eq!(ours.p, Some(normal));
}

#[test]
fn published_chances() {
    // Kendall 1970, appendix table 1: P(S >= s), one-sided.
    for (n, s, expected) in [
        (4, 6, 0.042),
        (5, 8, 0.042),
        (8, 16, 0.031),
        (10, 23, 0.023),
    ] {
        let sample = (0..n * (n - 1) / 2)
            .find_map(|swaps| {
                // So many neighbours swapped, one after the other.
                let mut second: Vec<usize> = (0..n).collect();
                let mut left = swaps;
                for end in (1..n).rev() {
                    for at in 0..end {
                        if left > 0 {
                            second.swap(at, at + 1);
                            left -= 1;
                        }
                    }
                }
                let pairs = second.iter().enumerate();
                let pairs: Vec<_> = pairs.map(|(x, y)| [x as f64, *y as f64]).collect();
                (slow_counts(&pairs).0 == s).then_some(pairs)
            })
            .expect("an order with this S");
        let p = kendall(&sample, &go).and_then(|ours| ours.p);
        close(p.expect("p") / 2.0, expected, 5e-4, "p");
    }
}

#[test]
fn nothing_to_compare() {
    assert_eq!(kendall(&[], &go), None);
    assert_eq!(kendall(&[[1.0, 1.0]], &go), None);
    for sample in [[[0.0, 1.0], [-0.0, 2.0]], [[1.0, -0.0], [2.0, 0.0]]] {
        let ours = kendall(&sample, &go).expect("two pairs");
        assert_eq!((ours.s, ours.variance_s), (0, 0.0));
        assert_eq!((ours.tau_b, ours.z, ours.p), (None, None, None));
    }
}

#[test]
fn large_samples_lose_no_digits() {
    // Half of the scores tied, one time apart from all others: S is (n - 1 - ties) / 2-ish.
    let n = 200_000;
    let sample: Vec<_> = (0..n)
        .map(|x| {
            [
                f64::from(u8::from(x == 0)),
                f64::from((x / 2) * 2 % 100_000),
            ]
        })
        .collect();
    let ours = kendall(&sample, &go).expect("a sample");
    // By the two-sample formula: S = sum of signs against one; its variance over the places.
    let mut levels: Vec<f64> = sample.iter().map(|pair| pair[1]).collect();
    levels.sort_by(f64::total_cmp);
    let mut variance = 0.0;
    let mut below = 0.0;
    for tied in levels.chunk_by(|a, b| a == b) {
        let above = f64::from(n) - below - tied.len() as f64;
        variance += tied.len() as f64 * (below - above) * (below - above);
        below += tied.len() as f64;
    }
    let variance = variance / f64::from(n);
    assert!((ours.variance_s / variance - 1.0).abs() < 1e-12);
}
