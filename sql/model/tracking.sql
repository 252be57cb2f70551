-- Models that learn what changed in their source (create_model, track_changes): one gradebook
-- is stored for each subject, group and period, and a refresh aggregates only those periods again
-- in which something changed.
--
-- Why nothing is lost: a change is noted in the transaction that makes it, so whoever sees the one
-- sees the other; and a refresh does all its work in one snapshot (REPEATABLE READ). It aggregates
-- the rows of that snapshot, and takes away the notes of that snapshot. What commits meanwhile is
-- in neither, and its note waits for the next refresh.

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

-- Gives a model that tracks changes another source, of which nothing is stored yet.
CREATE FUNCTION @extschema@._track(
    model name, source regclass, taken_at name, type regtype, period text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    installed record;
    mode text;
    note oid := to_regprocedure(format('%I.note_changes()', model));
BEGIN
    EXECUTE format('UPDATE %I.tracking SET source = $1, members = NULL, changed_to = NULL
                    RETURNING mode', model) INTO mode USING source;
    EXECUTE format('INSERT INTO %I.changes (period) VALUES (''infinity'') ON CONFLICT DO NOTHING',
                   model);
    IF mode <> 'triggers' THEN
        RETURN;
    END IF;
    -- The other table need not note changes for the model any more. Where the caller may not drop
    -- its triggers, they stay: their notes make a refresh read more than it has to.
    FOR installed IN SELECT t.tgname, t.tgrelid::regclass AS member FROM pg_trigger t
                WHERE t.tgfoid = note AND t.tgparentid = 0
                AND   t.tgrelid <> ALL (@extschema@._members(source)) LOOP
        BEGIN
            EXECUTE format('DROP TRIGGER %I ON %s', installed.tgname, installed.member);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'trigger % of model % stays on %', installed.tgname, quote_ident(model),
                installed.member
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
                   WHERE n.nspname = _is_tracked.model AND c.relname = 'tracking'
                       AND c.relkind = 'r');
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
                  DETAIL = format('%I.tracking has no row, as after a restore without data.',
                                  model),
                  HINT = 'Restore its data, or drop the model and make it again.';
    END IF;
    IF mode = 'triggers' AND now.unseen IS NOT NULL THEN
        RAISE WARNING 'model % reads its whole source, as triggers cannot report what changes '
                      'there', quote_ident(model)
            USING DETAIL = now.unseen, HINT = 'Make the model again with changed_at, or untracked.';
        is_whole := false;
    END IF;
    IF mode = 'triggers' THEN
        FOREACH member IN ARRAY now._members LOOP
            IF NOT @extschema@._is_chunk(member)
                AND (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = member
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
-- planned is locked until the end of the transaction, so that it cannot be detached. A policy on
-- the rows of the source must not keep partitions out of the plan.
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
-- transaction; returns how many periods were aggregated again.
CREATE FUNCTION @extschema@._store_parts(model name) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tracked record;
    periods date[];
    n int;
    is_all boolean;
BEGIN
    EXECUTE format('SELECT array_agg(d.period ORDER BY d.period) FROM %I.dirty d', model)
    INTO periods;
    EXECUTE format('SELECT t.* FROM %I.tracking t', model) INTO tracked;
    is_all := 'infinity'::date = ANY (periods);
    n := cardinality(periods);
    IF n > 0 THEN
        EXECUTE format('DELETE FROM %I.stored_parts s WHERE $1 OR s.period = ANY ($2)', model)
        USING is_all, periods;
        EXECUTE format(
            'INSERT INTO %1$I.stored_parts (subject, student_group, period, rows, gradebook)
             SELECT r.subject, r.student_group, r.period, count(*),
                    %3$s
             FROM %1$I.responses r WHERE %2$s GROUP BY r.subject, r.student_group, r.period',
            model, CASE WHEN is_all THEN 'true'
                        ELSE @extschema@._in_periods(periods, tracked.period, tracked.type) END,
            @extschema@._gradebook_of_rows());
        EXECUTE format('DELETE FROM %I.changes', model);
        IF is_all THEN
            EXECUTE format('SELECT count(DISTINCT s.period) FROM %I.stored_parts s', model) INTO n;
        END IF;
    END IF;
    IF tracked.mode = 'changed_at' THEN
        -- A clock that is far ahead must not hide what comes after. A sub-select that looks outward
        -- would be too much for the planner of Citus.
        EXECUTE format(
            'WITH latest AS MATERIALIZED (
                 SELECT max(r.changed_at) AS changed_at FROM %1$I.responses r
                 WHERE r.changed_at <= CURRENT_TIMESTAMP + interval ''1 day''
                 AND   ($1 IS NULL OR r.changed_at >= $1))
             UPDATE %1$I.tracking t SET changed_to = greatest(t.changed_to, l.changed_at)
             FROM   latest l', model) USING tracked.changed_to;
    END IF;
    -- A partition that was attached only just now is gone again, perhaps, when the next refresh
    -- looks: that must not take the partitions for those of before.
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
