#!/usr/bin/env bash
# PostgreSQL 18.6. A transaction's isolation level can be set until its first query. In a plpgsql procedure, the
# condition of an IF is one, even if it is nothing but a variable: so a level that depends on a condition
# must have the COMMIT inside the branches, too.
# Seen: ERROR: SET TRANSACTION ISOLATION LEVEL must be called before any query
source "$(dirname "${BASH_SOURCE[0]}")/lib/postgres_18.sh"

output=$(sql <<'SQL'
CREATE PROCEDURE condition_after_commit(is_strict boolean) LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    IF is_strict THEN
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    END IF;
END $$;
CREATE PROCEDURE commit_in_the_branch(is_strict boolean) LANGUAGE plpgsql AS $$
BEGIN
    IF is_strict THEN
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    END IF;
    RAISE NOTICE 'now %', current_setting('transaction_isolation');
END $$;
CALL condition_after_commit(true);
CALL commit_in_the_branch(true);
SQL
)
expect 'SET TRANSACTION ISOLATION LEVEL must be called before any query'
expect 'now repeatable read'
