//! What is expected of a student before this year's evidence: what the cohort makes likely, or
//! what last year's gradebook says of this very student.

use crate::level::Cohort;
use crate::options::Options;
use crate::shrink::{Population, reliability};

/// What a student's level may be, as far as anything but this year's evidence tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    pub mean: f64,
    pub variance: f64,
    /// Whether it is the student's own, from last year, and not the cohort's.
    pub own: bool,
}

impl Prior {
    /// The cohort's, or for a student with a record of last year the one that follows from it:
    /// the regression of this year's level on last year's, with the correlation `carry_over`.
    pub fn of(student: usize, population: &Population, options: &Options) -> Self {
        let cohort = Self {
            mean: population.mean,
            variance: population.variance,
            own: false,
        };
        let Some(record) = options.previous.record(student) else {
            return cohort;
        };
        let r = options.carry_over;
        Self {
            mean: cohort.mean + r * cohort.variance.sqrt() * record.standing,
            variance: cohort.variance * (1.0 - r * r * record.reliability),
            own: true,
        }
    }

    /// How much of evidence with variance `noise` is believed, 0 to 1.
    pub fn reliability(&self, noise: f64) -> f64 {
        reliability(self.variance, noise)
    }
}

/// What last year says of one student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// The level less the mean of last year's cohort, drawn towards 0 by its reliability, in
    /// standard deviations between that cohort's students: how widely scores are spread differs
    /// from year to year.
    pub standing: f64,
    /// How much of the level was told from noise; above 0, up to 1.
    pub reliability: f64,
}

/// What last year's gradebook says. Nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Previous {
    /// By the student's number in this year's gradebook.
    pub records: Vec<Option<Record>>,
    /// Last year's cohort, which stands in while this year's has no evidence.
    pub cohort: Option<Cohort>,
}

impl Previous {
    fn record(&self, student: usize) -> Option<&Record> {
        self.records.get(student)?.as_ref()
    }
}
