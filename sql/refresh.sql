-- Refreshing models. Everything a refresh changes, it changes in one transaction, with
-- REFRESH ... CONCURRENTLY: readers see the old state until they see the new one, and never wait.
-- That a run began is committed before, so the log also keeps runs that failed or were killed.

-- A refresh holds this lock of its transaction; 1634956133 is "asse" in ASCII.
CREATE FUNCTION @extschema@._try_lock(schema oid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    -- The 32 bits of an oid, of which the later half has no place among the positive integers.
    SELECT pg_catalog.pg_try_advisory_xact_lock(1634956133,
               (schema::int8 - CASE WHEN schema::int8 < 2147483648 THEN 0 ELSE 4294967296 END)::int);
END;
COMMENT ON FUNCTION @extschema@._try_lock(oid) IS 'internal: takes the lock of a refresh, if nobody has it';

-- A run ends with the process that runs it. After a restart of the server its number may be that of
-- another; and one that is idle, which only its own role is told, runs nothing. A standby does not
-- know what runs on its primary, and takes its word.
CREATE FUNCTION @extschema@._is_refreshing(pid int, started timestamptz) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.pg_is_in_recovery()
           OR started >= pg_catalog.pg_postmaster_start_time()
              AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
                          WHERE a.pid = _is_refreshing.pid AND a.state IS DISTINCT FROM 'idle');
END;
COMMENT ON FUNCTION @extschema@._is_refreshing(int, timestamptz) IS
'internal: whether the server process that logged a run is still at work';

-- Sees to it that nobody else refreshes the model, to the end of the transaction. A run commits more
-- than once, and for a moment nobody has the lock: then its log tells.
CREATE FUNCTION @extschema@._lock(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_running boolean := NOT @extschema@._try_lock(@extschema@._model(model));
BEGIN
    IF NOT is_running THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.run_log l
                                       WHERE l.status = ''running'' AND l.pid <> pg_backend_pid()
                                       AND @extschema@._is_refreshing(l.pid, l.started))', model)
        INTO is_running;
    END IF;
    IF is_running THEN
        RAISE EXCEPTION 'model % is being refreshed', quote_ident(model)
            USING ERRCODE = 'lock_not_available',
                  HINT = format('See %I.runs; wait until it has ended.', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._lock(name) IS
'internal: the right to change a model until the end of the transaction';

-- Logs that a run begins.
CREATE FUNCTION @extschema@._begin(model name) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run bigint;
BEGIN
    PERFORM @extschema@._lock(model);
    -- A restore without data has left none.
    EXECUTE format('INSERT INTO %I.settings DEFAULT VALUES ON CONFLICT DO NOTHING', model);
    -- What else says that it runs has been killed.
    EXECUTE format(
        'UPDATE %I.run_log SET status = ''failed'', sqlstate = ''57P01'',
                error = ''the server process ended'' WHERE status = ''running''', model);
    PERFORM @extschema@._alert_of_runs(model);
    run := @extschema@._next_run(model);
    EXECUTE format('INSERT INTO %I.run_log (run_id) OVERRIDING SYSTEM VALUE VALUES ($1)', model)
    USING run;
    -- However many have failed since, the run that made the results stays: it has their settings.
    EXECUTE format('DELETE FROM %1$I.run_log l
                    WHERE l.run_id <= $1 - (SELECT keep_runs FROM %1$I.settings)
                    AND   l.run_id IS DISTINCT FROM (SELECT max(s.run_id) FROM %1$I.run_log s
                                                     WHERE s.status = ''succeeded'')', model)
    USING run;
    PERFORM @extschema@._forget_figures(model);
    RETURN run;
END $$;
COMMENT ON FUNCTION @extschema@._begin(name) IS 'internal: logs that a run begins';

-- Settings are kept as JSON, in every session alike: runs with others are not compared.
CREATE FUNCTION @extschema@._succeeded(
    model name, run bigint, steps jsonb, periods int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET timezone = 'UTC' AS $$
BEGIN
    -- Also that which made the results until now.
    EXECUTE format('DELETE FROM %1$I.run_log
                    WHERE run_id <= $1 - (SELECT keep_runs FROM %1$I.settings)', model) USING run;
    PERFORM @extschema@._remember(model, run);
    EXECUTE format(
        'UPDATE %1$I.run_log SET
             finished = clock_timestamp(), status = ''succeeded'', steps = $2, periods = $3,
             pid = pg_backend_pid(),
             as_of = (SELECT max(g.as_of) FROM %1$I.gradebook g),
             settings = (SELECT to_jsonb(o) - ''singleton'' FROM %1$I.settings o),
             rows_used = (SELECT coalesce(sum(c.rows) FILTER (WHERE c.reason = ''used''), 0)
                          FROM %1$I.coverage c),
             rows_excluded = (SELECT jsonb_object_agg(c.reason, c.rows)
                              FROM (SELECT reason, sum(rows)::bigint AS rows FROM %1$I.coverage
                                    WHERE reason <> ''used'' GROUP BY reason) c)
         WHERE run_id = $1', model) USING run, steps, periods;
END $$;
COMMENT ON FUNCTION @extschema@._succeeded(name, bigint, jsonb, int) IS 'internal: logs that a run succeeded';

CREATE FUNCTION @extschema@._failed(model name, run bigint, sqlstate text, error text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format(
        'UPDATE %I.run_log SET finished = clock_timestamp(), status = ''failed'',
                sqlstate = $2, error = $3 WHERE run_id = $1', model) USING run, sqlstate, error;
END $$;
COMMENT ON FUNCTION @extschema@._failed(name, bigint, text, text) IS 'internal: logs that a run failed';

-- All that a refresh changes.
-- Its statements look large to the planner, and compiling them takes longer than to run them.
-- PostgreSQL 15 itself cannot refresh concurrently where it quotes all identifiers.
CREATE FUNCTION @extschema@._refresh(model name, run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
SET quote_all_identifiers = off SET extra_float_digits = 1 AS $$
DECLARE
    what record;
    began timestamptz := clock_timestamp();
    steps jsonb := '{}';
    periods int;
    is_tracked boolean := @extschema@._is_tracked(model);
BEGIN
    -- CONCURRENTLY lays whole rows aside, gradebooks and all, and Postgres compresses them there.
    IF EXISTS (SELECT FROM pg_settings s
               WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
        PERFORM set_config('default_toast_compression', 'lz4', true);
    END IF;
    IF is_tracked THEN
        periods := @extschema@._store_parts(model);
        PERFORM @extschema@._freeze(model, true);
        steps := jsonb_build_object('stored_parts',
            round(extract(epoch FROM clock_timestamp() - began) * 1000));
    END IF;
    FOR what IN
        SELECT r.relation, c.relispopulated
        FROM   @extschema@._relations() r
        JOIN   pg_class c ON c.oid = to_regclass(format('%I.%I', model, r.relation))
        WHERE  c.relkind = 'm' ORDER BY r.place
    LOOP
        began := clock_timestamp();
        -- What has never been filled, as after the restore of a schema without data, has no
        -- readers.
        EXECUTE format('REFRESH MATERIALIZED VIEW %s %I.%I',
                       CASE WHEN what.relispopulated THEN 'CONCURRENTLY' END, model, what.relation);
        steps := steps || jsonb_build_object(what.relation,
            round(extract(epoch FROM clock_timestamp() - began) * 1000));
    END LOOP;
    IF is_tracked THEN
        PERFORM @extschema@._freeze(model, false);
    END IF;
    PERFORM @extschema@._succeeded(model, run, steps, periods);
END $$;
COMMENT ON FUNCTION @extschema@._refresh(name, bigint) IS 'internal: all that a refresh changes';

-- Whether a table of the source was emptied or written anew by what committed after the snapshot of
-- this transaction. Such a table looks empty to the snapshot (TRUNCATE and ALTER TABLE are not safe
-- in that way, says Postgres' chapter on caveats of concurrency). Planning a query locks all tables
-- below; then the catalog as the snapshot has it is held against the catalog as it is.
CREATE FUNCTION @extschema@._is_rewritten(model name) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT FROM %I.responses LIMIT 0', model);
    RETURN EXISTS (
        SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE  l.locktype = 'relation' AND l.pid = pg_backend_pid() AND c.relkind IN ('r', 'm')
        AND    l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND    c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid));
END $$;
COMMENT ON FUNCTION @extschema@._is_rewritten(name) IS
'internal: whether a table of the source was written anew after the snapshot was taken';

CREATE FUNCTION @extschema@._owner(model name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c
    WHERE c.relnamespace = @extschema@._model(model) AND c.relname = 'gradebook';
END;
COMMENT ON FUNCTION @extschema@._owner(name) IS 'internal: the role that owns a model';

-- How every transaction of a refresh begins. A procedure that commits may not pin its search_path by
-- a SET clause (CREATE PROCEDURE). And what belongs to a model runs with the rights of its owner, as
-- REFRESH MATERIALIZED VIEW does, whoever calls.
CREATE FUNCTION @extschema@._enter(owner text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    SELECT pg_catalog.set_config('role', owner, true);
END;
COMMENT ON FUNCTION @extschema@._enter(text) IS 'internal: begins a transaction of a refresh';

CREATE PROCEDURE @extschema@.refresh(model name, everything boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
    owner pg_catalog.text;
    run pg_catalog.int8;
    attempts pg_catalog.int4 := 0;
    again pg_catalog.bool;
    failure pg_catalog.text;
    code pg_catalog.text;
    told pg_catalog.text;
    advice pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    owner := @extschema@._owner(model);
    IF NOT pg_catalog.pg_has_role(owner, 'MEMBER') THEN
        RAISE EXCEPTION 'must be owner of model %', pg_catalog.quote_ident(model)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = pg_catalog.format('It belongs to %s.', pg_catalog.quote_ident(owner));
    END IF;
    PERFORM @extschema@._enter(owner);
    run := @extschema@._begin(model);
    COMMIT;
    PERFORM @extschema@._enter(owner);
    BEGIN
        PERFORM @extschema@._check_tracking(model, everything);
    EXCEPTION WHEN OTHERS OR query_canceled THEN
        GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE,
                                told = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
    END;
    LOOP
        COMMIT;
        -- All views from one snapshot, whatever commits while they are made.
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        PERFORM @extschema@._enter(owner);
        again := false;
        attempts := attempts + 1;
        BEGIN
            IF code IS NULL THEN
                PERFORM @extschema@._lock(model);
            END IF;
            IF code IS NOT NULL THEN
                NULL;
            ELSIF NOT @extschema@._is_rewritten(model) THEN
                PERFORM @extschema@._refresh(model, run);
            ELSIF attempts < 5 THEN
                again := true;
            ELSE
                RAISE EXCEPTION 'the source of model % is written anew again and again',
                                quote_ident(model)
                    USING ERRCODE = 'serialization_failure',
                          HINT = 'Refresh it when the source has been loaded.';
            END IF;
        EXCEPTION WHEN OTHERS OR query_canceled THEN
            GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE,
                                    told = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
        END;
        EXIT WHEN NOT again;
    END LOOP;
    COMMIT;
    PERFORM @extschema@._enter(owner);
    IF code IS NULL THEN
        PERFORM @extschema@._alert(model, run);
    ELSE
        PERFORM @extschema@._failed(model, run, code, failure);
        PERFORM @extschema@._alert_of_runs(model);
        -- After the COMMIT operators are those of the caller's search_path. And where a constraint is
        -- violated, Postgres tells the row, and so a student.
        told := coalesce(CASE WHEN code NOT LIKE '23%' THEN nullif(told, '') END,
                         'The results are those of before.');
        advice := coalesce(nullif(advice, ''), format('See %I.runs.', model));
    END IF;
    COMMIT;
    IF code IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = failure, DETAIL = told, HINT = advice;
    END IF;
END $$;
COMMENT ON PROCEDURE @extschema@.refresh(name, boolean) IS
'brings all results of a model up to date at once, without making readers wait, and logs it; not inside a transaction block';

-- Whether a read of these tables of a schema runs nothing that their owner has put there: they are
-- no views, and have no row-level policies, nor columns of types that may have casts of their own.
CREATE FUNCTION @extschema@._is_plain(schema oid, VARIADIC tables name[]) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.count(*) = pg_catalog.cardinality(tables)
    FROM   pg_catalog.pg_class t
    WHERE  t.relnamespace = schema AND t.relname = ANY (tables)
    AND    t.relkind = 'r' AND NOT t.relrowsecurity
    AND    NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
                       JOIN pg_catalog.pg_namespace m ON m.oid = y.typnamespace
                       WHERE a.attrelid = t.oid AND a.attnum > 0 AND m.nspname <> 'pg_catalog');
END;
COMMENT ON FUNCTION @extschema@._is_plain(oid, name[]) IS
'internal: whether a read of tables of a schema runs nothing of their owner';

-- Everybody may ask for all models, and what runs here runs with the rights of whoever asks: only
-- the log itself is read, and only when it is a plain table.
CREATE FUNCTION @extschema@._last_run(schema oid)
RETURNS TABLE (status text, finished timestamptz, as_of timestamptz, rows_used bigint, error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := (SELECT format('%I.run_log', n.nspname) FROM pg_namespace n WHERE n.oid = schema);
BEGIN
    IF has_schema_privilege(schema, 'USAGE') AND has_table_privilege(to_regclass(log), 'SELECT') THEN
        -- From here on it stays as it is.
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', log);
        IF @extschema@._is_plain(schema, 'run_log') THEN
            RETURN QUERY EXECUTE format(
                'SELECT CASE WHEN l.is_lost THEN ''failed'' ELSE l.status END, l.finished, l.as_of,
                        l.rows_used,
                        CASE WHEN l.is_lost THEN ''the server process ended'' ELSE l.error END
                 FROM  (SELECT g.*, g.status = ''running''
                                    AND NOT @extschema@._is_refreshing(g.pid, g.started) AS is_lost
                        FROM ONLY %s g ORDER BY g.run_id DESC LIMIT 1) l', log);
        END IF;
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- What is no log, or kept from being read, says nothing of the others.
    RETURN;
END $$;
COMMENT ON FUNCTION @extschema@._last_run(oid) IS 'internal: how the last refresh of a model ended';

CREATE FUNCTION @extschema@.models()
RETURNS TABLE (model name, owner name, source text, status text, finished timestamptz,
               as_of timestamptz, rows_used bigint, error text)
LANGUAGE sql
BEGIN ATOMIC
    SELECT n.nspname, pg_catalog.pg_get_userbyid(g.relowner), s.source,
           r.status, r.finished, r.as_of, r.rows_used, r.error
    FROM   @extschema@._models() m(schema)
    JOIN   pg_catalog.pg_namespace n ON n.oid = m.schema
    JOIN   pg_catalog.pg_class g ON g.relnamespace = m.schema AND g.relname = 'gradebook'
    LEFT   JOIN LATERAL (
               SELECT DISTINCT pg_catalog.format('%s.%I', t.relnamespace::pg_catalog.regnamespace,
                                                 t.relname) AS source
               FROM   pg_catalog.pg_class v
               JOIN   pg_catalog.pg_rewrite w ON w.ev_class = v.oid
               JOIN   pg_catalog.pg_depend d
                      ON  d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                      AND d.objid = w.oid AND d.refobjid <> v.oid
                      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
               JOIN   pg_catalog.pg_class t ON t.oid = d.refobjid
               WHERE  v.relnamespace = m.schema AND v.relname = 'responses') s ON true
    LEFT   JOIN LATERAL @extschema@._last_run(m.schema) r ON true
    ORDER  BY n.nspname;
END;
COMMENT ON FUNCTION @extschema@.models() IS
'the models of this database with their owner, their source and how their last refresh ended; of a model one may not read, only the first three';
