//! The frozen shape of the solvers: results, arguments, defaults, and what they refuse.

use pg_assess_core::forecasts::backtest;
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::options::{Choices, Options, Value};
use pg_assess_core::questions::calibrate;
use pg_assess_it::{Database, Session};

use super::{RESULTS, call, with_sample};

/// Names and defaults of the arguments: both are written out in users' queries.
const ARGUMENTS: [(&str, &str); 9] = [
    (
        "items",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         upper_lower_share double precision DEFAULT 0.27, confidence double precision DEFAULT 0.95, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "item_drift",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         side_answers integer DEFAULT 30, drift_alpha double precision DEFAULT 0.05, \
         drift_margin double precision DEFAULT 0.05, confidence double precision DEFAULT 0.95, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "calibrate",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         min_answers double precision DEFAULT 10, prior boolean DEFAULT true, \
         nodes integer DEFAULT 61, max_iterations integer DEFAULT 500, \
         tolerance double precision DEFAULT 0.000001, confidence double precision DEFAULT 0.95, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "students",
        "gradebook assess.gradebook, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
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
         carry_over double precision DEFAULT 0.65, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "assessments",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "explain",
        "gradebook assess.gradebook, student text, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         previous assess.gradebook DEFAULT NULL::assess.gradebook, \
         carry_over double precision DEFAULT 0.65, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "coverage",
        "gradebook assess.gradebook, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "backtest",
        "gradebook assess.gradebook, \
         cuts timestamp with time zone[] DEFAULT NULL::timestamp with time zone[], \
         cut_count integer DEFAULT 10, horizon interval DEFAULT '90 days'::interval, \
         weighted_target boolean DEFAULT false, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         cut_share double precision DEFAULT 0.2, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         confidence double precision DEFAULT 0.95, resamples integer DEFAULT 500, \
         seed bigint DEFAULT 1, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
    (
        "half_life_advice",
        "gradebook assess.gradebook, half_life interval DEFAULT '60 days'::interval, \
         as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
         attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
         out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
         blanks text DEFAULT 'ignore'::text, \
         adjust_difficulty boolean DEFAULT true, shrink boolean DEFAULT true, \
         weight_floor double precision DEFAULT 0.25, min_answers double precision DEFAULT 10, \
         flag_answers integer DEFAULT 30, flag_alpha double precision DEFAULT 0.05, \
         quality boolean DEFAULT true, counting text DEFAULT 'effective'::text, \
         half_precision_items double precision DEFAULT 20, noise_df double precision DEFAULT 8, \
         confidence double precision DEFAULT 0.95, resamples integer DEFAULT 500, \
         seed bigint DEFAULT 1, \
         exclude_items text[] DEFAULT \'{}\'::text[]",
    ),
];

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
        ("exclude_items", "'{}'::text[]"),
        ("out_of_range", "'exclude'::text"),
        ("missing_max", "'exclude'::text"),
        ("blanks", "'ignore'::text"),
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
            "{function} reads the time zone, may run in workers, handles NULL itself"
        );
    }
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
const NULL_SAYS_SOMETHING: [&str; 8] = [
    "student",
    "as_of",
    "exclude",
    "exclude_items",
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
            let error = session.fails(&sql);
            assert_eq!(error.code().code(), "22004", "{call}: {error}");
            assert!(error.message().contains(&name), "{call}: {error}");
            assert!(error.hint().is_some(), "{call}: {error:?}");
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
            "out_of_range" | "missing_max" | "blanks" => &["''", "'Exclude'", "'clip '"],
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
            "student" | "exclude" | "exclude_items" | "adjust_difficulty" | "shrink"
            | "quality" | "previous" | "weighted_target" | "seed" | "prior" => &[],
            _ => panic!("no bad values known for {name}"),
        }
    };
    let (_database, mut session) = with_sample("Math");
    for (function, _) in RESULTS {
        for (name, _) in arguments(&mut session, function) {
            for value in bad(&name) {
                let call = call(function, "gb", &format!("{name} => {value}"));
                let error = session.refuses(&format!("SELECT count(*) FROM g, {call}"), "22023");
                assert!(error.message().contains(&name), "{call}: {error}");
            }
        }
    }
}
