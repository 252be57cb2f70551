//! Where the truth is known, it is recovered; order, names and keys change nothing.

use pg_assess_core::questions::calibrate::{CalibrationStatus, Settings};
use pg_assess_test_support::close;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Matrix, a_and_b, coarse, errors, plain, rows_of, simulate, solve_matrix, solve_rows,
    usual_items,
};

#[test]
fn known_truth_is_recovered_and_intervals_hold_it() {
    let (mut held, mut intervals) = ([0.0; 2], 0.0);
    let mut errors = [0.0; 2];
    let runs = 25;
    for seed in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let mut items = usual_items(&mut rng, 12);
        // One has the wrong key.
        items[0][0] *= -1.0;
        let matrix = simulate(&mut rng, 400, &items);
        let fitted = solve_matrix(&matrix, &coarse(false));
        assert!(fitted.run.is_some_and(|run| run.converged));
        assert_eq!(fitted.items[0].status, CalibrationStatus::Negative);
        for (item, [a, d]) in fitted.items.iter().zip(&items) {
            intervals += 1.0;
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
    let [a, b] = held.map(|held| held / intervals);
    let [bias_a, bias_b] = errors.map(|sum| sum / intervals);
    println!(
        "of {intervals} intervals {a:.3} hold a, {b:.3} hold b; errors {bias_a:.2} {bias_b:.2}"
    );
    for (held, bias) in [(a, bias_a), (b, bias_b)] {
        close(held, 0.95, 0.025, "coverage");
        close(bias, 0.0, 0.2, "mean error in standard errors");
    }
}

/// Mean of the reported slopes less the true ones, over several draws of 2000 students.
fn bias_of_slopes(make: &dyn Fn(&mut ChaCha8Rng, &[[f64; 2]]) -> Matrix) -> f64 {
    let mut sum = 0.0;
    for seed in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(200 + seed);
        let items = usual_items(&mut rng, 20);
        let fitted = solve_matrix(&make(&mut rng, &items), &coarse(false));
        let slopes = fitted.items.iter().map(|item| a_and_b(item)[0]);
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
    let fitted = solve_rows(&rows, &Settings::default());
    rows.shuffle(&mut rng);
    assert_eq!(solve_rows(&rows, &Settings::default()), fitted);
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
    let fitted = solve_matrix(&matrix, &exact);
    let mut other = solve_matrix(&renamed, &exact);
    other.items.reverse();
    for (own, other) in fitted.items.iter().zip(&other.items) {
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
    let fitted = solve_matrix(&matrix, &plain());
    let turn = |matrix: &mut Matrix, item: usize| {
        for row in matrix {
            row[item] = row[item].map(|right| !right);
        }
    };
    turn(&mut matrix, 3);
    let turned = solve_matrix(&matrix, &plain());
    for (at, (own, other)) in fitted.items.iter().zip(&turned.items).enumerate() {
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
    for (own, other) in fitted.items.iter().zip(&all.items) {
        let [[a, b], [other_a, other_b]] = [own, other].map(a_and_b);
        close(a, other_a, 1e-4, "slope");
        close(b, -other_b, 1e-4, "difficulty");
    }
}
