-- Asks to stop in the middle, at several points, and keeps how long that took.
SET max_parallel_workers_per_gather = 0;
SELECT * FROM bench.:statement \g /dev/null
SELECT clock_timestamp() AS started \gset
SELECT * FROM bench.:statement \g /dev/null
SELECT extract(epoch FROM clock_timestamp() - :'started') * 1000 AS whole \gset
\set share 0.2
\i tests/bench/cancelled.sql
\set share 0.4
\i tests/bench/cancelled.sql
\set share 0.6
\i tests/bench/cancelled.sql
\set share 0.8
\i tests/bench/cancelled.sql
