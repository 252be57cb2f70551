-- Explanations of a model's questions, for people; what student.sql begins with holds here too.

-- The relations that explanations of a question read.
CREATE FUNCTION @extschema@._question_relations() RETURNS name[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{questions,students,gradebook,expectations,settings,run_log}'::name[];
COMMENT ON FUNCTION @extschema@._question_relations() IS
'internal: the relations that explain a question';

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
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH r AS MATERIALIZED (
            SELECT g.subject, r.*, o.upper_lower_share, o.min_group_size, o.confidence
            FROM {gradebooks} CROSS JOIN LATERAL {counted} r
            WHERE r.item::{item_type} = $1::{item_type})
        SELECT r.subject::text, r.student, r.assessment, r.taken_at, r.score, r.bounded, s.level,
               e.pass_mark, r.upper_lower_share, r.min_group_size, r.confidence
        FROM r JOIN {model}.students s ON  ARRAY[s.subject] = ARRAY[r.subject]
                                       AND s.student = r.student::{student_type}
        LEFT JOIN {model}.expectations e ON  ARRAY[e.subject] = ARRAY[r.subject]
                                         AND e.item = $1::{item_type}
        $sql$, jsonb_build_object(
            'gradebooks', @extschema@._from(model, @extschema@._has(model, 'questions', 'item')),
            'counted', @extschema@._call(model, '@extschema@.counted_responses'),
            'item_type', @extschema@._type(model, 'questions', 'item'),
            'student_type', @extschema@._type(model, 'students', 'student')))
    USING item, $3;
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
        -- Students who are in both are counted in neither.
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
    PERFORM @extschema@._must_read(model, VARIADIC @extschema@._question_relations());
    PERFORM @extschema@._must_have(model, 'questions', 'item', $2::text, $3);
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
'how students in groups by level, 1 the lowest, did on a question of a model, beside what is '
'expected of a question as hard';

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
    PERFORM @extschema@._must_read(model, VARIADIC @extschema@._question_relations());
    PERFORM @extschema@._must_have(model, 'questions', 'item', $2::text, $3);
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
'which of the strongest students got a question of a model wrong, and which of the weakest got it '
'right';

CREATE FUNCTION @extschema@.question_choices(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, answer text, n bigint, share float8, mean_score float8, mean_level float8)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off SET extra_float_digits = 1 AS $$
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(
        model, VARIADIC @extschema@._question_relations() || 'responses'::name);
    PERFORM @extschema@._must_have(model, 'questions', 'item', $2::text, $3);
    -- A mean of decimals, as sums of float8 end in digits that no score has: 0.7999999999999987.
    -- The gradebook says which responses count; only the source says what was answered, and it is
    -- read once, however the rest is joined. Of several rows with one key and time, the one with
    -- the score is meant, or the one that is nearest to it where it was clipped.
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH r AS MATERIALIZED (
            SELECT * FROM {model}.responses r
            WHERE r.item = $1::{item_type} AND ($2 IS NULL OR r.subject::text = $2)),
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
                SELECT coalesce(r.min_score::float8, 0) AS lowest,
                       CASE WHEN a.bounded THEN least(r.max_score::float8, 1e300) END AS highest
                ) e
            ORDER BY a.id,
                     abs(CASE WHEN a.bounded THEN e.lowest + a.score * (e.highest - e.lowest)
                              ELSE a.score END
                         - greatest(e.lowest, least(r.score::float8, e.highest))) NULLS LAST,
                     r.attempt, r.answer::text)
        SELECT c.subject, c.answer, c.n, c.n / c.in_all, c.mean_score, c.mean_level
        FROM  (SELECT a.subject, a.answer, count(*) AS n,
                      avg(CASE WHEN a.bounded THEN a.score::text::numeric END)::float8
                          AS mean_score,
                      CASE WHEN count(DISTINCT a.student) >= max(a.min_group_size) THEN avg(a.level)
                      END AS mean_level,
                      (sum(count(*)) OVER w)::float8 AS in_all,
                      bool_or(a.answer IS NOT NULL) OVER w AS known
               FROM given a GROUP BY a.subject, a.answer WINDOW w AS (PARTITION BY a.subject)) c
        WHERE c.known ORDER BY c.subject, c.n DESC, c.answer
        $sql$, jsonb_build_object('item_type', @extschema@._type(model, 'responses', 'item')))
    USING $2::text, $3, model;
END $$;
COMMENT ON FUNCTION @extschema@.question_choices IS
'which answers were given to a question of a model, how often, and by students of which level';

-- Two of each side: one may be a slip of who marked. The rows are those of the source, as only it
-- knows what was answered.
CREATE FUNCTION @extschema@.mixed_questions(model name, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, item text, answers bigint, n bigint, answer text, full_marks bigint,
    no_marks bigint)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM @extschema@._must_read(
        model, VARIADIC @extschema@._question_relations() || 'responses'::name);
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        SELECT c.subject, c.item, count(*), sum(c.full_marks + c.no_marks)::bigint,
               (array_agg(c.answer ORDER BY c.full_marks + c.no_marks DESC, c.answer))[1],
               (array_agg(c.full_marks ORDER BY c.full_marks + c.no_marks DESC, c.answer))[1],
               (array_agg(c.no_marks ORDER BY c.full_marks + c.no_marks DESC, c.answer))[1]
        FROM  (SELECT r.subject::text AS subject, r.item::text AS item, r.answer::text AS answer,
                      count(DISTINCT r.student) FILTER (WHERE r.score >= r.max_score) AS full_marks,
                      count(DISTINCT r.student) FILTER (
                          WHERE r.score <= coalesce(r.min_score, 0) AND r.score < r.max_score)
                          AS no_marks
               FROM   {model}.responses r
               WHERE  r.answer IS NOT NULL AND ($1 IS NULL OR r.subject::text = $1)
               GROUP  BY r.subject::text, r.item::text, r.answer::text) c
        WHERE  c.full_marks > 1 AND c.no_marks > 1
        GROUP  BY c.subject, c.item
        ORDER  BY c.subject, sum(c.full_marks + c.no_marks) DESC, c.item
        $sql$) USING in_subject;
END $$;
COMMENT ON FUNCTION @extschema@.mixed_questions IS
'questions of a model to which one and the same answer was right for some students and wrong for '
'others, as where the questions of two forms have one id';

CREATE FUNCTION @extschema@.question_uses(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, assessment text, first_at timestamptz, last_at timestamptz, n bigint,
    mean_score float8, mean_level float8)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, VARIADIC @extschema@._question_relations());
    PERFORM @extschema@._must_have(model, 'questions', 'item', $2::text, $3);
    -- The mean is one of decimals, as in question_choices().
    RETURN QUERY
        SELECT a.subject, a.assessment, min(a.taken_at), max(a.taken_at), count(*),
               CASE WHEN count(*) >= max(a.min_group_size)
                    THEN avg(a.score::text::numeric)::float8 END,
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

-- What explain_question() reports about a question, by subject, as numbers.
CREATE FUNCTION @extschema@._question_figures(model name, id text, in_subject text)
RETURNS TABLE (
    subject text, n bigint, assessments int, first_at timestamptz, last_at timestamptz,
    facility float8, discrimination float8, r_rest float8, weight float8, label text, status text,
    status_rank int, as_of timestamptz, groups bigint, weakest_mean float8, strongest_mean float8,
    strong bigint, strong_wrong bigint, weak bigint, weak_right bigint, bounded boolean,
    group_share float8, right_answer text, right_level float8, wrong_answer text,
    wrong_share float8, wrong_level float8, left_out bigint, blank bigint, waiting bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@._over(model, $sql$
        WITH curve AS MATERIALIZED (
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
        SELECT q.subject::text, q.n, q.assessments, {first_at}, {last_at}, q.facility,
               q.discrimination, q.r_rest, q.weight, q.label, q.status, q.status_rank, q.as_of,
               coalesce(c.groups, 0), c.weakest, c.strongest, coalesce(d.strong, 0),
               coalesce(d.strong_wrong, 0), coalesce(d.weak, 0), coalesce(d.weak_right, 0),
               d.bounded, d.group_share, k.right_answer, k.right_level, k.wrong_answer,
               k.wrong_share, k.wrong_level, q.left_out, q.blank, q.waiting
        FROM {model}.questions q
        JOIN {model}.gradebook g ON ARRAY[g.subject] = ARRAY[q.subject]
        LEFT JOIN curve c ON ARRAY[c.subject] = ARRAY[q.subject::text]
        LEFT JOIN side d ON ARRAY[d.subject] = ARRAY[q.subject::text]
        LEFT JOIN @extschema@._question_key($3, $1, $2) k
               ON ARRAY[k.subject] = ARRAY[q.subject::text]
        WHERE q.item = $1::{item_type} AND ($2 IS NULL OR q.subject::text = $2)
        ORDER BY q.subject
        $sql$, jsonb_build_object(
            'item_type', @extschema@._type(model, 'questions', 'item'),
            'first_at', @extschema@._local(model, 'q.first_at'),
            'last_at', @extschema@._local(model, 'q.last_at')))
    USING id, in_subject, model;
END $$;
COMMENT ON FUNCTION @extschema@._question_figures(name, text, text) IS
'internal: the numbers that explain a question';

-- Sentences of explain_question(), one function for each topic; null where there is nothing to
-- report.
CREATE FUNCTION @extschema@._describe_answers(
    opening text, item text, n bigint, assessments int, first_at timestamptz,
    last_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN @extschema@._sentence(opening, pg_catalog.format(
    CASE WHEN n = 0 THEN 'question %s has no answer that counts.'
         ELSE 'question %s has %s that %s, from %s, %s.' END,
    item, @extschema@._count(n, 'answer'), @extschema@._plural(n, 'counts', 'count'),
    @extschema@._count(assessments, 'assessment'),
    CASE WHEN @extschema@._day(first_at) = @extschema@._day(last_at)
         THEN 'on ' || @extschema@._day(first_at)
         ELSE pg_catalog.format('between %s and %s', @extschema@._day(first_at),
                                @extschema@._day(last_at)) END));
COMMENT ON FUNCTION @extschema@._describe_answers(text, text, bigint, int, timestamptz,
                                                 timestamptz) IS
'internal: how much a question was used, in words';

CREATE FUNCTION @extschema@._describe_uncounted(
    status text, left_out bigint, blank bigint, waiting bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(pg_catalog.concat_ws(' ',
    CASE WHEN waiting > 0 THEN pg_catalog.format('%s for %s.', @extschema@._count(waiting, 'answer')
             || @extschema@._plural(waiting, ' waits', ' wait'),
             @extschema@._plural(waiting, 'its mark', 'their marks')) END,
    CASE WHEN blank > 0 THEN pg_catalog.format(
             @extschema@._plural(blank, '%s was left blank.', '%s were left blank.'), blank) END,
    CASE WHEN left_out > 0 THEN pg_catalog.format(
             @extschema@._plural(left_out, '%s does not count, as something is wrong with it.',
                                 '%s do not count, as something is wrong with them.'),
             @extschema@._count(left_out, 'row')) END,
    CASE status WHEN 'truncated' THEN 'Scores beyond an end of the scale are among these, and with '
                                      'them the answers of some students rather than others: '
                                      'give the right maximum and minimum.' END), '');
COMMENT ON FUNCTION @extschema@._describe_uncounted(text, bigint, bigint, bigint) IS
'internal: which answers to a question do not count, in words';

CREATE FUNCTION @extschema@._describe_scores(
    n bigint, facility float8, groups bigint, weakest_mean float8, strongest_mean float8)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(pg_catalog.concat_ws(' ',
    CASE WHEN n = 0 THEN NULL
         WHEN facility IS NULL THEN 'Its scores have no maximum.'
         ELSE pg_catalog.format(
             @extschema@._plural(n, 'It reaches %s of 100 possible points.',
                                 'They reach %s of 100 possible points on average.'),
             @extschema@._points(facility)) END,
    CASE WHEN groups > 1 AND facility IS NULL THEN pg_catalog.format(
             'Of %s groups of students by level, the weakest reaches %s and the strongest %s '
             'on average.', groups, @extschema@._rounded(weakest_mean, 1),
             @extschema@._rounded(strongest_mean, 1))
         WHEN groups > 1 THEN pg_catalog.format(
             'Of %s groups of students by level, the weakest reaches %s and the strongest %s.',
             groups, @extschema@._points(weakest_mean), @extschema@._points(strongest_mean)) END),
    '');
COMMENT ON FUNCTION @extschema@._describe_scores(bigint, float8, bigint, float8, float8) IS
'internal: how hard a question is, in words';

CREATE FUNCTION @extschema@._describe_separation(status text, label text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE status
    WHEN 'total' THEN 'It is the sum or the mean of other questions and says nothing that they do '
                      'not: leave it out by exclude_items.'
    WHEN 'waiting' THEN 'It is judged when most of its answers have their marks.'
    WHEN 'excluded' THEN 'It does not count, as the setting exclude_items says.'
    WHEN 'flawed' THEN 'Stronger students do worse on it than weaker ones, by more than chance '
                       'explains: look at its key and its wording.'
    WHEN 'suspect' THEN 'Stronger students do worse on it than weaker ones, though that may be '
                        'chance: look at its key and its wording.'
    WHEN 'no_variance' THEN 'It does not separate students: either all of them got the same '
                            'score on it, or they do not differ elsewhere.'
    WHEN 'insufficient' THEN 'That is too little to say how well it separates strong from weak '
                             'students.'
    ELSE pg_catalog.concat_ws(' ', CASE label
        WHEN 'very_good' THEN 'It separates strong from weak students very well.'
        WHEN 'good' THEN 'It separates strong from weak students well.'
        WHEN 'marginal' THEN 'It separates strong from weak students only moderately.'
        WHEN 'poor' THEN 'It hardly separates strong from weak students.'
        WHEN 'negative' THEN 'Stronger students do worse on it than weaker ones.'
        ELSE 'How well it separates strong from weak students is not known.' END,
        CASE status WHEN 'provisional' THEN 'With so few answers this may yet change.' END) END;
COMMENT ON FUNCTION @extschema@._describe_separation(text, text) IS
'internal: how well a question separates students, in words';

CREATE FUNCTION @extschema@._describe_weight(weight float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN weight = 0 THEN 'Its answers count for nothing in levels.'
    WHEN pg_catalog.round(weight::numeric, 1) = 1
    THEN 'In levels an answer to it counts as much as one to a usual question.'
    ELSE pg_catalog.format(
        'In levels an answer to it counts %s times as much as one to a usual question.',
        @extschema@._rounded(weight, CASE WHEN weight < 0.1 THEN 3 ELSE 1 END)) END;
COMMENT ON FUNCTION @extschema@._describe_weight(float8) IS
'internal: what an answer to a question weighs, in words';

CREATE FUNCTION @extschema@._describe_sides(
    strong bigint, strong_wrong bigint, weak bigint, weak_right bigint, bounded boolean,
    group_share float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN strong > 0 AND weak > 0 THEN pg_catalog.format(
    'Of the %s of the strongest %s of students %s %s %s, and of the %s of the weakest %s %s %s.',
    @extschema@._count(strong, 'answer'), @extschema@._percent(group_share, 1),
    strong_wrong, @extschema@._is_or_are(strong_wrong),
    CASE WHEN bounded THEN 'wrong' ELSE 'below the mean' END,
    @extschema@._count(weak, 'answer'), weak_right, @extschema@._is_or_are(weak_right),
    CASE WHEN bounded THEN 'right' ELSE 'not' END) END;
COMMENT ON FUNCTION @extschema@._describe_sides(bigint, bigint, bigint, bigint, boolean, float8) IS
'internal: how the strongest and the weakest did on a question, in words';

CREATE FUNCTION @extschema@._describe_choices(
    right_answer text, right_level float8, wrong_answer text, wrong_share float8,
    wrong_level float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN right_answer IS NOT NULL THEN pg_catalog.concat_ws(' ',
    pg_catalog.format('The right answer is %s.', @extschema@._quoted(right_answer)),
    CASE WHEN wrong_answer IS NOT NULL THEN pg_catalog.format(
        'The wrong answer given most is %s, by %s%s.', @extschema@._quoted(wrong_answer),
        @extschema@._chance(wrong_share),
        CASE WHEN wrong_level IS NOT NULL AND right_level IS NOT NULL THEN pg_catalog.format(
            '; those who gave it are at %s on average, those who were right at %s',
            @extschema@._points(wrong_level), @extschema@._points(right_level)) END) END) END;
COMMENT ON FUNCTION @extschema@._describe_choices(text, float8, text, float8, float8) IS
'internal: which answers were given to a question, in words';

CREATE FUNCTION @extschema@.explain_question(
    model name, item anycompatible, in_subject text DEFAULT NULL)
RETURNS TABLE (
    subject text, n bigint, assessments int, first_at timestamptz,
    last_at timestamptz, facility float8, weakest_mean float8, strongest_mean float8,
    discrimination float8, r_rest float8, weight float8, label text, strong bigint,
    strong_wrong bigint, weak bigint, weak_right bigint, right_answer text, wrong_answer text,
    wrong_share float8, wrong_level float8, right_level float8, status text, status_rank int,
    as_of timestamptz, explanation text)
LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@._must_read(model, VARIADIC @extschema@._question_relations());
    PERFORM @extschema@._must_have(model, 'questions', 'item', $2::text, $3);
    RETURN QUERY
        SELECT f.subject, f.n, f.assessments, f.first_at, f.last_at, f.facility, f.weakest_mean,
               f.strongest_mean, f.discrimination, f.r_rest, f.weight, f.label, f.strong,
               f.strong_wrong, f.weak, f.weak_right, f.right_answer, f.wrong_answer, f.wrong_share,
               f.wrong_level, f.right_level, f.status, f.status_rank, f.as_of,
               concat_ws(' ',
                   @extschema@._describe_answers(
                       @extschema@._in_subject(model, f.subject), @extschema@._quoted($2::text),
                       f.n, f.assessments, f.first_at, f.last_at),
                   @extschema@._describe_scores(
                       f.n, f.facility, f.groups, f.weakest_mean, f.strongest_mean),
                   @extschema@._describe_uncounted(f.status, f.left_out, f.blank, f.waiting),
                   @extschema@._describe_separation(f.status, f.label),
                   CASE WHEN f.n > 0 THEN @extschema@._describe_weight(f.weight) END,
                   @extschema@._describe_sides(
                       f.strong, f.strong_wrong, f.weak, f.weak_right, f.bounded, f.group_share),
                   @extschema@._describe_choices(
                       f.right_answer, f.right_level, f.wrong_answer, f.wrong_share,
                       f.wrong_level))
        FROM   @extschema@._question_figures(model, $2::text, $3) f;
END $$;
COMMENT ON FUNCTION @extschema@.explain_question IS
'how good a question of a model is and why: the numbers, and a paragraph of plain English';
