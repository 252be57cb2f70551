//! Reliability by the obvious calculation: pair by pair, student by student.

use std::collections::{BTreeMap, BTreeSet};

use super::Table;

pub fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// R's `cov(use = "pairwise")`, and the students of each pair.
pub fn slow_covariances(table: &Table) -> Vec<Vec<(f64, f64)>> {
    let questions = table[0].len();
    let pair = |i: usize, j: usize| {
        let both: Vec<(f64, f64)> = table
            .iter()
            .filter_map(|row| Some((row[i]?, row[j]?)))
            .collect();
        let n = both.len() as f64;
        let x = both.iter().map(|pair| pair.0).sum::<f64>() / n;
        let y = both.iter().map(|pair| pair.1).sum::<f64>() / n;
        let products = both.iter().map(|pair| (pair.0 - x) * (pair.1 - y));
        (n, products.sum::<f64>() / (n - 1.0))
    };
    (0..questions)
        .map(|i| (0..questions).map(|j| pair(i, j)).collect())
        .collect()
}

/// How hard each question is beside the others of its students: alternating means to convergence,
/// with a mean of 0 over the answers to all questions that students link.
fn slow_difficulties(table: &Table) -> Vec<f64> {
    let questions = table[0].len();
    let mut effects = vec![0.0; questions];
    loop {
        let levels: Vec<f64> = table
            .iter()
            .map(|row| {
                let rest = row.iter().zip(&effects);
                let left: Vec<f64> = rest.filter_map(|(x, e)| Some((*x)? - e)).collect();
                left.iter().sum::<f64>() / left.len() as f64
            })
            .collect();
        let mut largest: f64 = 0.0;
        for (at, effect) in effects.iter_mut().enumerate() {
            let rest = table.iter().zip(&levels);
            let left: Vec<f64> = rest.filter_map(|(row, a)| Some(row[at]? - a)).collect();
            let next = left.iter().sum::<f64>() / left.len() as f64;
            largest = largest.max((next - *effect).abs());
            *effect = next;
        }
        if largest < 1e-13 {
            break;
        }
    }
    // Whom a student links has the same label in the end.
    let mut group: Vec<usize> = (0..questions).collect();
    for row in table {
        let own: Vec<usize> = (0..questions).filter(|&at| row[at].is_some()).collect();
        let linked: BTreeSet<usize> = own.iter().map(|&at| group[at]).collect();
        let first = *linked.first().expect("a response");
        for label in &mut group {
            if linked.contains(label) {
                *label = first;
            }
        }
    }
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for row in table {
        for at in (0..questions).filter(|&at| row[at].is_some()) {
            let sum = sums.entry(group[at]).or_default();
            sum.0 += effects[at];
            sum.1 += 1.0;
        }
    }
    let centred = effects.iter().zip(&group);
    centred
        .map(|(effect, label)| effect - sums[label].0 / sums[label].1)
        .collect()
}

/// Of the mean scores: their variance, that of their errors, and the standard error of alpha.
pub fn slow_reliability(table: &Table) -> (f64, f64, Option<f64>) {
    let (n, questions) = (table.len() as f64, table[0].len());
    let lengths: Vec<f64> = table
        .iter()
        .map(|row| row.iter().flatten().count() as f64)
        .collect();
    let totals = table.iter().map(|row| row.iter().flatten().sum::<f64>());
    let means: Vec<f64> = totals.zip(&lengths).map(|(sum, k)| sum / k).collect();
    let pairs = slow_covariances(table);

    // The variance of a difference is that of both less twice the covariance.
    let (mut df, mut differences, mut covariances) = (0.0, 0.0, 0.0);
    for i in 0..questions {
        for j in 0..i {
            let both = table.iter().filter_map(|row| Some(row[i]? - row[j]?));
            let both: Vec<f64> = both.collect();
            if both.len() > 1 {
                df += pairs[i][j].0 - 1.0;
                differences += (pairs[i][j].0 - 1.0) * variance(&both) / 2.0;
                covariances += (pairs[i][j].0 - 1.0) * pairs[i][j].1;
            }
        }
    }
    let residual = differences / df;
    let shares = lengths.iter().map(|k| 1.0 / k);
    let within = residual * shares.sum::<f64>() / n;

    let effects = slow_difficulties(table);
    let share = |student: usize, at: usize| match table[student][at] {
        Some(_) => 1.0 / lengths[student],
        None => 0.0,
    };
    let hardness = |student: usize| {
        (0..questions)
            .map(|at| share(student, at) * effects[at])
            .sum()
    };
    let drawn: Vec<f64> = (0..table.len()).map(hardness).collect();
    let noise: f64 = (0..questions)
        .map(|at| {
            let shares: Vec<f64> = (0..table.len()).map(|student| share(student, at)).collect();
            let answers = table.iter().filter(|row| row[at].is_some()).count() as f64;
            let information = answers - shares.iter().sum::<f64>();
            match information > 1e-9 {
                true => residual * variance(&shares) / information,
                false => 0.0,
            }
        })
        .sum();
    let error = within + (variance(&drawn) - noise).max(0.0);

    // Of each student the matrix of their own questions, as a matrix of mean scores.
    let least = n.min(10.0);
    let answered: f64 = (0..questions).map(|at| pairs[at][at].0 - 1.0).sum();
    let squares: f64 = (0..questions)
        .filter(|&at| pairs[at][at].0 > 1.0)
        .map(|at| (pairs[at][at].0 - 1.0) * pairs[at][at].1)
        .sum();
    let entry = |i: usize, j: usize| match pairs[i][j] {
        (n, covariance) if n >= least => covariance,
        _ if i == j => squares / answered,
        _ => covariances / df,
    };
    let (mut students, mut harmonic) = (0.0, 0.0);
    let (mut trace, mut total, mut square, mut product) = (0.0, 0.0, 0.0, 0.0);
    for row in table {
        let own: Vec<usize> = (0..questions).filter(|&at| row[at].is_some()).collect();
        let k = own.len() as f64;
        if own.len() < 2 {
            continue;
        }
        students += 1.0;
        harmonic += 1.0 / k;
        for &i in &own {
            trace += entry(i, i) / k.powi(2);
            for &j in &own {
                total += entry(i, j) / k.powi(2);
                square += entry(i, j).powi(2) / k.powi(4);
                product += own.iter().map(|&l| entry(i, j) * entry(j, l)).sum::<f64>() / k.powi(4);
            }
        }
    }
    let [trace, total, square, product] = [trace, total, square, product].map(|sum| sum / students);
    let (k, c) = (students / harmonic, total / trace);
    let q = 2.0 * k * k / ((k - 1.0).powi(2) * c.powi(3))
        * (c * (square / trace.powi(2) + 1.0) - 2.0 * product / trace.powi(2));
    let se = (c > 1e-12).then(|| (q.max(0.0) / students).sqrt());
    (variance(&means), error, se)
}
