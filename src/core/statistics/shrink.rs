//! What a population makes likely, and how far a single figure is drawn towards it.

/// A variance this small is what rounding leaves of none. The square of its inverse must not
/// overflow.
const NO_VARIANCE: f64 = 1e-24;

/// Mean and variance of true values, of which only noisy estimates are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Population {
    pub mean: f64,
    /// Variance of the mean.
    pub mean_variance: f64,
    /// Variance of the true values between members.
    pub variance: f64,
    /// Standard error of `variance` if all true values were the same.
    pub variance_se: f64,
}

impl Population {
    /// From pairs of (estimate, its variance), by the moments of DerSimonian and Laird (1986),
    /// truncated at 0. Variances are all above 0, or all 0. None for an empty slice.
    pub fn estimate(members: &[(f64, f64)]) -> Option<Self> {
        if members.is_empty() {
            return None;
        }
        let k = members.len() as f64;
        if members.iter().any(|&(_, v)| v <= NO_VARIANCE) {
            let mean = members.iter().map(|(z, _)| z).sum::<f64>() / k;
            let squares: f64 = members.iter().map(|(z, _)| (z - mean).powi(2)).sum();
            let variance = if k > 1.0 { squares / (k - 1.0) } else { 0.0 };
            return Some(Self {
                mean,
                mean_variance: variance / k,
                variance,
                variance_se: 0.0,
            });
        }
        let weight = |v: f64, between: f64| 1.0 / (v + between);
        let mean_with = |between: f64| {
            let sum: f64 = members.iter().map(|&(_, v)| weight(v, between)).sum();
            let mean = members
                .iter()
                .map(|&(z, v)| weight(v, between) * z)
                .sum::<f64>()
                / sum;
            (mean, sum)
        };
        let (fixed_mean, sum) = mean_with(0.0);
        let squares: f64 = members.iter().map(|&(_, v)| weight(v, 0.0).powi(2)).sum();
        let q: f64 = members
            .iter()
            .map(|&(z, v)| weight(v, 0.0) * (z - fixed_mean).powi(2))
            .sum();
        let scale = sum - squares / sum;
        // One member shows nothing about the variance between members.
        let (variance, variance_se) = if k > 1.0 && scale > 0.0 {
            (
                ((q - (k - 1.0)) / scale).max(0.0),
                (2.0 * (k - 1.0)).sqrt() / scale,
            )
        } else {
            (0.0, members[0].1)
        };
        let (mean, sum) = mean_with(variance);
        Some(Self {
            mean,
            mean_variance: 1.0 / sum,
            variance,
            variance_se,
        })
    }

    /// The same with a variance of at least one standard error of what cannot be distinguished from
    /// 0, so that a few members who happen to agree are not taken to be the same.
    pub fn with_floor(self) -> Self {
        Self {
            variance: self.variance.max(self.variance_se),
            ..self
        }
    }

    /// How much of an estimate with variance `noise` is believed, 0 to 1 (its reliability).
    pub fn reliability(&self, noise: f64) -> f64 {
        reliability(self.variance, noise)
    }
}

/// How much of what is seen is true, 0 to 1, where true values have variance `between` and
/// `noise` is added.
pub fn reliability(between: f64, noise: f64) -> f64 {
    if between > 0.0 {
        between / (between + noise)
    } else if noise > 0.0 {
        0.0
    } else {
        1.0
    }
}
