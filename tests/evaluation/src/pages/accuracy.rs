//! Accuracy of what is predicted, by method.

use pg_assess_core::forecasts::backtest::{Difference, Figures, Method};
use pg_assess_core::statistics::quantile::quantile;

use super::oulad;
use crate::backtest::{self, Case, Known, Predicted, of};
use crate::data::Course;
use crate::page::{Page, count, percent, signed, whole_percent};
use crate::plot::{Plot, Scale};
use crate::statistics::{Count, mean};

/// How a method is called on the pages.
pub fn name(method: Method) -> String {
    method.label().replace('_', " ")
}

/// A difference with its interval.
pub fn difference(difference: Option<Difference>, decimals: usize) -> String {
    let Some(Difference { value, low, high }) = difference else {
        return String::new();
    };
    let signed = |value: Option<f64>| signed(value.expect("students enough"), decimals);
    format!(
        "{} ({} to {})",
        signed(Some(value)),
        signed(low),
        signed(high)
    )
}

/// A figure that every method has but an order without errors.
pub fn figure(value: Option<f64>, decimals: usize) -> String {
    value.map_or(String::new(), |value| format!("{value:.decimals$}"))
}

/// The page.
pub fn page(courses: &[Course], next: &Predicted, ahead: &Predicted) -> Page {
    let (by_student, days) = (next.by_student(), ahead.by_student());
    let (few, errors_of_few) = next.few(2);
    let mut page = Page::new(
        "accuracy",
        "How well are later scores predicted?",
        &answers(next, &by_student, &days, errors_of_few),
    );
    let tables = [("Next score", &by_student), ("Next 90 days", &days)];
    gains_over_the_mean(&mut page, &tables);
    for (target, figures) in tables {
        page.section(target);
        page.paragraph(&format!(
            "{} forecasts.",
            count(of(figures, Method::Level).n as f64)
        ));
        method_table(&mut page, figures);
    }
    gains_by_course(&mut page, next, ahead);
    page.section("How often wrong by how much");
    page.picture(
        "accuracy_errors",
        "Distribution of the error of the next score for level, plain mean and last score",
        error_picture(next),
    );
    error_table(&mut page, next, ahead);
    page.section("When students did not take the same tests");
    hidden_results(&mut page, courses);
    page.section("How it was done");
    how_it_was_done(&mut page, courses, next, few);
    page.section("Limits");
    limits(&mut page, of(&by_student, Method::Level));
    oulad(&mut page);
    page
}

fn rmse(figures: &Figures) -> f64 {
    figures.rmse.expect("an error")
}

fn rho(figures: &Figures) -> f64 {
    figures.rank_correlation.expect("an order")
}

fn answers(
    next: &Predicted,
    by_student: &[Figures],
    days: &[Figures],
    [few_level, few_mean]: [f64; 2],
) -> Vec<String> {
    let [plain, level] = [Method::OverallMean, Method::Level].map(|method| of(by_student, method));
    let [plain_days, level_days] =
        [Method::OverallMean, Method::Level].map(|method| of(days, method));
    let recall = |figures: &Figures| figures.recall.expect("a recall");
    let points = |figures: &Figures| format!("{:.1}", 100.0 * rmse(figures));
    let errors = sizes(next, |case| case.error());
    vec![
        format!(
            "A little better than by a plain mean: the next score is missed by {} points in a \
             hundred (root mean square) where the plain mean misses it by {}, the mean of the \
             next 90 days by {} against {}.",
            points(level),
            points(plain),
            points(level_days),
            points(plain_days)
        ),
        format!(
            "What earlier scores show is limited, whoever reads them. Half of the next scores \
             lie within {:.0} points of the level, one in ten is more than {:.0} points off.",
            100.0 * quantile(&errors, 0.5).expect("forecasts"),
            100.0 * quantile(&errors, 0.9).expect("forecasts")
        ),
        format!(
            "The gain is largest where there is little to go by: of students with one or two \
             scores the next is missed by {:.1} points, by the plain mean {:.1}.",
            100.0 * few_level,
            100.0 * few_mean
        ),
        format!(
            "The order of students comes out as before or slightly better (rank correlation \
             {:.3} against {:.3}, and {:.3} against {:.3} for 90 days). Of the true lowest \
             fifth of the next 90 days {} are found, by the plain mean {}; chance is 20 %.",
            rho(level),
            rho(plain),
            rho(level_days),
            rho(plain_days),
            percent(recall(level_days), 1),
            percent(recall(plain_days), 1)
        ),
        "The latest score alone is the worst guide of all.".to_owned(),
    ]
}

/// What the methods gain over the plain mean, in pictures.
fn gains_over_the_mean(page: &mut Page, tables: &[(&str, &Vec<Figures>); 2]) {
    page.picture(
        "accuracy_error",
        "Difference in root mean square error to the plain mean of all scores, by method",
        difference_picture(
            "Error against that of the plain mean",
            "difference in root mean square error",
            (-0.006, 0.004),
            0,
            tables,
        ),
    );
    page.picture(
        "accuracy_order",
        "Difference in rank correlation to the plain mean of all scores, by method",
        difference_picture(
            "Rank correlation against that of the plain mean",
            "difference in rank correlation",
            (-0.02, 0.02),
            1,
            tables,
        ),
    );
    let [(_, next), _] = tables;
    let last = of(next, Method::LastScore);
    page.paragraph(&format!(
        "Left of the dashed line an error is smaller than that of the plain mean of all scores, \
         right of it an order is closer to the truth. The last score is off both pictures: {} and \
         {} for the next score.",
        signed(change(last, 0).value, 3),
        signed(change(last, 1).value, 3)
    ));
}

/// How to read the tables of methods, and what the level gains when whole courses are drawn.
fn gains_by_course(page: &mut Page, next: &Predicted, ahead: &Predicted) {
    page.paragraph(
        "From top to bottom: mean of all scores, the latest, the mean of the latest three, the \
         mean under decay (half-life 60 days), the mean with difficulty taken out, both together, \
         the same drawn to the cohort where evidence is thin, the same with questions weighed by \
         quality (`level`), and the order of `need`. `recall` is the share of the true lowest \
         fifth that is among the fifth named. In brackets 95 % intervals by drawing students. \
         What is special about a course is not in these; drawing whole courses instead gives for \
         the level less the plain mean:",
    );
    let of_course = |predicted: &Predicted, at| {
        let figures = predicted.by_course();
        difference(of(&figures, Method::Level).differences[at], 4)
    };
    page.list(&[
        format!(
            "next score: error {}, rank correlation {};",
            of_course(next, 0),
            of_course(next, 1)
        ),
        format!(
            "next 90 days: error {}, rank correlation {}.",
            of_course(ahead, 0),
            of_course(ahead, 1)
        ),
    ]);
}

/// How well it goes when some results are hidden.
fn hidden_results(page: &mut Page, courses: &[Course]) {
    page.paragraph(
        "All students of a course take the same assessments, so that difficulty hardly matters. \
         To see whether it is taken out where it does, some of the earlier results are hidden: \
         each with probability one half; or students are dealt to two tracks, of which the one \
         keeps its results on the easier half of the assessments and the other on the harder half, \
         and a tenth of the rest. Without that tenth nothing links the tracks, a hard test cannot \
         be distinguished from a weak group, and little is gained.",
    );
    let rows = [
        ("each with probability one half", Known::Half),
        ("two tracks, linked by a tenth", Known::TwoTracks),
        ("two tracks, nothing in common", Known::TwoTracksApart),
    ]
    .map(|(what, known)| {
        let figures = backtest::next(courses, known).by_course();
        let mut row = vec![what.to_owned()];
        for method in [Method::OverallMean, Method::AdjustedMean, Method::Level] {
            let own = of(&figures, method);
            row.push(format!("{:.4}, {:.3}", rmse(own), rho(own)));
        }
        row.push(difference(
            of(&figures, Method::AdjustedMean).differences[1],
            3,
        ));
        row
    });
    page.table(
        &[
            "results kept",
            "overall mean",
            "adjusted mean",
            "level",
            "adjusted mean: gain in rank correlation",
        ],
        &rows,
    );
    page.paragraph(
        "Error and rank correlation of the next score; intervals by drawing whole courses.",
    );
}

fn how_it_was_done(page: &mut Page, courses: &[Course], next: &Predicted, few: Count) {
    page.paragraph(&format!(
        "Real university courses, {} presentations, {} students with a forecast. **Next score:** \
         for each assessment of a course, the moment at which the first twentieth had handed it \
         in; it is predicted for everybody else from what they had handed in of the others by \
         then. **Next 90 days:** on days {} of each course, the mean of what came in the following \
         90 days, where that is at least two scores. Predictions and outcomes are measured from \
         the mean of those with the same target, as nobody could know how hard it would be, and \
         nothing later than the date is used. Difficulty is taken out of outcomes by a fit to the \
         whole course. `assess.backtest` does the same with any gradebook.",
        courses.len(),
        count(students(next) as f64),
        backtest::DAYS.map(|day| day.to_string()).join(", ")
    ));
    page.paragraph(&format!(
        "Students with one or two scores ({} forecasts) are compared among themselves: outcome and \
         prediction are measured from their own mean.",
        count(few.of)
    ));
}

fn limits(page: &mut Page, level: &Figures) {
    page.list(&[
        format!(
            "Earlier scores predict only so much: {} of the differences in rank on the next score \
             are left open (one minus the square of the rank correlation). The study from which \
             the goals come gave the same courses to a flexible learning method with a dozen \
             features of each history, and it did hardly better.",
            whole_percent(1.0 - rho(level).powi(2))
        ),
        "Students who leave have no later scores and are not predicted.".to_owned(),
        "Each assessment of these courses is one score, so that question weights have next to \
         nothing to do here; [they are tried elsewhere](questions.md)."
            .to_owned(),
        "The half-life of 60 days, what shrinking goes by and the eight degrees of freedom of the \
         noise were chosen after these very courses had been seen. The choices are few, but the \
         figures are not out of sample."
            .to_owned(),
    ]);
}

/// Figures of all methods.
pub fn method_table(page: &mut Page, figures: &[Figures]) {
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|own| {
            vec![
                name(own.method),
                figure(own.rmse, 4),
                figure(own.rank_correlation, 3),
                figure(own.recall, 3),
                difference(own.differences[0], 4),
                difference(own.differences[1], 3),
            ]
        })
        .collect();
    page.table(
        &[
            "method",
            "error",
            "rank correlation",
            "recall",
            "error less that of the mean",
            "rank correlation less that of the mean",
        ],
        &rows,
    );
}

fn change(figures: &Figures, at: usize) -> Difference {
    figures.differences[at].expect("another method than the mean")
}

fn students(predicted: &Predicted) -> usize {
    let mut students: Vec<i64> = predicted.cases.iter().map(|case| case.student).collect();
    students.sort_unstable();
    students.dedup();
    students.len()
}

fn difference_picture(
    title: &str,
    words: &'static str,
    range: (f64, f64),
    at: usize,
    tables: &[(&str, &Vec<Figures>)],
) -> String {
    const METHODS: [Method; 6] = [
        Method::LastThreeMean,
        Method::DecayedMean,
        Method::AdjustedMean,
        Method::AdjustedDecayedMean,
        Method::ShrunkLevel,
        Method::Level,
    ];
    let step = if at == 0 { 0.002 } else { 0.01 };
    let x = Scale::steps(words, range, step, |v| signed(v, 3));
    // From top to bottom as in the table.
    let names = METHODS.iter().rev().map(|method| name(*method));
    let y = Scale::places("95 % intervals by drawing students", names);
    let mut plot = Plot::named(title, &x, &y);
    plot.upright(0.0);
    for (&(target, figures), shift) in tables.iter().zip([0.12, -0.12]) {
        let points: Vec<(f64, f64, (f64, f64))> = (0..)
            .map(f64::from)
            .zip(METHODS.into_iter().rev())
            .map(|(place, method)| {
                let own = change(of(figures, method), at);
                let interval = own.low.zip(own.high).expect("students enough");
                (own.value, place + shift, interval)
            })
            .collect();
        plot.intervals(&target.to_lowercase(), &points);
    }
    plot.finish()
}

/// Sizes of errors, ascending.
fn sizes(predicted: &Predicted, error: impl Fn(&Case) -> f64) -> Vec<f64> {
    let mut sizes: Vec<f64> = predicted
        .cases
        .iter()
        .map(|case| error(case).abs())
        .collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes
}

type Error = fn(&Case) -> f64;
const ERRORS: [(&str, Error); 3] = [
    ("level", |case| case.error()),
    ("overall mean", |case| case.observed - case.overall_mean),
    ("last score", |case| case.observed - case.last_score),
];

fn error_table(page: &mut Page, next: &Predicted, ahead: &Predicted) {
    let mut rows = Vec::new();
    for (target, predicted) in [("next score", next), ("next 90 days", ahead)] {
        for (name, error) in ERRORS {
            let sizes = sizes(predicted, error);
            let mut row = vec![target.to_owned(), name.to_owned()];
            for share in [0.5, 0.8, 0.9, 0.95] {
                row.push(format!(
                    "{:.1}",
                    100.0 * quantile(&sizes, share).expect("forecasts")
                ));
            }
            for most in [0.05, 0.10, 0.20] {
                let within = mean(sizes.iter().map(|size| f64::from(*size <= most)));
                row.push(whole_percent(within));
            }
            rows.push(row);
        }
    }
    page.paragraph(
        "Sizes of errors in points of a hundred: the half, the eight tenths and so on \
        lie within them; and how many lie within 5, 10 and 20 points.",
    );
    page.table(
        &[
            "predicted",
            "by",
            "50 %",
            "80 %",
            "90 %",
            "95 %",
            "within 5",
            "within 10",
            "within 20",
        ],
        &rows,
    );
}

fn error_picture(next: &Predicted) -> String {
    const BIN: f64 = 0.05;
    let error = Scale::steps("score less what was predicted", (-0.5, 0.5), 0.1, |v| {
        signed(v, 1)
    });
    let share = Scale::steps("share of forecasts", (0.0, 0.25), 0.05, whole_percent);
    let mut plot = Plot::new("Errors of the next score", &error, &share);
    for (name, error) in ERRORS {
        let bins: Vec<(f64, f64)> = (-10..10)
            .map(|bin| {
                let low = f64::from(bin) * BIN;
                let inside = next
                    .cases
                    .iter()
                    .filter(|case| (low..low + BIN).contains(&error(case)));
                let share = inside.count() as f64 / next.cases.len() as f64;
                (low + BIN / 2.0, share)
            })
            .collect();
        plot.line(name, &bins);
    }
    plot.finish()
}
