//! `roster_agg`, `rollup` of two gradebooks and `missing_work`: their frozen shape, what they take
//! and refuse, that no plan and no detour changes a byte, and that missing work is what plain SQL
//! finds in the same tables.

mod missing_work;
mod periods;

use pg_assess_it::{Database, RESPONSES, Session, gradebook_of};

/// The aggregate of the columns of [`ROSTER`].
const ENROL: &str = "assess.roster_agg(student, class, entered_on, left_on)";

/// A roster for [`RESPONSES`]: four classes, of which one sits everything two weeks later and one
/// leaves out three tests; students who join, leave, move, come back, are in two classes at once,
/// stand there twice, or have no class; and some who never answer. Many tests are missed.
const ROSTER: &str = "
    CREATE TABLE roster (student text, class text, entered_on date, left_on date);
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, CASE WHEN n % 3 > 0 THEN date '2026-01-01' END, NULL
    FROM generate_series(1, 100) n WHERE n % 10 <> 7 AND n % 9 <> 0;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, date '2026-02-01', NULL
    FROM generate_series(1, 100) n WHERE n % 10 = 7;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || n % 4, NULL, date '2026-02-20'
    FROM generate_series(1, 100) n WHERE n % 9 = 0 AND n % 10 <> 7;
    INSERT INTO roster
    SELECT 's' || n, 'class ' || (n + 1) % 4, date '2026-02-21', NULL
    FROM generate_series(1, 100) n WHERE n % 18 = 0;
    INSERT INTO roster VALUES
        ('s1', 'class 2', NULL, NULL), ('s1', 'class 1', '2026-01-20', '2026-02-10'),
        ('s1', 'class 1', '2026-02-10', '2026-03-10'), ('s2', NULL, NULL, NULL),
        ('s3', NULL, NULL, '2026-02-03'), ('s4', NULL, '2026-02-03', '2026-02-03'),
        ('s101', 'class 1', '2026-03-01', NULL), ('s102', 'class 9', NULL, NULL);
    INSERT INTO roster SELECT * FROM roster LIMIT 20;
    DELETE FROM responses WHERE hashtext(student || assessment) % 4 = 0;
    DELETE FROM responses
    WHERE substr(student, 2)::int % 4 = 3 AND assessment IN ('test 2', 'test 5', 'test 6');
    UPDATE responses SET taken_on = taken_on + 14 WHERE substr(student, 2)::int % 4 = 2;
    ANALYZE roster, responses;";

/// A session with [`RESPONSES`] and [`ROSTER`], and with their gradebooks in tables `g`, `r` and,
/// both as one, `b`.
fn with_roster() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(ROSTER);
    session.run(&format!(
        "CREATE TABLE g AS {};
         CREATE TABLE r AS SELECT {ENROL} AS gb FROM roster;
         CREATE TABLE b AS SELECT assess.rollup(g.gb, r.gb) AS gb FROM g, r",
        gradebook_of("responses")
    ));
    session.notices();
    (database, session)
}
