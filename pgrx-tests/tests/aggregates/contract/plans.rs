//! No plan changes a result: workers, partitions, hash tables, windows, grouping sets.

use pg_assess_it::SERIAL;

use super::{lines, prepared, spoil};

/// Settings under which a table is read by two workers, as each of the two is used.
const PARALLEL: [(&str, &str); 3] = [
    ("leader on", "SET parallel_leader_participation = on"),
    ("leader off", "SET parallel_leader_participation = off"),
    ("sorted", "SET enable_hashagg = off"),
];

#[test]
fn workers_change_nothing() {
    let (_database, mut session) = prepared();
    // Its name from Postgres 16 on comes first.
    let all_in_one: String = session.one(
        "SELECT min(name) FROM pg_settings
         WHERE name IN ('debug_parallel_query', 'force_parallel_mode')",
    );
    for line in lines() {
        let sql = line.sql();
        let queries = [
            format!("SELECT {sql} FROM data"),
            format!("SELECT student, {sql} FROM data GROUP BY student ORDER BY student"),
            format!(
                "SELECT item, {sql} FILTER (WHERE item % 3 > 0) FROM data
                 GROUP BY item ORDER BY item"
            ),
        ];
        for query in queries {
            session.run(&format!("RESET ALL; {SERIAL}"));
            let serial = session.table(&query);
            session.run(pg_assess_it::PARALLEL);
            for (name, setting) in PARALLEL {
                session.run(setting);
                let plan = session.plan(&query);
                assert!(
                    plan.contains("Partial") && plan.contains("Finalize"),
                    "{query}\n{plan}"
                );
                line.same(name, &session.table(&query), &serial);
            }
            session.run(&format!("RESET ALL; SET {all_in_one} = regress"));
            line.identical("all in one worker", &session.table(&query), &serial);
        }
    }
    session.run(pg_assess_it::PARALLEL);
    let rows = session
        .table("EXPLAIN (ANALYZE, COSTS OFF) SELECT assess.item_agg(score, criterion) FROM data")
        .join("\n");
    assert!(rows.contains("Workers Launched: 2"), "{rows}");
}

#[test]
fn partitions_change_nothing() {
    let (_database, mut session) = prepared();
    session.run(
        "CREATE TABLE parted (LIKE data) PARTITION BY HASH (student);
         CREATE TABLE part_0 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
         CREATE TABLE part_1 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
         CREATE TABLE part_2 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
         INSERT INTO parted TABLE data;
         ANALYZE parted",
    );
    for line in lines() {
        let sql = line.sql();
        for key in ["student", "item"] {
            let query = |table: &str| {
                format!("SELECT {key}, {sql} FROM {table} GROUP BY {key} ORDER BY {key}")
            };
            session.run(&format!("RESET ALL; {SERIAL}"));
            let plain = session.table(&query("data"));
            for settings in [
                SERIAL.to_owned(),
                pg_assess_it::PARALLEL.to_owned(),
                format!(
                    "{}; SET parallel_leader_participation = off",
                    pg_assess_it::PARALLEL
                ),
            ] {
                session.run(&format!(
                    "SET enable_partitionwise_aggregate = on; {settings}"
                ));
                let plan = session.plan(&query("parted"));
                // Each partition is aggregated by itself, and where the key is not that of the
                // partitions, the parts are put together.
                let in_part = format!("Group Key: parted_2.{key}");
                assert!(plan.contains(&in_part), "{settings}\n{plan}");
                assert!(
                    key == "student" || plan.contains("Finalize"),
                    "{settings}\n{plan}"
                );
                line.same(&settings, &session.table(&query("parted")), &plain);
            }
        }
    }
}

/// How one statement may be run, and how often it then reports unusable rows.
#[test]
fn every_query_warns_by_itself() {
    let (_database, mut session) = prepared();
    spoil(&mut session);
    session.run(
        "CREATE TABLE parted (LIKE spoilt) PARTITION BY HASH (item);
         CREATE TABLE part_0 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
         CREATE TABLE part_1 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
         CREATE TABLE part_2 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
         INSERT INTO parted TABLE spoilt;
         ANALYZE parted",
    );
    for call in [
        "assess.item_agg(score, criterion)",
        "assess.gradebook_agg(student, item, assessment, score, day)",
    ] {
        let query = |table: &str| format!("SELECT item, {call} FROM {table} GROUP BY item");
        session.run(&format!(
            "{SERIAL}; SET enable_partitionwise_aggregate = on"
        ));
        session.table(&query("parted"));
        assert_eq!(session.notices().len(), 1, "{call}: partitions");

        session.run(&format!(
            "BEGIN; SET LOCAL enable_hashagg = off;
             DECLARE a CURSOR FOR {0}; DECLARE b CURSOR FOR {0}",
            query("spoilt")
        ));
        for _ in 0..4 {
            session.run("FETCH 2 FROM a; FETCH 2 FROM b");
        }
        session.run("ROLLBACK");
        assert_eq!(session.notices().len(), 2, "{call}: two cursors in turn");

        session.run(&format!(
            "{}; SET parallel_leader_participation = off",
            pg_assess_it::PARALLEL
        ));
        let plan = session.plan(&query("parted"));
        assert!(
            plan.contains("Parallel Append") && !plan.contains("Partial"),
            "{plan}"
        );
        session.table(&query("parted"));
        let reported = session.notices().len();
        assert!(
            (1..=2).contains(&reported),
            "{call}: each worker once, not {reported} times"
        );

        session.fails(&format!("SELECT 1 / 0 FROM ({}) q", query("spoilt")));
        session.notices();
        session.table(&query("spoilt"));
        assert_eq!(session.notices().len(), 1, "{call}: after an error");
    }
}

#[test]
fn a_million_groups_on_disk_are_those_in_memory() {
    a_million_groups(0);
}

/// Split, as it takes longer than all other checks together.
#[test]
fn a_million_groups_on_disk_are_those_in_memory_other_half() {
    a_million_groups(1);
}

fn a_million_groups(half: usize) {
    let (_database, mut session) = prepared();
    // Some groups have one row and some two, which lie apart.
    session.run(
        "CREATE TABLE many AS
         SELECT n, (n * 7919::bigint % 1000000)::int AS grp, 1 + n % 4000 AS id
         FROM generate_series(1, 1400000) n;
         ANALYZE many",
    );
    let mut lines = lines();
    lines.sort_by_key(|line| line.groups);
    let of_one_size = lines.chunk_by(|left, right| left.groups == right.groups);
    let together = of_one_size.flat_map(|lines| lines.chunks(6));
    for lines in together.skip(half).step_by(2) {
        let groups = lines[0].groups;
        let (mut calls, mut digests) = (String::new(), "count(*)".to_owned());
        for (at, line) in lines.iter().enumerate() {
            calls += &format!(", {} AS r{at}", line.sql());
            digests += &format!(", sum(hashtextextended(concat(grp, ' ', r{at}), 0)) AS d{at}");
        }
        let digest = |order: &str| {
            format!(
                "SELECT {digests}
                 FROM (SELECT grp {calls} FROM (SELECT * FROM many JOIN data USING (id)
                                                WHERE grp < {groups} {order}) q
                       GROUP BY grp) r"
            )
        };
        session.run(&format!(
            "{SERIAL}; SET work_mem = '4MB'; SET enable_hashagg = on; SET enable_sort = off"
        ));
        let plan = session.table(&format!(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) CREATE TABLE spilled AS {}",
            digest("")
        ));
        let plan = plan.join("\n");
        assert!(
            plan.contains("HashAggregate") && plan.contains("Disk Usage"),
            "{plan}"
        );
        session.run("SET enable_hashagg = off; SET enable_sort = on; SET work_mem = '64MB'");
        let spilled = session.table("TABLE spilled");
        session.run("DROP TABLE spilled");
        // Of sorted rows, one group is in memory at a time.
        let sorted = session.table(&digest("ORDER BY grp, n"));
        assert!(spilled[0].starts_with(&format!("{groups}|")), "{spilled:?}");
        let (spilled, sorted) = (spilled[0].split('|'), sorted[0].split('|'));
        for (line, (spilled, sorted)) in lines.iter().zip(spilled.zip(sorted).skip(1)) {
            assert_eq!(spilled, sorted, "{}: {groups} groups", line.call);
        }
    }
}

/// Frames of a window over [`DATA`], and which rows `i` are in that of a row `o`.
const FRAMES: [(&str, &str); 10] = [
    ("ORDER BY place", "i.place <= o.place"),
    (
        "ORDER BY place ROWS BETWEEN 4 PRECEDING AND 2 FOLLOWING",
        "i.place BETWEEN o.place - 4 AND o.place + 2",
    ),
    (
        "ORDER BY place ROWS BETWEEN 4 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
        "i.place BETWEEN o.place - 4 AND o.place + 2 AND i.place <> o.place",
    ),
    (
        "ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 5 PRECEDING",
        "i.place <= o.place - 5",
    ),
    (
        "ORDER BY place ROWS BETWEEN 3 FOLLOWING AND 1 FOLLOWING",
        "false",
    ),
    (
        "PARTITION BY item % 3 ORDER BY place
         ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        "i.place >= o.place AND i.item % 3 = o.item % 3",
    ),
    (
        "ORDER BY value RANGE BETWEEN 3 PRECEDING AND 5 FOLLOWING EXCLUDE TIES",
        "i.value BETWEEN o.value - 3 AND o.value + 5
         AND (i.value <> o.value OR i.place = o.place)",
    ),
    (
        "ORDER BY value RANGE BETWEEN CURRENT ROW AND 4 FOLLOWING",
        "i.value BETWEEN o.value AND o.value + 4",
    ),
    (
        "ORDER BY value GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP",
        "abs(i.peers - o.peers) = 1",
    ),
    (
        "ORDER BY value GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW",
        "i.peers BETWEEN o.peers - 2 AND o.peers AND i.place <> o.place",
    ),
];

#[test]
fn windows_are_subqueries_over_the_same_rows() {
    let (_database, mut session) = prepared();
    session.run(
        "CREATE TABLE framed AS
         SELECT *, dense_rank() OVER (ORDER BY value) AS peers
         FROM (SELECT *, row_number() OVER (ORDER BY id) AS place, id * id % 37 AS value
               FROM data WHERE id < 60 OR id % 160 = 0 AND id < 600) q",
    );
    for line in lines() {
        let sql = line.sql();
        for (frame, condition) in FRAMES {
            let window = session.table(&format!(
                "SELECT place, {sql} OVER ({frame}) FROM framed ORDER BY place"
            ));
            let anew = session.table(&format!(
                "SELECT o.place, (SELECT {sql} FROM framed i WHERE {condition})
                 FROM framed o ORDER BY o.place"
            ));
            assert!(window.len() > 60);
            line.same(frame, &window, &anew);
        }
        let filtered = session.table(&format!(
            "SELECT place, {sql} FILTER (WHERE item % 2 = 0) OVER (ORDER BY place ROWS 2 PRECEDING)
             FROM framed ORDER BY place"
        ));
        let anew = session.table(&format!(
            "SELECT o.place, (SELECT {sql} FROM framed i
                              WHERE i.item % 2 = 0 AND i.place BETWEEN o.place - 2 AND o.place)
             FROM framed o ORDER BY o.place"
        ));
        line.same("FILTER in a window", &filtered, &anew);
    }
}

#[test]
fn distinct_and_order_within_the_call() {
    let (_database, mut session) = prepared();
    session.run("CREATE TABLE twice AS SELECT * FROM data UNION ALL SELECT * FROM data");
    for line in lines() {
        let sql = line.sql();
        let plain = session.table(&format!("SELECT {sql} FROM data"));
        for order in ["id", "id DESC", "md5(id::text)", "item, assessment, id"] {
            let ordered = line.around("", &format!("ORDER BY {order}"));
            let ordered = session.table(&format!("SELECT {ordered} FROM data"));
            line.same(order, &ordered, &plain);
        }
        if line.has_equality {
            let columns = line.columns().join(", ");
            let distinct = line.around("DISTINCT", "");
            let left = session.table(&format!(
                "SELECT focal, {distinct} FROM twice GROUP BY focal ORDER BY focal"
            ));
            let right = session.table(&format!(
                "SELECT kept, {sql} FROM (SELECT DISTINCT focal AS kept, {columns} FROM data) q
                 GROUP BY kept ORDER BY kept"
            ));
            line.same("DISTINCT", &left, &right);
        }
    }
}

#[test]
fn grouping_sets_are_queries_of_their_own() {
    let (_database, mut session) = prepared();
    for line in lines() {
        let sql = line.sql();
        let query = |group_by: &str, columns: [&str; 2]| {
            let [item, assessment] = columns;
            format!("SELECT {item}, {assessment}, {sql} FROM data {group_by}")
        };
        let both = query("GROUP BY item, assessment", ["item", "assessment"]);
        let items = query("GROUP BY item", ["item", "NULL"]);
        let assessments = query("GROUP BY assessment", ["NULL", "assessment"]);
        let all = query("", ["NULL::int", "NULL"]);
        for (sets, apart) in [
            (
                "GROUPING SETS ((item), (assessment), ())",
                vec![&all, &items, &assessments],
            ),
            ("ROLLUP (item, assessment)", vec![&all, &items, &both]),
            (
                "CUBE (item, assessment)",
                vec![&all, &items, &assessments, &both],
            ),
        ] {
            let sets = query(&format!("GROUP BY {sets}"), ["item", "assessment"]);
            let apart: Vec<String> = apart.iter().map(|query| format!("({query})")).collect();
            let apart = session.table(&format!("{} ORDER BY 1, 2", apart.join(" UNION ALL ")));
            for (setting, strategy) in [
                ("SET enable_sort = off", "MixedAggregate"),
                ("SET enable_hashagg = off", "GroupAggregate"),
            ] {
                session.run(&format!("RESET ALL; {setting}"));
                let sets = format!("{sets} ORDER BY 1, 2");
                let plan = session.plan(&sets);
                assert!(plan.contains(strategy), "{sets}\n{plan}");
                line.same(&sets, &session.table(&sets), &apart);
            }
            session.run("RESET ALL");
        }
    }
}
