-- What the columns of a source may be, and how a model reads them.

-- What a domain, or a domain over one, is made of.
CREATE FUNCTION @extschema@._base(type oid) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE b(type, base) AS (
        SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = _base.type
        UNION ALL
        SELECT t.oid, t.typbasetype FROM b JOIN pg_catalog.pg_type t ON t.oid = b.base)
    SELECT b.type FROM b WHERE b.base = 0;
END;
COMMENT ON FUNCTION @extschema@._base(oid) IS 'internal: the type below domains';

-- How an id of this type is read from the source, and the type of that, in which it comes back from
-- its text. A gradebook distinguishes ids by their text. So a type will do whose values are equal
-- where they are written alike, in every session, or can be written so; of any other both are null.
CREATE FUNCTION @extschema@._id(type oid, attribute name, OUT expression text, OUT back text)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base regtype := @extschema@._base(type);
    id text := format('r.%I', attribute)
               || CASE WHEN base <> type THEN '::' || format_type(base, -1) ELSE '' END;
BEGIN
    IF base = ANY ('{int2,int4,int8,text,varchar,uuid,date,bool,oid}'::regtype[])
       OR EXISTS (SELECT FROM pg_type t WHERE t.oid = base AND t.typtype = 'e') THEN
        expression := id;
        back := format_type(base, -1);
    ELSIF base = 'numeric'::regtype THEN
        expression := format('trim_scale(%s)', id);
        back := 'numeric';
    ELSE
        expression := CASE
            WHEN base = ANY ('{bpchar,name,time,timetz,inet,cidr,macaddr,macaddr8,bit,varbit,
                              xid,xid8,pg_lsn}'::regtype[])
            THEN format('%s::text', id)
            -- There are two zeros.
            WHEN base IN ('float4'::regtype, 'float8'::regtype)
            THEN format('(%s + ''0'')::text', id)
            WHEN base = 'bytea'::regtype
            THEN format('%L || encode(%s, ''hex'')', chr(92) || 'x', id)
            WHEN base = 'timestamp'::regtype
            THEN format('replace(to_jsonb(%s) #>> ''{}'', ''T'', '' '')', id)
            WHEN base = 'timestamptz'::regtype
            THEN format('replace(to_jsonb(timezone(''UTC'', %1$s)) #>> ''{}'', ''T'', '' '')
                         || CASE WHEN isfinite(%1$s) THEN ''+00'' ELSE '''' END', id) END;
        back := CASE WHEN expression IS NOT NULL THEN 'text' END;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._id(oid, name) IS
'internal: how a model reads an id and gives it back';

-- How a number is read from the source. A numeric may be larger than any float8, or nearer to zero,
-- and one such row would stop the whole: it comes as NaN or as 0, unless its declaration (precision
-- and scale, see numeric.c) rules it out.
CREATE FUNCTION @extschema@._number(source regclass, attribute name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        CASE WHEN a.base = 'bool'::pg_catalog.regtype THEN 'r.%1$I::int::float8'
             WHEN a.base <> 'numeric'::pg_catalog.regtype
                  OR a.typmod >= 4 AND (a.typmod - 4) >> 16 <= 300
                      AND ((a.typmod - 4) & 2047) <= 300
             THEN 'r.%1$I::float8'
             ELSE 'CASE WHEN abs(r.%1$I) < 1e-300 THEN 0
                        WHEN abs(r.%1$I) > 1e300 AND abs(r.%1$I) < ''Infinity'' THEN ''NaN''
                        ELSE r.%1$I::float8 END' END, attribute)
    FROM  (SELECT @extschema@._base(t.atttypid) AS base, t.atttypmod AS typmod
           FROM pg_catalog.pg_attribute t
           WHERE t.attrelid = source AND t.attname = attribute AND NOT t.attisdropped) a;
END;
COMMENT ON FUNCTION @extschema@._number(regclass, name) IS 'internal: how a model reads a number';

-- What to do with a column of numbers that is named as a time: how they count shows in one of them.
-- Null for anything else.
CREATE FUNCTION @extschema@._advice_on_numbers(
    source regclass, argument text, attribute name, base regtype) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number float8;
    view text;
BEGIN
    IF argument NOT IN ('taken_at', 'changed_at')
       OR base <> ALL ('{int2,int4,int8,numeric,float4,float8}'::regtype[]) THEN
        RETURN NULL;
    END IF;
    -- 0 often stands for never.
    EXECUTE format('SELECT n.number FROM (SELECT %s AS number FROM %s AS r) n
                    WHERE n.number > 0 LIMIT 1', @extschema@._number(source, attribute), source)
    INTO number;
    IF number BETWEEN 19000101 AND 21991231 AND base IN ('int4'::regtype, 'int8'::regtype)
       AND number::text ~ '^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$' THEN
        RETURN format('Its numbers look like days: make a view that has '
                      'to_date(%I::text, ''YYYYMMDD'') in place of it.', attribute);
    END IF;
    IF number < 100000 THEN
        RETURN format('Its numbers are small. Where they count days, make a view that has the day '
                      'they count from plus the number in place of it: date ''2026-09-01'' + %I.',
                      attribute);
    END IF;
    view := format('to_timestamp(%I%s)', attribute, CASE
        WHEN number >= 1e17 THEN ' / 1e9' WHEN number >= 1e14 THEN ' / 1e6'
        WHEN number >= 1e11 THEN ' / 1000.0' ELSE '' END);
    RETURN concat(
        CASE WHEN number >= 1e8
             THEN format('Its numbers look like %s since 1970: make a view that has %s in place of '
                         'it', CASE WHEN number >= 1e17 THEN 'nanoseconds'
                                    WHEN number >= 1e14 THEN 'microseconds'
                                    WHEN number >= 1e11 THEN 'milliseconds' ELSE 'seconds' END,
                         view)
             ELSE format('Make a view that has the time in place of it: %s where it counts seconds '
                         'since 1970, to_timestamp(%I / 1000.0) where milliseconds', view,
                         attribute) END,
        format('; with nullif(%I, 0) where 0 stands for never.', attribute));
END $$;
COMMENT ON FUNCTION @extschema@._advice_on_numbers(regclass, text, name, regtype) IS
'internal: what to do with numbers that are named as times';

-- The type of a column of the source that the user has named; errors as helpful as can be.
CREATE FUNCTION @extschema@._source_column(source regclass, argument text, attribute name)
RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    type oid;
    base regtype;
    collation_id oid;
    list text;
    advice text;
    is_id boolean := argument NOT IN ('score', 'min_score', 'max_score', 'attempt',
                                      'item_position', 'taken_at', 'changed_at', 'answer');
BEGIN
    SELECT a.atttypid, @extschema@._base(a.atttypid), a.attcollation INTO type, base, collation_id
    FROM pg_attribute a
    WHERE a.attrelid = source AND a.attname = attribute AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
        -- Postgres knows which of its columns is spelt like it; r is not the user's name for it. Of
        -- an empty name it says nothing.
        BEGIN
            EXECUTE format('SELECT r.%I FROM %s AS r LIMIT 0', coalesce(nullif(attribute, ''), '?'),
                           source);
        EXCEPTION WHEN undefined_column THEN
            GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
            advice := regexp_replace(advice, '"r[.]', '"', 'g');
        END;
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO list
        FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
        RAISE EXCEPTION '% has no column %', source, quote_ident(attribute)
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('It is named as the column of %s.', argument),
                  HINT = concat_ws(' ', nullif(advice, ''), format('It has: %s.', list),
                                   CASE WHEN argument = 'taken_at'
                                        THEN 'A day such as 2026-06-01 can stand for a column.'
                                        WHEN argument IN ('min_score', 'max_score')
                                        THEN 'A number such as 100 can stand for a column.' END,
                                   CASE WHEN argument = 'taken_at'
                                        AND  attribute ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}'
                                        THEN format('There is no such time as %s.', attribute)
                                   END);
    END IF;
    advice := CASE
        WHEN argument = 'answer' THEN NULL
        WHEN argument IN ('taken_at', 'changed_at') THEN
            CASE WHEN base <> ALL ('{date,timestamp,timestamptz}'::regtype[])
                 THEN 'type date, timestamp or timestamptz' END
        -- What Postgres itself takes for a float8 where one is due, has a value as one.
        WHEN argument IN ('score', 'min_score', 'max_score', 'attempt', 'item_position') THEN
            CASE WHEN base = 'float8'::regtype OR argument = 'score' AND base = 'bool'::regtype
                      OR EXISTS (SELECT FROM pg_cast c
                                 WHERE c.castsource = base AND c.casttarget = 'float8'::regtype
                                 AND   c.castcontext = 'i') THEN NULL
                 ELSE CASE argument WHEN 'score' THEN 'numbers, or of true and false'
                                    WHEN 'attempt' THEN 'whole numbers'
                                    WHEN 'item_position' THEN 'whole numbers' ELSE 'numbers' END END
        WHEN (@extschema@._id(type, attribute)).expression IS NULL
        THEN 'numbers, text, uuid or another type that distinguishes ids as their text does'
    END;
    IF advice IS NOT NULL THEN
        RAISE EXCEPTION 'column % of % cannot be used for %',
                        quote_ident(attribute), source, argument
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('It is of type %s.', format_type(type, NULL)),
                  HINT = coalesce(@extschema@._advice_on_numbers(source, argument, attribute, base),
                                  CASE WHEN is_id AND base = 'json'::regtype
                                       THEN format('Make a view that has %I::jsonb::text in place '
                                                   'of it, which writes the same object in one '
                                                   'way.', attribute) END,
                                  format('Name a column of %s, or make a view that casts it.',
                                         advice));
    END IF;
    IF is_id AND EXISTS (SELECT FROM pg_collation c
                   WHERE c.oid = collation_id AND NOT c.collisdeterministic) THEN
        RAISE EXCEPTION 'column % of % cannot be used for %',
                        quote_ident(attribute), source, argument
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('By its collation %s, texts are equal that are written '
                                  'differently.',
                                  collation_id::regcollation),
                  HINT = format('Make a view that writes them alike, as lower(%I) COLLATE '
                                '"default" may.',
                                attribute);
    END IF;
    RETURN type;
END $$;
COMMENT ON FUNCTION @extschema@._source_column(regclass, text, name) IS
'internal: the type of a column that a model names';

-- Whether a response is of one of some statuses; these are equal as ids are. Not in every style do
-- dates read as they are written.
CREATE FUNCTION @extschema@._is_of_status(
    source regclass, type oid, status name, argument text, statuses text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    id record := @extschema@._id(type, status);
    list text;
BEGIN
    EXECUTE format('SELECT array_agg(%s)::text FROM unnest($1::%s[]) AS r(%I)', id.expression,
                   format_type(@extschema@._base(type), -1), status) INTO list USING statuses;
    RETURN format('%s = ANY (%L::%s[])', id.expression, list, id.back);
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION '% has a value that is no status', argument
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = format('Column %I of %s is of type %s.', status, source,
                              format_type(type, NULL)),
              HINT = 'Give values of that column.';
END $$;
COMMENT ON FUNCTION @extschema@._is_of_status(regclass, oid, name, text, text[]) IS
'internal: whether a row is of some statuses';

-- What stands for a column of which the source has none, and its type: a number, or a time as ISO
-- 8601 has it; null for anything else. Words such as now would be another time in each session.
CREATE FUNCTION @extschema@._literal(
    source regclass, argument text, given text, OUT expression text, OUT type regtype)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO' SET timezone = 'UTC' AS $$
DECLARE
    clock constant text := '[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?';
BEGIN
    IF argument NOT IN ('min_score', 'max_score', 'taken_at') OR given IS NULL OR EXISTS (
           SELECT FROM pg_attribute a
           WHERE a.attrelid = source AND a.attname = given AND NOT a.attisdropped) THEN
        RETURN;
    END IF;
    IF argument <> 'taken_at' THEN
        expression := format('%L::float8', given::float8);
        type := 'float8';
    ELSIF given ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        expression := format('%L::date', given::date);
        type := 'date';
    ELSIF given ~ format('^[0-9]{4}-[0-9]{2}-[0-9]{2}%s$', clock) THEN
        expression := format('%L::timestamp', given::timestamp);
        type := 'timestamp';
    ELSIF given ~ format('^[0-9]{4}-[0-9]{2}-[0-9]{2}%s(Z|[+-][0-9]{2}(:?[0-9]{2})?)$',
                        clock) THEN
        expression := format('%L::timestamptz', given::timestamptz);
        type := 'timestamptz';
    END IF;
EXCEPTION
    WHEN numeric_value_out_of_range THEN
        RAISE EXCEPTION '% is out of range', argument
            USING ERRCODE = 'numeric_value_out_of_range',
                  DETAIL = format('As float8, %s would be infinite, or 0.',
                                  CASE WHEN length(given) > 40 THEN left(given, 40) || '...'
                                       ELSE given END),
                  HINT = 'Give a number that float8 has, ''infinity'' as max_score where there is '
                         'no upper bound, or name a column.';
    WHEN data_exception THEN
        RETURN;
END $$;
COMMENT ON FUNCTION @extschema@._literal(regclass, text, text) IS
'internal: a number or a time that was given in place of a column';

-- How the time of a response is read, and the type of that.
CREATE FUNCTION @extschema@._time(
    source regclass, taken_at name, OUT expression text, OUT type regtype)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(l.expression, pg_catalog.format('r.%I', _time.taken_at)),
           coalesce(l.type, (SELECT @extschema@._base(a.atttypid)::pg_catalog.regtype
                             FROM   pg_catalog.pg_attribute a
                             WHERE  a.attrelid = _time.source AND a.attname = _time.taken_at
                             AND    NOT a.attisdropped))
    FROM   @extschema@._literal(_time.source, 'taken_at', _time.taken_at) l;
END;
COMMENT ON FUNCTION @extschema@._time(regclass, name) IS
'internal: how a model reads the time of a response';

-- How the end of a scale is read: from a column, or as the number that was given.
CREATE FUNCTION @extschema@._limit(source regclass, argument text, meanings jsonb) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((@extschema@._literal(_limit.source, _limit.argument, l.given)).expression,
                    @extschema@._number(_limit.source, l.given::pg_catalog.name))
    FROM  (SELECT _limit.meanings ->> _limit.argument AS given) l;
END;
COMMENT ON FUNCTION @extschema@._limit(regclass, text, jsonb) IS
'internal: how a model reads the end of a scale';

-- The gradebook of rows r of the relation responses.
CREATE FUNCTION @extschema@._gradebook_of_rows() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '@extschema@._gradebook_agg(r.student, r.item, r.assessment, r.score, r.min_score,
            r.max_score, r.taken_at, r.standing, r.attempt, r.item_position)';
COMMENT ON FUNCTION @extschema@._gradebook_of_rows() IS 'internal: a gradebook of rows of a model';
