//! A table of responses of every kind, and how to read it.

/// The lines of a text as rows whose columns stand apart by `|`.
pub fn rows<const N: usize>(text: &str) -> Vec<[&str; N]> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            columns
                .try_into()
                .unwrap_or_else(|_| panic!("not {N} columns: {line}"))
        })
        .collect()
}

/// Responses as they come: graded, unmarked, out of range, without an upper bound, repeated.
pub const RESPONSES: &str = "
    CREATE TABLE responses (
        student text, item int, assessment text, score float8, max_score float8, taken_on date);
    INSERT INTO responses
    SELECT 's' || student, 100 * assessment + question, 'test ' || assessment,
           CASE WHEN dice % 41 = 0 THEN NULL
                WHEN question = 10 THEN 80 + student / 4 + dice % 40
                WHEN dice % 43 = 0 THEN 9
                ELSE least(4, dice * student / 9000 % 5) END,
           CASE question WHEN 10 THEN 'Infinity'::float8 ELSE 4 END,
           date '2026-01-05' + 7 * assessment + attempt + student % 3
    FROM generate_series(1, 90) student, generate_series(1, 12) assessment,
         generate_series(1, 10) question, generate_series(0, 1) attempt,
         abs(hashint8(((student * 100 + assessment) * 100 + question) * 2 + attempt) % 1000) dice
    WHERE attempt = 0 OR (student + assessment) % 23 = 0;
    ANALYZE responses;";

/// The aggregate of the columns of [`RESPONSES`].
pub const AGGREGATE: &str =
    "assess.gradebook_agg(student, item, assessment, score, max_score, taken_on)";

/// A gradebook of a table with the columns of [`RESPONSES`].
pub fn gradebook_of(table: &str) -> String {
    format!("SELECT {AGGREGATE} AS gb FROM {table}")
}

/// Settings under which even a small table is read by two workers.
pub const PARALLEL: &str = "
    SET parallel_setup_cost = 0;
    SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0;
    SET max_parallel_workers_per_gather = 2";

/// Settings under which no table is.
pub const SERIAL: &str = "SET max_parallel_workers_per_gather = 0";
