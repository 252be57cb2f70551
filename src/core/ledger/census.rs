//! What of a gradebook no plain reading counts, and what may be wrong with its rows.

use crate::Poll;
use crate::gradebook::{Exclusion, Gradebook, Mark, Result, State};
use crate::labels::labels;
use crate::ledger::reading::{Left, Outcome, Reading};
use crate::memory;

/// What may be wrong with the rows that do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Scores above a maximum of 1 lie between 10 and 100.
    Percentages,
    /// Scores above a maximum of 1 lie from 2 to 10, or above 100.
    Points,
    /// Scores lie above their maximum, and not as far.
    Bonus,
    /// Scores lie below their minimum.
    LostSign,
    /// Nobody said what the maximum is.
    UnknownMax,
    /// There is no student, question or assessment.
    NoId,
    /// There is no time.
    NoTime,
    /// The maximum is not above the minimum.
    BadScale,
    /// Scores or times are infinite, or not a number.
    NotFinite,
}

labels!(Doubt {
    Percentages => "percentages",
    Points => "points",
    Bonus => "bonus",
    LostSign => "lost_sign",
    UnknownMax => "unknown_max",
    NoId => "no_id",
    NoTime => "no_time",
    BadScale => "bad_scale",
    NotFinite => "not_finite",
});

/// A doubt, and of how many of the items it holds that say something of their scale; of 0 where it is
/// not about scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubtful {
    pub doubt: Doubt,
    pub items: u64,
    pub of: u64,
}

impl Doubtful {
    /// Whether it holds of some items and not of others.
    pub fn is_mixed(&self) -> bool {
        self.items < self.of
    }
}

/// Rows of a gradebook, before attempts are chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// All of them.
    pub rows: u64,
    /// Those that do not count, by reason, the most frequent first; of a row without a score that
    /// does not say why, the reason is that.
    pub left_out: Vec<(&'static str, u64)>,
    /// What may be wrong with the most rows.
    pub doubt: Option<Doubtful>,
}

impl Census {
    /// Counts the rows of a gradebook as a reading takes them.
    pub fn of(gradebook: &Gradebook<'_>, reading: &Reading, poll: Poll<'_>) -> Result<Self> {
        let excluded = gradebook.excluded();
        let listed = gradebook.marks();
        let is_plain = |mark: &Mark| matches!(reading.outcome(*mark), Outcome::Counts(_));
        let by_item = match !listed.is_empty() && listed.iter().all(is_plain) {
            true => Vec::new(),
            false => counts_by_item(gradebook, reading, poll)?,
        };
        let mut counts = Counts::default();
        let mut votes = Votes::of(&by_item);
        for own in &by_item {
            counts.merge(own);
        }
        for (reason, doubt) in [
            (Exclusion::NullId, Doubt::NoId),
            (Exclusion::NullDate, Doubt::NoTime),
            (Exclusion::BadScale, Doubt::BadScale),
            (Exclusion::NotFinite, Doubt::NotFinite),
        ] {
            votes.rows[doubt as usize] += excluded.count(reason);
        }
        let reasons = Exclusion::ALL.map(|reason| (reason.label(), excluded.count(reason)));
        let left = Left::ALL.map(|left| (left.label(), counts.left[left as usize]));
        let mut left_out: Vec<(&str, u64)> = left.into_iter().chain(reasons).collect();
        left_out.push((State::NoScore.label(), counts.no_score));
        left_out.retain(|(_, rows)| *rows > 0);
        left_out.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        Ok(Self {
            rows: gradebook.responses().saturating_add(excluded.total()),
            left_out,
            doubt: votes.most(),
        })
    }

    /// What may be wrong with the scale of each item's scores that do not count, by the item's
    /// number.
    pub fn doubts_by_item(
        gradebook: &Gradebook<'_>,
        reading: &Reading,
        poll: Poll<'_>,
    ) -> Result<Vec<(u32, Doubtful)>> {
        let counts = counts_by_item(gradebook, reading, poll)?;
        let votes = Votes::of(&counts);
        let doubts = (0..).zip(&counts);
        let doubts = doubts.filter_map(|(item, own)| Some((item, votes.doubtful(own.doubt()?.0))));
        memory::ask(size_of::<(u32, Doubtful)>() * counts.len())?;
        Ok(doubts.collect())
    }

    /// Rows that do not count.
    pub fn total(&self) -> u64 {
        let rows = self.left_out.iter().map(|(_, rows)| *rows);
        rows.fold(0, u64::saturating_add)
    }
}

fn counts_by_item(
    gradebook: &Gradebook<'_>,
    reading: &Reading,
    poll: Poll<'_>,
) -> Result<Vec<Counts>> {
    let items = gradebook.items().len();
    memory::ask(size_of::<Counts>() * items)?;
    let mut counts = vec![Counts::default(); items];
    let read = |mark| (mark, reading.outcome(mark));
    gradebook.visit(read, poll, |sitting| {
        for (&item, (mark, outcome)) in sitting.items.iter().zip(sitting.marks) {
            counts[item as usize].add(mark, outcome);
        }
        Ok(())
    })?;
    Ok(counts)
}

#[derive(Clone, Default)]
struct Counts {
    /// Scores within their scale and above its minimum; one at the minimum may be on any.
    positive: u64,
    left: [u64; Left::ALL.len()],
    no_score: u64,
    /// The highest score above a maximum of 1.
    highest: f64,
}

impl Counts {
    fn add(&mut self, mark: &Mark, outcome: &Outcome) {
        match outcome {
            Outcome::Counts(_) => {
                self.positive += u64::from(mark.score > mark.scale.min_score());
            }
            Outcome::NoScore(_) => self.no_score += 1,
            Outcome::Left(left) => {
                self.left[*left as usize] += 1;
                if *left == Left::AboveMax && mark.scale.max_score() == Some(1.0) {
                    self.highest = mark.score.max(self.highest);
                }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.positive += other.positive;
        for (mine, theirs) in self.left.iter_mut().zip(other.left) {
            *mine += theirs;
        }
        self.no_score += other.no_score;
        self.highest = self.highest.max(other.highest);
    }

    /// By the most frequent reason, of equal ones the first that stands here, with its rows.
    fn doubt(&self) -> Option<(Doubt, u64)> {
        let above = match self.highest {
            highest if highest > 100.0 => Doubt::Points,
            highest if highest > 10.0 => Doubt::Percentages,
            // No bonus is as much as all the rest.
            highest if highest >= 2.0 => Doubt::Points,
            _ => Doubt::Bonus,
        };
        let of = |left: Left| self.left[left as usize];
        most([
            (above, of(Left::AboveMax)),
            (Doubt::LostSign, of(Left::BelowMin)),
            (Doubt::UnknownMax, of(Left::NoMaxScore)),
        ])
    }
}

/// What is doubted of how many rows and of how many items.
#[derive(Default)]
struct Votes {
    rows: [u64; Doubt::ALL.len()],
    items: [u64; Doubt::ALL.len()],
    /// Those that say something of their scale.
    all_items: u64,
}

impl Votes {
    fn of(counts: &[Counts]) -> Self {
        let mut votes = Self::default();
        for own in counts {
            let doubt = own.doubt();
            votes.all_items += u64::from(doubt.is_some() || own.positive > 0);
            if let Some((doubt, rows)) = doubt {
                votes.rows[doubt as usize] += rows;
                votes.items[doubt as usize] += 1;
            }
        }
        votes
    }

    fn most(&self) -> Option<Doubtful> {
        let rows = |doubt: Doubt| (doubt, self.rows[doubt as usize]);
        most(Doubt::ALL.map(rows)).map(|(doubt, _)| self.doubtful(doubt))
    }

    fn doubtful(&self, doubt: Doubt) -> Doubtful {
        let items = self.items[doubt as usize];
        Doubtful {
            doubt,
            items,
            of: if items == 0 { 0 } else { self.all_items },
        }
    }
}

/// What has the most rows, of equals the first; none where nothing has any.
fn most(of: impl IntoIterator<Item = (Doubt, u64)>) -> Option<(Doubt, u64)> {
    let found = of.into_iter().filter(|(_, rows)| *rows > 0);
    found.reduce(|most, next| if next.1 > most.1 { next } else { most })
}
