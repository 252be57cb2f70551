//! Models that track changes: whatever happens to the source, and whoever writes meanwhile, a
//! refresh that reads only what changed gives the very rows of one that reads everything.

use std::thread;
use std::time::Duration;

use pg_assess_it::source::{COLUMNS, MADE, differences, fill, responses, scores};
use pg_assess_it::{Database, Mutations, Session};

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

/// What happens to a table of responses in the course of its life.
fn step(session: &mut Session, random: &mut Mutations) {
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
    let mut random = Mutations { state: seed };
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
        1,
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

const ONE: &str = "INSERT INTO src (student, subject, school, test, question, points, at)
                   VALUES (1, 'ELA', 'North', 500, 1, 1, '2025-03-03')";

/// Asks another session whether this one waits for a lock.
fn waiting(session: &mut Session) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND wait_event_type = 'Lock'",
        session.backend()
    )
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
    let told = session.fails("CALL assess.refresh('m')");
    assert_eq!(told.code().code(), "55P03");
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

#[test]
fn names_made_to_break_things_do_nothing_but_work() {
    let database = Database::new();
    let mut session = database.session();
    let name = "m%I ' \" $body$ é query schema";
    let quoted = name.replace('\'', "''");
    session.run(&format!(
        "CREATE TABLE \"s%I \"\"q'\" (\"st'u\" int, \"it%s\" int, \"as$b$\" int, \"po\"\"x\" int,
             \"at '%L' $body$\" timestamptz, query text, schema text, period text);
         CREATE TABLE heir () INHERITS (\"s%I \"\"q'\");
         INSERT INTO heir SELECT s, i, i / 5, (s + i) % 2,
             timestamptz '2025-01-01' + i * interval '10 days', 'q', 's', 'p'
         FROM generate_series(1, 30) s, generate_series(1, 40) i;
         SELECT assess.create_model('{quoted}', '\"s%I \"\"q''\"', 'st''u', 'it%s', 'as$b$', 'po\"x',
             'at ''%L'' $body$', subject => 'query', student_group => 'period',
             track_changes => 'triggers');
         DELETE FROM heir WHERE \"it%s\" = 3;
         DELETE FROM ONLY \"s%I \"\"q'\";
         UPDATE \"s%I \"\"q'\" SET \"po\"\"x\" = 1 WHERE \"it%s\" = 9"
    ));
    session.run(&format!("CALL assess.refresh('{quoted}')"));
    let schema = name.replace('"', "\"\"");
    let run = session.table(&format!(
        "SELECT status, periods, rows_used FROM \"{schema}\".runs ORDER BY run_id DESC LIMIT 1"
    ));
    assert_eq!(run, ["succeeded|2|1170"]);
    session.run(&format!("SELECT assess.drop_model('{quoted}')"));
    let left: i64 = session.one("SELECT count(*) FROM pg_trigger");
    assert_eq!(left, 0);
}

#[test]
fn mistakes_are_told() {
    let database = Database::new();
    let mut session = database.session();
    source(&mut session, "date", "");
    session.run(&fill("src"));
    let make = |source: &str, more: &str| {
        format!(
            "SELECT assess.create_model('m', '{source}', 'student', 'question', 'test', 'points',
                                        'at', {more})"
        )
    };
    for (more, code) in [
        ("track_changes => 'trigger'", "22023"),
        ("track_changes => NULL", "22023"),
        ("changed_at => 'changed'", "22023"),
        ("track_changes => 'changed_at'", "22023"),
        (
            "track_changes => 'changed_at', changed_at => 'chnged'",
            "42703",
        ),
        (
            "track_changes => 'changed_at', changed_at => 'points'",
            "42804",
        ),
        ("period => 'decade'", "22023"),
    ] {
        session.refuses(&make("src", more), code);
    }
    session.refuses(&make("made", "track_changes => 'triggers'"), "42809");
}

#[test]
fn a_column_of_another_type_runs_nothing_with_the_rights_of_others() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE src (s int, i int, a int, x float8, d date);
         INSERT INTO src VALUES (1, 1, 1, 1, '2026-01-02'), (2, 1, 1, 0, '2026-01-02');
         CREATE TABLE trap (who text);
         SELECT assess.create_model('m', 'src', 's', 'i', 'a', 'x', 'd', track_changes => 'triggers');
         CREATE TYPE evil AS (a int);
         CREATE FUNCTION spring(evil) RETURNS date LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN '2026-01-01'; END $$;
         CREATE CAST (evil AS date) WITH FUNCTION spring(evil) AS IMPLICIT;
         CREATE FUNCTION spring_at(evil) RETURNS timestamp LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN now(); END $$;
         CREATE CAST (evil AS timestamp) WITH FUNCTION spring_at(evil) AS IMPLICIT;
         ALTER TABLE src RENAME d TO d_old;
         ALTER TABLE src ADD d evil;
         INSERT INTO src VALUES (3, 1, 1, 1, '2026-01-03', row(1))",
    );
    assert_eq!(session.table("SELECT * FROM trap"), [""; 0]);
    assert_eq!(session.table("SELECT period FROM m.changes"), ["infinity"]);
    // Nor does an ordinary change of type stop those who write.
    session.run(
        "ALTER TABLE src DROP COLUMN d;
         ALTER TABLE src ADD d text;
         INSERT INTO src VALUES (4, 1, 1, 1, '2026-01-03', 'soon')",
    );
}

/// Whoever has an old snapshot has the column of before in it.
#[test]
fn a_column_that_changed_after_the_snapshot_runs_nothing_and_stops_nobody() {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    let database = Database::new();
    let mut session = database.session();
    session.run(&scores("src", 4, 4, ""));
    session.run(
        "SELECT assess.create_model('m', 'src', 'sid', 'item', 'a', 'score', 'd', track_changes => 'triggers');
         CREATE TABLE trap (who text);
         CREATE TYPE evil AS (a int);
         CREATE FUNCTION spring(evil) RETURNS timestamp LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN now(); END $$;
         CREATE CAST (evil AS timestamp) WITH FUNCTION spring(evil) AS IMPLICIT",
    );
    let mut writer = database.session();
    for change in ["RENAME d TO day", "ADD d evil", "DROP d", "ADD d int"] {
        session.run("DELETE FROM m.changes");
        writer.run(begin);
        session.run(&format!("ALTER TABLE src {change}"));
        if change == "ADD d evil" {
            writer.run("UPDATE src SET d = row(1)");
        } else {
            writer.run("UPDATE src SET score = 1 - score");
        }
        writer.run("INSERT INTO src (sid) VALUES (5)");
        writer.run("DELETE FROM src WHERE sid = 5; COMMIT");
        assert_eq!(session.table("SELECT * FROM trap"), [""; 0]);
        assert_eq!(
            session.table("SELECT period FROM m.changes"),
            ["infinity"],
            "{change}"
        );
    }
}

#[test]
fn a_refresh_that_cannot_track_is_in_the_log() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE src AS SELECT 1 AS s, 1 AS i, 1 AS a, 1.0 AS x, date '2026-01-02' AS d;
         SELECT assess.create_model('m', 'src', 's', 'i', 'a', 'x', 'd', track_changes => 'triggers');
         DELETE FROM m.tracking",
    );
    let told = session.fails("CALL assess.refresh('m')");
    assert_eq!(told.code().code(), "55000", "{told}");
    assert_eq!(
        session.table("SELECT status, sqlstate FROM m.runs ORDER BY run_id DESC LIMIT 1"),
        ["failed|55000"]
    );
}

fn small_source() -> String {
    scores("src", 40, 20, ", 1 AS subject_id, now() AS changed")
}

/// Changes that triggers on statements do not see.
#[test]
fn triggers_are_refused_where_they_would_not_see_all() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&small_source());
    let create = |model: &str, source: &str| {
        format!(
            "SELECT count(*) FROM assess.create_model('{model}', '{source}', 'sid', 'item', 'a',
                 'score', 'd', track_changes => 'triggers')"
        )
    };
    session.run("CREATE UNLOGGED TABLE volatile AS SELECT * FROM src");
    let told = session.refuses(&create("u", "volatile"), "42809");
    assert!(
        told.detail()
            .is_some_and(|detail| detail.contains("unlogged"))
    );
    assert!(told.hint().is_some_and(|hint| hint.contains("changed_at")));

    session.run("CREATE VIEW seen AS SELECT * FROM src");
    session.refuses(&create("v", "seen"), "42809");

    // As a subscription leaves it that has this table.
    session.run(
        "CREATE TABLE subscribed AS SELECT * FROM src;
         INSERT INTO pg_subscription_rel VALUES (99999, 'subscribed'::regclass, 'r', NULL)",
    );
    let told = session.refuses(&create("s", "subscribed"), "42809");
    assert!(
        told.detail()
            .is_some_and(|detail| detail.contains("subscription"))
    );
    session.run("DELETE FROM pg_subscription_rel WHERE srsubid = 99999");

    // It becomes so later: then all is read, and said to be.
    session.run(&create("s", "subscribed"));
    session.run("ALTER TABLE subscribed SET UNLOGGED");
    session.run("SET session_replication_role = replica");
    session.run("DELETE FROM subscribed WHERE sid > 30");
    session.run("RESET session_replication_role");
    session.notices();
    session.run("CALL assess.refresh('s')");
    assert!(session.notices().iter().any(|notice| {
        notice.message()
            == "model s reads its whole source, as triggers cannot report what changes there"
    }));
    assert_eq!(session.table("SELECT sum(rows) FROM s.coverage"), ["600"]);

    // Engines refuse such triggers in words of their own.
    session.run(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN
             RAISE EXCEPTION 'no such triggers here' USING ERRCODE = 'feature_not_supported';
         END $$;
         CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER')
             EXECUTE FUNCTION refuse()",
    );
    let told = session.refuses(&create("e", "src"), "0A000");
    assert_eq!(told.detail(), Some("no such triggers here"));
    session.run("DROP EVENT TRIGGER refuse");
}

/// Chunks of a hypertable are children in a schema of that name.
#[test]
fn a_hypertable_has_triggers_on_its_root_and_new_chunks_are_no_news() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&small_source());
    session.run(
        "CREATE SCHEMA _timescaledb_internal;
         CREATE TABLE _timescaledb_internal.chunk_1 () INHERITS (src);
         INSERT INTO _timescaledb_internal.chunk_1 SELECT * FROM src;
         DELETE FROM ONLY src;
         SELECT count(*) FROM assess.create_model('h', 'src', 'sid', 'item', 'a', 'score', 'd',
                                                  track_changes => 'triggers', period => 'week');
         SELECT count(*) FROM assess.create_model('plain', 'src', 'sid', 'item', 'a', 'score', 'd')",
    );
    assert_eq!(
        session.table("SELECT DISTINCT tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal"),
        ["src"]
    );
    let periods = |session: &mut Session| {
        session.run("CALL assess.refresh('h')");
        session.run("CALL assess.refresh('plain')");
        let same = session.table(
            "SELECT count(*) FROM h.gradebook a JOIN plain.gradebook b
             ON a.gradebook::text = b.gradebook::text",
        );
        assert_eq!(same, ["1"]);
        session.one::<i32>("SELECT periods FROM h.runs ORDER BY run_id DESC LIMIT 1")
    };
    periods(&mut session);
    assert_eq!(periods(&mut session), 0);
    session.run("CREATE TABLE _timescaledb_internal.chunk_2 () INHERITS (src)");
    assert_eq!(periods(&mut session), 0);
    session.run("UPDATE src SET score = 1 WHERE d = '2026-01-01' AND sid < 5");
    assert_eq!(periods(&mut session), 1);
    // One that is dropped takes rows with it.
    session.run("DROP TABLE _timescaledb_internal.chunk_2");
    assert!(periods(&mut session) > 1);
}

/// The name of a subject lies in a table that has no time of change.
#[test]
fn a_subject_that_is_renamed_in_a_joined_table_leaves_no_old_one() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&small_source());
    session.run(
        "CREATE TABLE subjects AS SELECT 1 AS subject_id, 'PHYS-101'::text AS subject, '9a' AS class;
         CREATE VIEW joined AS SELECT * FROM src JOIN subjects USING (subject_id);
         UPDATE src SET changed = now() - interval '30 days';
         SELECT count(*) FROM assess.create_model('j', 'joined', 'sid', 'item', 'a', 'score', 'd',
             subject => 'subject', student_group => 'class',
             track_changes => 'changed_at', changed_at => 'changed')",
    );
    session.run("UPDATE subjects SET subject = 'PHYS101'");
    session.run("CALL assess.refresh('j')");
    assert_eq!(
        session.table("SELECT subject, count(*) FROM j.students GROUP BY 1"),
        ["PHYS101|40"]
    );
    session.run("UPDATE subjects SET class = '10a'");
    session.run("CALL assess.refresh('j')");
    assert_eq!(
        session.table("SELECT student_group, count(*) FROM j.students GROUP BY 1"),
        ["10a|40"]
    );
}
