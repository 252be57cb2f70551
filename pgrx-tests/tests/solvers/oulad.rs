//! Three years of real courses (Open University Learning Analytics, CC BY 4.0, Kuzilek, Hlosta and
//! Zdrahal 2017) against R's figures for each of 19,532 students in a presentation.

use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;
use pg_assess_it::{Database, Session, shared_data};

/// Copies a gzipped CSV file with a header; NA and nothing are NULL.
fn load(session: &mut Session, table: &str, file: &Path) {
    let mut rows = GzDecoder::new(File::open(file).expect("the file is there"));
    let mut into = session
        .copy_in(&format!("COPY {table} FROM STDIN (FORMAT csv, HEADER)"))
        .expect("copies in");
    std::io::copy(&mut rows, &mut into).expect("is a gzipped file");
    into.finish().expect("has the columns of its table");
}

/// Everything there is in `results`, R's figures in `reference`, and in `gradebooks` one for each
/// presentation of a course: an assessment's only item is itself, days count from 2013-01-01.
fn courses() -> Option<(Database, Session)> {
    let data = shared_data("oulad")?;
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE assessments (code_module text, code_presentation text, id_assessment int,
                                   assessment_type text, date int, weight float8);
         CREATE TABLE results (id_assessment int, id_student int, date_submitted int, is_banked int,
                               score float8);
         CREATE TABLE reference (code_module text, code_presentation text, id_student text, n int,
                                 first_day int, last_day int, mean float8, ols_slope_per_day float8,
                                 ols_se float8, kendall_tau_b float8, theil_sen_per_day float8,
                                 wmean_hl30_at_last float8, wmean_hl90_at_last float8);",
    );
    load(
        &mut session,
        "assessments",
        &data.join("assessments.csv.gz"),
    );
    load(
        &mut session,
        "results",
        &data.join("studentAssessment.csv.gz"),
    );
    load(
        &mut session,
        "reference",
        &data.join("ref_trend_decay_R.csv.gz"),
    );
    // A banked result was earned in an earlier presentation: it has no date in this one.
    session.run(
        "CREATE TABLE gradebooks AS
         SELECT code_module, code_presentation,
                assess.gradebook_agg(id_student, id_assessment, id_assessment, score, 100,
                    CASE WHEN is_banked = 0 THEN date '2013-01-01' + date_submitted END) AS gb
         FROM results JOIN assessments USING (id_assessment) GROUP BY 1, 2",
    );
    Some((database, session))
}

#[test]
fn levels_and_slopes_are_those_of_r() {
    let Some((_database, mut session)) = courses() else {
        return;
    };
    for days in [30, 90] {
        session.run(&format!(
            "DROP TABLE IF EXISTS answers;
             CREATE TABLE answers AS
             SELECT code_module, code_presentation, s.*
             FROM gradebooks, assess.students(gb, half_life => '{days} days',
                      adjust_difficulty => false, shrink => false, quality => false,
                      counting => 'assessments', trend_window => NULL, trend_min_span => '0') s",
        ));
        let agree = |ours: &str, theirs: &str| {
            // Without two dates there is no slope, here and there.
            format!(
                "count(*) FILTER (WHERE coalesce(abs(100 * {ours} - {theirs}) <= 1e-9,
                                                 num_nulls({ours}, {theirs}) = 2))"
            )
        };
        let found = session.table(&format!(
            "SELECT count(*), count(*) FILTER (WHERE s.n = r.n AND s.assessments = r.n),
                    {}, {}, {}, {}
             FROM reference r JOIN answers s ON s.student = r.id_student
                  AND (s.code_module, s.code_presentation) = (r.code_module, r.code_presentation)",
            agree("s.raw_level", &format!("r.wmean_hl{days}_at_last")),
            agree("s.level", &format!("r.wmean_hl{days}_at_last")),
            agree("s.slope / 30", "r.ols_slope_per_day"),
            agree("s.slope_se / 30", "r.ols_se"),
        ));
        assert_eq!(found, [["19532"; 6].join("|")], "half-life of {days} days");
    }
}

#[test]
fn every_row_of_the_source_is_accounted_for() {
    let Some((_database, mut session)) = courses() else {
        return;
    };
    assert_eq!(
        session.table(
            "SELECT CASE WHEN reason IN ('blank', 'waiting') THEN 'no_score' ELSE reason END,
                    sum(rows) FROM gradebooks, assess.coverage(gb)
             GROUP BY 1 HAVING sum(rows) > 0 ORDER BY 2 DESC"
        ),
        session.table(
            "SELECT reason, count(*) FROM (
                 SELECT CASE WHEN is_banked = 1 THEN 'null_date'
                             WHEN score IS NULL THEN 'no_score' ELSE 'used' END AS reason
                 FROM results) r GROUP BY 1 ORDER BY 2 DESC"
        )
    );
}

#[test]
fn the_default_run_makes_sense_of_every_student() {
    let Some((_database, mut session)) = courses() else {
        return;
    };
    session.run(
        "CREATE TABLE answers AS
         SELECT code_module, code_presentation, s.* FROM gradebooks, assess.students(gb) s",
    );
    assert_eq!(
        session.table(
            "SELECT count(DISTINCT (code_module, code_presentation, id_student)) FROM results
             JOIN assessments USING (id_assessment)"
        ),
        session.table("SELECT count(*) FROM answers"),
        "one row for each student"
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM answers
             WHERE status NOT IN ('none', 'stale', 'provisional', 'ok')
                OR trend NOT IN ('falling', 'unclear', 'steady', 'rising')
                OR NOT level BETWEEN -0.5 AND 1.5 OR NOT raw_level BETWEEN 0 AND 1
                OR NOT level_se > 0 OR level_se > 0.5 OR NOT ci_low < level OR NOT level < ci_high
                OR NOT need BETWEEN 0 AND 1 OR NOT trend_p BETWEEN 0 AND 1 OR slope_se < 0
                OR missing > due OR missing < 0 OR information < 0
                OR 'NaN' IN (level, level_se, ci_low, ci_high, raw_level, prior, information,
                             slope, slope_se, trend_p, need)
                OR (need_rank IS NULL) <> (status = 'none') OR (status = 'none') <> (n = 0)"
        ),
        ["0"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM (
                 SELECT array_agg(need_rank ORDER BY need_rank) AS ranks FROM answers
                 WHERE need_rank IS NOT NULL GROUP BY code_module, code_presentation) r
             WHERE ranks <> ARRAY(SELECT generate_series(1, cardinality(ranks)))::int8[]"
        ),
        ["0"],
        "ranks run from 1 without a gap"
    );
}

/// The aggregates over each student's scores in a presentation, in all 19,532 of them.
#[test]
fn aggregates_over_time_are_those_of_r() {
    let Some((_database, mut session)) = courses() else {
        return;
    };
    session.run(
        "CREATE TABLE answers AS
         SELECT code_module, code_presentation, id_student,
                assess.trend_agg(score, day) AS line,
                assess.trend_slope(score, day) AS slope,
                assess.decay_avg(score, day, '30 days') AS level30,
                assess.decay_avg(score, day, '90 days') AS level90,
                assess.kendall_tau(score, day) AS tau,
                assess.theil_sen(score, day) AS theil_sen,
                assess.theil_sen_ci_low(score, day) AS ci_low,
                assess.theil_sen_ci_high(score, day) AS ci_high,
                assess.mann_kendall(score, day) AS p,
                avg(score) AS mean
         FROM (SELECT *, date '2013-01-01' + date_submitted AS day
               FROM results JOIN assessments USING (id_assessment) WHERE is_banked = 0) r
         GROUP BY 1, 2, 3",
    );
    let agree = |ours: &str, theirs: &str| {
        // Without two dates there is no slope, here and there.
        format!(
            "count(*) FILTER (WHERE coalesce(abs({ours} - {theirs}) <= 1e-9,
                                             num_nulls({ours}, {theirs}) = 2))"
        )
    };
    let found = session.table(&format!(
        "SELECT count(*), count(*) FILTER (WHERE assess.n(line) = n), {}, {}, {}, {}, {}, {},
                count(*) FILTER (WHERE coalesce(theil_sen BETWEEN ci_low AND ci_high, true)),
                count(*) FILTER (WHERE coalesce(p BETWEEN 0 AND 1, true))
         FROM reference r JOIN answers a
              ON a.id_student::text = r.id_student
              AND (a.code_module, a.code_presentation) = (r.code_module, r.code_presentation)",
        agree("slope / 30", "ols_slope_per_day"),
        agree("assess.slope_se(line) / 30", "ols_se"),
        agree("level30", "wmean_hl30_at_last"),
        agree("level90", "wmean_hl90_at_last"),
        agree("tau", "kendall_tau_b"),
        agree("theil_sen / 30", "theil_sen_per_day"),
    ));
    assert_eq!(found, [["19532"; 10].join("|")]);
}

#[test]
fn one_statement_makes_a_model_of_the_courses() {
    let Some((_database, mut session)) = courses() else {
        return;
    };
    session.run(
        "CREATE VIEW scores AS
         SELECT r.*, a.code_module || ' ' || a.code_presentation AS course, 100 AS most,
                CASE WHEN is_banked = 0 THEN date '2013-01-01' + date_submitted END AS day
         FROM results r JOIN assessments a USING (id_assessment);
         SELECT assess.create_model('courses', 'scores', 'id_student', 'id_assessment', 'id_assessment',
             'score', 'day', max_score => 'most', subject => 'course',
             settings => '{\"as_of\": \"2014-06-01\"}')",
    );
    let students = "courses.students s JOIN gradebooks g
                    ON s.subject = g.code_module || ' ' || g.code_presentation";
    assert_eq!(
        session.table("SELECT count(*), count(DISTINCT subject) FROM courses.students"),
        session.table(
            "SELECT count(*), count(DISTINCT (code_module, code_presentation))
             FROM gradebooks, assess.students(gb, as_of => '2014-06-01')"
        )
    );
    assert_eq!(
        session.table(&format!(
            "SELECT s.student::text, s.level, s.need FROM {students}
             EXCEPT
             SELECT s.student, s.level, s.need
             FROM gradebooks, assess.students(gb, as_of => '2014-06-01') s"
        )),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT min(pg_typeof(student)::text), count(*) FILTER (WHERE level IN ('NaN', 'Infinity')),
                    count(*) FILTER (WHERE need NOT BETWEEN 0 AND 1)
             FROM courses.students"
        ),
        ["integer|0|0"]
    );
    for view in [
        "help_list",
        "check_in_list",
        "coverage",
        "assessments",
        "questions",
        "school_map",
    ] {
        let rows: i64 = session.one(&format!("SELECT count(*) FROM courses.{view}"));
        assert!(rows > 0, "{view}");
    }
}
