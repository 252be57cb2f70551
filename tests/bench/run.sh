#!/usr/bin/env bash
# `make bench`: how fast, how large, how quickly stopped; ROWS generated responses, RUNS runs each.
# Everything happens beside a private release server. Close other programs before you believe it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ROWS=${ROWS:-10000000} RUNS=${RUNS:-5}

if [ -z "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
    CARGO_TERM_QUIET=true "${MAKE:-make}" -s --no-print-directory build
    exec tests/with_postgres.sh tests/bench/run.sh
fi

sql() {
    PGCLIENTENCODING=UTF8 psql -X -q --pset pager=off --pset footer=off "$@"
}

echo "Generating $ROWS responses ..."
sql -v ON_ERROR_STOP=1 -v rows="$ROWS" -f tests/bench/responses.sql

# In turns, so that a busy moment of the machine does not fall on one of the two only.
echo "Measuring, $RUNS runs of each, all in one session ..."
{
    echo 'SET max_parallel_workers_per_gather = 0;'
    for ((run = 0; run <= RUNS; run++)); do
        # The first run is to warm up.
        [ "$run" -gt 0 ] || echo '\set setting warm'
        [ "$run" -ne 1 ] || echo '\set setting serial'
        printf '\\set statement %s\n\\i tests/bench/timed.sql\n' \
            average aggregate items students pipeline backtest half_life drift missing
    done
    echo 'RESET max_parallel_workers_per_gather;'
    echo '\set setting default'
    for ((run = 0; run < 3; run++)); do
        printf '\\set statement %s\n\\i tests/bench/timed.sql\n' average pipeline
    done
} | sql -v ON_ERROR_STOP=1 -f -

{
    for statement in average pipeline; do
        printf '\\set statement %s\n\\i tests/bench/memory.sql\n' "$statement"
    done
} | sql -v ON_ERROR_STOP=1 -f -

# These statements are meant to fail.
for statement in aggregate items students backtest half_life drift missing; do
    sql -v statement="$statement" -f tests/bench/cancel.sql 2>/dev/null
done

echo "Measuring gradebooks of extreme shapes ..."
sql -v ON_ERROR_STOP=1 -f tests/bench/shapes.sql
{
    for shape in 'one student' sessions 'many students'; do
        sizes='15000 50000'
        [ "$shape" != 'many students' ] || sizes='300000 1000000'
        for size in $sizes; do
            for statement in items students; do
                printf "\\set shape '%s'\n\\set size %s\n\\set statement %s\n" \
                    "$shape" "$size" "$statement"
                printf '\\i tests/bench/shape.sql\n'
            done
        done
    done
} | sql -v ON_ERROR_STOP=1 -f -
for statement in one_items one_students one_explain one_half_life one_rollup many_drift; do
    sql -v statement="$statement" -f tests/bench/cancel.sql 2>/dev/null
done

sql -v ON_ERROR_STOP=1 -f tests/bench/report.sql
sql -v ON_ERROR_STOP=1 -f tests/bench/shapes_report.sql

tests/bench/aggregates.sh
