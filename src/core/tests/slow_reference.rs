//! The whole method once more, slow and obvious, from its description: every figure of items and
//! students on random tables.

mod common;

use std::f64::consts::{FRAC_PI_2, PI};

use common::solve::{self, Asked};
use common::{OwnId, OwnRow, close, close_option, go, gradebook, normal, row};
use pg_assess_core::distribution::{normal_quantile, t_cdf, t_quantile, t_two_sided};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::shrink::Population;
use pg_assess_core::time::DAY;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOLERANCE: f64 = 1e-9;

/// A response; all numbers count from 0 and leave none out.
#[derive(Debug, Clone, Copy)]
struct Response {
    student: usize,
    item: usize,
    assessment: usize,
    score: f64,
    day: f64,
}

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

/// Numbers students, items and assessments so that none is left out; tells the numbers that
/// students had.
fn close_up(rows: &mut [Response]) -> Vec<usize> {
    let rank = |rows: &mut [Response], of: fn(&mut Response) -> &mut usize| {
        let mut all: Vec<usize> = rows.iter_mut().map(|row| *of(row)).collect();
        all.sort_unstable();
        all.dedup();
        for row in rows.iter_mut() {
            let place = all.partition_point(|id| id < of(row));
            *of(row) = place;
        }
        all
    };
    rank(rows, |row| &mut row.item);
    rank(rows, |row| &mut row.assessment);
    rank(rows, |row| &mut row.student)
}

fn bytes_of(rows: &[Response]) -> Vec<u8> {
    let rows: Vec<OwnRow> = rows
        .iter()
        .map(|r| {
            row(
                r.student as i64,
                r.item as i64,
                r.assessment as i64,
                r.score,
                r.day,
            )
        })
        .collect();
    gradebook(&rows)
}

fn count(rows: &[Response], of: impl Fn(&Response) -> usize) -> usize {
    rows.iter().map(|row| of(row) + 1).max().unwrap_or(0)
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Item effects by alternating means to convergence; over each group of items that students
/// link, the mean effect of all answers is 0.
fn effects(rows: &[Response]) -> Vec<f64> {
    let (students, items) = (count(rows, |r| r.student), count(rows, |r| r.item));
    let mut ability = vec![0.0; students];
    let mut effect = vec![0.0; items];
    let (mut sums, mut answers) = (vec![0.0; students], vec![0.0; students]);
    let (mut item_sums, mut item_answers) = (vec![0.0; items], vec![0.0; items]);
    for row in rows {
        answers[row.student] += 1.0;
        item_answers[row.item] += 1.0;
    }
    for _ in 0..20_000 {
        sums.fill(0.0);
        rows.iter()
            .for_each(|r| sums[r.student] += r.score - effect[r.item]);
        for (ability, (sum, n)) in ability.iter_mut().zip(sums.iter().zip(&answers)) {
            *ability = sum / n;
        }
        item_sums.fill(0.0);
        rows.iter()
            .for_each(|r| item_sums[r.item] += r.score - ability[r.student]);
        let mut change = 0.0_f64;
        for (effect, (sum, n)) in effect.iter_mut().zip(item_sums.iter().zip(&item_answers)) {
            change = change.max((sum / n - *effect).abs());
            *effect = sum / n;
        }
        if change < 1e-15 {
            break;
        }
    }
    // Groups: the smallest item number that reaches an item.
    let mut group: Vec<usize> = (0..items).collect();
    for _ in 0..items {
        for a in rows {
            for b in rows.iter().filter(|b| b.student == a.student) {
                group[a.item] = group[a.item].min(group[b.item]);
            }
        }
    }
    let centre: Vec<f64> = (0..items)
        .map(|of| {
            mean(
                rows.iter()
                    .filter(|r| group[r.item] == group[of])
                    .map(|r| effect[r.item]),
            )
        })
        .collect();
    effect
        .iter()
        .zip(centre)
        .map(|(effect, centre)| effect - centre)
        .collect()
}

/// Variance about the fit and of abilities, by the moments of the one-way layout.
fn components(rows: &[Response], effect: &[f64], adjust: bool) -> Option<(f64, f64)> {
    let students = count(rows, |r| r.student);
    let of = |student: usize| -> Vec<f64> {
        let own = rows.iter().filter(|r| r.student == student);
        own.map(|r| r.score - effect[r.item]).collect()
    };
    let n = rows.len() as f64;
    let grand = mean(rows.iter().map(|r| r.score - effect[r.item]));
    let (mut within, mut between, mut squares) = (0.0, 0.0, 0.0);
    for student in 0..students {
        let own = of(student);
        let (k, centre) = (own.len() as f64, mean(own.clone()));
        within += own.iter().map(|x| (x - centre).powi(2)).sum::<f64>();
        between += k * (centre - grand).powi(2);
        squares += k * k;
    }
    let fitted = if adjust {
        effect.len() as f64 - 1.0
    } else {
        0.0
    };
    let df = n - students as f64 - fitted;
    if df < 1.0 {
        return None;
    }
    let residual = within / df;
    let spread = n - squares / n;
    let ability = if students > 1 {
        ((between - (students as f64 - 1.0) * residual) / spread).max(0.0)
    } else {
        0.0
    };
    Some((residual, ability))
}

/// Level of the student without the assessment, or the item, of a response, and its weight.
fn criterion(rows: &[Response], effect: &[f64], half: f64, of: &Response) -> Option<(f64, f64)> {
    let own = || rows.iter().filter(|r| r.student == of.student);
    let mut rest: Vec<&Response> = own().filter(|r| r.assessment != of.assessment).collect();
    if rest.is_empty() {
        rest = own().filter(|r| r.item != of.item).collect();
    }
    if rest.is_empty() {
        return None;
    }
    let k = rest.len() as f64;
    Some((
        mean(rest.iter().map(|r| r.score - effect[r.item])),
        k / (k + half),
    ))
}

/// DerSimonian and Laird: mean, its variance, variance between, standard error of that if all
/// were the same.
fn dersimonian_laird(members: &[(f64, f64)]) -> (f64, f64, f64, f64) {
    let k = members.len() as f64;
    if members.iter().any(|(_, v)| *v == 0.0) {
        let centre = mean(members.iter().map(|m| m.0));
        let squares: f64 = members.iter().map(|m| (m.0 - centre).powi(2)).sum();
        let variance = if k > 1.0 { squares / (k - 1.0) } else { 0.0 };
        return (centre, variance / k, variance, 0.0);
    }
    let sum = |f: &dyn Fn(f64, f64) -> f64| members.iter().map(|(z, v)| f(*z, *v)).sum::<f64>();
    let fixed = sum(&|z, v| z / v) / sum(&|_, v| 1.0 / v);
    let q = sum(&|z, v| (z - fixed) * (z - fixed) / v);
    let c = sum(&|_, v| 1.0 / v) - sum(&|_, v| 1.0 / (v * v)) / sum(&|_, v| 1.0 / v);
    let (tau2, se) = if k > 1.0 {
        (((q - (k - 1.0)) / c).max(0.0), (2.0 * (k - 1.0)).sqrt() / c)
    } else {
        (0.0, members[0].1)
    };
    let precision = sum(&|_, v| 1.0 / (v + tau2));
    (
        sum(&|z, v| z / (v + tau2)) / precision,
        1.0 / precision,
        tau2,
        se,
    )
}

fn reliability(between: f64, noise: f64) -> f64 {
    match (between > 0.0, noise > 0.0) {
        (true, _) => between / (between + noise),
        (false, true) => 0.0,
        (false, false) => 1.0,
    }
}

/// What is known of an item.
#[derive(Debug, Default)]
struct Quality {
    uses: u32,
    n: u64,
    n_effective: f64,
    r_rest: Option<f64>,
    discrimination: Option<[f64; 4]>,
    weight: f64,
    status: &'static str,
    somers_d: Option<f64>,
    index: Option<f64>,
    facility: f64,
}

fn qualities(rows: &[Response], effect: &[f64], half: f64, options: &Options) -> Vec<Quality> {
    let assessments = count(rows, |r| r.assessment);
    let mut evidence = Vec::new();
    let mut items = Vec::new();
    for item in 0..effect.len() {
        let answers = |of: usize| {
            rows.iter()
                .filter(move |r| r.item == item && r.assessment == of)
        };
        // (score, criterion, weight) by use; the small uses together.
        let (mut uses, mut small) = (Vec::new(), Vec::new());
        let (mut balance, mut pairs, mut difference, mut answered) = (0.0, 0.0, 0.0, 0.0);
        for assessment in 0..assessments {
            let use_: Vec<(f64, f64, f64)> = answers(assessment)
                .filter_map(|r| {
                    let (level, weight) = criterion(rows, effect, half, r)?;
                    Some((r.score, level, weight))
                })
                .collect();
            if use_.len() > 1 {
                let (b, p) = somers(&use_);
                balance += b;
                pairs += p;
                let n = use_.len() as f64;
                difference += n * upper_less_lower(&use_, options.upper_lower_share);
                answered += n;
            }
            match use_.len() {
                0 => {}
                1..10 => small.extend(use_),
                _ => uses.push(use_),
            }
        }
        if !small.is_empty() {
            uses.push(small);
        }
        let all = || uses.iter().flatten();
        let weight: f64 = all().map(|u| u.2).sum();
        let squares: f64 = all().map(|u| u.2 * u.2).sum();
        // No rounding: three answers of the same weight are three.
        let n_effective = if squares > 0.0 {
            (weight * weight / squares * 1e9).round() / 1e9
        } else {
            0.0
        };
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for use_ in &uses {
            let total: f64 = use_.iter().map(|u| u.2).sum();
            let mx = use_.iter().map(|u| u.2 * u.0).sum::<f64>() / total;
            let my = use_.iter().map(|u| u.2 * u.1).sum::<f64>() / total;
            for (x, y, w) in use_ {
                xx += w * (x - mx) * (x - mx);
                yy += w * (y - my) * (y - my);
                xy += w * (x - mx) * (y - my);
            }
        }
        let varies = xx > 1e-20 && yy > 1e-15 * weight;
        let r_rest = varies.then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0));
        let df = n_effective - 2.0 - uses.len() as f64;
        let z = r_rest
            .filter(|_| df >= 1.0)
            .map(|r| (r.clamp(-0.999, 0.999).atanh(), 1.0 / df));
        let one_sided = normal_quantile(1.0 - options.flag_alpha);
        let status = match z {
            _ if n_effective == 0.0 || n_effective < options.min_answers => "insufficient",
            // Too few to tell how sure the correlation is.
            None if r_rest.is_some() => "insufficient",
            None => "no_variance",
            Some((z, v)) if z < 0.0 && all().count() as u64 >= options.flag_answers => {
                if z + one_sided * v.sqrt() < 0.0 {
                    "flawed"
                } else {
                    "suspect"
                }
            }
            _ if n_effective < options.flag_answers as f64 => "provisional",
            _ if n_effective < 100.0 => "usable",
            _ => "stable",
        };
        evidence.push(z);
        items.push(Quality {
            uses: (0..assessments)
                .filter(|of| answers(*of).count() > 0)
                .count() as u32,
            n: (0..assessments).map(|of| answers(of).count() as u64).sum(),
            n_effective,
            r_rest,
            weight: 1.0,
            status,
            somers_d: (pairs > 0.0).then(|| balance / pairs),
            index: (answered > 0.0).then(|| difference / answered),
            facility: mean(rows.iter().filter(|r| r.item == item).map(|r| r.score)),
            ..Quality::default()
        });
    }
    let members: Vec<(f64, f64)> = items
        .iter()
        .zip(&evidence)
        .filter(|(item, _)| item.n_effective >= options.min_answers)
        .filter_map(|(_, z)| *z)
        .collect();
    let reach = normal_quantile(0.5 + options.confidence / 2.0);
    for (item, z) in items.iter_mut().zip(&evidence) {
        let Some((z, v)) = *z else { continue };
        let (centre, variance) = if !options.shrink {
            (z, v)
        } else if members.is_empty() {
            continue;
        } else {
            let (mu, mu_variance, tau2, _) = dersimonian_laird(&members);
            let b = reliability(tau2, v);
            (
                b * z + (1.0 - b) * mu,
                b * v + (1.0 - b) * (1.0 - b) * mu_variance,
            )
        };
        let value = centre.tanh();
        let sd = variance.sqrt();
        let se = sd * (1.0 - value * value);
        item.discrimination = Some([
            value,
            se,
            (centre - reach * sd).tanh(),
            (centre + reach * sd).tanh(),
        ]);
    }
    // Weights: at least a share of the mean, mean 1; nothing for flawed items.
    let known = |item: &Quality| !["flawed", "insufficient"].contains(&item.status);
    let values: Vec<f64> = items
        .iter()
        .filter(|item| known(item))
        .filter_map(|item| Some(item.discrimination?[0]))
        .collect();
    let average = mean(values.iter().copied());
    if !values.is_empty() && average > 0.05 {
        let weight = |item: &Quality| {
            let own = item.discrimination.map_or(0.0, |d| d[0]);
            own.max(options.weight_floor * average)
        };
        let scale = mean(items.iter().filter(|item| known(item)).map(weight));
        for item in items.iter_mut().filter(|item| known(item)) {
            item.weight = weight(item) / scale;
        }
    }
    for item in items.iter_mut().filter(|item| item.status == "flawed") {
        item.weight = 0.0;
    }
    items
}

/// Concordant less discordant pairs, and pairs with different scores, pair by pair.
fn somers(answers: &[(f64, f64, f64)]) -> (f64, f64) {
    let (mut balance, mut pairs) = (0.0, 0.0);
    for (at, a) in answers.iter().enumerate() {
        for b in &answers[..at] {
            if a.0 != b.0 {
                pairs += 1.0;
                // Criteria that differ by rounding only are tied.
                if (a.1 - b.1).abs() > 1e-9 {
                    balance += ((a.0 - b.0) * (a.1 - b.1)).signum();
                }
            }
        }
    }
    (balance, pairs)
}

/// Mean of the upper less that of the lower group: the chance of a student to belong to a group
/// of `share * n`, when ties are broken at random, is how far the group reaches into the tie.
fn upper_less_lower(answers: &[(f64, f64, f64)], share: f64) -> f64 {
    let mass = share * answers.len() as f64;
    let mut difference = 0.0;
    for a in answers {
        let tied = answers.iter().filter(|b| (a.1 - b.1).abs() <= 1e-9).count() as f64;
        let below = answers.iter().filter(|b| b.1 < a.1 - 1e-9).count() as f64;
        let above = answers.iter().filter(|b| b.1 > a.1 + 1e-9).count() as f64;
        let lower = ((mass - below) / tied).clamp(0.0, 1.0);
        let upper = ((mass - above) / tied).clamp(0.0, 1.0);
        difference += (upper - lower) * a.0 / mass;
    }
    difference
}

/// What an assessment, or a response, says of a student.
#[derive(Debug, Clone, Copy)]
struct Piece {
    day: f64,
    adjusted: f64,
    plain: f64,
    precision: f64,
}

fn pieces(
    rows: &[Response],
    student: usize,
    effect: &[f64],
    weight: &[f64],
    options: &Options,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for assessment in 0..count(rows, |r| r.assessment) {
        let own: Vec<&Response> = rows
            .iter()
            .filter(|r| r.student == student && r.assessment == assessment)
            .filter(|r| weight[r.item] > 0.0)
            .collect();
        if options.counting == Counting::Responses {
            pieces.extend(own.iter().map(|r| Piece {
                day: r.day,
                adjusted: r.score - effect[r.item],
                plain: r.score,
                precision: weight[r.item],
            }));
        } else if !own.is_empty() {
            let q = |f: &dyn Fn(&Response) -> f64| {
                own.iter().map(|r| weight[r.item] * f(r)).sum::<f64>()
            };
            let total = q(&|_| 1.0);
            let squares = q(&|r| weight[r.item]);
            let k = total * total / squares;
            let factor = match options.counting {
                Counting::Effective => k / (k + options.half_precision_items),
                _ => 1.0,
            };
            pieces.push(Piece {
                day: own.iter().map(|r| r.day).fold(f64::MIN, f64::max),
                adjusted: q(&|r| r.score - effect[r.item]) / total,
                plain: q(&|r| r.score) / total,
                precision: squares / total * factor,
            });
        }
    }
    pieces.sort_by(|a, b| a.day.total_cmp(&b.day));
    pieces
}

/// One student's decayed mean, where a piece varies by the noise over its precision.
#[derive(Clone, Copy)]
struct Own {
    level: f64,
    plain: f64,
    sum: f64,
    /// The noise over this is the variance of the mean.
    n: f64,
    noise: f64,
    df: f64,
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

/// Variance that levels gain per day: squared differences on the noise and the days between.
fn drift(all: &[Vec<Piece>]) -> f64 {
    let mut m = [[0.0; 2]; 2];
    let mut v = [0.0; 2];
    for pieces in all {
        for i in 0..pieces.len() {
            for j in i + 1..pieces.len().min(i + 6) {
                let noise = 1.0 / pieces[i].precision + 1.0 / pieces[j].precision;
                let x = [noise, pieces[j].day - pieces[i].day];
                let y = (pieces[j].adjusted - pieces[i].adjusted).powi(2);
                for a in 0..2 {
                    v[a] += x[a] * y / (noise * noise);
                    for b in 0..2 {
                        m[a][b] += x[a] * x[b] / (noise * noise);
                    }
                }
            }
        }
    }
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    if determinant <= 1e-12 * m[0][0] * m[1][1] {
        return 0.0;
    }
    ((m[0][0] * v[1] - m[1][0] * v[0]) / determinant).max(0.0)
}

/// P(T < t), by Simpson's rule over the angle in t = sqrt(df) tan(angle), for at least one
/// degree of freedom; good to ten digits from four degrees on, where the end of the curve is
/// smooth.
fn slow_t_cdf(t: f64, df: f64) -> f64 {
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
fn line(pieces: &[Piece]) -> Option<[f64; 4]> {
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
fn due_and_missing(rows: &[Response], share: f64) -> Vec<(u32, u32)> {
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
            if span(student).is_some_and(|(first, _)| first <= date) {
                work.0 += 1;
                work.1 += u32::from(took(student).is_none());
            }
        }
    }
    work
}

/// What the rows of one gradebook say of its items, its students and all of them together.
struct Cohort {
    items: Vec<Quality>,
    pieces: Vec<Vec<Piece>>,
    own: Vec<Option<Own>>,
    /// None where one student's answers say nothing of it.
    noise: Option<f64>,
    /// Mean and variance of true levels; none without evidence.
    population: Option<(f64, f64)>,
}

impl Cohort {
    /// Variance of a student's own level.
    fn mean_variance(&self, own: &Own, options: &Options) -> f64 {
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

/// `noise` stands in where the rows do not tell any.
fn cohort(rows: &[Response], options: &Options, noise: Option<f64>) -> Cohort {
    let items = count(rows, |r| r.item);
    let effect = if options.adjust_difficulty {
        effects(rows)
    } else {
        vec![0.0; items]
    };
    let variances = components(rows, &effect, options.adjust_difficulty);
    let half = match variances {
        Some((residual, ability)) if ability > 0.0 => residual / ability,
        _ => 0.0,
    };
    let items = qualities(rows, &effect, half, options);
    let weight: Vec<f64> = items
        .iter()
        .map(|item| if options.quality { item.weight } else { 1.0 })
        .collect();
    let students = count(rows, |r| r.student);
    let all: Vec<Vec<Piece>> = (0..students)
        .map(|s| pieces(rows, s, &effect, &weight, options))
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
                let k = rows
                    .iter()
                    .filter(|r| r.student == student && r.assessment == assessment)
                    .count();
                shares.extend((k > 0).then(|| 1.0 / k as f64));
            }
        }
        // That is the noise of a sitting; one of precision 1 has as much less.
        let precisions = all
            .iter()
            .zip(&own)
            .filter_map(|(pieces, own)| own.map(|own| own.n / pieces.len() as f64));
        let fit = residual * mean(shares) * mean(precisions);
        // It counts eight degrees of freedom beside what students tell.
        let told: f64 = with().map(|own| own.df * own.noise).sum();
        Some((8.0 * fit + told) / (8.0 + df))
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
fn standing(cohort: &Cohort, student: usize, options: &Options) -> Option<(f64, f64)> {
    let own = (*cohort.own.get(student)?)?;
    let (mean, tau2) = cohort.population?;
    if tau2 == 0.0 || cohort.own.iter().flatten().count() < 2 {
        return None;
    }
    let known = tau2 / (tau2 + cohort.mean_variance(&own, options));
    Some((known * (own.level - mean) / tau2.sqrt(), known))
}

fn compare(rows: &[Response], silence: f64, options: &Options) {
    compare_after(&[], rows, silence, options);
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
    let Cohort {
        items: expected,
        pieces: all,
        own,
        ..
    } = &this_year;
    let students = own.len();

    let found = solve::items(&book, options, &go).expect("items");
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
        let told = quality
            .discrimination
            .map(|d| [d.value, d.se, d.ci_low, d.ci_high]);
        for figure in 0..4 {
            let pick = |d: Option<[f64; 4]>| d.map(|d| d[figure]);
            close_option(pick(told), pick(slow.discrimination), TOLERANCE, &what);
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
    let gain = drift(all);
    let believed = |student: usize, own: &Own| {
        if options.shrink {
            reliability(prior(student).1, this_year.mean_variance(own, options))
        } else {
            1.0
        }
    };
    let mut spread: Vec<f64> = (0..students)
        .filter_map(|student| {
            let own = own[student]?;
            let towards = prior(student).0;
            Some(towards + believed(student, &own).sqrt() * (own.level - towards))
        })
        .collect();
    spread.sort_by(f64::total_cmp);
    let place = options.cut_share * (spread.len() - 1) as f64;
    let (below, above) = (
        spread[place.floor() as usize],
        spread[place.ceil() as usize],
    );
    let cut = options
        .cut
        .unwrap_or(below + place.fract() * (above - below));

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
    let lines_df: f64 = free().map(|line| line[3]).sum();
    let lines_noise = free().map(|line| line[2]).sum::<f64>() / lines_df;

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
        close_option(level.raw_level, Some(own.plain), TOLERANCE, &what);
        let b = believed(student, own);
        close(level.reliability, b, TOLERANCE, &what);
        close(
            level.level,
            prior + b * (own.level - prior),
            TOLERANCE,
            &what,
        );
        let age = as_of - all[student].last().expect("evidence").day;
        let information = own.sum * 0.5_f64.powf(age / options.half_life);
        close(level.information, information, TOLERANCE, &what);
        let variance = b * this_year.mean_variance(own, options) + gain * age;
        let df = own.df
            + if options.shrink {
                options.noise_df
            } else {
                0.0
            };
        if df > 0.0 {
            let se = level.se.expect("an error");
            close(se, variance.sqrt(), 1e-8, &what);
            if se > 1e-6 && df >= 1.0 {
                let reach = level.ci_high.expect("an interval") - level.level;
                let coverage = 0.5 + options.confidence / 2.0;
                let near = if df < 4.0 { 1e-4 } else { 1e-9 };
                close(slow_t_cdf(reach / se, df), coverage, near, &what);
                let need = slow_t_cdf((cut - level.level) / se, df);
                close_option(level.need, Some(need), near.max(1e-7), &what);
            }
        } else {
            assert_eq!(
                (level.se, level.ci_low, level.need),
                (None, None, None),
                "{what}"
            );
        }
        let units = {
            let mut units: Vec<usize> = rows
                .iter()
                .filter(|r| r.student == student)
                .map(|r| r.assessment)
                .collect();
            units.dedup();
            units.len() as u32
        };
        assert_eq!(row.assessments, units, "{what}");
        let status = match units {
            _ if age > options.stale_half_lives * options.half_life => "stale",
            1 | 2 => "provisional",
            _ => "ok",
        };
        assert_eq!(row.status.label(), status, "{what}");

        let (inside, line) = &lines[student];
        close_option(
            row.trend.slope,
            line.map(|line| 30.0 * line[0]),
            TOLERANCE,
            &what,
        );
        let Some([slope, spread, residual, df]) = *line else {
            continue;
        };
        let (noise, df) = if options.shrink && lines_df > 0.0 {
            let total = options.trend_noise_df + df;
            (
                (options.trend_noise_df * lines_noise + residual) / total,
                total,
            )
        } else {
            (residual / df, df)
        };
        if df <= 0.0 {
            assert_eq!(row.trend.slope_se, None, "{what}");
            continue;
        }
        let se = (noise / spread).sqrt();
        close_option(row.trend.slope_se, Some(30.0 * se), 1e-8, &what);
        if se < 1e-6 {
            continue;
        }
        let p = 2.0 * slow_t_cdf(-(slope / se).abs(), df);
        close_option(row.trend.p, Some(p), 1e-4, &what);
        let mut days: Vec<i64> = inside.iter().map(|p| p.day.floor() as i64).collect();
        days.dedup();
        let long = inside[inside.len() - 1].day - inside[0].day >= options.trend_min_span;
        let margin = options.steady_margin / 90.0;
        let inside_margin = slow_t_cdf((margin - slope.abs()) / se, df) >= 0.95;
        let direction = match slope {
            _ if (days.len() as u64) < options.trend_min_dates || !long => "unclear",
            slope if p < options.trend_alpha && slope < 0.0 => "falling",
            _ if p < options.trend_alpha => "rising",
            _ if inside_margin => "steady",
            _ => "unclear",
        };
        assert_eq!(row.trend.direction.label(), direction, "{what}");
    }

    // Ranked by need, then by level; whoever is tied but for rounding may stand in either order.
    let mut ranked: Vec<_> = found.iter().filter(|row| row.need_rank.is_some()).collect();
    let known = |student: &usize| own[*student].is_some() || record(*student).is_some();
    assert_eq!(ranked.len(), (0..students).filter(known).count());
    ranked.sort_by_key(|row| row.need_rank);
    for pair in ranked.windows(2) {
        let key = |at: usize| {
            let level = pair[at].level.expect("a level");
            (level.need.unwrap_or(-1.0), level.level)
        };
        let (first, second) = (key(0), key(1));
        assert!(first.0 > second.0 || (first.0 == second.0 && first.1 <= second.1));
    }
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
            // One score each: neither year tells the noise by itself.
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
            let told = compare_after(&before, &rows, [0.0, 40.0][seed as usize / 3 % 2], options);
            carried += told;
            alone += usize::from(told == 0);
        }
    }
    assert!(carried > 400 && alone > 40, "{carried} {alone}");
}

/// Thirty answers suffice for a flag also when some are worth little.
#[test]
fn answers_are_counted_for_a_flag_and_not_what_they_are_worth() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut rows = Vec::new();
    for student in 0..32 {
        let ability = normal(&mut rng);
        let others = if student % 2 == 0 { 1 } else { 30 };
        for item in 0..=others {
            let right = ability + normal(&mut rng) > 0.0;
            rows.push(Response {
                student,
                item,
                assessment: usize::from(item > 0),
                score: f64::from(u8::from(right == (item > 0))),
                day: 0.0,
            });
        }
    }
    compare(&rows, 0.0, &Options::default());
    let bytes = bytes_of(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    assert!(items[0].quality.n_effective < 30.0, "{:?}", items[0]);
    assert_eq!(items[0].quality.status.label(), "flawed");
}

#[test]
fn open_scales_are_standardized_within_their_item() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // Items 0 to 2 bounded, 3 and 4 open, 5 open and skewed, 6 open and constant.
    let mut rows = Vec::new();
    for student in 0..50 {
        for item in 0..7 {
            let score = match item {
                0..=2 => f64::from(rng.gen_range(0..=4u8)) / 4.0,
                3 | 4 => (100.0 + 30.0 * normal(&mut rng)).max(0.0),
                5 => (2.0 * normal(&mut rng)).exp(),
                _ => 7.0,
            };
            let max_score = MaxScore::Points(Some(if item < 3 { 1.0 } else { f64::INFINITY }));
            rows.push(OwnRow {
                max_score,
                ..row(student, item, 0, score, 0.0)
            });
        }
    }
    let scores = |item: i64| -> Vec<f64> {
        let of_item = rows
            .iter()
            .filter(|row| row.item == Some(OwnId::Integer(item)));
        of_item.filter_map(|row| row.score).collect()
    };
    let about = |scores: &[f64], power: i32| {
        let centre = mean(scores.iter().copied());
        scores.iter().map(|x| (x - centre).powi(power)).sum::<f64>()
    };
    let spread = ((0..3).map(|item| about(&scores(item), 2)).sum::<f64>() / (3.0 * 49.0)).sqrt();
    let (center, deviation): (Vec<f64>, Vec<f64>) = (3..7)
        .map(|item| {
            let mut scores = scores(item);
            let sd = (about(&scores, 2) / 49.0).sqrt();
            let skewness = about(&scores, 3) / 50.0 / sd.powi(3);
            assert_eq!(skewness.abs() > 2.0, item == 5, "{skewness}");
            if item != 5 {
                return (mean(scores), sd);
            }
            scores.sort_by(f64::total_cmp);
            let quartile = |share: f64| scores[(49.0 * share).round() as usize];
            let z = normal_quantile(0.75);
            (quartile(0.5), (quartile(0.75) - quartile(0.25)) / (2.0 * z))
        })
        .unzip();
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for student in 0..50 {
        let told = solve::explain(&book, student, &Options::plain(), &go).expect("contributions");
        for contribution in told {
            let item = contribution.item as usize;
            let raw = scores(item as i64)[student as usize];
            let expected = match item {
                0..=2 => raw,
                6 => 0.5,
                _ => 0.5 + spread * (raw - center[item - 3]) / deviation[item - 3],
            };
            close(contribution.score, expected, 1e-12, "standardized score");
        }
    }
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    let facilities: Vec<bool> = items.iter().map(|item| item.facility.is_some()).collect();
    assert_eq!(facilities, [true, true, true, false, false, false, false]);
}

#[test]
fn attempts_move_figures_to_the_time_that_counts() {
    // One item tried on days 0, 50 and 100.
    let rows = [
        row(1, 1, 1, 0.2, 0.0),
        row(1, 1, 1, 0.9, 50.0),
        row(1, 1, 1, 0.6, 100.0),
        row(1, 2, 1, 0.5, 50.0),
        row(2, 1, 1, 0.4, 30.0),
    ];
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for (attempts, score, first, last) in [
        (Attempts::First, 0.2, 0, 50),
        (Attempts::Last, 0.6, 50, 100),
        (Attempts::Best, 0.9, 50, 50),
    ] {
        let options = Options {
            counting: Counting::Responses,
            ..Options::plain()
        };
        let options = Asked {
            attempts,
            ..Asked::from(options)
        };
        let told = solve::explain(&book, 0, &options, &go).expect("contributions");
        let days = [
            told[0].taken_at.min(told[1].taken_at),
            told[0].taken_at.max(told[1].taken_at),
        ];
        assert_eq!(told[0].score, score);
        assert_eq!(days, [first * DAY, last * DAY], "{attempts:?}");
        for contribution in &told {
            let age = (100 * DAY - contribution.taken_at) as f64 / DAY as f64;
            close(contribution.decay, 0.5_f64.powf(age / 60.0), 1e-15, "decay");
            assert_eq!(contribution.quality, 1.0);
        }
        let assessments = solve::assessments(&book, &options, &go).expect("assessments");
        let (_, told) = &assessments[0];
        assert_eq!(
            (told.first_at, told.last_at),
            (first.min(30) * DAY, last * DAY)
        );
        let items = solve::items(&book, &options, &go).expect("items");
        let own = if attempts == Attempts::First { 0 } else { 30 };
        assert_eq!(items[0].first_at, own * DAY);
        let students = solve::students(&book, &options, &go).expect("students");
        let last_at = students[0].level.and_then(|level| level.last_at);
        assert_eq!(last_at, Some(last * DAY));
    }
}

#[test]
fn ties_of_the_criterion_are_ties_whatever_the_rounding() {
    // Five questions of one assessment, scores of one sixth and the like: sums in different
    // order differ in the last bit, the levels do not.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut rows = Vec::new();
    for student in 0..60 {
        for item in 0..5 {
            let score = f64::from(rng.gen_range(0..4u8)) / 3.0;
            rows.push(Response {
                student,
                item,
                assessment: 0,
                score,
                day: 0.0,
            });
        }
    }
    compare(&rows, 0.0, &Options::default());
    compare(&rows, 0.0, &Options::plain());
}

#[test]
fn quantiles_of_t_are_those_of_the_tables() {
    // From the inverse of the incomplete beta function with fifty digits.
    for (p, df, expected) in [
        (0.975, 1.0, 12.706_204_736_174_705),
        (0.975, 2.0, 4.302_652_729_749_464),
        (0.975, 4.0, 2.776_445_105_197_794_4),
        (0.975, 10.0, 2.228_138_851_986_275),
        (0.975, 30.0, 2.042_272_456_301_238),
        (0.975, 1000.0, 1.962_339_080_826_408_5),
        (0.95, 4.0, 2.131_846_786_326_650_3),
        (0.975, 0.3, 6_582.035_699_400_755),
        (0.975, 0.1, 1_682_362_288_745.013_3),
        (0.975, 0.02, 8.026_113_906_396_968e63),
    ] {
        close(
            t_quantile(p, df) / expected,
            1.0,
            1e-10,
            &format!("t({p}, {df})"),
        );
        close(
            t_quantile(1.0 - p, df) / expected,
            -1.0,
            1e-10,
            &format!("t(1 - {p}, {df})"),
        );
        close(
            t_cdf(expected, df),
            p,
            1e-12,
            &format!("P(T < {expected}), df {df}"),
        );
        close(t_two_sided(expected, df), 2.0 - 2.0 * p, 1e-12, "p-value");
    }
    assert_eq!(t_quantile(0.5, 3.0), 0.0);
    assert_eq!(t_quantile(0.975, 1e-9), f64::INFINITY);
    assert_eq!(t_cdf(f64::INFINITY, 3.0), 1.0);
    assert_eq!(t_cdf(f64::NEG_INFINITY, 3.0), 0.0);
    close(
        t_quantile(0.975, f64::INFINITY),
        1.959963984540054,
        1e-12,
        "normal",
    );
    close(normal_quantile(0.95), 1.6448536269514722, 1e-12, "normal");
    // One degree of freedom is Cauchy's distribution.
    for p in [0.6, 0.75, 0.9, 0.999, 0.999_999] {
        close(
            t_quantile(p, 1.0) / (PI * (p - 0.5)).tan(),
            1.0,
            1e-9,
            "Cauchy",
        );
    }
    // Through the change from t to normal nothing jumps.
    for df in [5e3, 1e5, 3e5, 9.9e5, 1e6, 1e7] {
        let z = 1.959963984540054_f64;
        let second = 5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z;
        let expansion = z + (z.powi(3) + z) / (4.0 * df) + second / (96.0 * df * df);
        close(
            t_quantile(0.975, df),
            expansion,
            // The normal distribution takes over where they agree to six digits.
            3e-6,
            &format!("large df {df}"),
        );
    }
    for df in [1.0, 1.7, 4.0, 9.3, 60.0] {
        for t in [-30.0, -3.0, -1.0, -0.1, 0.0, 0.5, 2.0, 10.0] {
            close(
                t_cdf(t, df),
                slow_t_cdf(t, df),
                if df < 4.0 { 1e-5 } else { 1e-9 },
                &format!("P(T < {t}), df {df}"),
            );
        }
    }
}

#[test]
fn populations_are_those_of_the_textbook() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    assert_eq!(Population::estimate(&[]), None);
    for n in 1..40 {
        let members: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                (
                    normal(&mut rng),
                    if n == 7 {
                        0.0
                    } else {
                        rng.gen_range(0.01..3.0)
                    },
                )
            })
            .collect();
        let ours = Population::estimate(&members).expect("members");
        let (mean, mean_variance, variance, variance_se) = dersimonian_laird(&members);
        close(ours.mean, mean, 1e-12, "mean");
        close(
            ours.mean_variance,
            mean_variance,
            1e-12,
            "variance of the mean",
        );
        close(ours.variance, variance, 1e-12, "variance");
        close(ours.variance_se, variance_se, 1e-12, "its error");
        close(
            ours.with_floor().variance,
            variance.max(variance_se),
            1e-12,
            "floor",
        );
    }
}
