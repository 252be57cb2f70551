//! `roster_agg`, `rollup` of two gradebooks and `missing_work`: their frozen shape, what they take
//! and refuse, that no plan and no detour changes a byte, and that missing work is what plain SQL
//! finds in the same tables.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use pg_assess_it::{AGGREGATE, Database, PARALLEL, RESPONSES, SERIAL, Session, gradebook_of, rows};

/// The aggregate of the columns of [`ROSTER`].
const ENROL: &str = "assess.roster_agg(student, class, entered_on, left_on)";

/// A roster for [`RESPONSES`]: four classes, of which one sits everything two weeks later and one
/// leaves out three tests; students who join, leave, move, come back, are in two classes at once,
/// stand there twice, or have no class; and some who never answer. Many tests are missed.
const ROSTER: &str = "
    CREATE TABLE roster (student text, class text, entered_on date, left_on date);
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, CASE WHEN n % 3 > 0 THEN date '2026-01-01' END, NULL
    FROM generate_series(1, 100) n WHERE n % 10 <> 7 AND n % 9 <> 0;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, date '2026-02-01', NULL
    FROM generate_series(1, 100) n WHERE n % 10 = 7;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, NULL, date '2026-02-20'
    FROM generate_series(1, 100) n WHERE n % 9 = 0 AND n % 10 <> 7;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || (n + 1) % 4, date '2026-02-21', NULL
    FROM generate_series(1, 100) n WHERE n % 18 = 0;
    INSERT INTO roster VALUES
        ('s1', 'class 2', NULL, NULL), ('s1', 'class 1', '2026-01-20', '2026-02-10'),
        ('s1', 'class 1', '2026-02-10', '2026-03-10'), ('s2', NULL, NULL, NULL),
        ('s3', NULL, NULL, '2026-02-03'), ('s4', NULL, '2026-02-03', '2026-02-03'),
        ('s101', 'class 1', '2026-03-01', NULL), ('s102', 'class 9', NULL, NULL);
    INSERT INTO roster SELECT * FROM roster LIMIT 20;
    DELETE FROM responses WHERE hashtext(student || assessment) % 4 = 0;
    DELETE FROM responses
    WHERE substr(student, 2)::int % 4 = 3 AND assessment IN ('test 2', 'test 5', 'test 6');
    UPDATE responses SET taken_on = taken_on + 14 WHERE substr(student, 2)::int % 4 = 2;
    ANALYZE roster, responses;";

/// A session with [`RESPONSES`] and [`ROSTER`], and with their gradebooks in tables `g`, `r` and,
/// both as one, `b`.
fn with_roster() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(ROSTER);
    session.run(&format!(
        "CREATE TABLE g AS {};
         CREATE TABLE r AS SELECT {ENROL} AS gb FROM roster;
         CREATE TABLE b AS SELECT assess.rollup(g.gb, r.gb) AS gb FROM g, r",
        gradebook_of("responses")
    ));
    session.notices();
    (database, session)
}

#[test]
fn names_arguments_and_columns_are_frozen() {
    let database = Database::new();
    let mut session = database.session();
    assert_eq!(
        session.table(
            "SELECT p.oid::regprocedure, pg_get_function_arguments(p.oid),
                    pg_get_function_result(p.oid), provolatile, proparallel, proisstrict
             FROM pg_proc p
             WHERE pronamespace = 'assess'::regnamespace
               AND (proname IN ('roster_agg', 'missing_work')
                    OR proname = 'rollup' AND prorettype = 'assess.gradebook'::regtype)
             ORDER BY p.oid::regprocedure::text COLLATE \"C\""
        ),
        [
            "assess.missing_work(assess.gradebook,timestamp with time zone,text,text[],\
             double precision)|gradebook assess.gradebook, \
             as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
             attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
             due_share double precision DEFAULT 0.5\
             |TABLE(student text, assessment text, due_at timestamp with time zone, \
             student_group text)|s|s|f",
            "assess.rollup(assess.gradebook)|gradebook assess.gradebook|assess.gradebook|i|s|f",
            "assess.rollup(assess.gradebook,assess.gradebook)\
             |gradebook assess.gradebook, other assess.gradebook|assess.gradebook|i|s|f",
            "assess.roster_agg(\"any\",\"any\",date,date)\
             |student \"any\", student_group \"any\", entered_at date, left_at date\
             |assess.gradebook|i|s|f",
            "assess.roster_agg(\"any\",\"any\",timestamp with time zone,timestamp with time zone)\
             |student \"any\", student_group \"any\", entered_at timestamp with time zone, \
             left_at timestamp with time zone|assess.gradebook|i|s|f",
            "assess.roster_agg(\"any\",\"any\",timestamp without time zone,\
             timestamp without time zone)\
             |student \"any\", student_group \"any\", entered_at timestamp without time zone, \
             left_at timestamp without time zone|assess.gradebook|i|s|f",
        ]
    );
}

#[test]
fn nothing_and_null_are_nothing() {
    let (_database, mut session) = with_roster();
    for (sql, expected) in [
        (format!("SELECT {ENROL} FROM roster WHERE false"), "-"),
        ("SELECT assess.rollup(NULL, NULL)".to_owned(), "-"),
        (
            "SELECT assess.rollup(gb, NULL)::text = gb::text FROM b".to_owned(),
            "t",
        ),
        (
            "SELECT assess.rollup(NULL, gb)::text = gb::text FROM b".to_owned(),
            "t",
        ),
        (
            "SELECT count(*) FROM assess.missing_work(NULL)".to_owned(),
            "0",
        ),
        (
            "SELECT count(*) FROM r, assess.missing_work(gb)".to_owned(),
            "0",
        ),
        (
            "SELECT sum(due) FROM r, assess.students(gb)".to_owned(),
            "0",
        ),
    ] {
        assert_eq!(session.table(&sql), [expected], "{sql}");
    }
}

/// Ids of a type and how they read.
const IDS: &str = "
7::int2                                      | 7
7                                            | 7
9223372036854775807                          | 9223372036854775807
'x y'::text                                  | x y
'x'::varchar                                 | x
'x'::char(9)                                 | x
'x'::name                                    | x
'3F2504E0-4F89-11D3-9A0C-0305E82C3301'::uuid | 3f2504e0-4f89-11d3-9a0c-0305e82c3301
1.50::numeric                                | 1.50
'untyped'                                    | untyped
";

#[test]
fn ids_of_any_type_come_back_as_their_text() {
    let database = Database::new();
    let mut session = database.session();
    for [id, text] in rows(IDS) {
        let missing = session.table(&format!(
            "SELECT m.student, m.assessment, m.due_at::date, m.student_group
             FROM (SELECT assess.gradebook_agg(1, 1, 'quiz', 1, date '2026-05-04') AS gb) g,
                  (SELECT assess.roster_agg(s, {id}, date '2026-05-04', NULL) AS gb
                   FROM generate_series(1, 2) s) r,
                  assess.missing_work(assess.rollup(g.gb, r.gb)) m"
        ));
        assert_eq!(missing, [format!("2|quiz|2026-05-04|{text}")], "{id}");
        let students = session.table(&format!(
            "SELECT student, status, level, due
             FROM (SELECT assess.roster_agg({id}, 1, NULL::date, NULL) AS gb) r,
                  assess.students(gb)"
        ));
        assert_eq!(students, [format!("{text}|none|-|0")], "{id}");
    }
}

#[test]
fn ids_and_clocks_that_do_not_fit_are_refused() {
    let database = Database::new();
    let mut session = database.session();
    let merge = |student: &str, group: &str, from: &str| {
        format!(
            "SELECT assess.rollup(g.gb, r.gb) IS NULL
             FROM (SELECT assess.rollup(assess.gradebook_agg(1, 1, 1, 1, date '2026-05-04'),
                                        assess.roster_agg(1, 1, NULL::date, NULL)) AS gb) g,
                  (SELECT assess.roster_agg({student}, {group}, {from}, NULL) AS gb) r"
        )
    };
    assert_eq!(session.table(&merge("1", "1", "date '2026-05-04'")), ["f"]);
    for (sql, word) in [
        (merge("'1'::text", "1", "NULL::date"), "student"),
        (merge("gen_random_uuid()", "1", "NULL::date"), "student"),
        (merge("1", "'1'::text", "NULL::date"), "group"),
        (merge("1", "1", "timestamptz '2026-05-04'"), "time"),
    ] {
        let told = session.refuses(&sql, "22023");
        assert!(told.message().contains(word), "{told}");
        let hint = told.hint().unwrap_or_default();
        assert!(hint.contains(&format!("Cast the {word} column")), "{hint}");
    }
    // What says no time has no clock, and both calendar types have the same one.
    for from in [
        "NULL::timestamptz",
        "'-infinity'::timestamptz",
        "timestamp '2026-05-04'",
    ] {
        assert_eq!(session.table(&merge("1", "1", from)), ["f"], "{from}");
    }
    let told = session.refuses(
        "SELECT assess.roster_agg(s, 1, NULL::date, NULL)
         FROM (VALUES ('x'), (repeat('y', 300000000))) v(s)",
        "54000",
    );
    assert!(told.message().contains("too large"), "{told}");
}

/// Type, beginning and end of the only period, and the days of May 2026 on which it makes a test
/// due.
const PERIODS: &str = "
date        | '2026-05-05'       | '2026-05-06'       | 5,6
date        | '2026-05-06'       | '2026-05-06'       | 6
date        | NULL               | '2026-05-05'       | 4,5
date        | '2026-05-06'       | NULL               | 6,7
date        | '-infinity'        | 'infinity'         | 4,5,6,7
date        | NULL               | NULL               | 4,5,6,7
date        | '4714-11-24 BC'    | '5874897-12-31'    | 4,5,6,7
timestamp   | '2026-05-05'       | '2026-05-06'       | 5
timestamp   | '2026-05-05'       | '2026-05-06 10:30' | 5,6
timestamp   | '2026-05-05 10:31' | '2026-05-06 10:29' | -
timestamp   | '-infinity'        | '2026-05-06 10:30' | 4,5,6
timestamptz | '2026-05-05 10:30+00' | '2026-05-06 12:30+02' | 5,6
timestamptz | '2026-05-05 10:31+00' | 'infinity'            | 6,7
";

#[test]
fn both_ends_are_included_and_a_date_is_the_whole_day() {
    let database = Database::new();
    let mut session = database.session();
    session.run("SET TimeZone = 'UTC'");
    for [r#type, from, to, days] in rows(PERIODS) {
        // Half of the students took four tests at 10:30; the other one is asked about.
        let clock = r#type.replace("date", "timestamp");
        let due = session.table(&format!(
            "SELECT coalesce(string_agg(extract(day FROM m.due_at)::text, ',' ORDER BY m.due_at),
                             '-')
             FROM (SELECT assess.gradebook_agg(1, day, day, 1,
                                               {clock} '2026-05-01 10:30' + day * interval '1 day')
                          AS gb FROM generate_series(3, 6) day) g,
                  (SELECT assess.roster_agg(s, 1, CASE s WHEN 2 THEN {type} {from} END,
                                            CASE s WHEN 2 THEN {type} {to} END) AS gb
                   FROM generate_series(1, 2) s) r,
                  assess.missing_work(assess.rollup(g.gb, r.gb)) m",
            from = from.replace("NULL", "'-infinity'"),
            to = to.replace("NULL", "'infinity'"),
        ));
        assert_eq!(due, [days], "{type} {from} {to}");
    }
}

#[test]
fn unusable_rows_are_counted_and_told_once_and_name_nobody() {
    let (_database, mut session) = with_roster();
    session.run(
        "INSERT INTO roster VALUES (NULL, 'secret class', NULL, NULL), (NULL, NULL, NULL, NULL),
             ('secret student', 'secret class', '2026-03-02', '2026-03-01'),
             ('secret student', 'secret class', 'infinity', NULL),
             ('secret student', 'secret class', NULL, '-infinity')",
    );
    for statement in [
        format!("SELECT {ENROL} FROM roster"),
        format!("SELECT {ENROL} FROM roster GROUP BY class"),
        format!("SELECT {ENROL} OVER (PARTITION BY class) FROM roster"),
    ] {
        session.table(&statement);
        let notices = session.notices();
        assert_eq!(notices.len(), 1, "{statement}");
        assert_eq!(notices[0].severity(), "WARNING");
        assert_eq!(notices[0].code().code(), "01000");
        let told = format!("{:?}", notices[0]);
        assert!(
            told.contains("roster_agg") && told.contains("coverage"),
            "{told}"
        );
        assert!(!told.contains("secret"), "{told}");
    }
    let coverage = |session: &mut Session, gradebook: &str| {
        session.table(&format!(
            "SELECT c.* FROM g, (SELECT {ENROL} AS bad FROM roster) r,
                    assess.coverage({gradebook}) c OFFSET 9"
        ))
    };
    let distinct: i64 = session.one(
        "SELECT count(*) FROM (SELECT DISTINCT * FROM roster) d
         WHERE student LIKE 's_%' AND student NOT LIKE 'secret%'",
    );
    let told = [format!("roster|{distinct}"), "bad_roster|5".to_owned()];
    assert_eq!(coverage(&mut session, "assess.rollup(gb, bad)"), told);
    assert_eq!(
        coverage(&mut session, "gb"),
        [""; 0],
        "no roster, no rows on it"
    );
    session.notices();
    // Merging tells nothing again, and counts what was counted.
    let twice = "assess.rollup(assess.rollup(gb, bad), bad)";
    assert_eq!(coverage(&mut session, twice)[1], "bad_roster|10");
    assert_eq!(session.notices().len(), 1);
    session.table("SELECT assess.rollup(gb, gb) FROM b");
    assert_eq!(session.notices().len(), 0);
    // Periods that have not begun are not in use yet.
    let then = session.table("SELECT c.rows FROM b, assess.coverage(gb, '2026-02-20') c OFFSET 9");
    let begun: i64 = session.one(
        "SELECT count(*) FROM (SELECT DISTINCT * FROM roster) d
         WHERE student IS NOT NULL AND student NOT LIKE 'secret%'
           AND coalesce(entered_on, '-infinity') <= '2026-02-20'",
    );
    assert_eq!(then, [begun.to_string(), "0".to_owned()]);
}

#[test]
fn a_roster_survives_copy_and_dump() {
    let (database, mut session) = with_roster();
    for format in ["text", "csv", "binary"] {
        let mut file = Vec::new();
        let mut out = session
            .copy_out(&format!("COPY b TO STDOUT (FORMAT {format})"))
            .expect("copies out");
        out.read_to_end(&mut file).expect("reads");
        drop(out);
        session.run("CREATE TABLE back (LIKE b)");
        let mut into = session
            .copy_in(&format!("COPY back FROM STDIN (FORMAT {format})"))
            .expect("copies in");
        into.write_all(&file).expect("writes");
        assert_eq!(into.finish().expect("ends"), 1);
        let same: bool = session.one("SELECT b.gb::text = back.gb::text FROM b, back");
        assert!(same, "{format}");
        session.run("DROP TABLE back");
    }
    let answers = "SELECT m::text FROM b, assess.missing_work(gb) m
                   UNION ALL SELECT s::text FROM b, assess.students(gb) s
                   UNION ALL SELECT c::text FROM b, assess.coverage(gb) c";
    let before = session.table(answers);
    assert!(before.len() > 300);
    let dump = Command::new("pg_dump")
        .args(["--no-owner", database.name()])
        .output()
        .expect("pg_dump runs");
    assert!(dump.status.success());
    let restored = Database::bare();
    let mut psql = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", restored.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql runs");
    let mut input = psql.stdin.take().expect("psql reads");
    input.write_all(&dump.stdout).expect("psql takes the dump");
    drop(input);
    assert!(psql.wait().expect("psql ends").success());
    assert_eq!(restored.session().table(answers), before);
}

#[test]
fn no_plan_no_order_and_no_detour_changes_a_byte() {
    let (_database, mut session) = with_roster();
    session.run("CREATE TABLE shuffled AS SELECT * FROM roster ORDER BY md5(roster::text)");
    session.run("ANALYZE shuffled");
    let text: String = session.one("SELECT gb::text FROM r");
    session.run(PARALLEL);
    for table in ["roster", "shuffled", "(SELECT DISTINCT * FROM roster) d"] {
        let sql = format!("SELECT {ENROL}::text FROM {table}");
        if !table.starts_with('(') {
            let plan = session.plan(&sql);
            assert!(plan.contains("Partial Aggregate"), "{plan}");
        }
        assert_eq!(session.one::<String>(&sql), text, "{table}");
    }
    session.run(SERIAL);
    let whole: String = session.one("SELECT gb::text FROM b");
    for (what, sql) in [
        (
            "twice",
            "SELECT assess.rollup(gb, (SELECT gb FROM r)) FROM b",
        ),
        (
            "the other way round",
            "SELECT assess.rollup(r.gb, g.gb) FROM g, r",
        ),
        (
            "the aggregate",
            "SELECT assess.rollup(gb) FROM (SELECT gb FROM r UNION ALL SELECT gb FROM g
                                            UNION ALL SELECT gb FROM r) a",
        ),
        (
            "month by month, each with its roster",
            &format!(
                "SELECT assess.rollup(assess.rollup(m.gb, r.gb))
                 FROM r, (SELECT {AGGREGATE} AS gb FROM responses
                          GROUP BY date_trunc('month', taken_on)) m"
            ),
        ),
        (
            "class by class",
            &format!(
                "SELECT assess.rollup(assess.rollup(gb), (SELECT gb FROM g))
                 FROM (SELECT {ENROL} AS gb FROM roster GROUP BY class) c"
            ),
        ),
    ] {
        let text: String = session.one(&format!("SELECT gb::text FROM ({sql}) a(gb)"));
        assert!(text == whole, "{what}");
    }
}

/// Who took what, and when first, as of a date.
const TOOK: &str = "
    took AS (
        SELECT student, assessment, min(taken_on) AS day FROM responses
        WHERE score <= max_score AND taken_on <= :as_of AND assessment <> ALL (:exclude)
        GROUP BY student, assessment)";

/// Missing work according to the roster, in plain SQL.
const BY_ROSTER: &str = "
    enrolled AS (
        SELECT DISTINCT student, coalesce(class, '') COLLATE \"C\" AS class,
               coalesce(entered_on, '-infinity') AS entered_on,
               coalesce(left_on, 'infinity') AS left_on
        FROM roster WHERE coalesce(entered_on, '-infinity') <= :as_of),
    took_there AS (
        SELECT DISTINCT class, assessment, student, day FROM took JOIN enrolled USING (student)
        WHERE day BETWEEN entered_on AND left_on),
    dates AS (
        SELECT class, assessment, percentile_disc(0.5) WITHIN GROUP (ORDER BY day) AS due_on
        FROM took_there GROUP BY class, assessment),
    members AS (
        SELECT DISTINCT class, assessment, due_on, student FROM dates JOIN enrolled USING (class)
        WHERE due_on BETWEEN entered_on AND left_on),
    expected AS (
        SELECT class, assessment
        FROM members LEFT JOIN took_there USING (class, assessment, student)
        GROUP BY class, assessment HAVING count(day) >= :share * count(*))
    SELECT DISTINCT ON (student, assessment) student, assessment, due_on, class
    FROM members JOIN expected USING (class, assessment)
    WHERE (student, assessment) NOT IN (SELECT student, assessment FROM took)
    ORDER BY student, assessment, due_on, class";

/// The same without a roster.
const BY_RULE: &str = "
    gaps AS (
        SELECT max(gap) AS longest
        FROM (SELECT student, day - lag(day) OVER (PARTITION BY student ORDER BY day) AS gap
              FROM took) g GROUP BY student),
    active AS (
        SELECT student, min(day) AS since,
               max(day) + (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY longest)
                           FROM gaps WHERE longest > 0) AS until
        FROM took GROUP BY student),
    dates AS (
        SELECT assessment, percentile_disc(0.5) WITHIN GROUP (ORDER BY day) AS due_on
        FROM took GROUP BY assessment),
    expected AS (
        SELECT assessment, due_on
        FROM dates CROSS JOIN active LEFT JOIN took USING (student, assessment)
        WHERE due_on BETWEEN since AND until
        GROUP BY assessment, due_on HAVING count(day) >= :share * count(*))
    SELECT student, assessment, due_on, ''
    FROM expected JOIN active ON since <= due_on
    WHERE (student, assessment) NOT IN (SELECT student, assessment FROM took)";

#[test]
fn missing_work_is_what_plain_sql_finds() {
    let (_database, mut session) = with_roster();
    let mut sizes = Vec::new();
    for (table, rule) in [("b", BY_ROSTER), ("g", BY_RULE)] {
        for (as_of, exclude, share) in [
            ("2026-12-31", "{}", "0.5"),
            ("2026-03-01", "{}", "0.5"),
            ("2026-02-03", "{test 1,no such test}", "0.5"),
            ("2026-12-31", "{test 3,test 4}", "0.75"),
            ("2026-12-31", "{}", "0.7"),
            ("2026-12-31", "{}", "1"),
            ("2026-12-31", "{}", "0.01"),
        ] {
            let what = format!("{table} as of {as_of} without {exclude}, share {share}");
            let plain = format!("WITH {TOOK}, {rule}")
                .replace(":as_of", &format!("date '{as_of}'"))
                .replace(":exclude", &format!("'{exclude}'::text[]"))
                .replace(":share", share);
            let options =
                format!("as_of => '{as_of}', exclude => '{exclude}', due_share => {share}");
            let ours = format!(
                "SELECT student, assessment, due_at::date, coalesce(student_group, '')
                 FROM {table}, assess.missing_work(gb, {options})"
            );
            let sorted = |sql: &str| format!("SELECT * FROM ({sql}) a ORDER BY 1, 2, 3, 4");
            let found = session.table(&sorted(&ours));
            assert_eq!(found, session.table(&sorted(&plain)), "{what}");
            sizes.push(found.len());
            let differences = session.table(&format!(
                "SELECT student FROM
                     (SELECT student, missing FROM {table}, assess.students(gb, {options})) s
                 FULL JOIN
                     (SELECT student, count(*) AS missing FROM ({ours}) m GROUP BY 1) m
                 USING (student) WHERE s.missing <> coalesce(m.missing, 0) OR s.student IS NULL"
            ));
            assert_eq!(differences, [""; 0], "{what}");
        }
    }
    assert!(
        sizes.iter().filter(|size| **size > 50).count() > 8,
        "{sizes:?}"
    );
    // In the order of the ids, then of the dates.
    let out_of_order = session.table(
        "SELECT 1 FROM (
             SELECT student, due_at, lag(student) OVER w AS last, lag(due_at) OVER w AS before
             FROM b, assess.missing_work(gb) WITH ORDINALITY
                     m(student, assessment, due_at, student_group, n)
             WINDOW w AS (ORDER BY n)) a
         WHERE student COLLATE \"C\" < last OR student = last AND due_at < before",
    );
    assert_eq!(out_of_order, [""; 0]);
}

#[test]
fn students_without_a_response_are_told_of_with_what_they_miss() {
    let (_database, mut session) = with_roster();
    assert_eq!(
        session.table(
            "SELECT s.student, s.status, s.level = s.prior, s.raw_level, s.need_rank, s.n,
                    s.due > 0, s.missing = s.due
             FROM b, assess.students(gb) s WHERE s.student IN ('s91', 's92', 's101', 's102')
             ORDER BY 1"
        ),
        [
            "s101|none|t|-|-|0|t|t",
            "s102|none|t|-|-|0|f|t",
            "s91|none|t|-|-|0|t|t",
            "s92|none|t|-|-|0|t|t",
        ]
    );
    // Not before they are enrolled, and nobody else changes.
    let then = "FROM b, assess.students(gb, as_of => '2026-02-28')";
    assert_eq!(
        session.table(&format!("SELECT count(*) {then} WHERE student = 's101'")),
        ["0"]
    );
    let figures = |table: &str| {
        format!(
            "SELECT student, level, level_se, need, need_rank, slope, status
             FROM {table}, assess.students(gb) WHERE n > 0"
        )
    };
    assert_eq!(session.table(&figures("b")), session.table(&figures("g")));
    for function in ["items", "assessments"] {
        let all = |table| format!("SELECT r FROM {table}, assess.{function}(gb) r");
        assert_eq!(
            session.table(&all("b")),
            session.table(&all("g")),
            "{function}"
        );
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let (_database, mut session) = with_roster();
    for option in [
        "attempts => 'second'",
        "due_share => 0",
        "due_share => 1.1",
        "due_share => 'NaN'",
        "as_of => 'infinity'",
    ] {
        session.refuses(
            &format!("SELECT assess.missing_work(gb, {option}) FROM b"),
            "22023",
        );
    }
    for option in ["attempts => NULL", "due_share => NULL"] {
        let sql = format!("SELECT assess.missing_work(gb, {option}) FROM b");
        assert_eq!(session.fails(&sql).code().code(), "22004", "{option}");
    }
    for option in ["as_of => NULL", "exclude => NULL", "exclude => '{NULL,x}'"] {
        let count =
            |option: &str| format!("SELECT count(*) FROM b, assess.missing_work(gb{option})");
        let plain = session.table(&count(""));
        assert_eq!(
            session.table(&count(&format!(", {option}"))),
            plain,
            "{option}"
        );
    }
    let attempts = ["first", "last", "best"].map(|attempts| {
        session.table(&format!(
            "SELECT student, assessment FROM b, assess.missing_work(gb, attempts => '{attempts}')"
        ))
    });
    assert!(attempts[0].len() > 100);
    assert!(attempts[0] == attempts[1] && attempts[1] == attempts[2]);
}

#[test]
fn due_dates_are_the_same_in_every_time_zone() {
    let (_database, mut session) = with_roster();
    let mut told = Vec::new();
    for zone in ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"] {
        session.run(&format!("SET TimeZone = '{zone}'"));
        session.run(&format!(
            "CREATE TEMP TABLE again AS SELECT {ENROL} AS gb FROM roster"
        ));
        let same: bool = session.one("SELECT again.gb::text = r.gb::text FROM again, r");
        assert!(same, "{zone}");
        session.run("DROP TABLE again");
        told.push(session.table(
            "SELECT student, assessment, due_at::date FROM b, assess.missing_work(gb, '2026-03-01')",
        ));
    }
    assert!(told[0].len() > 50 && told[0] == told[1] && told[1] == told[2]);
}

#[test]
fn the_sample_network_has_its_schools_as_groups() {
    let database = Database::new();
    let mut session = database.session();
    session.table("SELECT assess.sample_network('sample', seed => 3)");
    session.run(
        "CREATE TABLE g AS
         SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points,
                                              max_points, taken_on) AS gb
         FROM sample.responses GROUP BY subject;
         CREATE TABLE r AS
         SELECT assess.roster_agg(student_id, school_id, NULL::date, NULL) AS gb
         FROM sample.students;
         CREATE TABLE b AS SELECT subject, assess.rollup(g.gb, r.gb) AS gb FROM g, r",
    );
    // Everybody enrolled is listed, in every subject, and owes what the school was given.
    assert_eq!(
        session.table(
            "SELECT subject, count(*) = (SELECT count(*) FROM sample.students),
                    min(due) = max(due) AND max(due) = (SELECT count(*) FROM sample.assessments a
                                                        WHERE a.subject = b.subject)
             FROM b, assess.students(gb) GROUP BY subject ORDER BY subject"
        ),
        ["ELA|t|t", "Math|t|t", "Science|t|t"]
    );
    // What is missing is what has no scored response.
    let lost: i64 = session.one(
        "SELECT count(*) FROM
             (SELECT b.subject, m.student::int AS student_id, m.assessment::int AS assessment_id,
                     m.student_group::int AS school_id
              FROM b, assess.missing_work(gb) m) m
         FULL JOIN
             (SELECT subject, student_id, assessment_id, school_id
              FROM sample.students, sample.assessments a
              WHERE NOT EXISTS (SELECT FROM sample.responses r
                                WHERE (r.student_id, r.assessment_id)
                                      = (students.student_id, a.assessment_id)
                                  AND r.points IS NOT NULL)) plain
         USING (subject, student_id, assessment_id, school_id)
         WHERE m.student_id IS NULL OR plain.student_id IS NULL",
    );
    assert_eq!(lost, 0);
}

#[test]
fn a_wide_roster_can_be_stopped_at_once() {
    let database = Database::new();
    let mut session = database.session();
    // Everybody in every group, so that each answer counts in all of them; no two are the same.
    session.run(
        "CREATE TABLE b AS
         SELECT assess.rollup(g.gb, r.gb) AS gb
         FROM (SELECT assess.gradebook_agg(s, a, a, 1, date '2026-01-01' + a) AS gb
               FROM generate_series(1, 300) s, generate_series(1, 300) a) g,
              (SELECT assess.roster_agg(s, c, CASE s WHEN 1 THEN date '2020-01-01' + c END, NULL) AS gb
               FROM generate_series(1, 300) s, generate_series(1, 1500) c) r",
    );
    let backend = session.backend();
    session.run("SET statement_timeout = 300");
    let started = std::time::Instant::now();
    let told = session.fails("SELECT count(*) FROM b, assess.missing_work(gb)");
    assert_eq!(told.code().code(), "57014", "{told}");
    assert!(
        started.elapsed().as_secs_f64() < 1.3,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(session.backend(), backend);
}

/// The most memory that the session's backend has had at once, in MB.
fn peak_memory(session: &mut Session) -> i64 {
    session.one(
        "SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s*(\\d+)')::bigint
                / 1024",
    )
}

#[test]
fn missing_work_of_all_who_have_left_fits_into_memory() {
    let database = Database::new();
    let mut session = database.session();
    // Each student takes one assessment, and without a roster owes all that come later: 25,000
    // rows make three millions.
    session.run(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(s, 1, s % 250, 1, date '2026-01-01' + s % 250) AS gb
         FROM generate_series(1, 25000) s",
    );
    let before = peak_memory(&mut session);
    let rows: i64 = session.one("SELECT count(*) FROM g, assess.missing_work(gb)");
    assert_eq!(rows, 100 * 250 * 249 / 2);
    let taken = peak_memory(&mut session) - before;
    assert!(taken < 150, "{taken} MB");
}
