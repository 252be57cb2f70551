#!/usr/bin/env bash
# The second half of `make bench`, also alone: the aggregates of scores against core's corr.
# ROWS scores of a tenth as many students, RUNS runs of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ROWS=${ROWS:-10000000} RUNS=${RUNS:-5}

if [ -z "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
    CARGO_TERM_QUIET=true "${MAKE:-make}" -s --no-print-directory build
    exec tests/with_postgres.sh tests/bench/aggregates.sh
fi

sql() {
    PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 --pset pager=off --pset footer=off "$@"
}

echo "Generating $ROWS scores ..."
sql -v rows="$ROWS" -f tests/bench/aggregates.sql

statements=$(sql -At -c "SELECT s.name || '_' || a.name FROM bench.aggregates a
                         JOIN bench.groupings s ON s.name = ANY (groupings) ORDER BY s.place, a.place")
# In turns, so that a busy moment of the machine does not fall on one of them only.
echo "Measuring, $RUNS runs of each, all in one session ..."
{
    # No hash table has to spill.
    echo "SET work_mem = '2GB';"
    echo 'SET max_parallel_workers_per_gather = 0;'
    for ((run = 0; run <= RUNS; run++)); do
        # The first run is to warm up.
        [ "$run" -gt 0 ] || echo '\set setting warm'
        [ "$run" -ne 1 ] || echo '\set setting serial'
        printf '\\set statement %s\n\\i tests/bench/timed.sql\n' $statements
    done
    printf '\\set statement %s\n\\i tests/bench/planned.sql\n' $statements
    echo 'RESET max_parallel_workers_per_gather;'
    echo '\set setting default'
    for ((run = 0; run < RUNS; run++)); do
        printf '\\set statement %s\n\\i tests/bench/timed.sql\n' $statements
    done
    printf '\\set statement %s\n\\i tests/bench/planned.sql\n' $statements
} | sql -f -

sql -f tests/bench/aggregates_report.sql
