//! Totals that came in as questions: a model reports them, and gives them no part in a level.

use pg_assess_it::{Database, Session};

/// Thirty students, and two columns of an export that add up their twelve questions.
fn export(session: &mut Session) {
    session.run(
        "CREATE TABLE plain AS
         SELECT s AS student, 'q' || q AS question, 'quiz' AS quiz,
                ((s * 7 + q * 13 + s * q) % 31 < s)::int::float8 AS score, 1::float8 AS most,
                date '2026-03-02' AS day
         FROM generate_series(1, 30) s, generate_series(1, 12) q;
         CREATE TABLE export AS
         SELECT * FROM plain UNION ALL
         SELECT student, 'Earned Points', quiz, sum(score), 12, day FROM plain
         GROUP BY student, quiz, day UNION ALL
         SELECT student, 'PercentCorrect', quiz, round(100 * avg(score)), 100, day FROM plain
         GROUP BY student, quiz, day",
    );
}

fn model(session: &mut Session, name: &str, source: &str) {
    session.run(&format!(
        "SELECT assess.create_model('{name}', '{source}', 'student', 'question', 'quiz', 'score',
                                    'day', max_score => 'most')"
    ));
}

#[test]
fn a_model_reports_totals_and_gives_them_no_part_in_a_level() {
    let database = Database::new();
    let mut session = database.session();
    export(&mut session);
    model(&mut session, "without", "plain");
    session.notices();
    model(&mut session, "beside", "export");
    let notices = format!("{:?}", session.notices());
    assert!(
        notices.contains("2 questions in this model are the sum or the mean of others"),
        "{notices}"
    );
    assert_eq!(
        session.table(
            "SELECT item, weight FROM beside.question_review WHERE status = 'total' ORDER BY 1"
        ),
        ["Earned Points|0", "PercentCorrect|0"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM without.students a JOIN beside.students b USING (student)
             WHERE abs(a.level - b.level) > 1e-12 OR abs(a.level_se - b.level_se) > 1e-12"
        ),
        ["0"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM without.assessments a JOIN beside.assessments b USING (assessment)
             WHERE a.items <> b.items OR abs(a.alpha - b.alpha) > 1e-12"
        ),
        ["0"]
    );
    let text: String =
        session.one("SELECT explanation FROM assess.explain_question('beside', 'PercentCorrect')");
    for part in [
        "It is the sum or the mean of other questions",
        "Its answers count for nothing in levels.",
    ] {
        assert!(text.contains(part), "{text}");
    }
    // The remedy: a view without them ends the alert.
    session.run("DELETE FROM export WHERE question IN ('Earned Points', 'PercentCorrect')");
    session.run("CALL assess.refresh('beside')");
    assert_eq!(
        session.table(
            "SELECT count(*), count(ended) FROM beside.alerts WHERE rule = 'total_questions'"
        ),
        ["1|1"]
    );
}

#[test]
fn a_model_asks_about_rows_that_sum_up_its_students() {
    let database = Database::new();
    let mut session = database.session();
    export(&mut session);
    session.run(
        "CREATE TABLE sheet AS
         SELECT student::text, question, quiz, score, most, day FROM plain UNION ALL
         SELECT 'row 1', question, quiz, round(avg(score)::numeric, 2)::float8, most, day FROM plain
         GROUP BY question, quiz, most, day UNION ALL
         SELECT 'Points Possible', question, quiz, most, most, day FROM plain
         GROUP BY question, quiz, most, day",
    );
    session.notices();
    model(&mut session, "sheets", "sheet");
    let notices = format!("{:?}", session.notices());
    assert!(
        notices.contains("2 students in this model look like rows that sum up the others"),
        "{notices}"
    );
    assert!(!notices.contains("row 1") && !notices.contains("Points Possible"));
    assert_eq!(
        session.table(
            "SELECT v.student, v.kind, v.kind_rank, v.questions = v.matching
             FROM sheets.gradebook g, assess.summary_rows(g.gradebook) v ORDER BY v.kind"
        ),
        ["Points Possible|maximum|1|t", "row 1|mean|2|t"]
    );
    // Nobody is removed, and the remedy ends the alert.
    assert_eq!(
        session.table("SELECT count(*) FROM sheets.students"),
        ["32"]
    );
    session.run("DELETE FROM sheet WHERE student IN ('row 1', 'Points Possible')");
    session.run("CALL assess.refresh('sheets')");
    assert_eq!(
        session
            .table("SELECT count(*), count(ended) FROM sheets.alerts WHERE rule = 'summary_rows'"),
        ["1|1"]
    );
}

#[test]
fn questions_of_two_forms_under_one_id_are_listed() {
    let database = Database::new();
    let mut session = database.session();
    // Form B has another key for questions 1 and 2; the answer to question 5 was marked wrongly once.
    session.run(
        "CREATE TABLE answers AS
         SELECT s, q, form, chosen, (chosen = key AND NOT (q = 5 AND s = 40))::int AS score, day
         FROM generate_series(1, 40) s, generate_series(1, 6) q, (SELECT date '2026-03-02') d(day),
              LATERAL (SELECT CASE WHEN s % 2 = 0 THEN 'A' ELSE 'B' END) f(form),
              LATERAL (SELECT CASE WHEN form = 'A' OR q > 2 THEN 'C' ELSE 'D' END) k(key),
              LATERAL (SELECT CASE WHEN (s * 7 + q * 13 + s * q) % 41 < s THEN key
                                   WHEN key = 'C' THEN 'D' ELSE 'C' END) c(chosen);
         CREATE VIEW apart AS SELECT *, form || q AS item FROM answers",
    );
    for (name, source, item) in [("merged", "answers", "q"), ("kept", "apart", "item")] {
        session.run(&format!(
            "SELECT assess.create_model('{name}', '{source}', 's', '{item}', 'day', 'score', 'day',
                                        answer => 'chosen')"
        ));
    }
    // The slow and obvious way: every pair of students who gave the same answer.
    let slow = session.table(
        "SELECT DISTINCT a.q FROM answers a JOIN answers b USING (q, chosen)
         WHERE a.score = 1 AND b.score = 0 AND a.form <> b.form AND q < 3 ORDER BY 1",
    );
    assert_eq!(slow, ["1", "2"]);
    let found = "SELECT item FROM assess.mixed_questions('merged') ORDER BY 1";
    assert_eq!(session.table(found), slow);
    assert_eq!(
        session.table("SELECT item FROM assess.mixed_questions('kept')"),
        Vec::<String>::new()
    );
    assert_eq!(
        session.table("SELECT item FROM assess.mixed_questions('merged', 'nowhere')"),
        Vec::<String>::new()
    );
}
