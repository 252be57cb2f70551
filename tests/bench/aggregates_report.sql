\echo
SELECT to_char(count(*), 'FM999G999G999G999') AS scores,
       pg_size_pretty(pg_relation_size('bench.scores')) AS "table",
       count(DISTINCT question_id) AS questions,
       to_char(count(DISTINCT student_id), 'FM999G999G999G999') AS students
FROM bench.scores;
SELECT count(DISTINCT student_id) AS students FROM bench.scores \gset

\echo 'Time as a share of that of core''s corr in the same plan over the same rows, of medians: without'
\echo 'groups, grouped by question, grouped by student. at most: what is promised.'
CREATE TEMPORARY VIEW medians AS
SELECT t.setting, s.name AS shape, a.place, a.name, a.at_most,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms
FROM bench.aggregates a
CROSS JOIN bench.groupings s
JOIN bench.timings t ON t.statement = s.name || '_' || a.name
WHERE t.setting <> 'warm'
GROUP BY t.setting, s.name, a.place, a.name, a.at_most;
CREATE TEMPORARY VIEW ratios AS
SELECT m.*, m.ms / corr.ms AS ratio
FROM medians m
JOIN medians corr USING (setting, shape)
WHERE corr.name = 'corr';

SELECT setting AS "parallel query", name AS aggregate,
       round((sum(ratio) FILTER (WHERE shape = 'one'))::numeric, 2) AS one,
       round((sum(ratio) FILTER (WHERE shape = 'questions'))::numeric, 2) AS questions,
       round((sum(ratio) FILTER (WHERE shape = 'students'))::numeric, 2) AS students,
       at_most AS "at most",
       CASE WHEN max(ratio) > at_most THEN 'MORE' END AS note
FROM ratios
WHERE name <> 'corr'
GROUP BY setting, name, place, at_most
ORDER BY setting DESC, place;

\echo 'Seconds of corr.'
SELECT setting AS "parallel query", shape, round((ms / 1000)::numeric, 3) AS median, nodes AS plan
FROM medians
JOIN bench.plans p USING (setting)
WHERE name = 'corr' AND p.statement = shape || '_corr'
ORDER BY setting DESC, ms;

\echo 'Where the plan is of another kind than that of corr.'
SELECT p.setting AS "parallel query", p.statement, p.nodes AS plan
FROM bench.plans p
JOIN bench.plans corr
  ON corr.setting = p.setting AND corr.statement = split_part(p.statement, '_', 1) || '_corr'
WHERE p.nodes <> corr.nodes
UNION ALL
SELECT 'none', NULL, NULL
WHERE NOT EXISTS (
    SELECT FROM bench.plans
    GROUP BY setting, split_part(statement, '_', 1) HAVING count(DISTINCT nodes) > 1);

\echo 'Bytes of the hash table per student, without parallel query. state: those of a value of fixed size.'
SELECT a.name AS aggregate,
       CASE WHEN a.name = 'corr' THEN pg_column_size('{0,0,0,0,0,0}'::float8[])
            ELSE (SELECT nullif(max(typlen), -1) FROM pg_aggregate g
                  JOIN pg_proc f ON f.oid = aggfnoid
                  JOIN pg_type t ON t.oid = aggtranstype
                  WHERE pronamespace = 'assess'::regnamespace AND proname = a.name
                    AND aggtranstype <> 'internal'::regtype)
       END AS state,
       round(p.peak_kb * 1024.0 / :students, 1) AS bytes,
       round((p.peak_kb - corr.peak_kb) * 1024.0 / :students, 1) AS "above corr"
FROM bench.aggregates a
JOIN bench.plans p ON p.statement = 'students_' || a.name AND p.setting = 'serial'
JOIN bench.plans corr ON corr.statement = 'students_corr' AND corr.setting = 'serial'
ORDER BY a.place;
