//! Rows that say nothing, little or what cannot be used.

use super::{Line, SPOILT, lines, prepared, spoil};

/// Whether a result has a number that is none.
fn is_unreal(result: &str) -> bool {
    let words = result.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.into_iter().any(|word| {
        let word = word.to_ascii_lowercase();
        ["nan", "inf", "infinity"].contains(&word.as_str())
    })
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
           -- Tests of models try those that only models call.
           AND proname NOT IN ('_gradebook_agg', '_rollup_by_group')
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
fn unusable_rows_are_left_out_and_reported_once() {
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
        assert_eq!(session.notices().len(), 0, "{call}: nothing to report");
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
        let found = SPOILT.iter().any(|(column, values)| {
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
                    usize::from(found),
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
                    .split([' ', ':'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        tellers.sort();
        assert_eq!(tellers, ["aggregates", "gradebook_agg", "roster_agg"]);
    }
}
