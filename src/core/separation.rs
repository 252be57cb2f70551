//! Two more answers to "does it separate?", by order alone: Somers' D and the upper-lower index.
//! They are diagnostics; weights do not use them.

use std::ops::Range;

use crate::Poll;
use crate::criterion::{Criterion, UnitCriterion};
use crate::difficulty::Difficulty;
use crate::ledger::Ledger;

/// Responses that are turned around at a time.
const BLOCK: usize = 1 << 21;

/// Criteria closer than this are tied: they are sums in different orders.
const TIE: f64 = 1e-9;

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

/// An answer with the criterion it is held against.
#[derive(Debug, Clone, Copy)]
struct Answer {
    criterion: f64,
    score: f64,
}

impl Answer {
    /// Whether this answer and the next one in order have the same criterion.
    fn tied(&self, next: &Self) -> bool {
        next.criterion - self.criterion <= TIE
    }
}

/// An answer, and which of the assessment's takers gave it.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// The place in the block.
    assessment: u32,
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
    fn of(levels: &[UnitCriterion]) -> Option<Self> {
        let mut order: Vec<(f64, u32)> = Vec::with_capacity(levels.len());
        for (member, level) in (0..).zip(levels) {
            match level {
                UnitCriterion::Others(historical) => order.push((historical.level, member)),
                UnitCriterion::Rest(..) => return None,
            }
        }
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut places = vec![0; order.len()];
        for (place, &(_, member)) in (0..).zip(&order) {
            places[member as usize] = place;
        }
        let levels = order.iter().map(|(level, _)| *level).collect();
        Some(Self { places, levels })
    }

    fn order(&self, taken: &[Taken], ordered: &mut Vec<Answer>) {
        // No score is NaN, so it can mark the places of those who did not answer.
        let mut scores = vec![f64::NAN; self.levels.len()];
        for taken in taken {
            scores[self.places[taken.member as usize] as usize] = taken.answer.score;
        }
        ordered.clear();
        let answers = self
            .levels
            .iter()
            .zip(scores)
            .filter(|(_, score)| !score.is_nan());
        ordered.extend(answers.map(|(&criterion, score)| Answer { criterion, score }));
    }
}

fn order_by_criterion(taken: &[Taken], ordered: &mut Vec<Answer>) {
    ordered.clear();
    ordered.extend(taken.iter().map(|taken| taken.answer));
    ordered.sort_unstable_by(|a, b| a.criterion.total_cmp(&b.criterion));
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
) -> Vec<Separation> {
    let mut sums = vec![Sums::default(); ledger.item_count()];
    // Per item: its answers in the assessments at hand.
    let mut taken: Vec<Vec<Taken>> = vec![Vec::new(); ledger.item_count()];
    let mut touched: Vec<u32> = Vec::new();
    let mut ordered = Vec::new();
    for block in blocks(ledger) {
        let mut levels: Vec<Vec<UnitCriterion>> = vec![Vec::new(); block.len()];
        for student in 0..ledger.student_count() {
            for unit in ledger.units_of_within(student, &block) {
                let assessment = ledger.unit(unit).assessment - block.start;
                let members = &mut levels[assessment as usize];
                let responses = ledger.responses_in(unit);
                let level = criterion.of_unit(student, unit, responses.len());
                for response in responses {
                    let adjusted = difficulty.adjusted(ledger, response);
                    let Some(historical) = criterion.of_response(level, adjusted) else {
                        continue;
                    };
                    let item = ledger.items[response];
                    let list = &mut taken[item as usize];
                    if list.is_empty() {
                        touched.push(item);
                    }
                    let score = ledger.scores[response];
                    list.push(Taken {
                        assessment,
                        member: members.len() as u32,
                        answer: Answer {
                            criterion: historical.level,
                            score,
                        },
                    });
                }
                members.push(level);
            }
            if student % 1024 == 0 {
                poll();
            }
        }
        let rankings: Vec<_> = levels.iter().map(|levels| Ranking::of(levels)).collect();
        for item in touched.drain(..) {
            let list = &mut taken[item as usize];
            list.sort_by_key(|taken| taken.assessment);
            for used in list.chunk_by(|a, b| a.assessment == b.assessment) {
                match &rankings[used[0].assessment as usize] {
                    Some(ranking) => ranking.order(used, &mut ordered),
                    None => order_by_criterion(used, &mut ordered),
                }
                sums[item as usize].add(&ordered, share);
            }
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

/// Ranges of assessments with about [`BLOCK`] responses. Responses lie student by student, but
/// are needed item by item; a block at a time, this is turned around in memory that is small
/// against the ledger, and each student's part of it still lies together.
fn blocks(ledger: &Ledger) -> Vec<Range<u32>> {
    let mut sizes = vec![0; ledger.assessments];
    for unit in 0..ledger.unit_count() {
        sizes[ledger.unit(unit).assessment as usize] += ledger.responses_in(unit).len();
    }
    let mut blocks = Vec::new();
    let (mut start, mut size) = (0u32, 0);
    for (assessment, next) in (0u32..).zip(sizes) {
        if size > 0 && size + next > BLOCK {
            blocks.push(start..assessment);
            (start, size) = (assessment, 0);
        }
        size += next;
    }
    blocks.push(start..ledger.assessments as u32);
    blocks
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
        let lower = edge_mean(tied_groups(answers), share * n);
        let upper = edge_mean(tied_groups(answers).rev(), share * n);
        self.difference += n * (upper - lower);
        self.answers += n;
    }
}

/// (mean score, size) of groups with the same criterion.
fn tied_groups(answers: &[Answer]) -> impl DoubleEndedIterator<Item = (f64, f64)> {
    answers.chunk_by(Answer::tied).map(|tied| {
        let n = tied.len() as f64;
        (tied.iter().map(|answer| answer.score).sum::<f64>() / n, n)
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

/// Concordant less discordant pairs, and pairs with unequal scores.
fn concordance(answers: &[Answer]) -> (f64, f64) {
    let scores = distinct_scores(answers);
    match scores[..] {
        [] | [_] => (0.0, 0.0),
        [_, right] => concordance_of_two(answers, right),
        _ => concordance_of_many(answers, &scores),
    }
}

/// Right and wrong: n steps.
fn concordance_of_two(answers: &[Answer], right: f64) -> (f64, f64) {
    let (mut rights, mut wrongs, mut balance) = (0i64, 0i64, 0i64);
    for tied in answers.chunk_by(Answer::tied) {
        let new = tied.iter().filter(|answer| answer.score == right).count() as i64;
        let old = tied.len() as i64 - new;
        balance += new * wrongs - old * rights;
        rights += new;
        wrongs += old;
    }
    (balance as f64, rights as f64 * wrongs as f64)
}

/// Any scores: n log l steps for l distinct ones (Christensen 2005).
fn concordance_of_many(answers: &[Answer], scores: &[f64]) -> (f64, f64) {
    let place = |answer: &Answer| scores.partition_point(|&score| score < answer.score);
    let mut seen = Fenwick::new(scores.len());
    let mut balance = 0i64;
    let mut places: Vec<usize> = Vec::new();
    for tied in answers.chunk_by(Answer::tied) {
        places.clear();
        places.extend(tied.iter().map(place));
        for &place in &places {
            balance += seen.below(place) + seen.below(place + 1) - seen.total;
        }
        for &place in &places {
            seen.add(place);
        }
    }
    let n = answers.len() as f64;
    let tied: f64 = (0..scores.len())
        .map(|place| (seen.below(place + 1) - seen.below(place)) as f64)
        .map(|count| count * count)
        .sum();
    (balance as f64, (n * n - tied) / 2.0)
}

/// In ascending order.
fn distinct_scores(answers: &[Answer]) -> Vec<f64> {
    let mut scores: Vec<f64> = Vec::new();
    let (mut last, mut before) = (u64::MAX, u64::MAX);
    for answer in answers {
        // Most items know two scores, which this passes over without a guess.
        let bits = answer.score.to_bits();
        if (bits != last) & (bits != before) {
            scores.push(answer.score);
            (last, before) = (bits, last);
        }
    }
    scores.sort_unstable_by(f64::total_cmp);
    scores.dedup();
    scores
}

/// Counts by place with running totals (Fenwick 1994).
struct Fenwick {
    counts: Vec<i64>,
    total: i64,
}

impl Fenwick {
    fn new(places: usize) -> Self {
        Self {
            counts: vec![0; places + 1],
            total: 0,
        }
    }

    fn add(&mut self, place: usize) {
        self.total += 1;
        let mut at = place + 1;
        while at < self.counts.len() {
            self.counts[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// How many were added below `place`.
    fn below(&self, place: usize) -> i64 {
        let (mut at, mut sum) = (place, 0);
        while at > 0 {
            sum += self.counts[at];
            at &= at - 1;
        }
        sum
    }
}
