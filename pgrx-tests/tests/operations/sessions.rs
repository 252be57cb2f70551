//! What a session is set to, such as how it writes dates and numbers, is its own business: a model that
//! is made and refreshed there is the same.

use pg_assess_it::{Database, Session};

/// Settings at once, of those that change how values are written or statements are read.
const HOSTILE: [&str; 3] = [
    "SET quote_all_identifiers = on; SET extra_float_digits = -15; SET datestyle = 'SQL, DMY';
     SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape'; SET transform_null_equals = on;
     SET standard_conforming_strings = off; SET escape_string_warning = off; SET array_nulls = off;
     SET xmlbinary = 'hex'; SET timezone = 'Asia/Kathmandu'; SET search_path = ''",
    "SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 3;
     SET backslash_quote = off; SET plan_cache_mode = 'force_generic_plan';
     SET check_function_bodies = off; SET row_security = off; SET timezone = '<-07>+07';
     SET plpgsql.variable_conflict = 'use_column'; SET client_encoding = 'LATIN1'",
    "SET datestyle = 'Postgres, YMD'; SET intervalstyle = 'postgres_verbose';
     SET extra_float_digits = 0; SET plpgsql.variable_conflict = 'use_variable';
     SET plpgsql.extra_errors = 'all'; SET plan_cache_mode = 'force_custom_plan'",
];

/// Makes a model, and refreshes it twice with changes between.
fn live(session: &mut Session, more: &str) {
    session.run(&format!(
        "SELECT assess.create_model('m', 'public.r', 'student', 'item', 'quiz', 'points', 'at',
             max_score => 'most', subject => 'since', student_group => 'class', status => 'state',
             counted => ARRAY['2026-02-03'], answer => 'answer', attempt => 'attempt',
             settings => '{{\"as_of\": \"2026-06-01 00:00+00\", \"half_life\": \"45 days 12:30\",
                           \"keep_alerts\": \"1 year 2 mons 3 days\"}}'{more})"
    ));
    session.run("SELECT assess.set_option('m', 'trend_window', '100 days -01:00')");
    session.run("SELECT assess.set_option('m', 'flag_alpha', '0.123456789012345678')");
    session
        .run("INSERT INTO m.pass_marks SELECT subject, item, 0.1 + 0.2 FROM m.questions LIMIT 3");
    for refresh in 1..=2 {
        session.run(&format!(
            "UPDATE public.r SET points = 3 - points, changed = changed + interval '1 day'
             WHERE student * 3 < 9.5 AND at > timestamptz '2026-04-{refresh}5 00:00+00'"
        ));
        session.run("CALL assess.refresh('m')");
    }
    session.run("SELECT * FROM assess.check_refreshes()");
}

/// All that a model is, as one session writes it.
fn all(session: &mut Session) -> Vec<String> {
    let relations = session.table(
        "SELECT format('%I', c.relname) FROM pg_class c
         WHERE c.relnamespace = 'm'::regnamespace AND c.relkind IN ('r', 'v', 'm') ORDER BY 1",
    );
    let mut all = session.table(
        "SELECT c.relname, coalesce(pg_get_viewdef(c.oid), '') FROM pg_class c
         WHERE c.relnamespace = 'm'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY 1",
    );
    for relation in relations {
        all.extend(session.table(&format!(
            "SELECT '{relation}', (to_jsonb(x) - '{{started,finished,raised,ended,seconds,steps,pid,noted,
                                            xact,row_id,time_zone}}'::text[])::text
             FROM m.{relation} x ORDER BY 2"
        )));
    }
    all
}

/// What the functions over a model say, without what is written as the session wishes.
fn said(session: &mut Session) -> Vec<String> {
    [
        "SELECT subject, round(level::numeric, 9), n, explanation FROM assess.explain_student('m', '1')",
        "SELECT n, round(contribution::numeric, 9) FROM (SELECT count(*) AS n, sum(contribution)
             AS contribution FROM assess.student_answers('m', '1')) a",
        "SELECT count(*), count(due_at) FROM assess.student_assessments('m', '1')",
        "SELECT n, explanation FROM assess.explain_question('m', E'\\\\x02')",
        "SELECT answer, n FROM assess.question_choices('m', E'\\\\x02')",
        "SELECT count(*) FROM assess.question_curve('m', E'\\\\x02')",
        "SELECT count(*) FROM assess.question_uses('m', E'\\\\x02')",
        "SELECT count(*) FROM assess.question_disagreements('m', E'\\\\x02')",
        "SELECT reason, explanation FROM assess.compare_runs('m', 1, 3)",
        "SELECT student, round(change::numeric, 9) FROM assess.what_if('m', settings => '{\"half_life\": \"30 days\"}')",
        "SELECT item, n FROM assess.what_if_questions('m')",
        "SELECT assessment, items FROM assess.what_if_assessments('m')",
        "SELECT advice FROM assess.half_life_report('m')",
        "SELECT model, status, rows_used FROM assess.models()",
    ]
    .iter()
    .flat_map(|query| session.table(query))
    .collect()
}

#[test]
fn a_model_is_the_same_whatever_its_session_is_set_to() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE r AS
         SELECT s / 3::float8 AS student, decode(lpad(to_hex(i), 2, '0'), 'hex') AS item,
                timestamptz '2026-03-01 10:00+00' + a * interval '10 days' AS quiz,
                (s * 7 + i * 3 + a * 5) % 4::numeric AS points, 3 AS most, 1 AS attempt,
                timestamptz '2026-03-01 12:00+00' + a * interval '10 days' AS at,
                date '2026-02-03' + (s % 2) * 31 AS since,
                timetz '12:00+00' + (s % 3) * interval '1 hour' AS class,
                CASE WHEN i = 1 AND a = 1 THEN date '2026-03-02' ELSE date '2026-02-03' END AS state,
                (s + i) % 3 AS answer, timestamptz '2026-05-01 00:00+00' AS changed
         FROM generate_series(1, 12) s, generate_series(1, 6) i, generate_series(1, 6) a",
    );
    session.run("CREATE TABLE original AS TABLE r");
    for more in [
        "",
        ", track_changes => 'triggers'",
        ", track_changes => 'changed_at', changed_at => 'changed', period => 'week'",
    ] {
        live(&mut session, more);
        let (usual, words) = (all(&mut session), said(&mut session));
        session.run("SELECT assess.drop_model('m')");
        let again = "DELETE FROM r; INSERT INTO r TABLE original";
        session.run(again);
        for settings in HOSTILE {
            let mut hostile = database.session();
            hostile.run(settings);
            live(&mut hostile, more);
            let there = all(&mut session);
            for (there, here) in there.iter().zip(&usual) {
                assert_eq!(there, here, "{settings}\n{more}");
            }
            assert_eq!(there.len(), usual.len(), "{settings}\n{more}");
            hostile.run("RESET datestyle; RESET extra_float_digits");
            for (there, here) in said(&mut hostile).iter().zip(&words) {
                assert_eq!(there, here, "{settings}\n{more}");
            }
            hostile.run("SELECT assess.drop_model('m')");
            session.run(again);
        }
    }
}
