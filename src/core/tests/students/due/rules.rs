//! Who owes what, rule by rule.

use pg_assess_core::gradebook::Standing;
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::Options;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::Asked;
use pg_assess_test_support::{OwnEnrolment, OwnId, OwnRow, enrolment, row};

use super::{DueWork, class, due_work, on, sit};

/// Weekly assessments 1 to n, on days 7, 14, ..., of which the student given misses all from one
/// number on.
fn weeks(n: i64, leaver: i64, until: i64) -> Vec<OwnRow> {
    let present = |week| (1..=10).filter(move |&s| s != leaver || week <= until);
    (1..=n)
        .flat_map(|week| sit(present(week), week, 7 * week))
        .collect()
}

#[test]
fn nothing_is_due_where_there_is_nothing() {
    assert_eq!(due_work(&[], &[], &Options::default()), DueWork::new());
    assert_eq!(
        due_work(&[], &class(1..=3, 1), &Options::default()),
        DueWork::new()
    );
    let absent = OwnRow {
        score: None,
        ..row(1, 1, 1, 0.0, 5.0)
    };
    assert_eq!(
        due_work(&[absent], &class(1..=3, 1), &Options::default()),
        DueWork::new()
    );
}

#[test]
fn nothing_is_due_before_a_late_joiner_joined() {
    let mut rows = weeks(6, 11, 0);
    rows.extend(sit([11], 4, 28));
    let without = due_work(&rows, &[], &on(60));
    assert_eq!(without[&11], (3, vec![(5, 35, None), (6, 42, None)]));
    assert_eq!(without[&1], (6, vec![]));
    // The roster says that the student was there a week before the first response.
    let mut roster = class(1..=10, 1);
    roster.push(enrolment(11, Some(1), 21, None));
    let with = due_work(&rows, &roster, &on(60));
    let missing = [(3, 21), (5, 35), (6, 42)].map(|(a, day)| (a, day, Some(1)));
    assert_eq!(with[&11], (4, missing.to_vec()));
}

#[test]
fn nothing_is_due_after_a_leaver_left_and_only_the_roster_can_show() {
    let rows = weeks(6, 10, 2);
    let missing = [(3, 21), (4, 28), (5, 35), (6, 42)];
    // Whether a student has left or given up, responses do not say.
    let without = missing.map(|(a, day)| (a, day, None));
    assert_eq!(due_work(&rows, &[], &on(60))[&10], (6, without.to_vec()));
    let mut roster = class(1..=9, 1);
    roster.push(enrolment(10, Some(1), 0, 30));
    let with = [(3, 21), (4, 28)].map(|(a, day)| (a, day, Some(1)));
    let work = due_work(&rows, &roster, &on(60));
    assert_eq!(work[&10], (4, with.to_vec()));
    assert_eq!(work[&9], (6, vec![]));
}

#[test]
fn the_first_and_the_last_day_on_the_roster_count() {
    let rows = weeks(3, 10, 0);
    let due = |from, to| {
        let mut roster = class(1..=9, 1);
        roster.push(enrolment(10, Some(1), from, to));
        due_work(&rows, &roster, &on(60))
            .get(&10)
            .map_or(0, |work| work.0)
    };
    assert_eq!(due(14, 14), 1, "there on the very date");
    assert_eq!(due(15, 20), 0);
    assert_eq!(due(7, 21), 3);
    assert_eq!(due(8, 20), 1);
}

#[test]
fn a_student_who_moves_owes_each_class_its_own_work() {
    // Class 1 sits assessments 1 to 4, class 2 assessments 11 to 14, in the same weeks.
    let mut rows = Vec::new();
    for week in 1..=4 {
        rows.extend(sit(1..=9, week, 7 * week));
        rows.extend(sit(21..=29, 10 + week, 7 * week));
    }
    let mut roster = class(1..=9, 1);
    roster.extend(class(21..=29, 2));
    roster.extend([
        enrolment(50, Some(1), 0, 17),
        enrolment(50, Some(2), 18, None),
    ]);
    let missing = [(1, 7, 1), (2, 14, 1), (13, 21, 2), (14, 28, 2)];
    let missing = missing
        .map(|(a, day, group)| (a, day, Some(group)))
        .to_vec();
    assert_eq!(due_work(&rows, &roster, &on(60))[&50], (4, missing));
}

#[test]
fn classes_with_different_assessments_owe_their_own() {
    let classes = [1..=10, 11..=20, 21..=30];
    let (mut rows, mut roster) = (Vec::new(), Vec::new());
    for (number, students) in (0..).zip(classes) {
        for week in 1..=4 {
            let present = students.clone().filter(|student| student % 10 != week);
            rows.extend(sit(present, 10 * number + week, 7 * week));
        }
        roster.extend(class(students, number));
    }
    let with = due_work(&rows, &roster, &on(60));
    assert_eq!(with.len(), 30);
    for (student, (due, missing)) in with {
        let (class, week) = ((student - 1) / 10, student % 10);
        let own = [(10 * class + week, 7 * week, Some(class))];
        assert_eq!(due, 4);
        assert_eq!(missing, own[..usize::from((1..=4).contains(&week))]);
    }
    // Without the roster nothing was taken by half of all.
    assert_eq!(due_work(&rows, &[], &on(60)), DueWork::new());
}

#[test]
fn what_a_student_took_in_another_class_counts_there_and_is_not_missing_here() {
    let mut rows: Vec<OwnRow> = sit(1..=5, 1, 7).collect();
    rows.extend(sit(21..=24, 1, 35));
    let mut roster = class(2..=5, 1);
    roster.extend(class(21..=26, 2));
    roster.extend([
        enrolment(1, Some(1), 0, 20),
        enrolment(1, Some(2), 21, None),
    ]);
    // Student 1 took it with class 1 on day 7, and was in class 2 when that took it on day 35.
    let both = due_work(&rows, &roster, &on(60));
    assert_eq!(both[&1], (1, vec![]));
    assert_eq!(both[&25], (1, vec![(1, 35, Some(2))]));
    // Of the seven in class 2 three took it there, and the one who moved counts in class 1.
    let three: Vec<OwnRow> = rows
        .iter()
        .filter(|row| row.student != Some(OwnId::Integer(24)))
        .cloned()
        .collect();
    assert_eq!(due_work(&three, &roster, &on(60)).get(&25), None);
    // Who missed it in class 1 and moved to class 2 misses it once, since class 1 took it.
    roster.extend([
        enrolment(9, Some(1), 0, 20),
        enrolment(9, Some(2), 21, None),
    ]);
    for day in [10, 60] {
        let missing = vec![(1, 7, Some(1))];
        assert_eq!(due_work(&rows, &roster, &on(day))[&9], (1, missing));
    }
}

#[test]
fn a_class_that_gets_it_weeks_later_is_not_behind() {
    let mut rows: Vec<OwnRow> = sit(1..=9, 1, 7).collect();
    rows.extend(sit(21..=23, 2, 7));
    let mut roster = class(1..=10, 1);
    roster.extend(class(21..=30, 2));
    let before = due_work(&rows, &roster, &on(30));
    assert_eq!(before[&10].1, [(1, 7, Some(1))]);
    assert!(!before.contains_key(&30));
    rows.extend(sit(21..=29, 1, 35));
    let after = due_work(&rows, &roster, &on(40));
    assert_eq!(after[&10].1, [(1, 7, Some(1))]);
    assert_eq!(after[&30].1, [(1, 35, Some(2))]);
    assert_eq!(after[&21], (1, vec![]));
}

#[test]
fn a_make_up_sitting_is_no_longer_missing_and_moves_no_date() {
    let mut rows = weeks(4, 10, 1);
    rows.extend(sit([10], 2, 40));
    for roster in [vec![], class(1..=10, 1)] {
        let missing = |day| due_work(&rows, &roster, &on(day))[&10].1.clone();
        let group = roster.first().map(|_| 1);
        assert_eq!(missing(39)[0], (2, 14, group), "before it was made up");
        assert_eq!(missing(40), [(3, 21, group), (4, 28, group)]);
    }
    // Who answers a question left blank at first has taken it at first.
    rows.push(row(9, 99, 1, 1.0, 55.0));
    assert_eq!(due_work(&rows, &class(1..=10, 1), &on(60))[&9], (4, vec![]));
}

#[test]
fn attempts_again_change_nothing_whichever_counts() {
    let options = Attempts::ALL.map(|attempts| Asked { attempts, ..on(60) });
    let mut rows = weeks(3, 10, 1);
    let roster = class(1..=10, 1);
    let (with, without) = (
        due_work(&rows, &roster, &on(60)),
        due_work(&rows, &[], &on(60)),
    );
    // All sit the first assessment again, some with a better score.
    let again = sit(1..=10, 1, 30).map(|row| OwnRow {
        score: row.score.map(|score| score / 2.0),
        ..row
    });
    rows.extend(again);
    rows.extend(sit(1..=4, 1, 40));
    for row in rows.iter_mut().step_by(3) {
        row.score = Some(0.25);
    }
    for options in options {
        let attempts = options.attempts;
        assert_eq!(due_work(&rows, &roster, &options), with, "{attempts:?}");
        // Above all, nobody joins later, and is forgiven what was due before.
        assert_eq!(due_work(&rows, &[], &options), without, "{attempts:?}");
    }
}

#[test]
fn an_assessment_without_a_majority_is_due_for_nobody() {
    let mut rows = weeks(4, 11, 0);
    rows.extend(sit(1..=4, 9, 17));
    for roster in [vec![], class(1..=10, 1)] {
        let work = due_work(&rows, &roster, &on(60));
        assert!(work.values().all(|work| *work == (4, vec![])), "{work:?}");
        // Half of them is enough, and the share is an argument.
        let share = |due_share| on(60).with(|own| own.due_share = due_share);
        let missing = |options: &Asked| {
            let work = due_work(&rows, &roster, options);
            work.values().filter(|work| !work.1.is_empty()).count()
        };
        assert_eq!(missing(&share(0.4)), 6);
        assert_eq!(missing(&share(0.41)), 0);
        rows.extend(sit([5], 9, 17));
        let half = due_work(&rows, &roster, &on(60));
        assert_eq!(half.values().filter(|work| work.0 == 5).count(), 10);
        rows.truncate(rows.len() - 2);
    }
}

#[test]
fn an_assessment_that_has_just_begun_waits_for_its_majority() {
    let mut rows = weeks(4, 11, 0);
    for early in [1..=1, 2..=3, 4..=4] {
        rows.extend(sit(early, 9, 35));
        for roster in [vec![], class(1..=10, 1)] {
            for options in [on(35), on(60), Asked::default()] {
                let work = due_work(&rows, &roster, &options);
                assert!(work.values().all(|work| *work == (4, vec![])), "{work:?}");
            }
        }
    }
    rows.extend(sit([5], 9, 35));
    for roster in [vec![], class(1..=10, 1)] {
        let work = due_work(&rows, &roster, &Options::default());
        assert_eq!(work[&6].1.len(), 1);
        assert_eq!(work[&5], (5, vec![]));
    }
}

#[test]
fn who_has_been_silent_for_unusually_long_is_not_waited_for() {
    // Ten of twenty stop after four weeks; what the others go on with is due.
    let mut rows: Vec<OwnRow> = (1..=4)
        .flat_map(|week| sit(1..=20, week, 7 * week))
        .collect();
    rows.extend((5..=8).flat_map(|week| sit(1..=9, week, 7 * week)));
    let work = due_work(&rows, &[], &on(60));
    // In week five nine of twenty were no majority yet; from week six on they are.
    assert_eq!(work[&1], (7, vec![]));
    assert_eq!(work[&20].1, [(6, 42, None), (7, 49, None), (8, 56, None)]);
}

#[test]
fn an_excluded_assessment_is_never_due() {
    let mut rows = weeks(4, 10, 1);
    for roster in [vec![], class(1..=10, 1)] {
        let options = Asked {
            exclude: vec![1, 2],
            ..on(60)
        };
        let group = roster.first().map(|_| 1);
        assert_eq!(
            due_work(&rows, &roster, &options)[&10],
            (2, vec![(4, 28, group)])
        );
        // A student of excluded assessments alone is known, and nothing is due without a roster.
        rows.extend(sit([12], 2, 14));
        let work = due_work(&rows, &roster, &options);
        assert_eq!(work.get(&12), None);
        rows.truncate(rows.len() - 2);
    }
}

#[test]
fn a_student_without_any_response_misses_everything() {
    let rows = weeks(4, 11, 0);
    let missing = |group| [(1, 7), (2, 14), (3, 21), (4, 28)].map(|(a, day)| (a, day, group));
    let mut roster = class(1..=11, 1);
    assert_eq!(
        due_work(&rows, &roster, &on(60))[&11],
        (4, missing(Some(1)).to_vec())
    );
    // Also where the roster knows no groups.
    for row in &mut roster {
        row.group = None;
    }
    assert_eq!(
        due_work(&rows, &roster, &on(60))[&11],
        (4, missing(None).to_vec())
    );
    // Those not on the roster owe nothing.
    let work = due_work(&rows, &roster[5..], &on(60));
    assert_eq!(
        work.keys().copied().collect::<Vec<_>>(),
        [6, 7, 8, 9, 10, 11]
    );
}

#[test]
fn a_roster_of_nobody_who_ever_answered_makes_nothing_due() {
    let rows = weeks(4, 10, 1);
    assert_eq!(
        due_work(&rows, &class(100..=120, 1), &on(60)),
        DueWork::new()
    );
    // Before its first day, a roster is not known.
    let later: Vec<OwnEnrolment> = (1..=10).map(|s| enrolment(s, Some(1), 100, None)).collect();
    assert_eq!(
        due_work(&rows, &later, &on(60)),
        due_work(&rows, &[], &on(60))
    );
    assert_eq!(due_work(&rows, &later, &on(100)), DueWork::new());
}

#[test]
fn overlapping_periods_count_a_student_once() {
    let rows = weeks(4, 10, 1);
    let plain = class(1..=10, 1);
    let mut roster = plain.clone();
    for student in 6..=10 {
        roster.push(enrolment(student, Some(1), 3, 30));
        roster.push(enrolment(student, Some(1), None, 20));
        roster.push(enrolment(student, Some(1), 20, 21));
    }
    assert_eq!(
        due_work(&rows, &roster, &on(60)),
        due_work(&rows, &plain, &on(60))
    );
    // In two groups at once: due if due in either, once.
    let mut rows = rows;
    rows.extend(sit(21..=26, 4, 30));
    rows.extend(sit(21..=26, 5, 50));
    let mut roster = plain;
    roster.extend(class(21..=26, 2));
    roster.push(enrolment(10, Some(2), 0, None));
    let missing = [(2, 14, 1), (3, 21, 1), (4, 28, 1), (5, 50, 2)];
    let missing = missing
        .map(|(a, day, group)| (a, day, Some(group)))
        .to_vec();
    assert_eq!(due_work(&rows, &roster, &on(60))[&10], (5, missing));
}

#[test]
fn periods_that_meet_in_a_moment_count_a_student_once() {
    // Half of the class takes it at the very moment in which the others begin anew.
    let rows: Vec<OwnRow> = sit(1..=5, 1, 7).collect();
    let mut roster = class(1..=5, 1);
    for student in 6..=10 {
        let first = enrolment(student, Some(1), 0, 6);
        roster.push(OwnEnrolment {
            to: Some(7 * DAY),
            ..first
        });
        roster.push(enrolment(student, Some(1), 7, None));
    }
    assert_eq!(due_work(&rows, &roster, &on(60)).len(), 10);
}

#[test]
fn who_was_away_and_came_back_has_taken_it() {
    // Two took it before they left; when the class took it they were back.
    let mut rows: Vec<OwnRow> = sit(1..=2, 1, 10).collect();
    rows.extend(sit(3..=5, 1, 35));
    let mut roster = class(3..=10, 1);
    for student in 1..=2 {
        roster.push(enrolment(student, Some(1), 0, 12));
        roster.push(enrolment(student, Some(1), 30, None));
    }
    let back = due_work(&rows, &roster, &on(60));
    assert_eq!(back.len(), 10);
    assert_eq!(back[&1], (1, vec![]));
    assert_eq!(back[&10], (1, vec![(1, 35, Some(1))]));
    // Had they not come back, it would have been taken by three of eight.
    roster.retain(|row| row.from != Some(30 * DAY));
    assert_eq!(due_work(&rows, &roster, &on(60)), DueWork::new());
}

#[test]
fn reversed_periods_change_nothing() {
    let rows = weeks(4, 10, 1);
    let mut roster = class(1..=9, 1);
    let plain = due_work(&rows, &roster, &on(60));
    roster.push(enrolment(10, Some(1), 40, 5));
    roster.push(enrolment(1, Some(2), 40, 5));
    assert_eq!(due_work(&rows, &roster, &on(60)), plain);
}

/// A row without a score, which says why in the way given.
fn unmarked(student: i64, assessment: i64, day: i64, standing: Standing) -> [OwnRow; 2] {
    [0, 1].map(|item| OwnRow {
        score: None,
        standing,
        ..row(student, 10 * assessment + item, assessment, 0.0, day as f64)
    })
}

#[test]
fn what_waits_for_its_mark_or_was_left_blank_was_taken() {
    // Ten of thirty have sat the fourth test of four and wait for their marks; student 30 did not.
    let rows = |standing| {
        let mut rows: Vec<OwnRow> = (1..=3)
            .flat_map(|week| sit(1..=30, week, 7 * week))
            .collect();
        rows.extend(sit(11..=29, 4, 28));
        rows.extend((1..=10).flat_map(|student| unmarked(student, 4, 28, standing)));
        rows
    };
    for roster in [vec![], class(1..=30, 1)] {
        let group = roster.first().map(|_| 1);
        for standing in [Standing::Counts, Standing::Waiting] {
            let work = due_work(&rows(standing), &roster, &on(60));
            for (student, own) in &work {
                let missing = [(4, 28, group)];
                let missing = &missing[..usize::from(*student == 30)];
                assert_eq!(*own, (4, missing.to_vec()), "{student}");
            }
            assert_eq!(work.len(), 30);
        }
        let work = due_work(&rows(Standing::NotTaken), &roster, &on(60));
        assert_eq!(work[&1], (4, vec![(4, 28, group)]), "a row that says so");
        let work = due_work(&rows(Standing::Exempt), &roster, &on(60));
        assert_eq!(work[&1], (3, vec![]), "need not be taken");
        assert_eq!(work[&30], (4, vec![(4, 28, group)]));
    }
}

#[test]
fn an_assessment_of_which_all_marks_are_to_come_is_due() {
    let mut rows = weeks(3, 11, 0);
    rows.extend((1..=6).flat_map(|student| unmarked(student, 4, 28, Standing::Waiting)));
    // It dates from before the others.
    rows.extend(unmarked(7, 4, 20, Standing::NotTaken));
    for roster in [vec![], class(1..=10, 1)] {
        let group = roster.first().map(|_| 1);
        let work = due_work(&rows, &roster, &on(60));
        assert_eq!(work[&6], (4, vec![]));
        assert_eq!(work[&7], (4, vec![(4, 28, group)]));
        assert_eq!(work[&10], (4, vec![(4, 28, group)]));
        // Four who took it were no majority.
        let few = &rows[..rows.len() - 6];
        let work = due_work(few, &roster, &on(60));
        assert!(work.values().all(|own| *own == (3, vec![])), "{work:?}");
    }
}

#[test]
fn who_is_exempt_is_not_asked_whether_it_is_expected() {
    // Three of ten took it, four need not.
    let mut rows = weeks(3, 11, 0);
    rows.extend(sit(1..=3, 4, 28));
    for roster in [vec![], class(1..=10, 1)] {
        assert_eq!(due_work(&rows, &roster, &on(60))[&10].0, 3);
        let mut rows = rows.clone();
        rows.extend((4..=7).flat_map(|student| unmarked(student, 4, 28, Standing::Exempt)));
        let group = roster.first().map(|_| 1);
        let work = due_work(&rows, &roster, &on(60));
        assert_eq!(work[&1], (4, vec![]));
        assert_eq!(work[&4], (3, vec![]));
        assert_eq!(work[&10], (4, vec![(4, 28, group)]));
        // Who takes it all the same has taken it.
        rows.extend(sit([4], 4, 30));
        assert_eq!(due_work(&rows, &roster, &on(60))[&4], (4, vec![]));
    }
}

#[test]
fn a_sitting_without_marks_shows_that_a_student_is_there() {
    // Student 10 is known by a sitting that waits, a week before the first score.
    let mut rows = weeks(4, 10, 0);
    rows.extend(unmarked(10, 2, 14, Standing::Waiting));
    rows.extend(sit([10], 4, 28));
    let work = due_work(&rows, &[], &on(60));
    assert_eq!(work[&10], (3, vec![(3, 21, None)]));
    // One that was not taken shows nothing.
    let mut rows = weeks(4, 10, 0);
    rows.extend(unmarked(10, 2, 14, Standing::NotTaken));
    assert_eq!(due_work(&rows, &[], &on(60)).get(&10), None);
}

#[test]
fn a_make_up_sitting_began_when_it_was_taken() {
    // The row of the day itself says that it was not taken; the make-up has no marks yet. Of four
    // times the second is the median.
    let mut rows: Vec<OwnRow> = sit(1..=4, 1, 7).collect();
    rows.extend(sit([1], 2, 14));
    rows.extend(unmarked(4, 2, 10, Standing::NotTaken));
    for (student, day) in [(2, 15), (3, 16), (4, 17)] {
        rows.extend(unmarked(student, 2, day, Standing::Waiting));
    }
    rows.extend(sit([5], 1, 7));
    let work = due_work(&rows, &class(1..=5, 1), &on(60));
    assert_eq!(work[&5], (2, vec![(2, 15, Some(1))]));
}

#[test]
fn what_a_student_took_is_due_whatever_the_minute() {
    // Twenty sit two tests a fortnight apart, each a minute after the one before; two miss the
    // second.
    let minute = DAY / 24 / 60;
    let mut rows: Vec<OwnRow> = Vec::new();
    for student in 1..=20 {
        let tests = if student % 10 == 5 { 1..=1 } else { 1..=2 };
        for test in tests {
            rows.extend(sit([student], test, 14 * test).map(|row| OwnRow {
                taken_at: row.taken_at.map(|at| at + 540 * minute + student * minute),
                ..row
            }));
        }
    }
    let dated: Vec<OwnRow> = rows
        .iter()
        .map(|row| OwnRow {
            taken_at: row.taken_at.map(|at| at - at.rem_euclid(DAY)),
            ..row.clone()
        })
        .collect();
    let work = due_work(&rows, &[], &Options::default());
    assert_eq!(work, due_work(&dated, &[], &Options::default()));
    assert_eq!(work.len(), 20);
    for (student, own) in work {
        let missing = vec![(2, 28, None); usize::from(student % 10 == 5)];
        assert_eq!(own, (2, missing), "{student}");
    }
}

#[test]
fn what_was_made_up_in_a_class_is_due_there_also_for_who_came_later() {
    let mut rows = weeks(4, 11, 0);
    rows.extend(sit([11], 2, 30));
    let mut roster = class(1..=10, 1);
    roster.push(enrolment(11, Some(1), 20, None));
    let missing = [(3, 21), (4, 28)].map(|(a, day)| (a, day, Some(1)));
    assert_eq!(
        due_work(&rows, &roster, &on(60))[&11],
        (3, missing.to_vec())
    );
    // Not in a class that does not expect it.
    roster.push(enrolment(11, Some(2), 0, 19));
    roster.extend(class(21..=29, 2));
    assert_eq!(
        due_work(&rows, &roster, &on(60))[&11],
        (3, missing.to_vec())
    );
    rows.truncate(rows.len() - 2);
    rows.extend(sit([11], 2, 10));
    assert_eq!(
        due_work(&rows, &roster, &on(60))[&11],
        (2, missing.to_vec())
    );
}
