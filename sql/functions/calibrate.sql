-- Discrimination and difficulty by the two-parameter logistic model (src/functions/calibrate.rs).
-- Declared as the functions in solvers.sql.

CREATE FUNCTION @extschema@.calibrate(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    min_answers float8 DEFAULT 10,
    prior boolean DEFAULT true,
    nodes int DEFAULT 61,
    max_iterations int DEFAULT 500,
    tolerance float8 DEFAULT 1e-6,
    confidence float8 DEFAULT 0.95,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    item text,
    n bigint,
    facility float8,
    discrimination float8,
    discrimination_se float8,
    discrimination_low float8,
    discrimination_high float8,
    difficulty float8,
    difficulty_se float8,
    difficulty_low float8,
    difficulty_high float8,
    component int,
    status text,
    status_rank int,
    converged boolean,
    iterations int,
    log_likelihood float8,
    warnings text
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'calibrate_wrapper';
COMMENT ON FUNCTION @extschema@.calibrate IS
'a second opinion on questions that are right or wrong: how steeply each separates abilities, and '
'how hard it is, by the two-parameter logistic model (status_rank 1: negative)';
