-- Scores of students, ten each, in no order of time: the worst for a mean that fades, which has to
-- work out an age for every row. No other column makes the table larger than need be.
CREATE EXTENSION IF NOT EXISTS pg_assess;
CREATE SCHEMA IF NOT EXISTS bench;
CREATE UNLOGGED TABLE bench.scores (
    student_id int, question_id int, score float8, criterion float8, taken_on date);
SELECT greatest(1, :rows / 10) AS students \gset
SELECT setseed(0.5) AS nothing \gset
INSERT INTO bench.scores
SELECT i * 7919 % :students, i % 20, (random() < 0.6)::int, random(),
       date '2025-09-01' + (300 * random())::int
FROM generate_series(0::bigint, :rows - 1) AS i;
VACUUM (FREEZE, ANALYZE) bench.scores;

CREATE TABLE bench.groupings (place int GENERATED ALWAYS AS IDENTITY, name text, grouping text);
INSERT INTO bench.groupings (name, grouping) VALUES
    ('one', ''), ('questions', 'GROUP BY question_id'), ('students', 'GROUP BY student_id');

-- What is compared with corr: one line for each. at_most is a ratio that is promised. Those that
-- keep every row are for small groups, as is core's array_agg, which does as well.
CREATE TABLE bench.aggregates (
    place int GENERATED ALWAYS AS IDENTITY, name text, call text, at_most float8,
    groupings text[] NOT NULL DEFAULT '{one,questions,students}');
INSERT INTO bench.aggregates (name, call, at_most) VALUES
    ('corr', 'corr(score, criterion)', NULL),
    ('discrimination', 'assess.discrimination(score, criterion)', 1.5),
    ('decay_avg', 'assess.decay_avg(score, taken_on, interval ''60 days'')', 1.5),
    ('trend_slope', 'assess.trend_slope(score, taken_on)', 1.5),
    ('r_rest', 'assess.r_rest(score, criterion)', NULL),
    ('biserial', 'assess.biserial(score, criterion)', NULL),
    ('trend', 'assess.trend(score, taken_on)', NULL),
    ('item_agg', 'assess.item_agg(score, criterion)', NULL),
    ('decay_agg', 'assess.decay_agg(score, taken_on, interval ''60 days'')', NULL),
    ('trend_agg', 'assess.trend_agg(score, taken_on)', NULL);
INSERT INTO bench.aggregates (name, call, groupings) VALUES
    ('array_agg', 'array_agg(score)', '{students}'),
    ('discrimination_index', 'assess.discrimination_index(score, criterion)', '{students}'),
    ('somers_d', 'assess.somers_d(score, criterion)', '{students}'),
    ('discriminative_efficiency', 'assess.discriminative_efficiency(score, criterion)',
     '{students}'),
    ('theil_sen', 'assess.theil_sen(score, taken_on)', '{students}'),
    ('mann_kendall', 'assess.mann_kendall(score, taken_on)', '{students}'),
    ('mantel_haenszel', 'assess.mantel_haenszel(score = 1, question_id < 10, taken_on - date ''2025-09-01'')',
     '{students}'),
    ('cronbach_alpha', 'assess.cronbach_alpha(ARRAY[score, criterion])', '{students}');

-- Each view gives one row: nothing is sent and no client has to keep up.
SELECT format('CREATE VIEW bench.%I AS SELECT count(figure)
               FROM (SELECT %s AS figure FROM bench.scores %s) AS f',
              s.name || '_' || a.name, call, grouping)
FROM bench.aggregates a JOIN bench.groupings s ON s.name = ANY (groupings) \gexec

CREATE TABLE IF NOT EXISTS bench.timings (setting text, statement text, ms float8);
CREATE TABLE bench.plans (setting text, statement text, nodes text, peak_kb bigint);

-- The kinds of the nodes of a plan, and what its hash table took at most.
CREATE FUNCTION bench.plan(statement text) RETURNS TABLE (nodes text, peak_kb bigint)
LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT * FROM bench.%I', statement)
    INTO plan;
    RETURN QUERY SELECT
        (SELECT string_agg(concat_ws(' ', node ->> 'Partial Mode', node ->> 'Strategy',
                                     node ->> 'Node Type'), ', ')
         FROM jsonb_path_query(plan, 'strict $.** ? (exists (@."Node Type"))') AS node),
        (SELECT max(kb::text::bigint)
         FROM jsonb_path_query(plan, 'strict $.**."Peak Memory Usage"') AS kb);
END $$;
