-- What make demo shows. Every figure comes from the gradebooks; names and titles from the tables.

CREATE VIEW questions AS
SELECT g.subject, i.*
FROM gradebooks g, assess.items(g.gb) i;

CREATE TABLE students AS
SELECT g.subject, s.*
FROM gradebooks g, assess.students(g.gb) s;

\echo
\echo '(a) QUESTIONS TO REVIEW FIRST: strong students do worse on them than weak ones, so a wrong'
\echo '    answer key is likely; flawed ones do not count until someone has looked.'
SELECT q.subject, a.title AS assessment, k.number AS question, q.n AS answers,
       round(100 * q.facility) AS "got it right %",
       round(q.discrimination::numeric, 2) AS discrimination, q.status
FROM questions q
JOIN sample_network.questions k ON k.question_id = q.item::int
JOIN sample_network.assessments a USING (assessment_id)
WHERE q.status IN ('flawed', 'suspect')
ORDER BY q.status_rank, q.discrimination, k.question_id
LIMIT 15;

\echo '(b) THE HELP LIST IN ELA: the fifteen whose level most likely lies in the lowest fifth; the'
\echo '    level takes out how hard the questions were, and old answers count less.'
SELECT s.need_rank AS "#", r.given_name || ' ' || r.family_name AS student, c.name AS school,
       round(100 * s.level) AS "level %",
       round(100 * s.ci_low) || '–' || round(100 * s.ci_high) || ' %' AS "95 % interval",
       s.trend, round(100 * s.need) AS "need %", s.missing || ' of ' || s.due AS "missing work",
       s.status
FROM students s
JOIN sample_network.students r ON r.student_id = s.student::int
JOIN sample_network.schools c USING (school_id)
WHERE s.subject = 'ELA'
ORDER BY s.need_rank, s.student
LIMIT 15;

CREATE VIEW check_in AS
SELECT r.given_name || ' ' || r.family_name AS student, c.name AS school, g.subject,
       -- A student without any response is in no gradebook, but on the roster.
       coalesce(s.status, 'none') AS status, s.last_at::date AS last_seen, s.due, s.missing
FROM sample_network.students r
JOIN sample_network.schools c USING (school_id)
CROSS JOIN gradebooks g
LEFT JOIN students s ON s.subject = g.subject AND s.student = r.student_id::text
-- One weekly test missed now and then is no alarm, and a list of half the school helps nobody.
WHERE s.student IS NULL OR s.status IN ('none', 'stale')
   OR (s.missing >= 3 AND s.missing >= 0.25 * s.due);

SELECT count(DISTINCT student) AS to_check FROM check_in \gset
\echo '(c) THE CHECK-IN LIST, the first 15 of' :to_check 'students: no or old evidence, or a quarter and more of'
\echo '    the work in a subject missing; talk to them first, as no level can show how they are doing now.'
SELECT student, school, string_agg(subject || ' ' || status, ', ' ORDER BY subject) AS evidence,
       max(last_seen) AS "last seen",
       coalesce(sum(missing), 0) || ' of ' || coalesce(sum(due), 0) AS "missing work"
FROM check_in
GROUP BY student, school
ORDER BY count(*) FILTER (WHERE status = 'none') DESC, count(*) FILTER (WHERE status = 'stale') DESC,
         sum(missing) DESC NULLS LAST, student
LIMIT 15;

SELECT student_id AS who, given_name || ' ' || family_name AS name
FROM sample_network.truth_students
JOIN sample_network.students USING (student_id)
WHERE subject = 'ELA' AND story = 'high spelling, low literacy' \gset

\echo '(d) WHY IS' :name 'LOW IN ELA IN SPITE OF HIGH SPELLING SCORES? Each answer pulls the level'
\echo '    up or down by its share times the distance from what was expected. By kind of assessment'
\echo '    (words per minute in fluency are put on the scale of the others by their spread):'
SELECT coalesce(a.kind, 'all together') AS kind, count(*) AS questions,
       round(100 * avg(e.score)) AS "mean score %",
       round(100 * avg(e.expected)) AS "expected %",
       round(avg(e.quality)::numeric, 2) AS "mean quality",
       round(100 * sum(e.share)) AS "share of the level %",
       round((100 * sum(e.contribution))::numeric, 1) AS "pulls by (points)"
FROM gradebooks g, assess.explain(g.gb, :'who') e
JOIN sample_network.assessments a ON a.assessment_id = e.assessment::int
WHERE g.subject = 'ELA'
GROUP BY ROLLUP (a.kind)
ORDER BY grouping(a.kind), sum(e.contribution);

SELECT format('    A typical student stands at %s %%; all pulls together are %s points: level %s %%.',
              round(100 * s.prior), to_char(100 * (s.level - s.prior), 'SGFM990.0'),
              round(100 * s.level)) AS sentence
FROM students s WHERE s.subject = 'ELA' AND s.student = :'who' \gset
\echo :sentence

\echo
\echo '(e) WOULD THE LIST HAVE BEEN RIGHT BEFORE? At ten dates of the past, from what was known then: of'
\echo '    the fifth of students who came to be the lowest in the next 90 days, how many would have been'
\echo '    named by the average of all scores, by the last one, and by the help list? (Judged by scores in'
\echo '    which questions weigh as in a level; with the interval of what the help list adds.)'
SELECT g.subject,
       round(100 * max(b.recall) FILTER (WHERE b.method = 'overall_mean')) AS "average %",
       round(100 * max(b.recall) FILTER (WHERE b.method = 'last_score')) AS "last score %",
       round(100 * max(b.recall) FILTER (WHERE b.method = 'need')) AS "help list %",
       format('%s to %s', round(100 * max(b.recall_difference_low) FILTER (WHERE b.method = 'need')),
              round(100 * max(b.recall_difference_high) FILTER (WHERE b.method = 'need'))) AS "adds",
       max(b.n) AS forecasts
FROM gradebooks g, assess.backtest(g.gb, weighted_target => true) b
WHERE b.scope = 'all' AND b.target = 'horizon'
GROUP BY g.subject
ORDER BY g.subject;
\echo '    And how fast should old work be forgotten?'
SELECT g.subject, h.advice
FROM gradebooks g, assess.half_life_advice(g.gb) h
WHERE h.in_use
ORDER BY g.subject;
\echo
