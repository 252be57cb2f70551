//! A back-test that sees only the past, the slow way.

use pg_assess_core::forecasts::backtest::{Forecast, Method, Outcome, Slice, Target};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::statistics::distribution::t_quantile;
use pg_assess_core::students::explain::Contribution;
use pg_assess_core::students::level::Level;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Ask, Asked, Settings, forecasts};
use pg_assess_test_support::{OwnRow, answers, close, close_option, go, gradebook, integer, mean};

use super::slow_fit::{Effects, drift_of};
use super::{METHODS, TIE, TOLERANCE};

/// When an assessment was taken, which, and the answers.
pub(super) type Sitting = (i64, u32, Vec<Contribution>);

/// One student's assessments: time, id, its answers; by time, then by id.
pub(super) fn sittings(answers: &[(i64, Contribution)], student: i64) -> Vec<Sitting> {
    let own = answers.iter().filter(|(id, _)| *id == student);
    let mut sittings: Vec<Sitting> = Vec::new();
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

/// Precision of answers with their weights.
pub(super) fn precision(answers: &[Contribution], options: &Options) -> f64 {
    precision_of(answers.iter().map(|own| (own.quality, own.counts)), options)
}

/// That of pairs of a question's weight and the share of an answer that it counts.
fn precision_of(weights: impl Iterator<Item = (f64, f64)> + Clone, options: &Options) -> f64 {
    let sum: f64 = weights.clone().map(|(q, counts)| q * counts).sum();
    let squares: f64 = weights.map(|(q, counts)| q * q * counts).sum();
    let k = sum * sum / squares;
    match options.counting {
        Counting::Effective => squares / sum * k / (k + options.half_precision_items),
        Counting::Assessments => squares / sum,
        Counting::Responses => sum,
    }
}

/// A prediction beside what came, the slow way.
#[derive(Debug, Clone)]
pub(super) struct SlowForecast {
    pub(super) student: i64,
    pub(super) cut_at: i64,
    pub(super) target: Target,
    pub(super) assessment: Option<u32>,
    pub(super) known: usize,
    pub(super) observed: f64,
    pub(super) values: [f64; METHODS],
    pub(super) reach: [Option<[f64; 2]>; METHODS],
    pub(super) need: Option<f64>,
    pub(super) observed_place: (f64, f64),
    pub(super) places: [(f64, f64); METHODS],
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

pub(super) fn of(levels: &[(i64, Level)], student: i64) -> Option<Level> {
    let own = levels.iter().find(|(id, _)| *id == student)?;
    Some(own.1)
}

/// How scores are measured that came later: over all that there is.
fn in_hindsight(options: &Asked, settings: &Settings) -> Asked {
    Asked {
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
    }
}

/// What each question weighs in a level.
fn weights_of(rows: &[&OwnRow], options: &Asked) -> Vec<(i64, f64)> {
    let bytes = gradebook(rows.iter().copied());
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, options, &go).expect("items");
    let named = items.iter().map(|item| {
        let id = book.items().get(item.item).to_string();
        (id.parse().expect("a number"), item.quality.weight)
    });
    named.collect()
}

/// What came of a target: sums over its assessments.
struct Ahead {
    sum: f64,
    total: f64,
    noise: f64,
}

impl Ahead {
    fn of(
        ahead: &[Sitting],
        whole: &Asked,
        options: &Asked,
        effects: &Effects,
        weight: &dyn Fn(u32) -> f64,
    ) -> Self {
        let (mut sum, mut total, mut noise) = (0.0, 0.0, 0.0);
        for (_, _, answers) in ahead {
            let weights = answers.iter().map(|answer| (answer.quality, 1.0));
            let counts = precision_of(weights, whole);
            let score = answers
                .iter()
                .map(|answer| answer.quality * (answer.score - effects.of(answer.item)))
                .sum::<f64>()
                / answers.iter().map(|answer| answer.quality).sum::<f64>();
            let weights = answers.iter().map(|answer| (weight(answer.item), 1.0));
            sum += counts;
            total += counts * score;
            noise += match weights.clone().map(|own| own.0).sum::<f64>() > 0.0 {
                true => counts * counts / precision_of(weights, options),
                false => f64::INFINITY,
            };
        }
        Self { sum, total, noise }
    }
}

/// Without weights of questions, without drawing to the cohort as well, without decay as well.
fn simpler(current: &Options) -> [Options; 3] {
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
    [plain, adjusted, forever]
}

/// Of all scores, the last, the latest three, and all under decay; each with its time.
fn means(scores: &[(i64, f64)], half_life: f64) -> [f64; 4] {
    let last_at = scores[scores.len() - 1].0;
    let latest = |n: usize| mean(scores.iter().rev().take(n).map(|score| score.1));
    let fades = |at: i64| 0.5_f64.powf((last_at - at) as f64 / DAY as f64 / half_life);
    let decayed_mean = scores
        .iter()
        .map(|score| fades(score.0) * score.1)
        .sum::<f64>()
        / scores.iter().map(|score| fades(score.0)).sum::<f64>();
    [latest(usize::MAX), latest(1), latest(3), decayed_mean]
}

/// Those of a student's assessments of which nothing was known.
fn not_begun(past: &[&OwnRow], coming: Vec<Sitting>, student: i64) -> Vec<Sitting> {
    let begun = |assessment: u32| {
        past.iter().any(|row| {
            integer(&row.student) == student
                && integer(&row.assessment) == i64::from(assessment)
                && row.score.is_some()
        })
    };
    coming
        .into_iter()
        .filter(|sitting| !begun(sitting.1))
        .collect()
}

/// What would have been said at one date, by a gradebook that ends there. `excluded` are ids.
pub(super) fn forecasts_at(
    rows: &[OwnRow],
    cut_at: i64,
    options: &Asked,
    settings: &Settings,
    excluded: &[i64],
) -> Vec<SlowForecast> {
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
    let [plain, adjusted, forever] = simpler(&current).map(|own| with(0, own));
    let level = levels(&past, &as_of(0));
    let [shrunk, decayed, undecayed] =
        [&plain, &adjusted, &forever].map(|options| levels(&past, options));
    let known = answers(&past, &plain);
    let fit = Effects::new(&known, options);
    let drift = drift_of(&fit, &answers(&past, &as_of(0)), &level, options);
    let whole = in_hindsight(options, settings);
    let coming = answers(&all, &whole);
    let mut even = whole.clone();
    even.options.quality = false;
    let effects = Effects::new(&answers(&all, &even), options);
    let weights = weights_of(&past, &as_of(0));
    let weight = |item: u32| {
        let own = weights.iter().find(|(id, _)| *id == i64::from(item));
        own.filter(|_| options.quality)
            .map_or(1.0, |(_, weight)| *weight)
    };

    let mut forecasts = Vec::new();
    for &(student, own) in &level {
        let Some(shrunk) = of(&shrunk, student) else {
            continue;
        };
        let scores: Vec<(i64, f64)> = sittings(&known, student)
            .iter()
            .map(|(at, _, answers)| (*at, mean(answers.iter().map(|answer| answer.score))))
            .collect();
        let [overall, last, latest, decayed_mean] = means(&scores, options.half_life);
        let coming = not_begun(&past, sittings(&coming, student), student);
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
            let Ahead { sum, total, noise } = Ahead::of(ahead, &whole, options, &effects, &weight);
            let days = (ahead[ahead.len() / 2].0 - cut_at) as f64 / DAY as f64;
            let reach = |level: Level| -> Option<[f64; 2]> {
                let noise = level.noise? * noise / (sum * sum);
                let own = (level.se?.powi(2) + drift * days).min(level.widest);
                let spread = (own + noise).sqrt();
                let df = level.df.unwrap_or(f64::INFINITY);
                let reach = [0.9, 0.975].map(|p| spread * t_quantile(p, df));
                reach[1].is_finite().then_some(reach)
            };
            let mut reaches = [None; METHODS];
            reaches[Method::ShrunkLevel as usize] = reach(shrunk);
            reaches[Method::Level as usize] = reach(own);
            forecasts.push(SlowForecast {
                student,
                cut_at,
                target,
                assessment: (target == Target::Next).then_some(ahead[0].1),
                known: scores.len(),
                observed: total / sum,
                values: [
                    overall,
                    last,
                    latest,
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
    beside_each_other(forecasts, options.cut_share)
}

/// Those with the same target: without their mean, ranked, at least five.
fn beside_each_other(forecasts: Vec<SlowForecast>, share: f64) -> Vec<SlowForecast> {
    let mut out = Vec::new();
    for one in &forecasts {
        let peers: Vec<&SlowForecast> = forecasts
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
        let place = |value: &dyn Fn(&SlowForecast) -> f64| {
            let own = value(one);
            let before = peers.iter().filter(|peer| value(peer) < own - TIE).count();
            let tied = peers
                .iter()
                .filter(|peer| (value(peer) - own).abs() <= TIE)
                .count();
            standing(before as f64, tied as f64)
        };
        let centred = |value: &dyn Fn(&SlowForecast) -> f64| {
            value(one) - mean(peers.iter().map(|peer| value(peer)))
        };
        let mut new = one.clone();
        new.observed = centred(&|own| own.observed);
        new.observed_place = place(&|own| own.observed);
        for at in 0..METHODS {
            new.values[at] = centred(&|own| own.values[at]);
            new.places[at] = place(&|own| own.values[at]);
        }
        // The help list goes by need, highest first and unknown last, then by level.
        let need = |own: &SlowForecast| own.need.unwrap_or(-1.0);
        let level = |own: &SlowForecast| own.values[Method::Level as usize];
        let apart = |peer: &SlowForecast| need(peer) - need(one);
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

pub(super) fn sorted(mut forecasts: Vec<Forecast>) -> Vec<Forecast> {
    forecasts.sort_by_key(|own| (own.cut_at, own.target, own.student));
    forecasts
}

pub(super) fn all_forecasts(
    book: &Gradebook<'_>,
    options: &impl Ask,
    settings: &Settings,
) -> Vec<Forecast> {
    let mut all = Vec::new();
    forecasts(book, options, settings, &go, |one| all.push(one.clone())).expect("forecasts");
    sorted(all)
}

/// Each forecast against the slow one.
pub(super) fn compare_forecasts(
    book: &Gradebook<'_>,
    forecasts: &[SlowForecast],
    fast: &[Forecast],
) {
    assert_eq!(forecasts.len(), fast.len());
    for (slow, fast) in forecasts.iter().zip(fast) {
        let what = format!("{slow:?}\n{fast:?}");
        assert_eq!(
            book.students().get(fast.student).to_string(),
            slow.student.to_string()
        );
        let assessment = fast
            .assessment
            .map(|at| book.assessments().get(at).to_string());
        assert_eq!(
            assessment,
            slow.assessment.map(|id| id.to_string()),
            "{what}"
        );
        assert_eq!((fast.cut_at, fast.target), (slow.cut_at, slow.target));
        assert_eq!(fast.assessments as usize, slow.known, "{what}");
        close(fast.observed, slow.observed, TOLERANCE, &what);
        close(fast.observed_rank, slow.observed_place.0, TOLERANCE, &what);
        close(fast.low, slow.observed_place.1, TOLERANCE, &what);
        for method in Method::ALL {
            let at = method as usize;
            let Some(own) = fast.by(method) else {
                assert!(method == Method::Need && slow.need.is_none(), "{what}");
                continue;
            };
            close(own.rank, slow.places[at].0, TOLERANCE, &what);
            close(own.flagged, slow.places[at].1, TOLERANCE, &what);
            if method == Method::Need {
                assert_eq!((own.value, own.spread), (None, None));
                close_option(own.need, slow.need, TOLERANCE, &what);
                continue;
            }
            close_option(own.value, Some(slow.values[at]), TOLERANCE, &what);
            for level in [0, 1] {
                let of = |reach: Option<[f64; 2]>| reach.map(|reach| reach[level]);
                close_option(of(own.reach()), of(slow.reach[at]), 1e-8, &what);
            }
        }
    }
}

/// The figures of one method, from their definitions.
pub(super) fn figures(forecasts: &[&SlowForecast], method: Method) -> [Option<f64>; 6] {
    let at = method as usize;
    let has = |own: &&&SlowForecast| method != Method::Need || own.need.is_some();
    let forecasts: Vec<&&SlowForecast> = forecasts.iter().filter(has).collect();
    let error = |own: &SlowForecast| own.observed - own.values[at];
    let some = !forecasts.is_empty();
    let rmse = (some && method != Method::Need)
        .then(|| mean(forecasts.iter().map(|own| error(own).powi(2))).sqrt());
    let places: Vec<(f64, f64)> = forecasts
        .iter()
        .map(|own| (own.observed_place.0, own.places[at].0))
        .collect();
    let lows: f64 = forecasts.iter().map(|own| own.observed_place.1).sum();
    let flagged: f64 = forecasts.iter().map(|own| own.places[at].1).sum();
    let named = (lows + flagged) / 2.0;
    let found: f64 = forecasts
        .iter()
        .map(|own| own.observed_place.1 * own.places[at].1)
        .sum();
    let covered = |level: usize| {
        let reaches = forecasts
            .iter()
            .filter_map(|own| Some((error(own), own.reach[at]?[level])));
        let inside: Vec<f64> = reaches
            .map(|(error, reach)| f64::from(u8::from(error.abs() <= reach)))
            .collect();
        (!inside.is_empty()).then(|| mean(inside))
    };
    let mut off = 0.0;
    for bin in 0..10 {
        let inside = forecasts.iter().filter(|own| {
            let need = own.need.unwrap_or(-1.0) * 10.0;
            (need >= 0.0) && (need as usize).min(9) == bin
        });
        off += inside
            .map(|own| own.need.unwrap_or(0.0) - own.observed_place.1)
            .sum::<f64>()
            .abs();
    }
    let need_error = (some && method == Method::Need).then(|| off / forecasts.len() as f64);
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
pub(super) fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mx, my) = (
        mean(pairs.iter().map(|p| p.0)),
        mean(pairs.iter().map(|p| p.1)),
    );
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| -> f64 { pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum() };
    let (xx, yy) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    (xx > 1e-9 && yy > 1e-9).then(|| sum(&|x, y| x * y) / (xx * yy).sqrt())
}

pub(super) const BANDS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, u32::MAX)];

fn in_slice(own: &SlowForecast, slice: Slice) -> bool {
    match slice {
        Slice::All => true,
        Slice::Cut(at) => own.cut_at == at,
        Slice::Group(_) => false,
        Slice::Assessments(from, to) => (from..=to).contains(&(own.known as u32)),
    }
}

pub(super) fn compare_rows(forecasts: &[SlowForecast], cuts: &[i64], rows: &[Outcome]) {
    let mut scopes = vec![Slice::All];
    scopes.extend(cuts.iter().map(|at| Slice::Cut(*at)));
    scopes.extend(BANDS.map(|(from, to)| Slice::Assessments(from, to)));
    let mut expected = 0;
    for target in Target::ALL {
        for &scope in &scopes {
            let inside = |own: &&SlowForecast| own.target == target && in_slice(own, scope);
            let forecasts: Vec<&SlowForecast> = forecasts.iter().filter(inside).collect();
            if forecasts.is_empty() {
                continue;
            }
            let base = figures(&forecasts, Method::OverallMean);
            for method in Method::ALL {
                let row = rows
                    .iter()
                    .find(|row| {
                        (row.target, row.slice, row.figures.method) == (target, scope, method)
                    })
                    .expect("a row");
                let own = &row.figures;
                let slow = figures(&forecasts, method);
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
