//! Models that track changes: whatever happens to the source, and whoever writes meanwhile, a
//! refresh that reads only what changed gives the very rows of one that reads everything.

mod lives;
mod mistakes;
mod writers;

use pg_assess_it::Session;
use pg_assess_it::source::{MADE, differences, responses};

/// An empty table of responses, and rows for it.
fn source(session: &mut Session, time: &str, kind: &str) {
    session.run(&responses("src", time, kind));
    session.run(MADE);
}

/// A model over it; `more` are further arguments.
fn model(session: &mut Session, name: &str, more: &str) {
    pg_assess_it::source::model(session, name, "src", more);
}

/// Asserts that a model says what one says that reads everything.
#[track_caller]
fn same(session: &mut Session, name: &str) {
    session.run("CALL assess.refresh('whole')");
    as_whole(session, name);
}

/// Asserts that a model says what another said when it read everything.
#[track_caller]
fn as_whole(session: &mut Session, name: &str) {
    assert_eq!(differences(session, name, "whole"), [""; 0]);
}

const PLAIN: &str = "REFRESH MATERIALIZED VIEW CONCURRENTLY";

fn plainly(session: &mut Session, name: &str) {
    for view in [
        "gradebook",
        "questions",
        "students",
        "assessments",
        "coverage",
    ] {
        session.run(&format!("{PLAIN} {name}.{view}"));
    }
}

const ONE: &str = "INSERT INTO src (student, subject, school, test, question, points, at)
                   VALUES (1, 'ELA', 'North', 500, 1, 1, '2025-03-03')";

/// Asks another session whether this one waits for a lock.
fn waiting(session: &mut Session) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND wait_event_type = 'Lock'",
        session.backend()
    )
}
