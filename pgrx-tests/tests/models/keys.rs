//! Models with many subjects and groups, of whatever name or none: results are those of slow queries
//! that compare every row with every other, and no statement does so.

use pg_assess_it::{Database, Session};

/// A model `m` of ten subjects and seven groups with names that mean something elsewhere, after three
/// runs between which levels moved.
fn with_odd_names() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        r#"CREATE TABLE r AS
           SELECT student, item, item / 5 AS assessment,
                  (ARRAY['Math', 'Ma"th', 'a,b', '{x}', NULL, 'NULL', '', 'Ünï', 'a''b', 'all'])
                      [1 + subject] AS subject,
                  (ARRAY['g,1', 'g"1', NULL, 'NULL', '', '{', 'é'])
                      [1 + (student + subject / 2) % 7] AS class,
                  ((student * 7919 + item * 104729 + student * item * 31 + subject * 13) % 100
                   < 30 + student % 60)::int::float8 AS score,
                  date '2026-01-01' + 7 * (item / 5) AS taken_on
           FROM generate_series(0, 9) subject, generate_series(1, 40) student,
                generate_series(0, 24) item
           WHERE (student + subject) % 5 > 0 AND (student * 31 + item / 5 * 17 + subject) % 9 > 0;
           SELECT assess.create_model('m', 'r', 'student', 'item', 'assessment', 'score', 'taken_on',
               subject => 'subject', student_group => 'class',
               settings => '{"as_of": "2026-02-10", "min_group_size": 2}');
           UPDATE m.alert_rules SET threshold = 0 WHERE rule = 'level_moved';
           UPDATE r SET score = 1 - score WHERE student % 7 = 3 AND item < 10"#,
    );
    session.run("CALL assess.refresh('m')");
    session.run("UPDATE r SET score = 0 WHERE student % 4 = 1 AND item > 10");
    session.run("CALL assess.refresh('m')");
    (database, session)
}

/// Asserts that two queries give the same rows, and some.
#[track_caller]
fn same(session: &mut Session, one: &str, other: &str) {
    let rows: i64 = session.one(&format!("SELECT count(*) FROM ({one}) a"));
    assert_ne!(rows, 0, "{one}");
    let differ = format!(
        "(SELECT 'only the first', a.* FROM (({one}) EXCEPT ALL ({other})) a)
         UNION ALL (SELECT 'only the second', b.* FROM (({other}) EXCEPT ALL ({one})) b)"
    );
    assert_eq!(session.table(&differ), [""; 0], "{one}\n{other}");
}

#[test]
fn moved_levels_are_those_of_a_slow_query() {
    let (_database, mut session) = with_odd_names();
    // The greater of the changes since the last run and since the group was last reported.
    same(
        &mut session,
        "SELECT run_id, subject, student_group, round(value::numeric, 9) FROM m.alerts
         WHERE rule = 'level_moved'",
        "SELECT n.run_id, n.subject, n.student_group, round((
                    SELECT (n.value - b.value) / sqrt(n.value_se ^ 2 + b.value_se ^ 2)
                    FROM m.run_figures b
                    WHERE b.run_id = n.run_id - 1 AND b.figure <> 'left_out'
                    AND b.subject IS NOT DISTINCT FROM n.subject
                    AND b.student_group IS NOT DISTINCT FROM n.student_group
                    ORDER BY abs(n.value - b.value) / sqrt(n.value_se ^ 2 + b.value_se ^ 2) DESC
                    LIMIT 1)::numeric, 9)
         FROM m.run_figures n WHERE n.figure = 'level' AND n.run_id > 1",
    );
    // All were reported, so each is next compared with what it is now.
    same(
        &mut session,
        "SELECT run_id, subject, student_group, size, value FROM m.run_figures
         WHERE figure = 'reported_level'",
        "SELECT run_id, subject, student_group, size, value FROM m.run_figures WHERE figure = 'level'",
    );
    session.run("UPDATE m.alert_rules SET threshold = 1000 WHERE rule = 'level_moved'");
    session.run("UPDATE r SET score = 1 WHERE student % 4 = 2 AND item > 10");
    session.run("CALL assess.refresh('m')");
    same(
        &mut session,
        "SELECT run_id, subject, student_group, size, value FROM m.run_figures
         WHERE figure = 'reported_level' AND run_id = 4",
        "SELECT 4::bigint, subject, student_group, size, value FROM m.run_figures
         WHERE figure = 'reported_level' AND run_id = 3",
    );
    // What holds is reported once, and ends when it no longer holds.
    let open = "SELECT count(*) FROM m.alerts WHERE rule = 'few_students' AND ended IS NULL";
    session.run("UPDATE m.alert_rules SET threshold = 1000 WHERE rule = 'few_students'");
    for _ in 0..2 {
        session.run("CALL assess.refresh('m')");
        assert_eq!(session.table(open), ["10"]);
    }
    session.run("DELETE FROM r WHERE subject IN ('NULL', '{x}') OR subject IS NULL");
    session.run("CALL assess.refresh('m')");
    session.run("UPDATE m.alert_rules SET threshold = 10 WHERE rule = 'few_students'");
    session.run("CALL assess.refresh('m')");
    assert_eq!(
        session.table(&open.replace(
            "count(*)",
            "string_agg(quote_nullable(subject), ' ' ORDER BY subject NULLS FIRST)"
        )),
        ["NULL 'NULL' '{x}'"]
    );
}

#[test]
fn results_of_many_subjects_are_those_of_slow_queries() {
    let (_database, mut session) = with_odd_names();
    let settled = "m.gradebook g CROSS JOIN m.settings o";
    same(
        &mut session,
        "SELECT subject, student, student_group FROM m.students",
        "SELECT subject, student, CASE WHEN count(*) OVER (PARTITION BY subject, class) >= 2
                                       THEN class END
         FROM (SELECT DISTINCT subject, student, class FROM r) s",
    );
    for only in ["true", "student = 17", "item = 3"] {
        same(
            &mut session,
            &format!(
                "SELECT subject, student, student_group, item, assessment, taken_at, score,
                        expected, is_below FROM m.score_sheet WHERE {only}"
            ),
            &format!(
                "SELECT * FROM (
                     SELECT g.subject, s.student, s.student_group, q.item,
                            c.assessment::int AS assessment, c.taken_at, c.score,
                            q.facility AS expected, c.score < q.facility AS is_below
                     FROM {settled}, assess.counted_responses(g.gradebook, as_of => g.as_of) c,
                          m.questions q, m.students s
                     WHERE q.item = c.item::int AND q.subject IS NOT DISTINCT FROM g.subject
                     AND s.student = c.student::int
                     AND s.subject IS NOT DISTINCT FROM g.subject) a WHERE {only}"
            ),
        );
    }
    for subject in ["NULL", "'Ma\"th'", "''", "'NULL'"] {
        let only = format!("{subject} IS NULL OR g.subject = {subject}");
        same(
            &mut session,
            &format!(
                "SELECT subject, item, assessment, score, contribution, others
                 FROM assess.student_answers('m', 17, {subject})"
            ),
            &format!(
                "SELECT g.subject, e.item, e.assessment, e.score, e.contribution, q.n - 1
                 FROM {settled}, assess.explain(g.gradebook, '17', as_of => g.as_of) e, m.questions q
                 WHERE q.subject IS NOT DISTINCT FROM g.subject AND q.item = e.item::int
                 AND ({only})"
            ),
        );
        same(
            &mut session,
            &format!(
                "SELECT subject, round(level::numeric, 9),
                        round((prior + raised + lowered)::numeric, 9), missing
                 FROM assess.explain_student('m', 17, {subject})"
            ),
            &format!(
                "SELECT g.subject, round(level::numeric, 9), round(level::numeric, 9), missing
                 FROM m.students g WHERE student = 17 AND ({only})"
            ),
        );
        same(
            &mut session,
            &format!(
                "SELECT subject, n, round(weakest_mean::numeric, 9), strong + weak > 0
                 FROM assess.explain_question('m', 3, {subject})"
            ),
            &format!(
                "SELECT g.subject, n, (SELECT round(c.mean_score::numeric, 9)
                                       FROM assess.question_curve('m', 3) c
                                       WHERE c.subject IS NOT DISTINCT FROM g.subject
                                       AND c.level_group = 1), true
                 FROM m.questions g WHERE item = 3 AND ({only})"
            ),
        );
    }
    same(
        &mut session,
        "SELECT subject, student, level_before, level_after FROM assess.compare_runs('m', 1, 3)",
        "SELECT b.subject, b.student::text, a.level, b.level
         FROM m.history a, m.history b WHERE a.run_id = 1 AND b.run_id = 3
         AND a.student = b.student AND a.subject IS NOT DISTINCT FROM b.subject",
    );
    same(
        &mut session,
        "SELECT subject, student, stored_level, round(change::numeric, 9) FROM assess.what_if('m')",
        "SELECT subject, student::text, level, 0::numeric FROM m.students",
    );
}

/// Runs a statement, and asserts that no node of any plan within it went through more rows.
fn goes_through(session: &mut Session, statement: &str, limit: f64) {
    session.run(
        "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
         SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off;
         SET auto_explain.log_format = json; SET auto_explain.log_level = notice",
    );
    session.notices();
    session.run(statement);
    let reported = session.notices();
    session.run("SET auto_explain.log_min_duration = -1");
    let plans: Vec<&str> = reported
        .iter()
        .filter_map(|one| Some(one.message().split_once("plan:\n")?.1))
        .collect();
    assert!(!plans.is_empty(), "{statement}");
    let worst = session
        .query(
            "SELECT n.rows, n.node ->> 'Node Type', p.plan ->> 'Query Text'
             FROM   unnest($1::text[]) t(plan)
             CROSS  JOIN LATERAL (SELECT t.plan::jsonb AS plan) p
             CROSS  JOIN LATERAL jsonb_path_query(p.plan, '$.** ? (exists (@.\"Node Type\"))') v(node)
             CROSS  JOIN LATERAL (
                        SELECT (v.node -> 'Actual Loops')::float8
                               * ((v.node -> 'Actual Rows')::float8
                                  + coalesce((v.node -> 'Rows Removed by Filter')::float8, 0)
                                  + coalesce((v.node -> 'Rows Removed by Join Filter')::float8, 0))
                                   AS rows, v.node) n
             ORDER  BY n.rows DESC NULLS LAST LIMIT 1",
            &[&plans],
        )
        .expect("reads the plans");
    let rows: f64 = worst[0].get(0);
    let (node, query): (String, String) = (worst[0].get(1), worst[0].get(2));
    assert!(
        rows < limit,
        "{statement}: {rows} rows in {node} of\n{query}"
    );
}

#[test]
fn no_statement_compares_all_subjects_with_all_others() {
    let database = Database::new();
    let mut session = database.session();
    if session.batch_execute("LOAD 'auto_explain'").is_err() {
        println!("skipped: no_statement_compares_all_subjects_with_all_others: no auto_explain");
        return;
    }
    session.run(
        "CREATE TABLE r AS
         SELECT student, item, item / 2 AS assessment, 's' || subject AS subject,
                'g' || student % 2 AS class, (student * 7 + item * 3 + subject) % 5 / 4.0 AS score,
                date '2026-01-01' + 7 * (item / 2) AS taken_on, item % 3 AS answer
         FROM generate_series(1, 400) subject, generate_series(1, 6) student,
              generate_series(0, 3) item;
         SELECT assess.create_model('m', 'r', 'student', 'item', 'assessment', 'score', 'taken_on',
             subject => 'subject', student_group => 'class', answer => 'answer',
             settings => '{\"as_of\": \"2026-02-01\"}');
         UPDATE m.alert_rules SET threshold = 0 WHERE rule = 'level_moved';
         UPDATE r SET score = 1 - score WHERE student = 1 OR item = 1;
         INSERT INTO r SELECT 7, item, assessment, subject, class, score, taken_on, answer
         FROM r WHERE student = 1",
    );
    let rows: i64 = session.one("SELECT count(*) FROM r");
    assert_eq!(rows, 11_200);
    for statement in [
        "SELECT assess.create_model('n', 'r', 'student', 'item', 'assessment', 'score', 'taken_on',
             subject => 'subject', student_group => 'class')",
        "CALL assess.refresh('m')",
        "SELECT assess.explain_student('m', 1)",
        "SELECT assess.student_answers('m', 1)",
        "SELECT assess.student_assessments('m', 1)",
        "SELECT assess.explain_question('m', 1)",
        "SELECT assess.question_curve('m', 1)",
        "SELECT assess.question_disagreements('m', 1)",
        "SELECT assess.question_choices('m', 1)",
        "SELECT assess.question_uses('m', 1)",
        "SELECT assess.compare_runs('m', 1, 2)",
        "SELECT assess.what_if('m')",
        "SELECT assess.what_if_questions('m')",
        "SELECT assess.what_if_assessments('m')",
        "SELECT assess.half_life_report('m')",
        "SELECT * FROM m.score_sheet",
        "SELECT * FROM m.score_sheet WHERE student = 1",
        "SELECT assess.score_sheet_svg('m', '1', 's7')",
        "SELECT assess.item_curve_svg('m', '1', 's7')",
        "SELECT assess.student_history_svg('m', '1', 's7')",
    ] {
        goes_through(&mut session, statement, 2.0 * rows as f64);
    }
}
