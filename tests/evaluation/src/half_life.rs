//! Which half-life fits? Every score with at least three before it is predicted under several, by
//! the core's own advice: per module over all its presentations, and over everything.

use pg_assess_core::forecasts::half_life::{Advice, Trial};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_test_support::solve;

use crate::data::{Course, number_of};
use pg_assess_test_support::{OwnId, OwnRow, go, gradebook};

const RESAMPLES: u64 = 500;

/// The advice on one module, and on all as one (the last, without a name).
pub fn advice(courses: &[Course]) -> Vec<(Option<&str>, Advice)> {
    let mut modules: Vec<&str> = courses
        .iter()
        .map(|course| course.module.as_str())
        .collect();
    modules.dedup();
    let names = modules.into_iter().map(Some).chain([None]);
    names.map(|name| (name, advice_of(courses, name))).collect()
}

fn advice_of(courses: &[Course], module: Option<&str>) -> Advice {
    let rows: Vec<OwnRow> = courses
        .iter()
        .zip(0..)
        .filter(|(course, _)| module.is_none_or(|module| module == course.module))
        .flat_map(|(course, at)| course.rows.iter().map(move |row| anew(row, at)))
        .collect();
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    solve::half_life_advice(&book, &Options::default(), RESAMPLES, 1, &go).expect("advice")
}

/// The row as one of somebody else in each course: nine months later much else has changed.
fn anew(row: &OwnRow, course: i64) -> OwnRow {
    let student = number_of(row.student.as_ref().expect("a student").id());
    OwnRow {
        student: Some(OwnId::Integer(100 * student + course)),
        ..row.clone()
    }
}

/// What the error of a half-life exceeds the least by, as a share of it.
pub fn excess(trial: &Trial) -> f64 {
    trial.difference / (trial.rmse - trial.difference)
}
