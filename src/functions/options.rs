//! Options as arguments of functions, read by their names: which responses count, and the choices
//! of the method.

use pg_assess_core::domain::{Argument, Domain};
use pg_assess_core::gradebook::{Gradebook, Mark, State};
use pg_assess_core::ledger::{Attempts, Blanks, MissingMax, OutOfRange, Reading, Scope};
use pg_assess_core::options::{Checked, Choices, Counting, Options, Row, Slot};
use pg_assess_core::solve;
use pg_assess_core::students::previous::Previous;
use pg_assess_core::time::{MAX_TIME, MIN_TIME};
use pgrx::PgSqlErrorCode as Code;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;

use crate::error::{Result, report};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::{from_timestamptz, to_timestamptz};
use crate::poll;

/// A `timestamptz` column.
pub type Time = i64;

pub type Rows<Row> = Result<TableIterator<'static, Row>>;

/// A time of an argument, which must not be infinite.
pub fn finite(name: &'static str, at: TimestampWithTimeZone) -> Result<i64> {
    let at = i64::from(at);
    if !(MIN_TIME..=MAX_TIME).contains(&at) {
        let value = if at < 0 { "-infinity" } else { "infinity" };
        return Err(refused(name, value, "a finite time, or leave it out"));
    }
    Ok(at)
}

/// `as_of`, as it was given.
pub fn read_as_of(from: &NamedArguments) -> Result<Option<i64>> {
    from.optional::<TimestampWithTimeZone>("as_of")
        .map(|at| finite("as_of", at))
        .transpose()
}

/// `as_of`, `attempts`, `exclude`, `exclude_items` and how marks are read: which responses count, in the terms of a
/// gradebook: its clock and its numbers.
pub fn read_scope(from: &NamedArguments, gradebook: &Gradebook<'_>) -> Result<Scope> {
    Ok(Scope {
        reading: read_reading(from, gradebook)?,
        ..read_rows(from, gradebook)?
    })
}

/// The same, but of how marks are read, which is as usual.
pub fn read_rows(from: &NamedArguments, gradebook: &Gradebook<'_>) -> Result<Scope> {
    let exclude: Vec<Option<String>> = from.optional("exclude").unwrap_or_default();
    let items: Vec<Option<String>> = from.optional("exclude_items").unwrap_or_default();
    Ok(Scope {
        as_of: read_as_of(from)?.map(|at| from_timestamptz(gradebook.clock(), at)),
        attempts: match from.has("attempts") {
            true => label(from, "attempts", Attempts::of_label, Attempts::EXPECTED)?,
            false => Attempts::default(),
        },
        // What another subject's gradebook holds may stand in the same list.
        exclude: exclude
            .iter()
            .flatten()
            .filter_map(|assessment| gradebook.assessments().find(assessment))
            .collect(),
        exclude_items: items
            .iter()
            .flatten()
            .filter_map(|item| gradebook.items().find(item))
            .collect(),
        ..Scope::default()
    })
}

/// `out_of_range`, `missing_max`, `blanks`: what marks count as that are no plain score.
pub fn read_reading(from: &NamedArguments, gradebook: &Gradebook<'_>) -> Result<Reading> {
    let reading = Reading {
        out_of_range: label(
            from,
            "out_of_range",
            OutOfRange::of_label,
            OutOfRange::EXPECTED,
        )?,
        missing_max: label(
            from,
            "missing_max",
            MissingMax::of_label,
            MissingMax::EXPECTED,
        )?,
        blanks: label(from, "blanks", Blanks::of_label, Blanks::EXPECTED)?,
    };
    let may_be_blank = |mark: &Mark| mark.state == State::NoScore;
    let asks_for_order = reading.blanks == Blanks::ZeroBeforeLastAnswer;
    let has_blanks = gradebook.marks().iter().any(may_be_blank);
    match asks_for_order && has_blanks && !gradebook.has_positions() {
        true => Err(no_positions()),
        false => Ok(reading),
    }
}

fn no_positions() -> ErrorReport {
    let message = "blanks cannot be counted as zero before the last answer";
    ErrorReport::new(
        Code::ERRCODE_INVALID_PARAMETER_VALUE,
        message,
        "read_reading",
    )
    .set_detail("The gradebook does not say in which order the questions came.")
    .set_hint(
        "Give the place of the question in the sitting as item_position, or ask for blanks => \
             'zero' or 'ignore'.",
    )
}

/// The choice that an argument names.
fn label<T>(
    from: &NamedArguments,
    name: &'static str,
    of_label: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<T> {
    let label: String = from.required(name)?;
    of_label(&label).ok_or_else(|| refused(name, &label, expected))
}

/// `previous`: what last year's gradebook says of the students.
pub fn read_previous(
    from: &NamedArguments,
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
) -> Result<Previous> {
    let Some(bytes) = from.optional::<&[u8]>("previous") else {
        return Ok(Previous::default());
    };
    let old = Gradebook::open(bytes).map_err(report)?;
    let before = read_scope(from, &old)?;
    let (now, then) = (gradebook.clock(), old.clock());
    let convert = |at| match now == then {
        true => at,
        false => from_timestamptz(then, to_timestamptz(now, at)),
    };
    solve::previous(&old, &before, gradebook, scope, options, &convert, &poll).map_err(report)
}

/// A set of options: of those that the function has as arguments the values given, of the others
/// the defaults.
pub fn read<C: Choices>(from: &NamedArguments) -> Result<Checked<C>> {
    let mut choices = C::default();
    for (row, slot) in choices.slots() {
        if from.has(row.name) {
            read_one(from, row, slot)?;
        }
    }
    choices.check().map_err(report)
}

fn read_one(from: &NamedArguments, row: Row, slot: Slot<'_>) -> Result<()> {
    let name = row.name;
    match slot {
        Slot::Boolean(place) => *place = from.required(name)?,
        Slot::Integer(place) if row.domain == Domain::Seed => {
            *place = from.required::<i64>(name)? as u64;
        }
        Slot::Integer(place) => {
            let value: i32 = from.required(name)?;
            *place = u64::try_from(value)
                .map_err(|_| refused(name, &value.to_string(), row.domain.expected()))?;
        }
        Slot::Number(place) if row.domain.is_span() => *place = from.days(name)?,
        Slot::Number(place) => *place = from.required(name)?,
        Slot::OptionalNumber(place) if row.domain.is_span() => *place = from.optional_days(name),
        Slot::OptionalNumber(place) => *place = from.optional(name),
        Slot::Counting(place) => {
            let label: String = from.required(name)?;
            *place = Counting::of_label(&label)
                .ok_or_else(|| refused(name, &label, row.domain.expected()))?;
        }
    }
    Ok(())
}

fn refused(name: &'static str, value: &str, expected: &'static str) -> ErrorReport {
    report(Argument {
        name,
        value: value.to_owned(),
        expected,
    })
}
