//! Due and missing work, with and without a roster: each case that a school knows, and a slow
//! calculation that any table must agree with.

mod groups;
mod rules;
mod slow;

use pg_assess_test_support::solve::{self, Ask, Asked};
use std::collections::BTreeMap;

use pg_assess_core::students::due::Missing;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{OwnEnrolment, OwnRow, enrolment, go, row, with_roster};

/// Per student with due work: how much, and what of it is missing: assessment, day, group.
type DueWork = BTreeMap<i64, (u32, Vec<(i64, i64, Option<i64>)>)>;

fn number(text: impl ToString) -> i64 {
    text.to_string().parse().expect("an integer id")
}

/// What `students` and `missing_work` say, which must agree.
fn due_work(rows: &[OwnRow], roster: &[OwnEnrolment], options: &impl Ask) -> DueWork {
    work_of(&with_roster(rows, roster), options)
}

/// The same of a gradebook.
fn work_of(bytes: &[u8], options: &impl Ask) -> DueWork {
    let book = pg_assess_test_support::check(bytes).expect("a gradebook");
    let mut work = DueWork::new();
    let students = solve::students(&book, options, &go).expect("students");
    let missing = solve::missing_work_in_groups(&book, options, &go).expect("missing work");
    let groups = missing.groups;
    let missing: Vec<Missing> = missing.list.collect();
    for student in &students {
        let own = missing
            .iter()
            .filter(|work| work.student == student.student);
        let own: Vec<_> = own
            .map(|work| {
                (
                    number(book.assessments().get(work.assessment)),
                    work.due_at.div_euclid(DAY),
                    work.group.map(|at| number(groups.get(at))),
                )
            })
            .collect();
        assert_eq!(own.len() as u32, student.work.missing);
        if student.work.due > 0 {
            let id = number(book.students().get(student.student));
            work.insert(id, (student.work.due, own));
        }
    }
    let listed: usize = work.values().map(|(_, missing)| missing.len()).sum();
    assert_eq!(listed, missing.len(), "nobody unknown misses work");
    let key = |work: &Missing| (work.student, work.due_at, work.assessment);
    assert!(missing.is_sorted_by(|a, b| key(a) < key(b)), "{missing:?}");
    work
}

/// The default of everything, as of the end of a day.
fn on(day: i64) -> Asked {
    Asked {
        as_of: Some(day * DAY + DAY - 1),
        ..Asked::default()
    }
}

/// Students sit an assessment on a day: two questions.
fn sit(
    students: impl IntoIterator<Item = i64>,
    assessment: i64,
    day: i64,
) -> impl Iterator<Item = OwnRow> {
    students.into_iter().flat_map(move |student| {
        [0, 1].map(|item| row(student, 10 * assessment + item, assessment, 1.0, day as f64))
    })
}

/// Students of one class, from the first day on.
fn class(students: impl IntoIterator<Item = i64>, group: i64) -> Vec<OwnEnrolment> {
    let enrolled = |student| enrolment(student, Some(group), 0, None);
    students.into_iter().map(enrolled).collect()
}
