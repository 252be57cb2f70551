//! One prediction beside the outcome.

use crate::forecasts::backtest::method::{Method, Target};
use crate::statistics::distribution::{t_quantile, t_two_sided};
use crate::statistics::rounding::ROUNDING;

/// One prediction beside the outcome. Scores are measured from the mean of those with the same
/// target: nobody could know how hard it would be.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The number in the gradebook.
    pub student: u32,
    /// When the prediction was made.
    pub cut_at: i64,
    pub target: Target,
    /// The student's group on the roster at that time.
    pub group: Option<u32>,
    /// The assessment predicted; none for a mean.
    pub assessment: Option<u32>,
    /// Assessments known then.
    pub assessments: u32,
    pub observed: f64,
    /// Place among those of the date, from the lowest (near 0) to the highest (near 1).
    pub observed_rank: f64,
    /// Whether the student was among the lowest; between 0 and 1 when tied at the edge.
    pub low: f64,
    /// By method, in the order of [`Method::ALL`]; none where the method has nothing to say.
    pub predictions: [Option<Prediction>; Method::ALL.len()],
}

impl Forecast {
    /// What one method predicted.
    pub fn by(&self, method: Method) -> Option<&Prediction> {
        self.predictions[method as usize].as_ref()
    }
}

/// What one method predicted of one student.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prediction {
    /// None for the help list, which is an order.
    pub value: Option<f64>,
    /// Place among those of the date, as that of what was observed.
    pub rank: f64,
    /// Whether the method would have named the student; between 0 and 1 when tied at the edge.
    pub flagged: f64,
    /// How far what comes may be from the value.
    pub spread: Option<Spread>,
    /// Whether what came lies in the 80 % and in the 95 % interval.
    pub within: Option<[bool; 2]>,
    /// Probability of a level below the cut.
    pub need: Option<f64>,
}

impl Prediction {
    /// Half the width of the 80 % and of the 95 % interval for the target.
    pub fn reach(&self) -> Option<[f64; 2]> {
        let spread = self.spread?;
        Some([0.9, 0.975].map(|p| spread.se * t_quantile(p, spread.df)))
    }
}

/// The standard error of a prediction, and its degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub se: f64,
    pub df: f64,
}

impl Spread {
    /// Whether the 80 % and the 95 % interval hold what came `error` from the value: by its
    /// probability, which is estimated much faster than the ends of intervals.
    pub(super) fn holds(&self, error: f64) -> [bool; 2] {
        if self.se > ROUNDING {
            let probability = t_two_sided(error / self.se, self.df);
            [0.2, 0.05].map(|outside| probability >= outside)
        } else {
            [error.abs() <= ROUNDING; 2]
        }
    }
}
