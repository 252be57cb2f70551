//! Sums over forecasts, and the figures that follow from them.

use std::collections::BTreeMap;

use crate::Poll;
use crate::forecasts::backtest::forecast::Forecast;
use crate::forecasts::backtest::method::Method;
use crate::forecasts::resampling::Resampling;
use crate::statistics::bootstrap::BLOCKS;
use crate::statistics::distribution::around;
use crate::statistics::quantile::quantile;
use crate::statistics::rounding::ROUNDING;

/// Bins in which need is compared with what came.
const BINS: usize = 10;

/// Sums over the forecasts of one method.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    square_error: f64,
    /// Of ranks: what came and what was predicted.
    observed: f64,
    predicted: f64,
    observed_squares: f64,
    predicted_squares: f64,
    products: f64,
    low: f64,
    flagged: f64,
    found: f64,
    intervals: f64,
    within: [f64; 2],
}

impl Sums {
    fn add(&mut self, forecast: &Forecast, method: Method) {
        let Some(prediction) = forecast.by(method) else {
            return;
        };
        self.n += 1.0;
        if let Some(value) = prediction.value {
            let error = forecast.observed - value;
            self.square_error += error * error;
        }
        if let Some(within) = prediction.within {
            self.intervals += 1.0;
            for (sum, within) in self.within.iter_mut().zip(within) {
                *sum += f64::from(u8::from(within));
            }
        }
        let (observed, predicted) = (forecast.observed_rank, prediction.rank);
        self.observed += observed;
        self.predicted += predicted;
        self.observed_squares += observed * observed;
        self.predicted_squares += predicted * predicted;
        self.products += observed * predicted;
        self.low += forecast.low;
        self.flagged += prediction.flagged;
        self.found += forecast.low * prediction.flagged;
    }

    fn merge(&mut self, other: &Self, times: f64) {
        self.n += times * other.n;
        self.square_error += times * other.square_error;
        self.observed += times * other.observed;
        self.predicted += times * other.predicted;
        self.observed_squares += times * other.observed_squares;
        self.predicted_squares += times * other.predicted_squares;
        self.products += times * other.products;
        self.low += times * other.low;
        self.flagged += times * other.flagged;
        self.found += times * other.found;
        self.intervals += times * other.intervals;
        for (sum, other) in self.within.iter_mut().zip(other.within) {
            *sum += times * other;
        }
    }

    /// Root mean square error, rank correlation, recall.
    fn figures(&self, method: Method) -> [Option<f64>; 3] {
        let rmse =
            (self.n > 0.0 && method != Method::Need).then(|| (self.square_error / self.n).sqrt());
        let about = |squares: f64, sum: f64| squares - sum * sum / self.n;
        let observed = about(self.observed_squares, self.observed);
        let predicted = about(self.predicted_squares, self.predicted);
        let product = self.products - self.observed * self.predicted / self.n;
        // A spread of ranks this small is what rounding leaves of none.
        let varies = observed > ROUNDING && predicted > ROUNDING;
        let correlation =
            varies.then(|| (product / (observed.sqrt() * predicted.sqrt())).clamp(-1.0, 1.0));
        // As many are named as are among the lowest, but for chance in a resample: taken by
        // their mean (Dice), chance in either number adds nothing to that of the recall.
        let named = (self.low + self.flagged) / 2.0;
        let recall = (named > 0.0).then(|| self.found / named);
        [rmse, correlation, recall]
    }
}

/// A difference, with the interval that resampling students gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub value: f64,
    /// None for too few students.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// How well one method predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub method: Method,
    /// Forecasts.
    pub n: u64,
    /// Root mean square error; none for the help list, which is an order.
    pub rmse: Option<f64>,
    /// Spearman's correlation of ranks within a date.
    pub rank_correlation: Option<f64>,
    /// Share of the truly lowest that were among as many named.
    pub recall: Option<f64>,
    /// Share of what came that lies in the 80 % and in the 95 % interval.
    pub coverage: [Option<f64>; 2],
    /// Mean distance of need from the share that came to be among the lowest, over ten bins
    /// (expected calibration error).
    pub need_error: Option<f64>,
    /// Differences of rmse, rank correlation and recall to the overall mean; none for the mean
    /// itself.
    pub differences: [Option<Difference>; 3],
}

/// What need predicted, and what came.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    n: f64,
    need: f64,
    low: f64,
}

/// Forecasts summed up by blocks of students.
#[derive(Debug, Default)]
pub struct Tally {
    blocks: BTreeMap<u32, [Sums; Method::ALL.len()]>,
    bins: [Bin; BINS],
}

impl Tally {
    /// Takes one forecast; `student` says whose it is, also among several gradebooks.
    pub fn add(&mut self, student: u32, forecast: &Forecast) {
        let block = self.blocks.entry(student % BLOCKS).or_default();
        for (sums, method) in block.iter_mut().zip(Method::ALL) {
            sums.add(forecast, method);
        }
        if let Some(need) = forecast
            .by(Method::Need)
            .and_then(|prediction| prediction.need)
        {
            let bin = &mut self.bins[((need * BINS as f64) as usize).min(BINS - 1)];
            bin.n += 1.0;
            bin.need += need;
            bin.low += forecast.low;
        }
    }

    /// The figures of all methods. Intervals hold `confidence` of the differences in resamples
    /// of blocks (paired bootstrap, Efron and Tibshirani 1993, chapter 13), with ranks
    /// and places as they are in the whole.
    pub fn figures(
        &self,
        resampling: &Resampling,
        confidence: f64,
        poll: Poll<'_>,
    ) -> Vec<Figures> {
        let total = self.weighted(&vec![1.0; self.blocks.len()]);
        let figures = figures_of(&total);
        let differences = differences(&figures);
        let mut draws: [[Vec<f64>; 3]; Method::ALL.len()] = Default::default();
        for times in resampling.of(self.blocks.len()) {
            poll();
            let drawn = self::differences(&figures_of(&self.weighted(&times)));
            for (draws, drawn) in draws.iter_mut().zip(drawn) {
                for (draws, drawn) in draws.iter_mut().zip(drawn) {
                    draws.extend(drawn);
                }
            }
        }
        let tail = (1.0 - confidence) / 2.0;
        Method::ALL
            .into_iter()
            .map(|method| {
                let at = method as usize;
                let sums = &total[at];
                let difference = |figure: usize| {
                    let draws = &mut draws[at][figure].clone();
                    draws.sort_unstable_by(f64::total_cmp);
                    differences[at][figure].map(|value| {
                        let limits = quantile(draws, tail).zip(quantile(draws, 1.0 - tail));
                        let limits = limits.map(|limits| around(value, limits));
                        Difference {
                            value,
                            low: limits.map(|(low, _)| low),
                            high: limits.map(|(_, high)| high),
                        }
                    })
                };
                let covered = |within: f64| (sums.intervals > 0.0).then(|| within / sums.intervals);
                let [rmse, rank_correlation, recall] = figures[at];
                Figures {
                    method,
                    n: sums.n as u64,
                    rmse,
                    rank_correlation,
                    recall,
                    coverage: sums.within.map(covered),
                    need_error: (method == Method::Need)
                        .then(|| self.need_error())
                        .flatten(),
                    differences: [0, 1, 2].map(difference),
                }
            })
            .collect()
    }

    fn weighted(&self, times: &[f64]) -> [Sums; Method::ALL.len()] {
        let mut total = [Sums::default(); Method::ALL.len()];
        for (block, &times) in self.blocks.values().zip(times) {
            if times > 0.0 {
                for (total, sums) in total.iter_mut().zip(block) {
                    total.merge(sums, times);
                }
            }
        }
        total
    }

    fn need_error(&self) -> Option<f64> {
        let n: f64 = self.bins.iter().map(|bin| bin.n).sum();
        let off: f64 = self.bins.iter().map(|bin| (bin.need - bin.low).abs()).sum();
        (n > 0.0).then(|| off / n)
    }
}

type Triples = [[Option<f64>; 3]; Method::ALL.len()];

fn figures_of(sums: &[Sums; Method::ALL.len()]) -> Triples {
    Method::ALL.map(|method| sums[method as usize].figures(method))
}

/// Every method's figures less those of the overall mean, which has none.
fn differences(figures: &Triples) -> Triples {
    let base = figures[Method::OverallMean as usize];
    Method::ALL.map(|method| {
        let own = figures[method as usize];
        [0, 1, 2].map(|at| match method {
            Method::OverallMean => None,
            _ => Some(own[at]? - base[at]?),
        })
    })
}
