//! Quantiles: one rule for figures that are shown, and two that return a value that is there.

use std::cmp::Ordering;

/// The value below which `share` (0 to 1) of sorted values lies, between neighbours in proportion
/// (type 7 of Hyndman and Fan 1996, R's default); none for an empty slice.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    Some(low + (high - low) * place.fract())
}

/// The same without values between neighbours: the nearest one. It serves where huge values must
/// not be subtracted from each other; none for an empty slice.
pub fn nearest(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)? as f64;
    Some(sorted[(last * share).round() as usize])
}

/// The median, or of two in the middle the lower, so that a date is one of the dates; none for an
/// empty slice. Reorders the values.
pub fn lower_median<T: Copy>(
    values: &mut [T],
    compare: impl FnMut(&T, &T) -> Ordering,
) -> Option<T> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, compare).1)
}
