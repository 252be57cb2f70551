//! Questions, the slow way: difficulty, criterion, discrimination, weight, drift.

use pg_assess_core::options::Options;
use pg_assess_core::statistics::distribution::normal_quantile;
use pg_assess_test_support::mean;

use super::{Response, count};

/// Numbers students, items and assessments so that none is left out; returns the numbers that
/// students had.
pub(super) fn close_up(rows: &mut [Response]) -> Vec<usize> {
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
pub(super) fn dersimonian_laird(members: &[(f64, f64)]) -> (f64, f64, f64, f64) {
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

pub(super) fn reliability(between: f64, noise: f64) -> f64 {
    match (between > 0.0, noise > 0.0) {
        (true, _) => between / (between + noise),
        (false, true) => 0.0,
        (false, false) => 1.0,
    }
}

/// What is known of an item.
#[derive(Debug, Default)]
pub(super) struct Quality {
    pub(super) uses: u32,
    pub(super) n: u64,
    pub(super) n_effective: f64,
    pub(super) r_rest: Option<f64>,
    pub(super) discrimination: Option<[f64; 4]>,
    pub(super) weight: f64,
    pub(super) status: &'static str,
    pub(super) somers_d: Option<f64>,
    pub(super) index: Option<f64>,
    pub(super) facility: f64,
}

pub(super) fn qualities(
    rows: &[Response],
    effect: &[f64],
    half: f64,
    options: &Options,
) -> Vec<Quality> {
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
            // Too few to estimate how sure the correlation is.
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
    discriminate(&mut items, &evidence, options);
    weigh(&mut items, options);
    items
}

/// Correlations drawn to each other, from Fisher's z and its variance.
fn discriminate(items: &mut [Quality], evidence: &[Option<(f64, f64)>], options: &Options) {
    let members: Vec<(f64, f64)> = items
        .iter()
        .zip(evidence)
        .filter(|(item, _)| item.n_effective >= options.min_answers)
        .filter_map(|(_, z)| *z)
        .collect();
    let reach = normal_quantile(0.5 + options.confidence / 2.0);
    for (item, z) in items.iter_mut().zip(evidence) {
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
}

/// Weights: at least a share of the mean, mean 1; nothing for flawed items.
fn weigh(items: &mut [Quality], options: &Options) {
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
