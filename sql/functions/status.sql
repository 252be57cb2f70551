-- What follows from a status (src/functions/status.rs): the core decides it.

CREATE FUNCTION @extschema@._is_under_review(status text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_under_review_wrapper';
COMMENT ON FUNCTION @extschema@._is_under_review(text) IS
'internal: whether a question of this status should be looked at';

CREATE FUNCTION @extschema@._further_assessments(status text, assessments int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'further_assessments_wrapper';
COMMENT ON FUNCTION @extschema@._further_assessments(text, int) IS
'internal: how many more assessments would be enough evidence';

-- Why a student of whom too little is known is to be asked.
CREATE FUNCTION @extschema@._check_in_reason(status text, waiting bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN status IN ('none', 'stale') AND waiting > 0 THEN 'waiting for marks'
            WHEN status = 'none' THEN 'no evidence'
            WHEN status = 'stale' THEN 'old evidence'
            ELSE 'missing work' END;
COMMENT ON FUNCTION @extschema@._check_in_reason(text, bigint) IS
'internal: why a student is on the check-in list';
