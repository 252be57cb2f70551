//! Looking at all models, and checking them, runs nothing of their owners.

use pg_assess_it::{Database, ending, environment};

use super::{COLUMNS, Roles, attacked, attackers, laden, nothing_was_won, source, state};

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
        let run = std::thread::spawn(move || ending(&session.simple_query(statement)));
        let caught = "SELECT last_value FROM h.cancels_n_seq WHERE is_called";
        hostile.run("ALTER SEQUENCE h.cancels_n_seq RESTART");
        while hostile.table(caught).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(!run.is_finished(), "{statement}");
        database
            .session()
            .run(&format!("SELECT pg_terminate_backend({backend})"));
        // The client may see that the connection has ended before it reads why. A crash would have
        // ended the other session as well.
        let end = run.join().expect("the session ends");
        assert!(["57P01", "gone"].contains(&end.as_str()), "{end}");
        let left = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {backend}");
        while !hostile.table(&left).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
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
    let error = session.fails("DO $$ BEGIN INSERT INTO t VALUES (-1); END $$");
    assert_eq!(error.constraint(), Some("positive"));
    assert_eq!(error.table(), Some("t"));
    assert!(
        session
            .fails("CREATE TABLE u AS SELECT nothing FROM t")
            .position()
            .is_some()
    );
}
