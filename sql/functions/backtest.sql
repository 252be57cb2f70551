-- How well the past would have been predicted (src/functions/backtest.rs).

CREATE FUNCTION @extschema@.backtest(
    gradebook @extschema@.gradebook,
    cuts timestamptz[] DEFAULT NULL,
    cut_count int DEFAULT 10,
    horizon interval DEFAULT '90 days',
    weighted_target boolean DEFAULT false,
    half_life interval DEFAULT '60 days',
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    cut_share float8 DEFAULT 0.2,
    adjust_difficulty boolean DEFAULT true,
    shrink boolean DEFAULT true,
    weight_floor float8 DEFAULT 0.25,
    min_answers float8 DEFAULT 10,
    flag_answers int DEFAULT 30,
    flag_alpha float8 DEFAULT 0.05,
    quality boolean DEFAULT true,
    counting text DEFAULT 'effective',
    half_precision_items float8 DEFAULT 20,
    noise_df float8 DEFAULT 8,
    confidence float8 DEFAULT 0.95,
    resamples int DEFAULT 500,
    seed bigint DEFAULT 1,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    target text,
    scope text,
    cut_at timestamptz,
    student_group text,
    assessments_from int,
    assessments_to int,
    method text,
    method_rank int,
    n bigint,
    rmse float8,
    rmse_difference float8,
    rmse_difference_low float8,
    rmse_difference_high float8,
    rank_correlation float8,
    rank_correlation_difference float8,
    rank_correlation_difference_low float8,
    rank_correlation_difference_high float8,
    recall float8,
    recall_difference float8,
    recall_difference_low float8,
    recall_difference_high float8,
    coverage_80 float8,
    coverage_95 float8,
    need_error float8
)
LANGUAGE c STABLE PARALLEL SAFE COST 100000 ROWS 300 AS 'MODULE_PATHNAME', 'backtest_wrapper';
COMMENT ON FUNCTION @extschema@.backtest IS
'how well each student''s next scores would have been predicted at dates in the past, by what a '
'school would do anyway and by this method part by part';

CREATE FUNCTION @extschema@.half_life_advice(
    gradebook @extschema@.gradebook,
    half_life interval DEFAULT '60 days',
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    adjust_difficulty boolean DEFAULT true,
    shrink boolean DEFAULT true,
    weight_floor float8 DEFAULT 0.25,
    min_answers float8 DEFAULT 10,
    flag_answers int DEFAULT 30,
    flag_alpha float8 DEFAULT 0.05,
    quality boolean DEFAULT true,
    counting text DEFAULT 'effective',
    half_precision_items float8 DEFAULT 20,
    noise_df float8 DEFAULT 8,
    confidence float8 DEFAULT 0.95,
    resamples int DEFAULT 500,
    seed bigint DEFAULT 1,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    half_life interval,
    rmse float8,
    difference float8,
    ci_low float8,
    ci_high float8,
    indistinguishable boolean,
    is_best boolean,
    in_use boolean,
    n bigint,
    students bigint,
    variogram interval,
    advice text
)
LANGUAGE c STABLE PARALLEL SAFE COST 100000 ROWS 10 AS 'MODULE_PATHNAME',
    'half_life_advice_wrapper';
COMMENT ON FUNCTION @extschema@.half_life_advice IS
'how well other half-lives would have predicted the past, which cannot be distinguished from '
'the best, and one sentence of advice; it changes no setting';
