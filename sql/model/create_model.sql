-- Makes a model, gives it its source again, and drops it.

CREATE FUNCTION @extschema@._define(model name, source regclass, meanings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._create(model, 'definition');
    EXECUTE format('INSERT INTO %I.definition (source, arguments) VALUES ($1, $2)
                    ON CONFLICT (singleton) DO UPDATE SET source = $1', model)
    USING @extschema@._name(source), meanings;
END $$;
COMMENT ON FUNCTION @extschema@._define(name, regclass, jsonb) IS
'internal: keeps what a model was made over';

-- The table of settings, with what was asked for. It stays as it is where there is one.
CREATE FUNCTION @extschema@._create_settings(model name, track_changes text, settings jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    list text;
BEGIN
    SELECT string_agg(c.definition, ', ' ORDER BY c.is_of_changed_at, c.is_option, c.place)
    INTO   list
    FROM  (SELECT s.place, format('%I %s', s.setting, s.definition) AS definition,
                  s.is_of_changed_at, false AS is_option
           FROM   @extschema@._settings() s
           WHERE  track_changes = 'changed_at' OR NOT s.is_of_changed_at
           UNION ALL
           SELECT o.place, format('%I %s DEFAULT %s', o.option, o.type, o.usual), false, true
           FROM   @extschema@._options() o) c;
    IF @extschema@._create(model, 'settings', jsonb_build_object('settings', list)) THEN
        EXECUTE format('INSERT INTO %I.settings DEFAULT VALUES', model);
        PERFORM @extschema@._check_settings(model, settings);
        PERFORM @extschema@._set(model, settings);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._create_settings(name, text, jsonb) IS
'internal: the table of settings of a model';

-- The responses by subject and group, and by period where changes are tracked.
CREATE FUNCTION @extschema@._create_parts(
    model name, source regclass, meanings jsonb, parts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF meanings ->> 'track_changes' = 'none' THEN
        PERFORM @extschema@._create(model, 'parts', parts);
    ELSIF @extschema@._kind(model, 'parts') IS NOT NULL THEN
        PERFORM @extschema@._track(model, source, (meanings ->> 'taken_at')::name,
                                   (parts ->> 'time_type')::regtype, meanings ->> 'period');
    ELSE
        -- Nothing that was stored from another source is kept.
        PERFORM @extschema@._drop(model, '{dirty,stored_parts,changes,tracking}');
        PERFORM @extschema@._create_tracking(model, source, meanings, parts);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._create_parts(name, regclass, jsonb, jsonb) IS
'internal: the responses of a model by subject and group';

CREATE FUNCTION @extschema@._check_kept_ids(model name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    difference text;
BEGIN
    SELECT format('%s of %I was %s, and is %s.', a.attname, kept.relation,
                  format_type(a.atttypid, a.atttypmod), format_type(b.atttypid, b.atttypmod))
    INTO   difference
    FROM  (VALUES ('history', 'students', '{student,subject}'::name[]),
                  ('pass_marks', 'questions', '{item,subject}')) AS kept(relation, result, ids)
    JOIN   pg_attribute a ON a.attrelid = format('%I.%I', model, kept.relation)::regclass
    JOIN   pg_attribute b ON b.attrelid = format('%I.%I', model, kept.result)::regclass
    WHERE  a.attname = ANY (kept.ids) AND b.attname = a.attname AND b.atttypid <> a.atttypid
    LIMIT  1;
    IF FOUND THEN
        RAISE EXCEPTION 'the source of model % has other types than before', quote_ident(model)
            USING ERRCODE = 'datatype_mismatch', DETAIL = difference,
                  HINT = 'Attach a view that casts to the previous type, or make another model.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._check_kept_ids(name) IS
'internal: refuses ids of other types than those that are kept';

-- What exists of a model, as create_model() reports it.
CREATE FUNCTION @extschema@._inventory(model name)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT format('%I.%I', model, r.relation) AS name, r.refreshed,
               @extschema@._kind(model, r.relation) AS kind
        FROM   @extschema@._relations() r ORDER BY r.place
    LOOP
        CONTINUE WHEN part.kind IS NULL;
        relation := part.name;
        kind := lower(part.kind);
        rows := NULL;
        IF part.refreshed THEN
            EXECUTE format('SELECT count(*) FROM %s', relation) INTO rows;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._inventory(name) IS 'internal: what exists of a model';

-- By default the schema of a role's own name comes first where it looks for names, and where it
-- makes tables; Postgres passes over it while the role has no USAGE. Rights may be granted later,
-- and the name may be meant: so it is a warning, and no error, whatever the rights are. Roles that
-- cannot connect are mostly groups, whose members look under their own names.
CREATE FUNCTION @extschema@._warn_of_role(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
           SELECT FROM pg_roles r WHERE r.rolname = model AND r.rolcanlogin
           -- Of several settings the closest to the role holds.
           AND coalesce((SELECT c.setting LIKE '%$user%'
                         FROM   pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c(setting)
                         WHERE  s.setrole IN (r.oid, 0) AND starts_with(c.setting, 'search_path=')
                         AND    s.setdatabase IN (0, (SELECT d.oid FROM pg_database d
                                                      WHERE d.datname = current_database()))
                         ORDER  BY s.setrole = 0, s.setdatabase = 0 LIMIT 1), true)) THEN
        RETURN;
    END IF;
    RAISE WARNING 'model % has the name of a role that can connect', quote_ident(model)
        USING DETAIL = format(CASE
                  WHEN NOT has_schema_privilege(model, model, 'USAGE')
                  THEN 'As soon as role %1$I may use the schema, as by GRANT USAGE, it looks there '
                       'first for every table that it names without a schema.'
                  WHEN has_schema_privilege(model, model, 'CREATE')
                  THEN 'Role %1$I looks in the schema first for every table that it names without '
                       'one, and makes new ones there: "$user" is the first of its search_path.'
                  ELSE 'Role %1$I looks in the schema first for every table that it names without '
                       'one, and can make none without naming one: "$user" is the first of its '
                       'search_path.' END, model),
              HINT = format('Give the model another name, or say where else the role shall look: '
                            'ALTER ROLE %I IN DATABASE %I SET search_path = public.', model,
                            current_database());
END $$;
COMMENT ON FUNCTION @extschema@._warn_of_role(name) IS
'internal: warns where a role would look for its tables in a model';

-- Makes what a model lacks over a source: all of it, or what was dropped with the source of before.
CREATE FUNCTION @extschema@._make(
    model name, source regclass, meanings jsonb, settings jsonb, attaches boolean DEFAULT false)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    parts jsonb;
    name text;
    run bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relpersistence = 't') THEN
        RAISE EXCEPTION '% is a temporary table', source
            USING ERRCODE = 'wrong_object_type', DETAIL = 'A model stays, and so must its source.',
                  HINT = 'Name a table or view that outlives the session.';
    END IF;
    parts := @extschema@._described(source, meanings);
    IF NOT attaches THEN
        EXECUTE format('CREATE SCHEMA %I', model);
    END IF;
    PERFORM @extschema@._warn_of_role(model);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', model,
                   format('a model of pg_assess over %s', source));
    PERFORM @extschema@._define(model, source, meanings);
    PERFORM @extschema@._create_settings(model, meanings ->> 'track_changes', settings);
    FOREACH name IN ARRAY '{run_log,runs,responses}'::text[] LOOP
        PERFORM @extschema@._create(model, name, parts);
    END LOOP;
    IF @extschema@._kind(model, 'gradebook') IS NULL THEN
        run := @extschema@._new_run(model);
    END IF;
    PERFORM @extschema@._create_parts(model, source, meanings, parts);
    PERFORM @extschema@._create(model, 'gradebook', parts);
    parts := parts || @extschema@._calls(model, meanings);
    FOREACH name IN ARRAY '{questions,students,assessments,coverage,help_list,check_in_list,
                            question_review,school_map,pass_marks,expectations,score_sheet,
                            history}'::text[] LOOP
        PERFORM @extschema@._create(model, name, parts);
    END LOOP;
    PERFORM @extschema@._check_kept_ids(model);
    IF meanings ->> 'track_changes' <> 'none' THEN
        PERFORM @extschema@._freeze(model, false);
    END IF;
    PERFORM @extschema@._create_alerts(model);
    -- The planner expects hundreds of rows in a table that was never analyzed, and compiles
    -- whatever joins it.
    EXECUTE format('ANALYZE %I.settings', model);
    IF run IS NOT NULL THEN
        PERFORM @extschema@._succeeded(model, run, '{}', NULL);
        PERFORM @extschema@._alert(model, run, quiet => NOT attaches);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@._inventory(model);
END $$;
COMMENT ON FUNCTION @extschema@._make(name, regclass, jsonb, jsonb, boolean) IS
'internal: makes what a model lacks';

CREATE FUNCTION @extschema@._create_model(
    model name, source regclass, meanings jsonb, settings jsonb, if_not_exists boolean)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF model IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be null', CASE WHEN model IS NULL THEN 'model' ELSE 'source' END
            USING ERRCODE = 'null_value_not_allowed',
                  DETAIL = 'A model has a name, and a table or view that it reads.',
                  HINT = 'Give the name of a new schema as model, and a table or view as source.';
    END IF;
    IF model = '' OR starts_with(model::text, 'pg_') THEN
        RAISE EXCEPTION '% cannot be the name of a model', quote_ident(model)
            USING ERRCODE = 'reserved_name',
                  DETAIL = 'It is the name of a schema too: that is not empty, and does not begin '
                           'with pg_.',
                  HINT = 'Give the model another name.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = model) THEN
        RETURN QUERY SELECT * FROM @extschema@._make(model, source, meanings, settings);
        RETURN;
    END IF;
    IF if_not_exists IS NOT TRUE OR NOT EXISTS (
           SELECT FROM pg_namespace n
           WHERE n.nspname = model AND n.oid IN (SELECT @extschema@._models())) THEN
        RAISE EXCEPTION 'schema % already exists', quote_ident(model)
            USING ERRCODE = 'duplicate_schema', DETAIL = 'A model is a schema of its own.',
                  HINT = 'Give the model another name, or drop what is there.';
    END IF;
    IF @extschema@._broken(@extschema@._schema(model)) IS NULL THEN
        RAISE NOTICE 'model % already exists, skipping', quote_ident(model);
        RETURN;
    END IF;
    RAISE NOTICE 'model % is broken, attaching it', quote_ident(model);
    IF @extschema@._kind(model, 'definition') IS NULL THEN
        PERFORM @extschema@._as_owner(@extschema@._must_be_owner(model), format(
            'SELECT @extschema@._define(%L, %L::oid::regclass, %L)', model, source::oid, meanings));
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.attach(model, source);
END $$;
COMMENT ON FUNCTION @extschema@._create_model(name, regclass, jsonb, jsonb, boolean) IS
'internal: makes a model, as the role that will own it';

CREATE FUNCTION @extschema@.create_model(
    model name,
    source regclass,
    student name,
    item name,
    assessment name,
    score name,
    taken_at name,
    max_score anycompatible DEFAULT NULL,
    subject name DEFAULT NULL,
    student_group name DEFAULT NULL,
    attempt name DEFAULT NULL,
    status name DEFAULT NULL,
    counted text[] DEFAULT NULL,
    answer name DEFAULT NULL,
    track_changes text DEFAULT 'none',
    changed_at name DEFAULT NULL,
    period text DEFAULT 'month',
    settings jsonb DEFAULT '{}',
    if_not_exists boolean DEFAULT false,
    min_score anycompatible DEFAULT NULL,
    item_position name DEFAULT NULL,
    zero text[] DEFAULT NULL,
    waiting text[] DEFAULT NULL,
    not_taken text[] DEFAULT NULL,
    exempt text[] DEFAULT NULL
) RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    meanings jsonb := jsonb_build_object(
        'student', student, 'item', item, 'assessment', assessment, 'score', score,
        'taken_at', taken_at, 'min_score', min_score::text, 'max_score', max_score::text,
        'subject', subject, 'student_group', student_group, 'attempt', attempt,
        'item_position', item_position, 'status', status, 'counted', counted, 'zero', zero,
        'waiting', waiting, 'not_taken', not_taken, 'exempt', exempt, 'answer', answer,
        'track_changes', track_changes, 'changed_at', changed_at,
        'period', period);
    made jsonb;
BEGIN
    -- The source may have views, policies and casts of others.
    made := @extschema@._as_owner(@extschema@._caller(), format(
        'SELECT jsonb_agg(to_jsonb(m))
         FROM @extschema@._create_model(%L, %L::oid::regclass, %L, %L, %L) m',
        model, source::oid, meanings, settings, if_not_exists))::jsonb;
    RETURN QUERY SELECT m.relation, m.kind, m.rows
                 FROM   jsonb_to_recordset(made) AS m(relation text, kind text, rows bigint);
END $$;
COMMENT ON FUNCTION @extschema@.create_model IS
'makes a schema with the results over a table of responses: students, questions, assessments, the '
'lists and the log of its refreshes; returns what it made';

CREATE FUNCTION @extschema@._attach(model name, source regclass)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    known record;
    granted record;
    settings jsonb;
    had name[] := ARRAY(SELECT c.relname FROM pg_class c
                        WHERE c.relnamespace = @extschema@._schema(model));
    kept oid[] := ARRAY(SELECT c.oid FROM pg_class c
                        WHERE c.relnamespace = @extschema@._schema(model));
BEGIN
    PERFORM @extschema@._lock(model);
    IF 'definition' <> ALL (had) THEN
        RAISE EXCEPTION 'model % does not know what it was made over', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('The table %I.definition is missing.', model),
                  HINT = 'Call @extschema@.create_model() with the same arguments as before and '
                         'if_not_exists => true.';
    END IF;
    EXECUTE format('SELECT d.source, d.arguments AS a, d.grants FROM %I.definition d', model)
        INTO known;
    IF known.source IS NULL THEN
        RAISE EXCEPTION 'model % does not know what it was made over', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%I.definition has no row, as after a restore without data.',
                                  model),
                  HINT = 'Restore its data, or drop the model and make it again.';
    END IF;
    source := coalesce(source, to_regclass(known.source));
    IF source IS NULL THEN
        RAISE EXCEPTION 'the source of model % does not exist', quote_ident(model)
            USING ERRCODE = 'undefined_table', DETAIL = format('It was %s.', known.source),
                  HINT = 'Make it again, or name another table as source.';
    END IF;
    -- The last run knows the settings too.
    IF 'settings' <> ALL (had) AND 'run_log' = ANY (had) THEN
        EXECUTE format('SELECT l.settings FROM %I.run_log l WHERE l.status = ''succeeded''
                        ORDER BY l.run_id DESC LIMIT 1', model) INTO settings;
    END IF;
    RETURN QUERY SELECT m.* FROM @extschema@._make(model, source, known.a, coalesce(settings, '{}'),
                                                    attaches => true) m;
    FOR granted IN
        SELECT * FROM jsonb_to_recordset(known.grants) AS g(
            relation name, attribute name, privilege text, grantee name, grantable boolean)
        WHERE to_regclass(format('%I.%I', model, g.relation)) <> ALL (kept)
        -- It stands in the statement as it is.
        AND   g.privilege = ANY ('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,
                                   MAINTAIN}')
        AND  (g.grantee IS NULL OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.grantee))
        AND  (g.attribute IS NULL OR EXISTS (
                  SELECT FROM pg_attribute a
                  WHERE  a.attrelid = to_regclass(format('%I.%I', model, g.relation))
                  AND    a.attname = g.attribute AND NOT a.attisdropped))
    LOOP
        EXECUTE format('GRANT %s %s ON %I.%I TO %s %s', granted.privilege,
                       '(' || quote_ident(granted.attribute) || ')', model, granted.relation,
                       coalesce(quote_ident(granted.grantee), 'PUBLIC'),
                       CASE WHEN granted.grantable THEN 'WITH GRANT OPTION' END);
    END LOOP;
    IF 'gradebook' = ANY (had) THEN
        RAISE NOTICE 'model % reads % from the next refresh on', quote_ident(model), source;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._attach(name, regclass) IS
'internal: lets a model read its source again, as the owner of the model';

CREATE FUNCTION @extschema@.attach(model name, source regclass DEFAULT NULL)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    owner oid := @extschema@._must_be_owner(model);
    made jsonb;
BEGIN
    PERFORM @extschema@._must_not_defer(model);
    made := @extschema@._as_owner(owner, format(
        'SELECT jsonb_agg(to_jsonb(m)) FROM @extschema@._attach(%L, %L::oid::regclass) m',
        model, source::oid))::jsonb;
    RETURN QUERY SELECT m.relation, m.kind, m.rows
                 FROM   jsonb_to_recordset(made) AS m(relation text, kind text, rows bigint);
END $$;
COMMENT ON FUNCTION @extschema@.attach(name, regclass) IS
'lets a model read its source again after that was replaced, or another table with the same '
'columns; what was dropped with it is made again, and settings, history, runs, pass marks, rules '
'and grants are kept';

CREATE FUNCTION @extschema@.drop_model(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner oid := @extschema@._must_be_owner(model);
    others text;
BEGIN
    PERFORM @extschema@._as_owner(owner, format('SELECT @extschema@._lock(%L)', model));
    PERFORM @extschema@._drop_triggers(model);
    PERFORM @extschema@._drop(model, ARRAY(SELECT r.relation FROM @extschema@._relations() r
                                           ORDER BY r.place DESC));
    EXECUTE format('DROP SCHEMA %I', model);
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS others = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'others have made something in model % or over it', quote_ident(model)
        USING ERRCODE = 'dependent_objects_still_exist', DETAIL = others,
              HINT = 'Drop that first: drop_model drops the model alone.';
END $$;
COMMENT ON FUNCTION @extschema@.drop_model(name) IS
'drops a model; what others have made in it or over it is never dropped, and stops it';
