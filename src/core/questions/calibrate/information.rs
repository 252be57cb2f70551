//! How sure the parameters are: the inverse of the observed information, which is what would be
//! known with abilities known, less what is lost as they are not (Louis 1982).

use crate::Poll;
use crate::questions::calibrate::em::{MAX_SLOPE, Model};

/// Up to so many linked items the information of all their parameters is inverted as a whole: 16 MB
/// of it. Beyond, each item is taken as if the others were known.
pub const MAX_LINKED: usize = 1000;
/// Nodes at which a student is less likely to be than this are skipped.
const LEAST_SHARE: f64 = 1e-9;
/// A parameter is not determined when this share of what is known of it alone, or less, is left
/// with the others unknown.
const LEAST_LEFT: f64 = 1e-10;

/// Numbers that a processor takes at once.
const LANES: usize = 8;

/// Variances and covariance of a slope and an intercept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Covariance {
    pub aa: f64,
    pub ad: f64,
    pub dd: f64,
}

/// The covariance of each item's parameters; none where the answers do not determine those of its
/// component, or its slope is at the bound. The model is as the fit left it.
pub fn covariances(model: &Model<'_>, parameters: &[[f64; 2]]) -> Vec<Option<Covariance>> {
    let answers = model.answers;
    let mut covariances = vec![None; parameters.len()];
    let mut items: Vec<usize> = (0..parameters.len())
        .filter(|&item| parameters[item][0].abs() < MAX_SLOPE)
        .collect();
    items.sort_by_key(|&item| answers.components[item]);
    let mut students: Vec<usize> = answers.students().collect();
    students.sort_by_key(|&student| answers.component_of(student));
    let mut students = &students[..];
    for items in items.chunk_by(|&a, &b| answers.components[a] == answers.components[b]) {
        let component = answers.components[items[0]];
        let first = students.partition_point(|&student| answers.component_of(student) < component);
        let last = students.partition_point(|&student| answers.component_of(student) <= component);
        let members = &students[first..last];
        students = &students[last..];
        let size = if items.len() <= MAX_LINKED {
            items.len()
        } else {
            1
        };
        let mut information = Blocks::new(items, size, parameters.len());
        for &item in items {
            let known = model.complete_information(item, parameters[item]);
            let Some([a, d]) = information.rows_of(item) else {
                continue;
            };
            let (first, fields) = information.row(a);
            fields[a - first] += known.aa;
            let (first, fields) = information.row(d);
            fields[a - first] += known.ad;
            fields[d - first] += known.dd;
        }
        take_out_lost(&mut information, model, members, parameters);
        for (block, items) in information
            .values
            .chunks_mut(triangle(2 * size))
            .zip(items.chunks(size))
        {
            let inverse = diagonal_of_inverse(block, 2 * items.len(), model.poll);
            for (&item, covariance) in items.iter().zip(inverse.into_iter().flatten()) {
                covariances[item] = Some(covariance);
            }
        }
    }
    covariances
}

/// Symmetric matrices of equal size along a diagonal, of each the lower triangle, row by row. Two
/// rows for each item.
struct Blocks {
    /// Rows of one matrix.
    size: usize,
    /// Per item of the model its first row; none if it has none.
    rows: Vec<Option<usize>>,
    values: Vec<f64>,
}

impl Blocks {
    /// For `items`, so many of which share a matrix, out of all `count`.
    fn new(items: &[usize], shared: usize, count: usize) -> Self {
        let mut rows = vec![None; count];
        for (place, &item) in items.iter().enumerate() {
            rows[item] = Some(2 * place);
        }
        let size = 2 * shared;
        Self {
            size,
            rows,
            values: vec![0.0; triangle(size) * (items.len() / shared)],
        }
    }

    /// The rows of an item's slope and intercept.
    fn rows_of(&self, item: usize) -> Option<[usize; 2]> {
        self.rows[item].map(|row| [row, row + 1])
    }

    /// The first column of a row, and its fields from there to the diagonal.
    fn row(&mut self, row: usize) -> (usize, &mut [f64]) {
        let (block, within) = (row / self.size, row % self.size);
        let start = block * triangle(self.size) + triangle(within);
        (row - within, &mut self.values[start..=start + within])
    }
}

/// Fields of a triangle before its row `row`.
fn triangle(row: usize) -> usize {
    row * (row + 1) / 2
}

/// What is lost as abilities are not known: for each student the covariance, over the abilities
/// they may have, of the derivatives of their log-likelihood.
fn take_out_lost(
    information: &mut Blocks,
    model: &Model<'_>,
    students: &[usize],
    parameters: &[[f64; 2]],
) {
    let mut posterior = vec![0.0; model.theta.len()];
    // The student's rows, and for each the derivatives about their mean, times the root of the
    // share of the node, filled up with zeros to whole lanes.
    let (mut rows, mut derivatives) = (Vec::new(), Vec::new());
    for &student in students {
        model.posterior(student, &mut posterior);
        let nodes = posterior.iter().copied().zip(model.theta.iter().copied());
        let nodes: Vec<(f64, f64)> = nodes.filter(|(share, _)| *share > LEAST_SHARE).collect();
        let stride = nodes.len().max(1).next_multiple_of(LANES);
        rows.clear();
        derivatives.clear();
        let mut push = |row: usize, derivative: &dyn Fn(f64) -> f64| {
            let parts = nodes
                .iter()
                .map(|(share, theta)| share * derivative(*theta));
            let mean: f64 = parts.sum();
            let start = derivatives.len();
            derivatives.extend(
                nodes
                    .iter()
                    .map(|(share, theta)| share.sqrt() * (derivative(*theta) - mean)),
            );
            derivatives.resize(start + stride, 0.0);
            rows.push(row);
        };
        for answers in model.answers.of(student).chunk_by(|a, b| a / 2 == b / 2) {
            let item = answers[0] as usize / 2;
            let Some([row_a, row_d]) = information.rows_of(item) else {
                continue;
            };
            let [a, d] = parameters[item];
            let right = answers.iter().filter(|&code| code % 2 == 1).count() as f64;
            let n = answers.len() as f64;
            let excess = |theta: f64| right - n / (1.0 + (-a * theta - d).exp());
            push(row_a, &|theta| theta * excess(theta));
            push(row_d, &excess);
        }
        for (at, derivative) in derivatives.chunks_exact(stride).enumerate() {
            let (first, fields) = information.row(rows[at]);
            let others = rows[..=at].iter().zip(derivatives.chunks_exact(stride));
            // Rows ascend: those before the first column are of other matrices.
            for (column, other) in others.rev().take_while(|(column, _)| **column >= first) {
                fields[column - first] -= dot(derivative, other);
            }
            (model.poll)();
        }
    }
}

/// The blocks of two rows along the diagonal of a matrix's inverse, by its Cholesky factor, which
/// takes the place of the matrix; none if it is not positive definite.
fn diagonal_of_inverse(matrix: &mut [f64], rows: usize, poll: Poll<'_>) -> Option<Vec<Covariance>> {
    for row in 0..rows {
        poll();
        let (above, fields) = matrix.split_at_mut(triangle(row));
        for column in 0..row {
            let other = &above[triangle(column)..][..=column];
            let sum = dot(&fields[..column], &other[..column]);
            fields[column] = (fields[column] - sum) / other[column];
        }
        let whole = fields[row];
        let left = whole - dot(&fields[..row], &fields[..row]);
        if left.is_nan() || left <= LEAST_LEFT * whole {
            return None;
        }
        fields[row] = left.sqrt();
    }
    // A column of the factor's inverse, from the diagonal on.
    let column_of_inverse = |column: usize| {
        let mut inverse = Vec::with_capacity(rows - column);
        for row in column..rows {
            let fields = &matrix[triangle(row) + column..][..=row - column];
            let (before, pivot) = fields.split_at(row - column);
            let unit = if row == column { 1.0 } else { 0.0 };
            inverse.push((unit - dot(before, &inverse)) / pivot[0]);
        }
        inverse
    };
    let blocks = (0..rows).step_by(2).map(|row| {
        poll();
        let (a, d) = (column_of_inverse(row), column_of_inverse(row + 1));
        Covariance {
            aa: dot(&a, &a),
            ad: dot(&a[1..], &d),
            dd: dot(&d, &d),
        }
    });
    Some(blocks.collect())
}

/// The sum of products, in lanes.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (lefts, rights) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest = lefts.remainder().iter().zip(rights.remainder());
    let rest: f64 = rest.map(|(l, r)| l * r).sum();
    for (left, right) in lefts.zip(rights) {
        for ((lane, l), r) in lanes.iter_mut().zip(left).zip(right) {
            *lane += l * r;
        }
    }
    lanes.iter().sum::<f64>() + rest
}
