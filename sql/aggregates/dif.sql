-- Differential functioning of a question by Mantel and Haenszel (src/aggregates/dif.rs).

CREATE FUNCTION @extschema@._dif_trans(internal, boolean, boolean, float8) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dif_trans_wrapper';
COMMENT ON FUNCTION @extschema@._dif_trans(internal, boolean, boolean, float8) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._dif_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dif_combine_wrapper';
COMMENT ON FUNCTION @extschema@._dif_combine(internal, internal) IS 'aggregate combine function';

CREATE FUNCTION @extschema@._mantel_haenszel_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mantel_haenszel_final_wrapper';
COMMENT ON FUNCTION @extschema@._mantel_haenszel_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._mantel_haenszel_delta_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mantel_haenszel_delta_final_wrapper';
COMMENT ON FUNCTION @extschema@._mantel_haenszel_delta_final(internal) IS
'aggregate final function';

CREATE FUNCTION @extschema@._mantel_haenszel_delta_se_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mantel_haenszel_delta_se_final_wrapper';
COMMENT ON FUNCTION @extschema@._mantel_haenszel_delta_se_final(internal) IS
'aggregate final function';

CREATE FUNCTION @extschema@._mantel_haenszel_p_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mantel_haenszel_p_final_wrapper';
COMMENT ON FUNCTION @extschema@._mantel_haenszel_p_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._mantel_haenszel_class_final(internal) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mantel_haenszel_class_final_wrapper';
COMMENT ON FUNCTION @extschema@._mantel_haenszel_class_final(internal) IS
'aggregate final function';

CREATE AGGREGATE @extschema@.mantel_haenszel(correct boolean, is_focal boolean, stratum float8) (
    SFUNC = @extschema@._dif_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = @extschema@._mantel_haenszel_final,
    COMBINEFUNC = @extschema@._dif_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mantel_haenszel(boolean, boolean, float8) IS
'common odds ratio of a right answer, reference group to focal group, among students of the same '
'stratum; 1 when the question treats both alike';

CREATE AGGREGATE @extschema@.mantel_haenszel_delta(correct boolean, is_focal boolean,
    stratum float8) (
    SFUNC = @extschema@._dif_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = @extschema@._mantel_haenszel_delta_final,
    COMBINEFUNC = @extschema@._dif_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mantel_haenszel_delta(boolean, boolean, float8) IS
'the common odds ratio on the delta scale of ETS, -2.35 times its logarithm; negative when the '
'question is harder for the focal group';

CREATE AGGREGATE @extschema@.mantel_haenszel_delta_se(correct boolean, is_focal boolean,
    stratum float8) (
    SFUNC = @extschema@._dif_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = @extschema@._mantel_haenszel_delta_se_final,
    COMBINEFUNC = @extschema@._dif_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mantel_haenszel_delta_se(boolean, boolean, float8) IS
'standard error of mantel_haenszel_delta';

CREATE AGGREGATE @extschema@.mantel_haenszel_p(correct boolean, is_focal boolean, stratum float8) (
    SFUNC = @extschema@._dif_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = @extschema@._mantel_haenszel_p_final,
    COMBINEFUNC = @extschema@._dif_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mantel_haenszel_p(boolean, boolean, float8) IS
'p-value of no difference between the groups, by the chi-squared test of Mantel and Haenszel with '
'continuity correction';

CREATE AGGREGATE @extschema@.mantel_haenszel_class(correct boolean, is_focal boolean,
    stratum float8) (
    SFUNC = @extschema@._dif_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = @extschema@._mantel_haenszel_class_final,
    COMBINEFUNC = @extschema@._dif_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mantel_haenszel_class(boolean, boolean, float8) IS
'class of ETS: A negligible, B moderate, C large';
