//! What a total adds up is what was entered, whatever is chosen to count of it.

use pg_assess_core::gradebook::{Gradebook, Standing};
use pg_assess_core::ledger::{Attempts, Blanks, OutOfRange, Reading, Scope};
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::solve;
use pg_assess_test_support::solve::Ask;
use pg_assess_test_support::{OwnId, OwnRow, go, gradebook, row};

use super::{Sheet, names, sum, totals};

const MAXIMA: [f64; 8] = [1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 4.0];

fn with_total(seed: u64) -> Sheet {
    Sheet::new(seed, 40, &MAXIMA).with("zz total", 23.0, |_, points| Some(sum(points)))
}

/// The status of an item of a gradebook in a scope.
fn status(rows: &[OwnRow], scope: impl Fn(&Gradebook<'_>) -> Scope, name: &str) -> ItemStatus {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let options = Options::default().checked().expect("options");
    let items = solve::items(&book, &scope(&book), &options, &go).expect("items");
    let item = book.items().find(name).expect("an item");
    let own = items.iter().find(|own| own.item == item);
    own.expect("a row").quality.status
}

fn assert_total(rows: &[OwnRow], attempts: Attempts, seed: u64) {
    let scope = |_: &Gradebook<'_>| Scope {
        attempts,
        ..Scope::default()
    };
    let found = status(rows, scope, "zz total");
    assert_eq!(found, ItemStatus::Total, "{seed}, {attempts:?}");
}

fn is_question(row: &OwnRow, name: &str) -> bool {
    row.item == Some(OwnId::Text(name.to_owned()))
}

#[test]
fn where_a_part_of_it_does_not_count() {
    let without_q3 = |book: &Gradebook<'_>| Scope {
        exclude_items: vec![book.items().find("q3").expect("a question")],
        ..Scope::default()
    };
    let rows = with_total(3).rows();
    assert_eq!(status(&rows, without_q3, "zz total"), ItemStatus::Total);
    assert_eq!(status(&rows, without_q3, "q3"), ItemStatus::Excluded);
}

#[test]
fn of_two_attempts_whichever_answers_count() {
    for seed in 0..5 {
        let mut rows = Vec::new();
        for attempt in 1..=2 {
            let sheet = with_total(2 * seed + attempt as u64);
            rows.extend(sheet.rows().into_iter().map(|own| OwnRow {
                attempt: Some(attempt),
                taken_at: row(0, 0, 0, 0.0, attempt as f64).taken_at,
                ..own
            }));
        }
        for attempts in Attempts::ALL {
            assert_total(&rows, attempts, seed);
        }
    }
}

/// Two sittings by their days, of which the total was entered once, for the last.
#[test]
fn of_the_last_of_two_sittings() {
    for seed in 0..5 {
        let first = Sheet::new(2 * seed, 40, &MAXIMA).rows();
        let last = with_total(2 * seed + 1)
            .rows()
            .into_iter()
            .map(|own| OwnRow {
                taken_at: row(0, 0, 0, 0.0, 3.0).taken_at,
                ..own
            });
        let rows: Vec<OwnRow> = first.into_iter().chain(last).collect();
        // The first attempt as a whole has no total.
        for attempts in Attempts::ALL
            .into_iter()
            .filter(|own| *own != Attempts::FirstAttempt)
        {
            assert_total(&rows, attempts, seed);
        }
    }
}

/// An essay counted as 0 until it was marked, and the total was entered after that.
#[test]
fn after_a_mark_was_corrected() {
    for seed in 0..5 {
        let mut rows = with_total(seed).rows();
        for own in &mut rows {
            own.taken_at = row(0, 0, 0, 0.0, 2.0).taken_at;
        }
        let essays: Vec<OwnRow> = rows
            .iter()
            .filter(|own| is_question(own, "q6"))
            .cloned()
            .collect();
        rows.extend(essays.into_iter().map(|own| OwnRow {
            score: Some(0.0),
            taken_at: row(0, 0, 0, 0.0, 0.0).taken_at,
            ..own
        }));
        assert_eq!(
            status(&rows, |_| Scope::default(), "zz total"),
            ItemStatus::Total
        );
    }
}

/// Each sitting with its total, of which some answers are not there, so that no line of a student's
/// first, last or best answers is one sitting.
#[test]
fn of_each_sitting_by_itself() {
    let mut rows = Vec::new();
    for attempt in 1..=2 {
        let sheet = Sheet::new(attempt as u64, 60, &MAXIMA).with_gaps(attempt as u64, 0.1);
        let sheet = sheet.with("zz total", 23.0, |_, points| Some(sum(points)));
        let own = sheet.rows().into_iter().filter(|own| own.score.is_some());
        rows.extend(own.map(|own| OwnRow {
            attempt: Some(attempt),
            ..own
        }));
    }
    for attempts in Attempts::ALL {
        assert_total(&rows, attempts, 0);
    }
}

/// However many of its parts are left out, and whatever else is.
#[test]
fn where_only_few_questions_count() {
    let rows = with_total(3).with_survey();
    for left_out in 0..=MAXIMA.len() {
        let scope = |book: &Gradebook<'_>| {
            let survey = (0..9).map(|at| format!("survey {at}"));
            let parts = (0..left_out).map(|at| format!("q{at}"));
            let find = |name: String| book.items().find(&name).expect("an item");
            Scope {
                exclude_items: parts.chain(survey).map(find).collect(),
                ..Scope::default()
            }
        };
        let found = status(&rows, scope, "zz total");
        assert_eq!(found, ItemStatus::Total, "{left_out}");
    }
}

#[test]
fn with_a_bonus_beyond_the_maximum() {
    for seed in 0..5 {
        let mut sheet = Sheet::new(seed, 40, &MAXIMA);
        for points in sheet.students.iter_mut().step_by(4) {
            points[5] = Some(6.0);
        }
        let sheet = sheet.with("zz total", 23.0, |_, points| Some(sum(points)));
        for out_of_range in OutOfRange::ALL {
            let scope = |_: &Gradebook<'_>| Scope {
                reading: Reading {
                    out_of_range,
                    ..Reading::default()
                },
                ..Scope::default()
            };
            let found = status(&sheet.rows(), scope, "zz total");
            assert_eq!(found, ItemStatus::Total, "{seed}, {out_of_range:?}");
        }
    }
}

#[test]
fn while_an_essay_waits_for_most_of_its_marks() {
    for seed in 0..5 {
        let mut sheet = Sheet::new(seed, 40, &MAXIMA);
        for points in sheet.students.iter_mut().skip(12) {
            points[6] = None;
        }
        let sheet = sheet.with("zz total", 23.0, |_, points| Some(sum(points)));
        let mut rows = sheet.rows();
        for row in rows.iter_mut().filter(|row| is_question(row, "q6")) {
            if row.score.is_none() {
                row.standing = Standing::Waiting;
            }
        }
        let found = status(&rows, |_| Scope::default(), "zz total");
        assert_eq!(found, ItemStatus::Total, "{seed}");
    }
}

#[test]
fn where_blanks_count_as_no_points() {
    for seed in 0..5 {
        let sheet = Sheet::new(seed, 40, &MAXIMA).with_gaps(seed, 0.15);
        let sheet = sheet.with("zz total", 23.0, |_, points| Some(sum(points)));
        for blanks in [Blanks::Ignore, Blanks::Zero] {
            let scope = |_: &Gradebook<'_>| Scope {
                reading: Reading {
                    blanks,
                    ..Reading::default()
                },
                ..Scope::default()
            };
            let found = status(&sheet.rows(), scope, "zz total");
            assert_eq!(found, ItemStatus::Total, "{seed}, {blanks:?}");
        }
    }
}

#[test]
fn where_some_assessments_have_nothing_else() {
    let mut rows = Vec::new();
    for assessment in 1..=7 {
        let sheet = with_total(assessment as u64).rows();
        let kept = sheet
            .into_iter()
            .filter(|row| assessment == 1 || is_question(row, "zz total"));
        rows.extend(kept.map(|own| OwnRow {
            assessment: row(0, 0, assessment, 0.0, 0.0).assessment,
            ..own
        }));
    }
    assert_eq!(totals(&rows), names(&["zz total"]));
}

#[test]
fn codes_far_beyond_a_scale_are_no_points() {
    let mut sheet = Sheet::new(4, 40, &MAXIMA);
    for points in sheet.students.iter_mut().step_by(6) {
        points[2] = None;
    }
    let sheet = sheet.with("zz total", 23.0, |_, points| Some(sum(points)));
    let mut rows = sheet.rows();
    for row in rows.iter_mut().filter(|row| is_question(row, "q2")) {
        row.score = row.score.or(Some(999.0));
    }
    assert_eq!(totals(&rows), names(&["zz total"]));
}
