-- Models: a name for "these columns of this table mean student, item, assessment, score and time".
-- A model is a schema of its maker with ordinary relations over the source, in plain SQL: what is
-- dumped, granted, altered and dropped as any other view. It is known by its tables run_log and
-- definition, which take the version of the method from here, or by its table settings beside the
-- view gradebook, which has a column of that type; nothing is registered. The tables outlive the
-- source: where that is dropped with all that hangs on it, assess.attach() makes the views again.
--
-- Functions that run SQL of their own pin their search_path, take names as regclass or by %I, and
-- run with the rights of their caller.

CREATE FUNCTION @extschema@.method_version() RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 4;
COMMENT ON FUNCTION @extschema@.method_version() IS
'the version of the method; results of different versions may differ';

-- The relations of a model in the order in which they build on each other.
CREATE FUNCTION @extschema@._relations()
RETURNS TABLE (place int, relation name, kind text, refreshed boolean, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM (VALUES
        (1, 'settings'::name, 'TABLE', false,
         'one row: the choices of the method, as assess.set_option() sets them; those that lists '
         'go by hold at once, the others from the next refresh on'),
        (2, 'run_log', 'TABLE', false,
         'one row for each refresh, also of those that failed; read the view runs'),
        (3, 'runs', 'VIEW', false,
         'one row for each refresh: when, how long, how many rows, with which settings, and how '
         'it ended'),
        (4, 'responses', 'VIEW', false,
         'the source as the model reads it, under the names of assess.gradebook_agg'),
        (5, 'tracking', 'TABLE', false,
         'one row: how the model learns what changes in the source'),
        (6, 'changes', 'TABLE', false,
         'notes of what changed in the source since the last refresh'),
        (7, 'stored_parts', 'TABLE', false,
         'a gradebook for each subject, group and period, as of the last refresh'),
        (8, 'dirty', 'VIEW', false,
         'periods in which something changed since the last refresh'),
        (9, 'parts', 'MATERIALIZED VIEW', true,
         'a gradebook for each subject and group: the only relation that reads the source'),
        (10, 'gradebook', 'MATERIALIZED VIEW', true,
         'a gradebook for each subject, and the time it is of'),
        (11, 'questions', 'MATERIALIZED VIEW', true,
         'how good each question is; see assess.items()'),
        (12, 'students', 'MATERIALIZED VIEW', true,
         'where each student stands in each subject; see assess.students()'),
        (13, 'assessments', 'MATERIALIZED VIEW', true,
         'size, mean and reliability of each assessment'),
        (14, 'coverage', 'MATERIALIZED VIEW', true,
         'what became of every row of the source: used, or left out and why'),
        (15, 'help_list', 'VIEW', false,
         'students who more likely than not need help, the most certain first'),
        (16, 'check_in_list', 'VIEW', false,
         'students of whom too little is known: no or old evidence, marks to come, missing work'),
        (17, 'question_review', 'VIEW', false,
         'questions on which stronger students do worse, the worst first'),
        (18, 'school_map', 'VIEW', false,
         'each student as a point: level across, change in 30 days up and down'),
        (19, 'pass_marks', 'TABLE', false,
         'one row for each question with a pass mark of its own, in a subject or, where that is '
         'null, in every other; edit it by INSERT, UPDATE and DELETE, it holds at once'),
        (20, 'expectations', 'VIEW', false,
         'what is expected on each question where its scores have a maximum: the pass mark of '
         'pass_marks, else that of settings, else the facility'),
        (21, 'score_sheet', 'VIEW', false,
         'the score of each student on each question beside what was expected'),
        (22, 'history', 'TABLE', false,
         'what each refresh made of each student, for assess.compare_runs()'),
        (23, 'alert_rules', 'TABLE', false,
         'one row for each rule: when a refresh raises an alert; edit it by UPDATE'),
        (24, 'alerts', 'TABLE', false,
         'one row for each alert that was raised; it holds until it has ended'),
        (25, 'run_figures', 'TABLE', false,
         'what is kept of each refresh to compare the next one with: levels of groups, rows left '
         'out'),
        (26, 'definition', 'TABLE', false,
         'one row: the source and what its columns mean, and as of the last refresh who was '
         'granted what, for assess.attach()')
    ) AS r(place, relation, kind, refreshed, about);
END;
COMMENT ON FUNCTION @extschema@._relations() IS 'internal: the relations of a model';

-- The owner of a model: the owner of the first of its relations that exists.
CREATE FUNCTION @extschema@._owner(schema oid) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.relowner
    FROM   pg_catalog.pg_class c JOIN @extschema@._relations() r ON r.relation = c.relname
    WHERE  c.relnamespace = schema ORDER BY r.place LIMIT 1;
END;
COMMENT ON FUNCTION @extschema@._owner(oid) IS 'internal: the owner of a model';

-- How each relation is made: what stands in CREATE after its name, then in ALTER TABLE, and the
-- columns of a unique index. In a definition {model} stands for the schema, and other names in
-- braces for what the maker of the relation hands over. A definition holds for some ways of
-- tracking changes, or for all.
CREATE FUNCTION @extschema@._definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM @extschema@._settings_definitions()
    UNION ALL SELECT * FROM @extschema@._runs_definitions()
    UNION ALL SELECT * FROM @extschema@._source_definitions()
    UNION ALL SELECT * FROM @extschema@._tracking_definitions()
    UNION ALL SELECT * FROM @extschema@._results_definitions()
    UNION ALL SELECT * FROM @extschema@._lists_definitions()
    UNION ALL SELECT * FROM @extschema@._alerts_definitions();
END;
COMMENT ON FUNCTION @extschema@._definitions() IS 'internal: how the relations of a model are made';

-- What the columns of a model's relations mean. A column that is in several means the same; where
-- it means something else, or more can be said, the relation stands before it.
CREATE FUNCTION @extschema@._columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM @extschema@._settings_columns()
    UNION ALL SELECT * FROM @extschema@._runs_columns()
    UNION ALL SELECT * FROM @extschema@._source_columns()
    UNION ALL SELECT * FROM @extschema@._results_columns()
    UNION ALL SELECT * FROM @extschema@._lists_columns()
    UNION ALL SELECT * FROM @extschema@._alerts_columns();
END;
COMMENT ON FUNCTION @extschema@._columns() IS 'internal: what the columns of a model mean';

CREATE FUNCTION @extschema@._models() RETURNS SETOF oid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.relnamespace
    FROM   pg_catalog.pg_class s
    JOIN   pg_catalog.pg_class g
           ON g.relnamespace = s.relnamespace AND g.relname = 'gradebook' AND g.relkind = 'm'
    JOIN   pg_catalog.pg_attribute a ON a.attrelid = g.oid AND a.attname = 'gradebook'
    WHERE  s.relname = 'settings' AND s.relkind = 'r'
    AND    a.atttypid = '@extschema@.gradebook'::pg_catalog.regtype
    UNION
    SELECT t.relnamespace
    FROM   pg_catalog.pg_class t
    JOIN   pg_catalog.pg_attrdef a ON a.adrelid = t.oid
    JOIN   pg_catalog.pg_depend d
           ON  d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = a.oid
           AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
           AND d.refobjid = '@extschema@.method_version'::pg_catalog.regproc
    WHERE  t.relname IN ('run_log', 'definition') AND t.relkind = 'r';
END;
COMMENT ON FUNCTION @extschema@._models() IS 'internal: the schemas that are models';

-- The relation that a model reads; null where there is none any more.
CREATE FUNCTION @extschema@._source(schema oid) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.oid
    FROM   pg_catalog.pg_class v
    JOIN   pg_catalog.pg_rewrite w ON w.ev_class = v.oid
    JOIN   pg_catalog.pg_depend d
           ON  d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
           AND d.objid = w.oid AND d.refobjid <> v.oid
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    JOIN   pg_catalog.pg_class t ON t.oid = d.refobjid
    WHERE  v.relnamespace = schema AND v.relname = 'responses' LIMIT 1;
END;
COMMENT ON FUNCTION @extschema@._source(oid) IS 'internal: the relation that a model reads';

-- What a model lacks that was dropped, by itself or with its source; null where nothing is missing.
-- A model that tracks no changes never had what belongs to that.
CREATE FUNCTION @extschema@._lost(schema oid, but_for name[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH has AS (SELECT c.relname, c.relkind FROM pg_catalog.pg_class c
                 WHERE c.relnamespace = schema)
    SELECT pg_catalog.format(
               CASE pg_catalog.count(*) WHEN 1
                   THEN 'relation %s is missing, dropped by itself or with the source'
                    ELSE 'relations %s are missing, dropped by themselves or with the source' END,
               pg_catalog.string_agg(r.relation, ', ' ORDER BY r.place))
    FROM   @extschema@._relations() r
    WHERE  NOT EXISTS (SELECT FROM has h WHERE h.relname = r.relation)
    AND    r.relation <> ALL (but_for)
    AND   (r.relation <> ALL ('{tracking,changes,stored_parts,dirty}'::name[])
           OR EXISTS (SELECT FROM has h
                      WHERE h.relname IN ('tracking', 'changes', 'stored_parts', 'dirty')
                      OR    h.relname = 'parts' AND h.relkind = 'v'))
    HAVING pg_catalog.count(*) > 0;
END;
COMMENT ON FUNCTION @extschema@._lost(oid, name[]) IS
'internal: what a model lacks that was dropped';

-- The schema of a model that can be asked; an error that helps when there is none of that name, or
-- when something is missing that others build on, or that is asked for.
CREATE FUNCTION @extschema@._model(model name, VARIADIC asked name[] DEFAULT '{}') RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found oid := @extschema@._schema(model);
    lost text := @extschema@._lost(found, ARRAY(
        SELECT r.relation
        FROM   unnest('{runs,help_list,check_in_list,question_review,school_map,score_sheet,
                        alert_rules,alerts,run_figures}'::name[]) AS r(relation)
        WHERE  r.relation <> ALL (asked)));
BEGIN
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'model % is broken', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%s%s.', upper(left(lost, 1)), substr(lost, 2)),
                  HINT = @extschema@._mending(model);
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION @extschema@._model(name, name[]) IS
'internal: the schema of a model that can be asked';

-- The same, whether it is broken or not.
CREATE FUNCTION @extschema@._schema(model name) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found oid;
    others text;
BEGIN
    IF model IS NULL THEN
        RAISE EXCEPTION 'model must not be null'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'No model was named.',
                  HINT = 'SELECT model FROM @extschema@.models() lists them.';
    END IF;
    SELECT n.oid INTO found FROM pg_namespace n
    WHERE n.nspname = model AND n.oid IN (SELECT @extschema@._models());
    IF found IS NULL THEN
        SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) INTO others
        FROM pg_namespace n WHERE n.oid IN (SELECT @extschema@._models());
        RAISE EXCEPTION 'model % does not exist', quote_ident(model)
            USING ERRCODE = 'undefined_object',
                  DETAIL = 'No schema of that name is a model.',
                  HINT = coalesce('There are: ' || others || '.',
                                  'Make one with assess.create_model().');
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION @extschema@._schema(name) IS 'internal: the schema of a model';

-- What a relation of a model is; null where the model has none of that name.
CREATE FUNCTION @extschema@._kind(model name, relation name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END
    FROM   pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE  n.nspname = _kind.model AND c.relname = _kind.relation;
END;
COMMENT ON FUNCTION @extschema@._kind(name, name) IS 'internal: what a relation of a model is';

CREATE FUNCTION @extschema@._mending(model name) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN @extschema@._kind(model, 'definition') IS NULL
            THEN 'Call @extschema@.create_model() with the arguments of before and '
                 'if_not_exists => true: it makes what is missing.'
            ELSE pg_catalog.format('SELECT * FROM @extschema@.attach(%L) mends it, once its source '
                                   'is there.', model)
       END;
COMMENT ON FUNCTION @extschema@._mending(name) IS 'internal: how a broken model is mended';

CREATE FUNCTION @extschema@._comment(model name, relation name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT @extschema@._kind(model, r.relation) AS kind, r.about
        FROM   @extschema@._relations() r WHERE r.relation = _comment.relation
    LOOP
        EXECUTE format('COMMENT ON %s %I.%I IS %L', part.kind, model, relation, part.about);
    END LOOP;
    FOR part IN
        SELECT a.attname, c.about
        FROM   pg_attribute a
        LEFT   JOIN LATERAL (
                   SELECT c.about FROM @extschema@._columns() c
                   WHERE  c.attribute IN (a.attname, _comment.relation || '.' || a.attname)
                   ORDER  BY c.attribute = a.attname LIMIT 1) c ON true
        WHERE  a.attrelid = format('%I.%I', model, relation)::regclass
        AND    a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF part.about IS NULL THEN
            RAISE EXCEPTION 'column %.% has no comment', relation, part.attname
                USING ERRCODE = 'internal_error', DETAIL = 'It is not in @extschema@._columns().',
                      HINT = 'This is a fault of pg_assess: report it.';
        END IF;
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', model, relation, part.attname,
                       part.about);
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._comment(name, name) IS
'internal: comments of a relation of a model';

-- A definition with its parts put in at once: in a part nothing is replaced, as names may be
-- anything. A part that is missing leaves its name in braces, for Postgres to point at.
CREATE FUNCTION @extschema@._filled(definition text, parts jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.string_agg(t.text
                                 || coalesce(_filled.parts ->> p.name, '{' || p.name || '}', ''),
                                 '' ORDER BY t.place)
    FROM   pg_catalog.regexp_split_to_table(_filled.definition, '{[a-z_]+}')
           WITH ORDINALITY AS t(text, place)
    LEFT   JOIN LATERAL (
               SELECT m.found[1] AS name, m.place
               FROM   pg_catalog.regexp_matches(_filled.definition, '{([a-z_]+)}', 'g')
                      WITH ORDINALITY AS m(found, place)) p ON p.place = t.place;
END;
COMMENT ON FUNCTION @extschema@._filled(text, jsonb) IS 'internal: a definition with its parts';

-- A statement over the relations of a model, which stands there as {model}.
CREATE FUNCTION @extschema@._over(model name, statement text, parts jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN @extschema@._filled(statement, parts || pg_catalog.jsonb_build_object(
    'model', pg_catalog.quote_ident(model)));
COMMENT ON FUNCTION @extschema@._over(name, text, jsonb) IS 'internal: a statement over a model';

-- A unique index, which distinguishes the rows of a materialized view, also for REFRESH ...
-- CONCURRENTLY.
CREATE FUNCTION @extschema@._add_unique(model name, relation name, attributes text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_index i
                   WHERE i.indrelid = format('%I.%I', model, relation)::regclass
                   AND   i.indisunique AND NOT i.indisprimary) THEN
        EXECUTE format('CREATE UNIQUE INDEX ON %I.%I (%s)', model, relation, attributes);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._add_unique(name, name, text) IS
'internal: a unique index, where a relation of a model has none';

-- Makes one relation of a model, with its comments, and returns true; what is there already is
-- kept, but for the view of the source, which is made over it.
CREATE FUNCTION @extschema@._create(model name, relation name, parts jsonb DEFAULT '{}')
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    made record;
    kind text := (SELECT r.kind FROM @extschema@._relations() r
                  WHERE r.relation = _create.relation);
    is_new boolean := @extschema@._kind(model, relation) IS NULL;
BEGIN
    SELECT d.* INTO made FROM @extschema@._definitions() d
    WHERE  d.relation = _create.relation
    AND    coalesce(parts ->> 'track_changes' = ANY (d.tracking), true);
    IF relation = 'parts' AND made.unique_by IS NULL THEN
        kind := 'VIEW'; -- over the parts that are stored
    ELSIF relation = 'responses' AND NOT is_new THEN
        kind := 'OR REPLACE VIEW';
    END IF;
    IF is_new OR relation = 'responses' THEN
        EXECUTE format('CREATE %s %I.%I %s', kind, model, relation,
                       @extschema@._over(model, made.definition, parts));
        IF made.alterations IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %I.%I %s', model, relation, made.alterations);
        END IF;
        PERFORM @extschema@._comment(model, relation);
    END IF;
    IF made.unique_by IS NOT NULL THEN
        PERFORM @extschema@._add_unique(model, relation, made.unique_by);
    END IF;
    RETURN is_new;
EXCEPTION WHEN invalid_table_definition THEN
    RAISE EXCEPTION 'the source of model % is of other types than before', quote_ident(model)
        USING ERRCODE = 'datatype_mismatch', DETAIL = SQLERRM,
              HINT = 'Attach a view that casts to the type of before, or make another model.';
END $$;
COMMENT ON FUNCTION @extschema@._create(name, name, jsonb) IS
'internal: makes a relation of a model';

-- Drops relations of a model, those that are there, in this order. Without CASCADE: what others
-- have made over them is theirs.
CREATE FUNCTION @extschema@._drop(model name, relations name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation name;
    kind text;
BEGIN
    FOREACH relation IN ARRAY relations LOOP
        kind := @extschema@._kind(model, relation);
        IF kind IS NOT NULL THEN
            EXECUTE format('DROP %s %I.%I', kind, model, relation);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._drop(name, name[]) IS 'internal: drops relations of a model';

-- The name of a relation with its schema, in every session alike.
CREATE FUNCTION @extschema@._name(relation oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM   pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE  c.oid = relation;
END;
COMMENT ON FUNCTION @extschema@._name(oid) IS 'internal: the name of a relation with its schema';
