#!/usr/bin/env bash
# Shared by the demos: progress with the time it takes, a private server, psql as readers like it.
# To be sourced by a script that has set STEPS; the demo goes on inside the private server.

script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
export DEMO_STARTED=${DEMO_STARTED:-$EPOCHREALTIME} DEMO_STEP=${DEMO_STEP:-0}

elapsed() {
    awk -v from="$DEMO_STARTED" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", to - from }'
}

step() {
    DEMO_STEP=$((DEMO_STEP + 1))
    printf '[%7s] %s/%s %s\n' "$(elapsed)" "$DEMO_STEP" "$STEPS" "$*"
}

# Builds, and starts the calling script again beside a private server.
inside_private_server() {
    if [ -z "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
        step 'building the extension'
        CARGO_TERM_QUIET=true "${MAKE:-make}" -s --no-print-directory build
        step 'starting a private, throw-away PostgreSQL server'
        exec tests/with_postgres.sh "$script" "$@"
    fi
}

sql() {
    PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 --pset pager=off --pset footer=off \
        --pset linestyle=unicode --pset border=1 --pset null='–' "$@"
}
