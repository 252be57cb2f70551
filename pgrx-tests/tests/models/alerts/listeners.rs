//! Who hears of alerts, and that nothing else comes with them.

use pg_assess_it::{Database, Session};

use super::{heard, listener, literal, warnings, with_model};

/// A role that is gone with the value.
struct Role(Session, String);

impl Role {
    fn new(database: &Database, what: &str) -> Self {
        let mut session = database.session();
        let name = format!("{}_{what}", database.name());
        session.run(&format!("CREATE ROLE {name} LOGIN"));
        Self(session, name)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let name = &self.1;
        let _ = self
            .0
            .batch_execute(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"));
    }
}

#[test]
fn others_see_what_they_may_and_change_nothing() {
    let (database, mut session) = with_model();
    let reader = Role::new(&database, "reader");
    session.run("UPDATE m.run_log SET finished = finished - interval '3 days'");
    let mut other = database.session_as(&reader.1);
    assert_eq!(
        other.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    session.run(&format!(
        "GRANT USAGE ON SCHEMA m TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA m TO {0}",
        reader.1
    ));
    assert_eq!(
        other.table("SELECT model, rule FROM assess.check_refreshes()"),
        ["m|refresh_overdue"]
    );
    assert_eq!(warnings(&mut other), [""; 0]);
    assert_eq!(
        session.table("SELECT count(*) FROM m.alerts WHERE rule = 'refresh_overdue'"),
        ["0"]
    );
    session.run("ALTER TABLE m.run_log ENABLE ROW LEVEL SECURITY");
    assert_eq!(
        other.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
}

#[test]
fn the_models_of_others_run_nothing_here() {
    let database = Database::new();
    let mut session = database.session();
    let rogue = Role::new(&database, "rogue");
    session.run(&format!(
        "CREATE TABLE public.trap(who text); GRANT INSERT ON public.trap TO PUBLIC;
         GRANT CREATE ON DATABASE {} TO {}",
        database.name(),
        rogue.1
    ));
    let mut other = database.session_as(&rogue.1);
    other.run(
        "CREATE SCHEMA trap;
         CREATE FUNCTION trap.spring() RETURNS text VOLATILE LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO public.trap VALUES (current_user); RETURN 'failed'; END $$;
         CREATE MATERIALIZED VIEW trap.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE trap.settings(x int);
         CREATE TABLE trap.alert_rules(rule text, threshold float8, enabled bool);
         INSERT INTO trap.alert_rules VALUES ('refresh_failed', 1, true);
         CREATE TABLE trap.alerts(x int DEFAULT length(trap.spring()));
         CREATE TABLE trap.good(run_id bigint, started timestamptz, finished timestamptz,
                                status text, sqlstate text, pid int);
         INSERT INTO trap.good VALUES (1, now(), now(), 'failed', 'X');",
    );
    // A view, a policy, and a type with a cast are not read; of a plain table nothing is kept.
    for (make, unmake) in [
        (
            "CREATE VIEW trap.run_log AS
             SELECT run_id, started, finished, trap.spring() AS status, sqlstate, pid FROM trap.good",
            "DROP VIEW trap.run_log",
        ),
        (
            "CREATE TABLE trap.run_log AS TABLE trap.good;
             ALTER TABLE trap.run_log ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON trap.run_log USING (trap.spring() = 'failed')",
            "DROP TABLE trap.run_log",
        ),
        (
            "CREATE TYPE trap.bait AS ENUM ('failed');
             CREATE FUNCTION trap.cast(trap.bait) RETURNS text LANGUAGE sql
             RETURN trap.spring();
             CREATE CAST (trap.bait AS text) WITH FUNCTION trap.cast(trap.bait) AS IMPLICIT;
             CREATE TABLE trap.run_log AS
             SELECT run_id, started, finished, status, status::trap.bait AS sqlstate, pid
             FROM trap.good",
            "DROP TABLE trap.run_log",
        ),
        (
            "CREATE TABLE trap.run_log AS TABLE trap.good",
            "SELECT 1",
        ),
    ] {
        other.run(make);
        other.run("GRANT USAGE ON SCHEMA trap TO PUBLIC;
                   GRANT SELECT ON ALL TABLES IN SCHEMA trap TO PUBLIC");
        let seen = session.table(
            "SELECT * FROM assess.check_refreshes() WHERE rule = 'refresh_failed'",
        );
        assert_eq!(seen.len(), usize::from(unmake == "SELECT 1"), "{make}");
        assert_eq!(session.table("SELECT * FROM public.trap"), [""; 0], "{make}");
        assert_eq!(session.table("SELECT * FROM trap.alerts"), [""; 0], "{make}");
        other.run(unmake);
    }
}

#[test]
fn names_made_to_break_things_arrive_as_they_are() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    let model = "m \"x'\\\n%I $1";
    let (quoted, text) = ("\"m \"\"x'\\\n%I $1\"", "'m \"x''\\\n%I $1'");
    let subject = "Ma''th \"\\\n%s\t; DROP";
    let group = format!("No''rth \u{1}{}", "\"\\\n%".repeat(200));
    session.run(&format!(
        "CREATE TABLE odd AS
         SELECT student, E'{}' AS subject, E'{}' || school AS school,
                E'item \"\\n'' %s ' || repeat('\\x01', 300) || question AS question, test, score,
                taken_on FROM r",
        subject.replace('\\', "\\\\").replace('\n', "\\n"),
        group.replace('\\', "\\\\").replace('\n', "\\n"),
    ));
    session.run(&format!(
        "SELECT assess.create_model({text}, 'odd', 'student', 'question', 'test', 'score',
             'taken_on', subject => 'subject', student_group => 'school',
             settings => '{{\"as_of\": \"2026-03-02\"}}')"
    ));
    session.run(&format!(
        "UPDATE {quoted}.alert_rules SET enabled = rule <> 'suspect_questions'"
    ));
    session.run(&format!("CALL assess.refresh({text})"));
    heard(&mut ears);
    session.notices();
    session.run(
        "UPDATE odd SET score = 1 - score WHERE question LIKE '%31';
         UPDATE odd SET score = 0 WHERE school LIKE '%North' AND test = 8",
    );
    session.run(&format!("CALL assess.refresh({text})"));
    let reported = warnings(&mut session);
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(
        reported.iter().all(|one| !one.contains(char::is_control)),
        "{reported:?}"
    );
    assert!(
        reported[0].contains("in \"Ma'th '\\ %s ; DROP\" is flawed"),
        "{reported:?}"
    );
    let sent = heard(&mut ears);
    assert!(sent.len() >= 2);
    for one in sent {
        assert_eq!(
            session
                .table(&format!(
                    "SELECT count(*) FROM odd, (SELECT {}) s(j)
                 WHERE j ->> 'model' = {text} AND j ->> 'subject' = odd.subject
                 AND coalesce(j -> 'details' ->> 'student_group' = left(odd.school, 200), true)
                 AND coalesce(j -> 'details' ->> 'item' = left(odd.question, 200), true)
                 HAVING count(*) > 0",
                    literal(&one)
                ))
                .len(),
            1,
            "{model} {one}"
        );
    }
    assert_ne!(
        session.table(&format!(
            "SELECT count(*) FROM {quoted}.alerts a JOIN odd o ON o.question = a.item
             WHERE a.rule = 'flawed_questions' AND o.subject = a.subject"
        )),
        ["0"]
    );
    session.run(&format!(
        "UPDATE {quoted}.run_log SET finished = finished - interval '9 days'"
    ));
    session.run("SELECT assess.check_refreshes()");
    assert_eq!(heard(&mut ears).len(), 1);
    session.run(&format!("SELECT assess.drop_model({text})"));
}

#[test]
fn many_alerts_are_one_warning_and_no_flood_and_name_no_student() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    session.run("DELETE FROM m.alerts");
    session.run("UPDATE r SET score = 1 - score WHERE test < 5 OR student = 'Pupil-3'");
    session.run("UPDATE m.alert_rules SET threshold = 0 WHERE rule LIKE '%_questions'");
    session.run("UPDATE m.alert_rules SET enabled = true");
    session.run(
        "UPDATE m.alert_rules SET threshold = 0 WHERE rule IN
                 ('little_evidence', 'level_moved')",
    );
    session.run("UPDATE m.alert_rules SET threshold = 1000 WHERE rule = 'few_students'");
    session.run("CALL assess.refresh('m')");
    let reported = warnings(&mut session);
    let rules: i64 = session.one(
        "SELECT count(DISTINCT rule) FROM m.alerts
         WHERE run_id = (SELECT max(run_id) FROM m.run_log)",
    );
    assert_eq!(reported.len() as i64, rules);
    assert_eq!(
        session.table(
            "SELECT * FROM (
                 SELECT rule, abs(value - threshold)
                              > lag(abs(value - threshold)) OVER (PARTITION BY rule
                                                                  ORDER BY alert_id) AS is_wrong
                 FROM m.alerts WHERE run_id = (SELECT max(run_id) FROM m.run_log)) a
             WHERE is_wrong"
        ),
        [""; 0]
    );
    let sent = heard(&mut ears);
    let expected: i64 = session.one(
        "SELECT sum(least(n, 20) + (n > 20)::int)::bigint
         FROM (SELECT count(*) AS n FROM m.alerts
               WHERE run_id = (SELECT max(run_id) FROM m.run_log) GROUP BY rule) s",
    );
    assert_eq!(sent.len() as i64, expected);
    let many = session.table(
        "SELECT rule, count(*) - 20 FROM m.alerts
         WHERE run_id = (SELECT max(run_id) FROM m.run_log) GROUP BY rule HAVING count(*) > 20",
    );
    assert!(!many.is_empty());
    for one in many {
        let (rule, more) = one.split_once('|').expect("two columns");
        assert!(sent.iter().any(|payload| {
            payload.contains(&format!("There are {more} more alerts of {rule}."))
                && payload.contains(&format!("\"details\": {{\"more\": {more}}}"))
        }));
    }
    assert_eq!(
        session.table(
            "SELECT a::text FROM m.alerts a WHERE a::text ~ 'Pupil'
             UNION ALL SELECT f::text FROM m.run_figures f WHERE f::text ~ 'Pupil'"
        ),
        [""; 0]
    );
    assert!(
        reported
            .iter()
            .chain(&sent)
            .all(|one| !one.contains("Pupil"))
    );
}

#[test]
fn results_do_not_wait_for_alerts() {
    let (_database, mut session) = with_model();
    let last = "SELECT status FROM m.runs ORDER BY run_id DESC LIMIT 1";
    session.run("DROP TABLE m.alert_rules");
    session.run("CALL assess.refresh('m')");
    let reported = warnings(&mut session);
    let start = "alerts of model m could not be worked out: ";
    assert_eq!(reported.len(), 2, "before and after: {reported:?}");
    assert!(
        reported.iter().all(|one| one.starts_with(start)),
        "{reported:?}"
    );
    assert_eq!(session.table(last), ["succeeded"]);
    let look = "SELECT model, rule, message FROM assess.check_refreshes()";
    let lost = "The model is broken: relation alert_rules is missing, dropped by itself or with the source. \
                SELECT * FROM assess.attach('m') mends it, once its source is there.";
    assert_eq!(session.table(look), [format!("m|broken|{lost}")]);
    session.run("DROP TABLE m.alerts, m.run_figures");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session).len(), 2);
    assert_eq!(session.table(last), ["succeeded"]);
    // With them everything is as before.
    session.run("SELECT * FROM assess.attach('m')");
    session.notices();
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(session.table(look), [""; 0]);
    assert_eq!(
        session.table("SELECT rule FROM m.alert_rules ORDER BY rule"),
        session.table("SELECT rule FROM assess._alert_rules() ORDER BY rule")
    );
}

#[test]
fn what_is_kept_is_limited_and_restored() {
    let (database, mut session) = with_model();
    session.run(
        "SELECT assess.set_option('m', 'keep_alerts', '9 days'), assess.set_option('m', 'keep_runs', '2');
         INSERT INTO m.alerts (raised, ended, rule, message)
         SELECT now() - n * interval '1 day', now(), 'rows_left_out', n::text
         FROM unnest(ARRAY[8, 10]) n",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT message FROM m.alerts WHERE rule = 'rows_left_out'"),
        ["8"]
    );
    assert_eq!(
        session.table(
            "SELECT count(DISTINCT f.run_id), count(DISTINCT l.run_id)
             FROM m.run_log l LEFT JOIN m.run_figures f USING (run_id)"
        ),
        ["2|2"]
    );
    let restored = database.restored("--format=plain");
    let mut again = restored.session();
    for table in ["alert_rules", "alerts", "run_figures"] {
        let all = format!("SELECT * FROM m.{table} ORDER BY 1, 2, 3, 4");
        assert_eq!(again.table(&all), session.table(&all));
    }
    again.run("UPDATE r SET score = 1 - score WHERE question = 31");
    again.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut again).len(), 1);
}
