//! Alerts: each rule at its edge, told once, kept, and sent to who listens; and never in the way of
//! the results.

use std::time::Duration;

use pg_assess_it::{Database, Session};
use postgres::fallible_iterator::FallibleIterator;

/// A session with responses of 40 students of two schools, and a model `m` of them. As of the last
/// day of the tests, no rule holds.
fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT 'Pupil-' || student AS student, 'Math' AS subject,
                CASE WHEN student % 2 = 0 THEN 'North' ELSE 'South' END AS school,
                10 * test + question AS question, test,
                (abs(hashint4(1000 * student + 10 * test + question) % 1000)
                 < 150 + 17 * student)::int::float8 AS score,
                date '2026-01-05' + 7 * test AS taken_on
         FROM generate_series(1, 40) student, generate_series(1, 8) test,
              generate_series(1, 6) question;",
    );
    session.run(&model_of("m", "r"));
    // What the dice made of the questions is none of the tests' business.
    session.run("UPDATE m.alert_rules SET enabled = false WHERE rule = 'suspect_questions'");
    session.run("CALL assess.refresh('m')");
    session.notices();
    (database, session)
}

fn model_of(model: &str, source: &str) -> String {
    format!(
        "SELECT assess.create_model('{model}', '{source}', 'student', 'question', 'test', 'score',
             'taken_on', subject => 'subject', student_group => 'school',
             settings => '{{\"as_of\": \"2026-03-02\"}}')"
    )
}

/// A second model of the same, in the state of the first.
fn with_twin() -> (Database, Session) {
    let (database, mut session) = with_model();
    session.run(&model_of("twin", "r"));
    session.run("UPDATE twin.alert_rules SET enabled = false WHERE rule = 'suspect_questions'");
    session.run("CALL assess.refresh('twin')");
    session.notices();
    (database, session)
}

/// The warnings about alerts since the last call.
fn warnings(session: &mut Session) -> Vec<String> {
    let told = session.notices().into_iter();
    told.filter(|notice| !notice.message().starts_with("gradebook_agg"))
        .map(|notice| {
            assert_eq!(notice.severity(), "WARNING");
            assert_eq!(notice.code().code(), "01000");
            notice.message().to_owned()
        })
        .collect()
}

/// The JSON texts that a session which listens has got since the last call.
fn heard(listener: &mut Session) -> Vec<String> {
    // Notifications come in the order of commits: before this one are all.
    listener.run("NOTIFY assess_alerts, 'end'");
    let mut notifications = listener.notifications();
    let found = notifications.timeout_iter(Duration::from_secs(60));
    let mut sent = found.take_while(|one| Ok(one.payload() != "end"));
    let mut texts = Vec::new();
    while let Some(one) = sent.next().expect("the connection holds") {
        assert_eq!(one.channel(), "assess_alerts");
        assert!(one.payload().len() < 8000);
        texts.push(one.payload().to_owned());
    }
    texts
}

fn listener(database: &Database) -> Session {
    let mut session = database.session();
    session.run("LISTEN assess_alerts");
    session
}

/// The alerts of a rule raised by the last run, as `subject|group|item|message`.
fn of_last_run(session: &mut Session, model: &str, rule: &str) -> Vec<String> {
    session.table(&format!(
        "SELECT coalesce(subject, '-'), coalesce(student_group, '-'), coalesce(item, '-'), message
         FROM {model}.alerts WHERE rule = '{rule}'
         AND run_id = (SELECT max(run_id) FROM {model}.run_log) ORDER BY alert_id"
    ))
}

fn set(session: &mut Session, model: &str, rule: &str, threshold: &str) {
    session.run(&format!(
        "UPDATE {model}.alert_rules SET threshold = {threshold} WHERE rule = '{rule}'"
    ));
}

#[test]
fn rules_are_edited_by_update_and_only_within_their_range() {
    let (_database, mut session) = with_model();
    for (rule, low, high) in [
        ("flawed_questions", "-1", "0"),
        ("suspect_questions", "-1", "0"),
        ("little_evidence", "0", "1"),
        ("few_students", "0", "1e9"),
        ("no_new_rows", "0", "36500"),
        ("rows_left_out", "0", "1"),
        ("level_moved", "0", "1000"),
        ("refresh_failed", "1", "1e6"),
        ("refresh_overdue", "0", "1e6"),
    ] {
        set(&mut session, "m", rule, low);
        set(&mut session, "m", rule, high);
        let above = format!("{high} + 1e-6");
        let below = format!("{low} - 1e-6");
        for bad in [&above, &below, "'NaN'", "'Infinity'", "'-Infinity'"] {
            let told = session.fails(&format!(
                "UPDATE m.alert_rules SET threshold = {bad} WHERE rule = '{rule}'"
            ));
            assert_eq!(told.code().code(), "23514", "{rule} {bad}");
            assert_eq!(told.constraint(), Some("threshold_is_in_range"));
        }
    }
    let told = session.fails("INSERT INTO m.alert_rules (rule, threshold) VALUES ('x', 1)");
    assert_eq!(told.constraint(), Some("rule_is_known"));
    session.fails("UPDATE m.alert_rules SET threshold = NULL");
    session.fails("UPDATE m.alert_rules SET enabled = NULL");
    session.fails("UPDATE m.alert_rules SET unit = 'days'");
    assert_eq!(
        session.table("SELECT count(*) FROM m.alert_rules WHERE unit IS NULL OR about IS NULL"),
        ["0"]
    );
    assert_eq!(
        session
            .fails("SELECT assess.set_option('m', 'keep_alerts', '-1 day')")
            .code()
            .code(),
        "23514"
    );
}

#[test]
fn what_was_so_when_the_model_was_made_is_kept_but_not_told() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    // As of a month later, nothing has come for long.
    session.run("SELECT assess.drop_model('m')");
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run(&model_of("m", "r").replace("2026-03-02", "2026-04-02"));
    let kept = session.table(
        "SELECT rule, subject, item FROM m.alerts
         WHERE ended IS NULL AND rule <> 'suspect_questions' ORDER BY alert_id",
    );
    assert_eq!(kept, ["flawed_questions|Math|31", "no_new_rows|Math|-"]);
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    assert_eq!(
        session.table("SELECT count(*) FROM m.alerts WHERE run_id <> 1"),
        ["0"]
    );
    // An alert that is deleted while it still holds is raised again.
    session.run("DELETE FROM m.alerts");
    session.run("CALL assess.refresh('m')");
    assert!(warnings(&mut session).len() >= 2);
    assert!(heard(&mut ears).len() >= 2);
}

#[test]
fn a_flawed_question_is_told_once_and_ends() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run("CALL assess.refresh('m')");
    let message: String = session.one(
        "SELECT 'Question 31 in Math speaks against itself, beyond chance: stronger students do'
                || ' worse on it (correlation ' || round(r_rest::numeric, 2) || ', ' || n
                || ' answers).'
         FROM m.questions WHERE item = 31 AND status = 'flawed'",
    );
    assert_eq!(warnings(&mut session), [format!("model m: {message}")]);
    assert_eq!(
        session.table(
            "SELECT a.run_id = r.run_id, a.rule, a.subject, a.student_group, a.item, a.threshold,
                    a.value = q.r_rest, a.ended, a.raised BETWEEN r.started AND clock_timestamp(), a.message
             FROM m.alerts a, m.questions q,
                  (SELECT * FROM m.runs ORDER BY run_id DESC LIMIT 1) r
             WHERE a.run_id = r.run_id AND q.item = 31"
        ),
        [format!("t|flawed_questions|Math|-|31|0|t|-|t|{message}")]
    );
    let sent = heard(&mut ears);
    assert_eq!(sent.len(), 1);
    let keys = session.table(&format!(
        "SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys({}) key",
        literal(&sent[0])
    ));
    assert_eq!(
        keys,
        ["details message model raised rule run_id subject threshold value"]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT j ->> 'model', count(*) FROM m.alerts a, (SELECT {}) s(j)
             WHERE to_jsonb(a) - '{{alert_id,ended,student_group,item}}'::text[]
                   = j - '{{model,details}}'::text[]
             AND j -> 'details' = jsonb_build_object('alert_id', a.alert_id, 'item', a.item,
                                                     'student_group', a.student_group)
             GROUP BY 1",
            literal(&sent[0])
        )),
        ["m|1"]
    );
    // Told once.
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    // Ended, and told anew when it comes back.
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(
        session.table("SELECT ended > raised FROM m.alerts WHERE item = '31'"),
        ["t"]
    );
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session).len(), 1);
    assert_eq!(heard(&mut ears).len(), 1);
}

/// A text as a jsonb constant.
fn literal(json: &str) -> String {
    format!("'{}'::jsonb", json.replace('\'', "''"))
}

#[test]
fn questions_are_told_from_the_threshold_of_their_correlation_on() {
    let (_database, mut session) = with_model();
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run("UPDATE m.alert_rules SET enabled = false WHERE rule = 'flawed_questions'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.run("UPDATE m.alert_rules SET enabled = true WHERE rule = 'flawed_questions'");
    let exact = "(SELECT r_rest FROM m.questions WHERE item = 31)";
    set(
        &mut session,
        "m",
        "flawed_questions",
        &format!("{exact} - 1e-9"),
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    set(&mut session, "m", "flawed_questions", exact);
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session).len(), 1);

    // Questions without any relation to the rest: some are suspect by chance.
    session.run(
        "UPDATE r SET score = abs(hashint4(question * 1000 + substr(student, 7)::int) % 2)
         WHERE question BETWEEN 60 AND 89",
    );
    session.run("CALL assess.refresh('m')");
    session.notices();
    let suspects = session.table(
        "SELECT item FROM m.questions WHERE status = 'suspect' AND r_rest <= -0.1 ORDER BY item::text",
    );
    assert!(suspects.len() > 1);
    session.run("UPDATE m.alert_rules SET enabled = true WHERE rule = 'suspect_questions'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(
            "SELECT item FROM m.alerts WHERE rule = 'suspect_questions' AND ended IS NULL
             AND message ~ 'against itself, perhaps by chance' ORDER BY item"
        ),
        suspects
    );
    let told = warnings(&mut session);
    assert_eq!(told.len(), 1);
    let start = format!(
        "model m: {} alerts of suspect_questions, the clearest: Question ",
        suspects.len()
    );
    assert!(told[0].starts_with(&start), "{told:?}");
}

/// Sets the threshold of a rule to values at which it does not and does hold, and sees.
#[track_caller]
fn holds_only_above(session: &mut Session, rule: &str, quiet: &str, loud: &str, message: &str) {
    set(session, "m", rule, quiet);
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(session), [""; 0]);
    set(session, "m", rule, loud);
    session.run("CALL assess.refresh('m')");
    let message: String = session.one(message);
    assert_eq!(warnings(session), [format!("model m: {message}")]);
    assert_eq!(
        of_last_run(session, "m", rule),
        [format!("Math|-|-|{message}")]
    );
    set(session, "m", rule, quiet);
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(&format!(
            "SELECT ended IS NULL FROM m.alerts WHERE rule = '{rule}' ORDER BY 1 DESC LIMIT 1"
        )),
        ["f"]
    );
}

#[test]
fn little_evidence_few_students_and_old_results_are_told_at_their_edge() {
    let (_database, mut session) = with_model();
    session.run(
        "INSERT INTO r SELECT 'Pupil-' || n, 'Math', 'North', 11, 1, 1, date '2026-01-12'
         FROM generate_series(41, 50) n",
    );
    session.run("CALL assess.refresh('m')");
    session.notices();
    assert_eq!(
        session.table(
            "SELECT count(*), count(*) FILTER (WHERE status IN ('none', 'provisional'))
             FROM m.students"
        ),
        ["50|10"]
    );
    holds_only_above(
        &mut session,
        "little_evidence",
        "0.2",
        "0.2 - 1e-9",
        "SELECT 'Little is known in Math: 10 of 50 students (20 %) have no evidence or that of one'
                || ' or two assessments, more than 20 %.'",
    );
    holds_only_above(
        &mut session,
        "few_students",
        "50",
        "51",
        "SELECT 'There is evidence of only ' || count(*) || ' students in Math, fewer than 51.'
         FROM m.students WHERE status <> 'none'",
    );
    // In days of 24 hours.
    session.run("SELECT assess.set_option('m', 'as_of', '2026-03-05 12:00')");
    holds_only_above(
        &mut session,
        "no_new_rows",
        "3.5",
        "3.4",
        "SELECT 'There is no result in Math since 2 March 2026: 3.5 days, more than 3.4.'",
    );
}

#[test]
fn a_jump_of_rows_left_out_is_told_at_its_edge() {
    let (_database, mut session) = with_twin();
    // 1920 rows; 96 of 2016 are .047619 more than none.
    session.run(
        "INSERT INTO r SELECT student, subject, school, question + 1000, test, NULL, taken_on
         FROM r ORDER BY student, question LIMIT 96",
    );
    set(&mut session, "m", "rows_left_out", "round(96 / 2016.0, 12)");
    set(
        &mut session,
        "twin",
        "rows_left_out",
        "round(96 / 2016.0, 12) - 1e-11",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(of_last_run(&mut session, "m", "rows_left_out"), [""; 0]);
    session.run("CALL assess.refresh('twin')");
    let message = "4.8 % of the 2016 rows in Math were left out, 0 % at the refresh before; \
                   coverage tells why.";
    assert_eq!(
        of_last_run(&mut session, "twin", "rows_left_out"),
        [format!("Math|-|-|{message}")]
    );
    assert_eq!(warnings(&mut session), [format!("model twin: {message}")]);
    // It is an event: over at once, and no news when nothing more comes.
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(
        session.table("SELECT ended = raised FROM twin.alerts WHERE rule = 'rows_left_out'"),
        ["t"]
    );
}

/// Level and its error of each school, by the views alone.
const LEVELS: &str = "
    SELECT student_group, avg(level) AS level, sqrt(sum(level_se ^ 2)) / count(*) AS se, count(*) AS n
    FROM m.students WHERE status <> 'none' GROUP BY 1";

#[test]
fn a_level_that_moved_is_told_at_its_edge() {
    let (_database, mut session) = with_twin();
    session.run(&format!("CREATE TABLE before AS {LEVELS}"));
    session.run("UPDATE r SET score = 0 WHERE school = 'North' AND test = 8");
    // The model that only shows how far the levels go.
    session.run("CALL assess.refresh('m')");
    session.run(&format!(
        "CREATE TABLE moves AS
         SELECT student_group, b.level AS before, a.level, a.n,
                (a.level - b.level) / sqrt(a.se ^ 2 + b.se ^ 2) AS value
         FROM ({LEVELS}) a JOIN before b USING (student_group)"
    ));
    let north = session.table("SELECT value < -2 FROM moves WHERE student_group = 'North'");
    assert_eq!(north, ["t"]);
    let message: String = session.one(
        "SELECT 'The level of North in Math fell from ' || round(before::numeric, 3) || ' to '
                || round(level::numeric, 3) || ' since 2 March 2026, '
                || round(-value::numeric, 1) || ' times the standard error of the change ('
                || n || ' students).'
         FROM moves WHERE student_group = 'North'",
    );
    let told = session.table(
        "SELECT a.student_group, abs(a.value / m.value - 1) < 1e-12, a.message
         FROM m.alerts a LEFT JOIN moves m ON m.student_group = a.student_group
         WHERE a.rule = 'level_moved' AND a.student_group = 'North'",
    );
    assert_eq!(told, [format!("North|t|{message}")]);
    // At exactly that many errors it is not told, a little below it is.
    session.run(
        "UPDATE twin.alert_rules SET threshold = (SELECT -value FROM m.alerts
                     WHERE rule = 'level_moved' AND student_group = 'North')
                 WHERE rule = 'level_moved'",
    );
    session.run("CREATE TABLE kept AS SELECT * FROM r");
    session.run("CALL assess.refresh('twin')");
    assert_eq!(of_last_run(&mut session, "twin", "level_moved"), [""; 0]);
    session.run(
        "UPDATE twin.alert_rules SET threshold = threshold * (1 - 1e-9)
                 WHERE rule = 'level_moved'",
    );
    session.notices();
    // Nothing came since, but what was not told yet is remembered.
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [format!("model twin: {message}")]);
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [""; 0]);
}

#[test]
fn a_level_that_creeps_is_told_when_it_has_moved() {
    let (_database, mut session) = with_model();
    let mut told = Vec::new();
    for student in 1..=20 {
        session.run(&format!(
            "UPDATE r SET score = 0 WHERE student = 'Pupil-{}' AND test > 4",
            2 * student
        ));
        session.run("CALL assess.refresh('m')");
        told.extend(of_last_run(&mut session, "m", "level_moved"));
    }
    let north: Vec<_> = told
        .iter()
        .filter(|row| row.starts_with("Math|North|"))
        .collect();
    assert!((2..10).contains(&north.len()), "{told:#?}");
    assert!(north.iter().all(|row| row.contains(" fell from ")));
    // Each goes on from where the one before ended.
    let numbers = session.table(
        "SELECT substring(message, 'from (\\S+)'), substring(message, ' to (\\S+)')
         FROM m.alerts WHERE rule = 'level_moved' AND student_group = 'North' ORDER BY alert_id",
    );
    for pair in numbers.windows(2) {
        let end = pair[0].split('|').next_back();
        assert_eq!(end, pair[1].split('|').next(), "{numbers:?}");
    }
}

#[test]
fn small_groups_are_not_named_nor_told_alone() {
    let (_database, mut session) = with_model();
    session.run(
        "UPDATE r SET school = 'East' WHERE student IN ('Pupil-1', 'Pupil-2', 'Pupil-3');
         UPDATE r SET school = 'West' WHERE student IN ('Pupil-4', 'Pupil-5')",
    );
    let mut figures = |least: i32| {
        session.run(&format!(
            "SELECT assess.set_option('m', 'min_group_size', '{least}')"
        ));
        session.run("CALL assess.refresh('m')");
        session.table(
            "SELECT student_group, size FROM m.run_figures
             WHERE figure = 'level' AND run_id = (SELECT max(run_id) FROM m.run_log)
             ORDER BY 1 NULLS FIRST",
        )
    };
    assert_eq!(figures(2), ["East|3", "North|18", "South|17", "West|2"]);
    // One group alone that is too small shows nothing; two together do.
    assert_eq!(figures(3), ["East|3", "North|18", "South|17"]);
    assert_eq!(figures(5), ["-|5", "North|18", "South|17"]);
    session.run("UPDATE r SET score = 1 WHERE school IN ('East', 'West')");
    session.run("CALL assess.refresh('m')");
    let told = of_last_run(&mut session, "m", "level_moved");
    let rest = "Math|-|-|The level of students without a named group in Math rose from ";
    assert!(told.iter().any(|one| one.starts_with(rest)), "{told:?}");
    // Without any named group it is the subject's.
    session.run("SELECT assess.set_option('m', 'min_group_size', '30')");
    session.run("CALL assess.refresh('m')");
    session
        .run("UPDATE r SET score = 0 WHERE test = 8; UPDATE r SET score = 0 WHERE question = 71");
    session.run("UPDATE m.alert_rules SET threshold = 0 WHERE rule = 'level_moved'");
    session.run("CALL assess.refresh('m')");
    let told = of_last_run(&mut session, "m", "level_moved");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("Math|-|-|The level in Math "),
        "{told:?}"
    );
}

#[test]
fn other_settings_or_an_earlier_time_are_no_news() {
    let (_database, mut session) = with_model();
    set(&mut session, "m", "level_moved", "0.001");
    session.run("SELECT assess.set_option('m', 'half_life', '14 days')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.run("SELECT assess.set_option('m', 'as_of', '2026-02-10')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    // Those that only sort results do not matter.
    session.run(
        "SELECT assess.set_option('m', 'help_need', '0.4'),
                        assess.set_option('m', 'keep_alerts', '9 days'),
                        assess.set_option('m', 'as_of', '2026-03-02')",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session).len(), 1);
    assert!(!of_last_run(&mut session, "m", "level_moved").is_empty());
}

/// A model `f` over a view that fails while the table `broken` has a row.
fn with_fault() -> (Database, Session) {
    let (database, mut session) = with_model();
    session.run(
        "CREATE TABLE broken(student text);
         CREATE VIEW fragile AS
         SELECT student, subject, school, question, test, taken_on,
                score + coalesce((SELECT b.student::int FROM broken b LIMIT 1), 0) AS score FROM r;",
    );
    session.run(&model_of("f", "fragile"));
    session.notices();
    (database, session)
}

#[test]
fn a_failed_refresh_is_told_without_what_its_error_says() {
    let (database, mut session) = with_fault();
    let mut ears = listener(&database);
    session.run("INSERT INTO broken VALUES ('Pupil-7')");
    let error = session.fails("CALL assess.refresh('f')");
    assert_eq!(error.code().code(), "22P02");
    let message: String = session.one(
        "SELECT 'The refresh of ' || to_char(b.started, 'FMDD FMMonth YYYY HH24:MI')
                || ' failed (error 22P02); the results are still those of '
                || to_char(g.finished, 'FMDD FMMonth YYYY HH24:MI') || '.'
         FROM f.runs b, f.runs g
         WHERE b.run_id = (SELECT max(run_id) FROM f.runs) AND g.run_id = b.run_id - 1",
    );
    assert_eq!(warnings(&mut session), [format!("model f: {message}")]);
    assert_eq!(
        of_last_run(&mut session, "f", "refresh_failed"),
        [format!("-|-|-|{message}")]
    );
    let sent = heard(&mut ears);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains(&message) && !sent[0].contains("Pupil-7"));
    // Told once, until one succeeds.
    session.fails("CALL assess.refresh('f')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    assert_eq!(
        session.table("SELECT rule, value FROM assess.check_refreshes() WHERE model = 'f'"),
        ["refresh_failed|2"]
    );
    session.run("DELETE FROM broken; ");
    session.run("CALL assess.refresh('f')");
    assert_eq!(
        session.table("SELECT ended IS NULL FROM f.alerts WHERE rule = 'refresh_failed'"),
        ["f"]
    );
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    // From the second in a row on.
    set(&mut session, "f", "refresh_failed", "2");
    session.run("INSERT INTO broken VALUES ('Pupil-7')");
    session.fails("CALL assess.refresh('f')");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.fails("CALL assess.refresh('f')");
    let told = warnings(&mut session);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains(", the last of 2 failures in a row; "));
}

#[test]
fn a_refresh_that_was_killed_is_noticed() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    // The log as a backend leaves it that dies.
    session.run("INSERT INTO m.run_log (pid) VALUES (2147483647)");
    assert_eq!(
        session.table("SELECT model, rule, message ~ 'error 57P01' FROM assess.check_refreshes()"),
        ["m|refresh_failed|t"]
    );
    assert_eq!(warnings(&mut session).len(), 1);
    assert_eq!(heard(&mut ears).len(), 1);
    session.run("DELETE FROM m.alerts");
    session.run("CALL assess.refresh('m')");
    let told = warnings(&mut session);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("error 57P01"), "{told:?}");
    assert_eq!(
        session.table("SELECT ended > raised FROM m.alerts WHERE rule = 'refresh_failed'"),
        ["t"]
    );
}

#[test]
fn an_overdue_refresh_is_noticed_by_who_asks() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    let finished = "UPDATE m.run_log SET finished = clock_timestamp() - interval '36 hours'";
    session.run(&format!("{finished} + interval '1 minute'"));
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    session.run(&format!("{finished} - interval '1 minute'"));
    // Nothing is kept or sent of what is rolled back.
    session.run("BEGIN");
    let found =
        session.table("SELECT model, rule, threshold, message FROM assess.check_refreshes()");
    session.run("ROLLBACK");
    assert_eq!(heard(&mut ears), [""; 0]);
    let message: String = session.one(
        "SELECT 'The results are 36.1 hours old, more than 36: the last refresh that succeeded was'
                || ' that of ' || to_char(max(finished), 'FMDD FMMonth YYYY HH24:MI') || '.'
         FROM m.run_log",
    );
    assert_eq!(found, [format!("m|refresh_overdue|36|{message}")]);
    session.notices();
    // A read-only session only sees.
    session.run("BEGIN READ ONLY");
    assert_eq!(
        session
            .table("SELECT * FROM assess.check_refreshes()")
            .len(),
        1
    );
    session.run("COMMIT");
    assert_eq!(warnings(&mut session), [""; 0]);
    session.run("SELECT assess.check_refreshes()");
    assert_eq!(warnings(&mut session), [format!("model m: {message}")]);
    let sent = heard(&mut ears);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        session.table(&format!(
            "SELECT j -> 'run_id', j -> 'subject', j ->> 'message' FROM (SELECT {}) s(j)",
            literal(&sent[0])
        )),
        [format!("null|null|{message}")]
    );
    assert_eq!(
        session
            .table("SELECT * FROM assess.check_refreshes()")
            .len(),
        1
    );
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    assert_eq!(
        session.table("SELECT ended > raised FROM m.alerts WHERE rule = 'refresh_overdue'"),
        ["t"]
    );
}

/// A role that is gone with the value.
struct Role(Session, String);

impl Role {
    fn new(database: &Database, what: &str) -> Self {
        let mut session = database.session();
        let name = format!("{}_{what}", database.name());
        session.run(&format!("CREATE ROLE {name} LOGIN"));
        Self(session, name)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let name = &self.1;
        let _ = self
            .0
            .batch_execute(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"));
    }
}

#[test]
fn others_see_what_they_may_and_change_nothing() {
    let (database, mut session) = with_model();
    let reader = Role::new(&database, "reader");
    session.run("UPDATE m.run_log SET finished = finished - interval '3 days'");
    let mut other = database.session_as(&reader.1);
    assert_eq!(
        other.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
    session.run(&format!(
        "GRANT USAGE ON SCHEMA m TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA m TO {0}",
        reader.1
    ));
    assert_eq!(
        other.table("SELECT model, rule FROM assess.check_refreshes()"),
        ["m|refresh_overdue"]
    );
    assert_eq!(warnings(&mut other), [""; 0]);
    assert_eq!(
        session.table("SELECT count(*) FROM m.alerts WHERE rule = 'refresh_overdue'"),
        ["0"]
    );
    session.run("ALTER TABLE m.run_log ENABLE ROW LEVEL SECURITY");
    assert_eq!(
        other.table("SELECT * FROM assess.check_refreshes()"),
        [""; 0]
    );
}

#[test]
fn the_models_of_others_run_nothing_here() {
    let database = Database::new();
    let mut session = database.session();
    let rogue = Role::new(&database, "rogue");
    session.run(&format!(
        "CREATE TABLE public.trap(who text); GRANT INSERT ON public.trap TO PUBLIC;
         GRANT CREATE ON DATABASE {} TO {}",
        database.name(),
        rogue.1
    ));
    let mut other = database.session_as(&rogue.1);
    other.run(
        "CREATE SCHEMA trap;
         CREATE FUNCTION trap.spring() RETURNS text VOLATILE LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO public.trap VALUES (current_user); RETURN 'failed'; END $$;
         CREATE MATERIALIZED VIEW trap.gradebook AS SELECT NULL::assess.gradebook AS gradebook;
         CREATE TABLE trap.settings(x int);
         CREATE TABLE trap.alert_rules(rule text, threshold float8, enabled bool);
         INSERT INTO trap.alert_rules VALUES ('refresh_failed', 1, true);
         CREATE TABLE trap.alerts(x int DEFAULT length(trap.spring()));
         CREATE TABLE trap.good(run_id bigint, started timestamptz, finished timestamptz,
                                status text, sqlstate text, pid int);
         INSERT INTO trap.good VALUES (1, now(), now(), 'failed', 'X');",
    );
    // A view, a policy, and a type with a cast are not read; of a plain table nothing is kept.
    for (make, unmake) in [
        (
            "CREATE VIEW trap.run_log AS
             SELECT run_id, started, finished, trap.spring() AS status, sqlstate, pid FROM trap.good",
            "DROP VIEW trap.run_log",
        ),
        (
            "CREATE TABLE trap.run_log AS TABLE trap.good;
             ALTER TABLE trap.run_log ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON trap.run_log USING (trap.spring() = 'failed')",
            "DROP TABLE trap.run_log",
        ),
        (
            "CREATE TYPE trap.bait AS ENUM ('failed');
             CREATE FUNCTION trap.cast(trap.bait) RETURNS text LANGUAGE sql
             RETURN trap.spring();
             CREATE CAST (trap.bait AS text) WITH FUNCTION trap.cast(trap.bait) AS IMPLICIT;
             CREATE TABLE trap.run_log AS
             SELECT run_id, started, finished, status, status::trap.bait AS sqlstate, pid
             FROM trap.good",
            "DROP TABLE trap.run_log",
        ),
        (
            "CREATE TABLE trap.run_log AS TABLE trap.good",
            "SELECT 1",
        ),
    ] {
        other.run(make);
        other.run("GRANT USAGE ON SCHEMA trap TO PUBLIC;
                   GRANT SELECT ON ALL TABLES IN SCHEMA trap TO PUBLIC");
        let seen = session.table(
            "SELECT * FROM assess.check_refreshes() WHERE rule = 'refresh_failed'",
        );
        assert_eq!(seen.len(), usize::from(unmake == "SELECT 1"), "{make}");
        assert_eq!(session.table("SELECT * FROM public.trap"), [""; 0], "{make}");
        assert_eq!(session.table("SELECT * FROM trap.alerts"), [""; 0], "{make}");
        other.run(unmake);
    }
}

#[test]
fn names_made_to_break_things_arrive_as_they_are() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    let model = "m \"x'\\\n%I $1";
    let (quoted, text) = ("\"m \"\"x'\\\n%I $1\"", "'m \"x''\\\n%I $1'");
    let subject = "Ma''th \"\\\n%s\t; DROP";
    let group = format!("No''rth \u{1}{}", "\"\\\n%".repeat(200));
    session.run(&format!(
        "CREATE TABLE odd AS
         SELECT student, E'{}' AS subject, E'{}' || school AS school,
                E'item \"\\n'' %s ' || repeat('\\x01', 300) || question AS question, test, score,
                taken_on FROM r",
        subject.replace('\\', "\\\\").replace('\n', "\\n"),
        group.replace('\\', "\\\\").replace('\n', "\\n"),
    ));
    session.run(&format!(
        "SELECT assess.create_model({text}, 'odd', 'student', 'question', 'test', 'score',
             'taken_on', subject => 'subject', student_group => 'school',
             settings => '{{\"as_of\": \"2026-03-02\"}}')"
    ));
    session.run(&format!(
        "UPDATE {quoted}.alert_rules SET enabled = rule <> 'suspect_questions'"
    ));
    session.run(&format!("CALL assess.refresh({text})"));
    heard(&mut ears);
    session.notices();
    session.run(
        "UPDATE odd SET score = 1 - score WHERE question LIKE '%31';
         UPDATE odd SET score = 0 WHERE school LIKE '%North' AND test = 8",
    );
    session.run(&format!("CALL assess.refresh({text})"));
    let told = warnings(&mut session);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|one| !one.contains(char::is_control)),
        "{told:?}"
    );
    assert!(
        told[0].contains("in \"Ma'th '\\ %s ; DROP\" speaks against itself"),
        "{told:?}"
    );
    let sent = heard(&mut ears);
    assert!(sent.len() >= 2);
    for one in sent {
        assert_eq!(
            session
                .table(&format!(
                    "SELECT count(*) FROM odd, (SELECT {}) s(j)
                 WHERE j ->> 'model' = {text} AND j ->> 'subject' = odd.subject
                 AND coalesce(j -> 'details' ->> 'student_group' = left(odd.school, 200), true)
                 AND coalesce(j -> 'details' ->> 'item' = left(odd.question, 200), true)
                 HAVING count(*) > 0",
                    literal(&one)
                ))
                .len(),
            1,
            "{model} {one}"
        );
    }
    assert_ne!(
        session.table(&format!(
            "SELECT count(*) FROM {quoted}.alerts a JOIN odd o ON o.question = a.item
             WHERE a.rule = 'flawed_questions' AND o.subject = a.subject"
        )),
        ["0"]
    );
    session.run(&format!(
        "UPDATE {quoted}.run_log SET finished = finished - interval '9 days'"
    ));
    session.run("SELECT assess.check_refreshes()");
    assert_eq!(heard(&mut ears).len(), 1);
    session.run(&format!("SELECT assess.drop_model({text})"));
}

#[test]
fn many_alerts_are_one_warning_and_no_flood_and_name_no_student() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    session.run("DELETE FROM m.alerts");
    session.run("UPDATE r SET score = 1 - score WHERE test < 5 OR student = 'Pupil-3'");
    session.run("UPDATE m.alert_rules SET threshold = 0 WHERE rule LIKE '%_questions'");
    session.run("UPDATE m.alert_rules SET enabled = true");
    session.run(
        "UPDATE m.alert_rules SET threshold = 0 WHERE rule IN
                 ('little_evidence', 'level_moved')",
    );
    session.run("UPDATE m.alert_rules SET threshold = 1000 WHERE rule = 'few_students'");
    session.run("CALL assess.refresh('m')");
    let told = warnings(&mut session);
    let rules: i64 = session.one(
        "SELECT count(DISTINCT rule) FROM m.alerts
         WHERE run_id = (SELECT max(run_id) FROM m.run_log)",
    );
    assert_eq!(told.len() as i64, rules);
    assert_eq!(
        session.table(
            "SELECT * FROM (
                 SELECT rule, abs(value - threshold)
                              > lag(abs(value - threshold)) OVER (PARTITION BY rule
                                                                  ORDER BY alert_id) AS is_wrong
                 FROM m.alerts WHERE run_id = (SELECT max(run_id) FROM m.run_log)) a
             WHERE is_wrong"
        ),
        [""; 0]
    );
    let sent = heard(&mut ears);
    let expected: i64 = session.one(
        "SELECT sum(least(n, 20) + (n > 20)::int)::bigint
         FROM (SELECT count(*) AS n FROM m.alerts
               WHERE run_id = (SELECT max(run_id) FROM m.run_log) GROUP BY rule) s",
    );
    assert_eq!(sent.len() as i64, expected);
    let many = session.table(
        "SELECT rule, count(*) - 20 FROM m.alerts
         WHERE run_id = (SELECT max(run_id) FROM m.run_log) GROUP BY rule HAVING count(*) > 20",
    );
    assert!(!many.is_empty());
    for one in many {
        let (rule, more) = one.split_once('|').expect("two columns");
        assert!(sent.iter().any(|payload| {
            payload.contains(&format!("There are {more} more alerts of {rule}."))
                && payload.contains(&format!("\"details\": {{\"more\": {more}}}"))
        }));
    }
    assert_eq!(
        session.table(
            "SELECT a::text FROM m.alerts a WHERE a::text ~ 'Pupil'
             UNION ALL SELECT f::text FROM m.run_figures f WHERE f::text ~ 'Pupil'"
        ),
        [""; 0]
    );
    assert!(told.iter().chain(&sent).all(|one| !one.contains("Pupil")));
}

#[test]
fn results_do_not_wait_for_alerts() {
    let (_database, mut session) = with_model();
    let last = "SELECT status FROM m.runs ORDER BY run_id DESC LIMIT 1";
    session.run("DROP TABLE m.alert_rules");
    session.run("CALL assess.refresh('m')");
    let told = warnings(&mut session);
    let start = "alerts of model m could not be worked out: ";
    assert_eq!(told.len(), 2, "before and after: {told:?}");
    assert!(told.iter().all(|one| one.starts_with(start)), "{told:?}");
    assert_eq!(session.table(last), ["succeeded"]);
    let look = "SELECT model, rule, message FROM assess.check_refreshes()";
    let lost = "The model is broken: relation alert_rules is missing, dropped by itself or with the source. \
                SELECT * FROM assess.attach('m') mends it, once its source is there.";
    assert_eq!(session.table(look), [format!("m|broken|{lost}")]);
    session.run("DROP TABLE m.alerts, m.run_figures");
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session).len(), 2);
    assert_eq!(session.table(last), ["succeeded"]);
    // With them everything is as before.
    session.run("SELECT * FROM assess.attach('m')");
    session.notices();
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(session.table(look), [""; 0]);
    assert_eq!(session.one::<i64>("SELECT count(*) FROM m.alert_rules"), 9);
}

#[test]
fn what_is_kept_is_limited_and_restored() {
    let (database, mut session) = with_model();
    session.run(
        "SELECT assess.set_option('m', 'keep_alerts', '9 days'), assess.set_option('m', 'keep_runs', '2');
         INSERT INTO m.alerts (raised, ended, rule, message)
         SELECT now() - n * interval '1 day', now(), 'rows_left_out', n::text
         FROM unnest(ARRAY[8, 10]) n",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT message FROM m.alerts WHERE rule = 'rows_left_out'"),
        ["8"]
    );
    assert_eq!(
        session.table(
            "SELECT count(DISTINCT f.run_id), count(DISTINCT l.run_id)
             FROM m.run_log l LEFT JOIN m.run_figures f USING (run_id)"
        ),
        ["2|2"]
    );
    let restored = database.restored("--format=plain");
    let mut again = restored.session();
    for table in ["alert_rules", "alerts", "run_figures"] {
        let all = format!("SELECT * FROM m.{table} ORDER BY 1, 2, 3, 4");
        assert_eq!(again.table(&all), session.table(&all));
    }
    again.run("UPDATE r SET score = 1 - score WHERE question = 31");
    again.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut again).len(), 1);
}
