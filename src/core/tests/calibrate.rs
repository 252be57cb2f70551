//! Two-parameter logistic calibration against R's `mirt` and `ltm` on published tests, against a
//! slow and obvious calculation of the likelihood, and on simulated answers whose truth is known.

mod common;

use std::path::Path;

use common::{OwnRow, Table, close, go, gradebook, normal, row, shared_data};
use pg_assess_core::calibrate::{CalibratedItem, Calibration, CalibrationStatus, Settings};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::options::Options;
use pg_assess_core::solve;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Plain maximum likelihood, as R has it.
fn plain() -> Settings {
    Settings {
        prior: false,
        ..Settings::default()
    }
}

/// Answers of students to items; none is missing.
type Matrix = Vec<Vec<Option<bool>>>;

fn rows_of(matrix: &Matrix) -> Vec<OwnRow> {
    let mut rows = Vec::new();
    for (student, answers) in (0..).zip(matrix) {
        for (item, answer) in (0..).zip(answers) {
            if let Some(right) = answer {
                rows.push(row(student, item, 0, f64::from(u8::from(*right)), 0.0));
            }
        }
    }
    rows
}

fn solve_rows(rows: &[OwnRow], settings: &Settings) -> Calibration {
    solve_with(rows, &Options::default(), settings)
}

fn solve_with(rows: &[OwnRow], options: &Options, settings: &Settings) -> Calibration {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let told = solve::calibrate(&book, options, settings, &go).expect("a calibration");
    let items = solve::items(&book, options, &go).expect("items");
    let expected = items.iter().map(|item| (item.item, item.quality.n));
    assert!(
        told.items
            .iter()
            .map(|item| (item.item, item.n))
            .eq(expected)
    );
    let text = format!("{told:?}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    told
}

fn solve_matrix(matrix: &Matrix, settings: &Settings) -> Calibration {
    solve_rows(&rows_of(matrix), settings)
}

/// Slope and difficulty of a calibrated item.
fn a_and_b(item: &CalibratedItem) -> [f64; 2] {
    let [Some(a), Some(b)] = [item.discrimination, item.difficulty] else {
        panic!("not calibrated: {item:?}");
    };
    [a.value, b.value]
}

/// Standard errors of slope and difficulty.
fn errors(item: &CalibratedItem) -> [f64; 2] {
    let se = |own: Option<pg_assess_core::calibrate::Estimate>| {
        own.and_then(|own| own.error).expect("an error").se
    };
    [se(item.discrimination), se(item.difficulty)]
}

fn read_matrix(path: &Path) -> (Vec<String>, Matrix) {
    let table = Table::read(path);
    let items = table.items();
    let columns: Vec<_> = items.iter().map(|item| table.numbers(item)).collect();
    let answer = |column: &Vec<Option<f64>>, at: usize| column[at].map(|score| score == 1.0);
    let matrix = (0..table.rows.len())
        .map(|at| columns.iter().map(|column| answer(column, at)).collect())
        .collect();
    (items, matrix)
}

/// The tests of the shared data in which R's two programs agree for the most part, with the ending
/// of their files.
const TESTS: [(&str, &str); 4] = [
    ("lsat6", ""),
    ("lsat7", ""),
    ("verbagg", "_dichotomous"),
    ("hci", ""),
];

#[test]
fn parameters_are_those_of_mirt_and_ltm() {
    let Some(data) = shared_data("parameters_are_those_of_mirt_and_ltm", "items") else {
        return;
    };
    let (mut cells, mut compared, mut standard_errors) = (0, 0, 0);
    for (folder, ending) in TESTS {
        let path = |name: &str| data.join(folder).join(format!("{name}{ending}.csv"));
        let (items, matrix) = read_matrix(&path("responses_wide"));
        let told = solve_matrix(&matrix, &plain());
        let [mirt, ltm] = ["ref_mirt_2PL", "ref_ltm_2PL"].map(|name| Table::read(&path(name)));
        assert_eq!(mirt.texts("item"), items);
        assert_eq!(ltm.texts("item"), items);
        let run = told.run.expect("a fit");
        assert!(run.converged);
        assert_eq!(told.warnings, None);
        let log_likelihood = mirt.numbers("logLik")[0].expect("a number");
        close(run.log_likelihood, log_likelihood, 0.01, folder);
        println!(
            "{folder}: {} steps, {:.4} against {log_likelihood:.4}",
            run.iterations, run.log_likelihood
        );
        for (at, name, other) in [(0, "a", "Dscrmn"), (1, "b", "Dffclt")] {
            let [mirts, ltms] = [mirt.numbers(name), ltm.numbers(other)];
            let [low, high] = ["2.5", "97.5"].map(|end| mirt.numbers(&format!("{name}_CI_{end}")));
            for (place, item) in told.items.iter().enumerate() {
                let what = format!("{folder} {} {name}", items[place]);
                let ours = a_and_b(item)[at];
                let [mirt, ltm] = [mirts[place], ltms[place]].map(|own| own.expect("a number"));
                cells += 1;
                println!("{what}: {ours:.4} mirt {mirt:.4} ltm {ltm:.4}");
                if (mirt - ltm).abs() <= 0.01 {
                    compared += 1;
                    close(ours, mirt, 0.01, &what);
                    close(ours, ltm, 0.01, &what);
                }
                if let (Some(low), Some(high)) = (low[place], high[place]) {
                    standard_errors += 1;
                    let se = (high - low) / 2.0 / 1.959_963_985;
                    println!("  se {:.4} mirt {se:.4}", errors(item)[at]);
                }
            }
        }
    }
    println!("{compared} of {cells} parameters compared, {standard_errors} standard errors");
    assert!(compared >= 60, "{compared}");
}
