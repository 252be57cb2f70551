\echo 'Gradebooks of extreme shapes. Bytes: peak memory of the backend, by response and by student;'
\echo '"beyond" is what that exceeds 40 bytes a response and 250 a student by. Time for 3.3 times the'
\echo 'responses, in times of that for the smaller gradebook.'
SELECT f.shape, statement, f.size, students, responses, round((ms / 1000)::numeric, 2) AS seconds,
       round(1024.0 * kb / responses, 1) AS "bytes per response",
       round(1024.0 * kb / students, 1) AS "per student",
       pg_size_pretty(greatest(0, 1024 * kb - 40 * responses - 250 * students)) AS beyond,
       round((ms / lag(ms) OVER (PARTITION BY f.shape, statement ORDER BY f.size))::numeric, 1)
           AS times
FROM bench.shape_figures f JOIN bench.shapes s USING (shape, size)
ORDER BY f.shape, statement, f.size;
