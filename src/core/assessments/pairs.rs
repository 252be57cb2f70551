//! What the students who answered two questions show of these, for each pair of questions.

use crate::Poll;
use crate::assessments::sittings::Sittings;
use crate::memory::{self, Result};

/// Sums over the students who answered both, of scores about the means of their questions.
#[derive(Clone, Copy, Default)]
struct Pair {
    n: f64,
    x: f64,
    y: f64,
    xy: f64,
    /// Of squares of `x - y`.
    differences: f64,
}

impl Pair {
    /// Sum of products about the means of those who answered both.
    fn products(&self) -> f64 {
        self.xy - self.x * self.y / self.n
    }

    /// Sum of squares of the differences about their mean.
    fn squares(&self) -> f64 {
        (self.differences - (self.x - self.y).powi(2) / self.n).max(0.0)
    }
}

pub struct Pairs {
    /// The lower triangle without its diagonal, row by row.
    pairs: Vec<Pair>,
}

/// The place of the pair of two different questions.
fn place(one: u32, other: u32) -> usize {
    let (low, high) = (one.min(other) as usize, one.max(other) as usize);
    high * (high - 1) / 2 + low
}

impl Pairs {
    pub fn of(sittings: &Sittings, poll: Poll<'_>) -> Result<Self> {
        let questions = sittings.question_count();
        let count = questions * questions.saturating_sub(1) / 2;
        memory::ask(size_of::<Pair>() * count)?;
        let mut pairs = vec![Pair::default(); count];
        // About each question's own mean, so that the sums lose no digits.
        let means: Vec<f64> = sittings.moments.iter().map(|m| m.mean()).collect();
        let mut row: Vec<(u32, f64)> = Vec::new();
        for (questions, scores) in sittings.rows() {
            poll();
            row.clear();
            let centred = questions.iter().zip(scores);
            row.extend(centred.map(|(&at, score)| (at, score - means[at as usize])));
            // By number, so that of every pair the same question is x.
            row.sort_unstable_by_key(|&(at, _)| at);
            for (at, &(i, x)) in row.iter().enumerate() {
                for &(j, y) in &row[..at] {
                    let pair = &mut pairs[place(i, j)];
                    pair.n += 1.0;
                    pair.x += x;
                    pair.y += y;
                    pair.xy += x * y;
                    pair.differences += (x - y).powi(2);
                }
            }
        }
        Ok(Self { pairs })
    }

    fn shared(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| pair.n > 1.0)
    }

    /// Degrees of freedom: the students of each pair less one.
    pub fn df(&self) -> f64 {
        self.shared().map(|pair| pair.n - 1.0).sum()
    }

    /// Half the variance of the difference between two questions' scores, all pairs pooled by their
    /// degrees of freedom: what is left of the variance of a score without the covariance.
    pub fn residual_variance(&self) -> f64 {
        self.shared().map(Pair::squares).sum::<f64>() / (2.0 * self.df())
    }

    /// The covariance, pooled in the same way.
    pub fn pooled_covariance(&self) -> f64 {
        self.shared().map(Pair::products).sum::<f64>() / self.df()
    }

    /// The covariance of two different questions; none where fewer than `least` answered both.
    pub fn covariance(&self, one: u32, other: u32, least: f64) -> Option<f64> {
        let pair = &self.pairs[place(one, other)];
        (pair.n >= least).then(|| pair.products() / (pair.n - 1.0))
    }

    /// Students who answered two questions that another one answered as well.
    pub fn sharing_students(&self, sittings: &Sittings, poll: Poll<'_>) -> usize {
        let shares = |questions: &[u32]| {
            poll();
            questions.iter().enumerate().any(|(at, &one)| {
                let mut before = questions[..at].iter();
                before.any(|&other| self.pairs[place(one, other)].n > 1.0)
            })
        };
        sittings
            .rows()
            .filter(|(questions, _)| shares(questions))
            .count()
    }
}
