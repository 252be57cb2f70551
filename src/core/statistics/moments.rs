//! Running means, variances and covariances.
//!
//! Sums of squares are kept about the running mean (Youngs and Cramer 1971; Chan, Golub and
//! LeVeque 1983 for merging), as the aggregates of core Postgres do (`float8_accum` and
//! `float8_regr_accum` in `utils/adt/float.c`): plain sums of squares lose all digits when the
//! spread is small against the mean.

use crate::statistics::rounding::{CANCELLATION, ROUNDING};

/// Count, mean and sum of squares about the mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes one value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.n += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.n;
        self.squares += delta * (value - self.mean);
    }

    pub fn n(&self) -> f64 {
        self.n
    }

    /// The mean; 0 without values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    pub fn sum_of_squares(&self) -> f64 {
        self.squares
    }

    /// The variance with n - 1; none below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1.0).then(|| self.squares / (self.n - 1.0))
    }
}

/// Weighted sums of pairs, for the innermost loop. They are plain sums and merge by addition; no
/// digits are lost when the means are taken out, as long as values are measured from an origin that
/// lies no further from their mean than they are spread.
#[derive(Debug, Clone, Copy, Default)]
pub struct PairSums {
    n: u64,
    weight: f64,
    weight_squares: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl PairSums {
    /// Takes one pair; `weight` is above 0.
    #[inline]
    pub fn add(&mut self, x: f64, y: f64, weight: f64) {
        let (wx, wy) = (weight * x, weight * y);
        self.n += 1;
        self.weight += weight;
        self.weight_squares += weight * weight;
        self.x += wx;
        self.y += wy;
        self.xx += wx * x;
        self.yy += wy * y;
        self.xy += wx * y;
    }

    /// Takes all pairs of another set.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.weight += other.weight;
        self.weight_squares += other.weight_squares;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// How many pairs.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The same about the means.
    pub fn scatter(&self) -> Scatter {
        let square = |square: f64, sum: f64| {
            let about_mean = square - sum * sum / self.weight;
            // Rounding leaves a trace of variance in sums over a constant.
            if about_mean > CANCELLATION * square {
                about_mean
            } else {
                0.0
            }
        };
        Scatter {
            n: self.n,
            weight: self.weight,
            weight_squares: self.weight_squares,
            xx: square(self.xx, self.x),
            yy: square(self.yy, self.y),
            xy: self.xy - self.x * self.y / self.weight,
        }
    }
}

/// Weighted sums of squares and products about means.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scatter {
    pub n: u64,
    weight: f64,
    weight_squares: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Scatter {
    /// Adds the sums about another set's own means, so that only what happens within each set
    /// counts.
    pub fn pool(&mut self, other: &Self) {
        self.n += other.n;
        self.weight += other.weight;
        self.weight_squares += other.weight_squares;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// The correlation; none when one side does not vary. `y` is a criterion that was computed:
    /// a spread of less than 1e-9 of the scale is what rounding leaves of a constant.
    pub fn correlation(&self) -> Option<f64> {
        if self.n < 2 || self.xx <= 0.0 || self.yy <= 1e-18 * self.weight {
            return None;
        }
        Some((self.xy / (self.xx.sqrt() * self.yy.sqrt())).clamp(-1.0, 1.0))
    }

    /// Kish's effective number: what as many equal weights would be worth. Equal weights are
    /// worth their number, to the last digit, so that a threshold on it does not waver.
    pub fn effective_n(&self) -> f64 {
        let n = self.n as f64;
        if self.weight_squares <= 0.0 {
            return 0.0;
        }
        let kish = self.weight * self.weight / self.weight_squares;
        if kish > n * (1.0 - ROUNDING) { n } else { kish }
    }
}
