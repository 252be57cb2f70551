//! Columns of exports that are found, and what looks like one and is none.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_test_support::{OwnRow, close, close_option, go, gradebook, solve};

use pg_assess_core::gradebook::MaxScore;
use pg_assess_test_support::normal;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Sheet, names, sum, totals};

const MIXED: [f64; 9] = [1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 4.0];

#[test]
fn sums_and_means_are_found_side_by_side() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 25, &[1.0; 12])
            .with("Earned Points", 12.0, |_, points| Some(sum(points)))
            .with("PercentCorrect", 100.0, |_, points| {
                Some((sum(points) / 12.0 * 1e4).round() / 100.0)
            });
        assert_eq!(
            totals(&sheet.rows()),
            names(&["Earned Points", "PercentCorrect"]),
            "{seed}"
        );
    }
}

#[test]
fn a_total_of_different_maxima_is_found_and_one_in_whole_percents() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 30, &MIXED);
        let possible = sheet.possible();
        let sheet = sheet
            .with("TOTAL", possible, |_, points| Some(sum(points)))
            .with("%", 100.0, move |_, points| {
                Some((100.0 * sum(points) / possible).round())
            });
        assert_eq!(totals(&sheet.rows()), names(&["%", "TOTAL"]), "{seed}");
        let alone = Sheet::new(seed, 30, &MIXED).with("%", 100.0, move |_, points| {
            Some((100.0 * sum(points) / possible).round())
        });
        assert_eq!(totals(&alone.rows()), names(&["%"]), "{seed}");
    }
}

#[test]
fn a_mean_of_shares_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 30, &MIXED).with("mean", 1.0, |_, points| {
            let shares = points
                .iter()
                .zip(MIXED)
                .map(|(p, max)| p.unwrap_or(0.0) / max);
            Some(shares.sum::<f64>() / MIXED.len() as f64)
        });
        assert_eq!(totals(&sheet.rows()), names(&["mean"]), "{seed}");
    }
}

#[test]
fn a_total_beside_subtotals_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 40, &MIXED)
            .with("part 1", 9.0, |_, points| Some(sum(&points[..5])))
            .with("part 2", 24.0, |_, points| Some(sum(&points[5..])))
            .with("TOTAL", 33.0, |_, points| Some(sum(points)));
        assert!(totals(&sheet.rows()).contains("TOTAL"), "{seed}");
        let sheet = Sheet::new(seed, 40, &MIXED)
            .with("part 1", 9.0, |_, points| Some(sum(&points[..5])))
            .with("TOTAL", 33.0, |_, points| Some(sum(points)));
        assert!(totals(&sheet.rows()).contains("TOTAL"), "{seed}");
    }
}

#[test]
fn a_total_beside_columns_that_it_does_not_count_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 40, &MIXED)
            .with("minutes", 90.0, |at, _| Some((17 * at % 91) as f64))
            .with("survey", 5.0, |at, _| Some((7 * at % 6) as f64))
            .with("TOTAL", 33.0, |_, points| Some(sum(points)));
        assert_eq!(totals(&sheet.rows()), names(&["TOTAL"]), "{seed}");
        let unequal = Sheet::new(seed, 40, &[1.0; 12])
            .with("bonus", 1.0, |at, _| Some((at % 3 == 0).into()))
            .with("%", 100.0, |_, points| {
                Some((100.0 * sum(points) / 12.0).round())
            });
        assert_eq!(totals(&unequal.rows()), names(&["%"]), "{seed}");
    }
}

#[test]
fn a_total_that_some_lack_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 40, &MIXED)
            .with("TOTAL", 33.0, |at, points| {
                (at % 3 > 0).then(|| sum(points))
            })
            .with("%", 100.0, |at, points| {
                (at % 4 > 0).then(|| (100.0 * sum(points) / 33.0).round())
            });
        assert_eq!(totals(&sheet.rows()), names(&["%", "TOTAL"]), "{seed}");
    }
}

#[test]
fn a_total_of_questions_that_some_left_out_is_found() {
    for seed in 0..20 {
        let sheet = || Sheet::new(seed, 40, &MIXED).with_gaps(seed, 0.15);
        let of_all = sheet().with("TOTAL", 33.0, |_, points| Some(sum(points)));
        assert_eq!(totals(&of_all.rows()), names(&["TOTAL"]), "{seed}");
        let of_answered = sheet().with("%", 100.0, |_, points| {
            let there = points.iter().zip(MIXED).filter(|(p, _)| p.is_some());
            Some(100.0 * sum(points) / there.map(|(_, max)| max).sum::<f64>())
        });
        assert_eq!(totals(&of_answered.rows()), names(&["%"]), "{seed}");
    }
}

#[test]
fn a_total_with_few_wrong_sums_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 45, &MIXED).with("TOTAL", 33.0, |at, points| {
            Some((sum(points) + if at % 22 == 7 { 5.0 } else { 0.0 }).min(33.0))
        });
        assert_eq!(totals(&sheet.rows()), names(&["TOTAL"]), "{seed}");
    }
}

#[test]
fn what_is_no_total_is_not_called_one() {
    for seed in 0..20 {
        let copied = Sheet::new(seed, 40, &[5.0; 4]);
        let twice = copied.clone().with("copy", 5.0, |_, points| points[0]);
        assert_eq!(
            totals(&twice.rows()),
            names(&[]),
            "a question twice, {seed}"
        );
        let mut same = copied.clone();
        for points in &mut same.students {
            let first = points[0];
            points.fill(first);
        }
        assert_eq!(totals(&same.rows()), names(&[]), "all alike, {seed}");
        let two = Sheet::new(seed, 40, &[5.0]).with("again", 5.0, |_, points| points[0]);
        assert_eq!(totals(&two.rows()), names(&[]), "two questions, {seed}");
        // Whoever is past a step has passed all before it.
        let mut steps = copied;
        for points in &mut steps.students {
            let reached = sum(points);
            for (at, score) in points.iter_mut().enumerate() {
                *score = Some((reached - 5.0 * at as f64).clamp(0.0, 5.0));
            }
        }
        assert_eq!(totals(&steps.rows()), names(&[]), "Guttman's steps, {seed}");
        let falling = Sheet::new(seed, 40, &MIXED)
            .with("points lost", 33.0, |_, points| Some(33.0 - sum(points)));
        assert_eq!(totals(&falling.rows()), names(&[]), "points lost, {seed}");
        let close = Sheet::new(seed, 40, &MIXED).with("oral", 33.0, |at, points| {
            Some((sum(points) + (at % 3) as f64 - 1.0).clamp(0.0, 33.0))
        });
        assert_eq!(totals(&close.rows()), names(&[]), "nearly a sum, {seed}");
        let small = Sheet::new(seed, 8, &MIXED).with("TOTAL", 33.0, |_, points| Some(sum(points)));
        assert_eq!(totals(&small.rows()), names(&[]), "eight students, {seed}");
    }
}

/// A mark out of another maximum is a slip, and hides no total.
#[test]
fn a_total_beside_one_mark_on_another_scale_is_found() {
    for seed in 0..20 {
        let sheet = Sheet::new(seed, 40, &MIXED).with("TOTAL", 33.0, |_, points| Some(sum(points)));
        let mut rows = sheet.rows();
        let at = (31 * seed as usize) % rows.len();
        rows[at].max_score = MaxScore::Points(Some(40.0));
        assert_eq!(totals(&rows), names(&["TOTAL"]), "{seed}");
    }
}

/// Tests that nearly everybody passes with full marks: whatever the others have, the line through
/// these is not theirs.
#[test]
fn questions_that_nearly_everybody_masters_are_no_totals() {
    for seed in 0..10 {
        let mut sheet = Sheet::new(seed, 900, &[4.0; 10]);
        for points in &mut sheet.students[50..] {
            points.fill(Some(4.0));
        }
        assert_eq!(totals(&sheet.rows()), names(&[]), "{seed}");
    }
}

/// Ten students and many questions of one level: a sum can be chosen that fits them.
#[test]
fn questions_of_few_students_are_no_totals() {
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut sheet = Sheet::new(seed, 10 + seed as usize % 2, &[100.0; 24]);
        for points in &mut sheet.students {
            let ability = normal(&mut rng);
            for score in points.iter_mut() {
                let mark = 78.0 + 4.0 * (0.7 * ability + 0.71 * normal(&mut rng));
                *score = Some(mark.round().min(100.0));
            }
        }
        assert_eq!(totals(&sheet.rows()), names(&[]), "{seed}");
    }
}

#[test]
fn questions_that_go_together_closely_are_no_totals() {
    for seed in 0..200 {
        let students = 12 + seed as usize % 50;
        let mut sheet = Sheet::new(seed, students, &[4.0; 9][..4 + seed as usize % 6]);
        for (at, points) in sheet.students.iter_mut().enumerate() {
            let ability = (7 * at % students) as f64 / students as f64;
            for score in points.iter_mut().flatten() {
                *score = (3.0 * ability + *score / 3.0).round().min(4.0);
            }
        }
        assert_eq!(totals(&sheet.rows()), names(&[]), "{seed}");
    }
}

#[test]
fn a_total_of_few_assessments_is_a_question_in_most() {
    // The same name stands for a question in two assessments, and for a total in one.
    let mut rows = Vec::new();
    for (assessment, total_of) in [(1, true), (2, false), (3, false)] {
        let sheet = Sheet::new(assessment, 30, &MIXED);
        let sheet = sheet.with("q9", 33.0, |at, points| match total_of {
            true => Some(sum(points)),
            false => Some((7 * at % 33) as f64),
        });
        for mut row in sheet.rows() {
            row.assessment =
                pg_assess_test_support::row(0, 0, assessment as i64, 0.0, 0.0).assessment;
            rows.push(row);
        }
    }
    assert_eq!(totals(&rows), names(&[]));
}

/// The same rows, where each question is a piece of work of its own.
fn piece_by_piece(rows: &[OwnRow]) -> Vec<OwnRow> {
    let own = rows.iter().map(|row| OwnRow {
        assessment: row.item.clone(),
        ..row.clone()
    });
    own.collect()
}

#[test]
fn a_total_among_pieces_of_work_is_found() {
    let maxima = [10.0, 20.0, 10.0, 5.0, 10.0, 50.0, 10.0];
    for seed in 0..10 {
        let sheet = Sheet::new(seed, 40, &maxima).with_gaps(seed, 0.05);
        let plain = piece_by_piece(&sheet.rows());
        assert_eq!(totals(&plain), names(&[]));
        let sheet = sheet.with("zz total", 115.0, |_, points| Some(sum(points)));
        let rows = piece_by_piece(&sheet.rows());
        assert_eq!(totals(&rows), names(&["zz total"]), "{seed}");
        let levels = |rows: &[OwnRow]| {
            let bytes = gradebook(rows);
            let book = Gradebook::open(&bytes).expect("a gradebook");
            let students = solve::students(&book, &Options::default(), &go).expect("students");
            let levels = students.into_iter().map(|own| own.level.expect("a level"));
            levels.map(|own| (own.level, own.se)).collect::<Vec<_>>()
        };
        for (without, with) in levels(&plain).into_iter().zip(levels(&rows)) {
            close(without.0, with.0, 1e-12, "level");
            close_option(without.1, with.1, 1e-12, "error");
        }
    }
}
