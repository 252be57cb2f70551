//! What network to make.

use crate::domain::{Argument, Domain};

const SCHOOLS: Domain = Domain::Integer(1, 100, "a number from 1 to 100");
const STUDENTS: Domain = Domain::Integer(2, 10_000, "a number from 2 to 10000");
const WEEKS: Domain = Domain::Integer(4, 60, "a number from 4 to 60");

/// What network to make. Built by [`NetworkOptions::new`] only, so always within range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkOptions {
    pub(super) seed: u64,
    pub(super) schools: i32,
    pub(super) students_per_school: i32,
    pub(super) weeks: i32,
    pub(super) flawed: bool,
}

impl NetworkOptions {
    /// 1 to 100 `schools` of 2 to 10,000 students each, through a year of 4 to 60 `weeks`; any
    /// seed. With `flawed`, some multiple-choice questions are miskeyed or answered at random.
    pub fn new(
        seed: i64,
        schools: i32,
        students_per_school: i32,
        weeks: i32,
        flawed: bool,
    ) -> Result<Self, Argument> {
        let size = f64::from;
        SCHOOLS.check("schools", size(schools))?;
        STUDENTS.check("students_per_school", size(students_per_school))?;
        WEEKS.check("weeks", size(weeks))?;
        Ok(Self {
            seed: seed.cast_unsigned(),
            schools,
            students_per_school,
            weeks,
            flawed,
        })
    }

    /// The last day of the year.
    pub(super) fn last_day(&self) -> i32 {
        7 * self.weeks - 1
    }
}
