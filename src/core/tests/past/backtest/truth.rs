//! Where the truth is known, the better forecast errs less and intervals hold it.

use pg_assess_core::forecasts::backtest::Method;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_test_support::solve::Settings;
use pg_assess_test_support::{close, close_option, gradebook, integer, mean};

use super::slow::{BANDS, all_forecasts};
use super::{PLAN, Plan, UNEVEN, difference, run, spread, standard_error};

/// But for what draws the effects of questions in: of the half that is added, errors move by less
/// than a ten-thousandth, and few of the predictions change places or sides.
#[test]
fn an_easier_assessment_changes_no_error_where_difficulty_is_taken_out() {
    let rows = PLAN.rows();
    let mut easier = rows.clone();
    for row in easier
        .iter_mut()
        .filter(|row| integer(&row.assessment) == 4)
    {
        row.score = row.score.map(|score| score + 0.5);
    }
    let settings = Settings {
        cut_count: 6,
        resamples: 0,
        ..Settings::default()
    };
    let (one, other) = (
        run(&rows, &Options::default(), &settings),
        run(&easier, &Options::default(), &settings),
    );
    let mut moved = 0;
    for (one, other) in one.iter().zip(&other) {
        assert_eq!((one.target, one.slice), (other.target, other.slice));
        let (one, other) = (&one.figures, &other.figures);
        if one.method >= Method::AdjustedMean {
            close_option(one.rmse, other.rmse, 1e-4, "rmse");
            close_option(one.rank_correlation, other.rank_correlation, 3e-3, "ranks");
            close_option(one.recall, other.recall, 1e-3, "recall");
            close_option(one.coverage[0], other.coverage[0], 1e-2, "coverage");
            close_option(one.need_error, other.need_error, 2e-2, "need");
        } else {
            moved += usize::from(one.rmse != other.rmse);
        }
    }
    assert!(moved > 10, "{moved}");
}

#[test]
fn without_noise_all_is_predicted() {
    let rows = Plan {
        noise: 0.0,
        step: 0.0,
        asked: 2,
        ..PLAN
    }
    .rows();
    let settings = Settings {
        cut_count: 5,
        resamples: 0,
        ..Settings::default()
    };
    let mut seen = 0;
    for row in run(&rows, &Options::default(), &settings) {
        let own = row.figures;
        if own.method < Method::AdjustedMean || own.n == 0 {
            continue;
        }
        let what = format!("{:?} {:?} {:?}", row.target, row.slice, own.method);
        if own.method != Method::Need {
            close(own.rmse.expect("an error"), 0.0, 1e-9, &what);
        }
        close(own.rank_correlation.unwrap_or(1.0), 1.0, 1e-9, &what);
        close(own.recall.unwrap_or(1.0), 1.0, 1e-9, &what);
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

/// Hits of the 80 % and of the 95 % interval, and forecasts.
type Hits = [f64; 3];

/// How often what came lay in the intervals of the level, by band of assessments known.
fn hits(schools: impl Iterator<Item = Plan>) -> [Hits; BANDS.len()] {
    let mut hits = [[0.0; 3]; BANDS.len()];
    for plan in schools {
        let bytes = gradebook(&plan.rows());
        let book = Gradebook::open(&bytes).expect("a gradebook");
        for one in all_forecasts(&book, &Options::default(), &Settings::default()) {
            let known = one.assessments;
            let band = BANDS
                .iter()
                .position(|(from, to)| (*from..=*to).contains(&known));
            let own = one.by(Method::Level).expect("a level");
            let error = (one.observed - own.value.expect("a value")).abs();
            let reach = own.reach().expect("an interval");
            let hits = &mut hits[band.expect("a band")];
            hits[0] += f64::from(u8::from(error <= reach[0]));
            hits[1] += f64::from(u8::from(error <= reach[1]));
            hits[2] += 1.0;
        }
    }
    hits
}

/// Levels that drift, and levels that do not. Where all students are equally noisy, as here, the
/// degrees of freedom that a short record borrows make it a little too careful: 84 % of normal
/// deviates lie within the 80 % interval of t with eight degrees of freedom, 98 % within that of
/// 95 %. At the first dates a drift that is not there adds to it, and that each answer is held
/// against what others show: 88.01 % of these lie within 80 % after three assessments.
#[test]
fn intervals_hold_what_came_at_every_number_of_assessments() {
    for step in [0.01, 0.0] {
        let hits = hits((0..6).map(|seed| Plan { seed, step, ..PLAN }));
        let share = |hits: &[Hits], at: usize| {
            let sum = |at: usize| hits.iter().map(|hits| hits[at]).sum::<f64>();
            sum(at) / sum(2)
        };
        for band in &hits {
            let (narrow, wide) = (share(&[*band], 0), share(&[*band], 1));
            assert!(band[2] > 400.0, "{hits:?}");
            assert!((0.76..=0.885).contains(&narrow), "{narrow} {hits:?}");
            assert!((0.94..=0.985).contains(&wide), "{wide} {hits:?}");
        }
        let (narrow, wide) = (share(&hits, 0), share(&hits, 1));
        assert!((0.79..=0.85).contains(&narrow), "{narrow}");
        assert!((0.945..=0.975).contains(&wide), "{wide}");
    }
}

/// With other students of the same kind the differences would have been others: as much as the
/// intervals say, within a quarter.
#[test]
fn levels_beat_means_of_uneven_sets_and_intervals_are_as_wide_as_chance() {
    for plan in [UNEVEN, PLAN] {
        let mut values: [Vec<f64>; 3] = Default::default();
        let mut errors: [Vec<f64>; 3] = Default::default();
        for seed in 0..60 {
            let settings = Settings {
                cut_count: 5,
                resamples: if seed < 8 { 100 } else { 0 },
                ..Settings::default()
            };
            let rows = Plan { seed, ..plan }.rows();
            let rows = run(&rows, &Options::default(), &settings);
            for figure in 0..3 {
                let own = difference(&rows, Method::Level, figure);
                values[figure].push(own.value);
                if settings.resamples > 0 {
                    errors[figure].push(standard_error(own));
                }
            }
            if plan.asked < 3 && settings.resamples > 0 {
                let own = difference(&rows, Method::Level, 0);
                assert!(own.high < Some(0.0), "{seed}: {own:?}");
            }
        }
        for (values, errors) in values.iter().zip(errors) {
            let (estimated, seen) = (mean(errors), spread(values));
            assert!(
                (estimated / seen - 1.0).abs() < 0.25,
                "{estimated} for {seen}"
            );
        }
    }
}
