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
        SELECT a.argument, meanings ->> a.argument AS given,
               (meanings ->> a.argument)::name AS attribute, a.needed
        FROM (VALUES
            ('student', true), ('item', true), ('assessment', true), ('score', true),
            ('taken_at', true), ('min_score', false), ('max_score', false), ('subject', false),
            ('student_group', false), ('attempt', false), ('item_position', false),
            ('status', false), ('answer', false)) AS a(argument, needed)
    LOOP
        -- As long as it was given: a name is cut off, a number with many digits is none.
        CONTINUE WHEN (@extschema@._literal(source, meaning.argument,
                                            meaning.given)).expression IS NOT NULL;
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
    IF has_status <> EXISTS (SELECT FROM @extschema@._standings() t
                             WHERE meanings ->> t.argument IS NOT NULL) THEN
        RAISE EXCEPTION 'status and its values belong together'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = CASE WHEN has_status
                                THEN 'counted, zero, waiting, not_taken and exempt are null.'
                                ELSE 'status is null.' END,
                  HINT = 'Name the column as status, and as counted, zero, waiting, not_taken or '
                         'exempt its values with which a score counts, counts as no points, is '
                         'still to come, was not or need not be taken.';
    END IF;
    RETURN types;
END $$;
COMMENT ON FUNCTION @extschema@._named_columns(regclass, jsonb) IS
'internal: the types of the columns that a model is made of';

-- A whole number of the source as this type; what cannot be one is null, and stops nothing. Through
-- a float8, large ones would become one.
CREATE FUNCTION @extschema@._whole_number(
    source regclass, attribute name, type regtype, largest text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('CASE WHEN %1$s BETWEEN -%2$s AND %2$s THEN %3$s::%4$s END', n.number,
                             _whole_number.largest,
                             CASE WHEN n.is_whole THEN n.number
                                  ELSE pg_catalog.format('round(%s)', n.number) END,
                             _whole_number.type)
    FROM  (SELECT b.base = ANY ('{int2,int4,int8}'::pg_catalog.regtype[]) AS is_whole,
                  CASE WHEN b.base = ANY ('{int2,int4,int8,numeric}'::pg_catalog.regtype[])
                       THEN pg_catalog.format('r.%I', _whole_number.attribute)
                       ELSE @extschema@._number(_whole_number.source, _whole_number.attribute)
                  END AS number
           FROM  (SELECT @extschema@._base(t.atttypid) AS base FROM pg_catalog.pg_attribute t
                  WHERE  t.attrelid = _whole_number.source AND NOT t.attisdropped
                  AND    t.attname = _whole_number.attribute) b) n;
END;
COMMENT ON FUNCTION @extschema@._whole_number(regclass, name, regtype, text) IS
'internal: how a model reads a whole number';

-- What a status says of a score; the argument of create_model() that has its values.
CREATE FUNCTION @extschema@._standings() RETURNS TABLE (place int, argument text, standing text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES (1, 'counted', 'counts'), (2, 'zero', 'zero'), (3, 'waiting', 'waiting'),
           (4, 'not_taken', 'not_taken'), (5, 'exempt', 'exempt');
END;
COMMENT ON FUNCTION @extschema@._standings() IS 'internal: what a status says of a score';

-- Refuses a status that two arguments name, and warns of those that no row has: where a value of
-- counted is written otherwise than in the source, all scores wait.
CREATE FUNCTION @extschema@._check_statuses(source regclass, meanings jsonb, type oid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    status name := meanings ->> 'status';
    id text := (@extschema@._id(type, status)).expression;
    named jsonb;
    twice record;
    lacking record;
BEGIN
    EXECUTE format(
        'SELECT coalesce(jsonb_agg(jsonb_build_object(''argument'', t.argument, ''place'', t.place,
                                                      ''id'', (%1$s)::text)), ''[]'')
         FROM   @extschema@._standings() t
         CROSS  JOIN LATERAL jsonb_array_elements_text(
                    CASE jsonb_typeof($1 -> t.argument) WHEN ''array'' THEN $1 -> t.argument END)
                    AS v(given)
         CROSS  JOIN LATERAL (SELECT v.given::%2$s AS %3$I) r
         WHERE  v.given IS NOT NULL', id, format_type(@extschema@._base(type), -1), status)
    INTO named USING meanings;
    SELECT n.id, string_agg(DISTINCT n.argument, ' and ') AS arguments INTO twice
    FROM   jsonb_to_recordset(named) AS n(argument text, place int, id text)
    GROUP  BY n.id HAVING count(DISTINCT n.argument) > 1 ORDER BY n.id LIMIT 1;
    IF twice.id IS NOT NULL THEN
        RAISE EXCEPTION 'status % is named twice', @extschema@._quoted(twice.id)
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is a value of %s.', twice.arguments),
                  HINT = 'Name each status in one of them: it says one thing of a score.';
    END IF;
    EXECUTE format(
        'WITH named AS (
             SELECT * FROM jsonb_to_recordset($1) AS n(argument text, place int, id text)),
         present AS MATERIALIZED (SELECT DISTINCT (%s)::text AS id FROM %s AS r)
         SELECT count(DISTINCT n.id) AS n, bool_or(n.argument = ''counted'') AS is_counted,
                string_agg(DISTINCT format(''%%s (%%s)'', @extschema@._quoted(n.id), n.argument),
                           '', '') AS list,
               (SELECT string_agg(@extschema@._quoted(o.id), '', '' ORDER BY o.id)
                FROM  (SELECT p.id FROM present p
                       WHERE  p.id NOT IN (SELECT k.id FROM named k) ORDER BY p.id LIMIT 10) o)
                   AS others
         FROM   named n WHERE n.id NOT IN (SELECT p.id FROM present p WHERE p.id IS NOT NULL)', id,
        source)
    INTO lacking USING named;
    IF lacking.n > 0 THEN
        RAISE WARNING 'no row of % has the %', source,
            @extschema@._plural(lacking.n, 'status ', 'statuses ') || lacking.list
            USING DETAIL = CASE WHEN lacking.is_counted
                                THEN 'A score whose status is not among counted does not count.'
                                ELSE 'It says nothing of any row.' END,
                  HINT = concat_ws(' ', 'Write it as the source does, or leave it out.',
                                   'Column ' || quote_ident(status) || ' also has: '
                                   || lacking.others || '.');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._check_statuses(regclass, jsonb, oid) IS
'internal: whether statuses that were named are of rows, and each of one meaning';

-- How a score and its standing are read where the source has a status. Where values are named with
-- which a score counts, with others that are not named there is none.
CREATE FUNCTION @extschema@._judged(
    source regclass, meanings jsonb, type oid, INOUT score text, OUT standing text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    status name := meanings ->> 'status';
    named record;
    cases text := '';
BEGIN
    standing := 'NULL::text';
    IF status IS NULL THEN
        RETURN;
    END IF;
    FOR named IN
        SELECT t.argument, t.standing,
               @extschema@._is_of_status(source, type, status, t.argument, ARRAY(
                   SELECT jsonb_array_elements_text(meanings -> t.argument))) AS condition
        FROM   @extschema@._standings() t WHERE meanings ->> t.argument IS NOT NULL ORDER BY t.place
    LOOP
        cases := cases || format(' WHEN %s THEN %L', named.condition, named.standing);
        IF named.argument = 'counted' THEN
            score := format('CASE WHEN %s THEN %s END', named.condition, score);
        END IF;
    END LOOP;
    standing := format('CASE%s END', cases);
    PERFORM @extschema@._check_statuses(source, meanings, type);
END $$;
COMMENT ON FUNCTION @extschema@._judged(regclass, jsonb, oid, text) IS
'internal: how a model reads a score under its status';

-- How the columns of a source are read, by the names that definitions have for it; and what is
-- known of the source besides.
CREATE FUNCTION @extschema@._described(source regclass, meanings jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    types jsonb := @extschema@._named_columns(source, meanings);
    taken_at text := (@extschema@._time(source, (meanings ->> 'taken_at')::name)).expression;
    changed_at name := meanings ->> 'changed_at';
    time_type regtype := @extschema@._tracking_type(
        source, (meanings ->> 'taken_at')::name, meanings ->> 'track_changes', changed_at,
        meanings ->> 'period');
    judged record := @extschema@._judged(
        source, meanings, (types ->> 'status')::oid,
        @extschema@._number(source, (meanings ->> 'score')::name));
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
    RETURN ids || jsonb_build_object(
        'source', source::text,
        'track_changes', meanings ->> 'track_changes',
        'time_type', time_type::text,
        'subject', coalesce(ids ->> 'subject', '''all''::text'),
        'student_group', coalesce(ids ->> 'student_group', 'NULL::text'),
        'answer', coalesce(ids ->> 'answer', 'r.' || quote_ident(meanings ->> 'answer'),
                           'NULL::text'),
        'score', judged.score,
        'standing', judged.standing,
        'min_score', coalesce(@extschema@._limit(source, 'min_score', meanings), 'NULL::float8'),
        'max_score', coalesce(@extschema@._limit(source, 'max_score', meanings), '1::float8'),
        'attempt', coalesce(@extschema@._whole_number(
            source, (meanings ->> 'attempt')::name, 'int8', '9e18'), 'NULL::int8'),
        'item_position', coalesce(@extschema@._whole_number(
            source, (meanings ->> 'item_position')::name, 'int4', '2147483647'), 'NULL::int4'),
        'taken_at', taken_at,
        'gradebook_of_rows', @extschema@._gradebook_of_rows(),
        'gradebook_of_parts', CASE WHEN meanings ->> 'student_group' IS NULL
                                   THEN '@extschema@.rollup(p.gradebook)'
                                   ELSE '@extschema@._rollup_by_group(p.student_group,
                                                                      p.gradebook)' END,
        'tracked', CASE WHEN meanings ->> 'track_changes' = 'none' THEN '' ELSE concat(
            format(', %s AS period, %s AS dated', (@extschema@._period(
                taken_at, time_type, meanings ->> 'period')).beginning, taken_at),
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
