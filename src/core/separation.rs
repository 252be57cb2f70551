//! Two more answers to "does it separate?", by order alone: Somers' D and the upper-lower index.
//! They are diagnostics; weights do not use them.

use crate::Poll;
use crate::criterion::Criterion;
use crate::ledger::Ledger;

/// Both figures of one item.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Separation {
    /// Somers' D of the criterion given the score, -1..1: of all pairs of students with
    /// different scores, the share in which the better score has the higher criterion less the
    /// share in which it has the lower one (Somers 1962; 2 AUC - 1 for right and wrong).
    pub somers_d: Option<f64>,
    /// Mean score of the upper group less that of the lower group by criterion, -1..1. Students
    /// who are tied at the edge of a group belong to it in part, so that each group has exactly
    /// its share.
    pub discrimination_index: Option<f64>,
}

/// An answer with the criterion it is held against.
#[derive(Debug, Clone, Copy)]
struct Answer {
    criterion: f64,
    score: f64,
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
    criterion: &Criterion<'_>,
    share: f64,
    poll: Poll<'_>,
) -> Vec<Separation> {
    let mut sums = vec![Sums::default(); ledger.item_count()];
    let (starts, units) = units_by_assessment(ledger);
    // Per item: its answers in the assessment at hand.
    let mut answers: Vec<Vec<Answer>> = vec![Vec::new(); ledger.item_count()];
    let mut touched: Vec<u32> = Vec::new();
    for assessment in starts.windows(2) {
        let mut members: Vec<_> = units[assessment[0] as usize..assessment[1] as usize]
            .iter()
            .map(|&(student, unit)| {
                let level = criterion.of_unit(student as usize, unit as usize);
                let first = ledger.responses_in(unit as usize).start;
                let order = criterion.of_response(level, first).map_or(0.0, |h| h.level);
                (order, unit, level)
            })
            .collect();
        // Once here, so that the lists below are in order already, or nearly so.
        members.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for (_, unit, level) in members {
            for response in ledger.responses_in(unit as usize) {
                let Some(historical) = criterion.of_response(level, response) else {
                    continue;
                };
                let item = ledger.items[response];
                let list = &mut answers[item as usize];
                if list.is_empty() {
                    touched.push(item);
                }
                list.push(Answer {
                    criterion: historical.level,
                    score: ledger.scores[response],
                });
            }
        }
        for item in touched.drain(..) {
            let list = &mut answers[item as usize];
            list.sort_by(|a, b| a.criterion.total_cmp(&b.criterion));
            sums[item as usize].add(list, share);
            list.clear();
            poll();
        }
    }
    sums.iter()
        .map(|sums| Separation {
            somers_d: (sums.pairs > 0.0).then(|| sums.balance / sums.pairs),
            discrimination_index: (sums.answers > 0.0).then(|| sums.difference / sums.answers),
        })
        .collect()
}

/// Pairs (student, unit) in the order of assessments, and where each assessment starts.
fn units_by_assessment(ledger: &Ledger) -> (Vec<u32>, Vec<(u32, u32)>) {
    let mut starts = vec![0u32; ledger.assessments + 1];
    for unit in 0..ledger.unit_count() {
        starts[ledger.unit(unit).assessment as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut next = starts.clone();
    let mut units = vec![(0, 0); ledger.unit_count()];
    for student in 0..ledger.student_count() {
        for unit in ledger.units_of(student) {
            let at = &mut next[ledger.unit(unit).assessment as usize];
            units[*at as usize] = (student as u32, unit as u32);
            *at += 1;
        }
    }
    (starts, units)
}

impl Sums {
    /// Takes the answers of one assessment, in ascending order of the criterion.
    fn add(&mut self, answers: &[Answer], share: f64) {
        if answers.len() < 2 {
            return;
        }
        let (balance, pairs) = concordance(answers);
        self.balance += balance;
        self.pairs += pairs;
        let n = answers.len() as f64;
        let lower = edge_mean(tied_groups(answers.iter()), share * n);
        let upper = edge_mean(tied_groups(answers.iter().rev()), share * n);
        self.difference += n * (upper - lower);
        self.answers += n;
    }
}

/// (mean score, size) of groups with the same criterion, in the order given.
fn tied_groups<'a>(
    answers: impl Iterator<Item = &'a Answer> + Clone,
) -> impl Iterator<Item = (f64, f64)> {
    let mut rest = answers.peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let (mut sum, mut n) = (first.score, 1.0);
        while let Some(next) = rest.next_if(|next| next.criterion == first.criterion) {
            sum += next.score;
            n += 1.0;
        }
        Some((sum / n, n))
    })
}

/// Mean score of the first `mass` students; the group at the edge counts in part.
fn edge_mean(groups: impl Iterator<Item = (f64, f64)>, mass: f64) -> f64 {
    let (mut left, mut sum) = (mass, 0.0);
    for (mean, n) in groups {
        let taken = n.min(left);
        sum += taken * mean;
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    sum / mass
}

/// Concordant less discordant pairs, and pairs with unequal scores, in n log l steps for l
/// distinct scores (Christensen 2005).
fn concordance(answers: &[Answer]) -> (f64, f64) {
    let levels = distinct_scores(answers);
    let level = |answer: &Answer| levels.partition_point(|&score| score < answer.score);
    let mut seen = Fenwick::new(levels.len());
    let mut balance = 0i64;
    for tied in answers.chunk_by(|a, b| a.criterion == b.criterion) {
        for answer in tied {
            let level = level(answer);
            let (below, up_to) = (seen.below(level), seen.below(level + 1));
            balance += below - (seen.total - up_to);
        }
        for answer in tied {
            seen.add(level(answer));
        }
    }
    let n = answers.len() as f64;
    let tied: f64 = (0..levels.len())
        .map(|level| (seen.below(level + 1) - seen.below(level)) as f64)
        .map(|count| count * count)
        .sum();
    (balance as f64, (n * n - tied) / 2.0)
}

fn distinct_scores(answers: &[Answer]) -> Vec<f64> {
    let mut levels: Vec<f64> = Vec::new();
    for answer in answers {
        // Most items know a handful of scores.
        if !levels
            .iter()
            .rev()
            .take(4)
            .any(|&score| score == answer.score)
        {
            levels.push(answer.score);
        }
    }
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup();
    levels
}

/// Counts by level with running totals (Fenwick 1994).
struct Fenwick {
    counts: Vec<i64>,
    total: i64,
}

impl Fenwick {
    fn new(levels: usize) -> Self {
        Self {
            counts: vec![0; levels + 1],
            total: 0,
        }
    }

    fn add(&mut self, level: usize) {
        self.total += 1;
        let mut at = level + 1;
        while at < self.counts.len() {
            self.counts[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// How many were added below `level`.
    fn below(&self, level: usize) -> i64 {
        let (mut at, mut sum) = (level, 0);
        while at > 0 {
            sum += self.counts[at];
            at &= at - 1;
        }
        sum
    }
}
