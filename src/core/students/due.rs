//! Work that was due, and work that is missing: the strongest single sign of trouble.
//!
//! An assessment is judged group by group, as classes get it at different times or not at all.
//! Its date is the median time at which the group took it, so that neither an early bird nor a
//! make-up sitting moves it. It is expected when enough of those who were in the group at that
//! date took it there, and due for each of these and for all who took it there. The roster shows
//! which students were where; without one their rows show it, if the gradebook knows of which group
//! these are; else all students are one group. Who need not take it is not asked.

use log::debug;

use crate::Poll;
use crate::gradebook::{Ids, Period};
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::statistics::pairs::{Grouping, sort};
use crate::statistics::quantile::lower_median;
use crate::students::attendance::Attendance;
use crate::students::stays::{enrolled, in_one_group, seen, while_active};

/// Due and missing assessments of one student.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub due: u32,
    pub missing: u32,
}

/// An assessment that was due for a student and not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    pub student: u32,
    pub assessment: u32,
    /// The date at which it was due, in microseconds since 2000-01-01.
    pub due_at: i64,
    /// The group in which it was due, by its number in [`MissingWork::groups`].
    pub group: Option<u32>,
}

/// What is missing, and the groups in which it was due.
pub struct MissingWork<I> {
    pub groups: Ids,
    pub list: I,
}

/// The work of every student.
pub fn work(ledger: &Ledger, share: f64, poll: Poll<'_>) -> Result<Vec<Work>> {
    let mut judge = Judge::new(ledger, share, poll)?;
    Ok((0..ledger.student_count() as u32)
        .map(|student| {
            let (due, missing) = judge.of(student, ledger, poll);
            Work {
                due: due as u32,
                missing: missing.len() as u32,
            }
        })
        .collect())
}

/// All that is missing, by student, then by date. It is returned one by one: where many have left
/// and no roster says so, it may be a thousand times as much as there are responses.
pub fn missing_work<'p>(
    ledger: Ledger,
    share: f64,
    poll: Poll<'p>,
) -> Result<MissingWork<impl Iterator<Item = Missing> + use<'p>>> {
    let mut judge = Judge::new(&ledger, share, poll)?;
    let groups = match ledger.roster.is_empty() {
        true => ledger.memberships.groups(),
        false => ledger.roster.groups(),
    };
    let groups = groups.clone();
    let list = (0..ledger.student_count() as u32).flat_map(move |student| {
        let (_, missing) = judge.of(student, &ledger, poll);
        let missing = missing.iter().map(|work| Missing {
            student,
            assessment: work.assessment,
            due_at: work.due_at,
            group: work.group,
        });
        missing.collect::<Vec<_>>()
    });
    Ok(MissingWork { groups, list })
}

/// An assessment that was expected of a group. The order of the fields is that of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Expected {
    group: Option<u32>,
    due_at: i64,
    assessment: u32,
}

/// Judges one student after the other.
struct Judge {
    attendance: Attendance,
    /// By student, those of the students who are still to come from `next` on.
    stays: Vec<Period>,
    next: usize,
    expected: Vec<Expected>,
    /// Per number of what was taken: whether it was expected in a group where it was taken.
    is_due: Vec<bool>,
    /// Per assessment: the last of the students judged so far who took it, or need not.
    settled_by: Vec<u32>,
    due: Vec<Expected>,
    /// Per assessment: the student for whom it was last found to be due, and its place in `due`.
    places: Vec<(u32, u32)>,
}

impl Judge {
    fn new(ledger: &Ledger, share: f64, poll: Poll<'_>) -> Result<Self> {
        let attendance = Attendance::of(ledger, poll)?;
        let periods = ledger.roster.periods().len();
        let periods = periods.max(ledger.memberships.periods().len());
        let stays = periods.max(ledger.student_count());
        memory::ask(6 * size_of::<Period>() * stays + 64 * ledger.assessments)?;
        memory::ask(attendance.count(ledger))?;
        let mut is_due = vec![false; attendance.count(ledger)];
        let (mut stays, active) = match ledger.roster.is_empty() {
            false => (enrolled(ledger, poll), None),
            true => {
                let stays = match ledger.memberships.is_empty() {
                    false => seen(ledger, poll),
                    true => in_one_group(ledger, &attendance, poll),
                };
                let active = while_active(stays.clone(), ledger, &attendance, poll);
                (stays, Some(active))
            }
        };
        let expected = expected(
            ledger,
            &attendance,
            active.as_deref().unwrap_or(&stays),
            share,
            &mut is_due,
            poll,
        )?;
        let key = |stay: &Period| (stay.student, stay.group, stay.from);
        sort(&mut stays, |a, b| key(a).cmp(&key(b)), poll);
        Ok(Self {
            attendance,
            stays,
            next: 0,
            expected,
            is_due,
            settled_by: vec![u32::MAX; ledger.assessments],
            due: Vec::new(),
            places: vec![(u32::MAX, 0); ledger.assessments],
        })
    }

    /// How many assessments were due for a student, and which of them are missing. Students come
    /// in order.
    fn of(&mut self, student: u32, ledger: &Ledger, poll: Poll<'_>) -> (usize, &[Expected]) {
        poll();
        self.find_due(student, poll);
        for assessment in self.attendance.exempt(student) {
            self.settled_by[assessment as usize] = student;
        }
        let settled_by = &mut self.settled_by;
        let is_open =
            |settled_by: &[u32], work: &Expected| settled_by[work.assessment as usize] != student;
        self.due.retain(|work| is_open(settled_by, work));
        let mut count = self.due.len();
        for taken in self.attendance.of_student(student, ledger) {
            let assessment = self.attendance.assessment(taken, ledger) as usize;
            settled_by[assessment] = student;
            let is_known = self.places[assessment].0 == student;
            // Also at a date before the student came: who took it was asked to.
            count += usize::from(self.is_due[taken as usize] && !is_known);
        }
        self.due.retain(|work| is_open(settled_by, work));
        (count, &self.due)
    }

    /// What was expected during the stays of a student, by date.
    fn find_due(&mut self, student: u32, poll: Poll<'_>) {
        let due = &mut self.due;
        due.clear();
        let first = self.next;
        while let Some(stay) = self.stays.get(self.next)
            && stay.student == student
        {
            poll();
            let key = |work: &Expected| (work.group, work.due_at);
            let expected = &self.expected;
            let start = expected.partition_point(|work| key(work) < (stay.group, stay.from));
            let end = expected.partition_point(|work| key(work) <= (stay.group, stay.to));
            for work in &expected[start..end] {
                // What was due in several groups was due once, and at first.
                let (who, place) = &mut self.places[work.assessment as usize];
                if *who != student {
                    (*who, *place) = (student, due.len() as u32);
                    due.push(*work);
                    continue;
                }
                let known = &mut due[*place as usize];
                if (work.due_at, work.group) < (known.due_at, known.group) {
                    *known = *work;
                }
            }
            self.next += 1;
        }
        if self.next > first + 1 {
            due.sort_unstable_by_key(|work| (work.due_at, work.assessment));
        }
    }
}

/// The stays in one group, by student and time. Those of one student do not overlap.
struct Group<'a> {
    stays: &'a [Period],
    /// In order, when stays begin and when they end.
    begin: Vec<i64>,
    end: Vec<i64>,
}

impl<'a> Group<'a> {
    fn of(stays: &'a [Period], poll: Poll<'_>) -> Self {
        let mut begin: Vec<i64> = stays.iter().map(|stay| stay.from).collect();
        let mut end: Vec<i64> = stays.iter().map(|stay| stay.to).collect();
        sort(&mut begin, i64::cmp, poll);
        sort(&mut end, i64::cmp, poll);
        Self { stays, begin, end }
    }

    /// How many students were in it at a time.
    fn members(&self, at: i64) -> usize {
        let begun = self.begin.partition_point(|from| *from <= at);
        begun - self.end.partition_point(|to| *to < at)
    }

    fn is_member(&self, student: u32, at: i64) -> bool {
        let key = |stay: &Period| (stay.student, stay.from);
        let later = self
            .stays
            .partition_point(|stay| key(stay) <= (student, at));
        let stay = later.checked_sub(1).map(|before| self.stays[before]);
        stay.is_some_and(|stay| stay.student == student && stay.covers(at))
    }
}

/// What is expected of each group, in order, by stays that are in order; and of what was taken
/// there, whether it is.
fn expected(
    ledger: &Ledger,
    attendance: &Attendance,
    stays: &[Period],
    share: f64,
    is_due: &mut [bool],
    poll: Poll<'_>,
) -> Result<Vec<Expected>> {
    let mut expected = Vec::new();
    let mut by_assessment = Grouping::new(ledger.assessments);
    // There may be as many units as responses: they are kept by their numbers alone.
    let mut taken: Vec<u32> = Vec::new();
    let mut times: Vec<i64> = Vec::new();
    for stays in stays.chunk_by(|a, b| a.group == b.group) {
        let group = Group::of(stays, poll);
        let exempt = exempt(attendance, stays, poll)?;
        let taken_in_group = stays.iter().flat_map(|stay| {
            poll();
            let own = attendance.of_student(stay.student, ledger);
            own.filter(|&taken| stay.covers(attendance.first_at(taken, ledger)))
                .map(|taken| (attendance.assessment(taken, ledger), taken))
        });
        by_assessment.order(taken_in_group, &mut taken)?;
        let assessment = |taken| attendance.assessment(taken, ledger);
        for taken in taken.chunk_by(|&a, &b| assessment(a) == assessment(b)) {
            poll();
            times.clear();
            memory::ask_for_more(&times, taken.len())?;
            times.extend(taken.iter().map(|&at| attendance.first_at(at, ledger)));
            let Some(due_at) = lower_median(&mut times, i64::cmp) else {
                continue;
            };
            let assessment = assessment(taken[0]);
            let by_members = taken
                .iter()
                .filter(|&&at| group.is_member(attendance.student(at, ledger), due_at));
            let asked = group.members(due_at) - exempt_at(&exempt, assessment, due_at);
            // Divided and not multiplied, as 14 of 25 are exactly .56 and .56 * 25 is above 14.
            if by_members.count() as f64 / asked as f64 >= share {
                memory::ask_for_more(&expected, 1)?;
                expected.push(Expected {
                    group: stays[0].group,
                    due_at,
                    assessment,
                });
                for &taken in taken {
                    is_due[taken as usize] = true;
                }
            }
        }
    }
    sort(&mut expected, Expected::cmp, poll);
    debug!("found {} assessments due in groups", expected.len());
    Ok(expected)
}

/// What members of a group need not take, and when they were members; by assessment.
fn exempt(attendance: &Attendance, stays: &[Period], poll: Poll<'_>) -> Result<Vec<(u32, Period)>> {
    let mut exempt = Vec::new();
    for stay in stays {
        for assessment in attendance.exempt(stay.student) {
            memory::ask_for_more(&exempt, 1)?;
            exempt.push((assessment, *stay));
        }
    }
    sort(&mut exempt, Ord::cmp, poll);
    Ok(exempt)
}

/// How many members at a time need not take an assessment.
fn exempt_at(exempt: &[(u32, Period)], assessment: u32, at: i64) -> usize {
    let first = exempt.partition_point(|own| own.0 < assessment);
    let own = exempt[first..].iter();
    let own = own.take_while(|own| own.0 == assessment);
    own.filter(|own| own.1.covers(at)).count()
}
