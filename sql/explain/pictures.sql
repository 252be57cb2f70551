-- The sheets and maps people look at, drawn from a model: for each picture the rows that it shows
-- are gathered as one JSON value, from which src/chart makes the SVG and the Vega-Lite
-- specification. It is json, which is read once, and not jsonb, which holds no more than 256 MB.
-- Ids are compared and shown as text; everything is read with the rights of the caller.

-- A time as the clock of the session shows it, in microseconds since 1970. Times of the last thirty
-- of 294,276 years have no such number, and count as the last that has one.
CREATE FUNCTION @extschema@._local_microseconds(at timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(least(extract(epoch FROM at::timestamp) * 1000000, 9223372036854775807),
                    -9223372036854775808)::bigint
$$;
COMMENT ON FUNCTION @extschema@._local_microseconds(timestamptz) IS
'internal: a local time in microseconds since 1970';

-- The school map.

-- Low is what lies below the mean of the whole subject, also in the picture of one group, so that
-- nobody is low here and high there.
CREATE FUNCTION @extschema@._map_rows(model name, in_subject text, student_group text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'school_map', NULL, NULL, in_subject);
    gathered json;
BEGIN
    IF student_group IS NOT NULL THEN
        PERFORM @extschema@._must_have(model, 'school_map', 'student_group', student_group, of);
    END IF;
    EXECUTE format(
        'SELECT json_build_object(
                    ''of'', json_build_object(''subject'', $1, ''student_group'', $2),
                    ''mean'', max(p.middle_level),
                    ''points'', coalesce(json_agg(json_build_object(
                        ''student'', p.student::text, ''level'', p.level, ''change'', p.slope,
                        ''need'', p.need) ORDER BY p.student), ''[]''))
         FROM %I.school_map p
         WHERE p.subject::text IS NOT DISTINCT FROM $1
         AND   ($2 IS NULL OR p.student_group::text = $2)', model)
    INTO gathered USING of, student_group;
    RETURN gathered;
END $$;
COMMENT ON FUNCTION @extschema@._map_rows(name, text, text) IS 'internal: what a school map shows';

CREATE FUNCTION @extschema@._map_svg(rows json) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'map_svg_wrapper';
COMMENT ON FUNCTION @extschema@._map_svg(json) IS 'internal: draws a school map';

CREATE FUNCTION @extschema@._map_vega(rows json) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'map_vega_wrapper';
COMMENT ON FUNCTION @extschema@._map_vega(json) IS 'internal: specifies a school map';

CREATE FUNCTION @extschema@.school_map_svg(
    model name, in_subject text DEFAULT NULL, student_group text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._map_svg(@extschema@._map_rows(model, in_subject, student_group));
END $$;
COMMENT ON FUNCTION @extschema@.school_map_svg(name, text, text) IS
'the school map of a model as an SVG picture: level across, change in 30 days up and down; of a '
'subject, or of one group of it';

CREATE FUNCTION @extschema@.school_map_vega(
    model name, in_subject text DEFAULT NULL, student_group text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._map_vega(@extschema@._map_rows(model, in_subject, student_group));
END $$;
COMMENT ON FUNCTION @extschema@.school_map_vega(name, text, text) IS
'the school map of a model as a Vega-Lite specification with its data';

-- The curve of a question.

CREATE FUNCTION @extschema@._curve_rows(model name, item text, in_subject text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'questions', 'item', item, in_subject,
                                   'students', 'gradebook', 'expectations', 'settings', 'run_log');
    gathered json;
BEGIN
    EXECUTE format(
        'SELECT json_build_object(
                    ''of'', json_build_object(''subject'', $2), ''item'', $1,
                    ''facility'', q.facility, ''discrimination'', q.discrimination,
                    ''ci_low'', q.ci_low, ''ci_high'', q.ci_high, ''status'', q.status,
                    ''label'', q.label, ''groups'', (
                        SELECT coalesce(json_agg(json_build_object(
                                   ''lowest'', c.level_low, ''highest'', c.level_high,
                                   ''level'', c.level_mean, ''students'', c.students,
                                   ''score'', c.mean_score, ''ci_low'', c.ci_low,
                                   ''ci_high'', c.ci_high, ''expected'', c.expected)
                                   ORDER BY c.level_group), ''[]'')
                        FROM @extschema@.question_curve($3, $1, $2) c
                        WHERE c.subject IS NOT DISTINCT FROM $2))
         FROM %I.questions q
         WHERE q.item = $1::%s AND q.subject::text IS NOT DISTINCT FROM $2',
        model, @extschema@._type(model, 'questions', 'item'))
    INTO gathered USING item, of, model;
    RETURN gathered;
END $$;
COMMENT ON FUNCTION @extschema@._curve_rows(name, text, text) IS
'internal: what the curve of a question shows';

CREATE FUNCTION @extschema@._curve_svg(rows json) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'curve_svg_wrapper';
COMMENT ON FUNCTION @extschema@._curve_svg(json) IS 'internal: draws the curve of a question';

CREATE FUNCTION @extschema@._curve_vega(rows json) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'curve_vega_wrapper';
COMMENT ON FUNCTION @extschema@._curve_vega(json) IS 'internal: specifies the curve of a question';

CREATE FUNCTION @extschema@.item_curve_svg(
    model name, item anycompatible, in_subject text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._curve_svg(@extschema@._curve_rows(model, item::text, in_subject));
END $$;
COMMENT ON FUNCTION @extschema@.item_curve_svg IS
'the mean score on a question by level of the students as an SVG picture, beside what is '
'expected of a question as hard';

CREATE FUNCTION @extschema@.item_curve_vega(
    model name, item anycompatible, in_subject text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._curve_vega(@extschema@._curve_rows(model, item::text, in_subject));
END $$;
COMMENT ON FUNCTION @extschema@.item_curve_vega IS
'the mean score on a question by level of the students as a Vega-Lite specification with its data';

-- The history of a student.

CREATE FUNCTION @extschema@._trend_line(
    gradebook @extschema@.gradebook,
    student text,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    adjust_difficulty boolean DEFAULT true,
    shrink boolean DEFAULT true,
    weight_floor float8 DEFAULT 0.25,
    min_answers float8 DEFAULT 10,
    flag_answers int DEFAULT 30,
    flag_alpha float8 DEFAULT 0.05,
    quality boolean DEFAULT true,
    counting text DEFAULT 'effective',
    half_precision_items float8 DEFAULT 20,
    trend_window interval DEFAULT '180 days',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    first_at timestamptz,
    first_score float8,
    last_at timestamptz,
    last_score float8
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'trend_line_wrapper';
COMMENT ON FUNCTION @extschema@._trend_line IS
'internal: the ends of the line of a student''s trend; whether it is clear, students says';

-- The assessments as assess.explain() weighs them, and what came of them.
CREATE FUNCTION @extschema@._history_rows(model name, student text, in_subject text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'students', 'student', student, in_subject,
                                   'gradebook', 'settings', 'run_log');
    given jsonb := '{"student": "s.student::text"}';
    gathered json;
BEGIN
    EXECUTE format(
        'WITH e AS (
             SELECT e.assessment, max(e.taken_at) AS taken_at, avg(e.score) AS raw_score,
                    max(e.decay) AS fade, sum(e.share) AS share, count(*) AS answers,
                    min(s.prior) + sum(e.contribution) / nullif(sum(e.share), 0) AS score
             FROM   %2$s JOIN %1$I.students s ON s.subject IS NOT DISTINCT FROM g.subject
             CROSS  JOIN LATERAL %3$s e
             WHERE  s.student = $1::%5$s AND s.subject::text IS NOT DISTINCT FROM $2
             GROUP  BY e.assessment
         )
         SELECT json_build_object(
                    ''of'', json_build_object(''subject'', $2), ''student'', $1,
                    ''tests'', (
                        SELECT coalesce(json_agg(json_build_object(
                                   ''assessment'', e.assessment,
                                   ''taken_at'', @extschema@._local_microseconds(e.taken_at),
                                   ''answers'', e.answers, ''score'', e.score,
                                   ''raw_score'', e.raw_score, ''fade'', e.fade,
                                   ''share'', e.share)
                                   ORDER BY e.taken_at, e.assessment), ''[]'')
                        FROM e WHERE e.score IS NOT NULL),
                    ''standing'', json_build_object(
                        ''as_of'', @extschema@._local_microseconds(g.as_of), ''level'', s.level,
                        ''ci_low'', s.ci_low, ''ci_high'', s.ci_high, ''prior'', s.prior,
                        ''slope'', s.slope, ''trend'', s.trend,
                        ''half_life'', extract(epoch FROM o.half_life) / 86400,
                        ''line'', t.ends))
         FROM   %2$s JOIN %1$I.students s ON s.subject IS NOT DISTINCT FROM g.subject
         LEFT   JOIN LATERAL (
                    SELECT json_build_array(
                               json_build_object(
                                   ''at'', @extschema@._local_microseconds(t.first_at),
                                   ''score'', t.first_score),
                               json_build_object(
                                   ''at'', @extschema@._local_microseconds(t.last_at),
                                   ''score'', t.last_score)) AS ends
                    FROM   %4$s t WHERE s.trend <> ''unclear'') t ON true
         WHERE  s.student = $1::%5$s AND s.subject::text IS NOT DISTINCT FROM $2',
        model, @extschema@._from(model),
        @extschema@._call(model, '@extschema@.explain'::regproc, given),
        @extschema@._call(model, '@extschema@._trend_line'::regproc, given),
        @extschema@._type(model, 'students', 'student'))
    INTO gathered USING student, of;
    RETURN gathered;
END $$;
COMMENT ON FUNCTION @extschema@._history_rows(name, text, text) IS
'internal: what the history of a student shows';

CREATE FUNCTION @extschema@._history_svg(rows json) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_svg_wrapper';
COMMENT ON FUNCTION @extschema@._history_svg(json) IS 'internal: draws the history of a student';

CREATE FUNCTION @extschema@._history_vega(rows json) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'history_vega_wrapper';
COMMENT ON FUNCTION @extschema@._history_vega(json) IS
'internal: specifies the history of a student';

CREATE FUNCTION @extschema@.student_history_svg(
    model name, student anycompatible, in_subject text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._history_svg(@extschema@._history_rows(model, student::text, in_subject));
END $$;
COMMENT ON FUNCTION @extschema@.student_history_svg IS
'the scores of a student over time as an SVG picture, with what each still counts, the level and '
'its interval, and the trend';

CREATE FUNCTION @extschema@.student_history_vega(
    model name, student anycompatible, in_subject text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@._history_vega(@extschema@._history_rows(model, student::text, in_subject));
END $$;
COMMENT ON FUNCTION @extschema@.student_history_vega IS
'the scores of a student over time as a Vega-Lite specification with its data';

-- The score sheet.

CREATE FUNCTION @extschema@._sheet_svg(rows json) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'sheet_svg_wrapper';
COMMENT ON FUNCTION @extschema@._sheet_svg(json) IS 'internal: draws a score sheet';

CREATE FUNCTION @extschema@.score_sheet_svg(
    model name, assessment anycompatible, in_subject text DEFAULT NULL,
    student_group text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
-- The planner takes the sheet of an assessment for a row or two, and would go through all of them
-- for each cell. What it is forbidden looks so dear to it that it compiles what it does instead.
SET enable_nestloop = off SET jit = off AS $$
DECLARE
    of text := @extschema@._picked(model, 'assessments', 'assessment', assessment::text, in_subject,
                                       'questions', 'students', 'score_sheet', 'expectations');
    gathered json;
BEGIN
    PERFORM @extschema@._model(model, 'score_sheet');
    IF student_group IS NOT NULL THEN
        PERFORM @extschema@._must_have(model, 'students', 'student_group', student_group, of);
    END IF;
    -- Every student beside every question.
    EXECUTE format(
        'WITH a AS MATERIALIZED (
             SELECT r.student, r.item, r.score, r.expected, r.is_below
             FROM   %1$I.score_sheet r
             WHERE  r.assessment = $1::%2$s AND r.subject::text IS NOT DISTINCT FROM $2
             AND    ($3 IS NULL OR r.student_group::text = $3)
         ), i AS (
             SELECT a.item, bool_and(a.expected IS NOT NULL) AS bounded,
                    min(q.facility) AS facility,
                    min(e.pass_mark) FILTER (WHERE a.expected IS NOT NULL) AS pass_mark
             FROM   a
             LEFT   JOIN %1$I.expectations e
                    ON e.item = a.item AND e.subject::text IS NOT DISTINCT FROM $2
             LEFT   JOIN %1$I.questions q
                    ON q.item = a.item AND q.subject::text IS NOT DISTINCT FROM $2
             GROUP  BY a.item
         ), s AS (SELECT DISTINCT a.student FROM a
         ), c AS (
             SELECT s.student, json_agg(json_build_array(a.score, a.expected, a.is_below)
                                        ORDER BY i.item) AS cells
             FROM   s CROSS JOIN i LEFT JOIN a ON a.student = s.student AND a.item = i.item
             GROUP  BY s.student
         )
         SELECT json_build_object(
                    ''of'', json_build_object(''subject'', $2, ''student_group'', $3),
                    ''assessment'', $1,
                    ''questions'', (
                        SELECT coalesce(json_agg(json_build_object(
                                   ''item'', i.item::text, ''facility'', i.facility,
                                   ''pass_mark'', i.pass_mark, ''bounded'', i.bounded)
                                   ORDER BY i.item), ''[]'') FROM i),
                    ''students'', (
                        SELECT coalesce(json_agg(json_build_object(
                                   ''student'', c.student::text, ''cells'', c.cells)
                                   ORDER BY c.student), ''[]'') FROM c))',
        model, @extschema@._type(model, 'assessments', 'assessment'))
    INTO gathered USING assessment::text, of, student_group;
    RETURN @extschema@._sheet_svg(gathered);
END $$;
COMMENT ON FUNCTION @extschema@.score_sheet_svg IS
'the scores of one assessment as an SVG picture, students by questions, what is below '
'expectation marked; of all students, or of one group';
