//! Theil-Sen slopes against all slopes, one by one.

use pg_assess_core::statistics::distribution::normal_quantile;
use pg_assess_core::statistics::kendall::kendall;
use pg_assess_core::statistics::theil_sen::{TheilSen, theil_sen};
use pg_assess_test_support::{close_option, go, normal, shuffled};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CONFIDENCE: f64 = 0.9;

/// Slope by slope, in order; none for couples of one time.
fn all_slopes(sample: &[[f64; 2]], slope: impl Fn(&[f64; 2], &[f64; 2]) -> f64) -> Vec<f64> {
    let mut slopes = Vec::new();
    for (at, a) in sample.iter().enumerate() {
        for b in &sample[..at] {
            if a[0] < b[0] {
                slopes.push(slope(a, b));
            } else if a[0] > b[0] {
                slopes.push(slope(b, a));
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    slopes
}

/// What the definition makes of sorted slopes.
fn slow_theil_sen(sample: &[[f64; 2]], slopes: &[f64]) -> Option<TheilSen> {
    let pairs = slopes.len();
    if pairs == 0 {
        return None;
    }
    let kendall = kendall(sample, &go)?;
    let c = normal_quantile(0.5 + CONFIDENCE / 2.0) * kendall.variance_s.sqrt();
    let rank = ((pairs as f64 - c) / 2.0).floor();
    let limit = rank >= 1.0 && kendall.tau_b.is_some();
    let finite = |slope: f64| (slope.abs() < f64::MAX).then_some(slope);
    let (low, high) = (slopes[(pairs - 1) / 2], slopes[pairs / 2]);
    Some(TheilSen {
        slope: (finite(low)? + finite(high)?) / 2.0,
        ci_low: limit.then(|| slopes[rank as usize - 1]).and_then(finite),
        ci_high: limit
            .then(|| slopes[pairs - rank as usize])
            .and_then(finite),
        n: kendall.n,
        pairs: pairs as u64,
    })
}

/// As anyone would calculate it; exact before the division for whole numbers.
fn plain(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (b[1] - a[1]) / (b[0] - a[0])
}

/// Exact for times that are whole numbers and scores that are 0 or between 1/64 and 1: in whole
/// numbers of 2^-60, divided by hand to 55 digits and a rest, and rounded.
fn rational(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    let unit = (1u64 << 60) as f64;
    let rise = (b[1] * unit) as i128 - (a[1] * unit) as i128;
    let run = (b[0] - a[0]) as i128;
    let shift = 60;
    let quotient = (rise.abs() << shift) / run;
    let rest = (rise.abs() << shift) % run;
    let digits = 128 - quotient.leading_zeros() as i32;
    let drop = (digits - 55).max(0);
    // The last digit says whether anything was left out.
    let left_out = rest != 0 || quotient & ((1 << drop) - 1) != 0;
    let kept = (quotient >> drop << 1) | i128::from(left_out);
    let rounded = kept as f64 * 2f64.powi(drop - 1 - shift - 60);
    if rise < 0 { -rounded } else { rounded }
}

fn assert_same(sample: &[[f64; 2]], slope: impl Fn(&[f64; 2], &[f64; 2]) -> f64) {
    let ours = theil_sen(sample, Some(CONFIDENCE), &go);
    let slow = slow_theil_sen(sample, &all_slopes(sample, slope));
    assert_eq!(ours, slow);
}

/// Whole numbers that meet often.
fn whole(most: usize) -> impl Strategy<Value = Vec<[f64; 2]>> {
    let one = (-6..20i32, prop_oneof![0..4i32, -1000..1000i32]);
    let one = one.prop_map(|(time, score)| [f64::from(time), f64::from(score)]);
    prop::collection::vec(one, 0..most)
}

/// Whole times, and shares that no binary number is.
fn shares(most: usize) -> impl Strategy<Value = Vec<[f64; 2]>> {
    let score = prop_oneof![
        (0..=10u8).prop_map(|x| f64::from(x) / 10.0),
        (0..=7u8).prop_map(|x| f64::from(x) / 7.0),
        0.1..1.0f64,
    ];
    let one = (0..30u8, score).prop_map(|(time, score)| [f64::from(time), score]);
    prop::collection::vec(one, 0..most)
}

/// Anything finite up to 1e100.
fn wild(most: usize) -> impl Strategy<Value = Vec<[f64; 2]>> {
    let value = prop_oneof![
        4 => -10.0..10.0f64,
        2 => (-3..3i8).prop_map(f64::from),
        1 => (-300..=100i32).prop_map(|exponent| 10f64.powi(exponent)),
        1 => prop_oneof![Just(-0.0), Just(5e-324), Just(-5e-324), Just(1e100), Just(-1e100)],
        1 => (0..5u8).prop_map(|x| 1e-300 * f64::from(x)),
    ];
    prop::collection::vec([value.clone(), value], 0..most)
}

proptest! {
    #![proptest_config(pg_assess_test_support::cases(300))]

    #[test]
    fn whole_numbers_give_the_plain_median(sample in whole(60)) {
        assert_same(&sample, plain);
    }

    #[test]
    fn shares_give_the_exact_median_rounded_once(sample in shares(60)) {
        assert_same(&sample, rational);
        let near = slow_theil_sen(&sample, &all_slopes(&sample, plain));
        let ours = theil_sen(&sample, Some(CONFIDENCE), &go);
        let slope = |found: Option<TheilSen>| found.map(|found| found.slope);
        close_option(slope(ours), slope(near), 1e-15, "slope");
    }

    #[test]
    fn anything_finite_gives_numbers_or_none(sample in wild(40), seed in any::<u64>()) {
        let ours = theil_sen(&sample, Some(CONFIDENCE), &go);
        let text = format!("{ours:?}");
        prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
        let other = theil_sen(&shuffled(&sample, seed), Some(CONFIDENCE), &go);
        prop_assert_eq!(text, format!("{other:?}"));
        let Some(ours) = ours else { return Ok(()) };
        prop_assert!(ours.ci_low.is_none_or(|low| low <= ours.slope));
        prop_assert!(ours.ci_high.is_none_or(|high| ours.slope <= high));
        let turned: Vec<_> = sample.iter().map(|[time, score]| [*time, -score]).collect();
        let turned = theil_sen(&turned, Some(CONFIDENCE), &go).expect("a slope");
        prop_assert_eq!(turned.slope, -ours.slope);
        prop_assert_eq!(turned.ci_low, ours.ci_high.map(|slope| -slope));
    }
}

/// Points with ties in both, too many for their slopes to be listed at once.
fn crowd(n: usize, seed: u64, score: impl Fn(&mut ChaCha8Rng, f64) -> f64) -> Vec<[f64; 2]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n)
        .map(|_| {
            let time = f64::from(rng.gen_range(0..400u16));
            [time, score(&mut rng, time)]
        })
        .collect()
}

#[test]
fn many_points_give_what_few_do() {
    let points = |rng: &mut ChaCha8Rng, time: f64| (0.1 * time + 9.0 * normal(rng)).round();
    assert_same(&crowd(3000, 1, points), plain);
    assert_same(
        &crowd(1200, 2, |rng, _| f64::from(rng.gen_range(0..2u8))),
        plain,
    );
    assert_same(
        &crowd(1500, 3, |rng, _| f64::from(rng.gen_range(0..=10u8)) / 10.0),
        rational,
    );
    let line = |rng: &mut ChaCha8Rng, time: f64| 0.1 + time / 500.0 + 0.1 * rng.gen_range(0.0..1.0);
    assert_same(&crowd(1500, 4, line), rational);
    // All on one line but for the rounding of each.
    assert_same(&crowd(1500, 5, |_, time| 0.1 + 0.002 * time), rational);
    assert_same(&crowd(1500, 6, |_, time| 3.0 * time), plain);
    // Two dates.
    let mut before_and_after = crowd(1500, 7, |rng, _| f64::from(rng.gen_range(0..=9u8)) / 9.0);
    for point in &mut before_and_after {
        point[0] = f64::from(u8::from(point[0] > 150.0));
    }
    assert_same(&before_and_after, rational);
}

#[test]
fn many_wild_points_do_no_harm() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for tiny in [1e-20, 1e-150, 1e-300] {
        let mut value = || match rng.gen_range(0..4) {
            0 => tiny * f64::from(rng.gen_range(0..9u8)),
            1 => 1e100 * normal(&mut rng).clamp(-1.0, 1.0),
            2 => f64::from(rng.gen_range(0..9u8)),
            _ => normal(&mut rng),
        };
        let sample: Vec<_> = (0..1000).map(|_| [value(), value()]).collect();
        let text = format!("{:?}", theil_sen(&sample, Some(CONFIDENCE), &go));
        assert!(text.starts_with("Some"), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let other = theil_sen(&shuffled(&sample, 9), Some(CONFIDENCE), &go);
        assert_eq!(text, format!("{other:?}"));
    }
}

#[test]
fn sens_limits() {
    // Ten distinct dates: Var S = 125, C = 1.96 * 11.18 = 21.91, M = (45 - 21.91) / 2 = 11.54.
    let sample: Vec<_> = (0..10).map(|x| [f64::from(x), f64::from(x * x)]).collect();
    let ours = theil_sen(&sample, Some(0.95), &go).expect("a slope");
    let slopes = all_slopes(&sample, plain);
    assert_eq!((ours.n, ours.pairs, ours.slope), (10, 45, 9.0));
    assert_eq!(
        (ours.ci_low, ours.ci_high),
        (Some(slopes[10]), Some(slopes[34]))
    );
    // Of six slopes none is far enough out.
    let few = theil_sen(&sample[..4], Some(0.95), &go).expect("a slope");
    assert_eq!((few.slope, few.ci_low, few.ci_high), (3.0, None, None));
    // Equal scores rise by nothing, and who knows how surely.
    let flat: Vec<_> = (0..20).map(|x| [f64::from(x), 0.3]).collect();
    let flat = theil_sen(&flat, Some(0.95), &go).expect("a slope");
    assert_eq!((flat.slope, flat.ci_low, flat.ci_high), (0.0, None, None));
}

#[test]
fn no_slope() {
    assert_eq!(theil_sen(&[], Some(0.9), &go), None);
    assert_eq!(theil_sen(&[[1.0, 2.0]], Some(0.9), &go), None);
    assert_eq!(theil_sen(&[[0.0, 1.0], [-0.0, 2.0]], Some(0.9), &go), None);
    assert_eq!(
        theil_sen(&[[0.0, 0.0], [1e-300, 1e100]], Some(0.9), &go),
        None
    );
}

#[test]
fn limits_cover_as_often_as_they_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let (runs, mut covered) = (2000, 0);
    for _ in 0..runs {
        let sample: Vec<_> = (0..15)
            .map(|_| {
                let day = rng.gen_range(0.0..200.0f64).round();
                [day, 0.02 * day + normal(&mut rng)]
            })
            .collect();
        let ours = theil_sen(&sample, Some(CONFIDENCE), &go).expect("a slope");
        let (low, high) = ours.ci_low.zip(ours.ci_high).expect("limits");
        covered += usize::from(low <= 0.02 && 0.02 <= high);
    }
    // A little more than 90 %, as ranks are whole; three standard errors are 2 %.
    let share = f64::from(covered as u32) / f64::from(runs);
    assert!((0.885..0.95).contains(&share), "{share}");
}
