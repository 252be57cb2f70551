//! Little to go by, fits cut short, and settings out of range.

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::Options;
use pg_assess_core::questions::calibrate::{Calibration, CalibrationStatus, Settings};
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{OwnRow, close, go, gradebook, messy_school, row};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Matrix, a_and_b, errors, parameters_of, plain, rows_of, simulate, slow_log_prior, solve_matrix,
    solve_rows, solve_with, usual_items,
};

#[test]
fn unlinked_tests_are_calibrated_each_on_its_own_scale() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let [small, large] = [4, 6].map(|count| {
        let items = usual_items(&mut rng, count);
        simulate(&mut rng, 250, &items)
    });
    let both: Matrix = small
        .iter()
        .map(|row| row.iter().copied().chain([None; 6]).collect())
        .chain(
            large
                .iter()
                .map(|row| [None; 4].into_iter().chain(row.iter().copied()).collect()),
        )
        .collect();
    let fitted = solve_matrix(&both, &plain());
    let components: Vec<_> = fitted.items.iter().map(|item| item.component).collect();
    assert_eq!(
        components,
        [[Some(2); 4].to_vec(), [Some(1); 6].to_vec()].concat()
    );
    let alone = [small, large].map(|matrix| solve_matrix(&matrix, &plain()));
    let alone_items = alone.iter().flat_map(|own| &own.items);
    for (own, alone) in fitted.items.iter().zip(alone_items) {
        for (own, alone) in a_and_b(own).into_iter().zip(a_and_b(alone)) {
            close(own, alone, 1e-4, "a figure");
        }
        for (own, alone) in errors(own).into_iter().zip(errors(alone)) {
            close(own, alone, 1e-4, "an error");
        }
    }
    let sum: f64 = alone
        .iter()
        .filter_map(|own| own.run)
        .map(|run| run.log_likelihood)
        .sum();
    close(
        fitted.run.expect("a fit").log_likelihood,
        sum,
        1e-6,
        "likelihood",
    );
}

#[test]
fn every_item_says_what_became_of_it() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let items = usual_items(&mut rng, 5);
    let matrix = simulate(&mut rng, 60, &items);
    let sound = rows_of(&matrix);
    let mut rows = sound.clone();
    for student in 0..60 {
        // All right, all wrong, half a point once, no upper bound, a pair of a group of their own.
        rows.push(row(student, 10, 0, 1.0, 0.0));
        rows.push(row(student, 11, 0, 0.0, 0.0));
        let half = if student == 0 { 0.5 } else { 1.0 };
        rows.push(row(student, 12, 0, half, 0.0));
        rows.push(OwnRow {
            max_score: MaxScore::Points(Some(f64::INFINITY)),
            ..row(student, 13, 0, f64::from(student as u8 % 2), 0.0)
        });
        for item in [14, 15] {
            rows.push(row(
                student + 100,
                item,
                1,
                f64::from(u8::from(rng.gen_bool(0.5))),
                0.0,
            ));
        }
        if student < 9 {
            rows.push(row(student, 16, 0, f64::from(student as u8 % 2), 0.0));
        }
    }
    let fitted = solve_rows(&rows, &Settings::default());
    let labels: Vec<_> = fitted.items[5..]
        .iter()
        .map(|item| item.status.label())
        .collect();
    let expected = [
        "no_variance",
        "no_variance",
        "not_binary",
        "not_binary",
        "insufficient",
        "insufficient",
        "insufficient",
    ];
    assert_eq!(labels, expected);
    let facilities: Vec<_> = fitted.items[5..9]
        .iter()
        .map(|item| item.facility)
        .collect();
    assert_eq!(facilities, [Some(1.0), Some(0.0), Some(59.5 / 60.0), None]);
    assert_eq!(fitted.warnings, None);
    // What cannot be calibrated does not touch the others.
    let alone = solve_rows(&sound, &Settings::default());
    assert_eq!(fitted.items[..5], alone.items);
    assert_eq!(fitted.run, alone.run);
    // With nine answers asked for, item 16 has enough.
    let options = Options {
        min_answers: 9.0,
        ..Options::default()
    };
    let fitted = solve_with(&rows, &options, &Settings::default());
    assert!(fitted.items[11].discrimination.is_some());
}

#[test]
fn options_choose_which_answers_count() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let items = usual_items(&mut rng, 6);
    let matrix = simulate(&mut rng, 80, &items);
    let early = rows_of(&matrix);
    let alone = solve_rows(&early, &Settings::default());
    let again = rows_of(&simulate(&mut rng, 80, &items));
    let later = |assessment: i64| -> Vec<OwnRow> {
        let moved = again.iter().map(|own| OwnRow {
            assessment: row(0, 0, assessment, 0.0, 0.0).assessment,
            taken_at: row(0, 0, 0, 0.0, 30.0).taken_at,
            ..own.clone()
        });
        early.iter().cloned().chain(moved).collect()
    };
    // A second attempt at the same assessment does not count unless asked for.
    let first = solve_rows(&later(0), &Settings::default());
    assert_eq!(first, alone);
    let last = Asked {
        attempts: Attempts::Last,
        ..Asked::default()
    };
    let second = solve_rows(&again, &Settings::default());
    assert_eq!(solve_with(&later(0), &last, &Settings::default()), second);
    // In another assessment both count, unless that is excluded or yet to come.
    let both = solve_rows(&later(1), &Settings::default());
    assert!(both.items.iter().all(|item| item.n == 160));
    for options in [
        Asked {
            exclude: vec![1],
            ..Asked::default()
        },
        Asked {
            as_of: row(0, 0, 0, 0.0, 29.0).taken_at,
            ..Asked::default()
        },
    ] {
        assert_eq!(solve_with(&later(1), &options, &Settings::default()), alone);
    }
}

#[test]
fn little_or_nothing_to_go_by() {
    let labels = |matrix: &Matrix, options: &Options| -> Vec<&'static str> {
        let fitted = solve_with(&rows_of(matrix), options, &plain());
        assert_eq!(fitted.run, None);
        assert_eq!(fitted.warnings.is_some(), !fitted.items.is_empty());
        fitted
            .items
            .iter()
            .map(|item| item.status.label())
            .collect()
    };
    let usual = Options::default();
    let least = Options {
        min_answers: 0.0,
        ..Options::default()
    };
    let column = |count: usize| -> Matrix {
        let answer = |at: usize, item: usize| Some((at / (item + 1)).is_multiple_of(2));
        let row = |at| (0..count).map(|item| answer(at, item)).collect();
        (0..50).map(row).collect()
    };
    for options in [&usual, &least] {
        assert_eq!(labels(&vec![], options), [""; 0]);
        assert_eq!(
            labels(&vec![vec![Some(true); 4]], options),
            ["insufficient"; 4]
        );
        assert_eq!(
            labels(&vec![vec![Some(true); 4]; 30], options),
            ["no_variance"; 4]
        );
        assert_eq!(
            labels(&vec![vec![Some(false); 4]; 30], options),
            ["no_variance"; 4]
        );
        assert_eq!(labels(&column(1), options), ["insufficient"]);
        assert_eq!(labels(&column(2), options), ["insufficient"; 2]);
    }
    // Each student has answered one question: nothing links them.
    let apart: Matrix = (0..90)
        .map(|at| {
            (0..3)
                .map(|item| (at % 3 == item).then_some(at % 2 == 0))
                .collect()
        })
        .collect();
    assert_eq!(labels(&apart, &usual), ["insufficient"; 3]);
}

#[test]
fn a_fit_that_is_cut_short_says_so() {
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let items = usual_items(&mut rng, 6);
    let matrix = simulate(&mut rng, 100, &items);
    let solve = |max_iterations: u64, tolerance: f64| {
        let settings = Settings {
            max_iterations,
            tolerance,
            ..Settings::default()
        };
        let fitted = solve_matrix(&matrix, &settings);
        let run = fitted.run.expect("a fit");
        (fitted, run)
    };
    let mut before = f64::NEG_INFINITY;
    for max_iterations in 1..=6 {
        let (fitted, run) = solve(max_iterations, 1e-6);
        assert!(!run.converged);
        assert_eq!(run.iterations, max_iterations);
        let warnings = fitted.warnings.expect("a warning");
        assert!(
            warnings.starts_with("The fit did not converge in"),
            "{warnings}"
        );
        assert!(
            fitted
                .items
                .iter()
                .all(|item| item.discrimination.is_some())
        );
        assert!(
            fitted
                .items
                .iter()
                .all(|item| item.discrimination.is_some_and(|a| a.error.is_none()))
        );
        let value = run.log_likelihood
            + slow_log_prior(&parameters_of(&Calibration {
                warnings: None,
                ..fitted
            }));
        assert!(value >= before, "{value} after {before}");
        before = value;
    }
    let (fitted, run) = solve(500, 1e300);
    assert!(run.converged && run.iterations == 1 && fitted.warnings.is_none());
    let (_, run) = solve(40, 5e-324);
    assert!(run.iterations <= 40);
    let (fitted, _) = solve(500, 1e-6);
    let (exact, _) = solve(500, 1e-10);
    for (own, exact) in fitted.items.iter().zip(&exact.items) {
        for (own, exact) in a_and_b(own).into_iter().zip(a_and_b(exact)) {
            close(own, exact, 1e-5, "a figure");
        }
    }
}

#[test]
fn questions_that_are_one_question_are_steep() {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    let items = usual_items(&mut rng, 5);
    let mut matrix = simulate(&mut rng, 200, &items);
    for row in &mut matrix {
        let first = row[0];
        row.extend([first; 2]);
    }
    let fitted = solve_matrix(&matrix, &plain());
    for at in [0, 5, 6] {
        assert_eq!(
            fitted.items[at].status,
            CalibrationStatus::Steep,
            "{:?}",
            fitted.items[at]
        );
    }
    let warnings = fitted.warnings.expect("a warning");
    assert!(
        warnings.contains("Questions with a discrimination above 4: 3;"),
        "{warnings}"
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let bytes = gradebook(&[row(1, 1, 1, 1.0, 0.0)]);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let usual = Settings::default;
    for (name, settings) in [
        (
            "nodes",
            Settings {
                nodes: 10,
                ..usual()
            },
        ),
        (
            "nodes",
            Settings {
                nodes: 202,
                ..usual()
            },
        ),
        (
            "max_iterations",
            Settings {
                max_iterations: 0,
                ..usual()
            },
        ),
        (
            "max_iterations",
            Settings {
                max_iterations: 100_001,
                ..usual()
            },
        ),
        (
            "tolerance",
            Settings {
                tolerance: 0.0,
                ..usual()
            },
        ),
        (
            "tolerance",
            Settings {
                tolerance: -1.0,
                ..usual()
            },
        ),
        (
            "tolerance",
            Settings {
                tolerance: f64::NAN,
                ..usual()
            },
        ),
        (
            "tolerance",
            Settings {
                tolerance: f64::INFINITY,
                ..usual()
            },
        ),
    ] {
        let fitted = solve::calibrate(&book, &Options::default(), &settings, &go);
        let error = fitted.expect_err("a refusal").to_string();
        assert_eq!(error, format!("{name} is out of range"));
    }
    for options in [
        Options {
            confidence: 1.0,
            ..Options::default()
        },
        Options {
            min_answers: f64::NAN,
            ..Options::default()
        },
    ] {
        assert!(solve::calibrate(&book, &options, &usual(), &go).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No table brings it down, and what it says holds together: see `assert_sound`.
    #[test]
    fn any_table_gives_sound_figures(
        answers in prop::collection::vec(
            (0..12i64, 0..7i64, 0..3i64, prop_oneof![8 => 0..2u8, 1 => Just(2u8)], 0..3u8), 0..160),
        nodes in 11..40u64,
        max_iterations in 1..60u64,
        prior: bool,
        min_answers in 0..6u8,
    ) {
        let rows: Vec<OwnRow> = answers
            .iter()
            .map(|&(student, item, assessment, score, day)| {
                let score = [0.0, 1.0, 0.3][usize::from(score)];
                row(student, item, assessment, score, f64::from(day))
            })
            .collect();
        let options = Options { min_answers: f64::from(min_answers), ..Options::default() };
        let settings = Settings { nodes, max_iterations, prior, ..Settings::default() };
        solve_with(&rows, &options, &settings);
    }

    #[test]
    fn a_messy_school_gives_sound_figures(seed: u64) {
        solve_rows(&messy_school(seed), &Settings::default());
    }
}
