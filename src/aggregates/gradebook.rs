//! The type `gradebook` and the aggregates that make it.

use std::borrow::Cow;
use std::ffi::{CStr, CString};

use pg_assess_core::gradebook::{Builder, Gradebook};
use pg_assess_core::ledger::{Census, Scope, rows_of_zero_time};
use pg_assess_core::memory;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{Internal, PgSqlErrorCode as Code, pg_sys};

use crate::error::{report, report_input};
use crate::functions::coverage::advice;
use crate::pg::arguments::Arguments;
use crate::pg::notices::{self, Notice};
use crate::pg::rows::{GroupReader, RosterReader, RowReader};
use crate::pg::state;
use crate::pg::wire::wire_bytes;
use crate::poll;

#[pg_extern(sql = false)]
fn gradebook_in(text: &CStr) -> Result<Vec<u8>, ErrorReport> {
    let text = text.to_string_lossy();
    Gradebook::from_text(&text, &poll)
        .map_err(|error| report_input(error, Code::ERRCODE_INVALID_TEXT_REPRESENTATION))
}

#[pg_extern(sql = false)]
fn gradebook_out(gradebook: &[u8]) -> Result<CString, ErrorReport> {
    memory::ask(Gradebook::text_bytes(gradebook.len())).map_err(report)?;
    // The text form has no zero byte; an empty string could not be read back.
    Ok(CString::new(Gradebook::to_text(gradebook)).unwrap_or_default())
}

#[pg_extern(sql = false)]
fn gradebook_recv(mut message: Internal) -> Result<Vec<u8>, ErrorReport> {
    Gradebook::canonical(wire_bytes(&mut message), &poll)
        .map_err(|error| report_input(error, Code::ERRCODE_INVALID_BINARY_REPRESENTATION))
}

#[pg_extern(sql = false)]
fn gradebook_send(gradebook: &[u8]) -> Result<Vec<u8>, ErrorReport> {
    copied(gradebook)
}

fn copied(bytes: &[u8]) -> Result<Vec<u8>, ErrorReport> {
    memory::ask(bytes.len()).map_err(report)?;
    Ok(bytes.to_vec())
}

/// What an aggregate holds of one group.
#[derive(Default)]
struct State {
    reader: Option<RowReader>,
    roster_reader: Option<RosterReader>,
    group_reader: Option<GroupReader>,
    builder: Builder,
    /// What a parallel worker sent, while nothing has been added to it.
    received: Option<Vec<u8>>,
}

impl State {
    #[inline(always)]
    fn push(&mut self, fcinfo: pg_sys::FunctionCallInfo) -> Result<(), Box<ErrorReport>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(RowReader::new(fcinfo)?),
        };
        let (clock, row) = reader.read(fcinfo)?;
        self.builder
            .push(clock, row)
            .map_err(|error| Box::new(report(error)))
    }

    fn enrol(&mut self, fcinfo: pg_sys::FunctionCallInfo) -> Result<(), Box<ErrorReport>> {
        let reader = match &mut self.roster_reader {
            Some(reader) => reader,
            none => none.insert(RosterReader::new(fcinfo)?),
        };
        let (clock, row) = reader.read(fcinfo)?;
        self.builder
            .enrol(clock, row)
            .map_err(|error| Box::new(report(error)))
    }

    fn merge(&mut self, bytes: &[u8]) -> Result<(), Box<ErrorReport>> {
        let merged = Gradebook::open(bytes).and_then(|other| self.builder.merge(&other, &poll));
        merged.map_err(|error| Box::new(report(error)))
    }

    fn merge_group(
        &mut self,
        fcinfo: pg_sys::FunctionCallInfo,
        bytes: &[u8],
    ) -> Result<(), Box<ErrorReport>> {
        let reader = match &mut self.group_reader {
            Some(reader) => reader,
            none => none.insert(GroupReader::new(fcinfo)?),
        };
        let group = reader.read(fcinfo)?;
        let builder = &mut self.builder;
        let merged =
            Gradebook::open(bytes).and_then(|other| builder.merge_group(&other, group, &poll));
        merged.map_err(|error| Box::new(report(error)))
    }

    fn encode(&self) -> Result<Cow<'_, [u8]>, ErrorReport> {
        match &self.received {
            Some(bytes) => Ok(Cow::Borrowed(bytes)),
            None => self.builder.encode(&poll).map(Cow::Owned).map_err(report),
        }
    }
}

#[pg_extern(sql = false)]
fn gradebook_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    state::update(fcinfo, State::default, |state| state.push(fcinfo))
}

#[pg_extern(sql = false)]
fn gradebook_combine(fcinfo: pg_sys::FunctionCallInfo) -> Result<Internal, ErrorReport> {
    match state::state::<State>(fcinfo, 1) {
        Some(other) => {
            let bytes = other.encode()?;
            Ok(state::update(fcinfo, State::default, |state| {
                state.merge(&bytes)
            }))
        }
        None => Ok(state::unchanged(fcinfo)),
    }
}

#[pg_extern(sql = false)]
fn gradebook_serial(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Vec<u8>>, ErrorReport> {
    let state = state::state::<State>(fcinfo, 0);
    let owned = |bytes| match bytes {
        Cow::Borrowed(bytes) => copied(bytes),
        Cow::Owned(bytes) => Ok(bytes),
    };
    state
        .map(|state| state.encode().and_then(owned))
        .transpose()
}

#[pg_extern(sql = false)]
fn gradebook_deserial(bytes: &[u8], _state: Internal) -> Result<Internal, ErrorReport> {
    Ok(Internal::new(State {
        received: Some(copied(bytes)?),
        ..State::default()
    }))
}

#[pg_extern(sql = false)]
fn gradebook_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Vec<u8>>, ErrorReport> {
    let gradebook = gradebook_serial(fcinfo)?;
    if let Some(bytes) = &gradebook {
        let gradebook = Gradebook::open(bytes).map_err(report)?;
        warn_of_rows_left_out(fcinfo, &gradebook)?;
        warn_of_zero_times(fcinfo, &gradebook)?;
    }
    Ok(gradebook)
}

#[pg_extern(sql = false)]
fn rollup_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    match Arguments::after_state(fcinfo).optional::<&[u8]>() {
        Some(bytes) => state::update(fcinfo, State::default, |state| state.merge(bytes)),
        None => state::unchanged(fcinfo),
    }
}

#[pg_extern(sql = false)]
fn rollup_by_group_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    match Arguments::after(fcinfo, 2).optional::<&[u8]>() {
        Some(bytes) => state::update(fcinfo, State::default, |state| {
            state.merge_group(fcinfo, bytes)
        }),
        None => state::unchanged(fcinfo),
    }
}

/// Two gradebooks as one; where one is NULL, it is the other.
#[pg_extern(sql = false)]
fn rollup_two(left: Option<&[u8]>, right: Option<&[u8]>) -> Result<Option<Vec<u8>>, ErrorReport> {
    let (Some(left), Some(right)) = (left, right) else {
        return left.or(right).map(copied).transpose();
    };
    let mut both = State::default();
    for part in [left, right] {
        both.merge(part).map_err(|report| *report)?;
    }
    both.encode().map(|bytes| Some(bytes.into_owned()))
}

#[pg_extern(sql = false)]
fn roster_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    state::update(fcinfo, State::default, |state| state.enrol(fcinfo))
}

#[pg_extern(sql = false)]
fn roster_final(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<Vec<u8>>, ErrorReport> {
    let gradebook = gradebook_serial(fcinfo)?;
    if let Some(bytes) = &gradebook {
        let unusable = Gradebook::open(bytes).map_err(report)?.roster().unusable();
        if unusable > 0 && notices::is_first_in_query(fcinfo, Notice::Enrolments) {
            log::warn!(
                "roster_agg left out {unusable} rows of a group that have no student or end \
                 before they begin; assess.coverage(gradebook) shows every group",
            );
        }
    }
    Ok(gradebook)
}

/// Warns once per query that rows do not count; `coverage` shows which and how many of every
/// group. No student is named.
fn warn_of_rows_left_out(
    fcinfo: pg_sys::FunctionCallInfo,
    gradebook: &Gradebook<'_>,
) -> Result<(), ErrorReport> {
    let census = Census::of(gradebook, &Scope::default(), &poll).map_err(report)?;
    if census.total() == 0 || !notices::is_first_in_query(fcinfo, Notice::Responses) {
        return Ok(());
    }
    let reasons = census.left_out.iter();
    let reasons: Vec<String> = reasons
        .map(|(reason, rows)| format!("{rows} {reason}"))
        .collect();
    let message = format!(
        "gradebook_agg: {} of {} rows of a group do not count: {}",
        census.total(),
        census.rows,
        reasons.join(", "),
    );
    let advice = census.doubt.map_or(EVERY_GROUP.to_owned(), |doubt| {
        format!("{} {EVERY_GROUP}", advice(doubt))
    });
    ErrorReport::new(Code::ERRCODE_WARNING, message, "gradebook_agg")
        .set_hint(advice)
        .report(PgLogLevel::WARNING);
    Ok(())
}

/// Warns once per query of times that may stand for no time.
fn warn_of_zero_times(
    fcinfo: pg_sys::FunctionCallInfo,
    gradebook: &Gradebook<'_>,
) -> Result<(), ErrorReport> {
    let rows = rows_of_zero_time(gradebook, &poll).map_err(report)?;
    if rows == 0 || !notices::is_first_in_query(fcinfo, Notice::ZeroTimes) {
        return Ok(());
    }
    let message = format!(
        "gradebook_agg: {rows} of {} rows of a group are of 1970-01-01, the time 0 of computers",
        gradebook.responses(),
    );
    ErrorReport::new(Code::ERRCODE_WARNING, message, "gradebook_agg")
        .set_hint(
            "Where 0 stands for never, make it NULL, as with to_timestamp(nullif(seconds, 0)): a \
             row without a time does not count.",
        )
        .report(PgLogLevel::WARNING);
    Ok(())
}

const EVERY_GROUP: &str = "assess.coverage(gradebook) shows every group.";
