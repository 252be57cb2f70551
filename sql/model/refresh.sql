-- Refreshing models. Everything a refresh changes, it changes in one transaction, with
-- REFRESH ... CONCURRENTLY: readers see the old state until they see the new one, and never wait.
-- That a run began is committed before, so the log also keeps runs that failed or were killed.

CREATE FUNCTION @extschema@._begin(model name) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run bigint;
BEGIN
    PERFORM @extschema@._lock(model);
    -- There is none after a restore without data.
    EXECUTE format('INSERT INTO %I.settings DEFAULT VALUES ON CONFLICT DO NOTHING', model);
    -- Any other run that is logged as running was interrupted.
    EXECUTE format(
        'UPDATE %I.run_log l
         SET    status = ''failed'', sqlstate = b.sqlstate,
                error = @extschema@._broken_off_error(b.sqlstate)
         FROM  (SELECT r.run_id,
                coalesce(@extschema@._broken_off(r.tableoid, r.status, r.pid, r.started),
                                          ''57014'') AS sqlstate
                FROM %1$I.run_log r WHERE r.status = ''running'') b
         WHERE  l.run_id = b.run_id', model);
    PERFORM @extschema@._alert_of_runs(model);
    run := @extschema@._new_run(model);
    PERFORM @extschema@._forget_figures(model);
    RETURN run;
END $$;
COMMENT ON FUNCTION @extschema@._begin(name) IS 'internal: logs that a run begins';

-- An error where no row counts, waits for its mark or says why it has none: results of nothing help
-- nobody.
CREATE FUNCTION @extschema@._must_use_rows(model name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
    advice text;
BEGIN
    EXECUTE @extschema@._over(model, $sql$
        SELECT g.rows, c.*
        FROM  (SELECT coalesce(sum(b.rows), 0) AS rows FROM {model}.gradebook b) g
        CROSS  JOIN (
            SELECT sum(r.rows) AS asked,
                   coalesce(bool_or(NOT @extschema@._is_left_out(r.reason) AND r.rows > 0
                                    AND r.reason NOT IN ('future', 'excluded', 'duplicate',
                                                         'conflicting')), false) AS is_some,
                   string_agg(format('%s %s', r.rows, r.reason), ', ' ORDER BY r.rows DESC)
                       FILTER (WHERE r.rows > 0) AS reasons,
                   coalesce(sum(r.rows) FILTER (WHERE r.reason = 'future'), 0) AS future
            FROM  (SELECT v.reason, sum(v.rows) AS rows
                   FROM   @extschema@._rows_asked_about($1) v GROUP BY v.reason) r) c
        $sql$) INTO found USING model;
    IF found.is_some OR found.rows = 0 THEN
        RETURN;
    END IF;
    EXECUTE @extschema@._over(model, $sql$
        SELECT a.advice
        FROM  (SELECT {advice} AS advice, (SELECT max(b.rows) FROM {model}.gradebook b
                                           WHERE ARRAY[b.subject] = ARRAY[g.subject]) AS rows
               FROM   {gradebooks}) a
        WHERE  a.advice IS NOT NULL ORDER BY a.rows DESC LIMIT 1
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model),
            'advice', @extschema@._call(model, '@extschema@._scale_advice'::regproc)))
    INTO advice;
    RAISE EXCEPTION 'no row of the source of model % can be used', quote_ident(model)
        USING ERRCODE = 'no_data_found',
              DETAIL = format('Of %s rows: %s.', found.rows, concat_ws(
                  ', ', found.reasons,
                  CASE WHEN found.rows > found.asked
                       THEN format('%s of assessments in exclude', found.rows - found.asked) END)),
              HINT = coalesce(
                  advice,
                  CASE WHEN found.future > 0
                       THEN 'See the times of the rows, and the setting as_of: what is later than '
                            'that does not count.'
                       ELSE 'See the settings exclude and exclude_items, and which columns were '
                            'named for what.' END);
END $$;
COMMENT ON FUNCTION @extschema@._must_use_rows(name) IS
'internal: refuses results of nothing';

-- Settings are kept as JSON, in every session alike: runs with others are not compared.
CREATE FUNCTION @extschema@._succeeded(
    model name, run bigint, steps jsonb, periods int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET timezone = 'UTC' AS $$
BEGIN
    PERFORM @extschema@._must_use_rows(model);
    -- Also the run that made the previous results.
    EXECUTE format('DELETE FROM %1$I.run_log
                    WHERE run_id <= $1 - (SELECT keep_runs FROM %1$I.settings)', model) USING run;
    PERFORM @extschema@._keep_run(model, run);
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
COMMENT ON FUNCTION @extschema@._succeeded(name, bigint, jsonb, int) IS
'internal: logs that a run succeeded';

-- Logs that a run failed, also one that failed before it was in the log. A call that came while
-- another run was at work has not failed.
CREATE FUNCTION @extschema@._failed(model name, run bigint, sqlstate text, error text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_at_work boolean;
BEGIN
    IF run IS NULL AND sqlstate = '55P03' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.run_log l WHERE l.status = ''running''
                                       AND @extschema@._is_refreshing($1, l.pid,
                                                                      l.started))', model)
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
COMMENT ON FUNCTION @extschema@._failed(name, bigint, text, text) IS
'internal: logs that a run failed';

-- All that a refresh changes. It looks at catalogs only, and lets the owner do the rest.
-- The settings are those under which Postgres itself can do it, and results are the same whoever
-- calls: REFRESH ... CONCURRENTLY of PostgreSQL 15 writes SQL that cannot be read again with
-- quote_all_identifiers; and its statements look large to the planner, but compiling them takes
-- longer than to run them.
CREATE FUNCTION @extschema@._refresh(owner oid, model name, run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
SET quote_all_identifiers = off SET extra_float_digits = 1 AS $$
DECLARE
    member record;
    began timestamptz := clock_timestamp();
    steps jsonb := '{}';
    periods int;
    is_tracked boolean := @extschema@._is_tracked(model);
BEGIN
    -- CONCURRENTLY sets whole rows aside, gradebooks too, and Postgres compresses them there.
    IF EXISTS (SELECT FROM pg_settings s
               WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
        PERFORM set_config('default_toast_compression', 'lz4', true);
    END IF;
    IF is_tracked THEN
        periods := @extschema@._as_owner(owner,
                                         format('SELECT @extschema@._store_parts(%L)', model));
        PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._freeze(%L, true)', model));
        steps := jsonb_build_object('stored_parts',
            round(extract(epoch FROM clock_timestamp() - began) * 1000));
    END IF;
    FOR member IN
        SELECT r.relation, c.relispopulated
        FROM   @extschema@._relations() r
        JOIN   pg_class c ON c.oid = to_regclass(format('%I.%I', model, r.relation))
        WHERE  c.relkind = 'm' ORDER BY r.place
    LOOP
        began := clock_timestamp();
        -- What has never been filled, as after the restore of a schema without data, has no
        -- readers. The statement restricts its query itself, and needs a temporary table before.
        PERFORM @extschema@._as_owner(owner, format('REFRESH MATERIALIZED VIEW %s %I.%I',
            CASE WHEN member.relispopulated THEN 'CONCURRENTLY' END, model, member.relation),
            false);
        steps := steps || jsonb_build_object(member.relation,
            round(extract(epoch FROM clock_timestamp() - began) * 1000));
    END LOOP;
    IF is_tracked THEN
        PERFORM @extschema@._as_owner(owner,
                                      format('SELECT @extschema@._freeze(%L, false)', model));
    END IF;
    PERFORM @extschema@._as_owner(owner,
                                  format('SELECT @extschema@._succeeded(%L, %L, %L, %L)', model,
                                                run, steps, periods));
END $$;
COMMENT ON FUNCTION @extschema@._refresh(oid, name, bigint) IS
'internal: all that a refresh changes';

-- Whether a table of the source was emptied or written anew by what committed after the snapshot of
-- this transaction. Such a table looks empty to the snapshot (TRUNCATE and ALTER TABLE are not safe
-- in that way, says Postgres' chapter on caveats of concurrency). Planning a query locks all tables
-- below; then the catalog of the snapshot is compared with the catalog as it is.
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

-- One transaction of a refresh, and which comes next: begin, check_tracking, results (until the
-- source stays as it is), alerts; failed after any of them.
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
            RAISE WARNING 'model % reads another table than its source: %', quote_ident(model),
                replaced
                USING HINT = format('SELECT * FROM @extschema@.attach(%L) lets it read the other.',
                                    model);
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
            -- Statements go by names as they are, whatever the snapshot, which still has those of
            -- before.
            IF to_regnamespace(quote_ident(model)) IS DISTINCT FROM @extschema@._schema(model) THEN
                RAISE EXCEPTION 'model % was renamed while it was refreshed', quote_ident(model)
                    USING ERRCODE = 'serialization_failure', DETAIL = 'Another schema has its name '
                                                                      'now.',
                          HINT = 'Refresh it again, under the name that it has now.';
            END IF;
            step := 'alerts';
        ELSIF attempt < 5 THEN
            attempt := attempt + 1;
            step := 'check_tracking';
        ELSE
            RAISE EXCEPTION 'the source of model % is written anew again and again',
                quote_ident(model)
                USING ERRCODE = 'serialization_failure',
                      DETAIL = format('It was emptied or rewritten during each of %s attempts.',
                                      attempt),
                      HINT = 'Refresh it when the source has been loaded.';
        END IF;
    WHEN 'alerts' THEN
        PERFORM @extschema@._as_owner(owner,
                                      format('SELECT @extschema@._alert(%L, %L)', model, run));
        step := NULL;
    WHEN 'failed' THEN
        PERFORM @extschema@._as_owner(owner,
                                      format('SELECT @extschema@._failed(%L, %L, %L, %L)', model,
                                                    run, sqlstate, error));
        step := NULL;
    END CASE;
END $$;
COMMENT ON FUNCTION @extschema@._refresh_step(name, boolean, text, text, text, bigint, int) IS
'internal: one transaction of a refresh';

CREATE FUNCTION @extschema@._is_in_transaction_block() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'is_in_transaction_block_wrapper';
COMMENT ON FUNCTION @extschema@._is_in_transaction_block() IS
'internal: whether the client has a transaction open, which only the client can end';

-- A procedure that commits may not pin its search_path by a SET clause (CREATE PROCEDURE), so each
-- of its transactions begins with it.
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
    details pg_catalog.text;
    advice pg_catalog.text;
    unlogged pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM @extschema@._must_be_owner(model);
    IF @extschema@._is_in_transaction_block() THEN
        RAISE EXCEPTION 'a refresh cannot run inside a transaction block'
            USING ERRCODE = 'invalid_transaction_termination',
                  DETAIL = 'It commits on its own, so that no reader waits for it.',
                  HINT = 'CALL it alone: without BEGIN, with autocommit on, in a psql -c of its '
                         'own.';
    END IF;
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
            FROM   @extschema@._refresh_step(model, everything, code, failure, step, run,
                                             attempt) s;
        EXCEPTION WHEN OTHERS OR query_canceled THEN
            IF has_failed THEN
                GET STACKED DIAGNOSTICS unlogged = MESSAGE_TEXT;
                step := NULL;
            ELSE
                GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE,
                                        details = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
                has_failed := true;
                step := 'failed';
            END IF;
        END;
        EXIT WHEN step IS NULL;
    END LOOP;
    -- Where a constraint is violated, Postgres names the row, and so a student.
    details := concat_ws(' ', coalesce(CASE WHEN code NOT LIKE '23%' THEN nullif(details, '') END,
                                       'The results are those of before.'),
                         'This could not be logged: ' || unlogged || '.');
    advice := coalesce(nullif(advice, ''), format('See %I.runs.', model));
    COMMIT;
    IF has_failed THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = failure, DETAIL = details, HINT = advice;
    END IF;
END $$;
COMMENT ON PROCEDURE @extschema@.refresh(name, boolean) IS
'brings all results of a model up to date at once, without making readers wait, and logs it; not '
'inside a transaction block';
