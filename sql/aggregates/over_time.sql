-- Aggregates over times: of scores, responses and the roster. The Makefile repeats this part for
-- each type of time: a date keeps its meaning in every time zone only if it is not turned into a
-- timestamptz on the way in, which would also keep a query from being sent to a shard.

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, @time@)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8,
                                                 @time@) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any",
    score float8, max_score float8, taken_at @time@) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, @time@) IS
'all responses of a group of rows as one gradebook; score is divided by max_score, which is '
'infinite for a scale without an upper bound; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, @time@)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, @time@) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any",
    score float8, taken_at @time@) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, @time@) IS
'all responses of a group of rows as one gradebook; score is the share of the maximum, 0 to 1; '
'rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, float8,
    @time@) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8,
                                                 float8, @time@) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any",
    score float8, min_score float8, max_score float8, taken_at @time@) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, float8,
                                               @time@) IS
'all responses of a group of rows as one gradebook; score lies between min_score, as where wrong '
'answers take points away, and max_score; rows that cannot be used are counted by reason';

CREATE FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8, float8,
    @time@, text, int8, int4) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'gradebook_trans_wrapper';
COMMENT ON FUNCTION @extschema@._gradebook_trans(internal, "any", "any", "any", float8, float8,
                                                 float8, @time@, text, int8, int4) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.gradebook_agg(student "any", item "any", assessment "any",
    score float8, min_score float8, max_score float8, taken_at @time@, standing text, attempt int8,
    item_position int4) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._gradebook_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gradebook_agg("any", "any", "any", float8, float8, float8, @time@,
                                               text, int8, int4) IS
'all responses of a group of rows as one gradebook; standing says what a score counts as (counts, '
'zero, waiting, not_taken, exempt), attempt which attempt at the assessment it is of, '
'item_position the place of the question in it';

-- The same for rows that a model or another function of ours has read: it reports by itself what of
-- them does not count.
CREATE AGGREGATE @extschema@._gradebook_agg(student "any", item "any", assessment "any",
    score float8, min_score float8, max_score float8, taken_at @time@, standing text, attempt int8,
    item_position int4) (
    SFUNC = @extschema@._gradebook_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._rollup_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@._gradebook_agg("any", "any", "any", float8, float8, float8, @time@,
                                                text, int8, int4) IS
'internal: gradebook_agg without a WARNING';

CREATE FUNCTION @extschema@._roster_trans(internal, "any", "any", @time@, @time@) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'roster_trans_wrapper';
COMMENT ON FUNCTION @extschema@._roster_trans(internal, "any", "any", @time@, @time@) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.roster_agg(student "any", student_group "any", entered_at @time@,
    left_at @time@) (
    SFUNC = @extschema@._roster_trans,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = @extschema@._roster_final,
    COMBINEFUNC = @extschema@._gradebook_combine,
    SERIALFUNC = @extschema@._gradebook_serial,
    DESERIALFUNC = @extschema@._gradebook_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.roster_agg("any", "any", @time@, @time@) IS
'who belonged to which group and when, as a gradebook to be merged with that of the responses; '
'the last day is included';

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval)
RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval,
    float8) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval,
                                             float8) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval,
    float8, @time@) RETURNS @extschema@.decay_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'decay_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._decay_trans(@extschema@.decay_summary, float8, @time@, interval,
                                             float8, @time@) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@)
RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@, float8)
RETURNS @extschema@.trend_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'trend_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._trend_trans(@extschema@.trend_summary, float8, @time@, float8) IS
'aggregate transition function';

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

CREATE AGGREGATE @extschema@.decay_agg(score float8, taken_at @time@, half_life interval,
    weight float8) (
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

CREATE AGGREGATE @extschema@.decay_avg(score float8, taken_at @time@, half_life interval,
    weight float8) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.level,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_avg(float8, @time@, interval, float8) IS
'mean of the scores, which count half at the age of one half-life; a score counts weight before '
'it fades';

CREATE AGGREGATE @extschema@.decay_avg(score float8, taken_at @time@, half_life interval,
    weight float8, as_of @time@) (
    SFUNC = @extschema@._decay_trans,
    STYPE = @extschema@.decay_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.level,
    COMBINEFUNC = @extschema@._decay_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.decay_avg(float8, @time@, interval, float8, @time@) IS
'mean of the scores, which count half at the age of one half-life; a score counts weight before '
'it fades, and later ones than as_of do not';

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

CREATE FUNCTION @extschema@._timed_trans(internal, float8, @time@) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'timed_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._timed_trans(internal, float8, @time@) IS
'aggregate transition function';

CREATE FUNCTION @extschema@._timed_trans(internal, float8, @time@, float8) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'timed_trans_@time@_wrapper';
COMMENT ON FUNCTION @extschema@._timed_trans(internal, float8, @time@, float8) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.theil_sen(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._theil_sen_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.theil_sen(float8, @time@) IS
'median slope of all pairs of scores at different times, per 30 days (Theil and Sen); NULL with '
'fewer than two different times';

CREATE AGGREGATE @extschema@.theil_sen_ci_low(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._theil_sen_ci_low_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.theil_sen_ci_low(float8, @time@) IS
'lower limit of a 95 per cent interval about theil_sen; NULL when there are too few scores to '
'give one';

CREATE AGGREGATE @extschema@.theil_sen_ci_low(score float8, taken_at @time@, confidence float8) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._theil_sen_ci_low_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.theil_sen_ci_low(float8, @time@, float8) IS
'lower limit of an interval about theil_sen; NULL when there are too few scores to give one';

CREATE AGGREGATE @extschema@.theil_sen_ci_high(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._theil_sen_ci_high_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.theil_sen_ci_high(float8, @time@) IS
'upper limit of a 95 per cent interval about theil_sen; NULL when there are too few scores to '
'give one';

CREATE AGGREGATE @extschema@.theil_sen_ci_high(score float8, taken_at @time@, confidence float8) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._theil_sen_ci_high_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.theil_sen_ci_high(float8, @time@, float8) IS
'upper limit of an interval about theil_sen; NULL when there are too few scores to give one';

CREATE AGGREGATE @extschema@.mann_kendall(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._mann_kendall_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mann_kendall(float8, @time@) IS
'two-sided p-value of no trend by the test of Mann and Kendall; exact for small groups without '
'ties';

CREATE AGGREGATE @extschema@.mann_kendall_s(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._mann_kendall_s_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mann_kendall_s(float8, @time@) IS
'Kendall''s S: pairs of scores that rise with time less pairs that fall';

CREATE AGGREGATE @extschema@.kendall_tau(score float8, taken_at @time@) (
    SFUNC = @extschema@._timed_trans,
    STYPE = internal,
    SSPACE = 512,
    FINALFUNC = @extschema@._kendall_tau_final,
    COMBINEFUNC = @extschema@._pairs_combine,
    SERIALFUNC = @extschema@._numbers_serial,
    DESERIALFUNC = @extschema@._numbers_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kendall_tau(float8, @time@) IS
'Kendall''s tau-b of score and time, -1 to 1; NULL when all scores or all times are the same';
