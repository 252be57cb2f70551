//! What the tests of the core, the evaluation and the fuzz targets share.

mod data;
pub mod difficulty;
pub mod drift;
mod past;
mod random;
mod rows;
pub mod solve;
mod solved;

pub use data::{Table, number, shared_data};
pub use past::{assert_advice_sound, assert_backtest_sound, assert_past_sound};
pub use random::{cases, messy_school, normal, shuffled};
pub use rows::{
    OwnEnrolment, OwnId, OwnRow, builder, by_group, check, enrolment, gradebook, integer, merge,
    row, with_roster,
};
pub use solved::{Solved, answers};

/// A poll that lets everything go on.
pub fn go() {}

/// Fails unless the two differ by at most `tolerance`.
#[track_caller]
pub fn close(left: f64, right: f64, tolerance: f64, what: &str) {
    assert!(
        (left - right).abs() <= tolerance,
        "{what}: {left:e} against {right:e}, {:e} apart",
        (left - right).abs()
    );
}

/// The same for what may be missing, which must be missing on both sides.
#[track_caller]
pub fn close_option(left: Option<f64>, right: Option<f64>, tolerance: f64, what: &str) {
    match (left, right) {
        (Some(left), Some(right)) => close(left, right, tolerance, what),
        (None, None) => {}
        _ => panic!("{what}: {left:?} against {right:?}"),
    }
}

/// The mean of values; NaN of none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}
