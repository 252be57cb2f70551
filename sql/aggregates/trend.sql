-- A straight line through scores over time: the type trend_summary
-- (src/aggregates/summary/trend.rs). Its aggregates are in over_time.sql.

CREATE TYPE @extschema@.trend_summary;

CREATE FUNCTION @extschema@.trend_summary_in(cstring) RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_summary_in_wrapper';
COMMENT ON FUNCTION @extschema@.trend_summary_in(cstring) IS 'I/O';

CREATE FUNCTION @extschema@.trend_summary_out(@extschema@.trend_summary) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_summary_out_wrapper';
COMMENT ON FUNCTION @extschema@.trend_summary_out(@extschema@.trend_summary) IS 'I/O';

CREATE FUNCTION @extschema@.trend_summary_recv(internal) RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_summary_recv_wrapper';
COMMENT ON FUNCTION @extschema@.trend_summary_recv(internal) IS 'I/O';

CREATE FUNCTION @extschema@.trend_summary_send(@extschema@.trend_summary) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_summary_send_wrapper';
COMMENT ON FUNCTION @extschema@.trend_summary_send(@extschema@.trend_summary) IS 'I/O';

CREATE TYPE @extschema@.trend_summary (
    INPUT = @extschema@.trend_summary_in,
    OUTPUT = @extschema@.trend_summary_out,
    RECEIVE = @extschema@.trend_summary_recv,
    SEND = @extschema@.trend_summary_send,
    INTERNALLENGTH = 104,
    ALIGNMENT = double
);
COMMENT ON TYPE @extschema@.trend_summary IS
'a straight line through scores over time, in fixed space: storable, mergeable; made by '
'trend_agg, read by slope, trend and others';

CREATE FUNCTION @extschema@._trend_merge(@extschema@.trend_summary, @extschema@.trend_summary)
RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_merge_wrapper';
COMMENT ON FUNCTION @extschema@._trend_merge(@extschema@.trend_summary,
                                             @extschema@.trend_summary) IS
'aggregate transition and combine function';

CREATE FUNCTION @extschema@._trend_final(@extschema@.trend_summary)
RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_final_wrapper';
COMMENT ON FUNCTION @extschema@._trend_final(@extschema@.trend_summary) IS
'aggregate final function';

CREATE FUNCTION @extschema@._trend_rollup_final(@extschema@.trend_summary)
RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_rollup_final_wrapper';
COMMENT ON FUNCTION @extschema@._trend_rollup_final(@extschema@.trend_summary) IS
'aggregate final function';

CREATE AGGREGATE @extschema@.rollup(summary @extschema@.trend_summary) (
    SFUNC = @extschema@._trend_merge,
    STYPE = @extschema@.trend_summary,
    COMBINEFUNC = @extschema@._trend_merge,
    FINALFUNC = @extschema@._trend_rollup_final,
    INITCOND = 'v1',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rollup(@extschema@.trend_summary) IS
'many summaries as one, as if trend_agg had seen all their rows';

CREATE FUNCTION @extschema@.n(summary @extschema@.trend_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_n_wrapper';
COMMENT ON FUNCTION @extschema@.n(@extschema@.trend_summary) IS
'scores that count';

CREATE FUNCTION @extschema@.excluded(summary @extschema@.trend_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_excluded_wrapper';
COMMENT ON FUNCTION @extschema@.excluded(@extschema@.trend_summary) IS
'rows that were left out: a value is not finite or too large, or a weight is negative';

CREATE FUNCTION @extschema@.slope(summary @extschema@.trend_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_slope_wrapper';
COMMENT ON FUNCTION @extschema@.slope(@extschema@.trend_summary) IS
'change of the score per 30 days, by least squares; NULL with fewer than two different times';

CREATE FUNCTION @extschema@.slope_se(summary @extschema@.trend_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_slope_se_wrapper';
COMMENT ON FUNCTION @extschema@.slope_se(@extschema@.trend_summary) IS
'standard error of the slope; NULL below three scores';

CREATE FUNCTION @extschema@.trend_p(summary @extschema@.trend_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_p_wrapper';
COMMENT ON FUNCTION @extschema@.trend_p(@extschema@.trend_summary) IS
'two-sided p-value of no change; NULL below three scores';

CREATE FUNCTION @extschema@.trend(summary @extschema@.trend_summary) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_label_wrapper';
COMMENT ON FUNCTION @extschema@.trend(@extschema@.trend_summary) IS
'falling, unclear, steady or rising, for scores from 0 to 1';

CREATE FUNCTION @extschema@.trend(summary @extschema@.trend_summary, margin float8) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_label_wrapper';
COMMENT ON FUNCTION @extschema@.trend(@extschema@.trend_summary, float8) IS
'falling, unclear, steady or rising; a steady score moves at most margin in 90 days';

CREATE FUNCTION @extschema@.trend_rank(summary @extschema@.trend_summary) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_rank_wrapper';
COMMENT ON FUNCTION @extschema@.trend_rank(@extschema@.trend_summary) IS
'1 falling, 2 unclear, 3 steady, 4 rising';

CREATE FUNCTION @extschema@.trend_rank(summary @extschema@.trend_summary, margin float8) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_rank_wrapper';
COMMENT ON FUNCTION @extschema@.trend_rank(@extschema@.trend_summary, float8) IS
'1 falling, 2 unclear, 3 steady, 4 rising; a steady score moves at most margin in 90 days';

CREATE FUNCTION @extschema@.dates(summary @extschema@.trend_summary) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_dates_wrapper';
COMMENT ON FUNCTION @extschema@.dates(@extschema@.trend_summary) IS
'different days with a score: never more than there are, at most 61';

CREATE FUNCTION @extschema@.first_at(summary @extschema@.trend_summary) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_first_at_wrapper';
COMMENT ON FUNCTION @extschema@.first_at(@extschema@.trend_summary) IS
'time of the first score that counts';

CREATE FUNCTION @extschema@.last_at(summary @extschema@.trend_summary) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_last_at_wrapper';
COMMENT ON FUNCTION @extschema@.last_at(@extschema@.trend_summary) IS
'time of the last score that counts';
