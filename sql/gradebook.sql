-- The type gradebook, and the aggregates that make it (src/gradebook.rs).

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
'every response of a subject in one compact value: storable, mergeable, exact; made by gradebook_agg, read by items, students, assessments, explain and coverage';

CREATE FUNCTION @extschema@._gradebook_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_combine_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_combine(internal, internal) IS 'aggregate combine function';

CREATE FUNCTION @extschema@._gradebook_serial(internal) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_serial_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_serial(internal) IS 'aggregate serial function';

CREATE FUNCTION @extschema@._gradebook_deserial(bytea, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_deserial_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_deserial(bytea, internal) IS 'aggregate deserial function';

CREATE FUNCTION @extschema@._gradebook_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_final_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._rollup_final(internal) RETURNS @extschema@.gradebook
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_serial_wrapper';
COMMENT ON FUNCTION @extschema@._rollup_final(internal) IS 'aggregate final function';

-- One aggregate for each type of time, with and without a maximum. A date keeps its meaning in
-- every time zone only if it is not turned into a timestamptz on the way in.

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, date) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, date) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, max_score float8, taken_at date) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, date) IS
'all responses of a group of rows as one gradebook; score is divided by max_score, which is infinite for a scale without an upper bound; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, date) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, date) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, taken_at date) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, date) IS
'all responses of a group of rows as one gradebook; score is the share of the maximum, 0 to 1; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, timestamp) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, timestamp) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, max_score float8, taken_at timestamp) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, timestamp) IS
'all responses of a group of rows as one gradebook; score is divided by max_score, which is infinite for a scale without an upper bound; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, timestamp) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, timestamp) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, taken_at timestamp) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, timestamp) IS
'all responses of a group of rows as one gradebook; score is the share of the maximum, 0 to 1; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, timestamptz) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, timestamptz) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, max_score float8, taken_at timestamptz) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, timestamptz) IS
'all responses of a group of rows as one gradebook; score is divided by max_score, which is infinite for a scale without an upper bound; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, timestamptz) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, timestamptz) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any", score float8, taken_at timestamptz) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, timestamptz) IS
'all responses of a group of rows as one gradebook; score is the share of the maximum, 0 to 1; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._rollup_trans(internal, @extschema@.gradebook) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'rollup_trans_wrapper';
COMMENT ON FUNCTION @extschema@._rollup_trans(internal, @extschema@.gradebook) IS 'aggregate transition function';

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
'one gradebook with the rows of many (months, schools, shards), as if it had been made from all rows at once';
