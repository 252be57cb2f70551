//! Normal and Student's t distributions, whose special functions are those of `statrs`; and places
//! in the distribution of given values.

use std::cell::Cell;

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Degrees of freedom beyond which t and normal agree to six digits.
const NORMAL_DF: f64 = 1e6;
/// Degrees of freedom below which t has no figures left: even its quartile exceeds 1e299.
const LEAST_DF: f64 = 1e-3;
/// Quantiles beyond this are infinite, as their squares would be.
const LARGEST_T: f64 = 1e150;

/// The quantile of the standard normal distribution.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The density of the standard normal distribution.
pub fn normal_density(z: f64) -> f64 {
    Normal::standard().pdf(z)
}

/// P(T < t) of Student's t with `df` degrees of freedom.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 1.0 } else { 0.0 };
    }
    match students_t(df) {
        Some(student) => student.cdf(t),
        None => Normal::standard().cdf(t),
    }
}

/// The quantile of Student's t with `df` degrees of freedom; infinite where it is too large to
/// be expressed. That of `statrs` misses by up to half the probability below one degree of freedom,
/// and in the third digit above 100,000.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    let Some(student) = students_t(df) else {
        return normal_quantile(p);
    };
    if p < 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    let tail = 1.0 - p;
    let mut t = cornish_fisher(normal_quantile(p), df);
    // Newton's method on the logarithm of the tail by that of t, which is concave, and straight
    // far out: it crosses the solution at most once.
    for _ in 0..100 {
        let beyond = student.cdf(-t);
        let step = (beyond / tail).ln() * beyond / (t * student.pdf(t));
        // At the median, and where the tail is empty, there is nothing to improve.
        if !step.is_finite() {
            break;
        }
        t *= step.min(16.0).exp();
        if t > LARGEST_T {
            return f64::INFINITY;
        }
        // The next step would be the square of this one.
        if step.abs() < 1e-7 {
            break;
        }
    }
    t
}

/// The quantiles of t at one probability, which remember the last: students who took the same
/// assessments have the same degrees of freedom, and mostly stand together.
#[derive(Debug)]
pub struct TQuantiles {
    p: f64,
    normal: f64,
    /// Degrees of freedom and their quantile.
    last: Cell<(f64, f64)>,
}

impl TQuantiles {
    /// At probability `p`.
    pub fn new(p: f64) -> Self {
        Self {
            p,
            normal: normal_quantile(p),
            last: Cell::new((f64::NAN, f64::NAN)),
        }
    }

    /// That of the normal distribution, for no end of degrees of freedom.
    pub fn normal(&self) -> f64 {
        self.normal
    }

    /// For `df` degrees of freedom.
    pub fn at(&self, df: f64) -> f64 {
        if self.last.get().0 != df {
            self.last.set((df, t_quantile(self.p, df)));
        }
        self.last.get().1
    }
}

/// A first guess at the quantile of t from that of the normal distribution (Fisher and Cornish
/// 1960); never below it.
fn cornish_fisher(z: f64, df: f64) -> f64 {
    let square = z * z;
    let first = z * (square + 1.0) / 4.0;
    let second = z * ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    if df < 1.0 {
        z
    } else {
        z + (first + second / df) / df
    }
}

/// The two-sided p-value of `t`.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    2.0 * t_cdf(-t.abs(), df)
}

/// The two-sided p-value of a standard normal `z`; that of `z^2` in the chi-squared distribution
/// with one degree of freedom.
pub fn normal_two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().cdf(-z.abs())
}

/// None where the normal distribution takes over.
fn students_t(df: f64) -> Option<StudentsT> {
    (df < NORMAL_DF)
        .then(|| StudentsT::new(0.0, 1.0, df.max(LEAST_DF)).ok())
        .flatten()
}

/// The limits of an interval, which holds its estimate: rounding, or few resamples, may leave that
/// just outside.
pub fn around(estimate: f64, (low, high): (f64, f64)) -> (f64, f64) {
    (low.min(estimate), high.max(estimate))
}
