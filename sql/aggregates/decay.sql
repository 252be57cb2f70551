-- A mean in which scores fade: the type decay_summary (src/aggregates/summary/decay.rs). Its
-- aggregates are in over_time.sql. Accessors that return or take a time read dates in the session's
-- time zone.

CREATE TYPE @extschema@.decay_summary;

CREATE FUNCTION @extschema@.decay_summary_in(cstring) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_summary_in_wrapper';
COMMENT ON FUNCTION @extschema@.decay_summary_in(cstring) IS 'I/O';

CREATE FUNCTION @extschema@.decay_summary_out(@extschema@.decay_summary) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_summary_out_wrapper';
COMMENT ON FUNCTION @extschema@.decay_summary_out(@extschema@.decay_summary) IS 'I/O';

CREATE FUNCTION @extschema@.decay_summary_recv(internal) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_summary_recv_wrapper';
COMMENT ON FUNCTION @extschema@.decay_summary_recv(internal) IS 'I/O';

CREATE FUNCTION @extschema@.decay_summary_send(@extschema@.decay_summary) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_summary_send_wrapper';
COMMENT ON FUNCTION @extschema@.decay_summary_send(@extschema@.decay_summary) IS 'I/O';

CREATE TYPE @extschema@.decay_summary (
    INPUT = @extschema@.decay_summary_in,
    OUTPUT = @extschema@.decay_summary_out,
    RECEIVE = @extschema@.decay_summary_recv,
    SEND = @extschema@.decay_summary_send,
    INTERNALLENGTH = 96,
    ALIGNMENT = double
);
COMMENT ON TYPE @extschema@.decay_summary IS
'a mean in which scores fade with age, in fixed space: storable, mergeable; made by decay_agg, '
'read by level, level_se, information and others';

CREATE FUNCTION @extschema@._decay_merge(@extschema@.decay_summary, @extschema@.decay_summary)
RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_merge_wrapper';
COMMENT ON FUNCTION @extschema@._decay_merge(@extschema@.decay_summary,
                                             @extschema@.decay_summary) IS
'aggregate transition and combine function';

CREATE FUNCTION @extschema@._decay_final(@extschema@.decay_summary)
RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_final_wrapper';
COMMENT ON FUNCTION @extschema@._decay_final(@extschema@.decay_summary) IS
'aggregate final function';

CREATE FUNCTION @extschema@._decay_rollup_final(@extschema@.decay_summary)
RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_rollup_final_wrapper';
COMMENT ON FUNCTION @extschema@._decay_rollup_final(@extschema@.decay_summary) IS
'aggregate final function';

CREATE AGGREGATE @extschema@.rollup(summary @extschema@.decay_summary) (
    SFUNC = @extschema@._decay_merge,
    STYPE = @extschema@.decay_summary,
    COMBINEFUNC = @extschema@._decay_merge,
    FINALFUNC = @extschema@._decay_rollup_final,
    INITCOND = 'v1',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rollup(@extschema@.decay_summary) IS
'many summaries as one, as if decay_agg had seen all their rows';

CREATE FUNCTION @extschema@.n(summary @extschema@.decay_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_n_wrapper';
COMMENT ON FUNCTION @extschema@.n(@extschema@.decay_summary) IS
'scores that count';

CREATE FUNCTION @extschema@.excluded(summary @extschema@.decay_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_excluded_wrapper';
COMMENT ON FUNCTION @extschema@.excluded(@extschema@.decay_summary) IS
'rows that were left out: a value is not finite or too large, or a weight is negative';

CREATE FUNCTION @extschema@.half_life(summary @extschema@.decay_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_half_life_wrapper';
COMMENT ON FUNCTION @extschema@.half_life(@extschema@.decay_summary) IS
'half-life in days';

CREATE FUNCTION @extschema@.level(summary @extschema@.decay_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_level_wrapper';
COMMENT ON FUNCTION @extschema@.level(@extschema@.decay_summary) IS
'mean of the scores, which count half at the age of one half-life';

CREATE FUNCTION @extschema@.level(summary @extschema@.decay_summary, as_of timestamptz)
RETURNS float8
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_level_at_wrapper';
COMMENT ON FUNCTION @extschema@.level(@extschema@.decay_summary, timestamptz) IS
'mean of the scores, which count half at the age of one half-life; NULL before the last score, '
'which cannot be taken out';

CREATE FUNCTION @extschema@.level_se(summary @extschema@.decay_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_level_se_wrapper';
COMMENT ON FUNCTION @extschema@.level_se(@extschema@.decay_summary) IS
'standard error of the level at the time of the last score; NULL below two scores';

CREATE FUNCTION @extschema@.level_se(summary @extschema@.decay_summary, as_of timestamptz)
RETURNS float8
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_level_se_at_wrapper';
COMMENT ON FUNCTION @extschema@.level_se(@extschema@.decay_summary, timestamptz) IS
'standard error of the level at as_of: it grows with silence; NULL below two scores and before '
'the last score';

CREATE FUNCTION @extschema@.information(summary @extschema@.decay_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_information_wrapper';
COMMENT ON FUNCTION @extschema@.information(@extschema@.decay_summary) IS
'sum of the weights at the time of the last score, in fresh scores of weight 1';

CREATE FUNCTION @extschema@.information(summary @extschema@.decay_summary, as_of timestamptz)
RETURNS float8
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_information_at_wrapper';
COMMENT ON FUNCTION @extschema@.information(@extschema@.decay_summary, timestamptz) IS
'sum of the weights at as_of, in fresh scores of weight 1; NULL before the last score';

CREATE FUNCTION @extschema@.n_effective(summary @extschema@.decay_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_n_effective_wrapper';
COMMENT ON FUNCTION @extschema@.n_effective(@extschema@.decay_summary) IS
'Kish''s effective number: as many scores of equal weight would be worth as much';

CREATE FUNCTION @extschema@.last_at(summary @extschema@.decay_summary) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_last_at_wrapper';
COMMENT ON FUNCTION @extschema@.last_at(@extschema@.decay_summary) IS
'time of the last score that counts';
