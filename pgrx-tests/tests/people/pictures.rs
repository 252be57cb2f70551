//! The pictures of a model: that they show what its views say, to whoever may read these, whatever
//! things are called.

use pg_assess_it::{Database, RESPONSES, Session};

/// A model `m` over the sample network, by school.
struct Model {
    database: Database,
    session: Session,
}

impl Model {
    fn new() -> Self {
        let database = Database::new();
        let mut session = database.session();
        session.table(
            "SELECT * FROM assess.sample_network('n', schools => 2, students_per_school => 40)",
        );
        session.run(
            "CREATE VIEW source AS
             SELECT r.*, c.name AS school
             FROM n.responses r JOIN n.students s USING (student_id)
             JOIN n.schools c USING (school_id)",
        );
        session.table(
            "SELECT * FROM assess.create_model(
                 'm', 'source', 'student_id', 'question_id', 'assessment_id', 'points', 'taken_on',
                 max_score => 'max_points', subject => 'subject', student_group => 'school',
                 attempt => 'attempt')",
        );
        let mut model = Self { database, session };
        model.set("as_of", "'2026-06-30'");
        model
    }

    /// Sets an option, and refreshes.
    fn set(&mut self, option: &str, value: &str) {
        self.session.table(&format!(
            "SELECT assess.set_option('m', '{option}', {value})"
        ));
        self.session.run("CALL assess.refresh('m')");
    }

    fn text(&mut self, sql: &str) -> String {
        self.session.one(&format!("SELECT ({sql})::text"))
    }

    fn count(&mut self, sql: &str) -> usize {
        self.session.one::<i64>(sql) as usize
    }
}

/// The parts of a drawing that begin so.
fn parts<'a>(svg: &'a str, begin: &'a str) -> Vec<&'a str> {
    svg.lines().filter(|line| line.starts_with(begin)).collect()
}

fn is_drawing(svg: &str) -> bool {
    svg.starts_with("<svg xmlns=")
        && svg.ends_with("</svg>\n")
        && svg.contains("role=\"img\"")
        && svg.contains("<title>")
        && svg.contains("<desc>")
        && !svg.contains("NaN")
        && !svg.contains("href")
        && !svg.contains("<script")
}

#[test]
fn the_map_shows_the_students_of_a_subject_or_group() {
    let mut m = Model::new();
    for (arguments, rows) in [
        ("'Math'", "subject = 'Math'"),
        (
            "'ELA', (SELECT min(student_group) FROM m.students)",
            "subject = 'ELA' AND student_group = (SELECT min(student_group) FROM m.students)",
        ),
    ] {
        let svg = m.text(&format!("SELECT assess.school_map_svg('m', {arguments})"));
        assert!(is_drawing(&svg));
        let n = m.count(&format!(
            "SELECT count(level) FROM m.school_map WHERE {rows}"
        ));
        assert!(n > 30 && svg.contains(&format!("{n} students shown.")));
        let spec = format!("assess.school_map_vega('m', {arguments})");
        let dots = m.count(&format!(
            "SELECT jsonb_array_length({spec} -> 'data' -> 'values')::int8"
        ));
        assert_eq!(dots, n);
        // Those far outside press nobody into one spot.
        let subtitle = m.text(&format!("{spec} -> 'title' ->> 'subtitle'"));
        let edge = |words: &str| {
            words.split("beyond the frame: ").nth(1).map(|rest| {
                rest.chars()
                    .take_while(char::is_ascii_digit)
                    .collect::<String>()
            })
        };
        assert_eq!(edge(&svg), edge(&subtitle));
        assert_eq!(
            edge(&svg).is_some(),
            m.text(&format!("SELECT jsonb_path_exists({spec}, '$.**.clamp')")) == "true"
        );
        // The corners hold as many as the legend's colours.
        for quadrant in [
            "low and falling",
            "low and rising",
            "high and falling",
            "high and rising",
        ] {
            let there = m.count(&format!(
                "SELECT count(*) FROM jsonb_array_elements({spec} -> 'data' -> 'values') v
                 WHERE v ->> 'quadrant' = '{quadrant}'"
            ));
            assert!(svg.contains(&format!("{quadrant}: {there}<")), "{there}");
        }
        let wrong = m.session.table(&format!(
            "SELECT v FROM jsonb_array_elements({spec} -> 'data' -> 'values') v
             LEFT JOIN m.school_map p ON p.student::text = v ->> 'student' AND {rows}
             WHERE p.student IS NULL OR abs(p.level - (v ->> 'level')::float8) > 1e-6
                   OR (p.slope IS NULL) <> (v ->> 'change' IS NULL)
                   OR coalesce(p.quadrant, 'no trend yet') <> v ->> 'quadrant'
                   OR abs(p.slope - (v ->> 'change')::float8) > 1e-6"
        ));
        assert_eq!(wrong, [""; 0]);
    }
    let svg = m.text("SELECT assess.school_map_svg('m', 'Math')");
    assert!(svg.contains("<title>Math: who is low, who is falling?</title>"));
    assert_eq!(svg, m.text("SELECT assess.school_map_svg('m', 'Math')"));
    // The other function of that name is still there.
    let other = m.text("SELECT assess.school_map_svg('{a}', '{0.5}', '{0.1}', '{0.2}')");
    assert!(other.contains("1 student shown."));
}

#[test]
fn the_curve_shows_the_answers_to_a_question() {
    let mut m = Model::new();
    for order in ["", "DESC"] {
        let item = m.text(&format!(
            "SELECT item FROM m.questions WHERE n > 50 AND discrimination IS NOT NULL
             ORDER BY discrimination {order} LIMIT 1"
        ));
        let svg = m.text(&format!("SELECT assess.item_curve_svg('m', '{item}')"));
        assert!(is_drawing(&svg));
        let n = m.count(&format!(
            "SELECT count(DISTINCT student) FROM m.score_sheet WHERE item = {item}"
        ));
        assert!(svg.contains(&format!("{n} students answered it.")), "{n}");
        let told = m.text(&format!(
            "SELECT replace(round(discrimination::numeric, 2)::text, '-', '−') FROM m.questions
             WHERE item = {item}"
        ));
        assert!(svg.contains(&format!("iscrimination {told}")));
        assert_eq!(order.is_empty(), svg.contains("flawed"));
        let spec = format!("assess.item_curve_vega('m', '{item}')");
        let (students, mean): (i64, f64) = {
            let row = m
                .session
                .query_one(
                    &format!(
                        "SELECT sum((v ->> 'students')::int8)::int8,
                                sum((v ->> 'students')::float8 * (v ->> 'score')::float8)
                                / sum((v ->> 'students')::float8)
                         FROM jsonb_array_elements({spec} -> 'data' -> 'values') v"
                    ),
                    &[],
                )
                .expect("a row");
            (row.get(0), row.get(1))
        };
        assert_eq!(students as usize, n);
        let facility: f64 = m.session.one(&format!(
            "SELECT facility FROM m.questions WHERE item = {item}"
        ));
        assert!((mean - facility).abs() < 0.01, "{mean} {facility}");
    }
}

#[test]
fn the_history_adds_up_to_the_level() {
    let mut m = Model::new();
    m.session.run(
        "CREATE TABLE told AS
         SELECT s.*, h.tests, h.standing
         FROM m.students s
         CROSS JOIN LATERAL assess._student_history('m', s.student::text, s.subject) h
         WHERE s.subject = 'Math'",
    );
    assert!(m.count("SELECT count(*) FROM told WHERE tests IS NOT NULL") > 60);
    // The level is the prior moved by each assessment's share.
    let wrong = "SELECT student, told.level, x.level FROM told CROSS JOIN LATERAL (
             SELECT prior + sum((t ->> 'share')::float8 * ((t ->> 'score')::float8 - prior)) AS level
             FROM jsonb_array_elements(tests) t) x
         WHERE abs(told.level - x.level) > 1e-4";
    assert_eq!(m.session.table(wrong), [""; 0]);
    // What fades by one half in a half-life.
    let wrong = "SELECT student, t FROM told CROSS JOIN LATERAL jsonb_array_elements(tests) t
         WHERE abs((t ->> 'fade')::float8
                   - 2 ^ (-((standing ->> 'day')::float8 - (t ->> 'day')::float8) / 60)) > 1e-3";
    assert_eq!(m.session.table(wrong), [""; 0]);
    // The line is there where a trend is, is as steep as told, and is that of least squares.
    let wrong = "SELECT student, trend, standing FROM told
         WHERE (trend = 'unclear') <> (standing ->> 'first_day' IS NULL)
         OR abs(slope - 30 * ((standing ->> 'last_score')::float8 - (standing ->> 'first_score')::float8)
                / ((standing ->> 'last_day')::float8 - (standing ->> 'first_day')::float8)) > 1e-4";
    assert_eq!(m.session.table(wrong), [""; 0]);
    let wrong = "SELECT student, told.slope, x.slope FROM told CROSS JOIN LATERAL (
             SELECT 30 * (sum(w * d * s) - sum(w * d) * sum(w * s) / sum(w))
                    / (sum(w * d * d) - sum(w * d) ^ 2 / sum(w)) AS slope
             FROM (SELECT (t ->> 'share')::float8 / (t ->> 'fade')::float8 AS w,
                          (t ->> 'day')::float8 - 20000 AS d, (t ->> 'score')::float8 AS s
                   FROM jsonb_array_elements(tests) t
                   WHERE (t ->> 'taken_at')::timestamptz >= as_of - interval '180 days') t) x
         WHERE trend <> 'unclear' AND abs(told.slope - x.slope) > 1e-3";
    assert!(m.count("SELECT count(*) FROM told WHERE trend <> 'unclear'") > 0);
    assert_eq!(m.session.table(wrong), [""; 0]);

    let student = m.text("SELECT student FROM told WHERE trend <> 'unclear' LIMIT 1");
    let svg = m.text(&format!(
        "SELECT assess.student_history_svg('m', '{student}', 'Math')"
    ));
    assert!(is_drawing(&svg));
    let words = m.text(&format!(
        "SELECT format('Level %s %% (likely %s to %s %%) on 2026-06-30, %s: ',
                       round(level::numeric * 100), round(ci_low::numeric * 100),
                       round(ci_high::numeric * 100), trend)
         FROM told WHERE student = {student}"
    ));
    assert!(svg.contains(&words), "{words}");
    let n = m.count(&format!(
        "SELECT jsonb_array_length(tests)::int8 FROM told WHERE student = {student}"
    ));
    assert_eq!(parts(&svg, "<circle").len(), n + 2);
    assert!(svg.contains("one half after 60 days"));
    m.set("half_life", "'30 days'");
    let svg = m.text(&format!(
        "SELECT assess.student_history_svg('m', '{student}', 'Math')"
    ));
    assert!(svg.contains("one half after 30 days"));
}

#[test]
fn the_sheet_marks_what_is_below() {
    let mut m = Model::new();
    let assessment = m.text(
        "SELECT assessment FROM m.assessments WHERE subject = 'ELA' AND items BETWEEN 15 AND 40
         ORDER BY assessment LIMIT 1",
    );
    let group = m.text("SELECT min(student_group) FROM m.students");
    let sheet = format!("SELECT assess.score_sheet_svg('m', '{assessment}', 'ELA', '{group}')");
    let rows = format!(
        "(SELECT DISTINCT ON (student, item) * FROM m.score_sheet
          WHERE assessment = {assessment} AND student_group = '{group}'
          ORDER BY student, item, taken_at) r"
    );
    let svg = m.text(&sheet);
    assert!(is_drawing(&svg));
    let below = m.count(&format!("SELECT count(*) FROM {rows} WHERE is_below"));
    assert!(below > 10);
    // Each has its triangle, as have two in the key.
    assert_eq!(parts(&svg, "<path").len(), below + 2);
    assert!(svg.contains(&format!("{below} scores are below what was expected.")));
    assert!(svg.contains("Marked: below the mean of all students."));
    let students = m.count(&format!("SELECT count(DISTINCT student) FROM {rows}"));
    assert!(svg.contains(&format!("{students} students shown.")));
    let lowest = m.text(&format!(
        "SELECT student FROM {rows} GROUP BY student
         ORDER BY avg(score), count(*) FILTER (WHERE is_below) DESC, student LIMIT 1"
    ));
    let first = svg
        .lines()
        .find(|line| line.contains("fill=\"#111\""))
        .expect("a name");
    assert!(first.ends_with(&format!(">{lowest}</text>")), "{first}");

    m.set("pass_mark", "'0.9'");
    let svg = m.text(&sheet);
    assert!(svg.contains("Marked: below the pass mark of 90 %."));
    assert_eq!(
        parts(&svg, "<path").len(),
        m.count(&format!("SELECT count(*) FROM {rows} WHERE score < 0.9")) + 2
    );
    // Pass marks of questions go before it, and are shown where they differ.
    assert!(!svg.contains(">pass mark</text>"));
    for (marks, words) in [
        ("0.625", "below the pass mark of the question."),
        ("0.9", "below the pass mark of 90 %."),
    ] {
        m.session.run(&format!(
            "DELETE FROM m.pass_marks;
             INSERT INTO m.pass_marks
             SELECT 'ELA', item, {marks} FROM {rows} GROUP BY item ORDER BY item LIMIT 3"
        ));
        let svg = m.text(&sheet);
        assert!(svg.contains(words), "{words}");
        assert_eq!(svg.contains(">pass mark</text>"), marks == "0.625");
        assert_eq!(
            parts(&svg, "<text")
                .iter()
                .filter(|t| t.ends_with(">62.5</text>"))
                .count(),
            if marks == "0.625" { 3 } else { 0 }
        );
        let below = m.count(&format!("SELECT count(*) FROM {rows} WHERE is_below"));
        assert_eq!(parts(&svg, "<path").len(), below + 2);
    }
    m.session
        .run("SELECT assess.set_option('m', 'pass_mark', NULL)");
    let words = "below the pass mark, or else the mean.<";
    assert!(m.text(&sheet).contains(words));
    m.session.run("DELETE FROM m.pass_marks");
    assert!(m.text(&sheet).contains("below the mean of all students."));
    m.session
        .run("SELECT assess.set_option('m', 'pass_mark', '0.9')");
    // The last attempts instead of the first.
    m.set("attempts", "'last'");
    let last = rows.replace("taken_at", "taken_at DESC");
    assert_eq!(
        parts(&m.text(&sheet), "<path").len(),
        m.count(&format!("SELECT count(*) FROM {last} WHERE score < 0.9")) + 2
    );
    // Scores without a maximum are no share of it.
    let oral = m.text(
        "SELECT min(assessment) FROM (SELECT assessment FROM m.score_sheet GROUP BY assessment
                                      HAVING bool_and(expected IS NULL)) a",
    );
    let svg = m.text(&format!("SELECT assess.score_sheet_svg('m', '{oral}')"));
    assert!(is_drawing(&svg) && svg.contains("Scores as they are") && !svg.contains("Per cent"));
}

#[test]
fn a_specification_has_the_fields_it_names() {
    let mut m = Model::new();
    let item = m.text("SELECT min(item) FROM m.questions WHERE subject = 'Math'");
    let (rising, unclear) = (
        m.text("SELECT min(student) FROM m.students WHERE trend <> 'unclear' AND subject = 'Math'"),
        m.text("SELECT min(student) FROM m.students WHERE trend = 'unclear' AND subject = 'Math'"),
    );
    for call in [
        "school_map_vega('m', 'Math')".to_owned(),
        format!("item_curve_vega('m', '{item}', 'Math')"),
        format!("student_history_vega('m', '{rising}', 'Math')"),
        format!("student_history_vega('m', '{unclear}', 'Math')"),
    ] {
        m.session.run(&format!(
            "CREATE TEMP TABLE spec AS SELECT assess.{call} AS spec;
             CREATE TEMP TABLE views AS
             SELECT coalesce(v -> 'data' -> 'values', spec -> 'data' -> 'values') AS figures,
                    jsonb_path_query(v, 'lax $.encoding.*.field') #>> '{{}}' AS field
             FROM spec, jsonb_path_query(spec, 'lax $.**') v
             WHERE jsonb_typeof(v) = 'object' AND v ? 'encoding'"
        ));
        let wrong = "SELECT DISTINCT field FROM views, jsonb_array_elements(figures) f
                     WHERE NOT f ? field";
        assert_eq!(m.session.table(wrong), [""; 0], "{call}");
        assert!(m.count("SELECT count(*) FROM views") >= 3, "{call}");
        let common = m.text("SELECT spec ->> '$schema' || (spec -> 'title' ->> 'text') FROM spec");
        assert!(
            common.starts_with("https://vega.github.io/schema/vega-lite/v5.jsonMath: "),
            "{common}"
        );
        // Nothing is loaded from elsewhere, and every quantity is a number.
        assert_eq!(
            m.text("SELECT jsonb_path_exists(spec, '$.**.url') FROM spec"),
            "false"
        );
        assert_eq!(
            m.text("SELECT spec::text ~ 'NaN|Infinity' FROM spec"),
            "false"
        );
        m.session.run("DROP TABLE spec, views");
    }
}

/// One whose scores have another scale makes nobody low, in rows and in pictures alike.
#[test]
fn one_level_far_outside_makes_nobody_low() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE scores AS
         SELECT s AS student, i AS item, i / 4 AS test, CASE s WHEN 40 THEN 4000 ELSE 50 + s % 7 + (s * 7919 + i * 104729 + s * i * 31) % 40 + i * (s % 3 - 1) END AS points,
                'Infinity'::float8 AS most, date '2026-01-01' + 7 * (i / 4) AS taken_on
         FROM generate_series(1, 40) s, generate_series(1, 24) i;
         SELECT count(*) FROM assess.create_model('m', 'scores', 'student', 'item', 'test', 'points', 'taken_on',
             max_score => 'most');
         SELECT assess.set_option('m', 'as_of', '2026-03-01')",
    );
    session.run("CALL assess.refresh('m')");
    let apart: f64 = session.one("SELECT avg(s.level) - max(s.middle_level) FROM m.school_map s");
    assert!(apart > 0.05, "{apart}");
    let svg: String = session.one("SELECT assess.school_map_svg('m')");
    let corners = session.table(
        "SELECT q.quadrant, count(*) FROM m.school_map q WHERE q.quadrant IS NOT NULL
         GROUP BY 1 ORDER BY 1",
    );
    assert!(corners.len() > 1, "{corners:?}");
    for corner in &corners {
        let corner = corner.replace('|', ": ");
        assert!(svg.contains(&format!("{corner}<")), "{corner}");
    }
    assert_eq!(
        session.table(
            "SELECT v ->> 'quadrant', count(*)
             FROM jsonb_array_elements(assess.school_map_vega('m') -> 'data' -> 'values') v
             WHERE v ->> 'quadrant' <> 'no trend yet' GROUP BY 1 ORDER BY 1"
        ),
        corners
    );
}

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
            let told = m.session.refuses(
                &format!("SELECT FROM assess.{function}('m', {id}, in_subject => {subject})"),
                "P0002",
            );
            assert!(!format!("{told:?}").contains("987654321"), "{function}");
        }
    }
    assert!(looked_up >= 13, "{looked_up}");
}

#[test]
fn what_is_not_there_is_told_without_saying_whom() {
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
        let told = m.session.fails(&format!("SELECT assess.{call}"));
        assert_eq!(told.code().code(), code, "{call}: {told}");
        let all = format!("{told} {:?} {:?}", told.detail(), told.hint());
        assert!(!all.contains("Secret"), "{call}: {all}");
        if !call.contains("NULL") {
            assert!(told.hint().is_some(), "{call}");
        }
    }
    let told = m
        .session
        .refuses("SELECT assess.student_history_svg('m', '1')", "42P08");
    assert!(
        told.detail()
            .is_some_and(|d| d.contains("'ELA', 'Math', 'Science'"))
    );
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
    let told = reader.fails("SELECT assess.student_history_svg('m', '1', 'Math')");
    assert_eq!(told.code().code(), "42501");
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

#[test]
fn scores_of_every_kind_and_students_without_a_trend() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.table(
        "SELECT * FROM assess.create_model('m', 'responses', 'student', 'item', 'assessment',
                                           'score', 'taken_on', max_score => 'max_score')",
    );
    // On the first day nobody has a trend.
    for (as_of, has_trend) in [("2026-01-14", false), ("2026-06-30", true)] {
        session.table(&format!(
            "SELECT assess.set_option('m', 'as_of', '{as_of}')"
        ));
        session.run("CALL assess.refresh('m')");
        let svg: String = session.one("SELECT assess.school_map_svg('m')");
        assert!(is_drawing(&svg));
        assert_eq!(svg.contains("low and falling:"), has_trend, "{as_of}");
        let spec: String = session.one("SELECT assess.school_map_vega('m')::text");
        assert_eq!(
            spec.contains("\"y\": {\"axis\": {\"format\": \"+.1%\"}"),
            has_trend
        );
        assert_eq!(!spec.contains("No trend yet:"), has_trend, "{as_of}");
    }
    // The tenth question of each assessment has no upper bound.
    let svg: String = session.one("SELECT assess.item_curve_svg('m', '110')");
    assert!(is_drawing(&svg) && !svg.contains("of the points") && !svg.contains("dashed"));
    let spec: String = session.one("SELECT assess.item_curve_vega('m', '110')::text");
    assert!(spec.contains(".4~g") && !spec.contains("{form}") && !spec.contains("Dashed"));
    assert!(!spec.contains("\"y\": {\"type\": \"quantitative\", \"field\": \"expected\""));
    let spec: String = session.one("SELECT assess.item_curve_vega('m', '101')::text");
    assert!(spec.contains("Dashed:"));
    let svg: String = session.one("SELECT assess.score_sheet_svg('m', 'test 1')");
    assert!(is_drawing(&svg) && svg.contains("and 30 more with totals of"));
    let svg: String = session.one("SELECT assess.student_history_svg('m', 's7', 'all')");
    assert!(is_drawing(&svg) && svg.contains("<title>all: scores"));
}

#[test]
fn the_pictures_on_the_pages_are_those_drawn_today() {
    let database = Database::new();
    let mut session = database.session();
    session.table("SELECT * FROM assess.sample_network()");
    session.run(
        "CREATE VIEW responses AS
         SELECT r.*, c.name AS school
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id)
         JOIN sample_network.schools c USING (school_id)",
    );
    session.table(
        "SELECT * FROM assess.create_model(
             'network', 'responses', 'student_id', 'question_id', 'assessment_id', 'points',
             'taken_on', max_score => 'max_points', subject => 'subject',
             student_group => 'school', attempt => 'attempt')",
    );
    session.table("SELECT assess.set_option('network', 'as_of', '2026-06-30')");
    session.run("CALL assess.refresh('network')");
    for (file, call) in [
        (
            "school_map",
            "school_map_svg('network', 'Math', 'Birchwood Academy')",
        ),
        ("item_curve", "item_curve_svg('network', '583')"),
        (
            "student_history",
            "student_history_svg('network', '10', 'Math')",
        ),
        (
            "score_sheet",
            "score_sheet_svg('network', '82', student_group => 'Birchwood Academy')",
        ),
    ] {
        let drawn: String = session.one(&format!("SELECT assess.{call}"));
        let path = pg_assess_it::root().join(format!("docs/reference/{file}.svg"));
        let kept = std::fs::read_to_string(&path).expect("the page has its picture");
        assert!(
            drawn == kept,
            "{} is not what assess.{call} draws",
            path.display()
        );
    }
}

#[test]
fn a_sheet_of_thousands_takes_no_time_for_each_two_cells() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE many AS
         SELECT s, i, 1 AS a, ((s * 7 + i * 3) % 10 < 3 + s % 5)::int AS x, date '2026-01-05' AS d
         FROM generate_series(1, 4000) s, generate_series(1, 20) i;
         SELECT assess.create_model('m', 'many', 's', 'i', 'a', 'x', 'd')",
    );
    // It takes a second or less; with each cell looked up among all it would take minutes.
    session.run("SET statement_timeout = '60s'");
    let sheet: String = session.one("SELECT assess.score_sheet_svg('m', '1')");
    assert!(
        sheet.contains("and 3,940 more") || sheet.contains("3940 more") || sheet.contains("more")
    );
}
