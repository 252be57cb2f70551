-- The type gradebook and its rollup (src/aggregates/gradebook.rs). The aggregates that make one are
-- in over_time.sql of the aggregates.

CREATE TYPE @extschema@.gradebook;

CREATE FUNCTION @extschema@.gradebook_in(cstring) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_in_wrapper';
COMMENT ON FUNCTION @extschema@.gradebook_in(cstring) IS 'I/O';

CREATE FUNCTION @extschema@.gradebook_out(@extschema@.gradebook) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_out_wrapper';
COMMENT ON FUNCTION @extschema@.gradebook_out(@extschema@.gradebook) IS 'I/O';

CREATE FUNCTION @extschema@.gradebook_recv(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_recv_wrapper';
COMMENT ON FUNCTION @extschema@.gradebook_recv(internal) IS 'I/O';

CREATE FUNCTION @extschema@.gradebook_send(@extschema@.gradebook) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_send_wrapper';
COMMENT ON FUNCTION @extschema@.gradebook_send(@extschema@.gradebook) IS 'I/O';

-- Its bytes are compact already: external storage saves Postgres from trying to compress them.
CREATE TYPE @extschema@.gradebook (
    INPUT = @extschema@.gradebook_in,
    OUTPUT = @extschema@.gradebook_out,
    RECEIVE = @extschema@.gradebook_recv,
    SEND = @extschema@.gradebook_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE @extschema@.gradebook IS
'every response of a subject in one compact value: storable, mergeable, exact; made by '
'gradebook_agg, read by items, students, assessments, explain and coverage';

CREATE FUNCTION @extschema@._gradebook_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_combine_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_combine(internal, internal) IS
'aggregate combine function';

CREATE FUNCTION @extschema@._gradebook_serial(internal) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_serial_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_serial(internal) IS 'aggregate serial function';

CREATE FUNCTION @extschema@._gradebook_deserial(bytea, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_deserial_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_deserial(bytea, internal) IS
'aggregate deserial function';

CREATE FUNCTION @extschema@._gradebook_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_final_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._rollup_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_serial_wrapper';
COMMENT ON FUNCTION @extschema@._rollup_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._rollup_trans(internal, @extschema@.gradebook) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rollup_trans_wrapper';
COMMENT ON FUNCTION @extschema@._rollup_trans(internal, @extschema@.gradebook) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.rollup(gradebook @extschema@.gradebook) (
    SFUNC = @extschema@._rollup_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._rollup_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rollup(@extschema@.gradebook) IS
'one gradebook with the rows of many (months, schools, shards), as if it had been made from all '
'rows at once';

CREATE FUNCTION @extschema@._rollup_by_group_trans(internal, "any", @extschema@.gradebook)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rollup_by_group_trans_wrapper';
COMMENT ON FUNCTION @extschema@._rollup_by_group_trans(internal, "any", @extschema@.gradebook) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@._rollup_by_group(student_group "any",
                                              gradebook @extschema@.gradebook) (
    SFUNC = @extschema@._rollup_by_group_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._rollup_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@._rollup_by_group("any", @extschema@.gradebook) IS
'internal: rollup of gradebooks that are each of a group, by which due work is judged then';
