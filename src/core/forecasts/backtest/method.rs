//! What is predicted, and by which methods.

use crate::labels::labels;

/// A way to predict how a student will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Mean of all assessment scores so far.
    OverallMean,
    /// The latest assessment score.
    LastScore,
    /// Mean of the latest three.
    LastThreeMean,
    /// Mean under exponential decay.
    DecayedMean,
    /// Mean with the difficulty of questions taken out.
    AdjustedMean,
    /// The same under decay.
    AdjustedDecayedMean,
    /// The same drawn towards the cohort where evidence is thin.
    ShrunkLevel,
    /// The same with questions weighed by quality: the level that `students` shows.
    Level,
    /// The help list: students in the order of their need.
    Need,
}

labels!(Method {
    OverallMean => "overall_mean",
    LastScore => "last_score",
    LastThreeMean => "last_three_mean",
    DecayedMean => "decayed_mean",
    AdjustedMean => "adjusted_mean",
    AdjustedDecayedMean => "adjusted_decayed_mean",
    ShrunkLevel => "shrunk_level",
    Level => "level",
    Need => "need",
});

/// How many methods predict a score: all but the help list, the last, which is an order.
pub(super) const SCORES: usize = Method::Need as usize;

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The score of the next assessment, however far away.
    Next,
    /// The mean of all assessments within the horizon, where there are at least two.
    Horizon,
}

labels!(Target { Next => "next", Horizon => "horizon" });
