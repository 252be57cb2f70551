-- Which run is at work on a model, and how a run that no longer is was interrupted.

-- Each transaction of a refresh holds this lock; 1634956133 is "asse" in ASCII. The server releases
-- it however the transaction ends, and shows it to every role.
CREATE FUNCTION @extschema@._try_lock(schema oid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    -- The 32 bits of an oid, of which the later half has no place among the positive integers.
    SELECT pg_catalog.pg_try_advisory_xact_lock(1634956133,
               (schema::int8
                - CASE WHEN schema::int8 < 2147483648 THEN 0 ELSE 4294967296 END)::int);
END;
COMMENT ON FUNCTION @extschema@._try_lock(oid) IS
'internal: takes the lock of a refresh, if nobody has it';

-- The server process that holds the lock of a refresh; null where none does.
CREATE FUNCTION @extschema@._lock_holder(schema oid) RETURNS int
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT l.pid FROM pg_catalog.pg_locks l
    WHERE  l.locktype = 'advisory' AND l.classid = 1634956133 AND l.objid = schema
    AND    l.objsubid = 2 AND l.granted
    AND    l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                         WHERE d.datname = pg_catalog.current_database())
    LIMIT  1;
END;
COMMENT ON FUNCTION @extschema@._lock_holder(oid) IS
'internal: the server process that holds the lock of a refresh';

-- The prepared transaction that holds it: that has no process, and no end until somebody ends it.
CREATE FUNCTION @extschema@._lock_holder_prepared(schema oid) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT p.gid
    FROM   pg_catalog.pg_locks l
    JOIN   pg_catalog.pg_locks x ON x.virtualtransaction = l.virtualtransaction AND x.pid IS NULL
    JOIN   pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
    WHERE  l.pid IS NULL AND l.locktype = 'advisory' AND l.classid = 1634956133 AND l.objid = schema
    AND    l.objsubid = 2 AND l.granted AND p.database = pg_catalog.current_database()
    LIMIT  1;
END;
COMMENT ON FUNCTION @extschema@._lock_holder_prepared(oid) IS
'internal: the prepared transaction that holds the lock of a refresh';

-- Whether the run that a server process has logged is still at work: the log alone proves nothing,
-- as a run can be broken off between any two statements. A run has its lock but for a moment
-- between two transactions, so where its process lives there is a second look. A standby does not
-- know what runs on its primary, and takes its word.
CREATE FUNCTION @extschema@._is_refreshing(schema oid, pid int, started timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() OR @extschema@._lock_holder(schema) = pid THEN
        RETURN true;
    END IF;
    -- After a restart of the server the number of a process may be that of another.
    IF started < pg_postmaster_start_time() OR pid = pg_backend_pid()
       OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = _is_refreshing.pid) THEN
        RETURN false;
    END IF;
    PERFORM pg_sleep(0.1);
    RETURN @extschema@._lock_holder(schema) IS NOT DISTINCT FROM pid;
END $$;
COMMENT ON FUNCTION @extschema@._is_refreshing(oid, int, timestamptz) IS
'internal: whether a run that was logged is still at work';

-- How a run ended that the log shows as running but that is not, as far as can be known. Null for
-- all others.
CREATE FUNCTION @extschema@._broken_off(log oid, status text, pid int, started timestamptz)
RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF status <> 'running' OR @extschema@._is_refreshing(
           (SELECT c.relnamespace FROM pg_class c WHERE c.oid = log), pid, started) THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN started >= pg_postmaster_start_time()
                     AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = _broken_off.pid)
                THEN '57014' ELSE '57P01' END;
END $$;
COMMENT ON FUNCTION @extschema@._broken_off(oid, text, int, timestamptz) IS
'internal: the SQLSTATE of a run that was broken off without a word in its log';

CREATE FUNCTION @extschema@._broken_off_error(sqlstate text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE sqlstate WHEN '57014' THEN 'the run was cancelled between two of its steps'
                         WHEN '57P01' THEN 'the server process ended' END;
END;
COMMENT ON FUNCTION @extschema@._broken_off_error(text) IS
'internal: how a run was interrupted, in words';
