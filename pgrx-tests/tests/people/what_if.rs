//! What a gradebook holds, as rows; and what a model would say otherwise.

use pg_assess_it::{Database, RESPONSES, Session, gradebook_of};

#[test]
fn a_gradebook_gives_its_rows_back() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!("CREATE TABLE g AS {}", gradebook_of("responses")));
    // What is there is what went in: the same answer twice is there as often as it came.
    assert_eq!(
        session.table(
            "(SELECT student, item, assessment, taken_at::date, score, max_score
              FROM g, assess.responses(gb)
              EXCEPT ALL
              SELECT student, item::text, assessment, taken_on, score, max_score FROM responses)
             UNION ALL
             (SELECT student, item::text, assessment, taken_on, score, max_score FROM responses
              EXCEPT ALL
              SELECT student, item, assessment, taken_at::date, score, max_score
              FROM g, assess.responses(gb))"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT student, n, first_at::date, last_at::date FROM g, assess.members(gb)
             EXCEPT
             SELECT student, count(score), min(taken_on), max(taken_on)
             FROM responses GROUP BY student"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT student, n, first_at::date, last_at::date
             FROM g, assess.members(gb, as_of => '2026-02-01') WHERE n > 0
             EXCEPT
             SELECT student, count(score), min(taken_on), max(taken_on)
             FROM responses WHERE taken_on <= '2026-02-01' GROUP BY student"
        ),
        [""; 0]
    );
    for function in ["responses", "members"] {
        let rows: i64 = session.one(&format!("SELECT count(*) FROM assess.{function}(NULL)"));
        assert_eq!(rows, 0);
    }
}

#[test]
fn of_several_attempts_one_counts() {
    let database = Database::new();
    let mut session = database.session();
    // Few students and questions, many times on few days, with and without a maximum.
    session.run(
        "CREATE TABLE again AS
         SELECT i % 7 AS student, i % 5 AS item, i % 3 AS assessment,
                ('{0,1,2,4}'::float8[])[1 + i * i % 11 % 4] AS score,
                CASE WHEN i % 5 = 0 THEN float8 'Infinity' ELSE 4 END AS max_score,
                date '2026-03-01' + i * i % 13 AS taken_on
         FROM generate_series(1, 600) i;
         CREATE TABLE g AS SELECT assess.gradebook_agg(student, item, assessment, score, max_score,
                                                       taken_on) AS gb FROM again",
    );
    for (attempts, order) in [
        ("first", "taken_on, score DESC"),
        ("last", "taken_on DESC, score DESC"),
        ("best", "score DESC, taken_on"),
    ] {
        for (as_of, exclude) in [
            ("infinity", "{}"),
            ("2026-03-05", "{}"),
            ("infinity", "{1,9}"),
        ] {
            let given = match as_of {
                "infinity" => String::new(),
                at => format!("as_of => '{at}', "),
            };
            let counted = format!(
                "SELECT student, item, assessment, taken_at::date, score, bounded
                 FROM g, assess.counted_responses(gb, {given}attempts => '{attempts}',
                                                  exclude => '{exclude}')"
            );
            let expected = format!(
                "SELECT student::text, item::text, assessment::text, taken_on,
                        CASE WHEN item = 0 THEN score ELSE score / 4 END, item <> 0
                 FROM (SELECT DISTINCT ON (student, item, assessment) * FROM again
                       WHERE taken_on <= '{as_of}' AND assessment <> ALL ('{exclude}')
                       ORDER BY student, item, assessment, {order}) a"
            );
            let rows: i64 = session.one(&format!("SELECT count(*) FROM ({counted}) c"));
            assert!(rows > 60, "{attempts}: {rows}");
            assert_eq!(
                session.table(&format!(
                    "({counted} EXCEPT ALL {expected}) UNION ALL ({expected} EXCEPT ALL {counted})"
                )),
                [""; 0],
                "{attempts}, {as_of}, {exclude}"
            );
        }
    }
    let rows: i64 = session.one("SELECT count(*) FROM assess.counted_responses(NULL)");
    assert_eq!(rows, 0);
    let error = session.fails("SELECT assess.counted_responses(gb, attempts => 'worst') FROM g");
    assert_eq!(error.code().code(), "22023", "{error}");
}

#[test]
fn a_gradebook_without_questions_is_one_that_never_had_them() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run("DELETE FROM responses WHERE score IS NULL OR score > max_score");
    let all = gradebook_of("responses");
    let fewer = gradebook_of("(SELECT * FROM responses WHERE item NOT IN (101, 505)) r");
    assert_eq!(
        session.table(&format!(
            "SELECT assess.gradebook_send(assess.without(a.gb, '{{101, 505, unknown, NULL}}'))
                    = assess.gradebook_send(f.gb),
                    assess.gradebook_send(assess.without(a.gb, '{{}}')) = assess.gradebook_send(a.gb),
                    assess.without(a.gb, NULL) IS NULL
             FROM ({all}) a, ({fewer}) f"
        )),
        ["t|t|t"]
    );
}

fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "SELECT * FROM assess.sample_network(students_per_school => 20, weeks => 12);
         SELECT assess.create_model('m', 'sample_network.responses', 'student_id', 'question_id',
             'assessment_id', 'points', 'taken_on', max_score => 'max_points', subject => 'subject')",
    );
    session.run("SELECT assess.set_option('m', 'as_of', '2025-12-20')");
    session.run("CALL assess.refresh('m')");
    (database, session)
}

#[test]
fn what_if_nothing_changes() {
    let (_database, mut session) = with_model();
    assert_eq!(
        session.table(
            "SELECT count(*) > 100, count(*) FILTER (WHERE level IS DISTINCT FROM stored_level
                 OR need IS DISTINCT FROM stored_need OR need_rank IS DISTINCT FROM stored_need_rank
                 OR on_help_list <> stored_on_help_list OR change <> 0)
             FROM assess.what_if('m')"
        ),
        ["t|0"]
    );
    assert_eq!(
        session.table(
            "(SELECT subject, student FROM assess.what_if('m') WHERE on_help_list)
             EXCEPT (SELECT subject, student::text FROM m.help_list)"
        ),
        [""; 0]
    );
}

#[test]
fn what_if_is_what_a_refresh_would_give() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE TABLE found AS
         SELECT * FROM assess.what_if('m', as_of => '2025-11-15', settings => '{\"half_life\": \"20 days\",
             \"cut\": 0.5, \"shrink\": false}')",
    );
    let stored = "SELECT count(*) FROM m.students";
    let before = session.table(stored);
    for (option, value) in [
        ("as_of", "2025-11-15"),
        ("half_life", "20 days"),
        ("cut", "0.5"),
        ("shrink", "false"),
    ] {
        session.run(&format!(
            "SELECT assess.set_option('m', '{option}', '{value}')"
        ));
    }
    assert_eq!(before, session.table(stored));
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(
            "SELECT subject, student, level, need, need_rank, trend, status FROM found
             EXCEPT SELECT subject, student::text, level, need, need_rank, trend, status FROM m.students"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM found"),
        session.table(stored)
    );
}

#[test]
fn what_if_a_question_had_not_been_asked() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE TABLE found AS
         SELECT * FROM assess.what_if('m', without => ARRAY(SELECT item::text FROM m.question_review))",
    );
    let moved: i64 = session.one("SELECT count(*) FROM found WHERE change <> 0");
    assert!(moved > 0);
    session.run(
        "DELETE FROM sample_network.responses
         WHERE question_id IN (SELECT item FROM m.question_review)",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(
            "SELECT subject, student, level, need FROM found
             EXCEPT SELECT subject, student::text, level, need FROM m.students"
        ),
        [""; 0]
    );
}

#[test]
fn what_if_shows_of_questions_and_assessments_what_a_refresh_would() {
    let (_database, mut session) = with_model();
    let left_out = "ARRAY(SELECT item::text FROM m.question_review)";
    session.run(&format!(
        "CREATE TABLE same_questions AS SELECT * FROM assess.what_if_questions('m');
         CREATE TABLE same_assessments AS SELECT * FROM assess.what_if_assessments('m');
         CREATE TABLE questions AS
         SELECT * FROM assess.what_if_questions('m', '2025-11-15', '{{\"shrink\": false}}', {left_out});
         CREATE TABLE assessments AS
         SELECT * FROM assess.what_if_assessments('m', '2025-11-15', NULL, {left_out});
         CREATE TABLE stored_questions AS TABLE m.questions;
         CREATE TABLE stored_assessments AS TABLE m.assessments"
    ));
    // Nothing else, nothing changes.
    assert_eq!(
        session.table(
            "SELECT (SELECT count(*) FROM m.questions) - (SELECT count(*) FROM same_questions),
                    (SELECT count(*) FROM m.assessments) - (SELECT count(*) FROM same_assessments),
                    (SELECT count(*) FROM same_questions
                     WHERE discrimination IS DISTINCT FROM stored_discrimination
                     OR weight IS DISTINCT FROM stored_weight OR n <> stored_n
                     OR status <> stored_status OR is_reviewed <> stored_is_reviewed OR change <> 0),
                    (SELECT count(*) FROM same_assessments
                     WHERE alpha IS DISTINCT FROM stored_alpha OR items <> stored_items OR change <> 0)"
        ),
        ["0|0|0|0"]
    );
    assert_eq!(
        session.table(
            "(SELECT subject, item FROM same_questions WHERE is_reviewed)
             EXCEPT (SELECT subject, item::text FROM m.question_review)"
        ),
        [""; 0]
    );
    session.run(
        "DELETE FROM sample_network.responses
         WHERE question_id IN (SELECT item FROM m.question_review)",
    );
    for (option, value) in [("as_of", "2025-11-15"), ("shrink", "false")] {
        session.run(&format!(
            "SELECT assess.set_option('m', '{option}', '{value}')"
        ));
    }
    session.run("CALL assess.refresh('m')");
    for (found, stored, columns, id) in [
        (
            "questions",
            "m.questions",
            "n, facility, r_rest, discrimination, discrimination_se, ci_low, ci_high, weight, label,
             status",
            "item",
        ),
        (
            "assessments",
            "m.assessments",
            "items, students, mean, sd, alpha, alpha_se, sem, alpha_status",
            "assessment",
        ),
    ] {
        let found = format!("SELECT subject, {id}, {columns} FROM {found}");
        let stored = format!("SELECT subject, {id}::text, {columns} FROM {stored}");
        let rows: i64 = session.one(&format!("SELECT count(*) FROM ({found}) t"));
        assert!(rows > 10, "{rows}");
        assert_eq!(
            session.table(&format!(
                "({found} EXCEPT ALL {stored}) UNION ALL ({stored} EXCEPT ALL {found})"
            )),
            [""; 0]
        );
    }
    // Beside it is what was stored.
    assert_eq!(
        session.table(
            "SELECT count(*) > 50, count(*) FILTER (WHERE t.change IS DISTINCT FROM
                    t.discrimination - s.discrimination OR t.stored_status <> s.status)
             FROM questions t JOIN stored_questions s ON s.subject = t.subject AND s.item::text = t.item"
        ),
        ["t|0"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FILTER (WHERE t.items < s.items) > 0,
                    count(*) FILTER (WHERE t.stored_items <> s.items
                                     OR t.change IS DISTINCT FROM t.alpha - s.alpha)
             FROM assessments t JOIN stored_assessments s
                  ON s.subject = t.subject AND s.assessment::text = t.assessment"
        ),
        ["t|0"]
    );
}

#[test]
fn what_does_not_exist_is_refused() {
    let (_database, mut session) = with_model();
    for (call, code) in [
        (
            "assess.what_if('m', settings => '{\"half_live\": 1}')",
            "42P02",
        ),
        ("assess.what_if('m', settings => '[]')", "22023"),
        (
            "assess.what_if('m', settings => '{\"half_life\": \"-1 day\"}')",
            "22023",
        ),
        ("assess.what_if('n')", "42704"),
        ("assess.what_if_questions('n')", "42704"),
        ("assess.what_if_assessments(NULL)", "22004"),
        (
            "assess.what_if_questions('m', settings => '{\"cutt\": 1}')",
            "42P02",
        ),
        ("assess.half_life_report('n')", "42704"),
    ] {
        let error = session.fails(&format!("SELECT * FROM {call}"));
        assert_eq!(error.code().code(), code, "{call}: {error}");
    }
}

#[test]
fn the_report_on_half_lives_counts_the_help_list() {
    let (_database, mut session) = with_model();
    let rows = session.table(
        "SELECT subject, count(*) > 3, count(*) FILTER (WHERE in_use),
                bool_and(listed = stays + joins),
                bool_and(joins = 0 AND leaves = 0) FILTER (WHERE in_use)
         FROM assess.half_life_report('m') GROUP BY subject ORDER BY subject",
    );
    assert_eq!(rows, ["ELA|t|1|t|t", "Math|t|1|t|t", "Science|t|1|t|t"]);
    assert_eq!(
        session.table(
            "SELECT DISTINCT r.subject, r.listed - (SELECT count(*) FROM m.help_list h WHERE h.subject = r.subject)
             FROM assess.half_life_report('m') r WHERE in_use ORDER BY 1"
        ),
        ["ELA|0", "Math|0", "Science|0"]
    );
}
