//! Models: made by one statement over any source, refreshed without anybody noticing, and logged
//! whatever happens.

mod made;
mod refreshed;
mod used;

use pg_assess_it::{Database, Session};

/// A session with the sample network, and a model `school` of it as of its last day.
fn with_model() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "SELECT * FROM assess.sample_network(students_per_school => 20, weeks => 12);
         CREATE VIEW scores AS SELECT r.*, s.school_id
         FROM sample_network.responses r JOIN sample_network.students s USING (student_id);",
    );
    session.run(MODEL);
    session.run("SELECT assess.set_option('school', 'as_of', '2025-12-20')");
    session.run("CALL assess.refresh('school')");
    session.notices();
    (database, session)
}

const MODEL: &str = "
    SELECT assess.create_model('school', 'scores', 'student_id', 'question_id', 'assessment_id',
        'points', 'taken_on', max_score => 'max_points', subject => 'subject',
        student_group => 'school_id', attempt => 'attempt')";

const REFRESHED: [&str; 6] = [
    "parts",
    "gradebook",
    "questions",
    "students",
    "assessments",
    "coverage",
];

/// What a relation of the model holds, without what describes the run.
fn held(session: &mut Session, relation: &str) -> Vec<String> {
    session.table(&format!(
        "SELECT (to_jsonb(r) - 'run_id' - 'as_of')::text FROM school.{relation} r ORDER BY 1"
    ))
}

fn all(session: &mut Session) -> Vec<Vec<String>> {
    REFRESHED.map(|relation| held(session, relation)).to_vec()
}
