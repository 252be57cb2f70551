//! What a refresh runs, and with whose rights.

use pg_assess_it::{Database, Session, environment};

use super::{COLUMNS, Roles, attacked, attackers, laden, nothing_was_won, source, state};

#[test]
fn a_trigger_of_the_owner_on_any_table_wins_nothing() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS},
             track_changes => 'changed_at', changed_at => 'changed')"
    ));
    let tables = hostile.table(
        "SELECT relname FROM pg_class
         WHERE relnamespace = 'hm'::regnamespace AND relkind = 'r' ORDER BY 1",
    );
    assert!(tables.len() >= 10, "{tables:?}");
    for table in &tables {
        hostile.run(&format!(
            "CREATE TRIGGER before_row BEFORE INSERT OR UPDATE ON hm.{table}
                 FOR EACH ROW EXECUTE FUNCTION h.fire();
             CREATE TRIGGER after_statement AFTER INSERT OR UPDATE OR DELETE ON hm.{table}
                 FOR EACH STATEMENT EXECUTE FUNCTION h.fire();
             CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR UPDATE ON hm.{table}
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION h.fire()"
        ));
    }
    attacked(
        &database,
        &roles,
        &roles.hostile,
        "CALL assess.refresh('hm', true)",
    );
    let refused = database.session().refuses(
        "SELECT assess.set_option('hm', 'half_life', '20 days')",
        "55000",
    );
    assert!(
        refused
            .hint()
            .is_some_and(|hint| hint.contains("NOT DEFERRABLE"))
    );
    for table in &tables {
        hostile.run(&format!("DROP TRIGGER deferred ON hm.{table}"));
    }
    attacked(
        &database,
        &roles,
        &roles.hostile,
        "SELECT assess.set_option('hm', 'half_life', '20 days')",
    );
    let refused = database.session().fails("CALL assess.refresh('none')");
    assert_eq!(refused.code().code(), "42704");
}

#[test]
fn a_source_of_somebody_else_runs_with_the_rights_of_the_owner() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(
        "CREATE FUNCTION h.pass(v float8) RETURNS float8 LANGUAGE plpgsql AS $$
         BEGIN
             PERFORM h.attack();
             RETURN v;
         END $$;
         CREATE FUNCTION h.policy() RETURNS boolean LANGUAGE plpgsql AS $$
         BEGIN
             PERFORM h.attack();
             RETURN true;
         END $$;
         CREATE FUNCTION h.queue(v float8) RETURNS float8 LANGUAGE plpgsql AS $$
         BEGIN
             INSERT INTO h.queued VALUES (1);
             RETURN v;
         END $$;
         CREATE TABLE h.queued (x int);
         CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON h.queued
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION h.fire();
         GRANT INSERT ON h.queued TO PUBLIC;
         CREATE VIEW h.quiet AS SELECT * FROM h.src LIMIT 30;
         CREATE VIEW h.waits AS SELECT * FROM h.src;
         CREATE TABLE h.plain AS SELECT * FROM h.src LIMIT 30;
         GRANT SELECT ON ALL TABLES IN SCHEMA h TO PUBLIC",
    );
    let mut victim = database.session_as(&roles.victim);
    for (model, source, tracking) in [
        ("of_view", "h.quiet", "none"),
        ("of_view_tracked", "h.quiet", "changed_at"),
        ("of_table", "h.plain", "none"),
        ("of_table_tracked", "h.plain", "changed_at"),
        ("of_waiting", "h.waits", "none"),
    ] {
        let changed = match tracking {
            "none" => "",
            _ => ", track_changes => 'changed_at', changed_at => 'changed'",
        };
        victim.run(&format!(
            "SELECT count(*) FROM assess.create_model('{model}', '{source}', {COLUMNS}{changed})"
        ));
    }
    // They turn hostile after the models were made.
    hostile.run(
        "CREATE OR REPLACE VIEW h.quiet AS SELECT sid, item, a, h.pass(score) AS score, d, changed
                                           FROM h.src LIMIT 30;
         CREATE OR REPLACE VIEW h.waits AS SELECT sid, item, a, h.queue(score) AS score, d, changed
                                           FROM h.src LIMIT 30;
         CREATE POLICY p ON h.plain USING (h.policy());
         ALTER TABLE h.plain ENABLE ROW LEVEL SECURITY",
    );
    for model in [
        "of_view",
        "of_view_tracked",
        "of_table",
        "of_table_tracked",
        "of_waiting",
    ] {
        let mut session = laden(&database, &environment("PGUSER"));
        let before = state(&mut session);
        session.run(&format!("CALL assess.refresh('{model}', true)"));
        assert_eq!(attackers(&mut session), [roles.victim.as_str()], "{model}");
        assert_eq!(state(&mut session), before, "{model}");
        nothing_was_won(&database);
        assert_eq!(
            session.table(&format!("SELECT DISTINCT status FROM {model}.runs")),
            ["succeeded"]
        );
    }
    // Making a model reads the source of another role, too. What changes the settings under which
    // it is made can only stop it.
    let mut session = laden(&database, &roles.victim);
    let before = state(&mut session);
    let _ = session.simple_query(&format!(
        "SELECT count(*) FROM assess.create_model('late', 'h.quiet', {COLUMNS})"
    ));
    assert_eq!(attackers(&mut session), [roles.victim.as_str()]);
    assert_eq!(state(&mut session), before);
}

/// Types there come before those of pg_catalog, in all that the session says later. Whether Postgres
/// refuses to make them within a restricted operation depends on its minor version.
#[test]
fn nothing_is_left_in_the_temporary_schema_of_the_caller() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS})"
    ));
    for deed in [
        "CREATE DOMAIN pg_temp.money AS text",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE pg_temp.mood AS ENUM ('good')",
        "CREATE COLLATION pg_temp.c (locale = 'C')",
    ] {
        hostile.run(&format!(
            "CREATE OR REPLACE FUNCTION h.leave() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 {deed};
                 RETURN new;
             END $$;
             DROP TRIGGER IF EXISTS leave ON hm.run_log;
             CREATE TRIGGER leave BEFORE INSERT ON hm.run_log
                 FOR EACH ROW EXECUTE FUNCTION h.leave()"
        ));
        let mut session = laden(&database, &environment("PGUSER"));
        session.run("CREATE TEMP TABLE of_the_caller (x int)");
        let before = state(&mut session);
        session.fails("CALL assess.refresh('hm')");
        assert_eq!(state(&mut session), before, "{deed}");
    }
}

/// The job of a superuser over all models of a database.
#[test]
fn a_nightly_loop_over_all_models_reaches_each_of_them() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    let mut victim = database.session_as(&roles.victim);
    victim.run(&source("shared.victims"));
    for n in 1..=15 {
        let (session, source) = match n % 3 {
            0 => (&mut hostile, "h.src"),
            _ => (&mut victim, "shared.victims"),
        };
        session.run(&format!(
            "SELECT count(*) FROM assess.create_model('m{n}', '{source}', {COLUMNS})"
        ));
        if n % 3 == 0 {
            // The loop's own cursor has such a name.
            session.run(&format!(
                "CREATE OR REPLACE FUNCTION h.skip() RETURNS trigger LANGUAGE plpgsql AS $$
                 DECLARE
                     c refcursor;
                 BEGIN
                     PERFORM h.attack();
                     FOR n IN 1..9 LOOP
                         BEGIN
                             c := format('<unnamed portal %s>', n);
                             MOVE FORWARD ALL IN c;
                         EXCEPTION WHEN OTHERS THEN
                         END;
                         BEGIN
                             CLOSE c;
                         EXCEPTION WHEN OTHERS THEN
                         END;
                     END LOOP;
                     RETURN new;
                 END $$;
                 CREATE TRIGGER skip BEFORE INSERT ON m{n}.run_log FOR EACH ROW EXECUTE FUNCTION h.skip()"
            ));
        }
    }
    let mut session = laden(&database, &environment("PGUSER"));
    let before = state(&mut session);
    session.run(
        "DO $$
         DECLARE
             m record;
         BEGIN
             FOR m IN SELECT model FROM assess.models() LOOP
                 CALL assess.refresh(m.model);
             END LOOP;
         END $$",
    );
    assert_eq!(attackers(&mut session), [roles.hostile.as_str()]);
    assert_eq!(state(&mut session), before);
    nothing_was_won(&database);
    assert_eq!(
        session.table("SELECT status, count(*), min(finished) > now() - interval '1 hour' FROM assess.models() GROUP BY 1"),
        ["succeeded|15|t"]
    );
    for n in 1..=15 {
        assert_eq!(
            session.one::<i64>(&format!("SELECT max(run_id) FROM m{n}.runs")),
            2
        );
    }
}

#[test]
fn a_large_object_that_the_caller_has_open_is_neither_read_nor_written() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS});
         CREATE FUNCTION h.use_descriptor() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE
             deed text;
         BEGIN
             FOREACH deed IN ARRAY ARRAY[
                 'SELECT loread(0, 100)', 'SELECT lowrite(0, ''evil'')', 'SELECT lo_lseek(0, 3, 0)',
                 'SELECT lo_lseek64(0, 3, 0)', 'SELECT lo_tell(0)', 'SELECT lo_tell64(0)',
                 'SELECT lo_truncate(0, 1)', 'SELECT lo_truncate64(0, 1)', 'SELECT lo_close(0)'] LOOP
                 BEGIN
                     EXECUTE deed;
                     INSERT INTO h.stolen VALUES (deed);
                 EXCEPTION WHEN insufficient_privilege THEN
                 END;
             END LOOP;
             RETURN new;
         END $$;
         CREATE TRIGGER t BEFORE UPDATE ON hm.settings FOR EACH ROW EXECUTE FUNCTION h.use_descriptor()"
    ));
    let mut caller = database.session();
    caller.run("BEGIN; SELECT lo_from_bytea(4711, 'secret'); SELECT lo_open(4711, x'60000'::int)");
    caller.run("SELECT assess.set_option('hm', 'half_life', '40 days')");
    assert_eq!(
        caller.table("SELECT convert_from(loread(0, 100), 'UTF8')"),
        ["secret"]
    );
    caller.run("COMMIT");
    nothing_was_won(&database);
}

#[test]
fn pending_triggers_of_the_caller_neither_fire_nor_move() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS})"
    ));
    hostile.run(
        "CREATE FUNCTION h.hasten() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             SET CONSTRAINTS ALL IMMEDIATE;
             RETURN new;
         END $$;
         CREATE TRIGGER hasten BEFORE UPDATE ON hm.settings FOR EACH ROW EXECUTE FUNCTION h.hasten()",
    );
    let mut session = database.session();
    session.run(
        "CREATE TABLE own (x int);
         CREATE FUNCTION own_fired() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             RAISE WARNING 'own as %', current_user;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER t AFTER INSERT ON own DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION own_fired()",
    );
    let fired = |session: &mut Session| -> Vec<String> {
        let notices = session.notices();
        notices
            .iter()
            .map(|n| n.message().to_owned())
            .filter(|m| m.starts_with("own as"))
            .collect()
    };
    // Neither all of them, nor one, nor those that are yet to come.
    for (before, deed) in [
        ("INSERT INTO own VALUES (1)", "ALL IMMEDIATE"),
        ("INSERT INTO own VALUES (1)", "public.t IMMEDIATE"),
        ("SELECT 1", "ALL IMMEDIATE"),
        ("SELECT 1", "ALL DEFERRED"),
    ] {
        hostile.run(&format!(
            "CREATE OR REPLACE FUNCTION h.hasten() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 SET CONSTRAINTS {deed};
                 RETURN new;
             END $$"
        ));
        session.run(&format!("BEGIN; {before}"));
        let refused = session.refuses(
            "SELECT assess.set_option('hm', 'half_life', '20 days')",
            "42501",
        );
        assert_eq!(
            refused.message(),
            "code of a model must not set when constraints are checked"
        );
        session.run("ROLLBACK");
    }
    fired(&mut session);
    hostile.run("DROP TRIGGER hasten ON hm.settings");
    session.run("BEGIN; INSERT INTO own VALUES (1)");
    session.run("SELECT assess.set_option('hm', 'half_life', '20 days')");
    session.run(&source("source_of_own"));
    session.run(&format!(
        "SELECT count(*) FROM assess.create_model('om', 'source_of_own', {COLUMNS});
         SELECT assess.drop_model('om');
         SELECT * FROM assess.models();
         SELECT * FROM assess.check_refreshes()"
    ));
    assert_eq!(fired(&mut session), [""; 0]);
    session.run("COMMIT");
    assert_eq!(fired(&mut session), ["own as postgres"]);
    // A refresh ends the transaction of a procedure that calls it: before anything of the model runs.
    session.run(
        "DO $$
         BEGIN
             INSERT INTO own VALUES (1);
             CALL assess.refresh('hm');
         END $$",
    );
    assert_eq!(fired(&mut session), ["own as postgres"]);
}
