//! Cronbach's alpha of each assessment, and what follows from it.

use hashbrown::HashMap;

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::statistics::alpha::{Covariances, MAX_ITEMS};
use crate::statistics::moments::Moments;

/// Students who must share two items before their covariance counts.
const MIN_SHARED: f64 = 10.0;

/// The figures of one assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub items: u64,
    pub students: u64,
    /// Responses.
    pub n: u64,
    pub first_at: i64,
    pub last_at: i64,
    /// Mean over students of their mean score.
    pub mean: f64,
    /// Standard deviation of the students' mean scores.
    pub sd: Option<f64>,
    /// Cronbach's alpha; may be negative, which says that the questions disagree. None for a
    /// single question, more than 1000, or two that fewer than ten students share.
    pub alpha: Option<f64>,
    /// Its large-sample standard error (van Zyl, Neudecker and Nel 2000).
    pub alpha_se: Option<f64>,
    /// Standard error of measurement of a student's mean score: `sd * sqrt(1 - alpha)`.
    pub sem: Option<f64>,
}

/// All assessments of the ledger; none for those without a response.
pub fn assessments(ledger: &Ledger, poll: Poll<'_>) -> Result<Vec<Option<Assessment>>> {
    let takers = ledger.takers(poll);
    let mut units = Vec::new();
    (0..ledger.assessments)
        .map(|at| {
            units.clear();
            units.extend(takers.of(at).iter().map(|&unit| unit as usize));
            assessment(ledger, &units, poll)
        })
        .collect()
}

fn assessment(ledger: &Ledger, units: &[usize], poll: Poll<'_>) -> Result<Option<Assessment>> {
    poll();
    let times = units.iter().flat_map(|&unit| {
        ledger
            .responses_in(unit)
            .map(move |at| ledger.time_of(unit, at))
    });
    let (Some(first_at), Some(last_at)) = (times.clone().min(), times.max()) else {
        return Ok(None);
    };
    let mut means = Moments::default();
    for &unit in units {
        let scores = &ledger.scores[ledger.responses_in(unit)];
        means.add(scores.iter().sum::<f64>() / scores.len() as f64);
    }
    let shared = Pairwise::of(ledger, units, poll)?;
    let covariances = shared.covariances.as_ref();
    let sd = means.variance().map(f64::sqrt);
    let alpha = covariances.and_then(Covariances::alpha);
    Ok(Some(Assessment {
        items: shared.items as u64,
        students: units.len() as u64,
        n: units
            .iter()
            .map(|&unit| ledger.responses_in(unit).len() as u64)
            .sum(),
        first_at,
        last_at,
        mean: means.mean(),
        sd,
        alpha,
        alpha_se: covariances.and_then(|matrix| matrix.alpha_se(shared.answers)),
        sem: sd.zip(alpha).map(|(sd, alpha)| sd * (1.0 - alpha).sqrt()),
    }))
}

/// The items' covariance matrix, each entry from the students who answered both items, as
/// R's `cov(use = "pairwise")` and so `psych::alpha` have it.
struct Pairwise {
    items: usize,
    /// None for a single item, for too many, and when an entry rests on fewer students than it
    /// needs.
    covariances: Option<Covariances>,
    /// Mean number of answers per item.
    answers: f64,
}

#[derive(Clone, Copy, Default)]
struct Pair {
    n: f64,
    x: f64,
    y: f64,
    xy: f64,
}

impl Pairwise {
    fn of(ledger: &Ledger, units: &[usize], poll: Poll<'_>) -> Result<Self> {
        let mut numbers: HashMap<u32, usize> = HashMap::new();
        let mut means: Vec<Moments> = Vec::new();
        for &unit in units {
            poll();
            for response in ledger.responses_in(unit) {
                let next = numbers.len();
                let number = *numbers.entry(ledger.items[response]).or_insert(next);
                means.resize(numbers.len(), Moments::default());
                means[number].add(ledger.scores[response]);
            }
        }
        let items = numbers.len();
        let answers = means.iter().map(Moments::n).sum::<f64>() / items.max(1) as f64;
        let mut shared = Self {
            items,
            covariances: None,
            answers,
        };
        if items > MAX_ITEMS {
            return Ok(shared);
        }
        memory::ask((size_of::<Pair>() + size_of::<f64>()) * items * items)?;
        // About each item's own mean, so that the products below lose no digits.
        let mut pairs = vec![Pair::default(); items * items];
        let mut row: Vec<(usize, f64)> = Vec::new();
        for &unit in units {
            row.clear();
            row.extend(ledger.responses_in(unit).map(|response| {
                let number = numbers[&ledger.items[response]];
                (number, ledger.scores[response] - means[number].mean())
            }));
            for (at, &(i, x)) in row.iter().enumerate() {
                for &(j, y) in &row[..=at] {
                    let (i, j, x, y) = if i > j { (i, j, x, y) } else { (j, i, y, x) };
                    let pair = &mut pairs[i * items + j];
                    pair.n += 1.0;
                    pair.x += x;
                    pair.y += y;
                    pair.xy += x * y;
                }
            }
            poll();
        }
        let least = MIN_SHARED.min(units.len() as f64).max(2.0);
        let triangle = (0..items).flat_map(|i| &pairs[i * items..][..=i]);
        if triangle.clone().all(|pair| pair.n >= least) {
            let covariance = |pair: &Pair| (pair.xy - pair.x * pair.y / pair.n) / (pair.n - 1.0);
            shared.covariances = Covariances::of_triangle(items, triangle.map(covariance));
        }
        Ok(shared)
    }
}
