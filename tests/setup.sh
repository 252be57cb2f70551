#!/usr/bin/env bash
# Installs what building, testing and the demos need, and only what is missing.
# Without the right to install it says what is missing and stops.
#   PG_CONFIG   the server to build for (default: the pg_config on the PATH)
#   PG_MAJOR    the server to install when there is none (default: 15, else the next one on offer)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PG_CONFIG=${PG_CONFIG:-pg_config}

server_is_there() {
    "$PG_CONFIG" --version >/dev/null 2>&1 &&
        [ -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ] &&
        [ -x "$("$PG_CONFIG" --bindir)/initdb" ]
}
libclang_is_there() {
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib*/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib/*/libclang*.so*' >/dev/null
}
# For a server that did not come as a system package, there is none to install.
pg_cron_is_there() {
    local folder
    folder=$("$PG_CONFIG" --pkglibdir 2>/dev/null || echo /usr/lib/postgresql)
    [ -e "$folder/pg_cron.so" ] || [ "${folder#/usr/lib/postgresql}" = "$folder" ]
}
font_is_there() {
    [ -n "$(find /usr/share/fonts -name '*.[to]tf' -print -quit 2>/dev/null)" ]
}

needed=() nice_to_have=()
server_is_there || needed+=(postgresql)
libclang_is_there || needed+=(libclang-dev clang) # read the server's headers for the bindings
command -v cc >/dev/null || needed+=(gcc libc6-dev)
command -v gzip >/dev/null || needed+=(gzip)
python3 -m pip --version >/dev/null 2>&1 || nice_to_have+=(python3-pip) # fetches servers, and the lint's programs
command -v rsvg-convert >/dev/null || nice_to_have+=(librsvg2-bin) # the demo's picture as PNG
font_is_there || nice_to_have+=(fonts-dejavu-core)
pg_cron_is_there || nice_to_have+=(pg_cron) # the scheduler, for its test

if [ ${#needed[@]} -gt 0 ] && [ "$PG_CONFIG" != pg_config ] && ! server_is_there; then
    echo "setup: PG_CONFIG=$PG_CONFIG is not a PostgreSQL with its server headers and initdb." >&2
    echo "setup: install the server and its development package, or choose another PG_CONFIG." >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
fi
may_install() {
    command -v apt-get >/dev/null &&
        { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

if [ $((${#needed[@]} + ${#nice_to_have[@]})) -gt 0 ] && may_install; then
    "${as_root[@]}" apt-get update -qq
    packages=()
    for package in "${needed[@]}" "${nice_to_have[@]}"; do
        if [ "$package" = postgresql ]; then
            for major in ${PG_MAJOR:-15 16 17 18}; do
                if apt-cache show "postgresql-server-dev-$major" >/dev/null 2>&1; then
                    break
                fi
            done
            packages+=("postgresql-$major" "postgresql-server-dev-$major")
            # Tests bring their own throw-away server: the package need not start one.
            if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
                "${as_root[@]}" mkdir -p /etc/postgresql-common
                echo 'create_main_cluster = false' |
                    "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
            fi
        elif [ "$package" = pg_cron ]; then
            major=${major:-$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')}
            if apt-cache show "postgresql-$major-cron" >/dev/null 2>&1; then
                packages+=("postgresql-$major-cron")
            fi
        else
            packages+=("$package")
        fi
    done
    echo "setup: installing ${packages[*]}"
    # The package keeps a createcluster.conf that is already there (confold) instead of asking.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}" >/dev/null
    if ! server_is_there; then
        echo "setup: $PG_CONFIG is still not that of a complete server; choose one of these:" >&2
        ls /usr/lib/postgresql/*/bin/initdb >&2 || true
        echo "setup: ... and say PG_CONFIG=/usr/lib/postgresql/VERSION/bin/pg_config" >&2
        exit 1
    fi
elif [ ${#needed[@]} -gt 0 ]; then
    echo "setup: missing: ${needed[*]}" >&2
    echo "setup: as root on Debian or Ubuntu run tests/setup.sh, or install:" >&2
    echo "  postgresql     a PostgreSQL 15-18 server with its development package" >&2
    echo "                 (postgresql-15 and postgresql-server-dev-15); or set PG_CONFIG" >&2
    echo "  libclang-dev   libclang 11 or later and clang; or set LIBCLANG_PATH" >&2
    echo "  gcc libc6-dev  a C compiler to link with" >&2
    exit 1
elif [ ${#nice_to_have[@]} -gt 0 ]; then
    echo "setup: without ${nice_to_have[*]} a demo or a test leaves something out, and says so" >&2
fi

if ! command -v cargo >/dev/null; then
    echo "setup: cargo is missing: install the Rust toolchain, 1.95 or later (rustup does it)" >&2
    echo "setup: and see that \$HOME/.cargo/bin is on the PATH" >&2
    exit 1
fi
for tool in rustfmt clippy-driver; do
    command -v "$tool" >/dev/null ||
        echo "setup: without $tool 'make lint' cannot run (rustup component add rustfmt clippy)" >&2
done

# Where they cannot be had, the lint says what it leaves out.
tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools
if ! cmp -s tests/tools.txt "$tools/tools.txt"; then
    rm -rf "$tools" "$tools.new"
    if PIP_ROOT_USER_ACTION=ignore timeout 300 python3 -m pip install --quiet --no-deps \
        --target "$tools.new" --only-binary :all: --require-hashes -r tests/tools.txt; then
        cp tests/tools.txt "$tools.new"
        mv "$tools.new" "$tools"
    else
        rm -rf "$tools.new"
        echo "setup: the programs of tests/tools.txt cannot be had" >&2
    fi
fi
