//! The figures are those of a slow back-test, whatever comes later and in whatever order.

use pg_assess_core::forecasts::backtest::{Difference, Forecast, Method, Outcome, Target};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{Asked, Settings, backtest};
use pg_assess_test_support::{
    OwnId, OwnRow, close, close_option, go, gradebook, integer, messy_school, row,
};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::slow::{SlowForecast, all_forecasts, compare_forecasts, compare_rows, forecasts_at};
use super::{at_days, run};

#[test]
fn every_figure_is_that_of_a_back_test_that_sees_only_the_past() {
    let mut compared = 0;
    for seed in 0..36 {
        let rows = messy_school(seed);
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let pick = |rng: &mut ChaCha8Rng, share: f64| rng.gen_bool(share);
        let excluded: Vec<i64> = (0..2).filter(|_| rng.gen_bool(0.3)).collect();
        let find = |id: &i64| book.assessments().find(&id.to_string());
        let scope = Asked {
            attempts: [Attempts::First, Attempts::Last, Attempts::Best][seed as usize % 3],
            exclude: excluded.iter().filter_map(find).collect(),
            as_of: pick(&mut rng, 0.3).then_some(70 * DAY),
            ..Asked::default()
        };
        let options = Options {
            half_life: [60.0, 20.0][seed as usize % 2],
            adjust_difficulty: pick(&mut rng, 0.8),
            shrink: pick(&mut rng, 0.8),
            quality: pick(&mut rng, 0.8),
            min_answers: [10.0, 4.0][usize::from(pick(&mut rng, 0.5))],
            flag_answers: [30, 8][usize::from(pick(&mut rng, 0.5))],
            counting: [
                Counting::Effective,
                Counting::Assessments,
                Counting::Responses,
            ][if pick(&mut rng, 0.6) {
                0
            } else {
                rng.gen_range(1..3)
            }],
            cut_share: [0.2, 0.35][usize::from(pick(&mut rng, 0.3))],
            ..Options::default()
        };
        let options = Asked { options, ..scope };
        let cuts = vec![-DAY, 2 * DAY, 13 * DAY, 24 * DAY, 47 * DAY + 7, 500 * DAY];
        let settings = Settings {
            cuts: cuts.clone(),
            horizon: [90.0, 35.0][seed as usize / 2 % 2],
            weighted_target: seed % 4 > 1,
            resamples: 0,
            ..Settings::default()
        };
        let mut slow: Vec<SlowForecast> = cuts
            .iter()
            .flat_map(|cut| forecasts_at(&rows, *cut, &options, &settings, &excluded))
            .collect();
        slow.sort_by_key(|own| (own.cut_at, own.target, own.student));
        compare_forecasts(&book, &slow, &all_forecasts(&book, &options, &settings));
        let rows = backtest(&book, &options, &settings, &go).expect("rows");
        compare_rows(&slow, &cuts, &rows);
        compared += slow.len();
    }
    assert!(compared > 1500, "{compared}");
}

/// Figures without intervals.
fn points(rows: &[Outcome]) -> Vec<[Option<f64>; 9]> {
    let value = |own: Option<Difference>| own.map(|own| own.value);
    rows.iter()
        .map(|row| {
            let own = &row.figures;
            [
                own.rmse,
                own.rank_correlation,
                own.recall,
                own.coverage[0],
                own.coverage[1],
                own.need_error,
                value(own.differences[0]),
                value(own.differences[1]),
                value(own.differences[2]),
            ]
        })
        .collect()
}

#[test]
fn what_comes_after_a_cut_changes_nothing_that_was_predicted() {
    let mut pairs = 0;
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut before = messy_school(seed);
        // Some assessments are still to come.
        before.retain(|row| row.taken_at <= Some(60 * DAY));
        let cut_at = [13, 24][seed as usize % 2] * DAY;
        let later = |row: &OwnRow| row.taken_at > Some(cut_at);
        let mut changed = before.clone();
        for row in changed.iter_mut().filter(|row| later(row)) {
            row.score = row.score.map(|score| (1.0 - score).abs());
        }
        let mut grown = changed.clone();
        for student in 0..30 {
            let score = rng.gen_range(0.0..=1.0);
            grown.push(row(student, 9000, 9000, score, 61.0));
            grown.push(row(student, 9001, 9001, 1.0 - score, 62.0));
        }
        let options = Options {
            min_answers: 4.0,
            ..Options::default()
        };
        let settings = Settings {
            cuts: vec![cut_at],
            ..Settings::default()
        };
        let forecasts = |rows: &[OwnRow]| {
            let bytes = gradebook(rows);
            let book = Gradebook::open(&bytes).expect("a gradebook");
            let all = all_forecasts(&book, &options, &settings);
            let id = |one: &Forecast| book.students().get(one.student).to_string();
            let name = |at: u32| book.assessments().get(at).to_string();
            let key = |one: &Forecast| (one.target, one.assessment.map(name));
            all.iter()
                .map(|one| (key(one), id(one), one.clone()))
                .collect::<Vec<_>>()
        };
        let found = forecasts(&before);
        for (other, same_peers) in [(forecasts(&changed), true), (forecasts(&grown), false)] {
            let both: Vec<_> = found
                .iter()
                .filter_map(|(key, id, one)| {
                    let same = |own: &&((Target, Option<String>), String, Forecast)| {
                        own.0 == *key && own.1 == *id
                    };
                    Some((key, one, &other.iter().find(same)?.2))
                })
                .collect();
            assert!(!same_peers || both.len() == found.len());
            for (at, (key, one, again)) in both.iter().enumerate() {
                assert_eq!(one.assessments, again.assessments);
                let need = |one: &Forecast| one.by(Method::Need).and_then(|own| own.need);
                assert_eq!(need(one), need(again));
                for (_, peer, peer_again) in both[at + 1..].iter().filter(|own| own.0 == *key) {
                    pairs += 1;
                    for method in Method::ALL.into_iter().filter(|m| *m != Method::Need) {
                        let value = |one: &Forecast| one.by(method).expect("it").value.expect("it");
                        let apart = value(one) - value(peer);
                        let apart_again = value(again) - value(peer_again);
                        close(apart, apart_again, 1e-12, "values apart");
                    }
                }
                for method in Method::ALL.into_iter().filter(|_| same_peers) {
                    let (own, again) = (one.by(method), again.by(method));
                    assert_eq!(own.map(|own| own.rank), again.map(|own| own.rank));
                    assert_eq!(
                        own.and_then(|own| own.spread),
                        again.and_then(|own| own.spread)
                    );
                }
            }
        }
    }
    assert!(pairs > 1000, "{pairs}");
}

#[test]
fn a_seed_gives_the_same_bytes_and_only_intervals_depend_on_it() {
    let rows = messy_school(4);
    let settings = at_days(&[2, 13, 24]);
    let with = |seed| {
        let settings = Settings {
            seed,
            ..settings.clone()
        };
        run(&rows, &Options::default(), &settings)
    };
    let one = with(1);
    assert_eq!(format!("{one:?}"), format!("{:?}", with(1)));
    let other = with(2);
    assert_ne!(one, other);
    assert_eq!(points(&one), points(&other));
    let confident = Options {
        confidence: 0.5,
        ..Options::default()
    };
    let narrow = run(&rows, &confident, &settings);
    assert_eq!(points(&one), points(&narrow));
    let mut compared = 0;
    for (one, narrow) in one.iter().zip(&narrow) {
        let both = one
            .figures
            .differences
            .iter()
            .zip(narrow.figures.differences);
        for (wide, narrow) in both.filter_map(|(wide, narrow)| Some(((*wide)?, narrow?))) {
            assert!(wide.low <= narrow.low && narrow.high <= wide.high);
            compared += usize::from(wide.low.is_some());
        }
    }
    assert!(compared > 80, "{compared}");
}

#[test]
fn neither_the_order_of_rows_nor_names_matter() {
    for seed in 0..6 {
        let rows = messy_school(seed);
        let settings = at_days(&[2, 13, 24, 40]);
        let one = run(&rows, &Options::default(), &settings);
        let mut shuffled = rows.clone();
        shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let other = run(&shuffled, &Options::default(), &settings);
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        // Other names in the same order: the same to the last bit.
        let text = |id: &Option<OwnId>| Some(OwnId::Text(format!("no. {:06}", integer(id))));
        let mut named = rows.clone();
        for row in &mut named {
            row.student = text(&row.student);
            row.item = text(&row.item);
            row.assessment = text(&row.assessment);
        }
        let other = run(&named, &Options::default(), &settings);
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        // In another order sums are rounded otherwise, and students fall into other blocks.
        for row in &mut named {
            row.student = Some(OwnId::Text(format!(
                "{}",
                integer(&row_id(&row.student)) * 7 % 101
            )));
            row.item = Some(OwnId::Text(format!(
                "{}",
                integer(&row_id(&row.item)) * 17 % 1009
            )));
        }
        let other = run(&named, &Options::default(), &settings);
        assert_eq!(one.len(), other.len());
        for (one, other) in points(&one).iter().zip(points(&other)) {
            for (one, other) in one.iter().zip(other) {
                close_option(*one, other, 1e-9, "a figure");
            }
        }
    }
}

/// The number in a name made above.
fn row_id(id: &Option<OwnId>) -> Option<OwnId> {
    match id {
        Some(OwnId::Text(text)) => text[4..].parse().ok().map(OwnId::Integer),
        _ => None,
    }
}
