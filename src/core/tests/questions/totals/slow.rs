//! Against a slow and obvious search: every item against every set of others, by the textbook's
//! line. What is found adds up some set; what adds up all questions is found.

use std::collections::BTreeSet;

use pg_assess_test_support::mean;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Sheet, sum, totals};

/// A column of scores on a scale of 1, with its name and its maximum.
type Column = (String, f64, Vec<Option<f64>>);

fn columns(sheet: &Sheet) -> Vec<Column> {
    let questions = sheet.maxima.iter().enumerate().map(|(at, &max)| {
        let scores = sheet
            .students
            .iter()
            .map(|points| points[at].map(|p| p / max));
        (format!("q{at}"), max, scores.collect())
    });
    let computed = sheet.columns.iter().map(|(name, max, points)| {
        let scores = points.iter().map(|points| points.map(|p| p / max));
        ((*name).to_owned(), *max, scores.collect())
    });
    questions.chain(computed).collect()
}

/// Intercept and slope of least squares.
fn regression(pairs: &[(f64, f64)]) -> (f64, f64) {
    let (x, y) = (
        mean(pairs.iter().map(|p| p.0)),
        mean(pairs.iter().map(|p| p.1)),
    );
    let products: f64 = pairs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let squares: f64 = pairs.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = if squares > 1e-12 {
        products / squares
    } else {
        0.0
    };
    (y - slope * x, slope)
}

fn adds_up(total: &Column, parts: &[&Column], left_out: usize) -> bool {
    let students = 0..total.2.len();
    let there = |student: usize| parts.iter().filter(move |part| part.2[student].is_some());
    let measures: [&dyn Fn(usize) -> f64; 3] = [
        &|student| mean(there(student).map(|part| part.2[student].unwrap_or(0.0))),
        &|student| {
            there(student)
                .map(|part| part.1 * part.2[student].unwrap_or(0.0))
                .sum()
        },
        &|student| {
            let points = there(student).map(|part| part.1 * part.2[student].unwrap_or(0.0));
            points.sum::<f64>() / there(student).map(|part| part.1).sum::<f64>()
        },
    ];
    let on_line = measures.iter().find_map(|measure| {
        let known = students.clone().filter(|&s| there(s).count() >= 3);
        let pairs = known.filter_map(|s| Some((s, measure(s), total.2[s]?)));
        let pairs: Vec<(usize, f64, f64)> = pairs.collect();
        let of = |kept: &[(usize, f64, f64)]| {
            regression(&kept.iter().map(|(_, x, y)| (*x, *y)).collect::<Vec<_>>())
        };
        let mut kept = pairs.clone();
        for _ in 0..3 {
            let (a, b) = of(&kept);
            let mut by_distance = pairs.clone();
            by_distance.sort_by(|p, q| {
                let off = |(_, x, y): &(usize, f64, f64)| (y - a - b * x).abs();
                off(p).total_cmp(&off(q))
            });
            let frequency = |y: f64| pairs.iter().filter(|p| p.2 == y).count();
            let most = pairs.iter().map(|p| frequency(p.2)).max().unwrap_or(0);
            let off = (pairs.len() / 20).min((pairs.len() - most) / 10);
            kept = by_distance[..pairs.len() - off].to_vec();
        }
        let (a, b) = of(&kept);
        let middle = mean(kept.iter().map(|p| p.2));
        let spread = mean(kept.iter().map(|p| (p.2 - middle).powi(2))).sqrt();
        let values: BTreeSet<u64> = kept.iter().map(|p| p.2.to_bits()).collect();
        let is_line = kept.len() >= 10 + left_out
            && b > 0.0
            && spread >= 0.03
            && values.len() >= 4
            && kept.iter().all(|(_, x, y)| (y - a - b * x).abs() <= 0.0075);
        is_line.then(|| kept.iter().map(|p| p.0).collect::<BTreeSet<usize>>())
    });
    let Some(kept) = on_line else {
        return false;
    };
    let lines: Vec<(f64, f64)> = parts
        .iter()
        .map(|part| {
            let pairs = kept.iter().map(|&s| total.2[s].zip(part.2[s]));
            regression(&pairs.flatten().collect::<Vec<_>>())
        })
        .collect();
    let differs = |student: &&usize| {
        parts.iter().zip(&lines).any(|(part, (a, b))| {
            let off = |(x, y): (f64, f64)| (y - a - b * x).abs() > 0.03;
            total.2[**student].zip(part.2[**student]).is_some_and(off)
        })
    };
    kept.iter().filter(differs).count() >= 10
}

/// The names of all columns that add up some others.
fn slow_totals(sheet: &Sheet) -> BTreeSet<String> {
    let columns = columns(sheet);
    let is_total = |at: &usize| {
        let others: Vec<&Column> = (0..columns.len())
            .filter(|other| other != at)
            .map(|other| &columns[other])
            .collect();
        (0u32..1 << others.len()).any(|set| {
            let chosen = (0..others.len()).filter(|other| set >> other & 1 == 1);
            let parts: Vec<&Column> = chosen.map(|other| others[other]).collect();
            parts.len() >= 3 && adds_up(&columns[*at], &parts, others.len() - parts.len())
        })
    };
    let found = (0..columns.len()).filter(is_total);
    found.map(|at| columns[at].0.clone()).collect()
}

#[test]
fn what_is_found_adds_up_some_and_what_adds_up_all_is_found() {
    let (mut some, mut none) = (0, 0);
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let maxima: Vec<f64> = (0..rng.gen_range(3..6))
            .map(|_| f64::from(rng.gen_range(1..6)))
            .collect();
        let students = rng.gen_range(8..30);
        let gaps = if rng.gen_bool(0.3) { 0.08 } else { 0.0 };
        let mut sheet = Sheet::new(seed, students, &maxima).with_gaps(seed, gaps);
        let possible = sheet.possible();
        if rng.gen_bool(0.3) {
            sheet = sheet.with("half", possible, |_, points| {
                Some(sum(&points[..points.len() / 2 + 1]))
            });
        }
        if rng.gen_bool(0.3) {
            sheet = sheet.with("other", 10.0, |at, _| Some((3 * at % 11) as f64));
        }
        if rng.gen_bool(0.5) {
            sheet = sheet.with("total", possible, |_, points| Some(sum(points)));
        }
        if rng.gen_bool(0.5) {
            sheet = sheet.with("%", 100.0, |_, points| {
                Some((100.0 * sum(points) / possible).round())
            });
        }
        let (fast, slow) = (totals(&sheet.rows()), slow_totals(&sheet));
        some += fast.len();
        none += usize::from(slow.is_empty());
        assert!(fast.is_subset(&slow), "{seed}: {fast:?} of {slow:?}");
        let adds_up_all: BTreeSet<String> = slow
            .iter()
            .filter(|name| ["total", "%"].contains(&name.as_str()))
            .cloned()
            .collect();
        assert!(adds_up_all.is_subset(&fast), "{seed}: {fast:?} of {slow:?}");
    }
    assert!(some > 30 && none > 10, "{some} {none}");
}
