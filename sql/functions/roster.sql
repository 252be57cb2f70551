-- The roster in a gradebook, two gradebooks as one (src/aggregates/gradebook.rs), missing work
-- and work without marks (src/functions/missing_work.rs).

CREATE FUNCTION @extschema@.rollup(gradebook @extschema@.gradebook, other @extschema@.gradebook)
RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rollup_two_wrapper';
COMMENT ON FUNCTION @extschema@.rollup(@extschema@.gradebook, @extschema@.gradebook) IS
'two gradebooks as one, for example that of the responses and that of the roster; where one is '
'NULL, it is the other';

CREATE FUNCTION @extschema@._roster_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_final_wrapper';
COMMENT ON FUNCTION @extschema@._roster_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@.missing_work(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    due_share float8 DEFAULT 0.5,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    student text,
    assessment text,
    due_at timestamptz,
    student_group text
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'missing_work_wrapper';
COMMENT ON FUNCTION @extschema@.missing_work IS
'what each student should have taken and has not, since when, and in which group; as many rows '
'per student as students() calls missing';

CREATE FUNCTION @extschema@._unmarked(
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
    assessment text,
    first_at timestamptz,
    omitted bigint,
    waiting bigint,
    has_scores boolean
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'unmarked_wrapper';
COMMENT ON FUNCTION @extschema@._unmarked IS
'internal: what each student left blank in an assessment, or waits for the marks of';
