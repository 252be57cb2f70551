-- The source of a model that is made: what its columns are, and how the definitions read them.

-- The type of each column that was named, by its argument; errors as helpful as can be.
CREATE FUNCTION @extschema@._named_columns(source regclass, meanings jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meaning record;
    types jsonb := '{}';
    has_status boolean := meanings ->> 'status' IS NOT NULL;
BEGIN
    FOR meaning IN
        SELECT a.argument, (meanings ->> a.argument)::name AS attribute, a.needed
        FROM (VALUES
            ('student', true), ('item', true), ('assessment', true), ('score', true),
            ('taken_at', true), ('max_score', false), ('subject', false), ('student_group', false),
            ('attempt', false), ('status', false), ('answer', false)) AS a(argument, needed)
    LOOP
        IF meaning.attribute IS NOT NULL THEN
            types := types || jsonb_build_object(meaning.argument,
                @extschema@._source_column(source, meaning.argument, meaning.attribute)::int8);
        ELSIF meaning.needed THEN
            RAISE EXCEPTION '% must not be null', meaning.argument
                USING ERRCODE = 'null_value_not_allowed',
                      DETAIL = 'No model can do without a column of that kind.',
                      HINT = format('Name the column of %s that holds it.', source);
        END IF;
    END LOOP;
    IF has_status <> (meanings ->> 'counted' IS NOT NULL) THEN
        RAISE EXCEPTION 'status and counted belong together'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('%s is null.', CASE WHEN has_status THEN 'counted'
                                  ELSE 'status' END),
                  HINT = 'Name the column as status, and as counted its values with which a score '
                         'counts.';
    END IF;
    RETURN types;
END $$;
COMMENT ON FUNCTION @extschema@._named_columns(regclass, jsonb) IS
'internal: the types of the columns that a model is made of';

-- When a response was given. Of several attempts at one time, the later comes later; the first
-- keeps its time, so that a day that results are of has it. Numbers beyond sense, and times near
-- the end of the calendar, stop nothing.
CREATE FUNCTION @extschema@._time(source regclass, taken_at name, attempt name, type oid)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number text;
    earliest int;
BEGIN
    IF attempt IS NULL THEN
        RETURN format('r.%I', taken_at);
    END IF;
    number := format(CASE WHEN @extschema@._base(type) = 'numeric'::regtype THEN 'r.%I'
                          ELSE 'r.%I::float8' END, attempt);
    EXECUTE format('SELECT coalesce(least(greatest(min(%s), 0), 1), 1) FROM %s r', number, source)
    INTO earliest;
    RETURN format(
        'CASE WHEN %1$s < ''294276-01-01 00:00+00'' THEN %1$s + interval ''1 microsecond''
              * (least(greatest(coalesce(%2$s, %3$s), %3$s), 1000000) - %3$s)
         ELSE ''infinity'' END', format('r.%I', taken_at), number, earliest);
END $$;
COMMENT ON FUNCTION @extschema@._time(regclass, name, name, oid) IS
'internal: how a model reads the time of a response';

-- How the columns of a source are read, by the names that definitions have for it; and what is
-- known of the source besides.
CREATE FUNCTION @extschema@._described(source regclass, meanings jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    types jsonb := @extschema@._named_columns(source, meanings);
    taken_at name := meanings ->> 'taken_at';
    changed_at name := meanings ->> 'changed_at';
    status name := meanings ->> 'status';
    time_type regtype := @extschema@._tracking_type(source, taken_at, meanings ->> 'track_changes',
                                                    changed_at, meanings ->> 'period');
    score text := @extschema@._number(source, (meanings ->> 'score')::name);
    has_rows boolean;
    ids jsonb;
BEGIN
    -- Citus cannot keep a result of no columns.
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', source) INTO has_rows;
    IF NOT has_rows THEN
        RAISE EXCEPTION '% has no rows', source
            USING ERRCODE = 'no_data_found',
                  DETAIL = 'There is nothing to make results of, and nothing that would show '
                           'a wrong column.',
                  HINT = 'Make the model when there are responses.';
    END IF;
    SELECT jsonb_object_agg(a.argument, i.expression)
           || jsonb_object_agg(a.argument || '_type', i.back)
    INTO   ids
    FROM   unnest('{subject,student_group,student,item,assessment,answer}'::text[]) AS a(argument)
    CROSS  JOIN LATERAL @extschema@._id((types ->> a.argument)::oid,
                                        (meanings ->> a.argument)::name) i;
    IF status IS NOT NULL THEN
        score := format('CASE WHEN %s THEN %s END', @extschema@._is_counted(
            source, (types ->> 'status')::oid, status,
            ARRAY(SELECT jsonb_array_elements_text(meanings -> 'counted'))), score);
    END IF;
    RETURN ids || jsonb_build_object(
        'source', source::text,
        'track_changes', meanings ->> 'track_changes',
        'time_type', time_type::text,
        'subject', coalesce(ids ->> 'subject', '''all''::text'),
        'student_group', coalesce(ids ->> 'student_group', 'NULL::text'),
        'answer', coalesce(ids ->> 'answer', 'r.' || quote_ident(meanings ->> 'answer'),
                           'NULL::text'),
        'score', score,
        'max_score', coalesce(@extschema@._number(source, (meanings ->> 'max_score')::name),
                              '1::float8'),
        'taken_at', @extschema@._time(source, taken_at, (meanings ->> 'attempt')::name,
                                      (types ->> 'attempt')::oid),
        'tracked', CASE WHEN meanings ->> 'track_changes' = 'none' THEN '' ELSE concat(
            format(', %s AS period, r.%I AS dated', (@extschema@._period(
                format('r.%I', taken_at), time_type, meanings ->> 'period')).beginning, taken_at),
            ', r.' || quote_ident(changed_at) || ' AS changed_at') END,
        'time_zone', CASE WHEN time_type = 'timestamptz'::regtype THEN ''
                          ELSE ', current_setting(''TimeZone'') AS time_zone' END);
END $$;
COMMENT ON FUNCTION @extschema@._described(regclass, jsonb) IS
'internal: how a model reads the columns of its source';

CREATE FUNCTION @extschema@._columns_after_id(function regproc, alias text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.string_agg(pg_catalog.format('%s.%I', alias, r.attribute), ', '
                                 ORDER BY r.place)
           FILTER (WHERE r.is_after_id)
    FROM  (SELECT c.*, c.place > min(c.place) OVER () AS is_after_id
           FROM @extschema@._result(function) c) r;
END;
COMMENT ON FUNCTION @extschema@._columns_after_id(regproc, text) IS
'internal: the result columns of a function but for the id';

-- The group of a student, as m. Where a student belongs is shown by the latest response as of the
-- time. Stored parts of many periods are made one first, as a student is in many.
CREATE FUNCTION @extschema@._membership(model name, is_tracked boolean) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        'LEFT JOIN (SELECT DISTINCT ON (p.subject, b.student)
                           p.subject, b.student, p.student_group
                    FROM %2$s p CROSS JOIN (SELECT * FROM %1$I.gradebook LIMIT 1) g
                    CROSS JOIN LATERAL @extschema@.members(p.gradebook, %3$s) b
                    ORDER BY p.subject, b.student, b.last_at DESC NULLS LAST, p.student_group) m
                ON m.student = s.student AND ARRAY[m.subject] = ARRAY[g.subject]', model,
        pg_catalog.format(CASE WHEN is_tracked THEN
            '(SELECT q.subject, q.student_group, @extschema@.rollup(q.gradebook) AS gradebook
              FROM %I.parts q GROUP BY q.subject, q.student_group)' ELSE '%I.parts' END, model),
        @extschema@._local(model, 'g.as_of'));
END;
COMMENT ON FUNCTION @extschema@._membership(name, boolean) IS
'internal: the groups of a model''s students';

-- The calls of functions that results are made of, by the names that definitions have for them.
CREATE FUNCTION @extschema@._calls(model name, meanings jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given jsonb := jsonb_build_object('as_of', @extschema@._local(model, 'g.as_of'));
    has_groups boolean := meanings ->> 'student_group' IS NOT NULL;
BEGIN
    RETURN jsonb_build_object(
        'items', @extschema@._call(model, '@extschema@.items', given),
        'item_columns', @extschema@._columns_after_id('@extschema@.items', 'i'),
        'students', @extschema@._call(model, '@extschema@.students', given),
        'student_columns', @extschema@._columns_after_id('@extschema@.students', 's'),
        'assessments', @extschema@._call(model, '@extschema@.assessments', given),
        'assessment_columns', @extschema@._columns_after_id('@extschema@.assessments', 'a'),
        'coverage', @extschema@._call(model, '@extschema@.coverage', given),
        -- Without groups there is nothing to ask for.
        'membership', CASE WHEN has_groups THEN
            @extschema@._membership(model, meanings ->> 'track_changes' <> 'none') ELSE '' END,
        'named_group', CASE WHEN has_groups THEN
            'CASE WHEN count(*) OVER (PARTITION BY g.subject, m.student_group) >= o.min_group_size
                  THEN m.student_group END' ELSE 'NULL::text' END,
        'gradebooks', @extschema@._from(model),
        'sheets', @extschema@._call(model, '@extschema@._counted_sheets'));
END $$;
COMMENT ON FUNCTION @extschema@._calls(name, jsonb) IS
'internal: the calls that the results of a model are made of';
