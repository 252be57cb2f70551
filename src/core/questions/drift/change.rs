//! The day on which a question changed the most, and by how much.

use crate::questions::drift::sums::Sums;
use crate::statistics::distribution::{t_quantile, t_two_sided};
use crate::statistics::multiplicity::most_significant_split;
use crate::statistics::rounding::{CANCELLATION, ROUNDING};

/// Answers below which a day is taken together with the next.
const MIN_OCCASION: u64 = 10;

/// Degrees of freedom that the noise within occasions adds to that between them.
const OCCASION_DF: f64 = 4.0;

/// Spread of abilities, per answer, that is what rounding leaves of none.
const NO_SPREAD: f64 = 1e-18;

/// The likeliest change of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When the first answer after it was given.
    pub changed_at: i64,
    pub n_before: u64,
    pub n_after: u64,
    /// Mean scores; none on a scale without an upper bound.
    pub facility_before: Option<f64>,
    pub facility_after: Option<f64>,
    /// Change of the mean score at the same ability, in parts of the score scale.
    pub value: f64,
    pub se: f64,
    pub ci_low: f64,
    pub ci_high: f64,
    /// Two-sided, corrected for the choice of the day.
    pub p: f64,
    /// Also corrected for the number of questions.
    pub q: f64,
}

/// The split between two occasions at which the shift is the most significant; none where no split
/// has enough answers on both sides, or abilities do not vary. Facilities are measured from the
/// mean of all adjusted scores; its interval covers `confidence` (0 to 1).
pub fn likeliest_change(days: &[Sums], side_answers: u64, confidence: f64) -> Option<Change> {
    let occasions = occasions(days);
    let fit = Fit::of(&occasions)?;
    let mut before = Sums::new(i64::MAX);
    let mut squares_before = 0.0;
    let mut sizes = Vec::new();
    let mut best: Option<(f64, Change)> = None;
    for occasion in &occasions {
        let least = side_answers.max(1);
        if before.n >= least && fit.total.n - before.n >= least {
            sizes.push(before.n as f64);
            let (t, change) = fit.shift(&before, squares_before, occasion.first_at);
            if best.is_none_or(|(most, _)| t > most) {
                best = Some((t, change));
            }
        }
        before.merge(occasion);
        squares_before += fit.square(occasion);
    }
    let (t, mut change) = best?;
    let n = fit.total.n as f64;
    let df = n - 3.0;
    let reach = t_quantile(0.5 + confidence / 2.0, df) * change.se;
    change.ci_low = change.value - reach;
    change.ci_high = change.value + reach;
    change.p = most_significant_split(t_two_sided(t, df), &sizes, n);
    Some(change)
}

/// Days with too few answers to take out a mean are taken together with those that follow.
fn occasions(days: &[Sums]) -> Vec<Sums> {
    let mut occasions: Vec<Sums> = Vec::new();
    for day in days {
        match occasions.last_mut() {
            Some(last) if last.n < MIN_OCCASION => last.merge(day),
            _ => occasions.push(*day),
        }
    }
    if let [.., before, last] = &mut occasions[..]
        && last.n < MIN_OCCASION
    {
        before.merge(last);
        occasions.pop();
    }
    occasions
}

/// How the score depends on ability within occasions, where no drift and no difference between
/// cohorts can be part of it.
struct Fit {
    /// Change of the score with the true ability.
    slope: f64,
    /// Variance of the slope, in parts of that of the scores about it.
    slope_variance: f64,
    /// Sum of squares about the occasions' means, of scores without what ability explains.
    within: f64,
    /// Its degrees of freedom.
    within_df: f64,
    occasions: f64,
    total: Sums,
    /// Sum over the occasions of [`Fit::square`].
    squares: f64,
}

impl Fit {
    /// None where all students of an occasion have shown the same ability.
    fn of(occasions: &[Sums]) -> Option<Self> {
        let mut total = Sums::new(i64::MAX);
        let (mut xx, mut yy, mut xy, mut error) = (0.0, 0.0, 0.0, 0.0);
        for sums in occasions {
            let n = sums.n as f64;
            xx += about_mean(sums.xx, sums.x, n);
            yy += about_mean(sums.yy, sums.y, n);
            xy += sums.xy - sums.x * sums.y / n;
            error += sums.error * (1.0 - 1.0 / n);
            total.merge(sums);
        }
        let n = total.n as f64;
        let df = n - occasions.len() as f64;
        if yy <= NO_SPREAD * n {
            return None;
        }
        // What noise alone would add to the spread of abilities, one standard error of it: so much
        // the slope is drawn towards that of a question that depends on ability as others do.
        let doubt = error * (2.0 / df).sqrt();
        let typical = if doubt > 0.0 {
            (xx / df / (total.noise / n)).sqrt()
        } else {
            0.0
        };
        let spread = (yy - error).max(0.0) + doubt;
        let slope = (xy + doubt * typical) / spread;
        let mut fit = Self {
            slope,
            slope_variance: yy / spread.powi(2),
            within: (xx - 2.0 * slope * xy + slope * slope * yy).max(0.0),
            within_df: df - 1.0,
            occasions: occasions.len() as f64,
            total,
            squares: 0.0,
        };
        fit.squares = occasions.iter().map(|sums| fit.square(sums)).sum();
        Some(fit)
    }

    /// Sum of the scores without what ability explains.
    fn residual(&self, sums: &Sums) -> f64 {
        sums.x - self.slope * sums.y
    }

    /// What an occasion adds to the sum of squares between occasions.
    fn square(&self, sums: &Sums) -> f64 {
        self.residual(sums).powi(2) / sums.n as f64
    }

    /// The shift from `before` to the rest, with its t.
    fn shift(&self, before: &Sums, squares_before: f64, changed_at: i64) -> (f64, Change) {
        let (n_before, n_after) = (before.n, self.total.n - before.n);
        let (n, m) = (n_before as f64, n_after as f64);
        let (x, y) = (self.total.x - before.x, self.total.y - before.y);
        let after = self.residual(&self.total) - self.residual(before);
        let mut value = after / m - self.residual(before) / n;
        if value.abs() <= ROUNDING {
            value = 0.0;
        }
        // Occasions of one side should not differ. Where they do by more than chance, because
        // classes have been taught differently, so may the two sides. A few occasions are not
        // enough for a variance, which is drawn towards that within them.
        let between = (squares_before - self.residual(before).powi(2) / n).max(0.0)
            + (self.squares - squares_before - after.powi(2) / m).max(0.0);
        let between_df = self.occasions - 2.0;
        let pooled = (self.within + between) / (self.within_df + between_df);
        let chance = OCCASION_DF * self.within / self.within_df;
        let variance = pooled.max((chance + between) / (OCCASION_DF + between_df));
        let shown = y / m - before.y / n;
        let se = (variance * (1.0 / n + 1.0 / m + shown.powi(2) * self.slope_variance)).sqrt();
        let t = if value == 0.0 { 0.0 } else { value.abs() / se };
        let change = Change {
            changed_at,
            n_before,
            n_after,
            facility_before: Some(before.x / n),
            facility_after: Some(x / m),
            value,
            se,
            ci_low: value,
            ci_high: value,
            p: 1.0,
            q: 1.0,
        };
        (t, change)
    }
}

/// A sum of squares about the mean; what rounding leaves of a constant counts as none.
fn about_mean(square: f64, sum: f64, n: f64) -> f64 {
    let about_mean = square - sum * sum / n;
    if about_mean > CANCELLATION * square {
        about_mean
    } else {
        0.0
    }
}
