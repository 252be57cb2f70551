//! Rows that no reading can use, by reason and item.

use crate::gradebook::codec::{Reader, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::labels::labels;
use crate::memory;

/// Why a row is not kept in a gradebook. A row is counted under the first reason that holds, in
/// this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// The student, the item or the assessment is NULL.
    NullId,
    /// The time is NULL.
    NullDate,
    /// The score cannot be measured: its maximum is not above its minimum, or one of the two is
    /// not a number.
    BadScale,
    /// The score or the time is infinite, or the score is not a number.
    NotFinite,
}

// In the order of precedence and of the flat form.
labels!(Exclusion {
    NullId => "null_id",
    NullDate => "null_date",
    BadScale => "bad_scale",
    NotFinite => "not_finite",
});

/// Rows counted by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; Exclusion::ALL.len()]);

impl Counts {
    /// Rows left out for this reason.
    pub fn of(&self, reason: Exclusion) -> u64 {
        self.0[reason as usize]
    }

    /// Rows left out for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Counts one row. Only a forged gradebook brings a count to its end, where it stays.
    pub(super) fn add(&mut self, reason: Exclusion) {
        let count = &mut self.0[reason as usize];
        *count = count.saturating_add(1);
    }

    pub(super) fn merge(&mut self, other: &Self) -> Result<()> {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.checked_add(theirs).ok_or(Error::TooLarge {
                what: "excluded rows",
                limit: u64::MAX,
            })?;
        }
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for n in self.0 {
            put_varint(out, n);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self> {
        let mut counts = Self::default();
        for n in &mut counts.0 {
            *n = from.varint()?;
        }
        Ok(counts)
    }
}

/// Rows left out, by reason, of each item and of no item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    without_item: Counts,
    /// By the number of the item, ascending; those that lost any.
    by_item: Vec<(u32, Counts)>,
}

impl Excluded {
    pub(super) fn new(without_item: Counts, by_item: Vec<(u32, Counts)>) -> Self {
        Self {
            without_item,
            by_item,
        }
    }

    /// Rows left out for this reason.
    pub fn count(&self, reason: Exclusion) -> u64 {
        let counts = self.by_item.iter().map(|(_, counts)| counts.of(reason));
        counts.fold(self.without_item.of(reason), u64::saturating_add)
    }

    /// Rows left out for any reason.
    pub fn total(&self) -> u64 {
        let counts = self.by_item.iter().map(|(_, counts)| counts.total());
        counts.fold(self.without_item.total(), u64::saturating_add)
    }

    /// Those without an item.
    pub fn without_item(&self) -> &Counts {
        &self.without_item
    }

    /// Those of the items that lost any, by their number, ascending.
    pub fn by_item(&self) -> &[(u32, Counts)] {
        &self.by_item
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.without_item.encode(out);
        put_varint(out, self.by_item.len() as u64);
        let mut next = 0;
        for (item, counts) in &self.by_item {
            put_varint(out, u64::from(item - next));
            counts.encode(out);
            next = item + 1;
        }
    }

    /// Reads what [`Excluded::encode`] wrote, of so many items.
    pub(super) fn decode(from: &mut Reader<'_>, items: usize) -> Result<Self> {
        let without_item = Counts::decode(from)?;
        let n = from.count(1 + Exclusion::ALL.len())?;
        memory::ask(n * size_of::<(u32, Counts)>())?;
        let mut by_item = Vec::with_capacity(n);
        let mut next = 0u64;
        for _ in 0..n {
            let item = next.saturating_add(from.varint()?);
            if item >= items as u64 {
                return Err(Error::Malformed("an item is not in the table"));
            }
            let counts = Counts::decode(from)?;
            // One that lost none would leave a trace of an item without a row.
            if counts.total() > 0 {
                by_item.push((item as u32, counts));
            }
            next = item + 1;
        }
        Ok(Self {
            without_item,
            by_item,
        })
    }
}
