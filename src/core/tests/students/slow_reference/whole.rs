//! Everything at once, on tables in which all goes wrong that can.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::solve::Item;
use pg_assess_core::statistics::distribution::normal_quantile;
use pg_assess_core::students::level::Level;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;
use pg_assess_test_support::drift::slow_drift;
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{close, close_option, go, normal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::levels::{Own, Piece, cohort, due_and_missing, line, slow_t_cdf, standing};
use super::questions::{Quality, close_up, reliability};
use super::{Response, TOLERANCE, bytes_of};

/// A random table without repeated attempts. Some items come again in another assessment, some
/// students come late, some scores are partial; the smallest tables hardly hold together.
fn table(seed: u64) -> Vec<Response> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let students = rng.gen_range(2..40);
    let assessments = rng.gen_range(1..9);
    let length = rng.gen_range(1..7);
    let reuse = rng.gen_bool(0.5);
    let partial = rng.gen_bool(0.3);
    let present = rng.gen_range(0.4..1.0);
    let mut rows = Vec::new();
    for student in 0..students {
        let ability = normal(&mut rng);
        let first = if rng.gen_bool(0.2) {
            rng.gen_range(0..assessments)
        } else {
            0
        };
        for assessment in first..assessments {
            if !rng.gen_bool(present) {
                continue;
            }
            let day = (assessment * 17) as f64 + f64::from(rng.gen_range(0..12u8)) / 4.0;
            for question in 0..length {
                let item = if reuse && question == 0 {
                    assessment / 2
                } else {
                    1000 + assessment * length + question
                };
                if rng.gen_bool(0.1) {
                    continue;
                }
                let logit = 1.2 * ability - (item % 5) as f64 * 0.5 + 0.7 * normal(&mut rng);
                let score: f64 = 1.0 / (1.0 + (-logit).exp());
                let score = if partial {
                    (score * 4.0).round() / 4.0
                } else {
                    score.round()
                };
                rows.push(Response {
                    student,
                    item,
                    assessment,
                    score,
                    day,
                });
            }
        }
    }
    close_up(&mut rows);
    rows
}

pub(super) fn compare(rows: &[Response], silence: f64, options: &Options) {
    compare_after(&[], rows, silence, options);
}

fn compare_items(found: &[Item], expected: &[Quality]) {
    assert_eq!(found.len(), expected.len());
    for (at, (ours, slow)) in found.iter().zip(expected).enumerate() {
        let what = format!("item {at}: {ours:?} against {slow:?}");
        let quality = &ours.quality;
        assert_eq!(
            (quality.assessments, quality.n),
            (slow.uses, slow.n),
            "{what}"
        );
        assert_eq!(quality.status.label(), slow.status, "{what}");
        close(quality.n_effective, slow.n_effective, 1e-8, &what);
        close_option(quality.r_rest, slow.r_rest, TOLERANCE, &what);
        let found = quality
            .discrimination
            .map(|d| [d.value, d.se, d.ci_low, d.ci_high]);
        for figure in 0..4 {
            let pick = |d: Option<[f64; 4]>| d.map(|d| d[figure]);
            close_option(pick(found), pick(slow.discrimination), TOLERANCE, &what);
        }
        close(quality.weight, slow.weight, TOLERANCE, &what);
        close_option(ours.facility, Some(slow.facility), TOLERANCE, &what);
        close_option(ours.separation.somers_d, slow.somers_d, TOLERANCE, &what);
        close_option(
            ours.separation.discrimination_index,
            slow.index,
            TOLERANCE,
            &what,
        );
    }
}

/// The lines of all students, and the noise about them.
struct Lines {
    own: Vec<(Vec<Piece>, Option<[f64; 4]>)>,
    df: f64,
    noise: f64,
}

impl Lines {
    fn of(all: &[Vec<Piece>], as_of: f64, options: &Options) -> Self {
        let lines: Vec<(Vec<Piece>, Option<[f64; 4]>)> = all
            .iter()
            .map(|pieces| {
                let window = options.trend_window.unwrap_or(f64::MAX);
                let inside: Vec<Piece> = pieces
                    .iter()
                    .filter(|p| as_of - p.day <= window)
                    .copied()
                    .collect();
                let line = line(&inside);
                (inside, line)
            })
            .collect();
        let free = || {
            lines
                .iter()
                .filter_map(|(_, line)| *line)
                .filter(|line| line[3] > 0.0)
        };
        let df: f64 = free().map(|line| line[3]).sum();
        let noise = free().map(|line| line[2]).sum::<f64>() / df;
        Self {
            own: lines,
            df,
            noise,
        }
    }
}

fn compare_trend(row: &Student, lines: &Lines, options: &Options, what: &str) {
    let (inside, line) = &lines.own[row.student as usize];
    let span = |inside: &[Piece]| inside[inside.len() - 1].day - inside[0].day;
    let line = line.filter(|_| span(inside) >= options.trend_min_span);
    close_option(
        row.trend.slope,
        line.map(|line| 30.0 * line[0]),
        TOLERANCE,
        what,
    );
    let Some([slope, spread, residual, df]) = line else {
        return;
    };
    let (noise, df) = if options.shrink && lines.df > 0.0 {
        let total = options.trend_noise_df + df;
        (
            (options.trend_noise_df * lines.noise + residual) / total,
            total,
        )
    } else {
        (residual / df, df)
    };
    if df <= 0.0 {
        assert_eq!(row.trend.slope_se, None, "{what}");
        return;
    }
    let se = (noise / spread).sqrt();
    close_option(row.trend.slope_se, Some(30.0 * se), 1e-8, what);
    if se < 1e-6 {
        return;
    }
    let p = 2.0 * slow_t_cdf(-(slope / se).abs(), df);
    close_option(row.trend.p, Some(p), 1e-4, what);
    let mut days: Vec<i64> = inside.iter().map(|p| p.day.floor() as i64).collect();
    days.dedup();
    let margin = options.steady_margin / 90.0;
    let inside_margin = slow_t_cdf((margin - slope.abs()) / se, df) >= 0.95;
    let direction = match slope {
        _ if (days.len() as u64) < options.trend_min_dates => "unclear",
        slope if p < options.trend_alpha && slope < 0.0 => "falling",
        _ if p < options.trend_alpha => "rising",
        _ if inside_margin => "steady",
        _ => "unclear",
    };
    assert_eq!(row.trend.direction.label(), direction, "{what}");
}

/// What is known of a student with evidence.
struct Known {
    prior: f64,
    /// How far levels may be from it, without evidence.
    open: f64,
    believed: f64,
    mean_variance: f64,
    /// Days since the last evidence, and by how much variance has grown since.
    age: f64,
    gained: f64,
    cut: f64,
}

fn compare_level(level: &Level, own: &Own, known: &Known, options: &Options, what: &str) {
    close_option(level.raw_level, Some(own.plain), TOLERANCE, what);
    let b = known.believed;
    close(level.reliability, b, TOLERANCE, what);
    close(
        level.level,
        known.prior + b * (own.level - known.prior),
        TOLERANCE,
        what,
    );
    let information = own.sum * 0.5_f64.powf(known.age / options.half_life);
    close(level.information, information, TOLERANCE, what);
    let own_variance = b * known.mean_variance;
    let widest = own_variance.max(known.open);
    let variance = (own_variance + known.gained).min(widest);
    close(level.widest, widest, TOLERANCE, what);
    let df = own.df
        + if options.shrink {
            options.noise_df
        } else {
            0.0
        };
    if df > 0.0 {
        let se = level.se.expect("an error");
        close(se, variance.sqrt(), 1e-8, what);
        if se > 1e-6 && df >= 1.0 {
            let reach = level.ci_high.expect("an interval") - level.level;
            let coverage = 0.5 + options.confidence / 2.0;
            let near = if df < 4.0 { 1e-4 } else { 1e-9 };
            // Silence brings no interval beyond that of a student without evidence.
            let holds = |variance: f64| slow_t_cdf(reach / variance.sqrt(), df);
            let normal = normal_quantile(coverage) * known.open.sqrt();
            let is_own = (holds(own_variance) - coverage).abs() < near;
            if (holds(variance) - coverage).abs() < near {
                assert!(reach < normal + 1e-9 || is_own, "{what}");
            } else {
                assert!(holds(variance) < coverage, "{what}");
                let is_longest = (reach - normal).abs() < 1e-9 || is_own && reach > normal;
                assert!(is_longest, "{what}");
            }
            let need = slow_t_cdf((known.cut - level.level) / se, df);
            close_option(level.need, Some(need), near.max(1e-7), what);
        }
    } else {
        assert_eq!(
            (level.se, level.ci_low, level.need),
            (None, None, None),
            "{what}"
        );
    }
}

/// By need, then by level; whoever is tied but for rounding may stand in either order.
fn compare_ranks(mut ranked: Vec<&Student>) {
    ranked.sort_by_key(|row| row.need_rank);
    for pair in ranked.windows(2) {
        let key = |at: usize| {
            let level = pair[at].level.expect("a level");
            (level.need.unwrap_or(-1.0), level.level)
        };
        let (first, second) = (key(0), key(1));
        assert!(first.0 > second.0 || (first.0 == second.0 && first.1 <= second.1));
    }
}

/// How many assessments a student took.
fn units_of(rows: &[Response], student: usize) -> u32 {
    let own = rows.iter().filter(|r| r.student == student);
    let mut units: Vec<usize> = own.map(|r| r.assessment).collect();
    units.dedup();
    units.len() as u32
}

fn status_of(units: u32, age: f64, options: &Options) -> &'static str {
    match units {
        _ if age > options.stale_half_lives * options.half_life => "stale",
        1 | 2 => "provisional",
        _ => "ok",
    }
}

/// The level below which a share of the cohort lies.
fn cut_of(mut spread: Vec<f64>, share: f64) -> f64 {
    spread.sort_by(f64::total_cmp);
    let place = share * (spread.len() - 1) as f64;
    let (below, above) = (
        spread[place.floor() as usize],
        spread[place.ceil() as usize],
    );
    below + place.fract() * (above - below)
}

fn by_day(own: &[Piece]) -> Vec<(f64, f64, f64)> {
    own.iter()
        .map(|p| (p.day, p.adjusted, p.precision))
        .collect()
}

/// The same with a year before: students are numbered alike in both. Returns of how many students
/// last year says something.
fn compare_after(before: &[Response], rows: &[Response], silence: f64, options: &Options) -> usize {
    let last = rows.iter().map(|r| r.day).fold(0.0, f64::max);
    let as_of = last + silence;
    let mut options = Asked {
        as_of: Some((as_of * DAY as f64) as i64),
        ..Asked::from(options.clone())
    };
    let bytes = bytes_of(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let old_bytes = bytes_of(before);
    let old_book = Gradebook::open(&old_bytes).expect("a gradebook");
    options.previous =
        solve::previous(&old_book, &options, &book, &options, &|at| at, &go).expect("last year");
    let options = &options;
    // Nothing that comes later than the first response of this year.
    let first = |student: usize| {
        let own = rows.iter().filter(|r| r.student == student);
        own.map(|r| r.day).fold(as_of, f64::min)
    };
    let older = before.iter().filter(|r| r.day < first(r.student));
    let mut older: Vec<Response> = older.copied().collect();
    let numbers = close_up(&mut older);
    let last_year = (options.shrink && !older.is_empty()).then(|| cohort(&older, options, None));
    let record = |student: usize| {
        let place = numbers.iter().position(|number| *number == student)?;
        standing(last_year.as_ref()?, place, options)
    };
    let this_year = cohort(rows, options, last_year.as_ref().and_then(|old| old.noise));
    let (expected, all, own) = (&this_year.items, &this_year.pieces, &this_year.own);
    let students = own.len();

    let found = solve::items(&book, options, &go).expect("items");
    compare_items(&found, expected);

    let found = solve::students(&book, options, &go).expect("students");
    assert_eq!(found.len(), students);
    let Some((centre, tau2)) = this_year.population else {
        assert!(found.iter().all(|row| row.level.is_none()));
        return 0;
    };
    // Mean and variance of what is expected of a student.
    let prior = |student: usize| {
        let (z, known) = record(student).unwrap_or((0.0, 0.0));
        let r = options.carry_over;
        (centre + r * z * tau2.sqrt(), tau2 * (1.0 - r * r * known))
    };
    let gain = slow_drift(&all.iter().map(|own| by_day(own)).collect::<Vec<_>>());
    let believed = |student: usize, own: &Own| {
        if options.shrink {
            reliability(prior(student).1, this_year.mean_variance(own, options))
        } else {
            1.0
        }
    };
    let spread: Vec<f64> = (0..students)
        .filter_map(|student| {
            let own = own[student]?;
            let towards = prior(student).0;
            Some(towards + believed(student, &own).sqrt() * (own.level - towards))
        })
        .collect();
    let cut = options
        .cut
        .unwrap_or_else(|| cut_of(spread, options.cut_share));

    let lines = Lines::of(all, as_of, options);
    let work = due_and_missing(rows, options.due_share);
    for (student, row) in found.iter().enumerate() {
        let what = format!("student {student}: {row:?}");
        assert_eq!((row.work.due, row.work.missing), work[student], "{what}");
        let level = row.level.expect("a level");
        let (prior, open) = prior(student);
        close(level.prior, prior, TOLERANCE, &what);
        let Some(own) = &own[student] else {
            assert_eq!(row.status.label(), "none");
            close(level.level, prior, TOLERANCE, &what);
            close_option(level.se, Some(open.sqrt()), 1e-8, &what);
            let need = slow_t_cdf((cut - prior) / open.sqrt(), 1e5);
            close_option(level.need, Some(need), 1e-5, &what);
            continue;
        };
        let age = as_of - all[student].last().expect("evidence").day;
        let known = Known {
            prior,
            open,
            believed: believed(student, own),
            mean_variance: this_year.mean_variance(own, options),
            age,
            gained: gain * age,
            cut,
        };
        compare_level(&level, own, &known, options, &what);
        let units = units_of(rows, student);
        assert_eq!(row.assessments, units, "{what}");
        assert_eq!(row.status.label(), status_of(units, age, options), "{what}");

        compare_trend(row, &lines, options, &what);
    }

    let ranked: Vec<_> = found.iter().filter(|row| row.need_rank.is_some()).collect();
    let known = |student: &usize| own[*student].is_some() || record(*student).is_some();
    assert_eq!(ranked.len(), (0..students).filter(known).count());
    compare_ranks(ranked);
    (0..students)
        .filter(|student| record(*student).is_some())
        .count()
}

#[test]
fn every_figure_is_that_of_the_slow_calculation() {
    let plain = Options::plain();
    let base = Options::default();
    for seed in 0..80 {
        let rows = table(seed);
        if rows.is_empty() {
            continue;
        }
        println!("table {seed}: {} rows", rows.len());
        // Two half-lives is not yet too long, and the edge of the window is inside.
        let silence = [0.0, 3.5, 120.0, 200.0][seed as usize / 4 % 4];
        compare(&rows, silence, &base);
        compare(&rows, silence, &plain);
        let lenient = Options {
            min_answers: 4.0,
            flag_answers: 12,
            trend_window: Some(34.0 + silence),
            trend_min_dates: 2,
            trend_min_span: 0.0,
            steady_margin: 0.6,
            ..base.clone()
        };
        compare(&rows, silence, &lenient);
        let mixed = match seed % 4 {
            0 => Options {
                counting: Counting::Responses,
                min_answers: 3.0,
                ..base.clone()
            },
            1 => Options {
                shrink: false,
                flag_answers: 5,
                half_life: 20.0,
                ..base.clone()
            },
            2 => Options {
                trend_window: None,
                cut: Some(0.4),
                noise_df: 0.0,
                ..base.clone()
            },
            _ => Options {
                quality: false,
                counting: Counting::Assessments,
                ..base.clone()
            },
        };
        compare(&rows, silence, &mixed);
    }
}

/// A year before, of which a student's last weeks may reach into this one, and sometimes with
/// hardly anybody in common.
#[test]
fn what_last_year_counts_is_that_of_the_slow_calculation() {
    let base = Options::default();
    let (mut carried, mut alone) = (0, 0);
    for seed in 0..42 {
        let (mut before, mut rows) = (table(500 + seed), table(seed));
        let gap = [400.0, 60.0][seed as usize % 2];
        before.iter_mut().for_each(|r| r.day -= gap);
        if seed % 5 == 4 {
            rows.iter_mut().for_each(|r| r.student += 5);
        }
        if seed % 7 == 6 {
            // One score each: neither year shows the noise by itself.
            let mut seen = Vec::new();
            rows.retain(|r| {
                !seen.contains(&r.student) && {
                    seen.push(r.student);
                    true
                }
            });
            rows.truncate(seed as usize % 3 + 1);
        }
        let numbers = close_up(&mut rows);
        before.iter_mut().for_each(|r| {
            r.student = numbers
                .iter()
                .position(|n| *n == r.student)
                .unwrap_or(r.student + 900);
        });
        if rows.is_empty() {
            continue;
        }
        println!("tables {seed}: {} rows after {}", rows.len(), before.len());
        let odd = Options {
            carry_over: [1.0, 0.3, 0.99][seed as usize % 3],
            counting: Counting::Responses,
            noise_df: [4.0, 0.0][seed as usize / 2 % 2],
            min_answers: 4.0,
            flag_answers: 8,
            ..base.clone()
        };
        for options in [&base, &odd, &Options::plain()] {
            let matched =
                compare_after(&before, &rows, [0.0, 40.0][seed as usize / 3 % 2], options);
            carried += matched;
            alone += usize::from(matched == 0);
        }
    }
    assert!(carried > 400 && alone > 40, "{carried} {alone}");
}
