//! Responses on two servers, read through postgres_fdw: what is sent to the shards, that states
//! come back to the last bit, and that the figures are those of one table.

use std::sync::{Arc, Mutex, Weak};

use pg_assess_it::{Database, Server, Session, environment};

/// The second server, which all tests at work share.
fn second() -> Arc<Server> {
    static SECOND: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut second = SECOND.lock().expect("a server starts");
    second.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start(""));
        *second = Arc::downgrade(&server);
        server
    })
}

/// A coordinator, and two shards: a database beside it and one on another server. Fields are
/// dropped in this order.
struct Cluster {
    coordinator: Database,
    shards: [Database; 2],
    _second: Arc<Server>,
}

const COLUMNS: &str = "student_id int, question_id int, score float8, total float8,
                       taken_on date, begun_at timestamp, handed_in timestamptz";

impl Cluster {
    /// With all responses in the local table `whole`, and by student in `responses`. None, and reported,
    /// where the server is without postgres_fdw.
    fn new() -> Option<Self> {
        if !pg_assess_it::is_available("postgres_fdw") {
            return None;
        }
        let second = second();
        let cluster = Self {
            coordinator: Database::new(),
            shards: [Database::new(), Database::on(&second.host)],
            _second: second,
        };
        let mut session = cluster.session();
        session.run(&format!(
            "CREATE EXTENSION postgres_fdw;
             CREATE TABLE responses ({COLUMNS}) PARTITION BY HASH (student_id)"
        ));
        for (at, shard) in cluster.shards.iter().enumerate() {
            shard
                .session()
                .run(&format!("CREATE TABLE responses ({COLUMNS})"));
            session.run(&format!(
                "CREATE SERVER shard_{at} FOREIGN DATA WRAPPER postgres_fdw
                 OPTIONS (host '{}', port '{}', dbname '{}',
                          extensions 'pg_assess', async_capable 'true', batch_size '1000');
                 CREATE USER MAPPING FOR CURRENT_USER SERVER shard_{at} OPTIONS (user '{}');
                 CREATE FOREIGN TABLE responses_{at}
                 PARTITION OF responses FOR VALUES WITH (MODULUS 2, REMAINDER {at})
                 SERVER shard_{at} OPTIONS (table_name 'responses')",
                shard.host(),
                environment("PGPORT"),
                shard.name(),
                environment("PGUSER"),
            ));
        }
        // In the order of the students: so every plan adds up a student's rows in the same order,
        // and what is the same is so to the last bit.
        session.run(&format!(
            "CREATE TABLE whole ({COLUMNS});
             INSERT INTO whole
             SELECT student, question, score,
                    score + (student * 7919 % 101 + question * 13 % 17) / 11.0,
                    at::date, at, at AT TIME ZONE 'UTC'
             FROM generate_series(1, 200) student, generate_series(1, 30) question,
                  abs(hashint8(student * 100 + question)) dice,
                  CAST((dice % 300 + student > 200)::int AS float8) score,
                  CAST(timestamp '2025-09-01' + dice % 240 * interval '17 hours' AS timestamp) at
             ORDER BY student, question;
             INSERT INTO responses SELECT * FROM whole;
             ANALYZE whole, responses;
             SET enable_partitionwise_aggregate = on"
        ));
        for shard in &cluster.shards {
            let rows: i64 = shard.session().one("SELECT count(*) FROM responses");
            assert!(rows > 2000, "{rows}");
        }
        Some(cluster)
    }

    /// A session of the coordinator as the documentation advises.
    fn session(&self) -> Session {
        let mut session = self.coordinator.session();
        session.run("SET enable_partitionwise_aggregate = on");
        session
    }
}

/// What is sent to the shards, and whether the coordinator aggregates.
fn plan(session: &mut Session, query: &str) -> (Vec<String>, bool) {
    let plan = session.table(&format!("EXPLAIN (VERBOSE, COSTS OFF) {query}"));
    let remote = plan
        .iter()
        .filter_map(|line| line.trim().strip_prefix("Remote SQL: "));
    let aggregates = plan.iter().any(|line| {
        let node = line.trim().trim_start_matches("->").trim_start();
        let kinds = ["Aggregate", "Hash", "Group", "Mixed", "Partial", "Finalize"];
        kinds.iter().any(|kind| node.starts_with(kind)) && node.contains("Aggregate")
    });
    (remote.map(str::to_owned).collect(), aggregates)
}

fn by_student(call: &str, table: &str) -> String {
    format!("SELECT student_id, {call} AS figure FROM {table} GROUP BY student_id")
}

/// Asserts that the shards aggregate a call, and the coordinator does not.
#[track_caller]
fn is_shipped(session: &mut Session, call: &str) {
    let (remote, aggregates) = plan(session, &by_student(call, "responses"));
    let shipped = |sql: &String| sql.contains("assess.") && sql.ends_with("GROUP BY 1");
    assert_eq!(
        remote.iter().filter(|sql| shipped(sql)).count(),
        2,
        "{call}: {remote:?}"
    );
    assert!(remote.len() == 2 && !aggregates, "{call}");
}

/// Asserts that the shards send rows, and the coordinator aggregates them.
#[track_caller]
fn is_not_shipped(session: &mut Session, call: &str) {
    let (remote, aggregates) = plan(session, &by_student(call, "responses"));
    assert!(
        remote.iter().all(|sql| !sql.contains("assess.")),
        "{call}: {remote:?}"
    );
    assert!(remote.len() == 2 && aggregates, "{call}");
}

/// Asserts that a call gives each student the same from the shards and from one table.
#[track_caller]
fn is_same(session: &mut Session, call: &str) {
    let sorted = |table| format!("{} ORDER BY student_id", by_student(call, table));
    let whole = session.table(&sorted("whole"));
    assert_eq!(whole.len(), 200);
    assert_eq!(session.table(&sorted("responses")), whole, "{call}");
}

/// Every aggregate over rows of numbers and times.
fn calls() -> Vec<String> {
    let mut calls = Vec::new();
    for aggregate in ["item_agg", "discrimination", "r_rest", "biserial"] {
        calls.push(format!("assess.{aggregate}(score, total)"));
    }
    for (time, as_of) in [
        ("taken_on", "date '2026-01-15'"),
        ("begun_at", "timestamp '2026-01-15 12:00'"),
        ("handed_in", "timestamptz '2026-01-15 12:00+02'"),
    ] {
        for aggregate in ["decay_agg", "decay_avg"] {
            calls.push(format!("assess.{aggregate}(score, {time}, '60 days')"));
            calls.push(format!(
                "assess.{aggregate}(score, {time}, '60 days', total)"
            ));
        }
        calls.push(format!(
            "assess.decay_avg(score, {time}, interval '60 days', 1, {as_of})"
        ));
        for aggregate in ["trend_agg", "trend_slope", "trend"] {
            calls.push(format!("assess.{aggregate}(score, {time})"));
            calls.push(format!("assess.{aggregate}(score, {time}, total)"));
        }
    }
    calls
}

#[test]
fn figures_of_students_are_made_on_the_shards() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let mut session = cluster.session();
    for call in calls() {
        for call in [&call, &format!("{call} FILTER (WHERE question_id % 3 > 0)")] {
            is_shipped(&mut session, call);
            is_same(&mut session, call);
        }
    }
    // Every aggregate has been tried, but for rollup and those of varying size.
    let tried = calls().join(" ");
    let aggregates = session.table(
        "SELECT DISTINCT proname FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid
         WHERE pronamespace = 'assess'::regnamespace AND aggtranstype <> 'internal'::regtype
           AND proname <> 'rollup'",
    );
    for name in aggregates {
        assert!(tried.contains(&format!("assess.{name}(")), "{name}");
    }
}

#[test]
fn what_depends_on_the_session_stays_with_the_coordinator() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let mut session = cluster.session();
    // The state is made on the shards, and asked here.
    for (call, sent) in [
        (
            "assess.level(assess.decay_agg(score, taken_on, '60 days'), '2026-09-01')",
            "decay_agg",
        ),
        (
            "assess.level_se(assess.decay_agg(score, taken_on, '60 days'), now())",
            "decay_agg",
        ),
        (
            "assess.information(assess.decay_agg(score, taken_on, '60 days'), now())",
            "decay_agg",
        ),
        (
            "assess.last_at(assess.trend_agg(score, taken_on))",
            "trend_agg",
        ),
    ] {
        is_shipped(&mut session, call);
        let (remote, _) = plan(&mut session, &by_student(call, "responses"));
        let only = format!("SELECT student_id, assess.{sent}(");
        assert!(
            remote.iter().all(|sql| sql.starts_with(&only)),
            "{call}: {remote:?}"
        );
        session.run("BEGIN"); // one now()
        is_same(&mut session, call);
        session.run("COMMIT");
    }
    let today = "assess.decay_avg(score, taken_on, '60 days', 1, current_date)";
    is_not_shipped(&mut session, today);
    is_same(&mut session, today);
    is_not_shipped(
        &mut session,
        "assess.trend_slope(score, taken_on::timestamptz)",
    );
    let once = "assess.decay_avg(score, taken_on, '60 days', 1, (SELECT current_date))";
    is_shipped(&mut session, once);
    is_same(&mut session, once);
}

#[test]
fn without_the_settings_rows_come_and_figures_are_the_same() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let mut session = cluster.session();
    session.run("SET enable_partitionwise_aggregate = off");
    is_not_shipped(&mut session, "assess.trend_slope(score, taken_on)");
    session.run(
        "SET enable_partitionwise_aggregate = on;
         ALTER SERVER shard_0 OPTIONS (DROP extensions);
         ALTER SERVER shard_1 OPTIONS (DROP extensions)",
    );
    for call in calls() {
        is_not_shipped(&mut session, &call);
        is_same(&mut session, &call);
    }
}

/// On each shard: what it knows of each question, and of each subject.
const STATES: &str = "
    CREATE VIEW question_summaries AS
    SELECT question_id, assess.item_agg(score, total) AS item,
           assess.decay_agg(score, taken_on, interval '60 days') AS decay,
           assess.trend_agg(score, handed_in) AS trend
    FROM responses GROUP BY question_id;
    CREATE VIEW gradebooks AS
    SELECT question_id % 2 AS subject,
           assess.gradebook_agg(student_id, question_id, question_id / 10, score, 1.0,
                                taken_on) AS gb
    FROM responses GROUP BY question_id % 2";

impl Cluster {
    /// With the views of the shards as tables of the coordinator.
    fn with_summaries() -> Option<Self> {
        let cluster = Self::new()?;
        let mut session = cluster.session();
        for (at, shard) in cluster.shards.iter().enumerate() {
            shard.session().run(STATES);
            session.run(&format!(
                "CREATE FOREIGN TABLE question_summaries_{at} (
                     question_id int, item assess.item_summary, decay assess.decay_summary,
                     trend assess.trend_summary)
                 SERVER shard_{at} OPTIONS (table_name 'question_summaries');
                 CREATE FOREIGN TABLE gradebooks_{at} (subject int, gb assess.gradebook)
                 SERVER shard_{at} OPTIONS (table_name 'gradebooks')"
            ));
        }
        session.run(
            "CREATE VIEW question_summaries AS
             SELECT * FROM question_summaries_0 UNION ALL SELECT * FROM question_summaries_1;
             CREATE VIEW gradebooks AS
             SELECT * FROM gradebooks_0 UNION ALL SELECT * FROM gradebooks_1",
        );
        Some(cluster)
    }
}

#[test]
fn states_come_to_the_last_bit() {
    let Some(cluster) = Cluster::with_summaries() else {
        return;
    };
    let mut session = cluster.session();
    for (at, shard) in cluster.shards.iter().enumerate() {
        for (table, key, state, send) in [
            (
                "question_summaries",
                "question_id",
                "item",
                "item_summary_send",
            ),
            (
                "question_summaries",
                "question_id",
                "decay",
                "decay_summary_send",
            ),
            (
                "question_summaries",
                "question_id",
                "trend",
                "trend_summary_send",
            ),
            ("gradebooks", "subject", "gb", "gradebook_send"),
        ] {
            let bytes = |table: &str| {
                format!("SELECT {key}, assess.{send}({state}) FROM {table} ORDER BY 1")
            };
            let (here, there) = (bytes(&format!("{table}_{at}")), bytes(table));
            let (remote, _) = plan(&mut session, &here);
            assert!(
                !remote.join("").contains(send),
                "the shard sends the state: {remote:?}"
            );
            let sent = shard.session().table(&there);
            assert!(sent.len() >= 2 && sent.iter().all(|row| row.len() > 100));
            assert_eq!(session.table(&here), sent, "{state} of shard {at}");
        }
    }
}

#[test]
fn figures_of_questions_follow_from_states() {
    let Some(cluster) = Cluster::with_summaries() else {
        return;
    };
    let mut session = cluster.session();
    let wrong = |wrong: &str| {
        format!(
            "SELECT question_id
             FROM (SELECT question_id, assess.rollup(item) AS item, assess.rollup(decay) AS decay,
                          assess.rollup(trend) AS trend
                   FROM question_summaries GROUP BY question_id) s
             FULL JOIN
                  (SELECT question_id, assess.item_agg(score, total) AS item,
                          assess.decay_agg(score, taken_on, interval '60 days') AS decay,
                          assess.trend_agg(score, handed_in) AS trend
                   FROM whole GROUP BY question_id) w USING (question_id)
             WHERE {wrong}"
        )
    };
    assert_eq!(session.table(&wrong("true")).len(), 30);
    for exact in [
        "n(#.item)",
        "n(#.decay)",
        "last_at(#.decay)",
        "n(#.trend)",
        "trend(#.trend)",
        "dates(#.trend)",
        "first_at(#.trend)",
        "last_at(#.trend)",
    ] {
        let of = |of: &str| format!("assess.{}", exact.replace('#', of));
        let differ = format!("{} IS DISTINCT FROM {}", of("s"), of("w"));
        assert_eq!(session.table(&wrong(&differ)), [""; 0], "{exact}");
    }
    for near in [
        "facility(#.item)",
        "discrimination(#.item)",
        "r_rest(#.item)",
        "biserial(#.item)",
        "biserial_se(#.item)",
        "ci_low(#.item)",
        "level(#.decay)",
        "level_se(#.decay)",
        "information(#.decay)",
        "n_effective(#.decay)",
        "slope(#.trend)",
        "slope_se(#.trend)",
        "trend_p(#.trend)",
    ] {
        let of = |of: &str| format!("assess.{}", near.replace('#', of));
        let (s, w) = (of("s"), of("w"));
        let differ = format!("(abs({s} - {w}) <= 1e-12 * greatest(1, abs({w}))) IS NOT TRUE");
        assert_eq!(session.table(&wrong(&differ)), [""; 0], "{near}");
    }
    // A question is asked of the shards alone.
    let one = "SELECT assess.rollup(item) FROM question_summaries WHERE question_id = 7";
    let (remote, _) = plan(&mut session, one);
    let asked = |sql: &String| sql.ends_with("WHERE ((question_id = 7))");
    assert_eq!(
        remote.iter().filter(|sql| asked(sql)).count(),
        2,
        "{remote:?}"
    );
}

#[test]
fn questions_without_states_are_right_and_slow() {
    let Some(cluster) = Cluster::new() else {
        return;
    };
    let mut session = cluster.session();
    let of = |table| {
        format!(
            "SELECT question_id, assess.discrimination(score, total) AS r FROM {table} GROUP BY 1"
        )
    };
    let (remote, aggregates) = plan(&mut session, &of("responses"));
    assert!(
        aggregates && remote.iter().all(|sql| !sql.contains("assess.")),
        "{remote:?}"
    );
    let apart = format!(
        "SELECT question_id FROM ({}) s FULL JOIN ({}) w USING (question_id)
         WHERE (abs(s.r - w.r) <= 1e-12) IS NOT TRUE",
        of("responses"),
        of("whole")
    );
    assert_eq!(session.table(&apart), [""; 0]);
}

#[test]
fn gradebooks_of_shards_make_the_gradebook_of_all() {
    let Some(cluster) = Cluster::with_summaries() else {
        return;
    };
    let mut session = cluster.session();
    let whole = session.table(
        "SELECT question_id % 2, assess.gradebook_agg(student_id, question_id, question_id / 10,
                                                      score, 1.0, taken_on)
         FROM whole GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(whole.len(), 2);
    assert_eq!(
        session.table("SELECT subject, assess.rollup(gb) FROM gradebooks GROUP BY 1 ORDER BY 1"),
        whole
    );
}

#[test]
fn shards_must_agree_on_half_life_and_type_of_time() {
    let Some(cluster) = Cluster::with_summaries() else {
        return;
    };
    let other = STATES.replace("60", "30").replace("handed_in", "taken_on");
    cluster.shards[1].session().run(&format!(
        "DROP VIEW question_summaries, gradebooks; {other}"
    ));
    let mut session = cluster.session();
    for (state, values) in [
        ("decay", ["60 days", "30 days"]),
        ("trend", ["timestamptz", "date or timestamp"]),
    ] {
        let rollup = format!("SELECT assess.rollup({state}) FROM question_summaries");
        let error = session.refuses(&rollup, "22023");
        let detail = error.detail().unwrap_or_default();
        assert!(
            values.iter().all(|value| detail.contains(value)),
            "{detail}"
        );
    }
}

#[test]
fn rows_left_out_on_a_shard_are_counted() {
    let Some(cluster) = Cluster::with_summaries() else {
        return;
    };
    let mut session = cluster.session();
    session.run(
        "INSERT INTO responses
         SELECT student, 7, 'NaN', 1, '2026-01-05', '2026-01-05', '2026-01-05'
         FROM generate_series(1, 20) student",
    );
    session.notices();
    assert_eq!(
        session.table(
            "SELECT sum(assess.excluded(item)), sum(assess.excluded(decay)),
                    sum(assess.excluded(trend))
             FROM (SELECT assess.rollup(item) AS item, assess.rollup(decay) AS decay,
                          assess.rollup(trend) AS trend
                   FROM question_summaries GROUP BY question_id) s"
        ),
        ["20|20|20"]
    );
    // postgres_fdw leaves what shards say in the log of the coordinator's server.
    assert!(session.notices().is_empty());
}
