//! Stops refresh, create_model and drop_model at random moments, by cancels and by timeouts. After each
//! stop a refresh from another session must work at once, and give what a model gives that was
//! never stopped.

mod common;

use std::thread;
use std::time::Duration;

use common::{Database, Mutations, Session};

const MODEL: &str = "'src', 'sid', 'item', 'a', 'score', 'd', subject => 'subj',
    settings => '{\"as_of\": \"2026-04-01\"}'";

/// The results of a model, but for when and by which run.
const RESULTS: &str =
    "SELECT md5(string_agg(s::text, ' ' ORDER BY subject, student)), count(*) FROM
    (SELECT subject, student, level, level_se, need_rank, n, status FROM m.students) s";

/// Runs a statement that is stopped after some milliseconds; returns its SQLSTATE.
fn stopped(session: &mut Session, statement: &str, after: u64, by_cancel: bool) -> String {
    let cancel = session.cancel_token();
    let timeout = match by_cancel {
        true => 0,
        false => after.max(1),
    };
    // The cancel of the statement before may come late.
    while session
        .simple_query(&format!("SET statement_timeout = {timeout}"))
        .is_err()
    {}
    let result = thread::scope(|scope| {
        if by_cancel {
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(after));
                // A statement that has ended already is not there to be cancelled.
                let _ = cancel.cancel_query(postgres::NoTls);
            });
        }
        session.simple_query(statement)
    });
    match result {
        Ok(_) => "00000".to_owned(),
        Err(error) => match error.as_db_error() {
            Some(told) => told.code().code().to_owned(),
            None => panic!("the server is gone: {error}"),
        },
    }
}

fn main() {
    let stops: u32 = common::environment("STOPS")
        .parse()
        .expect("STOPS is a number");
    let database = Database::new();
    let mut witness = database.session();
    witness.run(
        "CREATE TABLE src AS
         SELECT s AS sid, 'q' || i AS item, 'a' || (i / 5) AS a,
                ((s * 7919 + i * 104729 + s * i * 31) % 100 < 30 + s)::int::float8 AS score,
                date '2026-01-01' + 7 * (i / 5) AS d, 'subject ' || s % 5 AS subj
         FROM generate_series(1, 400) s, generate_series(1, 60) i;
         ANALYZE src",
    );
    let create =
        format!("SELECT count(*) FROM assess.create_model('m', {MODEL}, if_not_exists => true)");
    let tracked = format!(
        "SELECT count(*) FROM assess.create_model('m', {MODEL}, track_changes => 'triggers',
                                                  if_not_exists => true)"
    );
    let drop =
        "DO $$ BEGIN PERFORM assess.drop_model('m'); EXCEPTION WHEN undefined_object THEN END $$";
    witness.run(&create);
    let expected = witness.table(RESULTS);
    let mut dice = Mutations { state: 20_261_130 };
    let mut ended = std::collections::BTreeMap::<String, u32>::new();
    let mut session = database.session();
    for stop in 0..stops {
        // Sessions go on with other work after a stop, as those of a pooler do.
        if dice.below(10) == 0 {
            session = database.session();
        }
        let statement = match dice.below(8) {
            0 => create.as_str(),
            1 => tracked.as_str(),
            2 => drop,
            3 => "CALL assess.refresh('m', true)",
            _ => "CALL assess.refresh('m')",
        };
        let after = dice.below(200) as u64;
        let code = stopped(&mut session, statement, after, dice.below(2) == 0);
        *ended.entry(code).or_default() += 1;
        if dice.below(3) == 0 {
            let _ = session.simple_query("SET statement_timeout = 0; BEGIN; SELECT 1");
        }
        witness.run(&create);
        if let Err(error) = witness.simple_query("CALL assess.refresh('m')") {
            panic!("after stop {stop}: {}", common::describe(&error));
        }
        assert_eq!(witness.table(RESULTS), expected, "after stop {stop}");
        assert_eq!(
            witness.table("SELECT status FROM m.runs WHERE status = 'running'"),
            [""; 0],
            "after stop {stop}"
        );
        let _ = session.simple_query("ROLLBACK");
    }
    println!("{stops} stops, by how they ended: {ended:?}; each refresh after them worked at once");
}
