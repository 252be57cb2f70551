//! The roster in a gradebook: what is taken and what is not, and that it is a set which merges in
//! any way.

use pg_assess_test_support::solve::{self, Asked};
use std::cell::Cell;
use std::collections::BTreeSet;

use pg_assess_core::gradebook::Error;
use pg_assess_core::gradebook::put_varint;
use pg_assess_core::gradebook::{Builder, Gradebook, MAX_PERIODS, Period};
use pg_assess_core::options::Options;
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{
    OwnEnrolment, OwnId, OwnRow, Solved, builder, enrolment, go, gradebook, merge, row, with_roster,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A period with ids as text, to be compared.
type Read = (String, i64, i64, Option<String>);

fn periods(bytes: &[u8]) -> Vec<Read> {
    let book = pg_assess_test_support::check(bytes).expect("a gradebook");
    let name = |period: &Period| {
        let group = period.group.map(|at| book.roster().groups().get(at));
        (
            book.students().get(period.student).to_string(),
            period.from,
            period.to,
            group.map(|id| id.to_string()),
        )
    };
    book.roster().periods().iter().map(name).collect()
}

fn coverage(bytes: &[u8], as_of: Option<i64>) -> Vec<(&'static str, u64)> {
    let book = Gradebook::open(bytes).expect("a gradebook");
    let options = Asked {
        as_of,
        ..Asked::default()
    };
    let rows = solve::coverage(&book, &options, &go).expect("coverage");
    let of_roster = |row: &(&str, u64)| matches!(row.0, "roster" | "bad_roster");
    rows.into_iter().filter(of_roster).collect()
}

#[test]
fn null_and_infinite_ends_are_open() {
    let open = |from, to| OwnEnrolment {
        from,
        to,
        ..enrolment(1, Some(7), None, None)
    };
    let bytes = with_roster(
        [],
        &[
            open(None, None),
            open(Some(i64::MIN), Some(i64::MAX)),
            open(Some(MIN_TIME), Some(MAX_TIME)),
            open(Some(MIN_TIME - 1), Some(5)),
            open(Some(5), Some(5)),
        ],
    );
    let read = |from, to| ("1".to_owned(), from, to, Some("7".to_owned()));
    assert_eq!(
        periods(&bytes),
        [
            read(i64::MIN, 5),
            read(i64::MIN, i64::MAX),
            read(MIN_TIME, MAX_TIME),
            read(5, 5),
        ]
    );
    assert_eq!(coverage(&bytes, None), [("roster", 4), ("bad_roster", 0)]);
}

#[test]
fn rows_without_a_student_or_with_reversed_ends_are_counted_and_leave_nothing_else() {
    let ends = |from, to| OwnEnrolment {
        from: Some(from),
        to: Some(to),
        ..enrolment(1, Some(7), None, None)
    };
    let rows = [
        OwnEnrolment {
            student: None,
            ..enrolment(1, Some(7), 1, 2)
        },
        ends(6, 5),
        ends(i64::MAX, i64::MAX),
        ends(MAX_TIME + 1, i64::MAX),
        ends(i64::MIN, i64::MIN),
        ends(i64::MAX, i64::MIN),
    ];
    let bytes = with_roster([], &rows);
    let book = pg_assess_test_support::check(&bytes).expect("a gradebook");
    assert_eq!(book.roster().unusable(), 6);
    assert!(book.roster().is_empty() && book.roster().groups().is_empty());
    assert!(book.students().is_empty());
    assert_eq!(book.clock(), None);
    assert_eq!(coverage(&bytes, None), [("roster", 0), ("bad_roster", 6)]);
    assert_eq!(coverage(&merge([&bytes, &bytes]), None)[1].1, 12);
    // Where no row can be used, nobody's roster is known, and the rule goes on.
    let taken: Vec<OwnRow> = (0..3).map(|s| row(s, 1, 1, 1.0, 1.0)).collect();
    let solved = Solved::of(&with_roster(&taken, &rows), &Options::default());
    assert!(solved.students.iter().all(|student| student.work.due == 1));
}

#[test]
fn ends_must_be_on_the_clock_of_the_responses() {
    let enrol = |clock, row: &OwnEnrolment| {
        let mut builder = builder(&[row_of_day()]);
        builder.enrol(clock, row.row()).map(|()| builder)
    };
    let from = enrolment(1, None, 3, None);
    let to = enrolment(1, None, None, 3);
    let open = enrolment(1, None, None, None);
    for row in [&from, &to, &open] {
        assert!(enrol(Clock::Calendar, row).is_ok());
    }
    for row in [&from, &to] {
        assert_eq!(enrol(Clock::Absolute, row).err(), Some(Error::Clocks));
    }
    assert!(enrol(Clock::Absolute, &open).is_ok(), "it says no time");

    // A roster alone knows its clock, and merging minds it.
    let clock_of = |clock, row: &OwnEnrolment| {
        let mut builder = Builder::new();
        builder.enrol(clock, row.row()).expect("the first row");
        let bytes = builder.encode(&go).expect("small");
        let clock = Gradebook::open(&bytes).expect("a gradebook").clock();
        (clock, bytes)
    };
    for row in [&from, &to] {
        for clock in [Clock::Calendar, Clock::Absolute] {
            let (known, bytes) = clock_of(clock, row);
            assert_eq!(known, Some(clock));
            let mut builder = builder(&[row_of_day()]);
            let book = Gradebook::open(&bytes).expect("a gradebook");
            let merged = builder.merge(&book, &go);
            assert_eq!(merged.is_ok(), clock == Clock::Calendar, "{merged:?}");
        }
    }
    for clock in [Clock::Calendar, Clock::Absolute] {
        assert_eq!(clock_of(clock, &open).0, None);
    }
}

fn row_of_day() -> OwnRow {
    row(1, 1, 1, 1.0, 5.0)
}

#[test]
fn ids_of_another_type_are_refused() {
    let text = |text: &str| Some(OwnId::Text(text.to_owned()));
    let mut builder = builder(&[row_of_day()]);
    let student = OwnEnrolment {
        student: text("1"),
        ..enrolment(1, Some(7), None, None)
    };
    let group = OwnEnrolment {
        group: text("7"),
        ..enrolment(1, None, None, None)
    };
    let table = |error| match error {
        Err(Error::IdTypes { table, .. }) => table,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        table(builder.enrol(Clock::Calendar, student.row())),
        "student"
    );
    let first = enrolment(1, Some(7), None, None);
    builder
        .enrol(Clock::Calendar, first.row())
        .expect("a first group");
    assert_eq!(table(builder.enrol(Clock::Calendar, group.row())), "group");
}

#[test]
fn the_group_at_a_time_is_that_of_the_period_which_began_last() {
    let bytes = with_roster(
        [],
        &[
            enrolment(1, Some(10), 0, 100),
            enrolment(1, Some(20), 50, 60),
            enrolment(1, Some(30), 50, 70),
            enrolment(1, None, 90, None),
            enrolment(2, Some(40), None, 10),
            enrolment(4, Some(5), 0, 0),
        ],
    );
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let group = |student: &str, at: i64| {
        let student = book.students().find(student).expect("on the roster");
        let group = book.roster().group_at(student, at);
        group.map(|at| book.roster().groups().get(at).to_string())
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(group("1", -1), None);
    assert_eq!(group("1", 0), some("10"));
    assert_eq!(
        group("1", 50 * DAY),
        some("30"),
        "of two that begin together the longer"
    );
    assert_eq!(group("1", 71 * DAY - 1), some("30"));
    assert_eq!(
        group("1", 71 * DAY),
        some("10"),
        "back where the student was"
    );
    assert_eq!(group("1", 90 * DAY), None, "a period without a group");
    assert_eq!(group("2", MIN_TIME), some("40"));
    assert_eq!(group("2", 11 * DAY), None, "gone");
    assert_eq!(group("4", DAY - 1), some("5"), "the whole of the only day");
    assert_eq!(group("4", DAY), None);
    assert_eq!(book.roster().group_at(99, 0), None);
    let counts = [0, 1, 2, 3].map(|student| book.roster().periods_of(student).len());
    assert_eq!(counts, [4, 1, 1, 0]);
}

#[test]
fn students_of_the_roster_are_known_once_their_period_has_begun() {
    let rows: Vec<OwnRow> = (0..4).map(|n| row(1, n, n, 1.0, 10.0 * n as f64)).collect();
    let roster = [
        enrolment(1, Some(1), None, None),
        enrolment(2, Some(1), 12, 15),
        enrolment(3, Some(1), 31, None),
    ];
    let bytes = with_roster(&rows, &roster);
    let known = |as_of: Option<i64>| {
        let as_of = as_of.map(|day| day * DAY);
        let options = Asked {
            as_of,
            ..Asked::default()
        };
        let solved = Solved::of(&bytes, &options);
        solved.assert_sound(&options);
        let status =
            |row: &pg_assess_core::students::student::Student| (row.student, row.status.label());
        solved.students.iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(known(Some(-1)), [(0, "none")]);
    assert_eq!(known(Some(11)), [(0, "provisional")]);
    assert_eq!(known(Some(12)), [(0, "provisional"), (1, "none")]);
    assert_eq!(known(None), [(0, "ok"), (1, "none")], "as of day 30");
    assert_eq!(known(Some(31)), [(0, "ok"), (1, "none"), (2, "none")]);
    assert_eq!(coverage(&bytes, Some(11 * DAY))[0], ("roster", 1));
    assert_eq!(coverage(&bytes, None)[0], ("roster", 2));

    // Without a response there is no date, and everybody is listed.
    let alone = with_roster([], &roster);
    let solved = Solved::of(&alone, &Options::default());
    assert_eq!(solved.students.len(), 3);
    assert!(
        solved
            .students
            .iter()
            .all(|row| row.level.is_none() && row.work.due == 0)
    );
}

#[test]
fn a_roster_has_its_limit() {
    let mut bytes = vec![2, 2];
    bytes.extend([0; 3 + 5 + 1]); // No ids, no excluded rows and no students of such.
    bytes.extend([0, 0]); // No groups, no unusable rows.
    put_varint(&mut bytes, MAX_PERIODS + 1);
    bytes.extend(vec![0; 2 * MAX_PERIODS as usize + 2]);
    assert!(matches!(
        pg_assess_test_support::check(&bytes),
        Err(Error::TooLarge { .. })
    ));
}

/// Rows of every kind over few ids and days, so that they meet.
fn roster(most: usize) -> impl Strategy<Value = Vec<OwnEnrolment>> {
    let end = || {
        prop_oneof![
            1 => Just(None),
            1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(MIN_TIME), Just(MAX_TIME)]
                .prop_map(Some),
            8 => (0..60i64).prop_map(|day| Some(day * DAY)),
            2 => (-99..99i64).prop_map(Some),
        ]
    };
    let student = prop::option::weighted(0.95, 0..12i64);
    let group = prop::option::weighted(0.8, 0..4i64);
    let one = (student, group, end(), end()).prop_map(|(student, group, from, to)| OwnEnrolment {
        student: student.map(OwnId::Integer),
        group: group.map(OwnId::Integer),
        from,
        to,
    });
    prop::collection::vec(one, 0..most)
}

fn responses() -> impl Strategy<Value = Vec<OwnRow>> {
    let one = (0..15i64, 0..4i64, 0..4i64, 0..60i64);
    let one = one.prop_map(|(s, i, a, day)| row(s, i, a, (s + i) as f64 / 20.0, day as f64));
    prop::collection::vec(one, 0..40)
}

/// The set of periods, the slow way.
fn expected(roster: &[OwnEnrolment]) -> (Vec<Read>, u64) {
    let mut set = BTreeSet::new();
    let mut unusable = 0;
    for row in roster {
        let from = row.from.unwrap_or(i64::MIN);
        let to = row.to.unwrap_or(i64::MAX);
        let never = from == i64::MAX || to == i64::MIN || from > to;
        match &row.student {
            Some(OwnId::Integer(student)) if !never => {
                set.insert((*student, from, to, row.group.clone()));
            }
            _ => unusable += 1,
        }
    }
    let name = |(student, from, to, group): (i64, i64, i64, Option<OwnId>)| {
        let group = group.map(|id| id.id().to_string());
        (student.to_string(), from, to, group)
    };
    (set.into_iter().map(name).collect(), unusable)
}

/// A statement must end within a second or so: whatever takes longer for millions of rows looks
/// for interrupts.
#[test]
fn large_tables_of_ids_are_sorted_and_merged_with_looks_for_interrupts() {
    let n = 100_000;
    let roster: Vec<OwnEnrolment> = (0..n)
        .map(|at| OwnEnrolment {
            group: Some(OwnId::Text(format!("group {:x}", at * 7919 % n))),
            ..enrolment(1, None, None, None)
        })
        .collect();
    let mut of_rows = builder([]);
    for row in &roster {
        of_rows
            .enrol(Clock::Calendar, row.row())
            .expect("ids of one type");
    }
    let polls = Cell::new(0);
    let poll = || polls.set(polls.get() + 1);
    let bytes = of_rows.encode(&poll).expect("a small gradebook");
    // There is one student; sorting takes at least as many comparisons as there are groups.
    assert!(polls.take() > 10, "while groups are sorted");
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let mut merged = Builder::new();
    merged.merge(&book, &poll).expect("the same types");
    assert!(
        polls.take() >= 2 * n / 1024,
        "while groups and periods are merged"
    );
    assert_eq!(merged.encode(&go), Ok(bytes));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(21),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn periods_read_back_as_the_set_they_are(roster in roster(40), rows in responses()) {
        let bytes = with_roster(&rows, &roster);
        let (set, unusable) = expected(&roster);
        prop_assert_eq!(periods(&bytes), set);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        prop_assert_eq!(book.roster().unusable(), unusable);
        prop_assert_eq!(&Gradebook::from_text(&Gradebook::to_text(&bytes), &go).expect("text"), &bytes);
        // Student by student they are the same.
        let students = 0..book.students().len() as u32;
        let by_student: Vec<Period> =
            students.flat_map(|student| book.roster().periods_of(student).to_vec()).collect();
        prop_assert_eq!(&by_student[..], book.roster().periods());
        for at in (-1..62).map(|day| day * DAY) {
            for student in 0..book.students().len() as u32 {
                let covering = book.roster().periods_of(student).iter().filter(|p| p.covers(at));
                let last = covering.max_by_key(|p| (p.from, p.to, p.group));
                prop_assert_eq!(book.roster().group_at(student, at), last.and_then(|p| p.group));
            }
        }
    }

    #[test]
    fn without_a_roster_the_bytes_are_what_they_were(rows in responses()) {
        let bytes = gradebook(&rows);
        prop_assert_eq!(bytes[1], 0);
        prop_assert_eq!(&with_roster(&rows, []), &bytes);
        prop_assert!(coverage(&bytes, None).is_empty());
        // Open ends have no clock, and times of day none that is needed.
        let roster = [enrolment(1, None, None, None)];
        prop_assert_eq!(with_roster(&rows, &roster)[1], 2);
    }

    #[test]
    fn the_way_it_is_split_and_merged_does_not_matter(
        roster in roster(30), rows in responses(), seed in any::<u64>(),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n = rng.gen_range(1..5);
        let mut parts = vec![(Vec::new(), Vec::new()); n];
        for row in &rows {
            parts[rng.gen_range(0..n)].0.push(row);
        }
        let mut shuffled = roster.clone();
        shuffled.shuffle(&mut rng);
        for row in &shuffled {
            parts[rng.gen_range(0..n)].1.push(row);
        }
        let whole = with_roster(&rows, &roster);
        let mut parts: Vec<Vec<u8>> =
            parts.into_iter().map(|(rows, roster)| with_roster(rows, roster)).collect();
        prop_assert_eq!(&merge(&parts), &whole);
        while parts.len() > 1 {
            parts.shuffle(&mut rng);
            let tail = parts.split_off(parts.len() - 2);
            parts.push(merge(&tail));
        }
        prop_assert_eq!(&parts[0], &whole);
        let empty = gradebook([]);
        prop_assert_eq!(&merge([&empty, &whole, &empty]), &whole);
    }

    #[test]
    fn given_twice_it_is_given_once(roster in roster(30), rows in responses()) {
        // Rows that are no use are counted as often as they come.
        let usable: Vec<OwnEnrolment> =
            roster.into_iter().filter(|row| expected(std::slice::from_ref(row)).1 == 0).collect();
        let alone = with_roster([], &usable);
        let whole = with_roster(&rows, &usable);
        prop_assert_eq!(&with_roster(&rows, usable.iter().chain(&usable)), &whole);
        prop_assert_eq!(&merge([&alone, &alone]), &alone);
        prop_assert_eq!(&merge([&whole, &alone]), &whole);
        let halves = rows.split_at(rows.len() / 2);
        let months = [with_roster(halves.0, &usable), with_roster(halves.1, &usable)];
        prop_assert_eq!(&merge(&months), &whole);
    }

    #[test]
    fn it_changes_no_figure_but_work(roster in roster(30), rows in responses()) {
        let options = Options::default();
        let (without, with) = (gradebook(&rows), with_roster(&rows, &roster));
        let contents = |bytes: &[u8]| {
            let mut solved = Solved::of(bytes, &options);
            solved.assert_sound(&options);
            solved.students.retain(|row| row.n > 0);
            for row in &mut solved.students {
                row.work = Default::default();
            }
            solved.explanations.clear();
            solved.text_by_id(bytes)
        };
        prop_assert_eq!(contents(&without), contents(&with));
    }
}
