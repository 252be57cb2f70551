//! Responses laid out for the solvers: student by student, within a student by assessment.

use std::ops::Range;

use crate::Poll;
use crate::gradebook::Roster;
use crate::ledger::attempts::Choice;
use crate::ledger::left::{LeftOut, Unmarked};
use crate::memory::{self, Result};

/// What one student answered of one assessment.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    pub assessment: u32,
    /// The first of its responses; the next unit's first ends it.
    pub(super) start: u32,
    /// When the last of its responses was given, in microseconds since 2000-01-01.
    pub taken_at: i64,
}

/// Numbers of the units by assessment, those of one assessment in the order of their students.
#[derive(Debug)]
pub struct Takers {
    units: Vec<u32>,
    /// Per assessment: the first of its units; one more at the end.
    starts: Vec<u32>,
}

impl Takers {
    /// The units of one assessment.
    pub fn of(&self, assessment: usize) -> &[u32] {
        &self.units[self.starts[assessment] as usize..self.starts[assessment + 1] as usize]
    }
}

/// Responses as of a date, at most one per student, item and assessment.
#[derive(Debug)]
pub struct Ledger {
    /// The date as of which it was made.
    pub as_of: i64,
    /// Responses that were left out because they came later.
    pub future: u64,
    /// Responses that were left out because another attempt counts.
    pub duplicates: u64,
    /// Responses that were left out because another of the same time contradicts them, and no
    /// attempt is named.
    pub conflicting: u64,
    /// Rows that do not count by themselves.
    pub left_out: LeftOut,
    /// By student, then by assessment: what was left blank, waits for its mark or does not count
    /// for another reason.
    pub unmarked: Vec<Unmarked>,
    /// Per student: whether anything of theirs dates from before `as_of`, be it the beginning of
    /// a period on the roster.
    pub known: Vec<bool>,
    /// The periods that have begun as of the date; empty where no roster was given.
    pub roster: Roster,
    /// Per student and group the first and the last time of the student's rows there, where these
    /// began before the date; empty unless the gradebook knows groups.
    pub memberships: Roster,
    /// Per item: whether any of its scores has no upper bound.
    pub unbounded: Vec<bool>,
    pub assessments: usize,
    /// Per response: its item.
    pub items: Vec<u32>,
    /// Per response: its score on the common scale, where bounded scores lie in 0..1.
    pub scores: Vec<f64>,
    pub(super) units: Vec<Unit>,
    /// Per student: the first unit; one more at the end.
    pub(super) students: Vec<u32>,
    /// Per response its time, where a unit has several; else empty.
    pub(super) times: Vec<i64>,
    /// The units whose first response is left out, as another attempt counts, in order; and when
    /// it was given.
    pub(super) begun: Vec<(u32, i64)>,
}

impl Ledger {
    /// How many students the gradebook knows.
    pub fn student_count(&self) -> usize {
        self.known.len()
    }

    /// How many items the gradebook knows.
    pub fn item_count(&self) -> usize {
        self.unbounded.len()
    }

    /// How many units there are.
    pub fn unit_count(&self) -> usize {
        self.units.len()
    }

    /// Numbers of the units of a student.
    #[inline]
    pub fn units_of(&self, student: usize) -> Range<usize> {
        self.students[student] as usize..self.students[student + 1] as usize
    }

    /// Numbers of the units of a student in a range of assessments.
    pub fn units_of_within(&self, student: usize, assessments: &Range<u32>) -> Range<usize> {
        let units = self.units_of(student);
        let before = |end: u32| {
            let own = &self.units[units.clone()];
            units.start + own.partition_point(|unit| unit.assessment < end)
        };
        before(assessments.start)..before(assessments.end)
    }

    /// Numbers of the responses of a student.
    #[inline]
    pub fn responses_of(&self, student: usize) -> Range<usize> {
        let units = self.units_of(student);
        self.start(units.start)..self.start(units.end)
    }

    /// The unit with this number.
    #[inline]
    pub fn unit(&self, unit: usize) -> Unit {
        self.units[unit]
    }

    /// Numbers of the responses of a unit.
    #[inline]
    pub fn responses_in(&self, unit: usize) -> Range<usize> {
        self.start(unit)..self.start(unit + 1)
    }

    /// When a response of `unit` was given.
    #[inline]
    pub fn time_of(&self, unit: usize, response: usize) -> i64 {
        self.times
            .get(response)
            .copied()
            .unwrap_or(self.units[unit].taken_at)
    }

    /// When the first response of `unit` was given, whichever attempt counts.
    #[inline]
    pub fn first_at(&self, unit: usize) -> i64 {
        match self.begun.is_empty() && self.times.is_empty() {
            true => self.units[unit].taken_at,
            false => self.first_of_several(unit),
        }
    }

    #[cold]
    fn first_of_several(&self, unit: usize) -> i64 {
        let begun = self
            .begun
            .binary_search_by_key(&unit, |begun| begun.0 as usize);
        if let Ok(at) = begun {
            return self.begun[at].1;
        }
        let times = self.times.get(self.responses_in(unit));
        let first = times.and_then(|times| times.iter().min());
        first.copied().unwrap_or(self.units[unit].taken_at)
    }

    /// When the first response of a student was given; none without a response.
    pub fn begin_of(&self, student: usize) -> Option<i64> {
        self.units_of(student).map(|unit| self.first_at(unit)).min()
    }

    /// What a student left blank, waits for or has without a score that counts, by assessment.
    pub fn unmarked_of(&self, student: u32) -> &[Unmarked] {
        let start = self.unmarked.partition_point(|own| own.student < student);
        let own = &self.unmarked[start..];
        &own[..own.partition_point(|own| own.student == student)]
    }

    /// The most units of one student.
    pub fn most_units(&self) -> usize {
        let units = self.students.windows(2).map(|pair| pair[1] - pair[0]);
        units.max().unwrap_or(0) as usize
    }

    /// The most responses of one student.
    pub fn most_responses(&self) -> usize {
        let students = 0..self.student_count();
        let responses = students.map(|student| self.responses_of(student).len());
        responses.max().unwrap_or(0)
    }

    /// Notes which of the unmarked have no unit.
    pub(super) fn mark_uncounted(&mut self) {
        let mut unmarked = std::mem::take(&mut self.unmarked);
        for own in &mut unmarked {
            let assessment = own.assessment..own.assessment + 1;
            let units = self.units_of_within(own.student as usize, &assessment);
            own.is_uncounted = units.is_empty();
        }
        self.unmarked = unmarked;
    }

    /// Notes when units begin of which an earlier sitting does not count.
    pub(super) fn note_beginnings(&mut self, choices: &[Choice]) -> Result<()> {
        memory::ask_for_more(&self.begun, choices.len())?;
        for choice in choices {
            let (student, assessment) = choice.key();
            for unit in self.units_of_within(student as usize, &(assessment..assessment + 1)) {
                self.begun.push((unit as u32, choice.first_at));
            }
        }
        self.begun.sort_unstable();
        self.begun.dedup_by_key(|begun| begun.0);
        Ok(())
    }

    /// The units by assessment.
    pub fn takers(&self, poll: Poll<'_>) -> Takers {
        let mut starts = vec![0u32; self.assessments + 1];
        for unit in &self.units {
            starts[unit.assessment as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut units = vec![0; self.unit_count()];
        for (at, unit) in (0..).zip(&self.units) {
            let place = &mut next[unit.assessment as usize];
            units[*place as usize] = at;
            *place += 1;
            if at % 1024 == 0 {
                poll();
            }
        }
        Takers { units, starts }
    }

    /// The student whose unit this is.
    pub fn student_of(&self, unit: u32) -> usize {
        self.students.partition_point(|&first| first <= unit) - 1
    }

    /// The responses that `keep` lets through, with each unit as a student of its own.
    pub fn by_sitting(&self, keep: impl Fn(usize) -> bool, poll: Poll<'_>) -> Self {
        let known = vec![true; self.unit_count()];
        self.filtered(
            |_, at| keep(at),
            known,
            (0..=self.unit_count() as u32).collect(),
            poll,
        )
    }

    /// Which assessments are of one item.
    pub fn assessments_of_one_item(&self, poll: Poll<'_>) -> Result<Vec<bool>> {
        memory::ask((size_of::<(u32, bool)>() + 1) * self.assessments)?;
        let mut first = vec![(u32::MAX, true); self.assessments];
        for (unit, whole) in self.units.iter().enumerate() {
            if unit % 1024 == 0 {
                poll();
            }
            let responses = self.responses_in(unit);
            let (item, is_one) = &mut first[whole.assessment as usize];
            let own = self.items.get(responses.start).copied();
            *is_one &= responses.len() == 1 && (*item == u32::MAX || Some(*item) == own);
            *item = own.unwrap_or(*item);
        }
        let is_one = |(item, is_one): (u32, bool)| is_one && item != u32::MAX;
        Ok(first.into_iter().map(is_one).collect())
    }

    /// The responses to [those](Ledger::assessments_of_one_item), those of each student as one
    /// unit of one assessment.
    pub fn of_one_item_each(&self, are_of_one: &[bool], poll: Poll<'_>) -> Result<Self> {
        let is_one = |unit: &usize| are_of_one[self.units[*unit].assessment as usize];
        let count = (0..self.unit_count()).filter(is_one).count();
        memory::ask(
            (size_of::<u32>() + size_of::<f64>()) * count
                + (size_of::<Unit>() + size_of::<u32>() + 1) * self.student_count()
                + self.item_count(),
        )?;
        let mut joined = Self {
            duplicates: self.duplicates,
            known: self.known.clone(),
            unbounded: self.unbounded.clone(),
            assessments: 1,
            items: Vec::with_capacity(count),
            scores: Vec::with_capacity(count),
            units: Vec::with_capacity(self.student_count()),
            students: (0..=self.student_count() as u32).collect(),
            ..Self::empty(self.as_of)
        };
        for student in 0..self.student_count() {
            poll();
            let units = self.units_of(student);
            joined.units.push(Unit {
                assessment: 0,
                start: joined.items.len() as u32,
                taken_at: self.as_of,
            });
            for unit in units.filter(is_one) {
                let at = self.responses_in(unit).start;
                joined.items.push(self.items[at]);
                joined.scores.push(self.scores[at]);
            }
        }
        Ok(joined)
    }

    /// Of no student, item and assessment.
    pub(super) fn empty(as_of: i64) -> Self {
        Self {
            as_of,
            future: 0,
            duplicates: 0,
            conflicting: 0,
            left_out: LeftOut::default(),
            unmarked: Vec::new(),
            known: Vec::new(),
            roster: Roster::default(),
            memberships: Roster::default(),
            unbounded: Vec::new(),
            assessments: 0,
            items: Vec::new(),
            scores: Vec::new(),
            units: Vec::new(),
            students: vec![0],
            times: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// The responses that `keep` lets through, which is asked with their unit; units may be empty.
    pub fn only(&self, keep: impl Fn(usize, usize) -> bool, poll: Poll<'_>) -> Self {
        self.filtered(keep, self.known.clone(), self.students.clone(), poll)
    }

    fn filtered(
        &self,
        keep: impl Fn(usize, usize) -> bool,
        known: Vec<bool>,
        students: Vec<u32>,
        poll: Poll<'_>,
    ) -> Self {
        let mut kept = Self {
            future: self.future,
            duplicates: self.duplicates,
            conflicting: self.conflicting,
            known,
            unbounded: self.unbounded.clone(),
            assessments: self.assessments,
            items: Vec::with_capacity(self.items.len()),
            scores: Vec::with_capacity(self.items.len()),
            units: Vec::with_capacity(self.unit_count()),
            students,
            times: Vec::with_capacity(self.times.len()),
            begun: self.begun.clone(),
            ..Self::empty(self.as_of)
        };
        for (unit, &whole) in self.units.iter().enumerate() {
            if unit % 1024 == 0 {
                poll();
            }
            let start = kept.items.len() as u32;
            kept.units.push(Unit { start, ..whole });
            for response in self.responses_in(unit).filter(|&at| keep(unit, at)) {
                kept.items.push(self.items[response]);
                kept.scores.push(self.scores[response]);
                kept.times.extend(self.times.get(response));
            }
        }
        kept
    }

    #[inline]
    fn start(&self, unit: usize) -> usize {
        self.units
            .get(unit)
            .map_or(self.items.len(), |unit| unit.start as usize)
    }
}
