//! What stands in for a missing maximum: the most that anybody had.

use crate::Poll;
use crate::gradebook::{Gradebook, Result};
use crate::ledger::reading::{MissingMax, Outcome, Reading, Worth};
use crate::ledger::scope::Window;
use crate::memory;

/// Per item the most points without a maximum that anybody had, minus infinity where nobody had any;
/// empty where the reading does not ask.
pub fn most_points(
    gradebook: &Gradebook<'_>,
    reading: Reading,
    window: &Window<'_>,
    poll: Poll<'_>,
) -> Result<Vec<f64>> {
    if reading.missing_max != MissingMax::Observed {
        return Ok(Vec::new());
    }
    memory::ask(size_of::<f64>() * gradebook.items().len())?;
    let mut most = vec![f64::NEG_INFINITY; gradebook.items().len()];
    let outcome = |mark| reading.outcome(mark);
    gradebook.visit(outcome, poll, |sitting| {
        let rows = sitting.items.iter().zip(sitting.marks);
        for (&item, outcome) in rows.filter(|_| window.sees(&sitting)) {
            if let Outcome::Counts(Worth::Points { score, .. }) = outcome {
                most[item as usize] = score.max(most[item as usize]);
            }
        }
        Ok(())
    })?;
    Ok(most)
}
