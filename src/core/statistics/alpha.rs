//! Cronbach's alpha of complete rows, whose covariance matrix is one flat buffer that grows row by
//! row and merges. That of rows with gaps is in `assessments/reliability.rs`.
//!
//! The buffer of k items holds, in this order: the number of rows; the k means; the sums of
//! products about the means, `k (k + 1) / 2`, row by row of the lower triangle. All zeros are no
//! rows. Sums about means lose no digits (Chan, Golub and LeVeque 1983). The order of rows and
//! the way they were split show in the last digits at most.

use crate::statistics::rounding::CANCELLATION;

/// Items beyond which a set is a bank and not a test, and its covariance matrix, which grows with
/// the square of them, is not made.
pub const MAX_ITEMS: usize = 1000;

/// The length of the buffer for so many items.
pub fn length(items: usize) -> usize {
    1 + items + items * (items + 1) / 2
}

/// The items of a buffer of this length; none when it is the length of no buffer.
pub fn items(length: usize) -> Option<usize> {
    // 2 length = (items + 1) (items + 2), so the root lies between the two.
    let items = (2 * length).isqrt().checked_sub(1)?;
    (self::length(items) == length).then_some(items)
}

/// Rows in the buffer.
pub fn rows(state: &[f64]) -> f64 {
    state.first().copied().unwrap_or(0.0)
}

/// Number of rows, means and sums of products of a buffer for `items`.
fn parts(state: &mut [f64], items: usize) -> Option<(&mut f64, &mut [f64], &mut [f64])> {
    if state.len() != length(items) {
        return None;
    }
    let (n, rest) = state.split_first_mut()?;
    let (means, products) = rest.split_at_mut(items);
    Some((n, means, products))
}

/// Takes one row, a finite score per item; one of the wrong length changes nothing.
pub fn push(state: &mut [f64], row: &[f64]) {
    if let Some((n, means, products)) = parts(state, row.len()) {
        let before = *n;
        *n += 1.0;
        shift(means, products, row, before / *n, 1.0 / *n);
    }
}

/// Takes all rows of another buffer; one of another length changes nothing.
pub fn merge(state: &mut [f64], other: &[f64]) {
    if state.len() != other.len() || rows(other) == 0.0 {
        return;
    }
    let Some(items) = items(other.len()) else {
        return;
    };
    if let Some((n, means, products)) = parts(state, items) {
        let (theirs, before) = (rows(other), *n);
        *n += theirs;
        let (their_means, their_products) = other[1..].split_at(items);
        for (product, theirs) in products.iter_mut().zip(their_products) {
            *product += theirs;
        }
        let share = theirs / *n;
        shift(means, products, their_means, before * share, share);
    }
}

/// Moves the means a share of the way to others, and adds what lies between the two.
fn shift(means: &mut [f64], products: &mut [f64], others: &[f64], weight: f64, share: f64) {
    let mut products = products.iter_mut();
    for (at, (value, mean)) in others.iter().zip(means.iter()).enumerate() {
        let delta = weight * (value - mean);
        for (other, mean) in others[..=at].iter().zip(means.iter()) {
            if let Some(product) = products.next() {
                *product += delta * (other - mean);
            }
        }
    }
    for (mean, value) in means.iter_mut().zip(others) {
        *mean += share * (value - *mean);
    }
}

/// Cronbach's alpha of the rows; may be negative, which says that the items disagree. None for
/// one item, fewer than two rows, and totals that do not vary.
pub fn alpha(state: &[f64]) -> Option<f64> {
    Covariances::of_rows(state)?.alpha()
}

/// Its large-sample standard error (van Zyl, Neudecker and Nel 2000).
pub fn alpha_se(state: &[f64]) -> Option<f64> {
    Covariances::of_rows(state)?.alpha_se(rows(state))
}

/// The large-sample variance of alpha times the number of rows (van Zyl, Neudecker and Nel 2000):
/// `2 k^2 / ((k - 1)^2 (1'C1)^3) * (1'C1 (tr C^2 + 1) - 2 1'C^2 1)`, with C the covariance matrix of
/// `k` items over its trace. `total` is `1'C1`, above 0; `squares` is `tr C^2`; `products` is
/// `1'C^2 1`.
pub fn large_sample_variance(k: f64, total: f64, squares: f64, products: f64) -> f64 {
    let q = 2.0 * k * k / ((k - 1.0).powi(2) * total.powi(3))
        * (total * (squares + 1.0) - 2.0 * products);
    q.max(0.0)
}

/// The covariances of two items and more, or a multiple of them: alpha is the same.
struct Covariances {
    items: usize,
    /// Row by row.
    matrix: Vec<f64>,
}

impl Covariances {
    fn of_rows(state: &[f64]) -> Option<Self> {
        let items = items(state.len())?;
        if items < 2 || rows(state) < 2.0 {
            return None;
        }
        let mut triangle = state[1 + items..].iter();
        let mut matrix = vec![0.0; items * items];
        for i in 0..items {
            for j in 0..=i {
                let covariance = *triangle.next()?;
                matrix[i * items + j] = covariance;
                matrix[j * items + i] = covariance;
            }
        }
        Some(Self { items, matrix })
    }

    fn trace(&self) -> f64 {
        self.matrix.iter().step_by(self.items + 1).sum()
    }

    /// `k / (k - 1) * (1 - trace / total)`, at most 1.
    fn alpha(&self) -> Option<f64> {
        let k = self.items as f64;
        let total: f64 = self.matrix.iter().sum();
        let trace = self.trace();
        // Rounding leaves a trace of a total that is 0.
        if trace <= 0.0 || total <= CANCELLATION * trace {
            return None;
        }
        // Beyond 1 by rounding.
        Some((k / (k - 1.0) * (1.0 - trace / total)).min(1.0))
    }

    /// The standard error of `n` rows.
    fn alpha_se(&self, n: f64) -> Option<f64> {
        self.alpha()?;
        let trace = self.trace();
        let total = self.matrix.iter().sum::<f64>() / trace;
        let squares: f64 = self.matrix.iter().map(|c| (c / trace).powi(2)).sum();
        let products: f64 = self
            .matrix
            .chunks(self.items)
            .map(|row| (row.iter().sum::<f64>() / trace).powi(2))
            .sum();
        let variance = large_sample_variance(self.items as f64, total, squares, products);
        Some((variance / n).sqrt())
    }
}
