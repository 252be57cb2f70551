-- Makes a model, gives it its source again, and drops it.

-- Keeps what a model was made over.
CREATE FUNCTION @extschema@._define(model name, source regclass, meanings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._create(model, 'definition',
        '(singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
          source text NOT NULL, arguments jsonb NOT NULL, grants jsonb NOT NULL DEFAULT ''[]'',
          method_version int NOT NULL DEFAULT @extschema@.method_version())');
    EXECUTE format('INSERT INTO %I.definition (source, arguments) VALUES ($1, $2)
                    ON CONFLICT (singleton) DO UPDATE SET source = $1', model)
    USING @extschema@._name(source), meanings;
END $$;
COMMENT ON FUNCTION @extschema@._define(name, regclass, jsonb) IS 'internal: keeps what a model was made over';

CREATE FUNCTION @extschema@._create_model(
    model name,
    source regclass,
    student name,
    item name,
    assessment name,
    score name,
    taken_at name,
    max_score name,
    subject name,
    student_group name,
    attempt name,
    status name,
    counted text[],
    answer name,
    track_changes text,
    changed_at name,
    period text,
    settings jsonb,
    if_not_exists boolean,
    attaches boolean DEFAULT false
) RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
#variable_conflict use_variable
DECLARE
    what record;
    types jsonb := '{}';
    student_id record;
    item_id record;
    assessment_id record;
    score_value text;
    attempt_value text;
    time_value text;
    time_type regtype;
    first_attempt int;
    tracked text := '';
    given jsonb;
    belongs text;
    list text;
    has_rows boolean;
    run bigint;
    meanings jsonb := jsonb_build_object(
        'student', student, 'item', item, 'assessment', assessment, 'score', score,
        'taken_at', taken_at, 'max_score', max_score, 'subject', subject,
        'student_group', student_group, 'attempt', attempt, 'status', status, 'counted', counted,
        'answer', answer, 'track_changes', track_changes, 'changed_at', changed_at, 'period', period);
BEGIN
    IF model IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be null', CASE WHEN model IS NULL THEN 'model' ELSE 'source' END
            USING ERRCODE = 'null_value_not_allowed',
                  DETAIL = 'A model has a name, and a table or view that it reads.',
                  HINT = 'Give the name of a new schema as model, and a table or view as source.';
    END IF;
    IF NOT attaches AND (model = '' OR model LIKE 'pg\_%') THEN
        RAISE EXCEPTION '% cannot be the name of a model', quote_ident(model)
            USING ERRCODE = 'reserved_name',
                  DETAIL = 'It is the name of a schema too: that is not empty, and does not begin with pg_.',
                  HINT = 'Give the model another name.';
    END IF;
    IF NOT attaches AND EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = model) THEN
        IF if_not_exists AND EXISTS (SELECT FROM pg_namespace n
                                     WHERE n.nspname = model
                                     AND   n.oid IN (SELECT @extschema@._models())) THEN
            IF @extschema@._broken(@extschema@._schema(model)) IS NOT NULL THEN
                RAISE NOTICE 'model % is broken, attaching it', quote_ident(model);
                IF @extschema@._kind(model, 'definition') IS NULL THEN
                    PERFORM @extschema@._as_owner(@extschema@._must_be_owner(model), format(
                        'SELECT @extschema@._define(%L, %L::oid::regclass, %L)', model, source::oid,
                        meanings));
                END IF;
                RETURN QUERY SELECT * FROM @extschema@.attach(model, source);
            ELSE
                RAISE NOTICE 'model % already exists, skipping', quote_ident(model);
            END IF;
            RETURN;
        END IF;
        RAISE EXCEPTION 'schema % already exists', quote_ident(model)
            USING ERRCODE = 'duplicate_schema', DETAIL = 'A model is a schema of its own.',
                  HINT = 'Give the model another name, or drop what is there.';
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relpersistence = 't') THEN
        RAISE EXCEPTION '% is a temporary table', source
            USING ERRCODE = 'wrong_object_type', DETAIL = 'A model stays, and so must its source.',
                  HINT = 'Name a table or view that outlives the session.';
    END IF;

    -- Every column that is named, with its type.
    FOR what IN
        SELECT * FROM (VALUES
            ('student', student, true),
            ('item', item, true),
            ('assessment', assessment, true),
            ('score', score, true),
            ('taken_at', taken_at, true),
            ('max_score', max_score, false),
            ('subject', subject, false),
            ('student_group', student_group, false),
            ('attempt', attempt, false),
            ('status', status, false),
            ('answer', answer, false)) AS a(argument, attribute, needed)
    LOOP
        IF what.attribute IS NOT NULL THEN
            types := types || jsonb_build_object(what.argument,
                @extschema@._source_column(source, what.argument, what.attribute)::int8);
        ELSIF what.needed THEN
            RAISE EXCEPTION '% must not be null', what.argument
                USING ERRCODE = 'null_value_not_allowed',
                      DETAIL = 'No model can do without a column of that kind.',
                      HINT = format('Name the column of %s that holds it.', source);
        END IF;
    END LOOP;
    IF (status IS NULL) <> (counted IS NULL) THEN
        RAISE EXCEPTION 'status and counted belong together'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('%s is null.', CASE WHEN status IS NULL THEN 'status' ELSE 'counted' END),
                  HINT = 'Name the column as status, and as counted its values with which a score counts.';
    END IF;
    time_type := @extschema@._tracking_type(source, taken_at, track_changes, changed_at, period);
    -- Citus cannot keep a result of no columns.
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', source) INTO has_rows;
    IF NOT has_rows THEN
        RAISE EXCEPTION '% has no rows', source
            USING ERRCODE = 'no_data_found',
                  DETAIL = 'There is nothing to make results of, and nothing to tell a wrong column by.',
                  HINT = 'Make the model when there are responses.';
    END IF;

    SELECT * INTO student_id FROM @extschema@._id((types ->> 'student')::oid, student);
    SELECT * INTO item_id FROM @extschema@._id((types ->> 'item')::oid, item);
    SELECT * INTO assessment_id FROM @extschema@._id((types ->> 'assessment')::oid, assessment);
    score_value := @extschema@._number(source, score);
    IF status IS NOT NULL THEN
        score_value := format('CASE WHEN %s THEN %s END', @extschema@._is_counted(
            source, (types ->> 'status')::oid, status, counted), score_value);
    END IF;
    -- Of several attempts at one time, the later comes later; the first keeps its time, so that a
    -- day that results are of has it. Numbers beyond sense, and times near the end of the calendar,
    -- stop nothing.
    time_value := format('r.%I', taken_at);
    IF attempt IS NOT NULL THEN
        attempt_value := format(
            CASE @extschema@._base((types ->> 'attempt')::oid)::regtype
                WHEN 'numeric'::regtype THEN 'r.%I' ELSE 'r.%I::float8' END, attempt);
        EXECUTE format('SELECT coalesce(least(greatest(min(%s), 0), 1), 1) FROM %s r',
                       attempt_value, source) INTO first_attempt;
        time_value := format(
            'CASE WHEN %1$s < ''294276-01-01 00:00+00'' THEN %1$s + interval ''1 microsecond''
                  * (least(greatest(coalesce(%2$s, %3$s), %3$s), 1000000) - %3$s)
             ELSE ''infinity'' END', time_value, attempt_value, first_attempt);
    END IF;

    IF track_changes <> 'none' THEN
        tracked := format(', %s AS period, r.%I AS dated',
            (@extschema@._period(format('r.%I', taken_at), time_type, period)).beginning, taken_at)
            || CASE WHEN changed_at IS NULL THEN '' ELSE format(', r.%I AS changed_at', changed_at) END;
    END IF;

    IF NOT attaches THEN
        EXECUTE format('CREATE SCHEMA %I', model);
    END IF;
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', model,
                   format('a model of pg_assess over %s', source));

    SELECT string_agg(c.definition, ', ' ORDER BY c.is_of_changed_at, c.is_option, c.place)
    INTO   list
    FROM  (SELECT s.place, format('%I %s', s.setting, s.definition) AS definition, s.is_of_changed_at,
                  false AS is_option
           FROM   @extschema@._settings() s
           WHERE  track_changes = 'changed_at' OR NOT s.is_of_changed_at
           UNION ALL
           SELECT o.place, format('%I %s DEFAULT %s', o.option, o.type, o.usual), false, true
           FROM   @extschema@._options() o) c;
    IF @extschema@._create(model, 'settings',
        '(singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), %s)', list) THEN
        EXECUTE format('INSERT INTO %I.settings DEFAULT VALUES', model);
        PERFORM @extschema@._check_settings(model, settings);
        PERFORM @extschema@._set(model, settings);
    END IF;
    PERFORM @extschema@._define(model, source, meanings);

    PERFORM @extschema@._create(model, 'run_log',
        '(run_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
          started timestamptz NOT NULL DEFAULT clock_timestamp(),
          finished timestamptz,
          status text NOT NULL DEFAULT ''running''
              CHECK (status IN (''running'', ''succeeded'', ''failed'')),
          as_of timestamptz,
          time_zone text NOT NULL DEFAULT current_setting(''TimeZone''),
          rows_used bigint,
          rows_excluded jsonb,
          settings jsonb,
          steps jsonb,
          periods int,
          sqlstate text,
          error text,
          pid int NOT NULL DEFAULT pg_backend_pid(),
          method_version int NOT NULL DEFAULT @extschema@.method_version())');
    PERFORM @extschema@._create(model, 'runs',
        'AS SELECT l.run_id, l.started, l.finished, extract(epoch FROM l.finished - l.started)::float8 AS seconds,
                   CASE WHEN l.broken_off IS NULL THEN l.status ELSE ''failed'' END AS status,
                   l.as_of, l.rows_used, l.rows_excluded, l.settings, l.steps, l.periods,
                   coalesce(l.broken_off, l.sqlstate) AS sqlstate,
                   coalesce(@extschema@._broken_off_error(l.broken_off), l.error) AS error,
                   l.method_version
            FROM  (SELECT g.*, @extschema@._broken_off(g.tableoid, g.status, g.pid, g.started) AS broken_off
                   FROM {m}.run_log g OFFSET 0) l');

    PERFORM @extschema@._create(model, 'responses',
        'WITH (security_invoker = true) AS
         SELECT %s AS subject, %s AS student_group, %s AS student, %s AS item, %s AS assessment,
                %s AS score, %s AS max_score, %s AS taken_at, %s AS answer%s
         FROM %s AS r',
        coalesce((@extschema@._id((types ->> 'subject')::oid, subject)).expression, '''all''::text'),
        coalesce((@extschema@._id((types ->> 'student_group')::oid, student_group)).expression,
                 'NULL::text'),
        student_id.expression, item_id.expression, assessment_id.expression, score_value,
        coalesce(@extschema@._number(source, max_score), '1::float8'), time_value,
        coalesce((@extschema@._id((types ->> 'answer')::oid, answer)).expression,
                 'r.' || quote_ident(answer), 'NULL::text'), tracked, source::text);

    IF @extschema@._kind(model, 'gradebook') IS NULL THEN
        run := @extschema@._new_run(model);
    END IF;
    IF track_changes <> 'none' AND @extschema@._kind(model, 'parts') IS NOT NULL THEN
        PERFORM @extschema@._track(model, source, taken_at, time_type, period);
    ELSIF track_changes <> 'none' THEN
        -- Nothing is kept that was stored of another source.
        PERFORM @extschema@._drop(model, '{dirty,stored_parts,changes,tracking}');
        PERFORM @extschema@._create_tracking(model, source, taken_at, time_type, period,
                                             track_changes, changed_at);
    ELSE
        PERFORM @extschema@._create(model, 'parts',
            'AS SELECT r.subject, r.student_group, count(*) AS rows,
                       @extschema@.gradebook_agg(r.student, r.item, r.assessment, r.score, r.max_score,
                                                 r.taken_at) AS gradebook
                FROM {m}.responses r GROUP BY r.subject, r.student_group');
        PERFORM @extschema@._add_unique(model, 'parts', 'subject, student_group');
    END IF;
    PERFORM @extschema@._create(model, 'gradebook',
        'AS SELECT p.subject, @extschema@.rollup(p.gradebook) AS gradebook,
                   sum(p.rows)::bigint AS rows,
                   (SELECT max(l.run_id) FROM {m}.run_log l WHERE l.status = ''running'') AS run_id,
                   (SELECT coalesce(o.as_of, CURRENT_TIMESTAMP) FROM {m}.settings o) AS as_of,
                   @extschema@.method_version() AS method_version'
        || CASE WHEN time_type = 'timestamptz'::regtype THEN '' ELSE
            ', current_setting(''TimeZone'') AS time_zone' END
        || ' FROM {m}.parts p GROUP BY p.subject');
    given := jsonb_build_object('as_of', @extschema@._local(model, 'g.as_of'));
    SELECT string_agg(CASE c.attribute WHEN 'item' THEN format('i.item::%s AS item', item_id.back)
                      ELSE format('i.%I', c.attribute) END, ', ' ORDER BY c.place) INTO list
    FROM @extschema@._result('@extschema@.items'::regproc) c;
    PERFORM @extschema@._create(model, 'questions',
        'AS SELECT g.subject, %s, g.run_id, g.as_of, g.method_version
            FROM {m}.gradebook g CROSS JOIN {m}.settings o CROSS JOIN LATERAL %s i',
        list, @extschema@._call(model, '@extschema@.items'::regproc, given));
    SELECT string_agg(format('s.%I', c.attribute), ', ' ORDER BY c.place) INTO list
    FROM @extschema@._result('@extschema@.students'::regproc) c WHERE c.attribute <> 'student';
    -- Where a student belongs is shown by the latest response as of the time. Without groups there is
    -- nothing to ask for; stored parts of many periods are made one first, as a student is in many.
    belongs := CASE WHEN student_group IS NULL THEN '' ELSE format(
        'LEFT JOIN (SELECT DISTINCT ON (p.subject, b.student)
                           p.subject, b.student, p.student_group
                    FROM %s p CROSS JOIN (SELECT * FROM {m}.gradebook LIMIT 1) g
                    CROSS JOIN LATERAL @extschema@.members(p.gradebook, %s) b
                    ORDER BY p.subject, b.student, b.last_at DESC NULLS LAST, p.student_group) m
                ON m.student = s.student AND ARRAY[m.subject] = ARRAY[g.subject]',
        CASE track_changes WHEN 'none' THEN '{m}.parts' ELSE
             '(SELECT q.subject, q.student_group, @extschema@.rollup(q.gradebook) AS gradebook
               FROM {m}.parts q GROUP BY q.subject, q.student_group)' END,
        @extschema@._local(model, 'g.as_of')) END;
    PERFORM @extschema@._create(model, 'students',
        'AS SELECT g.subject, s.student::%s AS student, %s AS student_group,
                   %s, g.run_id, g.as_of, g.method_version
            FROM {m}.gradebook g CROSS JOIN {m}.settings o CROSS JOIN LATERAL %s s ' || belongs,
        student_id.back, CASE WHEN student_group IS NULL THEN 'NULL::text' ELSE
            'CASE WHEN count(*) OVER (PARTITION BY g.subject, m.student_group)
                       >= o.min_group_size THEN m.student_group END' END,
        list, @extschema@._call(model, '@extschema@.students'::regproc, given));
    SELECT string_agg(CASE c.attribute
                      WHEN 'assessment' THEN format('a.assessment::%s AS assessment', assessment_id.back)
                      ELSE format('a.%I', c.attribute) END, ', ' ORDER BY c.place) INTO list
    FROM @extschema@._result('@extschema@.assessments'::regproc) c;
    PERFORM @extschema@._create(model, 'assessments',
        'AS SELECT g.subject, %s, g.run_id, g.as_of, g.method_version
            FROM {m}.gradebook g CROSS JOIN {m}.settings o CROSS JOIN LATERAL %s a',
        list, @extschema@._call(model, '@extschema@.assessments'::regproc, given));
    PERFORM @extschema@._create(model, 'coverage',
        'AS SELECT g.subject, c.reason, c.rows, g.run_id, g.as_of, g.method_version
            FROM {m}.gradebook g CROSS JOIN {m}.settings o CROSS JOIN LATERAL %s c',
        @extschema@._call(model, '@extschema@.coverage'::regproc, given));
    -- What REFRESH ... CONCURRENTLY tells rows apart by.
    PERFORM @extschema@._add_unique(model, 'gradebook', 'subject'),
            @extschema@._add_unique(model, 'questions', 'item, subject'),
            @extschema@._add_unique(model, 'students', 'student, subject'),
            @extschema@._add_unique(model, 'assessments', 'assessment, subject'),
            @extschema@._add_unique(model, 'coverage', 'subject, reason');

    PERFORM @extschema@._create(model, 'help_list',
        'AS SELECT s.subject, s.need_rank, s.student, s.student_group, s.level, s.ci_low, s.ci_high,
                   s.need, s.trend, s.trend_rank, s.due, s.missing, s.status, s.status_rank,
                   s.last_at, s.run_id, s.as_of, s.method_version
            FROM {m}.students s CROSS JOIN {m}.settings o
            WHERE s.need_rank IS NOT NULL AND s.need >= o.help_need
            ORDER BY s.subject, s.need_rank');
    PERFORM @extschema@._create(model, 'check_in_list',
        'AS SELECT s.subject, s.student, s.student_group,
                   CASE s.status WHEN ''none'' THEN ''no evidence'' WHEN ''stale'' THEN ''old evidence''
                        ELSE ''missing work'' END AS reason,
                   s.last_at, s.due, s.missing, s.level, s.ci_low, s.ci_high, s.status,
                   s.status_rank, s.run_id, s.as_of, s.method_version
            FROM {m}.students s CROSS JOIN {m}.settings o
            WHERE s.status IN (''none'', ''stale'') OR s.missing >= o.missing_share * s.due AND s.missing > 0
            ORDER BY s.subject, s.status_rank, s.missing DESC, s.student');
    PERFORM @extschema@._create(model, 'question_review',
        'AS SELECT q.subject, q.item, q.status, q.status_rank, q.label, q.n, q.facility, q.r_rest,
                   q.discrimination, q.ci_low, q.ci_high, q.weight, q.assessments, q.first_at,
                   q.last_at, q.run_id, q.as_of, q.method_version
            FROM {m}.questions q
            WHERE q.status IN (''flawed'', ''suspect'')
            ORDER BY q.subject, q.status_rank, q.r_rest');
    PERFORM @extschema@._create(model, 'school_map',
        'AS SELECT s.subject, s.student, s.student_group, s.level, s.slope, s.need, s.need_rank,
                   @extschema@._quadrant(s.level, a.middle_level, s.slope) AS quadrant,
                   @extschema@._quadrant_rank(s.level, a.middle_level, s.slope) AS quadrant_rank,
                   a.middle_level, s.run_id, s.as_of, s.method_version
            FROM {m}.students s
            JOIN (SELECT k.subject, @extschema@._middle_level(array_agg(k.level)) AS middle_level
                  FROM {m}.students k GROUP BY k.subject) a ON ARRAY[a.subject] = ARRAY[s.subject]');
    -- The ids as results have them, so that what is written there is found.
    IF @extschema@._create(model, 'pass_marks',
        'AS SELECT q.subject, q.item, o.pass_mark
            FROM {m}.questions q CROSS JOIN {m}.settings o WITH NO DATA') THEN
        EXECUTE format('ALTER TABLE %I.pass_marks
                            ALTER item SET NOT NULL, ALTER pass_mark SET NOT NULL,
                            ADD CHECK (pass_mark BETWEEN 0 AND 1),
                            ADD UNIQUE NULLS NOT DISTINCT (item, subject)', model);
        PERFORM @extschema@._add_key(model, 'pass_marks');
    END IF;
    -- Whatever goes by a pass mark goes by this.
    PERFORM @extschema@._create(model, 'expectations',
        'AS SELECT x.subject, x.item, x.pass_mark, coalesce(x.pass_mark, x.facility) AS expected
            FROM  (SELECT q.subject, q.item, q.facility,
                          coalesce(p.pass_mark, e.pass_mark, o.pass_mark) AS pass_mark
                   FROM {m}.questions q CROSS JOIN {m}.settings o
                   LEFT JOIN {m}.pass_marks p ON p.item = q.item AND p.subject = q.subject
                   LEFT JOIN {m}.pass_marks e ON e.item = q.item AND e.subject IS NULL) x');
    -- Unpacked once, whatever is joined to it, and a student's answers only if they are asked for.
    PERFORM @extschema@._create(model, 'score_sheet',
        'AS WITH b AS MATERIALIZED (
                SELECT g.subject, g.run_id, g.stored_as_of AS as_of, g.method_version, b.*
                FROM %4$s CROSS JOIN LATERAL %5$s b),
            e AS MATERIALIZED (SELECT * FROM {m}.expectations),
            r AS (
                SELECT b.subject, b.run_id, b.as_of, b.method_version, s.student, s.student_group,
                       unnest(b.items)::%2$s AS item, unnest(b.assessments)::%3$s AS assessment,
                       unnest(b.taken_at) AS taken_at, unnest(b.scores) AS score,
                       unnest(b.bounded) AS bounded
                FROM b JOIN {m}.students s
                     ON ARRAY[s.subject] = ARRAY[b.subject] AND s.student = b.student::%1$s)
            SELECT r.subject, r.assessment, r.student, r.student_group, r.item, r.taken_at, r.score,
                   CASE WHEN r.bounded THEN e.expected END AS expected,
                   CASE WHEN r.bounded THEN r.score < e.expected END AS is_below, r.run_id, r.as_of,
                   r.method_version
            FROM r JOIN e ON ARRAY[e.subject] = ARRAY[r.subject] AND e.item = r.item',
        student_id.back, item_id.back, assessment_id.back, @extschema@._from(model),
        @extschema@._call(model, '@extschema@._counted_sheets'::regproc));

    IF @extschema@._create(model, 'history',
        'AS SELECT s.run_id, s.subject, s.student, s.level, s.level_se, s.need, s.need_rank, s.trend,
                   s.status, s.n, s.as_of
            FROM {m}.students s WITH NO DATA') THEN
        PERFORM @extschema@._add_unique(model, 'history', 'run_id, subject, student');
        PERFORM @extschema@._add_key(model, 'history');
    END IF;
    -- What is kept has the ids of before.
    SELECT format('%s of %I was %s, and is %s.', a.attname, kept.relation,
                  format_type(a.atttypid, a.atttypmod), format_type(b.atttypid, b.atttypmod)) AS detail
    INTO   what
    FROM  (VALUES ('history', 'students', '{student,subject}'::name[]),
                  ('pass_marks', 'questions', '{item,subject}')) AS kept(relation, result, ids)
    JOIN   pg_attribute a ON a.attrelid = format('%I.%I', model, kept.relation)::regclass
    JOIN   pg_attribute b ON b.attrelid = format('%I.%I', model, kept.result)::regclass
    WHERE  a.attname = ANY (kept.ids) AND b.attname = a.attname AND b.atttypid <> a.atttypid
    LIMIT  1;
    IF FOUND THEN
        RAISE EXCEPTION 'the source of model % is of other types than before', quote_ident(model)
            USING ERRCODE = 'datatype_mismatch', DETAIL = what.detail,
                  HINT = 'Attach a view that casts to the type of before, or make another model.';
    END IF;

    IF track_changes <> 'none' THEN
        PERFORM @extschema@._freeze(model, false);
    END IF;
    PERFORM @extschema@._create_alerts(model);
    -- Of a table that was never looked at the planner expects hundreds of rows, and compiles
    -- whatever joins it.
    EXECUTE format('ANALYZE %I.settings', model);
    IF run IS NOT NULL THEN
        PERFORM @extschema@._succeeded(model, run, '{}', NULL);
        PERFORM @extschema@._alert(model, run, quiet => NOT attaches);
    END IF;
    FOR what IN
        SELECT r.relation, r.refreshed, @extschema@._kind(model, r.relation) AS kind
        FROM   @extschema@._relations() r ORDER BY r.place
    LOOP
        CONTINUE WHEN what.kind IS NULL;
        relation := format('%I.%I', model, what.relation);
        kind := lower(what.kind);
        rows := NULL;
        IF what.refreshed THEN
            EXECUTE format('SELECT count(*) FROM %s', relation) INTO rows;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._create_model IS
'internal: makes a model, as the role that will own it';

CREATE FUNCTION @extschema@.create_model(
    model name,
    source regclass,
    student name,
    item name,
    assessment name,
    score name,
    taken_at name,
    max_score name DEFAULT NULL,
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
    if_not_exists boolean DEFAULT false
) RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    made jsonb;
BEGIN
    -- The source may have views, policies and casts of others.
    made := @extschema@._as_owner(@extschema@._caller(), format(
        'SELECT jsonb_agg(to_jsonb(m)) FROM @extschema@._create_model(%L, %L::oid::regclass, %L, %L, %L, %L, %L, %L, %L,
            %L, %L, %L, %L::text[], %L, %L, %L, %L, %L, %L) m',
        model, source::oid, student, item, assessment, score, taken_at, max_score, subject,
        student_group, attempt, status, counted, answer, track_changes, changed_at, period,
        settings, if_not_exists))::jsonb;
    RETURN QUERY SELECT m.relation, m.kind, m.rows
                 FROM   jsonb_to_recordset(made) AS m(relation text, kind text, rows bigint);
END $$;
COMMENT ON FUNCTION @extschema@.create_model IS
'makes a schema with the results over a table of responses: students, questions, assessments, the lists and the log of its refreshes; returns what it made';

CREATE FUNCTION @extschema@._attach(model name, source regclass)
RETURNS TABLE (relation text, kind text, rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    known record;
    what record;
    settings jsonb;
    had name[] := ARRAY(SELECT c.relname FROM pg_class c WHERE c.relnamespace = @extschema@._schema(model));
    kept oid[] := ARRAY(SELECT c.oid FROM pg_class c WHERE c.relnamespace = @extschema@._schema(model));
BEGIN
    PERFORM @extschema@._lock(model);
    IF 'definition' <> ALL (had) THEN
        RAISE EXCEPTION 'model % does not know what it was made over', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('The table %I.definition is missing.', model),
                  HINT = 'Call @extschema@.create_model() with the arguments of before and '
                         'if_not_exists => true.';
    END IF;
    EXECUTE format('SELECT d.source, d.arguments AS a, d.grants FROM %I.definition d', model) INTO known;
    IF known.source IS NULL THEN
        RAISE EXCEPTION 'model % does not know what it was made over', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%I.definition has no row, as after a restore without data.', model),
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
    RETURN QUERY SELECT m.* FROM @extschema@._create_model(
        model, source, known.a ->> 'student', known.a ->> 'item', known.a ->> 'assessment',
        known.a ->> 'score', known.a ->> 'taken_at', known.a ->> 'max_score', known.a ->> 'subject',
        known.a ->> 'student_group', known.a ->> 'attempt', known.a ->> 'status',
        CASE WHEN known.a ->> 'counted' IS NOT NULL
             THEN ARRAY(SELECT jsonb_array_elements_text(known.a -> 'counted')) END,
        known.a ->> 'answer', known.a ->> 'track_changes', known.a ->> 'changed_at',
        known.a ->> 'period', coalesce(settings, '{}'), false, attaches => true) m;
    FOR what IN
        SELECT * FROM jsonb_to_recordset(known.grants) AS g(
            relation name, attribute name, privilege text, grantee name, grantable boolean)
        WHERE to_regclass(format('%I.%I', model, g.relation)) <> ALL (kept)
        -- It stands in the statement as it is.
        AND   g.privilege = ANY ('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,MAINTAIN}')
        AND  (g.grantee IS NULL OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.grantee))
        AND  (g.attribute IS NULL OR EXISTS (
                  SELECT FROM pg_attribute a
                  WHERE  a.attrelid = to_regclass(format('%I.%I', model, g.relation))
                  AND    a.attname = g.attribute AND NOT a.attisdropped))
    LOOP
        EXECUTE format('GRANT %s %s ON %I.%I TO %s %s', what.privilege, '(' || quote_ident(what.attribute) || ')',
                       model, what.relation, coalesce(quote_ident(what.grantee), 'PUBLIC'),
                       CASE WHEN what.grantable THEN 'WITH GRANT OPTION' END);
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
'lets a model read its source again after that was replaced, or another table with the same columns; what was dropped with it is made again, and settings, history, runs, pass marks, rules and grants are kept';

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
