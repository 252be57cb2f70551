-- Explanations of a model's results, for people: as flat rows, and as a paragraph of plain English
-- that stands in the row whose numbers it tells. Everything is given under the settings of the run
-- that made the results, so that it explains these and not others.
--
-- The planner takes the subjects of a student or a question for a few, and would go through all of
-- another relation for each. Where it is forbidden to, that looks so dear to it that it compiles
-- what it does instead, which takes seconds, so that is forbidden too.
--
-- All run with the rights of their caller. No message names a student: those who read the server's
-- log need not know who was looked at.

-- Of a student.

CREATE FUNCTION @extschema@.student_answers(
    model name, student anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, assessment text, item text, taken_at timestamptz, score float8, expected float8,
    others bigint, others_mean float8, quality float8, decay float8, share float8,
    contribution float8)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    IF student IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'gradebook', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'students', 'student', student::text, $3);
    RETURN QUERY EXECUTE format(
        'SELECT g.subject::text, e.assessment, e.item, e.taken_at, e.score, e.expected, p.others,
                CASE WHEN p.others >= greatest(o.min_group_size, 1) AND q.facility IS NOT NULL
                     THEN greatest(0, least(1, (q.facility * q.n - e.own_sum) / p.others)) END,
                e.quality, e.decay, e.share, e.contribution
         FROM %s
         CROSS JOIN LATERAL (SELECT m.student FROM @extschema@.members(g.gradebook) m
                             WHERE m.student::%s = $1::%2$s) i
         CROSS JOIN LATERAL (SELECT e.*, count(*) OVER w AS own_n, sum(e.score) OVER w AS own_sum
                             FROM %s e WINDOW w AS (PARTITION BY e.item)) e
         LEFT JOIN %I.questions q ON ARRAY[q.subject] = ARRAY[g.subject]
                                  AND q.item = e.item::%s
         CROSS JOIN LATERAL (SELECT greatest(q.n - e.own_n, 0) AS others) p
         ORDER BY g.subject::text, e.contribution, e.assessment, e.item',
        @extschema@._from(model, @extschema@._has(model, 'students', 'student')),
        @extschema@._type(model, 'students', 'student'),
        @extschema@._call(model, '@extschema@.explain', '{"student": "i.student"}'), model,
        @extschema@._type(model, 'questions', 'item')) USING student::text, $3;
END $$;
COMMENT ON FUNCTION @extschema@.student_answers IS
'what raised and lowered a student''s level in a model, answer by answer, with the others'' mean beside it; the contributions add up to level - prior';

CREATE FUNCTION @extschema@.student_assessments(
    model name, student anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, assessment text, status text, status_rank int, taken_at timestamptz,
    due_at timestamptz, answers bigint, score float8, expected float8, others_mean float8,
    quality float8, decay float8, share float8, contribution float8)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    IF student IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'gradebook', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'students', 'student', student::text, $3);
    -- Means under the shares, so that contribution = share * (score - expected) of a row as well.
    RETURN QUERY EXECUTE format(
        'SELECT a.subject, a.assessment, ''taken'', 1, max(a.taken_at), NULL::timestamptz, count(*),
                sum(a.share * a.score) / nullif(sum(a.share), 0),
                sum(a.share * a.expected) / nullif(sum(a.share), 0),
                sum(a.share * a.others_mean)
                    / nullif(sum(a.share) FILTER (WHERE a.others_mean IS NOT NULL), 0),
                avg(a.quality), avg(a.decay), sum(a.share), sum(a.contribution)
         FROM @extschema@.student_answers($3, $1, $2) a GROUP BY a.subject, a.assessment
         UNION ALL
         SELECT g.subject::text, w.assessment, ''missing'', 2, NULL, w.due_at, 0,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM %s CROSS JOIN LATERAL %s w
         WHERE w.student::%s = $1::%3$s
         ORDER BY 1, 4, 14, 6, 2',
        @extschema@._from(model, @extschema@._has(model, 'students', 'student')),
        @extschema@._call(model, '@extschema@.missing_work'),
        @extschema@._type(model, 'students', 'student')) USING student::text, $3, model;
END $$;
COMMENT ON FUNCTION @extschema@.student_assessments IS
'what raised and lowered a student''s level in a model, by assessment, and the due ones that are missing; the contributions add up to level - prior';

CREATE FUNCTION @extschema@.explain_student(
    model name, student anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, level float8, ci_low float8, ci_high float8, prior float8,
    raised float8, lowered float8, level_without_decay float8, level_without_quality float8,
    need float8, trend text, slope float8, n bigint, assessments int, last_at timestamptz,
    due int, missing int, evidence_share float8, usual_margin float8, status text,
    further_assessments int, enough_at timestamptz, as_of timestamptz, explanation text)
LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
DECLARE
    id text := student::text;
    confidence float8;
    stale_days float8;
    opening text;
    name text;
    said text[];
    lowering text[];
    raising text[];
    lowering_n bigint;
    raising_n bigint;
    absent text[];
    absent_n bigint;
BEGIN
    IF id IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'assessments', 'gradebook', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'students', 'student', id, $3);
    name := @extschema@._told(id);
    FOR subject, level, ci_low, ci_high, prior, level_without_decay,
        level_without_quality, need, trend, slope, n, assessments, last_at, due, missing, status,
        usual_margin, further_assessments, enough_at, as_of, confidence, raised, lowered,
        evidence_share, raising_n, lowering_n, lowering, raising, absent_n, absent IN EXECUTE format(
        'WITH f AS MATERIALIZED (
             SELECT g.subject::text AS subject, g.as_of AS local_as_of, g.stored_as_of AS as_of,
                    g.gradebook, o AS settings, o.confidence, x.*
             FROM %1$s CROSS JOIN LATERAL %2$s x),
         one AS MATERIALIZED (SELECT * FROM f WHERE f.student::%5$s = $1::%5$s),
         other AS MATERIALIZED (
             SELECT g.subject, d.level AS without_decay, u.level AS without_quality
             FROM one CROSS JOIN LATERAL (SELECT one.subject, one.gradebook, one.local_as_of AS as_of) g
             CROSS JOIN LATERAL (SELECT (one.settings).*) o
             JOIN LATERAL %3$s d ON d.student = one.student
             JOIN LATERAL %4$s u ON u.student = one.student),
         part AS MATERIALIZED (
             SELECT a.subject, coalesce(sum(greatest(a.contribution, 0)), 0) AS raised,
                    coalesce(sum(least(a.contribution, 0)), 0) AS lowered,
                    coalesce(sum(a.share), 0) AS evidence_share,
                    count(*) FILTER (WHERE a.contribution > 0) AS raising_n,
                    count(*) FILTER (WHERE a.contribution < 0) AS lowering_n,
                    array_agg(w.moved ORDER BY a.contribution, a.assessment)
                        FILTER (WHERE a.contribution <= -0.005) AS lowering,
                    array_agg(w.moved ORDER BY a.contribution DESC, a.assessment)
                        FILTER (WHERE a.contribution >= 0.005) AS raising,
                    count(*) FILTER (WHERE a.status = ''missing'') AS absent_n,
                    array_agg(w.absent ORDER BY a.due_at DESC, a.assessment)
                        FILTER (WHERE a.status = ''missing'') AS absent
             FROM   @extschema@.student_assessments($3, $1, $2) a
             CROSS  JOIN LATERAL (
                        SELECT format(''%%s (%%s)'', @extschema@._told(a.assessment),
                                      @extschema@._amount(a.contribution)) AS moved,
                               format(''%%s (%%s)'', @extschema@._told(a.assessment),
                                      @extschema@._day(a.due_at)) AS absent) w
             GROUP  BY a.subject),
         pace AS (
             SELECT f.subject,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY (f.ci_high - f.ci_low) / 2)
                        FILTER (WHERE f.status = ''ok'') AS margin,
                    percentile_disc(0.5) WITHIN GROUP (ORDER BY f.assessments)
                        FILTER (WHERE f.assessments > 1) AS usual
             FROM f GROUP BY f.subject),
         span AS (
             SELECT a.subject::text AS subject, max(a.last_at) - min(a.first_at) AS span
             FROM %6$I.assessments a GROUP BY a.subject)
         SELECT s.subject, s.level, s.ci_low, s.ci_high, s.prior, other.without_decay,
                other.without_quality, s.need, s.trend, s.slope, s.n, s.assessments, s.last_at,
                s.due, s.missing, s.status, pace.margin, t.further,
                -- In more than a hundred years is never.
                CASE WHEN t.further > 0
                     AND  t.further * (span.span / (pace.usual - 1)) < interval ''100 years''
                     THEN s.local_as_of + t.further * (span.span / (pace.usual - 1)) END,
                s.as_of, s.confidence, coalesce(part.raised, 0), coalesce(part.lowered, 0),
                coalesce(part.evidence_share, 0), coalesce(part.raising_n, 0),
                coalesce(part.lowering_n, 0), part.lowering, part.raising,
                coalesce(part.absent_n, 0), part.absent
         FROM one s
         JOIN other ON ARRAY[other.subject] = ARRAY[s.subject]
         JOIN pace ON ARRAY[pace.subject] = ARRAY[s.subject]
         LEFT JOIN part ON ARRAY[part.subject] = ARRAY[s.subject]
         LEFT JOIN span ON ARRAY[span.subject] = ARRAY[s.subject]
         CROSS JOIN LATERAL (
             SELECT CASE WHEN s.status = ''ok'' THEN 0
                         ELSE greatest(1, 3 - s.assessments) END AS further) t
         ORDER BY s.subject',
        @extschema@._from(model, @extschema@._has(model, 'students', 'student')),
        @extschema@._call(model, '@extschema@.students'),
        @extschema@._call(model, '@extschema@.students', '{"half_life": "@extschema@._no_decay()"}'),
        @extschema@._call(model, '@extschema@.students', '{"quality": "false"}'),
        @extschema@._type(model, 'students', 'student'), model) USING id, $3, model
    LOOP
        opening := @extschema@._in_subject(model, subject);
        IF level IS NULL THEN
            said := ARRAY[@extschema@._sentence(opening, format(
                'nothing is known of student %s, nor of anybody else: no answer counts yet.', name))];
        ELSIF status = 'none' THEN
            said := ARRAY[@extschema@._sentence(opening, format(
                'nothing is known yet of student %s: no answer counts.', name)), format(
                'The level of %s out of 100 is only the average.',
                @extschema@._points(level))];
        ELSE
            said := ARRAY[@extschema@._sentence(opening, format(
                'student %s is at %s out of 100; the average is %s.',
                name, @extschema@._points(level), @extschema@._points(prior)))];
        END IF;
        IF ci_low IS NOT NULL AND ci_high IS NOT NULL THEN
            said := said || format('The true level is %s %% likely to lie between %s and %s.',
                trim_scale(round(100 * confidence::numeric, 1)), @extschema@._points(ci_low),
                @extschema@._points(ci_high));
        ELSIF level IS NOT NULL THEN
            said := said || 'There is too little data for a margin of error.'::text;
        END IF;
        IF need IS NOT NULL THEN
            said := said || format('The chance that it is below the line for help is %s.',
                                   @extschema@._chance(need));
        END IF;
        IF assessments > 0 THEN
            said := said || format('This rests on %s in %s, the last on %s.',
                @extschema@._count(n, 'answer'), @extschema@._count(assessments, 'assessment'),
                @extschema@._day(last_at))
                || format('The answers make up %s of this figure, the average the rest.',
                          @extschema@._chance(evidence_share));
        END IF;
        IF status IN ('provisional', 'stale', 'none') THEN
            said := said || format('%s; %s would be enough%s.', CASE status
                    WHEN 'stale' THEN 'That is old evidence'
                    WHEN 'provisional' THEN 'That is little evidence'
                    ELSE 'There is no evidence' END,
                @extschema@._count(further_assessments, CASE status WHEN 'none' THEN 'assessment'
                                                        ELSE 'further assessment' END),
                coalesce(', at the usual pace by about ' || @extschema@._day(enough_at), ''))
                || CASE WHEN usual_margin IS NOT NULL THEN ARRAY[format(
                       'Levels of students with enough evidence are usually known to within %s.',
                       @extschema@._amount(usual_margin))] END;
        END IF;
        IF raising_n + lowering_n > 0 THEN
            said := said || concat_ws(' ', CASE
                WHEN lowering_n = 0 THEN format(
                    'No assessment lowered the level; %s raised it, by %s in all.',
                    @extschema@._count(raising_n, 'assessment'), @extschema@._amount(raised))
                WHEN raising_n = 0 THEN format(
                    'No assessment raised the level; %s lowered it, by %s in all.',
                    @extschema@._count(lowering_n, 'assessment'), @extschema@._amount(lowered))
                ELSE format('%s lowered the level, by %s in all, and %s raised it, by %s.',
                    @extschema@._count(lowering_n, 'assessment'), @extschema@._amount(lowered),
                    @extschema@._count(raising_n, 'assessment'), @extschema@._amount(raised)) END,
                'What lowered it most ' || CASE cardinality(lowering) WHEN 1 THEN 'was assessment '
                    ELSE 'were assessments ' END || @extschema@._and(lowering[1:3]) || '.',
                'What raised it most ' || CASE cardinality(raising) WHEN 1 THEN 'was assessment '
                    ELSE 'were assessments ' END || @extschema@._and(raising[1:3]) || '.');
        END IF;
        IF status <> 'none' AND level_without_decay IS NOT NULL THEN
            said := said || format('If old answers counted as much as new ones, it would be %s.',
                                   @extschema@._points(level_without_decay))
                || format('If all questions counted alike, it would be %s.',
                          @extschema@._points(level_without_quality));
        END IF;
        IF status <> 'none' THEN
            said := said || CASE
                WHEN trend = 'steady' THEN 'Scores are steady.'
                WHEN trend IN ('falling', 'rising') THEN format(
                    'Scores are %s, by about %s points in 30 days.', trend,
                    trim_scale(greatest(round(abs(100 * slope::numeric), 1), 0.1)))
                ELSE 'It is not clear whether scores are rising or falling.' END;
        END IF;
        IF absent_n > 0 THEN
            said := said || format('Of %s, %s missing: %s.',
                @extschema@._count(due, 'due assessment'),
                format('%s %s', absent_n, @extschema@._is_or_are(absent_n)),
                CASE WHEN absent_n <= 4 THEN @extschema@._and(absent)
                     ELSE array_to_string(absent[1:3], ', ') || format(' and %s more', absent_n - 3)
                END);
        ELSIF due > 0 THEN
            said := said || 'No due assessment is missing.'::text;
        END IF;
        explanation := array_to_string(said, ' ');
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.explain_student IS
'why a student''s level in a model is what it is: the numbers, and a paragraph of plain English';

-- Of a question.

-- The answers to a question that count, with the students' levels.
CREATE FUNCTION @extschema@._question_answers(model name, item text, in_subject text)
RETURNS TABLE (
    subject text, student text, assessment text, taken_at timestamptz, score float8,
    bounded boolean, level float8, pass_mark float8, group_share float8, min_group_size int,
    confidence float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    -- The gradebook is read once, however the rest is joined. A pass mark holds at once, as on the
    -- score sheet.
    RETURN QUERY EXECUTE format(
        'WITH r AS MATERIALIZED (
             SELECT g.subject, r.*, o.upper_lower_share, o.min_group_size, o.confidence
             FROM %1$s CROSS JOIN LATERAL %5$s r
             WHERE r.item::%2$s = $1::%2$s)
         SELECT r.subject::text, r.student, r.assessment, r.taken_at, r.score, r.bounded, s.level,
                e.pass_mark, r.upper_lower_share, r.min_group_size, r.confidence
         FROM r JOIN %3$I.students s ON ARRAY[s.subject] = ARRAY[r.subject]
                                     AND s.student = r.student::%4$s
         LEFT JOIN %3$I.expectations e ON ARRAY[e.subject] = ARRAY[r.subject]
                                       AND e.item = $1::%2$s',
        @extschema@._from(model, @extschema@._has(model, 'questions', 'item')), @extschema@._type(model, 'questions', 'item'), model,
        @extschema@._type(model, 'students', 'student'),
        @extschema@._call(model, '@extschema@.counted_responses'::regproc)) USING item, $3;
END $$;
COMMENT ON FUNCTION @extschema@._question_answers(name, text, text) IS
'internal: the answers to a question that count';

-- The answers of the strongest and of the weakest students, and whether they are right.
CREATE FUNCTION @extschema@._question_sides(model name, item text, in_subject text)
RETURNS TABLE (
    subject text, student text, level float8, assessment text, taken_at timestamptz, score float8,
    bounded boolean, threshold float8, is_strong boolean, is_right boolean, group_share float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Half of the points unless there is a pass mark; without a maximum, the mean.
    RETURN QUERY
        WITH a AS (
            SELECT q.*, CASE WHEN q.bounded THEN coalesce(q.pass_mark, 0.5)
                             ELSE avg(q.score) OVER (PARTITION BY q.subject, q.bounded)
                        END AS threshold,
                   percent_rank() OVER (PARTITION BY q.subject ORDER BY q.level) AS below,
                   percent_rank() OVER (PARTITION BY q.subject ORDER BY q.level DESC) AS above,
                   count(*) OVER (PARTITION BY q.subject) AS in_all
            FROM @extschema@._question_answers(model, $2, $3) q WHERE q.level IS NOT NULL)
        SELECT a.subject, a.student, a.level, a.assessment, a.taken_at, a.score, a.bounded,
               a.threshold, a.above < a.group_share, a.score >= a.threshold, a.group_share
        FROM   a
        -- Who is among both, is among neither.
        WHERE  (a.above < a.group_share) <> (a.below < a.group_share)
        AND    a.in_all >= a.min_group_size;
END $$;
COMMENT ON FUNCTION @extschema@._question_sides(name, text, text) IS
'internal: the answers of the strongest and of the weakest students to a question';

CREATE FUNCTION @extschema@._level_groups(
    levels float8[], scores float8[], bounded boolean, confidence float8, smallest int
) RETURNS TABLE (
    lowest float8,
    highest float8,
    level float8,
    students bigint,
    score float8,
    ci_low float8,
    ci_high float8,
    expected float8
)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'level_groups_wrapper';
COMMENT ON FUNCTION @extschema@._level_groups(float8[], float8[], boolean, float8, int) IS
'internal: mean scores by groups of about the same level';

-- One score a student: the mean where assessments share a question.
CREATE FUNCTION @extschema@.question_curve(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, level_group int, level_low float8, level_high float8, level_mean float8,
    students bigint, mean_score float8, ci_low float8, ci_high float8, expected float8)
LANGUAGE plpgsql STABLE ROWS 8 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'questions', 'students', 'gradebook', 'expectations', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'questions', 'item', $2::text, $3);
    RETURN QUERY
        SELECT s.subject, v.place::int, v.lowest, v.highest, v.level, v.students, v.score, v.ci_low,
               v.ci_high, v.expected
        FROM  (SELECT a.subject, array_agg(a.level ORDER BY a.student) AS levels,
                      array_agg(a.score ORDER BY a.student) AS scores,
                      bool_and(a.bounded) AS bounded, max(a.confidence) AS confidence,
                      max(a.min_group_size) AS smallest
               FROM  (SELECT q.subject, q.student, q.level, avg(q.score) AS score,
                             bool_and(q.bounded) AS bounded, max(q.confidence) AS confidence,
                             max(q.min_group_size) AS min_group_size
                      FROM   @extschema@._question_answers(model, $2::text, $3) q
                      WHERE  q.level IS NOT NULL
                      GROUP  BY q.subject, q.student, q.level) a
               GROUP  BY a.subject) s
        CROSS  JOIN LATERAL @extschema@._level_groups(
                   s.levels, s.scores, s.bounded, s.confidence, s.smallest)
               WITH ORDINALITY AS v(lowest, highest, level, students, score, ci_low, ci_high,
                                    expected, place)
        ORDER  BY s.subject, v.place;
END $$;
COMMENT ON FUNCTION @extschema@.question_curve IS
'how students in groups by level, 1 the lowest, did on a question of a model, beside what is expected of a question as hard';

CREATE FUNCTION @extschema@.question_disagreements(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, kind text, kind_rank int, student text, level float8, assessment text,
    taken_at timestamptz, score float8, threshold float8)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'questions', 'students', 'gradebook', 'expectations', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'questions', 'item', $2::text, $3);
    RETURN QUERY
        SELECT d.subject, k.kind, k.kind_rank, d.student, d.level, d.assessment, d.taken_at,
               d.score, d.threshold
        FROM   @extschema@._question_sides(model, $2::text, $3) d
        JOIN  (VALUES ('strong but wrong', 1, true, false), ('weak but right', 2, false, true))
                   AS k(kind, kind_rank, is_strong, is_right)
               ON k.is_strong = d.is_strong AND k.is_right = d.is_right
        ORDER  BY d.subject, k.kind_rank, abs(d.score - d.threshold) DESC,
                  CASE WHEN d.is_strong THEN - d.level ELSE d.level END, d.student, d.assessment;
END $$;
COMMENT ON FUNCTION @extschema@.question_disagreements IS
'which of the strongest students got a question of a model wrong, and which of the weakest got it right';

CREATE FUNCTION @extschema@.question_choices(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, answer text, n bigint, share float8, mean_score float8, mean_level float8)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'questions', 'students', 'gradebook', 'expectations', 'settings', 'run_log',
                                  'responses');
    PERFORM @extschema@._know(model, 'questions', 'item', $2::text, $3);
    -- Which responses count, the gradebook says; what was answered stands in the source alone, which
    -- is read once, however the rest is joined. Of several rows with one key and time the one is
    -- meant that has the score.
    RETURN QUERY EXECUTE format(
        'WITH r AS MATERIALIZED (
             SELECT * FROM %1$I.responses r
             WHERE r.item = $1::%2$s AND ($2 IS NULL OR r.subject::text = $2)),
         a AS MATERIALIZED (
             SELECT q.*, row_number() OVER () AS id
             FROM @extschema@._question_answers($3, $1, $2) q),
         given AS (
             SELECT DISTINCT ON (a.id) a.*, r.answer::text AS answer
             FROM a
             LEFT JOIN r ON ARRAY[r.subject::text] = ARRAY[a.subject]
                         AND r.student::text = a.student AND r.assessment::text = a.assessment
                         AND r.taken_at::timestamptz = a.taken_at
             CROSS JOIN LATERAL (
                 SELECT a.score * CASE WHEN a.bounded THEN least(r.max_score::float8, 1e300)
                                       ELSE 1 END AS points) p
             ORDER BY a.id,
                      r.score::float8 BETWEEN p.points * (1 - 1e-9) AND p.points * (1 + 1e-9)
                          DESC NULLS LAST,
                      r.answer::text)
         SELECT c.subject, c.answer, c.n, c.n / c.in_all, c.mean_score, c.mean_level
         FROM  (SELECT a.subject, a.answer, count(*) AS n,
                       avg(CASE WHEN a.bounded THEN a.score END) AS mean_score,
                       CASE WHEN count(DISTINCT a.student) >= max(a.min_group_size) THEN avg(a.level)
                       END AS mean_level,
                       (sum(count(*)) OVER w)::float8 AS in_all,
                       bool_or(a.answer IS NOT NULL) OVER w AS known
                FROM given a GROUP BY a.subject, a.answer WINDOW w AS (PARTITION BY a.subject)) c
         WHERE c.known ORDER BY c.subject, c.n DESC, c.answer',
        model, @extschema@._type(model, 'responses', 'item')) USING $2::text, $3, model;
END $$;
COMMENT ON FUNCTION @extschema@.question_choices IS
'which answers were given to a question of a model, how often, and by students of which level';

CREATE FUNCTION @extschema@.question_uses(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, assessment text, first_at timestamptz, last_at timestamptz, n bigint,
    mean_score float8, mean_level float8)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'questions', 'students', 'gradebook', 'expectations', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'questions', 'item', $2::text, $3);
    RETURN QUERY
        SELECT a.subject, a.assessment, min(a.taken_at), max(a.taken_at), count(*),
               CASE WHEN count(*) >= max(a.min_group_size) THEN avg(a.score) END,
               CASE WHEN count(*) >= max(a.min_group_size) THEN avg(a.level) END
        FROM   @extschema@._question_answers(model, $2::text, $3) a
        GROUP  BY a.subject, a.assessment
        ORDER  BY a.subject, min(a.taken_at), a.assessment;
END $$;
COMMENT ON FUNCTION @extschema@.question_uses IS
'in which assessments a question of a model was used, when, and with what success';

-- The right and the most frequent wrong answer of each subject. Those who may not read the source
-- get none.
CREATE FUNCTION @extschema@._question_key(model name, item text, in_subject text)
RETURNS TABLE (
    subject text, right_answer text, right_level float8, wrong_answer text, wrong_share float8,
    wrong_level float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT c.subject, min(c.answer) FILTER (WHERE c.is_right),
               max(c.mean_level) FILTER (WHERE c.is_right),
               min(c.answer) FILTER (WHERE c.wrong = 1), max(c.share) FILTER (WHERE c.wrong = 1),
               max(c.mean_level) FILTER (WHERE c.wrong = 1)
        FROM  (SELECT v.*, v.mean_score >= 1 - 1e-9 AS is_right,
                      CASE WHEN v.mean_score <= 1e-9 THEN row_number() OVER (
                               PARTITION BY v.subject, v.mean_score <= 1e-9
                               ORDER BY v.n DESC, v.answer)
                      END AS wrong
               FROM @extschema@.question_choices(model, $2, $3) v
               WHERE v.answer IS NOT NULL) c
        GROUP  BY c.subject HAVING count(*) FILTER (WHERE c.is_right) = 1;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;
END $$;
COMMENT ON FUNCTION @extschema@._question_key(name, text, text) IS
'internal: the right and the most frequent wrong answer to a question';

CREATE FUNCTION @extschema@.explain_question(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, n bigint, assessments int, first_at timestamptz,
    last_at timestamptz, facility float8, weakest_mean float8, strongest_mean float8,
    discrimination float8, r_rest float8, weight float8, label text, strong bigint,
    strong_wrong bigint, weak bigint, weak_right bigint, right_answer text, wrong_answer text,
    wrong_share float8, wrong_level float8, right_level float8, status text, status_rank int,
    as_of timestamptz, explanation text)
LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    id text := $2::text;
    opening text;
    said text[];
    groups bigint;
    bounded boolean;
    group_share float8;
BEGIN
    IF id IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'questions', 'students', 'gradebook', 'expectations', 'settings', 'run_log');
    PERFORM @extschema@._know(model, 'questions', 'item', id, $3);
    FOR subject, n, assessments, first_at, last_at, facility, discrimination, r_rest, weight,
        label, status, status_rank, as_of, groups, weakest_mean, strongest_mean, strong, strong_wrong,
        weak, weak_right, bounded, group_share, right_answer, right_level, wrong_answer, wrong_share,
        wrong_level IN EXECUTE format(
        'WITH curve AS MATERIALIZED (
             SELECT c.subject, count(*) AS groups,
                    max(c.mean_score) FILTER (WHERE c.level_group = 1) AS weakest,
                    max(c.mean_score) FILTER (WHERE c.level_group = c.groups) AS strongest
             FROM  (SELECT v.*, count(*) OVER (PARTITION BY v.subject) AS groups
                    FROM @extschema@.question_curve($3, $1, $2) v) c
             GROUP BY c.subject),
         side AS MATERIALIZED (
             SELECT d.subject, count(*) FILTER (WHERE d.is_strong) AS strong,
                    count(*) FILTER (WHERE d.is_strong AND NOT d.is_right) AS strong_wrong,
                    count(*) FILTER (WHERE NOT d.is_strong) AS weak,
                    count(*) FILTER (WHERE NOT d.is_strong AND d.is_right) AS weak_right,
                    bool_and(d.bounded) AS bounded, max(d.group_share) AS group_share
             FROM @extschema@._question_sides($3, $1, $2) d GROUP BY d.subject)
         SELECT q.subject::text, q.n, q.assessments, %3$s, %4$s, q.facility,
                q.discrimination, q.r_rest, q.weight, q.label, q.status, q.status_rank, q.as_of,
                coalesce(c.groups, 0), c.weakest, c.strongest, coalesce(d.strong, 0),
                coalesce(d.strong_wrong, 0), coalesce(d.weak, 0), coalesce(d.weak_right, 0),
                d.bounded, d.group_share, k.right_answer, k.right_level, k.wrong_answer,
                k.wrong_share, k.wrong_level
         FROM %1$I.questions q
         JOIN %1$I.gradebook g ON ARRAY[g.subject] = ARRAY[q.subject]
         LEFT JOIN curve c ON ARRAY[c.subject] = ARRAY[q.subject::text]
         LEFT JOIN side d ON ARRAY[d.subject] = ARRAY[q.subject::text]
         LEFT JOIN @extschema@._question_key($3, $1, $2) k
                ON ARRAY[k.subject] = ARRAY[q.subject::text]
         WHERE q.item = $1::%2$s AND ($2 IS NULL OR q.subject::text = $2)
         ORDER BY q.subject', model, @extschema@._type(model, 'questions', 'item'),
        @extschema@._local(model, 'q.first_at'), @extschema@._local(model, 'q.last_at'))
        USING id, $3, model
    LOOP
        opening := @extschema@._in_subject(model, subject);
        said := ARRAY[@extschema@._sentence(opening, format(
            'question %s has %s that %s, from %s, %s.', @extschema@._told(id),
            @extschema@._count(n, 'answer'), CASE n WHEN 1 THEN 'counts' ELSE 'count' END,
            @extschema@._count(assessments, 'assessment'),
            CASE WHEN @extschema@._day(first_at) = @extschema@._day(last_at)
                 THEN 'on ' || @extschema@._day(first_at)
                 ELSE format('between %s and %s', @extschema@._day(first_at),
                             @extschema@._day(last_at)) END))];
        IF facility IS NOT NULL THEN
            said := said || format(CASE n WHEN 1 THEN 'It reaches %s of 100 possible points.'
                                        ELSE 'They reach %s of 100 possible points on average.' END,
                                   @extschema@._points(facility));
            IF groups > 1 THEN
                said := said || format(
                    'Of %s groups of students by level, the weakest reaches %s and the strongest %s.',
                    groups, @extschema@._points(weakest_mean), @extschema@._points(strongest_mean));
            END IF;
        ELSE
            said := said || 'Its scores have no maximum.'::text;
            IF groups > 1 THEN
                said := said || format(
                    'Of %s groups of students by level, the weakest reaches %s and the strongest %s on average.',
                    groups, trim_scale(round(weakest_mean::numeric, 1)),
                    trim_scale(round(strongest_mean::numeric, 1)));
            END IF;
        END IF;
        said := said || CASE status
            WHEN 'flawed' THEN 'Stronger students do worse on it than weaker ones, by more than chance explains: look at its key and its wording.'
            WHEN 'suspect' THEN 'Stronger students do worse on it than weaker ones, though that may be chance: look at its key and its wording.'
            WHEN 'no_variance' THEN 'It does not tell students apart: either all of them got the same score on it, or they do not differ elsewhere.'
            WHEN 'insufficient' THEN 'That is too little to say how well it tells strong from weak students.'
            ELSE CASE label
                WHEN 'very_good' THEN 'It tells strong from weak students very well.'
                WHEN 'good' THEN 'It tells strong from weak students well.'
                WHEN 'marginal' THEN 'It tells strong from weak students only moderately.'
                WHEN 'poor' THEN 'It hardly tells strong from weak students.'
                WHEN 'negative' THEN 'Stronger students do worse on it than weaker ones.'
                ELSE 'How well it tells strong from weak students is not known.' END
                || CASE status WHEN 'provisional' THEN ' With so few answers this may yet change.'
                               ELSE '' END END;
        said := said || CASE
            WHEN weight = 0 THEN 'Its answers count for nothing in levels.'
            WHEN round(weight::numeric, 1) = 1
            THEN 'In levels an answer to it counts as much as one to a usual question.'
            ELSE format('In levels an answer to it counts %s times as much as one to a usual question.',
                        trim_scale(round(weight::numeric,
                                         CASE WHEN weight < 0.1 THEN 3 ELSE 1 END)))
            END;
        IF strong > 0 AND weak > 0 THEN
            said := said || format(
                'Of the %s of the strongest %s %% of students %s %s, and of the %s of the weakest %s %s.',
                @extschema@._count(strong, 'answer'),
                trim_scale(round(100 * group_share::numeric, 1)), strong_wrong, @extschema@._is_or_are(strong_wrong)
                || CASE WHEN bounded THEN ' wrong' ELSE ' below the mean' END,
                @extschema@._count(weak, 'answer'), weak_right, @extschema@._is_or_are(weak_right)
                || CASE WHEN bounded THEN ' right' ELSE ' not' END);
        END IF;
        IF right_answer IS NOT NULL THEN
            said := said || format('The right answer is %s.', @extschema@._told(right_answer));
            IF wrong_answer IS NOT NULL THEN
                said := said || format('The wrong answer given most is %s, by %s%s.',
                    @extschema@._told(wrong_answer), @extschema@._chance(wrong_share),
                    CASE WHEN wrong_level IS NOT NULL AND right_level IS NOT NULL THEN format(
                        '; those who gave it are at %s on average, those who were right at %s',
                        @extschema@._points(wrong_level), @extschema@._points(right_level))
                    ELSE '' END);
            END IF;
        END IF;
        explanation := array_to_string(said, ' ');
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.explain_question IS
'how good a question of a model is and why: the numbers, and a paragraph of plain English';

-- A gradebook's responses as a gradebook again; what has no maximum keeps none.
CREATE FUNCTION @extschema@._again(model name, condition text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        '(SELECT @extschema@.gradebook_agg(
              r.student, r.item, r.assessment, r.score,
              CASE WHEN r.bounded THEN 1 ELSE ''Infinity''::float8 END, r.taken_at::%s)
          FROM @extschema@.responses(g.gradebook) r WHERE %s)',
        @extschema@._type(_again.model, 'responses', 'taken_at'), _again.condition);
END;
COMMENT ON FUNCTION @extschema@._again(name, text) IS
'internal: the gradebook of some of a gradebook''s responses';

CREATE FUNCTION @extschema@.compare_runs(model name, run_a bigint, run_b bigint)
RETURNS TABLE (
    subject text, student text, level_before float8, level_after float8, change float8,
    by_scores float8, by_weights float8, by_time float8, by_settings float8, by_other float8,
    new_answers bigint, late_answers bigint, need_rank_before bigint, need_rank_after bigint, reason text,
    reason_rank int, explanation text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    before timestamptz;
    after timestamptz;
    kept text;
    known bigint;
    id text;
BEGIN
    PERFORM @extschema@._must_read(model, 'history', 'gradebook', 'settings', 'run_log');
    IF run_a IS NULL OR run_b IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT max(%2$s) FILTER (WHERE g.run_id = $1),
                max(%2$s) FILTER (WHERE g.run_id = $2),
                count(DISTINCT g.run_id) FILTER (WHERE g.run_id IN ($1, $2)),
                min(g.run_id) || '' to '' || max(g.run_id)
         FROM %1$I.run_log g WHERE g.run_id IN (SELECT h.run_id FROM %1$I.history h)', model,
        @extschema@._local(model, 'g.as_of'))
    INTO before, after, known, kept USING run_a, run_b;
    IF known < 1 + (run_a <> run_b)::int THEN
        RAISE EXCEPTION 'model % has no history of that run', quote_ident(model)
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('Asked for are the runs %s and %s.', run_a, run_b),
                  HINT = CASE WHEN kept IS NULL THEN
                                   format('It has no history yet: CALL @extschema@.refresh(%L) makes some.', model)
                              ELSE format('It has history of successful runs from %s; keep_history says how many '
                                          'are kept. See %I.runs.', kept, model) END;
    END IF;
    IF before > after THEN
        RAISE EXCEPTION 'run_a is of a later time than run_b'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Their results are of %s and of %s.', before, after),
                  HINT = 'Give the one with the earlier as_of first.';
    END IF;

    -- One thing after another is changed, and each level is less the one before it:
    --   then, under the settings of run_a; later, by the same responses; with the newer ones; and
    --   under the settings of run_b. Where the newer ones come in, what happens to the level with
    --   all questions weighing alike is by_scores, and the rest by_weights.
    FOR subject, student, level_before, level_after, change, by_scores, by_weights, by_time,
        by_settings, by_other, new_answers, late_answers, need_rank_before, need_rank_after, reason,
        reason_rank, id IN EXECUTE format(
        'WITH g AS (SELECT * FROM %1$I.gradebook),
         set AS MATERIALIZED (
             SELECT (jsonb_populate_record(c, l.settings)).*, l.run_id AS run
             FROM %1$I.settings c CROSS JOIN %1$I.run_log l WHERE l.run_id IN ($1, $2)),
         a AS (SELECT * FROM set WHERE run = $1),
         b AS (SELECT * FROM set WHERE run = $2),
         old AS MATERIALIZED (SELECT g.subject, %2$s AS gradebook FROM g),
         was AS MATERIALIZED (
             SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL %3$s x),
         aged AS MATERIALIZED (
             SELECT g.subject, x.* FROM old g CROSS JOIN a CROSS JOIN LATERAL %4$s x),
         aged_alike AS MATERIALIZED (
             SELECT g.subject, x.* FROM old g CROSS JOIN a CROSS JOIN LATERAL %5$s x),
         more AS MATERIALIZED (
             SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL %4$s x),
         more_alike AS MATERIALIZED (
             SELECT g.subject, x.* FROM g CROSS JOIN a CROSS JOIN LATERAL %5$s x),
         now AS MATERIALIZED (
             SELECT g.subject, x.* FROM g CROSS JOIN b CROSS JOIN LATERAL %6$s x),
         fresh AS MATERIALIZED (
             SELECT g.subject, r.student, count(*) AS n
             FROM g CROSS JOIN a CROSS JOIN LATERAL @extschema@.responses(g.gradebook) r
             WHERE r.taken_at > $3 AND r.taken_at <= $4 AND r.assessment <> ALL (a.exclude)
             GROUP BY g.subject, r.student),
         steps AS MATERIALIZED (
             SELECT n.subject, n.student, n.level - more.level AS settings,
                    v.aged - was.level AS time,
                    more_alike.level - v.aged_alike AS scores,
                    more.level - v.aged - (more_alike.level - v.aged_alike) AS weights,
                    coalesce(fresh.n, 0) AS fresh, was.n AS known
             FROM now n
             LEFT JOIN more ON ARRAY[more.subject] = ARRAY[n.subject] AND more.student = n.student
             LEFT JOIN more_alike ON ARRAY[more_alike.subject] = ARRAY[n.subject]
                                  AND more_alike.student = n.student
             LEFT JOIN aged ON ARRAY[aged.subject] = ARRAY[n.subject] AND aged.student = n.student
             LEFT JOIN aged_alike ON ARRAY[aged_alike.subject] = ARRAY[n.subject]
                                  AND aged_alike.student = n.student
             LEFT JOIN was ON ARRAY[was.subject] = ARRAY[n.subject] AND was.student = n.student
             LEFT JOIN fresh ON ARRAY[fresh.subject] = ARRAY[n.subject]
                             AND fresh.student = n.student
             -- Of whom there was but a row without a score, was at the average.
             LEFT JOIN (SELECT p.subject, max(p.prior) AS aged FROM aged p GROUP BY p.subject) m
                    ON ARRAY[m.subject] = ARRAY[n.subject]
             LEFT JOIN (SELECT p.subject, max(p.prior) AS aged FROM aged_alike p
                        GROUP BY p.subject) m_alike
                    ON ARRAY[m_alike.subject] = ARRAY[n.subject]
             CROSS JOIN LATERAL (
                 SELECT coalesce(aged.level, m.aged) AS aged,
                        coalesce(aged_alike.level, m_alike.aged) AS aged_alike) v),
         moved AS (
             SELECT k.subject, k.student, y.level AS before, z.level AS after,
                    z.level - y.level AS change, y.n, y.need_rank AS rank_before,
                    z.need_rank AS rank_after, y.student IS NULL AS is_new,
                    z.student IS NULL AS is_gone
             FROM (SELECT DISTINCT h.subject, h.student FROM %1$I.history h
                   WHERE h.run_id IN ($1, $2)) k
             LEFT JOIN %1$I.history y ON y.run_id = $1 AND y.student = k.student
                                      AND ARRAY[y.subject] = ARRAY[k.subject]
             LEFT JOIN %1$I.history z ON z.run_id = $2 AND z.student = k.student
                                      AND ARRAY[z.subject] = ARRAY[k.subject])
         SELECT m.subject::text, m.student::text, m.before, m.after, m.change, p.scores, p.weights,
                p.time, p.settings, p.other, coalesce(t.fresh, 0), p.late, m.rank_before, m.rank_after,
                w.reason, array_position(
                    ARRAY[''new'', ''gone'', ''scores'', ''others'', ''weights'', ''time'', ''settings'',
                          ''late'', ''other'', ''unchanged''], w.reason), m.student::text
         FROM moved m
         LEFT JOIN steps t ON ARRAY[t.subject] = ARRAY[m.subject]
                           AND t.student::%7$s = m.student
         CROSS JOIN LATERAL (
             SELECT m.change * 0 + coalesce(t.scores, 0) AS scores,
                    m.change * 0 + coalesce(t.weights, 0) AS weights,
                    m.change * 0 + coalesce(t.time, 0) AS time,
                    m.change * 0 + coalesce(t.settings, 0) AS settings,
                    m.change - coalesce(t.scores, 0) - coalesce(t.weights, 0)
                        - coalesce(t.time, 0) - coalesce(t.settings, 0) AS other,
                    -- Known now of the time of run_a, and not then.
                    greatest(coalesce(t.known - m.n, 0), 0) AS late) p
         CROSS JOIN LATERAL (
             SELECT CASE WHEN m.is_new THEN ''new'' WHEN m.is_gone THEN ''gone''
                         WHEN abs(m.change) < 0.005 THEN ''unchanged''
                         WHEN m.change IS NULL THEN ''other''
                         ELSE (SELECT v.reason FROM (VALUES
                                   (1, CASE WHEN t.fresh > 0 THEN ''scores'' ELSE ''others'' END,
                                    p.scores),
                                   (2, ''weights'', p.weights), (3, ''time'', p.time),
                                   (4, ''settings'', p.settings),
                                   (5, CASE WHEN p.late > 0 THEN ''late'' ELSE ''other'' END,
                                    p.other))
                                   AS v(place, reason, part)
                               WHERE sign(v.part) = sign(m.change)
                               ORDER BY abs(v.part) DESC, v.place LIMIT 1) END AS reason) w
         ORDER BY m.subject, abs(m.change) DESC NULLS FIRST, m.student',
        model, @extschema@._again(model, 'r.taken_at <= $3'),
        @extschema@._call(model, '@extschema@.students', '{"as_of": "$3"}', 'a'),
        @extschema@._call(model, '@extschema@.students', '{"as_of": "$4"}', 'a'),
        @extschema@._call(model, '@extschema@.students', '{"as_of": "$4", "quality": "false"}', 'a'),
        @extschema@._call(model, '@extschema@.students', '{"as_of": "$4"}', 'b'),
        @extschema@._type(model, 'students', 'student')) USING run_a, run_b, before, after
    LOOP
        explanation := @extschema@._sentence(@extschema@._in_subject(model, subject),
            format('student %s ', @extschema@._told(id)) || CASE
            WHEN reason = 'new' THEN coalesce(
                'is new, at ' || @extschema@._points(level_after) || ' out of 100.', 'is new.')
            WHEN reason = 'gone' THEN 'is not there any more.'
            WHEN change IS NULL THEN 'had no level that could be compared.'
            ELSE CASE WHEN @extschema@._points(level_before) = @extschema@._points(level_after)
                      THEN format('stayed at %s out of 100', @extschema@._points(level_after))
                      ELSE format('went %s from %s to %s out of 100',
                                  CASE WHEN change > 0 THEN 'up' ELSE 'down' END,
                                  @extschema@._points(level_before),
                                  @extschema@._points(level_after))
                 END || coalesce((
                     SELECT ': ' || string_agg(format(
                                CASE v.place WHEN 1 THEN '%s moved it %s by %s'
                                             ELSE '%s %s by %s' END, v.cause,
                                CASE WHEN v.part > 0 THEN 'up' ELSE 'down' END,
                                @extschema@._amount(v.part)), ', ' ORDER BY v.place)
                     FROM (SELECT u.*,
                                  row_number() OVER (ORDER BY abs(u.part) DESC, u.cause) AS place
                           FROM (VALUES
                               (CASE WHEN new_answers > 0
                                     THEN @extschema@._count(new_answers, 'new answer')
                                     ELSE 'new answers of others' END, by_scores),
                               ('the weights of questions', by_weights),
                               ('the passing of time', by_time), ('changed settings', by_settings),
                               (CASE WHEN late_answers > 0
                                     THEN @extschema@._count(late_answers, 'answer')
                                          || ' that came late'
                                     ELSE 'corrections and unknown causes' END,
                                by_other)) AS u(cause, part)
                           WHERE abs(u.part) >= 0.005) v), '') || '.'
            END);
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.compare_runs IS
'which students moved between two refreshes of a model, and why: new scores, weights of questions, time, settings; the parts add up to the change';
