//! Models where something is out of the ordinary: settings of the session, subjects that vanish,
//! scores without a maximum, a log that is short.

mod common;

use common::{Database, Session};

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
fn a_subject_that_vanishes_is_missed_until_it_is_back() {
    let (_database, mut session) = with_model("");
    let open = "SELECT rule, subject, value FROM m.alerts WHERE ended IS NULL ORDER BY 1, 2";
    assert_eq!(session.table(open), [""; 0]);
    session.run("CREATE TABLE gone AS SELECT * FROM r; DELETE FROM r WHERE subject = 'Math'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(open), ["few_students|Math|0"]);
    // All of it: whoever empties the source and fails to load it is told.
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
    // What is told is still that of the results.
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
fn who_is_new_without_a_level_is_told_none() {
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
fn who_asks_from_another_time_zone_is_told_the_same() {
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
        "SELECT half_life, rmse, helped, joins FROM assess.half_life_report('m')",
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
