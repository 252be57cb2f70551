//! The responses in the flat form: written and read, student by student.

use crate::Poll;
use crate::gradebook::codec::{Reader, put_signed, put_varint, unzigzag, zigzag};
use crate::gradebook::error::{Error, Result};
use crate::gradebook::log::{NO_ATTEMPT, NO_POSITION, Response};
use crate::gradebook::mark::{Dictionary, Mark, Marks};
use crate::memory;
use crate::time::MAX_TIME;

/// One student's answers to one assessment at one time, and in one attempt if it is named; each as
/// what the reader makes of a mark.
#[derive(Debug, Clone, Copy)]
pub struct Sitting<'a, M> {
    pub student: u32,
    pub assessment: u32,
    /// Microseconds since 2000-01-01.
    pub taken_at: i64,
    pub attempt: Option<i64>,
    /// Ascending; an item stands several times when several rows came of it.
    pub items: &'a [u32],
    pub marks: &'a [M],
    /// Empty where the gradebook has none.
    positions: &'a [Option<i32>],
}

impl<M> Sitting<'_, M> {
    /// The place in the sitting of the question of this response, where it was given.
    pub fn position(&self, at: usize) -> Option<i32> {
        self.positions.get(at).copied().flatten()
    }
}

/// The grid on which all times lie.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Microseconds since 2000-01-01.
    pub earliest: i64,
    /// In microseconds.
    pub unit: u64,
}

impl Times {
    /// How many units a time on the grid comes after the earliest.
    pub fn units(&self, at: i64) -> u64 {
        at.abs_diff(self.earliest) / self.unit
    }

    /// Undoes [`Times::units`]; none beyond the last time that Postgres can hold.
    fn at(&self, units: u64) -> Option<i64> {
        let at = self
            .earliest
            .checked_add_unsigned(units.checked_mul(self.unit)?)?;
        (at <= MAX_TIME).then_some(at)
    }
}

/// How responses are written.
pub struct Written {
    pub times: Times,
    /// Per assessment: its earliest time, in units.
    pub firsts: Vec<u64>,
    pub dictionary: Dictionary,
    pub has_attempts: bool,
    pub has_positions: bool,
}

impl Written {
    /// Appends the responses of a student, which are in order.
    pub fn put_student(&self, responses: &[Response], out: &mut Vec<u8>) {
        let sittings = || responses.chunk_by(Response::is_of_sitting);
        put_varint(out, sittings().count() as u64);
        let (mut assessment, mut last_item) = (0, 0i64);
        for sitting in sittings() {
            let head = sitting[0];
            let since_first =
                self.times.units(head.taken_at) - self.firsts[head.assessment as usize];
            put_varint(out, u64::from(head.assessment - assessment));
            put_varint(out, since_first);
            if self.has_attempts {
                put_varint(out, u64::from(head.attempt != NO_ATTEMPT));
                if head.attempt != NO_ATTEMPT {
                    put_signed(out, head.attempt);
                }
            }
            put_signed(out, i64::from(head.item) - last_item);
            put_varint(out, sitting.len() as u64);
            for pair in sitting.windows(2) {
                put_varint(out, u64::from(pair[1].item - pair[0].item));
            }
            for response in sitting {
                self.dictionary.put(out, response.mark);
            }
            if self.has_positions {
                Self::put_positions(sitting, out);
            }
            assessment = head.assessment;
            last_item = i64::from(sitting[sitting.len() - 1].item);
        }
    }

    fn put_positions(sitting: &[Response], out: &mut Vec<u8>) {
        let mut last = 0i64;
        for response in sitting {
            match response.position {
                NO_POSITION => out.push(0),
                position => {
                    put_varint(out, zigzag(i64::from(position) - last) + 1);
                    last = i64::from(position);
                }
            }
        }
    }
}

/// How responses are read.
#[derive(Debug, Clone)]
pub struct Form {
    /// How many items there are.
    pub items: usize,
    pub times: Times,
    /// Per assessment: its earliest time, in units.
    pub firsts: Vec<u64>,
    pub marks: Marks,
    pub has_attempts: bool,
    pub has_positions: bool,
}

/// Reads the responses, student by student.
pub struct Rows<'b, 'a, M, F> {
    form: &'b Form,
    from: Reader<'a>,
    of: F,
    /// What each listed mark becomes.
    known: Vec<M>,
    /// The responses read.
    seen: u64,
    sittings_read: u64,
    items: Vec<u32>,
    marks: Vec<M>,
    positions: Vec<Option<i32>>,
}

impl<'b, 'a, M: Copy, F: Fn(Mark) -> M> Rows<'b, 'a, M, F> {
    /// From the first student that follows.
    pub fn new(form: &'b Form, from: Reader<'a>, of: F) -> Self {
        let known = form.marks.listed().iter().map(|mark| of(*mark)).collect();
        Self::knowing(form, from, of, known)
    }

    /// The same, with what each listed mark becomes.
    pub fn knowing(form: &'b Form, from: Reader<'a>, of: F, known: Vec<M>) -> Self {
        Self {
            form,
            from,
            of,
            known,
            seen: 0,
            sittings_read: 0,
            items: Vec::new(),
            marks: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Responses read.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Bytes not read yet.
    pub fn left(&self) -> usize {
        self.from.left()
    }

    /// Reads the student that follows.
    pub fn visit_student(
        &mut self,
        student: u32,
        poll: Poll<'_>,
        each: &mut impl FnMut(Sitting<'_, M>) -> Result<()>,
    ) -> Result<()> {
        let sittings = self.from.count(5)?;
        let mut key = None;
        let (mut assessment, mut last_item) = (0u32, 0u32);
        for _ in 0..sittings {
            assessment = assessment.saturating_add(self.from.index()?);
            let taken_at = self.time(assessment)?;
            let attempt = self.attempt()?;
            if key >= Some((assessment, taken_at, attempt)) {
                return Err(Error::Malformed("sittings are not in order"));
            }
            key = Some((assessment, taken_at, attempt));
            self.answers(last_item)?;
            last_item = self.items[self.items.len() - 1];
            each(Sitting {
                student,
                assessment,
                taken_at,
                attempt,
                items: &self.items,
                marks: &self.marks,
                positions: &self.positions,
            })?;
            self.seen += self.items.len() as u64;
            self.sittings_read += 1;
            if self.sittings_read.is_multiple_of(1024) {
                poll();
            }
        }
        Ok(())
    }

    #[inline]
    fn time(&mut self, assessment: u32) -> Result<i64> {
        let first = self.form.firsts.get(assessment as usize);
        let first = first.ok_or(Error::Malformed("an assessment is not in the table"))?;
        let units = first.checked_add(self.from.varint()?);
        units
            .and_then(|units| self.form.times.at(units))
            .ok_or(Error::Malformed("a time is out of range"))
    }

    fn attempt(&mut self) -> Result<Option<i64>> {
        if !self.form.has_attempts {
            return Ok(None);
        }
        match self.from.varint()? {
            0 => Ok(None),
            1 => match self.from.signed()? {
                NO_ATTEMPT => Err(Error::Malformed("an attempt is out of range")),
                attempt => Ok(Some(attempt)),
            },
            _ => Err(Error::Malformed("an attempt is neither given nor left out")),
        }
    }

    /// Reads the items of a sitting, their marks and positions.
    #[inline]
    fn answers(&mut self, last_item: u32) -> Result<()> {
        let from = &mut self.from;
        let unknown = || Error::Malformed("an item is not in the table");
        let first = i64::from(last_item).checked_add(from.signed()?);
        let first = first.and_then(|first| u32::try_from(first).ok());
        let mut item = first.ok_or_else(unknown)?;
        let n = from.count(1)?;
        if n == 0 {
            return Err(Error::Malformed("a sitting is empty"));
        }
        self.items.clear();
        self.marks.clear();
        self.positions.clear();
        memory::ask_for_more(&self.items, n)?;
        memory::ask_for_more(&self.marks, n)?;
        self.items.push(item);
        for _ in 1..n {
            item = item.checked_add(from.index()?).ok_or_else(unknown)?;
            self.items.push(item);
        }
        if item as usize >= self.form.items {
            return Err(unknown());
        }
        let marks = &self.form.marks;
        marks.read(from, n, &self.known, &self.of, &mut self.marks)?;
        if self.form.has_positions {
            memory::ask_for_more(&self.positions, n)?;
            let mut last = 0i64;
            for _ in 0..n {
                let position = match from.varint()? {
                    0 => None,
                    step => {
                        last = last.wrapping_add(unzigzag(step - 1));
                        let position = i32::try_from(last).ok();
                        let position = position.filter(|at| *at != NO_POSITION);
                        Some(position.ok_or(Error::Malformed("a position is out of range"))?)
                    }
                };
                self.positions.push(position);
            }
        }
        Ok(())
    }
}
