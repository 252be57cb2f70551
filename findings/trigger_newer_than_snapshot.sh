#!/usr/bin/env bash
# PostgreSQL 18.6. In a REPEATABLE READ transaction a trigger fires that was made after its snapshot was taken, but a query
# in the trigger's function sees the catalog of the snapshot: pg_trigger has no row for the trigger that is
# running. The same holds of a renamed schema, while regnamespace, written as text, has the name of today. Whoever looks
# up in a trigger which trigger it is (to share one function) stops such a writer.
# Seen: NOTICE: rows of pg_trigger for newer: 0, its function lies in late (now renamed)
source "$(dirname "${BASH_SOURCE[0]}")/lib/postgres_18.sh"

export beside="$bin/psql -X -q -h $folder -U postgres"
output=$(sql <<'SQL'
CREATE TABLE t (a int);
CREATE SCHEMA late;
CREATE FUNCTION late.who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'rows of pg_trigger for %: %, its function lies in % (now %)', TG_NAME,
        (SELECT count(*) FROM pg_trigger WHERE tgrelid = TG_RELID AND tgname = TG_NAME),
        (SELECT nspname FROM pg_namespace WHERE oid = TG_ARGV[0]::oid), TG_ARGV[0]::oid::regnamespace;
    RETURN NULL;
END $$;
SELECT 'late'::regnamespace::oid AS schema \gset
\setenv schema :schema
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 'the snapshot is taken';
\! $beside -c "CREATE TRIGGER newer AFTER INSERT ON t EXECUTE FUNCTION late.who('$schema')" -c 'ALTER SCHEMA late RENAME TO renamed'
INSERT INTO t VALUES (1);
COMMIT;
INSERT INTO t VALUES (2);
SQL
)
expect 'rows of pg_trigger for newer: 0, its function lies in late (now renamed)'
expect 'rows of pg_trigger for newer: 1, its function lies in renamed (now renamed)'
