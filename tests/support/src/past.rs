//! What holds of any back-test and any advice on the half-life.

use pg_assess_core::forecasts::backtest::Outcome;
use pg_assess_core::forecasts::half_life::{Advice, Trial};
use pg_assess_core::gradebook::Gradebook;

use crate::go;
use crate::solve::{self, Ask, Settings};

/// What holds of any back-test.
pub fn assert_backtest_sound(rows: &[Outcome]) {
    let text = format!("{rows:?}");
    for bad in ["NaN", "inf"] {
        assert!(!text.contains(bad), "{text}");
    }
    for row in rows {
        let own = &row.figures;
        let shares = [own.recall, own.coverage[0], own.coverage[1], own.need_error];
        for share in shares.into_iter().flatten() {
            assert!((-1e-9..=1.0 + 1e-9).contains(&share), "{row:?}");
        }
        assert!(
            own.rank_correlation.is_none_or(|r| r.abs() <= 1.0 + 1e-9),
            "{row:?}"
        );
        assert!(own.rmse.is_none_or(|rmse| rmse >= 0.0), "{row:?}");
    }
}

/// What holds of any advice.
pub fn assert_advice_sound(advice: &Advice, in_use: f64) {
    let text = format!("{advice:?}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert_eq!(advice.trials.is_empty(), advice.n == 0, "{text}");
    assert_eq!(advice.n == 0, advice.students == 0, "{text}");
    if advice.n == 0 {
        return;
    }
    let count = |f: &dyn Fn(&Trial) -> bool| advice.trials.iter().filter(|own| f(own)).count();
    assert_eq!(count(&|own| own.is_best), 1, "{text}");
    assert_eq!(count(&|own| own.in_use), 1, "{text}");
    let tried = count(&|own| own.half_life == Some(in_use));
    assert_eq!(tried, 1, "{text}");
    let days = |own: &Trial| own.half_life.unwrap_or(f64::INFINITY);
    assert!(
        advice
            .trials
            .windows(2)
            .all(|two| days(&two[0]) < days(&two[1])),
        "{text}"
    );
    let least = advice
        .trials
        .iter()
        .map(|own| own.rmse)
        .fold(f64::INFINITY, f64::min);
    for own in &advice.trials {
        assert_eq!(own.difference, own.rmse - least);
        assert!(!own.is_best || own.difference == 0.0 && own.indistinguishable);
        let near = own.difference <= 0.01 * least || own.ci.is_some_and(|(low, _)| low <= 0.0);
        assert_eq!(own.indistinguishable, near, "{own:?}");
        assert!(own.ci.is_none_or(|(low, high)| low <= high));
    }
}

/// Looks back with few settings, and takes advice: neither fails, and all figures are sound.
pub fn assert_past_sound(bytes: &[u8], options: &impl Ask) {
    let gradebook = Gradebook::open(bytes).expect("a gradebook");
    for weighted_target in [false, true] {
        let settings = Settings {
            cut_count: 3,
            horizon: 60.0,
            weighted_target,
            resamples: 5,
            ..Settings::default()
        };
        let rows = solve::backtest(&gradebook, options, &settings, &go).expect("rows");
        assert_backtest_sound(&rows);
    }
    let advice = solve::half_life_advice(&gradebook, options, 5, 1, &go).expect("advice");
    assert_advice_sound(&advice, options.options().half_life);
}
