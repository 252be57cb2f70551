//! The figures of a backtest: over everything, by date, by group and by evidence.

use std::collections::BTreeMap;

use crate::Poll;
use crate::error::Result;
use crate::forecasts::backtest::forecasts::forecasts;
use crate::forecasts::backtest::method::Target;
use crate::forecasts::backtest::settings::Settings;
use crate::forecasts::backtest::tally::{Figures, Tally};
use crate::forecasts::resampling::Resampling;
use crate::gradebook::Gradebook;
use crate::ledger::Scope;
use crate::options::{Checked, Options};

/// What a row of figures is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// All dates and students.
    All,
    /// One date.
    Cut(i64),
    /// One group of the roster, by its number.
    Group(u32),
    /// Students of whom so many assessments were known: from, to.
    Assessments(u32, u32),
}

/// Bands of assessments known, as evidence grows.
const BANDS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, u32::MAX)];

impl Slice {
    /// The label in `backtest`.
    pub fn label(self) -> &'static str {
        match self {
            Slice::All => "all",
            Slice::Cut(_) => "cut",
            Slice::Group(_) => "group",
            Slice::Assessments(..) => "assessments",
        }
    }
}

/// The figures of one method for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub target: Target,
    pub slice: Slice,
    pub figures: Figures,
}

/// Sums up [`forecasts`]: by target, and in this order all, by date, by
/// group and by evidence.
pub fn backtest(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    cuts: &[i64],
    settings: &Checked<Settings>,
    resampling: &Checked<Resampling>,
    poll: Poll<'_>,
) -> Result<Vec<Outcome>> {
    let mut tallies: BTreeMap<(Target, Slice), Tally> = BTreeMap::new();
    forecasts(
        gradebook,
        scope,
        options,
        cuts,
        settings,
        poll,
        |forecast| {
            let band = BANDS
                .into_iter()
                .find(|(from, to)| (*from..=*to).contains(&forecast.assessments))
                .map(|(from, to)| Slice::Assessments(from, to));
            let slices = [
                Some(Slice::All),
                Some(Slice::Cut(forecast.cut_at)),
                forecast.group.map(Slice::Group),
                band,
            ];
            for slice in slices.into_iter().flatten() {
                let tally = tallies.entry((forecast.target, slice)).or_default();
                tally.add(forecast.student, forecast);
            }
        },
    )?;
    let mut rows = Vec::new();
    for ((target, slice), tally) in tallies {
        let figures = tally.figures(resampling, options.confidence, poll);
        rows.extend(figures.into_iter().map(|figures| Outcome {
            target,
            slice,
            figures,
        }));
    }
    Ok(rows)
}
