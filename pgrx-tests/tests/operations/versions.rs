//! What differs between versions of Postgres: the search_path under which it maintains what is
//! stored (17), who may maintain it (17), and columns that are computed when they are read (18).

use pg_assess_it::{Database, Session};

fn version(session: &mut Session) -> i32 {
    session.one::<i32>("SELECT current_setting('server_version_num')::int") / 10_000
}

const COLUMNS: &str = "'student_id', 'question_id', 'assessment_id', 'points', 'taken_on',
    max_score => 'max_points', subject => 'subject'";

/// A schema in which each built-in function, operator and type has a double that fails.
const TRAP: &str =
    "SELECT * FROM assess.sample_network(schools => 1, students_per_school => 20, weeks => 12);
         CREATE SCHEMA trap;
         CREATE TABLE trap.set (what text);
         DO $$
         DECLARE
             f record;
         BEGIN
             FOR f IN
                 SELECT p.proname, p.prorettype::regtype AS result, pg_get_function_identity_arguments(p.oid) AS arguments
                 FROM   pg_proc p
                 WHERE  p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
                 AND    NOT p.proretset AND p.proargmodes IS NULL
             LOOP
                 BEGIN
                     EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L',
                         f.proname, f.arguments, f.result,
                         format('BEGIN RAISE EXCEPTION ''the trap has sprung: %s''; END', f.proname));
                     INSERT INTO trap.set VALUES (f.proname);
                 EXCEPTION WHEN OTHERS THEN
                     -- Of types that only built-in functions have.
                 END;
             END LOOP;
             FOR f IN
                 SELECT o.oprname, o.oprleft, o.oprleft::regtype AS l, o.oprright::regtype AS r, p.proname
                 FROM   pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
                 WHERE  o.oprnamespace = 'pg_catalog'::regnamespace
             LOOP
                 BEGIN
                     EXECUTE format('CREATE OPERATOR trap.%s (%s RIGHTARG = %s, FUNCTION = trap.%I)',
                         f.oprname, CASE WHEN f.oprleft <> 0 THEN format('LEFTARG = %s,', f.l) END,
                         f.r, f.proname);
                     INSERT INTO trap.set VALUES (f.oprname);
                 EXCEPTION WHEN OTHERS THEN
                 END;
             END LOOP;
         END $$;
         CREATE DOMAIN trap.date AS text;
         CREATE DOMAIN trap.float8 AS int4;
         CREATE DOMAIN trap.interval AS int4;
         CREATE DOMAIN trap.jsonb AS int4;
         CREATE DOMAIN trap.name AS int4;
         CREATE DOMAIN trap.regclass AS int4;
         CREATE DOMAIN trap.text AS bytea;
         CREATE TABLE trap.pg_class (oid int4);
         CREATE TABLE trap.pg_attribute (oid int4)";

/// Every function and operator of the catalog has a double, and stands first. Under the path of the
/// caller it would be called; under that of version 17 for REFRESH, names in other schemas are
/// unknown.
#[test]
fn what_is_named_like_a_built_in_is_never_called() {
    let database = Database::new();
    let mut session = database.session();
    session.run(TRAP);
    assert!(session.one::<i64>("SELECT count(*) FROM trap.set") > 2500);
    session.run("SET search_path = trap, pg_catalog, public");
    let error = session.fails("SELECT 1 OPERATOR(trap.=) 1");
    assert!(error.message().contains("trap"), "the trap is set: {error}");

    for (model, more) in [("plain", ""), ("tracked", ", track_changes => 'triggers'")] {
        session.run(&format!(
            "SELECT assess.create_model('{model}', 'sample_network.responses', {COLUMNS},
                 settings => '{{\"as_of\": \"2025-12-20\"}}'{more});
             UPDATE sample_network.responses SET points = NULL
             WHERE student_id OPERATOR(pg_catalog.=) 3 AND attempt OPERATOR(pg_catalog.=) 1"
        ));
        session.run(&format!("CALL assess.refresh('{model}')"));
        for relation in [
            "gradebook",
            "questions",
            "students",
            "assessments",
            "coverage",
        ] {
            session.run(&format!(
                "REFRESH MATERIALIZED VIEW CONCURRENTLY {model}.{relation}"
            ));
        }
        session.run(&format!(
            "SELECT assess.set_option('{model}', 'help_need', '0.4');
             CREATE INDEX ON {model}.students (level);
             REINDEX TABLE {model}.students"
        ));
        session.run(&format!(
            "CLUSTER {model}.students USING students_level_idx"
        ));
        session.run(&format!("ANALYZE {model}.gradebook, {model}.students"));
        for relation in [
            "help_list",
            "check_in_list",
            "question_review",
            "school_map",
            "score_sheet",
            "runs",
        ] {
            session.run(&format!("TABLE {model}.{relation}"));
        }
        session.run(&format!(
            "SELECT * FROM assess.explain_student('{model}', '5');
             SELECT * FROM assess.explain_question('{model}', '5');
             SELECT * FROM assess.compare_runs('{model}', 1, 2);
             SELECT * FROM assess.what_if('{model}', settings => '{{\"half_life\": \"30 days\"}}');
             SELECT * FROM assess.half_life_report('{model}');
             SELECT assess.school_map_svg('{model}', 'Math'), assess.school_map_vega('{model}', 'Math')"
        ));
    }
    session.run("SELECT * FROM assess.models(); SELECT assess.check_refreshes()");
    session.run("SELECT assess.drop_model('plain'), assess.drop_model('tracked')");
}

/// From version 17 on a role may be given just the right to refresh.
#[test]
fn who_may_maintain_the_views_refreshes_them_one_by_one() {
    let database = Database::new();
    let mut owner = database.session();
    let version = version(&mut owner);
    owner.run(&format!(
        "SELECT * FROM assess.sample_network(schools => 1, students_per_school => 20, weeks => 12);
         SELECT assess.create_model('school', 'sample_network.responses', {COLUMNS},
             settings => '{{\"as_of\": \"2025-12-20\"}}');
         DELETE FROM sample_network.responses WHERE student_id = 3;"
    ));
    let night = format!("{}_night", database.name());
    owner.run(&format!(
        "CREATE ROLE {night} LOGIN; GRANT USAGE ON SCHEMA school TO {night}"
    ));
    let mut session = database.session_as(&night);
    let views = [
        "parts",
        "gradebook",
        "questions",
        "students",
        "assessments",
        "coverage",
    ];
    if version < 17 {
        // There only the owner may, or a member of that role.
        let error = session.fails("REFRESH MATERIALIZED VIEW school.parts");
        assert_eq!(error.code().code(), "42501", "{error}");
    } else {
        owner.run(&format!(
            "GRANT MAINTAIN ON school.{} TO {night}",
            views.join(", school.")
        ));
        for view in views {
            session.run(&format!(
                "REFRESH MATERIALIZED VIEW CONCURRENTLY school.{view}"
            ));
        }
        // Nothing of it shows them a row.
        let error = session.fails("SELECT FROM school.students");
        assert_eq!(error.code().code(), "42501", "{error}");
    }
    // The rest of a refresh, its log above all, is the owner's.
    let refusal = session.fails("CALL assess.refresh('school')");
    assert_eq!(refusal.code().code(), "42501", "{refusal}");

    let results = "SELECT to_jsonb(s) - 'run_id' - 'as_of' FROM school.students s ORDER BY 1";
    let by_hand = owner.table(results);
    let runs = "SELECT run_id, status FROM school.runs ORDER BY run_id";
    assert_eq!(owner.table(runs), ["1|succeeded"]);
    owner.run("CALL assess.refresh('school')");
    assert_eq!(owner.table(runs), ["1|succeeded", "2|succeeded"]);
    if version >= 17 {
        assert_eq!(by_hand, owner.table(results));
    }
    drop(session);
    owner.run(&format!("DROP OWNED BY {night}; DROP ROLE {night}"));
}

/// Columns that are computed: when a row is written, and from version 18 on when it is read.
#[test]
fn computed_columns_are_columns_of_a_source() {
    let database = Database::new();
    let mut session = database.session();
    let version = version(&mut session);
    let kinds: &[&str] = if version < 18 {
        &["STORED"]
    } else {
        &["STORED", "VIRTUAL"]
    };
    for kind in kinds {
        session.run(&format!(
            "CREATE TABLE raw (
                 student uuid, item int, test xid8, points int, outof int, at timestamptz,
                 score float8 GENERATED ALWAYS AS (points::float8 / outof) {kind},
                 subject text GENERATED ALWAYS AS (CASE WHEN points >= 0 THEN 'Math' END) {kind},
                 day date GENERATED ALWAYS AS ((at AT TIME ZONE 'UTC')::date) {kind});
             INSERT INTO raw
             SELECT md5(s::text)::uuid, q, (q / 10)::text::xid8, abs(hashint4(s * 100 + q) % 5), 10,
                    timestamptz '2026-01-05 10:00+00' + q / 10 * interval '7 days'
             FROM generate_series(1, 40) s, generate_series(1, 60) q;
             CREATE TABLE plain AS TABLE raw"
        ));
        let columns = "'student', 'item', 'test', 'score', 'day', subject => 'subject',
                       settings => '{\"as_of\": \"2026-04-01\"}'";
        let make = |model: &str, table: &str, more: &str| {
            format!("SELECT assess.create_model('{model}', '{table}', {columns}{more})")
        };
        session.run(&make("computed", "raw", ""));
        session.run(&make("stated", "plain", ""));
        let results = "SELECT to_jsonb(s) - 'run_id' FROM {m}.students s ORDER BY 1";
        let of = |model: &str| results.replace("{m}", model);
        assert!(session.table(&of("computed")).len() == 40);
        assert_eq!(session.table(&of("computed")), session.table(&of("stated")));

        // Nobody who writes to the source may be stopped by a trigger that cannot read the date.
        let tracked = make("tracked", "raw", ", track_changes => 'triggers'");
        if *kind == "VIRTUAL" {
            session.refuses(&tracked, "0A000");
            let at = tracked.replace("'day'", "'at'");
            session.run(&at.replace("2026-04-01", "2026-04-01 00:00+00"));
        } else {
            session.run(&tracked);
        }
        session.run(
            "UPDATE raw SET points = 0 WHERE at = '2026-02-02 10:00+00';
             DELETE FROM raw WHERE at = '2026-01-12 10:00+00' AND item = 12",
        );
        session.run("CALL assess.refresh('tracked')");
        session.run("CALL assess.refresh('computed')");
        assert_eq!(
            session.table("SELECT periods FROM tracked.runs WHERE run_id = 2"),
            ["2"]
        );
        let levels = "SELECT student, level, n FROM {m}.students ORDER BY 1";
        assert_eq!(
            session.table(&levels.replace("{m}", "tracked")),
            session.table(&levels.replace("{m}", "computed"))
        );
        session.run(
            "SELECT assess.drop_model(m) FROM unnest('{computed,stated,tracked}'::name[]) m;
             DROP TABLE raw, plain",
        );
    }
    // One that takes the name of the column of times stops no writer: anything may have changed.
    if version >= 18 {
        session.run(
            "CREATE TABLE src (student int, item int, test int, score float8, day date);
             INSERT INTO src SELECT s, q, q / 5, 1, date '2026-01-05' + q
             FROM generate_series(1, 10) s, generate_series(1, 20) q;
             SELECT assess.create_model('tracked', 'src', 'student', 'item', 'test', 'score', 'day',
                 track_changes => 'triggers');
             ALTER TABLE src RENAME day TO at;
             ALTER TABLE src ADD day date GENERATED ALWAYS AS (at) VIRTUAL;
             INSERT INTO src (student, item, test, score, at) VALUES (1, 30, 9, 1, '2026-03-01');
             UPDATE src SET score = 0 WHERE student = 2",
        );
        assert_eq!(
            session.table("SELECT DISTINCT period FROM tracked.changes"),
            ["infinity"]
        );
        session.run("CALL assess.refresh('tracked')");
        assert_eq!(session.table("SELECT rows FROM tracked.gradebook"), ["201"]);
    }
}
