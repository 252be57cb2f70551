#!/usr/bin/env bash
# What the compiler does not check: where unsafe code may live, SQL, shell scripts, spelling and licences.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Only one room may hold unsafe code; words in comments do not count.
if grep -rnE --include='*.rs' '^([^/]|/[^/])*\<unsafe\>' src pgrx-tests tests | grep -v '^src/pg/'; then
    echo 'lint: unsafe code belongs in src/pg only' >&2
    exit 1
fi

# What cannot be read at one sitting: functions of more than 100 lines are clippy's business.
if git ls-files '*.rs' '*.sql' '*.sh' | xargs wc -l | awk '$2 != "total" && $1 > 600' | grep .; then
    echo 'lint: a file of code has more than 600 lines' >&2
    exit 1
fi

# The modules of the core build on each other without a circle, neither of files nor of folders.
# "importer imported", one a line; a folder's mod.rs imports what it hands on.
mapfile -t modules < <(find src/core -name '*.rs' ! -path '*/tests/*' ! -path '*/benches/*' ! -name lib.rs)
imports=$(awk '
    function report(path) {
        while (path != "" && !(path in known)) if (!sub(/\/[^\/]*$/, "", path)) path = ""
        if (path != "" && path != own) print own, path
    }
    BEGIN {
        for (at = 1; at < ARGC; at++) {
            name = ARGV[at]
            gsub(/^src\/core\/|(\/mod)?\.rs$/, "", name)
            known[name] = 1
            module[ARGV[at]] = name
        }
    }
    /^ *\/\// { next }
    {
        own = module[FILENAME]
        for (rest = $0; match(rest, /crate::[a-z_0-9:]+/); rest = substr(rest, RSTART + RLENGTH)) {
            path = substr(rest, RSTART + 7, RLENGTH - 7)
            gsub(/::/, "/", path)
            report(path)
        }
        if (match($0, /crate::\{[^}]*/)) {
            count = split(substr($0, RSTART + 8, RLENGTH - 8), names, /, /)
            for (at = 1; at <= count; at++) report(names[at])
        }
        if (FILENAME ~ /\/mod\.rs$/ && match($0, /^pub(\([a-z]+\))? use [a-z_]+::/)) {
            path = substr($0, RSTART, RLENGTH)
            gsub(/^.* |::$/, "", path)
            report(own "/" path)
        }
    }' "${modules[@]}" | sort -u)
if ! tsort <<<"$imports" >/dev/null ||
    ! sed -E 's|/[^ ]*||g' <<<"$imports" | awk '$1 != $2' | sort -u | tsort >/dev/null; then
    echo 'lint: modules of src/core import each other in a circle' >&2
    exit 1
fi
if grep -rnE --include='*.rs' '\<super::' src/core | grep -vE '^src/core/(tests|benches)/'; then
    echo 'lint: name modules of src/core from its root, as the check of circles reads them' >&2
    exit 1
fi

# The parts of the install script, in the order in which they build on each other.
mapfile -t parts < <(sed -n '/^SQL_PARTS :=/,/[^\\]$/p' Makefile | sed 's/.*:=//' |
    grep -oE '[a-z_/]+' | sed 's|.*|sql/&.sql|')
if [ "$(printf '%s\n' "${parts[@]}" | sort)" != \
    "$(find sql -name '*.sql' ! -name '*--*' | sort)" ]; then
    echo 'lint: SQL_PARTS of the Makefile and the files of sql/ differ' >&2
    exit 1
fi

# What the planner of Citus refuses over distributed tables: a result of no columns, and a sub-select
# that looks at the row it is to change.
if grep -nE 'EXISTS \(SELECT FROM %s\).*source' "${parts[@]}" ||
    grep -PzoH "UPDATE [^;]*SET [^;]*=\s*\(\s*SELECT[^;]*responses" "${parts[@]}" | tr '\0' '\n' | grep .; then
    echo 'lint: Citus cannot plan this over a distributed source' >&2
    exit 1
fi

# What an error says beside its code: what there is, and what to do.
bare=$(grep -PzohH "RAISE EXCEPTION(?>'[^']*'|[^';])*;" "${parts[@]}" | while IFS= read -r -d '' error; do
    [[ $error == *ERRCODE* && $error == *DETAIL* && $error == *HINT* ]] || printf '%s\n' "$error"
done)
if [ -n "$bare" ]; then
    printf '%s\n' "$bare"
    echo 'lint: an error needs ERRCODE, DETAIL and HINT' >&2
    exit 1
fi

# None names an internal function that a later one defines; public ones stand in advice, too. Read
# twice: what each file defines, and what it names.
if awk -v files="${#parts[@]}" '
    FNR == 1 { file++ }
    file <= files && match($0, /^CREATE (FUNCTION|PROCEDURE) @extschema@\._[a-z_]+/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/.*@\./, "", name)
        if (!(name in defined)) defined[name] = file
    }
    file > files {
        for (rest = $0; match(rest, /@extschema@\._[a-z_]+/); rest = substr(rest, RSTART + RLENGTH)) {
            name = substr(rest, RSTART + 12, RLENGTH - 12)
            if (defined[name] > file - files) print FILENAME ":" FNR ": " name
        }
    }' "${parts[@]}" "${parts[@]}" | grep .; then
    echo 'lint: a file of sql/ names a function that a later one defines' >&2
    exit 1
fi

# Plain literals are read otherwise where standard_conforming_strings is off.
if grep -n '\\' "${parts[@]}" /dev/null | grep -v ':[0-9]*: *--'; then
    echo 'lint: a backslash in SQL' >&2
    exit 1
fi

# In SQL: lines of at most 100 characters, functions of at most 100 lines (each ends before its COMMENT).
if awk 'length > 100 { print FILENAME ":" FNR ": over 100 characters" }
    /^CREATE (FUNCTION|PROCEDURE) / { name = $0; start = FNR }
    /^COMMENT ON / && start {
        if (FNR - start > 100) print FILENAME ":" start ": " FNR - start " lines: " name
        start = 0
    }' "${parts[@]}" | grep .; then
    echo 'lint: lines or functions of SQL are too long' >&2
    exit 1
fi

scripts=(.ci/run tests/*.sh tests/*/*.sh findings/*.sh findings/*/*.sh)
for script in "${scripts[@]}"; do
    bash -n "$script"
done

# Programs that tests/setup.sh installs; each that is not there is named, and counted by .ci/run.
tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/bin
has_tool() {
    [ -x "$tools/$1" ] || { echo "left out: $2, as $1 cannot be had"; return 1; }
}
if has_tool shellcheck 'the check of shell scripts'; then
    "$tools/shellcheck" --severity=warning --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
fi
if has_tool typos 'the check of spelling'; then
    "$tools/typos"
fi
if has_tool cargo-deny 'the check of licences and sources'; then
    "$tools/cargo-deny" --log-level error check licenses bans sources
fi
