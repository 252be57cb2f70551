#!/usr/bin/env bash
# PostgreSQL 18.6. A publication FOR ALL TABLES makes DELETE (and UPDATE) on every table without a replica
# identity an error: also if the condition is false for all rows, and also with wal_level = replica, where
# nothing can be published at all. Whoever sets up change data capture so stops the programs of others.
# Seen: ERROR: cannot delete from table "t" because it does not have a replica identity and publishes deletes
source "$(dirname "${BASH_SOURCE[0]}")/lib/postgres_18.sh"

output=$(sql <<'SQL'
SHOW wal_level;
CREATE TABLE t (a int);
CREATE PUBLICATION p FOR ALL TABLES;
DELETE FROM t WHERE false;
SQL
)
expect ' replica'
expect 'cannot delete from table "t" because it does not have a replica identity and publishes deletes'
