//! What holds for any gradebook: counts, sums, years, time zones, workers.

use std::collections::BTreeSet;

use pg_assess_it::{AGGREGATE, Database, PARALLEL, RESPONSES, SERIAL, gradebook_of, rows};

use super::{RESULTS, call, with_sample};

/// Those that say something of any gradebook; the others look back at a cohort's past.
fn solvers() -> impl Iterator<Item = &'static str> {
    RESULTS.iter().map(|(name, _)| *name).take(7)
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
                    OR key = 'status' AND value NOT IN ('flawed', 'suspect', 'truncated', 'total',
                        'no_variance', 'waiting', 'insufficient', 'provisional', 'usable', 'stable', 'drifted', 'none', 'stale',
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
        let found: i64 = session.one("SELECT sum(rows)::int8 FROM g, assess.coverage(gb)");
        let all: i64 = session.one("SELECT count(*) FROM r");
        assert_eq!(found, all, "coverage of {table}");
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
