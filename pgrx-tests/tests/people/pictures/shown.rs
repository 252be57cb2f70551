//! What pictures show is what the views of the model say.

use pg_assess_it::{Database, RESPONSES};

use super::{Model, is_drawing, parts};

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
        let found = m.text(&format!(
            "SELECT replace(round(discrimination::numeric, 2)::text, '-', '−') FROM m.questions
             WHERE item = {item}"
        ));
        assert!(svg.contains(&format!("iscrimination {found}")));
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
    // The figures of a specification are the assessments; its second layer has what came of them.
    m.session.run(
        "CREATE TABLE found AS
         SELECT s.*, v -> 'data' -> 'values' AS tests,
                v -> 'layer' -> 1 -> 'data' -> 'values' -> 0 AS standing
         FROM m.students s CROSS JOIN assess.student_history_vega('m', s.student, s.subject) v
         WHERE s.subject = 'Math'",
    );
    assert!(m.count("SELECT count(*) FROM found WHERE tests <> '[]'") > 60);
    // The level is the prior moved by each assessment's share.
    let wrong = "SELECT student, found.level, x.level FROM found CROSS JOIN LATERAL (
             SELECT prior + sum((t ->> 'share')::float8 * ((t ->> 'score')::float8 - prior)) AS level
             FROM jsonb_array_elements(tests) t) x
         WHERE abs(found.level - x.level) > 1e-4";
    assert_eq!(m.session.table(wrong), [""; 0]);
    // What fades by one half in a half-life.
    let wrong = "SELECT student, t FROM found CROSS JOIN LATERAL jsonb_array_elements(tests) t
         WHERE abs((t ->> 'fade')::float8
                   - 2 ^ (-((standing ->> 'day')::float8 - (t ->> 'day')::float8) / 60)) > 1e-3";
    assert_eq!(m.session.table(wrong), [""; 0]);
    // The line is there where a trend is, is as steep as reported, and is that of least squares.
    let wrong = "SELECT student, trend, standing FROM found
         WHERE (trend = 'unclear') <> (standing ->> 'first_day' IS NULL)
         OR abs(slope - 30 * ((standing ->> 'last_score')::float8 - (standing ->> 'first_score')::float8)
                / ((standing ->> 'last_day')::float8 - (standing ->> 'first_day')::float8)) > 1e-4";
    assert_eq!(m.session.table(wrong), [""; 0]);
    let wrong = "SELECT student, found.slope, x.slope FROM found CROSS JOIN LATERAL (
             SELECT 30 * (sum(w * d * s) - sum(w * d) * sum(w * s) / sum(w))
                    / (sum(w * d * d) - sum(w * d) ^ 2 / sum(w)) AS slope
             FROM (SELECT (t ->> 'share')::float8 / (t ->> 'fade')::float8 AS w,
                          (t ->> 'day')::float8 - 20000 AS d, (t ->> 'score')::float8 AS s
                   FROM jsonb_array_elements(tests) t
                   WHERE (t ->> 'taken_at')::timestamptz >= as_of - interval '180 days') t) x
         WHERE trend <> 'unclear' AND abs(found.slope - x.slope) > 1e-3";
    assert!(m.count("SELECT count(*) FROM found WHERE trend <> 'unclear'") > 0);
    assert_eq!(m.session.table(wrong), [""; 0]);
    // It goes through the centre of the scores inside the window.
    let wrong = "SELECT student, standing, x FROM found CROSS JOIN LATERAL (
             SELECT sum(w * d) / sum(w) AS day, sum(w * s) / sum(w) AS score, min(d) AS first_day,
                    max(d) AS last_day
             FROM (SELECT (t ->> 'share')::float8 / (t ->> 'fade')::float8 AS w,
                          (t ->> 'day')::float8 AS d, (t ->> 'score')::float8 AS s
                   FROM jsonb_array_elements(tests) t
                   WHERE (t ->> 'taken_at')::timestamptz >= as_of - interval '180 days') t) x
         CROSS JOIN LATERAL jsonb_to_record(standing) AS e(
             first_day float8, first_score float8, last_day float8, last_score float8)
         WHERE trend <> 'unclear'
         AND  (abs(e.first_score - x.score - slope / 30 * (x.first_day - x.day)) > 1e-3
               OR abs(e.last_score - x.score - slope / 30 * (x.last_day - x.day)) > 1e-3
               OR e.first_day <> x.first_day OR e.last_day <> x.last_day)";
    assert_eq!(m.session.table(wrong), [""; 0]);

    let student = m.text("SELECT student FROM found WHERE trend <> 'unclear' LIMIT 1");
    let svg = m.text(&format!(
        "SELECT assess.student_history_svg('m', '{student}', 'Math')"
    ));
    assert!(is_drawing(&svg));
    let words = m.text(&format!(
        "SELECT format('Level %s %% (likely %s to %s %%) on 2026-06-30, %s: ',
                       round(level::numeric * 100), round(ci_low::numeric * 100),
                       round(ci_high::numeric * 100), trend)
         FROM found WHERE student = {student}"
    ));
    assert!(svg.contains(&words), "{words}");
    let n = m.count(&format!(
        "SELECT jsonb_array_length(tests)::int8 FROM found WHERE student = {student}"
    ));
    assert_eq!(parts(&svg, "<circle").len(), n + 2);
    assert!(svg.contains("one half after 60 days"));
    // The same student, written in another way.
    let other = m.text(&format!(
        "SELECT assess.student_history_svg('m', '0{student}', 'Math')"
    ));
    assert_eq!(other.replace("student 0", "student "), svg);
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
