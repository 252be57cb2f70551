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
    /// Scores above a maximum of 1 lie above 100.
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

/// Rows of a gradebook, before attempts are chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// All of them.
    pub rows: u64,
    /// Those that do not count, by reason, the most frequent first; of a row without a score that
    /// does not say why, the reason is that.
    pub left_out: Vec<(&'static str, u64)>,
    /// What may be wrong, by the most frequent reason with which something is.
    pub doubt: Option<Doubt>,
}

impl Census {
    /// Counts the rows of a gradebook as a reading takes them.
    pub fn of(gradebook: &Gradebook<'_>, reading: &Reading, poll: Poll<'_>) -> Result<Self> {
        let excluded = gradebook.excluded();
        let mut counts = Counts::default();
        let listed = gradebook.marks();
        let is_plain = |mark: &Mark| matches!(reading.outcome(*mark), Outcome::Counts(_));
        if listed.is_empty() || !listed.iter().all(is_plain) {
            gradebook.visit(
                |mark| (mark, reading.outcome(mark)),
                poll,
                |sitting| {
                    sitting
                        .marks
                        .iter()
                        .for_each(|(mark, outcome)| counts.add(mark, outcome));
                    Ok(())
                },
            )?;
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
            doubt: counts.doubt(|reason| excluded.count(reason)),
        })
    }

    /// What may be wrong with the scale of each item's scores that do not count, by the item's
    /// number.
    pub fn doubts_by_item(
        gradebook: &Gradebook<'_>,
        reading: &Reading,
        poll: Poll<'_>,
    ) -> Result<Vec<(u32, Doubt)>> {
        let items = gradebook.items().len();
        memory::ask((size_of::<Counts>() + size_of::<(u32, Doubt)>()) * items)?;
        let mut counts = vec![Counts::default(); items];
        let read = |mark| (mark, reading.outcome(mark));
        gradebook.visit(read, poll, |sitting| {
            for (&item, (mark, outcome)) in sitting.items.iter().zip(sitting.marks) {
                counts[item as usize].add(mark, outcome);
            }
            Ok(())
        })?;
        let doubts = (0..).zip(&counts);
        let doubts = doubts.filter_map(|(item, counts)| Some((item, counts.doubt(|_| 0)?)));
        Ok(doubts.collect())
    }

    /// Rows that do not count.
    pub fn total(&self) -> u64 {
        let rows = self.left_out.iter().map(|(_, rows)| *rows);
        rows.fold(0, u64::saturating_add)
    }
}

#[derive(Clone, Default)]
struct Counts {
    left: [u64; Left::ALL.len()],
    no_score: u64,
    /// The highest score above a maximum of 1.
    highest: f64,
}

impl Counts {
    fn add(&mut self, mark: &Mark, outcome: &Outcome) {
        match outcome {
            Outcome::Counts(_) => {}
            Outcome::NoScore(_) => self.no_score += 1,
            Outcome::Left(left) => {
                self.left[*left as usize] += 1;
                if *left == Left::AboveMax && mark.scale.max_score() == Some(1.0) {
                    self.highest = mark.score.max(self.highest);
                }
            }
        }
    }

    /// By the most frequent reason; of equal ones the first that stands here.
    fn doubt(&self, excluded: impl Fn(Exclusion) -> u64) -> Option<Doubt> {
        let above = match self.highest {
            highest if highest > 100.0 => Doubt::Points,
            highest if highest > 10.0 => Doubt::Percentages,
            _ => Doubt::Bonus,
        };
        let of = |left: Left| self.left[left as usize];
        let doubts = [
            (of(Left::AboveMax), above),
            (of(Left::BelowMin), Doubt::LostSign),
            (of(Left::NoMaxScore), Doubt::UnknownMax),
            (excluded(Exclusion::NullId), Doubt::NoId),
            (excluded(Exclusion::NullDate), Doubt::NoTime),
            (excluded(Exclusion::BadScale), Doubt::BadScale),
            (excluded(Exclusion::NotFinite), Doubt::NotFinite),
        ];
        let found = doubts.into_iter().filter(|(rows, _)| *rows > 0);
        let most = found.reduce(|most, next| if next.0 > most.0 { next } else { most });
        most.map(|(_, doubt)| doubt)
    }
}
