//! Missing work is that of a slow calculation, and can be stopped.

use pg_assess_test_support::solve::{self, Asked};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use pg_assess_core::gradebook::{Gradebook, Standing};
use pg_assess_core::options::Options;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{OwnEnrolment, OwnId, OwnRow, enrolment, go, row, with_roster};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{DueWork, class, due_work, on, sit};

fn integer(id: &Option<OwnId>) -> Option<i64> {
    match id {
        Some(OwnId::Integer(id)) => Some(*id),
        _ => None,
    }
}

fn lower_median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The same, student by student and group by group, from the rows as they are.
fn slow(rows: &[OwnRow], roster: &[OwnEnrolment], share: f64, as_of: Option<i64>) -> DueWork {
    slow_in_groups(rows, &[], roster, share, as_of)
}

/// What is known of rows and a roster.
struct Known {
    /// When a student took an assessment.
    took: BTreeMap<(i64, i64), i64>,
    /// What a student need not take, and did not.
    exempt: BTreeSet<(i64, i64)>,
    /// Student, group, beginning and end.
    periods: BTreeSet<(i64, Option<i64>, i64, i64)>,
    /// The first and the last row of a student in a group.
    seen: BTreeMap<(i64, Option<i64>), (i64, i64)>,
    /// The median of the students' longest silences.
    usual_silence: i64,
}

impl Known {
    fn of(
        rows: &[OwnRow],
        groups_of_rows: &[Option<i64>],
        roster: &[OwnEnrolment],
        as_of: Option<i64>,
    ) -> Self {
        let counts = |row: &&OwnRow| match row.standing {
            Standing::Counts => row.score.is_some_and(|score| score <= 1.0),
            standing => standing == Standing::Zero,
        };
        let latest = rows.iter().filter(counts).filter_map(|row| row.taken_at);
        let now = as_of.or(latest.max()).unwrap_or(i64::MAX);
        let mut took: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        let mut exempt: BTreeSet<(i64, i64)> = BTreeSet::new();
        for row in rows {
            let student = integer(&row.student).expect("a student");
            let assessment = integer(&row.assessment).expect("an assessment");
            let at = row.taken_at.expect("a time");
            // Without a date all rows are looked at, also those after the latest score.
            if as_of.is_some_and(|as_of| at > as_of) || row.standing == Standing::NotTaken {
                continue;
            }
            if row.standing == Standing::Exempt {
                exempt.insert((student, assessment));
                continue;
            }
            let first = took.entry((student, assessment)).or_insert(at);
            *first = at.min(*first);
        }
        exempt.retain(|key| !took.contains_key(key));
        let period = |row: &OwnEnrolment| {
            let from = row.from.unwrap_or(i64::MIN);
            let to = row.to.unwrap_or(i64::MAX);
            let student = integer(&row.student)?;
            (from <= to && from <= now).then_some((student, integer(&row.group), from, to))
        };
        let mut seen: BTreeMap<(i64, Option<i64>), (i64, i64)> = BTreeMap::new();
        for (row, group) in rows.iter().zip(groups_of_rows) {
            let (student, at) = (integer(&row.student).expect("a student"), row.taken_at);
            let at = at.expect("a time");
            let span = seen.entry((student, *group)).or_insert((at, at));
            *span = (at.min(span.0), at.max(span.1));
        }
        let mut known = Self {
            took,
            exempt,
            periods: roster.iter().filter_map(period).collect(),
            seen,
            usual_silence: 0,
        };
        known.usual_silence = known.usual_silence();
        known
    }

    fn times(&self, student: i64) -> Vec<i64> {
        let own = self.took.iter().filter(|((s, _), _)| *s == student);
        let mut times: Vec<i64> = own.map(|(_, at)| *at).collect();
        times.sort_unstable();
        times
    }

    fn answering(&self) -> BTreeSet<i64> {
        self.took.keys().map(|(student, _)| *student).collect()
    }

    fn usual_silence(&self) -> i64 {
        let longest = |times: Vec<i64>| times.windows(2).map(|pair| pair[1] - pair[0]).max();
        let answering = self.answering();
        let silences = answering.iter().filter_map(|&s| longest(self.times(s)));
        lower_median(silences.filter(|span| *span > 0).collect()).unwrap_or(0)
    }

    /// From when until when a student is in a group by the rows there.
    fn stay(&self, student: i64, group: Option<i64>) -> Option<(i64, i64)> {
        let (from, last) = *self.seen.get(&(student, group))?;
        let others = self.seen.iter().filter(|((other, _), _)| *other == student);
        let next = others
            .filter(|(_, span)| span.0 > last)
            .map(|(_, span)| span.0)
            .min();
        Some((from, next.map_or(i64::MAX, |next| next - 1)))
    }

    /// Whether a student is in a group at a time.
    fn is_in_group(&self, student: i64, group: Option<i64>, at: i64) -> bool {
        let usual = self.usual_silence;
        match self.periods.is_empty() {
            true if !self.seen.is_empty() => self.stay(student, group).is_some_and(|(from, to)| {
                let times = self.times(student).into_iter();
                let within = times.filter(|at| from <= *at && *at <= to);
                let last = within.max().unwrap_or(from);
                from <= at && at <= to.min(last + usual)
            }),
            true => {
                let times = self.times(student);
                !times.is_empty() && times[0] <= at && at <= times[times.len() - 1] + usual
            }
            false => self
                .periods
                .iter()
                .any(|&(s, g, from, to)| (s, g) == (student, group) && from <= at && at <= to),
        }
    }

    /// Whether what is due in a group at a time is due for a student.
    fn owes(&self, student: i64, group: Option<i64>, at: i64) -> bool {
        match self.periods.is_empty() {
            true if !self.seen.is_empty() => self
                .stay(student, group)
                .is_some_and(|(from, to)| from <= at && at <= to),
            true => self
                .times(student)
                .first()
                .is_some_and(|first| *first <= at),
            false => self.is_in_group(student, group, at),
        }
    }

    fn groups(&self) -> BTreeSet<Option<i64>> {
        match self.periods.is_empty() {
            true if !self.seen.is_empty() => self.seen.keys().map(|(_, group)| *group).collect(),
            true => BTreeSet::from([None]),
            false => self.periods.iter().map(|(_, group, _, _)| *group).collect(),
        }
    }

    fn students(&self) -> BTreeSet<i64> {
        let mut students = self.answering();
        students.extend(self.periods.iter().map(|(student, ..)| *student));
        students.extend(self.seen.keys().map(|(student, _)| *student));
        students
    }
}

/// The same, of rows that are each of a group, if any are.
pub(super) fn slow_in_groups(
    rows: &[OwnRow],
    groups_of_rows: &[Option<i64>],
    roster: &[OwnEnrolment],
    share: f64,
    as_of: Option<i64>,
) -> DueWork {
    let known = Known::of(rows, groups_of_rows, roster, as_of);
    let (took, exempt, students) = (&known.took, &known.exempt, known.students());
    let assessments: BTreeSet<i64> = took.keys().map(|(_, assessment)| *assessment).collect();
    let mut due: BTreeMap<i64, BTreeMap<i64, (i64, Option<i64>)>> = BTreeMap::new();
    for &group in &known.groups() {
        for &assessment in &assessments {
            let took_in_group = |student: i64| {
                let at = took.get(&(student, assessment)).copied();
                at.filter(|at| known.is_in_group(student, group, *at))
            };
            let days = students.iter().filter_map(|&s| took_in_group(s)).collect();
            let Some(date) = lower_median(days) else {
                continue;
            };
            let is_member =
                |s: i64| known.is_in_group(s, group, date) && !exempt.contains(&(s, assessment));
            let members: Vec<i64> = students.iter().copied().filter(|&s| is_member(s)).collect();
            let takers = members
                .iter()
                .filter(|&&s| took_in_group(s).is_some())
                .count();
            if (takers as f64 / members.len() as f64) < share {
                continue;
            }
            let is_due = |s| match took_in_group(s) {
                Some(_) => true,
                None => known.owes(s, group, date) && !exempt.contains(&(s, assessment)),
            };
            for &student in students.iter().filter(|&&s| is_due(s)) {
                let own = due.entry(student).or_default();
                let first = own.entry(assessment).or_insert((date, group));
                *first = (date, group).min(*first);
            }
        }
    }
    due.into_iter()
        .map(|(student, own)| {
            let mut missing: Vec<_> = own
                .iter()
                .filter(|(assessment, _)| !took.contains_key(&(student, **assessment)))
                .map(|(assessment, (at, group))| (*at, *assessment, *group))
                .collect();
            missing.sort_unstable();
            let missing = missing.into_iter();
            let missing = missing
                .map(|(at, a, group)| (a, at.div_euclid(DAY), group))
                .collect();
            (student, (own.len() as u32, missing))
        })
        .collect()
}

#[test]
fn a_share_that_is_reached_exactly_is_enough() {
    let students = 25;
    for takers in 1..=students {
        let rows: Vec<OwnRow> = sit(1..=takers, 1, 7).collect();
        // 4 to 100 percent, each as it is written.
        let due_share = (4 * takers) as f64 / 100.0;
        let options = on(60).with(|own| own.due_share = due_share);
        let work = due_work(&rows, &class(1..=students, 1), &options);
        assert_eq!(work.len() as i64, students, "{takers} of {students}");
    }
}

#[test]
fn a_student_in_very_many_groups_owes_each_assessment_once_and_can_be_stopped() {
    let groups = 3000;
    let rows: Vec<OwnRow> = (1..=40)
        .flat_map(|week| sit(1..=2, week, 7 * week))
        .collect();
    let mut roster: Vec<OwnEnrolment> =
        (1..=groups).flat_map(|group| class(1..=3, group)).collect();
    roster.extend((1..=groups).map(|group| enrolment(3, Some(group), 0, Some(50))));
    // No two are twins, one of which would not be gone through.
    roster.extend((1..=groups).map(|group| enrolment(1, Some(group), -group, Some(0))));
    let work = due_work(&rows, &roster, &on(300));
    let all: Vec<_> = (1..=40).map(|week| (week, 7 * week, Some(1))).collect();
    assert_eq!(work[&3], (40, all));
    assert_eq!(work[&2], (40, vec![]));

    let polls = Cell::new(0);
    let poll = || polls.set(polls.get() + 1);
    let bytes = with_roster(&rows, &roster);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let missing = solve::missing_work(&book, &on(300), &poll).expect("missing work");
    let before = polls.get();
    assert_eq!(missing.count(), 40);
    assert!(polls.get() - before >= 3 * groups, "at each stay");
}

/// Who left long ago, without a roster to say so, misses all that came since: much more than
/// there is to read. Nobody must hold it all to know the first.
#[test]
fn missing_work_is_returned_one_by_one() {
    let students = 4000;
    let rows: Vec<OwnRow> = (0..students)
        .flat_map(|student| sit([student], student / 2, student / 2))
        .collect();
    let bytes = with_roster(&rows, &[]);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let polls = Cell::new(0);
    let poll = || polls.set(polls.get() + 1);
    let mut missing = solve::missing_work(&book, &on(students), &poll).expect("missing work");
    let first = missing.next().map(|work| (work.student, work.assessment));
    assert_eq!(first, Some((0, 1)));
    let before = polls.get();
    assert_eq!(
        missing.count() as i64,
        students / 2 * (students / 2 - 1) - 1
    );
    assert!(
        polls.get() - before >= students - 1,
        "all students but the first"
    );
}

/// A few classes that sit a few assessments, some of them late, some of them twice, some nobody.
fn sittings() -> impl Strategy<Value = Vec<OwnRow>> {
    let plan = prop::collection::vec((0..12i64, 0..60i64, 1..=9i64, any::<u16>()), 0..14);
    let stray = prop::collection::vec((0..14i64, 0..14i64, 0..70i64), 0..12);
    (plan, stray).prop_map(|(plan, stray)| {
        let mut rows = Vec::new();
        for (assessment, day, step, who) in plan {
            for student in (0..14).filter(|student| who >> student & 1 == 1) {
                let late = if student % step == 0 { student % 3 } else { 0 };
                rows.extend(sit([student], assessment, day + late));
            }
        }
        for (student, assessment, day) in stray {
            rows.push(row(student, 500 + day % 3, assessment, 0.5, day as f64));
        }
        rows
    })
}

/// The same, of which some sittings have no marks, some rows no score or one out of range, and
/// some say that nothing was or need be taken; at minutes of the day.
pub(super) fn sittings_without_marks() -> impl Strategy<Value = Vec<OwnRow>> {
    let fates = prop::collection::vec(any::<u8>(), 1..40);
    (sittings(), fates, any::<bool>()).prop_map(|(mut rows, fates, has_minutes)| {
        for (at, row) in rows.iter_mut().enumerate() {
            // Both rows of a sitting mostly share their fate.
            let sitting = fates[at / 2 % fates.len()];
            let fate = if sitting >= 128 {
                fates[at % fates.len()]
            } else {
                sitting
            };
            (row.score, row.standing) = match fate % 8 {
                0 => (None, Standing::Counts),
                1 => (None, Standing::Waiting),
                2 => (None, Standing::NotTaken),
                3 => (None, Standing::Exempt),
                4 => (Some(2.0), Standing::Counts),
                5 => (row.score, Standing::Zero),
                _ => (row.score, row.standing),
            };
            if has_minutes {
                let minute = i64::from(fate) * (DAY / 300);
                row.taken_at = row.taken_at.map(|taken| taken + minute);
            }
        }
        rows
    })
}

/// Periods of days, some of which end with the first moment of a day, with which others begin.
fn rosters() -> impl Strategy<Value = Vec<OwnEnrolment>> {
    let end = || prop::option::weighted(0.6, 0..70i64);
    let group = prop::option::weighted(0.9, 0..3i64);
    let one = (0..16i64, group, end(), end(), any::<bool>());
    let one = one.prop_map(|(student, group, from, to, moment)| {
        let row = enrolment(student, group, from, to);
        match moment {
            true => OwnEnrolment {
                to: row.to.map(|to| to + 1 - DAY),
                ..row
            },
            false => row,
        }
    });
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(one.clone(), 1..30),
        2 => prop::collection::vec(one.clone(), 0..6).prop_map(|mut roster| {
            roster.extend(class(0..7, 0));
            roster.extend(class(7..16, 1));
            roster
        }),
        // Twins, one of which may have a member more.
        1 => (prop::collection::vec(one.clone(), 0..8), prop::collection::vec(one, 0..2)).prop_map(
            |(mut roster, more)| {
                let twins = roster.clone().into_iter().filter(|row| row.group == Some(OwnId::Integer(0)));
                roster.extend(twins.map(|row| OwnEnrolment { group: Some(OwnId::Integer(7)), ..row }));
                roster.extend(more);
                roster
            },
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: RngSeed::Fixed(22),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn work_is_that_of_the_slow_calculation(
        rows in sittings(), roster in rosters(), day in prop::option::of(0..80i64),
        share in prop_oneof![3 => Just(0.5), 1 => 0.05..=1.0f64],
    ) {
        let as_of = day.map(|day| day * DAY + DAY - 1);
        let options = Options { due_share: share, ..Options::default() };
        let options = Asked { as_of, ..Asked::from(options) };
        prop_assert_eq!(due_work(&rows, &roster, &options), slow(&rows, &roster, share, as_of));
    }

    #[test]
    fn work_is_that_of_the_slow_calculation_also_without_marks(
        rows in sittings_without_marks(), roster in rosters(), day in prop::option::of(0..80i64),
        share in prop_oneof![3 => Just(0.5), 1 => 0.05..=1.0f64],
    ) {
        let as_of = day.map(|day| day * DAY + DAY - 1);
        let options = Options { due_share: share, ..Options::default() };
        let options = Asked { as_of, ..Asked::from(options) };
        prop_assert_eq!(due_work(&rows, &roster, &options), slow(&rows, &roster, share, as_of));
    }

    #[test]
    fn what_comes_later_changes_no_work(
        rows in sittings(), roster in rosters(), day in 0..60i64, later in sittings(),
        new in rosters(),
    ) {
        let then = due_work(&rows, &roster, &on(60 + day));
        let late = |at: Option<i64>| at.map(|at| at + (75 + day) * DAY);
        let mut rows = rows;
        rows.extend(later.into_iter().map(|row| OwnRow { taken_at: late(row.taken_at), ..row }));
        let mut roster = roster;
        roster.extend(
            new.into_iter()
                .filter(|row| row.from.is_some())
                .map(|row| OwnEnrolment { from: late(row.from), to: late(row.to), ..row }),
        );
        prop_assert_eq!(due_work(&rows, &roster, &on(60 + day)), then);
    }
}

/// 20,000 students in 800 classes, three periods each, 20 assessments.
#[test]
fn a_large_roster_costs_little() {
    let mut rows = Vec::new();
    let mut roster = Vec::new();
    for student in 0..20_000 {
        let class = student % 800;
        for week in (0..20).filter(|week| (student + week) % 7 > 0) {
            rows.push(row(student, week, week, 1.0, (7 * week) as f64));
        }
        roster.push(enrolment(student, Some(class), 0, 60));
        roster.push(enrolment(student, Some(class + 1), 61, 100));
        roster.push(enrolment(student, Some(class), 101, None));
    }
    let bytes = with_roster(&rows, &roster);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let start = cpu_time::ThreadTime::now();
    let missing = solve::missing_work(&book, &on(200), &go).expect("missing work");
    let missing = missing.count();
    let elapsed = start.elapsed();
    assert!(missing > 20_000 && missing < 80_000, "{missing}");
    // Without optimization; a calculation that looks at all pairs takes hours.
    assert!(elapsed.as_secs() < 30, "{elapsed:?}");
    println!("{missing} missing in {elapsed:?}");
}
