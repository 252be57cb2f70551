//! Explanations of a model's results: every paragraph is held against the row it stands in, parts
//! add up to what they are parts of, and ids, names and gaps of any kind do no harm.

use pg_assess_it::{Database, RESPONSES, Session};

/// What the model's columns are, over a table with the columns of [`RESPONSES`].
const COLUMNS: &str = "student => 'student', item => 'item', assessment => 'assessment', \
     score => 'score', max_score => 'max_score', taken_at => 'taken_on'";

/// Makes a model over a table, as of a day, and refreshes it.
fn model(session: &mut Session, name: &str, source: &str, columns: &str, as_of: &str) {
    let name = name.replace('\'', "''");
    session.run(&format!(
        "SELECT assess.create_model('{name}', '{source}', {columns});
         SELECT assess.set_option('{name}', 'as_of', '{as_of}')"
    ));
    session.run(&format!("CALL assess.refresh('{name}')"));
    session.notices();
}

/// A model `m` over [`RESPONSES`] in two subjects, with some who are late, new, thin or silent.
fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(
        "ALTER TABLE responses ADD subject text;
         UPDATE responses SET subject = CASE WHEN item % 2 = 0 THEN 'Art' ELSE 'It''s \"math\"' END;
         DELETE FROM responses WHERE student = 's1' AND assessment <> 'test 3';
         DELETE FROM responses WHERE student = 's2' AND assessment NOT IN ('test 3', 'test 4');
         DELETE FROM responses WHERE student = 's3' AND taken_on > '2026-02-01';
         DELETE FROM responses WHERE student IN ('s5', 's6') AND assessment IN ('test 9', 'test 10');
         DELETE FROM responses WHERE student = 's7' AND assessment = 'test 9';
         UPDATE responses SET score = NULL WHERE student = 's4';
         UPDATE responses SET score = max_score WHERE student = 's8' AND max_score = 4;
         UPDATE responses SET score = 0 WHERE student = 's9' AND max_score = 4",
    );
    let columns = format!("{COLUMNS}, subject => 'subject'");
    model(&mut session, "m", "responses", &columns, "2026-08-01");
    (database, session)
}

/// Sentences in which one of something stands as many, or many as one.
const GRAMMAR: &str = "explanation ~ '(^|[ (])1 (answers|points|assessments|new answers|are)\\M'
     OR explanation ~ '(^|[ (])(0|[2-9]|[0-9,]*[0-9][0-9]) (answer|point|assessment|further assessment|new answer|due assessment|is (missing|right|wrong|below|not))\\M'
     OR explanation ~ '  | ,|[.][.] |%!|NULL' OR explanation !~ '[.]$' OR explanation ~ '[\\n\\r]'";

/// The text between two others, of which the first is sought from the beginning.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

/// The number between two texts.
#[track_caller]
fn number(text: &str, before: &str, after: &str) -> f64 {
    let found = between(text, before, after)
        .unwrap_or_else(|| panic!("nothing between {before:?} and {after:?}: {text}"));
    found
        .replace(',', "")
        .parse()
        .unwrap_or_else(|_| panic!("no number between {before:?} and {after:?}: {text}"))
}

/// Points of a hundred, as a level is shown.
fn points(level: f64) -> f64 {
    // In decimals, as numeric rounds: 57.5 may be a hair less in binary.
    (format!("{:.13}", 100.0 * level.clamp(0.0, 1.0)).parse::<f64>())
        .expect("a number")
        .round()
}

/// An amount as it is shown.
fn amount(change: f64) -> String {
    let told = (100.0 * change.abs()).round();
    if change.abs() < 0.005 {
        "less than 1 point".into()
    } else if told == 1.0 {
        "1 point".into()
    } else {
        format!("{told} points")
    }
}

/// A probability as it is shown.
fn chance(p: f64) -> String {
    if p < 0.005 {
        "less than 1 %".into()
    } else if p >= 0.995 {
        "more than 99 %".into()
    } else {
        format!("{} %", points(p))
    }
}

/// Asserts that `text` says `what`.
#[track_caller]
fn says(text: &str, what: &str) {
    assert!(text.contains(what), "{what:?} is not in: {text}");
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
        let trend: &str = row.get("trend");
        if status != "none" {
            match trend {
                "rising" | "falling" => {
                    let told = number(text, &format!("Scores are {trend}, by about "), " points");
                    let slope: f64 = row.get("slope");
                    assert!((told - (100.0 * slope).abs()).abs() <= 0.1, "{text}");
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
fn what_is_said_of_students_is_what_their_rows_say() {
    let (_database, mut session) = with_model();
    let students: i64 = session.one("SELECT count(*) FROM m.students");
    assert_eq!(hold_students(&mut session, "m") as i64, students);
    let mut told = session.table(
        "SELECT e.explanation FROM (SELECT DISTINCT student FROM m.students) s
         CROSS JOIN LATERAL assess.explain_student('m', s.student) e",
    );
    session.run("SELECT assess.set_option('m', 'as_of', '2026-04-02')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(hold_students(&mut session, "m") as i64, students);
    told.extend(session.table(
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
        assert!(told.iter().any(|text| text.contains(part)), "{part}");
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
    // Few others could be told from a mean.
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
        let told = session.refuses(
            &format!("SELECT * FROM assess.{function}('m', 'secret name')"),
            "P0002",
        );
        assert!(!common_text(&told).contains("secret"), "{told}");
        assert!(!common_text(&told).contains("s1"), "{told}");
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
fn common_text(told: &postgres::error::DbError) -> String {
    format!("{told:?}")
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
         There is no evidence; 3 assessments would be enough."
    );
}

#[test]
fn ids_of_all_types_and_hostile_names_are_found_and_told() {
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

#[test]
fn what_is_said_of_questions_is_what_their_rows_say() {
    let (_database, mut session) = with_model();
    session.run("UPDATE responses SET score = 4 WHERE item = 101 AND score IS NOT NULL;
                 UPDATE responses SET score = 4 - score WHERE item IN (203, 305, 404) AND score <= 4");
    session.run("CALL assess.refresh('m')");
    let rows = session
        .query(
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
             FROM m.questions q CROSS JOIN LATERAL assess.explain_question('m', q.item, q.subject) e",
            &[],
        )
        .expect("explains");
    assert_eq!(rows.len(), 120);
    for row in &rows {
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
        let weight: f64 = row.get("weight");
        if weight == 0.0 {
            says(text, "count for nothing");
        } else if (weight - 1.0).abs() < 0.04999 {
            says(text, "counts as much as one to a usual question");
        } else {
            let told = number(text, "to it counts ", " times");
            assert!((told - weight).abs() <= 0.05001, "{text}");
            assert!(told > 0.0, "{text}");
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
fn answers_are_told_where_they_are_known() {
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

/// Rows of compare_runs whose parts do not add up, or whose reason or sentence is not theirs.
const WRONG: &str = "abs(change - (level_after - level_before)) > 1e-12
     OR abs(change - by_scores - by_weights - by_time - by_settings - by_other) > 1e-12
     OR (change IS NULL) <> (reason IN ('new', 'gone'))
     OR (abs(change) < 0.005) <> (reason = 'unchanged')
     OR reason = 'scores' AND new_answers = 0 OR reason = 'others' AND new_answers > 0
     OR reason NOT IN ('new', 'gone', 'scores', 'others', 'weights', 'time', 'settings', 'late', 'other',
                       'unchanged')";

#[test]
fn runs_are_compared_by_parts_that_add_up() {
    let (_database, mut session) = with_model();
    let refresh = |session: &mut Session, option: &str, value: &str| -> i64 {
        session.run(&format!(
            "SELECT assess.set_option('m', '{option}', '{value}')"
        ));
        session.run("CALL assess.refresh('m')");
        session.one("SELECT max(run_id) FROM m.runs WHERE status = 'succeeded'")
    };
    let a = refresh(&mut session, "as_of", "2026-03-01");
    let b = refresh(&mut session, "as_of", "2026-03-20");
    let c = refresh(&mut session, "half_life", "20 days");
    let d = refresh(&mut session, "as_of", "2026-06-20");
    let runs = [(a, b), (b, c), (a, c), (c, d), (a, d), (b, b)];
    for (from, to) in runs {
        assert_eq!(
            session.table(&format!(
                "SELECT * FROM assess.compare_runs('m', {from}, {to}) WHERE {WRONG} OR {GRAMMAR}"
            )),
            [""; 0]
        );
        let rest: f64 = session.one(&format!(
            "SELECT coalesce(max(abs(by_other)), 0) FROM assess.compare_runs('m', {from}, {to})"
        ));
        assert!(rest < 1e-9, "{from} {to}: {rest}");
    }
    // One cause at a time.
    let only = |session: &mut Session, from: i64, to: i64| -> Vec<String> {
        session.table(&format!(
            "SELECT DISTINCT reason FROM assess.compare_runs('m', {from}, {to}) ORDER BY 1"
        ))
    };
    assert_eq!(only(&mut session, b, c), ["settings", "unchanged"]);
    assert_eq!(only(&mut session, b, b), ["unchanged"]);
    assert!(only(&mut session, a, b).contains(&"scores".to_owned()));
    // No response is later than run_c's time but those of d's, so new answers are counted exactly.
    assert_eq!(
        session.table(&format!(
            "SELECT student FROM assess.compare_runs('m', {a}, {b}) k
             WHERE new_answers <> (SELECT count(*) FROM responses r
                 WHERE r.student = k.student AND r.subject = k.subject AND r.score BETWEEN 0 AND r.max_score
                 AND r.taken_on > '2026-03-01' AND r.taken_on <= '2026-03-20')")),
        [""; 0]
    );
    // The sentence tells the numbers of its row.
    let rows = session
        .query(
            &format!("SELECT * FROM assess.compare_runs('m', {a}, {c}) WHERE change IS NOT NULL"),
            &[],
        )
        .expect("compares");
    for row in &rows {
        let text: &str = row.get("explanation");
        let (before, after): (f64, f64) = (row.get("level_before"), row.get("level_after"));
        if points(before) == points(after) {
            says(text, &format!("stayed at {} out of 100", points(after)));
        } else {
            let way = if after > before { "up" } else { "down" };
            says(
                text,
                &format!(
                    "went {way} from {} to {} out of 100",
                    points(before),
                    points(after)
                ),
            );
        }
        let parts: [(&str, f64); 3] = [
            ("the weights of questions", row.get("by_weights")),
            ("changed settings", row.get("by_settings")),
            ("new answer", row.get("by_scores")),
        ];
        for (cause, part) in parts {
            assert_eq!(
                text.contains(cause),
                part.abs() >= 0.005,
                "{cause} {part}: {text}"
            );
            if part.abs() >= 0.005 {
                let way = if part > 0.0 { "up" } else { "down" };
                says(text, &format!("{way} by {}", amount(part)));
            }
        }
    }
    // What is corrected afterwards is not hidden.
    session.run("UPDATE responses SET score = 4 - score
                 WHERE student = 's30' AND taken_on < '2026-02-15' AND score <= 4 AND max_score = 4;
                 DELETE FROM responses WHERE student = 's31';
                 INSERT INTO responses SELECT 'n1', item, assessment, score, max_score, taken_on, subject
                 FROM responses WHERE student = 's32'");
    let e = refresh(&mut session, "as_of", "2026-06-20");
    assert_eq!(
        session.table(&format!(
            "SELECT * FROM assess.compare_runs('m', {d}, {e}) WHERE {WRONG}"
        )),
        [""; 0]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT DISTINCT student, reason FROM assess.compare_runs('m', {d}, {e})
             WHERE student IN ('s30', 's31', 'n1') ORDER BY 1"
        )),
        ["n1|new", "s30|other", "s31|gone"]
    );
    for (from, to) in [(d, a), (a, 99), (77, 99)] {
        session.refuses(
            &format!("SELECT * FROM assess.compare_runs('m', {from}, {to})"),
            if from == d { "22023" } else { "P0002" },
        );
    }
    assert_eq!(
        session.table("SELECT * FROM assess.compare_runs('m', NULL, 1)"),
        [""; 0]
    );
}

#[test]
fn history_is_kept_for_as_many_runs_as_the_settings_say() {
    let (_database, mut session) = with_model();
    assert_eq!(
        session.table(
            "SELECT run_id, count(*) = (SELECT count(*) FROM m.students)
                       FROM m.history GROUP BY run_id ORDER BY run_id"
        ),
        ["1|t", "2|t"]
    );
    assert_eq!(
        session.table("SELECT student, subject FROM m.students s JOIN m.history h USING (run_id, subject, student)
                       WHERE (h.level, h.level_se, h.need, h.need_rank, h.trend, h.status, h.n)
                           IS DISTINCT FROM (s.level, s.level_se, s.need, s.need_rank, s.trend, s.status, s.n)"),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
                       WHERE attrelid = 'm.history'::regclass AND attnum > 0 ORDER BY attnum"
        ),
        [
            "run_id|bigint",
            "subject|text",
            "student|text",
            "level|double precision",
            "level_se|double precision",
            "need|double precision",
            "need_rank|bigint",
            "trend|text",
            "status|text",
            "n|bigint",
            "as_of|timestamp with time zone",
            "row_id|bigint"
        ]
    );
    session.run("SELECT assess.set_option('m', 'keep_history', '2')");
    session.run("CALL assess.refresh('m')");
    // A run that fails leaves no history, and takes none.
    session.run("ALTER TABLE m.settings ADD CHECK (true); ALTER TABLE m.history ADD CONSTRAINT no CHECK (run_id <> 4)");
    session.fails("CALL assess.refresh('m')");
    session.run("ALTER TABLE m.history DROP CONSTRAINT no");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT DISTINCT run_id FROM m.history ORDER BY 1"),
        ["3", "5"]
    );
    session.run("SELECT assess.set_option('m', 'keep_runs', '1')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table("SELECT DISTINCT run_id FROM m.history ORDER BY 1"),
        ["6"]
    );
    session.run("SELECT assess.drop_model('m')");
}

#[test]
fn scores_that_come_late_are_told_apart_from_corrections() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE late AS
         SELECT s, 10 * a + i AS i, a, ((s * 7 + i * 3 + a) % 10 < 3 + s % 5)::int AS x,
                date '2026-01-05' + 7 * a AS d
         FROM generate_series(1, 40) s, generate_series(1, 6) i, generate_series(1, 6) a;
         SELECT assess.create_model('m', 'late', 's', 'i', 'a', 'x', 'd',
             settings => '{\"as_of\": \"2026-02-20 03:30\"}');
         INSERT INTO late
         SELECT s, 70 + i, 7, (s % 2 = 0)::int, '2026-02-20'
         FROM generate_series(1, 40) s, generate_series(1, 6) i",
    );
    session.run("SELECT assess.set_option('m', 'as_of', '2026-02-21 03:30')");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session
            .table("SELECT DISTINCT new_answers, late_answers FROM assess.compare_runs('m', 1, 2)"),
        ["0|6"]
    );
    let moved: i64 = session.one(
        "SELECT count(*) FROM assess.compare_runs('m', 1, 2)
         WHERE reason = 'late' AND explanation LIKE '%: 6 answers that came late moved it %'",
    );
    assert!(moved > 20, "{moved}");
    assert_eq!(
        session.table(
            "SELECT DISTINCT reason FROM assess.compare_runs('m', 1, 2) WHERE reason = 'other'"
        ),
        [""; 0]
    );
}
