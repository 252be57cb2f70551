//! Sums over the answers to one question on one day, or on several.

use crate::questions::drift::anchors::Ability;
use crate::time::DAY;

/// Sums over answers to one item: its score `x`, and the ability `y` shown in the rest of the
/// sitting.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    /// When the first was given.
    pub first_at: i64,
    pub n: u64,
    pub x: f64,
    pub y: f64,
    pub xx: f64,
    pub yy: f64,
    pub xy: f64,
    /// Variances of the errors of `y`.
    pub error: f64,
    /// Variances of the scores that `y` is the mean of.
    pub noise: f64,
}

impl Sums {
    pub fn new(first_at: i64) -> Self {
        Self {
            first_at,
            n: 0,
            x: 0.0,
            y: 0.0,
            xx: 0.0,
            yy: 0.0,
            xy: 0.0,
            error: 0.0,
            noise: 0.0,
        }
    }

    pub fn add(&mut self, at: i64, x: f64, ability: Ability) {
        let y = ability.level;
        self.first_at = self.first_at.min(at);
        self.n += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
        self.error += ability.noise / ability.answers;
        self.noise += ability.noise;
    }

    pub fn merge(&mut self, other: &Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.n += other.n;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
        self.error += other.error;
        self.noise += other.noise;
    }

    pub fn day(&self) -> i64 {
        self.first_at.div_euclid(DAY)
    }
}
