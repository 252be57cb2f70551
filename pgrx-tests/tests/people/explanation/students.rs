//! What is said of students.

use pg_assess_it::{Database, RESPONSES, Session};
use postgres::Row;

use super::{COLUMNS, GRAMMAR, amount, chance, model, number, points, says, with_model};

/// The level, and what it rests on.
fn hold_level(row: &Row) {
    let text: &str = row.get("explanation");
    let status: &str = row.get("status");
    let level: f64 = row.get("level");
    assert_eq!(level, row.get::<_, f64>("stored"), "{text}");
    if status == "none" {
        says(text, "nothing is known yet of student");
        assert_eq!(number(text, "The level of ", " out of"), points(level));
        assert!(!text.contains("This rests on"), "{text}");
    } else {
        assert_eq!(number(text, " is at ", " out of"), points(level), "{text}");
        let prior = row.get("prior");
        assert_eq!(
            number(text, "the average is ", "."),
            points(prior),
            "{text}"
        );
        let assessments = row.get::<_, i32>("assessments");
        says(text, &format!(" in {assessments} assessment"));
        let n = row.get::<_, i64>("n");
        assert_eq!(number(text, "rests on ", " answer"), n as f64, "{text}");
        says(
            text,
            &format!("the last on {}.", row.get::<_, &str>("last_day")),
        );
        let share = chance(row.get("evidence_share"));
        says(text, &format!("The answers make up {share} of this figure"));
        for (sentence, column) in [
            ("as much as new ones, it would be ", "level_without_decay"),
            (
                "questions counted alike, it would be ",
                "level_without_quality",
            ),
        ] {
            assert_eq!(
                number(text, sentence, "."),
                points(row.get(column)),
                "{text}"
            );
        }
    }
}

/// How exact it is, and how much more would be enough.
fn hold_evidence(row: &Row) {
    let text: &str = row.get("explanation");
    let status: &str = row.get("status");
    match (row.get("ci_low"), row.get("ci_high")) {
        (Some(low), Some(high)) => says(
            text,
            &format!("lie between {} and {}.", points(low), points(high)),
        ),
        _ => says(text, "There is too little data for a margin of error."),
    }
    if let Some(need) = row.get::<_, Option<f64>>("need") {
        says(
            text,
            &format!("below the line for help is {}.", chance(need)),
        );
    }
    let further = row.get::<_, i32>("further_assessments");
    assert_eq!(further == 0, status == "ok", "{text}");
    if further > 0 {
        assert_eq!(
            text.contains("would be enough, at the usual pace by about"),
            row.get::<_, Option<&str>>("enough_day").is_some(),
            "{text}"
        );
        let kind = if status == "none" { "" } else { "further " };
        says(text, &format!("; {further} {kind}assessment"));
        if let Some(day) = row.get::<_, Option<&str>>("enough_day") {
            says(text, &format!("by about {day}."));
        }
    }
}

/// What raised and what lowered it.
fn hold_parts(row: &Row) {
    let text: &str = row.get("explanation");
    let level: f64 = row.get("level");
    let (raised, lowered): (f64, f64) = (row.get("raised"), row.get("lowered"));
    let (raising, lowering): (i64, i64) = (row.get("raising"), row.get("lowering"));
    let prior: f64 = row.get("prior");
    assert!((level - prior - raised - lowered).abs() < 1e-9, "{text}");
    if raising > 0 {
        says(text, &format!("{raising} assessment"));
        says(text, &format!(" raised it, by {}", amount(raised)));
    }
    if lowering > 0 {
        says(text, &format!("{lowering} assessment"));
        says(text, &format!(", by {} in all", amount(lowered)));
    }
}

/// The trend, and missing work.
fn hold_trend_and_work(row: &Row) {
    let text: &str = row.get("explanation");
    let status: &str = row.get("status");
    let trend: &str = row.get("trend");
    if status != "none" {
        match trend {
            "rising" | "falling" => {
                let found = number(text, &format!("Scores are {trend}, by about "), " points");
                let slope: f64 = row.get("slope");
                assert!((found - (100.0 * slope).abs()).abs() <= 0.1, "{text}");
                assert_eq!(slope > 0.0, trend == "rising");
            }
            "steady" => says(text, "Scores are steady."),
            _ => says(
                text,
                "It is not clear whether scores are rising or falling.",
            ),
        }
    }
    let (due, missing): (i32, i32) = (row.get("due"), row.get("missing"));
    if missing > 0 {
        assert_eq!(
            number(text, " Of ", " due assessment"),
            f64::from(due),
            "{text}"
        );
        says(
            text,
            &format!(
                ", {missing} {} missing: ",
                if missing == 1 { "is" } else { "are" }
            ),
        );
    } else {
        assert!(!text.contains("missing: "), "{text}");
    }
}

/// Holds the paragraphs of all students of a model against their rows; gives their number.
fn hold_students(session: &mut Session, model: &str) -> usize {
    let rows = session
        .query(
            &format!(
                "SELECT e.*, s.student::text AS id,
                        to_char(e.last_at, 'FMDD FMMonth YYYY') AS last_day,
                        to_char(e.enough_at, 'FMDD FMMonth YYYY') AS enough_day,
                        (SELECT count(*) FROM assess.student_assessments('{model}', s.student, e.subject) a
                         WHERE a.contribution < 0) AS lowering,
                        (SELECT count(*) FROM assess.student_assessments('{model}', s.student, e.subject) a
                         WHERE a.contribution > 0) AS raising,
                        t.level AS stored
                 FROM (SELECT DISTINCT student FROM {model}.students) s
                 CROSS JOIN LATERAL assess.explain_student('{model}', s.student) e
                 JOIN {model}.students t ON t.student = s.student AND t.subject::text = e.subject"
            ),
            &[],
        )
        .expect("explains");
    for row in &rows {
        hold_level(row);
        hold_evidence(row);
        hold_parts(row);
        hold_trend_and_work(row);
    }
    assert_eq!(
        session.table(&format!(
            "SELECT e.explanation FROM (SELECT DISTINCT student FROM {model}.students) s
             CROSS JOIN LATERAL assess.explain_student('{model}', s.student) e WHERE {GRAMMAR}"
        )),
        [""; 0]
    );
    rows.len()
}

#[test]
fn sentences_about_students_say_what_their_rows_say() {
    let (_database, mut session) = with_model();
    let students: i64 = session.one("SELECT count(*) FROM m.students");
    assert_eq!(hold_students(&mut session, "m") as i64, students);
    let mut rows = session.table(
        "SELECT e.explanation FROM (SELECT DISTINCT student FROM m.students) s
         CROSS JOIN LATERAL assess.explain_student('m', s.student) e",
    );
    session.run("SELECT assess.set_option('m', 'as_of', '2026-04-02')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(hold_students(&mut session, "m") as i64, students);
    rows.extend(session.table(
        "SELECT e.explanation FROM (SELECT DISTINCT student FROM m.students) s
         CROSS JOIN LATERAL assess.explain_student('m', s.student) e",
    ));
    // Every kind of sentence has been seen.
    for part in [
        "No assessment raised",
        "No assessment lowered",
        "That is little evidence; 2 further assessments would",
        "That is little evidence; 1 further assessment would",
        "That is old evidence; 2 further",
        "That is old evidence; 1 further",
        "There is no evidence; 3 assessments would",
        "usually known to within",
        "What raised it most was assessment",
        "What lowered it most were assessments",
        "Scores are rising",
        "It is not clear whether scores",
        " 1 is missing: ",
        " 2 are missing: ",
        " more.",
        "No due assessment is missing.",
        "In Art, ",
        "In \"It's 'math'\", ",
    ] {
        assert!(rows.iter().any(|text| text.contains(part)), "{part}");
    }
}

#[test]
fn contributions_add_up_by_answer_and_by_assessment() {
    let (_database, mut session) = with_model();
    for (option, value) in [
        ("half_life", "30 days"),
        ("counting", "responses"),
        ("quality", "false"),
        ("attempts", "best"),
        ("exclude", "{test 4}"),
        ("adjust_difficulty", "false"),
        ("shrink", "false"),
    ] {
        session.run(&format!(
            "SELECT assess.set_option('m', '{option}', '{value}')"
        ));
        // Not refreshed yet: the explanation is still that of what is stored.
        for refreshed in [false, true] {
            if refreshed {
                session.run("CALL assess.refresh('m')");
            }
            assert_eq!(
                session.table(
                    "SELECT s.student, s.subject
                     FROM (SELECT * FROM m.students WHERE student < 's4') s
                     CROSS JOIN LATERAL (
                         SELECT coalesce(sum(a.contribution), 0) AS answers, count(*) AS n,
                                bool_and(abs(a.share * (a.score - a.expected) - a.contribution) < 1e-9)
                                    AS identity
                         FROM assess.student_answers('m', s.student, s.subject) a) a
                     CROSS JOIN LATERAL (
                         SELECT coalesce(sum(a.contribution), 0) AS assessments,
                                count(*) FILTER (WHERE a.status = 'missing') AS missing,
                                count(*) FILTER (WHERE a.status = 'taken') AS taken,
                                bool_and(abs(a.share * (a.score - a.expected) - a.contribution) < 1e-9)
                                    AS identity
                         FROM assess.student_assessments('m', s.student, s.subject) a) t
                     WHERE abs(s.level - s.prior - a.answers) > 1e-9
                     OR abs(s.level - s.prior - t.assessments) > 1e-9
                     OR NOT a.identity OR NOT t.identity OR t.missing <> s.missing
                     OR t.taken > s.assessments"
                ),
                [""; 0],
                "{option} = {value}, refreshed: {refreshed}"
            );
        }
    }
}

#[test]
fn others_stand_beside_an_answer_without_the_student() {
    let (_database, mut session) = with_model();
    assert_eq!(
        session.table(
            "SELECT a.subject, a.item, a.others, a.others_mean, o.n, o.mean
             FROM assess.student_answers('m', 's20') a
             JOIN LATERAL (
                 SELECT count(*) AS n, avg(f.score) AS mean
                 FROM (SELECT DISTINCT ON (r.student, r.assessment) least(1, r.score / r.max_score) AS score
                       FROM responses r
                       WHERE r.subject = a.subject AND r.item::text = a.item AND r.student <> 's20'
                       AND r.score BETWEEN 0 AND r.max_score AND r.max_score = 4
                       ORDER BY r.student, r.assessment, r.taken_on, r.score DESC) f) o ON true
             WHERE a.item::int % 10 <> 0
             AND (a.others <> o.n OR abs(a.others_mean - o.mean) > 1e-9 OR a.others_mean IS NULL)"
        ),
        [""; 0]
    );
    // An id may be a parameter, of which the driver does not know the type beforehand.
    let n: i64 = session
        .query_one(
            "SELECT count(*) FROM assess.student_answers('m', $1, $2)",
            &[&"s20", &"Art"],
        )
        .expect("answers")
        .get(0);
    assert!(n > 50);
    // Few others could be identified from a mean.
    session.run("SELECT assess.set_option('m', 'min_group_size', '1000')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.one::<i64>("SELECT count(others_mean) FROM assess.student_answers('m', 's20')"),
        0
    );
}

#[test]
fn who_is_not_known_is_refused_without_being_named() {
    let (_database, mut session) = with_model();
    for function in ["explain_student", "student_answers", "student_assessments"] {
        let error = session.refuses(
            &format!("SELECT * FROM assess.{function}('m', 'secret name')"),
            "P0002",
        );
        assert!(!common_text(&error).contains("secret"), "{error}");
        assert!(!common_text(&error).contains("s1"), "{error}");
        session.refuses(
            &format!("SELECT * FROM assess.{function}('m', 's20', 'Latin')"),
            "P0002",
        );
        session.fails(&format!(
            "SELECT * FROM assess.{function}('nowhere', 's20')"
        ));
        assert_eq!(
            session.table(&format!("SELECT * FROM assess.{function}('m', NULL)")),
            [""; 0]
        );
    }
    for function in [
        "explain_question",
        "question_curve",
        "question_choices",
        "question_uses",
        "question_disagreements",
    ] {
        session.refuses(&format!("SELECT * FROM assess.{function}('m', 7)"), "P0002");
        session.refuses(
            &format!("SELECT * FROM assess.{function}('m', 'x')"),
            "P0002",
        );
        session.refuses(
            &format!("SELECT * FROM assess.{function}('m', 101, 'Art')"),
            "P0002",
        );
        assert_eq!(
            session.table(&format!("SELECT * FROM assess.{function}('m', NULL)")),
            [""; 0]
        );
    }
}

/// All that an error says.
fn common_text(error: &postgres::error::DbError) -> String {
    format!("{error:?}")
        .split("where_:")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn one_student_one_answer_and_nothing_at_all() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE responses (student text, item int, assessment text, score float8,
                                 max_score float8, taken_on date);
         INSERT INTO responses VALUES ('ann', 1, 'first', 1, 1, '2026-01-05')",
    );
    model(&mut session, "one", "responses", COLUMNS, "2026-01-06");
    let text: String = session.one("SELECT explanation FROM assess.explain_student('one', 'ann')");
    says(&text, "Student ann is at 100 out of 100");
    says(
        &text,
        "This rests on 1 answer in 1 assessment, the last on 5 January 2026.",
    );
    says(&text, "2 further assessments would be enough.");
    let text: String = session.one("SELECT explanation FROM assess.explain_question('one', 1)");
    says(
        &text,
        "Question 1 has 1 answer that counts, from 1 assessment, on 5 January 2026.",
    );
    says(&text, "too little");
    // Nobody has any evidence.
    session.run("UPDATE responses SET score = NULL");
    session.run("CALL assess.refresh('one')");
    let text: String = session.one("SELECT explanation FROM assess.explain_student('one', 'ann')");
    assert_eq!(
        text,
        "Nothing is known of student ann, nor of anybody else: no answer counts yet. \
         There is no evidence; 3 assessments would be enough. \
         No due assessment is missing. 1 assessment waits for its marks, or for those \
         of most students."
    );
}

#[test]
fn ids_of_all_types_and_hostile_names_are_found_and_shown() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(
        "CREATE DOMAIN code AS int;
         CREATE TABLE \"Ids'\"\"\" AS
         SELECT md5(student)::uuid AS student, item::bigint, assessment, score, max_score, taken_on
         FROM responses;
         CREATE TABLE numbers AS
         SELECT substr(student, 2)::code AS student, item::numeric(9, 2) AS item,
                date '2026-01-01' + substr(assessment, 6)::int AS assessment, score, max_score, taken_on
         FROM responses;
         CREATE TABLE hostile AS
         SELECT replace(student, 's1', E'\\'); DROP TABLE responses; -- %s %I \"\\n\\t$1') AS student,
                'q\"''%' || item AS item, assessment || repeat(' é', 50) AS assessment, score, max_score,
                taken_on
         FROM responses",
    );
    model(&mut session, "u", "\"Ids''\"\"\"", COLUMNS, "2026-04-01");
    model(&mut session, "N; \"'%s", "numbers", COLUMNS, "2026-04-01");
    model(&mut session, "h", "hostile", COLUMNS, "2026-04-01");
    session.run(
        "CREATE FUNCTION public.btrim(text) RETURNS text LANGUAGE sql AS 'SELECT (1/0)::text';
         CREATE FUNCTION public.round(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 1/0';
         SET search_path = public, pg_catalog; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'",
    );
    let found = "SELECT count(*) = 1 AND bool_and(e.level = s.level)";
    for (name, id) in [
        ("u", "md5('s7')::uuid"),
        ("u", "upper(md5('s7'))"),
        ("N; \"'%s", "7"),
        ("N; \"'%s", "' 7 '"),
        ("N; \"'%s", "7::smallint"),
        ("h", "'s7'"),
        ("h", "E'\\'); DROP TABLE responses; -- %s %I \"\\n\\t$15'"),
    ] {
        let (quoted, schema) = (name.replace('\'', "''"), name.replace('"', "\"\""));
        let student = if name == "u" {
            format!("({id})::uuid")
        } else if name == "h" {
            id.to_owned()
        } else {
            format!("({id})::int")
        };
        assert!(
            session.one::<bool>(&format!(
                "{found} FROM \"{schema}\".students s, assess.explain_student('{quoted}', {id}) e
                 WHERE s.student = {student}"
            )),
            "{name} {id}"
        );
        assert!(
            session.one::<i64>(&format!(
                "SELECT count(*) FROM assess.student_answers('{quoted}', {id})"
            )) > 50
        );
    }
    let text: String = session.one(
        "SELECT explanation FROM assess.explain_student(
             'h', E'\\'); DROP TABLE responses; -- %s %I \"\\n\\t$15')",
    );
    says(
        &text,
        "Student \"'); DROP TABLE responses; -- %s %I ' $15\" is at ",
    );
    assert!(text.len() < 2500, "{text}");
    for (name, item) in [("u", "102"), ("N; \"'%s", "102.00"), ("h", "'q\"''%102'")] {
        let quoted = name.replace('\'', "''");
        assert_eq!(
            session.one::<i64>(&format!(
                "SELECT count(*) FROM assess.explain_question('{quoted}', {item}) e,
                        assess.question_uses('{quoted}', {item}) v WHERE v.n = e.n"
            )),
            1,
            "{name}"
        );
        session.run(&format!(
            "SELECT * FROM assess.question_choices('{quoted}', {item})"
        ));
        session.run(&format!(
            "SELECT * FROM assess.compare_runs('{quoted}', 2, 2)"
        ));
        session.run(&format!(
            "SELECT * FROM assess.what_if('{quoted}', settings => '{{\"half_life\": \"1 day\"}}')"
        ));
    }
}
