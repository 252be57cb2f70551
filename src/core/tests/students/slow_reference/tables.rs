//! Quantiles and moments that are in print.

use std::f64::consts::PI;

use pg_assess_core::statistics::distribution::{normal_quantile, t_cdf, t_quantile, t_two_sided};
use pg_assess_core::statistics::shrink::Population;
use pg_assess_test_support::{close, normal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::levels::slow_t_cdf;
use super::questions::dersimonian_laird;

#[test]
fn quantiles_of_t_are_those_of_the_tables() {
    // From the inverse of the incomplete beta function with fifty digits.
    for (p, df, expected) in [
        (0.975, 1.0, 12.706_204_736_174_705),
        (0.975, 2.0, 4.302_652_729_749_464),
        (0.975, 4.0, 2.776_445_105_197_794_4),
        (0.975, 10.0, 2.228_138_851_986_275),
        (0.975, 30.0, 2.042_272_456_301_238),
        (0.975, 1000.0, 1.962_339_080_826_408_5),
        (0.95, 4.0, 2.131_846_786_326_650_3),
        (0.975, 0.3, 6_582.035_699_400_755),
        (0.975, 0.1, 1_682_362_288_745.013_3),
        (0.975, 0.02, 8.026_113_906_396_968e63),
    ] {
        close(
            t_quantile(p, df) / expected,
            1.0,
            1e-10,
            &format!("t({p}, {df})"),
        );
        close(
            t_quantile(1.0 - p, df) / expected,
            -1.0,
            1e-10,
            &format!("t(1 - {p}, {df})"),
        );
        close(
            t_cdf(expected, df),
            p,
            1e-12,
            &format!("P(T < {expected}), df {df}"),
        );
        close(t_two_sided(expected, df), 2.0 - 2.0 * p, 1e-12, "p-value");
    }
    assert_eq!(t_quantile(0.5, 3.0), 0.0);
    assert_eq!(t_quantile(0.975, 1e-9), f64::INFINITY);
    assert_eq!(t_cdf(f64::INFINITY, 3.0), 1.0);
    assert_eq!(t_cdf(f64::NEG_INFINITY, 3.0), 0.0);
    close(
        t_quantile(0.975, f64::INFINITY),
        1.959963984540054,
        1e-12,
        "normal",
    );
    close(normal_quantile(0.95), 1.6448536269514722, 1e-12, "normal");
    // One degree of freedom is Cauchy's distribution.
    for p in [0.6, 0.75, 0.9, 0.999, 0.999_999] {
        close(
            t_quantile(p, 1.0) / (PI * (p - 0.5)).tan(),
            1.0,
            1e-9,
            "Cauchy",
        );
    }
    // Through the change from t to normal nothing jumps.
    for df in [5e3, 1e5, 3e5, 9.9e5, 1e6, 1e7] {
        let z = 1.959963984540054_f64;
        let second = 5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z;
        let expansion = z + (z.powi(3) + z) / (4.0 * df) + second / (96.0 * df * df);
        close(
            t_quantile(0.975, df),
            expansion,
            // The normal distribution takes over where they agree to six digits.
            3e-6,
            &format!("large df {df}"),
        );
    }
    for df in [1.0, 1.7, 4.0, 9.3, 60.0] {
        for t in [-30.0, -3.0, -1.0, -0.1, 0.0, 0.5, 2.0, 10.0] {
            close(
                t_cdf(t, df),
                slow_t_cdf(t, df),
                if df < 4.0 { 1e-5 } else { 1e-9 },
                &format!("P(T < {t}), df {df}"),
            );
        }
    }
}

#[test]
fn populations_are_those_of_the_textbook() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    assert_eq!(Population::estimate(&[]), None);
    for n in 1..40 {
        let members: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                (
                    normal(&mut rng),
                    if n == 7 {
                        0.0
                    } else {
                        rng.gen_range(0.01..3.0)
                    },
                )
            })
            .collect();
        let ours = Population::estimate(&members).expect("members");
        let (mean, mean_variance, variance, variance_se) = dersimonian_laird(&members);
        close(ours.mean, mean, 1e-12, "mean");
        close(
            ours.mean_variance,
            mean_variance,
            1e-12,
            "variance of the mean",
        );
        close(ours.variance, variance, 1e-12, "variance");
        close(ours.variance_se, variance_se, 1e-12, "its error");
        close(
            ours.with_floor().variance,
            variance.max(variance_se),
            1e-12,
            "floor",
        );
    }
}
