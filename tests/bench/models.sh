#!/usr/bin/env bash
# How models grow: alerts beside the refresh they follow, with 1,001 classes; and refreshes and
# explanations of ten and three times as many subjects, and one student's score sheet beside the
# whole. Medians of RUNS runs each, beside a private release server. The last column says what a
# ratio should stay below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export RUNS=${RUNS:-3}

if [ -z "${PG_ASSESS_PRIVATE_SERVER:-}" ]; then
    CARGO_TERM_QUIET=true "${MAKE:-make}" -s --no-print-directory build
    exec tests/with_postgres.sh tests/bench/models.sh
fi

sql() {
    PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 --pset pager=off --pset footer=off "$@"
}

# A model with so many subjects, classes, students in each subject and questions in each.
model() {
    sql -t -o /dev/null <<SQL
CREATE TABLE bench.$1 AS
SELECT student, 's' || subject AS subject, 'c' || student % $3 AS class,
       1000 * subject + question AS question, 1000 * subject + question / 3 AS test,
       ((student * 7919 + question * 104729 + student * question * 31 + subject * 13) % 100
        < 30 + student % 60)::int::float8 AS score, date '2026-01-01' + 7 * (question / 3) AS taken_on
FROM generate_series(1, $2) subject, generate_series(1, $4) student,
     generate_series(0, $5 - 1) question;
ANALYZE bench.$1;
SELECT assess.create_model('$1', 'bench.$1', 'student', 'question', 'test', 'score', 'taken_on',
                           subject => 'subject', student_group => 'class');
SQL
}

# Runs a statement and keeps how many milliseconds it took.
timed() {
    sql -t -o /dev/null <<SQL
SELECT clock_timestamp() AS began \gset
$2;
INSERT INTO bench.took VALUES ('$1', extract(epoch FROM clock_timestamp() - :'began') * 1000);
SQL
}

sql -c 'CREATE EXTENSION pg_assess' \
    -c 'CREATE SCHEMA bench' -c 'CREATE TABLE bench.took (what text, ms float8)'
echo 'Making the models ...'
model classes 3 1001 2002 18
model subjects_100 100 2 12 3
model subjects_1000 1000 2 12 3
model subjects_3000 3000 2 12 3
model sheet 1 10 4000 144

for ((run = 0; run < RUNS; run++)); do
    sql -c "UPDATE bench.classes SET score = 1 - score WHERE student % 3 = $run % 3"
    for name in classes subjects_1000 subjects_3000; do
        timed "refresh $name" "CALL assess.refresh('$name')" 2>/dev/null
    done
    for name in subjects_100 subjects_1000; do
        timed "student $name" "SELECT assess.explain_student('$name', 1)"
        timed "answers $name" "SELECT assess.student_answers('$name', 1)"
        timed "compare $name" "SELECT assess.compare_runs('$name', 1, 1)"
    done
    timed 'sheet' 'SELECT * FROM sheet.score_sheet'
    timed 'sheet of one' 'SELECT * FROM sheet.score_sheet WHERE student = 17'
    timed 'sheet as a picture' "SELECT assess.score_sheet_svg('sheet', '1003')"
    timed 'question' "SELECT assess.explain_question('sheet', 1003)"
done

sql <<'SQL'
INSERT INTO bench.took
SELECT step.key, step.ms
FROM   classes.runs r
CROSS  JOIN LATERAL (VALUES ('alerts', (r.steps -> 'alerts')::float8),
                            ('refresh itself', r.seconds * 1000)) AS step(key, ms)
WHERE  r.run_id > 1;
CREATE VIEW bench.median AS
SELECT what, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM bench.took GROUP BY what;
SELECT what, round(ms::numeric) AS ms FROM bench.median ORDER BY what;
SELECT c.about AS ratio, round((a.ms / b.ms)::numeric, 2) AS "is", c.most AS "at most"
FROM  (VALUES
          (1, 'alerts to the refresh itself, 3 x 1,001 classes', 'alerts', 'refresh itself', 1),
          (2, 'refresh of 3,000 to 1,000 subjects', 'refresh subjects_3000',
           'refresh subjects_1000', 3.3),
          (3, 'explain_student of 1,000 to 100 subjects', 'student subjects_1000',
           'student subjects_100', 12),
          (4, 'student_answers of 1,000 to 100 subjects', 'answers subjects_1000',
           'answers subjects_100', 12),
          (5, 'compare_runs of 1,000 to 100 subjects', 'compare subjects_1000',
           'compare subjects_100', 12),
          (6, 'score_sheet of one of 4,000 students to all', 'sheet of one', 'sheet', 0.1))
          AS c(place, about, one, other, most)
JOIN   bench.median a ON a.what = c.one JOIN bench.median b ON b.what = c.other
ORDER  BY c.place;
SQL
