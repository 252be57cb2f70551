//! Summaries of a fixed size: what they answer, that rows may come in any order and any parts,
//! and that their written forms hold every bit and nothing else.

use std::fmt::Debug;

use pg_assess_core::error::Error;
use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME, days_between};
use pg_assess_core::trend::Direction;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Equal but for rounding, which is relative to values above 1.
fn near(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * left.abs().max(right.abs()).max(1.0)
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A summary as the tests below use it.
trait Probe: Summary + Debug + PartialEq {
    type Row: Copy + Debug;
    fn take(&mut self, row: Self::Row);
    /// Everything it can be asked.
    fn answers(&self) -> Vec<Option<f64>>;
    fn row(rng: &mut ChaCha8Rng) -> Self::Row;
    /// One at the ends of what counts.
    fn extreme(rng: &mut ChaCha8Rng) -> Self::Row;
}

/// One of these, or any of a magnitude between 10^-300 and the largest.
fn extreme_of(rng: &mut ChaCha8Rng, ends: &[f64], largest: i32) -> f64 {
    match rng.gen_range(0..=ends.len()) {
        at if at < ends.len() => ends[at],
        _ => rng.gen_range(-1.0..1.0) * 10f64.powi(rng.gen_range(-300..=largest)),
    }
}

fn extreme_score(rng: &mut ChaCha8Rng) -> f64 {
    extreme_of(rng, &[0.0, 1.0, 0.1, 1e100, -1e100, 1e-300], 100)
}

fn extreme_weight(rng: &mut ChaCha8Rng) -> f64 {
    let weight = extreme_of(rng, &[1e50, 1e50, 1e-50, 1.0, 0.3], 50);
    weight.abs().max(1e-50)
}

fn extreme_time(rng: &mut ChaCha8Rng) -> i64 {
    let ends = [MIN_TIME, MAX_TIME, 0, 1, DAY, MAX_TIME - 1];
    match rng.gen_range(0..=ends.len()) {
        at if at < ends.len() => ends[at],
        _ => rng.gen_range(MIN_TIME..=MAX_TIME),
    }
}

impl Probe for ItemSummary {
    type Row = (f64, f64);

    fn take(&mut self, (score, criterion): Self::Row) {
        self.push(score, criterion);
    }

    fn answers(&self) -> Vec<Option<f64>> {
        let interval = self.discrimination_interval(0.9).expect("a confidence");
        vec![
            Some(self.n() as f64),
            Some(self.excluded() as f64),
            self.facility(),
            self.discrimination(),
            self.discrimination_se(),
            interval.map(|(low, _)| low),
            interval.map(|(_, high)| high),
            self.r_rest(),
            self.biserial(),
            self.biserial_se(),
        ]
    }

    fn row(rng: &mut ChaCha8Rng) -> Self::Row {
        let criterion: f64 = rng.gen_range(0.0..1.0);
        (f64::from(rng.gen_bool(criterion)), 20.0 * criterion)
    }

    fn extreme(rng: &mut ChaCha8Rng) -> Self::Row {
        (extreme_score(rng), extreme_score(rng))
    }
}

const HALF_LIFE: f64 = 60.0;

impl Probe for DecaySummary {
    type Row = (i64, f64, f64);

    fn take(&mut self, (at, score, weight): Self::Row) {
        self.push(Clock::Absolute, at, score, weight, HALF_LIFE)
            .expect("one half-life");
    }

    fn answers(&self) -> Vec<Option<f64>> {
        let later = self.last_at().map(|(_, at)| at.saturating_add(200 * DAY));
        vec![
            Some(self.n() as f64),
            Some(self.excluded() as f64),
            self.half_life(),
            self.level(None),
            self.level_se(None),
            self.level_se(later),
            self.information(None),
            self.information(later),
            self.n_effective(),
            self.last_at().map(|(_, at)| at as f64),
        ]
    }

    fn row(rng: &mut ChaCha8Rng) -> Self::Row {
        (
            rng.gen_range(0..400 * DAY),
            rng.gen_range(0.0..1.0),
            rng.gen_range(0.5..2.0),
        )
    }

    fn extreme(rng: &mut ChaCha8Rng) -> Self::Row {
        (extreme_time(rng), extreme_score(rng), extreme_weight(rng))
    }
}

impl Probe for TrendSummary {
    type Row = (i64, f64, f64);

    fn take(&mut self, (at, score, weight): Self::Row) {
        self.push(Clock::Absolute, at, score, weight);
    }

    fn answers(&self) -> Vec<Option<f64>> {
        let trend = self.trend(None).expect("the default margin");
        vec![
            Some(self.n() as f64),
            Some(self.excluded() as f64),
            Some(self.dates() as f64),
            self.span().map(|(_, first, _)| first as f64),
            self.span().map(|(_, _, last)| last as f64),
            trend.slope,
            trend.slope_se,
            trend.p,
            Some(f64::from(trend.direction.rank())),
        ]
    }

    fn row(rng: &mut ChaCha8Rng) -> Self::Row {
        (
            rng.gen_range(0..400 * DAY),
            rng.gen_range(0.0..1.0),
            rng.gen_range(0.5..2.0),
        )
    }

    fn extreme(rng: &mut ChaCha8Rng) -> Self::Row {
        (extreme_time(rng), extreme_score(rng), extreme_weight(rng))
    }
}

fn of<S: Probe>(rows: &[S::Row]) -> S {
    let mut summary = S::default();
    for &row in rows {
        summary.take(row);
    }
    summary
}

fn merged<S: Probe>(parts: &[S]) -> S {
    let mut whole = S::default();
    for part in parts {
        whole.merge(part).expect("alike");
    }
    whole
}

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

fn bytes_of<S: Summary>(summary: &S) -> Vec<u8> {
    let mut bytes = vec![0; S::SIZE];
    summary.store(&mut bytes);
    bytes
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

/// Whatever is read, an error or a value that can be asked, merged, written and read again.
fn survives<S: Probe>(read: pg_assess_core::Result<S>) -> bool {
    let Ok(summary) = read else {
        assert!(matches!(
            read,
            Err(Error::MalformedSummary { name, .. } | Error::NewerSummary { name, .. }) if name == S::NAME
        ));
        return false;
    };
    let finite = |summary: &S| {
        let answers = summary.answers();
        assert!(
            answers.iter().flatten().all(|answer| answer.is_finite()),
            "{summary:?} {answers:?}"
        );
    };
    finite(&summary);
    assert_eq!(S::decode(&bytes_of(&summary)), Ok(summary));
    assert_eq!(S::from_text(&summary.to_text()), Ok(summary));
    let mut twice = summary;
    match twice.merge(&summary) {
        Ok(()) => finite(&twice),
        // Twice as many as can be counted.
        Err(error) => assert!(matches!(error, Error::TooManyRows { .. }), "{error}"),
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut more = of::<S>(&[S::row(&mut rng), S::row(&mut rng)]);
    if more.merge(&summary).is_ok() {
        finite(&more);
    }
    true
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
    // A weight of nothing is no fault.
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
                Err(Error::Argument {
                    name: "half_life",
                    ..
                })
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
    let newer = |name| Some(Error::NewerSummary { name, version: 2 });
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
            matches!(refused, Err(Error::MalformedSummary { .. })),
            "{refused:?}"
        );
    }
    refuses::<ItemSummary>();
    refuses::<DecaySummary>();
    refuses::<TrendSummary>();
}
