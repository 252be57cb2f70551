//! What of a gradebook does not count, and where.

use crate::ledger::reading::Left;
use crate::memory::{self, Result};

/// Rows that a gradebook keeps and that do not count, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CountsByReason([u64; Left::ALL.len()]);

impl CountsByReason {
    /// Rows left out for this reason.
    pub fn of(&self, reason: Left) -> u64 {
        self.0[reason as usize]
    }

    /// Rows left out for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, reason: Left) {
        self.0[reason as usize] += 1;
    }
}

/// The same in all, and by item.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    all: CountsByReason,
    /// Per item; empty where nothing is left out.
    by_item: Vec<CountsByReason>,
    /// Per item the blanks that count; empty where none does.
    blanks_that_count: Vec<u64>,
}

impl LeftOut {
    /// In all.
    pub fn all(&self) -> &CountsByReason {
        &self.all
    }

    /// Those of an item.
    pub fn of_item(&self, item: u32) -> CountsByReason {
        self.by_item.get(item as usize).copied().unwrap_or_default()
    }

    /// The rows of an item that were left blank, whether or not they count.
    pub fn blanks_of_item(&self, item: u32) -> u64 {
        let counting = self.blanks_that_count.get(item as usize);
        self.of_item(item).of(Left::Blank) + counting.copied().unwrap_or_default()
    }

    /// Counts a row that was left blank and counts, of one of so many items.
    pub(super) fn add_blank(&mut self, item: u32, items: usize) -> Result<()> {
        if self.blanks_that_count.is_empty() {
            memory::ask(size_of::<u64>() * items)?;
            self.blanks_that_count = vec![0; items];
        }
        self.blanks_that_count[item as usize] += 1;
        Ok(())
    }

    /// Counts a row, of one of so many items.
    pub(super) fn add(&mut self, item: u32, reason: Left, items: usize) -> Result<()> {
        if self.by_item.is_empty() {
            memory::ask(size_of::<CountsByReason>() * items)?;
            self.by_item = vec![CountsByReason::default(); items];
        }
        self.all.add(reason);
        self.by_item[item as usize].add(reason);
        Ok(())
    }
}

/// What a student has of an assessment without a score that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmarked {
    pub student: u32,
    pub assessment: u32,
    /// When what was taken of it began, in microseconds since 2000-01-01; the time of the first row
    /// where nothing was.
    pub first_at: i64,
    /// Questions left blank, whether or not they count.
    pub omitted: u32,
    /// Questions whose mark is still to come, or that are held back until most are marked.
    pub waiting: u32,
    /// Whether the student took it: a row says more than that it was not, or need not be, taken.
    pub is_taken: bool,
    /// Whether the student need not take it.
    pub is_exempt: bool,
    /// Whether no score of it counts.
    pub is_uncounted: bool,
}

impl Unmarked {
    pub(super) fn new(student: u32, assessment: u32, first_at: i64) -> Self {
        Self {
            student,
            assessment,
            first_at,
            omitted: 0,
            waiting: 0,
            is_taken: false,
            is_exempt: false,
            is_uncounted: true,
        }
    }

    /// Notes rows of one time, of which one may say that the student took it.
    pub(super) fn see(&mut self, at: i64, is_taken: bool) {
        self.first_at = match (self.is_taken, is_taken) {
            (false, true) => at,
            (true, false) => self.first_at,
            _ => self.first_at.min(at),
        };
        self.is_taken |= is_taken;
    }

    pub(super) fn add(&mut self, reason: Left) {
        match reason {
            Left::Blank => self.omitted += 1,
            Left::Waiting | Left::HeldBack => self.waiting += 1,
            Left::Exempt => self.is_exempt = true,
            Left::BelowMin
            | Left::AboveMax
            | Left::NoMaxScore
            | Left::NotTaken
            | Left::Excluded => {}
        }
    }
}
