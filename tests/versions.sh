#!/usr/bin/env bash
# tests/versions.sh MAJOR...
# Runs the client's tests on each of these major versions of PostgreSQL. A version that cannot be
# had is left out, and said to be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export BUILD_PROFILE=${BUILD_PROFILE:-ci}

status=0 tested=0 left_out=0
for major in "$@"; do
    if ! server=$(tests/servers/server.sh "$major"); then
        echo "left out: the tests on PostgreSQL $major, as it cannot be had"
        left_out=$((left_out + 1))
        continue
    fi
    tested=$((tested + 1))
    echo "== PostgreSQL $major: $("$server" --version)"
    PG_CONFIG=$server tests/with_postgres.sh \
        cargo test --no-fail-fast -p pg_assess_it -- --show-output || status=$?
done
echo "$tested versions tested, $left_out left out"
exit "$status"
