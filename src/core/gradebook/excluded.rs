//! Rows that cannot count, by reason.

use crate::gradebook::codec::{Reader, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::labels::labels;

/// Why a row was left out of a gradebook. A row is counted under the first reason that holds, in
/// this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// The student, the item or the assessment is NULL.
    NullId,
    /// The time is NULL.
    NullDate,
    /// The score is NULL: not answered, or not yet marked.
    NullScore,
    /// The maximum is NULL, zero, negative or not a number, so no share can be formed.
    NoMaxScore,
    /// The score or the time is infinite, or the score is not a number.
    NotFinite,
    /// The score is negative or above its maximum. It is not clipped: nobody knows which of the
    /// two is wrong.
    OutOfRange,
}

// In the order of precedence and of the flat form.
labels!(Exclusion {
    NullId => "null_id",
    NullDate => "null_date",
    NullScore => "null_score",
    NoMaxScore => "no_max_score",
    NotFinite => "not_finite",
    OutOfRange => "out_of_range",
});

/// Rows left out, counted by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excluded([u64; Exclusion::ALL.len()]);

impl Excluded {
    /// Counts one row. Only a forged gradebook brings a count to its end, where it stays.
    pub fn add(&mut self, reason: Exclusion) {
        let count = &mut self.0[reason as usize];
        *count = count.saturating_add(1);
    }

    /// Counts the rows of another gradebook.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.checked_add(theirs).ok_or(Error::TooLarge {
                what: "excluded rows",
                limit: u64::MAX,
            })?;
        }
        Ok(())
    }

    /// Rows left out for this reason.
    pub fn count(&self, reason: Exclusion) -> u64 {
        self.0[reason as usize]
    }

    /// Rows left out for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for n in self.0 {
            put_varint(out, n);
        }
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Result<Self> {
        let mut excluded = Self::default();
        for n in &mut excluded.0 {
            *n = from.varint()?;
        }
        Ok(excluded)
    }
}
