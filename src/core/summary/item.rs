//! How a question's scores go with a criterion: facility and discrimination.

use crate::domain::Domain;
use crate::statistics::distribution::{around, normal_density, normal_quantile};
use crate::statistics::rounding::{CANCELLATION, ROUNDING};
use crate::summary::error::Result;
use crate::summary::form::{
    is_mean, is_sum_of_products, is_sum_of_squares, summary, usable, varies,
};

summary! {
    /// Scores of a question and what they are compared with, in as many words as a correlation
    /// takes: squares and products are about the means (see [`crate::statistics::moments`]).
    ItemSummary, "item_summary" {
        /// Pairs.
        n: u64,
        /// Rows left out: a score or a criterion is not finite, or beyond 1e100.
        excluded: u64,
        /// Whether a score is neither 0 nor 1.
        graded: bool,
        /// The means.
        score: f64,
        criterion: f64,
        /// Sums about the means.
        score_squares: f64,
        criterion_squares: f64,
        products: f64,
    }
}

impl ItemSummary {
    /// Takes the score of one student and the criterion it is compared with.
    #[inline(always)]
    pub fn push(&mut self, score: f64, criterion: f64) {
        if !(usable(score) && usable(criterion)) {
            self.excluded += 1;
            return;
        }
        self.n += 1;
        self.graded |= score != 0.0 && score != 1.0;
        let share = 1.0 / self.n as f64;
        let rest = 1.0 - share;
        let (from_score, from_criterion) = (score - self.score, criterion - self.criterion);
        self.score += from_score * share;
        self.criterion += from_criterion * share;
        // The three sums move together, so that no rounding takes the correlation beyond 1.
        self.score_squares += rest * from_score * from_score;
        self.criterion_squares += rest * from_criterion * from_criterion;
        self.products += rest * from_score * from_criterion;
    }

    fn merge_rows(&mut self, other: &Self) -> Result<()> {
        self.excluded += other.excluded;
        self.graded |= other.graded;
        let n = self.n + other.n;
        if n > 0 {
            let share = other.n as f64 / n as f64;
            let across = self.n as f64 * share;
            let (score, criterion) = (other.score - self.score, other.criterion - self.criterion);
            self.score += score * share;
            self.criterion += criterion * share;
            self.score_squares += other.score_squares + score * score * across;
            self.criterion_squares += other.criterion_squares + criterion * criterion * across;
            self.products += other.products + score * criterion * across;
        }
        self.n = n;
        Ok(())
    }

    fn fault(&self) -> Option<&'static str> {
        let n = self.n as f64;
        let squares = [self.score_squares, self.criterion_squares];
        // Right and wrong answers have but one spread.
        let binary = n * self.score * (1.0 - self.score);
        let is_binary = (-ROUNDING..=1.0 + ROUNDING).contains(&self.score)
            && (self.score_squares - binary).abs() <= 1e-6 * (1.0 + binary);
        if self.n == 0 {
            let nothing = Self {
                excluded: self.excluded,
                ..Self::default()
            };
            (*self != nothing).then_some("it counts scores it has not")
        } else if self.n == 1 && squares != [0.0; 2] {
            Some("one score has a spread")
        } else if !(self.graded || is_binary) {
            Some("the scores are not 0 and 1")
        } else if !(is_mean(self.score) && is_mean(self.criterion)) {
            Some("a mean is too large")
        } else if !squares.iter().all(|&squares| is_sum_of_squares(squares, n)) {
            Some("a sum of squares is out of range")
        } else if !is_sum_of_products(self.products, squares[0], squares[1]) {
            Some("the sum of products is out of range")
        } else {
            None
        }
    }

    /// Pairs of a score and a criterion.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The mean score; none without pairs.
    pub fn facility(&self) -> Option<f64> {
        (self.n > 0).then_some(self.score)
    }

    /// The correlation of score and criterion, -1 to 1; none when one of them does not vary but
    /// by rounding.
    pub fn discrimination(&self) -> Option<f64> {
        let criterion_varies = varies(self.criterion, self.criterion_squares, self.n as f64);
        if !(self.score_varies() && criterion_varies) {
            return None;
        }
        correlation(self.products, self.score_squares, self.criterion_squares)
    }

    fn score_varies(&self) -> bool {
        varies(self.score, self.score_squares, self.n as f64)
    }

    /// The standard error of the correlation, by the delta method from that of Fisher's z, which
    /// is `1 / sqrt(n - 3)`; none below four pairs.
    pub fn discrimination_se(&self) -> Option<f64> {
        let r = self.discrimination()?;
        Some((1.0 - r * r) * self.z_se()?)
    }

    /// The limits of an interval about the correlation, by Fisher's z; none below four pairs.
    ///
    /// # Errors
    /// When `confidence` is not between 0 and 1.
    pub fn discrimination_interval(&self, confidence: f64) -> Result<Option<(f64, f64)>> {
        Domain::Inside0To1.check("confidence", confidence)?;
        let reach = normal_quantile(0.5 + confidence / 2.0);
        let interval = self.discrimination().zip(self.z_se()).map(|(r, se)| {
            let z = r.atanh();
            match z.is_finite() {
                true => around(r, ((z - reach * se).tanh(), (z + reach * se).tanh())),
                // Of a perfect correlation, z has no end: the interval is that one value.
                false => (r, r),
            }
        });
        Ok(interval)
    }

    fn z_se(&self) -> Option<f64> {
        (self.n > 3).then(|| 1.0 / (self.n as f64 - 3.0).sqrt())
    }

    /// For a criterion that is a total with the score in it: the correlation of the score with
    /// the rest of the total (Henrysson 1963; `r.drop` of R's `psych::alpha`).
    pub fn r_rest(&self) -> Option<f64> {
        let both = self.score_squares + self.criterion_squares;
        let rest_squares = both - 2.0 * self.products;
        if rest_squares <= CANCELLATION * both || !self.score_varies() {
            return None;
        }
        let products = self.products - self.score_squares;
        correlation(products, self.score_squares, rest_squares)
    }

    /// The biserial correlation: that of the criterion with a normal ability behind scores of 0
    /// and 1, `r sqrt(p (1 - p)) / phi(z_p)` (Pearson 1909). It may lie beyond 1, which says that
    /// ability is not normal. None for other scores, or when all are the same.
    pub fn biserial(&self) -> Option<f64> {
        Some(self.discrimination()? * self.binary_spread()?)
    }

    /// The standard error of the biserial correlation, `(sqrt(p (1 - p)) / phi(z_p) - r_b^2) /
    /// sqrt(n)` (Soper 1914).
    pub fn biserial_se(&self) -> Option<f64> {
        let r = self.biserial()?;
        // Beyond 1 the formula leaves its range.
        let se = (self.binary_spread()? - r * r) / (self.n as f64).sqrt();
        (se >= 0.0).then_some(se)
    }

    /// `sqrt(p (1 - p)) / phi(z_p)`.
    fn binary_spread(&self) -> Option<f64> {
        let p = self.facility()?;
        if self.graded || p <= 0.0 || p >= 1.0 {
            return None;
        }
        Some((p * (1.0 - p)).sqrt() / normal_density(normal_quantile(p)))
    }
}

/// None when one side does not vary.
fn correlation(products: f64, left: f64, right: f64) -> Option<f64> {
    // One root is exact where two are not; the product of huge or tiny sums has none.
    let spread = match left * right {
        product if product.is_normal() => product.sqrt(),
        _ => left.sqrt() * right.sqrt(),
    };
    (spread > 0.0).then(|| (products / spread).clamp(-1.0, 1.0))
}
