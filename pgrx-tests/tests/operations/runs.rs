//! Every refresh that fails is reported, and none that is broken off keeps the next one from working.

use pg_assess_it::source::scores;
use pg_assess_it::{Database, Server, Session};

fn make_model(session: &mut Session) {
    session.run(&scores("src", 40, 20, ""));
    session.run(
        "SELECT count(*) FROM assess.create_model('m', 'src', 'sid', 'item', 'a', 'score', 'd')",
    );
}

fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    make_model(&mut session);
    (database, session)
}

const LAST: &str = "SELECT run_id, status, sqlstate FROM m.runs ORDER BY run_id DESC LIMIT 1";

#[test]
fn a_run_that_was_broken_off_blocks_nobody() {
    let (database, mut session) = with_model();
    // Cancelled between two of its steps, and its session goes on with something else.
    let mut other = database.session();
    other.run("INSERT INTO m.run_log DEFAULT VALUES");
    let role = format!("owner_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT CREATE ON DATABASE {} TO {role};
         GRANT CREATE ON SCHEMA public TO {role}",
        database.name()
    ));
    assert_eq!(session.table(LAST), ["2|failed|57014"]);
    assert_eq!(
        session.table("SELECT status, error FROM assess.models()"),
        ["failed|the run was cancelled between two of its steps"]
    );
    assert_eq!(
        session.table("SELECT model, rule, message ~ 'error 57014' FROM assess.check_refreshes()"),
        ["m|refresh_failed|t"]
    );
    other.run("BEGIN; SELECT 1");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT run_id, status, sqlstate FROM m.runs ORDER BY run_id"),
        ["1|succeeded|-", "2|failed|57014", "3|succeeded|-"]
    );
    // Also where the owner may not see what a superuser's session does.
    for relation in session.table(
        "SELECT relname FROM pg_class
         WHERE relnamespace = 'm'::regnamespace AND relkind IN ('r', 'v', 'm')",
    ) {
        session.run(&format!("ALTER TABLE m.{relation} OWNER TO {role}"));
    }
    session.run(&format!(
        "ALTER SCHEMA m OWNER TO {role}; ALTER TABLE src OWNER TO {role}"
    ));
    other.run("ROLLBACK; INSERT INTO m.run_log DEFAULT VALUES; BEGIN; SELECT 1");
    database.session_as(&role).run("CALL assess.refresh('m')");
    assert_eq!(session.table(LAST), ["5|succeeded|-"]);
}

#[test]
fn a_refresh_that_cannot_begin_is_logged_and_raises_its_alert() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON m.settings FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    );
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "53100");
    assert_eq!(error.message(), "the disk is full");
    assert_eq!(error.detail(), Some("The results are those of before."));
    assert_eq!(session.table(LAST), ["2|failed|53100"]);
    assert_eq!(
        session.table(
            "SELECT rule, run_id, ended IS NULL FROM m.alerts WHERE rule = 'refresh_failed'"
        ),
        ["refresh_failed|2|t"]
    );
    session.run("DROP TRIGGER refuse ON m.settings");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(LAST), ["3|succeeded|-"]);
}

#[test]
fn a_log_that_cannot_be_written_is_reported_by_the_error_and_by_the_next_look() {
    let (database, mut session) = with_model();
    session.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'no more rows'; END $$;
         CREATE TRIGGER refuse BEFORE DELETE ON m.run_log FOR EACH STATEMENT EXECUTE FUNCTION refuse();
         CREATE TRIGGER refuse_too BEFORE INSERT ON m.run_log FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    );
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(
        error.detail(),
        Some("The results are those of before. This could not be logged: no more rows.")
    );
    let look = "SELECT model, rule, message FROM assess.check_refreshes()";
    assert_eq!(
        session.table(look),
        ["m|refresh_failed|The log of its refreshes cannot be written: no more rows (P0001)."]
    );
    session.run("DROP TRIGGER refuse ON m.run_log; DROP TRIGGER refuse_too ON m.run_log");
    assert_eq!(session.table(look), [""; 0]);
    // To look leaves nothing, and takes no number.
    assert_eq!(session.table("SELECT run_id FROM m.run_log"), ["1"]);
    session.run("CALL assess.refresh('m')");

    // Nobody's lock is waited for.
    let mut other = database.session();
    other.run("BEGIN; LOCK TABLE m.run_log IN ACCESS EXCLUSIVE MODE");
    session.run("SET statement_timeout = '20s'");
    let found = session.table(look);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("m|refresh_failed|Its refreshes could not be checked: "),
        "{found:?}"
    );
    assert_eq!(
        session.table("SELECT model, status FROM assess.models()"),
        ["m|-"]
    );
    session.run("SET lock_timeout = '50ms'");
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "55P03");
    assert!(
        error
            .detail()
            .is_some_and(|detail| detail.contains("This could not be logged: "))
    );
    other.run("ROLLBACK; BEGIN; LOCK TABLE m.alerts IN ACCESS EXCLUSIVE MODE");
    assert_eq!(session.table(look).len(), 1);
    other.run("ROLLBACK");
    assert_eq!(session.table(look), [""; 0]);
}

#[test]
fn who_comes_while_another_run_is_at_work_has_not_failed() {
    let (database, mut session) = with_model();
    let mut other = database.session();
    // The lock of a run that has not yet committed its first words.
    let lock = "SELECT assess._try_lock('m'::regnamespace)";
    other.run(&format!(
        "BEGIN; {lock}; SELECT assess._begin('m'); COMMIT; BEGIN; {lock}"
    ));
    let error = session.refuses("CALL assess.refresh('m')", "55P03");
    assert_eq!(error.message(), "model m is being refreshed");
    assert_eq!(
        error.detail(),
        Some(format!("Server process {} holds its lock.", other.backend()).as_str())
    );
    assert_eq!(
        session.table("SELECT run_id, status FROM m.runs"),
        ["1|succeeded", "2|running"]
    );
    // Who holds the lock and is no run keeps the model from being refreshed: that is a failure.
    other.run("COMMIT; UPDATE m.run_log SET status = 'failed' WHERE run_id = 2");
    other.run(&format!("BEGIN; {lock}"));
    session.refuses("CALL assess.refresh('m')", "55P03");
    assert_eq!(session.table(LAST), ["3|failed|55P03"]);
    other.run("COMMIT");
    session.run("CALL assess.refresh('m')");
}

/// A prepared transaction has no process, and outlives a restart of the server.
#[test]
fn a_prepared_transaction_that_keeps_a_refresh_out_is_named() {
    let server = Server::start("max_prepared_transactions = 2");
    let database = Database::on(&server.host);
    let mut session = database.session();
    make_model(&mut session);
    session.run("BEGIN; SELECT assess._lock('m'); PREPARE TRANSACTION 'left''over'");
    for statement in [
        "CALL assess.refresh('m')",
        "SELECT * FROM assess.attach('m')",
    ] {
        let error = session.refuses(statement, "55P03");
        assert_eq!(
            error.message(),
            "model m is locked by a prepared transaction"
        );
        assert_eq!(
            error.detail(),
            Some("It is 'left''over', see pg_prepared_xacts.")
        );
        assert_eq!(
            error.hint(),
            Some("End it by COMMIT PREPARED 'left''over' or ROLLBACK PREPARED 'left''over'.")
        );
    }
    session.run("ROLLBACK PREPARED 'left''over'");
    session.run("CALL assess.refresh('m')");
}

/// ALTER SCHEMA waits for no refresh.
#[test]
fn a_refresh_whose_model_is_renamed_is_logged_under_the_new_name() {
    let (database, mut session) = with_model();
    session.run(
        "CREATE TABLE wait AS SELECT 1 AS x;
         CREATE VIEW slow AS SELECT src.* FROM src
             WHERE (SELECT count(*) > 0 FROM pg_sleep(0), wait);
         SELECT count(*) FROM assess.create_model('s1', 'slow', 'sid', 'item', 'a', 'score', 'd')",
    );
    let mut other = database.session();
    let mut third = database.session();
    third.run("BEGIN; LOCK TABLE wait");
    let refresh = std::thread::spawn(move || other.fails("CALL assess.refresh('s1')"));
    while session.one::<i64>(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'wait'::regclass",
    ) == 0
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    session.run("ALTER SCHEMA s1 RENAME TO s2");
    third.run("COMMIT");
    let found = refresh.join().expect("the refresh ends");
    assert_eq!(
        found.detail(),
        Some("The results are those of before."),
        "{found}"
    );
    assert_eq!(found.hint(), Some("See s2.runs."));
    assert_eq!(
        session.table("SELECT run_id, status, sqlstate FROM s2.runs ORDER BY 1"),
        [
            "1|succeeded|-",
            format!("2|failed|{}", found.code().code()).as_str()
        ]
    );
    session.run("CALL assess.refresh('s2')");
}

/// As where a new model takes the place of an old one: nothing of the new one is refreshed instead.
#[test]
fn a_refresh_whose_model_gives_its_name_to_another_leaves_that_one_alone() {
    let (database, mut session) = with_model();
    session.run(
        "SELECT count(*) FROM assess.create_model('old', 'src', 'sid', 'item', 'a', 'score', 'd',
             track_changes => 'triggers');
         SELECT count(*) FROM assess.create_model('new', 'src', 'sid', 'item', 'a', 'score', 'd',
             track_changes => 'triggers')",
    );
    let mut other = database.session();
    let mut third = database.session();
    third.run("BEGIN; COMMENT ON MATERIALIZED VIEW old.students IS 'locked'");
    let refresh = std::thread::spawn(move || other.fails("CALL assess.refresh('old', true)"));
    while session.one::<i64>(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'old.students'::regclass",
    ) == 0
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    session.run("BEGIN; ALTER SCHEMA old RENAME TO older; ALTER SCHEMA new RENAME TO old; COMMIT");
    third.run("ROLLBACK");
    let found = refresh.join().expect("the refresh ends");
    assert_eq!(found.code().code(), "40001", "{found}");
    assert_eq!(
        found.message(),
        "model old was renamed while it was refreshed"
    );
    assert_eq!(found.detail(), Some("Another schema has its name now."));
    assert_eq!(
        found.hint(),
        Some("Refresh it again, under the name that it has now.")
    );
    assert_eq!(
        session.table("SELECT run_id, status, sqlstate FROM older.runs ORDER BY 1"),
        ["1|succeeded|-", "2|failed|40001"]
    );
    assert_eq!(
        session.table("SELECT run_id, status FROM old.runs"),
        ["1|succeeded"]
    );
    assert!(!session.one::<bool>("SELECT frozen FROM older.tracking"));
    session.run("CALL assess.refresh('older')");
    session.run("CALL assess.refresh('old')");
}

/// A procedure that commits cannot pin its search_path for good.
#[test]
fn no_operator_of_the_callers_path_is_taken_on_the_way_out() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE SCHEMA q;
         CREATE FUNCTION q.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN RAISE WARNING 'hijacked'; RETURN NULL; END $$;
         CREATE OPERATOR q.= (FUNCTION = q.equal, LEFTARG = text, RIGHTARG = text);
         CREATE FUNCTION q.join(text, text) RETURNS text LANGUAGE plpgsql AS
             $$ BEGIN RAISE WARNING 'hijacked'; RETURN NULL; END $$;
         CREATE OPERATOR q.|| (FUNCTION = q.join, LEFTARG = text, RIGHTARG = text);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON m.history FOR EACH ROW EXECUTE FUNCTION refuse();
         SET search_path = q, pg_catalog",
    );
    assert_eq!(session.fails("CALL assess.refresh('m')").message(), "no");
    session.run("DROP TRIGGER refuse ON m.history");
    session.run("CALL assess.refresh('m')");
    assert!(
        session
            .notices()
            .iter()
            .all(|notice| notice.message() != "hijacked")
    );
}
