//! The pictures of a model: that they show what its views say, to whoever may read these, whatever
//! things are called.

mod asked;
mod shown;

use pg_assess_it::{Database, Session};

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
