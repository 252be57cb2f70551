//! Whatever happens to a source, a refresh of what changed gives what one of all gives.

use std::thread;
use std::time::Duration;

use pg_assess_it::source::{COLUMNS, fill};
use pg_assess_it::{Database, Dice, Session};

use super::{ONE, as_whole, model, plainly, same, source, waiting};

/// What happens to a table of responses in the course of its life.
fn step(session: &mut Session, random: &mut Dice) {
    let (a, b) = (random.below(60) + 1, random.below(30) + 1);
    let zone = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"][random.below(3)];
    session.run(&format!("SET timezone = '{zone}'"));
    let values = format!(
        "SELECT {a}, subject, school, 100 + {b}, question, points, at + interval '{b} hours'
         FROM made WHERE student = {a} AND test = {b}"
    );
    let insert = format!("INSERT INTO src ({COLUMNS})");
    let touch = "changed = clock_timestamp()";
    let odd = [
        "NULL",
        "'infinity'",
        "'-infinity'",
        "'1850-03-01'",
        "'2200-01-01'",
        "'1900-01-01'",
    ][random.below(6)];
    let sql = match random.below(16) {
        // New rows: some late, of any month.
        0..=3 => format!("{insert} {values}"),
        4 => format!(
            "{insert} VALUES ({a}, 'Art', 'East', {b}, 7, 1, '2026-05-01'), \
                             ({a}, 'Art', NULL, {b}, NULL, 1, '2026-06-{b:02}')"
        ),
        5 => format!("{insert} VALUES ({a}, 'Math', 'East', {b}, 7, 1, {odd})"),
        6 => format!("UPDATE src SET points = 1 - points, {touch} WHERE id % 60 = {a} AND test = {b}"),
        7 => format!(
            "UPDATE src SET at = at + interval '{b} days', {touch} WHERE student = {a} AND test = {b}"
        ),
        8 => format!("UPDATE src SET at = {odd}, {touch} WHERE student = {a} AND test = {b}"),
        9 => format!(
            "UPDATE src SET school = CASE WHEN test % 2 = 0 THEN 'West' END, {touch}
             WHERE student = {a} AND test > {b}"
        ),
        10 => format!("UPDATE src SET subject = 'Math', {touch} WHERE student = {a} AND test = {b}"),
        11 => format!("DELETE FROM src WHERE student = {a} AND test = {b}"),
        12 => format!("DELETE FROM src WHERE test = {b} AND id % 5 = 0"),
        13 => format!(
            "BEGIN; SAVEPOINT s; {insert} {values}; ROLLBACK TO s; UPDATE src SET student = {a}, {touch}
             WHERE student = {b}; SAVEPOINT t; {insert} {values}; RELEASE t; {insert} {values}; COMMIT"
        ),
        14 => format!(
            "MERGE INTO src USING (SELECT * FROM made WHERE student = {a}) m
                 ON src.student = m.student AND src.question = m.question
             WHEN MATCHED AND src.test % 7 = 0 THEN DELETE
             WHEN MATCHED AND src.test % 7 = 1 THEN UPDATE SET points = 0, {touch}
             WHEN NOT MATCHED THEN INSERT (student, subject, school, test, question, points, at)
                 VALUES (m.student, m.subject, m.school, m.test, m.question, m.points, m.at)"
        ),
        _ if b > 4 => format!("UPDATE src SET note = 'seen', {touch} WHERE student = {a}"),
        _ if b > 2 => format!("TRUNCATE src; {insert} {values}"),
        _ => format!("DELETE FROM src; {}", fill("src")),
    };
    session.run(&sql);
}

/// 200 steps; after every five a refresh, in turns by `CALL` and by plain statements.
fn live(time: &str, kind: &str, more: &str, seed: u64) {
    let database = Database::new();
    let mut session = database.session();
    source(&mut session, time, kind);
    if !kind.is_empty() {
        session.run(
            "CREATE TABLE src_old PARTITION OF src FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
             CREATE TABLE src_new PARTITION OF src FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
             CREATE TABLE src_rest PARTITION OF src DEFAULT",
        );
    }
    session.run(&fill("src"));
    model(&mut session, "whole", "");
    model(&mut session, "m", more);
    if more.contains("changed_at") {
        session.run("SELECT assess.set_option('m', 'late_commit', '0')");
    }
    let mut random = Dice::new(seed);
    for turn in 1..=200 {
        step(&mut session, &mut random);
        if turn % 5 == 0 {
            session.run("RESET timezone");
            if turn % 15 == 0 {
                plainly(&mut session, "m");
                same(&mut session, "m");
            }
            session.run("CALL assess.refresh('m')");
            same(&mut session, "m");
        }
    }
    session.run("RESET timezone");
    // Most were read in part, and reading all again changes nothing.
    let partial: i64 = session.one(
        "SELECT count(*) FROM m.runs
         WHERE periods < (SELECT count(DISTINCT period) FROM m.stored_parts)",
    );
    assert!(partial > 20, "{partial}");
    session.run("CALL assess.refresh('m', everything => true)");
    as_whole(&mut session, "m");
    let stored: i64 = session.one(
        "SELECT (SELECT count(DISTINCT period) FROM m.stored_parts)
              - (SELECT periods FROM m.runs ORDER BY run_id DESC LIMIT 1)",
    );
    assert_eq!(stored, 0);
    session.run("SELECT assess.drop_model('m')");
    assert_eq!(
        session.one::<i64>("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pg_assess%'"),
        0
    );
}

#[test]
fn lives_of_dates() {
    live(
        "date",
        "",
        ", track_changes => 'triggers', period => 'day'",
        5,
    );
}

#[test]
fn lives_of_calendar_times() {
    live(
        "timestamp",
        "PARTITION BY RANGE (at)",
        ", track_changes => 'triggers'",
        2,
    );
}

#[test]
fn lives_of_points_in_time() {
    live(
        "timestamptz",
        "",
        ", track_changes => 'triggers', period => 'week'",
        3,
    );
}

#[test]
fn lives_with_a_time_of_change() {
    let more = ", track_changes => 'changed_at', changed_at => 'changed', period => 'quarter'";
    live("timestamp", "", more, 4);
}

/// A source of two partitions, and a model that learns of changes by triggers.
fn partitioned() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    source(&mut session, "date", "PARTITION BY RANGE (at)");
    session.run(
        "CREATE TABLE src_a PARTITION OF src FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         CREATE TABLE src_b PARTITION OF src FOR VALUES FROM ('2025-01-01') TO ('2027-01-01')",
    );
    session.run(&fill("src"));
    model(&mut session, "whole", "");
    model(&mut session, "m", ", track_changes => 'triggers'");
    (database, session)
}

#[test]
fn partitions_come_and_go() {
    let (_database, mut session) = partitioned();
    let check = |session: &mut Session, change: &str, everything: bool| {
        session.run(change);
        session.run("CALL assess.refresh('m')");
        same(session, "m");
        let all: bool = session.one(
            "SELECT periods = (SELECT count(DISTINCT period) FROM m.stored_parts) FROM m.runs
             ORDER BY run_id DESC LIMIT 1",
        );
        assert_eq!(all, everything, "{change}");
    };
    check(&mut session, &ONE.replace("src", "src_b"), false);
    check(
        &mut session,
        "DELETE FROM src_a WHERE at < '2024-10-01'",
        false,
    );
    check(
        &mut session,
        "CREATE TABLE src_c (LIKE src_a INCLUDING DEFAULTS);
         INSERT INTO src_c (student, subject, school, test, question, points, at)
             VALUES (1, 'ELA', 'North', 500, 1, 1, '2028-03-03');
         ALTER TABLE src ATTACH PARTITION src_c FOR VALUES FROM ('2027-01-01') TO ('2029-01-01')",
        true,
    );
    check(&mut session, "UPDATE src_c SET points = 0", false);
    check(&mut session, "TRUNCATE src_c", true);
    check(&mut session, "ALTER TABLE src DETACH PARTITION src_b", true);
    check(
        &mut session,
        "DELETE FROM src_a WHERE at > '2024-12-01'",
        false,
    );
    session.run("DROP TABLE src_b; SELECT assess.drop_model('m')");
}

/// It reads no rows of the partition, and the model knows it before and after.
#[test]
fn a_partition_that_leaves_while_a_refresh_waits_and_comes_back_is_read_again() {
    let (database, mut session) = partitioned();
    session.run("DELETE FROM src WHERE student = 2 AND at > '2025-01-01'");
    let mut other = database.session();
    other.run("BEGIN; ALTER TABLE src DETACH PARTITION src_b");
    let mut refresher = database.session();
    let waits = waiting(&mut refresher);
    let run = thread::spawn(move || refresher.run("CALL assess.refresh('m')"));
    while session.one::<i64>(&waits) == 0 {
        thread::sleep(Duration::from_millis(10));
    }
    other.run("COMMIT");
    run.join().expect("the refresh succeeds");
    same(&mut session, "m");
    other.run(
        "ALTER TABLE src ATTACH PARTITION src_b FOR VALUES FROM ('2025-01-01') TO ('2027-01-01')",
    );
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
}

/// Partitions of which a policy hides all rows, one whose detaching was broken off, and heirs that only
/// another session reads: a refresh plans none of them.
#[test]
fn what_no_query_reads_stops_no_refresh() {
    let (database, mut session) = partitioned();
    // It waits for the reader, and is stopped.
    let mut reader = database.session();
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM src");
    session.run("SET lock_timeout = '100ms'");
    session.fails("ALTER TABLE src DETACH PARTITION src_a CONCURRENTLY");
    session.run("RESET lock_timeout");
    session.run("CALL assess.refresh('m')");
    reader.run("COMMIT");
    same(&mut session, "m");
    session.run(&ONE.replace("src", "src_a").replace("2025", "2024"));
    session.run("ALTER TABLE src DETACH PARTITION src_a FINALIZE");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");

    // Models of somebody who sees the rows of one partition alone, and later none.
    let role = format!("{}_sees_little", database.name());
    session.run(&format!(
        "ALTER TABLE src ATTACH PARTITION src_a FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA assess TO {role};
         GRANT CREATE ON DATABASE {} TO {role}; GRANT SELECT, TRIGGER ON src, src_a, src_b TO {role};
         ALTER TABLE src ENABLE ROW LEVEL SECURITY;
         CREATE POLICY new ON src TO {role} USING (at >= '2025-01-01');
         SELECT assess.drop_model('whole'), assess.drop_model('m')",
        database.name()
    ));
    let mut other = database.session_as(&role);
    model(&mut other, "whole", "");
    model(&mut other, "m", ", track_changes => 'triggers'");
    other.run("CALL assess.refresh('m')");
    same(&mut other, "m");
    session.run(&ONE.replace("2025", "2026"));
    other.run("CALL assess.refresh('m')");
    same(&mut other, "m");
    let stored: i64 = other.one("SELECT periods::int8 FROM m.runs ORDER BY run_id DESC LIMIT 1");
    assert_eq!(stored, 1);
    session.run("ALTER POLICY new ON src USING (false)");
    other.run("CALL assess.refresh('m', everything => true)");
    drop(other);
    session.run(&format!(
        "SELECT assess.drop_model('whole'), assess.drop_model('m'); DROP OWNED BY {role};
         DROP ROLE {role}"
    ));

    // An heir that another session has for itself.
    session.run("CREATE TABLE plain AS TABLE src");
    pg_assess_it::source::model(&mut session, "whole", "plain", "");
    pg_assess_it::source::model(&mut session, "m", "plain", ", track_changes => 'triggers'");
    reader.run(
        "CREATE TEMP TABLE heir () INHERITS (plain); INSERT INTO heir SELECT * FROM src LIMIT 9",
    );
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
    reader.run("CALL assess.refresh('m')");
    same(&mut reader, "m");
    session.run("CALL assess.refresh('m')");
    same(&mut session, "m");
}
