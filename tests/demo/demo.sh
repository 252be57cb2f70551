#!/usr/bin/env bash
# `make demo`: a made-up school network from question scores to the help list.
set -euo pipefail
STEPS=6
# shellcheck source=tests/demo/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inside_private_server

step 'making a sample network: schools, students, a year of answers'
sql <tests/demo/sample.sql
step 'one scan of the answers into one gradebook per subject'
sql <tests/demo/gradebooks.sql
step 'the answers'
sql <tests/demo/demo.sql

step 'drawing one school'
pictures=${CARGO_TARGET_DIR:-target}/demo
mkdir -p "$pictures"
sql -At <tests/demo/picture.sql >"$pictures/school_map.svg"
echo "  $pictures/school_map.svg"
if command -v rsvg-convert >/dev/null; then
    rsvg-convert -w 1800 "$pictures/school_map.svg" -o "$pictures/school_map.png"
    echo "  $pictures/school_map.png"
fi
echo "Done in $(elapsed), everything on this machine; the server and its data are gone again."
