//! Whether two values rise together, by order alone: Kendall's tau-b, and the test of Mann and
//! Kendall when one of them is time.

use crate::Poll;
use crate::statistics::distribution::normal_two_sided;
use crate::statistics::pairs::{sort_counting, sorted};

/// Pairs up to which p-values are exact. Beyond, the normal distribution is as good as any use.
const MAX_EXACT: usize = 50;

/// Kendall's rank correlation of a sample of pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kendall {
    pub n: u64,
    /// Couples in which both values differ the same way less those in which they differ the
    /// opposite way.
    pub s: i64,
    /// Variance of `s` over all ways to match the values as they are, ties included.
    pub variance_s: f64,
    /// `s / sqrt(couples that differ in the first * couples that differ in the second)`, -1..1;
    /// none when all values of one side are equal.
    pub tau_b: Option<f64>,
    /// `s`, drawn towards 0 by 1 for continuity, over its standard deviation.
    pub z: Option<f64>,
    /// Two-sided p-value of "no association". With up to 50 pairs and ties on one side at most
    /// it is the share of all ways to match the values that give `s` or one further from 0;
    /// otherwise it is that of `z` in the normal distribution.
    pub p: Option<f64>,
}

/// The rank correlation of pairs in any order; none for fewer than two. `n log n` steps.
pub fn kendall(sample: &[[f64; 2]], poll: Poll<'_>) -> Option<Kendall> {
    let mut pairs = sorted(sample, poll);
    let counts = Counts::of(&mut pairs, poll)?;
    let variance_s = counts.variance_s();
    let comparable = counts.first.couples as f64 * counts.second.couples as f64;
    let defined = comparable > 0.0;
    let away = (counts.s.abs() - 1).max(0) * counts.s.signum();
    let z = away as f64 / variance_s.sqrt();
    Some(Kendall {
        n: counts.n as u64,
        s: counts.s,
        variance_s,
        tau_b: defined.then(|| ((2 * counts.s) as f64 / comparable.sqrt()).clamp(-1.0, 1.0)),
        z: defined.then_some(z),
        p: defined.then(|| counts.exact_p().unwrap_or_else(|| normal_two_sided(z))),
    })
}

/// What the test of a sample rests on.
pub struct Counts {
    n: usize,
    pub s: i64,
    pub first: Untied,
    pub second: Untied,
}

impl Counts {
    /// Of [`sorted`] pairs, which it leaves in the order of their second values; none of fewer
    /// than two.
    pub fn of(pairs: &mut Vec<[f64; 2]>, poll: Poll<'_>) -> Option<Self> {
        let n = pairs.len();
        if n < 2 {
            return None;
        }
        let first = Untied::of(pairs.chunk_by(|a, b| a[0] == b[0]), n);
        let both = Untied::of(pairs.chunk_by(|a, b| a == b), n);
        let discordant = sort_counting(
            pairs,
            |later, earlier| later[1] < earlier[1],
            |_, _| {},
            poll,
        );
        let second = Untied::of(pairs.chunk_by(|a, b| a[1] == b[1]), n);
        // Of all couples, those tied on either side count neither way.
        let differ = (first.couples + second.couples - both.couples) / 2;
        let s = differ as i64 - 2 * discordant as i64;
        Some(Self {
            n,
            s,
            first,
            second,
        })
    }

    /// The variance of `s` over all permutations of one side (Daniels 1944, of which Kendall's
    /// formula for ties is the sum): no term is negative, so no digits are lost.
    pub fn variance_s(&self) -> f64 {
        let (couples, triples) = falling_powers(self.n);
        let product = |of: fn(&Untied) -> i128| of(&self.first) as f64 * of(&self.second) as f64;
        let from_triples = match triples {
            0 => 0.0,
            _ => product(|side| side.triples) / (9.0 * triples as f64),
        };
        from_triples + product(|side| side.couples) / (2.0 * couples as f64)
    }

    /// With ties on one side at most, the discordant couples are the inversions of a row of the
    /// other side's tied groups, all rows equally likely. How many rows have how many is given by
    /// the product of `(1 - q^(m + i)) / (1 - q^i)` over the groups, with m values before a group
    /// and i up to its size (MacMahon 1916; without ties it is the recursion of Best and Gipps
    /// 1974, AS 71). Only the tail is worked out, in which no digits are lost.
    fn exact_p(&self) -> Option<f64> {
        if self.n > MAX_EXACT {
            return None;
        }
        let all = falling_powers(self.n).0;
        let tied = match (self.first.couples == all, self.second.couples == all) {
            (true, _) => &self.second,
            (_, true) => &self.first,
            _ => return None,
        };
        if self.s == 0 {
            return Some(1.0);
        }
        let tail = (tied.couples / 2) as usize - self.s.unsigned_abs() as usize;
        let tail = tail / 2;
        let mut rows = vec![0.0; tail + 1];
        rows[0] = 1.0;
        let mut all_rows = 1.0;
        let mut before = 0;
        for &size in &tied.sizes {
            for i in 1..=size {
                let all_of_them = before + i;
                all_rows *= all_of_them as f64 / i as f64;
                if before == 0 {
                    continue;
                }
                for d in i..=tail {
                    rows[d] += rows[d - i];
                }
                for d in (all_of_them..=tail).rev() {
                    rows[d] -= rows[d - all_of_them];
                }
            }
            before += size;
        }
        Some((2.0 * rows.iter().sum::<f64>() / all_rows).min(1.0))
    }
}

/// The ordered couples and triples of a side whose values are not all equal.
pub struct Untied {
    pub couples: i128,
    triples: i128,
    /// Of the tied groups, for the exact test only.
    sizes: Vec<usize>,
}

impl Untied {
    fn of<'a>(groups: impl Iterator<Item = &'a [[f64; 2]]>, n: usize) -> Self {
        let (mut couples, mut triples) = falling_powers(n);
        let mut sizes = Vec::new();
        for group in groups {
            let tied = falling_powers(group.len());
            couples -= tied.0;
            triples -= tied.1;
            if n <= MAX_EXACT {
                sizes.push(group.len());
            }
        }
        Self {
            couples,
            triples,
            sizes,
        }
    }
}

/// `n (n - 1)` and `n (n - 1) (n - 2)`.
fn falling_powers(n: usize) -> (i128, i128) {
    let n = n as i128;
    (n * (n - 1), n * (n - 1) * (n - 2))
}
