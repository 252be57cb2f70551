//! What of a gradebook no plain reading counts, and what may be wrong with its rows.

use crate::Poll;
use crate::gradebook::{Exclusion, Gradebook, Mark, Result, State};
use crate::labels::labels;
use crate::ledger::reading::{Left, Outcome};
use crate::ledger::scope::{Scope, Window};
use crate::memory;

/// What may be wrong with the rows that do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Scores lie far above their maximum, the highest between 20 and 100.
    Percentages,
    /// The highest of them lie between 10 and 20: of 20 points, or of 100.
    PointsOrPercentages,
    /// The highest of them lie at 10 or less, or above 100.
    Points,
    /// Few scores lie above 100 and far above their maximum, and most are in range.
    Codes,
    /// Scores lie above their maximum, and not far.
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
    PointsOrPercentages => "points_or_percentages",
    Points => "points",
    Codes => "codes",
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
    /// Counts the rows of a gradebook that a scope asks about.
    pub fn of(gradebook: &Gradebook<'_>, scope: &Scope, poll: Poll<'_>) -> Result<Self> {
        let excluded = gradebook.excluded();
        let listed = gradebook.marks();
        let is_plain = |mark: &Mark| matches!(scope.reading.outcome(*mark), Outcome::Counts(_));
        let by_item = match !listed.is_empty() && listed.iter().all(is_plain) {
            true => Vec::new(),
            false => counts_by_item(gradebook, scope, poll)?,
        };
        let mut counts = Counts::default();
        let mut votes = Votes::of(&by_item);
        for own in &by_item {
            counts.merge(own);
        }
        let window = Window::new(gradebook, &[], scope)?;
        let lost = |reason: Exclusion| {
            let of_items = excluded.by_item().iter();
            let asked = of_items.filter(|(item, _)| window.has_item(*item));
            let rows = asked.map(|(_, counts)| counts.of(reason));
            rows.fold(excluded.without_item().of(reason), u64::saturating_add)
        };
        for (reason, doubt) in [
            (Exclusion::NullId, Doubt::NoId),
            (Exclusion::NullDate, Doubt::NoTime),
            (Exclusion::BadScale, Doubt::BadScale),
            (Exclusion::NotFinite, Doubt::NotFinite),
        ] {
            votes.rows[doubt as usize] += lost(reason);
        }
        let reasons = Exclusion::ALL.map(|reason| (reason.label(), lost(reason)));
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

    /// What may be wrong with the scale of each item's scores that a scope asks about and that do
    /// not count, by the item's number.
    pub fn doubts_by_item(
        gradebook: &Gradebook<'_>,
        scope: &Scope,
        poll: Poll<'_>,
    ) -> Result<Vec<(u32, Doubtful)>> {
        let counts = counts_by_item(gradebook, scope, poll)?;
        let votes = Votes::of(&counts);
        let doubts = (0..).zip(&counts);
        let doubts = doubts.filter_map(|(item, own)| {
            let (doubt, _) = own.doubt()?;
            Some((item, votes.doubtful(doubt)))
        });
        memory::ask(size_of::<(u32, Doubtful)>() * counts.len())?;
        Ok(doubts.collect())
    }

    /// Rows that do not count.
    pub fn total(&self) -> u64 {
        let rows = self.left_out.iter().map(|(_, rows)| *rows);
        rows.fold(0, u64::saturating_add)
    }
}

fn counts_by_item(gradebook: &Gradebook<'_>, scope: &Scope, poll: Poll<'_>) -> Result<Vec<Counts>> {
    let items = gradebook.items().len();
    memory::ask(size_of::<Counts>() * items)?;
    let mut counts = vec![Counts::default(); items];
    let window = Window::new(gradebook, &[], scope)?;
    let read = |mark| (mark, scope.reading.outcome(mark));
    gradebook.visit(read, poll, |sitting| {
        if !window.sees(&sitting) {
            return Ok(());
        }
        for (&item, (mark, outcome)) in sitting.items.iter().zip(sitting.marks) {
            if window.has_item(item) {
                counts[item as usize].add(mark, outcome);
            }
        }
        Ok(())
    })?;
    Ok(counts)
}

/// The highest scores of each kind of scale that scores far above their maximum may be on.
const TOPS: [(f64, Doubt); 4] = [
    (10.0, Doubt::Points),
    (20.0, Doubt::PointsOrPercentages),
    (100.0, Doubt::Percentages),
    (f64::INFINITY, Doubt::Points),
];
/// The index in [`TOPS`] of scores that are above a hundred.
const ABOVE_HUNDRED: usize = 3;

#[derive(Clone, Default)]
struct Counts {
    /// Scores within their scale and above its minimum; one at the minimum may be on any.
    positive: u64,
    left: [u64; Left::ALL.len()],
    no_score: u64,
    /// Scores far above their maximum, by the first of [`TOPS`] that they do not pass.
    far: [u64; TOPS.len()],
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
                // No bonus is as much as all the rest.
                let max = mark.scale.max_score().unwrap_or(f64::INFINITY);
                let is_far = max > 0.0 && mark.score >= 2.0 * max;
                if *left == Left::AboveMax && is_far {
                    let top = TOPS.iter().position(|(top, _)| mark.score <= *top);
                    self.far[top.unwrap_or(ABOVE_HUNDRED)] += 1;
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
        for (mine, theirs) in self.far.iter_mut().zip(other.far) {
            *mine += theirs;
        }
    }

    /// By the most frequent reason, of equal ones the first that stands here, with its rows.
    fn doubt(&self) -> Option<(Doubt, u64)> {
        let of = |left: Left| self.left[left as usize];
        most([
            (self.above(), of(Left::AboveMax)),
            (Doubt::LostSign, of(Left::BelowMin)),
            (Doubt::UnknownMax, of(Left::NoMaxScore)),
        ])
    }

    /// What scores above their maximum seem to be, by the highest but for a tenth of them and at
    /// least one: a slip, or a code that stands for no score, is no scale.
    fn above(&self) -> Doubt {
        let rows = self.left[Left::AboveMax as usize];
        let strays = if rows < 3 { 0 } else { (rows / 10).max(1) };
        let mut higher = 0;
        for (at, (_, doubt)) in TOPS.iter().enumerate().rev() {
            higher += self.far[at];
            if higher > strays {
                let are_few = at == ABOVE_HUNDRED && self.positive >= rows;
                return if are_few { Doubt::Codes } else { *doubt };
            }
        }
        Doubt::Bonus
    }
}

/// What is doubted of how many rows and of how many items.
#[derive(Default)]
struct Votes {
    rows: [u64; Doubt::ALL.len()],
    items: [u64; Doubt::ALL.len()],
    /// Those that say something of their scale.
    all_items: u64,
    /// A doubt that counts as another: what some items leave open, others show.
    same: Option<(Doubt, Doubt)>,
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
        votes.settle();
        votes
    }

    /// Lets what may be points or percentages be what the others are.
    fn settle(&mut self) {
        let rows = |doubt: Doubt| self.rows[doubt as usize];
        let (open, points) = (rows(Doubt::PointsOrPercentages), rows(Doubt::Points));
        let percentages = rows(Doubt::Percentages);
        let (from, to) = match (open, percentages) {
            (0, _) => return,
            (_, 1..) if percentages >= points => (Doubt::PointsOrPercentages, Doubt::Percentages),
            (_, 0) if open >= points => (Doubt::Points, Doubt::PointsOrPercentages),
            _ => (Doubt::PointsOrPercentages, Doubt::Points),
        };
        for votes in [&mut self.rows, &mut self.items] {
            votes[to as usize] += std::mem::take(&mut votes[from as usize]);
        }
        self.same = Some((from, to));
    }

    fn most(&self) -> Option<Doubtful> {
        let rows = |doubt: Doubt| (doubt, self.rows[doubt as usize]);
        most(Doubt::ALL.map(rows)).map(|(doubt, _)| self.doubtful(doubt))
    }

    fn doubtful(&self, doubt: Doubt) -> Doubtful {
        let doubt = match self.same {
            Some((from, to)) if from == doubt => to,
            _ => doubt,
        };
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
