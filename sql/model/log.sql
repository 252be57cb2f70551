-- The log of runs, and what may be shown of other roles' models.

-- Logs a new run and forgets the oldest. Its number lies above every one that is still in use, also
-- where the log was restored or its numbers began anew. However many have failed since, the run
-- that made the results stays: it has their settings.
CREATE FUNCTION @extschema@._new_run(model name) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    numbers regclass := pg_get_serial_sequence(format('%I.run_log', model), 'run_id');
    run bigint := nextval(numbers);
    relation name;
    used bigint;
BEGIN
    FOREACH relation IN ARRAY '{run_log,history,run_figures,alerts}'::name[] LOOP
        -- A model that is being made has no more than its log.
        CONTINUE WHEN @extschema@._kind(model, relation) IS NULL;
        EXECUTE format('SELECT max(r.run_id) FROM %I.%I r', model, relation) INTO used;
        run := greatest(run, used + 1);
    END LOOP;
    PERFORM setval(numbers, run);
    EXECUTE format('INSERT INTO %I.run_log (run_id) OVERRIDING SYSTEM VALUE VALUES ($1)', model)
    USING run;
    IF @extschema@._kind(model, 'settings') IS NOT NULL THEN
        EXECUTE format('DELETE FROM %1$I.run_log l
                        WHERE l.run_id <= $1 - (SELECT keep_runs FROM %1$I.settings)
                        AND   l.run_id IS DISTINCT FROM (SELECT max(s.run_id) FROM %1$I.run_log s
                                                         WHERE s.status = ''succeeded'')', model)
        USING run;
    END IF;
    RETURN run;
END $$;
COMMENT ON FUNCTION @extschema@._new_run(name) IS 'internal: logs a new run and returns its number';

-- Sees to it that nobody else refreshes the model, to the end of the transaction.
CREATE FUNCTION @extschema@._lock(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model_schema oid := @extschema@._schema(model);
    holder int;
    prepared text;
BEGIN
    -- A run that briefly holds no lock is not overtaken.
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
                  HINT = format('End it by COMMIT PREPARED %1$L or ROLLBACK PREPARED %1$L.',
                                prepared);
    END IF;
    RAISE EXCEPTION 'model % is being refreshed', quote_ident(model)
        USING ERRCODE = 'lock_not_available',
              DETAIL = CASE WHEN holder IS NULL THEN 'Another session had its lock.'
                            ELSE format('Server process %s holds its lock.', holder) END,
              HINT = format('See %I.runs; wait until it has ended.', model);
END $$;
COMMENT ON FUNCTION @extschema@._lock(name) IS
'internal: the right to change a model until the end of the transaction';

-- Whether a read of these tables of a schema runs nothing that their owner has put there: they are
-- no views, and have no row-level policies, nor columns of types that may have casts of their own.
-- The planner works out what is constant in index expressions, statistics, constraints and the key
-- of the table whose partition it is (plancat.c).
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
                       WHERE i.indrelid = t.oid
                           AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
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

-- Everybody may ask for all models: only the log itself is read, and only when it is a plain table.
-- An index can be locked where its table is not, and is not waited for either.
CREATE FUNCTION @extschema@._last_run(schema oid)
RETURNS TABLE (status text, finished timestamptz, as_of timestamptz, rows_used bigint, error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    log record;
BEGIN
    SELECT format('%I.run_log', n.nspname) AS name, c.relowner AS owner INTO log
    FROM   pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'run_log'
    WHERE  n.oid = schema;
    IF has_schema_privilege(schema, 'USAGE')
        AND has_table_privilege(to_regclass(log.name), 'SELECT') THEN
        -- It cannot change from here on.
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', log.name);
        IF @extschema@._is_plain(schema, 'run_log') THEN
            RETURN QUERY SELECT * FROM jsonb_to_record(@extschema@._look(log.owner, format(
                'SELECT jsonb_build_object(
                            ''status'', CASE WHEN b.code IS NULL THEN l.status ELSE ''failed'' END,
                            ''finished'', l.finished, ''as_of'', l.as_of, ''rows_used'',
                                l.rows_used,
                            ''error'', coalesce(@extschema@._broken_off_error(b.code), l.error))
                 FROM  (SELECT g.tableoid, g.* FROM ONLY %s g ORDER BY g.run_id DESC LIMIT 1) l
                 CROSS JOIN LATERAL @extschema@._broken_off(l.tableoid, l.status, l.pid, l.started)
                            b(code)', log.name))::jsonb)
                AS r(status text, finished timestamptz, as_of timestamptz, rows_used bigint,
                     error text)
            WHERE r.status IS NOT NULL;
        END IF;
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- A table that is no log, or cannot be read, shows nothing about the others.
    RETURN;
END $$;
COMMENT ON FUNCTION @extschema@._last_run(oid) IS 'internal: how the last refresh of a model ended';

-- Whether the name of a model's source means another relation by now than the model reads, in
-- words; null where it does not, or where the model may not be read without care.
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
    IF has_schema_privilege(schema, 'USAGE')
        AND has_table_privilege(to_regclass(definition), 'SELECT') THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', definition);
        IF @extschema@._is_plain(schema, 'definition') THEN
            named := @extschema@._look(kept.relowner,
                                       format('SELECT d.source FROM ONLY %s d LIMIT 1',
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
           CASE WHEN b.why IS NULL THEN r.status ELSE 'broken' END, r.finished, r.as_of,
               r.rows_used,
           coalesce(b.why, r.error)
    FROM   @extschema@._models() m(schema)
    JOIN   pg_catalog.pg_namespace n ON n.oid = m.schema
    LEFT   JOIN LATERAL @extschema@._last_run(m.schema) r ON true
    LEFT   JOIN LATERAL @extschema@._broken(m.schema) b(why) ON true
    ORDER  BY n.nspname;
END;
COMMENT ON FUNCTION @extschema@.models() IS
'the models of this database with their owner, their source and how their last refresh ended; of '
'a model one may not read, only the first three';
