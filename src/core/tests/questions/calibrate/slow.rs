//! Against other programs and a slow calculation.

use std::path::Path;

use pg_assess_core::options::Options;
use pg_assess_core::questions::calibrate::{Calibration, Settings};
use pg_assess_test_support::{Table, close, row, shared_data};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Matrix, a_and_b, coarse, errors, parameters_of, plain, rows_of, simulate, slow_log_prior,
    solve_matrix, solve_rows, solve_with, usual_items,
};

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
fn parameters_and_errors_are_those_of_mirt_and_ltm() {
    let Some(data) = shared_data("parameters_and_errors_are_those_of_mirt_and_ltm", "items") else {
        return;
    };
    let (mut cells, mut agreeing, mut standard_errors) = (0, 0, 0);
    for (folder, ending) in TESTS {
        let path = |name: &str| data.join(folder).join(format!("{name}{ending}.csv"));
        let (items, matrix) = read_matrix(&path("responses_wide"));
        let fitted = solve_matrix(&matrix, &plain());
        let [mirt, ltm] = ["ref_mirt_2PL", "ref_ltm_2PL"].map(|name| Table::read(&path(name)));
        assert_eq!(mirt.texts("item"), items);
        assert_eq!(ltm.texts("item"), items);
        let run = fitted.run.expect("a fit");
        assert!(run.converged);
        assert_eq!(fitted.warnings, None);
        let log_likelihood = mirt.numbers("logLik")[0].expect("a number");
        close(run.log_likelihood, log_likelihood, 0.01, folder);
        for (at, name, other) in [(0, "a", "Dscrmn"), (1, "b", "Dffclt")] {
            let [mirts, ltms] = [mirt.numbers(name), ltm.numbers(other)];
            let [low, high] = ["2.5", "97.5"].map(|end| mirt.numbers(&format!("{name}_CI_{end}")));
            for (place, item) in fitted.items.iter().enumerate() {
                let what = format!("{folder} {} {name}", items[place]);
                let ours = a_and_b(item)[at];
                let [mirt, ltm] = [mirts[place], ltms[place]].map(|own| own.expect("a number"));
                cells += 1;
                // With the same 61 nodes; ltm has 15 others, which are not enough for verbagg.
                close(ours, mirt, 0.001, &what);
                if (mirt - ltm).abs() <= 0.01 {
                    agreeing += 1;
                    close(ours, ltm, 0.01, &what);
                }
                if let (Some(low), Some(high)) = (low[place], high[place]) {
                    let se = (high - low) / 2.0 / 1.959_963_985;
                    standard_errors += 1;
                    close(errors(item)[at], se, 0.001 * (1.0 + se), &what);
                }
            }
        }
    }
    println!(
        "{cells} parameters compared with mirt, {agreeing} with ltm, {standard_errors} errors"
    );
    assert_eq!((cells, standard_errors), (108, 108));
    assert!(agreeing >= 60, "{agreeing}");
}

/// Each student's answers, as item and whether it is right.
type Answers = Vec<Vec<(usize, bool)>>;

fn answers_of(matrix: &Matrix) -> Answers {
    let answers = |row: &Vec<Option<bool>>| {
        let given = row.iter().enumerate();
        given
            .filter_map(|(item, own)| Some((item, (*own)?)))
            .collect()
    };
    matrix.iter().map(answers).collect()
}

/// The logarithm of the probability of all answers, as plainly as it can be written.
fn slow_log_likelihood(answers: &Answers, parameters: &[[f64; 2]], nodes: usize) -> f64 {
    let theta = |node: usize| -6.0 + 12.0 * node as f64 / (nodes - 1) as f64;
    let density = |node: usize| (-theta(node).powi(2) / 2.0).exp();
    let total: f64 = (0..nodes).map(density).sum();
    let mut sum = 0.0;
    for student in answers {
        let mut probability = 0.0;
        for node in 0..nodes {
            let mut product = density(node) / total;
            for &(item, right) in student {
                let [a, d] = parameters[item];
                let p = 1.0 / (1.0 + (-(a * theta(node) + d)).exp());
                product *= if right { p } else { 1.0 - p };
            }
            probability += product;
        }
        sum += probability.ln();
    }
    sum
}

/// The inverse of a symmetric positive definite matrix, by Gauss and Jordan.
fn slow_inverse(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = matrix.len();
    for (at, row) in matrix.iter_mut().enumerate() {
        row.extend((0..n).map(|column| f64::from(u8::from(at == column))));
    }
    for pivot in 0..n {
        let own: Vec<f64> = matrix[pivot]
            .iter()
            .map(|v| v / matrix[pivot][pivot])
            .collect();
        for (at, row) in matrix.iter_mut().enumerate() {
            let factor = if at == pivot { 0.0 } else { row[pivot] };
            for (value, own) in row.iter_mut().zip(&own) {
                *value -= factor * own;
            }
        }
        matrix[pivot] = own;
    }
    matrix.into_iter().map(|row| row[n..].to_vec()).collect()
}

/// Gradient and negative second derivatives by differences, over the fields numbered.
fn slow_derivatives(
    at: &[[f64; 2]],
    fields: &[usize],
    value: &dyn Fn(&[[f64; 2]]) -> f64,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let step = 1e-3;
    let moved = |moves: &[(usize, f64)]| {
        let mut parameters = at.to_vec();
        for (field, by) in moves {
            parameters[field / 2][field % 2] += by * step;
        }
        value(&parameters)
    };
    let gradient = |&field: &usize| (moved(&[(field, 1.0)]) - moved(&[(field, -1.0)])) / 2.0 / step;
    let second = |i: usize, j: usize| {
        let corner = |a: f64, b: f64| moved(&[(i, a), (j, b)]);
        (corner(1.0, 1.0) - corner(1.0, -1.0) - corner(-1.0, 1.0) + corner(-1.0, -1.0))
            / (4.0 * step * step)
    };
    (
        fields.iter().map(gradient).collect(),
        fields
            .iter()
            .map(|&i| fields.iter().map(|&j| -second(i, j)).collect())
            .collect(),
    )
}

/// Compares reported figures with the slow calculation: likelihood, a gradient of 0, errors.
fn assert_at_summit(
    fitted: &Calibration,
    answers: &Answers,
    settings: &Settings,
    fields: &[usize],
) {
    let nodes = settings.nodes as usize;
    let run = fitted.run.expect("a fit");
    let parameters = parameters_of(fitted);
    close(
        run.log_likelihood,
        slow_log_likelihood(answers, &parameters, nodes),
        1e-8 * run.log_likelihood.abs(),
        "likelihood",
    );
    let value = |parameters: &[[f64; 2]]| {
        let log_prior = if settings.prior {
            slow_log_prior(parameters)
        } else {
            0.0
        };
        slow_log_likelihood(answers, parameters, nodes) + log_prior
    };
    let (gradient, information) = slow_derivatives(&parameters, fields, &value);
    for slope in gradient {
        close(slope, 0.0, 2e-3, "gradient");
    }
    let covariance = slow_inverse(information);
    for (place, &field) in fields
        .iter()
        .enumerate()
        .filter(|(_, field)| *field % 2 == 0)
    {
        let item = &fitted.items[field / 2];
        let [_, b] = a_and_b(item);
        let [aa, ad, dd] = [(0, 0), (0, 1), (1, 1)].map(|(i, j)| covariance[place + i][place + j]);
        let [se_a, se_b] = errors(item);
        close(se_a, aa.sqrt(), 1e-4 * se_a, "error of a");
        let of_b = (dd + 2.0 * b * ad + b * b * aa).sqrt() / parameters[field / 2][0].abs();
        close(se_b, of_b, 1e-4 * se_b, "error of b");
    }
}

#[test]
fn the_figures_are_those_of_a_slow_calculation() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let items = usual_items(&mut rng, 5);
    let mut matrix = simulate(&mut rng, 150, &items);
    for row in &mut matrix {
        for answer in row {
            *answer = answer.filter(|_| rng.gen_bool(0.8));
        }
    }
    let mut answers = answers_of(&matrix);
    let mut rows = rows_of(&matrix);
    // Some answer the second item once more, in another assessment: both answers count.
    for student in 0..40 {
        let right = rng.gen_bool(0.6);
        rows.push(row(student, 1, 1, f64::from(u8::from(right)), 7.0));
        answers[student as usize].push((1, right));
    }
    for prior in [false, true] {
        let settings = Settings {
            prior,
            ..Settings::default()
        };
        let fitted = solve_rows(&rows, &settings);
        assert!(fitted.run.is_some_and(|run| run.converged));
        let fields: Vec<usize> = (0..10).collect();
        assert_at_summit(&fitted, &answers, &settings, &fields);
        let deviate = 1.644_853_626_951_472;
        let options = Options {
            confidence: 0.9,
            ..Options::default()
        };
        for item in solve_with(&rows, &options, &settings).items {
            for own in [item.discrimination, item.difficulty].into_iter().flatten() {
                let error = own.error.expect("an error");
                close(error.ci_low, own.value - deviate * error.se, 1e-9, "low");
                close(error.ci_high, own.value + deviate * error.se, 1e-9, "high");
            }
        }
    }
}

#[test]
fn very_many_questions_have_errors_each_by_itself() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let items = usual_items(&mut rng, 1040);
    let matrix = simulate(&mut rng, 24, &items);
    let settings = coarse(true);
    let fitted = solve_matrix(&matrix, &settings);
    let warnings = fitted.warnings.clone().expect("a warning");
    assert!(
        warnings.contains("More than 1000 questions are linked"),
        "{warnings}"
    );
    let kept: Vec<usize> = (0..1040)
        .filter(|&item| fitted.items[item].discrimination.is_some())
        .collect();
    assert!(kept.len() > 1000, "{}", kept.len());
    let kept_rows = |row: &Vec<Option<bool>>| kept.iter().map(|&item| row[item]).collect();
    let answers = answers_of(&matrix.iter().map(kept_rows).collect());
    let fitted = Calibration {
        items: kept
            .iter()
            .map(|&item| fitted.items[item].clone())
            .collect(),
        ..fitted
    };
    assert_at_summit(&fitted, &answers, &settings, &[600, 601]);
}
