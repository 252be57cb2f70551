-- The roster in a gradebook, two gradebooks as one (src/gradebook.rs), and missing work
-- (src/missing_work.rs).

CREATE FUNCTION @extschema@.rollup(gradebook @extschema@.gradebook, other @extschema@.gradebook) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rollup_two_wrapper';
COMMENT ON FUNCTION @extschema@.rollup(@extschema@.gradebook, @extschema@.gradebook) IS
'two gradebooks as one, for example that of the responses and that of the roster; where one is NULL, it is the other';

CREATE FUNCTION @extschema@._roster_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_final_wrapper';
COMMENT ON FUNCTION @extschema@._roster_final(internal) IS 'aggregate final function';

-- One aggregate for each type of time, as with gradebook_agg.

CREATE FUNCTION @extschema@._roster_trans(internal, "any", "any", date, date) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_trans_wrapper';
COMMENT ON FUNCTION @extschema@._roster_trans(internal, "any", "any", date, date) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.roster_agg(student "any", student_group "any", entered_at date, left_at date) (
    SFUNC = @extschema@._roster_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._roster_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.roster_agg("any", "any", date, date) IS
'who belonged to which group and when, as a gradebook to be merged with that of the responses; the last day is included';

CREATE FUNCTION @extschema@._roster_trans(internal, "any", "any", timestamp, timestamp) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_trans_wrapper';
COMMENT ON FUNCTION @extschema@._roster_trans(internal, "any", "any", timestamp, timestamp) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.roster_agg(student "any", student_group "any", entered_at timestamp, left_at timestamp) (
    SFUNC = @extschema@._roster_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._roster_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.roster_agg("any", "any", timestamp, timestamp) IS
'who belonged to which group and when, as a gradebook to be merged with that of the responses; both ends are included';

CREATE FUNCTION @extschema@._roster_trans(internal, "any", "any", timestamptz, timestamptz) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_trans_wrapper';
COMMENT ON FUNCTION @extschema@._roster_trans(internal, "any", "any", timestamptz, timestamptz) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.roster_agg(student "any", student_group "any", entered_at timestamptz, left_at timestamptz) (
    SFUNC = @extschema@._roster_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._roster_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.roster_agg("any", "any", timestamptz, timestamptz) IS
'who belonged to which group and when, as a gradebook to be merged with that of the responses; both ends are included';

CREATE FUNCTION @extschema@.missing_work(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    due_share float8 DEFAULT 0.5
) RETURNS TABLE (
    student text,
    assessment text,
    due_at timestamptz,
    student_group text
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'missing_work_wrapper';
COMMENT ON FUNCTION @extschema@.missing_work IS
'what each student should have taken and has not, since when, and in which group; as many rows per student as students() calls missing';
