SELECT clock_timestamp() AS started \gset
SELECT * FROM bench.:statement \g /dev/null
INSERT INTO bench.timings
SELECT :'setting', :'statement', extract(epoch FROM clock_timestamp() - :'started') * 1000;
