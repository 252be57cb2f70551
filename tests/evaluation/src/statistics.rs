//! The few statistics that the experiments share.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The mean; NaN for an empty slice.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) = values
        .into_iter()
        .fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}

/// Places from 1 in ascending order; equal values share their mean place.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &at in tied {
            ranks[at] = rank;
        }
        before += tied.len();
    }
    ranks
}

/// Pearson's correlation.
pub fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x.iter().copied()), mean(y.iter().copied()));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| f(x - mx, y - my)).sum()
    };
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

/// Spearman's rank correlation.
pub fn rank_correlation(x: &[f64], y: &[f64]) -> f64 {
    correlation(&ranks(x), &ranks(y))
}

/// Area under the receiver operating characteristic: the chance that one of those with the outcome
/// stands above one of those without it, ties counting one half.
pub fn auc(concern: &[f64], outcome: &[bool]) -> f64 {
    let (mut sum, mut with) = (0.0, 0.0);
    for (rank, _) in ranks(concern).iter().zip(outcome).filter(|(_, yes)| **yes) {
        sum += rank;
        with += 1.0;
    }
    let without = outcome.len() as f64 - with;
    (sum - with * (with + 1.0) / 2.0) / (with * without)
}

/// How far each is inside the first `share` of a list, highest concern first: 1, 0, or in between
/// for those who are tied at its end, so that exactly the share is flagged.
pub fn flagged(concern: &[f64], share: f64) -> Vec<f64> {
    let places = share * concern.len() as f64;
    let mut order: Vec<usize> = (0..concern.len()).collect();
    order.sort_unstable_by(|a, b| concern[*b].total_cmp(&concern[*a]));
    let mut flags = vec![0.0; concern.len()];
    let mut before = 0.0;
    for tied in order.chunk_by(|a, b| concern[*a] == concern[*b]) {
        let inside = ((places - before) / tied.len() as f64).clamp(0.0, 1.0);
        for &at in tied {
            flags[at] = inside;
        }
        before += tied.len() as f64;
    }
    flags
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Count {
    pub yes: f64,
    pub of: f64,
}

impl Count {
    pub fn add(&mut self, yes: f64) {
        self.yes += yes;
        self.of += 1.0;
    }

    pub fn share(self) -> f64 {
        self.yes / self.of
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.yes += other.yes;
        self.of += other.of;
    }
}

/// The 95 % interval of a figure over groups (courses, tests) by the percentile bootstrap: whole
/// groups are drawn, as those inside a group share what makes it special.
pub fn over_groups<T>(groups: &[T], figure: impl Fn(&[&T]) -> f64) -> (f64, f64) {
    const DRAWS: usize = 1000;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut figures: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let at = |_| &groups[rng.gen_range(0..groups.len() as u32) as usize];
            figure(&groups.iter().map(at).collect::<Vec<_>>())
        })
        .collect();
    figures.sort_unstable_by(f64::total_cmp);
    (figures[DRAWS / 40], figures[DRAWS - 1 - DRAWS / 40])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_places() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(
            flagged(&[0.1, 0.9, 0.9, 0.9], 0.5),
            [0.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]
        );
        assert_eq!(flagged(&[0.1, 0.9, 0.3, 0.2], 0.25), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn separation_is_counted_by_pairs() {
        let concern = [0.1, 0.4, 0.4, 0.8, 0.9];
        let outcome = [false, true, false, true, false];
        // Pairs with and without: .4 beats .1, ties .4, loses to .9; .8 beats two, loses to .9.
        assert_eq!(auc(&concern, &outcome), (1.5 + 2.0) / 6.0);
        assert_eq!(auc(&[1.0, 2.0, 3.0], &[false, false, true]), 1.0);
    }

    #[test]
    fn correlation_of_ranks_ignores_the_scale() {
        assert_eq!(
            rank_correlation(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]),
            1.0
        );
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]);
        assert!((correlation(&x, &y) - 0.6).abs() < 1e-12);
    }

    #[test]
    fn the_bootstrap_draws_whole_groups() {
        let same = over_groups(&[2.0, 2.0, 2.0], |drawn| mean(drawn.iter().map(|v| **v)));
        assert_eq!(same, (2.0, 2.0));
        let groups: Vec<f64> = (0..25).map(f64::from).collect();
        let (low, high) = over_groups(&groups, |drawn| mean(drawn.iter().map(|v| **v)));
        // The standard error of the mean is 7.2 / 5.
        assert!(
            (low - 9.2).abs() < 0.5 && (high - 14.8).abs() < 0.5,
            "{low} {high}"
        );
    }
}
