-- Triggers on a source that note what changes, and whether they see all of it.

-- The source with its partitions and heirs: a statement that names one of them fires its triggers
-- alone. Those that no query reads are not among them: a partition whose detaching was broken off,
-- and temporary tables of other sessions.
CREATE FUNCTION @extschema@._members(source regclass) RETURNS oid[]
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE m(member) AS (
        SELECT _members.source::oid
        UNION
        SELECT i.inhrelid
        FROM   m
        JOIN   pg_catalog.pg_inherits i ON i.inhparent = m.member AND NOT i.inhdetachpending
        JOIN   pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE  c.relpersistence <> 't' OR c.relnamespace = pg_catalog.pg_my_temp_schema())
    SELECT pg_catalog.array_agg(m.member ORDER BY m.member) FROM m;
END;
COMMENT ON FUNCTION @extschema@._members(regclass) IS 'internal: a table with its partitions';

-- A chunk of a hypertable of TimescaleDB, which refuses such triggers there: those of the
-- hypertable see what is written to it.
CREATE FUNCTION @extschema@._is_chunk(member oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.oid = member AND n.nspname = '_timescaledb_internal');
END;
COMMENT ON FUNCTION @extschema@._is_chunk(oid) IS
'internal: whether a table is a chunk of a hypertable';

-- Why triggers on the statements that change a table do not see all that changes in it; null where
-- they do.
CREATE FUNCTION @extschema@._unseen_changes(source regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_distributed boolean := false;
    members oid[] := @extschema@._members(source);
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition p
                                WHERE p.logicalrelid = $1)'
        INTO is_distributed USING source;
    END IF;
    RETURN CASE
        WHEN is_distributed THEN 'It is a distributed table of Citus: its rows are in other tables.'
        WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relkind IN ('r', 'p'))
        THEN 'It is not a table of this database.'
        -- ("Logical Replication", Architecture)
        WHEN EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = ANY (members))
        THEN 'A subscription fills it, and logical replication fires no triggers of statements.'
        WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY (members) AND c.relpersistence = 'u')
        THEN 'It is unlogged: a crash of the server empties it, and fires no trigger.'
    END;
END $$;
COMMENT ON FUNCTION @extschema@._unseen_changes(regclass) IS
'internal: why triggers do not see all that changes in a table';

-- Triggers on one table that note what changes. Transition tables allow one event each.
CREATE FUNCTION @extschema@._add_triggers(model name, member regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- No name that a model may have is too long for this.
    prefix text := 'pg_assess_' || left(md5(model), 16);
    note regprocedure := format('%I.note_changes()', model)::regprocedure;
    wanted record;
BEGIN
    -- Foreign tables see nothing: a source with one among its partitions is taken to have changed.
    IF (SELECT c.relkind FROM pg_class c WHERE c.oid = member) NOT IN ('r', 'p')
       OR @extschema@._is_chunk(member) THEN
        RETURN;
    END IF;
    FOR wanted IN
        SELECT * FROM (VALUES
            ('INSERT', 'REFERENCING NEW TABLE AS added'),
            ('UPDATE', 'REFERENCING OLD TABLE AS removed NEW TABLE AS added'),
            ('DELETE', 'REFERENCING OLD TABLE AS removed'),
            ('TRUNCATE', '')) AS e(event, tables)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = member
                       AND t.tgfoid = note AND t.tgname = format('%s_%s', prefix,
                                                                 lower(wanted.event)))
        THEN
            EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s
                            FOR EACH STATEMENT EXECUTE FUNCTION %I.note_changes(%s)',
                           format('%s_%s', prefix, lower(wanted.event)), wanted.event, member,
                           wanted.tables, model, quote_ident(model)::regnamespace::oid);
        END IF;
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    -- As for a hypertable with a columnstore.
    RAISE EXCEPTION 'triggers cannot report what changes in %', member
        USING ERRCODE = 'feature_not_supported', DETAIL = SQLERRM,
              HINT = 'Track changes by a column with the time of the last change (changed_at), or '
                     'not at all.';
END $$;
COMMENT ON FUNCTION @extschema@._add_triggers(name, regclass) IS
'internal: triggers that note what changes in a table';

-- The function of these triggers. It runs with the rights of the model's owner, as a writer of
-- responses need know nothing of the model, and only adds the periods of the rows before and after
-- to a table that nobody else writes: no writer ever waits for another. A failure here would stop
-- the writer, so it avoids all of them: where the schema was renamed, it finds the new name; where
-- the column was, it notes that anything may have changed. A writer may have a snapshot from before
-- the trigger was made: then the trigger's argument says which schema it is. After a restore that
-- is out of date, so it is asked last. Where a day stands for the column of times, all is of one
-- period, and a change is noted as that of anything.
CREATE FUNCTION @extschema@._note_function(
    model name, taken_at name, type regtype, period text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    beginning text := (@extschema@._period(format('r.%I', taken_at), type, period)).beginning;
    insertion text := 'INSERT INTO %s (period) %s ON CONFLICT DO NOTHING';
    added text := format('SELECT DISTINCT %s FROM added r', beginning);
    removed text := format('SELECT DISTINCT %s FROM removed r', beginning);
    everything text := 'SELECT date ''infinity''';
    named text := quote_ident(model);
    body text;
BEGIN
    body := format($body$
DECLARE
    schema text;
    query text;
    is_known boolean;
    type regtype;
BEGIN
    -- As text it has the current name, whatever the snapshot.
    schema := coalesce((SELECT p.pronamespace FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                        WHERE t.tgrelid = TG_RELID AND t.tgname = TG_NAME),
                       TG_ARGV[0]::oid)::regnamespace;
    query := %L;
    is_known := TG_OP <> 'TRUNCATE' AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID
        AND a.attname = %L AND NOT a.attisdropped
        -- What is computed when it is read (PostgreSQL 18) is not in a transition table.
        AND a.attgenerated <> 'v'
        -- Of another type it may have casts that are its owner's, and run with other rights.
        AND (a.atttypid = %L::regtype
             OR EXISTS (SELECT FROM pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'
                        AND y.typbasetype = %L::regtype)));
    -- An old snapshot has the columns of before.
    IF is_known AND current_setting('transaction_isolation') <> 'read committed' THEN
        BEGIN
            EXECUTE format('SELECT pg_typeof(r.%%I)
                            FROM (VALUES (1)) one LEFT JOIN %%s r ON true LIMIT 1', %L,
                           CASE TG_OP WHEN 'INSERT' THEN 'added' ELSE 'removed' END) INTO type;
            is_known := type = %L::regtype
                OR EXISTS (SELECT FROM pg_type y WHERE y.oid = type AND y.typtype = 'd'
                           AND y.typbasetype = %L::regtype);
        EXCEPTION WHEN undefined_column THEN
            is_known := false;
        END;
    END IF;
    IF is_known THEN
        IF schema = %L AND TG_OP = 'INSERT' THEN
            %s;
            RETURN NULL;
        ELSIF schema = %L AND TG_OP = 'DELETE' THEN
            %s;
            RETURN NULL;
        ELSIF schema = %L AND TG_OP = 'UPDATE' THEN
            %s;
            RETURN NULL;
        END IF;
        query := CASE TG_OP WHEN 'INSERT' THEN %L WHEN 'DELETE' THEN %L ELSE %L END;
    END IF;
    EXECUTE format('INSERT INTO %%s.changes (period) %%s ON CONFLICT DO NOTHING', schema, query);
    RETURN NULL;
END$body$,
        everything, taken_at, type, type, taken_at, type, type,
        named, format(insertion, format('%I.changes', model), added),
        named, format(insertion, format('%I.changes', model), removed),
        named, format(insertion, format('%I.changes', model), added || ' UNION ' || removed),
        added, removed, added || ' UNION ' || removed);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I.note_changes() RETURNS trigger LANGUAGE plpgsql
                    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L', model, body);
    EXECUTE format('REVOKE ALL ON FUNCTION %I.note_changes() FROM PUBLIC', model);
    EXECUTE format('COMMENT ON FUNCTION %I.note_changes() IS %L', model,
                   'notes in changes which periods of the source changed');
END $$;
COMMENT ON FUNCTION @extschema@._note_function(name, name, regtype, text) IS
'internal: makes the trigger function of a model';

CREATE FUNCTION @extschema@._drop_triggers(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    installed record;
    note oid := to_regprocedure(format('%I.note_changes()', model));
BEGIN
    IF note IS NOT NULL THEN
        -- The parent's first.
        FOR installed IN SELECT t.tgname, t.tgrelid::regclass AS member FROM pg_trigger t
                    WHERE t.tgfoid = note ORDER BY t.tgrelid, t.tgname LOOP
            EXECUTE format('DROP TRIGGER %I ON %s', installed.tgname, installed.member);
        END LOOP;
        EXECUTE format('DROP FUNCTION %I.note_changes()', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._drop_triggers(name) IS 'internal: drops the triggers of a model';

CREATE FUNCTION @extschema@._tracking_type(
    source regclass, taken_at name, track_changes text, changed_at name, period text)
        RETURNS regtype
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unseen text;
BEGIN
    IF track_changes IS NULL OR track_changes NOT IN ('none', 'triggers', 'changed_at') THEN
        RAISE EXCEPTION 'track_changes must be none, triggers or changed_at'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is %s.', coalesce(quote_literal(track_changes), 'null')),
                  HINT = 'none reads the whole source with every refresh.';
    END IF;
    IF (track_changes = 'changed_at') <> (changed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'changed_at and track_changes => ''changed_at'' belong together'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('track_changes is %L, changed_at %s.', track_changes,
                                  coalesce(quote_literal(changed_at), 'null')),
                  HINT = 'Name as changed_at the column with the time at which a row was last '
                         'changed.';
    END IF;
    IF period IS NULL OR period NOT IN ('day', 'week', 'month', 'quarter', 'year') THEN
        RAISE EXCEPTION 'period must be day, week, month, quarter or year'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is %s.', coalesce(quote_literal(period), 'null')),
                  HINT = 'A refresh reads the periods again in which something changed.';
    END IF;
    unseen := @extschema@._unseen_changes(source);
    IF track_changes = 'triggers' AND unseen IS NOT NULL THEN
        RAISE EXCEPTION 'triggers cannot report what changes in %', source
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = unseen,
                  HINT = 'Track changes by a column with the time of the last change (changed_at), '
                         'or not at all.';
    END IF;
    -- Of PostgreSQL 18: it is not in the transition tables that triggers go by.
    IF track_changes = 'triggers' AND EXISTS (
           SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = taken_at
           AND a.attgenerated = 'v') THEN
        RAISE EXCEPTION 'triggers cannot see column % of %', quote_ident(taken_at), source
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'It is a virtual generated column, which triggers do not see.',
                  HINT = 'Generate it STORED, or name the column that it is made from.';
    END IF;
    IF track_changes = 'changed_at' THEN
        -- The same types as of taken_at.
        PERFORM @extschema@._source_column(source, 'changed_at', changed_at);
    END IF;
    RETURN (@extschema@._time(source, taken_at)).type;
END $$;
COMMENT ON FUNCTION @extschema@._tracking_type(regclass, name, text, name, text) IS
'internal: whether changes can be tracked, and the type of the times';
