//! Databases whose tables are published: each table of a model has a key, so that nothing that a
//! model does is stopped.

use pg_assess_it::{Database, Server, Session};

/// A table `r` of 20 students, some without a subject or a group.
fn prepare(session: &mut Session) {
    session.run(
        "CREATE TABLE r AS
         SELECT s AS student, i AS item, a AS quiz, (s * 7 + i * 3 + a * 5) % 10 < 3 + s % 6 AS ok,
                date '2026-03-01' + 20 * a AS day, timestamptz '2026-05-01' AS changed,
                CASE WHEN s % 2 = 0 THEN 'Art' END AS subject, CASE WHEN i > 3 THEN 'A' END AS class
         FROM generate_series(1, 20) s, generate_series(1, 8) i, generate_series(1, 4) a",
    );
}

/// Makes a model of it, and returns the results of its life.
fn make(session: &mut Session, name: &str, more: &str) {
    session.run(&format!(
        "SELECT assess.create_model('{name}', 'r', 'student', 'item', 'quiz', 'ok', 'day',
             subject => 'subject', student_group => 'class',
             settings => '{{\"as_of\": \"2026-06-01\", \"keep_history\": 1, \"keep_runs\": 2}}'{more})"
    ));
}

/// What a model does in its life, and what it says in the end.
fn live(session: &mut Session, name: &str) -> Vec<String> {
    session.run(&format!(
        "INSERT INTO {name}.pass_marks VALUES (NULL, 3, 0.75), ('Art', 1, 0.5);
         UPDATE {name}.pass_marks SET pass_mark = 0.7 WHERE item = 3;
         UPDATE r SET ok = NOT ok, changed = changed + interval '1 day' WHERE day > '2026-05-01';
         DELETE FROM {name}.pass_marks WHERE item = 1;
         SELECT assess.set_option('{name}', 'half_life', '90 days');
         UPDATE {name}.alert_rules SET threshold = 100 WHERE rule = 'few_students'"
    ));
    for _ in 0..3 {
        session.run(&format!("CALL assess.refresh('{name}')"));
    }
    session.run("SELECT * FROM assess.check_refreshes()");
    let said = session.table(&format!(
        "SELECT 'student', to_jsonb(s)::text FROM {name}.students s
         UNION ALL SELECT 'expected', to_jsonb(e)::text FROM {name}.expectations e
         UNION ALL SELECT 'history', (to_jsonb(h) - 'row_id')::text FROM {name}.history h
         UNION ALL SELECT 'run', concat(run_id, status, error) FROM {name}.run_log
         UNION ALL SELECT 'alert', concat(rule, subject) FROM {name}.alerts
         UNION ALL SELECT 'figure', (to_jsonb(f) - 'row_id')::text FROM {name}.run_figures f
         ORDER BY 1, 2"
    ));
    // Put back, with other rows than before.
    session.run(
        "UPDATE r SET ok = NOT ok, changed = changed + interval '1 day' WHERE day > '2026-05-01'",
    );
    said
}

const TRACKED: [(&str, &str); 3] = [
    ("plain", ""),
    ("noted", ", track_changes => 'triggers'"),
    (
        "dated",
        ", track_changes => 'changed_at', changed_at => 'changed'",
    ),
];

#[test]
fn every_table_of_a_model_has_a_primary_key() {
    let database = Database::new();
    let mut session = database.session();
    prepare(&mut session);
    for (name, more) in TRACKED {
        make(&mut session, name, more);
    }
    assert_eq!(
        session.table(
            "SELECT c.oid::regclass FROM pg_class c
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace IN (SELECT assess._models())
             AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"
        ),
        [""; 0]
    );
}

#[test]
fn a_publication_of_all_tables_stops_nothing() {
    let logical = Server::start("wal_level = logical");
    for (host, publication) in [
        (
            pg_assess_it::environment("PGHOST"),
            "FOR TABLES IN SCHEMA public, new",
        ),
        (logical.host.clone(), "FOR ALL TABLES"),
    ] {
        let database = Database::on(&host);
        let mut session = database.session();
        prepare(&mut session);
        session.run("ALTER TABLE r REPLICA IDENTITY FULL");
        for (name, more) in TRACKED {
            make(&mut session, name, more);
            let usual = live(&mut session, name);
            make(&mut session, "new", more);
            // Without logical decoding Postgres warns that nothing will be sent.
            session.run(&format!("CREATE PUBLICATION p {publication}"));
            if publication == "FOR ALL TABLES" {
                session.run("SELECT assess.drop_model('new')");
                make(&mut session, "new", more);
            }
            assert!(live(&mut session, "new") == usual, "{name} {publication}");
            session.run(&format!(
                "SELECT assess.drop_model('new'), assess.drop_model('{name}'); DROP PUBLICATION p"
            ));
        }
    }
}
