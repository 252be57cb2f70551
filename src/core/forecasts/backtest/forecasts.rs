//! Goes through the dates, and predicts each student's next scores at each of them.

use log::debug;

use crate::Poll;
use crate::error::Result;
use crate::forecasts::backtest::forecast::Forecast;
use crate::forecasts::backtest::known::{Known, Whole};
use crate::forecasts::backtest::method::Target;
use crate::forecasts::backtest::peers;
use crate::forecasts::backtest::settings::Settings;
use crate::gradebook::Gradebook;
use crate::ledger::Scope;
use crate::options::{Checked, Options};
use crate::time::days_between;

/// Calls `each` with every prediction that can be compared with what came.
pub fn forecasts(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    cuts: &[i64],
    settings: &Checked<Settings>,
    poll: Poll<'_>,
    mut each: impl FnMut(&Forecast),
) -> Result<()> {
    let whole = Whole::new(gradebook, scope, options, settings.weighted_target, poll)?;
    for cut_at in settings.dates(cuts, &whole.ledger)? {
        let known = Known::at(cut_at, gradebook, scope, options, poll)?;
        let mut next = Vec::new();
        let mut horizon = Vec::new();
        let mut coming = Vec::new();
        let mut evidence = Vec::new();
        for student in 0..whole.ledger.student_count() {
            // One student may have very many assessments.
            poll();
            whole.after(&known, student, &mut coming, poll);
            let Some(first) = coming.first() else {
                continue;
            };
            let Some(outlook) = known.outlook(student, &mut evidence, poll) else {
                continue;
            };
            known.weigh(student, &whole, &mut evidence, poll);
            let assessment = whole.ledger.unit(first.unit).assessment;
            next.push(outlook.of(std::slice::from_ref(first), &evidence, Some(assessment)));
            coming.retain(|piece| days_between(cut_at, piece.taken_at) <= settings.horizon);
            if coming.len() >= 2 {
                horizon.push(outlook.of(&coming, &evidence, None));
            }
        }
        debug!(
            "predicted for {} and {} students at a date",
            next.len(),
            horizon.len()
        );
        let share = options.cut_share;
        peers::compare(next, Target::Next, cut_at, share, poll, &mut each);
        peers::compare(horizon, Target::Horizon, cut_at, share, poll, &mut each);
    }
    Ok(())
}
