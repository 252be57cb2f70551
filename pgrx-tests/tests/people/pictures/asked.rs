//! Who may ask for a picture of whom, and what is refused.

use pg_assess_it::Database;

use super::{Model, is_drawing};

/// Whoever goes from rows to pictures keeps the names and the types of the arguments, and finds the
/// same errors.
#[test]
fn one_look_up_for_rows_and_pictures() {
    let mut m = Model::new();
    let odd = m.session.table(
        "SELECT p.oid::regprocedure FROM pg_proc p
         WHERE p.pronamespace = 'assess'::regnamespace AND p.proname !~ '^_'
         AND   p.proargnames[1] = 'model' AND p.proargnames[2] IN ('student', 'item', 'assessment')
         AND  (p.proargtypes[1] <> 'anycompatible'::regtype OR p.proargtypes[2] <> 'text'::regtype
               OR p.proargnames[3] <> 'in_subject')",
    );
    assert_eq!(odd, [""; 0]);
    let mut looked_up = 0;
    for row in m.session.table(
        "SELECT p.proname, p.proargnames[2] FROM pg_proc p
         WHERE p.pronamespace = 'assess'::regnamespace AND p.proname !~ '^_'
         AND   p.proargnames[1] = 'model' AND p.proargnames[2] IN ('student', 'item', 'assessment')",
    ) {
        let (function, what) = row.split_once('|').expect("two columns");
        looked_up += 1;
        let column = format!(
            "(SELECT min({what}) FROM m.{} WHERE subject = 'Math')",
            match what {
                "item" => "questions".to_owned(),
                _ => format!("{what}s"),
            }
        );
        m.session.run(&format!(
            "SELECT FROM assess.{function}('m', {column}, 'Math')"
        ));
        for (id, subject) in [("'987654321'", "'Math'"), ("'no id'", "'Math'"), (&column, "'Art'")] {
            let error = m.session.refuses(
                &format!("SELECT FROM assess.{function}('m', {id}, in_subject => {subject})"),
                "P0002",
            );
            assert!(!format!("{error:?}").contains("987654321"), "{function}");
        }
    }
    assert!(looked_up >= 13, "{looked_up}");
}

#[test]
fn what_is_not_there_is_refused_without_naming_a_student() {
    let mut m = Model::new();
    for (call, code) in [
        ("school_map_svg('nosuch')", "42704"),
        ("school_map_svg('m')", "42P08"),
        ("school_map_svg('m', 'math')", "P0002"),
        ("school_map_svg('m', 'Math', 'Secret')", "P0002"),
        ("school_map_vega('m')", "42P08"),
        ("item_curve_svg('m', 'Secret')", "P0002"),
        ("item_curve_svg('m', NULL)", "22004"),
        ("item_curve_vega('m', 'Secret', 'Math')", "P0002"),
        ("student_history_svg('m', 'Secret', 'Math')", "P0002"),
        ("student_history_svg('m', '1')", "42P08"),
        ("student_history_vega('m', NULL, 'Math')", "22004"),
        ("score_sheet_svg('m', 'Secret')", "P0002"),
        ("score_sheet_svg('m', '1', 'Math', 'Secret')", "P0002"),
        ("score_sheet_svg(NULL, '1')", "22004"),
    ] {
        let error = m.session.fails(&format!("SELECT assess.{call}"));
        assert_eq!(error.code().code(), code, "{call}: {error}");
        let all = format!("{error} {:?} {:?}", error.detail(), error.hint());
        assert!(!all.contains("Secret"), "{call}: {all}");
        if !call.contains("NULL") {
            assert!(error.hint().is_some(), "{call}");
        }
    }
    let refusal = m
        .session
        .refuses("SELECT assess.student_history_svg('m', '1')", "42P08");
    assert!(
        refusal
            .detail()
            .is_some_and(|d| d.contains("'ELA', 'Math', 'Science'"))
    );
}

#[test]
fn rows_of_another_picture_are_refused() {
    let database = Database::new();
    let mut session = database.session();
    for function in [
        "map_svg",
        "map_vega",
        "curve_svg",
        "curve_vega",
        "history_svg",
        "history_vega",
        "sheet_svg",
    ] {
        for rows in [
            "[]",
            "null",
            "{\"student\": \"Secret\"}",
            "{\"of\": \"\\u0000\"}",
        ] {
            let error = session.refuses(&format!("SELECT assess._{function}('{rows}')"), "22023");
            assert!(!format!("{error:?}").contains("Secret"), "{function}");
        }
        let none: Option<String> = session.one(&format!("SELECT assess._{function}(NULL)::text"));
        assert_eq!(none, None);
    }
}

#[test]
fn every_time_has_a_number() {
    let database = Database::new();
    let mut session = database.session();
    session.run("SET timezone = 'UTC'");
    for (at, number) in [
        ("1970-01-01 00:00:01", 1_000_000),
        ("294276-12-31", i64::MAX),
        ("infinity", i64::MAX),
        ("-infinity", i64::MIN),
    ] {
        let sql = format!("SELECT assess._local_microseconds('{at}')");
        assert_eq!(session.one::<i64>(&sql), number, "{at}");
    }
}

#[test]
fn pictures_are_of_the_settings_that_the_results_have() {
    let mut m = Model::new();
    let drawings = "SELECT md5(assess.student_history_svg('m', '1', 'Math'))
        || md5(assess.item_curve_svg('m', (SELECT min(item)::text FROM m.questions)))
        || md5(assess.score_sheet_svg('m', (SELECT min(assessment)::text FROM m.assessments)))";
    let before = m.text(drawings);
    for (option, value) in [
        ("half_life", "'10 days'"),
        ("attempts", "'best'"),
        ("quality", "'false'"),
        ("confidence", "'0.5'"),
        ("trend_window", "'30 days'"),
    ] {
        m.session.table(&format!(
            "SELECT assess.set_option('m', '{option}', {value})"
        ));
        assert_eq!(m.text(drawings), before, "{option}");
    }
    m.session.run("CALL assess.refresh('m')");
    assert_ne!(m.text(drawings), before);
}

#[test]
fn a_reader_needs_no_more_than_to_read() {
    let m = Model::new();
    let mut session = m.database.session();
    let role = format!("reader_of_{}", m.database.name());
    session.run(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT USAGE ON SCHEMA m TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA m TO {role}"
    ));
    let mut reader = m.database.session_as(&role);
    for call in [
        "school_map_svg('m', 'Math')",
        "item_curve_svg('m', (SELECT min(item)::text FROM m.questions))",
        "student_history_svg('m', '1', 'Math')",
        "score_sheet_svg('m', (SELECT min(assessment)::text FROM m.assessments))",
    ] {
        assert!(
            is_drawing(&reader.one::<String>(&format!("SELECT assess.{call}"))),
            "{call}"
        );
    }
    // Each picture is drawn from what may be granted: the map from what readers usually have.
    for (calls, relations) in [
        (
            [
                "school_map_svg('m', 'Math')",
                "school_map_vega('m', 'Math', (SELECT min(student_group) FROM m.school_map))",
            ],
            "m.school_map",
        ),
        (
            [
                "item_curve_svg('m', (SELECT min(item)::text FROM m.questions))",
                "item_curve_vega('m', (SELECT min(item)::text FROM m.questions))",
            ],
            "m.questions, m.students, m.gradebook, m.expectations, m.settings, m.run_log",
        ),
        (
            [
                "score_sheet_svg('m', (SELECT min(assessment)::text FROM m.assessments))",
                "score_sheet_svg('m', (SELECT min(assessment)::text FROM m.assessments), NULL,
                                 (SELECT min(student_group) FROM m.students))",
            ],
            "m.assessments, m.questions, m.students, m.score_sheet, m.expectations",
        ),
        (
            [
                "student_history_svg('m', '1', 'Math')",
                "student_history_vega('m', '1', 'Math')",
            ],
            "m.students, m.gradebook, m.settings, m.run_log",
        ),
    ] {
        session.run(&format!(
            "REVOKE SELECT ON ALL TABLES IN SCHEMA m FROM {role};
             GRANT SELECT ON {relations} TO {role}"
        ));
        for call in calls {
            let drawn: String = reader.one(&format!("SELECT assess.{call}::text"));
            assert!(drawn.len() > 1000, "{call}");
        }
    }
    assert_eq!(
        reader
            .fails("SELECT assess.school_map_svg('m', 'Math')")
            .code()
            .code(),
        "42501"
    );
    session.run(&format!("REVOKE SELECT ON m.students FROM {role}"));
    let error = reader.fails("SELECT assess.student_history_svg('m', '1', 'Math')");
    assert_eq!(error.code().code(), "42501");
    drop(reader);
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn names_made_to_break_things_do_nothing() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        r#"CREATE TABLE t ("s""%I" text, "i;--" text, a uuid, score float8, "at" timestamp, "Subject" text, g text);
           INSERT INTO t
           SELECT CASE s WHEN 1 THEN '</text><script>' WHEN 2 THEN '''; DROP TABLE t; --'
                         WHEN 3 THEN 'عربي "%s" 学生' ELSE 's' || s END,
                  CASE i WHEN 1 THEN '<b>&''"%I' ELSE 'i' || i END,
                  md5('a' || d)::uuid, (s * 7 + i * 13 + d * 5) % 11 / 10.0,
                  timestamp '2026-01-05' + d * interval '7 days',
                  CASE WHEN s % 2 = 0 THEN NULL ELSE 'x''; "$1%I' END, 'g'
           FROM generate_series(1, 30) s, generate_series(1, 8) i, generate_series(1, 9) d;
           CREATE SCHEMA hostile;
           CREATE FUNCTION hostile.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS
               'BEGIN RAISE EXCEPTION ''trapped''; END';
           CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.trap);
           CREATE OPERATOR hostile.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.trap);
           CREATE FUNCTION hostile.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS
               'BEGIN RAISE EXCEPTION ''trapped''; END';
           SET search_path = hostile, pg_catalog, public"#,
    );
    session.table(
        r#"SELECT * FROM assess.create_model('m "x''%I', 'public.t', 's"%I', 'i;--', 'a', 'score', 'at',
                                      subject => 'Subject', student_group => 'g')"#,
    );
    session.table(r#"SELECT assess.set_option('m "x''%I', 'as_of', '2026-04-01')"#);
    session.run(r#"CALL assess.refresh('m "x''%I')"#);
    let model = r#"'m "x''%I'"#;
    for call in [
        format!("school_map_svg({model})"),
        format!(r#"school_map_svg({model}, 'x''; "$1%I', 'g')"#),
        format!(r#"item_curve_svg({model}, '<b>&''"%I', 'x''; "$1%I')"#),
        format!(r#"item_curve_svg({model}, '<b>&''"%I')"#),
        format!("student_history_svg({model}, '</text><script>')"),
        format!("student_history_svg({model}, '''; DROP TABLE t; --')"),
        format!(r#"student_history_svg({model}, 'عربي "%s" 学生')"#),
        format!("score_sheet_svg({model}, md5('a3')::uuid::text)"),
        format!(r#"score_sheet_svg({model}, md5('a3')::uuid::text, 'x''; "$1%I', 'g')"#),
    ] {
        let svg: String = session.one(&format!("SELECT assess.{call}"));
        assert!(is_drawing(&svg), "{call}");
        // Nor does a title begin with a subject that has no name.
        assert!(!svg.contains("<title>: "), "{call}");
    }
    for call in ["school_map", "item_curve", "student_history"] {
        let id = match call {
            "school_map" => "",
            "item_curve" => ", 'i2'",
            _ => ", '''; DROP TABLE t; --'",
        };
        let spec: String = session.one(&format!("SELECT assess.{call}_vega({model}{id})::text"));
        assert!(spec.contains("vega-lite"), "{call}");
    }
    assert_eq!(
        session.table("SELECT count(*) OPERATOR(pg_catalog.>) 0 FROM public.t"),
        ["t"]
    );
}
