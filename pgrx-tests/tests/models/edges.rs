//! Models where something is out of the ordinary: settings of the session, subjects that vanish,
//! scores without a maximum, a log that is short.

use pg_assess_it::{Database, Session};

/// A session with a table `r` of 20 students in two subjects, and a model `m` of it.
fn with_model(more: &str) -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT s AS student, i AS item, date '2026-05-01' + 2 * a AS assessment,
                ((s * 7 + i * 3 + a * 5) % 10 < 3 + s % 6)::int::float8 AS score,
                1::float8 AS maximum, date '2026-05-01' + 2 * a AS taken_on, subject
         FROM generate_series(1, 20) s, generate_series(1, 8) i, generate_series(1, 7) a,
              unnest('{Art,Math}'::text[]) AS subject",
    );
    session.run(&format!(
        "SELECT assess.create_model('m', 'r', 'student', 'item', 'assessment', 'score', 'taken_on',
             max_score => 'maximum', subject => 'subject',
             settings => '{{\"as_of\": \"2026-05-15\"}}'{more})"
    ));
    session.run("UPDATE m.alert_rules SET enabled = false WHERE rule ~ 'questions'");
    session.notices();
    (database, session)
}

#[test]
fn a_schema_of_any_number_can_be_locked() {
    let (_database, mut session) = with_model("");
    let taken = session.table(
        "SELECT assess._try_lock(n::oid) FROM unnest('{1,2147483647,2147483648,4294967295}'::int8[]) n",
    );
    assert_eq!(taken, ["t", "t", "t", "t"]);
}

#[test]
fn a_subject_of_which_nothing_counts_is_reported_when_a_model_is_made() {
    let (_database, mut session) = with_model("");
    session.run(
        "INSERT INTO r SELECT student, item, assessment, score, maximum, taken_on + 100, 'Later'
         FROM r WHERE subject = 'Art'",
    );
    session.run(
        "SELECT assess.create_model('late', 'r', 'student', 'item', 'assessment', 'score',
             'taken_on', max_score => 'maximum', subject => 'subject',
             settings => '{\"as_of\": \"2026-05-15\"}')",
    );
    let reported = session.table("SELECT message FROM late.alerts WHERE rule = 'few_students'");
    assert_eq!(
        reported,
        ["There is evidence of no students in Later, fewer than 10."]
    );
}

#[test]
fn a_subject_that_vanishes_is_missed_until_it_is_back() {
    let (_database, mut session) = with_model("");
    let open = "SELECT rule, subject, value FROM m.alerts WHERE ended IS NULL ORDER BY 1, 2";
    assert_eq!(session.table(open), [""; 0]);
    session.run("CREATE TABLE gone AS SELECT * FROM r; DELETE FROM r WHERE subject = 'Math'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(open), ["few_students|Math|0"]);
    // All of it: whoever empties the source and fails to load it gets a report.
    session.run("DELETE FROM r");
    for _ in 0..2 {
        session.run("CALL assess.refresh('m')");
        assert_eq!(
            session.table(open),
            ["few_students|Art|0", "few_students|Math|0"]
        );
    }
    session.run("INSERT INTO r SELECT * FROM gone WHERE subject = 'Art'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(open), ["few_students|Math|0"]);
    // A subject that is not to come back is no longer missed when its alert is deleted.
    session.run("DELETE FROM m.alerts");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(open), [""; 0]);
}

#[test]
fn the_run_that_made_the_results_stays_in_the_log() {
    let (_database, mut session) = with_model("");
    session.run("SELECT assess.set_option('m', 'keep_runs', '2')");
    session.run("CALL assess.refresh('m')");
    session.run("SELECT assess.set_option('m', 'half_life', '3 days')");
    session.run("ALTER MATERIALIZED VIEW m.coverage RENAME TO moved");
    for _ in 0..4 {
        session.fails("CALL assess.refresh('m')");
    }
    assert_eq!(
        session.table("SELECT run_id, status FROM m.runs ORDER BY 1"),
        ["2|succeeded", "5|failed", "6|failed"]
    );
    // What is shown is still that of the results.
    session.run("ALTER MATERIALIZED VIEW m.moved RENAME TO coverage");
    assert_eq!(
        session.table(
            "SELECT count(*) FROM m.students s, assess.explain_student('m', s.student, s.subject) e
             WHERE abs(e.level - s.level) > 1e-12"
        ),
        ["0"]
    );
}

#[test]
fn scores_without_a_maximum_have_no_mean_of_others() {
    let (_database, mut session) = with_model("");
    session.run("UPDATE r SET maximum = 'Infinity', score = 50 + student WHERE item = 1");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(
            "SELECT item = '1', count(others_mean), count(*)
             FROM assess.student_answers('m', 3) GROUP BY 1 ORDER BY 1"
        ),
        ["f|98|98", "t|0|14"]
    );
}

#[test]
fn a_new_student_without_a_level_is_shown_none() {
    let (_database, mut session) = with_model("");
    session.run("INSERT INTO r VALUES (1, 1, '2026-05-03', NULL, 1, '2026-05-03', 'New')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session
            .table("SELECT explanation FROM assess.compare_runs('m', 1, 2) WHERE reason = 'new'"),
        ["In New, student 1 is new."]
    );
}

#[test]
fn how_long_things_are_kept_is_no_reason_not_to_compare() {
    let (_database, mut session) = with_model("");
    session.run("SELECT assess.set_option('m', 'keep_history', '7')");
    session.run("UPDATE r SET score = 1 WHERE subject = 'Art'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT subject FROM m.alerts WHERE rule = 'level_moved'"),
        ["Art"]
    );
}

/// Runs a statement under a setting of the session, and puts it back.
fn under(session: &mut Session, setting: &str, sql: &str) -> Vec<String> {
    session.run(&format!("SET {setting}"));
    let rows = session.table(sql);
    session.run("RESET ALL");
    rows
}

#[test]
fn a_session_in_another_time_zone_is_shown_the_same() {
    // As of midnight, in one zone: to the west of it the last day would not have come yet.
    let (_database, mut session) = with_model("");
    session.run("SELECT assess.set_option('m', 'half_life', '3 days')");
    session.run("CALL assess.refresh('m')");
    for sql in [
        "SELECT subject, level, n, raised, lowered, need, due, missing, as_of = '2026-05-15 00:00+00',
                explanation
         FROM generate_series(1, 20) s, assess.explain_student('m', s)",
        "SELECT subject, n, strong, weak_right, explanation FROM assess.explain_question('m', 3)",
        "SELECT student, level, n, stored_level FROM assess.what_if('m'), LATERAL (SELECT 1 AS n) n",
        "SELECT half_life, rmse, listed, joins FROM assess.half_life_report('m')",
        "SELECT * FROM assess.compare_runs('m', 1, 2)",
        "SELECT reason, rows FROM m.coverage",
        "SELECT subject, student, item, assessment, score FROM m.score_sheet ORDER BY 1, 2, 3, 4",
        "SELECT assess.student_history_svg('m', '3', 'Art')",
        "SELECT assess.score_sheet_svg('m', '2026-05-15', 'Art')",
    ] {
        let here = session.table(sql);
        assert!(!here.is_empty());
        for zone in ["America/Los_Angeles", "Pacific/Kiritimati"] {
            let there = under(&mut session, &format!("timezone = '{zone}'"), sql);
            assert_eq!(here, there, "{zone}: {sql}");
        }
    }
}

#[test]
fn ids_that_are_times_are_the_same_in_every_session() {
    let (_database, mut session) = with_model(", track_changes => 'triggers', period => 'day'");
    session.run(
        "CREATE TABLE times AS
         SELECT student, item, assessment + time '08:00' AS local,
                (assessment + time '08:00') AT TIME ZONE 'UTC' AS moment, score, taken_on FROM r",
    );
    for column in ["local", "moment"] {
        session.run(&format!(
            "SELECT assess.create_model('{column}', 'times', 'student', 'item', '{column}', 'score',
                 'taken_on', track_changes => 'triggers', period => 'day')"
        ));
    }
    session.run("CREATE TABLE before AS SELECT assessment, items, students FROM m.assessments");
    let changes = "UPDATE r SET score = 1 - score WHERE student = 1 AND assessment > '2026-05-08';
         UPDATE times SET score = 1 - score WHERE student = 1 AND local > '2026-05-08'";
    for settings in [
        "datestyle = 'SQL, DMY'; SET timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
    ] {
        session.run(changes);
        session.run(&format!("SET {settings}"));
        for model in ["m", "local", "moment"] {
            session.run(&format!("CALL assess.refresh('{model}')"));
        }
        assert_eq!(
            session.table(
                "SELECT count(*) FROM (SELECT assessment, items, students FROM m.assessments
                                       EXCEPT SELECT * FROM before) x"
            ),
            ["0"]
        );
        session.run("RESET ALL");
        assert_eq!(
            session.table("SELECT DISTINCT assessment FROM m.score_sheet ORDER BY 1 LIMIT 2"),
            ["2026-05-03", "2026-05-05"]
        );
        for (model, id) in [
            ("local", "2026-05-03 08:00:00"),
            ("moment", "2026-05-03 08:00:00+00"),
        ] {
            assert_eq!(
                session.table(&format!(
                    "SELECT count(*), min(assessment) FROM {model}.assessments"
                )),
                [format!("7|{id}")]
            );
        }
    }
}

#[test]
fn no_time_and_no_number_of_attempt_stops_a_model() {
    let database = Database::new();
    let mut session = database.session();
    let days = [
        "2026-03-01",
        "infinity",
        "-infinity",
        "5874897-12-31",
        "294277-01-01",
        "290001-01-01",
        "4713-11-24 BC",
    ];
    session.run(
        "CREATE TABLE good AS SELECT s AS student, i AS item, 'a' AS quiz, (s + i) % 2 AS score,
                date '2026-03-02' AS day, NULL::numeric AS attempt
         FROM generate_series(1, 20) s, generate_series(1, 5) i;
         INSERT INTO good SELECT s, 6, 'a', 1, '2026-03-02', a
         FROM (VALUES (1, 'NaN'::numeric), (2, '-Infinity'), (3, 'Infinity'), (4, 1e300), (5, -1e300),
                      (6, 0.5), (7, 2)) t(s, a)",
    );
    for day in days {
        session.run(&format!(
            "CREATE TABLE odd AS TABLE good;
             INSERT INTO odd VALUES (99, 1, 'a', 1, '{day}', 2);
             CREATE VIEW plain AS SELECT student, item, quiz, score, day FROM odd"
        ));
        for (model, source, attempt) in [("a", "odd", ", attempt => 'attempt'"), ("p", "plain", "")]
        {
            session.run(&format!(
                "SELECT assess.create_model('{model}', '{source}', 'student', 'item', 'quiz', 'score',
                                            'day'{attempt})"
            ));
            session.run(&format!("CALL assess.refresh('{model}')"));
        }
        // The same becomes of the row with attempts and without.
        let became = |model: &str| {
            format!("SELECT reason, rows FROM {model}.coverage WHERE rows > 0 ORDER BY 1")
        };
        assert_eq!(
            session.table(&became("a")),
            session.table(&became("p")),
            "{day}"
        );
        session
            .run("SELECT assess.drop_model('a'), assess.drop_model('p'); DROP TABLE odd CASCADE");
    }
}

#[test]
fn attempts_of_any_type_come_in_their_order() {
    let database = Database::new();
    let mut session = database.session();
    for (kind, first) in [
        ("smallint", 1),
        ("bigint", 0),
        ("numeric", 1),
        ("float8", 1),
    ] {
        session.run(&format!(
            "CREATE TABLE tried AS
             SELECT s AS student, i AS item, 'a' AS quiz, CASE WHEN a = {first} THEN 0 ELSE 1 END AS score,
                    date '2026-03-02' AS day, a::{kind} AS attempt
             FROM generate_series(1, 9) s, generate_series(1, 4) i,
                  generate_series({first}, {first} + s % 3) a;
             SELECT assess.create_model('m', 'tried', 'student', 'item', 'quiz', 'score', 'day',
                                        attempt => 'attempt')"
        ));
        assert_eq!(
            session.table(
                "SELECT DISTINCT score, taken_at = date_trunc('day', taken_at) FROM m.score_sheet"
            ),
            ["0|t"],
            "{kind}"
        );
        session.run("SELECT assess.set_option('m', 'attempts', 'last')");
        session.run("CALL assess.refresh('m')");
        assert_eq!(
            session.table(
                "SELECT DISTINCT student % 3, score,
                        extract(microseconds FROM taken_at)::int FROM m.score_sheet ORDER BY 1"
            ),
            ["0|0|0", "1|1|0", "2|1|0"],
            "{kind}"
        );
        session.run("SELECT assess.drop_model('m'); DROP TABLE tried");
    }
}

#[test]
fn one_answer_and_far_times_are_explained() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS SELECT s AS student, i AS item, i / 10 AS quiz, (s + i) % 2 AS score,
                date '2026-03-02' + i / 10 AS day
         FROM generate_series(1, 20) s, generate_series(0, 39) i;
         INSERT INTO r VALUES (1, 77, 0, 1, '2026-03-02'), (2, 1, 9, 1, '0044-03-15 BC'),
                              (50, 1, 0, 1, '2026-03-02');
         SELECT assess.create_model('m', 'r', 'student', 'item', 'quiz', 'score', 'day',
                                    settings => '{\"as_of\": \"290000-01-01\"}')",
    );
    assert_eq!(
        session.table("SELECT explanation FROM assess.explain_question('m', 77)"),
        [
            "Question 77 has 1 answer that counts, from 1 assessment, on 2 March 2026. \
             It reaches 100 of 100 possible points. \
             That is too little to say how well it separates strong from weak students. \
             In levels an answer to it counts as much as one to a usual question."
        ]
    );
    // What would take ages has no date.
    assert_eq!(
        session.table(
            "SELECT further_assessments > 0, enough_at IS NULL FROM assess.explain_student('m', 50)"
        ),
        ["t|t"]
    );
}

#[test]
fn a_student_belongs_where_the_latest_response_of_the_time_was_given() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT s AS student, i AS item, d AS quiz, (s + i + d) % 2 AS score,
                date '2026-03-01' + 30 * d AS day,
                CASE WHEN d < 2 THEN 'old' ELSE 'new' END AS school
         FROM generate_series(1, 9) s, generate_series(1, 5) i, generate_series(0, 3) d",
    );
    for tracking in ["none", "triggers"] {
        session.run(&format!(
            "SELECT assess.create_model('m', 'r', 'student', 'item', 'quiz', 'score', 'day',
                student_group => 'school', track_changes => '{tracking}',
                settings => '{{\"as_of\": \"2026-03-31\"}}')"
        ));
        let groups = "SELECT student_group, count(*) FROM m.students GROUP BY 1";
        assert_eq!(session.table(groups), ["old|9"], "{tracking}");
        session.run("SELECT assess.set_option('m', 'as_of', '2026-04-30')");
        session.run("CALL assess.refresh('m')");
        assert_eq!(session.table(groups), ["new|9"], "{tracking}");
        session.run("SELECT assess.drop_model('m')");
    }
}

#[test]
fn numbers_that_no_float_holds_are_left_out() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS SELECT s AS student, i AS item, 'a' AS quiz, ((s + i) % 2)::numeric AS score,
                1::numeric AS most, date '2026-03-02' AS day
         FROM generate_series(1, 20) s, generate_series(1, 5) i;
         INSERT INTO r VALUES (1, 6, 'a', 1e400, 1, '2026-03-02'), (2, 6, 'a', 1e-400, 1, '2026-03-02'),
                              (3, 6, 'a', 1, 1e400, '2026-03-02'), (4, 6, 'a', -1e400, 1, '2026-03-02'),
                              (5, 6, 'a', 'NaN', 1, '2026-03-02'), (6, 6, 'a', 1, 'NaN', '2026-03-02'),
                              (7, 7, 'a', 3, 'Infinity', '2026-03-02'), (8, 6, 'a', NULL, 1, '2026-03-02');
         SELECT assess.create_model('m', 'r', 'student', 'item', 'quiz', 'score', 'day',
                                    max_score => 'most')",
    );
    assert_eq!(
        session.table("SELECT student, score, expected IS NOT NULL FROM m.score_sheet WHERE item > 5 ORDER BY 1"),
        ["2|0|t", "7|3|f"]
    );
    assert_eq!(session.table("SELECT sum(rows) FROM m.coverage"), ["108"]);
    session.run("CALL assess.refresh('m')");
}

/// The server of the tests runs with RUST_BACKTRACE set.
#[test]
fn no_message_holds_what_is_inside_of_us() {
    let database = Database::new();
    let mut session = database.session();
    // A failure of our own, and one of Postgres in the middle of ours.
    let ours = session.fails("SELECT 'gradebook:AA=='::assess.gradebook");
    assert_eq!(ours.detail(), Some("In the value, the version is unknown."));
    session.run(
        "CREATE TABLE books AS
         SELECT assess.gradebook_agg(n / 100, n % 100, n % 5, n % 2, date '2026-01-05' + n % 99) AS gb
         FROM generate_series(1, 300000) n;
         SET statement_timeout = '20ms'",
    );
    let theirs = session.fails("SELECT count(*) FROM books, assess.backtest(gb)");
    assert_eq!(theirs.code().code(), "57014", "{theirs}");
    assert_eq!((theirs.detail(), theirs.hint()), (None, None), "{theirs:?}");
    for found in [ours, theirs] {
        let context = found.where_().unwrap_or_default();
        assert!(
            !context.contains("pgrx") && !context.contains("::"),
            "{context}"
        );
        assert!(!found.message().contains("::"), "{found}");
    }
}
