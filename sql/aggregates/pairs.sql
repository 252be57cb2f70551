-- One-step aggregates that go by order and keep all pairs of a group (src/aggregates/pairs.rs), and
-- what they share with those of alpha.sql and dif.sql (src/aggregates/numbers.rs). Those over time
-- are in over_time.sql. Rows with a NULL are passed over, as by corr().

CREATE FUNCTION @extschema@._numbers_serial(internal) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'numbers_serial_wrapper';
COMMENT ON FUNCTION @extschema@._numbers_serial(internal) IS 'aggregate serial function';

CREATE FUNCTION @extschema@._numbers_deserial(bytea, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'numbers_deserial_wrapper';
COMMENT ON FUNCTION @extschema@._numbers_deserial(bytea, internal) IS 'aggregate deserial function';

CREATE FUNCTION @extschema@._pairs_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pairs_combine_wrapper';
COMMENT ON FUNCTION @extschema@._pairs_combine(internal, internal) IS 'aggregate combine function';

CREATE FUNCTION @extschema@._pairs_trans(internal, float8, float8) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pairs_trans_wrapper';
COMMENT ON FUNCTION @extschema@._pairs_trans(internal, float8, float8) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._pairs_trans(internal, float8, float8, float8) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pairs_trans_share_wrapper';
COMMENT ON FUNCTION @extschema@._pairs_trans(internal, float8, float8, float8) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._somers_d_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'somers_d_final_wrapper';
COMMENT ON FUNCTION @extschema@._somers_d_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._somers_d_se_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'somers_d_se_final_wrapper';
COMMENT ON FUNCTION @extschema@._somers_d_se_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._discrimination_index_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'discrimination_index_final_wrapper';
COMMENT ON FUNCTION @extschema@._discrimination_index_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._discriminative_efficiency_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'discriminative_efficiency_final_wrapper';
COMMENT ON FUNCTION @extschema@._discriminative_efficiency_final(internal) IS
'aggregate final function';

CREATE FUNCTION @extschema@._theil_sen_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'theil_sen_final_wrapper';
COMMENT ON FUNCTION @extschema@._theil_sen_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._theil_sen_ci_low_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'theil_sen_ci_low_final_wrapper';
COMMENT ON FUNCTION @extschema@._theil_sen_ci_low_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._theil_sen_ci_high_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'theil_sen_ci_high_final_wrapper';
COMMENT ON FUNCTION @extschema@._theil_sen_ci_high_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._mann_kendall_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mann_kendall_final_wrapper';
COMMENT ON FUNCTION @extschema@._mann_kendall_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._mann_kendall_s_final(internal) RETURNS bigint
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mann_kendall_s_final_wrapper';
COMMENT ON FUNCTION @extschema@._mann_kendall_s_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._kendall_tau_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'kendall_tau_final_wrapper';
COMMENT ON FUNCTION @extschema@._kendall_tau_final(internal) IS 'aggregate final function';

CREATE AGGREGATE @extschema@.somers_d(score float8, criterion float8) (
    SFUNC = @extschema@._pairs_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._somers_d_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.somers_d(float8, float8) IS
'Somers'' D of the criterion given the score, -1 to 1: separation by order alone; NULL when all '
'scores are the same';

CREATE AGGREGATE @extschema@.somers_d_se(score float8, criterion float8) (
    SFUNC = @extschema@._pairs_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._somers_d_se_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.somers_d_se(float8, float8) IS
'standard error of Somers'' D; NULL when all scores are the same, or all but one';

CREATE AGGREGATE @extschema@.discrimination_index(score float8, criterion float8) (
    SFUNC = @extschema@._pairs_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._discrimination_index_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.discrimination_index(float8, float8) IS
'mean score of the upper 27 per cent by criterion less that of the lower 27 per cent; students '
'tied at an edge belong to a group in part';

CREATE AGGREGATE @extschema@.discrimination_index(score float8, criterion float8, share float8) (
    SFUNC = @extschema@._pairs_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._discrimination_index_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.discrimination_index(float8, float8, float8) IS
'mean score of the upper share by criterion less that of the lower share; students tied at an edge '
'belong to a group in part';

CREATE AGGREGATE @extschema@.discriminative_efficiency(score float8, criterion float8) (
    SFUNC = @extschema@._pairs_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._discriminative_efficiency_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.discriminative_efficiency(float8, float8) IS
'covariance of score and criterion as a share of the largest that the same values could have; '
'NULL when one of them does not vary';
