SELECT count(*) AS responses FROM bench.responses \gset
\echo
SELECT version() AS server, current_setting('shared_buffers') AS shared_buffers,
       current_setting('work_mem') AS work_mem;
SELECT to_char(:responses, 'FM999G999G999G999') AS responses,
       pg_size_pretty(pg_relation_size('bench.responses')) AS "table",
       (SELECT count(DISTINCT student_id) FROM bench.responses) AS students,
       (SELECT count(DISTINCT question_id) FROM bench.responses) AS questions;

\echo 'Seconds, medians (fastest - slowest). average: one avg per student and subject; pipeline: one'
\echo 'gradebook per subject, then all its items and students. Its parts: aggregate: the gradebooks'
\echo 'alone; items, students and the rest: of stored gradebooks. backtest: at ten dates, by all'
\echo 'methods, with intervals; half_life: half_life_advice; drift: item_drift; missing: missing_work.'
SELECT statement, setting AS "parallel query",
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) / 1000)::numeric, 3) AS median,
       format('%s - %s', round((min(ms) / 1000)::numeric, 3), round((max(ms) / 1000)::numeric, 3))
           AS range,
       count(*) AS runs
FROM bench.timings
WHERE setting <> 'warm'
GROUP BY setting, statement
ORDER BY setting DESC, array_position(ARRAY['average', 'pipeline', 'aggregate', 'items', 'students',
                                              'backtest', 'half_life', 'drift', 'missing'], statement);

SELECT setting AS "parallel query",
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE statement = 'pipeline')
           / percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE statement = 'average')
             )::numeric, 2) AS "pipeline / average"
FROM bench.timings
WHERE setting <> 'warm'
GROUP BY setting
ORDER BY setting DESC;

SELECT other.statement,
       round((other.median / pipeline.median)::numeric, 2) AS "statement / pipeline"
FROM (SELECT statement, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS median
      FROM bench.timings WHERE setting = 'serial' GROUP BY statement) other,
     (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS median
      FROM bench.timings WHERE setting = 'serial' AND statement = 'pipeline') pipeline
WHERE other.statement IN ('backtest', 'half_life', 'drift', 'missing')
ORDER BY other.median DESC;

\echo 'Peak memory of the backend above reading the table, without parallel query.'
SELECT statement, pg_size_pretty((peak_kb - before_kb) * 1024) AS peak,
       round((peak_kb - before_kb) * 1024.0 / :responses, 1) AS "bytes per response"
FROM bench.memory
UNION ALL
SELECT 'not measured: needs write access to /proc/PID/clear_refs of the server', NULL, NULL
WHERE NOT EXISTS (SELECT FROM bench.memory);

\echo 'Gradebooks as stored.'
SELECT pg_size_pretty(sum(pg_column_size(gb))) AS size,
       round(sum(pg_column_size(gb))::numeric / :responses, 2) AS "bytes per response"
FROM bench.gradebooks;

\echo 'How long after statement_timeout the statement has stopped (ms).'
SELECT statement, limit_ms AS "timeout", round(ms::numeric) AS stopped,
       CASE WHEN stopped THEN round((ms - limit_ms)::numeric, 1) END AS late,
       CASE WHEN NOT stopped THEN 'had finished before' END AS note
FROM bench.cancels
ORDER BY array_position(ARRAY['aggregate', 'items', 'students', 'backtest', 'half_life', 'drift',
                              'missing'], statement), statement, limit_ms;
