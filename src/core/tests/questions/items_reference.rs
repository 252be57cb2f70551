//! Item statistics against R: psych, CTT and base R on eleven published matrices of persons by
//! items, and against an obvious calculation where answers are missing.
//!
//! The figures of psych and base R were written with ten decimals, so they are held to 1e-9, and
//! so are those of CTT, which have fifteen.

use pg_assess_test_support::difficulty::SlowDifficulty;
use pg_assess_test_support::solve;
use std::path::Path;

use pg_assess_core::assessments::Assessment;
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::options::Options;
use pg_assess_core::solve::Item;
use pg_assess_core::statistics::alpha;
use pg_assess_test_support::{
    OwnId, OwnRow, Table, close, close_option, go, gradebook, row, shared_data,
};

use crate::reliability::{slow_covariances, slow_reliability};

const TOLERANCE: f64 = 1e-9;

/// Persons by items.
struct Matrix {
    items: Vec<String>,
    scores: Vec<Vec<Option<f64>>>,
    max: f64,
}

impl Matrix {
    fn read(path: &Path, max: f64) -> Self {
        let table = Table::read(path);
        let items = table.items();
        let columns: Vec<_> = items.iter().map(|item| table.numbers(item)).collect();
        let scores = (0..table.rows.len())
            .map(|person| columns.iter().map(|column| column[person]).collect())
            .collect();
        Self { items, scores, max }
    }

    fn complete(mut self) -> Self {
        self.scores
            .retain(|row| row.iter().all(|score| score.is_some()));
        self
    }

    /// One assessment, and what is known of it; items by the order of the columns.
    fn solve(&self, options: &Options) -> (Vec<Item>, Assessment) {
        let mut rows = Vec::new();
        for (person, scores) in (0..).zip(&self.scores) {
            for (item, score) in (0..).zip(scores) {
                rows.push(OwnRow {
                    score: *score,
                    max_score: MaxScore::Points(Some(self.max)),
                    assessment: Some(OwnId::Text("the test".to_owned())),
                    ..row(person, item, 0, 0.0, 0.0)
                });
            }
        }
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let mut assessments = solve::assessments(&book, options, &go).expect("assessments");
        assert_eq!(assessments.len(), 1);
        let items = solve::items(&book, options, &go).expect("items");
        assert_eq!(items.len(), self.items.len());
        (items, assessments.remove(0).1)
    }
}

/// A matrix of the shared data and the ending of its reference files.
struct Set {
    folder: &'static str,
    responses: &'static str,
    ending: &'static str,
    max: f64,
    persons: usize,
}

const SETS: [Set; 13] = [
    set("lsat6", "", "", 1.0, 1000),
    set("lsat7", "", "", 1.0, 1000),
    set("hci", "", "", 1.0, 651),
    set("ecpe", "", "", 1.0, 2922),
    set("fraction_subtraction", "", "", 1.0, 536),
    set("spm_ls", "", "", 1.0, 499),
    set("revised_psvtr", "", "", 1.0, 516),
    set("sat12", "", "", 1.0, 600),
    set("verbagg", "_dichotomous", "_dichotomous", 1.0, 316),
    set("verbagg", "_0to2", "_0to2", 2.0, 316),
    set("mathexam14w", "_solved", "_solved", 1.0, 729),
    set("mathexam14w", "_credits", "_credits", 2.0, 729),
    set("ability16", "", "_complete", 1.0, 1248),
];

const fn set(
    folder: &'static str,
    responses: &'static str,
    ending: &'static str,
    max: f64,
    persons: usize,
) -> Set {
    Set {
        folder,
        responses,
        ending,
        max,
        persons,
    }
}

#[test]
fn complete_matrices_give_the_figures_of_r() {
    let test = "complete_matrices_give_the_figures_of_r";
    let Some(data) = shared_data(test, "items") else {
        return;
    };
    for set in SETS {
        let folder = data.join(set.folder);
        let reference =
            |name: &str| Table::read(&folder.join(format!("ref_{name}{}.csv", set.ending)));
        let responses = folder.join(format!("responses_wide{}.csv", set.responses));
        let matrix = Matrix::read(&responses, set.max).complete();
        assert_eq!(matrix.scores.len(), set.persons, "{}", set.folder);
        for adjust in [true, false] {
            // On complete data difficulty shifts every criterion alike.
            let options = Options {
                adjust_difficulty: adjust,
                ..Options::default()
            };
            let (items, assessment) = matrix.solve(&options);

            let psych = reference("psych_alpha_items");
            let base = reference("base_cor");
            let ctt = reference("CTT_itemAnalysis");
            assert_eq!(psych.texts("item"), matrix.items);
            assert_eq!(base.texts("item"), matrix.items);
            assert_eq!(ctt.texts("itemName"), matrix.items);
            for (at, item) in items.iter().enumerate() {
                let what = format!("{}{} {}", set.folder, set.ending, matrix.items[at]);
                let r_rest = item.quality.r_rest;
                close_option(r_rest, psych.numbers("r.drop")[at], TOLERANCE, &what);
                close_option(r_rest, base.numbers("r_item_rest")[at], TOLERANCE, &what);
                close_option(r_rest, ctt.numbers("pBis")[at], TOLERANCE, &what);
                let facility = item.facility.expect("a bounded item") * set.max;
                close_option(Some(facility), psych.numbers("mean")[at], TOLERANCE, &what);
                close_option(
                    Some(facility),
                    ctt.numbers("itemMean")[at],
                    TOLERANCE,
                    &what,
                );
                assert_eq!(item.quality.n as usize, set.persons);
                close(
                    item.quality.n_effective,
                    set.persons as f64,
                    TOLERANCE,
                    &what,
                );
            }

            let total = reference("psych_alpha_total");
            let what = format!("{}{}", set.folder, set.ending);
            let check = |ours: Option<f64>, name: &str, factor: f64| {
                let ours = ours.map(|figure| figure * factor);
                close_option(
                    ours,
                    total.numbers(name)[0],
                    TOLERANCE,
                    &format!("{what} {name}"),
                );
            };
            check(assessment.alpha, "raw_alpha", 1.0);
            check(assessment.alpha_se, "ase", 1.0);
            check(assessment.mean, "mean", set.max);
            check(assessment.sd, "sd", set.max);
            let ctt_alpha = ctt.numbers("alpha_scale")[0];
            close_option(assessment.alpha, ctt_alpha, TOLERANCE, &what);
            assert_eq!(assessment.items as usize, matrix.items.len());
            assert_eq!(assessment.students as usize, set.persons);
        }
    }
}

/// The buffer of complete rows.
fn alpha_state(table: &[Vec<f64>]) -> Vec<f64> {
    let mut state = vec![0.0; alpha::length(table[0].len())];
    for row in table {
        alpha::push(&mut state, row);
    }
    state
}

/// The formula of Kuder and Richardson 1937 for right and wrong, with n under every variance.
fn kr20(table: &[Vec<f64>]) -> f64 {
    let (n, k) = (table.len() as f64, table[0].len());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let column = |at: usize| -> Vec<f64> { table.iter().map(|row| row[at]).collect() };
    let shares = (0..k).map(|at| mean(&column(at)));
    let within: f64 = shares.map(|p| p * (1.0 - p)).sum();
    let totals: Vec<f64> = table.iter().map(|row| row.iter().sum()).collect();
    let centre = mean(&totals);
    let total = totals.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / n;
    k as f64 / (k as f64 - 1.0) * (1.0 - within / total)
}

#[test]
fn alpha_of_complete_rows_is_that_of_psych() {
    let test = "alpha_of_complete_rows_is_that_of_psych";
    let Some(data) = shared_data(test, "items") else {
        return;
    };
    for set in SETS {
        let what = format!("{}{}", set.folder, set.ending);
        let folder = data.join(set.folder);
        let responses = folder.join(format!("responses_wide{}.csv", set.responses));
        let matrix = Matrix::read(&responses, set.max).complete();
        let table: Vec<Vec<f64>> = matrix
            .scores
            .into_iter()
            .map(|row| row.into_iter().flatten().collect())
            .collect();
        let total = Table::read(&folder.join(format!("ref_psych_alpha_total{}.csv", set.ending)));
        let (third, rest) = table.split_at(table.len() / 3);
        let mut merged = alpha_state(third);
        alpha::merge(&mut merged, &alpha_state(rest));
        for state in [alpha_state(&table), merged] {
            assert_eq!(alpha::rows(&state), set.persons as f64);
            let ours = alpha::alpha(&state);
            close_option(ours, total.numbers("raw_alpha")[0], TOLERANCE, &what);
            let ours = alpha::alpha_se(&state);
            close_option(ours, total.numbers("ase")[0], TOLERANCE, &what);
        }
        if set.max == 1.0 {
            let ours = alpha::alpha(&alpha_state(&table));
            close_option(ours, Some(kr20(&table)), 1e-12, &what);
        }
    }
}

/// The weighted correlation of (x, y, w).
fn slow_correlation(pairs: &[(f64, f64, f64)]) -> f64 {
    let total: f64 = pairs.iter().map(|(.., w)| w).sum();
    let mean = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        pairs.iter().map(|pair| pair.2 * of(pair)).sum::<f64>() / total
    };
    let (mx, my) = (mean(&|p| p.0), mean(&|p| p.1));
    let (xx, yy) = (mean(&|p| (p.0 - mx).powi(2)), mean(&|p| (p.1 - my).powi(2)));
    mean(&|p| (p.0 - mx) * (p.1 - my)) / (xx * yy).sqrt()
}

#[test]
fn missing_answers_give_pairwise_alpha_and_adjusted_rests() {
    let test = "missing_answers_give_pairwise_alpha_and_adjusted_rests";
    let Some(data) = shared_data(test, "items/ability16") else {
        return;
    };
    let matrix = Matrix::read(&data.join("responses_wide.csv"), 1.0);
    let (items, assessment) = matrix.solve(&Options::default());

    let total = Table::read(&data.join("ref_psych_alpha_total_pairwise.csv"));
    // That of all questions, while ours is that of as many as a student answers.
    let covariances = slow_covariances(&matrix.scores);
    let k = matrix.items.len() as f64;
    let trace: f64 = (0..matrix.items.len())
        .map(|at| covariances[at][at].1)
        .sum();
    let sum: f64 = covariances.iter().flatten().map(|pair| pair.1).sum();
    let whole = k / (k - 1.0) * (1.0 - trace / sum);
    close_option(
        Some(whole),
        total.numbers("raw_alpha")[0],
        TOLERANCE,
        "alpha",
    );
    let (variance, error, se) = slow_reliability(&matrix.scores);
    let expected = 1.0 - error / variance;
    close_option(assessment.alpha, Some(expected), TOLERANCE, "alpha");
    close_option(assessment.alpha_se, se, TOLERANCE, "alpha_se");
    // By the formula of Spearman and Brown it is nearly the same.
    let answers: Vec<f64> = matrix
        .scores
        .iter()
        .map(|row| row.iter().flatten().count() as f64)
        .filter(|&answers| answers > 0.0)
        .collect();
    let shares: f64 = answers.iter().map(|answers| 1.0 / answers).sum();
    let factor = answers.len() as f64 / shares / k;
    let shorter = factor * whole / (1.0 + (factor - 1.0) * whole);
    close(expected, shorter, 0.02, "alpha");
    close_option(assessment.mean, total.numbers("mean")[0], TOLERANCE, "mean");
    close_option(assessment.sd, total.numbers("sd")[0], TOLERANCE, "sd");
    let psych = Table::read(&data.join("ref_psych_alpha_items_pairwise.csv"));

    let mut answers = Vec::new();
    for (person, row) in matrix.scores.iter().enumerate() {
        let own = row.iter().enumerate();
        answers.extend(own.filter_map(|(item, score)| Some((person, item, (*score)?))));
    }
    let difficulty = SlowDifficulty::new(&answers, true);
    let effects = &difficulty.effect;
    let (residual, ability) = difficulty.components.expect("variances");
    let half = residual / ability;
    for (at, item) in items.iter().enumerate() {
        let mut pairs = Vec::new();
        for row in &matrix.scores {
            let Some(score) = row[at] else { continue };
            let rest: Vec<f64> = (0..row.len())
                .filter(|other| *other != at)
                .filter_map(|other| Some(row[other]? - effects[other]))
                .collect();
            if !rest.is_empty() {
                let k = rest.len() as f64;
                pairs.push((score, rest.iter().sum::<f64>() / k, k / (k + half)));
            }
        }
        let what = &matrix.items[at];
        let expected = slow_correlation(&pairs);
        close_option(item.quality.r_rest, Some(expected), TOLERANCE, what);
        close_option(item.facility, psych.numbers("mean")[at], TOLERANCE, what);
        // Another convention, so not the same, but the same story.
        let theirs = psych.numbers("r.drop")[at].expect("a correlation");
        close(expected, theirs, 0.02, what);
    }
}

#[test]
fn what_does_not_vary_has_no_correlation() {
    let mut rows = Vec::new();
    for person in 0..40 {
        let right = |item: i64| f64::from(u8::from((person * 7 + item * 3) % 5 < 2));
        for item in 0..4 {
            rows.push(row(person, item, 1, right(item), 0.0));
        }
        rows.push(row(person, 4, 1, 0.7, 0.0));
    }
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    assert!(items[..4].iter().all(|item| item.quality.r_rest.is_some()));
    let dull = &items[4];
    assert_eq!(dull.quality.r_rest, None);
    assert_eq!(dull.quality.discrimination, None);
    assert_eq!(dull.quality.status.label(), "no_variance");
    assert_eq!(dull.separation.somers_d, None);
    close_option(
        dull.separation.discrimination_index,
        Some(0.0),
        1e-15,
        "index",
    );
}

#[test]
fn alpha_needs_items_that_enough_students_share() {
    let options = Options::default();
    let solve = |shared: i64, alone: i64| {
        let mut rows = Vec::new();
        for person in 0..shared + alone {
            rows.push(row(person, 0, 1, (person % 2) as f64, 0.0));
            if person < shared {
                rows.push(row(person, 1, 1, (person % 3 % 2) as f64, 0.0));
            }
        }
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let mut assessments = solve::assessments(&book, &options, &go).expect("assessments");
        assessments.remove(0).1
    };
    assert!(solve(10, 20).alpha.is_some());
    let too_few = solve(9, 20);
    assert_eq!(
        (too_few.alpha, too_few.alpha_se, too_few.sem),
        (None, None, None)
    );
    assert!(too_few.sd.is_some());
    // A class of five has nobody else.
    assert!(solve(5, 0).alpha.is_some());
}
