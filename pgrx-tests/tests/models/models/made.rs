//! Models are made over any source, and what does not fit is refused.

use pg_assess_it::{Database, Session};

use super::{MODEL, REFRESHED, with_model};

/// Every relation and every column is described, and is of a type that reporting tools know.
fn everything_is_described(session: &mut Session) {
    assert_eq!(
        session.table(
            "SELECT c.relname, a.attname FROM pg_class c
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = 'school'::regnamespace AND c.relkind IN ('r', 'v', 'm')
             AND (obj_description(c.oid) IS NULL OR col_description(c.oid, a.attnum) IS NULL)"
        ),
        [""; 0]
    );
    // What is said of a column of one relation is said of it and of no other.
    assert_eq!(
        session.table(
            "SELECT c.attribute
             FROM (SELECT attribute, about, split_part(attribute, '.', 1) AS relation,
                          split_part(attribute, '.', 2) AS name
                   FROM assess._columns() WHERE attribute LIKE '%.%') c
             LEFT JOIN pg_attribute a ON a.attrelid = to_regclass('school.' || c.relation)
                                      AND a.attname = c.name
             WHERE to_regclass('school.' || c.relation) IS NOT NULL
                   AND col_description(a.attrelid, a.attnum) IS DISTINCT FROM c.about
             OR c.relation NOT IN (SELECT relation FROM assess._relations())"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT c.relname, col_description(c.oid, a.attnum) FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'reason'
             WHERE c.relnamespace = 'school'::regnamespace AND c.relkind <> 'i' ORDER BY 1"
        ),
        [
            "check_in_list|why the student is on the list: no evidence, old evidence, \
             waiting for marks or missing work",
            "coverage|used, or why rows were left out",
        ]
    );
    assert_eq!(
        session.table(
            "SELECT DISTINCT format_type(a.atttypid, NULL) FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
             WHERE c.relnamespace = 'school'::regnamespace AND c.relkind IN ('v', 'm')
             AND c.relname NOT IN ('parts', 'gradebook')
             AND (c.relname, a.attname) NOT IN (('runs', 'rows_excluded'), ('runs', 'settings'),
                                                ('runs', 'steps')) ORDER BY 1"
        ),
        [
            "bigint",
            "boolean",
            "date",
            "double precision",
            "integer",
            "text",
            "timestamp with time zone",
        ]
    );
}

#[test]
fn one_statement_makes_a_model() {
    let (_database, mut session) = with_model();
    for relation in REFRESHED {
        let rows: i64 = session.one(&format!("SELECT count(*) FROM school.{relation}"));
        assert!(rows > 0, "{relation}");
    }
    for view in [
        "runs",
        "responses",
        "coverage",
        "help_list",
        "check_in_list",
        "question_review",
        "school_map",
        "score_sheet",
    ] {
        let rows: i64 = session.one(&format!("SELECT count(*) FROM school.{view}"));
        assert!(rows > 0, "{view}");
    }
    everything_is_described(&mut session);
    // Keys are unique by their indexes; no figure is NaN or infinite.
    for relation in ["questions", "students", "assessments"] {
        let columns = session.table(&format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'school.{relation}'::regclass
             AND attnum > 0 AND atttypid = 'float8'::regtype"
        ));
        for column in columns {
            let odd: i64 = session.one(&format!(
                "SELECT count(*) FROM school.{relation}
                 WHERE {column} IN ('NaN', 'Infinity', '-Infinity')"
            ));
            assert_eq!(odd, 0, "{relation}.{column}");
        }
    }
    // A figure over time needs no other relation.
    assert_eq!(
        session.table(
            "SELECT h.as_of = r.as_of, r.seconds BETWEEN 0 AND 3600, count(*) > 0
             FROM school.history h JOIN school.runs r USING (run_id) GROUP BY 1, 2"
        ),
        ["t|t|t"]
    );
    // The results are those of the functions.
    assert_eq!(
        session.table(
            "SELECT g.subject, s.student::int, s.level, s.need FROM
             (SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points,
                  max_points, taken_on + (attempt - 1) * interval '1 microsecond') AS gb
              FROM scores GROUP BY subject) g, assess.students(gb, as_of => '2025-12-20') s
             EXCEPT SELECT subject, student, level, need FROM school.students"
        ),
        [""; 0]
    );
    // The group is that of the student's school.
    assert_eq!(
        session.table(
            "SELECT count(*) FROM school.students s JOIN sample_network.students t
             ON t.student_id = s.student WHERE s.student_group IS DISTINCT FROM t.school_id"
        ),
        ["0"]
    );
    assert_eq!(
        session.table("SELECT model, owner = current_user, source, status FROM assess.models()"),
        ["school|t|public.scores|succeeded"]
    );
}

#[test]
fn every_result_has_a_key_and_says_what_it_is_of() {
    let (_database, mut session) = with_model();
    for (relation, key) in [
        ("questions", "subject, item"),
        ("students", "subject, student"),
        ("assessments", "subject, assessment"),
        ("coverage", "subject, reason"),
        ("help_list", "subject, student"),
        ("check_in_list", "subject, student"),
        ("question_review", "subject, item"),
        ("school_map", "subject, student"),
        ("score_sheet", "subject, assessment, student, item"),
    ] {
        assert_eq!(
            session.table(&format!(
                "SELECT count(*) > 0, count(*) = count(DISTINCT ({key})),
                        count(*) = count(run_id) AND count(*) = count(method_version)
                        AND count(*) = count(as_of) FROM school.{relation}"
            )),
            ["t|t|t"],
            "{relation}"
        );
    }
}

#[test]
fn the_score_sheet_shows_the_attempt_that_counts() {
    let database = Database::new();
    let mut session = database.session();
    // Three days, and on the second two answers at the same time: then the higher counts.
    session.run(
        "CREATE TABLE again AS
         SELECT s AS student, 'q' || i AS item, 'quiz' AS assessment, x.score,
                date '2026-03-01' + x.day AS taken_on
         FROM generate_series(1, 9) s, generate_series(1, 4) i,
              (VALUES (0.2, 0), (0.4, 1), (0.9, 1), (0.3, 2)) x(score, day)
         WHERE x.day <= s % 3;
         SELECT assess.create_model('m', 'again', 'student', 'item', 'assessment', 'score', 'taken_on',
                                    settings => '{\"as_of\": \"2026-03-09\"}')",
    );
    for (attempts, scores) in [
        ("first", ["0|0.2", "1|0.2", "2|0.2"]),
        ("last", ["0|0.2", "1|0.9", "2|0.3"]),
        ("best", ["0|0.2", "1|0.9", "2|0.9"]),
    ] {
        session.run(&format!(
            "SELECT assess.set_option('m', 'attempts', '{attempts}')"
        ));
        session.run("CALL assess.refresh('m')");
        assert_eq!(
            session.table("SELECT DISTINCT student % 3, score FROM m.score_sheet ORDER BY 1"),
            scores,
            "{attempts}"
        );
        // What is read off it is what the questions were judged by.
        assert_eq!(
            session.table(
                "SELECT count(*) FROM m.questions q WHERE abs(q.facility
                 - (SELECT avg(r.score) FROM m.score_sheet r WHERE r.item = q.item)) > 1e-12"
            ),
            ["0"],
            "{attempts}"
        );
    }
    // Until the next refresh the settings are those of the last one.
    session.run("SELECT assess.set_option('m', 'attempts', 'first')");
    assert_eq!(
        session.table("SELECT DISTINCT student % 3, score FROM m.score_sheet ORDER BY 1"),
        ["0|0.2", "1|0.9", "2|0.9"]
    );
}

#[test]
fn what_does_not_fit_is_refused_with_advice() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r (student_id int, item_id int, test text, points text, score float8, at date,
                         note json);
         CREATE TABLE empty (s int, i int, a int, x float8, t date);
         CREATE TEMPORARY TABLE passing AS SELECT 1 AS s, 1 AS i, 1 AS a, 1.0 AS x, now() AS t;
         INSERT INTO r VALUES (1, 1, 'a', '1', 1, '2026-01-05', '{}')",
    );
    let make = |columns: &str| format!("SELECT assess.create_model('m', {columns})");
    let error = session.fails(&make("'r', 'studnt_id', 'item_id', 'test', 'score', 'at'"));
    assert_eq!(error.code().code(), "42703", "{error}");
    let hint = error.hint().expect("advice");
    assert!(
        hint.contains("\"student_id\"") && hint.contains("points"),
        "{hint}"
    );
    for (columns, code) in [
        (
            "'r', 'student_id', 'item_id', 'test', 'points', 'at'",
            "42804",
        ),
        (
            "'r', 'student_id', 'item_id', 'test', 'score', 'score'",
            "42804",
        ),
        (
            "'r', 'student_id', 'item_id', 'test', 'score', 'at', max_score => 'note'",
            "42804",
        ),
        ("'r', 'student_id', 'item_id', NULL, 'score', 'at'", "22004"),
        (
            "'r', 'student_id', 'item_id', 'test', 'score', 'at', status => 'test'",
            "22023",
        ),
        ("'empty', 's', 'i', 'a', 'x', 't'", "P0002"),
        ("'passing', 's', 'i', 'a', 'x', 't'", "42809"),
        ("NULL, 's', 'i', 'a', 'x', 't'", "22004"),
    ] {
        let error = session.fails(&make(columns));
        assert_eq!(error.code().code(), code, "{columns}: {error}");
    }
    let good = make("'r', 'student_id', 'item_id', 'test', 'score', 'at'");
    session.run(&good);
    assert_eq!(session.fails(&good).code().code(), "42P06");
    let again = good.replace("'at')", "'at', if_not_exists => true)");
    session.run(&again);
    // A schema that is no model is not taken for one.
    session.run("CREATE SCHEMA other");
    let error = session.fails(&again.replace("'m'", "'other'"));
    assert_eq!(error.code().code(), "42P06");
    for call in [
        "SELECT assess.drop_model('other')",
        "SELECT assess.set_option('nothing', 'cut', '1')",
        "CALL assess.refresh('nothing')",
    ] {
        let error = session.fails(call);
        assert_eq!(error.code().code(), "42704", "{error}");
        assert_eq!(error.hint(), Some("There are: m."));
    }
    let error = session.fails("SELECT assess.set_option('m', 'half_live', '30 days')");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("half_life")),
        "{error}"
    );
    for (option, value, code) in [
        ("half_life", "-30 days", "22023"),
        ("confidence", "1", "22023"),
        ("attempts", "all", "22023"),
        ("half_life", "soon", "22007"),
        ("keep_runs", "0", "23514"),
        ("half_life", "", "22007"),
    ] {
        let set = format!("SELECT assess.set_option('m', '{option}', '{value}')");
        let error = session.fails(&set);
        assert_eq!(error.code().code(), code, "{set}: {error}");
    }
    session.run("SELECT assess.set_option('m', 'half_life', '30 days')");
    session.run("SELECT assess.set_option('m', 'cut', NULL)");
    assert_eq!(
        session.table("SELECT half_life, cut FROM m.settings"),
        ["30 days|-"]
    );
    // The source keeps the columns that a model reads.
    assert_eq!(
        session
            .fails("ALTER TABLE r DROP COLUMN score")
            .code()
            .code(),
        "2BP01"
    );
    session.run("ALTER TABLE r RENAME COLUMN score TO grade");
    session.run("CALL assess.refresh('m')");
    session.run("SELECT assess.drop_model('m'); ALTER TABLE r DROP COLUMN grade");
}

#[test]
fn a_model_that_others_build_on_is_not_dropped() {
    let (_database, mut session) = with_model();
    session.run("CREATE VIEW mine AS SELECT count(*) FROM school.help_list");
    assert_eq!(
        session
            .fails("SELECT assess.drop_model('school')")
            .code()
            .code(),
        "2BP01"
    );
    session.run("DROP VIEW mine; CREATE TABLE school.notes (note text)");
    assert_eq!(
        session
            .fails("SELECT assess.drop_model('school')")
            .code()
            .code(),
        "2BP01"
    );
    session.run("DROP TABLE school.notes; SELECT assess.drop_model('school')");
    assert_eq!(session.table("SELECT * FROM assess.models()"), [""; 0]);
}

#[test]
fn any_source_and_any_name_will_do() {
    let database = Database::new();
    let mut session = database.session();
    let long = "ß".repeat(31);
    session.run(&format!(
        "CREATE SCHEMA \"Ünï \"\"quoted\"\"; DROP TABLE x;--\";
         CREATE TABLE \"Ünï \"\"quoted\"\"; DROP TABLE x;--\".\"My %I $1 Table\" (
             \"Student ID\" uuid, \"{long}\" numeric, \"select\" char(9), \"%s\" numeric(5, 2),
             \"when\" timestamptz, \"max'score\" int, \"{{m}}\" text, \"gröup\" smallint)
             PARTITION BY RANGE (\"when\");
         CREATE TABLE part_1 PARTITION OF \"Ünï \"\"quoted\"\"; DROP TABLE x;--\".\"My %I $1 Table\" DEFAULT;
         INSERT INTO \"Ünï \"\"quoted\"\"; DROP TABLE x;--\".\"My %I $1 Table\"
         SELECT md5(s::text)::uuid, i + CASE WHEN s % 2 = 0 THEN 0.50 ELSE 0.5 END, 'test ' || a,
                (s * i * a) % 3, timestamptz '2026-01-05' + a * interval '7 days', 2,
                CASE WHEN a % 2 = 0 THEN 'ELA' END, s % 3
         FROM generate_series(1, 30) s, generate_series(1, 6) i, generate_series(1, 8) a"
    ));
    // Functions and operators in the way of those of Postgres.
    session.run(
        "CREATE SCHEMA evil;
         CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
         CREATE FUNCTION evil.count(anyelement) RETURNS bigint LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
         CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
         CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);
         CREATE TABLE evil.pg_class (oid int); CREATE TABLE evil.pg_namespace (oid int);
         SET search_path = evil, pg_catalog, public",
    );
    let name = "a '\"model\"' {m} %s";
    let quoted = "\"a '\"\"model\"\"' {m} %s\"";
    let literal = name.replace('\'', "''");
    session.run(&format!(
        "SELECT assess.create_model('{literal}',
             '\"Ünï \"\"quoted\"\"; DROP TABLE x;--\".\"My %I $1 Table\"', 'Student ID', '{long}', 'select',
             '%s', 'when', max_score => 'max''score', subject => '{{m}}', student_group => 'gröup')"
    ));
    session.run(&format!("CALL assess.refresh('{literal}')"));
    session.run(&format!(
        "SELECT assess.set_option('{literal}', 'half_life', '90 days')"
    ));
    session.run(&format!(
        "INSERT INTO {quoted}.pass_marks VALUES ('ELA', 1.50, 0.9), (NULL, 2.5, 0.8)"
    ));
    assert_eq!(
        session.table(&format!(
            "SELECT DISTINCT item, coalesce(subject, 'none'), expected FROM {quoted}.score_sheet
             WHERE expected > 0.75 ORDER BY 1, 2"
        )),
        ["1.5|ELA|0.9", "2.5|ELA|0.8", "2.5|none|0.8"]
    );
    session.run("RESET search_path");
    // Equal numbers are one question, however they are written; ids are of their own types.
    assert_eq!(
        session.table(&format!(
            "SELECT coalesce(subject, 'none'), count(*), min(pg_typeof(item)::text), min(item) FROM {quoted}.questions
             GROUP BY 1 ORDER BY 1"
        )),
        ["ELA|6|numeric|1.5", "none|6|numeric|1.5"]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT count(*), min(pg_typeof(student)::text), min(pg_typeof(student_group)::text)
             FROM {quoted}.students"
        )),
        ["60|uuid|smallint"]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT DISTINCT assessment FROM {quoted}.assessments ORDER BY 1 LIMIT 1"
        )),
        ["test 1"]
    );
    session.run(&format!("SELECT assess.drop_model('{literal}')"));

    // Enumerations, domains, which come as what they are made of, booleans as scores; a status by which
    // scores count.
    session.run(
        "CREATE TYPE kind AS ENUM ('one', 'two');
         CREATE DOMAIN code AS text CHECK (VALUE ~ '^[a-z0-9]+$');
         CREATE MATERIALIZED VIEW answers AS
         SELECT ('s' || s)::code AS student, CASE i WHEN 1 THEN 'one' ELSE 'two' END::kind AS item, a,
                (s + i + a) % 3 > 0 AS ok, now() - a * interval '1 day' AS at,
                CASE WHEN s % 5 = 0 THEN 'excused' ELSE 'handed in' END AS state
         FROM generate_series(1, 20) s, generate_series(1, 2) i, generate_series(1, 5) a;
         SELECT assess.create_model('small', 'answers', 'student', 'item', 'a', 'ok', 'at',
             status => 'state', counted => ARRAY['handed in'])",
    );
    assert_eq!(
        session.table(
            "SELECT min(pg_typeof(student)::text), min(subject), sum(n),
                    count(*) FILTER (WHERE status = 'none') FROM small.students"
        ),
        ["text|all|160|4"]
    );
    assert_eq!(
        session.table("SELECT sum(rows) FROM small.coverage WHERE reason IN ('blank', 'waiting')"),
        ["40"]
    );
    assert_eq!(
        session.table("SELECT min(pg_typeof(item)::text) FROM small.questions"),
        ["kind"]
    );
}

#[test]
fn a_foreign_table_is_a_source_too() {
    if !pg_assess_it::is_available("postgres_fdw") {
        return;
    }
    let (database, mut session) = with_model();
    session.run(&format!(
        "CREATE EXTENSION postgres_fdw;
         CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
             OPTIONS (host '{}', port '{}', dbname '{}');
         CREATE USER MAPPING FOR current_user SERVER itself;
         CREATE FOREIGN TABLE far (student_id int, question_id int, assessment_id int, points float8,
             max_points float8, subject text, school_id int, attempt smallint, taken_on date)
             SERVER itself OPTIONS (table_name 'scores')",
        database.host(),
        pg_assess_it::environment("PGPORT"),
        database.name(),
    ));
    session.run(
        &MODEL
            .replace("'school'", "'afar'")
            .replace("'scores'", "'far'"),
    );
    session.run("SELECT assess.set_option('afar', 'as_of', '2025-12-20')");
    session.run("CALL assess.refresh('afar')");
    for relation in ["students", "questions", "assessments"] {
        assert_eq!(
            session.table(&format!(
                "SELECT (to_jsonb(r) - 'run_id')::text FROM school.{relation} r
                 EXCEPT SELECT (to_jsonb(r) - 'run_id')::text FROM afar.{relation} r"
            )),
            [""; 0]
        );
    }
}
