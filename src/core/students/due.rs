//! Work that was due, and work that is missing: the strongest single sign of trouble.
//!
//! An assessment is judged group by group, as classes get it at different times or not at all.
//! Its date is the median time at which the group took it, so that neither an early bird nor a
//! make-up sitting moves it. It is expected when enough of those who were in the group at that
//! date took it there, and due for each of these. The roster shows which students were where;
//! without one all students are one group, and their responses show from when on they belong to it.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use log::debug;

use crate::Poll;
use crate::gradebook::Period;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::statistics::pairs::{Grouping, sort};
use crate::statistics::quantile::lower_median;

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
    /// The group in which it was due, by its number on the roster.
    pub group: Option<u32>,
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
) -> Result<impl Iterator<Item = Missing> + use<'p>> {
    let mut judge = Judge::new(&ledger, share, poll)?;
    Ok((0..ledger.student_count() as u32).flat_map(move |student| {
        let (_, missing) = judge.of(student, &ledger, poll);
        let missing = missing.iter().map(|work| Missing {
            student,
            assessment: work.assessment,
            due_at: work.due_at,
            group: work.group,
        });
        missing.collect::<Vec<_>>()
    }))
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
    /// By student, those of the students who are still to come from `next` on.
    stays: Vec<Period>,
    next: usize,
    expected: Vec<Expected>,
    /// Per assessment: the last of the students judged so far who took it.
    taken_by: Vec<u32>,
    due: Vec<Expected>,
    /// Per assessment: the student for whom it was last found to be due, and its place in `due`.
    places: Vec<(u32, u32)>,
}

impl Judge {
    fn new(ledger: &Ledger, share: f64, poll: Poll<'_>) -> Result<Self> {
        let stays = ledger.roster.periods().len().max(ledger.student_count());
        memory::ask(6 * size_of::<Period>() * stays + 64 * ledger.assessments)?;
        let by_roster = !ledger.roster.is_empty();
        let mut stays = match by_roster {
            true => without_twins(enrolled(ledger, poll), poll),
            false => active(ledger, poll),
        };
        let expected = expected(ledger, &stays, share, poll)?;
        if !by_roster {
            // Leaving and giving up look the same.
            for stay in &mut stays {
                stay.to = Period::OPEN_TO;
            }
        }
        let key = |stay: &Period| (stay.student, stay.group, stay.from);
        sort(&mut stays, |a, b| key(a).cmp(&key(b)), poll);
        Ok(Self {
            stays,
            next: 0,
            expected,
            taken_by: vec![u32::MAX; ledger.assessments],
            due: Vec::new(),
            places: vec![(u32::MAX, 0); ledger.assessments],
        })
    }

    /// How many assessments were due for a student, and which of them are missing. Students come
    /// in order.
    fn of(&mut self, student: u32, ledger: &Ledger, poll: Poll<'_>) -> (usize, &[Expected]) {
        poll();
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
        for unit in ledger.units_of(student as usize) {
            self.taken_by[ledger.unit(unit).assessment as usize] = student;
        }
        let count = due.len();
        due.retain(|work| self.taken_by[work.assessment as usize] != student);
        (count, due)
    }
}

/// The times that students spent in groups, according to the roster. They do not overlap within
/// a group, so that nobody is counted twice.
fn enrolled(ledger: &Ledger, poll: Poll<'_>) -> Vec<Period> {
    let mut stays = ledger.roster.periods().to_vec();
    sort(&mut stays, |a, b| by_group(a).cmp(&by_group(b)), poll);
    stays.dedup_by(|next, stay| {
        let overlap =
            (next.group, next.student) == (stay.group, stay.student) && next.from <= stay.to;
        if overlap {
            stay.to = stay.to.max(next.to);
        }
        overlap
    });
    stays
}

/// Without the groups that have the members and times of an earlier one: they expect the same work,
/// and what is due in several groups is due in the first of them. Where everybody is in thousands
/// of groups, the work of all would be gone through for each.
fn without_twins(mut stays: Vec<Period>, poll: Poll<'_>) -> Vec<Period> {
    let times = |stays: &[Period]| -> Vec<(u32, i64, i64)> {
        let times = stays.iter().map(|stay| (stay.student, stay.from, stay.to));
        times.collect()
    };
    let hasher = DefaultHashBuilder::default();
    let mut first: HashMap<u64, &[Period]> = HashMap::new();
    let mut twins: HashSet<Option<u32>> = HashSet::new();
    for group in stays.chunk_by(|a, b| a.group == b.group) {
        poll();
        let known = *first.entry(hasher.hash_one(times(group))).or_insert(group);
        if known[0].group != group[0].group && times(known) == times(group) {
            twins.insert(group[0].group);
        }
    }
    drop(first);
    stays.retain(|stay| !twins.contains(&stay.group));
    stays
}

/// The times during which students were active, according to their responses: from the first one
/// until a silence after the last one that would be nothing unusual. Without this silence, an
/// assessment that a few have just begun would seem to be taken by all who are still active.
fn active(ledger: &Ledger, poll: Poll<'_>) -> Vec<Period> {
    let (mut stays, mut silences) = (Vec::new(), Vec::new());
    let mut times = Vec::new();
    for student in 0..ledger.student_count() {
        poll();
        times.clear();
        times.extend(ledger.units_of(student).map(|unit| ledger.first_at(unit)));
        sort(&mut times, i64::cmp, poll);
        let (Some(&from), Some(&to)) = (times.first(), times.last()) else {
            continue;
        };
        let spans = times.windows(2).map(|pair| pair[1].abs_diff(pair[0]));
        silences.extend(spans.max().filter(|longest| *longest > 0));
        stays.push(Period {
            student: student as u32,
            from,
            to,
            group: None,
        });
    }
    // The median over students of their longest silence so far.
    if let Some(usual) = lower_median(&mut silences, u64::cmp) {
        for stay in &mut stays {
            stay.to = stay.to.saturating_add_unsigned(usual);
        }
    }
    stays
}

fn by_group(stay: &Period) -> (Option<u32>, u32, i64) {
    (stay.group, stay.student, stay.from)
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

/// The units that were begun during a stay, by their assessments and numbers.
fn taken_during(stay: Period, ledger: &Ledger) -> impl Iterator<Item = (u32, u32)> + Clone {
    let units = ledger.units_of(stay.student as usize);
    units
        .filter(move |&unit| stay.covers(ledger.first_at(unit)))
        .map(|unit| (ledger.unit(unit).assessment, unit as u32))
}

/// What is expected of each group, in order, by stays that are in order of [`by_group`].
fn expected(
    ledger: &Ledger,
    stays: &[Period],
    share: f64,
    poll: Poll<'_>,
) -> Result<Vec<Expected>> {
    let mut expected = Vec::new();
    let mut by_assessment = Grouping::new(ledger.assessments);
    // There may be as many units as responses: they are kept by their numbers alone.
    let mut taken: Vec<u32> = Vec::new();
    let mut times: Vec<i64> = Vec::new();
    for stays in stays.chunk_by(|a, b| a.group == b.group) {
        let group = Group::of(stays, poll);
        let taken_in_group = stays.iter().flat_map(|stay| {
            poll();
            taken_during(*stay, ledger)
        });
        by_assessment.order(taken_in_group, &mut taken)?;
        for taken in taken.chunk_by(|&a, &b| assessment_of(a, ledger) == assessment_of(b, ledger)) {
            poll();
            times.clear();
            memory::ask_for_more(&times, taken.len())?;
            times.extend(taken.iter().map(|&unit| ledger.first_at(unit as usize)));
            let Some(due_at) = lower_median(&mut times, i64::cmp) else {
                continue;
            };
            let by_members = taken
                .iter()
                .filter(|&&unit| group.is_member(ledger.student_of(unit) as u32, due_at));
            // Divided and not multiplied, as 14 of 25 are exactly .56 and .56 * 25 is above 14.
            if by_members.count() as f64 / group.members(due_at) as f64 >= share {
                memory::ask_for_more(&expected, 1)?;
                expected.push(Expected {
                    group: stays[0].group,
                    due_at,
                    assessment: assessment_of(taken[0], ledger),
                });
            }
        }
    }
    sort(&mut expected, Expected::cmp, poll);
    debug!("found {} assessments due in groups", expected.len());
    Ok(expected)
}

fn assessment_of(unit: u32, ledger: &Ledger) -> u32 {
    ledger.unit(unit as usize).assessment
}
