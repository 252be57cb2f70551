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

-- The arguments of a function that are choices of the method.
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

-- The choices of the method that a model has to make.
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

-- The settings that are no choice of the method: they say what is looked at, listed and kept. Runs with
-- different ones can be compared, unless other figures are kept of them.
CREATE FUNCTION @extschema@._settings()
RETURNS TABLE (place int, setting name, definition text, changes_figures boolean, is_of_changed_at boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        (1, 'as_of'::name, 'timestamptz CHECK (isfinite(as_of))', false, false),
        (2, 'pass_mark', 'float8 CHECK (pass_mark BETWEEN 0 AND 1)', false, false),
        (3, 'help_need', 'float8 NOT NULL DEFAULT 0.5 CHECK (help_need BETWEEN 0 AND 1)', false, false),
        (4, 'missing_share', 'float8 NOT NULL DEFAULT 0.25 CHECK (missing_share > 0 AND missing_share <= 1)',
            false, false),
        (5, 'min_group_size', 'int NOT NULL DEFAULT 0 CHECK (min_group_size >= 0)', true, false),
        (6, 'keep_runs', 'int NOT NULL DEFAULT 400 CHECK (keep_runs >= 1)', false, false),
        (7, 'keep_history', 'int NOT NULL DEFAULT 100 CHECK (keep_history >= 1)', false, false),
        (8, 'keep_alerts', 'interval NOT NULL DEFAULT ''1 year'' CHECK (keep_alerts > ''0'')', false, false),
        (9, 'late_commit', 'interval NOT NULL DEFAULT ''1 hour'' CHECK (late_commit >= ''0'')', false, true),
        (10, 'compare_counts', 'boolean NOT NULL DEFAULT true', false, true);
END;
COMMENT ON FUNCTION @extschema@._settings() IS 'internal: the settings that are no choice of the method';

-- No evidence grows old: as good as none over all the time there is.
CREATE FUNCTION @extschema@._no_decay() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '1000000000 days';
COMMENT ON FUNCTION @extschema@._no_decay() IS 'internal: a half-life that lets nothing grow old';

-- The result columns of one of these functions.
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

-- The call of a function over g.gradebook with the settings of the model, which the statement has as
-- o or under another name, and with arguments that are given as expressions. A model that was made
-- by an older version has no settings of what came later; there the usual value holds.
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
    WHERE  f.oid = _call.function AND a.mode = 'i'
    AND   (w.given ? a.name
           OR EXISTS (SELECT FROM pg_catalog.pg_attribute s
                      WHERE s.attrelid = pg_catalog.format('%I.settings', model)::pg_catalog.regclass
                      AND   s.attname = a.name AND s.attnum > 0));
END;
COMMENT ON FUNCTION @extschema@._call(name, regproc, jsonb, text) IS
'internal: the call of a function under the settings of a model';

-- A time that a refresh has stored, as a session of another time zone reads it that was a date, or a
-- time without a zone: the clock on the wall shows the same. The statement has the model's
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
-- that they were solved with. Subjects may be null; as arrays they are equal then too, and unlike by
-- IS NOT DISTINCT FROM Postgres can hash them, of whatever type.
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

-- How an id of this type is read from the source, and the type of that, in which it comes back from
-- its text. A gradebook tells ids apart by their text. So a type will do whose values are equal where
-- they are written alike, in every session, or can be written so; of any other both are null.
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
            WHEN base = ANY ('{bpchar,name,time,timetz,inet,cidr,macaddr,macaddr8,bit,varbit,xid,xid8,pg_lsn}'::regtype[])
            THEN format('%s::text', id)
            -- There are two zeros.
            WHEN base IN ('float4'::regtype, 'float8'::regtype) THEN format('(%s + ''0'')::text', id)
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
COMMENT ON FUNCTION @extschema@._id(oid, name) IS 'internal: how a model reads an id and gives it back';

-- The type of a column of the source that the user has named; errors as helpful as can be.
CREATE FUNCTION @extschema@._source_column(source regclass, argument text, attribute name) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    type oid;
    base regtype;
    collation_id oid;
    list text;
    advice text;
BEGIN
    SELECT a.atttypid, @extschema@._base(a.atttypid), a.attcollation INTO type, base, collation_id
    FROM pg_attribute a
    WHERE a.attrelid = source AND a.attname = attribute AND a.attnum > 0 AND NOT a.attisdropped;
    IF type IS NULL THEN
        -- Postgres knows which of its columns is spelt like it.
        BEGIN
            EXECUTE format('SELECT r.%I FROM %s AS r LIMIT 0', attribute, source);
        EXCEPTION WHEN undefined_column THEN
            GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
        END;
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO list
        FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
        RAISE EXCEPTION '% has no column %', source, quote_ident(attribute)
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('It is named as the column of %s.', argument),
                  HINT = concat_ws(' ', nullif(advice, ''), format('It has: %s.', list));
    END IF;
    advice := CASE
        WHEN argument = 'answer' THEN NULL
        WHEN argument IN ('taken_at', 'changed_at') THEN
            CASE WHEN base <> ALL ('{date,timestamp,timestamptz}'::regtype[])
                 THEN 'type date, timestamp or timestamptz' END
        -- What Postgres itself takes for a float8 where one is due, has a value as one.
        WHEN argument IN ('score', 'max_score', 'attempt') THEN
            CASE WHEN base = 'float8'::regtype OR argument = 'score' AND base = 'bool'::regtype
                      OR EXISTS (SELECT FROM pg_cast c
                                 WHERE c.castsource = base AND c.casttarget = 'float8'::regtype
                                 AND   c.castcontext = 'i') THEN NULL
                 ELSE CASE argument WHEN 'score' THEN 'numbers, or of true and false'
                                    WHEN 'attempt' THEN 'whole numbers' ELSE 'numbers' END END
        WHEN (@extschema@._id(type, attribute)).expression IS NULL
        THEN 'numbers, text, uuid or another type that tells ids apart as their text does'
    END;
    IF advice IS NOT NULL THEN
        RAISE EXCEPTION 'column % of % cannot be used for %',
                        quote_ident(attribute), source, argument
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('It is of type %s.', format_type(type, NULL)),
                  HINT = format('Name a column of %s, or make a view that casts it.', advice);
    END IF;
    IF argument NOT IN ('score', 'max_score', 'attempt', 'taken_at', 'changed_at', 'answer')
       AND EXISTS (SELECT FROM pg_collation c
                   WHERE c.oid = collation_id AND NOT c.collisdeterministic) THEN
        RAISE EXCEPTION 'column % of % cannot be used for %',
                        quote_ident(attribute), source, argument
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('By its collation %s, texts are equal that are written differently.',
                                  collation_id::regcollation),
                  HINT = format('Make a view that writes them alike, as lower(%I) COLLATE "default" may.',
                                attribute);
    END IF;
    RETURN type;
END $$;
COMMENT ON FUNCTION @extschema@._source_column(regclass, text, name) IS
'internal: the type of a column that a model names';

-- Whether a response is of a status with which its score counts; statuses are equal as ids are. Not in
-- every style do dates read as they are written.
CREATE FUNCTION @extschema@._is_counted(source regclass, type oid, status name, counted text[])
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    id record := @extschema@._id(type, status);
    list text;
BEGIN
    EXECUTE format('SELECT array_agg(%s)::text FROM unnest($1::%s[]) AS r(%I)', id.expression,
                   format_type(@extschema@._base(type), -1), status) INTO list USING counted;
    RETURN format('%s = ANY (%L::%s[])', id.expression, list, id.back);
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'counted has a value that is no status'
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = format('Column %I of %s is of type %s.', status, source, format_type(type, NULL)),
              HINT = 'Give values of that column with which a score counts.';
END $$;
COMMENT ON FUNCTION @extschema@._is_counted(regclass, oid, name, text[]) IS
'internal: whether a score counts by its status';

-- How a number is read from the source. A numeric may be larger than any float8, or nearer to zero,
-- and one such row would stop the whole: it comes as NaN or as 0, unless its declaration (precision and
-- scale, see numeric.c) rules it out.
CREATE FUNCTION @extschema@._number(source regclass, attribute name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        CASE WHEN a.base = 'bool'::pg_catalog.regtype THEN 'r.%1$I::int::float8'
             WHEN a.base <> 'numeric'::pg_catalog.regtype
                  OR a.typmod >= 4 AND (a.typmod - 4) >> 16 <= 300 AND ((a.typmod - 4) & 2047) <= 300
             THEN 'r.%1$I::float8'
             ELSE 'CASE WHEN abs(r.%1$I) < 1e-300 THEN 0
                        WHEN abs(r.%1$I) > 1e300 AND abs(r.%1$I) < ''Infinity'' THEN ''NaN''
                        ELSE r.%1$I::float8 END' END, attribute)
    FROM  (SELECT @extschema@._base(t.atttypid) AS base, t.atttypmod AS typmod
           FROM pg_catalog.pg_attribute t
           WHERE t.attrelid = source AND t.attname = attribute AND NOT t.attisdropped) a;
END;
COMMENT ON FUNCTION @extschema@._number(regclass, name) IS 'internal: how a model reads a number';

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

-- Logs a new run and forgets the oldest. Its number lies above every one that is still in use, also
-- where the log was restored or its numbers began anew. However many have failed since, the run that
-- made the results stays: it has their settings.
CREATE FUNCTION @extschema@._new_run(model name) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    numbers regclass := pg_get_serial_sequence(format('%I.run_log', model), 'run_id');
    run bigint := nextval(numbers);
    relation name;
    used bigint;
BEGIN
    FOREACH relation IN ARRAY '{run_log,history,run_figures,alerts}'::name[] LOOP
        -- A model that is being made has no more than its log.
        CONTINUE WHEN @extschema@._kind(model, relation) IS NULL;
        EXECUTE format('SELECT max(r.run_id) FROM %I.%I r', model, relation) INTO used;
        run := greatest(run, used + 1);
    END LOOP;
    PERFORM setval(numbers, run);
    EXECUTE format('INSERT INTO %I.run_log (run_id) OVERRIDING SYSTEM VALUE VALUES ($1)', model)
    USING run;
    IF @extschema@._kind(model, 'settings') IS NOT NULL THEN
        EXECUTE format('DELETE FROM %1$I.run_log l
                        WHERE l.run_id <= $1 - (SELECT keep_runs FROM %1$I.settings)
                        AND   l.run_id IS DISTINCT FROM (SELECT max(s.run_id) FROM %1$I.run_log s
                                                         WHERE s.status = ''succeeded'')', model)
        USING run;
    END IF;
    RETURN run;
END $$;
COMMENT ON FUNCTION @extschema@._new_run(name) IS 'internal: logs a new run and returns its number';

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

-- Who was granted what on the relations of a model, but for its owner.
CREATE FUNCTION @extschema@._grants(model name) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'relation', g.relname, 'attribute', g.attname, 'privilege', e.privilege_type,
               'grantee', CASE WHEN e.grantee <> 0 THEN pg_catalog.pg_get_userbyid(e.grantee) END,
               'grantable', e.is_grantable) ORDER BY g.relname, g.attname, e.privilege_type, e.grantee),
               '[]')
    FROM  (SELECT c.relname, NULL::name AS attname, c.relowner, c.relacl AS acl
           FROM   pg_catalog.pg_class c
           WHERE  c.relnamespace = @extschema@._schema(model)
           UNION  ALL
           SELECT c.relname, a.attname, c.relowner, a.attacl
           FROM   pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
           WHERE  c.relnamespace = @extschema@._schema(model) AND NOT a.attisdropped) g
    CROSS  JOIN LATERAL pg_catalog.aclexplode(g.acl) e
    WHERE  e.grantee <> g.relowner
    AND    g.relname IN (SELECT r.relation FROM @extschema@._relations() r);
END;
COMMENT ON FUNCTION @extschema@._grants(name) IS
'internal: who was granted what on the relations of a model';

-- Keeps what attach() needs and the views alone know, also of those that are missing. A source that was
-- renamed keeps its model.
CREATE FUNCTION @extschema@._record(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format(
        'UPDATE %I.definition d
         SET    grants = $1 || (SELECT coalesce(jsonb_agg(g), ''[]'') FROM jsonb_array_elements(d.grants) g
                                WHERE to_regclass(format(''%%I.%%I'', $3, g ->> ''relation'')) IS NULL),
                source = CASE WHEN to_regclass(d.source) IS NULL THEN $2 ELSE d.source END',
        model) USING @extschema@._grants(model),
                     @extschema@._name(@extschema@._source(@extschema@._schema(model))), model;
END $$;
COMMENT ON FUNCTION @extschema@._record(name) IS 'internal: keeps what attach() needs';

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

-- Sets columns of the settings that were checked, but for what their table itself allows.
CREATE FUNCTION @extschema@._set(model name, settings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
    broken name;
BEGIN
    FOR what IN SELECT * FROM jsonb_each_text(settings) AS e(option, value) LOOP
        EXECUTE format('UPDATE %1$I.settings c SET %2$I = (jsonb_populate_record(c, $1)).%2$I',
                       model, what.option) USING settings;
    END LOOP;
EXCEPTION WHEN check_violation OR not_null_violation THEN
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    RAISE EXCEPTION '% is out of range', quote_ident(what.option)
        USING ERRCODE = SQLSTATE,
              DETAIL = format('The value of %I is %s.', what.option, coalesce(what.value, 'null')),
              HINT = coalesce((SELECT format('The table settings has it as %s.', pg_get_constraintdef(c.oid))
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
    -- A restore without data has left none.
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
    told text;
    advice text;
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
            USING ERRCODE = 'undefined_parameter', DETAIL = format('It is no column of %I.settings.', model),
                  HINT = format('There are: %s.', known);
    END IF;
    -- Postgres takes a bare number for seconds, which nobody means.
    SELECT k.key, k.value INTO unitless FROM jsonb_each_text(settings) AS k(key, value)
    JOIN   pg_attribute a ON a.attrelid = format('%I.settings', model)::regclass AND a.attname = k.key
    WHERE  a.atttypid = 'interval'::regtype AND k.value ~ '^\s*[-+]?[0-9.]+\s*$' ORDER BY 1 LIMIT 1;
    IF unitless.key IS NOT NULL THEN
        RAISE EXCEPTION '% has no unit', quote_ident(unitless.key)
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Its value is %s; a span of time is a number and a unit.', unitless.value),
                  HINT = 'Give a value such as 30 days.';
    END IF;
    -- The functions themselves know what an option may be. Within a statement of a model they would
    -- tell all of it, as the context of their error.
    SELECT string_agg(format('EXISTS (SELECT FROM %s)', @extschema@._call(model, f)), ' AND ') INTO calls
    FROM   unnest(ARRAY['@extschema@.students', '@extschema@.items',
                        '@extschema@.assessments']::regproc[]) f;
    BEGIN
        EXECUTE format(
            'SELECT %s FROM %I.settings c CROSS JOIN LATERAL jsonb_populate_record(c, $1) o,
                 (SELECT @extschema@.gradebook_agg(1, 1, 1, 1, date ''2026-01-01'') AS gradebook,
                         NULL::timestamptz AS as_of) g', calls, model) USING settings;
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, failure = MESSAGE_TEXT,
                                told = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
        RAISE EXCEPTION USING
            ERRCODE = code, MESSAGE = failure,
            DETAIL = coalesce(nullif(told, ''), format('Asked for are the settings %s.', settings)),
            HINT = coalesce(nullif(advice, ''), 'The table settings has the type of each.');
    END;
END $$;
COMMENT ON FUNCTION @extschema@._check_settings(name, jsonb) IS
'internal: checks names and values of settings';
