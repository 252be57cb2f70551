//! What rows of a roster are taken and refused, and that no detour changes a byte.

use std::io::{Read, Write};

use pg_assess_it::{AGGREGATE, Database, PARALLEL, SERIAL, Session, rows};

use super::{ENROL, with_roster};

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
             text,text,text,double precision,text[])|gradebook assess.gradebook, \
             as_of timestamp with time zone DEFAULT NULL::timestamp with time zone, \
             attempts text DEFAULT 'first'::text, exclude text[] DEFAULT '{}'::text[], \
             out_of_range text DEFAULT 'exclude'::text, missing_max text DEFAULT 'exclude'::text, \
             blanks text DEFAULT 'ignore'::text, due_share double precision DEFAULT 0.5, \
             exclude_items text[] DEFAULT '{}'::text[]|TABLE(student text, assessment text, due_at timestamp with time zone, \
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
        let error = session.refuses(&sql, "22023");
        assert!(error.message().contains(word), "{error}");
        let hint = error.hint().unwrap_or_default();
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
    let refusal = session.refuses(
        "SELECT assess.roster_agg(s, 1, NULL::date, NULL)
         FROM (VALUES ('x'), (repeat('y', 300000000))) v(s)",
        "54000",
    );
    assert!(refusal.message().contains("too large"), "{refusal}");
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
fn unusable_rows_are_counted_and_reported_once_and_name_nobody() {
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
        let found = format!("{:?}", notices[0]);
        assert!(
            found.contains("roster_agg") && found.contains("coverage"),
            "{found}"
        );
        assert!(!found.contains("secret"), "{found}");
    }
    let coverage = |session: &mut Session, gradebook: &str| {
        session.table(&format!(
            "SELECT c.* FROM g, (SELECT {ENROL} AS bad FROM roster) r,
                    assess.coverage({gradebook}) c WHERE c.reason LIKE '%roster'"
        ))
    };
    let distinct: i64 = session.one(
        "SELECT count(*) FROM (SELECT DISTINCT * FROM roster) d
         WHERE student LIKE 's_%' AND student NOT LIKE 'secret%'",
    );
    let shown = [format!("roster|{distinct}"), "bad_roster|5".to_owned()];
    assert_eq!(coverage(&mut session, "assess.rollup(gb, bad)"), shown);
    assert_eq!(
        coverage(&mut session, "gb"),
        [""; 0],
        "no roster, no rows on it"
    );
    session.notices();
    // Merging reports nothing again, and counts what was counted.
    let twice = "assess.rollup(assess.rollup(gb, bad), bad)";
    assert_eq!(coverage(&mut session, twice)[1], "bad_roster|10");
    assert_eq!(session.notices().len(), 1);
    session.table("SELECT assess.rollup(gb, gb) FROM b");
    assert_eq!(session.notices().len(), 0);
    // Periods that have not begun are not in use yet.
    let then = session.table(
        "SELECT c.rows FROM b, assess.coverage(gb, '2026-02-20') c
                              WHERE c.reason LIKE '%roster'",
    );
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
    let restored = database.restored("--format=plain");
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
