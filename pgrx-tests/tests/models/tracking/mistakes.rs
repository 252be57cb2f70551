//! What triggers would not see is refused, and names and types do no harm.

use pg_assess_it::source::{fill, scores};
use pg_assess_it::{Database, Session};

use super::source;

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
fn mistakes_are_reported() {
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
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "55000", "{error}");
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
    let error = session.refuses(&create("u", "volatile"), "42809");
    assert!(
        error
            .detail()
            .is_some_and(|detail| detail.contains("unlogged"))
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("changed_at")));

    session.run("CREATE VIEW seen AS SELECT * FROM src");
    session.refuses(&create("v", "seen"), "42809");

    // As a subscription leaves it that has this table.
    session.run(
        "CREATE TABLE subscribed AS SELECT * FROM src;
         INSERT INTO pg_subscription_rel VALUES (99999, 'subscribed'::regclass, 'r', NULL)",
    );
    let error = session.refuses(&create("s", "subscribed"), "42809");
    assert!(
        error
            .detail()
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
    let error = session.refuses(&create("e", "src"), "0A000");
    assert_eq!(error.detail(), Some("no such triggers here"));
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
