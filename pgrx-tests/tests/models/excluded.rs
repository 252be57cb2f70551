//! Questions that somebody said do not count.

use pg_assess_it::{Database, Session};

/// Forty students and ten questions in each of six tests, of which question 3 has a wrong key; and
/// its gradebooks, with question 3 and 7 and without.
fn answers(session: &mut Session) {
    session.run(
        "CREATE TABLE a AS
         SELECT s AS student, q AS question, t AS test,
                CASE WHEN q = 3 THEN 1 - is_right ELSE is_right END AS score,
                date '2026-01-01' + 14 * t AS day
         FROM generate_series(1, 40) s, generate_series(1, 10) q, generate_series(1, 6) t,
              LATERAL (SELECT ((s * 31 + q * 17 + t * 29) % 60 < 10 + s)::int AS is_right) r;
         CREATE TABLE g AS
         SELECT gb, assess.without(gb, '{3,7}') AS less
         FROM (SELECT assess.gradebook_agg(student, question, test, score, day) AS gb FROM a) b",
    );
    session.notices();
}

/// What a refresh of a model gives, but for which run it was.
fn results(session: &mut Session, model: &str, relation: &str) -> Vec<String> {
    session.table(&format!(
        "SELECT to_jsonb(r) - '{{run_id}}'::text[] FROM {model}.{relation} r ORDER BY to_jsonb(r)::text"
    ))
}

#[test]
fn what_is_excluded_is_as_if_it_were_not_there() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    for function in [
        "students({})",
        "assessments({})",
        "explain({}, '17')",
        "counted_responses({})",
        "missing_work({})",
        "calibrate({})",
        "item_drift({})",
        "half_life_advice({})",
        "backtest({}, resamples => 20)",
    ] {
        let call = |gradebook: &str, more: &str| {
            let call = function.replace("{}", gradebook);
            let call = format!("{}{more})", call.trim_end_matches(')'));
            format!("SELECT f::text FROM g, assess.{call} f ORDER BY 1")
        };
        let expected = session.table(&call("less", ""));
        let excluded = ", exclude_items => '{3,7,unknown}'";
        let found = session.table(&call("gb", excluded));
        let listed = |row: &String| !row.starts_with("(3,") && !row.starts_with("(7,");
        let found: Vec<String> = match function {
            "calibrate({})" | "item_drift({})" => found.into_iter().filter(listed).collect(),
            _ => found,
        };
        assert_eq!(found, expected, "{function}");
        assert!(
            function.starts_with("missing") || !expected.is_empty(),
            "{function}"
        );
        // Of nothing, nothing changes.
        assert_eq!(
            session.table(&call("gb", ", exclude_items => '{}'")),
            session.table(&call("gb", ", exclude_items => NULL")),
            "{function}"
        );
    }
    let items =
        "SELECT f::text FROM g, assess.items(GB) f WHERE f.item NOT IN ('3', '7') ORDER BY 1";
    assert_eq!(
        session.table(&items.replace("GB", "gb, exclude_items => '{3,7}'")),
        session.table(&items.replace("GB", "less"))
    );
    assert_eq!(
        session.table(
            "SELECT item, n, weight, facility, status, status_rank = max(status_rank) OVER ()
             FROM g, assess.items(gb, exclude_items => '{3,7}') WHERE item IN ('1', '3', '7') ORDER BY item"
        )[1..],
        ["3|0|0|-|excluded|t", "7|0|0|-|excluded|t"]
    );
    assert_eq!(
        session.table(
            "SELECT reason, rows FROM g, assess.coverage(gb, exclude_items => '{3,7}') WHERE rows > 0"
        ),
        ["used|1920", "excluded|480"]
    );
    assert_eq!(
        session.table("SELECT c.* FROM g, assess.coverage_by_item(gb, exclude_items => '{3,7}') c"),
        ["3|excluded|240", "7|excluded|240"]
    );
}

/// Whoever took it took the assessment; and whoever need not, need not.
#[test]
fn due_work_stays_that_of_all_questions() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE b AS
         SELECT s AS student, q AS question, t AS test,
                CASE WHEN NOT (s = 4 AND t = 2) THEN ((s + q + t) % 2)::float8 END AS score,
                CASE WHEN s = 1 AND t = 2 THEN 'exempt' WHEN s = 2 AND t = 2 THEN 'not_taken'
                     ELSE 'counts' END AS standing,
                date '2026-01-01' + t AS day
         FROM generate_series(1, 20) s, generate_series(1, 3) q, generate_series(1, 3) t
         WHERE NOT (s = 3 AND t = 2 AND q < 3);
         CREATE TABLE g AS
         SELECT assess.gradebook_agg(student, question, test, score, 0, 1, day, standing, NULL, NULL) AS gb FROM b",
    );
    let due = "SELECT s.student, s.due, s.missing, s.waiting FROM g, assess.students(gb MORE) s
               WHERE s.student::int <= 5 ORDER BY s.student";
    assert_eq!(
        session.table(&due.replace("MORE", "")),
        ["1|2|0|0", "2|3|1|0", "3|3|0|0", "4|3|0|3", "5|3|0|0"]
    );
    // Student 3 answered question 3 alone in the second test.
    assert_eq!(
        session.table(&due.replace("MORE", ", exclude_items => '{3}'")),
        ["1|2|0|0", "2|3|1|0", "3|3|0|0", "4|3|0|2", "5|3|0|0"]
    );
    assert_eq!(
        session.table("SELECT sum(rows) FROM g, assess.coverage(gb, exclude_items => '{3}')"),
        session.table("SELECT count(*) FROM b")
    );
    // All that there is.
    assert_eq!(
        session.table(
            "SELECT count(*), count(level), max(missing) FROM g, assess.students(gb, exclude_items => '{1,2,3}')"
        ),
        ["20|0|1"]
    );
}

#[test]
fn a_model_leaves_out_what_its_setting_names_until_it_does_not() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    let model = |name: &str, source: &str| {
        format!(
            "SELECT assess.create_model('{name}', '{source}', 'student', 'question', 'test', 'score', 'day',
                 settings => '{{\"as_of\": \"2026-04-10\"}}')"
        )
    };
    session.run("CREATE VIEW v AS SELECT * FROM a WHERE question NOT IN (3, 7)");
    session.run(&model("m", "a"));
    session.run(&model("less", "v"));
    let flawed = "SELECT item, status FROM m.question_review WHERE item = 3";
    assert_eq!(session.table(flawed), ["3|flawed"]);
    let before = results(&mut session, "m", "students");
    let what_if = session.table(
        "SELECT student, level FROM assess.what_if('m', settings => '{\"exclude_items\": [\"3\", \"7\"]}') ORDER BY 1",
    );
    session.run("SELECT assess.set_option('m', 'exclude_items', '{3,7}')");
    // From the next refresh on.
    assert_eq!(results(&mut session, "m", "students"), before);
    session.run("CALL assess.refresh('m')");
    for relation in ["students", "assessments", "help_list", "check_in_list"] {
        assert_eq!(
            results(&mut session, "m", relation),
            results(&mut session, "less", relation),
            "{relation}"
        );
    }
    assert_eq!(
        session.table("SELECT student, level FROM m.students ORDER BY student::text"),
        what_if
    );
    assert_eq!(session.table(flawed), [""; 0]);
    assert_eq!(
        session.table(
            "SELECT item, n, status FROM m.questions WHERE status = 'excluded' ORDER BY item"
        ),
        ["3|0|excluded", "7|0|excluded"]
    );
    assert_eq!(
        session.table("SELECT reason, rows FROM m.coverage WHERE rows > 0 ORDER BY rows DESC"),
        ["used|1920", "excluded|480"]
    );
    // It is no news, and no alert, that levels moved.
    assert_eq!(
        session.table("SELECT rule FROM m.alerts WHERE rule IN ('level_moved', 'rows_left_out', 'question_left_out')"),
        [""; 0]
    );
    let text: String = session.one("SELECT explanation FROM assess.explain_question('m', 3)");
    assert_eq!(
        text,
        "Question 3 has no answer that counts. It does not count, as the setting exclude_items says."
    );
    // The level of a student is explained by what counts, and its change by the setting.
    assert_eq!(
        session
            .table("SELECT count(*) FROM assess.student_answers('m', 17) WHERE item IN ('3', '7')"),
        ["0"]
    );
    let changed: i64 = session.one(
        "SELECT count(*) FROM assess.compare_runs('m', 1, 2)
         WHERE abs(change) > 1e-6 AND abs(by_settings - change) < 1e-9",
    );
    assert!(changed > 20, "{changed}");
    session.run("SELECT assess.attach('m')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        results(&mut session, "m", "students"),
        results(&mut session, "less", "students")
    );
    let restored = database.restored("--format=plain");
    let mut other = restored.session();
    other.run("CALL assess.refresh('m')");
    assert_eq!(
        other.table("SELECT item FROM m.questions WHERE status = 'excluded' ORDER BY item"),
        ["3", "7"]
    );
    session.run("SELECT assess.set_option('m', 'exclude_items', '{}')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(results(&mut session, "m", "students"), before);
}

#[test]
fn what_is_not_there_to_be_left_out_is_reported() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    let make = |name: &str, settings: &str| {
        format!(
            "SELECT assess.create_model('{name}', 'a', 'student', 'question', 'test', 'score', 'day',
                 subject => 'test', settings => '{settings}')"
        )
    };
    // Of one subject's rows only, and NULL, which is no id.
    session.run("UPDATE a SET question = 11 WHERE question = 1 AND test = 1");
    session.run(&make(
        "right",
        r#"{"exclude": ["2", null], "exclude_items": ["3", "11"]}"#,
    ));
    assert_eq!(session.notices().len(), 0);
    session.run(&make(
        "wrong",
        r#"{"exclude": ["Test 2"], "exclude_items": ["3", "o3"]}"#,
    ));
    let both = "No row is of assessment \"Test 2\", question o3, which the settings leave out: see how the \
                source writes them.";
    let said = session.notices();
    assert!(said[0].message().contains(both), "{said:?}");
    let alert = "SELECT subject, value, message FROM wrong.alerts
                 WHERE rule = 'unknown_exclusions' AND ended IS NULL";
    assert_eq!(session.table(alert), [format!("-|2|{both}")]);
    session.run(
        "SELECT assess.set_option('wrong', 'exclude', '{}');
         SELECT assess.set_option('wrong', 'exclude_items', '{3}')",
    );
    session.run("CALL assess.refresh('wrong')");
    assert_eq!(session.table(alert), [""; 0]);
    session.run("SELECT assess.set_option('wrong', 'exclude_items', '{z1,z2,z3,z4,z5}')");
    session.run("CALL assess.refresh('wrong')");
    let some = "No row is of question z1, question z2, question z3 and 2 more, which the settings leave out: \
                see how the source writes them.";
    assert_eq!(session.table(alert), [format!("-|5|{some}")]);
}
