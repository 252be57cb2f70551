-- Questions that became easier or harder (src/functions/drift.rs). Declared as the functions in
-- solvers.sql.

CREATE FUNCTION @extschema@.item_drift(
    gradebook @extschema@.gradebook,
    as_of timestamptz DEFAULT NULL,
    attempts text DEFAULT 'first',
    exclude text[] DEFAULT '{}',
    out_of_range text DEFAULT 'exclude',
    missing_max text DEFAULT 'exclude',
    blanks text DEFAULT 'ignore',
    side_answers int DEFAULT 30,
    drift_alpha float8 DEFAULT 0.05,
    drift_margin float8 DEFAULT 0.05,
    confidence float8 DEFAULT 0.95,
    exclude_items text[] DEFAULT '{}'
) RETURNS TABLE (
    item text,
    dates int,
    n bigint,
    changed_at timestamptz,
    n_before bigint,
    n_after bigint,
    facility_before float8,
    facility_after float8,
    change float8,
    change_se float8,
    ci_low float8,
    ci_high float8,
    p float8,
    q float8,
    direction text,
    status text,
    status_rank int
)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'item_drift_wrapper';
COMMENT ON FUNCTION @extschema@.item_drift IS
'which questions became easier or harder for students of the same ability, from which day on, and '
'whether that is more than chance (status_rank 1: drifted)';
