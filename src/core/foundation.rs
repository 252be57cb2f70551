//! What every solver of students and questions rests on, made once: the responses that count, how
//! hard the questions are, what answers are compared with, and how well each question separates.

use crate::Poll;
use crate::gradebook::{Gradebook, Result};
use crate::ledger::{Ledger, Scope};
use crate::needs::Needs;
use crate::options::{Checked, Options};
use crate::questions::criterion::Criterion;
use crate::questions::difficulty::Difficulty;
use crate::questions::quality::{ItemQuality, QualityOptions, qualities};
use crate::questions::totals::Totals;

/// From responses to the weights of questions.
#[derive(Debug)]
pub struct Foundation {
    pub ledger: Ledger,
    pub difficulty: Difficulty,
    pub criterion: Criterion,
    /// In the gradebook's order.
    pub items: Vec<ItemQuality>,
}

impl Foundation {
    /// For the responses of `gradebook` in the scope.
    pub fn new(
        gradebook: &Gradebook<'_>,
        scope: &Scope,
        options: &Checked<Options>,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let ledger = Ledger::new(gradebook, scope, poll)?;
        Self::from_ledger(ledger, gradebook, options, poll)
    }

    /// For a ledger of `gradebook` that is there already.
    pub fn from_ledger(
        ledger: Ledger,
        gradebook: &Gradebook<'_>,
        options: &Checked<Options>,
        poll: Poll<'_>,
    ) -> Result<Self> {
        Needs::FOUNDATION.ask(&ledger, options.counting)?;
        let totals = Totals::find(&ledger, gradebook, poll)?;
        let difficulty =
            Difficulty::fit_questions(&ledger, totals, options.adjust_difficulty, poll)?;
        let criterion = Criterion::new(&ledger, &difficulty, poll);
        let judged_by = QualityOptions::from(&**options);
        let items = qualities(&ledger, &difficulty, &criterion, &judged_by, poll);
        Ok(Self {
            ledger,
            difficulty,
            criterion,
            items,
        })
    }
}
