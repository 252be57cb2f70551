//! The types `item_summary`, `decay_summary` and `trend_summary` through SQL: what they refuse and
//! how, that dates stay dates in every time zone, and what core Postgres says of the same rows.

use std::io::Write;

use pg_assess_it::{Database, Session, Wire, mutants, try_values};

/// The types, a value of each, and all that it can be asked.
const TYPES: [(&str, &str, &str); 3] = [
    (
        "item_summary",
        "SELECT assess.item_agg(n % 2, n * n) FROM generate_series(1, 20) n",
        "assess.n(s), assess.excluded(s), assess.facility(s), assess.discrimination(s),
         assess.discrimination_se(s), assess.ci_low(s), assess.ci_high(s, 0.5), assess.r_rest(s),
         assess.biserial(s), assess.biserial_se(s)",
    ),
    (
        "decay_summary",
        "SELECT assess.decay_agg(n % 3, date '2026-01-05' + n, '60 days')
         FROM generate_series(1, 20) n",
        "assess.n(s), assess.excluded(s), assess.half_life(s), assess.level(s), assess.level_se(s),
         assess.information(s), assess.n_effective(s), assess.last_at(s),
         assess.level(s, '2030-01-01'), assess.level_se(s, '2030-01-01'),
         assess.information(s, '2030-01-01')",
    ),
    (
        "trend_summary",
        "SELECT assess.trend_agg(n % 3, timestamptz '2026-01-05' + n * interval '1 hour', 1)
         FROM generate_series(1, 20) n",
        "assess.n(s), assess.excluded(s), assess.slope(s), assess.slope_se(s), assess.trend_p(s),
         assess.trend(s), assess.trend(s, 0.5), assess.trend_rank(s), assess.trend_rank(s, 0),
         assess.dates(s), assess.first_at(s), assess.last_at(s)",
    ),
];

/// The text and the bytes of a summary.
fn written(session: &mut Session, summary: &str) -> (String, Vec<u8>) {
    let text = session.one(&format!("SELECT s::text FROM ({summary}) q(s)"));
    let Wire(bytes) = session.query_one(summary, &[]).expect("a summary").get(0);
    (text, bytes)
}

#[test]
fn what_is_no_summary_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    for (name, summary, _) in TYPES {
        let (text, bytes) = written(&mut session, summary);
        let (before_excluded, _) = text.split_once("excluded").expect("a word");
        for (bad, code) in [
            ("", "22P02"),
            (" ", "22P02"),
            ("x", "22P02"),
            ("v", "22P02"),
            ("v0", "22P02"),
            ("1", "22P02"),
            ("v-1", "22P02"),
            ("v256", "22P02"),
            ("v1 n=1", "22P02"),
            ("v1 x", "22P02"),
            (before_excluded, "22P02"),
            (&format!("{text} more=1"), "22P02"),
            (&text.replace("n=20", "n=-1"), "22P02"),
            (&text.replace("n=20", "n=20.0"), "22P02"),
            (&text.replace("n=20", "n=99999999999999999"), "22P02"),
            (&text.replace("n=20", "m=20"), "22P02"),
            (&text.replace("n=20", "n=0"), "22P02"),
            (&text.replace("squares=", "squares=-"), "22P02"),
            (&text.replace("squares=", "squares=NaN"), "22P02"),
            (&text.replace("squares=", "squares=1e300"), "22P02"),
            ("v2", "0A000"),
            ("v255 of the future", "0A000"),
        ] {
            assert_ne!(bad, text, "{name}");
            session.refuses(&format!("SELECT '{bad}'::assess.{name}"), code);
        }
        let again: String = session.one(&format!("SELECT '{text}'::assess.{name}::text"));
        assert_eq!(again, text);

        session.run(&format!("CREATE TABLE kept (s assess.{name})"));
        let with = |at: usize, byte: u8| {
            let mut changed = bytes.clone();
            changed[at] = byte;
            changed
        };
        for (bad, code) in [
            (Vec::new(), "22P03"),
            (vec![0], "22P03"),
            (vec![1], "22P03"),
            (bytes[..bytes.len() - 1].to_vec(), "22P03"),
            ([&bytes[..], &[0]].concat(), "22P03"),
            (with(0, 0), "22P03"),
            (with(1, 1), "22P03"),
            (with(15, 0xff), "22P03"),
            (with(bytes.len() - 1, 0x7f), "22P03"),
            (vec![2], "0A000"),
            (with(0, 2), "0A000"),
            (with(0, 255), "0A000"),
        ] {
            let error = session
                .query_one(&format!("SELECT $1::assess.{name}"), &[&Wire(bad.clone())])
                .expect_err("no summary");
            let refusal = error.as_db_error().expect("an error of the server");
            assert_eq!(refusal.code().code(), code, "{name} {bad:?}: {refusal}");
            assert!(
                refusal.detail().is_some() && refusal.hint().is_some(),
                "{refusal:?}"
            );

            let mut file = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
            let length = u32::try_from(bad.len()).expect("a short value");
            file.extend(length.to_be_bytes());
            file.extend(&bad);
            file.extend([0xff, 0xff]);
            let mut copy = session
                .copy_in("COPY kept FROM STDIN (FORMAT binary)")
                .expect("copies in");
            copy.write_all(&file).expect("writes");
            let error = copy.finish().expect_err("no summary");
            let refusal = error.as_db_error().expect("an error of the server");
            assert_eq!(refusal.code().code(), code, "{name} {bad:?}: {refusal}");
        }
        session.run("DROP TABLE kept");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    let half_lives = "interval '30 days' * (1 + n % 2)";
    let (one, two) = (
        "SELECT assess.decay_agg(1, date '2026-01-05', '30 days')",
        "SELECT assess.trend_agg(1, date '2026-01-05')",
    );
    let rollup = |left: &str, right: &str| {
        format!("SELECT assess.rollup(s) FROM ({left} UNION ALL {right}) q(s)")
    };
    for (statement, argument) in [
        (
            format!(
                "SELECT assess.decay_agg(1, date '2026-01-05', {half_lives})
                 FROM generate_series(1, 2) n"
            ),
            "half_life",
        ),
        (
            format!(
                "SELECT assess.decay_avg(1, now(), {half_lives}, 1) FROM generate_series(1, 2) n"
            ),
            "half_life",
        ),
        (
            "SELECT assess.decay_agg(1, now(), interval '0')".to_owned(),
            "half_life",
        ),
        (
            "SELECT assess.decay_avg(1, now(), interval '-1 day', 0)".to_owned(),
            "half_life",
        ),
        (rollup(one, &one.replace("30", "31")), "half_life"),
        (
            rollup(&one.replace("(1,", "('NaN',"), &one.replace("30", "31")),
            "half_life",
        ),
        (
            rollup(one, &one.replace("date", "timestamptz")),
            "timestamptz",
        ),
        (
            rollup(&two.replace("date", "timestamptz"), two),
            "timestamptz",
        ),
        (
            rollup(
                &two.replace("(1,", "('NaN',"),
                &two.replace("date", "timestamptz"),
            ),
            "timestamptz",
        ),
        ("SELECT assess.ci_low('v1', 1)".to_owned(), "confidence"),
        (
            "SELECT assess.ci_high('v1', 'NaN')".to_owned(),
            "confidence",
        ),
        ("SELECT assess.trend('v1', -1)".to_owned(), "margin"),
        (
            "SELECT assess.trend_rank('v1', 'Infinity')".to_owned(),
            "margin",
        ),
    ] {
        let error = session.refuses(&statement, "22023");
        let text = format!("{error:?}");
        assert!(text.contains(argument), "{text}\n{statement}");
    }
    // What is alike, and what has seen nothing, fits.
    for parts in [
        rollup(one, &one.replace("date", "timestamp")),
        rollup(one, "SELECT 'v1'::assess.decay_summary"),
        rollup(two, &two.replace("date", "timestamp")),
        rollup(
            "SELECT 'v1'::assess.trend_summary",
            &two.replace("date", "timestamptz"),
        ),
    ] {
        session.table(&parts);
    }
}

/// Rows of weight 0 take no part, whichever comes first.
#[test]
fn rows_of_no_weight_do_not_set_the_half_life() {
    let database = Database::new();
    let mut session = database.session();
    for order in ["n", "n DESC"] {
        assert_eq!(
            session.table(&format!(
                "SELECT assess.decay_avg(n, date '2026-01-05', interval '30 days' * (1 + n), n
                                         ORDER BY {order})
                 FROM generate_series(0, 1) n"
            )),
            ["1"],
            "{order}"
        );
    }
}

/// What is left of a score vanishes beside a fresh one at about a thousand half-lives.
#[test]
fn scores_may_lie_any_number_of_half_lives_apart() {
    let database = Database::new();
    let mut session = database.session();
    assert_eq!(
        session.table(
            "SELECT bool_and(assess.level(s) IN (1, 0.5) AND assess.level_se(s) >= 0)
             FROM (SELECT assess.decay_agg(n, date '2026-01-01' - span * (1 - n), '1 day')
                   FROM generate_series(0, 1200) span, generate_series(0, 1) n
                   WHERE span = 0 OR span > 100 GROUP BY span) q(s)"
        ),
        ["t"]
    );
}

/// Malformed in text or binary, or of a newer version.
const REFUSALS: [&str; 3] = ["22P02", "22P03", "0A000"];

#[test]
fn no_mutated_summary_crashes_the_backend() {
    let database = Database::new();
    let mut session = database.session();
    let backend = session.backend();
    let anything: Vec<u8> = (0..=255).collect();
    let letters = b"0123456789.-+e =vnaifcl";
    for (name, summary, answers) in TYPES {
        let (text, bytes) = written(&mut session, summary);
        let ask = |summary: &str| {
            format!(
                "SELECT {answers}, s::text, (SELECT assess.rollup(part)::text
                                            FROM (VALUES (s), (s)) q(part))
                 FROM (SELECT {summary}::assess.{name} AS s) q"
            )
        };
        let from_binary = session.prepare(&ask("$1")).expect("prepares");
        let (mut refused, mut read) = (0, 0);
        let mut judge = |result: Result<(), postgres::Error>| match result {
            Ok(()) => read += 1,
            Err(error) => {
                let refusal = error.as_db_error().expect("the backend lives");
                assert!(
                    REFUSALS.contains(&refusal.code().code()),
                    "{name}: {refusal:?}"
                );
                refused += 1;
            }
        };
        try_values(200, &mutants(&bytes, &anything), |mutant| {
            let result = session.query_one(&from_binary, &[&Wire(mutant)]);
            judge(result.map(|_| ()));
        });
        try_values(200, &mutants(text.as_bytes(), letters), |mutant| {
            let mutant = String::from_utf8(mutant).expect("ASCII");
            let result = session.simple_query(&ask(&format!("'{mutant}'")));
            judge(result.map(|_| ()));
        });
        assert!(
            refused > 100 && read > 20,
            "{name}: {refused} refused, {read} read"
        );
    }
    assert_eq!(session.backend(), backend);
}

/// On both sides of Greenwich, with and without summer time, and the two ends of the day.
const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Tokyo",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
];

#[test]
fn a_date_stays_that_date_in_every_time_zone() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE scores (score float8, day date);
         INSERT INTO scores VALUES (0.5, '2026-01-05'), (0.25, '2026-03-08'), (1, '2026-03-29');
         CREATE TABLE kept AS
         SELECT assess.decay_agg(score, day, '60 days') AS decay,
                assess.decay_agg(score, day::timestamp, '60 days') AS decay_of_timestamps,
                assess.trend_agg(score, day) AS trend
         FROM scores",
    );
    let answers = "SELECT assess.last_at(decay)::date, assess.last_at(decay)::time,
                          assess.first_at(trend)::date, assess.last_at(trend)::date,
                          assess.level(decay, '2026-03-28') IS NULL,
                          assess.level(decay, '2026-03-29 00:00') = assess.level(decay),
                          assess.level_se(decay, '2026-03-28 23:59:59') IS NULL,
                          round(assess.information(decay, '2026-05-28')::numeric, 12),
                          round(assess.information(decay, date '2026-11-24')::numeric, 12),
                          round(assess.level_se(decay, '2026-05-28')::numeric, 12),
                          decay::text = decay_of_timestamps::text, decay, trend
                   FROM kept";
    let in_utc = session.table(answers);
    // The 60 and 240 days after the last score, of which one has an hour more in Berlin.
    let now: f64 = session.one("SELECT assess.information(decay) FROM kept");
    let (half, sixteenth) = (now / 2.0, now / 16.0);
    assert!(
        in_utc[0].starts_with(&format!(
            "2026-03-29|00:00:00|2026-01-05|2026-03-29|t|t|t|{half:.12}|{sixteenth:.12}|"
        )),
        "{in_utc:?}"
    );
    for zone in ZONES {
        session.run(&format!("SET TimeZone = '{zone}'"));
        assert_eq!(session.table(answers), in_utc, "{zone}");
        // Made in this zone, too.
        let made = session.table(
            "SELECT assess.decay_agg(score, day, '60 days'),
                    assess.decay_avg(score, day, '60 days', 1, '2026-03-08'),
                    assess.trend_slope(score, day) FROM scores",
        );
        session.run("SET TimeZone = 'UTC'");
        let made_in_utc = session.table(
            "SELECT decay, (SELECT assess.decay_avg(score, day, '60 days', 1, '2026-03-08')
                            FROM scores), assess.slope(trend)
             FROM kept",
        );
        assert_eq!(made, made_in_utc, "{zone}");
    }
}

#[test]
fn a_point_in_time_stays_that_point_in_every_time_zone() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE kept AS
         SELECT assess.decay_agg(n % 3, timestamptz '2026-03-25 12:00Z' + n * interval '1 day',
                                 '60 days') AS decay,
                assess.trend_agg(n % 3, timestamptz '2026-03-25 12:00Z' + n * interval '1 day')
                    AS trend
         FROM generate_series(1, 10) n",
    );
    for zone in ZONES {
        session.run(&format!("SET TimeZone = '{zone}'"));
        assert_eq!(
            session.table(
                "SELECT assess.last_at(decay) = '2026-04-04 12:00Z',
                        assess.first_at(trend) = '2026-03-26 12:00Z',
                        assess.last_at(trend) = '2026-04-04 12:00Z',
                        assess.level(decay, '2026-04-04 11:59:59Z') IS NULL,
                        assess.level(decay, '2026-04-04 12:00Z') = assess.level(decay),
                        abs(assess.information(decay, '2026-06-03 12:00Z')
                            / assess.information(decay) - 0.5) < 1e-12
                 FROM kept"
            ),
            ["t|t|t|t|t|t"],
            "{zone}"
        );
    }
}

/// Figures, and how plain SQL gets the same. `fade` and `fade_at` are what is left of a score of a
/// day and a moment, `days` and `days_at` count from some day.
const REFERENCES: [(&str, &str); 14] = [
    (
        "discrimination(score, criterion)",
        "corr(score, criterion)",
    ),
    (
        "r_rest(score, criterion)",
        "corr(score, criterion - score)",
    ),
    (
        "facility(assess.item_agg(score, criterion))",
        "avg(score)",
    ),
    (
        "decay_avg(score, day, '170000000 years')",
        "avg(score)",
    ),
    (
        "decay_avg(score, day, '45 days')",
        "sum(fade * score) / sum(fade)",
    ),
    (
        "decay_avg(score, moment, '45 days', weight)",
        "sum(fade_at * weight * score) / nullif(sum(fade_at * weight), 0)",
    ),
    (
        "decay_avg(score, taken_at, '45 days', weight)",
        "sum(fade_at * weight * score) / nullif(sum(fade_at * weight), 0)",
    ),
    (
        "decay_avg(score, day, '45 days', weight, '2026-03-01')",
        "sum(fade * weight * score) FILTER (WHERE day <= '2026-03-01')
         / nullif(sum(fade * weight) FILTER (WHERE day <= '2026-03-01'), 0)",
    ),
    (
        "information(assess.decay_agg(score, day, '45 days'), '2026-12-31')",
        "sum(fade)",
    ),
    (
        "n_effective(assess.decay_agg(score, moment, '45 days'))",
        "sum(fade_at) * sum(fade_at) / sum(fade_at * fade_at)",
    ),
    (
        "trend_slope(score, day)",
        "30 * regr_slope(score, days)",
    ),
    (
        "trend_slope(score, moment)",
        "30 * regr_slope(score, days_at)",
    ),
    (
        "trend_slope(score, taken_at)",
        "30 * regr_slope(score, days_at)",
    ),
    (
        "trend_slope(score, day, whole)",
        "30 * (sum(whole) * sum(whole * days * score) - sum(whole * days) * sum(whole * score))
         / nullif(sum(whole) * sum(whole * days * days) - sum(whole * days) * sum(whole * days), 0)",
    ),
];

#[test]
fn figures_are_those_of_core_postgres() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "SELECT setseed(0.5);
         CREATE TABLE scores AS
         WITH drawn AS (
             SELECT floor(800 * random() * random()) AS item, random() AS score,
                    random() * 20 AS noise, (random() * 4)::int / 2.0::float8 AS weight,
                    1 + (random() * 4)::int::float8 AS whole,
                    timestamp '2026-01-05'
                    + (random() * 9000000)::int * interval '1 second' AS moment
             FROM generate_series(1, 20000))
         SELECT item, score, noise + 10 * score AS criterion, weight, whole, moment,
                moment::date AS day, moment AT TIME ZONE 'UTC' AS taken_at,
                power(0.5, (date '2026-12-31' - moment::date) / 45.0::float8) AS fade,
                power(0.5, extract(epoch FROM timestamp '2026-12-31' - moment) / 86400.0::float8
                           / 45) AS fade_at,
                (moment::date - date '2026-02-01')::float8 AS days,
                extract(epoch FROM moment - timestamp '2026-02-01')::float8 / 86400 AS days_at
         FROM drawn",
    );
    for (figure, reference) in REFERENCES {
        let wrong = session.table(&format!(
            "SELECT * FROM (
                 SELECT item, count(*), (assess.{figure})::float8 AS ours,
                        ({reference})::float8 AS core
                 FROM scores GROUP BY item) q
             WHERE ours IS NULL <> (core IS NULL)
                OR abs(ours - core) > 1e-9 * greatest(1, abs(core))"
        ));
        assert_eq!(wrong, [""; 0], "{figure} and {reference}");
        let groups: i64 = session.one(&format!(
            "SELECT count(*) FROM (SELECT assess.{figure} AS ours FROM scores GROUP BY item) q
             WHERE ours IS NOT NULL"
        ));
        assert!(groups > 300, "{figure}: {groups} groups");
    }
}

#[test]
fn moments_are_distinguished_by_the_microsecond() {
    let database = Database::new();
    let mut session = database.session();
    // Three microseconds for one score; and ten scores a microsecond apart, long from now.
    let per_second: f64 = session.one(
        "SELECT assess.theil_sen(score, taken_at) / (30 * 86400)
         FROM (VALUES (0, timestamp '2026-01-01 00:00:00'),
                      (1, timestamp '2026-01-01 00:00:00.000003')) v(score, taken_at)",
    );
    assert!((per_second * 3e-6 - 1.0).abs() < 1e-12, "{per_second}");
    let s: i64 = session.one(
        "SELECT assess.mann_kendall_s(n, timestamptz '2280-01-01' + n * interval '1 microsecond')
         FROM generate_series(1, 10) n",
    );
    assert_eq!(s, 45);
}

#[test]
fn rollup_takes_no_value_on_trust() {
    let database = Database::new();
    let mut session = database.session();
    for (name, summary, _) in TYPES {
        // A text in memory begins with its length, which is read as a version yet to come.
        session.run(&format!(
            "CREATE FUNCTION as_{name}(cstring) RETURNS assess.{name}
             LANGUAGE internal IMMUTABLE STRICT AS 'textin';
             CREATE VIEW foreign_{name} AS
             SELECT as_{name}(repeat('x', typlen - 4)::cstring) AS s
             FROM pg_type WHERE oid = 'assess.{name}'::regtype"
        ));
        for query in [
            format!("SELECT assess.rollup(s) IS NULL FROM foreign_{name}"),
            format!(
                "SELECT assess.rollup(s) IS NULL
                 FROM (SELECT s FROM foreign_{name} UNION ALL ({summary})) q"
            ),
        ] {
            let refused = session.fails(&query);
            assert_eq!(refused.code().code(), "0A000", "{query}: {refused}");
        }
        let empty: bool = session.one(&format!(
            "SELECT assess.rollup(NULL::assess.{name}) IS NULL"
        ));
        assert!(empty);
    }
}

#[test]
fn rows_too_many_to_count_are_a_limit_and_no_damage() {
    let database = Database::new();
    let mut session = database.session();
    let most = 1u64 << 53;
    let values = [
        (
            "item",
            format!(
                "v1 n=0 excluded={most} graded=false score=0.0 criterion=0.0 score_squares=0.0 criterion_squares=0.0 products=0.0"
            ),
        ),
        (
            "decay",
            format!(
                "v1 n=0 excluded={most} clock=calendar half_life=60.0 last_at=0 weight=0.0 weight_squares=0.0 decay=0.0 free=0.0 mean=0.0 squares=0.0"
            ),
        ),
        (
            "trend",
            format!(
                "v1 n=0 excluded={most} clock=calendar first_at=0 last_at=0 days=0 weight=0.0 time=0.0 score=0.0 time_squares=0.0 score_squares=0.0 products=0.0"
            ),
        ),
    ];
    for (kind, value) in values {
        let rollup = |times| {
            format!(
                "SELECT assess.rollup('{value}'::assess.{kind}_summary)::text
                 FROM generate_series(1, {times})"
            )
        };
        assert_eq!(session.one::<String>(&rollup(1)), value);
        session.refuses(&rollup(2), "54000");
    }
}
