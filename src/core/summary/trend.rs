//! A straight line through scores over time.

use crate::domain::Domain;
use crate::options::Options;
use crate::statistics::rounding::{CANCELLATION, ROUNDING};
use crate::students::trend::{Line, SLOPE_DAYS, Trend, TrendOptions};
use crate::summary::error::Result;
use crate::summary::form::{
    WEIGHTS, is_mean, is_sum, is_sum_of_products, is_sum_of_squares, is_time, same_clock, summary,
    usable, varies,
};
use crate::time::{Clock, DAY, days_between};

/// Days that are distinguished by a bit each: the largest prime that a word has room for, as no two
/// of a row of scores that come every so many days share a bit then.
const DAYS: i64 = 61;

summary! {
    /// Weighted sums over scores x at times t, about their means.
    TrendSummary, "trend_summary" {
        /// Scores.
        n: u64,
        /// Rows left out: a value is not finite or beyond 1e100, or a weight is negative.
        excluded: u64,
        clock: Option<Clock>,
        first_at: i64,
        last_at: i64,
        /// Which of [`DAYS`] days in turn had a score: the number of bits is that of different
        /// days, or less where two of them are a multiple of that apart.
        days: u64,
        /// Sum of the weights.
        weight: f64,
        /// Mean time, in days since 2000-01-01.
        time: f64,
        /// Mean score.
        score: f64,
        /// Weighted sums about the means, in days and scores.
        time_squares: f64,
        score_squares: f64,
        products: f64,
    }
}

impl TrendSummary {
    /// Takes one score. `weight` is in proportion to its precision, 1 for scores that are all
    /// alike; 0 leaves it out.
    #[inline(always)]
    pub fn push(&mut self, clock: Clock, taken_at: i64, score: f64, weight: f64) {
        if weight == 0.0 {
            return;
        }
        self.clock = Some(clock);
        if !(WEIGHTS.contains(&weight) && usable(score) && is_time(taken_at)) {
            self.excluded += 1;
            return;
        }
        if self.n == 0 {
            (self.first_at, self.last_at) = (taken_at, taken_at);
        }
        self.n += 1;
        self.first_at = self.first_at.min(taken_at);
        self.last_at = self.last_at.max(taken_at);
        self.days |= 1 << taken_at.div_euclid(DAY).rem_euclid(DAYS);
        let share = weight / (self.weight + weight);
        let rest = self.weight * share;
        self.weight += weight;
        let (from_time, from_score) = (days_between(0, taken_at) - self.time, score - self.score);
        self.time += from_time * share;
        self.score += from_score * share;
        self.time_squares += rest * from_time * from_time;
        self.score_squares += rest * from_score * from_score;
        self.products += rest * from_time * from_score;
    }

    fn merge_rows(&mut self, other: &Self) -> Result<()> {
        same_clock(self.clock, other.clock)?;
        let excluded = self.excluded + other.excluded;
        if self.n == 0 {
            *self = *other;
        } else if other.n > 0 {
            let weight = self.weight + other.weight;
            let share = other.weight / weight;
            let rest = self.weight * share;
            let (from_time, from_score) = (other.time - self.time, other.score - self.score);
            self.time += from_time * share;
            self.score += from_score * share;
            self.time_squares += other.time_squares + rest * from_time * from_time;
            self.score_squares += other.score_squares + rest * from_score * from_score;
            self.products += other.products + rest * from_time * from_score;
            self.weight = weight;
            self.n += other.n;
            self.first_at = self.first_at.min(other.first_at);
            self.last_at = self.last_at.max(other.last_at);
            self.days |= other.days;
        }
        self.excluded = excluded;
        Ok(())
    }

    fn fault(&self) -> Option<&'static str> {
        let (times, scores) = (self.time_squares, self.score_squares);
        let (first, last) = (
            days_between(0, self.first_at),
            days_between(0, self.last_at),
        );
        // Rounding of a mean, which is worth more the further it lies from 0.
        let slack = ROUNDING * (1.0 + first.abs().max(last.abs()));
        let widest = last - first + slack;
        if self.clock.is_none() && !self.is_empty() {
            Some("it has no clock")
        } else if self.n == 0 {
            let nothing = Self {
                excluded: self.excluded,
                clock: self.clock,
                ..Self::default()
            };
            (*self != nothing).then_some("it counts scores it has not")
        } else if !(is_time(self.first_at) && is_time(self.last_at))
            || self.first_at > self.last_at
            || !(first - slack..=last + slack).contains(&self.time)
        {
            Some("a time is out of range")
        } else if self.days == 0 || self.days >> DAYS != 0 || self.dates() > self.n {
            Some("the days are not those of its scores")
        } else if !is_sum(self.weight, self.n as f64 * WEIGHTS.end()) {
            Some("the weights are out of range")
        } else if !(is_mean(self.score)
            && is_sum_of_squares(scores, self.weight)
            && (0.0..=self.weight * widest * widest).contains(&times)
            && (self.n > 1 || (times == 0.0 && scores == 0.0))
            && is_sum_of_products(self.products, times, scores))
        {
            Some("a sum is out of range")
        } else {
            None
        }
    }

    /// Scores that count.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Different days with a score: never more than there are, exact for days that are not a
    /// multiple of 61 apart.
    pub fn dates(&self) -> u64 {
        u64::from(self.days.count_ones())
    }

    /// The clock and the first and the latest time of a score.
    pub fn span(&self) -> Option<(Clock, i64, i64)> {
        (self.n > 0).then_some((self.clock?, self.first_at, self.last_at))
    }

    /// The line by weighted least squares, tested, and its label as `students` gives it to a
    /// student, without noise borrowed from a cohort. `margin` is how far a steady score may
    /// move in 90 days; none for the default.
    ///
    /// # Errors
    /// When `margin` is negative or not finite.
    pub fn trend(&self, margin: Option<f64>) -> Result<Trend> {
        let mut options = TrendOptions::from(&Options::default());
        if let Some(margin) = margin {
            Domain::NotNegative.check("margin", margin)?;
            options.steady_margin = margin;
        }
        Ok(self
            .line()
            .map_or(Trend::NONE, |line| Trend::of(&line, None, &options)))
    }

    /// The slope of [`Self::trend`], per 30 days, without the test, which costs more than the rows
    /// of a small group.
    pub fn slope(&self) -> Option<f64> {
        self.line().map(|line| line.slope * SLOPE_DAYS)
    }

    /// None with fewer than two different times.
    fn line(&self) -> Option<Line> {
        if self.time_squares <= 0.0 {
            return None;
        }
        let varies = varies(self.score, self.score_squares, self.weight);
        let slope = match varies {
            true => self.products / self.time_squares,
            false => 0.0,
        };
        let residual = self.score_squares - slope * self.products;
        Some(Line {
            slope,
            spread: self.time_squares,
            residual: if varies && residual > CANCELLATION * self.score_squares {
                residual
            } else {
                0.0
            },
            df: self.n as f64 - 2.0,
            dates: self.dates(),
            days: days_between(self.first_at, self.last_at),
        })
    }
}
