//! What is reported about calibrated questions.

use crate::labels::labels;

/// The verdict on a question. The order is that of a review.
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

labels!(CalibrationStatus {
    Negative => "negative",
    Steep => "steep",
    NotBinary => "not_binary",
    NoVariance => "no_variance",
    Insufficient => "insufficient",
    Calibrated => "calibrated",
});

/// A figure, and its error; none where that cannot be estimated.
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
    pub(super) fn new(value: f64, variance: Option<f64>, deviate: f64) -> Option<Self> {
        let error = variance.map(f64::sqrt).map(|se| ErrorOf {
            se,
            ci_low: value - deviate * se,
            ci_high: value + deviate * se,
        });
        let error = error.filter(|error| (error.ci_high - error.ci_low).is_finite());
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
    /// What to keep in mind about the figures, in sentences.
    pub warnings: Option<String>,
}
