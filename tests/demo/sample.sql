CREATE EXTENSION pg_assess;
SELECT * FROM assess.sample_network();
