//! The boundary of rights: whoever calls, what belongs to a model runs with the rights of its owner,
//! and the session of the caller is afterwards as it was before.

mod looking;
mod refresh;

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
