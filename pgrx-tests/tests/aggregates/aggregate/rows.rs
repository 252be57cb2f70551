//! What rows are taken, counted and refused.

use pg_assess_it::{AGGREGATE, Database, RESPONSES, gradebook_of, rows};

use super::coverage;

#[test]
fn nothing_aggregates_to_null() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    let gradebook = gradebook_of("responses WHERE false");
    assert_eq!(session.table(&gradebook), ["-"]);
    assert_eq!(
        session.table(&format!("SELECT assess.rollup(gb) FROM ({gradebook}) g")),
        ["-"],
        "rollup of NULL"
    );
    assert_eq!(
        session.table(&format!(
            "SELECT assess.rollup(gb) FROM ({gradebook}) g WHERE false"
        )),
        ["-"],
        "rollup without rows"
    );
    assert_eq!(
        session.table(&format!(
            "SELECT assessment, {AGGREGATE} FILTER (WHERE assessment = 'test 1') IS NULL
             FROM responses WHERE assessment IN ('test 1', 'test 2') GROUP BY 1 ORDER BY 1"
        )),
        ["test 1|f", "test 2|t"],
        "a group emptied by FILTER"
    );
}

#[test]
fn one_row_can_be_asked_everything() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE g AS SELECT assess.gradebook_agg(1, 2, 3, 0.5, date '2026-05-04') AS gb",
    );
    assert_eq!(
        session.table("SELECT item, n, facility, r_rest, weight, status FROM g, assess.items(gb)"),
        ["2|1|0.5|-|1|insufficient"]
    );
    assert_eq!(
        session.table(
            "SELECT student, level, raw_level, n, assessments, last_at::date, slope, need_rank,
                    status
             FROM g, assess.students(gb)"
        ),
        ["1|0.5|0.5|1|1|2026-05-04|-|1|provisional"]
    );
    assert_eq!(
        session.table(
            "SELECT assessment, items, students, n, mean, sd, alpha FROM g, assess.assessments(gb)"
        ),
        ["3|1|1|1|0.5|-|-"]
    );
    assert_eq!(
        session.table("SELECT assessment, item, score FROM g, assess.explain(gb, '1')"),
        ["3|2|0.5"]
    );
    assert_eq!(coverage(&mut session, "SELECT gb FROM g"), "used 1");
}

/// Rows of literals, and the reason under which they are counted. The last dates lie beyond the
/// last timestamp; whether a date in the future is a mistake, only the date asked about can show.
const COUNTED: &str = "
1, 2, 3, 1, 2, day                            | used

NULL::int, 2, 3, 1, 2, day                    | null_id
1, NULL::int, 3, 1, 2, day                    | null_id
1, 2, NULL::int, 1, 2, day                    | null_id
1, 2, 3, NULL, 2, day                         | waiting
1, 2, 3, 1, NULL, day                         | no_max_score
1, 2, 3, 1, 2, NULL::date                     | null_date
NULL::int, 2, 3, NULL, NULL, NULL::date       | null_id
1, 2, 3, NULL, NULL, NULL::date               | null_date
1, 2, 3, NULL, NULL, day                      | waiting

1, 2, 3, '-0', 2, day                         | used
1, 2, 3, 2, 2, day                            | used
1, 2, 3, 2.0000000000000004, 2, day           | used
1, 2, 3, 0.1::float8 + 0.2, 0.3, day          | used
1, 2, 3, 2.00000001, 2, day                   | above_max
1, 2, 3, 1e308, 2, day                        | above_max
1, 2, 3, 1e308, 'Infinity', day               | used
1, 2, 3, 5e-324, 1e308, day                   | used
1, 2, 3, 5e-324, 5e-324, day                  | used
1, 2, 3, -1, 2, day                           | below_min
1, 2, 3, -5e-324, 1e308, day                  | used
1, 2, 3, -1, 'Infinity', day                  | below_min
1, 2, 3, 'NaN', 2, day                        | not_finite
1, 2, 3, 'Infinity', 2, day                   | not_finite
1, 2, 3, '-Infinity', 2, day                  | not_finite
1, 2, 3, 'Infinity', 'Infinity', day          | not_finite

1, 2, 3, 0, 0, day                            | bad_scale
1, 2, 3, 1, -2, day                           | bad_scale
1, 2, 3, 1, '-Infinity', day                  | bad_scale
1, 2, 3, 1, 'NaN', day                        | bad_scale
1, 2, 3, 'NaN', 0, day                        | bad_scale

1, 2, 3, 1, day                               | used
1, 2, 3, 1.0000000000000002, day              | used
1, 2, 3, 1.00000001, day                       | above_max
1, 2, 3, 2, day                               | above_max

1, 2, 3, 1, 2, date '2999-01-01'              | used
1, 2, 3, 1, 2, date '4714-11-24 BC'           | used
1, 2, 3, 1, 2, date '294276-12-31'            | used
1, 2, 3, 1, 2, timestamp '294276-12-31 23:59' | used
1, 2, 3, 1, 2, date '294277-01-01'            | not_finite
1, 2, 3, 1, 2, date '5874897-12-31'           | not_finite
1, 2, 3, 1, 2, date 'infinity'                | not_finite
1, 2, 3, 1, 2, date '-infinity'               | not_finite
1, 2, 3, 1, 2, timestamp 'infinity'           | not_finite
1, 2, 3, 1, 2, timestamptz '-infinity'        | not_finite

1, 2, 3, -0.25, -0.25, 1, day                 | used
1, 2, 3, -0.5, -0.25, 1, day                  | below_min
1, 2, 3, 0, 1, NULL, day                      | below_min
1, 2, 3, 5, 1, NULL, day                      | no_max_score
1, 2, 3, 5, 5, 5, day                         | bad_scale
1, 2, 3, 5, 'NaN', 9, day                     | bad_scale
1, 2, 3, 5, '-Infinity', 9, day               | bad_scale
1, 2, 3, -5, '-Infinity', 'Infinity', day     | used
1, 2, 3, 5, NULL, 9, day, NULL, NULL, NULL    | used
1, 2, 3, 5, NULL, 9, day, 'counts', 1, 1      | used
1, 2, 3, NULL, NULL, 9, day, 'zero', 1, 1     | used
1, 2, 3, 5, NULL, 9, day, 'waiting', 1, 1     | waiting
1, 2, 3, 5, NULL, 9, day, 'not_taken', 1, 1   | not_taken
1, 2, 3, 5, NULL, 9, day, 'exempt', 1, 1      | exempt
1, 2, 3, 5, NULL, 0, day, 'exempt', 1, 1      | exempt
";

#[test]
fn every_unusable_row_is_counted_under_its_first_reason() {
    let database = Database::new();
    let mut session = database.session();
    for [row, reason] in rows(COUNTED) {
        let gradebook =
            format!("SELECT assess.gradebook_agg({row}) FROM (SELECT date '2026-05-04') d(day)");
        assert_eq!(
            coverage(&mut session, &gradebook),
            format!("{reason} 1"),
            "{row}"
        );
    }
}

#[test]
fn a_row_after_the_date_asked_about_is_in_the_future() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(1, 2, 3, 0.5, d) AS gb
         FROM unnest('{2026-05-04, 2026-06-30, 2999-01-01}'::date[]) d",
    );
    assert_eq!(
        session.table(
            "SELECT string_agg(reason || ' ' || rows, ', ') FILTER (WHERE rows > 0)
             FROM g, assess.coverage(gb, as_of => '2026-06-30')"
        ),
        ["used 1, future 1, duplicate 1"]
    );
}

/// Ids, and how they come back.
const IDS: &str = "
7::int2                                      | 7
(-32768)::int2                               | -32768
7::int4                                      | 7
(-2147483648)::int4                          | -2147483648
9223372036854775807::int8                    | 9223372036854775807
(-9223372036854775808)::int8                 | -9223372036854775808
'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
'Zoë'::text                                  | Zoë
''::text                                     |
'ab'::varchar(9)                             | ab
'ab'::char(9)                                | ab
'ab'::name                                   | ab
7::roll_number                               | 7
'ab'::code                                   | ab
'blue'::house                                | blue
7.50::numeric                                | 7.50
0.1::float8                                  | 0.1
true                                         | t
date '2026-05-04'                            | 2026-05-04
ROW(7, 'A, B')::pupil                        | (7,\"A, B\")
ARRAY[1, 2]                                  | {1,2}
'untyped'                                    | untyped
";

#[test]
fn ids_of_any_type_come_back_as_their_text() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE DOMAIN roll_number AS int CHECK (VALUE > 0);
         CREATE DOMAIN code AS text;
         CREATE TYPE house AS ENUM ('red', 'blue');
         CREATE TYPE pupil AS (school int, name text);",
    );
    for [id, text] in rows(IDS) {
        let gradebook =
            format!("SELECT assess.gradebook_agg({id}, {id}, {id}, 1, date '2026-05-04') AS gb");
        let found: Vec<String> = session.table(&format!(
            "SELECT s.student, i.item, a.assessment, e.assessment
             FROM ({gradebook}) g, assess.students(gb) s, assess.items(gb) i,
                  assess.assessments(gb) a, assess.explain(gb, s.student) e"
        ));
        assert_eq!(found, [[text; 4].join("|")], "{id}");
    }
    assert_eq!(
        session.table(
            "SELECT s.student
             FROM (SELECT assess.gradebook_agg(s, 1, 1, 1, date '2026-05-04') AS gb
                   FROM generate_series(8, 12) s) g, assess.students(gb) s"
        ),
        ["8", "9", "10", "11", "12"],
        "numbers are in the order of numbers"
    );
}

#[test]
fn ids_are_read_however_their_table_stores_them() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE ids (id text);
         INSERT INTO ids VALUES ('short'), (repeat('compressed ', 5000) || 1);
         INSERT INTO ids SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) n;
         ALTER TABLE ids ALTER id SET STORAGE external;
         INSERT INTO ids VALUES (repeat('out of line ', 500) || 1)",
    );
    for r#type in ["text", "varchar", "char(60000)"] {
        let lost: i64 = session.one(&format!(
            "SELECT count(*)
             FROM (SELECT assess.gradebook_agg(id::{type}, 1, 1, 1, now()) AS gb FROM ids) g
             CROSS JOIN assess.students(gb) s FULL JOIN ids ON ids.id = s.student
             WHERE id IS NULL OR student IS NULL"
        ));
        assert_eq!(lost, 0, "{type}");
    }
}

#[test]
fn equal_ids_of_related_types_make_equal_gradebooks() {
    let database = Database::new();
    let mut session = database.session();
    session.run("CREATE DOMAIN roll_number AS int");
    for group in [
        &["7::int2", "7::int4", "7::int8", "7::roll_number"][..],
        &[
            "'ab'::text",
            "'ab'::varchar",
            "'ab'::char(5)",
            "'ab'::name",
            "'ab'",
        ],
    ] {
        let texts: Vec<String> = group
            .iter()
            .map(|id| {
                session.one(&format!(
                    "SELECT assess.gradebook_agg({id}, {id}, {id}, 1, date '2026-05-04')::text"
                ))
            })
            .collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{group:?}");
    }
}

#[test]
fn three_types_of_time_with_and_without_a_maximum() {
    let database = Database::new();
    let mut session = database.session();
    for (time, at) in [
        ("date '2026-05-04'", "2026-05-04 00:00:00+00"),
        ("timestamp '2026-05-04 10:30'", "2026-05-04 10:30:00+00"),
        (
            "timestamptz '2026-05-04 10:30+02'",
            "2026-05-04 08:30:00+00",
        ),
        ("'2026-05-04 10:30+02'", "2026-05-04 08:30:00+00"),
    ] {
        for score in [
            "0.5",
            "0.5::real",
            "0.5::numeric",
            "1, 2",
            "1::int2, 2::int8",
            "1::numeric, 2.0",
        ] {
            assert_eq!(
                session.table(&format!(
                    "SELECT s.raw_level, s.last_at
                     FROM (SELECT assess.gradebook_agg(1, 1, 1, {score}, {time}) AS gb) g,
                          assess.students(gb) s"
                )),
                [format!("0.5|{at}")],
                "{score} {time}"
            );
        }
    }
}

#[test]
fn excluded_rows_are_reported_once_a_statement_and_name_nobody() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run("UPDATE responses SET student = 'secret ' || student");
    session.notices();
    for statement in [
        gradebook_of("responses"),
        format!("{} GROUP BY assessment", gradebook_of("responses")),
        format!("{} GROUP BY student", gradebook_of("responses")),
        format!("SELECT {AGGREGATE} OVER (PARTITION BY item) FROM responses"),
    ] {
        for _ in 0..2 {
            session.table(&statement);
            let notices = session.notices();
            assert_eq!(notices.len(), 1, "{statement}");
            assert_eq!(notices[0].severity(), "WARNING");
            let found = format!("{:?}", notices[0]);
            assert!(
                found.contains("no_score") && found.contains("coverage"),
                "{found}"
            );
            assert!(!found.contains("secret"), "{found}");
        }
    }
    session.table(&gradebook_of("responses WHERE score <= max_score"));
    assert_eq!(session.notices().len(), 0, "nothing to report");
    session.run("SET client_min_messages = error");
    session.table(&gradebook_of("responses"));
    assert_eq!(session.notices().len(), 0, "not to be reported");
}

#[test]
fn attempts_decide_which_of_several_answers_counts() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(1, 1, 1, score, taken_on) AS gb
         FROM (VALUES (0.25, date '2026-05-04'), (0.75, date '2026-05-05'),
                      (0.5, date '2026-05-06'), (0.5, date '2026-05-06')) r(score, taken_on)",
    );
    for (attempts, level) in [("first", "0.25"), ("last", "0.5"), ("best", "0.75")] {
        assert_eq!(
            session.table(&format!(
                "SELECT raw_level, n FROM g, assess.students(gb, attempts => '{attempts}')"
            )),
            [format!("{level}|1")]
        );
        assert_eq!(
            session.table(&format!(
                "SELECT string_agg(reason || ' ' || rows, ', ') FILTER (WHERE rows > 0)
                 FROM g, assess.coverage(gb, attempts => '{attempts}')"
            )),
            ["used 1, duplicate 3"]
        );
    }
}

#[test]
fn gradebooks_that_do_not_fit_together_are_not_merged() {
    let database = Database::new();
    let mut session = database.session();
    let merge = |left: &str, right: &str| {
        format!(
            "SELECT assess.rollup(gb) FROM (SELECT assess.gradebook_agg({left}) AS gb
             UNION ALL SELECT assess.gradebook_agg({right})) g"
        )
    };
    let number = "1, 1, 1, 1, date '2026-05-04'";
    for (other, table) in [
        ("'1'::text, 1, 1, 1, date '2026-05-04'", "student"),
        ("1, '1'::text, 1, 1, date '2026-05-04'", "item"),
        ("1, 1, '1'::text, 1, date '2026-05-04'", "assessment"),
    ] {
        let error = session.refuses(&merge(number, other), "22023");
        assert!(error.message().contains(table), "{error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains(table)),
            "{error:?}"
        );
        session.refuses(&merge(other, number), "22023");
    }
    let uuid = "gen_random_uuid(), 1, 1, 1, date '2026-05-04'";
    session.refuses(&merge(number, uuid), "22023");
    let instant = "1, 1, 1, 1, timestamptz '2026-05-04'";
    session.refuses(&merge(number, instant), "22023");
    session.refuses(&merge(instant, number), "22023");

    // What has no id and no time has none of a wrong type.
    for nothing in [
        "NULL::text, 1, 1, 1, date '2026-05-04'",
        "1, 1, 1, NULL, NULL::timestamptz",
    ] {
        assert_eq!(session.table(&merge(number, nothing)).len(), 1);
    }
    // Calendar times of both types fit together.
    assert_eq!(
        session
            .table(&merge(number, "1, 1, 1, 1, timestamp '2026-05-04 10:00'"))
            .len(),
        1
    );
}

#[test]
fn a_gradebook_has_a_limit_for_its_ids() {
    let database = Database::new();
    let mut session = database.session();
    let error = session.refuses(
        "SELECT assess.gradebook_agg(repeat('x', 1000000) || n, 1, 1, 1, now()) IS NULL
         FROM generate_series(1, 300) n",
        "54000",
    );
    assert!(
        error.hint().is_some_and(|hint| hint.contains("GROUP BY")),
        "{error:?}"
    );
}

#[test]
fn the_first_and_the_last_days_can_be_shown_in_every_time_zone() {
    let database = Database::new();
    let mut session = database.session();
    for (zone, time) in [
        ("Asia/Tokyo", "date '4714-11-24 BC'"),
        ("Asia/Tokyo", "timestamp '4714-11-24 00:00 BC'"),
        ("America/New_York", "timestamp '294276-12-31 23:59:59'"),
        ("Pacific/Kiritimati", "date '4714-11-24 BC'"),
    ] {
        session.run(&format!("SET TimeZone = '{zone}'"));
        for function in ["students", "items", "assessments"] {
            let rows = session.table(&format!(
                "SELECT * FROM (SELECT assess.gradebook_agg(1, 1, 1, 1, {time}) AS gb) g,
                        assess.{function}(gb)"
            ));
            assert_eq!(rows.len(), 1, "{function}, {time} in {zone}");
        }
    }
}

#[test]
fn as_of_may_be_the_end_of_time() {
    let database = Database::new();
    let mut session = database.session();
    session.run("SET TimeZone = 'Asia/Tokyo'");
    // All that is known has faded by then.
    let rows = session.table(
        "SELECT level, information, status
         FROM (SELECT assess.gradebook_agg(1,1,1,1.0,date '2026-06-30') gb) g,
              assess.students(gb, as_of=>'294276-12-31 23:59:59+00') c",
    );
    assert_eq!(rows, ["1|0|stale"]);
}

/// As JDBC and cursors do it.
#[test]
fn one_statement_warns_once_however_it_is_fetched() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run("SET enable_hashagg = off");
    session.notices();
    let sql = format!(
        "DECLARE c CURSOR FOR {} GROUP BY student",
        gradebook_of("responses")
    );
    session.run(&format!("BEGIN; {sql}"));
    for _ in 0..3 {
        session.run("FETCH 10 FROM c");
    }
    assert_eq!(session.notices().len(), 1);
}

#[test]
fn every_statement_of_a_message_warns() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.notices();
    session.table(&format!("{0}; {0}", gradebook_of("responses")));
    assert_eq!(session.notices().len(), 2);
}
