//! What the page on Moodle's figures says, against the figures that Moodle 4.5.6 computed itself of
//! quizzes on its own tables. The SQL is the page's. In percent, as Moodle's are, and marks.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use pg_assess_it::{Database, Session, root, shared_data};

/// Moodle's tables that the page reads, with its keys, and what Moodle computed.
const TABLES: &str = "
    CREATE TABLE mdl_quiz_attempts (
        id bigint, quiz bigint, userid bigint, attempt int, uniqueid bigint, preview smallint,
        state varchar(16), timestart bigint, timefinish bigint, timemodified bigint,
        sumgrades numeric(10, 5));
    CREATE TABLE mdl_question_attempts (
        id bigint, questionusageid bigint, slot bigint, behaviour varchar(32), questionid bigint,
        variant bigint, maxmark numeric(12, 7), minfraction numeric(12, 7),
        maxfraction numeric(12, 7), rightanswer text, responsesummary text, timemodified bigint,
        UNIQUE (questionusageid, slot));
    CREATE TABLE mdl_question_attempt_steps (
        id bigint, questionattemptid bigint, sequencenumber bigint, state varchar(13),
        fraction numeric(12, 7), timecreated bigint, userid bigint,
        UNIQUE (questionattemptid, sequencenumber));
    CREATE TABLE expected_slots (
        quiz bigint, choice text, slot bigint, is_subquestion int, name text, questionid bigint,
        n bigint, maxmark float8, markavg float8, facility float8, sd float8,
        discrimination_index float8, discriminative_efficiency float8, effective_weight float8,
        negative_covariance int);
    CREATE TABLE expected_quizzes (
        quiz bigint, choice text, attempts_counted bigint, avg float8, median float8, sd float8,
        cic float8, error_ratio float8, standard_error float8, slots bigint);
    -- Whether one of two is missing, or they are further apart than this.
    CREATE FUNCTION differ(a float8, b float8, by float8) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN num_nulls(a, b) = 1 OR coalesce(abs(a - b) > by, false);";

/// Copies a CSV file with a header, packed or not.
fn load(session: &mut Session, table: &str, file: &Path) {
    let packed = file.extension().is_some_and(|extension| extension == "gz");
    let file = File::open(file).expect("the file is there");
    let mut rows: Box<dyn Read> = if packed {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut into = session
        .copy_in(&format!("COPY {table} FROM STDIN (FORMAT csv, HEADER)"))
        .expect("copies in");
    std::io::copy(&mut rows, &mut into).expect("is a file of this kind");
    into.finish().expect("has the columns of its table");
}

/// The statement of the page that begins so.
fn of_the_page(start: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/reference/moodle.md")).expect("the page");
    let from = page.find(start).expect("a statement of the page");
    let statement = page[from..].split_inclusive(";\n").next();
    statement.expect("an end").to_owned()
}

/// Moodle's tables, what the page makes of them, and what Moodle computed: `expected_slots` and
/// `expected_quizzes`, in which some quizzes are missing.
fn quizzes() -> Option<(Database, Session)> {
    let data = shared_data("moodle")?;
    let database = Database::new();
    let mut session = database.session();
    session.run(TABLES);
    for (table, file) in [
        ("mdl_quiz_attempts", "quiz_attempts.csv"),
        ("mdl_question_attempts", "question_attempts.csv.gz"),
        (
            "mdl_question_attempt_steps",
            "question_attempt_steps.csv.gz",
        ),
        ("expected_slots", "expected_slots.csv"),
        ("expected_quizzes", "expected_quizzes.csv"),
    ] {
        load(&mut session, table, &data.join(file));
    }
    for start in [
        "CREATE TABLE marks",
        "CREATE VIEW slot_figures",
        "CREATE VIEW quiz_figures",
        "CREATE TABLE gradebooks",
    ] {
        session.run(&of_the_page(start));
    }
    Some((database, session))
}

/// Asserts that no row comes.
#[track_caller]
fn none(session: &mut Session, sql: &str) {
    let rows = session.table(sql);
    assert!(rows.is_empty(), "{}\n{sql}", rows.join("\n"));
}

/// The slots that Moodle and the page have.
const SLOTS: &str = "expected_slots e JOIN slot_figures f USING (quiz, choice, slot)
     WHERE e.is_subquestion = 0";

#[test]
fn every_slot_has_moodles_figures() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    // All slots but that of 0 marks, which is one for each of four choices.
    let slots = "SELECT count(*) FROM expected_slots WHERE is_subquestion = 0 AND maxmark > 0";
    assert_eq!(session.one::<i64>(slots), 124);
    assert_eq!(
        session.one::<i64>(&format!("SELECT count(*) FROM {SLOTS}")),
        124
    );
    none(
        &mut session,
        &format!(
            "SELECT quiz, choice, slot, e.name, e.n, f.n, e.facility, f.facility, e.sd, f.sd
             FROM {SLOTS} AND (e.n <> f.n OR differ(e.facility, f.facility, 1e-9)
                               OR differ(e.sd, f.sd, 1e-9))"
        ),
    );
    none(
        &mut session,
        &format!(
            "SELECT quiz, choice, slot, e.name, e.discrimination_index, f.discrimination_index,
                    e.discriminative_efficiency, f.discriminative_efficiency
             FROM {SLOTS} AND e.name <> 'ct'
             AND (differ(e.discrimination_index, f.discrimination_index, 1e-9)
                  OR differ(e.discriminative_efficiency, f.discriminative_efficiency, 1e-9))"
        ),
    );
    // That of the constant .8 touches those of all slots of its quiz.
    none(
        &mut session,
        &format!(
            "SELECT quiz, choice, slot, e.name, e.effective_weight, f.effective_weight
             FROM {SLOTS} AND quiz <> 10
             AND differ(e.effective_weight, f.effective_weight, 1e-9)"
        ),
    );
}

#[test]
fn every_quiz_has_moodles_consistency_but_for_the_decimals_of_its_totals() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    let both = "expected_quizzes e JOIN quiz_figures f USING (quiz, choice)
                WHERE e.attempts_counted > 2";
    assert_eq!(
        session.one::<i64>(&format!("SELECT count(*) FROM {both}")),
        20
    );
    none(
        &mut session,
        &format!(
            "SELECT quiz, choice, attempts, e.cic, f.cic, e.error_ratio, f.error_ratio,
                    e.standard_error, f.standard_error
             FROM {both} AND (attempts <> attempts_counted OR differ(e.cic, f.cic, 1e-5)
                              OR differ(e.error_ratio, f.error_ratio, 1e-5)
                              OR differ(e.standard_error, f.standard_error, 1e-5))"
        ),
    );
    // Moodle's totals have five decimals, marks seven. With the variance of Moodle's totals for that
    // of ours nothing is left to differ.
    none(
        &mut session,
        "WITH totals AS (
             SELECT m.choice, m.quiz, sum(mark) AS total, min(sumgrades)::float8 AS sumgrades,
                    count(*)::float8 AS k
             FROM marks m JOIN mdl_quiz_attempts a ON a.id = m.attempt
             GROUP BY m.choice, m.quiz, m.attempt),
         variances AS (
             SELECT choice, quiz, k, var_samp(total) / var_samp(sumgrades) AS ratio,
                    stddev_samp(sumgrades) AS sd
             FROM totals GROUP BY choice, quiz, k),
         rounded AS (
             SELECT quiz, choice, sd,
                    k / (k - 1) * (1 - ratio * (1 - f.cic / 100 * (k - 1) / k)) AS alpha
             FROM variances JOIN quiz_figures f USING (quiz, choice) WHERE attempts > 2)
         SELECT quiz, choice, e.cic, alpha, e.error_ratio, e.standard_error
         FROM rounded r JOIN expected_quizzes e USING (quiz, choice)
         WHERE differ(e.cic, 100 * alpha, 1e-9) OR differ(e.sd, r.sd, 1e-9)
            OR differ(e.error_ratio, 100 * sqrt(1 - alpha), 1e-9)
            OR differ(e.standard_error, r.sd * sqrt(1 - alpha), 1e-9)",
    );
}

#[test]
fn gradebooks_of_marks_over_one_maximum_have_moodles_figures() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    let items = "gradebooks g, assess.items(g.in_marks) m
                 JOIN assess.items(g.in_shares) s USING (item)
                 JOIN expected_slots e ON e.slot = item::bigint AND e.is_subquestion = 0
                 JOIN (SELECT DISTINCT slot, quiz, choice, min_mark, max_mark FROM marks) r
                      USING (quiz, choice, slot)
                 WHERE g.quiz = e.quiz AND g.choice = e.choice AND e.name <> 'ct'";
    assert_eq!(
        session.one::<i64>(&format!("SELECT count(*) FROM {items}")),
        120
    );
    none(
        &mut session,
        &format!(
            "SELECT e.quiz, e.choice, item, e.name, m.n, m.r_rest, e.discrimination_index,
                    m.facility, s.facility
             FROM {items}
             AND (m.n <> e.n OR differ(100 * m.r_rest, e.discrimination_index, 1e-9)
                  OR differ((10 * m.facility + min_mark) / max_mark, e.facility, 1e-9)
                  OR differ((s.facility * (max_mark - min_mark) + min_mark) / max_mark,
                            e.facility, 1e-9))"
        ),
    );
    // In shares no slot of a quiz whose maxima differ has it.
    none(
        &mut session,
        &format!(
            "SELECT e.quiz, e.choice, item FROM {items} AND e.quiz IN (4, 5)
             AND NOT differ(100 * s.r_rest, e.discrimination_index, 1e-3)"
        ),
    );
    let assessments = "gradebooks g, assess.assessments(g.in_marks) m,
                       assess.assessments(g.in_shares) s, expected_quizzes e
                       WHERE e.quiz = g.quiz AND e.choice = g.choice AND e.attempts_counted > 2";
    assert_eq!(
        session.one::<i64>(&format!("SELECT count(*) FROM {assessments}")),
        20
    );
    none(
        &mut session,
        &format!(
            "SELECT e.quiz, e.choice, m.alpha, e.cic, m.sem, e.standard_error
             FROM {assessments}
             AND (differ(100 * m.alpha, e.cic, 1e-5)
                  OR differ(10 * m.items * m.sem, e.standard_error, 1e-5)
                  OR e.quiz IN (4, 5) AND NOT differ(100 * s.alpha, e.cic, 1))"
        ),
    );
}

#[test]
fn whole_attempts_are_moodles_choices() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    // From all attempts that count, each with its student; as they came, and in marks over one
    // maximum. Left out: quiz 9, where certainty takes marks beyond the range that Moodle stores.
    let gradebook = |min: &str, max: &str| {
        format!(
            "SELECT quiz, assess.gradebook_agg(student, slot, quiz, mark, {min}, {max}, taken_at,
                                               'counts', attempt, NULL) AS gb
             FROM marks WHERE choice = 'average' GROUP BY quiz"
        )
    };
    for (choice, attempts) in [
        ("highest", "best_attempt"),
        ("first", "first_attempt"),
        ("last", "last_attempt"),
    ] {
        let figures = format!(
            "({}) own, ({}) over_one, assess.items(own.gb, attempts => '{attempts}') i
             JOIN assess.items(over_one.gb, attempts => '{attempts}') m USING (item)
             JOIN (SELECT DISTINCT quiz, slot, min_mark, max_mark FROM marks) r
                  ON r.slot = i.item::bigint
             JOIN slot_figures f USING (quiz, slot)
             WHERE own.quiz = over_one.quiz AND f.quiz = own.quiz AND f.choice = '{choice}'
             AND own.quiz <> 9",
            gradebook("min_mark", "max_mark"),
            gradebook("-10", "10")
        );
        let rows = format!("SELECT count(*) FROM {figures}");
        assert_eq!(session.one::<i64>(&rows), 38, "{choice}");
        none(
            &mut session,
            &format!(
                "SELECT f.quiz, item, f.n, i.n, f.facility, i.facility, m.r_rest
                 FROM {figures}
                 AND (i.n <> f.n OR m.n <> f.n
                      OR differ((i.facility * (max_mark - min_mark) + min_mark) / max_mark,
                                f.facility, 1e-9)
                      OR differ(100 * m.r_rest, f.discrimination_index, 1e-9))"
            ),
        );
    }
}

#[test]
fn first_and_last_answers_are_moodles_and_the_best_are_not_its_highest() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    // From all attempts that count, each with its student.
    let figures = |choice: &str, attempts: &str| {
        format!(
            "(SELECT assess.gradebook_agg(student, slot, quiz, mark - min_mark, 10, taken_at) AS gb
              FROM marks WHERE choice = 'average' AND quiz = 4) g,
             assess.items(g.gb, attempts => '{attempts}') i
             JOIN slot_figures f ON f.slot = i.item::bigint
             WHERE f.quiz = 4 AND f.choice = '{choice}'"
        )
    };
    for choice in ["first", "last"] {
        let figures = figures(choice, choice);
        let found = format!("SELECT count(*) FROM {figures} AND i.n = f.n");
        assert_eq!(session.one::<i64>(&found), 12, "{choice}");
        none(
            &mut session,
            &format!(
                "SELECT item, f.n, 100 * i.r_rest, f.discrimination_index
                 FROM {figures} AND differ(100 * i.r_rest, f.discrimination_index, 1e-9)"
            ),
        );
    }
    // The best answer to each question, from whichever attempt: no less than Moodle's highest attempt
    // has, and more for questions that another attempt did better in.
    let best = figures("highest", "best");
    let by_hand = "(SELECT avg(best) / 10 FROM (SELECT max(mark - min_mark) AS best FROM marks m
                    WHERE m.choice = 'average' AND m.quiz = 4 AND m.slot = f.slot
                    GROUP BY student) s)";
    let of_highest = "(SELECT avg(mark - min_mark) / 10 FROM marks m
                       WHERE m.choice = 'highest' AND m.quiz = 4 AND m.slot = f.slot)";
    assert_eq!(
        session.table(&format!(
            "SELECT count(*) FILTER (WHERE NOT differ(i.facility, {by_hand}, 1e-9)),
                    count(*) FILTER (WHERE i.facility < {of_highest} - 1e-9),
                    count(*) FILTER (WHERE i.facility > {of_highest} + 1e-3) > 6
             FROM {best}"
        )),
        ["12|0|t"]
    );
}

/// Left out of the comparison, with the reason: where all have the same mark there is no
/// correlation. Moodle compares a variance with 0 exactly, and the mean of ten times 0.8 is not 0.8 in
/// binary.
#[test]
fn a_slot_where_all_have_the_same_mark_has_no_index() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    let constant = format!("{SLOTS} AND e.name = 'ct' AND e.maxmark > 0");
    let row = "1|10|0.8|0.8|0|150|-|-";
    assert_eq!(
        session.table(&format!(
            "SELECT slot, f.n, e.facility, round(f.facility::numeric, 9)::float8,
                    abs(round(e.discrimination_index::numeric, 9))::float8,
                    e.discriminative_efficiency,
                    f.discrimination_index, f.discriminative_efficiency FROM {constant}"
        )),
        [row; 4]
    );
    // What rounding leaves has a weight as well, unless it is negative, and takes it from the others.
    none(
        &mut session,
        &format!(
            "SELECT quiz, choice, slot, e.effective_weight, f.effective_weight FROM {SLOTS}
             AND quiz = 10 AND differ(e.effective_weight, coalesce(f.effective_weight, 0), 2e-6)"
        ),
    );
    // Where the mark is exact in binary, Moodle has no index either.
    let exact = format!("{SLOTS} AND e.name IN ('zs', 'zc')");
    assert_eq!(
        session.table(&format!(
            "SELECT e.sd, e.discrimination_index, e.discriminative_efficiency,
                    f.discrimination_index, f.discriminative_efficiency FROM {exact}"
        )),
        ["0|-|-|-|-"; 8]
    );
}

/// Left out, with the reason: Moodle correlates a question of a random slot with a total that has the
/// question in it, which flatters it.
#[test]
fn questions_of_a_random_slot_are_correlated_with_themselves_in_moodle() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    let pool = "expected_slots e JOIN
         (SELECT quiz, choice, question, count(*) AS n, avg(mark / max_mark) AS facility,
                 stddev_samp(mark) AS sd, 100 * assess.discrimination(mark, total) AS with_itself,
                 100 * assess.discriminative_efficiency(mark, total) AS efficiency,
                 100 * assess.r_rest(mark, total) AS r_rest
          FROM  (SELECT *, sum(mark) OVER (PARTITION BY choice, quiz, attempt) AS total
                 FROM marks) m
          GROUP BY quiz, choice, question) f
         ON f.quiz = e.quiz AND f.choice = e.choice AND f.question = e.questionid
         WHERE e.is_subquestion = 1 AND e.name LIKE 'pool%'";
    assert_eq!(
        session.table(&format!(
            "SELECT count(*), min(round(discrimination_index - r_rest)),
                    max(round(discrimination_index - r_rest)) FROM {pool}"
        )),
        ["12|2|7"]
    );
    none(
        &mut session,
        &format!(
            "SELECT e.choice, e.name, discrimination_index, with_itself,
                    discriminative_efficiency, efficiency
             FROM {pool} AND (e.n <> f.n OR differ(e.facility, f.facility, 1e-9)
                              OR differ(e.sd, f.sd, 1e-9)
                              OR differ(discrimination_index, with_itself, 1e-9)
                              OR differ(discriminative_efficiency, efficiency, 1e-9))"
        ),
    );
}

/// Left out, with the reason: Moodle takes the older version of a question that was edited for one of
/// a random slot in its first pass, and not in its second, in which spread and index are found.
#[test]
fn the_older_version_of_an_edited_question_has_no_spread_in_moodle() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    let older = "expected_slots e JOIN
         (SELECT quiz, choice, question, count(*) AS n, avg(mark / max_mark) AS facility,
                 stddev_samp(mark) AS sd, assess.r_rest(mark, total) AS r_rest
          FROM  (SELECT *, sum(mark) OVER (PARTITION BY choice, quiz, attempt) AS total
                 FROM marks) m
          GROUP BY quiz, choice, question) f
         ON f.quiz = e.quiz AND f.choice = e.choice AND f.question = e.questionid
         WHERE e.is_subquestion = 1 AND e.name = 'edited'";
    assert_eq!(
        session.table(&format!(
            "SELECT e.sd, discrimination_index, discriminative_efficiency, f.sd > 0.4,
                    r_rest > 0.2, e.n = f.n AND NOT differ(e.facility, f.facility, 1e-9)
             FROM {older}"
        )),
        ["0|-|-|t|t|t"; 4]
    );
}

/// Left out, with the reason: there is no share of 0 marks. Moodle counts such a slot as a question in
/// its CIC, which it has of three attempts and more.
#[test]
fn a_slot_of_no_marks_is_none_and_two_attempts_have_no_consistency_in_moodle() {
    let Some((_database, mut session)) = quizzes() else {
        return;
    };
    assert_eq!(
        session.table(
            "SELECT slot, facility, sd, discrimination_index, effective_weight
             FROM expected_slots WHERE maxmark = 0"
        ),
        ["3|-|0|-|0"; 4]
    );
    assert_eq!(
        session.table(
            "SELECT e.slots, (SELECT count(*) FROM slot_figures s
                              WHERE s.quiz = e.quiz AND s.choice = e.choice),
                    e.attempts_counted, attempts, e.cic, f.cic
             FROM expected_quizzes e JOIN quiz_figures f USING (quiz, choice) WHERE quiz = 11"
        ),
        ["3|2|2|2|-|100"; 4]
    );
}
