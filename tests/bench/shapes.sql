-- Gradebooks of extreme shapes, each in two sizes with 3.3 times the responses: what a response and
-- a student take, and whether time grows faster than the data.
CREATE TABLE bench.shapes (
    shape text, size int, students bigint, responses bigint, gb assess.gradebook,
    PRIMARY KEY (shape, size));
CREATE TABLE bench.shape_figures (shape text, size int, statement text, ms float8, kb bigint);

-- One student who meets the same questions in ever new assessments, as in the sessions of an
-- adaptive test.
INSERT INTO bench.shapes
SELECT 'one student', size, 1, 100 * size,
       assess.gradebook_agg(1, item, assessment, (hashint4(item * 50000 + assessment) & 1)::float8,
                            date '2020-01-01' + assessment / 25)
FROM unnest(ARRAY[15000, 50000]) size, generate_series(1, size) assessment,
     generate_series(1, 100) item
GROUP BY size;

-- The same with many students, who each meet one question in a session.
INSERT INTO bench.shapes
SELECT 'sessions', size, 2000, 100 * size,
       assess.gradebook_agg(n % 2000, (hashint4(n) & 1023) % 200, n / 100,
                            (hashint4(n + 1) & 1)::float8, date '2020-01-01' + n / 2500)
FROM unnest(ARRAY[15000, 50000]) size, generate_series(0, 100 * size - 1) n
GROUP BY size;

-- Many students of whom little is known.
INSERT INTO bench.shapes
SELECT 'many students', size, size, 3 * size,
       assess.gradebook_agg(student, item * 10 + hashint4(student) % 10, item,
                            (hashint4(student * 3 + item) & 1)::float8, date '2020-01-01' + item)
FROM unnest(ARRAY[300000, 1000000]) size, generate_series(1, size) student,
     generate_series(1, 3) item
GROUP BY size;
VACUUM ANALYZE bench.shapes;

-- What is stopped in the middle.
CREATE VIEW bench.one AS SELECT gb FROM bench.shapes WHERE shape = 'one student' AND size = 50000;
CREATE VIEW bench.one_items AS SELECT count(*) FROM bench.one, assess.items(gb);
CREATE VIEW bench.one_students AS SELECT count(*) FROM bench.one, assess.students(gb);
CREATE VIEW bench.one_explain AS SELECT count(*) FROM bench.one, assess.explain(gb, '1');
CREATE VIEW bench.one_half_life AS SELECT count(*) FROM bench.one, assess.half_life_advice(gb);
CREATE VIEW bench.one_rollup AS SELECT assess.rollup(gb, gb) IS NULL FROM bench.one;
CREATE VIEW bench.many_drift AS
SELECT count(*) FROM bench.shapes, assess.item_drift(gb) WHERE shape = 'many students' AND size = 1000000;
