-- What a gradebook holds, as rows again (src/functions/contents.rs).

CREATE FUNCTION @extschema@.responses(gradebook @extschema@.gradebook) RETURNS TABLE (
    student text,
    item text,
    assessment text,
    taken_at timestamptz,
    score float8,
    min_score float8,
    max_score float8,
    state text,
    attempt int8,
    item_position int4
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100000 AS 'MODULE_PATHNAME', 'responses_wrapper';
COMMENT ON FUNCTION @extschema@.responses(@extschema@.gradebook) IS
'the rows in a gradebook as they came; state says whether there is a score (scored), or why not '
'(no_score, waiting, not_taken, exempt)';

CREATE FUNCTION @extschema@.counted_responses(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    student text,
    item text,
    assessment text,
    taken_at timestamptz,
    score float8,
    bounded boolean
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100000
AS 'MODULE_PATHNAME', 'counted_responses_wrapper';
COMMENT ON FUNCTION @extschema@.counted_responses IS
'the responses in a gradebook that count as of a time, at most one for each student, question and '
'assessment; score is the share of the way from the minimum to the maximum, or without a maximum '
'(not bounded) the score itself';

-- The same with all answers of a student in one row, or in several where they are very many: a
-- query about one student need not unpack the others.
CREATE FUNCTION @extschema@._counted_sheets(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    student text,
    items text[],
    assessments text[],
    taken_at timestamptz[],
    scores float8[],
    bounded boolean[]
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'counted_sheets_wrapper';
COMMENT ON FUNCTION @extschema@._counted_sheets IS
'internal: the responses in a gradebook that count, by student';

CREATE FUNCTION @extschema@.members(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL
) RETURNS TABLE (
    student text,
    n bigint,
    first_at timestamptz,
    last_at timestamptz
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'members_wrapper';
COMMENT ON FUNCTION @extschema@.members IS
'the students in a gradebook, with the number of their scores and the first and last time of their '
'rows, with or without a score, as of a time';

CREATE FUNCTION @extschema@.without(gradebook @extschema@.gradebook, items text[])
RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'without_wrapper';
COMMENT ON FUNCTION @extschema@.without(@extschema@.gradebook, text[]) IS
'a gradebook without the responses to some questions; unknown ones are passed over';
