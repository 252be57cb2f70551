//! Normal and Student's t distributions; the special functions are those of `statrs`.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Degrees of freedom beyond which t and normal agree to six digits.
const NORMAL_DF: f64 = 1e6;

/// The quantile of the standard normal distribution.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// P(T < t) of Student's t with `df` degrees of freedom.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 1.0 } else { 0.0 };
    }
    match StudentsT::new(0.0, 1.0, df) {
        Ok(student) if df < NORMAL_DF => student.cdf(t),
        _ => Normal::standard().cdf(t),
    }
}

/// The quantile of Student's t with `df` degrees of freedom.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, df) {
        Ok(student) if df < NORMAL_DF => student.inverse_cdf(p),
        _ => normal_quantile(p),
    }
}

/// The two-sided p-value of `t`.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    2.0 * t_cdf(-t.abs(), df)
}
