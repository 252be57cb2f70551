-- How a question's scores go with a criterion: item_agg and what follows from it
-- (src/aggregates/summary/item.rs). Rows with a NULL are passed over, as by corr().

CREATE TYPE @extschema@.item_summary;

CREATE FUNCTION @extschema@.item_summary_in(cstring) RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_summary_in_wrapper';
COMMENT ON FUNCTION @extschema@.item_summary_in(cstring) IS 'I/O';

CREATE FUNCTION @extschema@.item_summary_out(@extschema@.item_summary) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_summary_out_wrapper';
COMMENT ON FUNCTION @extschema@.item_summary_out(@extschema@.item_summary) IS 'I/O';

CREATE FUNCTION @extschema@.item_summary_recv(internal) RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_summary_recv_wrapper';
COMMENT ON FUNCTION @extschema@.item_summary_recv(internal) IS 'I/O';

CREATE FUNCTION @extschema@.item_summary_send(@extschema@.item_summary) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_summary_send_wrapper';
COMMENT ON FUNCTION @extschema@.item_summary_send(@extschema@.item_summary) IS 'I/O';

CREATE TYPE @extschema@.item_summary (
    INPUT = @extschema@.item_summary_in,
    OUTPUT = @extschema@.item_summary_out,
    RECEIVE = @extschema@.item_summary_recv,
    SEND = @extschema@.item_summary_send,
    INTERNALLENGTH = 72,
    ALIGNMENT = double
);
COMMENT ON TYPE @extschema@.item_summary IS
'scores of a question and the criterion they are compared with, in fixed space: storable, '
'mergeable; made by item_agg, read by facility, discrimination and others';

CREATE FUNCTION @extschema@._item_merge(@extschema@.item_summary, @extschema@.item_summary)
RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_merge_wrapper';
COMMENT ON FUNCTION @extschema@._item_merge(@extschema@.item_summary, @extschema@.item_summary) IS
'aggregate transition and combine function';

CREATE FUNCTION @extschema@._item_final(@extschema@.item_summary) RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_final_wrapper';
COMMENT ON FUNCTION @extschema@._item_final(@extschema@.item_summary) IS 'aggregate final function';

CREATE FUNCTION @extschema@._item_rollup_final(@extschema@.item_summary)
RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_rollup_final_wrapper';
COMMENT ON FUNCTION @extschema@._item_rollup_final(@extschema@.item_summary) IS
'aggregate final function';

CREATE AGGREGATE @extschema@.rollup(summary @extschema@.item_summary) (
    SFUNC = @extschema@._item_merge,
    STYPE = @extschema@.item_summary,
    COMBINEFUNC = @extschema@._item_merge,
    FINALFUNC = @extschema@._item_rollup_final,
    INITCOND = 'v1',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rollup(@extschema@.item_summary) IS
'many summaries as one, as if item_agg had seen all their rows';

CREATE FUNCTION @extschema@.n(summary @extschema@.item_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_n_wrapper';
COMMENT ON FUNCTION @extschema@.n(@extschema@.item_summary) IS
'pairs of a score and a criterion';

CREATE FUNCTION @extschema@.excluded(summary @extschema@.item_summary) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_excluded_wrapper';
COMMENT ON FUNCTION @extschema@.excluded(@extschema@.item_summary) IS
'rows that were left out: a value is not finite or too large';

CREATE FUNCTION @extschema@.facility(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_facility_wrapper';
COMMENT ON FUNCTION @extschema@.facility(@extschema@.item_summary) IS
'mean score: the easier, the higher';

CREATE FUNCTION @extschema@.discrimination(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_discrimination_wrapper';
COMMENT ON FUNCTION @extschema@.discrimination(@extschema@.item_summary) IS
'correlation of score and criterion, -1 to 1; NULL when one of them does not vary';

CREATE FUNCTION @extschema@.discrimination_se(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_discrimination_se_wrapper';
COMMENT ON FUNCTION @extschema@.discrimination_se(@extschema@.item_summary) IS
'standard error of the discrimination, from Fisher''s z; NULL below four pairs';

CREATE FUNCTION @extschema@.ci_low(summary @extschema@.item_summary, confidence float8 DEFAULT 0.95)
RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_ci_low_wrapper';
COMMENT ON FUNCTION @extschema@.ci_low(@extschema@.item_summary, float8) IS
'lower limit of an interval about the discrimination, from Fisher''s z; NULL below four pairs';

CREATE FUNCTION @extschema@.ci_high(summary @extschema@.item_summary,
    confidence float8 DEFAULT 0.95) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_ci_high_wrapper';
COMMENT ON FUNCTION @extschema@.ci_high(@extschema@.item_summary, float8) IS
'upper limit of an interval about the discrimination, from Fisher''s z; NULL below four pairs';

CREATE FUNCTION @extschema@.r_rest(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_r_rest_wrapper';
COMMENT ON FUNCTION @extschema@.r_rest(@extschema@.item_summary) IS
'where the criterion is a total with the score in it: correlation of the score with the rest of '
'the total';

CREATE FUNCTION @extschema@.biserial(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_biserial_wrapper';
COMMENT ON FUNCTION @extschema@.biserial(@extschema@.item_summary) IS
'biserial correlation of scores of 0 and 1 with the criterion; may lie beyond 1; NULL for other '
'scores';

CREATE FUNCTION @extschema@.biserial_se(summary @extschema@.item_summary) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_biserial_se_wrapper';
COMMENT ON FUNCTION @extschema@.biserial_se(@extschema@.item_summary) IS
'standard error of the biserial correlation; NULL also where its formula ends, at a biserial of '
'about 1';

CREATE FUNCTION @extschema@._item_trans(@extschema@.item_summary, float8, float8)
RETURNS @extschema@.item_summary
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'item_trans_wrapper';
COMMENT ON FUNCTION @extschema@._item_trans(@extschema@.item_summary, float8, float8) IS
'aggregate transition function';

CREATE AGGREGATE @extschema@.item_agg(score float8, criterion float8) (
    SFUNC = @extschema@._item_trans,
    STYPE = @extschema@.item_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@._item_final,
    COMBINEFUNC = @extschema@._item_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.item_agg(float8, float8) IS
'scores of a question and the criterion they are compared with as a summary';

CREATE AGGREGATE @extschema@.discrimination(score float8, criterion float8) (
    SFUNC = @extschema@._item_trans,
    STYPE = @extschema@.item_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.discrimination,
    COMBINEFUNC = @extschema@._item_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.discrimination(float8, float8) IS
'correlation of score and criterion, -1 to 1: how well a question separates; NULL when one of '
'them does not vary';

CREATE AGGREGATE @extschema@.r_rest(score float8, total float8) (
    SFUNC = @extschema@._item_trans,
    STYPE = @extschema@.item_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.r_rest,
    COMBINEFUNC = @extschema@._item_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.r_rest(float8, float8) IS
'correlation of the score with the rest of a total that has the score in it; NULL when one of '
'them does not vary';

CREATE AGGREGATE @extschema@.biserial(score float8, criterion float8) (
    SFUNC = @extschema@._item_trans,
    STYPE = @extschema@.item_summary,
    INITCOND = 'v1',
    FINALFUNC = @extschema@.biserial,
    COMBINEFUNC = @extschema@._item_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.biserial(float8, float8) IS
'biserial correlation of scores of 0 and 1 with the criterion; may lie beyond 1; NULL for other '
'scores';
