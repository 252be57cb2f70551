//! Two-parameter logistic calibration: how steeply the chance of a right answer rises with ability,
//! and where it is one half. A second opinion on questions beside the correlations of
//! [`crate::item`], for answers that are right or wrong.
//!
//! `P(right) = 1 / (1 + exp(-(a θ + d)))` with the discrimination `a` and the difficulty
//! `b = -d / a` (Birnbaum 1968), and abilities `θ` that are standard normal. The parameters are
//! those that make the answers likeliest with abilities integrated out (Bock and Aitkin 1981).

mod answers;
mod em;
mod information;

use std::ops::RangeInclusive;

use crate::Poll;
use crate::distribution::normal_quantile;
use crate::domain::positive;
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::memory;
use crate::options::Options;

use answers::{Answers, Tally, tallies};
use em::{Fit, Model};
use information::Covariance;

/// Steeper than this and a discrimination is a sign of questions that depend on each other, or of
/// too few answers, rather than of quality.
const STEEP: f64 = 4.0;
/// Fewest questions, linked by common students, of which two parameters each can be told: two have
/// three free counts for four parameters.
const LEAST_LINKED: usize = 3;

/// How the model is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Points on the scale of ability, equally spaced from -6 to 6.
    pub nodes: u64,
    /// Steps after which the fit gives up.
    pub max_iterations: u64,
    /// The fit has converged when a step moves no parameter by more than this.
    pub tolerance: f64,
    /// Draw the parameters to likely values: `a ~ N(1, 1)`, `d ~ N(0, 2²)`.
    pub prior: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: 61,
            max_iterations: 500,
            tolerance: 1e-6,
            prior: true,
        }
    }
}

impl Settings {
    /// Refuses what cannot be computed with.
    pub fn check(&self) -> Result<()> {
        let within = |name, value: u64, range: RangeInclusive<u64>, expected| {
            if range.contains(&value) {
                return Ok(());
            }
            let value = value.to_string();
            Err(Error::Argument {
                name,
                value,
                expected,
            })
        };
        // With fewer than 11 the spacing exceeds the spread of abilities; tables grow with them.
        let nodes = "an integer from 11 to 201";
        within("nodes", self.nodes, 11..=201, nodes)?;
        let iterations = "an integer from 1 to 100000";
        within(
            "max_iterations",
            self.max_iterations,
            1..=100_000,
            iterations,
        )?;
        positive("tolerance", self.tolerance)
    }
}

/// What is said of a question. The order is that of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CalibrationStatus {
    /// The abler answer it wrong more often: its discrimination is below zero.
    Negative,
    /// Its discrimination is above 4: too good to be true.
    Steep,
    /// Some score is neither 0 nor 1, or has no upper bound.
    NotBinary,
    /// All answers are right, or all are wrong.
    NoVariance,
    /// Too few answers, or too few questions that common students link it to.
    Insufficient,
    /// It has its two parameters.
    Calibrated,
}

impl CalibrationStatus {
    /// The label in `calibrate`.
    pub fn label(self) -> &'static str {
        match self {
            CalibrationStatus::Negative => "negative",
            CalibrationStatus::Steep => "steep",
            CalibrationStatus::NotBinary => "not_binary",
            CalibrationStatus::NoVariance => "no_variance",
            CalibrationStatus::Insufficient => "insufficient",
            CalibrationStatus::Calibrated => "calibrated",
        }
    }

    /// 1 for what to review first.
    pub fn rank(self) -> i32 {
        self as i32 + 1
    }
}

/// A figure, and what is known of its error; none where that cannot be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub error: Option<ErrorOf>,
}

/// The error of an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorOf {
    pub se: f64,
    pub ci_low: f64,
    pub ci_high: f64,
}

impl Estimate {
    /// With an interval that reaches `deviate` standard errors to either side.
    fn new(value: f64, variance: Option<f64>, deviate: f64) -> Option<Self> {
        let error = variance.map(f64::sqrt).map(|se| ErrorOf {
            se,
            ci_low: value - deviate * se,
            ci_high: value + deviate * se,
        });
        let error = error.filter(|own| (own.ci_high - own.ci_low).is_finite());
        value.is_finite().then_some(Self { value, error })
    }
}

/// All that is known of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedItem {
    /// The number in the gradebook.
    pub item: u32,
    /// Answers that count, also several of one student in different assessments.
    pub n: u64,
    /// Mean score; none on a scale without an upper bound.
    pub facility: Option<f64>,
    /// The slope `a`.
    pub discrimination: Option<Estimate>,
    /// The ability `b` at which half of the answers are right; none where the slope is 0.
    pub difficulty: Option<Estimate>,
    /// Which items it can be compared with: common students link those of one component. 1 is the
    /// largest.
    pub component: Option<u32>,
    pub status: CalibrationStatus,
}

/// What is known of the fit as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    pub converged: bool,
    /// Steps taken.
    pub iterations: u64,
    /// The logarithm of the probability of all answers to calibrated items, without the prior.
    pub log_likelihood: f64,
}

/// The items with a response as of the date, in the gradebook's order, and what is known of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub items: Vec<CalibratedItem>,
    /// None where there was nothing to fit.
    pub run: Option<Run>,
    /// What to keep in mind of the figures, in sentences.
    pub warnings: Option<String>,
}

/// Calibrates the items of a ledger.
pub fn calibrate(
    ledger: Ledger,
    options: &Options,
    settings: &Settings,
    poll: Poll<'_>,
) -> Result<Calibration> {
    let tallies = tallies(&ledger);
    let answers = Answers::gather(&ledger, &tallies, options.min_answers, poll);
    drop(ledger);
    // The two tables of an answer's probability and of who gave it, and the information of all items
    // that are linked.
    let cells = 2 * answers.items.len() * settings.nodes as usize;
    let rows = 2 * answers.largest_component().min(information::MAX_LINKED);
    memory::ask(size_of::<f64>() * (2 * cells + rows * rows))?;
    let mut model = Model::new(&answers, settings, poll);
    let fit = (!answers.items.is_empty()).then(|| model.fit(settings));
    let covariances = match &fit {
        Some(fit) if fit.run.converged => information::covariances(&model, &fit.parameters),
        _ => vec![None; answers.items.len()],
    };
    let mut items: Vec<CalibratedItem> = (0..)
        .zip(&tallies)
        .map(|(item, tally)| uncalibrated(item, tally))
        .collect();
    if let Some(fit) = &fit {
        let deviate = normal_quantile(0.5 + options.confidence / 2.0);
        for (at, &item) in answers.items.iter().enumerate() {
            let item = &mut items[item as usize];
            item.component = Some(answers.components[at] + 1);
            fill(item, fit.parameters[at], covariances[at], deviate);
        }
    }
    items.retain(|item| item.n > 0);
    let warnings = warnings(&items, fit.as_ref(), &answers, &covariances);
    Ok(Calibration {
        items,
        run: fit.map(|fit| fit.run),
        warnings,
    })
}

/// An item as it is before it is calibrated, or if it cannot be.
fn uncalibrated(item: u32, tally: &Tally) -> CalibratedItem {
    CalibratedItem {
        item,
        n: tally.n,
        facility: (!tally.unbounded && tally.n > 0).then(|| tally.sum / tally.n as f64),
        discrimination: None,
        difficulty: None,
        component: None,
        status: match tally {
            own if !own.binary() => CalibrationStatus::NotBinary,
            own if own.varies() || own.n < 2 => CalibrationStatus::Insufficient,
            _ => CalibrationStatus::NoVariance,
        },
    }
}

/// Writes down slope `a` and intercept `d`, as discrimination and difficulty, whose error is that
/// of the delta method.
fn fill(item: &mut CalibratedItem, [a, d]: [f64; 2], covariance: Option<Covariance>, deviate: f64) {
    let b = 0.0 - d / a;
    let of_b = |own: Covariance| (own.dd + b * b * own.aa + 2.0 * b * own.ad).max(0.0) / (a * a);
    item.discrimination = Estimate::new(a, covariance.map(|own| own.aa), deviate);
    item.difficulty = Estimate::new(b, covariance.map(of_b), deviate);
    item.status = if a < 0.0 {
        CalibrationStatus::Negative
    } else if a > STEEP {
        CalibrationStatus::Steep
    } else {
        CalibrationStatus::Calibrated
    };
}

/// What whoever reads the figures has to know; none where there is nothing.
fn warnings(
    items: &[CalibratedItem],
    fit: Option<&Fit>,
    answers: &Answers,
    covariances: &[Option<Covariance>],
) -> Option<String> {
    let mut told = Vec::new();
    let Some(fit) = fit else {
        let nothing = "Fewer than three questions with right and wrong answers are linked by \
                       common students: nothing can be calibrated.";
        return (!items.is_empty()).then(|| nothing.to_owned());
    };
    if !fit.run.converged {
        told.push(format!(
            "The fit did not converge in {} iterations: figures are preliminary, and their errors \
             are not told.",
            fit.run.iterations
        ));
    }
    let components = answers.components.iter().max().map_or(0, |last| last + 1);
    if components > 1 {
        told.push(format!(
            "No common students link the {components} components: figures of different components \
             are on different scales."
        ));
    }
    let steep = items.iter().map(|item| item.status);
    let steep = steep.filter(|&own| own == CalibrationStatus::Steep).count();
    if steep > 0 {
        told.push(format!(
            "Questions with a discrimination above {STEEP}: {steep}; they may depend on each other \
             or have too few answers."
        ));
    }
    if fit.run.converged && covariances.iter().any(Option::is_none) {
        told.push("Some errors are not told: the answers do not determine the figures.".to_owned());
    }
    if answers.largest_component() > information::MAX_LINKED {
        told.push(format!(
            "More than {} questions are linked: errors are those of each question as if the \
             others' figures were known, and a few per cent too small.",
            information::MAX_LINKED
        ));
    }
    (!told.is_empty()).then(|| told.join(" "))
}
