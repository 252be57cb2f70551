-- What make demo-oulad shows. Here an item is a whole assessment, as no question scores are published.

\echo
\echo '(a) WHAT WAS USED: every row of the source is accounted for. Banked results, which carry no'
\echo '    date of this presentation, count as null_date; others without a score are blank or wait for their mark.'
SELECT coalesce(presentation, 'all together') AS presentation, sum(source) AS "rows", sum(used) AS used,
       sum(no_score) AS "no score", sum(null_date) AS null_date, sum(other) AS "other reasons",
       CASE WHEN sum(used + no_score + null_date + other) = sum(source) THEN 'yes' ELSE 'NO' END
           AS "adds up"
FROM (SELECT g.presentation,
             sum(c.rows) FILTER (WHERE c.reason = 'used') AS used,
             sum(c.rows) FILTER (WHERE c.reason IN ('blank', 'waiting', 'held_back')) AS no_score,
             sum(c.rows) FILTER (WHERE c.reason = 'null_date') AS null_date,
             sum(c.rows) FILTER (WHERE c.reason NOT IN ('used', 'blank', 'waiting', 'held_back', 'null_date'))
                 AS other
      FROM oulad.gradebooks g, assess.coverage(g.gb) c
      GROUP BY g.presentation) AS counts
JOIN (SELECT presentation, count(*) AS source FROM oulad.responses GROUP BY presentation) AS rows
    USING (presentation)
GROUP BY ROLLUP (presentation)
ORDER BY grouping(presentation), presentation;

\echo '(b) ASSESSMENTS TO LOOK AT: those that show least about how a student does in the others.'
SELECT g.presentation, i.item AS assessment, a.assessment_type AS type, a.date AS "due on day",
       i.n AS results, round(100 * i.facility) AS "mean score %",
       round(i.discrimination::numeric, 2) AS discrimination, i.status
FROM oulad.gradebooks g, assess.items(g.gb) i
JOIN oulad.assessments a ON a.id_assessment = i.item::int
WHERE i.n >= 30
ORDER BY i.status_rank > 2, i.discrimination NULLS LAST, a.id_assessment
LIMIT 12;

-- The presentation with most results, as its tutors would have seen it on a day in its middle.
SELECT presentation AS shown, starts_on + 120 AS as_of
FROM oulad.presentations JOIN oulad.responses USING (presentation)
GROUP BY presentation, starts_on
ORDER BY count(*) DESC, presentation
LIMIT 1 \gset

CREATE TABLE oulad.students AS
WITH solved AS MATERIALIZED (
    SELECT s.*
    FROM oulad.gradebooks g, assess.students(g.gb, as_of => :'as_of') s
    WHERE g.presentation = :'shown')
SELECT s.*, i.final_result, coalesce(r.date_unregistration <= 120, false) AS has_left
FROM solved s
JOIN oulad."studentInfo" i ON i.id_student = s.student::int
JOIN oulad."studentRegistration" r USING (code_module, code_presentation, id_student)
JOIN oulad.presentations p USING (code_module, code_presentation)
WHERE p.presentation = :'shown';

\echo '(c) THE HELP LIST of' :shown 'on day 120, from what was known then, without those who had'
\echo '    left; the last column shows what nobody knew that day: how it ended for them.'
SELECT need_rank AS "#", student, round(100 * level) AS "level %",
       round(100 * ci_low) || '–' || round(100 * ci_high) || ' %' AS "95 % interval", trend,
       round(100 * need) AS "need %", missing || ' of ' || due AS "missing work", status,
       final_result AS "in the end"
FROM oulad.students
WHERE NOT has_left
ORDER BY need_rank
LIMIT 15;

\echo '    How it ended, by fifths of need on day 120:'
SELECT fifth AS "fifth (1: most in need)", count(*) AS students,
       round(100 * avg((final_result = 'Fail')::int)) AS "failed %",
       round(100 * avg((final_result = 'Withdrawn')::int)) AS "withdrew %",
       round(100 * avg((final_result IN ('Pass', 'Distinction'))::int)) AS "passed %"
FROM (SELECT *, ntile(5) OVER (ORDER BY need_rank) AS fifth
      FROM oulad.students
      WHERE NOT has_left AND need_rank IS NOT NULL) AS ranked
GROUP BY fifth
ORDER BY fifth;

\echo '(d) THE CHECK-IN LIST: no or old evidence, or three and more pieces of work, at least a quarter'
\echo '    of what was due, missing.'
SELECT student, status AS evidence, last_at::date AS "last seen",
       missing || ' of ' || due AS "missing work", final_result AS "in the end"
FROM oulad.students
WHERE NOT has_left AND (status IN ('none', 'stale') OR (missing >= 3 AND missing >= 0.25 * due))
ORDER BY missing DESC, last_at NULLS FIRST, student
LIMIT 12;

SELECT student AS who FROM oulad.students
WHERE NOT has_left AND status = 'ok' ORDER BY need_rank LIMIT 1 \gset

\echo '(e) WHY IS STUDENT' :who 'ON THE LIST? Every result pulls the level up or down by its share'
\echo '    times the distance from what a typical student would have reached:'
SELECT coalesce(a.assessment_type || ' ' || e.assessment, 'all together') AS assessment,
       max(e.taken_at::date) AS "taken on", round(100 * avg(e.score)) AS "score %",
       round(100 * avg(e.expected)) AS "expected %", round(avg(e.quality)::numeric, 2) AS quality,
       round(avg(e.decay)::numeric, 2) AS "weight of age", round(100 * sum(e.share)) AS "share %",
       round((100 * sum(e.contribution))::numeric, 1) AS "pulls by (points)"
FROM oulad.gradebooks g, assess.explain(g.gb, :'who', as_of => :'as_of') e
JOIN oulad.assessments a ON a.id_assessment = e.assessment::int
WHERE g.presentation = :'shown'
GROUP BY ROLLUP ((a.assessment_type, e.assessment))
ORDER BY grouping(e.assessment), max(e.taken_at), e.assessment;

SELECT format('    A typical student stands at %s %%; all pulls together are %s points: level %s %%.',
              round(100 * prior), to_char(100 * (level - prior), 'SGFM990.0'), round(100 * level))
           AS sentence
FROM oulad.students WHERE student = :'who' \gset
\echo :sentence
\echo
