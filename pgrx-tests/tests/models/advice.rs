//! What models say of scales that were read wrongly: of what is asked about, and only as far as the
//! scores show.

use pg_assess_it::{Database, Session};

const PERCENTAGES: &str = "These scores look like percentages: give 100 as their max_score.";
const EITHER: &str = "These scores look like points or percentages: give the maximum of each question as \
                      max_score, or 100 where they are percentages.";
const CODES: &str = "Few scores lie far above their maximum, as a code such as 999 may that stands for no \
                     score: make them NULL in a view, or give the right max_score.";
const BONUS: &str = "Scores above their maximum may be a bonus: read them with out_of_range => 'clip', or give \
                     the right max_score.";

/// Thirty students and ten questions in two tests; `score` is made of `is_right`, `s` and `q`.
fn answers(session: &mut Session, score: &str) {
    session.run(&format!(
        "DROP TABLE IF EXISTS a CASCADE;
         CREATE TABLE a AS
         SELECT s, 'q' || q AS q, 't' || (q + 4) / 5 AS test, ({score})::float8 AS score,
                date '2026-01-05' + 14 * ((q + 4) / 5) AS day
         FROM   generate_series(1, 30) s, generate_series(1, 10) q,
                LATERAL (SELECT (s + q * 7 % 20 > 20)::int AS is_right) r"
    ));
    session.notices();
}

fn model(more: &str, settings: &str) -> String {
    format!(
        "SELECT assess.create_model('m', 'a', 's', 'q', 'test', 'score', 'day'{more},
             settings => '{{\"as_of\": \"2026-03-01\"{settings}}}')"
    )
}

/// The alerts of a rule over a model that is made, and dropped again.
fn alerts(session: &mut Session, rule: &str, more: &str, settings: &str) -> Vec<String> {
    session.run(&model(more, settings));
    session.notices();
    let found = session.table(&format!(
        "SELECT message FROM m.alerts WHERE rule = '{rule}' AND ended IS NULL ORDER BY item"
    ));
    session.run("SELECT assess.drop_model('m')");
    found
}

#[test]
fn what_is_far_above_any_maximum_is_no_bonus() {
    let database = Database::new();
    let mut session = database.session();
    for (score, more, advice) in [
        ("is_right * (s % 9) * 11", "", PERCENTAGES),
        ("is_right * (s % 9) * 11", ", max_score => 5", PERCENTAGES),
        ("is_right * (5 + s % 3)", ", max_score => 5", BONUS),
        (
            "is_right * CASE WHEN s = 30 THEN 999 ELSE 6 END",
            ", max_score => 5",
            BONUS,
        ),
        ("is_right * 30", ", max_score => 12", PERCENTAGES),
        (
            "is_right * 300",
            ", max_score => 100",
            "points: give as their max_score how many could be had.",
        ),
        // Of 20 points nobody knows whether 100 could be had.
        ("is_right * (s % 21)", "", EITHER),
        ("is_right * (s % 13)", "", EITHER),
        (
            "is_right * (s % 6)",
            "",
            "points: give as their max_score how many could be had.",
        ),
        // What is of one scale for most questions leaves others open.
        (
            "is_right * CASE WHEN q = 10 THEN 15 ELSE s % 9 * 11 END",
            "",
            PERCENTAGES,
        ),
        (
            "is_right * CASE WHEN q = 10 THEN 5 ELSE s % 21 END",
            "",
            EITHER,
        ),
        // One slip or code decides nothing.
        (
            "CASE WHEN s = 30 THEN 105 ELSE is_right * (s % 9) * 11 END",
            "",
            PERCENTAGES,
        ),
        (
            "CASE WHEN s = 30 THEN 999 ELSE is_right * (s % 9) * 11 END",
            "",
            PERCENTAGES,
        ),
        ("CASE WHEN s % 9 = 0 THEN 999 ELSE is_right END", "", CODES),
    ] {
        answers(&mut session, score);
        let said = alerts(&mut session, "rows_left_out", more, "");
        assert!(said[0].ends_with(advice), "{score}{more}: {said:?}");
    }
    answers(&mut session, "is_right * 4");
    let said = alerts(
        &mut session,
        "rows_left_out",
        ", min_score => 1, max_score => 5",
        "",
    );
    assert!(
        said[0].contains("Scores are below the minimum, as where"),
        "{said:?}"
    );
}

#[test]
fn unused_scales_are_noticed_whatever_does_not_count_and_however_few_the_answers() {
    let database = Database::new();
    let mut session = database.session();
    let some = |n: usize| {
        format!(
            "{n} questions in this model have no score above 1, though their max_score is 100 or more \
             (question q1 and others)"
        )
    };
    // A code stands above the maximum.
    answers(&mut session, "CASE WHEN s = 1 THEN 999 ELSE is_right END");
    let said = alerts(&mut session, "unused_scale", ", max_score => 100", "");
    assert!(said[0].starts_with(&some(10)), "{said:?}");
    // Five answers to each question.
    answers(&mut session, "is_right");
    session.run("DELETE FROM a WHERE s NOT BETWEEN 21 AND 25");
    let said = alerts(&mut session, "unused_scale", ", max_score => 100", "");
    assert!(said[0].starts_with(&some(10)), "{said:?}");
    // One of them uses it: nobody knows of the others.
    session.run("UPDATE a SET score = 60 WHERE q = 'q3' AND s = 23");
    let said = alerts(&mut session, "unused_scale", ", max_score => 100", "");
    assert_eq!(said, [""; 0]);
    // Each five answers of another scale say nothing.
    session.run(
        "UPDATE a SET score = 1; ALTER TABLE a ADD most int;
         UPDATE a SET most = 100 + substr(q, 2)::int",
    );
    let said = alerts(&mut session, "unused_scale", ", max_score => 'most'", "");
    assert_eq!(said, [""; 0]);
    // A question that nobody solves, with a point taken away.
    answers(
        &mut session,
        "CASE WHEN q = 1 THEN - (s % 2) ELSE is_right * 20 END",
    );
    let said = alerts(
        &mut session,
        "unused_scale",
        ", min_score => -1, max_score => 20",
        "",
    );
    assert_eq!(said, [""; 0]);
}

#[test]
fn scales_of_what_does_not_count_are_not_asked_about() {
    let database = Database::new();
    let mut session = database.session();
    // Three columns in percent, and a bonus.
    let score =
        "CASE WHEN q IN (1, 3, 4) THEN 100 * is_right WHEN q = 2 THEN 1.2 ELSE is_right END";
    answers(&mut session, score);
    for (rule, settings) in [
        ("rows_left_out", r#", "exclude_items": ["q1", "q3", "q4"]"#),
        (
            "question_left_out",
            r#", "exclude_items": ["q1", "q3", "q4"]"#,
        ),
    ] {
        let said = alerts(&mut session, rule, "", settings);
        assert!(said.len() == 1 && said[0].ends_with(BONUS), "{said:?}");
    }
    // The first test in percent: left out, or after the date.
    answers(
        &mut session,
        "CASE WHEN q <= 5 THEN 100 * is_right WHEN s % 4 = 0 THEN 1.2 ELSE is_right END",
    );
    for later in ["", "UPDATE a SET day = '2026-06-01' WHERE test = 't1'"] {
        session.run(&format!("SELECT; {later}"));
        let settings = match later {
            "" => r#", "exclude": ["t1"]"#,
            _ => "",
        };
        let rows = if later.is_empty() { 150 } else { 300 };
        let said = alerts(&mut session, "rows_left_out", "", settings);
        let start =
            format!("35 of the {rows} rows in this model do not count: 35 above_max. {BONUS}");
        assert_eq!(said, [start]);
    }
    // Shares that were said to be percentages.
    for settings in [
        r#", "exclude": ["t1"]"#,
        r#", "exclude_items": ["q1", "q2", "q3", "q4", "q5"]"#,
        r#", "as_of": "2026-01-25""#,
    ] {
        answers(
            &mut session,
            "CASE WHEN q <= 5 THEN 1 ELSE 100 END * is_right",
        );
        let late = settings.contains("as_of");
        if late {
            session.run("UPDATE a SET day = '2026-01-26' WHERE test = 't1'; UPDATE a SET day = '2026-01-20' WHERE test = 't2'");
        }
        let said = alerts(&mut session, "unused_scale", ", max_score => 100", settings);
        assert_eq!(said, [""; 0], "{settings}");
    }
    let said = alerts(&mut session, "unused_scale", ", max_score => 100", "");
    assert!(said[0].starts_with("5 questions"), "{said:?}");
}

#[test]
fn a_model_of_which_no_row_counts_or_waits_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    let others = r#", "exclude_items": ["q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"]"#;
    for (score, more, settings, detail, hint) in [
        (
            "is_right",
            "",
            r#", "as_of": "2025-01-01""#,
            "Of 300 rows: 300 future.",
            "as_of",
        ),
        (
            "is_right",
            "",
            r#", "exclude": ["t1", "t2"]"#,
            "Of 300 rows: 300 of assessments in exclude.",
            "exclude",
        ),
        (
            "50 - 48.8 * (q = 1)::int",
            "",
            others,
            "Of 300 rows: 270 excluded, 30 above_max.",
            "bonus",
        ),
        (
            "50",
            "",
            r#", "exclude": ["t1"]"#,
            "Of 300 rows: 150 above_max, 150 of assessments in exclude.",
            "percentages",
        ),
        (
            "is_right",
            ", max_score => 'most'",
            others,
            "Of 300 rows: 270 excluded, 30 no_max_score.",
            "max_score",
        ),
    ] {
        answers(&mut session, score);
        session.run("ALTER TABLE a ADD most float8; UPDATE a SET most = 1 WHERE q <> 'q1'");
        let refused = session.refuses(&model(more, settings), "P0002");
        assert_eq!(refused.detail(), Some(detail));
        assert!(
            refused.hint().is_some_and(|said| said.contains(hint)),
            "{refused:?}"
        );
    }
    // What waits for its marks may be all there is.
    answers(&mut session, "NULL");
    session.run(&model("", ""));
    // A refresh leaves the results.
    session.run("UPDATE a SET score = (s % 2)");
    session.run("CALL assess.refresh('m')");
    session.run("SELECT assess.set_option('m', 'exclude', '{t1,t2}')");
    let before = session.table("SELECT * FROM m.students ORDER BY student");
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "P0002");
    assert_eq!(
        session.table("SELECT * FROM m.students ORDER BY student"),
        before
    );
}

#[test]
fn all_rows_of_a_question_are_counted_and_one_is_one() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE WHEN q > 1 THEN is_right WHEN s <= 10 THEN NULL WHEN s <= 16 THEN 1.2 ELSE is_right END",
    );
    let said = alerts(&mut session, "question_left_out", "", "");
    assert_eq!(
        said,
        [format!(
            "6 of the 30 rows of question q1 in this model do not count: 6 above_max. {BONUS}"
        )]
    );
    session.run("DELETE FROM a WHERE q = 'q1' AND s NOT BETWEEN 11 AND 11");
    let said = alerts(&mut session, "question_left_out", "", "");
    assert_eq!(
        said,
        [format!(
            "The only row of question q1 in this model does not count: 1 above_max. {BONUS}"
        )]
    );
    session.run(
        "UPDATE a SET score = 1.2 WHERE q = 'q2' AND s = 1; DELETE FROM a WHERE q = 'q2' AND s > 5",
    );
    let said = alerts(&mut session, "question_left_out", "", "");
    assert_eq!(
        said[1],
        format!(
            "1 of the 5 rows of question q2 in this model does not count: 1 above_max. {BONUS}"
        )
    );
}
