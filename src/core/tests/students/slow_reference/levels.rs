//! Levels, trends and ranks, the slow way.

use std::f64::consts::FRAC_PI_2;

use pg_assess_core::options::{Counting, Options};
use pg_assess_test_support::difficulty::SlowDifficulty;
use pg_assess_test_support::mean;

use super::questions::{Quality, dersimonian_laird, qualities};
use super::{Response, count};

/// What an assessment, or a response, says of a student.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) day: f64,
    pub(super) adjusted: f64,
    pub(super) plain: f64,
    pub(super) precision: f64,
}

/// An answer, the score without what others show of its item, and how much of an answer it counts.
type Adjusted = (Response, f64, f64);

fn adjusted(rows: &[Response], student: usize, difficulty: &SlowDifficulty) -> Vec<Adjusted> {
    let own: Vec<&Response> = rows.iter().filter(|r| r.student == student).collect();
    let answers: Vec<(usize, f64)> = own.iter().map(|r| (r.item, r.score)).collect();
    let found = difficulty.by_others(&answers);
    let row = |(r, (score, counts)): (&Response, (f64, f64))| (*r, score, counts);
    own.into_iter().zip(found).map(row).collect()
}

pub(super) fn pieces(
    rows: &[Response],
    student: usize,
    difficulty: &SlowDifficulty,
    weight: &[f64],
    options: &Options,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let all = adjusted(rows, student, difficulty);
    for assessment in 0..count(rows, |r| r.assessment) {
        let own: Vec<&Adjusted> = all
            .iter()
            .filter(|(r, ..)| r.assessment == assessment && weight[r.item] > 0.0)
            .collect();
        if options.counting == Counting::Responses {
            pieces.extend(own.iter().map(|(r, adjusted, counts)| Piece {
                day: r.day,
                adjusted: *adjusted,
                plain: r.score,
                precision: weight[r.item] * counts,
            }));
        } else if !own.is_empty() {
            let q = |f: &dyn Fn(&Adjusted) -> f64| {
                own.iter()
                    .map(|r| weight[r.0.item] * r.2 * f(r))
                    .sum::<f64>()
            };
            let total = q(&|_| 1.0);
            let squares = q(&|r| weight[r.0.item]);
            let k = total * total / squares;
            let factor = match options.counting {
                Counting::Effective => k / (k + options.half_precision_items),
                _ => 1.0,
            };
            pieces.push(Piece {
                day: own.iter().map(|r| r.0.day).fold(f64::MIN, f64::max),
                adjusted: q(&|r| r.1) / total,
                plain: own
                    .iter()
                    .map(|r| weight[r.0.item] * r.0.score)
                    .sum::<f64>()
                    / own.iter().map(|r| weight[r.0.item]).sum::<f64>(),
                precision: squares / total * factor,
            });
        }
    }
    pieces.sort_by(|a, b| a.day.total_cmp(&b.day));
    pieces
}

/// One student's decayed mean, where a piece varies by the noise over its precision.
#[derive(Clone, Copy)]
pub(super) struct Own {
    pub(super) level: f64,
    pub(super) plain: f64,
    pub(super) sum: f64,
    /// The noise over this is the variance of the mean.
    pub(super) n: f64,
    pub(super) noise: f64,
    pub(super) df: f64,
}

fn own_level(pieces: &[Piece], half_life: f64) -> Own {
    let last = pieces[pieces.len() - 1].day;
    let fade = |p: &Piece| 0.5_f64.powf((last - p.day) / half_life);
    let total = |f: &dyn Fn(&Piece) -> f64| pieces.iter().map(f).sum::<f64>();
    let sum = total(&|p| fade(p) * p.precision);
    // The share of each piece in the mean, and the variance that its noise adds to it.
    let share = |p: &Piece| fade(p) * p.precision / sum;
    let level = total(&|p| share(p) * p.adjusted);
    let variance = total(&|p| share(p).powi(2) / p.precision);
    // Expected sum of squares about the mean, for a noise of 1.
    let expected = total(&fade) - sum * variance;
    let df = expected * total(&fade) / total(&|p| fade(p).powi(2));
    let squares = total(&|p| fade(p) * p.precision * (p.adjusted - level).powi(2));
    let several = pieces.len() > 1 && df > 1e-9;
    Own {
        level,
        plain: total(&|p| share(p) * p.plain),
        sum,
        n: 1.0 / variance,
        noise: if several { squares / expected } else { 0.0 },
        df: if several { df } else { 0.0 },
    }
}

/// P(T < t), by Simpson's rule over the angle in t = sqrt(df) tan(angle), for at least one
/// degree of freedom; good to ten digits from four degrees on, where the end of the curve is
/// smooth.
pub(super) fn slow_t_cdf(t: f64, df: f64) -> f64 {
    let area = |end: f64| {
        let steps = 2000;
        let h = end / f64::from(steps);
        let f = |at: i32| (f64::from(at) * h).cos().max(0.0).powf(df - 1.0);
        let inner: f64 = (1..steps)
            .map(|at| f(at) * if at % 2 == 1 { 4.0 } else { 2.0 })
            .sum();
        h / 3.0 * (f(0) + inner + f(steps))
    };
    0.5 + 0.5 * area((t / df.sqrt()).atan()) / area(FRAC_PI_2)
}

/// Slope per day, sum of squares of the days, residual, degrees of freedom: weighted normal
/// equations for intercept and slope.
pub(super) fn line(pieces: &[Piece]) -> Option<[f64; 4]> {
    let sum = |f: &dyn Fn(&Piece) -> f64| pieces.iter().map(|p| p.precision * f(p)).sum::<f64>();
    if pieces.is_empty() || pieces.iter().all(|p| p.day == pieces[0].day) {
        return None;
    }
    let origin = pieces[0].day;
    let (n, x, xx) = (
        sum(&|_| 1.0),
        sum(&|p| p.day - origin),
        sum(&|p| (p.day - origin).powi(2)),
    );
    let (y, xy) = (
        sum(&|p| p.adjusted),
        sum(&|p| (p.day - origin) * p.adjusted),
    );
    let determinant = n * xx - x * x;
    let slope = (n * xy - x * y) / determinant;
    let intercept = (xx * y - x * xy) / determinant;
    let residual = sum(&|p| (p.adjusted - intercept - slope * (p.day - origin)).powi(2));
    Some([slope, determinant / n, residual, pieces.len() as f64 - 2.0])
}

/// Due and missing, assessment by assessment and student by student, without a roster.
pub(super) fn due_and_missing(rows: &[Response], share: f64) -> Vec<(u32, u32)> {
    let students = count(rows, |r| r.student);
    let took = |student: usize, assessment: usize| -> Option<f64> {
        rows.iter()
            .filter(|r| r.student == student && r.assessment == assessment)
            .map(|r| r.day)
            .reduce(f64::min)
    };
    let assessments = count(rows, |r| r.assessment);
    let days = |student: usize| {
        let mut days: Vec<f64> = (0..assessments).filter_map(|a| took(student, a)).collect();
        days.sort_by(f64::total_cmp);
        days
    };
    let silence = |student: usize| -> Option<f64> {
        let days = days(student);
        let longest = days.windows(2).map(|pair| pair[1] - pair[0]);
        longest.reduce(f64::max).filter(|silence| *silence > 0.0)
    };
    let mut silences: Vec<f64> = (0..students).filter_map(silence).collect();
    silences.sort_by(f64::total_cmp);
    let usual = match silences.len() {
        0 => 0.0,
        n => silences[(n - 1) / 2],
    };
    let span = |student: usize| Some((*days(student).first()?, *days(student).last()?));
    let mut work = vec![(0, 0); students];
    for assessment in 0..assessments {
        let took = |student: usize| took(student, assessment);
        let mut days: Vec<f64> = (0..students).filter_map(took).collect();
        days.sort_by(f64::total_cmp);
        let date = days[(days.len() - 1) / 2];
        let active = |student: usize| {
            span(student).is_some_and(|(first, last)| first <= date && date <= last + usual)
        };
        let active: Vec<usize> = (0..students).filter(|&s| active(s)).collect();
        let takers = active.iter().filter(|&&s| took(s).is_some()).count();
        if (takers as f64) < share * active.len() as f64 {
            continue;
        }
        for (student, work) in work.iter_mut().enumerate() {
            let has_taken = took(student).is_some();
            if has_taken || span(student).is_some_and(|(first, _)| first <= date) {
                work.0 += 1;
                work.1 += u32::from(!has_taken);
            }
        }
    }
    work
}

/// What the rows of one gradebook say of its items, its students and all of them together.
pub(super) struct Cohort {
    pub(super) items: Vec<Quality>,
    pub(super) pieces: Vec<Vec<Piece>>,
    pub(super) own: Vec<Option<Own>>,
    /// None where one student's answers say nothing of it.
    pub(super) noise: Option<f64>,
    /// Mean and variance of true levels; none without evidence.
    pub(super) population: Option<(f64, f64)>,
}

impl Cohort {
    /// Variance of a student's own level.
    pub(super) fn mean_variance(&self, own: &Own, options: &Options) -> f64 {
        let df = own.df;
        let noise = match self.noise.filter(|_| options.shrink) {
            None => own.noise,
            Some(noise) if options.noise_df + df > 0.0 => {
                (options.noise_df * noise + df * own.noise) / (options.noise_df + df)
            }
            Some(noise) => noise,
        };
        noise / own.n
    }
}

/// `noise` stands in where the rows do not show any.
pub(super) fn cohort(rows: &[Response], options: &Options, noise: Option<f64>) -> Cohort {
    let answers: Vec<_> = rows.iter().map(|r| (r.student, r.item, r.score)).collect();
    let difficulty = SlowDifficulty::new(&answers, options.adjust_difficulty);
    let variances = difficulty.components;
    let half = match variances {
        Some((residual, ability)) if ability > 0.0 => residual / ability,
        _ => 0.0,
    };
    let items = qualities(rows, &difficulty.effect, half, options);
    let weight: Vec<f64> = items
        .iter()
        .map(|item| if options.quality { item.weight } else { 1.0 })
        .collect();
    let students = count(rows, |r| r.student);
    let all: Vec<Vec<Piece>> = (0..students)
        .map(|s| pieces(rows, s, &difficulty, &weight, options))
        .collect();
    let own: Vec<Option<Own>> = all
        .iter()
        .map(|p| (!p.is_empty()).then(|| own_level(p, options.half_life)))
        .collect();
    let with = || own.iter().flatten();
    let df: f64 = with().map(|own| own.df).sum();
    let noise = if let Some((residual, _)) = variances {
        // Spread over the questions of each sitting.
        let mut shares = Vec::new();
        for student in 0..students {
            for assessment in 0..count(rows, |r| r.assessment) {
                let own = adjusted(rows, student, &difficulty);
                let own = own.iter().filter(|(r, ..)| r.assessment == assessment);
                let k: f64 = own.map(|(.., counts)| counts).sum();
                shares.extend((k > 0.0).then(|| 1.0 / k));
            }
        }
        // That is the noise of a sitting; one of precision 1 has as much less.
        let precisions = all
            .iter()
            .zip(&own)
            .filter_map(|(pieces, own)| own.map(|own| own.n / pieces.len() as f64));
        let fit = residual * mean(shares) * mean(precisions);
        // It counts eight degrees of freedom beside what students show.
        let shown: f64 = with().map(|own| own.df * own.noise).sum();
        Some((8.0 * fit + shown) / (8.0 + df))
    } else {
        let centre = mean(with().map(|own| own.level));
        let n = with().count() as f64;
        let squares: f64 = with().map(|own| (own.level - centre).powi(2)).sum();
        if n > 1.0 {
            Some(squares / (n - 1.0) / 2.0 / mean(with().map(|own| 1.0 / own.n)))
        } else {
            noise
        }
    };
    let members: Vec<(f64, f64)> = with()
        .map(|own| (own.level, noise.unwrap_or(0.0) / own.n))
        .collect();
    let population = (!members.is_empty()).then(|| {
        let (mean, _, tau2, tau2_se) = dersimonian_laird(&members);
        (mean, tau2.max(tau2_se))
    });
    Cohort {
        items,
        pieces: all,
        own,
        noise,
        population,
    }
}

/// Where a student stood last year, in standard deviations, and how much of that is known.
pub(super) fn standing(cohort: &Cohort, student: usize, options: &Options) -> Option<(f64, f64)> {
    let own = (*cohort.own.get(student)?)?;
    let (mean, tau2) = cohort.population?;
    if tau2 == 0.0 || cohort.own.iter().flatten().count() < 2 {
        return None;
    }
    let known = tau2 / (tau2 + cohort.mean_variance(&own, options));
    Some((known * (own.level - mean) / tau2.sqrt(), known))
}
