//! What the next steps of a solver take at most, asked for before they are taken.

use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::options::Counting;

/// What a step takes beside the ledger, in bytes for each.
pub(crate) struct Needs {
    pub response: usize,
    pub unit: usize,
    pub student: usize,
    pub item: usize,
    pub assessment: usize,
    /// The most pieces of evidence of one student.
    pub piece_of_one: usize,
}

impl Needs {
    /// Difficulties, criteria and qualities.
    pub const FOUNDATION: Self = Self {
        response: 0,
        unit: 16,
        student: 32,
        item: 512,
        assessment: 16,
        piece_of_one: 0,
    };
    /// The records of all students, gathered one after the other, and their cohort.
    pub const RECORDS: Self = Self {
        student: 208,
        piece_of_one: 224,
        ..Self::NONE
    };
    pub const NONE: Self = Self {
        response: 0,
        unit: 0,
        student: 0,
        item: 0,
        assessment: 0,
        piece_of_one: 0,
    };

    /// Refuses where there is not that much. A list that grows may be there twice, before and
    /// after, and have twice the room it needs.
    pub fn ask(&self, ledger: &Ledger, counting: Counting) -> Result<()> {
        let most_pieces = match counting {
            Counting::Responses => ledger.most_responses(),
            Counting::Effective | Counting::Assessments => ledger.most_units(),
        };
        memory::ask(
            self.response * ledger.items.len()
                + self.unit * ledger.unit_count()
                + self.student * ledger.student_count()
                + self.item * ledger.item_count()
                + self.assessment * ledger.assessments
                + self.piece_of_one * most_pieces,
        )
    }
}
