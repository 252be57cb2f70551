-- Aggregates over scores and their times. The Makefile repeats this part for each type of time:
-- a date keeps its meaning in every time zone only if it is not turned into a timestamptz on the
-- way in, which would also keep a query from being sent to a shard.

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval) IS 'aggregate transition function';

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval, float8) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval, float8) IS 'aggregate transition function';

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval, float8, @time@) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval, float8, @time@) IS 'aggregate transition function';

CREATE FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@) RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@) IS 'aggregate transition function';

CREATE FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@, float8) RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@, float8) IS 'aggregate transition function';

CREATE AGGREGATE @extschema@.decay_agg(score float8, taken_at @time@, half_life interval) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@._decay_final,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_agg(float8, @time@, interval) IS
'a mean in which scores fade with age, as a summary';

CREATE AGGREGATE @extschema@.decay_agg(score float8, taken_at @time@, half_life interval, weight float8) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@._decay_final,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_agg(float8, @time@, interval, float8) IS
'a mean in which scores fade with age, as a summary; a score counts weight before it fades';

CREATE AGGREGATE @extschema@.decay_avg(score float8, taken_at @time@, half_life interval) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.level,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_avg(float8, @time@, interval) IS
'mean of the scores, which count half at the age of one half-life';

CREATE AGGREGATE @extschema@.decay_avg(score float8, taken_at @time@, half_life interval, weight float8) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.level,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_avg(float8, @time@, interval, float8) IS
'mean of the scores, which count half at the age of one half-life; a score counts weight before it fades';

CREATE AGGREGATE @extschema@.decay_avg(score float8, taken_at @time@, half_life interval, weight float8, as_of @time@) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.level,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_avg(float8, @time@, interval, float8, @time@) IS
'mean of the scores, which count half at the age of one half-life; a score counts weight before it fades, and later ones than as_of do not';

CREATE AGGREGATE @extschema@.trend_agg(score float8, taken_at @time@) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@._trend_final,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend_agg(float8, @time@) IS
'a straight line through scores over time, as a summary';

CREATE AGGREGATE @extschema@.trend_agg(score float8, taken_at @time@, weight float8) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@._trend_final,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend_agg(float8, @time@, float8) IS
'a straight line through scores over time, as a summary; a score counts weight';

CREATE AGGREGATE @extschema@.trend_slope(score float8, taken_at @time@) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.slope,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend_slope(float8, @time@) IS
'change of the score per 30 days, by least squares';

CREATE AGGREGATE @extschema@.trend_slope(score float8, taken_at @time@, weight float8) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.slope,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend_slope(float8, @time@, float8) IS
'change of the score per 30 days, by least squares; a score counts weight';

CREATE AGGREGATE @extschema@.trend(score float8, taken_at @time@) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.trend,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend(float8, @time@) IS
'falling, unclear, steady or rising, for scores from 0 to 1';

CREATE AGGREGATE @extschema@.trend(score float8, taken_at @time@, weight float8) (
    SFUNC = @extschema@._trend_trans,
    STYPE = @extschema@.trend_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.trend,
    COMBINEFUNC = @extschema@._trend_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.trend(float8, @time@, float8) IS
'falling, unclear, steady or rising, for scores from 0 to 1; a score counts weight';
