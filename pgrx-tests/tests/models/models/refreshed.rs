//! Models are refreshed without anybody noticing, and logged whatever happens.

use std::thread;
use std::time::Duration;

use pg_assess_it::Session;

use super::{REFRESHED, all, with_model};

#[test]
fn plain_refreshes_in_order_give_the_same() {
    let (_database, mut session) = with_model();
    session.run(
        "UPDATE sample_network.responses SET points = max_points - points
         WHERE question_id % 9 = 0 AND points <= max_points",
    );
    for relation in REFRESHED {
        session.run(&format!(
            "REFRESH MATERIALIZED VIEW CONCURRENTLY school.{relation}"
        ));
    }
    let by_hand = all(&mut session);
    assert_eq!(
        session.table("SELECT DISTINCT run_id FROM school.students"),
        ["-"]
    );
    session.run("CALL assess.refresh('school')");
    assert!(by_hand == all(&mut session));
    // Every result is of the same run.
    assert_eq!(
        session.table(
            "SELECT run_id, as_of FROM school.gradebook UNION SELECT run_id, as_of FROM school.questions
             UNION SELECT run_id, as_of FROM school.students
             UNION SELECT run_id, as_of FROM school.assessments
             EXCEPT (SELECT run_id, as_of FROM school.runs ORDER BY run_id DESC LIMIT 1)"
        ),
        [""; 0]
    );
}

#[test]
fn a_dump_restores_to_the_same() {
    let (database, mut session) = with_model();
    session.run("INSERT INTO school.pass_marks VALUES (NULL, 3, 0.75), ('Math', 1, 0.5)");
    let sheet = "SELECT subject, student, assessment, item, taken_at, expected, is_below
                 FROM school.score_sheet WHERE item < 5 ORDER BY 1, 2, 3, 4, 5";
    let restored = database.restored("--format=plain");
    let mut copy = restored.session();
    assert!(all(&mut session) == all(&mut copy));
    assert!(session.table(sheet) == copy.table(sheet));
    let marked = "SELECT min(expected), max(expected) FROM school.score_sheet WHERE item = 3";
    assert_eq!(copy.table(marked), ["0.75|0.75"]);
    copy.run("CALL assess.refresh('school')");
    assert!(all(&mut session) == all(&mut copy));
    // Also one that leaves the data out and comes empty.
    let empty = database.restored("--schema-only");
    let mut copy = empty.session();
    copy.run("CALL assess.refresh('school')");
    assert_eq!(copy.table("SELECT count(*) FROM school.students"), ["0"]);
}

#[test]
fn readers_see_the_old_until_they_see_the_new() {
    let (database, mut session) = with_model();
    let before = all(&mut session);
    session.run("UPDATE sample_network.responses SET points = 0 WHERE student_id % 3 = 0");
    // The refresh is held up in its middle, at a lock on a view that comes late.
    let mut holder = database.session();
    holder.run("BEGIN; COMMENT ON MATERIALIZED VIEW school.assessments IS 'held'");
    let mut refresher = database.session();
    let pid = refresher.backend();
    let refresh = thread::spawn(move || refresher.run("CALL assess.refresh('school')"));
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
         AND relation = 'school.assessments'::regclass"
    );
    wait_for(&mut session, &waits, "1");
    session.run("SET lock_timeout = '1s'");
    assert!(before == all(&mut session), "the old, all of it");
    assert_eq!(
        session.table("SELECT status FROM school.runs ORDER BY run_id DESC LIMIT 1"),
        ["running"]
    );
    // A second refresh is refused at once.
    let error = session.fails("CALL assess.refresh('school')");
    assert_eq!(error.code().code(), "55P03", "{error}");
    assert!(error.message().contains("is being refreshed"), "{error}");
    holder.run("COMMIT");
    refresh.join().expect("it succeeds");
    let after = all(&mut session);
    for (relation, (before, after)) in REFRESHED.iter().zip(before.iter().zip(&after)) {
        assert!(before != after, "{relation} is new");
    }
    assert_eq!(
        session.table("SELECT status FROM school.runs ORDER BY run_id DESC LIMIT 1"),
        ["succeeded"]
    );
}

/// Asks until the answer is the one expected.
fn wait_for(session: &mut Session, query: &str, answer: &str) {
    for _ in 0..600 {
        if session.table(query) == [answer] {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{query} does not become {answer}");
}

#[test]
fn a_refresh_that_is_killed_leaves_the_old_state() {
    let (database, mut session) = with_model();
    let before = all(&mut session);
    session.run("UPDATE sample_network.responses SET points = 0 WHERE student_id % 3 = 0");
    let mut holder = database.session();
    holder.run("BEGIN; COMMENT ON MATERIALIZED VIEW school.students IS 'held'");
    for (end, status) in [
        ("pg_terminate_backend", "57P01"),
        ("pg_cancel_backend", "57014"),
    ] {
        let mut refresher = database.session();
        let pid = refresher.backend();
        let refresh =
            thread::spawn(move || refresher.batch_execute("CALL assess.refresh('school')"));
        let waits = format!(
            "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
             AND relation = 'school.students'::regclass"
        );
        wait_for(&mut session, &waits, "1");
        session.run(&format!("SELECT {end}({pid})"));
        assert!(refresh.join().expect("no panic").is_err());
        let last = "SELECT status || ' ' || sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 1";
        wait_for(&mut session, last, &format!("failed {status}"));
        assert!(before == all(&mut session), "{end}");
    }
    holder.run("COMMIT");
    session.run("CALL assess.refresh('school')");
    assert!(before != all(&mut session));
    assert_eq!(
        session.table("SELECT status, sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 3"),
        ["succeeded|-", "failed|57014", "failed|57P01"]
    );
}

#[test]
fn a_refresh_that_fails_is_logged_and_reported() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE TABLE switch (on_ boolean);
         INSERT INTO switch VALUES (false);
         CREATE OR REPLACE VIEW scores AS SELECT r.student_id, r.subject, r.assessment_id,
             r.question_id, r.points / CASE WHEN (SELECT on_ FROM switch) THEN 0 ELSE 1 END AS points,
             r.max_points, r.taken_on, r.attempt, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id)",
    );
    let before = all(&mut session);
    session.run("UPDATE switch SET on_ = true");
    let refusal = session.fails("CALL assess.refresh('school')");
    assert_eq!(refusal.code().code(), "22012", "{refusal}");
    assert!(before == all(&mut session));
    assert_eq!(
        session.table(
            "SELECT status, sqlstate, error, finished IS NOT NULL FROM school.runs
             ORDER BY run_id DESC LIMIT 1"
        ),
        ["failed|22012|division by zero|t"]
    );
    assert_eq!(
        session.table("SELECT status, error FROM assess.models()"),
        ["failed|division by zero"]
    );
    session.run("UPDATE switch SET on_ = false");
    session.run("CALL assess.refresh('school')");
    session.run("SET statement_timeout = '20ms'");
    let refusal = session.fails("CALL assess.refresh('school')");
    session.run("RESET statement_timeout");
    assert_eq!(refusal.code().code(), "57014", "{refusal}");
    // In a transaction block it cannot commit that it began.
    for block in [
        "BEGIN; CALL",
        "SELECT 1; CALL",
        "BEGIN; SELECT 1; DO $$ BEGIN CALL",
    ] {
        let end = if block.contains("DO") { "; END $$" } else { "" };
        session.refuses(&format!("{block} assess.refresh('school'){end}"), "2D000");
        session.run("ROLLBACK");
    }
    session.run("DO $$ BEGIN CALL assess.refresh('school'); CALL assess.refresh('school'); END $$");
    // Old runs go.
    session.run("SELECT assess.set_option('school', 'keep_runs', '2')");
    for _ in 0..3 {
        session.run("CALL assess.refresh('school')");
    }
    assert_eq!(session.table("SELECT count(*) FROM school.runs"), ["2"]);
}

#[test]
fn a_row_without_a_number_of_its_attempt_counts() {
    let (_database, mut session) = with_model();
    let used = "SELECT rows_used FROM school.runs ORDER BY run_id DESC LIMIT 1";
    let before = session.table(used);
    session.run(
        "CREATE OR REPLACE VIEW scores AS
         SELECT r.student_id, r.subject, r.assessment_id, r.question_id, r.points, r.max_points, r.taken_on,
                nullif(r.attempt, 1::smallint) AS attempt, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id)",
    );
    session.run("CALL assess.refresh('school')");
    assert_eq!(before, session.table(used));
}

/// A date as `as_of` includes the rows of that date, with a column of attempts too, however these
/// are numbered; and times are shown as the source has them.
#[test]
fn the_day_that_results_are_of_has_its_responses() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE VIEW from_zero AS
         SELECT student_id, assessment_id, question_id, points, max_points, taken_on,
                attempt - 1 AS attempt
         FROM scores",
    );
    let day: String = session.one(
        "SELECT taken_on::text FROM scores WHERE attempt = 1 AND points IS NOT NULL
         GROUP BY taken_on ORDER BY count(*) DESC LIMIT 1",
    );
    for source in ["scores", "from_zero"] {
        session.table(&format!(
            "SELECT * FROM assess.create_model('m', '{source}', 'student_id', 'question_id',
                 'assessment_id', 'points', 'taken_on', max_score => 'max_points', attempt => 'attempt',
                 settings => '{{\"as_of\": \"{day}\"}}')"
        ));
        let first = "(attempt = (SELECT min(attempt) FROM {source}))".replace("{source}", source);
        let there: i64 = session.one(&format!(
            "SELECT count(DISTINCT (student_id, question_id, assessment_id)) FROM {source}
             WHERE taken_on = '{day}' AND points IS NOT NULL AND {first}"
        ));
        assert!(there > 0);
        let shown: i64 = session.one(&format!(
            "SELECT count(DISTINCT (student, item, assessment)) FROM m.score_sheet
             WHERE taken_at = '{day}'"
        ));
        assert_eq!(shown, there, "{source}");
        session.table("SELECT assess.drop_model('m')");
    }
}

#[test]
fn to_look_at_all_models_runs_nothing_of_their_owners() {
    let (database, mut session) = with_model();
    let rogue = format!("rogue_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {rogue};
         GRANT CREATE ON DATABASE {} TO {rogue};
         CREATE TABLE trap (who text);
         GRANT INSERT ON trap TO PUBLIC;
         SET ROLE {rogue};
         CREATE SCHEMA bad;
         CREATE FUNCTION bad.spring() RETURNS text LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN 'x'; END $$;
         CREATE MATERIALIZED VIEW bad.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE bad.settings (x int);
         CREATE TABLE bad.responses (x int);
         CREATE VIEW bad.run_log AS
             SELECT 1 AS run_id, bad.spring() AS status, now() AS finished, now() AS as_of,
                    1::bigint AS rows_used, ''::text AS error, 1 AS pid;
         CREATE VIEW bad.runs AS SELECT * FROM bad.run_log;
         RESET ROLE",
        database.name()
    ));
    assert_eq!(
        session.table("SELECT model, status FROM assess.models() ORDER BY model"),
        ["bad|broken", "school|succeeded"]
    );
    session.table("SELECT * FROM assess.check_refreshes()");
    assert_eq!(session.table("SELECT * FROM trap"), [""; 0]);
    session.run(&format!("DROP OWNED BY {rogue} CASCADE; DROP ROLE {rogue}"));
}

#[test]
fn a_source_that_is_loaded_anew_meanwhile_is_not_empty() {
    let (database, mut session) = with_model();
    session.run(
        "CREATE TABLE loaded AS SELECT * FROM scores;
         SELECT assess.create_model('load', 'loaded', 'student_id', 'question_id', 'assessment_id',
             'points', 'taken_on', max_score => 'max_points', subject => 'subject',
             settings => '{\"as_of\": \"2025-12-20\"}')",
    );
    let used = "SELECT rows_used FROM load.runs ORDER BY run_id DESC LIMIT 1";
    let before = session.table(used);
    let mut loader = database.session();
    loader.run("BEGIN; TRUNCATE loaded; INSERT INTO loaded SELECT * FROM scores");
    let mut refresher = database.session();
    let pid = refresher.backend();
    let refresh = thread::spawn(move || refresher.batch_execute("CALL assess.refresh('load')"));
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted
         AND relation = 'loaded'::regclass"
    );
    wait_for(&mut session, &waits, "1");
    loader.run("COMMIT");
    refresh.join().expect("no panic").expect("it succeeds");
    assert_eq!(session.table(used), before);
    assert_eq!(
        session.table("SELECT status FROM load.runs"),
        ["succeeded", "succeeded"]
    );
}

#[test]
fn a_model_is_refreshed_with_the_rights_of_its_owner() {
    let (database, mut session) = with_model();
    let owner = format!("owner_{}", database.name());
    session.run(&format!(
        "CREATE ROLE {owner};
         GRANT CREATE ON DATABASE {0} TO {owner};
         GRANT USAGE ON SCHEMA public TO {owner};
         CREATE TABLE mine AS SELECT * FROM scores;
         ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
         CREATE POLICY half ON mine FOR SELECT TO {owner} USING (student_id % 2 = 0);
         GRANT SELECT ON mine TO {owner};
         CREATE TABLE trap (who text);
         GRANT INSERT ON trap TO PUBLIC;
         SET ROLE {owner};
         SELECT assess.create_model('half', 'mine', 'student_id', 'question_id', 'assessment_id',
             'points', 'taken_on', max_score => 'max_points', subject => 'subject');
         CREATE FUNCTION half.spring() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO public.trap VALUES (current_user); RETURN NEW; END $$;
         CREATE TRIGGER spring BEFORE INSERT ON half.run_log FOR EACH ROW EXECUTE FUNCTION half.spring();
         RESET ROLE",
        database.name()
    ));
    let before = session.table("SELECT sum(rows) FROM half.gradebook");
    session.run("CALL assess.refresh('half')");
    assert_eq!(
        session.table("SELECT sum(rows) FROM half.gradebook"),
        before
    );
    assert_eq!(session.table("SELECT who FROM trap"), [owner.as_str()]);
    assert_eq!(
        session.table("SELECT current_user = session_user"),
        ["t"],
        "and not for longer"
    );
    session.run(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"));
}

#[test]
fn a_fake_model_keeps_nobody_from_looking_at_the_others() {
    let (_database, mut session) = with_model();
    session.run(
        "CREATE SCHEMA fake;
         CREATE MATERIALIZED VIEW fake.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE fake.settings ();
         CREATE TABLE fake.run_log (a int)",
    );
    assert_eq!(
        session.table("SELECT model, status FROM assess.models()"),
        ["fake|broken", "school|succeeded"]
    );
}

#[test]
fn a_run_of_before_a_restart_holds_nobody_up() {
    let (database, mut session) = with_model();
    let mut other = database.session();
    // Another process has got the number of one that the server took with it when it went down.
    session.run(&format!(
        "INSERT INTO school.run_log (started, pid)
         VALUES (pg_postmaster_start_time() - interval '1 hour', {})",
        other.backend()
    ));
    let last = "SELECT status, sqlstate FROM school.runs ORDER BY run_id DESC LIMIT 1";
    assert_eq!(session.table(last), ["failed|57P01"]);
    session.run("CALL assess.refresh('school')");
    assert_eq!(session.table(last), ["succeeded|-"]);
}
