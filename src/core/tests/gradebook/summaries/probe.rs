//! What the laws need to know of a type.

use std::fmt::Debug;

use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A summary as the tests below use it.
pub(super) trait Probe: Summary + Debug + PartialEq {
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

pub(super) fn of<S: Probe>(rows: &[S::Row]) -> S {
    let mut summary = S::default();
    for &row in rows {
        summary.take(row);
    }
    summary
}

pub(super) fn merged<S: Probe>(parts: &[S]) -> S {
    let mut whole = S::default();
    for part in parts {
        whole.merge(part).expect("alike");
    }
    whole
}

pub(super) fn bytes_of<S: Summary>(summary: &S) -> Vec<u8> {
    let mut bytes = vec![0; S::SIZE];
    summary.store(&mut bytes);
    bytes
}
