-- Alerts: what a refresh finds that somebody should know, by rules that the owner of a model edits.
-- An alert is raised when a rule begins to hold and ends when it no longer does, so that what lasts
-- is reported once. Results never wait for alerts: what goes wrong here is a WARNING.

-- Reports alerts: a WARNING for each rule, and a notification for each alert, but no flood of them.
CREATE FUNCTION @extschema@._alert_report(model name, alerts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    batch record;
    usual constant int := 20;
    payload jsonb;
BEGIN
    FOR batch IN
        SELECT a.rule, count(*) AS n, min(a.alert_id) AS first_id
        FROM   jsonb_to_recordset(alerts) AS a(rule text, alert_id bigint)
        GROUP  BY a.rule ORDER BY min(a.alert_id)
    LOOP
        RAISE WARNING USING
            MESSAGE = format('model %s: %s%s', @extschema@._quoted(model),
                CASE WHEN batch.n > 1
                     THEN format('%s alerts of %s, the clearest: ', batch.n, batch.rule)
                     ELSE '' END,
                (SELECT a.value ->> 'message' FROM jsonb_array_elements(alerts) a
                 WHERE (a.value ->> 'alert_id')::bigint = batch.first_id)),
            HINT = format('See the table alerts of the model, from alert_id %s on.',
                          batch.first_id);
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
            WHERE  a.rule = batch.rule ORDER BY a.alert_id LIMIT usual
        LOOP
            PERFORM pg_notify('assess_alerts', payload::text);
        END LOOP;
        IF batch.n > usual THEN
            PERFORM pg_notify('assess_alerts', (payload || jsonb_build_object(
                'subject', NULL, 'value', NULL,
                'message', format('There are %s more alerts of %s.', batch.n - usual, batch.rule),
                'details', jsonb_build_object('more', batch.n - usual)))::text);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._alert_report(name, jsonb) IS 'internal: reports alerts';

-- Keeps what was found by some rules, ends what no longer holds, and reports what is new.
CREATE FUNCTION @extschema@._alert_raise(
    model name, rules text[], findings jsonb, quiet boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new jsonb;
BEGIN
    -- Two at once would both take an alert for new. Readers do not wait.
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
    IF quiet THEN
        SELECT coalesce(jsonb_agg(a.alert ORDER BY a.place), '[]') INTO new
        FROM   jsonb_array_elements(new) WITH ORDINALITY AS a(alert, place)
        JOIN   @extschema@._alert_rules() k ON k.rule = a.alert ->> 'rule' AND k.is_news_at_once;
    END IF;
    PERFORM @extschema@._alert_report(model, new);
END $$;
COMMENT ON FUNCTION @extschema@._alert_raise(name, text[], jsonb, boolean) IS
'internal: keeps, ends and reports alerts';

-- The alerts after a run that succeeded. What holds when the model is made is kept, but is no news
-- unless rows may be read wrongly.
-- Alerts are recognised by their subject and group as text, and come as JSON: the same in every
-- session. The planner expects one row for the figures of a run that it has no statistics of, and
-- would scan all others for each. A nested loop that is disabled and still needed looks so
-- expensive that Postgres would compile the query.
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

-- The alerts about the refreshes themselves, when one fails or is missed.
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
