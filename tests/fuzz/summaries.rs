//! Summaries from bytes, from texts and from rows.
//!
//! The first byte chooses the type, the second what the others are.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pg_assess_core::summary::Error;
use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_core::time::{Clock, DAY};

fuzz_target!(|data: &[u8]| {
    if let [kind, form, rest @ ..] = data {
        match kind % 3 {
            0 => check::<ItemSummary>(*form, rest),
            1 => check::<DecaySummary>(*form, rest),
            _ => check::<TrendSummary>(*form, rest),
        }
    }
});

/// What the laws need to know of a type.
trait Probe: Summary + std::fmt::Debug + PartialEq {
    fn take(&mut self, row: &Scored);
    fn n(&self) -> u64;
    /// All that it can be asked.
    fn answers(&self) -> Vec<Option<f64>>;
}

const HALF_LIFE: f64 = 60.0;

/// A row for each of the types.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Scored {
    score: Value,
    /// The criterion, or the weight.
    other: Value,
    at: Time,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Value {
    Zero,
    One,
    Tenths(i8),
    /// 10 to this power.
    Power(i8),
    Any(f64),
}

impl Value {
    fn value(self) -> f64 {
        match self {
            Value::Zero => 0.0,
            Value::One => 1.0,
            Value::Tenths(n) => f64::from(n) / 10.0,
            Value::Power(n) => 10f64.powi(i32::from(n)),
            Value::Any(value) => value,
        }
    }
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Time {
    Day(i8),
    Any(i64),
}

impl Time {
    fn at(self) -> i64 {
        match self {
            Time::Day(day) => i64::from(day) * DAY,
            Time::Any(at) => at,
        }
    }
}

impl Probe for ItemSummary {
    fn take(&mut self, row: &Scored) {
        self.push(row.score.value(), row.other.value());
    }

    fn n(&self) -> u64 {
        ItemSummary::n(self)
    }

    fn answers(&self) -> Vec<Option<f64>> {
        let r = self.discrimination();
        assert!(r.is_none_or(|r| r.abs() <= 1.0));
        let interval = self.discrimination_interval(0.9).expect("a confidence");
        if let Some(((low, high), r)) = interval.zip(r) {
            assert!(-1.0 <= low && low <= r && r <= high && high <= 1.0);
        }
        let ends = interval.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
        let rest = [
            self.facility(),
            r,
            self.discrimination_se(),
            self.r_rest(),
            self.biserial(),
            self.biserial_se(),
        ];
        [&ends[..], &rest].concat()
    }
}

impl Probe for DecaySummary {
    fn take(&mut self, row: &Scored) {
        let (score, weight) = (row.score.value(), row.other.value());
        self.push(Clock::Absolute, row.at.at(), score, weight, HALF_LIFE)
            .expect("one half-life");
    }

    fn n(&self) -> u64 {
        DecaySummary::n(self)
    }

    fn answers(&self) -> Vec<Option<f64>> {
        let last = self.last_at().map(|(_, at)| at);
        let later = last.map(|at| at.saturating_add(200 * DAY));
        let fresh = self.information(last).zip(self.information(later));
        assert!(
            fresh.is_none_or(|(now, then)| then <= now),
            "evidence fades"
        );
        vec![
            self.half_life(),
            self.level(None),
            self.level_se(None),
            self.level_se(later),
            self.information(None),
            self.information(later),
            self.n_effective(),
        ]
    }
}

impl Probe for TrendSummary {
    fn take(&mut self, row: &Scored) {
        self.push(
            Clock::Absolute,
            row.at.at(),
            row.score.value(),
            row.other.value(),
        );
    }

    fn n(&self) -> u64 {
        TrendSummary::n(self)
    }

    fn answers(&self) -> Vec<Option<f64>> {
        assert!(self.dates() <= self.n());
        assert!(self.span().is_none_or(|(_, first, last)| first <= last));
        let trend = self.trend(None).expect("the default margin");
        assert!(trend.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        vec![trend.slope, trend.slope_se, trend.p, self.slope()]
    }
}

fn check<S: Probe>(form: u8, data: &[u8]) {
    match form % 4 {
        0 => read(S::decode(data)),
        1 => {
            // Its length and its first word are no secret.
            let mut bytes = data.to_vec();
            bytes.resize(S::SIZE, 0);
            bytes[..8].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
            read(S::decode(&bytes));
        }
        2 => read(S::from_text(&String::from_utf8_lossy(data))),
        _ => {
            let mut from = Unstructured::new(data);
            if let (Ok(parts), Ok(rows)) = (u8::arbitrary(&mut from), Vec::arbitrary(&mut from)) {
                from_rows::<S>(usize::from(parts % 4) + 1, &rows);
            }
        }
    }
}

/// Whatever is read, an error of its own or a value that can be asked, merged, written and read.
fn read<S: Probe>(read: pg_assess_core::summary::Result<S>) {
    let summary = match read {
        Ok(summary) => summary,
        Err(Error::Malformed { name, .. } | Error::Newer { name, .. }) => {
            assert_eq!(name, S::NAME);
            return;
        }
        Err(error) => panic!("{error}"),
    };
    is_sound(&summary);
    let mut same = summary;
    same.merge(&S::default()).expect("nothing to add");
    assert_eq!(same, summary, "nothing was added");
    let mut same = S::default();
    same.merge(&summary).expect("nothing to add to");
    assert_eq!(same, summary, "to nothing");
    let mut twice = summary;
    match twice.merge(&summary) {
        Ok(()) => {
            assert_eq!(twice.n(), 2 * summary.n());
            assert_eq!(twice.excluded(), 2 * summary.excluded());
            are_finite(&twice);
        }
        Err(error) => assert!(matches!(error, Error::TooManyRows { .. }), "{error}"),
    }
}

/// Both written forms give the value again, to the last bit; and every answer is a number.
fn is_sound<S: Probe>(summary: &S) {
    let mut bytes = vec![0; S::SIZE];
    summary.store(&mut bytes);
    assert_eq!(S::decode(&bytes).as_ref(), Ok(summary));
    let read = S::from_text(&summary.to_text());
    assert_eq!(read.as_ref(), Ok(summary));
    let mut again = vec![0; S::SIZE];
    read.expect("compared before").store(&mut again);
    assert_eq!(again, bytes);
    are_finite(summary);
}

fn are_finite<S: Probe>(summary: &S) {
    let answers = summary.answers();
    let mut numbers = answers.iter().flatten();
    assert!(
        numbers.all(|answer| answer.is_finite()),
        "{summary:?} {answers:?}"
    );
}

/// Whatever rows lead to can be read again, and no row is lost in parts that are merged.
fn from_rows<S: Probe>(parts: usize, rows: &[Scored]) {
    let of = |part: usize| {
        let mut summary = S::default();
        rows.iter()
            .skip(part)
            .step_by(parts)
            .for_each(|row| summary.take(row));
        is_sound(&summary);
        summary
    };
    let mut merged = S::default();
    let mut whole = S::default();
    rows.iter().for_each(|row| whole.take(row));
    is_sound(&whole);
    for part in (0..parts).map(of) {
        merged.merge(&part).expect("alike");
    }
    is_sound(&merged);
    assert_eq!(merged.n(), whole.n());
    assert_eq!(merged.excluded(), whole.excluded());
}
