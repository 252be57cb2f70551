//! `item_drift` over a test that several schools take in turn, and of which one question leaks.

use pg_assess_it::{Database, Session};

/// The gradebook `g` of a test of twelve questions that 40 students take each week; from the
/// fourth of six weeks on, half of those who would get question 5 wrong know it.
fn with_leak() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT student, question, 'mock' AS assessment, date '2026-03-02' + 7 * week AS taken_on,
                (student * 37 % 100 + 8 * question > dice
                 OR question = 5 AND week > 2 AND dice % 2 = 0)::int AS score
         FROM generate_series(1, 240) student, generate_series(1, 12) question,
              LATERAL (SELECT student / 40.001 AS weeks) w,
              LATERAL (SELECT floor(weeks)::int AS week) v,
              LATERAL (SELECT abs(hashint4(1000 * student + question)) % 200 AS dice) d;
         CREATE TABLE g AS
         SELECT assess.gradebook_agg(student, question, assessment, score, taken_on) AS gb FROM r",
    );
    (database, session)
}

#[test]
fn a_leaked_question_is_found_and_no_other() {
    let (_database, mut session) = with_leak();
    assert_eq!(
        session.table(
            "SELECT item, dates, n, changed_at::date, n_before, n_after, direction, status_rank
             FROM g, assess.item_drift(gb) WHERE status = 'drifted'"
        ),
        ["5|6|240|2026-03-23|120|120|easier|1"]
    );
    assert_eq!(
        session
            .table("SELECT status, count(*) FROM g, assess.item_drift(gb) GROUP BY 1 ORDER BY 1"),
        ["drifted|1", "stable|11"]
    );
}

#[test]
fn counts_and_facilities_are_those_of_plain_sql() {
    let (_database, mut session) = with_leak();
    assert_eq!(
        session.table(
            "SELECT d.item::int, n_before, n_after, round(facility_before::numeric, 12),
                    round(facility_after::numeric, 12)
             FROM g, assess.item_drift(gb) d ORDER BY 1"
        ),
        session.table(
            "SELECT question, count(*) FILTER (WHERE taken_on < changed_at),
                    count(*) FILTER (WHERE taken_on >= changed_at),
                    round(avg(score) FILTER (WHERE taken_on < changed_at), 12),
                    round(avg(score) FILTER (WHERE taken_on >= changed_at), 12)
             FROM r JOIN (SELECT item, changed_at FROM g, assess.item_drift(gb)) d
               ON item = question::text
             GROUP BY 1 ORDER BY 1"
        )
    );
    // The interval is that of Student's t with n - 3 = 237 degrees of freedom.
    let wrong = session.table(
        "SELECT item FROM g, assess.item_drift(gb)
         WHERE abs((ci_high - ci_low) / change_se / 2 - 1.970024) > 1e-6
            OR abs((ci_high + ci_low) / 2 - change) > 1e-12 OR NOT p BETWEEN 0 AND q OR q > 1",
    );
    assert_eq!(wrong, [""; 0]);
    // Benjamini and Hochberg, in SQL.
    assert_eq!(
        session.table(
            "SELECT item, round(q::numeric, 12) FROM g, assess.item_drift(gb) ORDER BY item"
        ),
        session.table(
            "SELECT item, round(least(1, min(p * 12 / place) OVER later)::numeric, 12)
             FROM (SELECT item, p, rank() OVER (ORDER BY p) AS place
                   FROM g, assess.item_drift(gb)) ranked
             WINDOW later AS (ORDER BY place DESC) ORDER BY item"
        )
    );
}

#[test]
fn options_decide_what_is_called_drift() {
    let (_database, mut session) = with_leak();
    for (options, expected) in [
        ("", "1|11|0"),
        ("drift_margin => 0.9", "0|12|0"),
        ("drift_alpha => 1e-12", "0|12|0"),
        ("side_answers => 121", "0|0|12"),
        ("as_of => '2026-03-22'", "0|12|0"),
        ("as_of => '2026-03-08'", "0|0|12"),
        ("exclude => '{mock}'", "0|0|0"),
    ] {
        let comma = if options.is_empty() { "" } else { ", " };
        assert_eq!(
            session.table(&format!(
                "SELECT count(*) FILTER (WHERE status = 'drifted'),
                        count(*) FILTER (WHERE status = 'stable'),
                        count(*) FILTER (WHERE status = 'insufficient' AND change IS NULL)
                 FROM g, assess.item_drift(gb{comma}{options})"
            )),
            [expected],
            "{options}"
        );
    }
    assert_eq!(
        session.table(
            "SELECT item FROM g, assess.item_drift(gb) w
             JOIN (SELECT d.* FROM g, assess.item_drift(gb, confidence => 0.5) d) n USING (item)
             WHERE n.ci_high - n.ci_low >= w.ci_high - w.ci_low OR n.p <> w.p"
        ),
        [""; 0]
    );
}
