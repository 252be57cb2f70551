-- Three subjects, up to 20,000 students who all take assessments of 20 questions week by week; one
-- question in five gives partial credit. Inserted as a school would: by date, then by assessment.
CREATE EXTENSION pg_assess;
CREATE SCHEMA bench;
CREATE UNLOGGED TABLE bench.responses (
    student_id int, subject text, assessment_id int, question_id int,
    points float8, max_points float8, taken_on date);

SELECT greatest(50, least(20000, :rows / 500)) AS students \gset
SELECT setseed(0.5) AS nothing \gset
INSERT INTO bench.responses
SELECT student, (ARRAY['ELA', 'Math', 'Science'])[subject + 1], assessment,
       assessment * 20 + question,
       CASE WHEN question % 5 = 0
            THEN round(4 * least(1, greatest(0, chance + 0.8 * (random() - 0.5))))
            ELSE (random() < chance)::int END,
       CASE WHEN question % 5 = 0 THEN 4 ELSE 1 END,
       date '2025-09-01' + 7 * (assessment / 3) + subject
FROM (SELECT question, student, assessment, assessment % 3 AS subject,
             -- Abilities and difficulties spread evenly over a logistic curve.
             1 / (1 + exp(3 * (question * 7 % 20 / 20.0::float8
                               - student * 7919 % :students / :students::float8))) AS chance
      FROM (SELECT i % 20 AS question, i / 20 % :students AS student, i / 20 / :students AS assessment
            FROM (SELECT generate_series(0, :rows - 1) AS i) AS one) AS numbers
      OFFSET 0) AS responses;
VACUUM (FREEZE, ANALYZE) bench.responses;

-- What is compared. Each view gives one row: nothing is sent and no client has to keep up.
CREATE VIEW bench.average AS
SELECT count(*) FROM (SELECT student_id, subject, avg(points) FROM bench.responses GROUP BY 1, 2) AS a;

CREATE VIEW bench.aggregate AS
SELECT count(gb) FROM (
    SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                         taken_on) AS gb
    FROM bench.responses GROUP BY subject) AS g;

CREATE VIEW bench.pipeline AS
WITH g AS MATERIALIZED (
    SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                         taken_on) AS gb
    FROM bench.responses GROUP BY subject)
SELECT (SELECT count(*) FROM g, assess.items(g.gb)) AS items,
       (SELECT count(*) FROM g, assess.students(g.gb)) AS students;

CREATE TABLE bench.gradebooks AS
SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                     taken_on) AS gb
FROM bench.responses GROUP BY subject;
CREATE VIEW bench.items AS SELECT count(*) FROM bench.gradebooks g, assess.items(g.gb);
CREATE VIEW bench.students AS SELECT count(*) FROM bench.gradebooks g, assess.students(g.gb);
CREATE VIEW bench.backtest AS SELECT count(*) FROM bench.gradebooks g, assess.backtest(g.gb);
CREATE VIEW bench.half_life AS SELECT count(*) FROM bench.gradebooks g, assess.half_life_advice(g.gb);
CREATE VIEW bench.drift AS SELECT count(*) FROM bench.gradebooks g, assess.item_drift(g.gb);
CREATE VIEW bench.missing AS SELECT count(*) FROM bench.gradebooks g, assess.missing_work(g.gb);

CREATE TABLE bench.timings (setting text, statement text, ms float8);
CREATE TABLE bench.memory (statement text, before_kb bigint, peak_kb bigint);
CREATE TABLE bench.cancels (statement text, limit_ms float8, ms float8, stopped boolean);
