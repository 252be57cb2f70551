//! Written forms: exact, frozen, and refused when they are spoiled.

use pg_assess_core::students::trend::Direction;
use pg_assess_core::summary::Error;
use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, days_between};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::probe::{Probe, bytes_of, merged, of};
use super::{near, survives};

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Both written forms give the same value again.
fn forms<S: Probe>() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for n in 0..50 {
        let rows: Vec<S::Row> = (0..n).map(|_| S::row(&mut rng)).collect();
        let summary = of::<S>(&rows);
        assert_eq!(S::decode(&bytes_of(&summary)), Ok(summary));
        assert_eq!(S::from_text(&summary.to_text()), Ok(summary));
        let again = S::from_text(&summary.to_text()).expect("its own text");
        assert_eq!(bytes_of(&again), bytes_of(&summary), "to the last bit");
    }
}

#[test]
fn written_forms_hold_every_bit() {
    forms::<ItemSummary>();
    forms::<DecaySummary>();
    forms::<TrendSummary>();
}

/// Whatever rows make can be read again, also when they are all alike, when they are rolled up, and
/// whatever they weigh.
fn extremes<S: Probe>() {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    let readable = |summary: &S| {
        assert_eq!(S::decode(&bytes_of(summary)), Ok(*summary), "{summary:?}");
        assert_eq!(
            S::from_text(&summary.to_text()),
            Ok(*summary),
            "{summary:?}"
        );
    };
    for case in 0..6000 {
        let few: Vec<S::Row> = (0..=case % 4).map(|_| S::extreme(&mut rng)).collect();
        let parts: Vec<S> = (0..3)
            .map(|_| {
                let rows = 0..rng.gen_range(0..100);
                let row = |rng: &mut ChaCha8Rng| match case % 5 {
                    0 => S::extreme(rng),
                    _ => few[rng.gen_range(0..few.len())],
                };
                of::<S>(&rows.map(|_| row(&mut rng)).collect::<Vec<_>>())
            })
            .collect();
        parts.iter().for_each(readable);
        readable(&merged(&parts));
    }
}

#[test]
fn whatever_an_aggregate_makes_can_be_read_again() {
    extremes::<ItemSummary>();
    extremes::<DecaySummary>();
    extremes::<TrendSummary>();
}

/// Doubled until the rows are too many to count: an error then, and not a value nobody can read.
fn countable<S: Probe>(row: S::Row, excluded: S::Row) {
    for row in [row, excluded] {
        let mut summary = of::<S>(&[row]);
        let refused = loop {
            let before = summary;
            if let Err(error) = summary.merge(&before) {
                break error;
            }
            assert_eq!(S::decode(&bytes_of(&summary)), Ok(summary));
        };
        let expected = Error::TooManyRows {
            name: S::NAME,
            limit: 1 << 53,
        };
        assert_eq!(refused, expected);
    }
}

#[test]
fn rows_too_many_to_count_are_refused() {
    countable::<ItemSummary>((1.0, 3.0), (f64::NAN, 3.0));
    countable::<DecaySummary>((0, 1.0, 1.0), (0, f64::NAN, 1.0));
    countable::<TrendSummary>((0, 1.0, 1.0), (0, f64::NAN, 1.0));
}

fn mutated<S: Probe>() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let samples: Vec<S> = [0, 1, 2, 3, 40]
        .map(|n| of::<S>(&(0..n).map(|_| S::row(&mut rng)).collect::<Vec<_>>()))
        .to_vec();
    let (mut valid, mut refused) = (0, 0);
    let mut count = |alive: bool| match alive {
        true => valid += 1,
        false => refused += 1,
    };
    const SPECIAL: [f64; 10] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        5e-324,
        -1e-320,
        1e308,
        1e100,
    ];
    for round in 0..100_000 {
        let mut bytes = bytes_of(&samples[rng.gen_range(0..samples.len())]);
        match round % 5 {
            0 => {
                let word = 8 * rng.gen_range(0..S::SIZE / 8);
                let special = SPECIAL[rng.gen_range(0..SPECIAL.len())];
                bytes[word..word + 8].copy_from_slice(&special.to_le_bytes());
            }
            1 => {
                let at = rng.gen_range(0..bytes.len());
                bytes[at] ^= 1 << rng.gen_range(0..8);
            }
            2 => bytes.truncate(rng.gen_range(0..bytes.len())),
            3 => rng.fill(&mut bytes[8..]),
            _ => {
                let word = 8 * rng.gen_range(0..S::SIZE / 8);
                rng.fill(&mut bytes[word..word + 8]);
            }
        }
        count(survives(S::decode(&bytes)));
    }
    const PIECES: [&str; 12] = [
        "",
        " ",
        "-",
        "1e400",
        "NaN",
        "inf",
        "=",
        "v",
        "9",
        "none",
        "true",
        "\u{1f393}",
    ];
    for round in 0..100_000 {
        let mut text = samples[rng.gen_range(0..samples.len())].to_text();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = places[rng.gen_range(0..places.len())];
        match round % 4 {
            0 => text.insert_str(at, PIECES[rng.gen_range(0..PIECES.len())]),
            1 => drop(text.remove(at)),
            2 => text.truncate(at),
            _ => {
                let digit = char::from(rng.gen_range(b' '..=b'~'));
                text.replace_range(at..=at, digit.encode_utf8(&mut [0; 4]));
            }
        }
        count(survives(S::from_text(&text)));
    }
    assert!(
        valid > 5000 && refused > 5000,
        "{}: {valid} {refused}",
        S::NAME
    );
}

#[test]
fn a_hundred_thousand_spoiled_item_summaries() {
    mutated::<ItemSummary>();
}

#[test]
fn a_hundred_thousand_spoiled_decay_summaries() {
    mutated::<DecaySummary>();
}

#[test]
fn a_hundred_thousand_spoiled_trend_summaries() {
    mutated::<TrendSummary>();
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_text_is_an_error_or_a_value(text in "\\PC{0,80}|v1( [a-z_]{1,9}=[-0-9a-z.]{1,9}){0,13}") {
        survives(ItemSummary::from_text(&text));
        survives(DecaySummary::from_text(&text));
        survives(TrendSummary::from_text(&text));
    }

    /// What the sums say is what a second look at all rows says.
    #[test]
    fn items_as_by_definition(rows in prop::collection::vec((0..3u8, -50.0..50.0f64), 0..40)) {
        let rows: Vec<(f64, f64)> = rows.iter().map(|&(x, y)| (f64::from(x % 2), y)).collect();
        let item = of::<ItemSummary>(&rows);
        let n = rows.len() as f64;
        prop_assert_eq!(item.n() as f64, n);
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / n;
        let (x, y) = (mean(&|row| row.0), mean(&|row| row.1));
        let (xx, yy) = (mean(&|row| (row.0 - x).powi(2)), mean(&|row| (row.1 - y).powi(2)));
        let xy = mean(&|row| (row.0 - x) * (row.1 - y));
        prop_assert!(rows.is_empty() || near(item.facility().unwrap_or(f64::NAN), x, 1e-12));
        match item.discrimination() {
            Some(r) => prop_assert!(near(r, xy / (xx * yy).sqrt(), 1e-9)),
            None => prop_assert!(rows.len() < 2 || xx.min(yy) < 1e-20),
        }
        let rest = mean(&|row| (row.1 - row.0 - y + x).powi(2));
        if let Some(r) = item.r_rest() {
            let products = mean(&|row| (row.0 - x) * (row.1 - row.0 - y + x));
            prop_assert!(near(r, products / (xx * rest).sqrt(), 1e-8));
        }
    }

    #[test]
    fn decays_as_by_definition(
        rows in prop::collection::vec((0..1000i64, -5.0..5.0f64, 0.25..4.0f64), 1..40),
        half_life in 1.0..400.0f64,
        silence in 0..500i64,
    ) {
        let mut decay = DecaySummary::default();
        for &(day, score, weight) in &rows {
            decay.push(Clock::Calendar, day * DAY, score, weight, half_life).expect("sound");
        }
        let as_of = rows.iter().map(|row| row.0).max().unwrap_or(0) + silence;
        let faded: Vec<(f64, f64, f64)> = rows
            .iter()
            .map(|&(day, score, weight)| {
                let d = 0.5f64.powf((as_of - day) as f64 / half_life);
                (d, weight, score)
            })
            .collect();
        let sum = |of: &dyn Fn(f64, f64, f64) -> f64| {
            faded.iter().map(|&(d, q, x)| of(d, q, x)).sum::<f64>()
        };
        let weight = sum(&|d, q, _| d * q);
        let mean = sum(&|d, q, x| d * q * x) / weight;
        let now = Some(as_of * DAY);
        prop_assert!(near(decay.level(now).expect("a level"), mean, 1e-9));
        prop_assert!(near(decay.information(now).expect("some"), weight, 1e-9));
        let kish = weight * weight / sum(&|d, q, _| (d * q).powi(2));
        prop_assert!(near(decay.n_effective().expect("some"), kish, 1e-9));
        // Both are sums over couples, in which nothing cancels.
        let couples = |of: &dyn Fn(usize, usize) -> f64| {
            let n = faded.len();
            let all = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
            all.filter(|(i, j)| i != j).map(|(i, j)| of(i, j)).sum::<f64>() / weight
        };
        let w = |i: usize| faded[i].0 * faded[i].1;
        let free = couples(&|i, j| faded[i].0 * w(j));
        let squares = couples(&|i, j| w(i) * w(j) * (faded[i].2 - faded[j].2).powi(2)) / 2.0;
        match decay.level_se(now) {
            Some(se) => prop_assert!(near(se, (squares / free / weight).sqrt(), 1e-9)),
            None => prop_assert!(free == 0.0),
        }
    }

    #[test]
    fn trends_as_by_definition(
        rows in prop::collection::vec((0..200i64, -5.0..5.0f64, 0.25..4.0f64), 1..40),
    ) {
        let mut summary = TrendSummary::default();
        for &(day, score, weight) in &rows {
            summary.push(Clock::Calendar, day * DAY, score, weight);
        }
        let sum = |of: &dyn Fn(f64, f64, f64) -> f64| {
            rows.iter().map(|&(t, x, q)| of(t as f64, x, q)).sum::<f64>()
        };
        let weight = sum(&|_, _, q| q);
        let (t, x) = (sum(&|t, _, q| q * t) / weight, sum(&|_, x, q| q * x) / weight);
        let spread = sum(&|at, _, q| q * (at - t).powi(2));
        let slope = sum(&|at, score, q| q * (at - t) * (score - x)) / spread;
        let trend = summary.trend(None).expect("the default margin");
        prop_assert_eq!(summary.slope(), trend.slope);
        if spread == 0.0 {
            prop_assert_eq!(trend.slope, None);
            prop_assert_eq!(trend.direction, Direction::Unclear);
        } else {
            prop_assert!(near(trend.slope.expect("a slope"), 30.0 * slope, 1e-8));
            let residual = sum(&|at, score, q| q * (score - x - slope * (at - t)).powi(2));
            let df = rows.len() as f64 - 2.0;
            match trend.slope_se {
                Some(se) => prop_assert!(near(se, 30.0 * (residual / df / spread).sqrt(), 1e-6)),
                None => prop_assert!(df <= 0.0),
            }
        }
        let mut days: Vec<i64> = rows.iter().map(|row| row.0).collect();
        days.sort_unstable();
        days.dedup();
        let at_most = days.len() as u64;
        prop_assert!(summary.dates() <= at_most);
        days.iter_mut().for_each(|day| *day %= 61);
        days.sort_unstable();
        days.dedup();
        prop_assert_eq!(summary.dates(), days.len() as u64);
    }
}

/// A value at an end of its range or amid it, at times next to another one.
fn awkward(rng: &mut ChaCha8Rng, values: &[f64]) -> f64 {
    let value = values[rng.gen_range(0..values.len())];
    let next = if value.abs() < 1e50 {
        rng.gen_range(0..3)
    } else {
        0
    };
    f64::from_bits(value.to_bits() + next)
}

/// Values that differ by rounding alone, or by more than can be squared.
#[test]
fn no_rows_and_no_parts_lead_to_a_refused_state() {
    const SCORES: [f64; 10] = [
        0.0, 0.3, 0.7, 1.0, 1e-17, 5e-324, 1e-160, 1e-50, 1e100, -1e100,
    ];
    const WEIGHTS: [f64; 6] = [1e-50, 1e-9, 0.1, 1.0, 1e9, 1e50];
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for _ in 0..20_000 {
        // A group has a few values of its own, so that many of its rows are nearly equal.
        let few: Vec<f64> = (0..rng.gen_range(1..4))
            .map(|_| SCORES[rng.gen_range(0..SCORES.len())])
            .collect();
        let half_life = [1e-11, 1e-3, 1.0, 60.0, 1e9][rng.gen_range(0..5)];
        let span = [1, DAY / 7, 90 * DAY, MAX_TIME][rng.gen_range(0..4)];
        let mut parts: [(ItemSummary, DecaySummary, TrendSummary); 3] = Default::default();
        for _ in 0..rng.gen_range(1..30) {
            let (item, decay, trend) = &mut parts[rng.gen_range(0..3)];
            let score = awkward(&mut rng, &few);
            let (at, weight) = (rng.gen_range(0..=span), awkward(&mut rng, &WEIGHTS));
            item.push(score, awkward(&mut rng, &few));
            decay
                .push(Clock::Absolute, at, score, weight, half_life)
                .expect("sound");
            trend.push(Clock::Absolute, at, score, weight);
        }
        assert!(survives(Ok(merged(&parts.map(|part| part.0)))));
        assert!(survives(Ok(merged(&parts.map(|part| part.1)))));
        assert!(survives(Ok(merged(&parts.map(|part| part.2)))));
    }
}

/// The bytes of format version 1, word by word.
#[test]
fn the_format_is_frozen() {
    let hex = |bytes: Vec<u8>| {
        let words = bytes.chunks(8).map(|word| {
            word.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let item = of::<ItemSummary>(&[(0.0, 1.0), (1.0, 2.0), (f64::NAN, 1.0)]);
    assert_eq!(
        hex(bytes_of(&item)),
        "0100000000000000 0200000000000000 0100000000000000 0000000000000000 \
         000000000000e03f 000000000000f83f 000000000000e03f 000000000000e03f \
         000000000000e03f"
    );
    assert_eq!(
        item.to_text(),
        "v1 n=2 excluded=1 graded=false score=0.5 criterion=1.5 score_squares=0.5 \
         criterion_squares=0.5 products=0.5"
    );
    let decay = of::<DecaySummary>(&[(0, 0.0, 1.0), (60 * DAY, 1.0, 1.5)]);
    assert_eq!(
        decay.to_text(),
        "v1 n=2 excluded=0 clock=absolute half_life=60.0 last_at=5184000000000 weight=2.0 \
         weight_squares=2.5 decay=0.875 free=0.625 mean=0.75 squares=0.375"
    );
    assert_eq!(
        hex(bytes_of(&decay)),
        "0100000000000000 0200000000000000 0000000000000000 0200000000000000 \
         0000000000004e40 00807afeb6040000 0000000000000040 0000000000000440 \
         000000000000ec3f 000000000000e43f 000000000000e83f 000000000000d83f"
    );
    let trend = of::<TrendSummary>(&[(0, 0.0, 1.0), (2 * DAY, 1.0, 1.0)]);
    assert_eq!(
        trend.to_text(),
        "v1 n=2 excluded=0 clock=absolute first_at=0 last_at=172800000000 days=5 weight=2.0 \
         time=1.0 score=0.5 time_squares=2.0 score_squares=0.5 products=1.0"
    );
    assert_eq!(
        hex(bytes_of(&trend)),
        "0100000000000000 0200000000000000 0000000000000000 0200000000000000 \
         0000000000000000 00c0ae3b28000000 0500000000000000 0000000000000040 \
         000000000000f03f 000000000000e03f 0000000000000040 000000000000e03f \
         000000000000f03f"
    );
    let newer = |name| Some(Error::Newer { name, version: 2 });
    assert_eq!(
        ItemSummary::from_text("v2 n=1").err(),
        newer("item_summary")
    );
    assert_eq!(DecaySummary::decode(&[2; 96]).err(), newer("decay_summary"));
    assert_eq!(TrendSummary::decode(&[2]).err(), newer("trend_summary"));
    assert_eq!(
        (ItemSummary::SIZE, DecaySummary::SIZE, TrendSummary::SIZE),
        (72, 96, 104)
    );
    assert_eq!(days_between(0, 2 * DAY), 2.0);
}

#[test]
fn words_that_no_rows_lead_to_are_refused() {
    for text in [
        // One score does not vary, and no score has no mean.
        "v1 n=1 excluded=0 graded=false score=1.0 criterion=2.0 score_squares=1.0 \
         criterion_squares=1.0 products=1.0",
        "v1 n=0 excluded=1 graded=true score=0.0 criterion=0.0 score_squares=0.0 \
         criterion_squares=0.0 products=0.0",
        "v1 n=0 excluded=1 graded=false score=5.0 criterion=0.0 score_squares=0.0 \
         criterion_squares=0.0 products=0.0",
        // Right and wrong have a mean of 0 to 1 and the spread that goes with it.
        "v1 n=2 excluded=0 graded=false score=5.0 criterion=2.0 score_squares=0.5 \
         criterion_squares=1.0 products=0.5",
        "v1 n=2 excluded=0 graded=false score=0.5 criterion=2.0 score_squares=0.25 \
         criterion_squares=1.0 products=0.25",
    ] {
        assert!(ItemSummary::from_text(text).is_err(), "{text}");
    }
    for text in [
        // Scores of one time, or one score, have no spread in time, and their mean lies between.
        "v1 n=2 excluded=0 clock=absolute first_at=0 last_at=0 days=1 weight=2.0 time=0.0 \
         score=0.5 time_squares=2.0 score_squares=0.5 products=1.0",
        "v1 n=2 excluded=0 clock=absolute first_at=0 last_at=172800000000 days=5 weight=2.0 \
         time=500.0 score=0.5 time_squares=2.0 score_squares=0.5 products=1.0",
        "v1 n=2 excluded=0 clock=absolute first_at=0 last_at=172800000000 days=5 weight=2.0 \
         time=1.0 score=0.5 time_squares=9.0 score_squares=0.5 products=1.0",
        "v1 n=1 excluded=0 clock=absolute first_at=0 last_at=172800000000 days=1 weight=2.0 \
         time=1.0 score=0.5 time_squares=2.0 score_squares=0.5 products=1.0",
    ] {
        assert!(TrendSummary::from_text(text).is_err(), "{text}");
    }
    let text = "v1 n=1 excluded=0 clock=absolute half_life=60.0 last_at=0 weight=2.0 \
                weight_squares=4.0 decay=1.0 free=0.625 mean=0.75 squares=0.375";
    assert!(DecaySummary::from_text(text).is_err(), "{text}");
}

/// Its text does not say the words of an empty summary, so none of them can hold anything.
#[test]
fn an_empty_summary_has_no_signed_zero() {
    fn refuses<S: Probe>() {
        let mut bytes = bytes_of(&S::default());
        let last = bytes.len() - 1;
        bytes[last] = 0x80;
        let refused = S::decode(&bytes);
        assert!(
            matches!(refused, Err(Error::Malformed { .. })),
            "{refused:?}"
        );
    }
    refuses::<ItemSummary>();
    refuses::<DecaySummary>();
    refuses::<TrendSummary>();
}
