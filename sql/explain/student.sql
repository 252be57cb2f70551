-- Explanations of a model's results, for people: as flat rows, and as a paragraph of plain English
-- in the row whose numbers it puts into words. Everything is given under the settings of the run
-- that made the results, so that it explains these and not others.
--
-- The planner expects a student or a question to have few subjects, and would scan another relation
-- for each. A nested loop that is disabled and still needed looks so expensive that Postgres would
-- compile the query, which takes seconds, so that is disabled too.
--
-- All run with the rights of their caller. No message names a student: readers of the server's log
-- need not know which student was looked up.

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
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'gradebook', 'settings',
                                   'run_log');
    PERFORM @extschema@._must_have(model, 'students', 'student', student::text, $3);
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
'what raised and lowered a student''s level in a model, answer by answer, with the others'' mean '
'beside it; the contributions add up to level - prior';

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
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'gradebook', 'settings',
                                   'run_log');
    PERFORM @extschema@._must_have(model, 'students', 'student', student::text, $3);
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
         UNION ALL
         SELECT g.subject::text, u.assessment, ''waiting'', 3, u.first_at, NULL, 0,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM %1$s CROSS JOIN LATERAL %4$s u
         WHERE u.student::%3$s = $1::%3$s AND u.waiting > 0 AND NOT u.has_scores
         ORDER BY 1, 4, 14, 6, 5, 2',
        @extschema@._from(model, @extschema@._has(model, 'students', 'student')),
        @extschema@._call(model, '@extschema@.missing_work'),
        @extschema@._type(model, 'students', 'student'),
        @extschema@._call(model, '@extschema@._unmarked')) USING student::text, $3, model;
END $$;
COMMENT ON FUNCTION @extschema@.student_assessments IS
'what raised and lowered a student''s level in a model, by assessment, the due ones that are '
'missing, and those that wait for their marks; the contributions add up to level - prior';

-- What explain_student() reports about a student, by subject, as numbers.
CREATE FUNCTION @extschema@._student_figures(model name, id text, in_subject text)
RETURNS TABLE (
    subject text, level float8, ci_low float8, ci_high float8, prior float8,
    level_without_decay float8, level_without_quality float8, need float8, trend text,
    slope float8, n bigint, assessments int, last_at timestamptz, due int, missing int,
    status text, usual_margin float8, further_assessments int, enough_at timestamptz,
    as_of timestamptz, confidence float8, raised float8, lowered float8, evidence_share float8,
    raising_n bigint, lowering_n bigint, lowering text[], raising text[], absent_n bigint,
    absent text[], waiting bigint, waiting_n bigint, omitted bigint, blanks text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH f AS MATERIALIZED (
            SELECT g.subject::text AS subject, g.as_of AS local_as_of, g.stored_as_of AS as_of,
                   g.gradebook, o AS settings, o.confidence, x.*
            FROM {gradebooks} CROSS JOIN LATERAL {students} x),
        one AS MATERIALIZED (
            SELECT * FROM f WHERE f.student::{student_type} = $1::{student_type}),
        other AS MATERIALIZED (
            SELECT g.subject, d.level AS without_decay, u.level AS without_quality
            FROM one
            CROSS JOIN LATERAL (SELECT one.subject, one.gradebook, one.local_as_of AS as_of) g
            CROSS JOIN LATERAL (SELECT (one.settings).*) o
            JOIN LATERAL {without_decay} d ON d.student = one.student
            JOIN LATERAL {without_quality} u ON u.student = one.student),
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
                   count(*) FILTER (WHERE a.status = 'missing') AS absent_n,
                   array_agg(w.absent ORDER BY a.due_at DESC, a.assessment)
                       FILTER (WHERE a.status = 'missing') AS absent
            FROM   @extschema@.student_assessments($3, $1, $2) a
            CROSS  JOIN LATERAL (
                       SELECT format('%s (%s)', @extschema@._quoted(a.assessment),
                                     @extschema@._amount(a.contribution)) AS moved,
                              format('%s (%s)', @extschema@._quoted(a.assessment),
                                     @extschema@._day(a.due_at)) AS absent) w
            GROUP  BY a.subject),
        unmarked AS MATERIALIZED (
            SELECT g.subject, count(*) AS waiting_n
            FROM one
            CROSS JOIN LATERAL (SELECT one.subject, one.gradebook, one.local_as_of AS as_of) g
            CROSS JOIN LATERAL (SELECT (one.settings).*) o
            JOIN LATERAL {unmarked} u ON u.student = one.student AND u.waiting > 0
            GROUP BY g.subject),
        pace AS (
            SELECT f.subject,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY (f.ci_high - f.ci_low) / 2)
                       FILTER (WHERE f.status = 'ok') AS margin,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY f.assessments)
                       FILTER (WHERE f.assessments > 1) AS usual
            FROM f GROUP BY f.subject),
        span AS (
            SELECT a.subject::text AS subject, max(a.last_at) - min(a.first_at) AS span
            FROM {model}.assessments a GROUP BY a.subject)
        SELECT s.subject, s.level, s.ci_low, s.ci_high, s.prior, other.without_decay,
               other.without_quality, s.need, s.trend, s.slope, s.n, s.assessments, s.last_at,
               s.due, s.missing, s.status, pace.margin, t.further,
               -- More than a hundred years from now means never.
               CASE WHEN t.further > 0
                    AND  t.further * (span.span / (pace.usual - 1)) < interval '100 years'
                    THEN s.local_as_of + t.further * (span.span / (pace.usual - 1)) END,
               s.as_of, s.confidence, coalesce(part.raised, 0), coalesce(part.lowered, 0),
               coalesce(part.evidence_share, 0), coalesce(part.raising_n, 0),
               coalesce(part.lowering_n, 0), part.lowering, part.raising,
               coalesce(part.absent_n, 0), part.absent, s.waiting,
               coalesce(unmarked.waiting_n, 0), s.omitted, (s.settings).blanks
        FROM one s
        JOIN other ON ARRAY[other.subject] = ARRAY[s.subject]
        JOIN pace ON ARRAY[pace.subject] = ARRAY[s.subject]
        LEFT JOIN part ON ARRAY[part.subject] = ARRAY[s.subject]
        LEFT JOIN unmarked ON ARRAY[unmarked.subject] = ARRAY[s.subject]
        LEFT JOIN span ON ARRAY[span.subject] = ARRAY[s.subject]
        CROSS JOIN LATERAL (
            SELECT @extschema@._further_assessments(s.status, s.assessments) AS further) t
        ORDER BY s.subject
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model, @extschema@._has(model, 'students', 'student')),
            'students', @extschema@._call(model, '@extschema@.students'),
            'without_decay', @extschema@._call(model, '@extschema@.students',
                                               '{"half_life": "@extschema@._no_decay()"}'),
            'without_quality', @extschema@._call(model, '@extschema@.students',
                                                 '{"quality": "false"}'),
            'unmarked', @extschema@._call(model, '@extschema@._unmarked'),
            'student_type', @extschema@._type(model, 'students', 'student')))
    USING id, in_subject, model;
END $$;
COMMENT ON FUNCTION @extschema@._student_figures(name, text, text) IS
'internal: the numbers that explain a student''s level';

-- Sentences of explain_student(), one function for each topic; null where there is nothing to
-- report.
CREATE FUNCTION @extschema@._describe_level(
    opening text, student text, status text, level float8, prior float8, ci_low float8,
    ci_high float8, confidence float8, need float8, waiting bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ',
    @extschema@._sentence(opening, CASE
        WHEN level IS NULL THEN pg_catalog.format(
            'nothing is known of student %s, nor of anybody else: no answer counts yet.', student)
        WHEN status = 'none' THEN pg_catalog.format(
            'nothing is known yet of student %s: %s. '
            'The level of %s out of 100 is only the average.', student,
            CASE WHEN waiting > 0 THEN pg_catalog.format('%s %s waiting for marks',
                     @extschema@._count(waiting, 'answer'), @extschema@._is_or_are(waiting))
                 ELSE 'no answer counts' END, @extschema@._points(level))
        ELSE pg_catalog.format(
            'student %s is at %s out of 100; the average is %s.', student,
            @extschema@._points(level), @extschema@._points(prior)) END),
    CASE WHEN ci_low IS NOT NULL AND ci_high IS NOT NULL THEN pg_catalog.format(
             'The true level is %s likely to lie between %s and %s.',
             @extschema@._percent(confidence, 1), @extschema@._points(ci_low),
             @extschema@._points(ci_high))
         WHEN level IS NOT NULL THEN 'There is too little data for a margin of error.' END,
    'The chance that it is below the line for help is ' || @extschema@._chance(need) || '.');
COMMENT ON FUNCTION @extschema@._describe_level(
    text, text, text, float8, float8, float8, float8, float8, float8, bigint) IS
'internal: how high a level is, and how sure that is, in words';

CREATE FUNCTION @extschema@._describe_evidence(
    status text, n bigint, assessments int, last_at timestamptz, evidence_share float8,
    further_assessments int, enough_at timestamptz, usual_margin float8) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ',
    CASE WHEN assessments > 0 THEN pg_catalog.format(
        'This rests on %s in %s, the last on %s. '
        'The answers make up %s of this figure, the average the rest.',
        @extschema@._count(n, 'answer'), @extschema@._count(assessments, 'assessment'),
        @extschema@._day(last_at), @extschema@._chance(evidence_share)) END,
    CASE WHEN status IN ('provisional', 'stale', 'none') THEN pg_catalog.format(
        '%s; %s would be enough%s.',
        CASE status WHEN 'stale' THEN 'That is old evidence'
                    WHEN 'provisional' THEN 'That is little evidence'
                    ELSE 'There is no evidence' END,
        @extschema@._count(further_assessments, CASE status WHEN 'none' THEN 'assessment'
                                                ELSE 'further assessment' END),
        ', at the usual pace by about ' || @extschema@._day(enough_at)) END,
    CASE WHEN status IN ('provisional', 'stale', 'none') THEN
        'Levels of students with enough evidence are usually known to within '
        || @extschema@._amount(usual_margin) || '.' END);
COMMENT ON FUNCTION @extschema@._describe_evidence(
    text, bigint, int, timestamptz, float8, int, timestamptz, float8) IS
'internal: what a level rests on, in words';

CREATE FUNCTION @extschema@._describe_blanks(omitted bigint, blanks text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN omitted > 0 THEN pg_catalog.format('%s %s left blank%s.',
    @extschema@._count(omitted, 'question'), @extschema@._plural(omitted, 'was', 'were'),
    CASE blanks WHEN 'ignore' THEN pg_catalog.format(
             ' and %s not count', @extschema@._plural(omitted, 'does', 'do'))
         WHEN 'zero' THEN pg_catalog.format(
             ' and %s as no points', @extschema@._plural(omitted, 'counts', 'count'))
         ELSE '; before the last answer of a sitting a blank counts as no points' END) END;
COMMENT ON FUNCTION @extschema@._describe_blanks(bigint, text) IS
'internal: what a student left blank, in words';

CREATE FUNCTION @extschema@._describe_contributions(
    raised float8, lowered float8, raising_n bigint, lowering_n bigint, raising text[],
    lowering text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN raising_n + lowering_n > 0 THEN pg_catalog.concat_ws(' ',
    CASE WHEN lowering_n = 0 THEN pg_catalog.format(
             'No assessment lowered the level; %s raised it, by %s in all.',
             @extschema@._count(raising_n, 'assessment'), @extschema@._amount(raised))
         WHEN raising_n = 0 THEN pg_catalog.format(
             'No assessment raised the level; %s lowered it, by %s in all.',
             @extschema@._count(lowering_n, 'assessment'), @extschema@._amount(lowered))
         ELSE pg_catalog.format('%s lowered the level, by %s in all, and %s raised it, by %s.',
             @extschema@._count(lowering_n, 'assessment'), @extschema@._amount(lowered),
             @extschema@._count(raising_n, 'assessment'), @extschema@._amount(raised)) END,
    'What lowered it most ' || @extschema@._plural(pg_catalog.cardinality(lowering),
        'was assessment ', 'were assessments ') || @extschema@._and(lowering[1:3]) || '.',
    'What raised it most ' || @extschema@._plural(pg_catalog.cardinality(raising),
        'was assessment ', 'were assessments ') || @extschema@._and(raising[1:3]) || '.') END;
COMMENT ON FUNCTION @extschema@._describe_contributions(
    float8, float8, bigint, bigint, text[], text[]) IS
'internal: what raised and lowered a level, in words';

CREATE FUNCTION @extschema@._describe_other_ways(
    level_without_decay float8, level_without_quality float8, trend text, slope float8)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ',
    CASE WHEN level_without_decay IS NOT NULL THEN pg_catalog.format(
        'If old answers counted as much as new ones, it would be %s. '
        'If all questions counted alike, it would be %s.', @extschema@._points(level_without_decay),
        @extschema@._points(level_without_quality)) END,
    CASE WHEN trend = 'steady' THEN 'Scores are steady.'
         WHEN trend IN ('falling', 'rising') THEN pg_catalog.format(
             'Scores are %s, by about %s points in 30 days.', trend,
             @extschema@._rounded(greatest(pg_catalog.abs(100 * slope), 0.1), 1))
         ELSE 'It is not clear whether scores are rising or falling.' END);
COMMENT ON FUNCTION @extschema@._describe_other_ways(float8, float8, text, float8) IS
'internal: what a level would be otherwise, and where it goes, in words';

CREATE FUNCTION @extschema@._describe_work(
    due int, absent_n bigint, absent text[], waiting_n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ', CASE
    WHEN absent_n > 0 THEN pg_catalog.format('Of %s, %s %s missing: %s.',
        @extschema@._count(due, 'due assessment'), absent_n, @extschema@._is_or_are(absent_n),
        CASE WHEN absent_n <= 4 THEN @extschema@._and(absent)
             ELSE @extschema@._and(absent[1:3] || pg_catalog.format('%s more', absent_n - 3)) END)
    WHEN due > 0 THEN 'No due assessment is missing.' END,
    CASE WHEN waiting_n > 0 THEN pg_catalog.format(
        '%s %s, or for those of most students.', @extschema@._count(waiting_n, 'assessment'),
        @extschema@._plural(waiting_n, 'waits for its marks', 'wait for their marks')) END);
COMMENT ON FUNCTION @extschema@._describe_work(int, bigint, text[], bigint) IS
'internal: which work is missing or waits for marks, in words';

CREATE FUNCTION @extschema@.explain_student(
    model name, student anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, level float8, ci_low float8, ci_high float8, prior float8,
    raised float8, lowered float8, level_without_decay float8, level_without_quality float8,
    need float8, trend text, slope float8, n bigint, assessments int, last_at timestamptz,
    due int, missing int, evidence_share float8, usual_margin float8, status text,
    further_assessments int, enough_at timestamptz, as_of timestamptz, explanation text)
LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, 'students', 'questions', 'assessments', 'gradebook',
                                   'settings', 'run_log');
    PERFORM @extschema@._must_have(model, 'students', 'student', $2::text, $3);
    RETURN QUERY
        SELECT f.subject, f.level, f.ci_low, f.ci_high, f.prior, f.raised, f.lowered,
               f.level_without_decay, f.level_without_quality, f.need, f.trend, f.slope, f.n,
               f.assessments, f.last_at, f.due, f.missing, f.evidence_share, f.usual_margin,
               f.status, f.further_assessments, f.enough_at, f.as_of,
               concat_ws(' ',
                   @extschema@._describe_level(
                       @extschema@._in_subject(model, f.subject), @extschema@._quoted($2::text),
                       f.status, f.level, f.prior, f.ci_low, f.ci_high, f.confidence, f.need,
                       f.waiting),
                   @extschema@._describe_evidence(
                       f.status, f.n, f.assessments, f.last_at, f.evidence_share,
                       f.further_assessments, f.enough_at, f.usual_margin),
                   @extschema@._describe_blanks(f.omitted, f.blanks),
                   @extschema@._describe_contributions(
                       f.raised, f.lowered, f.raising_n, f.lowering_n, f.raising, f.lowering),
                   CASE WHEN f.status <> 'none' THEN @extschema@._describe_other_ways(
                       f.level_without_decay, f.level_without_quality, f.trend, f.slope) END,
                   @extschema@._describe_work(f.due, f.absent_n, f.absent, f.waiting_n))
        FROM   @extschema@._student_figures(model, $2::text, $3) f;
END $$;
COMMENT ON FUNCTION @extschema@.explain_student IS
'why a student''s level in a model is what it is: the numbers, and a paragraph of plain English';
