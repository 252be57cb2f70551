//! More answers to "does it separate?": Somers' D and the upper-lower index by order alone, and
//! Moodle's discriminative efficiency. They are diagnostics; weights do not use them.

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::questions::criterion::{Criterion, UnitCriterion};
use crate::questions::difficulty::Difficulty;
use crate::statistics::concordance::{Answer, concordance, group_difference, influences};
use crate::statistics::pairs::{Grouping, sort, sorted};
use crate::statistics::rounding::ROUNDING;

/// What each unit of an assessment takes at most while the criteria of its units are collected,
/// ordered and used.
const UNIT_BYTES: usize = 128;

/// Both figures of one item.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Separation {
    /// Somers' D of the criterion given the score, -1..1: of all pairs of students with
    /// different scores, the share in which the better score has the higher criterion less the
    /// share in which it has the lower one (Somers 1962; 2 AUC - 1 for right and wrong).
    pub somers_d: Option<f64>,
    /// Mean score of the upper group less that of the lower group by criterion, -1..1 on a bounded
    /// scale. Students
    /// who are tied at the edge of a group belong to it in part, so that each group has exactly
    /// its share.
    pub discrimination_index: Option<f64>,
}

/// An answer, and which of the assessment's takers gave it.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    item: u32,
    member: u32,
    answer: Answer,
}

/// The takers of an assessment in the order of the criterion, where it is the same for all of
/// its items: sorted once, instead of once for each item.
struct Ranking {
    /// Per taker: the place.
    places: Vec<u32>,
    /// Per place: the criterion.
    levels: Vec<f64>,
}

impl Ranking {
    /// None when the criterion differs between items.
    fn of(levels: &[UnitCriterion], poll: Poll<'_>) -> Option<Self> {
        let mut order: Vec<(f64, u32)> = Vec::with_capacity(levels.len());
        for (member, level) in (0..).zip(levels) {
            match level {
                UnitCriterion::Others(historical) => order.push((historical.level, member)),
                UnitCriterion::Rest(..) => return None,
            }
        }
        sort(&mut order, |a, b| a.0.total_cmp(&b.0), poll);
        let mut places = vec![0; order.len()];
        for (place, &(_, member)) in (0..).zip(&order) {
            places[member as usize] = place;
        }
        let levels = order.iter().map(|(level, _)| *level).collect();
        Some(Self { places, levels })
    }

    fn order(&self, taken: &[Taken], ordered: &mut Vec<Answer>) {
        ordered.clear();
        // Where few of them answered, all places would be more than the answers are.
        if taken.len() < self.levels.len() / 16 {
            let place = |taken: &Taken| self.places[taken.member as usize];
            let mut few: Vec<_> = taken
                .iter()
                .map(|taken| (place(taken), taken.answer))
                .collect();
            few.sort_unstable_by_key(|&(place, _)| place);
            ordered.extend(few.into_iter().map(|(_, answer)| answer));
            return;
        }
        // No score is NaN, so it can mark the places of those who did not answer.
        let mut scores = vec![f64::NAN; self.levels.len()];
        for taken in taken {
            scores[self.places[taken.member as usize] as usize] = taken.answer.score;
        }
        let answers = self
            .levels
            .iter()
            .zip(scores)
            .filter(|(_, score)| !score.is_nan());
        ordered.extend(answers.map(|(&criterion, score)| Answer { criterion, score }));
    }
}

fn order_by_criterion(taken: &[Taken], ordered: &mut Vec<Answer>, poll: Poll<'_>) {
    ordered.clear();
    ordered.extend(taken.iter().map(|taken| taken.answer));
    sort(ordered, |a, b| a.criterion.total_cmp(&b.criterion), poll);
}

/// Sums over the assessments that used an item.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Pairs in the expected order less pairs in the opposite one, and all with unequal scores.
    balance: f64,
    pairs: f64,
    /// Difference of the groups, weighted by answers, and the answers.
    difference: f64,
    answers: f64,
}

/// Both figures of every item; students are compared within an assessment.
pub fn separations(
    ledger: &Ledger,
    difficulty: &Difficulty,
    criterion: &Criterion,
    share: f64,
    poll: Poll<'_>,
) -> Result<Vec<Separation>> {
    let mut sums = vec![Sums::default(); ledger.item_count()];
    let mut by_item = Grouping::new(ledger.item_count());
    let (mut levels, mut taken, mut listed, mut ordered) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    memory::ask(size_of::<u32>() * ledger.unit_count())?;
    let takers = ledger.takers(poll);
    for assessment in 0..ledger.assessments {
        let units = takers.of(assessment);
        let responses = units
            .iter()
            .map(|&unit| ledger.responses_in(unit as usize).len());
        memory::ask(2 * size_of::<Taken>() * responses.sum::<usize>() + UNIT_BYTES * units.len())?;
        levels.clear();
        taken.clear();
        for (member, &unit) in (0..).zip(units) {
            if member % 1024 == 0 {
                poll();
            }
            let student = ledger.student_of(unit);
            let responses = ledger.responses_in(unit as usize);
            let level = criterion.of_unit(student, responses.clone(), ledger, difficulty);
            levels.push(level);
            for response in responses {
                let adjusted = difficulty.adjusted(ledger, response);
                if let Some(historical) =
                    criterion.of_response(level, ledger.items[response], adjusted)
                {
                    taken.push(Taken {
                        item: ledger.items[response],
                        member,
                        answer: Answer {
                            criterion: historical.level,
                            score: ledger.scores[response],
                        },
                    });
                }
            }
        }
        let ranking = Ranking::of(&levels, poll);
        by_item.order(taken.iter().map(|taken| (taken.item, *taken)), &mut listed)?;
        for taken in listed.chunk_by(|a, b| a.item == b.item) {
            match &ranking {
                Some(ranking) => ranking.order(taken, &mut ordered),
                None => order_by_criterion(taken, &mut ordered, poll),
            }
            sums[taken[0].item as usize].add(&ordered, share, poll);
            poll();
        }
    }
    Ok(sums
        .iter()
        .map(|sums| Separation {
            somers_d: (sums.pairs > 0.0).then(|| sums.balance / sums.pairs),
            discrimination_index: (sums.answers > 0.0).then(|| sums.difference / sums.answers),
        })
        .collect())
}

impl Sums {
    /// Takes the answers of one assessment, in ascending order of the criterion.
    fn add(&mut self, answers: &[Answer], share: f64, poll: Poll<'_>) {
        if answers.len() < 2 {
            return;
        }
        let (balance, pairs) = concordance(answers, ROUNDING, poll);
        self.balance += balance;
        self.pairs += pairs;
        let n = answers.len() as f64;
        self.difference += n * group_difference(answers, share, ROUNDING);
        self.answers += n;
    }
}

/// Somers' D of the criterion given the score, of `[score, criterion]` in any order; as in
/// [`Separation`]. None when all scores are equal. `n log n` steps.
pub fn somers_d(sample: &[[f64; 2]], poll: Poll<'_>) -> Option<f64> {
    let (balance, pairs) = concordance(&by_criterion(sample, poll), 0.0, poll);
    (pairs > 0.0).then(|| balance / pairs)
}

/// The standard error of Somers' D. Each pair of values is compared with all others: of those with
/// another score, b, it agrees with more than it disagrees by a. The square is the sum of
/// `(a - D b)^2 / (B (B - b))`, B all pairs with unequal scores: the change when one is left out
/// (the jackknife of Newson 2006) times its influence. For right and wrong that is the variance of
/// DeLong, DeLong and Clarke-Pearson 1988. 0 when all pairs are in one order; none when nothing is
/// left to compare without one, as with a single right answer. `n log n` steps.
pub fn somers_d_se(sample: &[[f64; 2]], poll: Poll<'_>) -> Option<f64> {
    let influences = influences(&by_criterion(sample, poll), 0.0, poll);
    // Every pair has two ends.
    let (balance, pairs) = influences
        .iter()
        .fold((0.0, 0.0), |(balance, pairs), (a, b)| {
            (balance + a / 2.0, pairs + b / 2.0)
        });
    let d = balance / pairs;
    let mut variance = 0.0;
    for (a, b) in influences {
        let left = pairs - b;
        if left <= 0.0 {
            return None;
        }
        variance += (a - d * b).powi(2) / pairs / left;
    }
    (pairs > 0.0).then(|| variance.sqrt())
}

/// Mean score of the upper `share` (above 0, at most .5) of `[score, criterion]` by criterion
/// less that of the lower, in units of the score; those tied at the edge of a group belong to it
/// in part, so it is 0 when all criteria are equal. None of fewer than two.
pub fn discrimination_index(sample: &[[f64; 2]], share: f64, poll: Poll<'_>) -> Option<f64> {
    (sample.len() > 1).then(|| group_difference(&by_criterion(sample, poll), share, 0.0))
}

/// In ascending order of the criterion.
fn by_criterion(sample: &[[f64; 2]], poll: Poll<'_>) -> Vec<Answer> {
    let turned: Vec<[f64; 2]> = sample
        .iter()
        .map(|[score, level]| [*level, *score])
        .collect();
    let ordered = sorted(&turned, poll).into_iter();
    ordered
        .map(|[criterion, score]| Answer { criterion, score })
        .collect()
}

/// Moodle's discriminative efficiency of `[score, criterion]` in any order, as a share, where
/// Moodle has percent: the covariance over the largest that these scores and criteria allow,
/// which is that of both in ascending order (Moodle, `question/classes/statistics`). At most 1;
/// it may lie below -1. None when either side is constant.
pub fn discriminative_efficiency(sample: &[[f64; 2]], poll: Poll<'_>) -> Option<f64> {
    let pairs = sorted(sample, poll);
    let side = |at: usize| -> Vec<f64> { pairs.iter().map(|pair| pair[at]).collect() };
    let scores = deviations(side(0))?;
    let criteria = deviations(side(1))?;
    let mut best = criteria.clone();
    sort(&mut best, f64::total_cmp, poll);
    let product = |criteria: &[f64]| -> f64 {
        let products = scores.iter().zip(criteria).map(|(x, y)| x * y);
        products.sum()
    };
    Some((product(&criteria) / product(&best)).min(1.0))
}

/// From the mean, in units of the largest; none when all are equal.
fn deviations(mut values: Vec<f64>) -> Option<Vec<f64>> {
    if values.iter().all(|value| *value == values[0]) {
        return None;
    }
    // The mean of values far from 0 is rounded, and what that leaves is taken out as well.
    for _ in 0..2 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        for value in &mut values {
            *value -= mean;
        }
    }
    let largest = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for value in &mut values {
        *value /= largest;
    }
    Some(values)
}
