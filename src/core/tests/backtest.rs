//! The back-test against a slow one that only ever sees the past, laws, schools whose truth is
//! known, and the edges.

mod common;

use common::solve::{self, Ask, Asked, Settings, backtest, forecasts};
use common::{
    OwnId, OwnRow, answers, assert_backtest_sound, close, close_option, go, gradebook, integer,
    messy_school, normal, row,
};
use pg_assess_core::Error;
use pg_assess_core::backtest::{Difference, Forecast, Method, Outcome, Slice, Target};
use pg_assess_core::distribution::t_quantile;
use pg_assess_core::explain::Contribution;
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::level::Level;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::quantile::quantile;
use pg_assess_core::time::DAY;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOLERANCE: f64 = 1e-9;
/// Values closer than this share a place.
const TIE: f64 = 1e-9;
const METHODS: usize = Method::ALL.len();

/// One student's assessments: time, id, its answers; by time, then by id.
fn sittings(answers: &[(i64, Contribution)], student: i64) -> Vec<(i64, u32, Vec<Contribution>)> {
    let own = answers.iter().filter(|(id, _)| *id == student);
    let mut sittings: Vec<(i64, u32, Vec<Contribution>)> = Vec::new();
    for (_, answer) in own {
        match sittings.iter_mut().find(|own| own.1 == answer.assessment) {
            Some(own) => {
                own.0 = own.0.max(answer.taken_at);
                own.2.push(*answer);
            }
            None => sittings.push((answer.taken_at, answer.assessment, vec![*answer])),
        }
    }
    sittings.sort_by_key(|own| (own.0, own.1));
    sittings
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Precision of questions with these weights.
fn precision(weights: &[f64], options: &Options) -> f64 {
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|q| q * q).sum();
    let k = sum * sum / squares;
    match options.counting {
        Counting::Effective => squares / sum * k / (k + options.half_precision_items),
        Counting::Assessments => squares / sum,
        Counting::Responses => sum,
    }
}

/// A prediction beside what came, the slow way.
#[derive(Debug, Clone)]
struct Told {
    student: i64,
    cut_at: i64,
    target: Target,
    assessment: Option<u32>,
    known: usize,
    observed: f64,
    values: [f64; METHODS],
    reach: [Option<[f64; 2]>; METHODS],
    need: Option<f64>,
    observed_place: (f64, f64),
    places: [(f64, f64); METHODS],
}

/// A student's id and level.
fn levels(rows: &[&OwnRow], options: &impl Ask) -> Vec<(i64, Level)> {
    let bytes = gradebook(rows.iter().copied());
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let students = solve::students(&book, options, &go).expect("students");
    students
        .into_iter()
        .filter_map(|own| {
            let id = book.students().get(own.student).to_string();
            let level = own.level.filter(|level| level.last_at.is_some())?;
            Some((id.parse().expect("a number"), level))
        })
        .collect()
}

fn of(levels: &[(i64, Level)], student: i64) -> Option<Level> {
    let own = levels.iter().find(|(id, _)| *id == student)?;
    Some(own.1)
}

/// What would have been said at one date, by a gradebook that ends there. `excluded` are ids.
fn told_at(
    rows: &[OwnRow],
    cut_at: i64,
    options: &Asked,
    settings: &Settings,
    excluded: &[i64],
) -> Vec<Told> {
    let counts = |row: &&OwnRow| {
        let at = row.taken_at.expect("a date");
        at <= options.as_of.unwrap_or(i64::MAX) && !excluded.contains(&integer(&row.assessment))
    };
    let all: Vec<&OwnRow> = rows.iter().filter(counts).collect();
    let known = |row: &&&OwnRow| row.taken_at.expect("a date") <= cut_at;
    let past: Vec<&OwnRow> = all.iter().filter(known).copied().collect();

    let with = |days: i64, own: Options| Asked {
        as_of: Some(cut_at + days * DAY),
        exclude: Vec::new(),
        options: own,
        ..options.clone()
    };
    let current = Options {
        cut: None,
        ..options.options.clone()
    };
    let as_of = |days: i64| with(days, current.clone());
    let plain = Options {
        quality: false,
        ..current.clone()
    };
    let adjusted = Options {
        shrink: false,
        ..plain.clone()
    };
    let forever = Options {
        half_life: 1e18,
        ..adjusted.clone()
    };
    let [plain, adjusted, forever] = [plain, adjusted, forever].map(|own| with(0, own));
    let level = levels(&past, &as_of(0));
    let [shrunk, decayed, undecayed] =
        [&plain, &adjusted, &forever].map(|options| levels(&past, options));
    let known = answers(&past, &plain);
    // How fast levels drift is how fast silence makes them uncertain.
    let drift = |levels: &[(i64, Level)], later: Vec<(i64, Level)>| -> f64 {
        let variance = |levels: &[(i64, Level)]| levels.iter().find_map(|own| own.1.se);
        match (variance(levels), variance(&later)) {
            (Some(now), Some(then)) => (then.powi(2) - now.powi(2)) / 1e6,
            _ => 0.0,
        }
    };
    let drift = drift(&level, levels(&past, &as_of(1_000_000)));

    let whole = Asked {
        as_of: None,
        exclude: Vec::new(),
        options: Options {
            quality: options.quality && settings.weighted_target,
            counting: match settings.weighted_target {
                true => Counting::Effective,
                false => Counting::Assessments,
            },
            ..options.options.clone()
        },
        ..options.clone()
    };
    let coming = answers(&all, &whole);
    // What each question weighed in a level then.
    let weights: Vec<(i64, f64)> = {
        let bytes = gradebook(past.iter().copied());
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let items = solve::items(&book, &as_of(0), &go).expect("items");
        let named = items.iter().map(|item| {
            let id = book.items().get(item.item).to_string();
            (id.parse().expect("a number"), item.quality.weight)
        });
        named.collect()
    };
    let weight = |item: u32| {
        let own = weights.iter().find(|(id, _)| *id == i64::from(item));
        own.filter(|_| options.quality)
            .map_or(1.0, |(_, weight)| *weight)
    };

    let mut told = Vec::new();
    for &(student, own) in &level {
        let Some(shrunk) = of(&shrunk, student) else {
            continue;
        };
        let scores: Vec<(i64, f64)> = sittings(&known, student)
            .iter()
            .map(|(at, _, answers)| (*at, mean(answers.iter().map(|answer| answer.score))))
            .collect();
        let last_at = scores[scores.len() - 1].0;
        let latest = |n: usize| mean(scores.iter().rev().take(n).map(|score| score.1));
        let fades = |at: i64| 0.5_f64.powf((last_at - at) as f64 / DAY as f64 / options.half_life);
        let decayed_mean = scores
            .iter()
            .map(|score| fades(score.0) * score.1)
            .sum::<f64>()
            / scores.iter().map(|score| fades(score.0)).sum::<f64>();
        let begun = |assessment: u32| {
            past.iter().any(|row| {
                integer(&row.student) == student
                    && integer(&row.assessment) == i64::from(assessment)
                    && row.score.is_some()
            })
        };
        let coming: Vec<_> = sittings(&coming, student)
            .into_iter()
            .filter(|sitting| !begun(sitting.1))
            .collect();
        let within: Vec<_> = coming
            .iter()
            .filter(|own| (own.0 - cut_at) as f64 / DAY as f64 <= settings.horizon)
            .cloned()
            .collect();
        for target in Target::ALL {
            let ahead = match target {
                Target::Next => &coming[..coming.len().min(1)],
                Target::Horizon if within.len() < 2 => continue,
                Target::Horizon => &within,
            };
            if ahead.is_empty() {
                continue;
            }
            let (mut sum, mut total, mut noise) = (0.0, 0.0, 0.0);
            for (_, _, answers) in ahead {
                let weights: Vec<f64> = answers.iter().map(|answer| answer.quality).collect();
                let counts = precision(&weights, &whole);
                let score = answers
                    .iter()
                    .map(|answer| answer.quality * (answer.score - answer.expected))
                    .sum::<f64>()
                    / weights.iter().sum::<f64>();
                let weights: Vec<f64> = answers.iter().map(|answer| weight(answer.item)).collect();
                sum += counts;
                total += counts * score;
                noise += match weights.iter().sum::<f64>() > 0.0 {
                    true => counts * counts / precision(&weights, options),
                    false => f64::INFINITY,
                };
            }
            let days = (ahead[ahead.len() / 2].0 - cut_at) as f64 / DAY as f64;
            let reach = |level: Level| -> Option<[f64; 2]> {
                let noise = level.noise? * noise / (sum * sum);
                let spread = (level.se?.powi(2) + drift * days + noise).sqrt();
                let df = level.df.unwrap_or(f64::INFINITY);
                let reach = [0.9, 0.975].map(|p| spread * t_quantile(p, df));
                reach[1].is_finite().then_some(reach)
            };
            let mut reaches = [None; METHODS];
            reaches[Method::ShrunkLevel as usize] = reach(shrunk);
            reaches[Method::Level as usize] = reach(own);
            told.push(Told {
                student,
                cut_at,
                target,
                assessment: (target == Target::Next).then_some(ahead[0].1),
                known: scores.len(),
                observed: total / sum,
                values: [
                    latest(usize::MAX),
                    latest(1),
                    latest(3),
                    decayed_mean,
                    of(&undecayed, student).expect("a level").level,
                    of(&decayed, student).expect("a level").level,
                    shrunk.level,
                    own.level,
                    own.level,
                ],
                reach: reaches,
                need: own.need,
                observed_place: (0.0, 0.0),
                places: [(0.0, 0.0); METHODS],
            });
        }
    }
    beside_each_other(told, options.cut_share)
}

/// Those with the same target: without their mean, ranked, at least five.
fn beside_each_other(told: Vec<Told>, share: f64) -> Vec<Told> {
    let mut out = Vec::new();
    for one in &told {
        let peers: Vec<&Told> = told
            .iter()
            .filter(|own| own.target == one.target && own.assessment == one.assessment)
            .collect();
        if peers.len() < 5 {
            continue;
        }
        let n = peers.len() as f64;
        let standing = |before: f64, tied: f64| {
            let places = (share * n).round().max(1.0);
            let flagged = ((places - before) / tied).clamp(0.0, 1.0);
            ((before + tied / 2.0) / n, flagged)
        };
        let place = |value: &dyn Fn(&Told) -> f64| {
            let own = value(one);
            let before = peers.iter().filter(|peer| value(peer) < own - TIE).count();
            let tied = peers
                .iter()
                .filter(|peer| (value(peer) - own).abs() <= TIE)
                .count();
            standing(before as f64, tied as f64)
        };
        let centred =
            |value: &dyn Fn(&Told) -> f64| value(one) - mean(peers.iter().map(|peer| value(peer)));
        let mut new = one.clone();
        new.observed = centred(&|own| own.observed);
        new.observed_place = place(&|own| own.observed);
        for at in 0..METHODS {
            new.values[at] = centred(&|own| own.values[at]);
            new.places[at] = place(&|own| own.values[at]);
        }
        // The help list goes by need, highest first and unknown last, then by level.
        let need = |own: &Told| own.need.unwrap_or(-1.0);
        let level = |own: &Told| own.values[Method::Level as usize];
        let apart = |peer: &Told| need(peer) - need(one);
        let before = peers.iter().filter(|peer| {
            apart(peer) > 1e-12 || apart(peer).abs() <= 1e-12 && level(peer) < level(one) - TIE
        });
        let tied = peers
            .iter()
            .filter(|peer| apart(peer).abs() <= 1e-12 && (level(peer) - level(one)).abs() <= TIE);
        new.places[Method::Need as usize] = standing(before.count() as f64, tied.count() as f64);
        out.push(new);
    }
    out
}

fn sorted(mut forecasts: Vec<Forecast>) -> Vec<Forecast> {
    forecasts.sort_by_key(|own| (own.cut_at, own.target, own.student));
    forecasts
}

fn all_forecasts(book: &Gradebook<'_>, options: &impl Ask, settings: &Settings) -> Vec<Forecast> {
    let mut all = Vec::new();
    forecasts(book, options, settings, &go, |one| all.push(one.clone())).expect("forecasts");
    sorted(all)
}

/// Each forecast against the slow one.
fn compare_forecasts(book: &Gradebook<'_>, told: &[Told], fast: &[Forecast]) {
    assert_eq!(told.len(), fast.len());
    for (told, fast) in told.iter().zip(fast) {
        let what = format!("{told:?}\n{fast:?}");
        assert_eq!(
            book.students().get(fast.student).to_string(),
            told.student.to_string()
        );
        let assessment = fast
            .assessment
            .map(|at| book.assessments().get(at).to_string());
        assert_eq!(
            assessment,
            told.assessment.map(|id| id.to_string()),
            "{what}"
        );
        assert_eq!((fast.cut_at, fast.target), (told.cut_at, told.target));
        assert_eq!(fast.assessments as usize, told.known, "{what}");
        close(fast.observed, told.observed, TOLERANCE, &what);
        close(fast.observed_rank, told.observed_place.0, TOLERANCE, &what);
        close(fast.low, told.observed_place.1, TOLERANCE, &what);
        for method in Method::ALL {
            let at = method as usize;
            let Some(own) = fast.by(method) else {
                assert!(method == Method::Need && told.need.is_none(), "{what}");
                continue;
            };
            close(own.rank, told.places[at].0, TOLERANCE, &what);
            close(own.flagged, told.places[at].1, TOLERANCE, &what);
            if method == Method::Need {
                assert_eq!((own.value, own.spread), (None, None));
                close_option(own.need, told.need, TOLERANCE, &what);
                continue;
            }
            close_option(own.value, Some(told.values[at]), TOLERANCE, &what);
            for level in [0, 1] {
                let of = |reach: Option<[f64; 2]>| reach.map(|reach| reach[level]);
                close_option(of(own.reach()), of(told.reach[at]), 1e-8, &what);
            }
        }
    }
}

/// The figures of one method, from their definitions.
fn figures(told: &[&Told], method: Method) -> [Option<f64>; 6] {
    let at = method as usize;
    let has = |own: &&&Told| method != Method::Need || own.need.is_some();
    let told: Vec<&&Told> = told.iter().filter(has).collect();
    let error = |own: &Told| own.observed - own.values[at];
    let some = !told.is_empty();
    let rmse = (some && method != Method::Need)
        .then(|| mean(told.iter().map(|own| error(own).powi(2))).sqrt());
    let places: Vec<(f64, f64)> = told
        .iter()
        .map(|own| (own.observed_place.0, own.places[at].0))
        .collect();
    let lows: f64 = told.iter().map(|own| own.observed_place.1).sum();
    let flagged: f64 = told.iter().map(|own| own.places[at].1).sum();
    let named = (lows + flagged) / 2.0;
    let found: f64 = told
        .iter()
        .map(|own| own.observed_place.1 * own.places[at].1)
        .sum();
    let covered = |level: usize| {
        let reaches = told
            .iter()
            .filter_map(|own| Some((error(own), own.reach[at]?[level])));
        let inside: Vec<f64> = reaches
            .map(|(error, reach)| f64::from(u8::from(error.abs() <= reach)))
            .collect();
        (!inside.is_empty()).then(|| mean(inside))
    };
    let mut off = 0.0;
    for bin in 0..10 {
        let inside = told.iter().filter(|own| {
            let need = own.need.unwrap_or(-1.0) * 10.0;
            (need >= 0.0) && (need as usize).min(9) == bin
        });
        off += inside
            .map(|own| own.need.unwrap_or(0.0) - own.observed_place.1)
            .sum::<f64>()
            .abs();
    }
    let need_error = (some && method == Method::Need).then(|| off / told.len() as f64);
    [
        rmse,
        correlation(&places),
        (named > 0.0).then(|| found / named),
        covered(0),
        covered(1),
        need_error,
    ]
}

/// Pearson's; none where either side is the same everywhere.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mx, my) = (
        mean(pairs.iter().map(|p| p.0)),
        mean(pairs.iter().map(|p| p.1)),
    );
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| -> f64 { pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum() };
    let (xx, yy) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    (xx > 1e-9 && yy > 1e-9).then(|| sum(&|x, y| x * y) / (xx * yy).sqrt())
}

const BANDS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, u32::MAX)];

fn in_slice(own: &Told, slice: Slice) -> bool {
    match slice {
        Slice::All => true,
        Slice::Cut(at) => own.cut_at == at,
        Slice::Group(_) => false,
        Slice::Assessments(from, to) => (from..=to).contains(&(own.known as u32)),
    }
}

fn compare_rows(told: &[Told], cuts: &[i64], rows: &[Outcome]) {
    let mut scopes = vec![Slice::All];
    scopes.extend(cuts.iter().map(|at| Slice::Cut(*at)));
    scopes.extend(BANDS.map(|(from, to)| Slice::Assessments(from, to)));
    let mut expected = 0;
    for target in Target::ALL {
        for &scope in &scopes {
            let inside = |own: &&Told| own.target == target && in_slice(own, scope);
            let told: Vec<&Told> = told.iter().filter(inside).collect();
            if told.is_empty() {
                continue;
            }
            let base = figures(&told, Method::OverallMean);
            for method in Method::ALL {
                let row = rows
                    .iter()
                    .find(|row| {
                        (row.target, row.slice, row.figures.method) == (target, scope, method)
                    })
                    .expect("a row");
                let own = &row.figures;
                let slow = figures(&told, method);
                let fast = [
                    own.rmse,
                    own.rank_correlation,
                    own.recall,
                    own.coverage[0],
                    own.coverage[1],
                    own.need_error,
                ];
                let what = format!("{target:?} {scope:?} {method:?}");
                for (fast, slow) in fast.into_iter().zip(slow) {
                    close_option(fast, slow, TOLERANCE, &what);
                }
                for (at, difference) in own.differences.iter().enumerate() {
                    let slow = slow[at].zip(base[at]).map(|(own, base)| own - base);
                    let slow = slow.filter(|_| method != Method::OverallMean);
                    let value = difference.map(|difference| difference.value);
                    close_option(value, slow, TOLERANCE, &what);
                }
                expected += 1;
            }
        }
    }
    assert_eq!(rows.len(), expected);
}

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
        let mut told: Vec<Told> = cuts
            .iter()
            .flat_map(|cut| told_at(&rows, *cut, &options, &settings, &excluded))
            .collect();
        told.sort_by_key(|own| (own.cut_at, own.target, own.student));
        compare_forecasts(&book, &told, &all_forecasts(&book, &options, &settings));
        let rows = backtest(&book, &options, &settings, &go).expect("rows");
        compare_rows(&told, &cuts, &rows);
        compared += told.len();
    }
    assert!(compared > 1500, "{compared}");
}

/// The cuts of the laws, whatever the school.
fn at_days(days: &[i64]) -> Settings {
    Settings {
        cuts: days.iter().map(|day| day * DAY).collect(),
        resamples: 20,
        ..Settings::default()
    }
}

fn run(rows: &[OwnRow], options: &impl Ask, settings: &Settings) -> Vec<Outcome> {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    backtest(&book, options, settings, &go).expect("rows")
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
        let told = forecasts(&before);
        for (other, same_peers) in [(forecasts(&changed), true), (forecasts(&grown), false)] {
            let both: Vec<_> = told
                .iter()
                .filter_map(|(key, id, one)| {
                    let same = |own: &&((Target, Option<String>), String, Forecast)| {
                        own.0 == *key && own.1 == *id
                    };
                    Some((key, one, &other.iter().find(same)?.2))
                })
                .collect();
            assert!(!same_peers || both.len() == told.len());
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

/// Weekly assessments of two or more questions; everyone has other questions where sets are
/// uneven. Score: level + effect of the question + noise, nothing else, all told.
struct Plan {
    seed: u64,
    students: i64,
    weeks: i64,
    /// Questions of an assessment, and how many of them each student is asked.
    questions: i64,
    asked: usize,
    /// Standard deviations of levels, of question effects and of noise, and of a level's
    /// steps from one week to the next.
    spread: f64,
    effects: f64,
    noise: f64,
    step: f64,
    attendance: f64,
}

const PLAN: Plan = Plan {
    seed: 0,
    students: 120,
    weeks: 12,
    questions: 3,
    asked: 3,
    spread: 0.08,
    effects: 0.05,
    noise: 0.1,
    step: 0.01,
    attendance: 0.85,
};

impl Plan {
    /// Schools of one plan have the same questions and other students.
    fn rows(&self) -> Vec<OwnRow> {
        let mut rng = ChaCha8Rng::seed_from_u64(77);
        let effects: Vec<f64> = (0..self.weeks * self.questions)
            .map(|_| self.effects * normal(&mut rng))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut rows = Vec::new();
        for student in 0..self.students {
            let mut level = 0.5 + self.spread * normal(&mut rng);
            for week in 0..self.weeks {
                level += self.step * normal(&mut rng);
                if !rng.gen_bool(self.attendance) {
                    continue;
                }
                let mut questions: Vec<i64> = (0..self.questions).collect();
                questions.shuffle(&mut rng);
                for question in &questions[..self.asked] {
                    let item = week * self.questions + question;
                    let score = level + effects[item as usize] + self.noise * normal(&mut rng);
                    let mut row = row(student, item, week, score + 2.0, 7.0 * week as f64);
                    row.max_score = MaxScore::Points(Some(5.0));
                    rows.push(row);
                }
            }
        }
        rows
    }
}

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
            close_option(one.rmse, other.rmse, 1e-9, "rmse");
            close_option(one.rank_correlation, other.rank_correlation, 1e-9, "ranks");
            close_option(one.recall, other.recall, 1e-9, "recall");
            close_option(one.coverage[0], other.coverage[0], 1e-9, "coverage");
            close_option(one.need_error, other.need_error, 1e-9, "need");
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
/// 95 %. At the first dates a drift that is not there adds to it.
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
            assert!((0.76..=0.88).contains(&narrow), "{narrow} {hits:?}");
            assert!((0.94..=0.985).contains(&wide), "{wide} {hits:?}");
        }
        let (narrow, wide) = (share(&hits, 0), share(&hits, 1));
        assert!((0.79..=0.85).contains(&narrow), "{narrow}");
        assert!((0.945..=0.975).contains(&wide), "{wide}");
    }
}

fn difference(rows: &[Outcome], method: Method, figure: usize) -> Difference {
    let row = rows.iter().find(|row| {
        (row.target, row.slice, row.figures.method) == (Target::Next, Slice::All, method)
    });
    row.expect("a row").figures.differences[figure].expect("a difference")
}

/// Standard deviation.
fn spread(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    (values.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

const UNEVEN: Plan = Plan {
    asked: 1,
    effects: 0.12,
    weeks: 9,
    ..PLAN
};

/// Half the width of a 95 % interval, in standard errors.
fn standard_error(own: Difference) -> f64 {
    (own.high.expect("high") - own.low.expect("low")) / 2.0 / 1.96
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
            let (told, seen) = (mean(errors), spread(values));
            assert!((told / seen - 1.0).abs() < 0.25, "{told} for {seen}");
        }
    }
}

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

#[test]
fn the_edges_give_rows_or_none() {
    let with = |cuts: &[i64], resamples| Settings {
        resamples,
        ..at_days(cuts)
    };
    let few = |students: i64| {
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
        (0..students).flat_map(of).collect::<Vec<_>>()
    };
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

    // All the same: no error, and no order to find.
    let same: Vec<OwnRow> = few(40)
        .into_iter()
        .map(|row| OwnRow {
            score: Some(0.5),
            ..row
        })
        .collect();
    for row in run(&same, &plain, &with(&[3, 20], 20)) {
        let own = &row.figures;
        assert_eq!(
            own.rmse,
            (own.method != Method::Need).then_some(0.0),
            "{row:?}"
        );
        assert_eq!(own.rank_correlation, None);
        close_option(own.recall, Some(0.2), 1e-12, "by chance");
    }
    // Every question is flawed: the better a student, the worse at the second assessment.
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
        assert_backtest_sound(&run(&flawed, &plain, &settings));
    }
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
            Err(Error::Argument { name, .. }) => assert_eq!(name, expected),
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
