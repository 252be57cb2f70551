-- How a model asks the functions of a gradebook: with the settings of a run, over the gradebooks of
-- its subjects. The aliases are a contract: g is a row of the view gradebook, o the settings.

CREATE FUNCTION @extschema@._arguments(function regproc)
RETURNS TABLE (place int, option name, type text, usual text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.place::int, a.name::name, pg_catalog.format_type(a.type, NULL),
           pg_catalog.pg_get_function_arg_default(f.oid, a.place::int)
    FROM   pg_catalog.pg_proc f
    CROSS  JOIN LATERAL ROWS FROM (
               pg_catalog.unnest(f.proargnames), pg_catalog.unnest(f.proallargtypes),
               pg_catalog.unnest(f.proargmodes)) WITH ORDINALITY AS a(name, type, mode, place)
    WHERE  f.oid = function AND a.mode = 'i'
    AND    a.name NOT IN ('gradebook', 'as_of', 'previous', 'resamples', 'seed');
END;
COMMENT ON FUNCTION @extschema@._arguments(regproc) IS
'internal: the arguments of a function that are choices of the method';

CREATE FUNCTION @extschema@._options()
RETURNS TABLE (place bigint, option name, type text, usual text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT min(f.place * 100 + a.place), a.option, min(a.type), min(a.usual)
    FROM   pg_catalog.unnest(ARRAY['@extschema@.students'::pg_catalog.regproc,
                                   '@extschema@.items'::pg_catalog.regproc,
                                   '@extschema@.assessments'::pg_catalog.regproc])
           WITH ORDINALITY AS f(function, place)
    CROSS  JOIN LATERAL @extschema@._arguments(f.function) a
    GROUP  BY a.option;
END;
COMMENT ON FUNCTION @extschema@._options() IS 'internal: the choices of the method';

-- A half-life without decay: over any span of time the decay is negligible.
CREATE FUNCTION @extschema@._no_decay() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '1000000000 days';
COMMENT ON FUNCTION @extschema@._no_decay() IS 'internal: a half-life that lets nothing grow old';

CREATE FUNCTION @extschema@._result(function regproc)
RETURNS TABLE (place int, attribute name)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.place::int, a.name::name
    FROM   pg_catalog.pg_proc f
    CROSS  JOIN LATERAL ROWS FROM (
               pg_catalog.unnest(f.proargnames), pg_catalog.unnest(f.proargmodes))
               WITH ORDINALITY AS a(name, mode, place)
    WHERE  f.oid = function AND a.mode = 't';
END;
COMMENT ON FUNCTION @extschema@._result(regproc) IS 'internal: the result columns of a function';

-- The call of a function over g.gradebook with the settings of the model, which the statement has
-- as o or under another name, and with arguments that are given as expressions. A model that was
-- made by an older version has no settings of what came later; there the usual value holds.
CREATE FUNCTION @extschema@._call(
    model name, function regproc, given jsonb DEFAULT '{}', settings text DEFAULT 'o') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format('%s(%s)', _call.function, pg_catalog.string_agg(pg_catalog.format(
               '%I => %s', a.name, coalesce(w.given ->> a.name,
                                            pg_catalog.format('%s.%I', _call.settings, a.name))),
               ', ' ORDER BY a.place))
    FROM   pg_catalog.pg_proc f
    CROSS  JOIN LATERAL ROWS FROM (
               pg_catalog.unnest(f.proargnames), pg_catalog.unnest(f.proargmodes))
               WITH ORDINALITY AS a(name, mode, place)
    CROSS  JOIN (SELECT '{"gradebook": "g.gradebook", "as_of": "g.as_of"}'::jsonb
                        || _call.given AS given) w
    -- A function that returns no table has no modes.
    WHERE  f.oid = _call.function AND coalesce(a.mode, 'i') = 'i'
    AND   (w.given ? a.name
           OR EXISTS (SELECT FROM pg_catalog.pg_attribute s
                      WHERE s.attrelid = pg_catalog.format('%I.settings',
                                                           model)::pg_catalog.regclass
                      AND   s.attname = a.name AND s.attnum > 0));
END;
COMMENT ON FUNCTION @extschema@._call(name, regproc, jsonb, text) IS
'internal: the call of a function under the settings of a model';

-- A time that a refresh has stored, as a session of another time zone reads it that was a date, or
-- a time without a zone: the clock on the wall shows the same. The statement has the model's
-- gradebooks, or the log of its runs, as g.
CREATE FUNCTION @extschema@._local(model name, expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (
                    SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = pg_catalog.format('%I.gradebook', model)::pg_catalog.regclass
                    AND   a.attname = 'time_zone' AND a.attnum > 0)
                THEN pg_catalog.format('timezone(g.time_zone, %s)::timestamptz', expression)
                ELSE expression END;
END;
COMMENT ON FUNCTION @extschema@._local(name, text) IS
'internal: a time that a refresh has stored, on the clock of the session';

-- The settings of a run as o; those of today where it is not known, as of results that were made by
-- plain statements.
CREATE FUNCTION @extschema@._solved_with(model name, run text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        '%1$I.settings c LEFT JOIN %1$I.run_log l ON l.run_id = %2$s
         CROSS JOIN LATERAL jsonb_populate_record(c, coalesce(l.settings, ''{}'')) o', model, run);
END;
COMMENT ON FUNCTION @extschema@._solved_with(name, text) IS
'internal: the settings that results of a model were made with';

-- What a statement over a model reads: g its gradebooks of which a condition holds, o the settings
-- that they were solved with. Subjects may be null; as arrays they are equal then too, and unlike
-- by IS NOT DISTINCT FROM Postgres can hash them, of whatever type.
CREATE FUNCTION @extschema@._from(model name, condition text DEFAULT 'true') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        '(SELECT g.subject, g.gradebook, g.run_id, %2$s AS as_of, g.as_of AS stored_as_of,
                 g.method_version
          FROM %1$I.gradebook g WHERE %4$s) g CROSS JOIN %3$s', model,
        @extschema@._local(_from.model, 'g.as_of'),
        @extschema@._solved_with(_from.model, 'g.run_id'), condition);
END;
COMMENT ON FUNCTION @extschema@._from(name, text) IS
'internal: a model''s gradebooks with their settings';

CREATE FUNCTION @extschema@._type(model name, relation name, attribute name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT pg_catalog.format_type(a.atttypid, -1)
    FROM   pg_catalog.pg_attribute a
    WHERE  a.attrelid = pg_catalog.format('%I.%I', _type.model, _type.relation)::pg_catalog.regclass
    AND    a.attname = _type.attribute;
END;
COMMENT ON FUNCTION @extschema@._type(name, name, name) IS
'internal: the type of a column of a model';

-- The condition that a gradebook g is of a subject in which a relation has the id $1, and of that
-- with the name $2 unless it is null. Others need not be solved.
CREATE FUNCTION @extschema@._has(model name, relation name, attribute name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        'ARRAY[g.subject] IN (SELECT ARRAY[k.subject] FROM %1$I.%2$I k
                              WHERE k.%3$I = $1::%4$s AND ($2 IS NULL OR k.subject::text = $2))',
        model, relation, attribute, @extschema@._type(model, relation, attribute));
END;
COMMENT ON FUNCTION @extschema@._has(name, name, name) IS
'internal: the condition that a subject has a student or question';
