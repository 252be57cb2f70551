//! Which responses count: the only choices that are bound to one gradebook, its clock and its
//! numbers.

use crate::labels::labels;

/// Which of several answers of a student to one item of one assessment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attempts {
    /// The earliest: it shows what a student knew before the answers were discussed.
    #[default]
    First,
    /// The latest.
    Last,
    /// The highest, of each item by itself. Moodle's highest attempt, its default, is one attempt
    /// at a whole quiz: that with the highest total.
    Best,
}

labels!(Attempts { First => "first", Last => "last", Best => "best" });

/// The responses of a gradebook that count; by default the first attempts of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// Look at the data as they were at this time (microseconds since 2000-01-01); none: at the
    /// latest response.
    pub as_of: Option<i64>,
    /// See [`Attempts`].
    pub attempts: Attempts,
    /// Assessments to leave out, by their number in the gradebook.
    pub exclude: Vec<u32>,
}
