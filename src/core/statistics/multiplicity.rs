//! What is left of a p-value when one has looked more than once.

use std::f64::consts::PI;

use crate::statistics::distribution::normal_quantile;

/// The p-value of the most significant of several splits of `n` ordered values into those before
/// and those after, from the p-value `single` it would have alone. `before` are the sizes of the
/// first part, in ascending order.
///
/// Each further split adds the chance that it is the first to exceed the bound, which is small
/// where it hardly differs from the one before it: the improved inequality of Bonferroni (Worsley
/// 1982), with the leading term of Lausen and Schumacher (1994), `exp(-b^2 / 2) sqrt(1 - r^2) / pi`
/// for neighbours that correlate by `r`, but at most `single`, as with Bonferroni.
pub fn most_significant_split(single: f64, before: &[f64], n: f64) -> f64 {
    let bound = normal_quantile(single / 2.0);
    let peak = (-bound * bound / 2.0).exp() / PI;
    let further = before.windows(2).map(|pair| {
        let square = pair[0] * (n - pair[1]) / ((n - pair[0]) * pair[1]);
        (peak * (1.0 - square).max(0.0).sqrt()).min(single)
    });
    (single + further.sum::<f64>()).min(1.0)
}

/// The largest share of false finds among all those at least as significant, in the order given
/// (Benjamini and Hochberg 1995).
pub fn false_discovery_rates(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut rates = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (worse, at) in order.into_iter().enumerate() {
        least = least.min(p[at] * p.len() as f64 / (p.len() - worse) as f64);
        rates[at] = least;
    }
    rates
}
