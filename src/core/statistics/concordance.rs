//! How far scores and a criterion agree in order.

use crate::Poll;

/// An answer with the criterion it is compared with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer {
    pub criterion: f64,
    pub score: f64,
}

/// The answers with the same criterion.
fn tied_groups(answers: &[Answer], tie: f64) -> impl DoubleEndedIterator<Item = &[Answer]> + Clone {
    answers.chunk_by(move |answer, next| next.criterion - answer.criterion <= tie)
}

/// Mean score of the upper `share` by criterion less that of the lower; answers tied at the edge
/// of a group belong to it in part, so that each group has exactly its share.
pub fn group_difference(answers: &[Answer], share: f64, tie: f64) -> f64 {
    let mass = share * answers.len() as f64;
    let groups = tied_groups(answers, tie).map(|tied| {
        let n = tied.len() as f64;
        (tied.iter().map(|answer| answer.score).sum::<f64>() / n, n)
    });
    edge_mean(groups.clone().rev(), mass) - edge_mean(groups, mass)
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

/// Concordant less discordant pairs, and pairs with unequal scores, of answers in ascending
/// order of the criterion. Criteria no further apart than `tie` are tied.
pub fn concordance(answers: &[Answer], tie: f64, poll: Poll<'_>) -> (f64, f64) {
    let scores = distinct_scores(answers);
    match scores[..] {
        [] | [_] => (0.0, 0.0),
        [_, right] => concordance_of_two(answers, right, tie),
        _ => concordance_of_many(answers, &scores, tie, poll),
    }
}

/// Right and wrong: n steps.
fn concordance_of_two(answers: &[Answer], right: f64, tie: f64) -> (f64, f64) {
    let (mut rights, mut wrongs, mut balance) = (0i64, 0i64, 0i64);
    for tied in tied_groups(answers, tie) {
        let new = tied.iter().filter(|answer| answer.score == right).count() as i64;
        let old = tied.len() as i64 - new;
        balance += new * wrongs - old * rights;
        rights += new;
        wrongs += old;
    }
    (balance as f64, rights as f64 * wrongs as f64)
}

/// Any scores: n log l steps for l distinct ones (Christensen 2005).
fn concordance_of_many(answers: &[Answer], scores: &[f64], tie: f64, poll: Poll<'_>) -> (f64, f64) {
    let mut seen = Fenwick::new(scores.len());
    let mut balance = 0i64;
    let mut places: Vec<usize> = Vec::new();
    for tied in tied_groups(answers, tie) {
        places.clear();
        places.extend(tied.iter().map(|answer| place(scores, answer)));
        for &place in &places {
            balance += seen.lean(place);
            poll();
        }
        for &place in &places {
            seen.add(place);
        }
    }
    let n = answers.len() as f64;
    let tied: f64 = (0..scores.len())
        .map(|place| seen.at(place) as f64)
        .map(|count| count * count)
        .sum();
    (balance as f64, (n * n - tied) / 2.0)
}

/// Of each answer: with how many of all answers it agrees in order less with how many it
/// disagrees, and how many have another score.
pub fn influences(answers: &[Answer], tie: f64, poll: Poll<'_>) -> Vec<(f64, f64)> {
    let scores = distinct_scores(answers);
    let mut seen = Fenwick::new(scores.len());
    let mut leans: Vec<(usize, i64)> = Vec::with_capacity(answers.len());
    for tied in tied_groups(answers, tie) {
        let start = leans.len();
        for answer in tied {
            let place = place(&scores, answer);
            leans.push((place, seen.lean(place)));
            poll();
        }
        for &(place, _) in &leans[start..] {
            seen.add(place);
        }
        for (place, lean) in &mut leans[start..] {
            *lean += seen.lean(*place);
        }
    }
    // An answer leans on those with a lower criterion, and away from those with a higher one,
    // which are all but the ones seen by then.
    let influence = |(place, lean)| {
        let agreeing = lean - seen.lean(place);
        (agreeing as f64, (seen.total - seen.at(place)) as f64)
    };
    leans.into_iter().map(influence).collect()
}

fn place(scores: &[f64], answer: &Answer) -> usize {
    scores.partition_point(|&score| score < answer.score)
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

    /// How many were added at `place`.
    fn at(&self, place: usize) -> i64 {
        self.below(place + 1) - self.below(place)
    }

    /// How many were added below `place` less how many above.
    fn lean(&self, place: usize) -> i64 {
        self.below(place) + self.below(place + 1) - self.total
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
