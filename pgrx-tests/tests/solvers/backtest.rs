//! `backtest` and `half_life_advice` from the client's side: the core's figures, dates in every
//! time zone, and resampling that can be stopped.

use std::time::{Duration, Instant};

use pg_assess_core::forecasts::backtest::{Difference, Outcome, Settings, Slice, backtest};
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::ledger::Scope;
use pg_assess_core::options::{Choices, Options};
use pg_assess_core::solve;
use pg_assess_core::time::DAY;
use pg_assess_it::{Database, RESPONSES, Session, gradebook_of};

fn with_responses() -> (Database, Session) {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    session.run(&format!("CREATE TABLE g AS {}", gradebook_of("responses")));
    (database, session)
}

/// As Postgres writes it.
fn figure(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:?}"))
}

/// A row of a back-test as psql shows it.
fn columns_of(row: &Outcome) -> Vec<String> {
    let own = &row.figures;
    let (from, to) = match row.slice {
        Slice::Assessments(from, to) => (from.to_string(), to.to_string()),
        _ => ("-".to_owned(), "-".to_owned()),
    };
    let cut_at = match row.slice {
        Slice::Cut(at) => (at / DAY).to_string(),
        _ => "-".to_owned(),
    };
    let mut columns = vec![
        row.target.label().to_owned(),
        row.slice.label().to_owned(),
        cut_at,
        "-".to_owned(),
        from,
        to.replace(&u32::MAX.to_string(), "-"),
        own.method.label().to_owned(),
        own.method.rank().to_string(),
        own.n.to_string(),
    ];
    let mut with = |value: Option<f64>, difference: Option<Difference>| {
        columns.push(figure(value));
        columns.push(figure(difference.map(|own| own.value)));
        columns.push(figure(difference.and_then(|own| own.low)));
        columns.push(figure(difference.and_then(|own| own.high)));
    };
    with(own.rmse, own.differences[0]);
    with(own.rank_correlation, own.differences[1]);
    with(own.recall, own.differences[2]);
    columns.extend([own.coverage[0], own.coverage[1], own.need_error].map(figure));
    columns
}

#[test]
fn figures_are_those_of_the_core() {
    let (_database, mut session) = with_responses();
    let text: String = session.one("SELECT gb::text FROM g");
    let bytes = Gradebook::from_text(&text, &|| {}).expect("a gradebook");
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let options = Options {
        half_life: 45.5,
        cut_share: 0.25,
        noise_df: 6.0,
        ..Options::default()
    };
    let settings = Settings {
        cut_count: 4,
        horizon: 40.0,
        ..Settings::default()
    };
    let resampling = Resampling {
        resamples: 50,
        seed: -3_i64 as u64,
    };
    let (scope, options) = (Scope::default(), options.check().expect("in range"));
    let (settings, resampling) = (settings.check(), resampling.check());
    let (settings, resampling) = (settings.expect("in range"), resampling.expect("in range"));
    let rows = backtest(&book, &scope, &options, &[], &settings, &resampling, &|| ());
    let rows = rows.expect("rows");
    let expected: Vec<Vec<String>> = rows.iter().map(columns_of).collect();
    let found = session.table(
        "SELECT target, scope, cut_at::date - date '2000-01-01', student_group, assessments_from,
                assessments_to, method, method_rank, n, rmse, rmse_difference,
                rmse_difference_low, rmse_difference_high, rank_correlation,
                rank_correlation_difference, rank_correlation_difference_low,
                rank_correlation_difference_high, recall, recall_difference,
                recall_difference_low, recall_difference_high, coverage_80, coverage_95,
                need_error
         FROM g, assess.backtest(gb, cut_count => 4, horizon => '40 days',
                                 half_life => '45 days 12 hours', cut_share => 0.25,
                                 noise_df => 6, resamples => 50, seed => -3)",
    );
    same(&found, &expected, 9);
    assert!(found.len() > 100);

    let resampling = Resampling {
        resamples: 50,
        seed: 7,
    };
    let resampling = resampling.check().expect("in range");
    let advice = solve::half_life_advice(&book, &scope, &options, &resampling, &|| ());
    let advice = advice.expect("advice");
    let expected: Vec<Vec<String>> = advice
        .trials
        .iter()
        .map(|own| {
            let truth = |value: bool| if value { "t" } else { "f" }.to_owned();
            vec![
                figure(own.half_life),
                figure(Some(own.rmse)),
                figure(Some(own.difference)),
                figure(own.ci.map(|(low, _)| low)),
                figure(own.ci.map(|(_, high)| high)),
                truth(own.indistinguishable),
                truth(own.is_best),
                truth(own.in_use),
                advice.n.to_string(),
                advice.students.to_string(),
                figure(advice.variogram),
                advice.sentence.clone(),
            ]
        })
        .collect();
    let found = session.table(
        "SELECT extract(epoch FROM half_life)::float8 / 86400, rmse, difference, ci_low, ci_high,
                indistinguishable, is_best, in_use, n, students,
                extract(epoch FROM variogram)::float8 / 86400, advice
         FROM g, assess.half_life_advice(gb, half_life => '45 days 12 hours', noise_df => 6,
                                         resamples => 50, seed => 7)",
    );
    same(&found, &expected, 0);
    assert_eq!(found.len(), 11);
}

#[test]
fn advice_is_given_also_where_nothing_can_be_predicted() {
    let (_database, mut session) = with_responses();
    let rows = session.table(
        "SELECT half_life, rmse, is_best, indistinguishable, in_use, n, students, advice
         FROM (SELECT assess.gradebook_agg(1, 1, 1, 0.5, date '2026-01-05') AS gb) g,
              assess.half_life_advice(gb, half_life => '45 days')",
    );
    let sentence = "0 students with more than 3 assessments are too few to judge a half-life by (at \
                    least 200): keep 45 days, or pool the classes of the subject.";
    assert_eq!(rows, [format!("45 days|-|-|-|t|0|0|{sentence}")]);
}

/// Text by text, and numbers from the column `figures` on by what they are.
fn same(found: &[String], expected: &[Vec<String>], figures: usize) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let columns: Vec<&str> = found.splitn(expected.len(), '|').collect();
        assert_eq!(columns.len(), expected.len());
        for (at, (found, expected)) in columns.iter().zip(expected).enumerate() {
            let numbers = found.parse::<f64>().ok().zip(expected.parse::<f64>().ok());
            match numbers.filter(|_| at >= figures) {
                Some((found, expected)) => assert_eq!(found, expected),
                None => assert_eq!(found, expected),
            }
        }
    }
}

#[test]
fn cuts_are_dates_in_every_time_zone() {
    let (_database, mut session) = with_responses();
    // Responses at noon and, one in three students, on the next day or the one after.
    session.run(
        "CREATE TABLE kinds AS SELECT
             assess.gradebook_agg(student, item, assessment, score, max_score, taken_on) AS days,
             assess.gradebook_agg(student, item, assessment, score, max_score,
                                  taken_on + time '12:00') AS noons,
             assess.gradebook_agg(student, item, assessment, score, max_score,
                                  (taken_on + time '12:00') AT TIME ZONE 'UTC') AS instants
         FROM responses",
    );
    let columns = "target, scope, method, n, rmse, recall, coverage_80, rmse_difference_low";
    let mut seen = std::collections::BTreeSet::new();
    for zone in [
        "UTC",
        "America/New_York",
        "Asia/Tokyo",
        "Pacific/Kiritimati",
    ] {
        session.run(&format!("SET TimeZone = '{zone}'"));
        let cuts = "ARRAY['2026-03-01', '2026-02-01', '2026-03-01']::timestamptz[]";
        // Midnights of the session's zone are days of the calendar.
        let calendar = ["days", "noons"].map(|gradebook| {
            session.table(&format!(
                "SELECT {columns}, cut_at::date FROM kinds,
                        assess.backtest({gradebook}, cuts => {cuts}, resamples => 20)"
            ))
        });
        let instants = session.table(&format!(
            "SELECT {columns}, cut_at AT TIME ZONE 'UTC' FROM kinds,
                    assess.backtest(instants, resamples => 20, cuts => '{{
                        2026-03-01 11:59:59+00, 2026-02-01 12:00+00}}')"
        ));
        assert!(calendar[0].iter().any(|row| row.ends_with("|2026-02-01")));
        assert!(
            instants
                .iter()
                .any(|row| row.ends_with("|2026-02-01 12:00:00"))
        );
        for rows in calendar.iter().chain([&instants]) {
            assert!(rows.len() > 60, "{zone}: {}", rows.len());
        }
        seen.insert((calendar, instants));
    }
    assert_eq!(seen.len(), 1, "all zones agree to the last bit");

    // Dates that are chosen: days of the calendar everywhere; without any, there is none.
    let chosen = session.table(
        "SELECT DISTINCT cut_at FROM kinds, assess.backtest(days, cut_count => 3, resamples => 0)
         WHERE scope = 'cut' AND cut_at::time <> '00:00'",
    );
    assert_eq!(chosen, [""; 0]);
    let error = session.refuses(
        "SELECT * FROM kinds, assess.backtest(days, cuts => '{2026-02-01, infinity}')",
        "22023",
    );
    assert!(error.message().contains("cuts"), "{error}");
    assert_eq!(error.detail(), Some("The value of cuts is infinity."));
    let error =
        session.fails("SELECT * FROM kinds, assess.backtest(days, cuts => '{2026-02-01, NULL}')");
    assert_eq!(error.code().code(), "22004", "{error}");
}

#[test]
fn resampling_can_be_stopped_at_once() {
    let (_database, mut session) = with_responses();
    // Few students with very many assessments each.
    session.run(
        "CREATE TABLE wide AS SELECT assess.gradebook_agg(s, a, a, (s * a % 7) / 6.0,
             timestamp '2026-01-01' + a * interval '1 minute') AS gb
         FROM generate_series(1, 6) s, generate_series(1, 40000) a",
    );
    let backend = session.backend();
    for statement in [
        "SELECT count(*) FROM wide, assess.backtest(gb, cut_count => 200)",
        "SELECT count(*) FROM g, assess.backtest(gb, resamples => 100000)",
        "SELECT count(*) FROM g, generate_series(1, 100),
                              assess.half_life_advice(gb, resamples => 100000, seed => generate_series)",
    ] {
        session.run("SET statement_timeout = 300");
        let started = Instant::now();
        let error = session.fails(statement);
        let took = started.elapsed();
        session.run("RESET statement_timeout");
        assert_eq!(error.code().code(), "57014", "{statement}: {error}");
        assert!(took < Duration::from_millis(1300), "{statement}: {took:?}");
    }
    assert_eq!(session.backend(), backend);
}
