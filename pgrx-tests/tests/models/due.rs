//! Due and missing work of models: by groups, and where marks are still to come. What is right is
//! counted by plain SQL, where a row is a sitting.

use pg_assess_it::{Database, Session};

/// A model over a table of (student, item, test, score, at, class).
fn model(session: &mut Session, name: &str, table: &str, more: &str) {
    session.run(&format!(
        "SELECT assess.create_model('{name}', '{table}', 'student', 'item', 'test', 'score', 'at',
             settings => '{{\"as_of\": \"2026-04-01\"}}'{more})"
    ));
}

const GROUPED: &str = ", student_group => 'class'";

/// Ten weekly tests of their own for each class of students; of those named by `stops` none after
/// the third.
fn classes(session: &mut Session, table: &str, classes: &str, stops: &str) {
    session.run(&format!(
        "CREATE TABLE {table} AS
         SELECT s AS student, c || w || '_' || i AS item, c || w AS test,
                (('x' || left(md5(s || ':' || i || ':' || w), 4))::bit(16)::int % 100 < 40 + s % 30)
                    ::int AS score,
                date '2026-01-05' + 7 * w AS at, c AS class
         FROM (VALUES {classes}) v(c, lo, hi), generate_series(lo, hi) s, generate_series(0, 9) w,
              generate_series(1, 4) i
         WHERE NOT (s IN ({stops}) AND w > 2)"
    ));
}

#[test]
fn each_class_owes_its_own_tests() {
    let database = Database::new();
    let mut session = database.session();
    // One of another size: nobody misses anything.
    classes(&mut session, "two", "('A', 1, 30), ('B', 101, 112)", "0");
    model(&mut session, "m2", "two", GROUPED);
    assert_eq!(
        session.table(
            "SELECT student_group, due, missing, count(*) FROM m2.students GROUP BY 1, 2, 3
             ORDER BY 1"
        ),
        ["A|10|0|30", "B|10|0|12"]
    );
    assert_eq!(session.table("SELECT * FROM m2.check_in_list"), [""; 0]);
    let text: String = session.one("SELECT explanation FROM assess.explain_student('m2', 105)");
    assert!(text.ends_with("No due assessment is missing."), "{text}");
    // Three of one size, in each of which one stops.
    let three = "('A', 1, 14), ('B', 101, 114), ('C', 201, 214)";
    classes(&mut session, "three", three, "1, 101, 201");
    model(&mut session, "m3", "three", GROUPED);
    assert_eq!(
        session.table("SELECT student, due, missing FROM m3.students WHERE missing > 0 ORDER BY 1"),
        session.table(
            "SELECT student, 10, 10 - count(DISTINCT test) FROM three GROUP BY 1
             HAVING count(DISTINCT test) < 10 ORDER BY 1"
        )
    );
    assert_eq!(
        session.table("SELECT student, reason FROM m3.check_in_list ORDER BY 1"),
        ["1|missing work", "101|missing work", "201|missing work"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*), count(DISTINCT w.student_group) FROM m3.gradebook g,
                    assess.missing_work(g.gradebook, as_of => '2026-04-01') w"
        ),
        ["21|3"]
    );
    let text: String = session.one("SELECT explanation FROM assess.explain_student('m3', 101)");
    assert!(
        text.contains("Of 10 due assessments, 7 are missing"),
        "{text}"
    );
    // A roster says no more, and none is counted.
    assert_eq!(
        session.table(
            "SELECT s.student, s.due, s.missing FROM m3.gradebook g,
                    (SELECT assess.roster_agg(student, class, date '2026-01-05', NULL) AS gb
                     FROM (SELECT DISTINCT student, class FROM three) r) r,
                    assess.students(assess.rollup(g.gradebook, r.gb), as_of => '2026-04-01') s
             EXCEPT SELECT s.student::text, s.due, s.missing FROM m3.students s"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table("SELECT * FROM m3.coverage WHERE reason LIKE '%roster'"),
        [""; 0]
    );
    // Without groups nothing was taken by half of all, as before.
    model(&mut session, "m0", "three", "");
    assert_eq!(
        session.table("SELECT DISTINCT due, missing FROM m0.students"),
        ["0|0"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM m0.gradebook g
             WHERE g.gradebook::text <> (SELECT assess.rollup(p.gradebook)::text FROM m0.parts p)"
        ),
        ["0"]
    );
}

/// Student 50 of class A up to week 4, of B from week 6 on; student 60 in both; each misses one.
const MOVES: &str = "
    INSERT INTO two SELECT 50, item, test, score, at, class FROM two
    WHERE student = 2 AND at <= date '2026-02-02' AND at <> date '2026-01-19'
    OR    student = 102 AND at >= date '2026-02-16' AND at <> date '2026-03-02';
    INSERT INTO two SELECT 60, item, test, score, at, class FROM two
    WHERE student IN (2, 102) AND test <> 'B9'";

#[test]
fn who_moves_or_is_in_several_classes_owes_each_its_own_also_with_changes_tracked() {
    let database = Database::new();
    let mut session = database.session();
    classes(&mut session, "two", "('A', 1, 30), ('B', 101, 112)", "0");
    session.run("ALTER TABLE two ADD changed timestamptz DEFAULT now()");
    model(&mut session, "plain", "two", GROUPED);
    let tracked = "track_changes => 'triggers', period => 'week'";
    model(
        &mut session,
        "tracked",
        "two",
        &format!("{GROUPED}, {tracked}"),
    );
    session.run(MOVES);
    session.run("CALL assess.refresh('plain')");
    session.run("CALL assess.refresh('tracked')");
    for name in ["plain", "tracked"] {
        let missing = format!(
            "SELECT w.student, w.assessment, w.due_at::date, w.student_group
             FROM {name}.gradebook g, assess.missing_work(g.gradebook, as_of => '2026-04-01') w
             ORDER BY 1, 3, 2"
        );
        assert_eq!(
            session.table(&missing),
            [
                "50|A2|2026-01-19|A",
                "50|A5|2026-02-09|A",
                "50|B8|2026-03-02|B",
                "60|B9|2026-03-09|B",
            ]
        );
        let due = format!(
            "SELECT student, due, missing FROM {name}.students WHERE student IN (50, 60)
             ORDER BY 1"
        );
        assert_eq!(session.table(&due), ["50|10|3", "60|20|1"]);
    }
    assert_eq!(
        session.table(
            "SELECT p.gradebook::text = t.gradebook::text FROM plain.gradebook p, tracked.gradebook t"
        ),
        ["t"]
    );
    session.run("CALL assess.refresh('tracked', everything => true)");
    assert_eq!(
        session.table(
            "SELECT p.gradebook::text = t.gradebook::text FROM plain.gradebook p, tracked.gradebook t"
        ),
        ["t"]
    );
}

/// Thirty sit four weekly tests; ten of them wait for the marks of the last, student 30 missed it.
fn waiting_work(session: &mut Session) {
    session.run(
        "CREATE TABLE marks AS
         SELECT s AS student, 10 * w + i AS item, w AS test,
                CASE WHEN w < 4 OR s > 10
                     THEN (('x' || left(md5(s || ':' || i || ':' || w), 6))::bit(24)::int
                           / 16777216.0 < 0.3 + s / 60.0)::int END AS score,
                date '2026-01-29' + 7 * w AS at, 'one'::text AS class
         FROM generate_series(1, 30) s, generate_series(1, 4) w, generate_series(1, 5) i
         WHERE NOT (s = 30 AND w = 4)",
    );
}

#[test]
fn what_waits_for_its_marks_is_not_missing() {
    let database = Database::new();
    let mut session = database.session();
    waiting_work(&mut session);
    for (name, more) in [("m", ""), ("g", GROUPED)] {
        model(&mut session, name, "marks", more);
        assert_eq!(
            session.table(&format!(
                "SELECT due, missing, waiting, omitted, count(*), min(student), max(student)
                 FROM {name}.students GROUP BY 1, 2, 3, 4 ORDER BY 2, 3"
            )),
            ["4|0|0|0|19|11|29", "4|0|5|0|10|1|10", "4|1|0|0|1|30|30"]
        );
        assert_eq!(
            session.table(&format!("SELECT student, reason FROM {name}.check_in_list")),
            ["30|missing work"]
        );
    }
    let text: String = session.one("SELECT explanation FROM assess.explain_student('m', 3)");
    let end = "No due assessment is missing. 1 assessment waits for its marks, or for those \
               of most students.";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(
        session.table(
            "SELECT assessment, status, status_rank, taken_at::date, answers
             FROM assess.student_assessments('m', 3) WHERE status <> 'taken'"
        ),
        ["4|waiting|3|2026-02-26|0"]
    );
    // One of whom all rows wait, and one of whom there is none.
    session.run(
        "INSERT INTO marks
         SELECT s, 10 * w + i, w, NULL, date '2026-01-29' + 7 * w, 'one'
         FROM (VALUES (31, 3), (31, 4)) v(s, w), generate_series(1, 5) i",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT student, reason, waiting FROM m.check_in_list ORDER BY student"),
        ["30|missing work|0", "31|waiting for marks|10"]
    );
    let text: String = session.one("SELECT explanation FROM assess.explain_student('m', 31)");
    assert!(
        text.starts_with("Nothing is known yet of student 31: 10 answers are waiting for marks."),
        "{text}"
    );
    assert!(
        text.ends_with("2 assessments wait for their marks, or for those of most students."),
        "{text}"
    );
}

#[test]
fn a_status_says_who_did_not_take_it_and_who_need_not() {
    let database = Database::new();
    let mut session = database.session();
    waiting_work(&mut session);
    session.run(
        "CREATE TABLE states AS
         SELECT *, CASE WHEN score IS NULL THEN 'open' ELSE 'graded' END AS state FROM marks
         UNION ALL
         SELECT 30, 40 + i, 4, 0, date '2026-02-26', 'one', 'absent' FROM generate_series(1, 5) i;
         UPDATE states SET state = 'ill' WHERE student = 29 AND test = 4",
    );
    let more = ", status => 'state', counted => '{graded}', waiting => '{open}',
                not_taken => '{absent}', exempt => '{ill}'";
    for (name, group) in [("m", ""), ("g", GROUPED)] {
        model(&mut session, name, "states", &format!("{more}{group}"));
        assert_eq!(
            session.table(&format!(
                "SELECT due, missing, waiting, count(*), max(student) FROM {name}.students
                 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            )),
            ["3|0|0|1|29", "4|0|0|18|28", "4|0|5|10|10", "4|1|0|1|30"]
        );
    }
}

#[test]
fn what_was_taken_is_due_whatever_the_minute() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE minutes AS
         SELECT s AS student, q AS item, a AS test, ((s + q * 7 + a) % 3 = 0)::int AS score,
                date '2026-01-05' + 14 * a + time '09:00' + s * interval '1 minute' AS at,
                'one'::text AS class
         FROM generate_series(1, 20) s, generate_series(1, 2) a, generate_series(1, 5) q
         WHERE NOT (s IN (5, 15) AND a = 2)",
    );
    for (name, more) in [("m", ""), ("g", GROUPED)] {
        model(&mut session, name, "minutes", more);
        assert_eq!(
            session.table(&format!(
                "SELECT student, 2, 2 - count(DISTINCT test) FROM minutes GROUP BY 1
                 EXCEPT SELECT student, due, missing FROM {name}.students"
            )),
            [""; 0]
        );
    }
}
