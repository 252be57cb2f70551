//! Memory of aggregates as Postgres counts it for each group of a hash table: held against the
//! size of a state that has one, and against what is declared for the others.

use pg_assess_it::{Database, SERIAL, Session};

/// Enough that the last block of memory, which Postgres counts whole, is a few bytes a group.
const GROUPS: u64 = 300_000;
const WORK_MEM_MB: u64 = 64;
/// Blocks of memory grow to a sixteenth of it (`CreateWorkExprContext` in `executor/execUtils.c`).
const BLOCK: u64 = WORK_MEM_MB * 1024 * 1024 / 16;

/// Bytes of the hash table that groups rows by `id`; it must not spill.
fn hash_table(session: &mut Session, call: &str) -> u64 {
    let plan = session.table(&format!(
        "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF)
         SELECT count(figure) FROM (SELECT {call} AS figure FROM scores GROUP BY id) f"
    ));
    let found = plan
        .iter()
        .find_map(|line| line.trim().strip_prefix("Batches: 1  Memory Usage: "))
        .unwrap_or_else(|| panic!("no hash table in memory: {plan:#?}"));
    let kilobytes: u64 = found.trim_end_matches("kB").parse().expect("a number");
    1024 * kilobytes
}

/// What Postgres takes for a piece of memory of up to 8 kB (`utils/mmgr/aset.c`), without its
/// head, which is the same for all.
fn allocated(bytes: u64) -> u64 {
    bytes.next_power_of_two()
}

#[test]
fn a_group_takes_no_more_than_its_state() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&format!(
        "CREATE TABLE scores AS
         SELECT id, (id % 7)::float8 AS score, (id % 11)::float8 AS criterion,
                date '2026-01-05' + id % 200 AS taken_on
         FROM generate_series(1, {GROUPS}) id, generate_series(1, 2);
         ANALYZE scores;
         {SERIAL}; SET enable_sort = off; SET work_mem = '{WORK_MEM_MB}MB'"
    ));
    let calls = [
        (
            "decay_summary",
            "assess.decay_agg(score, taken_on, interval '60 days')",
        ),
        ("item_summary", "assess.item_agg(score, criterion)"),
        ("trend_summary", "assess.trend_agg(score, taken_on)"),
    ];
    // The state of core's corr is six float8 in an array.
    let core_state: i32 = session.one("SELECT pg_column_size('{0, 0, 0, 0, 0, 0}'::float8[])");
    let core = hash_table(&mut session, "corr(score, criterion)");
    for (state, call) in calls {
        let size: i16 = session.one(&format!(
            "SELECT typlen FROM pg_type WHERE oid = 'assess.{state}'::regtype"
        ));
        let most = core + GROUPS * allocated(size as u64) + BLOCK;
        let most = most - GROUPS * allocated(core_state as u64);
        let taken = hash_table(&mut session, call);
        assert!(
            taken <= most,
            "{call}: {taken} bytes, corr {core}, at most {most}"
        );
    }
    // No state of a fixed size is missing above.
    let states = session.table(
        "SELECT DISTINCT typname FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid
         JOIN pg_type t ON t.oid = aggtranstype
         WHERE pronamespace = 'assess'::regnamespace AND typlen > 0 AND NOT typbyval
         ORDER BY 1",
    );
    assert_eq!(states, calls.map(|(state, _)| state));
}

/// Rows of a group for which the declared size is meant: a student's scores of a year.
const TYPICAL: u32 = 10;

#[test]
fn a_typical_group_takes_no_more_than_is_declared() {
    let database = Database::new();
    let mut session = database.session();
    let groups = GROUPS / 10;
    session.run(&format!(
        "CREATE TABLE scores AS
         SELECT id, row % 2 AS score, id * row % 11 AS criterion, date '2026-01-05' + row AS taken_on,
                array_fill((row % 3)::float8, ARRAY[20]) AS answers
         FROM generate_series(1, {groups}) id, generate_series(1, {TYPICAL}) row;
         ANALYZE scores;
         {SERIAL}; SET enable_sort = off; SET work_mem = '1GB'"
    ));
    let calls = [
        ("somers_d", "assess.somers_d(score, criterion)"),
        (
            "discrimination_index",
            "assess.discrimination_index(score, criterion, 0.5)",
        ),
        ("theil_sen", "assess.theil_sen(score, taken_on)"),
        (
            "theil_sen_ci_low",
            "assess.theil_sen_ci_low(score, taken_on, 0.9)",
        ),
        ("cronbach_alpha", "assess.cronbach_alpha(answers)"),
        (
            "mantel_haenszel",
            "assess.mantel_haenszel(score = 1, id % 3 = 0, criterion)",
        ),
    ];
    let core = hash_table(&mut session, "count(score)");
    for (name, call) in calls {
        let declared: i32 = session.one(&format!(
            "SELECT max(aggtransspace) FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid
             WHERE pronamespace = 'assess'::regnamespace AND proname = '{name}'"
        ));
        // Blocks grow to 8 MB (`ALLOCSET_DEFAULT_MAXSIZE` in `utils/memutils.h`).
        let most = core + groups * declared as u64 + 8 * 1024 * 1024;
        let taken = hash_table(&mut session, call);
        assert!(
            taken <= most,
            "{call}: {taken} bytes, count {core}, at most {most}"
        );
    }
    // No kind of state that grows is missing above.
    let transitions = |condition: &str| {
        format!(
            "SELECT DISTINCT aggtransfn::oid::regproc::text
             FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid
             WHERE {condition} ORDER BY 1"
        )
    };
    let all = session.table(&transitions(
        "aggserialfn = 'assess._numbers_serial'::regproc",
    ));
    let names = calls.map(|(name, _)| format!("'{name}'")).join(", ");
    let tried = session.table(&transitions(&format!(
        "pronamespace = 'assess'::regnamespace AND proname IN ({names})"
    )));
    assert_eq!(tried, all);
}

/// Lets another session's process take so much more memory than it has. The server's own user may do
/// that, who may not be the one that runs the tests; the process itself might have none left to ask.
fn limit(supervisor: &mut Session, backend: i32, more: u64) {
    let status = std::fs::read_to_string(format!("/proc/{backend}/status")).expect("it lives");
    let taken = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"))
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .expect("its size");
    supervisor.run(&format!(
        "COPY (SELECT) TO PROGRAM 'cat >/dev/null && prlimit --pid {backend} --as={}:'",
        1024 * taken + more
    ));
}

#[test]
fn a_group_too_large_for_memory_is_an_error_and_not_the_end() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE scores AS
         SELECT n % 7 AS score, n % 1009 AS criterion, date '2026-01-05' + n % 999 AS taken_on
         FROM generate_series(1, 1000000) n",
    );
    session.run(SERIAL);
    let calls = [
        "somers_d(score, criterion)",
        "somers_d_se(score, criterion)",
        "discrimination_index(score, criterion)",
        "discriminative_efficiency(score, criterion)",
        "theil_sen(score, taken_on)",
        "mann_kendall(score, taken_on)",
    ];
    let asks = |call: &str| format!("SELECT assess.{call} IS NULL FROM scores");
    // Everything is loaded by then.
    session.table(&format!("{} WHERE score > 7", asks(calls[0])));
    // The state fits, and what it takes to order it does not.
    let backend = session.backend();
    limit(&mut database.session(), backend, 56 * 1024 * 1024);
    for call in calls {
        let refused = session.fails(&asks(call));
        assert_eq!(refused.code().code(), "53200", "{call}: {refused}");
        assert!(
            refused
                .detail()
                .is_some_and(|detail| detail.contains("to work out")),
            "{call}: {refused:?}"
        );
    }
    assert_eq!(session.backend(), backend, "the server went on");
}

/// What makes, reads and solves each of the gradebooks, and makes larger ones.
fn statements(session: &mut Session) -> Vec<String> {
    let functions = [
        "items(gb)",
        "students(gb)",
        "students(gb, previous => gb)",
        "assessments(gb)",
        "explain(gb, '1')",
        "coverage(gb)",
        "missing_work(gb)",
        "responses(gb)",
        "counted_responses(gb)",
        "members(gb)",
        "item_drift(gb)",
        "half_life_advice(gb)",
        "backtest(gb, cut_count => 2)",
        "calibrate(gb, max_iterations => 2)",
    ];
    let shapes = session.table("SELECT shape FROM books ORDER BY 1");
    let of = |what: &str, shape: &str| {
        format!(
            "SELECT count(*) FROM (SELECT {what} FROM books WHERE shape = '{shape}' OFFSET 0) f"
        )
    };
    let mut statements: Vec<String> = Vec::new();
    for shape in &shapes {
        statements.extend(
            functions
                .iter()
                .map(|function| of(&format!("assess.{function}"), shape)),
        );
        for value in [
            "length(gb::text)",
            "length(assess.gradebook_send(gb))",
            "assess.rollup(gb, gb)::text",
            "assess.without(gb, '{1}')::text",
        ] {
            statements.push(of(value, shape));
        }
        statements.push(format!(
            "SELECT count(gb::assess.gradebook) FROM texts WHERE shape = '{shape}'"
        ));
    }
    for columns in [
        "n, 1, 1",
        "1, n, 1",
        "1, 1, n",
        "n, n, n",
        "md5(n::text), 1, 1",
        "1, 1, 1",
    ] {
        statements.push(format!(
            "SELECT assess.gradebook_agg({columns}, n % 2, date '2026-01-05') IS NULL
             FROM generate_series(1, 2000000) n"
        ));
    }
    statements.push(
        "SELECT assess.roster_agg(n, n, NULL::date, NULL) IS NULL FROM generate_series(1, 2000000) n"
            .to_owned(),
    );

    // Many small groups, between which Postgres takes memory of its own.
    for columns in ["n, n % 3, n % 3", "n::text, n % 3, 1", "1, 1, n"] {
        for groups in [50_000, 200_000, 201_000] {
            statements.push(format!(
                "SELECT count(gb) FROM (
                     SELECT assess.gradebook_agg({columns}, n % 2, date '2026-01-05') AS gb
                     FROM generate_series(1, 600000) n GROUP BY n % {groups}) f"
            ));
        }
    }
    statements
}

/// Statements over gradebooks that take far more to work out than to hold, and rows that take far
/// more as a gradebook than a session has.
#[test]
fn no_gradebook_too_large_for_memory_ends_the_server() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&format!(
        "{SERIAL};
         CREATE TABLE books (shape text PRIMARY KEY, gb assess.gradebook);
         INSERT INTO books
         SELECT 'many students', assess.gradebook_agg(n, n % 5, n % 3, n % 2, date '2026-01-05' + n % 9)
         FROM generate_series(1, 150000) n;
         INSERT INTO books
         SELECT 'many questions', assess.gradebook_agg(n % 1000, n, n % 3, n % 2, date '2026-01-05')
         FROM generate_series(1, 150000) n;
         INSERT INTO books
         SELECT 'many assessments', assess.gradebook_agg(n % 7, n % 50, n, n % 2,
                                                         timestamp '2020-01-05' + n * interval '1 hour')
         FROM generate_series(1, 300000) n;
         INSERT INTO books
         SELECT 'many attempts', assess.gradebook_agg(1, n % 50000, 1, n % 2, date '2020-01-05' + n / 50000)
         FROM generate_series(1, 500000) n;
         INSERT INTO books
         SELECT 'many words', assess.gradebook_agg(1, md5(n::text), 1, n % 2, date '2026-01-05')
         FROM generate_series(1, 150000) n;
         INSERT INTO books
         SELECT 'a long test', assess.gradebook_agg(n / 900, n % 900, 1, n % 2, date '2026-01-05')
         FROM generate_series(0, 26999) n;
         INSERT INTO books
         SELECT 'a roster', assess.rollup(assess.roster_agg(n % 40000, n, date '2026-01-05', NULL),
                                          assess.gradebook_agg(n % 10, n % 3, n % 5, 1, date '2026-01-06'))
         FROM generate_series(1, 150000) n;
         CREATE TABLE texts AS SELECT shape, gb::text AS gb FROM books"
    ));
    let statements = statements(&mut session);
    let (backend, mut supervisor) = (session.backend(), database.session());
    // What each of them needs beyond what is there to begin with decides where it ends.
    let (mut refused, mut done) = (0, 0);
    for mebibytes in [2, 4, 8, 16, 32] {
        for statement in &statements {
            limit(&mut supervisor, backend, mebibytes << 20);
            match session.simple_query(statement) {
                Ok(_) => done += 1,
                Err(error) => {
                    let refusal = error.as_db_error();
                    let refusal = refusal
                        .unwrap_or_else(|| panic!("the server is gone: {mebibytes} {statement}"));
                    assert_eq!(refusal.code().code(), "53200", "{refusal}: {statement}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(session.backend(), backend, "the server went on");
    assert!(
        refused > statements.len() && done > statements.len() / 2,
        "{refused} refused, {done} done"
    );
}
