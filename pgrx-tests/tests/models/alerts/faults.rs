//! Refreshes that failed, were killed or are overdue.

use pg_assess_it::{Database, Session};

use super::{heard, listener, literal, model_of, of_last_run, set, warnings, with_model};

/// A model `f` over a view that fails while the table `broken` has a row.
fn with_fault() -> (Database, Session) {
    let (database, mut session) = with_model();
    session.run(
        "CREATE TABLE broken(student text);
         CREATE VIEW fragile AS
         SELECT student, subject, school, question, test, taken_on,
                score + coalesce((SELECT b.student::int FROM broken b LIMIT 1), 0) AS score FROM r;",
    );
    session.run(&model_of("f", "fragile"));
    session.notices();
    (database, session)
}

#[test]
fn a_failed_refresh_is_reported_without_what_its_error_says() {
    let (database, mut session) = with_fault();
    let mut ears = listener(&database);
    session.run("INSERT INTO broken VALUES ('Pupil-7')");
    let error = session.fails("CALL assess.refresh('f')");
    assert_eq!(error.code().code(), "22P02");
    let message: String = session.one(
        "SELECT 'The refresh of ' || to_char(b.started, 'FMDD FMMonth YYYY HH24:MI')
                || ' failed (error 22P02); the results are still those of '
                || to_char(g.finished, 'FMDD FMMonth YYYY HH24:MI') || '.'
         FROM f.runs b, f.runs g
         WHERE b.run_id = (SELECT max(run_id) FROM f.runs) AND g.run_id = b.run_id - 1",
    );
    assert_eq!(warnings(&mut session), [format!("model f: {message}")]);
    assert_eq!(
        of_last_run(&mut session, "f", "refresh_failed"),
        [format!("-|-|-|{message}")]
    );
    let sent = heard(&mut ears);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains(&message) && !sent[0].contains("Pupil-7"));
    // Reported once, until one succeeds.
    session.fails("CALL assess.refresh('f')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    assert_eq!(
        session.table("SELECT rule, value FROM assess.check_refreshes() WHERE model = 'f'"),
        ["refresh_failed|2"]
    );
    session.run("DELETE FROM broken; ");
    session.run("CALL assess.refresh('f')");
    assert_eq!(
        session.table("SELECT ended IS NULL FROM f.alerts WHERE rule = 'refresh_failed'"),
        ["f"]
    );
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    // From the second in a row on.
    set(&mut session, "f", "refresh_failed", "2");
    session.run("INSERT INTO broken VALUES ('Pupil-7')");
    session.fails("CALL assess.refresh('f')");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.fails("CALL assess.refresh('f')");
    let reported = warnings(&mut session);
    assert_eq!(reported.len(), 1);
    assert!(reported[0].contains(", the last of 2 failures in a row; "));
}

#[test]
fn a_refresh_that_was_killed_is_noticed() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    // The log as a backend leaves it that dies.
    session.run("INSERT INTO m.run_log (pid) VALUES (2147483647)");
    assert_eq!(
        session.table("SELECT model, rule, message ~ 'error 57P01' FROM assess.check_refreshes()"),
        ["m|refresh_failed|t"]
    );
    assert_eq!(warnings(&mut session).len(), 1);
    assert_eq!(heard(&mut ears).len(), 1);
    session.run("DELETE FROM m.alerts");
    session.run("CALL assess.refresh('m')");
    let reported = warnings(&mut session);
    assert_eq!(reported.len(), 1);
    assert!(reported[0].contains("error 57P01"), "{reported:?}");
    assert_eq!(
        session.table("SELECT ended > raised FROM m.alerts WHERE rule = 'refresh_failed'"),
        ["t"]
    );
}

#[test]
fn an_overdue_refresh_is_noticed_by_who_asks() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    let finished = "UPDATE m.run_log SET finished = clock_timestamp() - interval '36 hours'";
    session.run(&format!("{finished} + interval '1 minute'"));
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    session.run(&format!("{finished} - interval '1 minute'"));
    // Nothing is kept or sent of what is rolled back.
    session.run("BEGIN");
    let found =
        session.table("SELECT model, rule, threshold, message FROM assess.check_refreshes()");
    session.run("ROLLBACK");
    assert_eq!(heard(&mut ears), [""; 0]);
    let message: String = session.one(
        "SELECT 'The results are 36.1 hours old, more than 36: the last refresh that succeeded was'
                || ' that of ' || to_char(max(finished), 'FMDD FMMonth YYYY HH24:MI') || '.'
         FROM m.run_log",
    );
    assert_eq!(found, [format!("m|refresh_overdue|36|{message}")]);
    session.notices();
    // A read-only session only sees.
    session.run("BEGIN READ ONLY");
    assert_eq!(
        session
            .table("SELECT * FROM assess.check_refreshes()")
            .len(),
        1
    );
    session.run("COMMIT");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.run("SELECT assess.check_refreshes()");
    assert_eq!(warnings(&mut session), [format!("model m: {message}")]);
    let sent = heard(&mut ears);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        session.table(&format!(
            "SELECT j -> 'run_id', j -> 'subject', j ->> 'message' FROM (SELECT {}) s(j)",
            literal(&sent[0])
        )),
        [format!("null|null|{message}")]
    );
    assert_eq!(
        session
            .table("SELECT * FROM assess.check_refreshes()")
            .len(),
        1
    );
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    assert_eq!(
        session.table("SELECT ended > raised FROM m.alerts WHERE rule = 'refresh_overdue'"),
        ["t"]
    );
}
