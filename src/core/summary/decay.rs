//! A mean in which scores fade: at the age of one half-life they count half.

use crate::domain::Domain;
use crate::summary::error::{Error, Result};
use crate::summary::form::{
    WEIGHTS, is_mean, is_sum, is_sum_of_squares, is_time, same_clock, summary, usable,
};
use crate::time::{Clock, DAY, days_between, microseconds_between};

summary! {
    /// Weighted sums over scores x of weight q, faded to `d = 2^(-age / half_life)` at the latest
    /// of their times. A later score makes all others fade, so that no sum grows with the span.
    DecaySummary, "decay_summary" {
        /// Scores.
        n: u64,
        /// Rows left out: a value is not finite or beyond 1e100, or a weight is negative.
        excluded: u64,
        clock: Option<Clock>,
        /// In days.
        half_life: f64,
        /// The latest time.
        last_at: i64,
        /// Sum of d q.
        weight: f64,
        /// Sum of (d q)^2.
        weight_squares: f64,
        /// Weighted mean of d. The sum of d^2 q would vanish long before that of d q does.
        decay: f64,
        /// `sum d - sum d^2 q / sum d q`, over which the squares estimate the variance of a score
        /// of weight 1. It is added up by itself, as the difference would lose its digits to a
        /// score that outweighs the others.
        free: f64,
        /// Weighted mean of x.
        mean: f64,
        /// Sum of d q (x - mean)^2.
        squares: f64,
    }
}

impl DecaySummary {
    /// Takes one score. `weight` is what it counts before it fades, in proportion to its
    /// precision, 1 for scores that are all alike; 0 leaves it out. `half_life` is in days.
    ///
    /// # Errors
    /// When `half_life` is not above 0 and finite, or differs from that of the rows before that
    /// have a weight.
    #[inline(always)]
    pub fn push(
        &mut self,
        clock: Clock,
        taken_at: i64,
        score: f64,
        weight: f64,
        half_life: f64,
    ) -> Result<()> {
        if weight == 0.0 {
            return Ok(Domain::Span.check("half_life", half_life)?);
        }
        if half_life != self.half_life || self.half_life == 0.0 {
            agree((!self.is_empty()).then_some(self.half_life), half_life)?;
        }
        self.half_life = half_life;
        self.clock = Some(clock);
        if !(WEIGHTS.contains(&weight) && usable(score) && is_time(taken_at)) {
            self.excluded += 1;
            return Ok(());
        }
        let decay = self.fade_to(taken_at);
        let weight = decay * weight;
        self.join(&Self {
            n: 1,
            weight,
            weight_squares: weight * weight,
            decay,
            free: 0.0,
            mean: score,
            squares: 0.0,
            ..*self
        });
        Ok(())
    }

    /// Takes scores that have faded to the same time.
    #[inline(always)]
    fn join(&mut self, other: &Self) {
        self.n += other.n;
        if other.weight == 0.0 {
            return;
        }
        let weight = self.weight + other.weight;
        let share = other.weight / weight;
        if self.weight > 0.0 {
            let from_mean = other.mean - self.mean;
            self.mean += from_mean * share;
            self.squares += self.weight * share * from_mean * from_mean;
            self.free += self.decay * share + other.decay * (self.weight / weight);
            self.decay += (other.decay - self.decay) * share;
        } else {
            self.mean = other.mean;
            self.decay = other.decay;
        }
        self.squares += other.squares;
        self.free += other.free;
        self.weight = weight;
        self.weight_squares += other.weight_squares;
    }

    /// Makes `at` the latest time if it is later; returns how much is left of a score of `at`.
    #[inline(always)]
    fn fade_to(&mut self, at: i64) -> f64 {
        if self.n == 0 {
            self.last_at = at;
        }
        // Scores of one time come together, and need no power.
        if at == self.last_at {
            return 1.0;
        }
        // One division instead of two, as this is done for every row.
        let age = microseconds_between(at, self.last_at) / (self.half_life * DAY as f64);
        if age >= 0.0 {
            return (-age).exp2();
        }
        let fade = age.exp2();
        self.weight *= fade;
        self.weight_squares *= fade * fade;
        self.decay *= fade;
        self.free *= fade;
        self.squares *= fade;
        self.last_at = at;
        1.0
    }

    fn merge_rows(&mut self, other: &Self) -> Result<()> {
        if other.half_life != self.half_life {
            agree(Some(self.half_life), other.half_life)?;
        }
        same_clock(self.clock, other.clock)?;
        let excluded = self.excluded + other.excluded;
        let mut other = *other;
        if self.n == 0 {
            *self = other;
        } else if other.n > 0 {
            self.fade_to(other.last_at);
            other.fade_to(self.last_at);
            self.join(&other);
        }
        self.excluded = excluded;
        Ok(())
    }

    fn fault(&self) -> Option<&'static str> {
        let n = self.n as f64;
        if Domain::Span.check("half_life", self.half_life).is_err() && !self.is_empty() {
            Some("the half-life is out of range")
        } else if self.clock.is_none() && !self.is_empty() {
            Some("it has no clock")
        } else if self.n == 0 {
            let nothing = Self {
                excluded: self.excluded,
                clock: self.clock,
                half_life: self.half_life,
                ..Self::default()
            };
            (*self != nothing).then_some("it counts scores it has not")
        } else if !is_time(self.last_at) {
            Some("a time is out of range")
        } else if !(is_mean(self.mean) && is_sum_of_squares(self.squares, n * WEIGHTS.end())) {
            Some("the mean or the spread is out of range")
        } else if !(is_sum(self.weight, n * WEIGHTS.end())
            && is_sum(self.weight_squares, self.weight * self.weight)
            && (self.decay == 0.0 || is_sum(self.decay, 1.0))
            && (self.free == 0.0 || is_sum(self.free, n))
            && (self.n > 1 || (self.free == 0.0 && self.squares == 0.0)))
        {
            Some("the weights are out of range")
        } else {
            None
        }
    }

    /// Scores that count.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// In days; none without scores.
    pub fn half_life(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.half_life)
    }

    /// The clock and the latest time of a score.
    pub fn last_at(&self) -> Option<(Clock, i64)> {
        (self.n > 0).then_some((self.clock?, self.last_at))
    }

    /// The clock of the rows.
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// The mean with the weights `q 2^(-age / half_life)`. It is the same at every time from the
    /// last score on, since time takes the same share from all. None without scores, and at times
    /// before the last score, which cannot be taken out again.
    pub fn level(&self, as_of: Option<i64>) -> Option<f64> {
        self.left_at(as_of).map(|_| self.mean)
    }

    /// Sum of `q 2^(-age / half_life)` at `as_of`: what is left of the evidence, in fresh scores
    /// of weight 1.
    pub fn information(&self, as_of: Option<i64>) -> Option<f64> {
        self.left_at(as_of).map(|left| self.weight * left)
    }

    /// The standard error of the level at `as_of`, if students' levels drift so that the
    /// half-life suits them: the scatter of scores, over what is left of the evidence. It grows
    /// with silence. Not that of a constant mean, which would be about 0.7 of it for a fresh
    /// level. None below two scores.
    ///
    /// With weights as precisions, `sum d q (x - mean)^2 / (sum d - sum d^2 q / sum d q)` is an
    /// unbiased estimate of the variance of a score of weight 1.
    pub fn level_se(&self, as_of: Option<i64>) -> Option<f64> {
        let se = (self.squares / self.free / self.information(as_of)?).sqrt();
        // Nothing is free with one score, or when all others have faded to nothing.
        se.is_finite().then_some(se)
    }

    /// Kish's effective number of scores, `(sum d q)^2 / sum (d q)^2`: as many equally weighted
    /// ones would be worth as much. Time does not change it.
    pub fn n_effective(&self) -> Option<f64> {
        let kish = || self.weight * self.weight / self.weight_squares;
        (self.n > 0).then(|| kish().min(self.n as f64))
    }

    /// How much is left at `as_of` of what there is at the last time.
    fn left_at(&self, as_of: Option<i64>) -> Option<f64> {
        if self.n == 0 {
            return None;
        }
        let silence = match as_of {
            None => 0.0,
            Some(i64::MAX) => f64::INFINITY,
            Some(as_of) => days_between(self.last_at, as_of),
        };
        (silence >= 0.0).then(|| (-silence / self.half_life).exp2())
    }
}

/// Whether a half-life is one, and that of the rows before, if there are any.
#[cold]
fn agree(before: Option<f64>, half_life: f64) -> Result<()> {
    Domain::Span.check("half_life", half_life)?;
    match before {
        None => Ok(()),
        Some(before) => Err(Error::Mismatch {
            argument: "half_life",
            left: format!("{before} days"),
            right: format!("{half_life} days"),
        }),
    }
}
