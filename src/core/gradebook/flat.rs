//! A gradebook in its flat form, read.

use crate::Poll;
use crate::gradebook::codec::Reader;
use crate::gradebook::error::{Error, Result};
use crate::gradebook::excluded::Excluded;
use crate::gradebook::form::{FLAG_ABSOLUTE, FLAG_ROSTER, MAX_RESPONSES, MAX_STUDENTS, VERSION};
use crate::gradebook::id::Ids;
use crate::gradebook::roster::{Period, Roster};
use crate::gradebook::score::{Dictionary, Score};
use crate::memory;
use crate::time::{Clock, MAX_TIME, MIN_TIME};

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

    /// Which student belonged to which group, and when; empty where no roster was given.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Responses, with repeated attempts.
    pub fn responses(&self) -> u64 {
        self.responses
    }
}
