//! The set-returning functions over a gradebook. Each reads its arguments in the order of its
//! declaration in `sql/functions/solvers.sql`, lets the core work, and hands on the rows.

use pg_assess_core::Error;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::item::ebel_label;
use pg_assess_core::options::{Attempts, Options};
use pg_assess_core::solve;
use pg_assess_core::time::{MAX_TIME, MIN_TIME};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Result, report};
use crate::poll;
use crate::varlena::{Arguments, from_timestamptz, to_timestamptz};

/// A `timestamptz` column.
pub type Time = i64;

pub type Rows<Row> = Result<TableIterator<'static, Row>>;

/// `as_of`, as it was given.
pub fn read_as_of(from: &mut Arguments) -> Result<Option<i64>> {
    from.optional::<TimestampWithTimeZone>()
        .map(|at| finite("as_of", at))
        .transpose()
}

/// A time of an argument, which must not be infinite.
pub fn finite(name: &'static str, at: TimestampWithTimeZone) -> Result<i64> {
    let at = i64::from(at);
    if !(MIN_TIME..=MAX_TIME).contains(&at) {
        return Err(report(Error::Argument {
            name,
            value: if at < 0 { "-infinity" } else { "infinity" }.to_owned(),
            expected: "a finite time, or leave it out",
        }));
    }
    Ok(at)
}

fn read_attempts(from: &mut Arguments) -> Result<Attempts> {
    from.required::<String>("attempts")?.parse().map_err(report)
}

/// `as_of`, `attempts`, `exclude`: which responses count.
pub struct Scope {
    as_of: Option<i64>,
    attempts: Attempts,
    exclude: Vec<Option<String>>,
}

impl Scope {
    pub fn read(from: &mut Arguments) -> Result<Self> {
        Ok(Self {
            as_of: read_as_of(from)?,
            attempts: read_attempts(from)?,
            exclude: from.optional().unwrap_or_default(),
        })
    }

    /// The options with the scope in the terms of a gradebook: its clock and its numbers.
    pub fn of(&self, gradebook: &Gradebook<'_>, options: Options) -> Options {
        // What another subject's gradebook holds may stand in the same list.
        let exclude = self.exclude.iter().flatten();
        Options {
            as_of: self.as_of.map(|at| from_timestamptz(gradebook.clock(), at)),
            attempts: self.attempts,
            exclude: exclude
                .filter_map(|assessment| gradebook.assessments().find(assessment))
                .collect(),
            ..options
        }
    }
}

/// `previous`, `carry_over`: what last year counts.
fn read_previous(
    from: &mut Arguments,
    scope: &Scope,
    gradebook: &Gradebook<'_>,
    options: &mut Options,
) -> Result<()> {
    let bytes = from.optional::<&[u8]>();
    options.carry_over = from.required("carry_over")?;
    let Some(bytes) = bytes else {
        return Ok(());
    };
    let previous = Gradebook::open(bytes).map_err(report)?;
    let before = scope.of(&previous, options.clone());
    let (now, then) = (gradebook.clock(), previous.clock());
    let convert = |at| match now == then {
        true => at,
        false => from_timestamptz(then, to_timestamptz(now, at)),
    };
    options.previous =
        solve::previous(&previous, &before, gradebook, options, &convert, &poll).map_err(report)?;
    Ok(())
}

/// `adjust_difficulty` to `flag_alpha`: how questions are judged.
pub fn read_quality(from: &mut Arguments, options: &mut Options) -> Result<()> {
    options.adjust_difficulty = from.required("adjust_difficulty")?;
    options.shrink = from.required("shrink")?;
    options.weight_floor = from.required("weight_floor")?;
    options.min_answers = from.required("min_answers")?;
    options.flag_answers = from.count("flag_answers")?;
    options.flag_alpha = from.required("flag_alpha")?;
    Ok(())
}

/// `quality` to `noise_df`: how levels are formed.
pub fn read_level(from: &mut Arguments, options: &mut Options) -> Result<()> {
    options.quality = from.required("quality")?;
    options.counting = from
        .required::<String>("counting")?
        .parse()
        .map_err(report)?;
    options.half_precision_items = from.required("half_precision_items")?;
    options.noise_df = from.required("noise_df")?;
    Ok(())
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn items(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(item, String),
    name!(assessments, i32),
    name!(n, i64),
    name!(n_effective, f64),
    name!(facility, Option<f64>),
    name!(r_rest, Option<f64>),
    name!(discrimination, Option<f64>),
    name!(discrimination_se, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(somers_d, Option<f64>),
    name!(discrimination_index, Option<f64>),
    name!(weight, f64),
    name!(status, &'static str),
    name!(status_rank, i32),
    name!(label, Option<&'static str>),
    name!(first_at, Time),
    name!(last_at, Time),
)> {
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let mut options = Scope::read(&mut from)?.of(&gradebook, Options::default());
    read_quality(&mut from, &mut options)?;
    options.upper_lower_share = from.required("upper_lower_share")?;
    options.confidence = from.required("confidence")?;
    let items = solve::items(&gradebook, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.items().clone());
    Ok(TableIterator::new(items.into_iter().map(move |row| {
        let quality = row.quality;
        let d = quality.discrimination;
        (
            ids.get(row.item).to_string(),
            quality.assessments as i32,
            quality.n as i64,
            quality.n_effective,
            row.facility,
            quality.r_rest,
            d.map(|d| d.value),
            d.map(|d| d.se),
            d.map(|d| d.ci_low),
            d.map(|d| d.ci_high),
            row.separation.somers_d,
            row.separation.discrimination_index,
            quality.weight,
            quality.status.label(),
            quality.status.rank(),
            d.map(|d| ebel_label(d.value)),
            to_timestamptz(clock, row.first_at),
            to_timestamptz(clock, row.last_at),
        )
    })))
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn students(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(level, Option<f64>),
    name!(level_se, Option<f64>),
    name!(ci_low, Option<f64>),
    name!(ci_high, Option<f64>),
    name!(raw_level, Option<f64>),
    name!(prior, Option<f64>),
    name!(information, Option<f64>),
    name!(n, i64),
    name!(assessments, i32),
    name!(last_at, Option<Time>),
    name!(slope, Option<f64>),
    name!(slope_se, Option<f64>),
    name!(trend_p, Option<f64>),
    name!(trend, &'static str),
    name!(trend_rank, i32),
    name!(need, Option<f64>),
    name!(need_rank, Option<i64>),
    name!(due, i32),
    name!(missing, i32),
    name!(status, &'static str),
    name!(status_rank, i32),
)> {
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let half_life = from.days("half_life")?;
    let scope = Scope::read(&mut from)?;
    let mut options = scope.of(&gradebook, Options::default());
    options.half_life = half_life;
    options.cut = from.optional();
    options.cut_share = from.required("cut_share")?;
    read_quality(&mut from, &mut options)?;
    read_level(&mut from, &mut options)?;
    options.confidence = from.required("confidence")?;
    options.stale_half_lives = from.required("stale_half_lives")?;
    options.trend_window = from.optional_days();
    options.trend_min_dates = from.count("trend_min_dates")?;
    options.trend_min_days = from.days("trend_min_span")?;
    options.trend_alpha = from.required("trend_alpha")?;
    options.steady_margin = from.required("steady_margin")?;
    options.due_share = from.required("due_share")?;
    options.trend_noise_df = from.required("trend_noise_df")?;
    read_previous(&mut from, &scope, &gradebook, &mut options)?;
    let students = solve::each_student(&gradebook, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.students().clone());
    Ok(TableIterator::new(students.map(move |row| {
        let level = row.level.as_ref();
        (
            ids.get(row.student).to_string(),
            level.map(|level| level.level),
            level.and_then(|level| level.se),
            level.and_then(|level| level.ci_low),
            level.and_then(|level| level.ci_high),
            level.and_then(|level| level.raw_level),
            level.map(|level| level.prior),
            level.map(|level| level.information),
            row.n as i64,
            row.assessments as i32,
            level
                .and_then(|level| level.last_at)
                .map(|at| to_timestamptz(clock, at)),
            row.trend.slope,
            row.trend.slope_se,
            row.trend.p,
            row.trend.direction.label(),
            row.trend.direction.rank(),
            level.and_then(|level| level.need),
            row.need_rank.map(|rank| rank as i64),
            row.work.due as i32,
            row.work.missing as i32,
            row.status.label(),
            row.status.rank(),
        )
    })))
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn assessments(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(assessment, String),
    name!(items, i64),
    name!(students, i64),
    name!(n, i64),
    name!(first_at, Time),
    name!(last_at, Time),
    name!(mean, f64),
    name!(sd, Option<f64>),
    name!(alpha, Option<f64>),
    name!(alpha_se, Option<f64>),
    name!(sem, Option<f64>),
)> {
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let options = Scope::read(&mut from)?.of(&gradebook, Options::default());
    let assessments = solve::assessments(&gradebook, &options, &poll).map_err(report)?;
    let (clock, ids) = (gradebook.clock(), gradebook.assessments().clone());
    Ok(TableIterator::new(assessments.into_iter().map(
        move |(assessment, row)| {
            (
                ids.get(assessment).to_string(),
                row.items as i64,
                row.students as i64,
                row.n as i64,
                to_timestamptz(clock, row.first_at),
                to_timestamptz(clock, row.last_at),
                row.mean,
                row.sd,
                row.alpha,
                row.alpha_se,
                row.sem,
            )
        },
    )))
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn explain(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(assessment, String),
    name!(item, String),
    name!(taken_at, Time),
    name!(score, f64),
    name!(expected, f64),
    name!(quality, f64),
    name!(decay, f64),
    name!(share, f64),
    name!(contribution, f64),
)> {
    let mut from = Arguments::of(fcinfo);
    let (Some(bytes), Some(student)) = (from.optional::<&[u8]>(), from.optional::<String>()) else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let half_life = from.days("half_life")?;
    let scope = Scope::read(&mut from)?;
    let mut options = scope.of(&gradebook, Options::default());
    options.half_life = half_life;
    read_quality(&mut from, &mut options)?;
    read_level(&mut from, &mut options)?;
    read_previous(&mut from, &scope, &gradebook, &mut options)?;
    // A student may be in one subject's gradebook and not in another's.
    let Some(student) = gradebook.students().find(&student) else {
        return Ok(TableIterator::empty());
    };
    let rows = solve::explain(&gradebook, student, &options, &poll).map_err(report)?;
    let clock = gradebook.clock();
    let (assessments, items) = (gradebook.assessments().clone(), gradebook.items().clone());
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        (
            assessments.get(row.assessment).to_string(),
            items.get(row.item).to_string(),
            to_timestamptz(clock, row.taken_at),
            row.score,
            row.expected,
            row.quality,
            row.decay,
            row.share,
            row.contribution,
        )
    })))
}

#[pg_extern(sql = false)]
fn coverage(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(name!(reason, &'static str), name!(rows, i64))> {
    let mut from = Arguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>() else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = Scope {
        as_of: read_as_of(&mut from)?,
        attempts: read_attempts(&mut from)?,
        exclude: Vec::new(),
    };
    let options = scope.of(&gradebook, Options::default());
    let rows = solve::coverage(&gradebook, &options, &poll).map_err(report)?;
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(reason, rows)| (reason, i64::try_from(rows).unwrap_or(i64::MAX)))
        .collect();
    Ok(TableIterator::new(rows))
}
