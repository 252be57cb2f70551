//! The method of Mantel and Haenszel against published figures and the formulas written out.

use std::collections::BTreeMap;

use pg_assess_core::statistics::dif::{Class, Effect, Entry, Stratum, compact, mantel_haenszel};
use pg_assess_test_support::{cases, close, normal, shuffled};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn stratum(counts: [u32; 4]) -> Stratum {
    let [reference_wrong, reference_right, focal_wrong, focal_right] = counts.map(f64::from);
    Stratum {
        reference: [reference_wrong, reference_right],
        focal: [focal_wrong, focal_right],
    }
}

/// Applications to Berkeley in 1973 (Bickel, Hammel and O'Connell 1975), departments A to F: men
/// rejected and admitted, women rejected and admitted.
const BERKELEY: [[u32; 4]; 6] = [
    [313, 512, 19, 89],
    [207, 353, 8, 17],
    [205, 120, 391, 202],
    [279, 138, 244, 131],
    [138, 53, 299, 94],
    [351, 22, 317, 24],
];

#[test]
fn berkeley_gives_the_figures_of_r() {
    let ours = mantel_haenszel(BERKELEY.map(stratum)).expect("both groups");
    // As R prints `mantelhaen.test(UCBAdmissions)`.
    close(ours.chi_squared, 1.4269, 5e-5, "chi-squared");
    close(ours.p, 0.2323, 5e-5, "p");
    assert_eq!((ours.strata, ours.n), (6, 4526));
    let effect = ours.effect.expect("an odds ratio");
    close(effect.odds_ratio, 0.904_696_8, 5e-8, "odds ratio");
    // Its interval at 95 % is .7719074 to 1.0603298, with 1.959964 standard errors either side.
    let half = (1.060_329_8f64 / 0.771_907_4).ln() / 2.0;
    close(effect.delta_se, 2.35 * half / 1.959_964, 1e-6, "se");
    close(effect.delta, -2.35 * 0.904_696_8f64.ln(), 1e-6, "delta");
    assert_eq!(effect.class, Class::A);
}

/// (odds ratio, chi-squared, variance of the log) with every sum in its own words, the variance
/// by Robins, Breslow and Greenland.
fn slow(strata: &[Stratum]) -> (f64, f64, f64) {
    let (mut observed, mut expected, mut variance) = (0.0f64, 0.0, 0.0);
    let (mut r, mut s, mut pr, mut psqr, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for stratum in strata {
        let [b, a] = stratum.reference;
        let [d, c] = stratum.focal;
        let n = a + b + c + d;
        if n < 2.0 {
            continue;
        }
        observed += a;
        expected += (a + b) * (a + c) / n;
        variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0));
        let (p, q) = ((a + d) / n, (b + c) / n);
        let (own_r, own_s) = (a * d / n, b * c / n);
        r += own_r;
        s += own_s;
        pr += p * own_r;
        psqr += p * own_s + q * own_r;
        qs += q * own_s;
    }
    let away = f64::max((observed - expected).abs() - 0.5, 0.0);
    let of_log = pr / (2.0 * r * r) + psqr / (2.0 * r * s) + qs / (2.0 * s * s);
    (r / s, away * away / variance, of_log)
}

fn strata() -> impl Strategy<Value = Vec<Stratum>> {
    let count = || prop_oneof![2 => 0..3u32, 3 => 0..40u32, 1 => 0..100_000u32];
    let one = [count(), count(), count(), count()].prop_map(stratum);
    prop::collection::vec(one, 0..12)
}

fn swapped(strata: &[Stratum]) -> Vec<Stratum> {
    let swap = |own: &Stratum| Stratum {
        reference: own.focal,
        focal: own.reference,
    };
    strata.iter().map(swap).collect()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn figures_are_those_of_the_formulas(strata in strata()) {
        let ours = mantel_haenszel(strata.iter().copied());
        let (odds_ratio, chi_squared, of_log) = slow(&strata);
        prop_assert_eq!(ours.is_some(), chi_squared.is_finite());
        let Some(ours) = ours else { return Ok(()) };
        close(ours.chi_squared, chi_squared, 1e-9 * (1.0 + chi_squared), "chi-squared");
        prop_assert!((0.0..=1.0).contains(&ours.p));
        let defined = odds_ratio.is_finite() && odds_ratio > 0.0;
        prop_assert_eq!(ours.effect.is_some(), defined);
        let turned = mantel_haenszel(swapped(&strata)).expect("both groups");
        close(turned.chi_squared, ours.chi_squared, 1e-9 * (1.0 + chi_squared), "swapped");
        let Some(effect) = ours.effect else { return Ok(()) };
        let near = |ours: f64, expected: f64| close(ours / expected, 1.0, 1e-10, "effect");
        near(effect.odds_ratio, odds_ratio);
        near(effect.delta_se, 2.35 * of_log.sqrt());
        close(effect.delta, -2.35 * odds_ratio.ln(), 1e-12, "delta");
        let Effect { delta, delta_se, class, .. } = effect;
        let expected = if delta.abs() < 1.0 || ours.p >= 0.05 {
            Class::A
        } else if delta.abs() >= 1.5 && (delta.abs() - 1.0) / delta_se > 1.645 {
            Class::C
        } else {
            Class::B
        };
        prop_assert_eq!(class, expected);
        let other = turned.effect.expect("an odds ratio");
        close(other.delta, -delta, 1e-10, "swapped");
        close(other.delta_se / delta_se, 1.0, 1e-10, "swapped");
    }

    #[test]
    fn a_tally_adds_up(
        entries in prop::collection::vec(
            (prop_oneof![Just(-0.0), (-3..4i8).prop_map(f64::from), Just(1e100), Just(0.1)],
             [0..9u8, 0..9u8, 0..9u8, 0..9u8]),
            0..60,
        ),
        cut in 0..60usize,
        seed in any::<u64>(),
    ) {
        let mut expected: BTreeMap<i64, Entry> = BTreeMap::new();
        let mut all: Vec<Entry> = Vec::new();
        for (stratum, counts) in entries {
            let [a, b, c, d] = counts.map(f64::from);
            all.push([stratum, a, b, c, d]);
            // In order of the strata, which lie no closer than a thousandth.
            let key = (stratum.min(1e3) * 1e3) as i64;
            let sum = expected.entry(key).or_insert([stratum + 0.0, 0.0, 0.0, 0.0, 0.0]);
            for (sum, count) in sum[1..].iter_mut().zip([a, b, c, d]) {
                *sum += count;
            }
        }
        let expected: Vec<Entry> = expected.into_values().collect();
        let mut whole = shuffled(&all, seed);
        let kept = compact(&mut whole);
        prop_assert_eq!(&whole[..kept], &expected);
        prop_assert!(whole[..kept].iter().all(|entry| entry[0].to_bits() != (-0.0f64).to_bits()));
        // Amortised: now and then, and once more at the end.
        let (first, rest) = all.split_at(cut.min(all.len()));
        let mut parts = first.to_vec();
        let kept = compact(&mut parts);
        parts.truncate(kept);
        parts.extend_from_slice(rest);
        let kept = compact(&mut parts);
        prop_assert_eq!(&parts[..kept], &expected);
        let figures = |entries: &[Entry]| {
            format!("{:?}", mantel_haenszel(entries.iter().map(Stratum::from)))
        };
        prop_assert_eq!(figures(&parts[..kept]), figures(&expected));
    }
}

#[test]
fn what_says_nothing_is_left_out() {
    let informative = stratum([4, 10, 7, 5]);
    let alone = mantel_haenszel([informative]).expect("both groups");
    // One group only, one outcome only, nobody.
    let silent = [
        [3, 4, 0, 0],
        [0, 0, 5, 1],
        [0, 6, 0, 2],
        [3, 0, 9, 0],
        [0; 4],
    ]
    .map(stratum);
    assert_eq!(mantel_haenszel(silent), None);
    assert_eq!(mantel_haenszel([]), None);
    let all = mantel_haenszel(silent.into_iter().chain([informative]));
    assert_eq!(all, Some(alone));
    assert_eq!((alone.strata, alone.n), (1, 26));
}

#[test]
fn odds_without_bounds_have_no_size() {
    // Every one of the reference group is right, every one of the focal group wrong.
    let ours = mantel_haenszel([stratum([0, 30, 30, 0])]).expect("both groups");
    assert_eq!(ours.effect, None);
    assert!(ours.p < 1e-12 && ours.chi_squared.is_finite());
    // Two answers: the correction leaves nothing.
    let few = mantel_haenszel([stratum([0, 1, 1, 0])]).expect("both groups");
    assert_eq!((few.chi_squared, few.p), (0.0, 1.0));
}

#[test]
fn letters() {
    let class = |counts: [u32; 4]| {
        let dif = mantel_haenszel([stratum(counts)]).expect("both groups");
        let effect = dif.effect.expect("an odds ratio");
        (effect.class.label(), effect.delta)
    };
    // Odds of 1, of 4/3, of 1.6 among many, of 3 among few and many; and the other way round.
    assert_eq!(class([500, 500, 500, 500]).0, "A");
    assert_eq!(class([4300, 5700, 5000, 5000]).0, "A");
    assert_eq!(class([3850, 6150, 5000, 5000]).0, "B");
    assert_eq!(class([5, 15, 10, 10]).0, "A");
    assert_eq!(class([2500, 7500, 5000, 5000]).0, "C");
    assert_eq!(class([5000, 5000, 2500, 7500]).0, "C");
    // Far from 0 and from it for sure, but not from 1.
    let (label, delta) = class([50, 100, 80, 80]);
    assert!(label == "B" && delta < -1.5, "{label} {delta}");
}

#[test]
fn true_differences_are_found() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for (shift, expected) in [(0.0, Class::A), (1.0, Class::C)] {
        let mut deltas = Vec::new();
        let mut found = 0;
        for _ in 0..200 {
            let mut entries: Vec<Entry> = Vec::new();
            for _ in 0..1500 {
                let focal = rng.gen_bool(0.4);
                // The focal group is weaker, which is no fault of the question.
                let ability = normal(&mut rng) - if focal { 0.6 } else { 0.0 };
                let level = (ability * 8.0).round();
                let logit = ability - if focal { shift } else { 0.0 };
                let right = rng.gen_bool(1.0 / (1.0 + (-logit).exp()));
                let mut entry = [level, 0.0, 0.0, 0.0, 0.0];
                entry[1 + usize::from(right) + 2 * usize::from(focal)] = 1.0;
                entries.push(entry);
            }
            let kept = compact(&mut entries);
            let dif = mantel_haenszel(entries[..kept].iter().map(Stratum::from)).expect("both");
            let effect = dif.effect.expect("an odds ratio");
            deltas.push((effect.delta, effect.delta_se));
            found += u32::from(effect.class == expected);
        }
        let n = deltas.len() as f64;
        let mean = deltas.iter().map(|(delta, _)| delta).sum::<f64>() / n;
        let sd = (deltas
            .iter()
            .map(|(delta, _)| (delta - mean).powi(2))
            .sum::<f64>()
            / n)
            .sqrt();
        let estimated = (deltas.iter().map(|(_, se)| se * se).sum::<f64>() / n).sqrt();
        close(mean, -2.35 * shift, 0.1, "delta");
        close(estimated / sd, 1.0, 0.15, "se");
        assert!(found >= 190, "{found} of {n} are {expected:?}");
    }
}
