//! What last year's gradebook shows about the students of this year's.

use crate::statistics::shrink::Population;
use crate::students::level::Cohort;
use crate::students::prior::{Prior, Record};

/// What last year's gradebook says. Nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Previous {
    /// By the student's number in this year's gradebook.
    pub records: Vec<Option<Record>>,
    /// Last year's cohort, which stands in while this year's has no evidence.
    pub cohort: Option<Cohort>,
}

impl Previous {
    /// What is expected of a student before this year's evidence.
    pub fn prior(&self, student: usize, population: &Population, carry_over: f64) -> Prior {
        let record = self.records.get(student).and_then(Option::as_ref);
        Prior::of(record, population, carry_over)
    }
}
