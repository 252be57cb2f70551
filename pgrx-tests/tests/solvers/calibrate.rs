//! `calibrate` over a test whose figures are published, and over a gradebook of what can and what
//! cannot be calibrated.

use pg_assess_it::{Database, Session};

/// The gradebook `g` of section 6 of the Law School Admission Test: how many of 1000 gave which
/// answers to its five questions (Bock and Lieberman 1970).
fn with_lsat() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT student, question, substr(pattern, question, 1)::int AS score
         FROM (SELECT row_number() OVER (ORDER BY pattern) AS student, pattern
               FROM (VALUES ('00000', 3), ('00001', 6), ('00010', 2), ('00011', 11), ('00100', 1),
                            ('00101', 1), ('00110', 3), ('00111', 4), ('01000', 1), ('01001', 8),
                            ('01011', 16), ('01101', 3), ('01110', 2), ('01111', 15),
                            ('10000', 10), ('10001', 29), ('10010', 14), ('10011', 81),
                            ('10100', 3), ('10101', 28), ('10110', 15), ('10111', 80),
                            ('11000', 16), ('11001', 56), ('11010', 21), ('11011', 173),
                            ('11100', 11), ('11101', 61), ('11110', 28), ('11111', 298)
                    ) p(pattern, n), generate_series(1, n)) s,
              generate_series(1, 5) question;
         CREATE TABLE g AS
         SELECT assess.gradebook_agg(student, question, 'LSAT', score, date '1970-06-01') AS gb
         FROM r",
    );
    (database, session)
}

#[test]
fn the_figures_are_the_published_ones() {
    let (_database, mut session) = with_lsat();
    // Rizopoulos (2006), ltm: an R package for latent variable modeling, to three decimals.
    assert_eq!(
        session.table(
            "SELECT item, n, round(facility::numeric, 3), round(discrimination::numeric, 2),
                    round(difficulty::numeric, 2), component, status, status_rank, converged,
                    round(log_likelihood::numeric, 2), warnings
             FROM g, assess.calibrate(gb, prior => false) ORDER BY item"
        ),
        [
            "1|1000|0.924|0.83|-3.36|1|calibrated|6|t|-2466.65|-",
            "2|1000|0.709|0.72|-1.37|1|calibrated|6|t|-2466.65|-",
            "3|1000|0.553|0.89|-0.28|1|calibrated|6|t|-2466.65|-",
            "4|1000|0.763|0.69|-1.87|1|calibrated|6|t|-2466.65|-",
            "5|1000|0.870|0.66|-3.13|1|calibrated|6|t|-2466.65|-",
        ]
    );
    // Intervals are those of the normal distribution.
    let wrong = session.table(
        "SELECT item FROM g, assess.calibrate(gb, confidence => 0.9)
         WHERE abs((discrimination_high - discrimination_low) / discrimination_se / 2
                   - 1.6448536) > 1e-6
            OR abs((difficulty_high - difficulty_low) / difficulty_se / 2 - 1.6448536) > 1e-6
            OR abs((difficulty_high + difficulty_low) / 2 - difficulty) > 1e-9",
    );
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_question_has_a_row_that_says_what_became_of_it() {
    let (_database, mut session) = with_lsat();
    session.run(
        "CREATE TABLE mixed AS
         SELECT student, question::text, score::float8, 1 AS max_score FROM r UNION ALL
         SELECT student, 'turned', 1 - score, 1 FROM r WHERE question = 3 UNION ALL
         SELECT student, 'easy', 1, 1 FROM r WHERE question = 1 UNION ALL
         SELECT student, 'marks', student % 4, 3 FROM r WHERE question = 1 UNION ALL
         SELECT student, 'words', student, 'Infinity'::float8 FROM r WHERE question = 1 UNION ALL
         SELECT student, 'few', score, 1 FROM r WHERE question = 3 AND student % 125 = 0 UNION ALL
         SELECT -student, 'alone', score, 1 FROM r WHERE question = 2;
         CREATE TABLE m AS
         SELECT assess.gradebook_agg(student, question, 'all', score, max_score,
                                     date '2026-05-04') AS gb
         FROM mixed",
    );
    assert_eq!(
        session.table(
            "SELECT item, n, facility IS NULL, status, status_rank,
                    discrimination IS NULL, discrimination_se IS NULL, difficulty IS NULL,
                    component IS NULL
             FROM m, assess.calibrate(gb) WHERE item > '9' ORDER BY item COLLATE \"C\""
        ),
        [
            "alone|1000|f|insufficient|5|t|t|t|t",
            "easy|1000|f|no_variance|4|t|t|t|t",
            "few|8|f|insufficient|5|t|t|t|t",
            "marks|1000|f|not_binary|3|t|t|t|t",
            "turned|1000|f|negative|1|f|f|f|f",
            "words|1000|t|not_binary|3|t|t|t|t",
        ]
    );
    // The same items as `items`, and what plain SQL says of them.
    assert_eq!(
        session.table(
            "SELECT c.item, c.n, round(c.facility::numeric, 12)
             FROM m, assess.calibrate(gb) c FULL JOIN (SELECT i.item FROM m, assess.items(gb) i) i
               ON i.item = c.item ORDER BY i.item"
        ),
        session.table(
            "SELECT question, count(*),
                    round(avg(score / nullif(max_score, 'Infinity'))::numeric, 12)
             FROM mixed GROUP BY 1 ORDER BY 1"
        )
    );
}

#[test]
fn a_fit_that_did_not_converge_is_reported_once() {
    let (_database, mut session) = with_lsat();
    session.notices();
    assert_eq!(
        session.table(
            "SELECT DISTINCT converged, iterations, discrimination_se, difficulty_low,
                    warnings LIKE 'The fit did not converge in 3 iterations%'
             FROM g, generate_series(1, 2), assess.calibrate(gb, max_iterations => 3)"
        ),
        ["f|3|-|-|t"]
    );
    let notices = session.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].severity(), "WARNING");
    assert!(
        notices[0]
            .message()
            .starts_with("calibrate did not converge")
    );
    session.table("SELECT * FROM g, assess.calibrate(gb)");
    assert!(session.notices().is_empty());
}

#[test]
fn nothing_to_calibrate_is_said_in_every_row() {
    let (_database, mut session) = with_lsat();
    assert_eq!(
        session.table(
            "SELECT DISTINCT converged, iterations, log_likelihood, status,
                    warnings LIKE 'Fewer than three questions%'
             FROM (SELECT assess.gradebook_agg(student, question, 'LSAT', score, now()) AS gb
                   FROM r WHERE question < 3) two, assess.calibrate(gb)"
        ),
        ["-|-|-|insufficient|t"]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM assess.calibrate(NULL)"),
        ["0"]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM g, assess.calibrate(gb, as_of => '1970-05-31')"),
        ["0"]
    );
}
