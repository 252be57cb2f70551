//! How fast levels drift, and how fast to forget therefore.

use crate::statistics::rounding::CANCELLATION;
use crate::students::evidence::Evidence;
use crate::time::days_between;

/// How many later pieces of evidence each one is paired with.
const LAGS: usize = 5;
/// What the variogram proposes is kept within what was ever found to be of use, in days.
const SHORTEST: f64 = 14.0;
const LONGEST: f64 = 365.0;
/// Evidence closer than this, in days, is of one time: what differs from hour to hour says nothing
/// of months.
const ONE_TIME: f64 = 1.0;

/// How the squared difference of two pieces of a student's evidence grows with the days between
/// them: `noise * (1/precision + 1/precision) + drift * days` (the variogram of a level that
/// walks at random). Weighted least squares over pairs close in order.
#[derive(Debug, Default)]
pub struct Variogram {
    noise_noise: f64,
    noise_days: f64,
    days_days: f64,
    noise_square: f64,
    days_square: f64,
    /// Sum of the mean `1/precision` of pairs.
    imprecision: f64,
}

impl Variogram {
    /// Takes one student's evidence, by time.
    pub fn add(&mut self, evidence: &[Evidence]) {
        for (at, first) in evidence.iter().enumerate() {
            for second in evidence[at + 1..].iter().take(LAGS) {
                let noise = 1.0 / first.precision + 1.0 / second.precision;
                // A squared difference varies as its mean does.
                let weight = 1.0 / (noise * noise);
                let days = match days_between(first.taken_at, second.taken_at) {
                    days if days < ONE_TIME => 0.0,
                    days => days,
                };
                let square = (second.adjusted - first.adjusted).powi(2);
                self.noise_noise += weight * noise * noise;
                self.noise_days += weight * noise * days;
                self.days_days += weight * days * days;
                self.noise_square += weight * noise * square;
                self.days_square += weight * days * square;
                self.imprecision += noise / 2.0;
            }
        }
    }

    /// Variance gained per day, at least 0.
    pub fn drift(&self) -> f64 {
        let determinant = self.noise_noise * self.days_days - self.noise_days * self.noise_days;
        if determinant <= CANCELLATION * self.noise_noise * self.days_days {
            return 0.0;
        }
        let drift = (self.noise_noise * self.days_square - self.noise_days * self.noise_square)
            / determinant;
        drift.max(0.0)
    }

    /// The half-life that follows this drift best, in days, with evidence every `interval` days;
    /// none when there is no drift.
    pub fn half_life(&self, interval: f64) -> Option<f64> {
        let drift = self.drift();
        (drift > 0.0).then(|| optimal(drift, self.noise(), interval))
    }

    /// Variance of a piece of evidence of typical precision beside that drift; 0 without evidence.
    fn noise(&self) -> f64 {
        if self.noise_noise <= 0.0 {
            return 0.0;
        }
        let noise = (self.noise_square - self.drift() * self.noise_days) / self.noise_noise;
        // Each pair has added 1 to `noise_noise`.
        let typical = self.imprecision / self.noise_noise;
        (noise * typical).max(0.0)
    }
}

/// The half-life at which exponential weights follow a level that walks at random best: the
/// steady state of the Kalman filter for the local-level model (Harvey 1989, section 4.3), with
/// evidence every `interval` days. `drift` is the variance gained per day, `noise` that of one
/// piece of evidence.
pub fn optimal(drift: f64, noise: f64, interval: f64) -> f64 {
    let ratio = drift * interval / noise;
    // The root of `gain^2 / (1 - gain) = ratio`, in a form that no ratio takes the digits from.
    let gain = 2.0 / (1.0 + (1.0 + 4.0 / ratio).sqrt());
    let intervals = std::f64::consts::LN_2 / -(-gain).ln_1p();
    (interval * intervals).clamp(SHORTEST, LONGEST)
}
