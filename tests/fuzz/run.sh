#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [TARGET...]
# Runs each fuzz target for so many seconds of processor time, one after the other, and says how
# many inputs it tried, how many features of the code these reached, and whether one failed.
# What was found worth keeping goes on in the next run; a failing input is run again by
#   target/fuzz/*/release/TARGET FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

[ $# -gt 0 ] || { echo "usage: $0 SECONDS [TARGET...]" >&2; exit 2; }
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || targets=(gradebook summaries words)
command -v c++ >/dev/null || { echo 'fuzz: a C++ compiler is missing (g++)' >&2; exit 1; }

# Counters at every edge and the operands of comparisons, as libFuzzer reads them. With a target
# named, they stay out of build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
out=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
for kind in inline-8bit-counters pc-table trace-compares; do
    coverage+=" -Cllvm-args=-sanitizer-coverage-$kind"
done
RUSTFLAGS="$coverage -Ccodegen-units=1" cargo build --quiet --release \
    --manifest-path tests/fuzz/Cargo.toml --target "$host" --target-dir "$out"

processor_seconds() {
    awk -v ticks="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) / ticks) }' \
        "/proc/$1/stat" 2>/dev/null
}

status=0
for target in "${targets[@]}"; do
    corpus=$out/corpus/$target
    failures=$out/failures/$target
    log=$out/$target.log
    mkdir -p "$corpus" "$failures"
    options=(-max_len=1024 -timeout=20 -rss_limit_mb=1024 -print_final_stats=1
        "-artifact_prefix=$failures/")
    [ ! -e "tests/fuzz/$target.dict" ] || options+=("-dict=tests/fuzz/$target.dict")
    "$out/$host/release/$target" "${options[@]}" "$corpus" >"$log" 2>&1 &
    pid=$!
    trap 'kill "$pid" 2>/dev/null || true' EXIT
    used=0
    while now=$(processor_seconds "$pid") && [ -n "$now" ]; do
        used=$now
        # It then ends by itself, with its figures.
        [ "$used" -lt "$seconds" ] || kill -USR1 "$pid" 2>/dev/null || true
        sleep 1
    done
    result='no failure'
    wait "$pid" || { result="FAILED, see $log"; status=1; }
    trap - EXIT
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges and \2 features/p' "$log" | tail -n 1)
    echo "$target: ${runs:-?} inputs in $used s of processor time, ${reached:-nothing} reached, $result"
done
exit "$status"
