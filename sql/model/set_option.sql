-- The settings of a model, checked and set.

-- Sets columns of the settings that were checked, but for what their table itself allows.
CREATE FUNCTION @extschema@._set(model name, settings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    setting record;
    broken name;
BEGIN
    FOR setting IN SELECT * FROM jsonb_each_text(settings) AS e(option, value) LOOP
        EXECUTE format('UPDATE %1$I.settings c SET %2$I = (jsonb_populate_record(c, $1)).%2$I',
                       model, setting.option) USING settings;
    END LOOP;
EXCEPTION WHEN check_violation OR not_null_violation THEN
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    RAISE EXCEPTION '% is out of range', quote_ident(setting.option)
        USING ERRCODE = SQLSTATE,
              DETAIL = format('The value of %I is %s.', setting.option,
                              coalesce(setting.value, 'null')),
              HINT = coalesce((SELECT format('The table settings has it as %s.',
                                             pg_get_constraintdef(c.oid))
                               FROM pg_constraint c
                               WHERE c.conrelid = format('%I.settings', model)::regclass
                               AND   c.conname = broken AND c.contype = 'c'), 'Give a value.');
END $$;
COMMENT ON FUNCTION @extschema@._set(name, jsonb) IS 'internal: sets columns of the settings';

CREATE FUNCTION @extschema@._set_option(model name, option name, value text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF option IS NULL THEN
        RAISE EXCEPTION 'option must not be null'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'No option was named.',
                  HINT = 'Name a column of the table settings.';
    END IF;
    PERFORM @extschema@._model(model);
    -- There is none after a restore without data.
    EXECUTE format('INSERT INTO %I.settings DEFAULT VALUES ON CONFLICT DO NOTHING', model);
    PERFORM @extschema@._check_settings(model, jsonb_build_object(option, value));
    PERFORM @extschema@._set(model, jsonb_build_object(option, value));
END $$;
COMMENT ON FUNCTION @extschema@._set_option(name, name, text) IS
'internal: sets a choice of the method, as the owner of the model';

CREATE FUNCTION @extschema@.set_option(model name, option name, value text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner oid := @extschema@._must_be_owner(model);
BEGIN
    PERFORM @extschema@._must_not_defer(model);
    PERFORM @extschema@._as_owner(owner,
        format('SELECT @extschema@._set_option(%L, %L, %L)', model, option, value));
END $$;
COMMENT ON FUNCTION @extschema@.set_option(name, name, text) IS
'sets a choice of the method for a model, from its next refresh on; out of range is an error';

-- A JSON object as settings of a model; an error that helps when it has what is none.
CREATE FUNCTION @extschema@._check_settings(model name, settings jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
    unitless record;
    known text;
    calls text;
    code text;
    failure text;
    details text;
    advice text;
    has_positions boolean;
BEGIN
    IF jsonb_typeof(settings) <> 'object' THEN
        RAISE EXCEPTION 'settings must be a JSON object'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is %s.', CASE jsonb_typeof(settings) WHEN 'null' THEN 'null'
                                               ELSE 'a JSON ' || jsonb_typeof(settings) END),
                  HINT = 'Give an object such as {"half_life": "30 days"}.';
    END IF;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO known
    FROM   pg_attribute a
    WHERE  a.attrelid = format('%I.settings', model)::regclass
    AND    a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'singleton';
    SELECT k.key INTO unknown FROM jsonb_object_keys(settings) AS k(key)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = format('%I.settings', model)::regclass
                      AND   a.attname = k.key AND a.attnum > 0 AND a.attname <> 'singleton')
    ORDER BY 1 LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'there is no option %', quote_ident(unknown)
            USING ERRCODE = 'undefined_parameter',
                DETAIL = format('It is no column of %I.settings.', model),
                  HINT = format('There are: %s.', known);
    END IF;
    -- Postgres takes a bare number for seconds, which nobody means. Zero needs none.
    SELECT k.key, k.value INTO unitless FROM jsonb_each_text(settings) AS k(key, value)
    JOIN   pg_attribute a ON a.attrelid = format('%I.settings', model)::regclass
        AND a.attname = k.key
    WHERE  a.atttypid = 'interval'::regtype AND k.value ~ '^[[:space:]]*[-+]?[0-9.]+[[:space:]]*$'
        AND k.value ~ '[1-9]'
    ORDER  BY 1 LIMIT 1;
    IF unitless.key IS NOT NULL THEN
        RAISE EXCEPTION '% has no unit', quote_ident(unitless.key)
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Its value is %s; a span of time is a number and a unit.',
                                  unitless.value),
                  HINT = 'Give a value such as 30 days.';
    END IF;
    IF settings ->> 'blanks' = 'zero_before_last_answer' THEN
        EXECUTE format('SELECT d.arguments ->> ''item_position'' IS NOT NULL FROM %I.definition d',
                       model) INTO has_positions;
        IF NOT coalesce(has_positions, false) THEN
            RAISE EXCEPTION 'blanks cannot be counted as zero before the last answer'
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = 'The model does not know in which order the questions came.',
                      HINT = 'Make it with item_position => the column that has the place of the '
                             'question in the sitting, or set blanks to zero or ignore.';
        END IF;
    END IF;
    -- The functions themselves know what an option may be. Within a statement of a model they would
    -- show all of it, as the context of their error.
    SELECT string_agg(format('EXISTS (SELECT FROM %s)', @extschema@._call(model, f)), ' AND ')
        INTO calls
    FROM   unnest(ARRAY['@extschema@.students', '@extschema@.items',
                        '@extschema@.assessments']::regproc[]) f;
    BEGIN
        EXECUTE format(
            'SELECT %s FROM %I.settings c CROSS JOIN LATERAL jsonb_populate_record(c, $1) o,
                 (SELECT @extschema@.gradebook_agg(1, 1, 1, 1, date ''2026-01-01'') AS gradebook,
                         NULL::timestamptz AS as_of) g', calls, model) USING settings;
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, failure = MESSAGE_TEXT,
                                details = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
        RAISE EXCEPTION USING
            ERRCODE = code, MESSAGE = failure,
            DETAIL = coalesce(nullif(details, ''),
                              format('Asked for are the settings %s.', settings)),
            HINT = coalesce(nullif(advice, ''), 'The table settings has the type of each.');
    END;
END $$;
COMMENT ON FUNCTION @extschema@._check_settings(name, jsonb) IS
'internal: checks names and values of settings';
