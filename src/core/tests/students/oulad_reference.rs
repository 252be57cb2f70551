//! Levels and trends against R on real courses: the Open University Learning Analytics Dataset
//! (Kuzilek, Hlosta and Zdrahal 2017, CC BY 4.0). R took every student of a presentation with at
//! least four scores that are not carried over from an earlier one.

use pg_assess_test_support::solve;
use std::collections::{BTreeMap, HashMap};

use pg_assess_core::gradebook::{Gradebook, Id, MaxScore};
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::statistics::kendall::kendall;
use pg_assess_core::statistics::theil_sen::theil_sen;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{
    OwnRow, Table, close, close_option, go, gradebook, integer, number, row, shared_data,
};

/// R's figures have ten decimals on the scale 0 to 100.
const TOLERANCE: f64 = 1e-9;

type Presentation = (String, String);

/// Responses by presentation: each assessment is one item.
fn presentations(folder: &std::path::Path) -> BTreeMap<Presentation, Vec<OwnRow>> {
    let assessments = Table::read(&folder.join("assessments.csv.gz"));
    let column = |name: &str| assessments.column(name);
    let (module, presentation) = (column("code_module"), column("code_presentation"));
    let presentation_of: HashMap<&str, Presentation> = assessments
        .rows
        .iter()
        .map(|row| {
            let key = (row[module].to_owned(), row[presentation].to_owned());
            (&row[column("id_assessment")], key)
        })
        .collect();
    let results = Table::read(&folder.join("studentAssessment.csv.gz"));
    let (assessment, student) = (
        results.column("id_assessment"),
        results.column("id_student"),
    );
    let (day, score) = (results.column("date_submitted"), results.column("score"));
    let banked = results.column("is_banked");
    let mut presentations: BTreeMap<Presentation, Vec<OwnRow>> = BTreeMap::new();
    for result in results.rows.iter().filter(|row| &row[banked] == "0") {
        let key = presentation_of[&result[assessment]].clone();
        let id = |column: usize| result[column].parse().expect("a number");
        let day = number(&result[day]).expect("a day");
        presentations.entry(key).or_default().push(OwnRow {
            score: number(&result[score]),
            max_score: MaxScore::Points(Some(100.0)),
            ..row(id(student), id(assessment), id(assessment), 0.0, day)
        });
    }
    presentations
}

/// R's figures by presentation.
fn by_presentation(reference: &Table) -> HashMap<Presentation, Vec<&csv::StringRecord>> {
    let [module, presentation] =
        ["code_module", "code_presentation"].map(|name| reference.column(name));
    let mut figures: HashMap<Presentation, Vec<&csv::StringRecord>> = HashMap::new();
    for row in &reference.rows {
        let key = (row[module].to_owned(), row[presentation].to_owned());
        figures.entry(key).or_default().push(row);
    }
    figures
}

fn solve(bytes: &[u8], half_life: f64) -> HashMap<i64, Student> {
    let book = Gradebook::open(bytes).expect("a gradebook");
    let options = Options {
        half_life,
        trend_window: None,
        trend_min_span: 0.0,
        ..Options::plain()
    };
    solve::students(&book, &options, &go)
        .expect("students")
        .into_iter()
        .map(|row| match book.students().get(row.student) {
            Id::Integer(id) => (id, row),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn decayed_means_and_slopes_are_those_of_r() {
    let test = "decayed_means_and_slopes_are_those_of_r";
    let Some(folder) = shared_data(test, "oulad") else {
        return;
    };
    let reference = Table::read(&folder.join("ref_trend_decay_R.csv.gz"));
    let columns = [
        "n",
        "mean",
        "ols_slope_per_day",
        "ols_se",
        "wmean_hl30_at_last",
        "wmean_hl90_at_last",
    ];
    let columns = columns.map(|name| reference.column(name));
    let student = reference.column("id_student");
    let mut expected = by_presentation(&reference);

    let (mut groups, mut with_enough) = (0, 0);
    for (presentation, rows) in presentations(&folder) {
        let bytes = gradebook(&rows);
        let (monthly, quarterly) = (solve(&bytes, 30.0), solve(&bytes, 90.0));
        let endless = solve(&bytes, 1e18);
        with_enough += monthly.values().filter(|row| row.n >= 4).count();
        for row in expected.remove(&presentation).unwrap_or_default() {
            let id: i64 = row[student].parse().expect("an id");
            let what = format!("{presentation:?} {id}");
            let [n, mean, slope, slope_se, wmean30, wmean90] =
                columns.map(|column| number(&row[column]));
            let ours = &monthly[&id];
            assert_eq!(Some(ours.n as f64), n, "{what}");
            let raw = |students: &HashMap<i64, Student>| {
                let level = students[&id].level.expect("a level");
                100.0 * level.raw_level.expect("scores")
            };
            close(raw(&monthly), wmean30.expect("a mean"), TOLERANCE, &what);
            close(raw(&quarterly), wmean90.expect("a mean"), TOLERANCE, &what);
            close(raw(&endless), mean.expect("a mean"), TOLERANCE, &what);
            let per_day = |slope: Option<f64>| slope.map(|slope| slope * 100.0 / 30.0);
            groups += 1;
            close_option(per_day(ours.trend.slope), slope, TOLERANCE, &what);
            close_option(per_day(ours.trend.slope_se), slope_se, TOLERANCE, &what);
        }
    }
    assert!(expected.is_empty(), "{:?}", expected.keys());
    assert_eq!((groups, with_enough), (19_532, 19_532));
}

#[test]
fn rank_correlations_and_median_slopes_are_those_of_r() {
    let test = "rank_correlations_and_median_slopes_are_those_of_r";
    let Some(folder) = shared_data(test, "oulad") else {
        return;
    };
    let reference = Table::read(&folder.join("ref_trend_decay_R.csv.gz"));
    let columns = ["id_student", "kendall_tau_b", "theil_sen_per_day"];
    let [student, tau_b, slope] = columns.map(|name| reference.column(name));
    let mut expected = by_presentation(&reference);
    let mut groups = 0;
    for (presentation, rows) in presentations(&folder) {
        let mut samples: HashMap<i64, Vec<[f64; 2]>> = HashMap::new();
        for row in rows {
            let Some((time, score)) = row.taken_at.zip(row.score) else {
                continue;
            };
            let point = [(time / DAY) as f64, score];
            samples
                .entry(integer(&row.student))
                .or_default()
                .push(point);
        }
        for row in expected.remove(&presentation).unwrap_or_default() {
            let id: i64 = row[student].parse().expect("an id");
            let what = format!("{presentation:?} {id}");
            let sample = &samples[&id];
            let ours = kendall(sample, &go).expect("a sample");
            close_option(ours.tau_b, number(&row[tau_b]), TOLERANCE, &what);
            let ours = theil_sen(sample, None, &go).map(|found| found.slope);
            close_option(ours, number(&row[slope]), TOLERANCE, &what);
            groups += 1;
        }
    }
    assert_eq!(groups, 19_532);
}

/// Coursework and exams, of which none sums up the others.
#[test]
fn no_piece_of_real_coursework_is_a_total() {
    let Some(folder) = shared_data("no_piece_of_real_coursework_is_a_total", "oulad") else {
        return;
    };
    for (presentation, rows) in presentations(&folder) {
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let items = solve::items(&book, &Options::default(), &go).expect("items");
        let statuses = items.iter().map(|item| item.quality.status);
        let totals = statuses.filter(|status| *status == ItemStatus::Total);
        assert_eq!(totals.count(), 0, "{presentation:?}");
    }
}
