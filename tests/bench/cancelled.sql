SELECT greatest(1, round((:share * :whole)::numeric))::int AS limit \gset
SET statement_timeout = :limit;
SELECT clock_timestamp() AS started \gset
SELECT * FROM bench.:statement \g /dev/null
\set state :SQLSTATE
SELECT clock_timestamp() AS ended \gset
RESET statement_timeout;
INSERT INTO bench.cancels
SELECT :'statement', :limit, extract(epoch FROM timestamptz :'ended' - :'started') * 1000,
       :'state' = '57014';
