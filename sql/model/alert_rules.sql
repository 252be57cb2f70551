-- The rules of alerts, which the owner of a model edits, and the figures of a run that they need of
-- the run before.

-- The rules, with the range of their thresholds and what they usually are. What holds when the
-- model is made is no news, but where rows may be read wrongly.
CREATE FUNCTION @extschema@._alert_rules()
RETURNS TABLE (place int, rule text, unit text, low float8, high float8, usual float8,
               is_news_at_once boolean, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM (VALUES
        (1, 'flawed_questions', 'correlation', -1, 0, 0, false,
         'a question is flawed, with a correlation of threshold or less'),
        (2, 'suspect_questions', 'correlation', -1, 0, -0.1, false,
         'a question is suspect, with a correlation of threshold or less'),
        (3, 'little_evidence', 'share', 0, 1, 0.5, false,
         'more than this share of a subject''s students has no or provisional evidence'),
        (4, 'few_students', 'students', 0, 1e9, 10, false,
         'fewer students of a subject than this have any evidence'),
        (5, 'no_new_rows', 'days', 0, 36500, 21, false,
         'the latest response of a subject that counts is older than this at as_of'),
        (6, 'rows_left_out', 'share', 0, 1, 0.05, true,
         'something is wrong with more than this share of a subject''s rows, which do not count'),
        (7, 'question_left_out', 'share', 0, 1, 0.1, true,
         'something is wrong with more than this share of the rows of a question that count or that'
         ' something is wrong with'),
        (8, 'unused_scale', 'questions', 0, 1e6, 0, true,
         'more questions of a subject than this are of 20 points or more, with scores in range of'
         ' which none is above a twentieth of the points'),
        (9, 'left_out_rose', 'share', 0, 1, 0.02, false,
         'the share of a subject''s rows that are left out rose by more than this since the last'
         ' run'),
        (10, 'conflicting_rows', 'share', 0, 1, 0.001, true,
         'more than this share of a subject''s rows contradict another of the same student,'
         ' question, assessment and time'),
        (11, 'blank_answers', 'share', 0, 1, 0.1, true,
         'more than this share of a subject''s answers are blank'),
        (12, 'blanks_of_group', 'times', 1, 1000, 2, true,
         'a group leaves more than so many times the share blank that others of the subject do'),
        (13, 'zero_times', 'rows', 0, 1e9, 0, true,
         'more rows of a subject than this are of 1970-01-01 00:00, the time 0 of computers'),
        (14, 'total_questions', 'questions', 0, 1e6, 0, true,
         'more questions of a subject than this are the sum or the mean of others'),
        (15, 'summary_rows', 'students', 0, 1e6, 0, true,
         'more students of a subject than this look like rows that sum up the others'),
        (16, 'unknown_exclusions', 'ids', 0, 1e6, 0, true,
         'more ids in exclude and exclude_items than this are of no row'),
        (17, 'level_moved', 'standard errors', 0, 1000, 2, false,
         'the mean level of a group moved by more than this since the last run, or since it was'
         ' last reported'),
        (18, 'refresh_failed', 'refreshes', 1, 1e6, 1, false,
         'so many refreshes failed, one after the other'),
        (19, 'refresh_overdue', 'hours', 0, 1e6, 36, false,
         'the last refresh that succeeded is longer ago than this')
    ) AS r(place, rule, unit, low, high, usual, is_news_at_once, about);
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
                WHEN subject = 'all' THEN 'in this model'
                ELSE 'in ' || @extschema@._quoted(subject) END;
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
    USING run, ARRAY(SELECT s.setting::text FROM @extschema@._settings() s
                     WHERE NOT s.changes_figures);
    RETURN before;
END $$;
COMMENT ON FUNCTION @extschema@._alert_before(name, bigint) IS
'internal: the last run, where a run can be compared with it';

-- The figures of a run that are kept, to compare with those of the next one.
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
                coalesce(sum(c.rows) FILTER (WHERE @extschema@._is_left_out(c.reason)), 0)
                    / sum(c.rows), NULL,
                max(c.as_of)
         FROM   %1$I.coverage c
         GROUP  BY c.subject::text HAVING sum(c.rows) > 0', model) USING run;
END $$;
COMMENT ON FUNCTION @extschema@._alert_figures(name, bigint) IS
'internal: keeps the figures of a run';

-- Figures go with their run. A foreign key would do as much, and get in the way of a restore of
-- data.
CREATE FUNCTION @extschema@._forget_figures(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(format('%I.run_figures', model)) IS NOT NULL THEN
        EXECUTE format('DELETE FROM %1$I.run_figures f
                        WHERE NOT EXISTS (SELECT FROM %1$I.run_log l
                                          WHERE l.run_id = f.run_id)', model);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._forget_figures(name) IS
'internal: forgets figures of runs that are no longer kept';
