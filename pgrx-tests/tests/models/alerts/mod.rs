//! Alerts: each rule at its edge, reported once, kept, and sent to listeners; and never in the way of
//! the results.

mod faults;
mod listeners;
mod rules;

use std::time::Duration;

use pg_assess_it::{Database, Session};
use postgres::fallible_iterator::FallibleIterator;

/// A session with responses of 40 students of two schools, and a model `m` of them. As of the last
/// day of the tests, no rule holds.
fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT 'Pupil-' || student AS student, 'Math' AS subject,
                CASE WHEN student % 2 = 0 THEN 'North' ELSE 'South' END AS school,
                10 * test + question AS question, test,
                (abs(hashint4(1000 * student + 10 * test + question) % 1000)
                 < 150 + 17 * student)::int::float8 AS score,
                date '2026-01-05' + 7 * test AS taken_on
         FROM generate_series(1, 40) student, generate_series(1, 8) test,
              generate_series(1, 6) question;",
    );
    session.run(&model_of("m", "r"));
    // What the dice made of the questions is none of the tests' business.
    session.run("UPDATE m.alert_rules SET enabled = false WHERE rule = 'suspect_questions'");
    session.run("CALL assess.refresh('m')");
    session.notices();
    (database, session)
}

fn model_of(model: &str, source: &str) -> String {
    format!(
        "SELECT assess.create_model('{model}', '{source}', 'student', 'question', 'test', 'score',
             'taken_on', subject => 'subject', student_group => 'school',
             settings => '{{\"as_of\": \"2026-03-02\"}}')"
    )
}

/// The warnings about alerts since the last call.
fn warnings(session: &mut Session) -> Vec<String> {
    let reported = session.notices().into_iter();
    reported
        .filter(|notice| !notice.message().starts_with("gradebook_agg"))
        .map(|notice| {
            assert_eq!(notice.severity(), "WARNING");
            assert_eq!(notice.code().code(), "01000");
            notice.message().to_owned()
        })
        .collect()
}

/// The JSON texts that a session which listens has got since the last call.
fn heard(listener: &mut Session) -> Vec<String> {
    // Notifications come in the order of commits: before this one are all.
    listener.run("NOTIFY assess_alerts, 'end'");
    let mut notifications = listener.notifications();
    let found = notifications.timeout_iter(Duration::from_secs(60));
    let mut sent = found.take_while(|one| Ok(one.payload() != "end"));
    let mut texts = Vec::new();
    while let Some(one) = sent.next().expect("the connection holds") {
        assert_eq!(one.channel(), "assess_alerts");
        assert!(one.payload().len() < 8000);
        texts.push(one.payload().to_owned());
    }
    texts
}

fn listener(database: &Database) -> Session {
    let mut session = database.session();
    session.run("LISTEN assess_alerts");
    session
}

/// The alerts of a rule raised by the last run, as `subject|group|item|message`.
fn of_last_run(session: &mut Session, model: &str, rule: &str) -> Vec<String> {
    session.table(&format!(
        "SELECT coalesce(subject, '-'), coalesce(student_group, '-'), coalesce(item, '-'), message
         FROM {model}.alerts WHERE rule = '{rule}'
         AND run_id = (SELECT max(run_id) FROM {model}.run_log) ORDER BY alert_id"
    ))
}

fn set(session: &mut Session, model: &str, rule: &str, threshold: &str) {
    session.run(&format!(
        "UPDATE {model}.alert_rules SET threshold = {threshold} WHERE rule = '{rule}'"
    ));
}

/// A text as a jsonb constant.
fn literal(json: &str) -> String {
    format!("'{}'::jsonb", json.replace('\'', "''"))
}
