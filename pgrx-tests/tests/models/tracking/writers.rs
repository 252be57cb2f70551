//! Whoever writes meanwhile waits for nothing and loses nothing.

use std::thread;
use std::time::Duration;

use pg_assess_it::source::fill;
use pg_assess_it::{Database, Session};

use super::{ONE, as_whole, model, plainly, same, source, waiting};

/// A source with both models, whose tracked one is `m`.
fn tracked(more: &str) -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    source(&mut session, "date", "");
    session.run(&fill("src"));
    model(&mut session, "whole", "");
    model(
        &mut session,
        "m",
        &format!(", track_changes => 'triggers' {more}"),
    );
    (database, session)
}

#[test]
fn nobody_waits_and_nothing_is_lost_while_others_write() {
    let (database, mut session) = tracked("");
    let mut writer = database.session();
    let mut other = database.session();
    for session in [&mut session, &mut writer, &mut other] {
        session.run("SET lock_timeout = '5s'");
    }
    // Open writers of the same period wait neither for each other nor for the refresh.
    writer.run("BEGIN");
    writer.run(ONE);
    other.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    other.run("DELETE FROM src WHERE student = 2 AND test = 8");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    writer.run(ONE);
    writer.run("COMMIT");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    other.run("COMMIT");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    assert_eq!(session.one::<i64>("SELECT count(*) FROM m.changes"), 0);
}

#[test]
fn what_commits_during_a_refresh_waits_for_the_next() {
    let (database, mut session) = tracked("");
    let mut writer = database.session();
    let mut holder = database.session();
    session.run(ONE);
    session.run("CALL assess.refresh('whole')");
    // Holds a refresh up once it has taken its snapshot and aggregated again what changed.
    holder.run("BEGIN");
    holder.run("SELECT FROM m.tracking FOR UPDATE");
    let mut refresher = database.session();
    let waits = waiting(&mut refresher);
    let run = thread::spawn(move || refresher.run("CALL assess.refresh('m')"));
    while session.one::<i64>(&waits) == 0 {
        thread::sleep(Duration::from_millis(10));
    }
    // The same period, another one, and both in one transaction.
    writer.run(ONE);
    writer.run("BEGIN; DELETE FROM src WHERE student = 7 AND test = 1; UPDATE src SET at = at + 90 WHERE student = 5; COMMIT");
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "55P03");
    holder.run("ROLLBACK");
    run.join().expect("the refresh succeeds");
    as_whole(&mut session, "m");
    assert!(session.one::<i64>("SELECT count(*) FROM m.changes") > 0);
    plainly(&mut session, "m");
    same(&mut session, "m");
    session.run("CALL assess.refresh('m')");
    as_whole(&mut session, "m");
}

#[test]
fn writers_need_no_rights_and_no_luck() {
    let (database, mut session) = tracked("");
    let role = format!("writer_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {role} LOGIN; GRANT INSERT, SELECT, UPDATE, DELETE, TRUNCATE ON src TO {role};
         GRANT USAGE ON SEQUENCE src_id_seq TO {role};
         CREATE UNIQUE INDEX ON src (id);
         CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO {role};
         CREATE TABLE trap.changes (period date);
         CREATE FUNCTION trap.date_trunc(text, timestamp) RETURNS timestamp LANGUAGE sql
             AS 'SELECT NULL::timestamp'"
    ));
    let mut writer = database.session_as(&role);
    writer.run("SET search_path = trap, public, pg_catalog");
    writer.run(ONE);
    writer.run(
        "INSERT INTO public.src (id, student, subject, school, test, question, points, at)
         SELECT id, student, subject, school, test, question, 1, at + 40
         FROM public.src WHERE id < 50 ON CONFLICT (id) DO UPDATE SET at = excluded.at",
    );
    writer.fails("SELECT * FROM m.changes");
    assert_eq!(session.one::<i64>("SELECT count(*) FROM trap.changes"), 0);
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");

    // What is renamed is still found, or taken to have changed altogether.
    session.run("ALTER SCHEMA m RENAME TO \"it's \"\"new\"");
    writer.run(ONE);
    session.run("ALTER SCHEMA \"it's \"\"new\" RENAME TO m");
    session.run("ALTER TABLE src RENAME at TO day");
    writer.run("DELETE FROM public.src WHERE student = 3");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    session.run("ALTER TABLE src RENAME day TO at");

    // Triggers that were off are noticed.
    session.run("ALTER TABLE src DISABLE TRIGGER USER");
    writer.run("DELETE FROM public.src WHERE student = 4");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    session.run("ALTER TABLE src ENABLE TRIGGER USER");
    writer.run("TRUNCATE public.src");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    session.run("SELECT assess.drop_model('m')");
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn many_small_statements_leave_one_note() {
    let (_database, mut session) = tracked(", period => 'year'");
    session.run(&format!(
        "DO $$ BEGIN FOR i IN 1..500 LOOP {ONE}; END LOOP; END $$"
    ));
    let notes = session.table("SELECT period FROM m.changes");
    assert_eq!(notes, ["2025-01-01"]);
}

/// Their snapshot does not show the triggers that fire for them, nor the names of today.
#[test]
fn who_began_before_the_triggers_were_there_can_write() {
    let database = Database::new();
    let mut session = database.session();
    source(&mut session, "date", "PARTITION BY RANGE (at)");
    let partition = "CREATE TABLE src_a PARTITION OF src DEFAULT";
    session.run(partition);
    session.run(&fill("src"));
    model(&mut session, "whole", "");
    let mut writer = database.session();
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    writer.run(begin);
    model(&mut session, "m", ", track_changes => 'triggers'");
    writer.run("DELETE FROM src WHERE student = 1; COMMIT");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");

    writer.run(begin);
    session.run("DROP TABLE src_a");
    session.run(partition);
    session.run(&fill("src"));
    session.run("CALL assess.refresh('m')");
    session.run("ALTER SCHEMA m RENAME TO \"it's \"\"new\"");
    writer.run(
        "INSERT INTO src_a (student, question, test, points, at) VALUES (1, 1, 1, 1, '2025-03-03')",
    );
    writer.run("DELETE FROM src; COMMIT");
    session.run("ALTER SCHEMA \"it's \"\"new\" RENAME TO m");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");

    // Of triggers that it sees, its snapshot has the schema under the old name.
    writer.run(begin);
    session.run("ALTER SCHEMA m RENAME TO n");
    writer.run("DELETE FROM src WHERE student = 2; COMMIT");
    session.run("ALTER SCHEMA n RENAME TO m");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
}

#[test]
fn a_restored_model_goes_on() {
    let (database, mut session) = tracked("");
    session.run(ONE);
    let restored = database.restored("--format=plain");
    let mut session = restored.session();
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    session.run(ONE);
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    let periods: i32 = session.one("SELECT periods FROM m.runs ORDER BY run_id DESC LIMIT 1");
    assert_eq!(periods, 1);
    session.run("SELECT assess.drop_model('m')");
}
