//! What every aggregate of the extension keeps to, whatever it computes. A new aggregate gets all
//! of it by one line in [`lines`].

mod plans;
mod rows;
mod stored;

use pg_assess_it::{Database, Session};

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

    /// Warns nobody that rows were left out.
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
            .silent("rows were reported when the parts were made")
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
        gradebook("gradebook_agg(student, item, assessment, score, -1, max_score, @time@)")
            .accepts("max_score", "infinity is a scale without an upper bound"),
        gradebook(
            "gradebook_agg(student, item, assessment, score, -1, max_score, @time@, 'counts', 1, 1)",
        )
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
