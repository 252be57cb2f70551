//! Tables of responses to make models over, and what such models are held against.

use crate::Session;

/// Scores of students on items: all on dates of the year 2026, and the same wherever they are made.
/// `more` are further columns, such as `, now() AS changed`.
pub fn scores(table: &str, students: u32, items: u32, more: &str) -> String {
    format!(
        "CREATE TABLE {table} AS
         SELECT s AS sid, 'q' || i AS item, 'a' || (i / 5) AS a,
                ((s * 7919 + i * 104729 + s * i * 31) % 100 < 30 + s)::int::float8 AS score,
                date '2026-01-01' + 7 * (i / 5) AS d {more}
         FROM generate_series(1, {students}) s, generate_series(1, {items}) i;"
    )
}

/// Responses of two school years, of several schools and subjects, and some without.
pub const MADE: &str = "
    CREATE VIEW made AS
    SELECT s AS student, (ARRAY['ELA', 'Math', NULL])[s % 3 + 1] AS subject,
           (ARRAY['North', 'South', NULL])[s / 3 % 3 + 1] AS school, t AS test,
           t * 5 + q AS question, (hashtext(format('%s %s %s', s, t, q)) & 255 > s * 4)::int
               AS points,
           timestamp '2024-09-02 10:00' + t * interval '17 days' + s % 2 * interval '1 day'
               AS at
    FROM generate_series(1, 60) s, generate_series(1, 30) t, generate_series(1, 5) q;";

/// A table for the rows of [`MADE`], like those of schools: with a key and more columns.
pub fn responses(table: &str, time: &str, kind: &str) -> String {
    format!(
        "CREATE TABLE {table} (id serial, student int, subject text,
             school text, test int, question int, points float8, at {time}, try int DEFAULT 1,
             note text, changed timestamptz DEFAULT clock_timestamp()) {kind};
         CREATE INDEX ON {table} (at);"
    )
}

/// The columns of such a table that [`MADE`] has, in its order.
pub const COLUMNS: &str = "student, subject, school, test, question, points, at";

pub fn fill(table: &str) -> String {
    format!("INSERT INTO {table} ({COLUMNS}) SELECT * FROM made")
}

/// A model over such a table; `more` are further arguments.
pub fn model(session: &mut Session, name: &str, table: &str, more: &str) {
    session.run(&format!(
        "DO $$ BEGIN PERFORM assess.create_model('{name}', '{table}', 'student', 'question', 'test',
             'points', 'at', subject => 'subject', student_group => 'school', attempt => 'try'
             {more}); END $$;
         SELECT assess.set_option('{name}', 'as_of', '2026-06-30')"
    ));
}

/// Where a model does not say, to the last bit, what another says that has read everything.
pub fn differences(session: &mut Session, name: &str, whole: &str) -> Vec<String> {
    let mut found = Vec::new();
    for relation in [
        "gradebook",
        "questions",
        "students",
        "assessments",
        "coverage",
    ] {
        let rows =
            |model: &str| format!("SELECT to_jsonb(r) - 'run_id' AS r FROM {model}.{relation} r");
        let (one, other) = (rows(whole), rows(name));
        let differences: i64 = session.one(&format!(
            "SELECT count(*) FROM (({one} EXCEPT ALL {other}) UNION ALL
                                   ({other} EXCEPT ALL {one})) d"
        ));
        if differences > 0 {
            found.push(format!("{differences} rows of {name}.{relation}"));
        }
    }
    let count =
        |model: &str| format!("SELECT coalesce(sum(rows), 0)::bigint FROM {model}.gradebook");
    let (one, other): (i64, i64) = (session.one(&count(whole)), session.one(&count(name)));
    if one != other {
        found.push(format!("{name} holds {other} rows of {one}"));
    }
    found
}
