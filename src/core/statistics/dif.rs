//! Whether a question is harder for one group than for another of the same level: the method of
//! Mantel and Haenszel 1959 as Holland and Thayer 1988 use it.
//!
//! Students are put into strata by level; within each, right and wrong answers are counted for
//! both groups. A tally of that is a list of [`Entry`], which glue can keep flat and grow.

use crate::labels::labels;
use crate::statistics::distribution::normal_two_sided;

/// Delta per unit of log odds, on the scale of difficulty that ETS uses.
const DELTA: f64 = -2.35;
/// Where differences begin to matter, and where they matter much, in delta.
const SLIGHT: f64 = 1.0;
const LARGE: f64 = 1.5;
/// Significance, and the normal quantile of the same, one-sided.
const LEVEL: f64 = 0.05;
const ONE_SIDED: f64 = 1.645;

/// A stratum with its counts: stratum, reference wrong, reference right, focal wrong, focal
/// right.
pub type Entry = [f64; 5];

/// Brings entries into the order of their strata, adds those of the same stratum up, and returns
/// how many are left at the front. Strata and counts are finite; -0 is 0.
pub fn compact(entries: &mut [Entry]) -> usize {
    entries.sort_unstable_by(|a, b| (a[0] + 0.0).total_cmp(&(b[0] + 0.0)));
    let mut kept = 0;
    for at in 0..entries.len() {
        let entry = entries[at];
        if kept > 0 && entries[kept - 1][0] == entry[0] {
            for (sum, count) in entries[kept - 1].iter_mut().zip(entry).skip(1) {
                *sum += count;
            }
        } else {
            entries[kept] = entry;
            entries[kept][0] += 0.0;
            kept += 1;
        }
    }
    kept
}

/// Answers of one stratum, wrong and right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    pub reference: [f64; 2],
    pub focal: [f64; 2],
}

impl From<&Entry> for Stratum {
    fn from(
        &[
            _,
            reference_wrong,
            reference_right,
            focal_wrong,
            focal_right,
        ]: &Entry,
    ) -> Self {
        Self {
            reference: [reference_wrong, reference_right],
            focal: [focal_wrong, focal_right],
        }
    }
}

/// The categories of ETS (Zieky 1993).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Negligible: delta lies within 1 of 0, or does not differ from 0 at 5 %.
    A,
    /// Moderate: all others.
    B,
    /// Large: delta is 1.5 or more from 0, and more than 1 at 5 %, one-sided.
    C,
}

labels!(Class { A => "A", B => "B", C => "C" });

impl Class {
    fn of(delta: f64, se: f64, p: f64) -> Self {
        let size = delta.abs();
        if size < SLIGHT || p >= LEVEL {
            Class::A
        } else if size >= LARGE && size - SLIGHT > ONE_SIDED * se {
            Class::C
        } else {
            Class::B
        }
    }
}

/// Differential functioning of one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dif {
    /// Strata with both groups and both outcomes; the others say nothing and are left out.
    pub strata: u64,
    /// Answers in those.
    pub n: u64,
    /// Of the question being equally hard for both groups, with continuity correction and one
    /// degree of freedom; and its p-value.
    pub chi_squared: f64,
    pub p: f64,
    /// None where the odds are 0 to something: where no answer of a stratum speaks for one side.
    pub effect: Option<Effect>,
}

/// How much harder, and for whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Common odds ratio: the odds of the reference group over those of the focal group.
    pub odds_ratio: f64,
    /// `-2.35 ln(odds ratio)`, below 0 when the question is harder for the focal group.
    pub delta: f64,
    /// Its standard error (Robins, Breslow and Greenland 1986; Phillips and Holland 1987).
    pub delta_se: f64,
    pub class: Class,
}

/// Compares two groups. Sums depend in the last digits on the order of the strata, which is why
/// [`compact`] sorts. None when no stratum has both groups and both outcomes.
pub fn mantel_haenszel(strata: impl IntoIterator<Item = Stratum>) -> Option<Dif> {
    let tables: Vec<Table> = strata.into_iter().filter_map(Table::of).collect();
    let sum = |of: &dyn Fn(&Table) -> f64| tables.iter().map(of).sum::<f64>();
    let variance = sum(&|table| table.variance);
    if variance <= 0.0 {
        return None;
    }
    let excess = sum(&|table| table.excess);
    let chi_squared = (excess.abs() - 0.5).max(0.0).powi(2) / variance;
    let p = normal_two_sided(chi_squared.sqrt());
    let (same, crossed) = (sum(&|table| table.same), sum(&|table| table.crossed));
    let effect = (same > 0.0 && crossed > 0.0).then(|| {
        let odds_ratio = same / crossed;
        let spread = |table: &Table| {
            let products = table.same + odds_ratio * table.crossed;
            products * (table.diagonal + odds_ratio * (1.0 - table.diagonal))
        };
        let variance_of_log = sum(&spread) / (2.0 * same * same);
        let delta = DELTA * odds_ratio.ln();
        let delta_se = DELTA.abs() * variance_of_log.sqrt();
        Effect {
            odds_ratio,
            delta,
            delta_se,
            class: Class::of(delta, delta_se, p),
        }
    });
    Some(Dif {
        strata: tables.len() as u64,
        n: sum(&|table| table.n) as u64,
        chi_squared,
        p,
        effect,
    })
}

/// What a stratum adds.
struct Table {
    n: f64,
    /// Right answers of the reference group above what chance would give it, and the variance of
    /// that.
    excess: f64,
    variance: f64,
    /// Reference right times focal wrong over n; and reference wrong times focal right.
    same: f64,
    crossed: f64,
    /// Share of the answers that are reference right or focal wrong.
    diagonal: f64,
}

impl Table {
    /// None when a group or an outcome is missing.
    fn of(stratum: Stratum) -> Option<Self> {
        let Stratum { reference, focal } = stratum;
        let groups = [reference, focal].map(|[wrong, right]| wrong + right);
        let [wrong, right] = [reference[0] + focal[0], reference[1] + focal[1]];
        let both = groups[0] * groups[1] * wrong * right;
        let n = groups[0] + groups[1];
        (both > 0.0).then(|| Self {
            n,
            excess: reference[1] - groups[0] * right / n,
            variance: both / (n * n * (n - 1.0)),
            same: reference[1] * focal[0] / n,
            crossed: reference[0] * focal[1] / n,
            diagonal: (reference[1] + focal[0]) / n,
        })
    }
}
