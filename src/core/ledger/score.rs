//! Scores that count, on the scale that they are compared on.

use std::cmp::Ordering;

/// A score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// A share of the way from the minimum to the maximum, 0 to 1.
    Share(f64),
    /// On a scale without an upper bound (words read in a minute), in the unit that it came in.
    Unbounded(f64),
}

impl Score {
    /// The number.
    #[inline]
    pub fn value(self) -> f64 {
        match self {
            Self::Share(value) | Self::Unbounded(value) => value,
        }
    }

    /// Whether the scale has no upper bound.
    #[inline]
    pub fn is_unbounded(self) -> bool {
        matches!(self, Self::Unbounded(_))
    }

    /// By value, and those without a bound after the others.
    pub fn order(&self, other: &Self) -> Ordering {
        let kinds = self.is_unbounded().cmp(&other.is_unbounded());
        kinds.then(self.value().total_cmp(&other.value()))
    }
}
