//! Missing work is what plain SQL finds in the same tables.

use pg_assess_it::{Database, Session};

use super::{ENROL, with_roster};

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
fn students_without_a_response_are_listed_with_what_they_miss() {
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
    let mut found = Vec::new();
    for zone in ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"] {
        session.run(&format!("SET TimeZone = '{zone}'"));
        session.run(&format!(
            "CREATE TEMP TABLE again AS SELECT {ENROL} AS gb FROM roster"
        ));
        let same: bool = session.one("SELECT again.gb::text = r.gb::text FROM again, r");
        assert!(same, "{zone}");
        session.run("DROP TABLE again");
        found.push(session.table(
            "SELECT student, assessment, due_at::date FROM b, assess.missing_work(gb, '2026-03-01')",
        ));
    }
    assert!(found[0].len() > 50 && found[0] == found[1] && found[1] == found[2]);
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
    // What is missing is what has no row: without a score it waits for its mark, or was left blank.
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
                                      = (students.student_id, a.assessment_id))) plain
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
    let error = session.fails("SELECT count(*) FROM b, assess.missing_work(gb)");
    assert_eq!(error.code().code(), "57014", "{error}");
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
