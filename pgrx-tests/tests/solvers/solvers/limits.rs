//! Memory is given back, and statements can be stopped.

use std::time::{Duration, Instant};

use pg_assess_it::{Database, SERIAL, gradebook_of};

#[test]
fn memory_is_given_back_however_a_statement_ends() {
    let database = Database::new();
    let mut session = database.session();
    session.run(SERIAL);
    session.run(&format!(
        "CREATE UNLOGGED TABLE r AS
         SELECT s AS student, q AS item, q / 10 AS assessment, abs(hashint4(s * 1000 + q)) % 2 AS score,
                1 AS max_score, date '2026-01-01' + q AS taken_on
         FROM generate_series(1, 20000) s, generate_series(1, 25) q;
         CREATE TABLE g AS {}",
        gradebook_of("r")
    ));
    // Rows that nobody asks for any more, and work that nobody waits for.
    let endings = [
        (0, "SELECT assess.students(gb) FROM g LIMIT 1"),
        (0, "SELECT (SELECT assess.items(gb) LIMIT 1) FROM g"),
        (20, "SELECT count(*) FROM g, assess.students(gb)"),
        (20, "SELECT count(*) FROM g, assess.items(gb)"),
    ];
    let mut run = |times| {
        for (limit, statement) in endings.repeat(times) {
            session.run(&format!("SET statement_timeout = {limit}"));
            // Whether it is stopped depends on the machine; that it is not lost does not.
            let _ = session.simple_query(statement);
            session.run("RESET statement_timeout");
        }
        session.memory("VmRSS")
    };
    if let (Some(before), Some(after)) = (run(3), run(15)) {
        // One of these statements needs some 20 MB.
        assert!(
            after < before + 40_000,
            "{before} KB before, {after} KB after"
        );
    }
}

#[test]
fn statements_can_be_stopped_at_once() {
    let database = Database::new();
    let mut session = database.session();
    // Wide, so that even the covariances of the one assessment take a while.
    session.run(SERIAL);
    session.run(&format!(
        "CREATE UNLOGGED TABLE r AS
         SELECT s AS student, q AS item, q / 1000 AS assessment,
                abs(hashint4(s * 1000 + q)) % 2 AS score, 1 AS max_score,
                date '2026-01-01' + (s * 31 + q / 100) % 200 AS taken_on
         FROM generate_series(1, 2000) s, generate_series(1, 999) q;
         CREATE TABLE g AS {}",
        gradebook_of("r")
    ));
    let backend = session.backend();
    for statement in [
        &format!("SELECT count(gb) FROM ({}) a", gradebook_of("r")),
        "SELECT assess.rollup(gb) IS NULL FROM g, generate_series(1, 3)",
        "SELECT count(*) FROM g, assess.items(gb)",
        "SELECT count(*) FROM g, assess.students(gb)",
        "SELECT count(*) FROM g, assess.assessments(gb)",
        "SELECT count(*) FROM g, assess.explain(gb, '7')",
    ] {
        let whole = (0..2).map(|_| {
            let started = Instant::now();
            session.table(statement);
            started.elapsed()
        });
        let whole = whole.min().expect("two runs");
        for share in [0.1, 0.4] {
            let limit = whole.mul_f64(share).min(Duration::from_millis(200));
            session.run(&format!(
                "SET statement_timeout = {}",
                limit.as_millis().max(1)
            ));
            let started = Instant::now();
            let error = session.fails(statement);
            let took = started.elapsed();
            session.run("RESET statement_timeout");
            assert_eq!(error.code().code(), "57014", "{statement}: {error}");
            assert!(
                took < Duration::from_secs(1),
                "{statement}: {took:?} of {whole:?}"
            );
        }
    }
    assert_eq!(session.backend(), backend);
}
