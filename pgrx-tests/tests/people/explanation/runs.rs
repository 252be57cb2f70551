//! What changed from run to run.

use pg_assess_it::{Database, Session};

use super::{GRAMMAR, amount, points, says, tenths, with_model};

/// Rows of compare_runs whose parts do not add up, or whose reason or sentence is not theirs.
const WRONG: &str = "abs(change - (level_after - level_before)) > 1e-12
     OR abs(change - by_scores - by_weights - by_time - by_settings - by_other) > 1e-12
     OR (change IS NULL) <> (reason IN ('new', 'gone'))
     OR (abs(change) < 0.005) <> (reason = 'unchanged')
     OR reason = 'scores' AND new_answers = 0 OR reason = 'others' AND new_answers > 0
     OR reason NOT IN ('new', 'gone', 'scores', 'others', 'weights', 'time', 'settings', 'late', 'other',
                       'unchanged')";

fn sentences_tell_the_numbers_of_their_rows(session: &mut Session, a: i64, c: i64) {
    let rows = session
        .query(
            &format!("SELECT * FROM assess.compare_runs('m', {a}, {c}) WHERE change IS NOT NULL"),
            &[],
        )
        .expect("compares");
    for row in &rows {
        let text: &str = row.get("explanation");
        let (before, after): (f64, f64) = (row.get("level_before"), row.get("level_after"));
        let shown = if points(before) == points(after) {
            [before, after].map(tenths)
        } else {
            [before, after].map(|level| points(level).to_string())
        };
        let [shown_before, shown_after] = &shown;
        if (after - before).abs() < 0.005 || shown_before == shown_after {
            says(text, &format!("stayed at {} out of 100", points(after)));
        } else {
            let way = if after > before { "up" } else { "down" };
            says(
                text,
                &format!("went {way} from {shown_before} to {shown_after} out of 100"),
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
}

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
             WHERE new_answers <> (SELECT count(*) FROM (
                 SELECT min(r.taken_on) AS first_on FROM responses r
                 WHERE r.student = k.student AND r.subject = k.subject AND r.score BETWEEN 0 AND r.max_score
                 GROUP BY r.item, r.assessment) f
                 WHERE f.first_on > '2026-03-01' AND f.first_on <= '2026-03-20')")),
        [""; 0]
    );
    sentences_tell_the_numbers_of_their_rows(&mut session, a, c);
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
fn scores_that_come_late_are_distinguished_from_corrections() {
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
