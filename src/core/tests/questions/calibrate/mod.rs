//! Two-parameter logistic calibration against R's `mirt` and `ltm` on published tests, against a
//! slow and obvious calculation of the likelihood, and on simulated answers whose truth is known.

mod edges;
mod slow;
mod truth;

use pg_assess_test_support::solve::{self, Ask};
use std::collections::BTreeMap;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::calibrate::{
    CalibratedItem, Calibration, CalibrationStatus, Estimate, Settings,
};
use pg_assess_test_support::{OwnRow, go, gradebook, normal, row};
use rand::Rng;
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
    let fitted = solve::calibrate(&book, options, settings, &go).expect("a calibration");
    let items = solve::items(&book, options, &go).expect("items");
    let expected = items.iter().map(|item| (item.item, item.quality.n));
    assert!(
        fitted
            .items
            .iter()
            .map(|item| (item.item, item.n))
            .eq(expected)
    );
    assert_sound(&fitted);
    fitted
}

/// What holds whatever the data.
fn assert_sound(fitted: &Calibration) {
    let text = format!("{fitted:?}");
    assert!(!text.contains("NaN") && !text.contains("inf,"), "{text}");
    let calibrated = |item: &&CalibratedItem| item.discrimination.is_some();
    let any = fitted.items.iter().any(|item| calibrated(&item));
    assert_eq!(any, fitted.run.is_some());
    let mut slopes = BTreeMap::<u32, (u32, f64)>::new();
    for item in &fitted.items {
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
                assert!(fitted.run.is_some_and(|run| run.converged));
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
    let unfinished = fitted.run.is_some_and(|run| !run.converged);
    let warned = |what: &str| {
        fitted
            .warnings
            .as_ref()
            .is_some_and(|own| own.contains(what))
    };
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

/// The logarithm of the prior density, but for a constant.
fn slow_log_prior(parameters: &[[f64; 2]]) -> f64 {
    let own = |[a, d]: &[f64; 2]| -(a - 1.0).powi(2) / 2.0 - d.powi(2) / 8.0;
    parameters.iter().map(own).sum()
}

/// Slopes and intercepts as reported.
fn parameters_of(fitted: &Calibration) -> Vec<[f64; 2]> {
    let own = fitted.items.iter().map(a_and_b);
    own.map(|[a, b]| [a, -a * b]).collect()
}
