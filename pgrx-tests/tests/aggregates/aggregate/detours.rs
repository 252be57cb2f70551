//! No plan, no order of rows and no detour changes a byte.

use pg_assess_it::{
    AGGREGATE, Database, PARALLEL, RESPONSES, SERIAL, Session, Wire, gradebook_of, mutants,
    try_values,
};

fn text_of(session: &mut Session, table: &str) -> String {
    session.one(&format!("SELECT gb::text FROM ({}) g", gradebook_of(table)))
}

#[test]
fn gradebooks_survive_copy_in_text_and_binary() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!(
        "CREATE TABLE g AS
         SELECT assessment, {AGGREGATE} AS gb FROM responses GROUP BY assessment
         UNION ALL SELECT 'all', {AGGREGATE} FROM responses
         UNION ALL SELECT 'none', NULL"
    ));
    for format in ["text", "csv", "binary"] {
        assert_eq!(session.copy("g", "back", format), 14);
        let differences: i64 = session.one(
            "SELECT count(*) FROM g FULL JOIN back USING (assessment)
             WHERE g.gb::text IS DISTINCT FROM back.gb::text",
        );
        assert_eq!(differences, 0, "{format}");
        session.run("DROP TABLE back");
    }
}

#[test]
fn gradebooks_survive_a_dump() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!("CREATE TABLE g AS {}", gradebook_of("responses")));
    let answers = "SELECT s::text FROM g, assess.students(gb) s
                   UNION ALL SELECT i::text FROM g, assess.items(gb) i";
    let before = session.table(answers);
    for option in ["--format=plain", "--inserts"] {
        let restored = database.restored(option);
        assert_eq!(restored.session().table(answers), before, "{option}");
    }
}

#[test]
fn what_is_no_gradebook_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    for text in [
        "",
        "x",
        "gradebook:",
        "gradebook:!",
        "gradebook:Ag==",
        "gradebook:AAAA",
    ] {
        session.refuses(&format!("SELECT '{text}'::assess.gradebook"), "22P02");
    }
    for (bytes, code) in [
        (&b""[..], "22P03"),
        (b"\x00", "22P03"),
        (b"\x01", "0A000"),
        (b"\x02", "22P03"),
        (b"\x02\x00\x00", "22P03"),
        (b"\x03", "0A000"),
        (b"\x02\x80", "0A000"),
    ] {
        let error = session
            .query_one("SELECT $1::assess.gradebook", &[&Wire(bytes.to_vec())])
            .expect_err("no gradebook");
        let refusal = error.as_db_error().expect("an error of the server");
        assert_eq!(refusal.code().code(), code, "{bytes:?}: {refusal}");
        assert!(
            refusal.detail().is_some() && refusal.hint().is_some(),
            "{refusal:?}"
        );
    }
}

/// Malformed in text or binary, of a newer version, or beyond a limit.
const REFUSALS: [&str; 4] = ["22P02", "22P03", "0A000", "54000"];

#[test]
fn no_mutated_gradebook_crashes_the_backend() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    let few = "responses WHERE student IN ('s1', 's2', 's44', 's89') AND assessment < 'test 12'";
    let gradebook = gradebook_of(few);
    let text = text_of(&mut session, few);
    let Wire(bytes) = session
        .query_one(&gradebook, &[])
        .expect("a gradebook")
        .get(0);
    let backend = session.backend();

    let anything: Vec<u8> = (0..=255).collect();
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=:";
    let (mut refused, mut read) = (0, 0);
    // What is read must be safe to solve, too.
    let solve = |gradebook: &str| {
        format!(
            "SELECT (SELECT count(*) FROM assess.items(gb)),
                    (SELECT count(*) FROM assess.students(gb)),
                    (SELECT count(*) FROM assess.assessments(gb)),
                    (SELECT count(*) FROM assess.explain(gb, 's1')),
                    (SELECT sum(rows) FROM assess.coverage(gb)),
                    (SELECT assess.rollup(r.gb)::text FROM (VALUES (g.gb)) r(gb))
             FROM (SELECT {gradebook}::assess.gradebook AS gb) g"
        )
    };
    let from_binary = session.prepare(&solve("$1")).expect("prepares");
    let mut judge = |result: Result<(), postgres::Error>| match result {
        Ok(()) => read += 1,
        Err(error) => {
            let refusal = error.as_db_error().expect("the backend lives");
            assert!(REFUSALS.contains(&refusal.code().code()), "{refusal:?}");
            refused += 1;
        }
    };
    try_values(200, &mutants(&bytes, &anything), |mutant| {
        let result = session.query_one(&from_binary, &[&Wire(mutant)]);
        judge(result.map(|_| ()));
    });
    try_values(200, &mutants(text.as_bytes(), base64), |mutant| {
        let mutant = String::from_utf8(mutant).expect("ASCII");
        let result = session.simple_query(&solve(&format!("'{mutant}'")));
        judge(result.map(|_| ()));
    });
    assert!(refused > 200 && read > 5, "{refused} refused, {read} read");
    assert_eq!(session.backend(), backend);
}

#[test]
fn no_plan_and_no_order_changes_a_byte() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(
        "CREATE TABLE shuffled AS SELECT * FROM responses ORDER BY md5(responses::text);
         CREATE TABLE parted (LIKE responses) PARTITION BY LIST (assessment);
         CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN ('test 1', 'test 2', 'test 3');
         CREATE TABLE part_2 PARTITION OF parted DEFAULT;
         INSERT INTO parted SELECT * FROM responses;
         ANALYZE shuffled, parted",
    );
    session.run(SERIAL);
    let serial = text_of(&mut session, "responses");
    assert_eq!(text_of(&mut session, "shuffled"), serial, "shuffled");
    assert_eq!(text_of(&mut session, "parted"), serial, "partitioned");
    for order in ["score, student DESC", "md5(item::text), taken_on"] {
        let ordered = AGGREGATE.replace(')', &format!(" ORDER BY {order})"));
        let text: String = session.one(&format!("SELECT {ordered}::text FROM responses"));
        assert_eq!(text, serial, "{order}");
    }

    session.run(PARALLEL);
    for leader in ["on", "off"] {
        session.run(&format!("SET parallel_leader_participation = {leader}"));
        for table in ["responses", "shuffled", "parted"] {
            let plan = session.plan(&gradebook_of(table));
            assert!(plan.contains("Partial Aggregate"), "{plan}");
            assert!(plan.contains("Finalize Aggregate"), "{plan}");
            assert_eq!(
                text_of(&mut session, table),
                serial,
                "{table}, leader {leader}"
            );
        }
    }

    session.run("SET enable_partitionwise_aggregate = on");
    let plan = session.plan(&gradebook_of("parted"));
    assert_eq!(plan.matches("Partial Aggregate").count(), 2, "{plan}");
    assert_eq!(text_of(&mut session, "parted"), serial, "partitionwise");
    let groups = |table: &str| {
        format!("SELECT assessment, {AGGREGATE} AS gb FROM {table} GROUP BY assessment")
    };
    let plan = session.plan(&groups("parted"));
    assert_eq!(plan.matches("Partial").count(), 2, "{plan}");
    let differences: i64 = session.one(&format!(
        "SELECT count(*) FROM ({}) a FULL JOIN ({}) b USING (assessment)
         WHERE a.gb::text IS DISTINCT FROM b.gb::text",
        groups("responses"),
        groups("parted"),
    ));
    assert_eq!(differences, 0, "partitionwise groups");
}

#[test]
fn grouping_sets_distinct_and_windows_agree_with_plain_aggregation() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);

    let sets = session.table(&format!(
        "SELECT assessment, taken_on, {AGGREGATE} FROM responses
         GROUP BY GROUPING SETS ((assessment), (taken_on), ()) ORDER BY 1, 2"
    ));
    let plain = session.table(&format!(
        "SELECT assessment, NULL::date, {AGGREGATE} FROM responses GROUP BY 1
         UNION ALL SELECT NULL, taken_on, {AGGREGATE} FROM responses GROUP BY 2
         UNION ALL SELECT NULL, NULL, {AGGREGATE} FROM responses ORDER BY 1, 2"
    ));
    assert_eq!(sets, plain, "GROUPING SETS");

    session.run("CREATE TABLE twice AS SELECT * FROM responses UNION ALL SELECT * FROM responses");
    let distinct = AGGREGATE.replace('(', "(DISTINCT ");
    assert_eq!(
        session.one::<String>(&format!("SELECT {distinct}::text FROM twice")),
        text_of(&mut session, "(SELECT DISTINCT * FROM responses) r"),
        "DISTINCT"
    );

    // A frame that moves on, and one that grows and is finished again and again.
    session.run(
        "CREATE TABLE days AS
         SELECT r.*, row_number() OVER (ORDER BY taken_on) AS day
         FROM (SELECT DISTINCT ON (taken_on) * FROM responses ORDER BY taken_on, item) r",
    );
    let moving = session.table(&format!(
        "SELECT day, {AGGREGATE} OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND 1 FOLLOWING),
                {AGGREGATE} OVER (ORDER BY day)
         FROM days ORDER BY day"
    ));
    let anew = session.table(&format!(
        "SELECT d.day, a.* FROM days d, LATERAL (
             SELECT {AGGREGATE} FILTER (WHERE day BETWEEN d.day - 6 AND d.day + 1),
                    {AGGREGATE} FILTER (WHERE day <= d.day) FROM days) a
         ORDER BY d.day"
    ));
    assert!(moving.len() > 20);
    assert_eq!(moving, anew, "window frames");
}

#[test]
fn rollups_give_what_all_rows_at_once_give() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(SERIAL);
    session.run(&format!(
        "CREATE TABLE months AS
         SELECT date_trunc('month', taken_on) AS month, student, {AGGREGATE} AS gb
         FROM responses GROUP BY 1, 2;
         INSERT INTO months VALUES (now(), 'nobody', NULL);
         ANALYZE months"
    ));
    let whole = text_of(&mut session, "responses");
    let rollup = "SELECT assess.rollup(gb)::text FROM months";
    assert_eq!(session.one::<String>(rollup), whole, "of months");
    for inner in [
        "SELECT assess.rollup(gb) AS gb FROM months",
        "SELECT assess.rollup(gb ORDER BY md5(student)) AS gb FROM months GROUP BY month",
    ] {
        let outer = format!("SELECT assess.rollup(gb)::text FROM ({inner}) r");
        assert_eq!(session.one::<String>(&outer), whole, "of {inner}");
    }
    let moving = session.table(
        "SELECT month, assess.rollup(assess.rollup(gb)) OVER (
                    ORDER BY month RANGE BETWEEN '1 month' PRECEDING AND CURRENT ROW)
         FROM months WHERE gb IS NOT NULL GROUP BY month ORDER BY 1",
    );
    let anew = session.table(
        "SELECT a.month, (SELECT assess.rollup(gb) FROM months b
                          WHERE b.month BETWEEN a.month - interval '1 month' AND a.month)
         FROM months a WHERE gb IS NOT NULL GROUP BY a.month ORDER BY 1",
    );
    assert_eq!(moving, anew, "two months at a time");

    session.run(PARALLEL);
    for leader in ["on", "off"] {
        session.run(&format!("SET parallel_leader_participation = {leader}"));
        let plan = session.plan(rollup);
        assert!(plan.contains("Partial Aggregate"), "{plan}");
        assert_eq!(
            session.one::<String>(rollup),
            whole,
            "parallel, leader {leader}"
        );
    }
}

#[test]
fn many_groups_spill_and_do_not_fill_the_memory() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE many AS
         SELECT student, item, 1 AS assessment, abs(hashint4(student * 7 + item) % 2) AS score,
                1 AS max_score, date '2026-05-04' + item AS taken_on
         FROM generate_series(1, 4) item, generate_series(1, 50000) student;
         ANALYZE many",
    );
    let groups = format!("SELECT student, {AGGREGATE} AS gb FROM many GROUP BY student");
    let digest = format!("SELECT md5(string_agg(gb::text, '' ORDER BY student)) FROM ({groups}) g");
    session.run(&format!("{SERIAL}; SET enable_hashagg = off"));
    let sorted: String = session.one(&digest);

    let mut session = database.session();
    session.run(&format!(
        "{SERIAL}; SET enable_sort = off; SET work_mem = '64kB'"
    ));
    session.run("SELECT assess.gradebook_agg(1, 1, 1, 1, now())");
    let before = session.memory("VmRSS");
    let rows = session
        .table(&format!("EXPLAIN (ANALYZE, COSTS OFF) {groups}"))
        .join("\n");
    assert!(
        rows.contains("HashAggregate") && rows.contains("Disk Usage"),
        "{rows}"
    );
    if let (Some(before), Some(peak)) = (before, session.memory("VmHWM")) {
        // All states at once take 75 MB; shared pages, which count, some 10 MB.
        assert!(
            peak < before + 30_000,
            "{before} KB before, {peak} KB at most"
        );
    }
    assert_eq!(session.one::<String>(&digest), sorted);
}

#[test]
fn memory_is_given_back_after_an_error_in_the_middle() {
    let database = Database::new();
    let mut session = database.session();
    // The state holds 40 MB when the last row divides by zero.
    let fails = "SELECT assess.gradebook_agg(repeat('x', 400000) || n, 1, 1, 1 / (100 - n), now())
                 FROM generate_series(1, 100) n";
    let run = |session: &mut Session| {
        assert_eq!(session.fails(fails).code().code(), "22012");
    };
    for _ in 0..3 {
        run(&mut session);
    }
    let before = session.memory("VmRSS");
    for _ in 0..20 {
        run(&mut session);
    }
    if let (Some(before), Some(after)) = (before, session.memory("VmRSS")) {
        assert!(
            after < before + 40_000,
            "{before} KB before, {after} KB after"
        );
    }
}
