-- The views of a model over its results, and the table of pass marks that they go by. They hold at
-- once.

CREATE FUNCTION @extschema@._lists_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('help_list'::name, NULL::text[],
     $sql$AS SELECT s.subject, s.need_rank, s.student, s.student_group, s.level, s.ci_low,
                    s.ci_high, s.need, s.trend, s.trend_rank, s.due, s.missing, s.status,
                    s.status_rank, s.last_at, s.run_id, s.as_of, s.method_version
             FROM {model}.students s CROSS JOIN {model}.settings o
             WHERE s.need_rank IS NOT NULL AND s.need >= o.help_need
             ORDER BY s.subject, s.need_rank$sql$,
     NULL, NULL),
    ('check_in_list', NULL,
     $sql$AS SELECT s.subject, s.student, s.student_group,
                    @extschema@._check_in_reason(s.status, s.waiting) AS reason,
                    s.last_at, s.due, s.missing, s.level, s.ci_low, s.ci_high, s.status,
                    s.status_rank, s.waiting, s.run_id, s.as_of, s.method_version
             FROM {model}.students s CROSS JOIN {model}.settings o
             WHERE s.status IN ('none', 'stale')
                OR s.missing >= o.missing_share * s.due AND s.missing > 0
             ORDER BY s.subject, s.status_rank, s.missing DESC, s.student$sql$,
     NULL, NULL),
    ('question_review', NULL,
     $sql$AS SELECT q.subject, q.item, q.status, q.status_rank, q.label, q.n, q.left_out,
                    q.facility, q.r_rest, q.discrimination, q.ci_low, q.ci_high, q.weight,
                    q.assessments, q.first_at, q.last_at, q.run_id, q.as_of, q.method_version
             FROM {model}.questions q
             WHERE @extschema@._is_under_review(q.status)
             ORDER BY q.subject, q.status_rank, q.r_rest$sql$,
     NULL, NULL),
    ('school_map', NULL,
     $sql$AS SELECT s.subject, s.student, s.student_group, s.level, s.slope, s.need, s.need_rank,
                    @extschema@._quadrant(s.level, a.middle_level, s.slope) AS quadrant,
                    @extschema@._quadrant_rank(s.level, a.middle_level, s.slope) AS quadrant_rank,
                    a.middle_level, s.run_id, s.as_of, s.method_version
             FROM {model}.students s
             JOIN (SELECT k.subject, @extschema@._middle_level(array_agg(k.level)) AS middle_level
                   FROM {model}.students k GROUP BY k.subject) a
                  ON ARRAY[a.subject] = ARRAY[s.subject]$sql$,
     NULL, NULL),
    -- The ids as results have them, so that what is written there is found.
    ('pass_marks', NULL,
     $sql$AS SELECT q.subject, q.item, o.pass_mark
             FROM {model}.questions q CROSS JOIN {model}.settings o WITH NO DATA$sql$,
     $sql$ALTER item SET NOT NULL, ALTER pass_mark SET NOT NULL,
          ADD CHECK (pass_mark BETWEEN 0 AND 1),
          ADD UNIQUE NULLS NOT DISTINCT (item, subject),
          ADD row_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY$sql$, NULL),
    -- Whatever goes by a pass mark goes by this.
    ('expectations', NULL,
     $sql$AS SELECT x.subject, x.item, x.pass_mark, coalesce(x.pass_mark, x.facility) AS expected
             FROM  (SELECT q.subject, q.item, q.facility,
                           coalesce(p.pass_mark, e.pass_mark, o.pass_mark) AS pass_mark
                    FROM {model}.questions q CROSS JOIN {model}.settings o
                    LEFT JOIN {model}.pass_marks p ON p.item = q.item AND p.subject = q.subject
                    LEFT JOIN {model}.pass_marks e ON e.item = q.item AND e.subject IS NULL) x$sql$,
     NULL, NULL),
    -- Unpacked once, whatever is joined to it, and a student's answers only if they are asked for.
    ('score_sheet', NULL,
     $sql$AS WITH b AS MATERIALIZED (
                 SELECT g.subject, g.run_id, g.stored_as_of AS as_of, g.method_version, b.*
                 FROM {gradebooks} CROSS JOIN LATERAL {sheets} b),
             e AS MATERIALIZED (SELECT * FROM {model}.expectations),
             r AS (
                 SELECT b.subject, b.run_id, b.as_of, b.method_version, s.student, s.student_group,
                        unnest(b.items)::{item_type} AS item,
                        unnest(b.assessments)::{assessment_type} AS assessment,
                        unnest(b.taken_at) AS taken_at, unnest(b.scores) AS score,
                        unnest(b.bounded) AS bounded
                 FROM b JOIN {model}.students s
                      ON  ARRAY[s.subject] = ARRAY[b.subject]
                      AND s.student = b.student::{student_type})
             SELECT r.subject, r.assessment, r.student, r.student_group, r.item, r.taken_at,
                    r.score, CASE WHEN r.bounded THEN e.expected END AS expected,
                    CASE WHEN r.bounded THEN r.score < e.expected END AS is_below,
                    r.run_id, r.as_of, r.method_version
             FROM r JOIN e ON ARRAY[e.subject] = ARRAY[r.subject] AND e.item = r.item$sql$,
     NULL, NULL);
END;
COMMENT ON FUNCTION @extschema@._lists_definitions() IS
'internal: how the lists of a model are made';

CREATE FUNCTION @extschema@._lists_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        ('check_in_list.reason'::name, 'why the student is on the list: no evidence, old evidence, '
                                       'waiting for marks or missing work'),
        ('question_review.assessments', 'assessments that used the question'),
        ('question_review.ci_low', 'lower end of the interval of the discrimination'),
        ('question_review.ci_high', 'upper end of the interval of the discrimination'),
        ('question_review.status', 'flawed: the stronger do worse, beyond chance; suspect: perhaps '
                                   'by chance; truncated: one end of its scores does not count; '
                                   'total: the sum or the mean of others'),
        ('quadrant', 'low and falling, low and rising, high and falling, high and rising; null '
                     'where '
                     'a figure is missing'),
        ('quadrant_rank', '1 low and falling, 2 low and rising, 3 high and falling, 4 high and '
                          'rising'),
        ('middle_level', 'mean level of the subject without the few far outside; below it is low'),
        ('expected', 'the pass mark, or else the facility of the question'),
        ('is_below', 'whether the score is below what was expected'),
        ('score_sheet.score', 'the score as a share of the maximum; as it is where there is none');
END;
COMMENT ON FUNCTION @extschema@._lists_columns() IS 'internal: what the columns of lists mean';
