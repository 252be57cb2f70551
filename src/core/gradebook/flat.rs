//! A gradebook in its flat form, read.

use crate::Poll;
use crate::gradebook::codec::Reader;
use crate::gradebook::error::{Error, Result};
use crate::gradebook::excluded::Excluded;
use crate::gradebook::form::{
    ENTRY_BYTES, FLAG_ABSOLUTE, FLAG_ATTEMPTS, FLAG_MEMBERSHIPS, FLAG_POSITIONS, FLAG_ROSTER,
    FLAGS, MAX_RESPONSES, MAX_STUDENTS, STUDENTS_PER_ENTRY, VERSION,
};
use crate::gradebook::id::Ids;
use crate::gradebook::mark::{Mark, Marks};
use crate::gradebook::roster::{Period, Roster};
use crate::gradebook::sittings::{Form, Rows, Sitting, Times};
use crate::memory;
use crate::time::{Clock, MAX_TIME, MIN_TIME};

/// A gradebook in its flat form, with the tables in front of the responses already read.
#[derive(Debug, Clone)]
pub struct Gradebook<'a> {
    clock: Option<Clock>,
    excluded: Excluded,
    students: Ids,
    items: Ids,
    assessments: Ids,
    /// Students with excluded rows, and the earliest time of these.
    excluded_students: Vec<(u32, i64)>,
    roster: Roster,
    memberships: Roster,
    form: Form,
    responses: u64,
    entries: &'a [u8],
    rows: Reader<'a>,
}

impl<'a> Gradebook<'a> {
    /// Reads the tables; the responses are checked when [visited](Gradebook::visit).
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(match version {
                0 => Error::Malformed("the version is unknown"),
                1..VERSION => Error::Older(version),
                _ => Error::Newer(version),
            });
        }
        let flags = from.byte()?;
        if flags & !FLAGS != 0 {
            return Err(Error::Newer(version));
        }
        let students = Ids::decode(&mut from)?;
        if students.len() as u64 > MAX_STUDENTS {
            return Err(Error::TooLarge {
                what: "students",
                limit: MAX_STUDENTS,
            });
        }
        let items = Ids::decode(&mut from)?;
        let assessments = Ids::decode(&mut from)?;
        let excluded = Excluded::decode(&mut from, items.len())?;
        let excluded_students = excluded_students(&mut from, students.len())?;
        let roster = if flags & FLAG_ROSTER != 0 {
            Roster::decode(&mut from, students.len())?
        } else {
            Roster::default()
        };
        let memberships = if flags & FLAG_MEMBERSHIPS != 0 {
            Roster::decode(&mut from, students.len())?
        } else {
            Roster::default()
        };
        let earliest = from.signed()?;
        let unit = from.varint()?;
        memory::ask(size_of::<u64>() * assessments.len())?;
        let firsts = (0..assessments.len()).map(|_| from.varint());
        let firsts = firsts.collect::<Result<Vec<u64>>>()?;
        let marks = Marks::decode(&mut from)?;
        // An item and a score take at least a byte each.
        let responses = from.count(2)? as u64;
        if responses > MAX_RESPONSES {
            return Err(Error::TooLarge {
                what: "responses",
                limit: MAX_RESPONSES,
            });
        }
        if !(MIN_TIME..=MAX_TIME).contains(&earliest) {
            return Err(Error::Malformed("a time is out of range"));
        }
        let absolute = flags & FLAG_ABSOLUTE != 0;
        let mut periods = roster.periods().iter().chain(memberships.periods());
        let has_time = responses > 0 || periods.any(Period::has_time);
        let clock = has_time.then_some(match absolute {
            true => Clock::Absolute,
            false => Clock::Calendar,
        });
        let entries = students.len().div_ceil(STUDENTS_PER_ENTRY) * ENTRY_BYTES;
        let entries = from.bytes(entries)?;
        Ok(Self {
            clock,
            excluded,
            students,
            assessments,
            excluded_students,
            roster,
            memberships,
            form: Form {
                items: items.len(),
                times: Times { earliest, unit },
                firsts,
                marks,
                has_attempts: flags & FLAG_ATTEMPTS != 0,
                has_positions: flags & FLAG_POSITIONS != 0,
            },
            items,
            responses,
            entries,
            rows: from,
        })
    }

    /// The distinct marks, in order; empty where they are too many to list.
    pub fn marks(&self) -> &[Mark] {
        self.form.marks.listed()
    }

    /// Calls `each` for every sitting, students in order, within a student by assessment, then by
    /// time and attempt; with what `of` makes of a mark.
    pub fn visit<M: Copy>(
        &self,
        of: impl Fn(Mark) -> M,
        poll: Poll<'_>,
        each: impl FnMut(Sitting<'_, M>) -> Result<()>,
    ) -> Result<()> {
        self.read(Rows::new(&self.form, self.rows.clone(), of), poll, each)
    }

    /// The same with the place that each mark has among the distinct ones, where these are listed.
    pub(super) fn visit_places(
        &self,
        poll: Poll<'_>,
        each: impl FnMut(Sitting<'_, u32>) -> Result<()>,
    ) -> Result<()> {
        let places = (0..self.marks().len() as u32).collect();
        let rows = Rows::knowing(&self.form, self.rows.clone(), |_| 0, places);
        self.read(rows, poll, each)
    }

    fn read<M: Copy>(
        &self,
        mut rows: Rows<'_, '_, M, impl Fn(Mark) -> M>,
        poll: Poll<'_>,
        mut each: impl FnMut(Sitting<'_, M>) -> Result<()>,
    ) -> Result<()> {
        for student in 0..self.students.len() as u32 {
            let at = student as usize;
            if at.is_multiple_of(STUDENTS_PER_ENTRY) {
                let offset = self.rows.left() - rows.left();
                if self.entry(at / STUDENTS_PER_ENTRY) != offset {
                    return Err(Error::Malformed("a student begins elsewhere"));
                }
            }
            rows.visit_student(student, poll, &mut each)?;
            if student % 1024 == 0 {
                poll();
            }
        }
        if rows.seen() != self.responses {
            return Err(Error::Malformed("the count of responses is wrong"));
        }
        if rows.left() > 0 {
            return Err(Error::Malformed("bytes follow its end"));
        }
        Ok(())
    }

    /// Calls `each` for every sitting of one student, and passes over few others.
    pub fn visit_student<M: Copy>(
        &self,
        student: u32,
        of: impl Fn(Mark) -> M,
        poll: Poll<'_>,
        mut each: impl FnMut(Sitting<'_, M>) -> Result<()>,
    ) -> Result<()> {
        let entry = student as usize / STUDENTS_PER_ENTRY;
        let mut from = self.rows.clone();
        from.bytes(self.entry(entry))?;
        let mut rows = Rows::new(&self.form, from, of);
        for other in (entry * STUDENTS_PER_ENTRY) as u32..student {
            rows.visit_student(other, poll, &mut |_| Ok(()))?;
        }
        rows.visit_student(student, poll, &mut each)
    }

    /// Where the first student of an entry begins.
    fn entry(&self, entry: usize) -> usize {
        let bytes = &self.entries[entry * ENTRY_BYTES..][..ENTRY_BYTES];
        u32::from_le_bytes(bytes.try_into().unwrap_or_default()) as usize
    }

    /// Whether times are calendar times or absolute; none while there is no response, and no end
    /// of a period on the roster.
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// Rows that no reading can use, by reason and item.
    pub fn excluded(&self) -> &Excluded {
        &self.excluded
    }

    /// Everyone who appears in a row, also in excluded ones, or on the roster.
    pub fn students(&self) -> &Ids {
        &self.students
    }

    /// Items with at least one row, also where no reading can use it.
    pub fn items(&self) -> &Ids {
        &self.items
    }

    /// Assessments with at least one response.
    pub fn assessments(&self) -> &Ids {
        &self.assessments
    }

    /// Students with excluded rows, ascending, and the earliest time of these (the earliest
    /// possible when a row had none).
    pub fn excluded_students(&self) -> &[(u32, i64)] {
        &self.excluded_students
    }

    /// Which student belonged to which group, and when; empty where no roster was given.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Whether any response has a position in its sitting.
    pub fn has_positions(&self) -> bool {
        self.form.has_positions
    }

    /// Per student and group the first and the last time of the student's rows there; empty unless
    /// it was made of gradebooks of groups.
    pub fn memberships(&self) -> &Roster {
        &self.memberships
    }

    /// The time of the earliest response, in microseconds since 2000-01-01; none without responses.
    pub fn earliest(&self) -> Option<i64> {
        (self.responses > 0).then_some(self.form.times.earliest)
    }

    /// Responses, with repeated attempts.
    pub fn responses(&self) -> u64 {
        self.responses
    }
}

fn excluded_students(from: &mut Reader<'_>, students: usize) -> Result<Vec<(u32, i64)>> {
    let count = from.count(2)?;
    memory::ask(count * size_of::<(u32, i64)>())?;
    let mut read = Vec::with_capacity(count);
    let mut next = 0u64;
    for _ in 0..count {
        let student = next.saturating_add(from.varint()?);
        if student >= students as u64 {
            return Err(Error::Malformed("a student is not in the table"));
        }
        let at = from.signed()?;
        if !(MIN_TIME..=MAX_TIME).contains(&at) {
            return Err(Error::Malformed("a time is out of range"));
        }
        read.push((student as u32, at));
        next = student + 1;
    }
    Ok(read)
}
