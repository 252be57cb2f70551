-- Refreshing models. Everything a refresh changes, it changes in one transaction, with
-- REFRESH ... CONCURRENTLY: readers see the old state until they see the new one, and never wait.
-- That a run began is committed before, so the log also keeps runs that failed or were killed.

-- Each transaction of a refresh holds this lock; 1634956133 is "asse" in ASCII. The server releases it
-- however the transaction ends, and shows it to every role.
CREATE FUNCTION @extschema@._try_lock(schema oid) RETURNS boolean
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    -- The 32 bits of an oid, of which the later half has no place among the positive integers.
    SELECT pg_catalog.pg_try_advisory_xact_lock(1634956133,
               (schema::int8 - CASE WHEN schema::int8 < 2147483648 THEN 0 ELSE 4294967296 END)::int);
END;
COMMENT ON FUNCTION @extschema@._try_lock(oid) IS 'internal: takes the lock of a refresh, if nobody has it';

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

-- Whether the run that a server process has logged is still at work: the log alone proves nothing, as
-- a run can be broken off between any two statements. A run has its lock but for a moment between
-- two transactions, so where its process lives there is a second look. A standby does not know
-- what runs on its primary, and takes its word.
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

-- A run that its log calls running, and that is not: how it ended, as far as can be known. Null for
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
'internal: what is said of a run that was broken off';

-- Sees to it that nobody else refreshes the model, to the end of the transaction.
CREATE FUNCTION @extschema@._lock(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model_schema oid := @extschema@._schema(model);
    holder int;
    prepared text;
BEGIN
    -- A run that has no lock for a moment is not overtaken.
    IF @extschema@._kind(model, 'run_log') IS NOT NULL THEN
        EXECUTE format('SELECT l.pid FROM %I.run_log l
                        WHERE l.status = ''running'' AND l.pid <> pg_backend_pid()
                        AND   @extschema@._is_refreshing($1, l.pid, l.started) LIMIT 1', model)
        INTO holder USING model_schema;
    END IF;
    IF holder IS NULL AND @extschema@._try_lock(model_schema) THEN
        RETURN;
    END IF;
    holder := coalesce(holder, @extschema@._lock_holder(model_schema));
    prepared := @extschema@._lock_holder_prepared(model_schema);
    IF holder IS NULL AND prepared IS NOT NULL THEN
        RAISE EXCEPTION 'model % is locked by a prepared transaction', quote_ident(model)
            USING ERRCODE = 'lock_not_available',
                  DETAIL = format('It is %L, see pg_prepared_xacts.', prepared),
                  HINT = format('End it by COMMIT PREPARED %1$L or ROLLBACK PREPARED %1$L.', prepared);
    END IF;
    RAISE EXCEPTION 'model % is being refreshed', quote_ident(model)
        USING ERRCODE = 'lock_not_available',
              DETAIL = CASE WHEN holder IS NULL THEN 'Another session had its lock.'
                            ELSE format('Server process %s holds its lock.', holder) END,
              HINT = format('See %I.runs; wait until it has ended.', model);
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
    -- What else says that it runs was broken off.
    EXECUTE format(
        'UPDATE %I.run_log l
         SET    status = ''failed'', sqlstate = b.sqlstate,
                error = @extschema@._broken_off_error(b.sqlstate)
         FROM  (SELECT r.run_id, coalesce(@extschema@._broken_off(r.tableoid, r.status, r.pid, r.started),
                                          ''57014'') AS sqlstate
                FROM %1$I.run_log r WHERE r.status = ''running'') b
         WHERE  l.run_id = b.run_id', model);
    PERFORM @extschema@._alert_of_runs(model);
    run := @extschema@._new_run(model);
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
    PERFORM @extschema@._record(model);
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

-- Logs that a run failed, also one that failed before it was in the log. Who came while another run
-- was at work has not failed.
CREATE FUNCTION @extschema@._failed(model name, run bigint, sqlstate text, error text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_at_work boolean;
BEGIN
    IF run IS NULL AND sqlstate = '55P03' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.run_log l WHERE l.status = ''running''
                                       AND @extschema@._is_refreshing($1, l.pid, l.started))', model)
        INTO is_at_work USING @extschema@._schema(model);
        IF is_at_work THEN
            RETURN;
        END IF;
    END IF;
    IF run IS NULL THEN
        run := @extschema@._new_run(model);
    END IF;
    EXECUTE format(
        'UPDATE %I.run_log SET finished = clock_timestamp(), status = ''failed'',
                sqlstate = $2, error = $3 WHERE run_id = $1', model) USING run, sqlstate, error;
    PERFORM @extschema@._alert_of_runs(model);
END $$;
COMMENT ON FUNCTION @extschema@._failed(name, bigint, text, text) IS 'internal: logs that a run failed';

-- All that a refresh changes. It looks at catalogs only, and lets the owner do the rest.
-- The settings are those under which Postgres itself can do it, and results are the same whoever calls:
-- REFRESH ... CONCURRENTLY of PostgreSQL 15 writes SQL that cannot be read again with
-- quote_all_identifiers; and its statements look large to the planner, but compiling them takes longer
-- than to run them.
CREATE FUNCTION @extschema@._refresh(owner oid, model name, run bigint) RETURNS void
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
        periods := @extschema@._as_owner(owner, format('SELECT @extschema@._store_parts(%L)', model));
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._freeze(%L, true)', model));
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
        -- readers. The statement restricts its query itself, and needs a temporary table before.
        PERFORM @extschema@._as_owner(owner, format('REFRESH MATERIALIZED VIEW %s %I.%I',
            CASE WHEN what.relispopulated THEN 'CONCURRENTLY' END, model, what.relation), false);
        steps := steps || jsonb_build_object(what.relation,
            round(extract(epoch FROM clock_timestamp() - began) * 1000));
    END LOOP;
    IF is_tracked THEN
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._freeze(%L, false)', model));
    END IF;
    PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._succeeded(%L, %L, %L, %L)', model,
                                                run, steps, periods));
END $$;
COMMENT ON FUNCTION @extschema@._refresh(oid, name, bigint) IS 'internal: all that a refresh changes';

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

-- One transaction of a refresh, and which comes next: begin, check_tracking, results (until the source
-- stays as it is), alerts; failed after any of them.
CREATE FUNCTION @extschema@._refresh_step(
    model name, everything boolean, sqlstate text, error text,
    INOUT step text, INOUT run bigint, INOUT attempt int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Asked again each time: between two transactions anything may have changed.
    owner oid := @extschema@._must_be_owner(model);
    replaced text;
BEGIN
    -- At the end of the transaction they would fire with the rights of the caller.
    SET CONSTRAINTS ALL IMMEDIATE;
    IF step IN ('begin', 'check_tracking', 'results') THEN
        PERFORM @extschema@._model(model);
    END IF;
    CASE step
    WHEN 'begin' THEN
        run := @extschema@._as_owner(owner, format('SELECT @extschema@._begin(%L)', model));
        step := 'check_tracking';
    WHEN 'check_tracking' THEN
        replaced := @extschema@._replaced(@extschema@._schema(model));
        IF replaced IS NOT NULL THEN
            RAISE WARNING 'model % reads another table than its source: %', quote_ident(model), replaced
                USING HINT = format('SELECT * FROM @extschema@.attach(%L) lets it read the other.', model);
        END IF;
        PERFORM @extschema@._as_owner(owner, format(
            'SELECT @extschema@._lock(%1$L), @extschema@._check_tracking(%1$L, %2$L)', model,
            everything));
        step := 'results';
    WHEN 'results' THEN
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._lock(%L)', model));
        IF NOT @extschema@._as_owner(owner, format(
               'SELECT @extschema@._is_rewritten(%1$L) OR @extschema@._has_other_members(%1$L)',
               model))::boolean THEN
            PERFORM @extschema@._refresh(owner, model, run);
            -- Statements go by names as they are, whatever the snapshot, which still has those of before.
            IF to_regnamespace(quote_ident(model)) IS DISTINCT FROM @extschema@._schema(model) THEN
                RAISE EXCEPTION 'model % was renamed while it was refreshed', quote_ident(model)
                    USING ERRCODE = 'serialization_failure', DETAIL = 'Another schema has its name now.',
                          HINT = 'Refresh it again, under the name that it has now.';
            END IF;
            step := 'alerts';
        ELSIF attempt < 5 THEN
            attempt := attempt + 1;
            step := 'check_tracking';
        ELSE
            RAISE EXCEPTION 'the source of model % is written anew again and again', quote_ident(model)
                USING ERRCODE = 'serialization_failure',
                      DETAIL = format('It was emptied or rewritten during each of %s attempts.', attempt),
                      HINT = 'Refresh it when the source has been loaded.';
        END IF;
    WHEN 'alerts' THEN
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._alert(%L, %L)', model, run));
        step := NULL;
    WHEN 'failed' THEN
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._failed(%L, %L, %L, %L)', model,
                                                    run, sqlstate, error));
        step := NULL;
    END CASE;
END $$;
COMMENT ON FUNCTION @extschema@._refresh_step(name, boolean, text, text, text, bigint, int) IS
'internal: one transaction of a refresh';

-- A procedure that commits may not pin its search_path by a SET clause (CREATE PROCEDURE), so each of
-- its transactions begins with it.
CREATE PROCEDURE @extschema@.refresh(model name, everything boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
    model_schema pg_catalog.oid;
    step pg_catalog.text := 'begin';
    run pg_catalog.int8;
    attempt pg_catalog.int4 := 1;
    has_failed pg_catalog.bool := false;
    failure pg_catalog.text;
    code pg_catalog.text;
    told pg_catalog.text;
    advice pg_catalog.text;
    unlogged pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM @extschema@._must_be_owner(model);
    model_schema := @extschema@._schema(model);
    LOOP
        -- The first COMMIT ends what the caller has begun, with the rights of the caller.
        IF step = 'results' THEN
            COMMIT;
            -- All views from one snapshot, whatever commits while they are made.
            SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        ELSE
            COMMIT;
        END IF;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        -- It may have been renamed, which waits for no refresh.
        model := coalesce((SELECT n.nspname FROM pg_namespace n WHERE n.oid = model_schema), model);
        BEGIN
            SELECT s.step, s.run, s.attempt INTO step, run, attempt
            FROM   @extschema@._refresh_step(model, everything, code, failure, step, run, attempt) s;
        EXCEPTION WHEN OTHERS OR query_canceled THEN
            IF has_failed THEN
                GET STACKED DIAGNOSTICS unlogged = MESSAGE_TEXT;
                step := NULL;
            ELSE
                GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE,
                                        told = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
                has_failed := true;
                step := 'failed';
            END IF;
        END;
        EXIT WHEN step IS NULL;
    END LOOP;
    -- Where a constraint is violated, Postgres names the row, and so a student.
    told := concat_ws(' ', coalesce(CASE WHEN code NOT LIKE '23%' THEN nullif(told, '') END,
                                    'The results are those of before.'),
                      'This could not be logged: ' || unlogged || '.');
    advice := coalesce(nullif(advice, ''), format('See %I.runs.', model));
    COMMIT;
    IF has_failed THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = failure, DETAIL = told, HINT = advice;
    END IF;
END $$;
COMMENT ON PROCEDURE @extschema@.refresh(name, boolean) IS
'brings all results of a model up to date at once, without making readers wait, and logs it; not inside a transaction block';

-- Whether a read of these tables of a schema runs nothing that their owner has put there: they are
-- no views, and have no row-level policies, nor columns of types that may have casts of their own. The
-- planner works out what is constant in index expressions, statistics, constraints and the key of the
-- table whose partition it is (plancat.c).
CREATE FUNCTION @extschema@._is_plain(schema oid, VARIADIC tables name[]) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.count(*) = pg_catalog.cardinality(tables)
    FROM   pg_catalog.pg_class t
    WHERE  t.relnamespace = schema AND t.relname = ANY (tables)
    AND    t.relkind = 'r' AND NOT t.relispartition AND NOT t.relrowsecurity
    AND    NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
                       JOIN pg_catalog.pg_namespace m ON m.oid = y.typnamespace
                       WHERE a.attrelid = t.oid AND a.attnum > 0 AND m.nspname <> 'pg_catalog')
    AND    NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                       WHERE i.indrelid = t.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
    AND    NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext x
                       WHERE x.stxrelid = t.oid AND x.stxexprs IS NOT NULL)
    AND    NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
                       JOIN pg_catalog.pg_depend d
                            ON  d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                            AND d.objid = c.oid
                       WHERE c.conrelid = t.oid
                       AND   d.refclassid <> 'pg_catalog.pg_class'::pg_catalog.regclass);
END;
COMMENT ON FUNCTION @extschema@._is_plain(oid, name[]) IS
'internal: whether a read of tables of a schema runs nothing of their owner';

-- Everybody may ask for all models: only the log itself is read, and only when it is a plain table. An
-- index can be locked where its table is not, and is not waited for either.
CREATE FUNCTION @extschema@._last_run(schema oid)
RETURNS TABLE (status text, finished timestamptz, as_of timestamptz, rows_used bigint, error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    log record;
BEGIN
    SELECT format('%I.run_log', n.nspname) AS name, c.relowner AS owner INTO log
    FROM   pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'run_log'
    WHERE  n.oid = schema;
    IF has_schema_privilege(schema, 'USAGE') AND has_table_privilege(to_regclass(log.name), 'SELECT') THEN
        -- From here on it stays as it is.
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', log.name);
        IF @extschema@._is_plain(schema, 'run_log') THEN
            RETURN QUERY SELECT * FROM jsonb_to_record(@extschema@._look(log.owner, format(
                'SELECT jsonb_build_object(
                            ''status'', CASE WHEN b.code IS NULL THEN l.status ELSE ''failed'' END,
                            ''finished'', l.finished, ''as_of'', l.as_of, ''rows_used'', l.rows_used,
                            ''error'', coalesce(@extschema@._broken_off_error(b.code), l.error))
                 FROM  (SELECT g.tableoid, g.* FROM ONLY %s g ORDER BY g.run_id DESC LIMIT 1) l
                 CROSS JOIN LATERAL @extschema@._broken_off(l.tableoid, l.status, l.pid, l.started)
                            b(code)', log.name))::jsonb)
                AS r(status text, finished timestamptz, as_of timestamptz, rows_used bigint, error text)
            WHERE r.status IS NOT NULL;
        END IF;
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- What is no log, or kept from being read, says nothing of the others.
    RETURN;
END $$;
COMMENT ON FUNCTION @extschema@._last_run(oid) IS 'internal: how the last refresh of a model ended';

-- Whether the name of a model's source means another relation by now than the model reads, in words; null
-- where it does not, or where the model may not be read without care.
CREATE FUNCTION @extschema@._replaced(schema oid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    kept record;
    definition text;
    named text;
    source oid := @extschema@._source(schema);
BEGIN
    SELECT c.oid, c.relowner INTO kept FROM pg_class c
    WHERE c.relnamespace = schema AND c.relname = 'definition';
    definition := @extschema@._name(kept.oid);
    IF has_schema_privilege(schema, 'USAGE') AND has_table_privilege(to_regclass(definition), 'SELECT') THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', definition);
        IF @extschema@._is_plain(schema, 'definition') THEN
            named := @extschema@._look(kept.relowner, format('SELECT d.source FROM ONLY %s d LIMIT 1',
                                                             definition));
        END IF;
    END IF;
    IF to_regclass(named) <> source THEN
        RETURN format('%s is another table now, and the one it was is %s', named,
                      @extschema@._name(source));
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@._replaced(oid) IS
'internal: whether the name of a model''s source means another relation by now';

CREATE FUNCTION @extschema@._broken(schema oid) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT coalesce(@extschema@._lost(schema), @extschema@._replaced(schema));
END;
COMMENT ON FUNCTION @extschema@._broken(oid) IS
'internal: why a model does not read what it was made over; null where it does';

CREATE FUNCTION @extschema@.models()
RETURNS TABLE (model name, owner name, source text, status text, finished timestamptz,
               as_of timestamptz, rows_used bigint, error text)
LANGUAGE sql
BEGIN ATOMIC
    SELECT n.nspname, pg_catalog.pg_get_userbyid(@extschema@._owner(m.schema)),
           @extschema@._name(@extschema@._source(m.schema)),
           CASE WHEN b.why IS NULL THEN r.status ELSE 'broken' END, r.finished, r.as_of, r.rows_used,
           coalesce(b.why, r.error)
    FROM   @extschema@._models() m(schema)
    JOIN   pg_catalog.pg_namespace n ON n.oid = m.schema
    LEFT   JOIN LATERAL @extschema@._last_run(m.schema) r ON true
    LEFT   JOIN LATERAL @extschema@._broken(m.schema) b(why) ON true
    ORDER  BY n.nspname;
END;
COMMENT ON FUNCTION @extschema@.models() IS
'the models of this database with their owner, their source and how their last refresh ended; of a model one may not read, only the first three';
