//! Models: made by one statement over any source, refreshed without anybody noticing, and logged
//! whatever happens.

use std::thread;
use std::time::Duration;

use pg_assess_it::{Database, Session};

/// A session with the sample network, and a model `school` of it as of its last day.
fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "SELECT * FROM assess.sample_network(students_per_school => 20, weeks => 12);
         CREATE VIEW scores AS SELECT r.*, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id);",
    );
    session.run(MODEL);
    session.run("SELECT assess.set_option('school', 'as_of', '2025-12-20')");
    session.run("CALL assess.refresh('school')");
    session.notices();
    (database, session)
}

const MODEL: &str = "
    SELECT assess.create_model('school', 'scores', 'student_id', 'question_id', 'assessment_id',
        'points', 'taken_on', max_score => 'max_points', subject => 'subject',
        student_group => 'school_id', attempt => 'attempt')";

const REFRESHED: [&str; 6] = [
    "parts",
    "gradebook",
    "questions",
    "students",
    "assessments",
    "coverage",
];

/// What a relation of the model holds, without what describes the run.
fn held(session: &mut Session, relation: &str) -> Vec<String> {
    session.table(&format!(
        "SELECT (to_jsonb(r) - 'run_id' - 'as_of')::text FROM school.{relation} r ORDER BY 1"
    ))
}

fn all(session: &mut Session) -> Vec<Vec<String>> {
    REFRESHED.map(|relation| held(session, relation)).to_vec()
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
    // Every relation and every column is described, and is of a type that reporting tools know.
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
            "check_in_list|why the student is on the list: no evidence, old evidence or missing work",
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
            "double precision",
            "integer",
            "text",
            "timestamp with time zone",
            "timestamp without time zone",
        ]
    );
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
fn what_does_not_fit_is_told_with_advice() {
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
    let told = session.fails(&make("'r', 'studnt_id', 'item_id', 'test', 'score', 'at'"));
    assert_eq!(told.code().code(), "42703", "{told}");
    let hint = told.hint().expect("advice");
    assert!(
        hint.contains("r.student_id") && hint.contains("points"),
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
        let told = session.fails(&make(columns));
        assert_eq!(told.code().code(), code, "{columns}: {told}");
    }
    let good = make("'r', 'student_id', 'item_id', 'test', 'score', 'at'");
    session.run(&good);
    assert_eq!(session.fails(&good).code().code(), "42P06");
    let again = good.replace("'at')", "'at', if_not_exists => true)");
    session.run(&again);
    // A schema that is no model is not taken for one.
    session.run("CREATE SCHEMA other");
    let told = session.fails(&again.replace("'m'", "'other'"));
    assert_eq!(told.code().code(), "42P06");
    for call in [
        "SELECT assess.drop_model('other')",
        "SELECT assess.set_option('nothing', 'cut', '1')",
        "CALL assess.refresh('nothing')",
    ] {
        let told = session.fails(call);
        assert_eq!(told.code().code(), "42704", "{told}");
        assert_eq!(told.hint(), Some("There are: m."));
    }
    let told = session.fails("SELECT assess.set_option('m', 'half_live', '30 days')");
    assert!(
        told.hint().is_some_and(|hint| hint.contains("half_life")),
        "{told}"
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
        let told = session.fails(&set);
        assert_eq!(told.code().code(), code, "{set}: {told}");
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
fn plain_refreshes_in_order_give_the_same() {
    let (_database, mut session) = with_model();
    session.run(
        "UPDATE sample_network.responses SET points = max_points - points
         WHERE question_id % 9 = 0 AND points <= max_points",
    );
    for relation in REFRESHED {
        session.run(&format!(
            "REFRESH MATERIALIZED VIEW CONCURRENTLY school.{relation}"
        ));
    }
    let by_hand = all(&mut session);
    assert_eq!(
        session.table("SELECT DISTINCT run_id FROM school.students"),
        ["-"]
    );
    session.run("CALL assess.refresh('school')");
    assert!(by_hand == all(&mut session));
    // Every result is of the same run.
    assert_eq!(
        session.table(
            "SELECT run_id, as_of FROM school.gradebook UNION SELECT run_id, as_of FROM school.questions
             UNION SELECT run_id, as_of FROM school.students
             UNION SELECT run_id, as_of FROM school.assessments
             EXCEPT (SELECT run_id, as_of FROM school.runs ORDER BY run_id DESC LIMIT 1)"
        ),
        [""; 0]
    );
}

#[test]
fn a_dump_restores_to_the_same() {
    let (database, mut session) = with_model();
    session.run("INSERT INTO school.pass_marks VALUES (NULL, 3, 0.75), ('Math', 1, 0.5)");
    let sheet = "SELECT subject, student, assessment, item, taken_at, expected, is_below
                 FROM school.score_sheet WHERE item < 5 ORDER BY 1, 2, 3, 4, 5";
    let restored = database.restored("--format=plain");
    let mut copy = restored.session();
    assert!(all(&mut session) == all(&mut copy));
    assert!(session.table(sheet) == copy.table(sheet));
    let marked = "SELECT min(expected), max(expected) FROM school.score_sheet WHERE item = 3";
    assert_eq!(copy.table(marked), ["0.75|0.75"]);
    copy.run("CALL assess.refresh('school')");
    assert!(all(&mut session) == all(&mut copy));
    // Also one that leaves the data out and comes empty.
    let empty = database.restored("--schema-only");
    let mut copy = empty.session();
    copy.run("CALL assess.refresh('school')");
    assert_eq!(copy.table("SELECT count(*) FROM school.students"), ["0"]);
}

#[test]
fn readers_see_the_old_until_they_see_the_new() {
    let (database, mut session) = with_model();
    let before = all(&mut session);
    session.run("UPDATE sample_network.responses SET points = 0 WHERE student_id % 3 = 0");
    // The refresh is held up in its middle, at a lock on a view that comes late.
    let mut holder = database.session();
    holder.run("BEGIN; COMMENT ON MATERIALIZED VIEW school.assessments IS 'held'");
    let mut refresher = database.session();
    let pid = refresher.backend();
    let refresh = thread::spawn(move || refresher.run("CALL assess.refresh('school')"));
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
         AND relation = 'school.assessments'::regclass"
    );
    wait_for(&mut session, &waits, "1");
    session.run("SET lock_timeout = '1s'");
    assert!(before == all(&mut session), "the old, all of it");
    assert_eq!(
        session.table("SELECT status FROM school.runs ORDER BY run_id DESC LIMIT 1"),
        ["running"]
    );
    // A second refresh is refused at once.
    let told = session.fails("CALL assess.refresh('school')");
    assert_eq!(told.code().code(), "55P03", "{told}");
    assert!(told.message().contains("is being refreshed"), "{told}");
    holder.run("COMMIT");
    refresh.join().expect("it succeeds");
    let after = all(&mut session);
    for (relation, (before, after)) in REFRESHED.iter().zip(before.iter().zip(&after)) {
        assert!(before != after, "{relation} is new");
    }
    assert_eq!(
        session.table("SELECT status FROM school.runs ORDER BY run_id DESC LIMIT 1"),
        ["succeeded"]
    );
}

/// Asks until the answer is the one expected.
fn wait_for(session: &mut Session, query: &str, answer: &str) {
    for _ in 0..600 {
        if session.table(query) == [answer] {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{query} does not become {answer}");
}

#[test]
fn a_refresh_that_is_killed_leaves_the_old_state() {
    let (database, mut session) = with_model();
    let before = all(&mut session);
    session.run("UPDATE sample_network.responses SET points = 0 WHERE student_id % 3 = 0");
    let mut holder = database.session();
    holder.run("BEGIN; COMMENT ON MATERIALIZED VIEW school.students IS 'held'");
    for (end, status) in [
        ("pg_terminate_backend", "57P01"),
        ("pg_cancel_backend", "57014"),
    ] {
        let mut refresher = database.session();
        let pid = refresher.backend();
        let refresh =
            thread::spawn(move || refresher.batch_execute("CALL assess.refresh('school')"));
        let waits = format!(
            "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
             AND relation = 'school.students'::regclass"
        );
        wait_for(&mut session, &waits, "1");
        session.run(&format!("SELECT {end}({pid})"));
        assert!(refresh.join().expect("no panic").is_err());
        let last = "SELECT status || ' ' || sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 1";
        wait_for(&mut session, last, &format!("failed {status}"));
        assert!(before == all(&mut session), "{end}");
    }
    holder.run("COMMIT");
    session.run("CALL assess.refresh('school')");
    assert!(before != all(&mut session));
    assert_eq!(
        session.table("SELECT status, sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 3"),
        ["succeeded|-", "failed|57014", "failed|57P01"]
    );
}

#[test]
fn a_refresh_that_fails_is_logged_and_told() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE TABLE switch (on_ boolean);
         INSERT INTO switch VALUES (false);
         CREATE OR REPLACE VIEW scores AS SELECT r.student_id, r.subject, r.assessment_id,
             r.question_id, r.points / CASE WHEN (SELECT on_ FROM switch) THEN 0 ELSE 1 END AS points,
             r.max_points, r.taken_on, r.attempt, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id)",
    );
    let before = all(&mut session);
    session.run("UPDATE switch SET on_ = true");
    let told = session.fails("CALL assess.refresh('school')");
    assert_eq!(told.code().code(), "22012", "{told}");
    assert!(before == all(&mut session));
    assert_eq!(
        session.table(
            "SELECT status, sqlstate, error, finished IS NOT NULL FROM school.runs
             ORDER BY run_id DESC LIMIT 1"
        ),
        ["failed|22012|division by zero|t"]
    );
    assert_eq!(
        session.table("SELECT status, error FROM assess.models()"),
        ["failed|division by zero"]
    );
    session.run("UPDATE switch SET on_ = false");
    session.run("CALL assess.refresh('school')");
    session.run("SET statement_timeout = '20ms'");
    let told = session.fails("CALL assess.refresh('school')");
    session.run("RESET statement_timeout");
    assert_eq!(told.code().code(), "57014", "{told}");
    // In a transaction block it cannot commit that it began.
    let told = session.fails("BEGIN; CALL assess.refresh('school')");
    assert_eq!(told.code().code(), "2D000", "{told}");
    session.run("ROLLBACK");
    // Old runs go.
    session.run("SELECT assess.set_option('school', 'keep_runs', '2')");
    for _ in 0..3 {
        session.run("CALL assess.refresh('school')");
    }
    assert_eq!(session.table("SELECT count(*) FROM school.runs"), ["2"]);
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
        session.table("SELECT rows FROM small.coverage WHERE reason = 'null_score'"),
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

#[test]
fn readers_need_no_more_than_to_read() {
    let (database, mut session) = with_model();
    let role = format!("reader_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT USAGE ON SCHEMA school TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA school TO {role}"
    ));
    let mut reader = database.session_as(&role);
    for relation in [
        "students",
        "questions",
        "assessments",
        "gradebook",
        "coverage",
        "help_list",
        "check_in_list",
        "question_review",
        "school_map",
        "score_sheet",
        "pass_marks",
        "expectations",
        "runs",
        "settings",
    ] {
        reader.table(&format!("SELECT * FROM school.{relation} LIMIT 1"));
    }
    // The source stays closed to those who may not read it.
    assert_eq!(
        reader.fails("SELECT * FROM school.responses").code().code(),
        "42501"
    );
    let told = reader.fails("CALL assess.refresh('school')");
    assert_eq!(told.code().code(), "42501");
    assert_eq!(told.message(), "must be owner of model school");
    assert_eq!(
        reader
            .fails("SELECT assess.set_option('school', 'cut', '0.5')")
            .code()
            .code(),
        "42501"
    );
    // Pass marks are for those who are let.
    let set = "INSERT INTO school.pass_marks (item, pass_mark) VALUES (1, 0.5)";
    assert_eq!(reader.fails(set).code().code(), "42501");
    session.run(&format!(
        "GRANT INSERT, UPDATE, DELETE ON school.pass_marks TO {role}"
    ));
    reader.run(set);
    assert_eq!(
        reader.table("SELECT DISTINCT expected FROM school.score_sheet WHERE item = 1"),
        ["0.5"]
    );
    assert_eq!(
        reader.table("SELECT model, status FROM assess.models()"),
        ["school|succeeded"]
    );
    session.run(&format!("REVOKE USAGE ON SCHEMA school FROM {role}"));
    assert_eq!(
        reader.table("SELECT model, status FROM assess.models()"),
        ["school|-"]
    );
    drop(reader);
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// The share of the maximum that the pass marks of the test below expect, all in all.
fn mark_of(subject: &str, item: i32, all: Option<f64>) -> Option<f64> {
    match (subject, item) {
        ("A", 1) => Some(0.25),
        (_, 1) => Some(0.5),
        (_, 2) => Some(1.0),
        ("B", 3) => Some(0.0),
        ("A", 4) => Some(0.7),
        _ => all,
    }
}

#[test]
fn a_pass_mark_of_a_question_goes_before_that_of_all() {
    let database = Database::new();
    let mut session = database.session();
    // Each question in each subject, one of which has no name; the fifth has no maximum.
    session.run(
        "CREATE TABLE t AS
         SELECT s, i, a, (s * i + a * 7 + s / 3) % 11 AS points,
                CASE WHEN i = 5 THEN float8 'Infinity' ELSE 10 END AS most,
                date '2026-01-05' + 7 * a AS at, b.subject
         FROM generate_series(1, 12) s, generate_series(1, 6) i, generate_series(1, 4) a,
              (VALUES ('A'), ('B'), (NULL)) b(subject)",
    );
    for (id, shown) in [
        ("i", "integer"),
        ("'Q ''' || i", "text"),
        ("md5(i::text)::uuid", "uuid"),
        ("i::numeric(5, 2) / 2", "numeric"),
        ("('q' || i)::char(9)", "text"),
        ("date '2026-01-01' + i", "date"),
        ("i::float8 / 4", "text"),
    ] {
        session.run(&format!(
            "CREATE VIEW scores AS SELECT t.*, {id} AS item FROM t;
             SELECT assess.create_model('m', 'scores', 's', 'item', 'a', 'points', 'at',
                 max_score => 'most', subject => 'subject', settings => '{{\"as_of\": \"2026-03-01\"}}')"
        ));
        assert_eq!(
            session.table("SELECT DISTINCT pg_typeof(item) FROM m.expectations"),
            [shown]
        );
        // Two of them stand for nothing that there is.
        session.run(&format!(
            "CREATE TEMPORARY TABLE ids AS
             SELECT i, ({id})::text AS id
             FROM generate_series(1, 99) i;
             INSERT INTO m.pass_marks
             SELECT v.subject, q.id::{shown}, v.mark
             FROM (VALUES ('A', 1, 0.25), (NULL, 1, 0.5), (NULL, 2, 1), ('B', 3, 0), ('A', 4, 0.7),
                          (NULL, 5, 0.5), (NULL, 99, 0.1), ('C', 2, 0.1)) v(subject, i, mark)
             JOIN ids q USING (i)"
        ));
        for all in [None, Some(0.6)] {
            // Without a refresh.
            let value = all.map_or("NULL".to_owned(), |mark: f64| format!("'{mark}'"));
            session.run(&format!(
                "SELECT assess.set_option('m', 'pass_mark', {value})"
            ));
            let rows = session
                .query(
                    &format!(
                        "SELECT coalesce(s.subject, ''), k.i, s.student, s.assessment, s.score,
                            s.expected, s.is_below, q.facility
                     FROM m.score_sheet s JOIN ids k ON k.id::{shown} = s.item
                     JOIN m.questions q ON q.item = s.item
                                       AND q.subject IS NOT DISTINCT FROM s.subject"
                    ),
                    &[],
                )
                .expect("rows");
            assert_eq!(rows.len(), 12 * 6 * 4 * 3, "{id}");
            for row in rows {
                let (subject, item): (&str, i32) = (row.get(0), row.get(1));
                let (student, assessment): (i32, i32) = (row.get(2), row.get(3));
                let facility: Option<f64> = row.get(7);
                let points = f64::from((student * item + assessment * 7 + student / 3) % 11);
                let expected = match item {
                    5 => None,
                    _ => mark_of(subject, item, all).or(facility),
                };
                assert_eq!(
                    row.get::<_, Option<f64>>(5),
                    expected,
                    "{id} {subject} {item}"
                );
                assert_eq!(
                    row.get::<_, Option<bool>>(6),
                    expected.map(|mark| points / 10.0 < mark),
                    "{id} {subject} {item} {points}"
                );
            }
            // The same mark says who disagreed with a question.
            for row in session
                .query(
                    "SELECT coalesce(d.subject, ''), k.i, d.threshold FROM ids k
                     CROSS JOIN LATERAL assess.question_disagreements('m', k.id) d
                     WHERE k.i IN (1, 2, 3, 4, 6)",
                    &[],
                )
                .expect("rows")
            {
                let mark = mark_of(row.get(0), row.get(1), all).unwrap_or(0.5);
                assert_eq!(row.get::<_, f64>(2), mark);
            }
        }
        session.run("SELECT assess.drop_model('m'); DROP VIEW scores; DROP TABLE ids");
    }
}

#[test]
fn pass_marks_are_edited_as_any_table() {
    let (_database, mut session) = with_model();
    let at_odds = "SELECT count(*) FROM school.score_sheet s
                   JOIN school.questions q ON q.item = s.item AND q.subject = s.subject
                   WHERE s.expected IS DISTINCT FROM q.facility
                   OR s.is_below <> (s.score < q.facility)";
    assert_eq!(session.table(at_odds), ["0"], "nobody has set any");
    let own = "SELECT DISTINCT expected FROM school.score_sheet WHERE item = 7";
    let usual = session.table(own);
    session.run("INSERT INTO school.pass_marks (item, pass_mark) VALUES (7, 0.5)");
    assert_eq!(session.table(own), ["0.5"]);
    session.run("UPDATE school.pass_marks SET pass_mark = 0.25");
    assert_eq!(session.table(own), ["0.25"]);
    // A refresh leaves them as they are.
    session.run("CALL assess.refresh('school')");
    assert_eq!(session.table(own), ["0.25"]);
    for (values, code) in [
        ("(NULL, 7, 0.5)", "23505"),
        ("(NULL, 8, 1.01)", "23514"),
        ("(NULL, 8, -0.01)", "23514"),
        ("(NULL, 8, 'NaN')", "23514"),
        ("(NULL, 8, NULL)", "23502"),
        ("(NULL, NULL, 0.5)", "23502"),
        ("(NULL, 'Q8', 0.5)", "22P02"),
    ] {
        let told = session.fails(&format!("INSERT INTO school.pass_marks VALUES {values}"));
        assert_eq!(told.code().code(), code, "{values}");
    }
    session.run("DELETE FROM school.pass_marks");
    assert_eq!(session.table(own), usual);
    // Without a subject in the source it is found with and without the word for all of them.
    session.run(
        "SELECT assess.create_model('one', 'scores', 'student_id', 'question_id', 'assessment_id',
             'points', 'taken_on', max_score => 'max_points');
         INSERT INTO one.pass_marks VALUES (NULL, 7, 0.5), ('all', 8, 0.75)",
    );
    assert_eq!(
        session.table(
            "SELECT item, pass_mark, expected FROM one.expectations
             WHERE pass_mark IS NOT NULL ORDER BY item"
        ),
        ["7|0.5|0.5", "8|0.75|0.75"]
    );
}

#[test]
fn small_groups_are_not_named() {
    let (_database, mut session) = with_model();
    let most: i64 = session.one(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM school.students
                             GROUP BY subject, student_group) g",
    );
    session.run(&format!(
        "SELECT assess.set_option('school', 'min_group_size', '{most}')"
    ));
    session.run("CALL assess.refresh('school')");
    assert_eq!(
        session.table(
            "SELECT bool_and(n >= o.min_group_size)
             FROM (SELECT count(*) AS n FROM school.students WHERE student_group IS NOT NULL
                   GROUP BY subject, student_group) g, school.settings o"
        ),
        ["t"]
    );
    assert_eq!(
        session.table("SELECT count(*) > 0 FROM school.students WHERE student_group IS NULL"),
        ["t"]
    );
}

#[test]
fn a_model_made_by_an_older_version_works_on() {
    let (_database, mut session) = with_model();
    // It knows nothing of a choice that came later.
    session.run(
        "ALTER TABLE school.settings RENAME COLUMN upper_lower_share TO forgotten;
         SELECT assess.set_option('school', 'cut', '0.5')",
    );
    session.run("CALL assess.refresh('school')");
    session.table("SELECT * FROM assess.what_if('school') LIMIT 1");
}

#[test]
fn a_row_without_a_number_of_its_attempt_counts() {
    let (_database, mut session) = with_model();
    let used = "SELECT rows_used FROM school.runs ORDER BY run_id DESC LIMIT 1";
    let before = session.table(used);
    session.run(
        "CREATE OR REPLACE VIEW scores AS
         SELECT r.student_id, r.subject, r.assessment_id, r.question_id, r.points, r.max_points, r.taken_on,
                nullif(r.attempt, 1::smallint) AS attempt, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id)",
    );
    session.run("CALL assess.refresh('school')");
    assert_eq!(before, session.table(used));
}

/// A date as `as_of` includes the rows of that date, with a column of attempts too, however these
/// are numbered; and times are shown as the source has them.
#[test]
fn the_day_that_results_are_of_has_its_responses() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE VIEW from_zero AS
         SELECT student_id, assessment_id, question_id, points, max_points, taken_on,
                attempt - 1 AS attempt
         FROM scores",
    );
    let day: String = session.one(
        "SELECT taken_on::text FROM scores WHERE attempt = 1 AND points IS NOT NULL
         GROUP BY taken_on ORDER BY count(*) DESC LIMIT 1",
    );
    for source in ["scores", "from_zero"] {
        session.table(&format!(
            "SELECT * FROM assess.create_model('m', '{source}', 'student_id', 'question_id',
                 'assessment_id', 'points', 'taken_on', max_score => 'max_points', attempt => 'attempt',
                 settings => '{{\"as_of\": \"{day}\"}}')"
        ));
        let first = "(attempt = (SELECT min(attempt) FROM {source}))".replace("{source}", source);
        let there: i64 = session.one(&format!(
            "SELECT count(DISTINCT (student_id, question_id, assessment_id)) FROM {source}
             WHERE taken_on = '{day}' AND points IS NOT NULL AND {first}"
        ));
        assert!(there > 0);
        let shown: i64 = session.one(&format!(
            "SELECT count(DISTINCT (student, item, assessment)) FROM m.score_sheet
             WHERE taken_at = '{day}'"
        ));
        assert_eq!(shown, there, "{source}");
        session.table("SELECT assess.drop_model('m')");
    }
}

#[test]
fn to_look_at_all_models_runs_nothing_of_their_owners() {
    let (database, mut session) = with_model();
    let rogue = format!("rogue_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {rogue};
         GRANT CREATE ON DATABASE {} TO {rogue};
         CREATE TABLE trap (who text);
         GRANT INSERT ON trap TO PUBLIC;
         SET ROLE {rogue};
         CREATE SCHEMA bad;
         CREATE FUNCTION bad.spring() RETURNS text LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN 'x'; END $$;
         CREATE MATERIALIZED VIEW bad.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE bad.settings (x int);
         CREATE TABLE bad.responses (x int);
         CREATE VIEW bad.run_log AS
             SELECT 1 AS run_id, bad.spring() AS status, now() AS finished, now() AS as_of,
                    1::bigint AS rows_used, ''::text AS error, 1 AS pid;
         CREATE VIEW bad.runs AS SELECT * FROM bad.run_log;
         RESET ROLE",
        database.name()
    ));
    assert_eq!(
        session.table("SELECT model, status FROM assess.models() ORDER BY model"),
        ["bad|broken", "school|succeeded"]
    );
    session.table("SELECT * FROM assess.check_refreshes()");
    assert_eq!(session.table("SELECT * FROM trap"), [""; 0]);
    session.run(&format!("DROP OWNED BY {rogue} CASCADE; DROP ROLE {rogue}"));
}

#[test]
fn a_source_that_is_loaded_anew_meanwhile_is_not_empty() {
    let (database, mut session) = with_model();
    session.run(
        "CREATE TABLE loaded AS SELECT * FROM scores;
         SELECT assess.create_model('load', 'loaded', 'student_id', 'question_id', 'assessment_id',
             'points', 'taken_on', max_score => 'max_points', subject => 'subject',
             settings => '{\"as_of\": \"2025-12-20\"}')",
    );
    let used = "SELECT rows_used FROM load.runs ORDER BY run_id DESC LIMIT 1";
    let before = session.table(used);
    let mut loader = database.session();
    loader.run("BEGIN; TRUNCATE loaded; INSERT INTO loaded SELECT * FROM scores");
    let mut refresher = database.session();
    let pid = refresher.backend();
    let refresh = thread::spawn(move || refresher.batch_execute("CALL assess.refresh('load')"));
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
         AND relation = 'loaded'::regclass"
    );
    wait_for(&mut session, &waits, "1");
    loader.run("COMMIT");
    refresh.join().expect("no panic").expect("it succeeds");
    assert_eq!(session.table(used), before);
    assert_eq!(
        session.table("SELECT status FROM load.runs"),
        ["succeeded", "succeeded"]
    );
}

#[test]
fn a_model_is_refreshed_with_the_rights_of_its_owner() {
    let (database, mut session) = with_model();
    let owner = format!("owner_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {owner};
         GRANT CREATE ON DATABASE {0} TO {owner};
         GRANT USAGE ON SCHEMA public TO {owner};
         CREATE TABLE mine AS SELECT * FROM scores;
         ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
         CREATE POLICY half ON mine FOR SELECT TO {owner} USING (student_id % 2 = 0);
         GRANT SELECT ON mine TO {owner};
         CREATE TABLE trap (who text);
         GRANT INSERT ON trap TO PUBLIC;
         SET ROLE {owner};
         SELECT assess.create_model('half', 'mine', 'student_id', 'question_id', 'assessment_id',
             'points', 'taken_on', max_score => 'max_points', subject => 'subject');
         CREATE FUNCTION half.spring() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN NEW; END $$;
         CREATE TRIGGER spring BEFORE INSERT ON half.run_log FOR EACH ROW EXECUTE FUNCTION half.spring();
         RESET ROLE",
        database.name()
    ));
    let before = session.table("SELECT sum(rows) FROM half.gradebook");
    session.run("CALL assess.refresh('half')");
    assert_eq!(
        session.table("SELECT sum(rows) FROM half.gradebook"),
        before
    );
    assert_eq!(session.table("SELECT who FROM trap"), [owner.as_str()]);
    assert_eq!(
        session.table("SELECT current_user = session_user"),
        ["t"],
        "and not for longer"
    );
    session.run(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"));
}

#[test]
fn a_fake_model_keeps_nobody_from_looking_at_the_others() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE SCHEMA fake;
         CREATE MATERIALIZED VIEW fake.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE fake.settings ();
         CREATE TABLE fake.run_log (a int)",
    );
    assert_eq!(
        session.table("SELECT model, status FROM assess.models()"),
        ["fake|broken", "school|succeeded"]
    );
}

#[test]
fn a_run_of_before_a_restart_holds_nobody_up() {
    let (database, mut session) = with_model();
    let mut other = database.session();
    // Another process has got the number of one that the server took with it when it went down.
    session.run(&format!(
        "INSERT INTO school.run_log (started, pid)
         VALUES (pg_postmaster_start_time() - interval '1 hour', {})",
        other.backend()
    ));
    let last = "SELECT status, sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 1";
    assert_eq!(session.table(last), ["failed|57P01"]);
    session.run("CALL assess.refresh('school')");
    assert_eq!(session.table(last), ["succeeded|-"]);
}
