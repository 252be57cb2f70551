#!/usr/bin/env bash
# `make demo-oulad DATA=directory`: the same questions put to real university data.
set -euo pipefail
STEPS=5
files=(assessments studentAssessment courses studentInfo studentRegistration)

data=${1:-}
[ -z "$data" ] || data=$(realpath -m "$data")
missing=()
for file in "${files[@]}"; do
    [ -r "$data/$file.csv.gz" ] || [ -r "$data/$file.csv" ] || missing+=("$file.csv[.gz]")
done
if [ -z "$data" ] || [ ${#missing[@]} -gt 0 ]; then
    cat >&2 <<MESSAGE
demo-oulad: no data in ${data:-DATA}: ${missing[*]}
  Say where the Open University Learning Analytics Dataset lies: make demo-oulad DATA=directory
  It is free (CC BY 4.0): Kuzilek, Hlosta & Zdrahal 2017, doi:10.1038/sdata.2017.171
MESSAGE
    exit 1
fi

# shellcheck source=tests/demo/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inside_private_server "$data"

step 'loading the data set'
sql <tests/demo/oulad_tables.sql
for file in "${files[@]}"; do
    source=$data/$file.csv.gz
    [ -r "$source" ] || source=$data/$file.csv
    gzip -cdf "$source" | sql -c "COPY oulad.\"$file\" FROM STDIN (FORMAT csv, HEADER)"
done
step 'one scan into one gradebook per module presentation'
sql <tests/demo/oulad_gradebooks.sql
step 'the answers'
sql <tests/demo/oulad.sql
cat <<ATTRIBUTION
Data: Open University Learning Analytics Dataset, Kuzilek, Hlosta & Zdrahal 2017, Scientific Data
4:170171, CC BY 4.0; unchanged but for dates counted from the first of the starting month.
ATTRIBUTION
echo "Done in $(elapsed), everything on this machine; the server and its data are gone again."
