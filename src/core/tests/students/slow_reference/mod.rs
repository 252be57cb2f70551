//! The whole method once more, slow and obvious, from its description: every figure of items and
//! students on random tables.

mod levels;
mod questions;
mod rules;
mod tables;
mod whole;

use pg_assess_test_support::{OwnRow, gradebook, row};

const TOLERANCE: f64 = 1e-9;

/// A response; all numbers count from 0 and leave none out.
#[derive(Debug, Clone, Copy)]
struct Response {
    student: usize,
    item: usize,
    assessment: usize,
    score: f64,
    day: f64,
}

fn bytes_of(rows: &[Response]) -> Vec<u8> {
    let rows: Vec<OwnRow> = rows
        .iter()
        .map(|r| {
            row(
                r.student as i64,
                r.item as i64,
                r.assessment as i64,
                r.score,
                r.day,
            )
        })
        .collect();
    gradebook(&rows)
}

fn count(rows: &[Response], of: impl Fn(&Response) -> usize) -> usize {
    rows.iter().map(|row| of(row) + 1).max().unwrap_or(0)
}
