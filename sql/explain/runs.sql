-- What changed between two runs of a model, and why; what student.sql begins with holds here too.

-- A gradebook rebuilt from some of its rows.
CREATE FUNCTION @extschema@._rebuilt(model name, condition text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        '(SELECT @extschema@._gradebook_agg(
              r.student, r.item, r.assessment, r.score, r.min_score, r.max_score, r.taken_at::%s,
              CASE WHEN r.state IN (''scored'', ''no_score'') THEN ''counts'' ELSE r.state END,
              r.attempt, r.item_position)
          FROM @extschema@.responses(g.gradebook) r WHERE %s)',
        @extschema@._type(_rebuilt.model, 'responses', 'taken_at'), _rebuilt.condition);
END;
COMMENT ON FUNCTION @extschema@._rebuilt(name, text) IS
'internal: the gradebook of some of a gradebook''s responses';

-- The times that two runs are of; an error where they cannot be compared.
CREATE FUNCTION @extschema@._run_times(
    model name, run_a bigint, run_b bigint, OUT before timestamptz, OUT after timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept text;
    known bigint;
BEGIN
    EXECUTE @extschema@._over(model, $sql$
        SELECT max({as_of}) FILTER (WHERE g.run_id = $1),
               max({as_of}) FILTER (WHERE g.run_id = $2),
               count(DISTINCT g.run_id) FILTER (WHERE g.run_id IN ($1, $2)),
               min(g.run_id) || ' to ' || max(g.run_id)
        FROM {model}.run_log g WHERE g.run_id IN (SELECT h.run_id FROM {model}.history h)
        $sql$, jsonb_build_object('as_of', @extschema@._local(model, 'g.as_of')))
    INTO before, after, known, kept USING run_a, run_b;
    IF known < 1 + (run_a <> run_b)::int THEN
        RAISE EXCEPTION 'model % has no history of that run', quote_ident(model)
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('Asked for are the runs %s and %s.', run_a, run_b),
                  HINT = CASE WHEN kept IS NULL
                              THEN format('It has no history yet: CALL @extschema@.refresh(%L) '
                                          'makes some.', model)
                              ELSE format('It has history of successful runs from %s; keep_history '
                                          'says how many are kept. See %I.runs.', kept, model) END;
    END IF;
    IF before > after THEN
        RAISE EXCEPTION 'run_a is of a later time than run_b'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Their results are of %s and of %s.', before, after),
                  HINT = 'Give the one with the earlier as_of first.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._run_times(name, bigint, bigint) IS
'internal: the times that two runs are of';

-- By how much each cause moves each level. One thing is changed after another, and each level is
-- compared with the one before it:
--   then, under the settings of run_a; later, by the same responses; with the newer ones; and
--   under the settings of run_b. Where the newer ones come in, what happens to the level with
--   all questions weighing alike is scores, and the rest weights.
CREATE FUNCTION @extschema@._run_causes(
    model name, run_a bigint, run_b bigint, before timestamptz, after timestamptz)
RETURNS TABLE (
    subject text, student text, scores float8, weights float8, "time" float8, settings float8,
    fresh bigint, known bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH g AS (SELECT * FROM {model}.gradebook),
        set AS MATERIALIZED (
            SELECT (jsonb_populate_record(c, l.settings)).*, l.run_id AS run
            FROM {model}.settings c CROSS JOIN {model}.run_log l WHERE l.run_id IN ($1, $2)),
        a AS (SELECT * FROM set WHERE run = $1),
        b AS (SELECT * FROM set WHERE run = $2),
        old AS MATERIALIZED (SELECT g.subject, {old_gradebook} AS gradebook FROM g),
        was AS MATERIALIZED (
            SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL {students_before} x),
        aged AS MATERIALIZED (
            SELECT g.subject, x.* FROM old g CROSS JOIN a CROSS JOIN LATERAL {students_after} x),
        aged_alike AS MATERIALIZED (
            SELECT g.subject, x.* FROM old g CROSS JOIN a CROSS JOIN LATERAL {students_alike} x),
        more AS MATERIALIZED (
            SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL {students_after} x),
        more_alike AS MATERIALIZED (
            SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL {students_alike} x),
        now AS MATERIALIZED (
            SELECT g.subject, x.* FROM g CROSS JOIN b CROSS JOIN LATERAL {students_now} x),
        fresh AS MATERIALIZED (
            SELECT g.subject, r.student, count(*) AS n
            FROM g CROSS JOIN b CROSS JOIN LATERAL {counted_now} r
            WHERE r.taken_at > $3
            GROUP BY g.subject, r.student)
        SELECT n.subject::text, n.student, more_alike.level - v.aged_alike,
               more.level - v.aged - (more_alike.level - v.aged_alike), v.aged - was.level,
               n.level - more.level, coalesce(fresh.n, 0), was.n
        FROM now n
        LEFT JOIN more ON ARRAY[more.subject] = ARRAY[n.subject] AND more.student = n.student
        LEFT JOIN more_alike ON ARRAY[more_alike.subject] = ARRAY[n.subject]
                             AND more_alike.student = n.student
        LEFT JOIN aged ON ARRAY[aged.subject] = ARRAY[n.subject] AND aged.student = n.student
        LEFT JOIN aged_alike ON ARRAY[aged_alike.subject] = ARRAY[n.subject]
                             AND aged_alike.student = n.student
        LEFT JOIN was ON ARRAY[was.subject] = ARRAY[n.subject] AND was.student = n.student
        LEFT JOIN fresh ON ARRAY[fresh.subject] = ARRAY[n.subject] AND fresh.student = n.student
        -- A student with only a row without a score was at the average.
        LEFT JOIN (SELECT p.subject, max(p.prior) AS aged FROM aged p GROUP BY p.subject) m
               ON ARRAY[m.subject] = ARRAY[n.subject]
        LEFT JOIN (SELECT p.subject, max(p.prior) AS aged FROM aged_alike p
                   GROUP BY p.subject) m_alike
               ON ARRAY[m_alike.subject] = ARRAY[n.subject]
        CROSS JOIN LATERAL (
            SELECT coalesce(aged.level, m.aged) AS aged,
                   coalesce(aged_alike.level, m_alike.aged) AS aged_alike) v
        $sql$, jsonb_build_object(
            'old_gradebook', @extschema@._rebuilt(model, 'r.taken_at <= $3'),
            'students_before', @extschema@._call(model, '@extschema@.students', '{"as_of": "$3"}',
                                                 'a'),
            'students_after', @extschema@._call(model, '@extschema@.students', '{"as_of": "$4"}',
                                                'a'),
            'students_alike', @extschema@._call(model, '@extschema@.students',
                                                '{"as_of": "$4", "quality": "false"}', 'a'),
            'counted_now', @extschema@._call(model, '@extschema@.counted_responses',
                                             '{"as_of": "$4"}', 'b'),
            'students_now', @extschema@._call(model, '@extschema@.students', '{"as_of": "$4"}',
                                              'b')))
    USING run_a, run_b, before, after;
END $$;
COMMENT ON FUNCTION @extschema@._run_causes(name, bigint, bigint, timestamptz, timestamptz) IS
'internal: what moved the levels of students between two runs';

-- The levels of two runs, with the causes of what changed. Where a level is unknown, so are its
-- parts.
CREATE FUNCTION @extschema@._run_changes(
    model name, run_a bigint, run_b bigint, before timestamptz, after timestamptz)
RETURNS TABLE (
    subject text, student text, level_before float8, level_after float8, change float8,
    by_scores float8, by_weights float8, by_time float8, by_settings float8, by_other float8,
    new_answers bigint, late_answers bigint, need_rank_before bigint, need_rank_after bigint,
    reason text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH causes AS MATERIALIZED (
            SELECT * FROM @extschema@._run_causes($5, $1, $2, $3, $4)),
        moved AS (
            SELECT k.subject, k.student, y.level AS before, z.level AS after,
                   z.level - y.level AS change, y.n, y.need_rank AS rank_before,
                   z.need_rank AS rank_after, y.student IS NULL AS is_new,
                   z.student IS NULL AS is_gone
            FROM (SELECT DISTINCT h.subject, h.student FROM {model}.history h
                  WHERE h.run_id IN ($1, $2)) k
            LEFT JOIN {model}.history y ON y.run_id = $1 AND y.student = k.student
                                        AND ARRAY[y.subject] = ARRAY[k.subject]
            LEFT JOIN {model}.history z ON z.run_id = $2 AND z.student = k.student
                                        AND ARRAY[z.subject] = ARRAY[k.subject])
        SELECT m.subject::text, m.student::text, m.before, m.after, m.change, p.scores, p.weights,
               p.time, p.settings, p.other, coalesce(t.fresh, 0), p.late, m.rank_before,
               m.rank_after, w.reason
        FROM moved m
        LEFT JOIN causes t ON ARRAY[t.subject] = ARRAY[m.subject::text]
                           AND t.student::{student_type} = m.student
        CROSS JOIN LATERAL (
            SELECT CASE WHEN m.change IS NOT NULL THEN coalesce(t.scores, 0) END AS scores,
                   CASE WHEN m.change IS NOT NULL THEN coalesce(t.weights, 0) END AS weights,
                   CASE WHEN m.change IS NOT NULL THEN coalesce(t.time, 0) END AS time,
                   CASE WHEN m.change IS NOT NULL THEN coalesce(t.settings, 0) END AS settings,
                   m.change - coalesce(t.scores, 0) - coalesce(t.weights, 0)
                       - coalesce(t.time, 0) - coalesce(t.settings, 0) AS other,
                   -- Known now about the time of run_a, but not known then.
                   greatest(coalesce(t.known - m.n, 0), 0) AS late) p
        CROSS JOIN LATERAL (
            SELECT CASE WHEN m.is_new THEN 'new' WHEN m.is_gone THEN 'gone'
                        WHEN abs(m.change) < 0.005 THEN 'unchanged'
                        WHEN m.change IS NULL THEN 'other'
                        ELSE (SELECT v.reason FROM (VALUES
                                  (1, CASE WHEN t.fresh > 0 THEN 'scores' ELSE 'others' END,
                                   p.scores),
                                  (2, 'weights', p.weights), (3, 'time', p.time),
                                  (4, 'settings', p.settings),
                                  (5, CASE WHEN p.late > 0 THEN 'late' ELSE 'other' END, p.other))
                                  AS v(place, reason, part)
                              WHERE sign(v.part) = sign(m.change)
                              ORDER BY abs(v.part) DESC, v.place LIMIT 1) END AS reason) w
        ORDER BY m.subject, abs(m.change) DESC NULLS FIRST, m.student
        $sql$, jsonb_build_object('student_type', @extschema@._type(model, 'students', 'student')))
    USING run_a, run_b, before, after, model;
END $$;
COMMENT ON FUNCTION @extschema@._run_changes(name, bigint, bigint, timestamptz, timestamptz) IS
'internal: the levels of two runs, with the causes of what changed';

-- Sentences of compare_runs().
CREATE FUNCTION @extschema@._describe_causes(
    by_scores float8, by_weights float8, by_time float8, by_settings float8, by_other float8,
    new_answers bigint, late_answers bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ': ' || pg_catalog.string_agg(pg_catalog.format(
               CASE v.place WHEN 1 THEN '%s moved it %s by %s' ELSE '%s %s by %s' END, v.cause,
               CASE WHEN v.part > 0 THEN 'up' ELSE 'down' END, @extschema@._amount(v.part)),
               ', ' ORDER BY v.place)
    FROM  (SELECT u.*, pg_catalog.row_number() OVER (ORDER BY pg_catalog.abs(u.part) DESC, u.cause)
                           AS place
           FROM (VALUES
               (CASE WHEN new_answers > 0 THEN @extschema@._count(new_answers, 'new answer')
                     ELSE 'new answers of others' END, by_scores),
               ('the weights of questions', by_weights),
               ('the passing of time', by_time),
               ('changed settings', by_settings),
               (CASE WHEN late_answers > 0
                     THEN @extschema@._count(late_answers, 'answer') || ' that came late'
                     ELSE 'corrections and unknown causes' END, by_other)) AS u(cause, part)
           WHERE pg_catalog.abs(u.part) >= 0.005) v;
END;
COMMENT ON FUNCTION @extschema@._describe_causes(
    float8, float8, float8, float8, float8, bigint, bigint) IS
'internal: what moved a level, in words; null where nothing did';

CREATE FUNCTION @extschema@._describe_change(
    reason text, change float8, level_before float8, level_after float8, causes text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN reason = 'new' THEN coalesce(
        'is new, at ' || @extschema@._points(level_after) || ' out of 100.', 'is new.')
    WHEN reason = 'gone' THEN 'is not there any more.'
    WHEN change IS NULL THEN 'had no level that could be compared.'
    WHEN reason = 'unchanged'
         OR @extschema@._points(level_before, 1) = @extschema@._points(level_after, 1)
    THEN pg_catalog.format('stayed at %s out of 100%s.', @extschema@._points(level_after), causes)
    ELSE (SELECT pg_catalog.format(
                     'went %s from %s to %s out of 100%s.',
                     CASE WHEN change > 0 THEN 'up' ELSE 'down' END,
                     @extschema@._points(level_before, d.digits),
                     @extschema@._points(level_after, d.digits), causes)
          -- Two levels that whole points would show as one are shown to a tenth.
          FROM (SELECT CASE WHEN @extschema@._points(level_before)
                                 = @extschema@._points(level_after) THEN 1 ELSE 0 END) d(digits))
    END;
COMMENT ON FUNCTION @extschema@._describe_change(text, float8, float8, float8, text) IS
'internal: what became of a student between two runs, in words';

CREATE FUNCTION @extschema@.compare_runs(model name, run_a bigint, run_b bigint)
RETURNS TABLE (
    subject text, student text, level_before float8, level_after float8, change float8,
    by_scores float8, by_weights float8, by_time float8, by_settings float8, by_other float8,
    new_answers bigint, late_answers bigint, need_rank_before bigint, need_rank_after bigint,
    reason text, reason_rank int, explanation text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    times record;
BEGIN
    PERFORM @extschema@._must_read(model, 'history', 'gradebook', 'settings', 'run_log');
    IF run_a IS NULL OR run_b IS NULL THEN
        RETURN;
    END IF;
    -- On its own, so that an error in it has no page of SQL as its context.
    times := @extschema@._run_times(model, run_a, run_b);
    RETURN QUERY
        SELECT c.*, array_position('{new,gone,scores,others,weights,time,settings,late,other,
                                     unchanged}'::text[], c.reason),
               @extschema@._sentence(
                   @extschema@._in_subject(model, c.subject),
                   format('student %s ', @extschema@._quoted(c.student))
                   || @extschema@._describe_change(
                          c.reason, c.change, c.level_before, c.level_after,
                          @extschema@._describe_causes(
                              c.by_scores, c.by_weights, c.by_time, c.by_settings, c.by_other,
                              c.new_answers, c.late_answers)))
        FROM   @extschema@._run_changes(model, run_a, run_b, times.before, times.after) c;
END $$;
COMMENT ON FUNCTION @extschema@.compare_runs IS
'which students moved between two refreshes of a model, and why: new scores, weights of '
'questions, time, settings; the parts add up to the change';
