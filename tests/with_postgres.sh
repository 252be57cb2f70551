#!/usr/bin/env bash
# tests/with_postgres.sh COMMAND...
# Runs COMMAND beside a private, throw-away PostgreSQL that has the freshly built
# extension, with PGHOST, PGPORT, PGUSER and PGDATABASE (a fresh database) set.
# PostgreSQL finds its libraries relative to its own program, so a copy of it in a
# temporary directory takes the extension without touching the system or being root.
# Where COMMAND runs this script again, it gets a second server of the same copy.
#   PG_ASSESS_SETTINGS  lines of postgresql.conf beside those of every server; @dir@ is the
#                       directory of its socket
#   PG_CONFIG   the server to copy (default: the pg_config on the PATH)
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND..." >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pg_config=${PG_CONFIG:-pg_config}
bindir=$("$pg_config" --bindir)
pkglibdir=$("$pg_config" --pkglibdir)
sharedir=$("$pg_config" --sharedir)

# PostgreSQL refuses to run as root.
server_user=()
PG_ASSESS_SETTINGS=${PG_ASSESS_SETTINGS:-}
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 && account=postgres || account=nobody
    server_user=(runuser -u "$account" --)
fi

# The socket's whole path may have 107 bytes, and the server's account must reach it.
parent=${TMPDIR:-/tmp}
if [ ${#parent} -gt 60 ] || ! "${server_user[@]}" test -x "$parent"; then
    parent=/tmp
fi
dir=$(mktemp -d "$parent/pg_assess.XXXXXXXX")
command_pid=''

clean_up() {
    local pid i
    trap '' INT TERM
    [ -z "$command_pid" ] || kill "$command_pid" 2>/dev/null || true
    pid=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null || true)
    if [ -n "$pid" ]; then
        # Nothing is kept, so the server need not write anything down: immediate shutdown.
        kill -QUIT "$pid" 2>/dev/null || true
        for ((i = 0; i < 100; i++)); do
            [ -e "$dir/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
    fi
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir "$dir/socket"
copy=$dir/copy
if [ -n "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
    ln -s "$PG_ASSESS_PRIVATE_SERVER/copy" "$copy"
else
    # The full paths are kept, as the programs know them relative to each other only.
    mkdir -p "$copy$bindir" "$copy$pkglibdir" "$copy$sharedir"
    cp -p "$bindir/postgres" "$bindir/initdb" "$bindir/pg_ctl" "$copy$bindir"
    cp -r "$pkglibdir/." "$copy$pkglibdir"
    cp -r "$sharedir/." "$copy$sharedir"
    rm -f "$copy$pkglibdir/pg_assess.so" "$copy$sharedir"/extension/pg_assess[.-]*
    # Those that look for libpq relative to themselves, as in Python's packages of PostgreSQL, do
    # not find it from the copy.
    mkdir "$copy/libpq"
    ldd "$bindir/initdb" | awk '$1 ~ /^libpq[.-]/ && $3 ~ /^\// { print $3 }' |
        xargs -r cp -L -t "$copy/libpq"
    CARGO_TERM_QUIET=true "${MAKE:-make}" -s -C "$root" install PG_CONFIG="$pg_config" \
        DESTDIR="$copy" >&2
fi
if [ ${#server_user[@]} -gt 0 ]; then
    chown "$account" "$dir" "$dir/socket"
fi
chmod 755 "$dir" "$dir/socket"

as_server() {
    # RUST_BACKTRACE, which a server may be started with, must change no message.
    (cd "$dir" && "${server_user[@]}" env RUST_BACKTRACE=1 \
        LD_LIBRARY_PATH="$copy/libpq${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@")
}
as_server "$copy$bindir/initdb" --pgdata="$dir/data" --username=postgres --auth=trust \
    --encoding=UTF8 --no-locale --no-sync >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; exit 1; }
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/socket'
port = 65432
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 4GB
shared_buffers = 256MB
work_mem = 64MB
timezone = 'UTC'
${PG_ASSESS_SETTINGS//@dir@/$dir/socket}
CONF
unset PG_ASSESS_SETTINGS
as_server "$copy$bindir/pg_ctl" start -w -s -D "$dir/data" -l "$dir/server.log" ||
    { tail -n 40 "$dir/server.log" >&2; exit 1; }

export PGHOST=$dir/socket PGPORT=65432 PGUSER=postgres PGDATABASE=assess_private PSQLRC=/dev/null
export PG_ASSESS_PRIVATE_SERVER=$dir
unset PGPASSWORD PGSERVICE PGOPTIONS PGHOSTADDR PGSSLMODE PGDATA
export PATH=$bindir:$PATH # psql and pg_dump of the same version
psql -d postgres -qc "CREATE DATABASE $PGDATABASE"

# In the background, so that a signal reaches the trap at once.
"$@" <&0 &
command_pid=$!
status=0
wait "$command_pid" || status=$?
command_pid=''
exit "$status"
