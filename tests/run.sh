#!/usr/bin/env bash
# Runs the tests of the core and of the pictures, the goals on real data and the client's tests, these on the newest
# PostgreSQL too, and adds up their totals. A test whose data is not there passes and prints
# "skipped: ...", and is counted as skipped; so are tests that did not run, as "left out: ..." says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$(mktemp "${TMPDIR:-/tmp}/pg_assess-tests.XXXXXXXX")
trap 'rm -f "$log"' EXIT
broken=0

run() {
    echo "== $*"
    local failed_before
    failed_before=$(grep -c '^test result: FAILED' "$log" || true)
    if ! "$@" 2>&1 | tee -a "$log"; then
        # A crash or a build error leaves no result line of its own.
        [ "$(grep -c '^test result: FAILED' "$log" || true)" -gt "$failed_before" ] ||
            broken=$((broken + 1))
    fi
}
# Much arithmetic: optimised, it takes a tenth of the time.
run cargo test --profile ci --no-fail-fast -p pg_assess_core -p pg_assess_chart \
    -p pg_assess_evaluation -- --show-output
own=$("${PG_CONFIG:-pg_config}" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
for major in $(printf '%s\n' "$own" 18 | sort -u); do
    run tests/versions.sh "$major"
done

# "test result: ok. 12 passed; 0 failed; 1 ignored; ..."
awk -v broken="$broken" -v before="${LEFT_OUT:-0}" '
    /^test result: / { passed += $4; failed += $6; ignored += $8 }
    /^skipped: / { skipped++ }
    /^left out: / { ignored++ }
    END {
        failed += broken
        printf "%d passed, %d failed, %d skipped\n", passed - skipped, failed, skipped + ignored + before
        exit (failed > 0 || passed == 0)
    }' "$log"
