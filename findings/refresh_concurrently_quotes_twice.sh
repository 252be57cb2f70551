#!/usr/bin/env bash
# PostgreSQL 18.6 (15.20 too). REFRESH MATERIALIZED VIEW CONCURRENTLY writes SQL with the name of its temporary table
# and appends to it; with quote_all_identifiers the name comes quoted, and what is appended stands outside.
# Seen: ERROR: syntax error at or near "_2"
source "$(dirname "${BASH_SOURCE[0]}")/lib/postgres_18.sh"

output=$(sql <<'SQL'
CREATE TABLE t (id int);
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
CREATE UNIQUE INDEX ON m (id);
SET quote_all_identifiers = on;
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
REFRESH MATERIALIZED VIEW m;
SQL
)
expect 'syntax error at or near "_2"'
expect 'REFRESH MATERIALIZED VIEW'
