-- Models that learn what changed in their source (create_model, track_changes): one gradebook
-- is stored for each subject, group and period, and a refresh aggregates only those periods again
-- in which something changed.
--
-- Why nothing is lost: a change is noted in the transaction that makes it, so whoever sees the one
-- sees the other; and a refresh does all its work in one snapshot (REPEATABLE READ). It aggregates
-- the rows of that snapshot, and takes away the notes of that snapshot. What commits meanwhile is
-- in neither, and its note waits for the next refresh.
--
-- Two periods stand for more: -infinity has the rows without a date that a calendar has use for;
-- and a note of infinity says that anything may have changed.

-- The period of a row, and whether a time lies in one: SQL over an expression of the type. Periods
-- are those of UTC, as sessions may differ in their time zones.
CREATE FUNCTION @extschema@._period(
    expression text, type regtype, period text,
    OUT beginning text, OUT out_of_calendar text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    zone text := CASE WHEN type = 'timestamptz'::regtype THEN ' 00:00+00' ELSE '' END;
    local text := CASE WHEN type = 'timestamptz'::regtype
                       THEN format('timezone(''UTC'', %s)', expression)
                       ELSE format('%s::timestamp', expression) END;
BEGIN
    out_of_calendar := format('%1$s IS NULL OR %1$s < %2$s ''1900-01-01%3$s''
                               OR %1$s >= %2$s ''2200-01-01%3$s''', expression, type, zone);
    beginning := format('CASE WHEN %s THEN date ''-infinity'' ELSE %s END', out_of_calendar,
                        CASE WHEN type = 'date'::regtype AND period = 'day'
                             THEN expression || '::date'
                             ELSE format('date_trunc(%L, %s)::date', period, local) END);
END $$;
COMMENT ON FUNCTION @extschema@._period(text, regtype, text) IS
'internal: SQL for the period in which a time lies';

-- A time at which a period begins, in the type of the source's times.
CREATE FUNCTION @extschema@._bound(expression text, type regtype) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _bound.type = 'timestamptz'::pg_catalog.regtype
                THEN pg_catalog.format('timezone(''UTC'', (%s)::timestamp)', _bound.expression)
                ELSE pg_catalog.format('(%s)::%s', _bound.expression, _bound.type) END;
END;
COMMENT ON FUNCTION @extschema@._bound(text, regtype) IS
'internal: SQL for the time at which a period begins';

-- A condition on dated that holds exactly in these periods. Neighbours become one range, so that an
-- index or partitions of the source can serve it. Not in every style do dates read as they are written.
CREATE FUNCTION @extschema@._in_periods(periods date[], period text, type regtype) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    step interval := ('1 ' || CASE period WHEN 'quarter' THEN 'month' ELSE period END)::interval
                     * CASE period WHEN 'quarter' THEN 3 ELSE 1 END;
    ranges text;
    n int;
BEGIN
    SELECT count(*), string_agg(format('(r.dated >= %s AND r.dated < %s)',
                             @extschema@._bound(quote_literal(g.first) || '::date', type),
                             @extschema@._bound(quote_literal((g.last + step)::date) || '::date',
                                                type)), ' OR ' ORDER BY g.first)
    INTO   n, ranges
    FROM  (SELECT min(q.p) AS first, max(q.p) AS last
           FROM  (SELECT s.p, sum(s.starts) OVER (ORDER BY s.p) AS range
                  FROM  (SELECT d.p, CASE WHEN d.p = lag(d.p) OVER (ORDER BY d.p) + step
                                          THEN 0 ELSE 1 END AS starts
                         FROM unnest(periods) d(p) WHERE isfinite(d.p)) s) q
           GROUP BY q.range) g;
    -- So many that going through them for every row would take longer than reading all between.
    IF n > 50 THEN
        SELECT format('(r.dated >= %s AND r.dated < %s AND r.period = ANY (%L::date[]))',
                      @extschema@._bound(quote_literal(min(d.p)) || '::date', type),
                      @extschema@._bound(quote_literal((max(d.p) + step)::date) || '::date', type),
                      array_agg(d.p))
        INTO   ranges FROM unnest(periods) d(p) WHERE isfinite(d.p);
    END IF;
    IF '-infinity'::date = ANY (periods) THEN
        ranges := concat_ws(' OR ', ranges, format('(%s)',
            (@extschema@._period('r.dated', type, period)).out_of_calendar));
    END IF;
    RETURN coalesce(ranges, 'false');
END $$;
COMMENT ON FUNCTION @extschema@._in_periods(date[], text, regtype) IS
'internal: SQL for the rows of some periods';

-- The source with its partitions and heirs: a statement that names one of them fires its triggers
-- alone. Those that no query reads are not among them: a partition whose detaching was broken off, and
-- temporary tables of other sessions.
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

-- A chunk of a hypertable of TimescaleDB, which refuses such triggers there: those of the hypertable see
-- what is written to it.
CREATE FUNCTION @extschema@._is_chunk(member oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.oid = member AND n.nspname = '_timescaledb_internal');
END;
COMMENT ON FUNCTION @extschema@._is_chunk(oid) IS 'internal: whether a table is a chunk of a hypertable';

-- Why triggers on the statements that change a table do not see all that changes in it; null where
-- they do.
CREATE FUNCTION @extschema@._unseen_changes(source regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_distributed boolean := false;
    members oid[] := @extschema@._members(source);
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1)'
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
    what record;
BEGIN
    -- Foreign tables see nothing: a source with one among its partitions is taken to have changed.
    IF (SELECT c.relkind FROM pg_class c WHERE c.oid = member) NOT IN ('r', 'p')
       OR @extschema@._is_chunk(member) THEN
        RETURN;
    END IF;
    FOR what IN
        SELECT * FROM (VALUES
            ('INSERT', 'REFERENCING NEW TABLE AS added'),
            ('UPDATE', 'REFERENCING OLD TABLE AS removed NEW TABLE AS added'),
            ('DELETE', 'REFERENCING OLD TABLE AS removed'),
            ('TRUNCATE', '')) AS e(event, tables)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = member
                       AND t.tgfoid = note AND t.tgname = format('%s_%s', prefix, lower(what.event)))
        THEN
            EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s
                            FOR EACH STATEMENT EXECUTE FUNCTION %I.note_changes(%s)',
                           format('%s_%s', prefix, lower(what.event)), what.event, member,
                           what.tables, model, quote_ident(model)::regnamespace::oid);
        END IF;
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    -- As of a hypertable with a columnstore.
    RAISE EXCEPTION 'triggers cannot report what changes in %', member
        USING ERRCODE = 'feature_not_supported', DETAIL = SQLERRM,
              HINT = 'Track changes by a column with the time of the last change (changed_at), or not at all.';
END $$;
COMMENT ON FUNCTION @extschema@._add_triggers(name, regclass) IS
'internal: triggers that note what changes in a table';

-- The function of these triggers. It runs with the rights of the model's owner, as who writes
-- responses need know nothing of the model, and only adds the periods of the rows before and after
-- to a table that nobody else writes: no writer ever waits for another. A failure here would stop
-- the writer, so it has none to fear: where the schema was renamed, it finds the new name; where
-- the column was, it notes that anything may have changed. Who writes may have a snapshot of before the
-- trigger was made: then the trigger's argument says which schema it is. After a restore that is out of
-- date, so it is asked last.
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
    -- As text it has the name of today, whatever the snapshot.
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
            EXECUTE format('SELECT pg_typeof(r.%%I) FROM (VALUES (1)) one LEFT JOIN %%s r ON true LIMIT 1',
                           %L, CASE TG_OP WHEN 'INSERT' THEN 'added' ELSE 'removed' END) INTO type;
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

-- Whether changes can be tracked as the user wishes; the type of the times.
CREATE FUNCTION @extschema@._tracking_type(
    source regclass, taken_at name, track_changes text, changed_at name, period text) RETURNS regtype
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
                  HINT = 'Name as changed_at the column with the time at which a row was last changed.';
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
                  HINT = 'Track changes by a column with the time of the last change (changed_at), or not at all.';
    END IF;
    -- Of PostgreSQL 18: it is not in the transition tables that triggers go by.
    IF track_changes = 'triggers' AND EXISTS (
           SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = taken_at
           AND a.attgenerated = 'v') THEN
        RAISE EXCEPTION 'triggers cannot tell of column % of %', quote_ident(taken_at), source
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'It is a virtual generated column, which triggers do not see.',
                  HINT = 'Generate it STORED, or name the column that it is made from.';
    END IF;
    IF track_changes = 'changed_at' THEN
        -- The same types as of taken_at.
        PERFORM @extschema@._source_column(source, 'changed_at', changed_at);
    END IF;
    RETURN (SELECT @extschema@._base(a.atttypid)::regtype FROM pg_attribute a
            WHERE a.attrelid = source AND a.attname = taken_at AND NOT a.attisdropped);
END $$;
COMMENT ON FUNCTION @extschema@._tracking_type(regclass, name, text, name, text) IS
'internal: whether changes can be tracked, and the type of the times';

-- What the definitions of a model that tracks changes need besides.
CREATE FUNCTION @extschema@._tracking_parts(
    source regclass, type regtype, changed_at name, period text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'changed_type', coalesce((
            SELECT format_type(@extschema@._base(a.atttypid), NULL) FROM pg_attribute a
            WHERE a.attrelid = source AND a.attname = changed_at AND NOT a.attisdropped),
            'timestamptz'),
        'first_dirty', @extschema@._bound('min(d.period)', type),
        'after_dirty', @extschema@._bound(format('max(d.period) + interval %L', CASE period
            WHEN 'quarter' THEN '3 months' ELSE '1 ' || period END), type),
        'out_of_calendar', (@extschema@._period('r.dated', type, period)).out_of_calendar)
$$;
COMMENT ON FUNCTION @extschema@._tracking_parts(regclass, regtype, name, text) IS
'internal: what the definitions of a model that tracks changes need';

-- What a model that tracks changes has more than others, and its triggers.
CREATE FUNCTION @extschema@._create_tracking(
    model name, source regclass, meanings jsonb, parts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    type regtype := parts ->> 'time_type';
    mode text := meanings ->> 'track_changes';
    period text := meanings ->> 'period';
BEGIN
    parts := parts || @extschema@._tracking_parts(
        source, type, (meanings ->> 'changed_at')::name, period);
    PERFORM @extschema@._create(model, 'tracking', parts);
    EXECUTE format('INSERT INTO %I.tracking (source, mode, period, type) VALUES ($1, $2, $3, $4)',
                   model) USING source, mode, period, type;
    PERFORM @extschema@._create(model, 'changes', parts);
    IF mode = 'triggers' THEN
        -- Takes the lock that lets writers finish first, so what comes after sees all they wrote.
        PERFORM @extschema@._note_function(model, (meanings ->> 'taken_at')::name, type, period);
        PERFORM @extschema@._add_triggers(model, m.member::regclass)
        FROM    unnest(@extschema@._members(source)) AS m(member);
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'')', model);
        END IF;
    END IF;
    EXECUTE format('UPDATE %I.tracking SET members = $1', model)
    USING @extschema@._members(source);
    PERFORM @extschema@._create(model, 'stored_parts', parts);
    EXECUTE format('CREATE INDEX ON %I.stored_parts (period)', model);
    PERFORM @extschema@._create(model, 'dirty', parts);
    PERFORM @extschema@._create(model, 'parts', parts);
    EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'') ON CONFLICT DO NOTHING',
                   model);
    PERFORM @extschema@._store_parts(model);
    PERFORM @extschema@._freeze(model, true);
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'')', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._create_tracking(name, regclass, jsonb, jsonb) IS
'internal: makes what a model needs that tracks changes';

-- Lets a model that tracks changes know of another source, of which nothing is stored yet.
CREATE FUNCTION @extschema@._track(
    model name, source regclass, taken_at name, type regtype, period text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
    mode text;
    note oid := to_regprocedure(format('%I.note_changes()', model));
BEGIN
    EXECUTE format('UPDATE %I.tracking SET source = $1, members = NULL, changed_to = NULL RETURNING mode',
                   model) INTO mode USING source;
    EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'') ON CONFLICT DO NOTHING', model);
    IF mode <> 'triggers' THEN
        RETURN;
    END IF;
    -- The other table does not have to know of the model any more. Who may not drop its triggers
    -- leaves them: their notes make a refresh read more than it has to.
    FOR what IN SELECT t.tgname, t.tgrelid::regclass AS member FROM pg_trigger t
                WHERE t.tgfoid = note AND t.tgparentid = 0
                AND   t.tgrelid <> ALL (@extschema@._members(source)) LOOP
        BEGIN
            EXECUTE format('DROP TRIGGER %I ON %s', what.tgname, what.member);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'trigger % of model % stays on %', what.tgname, quote_ident(model), what.member
                USING HINT = 'Its owner can drop it.';
        END;
    END LOOP;
    PERFORM @extschema@._note_function(model, taken_at, type, period);
    PERFORM @extschema@._add_triggers(model, m.member::regclass)
    FROM    unnest(@extschema@._members(source)) AS m(member);
END $$;
COMMENT ON FUNCTION @extschema@._track(name, regclass, name, regtype, text) IS
'internal: lets a model that tracks changes know of another source';

CREATE FUNCTION @extschema@._is_tracked(model name) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = _is_tracked.model AND c.relname = 'tracking' AND c.relkind = 'r');
END;
COMMENT ON FUNCTION @extschema@._is_tracked(name) IS 'internal: whether a model tracks changes';

-- Sees to it that nothing escapes: partitions that came or went, and triggers that are missing or
-- disabled. To be committed before the snapshot of a refresh is taken.
CREATE FUNCTION @extschema@._check_tracking(model name, everything boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now record;
    before oid[];
    mode text;
    member oid;
    is_whole boolean := true;
BEGIN
    IF NOT @extschema@._is_tracked(model) THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT t.mode, t.members, @extschema@._members(t.source),
                           @extschema@._unseen_changes(t.source) AS unseen FROM %I.tracking t',
                   model) INTO now;
    mode := now.mode;
    before := coalesce(now.members, '{}');
    IF mode IS NULL THEN
        RAISE EXCEPTION 'model % does not know what it tracks', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%I.tracking has no row, as after a restore without data.', model),
                  HINT = 'Restore its data, or drop the model and make it again.';
    END IF;
    IF mode = 'triggers' AND now.unseen IS NOT NULL THEN
        RAISE WARNING 'model % reads its whole source, as triggers cannot report what changes there',
                      quote_ident(model)
            USING DETAIL = now.unseen, HINT = 'Make the model again with changed_at, or untracked.';
        is_whole := false;
    END IF;
    IF mode = 'triggers' THEN
        FOREACH member IN ARRAY now._members LOOP
            IF NOT @extschema@._is_chunk(member) AND (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = member
                AND t.tgfoid = to_regprocedure(format('%I.note_changes()', model))
                AND t.tgenabled IN ('O', 'A')) < 4 THEN
                PERFORM @extschema@._add_triggers(model, member::regclass);
                is_whole := false;
            END IF;
        END LOOP;
    END IF;
    -- Rows that are written to a hypertable are seen; that it got a new chunk for them is no news.
    IF before IS DISTINCT FROM now._members THEN
        EXECUTE format('UPDATE %I.tracking SET members = $1', model) USING now._members;
    END IF;
    IF everything OR NOT is_whole OR NOT before <@ now._members
       OR EXISTS (SELECT FROM unnest(now._members) m(member)
                  WHERE m.member <> ALL (before) AND NOT @extschema@._is_chunk(m.member)) THEN
        EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'')
                        ON CONFLICT DO NOTHING', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._check_tracking(name, boolean) IS
'internal: sees to it that a model learns of all changes';

-- Whether this transaction reads other partitions and heirs than the model knows of. What a query
-- reads goes by the catalog as it is when the query is planned, whatever the snapshot; and what was
-- planned is locked until the end of the transaction, so that it cannot be detached. A policy on the rows
-- of the source must not keep partitions out of the plan.
CREATE FUNCTION @extschema@._has_other_members(model name) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_partition_pruning = off AS $$
DECLARE
    known record;
    locked oid[];
BEGIN
    IF NOT @extschema@._is_tracked(model) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT FROM %I.responses LIMIT 0', model);
    EXECUTE format('SELECT t.source, t.members FROM %I.tracking t', model) INTO known;
    locked := ARRAY(SELECT l.relation FROM pg_locks l
                    WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid()
                    AND   l.database = (SELECT d.oid FROM pg_database d
                                        WHERE d.datname = current_database()));
    RETURN EXISTS (SELECT FROM unnest(known.members) m(member)
                   WHERE m.member <> ALL (locked) AND NOT @extschema@._is_chunk(m.member))
        OR EXISTS (SELECT FROM unnest(locked) l(member)
                   WHERE l.member <> ALL (known.members) AND NOT @extschema@._is_chunk(l.member)
                   AND   known.source IN (SELECT a.relid FROM pg_partition_ancestors(l.member) a));
END $$;
COMMENT ON FUNCTION @extschema@._has_other_members(name) IS
'internal: whether the source has other partitions than the model knows of';

-- Brings the stored parts to the snapshot of the statement, or where it is repeatable, of the
-- transaction; tells how many periods were aggregated again.
CREATE FUNCTION @extschema@._store_parts(model name) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
    periods date[];
    n int;
    is_all boolean;
BEGIN
    EXECUTE format('SELECT array_agg(d.period ORDER BY d.period) FROM %I.dirty d', model)
    INTO periods;
    EXECUTE format('SELECT t.* FROM %I.tracking t', model) INTO what;
    is_all := 'infinity'::date = ANY (periods);
    n := cardinality(periods);
    IF n > 0 THEN
        EXECUTE format('DELETE FROM %I.stored_parts s WHERE $1 OR s.period = ANY ($2)', model)
        USING is_all, periods;
        EXECUTE format(
            'INSERT INTO %1$I.stored_parts (subject, student_group, period, rows, gradebook)
             SELECT r.subject, r.student_group, r.period, count(*),
                    @extschema@.gradebook_agg(r.student, r.item, r.assessment, r.score,
                                              r.max_score, r.taken_at)
             FROM %1$I.responses r WHERE %2$s GROUP BY r.subject, r.student_group, r.period',
            model, CASE WHEN is_all THEN 'true'
                        ELSE @extschema@._in_periods(periods, what.period, what.type) END);
        EXECUTE format('DELETE FROM %I.changes', model);
        IF is_all THEN
            EXECUTE format('SELECT count(DISTINCT s.period) FROM %I.stored_parts s', model) INTO n;
        END IF;
    END IF;
    IF what.mode = 'changed_at' THEN
        -- A clock that is far ahead must not hide what comes after. A sub-select that looks outward
        -- would be too much for the planner of Citus.
        EXECUTE format(
            'WITH latest AS MATERIALIZED (
                 SELECT max(r.changed_at) AS changed_at FROM %1$I.responses r
                 WHERE r.changed_at <= CURRENT_TIMESTAMP + interval ''1 day''
                 AND   ($1 IS NULL OR r.changed_at >= $1))
             UPDATE %1$I.tracking t SET changed_to = greatest(t.changed_to, l.changed_at)
             FROM   latest l', model) USING what.changed_to;
    END IF;
    -- A partition that was attached only just now is gone again, perhaps, when the next refresh looks:
    -- that must not take the partitions for those of before.
    IF @extschema@._has_other_members(model) THEN
        EXECUTE format('UPDATE %I.tracking SET members = NULL', model);
    END IF;
    RETURN coalesce(n, 0);
END $$;
COMMENT ON FUNCTION @extschema@._store_parts(name) IS
'internal: aggregates again what changed in the source of a model';

CREATE FUNCTION @extschema@._freeze(model name, frozen boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.tracking SET frozen = $1', model) USING frozen;
END $$;
COMMENT ON FUNCTION @extschema@._freeze(name, boolean) IS
'internal: whether the stored parts are those of the transaction''s snapshot';

CREATE FUNCTION @extschema@._drop_triggers(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
    note oid := to_regprocedure(format('%I.note_changes()', model));
BEGIN
    IF note IS NOT NULL THEN
        -- The parent's first.
        FOR what IN SELECT t.tgname, t.tgrelid::regclass AS member FROM pg_trigger t
                    WHERE t.tgfoid = note ORDER BY t.tgrelid, t.tgname LOOP
            EXECUTE format('DROP TRIGGER %I ON %s', what.tgname, what.member);
        END LOOP;
        EXECUTE format('DROP FUNCTION %I.note_changes()', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._drop_triggers(name) IS 'internal: drops the triggers of a model';
