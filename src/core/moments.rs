//! Running means, variances and covariances.
//!
//! Sums of squares are kept about the running mean (Youngs and Cramer 1971; Chan, Golub and
//! LeVeque 1983 for merging), as the aggregates of core Postgres do (`float8_accum` and
//! `float8_regr_accum` in `utils/adt/float.c`): plain sums of squares lose all digits when the
//! spread is small against the mean.

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

    /// The mean; 0 of nothing.
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

/// Weighted moments of pairs.
#[derive(Debug, Clone, Copy, Default)]
pub struct PairMoments {
    pub n: u64,
    /// Sum of the weights and of their squares.
    pub weight: f64,
    pub weight_squares: f64,
    mean_x: f64,
    mean_y: f64,
    pub xx: f64,
    pub yy: f64,
    pub xy: f64,
}

impl PairMoments {
    /// Takes one pair; `weight` is above 0.
    #[inline]
    pub fn add(&mut self, x: f64, y: f64, weight: f64) {
        self.n += 1;
        self.weight += weight;
        self.weight_squares += weight * weight;
        let (dx, dy) = (x - self.mean_x, y - self.mean_y);
        let step = weight / self.weight;
        self.mean_x += dx * step;
        self.mean_y += dy * step;
        let rest = weight * (1.0 - step);
        self.xx += rest * dx * dx;
        self.yy += rest * dy * dy;
        self.xy += rest * dx * dy;
    }

    /// Takes all pairs of another set.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let total = self.weight + other.weight;
        let (dx, dy) = (other.mean_x - self.mean_x, other.mean_y - self.mean_y);
        let cross = self.weight * (other.weight / total);
        self.mean_x += dx * (other.weight / total);
        self.mean_y += dy * (other.weight / total);
        self.xx += cross * dx * dx;
        self.yy += cross * dy * dy;
        self.xy += cross * dx * dy;
        self.tally(other);
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// Adds the sums about another set's own means, so that only what happens within each set
    /// counts. The means of the result mean nothing.
    pub fn pool_within(&mut self, other: &Self) {
        self.tally(other);
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    fn tally(&mut self, other: &Self) {
        self.n += other.n;
        self.weight += other.weight;
        self.weight_squares += other.weight_squares;
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
        if kish > n * (1.0 - 1e-9) { n } else { kish }
    }
}
