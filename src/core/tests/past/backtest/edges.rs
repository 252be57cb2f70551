//! Dates, resamples, little data and bad settings.

use pg_assess_core::Error;
use pg_assess_core::forecasts::backtest::{Forecast, Method, Target};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::statistics::quantile::quantile;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{Settings, backtest};
use pg_assess_test_support::{
    OwnRow, assert_backtest_sound, close, close_option, go, gradebook, mean, messy_school, row,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::slow::all_forecasts;
use super::{
    METHODS, PLAN, Plan, TIE, TOLERANCE, UNEVEN, at_days, difference, run, spread, standard_error,
};

/// The same difference with everything ranked again in every resample of students.
fn ranked_again(all: &[Forecast], times: &[f64], share: f64) -> [f64; 2] {
    let methods = [Method::OverallMean, Method::Level];
    let mut pairs: [Vec<(f64, f64, f64)>; 2] = Default::default();
    let (mut found, mut lows) = ([0.0; 2], 0.0);
    let mut keys: Vec<_> = all.iter().map(|one| (one.cut_at, one.assessment)).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let peers: Vec<&Forecast> = all
            .iter()
            .filter(|one| (one.cut_at, one.assessment) == key)
            .filter(|one| times[one.student as usize] > 0.0)
            .collect();
        let n: f64 = peers.iter().map(|one| times[one.student as usize]).sum();
        let places = (share * n).round().max(1.0);
        let standings = |value: &dyn Fn(&Forecast) -> f64| -> Vec<(f64, f64)> {
            let mut order: Vec<usize> = (0..peers.len()).collect();
            order.sort_by(|&a, &b| value(peers[a]).total_cmp(&value(peers[b])));
            let mut standings = vec![(0.0, 0.0); peers.len()];
            let mut before = 0.0;
            for tied in order.chunk_by(|&a, &b| value(peers[b]) - value(peers[a]) <= TIE) {
                let count: f64 = tied
                    .iter()
                    .map(|&at| times[peers[at].student as usize])
                    .sum();
                for &at in tied {
                    let flagged = ((places - before) / count).clamp(0.0, 1.0);
                    standings[at] = ((before + count / 2.0) / n, flagged);
                }
                before += count;
            }
            standings
        };
        let observed = standings(&|one| one.observed);
        let own = methods.map(|method| {
            standings(&|one| one.by(method).and_then(|own| own.value).expect("a value"))
        });
        for (at, one) in peers.iter().enumerate() {
            let times = times[one.student as usize];
            lows += times * observed[at].1;
            for method in 0..2 {
                pairs[method].push((observed[at].0, own[method][at].0, times));
                found[method] += times * observed[at].1 * own[method][at].1;
            }
        }
    }
    let correlation = |pairs: &[(f64, f64, f64)]| {
        let n: f64 = pairs.iter().map(|p| p.2).sum();
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            pairs
                .iter()
                .map(|(x, y, times)| times * f(*x, *y))
                .sum::<f64>()
                / n
        };
        let (mx, my) = (mean(&|x, _| x), mean(&|_, y| y));
        let product = mean(&|x, y| (x - mx) * (y - my));
        product / (mean(&|x, _| (x - mx).powi(2)) * mean(&|_, y| (y - my).powi(2))).sqrt()
    };
    [
        correlation(&pairs[1]) - correlation(&pairs[0]),
        (found[1] - found[0]) / lows,
    ]
}

#[test]
fn ranks_may_stay_as_they_are_in_a_resample() {
    let (mut fast, mut slow) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for seed in 0..3 {
        let plan = Plan { seed, ..UNEVEN };
        let students = plan.students as usize;
        let settings = Settings {
            cut_count: 5,
            resamples: 200,
            ..Settings::default()
        };
        let rows = plan.rows();
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let options = Options::default();
        let mut all = all_forecasts(&book, &options, &settings);
        all.retain(|one| one.target == Target::Next);
        let rows = run(&rows, &options, &settings);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let draws: Vec<[f64; 2]> = (0..100)
            .map(|_| {
                let mut times = vec![0.0; students];
                (0..students).for_each(|_| times[rng.gen_range(0..students)] += 1.0);
                ranked_again(&all, &times, options.cut_share)
            })
            .collect();
        let once = ranked_again(&all, &vec![1.0; students], options.cut_share);
        for at in 0..2 {
            let own = difference(&rows, Method::Level, at + 1);
            close(own.value, once[at], TOLERANCE, "the whole");
            fast[at].push(standard_error(own));
            slow[at].push(spread(
                &draws.iter().map(|draw| draw[at]).collect::<Vec<_>>(),
            ));
        }
    }
    for (fast, slow) in fast.into_iter().zip(slow) {
        let (fast, slow) = (mean(fast), mean(slow));
        assert!((fast / slow - 1.0).abs() < 0.25, "{fast} for {slow}");
    }
}

#[test]
fn dates_are_chosen_evenly() {
    let chosen = |rows: &[OwnRow], settings: &Settings| -> Vec<i64> {
        let bytes = gradebook(rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let all = all_forecasts(&book, &Options::default(), settings);
        let mut cuts: Vec<i64> = all.iter().map(|one| one.cut_at).collect();
        cuts.dedup();
        cuts
    };
    let count = |cut_count| Settings {
        cut_count,
        ..Settings::default()
    };
    // From day 0 to day 77.
    let full = Plan {
        attendance: 1.0,
        ..PLAN
    }
    .rows();
    let days = |cuts: Vec<i64>| cuts.iter().map(|at| at / DAY).collect::<Vec<_>>();
    assert_eq!(days(chosen(&full, &count(3))), [19, 38, 57]);
    assert_eq!(
        days(chosen(&full, &count(10))),
        (1..11).map(|at| 7 * at).collect::<Vec<_>>()
    );
    assert_eq!(days(chosen(&full, &count(1))), [38]);
    // More dates than days: they are not moved, and say the same.
    let cuts = chosen(&full, &count(1000));
    assert_eq!(cuts.len(), 1000);
    assert_eq!(cuts[499], 77 * DAY * 500 / 1001);
    // Those given: in order, each once.
    let given = |days: &[i64]| Settings {
        cut_count: 3,
        ..at_days(days)
    };
    assert_eq!(days(chosen(&full, &given(&[30, 9, 30, 500, -4]))), [9, 30]);
}

/// At the cuts on these days, with so many resamples.
fn with(cuts: &[i64], resamples: u64) -> Settings {
    Settings {
        resamples,
        ..at_days(cuts)
    }
}

/// So many students at six weekly assessments.
fn few(students: i64) -> Vec<OwnRow> {
    let of = |student| {
        (0..6).map(move |week| {
            row(
                student,
                week,
                week,
                ((student * week) % 5) as f64 / 4.0,
                7.0 * week as f64,
            )
        })
    };
    (0..students).flat_map(of).collect()
}

/// All the same: no error, and no order to find.
fn equal_scores_have_no_error(plain: &Options) {
    let same: Vec<OwnRow> = few(40)
        .into_iter()
        .map(|row| OwnRow {
            score: Some(0.5),
            ..row
        })
        .collect();
    for row in run(&same, plain, &with(&[3, 20], 20)) {
        let own = &row.figures;
        assert_eq!(
            own.rmse,
            (own.method != Method::Need).then_some(0.0),
            "{row:?}"
        );
        assert_eq!(own.rank_correlation, None);
        close_option(own.recall, Some(0.2), 1e-12, "by chance");
    }
}

/// Every question is flawed: the better a student, the worse at the second assessment.
fn flawed_questions_give_sound_rows(plain: &Options) {
    let flawed: Vec<OwnRow> = (0..40)
        .flat_map(|s| {
            (0..24).map(move |n| {
                let right = (s * 7 % 40 >= 20) == (n / 4 % 2 == 0);
                row(
                    s,
                    n,
                    n / 4,
                    f64::from(u8::from(right)),
                    7.0 * (n / 4) as f64,
                )
            })
        })
        .collect();
    for weighted_target in [false, true] {
        let settings = Settings {
            weighted_target,
            ..with(&[3, 10, 20], 20)
        };
        assert_backtest_sound(&run(&flawed, plain, &settings));
    }
}

#[test]
fn the_edges_give_rows_or_none() {
    let one_date: Vec<OwnRow> = (0..30)
        .map(|s| row(s, 1, 1, (s % 3) as f64 / 2.0, 0.0))
        .collect();
    let plain = Options::default();
    for (name, rows) in [
        ("empty", Vec::new()),
        ("one student", few(1)),
        ("four students", few(4)),
        ("one date", one_date),
    ] {
        for settings in [with(&[20], 50), with(&[], 0)] {
            assert_eq!(run(&rows, &plain, &settings), [], "{name}");
        }
    }
    let five = run(&few(5), &plain, &with(&[20], 50));
    assert_eq!(five.len(), 2 * 3 * METHODS);
    assert_backtest_sound(&five);
    // Five students are too few to resample.
    assert!(five.iter().all(|row| {
        row.figures
            .differences
            .iter()
            .flatten()
            .all(|own| (own.low, own.high) == (None, None))
    }));

    let many = few(40);
    assert_eq!(run(&many, &plain, &with(&[-100, -1], 50)), []);
    assert_eq!(run(&many, &plain, &with(&[35, 400], 50)), []);
    let ends = [i64::MIN, i64::MAX, 0, DAY, DAY];
    let settings = Settings {
        cuts: ends.to_vec(),
        ..with(&[], 10)
    };
    assert_backtest_sound(&run(&many, &plain, &settings));
    let none = run(&many, &plain, &with(&[3], 0));
    assert!(none.iter().all(|row| {
        row.figures
            .differences
            .iter()
            .flatten()
            .all(|own| own.low.is_none())
    }));
    // Within a tiny horizon there are no two assessments, within a huge one all.
    for (horizon, targets) in [(1e-9, 1), (5e-324, 1), (1e300, 2), (f64::MAX, 2)] {
        let rows = run(
            &many,
            &plain,
            &Settings {
                horizon,
                ..with(&[3], 0)
            },
        );
        assert_eq!(rows.len(), targets * 3 * METHODS, "{horizon}");
        assert_backtest_sound(&rows);
    }
    equal_scores_have_no_error(&plain);
    flawed_questions_give_sound_rows(&plain);
}

#[test]
fn bad_settings_are_refused_by_name() {
    let bytes = gradebook(&messy_school(1));
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let horizon = |horizon| Settings {
        horizon,
        ..Settings::default()
    };
    let cut_count = |cut_count| Settings {
        cut_count,
        ..Settings::default()
    };
    for (settings, expected) in [
        (horizon(0.0), "horizon"),
        (horizon(-1.0), "horizon"),
        (horizon(f64::NAN), "horizon"),
        (horizon(f64::INFINITY), "horizon"),
        (cut_count(0), "cut_count"),
        (cut_count(1001), "cut_count"),
        (cut_count(u64::MAX), "cut_count"),
        (
            Settings {
                cuts: (0..1001).collect(),
                ..Settings::default()
            },
            "cuts",
        ),
        (
            Settings {
                resamples: 100_001,
                ..Settings::default()
            },
            "resamples",
        ),
    ] {
        match backtest(&book, &Options::default(), &settings, &go) {
            Err(Error::Argument(argument)) => assert_eq!(argument.name, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let cuts = (0..1000).map(|at| at * DAY / 10).collect();
    let most = Settings {
        cuts,
        resamples: 0,
        ..Settings::default()
    };
    backtest(&book, &Options::default(), &most, &go).expect("rows");
    let options = Options {
        half_life: 0.0,
        ..Options::default()
    };
    assert!(backtest(&book, &options, &Settings::default(), &go).is_err());
}

#[test]
fn quantiles_lie_between_neighbours() {
    let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
    let quantiles = [0.0, 0.25, 0.3, 1.0].map(|share| quantile(&sorted, share));
    assert_eq!(quantiles, [1.0, 2.0, 2.4, 16.0].map(Some));
    assert_eq!(quantile(&[], 0.5), None);
}
