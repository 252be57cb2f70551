//! `gradebook_agg` and `rollup`: what they take, what they refuse, and that no plan, no order of
//! rows and no detour changes a byte of what they give.

use pg_assess_it::{
    AGGREGATE, Database, Mutations, PARALLEL, RESPONSES, SERIAL, Session, Wire, gradebook_of, rows,
};

/// What `coverage` says, without the reasons for which there is no row.
fn coverage(session: &mut Session, gradebook: &str) -> String {
    session
        .table(&format!(
            "SELECT c.reason || ' ' || c.rows
             FROM ({gradebook}) g(gb), assess.coverage(g.gb) c WHERE c.rows > 0"
        ))
        .join(", ")
}

fn text_of(session: &mut Session, table: &str) -> String {
    session.one(&format!("SELECT gb::text FROM ({}) g", gradebook_of(table)))
}

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
        "rollup of nothing"
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
/// last timestamp; whether a date in the future is a mistake, only the date asked about can tell.
const COUNTED: &str = "
1, 2, 3, 1, 2, day                            | used

NULL::int, 2, 3, 1, 2, day                    | null_id
1, NULL::int, 3, 1, 2, day                    | null_id
1, 2, NULL::int, 1, 2, day                    | null_id
1, 2, 3, NULL, 2, day                         | null_score
1, 2, 3, 1, NULL, day                         | no_max_score
1, 2, 3, 1, 2, NULL::date                     | null_date
NULL::int, 2, 3, NULL, NULL, NULL::date       | null_id
1, 2, 3, NULL, NULL, NULL::date               | null_date
1, 2, 3, NULL, NULL, day                      | null_score

1, 2, 3, '-0', 2, day                         | used
1, 2, 3, 2, 2, day                            | used
1, 2, 3, 2.0000000000000004, 2, day           | used
1, 2, 3, 0.1::float8 + 0.2, 0.3, day          | used
1, 2, 3, 2.00000001, 2, day                   | out_of_range
1, 2, 3, 1e308, 2, day                        | out_of_range
1, 2, 3, 1e308, 'Infinity', day               | used
1, 2, 3, 5e-324, 1e308, day                   | used
1, 2, 3, 5e-324, 5e-324, day                  | used
1, 2, 3, -1, 2, day                           | out_of_range
1, 2, 3, -5e-324, 1e308, day                  | out_of_range
1, 2, 3, -1, 'Infinity', day                  | out_of_range
1, 2, 3, 'NaN', 2, day                        | not_finite
1, 2, 3, 'Infinity', 2, day                   | not_finite
1, 2, 3, '-Infinity', 2, day                  | not_finite
1, 2, 3, 'Infinity', 'Infinity', day          | not_finite

1, 2, 3, 0, 0, day                            | no_max_score
1, 2, 3, 1, -2, day                           | no_max_score
1, 2, 3, 1, '-Infinity', day                  | no_max_score
1, 2, 3, 1, 'NaN', day                        | no_max_score
1, 2, 3, 'NaN', 0, day                        | no_max_score

1, 2, 3, 1, day                               | used
1, 2, 3, 1.0000000000000002, day              | used
1, 2, 3, 1.00000001, day                       | out_of_range
1, 2, 3, 2, day                               | out_of_range

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
fn excluded_rows_are_told_once_a_statement_and_name_nobody() {
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
            let told = format!("{:?}", notices[0]);
            assert!(
                told.contains("null_score") && told.contains("coverage"),
                "{told}"
            );
            assert!(!told.contains("secret"), "{told}");
        }
    }
    session.table(&gradebook_of("responses WHERE score <= max_score"));
    assert_eq!(session.notices().len(), 0, "nothing to tell");
    session.run("SET client_min_messages = error");
    session.table(&gradebook_of("responses"));
    assert_eq!(session.notices().len(), 0, "not to be told");
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
fn gradebooks_survive_copy_in_text_and_binary() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!(
        "CREATE TABLE g AS
         SELECT assessment, {AGGREGATE} AS gb FROM responses GROUP BY assessment
         UNION ALL SELECT 'all', {AGGREGATE} FROM responses
         UNION ALL SELECT 'none', NULL"
    ));
    for format in ["text", "csv", "binary"] {
        assert_eq!(session.copy("g", "back", format), 14);
        let differences: i64 = session.one(
            "SELECT count(*) FROM g FULL JOIN back USING (assessment)
             WHERE g.gb::text IS DISTINCT FROM back.gb::text",
        );
        assert_eq!(differences, 0, "{format}");
        session.run("DROP TABLE back");
    }
}

#[test]
fn gradebooks_survive_a_dump() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!("CREATE TABLE g AS {}", gradebook_of("responses")));
    let answers = "SELECT s::text FROM g, assess.students(gb) s
                   UNION ALL SELECT i::text FROM g, assess.items(gb) i";
    let before = session.table(answers);
    for option in ["--format=plain", "--inserts"] {
        let restored = database.restored(option);
        assert_eq!(restored.session().table(answers), before, "{option}");
    }
}

#[test]
fn what_is_no_gradebook_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    for text in [
        "",
        "x",
        "gradebook:",
        "gradebook:!",
        "gradebook:AQ==",
        "gradebook:AAAA",
    ] {
        session.refuses(&format!("SELECT '{text}'::assess.gradebook"), "22P02");
    }
    for (bytes, code) in [
        (&b""[..], "22P03"),
        (b"\x00", "22P03"),
        (b"\x01", "22P03"),
        (b"\x01\x00\x00", "22P03"),
        (b"\x02", "0A000"),
        (b"\x01\x80", "0A000"),
    ] {
        let error = session
            .query_one("SELECT $1::assess.gradebook", &[&Wire(bytes.to_vec())])
            .expect_err("no gradebook");
        let told = error.as_db_error().expect("the server told");
        assert_eq!(told.code().code(), code, "{bytes:?}: {told}");
        assert!(told.detail().is_some() && told.hint().is_some(), "{told:?}");
    }
}

/// Malformed in text or binary, of a newer version, or beyond a limit.
const REFUSALS: [&str; 4] = ["22P02", "22P03", "0A000", "54000"];

#[test]
fn no_mutated_gradebook_crashes_the_backend() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    let few = "responses WHERE student IN ('s1', 's2', 's44', 's89') AND assessment < 'test 12'";
    let gradebook = gradebook_of(few);
    let text = text_of(&mut session, few);
    let Wire(bytes) = session
        .query_one(&gradebook, &[])
        .expect("a gradebook")
        .get(0);
    let backend = session.backend();

    let anything: Vec<u8> = (0..=255).collect();
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=:";
    let mut mutations = Mutations { state: 20260504 };
    let (mut refused, mut read) = (0, 0);
    // What is read must be safe to solve, too.
    let solve = |gradebook: &str| {
        format!(
            "SELECT (SELECT count(*) FROM assess.items(gb)),
                    (SELECT count(*) FROM assess.students(gb)),
                    (SELECT count(*) FROM assess.assessments(gb)),
                    (SELECT count(*) FROM assess.explain(gb, 's1')),
                    (SELECT sum(rows) FROM assess.coverage(gb)),
                    (SELECT assess.rollup(r.gb)::text FROM (VALUES (g.gb)) r(gb))
             FROM (SELECT {gradebook}::assess.gradebook AS gb) g"
        )
    };
    let from_binary = session.prepare(&solve("$1")).expect("prepares");
    for round in 0..400 {
        let result = if round % 2 == 0 {
            let mutant = mutations.mutate(&bytes, &anything);
            session
                .query_one(&from_binary, &[&Wire(mutant)])
                .map(|_| ())
        } else {
            let mutant = mutations.mutate(text.as_bytes(), base64);
            let mutant = String::from_utf8(mutant).expect("ASCII");
            session
                .simple_query(&solve(&format!("'{mutant}'")))
                .map(|_| ())
        };
        match result {
            Ok(()) => read += 1,
            Err(error) => {
                let told = error.as_db_error().expect("the backend lives");
                assert!(REFUSALS.contains(&told.code().code()), "{told:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 200 && read > 5, "{refused} refused, {read} read");
    assert_eq!(session.backend(), backend);
}

#[test]
fn no_plan_and_no_order_changes_a_byte() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(
        "CREATE TABLE shuffled AS SELECT * FROM responses ORDER BY md5(responses::text);
         CREATE TABLE parted (LIKE responses) PARTITION BY LIST (assessment);
         CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN ('test 1', 'test 2', 'test 3');
         CREATE TABLE part_2 PARTITION OF parted DEFAULT;
         INSERT INTO parted SELECT * FROM responses;
         ANALYZE shuffled, parted",
    );
    session.run(SERIAL);
    let serial = text_of(&mut session, "responses");
    assert_eq!(text_of(&mut session, "shuffled"), serial, "shuffled");
    assert_eq!(text_of(&mut session, "parted"), serial, "partitioned");
    for order in ["score, student DESC", "md5(item::text), taken_on"] {
        let ordered = AGGREGATE.replace(')', &format!(" ORDER BY {order})"));
        let text: String = session.one(&format!("SELECT {ordered}::text FROM responses"));
        assert_eq!(text, serial, "{order}");
    }

    session.run(PARALLEL);
    for leader in ["on", "off"] {
        session.run(&format!("SET parallel_leader_participation = {leader}"));
        for table in ["responses", "shuffled", "parted"] {
            let plan = session.plan(&gradebook_of(table));
            assert!(plan.contains("Partial Aggregate"), "{plan}");
            assert!(plan.contains("Finalize Aggregate"), "{plan}");
            assert_eq!(
                text_of(&mut session, table),
                serial,
                "{table}, leader {leader}"
            );
        }
    }

    session.run("SET enable_partitionwise_aggregate = on");
    let plan = session.plan(&gradebook_of("parted"));
    assert_eq!(plan.matches("Partial Aggregate").count(), 2, "{plan}");
    assert_eq!(text_of(&mut session, "parted"), serial, "partitionwise");
    let groups = |table: &str| {
        format!("SELECT assessment, {AGGREGATE} AS gb FROM {table} GROUP BY assessment")
    };
    let plan = session.plan(&groups("parted"));
    assert_eq!(plan.matches("Partial").count(), 2, "{plan}");
    let differences: i64 = session.one(&format!(
        "SELECT count(*) FROM ({}) a FULL JOIN ({}) b USING (assessment)
         WHERE a.gb::text IS DISTINCT FROM b.gb::text",
        groups("responses"),
        groups("parted"),
    ));
    assert_eq!(differences, 0, "partitionwise groups");
}

#[test]
fn grouping_sets_distinct_and_windows_agree_with_plain_aggregation() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);

    let sets = session.table(&format!(
        "SELECT assessment, taken_on, {AGGREGATE} FROM responses
         GROUP BY GROUPING SETS ((assessment), (taken_on), ()) ORDER BY 1, 2"
    ));
    let plain = session.table(&format!(
        "SELECT assessment, NULL::date, {AGGREGATE} FROM responses GROUP BY 1
         UNION ALL SELECT NULL, taken_on, {AGGREGATE} FROM responses GROUP BY 2
         UNION ALL SELECT NULL, NULL, {AGGREGATE} FROM responses ORDER BY 1, 2"
    ));
    assert_eq!(sets, plain, "GROUPING SETS");

    session.run("CREATE TABLE twice AS SELECT * FROM responses UNION ALL SELECT * FROM responses");
    let distinct = AGGREGATE.replace('(', "(DISTINCT ");
    assert_eq!(
        session.one::<String>(&format!("SELECT {distinct}::text FROM twice")),
        text_of(&mut session, "(SELECT DISTINCT * FROM responses) r"),
        "DISTINCT"
    );

    // A frame that moves on, and one that grows and is finished again and again.
    session.run(
        "CREATE TABLE days AS
         SELECT r.*, row_number() OVER (ORDER BY taken_on) AS day
         FROM (SELECT DISTINCT ON (taken_on) * FROM responses ORDER BY taken_on, item) r",
    );
    let moving = session.table(&format!(
        "SELECT day, {AGGREGATE} OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND 1 FOLLOWING),
                {AGGREGATE} OVER (ORDER BY day)
         FROM days ORDER BY day"
    ));
    let anew = session.table(&format!(
        "SELECT d.day, a.* FROM days d, LATERAL (
             SELECT {AGGREGATE} FILTER (WHERE day BETWEEN d.day - 6 AND d.day + 1),
                    {AGGREGATE} FILTER (WHERE day <= d.day) FROM days) a
         ORDER BY d.day"
    ));
    assert!(moving.len() > 20);
    assert_eq!(moving, anew, "window frames");
}

#[test]
fn rollups_give_what_all_rows_at_once_give() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(SERIAL);
    session.run(&format!(
        "CREATE TABLE months AS
         SELECT date_trunc('month', taken_on) AS month, student, {AGGREGATE} AS gb
         FROM responses GROUP BY 1, 2;
         INSERT INTO months VALUES (now(), 'nobody', NULL);
         ANALYZE months"
    ));
    let whole = text_of(&mut session, "responses");
    let rollup = "SELECT assess.rollup(gb)::text FROM months";
    assert_eq!(session.one::<String>(rollup), whole, "of months");
    for inner in [
        "SELECT assess.rollup(gb) AS gb FROM months",
        "SELECT assess.rollup(gb ORDER BY md5(student)) AS gb FROM months GROUP BY month",
    ] {
        let outer = format!("SELECT assess.rollup(gb)::text FROM ({inner}) r");
        assert_eq!(session.one::<String>(&outer), whole, "of {inner}");
    }
    let moving = session.table(
        "SELECT month, assess.rollup(assess.rollup(gb)) OVER (
                    ORDER BY month RANGE BETWEEN '1 month' PRECEDING AND CURRENT ROW)
         FROM months WHERE gb IS NOT NULL GROUP BY month ORDER BY 1",
    );
    let anew = session.table(
        "SELECT a.month, (SELECT assess.rollup(gb) FROM months b
                          WHERE b.month BETWEEN a.month - interval '1 month' AND a.month)
         FROM months a WHERE gb IS NOT NULL GROUP BY a.month ORDER BY 1",
    );
    assert_eq!(moving, anew, "two months at a time");

    session.run(PARALLEL);
    for leader in ["on", "off"] {
        session.run(&format!("SET parallel_leader_participation = {leader}"));
        let plan = session.plan(rollup);
        assert!(plan.contains("Partial Aggregate"), "{plan}");
        assert_eq!(
            session.one::<String>(rollup),
            whole,
            "parallel, leader {leader}"
        );
    }
}

#[test]
fn many_groups_spill_and_do_not_fill_the_memory() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE many AS
         SELECT student, item, 1 AS assessment, abs(hashint4(student * 7 + item) % 2) AS score,
                1 AS max_score, date '2026-05-04' + item AS taken_on
         FROM generate_series(1, 4) item, generate_series(1, 50000) student;
         ANALYZE many",
    );
    let groups = format!("SELECT student, {AGGREGATE} AS gb FROM many GROUP BY student");
    let digest = format!("SELECT md5(string_agg(gb::text, '' ORDER BY student)) FROM ({groups}) g");
    session.run(&format!("{SERIAL}; SET enable_hashagg = off"));
    let sorted: String = session.one(&digest);

    let mut session = database.session();
    session.run(&format!(
        "{SERIAL}; SET enable_sort = off; SET work_mem = '64kB'"
    ));
    session.run("SELECT assess.gradebook_agg(1, 1, 1, 1, now())");
    let before = session.memory("VmRSS");
    let told = session
        .table(&format!("EXPLAIN (ANALYZE, COSTS OFF) {groups}"))
        .join("\n");
    assert!(
        told.contains("HashAggregate") && told.contains("Disk Usage"),
        "{told}"
    );
    if let (Some(before), Some(peak)) = (before, session.memory("VmHWM")) {
        // All states at once take 75 MB; shared pages, which count, some 10 MB.
        assert!(
            peak < before + 30_000,
            "{before} KB before, {peak} KB at most"
        );
    }
    assert_eq!(session.one::<String>(&digest), sorted);
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
        let told = session.refuses(&merge(number, other), "22023");
        assert!(told.message().contains(table), "{told}");
        assert!(
            told.hint().is_some_and(|hint| hint.contains(table)),
            "{told:?}"
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
        "1, 'x', 1, NULL, timestamptz '2026-05-04'",
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
    let told = session.refuses(
        "SELECT assess.gradebook_agg(repeat('x', 1000000) || n, 1, 1, 1, now()) IS NULL
         FROM generate_series(1, 300) n",
        "54000",
    );
    assert!(
        told.hint().is_some_and(|hint| hint.contains("GROUP BY")),
        "{told:?}"
    );
}

#[test]
fn memory_is_given_back_after_an_error_in_the_middle() {
    let database = Database::new();
    let mut session = database.session();
    // The state holds 40 MB when the last row divides by zero.
    let fails = "SELECT assess.gradebook_agg(repeat('x', 400000) || n, 1, 1, 1 / (100 - n), now())
                 FROM generate_series(1, 100) n";
    let run = |session: &mut Session| {
        assert_eq!(session.fails(fails).code().code(), "22012");
    };
    for _ in 0..3 {
        run(&mut session);
    }
    let before = session.memory("VmRSS");
    for _ in 0..20 {
        run(&mut session);
    }
    if let (Some(before), Some(after)) = (before, session.memory("VmRSS")) {
        assert!(
            after < before + 40_000,
            "{before} KB before, {after} KB after"
        );
    }
}

#[test]
fn the_first_and_the_last_days_can_be_told_in_every_time_zone() {
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
    session.table(
        "SELECT c.* FROM (SELECT assess.gradebook_agg(1,1,1,1.0,date '2026-06-30') gb) g,
                   assess.students(gb, as_of=>'294276-12-31 23:59:59+00') c",
    );
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
