//! Question and assessment figures against R's, on published response matrices.

use std::collections::HashMap;
use std::path::Path;

use pg_assess_it::{Database, Session, shared_data};

/// Rows of a CSV file as maps from column to text.
fn read(file: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(file)
        .expect("the file is there")
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("is a CSV file with a header")
}

fn number(row: &HashMap<String, String>, column: &str) -> f64 {
    row[column].parse().expect("a number")
}

/// Loads a matrix of persons by items into `responses`, and its gradebook into `g`. Blank and NA
/// cells become NULL scores; `place` is the row of the student in the file.
fn load(session: &mut Session, file: &Path, max_score: u32) {
    session.run(
        "DROP TABLE IF EXISTS responses, g;
         CREATE TABLE responses (place int, student text, item text, score float8)",
    );
    let mut into = session
        .copy_in("COPY responses FROM STDIN (FORMAT csv, NULL 'NA')")
        .expect("copies in");
    let mut out = csv::Writer::from_writer(&mut into);
    for (place, row) in read(file).iter().enumerate() {
        let place = place.to_string();
        for (item, score) in row.iter().filter(|(column, _)| *column != "student_id") {
            let score = if score.is_empty() { "NA" } else { score };
            out.write_record([&place, &row["student_id"], item, score])
                .expect("writes");
        }
    }
    drop(out);
    into.finish().expect("copied");
    session.run(&format!(
        "CREATE TABLE g AS
         SELECT assess.gradebook_agg(student, item, 'the test', score, {max_score},
                                     date '2026-05-04') AS gb
         FROM responses"
    ));
}

/// Complete matrices; the names of their files may have a suffix. Some are scored 0, 1, 2.
const COMPLETE: [(&str, &str, u32); 11] = [
    ("lsat6", "", 1),
    ("lsat7", "", 1),
    ("hci", "", 1),
    ("ecpe", "", 1),
    ("sat12", "", 1),
    ("spm_ls", "", 1),
    ("fraction_subtraction", "", 1),
    ("revised_psvtr", "", 1),
    ("verbagg", "_dichotomous", 1),
    ("verbagg", "_0to2", 2),
    ("mathexam14w", "_solved", 1),
];

#[test]
fn figures_of_complete_assessments_are_those_of_r() {
    let Some(data) = shared_data("items") else {
        return;
    };
    let database = Database::new();
    let mut session = database.session();
    for (set, suffix, max_score) in COMPLETE {
        let folder = data.join(set);
        load(
            &mut session,
            &folder.join(format!("responses_wide{suffix}.csv")),
            max_score,
        );

        let rows = session
            .query(
                "SELECT item, r_rest, facility, n FROM g, assess.items(gb)",
                &[],
            )
            .expect("solves");
        let ours: HashMap<String, (f64, f64, i64)> = rows
            .iter()
            .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
            .collect();
        let reference = read(&folder.join(format!("ref_psych_alpha_items{suffix}.csv")));
        assert_eq!(ours.len(), reference.len(), "{set}");
        for row in &reference {
            let (r_rest, facility, n) = ours[&row["item"]];
            let what = format!("{set}{suffix}, {}", row["item"]);
            assert!(
                (r_rest - number(row, "r.drop")).abs() <= 1e-9,
                "{what}: {r_rest}"
            );
            let mean = number(row, "mean") / f64::from(max_score);
            assert!((facility - mean).abs() <= 1e-9, "{what}: {facility}");
            assert_eq!(n as f64, number(row, "n"), "{what}");
        }

        let total = &read(&folder.join(format!("ref_psych_alpha_total{suffix}.csv")))[0];
        let ours = session
            .query_one(
                "SELECT alpha, mean, sd, sem, students FROM g, assess.assessments(gb)",
                &[],
            )
            .expect("solves");
        let (alpha, mean, sd, sem): (f64, f64, f64, f64) =
            (ours.get(0), ours.get(1), ours.get(2), ours.get(3));
        let scale = f64::from(max_score);
        assert!(
            (alpha - number(total, "raw_alpha")).abs() <= 1e-9,
            "{set}: {alpha}"
        );
        assert!(
            (mean - number(total, "mean") / scale).abs() <= 1e-9,
            "{set}: {mean}"
        );
        assert!(
            (sd - number(total, "sd") / scale).abs() <= 1e-9,
            "{set}: {sd}"
        );
        assert!(
            (sem - sd * (1.0 - alpha).sqrt()).abs() <= 1e-12,
            "{set}: {sem}"
        );
        assert_eq!(
            ours.get::<_, i64>(4) as f64,
            number(total, "n_rows"),
            "{set}"
        );
    }
}

/// R's alpha of all questions by pairwise covariances; ours is that of as many as a student answers.
#[test]
fn alpha_with_blanks_is_that_of_as_many_questions_as_a_student_answers() {
    let Some(data) = shared_data("items/ability16") else {
        return;
    };
    let database = Database::new();
    let mut session = database.session();
    load(&mut session, &data.join("responses_wide.csv"), 1);
    let total = &read(&data.join("ref_psych_alpha_total_pairwise.csv"))[0];
    let whole = number(total, "raw_alpha");
    let length: f64 = session.one(
        "SELECT count(*) / sum(1.0 / n)::float8 FROM
         (SELECT count(*) AS n FROM g, assess.counted_responses(gb) GROUP BY student) t",
    );
    let share = length / number(total, "n_items");
    assert!((0.8..0.95).contains(&share), "{length}");
    let expected = share * whole / (1.0 + (share - 1.0) * whole);
    let alpha: f64 = session.one("SELECT alpha FROM g, assess.assessments(gb)");
    // Beside it stands how hard the questions of one student happened to be.
    assert!((alpha - expected).abs() <= 0.01, "{alpha}, {expected}");
}

/// Six of a pool of 24 for each student, and six more of the same pool as the truth.
#[test]
fn alpha_of_a_pool_is_that_of_what_a_student_answers() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE answers AS
         WITH s AS (SELECT s, sin(s * 12.9898) * 43758.5453 AS x FROM generate_series(1, 1000) s),
         r AS (SELECT s, i, x - floor(x) AS level, sin(s * 78.233 + i * 37.719) * 43758.5453 AS y
               FROM s, generate_series(1, 24) i)
         SELECT s, i, (y - floor(y) < 0.15 + 0.7 * level)::int::float8 AS score,
                row_number() OVER (PARTITION BY s ORDER BY md5(s || ':' || i)) AS place
         FROM r",
    );
    let rows = session
        .query(
            "SELECT a.alpha, a.sem, a.alpha_status, t.correlation, t.error
             FROM (SELECT assess.gradebook_agg(s, i, 1, score, date '2026-01-05') AS gb
                   FROM answers WHERE place <= 6) g, assess.assessments(g.gb) a,
                  (SELECT corr(a, b), stddev(a - b) / sqrt(2)
                   FROM (SELECT avg(score) FILTER (WHERE place <= 6) AS a,
                                avg(score) FILTER (WHERE place BETWEEN 7 AND 12) AS b
                         FROM answers GROUP BY s) t) t (correlation, error)",
            &[],
        )
        .expect("solves");
    let (alpha, sem, status): (f64, f64, &str) = (rows[0].get(0), rows[0].get(1), rows[0].get(2));
    let (correlation, error): (f64, f64) = (rows[0].get(3), rows[0].get(4));
    assert_eq!(status, "ok");
    assert!((alpha - correlation).abs() < 0.06, "{alpha}, {correlation}");
    assert!((sem - error).abs() < 0.01, "{sem}, {error}");
}

/// One question of six is drawn from two; the draw is the only difference.
#[test]
fn a_random_slot_leaves_alpha_as_it_is() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE answers AS
         SELECT s, q, ((s * 7 + q * 3) % 10 < s / 4)::int AS score
         FROM generate_series(1, 40) s, generate_series(1, 6) q",
    );
    let mut alpha = |question: &str| -> f64 {
        session.one(&format!(
            "SELECT a.alpha
             FROM (SELECT assess.gradebook_agg(s, {question}, 1, score::float8, date '2026-03-01')
                          AS gb FROM answers) g, assess.assessments(g.gb) a"
        ))
    };
    let (fixed, drawn) = (
        alpha("q"),
        alpha("CASE WHEN q = 6 THEN 60 + s % 2 ELSE q END"),
    );
    assert!((fixed - drawn).abs() < 0.01, "{fixed}, {drawn}");
}

#[test]
fn a_model_says_why_an_assessment_has_no_alpha() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE responses AS
         SELECT s AS student, a || ' ' || q AS question, a AS test, (s * (q + 2) % 5 < 2)::int AS score,
                date '2026-01-05' AS taken_on
         FROM generate_series(1, 20) s, generate_series(1, 3) q,
              unnest('{all, bank, drawn, few, one, same, single}'::text[]) a
         WHERE CASE a WHEN 'drawn' THEN s % 3 = q - 1 WHEN 'few' THEN q = 1 OR q = 2 AND s < 10
                      WHEN 'one' THEN q = 1 WHEN 'single' THEN s = 1 ELSE a <> 'bank' END;
         UPDATE responses SET score = 1 WHERE test = 'same';
         INSERT INTO responses
         SELECT s, 'bank ' || q, 'bank', 1, date '2026-01-05'
         FROM generate_series(1, 2) s, generate_series(1, 1001) q;
         SELECT FROM assess.create_model('m', 'responses', 'student', 'question', 'test', 'score',
                                         'taken_on')",
    );
    let expected = [
        "all|ok|t|t|t",
        "bank|too_many_questions|f|f|f",
        "drawn|nothing_shared|f|f|f",
        "few|few_shared|f|f|f",
        "one|one_question|f|f|f",
        "same|no_variance|f|f|f",
        "single|one_student|f|f|f",
    ];
    for relation in ["m.assessments", "assess.what_if_assessments('m')"] {
        assert_eq!(
            session.table(&format!(
                "SELECT assessment, alpha_status, alpha IS NOT NULL, alpha_se IS NOT NULL,
                        sem IS NOT NULL
                 FROM {relation} ORDER BY assessment COLLATE \"C\""
            )),
            expected
        );
    }
}

/// Every statistic of one item that R gives as well, by the aggregates.
#[test]
fn aggregates_over_complete_assessments_are_those_of_r() {
    let Some(data) = shared_data("items") else {
        return;
    };
    let database = Database::new();
    let mut session = database.session();
    let (mut correlations, mut biserials) = (0, 0);
    for (set, suffix, max_score) in COMPLETE {
        let folder = data.join(set);
        let wide = folder.join(format!("responses_wide{suffix}.csv"));
        load(&mut session, &wide, max_score);
        session.run(
            "DROP TABLE IF EXISTS figures;
             CREATE TABLE figures AS
             SELECT item, assess.discrimination(score, total) AS r_total,
                    assess.discrimination(score, total - score) AS r_rest,
                    assess.r_rest(score, total) AS r_rest_of_total,
                    assess.biserial(score, total - score) AS biserial,
                    assess.item_agg(score, total) AS summary
             FROM responses JOIN (SELECT student, sum(score) AS total FROM responses GROUP BY 1) t
                  USING (student)
             GROUP BY item",
        );
        let rows = session
            .query(
                "SELECT item, r_total, r_rest, r_rest_of_total, biserial, assess.facility(summary)
                 FROM figures",
                &[],
            )
            .expect("aggregates");
        let ours: HashMap<String, [Option<f64>; 5]> = rows
            .iter()
            .map(|row| (row.get(0), [1, 2, 3, 4, 5].map(|at| row.get(at))))
            .collect();
        let file = |name: &str| read(&folder.join(format!("ref_{name}{suffix}.csv")));
        let near = |ours: Option<f64>, row: &HashMap<String, String>, column: &str| {
            let (ours, theirs) = (ours.expect("a value"), number(row, column));
            assert!(
                (ours - theirs).abs() <= 1e-9,
                "{set}{suffix} {column}: {ours} and {theirs}"
            );
        };
        for row in &file("base_cor") {
            let [r_total, r_rest, r_rest_of_total, _, facility] = ours[&row["item"]];
            near(r_total, row, "r_item_total");
            near(r_rest, row, "r_item_rest");
            near(r_rest_of_total, row, "r_item_rest");
            near(facility, row, "mean");
            correlations += 1;
        }
        for row in &file("CTT_itemAnalysis") {
            let [_, r_rest, _, biserial, _] = ours[&row["itemName"]];
            near(r_rest, row, "pBis");
            // R's figure for scores of three kinds is another statistic, the polyserial.
            if max_score == 1 {
                near(biserial, row, "bis");
                biserials += 1;
            } else {
                assert_eq!(biserial, None);
            }
        }
        let total = &file("psych_alpha_total")[0];
        let alpha = session
            .query_one(
                "SELECT assess.cronbach_alpha(scores), assess.cronbach_alpha_se(scores)
                 FROM (SELECT array_agg(score ORDER BY item) AS scores
                       FROM responses GROUP BY student) s",
                &[],
            )
            .expect("aggregates");
        near(alpha.get(0), total, "raw_alpha");
        near(alpha.get(1), total, "ase");
    }
    assert_eq!((correlations, biserials), (213, 189), "items that R gives");
}

/// R makes groups of whole students: a third of them, rounded down, by total and then by their row.
/// So do we when the rank in that order is the criterion. By the totals alone, ours lies within what
/// a choice among those who tie can give, as R's does.
#[test]
fn upper_less_lower_group_is_that_of_r_where_ties_are_broken_alike() {
    let Some(data) = shared_data("items") else {
        return;
    };
    let database = Database::new();
    let mut session = database.session();
    let mut compared = 0;
    for (set, suffix, max_score) in COMPLETE {
        let folder = data.join(set);
        let wide = folder.join(format!("responses_wide{suffix}.csv"));
        load(&mut session, &wide, max_score);
        let rows = session
            .query(
                "WITH ranked AS (
                     SELECT item, score, total, (count(*) OVER item / 3)::float8 / count(*) OVER item AS share,
                            row_number() OVER (item ORDER BY total, place) AS as_r,
                            row_number() OVER (item ORDER BY total, score) AS kind,
                            row_number() OVER (item ORDER BY total, score DESC) AS unkind
                     FROM responses
                     JOIN (SELECT student, sum(score) AS total FROM responses GROUP BY 1) t
                          USING (student)
                     WINDOW item AS (PARTITION BY item))
                 SELECT item, assess.discrimination_index(score, as_r, share),
                        assess.discrimination_index(score, unkind, share),
                        assess.discrimination_index(score, total, share),
                        assess.discrimination_index(score, kind, share)
                 FROM ranked GROUP BY item",
                &[],
            )
            .expect("aggregates");
        let ours: HashMap<String, [f64; 4]> = rows
            .iter()
            .map(|row| (row.get(0), [1, 2, 3, 4].map(|at| row.get(at))))
            .collect();
        for row in &read(&folder.join(format!("ref_psychometric_item.exam{suffix}.csv"))) {
            let [as_r, least, by_total, most] = ours[&row["item"]];
            let theirs = number(row, "Discrimination");
            let what = format!("{set}{suffix}, {}", row["item"]);
            assert!((as_r - theirs).abs() <= 1e-9, "{what}: {as_r}, {theirs}");
            let possible = least - 1e-9..=most + 1e-9;
            assert!(possible.contains(&by_total), "{what}: {by_total}");
            assert!(possible.contains(&theirs), "{what}: {theirs}");
            compared += 1;
        }
    }
    assert_eq!(compared, 213, "items that R gives");
}
