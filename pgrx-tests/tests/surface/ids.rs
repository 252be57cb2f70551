//! Ids and numbers of any type: what their type holds equal is one student, question or subject, and
//! a type of which that cannot be said is refused.

use pg_assess_it::{Database, Session};

/// Types that distinguish ids, with values some of which are equal though they are written differently.
const TYPES: [(&str, &str); 27] = [
    ("int", "{1,01,-1}"),
    ("smallint", "{1,01,-1}"),
    ("bigint", "{1,01,-1}"),
    ("numeric", "{1.0,1.00,1,0,-0,NaN,1e3,1000.0,Infinity}"),
    ("numeric(8,3)", "{1.0,1.000,1.5}"),
    ("float8", "{0,-0,1,1.0,0.1,NaN,1e300,-Infinity}"),
    ("float4", "{0,-0,1,1.0,0.1,NaN,1e30}"),
    ("text", "{a,A,\"a \",\"\"}"),
    ("varchar", "{a,A,\"a \",\"\"}"),
    ("char(5)", "{a,A,\"a \",\" a\"}"),
    ("name", "{a,A,\"a \"}"),
    (
        "uuid",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
    ),
    ("bool", "{t,true,f}"),
    ("oid", "{1,01,4294967295}"),
    ("date", "{2026-01-02,20260102,infinity,\"2026-01-02 BC\"}"),
    (
        "timestamp",
        "{\"2026-01-02 00:00\",2026-01-02,\"2026-01-02 00:00:00.000001\",infinity}",
    ),
    (
        "timestamptz",
        "{\"2026-01-02 00:00+00\",\"2026-01-02 01:00+01\",-infinity}",
    ),
    ("time", "{12:00,12:00:00.000,24:00,00:00}"),
    ("timetz", "{12:00+00,13:00+01,12:00:00.0+00}"),
    ("bytea", "{\"\\\\\\\\x6162\",ab,\"\\\\\\\\x00\"}"),
    ("inet", "{10.0.0.1,10.0.0.1/32,10.0.0.1/24}"),
    ("cidr", "{10.0.0.0/8,10/8}"),
    ("macaddr", "{08:00:2b:01:02:03,08002b010203}"),
    ("xid8", "{7,007}"),
    ("pg_lsn", "{0/1A,0/01a}"),
    ("bit(3)", "{101,001}"),
    ("varbit", "{101,0101,\"\"}"),
];

/// A table of five answers of each value of `id` to one question each, in each of the roles.
fn table(session: &mut Session, kind: &str, values: &str) {
    session.run(&format!(
        "DROP TABLE IF EXISTS r CASCADE;
         CREATE TABLE r AS
         SELECT v::{kind} AS id, s AS student, i AS item, a AS quiz, (s + i + a) % 2 AS score,
                date '2026-03-01' + a AS day
         FROM unnest('{values}'::text[]) v, generate_series(1, 2) s, generate_series(1, 5) i,
              generate_series(1, 2) a"
    ));
}

const COLUMNS: [&str; 5] = ["student", "item", "quiz", "subject", "student_group"];

/// The call that makes a model `m` in which `id` is the column of one role.
fn call(role: &str, more: &str) -> String {
    let column = |name: &'static str| if role == name { "id" } else { name };
    let named = match role {
        "subject" | "student_group" | "status" => format!(", {role} => 'id'"),
        _ => String::new(),
    };
    format!(
        "SELECT assess.create_model('m', 'r', '{}', '{}', '{}', 'score', 'day'{named}{more})",
        column("student"),
        column("item"),
        column("quiz")
    )
}

#[test]
fn what_a_type_holds_equal_is_one() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TYPE kind AS ENUM ('a', 'A'); CREATE DOMAIN code AS text CHECK (VALUE <> 'x');
         CREATE DOMAIN padded AS char(3); CREATE DOMAIN inner_part AS numeric;
         CREATE DOMAIN part AS inner_part",
    );
    let own = [
        ("kind", "{a,A}"),
        ("code", "{a,A}"),
        ("padded", "{a,\"a \"}"),
        ("part", "{1.0,1.00}"),
    ];
    for (kind, values) in TYPES.into_iter().chain(own) {
        table(&mut session, kind, values);
        // As the type itself counts them.
        let many: i64 = session.one("SELECT count(DISTINCT id) FROM r");
        session.run(
            "SELECT assess.create_model('m', 'r', 'id', 'id', 'id', 'score', 'day', subject => 'id',
                                        student_group => 'id')",
        );
        for (relation, column) in [
            ("students", "student"),
            ("questions", "item"),
            ("assessments", "assessment"),
            ("gradebook", "subject"),
            ("parts", "student_group"),
        ] {
            assert_eq!(
                session.table(&format!(
                    "SELECT count(*), count(DISTINCT {column}), count(DISTINCT {column}::text) FROM m.{relation}"
                )),
                [format!("{many}|{many}|{many}")],
                "{kind} as {column}"
            );
            // No result has a type with conditions, which an old id may not meet.
            assert_eq!(
                session.table(&format!(
                    "SELECT y.typtype IN ('b', 'e') FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
                     WHERE a.attrelid = 'm.{relation}'::regclass AND a.attname = '{column}'"
                )),
                ["t"],
                "{kind} as {column}"
            );
        }
        session.run("SELECT assess.drop_model('m')");
    }
}

#[test]
fn types_whose_equal_values_are_written_differently_are_refused() {
    let database = Database::new();
    let mut session = database.session();
    let probe = "CREATE COLLATION probe (provider = icu, locale = 'und')";
    if session.batch_execute(probe).is_err() {
        println!("skipped: types_whose_equal_values_are_written_differently_are_refused: no ICU");
        return;
    }
    session.run(
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE DOMAIN ci_id AS text COLLATE ci; CREATE DOMAIN ci_code AS ci_id;
         CREATE DOMAIN doc AS jsonb; CREATE TYPE pair AS (a int, b text)",
    );
    let mut types = vec![
        ("text COLLATE ci", "{zed,ZED}"),
        ("varchar(9) COLLATE ci", "{zed,ZED}"),
        ("char(9) COLLATE ci", "{zed,ZED}"),
        ("name COLLATE ci", "{zed,ZED}"),
        ("ci_id", "{zed,ZED}"),
        ("ci_code", "{zed,ZED}"),
        ("jsonb", "{1.0,1.00}"),
        ("doc", "{1.0,1.00}"),
        ("json", "{1,2}"),
        ("interval", "{1 day,24 hours}"),
        ("numrange", "{\"[1.0,2)\",\"[1.00,2)\"}"),
        ("numeric[]", "{\"{1.0}\",\"{1.00}\"}"),
        ("pair", "{\"(1,a)\"}"),
        ("money", "{1,2}"),
        ("\"char\"", "{1,2}"),
        ("regclass", "{pg_class,pg_catalog.pg_class}"),
        ("point", "{\"(1,2)\"}"),
    ];
    if pg_assess_it::is_available("citext") {
        session.run("CREATE EXTENSION citext; CREATE DOMAIN login AS citext");
        types.extend([("citext", "{zed,ZED}"), ("login", "{zed,ZED}")]);
    }
    for (kind, values) in types {
        table(&mut session, kind, values);
        for role in COLUMNS.into_iter().chain(["status"]) {
            let more = if role == "status" {
                ", counted => '{1}'"
            } else {
                ""
            };
            let error = session.refuses(&call(role, more), "42804");
            let said = format!("{error:?}");
            assert!(!said.to_lowercase().contains("zed"), "{said}");
            let role = if role == "quiz" { "assessment" } else { role };
            assert_eq!(
                error.message(),
                format!("column id of r cannot be used for {role}").replace(" r ", " public.r ")
            );
        }
    }
    // What the advice says.
    table(&mut session, "text COLLATE ci", "{zed,ZED}");
    session.run(
        "ALTER TABLE r RENAME TO s;
         CREATE VIEW r AS SELECT lower(s.id) COLLATE \"default\" AS id, student, item, quiz, score, day FROM s",
    );
    session.run(&call("student", ""));
    assert_eq!(session.table("SELECT student FROM m.students"), ["zed"]);
    // A column of a domain may have a collation of its own.
    session.run(
        "CREATE VIEW q AS SELECT (s.id::ci_id) COLLATE \"C\" AS id, student, item, quiz, score, day FROM s",
    );
    session.run(
        &call("student", "")
            .replace("'r'", "'q'")
            .replace("'m'", "'n'"),
    );
    assert_eq!(
        session.table("SELECT student FROM n.students ORDER BY student COLLATE \"C\""),
        ["ZED", "zed"]
    );
}

#[test]
fn a_score_counts_with_the_statuses_that_its_type_holds_equal() {
    let database = Database::new();
    let mut session = database.session();
    session.run("CREATE TYPE kind AS ENUM ('in', 'out')");
    for (kind, values, counted) in [
        ("text", "{in,out}", "{in}"),
        ("char(5)", "{in,out}", "{\"in  \"}"),
        ("kind", "{in,out}", "{in}"),
        ("bool", "{true,false}", "{t}"),
        ("int", "{1,0}", "{01}"),
        ("numeric", "{1.0,0}", "{1.00}"),
        ("float8", "{0,1}", "{-0}"),
        ("date", "{2026-01-02,2026-02-01}", "{2026-01-02}"),
        (
            "timestamptz",
            "{2026-01-02 00:00+00,2026-02-01 00:00+00}",
            "{2026-01-02 01:00+01}",
        ),
    ] {
        table(&mut session, kind, values);
        session.run(&call("status", &format!(", counted => '{counted}'")));
        for style in ["ISO, MDY", "SQL, DMY", "German"] {
            session.run(&format!("SET datestyle = '{style}'"));
            session.run("CALL assess.refresh('m')");
            assert_eq!(
                session.table("SELECT reason, rows FROM m.coverage WHERE rows > 0 ORDER BY 1"),
                ["blank|20", "used|20"],
                "{kind}"
            );
        }
        session.run("RESET datestyle; SELECT assess.drop_model('m')");
    }
    table(&mut session, "kind", "{in,out}");
    for counted in ["{lost}", "{in,IN}"] {
        session.refuses(
            &call("status", &format!(", counted => '{counted}'")),
            "22023",
        );
    }
}

/// What Postgres itself takes where a float8 is due is a number, whatever says its category.
#[test]
fn what_casts_to_a_number_is_one() {
    let database = Database::new();
    let mut session = database.session();
    // A share in thousandths, of the category of numbers and of another; and one that has no such cast.
    for (name, category, cast) in [
        ("mill", "N", "IMPLICIT"),
        ("promille", "U", "IMPLICIT"),
        ("assigned", "N", "ASSIGNMENT"),
        ("explicit", "N", ""),
    ] {
        session.run(&format!(
            "CREATE TYPE {name};
             CREATE FUNCTION {name}_in(cstring) RETURNS {name} LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
             CREATE FUNCTION {name}_out({name}) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
             CREATE TYPE {name} (INPUT = {name}_in, OUTPUT = {name}_out, LIKE = int, CATEGORY = '{category}');
             CREATE CAST ({name} AS int) WITHOUT FUNCTION;
             CREATE FUNCTION {name}_share({name}) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT
                 AS 'SELECT $1::int / 1000.0';
             CREATE CAST ({name} AS float8) WITH FUNCTION {name}_share {as_cast};
             CREATE DOMAIN {name}_domain AS {name};
             CREATE TABLE t_{name} AS
             SELECT s AS student, i AS item, 'a' AS quiz, ((s + i) % 3 * 500)::text::{name} AS score,
                    ((s + i) % 3 * 500)::text::{name}::{name}_domain AS again,
                    '1000'::{name} AS most, '1000'::{name} AS attempt, date '2026-03-01' AS day
             FROM generate_series(1, 9) s, generate_series(1, 5) i",
            as_cast = if cast.is_empty() { String::new() } else { format!("AS {cast}") },
        ));
        for score in ["score", "again"] {
            let make = format!(
                "SELECT assess.create_model('m', 't_{name}', 'student', 'item', 'quiz', '{score}', 'day'"
            );
            if cast == "IMPLICIT" {
                session.run(&format!(
                    "{make}, max_score => 'most', attempt => 'attempt')"
                ));
                assert_eq!(
                    session.table("SELECT DISTINCT score FROM m.responses ORDER BY 1"),
                    ["0", "0.5", "1"]
                );
                session.run("CALL assess.refresh('m')");
                session.run("SELECT assess.drop_model('m')");
            } else {
                session.refuses(&format!("{make})"), "42804");
            }
        }
        if cast != "IMPLICIT" {
            for argument in ["max_score => 'most'", "attempt => 'attempt'"] {
                session.refuses(
                    &format!(
                        "SELECT assess.create_model('m', 't_{name}', 'student', 'item', 'quiz', 'item', 'day',
                                                    {argument})"
                    ),
                    "42804",
                );
            }
        }
    }
    // Postgres calls these numbers too.
    for (kind, value) in [("oid", "{1}"), ("money", "{1}"), ("regclass", "{pg_class}")] {
        table(&mut session, kind, value);
        let make = "SELECT assess.create_model('m', 'r', 'student', 'item', 'quiz', 'id', 'day')";
        session.refuses(make, "42804");
    }
}

#[test]
fn a_run_has_a_number_that_nothing_has() {
    let database = Database::new();
    let mut session = database.session();
    table(&mut session, "int", "{1,2}");
    session.run(&call("student", ", track_changes => 'triggers'"));
    for _ in 0..2 {
        session.run("CALL assess.refresh('m')");
    }
    let numbers = "SELECT DISTINCT run_id FROM m.runs ORDER BY 1";
    assert_eq!(session.table(numbers), ["1", "2", "3"]);
    session.run("ALTER TABLE m.run_log ALTER run_id RESTART");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(numbers), ["1", "2", "3", "4"]);
    // The log alone is gone.
    session.run("TRUNCATE m.run_log RESTART IDENTITY");
    session.run("CALL assess.refresh('m')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(numbers), ["5", "6"]);
    // Numbers of alerts count too.
    session.run("INSERT INTO m.alerts (run_id, rule, message) VALUES (40, 'refresh_failed', 'x')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(numbers), ["5", "6", "41"]);
}

/// Two orders of keys would be two students.
#[test]
fn ids_of_a_type_without_equality_are_refused() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        r#"CREATE TYPE pair AS (a int, j json); CREATE DOMAIN document AS json;
           CREATE TABLE r AS
           SELECT CASE a WHEN 1 THEN format('{"id":%s,"school":"a"}', s)
                  ELSE format('{"school":"a", "id":%s}', s) END::json AS j,
                  i AS item, a AS quiz, 'g'::text AS class, (s + i + a) % 2 AS score, date '2026-03-01' + a AS day
           FROM generate_series(1, 4) s, generate_series(1, 3) i, generate_series(1, 2) a"#,
    );
    let calls = |id: &str| {
        [
            format!("gradebook_agg({id}, item, quiz, score, day)"),
            format!("gradebook_agg(item, {id}, quiz, score, 1, day::timestamp)"),
            format!("gradebook_agg(item, quiz, {id}, score, 0, 1, day::timestamptz)"),
            format!("gradebook_agg({id}, item, quiz, score, 0, 1, day, 'counts', 1::bigint, 1)"),
            format!("_gradebook_agg({id}, item, quiz, score, 0, 1, day, 'counts', 1::bigint, 1)"),
            format!("roster_agg({id}, class, day, day)"),
            format!("roster_agg(item, {id}, day, day)"),
        ]
    };
    for id in [
        "j",
        "j::document",
        "array[j]",
        "row(1, j)::pair",
        "NULL::xml", // without values: not every server is built with libxml
        "point(item, quiz)",
        "NULL::json",
    ] {
        for call in calls(id) {
            session.refuses(&format!("SELECT assess.{call} FROM r"), "42804");
        }
        session.refuses(
            &format!(
                "SELECT assess._rollup_by_group({id}, g)
                 FROM r, (SELECT assess.gradebook_agg(item, item, quiz, score, day) AS g FROM r) b"
            ),
            "42804",
        );
    }
    let refused = session.refuses(
        "SELECT assess.gradebook_agg(j, item, quiz, score, day) FROM r",
        "42804",
    );
    assert_eq!(refused.message(), "student cannot be of type json");
    assert!(refused.hint().is_some_and(|hint| hint.contains("jsonb")));
    // What the hint says.
    for id in [
        "j::jsonb",
        "row(1, j::jsonb)",
        "array[j::jsonb]",
        "NULL",
        "'a'",
    ] {
        for call in calls(id) {
            session.run(&format!("SELECT assess.{call} FROM r"));
        }
    }
    let students = "SELECT count(*) FROM assess.students((SELECT assess.gradebook_agg(ID, item, quiz, score, day) FROM r))";
    assert_eq!(session.table(&students.replace("ID", "j::jsonb")), ["4"]);
    assert_eq!(session.table(&students.replace("ID", "j::text")), ["8"]);
    for role in ["student", "item", "assessment", "subject", "student_group"] {
        let named = |name: &str, other: &str| match name == role {
            true => format!("{name} => 'j'"),
            false => format!("{name} => '{other}'"),
        };
        let call = format!(
            "SELECT assess.create_model('m', 'r', {}, {}, {}, score => 'score', taken_at => 'day', {}, {})",
            named("student", "item"),
            named("item", "item"),
            named("assessment", "quiz"),
            named("subject", "class"),
            named("student_group", "class")
        );
        let refused = session.refuses(&call, "42804");
        assert!(
            refused
                .hint()
                .is_some_and(|hint| hint.contains("j::jsonb::text")),
            "{refused:?}"
        );
    }
    session.run(
        "CREATE VIEW v AS SELECT j::jsonb::text AS j, item, quiz, score, day FROM r;
         SELECT assess.create_model('m', 'v', 'j', 'item', 'quiz', 'score', 'day')",
    );
    assert_eq!(session.table("SELECT count(*) FROM m.students"), ["4"]);
}

/// Where a number or a time is due, another text of it is no help.
#[test]
fn json_is_neither_a_score_nor_a_time() {
    let database = Database::new();
    let mut session = database.session();
    session.run("CREATE TABLE r (item int, quiz int, score float8, day date, j json)");
    for argument in [
        "score => 'j', taken_at => 'day'",
        "score => 'score', taken_at => 'j'",
    ] {
        let call =
            format!("SELECT assess.create_model('m', 'r', 'item', 'item', 'quiz', {argument})");
        let refused = session.refuses(&call, "42804");
        assert!(
            refused.hint().is_some_and(
                |hint| !hint.contains("jsonb") && hint.contains("a view that casts it")
            ),
            "{refused:?}"
        );
    }
}
