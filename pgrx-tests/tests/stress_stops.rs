//! Stops refresh, create_model and drop_model at random moments, by cancels and by timeouts. After each
//! stop a refresh from another session must work at once, and give what a model gives that was
//! never stopped.

use pg_assess_it::source::scores;
use pg_assess_it::{Database, Dice, Stop, stopped};

const MODEL: &str = "'src', 'sid', 'item', 'a', 'score', 'd', subject => 'subj',
    settings => '{\"as_of\": \"2026-04-01\"}'";

/// The results of a model, but for when and by which run.
const RESULTS: &str =
    "SELECT md5(string_agg(s::text, ' ' ORDER BY subject, student)), count(*) FROM
    (SELECT subject, student, level, level_se, need_rank, n, status FROM m.students) s";

fn main() {
    let stops = pg_assess_it::number("STOPS");
    let mut dice = Dice::new(pg_assess_it::seed());
    let database = Database::new();
    let mut observer = database.session();
    observer.run(&scores("src", 400, 60, ", 'subject ' || s % 5 AS subj"));
    observer.run("ANALYZE src");
    let create =
        format!("SELECT count(*) FROM assess.create_model('m', {MODEL}, if_not_exists => true)");
    let tracked = format!(
        "SELECT count(*) FROM assess.create_model('m', {MODEL}, track_changes => 'triggers',
                                                  if_not_exists => true)"
    );
    let drop =
        "DO $$ BEGIN PERFORM assess.drop_model('m'); EXCEPTION WHEN undefined_object THEN END $$";
    observer.run(&create);
    let expected = observer.table(RESULTS);
    let mut ended = std::collections::BTreeMap::<String, u32>::new();
    let mut session = database.session();
    for stop in 0..stops {
        // Sessions go on with other work after a stop, as those of a pooler do.
        if dice.below(10) == 0 {
            session = database.session();
        }
        let statement = match dice.below(8) {
            0 => create.as_str(),
            1 => tracked.as_str(),
            2 => drop,
            3 => "CALL assess.refresh('m', true)",
            _ => "CALL assess.refresh('m')",
        };
        let after = dice.below(200) as u64;
        let how = match dice.below(2) {
            0 => Stop::Cancel(after),
            _ => Stop::Timeout(after),
        };
        let (code, _) = stopped(&mut session, statement, how);
        assert_ne!(code, "gone", "the server is gone");
        *ended.entry(code).or_default() += 1;
        if dice.below(3) == 0 {
            let _ = session.simple_query("SET statement_timeout = 0; BEGIN; SELECT 1");
        }
        observer.run(&create);
        if let Err(error) = observer.simple_query("CALL assess.refresh('m')") {
            panic!("after stop {stop}: {}", pg_assess_it::describe(&error));
        }
        assert_eq!(observer.table(RESULTS), expected, "after stop {stop}");
        assert_eq!(
            observer.table("SELECT status FROM m.runs WHERE status = 'running'"),
            [""; 0],
            "after stop {stop}"
        );
        let _ = session.simple_query("ROLLBACK");
    }
    println!("{stops} stops, by how they ended: {ended:?}; each refresh after them worked at once");
}
