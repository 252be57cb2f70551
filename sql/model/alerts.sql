-- Alerts: what a refresh finds that somebody should know, by rules that the owner of a model edits.
-- An alert is raised when a rule begins to hold and ends when it no longer does, so that what lasts
-- is reported once. Results never wait for alerts: what goes wrong here is a WARNING.

-- The rules, with the range of their thresholds and what they usually are.
CREATE FUNCTION @extschema@._alert_rules()
RETURNS TABLE (place int, rule text, unit text, low float8, high float8, usual float8, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM (VALUES
        (1, 'flawed_questions', 'correlation', -1, 0, 0,
         'a question is flawed, with a correlation of threshold or less'),
        (2, 'suspect_questions', 'correlation', -1, 0, -0.1,
         'a question is suspect, with a correlation of threshold or less'),
        (3, 'little_evidence', 'share', 0, 1, 0.5,
         'more than this share of a subject''s students has no or provisional evidence'),
        (4, 'few_students', 'students', 0, 1e9, 10,
         'fewer students of a subject than this have any evidence'),
        (5, 'no_new_rows', 'days', 0, 36500, 21,
         'the latest response of a subject that counts is older than this at as_of'),
        (6, 'rows_left_out', 'share', 0, 1, 0.05,
         'the share of a subject''s rows that are left out rose by more than this since the last'
         ' run'),
        (7, 'level_moved', 'standard errors', 0, 1000, 2,
         'the mean level of a group moved by more than this since the last run, or since it was'
         ' last reported'),
        (8, 'refresh_failed', 'refreshes', 1, 1e6, 1,
         'so many refreshes failed, one after the other'),
        (9, 'refresh_overdue', 'hours', 0, 1e6, 36,
         'the last refresh that succeeded is longer ago than this')
    ) AS r(place, rule, unit, low, high, usual, about);
END;
COMMENT ON FUNCTION @extschema@._alert_rules() IS 'internal: the rules of alerts';

-- The tables of a new model.
CREATE FUNCTION @extschema@._create_alerts(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    units text;
    ranges text;
    known text;
BEGIN
    SELECT string_agg(format('WHEN %L THEN %L', r.rule, r.unit), ' ' ORDER BY r.place),
           string_agg(format('WHEN %L THEN threshold BETWEEN %s AND %s', r.rule, r.low, r.high),
                      ' ' ORDER BY r.place),
           string_agg(quote_literal(r.rule), ', ' ORDER BY r.place)
    INTO   units, ranges, known FROM @extschema@._alert_rules() r;
    IF @extschema@._create(model, 'alert_rules', jsonb_build_object(
           'rules', known, 'ranges', ranges, 'units', units)) THEN
        EXECUTE format('INSERT INTO %I.alert_rules (rule, threshold, about)
                        SELECT r.rule, r.usual, r.about
                        FROM @extschema@._alert_rules() r ORDER BY r.place', model);
    END IF;
    PERFORM @extschema@._create(model, 'alerts');
    PERFORM @extschema@._create(model, 'run_figures');
END $$;
COMMENT ON FUNCTION @extschema@._create_alerts(name) IS 'internal: the tables of a model''s alerts';

-- A model without a subject calls it all.
CREATE FUNCTION @extschema@._alert_subject(subject text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN subject IS NULL THEN 'without a subject'
                WHEN subject = 'all' THEN 'in all subjects'
                ELSE 'in ' || @extschema@._told(subject) END;
END;
COMMENT ON FUNCTION @extschema@._alert_subject(text) IS 'internal: a subject in a sentence';

-- The last run, where its figures can be compared: only what comes from the data is news.
CREATE FUNCTION @extschema@._alert_before(model name, run bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before bigint;
BEGIN
    EXECUTE format(
        'SELECT b.run_id
         FROM   %1$I.run_log r
         JOIN   LATERAL (SELECT l.* FROM %1$I.run_log l
                         WHERE l.run_id < r.run_id AND l.status = ''succeeded''
                         ORDER BY l.run_id DESC LIMIT 1) b
                ON  b.as_of <= r.as_of AND b.method_version = r.method_version
                AND b.settings - $2 = r.settings - $2
         WHERE  r.run_id = $1', model)
    INTO before
    USING run, ARRAY(SELECT s.setting::text FROM @extschema@._settings() s WHERE NOT s.changes_figures);
    RETURN before;
END $$;
COMMENT ON FUNCTION @extschema@._alert_before(name, bigint) IS
'internal: the last run, where a run can be compared with it';

-- What is kept of a run, to compare the next one with.
CREATE FUNCTION @extschema@._alert_figures(model name, run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO %1$I.run_figures
                (run_id, figure, subject, student_group, size, value, value_se, as_of)
         SELECT $1, ''level'', s.subject::text, s.student_group::text, count(s.level),
                avg(s.level), sqrt(sum(s.level_se ^ 2)) / count(s.level), max(s.as_of)
         FROM   %1$I.students s WHERE s.status <> ''none''
         GROUP  BY s.subject::text, s.student_group::text
         HAVING count(s.level) >= greatest(1, (SELECT o.min_group_size FROM %1$I.settings o))
         UNION  ALL
         SELECT $1, ''left_out'', c.subject::text, NULL, sum(c.rows),
                coalesce(sum(c.rows) FILTER (WHERE c.reason <> ''used''), 0) / sum(c.rows), NULL,
                max(c.as_of)
         FROM   %1$I.coverage c
         GROUP  BY c.subject::text HAVING sum(c.rows) > 0', model) USING run;
END $$;
COMMENT ON FUNCTION @extschema@._alert_figures(name, bigint) IS
'internal: keeps the figures of a run';

-- Which rules hold of the results, as a JSON array of alerts, of each rule the clearest first.
CREATE FUNCTION @extschema@._alert_found(model name, run bigint, before bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    findings jsonb;
BEGIN
    EXECUTE format(
        $sql$
        WITH rules AS (
            SELECT k.place, a.rule, a.threshold
            FROM   %1$I.alert_rules a JOIN @extschema@._alert_rules() k ON k.rule = a.rule
            WHERE  a.enabled),
        there AS (
            SELECT s.subject::text AS subject, @extschema@._alert_subject(s.subject::text) AS place,
                   count(*) AS students,
                   count(*) FILTER (WHERE s.status IN ('none', 'provisional')) AS thin,
                   count(*) FILTER (WHERE s.status <> 'none') AS known,
                   max(s.last_at) AS last_at,
                   (extract(epoch FROM max(s.as_of) - max(s.last_at)) / 86400)::float8 AS age
            FROM   %1$I.students s GROUP BY s.subject::text),
        -- A subject that was there at the last run, or is missed since, has no students now.
        subjects AS (
            SELECT t.* FROM there t
            UNION ALL
            SELECT g.subject, @extschema@._alert_subject(g.subject), NULL, NULL, 0, NULL, NULL
            FROM  (SELECT f.subject FROM %1$I.run_figures f
                   WHERE  f.figure = 'left_out'
                   AND    f.run_id = (SELECT max(l.run_id) FROM %1$I.run_log l
                                      WHERE l.run_id < $1 AND l.status = 'succeeded')
                   UNION
                   SELECT a.subject FROM %1$I.alerts a
                   WHERE  a.rule = 'few_students' AND a.ended IS NULL) g
            WHERE  NOT EXISTS (SELECT FROM there t WHERE ARRAY[t.subject] = ARRAY[g.subject])),
        questions AS (
            SELECT q.subject::text AS subject, q.item::text AS item, q.status, q.r_rest, q.n
            FROM   %1$I.questions q WHERE q.status IN ('flawed', 'suspect')),
        left_out AS (
            SELECT n.*, b.value AS before,
                   round((n.value - b.value)::numeric, 12)::float8 AS rise
            FROM   %1$I.run_figures n
            JOIN   %1$I.run_figures b
                   ON  b.run_id = $2 AND b.figure = 'left_out'
                   AND ARRAY[b.subject] = ARRAY[n.subject]
            WHERE  n.run_id = $1 AND n.figure = 'left_out'),
        -- A level creeps: it is also compared with what was told of it last.
        levels AS (
            SELECT DISTINCT ON (n.subject, n.student_group)
                   n.*, b.value AS before, b.as_of AS since, n.value - b.value AS moved, e.se,
                   (n.value - b.value) / nullif(e.se, 0) AS in_errors,
                   n.student_group IS NULL AND n.has_groups AS is_rest
            FROM  (SELECT f.*, bool_or(f.student_group IS NOT NULL) OVER (PARTITION BY f.subject)
                                   AS has_groups
                   FROM   %1$I.run_figures f WHERE f.run_id = $1 AND f.figure = 'level') n
            JOIN   %1$I.run_figures b
                   ON  b.run_id = $2 AND b.figure IN ('level', 'reported_level')
                   AND ARRAY[b.subject, b.student_group] = ARRAY[n.subject, n.student_group]
            CROSS  JOIN LATERAL (SELECT sqrt(n.value_se ^ 2 + b.value_se ^ 2) AS se) e
            ORDER  BY n.subject, n.student_group,
                      abs(n.value - b.value) / nullif(e.se, 0) DESC NULLS LAST, b.figure),
        found AS (
            SELECT r.place, r.rule, q.subject, NULL::text AS student_group, q.item,
                   q.r_rest AS value, r.threshold, false AS is_event,
                   format('Question %%s %%s speaks against itself, %%s: stronger students do worse'
                          ' on it (correlation %%s, %%s answers).',
                          @extschema@._told(q.item), @extschema@._alert_subject(q.subject),
                          CASE q.status WHEN 'flawed' THEN 'beyond chance'
                                        ELSE 'perhaps by chance' END,
                          round(q.r_rest::numeric, 2), q.n) AS message
            FROM   rules r JOIN questions q ON r.rule = q.status || '_questions'
            WHERE  q.r_rest <= r.threshold
            UNION  ALL
            SELECT r.place, r.rule, s.subject, NULL, NULL, s.thin::float8 / s.students,
                   r.threshold, false,
                   format('Little is known %%s: %%s of %%s students (%%s) have no evidence or that'
                          ' of one or two assessments, more than %%s.',
                          s.place, s.thin, s.students,
                          @extschema@._percent(s.thin::float8 / s.students, 1),
                          @extschema@._percent(r.threshold, 1))
            FROM   rules r CROSS JOIN subjects s
            WHERE  r.rule = 'little_evidence' AND s.thin::float8 / s.students > r.threshold
            UNION  ALL
            SELECT r.place, r.rule, s.subject, NULL, NULL, s.known, r.threshold, false,
                   format('There is evidence of only %%s %%s %%s, fewer than %%s.', s.known,
                          CASE s.known WHEN 1 THEN 'student' ELSE 'students' END, s.place,
                          r.threshold)
            FROM   rules r CROSS JOIN subjects s
            WHERE  r.rule = 'few_students' AND s.known < r.threshold
            UNION  ALL
            SELECT r.place, r.rule, s.subject, NULL, NULL, s.age, r.threshold, false,
                   format('There is no result %%s since %%s: %%s days, more than %%s.', s.place,
                          to_char(s.last_at, 'FMDD FMMonth YYYY'),
                          trim_scale(ceil(10 * s.age::numeric) / 10), r.threshold)
            FROM   rules r CROSS JOIN subjects s
            WHERE  r.rule = 'no_new_rows' AND s.age > r.threshold
            UNION  ALL
            SELECT r.place, r.rule, l.subject, NULL, NULL, l.rise, r.threshold, true,
                   format('%%s of the %%s rows %%s were left out, %%s at the refresh before;'
                          ' coverage tells why.', @extschema@._percent(l.value, 1), l.size,
                          @extschema@._alert_subject(l.subject),
                          @extschema@._percent(l.before, 1))
            FROM   rules r CROSS JOIN left_out l
            WHERE  r.rule = 'rows_left_out' AND l.rise > r.threshold
            UNION  ALL
            SELECT r.place, r.rule, l.subject, l.student_group, NULL, l.in_errors, r.threshold,
                   true,
                   format('The level %%s%%s %%s from %%s to %%s since %%s, %%s times the standard'
                          ' error of the change (%%s).',
                          CASE WHEN l.is_rest THEN 'of students without a named group '
                               WHEN l.student_group IS NOT NULL
                               THEN 'of ' || @extschema@._told(l.student_group) || ' '
                               ELSE '' END,
                          @extschema@._alert_subject(l.subject),
                          CASE WHEN l.moved < 0 THEN 'fell' ELSE 'rose' END,
                          round(l.before::numeric, 3), round(l.value::numeric, 3),
                          to_char(l.since, 'FMDD FMMonth YYYY'),
                          coalesce(round(abs(l.in_errors)::numeric, 1)::text, 'many'),
                          l.size || CASE l.size WHEN 1 THEN ' student' ELSE ' students' END)
            FROM   rules r CROSS JOIN levels l
            WHERE  r.rule = 'level_moved'
            AND    CASE WHEN l.se > 0 THEN abs(l.in_errors) > r.threshold
                        ELSE l.se = 0 AND l.moved <> 0 END)
        SELECT jsonb_agg(to_jsonb(f) || jsonb_build_object('run_id', $1)
                         ORDER BY f.place, abs(f.value - f.threshold) DESC, f.subject,
                                  f.student_group, f.item)
        FROM   found f
        $sql$, model)
    INTO findings USING run, before;
    RETURN coalesce(findings, '[]');
END $$;
COMMENT ON FUNCTION @extschema@._alert_found(name, bigint, bigint) IS
'internal: which rules hold of the results of a run';

-- The same for rules about refreshes, of which check_refreshes() also asks models of others.
CREATE FUNCTION @extschema@._alert_found_of_runs(model name) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    findings jsonb;
BEGIN
    EXECUTE format(
        $sql$
        WITH rules AS (
            SELECT k.place, a.rule, a.threshold
            FROM   ONLY %1$I.alert_rules a JOIN @extschema@._alert_rules() k ON k.rule = a.rule
            WHERE  a.enabled),
        runs AS (
            SELECT l.run_id, l.started, l.finished,
                   CASE WHEN l.broken_off IS NULL THEN l.status ELSE 'failed' END AS status,
                   coalesce(l.broken_off, l.sqlstate) AS sqlstate
            FROM  (SELECT g.*, CASE
                       -- Of those before the last that says so none is at work.
                       WHEN g.status = 'running' AND g.run_id < max(g.run_id)
                            FILTER (WHERE g.status = 'running') OVER () THEN '57014'
                       ELSE @extschema@._broken_off(g.tableoid, g.status, g.pid, g.started)
                       END AS broken_off
                   FROM ONLY %1$I.run_log g OFFSET 0) l),
        good AS (
            SELECT max(r.run_id) AS run_id, coalesce(max(r.finished), o.started) AS at
            FROM  (SELECT min(started) AS started FROM runs) o
            LEFT   JOIN runs r ON r.status = 'succeeded' GROUP BY o.started),
        bad AS (
            SELECT r.run_id, r.started, r.sqlstate, count(*) OVER () AS n
            FROM   good g JOIN runs r ON r.run_id > coalesce(g.run_id, 0) AND r.status = 'failed'
            ORDER  BY r.run_id DESC LIMIT 1),
        found AS (
            SELECT r.place, r.rule, b.n::float8 AS value, r.threshold, b.run_id,
                   format('The refresh of %%s failed (error %%s)%%s; ' || CASE
                              WHEN to_regclass(%2$L) IS NULL THEN 'the results are lost, but for the history.'
                              ELSE 'the results are still those of %%s.' END,
                          to_char(b.started, 'FMDD FMMonth YYYY HH24:MI'), b.sqlstate,
                          CASE WHEN b.n > 1 THEN format(', the last of %%s failures in a row', b.n)
                               ELSE '' END,
                          to_char(g.at, 'FMDD FMMonth YYYY HH24:MI')) AS message
            FROM   rules r CROSS JOIN good g CROSS JOIN bad b
            WHERE  r.rule = 'refresh_failed' AND b.n >= r.threshold
            UNION  ALL
            SELECT r.place, r.rule, a.hours, r.threshold, NULL,
                   format('The results are %%s hours old, more than %%s: the last refresh that'
                          ' succeeded was that of %%s.',
                          trim_scale(ceil(10 * a.hours::numeric) / 10), r.threshold,
                          to_char(g.at, 'FMDD FMMonth YYYY HH24:MI'))
            FROM   rules r CROSS JOIN good g
            CROSS  JOIN LATERAL (
                SELECT (extract(epoch FROM clock_timestamp() - g.at) / 3600)::float8 AS hours) a
            WHERE  r.rule = 'refresh_overdue' AND a.hours > r.threshold)
        SELECT jsonb_agg(to_jsonb(f) || '{"is_event": false}' ORDER BY f.place) FROM found f
        $sql$, model, format('%I.gradebook', model))
    INTO findings;
    RETURN coalesce(findings, '[]');
END $$;
COMMENT ON FUNCTION @extschema@._alert_found_of_runs(name) IS
'internal: which rules hold of the refreshes of a model';

-- Tells alerts: a WARNING for each rule, and a notification for each alert, but no flood of them.
CREATE FUNCTION @extschema@._alert_tell(model name, alerts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what record;
    usual constant int := 20;
    payload jsonb;
BEGIN
    FOR what IN
        SELECT a.rule, count(*) AS n, min(a.alert_id) AS first_id
        FROM   jsonb_to_recordset(alerts) AS a(rule text, alert_id bigint)
        GROUP  BY a.rule ORDER BY min(a.alert_id)
    LOOP
        RAISE WARNING USING
            MESSAGE = format('model %s: %s%s', @extschema@._told(model),
                CASE WHEN what.n > 1
                     THEN format('%s alerts of %s, the clearest: ', what.n, what.rule)
                     ELSE '' END,
                (SELECT a.value ->> 'message' FROM jsonb_array_elements(alerts) a
                 WHERE (a.value ->> 'alert_id')::bigint = what.first_id)),
            HINT = format('See the table alerts of the model, from alert_id %s on.', what.first_id);
        FOR payload IN
            SELECT jsonb_build_object(
                       'model', model, 'rule', a.rule, 'subject', left(a.subject, 200),
                       'message', a.message, 'run_id', a.run_id, 'raised', a.raised,
                       'value', a.value, 'threshold', a.threshold,
                       'details', jsonb_build_object(
                           'alert_id', a.alert_id, 'student_group', left(a.student_group, 200),
                           'item', left(a.item, 200)))
            FROM   jsonb_to_recordset(alerts) AS a(
                       alert_id bigint, raised timestamptz, run_id bigint, rule text, subject text,
                       student_group text, item text, value float8, threshold float8, message text)
            WHERE  a.rule = what.rule ORDER BY a.alert_id LIMIT usual
        LOOP
            PERFORM pg_notify('assess_alerts', payload::text);
        END LOOP;
        IF what.n > usual THEN
            PERFORM pg_notify('assess_alerts', (payload || jsonb_build_object(
                'subject', NULL, 'value', NULL,
                'message', format('There are %s more alerts of %s.', what.n - usual, what.rule),
                'details', jsonb_build_object('more', what.n - usual)))::text);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._alert_tell(name, jsonb) IS 'internal: tells alerts';

-- Keeps what was found by some rules, ends what no longer holds, and tells what is new.
CREATE FUNCTION @extschema@._alert_raise(
    model name, rules text[], findings jsonb, quiet boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new jsonb;
BEGIN
    -- Two at once would both find an alert new. Who reads does not wait.
    EXECUTE format('LOCK TABLE %I.alerts IN SHARE ROW EXCLUSIVE MODE', model);
    EXECUTE format(
        'UPDATE %I.alerts a SET ended = clock_timestamp()
         WHERE  a.ended IS NULL AND a.rule = ANY ($1)
         AND    NOT EXISTS (SELECT FROM jsonb_to_recordset($2) AS f(
                                rule text, subject text, student_group text, item text)
                            WHERE ARRAY[f.rule, f.subject, f.student_group, f.item]
                                = ARRAY[a.rule, a.subject, a.student_group, a.item])',
        model) USING rules, findings;
    -- An event is over when it is reported.
    EXECUTE format(
        'WITH added AS (
             INSERT INTO %1$I.alerts AS n (raised, ended, run_id, rule, subject, student_group,
                                           item, value, threshold, message)
             SELECT t.at, CASE WHEN f.is_event THEN t.at END, f.run_id, f.rule, f.subject,
                    f.student_group, f.item, f.value, f.threshold, f.message
             FROM   ROWS FROM (jsonb_to_recordset($1) AS (
                        run_id bigint, rule text, subject text, student_group text, item text,
                        value float8, threshold float8, is_event boolean, message text))
                    WITH ORDINALITY AS f
             CROSS  JOIN (SELECT clock_timestamp() AS at) t
             WHERE  f.is_event
             OR     NOT EXISTS (SELECT FROM %1$I.alerts a
                                WHERE a.ended IS NULL
                                AND   ARRAY[a.rule, a.subject, a.student_group, a.item]
                                    = ARRAY[f.rule, f.subject, f.student_group, f.item])
             ORDER  BY f.ordinality
             RETURNING n.*)
         SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.alert_id), ''[]'') FROM added d', model)
    INTO new USING findings;
    EXECUTE format('DELETE FROM %1$I.alerts a USING %1$I.settings o
                    WHERE a.ended IS NOT NULL AND a.raised < clock_timestamp() - o.keep_alerts',
                   model);
    IF NOT quiet THEN
        PERFORM @extschema@._alert_tell(model, new);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._alert_raise(name, text[], jsonb, boolean) IS
'internal: keeps, ends and tells alerts';

-- All that follows a run that succeeded. What is so when the model is made is kept, but no news.
-- Alerts are known again by their subject and group as text, and come as JSON: in every session alike.
-- The planner takes the figures of a run that it has not seen for one row, and would go through all
-- others for each. What it is forbidden looks so dear to it that it compiles what it does instead.
CREATE FUNCTION @extschema@._alert(model name, run bigint, quiet boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off SET datestyle = 'ISO' SET extra_float_digits = 1 AS $$
DECLARE
    began timestamptz := clock_timestamp();
    before bigint;
    failure text;
    code text;
BEGIN
    before := @extschema@._alert_before(model, run);
    PERFORM @extschema@._alert_figures(model, run);
    PERFORM @extschema@._alert_raise(model, ARRAY(SELECT r.rule FROM @extschema@._alert_rules() r),
                               @extschema@._alert_found(model, run, before), quiet);
    EXECUTE format(
        'INSERT INTO %1$I.run_figures
                (run_id, figure, subject, student_group, size, value, value_se, as_of)
         SELECT n.run_id, ''reported_level'', n.subject, n.student_group, coalesce(t.size, n.size),
                coalesce(t.value, n.value), coalesce(t.value_se, n.value_se),
                coalesce(t.as_of, n.as_of)
         FROM   %1$I.run_figures n
         LEFT   JOIN %1$I.run_figures t
                ON  t.run_id = $2 AND t.figure = ''reported_level''
                AND ARRAY[t.subject, t.student_group] = ARRAY[n.subject, n.student_group]
                AND EXISTS (SELECT FROM %1$I.alert_rules r
                            WHERE r.rule = ''level_moved'' AND r.enabled)
                AND NOT EXISTS (SELECT FROM %1$I.alerts a
                                WHERE a.rule = ''level_moved'' AND a.run_id = n.run_id
                                AND   ARRAY[a.subject, a.student_group]
                                    = ARRAY[n.subject, n.student_group])
         WHERE  n.run_id = $1 AND n.figure = ''level''', model) USING run, before;
    EXECUTE format('UPDATE %I.run_log SET steps = steps || jsonb_build_object(''alerts'', $2)
                    WHERE run_id = $1', model)
    USING run, round(extract(epoch FROM clock_timestamp() - began) * 1000);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
    RAISE WARNING 'alerts of model % could not be worked out: %', quote_ident(model), failure
        USING DETAIL = format('The error was %s.', code),
                  HINT = format('Where one of their tables is missing, SELECT * FROM '
                                '@extschema@.attach(%L) makes it again.', model);
END $$;
COMMENT ON FUNCTION @extschema@._alert(name, bigint, boolean) IS
'internal: the alerts of a run that succeeded';

-- What is to be told of the refreshes themselves, when one fails or is missed.
CREATE FUNCTION @extschema@._alert_of_runs(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    failure text;
    code text;
BEGIN
    PERFORM @extschema@._alert_raise(model, '{refresh_failed,refresh_overdue}',
                               @extschema@._alert_found_of_runs(model), false);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS failure = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
    RAISE WARNING 'alerts of model % could not be worked out: %', quote_ident(model), failure
        USING DETAIL = format('The error was %s.', code),
                  HINT = format('Where one of their tables is missing, SELECT * FROM '
                                '@extschema@.attach(%L) makes it again.', model);
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_runs(name) IS
'internal: the alerts about the refreshes of a model';

-- Why the log of a model cannot be written; null where it can. A row is written and taken back. A trigger
-- that can be deferred may only fire at the end of the transaction, which is the caller's: then it is not tried.
CREATE FUNCTION @extschema@._unwritable_log(model name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I.run_log IN ROW EXCLUSIVE MODE NOWAIT', model);
    IF EXISTS (SELECT FROM pg_trigger t
               WHERE t.tgrelid = to_regclass(format('%I.run_log', model)) AND t.tgdeferrable) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('INSERT INTO %I.run_log (run_id) OVERRIDING SYSTEM VALUE VALUES (-1)', model);
    EXECUTE format('UPDATE %I.run_log SET status = ''failed'' WHERE run_id = -1', model);
    EXECUTE format('DELETE FROM %I.run_log WHERE run_id = -1', model);
    RAISE SQLSTATE 'AS000';
EXCEPTION
    WHEN SQLSTATE 'AS000' THEN
        RETURN NULL;
    WHEN OTHERS THEN
        RETURN format('%s (%s)', SQLERRM, SQLSTATE);
END $$;
COMMENT ON FUNCTION @extschema@._unwritable_log(name) IS
'internal: why the log of a model cannot be written';

-- A refresh that never begins reports nothing: this is for a scheduler to call. It waits for nobody's
-- lock. At the models of others it only looks, with care, and where the caller may act for their owner
-- it tries as the owner whether their log can be written. That runs triggers: one that ends with a
-- cancel, or lasts until a timeout does, is the last that is tried.
CREATE FUNCTION @extschema@.check_refreshes()
RETURNS TABLE (model name, rule text, message text, value float8, threshold float8)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
SET lock_timeout = '100ms' AS $$
#variable_conflict use_variable
DECLARE
    what record;
    acts boolean;
    tries boolean := NOT current_setting('transaction_read_only')::boolean;
    findings jsonb;
    failure text;
BEGIN
    FOR what IN
        SELECT n.nspname AS model, n.oid AS schema,
               min(t.relowner) FILTER (WHERE t.relname = 'run_log') AS owner,
               count(*) FILTER (WHERE t.relname IN ('run_log', 'alert_rules')) = 2 AS can_be_looked_at,
               count(*) FILTER (WHERE t.relname IN ('alerts', 'settings')) = 2 AS can_keep_alerts
        FROM   @extschema@._models() m(schema)
        JOIN   pg_namespace n ON n.oid = m.schema
        LEFT   JOIN pg_class t ON t.relnamespace = n.oid
                               AND t.relname IN ('run_log', 'alert_rules', 'alerts', 'settings')
        WHERE  has_schema_privilege(n.oid, 'USAGE')
        GROUP  BY n.oid, n.nspname
        HAVING coalesce(bool_and(t.relname NOT IN ('run_log', 'alert_rules')
                                 OR has_table_privilege(t.oid, 'SELECT')), true)
        ORDER  BY n.nspname
    LOOP
        findings := '[]';
        failure := NULL;
        -- Who owns but a part could have put code there.
        acts := @extschema@._may_act_for(what.owner)
                AND (@extschema@._foreign_part(what.schema, what.owner)).what IS NULL;
        <<look>>
        BEGIN
            EXIT look WHEN NOT what.can_be_looked_at;
            -- From here on they stay as they are.
            EXECUTE format('LOCK TABLE ONLY %1$I.run_log, ONLY %1$I.alert_rules
                            IN ACCESS SHARE MODE NOWAIT', what.model);
            CONTINUE WHEN NOT (acts AND what.owner = @extschema@._caller())
                          AND NOT @extschema@._is_plain(what.schema, 'run_log', 'alert_rules');
            findings := coalesce(@extschema@._look(what.owner, format(
                'SELECT @extschema@._alert_found_of_runs(%L)', what.model)), '[]');
            IF tries AND what.owner = @extschema@._caller() AND acts AND what.can_keep_alerts THEN
                PERFORM @extschema@._as_owner(what.owner, format(
                    'LOCK TABLE %I.alerts IN SHARE ROW EXCLUSIVE MODE NOWAIT', what.model));
                PERFORM @extschema@._as_owner(what.owner, format(
                    'SELECT @extschema@._alert_raise(%L, ''{refresh_failed,refresh_overdue}'', %L, false)',
                    what.model, findings));
            END IF;
            IF tries AND acts THEN
                failure := 'The log of its refreshes cannot be written: ' || @extschema@._as_owner(
                    what.owner, format('SELECT @extschema@._unwritable_log(%L)', what.model));
            END IF;
        EXCEPTION
            WHEN query_canceled THEN
                tries := false;
                failure := 'Its refreshes could not be checked: ' || SQLERRM;
            WHEN OTHERS OR assert_failure THEN
                failure := 'Its refreshes could not be checked: ' || SQLERRM;
        END;
        RETURN QUERY
            SELECT what.model, f.rule, f.message, f.value, f.threshold
            FROM   jsonb_to_recordset(findings) AS f(rule text, message text, value float8,
                                                     threshold float8)
            UNION  ALL
            SELECT what.model, 'broken', format('The model is broken: %s. %s', b.why, @extschema@._mending(what.model)),
                   NULL, NULL
            FROM   @extschema@._broken(what.schema) AS b(why) WHERE b.why IS NOT NULL
            UNION  ALL
            SELECT what.model, 'refresh_failed', failure || '.', NULL, NULL WHERE failure IS NOT NULL;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.check_refreshes() IS
'failed and overdue refreshes of the models one may read; of one''s own it also keeps and tells the alerts, once; for a scheduler';

-- Figures go with their run. A foreign key would do as much, and get in the way of a restore of data.
CREATE FUNCTION @extschema@._forget_figures(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(format('%I.run_figures', model)) IS NOT NULL THEN
        EXECUTE format('DELETE FROM %1$I.run_figures f
                        WHERE NOT EXISTS (SELECT FROM %1$I.run_log l WHERE l.run_id = f.run_id)', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._forget_figures(name) IS 'internal: forgets figures of runs that are no longer kept';
