//! What every aggregate of the extension keeps to, whatever it computes. A new aggregate gets all
//! of it by one line in [`lines`].

use pg_assess_it::{Database, SERIAL, Session};

/// One aggregate, or the same one for each type of time.
#[derive(Clone)]
struct Line {
    /// The call over columns of [`DATA`]; what is no column is a constant. `@time@` stands for a
    /// column of each type of time.
    call: String,
    /// Columns of which every value counts, also NULL.
    accepts: Vec<&'static str>,
    counts_unusable: bool,
    silent: bool,
    has_equality: bool,
    exact: bool,
    groups: u32,
}

fn line(call: &str) -> Line {
    Line {
        call: call.to_owned(),
        accepts: Vec::new(),
        counts_unusable: false,
        silent: false,
        has_equality: true,
        exact: false,
        groups: 1_000_000,
    }
}

/// The ways in which an aggregate may differ from others; each takes the reason.
impl Line {
    /// Every value of a column counts, also NULL.
    fn accepts(mut self, column: &'static str, _reason: &str) -> Self {
        self.accepts.push(column);
        self
    }

    /// Rows that cannot be used are a result, too.
    fn counts_unusable(mut self, _reason: &str) -> Self {
        self.counts_unusable = true;
        self
    }

    /// Tells nobody that rows were left out.
    fn silent(mut self, _reason: &str) -> Self {
        self.silent = true;
        self
    }

    /// DISTINCT cannot be asked for.
    fn no_equality(mut self, _reason: &str) -> Self {
        self.has_equality = false;
        self
    }

    /// Not a digit depends on the order of rows.
    fn exact(mut self, _reason: &str) -> Self {
        self.exact = true;
        self
    }

    /// Less than a million groups are enough.
    fn groups(mut self, groups: u32, _reason: &str) -> Self {
        self.groups = groups;
        self
    }
}

/// All aggregates.
fn lines() -> Vec<Line> {
    let gradebook = |call| {
        line(call)
            .counts_unusable("the gradebook counts them by reason")
            .exact("a gradebook is a multiset of rows, written in one order")
            .groups(20_000, "a state takes more than a kilobyte")
    };
    let rollup = |call| {
        line(call)
            .silent("rows were told of when the parts were made")
            .no_equality("parts are not compared")
    };
    let lines = [
        line("item_agg(score, criterion)"),
        line("discrimination(score, criterion)"),
        line("r_rest(score, criterion)"),
        line("biserial(mark, criterion)"),
        line("decay_agg(score, @time@, interval '60 days')"),
        line("decay_agg(score, @time@, interval '60 days', weight)"),
        line("decay_avg(score, @time@, interval '60 days')"),
        line("decay_avg(score, @time@, interval '60 days', weight)"),
        line("decay_avg(score, @time@, interval '60 days', weight, '2026-03-20')"),
        line("trend_agg(score, @time@)"),
        line("trend_agg(score, @time@, weight)"),
        line("trend_slope(score, @time@)"),
        line("trend_slope(score, @time@, weight)"),
        line("trend(score, @time@)"),
        line("trend(score, @time@, weight)"),
        line("somers_d(score, criterion)"),
        line("somers_d_se(mark, criterion)"),
        line("discrimination_index(score, criterion)"),
        line("discrimination_index(score, criterion, 0.33)"),
        line("discriminative_efficiency(score, criterion)"),
        line("theil_sen(score, @time@)"),
        line("theil_sen_ci_low(score, @time@)"),
        line("theil_sen_ci_low(score, @time@, 0.8)"),
        line("theil_sen_ci_high(score, @time@)"),
        line("theil_sen_ci_high(score, @time@, 0.8)"),
        line("mann_kendall(score, @time@)"),
        line("mann_kendall_s(score, @time@)"),
        line("kendall_tau(score, @time@)"),
        line("cronbach_alpha(answers)"),
        line("cronbach_alpha_se(answers)"),
        line("mantel_haenszel(correct, focal, stratum)"),
        line("mantel_haenszel_delta(correct, focal, stratum)"),
        line("mantel_haenszel_delta_se(correct, focal, stratum)"),
        line("mantel_haenszel_p(correct, focal, stratum)"),
        line("mantel_haenszel_class(correct, focal, stratum)"),
        rollup("rollup(item_state)"),
        rollup("rollup(decay_state)"),
        rollup("rollup(trend_state)"),
        rollup("rollup(gradebook)")
            .exact("a gradebook is a multiset of rows, written in one order")
            .groups(20_000, "a state takes more than a kilobyte"),
        gradebook("gradebook_agg(student, item, assessment, score, @time@)"),
        gradebook("gradebook_agg(student, item, assessment, score, max_score, @time@)")
            .accepts("max_score", "infinity is a scale without an upper bound"),
        gradebook("roster_agg(student, item, @time@, @time@)")
            .accepts(
                "item",
                "without a group, the student belongs to one all the same",
            )
            .accepts("@time@", "what is not a time is an open end"),
    ];
    let with_times = |line: &Line| -> Vec<Line> {
        if !line.call.contains("@time@") {
            return vec![line.clone()];
        }
        let of = |time: &'static str| {
            let mut line = line.clone();
            line.call = line.call.replace("@time@", time);
            for column in &mut line.accepts {
                *column = if *column == "@time@" { time } else { *column };
            }
            line
        };
        ["day", "moment", "taken_at"].map(of).to_vec()
    };
    lines.iter().flat_map(with_times).collect()
}

impl Line {
    fn arguments(&self) -> Vec<&str> {
        let (_, arguments) = self.call.split_once('(').expect("a call");
        let arguments = arguments.strip_suffix(')').expect("a call");
        arguments.split(", ").collect()
    }

    /// Columns among the arguments.
    fn columns(&self) -> Vec<&str> {
        let is_column = |argument: &&str| SPOILT.iter().any(|(column, _)| column == argument);
        let mut columns: Vec<&str> = self.arguments().into_iter().filter(is_column).collect();
        columns.sort();
        columns.dedup();
        columns
    }

    /// Columns of which not every value counts.
    fn strict_columns(&self) -> Vec<&str> {
        let mut columns = self.columns();
        columns.retain(|column| !self.accepts.contains(column));
        columns
    }

    /// The call as it is run.
    fn sql(&self) -> String {
        format!("assess.{}", self.call)
    }

    /// The call with something before and behind its arguments.
    fn around(&self, before: &str, behind: &str) -> String {
        let call = self.sql().replacen('(', &format!("({before} "), 1);
        format!("{} {behind})", call.strip_suffix(')').expect("a call"))
    }

    /// Asserts that two queries gave the same rows.
    #[track_caller]
    fn same(&self, check: &str, left: &[String], right: &[String]) {
        if self.exact {
            self.identical(check, left, right);
        } else {
            self.compare(check, left, right, alike);
        }
    }

    /// Asserts that two queries gave the same rows to the last digit.
    #[track_caller]
    fn identical(&self, check: &str, left: &[String], right: &[String]) {
        self.compare(check, left, right, |left, right| left == right);
    }

    #[track_caller]
    fn compare(
        &self,
        check: &str,
        left: &[String],
        right: &[String],
        same: fn(&str, &str) -> bool,
    ) {
        let call = &self.call;
        let (n, m) = (left.len(), right.len());
        assert_eq!(n, m, "{call}: {check}: {n} and {m} rows");
        for (left, right) in left.iter().zip(right) {
            assert!(same(left, right), "{call}: {check}:\n{left}\n{right}");
        }
    }

    /// What a result says beside how many rows were left out.
    fn essence(&self, session: &mut Session, result: &str) -> String {
        match self.result_type(session).as_str() {
            "assess.gradebook" => format!(
                "(SELECT string_agg(concat_ws(' ', s.student, s.level, s.n), ', ')
                  FROM assess.students({result}) s)"
            ),
            own if own.starts_with("assess.") => {
                format!(r"regexp_replace({result}::text, 'excluded=\d+', '')")
            }
            _ => result.to_owned(),
        }
    }

    fn result_type(&self, session: &mut Session) -> String {
        session.one(&format!(
            "SELECT pg_typeof({})::text FROM data WHERE false",
            self.sql()
        ))
    }
}

/// Whether two rows say the same, but for rounding where numbers have a fraction.
fn alike(left: &str, right: &str) -> bool {
    let (left, right) = (words(left), words(right));
    left.len() == right.len()
        && left
            .iter()
            .zip(&right)
            .all(|(left, right)| near(left, right))
}

fn near(left: &str, right: &str) -> bool {
    let is_fraction = |word: &str| word.contains(['.', 'e']);
    if left == right || !(is_fraction(left) || is_fraction(right)) {
        return left == right;
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        // Of what should be 0, nothing but rounding may be left.
        (Ok(left), Ok(right)) => {
            (left - right).abs() <= (1e-9 * left.abs().max(right.abs())).max(1e-12)
        }
        _ => false,
    }
}

/// Numbers and what stands between them.
fn words(row: &str) -> Vec<&str> {
    row.split_inclusive(['|', '=', ' ', ',', '(', ')', '\n'])
        .flat_map(|word| {
            let end = word.trim_end_matches(['|', '=', ' ', ',', '(', ')', '\n']);
            [end, &word[end.len()..]]
        })
        .collect()
}

/// Whether a result has a number that is none.
fn is_unreal(result: &str) -> bool {
    let words = result.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.into_iter().any(|word| {
        let word = word.to_ascii_lowercase();
        ["nan", "inf", "infinity"].contains(&word.as_str())
    })
}

/// The rows that all checks share: ties, rows that repeat, and a NULL here and there. A new summary
/// type gets a column of its states, named `item_state` after `item_summary`.
const DATA: &str = "
    SELECT setseed(0.25);
    CREATE TABLE data AS
    WITH drawn AS (
        SELECT id, 'secret ' || id % 61 AS student, (random() * 14)::int AS item,
               'test ' || (random() * 7)::int AS assessment,
               least(1, greatest(0, round((random() + id % 61 / 60.0)::numeric / 2, 2)))::float8
                   AS score,
               1 + (random() * 3)::int::float8 AS max_score, random() AS luck,
               (random() * 8)::int / 4.0::float8 AS weight,
               timestamp '2026-01-05' + (random() * 9000000)::int * interval '1 second' AS moment,
               random() < 0.5 AS focal, (random() * 4)::int::float8 AS stratum
        FROM generate_series(1, 4000) id
    ), full_rows AS (
        SELECT *, 5 * score + 10 * luck AS criterion, (score > 0.5)::int::float8 AS mark,
               moment::date AS day, moment AT TIME ZONE 'UTC' AS taken_at, score > 0.5 AS correct,
               ARRAY[score, luck, (score + luck) / 2, (luck > 0.5)::int] AS answers
        FROM drawn
    )
    SELECT id, student, item, assessment,
           CASE WHEN id % 160 <> 20 THEN score END AS score,
           CASE WHEN id % 160 <> 40 THEN max_score END AS max_score,
           CASE WHEN id % 160 <> 60 THEN criterion END AS criterion,
           CASE WHEN id % 160 <> 80 THEN weight END AS weight,
           CASE WHEN id % 160 <> 100 THEN day END AS day,
           CASE WHEN id % 160 <> 100 THEN moment END AS moment,
           CASE WHEN id % 160 <> 100 THEN taken_at END AS taken_at,
           CASE WHEN id % 160 <> 120 THEN mark END AS mark,
           CASE WHEN id % 160 <> 120 THEN correct END AS correct,
           CASE WHEN id % 160 <> 140 THEN focal END AS focal,
           CASE WHEN id % 160 <> 140 THEN stratum END AS stratum,
           CASE WHEN id % 160 <> 140 THEN answers END AS answers,
           s.*
    FROM full_rows r, LATERAL (
        SELECT assess.item_agg(score * k, criterion + k) FILTER (WHERE id % 160 > 0) AS item_state,
               assess.decay_agg(score / k, taken_at + k * interval '3 days', interval '60 days',
                                weight) FILTER (WHERE id % 160 > 0) AS decay_state,
               assess.trend_agg(score / k, taken_at + k * interval '3 days', weight)
                   FILTER (WHERE id % 160 > 0) AS trend_state,
               assess.gradebook_agg(student, item + k, assessment, score, day)
                   FILTER (WHERE id % 160 > 0) AS gradebook
        FROM generate_series(1, 2) k) s;
    ALTER TABLE data ADD PRIMARY KEY (id);
    ANALYZE data;";

/// Columns of [`DATA`], and values in them for which a row is left out.
const SPOILT: [(&str, &[&str]); 19] = [
    ("student", &[]),
    ("item", &[]),
    ("assessment", &[]),
    ("score", NUMBERS),
    ("max_score", NUMBERS),
    ("criterion", NUMBERS),
    ("weight", NUMBERS),
    ("mark", NUMBERS),
    ("day", TIMES),
    ("moment", TIMES),
    ("taken_at", TIMES),
    ("correct", &[]),
    ("focal", &[]),
    ("stratum", NUMBERS),
    (
        "answers",
        &["'{NaN,0,1,0}'", "'{0,Infinity,1,0}'", "'{0,1,-1e308,0}'"],
    ),
    ("item_state", &["(SELECT assess.item_agg('NaN', 1))"]),
    (
        "decay_state",
        &["(SELECT assess.decay_agg('NaN', now(), interval '60 days'))"],
    ),
    (
        "trend_state",
        &["(SELECT assess.trend_agg(1, 'infinity'::timestamptz))"],
    ),
    (
        "gradebook",
        &["(SELECT assess.gradebook_agg(s, i, a, 'NaN', d)
           FROM (SELECT student, item, assessment, day) q(s, i, a, d))"],
    ),
];
const NUMBERS: &[&str] = &["'NaN'", "'Infinity'", "'-Infinity'", "1e308"];
const TIMES: &[&str] = &["'infinity'", "'-infinity'"];

/// A database with the rows that all checks share.
fn prepared() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(DATA);
    (database, session)
}

/// The rows without a NULL, and among them in turn, marked with the column at fault, rows with a
/// NULL in one column or a value of [`SPOILT`].
fn spoil(session: &mut Session) {
    session.run(
        "CREATE TABLE heap AS SELECT *, '' AS fault FROM data WHERE id % 20 > 0;
         CREATE TABLE blank AS SELECT * FROM heap WHERE false;
         INSERT INTO blank (fault) VALUES ('all'), ('all'), ('all')",
    );
    for (column, values) in SPOILT {
        let faults = values.iter().map(|value| (column.to_owned(), *value));
        let null = (format!("{column} is null"), "NULL");
        for (at, (fault, value)) in faults.chain([null]).enumerate() {
            session.run(&format!(
                "CREATE TABLE part AS SELECT * FROM heap WHERE fault = '' AND id % 50 = {at};
                 UPDATE part SET {column} = {value}, fault = '{fault}';
                 INSERT INTO heap TABLE part;
                 DROP TABLE part"
            ));
        }
    }
    session.run("CREATE TABLE spoilt AS SELECT * FROM heap ORDER BY id, fault");
    session.notices();
}

#[test]
fn no_aggregate_is_forgotten() {
    let (_database, mut session) = prepared();
    for (at, line) in lines().iter().enumerate() {
        session.run(&format!(
            "CREATE VIEW view_{at} AS SELECT {} FROM data",
            line.sql()
        ));
    }
    let forgotten = session.table(
        "SELECT aggfnoid::regprocedure FROM pg_aggregate JOIN pg_proc ON oid = aggfnoid
         WHERE pronamespace = 'assess'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend
                           WHERE classid = 'pg_rewrite'::regclass
                             AND refclassid = 'pg_proc'::regclass AND refobjid = aggfnoid)",
    );
    assert_eq!(forgotten, [""; 0], "no line in lines() calls these");
}

#[test]
fn nothing_gives_null() {
    let (_database, mut session) = prepared();
    spoil(&mut session);
    for line in lines() {
        let (call, sql) = (&line.call, line.sql());
        for nothing in [
            format!("SELECT {sql} FROM data WHERE false"),
            format!("SELECT {sql} FROM data WHERE false GROUP BY ()"),
            format!("SELECT {sql} FILTER (WHERE false) FROM data"),
            format!("SELECT {sql} FILTER (WHERE NULL) FROM data"),
            format!("SELECT {sql} FILTER (WHERE id < 0) FROM data GROUP BY student LIMIT 1"),
        ] {
            assert_eq!(session.table(&nothing), ["-"], "{nothing}");
        }
        let no_group = format!("SELECT {sql} FROM data WHERE false GROUP BY item");
        assert_eq!(session.table(&no_group), [""; 0], "{no_group}");
        let is_null: bool = session.one(&format!("SELECT {sql} IS NULL FROM blank"));
        assert_eq!(is_null, !line.counts_unusable, "{call}: all arguments NULL");
    }
}

#[test]
fn few_or_equal_rows_give_real_numbers() {
    let (_database, mut session) = prepared();
    // Values at the ends of what counts, and beyond.
    session.run(
        "SELECT setseed(0.75);
         CREATE TABLE far AS SELECT * FROM data WHERE id < 400;
         UPDATE far SET
             score = (ARRAY[0, '-0', 1, 5e-324, 1e-160, -1e100, 1e100, 1e308])[ceil(random() * 8)],
             criterion = (ARRAY[0, 1, -1, 5e-324, 1e-160, 1e100, -1e100])[ceil(random() * 7)],
             weight = (ARRAY[0, 1, 1e-50, 1e50, 5e-324, -1])[ceil(random() * 6)],
             mark = round(random()),
             max_score = (ARRAY['Infinity', 1, 1e308, 5e-324])[ceil(random() * 4)],
             stratum = (ARRAY[0, -1, 1e100, 5e-324])[ceil(random() * 4)],
             answers = ARRAY[(ARRAY[0, 5e-324, 1e100, -1e100])[ceil(random() * 4)],
                             (ARRAY[0, 1, 1e-160, -1e100])[ceil(random() * 4)], 1, 0],
             day = ('{4714-11-24 BC, 2000-01-01, 2026-01-05, 294276-12-31}'::date[])
                 [ceil(random() * 4)];
         UPDATE far SET moment = day, taken_at = day::timestamp AT TIME ZONE 'UTC';
         UPDATE far SET (item_state, decay_state, trend_state) = (
             SELECT assess.item_agg(s, c), assess.decay_agg(s, t, interval '60 days', w),
                    assess.trend_agg(s, t, w)
             FROM (SELECT score, criterion, taken_at, weight) q(s, c, t, w))",
    );
    // Values that differ by their last bit, or not at all, as those of equal sums do.
    session.run(
        "CREATE TABLE noise AS SELECT * FROM data WHERE id < 400;
         UPDATE noise SET
             score = CASE WHEN id % 7 < 5 THEN 0.3 + (random() < 0.5)::int * 6e-17 ELSE score END,
             criterion = CASE WHEN id % 7 > 1 THEN 0.7 + (random() < 0.5)::int * 2e-16
                              ELSE criterion END,
             weight = 0.1 + (random() < 0.5)::int * 2e-17,
             stratum = 0.3 + (random() < 0.5)::int * 6e-17,
             answers = ARRAY[0.3 + (random() < 0.5)::int * 6e-17, 0.3, 0.7,
                             0.7 + (random() < 0.5)::int * 2e-16]",
    );
    for line in lines() {
        let (call, sql) = (&line.call, line.sql());
        let result = line.essence(&mut session, "r");
        for (what, rows) in [
            ("one row", "data WHERE id < 400 GROUP BY id"),
            ("two rows", "data WHERE id < 400 GROUP BY id / 2"),
            ("three rows", "data WHERE id < 400 GROUP BY id / 3"),
            (
                "equal rows",
                "data, generate_series(1, 50) WHERE id < 100 GROUP BY id",
            ),
            ("one far row", "far GROUP BY id"),
            ("two far rows", "far GROUP BY id / 2"),
            ("eleven far rows", "far GROUP BY id / 11"),
            ("two rows of noise", "noise GROUP BY id / 2"),
            ("eleven rows of noise", "noise GROUP BY id / 11"),
            ("alternate rows of noise", "noise GROUP BY id % 49"),
            (
                "equal far rows",
                "far, generate_series(1, 7) WHERE id < 100 GROUP BY id",
            ),
        ] {
            let results = session.table(&format!(
                "SELECT {result} FROM (SELECT {sql} AS r FROM {rows}) q"
            ));
            for result in results {
                assert!(!is_unreal(&result), "{call}: {what}: {result}");
            }
        }
    }
}

#[test]
fn unusable_rows_are_left_out_and_told_of_once() {
    let (_database, mut session) = prepared();
    spoil(&mut session);
    for line in lines() {
        let (call, sql) = (&line.call, line.sql());
        let result = line.essence(&mut session, "r");
        let groups = |faults: &str| {
            format!(
                "SELECT item, {result} FROM (
                     SELECT item, {sql} AS r FROM spoilt WHERE fault = ANY ('{{\"\",{faults}}}')
                     GROUP BY item) q
                 ORDER BY item NULLS LAST"
            )
        };
        let without = session.table(&groups("-"));
        assert_eq!(session.notices().len(), 0, "{call}: nothing to tell");
        assert!(without.iter().any(|row| !row.ends_with("|-")), "{call}");
        for column in line.strict_columns() {
            // Rows without an item make a group of their own.
            for fault in [column.to_owned(), format!("{column} is null")] {
                let with = session.table(&groups(&fault));
                line.same(&fault, &with[..without.len()], &without);
            }
        }
        session.notices();

        let faults = line.strict_columns().join(",");
        let told = SPOILT.iter().any(|(column, values)| {
            line.strict_columns().contains(column) && !values.is_empty() && !line.silent
        });
        for grouping in ["", "GROUP BY item", "GROUP BY id, item"] {
            let query = format!(
                "SELECT {sql}, {sql} FILTER (WHERE id % 7 > 0), {sql} FILTER (WHERE id % 7 < 5)
                 FROM spoilt WHERE fault = ANY ('{{\"\",{faults}}}') {grouping}"
            );
            for _ in 0..2 {
                session.table(&query);
                let notices = session.notices();
                assert_eq!(
                    notices.len(),
                    usize::from(told),
                    "{call}: {notices:?} of {query}"
                );
                for notice in notices {
                    assert_eq!(notice.severity(), "WARNING", "{call}");
                    assert!(
                        !format!("{notice:?}").contains("secret"),
                        "{call}: {notice}"
                    );
                }
            }
        }
    }
    let all: Vec<String> = lines().iter().map(Line::sql).collect();
    let windows: Vec<String> = all
        .iter()
        .map(|call| format!("{call} OVER (ORDER BY id ROWS 3 PRECEDING)"))
        .collect();
    for query in [
        format!("SELECT {} FROM spoilt GROUP BY item", all.join(", ")),
        format!("SELECT {} FROM spoilt WHERE id < 200", windows.join(", ")),
    ] {
        session.table(&query);
        let mut tellers: Vec<String> = session
            .notices()
            .iter()
            .map(|notice| {
                notice
                    .message()
                    .split(" left out")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        tellers.sort();
        assert_eq!(tellers, ["aggregates", "gradebook_agg", "roster_agg"]);
    }
}

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
    let told = session
        .table("EXPLAIN (ANALYZE, COSTS OFF) SELECT assess.item_agg(score, criterion) FROM data")
        .join("\n");
    assert!(told.contains("Workers Launched: 2"), "{told}");
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
fn every_query_tells_by_itself() {
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
        let told = session.notices().len();
        assert!(
            (1..=2).contains(&told),
            "{call}: each worker once, not {told} times"
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

/// Asserts that the columns named `r0`, `r1` and so on of two tables hold the same, by the text
/// and, where the type is one of the extension's, by the bytes.
fn assert_same_results(session: &mut Session, lines: &[Line], left: &str, right: &str) {
    for (at, line) in lines.iter().enumerate() {
        let result = line.result_type(session);
        let result = match result.strip_prefix("assess.") {
            Some(own) => format!("r{at}::text || assess.{own}_send(r{at})::text"),
            None => format!("r{at}::text"),
        };
        let rows = |table: &str| format!("SELECT item, {result} FROM {table} ORDER BY item");
        let (left, right) = (session.table(&rows(left)), session.table(&rows(right)));
        assert!(left.len() > 10, "{}", line.call);
        line.identical("as stored", &left, &right);
    }
}

/// A query with the results of all lines per item, and a row without any.
fn results(lines: &[Line], rows: &str) -> String {
    let name = |(at, line): (usize, &Line)| format!("{} AS r{at}", line.sql());
    let calls: Vec<String> = lines.iter().enumerate().map(name).collect();
    let calls = calls.join(", ");
    format!(
        "SELECT item, {calls} FROM data WHERE {rows} GROUP BY item
         UNION ALL SELECT -1, {calls} FROM data WHERE false"
    )
}

#[test]
fn results_can_be_stored_copied_and_dumped() {
    let (database, mut session) = prepared();
    let lines = lines();
    session.run(&format!("CREATE TABLE kept AS {}", results(&lines, "true")));
    for format in ["text", "csv", "binary"] {
        let back = format!("{format}_back");
        session.copy("kept", &back, format);
        assert_same_results(&mut session, &lines, "kept", &back);
    }
    session.run("CREATE TABLE updated AS SELECT item, 0 AS filler FROM kept");
    for (at, line) in lines.iter().enumerate() {
        let result = line.result_type(&mut session);
        session.run(&format!("ALTER TABLE updated ADD r{at} {result}"));
    }
    let sets: Vec<String> = (0..lines.len())
        .map(|at| format!("r{at} = q.r{at}"))
        .collect();
    session.run(&format!(
        "UPDATE updated u SET {} FROM ({}) q WHERE q.item = u.item",
        sets.join(", "),
        results(&lines, "true")
    ));
    assert_same_results(&mut session, &lines, "kept", "updated");

    session.run("CREATE TABLE part AS SELECT * FROM kept WHERE item % 2 = 0; DROP TABLE updated");
    let restored = database.restored("--format=plain");
    let digest = "SELECT count(*), sum(hashtextextended(kept::text, 0)) FROM kept";
    assert_eq!(restored.session().table(digest), session.table(digest));
}

#[test]
fn materialized_views_are_refreshed() {
    let (_database, mut session) = prepared();
    let lines = lines();
    session.run(&format!(
        "CREATE MATERIALIZED VIEW kept AS {};
         CREATE UNIQUE INDEX ON kept (item)",
        results(&lines, "true")
    ));
    for (refresh, rows) in [("", "id % 3 > 0"), ("CONCURRENTLY", "id % 5 > 0")] {
        session.run(&format!(
            "DELETE FROM data WHERE NOT ({rows});
             REFRESH MATERIALIZED VIEW {refresh} kept;
             CREATE TABLE anew AS {}",
            results(&lines, "true")
        ));
        assert_same_results(&mut session, &lines, "kept", "anew");
        session.run("DROP TABLE anew");
    }
}

#[test]
fn results_do_not_depend_on_how_they_are_asked_for() {
    let (_database, mut session) = prepared();
    session.run(SERIAL);
    for line in lines() {
        let sql = line.sql();
        let groups = session.table(&format!(
            "SELECT item, {sql} FROM data GROUP BY item ORDER BY item"
        ));
        let sorted = format!("SELECT item, {sql} AS r FROM data GROUP BY item ORDER BY item");

        session.run(&format!(
            "PREPARE one (int) AS SELECT item, {sql} FROM data WHERE item = $1 GROUP BY item"
        ));
        for _ in 0..8 {
            let one = session.table("EXECUTE one (5)");
            line.identical("prepared", &one, &groups[5..6]);
        }
        session.run("DEALLOCATE one");

        session.run(&format!("BEGIN; DECLARE c SCROLL CURSOR FOR {sorted}"));
        let mut forward = session.table("FETCH ALL FROM c");
        let mut backward = session.table("FETCH BACKWARD ALL FROM c");
        backward.reverse();
        forward.truncate(groups.len());
        session.run("ROLLBACK");
        line.identical("cursor forward", &forward, &groups);
        line.identical("cursor backward", &backward, &groups);

        let result = line.result_type(&mut session);
        session.run(&format!(
            "CREATE FUNCTION looped() RETURNS TABLE (key int, result {result})
             LANGUAGE plpgsql AS $$ BEGIN
                 FOR key, result IN {sorted} LOOP RETURN NEXT; END LOOP;
             END $$"
        ));
        let looped = session.table("SELECT * FROM looped()");
        session.run("DROP FUNCTION looped");
        line.identical("PL/pgSQL loop", &looped, &groups);

        let correlated = session.table(&format!(
            "SELECT item, (SELECT {sql} FROM data WHERE data.item = g.item)
             FROM generate_series(0, 14) g(item) ORDER BY item"
        ));
        line.identical("correlated subquery", &correlated, &groups);
        let having = session.table(&format!(
            "SELECT item, {sql} FROM data GROUP BY item HAVING ({sql}) IS NOT NULL ORDER BY item"
        ));
        line.identical("HAVING", &having, &groups);
        let lateral = session.table(&format!(
            "SELECT item, r FROM generate_series(0, 14) g(item),
                    LATERAL (SELECT {sql} AS r FROM data d WHERE d.item = g.item) l ORDER BY item"
        ));
        line.identical("LATERAL", &lateral, &groups);
    }
}

/// The state of a stored row may be handed to an aggregate's functions by anyone.
#[test]
fn stored_states_are_not_changed() {
    let (_database, mut session) = prepared();
    let mut tried = 0;
    for line in lines() {
        session.run(&format!(
            "CREATE VIEW one AS SELECT {} FROM data",
            line.sql()
        ));
        let functions = session.table(
            "SELECT aggtransfn::oid::regproc, aggcombinefn::oid::regproc, aggfinalfn::oid,
                    aggfinalfn::oid::regproc, typname
             FROM pg_depend JOIN pg_aggregate ON aggfnoid = refobjid
             JOIN pg_type t ON t.oid = aggtranstype
             WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_proc'::regclass
               AND t.typnamespace = 'assess'::regnamespace",
        );
        session.run("DROP VIEW one");
        for functions in functions {
            let functions: Vec<&str> = functions.split('|').collect();
            let [transition, combine, has_final, last, state] = functions[..] else {
                panic!("five columns: {functions:?}");
            };
            let column = state.replace("summary", "state");
            let digest = format!("SELECT sum(hashtextextended({column}::text, 0)) FROM data");
            let before = session.table(&digest);
            let arguments = line.arguments().join(", ");
            let mut calls = vec![
                (format!("{transition}({column}, {arguments})"), true),
                (format!("{combine}({column}, {column})"), true),
            ];
            if has_final != "0" {
                calls.push((format!("{last}({column})"), false));
            }
            for (call, changes) in calls {
                let changed: i64 = session.one(&format!(
                    "SELECT count(*) FILTER (WHERE called IS DISTINCT FROM {column}::text)
                     FROM (SELECT ({call})::text AS called, {column} FROM data) q"
                ));
                assert_eq!(session.table(&digest), before, "{}: {call}", line.call);
                assert!(
                    changed > 100 || !changes,
                    "{}: {call} does nothing",
                    line.call
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}
