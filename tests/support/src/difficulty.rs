//! The difficulty of items the slow way: the whole matrix of the normal equations, solved by
//! elimination.

use crate::mean;

/// An answer: student, item, score, students and items numbered from 0 without gaps.
pub type Answer = (usize, usize, f64);

/// How hard items are, and what the fit leaves over.
#[derive(Debug)]
pub struct SlowDifficulty {
    pub effect: Vec<f64>,
    /// Diagonal of the equations that were solved; none where nothing was taken from the answers.
    diagonal: Option<Vec<f64>>,
    /// Variance about the fit and of abilities; none where every answer may be due to its item.
    pub components: Option<(f64, f64)>,
}

impl SlowDifficulty {
    /// Without `adjust` all items count as equally hard.
    pub fn new(answers: &[Answer], adjust: bool) -> Self {
        let items = answers.iter().map(|answer| answer.1 + 1).max().unwrap_or(0);
        let zero = vec![0.0; items];
        if !adjust {
            let components = components(answers, &zero, None);
            return Self {
                effect: zero,
                diagonal: None,
                components,
            };
        }
        let (matrix, distances) = equations(answers, items);
        let groups = groups(answers, items);
        let count = |item: usize| answers.iter().filter(|answer| answer.1 == item).count() as f64;
        // Without a ridge they have many solutions; that with a mean of 0 in every group is one.
        let mut singular = matrix.clone();
        for i in 0..items {
            for j in (0..items).filter(|&j| groups[i] == groups[j]) {
                singular[i][j] += count(i) * count(j);
            }
        }
        let plain = solve(singular, distances.clone());
        let number = (0..items).filter(|&item| groups[item] == item).count();
        let rank = (items - number) as f64;
        let n = answers.len() as f64;
        let students = students(answers) as f64;
        let df = n - students - rank;
        if df < 1.0 {
            return Self {
                effect: zero,
                diagonal: None,
                components: None,
            };
        }
        let (squares, left) = (within(answers, &zero), within(answers, &plain));
        let residual = left / df;
        if residual <= 1e-18 {
            let components = components(answers, &plain, Some(residual));
            return Self {
                effect: plain,
                diagonal: None,
                components,
            };
        }
        let noise = (left + 8.0 * squares / (n - students)) / (df + 8.0);
        let trace: f64 = (0..items).map(|at| matrix[at][at]).sum();
        let between = (squares - left - rank * noise) / trace;
        if between.is_nan() || between <= 1e-18 {
            let components = components(answers, &zero, Some(residual));
            return Self {
                effect: zero,
                diagonal: None,
                components,
            };
        }
        let mut ridged = matrix;
        for (at, row) in ridged.iter_mut().enumerate() {
            row[at] += noise / between;
        }
        let diagonal = Some((0..items).map(|at| ridged[at][at]).collect());
        let mut effect = solve(ridged, distances);
        for group in 0..items {
            let own: Vec<usize> = (0..items).filter(|&at| groups[at] == group).collect();
            let answers: f64 = own.iter().map(|&at| count(at)).sum();
            let centre = own.iter().map(|&at| count(at) * effect[at]).sum::<f64>() / answers;
            own.iter().for_each(|&at| effect[at] -= centre);
        }
        let components = components(answers, &effect, Some(residual));
        Self {
            effect,
            diagonal,
            components,
        }
    }

    /// Of each of one student's answers, item and score: the score without what the others show of
    /// the item, and how much of an answer it counts.
    pub fn by_others(&self, own: &[(usize, f64)]) -> Vec<(f64, f64)> {
        let adjusted = |(item, score): (usize, f64)| score - self.effect[item];
        let level = mean(own.iter().copied().map(adjusted));
        let one = |&(item, score): &(usize, f64)| {
            let Some(diagonal) = &self.diagonal else {
                return (adjusted((item, score)), 1.0);
            };
            let same = own.iter().filter(|other| other.0 == item).count();
            let pull = (1.0 - same as f64 / own.len() as f64) / diagonal[item];
            let distance = adjusted((item, score)) - level;
            (level + distance / (1.0 - pull), 1.0 - pull)
        };
        own.iter().map(one).collect()
    }
}

fn students(answers: &[Answer]) -> usize {
    let mut all: Vec<usize> = answers.iter().map(|answer| answer.0).collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}

/// Per student with an answer, the scores less the effects.
fn by_student(answers: &[Answer], effect: &[f64]) -> Vec<Vec<f64>> {
    let last = answers.iter().map(|answer| answer.0).max();
    let mut all = vec![Vec::new(); last.map_or(0, |last| last + 1)];
    for &(student, item, score) in answers {
        all[student].push(score - effect[item]);
    }
    all.retain(|own| !own.is_empty());
    all
}

fn within(answers: &[Answer], effect: &[f64]) -> f64 {
    let of = |own: Vec<f64>| {
        let centre = mean(own.clone());
        own.iter().map(|x| (x - centre).powi(2)).sum::<f64>()
    };
    by_student(answers, effect).into_iter().map(of).sum()
}

/// By the moments of the one-way layout; the residual variance is what is left within students
/// unless it is known.
fn components(answers: &[Answer], effect: &[f64], residual: Option<f64>) -> Option<(f64, f64)> {
    let all = by_student(answers, effect);
    let (n, students) = (answers.len() as f64, all.len() as f64);
    let residual = match residual {
        Some(residual) => residual,
        None if n > students => within(answers, effect) / (n - students),
        None => return None,
    };
    let grand = mean(all.iter().flatten().copied());
    let (mut between, mut squares) = (0.0, 0.0);
    for own in &all {
        let k = own.len() as f64;
        between += k * (mean(own.iter().copied()) - grand).powi(2);
        squares += k * k;
    }
    let spread = n - squares / n;
    let ability = match all.len() {
        0 | 1 => 0.0,
        _ => ((between - (students - 1.0) * residual) / spread).max(0.0),
    };
    Some((residual, ability))
}

/// What each item's answers say of every other item, and the sums of their distances from their
/// students' means.
fn equations(answers: &[Answer], items: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut matrix = vec![vec![0.0; items]; items];
    let mut distances = vec![0.0; items];
    for &(student, item, score) in answers {
        let own: Vec<&Answer> = answers.iter().filter(|other| other.0 == student).collect();
        matrix[item][item] += 1.0;
        for other in &own {
            matrix[item][other.1] -= 1.0 / own.len() as f64;
        }
        distances[item] += score - mean(own.iter().map(|other| other.2));
    }
    (matrix, distances)
}

/// Per item the smallest number that students link with it.
fn groups(answers: &[Answer], items: usize) -> Vec<usize> {
    let mut group: Vec<usize> = (0..items).collect();
    for _ in 0..items {
        for a in answers {
            for b in answers.iter().filter(|b| b.0 == a.0) {
                group[a.1] = group[a.1].min(group[b.1]);
            }
        }
    }
    group
}

/// Gauss's elimination with the largest pivot.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for at in 0..n {
        let size = |row: &usize| matrix[*row][at].abs();
        let pivot = (at..n)
            .max_by(|a, b| size(a).total_cmp(&size(b)))
            .expect("a row");
        matrix.swap(at, pivot);
        right.swap(at, pivot);
        for row in at + 1..n {
            let factor = matrix[row][at] / matrix[at][at];
            let upper = matrix[at].clone();
            for (value, above) in matrix[row].iter_mut().zip(&upper).skip(at) {
                *value -= factor * above;
            }
            right[row] -= factor * right[at];
        }
    }
    for at in (0..n).rev() {
        let known: f64 = (at + 1..n)
            .map(|other| matrix[at][other] * right[other])
            .sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    right
}
