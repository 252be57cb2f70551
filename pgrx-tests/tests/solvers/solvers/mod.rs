//! `items`, `item_drift`, `calibrate`, `students`, `assessments`, `explain` and `coverage`: their
//! frozen shape, what each option changes, what is refused, and what holds for any gradebook.

mod figures;
mod limits;
mod options;
mod shape;

use pg_assess_it::{Database, Session};

/// The result columns of the design, in order.
const RESULTS: [(&str, &str); 9] = [
    (
        "items",
        "item text, assessments integer, n bigint, n_effective double precision, \
         facility double precision, r_rest double precision, discrimination double precision, \
         discrimination_se double precision, ci_low double precision, ci_high double precision, \
         somers_d double precision, discrimination_index double precision, \
         weight double precision, status text, status_rank integer, label text, \
         first_at timestamp with time zone, last_at timestamp with time zone, \
         left_out bigint, blank bigint, waiting bigint",
    ),
    (
        "item_drift",
        "item text, dates integer, n bigint, changed_at timestamp with time zone, \
         n_before bigint, n_after bigint, facility_before double precision, \
         facility_after double precision, change double precision, change_se double precision, \
         ci_low double precision, ci_high double precision, p double precision, \
         q double precision, direction text, status text, status_rank integer",
    ),
    (
        "calibrate",
        "item text, n bigint, facility double precision, discrimination double precision, \
         discrimination_se double precision, discrimination_low double precision, \
         discrimination_high double precision, difficulty double precision, \
         difficulty_se double precision, difficulty_low double precision, \
         difficulty_high double precision, component integer, status text, status_rank integer, \
         converged boolean, iterations integer, log_likelihood double precision, warnings text",
    ),
    (
        "students",
        "student text, level double precision, level_se double precision, \
         ci_low double precision, ci_high double precision, raw_level double precision, \
         prior double precision, information double precision, n bigint, assessments integer, \
         last_at timestamp with time zone, slope double precision, slope_se double precision, \
         trend_p double precision, trend text, trend_rank integer, need double precision, \
         need_rank bigint, due integer, missing integer, status text, status_rank integer, \
         omitted bigint, waiting bigint",
    ),
    (
        "assessments",
        "assessment text, items bigint, students bigint, n bigint, \
         first_at timestamp with time zone, last_at timestamp with time zone, \
         mean double precision, sd double precision, alpha double precision, \
         alpha_se double precision, sem double precision, alpha_status text, omitted bigint, \
         waiting bigint",
    ),
    (
        "explain",
        "assessment text, item text, taken_at timestamp with time zone, score double precision, \
         expected double precision, quality double precision, decay double precision, \
         share double precision, contribution double precision",
    ),
    ("coverage", "reason text, rows bigint"),
    (
        "backtest",
        "target text, scope text, cut_at timestamp with time zone, student_group text, \
         assessments_from integer, assessments_to integer, method text, method_rank integer, \
         n bigint, rmse double precision, rmse_difference double precision, \
         rmse_difference_low double precision, rmse_difference_high double precision, \
         rank_correlation double precision, rank_correlation_difference double precision, \
         rank_correlation_difference_low double precision, \
         rank_correlation_difference_high double precision, recall double precision, \
         recall_difference double precision, recall_difference_low double precision, \
         recall_difference_high double precision, coverage_80 double precision, \
         coverage_95 double precision, need_error double precision",
    ),
    (
        "half_life_advice",
        "half_life interval, rmse double precision, difference double precision, \
         ci_low double precision, ci_high double precision, indistinguishable boolean, \
         is_best boolean, in_use boolean, n bigint, students bigint, variogram interval, \
         advice text",
    ),
];

/// A solver's call; `explain` is asked about one student.
fn call(function: &str, gradebook: &str, options: &str) -> String {
    let student = if function == "explain" { ", '1'" } else { "" };
    let comma = if options.is_empty() { "" } else { ", " };
    format!("assess.{function}({gradebook}{student}{comma}{options})")
}

/// A table `g` with the gradebook of one subject of a small sample network, and one of another
/// subject as if it were that of the year before.
fn with_sample(subject: &str) -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.table(
        "SELECT assess.sample_network('sample', seed => 3, schools => 2, students_per_school => 30,
                                      weeks => 30)",
    );
    session.run(&format!(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                     taken_on) FILTER (WHERE subject = '{subject}') AS gb,
                assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                     taken_on - 365) FILTER (WHERE subject = 'Science') AS old
         FROM sample.responses"
    ));
    (database, session)
}
