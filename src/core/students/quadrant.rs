//! Low or high, falling or rising: the four corners of a school map, decided once for rows and
//! pictures alike.

use crate::labels::labels;
use crate::statistics::quantile::nearest;

/// Where a student stands beside the others. The order is that of concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quadrant {
    LowFalling,
    LowRising,
    HighFalling,
    HighRising,
}

labels!(Quadrant {
    LowFalling => "low and falling",
    LowRising => "low and rising",
    HighFalling => "high and falling",
    HighRising => "high and rising",
});

impl Quadrant {
    /// By level, the [middle](middle) of all levels, and change per unit of time. A level in the
    /// middle is high, and one that does not change is rising.
    pub fn of(level: f64, middle: f64, change: f64) -> Self {
        match (level < middle, change < 0.0) {
            (true, true) => Self::LowFalling,
            (true, false) => Self::LowRising,
            (false, true) => Self::HighFalling,
            (false, false) => Self::HighRising,
        }
    }

    pub fn is_low(self) -> bool {
        matches!(self, Self::LowFalling | Self::LowRising)
    }

    pub fn is_falling(self) -> bool {
        matches!(self, Self::LowFalling | Self::HighFalling)
    }
}

/// What divides low from high: the mean of the levels without the few that lie far outside, as one
/// of them could make all others low. None without a level.
pub fn middle(levels: &[f64]) -> Option<f64> {
    let mut levels = levels.to_vec();
    let (lowest, highest) = usual_range(&mut levels)?;
    levels.retain(|level| (lowest..=highest).contains(level));
    // Summed in order, so that the result does not depend on that of the rows.
    Some(levels.iter().sum::<f64>() / levels.len() as f64)
}

/// From the lowest to the highest value, without those that lie beyond three times the range of the
/// middle half (Tukey's outer fences, 1977; at least .06) from it. None without a value. Sorts
/// them.
pub fn usual_range(values: &mut [f64]) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let (lower, upper) = (nearest(values, 0.25)?, nearest(values, 0.75)?);
    let reach = 3.0 * (upper - lower).max(0.02);
    Some((min.max(lower - reach), max.min(upper + reach)))
}
