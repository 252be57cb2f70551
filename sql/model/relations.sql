-- Models: a name for "these columns of this table mean student, item, assessment, score and time".
-- A model is a schema of its maker with ordinary relations over the source, in plain SQL: what is
-- dumped, granted, altered and dropped as any other view. It is known by its tables run_log and
-- definition, which take the version of the method from here, or by its table settings beside the view
-- gradebook, which has a column of that type; nothing is registered. The tables outlive the source: where
-- that is dropped with all that hangs on it, assess.attach() makes the views again.
--
-- Functions that run SQL of their own pin their search_path, take names as regclass or by %I, and
-- run with the rights of their caller.

CREATE FUNCTION @extschema@.method_version() RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1;
COMMENT ON FUNCTION @extschema@.method_version() IS
'the version of the method; results of different versions may differ';

-- The relations of a model in the order in which they build on each other.
CREATE FUNCTION @extschema@._relations()
RETURNS TABLE (place int, relation name, kind text, refreshed boolean, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM (VALUES
        (1, 'settings'::name, 'TABLE', false,
         'one row: the choices of the method, as assess.set_option() sets them; those that lists go by hold at once, the others from the next refresh on'),
        (2, 'run_log', 'TABLE', false,
         'one row for each refresh, also of those that failed; read the view runs'),
        (3, 'runs', 'VIEW', false,
         'one row for each refresh: when, how long, how many rows, with which settings, and how it ended'),
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
         'how good each question is; assess.items() tells how'),
        (12, 'students', 'MATERIALIZED VIEW', true,
         'where each student stands in each subject; assess.students() tells how'),
        (13, 'assessments', 'MATERIALIZED VIEW', true,
         'size, mean and reliability of each assessment'),
        (14, 'coverage', 'MATERIALIZED VIEW', true,
         'what became of every row of the source: used, or left out and why'),
        (15, 'help_list', 'VIEW', false,
         'students who more likely than not need help, the most certain first'),
        (16, 'check_in_list', 'VIEW', false,
         'students of whom too little is known: no evidence, old evidence, or much missing work'),
        (17, 'question_review', 'VIEW', false,
         'questions whose scores speak against them, the worst first'),
        (18, 'school_map', 'VIEW', false,
         'each student as a point: level across, change in 30 days up and down'),
        (19, 'pass_marks', 'TABLE', false,
         'one row for each question with a pass mark of its own, in a subject or, where that is null, in every other; edit it by INSERT, UPDATE and DELETE, it holds at once'),
        (20, 'expectations', 'VIEW', false,
         'what is expected on each question where its scores have a maximum: the pass mark of pass_marks, else that of settings, else the facility'),
        (21, 'score_sheet', 'VIEW', false,
         'the score of each student on each question beside what was expected'),
        (22, 'history', 'TABLE', false,
         'what each refresh made of each student, for assess.compare_runs()'),
        (23, 'alert_rules', 'TABLE', false,
         'one row for each rule: when a refresh raises an alert; edit it by UPDATE'),
        (24, 'alerts', 'TABLE', false,
         'one row for each alert that was raised; it holds until it has ended'),
        (25, 'run_figures', 'TABLE', false,
         'what is kept of each refresh to compare the next one with: levels of groups, rows left out'),
        (26, 'definition', 'TABLE', false,
         'one row: the source and what its columns mean, and as of the last refresh who was granted what, for assess.attach()')
    ) AS r(place, relation, kind, refreshed, about);
END;
COMMENT ON FUNCTION @extschema@._relations() IS 'internal: the relations of a model';

-- The owner of a model: who owns the first of its relations that is there.
CREATE FUNCTION @extschema@._owner(schema oid) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.relowner
    FROM   pg_catalog.pg_class c JOIN @extschema@._relations() r ON r.relation = c.relname
    WHERE  c.relnamespace = schema ORDER BY r.place LIMIT 1;
END;
COMMENT ON FUNCTION @extschema@._owner(oid) IS 'internal: the owner of a model';

-- What the columns of a model's relations mean. A column that is in several means the same; where
-- it means something else, or more can be said, the relation stands before it.
CREATE FUNCTION @extschema@._columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM (VALUES
        ('singleton'::name, 'there is but one row'),
        ('row_id', 'a primary key, as logical replication needs one; what the row is of may be null'),
        ('as_of', 'the time that the results are of'),
        ('time_zone', 'the time zone of the session that refreshed, on whose clock dates are read'),
        ('run_id', 'the run of assess.refresh() that made the row, see runs; null when it was refreshed by hand'),
        ('method_version', 'assess.method_version() at that time'),
        ('subject', 'the subject, as in the source'),
        ('student', 'the student, as in the source'),
        ('item', 'the question, as in the source'),
        ('assessment', 'the assessment, as in the source'),
        ('student_group', 'the school, class or other group of the student''s latest response up to as_of'),
        ('gradebook', 'all responses in one value, for the functions of schema assess'),
        ('rows', 'rows of the source'),
        ('period', 'first day of the period, in UTC; -infinity for rows without a usable time, infinity for all periods'),
        ('dated', 'the time in the source, without the attempt'),
        ('changed_at', 'when the row was last changed'),
        ('source', 'the table of responses'),
        ('members', 'its partitions, as they were last seen'),
        ('mode', 'how changes become known: triggers or changed_at'),
        ('type', 'type of the times in the source'),
        ('changed_to', 'changes up to this time have been seen'),
        ('frozen', 'whether the stored parts are as new as the snapshot; only ever true inside a refresh'),
        ('xact', 'the transaction that changed something'),
        ('noted', 'when it began'),
        ('periods', 'periods that were aggregated again; null where changes are not tracked'),
        ('late_commit', 'how long before the last change seen rows are looked at again'),
        ('compare_counts', 'whether a refresh compares the rows of each period with what is stored'),
        ('reason', 'used, or why rows were left out'),
        ('score', 'the score'),
        ('max_score', 'the maximum of the score'),
        ('taken_at', 'when the response was given'),
        ('answer', 'what was answered'),
        ('level', 'current level, difficulty of the questions taken out; mostly 0 to 1'),
        ('level_se', 'standard error of the level'),
        ('ci_low', 'lower end of the interval of the level'),
        ('ci_high', 'upper end of the interval of the level'),
        ('raw_level', 'plain scores under the weights of the level'),
        ('prior', 'the level expected without evidence'),
        ('information', 'how much evidence there is, faded to as_of'),
        ('n', 'responses that count'),
        ('assessments', 'assessments that the responses belong to'),
        ('first_at', 'time of the first response that counts'),
        ('last_at', 'time of the last response that counts'),
        ('slope', 'change of the score in 30 days'),
        ('slope_se', 'standard error of the slope'),
        ('trend_p', 'two-sided p-value of no change'),
        ('trend', 'falling, unclear, steady or rising'),
        ('trend_rank', '1 falling to 4 rising'),
        ('need', 'probability that the level lies below the cut, 0 to 1'),
        ('need_rank', '1 for the greatest need of the subject'),
        ('due', 'assessments that were due'),
        ('missing', 'due assessments that were not taken'),
        ('status', 'how far the level can be trusted: ok, provisional, stale, or none where there is no evidence'),
        ('status_rank', 'rank of the status; 1 asks for attention first'),
        ('n_effective', 'effective number of answers that can be judged'),
        ('facility', 'mean score; the easier, the higher'),
        ('r_rest', 'correlation of the score with the student''s other scores'),
        ('discrimination', 'the same, drawn towards what is likely'),
        ('discrimination_se', 'standard error of the discrimination'),
        ('somers_d', 'separation of strong and weak by order alone, -1 to 1'),
        ('discrimination_index', 'mean score of the strongest less that of the weakest'),
        ('weight', 'what answers to the question weigh in a level'),
        ('label', 'verdict on the discrimination: very_good, good, marginal, poor or negative'),
        ('items', 'questions of the assessment'),
        ('students', 'students who took it'),
        ('mean', 'mean of the students'' mean scores'),
        ('sd', 'standard deviation of the students'' mean scores'),
        ('alpha', 'Cronbach''s alpha'),
        ('alpha_se', 'standard error of alpha'),
        ('sem', 'standard error of measurement of a mean score'),
        ('quadrant', 'low and falling, low and rising, high and falling, high and rising; null where a figure is missing'),
        ('quadrant_rank', '1 low and falling, 2 low and rising, 3 high and falling, 4 high and rising'),
        ('middle_level', 'mean level of the subject without the few far outside; below it is low'),
        ('expected', 'the pass mark, or else the facility of the question'),
        ('is_below', 'whether the score is below what was expected'),
        ('started', 'when the run began'),
        ('finished', 'when it ended; null while it runs, and of runs that were killed'),
        ('rows_used', 'rows of the source that count'),
        ('rows_excluded', 'rows left out, by reason'),
        ('settings', 'the settings it ran with'),
        ('steps', 'milliseconds of each step'),
        ('seconds', 'how long it took; null where it has no end'),
        ('error', 'why it failed'),
        ('sqlstate', 'the code of the error'),
        ('pid', 'the server process that ran it'),
        -- Those that mean something of their own somewhere.
        ('responses.student_group', 'the school, class or other group, as in the source'),
        ('parts.student_group', 'the school, class or other group, as in the source'),
        ('stored_parts.student_group', 'the school, class or other group, as in the source'),
        ('questions.assessments', 'assessments that used the question'),
        ('questions.ci_low', 'lower end of the interval of the discrimination'),
        ('questions.ci_high', 'upper end of the interval of the discrimination'),
        ('questions.status', 'flawed, suspect, no_variance, insufficient, provisional, usable or stable'),
        ('question_review.assessments', 'assessments that used the question'),
        ('question_review.ci_low', 'lower end of the interval of the discrimination'),
        ('question_review.ci_high', 'upper end of the interval of the discrimination'),
        ('question_review.status', 'flawed: the stronger do worse, beyond chance; suspect: perhaps by chance'),
        ('check_in_list.reason', 'why the student is on the list: no evidence, old evidence or missing work'),
        ('score_sheet.score', 'the score as a share of the maximum; as it is where there is none'),
        ('history.run_id', 'the run, see runs'),
        ('runs.run_id', 'counts the runs'),
        ('runs.status', 'running, succeeded or failed'),
        ('run_log.run_id', 'counts the runs'),
        ('run_log.status', 'running, succeeded or failed; also running where it was killed, see runs'),
        ('run_figures.run_id', 'the run, see runs'),
        ('run_figures.student_group', 'the group that the figure is of; null: of all, or of those not named'),
        ('alerts.run_id', 'the run that raised it, or that failed; null where a refresh is overdue'),
        ('alerts.subject', 'the subject that it is about, as text'),
        ('alerts.student_group', 'the group that it is about, as text'),
        ('alerts.item', 'the question that it is about, as text'),
        ('settings.as_of', 'the time that results shall be of; null: that of the refresh'),
        -- The model's own settings.
        ('pass_mark', 'share of the maximum that is expected: of a question in pass_marks, else of all in settings; null: the question''s own facility'),
        ('help_need', 'need from which a student is on the help list'),
        ('missing_share', 'share of the due work without a response from which a student is on the check-in list'),
        ('min_group_size', 'groups with fewer students of a subject are not named in results'),
        ('keep_runs', 'runs that are kept in the log'),
        ('keep_history', 'refreshes whose students are kept in history'),
        ('keep_alerts', 'how long alerts that have ended are kept'),
        -- Those of alerts.
        ('rule', 'the rule, see alert_rules'),
        ('threshold', 'what the rule allows, in its unit'),
        ('unit', 'what the threshold is measured in'),
        ('enabled', 'whether the rule raises alerts'),
        ('about', 'when the rule holds'),
        ('alert_id', 'counts the alerts'),
        ('raised', 'when the alert was raised'),
        ('ended', 'when it was found to hold no longer; null while it holds'),
        ('value', 'the figure, in the unit of its threshold where it has one'),
        ('value_se', 'standard error of the figure'),
        ('message', 'the alert as a sentence'),
        ('figure', 'level: mean level of the group; reported_level: what it is compared with; left_out: share of the rows'),
        ('size', 'students or rows that the figure is of'),
        -- What attach() goes by.
        ('definition.source', 'the name of the source, with its schema'),
        ('arguments', 'the arguments of assess.create_model()'),
        ('grants', 'privileges on the relations of the model that were granted to other roles'),
        -- Those of the method.
        ('half_life', 'age at which evidence counts one half'),
        ('attempts', 'which of several attempts counts: first, last or best'),
        ('exclude', 'assessments to leave out, as text'),
        ('cut', 'a level below this needs help; null: see cut_share'),
        ('cut_share', 'share of the students that lies below the cut'),
        ('adjust_difficulty', 'whether the difficulty of questions is taken out of the scores'),
        ('shrink', 'whether to borrow from the others where data are thin'),
        ('weight_floor', 'the least weight of a sound question, as a discrimination'),
        ('min_answers', 'effective answers from which a question is judged'),
        ('flag_answers', 'effective answers from which a question can be flawed or suspect'),
        ('flag_alpha', 'share of false alarms among flawed questions that is accepted'),
        ('upper_lower_share', 'share of the students in each of the two groups of discrimination_index'),
        ('quality', 'whether questions weigh by how well they separate'),
        ('counting', 'what an assessment counts: effective, assessments or responses'),
        ('half_precision_items', 'questions at which an assessment has half its precision'),
        ('noise_df', 'degrees of freedom that the noise of all adds to a student''s own'),
        ('confidence', 'coverage of intervals'),
        ('stale_half_lives', 'half-lives after which evidence is stale'),
        ('trend_window', 'how far a trend looks back; null: over everything'),
        ('trend_min_dates', 'fewer dates than this: the trend is unclear'),
        ('trend_min_span', 'less time than this: the trend is unclear'),
        ('trend_alpha', 'two-sided level of the test for a trend'),
        ('steady_margin', 'change in 90 days that still counts as steady'),
        ('due_share', 'share of a group''s members that makes an assessment due'),
        ('trend_noise_df', 'degrees of freedom that the noise about trends of all adds'),
        ('carry_over', 'correlation of true levels from one year to the next; has no effect without last year''s gradebook')
    ) AS c(attribute, about);
END;
COMMENT ON FUNCTION @extschema@._columns() IS 'internal: what the columns of a model mean';

-- The schemas that are models.
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

-- What a model lacks that was dropped, by itself or with its source; null where nothing is missing. A
-- model that tracks no changes never had what belongs to that.
CREATE FUNCTION @extschema@._lost(schema oid, but_for name[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH has AS (SELECT c.relname, c.relkind FROM pg_catalog.pg_class c WHERE c.relnamespace = schema)
    SELECT pg_catalog.format(
               CASE pg_catalog.count(*) WHEN 1 THEN 'relation %s is missing, dropped by itself or with the source'
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
COMMENT ON FUNCTION @extschema@._lost(oid, name[]) IS 'internal: what a model lacks that was dropped';

-- The schema of a model that can be asked; an error that helps when there is none of that name, or when
-- something is missing that others build on, or that is asked for.
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
COMMENT ON FUNCTION @extschema@._model(name, name[]) IS 'internal: the schema of a model that can be asked';

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

-- How a broken model is mended.
CREATE FUNCTION @extschema@._mending(model name) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN @extschema@._kind(model, 'definition') IS NULL
            THEN 'Call @extschema@.create_model() with the arguments of before and if_not_exists => true: it makes '
                 'what is missing.'
            ELSE pg_catalog.format('SELECT * FROM @extschema@.attach(%L) mends it, once its source is there.', model)
       END;
COMMENT ON FUNCTION @extschema@._mending(name) IS 'internal: how a broken model is mended';

-- Column comments of a relation of a model.
CREATE FUNCTION @extschema@._comment(model name, relation name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
BEGIN
    FOR what IN
        SELECT @extschema@._kind(model, r.relation) AS kind, r.about
        FROM   @extschema@._relations() r WHERE r.relation = _comment.relation
    LOOP
        EXECUTE format('COMMENT ON %s %I.%I IS %L', what.kind, model, relation, what.about);
    END LOOP;
    FOR what IN
        SELECT a.attname, c.about
        FROM   pg_attribute a
        LEFT   JOIN LATERAL (
                   SELECT c.about FROM @extschema@._columns() c
                   WHERE  c.attribute IN (a.attname, _comment.relation || '.' || a.attname)
                   ORDER  BY c.attribute = a.attname LIMIT 1) c ON true
        WHERE  a.attrelid = format('%I.%I', model, relation)::regclass
        AND    a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF what.about IS NULL THEN
            RAISE EXCEPTION 'column %.% has no comment', relation, what.attname
                USING ERRCODE = 'internal_error', DETAIL = 'It is not in @extschema@._columns().',
                      HINT = 'This is a fault of pg_assess: report it.';
        END IF;
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', model, relation, what.attname, what.about);
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._comment(name, name) IS 'internal: comments of a relation of a model';

-- Makes one relation of a model, with its comments, and returns true; what is there already is kept, but
-- for the view of the source, which is made over it. In the definition {m} stands for the model, and
-- format() then puts the parts in, in which nothing is replaced: names may be anything.
CREATE FUNCTION @extschema@._create(model name, relation name, definition text,
                                    VARIADIC parts text[] DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text := (SELECT r.kind FROM @extschema@._relations() r WHERE r.relation = _create.relation);
BEGIN
    IF @extschema@._kind(model, relation) IS NOT NULL THEN
        IF relation <> 'responses' THEN
            RETURN false;
        END IF;
        kind := 'OR REPLACE VIEW';
    END IF;
    EXECUTE format('CREATE %s %I.%I %s', kind, model, relation,
                   format(replace(definition, '{m}', replace(quote_ident(model), '%', '%%')),
                          VARIADIC parts));
    PERFORM @extschema@._comment(model, relation);
    RETURN true;
EXCEPTION WHEN invalid_table_definition THEN
    RAISE EXCEPTION 'the source of model % is of other types than before', quote_ident(model)
        USING ERRCODE = 'datatype_mismatch', DETAIL = SQLERRM,
              HINT = 'Attach a view that casts to the type of before, or make another model.';
END $$;
COMMENT ON FUNCTION @extschema@._create(name, name, text, text[]) IS 'internal: makes a relation of a model';

-- Gives a table of a model a primary key. A publication of all tables stops DELETE and UPDATE on a
-- table without one, and a subject or a group may be null.
CREATE FUNCTION @extschema@._add_key(model name, relation name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I.%I ADD row_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY',
                   model, relation);
    PERFORM @extschema@._comment(model, relation);
END $$;
COMMENT ON FUNCTION @extschema@._add_key(name, name) IS 'internal: gives a table of a model a primary key';

-- A unique index, which tells the rows of a materialized view apart.
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

-- Drops relations of a model, those that are there, in this order. Without CASCADE: what others have
-- made over them is theirs.
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
