//! Rows in any order and parts, as by definition.

use pg_assess_core::domain::Argument;
use pg_assess_core::students::trend::Direction;
use pg_assess_core::summary::Error;
use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::probe::{Probe, bytes_of, merged, of};
use super::{near, survives};

#[track_caller]
fn same<S: Probe>(left: &S, right: &S, tolerance: f64) {
    for (at, (a, b)) in left.answers().into_iter().zip(right.answers()).enumerate() {
        match (a, b) {
            (None, None) => (),
            (Some(a), Some(b)) => assert!(
                near(a, b, tolerance),
                "{}: answer {at}: {a} and {b} of {left:?} and {right:?}",
                S::NAME
            ),
            _ => panic!(
                "{}: answer {at}: {a:?} and {b:?} of {left:?} and {right:?}",
                S::NAME
            ),
        }
    }
}

/// Any order, any parts, any nesting: one answer.
fn any_order<S: Probe>() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for n in 0..60 {
        let mut rows: Vec<S::Row> = (0..n).map(|_| S::row(&mut rng)).collect();
        let whole = of::<S>(&rows);
        let cut = rng.gen_range(0..=n);
        let cut_again = rng.gen_range(cut..=n);
        let parts = [&rows[..cut], &rows[cut..cut_again], &rows[cut_again..]].map(of::<S>);
        same(&whole, &merged(&parts), 1e-9);
        let [a, b, c] = parts;
        same(&merged(&[c, a, b]), &merged(&[a, merged(&[b, c])]), 1e-9);
        assert_eq!(
            merged(&[whole, S::default()]),
            whole,
            "nothing adds nothing"
        );
        rows.reverse();
        same(&whole, &of::<S>(&rows), 1e-9);
    }
}

#[test]
fn rows_may_come_in_any_order_and_in_any_parts() {
    any_order::<ItemSummary>();
    any_order::<DecaySummary>();
    any_order::<TrendSummary>();
}

#[test]
fn an_interval_holds_its_correlation() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    // A perfect correlation of many, which rounding and the way back from z leave beside itself.
    let rows: Vec<(f64, f64)> = (0..3000)
        .map(|at| (f64::from(at % 2), if at % 2 == 0 { 1e100 } else { -1e100 }))
        .collect();
    let mut summaries = vec![of::<ItemSummary>(&rows)];
    for n in 4..400 {
        let noise = 10f64.powi(-(n % 17));
        let mut row = || {
            let x: f64 = rng.gen_range(0.0..1.0);
            (x, x + noise * rng.gen_range(-1.0..1.0))
        };
        summaries.push(of::<ItemSummary>(
            &(0..n).map(|_| row()).collect::<Vec<_>>(),
        ));
    }
    for summary in summaries {
        let r = summary.discrimination().expect("both vary");
        assert!((-1.0..=1.0).contains(&r));
        for confidence in [1e-9, 0.5, 0.9, 1.0 - 1e-15] {
            let interval = summary.discrimination_interval(confidence);
            let (low, high) = interval.expect("a confidence").expect("enough pairs");
            assert!(
                -1.0 <= low && low <= r && r <= high && high <= 1.0,
                "{low} {r} {high}"
            );
        }
    }
}

#[test]
fn a_score_as_old_as_the_half_life_counts_exactly_half() {
    let mut decay = DecaySummary::default();
    for (day, score) in [(0, 0.0), (60, 1.0)] {
        decay.take((day * DAY, score, 1.0));
    }
    assert_eq!(decay.level(None), Some(2.0 / 3.0));
    assert_eq!(decay.information(None), Some(1.5));
    assert_eq!(decay.information(Some(120 * DAY)), Some(0.75));
    assert_eq!(
        decay.level(Some(120 * DAY)),
        Some(2.0 / 3.0),
        "silence does not move it"
    );
    let se = |as_of| decay.level_se(as_of).expect("two scores");
    assert!(
        near(se(Some(180 * DAY)), 2.0 * se(None), 1e-12),
        "it grows with silence"
    );
    assert_eq!(
        decay.level(Some(59 * DAY)),
        None,
        "a score cannot be taken out"
    );
    assert_eq!(decay.level_se(Some(59 * DAY)), None);
    assert_eq!(decay.information(Some(59 * DAY)), None);
}

#[test]
fn no_span_is_too_long_and_no_value_too_large() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..2000 {
        let mut decay = DecaySummary::default();
        let mut trend = TrendSummary::default();
        let mut item = ItemSummary::default();
        let half_life = [1e-11, 1.0, 60.0, 1e9][rng.gen_range(0..4)];
        for _ in 0..rng.gen_range(1..8) {
            let at = match rng.gen_range(0..5) {
                0 => MIN_TIME,
                1 => MAX_TIME,
                2 => 0,
                // About as many half-lives of a day as leave a score the last bit of a float.
                3 => DAY * rng.gen_range(-1200..=0),
                _ => rng.gen_range(MIN_TIME..=MAX_TIME),
            };
            let score = [0.0, 1e100, -1e100, 1e-300, 0.3][rng.gen_range(0..5)];
            let weight = [1e-50, 1.0, 1e50][rng.gen_range(0..3)];
            decay
                .push(Clock::Absolute, at, score, weight, half_life)
                .expect("sound");
            trend.push(Clock::Absolute, at, score, weight);
            item.push(score, weight);
        }
        for alive in [survives(Ok(decay)), survives(Ok(trend)), survives(Ok(item))] {
            assert!(alive);
        }
        assert_eq!(DecaySummary::decode(&bytes_of(&decay)), Ok(decay));
        assert_eq!(TrendSummary::decode(&bytes_of(&trend)), Ok(trend));
        assert_eq!(ItemSummary::decode(&bytes_of(&item)), Ok(item));
    }
}

#[test]
fn what_cannot_be_used_is_left_out_and_counted() {
    const BAD: [f64; 5] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.1e100,
        f64::MIN,
    ];
    let (mut item, mut decay, mut trend) = (
        ItemSummary::default(),
        DecaySummary::default(),
        TrendSummary::default(),
    );
    for bad in BAD {
        item.push(bad, 1.0);
        item.push(1.0, bad);
        decay.take((0, bad, 1.0));
        decay.take((0, 1.0, bad));
        trend.take((0, bad, 1.0));
        trend.take((0, 1.0, bad));
    }
    for weight in [-1.0, 1e-51, 1e51] {
        decay.take((0, 1.0, weight));
        trend.take((0, 1.0, weight));
    }
    for at in [i64::MIN, MIN_TIME - 1, MAX_TIME + 1, i64::MAX] {
        decay.take((at, 1.0, 1.0));
        trend.take((at, 1.0, 1.0));
    }
    assert_eq!((item.n(), item.excluded()), (0, 10));
    assert_eq!((decay.n(), decay.excluded()), (0, 17));
    assert_eq!((trend.n(), trend.excluded()), (0, 17));
    assert_eq!(decay.level(None), None);
    assert!(survives(Ok(item)) && survives(Ok(decay)) && survives(Ok(trend)));
    // Nor does what came before them, or comes after, change.
    let mut item = of::<ItemSummary>(&[(0.0, 1.0), (f64::NAN, 1.0), (1.0, 2.0)]);
    item.merge(&of(&[(f64::INFINITY, 0.0)])).expect("alike");
    assert_eq!(item.discrimination(), Some(1.0));
    assert_eq!(item.excluded(), 2);
    // A weight of 0 is no fault.
    decay = DecaySummary::default();
    decay.take((DAY, 1.0, 0.0));
    assert_eq!(decay, DecaySummary::default());
    trend = TrendSummary::default();
    trend.take((DAY, 1.0, 0.0));
    assert_eq!(trend, TrendSummary::default());
}

#[test]
fn half_lives_and_clocks_do_not_mix() {
    let summary = |half_life, clock| {
        let mut decay = DecaySummary::default();
        decay.push(clock, 0, 1.0, 1.0, half_life).expect("sound");
        decay
    };
    let mut sixty = summary(60.0, Clock::Calendar);
    let refused = sixty.merge(&summary(30.0, Clock::Calendar));
    assert_eq!(
        refused,
        Err(Error::Mismatch {
            argument: "half_life",
            left: "60 days".to_owned(),
            right: "30 days".to_owned(),
        })
    );
    assert!(sixty.push(Clock::Calendar, 0, 1.0, 1.0, 30.0).is_err());
    let refused = sixty.merge(&summary(60.0, Clock::Absolute));
    assert_eq!(refused, Err(Error::Clocks));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = DecaySummary::default().push(Clock::Calendar, 0, 1.0, 1.0, bad);
        assert!(
            matches!(
                refused,
                Err(Error::Argument(Argument {
                    name: "half_life",
                    ..
                }))
            ),
            "{bad}"
        );
    }
    let mut days = TrendSummary::default();
    days.push(Clock::Calendar, 0, 1.0, 1.0);
    let mut moments = TrendSummary::default();
    moments.push(Clock::Absolute, 0, 1.0, 1.0);
    assert!(days.merge(&moments).is_err());
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(days.trend(Some(bad)).is_err());
    }
    for bad in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(ItemSummary::default().discrimination_interval(bad).is_err());
    }
}

#[test]
fn labels_of_trends() {
    let label = |score: &dyn Fn(i64) -> f64, days: i64, every: i64| {
        let mut summary = TrendSummary::default();
        for day in (0..days).step_by(every as usize) {
            summary.take((day * DAY, score(day), 1.0));
        }
        summary.trend(None).expect("the default margin").direction
    };
    let wiggle = |day: i64| 0.01 * f64::from((day * 37 % 11) as i32 - 5) / 5.0;
    assert_eq!(
        label(&|day| 0.2 + 0.004 * day as f64 + wiggle(day), 100, 7),
        Direction::Rising
    );
    assert_eq!(
        label(&|day| 0.9 - 0.004 * day as f64 + wiggle(day), 100, 7),
        Direction::Falling
    );
    assert_eq!(label(&|day| 0.5 + wiggle(day), 100, 7), Direction::Steady);
    assert_eq!(
        label(&|_| 0.5, 100, 7),
        Direction::Steady,
        "no change at all"
    );
    assert_eq!(
        label(&|day| 0.5 + 30.0 * wiggle(day), 100, 7),
        Direction::Unclear
    );
    // Four dates, or twenty days, are too few to say.
    assert_eq!(
        label(&|day| 0.2 + 0.004 * day as f64, 100, 30),
        Direction::Unclear
    );
    assert_eq!(
        label(&|day| 0.2 + 0.004 * day as f64, 20, 2),
        Direction::Unclear
    );
}

#[test]
fn rounding_alone_does_not_tell_strong_from_weak() {
    // The same sum in two orders.
    let [one, other] = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1];
    assert_ne!(one, other);
    let scores = of::<ItemSummary>(&[(one, 1.0), (other, 2.0), (one, 3.0), (other, 4.0)]);
    assert_eq!((scores.discrimination(), scores.r_rest()), (None, None));
    let criteria = of::<ItemSummary>(&[(1.0, one), (0.0, other), (1.0, one), (0.0, other)]);
    assert_eq!(
        (criteria.discrimination(), criteria.biserial()),
        (None, None)
    );
    // What is small and real does.
    let small = of::<ItemSummary>(&[(1.0, 1.0), (1.0 + 1e-12, 2.0)]);
    assert_eq!(small.discrimination(), Some(1.0));
}

#[test]
fn the_error_of_a_level_does_not_depend_on_how_long_ago_the_others_were() {
    let level_se = |days: &[(i64, f64)]| {
        let mut decay = DecaySummary::default();
        for &(day, score) in days {
            decay
                .push(Clock::Calendar, day * DAY, score, 1.0, 1.0)
                .expect("sound");
        }
        decay.level_se(None).expect("two scores")
    };
    for gap in [50, 536, 538, 600, 1000] {
        assert!(near(
            level_se(&[(0, 0.0), (gap, 1.0)]),
            0.5f64.sqrt(),
            1e-12
        ));
        let [forth, back] = [
            level_se(&[(0, 0.0), (0, 1.0), (gap, 1.0)]),
            level_se(&[(gap, 1.0), (0, 1.0), (0, 0.0)]),
        ];
        assert!(near(forth, 0.5, 1e-12) && near(back, 0.5, 1e-12), "{gap}");
    }
}

#[test]
fn rounding_alone_is_no_trend() {
    // The same average, added up in two orders.
    let [one, other] = [(0.7 + 0.8 + 0.9) / 3.0, (0.9 + 0.8 + 0.7) / 3.0];
    assert_ne!(one, other);
    let rows = [one, one, one, other, other, other];
    let rows: Vec<(i64, f64, f64)> = (0..)
        .zip(rows)
        .map(|(week, x)| (7 * week * DAY, x, 1.0))
        .collect();
    let summary = of::<TrendSummary>(&rows);
    let trend = summary.trend(None).expect("the default margin");
    assert_eq!(trend.direction, Direction::Steady);
    assert_eq!((summary.slope(), trend.p), (Some(0.0), Some(1.0)));
}

#[test]
fn dates_at_usual_distances_are_all_counted() {
    for step in (1..=60).chain(62..=64) {
        let rows: Vec<(i64, f64, f64)> = (0..10).map(|i| (step * i * DAY, 0.5, 1.0)).collect();
        assert_eq!(of::<TrendSummary>(&rows).dates(), 10, "{step} days apart");
    }
}

#[test]
fn an_interval_of_nearly_all_is_no_nan() {
    let perfect = of::<ItemSummary>(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0)]);
    let all_but_nothing = 1.0f64.next_down();
    assert_eq!(
        perfect.discrimination_interval(all_but_nothing),
        Ok(Some((1.0, 1.0)))
    );
    let some = of::<ItemSummary>(&[(1.0, 1.0), (0.0, 2.0), (1.0, 3.0), (1.0, 4.0)]);
    assert_eq!(
        some.discrimination_interval(all_but_nothing),
        Ok(Some((-1.0, 1.0)))
    );
}

#[test]
fn nothing_is_left_at_the_end_of_time() {
    let mut decay = DecaySummary::default();
    for day in [0, 1] {
        decay
            .push(Clock::Absolute, day * DAY, day as f64, 1.0, 1e9)
            .expect("sound");
    }
    let forever = Some(i64::MAX);
    assert_eq!(decay.information(forever), Some(0.0));
    assert_eq!(decay.level_se(forever), None);
    assert!(decay.level(forever).is_some());
}
