//! The additive fit `score = ability + effect` of one number per student and one per item.
//!
//! Abilities are eliminated and the normal equations of the items solved by conjugate gradients, with
//! their diagonal as preconditioner (Hestenes and Stiefel 1952): the same answer as alternating
//! means, in a few passes over the responses also where few items link two groups.

use std::ops::Range;

use log::debug;

use crate::Poll;
use crate::questions::linked::Linked;

/// Passes after which the fit is used as it stands.
const MAX_PASSES: usize = 200;
/// Largest mean residual of an item that is left over, in parts of the score scale.
const TOLERANCE: f64 = 1e-11;

/// Who answered what, and how well.
pub struct Answers<'a> {
    /// Per response: its item, by its number.
    pub items: &'a [u32],
    /// Per response: its score.
    pub scores: &'a [f64],
    pub item_count: usize,
    pub students: usize,
    /// Numbers of the responses of a student.
    pub responses_of: &'a dyn Fn(usize) -> Range<usize>,
}

/// The normal equations `(D - N' S^-1 N) effect = b` of the items, where `D` counts the answers per
/// item, `S` per student, `N` says who answered what and `b` sums each item's distances from its
/// students' means.
pub struct NormalEquations<'a> {
    answers: Answers<'a>,
    /// Per item: its answers.
    count: Vec<f64>,
    /// Per item: the sum of its distances.
    distances: Vec<f64>,
    /// Per item: the diagonal, its answers less the share that each is of its student's.
    pub information: Vec<f64>,
    /// Per item: the lowest number of the items that students link with it.
    group: Vec<u32>,
    /// Students with an answer.
    pub students: usize,
    /// Sum of squares about the students' means.
    pub squares: f64,
    /// Whether a student answered an item more than once.
    pub has_repeats: bool,
}

impl<'a> NormalEquations<'a> {
    /// Adds up every response.
    pub fn new(answers: Answers<'a>, poll: Poll<'_>) -> Self {
        let items = answers.item_count;
        let mut own = Self {
            answers,
            count: vec![0.0; items],
            distances: vec![0.0; items],
            information: vec![0.0; items],
            group: Vec::new(),
            students: 0,
            squares: 0.0,
            has_repeats: false,
        };
        let mut linked = Linked::none_of(items);
        let mut seen = vec![u32::MAX; items];
        for student in 0..own.answers.students {
            poll();
            own.add(student, &mut linked, &mut seen);
        }
        own.group = linked.roots();
        own
    }

    /// `seen` is the last student with an answer to each item.
    fn add(&mut self, student: usize, linked: &mut Linked, seen: &mut [u32]) {
        let responses = (self.answers.responses_of)(student);
        let items = &self.answers.items[responses.clone()];
        let scores = &self.answers.scores[responses];
        let Some(&first) = items.first() else {
            return;
        };
        self.students += 1;
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let others = 1.0 - 1.0 / scores.len() as f64;
        let mut root = linked.root_of(first);
        let mut repeats = false;
        for (&item, &score) in items.iter().zip(scores) {
            let at = item as usize;
            repeats |= seen[at] == student as u32;
            seen[at] = student as u32;
            self.count[at] += 1.0;
            self.distances[at] += score - mean;
            self.squares += (score - mean).powi(2);
            self.information[at] += others;
            root = linked.link(root, item);
        }
        if repeats {
            self.has_repeats = true;
            self.take_repeats(items);
        }
    }

    /// Each answer of a student is also part of the mean that the student's other answers to the same
    /// item are measured from.
    fn take_repeats(&mut self, items: &[u32]) {
        let mut ordered = items.to_vec();
        ordered.sort_unstable();
        for own in ordered.chunk_by(|a, b| a == b) {
            let pairs = (own.len() * (own.len() - 1)) as f64;
            self.information[own[0] as usize] -= pairs / items.len() as f64;
        }
    }

    /// How many effects the answers can distinguish: items with an answer, less one for each group
    /// of items that students link.
    pub fn rank(&self) -> usize {
        let answered = (0..self.count.len()).filter(|&item| self.count[item] > 0.0);
        answered
            .filter(|&item| self.group[item] as usize != item)
            .count()
    }

    /// The solution with a ridge, from that without.
    pub fn draw_in(&self, ridge: f64, mut plain: Vec<f64>, poll: Poll<'_>) -> Vec<f64> {
        for (effect, information) in plain.iter_mut().zip(&self.information) {
            *effect *= information / (information + ridge);
        }
        self.solve(ridge, plain, poll)
    }

    /// Solves them with `ridge` added to the diagonal, from effects that are near the solution.
    /// Over every linked group the solution has a weighted mean of 0 where there is no ridge and the
    /// start has.
    pub fn solve(&self, ridge: f64, start: Vec<f64>, poll: Poll<'_>) -> Vec<f64> {
        let items = start.len();
        let mut effect = start;
        let mut residual = self.distances.clone();
        if effect.iter().any(|&effect| effect != 0.0) {
            let image = self.apply(ridge, &effect, poll);
            residual
                .iter_mut()
                .zip(image)
                .for_each(|(r, image)| *r -= image);
        }
        let precondition = |residual: &[f64]| -> Vec<f64> {
            let scaled = |(r, n): (&f64, &f64)| if *n > 0.0 { r / (n + ridge) } else { 0.0 };
            residual.iter().zip(&self.count).map(scaled).collect()
        };
        let mut scaled = precondition(&residual);
        let mut direction = scaled.clone();
        let mut energy = dot(&residual, &scaled);
        let mut passes = 0;
        while passes < MAX_PASSES {
            if scaled.iter().all(|r| r.abs() <= TOLERANCE) {
                break;
            }
            let image = self.apply(ridge, &direction, poll);
            passes += 1;
            let curvature = dot(&direction, &image);
            if curvature <= 0.0 || !curvature.is_finite() {
                break;
            }
            let step = energy / curvature;
            for at in 0..items {
                effect[at] += step * direction[at];
                residual[at] -= step * image[at];
            }
            scaled = precondition(&residual);
            let next = dot(&residual, &scaled);
            let turn = next / energy;
            energy = next;
            for (d, r) in direction.iter_mut().zip(&scaled) {
                *d = r + turn * *d;
            }
        }
        debug!("fitted the difficulty of {items} questions in {passes} passes");
        effect
    }

    /// One pass: what the responses, and the ridge, make of `direction`.
    fn apply(&self, ridge: f64, direction: &[f64], poll: Poll<'_>) -> Vec<f64> {
        let mut image: Vec<f64> = direction.iter().map(|d| ridge * d).collect();
        for student in 0..self.answers.students {
            poll();
            let items = &self.answers.items[(self.answers.responses_of)(student)];
            if items.is_empty() {
                continue;
            }
            let sum: f64 = items.iter().map(|&item| direction[item as usize]).sum();
            let mean = sum / items.len() as f64;
            for &item in items {
                image[item as usize] += direction[item as usize] - mean;
            }
        }
        image
    }

    /// Moves effects to a mean of 0 over the answers of every linked group, so that levels stay on
    /// the scale of plain scores.
    pub fn centre(&self, effect: &mut [f64]) {
        let mut sums = vec![(0.0, 0.0); effect.len()];
        for (at, n) in self.count.iter().enumerate() {
            let (sum, answers) = &mut sums[self.group[at] as usize];
            *sum += n * effect[at];
            *answers += n;
        }
        for (at, effect) in effect.iter_mut().enumerate() {
            let (sum, answers) = sums[self.group[at] as usize];
            if answers > 0.0 {
                *effect -= sum / answers;
            }
        }
    }
}

/// The effects of least squares.
pub fn effects(answers: Answers<'_>, poll: Poll<'_>) -> Vec<f64> {
    let start = vec![0.0; answers.item_count];
    NormalEquations::new(answers, poll).solve(0.0, start, poll)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
