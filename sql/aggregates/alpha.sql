-- Cronbach's alpha over one array of scores for each student (src/aggregates/alpha.rs).

CREATE FUNCTION @extschema@._alpha_trans(internal, float8[]) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'alpha_trans_wrapper';
COMMENT ON FUNCTION @extschema@._alpha_trans(internal, float8[]) IS 'aggregate transition function';

CREATE FUNCTION @extschema@._alpha_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'alpha_combine_wrapper';
COMMENT ON FUNCTION @extschema@._alpha_combine(internal, internal) IS 'aggregate combine function';

CREATE FUNCTION @extschema@._cronbach_alpha_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cronbach_alpha_final_wrapper';
COMMENT ON FUNCTION @extschema@._cronbach_alpha_final(internal) IS 'aggregate final function';

CREATE FUNCTION @extschema@._cronbach_alpha_se_final(internal) RETURNS float8
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cronbach_alpha_se_final_wrapper';
COMMENT ON FUNCTION @extschema@._cronbach_alpha_se_final(internal) IS 'aggregate final function';

CREATE AGGREGATE @extschema@.cronbach_alpha(scores float8[]) (
    SFUNC = @extschema@._alpha_trans,
    STYPE = internal,
    SSPACE = 4096,
    FINALFUNC = @extschema@._cronbach_alpha_final,
    COMBINEFUNC = @extschema@._alpha_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.cronbach_alpha(float8[]) IS
'Cronbach''s alpha of the students'' scores, one array for each, in the order of the items; that '
'of Kuder and Richardson (KR-20) for scores of 0 and 1; may be negative; NULL when the totals do '
'not vary';

CREATE AGGREGATE @extschema@.cronbach_alpha_se(scores float8[]) (
    SFUNC = @extschema@._alpha_trans,
    STYPE = internal,
    SSPACE = 4096,
    FINALFUNC = @extschema@._cronbach_alpha_se_final,
    COMBINEFUNC = @extschema@._alpha_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.cronbach_alpha_se(float8[]) IS
'large-sample standard error of Cronbach''s alpha';
