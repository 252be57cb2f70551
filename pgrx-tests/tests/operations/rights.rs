//! The boundary of rights: whoever calls, what belongs to a model runs with the rights of its owner,
//! and the session of the caller is afterwards as it was before.

use pg_assess_it::source::scores;
use pg_assess_it::{Database, Session, environment};

/// Roles belong to the whole server, so each database has its own.
struct Roles {
    hostile: String,
    /// A member of `hostile`, and no superuser.
    boss: String,
    victim: String,
}

impl Roles {
    fn of(database: &Database) -> Self {
        let role = |what: &str| format!("{what}_{}", database.name());
        let roles = Self {
            hostile: role("hostile"),
            boss: role("boss"),
            victim: role("victim"),
        };
        let Self {
            hostile,
            boss,
            victim,
        } = &roles;
        database.session().run(&format!(
            "CREATE ROLE {hostile} LOGIN; CREATE ROLE {boss} LOGIN; CREATE ROLE {victim} LOGIN;
             GRANT {hostile} TO {boss};
             GRANT CREATE, TEMPORARY ON DATABASE {} TO {hostile}, {victim};
             CREATE TABLE secrets AS SELECT 'top' AS secret;
             GRANT SELECT ON secrets TO {boss};
             CREATE SCHEMA shared;
             GRANT ALL ON SCHEMA shared TO PUBLIC",
            database.name()
        ));
        database.session_as(hostile).run(
            "CREATE SCHEMA h;
             GRANT ALL ON SCHEMA h TO PUBLIC;
             CREATE TABLE h.stolen (what text);
             GRANT INSERT ON h.stolen TO PUBLIC;
             -- All that code can do to a session; what is refused is no matter.
             CREATE FUNCTION h.attack() RETURNS void LANGUAGE plpgsql AS $$
             DECLARE
                 deed text;
                 foreign_cursor refcursor;
                 row record;
             BEGIN
                 RAISE WARNING 'attack as %', current_user;
                 FOREACH deed IN ARRAY ARRAY[
                     'SELECT set_config(''role'', ''none'', true)',
                     'SET ROLE NONE', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT',
                     format('ALTER ROLE %I SUPERUSER', 'hostile_' || current_database()),
                     'INSERT INTO h.stolen SELECT secret FROM public.secrets',
                     'SELECT set_config(''TimeZone'', ''Asia/Tokyo'', false)',
                     'SELECT set_config(''search_path'', ''h'', false)',
                     'SELECT set_config(''statement_timeout'', ''7777ms'', false)',
                     'SET standard_conforming_strings = off', 'SET SESSION DateStyle = german',
                     'SELECT set_config(''default_transaction_read_only'', ''on'', false)',
                     'CREATE TEMP TABLE left_behind (x int)',
                     'PREPARE left_behind AS SELECT 1', 'DEALLOCATE ALL', 'DISCARD ALL',
                     'LISTEN left_behind', 'UNLISTEN *',
                     'SELECT pg_advisory_lock(4711)', 'SELECT pg_try_advisory_lock_shared(1, 2)',
                     'SELECT pg_advisory_unlock(1)', 'SELECT pg_advisory_unlock_all()',
                     'DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1',
                     'CLOSE ALL', 'FETCH ALL FROM callers'] LOOP
                     BEGIN
                         EXECUTE deed;
                     EXCEPTION WHEN OTHERS THEN
                     END;
                 END LOOP;
                 BEGIN
                     foreign_cursor := 'callers';
                     FETCH foreign_cursor INTO row;
                     INSERT INTO h.stolen VALUES (row::text);
                 EXCEPTION WHEN OTHERS THEN
                 END;
                 BEGIN
                     foreign_cursor := 'callers';
                     CLOSE foreign_cursor;
                 EXCEPTION WHEN OTHERS THEN
                 END;
                 foreign_cursor := 'left_open_' || clock_timestamp();
                 OPEN foreign_cursor FOR SELECT 1;
             END $$;
             -- The same without what is an error only afterwards.
             CREATE FUNCTION h.note() RETURNS void LANGUAGE plpgsql AS $$
             BEGIN
                 RAISE WARNING 'attack as %', current_user;
             END $$;
             CREATE FUNCTION h.fire() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM h.attack();
                 RETURN new;
             END $$",
        );
        roles
    }
}

const COLUMNS: &str = "'sid', 'item', 'a', 'score', 'd'";

fn source(name: &str) -> String {
    scores(name, 40, 20, ", now() AS changed")
}

/// All that a session holds, but for what it sees of others.
fn state(session: &mut Session) -> Vec<String> {
    session.table(
        "SELECT 'user', current_user || ' ' || session_user
         UNION ALL SELECT 'set ' || name, setting FROM pg_settings
                   WHERE name NOT LIKE 'transaction%' AND name <> 'in_hot_standby'
         UNION ALL SELECT 'cursor', name FROM pg_cursors WHERE name <> ''
         UNION ALL SELECT 'prepared', name FROM pg_prepared_statements WHERE name NOT LIKE 's%'
         UNION ALL SELECT 'listens', l FROM pg_listening_channels() l
         UNION ALL SELECT 'lock', format('%s %s %s', classid, objid, mode) FROM pg_locks
                   WHERE locktype = 'advisory' AND pid = pg_backend_pid()
         UNION ALL SELECT 'temporary', d.objid::text FROM pg_depend d
                   WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = pg_my_temp_schema()
         ORDER BY 1, 2",
    )
}

/// A session with something of each kind that code could take away.
fn laden(database: &Database, role: &str) -> Session {
    let mut session = database.session_as(role);
    session.run(
        "-- Languages bring settings of their own.
         DO $$ BEGIN NULL; END $$;
         LISTEN of_the_caller;
         PREPARE of_the_caller AS SELECT 1;
         SELECT pg_advisory_lock(1);
         SET work_mem = '65MB';
         SET TimeZone = 'Europe/Vienna'",
    );
    session.run("BEGIN");
    session.run("DECLARE callers CURSOR WITH HOLD FOR SELECT generate_series(1, 100)");
    session.run("COMMIT");
    session
}

/// What was said of attacks, without repetition.
fn attackers(session: &mut Session) -> Vec<String> {
    let mut who: Vec<String> = session
        .notices()
        .iter()
        .filter_map(|notice| {
            notice
                .message()
                .strip_prefix("attack as ")
                .map(str::to_owned)
        })
        .collect();
    who.dedup();
    who
}

fn nothing_was_won(database: &Database) {
    let mut session = database.session();
    let won = session.table(&format!(
        "SELECT 'superuser' FROM pg_roles WHERE rolname = 'hostile_{}' AND rolsuper
         UNION ALL SELECT what FROM h.stolen",
        database.name()
    ));
    assert_eq!(won, [""; 0]);
}

/// Runs a statement as a superuser and as a plain member, and looks at what it leaves.
fn attacked(database: &Database, roles: &Roles, by: &str, statement: &str) {
    for caller in [environment("PGUSER"), roles.boss.clone()] {
        let mut session = laden(database, &caller);
        let before = state(&mut session);
        session.run(statement);
        assert_eq!(attackers(&mut session), [by], "{statement} by {caller}");
        let after = state(&mut session);
        let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        assert!(
            changed.is_empty() && gone.is_empty(),
            "{statement}: {changed:?} for {gone:?}"
        );
        assert_eq!(session.one::<i32>("FETCH callers"), 1);
        nothing_was_won(database);
    }
}

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

/// In an index, a constraint or statistics it is worked out by whoever plans a query.
const CONSTANT: &str = "CREATE FUNCTION h.constant() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
     BEGIN
         IF current_user NOT LIKE 'hostile%' THEN
             PERFORM h.attack();
         END IF;
         RETURN 1;
     END $$";

/// The planner works out what is constant in these as soon as a statement names the table.
#[test]
fn looking_at_all_models_plans_nothing_of_others() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(CONSTANT);
    for (model, trap) in [
        ("m1", "CREATE INDEX ON m1.run_log ((pid + h.constant()))"),
        (
            "m2",
            "CREATE INDEX ON m2.run_log (pid) WHERE pid > h.constant()",
        ),
        (
            "m3",
            "CREATE STATISTICS m3.s ON (pid + h.constant()), status FROM m3.run_log",
        ),
        (
            "m4",
            "ALTER TABLE m4.run_log ADD CHECK (pid >= h.constant())",
        ),
        (
            "m5",
            "CREATE INDEX ON m5.alert_rules ((threshold + h.constant()))",
        ),
    ] {
        hostile.run(&format!(
            "SELECT count(*) FROM assess.create_model('{model}', 'h.src', {COLUMNS})"
        ));
        hostile.run(trap);
    }
    let mut session = laden(&database, &environment("PGUSER"));
    session.run("SET constraint_exclusion = on");
    let before = state(&mut session);
    assert_eq!(session.table("SELECT count(*) FROM assess.models()"), ["5"]);
    session.table("SELECT * FROM assess.check_refreshes()");
    assert_eq!(attackers(&mut session), [""; 0]);
    assert_eq!(state(&mut session), before);
    nothing_was_won(&database);
    // By the refresh they are run, with the rights of the owner.
    session.run("CALL assess.refresh('m1')");
    nothing_was_won(&database);
    assert_eq!(state(&mut session), before);
}

#[test]
fn only_who_may_act_for_the_owner_changes_a_model() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut victim = database.session_as(&roles.victim);
    victim.run(&source("shared.src"));
    victim.run(&format!(
        "SELECT count(*) FROM assess.create_model('vm', 'shared.src', {COLUMNS})"
    ));
    let mut hostile = database.session_as(&roles.hostile);
    for statement in [
        "CALL assess.refresh('vm')",
        "SELECT assess.set_option('vm', 'half_life', '1 day')",
        "SELECT assess.drop_model('vm')",
    ] {
        let refused = hostile.refuses(statement, "42501");
        assert_eq!(refused.message(), "must be owner of model vm");
    }
    hostile.refuses(
        &format!(
            "SELECT assess._as_owner('{}'::regrole, 'SELECT 1')",
            roles.victim
        ),
        "42501",
    );
    // Who owns the schema can put other tables into it.
    let mut session = database.session();
    session.run(&format!("ALTER SCHEMA vm OWNER TO {}", roles.hostile));
    hostile.run(
        "DROP TABLE vm.alert_rules CASCADE;
         CREATE TABLE vm.alert_rules (rule text);",
    );
    for statement in [
        "CALL assess.refresh('vm')",
        "SELECT assess.set_option('vm', 'half_life', '1 day')",
    ] {
        let refused = session.refuses(statement, "55000");
        assert_eq!(refused.message(), "model vm has more than one owner");
    }
}

/// What is known of a table by the snapshot of the transaction may not be so any more.
#[test]
fn looking_at_all_models_runs_nothing_as_the_caller_from_an_old_snapshot() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS});
         {CONSTANT}"
    ));
    for caller in [environment("PGUSER"), roles.boss.clone()] {
        let mut session = laden(&database, &caller);
        let before = state(&mut session);
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
        hostile.run(
            "CREATE INDEX late ON hm.run_log ((pid + h.constant()));
             CREATE INDEX late_rules ON hm.alert_rules ((threshold + h.constant()));
             CREATE INDEX late_definition ON hm.definition ((length(source) + h.constant()))",
        );
        assert_eq!(
            session.table("SELECT model, status FROM assess.models()"),
            ["hm|succeeded"]
        );
        session.table("SELECT * FROM assess.check_refreshes()");
        session.run("COMMIT");
        assert_eq!(attackers(&mut session), [""; 0]);
        assert_eq!(state(&mut session), before);
        nothing_was_won(&database);
        hostile.run("DROP INDEX hm.late, hm.late_rules, hm.late_definition");
    }
}

/// The key of a partitioned table is worked out with its partition.
#[test]
fn looking_at_all_models_reads_no_partition() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS});
         {CONSTANT};
         CREATE TABLE h.rules (LIKE hm.alert_rules) PARTITION BY LIST ((length(rule) + h.constant()));
         CREATE TABLE h.others PARTITION OF h.rules FOR VALUES IN (77);
         CREATE TABLE h.kept AS SELECT * FROM hm.alert_rules;
         DROP TABLE hm.alert_rules CASCADE;
         CREATE TABLE hm.alert_rules PARTITION OF h.rules DEFAULT;
         INSERT INTO hm.alert_rules SELECT * FROM h.kept"
    ));
    let mut session = laden(&database, &environment("PGUSER"));
    session.run("SET constraint_exclusion = on");
    session.table("SELECT * FROM assess.check_refreshes(), assess.models()");
    assert_eq!(attackers(&mut session), [""; 0]);
    nothing_was_won(&database);
}

/// An index can be locked where its table is not, and rows where nobody waits for the table.
#[test]
fn looking_at_all_models_waits_for_nobody() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS});
         INSERT INTO hm.alerts (raised, rule, message, value, threshold)
         VALUES (now(), 'refresh_overdue', 'x', 1, 1)"
    ));
    for (caller, lock) in [
        (
            environment("PGUSER"),
            "ALTER INDEX hm.run_log_pkey SET TABLESPACE pg_default",
        ),
        (
            roles.hostile.clone(),
            "LOCK TABLE hm.settings IN ACCESS EXCLUSIVE MODE",
        ),
        (roles.hostile.clone(), "SELECT FROM hm.alerts FOR UPDATE"),
    ] {
        hostile.run(&format!("BEGIN; {lock}"));
        let mut session = database.session_as(&caller);
        session.run("SET statement_timeout = '20s'");
        assert_eq!(session.table("SELECT model FROM assess.models()"), ["hm"]);
        let found = session.table("SELECT message FROM assess.check_refreshes()");
        assert_eq!(
            found,
            ["Its refreshes could not be checked: canceling statement due to lock timeout."],
            "{lock}"
        );
        hostile.run("ROLLBACK");
    }
    // Nor does it take a second look at each row that says it runs.
    hostile.run(
        "INSERT INTO hm.run_log (status, pid)
         SELECT 'running', pg_backend_pid() FROM generate_series(1, 400)",
    );
    let mut session = database.session();
    session.run("SET statement_timeout = '20s'");
    session.table("SELECT * FROM assess.check_refreshes()");
}

/// Names fold to lower case where they are read as SQL.
#[test]
fn a_model_belongs_to_the_role_that_makes_it_whatever_its_name() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut admin = database.session();
    admin.run(&source("shared.src"));
    admin.run("GRANT SELECT ON shared.src TO PUBLIC");
    for (n, name) in [
        roles.hostile.to_uppercase(),
        format!("{}@example.org", database.name()),
        format!("{} a \"b\"", database.name()),
    ]
    .iter()
    .enumerate()
    {
        admin.run(&format!(
            "DO $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', {0});
                         EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), {0});
                         EXECUTE format('GRANT %I TO %I', '{1}', {0}); END $$",
            format_args!("'{name}'"),
            roles.hostile
        ));
        let mut session = database.session_as(name);
        session.run(&format!(
            "SELECT count(*) FROM assess.create_model('m{n}', 'shared.src', {COLUMNS})"
        ));
        assert_eq!(
            session.table(&format!(
                "SELECT owner FROM assess.models() WHERE model = 'm{n}'"
            )),
            [name.as_str()]
        );
        session.run(&format!("CALL assess.refresh('m{n}')"));
        assert_eq!(
            session.table("SELECT * FROM assess.check_refreshes()"),
            [""; 0]
        );
    }
}

/// Who owns the schema can put another table of settings into it.
#[test]
fn checking_refreshes_runs_nothing_of_who_owns_a_part() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut session = laden(&database, &environment("PGUSER"));
    session.run(&source("source_of_own"));
    session.run(&format!(
        "SELECT count(*) FROM assess.create_model('om', 'source_of_own', {COLUMNS});
         ALTER SCHEMA om OWNER TO {}",
        roles.hostile
    ));
    database.session_as(&roles.hostile).run(&format!(
        "{CONSTANT};
         DROP TABLE om.settings CASCADE;
         CREATE TABLE om.settings (keep_alerts interval, x int);
         CREATE INDEX ON om.settings ((x + h.constant()))"
    ));
    session.table("SELECT * FROM assess.check_refreshes()");
    assert_eq!(attackers(&mut session), [""; 0]);
    nothing_was_won(&database);
}

/// What a job of a superuser or of a member asks is whether the next refresh can be logged.
#[test]
fn checking_refreshes_tries_the_logs_of_all_owners_with_their_rights() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    let mut victim = database.session_as(&roles.victim);
    victim.run(&source("shared.victims"));
    for (session, model, source) in [
        (&mut hostile, "hm", "h.src"),
        (&mut victim, "vm", "shared.victims"),
    ] {
        session.run(&format!(
            "SELECT count(*) FROM assess.create_model('{model}', '{source}', {COLUMNS});
             GRANT USAGE ON SCHEMA {model} TO PUBLIC;
             GRANT SELECT ON {model}.run_log, {model}.alert_rules TO PUBLIC;"
        ));
    }
    let look = "SELECT model, rule, message FROM assess.check_refreshes()";
    let trap = "BEFORE INSERT OR UPDATE OR DELETE ON hm.run_log FOR EACH ROW EXECUTE FUNCTION";
    hostile.run(&format!("CREATE TRIGGER trap {trap} h.fire()"));
    attacked(&database, &roles, &roles.hostile, look);
    // Who may not act for the owner runs nothing of the owner's.
    assert_eq!(victim.table(look), [""; 0]);
    assert_eq!(attackers(&mut victim), [""; 0]);
    hostile.run("DROP TRIGGER trap ON hm.run_log");

    let rows = "SELECT run_id, status FROM hm.run_log";
    let before = hostile.table(rows);
    for (state, start) in [
        (
            "53100",
            "The log of its refreshes cannot be written: no more rows (53100).",
        ),
        ("57014", "Its refreshes could not be checked: no more rows."),
        ("P0004", "Its refreshes could not be checked: no more rows."),
    ] {
        hostile.run(&format!(
            "CREATE FUNCTION h.refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no more rows' USING ERRCODE = '{state}'; END $$;
             CREATE TRIGGER refuse {trap} h.refuse()"
        ));
        victim.run("UPDATE vm.run_log SET started = now() - interval '9 days', finished = now() - interval '9 days'");
        for caller in [environment("PGUSER"), roles.boss.clone()] {
            let mut session = database.session_as(&caller);
            let found = session.table(look);
            assert_eq!(found[0], format!("hm|refresh_failed|{start}"));
            // What one owner does keeps nothing of another from being reported.
            assert_eq!(found.len(), 2, "{found:?}");
            assert!(found[1].starts_with("vm|refresh_overdue|"), "{found:?}");
        }
        hostile.run("DROP FUNCTION h.refuse() CASCADE");
    }
    assert_eq!(hostile.table(rows), before);

    // A trigger that waits ends with a timeout, and nothing of that kind is tried afterwards.
    hostile.run(&format!(
        "CREATE FUNCTION h.wait() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(600); RETURN new; END $$;
         CREATE TRIGGER wait {trap} h.wait();
         SELECT count(*) FROM assess.create_model('hm2', 'h.src', {COLUMNS});
         CREATE TRIGGER wait BEFORE INSERT ON hm2.run_log FOR EACH ROW EXECUTE FUNCTION h.wait()"
    ));
    let mut session = database.session();
    session.run("SET statement_timeout = '1s'");
    let found = session.table(look);
    assert_eq!(
        found[0],
        "hm|refresh_failed|Its refreshes could not be checked: canceling statement due to statement timeout."
    );
    assert_eq!(found.len(), 2, "{found:?}");
    hostile.run("DROP FUNCTION h.wait() CASCADE");

    // A trigger that can be deferred would have to fire later: it is left to the refresh.
    hostile.run(
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON hm.run_log DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION h.fire()",
    );
    hostile.notices();
    assert_eq!(session.table(look).len(), 1);
    assert_eq!(attackers(&mut session), [""; 0]);
    let own = hostile.table(look);
    assert!(own.iter().all(|row| !row.starts_with("hm|")), "{own:?}");
    assert_eq!(attackers(&mut hostile), [""; 0]);
    hostile.run("DROP TRIGGER late ON hm.run_log");

    // Nobody's lock is waited for.
    hostile.run("BEGIN; LOCK TABLE hm.run_log IN SHARE MODE");
    let found = session.table(look);
    assert!(
        found[0].starts_with(
            "hm|refresh_failed|The log of its refreshes cannot be written: could not obtain lock"
        ),
        "{found:?}"
    );
    nothing_was_won(&database);
}

/// Code that catches cancels is ended by nothing else, as the pages say.
#[test]
fn a_session_that_runs_what_catches_every_cancel_can_be_terminated() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&source("h.src"));
    hostile.run(&format!(
        "SELECT count(*) FROM assess.create_model('hm', 'h.src', {COLUMNS});
         CREATE FUNCTION h.stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             LOOP
                 BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END;
                 INSERT INTO h.cancels DEFAULT VALUES;
             END LOOP;
         END $$;
         CREATE TABLE h.cancels (n serial);
         CREATE TRIGGER stay BEFORE INSERT ON hm.run_log FOR EACH ROW EXECUTE FUNCTION h.stay()"
    ));
    for statement in [
        "SELECT * FROM assess.check_refreshes()",
        "CALL assess.refresh('hm')",
    ] {
        let mut session = database.session();
        session.run("SET statement_timeout = '200ms'");
        let backend = session.backend();
        let run = std::thread::spawn(move || session.fails(statement).code().code().to_owned());
        let caught = "SELECT last_value FROM h.cancels_n_seq WHERE is_called";
        hostile.run("ALTER SEQUENCE h.cancels_n_seq RESTART");
        while hostile.table(caught).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(!run.is_finished(), "{statement}");
        database
            .session()
            .run(&format!("SELECT pg_terminate_backend({backend})"));
        assert_eq!(run.join().expect("the session ends"), "57P01");
    }
}

/// Who may write to the table that keeps privileges gives nobody others.
#[test]
fn kept_privileges_are_no_statements() {
    let database = Database::new();
    let roles = Roles::of(&database);
    let mut victim = database.session_as(&roles.victim);
    victim.run(&source("shared.src"));
    victim.run(&format!(
        "SELECT count(*) FROM assess.create_model('vm', 'shared.src', {COLUMNS});
         CREATE TABLE shared.own AS SELECT 1 AS x;
         GRANT USAGE ON SCHEMA vm TO {0};
         GRANT SELECT, UPDATE ON vm.definition TO {0}",
        roles.hostile
    ));
    let mut hostile = database.session_as(&roles.hostile);
    hostile.run(&format!(
        r#"UPDATE vm.definition SET grants =
           '[{{"relation": "students", "grantable": false,
              "privilege": "SELECT ON shared.own TO {}; GRANT SELECT"}}]'"#,
        roles.hostile
    ));
    victim.run("DROP MATERIALIZED VIEW vm.students CASCADE; SELECT * FROM assess.attach('vm')");
    let refused = hostile.fails("SELECT * FROM shared.own");
    assert_eq!(refused.code().code(), "42501");
}

/// The library stands between Postgres and every statement of a session that has loaded it.
#[test]
fn errors_of_other_statements_keep_all_their_fields() {
    let database = Database::new();
    let mut session = database.session();
    session.run("SELECT assess.discrimination(1, 1); CREATE TABLE t (x int CONSTRAINT positive CHECK (x > 0))");
    let told = session.fails("DO $$ BEGIN INSERT INTO t VALUES (-1); END $$");
    assert_eq!(told.constraint(), Some("positive"));
    assert_eq!(told.table(), Some("t"));
    assert!(
        session
            .fails("CREATE TABLE u AS SELECT nothing FROM t")
            .position()
            .is_some()
    );
}
