-- Time and peak memory of one statement over one shape, in a fresh backend; see memory.sql.
\c
SET max_parallel_workers_per_gather = 0;
SET work_mem = '4MB';
LOAD 'pg_assess';
SELECT length(gb::bytea) FROM (SELECT assess.gradebook_send(gb) AS gb FROM bench.shapes WHERE (shape, size) = (:'shape', :size)) g \g /dev/null
SELECT pg_backend_pid() AS pid \gset
\setenv BACKEND :pid
\set reset `{ echo 5 >"/proc/$BACKEND/clear_refs"; } 2>/dev/null && echo true || echo false`
\set before `awk '/^VmRSS/ { print $2 }' "/proc/$BACKEND/status"`
SELECT clock_timestamp() AS started \gset
SELECT count(*) FROM bench.shapes, assess.:statement(gb) WHERE (shape, size) = (:'shape', :size) \g /dev/null
SELECT extract(epoch FROM clock_timestamp() - :'started') * 1000 AS ms \gset
\set peak `awk '/^VmHWM/ { print $2 }' "/proc/$BACKEND/status"`
INSERT INTO bench.shape_figures
SELECT :'shape', :size, :'statement', :ms, CASE WHEN :'reset'::boolean THEN :peak - :before END;
