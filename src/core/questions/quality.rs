//! How well each question separates, and what it may weigh.

use crate::Poll;
use crate::labels::labels;
use crate::ledger::{CountsByReason, Ledger, Left};
use crate::options::Options;
use crate::questions::criterion::Criterion;
use crate::questions::difficulty::Difficulty;
use crate::statistics::distribution::{around, normal_quantile};
use crate::statistics::moments::{PairSums, Scatter};
use crate::statistics::rounding::ROUNDING;
use crate::statistics::shrink::Population;

/// Answers below which one assessment's use of a question is not centred by itself.
const MIN_USE: u64 = 10;
/// Largest correlation that is transformed to Fisher's z, which has no end.
const MAX_CORRELATION: f64 = 0.999;
/// Answers from which a question's figures are called stable.
const STABLE_ANSWERS: f64 = 100.0;
/// Mean discrimination below which no question deserves more weight than another.
const LEAST_MEAN_DISCRIMINATION: f64 = 0.05;

/// The largest share of a question's scores that may lie beyond its scale before it is truncated.
const MOST_BEYOND: f64 = 0.05;

/// What a question's figures are good for. The order is that of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemStatus {
    /// Stronger students do worse, beyond doubt: miskeyed, most likely. It weighs nothing.
    Flawed,
    /// Stronger students do worse, perhaps by chance.
    Suspect,
    /// Scores beyond an end of the scale are left out, and with them the answers of some students
    /// rather than others.
    Truncated,
    /// It adds up the others, and says nothing that they do not. It weighs nothing.
    Total,
    /// All answers, or all criterion levels, are the same.
    NoVariance,
    /// Most answers wait for their marks.
    Waiting,
    /// Too few answers to say anything.
    Insufficient,
    /// Some answers.
    Provisional,
    /// Enough answers to use.
    Usable,
    /// Enough answers to trust.
    Stable,
    /// Somebody said that it does not count.
    Excluded,
}

labels!(ItemStatus {
    Flawed => "flawed",
    Suspect => "suspect",
    Truncated => "truncated",
    Total => "total",
    NoVariance => "no_variance",
    Waiting => "waiting",
    Insufficient => "insufficient",
    Provisional => "provisional",
    Usable => "usable",
    Stable => "stable",
    Excluded => "excluded",
});

impl ItemStatus {
    /// Whether nothing is known of what the question may weigh, or it weighs nothing.
    fn is_unjudged(self) -> bool {
        matches!(
            self,
            Self::Total | Self::Insufficient | Self::Waiting | Self::Excluded
        )
    }

    /// Those that should be looked at.
    pub const UNDER_REVIEW: [Self; 4] = [Self::Flawed, Self::Suspect, Self::Truncated, Self::Total];
}

/// The options by which questions are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityOptions {
    pub shrink: bool,
    pub weight_floor: f64,
    pub min_answers: f64,
    pub flag_answers: u64,
    pub flag_alpha: f64,
    pub confidence: f64,
}

impl From<&Options> for QualityOptions {
    fn from(options: &Options) -> Self {
        Self {
            shrink: options.shrink,
            weight_floor: options.weight_floor,
            min_answers: options.min_answers,
            flag_answers: options.flag_answers,
            flag_alpha: options.flag_alpha,
            confidence: options.confidence,
        }
    }
}

/// The verdict of Ebel and Frisbie (1991) on a discrimination.
pub fn ebel_label(discrimination: f64) -> &'static str {
    match discrimination {
        d if d >= 0.4 => "very_good",
        d if d >= 0.3 => "good",
        d if d >= 0.2 => "marginal",
        d if d >= 0.0 => "poor",
        _ => "negative",
    }
}

/// A shrunk discrimination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discrimination {
    pub value: f64,
    /// Standard error, by the delta method from Fisher's z.
    pub se: f64,
    pub ci_low: f64,
    pub ci_high: f64,
}

/// The quality of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemQuality {
    /// Assessments that used it.
    pub assessments: u32,
    /// Responses.
    pub n: u64,
    /// What the answers with a criterion are worth, in answers with a perfectly known one.
    pub n_effective: f64,
    /// Correlation of score and criterion.
    pub r_rest: Option<f64>,
    pub discrimination: Option<Discrimination>,
    /// 1 on average, 0 for flawed and excluded items and for totals.
    pub weight: f64,
    pub status: ItemStatus,
}

/// What each item weighs in a level: its weight, or without `quality` the same for all.
pub fn weights(items: &[ItemQuality], quality: bool) -> Vec<f64> {
    let weight = |item: &ItemQuality| if quality { item.weight } else { 1.0 };
    items.iter().map(weight).collect()
}

/// Correlations, weights and statuses of all items.
pub fn qualities(
    ledger: &Ledger,
    difficulty: &Difficulty,
    criterion: &Criterion,
    options: &QualityOptions,
    poll: Poll<'_>,
) -> Vec<ItemQuality> {
    let totals = &difficulty.totals;
    let pooled = correlate(ledger, difficulty, criterion, poll);
    let evidence: Vec<Option<(f64, f64)>> = pooled.iter().map(Pooled::fisher_z).collect();
    let members: Vec<(f64, f64)> = (0..)
        .zip(&pooled)
        .zip(&evidence)
        .filter(|((number, _), _)| !totals.has(*number))
        .filter(|((_, item), _)| item.scatter.effective_n() >= options.min_answers)
        .filter_map(|(_, evidence)| *evidence)
        .collect();
    let population = Population::estimate(&members);
    let mut items: Vec<ItemQuality> = (0..)
        .zip(pooled.iter().zip(&evidence))
        .map(|(number, (item, evidence))| ItemQuality {
            assessments: item.uses,
            n: item.n,
            n_effective: item.scatter.effective_n(),
            r_rest: item.scatter.correlation(),
            discrimination: evidence.and_then(|z| discrimination(z, population, options)),
            weight: 1.0,
            status: match totals.has(number) {
                true => ItemStatus::Total,
                false => status_of_left_out(item.n, &ledger.left_out.of_item(number))
                    .unwrap_or_else(|| status(item, *evidence, options)),
            },
        })
        .collect();
    weigh(&mut items, options);
    items
}

/// What all assessments together show about one item.
#[derive(Clone, Default)]
struct Pooled {
    uses: u32,
    n: u64,
    /// Score against criterion, within uses.
    scatter: Scatter,
    /// Means that were taken out.
    centres: f64,
}

impl Pooled {
    fn add(&mut self, sums: &PairSums) {
        self.scatter.pool(&sums.scatter());
        self.centres += 1.0;
    }

    /// The correlation on Fisher's scale with its variance.
    fn fisher_z(&self) -> Option<(f64, f64)> {
        let r = self.scatter.correlation()?;
        let df = self.scatter.effective_n() - 2.0 - self.centres;
        (df >= 1.0).then(|| (r.clamp(-MAX_CORRELATION, MAX_CORRELATION).atanh(), 1.0 / df))
    }
}

/// What one assessment shows about one item.
#[derive(Clone, Copy, Default)]
struct Use {
    /// Responses, also those without a criterion.
    n: u64,
    sums: PairSums,
}

/// Adds up, item by item, score against criterion. A question that several assessments used is
/// judged within each use, so that neither a change of cohort nor the time between two uses
/// passes for discrimination; small uses are taken together. It goes by assessment, so that one
/// use of each item is held at a time: there may be as many uses as responses.
fn correlate(
    ledger: &Ledger,
    difficulty: &Difficulty,
    criterion: &Criterion,
    poll: Poll<'_>,
) -> Vec<Pooled> {
    let mut pooled = vec![Pooled::default(); ledger.item_count()];
    let mut small = vec![PairSums::default(); ledger.item_count()];
    let mut uses = vec![Use::default(); ledger.item_count()];
    let mut used: Vec<u32> = Vec::new();
    let takers = ledger.takers(poll);
    for assessment in 0..ledger.assessments {
        for (at, &unit) in takers.of(assessment).iter().enumerate() {
            if at % 1024 == 0 {
                poll();
            }
            let student = ledger.student_of(unit);
            let responses = ledger.responses_in(unit as usize);
            let level = criterion.of_unit(student, responses.clone(), ledger, difficulty);
            for response in responses {
                let item = ledger.items[response];
                let entry = &mut uses[item as usize];
                if entry.n == 0 {
                    used.push(item);
                }
                entry.n += 1;
                let score = difficulty.adjusted(ledger, response);
                if let Some(historical) = criterion.of_response(level, item, score) {
                    let level = historical.level - criterion.mean;
                    entry
                        .sums
                        .add(score - criterion.mean, level, historical.weight);
                }
            }
        }
        for item in used.drain(..) {
            let entry = std::mem::take(&mut uses[item as usize]);
            let pooled = &mut pooled[item as usize];
            pooled.n += entry.n;
            pooled.uses += 1;
            if entry.sums.n() >= MIN_USE {
                pooled.add(&entry.sums);
            } else {
                small[item as usize].merge(&entry.sums);
            }
        }
    }
    for (pooled, small) in pooled.iter_mut().zip(&small) {
        if small.n() > 0 {
            pooled.add(small);
        }
    }
    pooled
}

/// Draws a correlation towards what the subject's questions make likely.
fn discrimination(
    (z, variance): (f64, f64),
    population: Option<Population>,
    options: &QualityOptions,
) -> Option<Discrimination> {
    let (mean, variance) = if options.shrink {
        let population = population?;
        let b = population.reliability(variance);
        let mean = population.mean + b * (z - population.mean);
        (
            mean,
            b * variance + (1.0 - b).powi(2) * population.mean_variance,
        )
    } else {
        (z, variance)
    };
    let sd = variance.sqrt();
    let reach = normal_quantile(0.5 + options.confidence / 2.0) * sd;
    let value = mean.tanh();
    let (ci_low, ci_high) = around(value, ((mean - reach).tanh(), (mean + reach).tanh()));
    Some(Discrimination {
        value,
        se: sd * (1.0 - value * value),
        ci_low,
        ci_high,
    })
}

/// The status where what does not count says more than what does. One score beyond its scale is a
/// slip; several, and more than a small share of all, are of one side.
fn status_of_left_out(n: u64, left_out: &CountsByReason) -> Option<ItemStatus> {
    let waiting = left_out.of(Left::Waiting) + left_out.of(Left::HeldBack);
    let beyond = left_out.of(Left::BelowMin) + left_out.of(Left::AboveMax);
    let share = beyond as f64 / (beyond + n) as f64;
    match () {
        () if left_out.of(Left::Excluded) > 0 => Some(ItemStatus::Excluded),
        () if beyond > 1 && share > MOST_BEYOND => Some(ItemStatus::Truncated),
        () if waiting > n => Some(ItemStatus::Waiting),
        () => None,
    }
}

/// The flag looks at the item alone: shrinkage draws outliers in and would hide a wrong key.
fn status(item: &Pooled, evidence: Option<(f64, f64)>, options: &QualityOptions) -> ItemStatus {
    let n = item.scatter.effective_n();
    if n == 0.0 || n < options.min_answers {
        return ItemStatus::Insufficient;
    }
    let Some((z, variance)) = evidence else {
        return match item.scatter.correlation() {
            Some(_) => ItemStatus::Insufficient,
            None => ItemStatus::NoVariance,
        };
    };
    if item.scatter.n >= options.flag_answers && z < -ROUNDING {
        let bound = z + normal_quantile(1.0 - options.flag_alpha) * variance.sqrt();
        return if bound < 0.0 {
            ItemStatus::Flawed
        } else {
            ItemStatus::Suspect
        };
    }
    match n {
        n if n < options.flag_answers as f64 => ItemStatus::Provisional,
        n if n < STABLE_ANSWERS => ItemStatus::Usable,
        _ => ItemStatus::Stable,
    }
}

/// Sets the weights: the shrunk discrimination, but at least a share of the mean, so that a
/// question is never silently dropped for being dull; 0 for flawed ones and for totals; the mean
/// for those that nothing is known of yet. When most of the questions judged look flawed, it is the
/// criterion that is no good, and all weigh the same: nobody loses a level over it.
fn weigh(items: &mut [ItemQuality], options: &QualityOptions) {
    for item in items
        .iter_mut()
        .filter(|item| matches!(item.status, ItemStatus::Excluded | ItemStatus::Total))
    {
        item.weight = 0.0;
    }
    let count = |is: fn(ItemStatus) -> bool| items.iter().filter(|item| is(item.status)).count();
    let flawed = count(|status| status == ItemStatus::Flawed);
    let unjudged = count(ItemStatus::is_unjudged);
    if 2 * flawed > items.len() - unjudged {
        return;
    }
    let known: Vec<usize> = (0..items.len())
        .filter(|&at| {
            let status = items[at].status;
            status != ItemStatus::Flawed && !status.is_unjudged()
        })
        .collect();
    let value = |item: &ItemQuality| item.discrimination.map(|d| d.value);
    let values: Vec<f64> = known.iter().filter_map(|&at| value(&items[at])).collect();
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    if mean > LEAST_MEAN_DISCRIMINATION {
        for &at in &known {
            let discrimination = value(&items[at]).unwrap_or(0.0);
            items[at].weight = discrimination.max(options.weight_floor * mean);
        }
        let scale = known.iter().map(|&at| items[at].weight).sum::<f64>() / known.len() as f64;
        for &at in &known {
            items[at].weight /= scale;
        }
    }
    for item in items
        .iter_mut()
        .filter(|item| item.status == ItemStatus::Flawed)
    {
        item.weight = 0.0;
    }
}
