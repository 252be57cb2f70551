//! Explanations of a model's results: every paragraph is held against the row it stands in, parts
//! add up to what they are parts of, and ids, names and gaps of any kind do no harm.

mod questions;
mod runs;
mod students;

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

/// Points of a hundred to a tenth, as levels are shown that whole points would show as one.
fn tenths(level: f64) -> String {
    format!("{:.1}", 100.0 * level.clamp(0.0, 1.0))
}

/// An amount as it is shown.
fn amount(change: f64) -> String {
    let found = (100.0 * change.abs()).round();
    if change.abs() < 0.005 {
        "less than 1 point".into()
    } else if found == 1.0 {
        "1 point".into()
    } else {
        format!("{found} points")
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
