//! What a mistake of a user's is answered with: what is wrong, what to do, and no page of SQL that is
//! not theirs.

use pg_assess_it::{Database, Session};

fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT s AS student, i AS item, a AS quiz, (s * 7 + i * 3 + a * 5) % 10 < 3 + s % 6 AS ok,
                date '2026-03-01' + 20 * a AS day, 'in'::text AS state
         FROM generate_series(1, 20) s, generate_series(1, 8) i, generate_series(1, 4) a;
         SELECT assess.create_model('m', 'r', 'student', 'item', 'quiz', 'ok', 'day')",
    );
    (database, session)
}

#[test]
fn settings_out_of_their_range_are_refused_with_advice_and_without_pages() {
    let (_database, mut session) = with_model();
    let settings = "SELECT c::text FROM m.settings c";
    let before = session.table(settings);
    for (option, value, code, in_lists) in [
        ("half_life", "\"soon\"", "22007", true),
        ("half_life", "\"-1 days\"", "22023", true),
        ("half_life", "null", "22004", true),
        ("confidence", "2", "22023", true),
        ("min_answers", "\"many\"", "22P02", true),
        ("attempts", "\"all\"", "22023", true),
        ("exclude", "\"x\"", "22P02", true),
        ("keep_runs", "0", "23514", false),
        ("keep_runs", "null", "23502", false),
        ("as_of", "\"infinity\"", "23514", false),
        ("pass_mark", "1.5", "23514", false),
    ] {
        let json = format!("'{{\"{option}\": {value}}}'");
        let text = match value {
            "null" => "NULL".to_owned(),
            other => format!("'{}'", other.trim_matches('"')),
        };
        let mut calls = vec![
            format!("SELECT assess.set_option('m', '{option}', {text})"),
            format!(
                "SELECT assess.create_model('n', 'r', 'student', 'item', 'quiz', 'ok', 'day',
                                            settings => {json})"
            ),
        ];
        if in_lists {
            calls.extend(
                ["what_if", "what_if_questions", "what_if_assessments"].map(|function| {
                    format!("SELECT * FROM assess.{function}('m', settings => {json})")
                }),
            );
        }
        for call in calls {
            let error = session.refuses(&call, code);
            let context = error.where_().unwrap_or_default();
            assert!(context.lines().count() <= 5, "{call}\n{context}");
            assert!(!context.contains("FROM m."), "{call}\n{context}");
        }
    }
    assert_eq!(session.table(settings), before);
    assert_eq!(session.table("SELECT to_regnamespace('n')"), ["-"]);
    // Lists in both of their forms.
    for list in ["[\"1\", \"2\"]", "\"{1,2}\""] {
        session.run(&format!(
            "SELECT assess.create_model('n', 'r', 'student', 'item', 'quiz', 'ok', 'day',
                                        settings => '{{\"exclude\": {list}}}')"
        ));
        assert_eq!(session.table("SELECT exclude FROM n.settings"), ["{1,2}"]);
        session.run("SELECT assess.drop_model('n')");
    }
}

#[test]
fn names_and_arguments_that_cannot_be_are_refused_in_our_words() {
    let (_database, mut session) = with_model();
    let columns = "'student', 'item', 'quiz', 'ok', 'day'";
    session.run("CREATE TABLE nobody AS SELECT * FROM r LIMIT 0; CREATE TEMP TABLE passing AS SELECT * FROM r");
    for (call, code) in [
        (format!("assess.create_model('', 'r', {columns})"), "42939"),
        (
            format!("assess.create_model('pg_m', 'r', {columns})"),
            "42939",
        ),
        (
            format!("assess.create_model(NULL, 'r', {columns})"),
            "22004",
        ),
        (
            format!("assess.create_model('n', NULL, {columns})"),
            "22004",
        ),
        (format!("assess.create_model('m', 'r', {columns})"), "42P06"),
        (
            format!("assess.create_model('n', 'nobody', {columns})"),
            "P0002",
        ),
        (
            format!("assess.create_model('n', 'passing', {columns})"),
            "42809",
        ),
        (
            format!("assess.create_model('n', 'r', {columns}, status => 'state')"),
            "22023",
        ),
        (
            format!("assess.create_model('n', 'r', {columns}, settings => '[]')"),
            "22023",
        ),
        (
            "assess.create_model('n', 'r', 'student', NULL, 'quiz', 'ok', 'day')".to_owned(),
            "22004",
        ),
        ("assess.set_option(NULL, 'cut', '1')".to_owned(), "22004"),
        ("assess.set_option('m', NULL, '1')".to_owned(), "22004"),
        ("assess.set_option('m', 'cat', '1')".to_owned(), "42P02"),
        ("assess.drop_model('none')".to_owned(), "42704"),
        ("assess.sample_network(NULL)".to_owned(), "22004"),
        ("assess.sample_network('m')".to_owned(), "42P06"),
        (
            "assess.students(gradebook, cut_share => NULL) FROM m.gradebook".to_owned(),
            "22004",
        ),
    ] {
        session.refuses(&format!("SELECT {call}"), code);
    }
    session.run("DELETE FROM m.history");
    let error = session.refuses("SELECT * FROM assess.compare_runs('m', 1, 1)", "P0002");
    assert_eq!(
        error.hint(),
        Some("It has no history yet: CALL assess.refresh('m') makes some.")
    );
}

/// Postgres would take 30 for half a minute, and find everybody's evidence stale.
#[test]
fn a_span_of_time_without_a_unit_is_refused() {
    let (_database, mut session) = with_model();
    for span in ["30", " 30 ", "-1.5"] {
        for statement in [
            format!("SELECT assess.set_option('m', 'half_life', '{span}')"),
            format!(
                "SELECT * FROM assess.what_if('m', settings => '{{\"trend_window\": \"{span}\"}}')"
            ),
        ] {
            let error = session.refuses(&statement, "22023");
            assert!(error.message().ends_with(" has no unit"), "{error}");
            assert_eq!(error.hint(), Some("Give a value such as 30 days."));
        }
    }
    session.refuses(
        "SELECT * FROM assess.what_if('m', settings => '{\"half_life\": 30}')",
        "22023",
    );
    for span in ["30 days", "P30D", "720:00", "1 month"] {
        session.run(&format!(
            "SELECT assess.set_option('m', 'half_life', '{span}')"
        ));
    }
}

/// What is missing to read is named, and how to give it, without a page of our SQL around it.
#[test]
fn who_may_not_read_learns_which_grant_is_missing() {
    let (database, mut session) = with_model();
    let role = format!("reader_of_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA m TO {role};
         GRANT SELECT ON m.students, m.questions, m.assessments, r TO {role}"
    ));
    let mut reader = database.session_as(&role);
    for call in [
        "student_answers('m', 1)",
        "student_assessments('m', 1)",
        "explain_student('m', 1)",
        "explain_question('m', 1)",
        "question_curve('m', 1)",
        "question_choices('m', 1)",
        "question_uses('m', 1)",
        "question_disagreements('m', 1)",
        "compare_runs('m', 1, 1)",
        "what_if('m')",
        "what_if_questions('m')",
        "what_if_assessments('m')",
        "half_life_report('m')",
        "school_map_svg('m')",
        "school_map_vega('m')",
        "item_curve_svg('m', 1)",
        "item_curve_vega('m', 1)",
        "student_history_svg('m', 1)",
        "student_history_vega('m', 1)",
        "score_sheet_svg('m', 1)",
    ] {
        let error = reader.refuses(&format!("SELECT * FROM assess.{call}"), "42501");
        assert_eq!(error.message(), "permission denied for model m", "{call}");
        let hint = error.hint().expect("advice");
        assert!(
            hint.starts_with("Its owner can GRANT SELECT ON m."),
            "{call}: {hint}"
        );
        let context = error.where_().unwrap_or_default();
        assert!(
            !context.contains("SQL statement \"WITH"),
            "{call}: {context}"
        );
        assert!(context.lines().count() < 6, "{call}: {context}");
        let grant = hint.split_once("can ").expect("a statement").1;
        session.run(grant.trim_end_matches('.'));
        reader.run(&format!("SELECT FROM assess.{call}"));
        session.run(&format!(
            "REVOKE SELECT ON ALL TABLES IN SCHEMA m FROM {role};
             GRANT SELECT ON m.students, m.questions, m.assessments, r TO {role}"
        ));
    }
    drop(reader);
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// What hangs on a model is named, and what to do is something that can be done.
#[test]
fn a_model_that_others_build_on_is_not_dropped() {
    let (_database, mut session) = with_model();
    session.run("CREATE VIEW over AS SELECT * FROM m.students");
    let error = session.refuses("SELECT assess.drop_model('m')", "2BP01");
    assert!(
        error
            .detail()
            .is_some_and(|detail| detail.contains("over depends on")),
        "{error}"
    );
    assert_eq!(
        error.hint(),
        Some("Drop that first: drop_model drops the model alone.")
    );
    session.run("DROP VIEW over; CREATE TABLE m.mine ()");
    session.refuses("SELECT assess.drop_model('m')", "2BP01");
    session.run("DROP TABLE m.mine; SELECT assess.drop_model('m')");
}

#[test]
fn a_failed_refresh_says_what_to_do_with_operators_of_postgres() {
    let (_database, mut session) = with_model();
    session.run(
        "ALTER TABLE m.history ADD CHECK (run_id <> 2);
         CREATE SCHEMA q;
         CREATE FUNCTION q.eq(text, text) RETURNS boolean LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
         CREATE OPERATOR q.= (FUNCTION = q.eq, LEFTARG = text, RIGHTARG = text);
         SET search_path = q, pg_catalog, public",
    );
    let error = session.refuses("CALL assess.refresh('m')", "23514");
    // Not the row, which Postgres shows: it names a student.
    assert_eq!(error.detail(), Some("The results are those of before."));
}
