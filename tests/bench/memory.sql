-- The peak of a fresh backend above what it has after reading the same table: what the statement
-- itself needs. Linux counts it; resetting the count takes the right to write to clear_refs.
\c
SET max_parallel_workers_per_gather = 0;
LOAD 'pg_assess';
SELECT count(points) FROM bench.responses \g /dev/null
SELECT pg_backend_pid() AS pid \gset
\setenv BACKEND :pid
\set reset `{ echo 5 >"/proc/$BACKEND/clear_refs"; } 2>/dev/null && echo true || echo false`
\set before `awk '/^VmRSS/ { print $2 }' "/proc/$BACKEND/status"`
SELECT * FROM bench.:statement \g /dev/null
\set peak `awk '/^VmHWM/ { print $2 }' "/proc/$BACKEND/status"`
INSERT INTO bench.memory SELECT :'statement', :'before', :'peak' WHERE :'reset'::boolean;
