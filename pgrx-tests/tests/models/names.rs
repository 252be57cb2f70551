//! What the names that a model is made of may be: of the model itself, of its columns, and what may
//! stand for a column.

use pg_assess_it::{Database, Session};

/// Twenty students and eight questions in each of four tests, with times as numbers beside days.
fn answers(session: &mut Session) {
    session.run(
        "CREATE TABLE a AS
         SELECT s AS student, q AS question, t AS test, ((s * 7 + q * 3 + t * 5) % 10 < 3 + s % 6)::int AS score,
                date '2026-03-01' + 20 * t AS day, 20260300 + t AS day_key,
                extract(epoch FROM date '2026-03-01' + 20 * t)::bigint AS seconds,
                1000 * extract(epoch FROM date '2026-03-01' + 20 * t)::bigint AS millis,
                extract(epoch FROM date '2026-03-01' + 20 * t)::float8 AS float_seconds,
                1e6 * extract(epoch FROM date '2026-03-01' + 20 * t) AS micros,
                0::bigint AS never, timestamptz '2026-06-02 12:00+00' AS changed
         FROM generate_series(1, 20) s, generate_series(1, 8) q, generate_series(1, 4) t",
    );
}

fn model(name: &str, taken_at: &str, more: &str) -> String {
    format!(
        "SELECT assess.create_model('{name}', 'a', 'student', 'question', 'test', 'score', '{taken_at}',
             settings => '{{\"as_of\": \"2026-06-20\"}}'{more})"
    )
}

/// MESSAGE and DETAIL of the warning of a model's name, where there is one.
fn warning_of_a_role(session: &mut Session) -> Option<(String, String)> {
    let notices = session.notices();
    let mut said = notices
        .iter()
        .filter(|notice| notice.message().contains("has the name of a role"));
    let warning = said.next().map(|notice| {
        assert_eq!(notice.severity(), "WARNING");
        assert!(
            notice
                .hint()
                .is_some_and(|hint| hint.contains("ALTER ROLE"))
        );
        (
            notice.message().to_owned(),
            notice.detail().unwrap_or_default().to_owned(),
        )
    });
    assert!(said.next().is_none(), "it is said once");
    warning
}

#[test]
fn a_model_with_the_name_of_a_role_is_warned_of() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    let role = format!("{}_App", database.name());
    session.run(&format!(
        "CREATE ROLE \"{role}\" LOGIN; CREATE ROLE {role}; CREATE TABLE students (own int);
         GRANT SELECT ON students TO \"{role}\""
    ));
    // A group, which is written alike but for its case.
    session.run(&model(&role.to_lowercase(), "day", ""));
    assert_eq!(warning_of_a_role(&mut session), None);
    session.run(&model(&role, "day", ""));
    let (message, detail) = warning_of_a_role(&mut session).expect("a warning");
    assert!(message.contains(&format!("model \"{role}\"")), "{message}");
    assert!(detail.contains("As soon as"), "{detail}");
    // What is said is true: of no rights, of reading, and of making tables.
    let place = "SELECT current_schema(), (SELECT c.relnamespace::regnamespace FROM pg_class c
                                           WHERE c.oid = 'students'::regclass)";
    let schema = format!("\"{role}\"");
    let mut app = database.session_as(&role);
    assert_eq!(app.table(place), ["public|public"]);
    let again = format!("SELECT assess.attach('{role}')");
    for (right, what) in [
        ("USAGE", "can make none"),
        ("CREATE", "makes new ones there"),
    ] {
        session.run(&format!("GRANT {right} ON SCHEMA {schema} TO {schema}"));
        session.run(&again);
        let (_, detail) = warning_of_a_role(&mut session).expect("a warning");
        assert!(detail.contains(what), "{detail}");
        assert_eq!(app.table(place), [format!("{role}|{schema}")]);
        match right {
            "USAGE" => drop(app.fails("CREATE TABLE landed (x int)")),
            _ => app.run("CREATE TABLE landed (x int)"),
        }
    }
    assert_eq!(
        session.table("SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'landed'"),
        std::slice::from_ref(&schema)
    );
    // The remedy of the hint, also where this database has a setting of its own.
    let of_database = format!(
        "ALTER ROLE {schema} IN DATABASE {} SET search_path = \"$user\", public",
        database.name()
    );
    for before in ["SELECT 1", &of_database] {
        session.run(before);
        session.run(&again);
        let warning = session.notices();
        let hint = warning[0].hint().expect("a hint");
        let (_, remedy) = hint.rsplit_once(": ").expect("a remedy");
        session.run(remedy.trim_end_matches('.'));
        session.run(&again);
        assert_eq!(warning_of_a_role(&mut session), None);
        let mut app = database.session_as(&role);
        assert_eq!(app.table(place), ["public|public"]);
    }
    session.run(&format!(
        "DROP TABLE {schema}.landed; SELECT assess.drop_model('{role}'); DROP OWNED BY {schema};
         DROP ROLE {schema}; DROP ROLE {role}"
    ));
}

#[test]
fn numbers_in_place_of_times_are_refused_with_the_function_that_reads_them() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    for (column, read) in [
        ("seconds", "to_timestamp(seconds)"),
        ("float_seconds", "to_timestamp(float_seconds)"),
        ("millis", "to_timestamp(millis / 1000.0)"),
        ("micros", "to_timestamp(micros / 1e6)"),
        ("day_key", "to_date(day_key::text, 'YYYYMMDD')"),
    ] {
        for call in [
            model("m", column, ""),
            model(
                "m",
                "day",
                &format!(", track_changes => 'changed_at', changed_at => '{column}'"),
            ),
        ] {
            let refused = session.refuses(&call, "42804");
            assert!(
                refused.hint().is_some_and(|hint| hint.contains(read)),
                "{refused:?}"
            );
        }
        // The remedy of the hint.
        session.run(&format!(
            "CREATE VIEW read AS SELECT student, question, test, score, {read} AS day FROM a"
        ));
        session.run(&model("m", "day", "").replace("'a'", "'read'"));
        session.run(&model("n", "day", ""));
        let figures =
            "SELECT student, level, last_at::date, trend, status FROM n.students ORDER BY 1";
        let expected = session.table(figures);
        match column {
            "day_key" => assert_eq!(
                session.table("SELECT DISTINCT taken_at FROM m.responses ORDER BY 1"),
                ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
            ),
            _ => assert_eq!(session.table(&figures.replace("n.", "m.")), expected),
        }
        session.run("SELECT assess.drop_model('m'), assess.drop_model('n'); DROP VIEW read");
    }
    // Nothing shows how it counts.
    let refused = session.refuses(&model("m", "never", ""), "42804");
    for part in [
        "to_timestamp(never)",
        "to_timestamp(never / 1000.0)",
        "nullif(never, 0)",
    ] {
        assert!(
            refused.hint().is_some_and(|hint| hint.contains(part)),
            "{refused:?}"
        );
    }
}

#[test]
fn a_day_may_stand_for_the_column_of_times() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    session.run(
        "ALTER TABLE a ADD one_day date DEFAULT '2026-06-01',
             ADD one_time timestamp DEFAULT '2026-06-01 10:30',
             ADD one_moment timestamptz DEFAULT '2026-06-01 10:30+02'",
    );
    // In every style of dates, and every zone.
    session.run("SET datestyle = 'German, DMY'; SET timezone = 'Asia/Tokyo'");
    let (triggers, changed_at) = (
        ", track_changes => 'triggers'",
        ", track_changes => 'changed_at', changed_at => 'changed'",
    );
    for (given, column, tracking) in [
        ("2026-06-01", "one_day", ""),
        ("2026-06-01", "one_day", triggers),
        ("2026-06-01", "one_day", changed_at),
        ("2026-06-01 10:30", "one_time", ""),
        ("2026-06-01T10:30:00", "one_time", ""),
        ("2026-06-01 10:30:00+02", "one_moment", ""),
        ("2026-06-01T08:30:00.0Z", "one_moment", triggers),
    ] {
        session.run(&model("m", given, tracking));
        session.run(&model("n", column, tracking));
        for round in 0..2 {
            for relation in [
                "students",
                "questions",
                "assessments",
                "coverage",
                "check_in_list",
            ] {
                let all = "SELECT to_jsonb(t) - '{run_id}'::text[] FROM n.relation t ORDER BY to_jsonb(t)::text";
                let expected = session.table(&all.replace("relation", relation));
                assert_eq!(
                    session.table(&all.replace("n.relation", &format!("m.{relation}"))),
                    expected,
                    "{relation} of {given}{tracking}"
                );
            }
            if round == 0 {
                session.run(
                    "UPDATE a SET score = 1 - score, changed = changed + interval '1 day'
                         WHERE question = 3",
                );
                session.run("CALL assess.refresh('m')");
                session.run("CALL assess.refresh('n')");
            }
        }
        if !tracking.is_empty() {
            assert_eq!(
                session.table("SELECT periods FROM m.runs ORDER BY run_id DESC LIMIT 1"),
                ["1"]
            );
            session.run("CALL assess.refresh('m', everything => true)");
        }
        session.run("SELECT assess.attach('m')");
        let definition: String = session.one("SELECT arguments ->> 'taken_at' FROM m.definition");
        assert_eq!(definition, given);
        session.run("SELECT assess.drop_model('m'), assess.drop_model('n')");
    }
    session.run("RESET datestyle; RESET timezone");
    session.run(&model("m", "2026-06-01", ""));
    let definition: String = session.one("SELECT pg_get_viewdef('m.responses'::regclass)");
    assert!(
        definition.contains("'2026-06-01'::date AS taken_at"),
        "{definition}"
    );
    // A column comes before the day.
    session.run("ALTER TABLE a ADD \"2026-06-01\" date DEFAULT '2026-05-05'");
    session.run(&model("n", "2026-06-01", ""));
    assert_eq!(
        session.table("SELECT DISTINCT taken_at FROM n.responses"),
        ["2026-05-05"]
    );
}

#[test]
fn what_is_neither_a_column_nor_a_day_is_no_time() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    for given in [
        "dey",
        "now",
        "today",
        "epoch",
        "infinity",
        "2026-13-01",
        "2026-02-30",
        "01.06.2026",
        "06/01/2026",
        "20260601",
        "2026-06-01 25:00",
        "2026-06-01 10:00+99",
    ] {
        let refused = session.refuses(&model("m", given, ""), "42703");
        assert!(
            refused
                .hint()
                .is_some_and(|hint| hint.contains("A day such as 2026-06-01")),
            "{refused:?}"
        );
        let is_day = given.starts_with("2026-");
        let no_such = format!("There is no such time as {given}.");
        assert_eq!(
            is_day,
            refused.hint().is_some_and(|hint| hint.contains(&no_such)),
            "{refused:?}"
        );
    }
    let refused = session.refuses(&model("m", "dey", ""), "42703");
    assert!(
        refused
            .hint()
            .is_some_and(|hint| hint.contains("reference the column \"day\"")),
        "{refused:?}"
    );
    // Nor is a day a score, or a time of change.
    let day = ", track_changes => 'changed_at', changed_at => '2026-06-01'";
    let refused = session.refuses(&model("m", "day", day), "42703");
    assert!(
        refused
            .hint()
            .is_some_and(|hint| !hint.contains("A day such")),
        "{refused:?}"
    );
}

/// A model, its alert of times, and the rows that plain SQL finds.
#[test]
fn rows_of_the_time_0_are_reported_and_kept() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    session.run(
        "ALTER TABLE a ADD epoch timestamptz, ADD local timestamp, ADD local_day date;
         UPDATE a SET epoch = to_timestamp(CASE WHEN test = 1 AND student <= 3 THEN 0 ELSE seconds END);
         CREATE VIEW v AS SELECT * FROM a",
    );
    let alert = "SELECT value, threshold, message FROM m.alerts WHERE rule = 'zero_times' AND ended IS NULL";
    // What 0 becomes depends on the zone in which it is read.
    for (zone, column) in [
        ("UTC", "epoch"),
        ("UTC", "local"),
        ("UTC", "local_day"),
        ("America/Los_Angeles", "local"),
        ("America/Los_Angeles", "local_day"),
        ("Pacific/Kiritimati", "local"),
        ("Pacific/Kiritimati", "local_day"),
    ] {
        session.run(&format!(
            "SET timezone = '{zone}'; UPDATE a SET local = epoch, local_day = epoch"
        ));
        session.notices();
        session.run(&model("m", column, "").replace("'a'", "'v'"));
        let said: Vec<String> = session
            .notices()
            .iter()
            .map(|notice| notice.message().to_owned())
            .collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("24 of the 640 rows in this model are of 1970-01-01"),
            "{said:?}"
        );
        assert!(session.table(alert)[0].starts_with("24|0|24 of the 640 rows"));
        // Nobody's row is dropped.
        assert_eq!(
            session.table("SELECT rows FROM m.coverage WHERE reason = 'used'"),
            ["640"]
        );
        // The remedy.
        session.run("UPDATE a SET epoch = NULL, local = NULL, local_day = NULL WHERE epoch = to_timestamp(0)");
        session.run("CALL assess.refresh('m')");
        assert_eq!(session.table(alert), [""; 0]);
        assert_eq!(
            session.table("SELECT rows FROM m.coverage WHERE reason = 'null_date'"),
            ["24"]
        );
        session.run("UPDATE a SET epoch = to_timestamp(0) WHERE epoch IS NULL; SELECT assess.drop_model('m')");
    }
    // An aggregate reports it too, once in a query; what is only near, nobody does.
    for (times, rows) in [
        ("epoch", Some("24 of 640 rows")),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN to_timestamp(1) ELSE epoch END",
            None,
        ),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN timestamptz '1969-12-31 23:59:59+00' ELSE epoch END",
            None,
        ),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN date '1970-01-02' ELSE day END",
            None,
        ),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN date '1969-12-30' ELSE day END",
            None,
        ),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN timestamp '1970-01-01 14:00:01' ELSE day END",
            None,
        ),
        (
            "CASE WHEN epoch = to_timestamp(0) THEN timestamp '1970-01-01 14:00' ELSE day END",
            Some("24 of 640"),
        ),
        ("day", None),
    ] {
        session.notices();
        session.run(&format!(
            "SELECT assess.gradebook_agg(student, question, test, score, {times}),
                    assess.gradebook_agg(student, question, test, score, 1, {times}) FROM a"
        ));
        let said = session.notices();
        assert_eq!(said.len(), usize::from(rows.is_some()), "{times}: {said:?}");
        if let Some(rows) = rows {
            assert!(said[0].message().contains(rows), "{said:?}");
            assert!(said[0].hint().is_some_and(|hint| hint.contains("nullif")));
        }
    }
    assert_eq!(
        session.table(
            "SELECT assess._zero_times(assess.gradebook_agg(student, question, test, score, epoch) FILTER (WHERE false)),
                    assess._zero_times((SELECT assess.gradebook_agg(1, 1, 1, NULL::float8, NULL::date))) FROM a"
        ),
        ["-|0"]
    );
}

#[test]
fn means_of_equal_scores_are_that_score_and_warnings_come_once() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    session.run(
        "ALTER TABLE a ALTER score TYPE float8;
         UPDATE a SET score = CASE question WHEN 1 THEN 0.8 WHEN 2 THEN 0.1 WHEN 3 THEN 1.0 / 3 WHEN 8 THEN 1.2
                              ELSE score END;
         CREATE VIEW v AS SELECT *, chr(65 + (student + question) % 3) AS choice FROM a",
    );
    session.notices();
    let more = ", answer => 'choice', track_changes => 'changed_at', changed_at => 'changed'";
    session.run(&model("m", "day", more).replace("'a'", "'v'"));
    let mut said: Vec<String> = session
        .notices()
        .iter()
        .map(|notice| notice.message().to_owned())
        .collect();
    assert!(!said.is_empty());
    let all = said.len();
    said.sort();
    said.dedup();
    assert_eq!(said.len(), all, "{said:?}");
    for (question, score) in [(1, 0.8), (2, 0.1), (3, 1.0 / 3.0)] {
        for function in ["question_choices", "question_uses", "question_curve"] {
            for digits in [1, 0] {
                session.run(&format!("SET extra_float_digits = {digits}"));
                let wrong: i64 = session.one(&format!(
                    "SELECT count(*) FROM assess.{function}('m', {question}) WHERE mean_score <> {score}::float8"
                ));
                assert_eq!(wrong, 0, "{function} of question {question}");
            }
            session.run("SET extra_float_digits = 1");
        }
    }
}

/// Where backslashes in plain literals are escapes, a day is still a day and a number no span.
#[test]
fn escapes_in_literals_change_nothing() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "SET standard_conforming_strings = off; SET escape_string_warning = off;
         CREATE TABLE undated AS
         SELECT s, i, 1 AS a, ((s * i) % 3 > 0)::int AS score
         FROM generate_series(1, 12) s, generate_series(1, 6) i",
    );
    session.run("SELECT assess.create_model('m', 'undated', 's', 'i', 'a', 'score', '2026-06-01')");
    assert_eq!(
        session.table("SELECT DISTINCT last_at::date FROM m.students"),
        ["2026-06-01"]
    );
    session.refuses(
        "SELECT assess.set_option('m', 'half_life', ' 45 ')",
        "22023",
    );
    session
        .run("SELECT assess.create_model('pgAx', 'undated', 's', 'i', 'a', 'score', '2026-06-01')");
}
