//! Without a roster, where the rows are known to be of groups.

use pg_assess_core::gradebook::{Builder, Gradebook, Id, Standing};
use pg_assess_core::options::Options;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::Asked;
use pg_assess_test_support::{OwnRow, by_group, check, go, gradebook, merge, row, with_roster};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::slow::{sittings_without_marks, slow_in_groups};
use super::{class, due_work, on, sit, work_of};

type InGroup = (OwnRow, Option<i64>);

/// Rows of a group.
fn of(group: i64, rows: impl IntoIterator<Item = OwnRow>) -> impl Iterator<Item = InGroup> {
    rows.into_iter().map(move |row| (row, Some(group)))
}

/// Ten weekly tests of a class, numbered from 100 times its own number on; the first student
/// takes those up to one alone.
fn class_of(group: i64, students: std::ops::Range<i64>, first_until: i64) -> Vec<InGroup> {
    let first = students.start;
    let weeks = (1..=10).flat_map(|week| {
        let present = students.clone();
        let present = present.filter(move |&s| s != first || week <= first_until);
        sit(present, 100 * group + week, 7 * week)
    });
    of(group, weeks).collect()
}

#[test]
fn each_class_owes_its_own_tests() {
    // Three of one size, in each of which one stops after the third of ten.
    let mut rows = class_of(1, 100..114, 3);
    rows.extend(class_of(2, 200..214, 3));
    rows.extend(class_of(3, 300..314, 3));
    for (student, (due, missing)) in work_of(&by_group(&rows), &on(90)) {
        let group = student / 100;
        let stopped = (4..=10).map(|week| (100 * group + week, 7 * week, Some(group)));
        assert_eq!(due, 10);
        assert_eq!(
            missing,
            stopped
                .take(7 * usize::from(student % 100 == 0))
                .collect::<Vec<_>>()
        );
    }
    // One of another size, of whom nobody misses anything.
    let mut rows = class_of(1, 100..130, 10);
    rows.extend(class_of(2, 200..212, 10));
    let work = work_of(&by_group(&rows), &on(90));
    assert_eq!(work.len(), 42);
    assert!(work.values().all(|own| *own == (10, vec![])), "{work:?}");
    // Where the groups are not known, the larger expects its tests of the smaller.
    let rows: Vec<OwnRow> = rows.into_iter().map(|row| row.0).collect();
    assert_eq!(work_of(&gradebook(&rows), &on(90))[&205].1.len(), 10);
}

#[test]
fn most_of_a_class_may_stop() {
    // Eight of ten; what the others go on with is due, as it is without groups.
    let mut rows: Vec<OwnRow> = (1..=4)
        .flat_map(|week| sit(1..=10, week, 7 * week))
        .collect();
    rows.extend((5..=9).flat_map(|week| sit(1..=2, week, 7 * week)));
    let grouped: Vec<InGroup> = of(5, rows.clone()).collect();
    let work = work_of(&by_group(&grouped), &on(90));
    let plain = due_work(&rows, &[], &on(90));
    for (student, (due, missing)) in plain {
        let missing = missing
            .into_iter()
            .map(|(a, day, _)| (a, day, Some(5)))
            .collect();
        assert_eq!(work[&student], (due, missing), "{student}");
    }
    assert_eq!(work[&1].0, 8);
}

#[test]
fn who_moved_owes_each_class_what_it_was_given_while_they_were_there() {
    let mut rows = class_of(1, 101..110, 10);
    rows.extend(class_of(2, 201..210, 10));
    // Up to week 3 in class 1, where the second test is missed; from week 6 on in class 2, where
    // the ninth is.
    for week in [1, 3] {
        rows.extend(of(1, sit([50], 100 + week, 7 * week)));
    }
    for week in [6, 7, 8, 10] {
        rows.extend(of(2, sit([50], 200 + week, 7 * week)));
    }
    let missing = [(102, 14, 1), (104, 28, 1), (105, 35, 1), (209, 63, 2)];
    let missing = missing.map(|(a, day, group)| (a, day, Some(group)));
    assert_eq!(
        work_of(&by_group(&rows), &on(90))[&50],
        (10, missing.to_vec())
    );
    // Nothing changes for those who were there all the time.
    assert_eq!(work_of(&by_group(&rows), &on(90))[&101], (10, vec![]));
    // As of a day before the move nothing is known of it.
    let before = [(102, 14, Some(1)), (104, 28, Some(1))];
    assert_eq!(
        work_of(&by_group(&rows), &on(30))[&50],
        (4, before.to_vec())
    );
}

#[test]
fn who_has_rows_of_several_groups_belongs_to_all_of_them() {
    let mut rows = class_of(1, 101..110, 10);
    rows.extend(class_of(2, 201..210, 10));
    for week in 1..=9 {
        let group = 1 + week % 2;
        rows.extend(of(group, sit([50], 100 * group + week, 7 * week)));
    }
    let (due, missing) = work_of(&by_group(&rows), &on(90))[&50].clone();
    // Of class 1 from week 2 on, of class 2 from week 1 on.
    let others = (1..=10).flat_map(|week| [(1, week), (2, week)]);
    let others = others
        .filter(|&(group, week)| (group, week) != (1, 1) && (week == 10 || 1 + week % 2 != group));
    let mut expected: Vec<_> = others
        .map(|(group, week)| (100 * group + week, 7 * week, Some(group)))
        .collect();
    expected.sort_by_key(|&(assessment, day, _)| (day, assessment));
    assert_eq!((due, missing), (19, expected));
}

#[test]
fn rows_that_say_it_was_not_taken_show_where_a_student_is() {
    let mut rows = class_of(1, 101..110, 10);
    rows.extend(class_of(2, 201..210, 10));
    let absent = [0, 1].map(|item| OwnRow {
        score: None,
        standing: Standing::NotTaken,
        ..row(50, 2000 + item, 208, 0.0, 56.0)
    });
    rows.extend(of(2, absent));
    let missing = [(208, 56), (209, 63), (210, 70)].map(|(a, day)| (a, day, Some(2)));
    assert_eq!(
        work_of(&by_group(&rows), &on(90))[&50],
        (3, missing.to_vec())
    );
}

#[test]
fn a_roster_overrides_what_rows_show() {
    let mut rows = class_of(1, 101..110, 10);
    rows.extend(class_of(2, 201..210, 3));
    let roster = with_roster(&[], &class([101, 102], 9));
    let plain: Vec<OwnRow> = rows.iter().map(|row| row.0.clone()).collect();
    let with = work_of(&merge([&by_group(&rows), &roster]), &on(90));
    assert_eq!(with, due_work(&plain, &class([101, 102], 9), &on(90)));
    // One that is yet to begin does not.
    let later = with_roster(
        &[],
        &[pg_assess_test_support::enrolment(101, Some(9), 200, None)],
    );
    let without = work_of(&by_group(&rows), &on(90));
    assert_eq!(
        work_of(&merge([&by_group(&rows), &later]), &on(90)),
        without
    );
}

/// Groups for rows, mostly by their student and their time.
fn groups() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let own = prop::collection::vec(any::<u8>(), 16);
    (own, prop::collection::vec(any::<u8>(), 1..40))
}

fn grouped(rows: Vec<OwnRow>, (own, strays): &(Vec<u8>, Vec<u8>)) -> Vec<InGroup> {
    let rows = rows.into_iter().enumerate();
    rows.map(|(at, row)| {
        let student = super::number(match &row.student {
            Some(id) => id.id(),
            None => Id::Integer(0),
        });
        let day = row.taken_at.expect("a time").div_euclid(DAY);
        let (fate, stray) = (own[student as usize % 16], strays[at % strays.len()]);
        let group = match (fate % 4, stray % 16) {
            (_, 0) => i64::from(stray / 16 % 3),
            // Moves on some day.
            (0, _) => i64::from(day > i64::from(fate / 4)),
            (1, _) => i64::from(stray % 2),
            _ => i64::from(fate / 4 % 3),
        };
        (row, Some(group).filter(|group| *group < 2))
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: RngSeed::Fixed(23),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn work_in_groups_is_that_of_the_slow_calculation(
        rows in sittings_without_marks(), groups in groups(), day in prop::option::of(0..80i64),
        share in prop_oneof![3 => Just(0.5), 1 => 0.05..=1.0f64],
    ) {
        let as_of = day.map(|day| day * DAY + DAY - 1);
        let options = Options { due_share: share, ..Options::default() };
        let options = Asked { as_of, ..Asked::from(options) };
        let rows = grouped(rows, &groups);
        let (plain, of): (Vec<OwnRow>, Vec<Option<i64>>) = rows.iter().cloned().unzip();
        let slow = slow_in_groups(&plain, &of, &[], share, as_of);
        prop_assert_eq!(work_of(&by_group(&rows), &options), slow);
    }

    #[test]
    fn parts_of_groups_merge_in_any_way(
        rows in sittings_without_marks(), groups in groups(), cut in 0..60i64,
    ) {
        let rows = grouped(rows, &groups);
        let whole = by_group(&rows);
        let is_early = |row: &InGroup| row.0.taken_at < Some(cut * DAY);
        let (early, late): (Vec<InGroup>, Vec<InGroup>) = rows.iter().cloned().partition(is_early);
        let (early, late) = (by_group(&early), by_group(&late));
        prop_assert_eq!(&merge([&early, &late]), &whole);
        prop_assert_eq!(&merge([&late, &early]), &whole);
        let book = check(&whole).expect("a gradebook");
        prop_assert_eq!(book.memberships().periods().is_empty(), rows.is_empty());
        // Without the groups the rest is as it was.
        let plain: Vec<OwnRow> = rows.into_iter().map(|row| row.0).collect();
        prop_assert_eq!(book.responses(), plain.len() as u64);
    }
}

/// 20,000 students in 800 classes with tests of their own, half of whom move.
#[test]
fn many_groups_cost_little() {
    let mut rows: Vec<InGroup> = Vec::new();
    for student in 0..20_000 {
        for week in (0..20).filter(|week| (student + week) % 7 > 0) {
            let group = (student + i64::from(student % 2 == 0 && week > 9)) % 800;
            let assessment = 20 * group + week;
            rows.push((
                row(student, assessment, assessment, 1.0, (7 * week) as f64),
                Some(group),
            ));
        }
    }
    let bytes = by_group(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    assert_eq!(book.memberships().periods().len(), 30_000);
    let start = cpu_time::ThreadTime::now();
    let missing = pg_assess_test_support::solve::missing_work(&book, &on(200), &go);
    let missing = missing.expect("missing work").count();
    let elapsed = start.elapsed();
    assert!(missing > 20_000 && missing < 80_000, "{missing}");
    // Without optimization; a calculation that looks at all pairs takes hours.
    assert!(elapsed.as_secs() < 30, "{elapsed:?}");
    println!("{missing} missing in {elapsed:?}");
    let mut builder = Builder::new();
    builder.merge(&book, &go).expect("a gradebook");
    assert!(builder.encode(&go).expect("small") == bytes, "canonical");
}
