-- The sheets and maps people look at, drawn from a model: SVG by src/core/chart, and the same
-- figures as Vega-Lite specifications. Ids are compared and shown as text; everything is read with
-- the rights of the caller.

-- The beginning of a title.
CREATE FUNCTION @extschema@._titled(subject text, title text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN subject IS NULL THEN upper(left(title, 1)) || substr(title, 2)
                ELSE subject || ': ' || title END
$$;
COMMENT ON FUNCTION @extschema@._titled(text, text) IS 'internal: a title that begins with the subject';

-- A figure as it stands in a Vega-Lite specification; JSON knows no others than finite ones.
CREATE FUNCTION @extschema@._figure(value float8) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN abs(value) < 'Infinity' THEN trim_scale(round(value::numeric, 6)) END
$$;
COMMENT ON FUNCTION @extschema@._figure(float8) IS 'internal: a figure of a picture';

-- A time as Vega-Lite reads it: of the session's time zone, whatever that of the browser.
CREATE FUNCTION @extschema@._figure(value timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_char(value, 'YYYY-MM-DD"T"HH24:MI:SS')
$$;
COMMENT ON FUNCTION @extschema@._figure(timestamptz) IS 'internal: a time of a picture';

-- A time as days since 1970 in the session's time zone.
CREATE FUNCTION @extschema@._days(at timestamptz) RETURNS float8
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT extract(epoch FROM at::timestamp)::float8 / 86400
$$;
COMMENT ON FUNCTION @extschema@._days(timestamptz) IS 'internal: a time as days since 1970';

-- A Vega-Lite specification with what all of them have.
CREATE FUNCTION @extschema@._vega(title text, words text, figures jsonb, rest jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        '$schema', 'https://vega.github.io/schema/vega-lite/v5.json',
        'title', jsonb_build_object('text', title, 'subtitle', words, 'anchor', 'start'),
        'description', title || '. ' || words,
        'data', jsonb_build_object('values', coalesce(figures, '[]')),
        'config', jsonb_build_object('view', jsonb_build_object('stroke', '#cccccc'))) || rest
$$;
COMMENT ON FUNCTION @extschema@._vega(text, text, jsonb, jsonb) IS
'internal: a Vega-Lite specification with what all of them have';

-- The school map.

-- Low is what lies below the mean of the whole subject, also in the picture of one group, so that
-- nobody is low here and high there.
CREATE FUNCTION @extschema@._map_points(model name, subject text, student_group text)
RETURNS TABLE (student text, level float8, slope float8, need float8, quadrant text, middle float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF student_group IS NOT NULL THEN
        PERFORM @extschema@._know(model, 'school_map', 'student_group', student_group, subject);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT p.student::text, p.level, p.slope, p.need, p.quadrant, p.middle_level
         FROM %I.school_map p
         WHERE p.subject::text IS NOT DISTINCT FROM $1
         AND   ($2 IS NULL OR p.student_group::text = $2)
         ORDER BY p.student', model) USING subject, student_group;
END $$;
COMMENT ON FUNCTION @extschema@._map_points(name, text, text) IS 'internal: the points of a school map';

CREATE FUNCTION @extschema@.school_map_svg(
    model name, in_subject text DEFAULT NULL, student_group text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'school_map', NULL, NULL, in_subject);
BEGIN
    RETURN (SELECT @extschema@.school_map_svg(
                       array_agg(p.student), array_agg(p.level), array_agg(p.slope),
                       array_agg(p.need),
                       @extschema@._titled(concat_ws(', ', of, student_group),
                                           'who is low, who is falling?'), max(p.middle))
            FROM @extschema@._map_points(model, of, student_group) p);
END $$;
COMMENT ON FUNCTION @extschema@.school_map_svg(name, text, text) IS
'the school map of a model as an SVG picture: level across, change in 30 days up and down; of a subject, or of one group of it';

CREATE FUNCTION @extschema@._map_frame(levels float8[], changes float8[]) RETURNS TABLE (
    lowest float8,
    highest float8,
    steepest float8
)
LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'map_frame_wrapper';
COMMENT ON FUNCTION @extschema@._map_frame(float8[], float8[]) IS
'internal: what of a map is drawn, without the few far outside';

CREATE FUNCTION @extschema@.school_map_vega(
    model name, in_subject text DEFAULT NULL, student_group text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'school_map', NULL, NULL, in_subject);
    figures jsonb;
    mean numeric;
    has_trend boolean;
    has_none boolean;
    levels float8[];
    changes float8[];
    least_level float8;
    most_level float8;
    steepest float8;
    beyond bigint;
    is_wide boolean;
    is_steep boolean;
    level_axis jsonb;
    change_axis jsonb;
    look jsonb;
    views jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object(
               'student', p.student, 'level', @extschema@._figure(p.level),
               'change', @extschema@._figure(p.slope), 'need', @extschema@._figure(p.need),
               'quadrant', coalesce(p.quadrant, 'no trend yet'))),
           @extschema@._figure(max(p.middle)), bool_or(p.slope IS NOT NULL), bool_or(p.slope IS NULL),
           array_agg(p.level), array_agg(p.slope)
    INTO   figures, mean, has_trend, has_none, levels, changes
    FROM   @extschema@._map_points(model, of, student_group) p WHERE p.level IS NOT NULL;
    -- The few far outside would press all others into one spot, and are drawn at the edge.
    SELECT f.lowest, f.highest, f.steepest INTO least_level, most_level, steepest
    FROM   @extschema@._map_frame(levels, changes) f;
    SELECT bool_or(p.is_wide), bool_or(p.is_steep), count(*) FILTER (WHERE p.is_wide OR p.is_steep)
    INTO   is_wide, is_steep, beyond
    FROM  (SELECT f.level NOT BETWEEN least_level AND most_level AS is_wide,
                  abs(f.change) > steepest AS is_steep
           FROM   unnest(levels, changes) AS f(level, change)) p;
    level_axis := jsonb_build_object(
        'field', 'level', 'type', 'quantitative', 'title', 'Current level',
        'axis', '{"format": ".0%"}'::jsonb,
        'scale', CASE WHEN is_wide THEN
            '{"zero": false, "nice": false, "clamp": true}'::jsonb || jsonb_build_object(
                'domain', jsonb_build_array(@extschema@._figure(least_level),
                                            @extschema@._figure(most_level)))
            ELSE '{"zero": false, "nice": true}' END);
    change_axis := jsonb_build_object(
        'field', 'change', 'type', 'quantitative', 'title', 'Change in 30 days',
        'axis', '{"format": "+.1%"}'::jsonb) || CASE WHEN is_steep THEN
            jsonb_build_object('scale', '{"nice": false, "clamp": true}'::jsonb || jsonb_build_object(
                'domain', jsonb_build_array(@extschema@._figure(-steepest),
                                            @extschema@._figure(steepest))))
            ELSE '{}' END;
    -- Corners as in the SVG: darkest low and falling, deep orange high and rising.
    look := jsonb_build_object(
        'x', level_axis,
        'color', jsonb_build_object(
            'field', 'quadrant', 'type', 'nominal', 'title', 'Quadrant',
            'scale', '{"domain": ["low and falling", "low and rising", "high and falling",
                                  "high and rising", "no trend yet"],
                       "range": ["#240b52", "#6f9be3", "#b79a86", "#e65500", "#777777"]}'::jsonb),
        'shape', jsonb_build_object(
            'field', 'quadrant', 'type', 'nominal', 'title', 'Quadrant',
            'scale', '{"domain": ["low and falling", "low and rising", "high and falling",
                                  "high and rising", "no trend yet"],
                       "range": ["triangle-down", "triangle-up", "diamond", "circle",
                                 "square"]}'::jsonb),
        'size', '{"field": "need", "type": "quantitative", "title": "Need",
                  "scale": {"domain": [0, 1], "range": [40, 180]},
                  "legend": {"format": ".0%", "values": [0, 0.5, 1]}}'::jsonb,
        'tooltip', '[{"field": "student", "type": "nominal", "title": "Student"},
                     {"field": "level", "type": "quantitative", "title": "Level", "format": ".0%"},
                     {"field": "change", "type": "quantitative", "title": "Change in 30 days",
                      "format": "+.1%"},
                     {"field": "need", "type": "quantitative", "title": "Need", "format": ".0%"},
                     {"field": "quadrant", "type": "nominal", "title": "Quadrant"}]'::jsonb);
    views := '[]';
    IF has_trend OR figures IS NULL THEN
        views := views || jsonb_build_object(
            'width', 640, 'height', 420,
            'layer', jsonb_build_array(
                jsonb_build_object(
                    'mark', '{"type": "rule", "strokeDash": [6, 4], "color": "#888888"}'::jsonb,
                    'data', jsonb_build_object('values', jsonb_build_array(
                        jsonb_build_object('level', mean))),
                    'encoding', jsonb_build_object('x', level_axis)),
                '{"mark": {"type": "rule", "color": "#888888"},
                  "encoding": {"y": {"datum": 0}}}'::jsonb,
                jsonb_build_object(
                    'transform', '[{"filter": "datum.change != null"}]'::jsonb,
                    'mark', '{"type": "point", "filled": true, "opacity": 0.88,
                              "stroke": "#ffffff", "strokeWidth": 0.8}'::jsonb,
                    'encoding', look || jsonb_build_object('y', change_axis))));
    END IF;
    IF has_none THEN
        views := views || jsonb_build_object(
            'width', 640, 'height', CASE WHEN has_trend THEN 60 ELSE 420 END,
            'title', '{"text": "No trend yet: too few dates", "fontSize": 11,
                       "anchor": "start"}'::jsonb,
            'transform', '[{"filter": "datum.change == null"}]'::jsonb,
            'mark', '{"type": "point", "filled": false, "strokeWidth": 2}'::jsonb,
            'encoding', look || '{"y": {"field": "student", "type": "nominal", "axis": null}}'::jsonb);
    END IF;
    RETURN @extschema@._vega(
        @extschema@._titled(concat_ws(', ', of, student_group), 'who is low, who is falling?'),
        'Each mark is one student: the further left, the lower now; the further down, the faster falling. The dashed line is the mean level.'
            || CASE WHEN beyond > 0 THEN format(' At the edge, beyond the frame: %s.', beyond)
                    ELSE '' END,
        figures, jsonb_build_object('vconcat', views,
                                    'resolve', '{"scale": {"x": "shared"}}'::jsonb));
END $$;
COMMENT ON FUNCTION @extschema@.school_map_vega(name, text, text) IS
'the school map of a model as a Vega-Lite specification with its data';

-- The curve of a question.

CREATE FUNCTION @extschema@._item_curve_svg(
    title text, words text, bounded boolean, levels float8[], students bigint[],
    scores float8[], ci_lows float8[], ci_highs float8[], expecteds float8[], lowests float8[], highests float8[]) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_curve_svg_wrapper';
COMMENT ON FUNCTION @extschema@._item_curve_svg IS 'internal: draws the curve of a question';

CREATE FUNCTION @extschema@._question_words(model name, item text, subject text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    words text;
BEGIN
    EXECUTE format(
        'SELECT concat_ws(''; '',
             ''mean score '' || @extschema@._percent(q.facility),
             ''discrimination '' || round(q.discrimination::numeric, 2)
                 || coalesce('' ('' || round(q.ci_low::numeric, 2) || '' to ''
                             || round(q.ci_high::numeric, 2) || '')'', ''''),
             CASE q.status
                  WHEN ''flawed'' THEN ''flawed: the stronger do worse on it''
                  WHEN ''suspect'' THEN ''suspect: the stronger do worse on it, perhaps by chance''
                  WHEN ''insufficient'' THEN ''too few answers to judge it''
                  ELSE replace(q.label, ''_'', '' '') END)
         FROM %I.questions q
         WHERE q.item::text = $1 AND q.subject::text IS NOT DISTINCT FROM $2', model)
    INTO words USING item, subject;
    RETURN translate(upper(left(words, 1)) || substr(words, 2), '-', '−') || '.';
END $$;
COMMENT ON FUNCTION @extschema@._question_words(name, text, text) IS 'internal: a question in words';

CREATE FUNCTION @extschema@.item_curve_svg(
    model name, item anycompatible, in_subject text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'questions', 'item', item::text, in_subject,
                                       'students', 'gradebook', 'expectations', 'settings', 'run_log');
BEGIN
    RETURN (SELECT @extschema@._item_curve_svg(
                       @extschema@._titled(of, 'who does well on question ' || item::text || '?'),
                       @extschema@._question_words(model, item::text, of),
                       bool_and(c.expected IS NOT NULL),
                       array_agg(c.level_mean), array_agg(c.students), array_agg(c.mean_score),
                       array_agg(c.ci_low), array_agg(c.ci_high), array_agg(c.expected),
                       array_agg(c.level_low), array_agg(c.level_high))
            FROM @extschema@.question_curve(model, item, of) c
            WHERE c.subject IS NOT DISTINCT FROM of);
END $$;
COMMENT ON FUNCTION @extschema@.item_curve_svg IS
'the mean score on a question by level of the students as an SVG picture, beside what is expected of a question as hard';

CREATE FUNCTION @extschema@.item_curve_vega(
    model name, item anycompatible, in_subject text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'questions', 'item', item::text, in_subject,
                                       'students', 'gradebook', 'expectations', 'settings', 'run_log');
    figures jsonb;
    form text;
    has_expected boolean;
    spec jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object(
               'level', @extschema@._figure(c.level_mean),
               'lowest', @extschema@._figure(c.level_low),
               'highest', @extschema@._figure(c.level_high), 'students', c.students,
               'score', @extschema@._figure(c.mean_score),
               'ci_low', @extschema@._figure(c.ci_low),
               'ci_high', @extschema@._figure(c.ci_high),
               'expected', @extschema@._figure(c.expected)) ORDER BY c.level_group),
           CASE WHEN bool_and(c.expected IS NOT NULL) THEN '.0%' ELSE '.4~g' END,
           coalesce(bool_or(c.expected IS NOT NULL), false)
    INTO   figures, form, has_expected FROM @extschema@.question_curve(model, item, of) c
    WHERE  c.subject IS NOT DISTINCT FROM of;
    spec := replace(
        '{"width": 640, "height": 400,
          "encoding": {
              "x": {"field": "level", "type": "quantitative",
                    "title": "Current level of the students", "axis": {"format": ".0%"},
                    "scale": {"zero": false, "padding": 20}}},
          "layer": [
              {"mark": {"type": "line", "strokeDash": [7, 5], "color": "#666666"},
               "encoding": {
                   "y": {"field": "expected", "type": "quantitative",
                         "title": "Mean score"}}},
              {"mark": {"type": "line", "color": "#555555"},
               "encoding": {"y": {"field": "score", "type": "quantitative",
                                  "title": "Mean score", "axis": {"format": "{form}"}}}},
              {"mark": {"type": "errorbar", "ticks": true, "color": "#333333"},
               "encoding": {
                   "y": {"field": "ci_low", "type": "quantitative", "title": "Mean score"},
                   "y2": {"field": "ci_high"}}},
              {"mark": {"type": "point", "filled": true, "size": 160, "opacity": 1,
                        "stroke": "#111111", "strokeWidth": 1},
               "encoding": {
                   "y": {"field": "score", "type": "quantitative"},
                   "color": {"field": "level", "type": "quantitative", "title": "Level",
                             "scale": {"range": ["#240b52", "#c4b9c0", "#e65500"],
                                       "interpolate": "lab"},
                             "legend": null},
                   "tooltip": [
                       {"field": "students", "type": "quantitative", "title": "Students"},
                       {"field": "lowest", "type": "quantitative", "title": "Level from",
                        "format": ".0%"},
                       {"field": "highest", "type": "quantitative", "title": "Level to",
                        "format": ".0%"},
                       {"field": "score", "type": "quantitative", "title": "Mean score",
                        "format": "{form}"},
                       {"field": "expected", "type": "quantitative", "title": "Expected",
                        "format": "{form}"}]}}]}', '{form}', coalesce(form, '.0%'))::jsonb;
    IF NOT has_expected THEN
        spec := spec #- '{layer,0}';
    END IF;
    RETURN @extschema@._vega(
        @extschema@._titled(of, 'who does well on question ' || item::text || '?'),
        @extschema@._question_words(model, item::text, of) || CASE WHEN has_expected THEN
            ' Dashed: expected of a question as hard that separates as the average one does.'
            ELSE '' END,
        figures, spec);
END $$;
COMMENT ON FUNCTION @extschema@.item_curve_vega IS
'the mean score on a question by level of the students as a Vega-Lite specification with its data';

-- The history of a student.

-- The assessments as assess.explain() weighs them, and what came of them. The line of the trend
-- is that of assess.students(): least squares, weighted without fading, so it goes through the
-- centre of the scores inside the window.
CREATE FUNCTION @extschema@._student_history(
    model name, student text, subject text, OUT tests jsonb, OUT standing jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format(
        'WITH s AS (
             SELECT s.*, o.half_life, o.trend_window, g.as_of AS local_as_of
             FROM   %2$s JOIN %1$I.students s ON s.subject IS NOT DISTINCT FROM g.subject
             WHERE  s.student::text = $1 AND s.subject::text IS NOT DISTINCT FROM $2
         ), e AS (
             SELECT e.assessment, max(e.taken_at) AS taken_at, avg(e.score) AS raw,
                    max(e.decay) AS fade, sum(e.share) AS share, count(*) AS answers,
                    min(s.prior) + sum(e.contribution) / nullif(sum(e.share), 0) AS score
             FROM   %2$s JOIN s ON s.subject IS NOT DISTINCT FROM g.subject
             CROSS  JOIN LATERAL %3$s e
             GROUP  BY e.assessment
         ), line AS (
             SELECT min(e.taken_at) AS first_at, max(e.taken_at) AS last_at,
                    sum(e.share / e.fade * e.score) / sum(e.share / e.fade) AS score,
                    sum(e.share / e.fade * @extschema@._days(e.taken_at))
                        / sum(e.share / e.fade) AS day
             FROM   s JOIN e ON s.trend <> ''unclear'' AND e.share > 0 AND e.fade > 0
                    AND (s.trend_window IS NULL OR e.taken_at >= s.local_as_of - s.trend_window)
         )
         SELECT (SELECT jsonb_agg(jsonb_build_object(
                            ''assessment'', e.assessment, ''taken_at'', @extschema@._figure(e.taken_at),
                            ''day'', @extschema@._days(e.taken_at), ''answers'', e.answers,
                            ''score'', @extschema@._figure(e.score),
                            ''raw_score'', @extschema@._figure(e.raw),
                            ''fade'', @extschema@._figure(e.fade),
                            ''share'', @extschema@._figure(e.share))
                        ORDER BY e.taken_at, e.assessment)
                 FROM e WHERE e.score IS NOT NULL),
                jsonb_build_object(
                    ''as_of'', @extschema@._figure(s.local_as_of),
                    ''day'', @extschema@._days(s.local_as_of),
                    ''level'', @extschema@._figure(s.level),
                    ''ci_low'', @extschema@._figure(s.ci_low),
                    ''ci_high'', @extschema@._figure(s.ci_high),
                    ''prior'', @extschema@._figure(s.prior),
                    ''slope'', @extschema@._figure(s.slope), ''trend'', s.trend,
                    ''half_life'', extract(epoch FROM s.half_life) / 86400,
                    ''first_at'', @extschema@._figure(l.first_at),
                    ''last_at'', @extschema@._figure(l.last_at),
                    ''first_day'', @extschema@._days(l.first_at),
                    ''last_day'', @extschema@._days(l.last_at),
                    ''first_score'', @extschema@._figure(
                        l.score + s.slope / 30 * (@extschema@._days(l.first_at) - l.day)),
                    ''last_score'', @extschema@._figure(
                        l.score + s.slope / 30 * (@extschema@._days(l.last_at) - l.day)))
         FROM s CROSS JOIN line l', model, @extschema@._from(model),
        @extschema@._call(model, '@extschema@.explain'::regproc, '{"student": "$1"}'))
    INTO tests, standing USING student, subject;
END $$;
COMMENT ON FUNCTION @extschema@._student_history(name, text, text) IS
'internal: the assessments of a student with their weights, and what came of them';

CREATE FUNCTION @extschema@._student_history_svg(
    title text, labels text[], days float8[], scores float8[], raw_scores float8[],
    fades float8[], shares float8[], as_of float8, level float8, ci_low float8, ci_high float8,
    prior float8, slope float8, trend text, half_life float8, first_day float8,
    first_score float8, last_day float8, last_score float8) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'student_history_svg_wrapper';
COMMENT ON FUNCTION @extschema@._student_history_svg IS 'internal: draws the history of a student';

CREATE FUNCTION @extschema@.student_history_svg(
    model name, student anycompatible, in_subject text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'students', 'student', student::text, in_subject,
                                       'gradebook', 'settings', 'run_log');
BEGIN
    RETURN (SELECT @extschema@._student_history_svg(
                       @extschema@._titled(of, 'scores and level of student ' || student::text),
                       t.labels, t.days, t.scores, t.raw_scores, t.fades, t.shares, s.day, s.level,
                       s.ci_low, s.ci_high, s.prior, s.slope, s.trend, s.half_life,
                       s.first_day, s.first_score, s.last_day, s.last_score)
            FROM   @extschema@._student_history(model, student::text, of) h
            CROSS  JOIN LATERAL jsonb_to_record(h.standing) AS s(
                       day float8, level float8, ci_low float8, ci_high float8, prior float8,
                       slope float8, trend text, half_life float8, first_day float8,
                       first_score float8, last_day float8, last_score float8)
            CROSS  JOIN LATERAL (
                       SELECT array_agg(t.assessment) AS labels, array_agg(t.day) AS days,
                              array_agg(t.score) AS scores, array_agg(t.raw_score) AS raw_scores,
                              array_agg(t.fade) AS fades, array_agg(t.share) AS shares
                       FROM   jsonb_to_recordset(h.tests) AS t(
                                  assessment text, day float8, score float8, raw_score float8,
                                  fade float8, share float8)) t);
END $$;
COMMENT ON FUNCTION @extschema@.student_history_svg IS
'the scores of a student over time as an SVG picture, with what each still counts, the level and its interval, and the trend';

CREATE FUNCTION @extschema@.student_history_vega(
    model name, student anycompatible, in_subject text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text := @extschema@._picked(model, 'students', 'student', student::text, in_subject,
                                       'gradebook', 'settings', 'run_log');
    h record;
    layers jsonb;
    words text;
BEGIN
    h := @extschema@._student_history(model, student::text, of);
    words := concat(
        coalesce('Level ' || @extschema@._percent((h.standing ->> 'level')::float8)
                 || coalesce(' (likely ' || @extschema@._percent((h.standing ->> 'ci_low')::float8)
                             || ' to ' || @extschema@._percent((h.standing ->> 'ci_high')::float8)
                             || ')', ''), 'No level yet'),
        ' on ', left(h.standing ->> 'as_of', 10), '; ',
        CASE h.standing ->> 'trend' WHEN 'unclear' THEN 'no clear trend' ELSE h.standing ->> 'trend' END,
        '. The larger, the more an assessment counts; the paler, the older.');
    layers := '[
        {"mark": {"type": "point", "filled": true, "color": "#2f5fb3", "stroke": "#2f5fb3",
                  "opacity": 1},
         "encoding": {
             "x": {"field": "taken_at", "type": "temporal", "title": "Time", "scale": {"padding": 14}},
             "y": {"field": "score", "type": "quantitative", "title": "Score, difficulty taken out",
                   "axis": {"format": ".0%"}},
             "size": {"field": "share", "type": "quantitative", "title": "Share of the level",
                      "scale": {"domainMin": 0, "range": [20, 400]}, "legend": {"format": ".0%"}},
             "fillOpacity": {"field": "fade", "type": "quantitative",
                             "title": "What its age leaves of its weight",
                             "scale": {"domain": [0, 1], "range": [0.15, 0.9]},
                             "legend": {"format": ".0%"}},
             "tooltip": [
                 {"field": "assessment", "type": "nominal", "title": "Assessment"},
                 {"field": "taken_at", "type": "temporal", "title": "Taken"},
                 {"field": "answers", "type": "quantitative", "title": "Answers"},
                 {"field": "score", "type": "quantitative", "title": "Score, difficulty taken out",
                  "format": ".0%"},
                 {"field": "raw_score", "type": "quantitative", "title": "Score", "format": ".0%"},
                 {"field": "fade", "type": "quantitative", "title": "Left of its weight",
                  "format": ".0%"},
                 {"field": "share", "type": "quantitative", "title": "Share of the level",
                  "format": ".1%"}]}}]';
    IF h.standing ->> 'level' IS NOT NULL THEN
        layers := layers || jsonb_build_array(
            jsonb_build_object(
                'data', jsonb_build_object('values', jsonb_build_array(h.standing)),
                'mark', '{"type": "errorbar", "ticks": true, "color": "#333333"}'::jsonb,
                'encoding', '{"x": {"field": "as_of", "type": "temporal"},
                              "y": {"field": "ci_low", "type": "quantitative",
                                    "title": "Score, difficulty taken out"},
                              "y2": {"field": "ci_high"}}'::jsonb),
            jsonb_build_object(
                'data', jsonb_build_object('values', jsonb_build_array(h.standing)),
                'mark', '{"type": "point", "shape": "diamond", "filled": true, "size": 180,
                          "opacity": 1, "color": "#111111"}'::jsonb,
                'encoding', '{"x": {"field": "as_of", "type": "temporal"},
                              "y": {"field": "level", "type": "quantitative"},
                              "tooltip": [{"field": "level", "type": "quantitative",
                                           "title": "Level", "format": ".0%"}]}'::jsonb));
    END IF;
    IF h.standing ->> 'first_at' IS NOT NULL THEN
        layers := layers || jsonb_build_object(
            'data', jsonb_build_object('values', jsonb_build_array(
                jsonb_build_object('taken_at', h.standing -> 'first_at',
                                   'score', h.standing -> 'first_score'),
                jsonb_build_object('taken_at', h.standing -> 'last_at',
                                   'score', h.standing -> 'last_score'))),
            'mark', jsonb_build_object('type', 'line', 'strokeWidth', 3, 'strokeDash',
                CASE h.standing ->> 'trend' WHEN 'falling' THEN '[]' WHEN 'rising' THEN '[14, 5]'
                     ELSE '[3, 4]' END::jsonb, 'color',
                CASE h.standing ->> 'trend' WHEN 'falling' THEN '#240b52' WHEN 'rising' THEN '#b84300'
                     ELSE '#555555' END),
            'encoding', '{"x": {"field": "taken_at", "type": "temporal"},
                          "y": {"field": "score", "type": "quantitative"}}'::jsonb);
    END IF;
    RETURN @extschema@._vega(
        @extschema@._titled(of, 'scores and level of student ' || student::text), words, h.tests,
        jsonb_build_object('width', 640, 'height', 360, 'layer', layers));
END $$;
COMMENT ON FUNCTION @extschema@.student_history_vega IS
'the scores of a student over time as a Vega-Lite specification with its data';

-- The score sheet.

CREATE FUNCTION @extschema@._score_sheet_svg(
    title text, words text, students text[], items text[], facilities float8[],
    pass_marks float8[], bounded boolean[], scores float8[], expected float8[], below boolean[]) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'score_sheet_svg_wrapper';
COMMENT ON FUNCTION @extschema@._score_sheet_svg IS 'internal: draws a score sheet';

CREATE FUNCTION @extschema@.score_sheet_svg(
    model name, assessment anycompatible, in_subject text DEFAULT NULL,
    student_group text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
-- The planner takes the sheet of an assessment for a row or two, and would go through all of them for
-- each cell. What it is forbidden looks so dear to it that it compiles what it does instead.
SET enable_nestloop = off SET jit = off AS $$
DECLARE
    of text := @extschema@._picked(model, 'assessments', 'assessment', assessment::text, in_subject,
                                       'questions', 'students', 'score_sheet', 'expectations');
    sheet text;
BEGIN
    PERFORM @extschema@._model(model, 'score_sheet');
    IF student_group IS NOT NULL THEN
        PERFORM @extschema@._know(model, 'students', 'student_group', student_group, of);
    END IF;
    -- Every student beside every question.
    EXECUTE format(
        'WITH a AS MATERIALIZED (
             SELECT r.student, r.item, r.score, r.expected, r.is_below
             FROM   %1$I.score_sheet r
             WHERE  r.assessment = $1::%2$s AND r.subject::text IS NOT DISTINCT FROM $2
             AND    ($4 IS NULL OR r.student_group::text = $4)
         ), i AS (
             SELECT a.item, bool_and(a.expected IS NOT NULL) AS bounded, min(q.facility) AS facility,
                    min(e.pass_mark) FILTER (WHERE a.expected IS NOT NULL) AS pass_mark
             FROM   a
             LEFT   JOIN %1$I.expectations e
                    ON e.item = a.item AND e.subject::text IS NOT DISTINCT FROM $2
             LEFT   JOIN %1$I.questions q
                    ON q.item = a.item AND q.subject::text IS NOT DISTINCT FROM $2
             GROUP  BY a.item
         ), s AS (SELECT DISTINCT a.student FROM a)
         SELECT @extschema@._score_sheet_svg(
                    $3, CASE WHEN i.markable = 0
                        THEN ''Scores as they are: they have no maximum, hence no totals.''
                        ELSE ''Per cent of the points, lowest totals first. Marked: below '' || CASE
                             WHEN i.marked = 0 THEN ''the mean of all students''
                             WHEN i.marked < i.markable
                             THEN ''the pass mark, or else the mean''
                             WHEN i.least < i.most THEN ''the pass mark of the question''
                             ELSE ''the pass mark of '' || @extschema@._percent(i.least, 1)
                             END || ''.'' END,
                    s.list, i.list, i.facilities, i.pass_marks, i.bounded, c.scores, c.expected,
                    c.below)
         FROM  (SELECT array_agg(s.student::text ORDER BY s.student) AS list FROM s) s,
               (SELECT array_agg(i.item::text ORDER BY i.item) AS list,
                       array_agg(i.facility ORDER BY i.item) AS facilities,
                       array_agg(i.pass_mark ORDER BY i.item) AS pass_marks,
                       count(i.pass_mark) AS marked, count(*) FILTER (WHERE i.bounded) AS markable,
                       min(i.pass_mark) AS least, max(i.pass_mark) AS most,
                       array_agg(i.bounded ORDER BY i.item) AS bounded FROM i) i,
               (SELECT array_agg(a.score ORDER BY s.student, i.item) AS scores,
                       array_agg(a.expected ORDER BY s.student, i.item) AS expected,
                       array_agg(a.is_below ORDER BY s.student, i.item) AS below
                FROM s CROSS JOIN i LEFT JOIN a ON a.student = s.student AND a.item = i.item) c',
        model, @extschema@._type(model, 'assessments', 'assessment'))
    INTO sheet USING assessment::text, of, @extschema@._titled(concat_ws(', ', of, student_group),
                                                         'scores in assessment ' || assessment::text),
                     student_group;
    RETURN sheet;
END $$;
COMMENT ON FUNCTION @extschema@.score_sheet_svg IS
'the scores of one assessment as an SVG picture, students by questions, what is below expectation marked; of all students, or of one group';
