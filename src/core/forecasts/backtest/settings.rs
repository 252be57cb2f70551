//! Where to look back from, and what to compare predictions with.

use crate::domain::{Argument, Domain};
use crate::ledger::Ledger;
use crate::options::options;
use crate::time::DAY;

/// The most dates at which to look back.
const MAX_CUTS: usize = 1000;

options! {
    /// Where to look back from, and what to hold predictions against.
    pub struct Settings {
        /// how many dates to predict at, where none are given
        cut_count: u64 = 10, Domain::Integer(1, MAX_CUTS as u64, "an integer from 1 to 1000");
        /// how far the target horizon looks ahead
        horizon: f64 = 90.0, Domain::Span;
        /// whether questions weigh in what is predicted as they do in a level
        weighted_target: bool = false, Domain::Boolean;
    }
}

impl Settings {
    /// The dates in `cuts`, or else `cut_count` evenly chosen ones, ascending and each once.
    /// Evenly chosen ones divide the time between the first
    /// and the last response, and are moved back to the beginning of their day when there are
    /// days enough.
    ///
    /// # Errors
    /// When `cuts` are too many.
    pub(super) fn dates(&self, cuts: &[i64], ledger: &Ledger) -> Result<Vec<i64>, Argument> {
        if cuts.len() > MAX_CUTS {
            return Err(Argument {
                name: "cuts",
                value: format!("{} dates", cuts.len()),
                expected: "at most 1000 dates",
            });
        }
        let mut cuts = cuts.to_vec();
        if cuts.is_empty() {
            let times = || (0..ledger.unit_count()).map(|unit| ledger.unit(unit).taken_at);
            let (Some(first), Some(last)) = (times().min(), times().max()) else {
                return Ok(cuts);
            };
            let parts = self.cut_count as i128 + 1;
            let span = i128::from(last) - i128::from(first);
            for part in 1..parts {
                let at = (i128::from(first) + span * part / parts) as i64;
                let whole_days = span >= parts * i128::from(DAY);
                cuts.push(if whole_days {
                    at - at.rem_euclid(DAY)
                } else {
                    at
                });
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        Ok(cuts)
    }
}
