-- What a gradebook holds, as rows again (src/functions/contents.rs).

CREATE FUNCTION @extschema@.responses(gradebook @extschema@.gradebook) RETURNS TABLE (
    student text,
    item text,
    assessment text,
    taken_at timestamptz,
    score float8,
    bounded boolean
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100000 AS 'MODULE_PATHNAME', 'responses_wrapper';
COMMENT ON FUNCTION @extschema@.responses(@extschema@.gradebook) IS
'the responses in a gradebook as rows; score is the share of the maximum, or where it has none '
'(not bounded) the score itself';

CREATE FUNCTION @extschema@.counted_responses(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}'
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
'assessment; columns as of responses()';

-- The same with all answers of a student in one row, or in several where they are very many: a
-- query about one student need not unpack the others.
CREATE FUNCTION @extschema@._counted_sheets(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}'
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
'the students in a gradebook, with the number and the first and last time of their responses as '
'of a time';

CREATE FUNCTION @extschema@.without(gradebook @extschema@.gradebook, items text[])
RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'without_wrapper';
COMMENT ON FUNCTION @extschema@.without(@extschema@.gradebook, text[]) IS
'a gradebook without the responses to some questions; unknown ones are passed over';
