#!/usr/bin/env bash
# What a refresh costs: all ROWS responses read again, or only the periods with one per cent of new
# rows, with students of SCHOOLS schools. RUNS runs of each, medians; beside a private release server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ROWS=${ROWS:-10000000} RUNS=${RUNS:-3} SCHOOLS=${SCHOOLS:-40}

if [ -z "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
    CARGO_TERM_QUIET=true "${MAKE:-make}" -s --no-print-directory build
    exec tests/with_postgres.sh tests/bench/refresh.sh
fi

sql() {
    PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 --pset pager=off --pset footer=off "$@"
}

echo "Generating $ROWS responses ..."
sql -v rows="$ROWS" -f tests/bench/responses.sql
sql -c "ALTER TABLE bench.responses ADD school int
            GENERATED ALWAYS AS (student_id % greatest($SCHOOLS, 1)) STORED" \
    -c 'CREATE INDEX ON bench.responses (taken_on)' -c 'VACUUM ANALYZE bench.responses'

columns="'bench.responses', 'student_id', 'question_id', 'assessment_id', 'points', 'taken_on',
         max_score => 'max_points', subject => 'subject'"
[ "$SCHOOLS" -eq 0 ] || columns="$columns, student_group => 'school'"
sql -t -o /dev/null <<SQL
SELECT assess.create_model('untracked', $columns);
SELECT assess.create_model('tracked_' || period, $columns, track_changes => 'triggers',
                           period => period)
FROM unnest('{day,week,month}'::text[]) period;
SQL

# One per cent more: another sitting in all subjects by a part of the students, a day later each
# time. Everything is as of that day, so every level changes.
models="untracked tracked_day tracked_week tracked_month"
for ((run = 0; run <= RUNS; run++)); do
    sql -t -o /dev/null <<SQL
INSERT INTO bench.responses (student_id, subject, assessment_id, question_id, points, max_points,
                             taken_on)
SELECT r.student_id, r.subject, r.assessment_id + 1000 * ($run + 1),
       r.question_id + 100000 * ($run + 1), r.points, r.max_points,
       (SELECT max(taken_on) + 1 FROM bench.responses)
FROM  (SELECT * FROM bench.responses
       WHERE assessment_id < 3 AND student_id % 6 = 0 LIMIT $ROWS / 100) r;
ANALYZE bench.responses;
SELECT assess.set_option(model::name, 'as_of', (SELECT max(taken_on)::text FROM bench.responses))
FROM regexp_split_to_table('$models', ' ') model;
SQL
    for model in $models; do
        sql -c "CALL assess.refresh('$model')" 2>/dev/null
    done
    sql -c "CALL assess.refresh('tracked_day', everything => true)" 2>/dev/null
done

# What is not the source's: the same whatever is tracked.
list=$(printf "SELECT '%s' AS model, * FROM %s.runs UNION ALL " \
    untracked untracked tracked_day tracked_day tracked_week tracked_week \
    tracked_month tracked_month)
sql <<SQL
CREATE TEMP VIEW run AS
SELECT model || CASE WHEN model = 'tracked_day' AND run_id % 2 = 1 THEN ', everything' ELSE '' END
           AS refresh,
       seconds * 1000 AS ms, periods, steps
FROM (${list% UNION ALL }) r WHERE run_id > CASE WHEN model = 'tracked_day' THEN 3 ELSE 2 END;
SELECT refresh, max(periods) AS periods,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric) AS ms,
       round((100 * percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)
              / (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM run
                 WHERE refresh = 'untracked'))::numeric) AS "% of untracked"
FROM run GROUP BY refresh ORDER BY refresh DESC;
SELECT refresh, s.key AS step,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.value::float8)::numeric) AS ms
FROM run, jsonb_each_text(steps) s WHERE refresh IN ('untracked', 'tracked_day')
GROUP BY refresh, s.key ORDER BY refresh DESC, ms DESC;
SELECT count(*) AS "gradebooks that differ"
FROM untracked.gradebook a FULL JOIN tracked_day.gradebook b USING (subject)
WHERE a.gradebook::text IS DISTINCT FROM b.gradebook::text;

\echo 'What of it Postgres needs to exchange rows that all have changed, once they are worked out'
SET jit = off;
CREATE TABLE bench.results AS TABLE untracked.students;
CREATE TABLE bench.version (run int);
INSERT INTO bench.version VALUES (0);
CREATE MATERIALIZED VIEW bench.exchanged AS SELECT r.*, v.run FROM bench.results r, bench.version v;
CREATE UNIQUE INDEX ON bench.exchanged (student, subject);
CREATE TEMP TABLE exchange (ms float8);
DO \$\$
DECLARE
    began timestamptz;
BEGIN
    FOR round IN 1..$RUNS LOOP
        UPDATE bench.version SET run = round;
        COMMIT;
        began := clock_timestamp();
        REFRESH MATERIALIZED VIEW CONCURRENTLY bench.exchanged;
        INSERT INTO exchange VALUES (extract(epoch FROM clock_timestamp() - began) * 1000);
        COMMIT;
    END LOOP;
END \$\$;
SELECT (SELECT count(*) FROM bench.results) AS "rows of students",
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric) AS ms,
       round((100 * percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)
              / (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM run
                 WHERE refresh = 'untracked'))::numeric) AS "% of untracked"
FROM exchange;

\echo 'What the triggers cost the writer'
CREATE TEMP TABLE written (tracked boolean, statement text, ms float8);
CREATE TABLE bench.plain (LIKE bench.responses);
CREATE TABLE bench.noted (LIKE bench.responses);
INSERT INTO bench.noted SELECT * FROM bench.responses LIMIT 1;
SELECT FROM assess.create_model('noted', 'bench.noted', 'student_id', 'question_id',
    'assessment_id', 'points', 'taken_on', track_changes => 'triggers', period => 'day') LIMIT 1;
DO \$\$
DECLARE
    began timestamptz;
    target regclass;
BEGIN
    CREATE TEMP TABLE sample AS SELECT * FROM bench.responses LIMIT 100000;
    FOR round IN 1..5 LOOP
        FOREACH target IN ARRAY '{bench.plain,bench.noted}'::regclass[] LOOP
            began := clock_timestamp();
            EXECUTE format('INSERT INTO %s SELECT * FROM sample', target);
            INSERT INTO written VALUES (target = 'bench.noted'::regclass, '100,000 rows at once',
                extract(epoch FROM clock_timestamp() - began) * 1000);
            began := clock_timestamp();
            FOR i IN 1..1000 LOOP
                EXECUTE format('INSERT INTO %s VALUES (1, ''ELA'', 1, 1, 1, 1, ''2025-10-01'', 1)', target);
            END LOOP;
            INSERT INTO written VALUES (target = 'bench.noted'::regclass, '1,000 rows one by one',
                extract(epoch FROM clock_timestamp() - began) * 1000);
            COMMIT;
        END LOOP;
    END LOOP;
END \$\$;
SELECT statement, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)
                        FILTER (WHERE NOT tracked)::numeric, 1) AS "ms without",
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)
             FILTER (WHERE tracked)::numeric, 1) AS "ms with triggers"
FROM written GROUP BY statement ORDER BY statement;
SQL
