//! What is expected of a student before this year's evidence: what the cohort makes likely, or
//! what last year's gradebook shows about this very student.

use crate::statistics::shrink::{Population, reliability};

/// What a student's level may be, as far as it is known without this year's evidence.
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
    pub fn of(record: Option<&Record>, population: &Population, carry_over: f64) -> Self {
        let cohort = Self {
            mean: population.mean,
            variance: population.variance,
            own: false,
        };
        let Some(record) = record else {
            return cohort;
        };
        let r = carry_over;
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

/// What last year shows about one student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// The level less the mean of last year's cohort, drawn towards 0 by its reliability, in
    /// standard deviations between that cohort's students: how widely scores are spread differs
    /// from year to year.
    pub standing: f64,
    /// How much of the level was more than noise; above 0, up to 1.
    pub reliability: f64,
}
