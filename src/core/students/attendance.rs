//! Who took which assessment, and when: also where nothing of it has a score that counts.

use std::ops::Range;

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};

/// What students took, by numbers: those of the units, and beyond them those of what has no unit,
/// as it waits for its marks or was left blank. It belongs to one ledger.
#[derive(Debug, Default)]
pub struct Attendance {
    /// Per number beyond the units its place among what is unmarked, in order.
    without_unit: Vec<u32>,
    /// Units that began before their first score, and when; in order.
    earlier: Vec<(u32, i64)>,
    /// By student: assessments that the student need not take, and has not taken.
    exempt: Vec<(u32, u32)>,
}

impl Attendance {
    /// That of a ledger.
    pub fn of(ledger: &Ledger, poll: Poll<'_>) -> Result<Self> {
        let mut attendance = Self::default();
        for (at, own) in (0u32..).zip(&ledger.unmarked) {
            if at % 1024 == 0 {
                poll();
            }
            match (own.is_taken, own.is_uncounted) {
                (true, true) => {
                    memory::ask_for_more(&attendance.without_unit, 1)?;
                    attendance.without_unit.push(at);
                }
                (true, false) => {
                    let assessment = own.assessment..own.assessment + 1;
                    let units = ledger.units_of_within(own.student as usize, &assessment);
                    if own.first_at < ledger.first_at(units.start) {
                        memory::ask_for_more(&attendance.earlier, 1)?;
                        attendance.earlier.push((units.start as u32, own.first_at));
                    }
                }
                (false, true) if own.is_exempt => {
                    memory::ask_for_more(&attendance.exempt, 1)?;
                    attendance.exempt.push((own.student, own.assessment));
                }
                (false, _) => {}
            }
        }
        Ok(attendance)
    }

    /// How many numbers there are.
    pub fn count(&self, ledger: &Ledger) -> usize {
        ledger.unit_count() + self.without_unit.len()
    }

    /// What a student took.
    pub fn of_student(
        &self,
        student: u32,
        ledger: &Ledger,
    ) -> impl Iterator<Item = u32> + Clone + use<> {
        let units = ledger.units_of(student as usize);
        let beyond = |student: u32| {
            let of = |&at: &u32| ledger.unmarked[at as usize].student;
            let before = self.without_unit.partition_point(|at| of(at) < student);
            (ledger.unit_count() + before) as u32
        };
        let others: Range<u32> = match self.without_unit.is_empty() {
            true => 0..0,
            false => beyond(student)..beyond(student + 1),
        };
        (units.start as u32..units.end as u32).chain(others)
    }

    /// Whose it is.
    pub fn student(&self, taken: u32, ledger: &Ledger) -> u32 {
        match self.place(taken, ledger) {
            Some(at) => ledger.unmarked[at].student,
            None => ledger.student_of(taken) as u32,
        }
    }

    /// Of which assessment it is.
    pub fn assessment(&self, taken: u32, ledger: &Ledger) -> u32 {
        match self.place(taken, ledger) {
            Some(at) => ledger.unmarked[at].assessment,
            None => ledger.unit(taken as usize).assessment,
        }
    }

    /// When it was begun.
    #[inline]
    pub fn first_at(&self, taken: u32, ledger: &Ledger) -> i64 {
        if self.earlier.is_empty() && self.without_unit.is_empty() {
            return ledger.first_at(taken as usize);
        }
        if let Some(at) = self.place(taken, ledger) {
            return ledger.unmarked[at].first_at;
        }
        match self.earlier.binary_search_by_key(&taken, |own| own.0) {
            Ok(at) => self.earlier[at].1,
            Err(_) => ledger.first_at(taken as usize),
        }
    }

    /// Assessments that a student need not take, and has not taken, in order.
    pub fn exempt(&self, student: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        let before = self.exempt.partition_point(|own| own.0 < student);
        let own = self.exempt[before..].iter();
        own.take_while(move |own| own.0 == student).map(|own| own.1)
    }

    #[inline]
    fn place(&self, taken: u32, ledger: &Ledger) -> Option<usize> {
        let beyond = (taken as usize).checked_sub(ledger.unit_count())?;
        Some(self.without_unit[beyond] as usize)
    }
}
