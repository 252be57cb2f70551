//! The flat form of version 2, byte for byte.
//!
//! It is stored in users' tables and in dumps, so it is frozen: a change that fails here needs
//! another version byte. The bytes were not taken from the program: those that have a word on each
//! part were written down from the description in docs/technical/format.md, the others come from a
//! second program that was written from it.

mod marks;
mod tables;

use std::cmp::Ordering;

use pg_assess_core::gradebook::{
    Builder, Error, Gradebook, Id, MAX_ENCODED_BYTES, MAX_TEXT_BYTES, MaxScore, Standing, State,
};
use pg_assess_core::time::{Clock, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{OwnId, OwnRow, check, go, row};

fn encode(clock: Clock, rows: &[OwnRow]) -> Vec<u8> {
    let mut builder = Builder::new();
    for row in rows {
        builder.push(clock, row.row()).expect("ids of one type");
    }
    builder.encode(&go).expect("a small gradebook")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits"))
        .collect()
}

/// The bytes of a golden, whose lines may end in a word on what they are.
fn golden_bytes(golden: &str) -> Vec<u8> {
    let digits = golden.lines().map(|line| line.split('#').next());
    let digits: String = digits.map(Option::unwrap_or_default).collect();
    unhex(&digits.replace(' ', ""))
}

/// A row as read back.
#[derive(Debug, Clone, PartialEq)]
struct Read {
    student: OwnId,
    assessment: OwnId,
    taken_at: i64,
    attempt: Option<i64>,
    item: OwnId,
    min: f64,
    max: Option<f64>,
    state: State,
    /// None where there is none.
    score: Option<f64>,
    position: Option<i32>,
}

impl Read {
    /// The order of the flat form.
    fn order(&self, other: &Self) -> Ordering {
        let ids = |read: &Self| {
            (
                read.student.clone(),
                read.assessment.clone(),
                read.taken_at,
                read.attempt,
                read.item.clone(),
            )
        };
        // Of those without a maximum, the scale comes last.
        let no_max = |read: &Self| read.max.is_none();
        let max = |read: &Self| read.max.unwrap_or_default();
        ids(self)
            .cmp(&ids(other))
            .then(no_max(self).cmp(&no_max(other)))
            .then(max(self).total_cmp(&max(other)))
            .then(self.min.total_cmp(&other.min))
            .then(self.state.cmp(&other.state))
            .then((self.score.unwrap_or_default()).total_cmp(&other.score.unwrap_or_default()))
            .then(self.position.cmp(&other.position))
    }
}

/// An id of a table.
fn own(id: Id<'_>) -> OwnId {
    match id {
        Id::Integer(value) => OwnId::Integer(value),
        Id::Uuid(value) => OwnId::Uuid(value),
        Id::Text(text) => OwnId::Text(text.to_owned()),
    }
}

fn decode(bytes: &[u8]) -> Vec<Read> {
    let book = check(bytes).expect("a gradebook");
    let mut rows = Vec::new();
    book.visit(
        |mark| mark,
        &go,
        |sitting| {
            for (at, (&item, mark)) in sitting.items.iter().zip(sitting.marks).enumerate() {
                rows.push(Read {
                    student: own(book.students().get(sitting.student)),
                    assessment: own(book.assessments().get(sitting.assessment)),
                    taken_at: sitting.taken_at,
                    attempt: sitting.attempt,
                    item: own(book.items().get(item)),
                    min: mark.scale.min_score(),
                    max: mark.scale.max_score(),
                    state: mark.state,
                    score: (mark.state == State::Scored).then_some(mark.score),
                    position: sitting.position(at),
                });
            }
            Ok(())
        },
    )
    .expect("checked rows");
    rows
}

/// What is to be read back of rows, by the description, in the order of the flat form.
fn expected(rows: &[OwnRow]) -> Vec<Read> {
    let mut rows: Vec<Read> = rows.iter().filter_map(kept).collect();
    rows.sort_by(Read::order);
    rows
}

/// A row as it is kept; none where no reading can use it.
fn kept(row: &OwnRow) -> Option<Read> {
    let min = row.min_score.unwrap_or(0.0);
    let max = match row.max_score {
        MaxScore::Share => Some(1.0),
        MaxScore::Points(max) => max,
    };
    let is_scale = match max {
        Some(max) if min == f64::NEG_INFINITY => max == f64::INFINITY,
        Some(max) => min < max,
        None => min.is_finite(),
    };
    let state = match row.standing {
        Standing::Counts if row.score.is_none() => State::NoScore,
        Standing::Counts | Standing::Zero => State::Scored,
        Standing::Waiting => State::Waiting,
        Standing::NotTaken => State::NotTaken,
        Standing::Exempt => State::Exempt,
    };
    let is_scored = state == State::Scored;
    let score = match row.standing {
        // Of the scale, what is nearest to 0.
        Standing::Zero if min > 0.0 => Some(min),
        Standing::Zero => Some(max.map_or(0.0, |max| max.min(0.0))),
        _ => row.score.filter(|_| is_scored),
    };
    let is_kept = row
        .taken_at
        .is_some_and(|at| (MIN_TIME..=MAX_TIME).contains(&at))
        && (!is_scored || is_scale && score.is_some_and(f64::is_finite));
    is_kept.then_some(())?;
    let (min, max) = match is_scale {
        true => (min, max),
        false => (0.0, None),
    };
    Some(Read {
        student: row.student.clone()?,
        assessment: row.assessment.clone()?,
        taken_at: row.taken_at?,
        attempt: row.attempt,
        item: row.item.clone()?,
        // Without the sign of a zero.
        min: min + 0.0,
        max: max.map(|max| max + 0.0),
        state,
        score: score.map(|score| score + 0.0),
        position: row.position,
    })
}

#[track_caller]
fn assert_golden(clock: Clock, rows: &[OwnRow], golden: &str) {
    let golden = golden_bytes(golden);
    assert_eq!(hex(&encode(clock, rows)), hex(&golden));
    // Its zeros have no sign, which a comparison of numbers would not see.
    assert_eq!(
        format!("{:?}", decode(&golden)),
        format!("{:?}", expected(rows))
    );
}

const NOTHING: &str = "
    02 00          # version, flags
    00 00 00       # no students, items and assessments
    00000000 00    # no rows left out without an item, and none of an item
    00             # no students with rows that are left out
    00 01          # earliest time 0, unit 1
    00 00          # no scales, no marks
    00             # no responses
";

#[test]
fn nothing() {
    assert_golden(Clock::Calendar, &[], NOTHING);
    assert_golden(Clock::Absolute, &[], NOTHING);
}

#[test]
fn other_versions_are_refused() {
    let refused = |version: u8| {
        let mut bytes = golden_bytes(NOTHING);
        bytes[0] = version;
        check(&bytes).err()
    };
    assert_eq!(refused(2), None);
    assert_eq!(refused(0), Some(Error::Malformed("the version is unknown")));
    assert_eq!(refused(1), Some(Error::Older(1)));
    assert_eq!(refused(3), Some(Error::Newer(3)));
    assert_eq!(refused(255), Some(Error::Newer(255)));
    // One response, as version 1 wrote it.
    let text = "gradebook:AQAAAAAAAAABAQIBAQQBAQYAgIDs9Y4UAQEAAAAAAADgPwEBAAAAAQA=";
    assert_eq!(Gradebook::from_text(text, &go), Err(Error::Older(1)));
}

#[test]
fn the_text_form() {
    let rows = [row(1, 2, 3, 0.5, 4.0)];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0101 02   0101 04   0101 06          # student 1, item 2, assessment 3
        00000000 00   00                     # nothing left out
        8080ecf58e14 01 00                   # 4 days, unit 1, the assessment at once
        01 0000000000000000 000000000000f03f # a scale from 0 to 1
        01 00 000000000000e03f               # a mark on it: 0.5
        01                                   # one response
        00000000                             # the first student begins at once
        01   00 00 00 01 00                  # one sitting with the first item and mark
        ",
    );
    let bytes = encode(Clock::Calendar, &rows);
    let text = "gradebook:AgABAQIBAQQBAQYAAAAAAACAgOz1jhQBAAEAAAAAAAAAAAAAAAAAAPA/AQAAAAAAAADgPwEAAAAAAQAAAAEA";
    assert_eq!(Gradebook::to_text(&bytes), text);
    assert_eq!(Gradebook::from_text(text, &go), Ok(bytes.clone()));
    assert_eq!(Gradebook::from_text(&format!(" {text}\n"), &go), Ok(bytes));
}

#[test]
fn what_can_be_made_can_be_dumped() {
    let text_bytes = |bytes: u64| "gradebook:".len() as u64 + 4 * bytes.div_ceil(3);
    for n in 0..10 {
        let text = Gradebook::to_text(&vec![7; n]);
        assert_eq!(text.len() as u64, text_bytes(n as u64), "{n} bytes");
    }
    // Postgres takes a row of up to 0x3fffffff bytes (`MaxAllocSize` in `utils/memutils.h`).
    const { assert!(MAX_TEXT_BYTES < 0x3fff_ffff) };
    assert!(text_bytes(MAX_ENCODED_BYTES) <= MAX_TEXT_BYTES);
    assert!(
        text_bytes(MAX_ENCODED_BYTES + 3) > MAX_TEXT_BYTES,
        "no more is refused than must be"
    );
}
