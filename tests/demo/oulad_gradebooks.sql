ANALYZE;

-- Days count from the start of a presentation: February (B) or October (J) of its year.
CREATE VIEW oulad.presentations AS
SELECT code_module, code_presentation, code_module || ' ' || code_presentation AS presentation,
       make_date(left(code_presentation, 4)::int,
                 CASE right(code_presentation, 1) WHEN 'B' THEN 2 ELSE 10 END, 1) AS starts_on,
       module_presentation_length AS days
FROM oulad.courses;

-- A banked result was carried over from an earlier presentation: it is no new evidence and has no
-- date in this one. Without a date it is left out and counted as null_date instead of vanishing.
CREATE VIEW oulad.responses AS
SELECT p.presentation, r.id_student, r.id_assessment, r.score, 100 AS max_score,
       CASE WHEN r.is_banked = 0 THEN p.starts_on + r.date_submitted END AS taken_on
FROM oulad."studentAssessment" r
JOIN oulad.assessments USING (id_assessment)
JOIN oulad.presentations p USING (code_module, code_presentation);

CREATE TABLE oulad.gradebooks AS
SELECT presentation,
       assess.gradebook_agg(id_student, id_assessment, id_assessment, score, max_score, taken_on) AS gb
FROM oulad.responses
GROUP BY presentation;
