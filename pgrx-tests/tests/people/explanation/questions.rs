//! What is said of questions, their answers and their choices.

use pg_assess_it::{Database, RESPONSES};
use postgres::Row;

use super::{COLUMNS, GRAMMAR, chance, model, number, points, says, with_model};

const QUESTIONS: &str =
    "SELECT e.*, q.item, q.n AS stored_n, q.facility AS stored_facility,
                    (SELECT sum(c.students) FROM assess.question_curve('m', q.item, q.subject) c)::bigint AS curve_students,
                    (SELECT count(DISTINCT r.student) FROM m.score_sheet r
                     WHERE r.item = q.item AND r.subject = q.subject) AS students,
                    (SELECT jsonb_agg(jsonb_build_array(c.level_mean::numeric(12, 6), c.students,
                                                        c.ci_low::numeric(12, 6), c.ci_high::numeric(12, 6))
                                      ORDER BY c.level_group)
                     FROM assess.question_curve('m', q.item, q.subject) c)::text AS curve,
                    (SELECT jsonb_agg(jsonb_build_array((v -> 'level')::numeric(12, 6), v -> 'students',
                                                        (v -> 'ci_low')::numeric(12, 6),
                                                        (v -> 'ci_high')::numeric(12, 6)))
                     FROM jsonb_array_elements(assess.item_curve_vega('m', q.item, q.subject)
                                               -> 'data' -> 'values') v)::text AS drawn,
                    (SELECT count(*) FROM assess.question_curve('m', q.item, q.subject) c) AS groups,
                    (SELECT bool_and(c.ci_low <= c.mean_score AND c.mean_score <= c.ci_high
                                     AND c.level_low <= c.level_mean AND c.level_mean <= c.level_high
                                     AND (q.facility IS NULL OR c.ci_low >= 0 AND c.ci_high <= 1))
                     FROM assess.question_curve('m', q.item, q.subject) c) AS curve_is_sound,
                    (SELECT sum(c.n) FROM assess.question_uses('m', q.item, q.subject) c)::bigint AS uses_n,
                    (SELECT sum(c.n * c.mean_score) / sum(c.n)
                     FROM assess.question_uses('m', q.item, q.subject) c) AS uses_mean,
                    (SELECT count(*) FROM assess.question_disagreements('m', q.item, q.subject) d
                     WHERE d.kind = 'strong but wrong') AS listed_wrong,
                    (SELECT count(*) FROM assess.question_disagreements('m', q.item, q.subject) d
                     WHERE d.kind = 'weak but right') AS listed_right,
                    to_char(e.first_at, 'FMDD FMMonth YYYY') AS first_day,
                    to_char(e.last_at, 'FMDD FMMonth YYYY') AS last_day
             FROM m.questions q CROSS JOIN LATERAL assess.explain_question('m', q.item, q.subject) e";

/// How many answers, from where and when, and in how many groups.
fn hold_answers(row: &Row) {
    let text: &str = row.get("explanation");
    let n: i64 = row.get("n");
    assert_eq!(n, row.get::<_, i64>("stored_n"), "{text}");
    assert_eq!(
        row.get::<_, i64>("curve_students"),
        row.get::<_, i64>("students"),
        "{text}"
    );
    assert_eq!(
        row.get::<_, &str>("curve"),
        row.get::<_, &str>("drawn"),
        "rows and picture are one curve"
    );
    assert_eq!(n, row.get::<_, i64>("uses_n"), "{text}");
    assert!(row.get::<_, bool>("curve_is_sound"), "{text}");
    assert_eq!(number(text, " has ", " answer"), n as f64, "{text}");
    says(
        text,
        &format!("from {} assessment", row.get::<_, i32>("assessments")),
    );
    let (first, last): (&str, &str) = (row.get("first_day"), row.get("last_day"));
    if first == last {
        says(text, &format!(", on {first}."));
    } else {
        says(text, &format!(", between {first} and {last}."));
    }
    assert_eq!(
        number(text, " Of ", " groups of students"),
        row.get::<_, i64>("groups") as f64
    );
}

/// What is reached on average, by the weakest and by the strongest.
fn hold_scores(row: &Row) {
    let text: &str = row.get("explanation");
    let (weakest, strongest): (f64, f64) = (row.get("weakest_mean"), row.get("strongest_mean"));
    if let Some(facility) = row.get::<_, Option<f64>>("facility") {
        let reach = match row.get::<_, i64>("n") {
            1 => "It reaches ",
            _ => "They reach ",
        };
        assert_eq!(number(text, reach, " of 100"), points(facility), "{text}");
        assert!(
            (facility - row.get::<_, f64>("uses_mean")).abs() < 1e-9,
            "{text}"
        );
        says(
            text,
            &format!(
                "the weakest reaches {} and the strongest {}.",
                points(weakest),
                points(strongest)
            ),
        );
    } else {
        assert!(
            (number(text, "weakest reaches ", " and") - weakest).abs() <= 0.05001,
            "{text}"
        );
        assert!((number(text, "the strongest ", " on average") - strongest).abs() <= 0.05001);
    }
}

/// What the question counts, and who answers against expectation.
fn hold_weight(row: &Row) {
    let text: &str = row.get("explanation");
    let weight: f64 = row.get("weight");
    if weight == 0.0 {
        says(text, "count for nothing");
    } else if (weight - 1.0).abs() < 0.04999 {
        says(text, "counts as much as one to a usual question");
    } else {
        let found = number(text, "to it counts ", " times");
        assert!((found - weight).abs() <= 0.05001, "{text}");
        assert!(found > 0.0, "{text}");
    }
    let status: &str = row.get("status");
    assert_eq!(
        status == "flawed",
        text.contains("by more than chance explains"),
        "{text}"
    );
    assert_eq!(
        status == "suspect",
        text.contains("though that may be chance"),
        "{text}"
    );
    let counts = ["strong", "strong_wrong", "weak", "weak_right"].map(|c| row.get::<_, i64>(c));
    assert_eq!(counts[1], row.get::<_, i64>("listed_wrong"));
    assert_eq!(counts[3], row.get::<_, i64>("listed_right"));
    let verb = |n: i64| if n == 1 { "is" } else { "are" };
    let bounded = row.get::<_, Option<f64>>("facility").is_some();
    says(
        text,
        &format!(
            "Of the {} answers of the strongest 27 % of students {} {} {}, and of \
                         the {} answers of the weakest {} {} {}.",
            counts[0],
            counts[1],
            verb(counts[1]),
            if bounded { "wrong" } else { "below the mean" },
            counts[2],
            counts[3],
            verb(counts[3]),
            if bounded { "right" } else { "not" }
        ),
    );
}

#[test]
fn sentences_about_questions_say_what_their_rows_say() {
    let (_database, mut session) = with_model();
    session.run("UPDATE responses SET score = 4 WHERE item = 101 AND score IS NOT NULL;
                 UPDATE responses SET score = 4 - score WHERE item IN (203, 305, 404) AND score <= 4");
    session.run("CALL assess.refresh('m')");
    let rows = session.query(QUESTIONS, &[]).expect("explains");
    assert_eq!(rows.len(), 120);
    for row in &rows {
        hold_answers(row);
        hold_scores(row);
        hold_weight(row);
    }
    assert_eq!(
        session.table(&format!(
            "SELECT e.explanation FROM m.questions q
             CROSS JOIN LATERAL assess.explain_question('m', q.item, q.subject) e WHERE {GRAMMAR}"
        )),
        [""; 0]
    );
    for status in ["flawed", "no_variance", "usable"] {
        assert!(
            session.one::<i64>(&format!(
                "SELECT count(*) FROM m.questions WHERE status = '{status}'"
            )) > 0,
            "{status}"
        );
    }
}

/// A student who gave an answer in several assessments is no group.
#[test]
fn a_level_is_shown_of_so_many_students_and_not_of_so_many_answers() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE quiz AS
         SELECT s AS student, q AS item, t AS test, CASE s WHEN 1 THEN 'own' ELSE 'usual' END AS choice,
                ((s + q) % 3 > 0)::int::float8 AS points, date '2026-01-01' + t AS at
         FROM generate_series(1, 30) s, generate_series(1, 4) q, generate_series(1, 5) t;
         SELECT count(*) FROM assess.create_model('c', 'quiz', 'student', 'item', 'test', 'points', 'at',
             answer => 'choice', settings => '{\"min_group_size\": 3}')",
    );
    assert_eq!(
        session.table(
            "SELECT c.answer, c.n, c.mean_level IS NOT NULL FROM assess.question_choices('c', 1) c"
        ),
        ["usual|145|t", "own|5|f"]
    );
    // Nor are one's own answers those of others.
    session.run(
        "INSERT INTO quiz SELECT s, 99, t, 'usual', s - 1, date '2026-01-01' + t
         FROM (VALUES (1, 1), (1, 2), (1, 3), (1, 4), (2, 1)) v(s, t)",
    );
    session.run("CALL assess.refresh('c')");
    assert_eq!(
        session.table(
            "SELECT a.others, a.others_mean IS NULL, count(*) FROM assess.student_answers('c', 1) a
             WHERE a.item = '99' GROUP BY 1, 2"
        ),
        ["1|t|4"]
    );
    assert_eq!(
        session.table("SELECT a.others, a.others_mean FROM assess.student_answers('c', 2) a WHERE a.item = '99'"),
        ["4|0"]
    );
}

/// What counts is decided once: the answers are those of the responses that count.
#[test]
fn choices_are_those_of_the_responses_that_count() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE quiz AS
         SELECT s AS student, q AS item, 't' || q / 4 AS test, 'ABC'::text AS choice, (s % 3)::float8 AS points,
                2::float8 AS most, timestamp '2026-01-01 10:00' + q / 4 * interval '1 day' AS at
         FROM generate_series(1, 40) s, generate_series(1, 8) q;
         UPDATE quiz SET choice = chr(65 + points::int);
         -- What does not count: of no assessment, of no time, of no score, above the most.
         INSERT INTO quiz SELECT student, item, NULL, 'no test', points, most, at FROM quiz WHERE test = 't1';
         INSERT INTO quiz SELECT student, item, 't9', 'no time', points, most, '-infinity' FROM quiz WHERE test = 't1';
         INSERT INTO quiz SELECT student, item, 't8', 'no score', NULL, most, at FROM quiz WHERE test = 't1';
         INSERT INTO quiz SELECT student, item, 't8', 'too much', 3, most, at FROM quiz WHERE test = 't1';
         INSERT INTO quiz SELECT student, item, 't8', 'NaN', 'NaN', most, at FROM quiz WHERE test = 't1';
         -- Of two answers at one time the better one, of two attempts the last one count.
         INSERT INTO quiz SELECT student, item, test, 'worse', points / 2, most, at FROM quiz WHERE test = 't0' AND student = 2;
         INSERT INTO quiz SELECT student, item, test, 'last', 0, most, at + interval '1 hour' FROM quiz WHERE test = 't0' AND student = 5;
         INSERT INTO quiz SELECT student, item, test, 'none', NULL, most, at + interval '2 hours' FROM quiz WHERE test = 't0' AND student = 5;
         SELECT count(*) FROM assess.create_model('c', 'quiz', 'student', 'item', 'test', 'points', 'at',
             max_score => 'most', answer => 'choice');
         SELECT assess.set_option('c', 'attempts', 'last')",
    );
    session.run("CALL assess.refresh('c')");
    for zone in ["UTC", "Asia/Tokyo"] {
        session.run(&format!("SET timezone = '{zone}'"));
        assert_eq!(
            session.table(
                "SELECT q.item, q.n, (SELECT sum(c.n) FROM assess.question_choices('c', q.item) c)
                 FROM c.questions q
                 WHERE q.n IS DISTINCT FROM (SELECT sum(c.n) FROM assess.question_choices('c', q.item) c)"
            ),
            [""; 0]
        );
        assert_eq!(
            session.table(
                "SELECT c.answer, c.n, round(c.mean_score::numeric, 2) FROM assess.question_choices('c', 1) c
                 ORDER BY 1"
            ),
            ["A|13|0.00", "B|14|0.50", "C|12|1.00", "last|1|0.00"]
        );
    }
}

#[test]
fn answers_are_shown_where_they_are_known() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(
        "ALTER TABLE responses ADD answer text;
         UPDATE responses SET max_score = 1, score = CASE WHEN score >= 2 THEN 1 ELSE 0 END
         WHERE max_score = 4 AND score IS NOT NULL;
         UPDATE responses SET answer = CASE WHEN score = 1 THEN 'B'
             WHEN student < 's4' THEN 'A' WHEN student < 's8' THEN 'C' END",
    );
    let columns = format!("{COLUMNS}, answer => 'answer'");
    model(&mut session, "m", "responses", &columns, "2026-04-01");
    assert_eq!(
        session.table(
            "SELECT q.item FROM (SELECT * FROM m.questions WHERE item % 7 < 2) q CROSS JOIN LATERAL (
                 SELECT sum(c.n) AS n, sum(c.share) AS share, sum(c.mean_score * c.n) / sum(c.n) AS mean
                 FROM assess.question_choices('m', q.item) c) c
             WHERE q.facility IS NOT NULL AND (c.n <> q.n OR abs(c.share - 1) > 1e-9
                                               OR abs(c.mean - q.facility) > 1e-9 OR c.n IS NULL)"
        ),
        [""; 0]
    );
    let rows = session
        .query(
            "SELECT e.*, w.share, w.mean_level FROM m.questions q
             CROSS JOIN LATERAL assess.explain_question('m', q.item) e
             CROSS JOIN LATERAL (SELECT * FROM assess.question_choices('m', q.item) c
                                 WHERE c.mean_score = 0 AND c.answer IS NOT NULL
                                 ORDER BY c.n DESC, c.answer LIMIT 1) w
             WHERE q.item % 10 BETWEEN 1 AND 3",
            &[],
        )
        .expect("explains");
    assert!(rows.len() > 30);
    for row in &rows {
        let text: &str = row.get("explanation");
        says(text, "The right answer is B.");
        says(
            text,
            &format!(
                "The wrong answer given most is {}, by {}; those who gave it are at {} on average, those \
             who were right at {}.",
                row.get::<_, &str>("wrong_answer"),
                chance(row.get("share")),
                points(row.get("mean_level")),
                points(row.get("right_level"))
            ),
        );
        assert_eq!(row.get::<_, f64>("wrong_share"), row.get::<_, f64>("share"));
    }
    // A reader of the model alone gets all but that.
    session.run(
        "CREATE ROLE explanation_reader;
         GRANT USAGE ON SCHEMA m TO explanation_reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA m TO explanation_reader;
         SET ROLE explanation_reader",
    );
    let text: String = session.one("SELECT explanation FROM assess.explain_question('m', 101)");
    assert!(!text.contains("right answer"), "{text}");
    says(&text, "Question 101 has ");
    session.run(
        "SELECT * FROM assess.explain_student('m', 's20');
         SELECT * FROM assess.question_curve('m', 101);
         SELECT * FROM assess.compare_runs('m', 1, 1);
         SELECT * FROM assess.what_if('m')",
    );
    assert_eq!(
        session
            .fails("SELECT * FROM assess.question_choices('m', 101)")
            .code()
            .code(),
        "42501"
    );
    session.run("RESET ROLE; DROP OWNED BY explanation_reader; DROP ROLE explanation_reader");
}
