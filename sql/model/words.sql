-- Words for the sentences of explanations, alerts and pictures.

-- An id or name within a sentence, also of an alert: nothing that breaks the line, and not longer
-- than a line.
CREATE FUNCTION @extschema@._quoted(id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN t.id ~ '^[[:alnum:]_.:/#-]+$' THEN t.id
                ELSE '"' || pg_catalog.replace(t.id, '"', '''') || '"' END
    FROM  (SELECT CASE WHEN pg_catalog.length(c.id) > 60
                       THEN pg_catalog.left(c.id, 57) || '...' ELSE c.id END AS id
           FROM  (SELECT pg_catalog.btrim(pg_catalog.regexp_replace(
                             _quoted.id, '[[:cntrl:][:space:]]+', ' ', 'g')) AS id) c) t;
END;
COMMENT ON FUNCTION @extschema@._quoted(text) IS 'internal: an id within a sentence';

CREATE FUNCTION @extschema@._plural(n bigint, one text, more text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN n = 1 THEN one ELSE coalesce(more, one || 's') END;
COMMENT ON FUNCTION @extschema@._plural(bigint, text, text) IS
'internal: the word for a number of things';

CREATE FUNCTION @extschema@._count(n bigint, one text, more text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.to_char(n, 'FM999,999,999,999,990') || ' ' || @extschema@._plural(n, one, more);
COMMENT ON FUNCTION @extschema@._count(bigint, text, text) IS
'internal: a number of things in words';

CREATE FUNCTION @extschema@._is_or_are(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN @extschema@._plural(n, 'is', 'are');
COMMENT ON FUNCTION @extschema@._is_or_are(bigint) IS 'internal: the verb after a number';

-- A level or score in points of a hundred, kept within 0 to 100: others would mean nothing.
CREATE FUNCTION @extschema@._points(share float8, digits int DEFAULT 0) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN share IS NOT NULL
            THEN pg_catalog.round(100 * greatest(least(share, 1), 0)::numeric, digits)::text END;
COMMENT ON FUNCTION @extschema@._points(float8, int) IS
'internal: a share in points of a hundred, to so many digits after the point';

-- By how many points something moves a level, up or down.
CREATE FUNCTION @extschema@._amount(share float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.abs(share) < 0.005 THEN 'less than 1 point'
            ELSE @extschema@._count(pg_catalog.round(pg_catalog.abs(100 * share::numeric))::bigint,
                                    'point') END;
COMMENT ON FUNCTION @extschema@._amount(float8) IS 'internal: a change of a level in words';

CREATE FUNCTION @extschema@._chance(p float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p < 0.005 THEN 'less than 1 %' WHEN p >= 0.995 THEN 'more than 99 %'
            ELSE @extschema@._points(p) || ' %' END;
COMMENT ON FUNCTION @extschema@._chance(float8) IS 'internal: a probability in words';

CREATE FUNCTION @extschema@._day(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.to_char(at, 'FMDD FMMonth YYYY');
COMMENT ON FUNCTION @extschema@._day(timestamptz) IS 'internal: a date in words';

CREATE FUNCTION @extschema@._moment(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN @extschema@._day(at) || pg_catalog.to_char(at, ' HH24:MI');
COMMENT ON FUNCTION @extschema@._moment(timestamptz) IS 'internal: a time to the minute in words';

CREATE FUNCTION @extschema@._and(things text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.cardinality(things) < 2 THEN things[1]
            ELSE pg_catalog.array_to_string(
                     pg_catalog.trim_array(things, 1), ', ')
                 || ' and ' || things[pg_catalog.cardinality(things)] END;
COMMENT ON FUNCTION @extschema@._and(text[]) IS 'internal: things in a row, the last after "and"';

-- "In Math, " where the model has subjects.
CREATE FUNCTION @extschema@._in_subject(model name, subject text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_only boolean;
BEGIN
    EXECUTE format('SELECT count(*) = 1 FROM (SELECT FROM %I.gradebook LIMIT 2) g', model)
    INTO is_only;
    RETURN CASE WHEN subject IS NULL OR is_only AND subject = 'all' THEN ''
                ELSE format('In %s, ', @extschema@._quoted(subject)) END;
END $$;
COMMENT ON FUNCTION @extschema@._in_subject(name, text) IS 'internal: the beginning of a sentence';

-- Sentences begin with a capital letter, where the first word is one of ours.
CREATE FUNCTION @extschema@._sentence(subject text, rest text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE subject WHEN '' THEN pg_catalog.upper(pg_catalog.left(rest, 1))
                                 || pg_catalog.substr(rest, 2)
                    ELSE subject || rest END;
COMMENT ON FUNCTION @extschema@._sentence(text, text) IS 'internal: a sentence after _in_subject';

-- A share as per cent for a sentence. What is estimated is shown without decimals; what is counted,
-- and what somebody has set, with the one that may matter.
CREATE FUNCTION @extschema@._percent(share float8, decimals int DEFAULT 0) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN abs(share) < 'Infinity'
                THEN trim_scale(round((100 * share)::numeric, decimals)) || ' %' END
$$;
COMMENT ON FUNCTION @extschema@._percent(float8, int) IS 'internal: a share as per cent';

-- A figure for a sentence: no more decimals than matter, and no zeros at their end.
CREATE FUNCTION @extschema@._rounded(figure float8, decimals int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.trim_scale(pg_catalog.round(figure::numeric, decimals))::text;
COMMENT ON FUNCTION @extschema@._rounded(float8, int) IS 'internal: a figure for a sentence';

-- A figure above a threshold must look so when rounded.
CREATE FUNCTION @extschema@._rounded_up(figure float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.trim_scale(pg_catalog.ceil(10 * figure::numeric) / 10)::text;
COMMENT ON FUNCTION @extschema@._rounded_up(float8) IS
'internal: a figure for a sentence, rounded up to a decimal';
