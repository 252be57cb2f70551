//! The gradebook: every response of a subject in one compact value.
//!
//! A gradebook is a multiset of responses in a canonical form. Whatever the order of the rows,
//! and however they were split and merged, equal rows give equal bytes; so every result computed
//! from it is the same to the last bit. Nothing is rounded and nothing decided in it: repeated
//! attempts, the date as of which to look and the half-life are chosen when it is solved.
//!
//! # Flat form, version 1
//!
//! Integers are LEB128, signed ones zigzag; `f64` are 8 bytes little endian.
//! ```text
//! version  1 byte    1
//! flags    1 byte    bit 0: times are absolute (timestamptz) and not calendar times;
//!                    bit 1: a roster follows the unscored students;
//!                    other bits: reserved, 0
//! excluded 6 counts  in the order of `Exclusion::ALL`
//! ids      3 tables  students, items, assessments: type, count, ids in ascending order
//! unscored count, then (student as difference, earliest time) of students with excluded rows
//! roster   with bit 1 alone: table of group ids, count of unusable rows, count of periods, then
//!          per period student (difference), group and which ends are given, these ends (each as
//!          difference to the last one given in that group)
//! times    earliest time, unit: all times are earliest + k * unit, in microseconds
//! scores   count, distinct scores in ascending order; 0 when there are too many to list
//! rows     count of responses, then per student a count of sittings, then per sitting
//!          assessment (difference to the student's last), time in units and first item (both
//!          as difference to the last sitting of that assessment), count of responses, further
//!          items as differences, scores as places in the list
//! ```
//! A *sitting* is what one student answered of one assessment at one time.

mod builder;
mod excluded;
mod id;
mod roster;
mod score;

pub use builder::{
    Builder, Enrolment, MAX_ENCODED_BYTES, MAX_RESPONSES, MAX_STUDENTS, MAX_TEXT_BYTES, MaxScore,
    Row,
};
pub use excluded::{Excluded, Exclusion};
pub use id::{Id, Ids, MAX_ID_BYTES};
pub use roster::{MAX_PERIODS, Period, Roster};
pub use score::Score;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Poll;
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::memory;
use crate::time::{Clock, MAX_TIME, MIN_TIME};
use score::Dictionary;

const VERSION: u8 = 1;
const FLAG_ABSOLUTE: u8 = 1;
const FLAG_ROSTER: u8 = 2;
/// Marks the text form, so that it is recognised before it is decoded.
const TEXT_PREFIX: &str = "gradebook:";

/// One student's answers to one assessment at one time.
#[derive(Debug, Clone, Copy)]
pub struct Sitting<'a> {
    pub student: u32,
    pub assessment: u32,
    /// Microseconds since 2000-01-01.
    pub taken_at: i64,
    /// Ascending; an item stands twice when the same answer came twice.
    pub items: &'a [u32],
    pub scores: &'a [Score],
}

/// A gradebook in its flat form, with the tables in front of the responses already read.
#[derive(Debug, Clone)]
pub struct Gradebook<'a> {
    clock: Option<Clock>,
    excluded: Excluded,
    students: Ids,
    items: Ids,
    assessments: Ids,
    /// Students with excluded rows, and the earliest time of these.
    unscored: Vec<(u32, i64)>,
    roster: Roster,
    earliest: i64,
    unit: u64,
    dictionary: Dictionary,
    responses: u64,
    rows: Reader<'a>,
}

impl<'a> Gradebook<'a> {
    /// Reads the tables; the responses are checked when [visited](Gradebook::visit).
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(if version > VERSION {
                Error::Newer(version)
            } else {
                Error::Malformed("the version is unknown")
            });
        }
        let flags = from.byte()?;
        if flags & !(FLAG_ABSOLUTE | FLAG_ROSTER) != 0 {
            return Err(Error::Newer(version));
        }
        let excluded = Excluded::decode(&mut from)?;
        let students = Ids::decode(&mut from)?;
        if students.len() as u64 > MAX_STUDENTS {
            return Err(Error::TooLarge {
                what: "students",
                limit: MAX_STUDENTS,
            });
        }
        let items = Ids::decode(&mut from)?;
        let assessments = Ids::decode(&mut from)?;
        let count = from.count(2)?;
        memory::ask(count * size_of::<(u32, i64)>())?;
        let mut unscored = Vec::with_capacity(count);
        let mut next = 0u64;
        for _ in 0..count {
            let student = next.saturating_add(from.varint()?);
            if student >= students.len() as u64 {
                return Err(Error::Malformed("a student is not in the table"));
            }
            unscored.push((student as u32, from.signed()?));
            next = student + 1;
        }
        let roster = if flags & FLAG_ROSTER != 0 {
            Roster::decode(&mut from, students.len())?
        } else {
            Roster::default()
        };
        let earliest = from.signed()?;
        let unit = from.varint()?;
        let dictionary = Dictionary::decode(&mut from)?;
        // An item and a score take at least a byte each.
        let responses = from.count(2)? as u64;
        if responses > MAX_RESPONSES {
            return Err(Error::TooLarge {
                what: "responses",
                limit: MAX_RESPONSES,
            });
        }
        if responses > 0 && !(MIN_TIME..=MAX_TIME).contains(&earliest) {
            return Err(Error::Malformed("a time is out of range"));
        }
        let absolute = flags & FLAG_ABSOLUTE != 0;
        let has_time = responses > 0 || roster.periods().iter().any(Period::has_time);
        let clock = match (absolute, has_time) {
            (true, _) => Some(Clock::Absolute),
            (false, true) => Some(Clock::Calendar),
            (false, false) => None,
        };
        Ok(Self {
            clock,
            excluded,
            students,
            items,
            assessments,
            unscored,
            roster,
            earliest,
            unit,
            dictionary,
            responses,
            rows: from,
        })
    }

    /// Bytes from outside, checked and in canonical form: other bytes may hold the same (numbers
    /// written at length, ids and scores that nothing refers to), and equal rows give equal bytes.
    pub fn canonical(bytes: &[u8], poll: Poll<'_>) -> Result<Vec<u8>> {
        let mut builder = Builder::new();
        builder.merge(&Gradebook::open(bytes)?, poll)?;
        builder.encode(poll)
    }

    /// Calls `each` for every sitting, students in order, within a student by assessment, then
    /// by time.
    pub fn visit(
        &self,
        poll: Poll<'_>,
        mut each: impl FnMut(Sitting<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut from = self.rows.clone();
        // Per assessment: time in units and first item of the sitting read last.
        memory::ask(size_of::<(u64, u32)>() * self.assessments.len())?;
        let mut last = vec![(0u64, 0u32); self.assessments.len()];
        let (mut items, mut scores) = (Vec::new(), Vec::new());
        let (mut seen, mut sittings_read) = (0u64, 0u64);
        for student in 0..self.students.len() as u32 {
            let sittings = from.count(5)?;
            let mut key = None;
            let mut assessment = 0u32;
            for _ in 0..sittings {
                assessment = assessment.saturating_add(from.index()?);
                let (time, first) = last
                    .get_mut(assessment as usize)
                    .ok_or(Error::Malformed("an assessment is not in the table"))?;
                *time = time.wrapping_add(from.signed()? as u64);
                let taken_at = time
                    .checked_mul(self.unit)
                    .and_then(|offset| self.earliest.checked_add_unsigned(offset))
                    .filter(|at| *at <= MAX_TIME)
                    .ok_or(Error::Malformed("a time is out of range"))?;
                if key >= Some((assessment, taken_at)) {
                    return Err(Error::Malformed("sittings are not in order"));
                }
                key = Some((assessment, taken_at));
                *first = first.wrapping_add(from.signed()? as u32);
                let n = from.count(1)?;
                if n == 0 {
                    return Err(Error::Malformed("a sitting is empty"));
                }
                memory::ask_for_more(&items, n)?;
                memory::ask_for_more(&scores, n)?;
                items.clear();
                let mut item = *first;
                items.push(item);
                for _ in 1..n {
                    item = item
                        .checked_add(from.index()?)
                        .ok_or(Error::Malformed("an item is not in the table"))?;
                    items.push(item);
                }
                if item as usize >= self.items.len() {
                    return Err(Error::Malformed("an item is not in the table"));
                }
                self.dictionary.read(&mut from, n, &mut scores)?;
                each(Sitting {
                    student,
                    assessment,
                    taken_at,
                    items: &items,
                    scores: &scores,
                })?;
                seen += n as u64;
                sittings_read += 1;
                if sittings_read % 1024 == 0 {
                    poll();
                }
            }
            if student % 1024 == 0 {
                poll();
            }
        }
        if seen != self.responses {
            return Err(Error::Malformed("the count of responses is wrong"));
        }
        if from.left() > 0 {
            return Err(Error::Malformed("bytes follow its end"));
        }
        Ok(())
    }

    /// Whether times are calendar times or absolute; none while there is no response, and no end
    /// of a period on the roster.
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// Rows left out, by reason.
    pub fn excluded(&self) -> &Excluded {
        &self.excluded
    }

    /// Everyone who appears in a row, also in excluded ones, or on the roster.
    pub fn students(&self) -> &Ids {
        &self.students
    }

    /// Items with at least one response.
    pub fn items(&self) -> &Ids {
        &self.items
    }

    /// Assessments with at least one response.
    pub fn assessments(&self) -> &Ids {
        &self.assessments
    }

    /// Students with excluded rows, ascending, and the earliest time of these (the earliest
    /// possible when a row had none).
    pub fn unscored(&self) -> &[(u32, i64)] {
        &self.unscored
    }

    /// Who belonged to which group, and when; empty where no roster was given.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Responses, with repeated attempts.
    pub fn responses(&self) -> u64 {
        self.responses
    }

    /// How long the text form of so many bytes is.
    pub fn text_bytes(bytes: usize) -> usize {
        TEXT_PREFIX.len() + 4 * bytes.div_ceil(3)
    }

    /// The text form: a word that names the type, and the flat form in base64. It is exact,
    /// safe in a dump and not meant to be read; the set-returning functions are.
    pub fn to_text(bytes: &[u8]) -> String {
        // With room for the zero byte at the end of a string of C.
        let mut text = String::with_capacity(Self::text_bytes(bytes.len()) + 1);
        text.push_str(TEXT_PREFIX);
        BASE64.encode_string(bytes, &mut text);
        text
    }

    /// Reads the text form into checked bytes in [canonical](Gradebook::canonical) form.
    pub fn from_text(text: &str, poll: Poll<'_>) -> Result<Vec<u8>> {
        let code = text
            .trim()
            .strip_prefix(TEXT_PREFIX)
            .ok_or(Error::Malformed("the word gradebook: is missing in front"))?;
        memory::ask(code.len())?;
        let bytes = BASE64
            .decode(code)
            .map_err(|_| Error::Malformed("its text is not valid base64"))?;
        Gradebook::canonical(&bytes, poll)
    }
}
