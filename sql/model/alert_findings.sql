-- Which rules hold for the results of a run. Each function checks one kind of rule.

-- A question that separates the wrong way, by its correlation with the other scores; and totals
-- that came in as questions.
CREATE FUNCTION @extschema@._alert_of_questions(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT r.rule, q.subject, NULL::text, q.item, q.r_rest, r.threshold, false,
               format('Question %s %s is %s: stronger students do worse on it, %s'
                      ' (correlation %s, %s answers).',
                      @extschema@._quoted(q.item), @extschema@._alert_subject(q.subject),
                      q.status,
                      CASE q.status WHEN 'flawed' THEN 'beyond chance' ELSE 'perhaps by chance' END,
                      round(q.r_rest::numeric, 2), q.n)
        FROM   {model}.alert_rules r
        JOIN  (SELECT k.subject::text AS subject, k.item::text AS item, k.status, k.r_rest, k.n
               FROM   {model}.questions k) q ON r.rule = q.status || '_questions'
        WHERE  r.enabled AND q.r_rest <= r.threshold
        AND    r.rule IN ('flawed_questions', 'suspect_questions')
        UNION  ALL
        SELECT r.rule, t.subject, NULL, NULL, t.n, r.threshold, false,
               format(@extschema@._plural(t.n,
                          '%s question %s is the sum or the mean of others and counts for nothing:'
                          ' leave it out with the setting exclude_items; question_review shows it.',
                          '%s questions %s are the sum or the mean of others and count for nothing:'
                          ' leave them out with the setting exclude_items; question_review shows'
                          ' them.'),
                      t.n, @extschema@._alert_subject(t.subject))
        FROM   {model}.alert_rules r
        CROSS  JOIN (SELECT k.subject::text AS subject, count(*) AS n
                     FROM   {model}.questions k WHERE k.status = 'total'
                     GROUP  BY k.subject::text) t
        WHERE  r.enabled AND r.rule = 'total_questions' AND t.n > r.threshold
        $sql$);
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_questions(name) IS
'internal: which rules about questions hold of a model';

-- A subject with too little evidence about its students, or without new responses for long.
CREATE FUNCTION @extschema@._alert_of_subjects(model name, run bigint) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH there AS (
            SELECT s.subject::text AS subject, @extschema@._alert_subject(s.subject::text) AS place,
                   count(*) AS students,
                   count(*) FILTER (WHERE s.status IN ('none', 'provisional')) AS thin,
                   count(*) FILTER (WHERE s.status <> 'none') AS known,
                   max(s.last_at) AS last_at,
                   (extract(epoch FROM max(s.as_of) - max(s.last_at)) / 86400)::float8 AS age
            FROM   {model}.students s GROUP BY s.subject::text),
        -- A subject of which no row counts, or that was there at the last run, or is missed since,
        -- has no students now.
        subjects AS (
            SELECT t.* FROM there t
            UNION ALL
            SELECT g.subject, @extschema@._alert_subject(g.subject), NULL, NULL, 0, NULL, NULL
            FROM  (SELECT b.subject::text FROM {model}.gradebook b
                   UNION
                   SELECT f.subject FROM {model}.run_figures f
                   WHERE  f.figure = 'left_out'
                   AND    f.run_id = (SELECT max(l.run_id) FROM {model}.run_log l
                                      WHERE l.run_id < $1 AND l.status = 'succeeded')
                   UNION
                   SELECT a.subject FROM {model}.alerts a
                   WHERE  a.rule = 'few_students' AND a.ended IS NULL) g
            WHERE  NOT EXISTS (SELECT FROM there t WHERE ARRAY[t.subject] = ARRAY[g.subject])),
        rules AS (SELECT * FROM {model}.alert_rules a WHERE a.enabled)
        SELECT r.rule, s.subject, NULL::text, NULL::text, s.thin::float8 / s.students, r.threshold,
               false,
               format('Little is known %s: %s of %s students (%s) have no evidence or that'
                      ' of one or two assessments, more than %s.', s.place, s.thin, s.students,
                      @extschema@._percent(s.thin::float8 / s.students, 1),
                      @extschema@._percent(r.threshold, 1))
        FROM   rules r CROSS JOIN subjects s
        WHERE  r.rule = 'little_evidence' AND s.thin::float8 / s.students > r.threshold
        UNION  ALL
        SELECT r.rule, s.subject, NULL, NULL, s.known, r.threshold, false,
               format('There is evidence of %s %s %s, fewer than %s.',
                      CASE WHEN s.known = 0 THEN 'no' ELSE 'only ' || s.known END,
                      @extschema@._plural(s.known, 'student'), s.place, r.threshold)
        FROM   rules r CROSS JOIN subjects s
        WHERE  r.rule = 'few_students' AND s.known < r.threshold
        UNION  ALL
        SELECT r.rule, s.subject, NULL, NULL, s.age, r.threshold, false,
               format('There is no result %s since %s: %s days, more than %s.', s.place,
                      @extschema@._day(s.last_at), @extschema@._rounded_up(s.age), r.threshold)
        FROM   rules r CROSS JOIN subjects s
        WHERE  r.rule = 'no_new_rows' AND s.age > r.threshold
        $sql$) USING run;
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_subjects(name, bigint) IS
'internal: which rules about subjects hold of a model';

-- What became of the rows of a model but for those of assessments that its settings leave out, as
-- the view coverage counts all.
CREATE FUNCTION @extschema@._rows_asked_about(model name)
RETURNS TABLE (subject text, reason text, rows bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT c.subject::text, c.reason, c.rows
        FROM   {model}.coverage c
        WHERE  NOT EXISTS (SELECT FROM {model}.settings s WHERE cardinality(s.exclude) > 0)
        UNION  ALL
        SELECT g.subject::text, v.reason, v.rows
        FROM   {gradebooks} CROSS JOIN LATERAL {coverage} v
        WHERE  EXISTS (SELECT FROM {model}.settings s WHERE cardinality(s.exclude) > 0)
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model),
            'coverage', @extschema@._call(model, '@extschema@._coverage_asked'::regproc)));
END $$;
COMMENT ON FUNCTION @extschema@._rows_asked_about(name) IS
'internal: what became of the rows of a model that its settings do not leave out';

-- Some of so many rows, in a sentence, with the verb that follows.
CREATE FUNCTION @extschema@._alert_rows(
    n bigint, rows bigint, place text, one text, many text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN rows = 1 THEN pg_catalog.format('The only row %s %s', place, one)
                ELSE pg_catalog.format('%s of the %s rows %s %s', n, rows, place,
                                       CASE n WHEN 1 THEN one ELSE many END) END;
END;
COMMENT ON FUNCTION @extschema@._alert_rows(bigint, bigint, text, text, text) IS
'internal: some of so many rows, in a sentence';

-- A subject with rows that do not count though they might, or of which more do not than at the run
-- before.
CREATE FUNCTION @extschema@._alert_of_rows(model name, run bigint, before bigint) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH rules AS (SELECT * FROM {model}.alert_rules a WHERE a.enabled),
        counts AS (
            SELECT c.subject, sum(c.rows)::bigint AS rows,
                   sum(c.rows) FILTER (WHERE @extschema@._is_left_out(c.reason))::bigint
                       AS left_out,
                   string_agg(format('%s %s', c.rows, c.reason), ', ' ORDER BY c.rows DESC)
                       FILTER (WHERE @extschema@._is_left_out(c.reason) AND c.rows > 0) AS reasons,
                   sum(c.rows) FILTER (WHERE c.reason = 'conflicting')::bigint AS conflicting
            FROM   @extschema@._rows_asked_about($3) c GROUP BY c.subject),
        shares AS (
            SELECT n.*, n.subject AS name, @extschema@._alert_subject(n.subject) AS place,
                   n.left_out / nullif(n.rows, 0)::float8 AS share,
                   n.conflicting / nullif(n.rows, 0)::float8 AS conflict
            FROM   counts n)
        SELECT r.rule, s.name, NULL::text, NULL::text, s.share, r.threshold, false,
               format('%s: %s.%s', @extschema@._alert_rows(
                          s.left_out, s.rows, s.place, 'does not count', 'do not count'),
                      s.reasons, ' ' || {advice})
        FROM   {gradebooks} CROSS JOIN rules r
        JOIN   shares s ON ARRAY[s.subject] = ARRAY[g.subject::text]
        WHERE  r.rule = 'rows_left_out' AND s.share > r.threshold
        UNION  ALL
        SELECT r.rule, s.name, NULL, NULL, s.conflict, r.threshold, false,
               format('%s another of the same student, question,'
                      ' assessment and time, and the higher score counts: where two questions have'
                      ' one name make it unique, where they are attempts name the attempt.',
                      @extschema@._alert_rows(s.conflicting, s.rows, s.place, 'contradicts',
                                              'contradict'))
        FROM   rules r CROSS JOIN shares s
        WHERE  r.rule = 'conflicting_rows' AND s.conflict > r.threshold
        UNION  ALL
        SELECT r.rule, l.subject, NULL, NULL, l.rise, r.threshold, true,
               format('%s of the %s rows %s were left out, %s at the refresh before;'
                      ' coverage shows why.', @extschema@._percent(l.value, 1), l.size,
                      @extschema@._alert_subject(l.subject), @extschema@._percent(l.before, 1))
        FROM   rules r
        CROSS  JOIN (SELECT n.*, b.value AS before,
                            round((n.value - b.value)::numeric, 12)::float8 AS rise
                     FROM   {model}.run_figures n
                     JOIN   {model}.run_figures b
                            ON  b.run_id = $2 AND b.figure = 'left_out'
                            AND ARRAY[b.subject] = ARRAY[n.subject]
                     WHERE  n.run_id = $1 AND n.figure = 'left_out') l
        WHERE  r.rule = 'left_out_rose' AND l.rise > r.threshold
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model),
            'advice', @extschema@._call(model, '@extschema@._scale_advice'::regproc)))
        USING run, before, model;
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_rows(name, bigint, bigint) IS
'internal: whether rows of a model do not count';

-- A question whose rows do not count, or a subject with many blanks. Where blanks are not ignored,
-- they are known and meant.
CREATE FUNCTION @extschema@._alert_of_answers(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH rules AS (SELECT * FROM {model}.alert_rules a WHERE a.enabled),
        questions AS (
            SELECT q.subject::text AS subject, q.item::text AS item, q.n, q.left_out, q.blank,
                   @extschema@._alert_subject(q.subject::text) AS place
            FROM   {model}.questions q),
        left_out AS (
            SELECT q.*, q.left_out::float8 / (q.left_out + q.n) AS share, r.rule, r.threshold
            FROM   rules r CROSS JOIN questions q
            WHERE  r.rule = 'question_left_out' AND q.left_out > 0
            AND    q.left_out::float8 / (q.left_out + q.n) > r.threshold),
        reasons AS (
            SELECT g.subject::text AS subject, v.item, sum(v.rows)::bigint AS rows,
                   string_agg(format('%s %s', v.rows, v.reason), ', ' ORDER BY v.rows DESC)
                       FILTER (WHERE @extschema@._is_left_out(v.reason)) AS reasons
            FROM   {gradebooks} CROSS JOIN LATERAL {coverage} v
            WHERE  ARRAY[g.subject::text] IN (SELECT ARRAY[k.subject] FROM left_out k)
            GROUP  BY g.subject::text, v.item),
        advice AS (
            SELECT g.subject::text AS subject, a.item, a.advice
            FROM   {gradebooks} CROSS JOIN LATERAL {advice} a
            WHERE  ARRAY[g.subject::text] IN (SELECT ARRAY[k.subject] FROM left_out k))
        SELECT l.rule, l.subject, NULL::text, l.item, l.share, l.threshold, false,
               format('%s: %s.%s', @extschema@._alert_rows(
                          l.left_out, l.n + coalesce(y.rows, l.left_out),
                          format('of question %s %s', @extschema@._quoted(l.item), l.place),
                          'does not count', 'do not count'),
                      y.reasons, ' ' || a.advice)
        FROM   left_out l
        LEFT   JOIN reasons y ON ARRAY[y.subject, y.item] = ARRAY[l.subject, l.item]
        LEFT   JOIN advice a ON ARRAY[a.subject, a.item] = ARRAY[l.subject, l.item]
        UNION  ALL
        SELECT r.rule, b.subject, NULL, NULL, b.share, r.threshold, false,
               format('%s of the answers %s are blank and do not count: a student who leaves blank'
                      ' what is hard gains by it. Set the option blanks to say what a blank'
                      ' counts as.',
                      @extschema@._percent(b.share, 1), b.place)
        FROM   rules r
        CROSS  JOIN (SELECT q.subject, q.place, sum(q.blank)::float8
                            / nullif(sum(q.n) + sum(q.blank), 0)::float8 AS share
                     FROM   questions q GROUP BY q.subject, q.place) b
        CROSS  JOIN {model}.settings o
        WHERE  r.rule = 'blank_answers' AND b.share > r.threshold AND o.blanks = 'ignore'
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model),
            'coverage', @extschema@._call(model, '@extschema@.coverage_by_item'::regproc),
            'advice', @extschema@._call(model, '@extschema@._scale_advice_by_item'::regproc)));
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_answers(name) IS
'internal: whether rows of a model''s questions do not count';

-- A group that leaves more blank than others do, beyond two standard errors. Each student counts
-- once, as blanks of one student say little of a group.
CREATE FUNCTION @extschema@._alert_of_blanks(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH groups AS (
            SELECT s.subject::text AS subject, s.student_group::text AS student_group,
                   count(*) AS n, sum(b.share) AS sum, sum(b.share ^ 2) AS squares
            FROM   {model}.students s
            CROSS  JOIN LATERAL (
                SELECT s.omitted::float8 / (s.omitted + s.n) AS share) b
            WHERE  s.omitted + s.n > 0
            GROUP  BY s.subject::text, s.student_group::text),
        sides AS (
            SELECT g.*, sum(g.n) OVER w - g.n AS others,
                   sum(g.sum) OVER w - g.sum AS others_sum,
                   sum(g.squares) OVER w - g.squares AS others_squares
            FROM   groups g WINDOW w AS (PARTITION BY g.subject)),
        shares AS (
            SELECT d.subject, d.student_group, d.n, d.sum / d.n AS share,
                   d.others_sum / nullif(d.others, 0) AS others,
                   -- Of a difference of two means.
                   sqrt(greatest(d.squares - d.sum ^ 2 / d.n, 0) / d.n / nullif(d.n - 1, 0)
                        + greatest(d.others_squares - d.others_sum ^ 2 / nullif(d.others, 0), 0)
                          / nullif(d.others * (d.others - 1), 0)) AS se
            FROM   sides d CROSS JOIN {model}.settings o
            WHERE  d.n >= greatest(10, o.min_group_size) AND d.others > 1
            AND    d.student_group IS NOT NULL AND o.blanks = 'ignore')
        SELECT r.rule, h.subject, h.student_group, NULL::text,
               coalesce(h.share / nullif(h.others, 0), 'Infinity'), r.threshold, false,
               format('Students of %s leave %s of the answers %s blank, others %s: a student who'
                      ' leaves blank what is hard gains by it. Set the option blanks to say what'
                      ' a blank counts as.', @extschema@._quoted(h.student_group),
                      @extschema@._percent(h.share, 1), @extschema@._alert_subject(h.subject),
                      @extschema@._percent(h.others, 1))
        FROM   {model}.alert_rules r CROSS JOIN shares h
        WHERE  r.rule = 'blanks_of_group' AND r.enabled
        AND    h.share > r.threshold * h.others AND h.share - h.others > 2 * h.se
        $sql$);
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_blanks(name) IS
'internal: which groups of a model leave more blank than others';

-- Questions of fewer points than was said, perhaps: shares that were said to be percentages.
CREATE FUNCTION @extschema@._alert_of_scales(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT r.rule, u.subject, NULL::text, NULL::text, u.n::float8, r.threshold, false,
               format(@extschema@._plural(u.n,
                          '%s question %s has no score above %s, though its max_score is %s'
                          ' (question %s): see how many points could be had, which is 1 for shares;'
                          ' a column can say it for each row.',
                          '%s questions %s have no score above %s, though their max_score is %s or'
                          ' more (question %s and others): see how many points could be had, which'
                          ' is 1 for shares; a column can say it for each row.'),
                      u.n, @extschema@._alert_subject(u.subject), u.most, u.points,
                      @extschema@._quoted(u.first))
        FROM   {model}.alert_rules r
        CROSS  JOIN (SELECT g.subject::text AS subject, count(*) AS n, min(q.item) AS first,
                            max(q.most) AS most, min(q.max_score) AS points
                     FROM   {gradebooks} CROSS JOIN LATERAL {unused_scales} q
                     GROUP  BY g.subject::text) u
        WHERE  r.rule = 'unused_scale' AND r.enabled AND u.n > r.threshold
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model),
            'unused_scales', @extschema@._call(model, '@extschema@._unused_scales'::regproc)));
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_scales(name) IS
'internal: which subjects of a model have questions that use next to nothing of their scale';

-- What settings leave out and no subject has: a slip of the pen leaves out nothing.
CREATE FUNCTION @extschema@._alert_of_exclusions(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH ids AS (
            SELECT 'assessment' AS kind, a.id
            FROM   {model}.settings o CROSS JOIN LATERAL unnest(o.exclude) a(id)
            UNION
            SELECT 'question', i.id
            FROM   {model}.settings o CROSS JOIN LATERAL unnest(o.exclude_items) i(id)),
        unknown AS (
            SELECT count(*) AS n,
                   string_agg(format('%s %s', n.kind, @extschema@._quoted(n.id)), ', '
                              ORDER BY n.place) FILTER (WHERE n.place <= 3)
                   || CASE WHEN count(*) > 3 THEN format(' and %s more', count(*) - 3) ELSE '' END
                       AS ids
            FROM  (SELECT i.*, row_number() OVER (ORDER BY i.kind, i.id) AS place
                   FROM   ids i
                   WHERE  i.id IS NOT NULL AND NOT EXISTS (
                              SELECT FROM {model}.gradebook g
                              WHERE  CASE i.kind
                                     WHEN 'question' THEN @extschema@._has_item(g.gradebook, i.id)
                                     ELSE @extschema@._has_assessment(g.gradebook, i.id) END)) n)
        SELECT r.rule, NULL::text, NULL::text, NULL::text, u.n::float8, r.threshold, false,
               format('No row is of %s, which the settings leave out: see how the source writes'
                      ' %s.', u.ids, CASE u.n WHEN 1 THEN 'it' ELSE 'them' END)
        FROM   {model}.alert_rules r CROSS JOIN unknown u
        WHERE  r.rule = 'unknown_exclusions' AND r.enabled AND u.n > r.threshold
        $sql$);
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_exclusions(name) IS
'internal: whether settings of a model leave out what is not there';

-- Rows of a time that often stands for never.
CREATE FUNCTION @extschema@._alert_of_times(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT r.rule, g.subject::text, NULL::text, NULL::text, g.zero::float8, r.threshold, false,
               format('%s of 1970-01-01, the time 0 of computers: where that'
                      ' stands for never, make it NULL in a view by nullif(); a row without a time'
                      ' does not count.', @extschema@._alert_rows(
                          g.zero, g.rows, @extschema@._alert_subject(g.subject::text), 'is',
                          'are'))
        FROM   {model}.alert_rules r
        CROSS  JOIN (SELECT b.subject, b.rows, @extschema@._zero_times(b.gradebook) AS zero
                     FROM   {model}.gradebook b OFFSET 0) g
        WHERE  r.rule = 'zero_times' AND r.enabled AND g.zero > r.threshold
        $sql$);
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_times(name) IS
'internal: whether rows of a model are of the time 0';

-- A group whose level has moved. A level may creep: it is also compared with the level that was
-- last reported.
CREATE FUNCTION @extschema@._alert_of_levels(model name, run bigint, before bigint) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH levels AS (
            SELECT DISTINCT ON (n.subject, n.student_group)
                   n.*, b.value AS before, b.as_of AS since, n.value - b.value AS moved, e.se,
                   (n.value - b.value) / nullif(e.se, 0) AS in_errors,
                   n.student_group IS NULL AND n.has_groups AS is_rest
            FROM  (SELECT f.*, bool_or(f.student_group IS NOT NULL) OVER (PARTITION BY f.subject)
                                   AS has_groups
                   FROM   {model}.run_figures f WHERE f.run_id = $1 AND f.figure = 'level') n
            JOIN   {model}.run_figures b
                   ON  b.run_id = $2 AND b.figure IN ('level', 'reported_level')
                   AND ARRAY[b.subject, b.student_group] = ARRAY[n.subject, n.student_group]
            CROSS  JOIN LATERAL (SELECT sqrt(n.value_se ^ 2 + b.value_se ^ 2) AS se) e
            ORDER  BY n.subject, n.student_group,
                      abs(n.value - b.value) / nullif(e.se, 0) DESC NULLS LAST, b.figure)
        SELECT r.rule, l.subject, l.student_group, NULL::text, l.in_errors, r.threshold, true,
               format('The level %s%s %s from %s to %s since %s, %s times the standard'
                      ' error of the change (%s %s).',
                      CASE WHEN l.is_rest THEN 'of students without a named group '
                           WHEN l.student_group IS NOT NULL
                           THEN 'of ' || @extschema@._quoted(l.student_group) || ' '
                           ELSE '' END,
                      @extschema@._alert_subject(l.subject),
                      CASE WHEN l.moved < 0 THEN 'fell' ELSE 'rose' END,
                      round(l.before::numeric, 3), round(l.value::numeric, 3),
                      CASE WHEN l.since = l.as_of THEN 'an earlier run, also of '
                           ELSE '' END || @extschema@._day(l.since),
                      coalesce(round(abs(l.in_errors)::numeric, 1)::text, 'many'),
                      l.size, @extschema@._plural(l.size, 'student'))
        FROM   {model}.alert_rules r CROSS JOIN levels l
        WHERE  r.rule = 'level_moved' AND r.enabled
        AND    CASE WHEN l.se > 0 THEN abs(l.in_errors) > r.threshold
                    ELSE l.se = 0 AND l.moved <> 0 END
        $sql$) USING run, before;
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_levels(name, bigint, bigint) IS
'internal: which levels of groups have moved';

-- Students who look like rows that sum up the others.
CREATE FUNCTION @extschema@._alert_of_summaries(model name) RETURNS TABLE (
    rule text, subject text, student_group text, item text, value float8, threshold float8,
    is_event boolean, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT r.rule, s.subject, NULL::text, NULL::text, s.n::float8, r.threshold, false,
               format(@extschema@._plural(s.n,
                          '%s student %s looks like a row that sums up the others, their mean or'
                          ' maximum: assess.summary_rows() shows which; leave it out with a WHERE'
                          ' in a view.',
                          '%s students %s look like rows that sum up the others, their mean or'
                          ' maximum: assess.summary_rows() shows which; leave them out with a WHERE'
                          ' in a view.'),
                      s.n, @extschema@._alert_subject(s.subject))
        FROM   {model}.alert_rules r
        CROSS  JOIN (SELECT g.subject::text AS subject, count(*) AS n
                     FROM   {model}.gradebook g CROSS JOIN {model}.settings o
                     CROSS  JOIN LATERAL {summary_rows} v
                     GROUP  BY g.subject::text) s
        WHERE  r.enabled AND r.rule = 'summary_rows' AND s.n > r.threshold
        $sql$, jsonb_build_object('summary_rows', @extschema@._call(
            model, '@extschema@.summary_rows'::regproc)));
END $$;
COMMENT ON FUNCTION @extschema@._alert_of_summaries(name) IS
'internal: whether students of a model are rows that sum up others';

-- All of them as a JSON array of alerts, of each rule the clearest first.
CREATE FUNCTION @extschema@._alert_found(model name, run bigint, before bigint) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(f)
                                         || pg_catalog.jsonb_build_object('run_id', run)
                        ORDER BY k.place, pg_catalog.abs(f.value - f.threshold) DESC, f.subject,
                                 f.student_group, f.item), '[]')
    FROM  (SELECT * FROM @extschema@._alert_of_questions(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_subjects(model, run)
           UNION ALL SELECT * FROM @extschema@._alert_of_rows(model, run, before)
           UNION ALL SELECT * FROM @extschema@._alert_of_answers(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_blanks(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_scales(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_exclusions(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_times(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_summaries(model)
           UNION ALL SELECT * FROM @extschema@._alert_of_levels(model, run, before)) f
    JOIN   @extschema@._alert_rules() k ON k.rule = f.rule;
END;
COMMENT ON FUNCTION @extschema@._alert_found(name, bigint, bigint) IS
'internal: which rules hold of the results of a run';

-- Which rules about refreshes hold, of which check_refreshes() also asks models of others.
CREATE FUNCTION @extschema@._alert_found_of_runs(model name) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    findings jsonb;
BEGIN
    EXECUTE @extschema@._over(model, $sql$
        WITH rules AS (
            SELECT k.place, a.rule, a.threshold
            FROM   ONLY {model}.alert_rules a JOIN @extschema@._alert_rules() k ON k.rule = a.rule
            WHERE  a.enabled),
        runs AS (
            SELECT l.run_id, l.started, l.finished,
                   CASE WHEN l.broken_off IS NULL THEN l.status ELSE 'failed' END AS status,
                   coalesce(l.broken_off, l.sqlstate) AS sqlstate
            FROM  (SELECT g.*, CASE
                       -- No run before the last one that is logged as running is at work.
                       WHEN g.status = 'running' AND g.run_id < max(g.run_id)
                            FILTER (WHERE g.status = 'running') OVER () THEN '57014'
                       ELSE @extschema@._broken_off(g.tableoid, g.status, g.pid, g.started)
                       END AS broken_off
                   FROM ONLY {model}.run_log g OFFSET 0) l),
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
                   format('The refresh of %s failed (error %s)%s; ' || CASE
                              WHEN $1 IS NULL
                              THEN 'the results are lost, but for the history.'
                              ELSE 'the results are still those of %s.' END,
                          @extschema@._moment(b.started), b.sqlstate,
                          CASE WHEN b.n > 1 THEN format(', the last of %s failures in a row', b.n)
                               ELSE '' END,
                          @extschema@._moment(g.at)) AS message
            FROM   rules r CROSS JOIN good g CROSS JOIN bad b
            WHERE  r.rule = 'refresh_failed' AND b.n >= r.threshold
            UNION  ALL
            SELECT r.place, r.rule, a.hours, r.threshold, NULL,
                   format('The results are %s hours old, more than %s: the last refresh that'
                          ' succeeded was that of %s.', @extschema@._rounded_up(a.hours),
                          r.threshold, @extschema@._moment(g.at))
            FROM   rules r CROSS JOIN good g
            CROSS  JOIN LATERAL (
                SELECT (extract(epoch FROM clock_timestamp() - g.at) / 3600)::float8 AS hours) a
            WHERE  r.rule = 'refresh_overdue' AND a.hours > r.threshold)
        SELECT jsonb_agg(to_jsonb(f) || '{"is_event": false}' ORDER BY f.place) FROM found f
        $sql$) INTO findings USING to_regclass(format('%I.gradebook', model));
    RETURN coalesce(findings, '[]');
END $$;
COMMENT ON FUNCTION @extschema@._alert_found_of_runs(name) IS
'internal: which rules hold of the refreshes of a model';
