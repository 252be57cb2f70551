//! Models over tables whose scores are on other scales than they look, or are missing.

use pg_assess_it::{Database, Session};

/// Thirty students and twelve questions in three tests; `score` is made of `is_right`. A table that
/// models were made over already goes on under another name.
fn answers(session: &mut Session, score: &str) {
    session.run(&format!(
        "ALTER TABLE IF EXISTS a RENAME TO before;
         CREATE TABLE a AS
         SELECT s AS student, q AS question, 't' || (q + 3) / 4 AS test, {score} AS score,
                date '2026-01-05' + 14 * ((q + 3) / 4) AS day, q AS place, 'given' AS state
         FROM   generate_series(1, 30) s, generate_series(1, 12) q,
                LATERAL (SELECT s + q * 7 % 20 > 20 AS is_right) r"
    ));
    session.notices();
}

fn model(name: &str, more: &str) -> String {
    format!(
        "SELECT assess.create_model('{name}', 'a', 'student', 'question', 'test', 'score', 'day',
             settings => '{{\"as_of\": \"2026-03-01\"}}'{more})"
    )
}

fn warnings(session: &mut Session) -> Vec<String> {
    let notices = session.notices();
    notices
        .iter()
        .map(|notice| notice.message().to_owned())
        .collect()
}

#[test]
fn percentages_are_noticed_and_read_with_a_maximum_of_a_hundred() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "100 * is_right::int");
    session.run(&model("shares", ""));
    let said = warnings(&mut session);
    assert!(
        said[0].contains("do not count") && said[0].contains("give 100 as their max_score"),
        "{said:?}"
    );
    assert_eq!(
        session.table("SELECT DISTINCT level FROM shares.students"),
        ["0"]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM shares.questions WHERE status = 'truncated'"),
        ["12"]
    );
    session.run(&model("percent", ", max_score => 100"));
    assert_eq!(warnings(&mut session), [""; 0]);
    // A question of which nobody has a point says nothing against it.
    session.run("CREATE VIEW v AS SELECT student, question, test, CASE question WHEN 7 THEN 0 ELSE score END AS score, day FROM a");
    session.run(&model("with_zeros", "").replace("'a'", "'v'"));
    let said = warnings(&mut session);
    assert!(
        said[0].contains("These scores look like percentages: give 100 as their max_score."),
        "{said:?}"
    );
    session.run("SELECT assess.drop_model('with_zeros'); DROP VIEW v");
    session.notices();
    answers(&mut session, "is_right::int");
    session.run(&model("plain", ""));
    for figure in ["level, need, need_rank", "trend, status, due, missing"] {
        assert_eq!(
            session.table(&format!(
                "SELECT student, {figure} FROM percent.students ORDER BY 1"
            )),
            session.table(&format!(
                "SELECT student, {figure} FROM plain.students ORDER BY 1"
            ))
        );
    }
    // A column of that name comes before the number.
    session.run("ALTER TABLE a ADD \"100\" float8 DEFAULT 1");
    session.run(&model("named", ", max_score => '100'"));
    assert_eq!(
        session.table("SELECT DISTINCT max_score FROM named.responses"),
        ["1"]
    );
}

/// Whoever gives 100 for all questions, where one was in percent, reads the others as next to
/// nothing.
#[test]
fn shares_that_are_read_as_points_are_noticed() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE q WHEN 1 THEN 100 ELSE 1 END * is_right::int",
    );
    // At first, what is said is said of that one.
    session.run(&model("before", ""));
    let said = warnings(&mut session);
    assert!(
        said[0].contains(
            "The scores of 1 of 12 questions look like percentages, those of the others do not: name a column \
             with each row's maximum as max_score, or leave out what is no question with exclude_items."
        ),
        "{said:?}"
    );
    session.run(&model("m", ", max_score => 100"));
    let all = "11 questions in this model have no score above 1, though their max_score is 100 or more (question \
               10 and others): see how many points could be had, which is 1 for shares; a column can say it for \
               each row.";
    let said = warnings(&mut session);
    assert!(said[0].contains(all), "{said:?}");
    let alert = "SELECT value, threshold, subject, message FROM m.alerts
                 WHERE rule = 'unused_scale' AND ended IS NULL";
    assert_eq!(session.table(alert), [format!("11|0|all|{all}")]);
    // The right maximum for each, in a column.
    session.run("ALTER TABLE a ADD most float8; UPDATE a SET most = CASE question WHEN 1 THEN 100 ELSE 1 END");
    session.run(&model("right", ", max_score => 'most'"));
    assert_eq!(warnings(&mut session), [""; 0]);
    // Points of 5 beside the percentages are not asked to be percentages, and noticed if they are read so.
    session.run("CREATE VIEW fives AS SELECT student, question, test, CASE question WHEN 1 THEN score ELSE 5 * score END
                        AS score, day FROM a");
    session.run(&model("of_five", "").replace("'a'", "'fives'"));
    let said = warnings(&mut session);
    assert!(
        said[0].contains("The scores of 11 of 12 questions look like points, those of the others"),
        "{said:?}"
    );
    session.run(&model("all_percent", ", max_score => 100").replace("'a'", "'fives'"));
    let said = warnings(&mut session);
    assert!(
        said[0].contains("11 questions in this model have no score above 5, though"),
        "{said:?}"
    );
    session.run("UPDATE a SET most = 25 WHERE question = 2");
    session.run(&model("one", ", max_score => 'most'"));
    let one = "1 question in this model has no score above 1, though its max_score is 25 (question 2): see how many \
               points could be had, which is 1 for shares; a column can say it for each row.";
    assert!(warnings(&mut session)[0].contains(one));
    // Of what does not count, nobody needs to know.
    session.run("SELECT assess.set_option('one', 'exclude_items', '{2,NULL}')");
    session.run("CALL assess.refresh('one')");
    assert_eq!(
        session
            .table("SELECT message FROM one.alerts WHERE rule = 'unused_scale' AND ended IS NULL"),
        [""; 0]
    );
}

/// Questions of which nobody has a point, of few points, of few students, without an upper end, and
/// of which somebody has more than one point in twenty.
#[test]
fn scales_that_may_be_right_are_not_asked_about() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE WHEN q = 1 THEN 0 WHEN q = 2 AND s = 7 THEN 6 ELSE is_right::int END",
    );
    session.run(
        "ALTER TABLE a ADD most float8 DEFAULT 1;
         UPDATE a SET most = CASE question WHEN 1 THEN 100 WHEN 2 THEN 100 WHEN 3 THEN 19
                      WHEN 4 THEN 'Infinity'::float8 WHEN 5 THEN 100 WHEN 6 THEN 100 ELSE 1 END;
         DELETE FROM a WHERE question = 5 AND student > 9;
         UPDATE a SET most = 1 WHERE question = 6 AND student = 1",
    );
    session.run(&model("m", ", max_score => 'most'"));
    assert_eq!(
        session.table("SELECT item, max_score FROM m.gradebook, assess._unused_scales(gradebook)"),
        [""; 0]
    );
    // By the way from the minimum, at which nobody says anything: 5 of 5 to 100, and 6 of them. Of
    // points that were taken away alone, nobody solved the question.
    assert_eq!(
        session.table(
            "SELECT item, most FROM assess._unused_scales((
                 SELECT assess.gradebook_agg(s, q, 1, CASE WHEN s = 1 THEN most ELSE low END, low, top,
                                             date '2026-01-01')
                 FROM   (VALUES (1, 5, 5, 100), (2, 6, 5, 100), (3, -5, -100, 100), (4, -95, -100, 100), (5, 1, -1, 100))
                            v(q, most, low, top), generate_series(1, 12) s))"
        ),
        ["2|6", "5|1"]
    );
    assert_eq!(warnings(&mut session), [""; 0]);
}

#[test]
fn each_question_is_asked_about_its_own_scale() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE q WHEN 1 THEN 90 WHEN 2 THEN 250 WHEN 3 THEN 1.5 WHEN 4 THEN 1 - 2 * (s % 2)
         ELSE is_right::int END",
    );
    session.run(
        "ALTER TABLE a ADD most float8 DEFAULT 1; UPDATE a SET most = NULL WHERE question = 5",
    );
    session.run(&model("m", ", max_score => 'most'"));
    assert_eq!(
        session.table(
            "SELECT item, message FROM m.alerts WHERE rule = 'question_left_out' ORDER BY item"
        ),
        [
            "1|30 of the 30 rows of question 1 in this model do not count: 30 above_max. The scores \
             of 1 of 12 questions look like percentages, those of the others do not: name a column \
             with each row's maximum as max_score, or leave out what is no question with \
             exclude_items.",
            "2|30 of the 30 rows of question 2 in this model do not count: 30 above_max. The scores \
             of 1 of 12 questions look like points, those of the others do not: name a column with \
             each row's maximum as max_score, or leave out what is no question with exclude_items.",
            "3|30 of the 30 rows of question 3 in this model do not count: 30 above_max. Scores \
             above their maximum may be a bonus: read them with out_of_range => 'clip', or give \
             the right max_score.",
            "4|15 of the 30 rows of question 4 in this model do not count: 15 below_min. Scores \
             are below the minimum, as where wrong answers take points away: give the lowest as \
             min_score.",
            "5|30 of the 30 rows of question 5 in this model do not count: 30 no_max_score. \
             There is no max_score for 1 of 12 questions: give it, read their points with \
             missing_max => 'observed', give 'infinity' for a scale without an upper bound, or leave \
             out what is no question with exclude_items."
        ]
    );
}

#[test]
fn points_taken_away_count_from_the_minimum() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "CASE WHEN is_right THEN 1 ELSE -0.25 END");
    session.run(&model("m", ", min_score => -0.25"));
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(
        session.table("SELECT reason FROM m.coverage WHERE rows > 0"),
        ["used"]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FROM m.questions q
             WHERE abs(q.facility - (SELECT avg((score > 0)::int) FROM a WHERE question = q.item)) > 1e-12"
        ),
        ["0"]
    );
    session.run(&model("clipped", ""));
    session.run("SELECT assess.set_option('clipped', 'out_of_range', 'clip')");
    session.run("CALL assess.refresh('clipped')");
    assert_eq!(
        session.table("SELECT item, facility FROM clipped.questions ORDER BY 1"),
        session.table("SELECT item, facility FROM m.questions ORDER BY 1"),
        "where the lowest score is nothing else than wrong"
    );
}

#[test]
fn a_model_of_nothing_is_refused_and_results_outlive_a_source_of_nothing() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "150");
    let refused = session.refuses(&model("m", ""), "P0002");
    assert_eq!(refused.detail(), Some("Of 360 rows: 360 above_max."));
    assert!(
        refused
            .hint()
            .is_some_and(|hint| hint.contains("max_score"))
    );
    answers(&mut session, "is_right::int");
    session.run("CREATE VIEW v AS SELECT * FROM a");
    session.run(&model("m", "").replace("'a'", "'v'"));
    let before = session.table("SELECT * FROM m.students ORDER BY student");
    session.run("UPDATE a SET score = 1000");
    let error = session.fails("CALL assess.refresh('m')");
    assert_eq!(error.code().code(), "P0002");
    assert_eq!(
        session.table("SELECT status, error FROM m.runs ORDER BY run_id DESC LIMIT 1"),
        ["failed|no row of the source of model m can be used"]
    );
    assert_eq!(
        session.table("SELECT * FROM m.students ORDER BY student"),
        before
    );
}

#[test]
fn a_status_says_what_counts_waits_or_need_not_be_taken() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "is_right::int");
    session.run(
        "UPDATE a SET state = (ARRAY['given up', 'at the teacher', 'absent', 'excused'])[student]
         WHERE student <= 4 AND test = 't3';
         UPDATE a SET state = 'draft' WHERE student = 5 AND question = 12",
    );
    session.run(&model(
        "m",
        ", status => 'state', counted => '{given}', zero => '{\"given up\"}',
         waiting => '{\"at the teacher\"}', not_taken => '{absent}', exempt => '{excused}'",
    ));
    assert_eq!(
        session
            .table("SELECT reason, rows FROM m.coverage WHERE rows > 0 ORDER BY rows DESC, reason"),
        [
            "used|347",
            "exempt|4",
            "not_taken|4",
            "waiting|4",
            "blank|1"
        ]
    );
    // Students 1 to 4: nothing of the points, waits for marks, missing, not due.
    assert_eq!(
        session.table(
            "SELECT n, waiting, due, missing FROM m.students WHERE student <= 4 ORDER BY student"
        ),
        ["12|0|3|0", "8|4|3|0", "8|0|3|1", "8|0|2|0"]
    );
    let refused = session.refuses(&model("n", ", status => 'state'"), "22023");
    assert!(
        refused
            .detail()
            .is_some_and(|detail| detail.contains("exempt"))
    );
    session.refuses(&model("n", ", zero => '{given}'"), "22023");
}

#[test]
fn blanks_count_as_the_model_says() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE WHEN is_right OR s <> 12 THEN is_right::int END",
    );
    session.run(&model("m", ", item_position => 'place'"));
    let level = "SELECT n, omitted, round(level::numeric, 3) FROM m.students WHERE student = 12";
    let ignored = session.table(level);
    let said = |session: &mut Session| -> String {
        session.one("SELECT explanation FROM assess.explain_student('m', 12)")
    };
    let blank: i64 = session.one("SELECT count(*) FROM a WHERE student = 12 AND score IS NULL");
    let sentence = format!("{blank} questions were left blank and do not count.");
    assert!(said(&mut session).contains(&sentence));
    session.run("SELECT assess.set_option('m', 'blanks', 'zero')");
    session.run("CALL assess.refresh('m')");
    let sentence = format!("{blank} questions were left blank and count as no points.");
    assert!(said(&mut session).contains(&sentence));
    let zero = session.table(level);
    assert_ne!(ignored, zero);
    answers(&mut session, "is_right::int");
    session.run(&model("answered", ""));
    assert_eq!(
        session.table("SELECT level FROM answered.students ORDER BY student"),
        session.table("SELECT level FROM m.students ORDER BY student"),
        "a blank that counts is a wrong answer"
    );
    session.run("SELECT assess.set_option('m', 'blanks', 'zero_before_last_answer')");
    let error = session.refuses(
        "SELECT assess.set_option('answered', 'blanks', 'zero_before_last_answer')",
        "22023",
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("position")));
}

#[test]
fn a_group_that_leaves_more_blank_is_noticed() {
    let database = Database::new();
    let mut session = database.session();
    let found = "SELECT student_group, value, message FROM m.alerts
                 WHERE rule = 'blanks_of_group' AND ended IS NULL ORDER BY student_group";
    let over = |session: &mut Session, blank: &str, class: &str| {
        session.run("SELECT assess.drop_model('m') WHERE to_regnamespace('m') IS NOT NULL");
        session.run("DROP TABLE IF EXISTS a");
        answers(
            session,
            &format!("CASE WHEN NOT ({blank}) THEN is_right::int END"),
        );
        session.run(&format!(
            "ALTER TABLE a ADD class text; UPDATE a SET class = {class}"
        ));
        session.run(&model("m", ", student_group => 'class'"));
    };
    let halves = "CASE WHEN student > 20 THEN 'B' ELSE 'A' END";
    // Ten students of B leave a quarter blank, of A a twentieth.
    over(
        &mut session,
        "s > 20 AND q % 4 = 1 OR s % 5 = 0 AND q % 4 = 1",
        halves,
    );
    assert_eq!(
        session.table(found),
        [
            "B|5|Students of B leave 25 % of the answers in this model blank, others 5 %: a student \
          who leaves blank what is hard gains by it. Set the option blanks to say what a blank \
          counts as."
        ]
    );
    let said = warnings(&mut session);
    assert!(
        said.iter().any(|said| said.contains("Students of B leave")),
        "{said:?}"
    );
    session.run("SELECT assess.set_option('m', 'blanks', 'zero')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(session.table(found), [""; 0]);
    // Nobody else leaves anything blank.
    over(&mut session, "s > 20 AND q % 4 = 1", halves);
    assert_eq!(
        session.table("SELECT student_group, value FROM m.alerts WHERE rule = 'blanks_of_group'"),
        ["B|Infinity"]
    );
    // A class of one student is no group, and silences nothing.
    over(
        &mut session,
        "s BETWEEN 21 AND 29 AND q % 4 = 1",
        "CASE WHEN student > 29 THEN 'C' WHEN student > 19 THEN 'B' ELSE 'A' END",
    );
    assert_eq!(
        session.table("SELECT student_group FROM m.alerts WHERE rule = 'blanks_of_group'"),
        ["B"]
    );
    // One blank of one student is none of a group, and nine students are no group.
    over(&mut session, "s = 21 AND q = 1", halves);
    assert_eq!(session.table(found), [""; 0]);
    over(
        &mut session,
        "s > 21 AND q % 4 = 1",
        "CASE WHEN student > 21 THEN 'B' ELSE 'A' END",
    );
    assert_eq!(session.table(found), [""; 0]);
}

#[test]
fn assessments_count_what_is_blank_and_what_waits() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE WHEN q <= 8 AND NOT (s = 7 AND q = 1) THEN is_right::int END",
    );
    session.run(&model("m", ""));
    assert_eq!(
        session.table(
            "SELECT assessment, items, students, n, first_at IS NULL, mean IS NULL, alpha_status,
                    omitted, waiting
             FROM m.assessments ORDER BY assessment"
        ),
        [
            "t1|4|30|119|f|f|ok|1|0",
            "t2|4|30|120|f|f|ok|0|0",
            "t3|0|0|0|t|t|no_scores|0|120"
        ]
    );
}

#[test]
fn who_has_only_old_scores_and_a_new_test_to_be_marked_waits_for_marks() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "CASE WHEN q <= 8 THEN is_right::int END");
    session.run("UPDATE a SET day = day + 330 WHERE question > 8; DELETE FROM a WHERE student = 9 AND question > 8");
    session.run(&model("m", "").replace("2026-03-01", "2027-02-01"));
    assert_eq!(
        session.table(
            "SELECT reason, status, count(*), min(student) FROM m.check_in_list GROUP BY 1, 2 ORDER BY 3"
        ),
        ["old evidence|stale|1|9", "waiting for marks|stale|29|1"]
    );
}

#[test]
fn two_questions_of_one_name_contradict_each_other() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "is_right::int");
    session.run("UPDATE a SET question = 1 WHERE question = 2");
    session.run(&model("m", ""));
    let conflicts: i64 = session.one(
        "SELECT count(*) FROM (SELECT student FROM a WHERE question = 1
                               GROUP BY student HAVING min(score) < max(score)) c",
    );
    assert_eq!(
        session.table("SELECT rows FROM m.coverage WHERE reason = 'conflicting'"),
        [conflicts.to_string()]
    );
    let said = warnings(&mut session);
    assert!(
        said.iter().any(|said| said.contains("contradict")),
        "{said:?}"
    );
    // As a float8, two numbers so large would be one.
    session.run("ALTER TABLE a ADD try bigint; UPDATE a SET try = 9007199254740992 + place % 2");
    session.run(&model("n", ", attempt => 'try'"));
    assert_eq!(
        session.table("SELECT rows FROM n.coverage WHERE reason = 'conflicting'"),
        ["0"]
    );
}

#[test]
fn a_question_is_explained_by_what_does_not_count() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE WHEN q > 8 THEN NULL WHEN q = 1 AND s % 3 = 0 THEN 1.2 ELSE is_right::int END",
    );
    session.run(&model("m", ""));
    let text: String = session.one("SELECT explanation FROM assess.explain_question('m', 1)");
    for part in [
        "has 20 answers that count",
        "10 rows do not count",
        "give the right maximum",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(
        session.table("SELECT explanation FROM assess.explain_question('m', 10)"),
        [
            "Question 10 has no answer that counts. 30 answers wait for their marks. \
             It is judged when most of its answers have their marks."
        ]
    );
    assert_eq!(
        session.table("SELECT item, status, n, left_out FROM m.question_review"),
        ["1|truncated|20|10"]
    );
}

/// Of two attempts, as many rows of a question do not count as there are reasons.
#[test]
fn reasons_are_counted_as_the_rows_that_count_are() {
    let database = Database::new();
    let mut session = database.session();
    answers(
        &mut session,
        "CASE q WHEN 1 THEN 50 + s ELSE is_right::int END",
    );
    session.run(
        "ALTER TABLE a ADD try int DEFAULT 1;
         INSERT INTO a SELECT student, question, test, score, day + 1, place, state, 2 FROM a",
    );
    for (attempts, rows) in [("first", 60), ("first_attempt", 30), ("best_attempt", 30)] {
        session.run(&format!(
            "SELECT assess.create_model('{attempts}', 'a', 'student', 'question', 'test', 'score', 'day',
                 attempt => 'try', settings => '{{\"attempts\": \"{attempts}\"}}')"
        ));
        let alert = session.table(&format!(
            "SELECT message FROM \"{attempts}\".alerts WHERE rule = 'question_left_out'"
        ));
        let said = format!(
            "{rows} of the {rows} rows of question 1 in this model do not count: {rows} above_max."
        );
        assert!(alert[0].starts_with(&said), "{alert:?}");
    }
}

/// What is missing altogether is asked about as well as scales are, the most frequent first.
#[test]
fn rows_without_a_time_or_an_id_are_asked_about() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session, "is_right::int");
    session.run(
        "ALTER TABLE a ALTER score TYPE float8, ADD low float8 DEFAULT 0;
         UPDATE a SET day = NULL WHERE student <= 12;
         UPDATE a SET question = NULL WHERE student BETWEEN 13 AND 20;
         UPDATE a SET low = 1 WHERE student BETWEEN 21 AND 25;
         UPDATE a SET score = 'NaN' WHERE student = 26",
    );
    for (advice, mended) in [
        (
            "144 null_date, 96 null_id, 60 bad_scale, 12 not_finite. Rows without a time do not count: see \
          which column was named for it, or give the day of the test in its place.",
            "day IS NULL",
        ),
        (
            "96 null_id, 60 bad_scale, 12 not_finite. Rows without a student, a question or an assessment do \
          not count: see which columns were named for these.",
            "question IS NULL",
        ),
        (
            "60 bad_scale, 12 not_finite. A max_score must be above its min_score.",
            "low = 1",
        ),
        (
            "12 not_finite. Scores and times that are infinite, or no number, do not count: make them NULL \
          where they stand for none.",
            "score = 'NaN'",
        ),
    ] {
        session.run(&model("m", ", min_score => 'low'"));
        session.run("UPDATE m.alert_rules SET threshold = 0 WHERE rule = 'rows_left_out'");
        session.run("CALL assess.refresh('m')");
        let alert = session
            .table("SELECT message FROM m.alerts WHERE rule = 'rows_left_out' AND ended IS NULL");
        assert!(alert[0].ends_with(advice), "{alert:?}");
        session.run(&format!(
            "SELECT assess.drop_model('m'); DELETE FROM a WHERE {mended}"
        ));
    }
}
