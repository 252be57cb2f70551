//! Laws: the order of rows, splits, and that a total changes nothing.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::{Counting, Options};
use pg_assess_test_support::{
    OwnId, OwnRow, close, close_option, go, gradebook, merge, row, shuffled, solve,
};

use super::{Sheet, names, solved, sum, totals};

fn sheet(seed: u64) -> Sheet {
    Sheet::new(seed, 35, &[1.0, 1.0, 2.0, 2.0, 3.0, 5.0]).with_gaps(seed, 0.05)
}

fn with_totals(seed: u64) -> Vec<OwnRow> {
    let sheet = sheet(seed).with("zz total", 14.0, |_, points| Some(sum(points)));
    let sheet = sheet.with("zz %", 100.0, |_, points| {
        Some((100.0 * sum(points) / 14.0).round())
    });
    sheet.rows()
}

#[test]
fn order_and_parts_of_the_rows_do_not_matter() {
    for seed in 0..10 {
        let rows = with_totals(seed);
        assert_eq!(totals(&rows), names(&["zz %", "zz total"]));
        let whole = gradebook(&rows);
        assert_eq!(gradebook(&shuffled(&rows, seed)), whole);
        let mixed = shuffled(&rows, seed + 1);
        let (left, right) = mixed.split_at(rows.len() / 3);
        assert_eq!(merge(&[gradebook(left), gradebook(right)]), whole);
    }
}

#[test]
fn names_of_students_and_questions_do_not_matter() {
    for seed in 0..10 {
        let mut rows = with_totals(seed);
        for row in &mut rows {
            let student = pg_assess_test_support::integer(&row.student);
            row.student = pg_assess_test_support::row(1000 - 7 * student, 0, 0, 0.0, 0.0).student;
        }
        assert_eq!(totals(&rows), names(&["zz %", "zz total"]));
    }
}

/// Where questions weigh alike a total does, too, and is all that is known of a student.
#[test]
fn a_student_with_a_total_alone_has_a_level() {
    let mut rows = with_totals(0);
    let alone = rows
        .iter()
        .find(|own| own.item == Some(OwnId::Text("zz total".to_owned())));
    let alone = OwnRow {
        student: row(999, 0, 0, 0.0, 0.0).student,
        ..alone.expect("a total").clone()
    };
    rows.push(alone);
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for counting in Counting::ALL {
        let options = Options {
            counting,
            quality: false,
            ..Options::default()
        };
        let students = solve::students(&book, &options, &go).expect("students");
        assert_eq!(students.len(), 36);
        for own in &students {
            let level = own.level.expect("a level");
            assert!(
                level.level.is_finite() && level.last_at.is_some(),
                "{own:?}"
            );
            assert!(level.se.is_some_and(f64::is_finite), "{own:?}");
        }
    }
}

#[test]
fn a_total_changes_no_other_figure() {
    for seed in 0..10 {
        for adjust in [true, false] {
            let options = Options {
                adjust_difficulty: adjust,
                ..Options::default()
            };
            let (plain, beside) = (
                gradebook(&sheet(seed).rows()),
                gradebook(&with_totals(seed)),
            );
            let [plain, beside] = [&plain, &beside].map(|b| Gradebook::open(b).expect("one"));
            let items = |book| solve::items(book, &options, &go).expect("items");
            // The ids of totals come last.
            for (own, other) in items(&plain).iter().zip(items(&beside)) {
                close_option(own.quality.r_rest, other.quality.r_rest, 1e-12, "r_rest");
                close(own.quality.weight, other.quality.weight, 1e-12, "weight");
                assert_eq!(own.quality.status, other.quality.status);
                close_option(own.facility, other.facility, 1e-12, "facility");
            }
            let students = |book| solve::students(book, &options, &go).expect("students");
            for (own, other) in students(&plain).iter().zip(students(&beside)) {
                let (own, other) = (own.level.expect("one"), other.level.expect("one"));
                close(own.level, other.level, 1e-12, "level");
                close_option(own.se, other.se, 1e-12, "error");
            }
        }
    }
    for seed in 0..10 {
        let options = Options::default();
        let (plain, beside) = (
            gradebook(&sheet(seed).rows()),
            gradebook(&with_totals(seed)),
        );
        let [plain, beside] = [&plain, &beside].map(|b| Gradebook::open(b).expect("one"));
        let of = |book| solve::assessments(book, &options, &go).expect("assessments");
        assert!(of(&plain)[0].1.omitted > 0);
        assert_eq!(of(&plain), of(&beside));
    }
    let (_, items) = solved(&with_totals(0));
    assert!(
        items
            .iter()
            .rev()
            .take(2)
            .all(|item| item.quality.r_rest > Some(0.97))
    );
}

#[test]
fn who_has_only_a_total_changes_no_figure_of_an_assessment() {
    for seed in 0..10 {
        let only_total = |at, own: &OwnRow| OwnRow {
            student: row(at, 0, 0, 0.0, 0.0).student,
            ..own.clone()
        };
        let rows = with_totals(seed);
        let mut more = rows.clone();
        let is_total = |row: &&OwnRow| format!("{:?}", row.item).contains("zz");
        let some = rows.iter().filter(is_total).step_by(7).take(5);
        more.extend((1000..).zip(some).map(|(at, own)| only_total(at, own)));
        let figures = |rows: &[OwnRow]| {
            let bytes = gradebook(rows);
            let book = Gradebook::open(&bytes).expect("a gradebook");
            solve::assessments(&book, &Options::default(), &go).expect("assessments")
        };
        let questions = sheet(seed).rows();
        assert_eq!(figures(&more), figures(&questions), "{seed}");
        let alone: Vec<OwnRow> = more.iter().filter(is_total).cloned().collect();
        assert_eq!(figures(&alone)[0].1.items, 2);
    }
}
