//! What becomes of a model whose source is replaced, dropped, renamed or made again.

use pg_assess_it::source::scores;
use pg_assess_it::{Database, Session};

/// Two tables of the same columns; the second has one student more.
fn sources() -> String {
    let columns = ", 'Math'::text AS subj, 'c' || s % 3 AS class, now() AS changed";
    format!(
        "CREATE SCHEMA dbt; {}
         CREATE TABLE dbt.next AS SELECT * FROM dbt.r
         UNION ALL SELECT 999, item, a, 1, d, subj, class, changed FROM dbt.r WHERE sid = 1;",
        scores("dbt.r", 40, 20, columns)
    )
}

const TRACKED: [&str; 3] = [
    "",
    ", track_changes => 'triggers'",
    ", track_changes => 'changed_at', changed_at => 'changed'",
];

fn create(model: &str, tracked: &str) -> String {
    format!(
        "SELECT count(*) FROM assess.create_model('{model}', 'dbt.r', 'sid', 'item', 'a', 'score', 'd',
             subject => 'subj', student_group => 'class', if_not_exists => true,
             settings => '{{\"as_of\": \"2026-06-01\", \"half_life\": \"60 days\"}}'{tracked})"
    )
}

const STUDENTS: &str = "SELECT subject, student, student_group, level, level_se, need_rank, status
                        FROM d.students ORDER BY 1, 2";

/// As tools do that build a table anew and put it in the place of the old one.
fn swap(session: &mut Session, cascade: &str) {
    session.run(
        "CREATE TABLE dbt.r__tmp AS SELECT * FROM dbt.next;
         ALTER TABLE dbt.r RENAME TO r__backup;
         ALTER TABLE dbt.r__tmp RENAME TO r",
    );
    if !cascade.is_empty() {
        session.run(&format!("DROP TABLE dbt.r__backup {cascade}"));
    }
}

fn run_of_model(session: &mut Session) -> String {
    session
        .table("SELECT status FROM assess.models() WHERE model = 'd'")
        .join(" ")
}

#[test]
fn a_model_whose_source_was_dropped_is_broken_and_mended_by_one_statement() {
    for tracked in TRACKED {
        let database = Database::new();
        let mut session = database.session();
        session.run(&sources());
        session.run(&create("d", tracked));
        let reader = format!("reader_{}", database.name());
        session.run(&format!(
            "CREATE ROLE {reader};
             INSERT INTO d.pass_marks VALUES ('Math', 'q1', 0.8);
             UPDATE d.alert_rules SET threshold = 99 WHERE rule = 'no_new_rows';
             GRANT USAGE ON SCHEMA d TO {reader};
             GRANT SELECT ON d.help_list, d.students TO {reader} WITH GRANT OPTION;
             GRANT SELECT (subject, item) ON d.questions TO PUBLIC"
        ));
        session.run("CALL assess.refresh('d')");
        let before = session.table("SELECT * FROM d.history ORDER BY row_id");
        swap(&mut session, "CASCADE");

        let error = session.refuses("CALL assess.refresh('d')", "55000");
        assert_eq!(error.message(), "model d is broken");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("assess.attach('d')")),
            "{error}"
        );
        session.refuses("SELECT * FROM assess.explain_student('d', 1)", "55000");
        assert_eq!(run_of_model(&mut session), "broken");
        assert_eq!(
            session.table("SELECT model, rule FROM assess.check_refreshes() ORDER BY 2"),
            ["d|broken", "d|refresh_failed"]
        );

        session.run("SELECT * FROM assess.attach('d')");
        assert_eq!(run_of_model(&mut session), "succeeded");
        assert_eq!(
            session.table("SELECT * FROM assess.check_refreshes()"),
            [""; 0]
        );
        let mended = session.table(STUDENTS);
        assert!(mended.iter().any(|row| row.starts_with("Math|999|")));
        assert_eq!(
            session.table("SELECT subject, item, pass_mark FROM d.pass_marks"),
            ["Math|q1|0.8"]
        );
        assert_eq!(
            session.table(
                "SELECT half_life, (SELECT threshold FROM d.alert_rules WHERE rule = 'no_new_rows')
                           FROM d.settings"
            ),
            ["60 days|99"]
        );
        let kept = session.table("SELECT * FROM d.history ORDER BY row_id");
        assert_eq!(kept[..before.len()], before[..]);
        assert_eq!(
            session.table("SELECT run_id, status FROM d.runs ORDER BY 1"),
            ["1|succeeded", "2|succeeded", "3|failed", "4|succeeded"]
        );
        assert_eq!(
            session.table(&format!(
                "SELECT has_table_privilege('{reader}', 'd.help_list', 'SELECT WITH GRANT OPTION'),
                        has_table_privilege('{reader}', 'd.students', 'SELECT'),
                        has_table_privilege('{reader}', 'd.assessments', 'SELECT'),
                        has_column_privilege('{reader}', 'd.questions', 'item', 'SELECT'),
                        has_column_privilege('{reader}', 'd.questions', 'weight', 'SELECT')"
            )),
            ["t|t|f|t|f"]
        );
        // It goes on as any other, and a model made anew is the same.
        session.run("CALL assess.refresh('d')");
        assert_eq!(session.table(STUDENTS), mended);
        session.run("DELETE FROM dbt.r WHERE sid = 2");
        session.run("CALL assess.refresh('d')");
        session.run(&create("fresh", tracked));
        assert_eq!(
            session.table(STUDENTS),
            session.table(&STUDENTS.replace("d.students", "fresh.students"))
        );
        session.run("SELECT assess.drop_model('d'), assess.drop_model('fresh')");
    }
}

/// The job of dbt and the like says the same statement every night.
#[test]
fn create_model_if_not_exists_mends_it_too_and_drop_model_removes_it() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&sources());
    session.run(&create("d", ""));
    swap(&mut session, "CASCADE");
    session.run(&create("d", ""));
    assert_eq!(run_of_model(&mut session), "succeeded");
    assert_eq!(session.one::<i64>("SELECT count(*) FROM d.students"), 41);
    // A table that was dropped by itself comes back with its keys.
    session.run("DROP TABLE d.history; SELECT * FROM assess.attach('d')");
    assert_eq!(
        session.table("SELECT count(*) FROM pg_index WHERE indrelid = 'd.history'::regclass"),
        ["2"]
    );
    session.run("CALL assess.refresh('d')");
    session.run("DROP TABLE dbt.r CASCADE");
    let error = session.refuses("SELECT * FROM assess.attach('d')", "42P01");
    assert_eq!(error.detail(), Some("It was dbt.r."));
    session.run("SELECT assess.drop_model('d')");
    assert_eq!(session.table("SELECT * FROM assess.models()"), [""; 0]);
}

#[test]
fn create_model_if_not_exists_lets_it_read_a_table_that_took_the_name_of_its_source() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&sources());
    session.run(&create("d", ""));
    swap(&mut session, "");
    session.run(&create("d", ""));
    assert_eq!(
        session.table("SELECT source, status FROM assess.models()"),
        ["dbt.r|succeeded"]
    );
    session.run("CALL assess.refresh('d')");
    assert_eq!(session.one::<i64>("SELECT count(*) FROM d.students"), 41);
    // Once it does, there is nothing to do.
    session.run(&create("d", ""));
    let reported = session.notices();
    let last = reported.last().expect("a notice");
    assert_eq!(last.message(), "model d already exists, skipping");
}

#[test]
fn a_source_that_was_renamed_away_is_reported_until_the_model_reads_the_other() {
    for tracked in TRACKED {
        let database = Database::new();
        let mut session = database.session();
        session.run(&sources());
        session.run(&create("d", tracked));
        session.run("CREATE VIEW of_mine AS SELECT student, level FROM d.students");
        swap(&mut session, "");
        session.notices();
        session.run("CALL assess.refresh('d')");
        let warning = "model d reads another table than its source: dbt.r is another table now, \
                       and the one it was is dbt.r__backup";
        assert!(
            session
                .notices()
                .iter()
                .any(|notice| notice.message() == warning)
        );
        assert_eq!(
            session.table("SELECT status, source FROM assess.models()"),
            ["broken|dbt.r__backup"]
        );
        assert_eq!(
            session.table("SELECT rule FROM assess.check_refreshes()"),
            ["broken"]
        );
        session.run("SELECT * FROM assess.attach('d')");
        session.run("CALL assess.refresh('d')");
        assert_eq!(
            session.table("SELECT count(*) FROM of_mine WHERE student = 999"),
            ["1"]
        );
        assert_eq!(
            session.table("SELECT status, source FROM assess.models()"),
            ["succeeded|dbt.r"]
        );
        session.run("DELETE FROM dbt.r WHERE sid = 999; DROP TABLE dbt.r__backup");
        session.run("CALL assess.refresh('d')");
        assert_eq!(session.table("SELECT count(*) FROM of_mine"), ["40"]);
    }
}

#[test]
fn a_source_that_only_has_another_name_stays_the_source() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&sources());
    session.run(&create("d", ""));
    session.run("ALTER TABLE dbt.r RENAME TO responses");
    session.run("CALL assess.refresh('d')");
    assert_eq!(run_of_model(&mut session), "succeeded");
    assert_eq!(
        session.table("SELECT source FROM d.definition"),
        ["dbt.responses"]
    );
}

#[test]
fn a_source_of_other_types_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    session.run(&sources());
    session.run(&create("d", ""));
    session.run(
        "CREATE TABLE other AS SELECT sid::text AS sid, item, a, score, d, subj, class FROM dbt.r",
    );
    session.refuses("SELECT * FROM assess.attach('d', 'other')", "42804");
    session.run("DROP TABLE dbt.r CASCADE");
    session.refuses("SELECT * FROM assess.attach('d', 'other')", "42804");
    session.run("ALTER TABLE other DROP COLUMN score");
    session.refuses("SELECT * FROM assess.attach('d', 'other')", "42703");
}

/// What there is of a model: columns, keys and comments of each relation.
const PARTS: &str = "
    SELECT c.relname, c.relkind::text, array_to_string(ARRAY(
               SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                                pg_get_expr(e.adbin, e.adrelid), col_description(c.oid, a.attnum))
               FROM pg_attribute a LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum), ', '),
           (SELECT string_agg(pg_get_indexdef(i.indexrelid), '; ' ORDER BY i.indexrelid::regclass::text)
            FROM pg_index i WHERE i.indrelid = c.oid),
           (SELECT string_agg(pg_get_constraintdef(k.oid), '; ' ORDER BY k.conname)
            FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n'),
           has_table_privilege('pg_monitor', c.oid, 'SELECT'), obj_description(c.oid)
    FROM pg_class c WHERE c.relnamespace = 'd'::regnamespace AND c.relkind IN ('r', 'v', 'm') ORDER BY 1";

const QUESTIONS: [&str; 14] = [
    "SELECT count(*) FROM assess.explain_student('d', '1')",
    "SELECT count(*) FROM assess.student_assessments('d', '1')",
    "SELECT count(*) FROM assess.student_answers('d', '1')",
    "SELECT count(*) FROM assess.explain_question('d', 'q1')",
    "SELECT count(*) FROM assess.question_curve('d', 'q1')",
    "SELECT count(*) FROM assess.question_uses('d', 'q1')",
    "SELECT count(*) FROM assess.compare_runs('d', 1, 1)",
    "SELECT count(*) FROM assess.what_if('d')",
    "SELECT count(*) FROM assess.what_if_questions('d')",
    "SELECT count(*) FROM assess.half_life_report('d')",
    "SELECT assess.school_map_svg('d')",
    "SELECT assess.item_curve_svg('d', 'q1')",
    "SELECT assess.student_history_svg('d', '1')",
    "SELECT assess.score_sheet_svg('d', 'a1')",
];

/// Runs a statement; where it fails, it says that the relation is missing and what to do.
fn works_or_names(session: &mut Session, statement: &str, relation: &str, advice: &str) {
    let Err(error) = session.batch_execute(statement) else {
        return;
    };
    let refusal = error.as_db_error().expect("it is one of the server");
    // The first run is known no more where the log was made again.
    if refusal.code().code() == "P0002" {
        return;
    }
    let hint = refusal.hint().unwrap_or_default();
    assert!(
        refusal.code().code() == "55000"
            && refusal.message() == "model d is broken"
            && refusal
                .detail()
                .is_some_and(|detail| detail.contains(relation))
            && hint.contains(advice),
        "{relation}: {statement}: {refusal:?}"
    );
}

#[test]
fn each_relation_of_a_model_that_is_dropped_is_named_and_made_again() {
    for tracked in TRACKED {
        let database = Database::new();
        let mut session = database.session();
        session.run(&sources());
        session.run(&create("d", tracked));
        session.run(
            "GRANT SELECT ON ALL TABLES IN SCHEMA d TO pg_monitor;
             SELECT assess.set_option('d', 'min_answers', '7')",
        );
        session.run("CALL assess.refresh('d')");
        let parts = session.table(PARTS);
        let students = session.table(STUDENTS);
        let relations = session.table(
            "SELECT relation, kind FROM assess._relations() WHERE to_regclass('d.' || relation) IS NOT NULL
             ORDER BY place",
        );
        assert!(relations.len() >= 22);
        for line in relations {
            let (relation, _) = line.split_once('|').expect("two columns");
            let kind = session.one::<String>(&format!("SELECT assess._kind('d', '{relation}')"));
            session.run(&format!("DROP {kind} d.{relation} CASCADE"));

            let names_it = format!("error ~ '[ ,]{relation}[ ,]'");
            assert_eq!(
                session.table(&format!("SELECT status, {names_it} FROM assess.models()")),
                ["broken|t"],
                "{relation}"
            );
            assert_eq!(
                session.table(&format!(
                    "SELECT {} FROM assess.check_refreshes() WHERE rule = 'broken'",
                    names_it.replace("error", "message")
                )),
                ["t"],
                "{relation}"
            );
            let advice = if relation == "definition" {
                "if_not_exists => true"
            } else {
                "SELECT * FROM assess.attach('d')"
            };
            let statements = [
                "CALL assess.refresh('d')",
                "SELECT assess.set_option('d', 'cut', '0.4')",
            ];
            // All of them once: how changes are tracked makes no difference to them.
            let asked = if tracked.is_empty() {
                &QUESTIONS[..]
            } else {
                &[]
            };
            for statement in statements.iter().chain(asked) {
                works_or_names(&mut session, statement, relation, advice);
            }
            session.run(
                "DO $$ BEGIN PERFORM assess.set_option('d', 'cut', NULL);
                         EXCEPTION WHEN SQLSTATE '55000' THEN NULL; END $$",
            );

            if relation == "definition" {
                let refusal = session.refuses("SELECT * FROM assess.attach('d')", "55000");
                assert!(
                    refusal.hint().is_some_and(|hint| hint.contains(advice)),
                    "{refusal:?}"
                );
                session.run(&create("d", tracked));
                session.run("GRANT SELECT ON d.definition TO pg_monitor");
            } else {
                session.run("SELECT * FROM assess.attach('d')");
            }
            assert_ne!(run_of_model(&mut session), "broken", "{relation}");
            session.run("CALL assess.refresh('d')");
            assert_eq!(run_of_model(&mut session), "succeeded", "{relation}");
            assert_eq!(session.table(PARTS).len(), parts.len(), "{relation}");
            for (now, before) in session.table(PARTS).iter().zip(&parts) {
                assert_eq!(now, before, "{relation}");
            }
            assert_eq!(
                session.table("SELECT min_answers, half_life, cut FROM d.settings"),
                ["7|60 days|-"],
                "{relation}"
            );
            assert_eq!(session.table(STUDENTS), students, "{relation}");
            assert_eq!(
                session.table("SELECT * FROM assess.check_refreshes()"),
                [""; 0],
                "{relation}"
            );
        }
        session.run("DROP TABLE d.run_log, d.settings CASCADE; SELECT assess.drop_model('d')");
    }
}
