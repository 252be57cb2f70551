//! What a gradebook holds, as rows again: declared in `sql/functions/contents.sql`.

use std::collections::HashMap;

use pg_assess_core::gradebook::{Builder, Gradebook, Ids, Mark, Sitting, State};
use pg_assess_core::ledger::{Ledger, Response};
use pg_assess_core::memory;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Result, report};
use crate::functions::options::{Rows, Time, read_as_of, read_scope};
use crate::pg::arguments::NamedArguments;
use crate::pg::time::{from_timestamptz, to_timestamptz};
use crate::pg::wire::{array, text_element};
use crate::poll;

/// A row of a gradebook by its numbers, as it came.
struct Came {
    student: u32,
    item: u32,
    assessment: u32,
    taken_at: i64,
    mark: Mark,
    attempt: Option<i64>,
    position: Option<i32>,
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn responses(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(item, String),
    name!(assessment, String),
    name!(taken_at, Time),
    name!(score, Option<f64>),
    name!(min_score, f64),
    name!(max_score, Option<f64>),
    name!(state, &'static str),
    name!(attempt, Option<i64>),
    name!(item_position, Option<i32>),
)> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let mut rows = Vec::new();
    let collect = |sitting: Sitting<'_, Mark>| {
        memory::ask_for_more(&rows, sitting.items.len())?;
        let answers = sitting.items.iter().zip(sitting.marks).enumerate();
        rows.extend(answers.map(|(at, (&item, &mark))| Came {
            student: sitting.student,
            item,
            assessment: sitting.assessment,
            taken_at: sitting.taken_at,
            mark,
            attempt: sitting.attempt,
            position: sitting.position(at),
        }));
        Ok(())
    };
    gradebook
        .visit(|mark| mark, &poll, collect)
        .map_err(report)?;
    // Rows are kept by number, and become text when Postgres asks for them.
    let clock = gradebook.clock();
    let students = gradebook.students().clone();
    let (items, assessments) = (gradebook.items().clone(), gradebook.assessments().clone());
    Ok(TableIterator::new(rows.into_iter().map(move |row| {
        let mark = row.mark;
        (
            students.get(row.student).to_string(),
            items.get(row.item).to_string(),
            assessments.get(row.assessment).to_string(),
            to_timestamptz(clock, row.taken_at),
            (mark.state == State::Scored).then_some(mark.score),
            mark.scale.min_score(),
            mark.scale.max_score(),
            mark.state.label(),
            row.attempt,
            row.position,
        )
    })))
}

type CountedRows = TableIterator<
    'static,
    (
        name!(student, String),
        name!(item, String),
        name!(assessment, String),
        name!(taken_at, Time),
        name!(score, f64),
        name!(bounded, bool),
    ),
>;

/// Rows are kept by number, and become text when Postgres asks for them.
fn in_text(gradebook: &Gradebook<'_>, rows: Vec<Response>) -> CountedRows {
    let clock = gradebook.clock();
    let students = gradebook.students().clone();
    let (items, assessments) = (gradebook.items().clone(), gradebook.assessments().clone());
    TableIterator::new(rows.into_iter().map(move |row| {
        (
            students.get(row.student).to_string(),
            items.get(row.item).to_string(),
            assessments.get(row.assessment).to_string(),
            to_timestamptz(clock, row.taken_at),
            row.score.value(),
            !row.score.is_unbounded(),
        )
    }))
}

#[pg_extern(sql = false)]
fn counted_responses(fcinfo: pg_sys::FunctionCallInfo) -> Result<CountedRows> {
    match counted(fcinfo)? {
        Some((gradebook, rows)) => Ok(in_text(&gradebook, rows)),
        None => Ok(TableIterator::empty()),
    }
}

/// The responses that count of a gradebook, if there is one.
fn counted(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<Option<(Gradebook<'static>, Vec<Response>)>> {
    let from = NamedArguments::of(fcinfo);
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(None);
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let scope = read_scope(&from, &gradebook)?;
    let rows = Ledger::counted(&gradebook, &scope, &poll).map_err(report)?;
    Ok(Some((gradebook, rows)))
}

/// How many answers a row of `_counted_sheets` has at most: no array grows without bound.
const SHEET: usize = 10_000;

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn counted_sheets(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(items, Vec<u8>),
    name!(assessments, Vec<u8>),
    name!(taken_at, Vec<u8>),
    name!(scores, Vec<u8>),
    name!(bounded, Vec<u8>),
)> {
    let Some((gradebook, rows)) = counted(fcinfo)? else {
        return Ok(TableIterator::empty());
    };
    let clock = gradebook.clock();
    let students = gradebook.students().clone();
    // Each is made once: it stands in many rows.
    let texts = |ids: &Ids| -> Vec<_> {
        let texts = (0..ids.len() as u32).map(|id| ids.get(id).to_string());
        texts.map(|text| text_element(&text)).collect()
    };
    let (items, assessments) = (texts(gradebook.items()), texts(gradebook.assessments()));
    let mut times = HashMap::new();
    let mut rows = rows.into_iter().peekable();
    Ok(TableIterator::new(std::iter::from_fn(move || {
        let student = rows.peek()?.student;
        let own = std::iter::from_fn(|| rows.next_if(|row| row.student == student));
        let sheet: Vec<Response> = own.take(SHEET).collect();
        let of = sheet.iter();
        let item = |row: &Response| &items[row.item as usize];
        let assessment = |row: &Response| &assessments[row.assessment as usize];
        let time = |row: &Response| {
            let time = times.entry(row.taken_at);
            time.or_insert_with(|| to_timestamptz(clock, row.taken_at))
                .to_ne_bytes()
        };
        Some((
            students.get(student).to_string(),
            array(pg_sys::TEXTOID, of.clone().map(item)),
            array(pg_sys::TEXTOID, of.clone().map(assessment)),
            array(pg_sys::TIMESTAMPTZOID, of.clone().map(time)),
            array(
                pg_sys::FLOAT8OID,
                of.clone().map(|row| row.score.value().to_ne_bytes()),
            ),
            array(
                pg_sys::BOOLOID,
                of.map(|row| [u8::from(!row.score.is_unbounded())]),
            ),
        ))
    })))
}

/// The gradebook without some items; unknown ones are passed over.
#[pg_extern(sql = false)]
fn without(fcinfo: pg_sys::FunctionCallInfo) -> Result<Vec<u8>> {
    let from = NamedArguments::of(fcinfo);
    let bytes: &[u8] = from.required("gradebook")?;
    let items: Vec<Option<String>> = from.required("items")?;
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let numbers: Vec<u32> = items
        .iter()
        .filter_map(|item| gradebook.items().find(item.as_deref()?))
        .collect();
    let mut builder = Builder::new();
    builder
        .merge_without(&gradebook, &numbers, &poll)
        .and_then(|()| builder.encode(&poll))
        .map_err(report)
}

/// Count, first and last time of a student's responses.
#[derive(Clone, Copy)]
struct Seen {
    n: i64,
    first_at: i64,
    last_at: i64,
}

#[pg_extern(sql = false)]
fn members(
    fcinfo: pg_sys::FunctionCallInfo,
) -> Rows<(
    name!(student, String),
    name!(n, i64),
    name!(first_at, Option<Time>),
    name!(last_at, Option<Time>),
)> {
    let from = NamedArguments::of(fcinfo);
    let as_of = read_as_of(&from)?;
    let Some(bytes) = from.optional::<&[u8]>("gradebook") else {
        return Ok(TableIterator::empty());
    };
    let gradebook = Gradebook::open(bytes).map_err(report)?;
    let limit = as_of.map_or(i64::MAX, |at| from_timestamptz(gradebook.clock(), at));
    memory::ask(size_of::<Option<Seen>>() * gradebook.students().len()).map_err(report)?;
    let mut seen: Vec<Option<Seen>> = vec![None; gradebook.students().len()];
    let count = |sitting: Sitting<'_, bool>| {
        let scored = sitting.marks.iter().filter(|is_scored| **is_scored);
        let (n, at) = (scored.count() as i64, sitting.taken_at);
        if at > limit {
            return Ok(());
        }
        let seen = &mut seen[sitting.student as usize];
        *seen = Some(match *seen {
            None => Seen {
                n,
                first_at: at,
                last_at: at,
            },
            Some(before) => Seen {
                n: before.n + n,
                first_at: before.first_at.min(at),
                last_at: before.last_at.max(at),
            },
        });
        Ok(())
    };
    let is_scored = |mark: Mark| mark.state == State::Scored;
    gradebook.visit(is_scored, &poll, count).map_err(report)?;
    let (clock, students) = (gradebook.clock(), gradebook.students().clone());
    Ok(TableIterator::new((0..).zip(seen).map(
        move |(student, seen)| {
            (
                students.get(student).to_string(),
                seen.map_or(0, |seen| seen.n),
                seen.map(|seen| to_timestamptz(clock, seen.first_at)),
                seen.map(|seen| to_timestamptz(clock, seen.last_at)),
            )
        },
    )))
}
