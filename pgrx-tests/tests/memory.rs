//! Memory of aggregates whose state is a value of a fixed size, as Postgres counts it for each
//! group of a hash table.

mod common;

use common::{Database, SERIAL, Session};

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
    let told = plan
        .iter()
        .find_map(|line| line.trim().strip_prefix("Batches: 1  Memory Usage: "))
        .unwrap_or_else(|| panic!("no hash table in memory: {plan:#?}"));
    let kilobytes: u64 = told.trim_end_matches("kB").parse().expect("a number");
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
