//! Models as those see them who read and set them.

use pg_assess_it::Database;

use super::with_model;

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
    let error = reader.fails("CALL assess.refresh('school')");
    assert_eq!(error.code().code(), "42501");
    assert_eq!(error.message(), "must be owner of model school");
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
        let error = session.fails(&format!("INSERT INTO school.pass_marks VALUES {values}"));
        assert_eq!(error.code().code(), code, "{values}");
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
    assert_eq!(
        session.table(
            "SELECT status, settings ->> 'cut' FROM school.runs ORDER BY run_id DESC LIMIT 1"
        ),
        ["succeeded|0.5"]
    );
    let students: i64 = session.one("SELECT count(*) FROM school.students");
    assert_eq!(
        session.table(
            "SELECT count(*), count(*) FILTER (WHERE level IS DISTINCT FROM stored_level)
             FROM assess.what_if('school')"
        ),
        [format!("{students}|0")]
    );
}
