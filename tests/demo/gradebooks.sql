CREATE TABLE gradebooks AS
SELECT subject,
       assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points, taken_on) AS gb
FROM sample_network.responses
GROUP BY subject;

\echo 'Every answer is accounted for; retakes do not count, as the first attempt shows what was known.'
SELECT g.subject, sum(c.rows) AS answers,
       sum(c.rows) FILTER (WHERE c.reason = 'used') AS used,
       sum(c.rows) FILTER (WHERE c.reason IN ('blank', 'waiting')) AS "blank or not yet marked",
       sum(c.rows) FILTER (WHERE c.reason = 'duplicate') AS retakes,
       pg_size_pretty(max(pg_column_size(g.gb))::bigint) AS "stored in"
FROM gradebooks g, assess.coverage(g.gb) c
GROUP BY g.subject
ORDER BY g.subject;
