-- What a gradebook answers (src/functions). Arguments are read by their names, and may stand in any
-- order; those of options are the names of the table in src/core/options.rs.
-- STABLE and not IMMUTABLE: calendar times come and go as timestamptz in the session's zone.
-- The costs are low for what the functions do: the planner guesses hundreds of rows for a small
-- table that was never analyzed, and would compile the query for them (jit_above_cost).

CREATE FUNCTION @extschema@.items(
    gradebook @extschema@.gradebook,
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
    upper_lower_share float8 DEFAULT 0.27,
    confidence float8 DEFAULT 0.95,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    item text,
    assessments int,
    n bigint,
    n_effective float8,
    facility float8,
    r_rest float8,
    discrimination float8,
    discrimination_se float8,
    ci_low float8,
    ci_high float8,
    somers_d float8,
    discrimination_index float8,
    weight float8,
    status text,
    status_rank int,
    label text,
    first_at timestamptz,
    last_at timestamptz,
    left_out bigint,
    blank bigint,
    waiting bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'items_wrapper';
COMMENT ON FUNCTION @extschema@.items IS
'how well each question separates students with a high historical level from those with a low '
'one, what it may weigh, and which questions to review first (status_rank 1: flawed)';

CREATE FUNCTION @extschema@.students(
    gradebook @extschema@.gradebook,
    half_life interval DEFAULT '60 days',
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    cut float8 DEFAULT NULL,
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
    stale_half_lives float8 DEFAULT 2,
    trend_window interval DEFAULT '180 days',
    trend_min_dates int DEFAULT 5,
    trend_min_span interval DEFAULT '28 days',
    trend_alpha float8 DEFAULT 0.05,
    steady_margin float8 DEFAULT 0.05,
    due_share float8 DEFAULT 0.5,
    trend_noise_df float8 DEFAULT 4,
    previous @extschema@.gradebook DEFAULT NULL,
    carry_over float8 DEFAULT 0.65,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    student text,
    level float8,
    level_se float8,
    ci_low float8,
    ci_high float8,
    raw_level float8,
    prior float8,
    information float8,
    n bigint,
    assessments int,
    last_at timestamptz,
    slope float8,
    slope_se float8,
    trend_p float8,
    trend text,
    trend_rank int,
    need float8,
    need_rank bigint,
    due int,
    missing int,
    status text,
    status_rank int,
    omitted bigint,
    waiting bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 10000 AS 'MODULE_PATHNAME', 'students_wrapper';
COMMENT ON FUNCTION @extschema@.students IS
'where each student stands now, how sure that is, in which direction it goes, what work is '
'missing, and who needs help first (need_rank 1)';

CREATE FUNCTION @extschema@.assessments(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    assessment text,
    items bigint,
    students bigint,
    n bigint,
    first_at timestamptz,
    last_at timestamptz,
    mean float8,
    sd float8,
    alpha float8,
    alpha_se float8,
    sem float8,
    alpha_status text,
    omitted bigint,
    waiting bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100 AS 'MODULE_PATHNAME', 'assessments_wrapper';
COMMENT ON FUNCTION @extschema@.assessments IS
'size, dates, mean and reliability of each assessment: Cronbach''s alpha of as many questions as a '
'student answers, or why there is none; and how many answers are blank or wait';

CREATE FUNCTION @extschema@.explain(
    gradebook @extschema@.gradebook,
    student text,
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
    previous @extschema@.gradebook DEFAULT NULL,
    carry_over float8 DEFAULT 0.65,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    assessment text,
    item text,
    taken_at timestamptz,
    score float8,
    expected float8,
    quality float8,
    decay float8,
    share float8,
    contribution float8
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100 AS 'MODULE_PATHNAME', 'explain_wrapper';
COMMENT ON FUNCTION @extschema@.explain IS
'why a student''s level is what it is, response by response; the contributions add up to level - '
'prior';

CREATE FUNCTION @extschema@.coverage(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    reason text,
    rows bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 9 AS 'MODULE_PATHNAME', 'coverage_wrapper';
COMMENT ON FUNCTION @extschema@.coverage IS
'what became of every row: used, or left out and why; the rows add up to all rows aggregated';

CREATE FUNCTION @extschema@.coverage_by_item(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    item text,
    reason text,
    rows bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100 AS 'MODULE_PATHNAME',
'coverage_by_item_wrapper';
COMMENT ON FUNCTION @extschema@.coverage_by_item IS
'the rows of each question that do not count by themselves, by reason; item is null for rows '
'without one';

CREATE FUNCTION @extschema@.summary_rows(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    student text,
    kind text,
    kind_rank int,
    questions bigint,
    matching bigint
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'summary_rows_wrapper';
COMMENT ON FUNCTION @extschema@.summary_rows IS
'students who look like rows of an export that sum up all others: their mean, or the most points '
'that could be had or that anybody had';

CREATE FUNCTION @extschema@._coverage_asked(
    gradebook @extschema@.gradebook,
    as_of timestamptz,
    attempts text,
    exclude text[],
    out_of_range text,
    missing_max text,
    blanks text,
    exclude_items text[]
) RETURNS TABLE (reason text, rows bigint)
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 9 AS 'MODULE_PATHNAME', 'coverage_wrapper';
COMMENT ON FUNCTION @extschema@._coverage_asked IS
'internal: what became of every row, but for those of assessments that are left out';

CREATE FUNCTION @extschema@._is_left_out(reason text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_left_out_wrapper';
COMMENT ON FUNCTION @extschema@._is_left_out(text) IS
'internal: whether something is wrong with rows that coverage counts under this reason';

CREATE FUNCTION @extschema@._scale_advice(
    gradebook @extschema@.gradebook,
    as_of timestamptz,
    exclude text[],
    out_of_range text,
    missing_max text,
    blanks text,
    exclude_items text[]
) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'scale_advice_wrapper';
COMMENT ON FUNCTION @extschema@._scale_advice IS
'internal: what may be wrong with the rows that do not count, and what to do';

CREATE FUNCTION @extschema@._scale_advice_by_item(
    gradebook @extschema@.gradebook,
    as_of timestamptz,
    exclude text[],
    out_of_range text,
    missing_max text,
    blanks text,
    exclude_items text[]
) RETURNS TABLE (item text, advice text)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'scale_advice_by_item_wrapper';
COMMENT ON FUNCTION @extschema@._scale_advice_by_item IS
'internal: what may be wrong with the scale of the scores of each question, and what to do';

CREATE FUNCTION @extschema@._has_item(gradebook @extschema@.gradebook, id text) RETURNS bool
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'has_item_wrapper';
COMMENT ON FUNCTION @extschema@._has_item(@extschema@.gradebook, text) IS
'internal: whether there is a row of a question';

CREATE FUNCTION @extschema@._has_assessment(gradebook @extschema@.gradebook, id text) RETURNS bool
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'has_assessment_wrapper';
COMMENT ON FUNCTION @extschema@._has_assessment(@extschema@.gradebook, text) IS
'internal: whether there is a row of an assessment';

CREATE FUNCTION @extschema@._unused_scales(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    exclude text[] DEFAULT '{}',
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (item text, most float8, max_score float8)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'unused_scales_wrapper';
COMMENT ON FUNCTION @extschema@._unused_scales IS
'internal: questions of 20 points or more of which nobody has more than one in twenty';

CREATE FUNCTION @extschema@._zero_times(gradebook @extschema@.gradebook) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'zero_times_wrapper';
COMMENT ON FUNCTION @extschema@._zero_times(@extschema@.gradebook) IS
'internal: how many rows are of 1970-01-01 00:00, the time 0 of computers';
