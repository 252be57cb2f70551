//! Two-parameter logistic calibration against R's `mirt` and `ltm` on published tests, against a
//! slow and obvious calculation of the likelihood, and on simulated answers whose truth is known.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::solve::{self, Ask, Asked};
use common::{OwnRow, Table, close, go, gradebook, messy_school, normal, row, shared_data};
use pg_assess_core::calibrate::{
    CalibratedItem, Calibration, CalibrationStatus, Estimate, Settings,
};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::Options;
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Plain maximum likelihood, as R has it.
fn plain() -> Settings {
    Settings {
        prior: false,
        ..Settings::default()
    }
}

/// With fewer nodes, which are enough for slopes that are not steep, and take less time.
fn coarse(prior: bool) -> Settings {
    Settings {
        nodes: 25,
        prior,
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

fn solve_with(rows: &[OwnRow], options: &impl Ask, settings: &Settings) -> Calibration {
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
    assert_sound(&told);
    told
}

/// What holds whatever the data.
fn assert_sound(told: &Calibration) {
    let text = format!("{told:?}");
    assert!(!text.contains("NaN") && !text.contains("inf,"), "{text}");
    let calibrated = |item: &&CalibratedItem| item.discrimination.is_some();
    let any = told.items.iter().any(|item| calibrated(&item));
    assert_eq!(any, told.run.is_some());
    let mut slopes = BTreeMap::<u32, (u32, f64)>::new();
    for item in &told.items {
        let a = item.discrimination.map(|own| own.value);
        assert_eq!(item.component.is_some(), a.is_some(), "{item:?}");
        let expected = match (item.status, a) {
            (CalibrationStatus::Negative, Some(a)) => a < 0.0,
            (CalibrationStatus::Steep, Some(a)) => a > 4.0,
            (CalibrationStatus::Calibrated, Some(a)) => (0.0..=4.0).contains(&a),
            (_, a) => a.is_none(),
        };
        assert!(expected, "{item:?}");
        for own in [item.discrimination, item.difficulty].into_iter().flatten() {
            if let Some(error) = own.error {
                assert!(told.run.is_some_and(|run| run.converged));
                assert!(error.se >= 0.0);
                assert!(
                    error.ci_low <= own.value && own.value <= error.ci_high,
                    "{item:?}"
                );
            }
        }
        assert!(item.facility.is_none_or(|own| (0.0..=1.0).contains(&own)));
        if let (Some(component), Some(a)) = (item.component, a) {
            let (count, sum) = slopes.entry(component).or_default();
            (*count, *sum) = (*count + 1, *sum + a);
        }
    }
    // Components are numbered by size, and each is turned the right way round.
    assert!(slopes.keys().copied().eq(1..=slopes.len() as u32));
    let counts: Vec<u32> = slopes.values().map(|(count, _)| *count).collect();
    assert!(counts.windows(2).all(|two| two[0] >= two[1]), "{counts:?}");
    assert!(counts.iter().all(|&count| count >= 3));
    assert!(slopes.values().all(|(_, sum)| *sum >= 0.0), "{slopes:?}");
    let unfinished = told.run.is_some_and(|run| !run.converged);
    let warned = |what: &str| told.warnings.as_ref().is_some_and(|own| own.contains(what));
    assert_eq!(unfinished, warned("did not converge"));
    assert_eq!(slopes.len() > 1, warned("different components"));
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
    let se = |own: Option<Estimate>| own.and_then(|own| own.error).expect("an error").se;
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
fn parameters_and_errors_are_those_of_mirt_and_ltm() {
    let Some(data) = shared_data("parameters_and_errors_are_those_of_mirt_and_ltm", "items") else {
        return;
    };
    let (mut cells, mut agreeing, mut standard_errors) = (0, 0, 0);
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
        for (at, name, other) in [(0, "a", "Dscrmn"), (1, "b", "Dffclt")] {
            let [mirts, ltms] = [mirt.numbers(name), ltm.numbers(other)];
            let [low, high] = ["2.5", "97.5"].map(|end| mirt.numbers(&format!("{name}_CI_{end}")));
            for (place, item) in told.items.iter().enumerate() {
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

/// Answers of students with standard normal abilities to items with these slopes and intercepts.
fn simulate(rng: &mut ChaCha8Rng, students: usize, items: &[[f64; 2]]) -> Matrix {
    let abilities: Vec<f64> = (0..students).map(|_| normal(rng)).collect();
    let mut answer =
        |theta: f64, [a, d]: [f64; 2]| rng.gen_bool(1.0 / (1.0 + (-a * theta - d).exp()));
    abilities
        .into_iter()
        .map(|theta| {
            items
                .iter()
                .map(|&item| Some(answer(theta, item)))
                .collect()
        })
        .collect()
}

/// Items of usual slopes and intercepts.
fn usual_items(rng: &mut ChaCha8Rng, count: usize) -> Vec<[f64; 2]> {
    let mut item = || [(0.3 * normal(rng)).exp(), 1.2 * normal(rng)];
    (0..count).map(|_| item()).collect()
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

/// The logarithm of the probability of all answers, as plainly as it can be told.
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

/// The logarithm of the prior density, but for a constant.
fn slow_log_prior(parameters: &[[f64; 2]]) -> f64 {
    let own = |[a, d]: &[f64; 2]| -(a - 1.0).powi(2) / 2.0 - d.powi(2) / 8.0;
    parameters.iter().map(own).sum()
}

/// Slopes and intercepts as told.
fn parameters_of(told: &Calibration) -> Vec<[f64; 2]> {
    let own = told.items.iter().map(a_and_b);
    own.map(|[a, b]| [a, -a * b]).collect()
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

/// Holds told figures to the slow calculation: likelihood, a gradient of 0, errors.
fn assert_at_summit(told: &Calibration, answers: &Answers, settings: &Settings, fields: &[usize]) {
    let nodes = settings.nodes as usize;
    let run = told.run.expect("a fit");
    let parameters = parameters_of(told);
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
        let item = &told.items[field / 2];
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
        let told = solve_rows(&rows, &settings);
        assert!(told.run.is_some_and(|run| run.converged));
        let fields: Vec<usize> = (0..10).collect();
        assert_at_summit(&told, &answers, &settings, &fields);
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
    let told = solve_matrix(&matrix, &settings);
    let warnings = told.warnings.clone().expect("a warning");
    assert!(
        warnings.contains("More than 1000 questions are linked"),
        "{warnings}"
    );
    let kept: Vec<usize> = (0..1040)
        .filter(|&item| told.items[item].discrimination.is_some())
        .collect();
    assert!(kept.len() > 1000, "{}", kept.len());
    let kept_rows = |row: &Vec<Option<bool>>| kept.iter().map(|&item| row[item]).collect();
    let answers = answers_of(&matrix.iter().map(kept_rows).collect());
    let told = Calibration {
        items: kept.iter().map(|&item| told.items[item].clone()).collect(),
        ..told
    };
    assert_at_summit(&told, &answers, &settings, &[600, 601]);
}

#[test]
fn known_truth_is_recovered_and_intervals_hold_it() {
    let (mut held, mut told_of) = ([0.0; 2], 0.0);
    let mut errors = [0.0; 2];
    let runs = 25;
    for seed in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let mut items = usual_items(&mut rng, 12);
        // One has the wrong key.
        items[0][0] *= -1.0;
        let matrix = simulate(&mut rng, 400, &items);
        let told = solve_matrix(&matrix, &coarse(false));
        assert!(told.run.is_some_and(|run| run.converged));
        assert_eq!(told.items[0].status, CalibrationStatus::Negative);
        for (item, [a, d]) in told.items.iter().zip(&items) {
            told_of += 1.0;
            let truths = [*a, -d / a];
            for (at, own) in [item.discrimination, item.difficulty]
                .into_iter()
                .enumerate()
            {
                let own = own.expect("an estimate");
                let error = own.error.expect("an error");
                let within = error.ci_low <= truths[at] && truths[at] <= error.ci_high;
                held[at] += f64::from(u8::from(within));
                errors[at] += (own.value - truths[at]) / error.se;
            }
        }
    }
    let [a, b] = held.map(|held| held / told_of);
    let [bias_a, bias_b] = errors.map(|sum| sum / told_of);
    println!("of {told_of} intervals {a:.3} hold a, {b:.3} hold b; errors {bias_a:.2} {bias_b:.2}");
    for (held, bias) in [(a, bias_a), (b, bias_b)] {
        close(held, 0.95, 0.025, "coverage");
        close(bias, 0.0, 0.2, "mean error in standard errors");
    }
}

/// Mean of the told slopes less the true ones, over several draws of 2000 students.
fn bias_of_slopes(make: &dyn Fn(&mut ChaCha8Rng, &[[f64; 2]]) -> Matrix) -> f64 {
    let mut sum = 0.0;
    for seed in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(200 + seed);
        let items = usual_items(&mut rng, 20);
        let told = solve_matrix(&make(&mut rng, &items), &coarse(false));
        let slopes = told.items.iter().map(|item| a_and_b(item)[0]);
        sum += slopes.zip(&items).map(|(a, own)| a - own[0]).sum::<f64>();
    }
    sum / 60.0
}

#[test]
fn missing_answers_are_missing_and_not_wrong() {
    let half = |rng: &mut ChaCha8Rng, items: &[[f64; 2]]| -> Matrix {
        let mut matrix = simulate(rng, 2000, items);
        for answer in matrix.iter_mut().flatten() {
            *answer = answer.filter(|_| rng.gen_bool(0.5));
        }
        matrix
    };
    // Who does badly in the first half never sees the second.
    let routed = |rng: &mut ChaCha8Rng, items: &[[f64; 2]]| -> Matrix {
        let mut matrix = simulate(rng, 2000, items);
        for row in &mut matrix {
            let right = row[..10].iter().filter(|own| **own == Some(true)).count();
            if right < 5 {
                row[10..].fill(None);
            }
        }
        matrix
    };
    let as_wrong = |rng: &mut ChaCha8Rng, items: &[[f64; 2]]| -> Matrix {
        let wrong = |own: Option<bool>| Some(own.unwrap_or(false));
        let matrix = half(rng, items);
        let wrong = |row: Vec<Option<bool>>| row.into_iter().map(wrong).collect();
        matrix.into_iter().map(wrong).collect()
    };
    close(bias_of_slopes(&half), 0.0, 0.04, "half at random");
    close(bias_of_slopes(&routed), 0.0, 0.04, "by the first half");
    let bias = bias_of_slopes(&as_wrong);
    assert!(bias < -0.4, "{bias}");
}

/// The reason for the prior: what single classes of 30 say, over many draws.
#[test]
fn the_prior_keeps_small_classes_from_running_away() {
    let mut squares = [0.0; 2];
    let mut steep = [0; 2];
    let mut wrong_way = [0; 2];
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(300 + seed);
        let mut items = usual_items(&mut rng, 20);
        items[0][0] *= -1.0;
        let matrix = simulate(&mut rng, 30, &items);
        for (at, settings) in [coarse(false), coarse(true)].iter().enumerate() {
            for (item, [truth, _]) in solve_matrix(&matrix, settings).items.iter().zip(&items) {
                let Some(a) = item.discrimination else {
                    continue;
                };
                squares[at] += (a.value - truth).powi(2);
                steep[at] += u32::from(item.status == CalibrationStatus::Steep);
                wrong_way[at] += u32::from((a.value < 0.0) != (*truth < 0.0));
            }
        }
    }
    let [without, with] = squares.map(|sum: f64| (sum / 240.0).sqrt());
    println!(
        "error {without:.2} without, {with:.2} with; steep {steep:?}; wrong way {wrong_way:?}"
    );
    assert!(with < 0.55 && without > 2.0 * with, "{with} {without}");
    assert!(steep[0] > 5 && steep[1] == 0, "{steep:?}");
    assert!(wrong_way[1] < wrong_way[0], "{wrong_way:?}");
}

#[test]
fn order_and_names_change_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let items = usual_items(&mut rng, 8);
    let matrix = simulate(&mut rng, 200, &items);
    let mut rows = rows_of(&matrix);
    let told = solve_rows(&rows, &Settings::default());
    rows.shuffle(&mut rng);
    assert_eq!(solve_rows(&rows, &Settings::default()), told);
    // Other names bring another order of sums.
    let renamed: Matrix = matrix
        .iter()
        .rev()
        .map(|row| row.iter().rev().copied().collect())
        .collect();
    let exact = Settings {
        tolerance: 1e-10,
        ..Settings::default()
    };
    let told = solve_matrix(&matrix, &exact);
    let mut other = solve_matrix(&renamed, &exact);
    other.items.reverse();
    for (own, other) in told.items.iter().zip(&other.items) {
        for (own, other) in a_and_b(own).into_iter().zip(a_and_b(other)) {
            close(own, other, 1e-8, "a figure");
        }
    }
}

#[test]
fn another_key_turns_the_slope_and_not_the_difficulty() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let items = usual_items(&mut rng, 10);
    let mut matrix = simulate(&mut rng, 300, &items);
    let told = solve_matrix(&matrix, &plain());
    let turn = |matrix: &mut Matrix, item: usize| {
        for row in matrix {
            row[item] = row[item].map(|right| !right);
        }
    };
    turn(&mut matrix, 3);
    let turned = solve_matrix(&matrix, &plain());
    for (at, (own, other)) in told.items.iter().zip(&turned.items).enumerate() {
        let sign = if at == 3 { -1.0 } else { 1.0 };
        let [[a, b], [other_a, other_b]] = [own, other].map(a_and_b);
        close(sign * a, other_a, 1e-4, "slope");
        close(b, other_b, 1e-4, "difficulty");
        for (own, other) in errors(own).into_iter().zip(errors(other)) {
            close(own, other, 1e-4, "error");
        }
    }
    assert_eq!(turned.items[3].status, CalibrationStatus::Negative);
    assert_eq!(turned.items[3].status.rank(), 1);
    // With every key turned, wrong is right: the scale turns, and slopes stay positive.
    turn(&mut matrix, 3);
    for item in 0..10 {
        turn(&mut matrix, item);
    }
    let all = solve_matrix(&matrix, &plain());
    for (own, other) in told.items.iter().zip(&all.items) {
        let [[a, b], [other_a, other_b]] = [own, other].map(a_and_b);
        close(a, other_a, 1e-4, "slope");
        close(b, -other_b, 1e-4, "difficulty");
    }
}

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
    let told = solve_matrix(&both, &plain());
    let components: Vec<_> = told.items.iter().map(|item| item.component).collect();
    assert_eq!(
        components,
        [[Some(2); 4].to_vec(), [Some(1); 6].to_vec()].concat()
    );
    let alone = [small, large].map(|matrix| solve_matrix(&matrix, &plain()));
    let alone_items = alone.iter().flat_map(|own| &own.items);
    for (own, alone) in told.items.iter().zip(alone_items) {
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
        told.run.expect("a fit").log_likelihood,
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
    let told = solve_rows(&rows, &Settings::default());
    let labels: Vec<_> = told.items[5..]
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
    let facilities: Vec<_> = told.items[5..9].iter().map(|item| item.facility).collect();
    assert_eq!(facilities, [Some(1.0), Some(0.0), Some(59.5 / 60.0), None]);
    assert_eq!(told.warnings, None);
    // What cannot be calibrated does not touch the others.
    let alone = solve_rows(&sound, &Settings::default());
    assert_eq!(told.items[..5], alone.items);
    assert_eq!(told.run, alone.run);
    // With nine answers asked for, item 16 has enough.
    let options = Options {
        min_answers: 9.0,
        ..Options::default()
    };
    let told = solve_with(&rows, &options, &Settings::default());
    assert!(told.items[11].discrimination.is_some());
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
        let told = solve_with(&rows_of(matrix), options, &plain());
        assert_eq!(told.run, None);
        assert_eq!(told.warnings.is_some(), !told.items.is_empty());
        told.items.iter().map(|item| item.status.label()).collect()
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
        let told = solve_matrix(&matrix, &settings);
        let run = told.run.expect("a fit");
        (told, run)
    };
    let mut before = f64::NEG_INFINITY;
    for max_iterations in 1..=6 {
        let (told, run) = solve(max_iterations, 1e-6);
        assert!(!run.converged);
        assert_eq!(run.iterations, max_iterations);
        let warnings = told.warnings.expect("a warning");
        assert!(
            warnings.starts_with("The fit did not converge in"),
            "{warnings}"
        );
        assert!(told.items.iter().all(|item| item.discrimination.is_some()));
        assert!(
            told.items
                .iter()
                .all(|item| item.discrimination.is_some_and(|a| a.error.is_none()))
        );
        let value = run.log_likelihood
            + slow_log_prior(&parameters_of(&Calibration {
                warnings: None,
                ..told
            }));
        assert!(value >= before, "{value} after {before}");
        before = value;
    }
    let (told, run) = solve(500, 1e300);
    assert!(run.converged && run.iterations == 1 && told.warnings.is_none());
    let (_, run) = solve(40, 5e-324);
    assert!(run.iterations <= 40);
    let (told, _) = solve(500, 1e-6);
    let (exact, _) = solve(500, 1e-10);
    for (own, exact) in told.items.iter().zip(&exact.items) {
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
    let told = solve_matrix(&matrix, &plain());
    for at in [0, 5, 6] {
        assert_eq!(
            told.items[at].status,
            CalibrationStatus::Steep,
            "{:?}",
            told.items[at]
        );
    }
    let warnings = told.warnings.expect("a warning");
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
        let told = solve::calibrate(&book, &Options::default(), &settings, &go);
        let error = told.expect_err("a refusal").to_string();
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
