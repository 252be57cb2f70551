//! Each rule at its edge.

use pg_assess_it::{Database, Session};

use super::{heard, listener, literal, model_of, of_last_run, set, warnings, with_model};

/// A second model of the same, in the state of the first.
fn with_twin() -> (Database, Session) {
    let (database, mut session) = with_model();
    session.run(&model_of("twin", "r"));
    session.run("UPDATE twin.alert_rules SET enabled = false WHERE rule = 'suspect_questions'");
    session.run("CALL assess.refresh('twin')");
    session.notices();
    (database, session)
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
        ("question_left_out", "0", "1"),
        ("unused_scale", "0", "1e6"),
        ("left_out_rose", "0", "1"),
        ("conflicting_rows", "0", "1"),
        ("blank_answers", "0", "1"),
        ("blanks_of_group", "1", "1000"),
        ("zero_times", "0", "1e9"),
        ("total_questions", "0", "1e6"),
        ("summary_rows", "0", "1e6"),
        ("unknown_exclusions", "0", "1e6"),
        ("level_moved", "0", "1000"),
        ("refresh_failed", "1", "1e6"),
        ("refresh_overdue", "0", "1e6"),
    ] {
        set(&mut session, "m", rule, low);
        set(&mut session, "m", rule, high);
        let above = format!("{high} + 1e-6");
        let below = format!("{low} - 1e-6");
        for bad in [&above, &below, "'NaN'", "'Infinity'", "'-Infinity'"] {
            let error = session.fails(&format!(
                "UPDATE m.alert_rules SET threshold = {bad} WHERE rule = '{rule}'"
            ));
            assert_eq!(error.code().code(), "23514", "{rule} {bad}");
            assert_eq!(error.constraint(), Some("threshold_is_in_range"));
        }
    }
    let refusal = session.fails("INSERT INTO m.alert_rules (rule, threshold) VALUES ('x', 1)");
    assert_eq!(refusal.constraint(), Some("rule_is_known"));
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
fn what_held_when_the_model_was_made_is_kept_but_not_reported() {
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
fn a_flawed_question_is_reported_once_and_ends() {
    let (database, mut session) = with_model();
    let mut ears = listener(&database);
    session.run("UPDATE r SET score = 1 - score WHERE question = 31");
    session.run("CALL assess.refresh('m')");
    let message: String = session.one(
        "SELECT 'Question 31 in Math is flawed: stronger students do worse on it, beyond chance'
                || ' (correlation ' || round(r_rest::numeric, 2) || ', ' || n
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
    // Reported once.
    session.run("CALL assess.refresh('m')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(heard(&mut ears), [""; 0]);
    // Ended, and reported anew when it comes back.
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

#[test]
fn questions_are_reported_from_the_threshold_of_their_correlation_on() {
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
             AND message ~ 'is suspect: .*, perhaps by chance' ORDER BY item"
        ),
        suspects
    );
    let reported = warnings(&mut session);
    assert_eq!(reported.len(), 1);
    let start = format!(
        "model m: {} alerts of suspect_questions, the clearest: Question ",
        suspects.len()
    );
    assert!(reported[0].starts_with(&start), "{reported:?}");
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
fn little_evidence_few_students_and_old_results_are_reported_at_their_edge() {
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
fn a_jump_of_rows_left_out_is_reported_at_its_edge() {
    let (_database, mut session) = with_twin();
    // 1920 rows; 96 of 2016 are .047619 more than none.
    session.run(
        "INSERT INTO r SELECT student, subject, school, question + 1000, test, 'NaN', taken_on
         FROM r ORDER BY student, question LIMIT 96",
    );
    set(&mut session, "m", "left_out_rose", "round(96 / 2016.0, 12)");
    set(
        &mut session,
        "twin",
        "left_out_rose",
        "round(96 / 2016.0, 12) - 1e-11",
    );
    session.run(
        "UPDATE m.alert_rules SET enabled = false WHERE rule LIKE '%rows_left_out';
         UPDATE twin.alert_rules SET enabled = false WHERE rule LIKE '%rows_left_out'",
    );
    session.run("CALL assess.refresh('m')");
    assert_eq!(of_last_run(&mut session, "m", "left_out_rose"), [""; 0]);
    session.run("CALL assess.refresh('twin')");
    let message = "4.8 % of the 2016 rows in Math were left out, 0 % at the refresh before; \
                   coverage shows why.";
    assert_eq!(
        of_last_run(&mut session, "twin", "left_out_rose"),
        [format!("Math|-|-|{message}")]
    );
    assert_eq!(warnings(&mut session), [format!("model twin: {message}")]);
    // It is an event: over at once, and no news when nothing more comes.
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [""; 0]);
    assert_eq!(
        session.table("SELECT ended = raised FROM twin.alerts WHERE rule = 'left_out_rose'"),
        ["t"]
    );
}

/// Level and its error of each school, by the views alone.
const LEVELS: &str = "
    SELECT student_group, avg(level) AS level, sqrt(sum(level_se ^ 2)) / count(*) AS se, count(*) AS n
    FROM m.students WHERE status <> 'none' GROUP BY 1";

#[test]
fn a_level_that_moved_is_reported_at_its_edge() {
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
                || round(level::numeric, 3) || ' since an earlier run, also of 2 March 2026, '
                || round(-value::numeric, 1) || ' times the standard error of the change ('
                || n || ' students).'
         FROM moves WHERE student_group = 'North'",
    );
    let rows = session.table(
        "SELECT a.student_group, abs(a.value / m.value - 1) < 1e-12, a.message
         FROM m.alerts a LEFT JOIN moves m ON m.student_group = a.student_group
         WHERE a.rule = 'level_moved' AND a.student_group = 'North'",
    );
    assert_eq!(rows, [format!("North|t|{message}")]);
    // At exactly that many errors it is not reported, a little below it is.
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
    // Nothing came since, but what was not reported yet is remembered.
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [format!("model twin: {message}")]);
    session.run("CALL assess.refresh('twin')");
    assert_eq!(warnings(&mut session), [""; 0]);
}

#[test]
fn a_level_that_creeps_is_reported_when_it_has_moved() {
    let (_database, mut session) = with_model();
    let mut found = Vec::new();
    for student in 1..=20 {
        session.run(&format!(
            "UPDATE r SET score = 0 WHERE student = 'Pupil-{}' AND test > 4",
            2 * student
        ));
        session.run("CALL assess.refresh('m')");
        found.extend(of_last_run(&mut session, "m", "level_moved"));
    }
    let north: Vec<_> = found
        .iter()
        .filter(|row| row.starts_with("Math|North|"))
        .collect();
    assert!((2..10).contains(&north.len()), "{found:#?}");
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
fn small_groups_are_not_named_nor_reported_alone() {
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
    let reported = of_last_run(&mut session, "m", "level_moved");
    let rest = "Math|-|-|The level of students without a named group in Math rose from ";
    assert!(
        reported.iter().any(|one| one.starts_with(rest)),
        "{reported:?}"
    );
    // Without any named group it is the subject's.
    session.run("SELECT assess.set_option('m', 'min_group_size', '30')");
    session.run("CALL assess.refresh('m')");
    session
        .run("UPDATE r SET score = 0 WHERE test = 8; UPDATE r SET score = 0 WHERE question = 71");
    session.run("UPDATE m.alert_rules SET threshold = 0 WHERE rule = 'level_moved'");
    session.run("CALL assess.refresh('m')");
    let reported = of_last_run(&mut session, "m", "level_moved");
    assert_eq!(reported.len(), 1);
    assert!(
        reported[0].starts_with("Math|-|-|The level in Math "),
        "{reported:?}"
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
