//! Which responses count: the only choices that are bound to one gradebook, its clock and its
//! numbers.

use crate::gradebook::{Gradebook, Result, Sitting};
use crate::labels::labels;
use crate::ledger::reading::Reading;
use crate::memory;

/// Which of several answers of a student to one item of one assessment counts: each question by
/// itself, or all of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attempts {
    /// The earliest: it shows what a student knew before the answers were discussed.
    #[default]
    First,
    /// The latest.
    Last,
    /// The highest, of each item by itself.
    Best,
    /// What was answered in the first attempt at the assessment that has a score.
    FirstAttempt,
    /// The last attempt that has a score.
    LastAttempt,
    /// The attempt with the most points, of equal ones the first: Moodle's default.
    BestAttempt,
}

labels!(Attempts {
    First => "first",
    Last => "last",
    Best => "best",
    FirstAttempt => "first_attempt",
    LastAttempt => "last_attempt",
    BestAttempt => "best_attempt",
});

impl Attempts {
    /// Whether all that counts of a student and an assessment is of one attempt.
    pub fn are_whole(self) -> bool {
        matches!(
            self,
            Self::FirstAttempt | Self::LastAttempt | Self::BestAttempt
        )
    }

    /// Which of several counts, be they answers or attempts.
    pub(super) fn pick(self) -> Pick {
        match self {
            Self::First | Self::FirstAttempt => Pick::First,
            Self::Last | Self::LastAttempt => Pick::Last,
            Self::Best | Self::BestAttempt => Pick::Best,
        }
    }
}

/// Which of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    First,
    Last,
    Best,
}

/// The responses of a gradebook that count; by default the first attempts of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// Look at the data as they were at this time (microseconds since 2000-01-01); none: at all,
    /// as of the latest score that is in range.
    pub as_of: Option<i64>,
    /// See [`Attempts`].
    pub attempts: Attempts,
    /// Assessments to leave out, by their number in the gradebook.
    pub exclude: Vec<u32>,
    /// Items whose rows do not count, by their number in the gradebook.
    pub exclude_items: Vec<u32>,
    /// What marks count as that are no plain score.
    pub reading: Reading,
}

/// The rows that are looked at: of assessments that count, and not too late.
pub struct Window<'e> {
    limit: i64,
    /// Per student the end of what is looked at; empty without ends.
    ends: &'e [i64],
    /// Per assessment.
    is_excluded: Vec<bool>,
    /// Per item; empty where all count.
    is_excluded_item: Vec<bool>,
}

impl<'e> Window<'e> {
    /// Of each student only what is older than the time in `ends`, if there is one.
    pub fn new(gradebook: &Gradebook<'_>, ends: &'e [i64], scope: &Scope) -> Result<Self> {
        memory::ask(gradebook.assessments().len())?;
        let mut is_excluded = vec![false; gradebook.assessments().len()];
        for &assessment in &scope.exclude {
            if let Some(flag) = is_excluded.get_mut(assessment as usize) {
                *flag = true;
            }
        }
        let mut is_excluded_item = Vec::new();
        if !scope.exclude_items.is_empty() {
            memory::ask(gradebook.items().len())?;
            is_excluded_item.resize(gradebook.items().len(), false);
            for &item in &scope.exclude_items {
                if let Some(flag) = is_excluded_item.get_mut(item as usize) {
                    *flag = true;
                }
            }
        }
        Ok(Self {
            limit: scope.as_of.unwrap_or(i64::MAX),
            ends,
            is_excluded,
            is_excluded_item,
        })
    }

    /// Whether what a student has of a time is looked at.
    pub fn is_open(&self, student: u32, taken_at: i64) -> bool {
        let end = self.ends.get(student as usize);
        taken_at <= self.limit && end.is_none_or(|&end| taken_at < end)
    }

    /// Whether an assessment counts.
    pub fn has(&self, assessment: u32) -> bool {
        !self.is_excluded[assessment as usize]
    }

    /// Whether all items count.
    pub fn has_all_items(&self) -> bool {
        self.is_excluded_item.is_empty()
    }

    /// Whether an item counts.
    pub fn has_item(&self, item: u32) -> bool {
        !self
            .is_excluded_item
            .get(item as usize)
            .is_some_and(|&is| is)
    }

    /// Whether rows are looked at.
    pub fn sees<M>(&self, rows: &Sitting<'_, M>) -> bool {
        self.is_open(rows.student, rows.taken_at) && self.has(rows.assessment)
    }
}
