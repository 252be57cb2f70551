-- What follows from a status (src/functions/status.rs): the core decides it.

CREATE FUNCTION @extschema@._is_under_review(status text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_under_review_wrapper';
COMMENT ON FUNCTION @extschema@._is_under_review(text) IS
'internal: whether a question of this status should be looked at';

CREATE FUNCTION @extschema@._further_assessments(status text, assessments int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'further_assessments_wrapper';
COMMENT ON FUNCTION @extschema@._further_assessments(text, int) IS
'internal: how many more assessments would be enough evidence';
