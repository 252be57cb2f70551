//! The solvers as tests ask them: scope, last year's records and options in one value.

use std::ops::Deref;

use pg_assess_core::assessments::Assessment;
use pg_assess_core::forecasts::backtest::{self, Forecast, Outcome};
use pg_assess_core::forecasts::half_life::Advice;
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::ledger::{Attempts, Ledger, Reading, Scope};
use pg_assess_core::options::{Checked, Choices, Options};
use pg_assess_core::questions::calibrate::{self, Calibration};
use pg_assess_core::questions::drift::Drift;
use pg_assess_core::solve::{self, Item};
use pg_assess_core::students::due;
use pg_assess_core::students::explain::Contribution;
use pg_assess_core::students::previous::Previous;
use pg_assess_core::students::student::Student;
use pg_assess_core::{Poll, Result};

/// Options with what is bound to a gradebook.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    pub as_of: Option<i64>,
    pub attempts: Attempts,
    pub exclude: Vec<u32>,
    pub reading: Reading,
    pub previous: Previous,
    pub options: Options,
}

impl From<Options> for Asked {
    fn from(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }
}

impl Deref for Asked {
    type Target = Options;
    fn deref(&self) -> &Options {
        &self.options
    }
}

impl Asked {
    /// The same with some options changed.
    pub fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }
}

/// What can be asked for.
pub trait Ask {
    fn scope(&self) -> Scope {
        Scope::default()
    }
    fn previous(&self) -> Previous {
        Previous::default()
    }
    fn options(&self) -> &Options;
    fn checked(&self) -> Result<Checked<Options>> {
        Ok(self.options().clone().check()?)
    }
}

impl Ask for Options {
    fn options(&self) -> &Options {
        self
    }
}

impl Ask for Asked {
    fn scope(&self) -> Scope {
        Scope {
            as_of: self.as_of,
            attempts: self.attempts,
            exclude: self.exclude.clone(),
            reading: self.reading,
            ..Scope::default()
        }
    }
    fn previous(&self) -> Previous {
        self.previous.clone()
    }
    fn options(&self) -> &Options {
        &self.options
    }
}

/// Where to look back from, and how often to resample.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub cuts: Vec<i64>,
    pub cut_count: u64,
    pub horizon: f64,
    pub weighted_target: bool,
    pub resamples: u64,
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let (settings, resampling) = (backtest::Settings::default(), Resampling::default());
        Self {
            cuts: Vec::new(),
            cut_count: settings.cut_count,
            horizon: settings.horizon,
            weighted_target: settings.weighted_target,
            resamples: resampling.resamples,
            seed: resampling.seed,
        }
    }
}

impl Settings {
    fn checked(&self) -> Result<(Checked<backtest::Settings>, Checked<Resampling>)> {
        let settings = backtest::Settings {
            cut_count: self.cut_count,
            horizon: self.horizon,
            weighted_target: self.weighted_target,
        };
        let resampling = Resampling {
            resamples: self.resamples,
            seed: self.seed,
        };
        Ok((settings.check()?, resampling.check()?))
    }
}

pub fn ledger(book: &Gradebook<'_>, asked: &impl Ask, poll: Poll<'_>) -> Result<Ledger> {
    Ok(Ledger::new(book, &asked.scope(), poll)?)
}

pub fn items(book: &Gradebook<'_>, asked: &impl Ask, poll: Poll<'_>) -> Result<Vec<Item>> {
    solve::items(book, &asked.scope(), &asked.checked()?, poll)
}

pub fn item_drift(book: &Gradebook<'_>, asked: &impl Ask, poll: Poll<'_>) -> Result<Vec<Drift>> {
    solve::item_drift(book, &asked.scope(), &asked.checked()?, poll)
}

pub fn calibrate(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    settings: &calibrate::Settings,
    poll: Poll<'_>,
) -> Result<Calibration> {
    let settings = settings.clone().check()?;
    solve::calibrate(book, &asked.scope(), &asked.checked()?, &settings, poll)
}

pub fn students(book: &Gradebook<'_>, asked: &impl Ask, poll: Poll<'_>) -> Result<Vec<Student>> {
    let (scope, previous) = (asked.scope(), asked.previous());
    solve::students(book, &scope, &previous, &asked.checked()?, poll)
}

pub fn previous(
    old: &Gradebook<'_>,
    before: &impl Ask,
    book: &Gradebook<'_>,
    asked: &impl Ask,
    convert: &dyn Fn(i64) -> i64,
    poll: Poll<'_>,
) -> Result<Previous> {
    let (before, scope) = (before.scope(), asked.scope());
    solve::previous(old, &before, book, &scope, &asked.checked()?, convert, poll)
}

pub fn explain(
    book: &Gradebook<'_>,
    student: u32,
    asked: &impl Ask,
    poll: Poll<'_>,
) -> Result<Vec<Contribution>> {
    let (scope, previous) = (asked.scope(), asked.previous());
    solve::explain(book, student, &scope, &previous, &asked.checked()?, poll)
}

pub fn assessments(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    poll: Poll<'_>,
) -> Result<Vec<(u32, Assessment)>> {
    asked.checked()?;
    solve::assessments(book, &asked.scope(), poll)
}

pub fn missing_work<'p, A: Ask>(
    book: &Gradebook<'_>,
    asked: &A,
    poll: Poll<'p>,
) -> Result<impl Iterator<Item = due::Missing> + use<'p, A>> {
    Ok(missing_work_in_groups(book, asked, poll)?.list)
}

pub fn missing_work_in_groups<'p, A: Ask>(
    book: &Gradebook<'_>,
    asked: &A,
    poll: Poll<'p>,
) -> Result<due::MissingWork<impl Iterator<Item = due::Missing> + use<'p, A>>> {
    solve::missing_work(book, &asked.scope(), &asked.checked()?, poll)
}

pub fn coverage(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    poll: Poll<'_>,
) -> Result<Vec<(&'static str, u64)>> {
    solve::coverage(book, &asked.scope(), poll)
}

pub fn half_life_advice(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    resamples: u64,
    seed: u64,
    poll: Poll<'_>,
) -> Result<Advice> {
    let resampling = Resampling { resamples, seed }.check()?;
    solve::half_life_advice(book, &asked.scope(), &asked.checked()?, &resampling, poll)
}

pub fn backtest(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    settings: &Settings,
    poll: Poll<'_>,
) -> Result<Vec<Outcome>> {
    let (scope, options, cuts) = (asked.scope(), asked.checked()?, &settings.cuts);
    let (settings, resampling) = settings.checked()?;
    backtest::backtest(book, &scope, &options, cuts, &settings, &resampling, poll)
}

pub fn forecasts(
    book: &Gradebook<'_>,
    asked: &impl Ask,
    settings: &Settings,
    poll: Poll<'_>,
    each: impl FnMut(&Forecast),
) -> Result<()> {
    let (scope, options, cuts) = (asked.scope(), asked.checked()?, &settings.cuts);
    let (settings, _) = settings.checked()?;
    backtest::forecasts(book, &scope, &options, cuts, &settings, poll, each)
}
