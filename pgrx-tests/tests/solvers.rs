//! `items`, `item_drift`, `calibrate`, `students`, `assessments`, `explain` and `coverage`: their
//! frozen shape, what each option changes, what is refused, and what holds for any gradebook.

mod common;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use common::{AGGREGATE, Database, PARALLEL, RESPONSES, SERIAL, Session, gradebook_of, rows};
use pg_assess_core::bootstrap::Resampling;
use pg_assess_core::options::{Choices, Options, Value};
use pg_assess_core::{backtest, calibrate};

/// The result columns of the design, in order.
const RESULTS: [(&str, &str); 9] = [
    (
        "items",
        "item text, assessments integer, n bigint, n_effective double precision, \
         facility double precision, r_rest double precision, discrimination double precision, \
         discrimination_se double precision, ci_low double precision, ci_high double precision, \
         somers_d double precision, discrimination_index double precision, \
         weight double precision, status text, status_rank integer, label text, \
         first_at timestamp with time zone, last_at timestamp with time zone",
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
         need_rank bigint, due integer, missing integer, status text, status_rank integer",
    ),
    (
        "assessments",
        "assessment text, items bigint, students bigint, n bigint, \
         first_at timestamp with time zone, last_at timestamp with time zone, \
         mean double precision, sd double precision, alpha double precision, \
         alpha_se double precision, sem double precision",
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

/// Those that say something of any gradebook; the others look back at a cohort's past.
fn solvers() -> impl Iterator<Item = &'static str> {
    RESULTS.iter().map(|(name, _)| *name).take(7)
}

/// Names and defaults of the arguments: both are written out in users' queries.
const ARGUMENTS: [(&str, &str); 9] = [
    (
        "items",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         upper_lower_share double precision DEFAULT 0.27, confidence double precision DEFAULT 0.95",
    ),
    (
        "item_drift",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         side_answers integer DEFAULT 30, drift_alpha double precision DEFAULT 0.05, \
         drift_margin double precision DEFAULT 0.05, confidence double precision DEFAULT 0.95",
    ),
    (
        "calibrate",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         min_answers double precision DEFAULT 10, prior boolean DEFAULT true, \
         nodes integer DEFAULT 61, max_iterations integer DEFAULT 500, \
         tolerance double precision DEFAULT 0.000001, confidence double precision DEFAULT 0.95",
    ),
    (
        "students",
        "gradebook assess.gradebook, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         cut double precision DEFAULT NULL::double precision, \
         cut_share double precision DEFAULT 0.2, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         confidence double precision DEFAULT 0.95, stale_half_lives double precision DEFAULT 2, \
         trend_window interval DEFAULT '180 days'::interval, trend_min_dates integer DEFAULT 5, \
         trend_min_span interval DEFAULT '28 days'::interval, \
         trend_alpha double precision DEFAULT 0.05, steady_margin double precision DEFAULT 0.05, \
         due_share double precision DEFAULT 0.5, trend_noise_df double precision DEFAULT 4, \
         previous assess.gradebook DEFAULT NULL::assess.gradebook, \
         carry_over double precision DEFAULT 0.65",
    ),
    (
        "assessments",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[]",
    ),
    (
        "explain",
        "gradebook assess.gradebook, student text, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         previous assess.gradebook DEFAULT NULL::assess.gradebook, \
         carry_over double precision DEFAULT 0.65",
    ),
    (
        "coverage",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text",
    ),
    (
        "backtest",
        "gradebook assess.gradebook, \
         cuts timestamp with time zone[] DEFAULT NULL::timestamp with time zone[], \
         cut_count integer DEFAULT 10, horizon interval DEFAULT '90 days'::interval, \
         weighted_target boolean DEFAULT false, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         cut_share double precision DEFAULT 0.2, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         confidence double precision DEFAULT 0.95, resamples integer DEFAULT 500, \
         seed bigint DEFAULT 1",
    ),
    (
        "half_life_advice",
        "gradebook assess.gradebook, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         confidence double precision DEFAULT 0.95, resamples integer DEFAULT 500, \
         seed bigint DEFAULT 1",
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

/// The options by their names in SQL, with the core's defaults as Postgres writes them.
fn defaults_of_the_core() -> Vec<(&'static str, String)> {
    let span = |days: f64| format!("'{days} days'::interval");
    let table = [
        Options::default().values(),
        backtest::Settings::default().values(),
        calibrate::Settings::default().values(),
        Resampling::default().values(),
    ];
    let own = table.into_iter().flatten().map(|(row, value)| {
        let default = match value {
            Value::Boolean(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Number(Some(days)) if row.domain.is_span() => span(days),
            Value::Number(Some(value)) => value.to_string(),
            Value::Number(None) => "NULL::double precision".to_owned(),
            Value::Label(label) => format!("'{label}'::text"),
        };
        (row.name, default)
    });
    // Which responses count, and what is given with a gradebook.
    let scope = [
        ("as_of", "NULL::timestamp with time zone"),
        ("attempts", "'first'::text"),
        ("exclude", "'{}'::text[]"),
        ("previous", "NULL::assess.gradebook"),
        ("cuts", "NULL::timestamp with time zone[]"),
    ];
    let scope = scope.map(|(name, default)| (name, default.to_owned()));
    own.chain(scope).collect()
}

#[test]
fn every_default_in_sql_is_that_of_the_core() {
    let database = Database::new();
    let mut session = database.session();
    let own = defaults_of_the_core();
    let mut met: Vec<&str> = Vec::new();
    for row in session.table(
        "SELECT p.proname, a.name, pg_get_function_arg_default(p.oid, a.place::int)
         FROM pg_proc p, unnest(p.proargnames[:p.pronargs]) WITH ORDINALITY a(name, place)
         WHERE p.pronamespace = 'assess'::regnamespace AND p.proargnames[1] = 'gradebook'
         AND   pg_get_function_arg_default(p.oid, a.place::int) IS NOT NULL",
    ) {
        let [function, argument, given] = row.splitn(3, '|').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let known = own.iter().find(|(name, _)| *name == argument);
        let (name, usual) = known.unwrap_or_else(|| panic!("{function}({argument}) is no option"));
        assert_eq!(given, usual, "{function}({argument})");
        met.push(name);
    }
    for (name, _) in &own {
        assert!(met.contains(name), "{name} is no argument");
    }
}

#[test]
fn result_columns_and_arguments_are_frozen() {
    let database = Database::new();
    let mut session = database.session();
    for (function, columns) in RESULTS {
        assert_eq!(
            session.one::<String>(&format!(
                "SELECT pg_get_function_result('assess.{function}'::regproc)"
            )),
            format!("TABLE({columns})"),
            "{function}"
        );
    }
    for (function, arguments) in ARGUMENTS {
        assert_eq!(
            session.one::<String>(&format!(
                "SELECT pg_get_function_arguments('assess.{function}'::regproc)"
            )),
            arguments,
            "{function}"
        );
        assert_eq!(
            session.table(&format!(
                "SELECT provolatile, proparallel, proisstrict FROM pg_proc
                 WHERE oid = 'assess.{function}'::regproc"
            )),
            ["s|s|f"],
            "{function} reads the time zone, may run in workers, tells NULL itself"
        );
    }
}

/// Function, option, the columns that it must change, and those that it may: `*` for any. Columns
/// that belong together have one name.
const OPTIONS: &str = "
items       | as_of => '2025-12-31'       | n_effective, r_rest | *
items       | attempts => 'last'          | facility, last_at, r_rest | *
items       | attempts => 'best'          | facility, r_rest | *
items       | exclude => quizzes          | n_effective, r_rest, weight | *
items       | adjust_difficulty => false  | r_rest, weight | *
items       | shrink => false             | interval, discrimination, discrimination_se, weight | label
items       | weight_floor => 0.6         | weight |
items       | min_answers => 60           | verdict, weight | interval, discrimination, discrimination_se, label
items       | flag_answers => 70          | verdict, weight |
items       | flag_alpha => 0.3           | verdict, weight |
items       | upper_lower_share => 0.5    | discrimination_index |
items       | confidence => 0.5           | interval |
item_drift  | attempts => 'last'          | dates | *
item_drift  | attempts => 'best'          | dates | *
calibrate   | as_of => '2025-12-31'       | difficulty, discrimination, log_likelihood | *
calibrate   | attempts => 'last'          | difficulty, discrimination, facility, log_likelihood | *
calibrate   | attempts => 'best'          | difficulty, discrimination, facility, log_likelihood | *
calibrate   | exclude => quizzes          | difficulty, discrimination, log_likelihood | *
calibrate   | min_answers => 55           | difficulty, discrimination, log_likelihood, verdict | *
calibrate   | prior => false              | difficulty, discrimination, log_likelihood | *
calibrate   | nodes => 21                 | difficulty, discrimination, log_likelihood | *
calibrate   | max_iterations => 2         | converged, discrimination_se, iterations, warnings | *
calibrate   | tolerance => 0.1            | iterations, log_likelihood | *
calibrate   | confidence => 0.5           | difficulty_high, difficulty_low, discrimination_high, discrimination_low |
students    | half_life => '20 days'      | interval, information, level, level_se, need, need_rank, raw_level | prior
students    | as_of => '2025-12-31'       | due, information, last_at, level, n | *
students    | attempts => 'last'          | last_at, level, raw_level | *
students    | attempts => 'best'          | level, raw_level | *
students    | exclude => quizzes          | assessments, due, level, n, raw_level | *
students    | cut => 0.5                  | need | need_rank
students    | cut_share => 0.4            | need | need_rank
students    | adjust_difficulty => false  | level, level_se, raw_level, slope | *
students    | shrink => false             | interval, level, level_se, need, slope_se, trend_p | *
students    | weight_floor => 0.9         | level, raw_level, slope | *
students    | min_answers => 60           | level, raw_level | *
students    | flag_answers => 70          | level, raw_level | *
students    | flag_alpha => 0.3           | level, raw_level | *
students    | quality => false            | level, raw_level, slope | *
students    | counting => 'assessments'   | information, level, raw_level, slope | *
students    | counting => 'responses'     | information, level, raw_level, slope | *
students    | half_precision_items => 0   | information, level, raw_level, slope | *
students    | noise_df => 40              | interval, level, level_se, need | need_rank
students    | confidence => 0.5           | interval |
students    | stale_half_lives => 0.01    | verdict |
students    | trend_window => NULL        | slope, slope_se, trend_p | direction
students    | trend_window => '60 days'   | slope, slope_se, trend_p | direction
students    | trend_min_dates => 30       | direction |
students    | trend_min_span => '300 days'| direction |
students    | trend_noise_df => 40        | slope_se, trend_p | direction
students    | trend_alpha => 0.5          | direction |
students    | steady_margin => 1          | direction |
students    | due_share => 1              | due, missing |
students    | previous => old             | interval, level, level_se, need, prior | need_rank
students    | previous => old, carry_over => 1 | interval, level, level_se, need, prior | need_rank
students    | previous => old, carry_over => 0 | |
students    | carry_over => 1             | |
students    | previous => gb              | |
assessments | attempts => 'last'          | alpha, last_at, mean, sd | alpha_se, sem
assessments | attempts => 'best'          | alpha, mean, sd | alpha_se, last_at, sem
coverage    | as_of => '2025-12-31'       | rows |
explain     | half_life => '20 days'      | contribution, decay, share | expected
explain     | as_of => '2025-12-31'       | decay, share | *
explain     | attempts => 'best'          | contribution, expected, share | *
explain     | adjust_difficulty => false  | contribution, expected, share | *
explain     | shrink => false             | contribution, share | expected, quality
explain     | weight_floor => 0.9         | contribution, quality, share | expected
explain     | min_answers => 60           | contribution, quality, share | expected
explain     | flag_answers => 70          | contribution, quality, share | expected
explain     | flag_alpha => 0.3           | contribution, quality, share | expected
explain     | quality => false            | contribution, quality, share | expected
explain     | counting => 'assessments'   | contribution, share | expected
explain     | counting => 'responses'     | contribution, share | expected
explain     | half_precision_items => 0   | contribution, share | expected
explain     | noise_df => 40              | contribution, share |
explain     | previous => old             | contribution, expected, share |
explain     | previous => old, carry_over => 0 | |
backtest    | cuts => '{2025-12-31}'      | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | cut_count => 3              | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | horizon => '30 days'        | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | weighted_target => true     | rmse, rank_correlation, coverage_80 | *
backtest    | half_life => '20 days'      | rmse, rank_correlation, coverage_80 | *
backtest    | as_of => '2025-12-31'       | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | attempts => 'last'          | rmse, rank_correlation | *
backtest    | attempts => 'best'          | rmse, rank_correlation | *
backtest    | exclude => quizzes          | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | cut_share => 0.4            | recall, recall_difference, need_error | bounds, rank_correlation, rank_correlation_difference
backtest    | adjust_difficulty => false  | rmse, rank_correlation, coverage_80 | *
backtest    | shrink => false             | rmse, coverage_80 | *
backtest    | weight_floor => 0.9         | rmse | *
backtest    | min_answers => 60           | rmse | *
backtest    | flag_answers => 70          | rmse | *
backtest    | flag_alpha => 0.3           | rmse | *
backtest    | quality => false            | rmse | *
backtest    | counting => 'assessments'   | rmse | *
backtest    | counting => 'responses'     | rmse | *
backtest    | half_precision_items => 0   | rmse | *
backtest    | noise_df => 40              | rmse, coverage_80, need_error | *
backtest    | confidence => 0.5           | bounds |
backtest    | resamples => 60             | bounds |
backtest    | seed => 2                   | bounds |
half_life_advice | half_life => '90 days'     | advice, in_use | *
half_life_advice | as_of => '2025-12-31'      | n, rmse, difference, interval | *
half_life_advice | attempts => 'best'         | rmse, difference, interval | *
half_life_advice | exclude => quizzes         | n, rmse, difference, interval | *
half_life_advice | adjust_difficulty => false | rmse, difference, interval | *
half_life_advice | shrink => false            | rmse, difference, interval | *
half_life_advice | weight_floor => 0.9        | rmse, difference, interval | *
half_life_advice | min_answers => 60          | rmse, difference, interval | *
half_life_advice | flag_answers => 70         | rmse, difference, interval | *
half_life_advice | flag_alpha => 0.3          | rmse, difference, interval | *
half_life_advice | quality => false           | rmse, difference, interval | *
half_life_advice | counting => 'responses'    | n, rmse, difference, interval | *
half_life_advice | half_precision_items => 0  | rmse, difference, interval | *
half_life_advice | confidence => 0.5          | interval | indistinguishable, advice
half_life_advice | resamples => 60            | interval | indistinguishable, advice
half_life_advice | seed => 2                  | interval | indistinguishable, advice
";

/// The ends of the intervals of a back-test.
const BOUNDS: [&str; 6] = [
    "rmse_difference_low",
    "rmse_difference_high",
    "rank_correlation_difference_low",
    "rank_correlation_difference_high",
    "recall_difference_low",
    "recall_difference_high",
];

/// What tells one row of a result from the others.
const KEY: [&str; 9] = [
    "student",
    "item",
    "assessment",
    "reason",
    "target",
    "scope",
    "cut_at",
    "assessments_from",
    "method",
];

#[test]
fn every_option_changes_what_it_says_and_nothing_else() {
    let (_database, mut session) = with_sample("Math");
    for [function, option, must, may] in rows(OPTIONS) {
        let key = |row: &str| {
            // Other half-lives are tried besides the one in use.
            let names = match function {
                "half_life_advice" => &["half_life"][..],
                _ => &KEY[..],
            };
            let values = names.iter().map(|name| format!("{row}.row ->> '{name}'"));
            format!("concat_ws('|', {})", values.collect::<Vec<_>>().join(", "))
        };
        let (key_of_plain, key_of_other) = (key("p"), key("o"));
        let changed = session.table(&format!(
            "WITH g AS (SELECT gb, old, (SELECT array_agg(assessment_id::text) FROM sample.assessments
                                    WHERE kind = 'quiz') AS quizzes FROM g),
                  plain AS (SELECT to_jsonb(r) AS row FROM g, {} r),
                  other AS (SELECT to_jsonb(r) AS row FROM g, {} r)
             SELECT DISTINCT name COLLATE \"C\"
             FROM plain p JOIN other o
               ON {key_of_plain} = {key_of_other},
                  jsonb_object_keys(p.row) AS name
             WHERE p.row -> name IS DISTINCT FROM o.row -> name ORDER BY 1",
            call(function, "gb", ""),
            call(function, "gb", option),
        ));
        let set = |list: &str| -> BTreeSet<String> {
            let list = list
                .replace("interval", "ci_high, ci_low")
                .replace("bounds", &BOUNDS.join(", "))
                .replace(
                    "split",
                    "changed_at, facility_after, facility_before, n_after, n_before",
                )
                .replace("verdict", "status, status_rank")
                .replace("direction", "trend, trend_rank");
            let names = list.split(", ").filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let (changed, must, may) = (BTreeSet::from_iter(changed), set(must), set(may));
        assert!(
            must.is_subset(&changed),
            "{function}, {option}: {must:?} in {changed:?}"
        );
        let allowed = may.contains("*") || changed.is_subset(&must.union(&may).cloned().collect());
        assert!(allowed, "{function}, {option}: {changed:?}");
    }
}

#[test]
fn excluded_assessments_are_gone() {
    let (_database, mut session) = with_sample("Math");
    let before: Vec<String> = session.table("SELECT assessment FROM g, assess.assessments(gb)");
    let gone = &before[1];
    let exclude = format!("exclude => ARRAY['{gone}', 'no such assessment', NULL]");
    let left = session.table(&format!(
        "SELECT assessment FROM g, assess.assessments(gb, {exclude})"
    ));
    assert_eq!(left.len(), before.len() - 1);
    assert!(!left.contains(gone));
    assert_eq!(
        session.table(&format!(
            "SELECT count(*) FROM g, assess.items(gb, {exclude}) i
             JOIN sample.questions q ON q.question_id::text = i.item WHERE q.assessment_id = {gone}"
        )),
        ["0"]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT count(*) FROM g, assess.explain(gb, '1', {exclude}) WHERE assessment = '{gone}'"
        )),
        ["0"]
    );
}

/// Arguments with their types, without the gradebook, from the catalog.
fn arguments(session: &mut Session, function: &str) -> Vec<(String, String)> {
    let rows = session.table(&format!(
        "SELECT name, format_type(type, NULL) FROM pg_proc p,
                unnest(p.proargnames, p.proallargtypes, p.proargmodes) AS a(name, type, mode)
         WHERE p.oid = 'assess.{function}'::regproc AND mode = 'i' AND name <> 'gradebook'"
    ));
    rows.iter()
        .map(|row| row.split_once('|').expect("two columns"))
        .map(|(name, r#type)| (name.to_owned(), r#type.to_owned()))
        .collect()
}

/// Arguments for which NULL has a meaning.
const NULL_SAYS_SOMETHING: [&str; 7] = [
    "student",
    "as_of",
    "exclude",
    "cut",
    "cuts",
    "trend_window",
    "previous",
];

#[test]
fn a_null_option_is_refused_by_name() {
    let (_database, mut session) = with_sample("Math");
    for (function, _) in RESULTS {
        for (name, r#type) in arguments(&mut session, function) {
            if name == "student" {
                continue;
            }
            let call = call(function, "gb", &format!("{name} => NULL::{type}"));
            let sql = format!("SELECT count(*) FROM g, {call}");
            if NULL_SAYS_SOMETHING.contains(&name.as_str()) {
                session.table(&sql);
                continue;
            }
            let told = session.fails(&sql);
            assert_eq!(told.code().code(), "22004", "{call}: {told}");
            assert!(told.message().contains(&name), "{call}: {told}");
            assert!(told.hint().is_some(), "{call}: {told:?}");
        }
    }
}

#[test]
fn a_bad_option_is_refused_with_detail_and_hint() {
    const POSITIVE: &[&str] = &["0", "-1", "'NaN'", "'Infinity'", "'-Infinity'"];
    const NOT_NEGATIVE: &[&str] = &["-1", "-5e-324", "'NaN'", "'Infinity'", "'-Infinity'"];
    const INSIDE: &[&str] = &["0", "1", "-1", "2", "'NaN'", "'Infinity'", "'-Infinity'"];
    let bad = |name: &str| -> &[&str] {
        match name {
            "half_life" | "trend_window" | "horizon" => &[
                "'0 days'",
                "'-1 day'",
                "'-1 month'",
                "'1 month -31 days'",
                "'-1 microsecond'",
            ],
            "trend_min_span" => &["'-1 day'", "'-1 month'", "'-1 microsecond'"],
            "attempts" => &[
                "''",
                "'First'",
                "'first '",
                "'second'",
                "repeat('x', 100000)",
            ],
            "counting" => &["''", "'Effective'", "'items'"],
            "stale_half_lives" | "tolerance" => POSITIVE,
            "min_answers"
            | "half_precision_items"
            | "noise_df"
            | "trend_noise_df"
            | "steady_margin"
            | "drift_margin" => NOT_NEGATIVE,
            "flag_alpha" | "trend_alpha" | "drift_alpha" | "confidence" | "cut_share" => INSIDE,
            "upper_lower_share" => &["0", "0.50001", "-1", "'NaN'", "'Infinity'", "'-Infinity'"],
            "due_share" => &["0", "1.00001", "-1", "'NaN'", "'Infinity'", "'-Infinity'"],
            "weight_floor" | "carry_over" => {
                &["-0.00001", "1.00001", "'NaN'", "'Infinity'", "'-Infinity'"]
            }
            "cut" => &["'NaN'", "'Infinity'", "'-Infinity'"],
            "flag_answers" | "trend_min_dates" | "side_answers" => &["-1", "-2147483648"],
            "as_of" => &["'infinity'", "'-infinity'"],
            "cuts" => &["'{infinity}'", "'{2026-01-31,-infinity}'"],
            "cut_count" => &["-1", "0", "1001"],
            "resamples" => &["-1", "100001"],
            "nodes" => &["-1", "0", "10", "202"],
            "max_iterations" => &["-1", "0", "100001"],
            // Any text, any truth value will do.
            "student" | "exclude" | "adjust_difficulty" | "shrink" | "quality" | "previous"
            | "weighted_target" | "seed" | "prior" => &[],
            _ => panic!("no bad values known for {name}"),
        }
    };
    let (_database, mut session) = with_sample("Math");
    for (function, _) in RESULTS {
        for (name, _) in arguments(&mut session, function) {
            for value in bad(&name) {
                let call = call(function, "gb", &format!("{name} => {value}"));
                let told = session.refuses(&format!("SELECT count(*) FROM g, {call}"), "22023");
                assert!(told.message().contains(&name), "{call}: {told}");
            }
        }
    }
}

#[test]
fn without_a_gradebook_or_a_student_there_are_no_rows() {
    let (_database, mut session) = with_sample("Math");
    for (function, _) in RESULTS {
        let call = call(function, "NULL", "");
        assert_eq!(
            session.table(&format!("SELECT * FROM {call}")),
            [""; 0],
            "{call}"
        );
    }
    for student in [
        "NULL",
        "'4711'",
        "''",
        "'no number'",
        "'99999999999999999999999'",
    ] {
        assert_eq!(
            session.table(&format!("SELECT * FROM g, assess.explain(gb, {student})")),
            [""; 0],
            "{student}"
        );
    }
}

#[test]
fn counts_and_means_are_those_of_plain_sql() {
    let (_database, mut session) = with_sample("Math");
    session.run(
        "CREATE TABLE counted AS
         SELECT DISTINCT ON (student_id, question_id) *, points / max_points AS score
         FROM sample.responses WHERE subject = 'Math' AND points IS NOT NULL
         ORDER BY student_id, question_id, taken_on",
    );
    for (ours, theirs) in [
        (
            "student::int, n, assessments, last_at::date FROM g, assess.students(gb)
             WHERE status <> 'none'",
            "student_id, count(*), count(DISTINCT assessment_id), max(taken_on) FROM counted GROUP BY 1",
        ),
        (
            "item::int, n, assessments, round(facility::numeric, 12), first_at::date, last_at::date
             FROM g, assess.items(gb)",
            "question_id, count(*), 1, round(avg(score)::numeric, 12), min(taken_on), max(taken_on)
             FROM counted GROUP BY 1",
        ),
        (
            "assessment::int, items, students, n, first_at::date, last_at::date,
             round(mean::numeric, 12), round(sd::numeric, 12) FROM g, assess.assessments(gb)",
            "assessment_id, (SELECT count(DISTINCT question_id) FROM counted c
                             WHERE c.assessment_id = s.assessment_id), count(*), sum(n),
             min(first_on), max(last_on), round(avg(mean)::numeric, 12),
             round(stddev(mean)::numeric, 12)
             FROM (SELECT assessment_id, student_id, count(*) AS n, avg(score) AS mean,
                          min(taken_on) AS first_on, max(taken_on) AS last_on
                   FROM counted GROUP BY 1, 2) s
             GROUP BY 1",
        ),
    ] {
        let ours = session.table(&format!("SELECT {ours} ORDER BY 1"));
        assert!(ours.len() > 10);
        assert_eq!(ours, session.table(&format!("SELECT {theirs} ORDER BY 1")));
    }
}

#[test]
fn contributions_add_up_to_level_less_prior() {
    for subject in ["Math", "ELA"] {
        let (_database, mut session) = with_sample(subject);
        for options in [
            "",
            ", counting => 'responses'",
            ", shrink => false, quality => false, counting => 'assessments'",
            ", adjust_difficulty => false",
            ", half_life => '5 days', as_of => '2026-02-01'",
            ", previous => old",
            ", previous => old, carry_over => 1, counting => 'responses', as_of => '2026-02-01'",
        ] {
            let worst: f64 = session.one(&format!(
                "SELECT max(abs(e.sum - (s.level - s.prior)))
                 FROM g, assess.students(gb{options}) s, LATERAL (
                     SELECT sum(contribution), sum(share) AS share
                     FROM assess.explain(gb, s.student{options})) e
                 WHERE s.status <> 'none'"
            ));
            assert!(worst < 1e-12, "{subject}{options}: {worst}");
        }
    }
}

/// A year of `days` from the first on: 30 students, of whom the later know more.
fn year(name: &str, first: &str, r#type: &str, days: u32) -> String {
    format!(
        "CREATE TABLE {name} AS
         SELECT s AS student, 10 * d + i AS item, d AS assessment,
                (s + (s * i + d) % 7 > 3 * i + 6)::int AS score, 1 AS max_score,
                ('{first}'::{type} + d * interval '30 days')::{type} AS taken_on
         FROM generate_series(1, 30) s, generate_series(1, 6) i, generate_series(0, {days} - 1) d;
         CREATE TABLE g_{name} AS {}",
        gradebook_of(name)
    )
}

#[test]
fn last_year_counts_up_to_the_date_on_its_own_clock() {
    let database = Database::new();
    let mut session = database.session();
    session.run("SET TimeZone = 'Asia/Tokyo'");
    session.run(&year("new", "2026-01-01", "date", 3));
    session.run(&year("old", "2025-01-01", "date", 12));
    // The same days, from midnight on, as instants; the new year begins when Tokyo's day does.
    session.run(&format!(
        "CREATE TABLE instants AS SELECT student, item, assessment, score, max_score,
                taken_on::timestamp AT TIME ZONE 'Asia/Tokyo' AS taken_on FROM old;
         CREATE TABLE g_instants AS {};
         CREATE TABLE spring AS SELECT * FROM old WHERE taken_on <= '2025-05-01';
         CREATE TABLE g_spring AS {};
         CREATE TABLE quiet AS SELECT student, item, assessment, NULL::float8 AS score, max_score,
                taken_on - 300 AS taken_on FROM new;
         CREATE TABLE g_quiet AS {}",
        gradebook_of("instants"),
        gradebook_of("spring"),
        gradebook_of("quiet"),
    ));
    let mut solved = |new: &str, options: &str| {
        session.table(&format!(
            "SELECT s FROM (SELECT n.gb AS new, o.gb AS old, i.gb AS instants, p.gb AS spring
                            FROM {new} n, g_old o, g_instants i, g_spring p) g,
                    assess.students(new{options}) s"
        ))
    };
    let carried = solved("g_new", ", previous => old");
    assert_ne!(carried, solved("g_new", ""));
    assert_eq!(carried, solved("g_new", ", previous => instants"));
    // On a day of the past, last year ends there: a table that ends there says the same.
    let early = ", as_of => '2025-05-01'";
    let then = solved("g_quiet", &format!(", previous => spring{early}"));
    assert_eq!(then.len(), 30);
    for old in ["old", "instants"] {
        assert_eq!(
            then,
            solved("g_quiet", &format!(", previous => {old}{early}"))
        );
        assert_ne!(then, solved("g_quiet", &format!(", previous => {old}")));
    }
    // What is left out is left out of both years.
    assert_eq!(
        solved("g_new", ", previous => old, exclude => '{5,6,7,8,9,10,11}'"),
        solved(
            "g_new",
            ", previous => spring, exclude => '{5,6,7,8,9,10,11}'"
        ),
    );
}

#[test]
fn the_first_day_of_a_year_is_ranked_by_the_last() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&year("old", "2025-01-01", "date", 9));
    session.run(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(s, 1, 1, NULL::float8, date '2026-01-05') AS gb
         FROM generate_series(26, 35) s",
    );
    assert_eq!(
        session.table("SELECT DISTINCT status, level, need_rank FROM g, assess.students(gb)"),
        ["none|-|-"]
    );
    // Five of the old year, and five whom nobody knows.
    assert_eq!(
        session
            .table(
                "SELECT student, need_rank, status, assessments, level = prior, raw_level,
                    need BETWEEN 0 AND 1, ci_low < ci_high
             FROM g, g_old o, assess.students(g.gb, previous => o.gb)
             WHERE need_rank IS NOT NULL AND level IS NOT NULL ORDER BY level"
            )
            .len(),
        5
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FILTER (WHERE need_rank IS NULL), count(DISTINCT need_rank),
                    count(*) FILTER (WHERE status = 'none' AND level = prior AND need IS NOT NULL)
             FROM g, g_old o, assess.students(g.gb, previous => o.gb)"
        ),
        ["5|5|10"]
    );
    assert_eq!(
        session.table("SELECT * FROM g, g_old o, assess.explain(g.gb, '26', previous => o.gb)"),
        [""; 0]
    );
}

/// Tables that a careless formula turns into NaN: how many students and items, and what each
/// student has for each item, which is student, item, assessment, score, max_score, taken_at.
const HOSTILE: &str = "
one row             | 1  | 1    | s, i, 1, 1, 2, day
all right           | 40 | 5    | s, i, 1, 1, 1, day
all wrong           | 40 | 5    | s, i, i, 0, 1, day + i * one
one student         | 1  | 40   | s, i, i, i % 2, 1, day + i * one
one item            | 40 | 1    | s, i, 1, s % 2, 1, day
strangers           | 40 | 1    | s, s, s, s % 2, 1, day + s * one
two camps           | 40 | 5    | s, i + 10 * (s % 2), s % 2, (s / 2 + i) % 3 / 2, 1, day
turned round        | 40 | 6    | s, i, i, ((s > 20) = (i % 2 = 0))::int, 1, day + i * one
nothing usable      | 3  | 1    | s, i, 1, NULL, 1, day
huge                | 40 | 5    | s, i, i, CASE s WHEN 1 THEN 1.7e308 ELSE s END, inf, day + i * one
all huge            | 40 | 5    | s, i, 1, 1.7e308 / s, inf, day
tiny                | 40 | 5    | s, i, i, 5e-324 * (s % 3), inf, day
tiny shares         | 40 | 5    | s, i, 1, 1e-300 * (s * i % 7), 1, day
nearly equal        | 40 | 5    | s, i, 1, 1 - 1e-16 * (s * i % 7), 1, day
mixed scales        | 40 | 6    | s, i, i, s * i, (ARRAY[inf, 1000])[1 + i % 2], day + i * one
all of time         | 40 | 6    | s, i, i, (s + i) % 2, 1, ages[1 + i % 3]
a microsecond apart | 40 | 12   | s, i, i, (s * i) % 5 / 4.0, 1, day + i * one / 86400000000
a thousand attempts | 1  | 1000 | s, 1, 1, i % 2, 1, day + i * one
";

/// Options on the edge of what is allowed: of items, explain and students; of the latter two; of
/// students alone.
const EDGES: &str = "
| |
shrink => false | |
adjust_difficulty => false | counting => 'responses' | trend_window => '1 microsecond'
shrink => false, adjust_difficulty => false | quality => false, counting => 'assessments' |
as_of => '4714-11-24 00:00:00+00 BC' | |
as_of => '294276-12-31 23:59:59+00' | half_life => '1 microsecond' |
as_of => '294276-12-31' | half_life => '178000000 years' | trend_window => NULL
min_answers => 0, flag_answers => 0 | noise_df => 0, half_precision_items => 0 |
flag_alpha => 0.999999 | noise_df => 1e308, half_precision_items => 1e308 |
weight_floor => 1 | noise_df => 5e-324 | cut => 1e308, confidence => 0.999999999999
weight_floor => 0 | | cut => -1e308, confidence => 1e-300
shrink => false | noise_df => 0 | trend_min_dates => 0, trend_min_span => '0', steady_margin => 0
";

fn all_of(options: &[&str]) -> String {
    let given: Vec<&str> = options
        .iter()
        .copied()
        .filter(|option| !option.is_empty())
        .collect();
    given.join(", ")
}

#[test]
fn no_table_makes_a_figure_that_is_no_number() {
    let database = Database::new();
    let mut session = database.session();
    for [table, students, items, row] in rows(HOSTILE) {
        session.run(&format!(
            "DROP TABLE IF EXISTS r, g;
             CREATE TABLE r (student int, item int, assessment int, score float8, max_score float8,
                             taken_on timestamp);
             INSERT INTO r SELECT {row}
             FROM generate_series(1, {students}) s, generate_series(1, {items}) i,
                  (VALUES (timestamp '2026-05-04', interval '1 day', float8 'Infinity',
                           '{{4713-01-02 BC, 294276-12-30, 2026-05-04}}'::timestamp[]))
                  c(day, one, inf, ages);
             CREATE TABLE g AS {}",
            gradebook_of("r")
        ));
        for options in rows::<3>(EDGES) {
            let bad = session.table(&format!(
                "SELECT key, value FROM (
                     SELECT to_jsonb(r) FROM g, {} r UNION ALL
                     SELECT to_jsonb(r) FROM g, {} r UNION ALL
                     SELECT to_jsonb(r) FROM g, {} r UNION ALL
                     SELECT to_jsonb(r) FROM g, {} r UNION ALL
                     SELECT to_jsonb(r) FROM g, {} r UNION ALL
                     SELECT to_jsonb(r) FROM g, {} r
                 ) a(row), jsonb_each_text(row)
                 WHERE value IN ('NaN', 'Infinity', '-Infinity')
                    OR key = 'status' AND value NOT IN ('flawed', 'suspect', 'no_variance',
                        'insufficient', 'provisional', 'usable', 'stable', 'drifted', 'none', 'stale',
                        'ok', 'negative', 'steep', 'not_binary', 'calibrated')
                    OR key = 'label' AND value NOT IN ('very_good', 'good', 'marginal', 'poor',
                        'negative')
                    OR key = 'trend' AND value NOT IN ('falling', 'unclear', 'steady', 'rising')
                 LIMIT 5",
                call("items", "gb", options[0]),
                call("explain", "gb", &all_of(&options[..2])),
                call("students", "gb", &all_of(&options)),
                call("assessments", "gb", ""),
                call("item_drift", "gb", "side_answers => 1, drift_margin => 0"),
                call("calibrate", "gb", "min_answers => 0, prior => false"),
            ));
            assert_eq!(bad, [""; 0], "{table}, {options:?}");
        }
        let told: i64 = session.one("SELECT sum(rows)::int8 FROM g, assess.coverage(gb)");
        let all: i64 = session.one("SELECT count(*) FROM r");
        assert_eq!(told, all, "coverage of {table}");
    }
}

#[test]
fn the_past_is_as_if_later_rows_were_not_there() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    for date in ["2026-01-14", "2026-02-20", "2026-03-31"] {
        session.run(&format!(
            "DROP TABLE IF EXISTS g;
             CREATE TABLE g AS SELECT a.gb AS whole, b.gb AS past FROM ({}) a, ({}) b",
            gradebook_of("responses"),
            gradebook_of(&format!("responses WHERE taken_on <= '{date}'"))
        ));
        for function in solvers().filter(|name| *name != "coverage") {
            let call = |gradebook: &str| {
                call(function, gradebook, &format!("as_of => '{date}'")).replace("'1'", "'s1'")
            };
            let whole = session.table(&format!("SELECT r FROM g, {} r", call("whole")));
            let past = session.table(&format!("SELECT r FROM g, {} r", call("past")));
            assert!(!past.is_empty(), "{function} on {date}");
            assert_eq!(whole, past, "{function} on {date}");
        }
        assert_eq!(
            session.table(&format!(
                "SELECT w.rows - p.rows FROM g, assess.coverage(whole, as_of => '{date}') w,
                        assess.coverage(past, as_of => '{date}') p
                 WHERE w.reason = p.reason AND w.reason IN ('used', 'duplicate')"
            )),
            ["0", "0"],
            "coverage on {date}"
        );
    }
}

#[test]
fn dates_and_figures_are_the_same_in_every_time_zone() {
    let database = Database::new();
    let mut session = database.session();
    // The year's last day, a day without a midnight in Sao Paulo, and responses on the day asked
    // about.
    session.run(
        "CREATE TABLE r AS
         SELECT s AS student, 10 * n + i AS item, n AS assessment,
                (s * i + n) % 5 / 4.0::float8 AS score, taken_on
         FROM generate_series(1, 30) s, generate_series(1, 6) i,
              unnest('{2017-10-15, 2026-03-08, 2026-04-30, 2026-06-30, 2026-12-31}'::date[])
                  WITH ORDINALITY d(taken_on, n);
         CREATE TABLE g AS SELECT
             assess.gradebook_agg(student, item, assessment, score, taken_on) AS days,
             assess.gradebook_agg(student, item, assessment, score,
                                  (taken_on + time '10:30') AT TIME ZONE 'UTC') AS instants
         FROM r",
    );
    let mut seen = BTreeSet::new();
    for zone in [
        "UTC",
        "America/New_York",
        "Asia/Tokyo",
        "America/Sao_Paulo",
        "Pacific/Kiritimati",
    ] {
        session.run(&format!("SET TimeZone = '{zone}'"));
        let days = [
            "student, level, level_se, information, slope, need, last_at::date
             FROM g, assess.students(days)",
            "item, r_rest, weight, first_at::date, last_at::date FROM g, assess.items(days)",
            "assessment, mean, alpha, first_at::date, last_at::date
             FROM g, assess.assessments(days)",
            "item, share, contribution, decay, taken_at::date FROM g, assess.explain(days, '7')",
        ]
        .map(|columns| session.table(&format!("SELECT {columns}")));
        let as_of = session.table(
            "SELECT level, n, last_at::date FROM g, assess.students(days, as_of => '2026-06-30')",
        );
        assert!(
            as_of.iter().all(|row| row.ends_with("|24|2026-06-30")),
            "{zone}: {as_of:?}"
        );
        let instants = [
            "",
            ", as_of => '2026-06-30 10:30:00+00'",
            ", as_of => '2026-06-30 10:29+00'",
        ]
        .map(|as_of| {
            session.table(&format!(
                "SELECT student, level, level_se, n, slope, need, extract(epoch FROM last_at)
                     FROM g, assess.students(instants{as_of})"
            ))
        });
        seen.insert((days, as_of, instants));
    }
    assert_eq!(seen.len(), 1, "all zones agree to the last bit");
}

#[test]
fn subjects_are_solved_side_by_side_and_in_workers() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!(
        "CREATE TABLE gs AS SELECT student, {AGGREGATE} AS gb FROM responses GROUP BY student;
         ANALYZE gs"
    ));
    for function in solvers() {
        let call = call(function, "gb", "").replace("'1'", "gs.student");
        let all = format!("SELECT gs.student AS subject, r FROM gs, LATERAL {call} r");
        session.run(SERIAL);
        let serial = session.table(&format!("{all} ORDER BY 1, r::text"));
        assert!(serial.len() >= 90, "{function}");
        let one = session.table(&format!(
            "{all} WHERE gs.student = 's7' ORDER BY 1, r::text"
        ));
        let part: Vec<&String> = serial.iter().filter(|row| row.starts_with("s7|")).collect();
        assert_eq!(
            part,
            one.iter().collect::<Vec<_>>(),
            "{function}, one subject"
        );
        session.run(PARALLEL);
        let plan = session.plan(&all);
        let gather = plan.find("Gather").unwrap_or_else(|| panic!("{plan}"));
        assert!(
            plan[gather..].contains(&format!("Function Scan on {function}")),
            "{plan}"
        );
        let parallel = session.table(&format!("{all} ORDER BY 1, r::text"));
        assert_eq!(parallel, serial, "{function}, in workers");
    }
}

#[test]
fn memory_is_given_back_however_a_statement_ends() {
    let database = Database::new();
    let mut session = database.session();
    session.run(SERIAL);
    session.run(&format!(
        "CREATE UNLOGGED TABLE r AS
         SELECT s AS student, q AS item, q / 10 AS assessment, abs(hashint4(s * 1000 + q)) % 2 AS score,
                1 AS max_score, date '2026-01-01' + q AS taken_on
         FROM generate_series(1, 20000) s, generate_series(1, 25) q;
         CREATE TABLE g AS {}",
        gradebook_of("r")
    ));
    // Rows that nobody asks for any more, and work that nobody waits for.
    let endings = [
        (0, "SELECT assess.students(gb) FROM g LIMIT 1"),
        (0, "SELECT (SELECT assess.items(gb) LIMIT 1) FROM g"),
        (20, "SELECT count(*) FROM g, assess.students(gb)"),
        (20, "SELECT count(*) FROM g, assess.items(gb)"),
    ];
    let mut run = |times| {
        for (limit, statement) in endings.repeat(times) {
            session.run(&format!("SET statement_timeout = {limit}"));
            // Whether it is stopped depends on the machine; that it is not lost does not.
            let _ = session.simple_query(statement);
            session.run("RESET statement_timeout");
        }
        session.memory("VmRSS")
    };
    if let (Some(before), Some(after)) = (run(3), run(15)) {
        // One of these statements needs some 20 MB.
        assert!(
            after < before + 40_000,
            "{before} KB before, {after} KB after"
        );
    }
}

#[test]
fn statements_can_be_stopped_at_once() {
    let database = Database::new();
    let mut session = database.session();
    // Wide, so that even the covariances of the one assessment take a while.
    session.run(SERIAL);
    session.run(&format!(
        "CREATE UNLOGGED TABLE r AS
         SELECT s AS student, q AS item, q / 1000 AS assessment,
                abs(hashint4(s * 1000 + q)) % 2 AS score, 1 AS max_score,
                date '2026-01-01' + (s * 31 + q / 100) % 200 AS taken_on
         FROM generate_series(1, 2000) s, generate_series(1, 999) q;
         CREATE TABLE g AS {}",
        gradebook_of("r")
    ));
    let backend = session.backend();
    for statement in [
        &format!("SELECT count(gb) FROM ({}) a", gradebook_of("r")),
        "SELECT assess.rollup(gb) IS NULL FROM g, generate_series(1, 3)",
        "SELECT count(*) FROM g, assess.items(gb)",
        "SELECT count(*) FROM g, assess.students(gb)",
        "SELECT count(*) FROM g, assess.assessments(gb)",
        "SELECT count(*) FROM g, assess.explain(gb, '7')",
    ] {
        let whole = (0..2).map(|_| {
            let started = Instant::now();
            session.table(statement);
            started.elapsed()
        });
        let whole = whole.min().expect("two runs");
        for share in [0.1, 0.4] {
            let limit = whole.mul_f64(share).min(Duration::from_millis(200));
            session.run(&format!(
                "SET statement_timeout = {}",
                limit.as_millis().max(1)
            ));
            let started = Instant::now();
            let told = session.fails(statement);
            let took = started.elapsed();
            session.run("RESET statement_timeout");
            assert_eq!(told.code().code(), "57014", "{statement}: {told}");
            assert!(
                took < Duration::from_secs(1),
                "{statement}: {took:?} of {whole:?}"
            );
        }
    }
    assert_eq!(session.backend(), backend);
}
