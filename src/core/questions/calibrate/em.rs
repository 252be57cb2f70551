//! The fit: expectation and maximisation (Bock and Aitkin 1981), with leaps along the way
//! (Varadhan and Roland 2008).

use crate::Poll;
use crate::questions::calibrate::answers::Answers;
use crate::questions::calibrate::calibrated::Run;
use crate::questions::calibrate::settings::Settings;

/// Abilities are looked at up to so many standard deviations.
const REACH: f64 = 6.0;
/// The steepest slope that can be distinguished: over the spacing of 61 nodes the chance rises from
/// .12 to .88.
pub const MAX_SLOPE: f64 = 10.0;
/// Mean and standard deviation of slopes and of intercepts under the prior.
const PRIOR: [(f64, f64); 2] = [(1.0, 1.0), (0.0, 2.0)];
/// Newton's method for one item: steps, and the smallest one.
const NEWTON_STEPS: usize = 30;
const NEWTON_TOLERANCE: f64 = 1e-11;

/// Per item its slope and its intercept.
pub type Parameters = Vec<[f64; 2]>;

/// The fitted model.
pub struct Fit {
    pub parameters: Parameters,
    pub run: Run,
}

/// The answers, the scale of ability, and the tables of the parameters at hand.
pub struct Model<'a> {
    pub answers: &'a Answers,
    pub poll: Poll<'a>,
    pub theta: Vec<f64>,
    /// Logarithms of the standard normal density at the nodes, which add up to 1.
    log_weights: Vec<f64>,
    prior: bool,
    /// Per code and node the logarithm of the answer's probability.
    table: Vec<f64>,
    /// Per code and node how many students of that ability are expected to have answered so.
    expected: Vec<f64>,
}

impl<'a> Model<'a> {
    pub fn new(answers: &'a Answers, settings: &Settings, poll: Poll<'a>) -> Self {
        let last = settings.nodes as f64 - 1.0;
        let theta: Vec<f64> = (0..settings.nodes)
            .map(|node| REACH * (2.0 * node as f64 / last - 1.0))
            .collect();
        let density = |theta: &f64| (-theta * theta / 2.0).exp();
        let total: f64 = theta.iter().map(density).sum();
        let log_weights = theta.iter().map(|ability| (density(ability) / total).ln());
        let cells = 2 * answers.items.len() * theta.len();
        Self {
            answers,
            poll,
            log_weights: log_weights.collect(),
            theta,
            prior: settings.prior,
            table: vec![0.0; cells],
            expected: vec![0.0; cells],
        }
    }

    /// The likeliest parameters. Two plain steps show where the path leads, and a leap goes
    /// there; where that is worse, the plain steps stand.
    pub fn fit(&mut self, settings: &Settings) -> Fit {
        let mut path = vec![self.start()];
        let mut leap: Option<Parameters> = None;
        let (mut iterations, mut converged, mut reached) = (0, false, f64::NEG_INFINITY);
        while iterations < settings.max_iterations && !converged {
            iterations += 1;
            let from = leap.as_ref().unwrap_or(&path[path.len() - 1]).clone();
            let value = self.expectation(&from) + self.log_prior(&from);
            if leap.take().is_some() {
                let last = path.remove(2);
                path.clear();
                // The path had reached this before its last step.
                if value < reached || !value.is_finite() {
                    path.push(last);
                    continue;
                }
            }
            let to = self.maximize(&from);
            let moves = from.iter().flatten().zip(to.iter().flatten());
            let furthest = moves.map(|(from, to)| (to - from).abs());
            converged = furthest.fold(0.0, f64::max) <= settings.tolerance;
            reached = value;
            path.push(to);
            if path.len() == 3 {
                leap = Some(extrapolate(&path));
            }
        }
        let parameters = path.swap_remove(path.len() - 1);
        let log_likelihood = self.expectation(&parameters);
        Fit {
            parameters,
            run: Run {
                converged,
                iterations,
                log_likelihood,
            },
        }
    }

    /// All slopes 1, and intercepts by the share of right answers.
    fn start(&self) -> Parameters {
        let mut counts = vec![[0.5; 2]; self.answers.items.len()];
        for student in self.answers.students() {
            for &code in self.answers.of(student) {
                counts[code as usize / 2][code as usize % 2] += 1.0;
            }
        }
        let logit = |[wrong, right]: [f64; 2]| (right / wrong).ln();
        counts
            .into_iter()
            .map(|answers| [1.0, logit(answers)])
            .collect()
    }

    /// Counts the students expected at each node, and returns the log-likelihood.
    fn expectation(&mut self, parameters: &[[f64; 2]]) -> f64 {
        let nodes = self.theta.len();
        for (rows, [a, d]) in self.table.chunks_exact_mut(2 * nodes).zip(parameters) {
            let (wrong, right) = rows.split_at_mut(nodes);
            for ((wrong, right), theta) in wrong.iter_mut().zip(right).zip(&self.theta) {
                let z = a * theta + d;
                let log = (-z.abs()).exp().ln_1p();
                *right = z.min(0.0) - log;
                *wrong = (-z).min(0.0) - log;
            }
        }
        let mut expected = std::mem::take(&mut self.expected);
        expected.fill(0.0);
        let mut posterior = vec![0.0; nodes];
        let mut log_likelihood = 0.0;
        for student in self.answers.students() {
            log_likelihood += self.posterior(student, &mut posterior);
            for &code in self.answers.of(student) {
                let row = &mut expected[code as usize * nodes..][..nodes];
                for (sum, share) in row.iter_mut().zip(&posterior) {
                    *sum += share;
                }
            }
            (self.poll)();
        }
        self.expected = expected;
        log_likelihood
    }

    /// The distribution of a student's ability given the answers, and the logarithm of their
    /// probability.
    pub fn posterior(&self, student: usize, posterior: &mut [f64]) -> f64 {
        let nodes = posterior.len();
        posterior.copy_from_slice(&self.log_weights);
        for &code in self.answers.of(student) {
            let row = &self.table[code as usize * nodes..][..nodes];
            for (sum, log) in posterior.iter_mut().zip(row) {
                *sum += log;
            }
        }
        let highest = posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for share in posterior.iter_mut() {
            *share = (*share - highest).exp();
            total += *share;
        }
        for share in posterior.iter_mut() {
            *share /= total;
        }
        highest + total.ln()
    }

    /// The likeliest parameters if the expected counts were the real ones. Each component is
    /// turned so that its mean slope is positive: which end of the scale is up is a convention,
    /// and turning a whole component changes no probability.
    fn maximize(&self, from: &[[f64; 2]]) -> Parameters {
        let mut to: Parameters = from
            .iter()
            .enumerate()
            .map(|(item, &parameters)| {
                (self.poll)();
                self.climb(item, parameters)
            })
            .collect();
        let components = &self.answers.components;
        let count = components.iter().max().map_or(0, |last| *last as usize + 1);
        let mut slopes = vec![0.0; count];
        for (&component, [a, _]) in components.iter().zip(&to) {
            slopes[component as usize] += a;
        }
        for (&component, [a, _]) in components.iter().zip(&mut to) {
            if slopes[component as usize] < 0.0 {
                *a = -*a;
            }
        }
        to
    }

    /// Newton's method for one item: a logistic regression, whose likelihood has one summit.
    fn climb(&self, item: usize, mut at: [f64; 2]) -> [f64; 2] {
        let mut here = self.slope_of(item, at);
        for _ in 0..NEWTON_STEPS {
            let [mut step_a, mut step_d] = here.newton_step();
            let a = (at[0] + step_a).clamp(-MAX_SLOPE, MAX_SLOPE);
            if a != at[0] + step_a {
                // At the bound the intercept moves alone.
                step_a = a - at[0];
                step_d = (here.gradient[1] - here.information.ad * step_a) / here.information.dd;
            }
            let mut share = 1.0;
            let next = loop {
                let next = [at[0] + share * step_a, at[1] + share * step_d];
                let there = self.slope_of(item, next);
                if there.value >= here.value {
                    break Some((next, there));
                }
                share /= 2.0;
                if share < NEWTON_TOLERANCE {
                    break None;
                }
            };
            let Some((next, there)) = next else {
                break;
            };
            (at, here) = (next, there);
            if step_a.abs().max(step_d.abs()) < NEWTON_TOLERANCE {
                break;
            }
        }
        at
    }

    /// The expected log-likelihood of one item, with the prior, its gradient and information.
    fn slope_of(&self, item: usize, [a, d]: [f64; 2]) -> Slope {
        let nodes = self.theta.len();
        let counts = &self.expected[2 * item * nodes..][..2 * nodes];
        let (wrong, right) = counts.split_at(nodes);
        let mut slope = Slope::default();
        for ((wrong, right), theta) in wrong.iter().zip(right).zip(&self.theta) {
            let n = wrong + right;
            let z = a * theta + d;
            let tail = (-z.abs()).exp();
            let p = if z < 0.0 { tail } else { 1.0 } / (1.0 + tail);
            slope.value += right * z - n * (z.max(0.0) + tail.ln_1p());
            let excess = right - n * p;
            slope.gradient[0] += excess * theta;
            slope.gradient[1] += excess;
            let weight = n * tail / ((1.0 + tail) * (1.0 + tail));
            slope.information.aa += weight * theta * theta;
            slope.information.ad += weight * theta;
            slope.information.dd += weight;
        }
        let [prior_a, prior_d] = self.prior_precision();
        slope.value += self.log_prior(&[[a, d]]);
        slope.gradient[0] -= prior_a * (a - PRIOR[0].0);
        slope.gradient[1] -= prior_d * (d - PRIOR[1].0);
        slope.information.aa += prior_a;
        slope.information.dd += prior_d;
        slope
    }

    /// What would be known of an item if abilities were, with the prior.
    pub fn complete_information(&self, item: usize, at: [f64; 2]) -> Information {
        self.slope_of(item, at).information
    }

    fn prior_precision(&self) -> [f64; 2] {
        PRIOR.map(|(_, sd)| if self.prior { 1.0 / (sd * sd) } else { 0.0 })
    }

    /// The logarithm of the prior density, but for a constant.
    fn log_prior(&self, parameters: &[[f64; 2]]) -> f64 {
        let precision = self.prior_precision();
        let distance = |at: usize, value: f64| precision[at] * (value - PRIOR[at].0).powi(2);
        let distances = parameters
            .iter()
            .map(|pair| distance(0, pair[0]) + distance(1, pair[1]));
        -distances.sum::<f64>() / 2.0
    }
}

/// The second derivatives of one item's log-likelihood, with the sign changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Information {
    pub aa: f64,
    pub ad: f64,
    pub dd: f64,
}

/// The expected log-likelihood of one item at a point.
#[derive(Debug, Clone, Copy, Default)]
struct Slope {
    value: f64,
    gradient: [f64; 2],
    information: Information,
}

impl Slope {
    /// To the summit of the parabola; no step where the information has run dry.
    fn newton_step(&self) -> [f64; 2] {
        let Information { aa, ad, dd } = self.information;
        let determinant = aa * dd - ad * ad;
        let [a, d] = self.gradient;
        let step = [
            (dd * a - ad * d) / determinant,
            (aa * d - ad * a) / determinant,
        ];
        match step {
            [a, d] if a.is_finite() && d.is_finite() => step,
            _ => [0.0, 0.0],
        }
    }
}

/// Where two steps lead: scheme S3 of Varadhan and Roland (2008).
fn extrapolate(path: &[Parameters]) -> Parameters {
    let difference = |a: &[[f64; 2]], b: &[[f64; 2]]| -> Vec<f64> {
        let pairs = a.iter().flatten().zip(b.iter().flatten());
        pairs.map(|(a, b)| b - a).collect()
    };
    let first = difference(&path[0], &path[1]);
    let second = difference(&path[1], &path[2]);
    let bend: Vec<f64> = first.iter().zip(&second).map(|(r, s)| s - r).collect();
    let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let stride = length(&first) / length(&bend);
    // Not shorter than the two steps themselves.
    let stride = if stride > 1.0 { stride } else { 1.0 };
    let moves = first.iter().zip(&bend);
    let moves: Vec<f64> = moves
        .map(|(r, v)| 2.0 * stride * r + stride * stride * v)
        .collect();
    let places = path[0].iter().zip(moves.chunks_exact(2));
    places
        .map(|([a, d], moved)| {
            let a = (a + moved[0]).clamp(-MAX_SLOPE, MAX_SLOPE);
            [a, d + moved[1]]
        })
        .collect()
}
