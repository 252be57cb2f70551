-- The source as a model reads it, and the gradebooks made of it.

CREATE FUNCTION @extschema@._source_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('responses'::name, NULL::text[],
     $sql$WITH (security_invoker = true) AS
          SELECT {subject} AS subject, {student_group} AS student_group, {student} AS student,
                 {item} AS item, {assessment} AS assessment, {score} AS score,
                 {min_score} AS min_score, {max_score} AS max_score, {taken_at} AS taken_at,
                 {standing} AS standing, {attempt} AS attempt, {item_position} AS item_position,
                 {answer} AS answer{tracked}
          FROM {source} AS r$sql$,
     NULL, NULL),
    ('parts', '{none}',
     $sql$AS SELECT r.subject, r.student_group, count(*) AS rows,
                    {gradebook_of_rows} AS gradebook
             FROM {model}.responses r GROUP BY r.subject, r.student_group$sql$,
     NULL, 'subject, student_group'),
    ('gradebook', NULL,
     $sql$AS SELECT p.subject, {gradebook_of_parts} AS gradebook,
                    sum(p.rows)::bigint AS rows,
                    (SELECT max(l.run_id) FROM {model}.run_log l WHERE l.status = 'running')
                        AS run_id,
                    (SELECT coalesce(o.as_of, CURRENT_TIMESTAMP) FROM {model}.settings o) AS as_of,
                    @extschema@.method_version() AS method_version{time_zone}
             FROM {model}.parts p GROUP BY p.subject$sql$,
     NULL, 'subject');
END;
COMMENT ON FUNCTION @extschema@._source_definitions() IS
'internal: how a model reads its source';

-- What a model has besides that tracks changes.
CREATE FUNCTION @extschema@._tracking_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('tracking'::name, NULL::text[],
     $sql$(singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
           source regclass NOT NULL, members oid[],
           mode text NOT NULL CHECK (mode IN ('triggers', 'changed_at')),
           period text NOT NULL, type regtype NOT NULL,
           changed_to {changed_type}, frozen boolean NOT NULL DEFAULT false)$sql$,
     NULL, NULL),
    -- Every note has a key of its own transaction (the time distinguishes those of before and after
    -- a restore): a client that writes in many small statements notes each period once.
    ('changes', NULL,
     $sql$(xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
           noted timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
           period date NOT NULL,
           PRIMARY KEY (xact, noted, period))$sql$,
     NULL, NULL),
    ('stored_parts', NULL,
     $sql$AS SELECT r.subject, r.student_group, r.period, count(*) AS rows,
                    {gradebook_of_rows} AS gradebook
             FROM {model}.responses r GROUP BY r.subject, r.student_group, r.period
             WITH NO DATA$sql$,
     $sql$ADD row_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY$sql$, NULL),
    -- In the transaction of a refresh, once the stored parts are those of its snapshot, nothing is
    -- dirty: the tracking is frozen, which nobody else ever sees.
    ('dirty', '{triggers}',
     $sql$AS SELECT DISTINCT c.period FROM {model}.changes c
             WHERE NOT (SELECT t.frozen FROM {model}.tracking t)$sql$,
     NULL, NULL),
    ('dirty', '{changed_at}',
     $sql$AS SELECT c.period FROM {model}.changes c
             WHERE NOT (SELECT t.frozen FROM {model}.tracking t)
             UNION
             SELECT r.period FROM {model}.responses r
             WHERE  r.changed_at >= (SELECT t.changed_to - o.late_commit
                                     FROM {model}.tracking t CROSS JOIN {model}.settings o)
             AND    NOT (SELECT t.frozen FROM {model}.tracking t)
             UNION
             SELECT c.period
             FROM  (SELECT p.period, p.subject, p.student_group, p.rows
                    FROM {model}.stored_parts p
                    WHERE (SELECT o.compare_counts AND NOT t.frozen
                           FROM {model}.tracking t CROSS JOIN {model}.settings o)
                    UNION ALL
                    SELECT r.period, r.subject, r.student_group, - count(*)
                    FROM {model}.responses r
                    WHERE (SELECT o.compare_counts AND NOT t.frozen
                           FROM {model}.tracking t CROSS JOIN {model}.settings o)
                    GROUP BY r.period, r.subject, r.student_group) c
             GROUP BY c.period, c.subject, c.student_group HAVING sum(c.rows) <> 0$sql$,
     NULL, NULL),
    -- What is stored, but for dirty periods, which are aggregated as they are now. Conditions on
    -- constants and sub-selects alone keep an unneeded arm from touching the source.
    ('parts', '{triggers,changed_at}',
     $sql$AS WITH d AS MATERIALIZED (SELECT q.period FROM {model}.dirty q)
             SELECT s.subject, s.student_group, s.period, s.rows, s.gradebook
             FROM {model}.stored_parts s
             WHERE NOT EXISTS (SELECT FROM d WHERE d.period = s.period)
             AND   NOT EXISTS (SELECT FROM d WHERE d.period = 'infinity')
             UNION ALL
             SELECT r.subject, r.student_group, r.period, count(*) AS rows,
                    {gradebook_of_rows} AS gradebook
             FROM {model}.responses r
             WHERE EXISTS (SELECT FROM d WHERE isfinite(d.period))
             AND   NOT EXISTS (SELECT FROM d WHERE d.period = 'infinity')
             AND   r.dated >= (SELECT {first_dirty} FROM d WHERE isfinite(d.period))
             AND   r.dated < (SELECT {after_dirty} FROM d WHERE isfinite(d.period))
             AND   r.period IN (SELECT d.period FROM d)
             GROUP BY r.subject, r.student_group, r.period
             UNION ALL
             SELECT r.subject, r.student_group, r.period, count(*) AS rows,
                    {gradebook_of_rows} AS gradebook
             FROM {model}.responses r
             WHERE EXISTS (SELECT FROM d WHERE d.period = '-infinity')
             AND   NOT EXISTS (SELECT FROM d WHERE d.period = 'infinity')
             AND  ({out_of_calendar})
             GROUP BY r.subject, r.student_group, r.period
             UNION ALL
             SELECT r.subject, r.student_group, r.period, count(*) AS rows,
                    {gradebook_of_rows} AS gradebook
             FROM {model}.responses r
             WHERE EXISTS (SELECT FROM d WHERE d.period = 'infinity')
             GROUP BY r.subject, r.student_group, r.period$sql$,
     NULL, NULL);
END;
COMMENT ON FUNCTION @extschema@._tracking_definitions() IS
'internal: how a model is made that tracks changes';

CREATE FUNCTION @extschema@._source_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        ('subject'::name, 'the subject, as in the source'),
        ('student', 'the student, as in the source'),
        ('item', 'the question, as in the source'),
        ('assessment', 'the assessment, as in the source'),
        ('score', 'the score'),
        ('min_score', 'the minimum of the score; null: 0'),
        ('max_score', 'the maximum of the score'),
        ('taken_at', 'when the response was given'),
        ('standing', 'what the status says of the score: counts, zero, waiting, not_taken or '
                     'exempt; null: counts'),
        ('attempt', 'which attempt at the assessment it is of'),
        ('item_position', 'the place of the question in the sitting'),
        ('answer', 'what was answered'),
        ('responses.student_group', 'the school, class or other group, as in the source'),
        ('parts.student_group', 'the school, class or other group, as in the source'),
        ('stored_parts.student_group', 'the school, class or other group, as in the source'),
        ('period', 'first day of the period, in UTC; -infinity for rows without a usable time, '
                   'infinity for all periods'),
        ('dated', 'the time in the source'),
        ('changed_at', 'when the row was last changed'),
        ('gradebook', 'all responses in one value, for the functions of schema assess'),
        ('rows', 'rows of the source'),
        ('as_of', 'the time that the results are of'),
        ('time_zone', 'the time zone of the session that refreshed, on whose clock dates are read'),
        ('row_id', 'a primary key, as logical replication needs one; what the row is of may be '
                   'null'),
        -- Those of a model that tracks changes.
        ('source', 'the table of responses'),
        ('members', 'its partitions, as they were last seen'),
        ('mode', 'how changes become known: triggers or changed_at'),
        ('type', 'type of the times in the source'),
        ('changed_to', 'changes up to this time have been seen'),
        ('frozen', 'whether the stored parts are as new as the snapshot; only ever true inside a '
                   'refresh'),
        ('xact', 'the transaction that changed something'),
        ('noted', 'when it began');
END;
COMMENT ON FUNCTION @extschema@._source_columns() IS
'internal: what the columns of a source and its gradebooks mean';
