//! Rows in, flat form out.

use std::collections::HashSet;

use log::debug;

use crate::Poll;
use crate::gradebook::codec::{LONGEST_INTEGER, put_signed, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::gradebook::excluded::{Counts, Excluded, Exclusion};
use crate::gradebook::form::{
    ENTRY_BYTES, FLAG_ABSOLUTE, FLAG_ATTEMPTS, FLAG_MEMBERSHIPS, FLAG_POSITIONS, FLAG_ROSTER,
    MAX_ENCODED_BYTES, MAX_RESPONSES, MAX_STUDENTS, STUDENTS_PER_ENTRY, VERSION,
};
use crate::gradebook::id::{Id, Interner};
use crate::gradebook::log::{LONGEST_RESPONSE, Log, NO_ATTEMPT, NO_POSITION, Place};
use crate::gradebook::mark::{Interned, MarkTable};
use crate::gradebook::memberships::Memberships;
use crate::gradebook::roster::{MAX_PERIODS, Period, Roster};
use crate::gradebook::row::{Enrolment, Row};
use crate::gradebook::sittings::{Times, Written};
use crate::memory;
use crate::statistics::pairs::sort;
use crate::time::{Clock, MAX_TIME, MIN_TIME};

/// Collects responses in any order.
#[derive(Debug)]
pub struct Builder {
    pub(super) clock: Option<Clock>,
    /// Rows without an item that are left out.
    pub(super) excluded: Counts,
    /// The same by item, for as many of the first items as lost any.
    pub(super) excluded_by_item: Vec<Counts>,
    pub(super) students: Interner,
    pub(super) items: Interner,
    pub(super) assessments: Interner,
    /// Per assessment its earliest time.
    pub(super) first_times: Vec<i64>,
    pub(super) marks: MarkTable,
    pub(super) has_attempts: bool,
    pub(super) has_positions: bool,
    pub(super) logs: Vec<Log>,
    pub(super) responses: u64,
    /// Earliest time, and the greatest common divisor of all times' distances from it.
    pub(super) earliest: i64,
    pub(super) unit: u64,
    pub(super) groups: Interner,
    /// With the numbers of students and groups in the order of their arrival.
    pub(super) periods: HashSet<Period>,
    /// Rows of a roster that cannot be used.
    pub(super) unusable: u64,
    pub(super) memberships: Memberships,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty gradebook to be.
    pub fn new() -> Self {
        Self {
            clock: None,
            excluded: Counts::default(),
            excluded_by_item: Vec::new(),
            students: Interner::new("student"),
            items: Interner::new("item"),
            assessments: Interner::new("assessment"),
            first_times: Vec::new(),
            marks: MarkTable::default(),
            has_attempts: false,
            has_positions: false,
            logs: Vec::new(),
            responses: 0,
            earliest: i64::MAX,
            unit: 0,
            groups: Interner::new("group"),
            periods: HashSet::new(),
            unusable: 0,
            memberships: Memberships::new(),
        }
    }

    /// Takes one row, or counts why it cannot. Errors are for what no row can be blamed for:
    /// ids or times of mixed types, and the cap.
    #[inline(always)]
    pub fn push(&mut self, clock: Clock, row: Row<'_>) -> Result<()> {
        // Ids stay where they are: copied for every row, they would cost more than their look-up.
        let (Some(student), Some(item), Some(assessment)) =
            (&row.student, &row.item, &row.assessment)
        else {
            return self.exclude(&row, Exclusion::NullId);
        };
        let Some(taken_at) = row.taken_at else {
            return self.exclude(&row, Exclusion::NullDate);
        };
        let mark = match row.mark(taken_at) {
            Ok(mark) => mark,
            Err(reason) => return self.exclude(&row, reason),
        };
        self.set_clock(clock)?;
        let student = self.student(student)?;
        let item = self.items.intern(item)?;
        let place = Place {
            assessment: self.assessments.intern(assessment)?,
            taken_at,
            attempt: row.attempt.unwrap_or(NO_ATTEMPT),
        };
        let position = row.position.unwrap_or(NO_POSITION);
        let mark = self.marks.intern(mark)?;
        self.append(student, place, item, position, mark)
    }

    /// Takes one row of a roster, or counts that it cannot: without a student, or with an end
    /// before the beginning. A period that is there already changes nothing.
    pub fn enrol(&mut self, clock: Clock, row: Enrolment<'_>) -> Result<()> {
        let given = |at: Option<i64>| at.filter(|at| (MIN_TIME..=MAX_TIME).contains(at));
        let first = row.from.map_or(MIN_TIME, |from| from.max(MIN_TIME));
        let last = row.to.map_or(MAX_TIME, |to| to.min(MAX_TIME));
        let Some(student) = row.student.filter(|_| first <= last) else {
            self.unusable = self.unusable.saturating_add(1);
            return Ok(());
        };
        let (from, to) = (given(row.from), given(row.to));
        if from.is_some() || to.is_some() {
            self.set_clock(clock)?;
        }
        let student = self.student(&student)?;
        let group = row.group.map(|id| self.groups.intern(&id)).transpose()?;
        self.add_period(Period {
            student,
            from: from.unwrap_or(Period::OPEN_FROM),
            to: to.unwrap_or(Period::OPEN_TO),
            group,
        })
    }

    /// Where the rows of an item are counted that are left out.
    pub(super) fn excluded_of(&mut self, item: u32) -> Result<&mut Counts> {
        let item = item as usize;
        if item >= self.excluded_by_item.len() {
            let more = item + 1 - self.excluded_by_item.len();
            memory::ask_for_more(&self.excluded_by_item, more)?;
            self.excluded_by_item.resize(item + 1, Counts::default());
        }
        Ok(&mut self.excluded_by_item[item])
    }

    pub(super) fn add_period(&mut self, period: Period) -> Result<()> {
        if self.periods.len() == self.periods.capacity() {
            memory::ask(4 * size_of::<Period>() * self.periods.len())?;
        }
        self.periods.insert(period);
        if self.periods.len() as u64 > MAX_PERIODS {
            return Err(Error::TooLarge {
                what: "roster periods",
                limit: MAX_PERIODS,
            });
        }
        Ok(())
    }

    /// The roster with the final numbers of students.
    fn roster(&self, student_ranks: &[u32], poll: Poll<'_>) -> Roster {
        let (groups, group_ranks) = self.groups.sorted(poll);
        let mut periods: Vec<Period> = self
            .periods
            .iter()
            .map(|&period| Period {
                student: student_ranks[period.student as usize],
                group: period.group.map(|group| group_ranks[group as usize]),
                ..period
            })
            .collect();
        sort(&mut periods, Period::cmp, poll);
        Roster::new(groups, periods, self.unusable)
    }

    pub(super) fn set_clock(&mut self, clock: Clock) -> Result<()> {
        match self.clock {
            Some(before) if before != clock => Err(Error::Clocks),
            _ => {
                self.clock = Some(clock);
                Ok(())
            }
        }
    }

    #[inline(always)]
    pub(super) fn student(&mut self, id: &Id<'_>) -> Result<u32> {
        let student = self.students.intern(id)?;
        if student as usize == self.logs.len() {
            if self.logs.len() as u64 == MAX_STUDENTS {
                return Err(Error::TooLarge {
                    what: "students",
                    limit: MAX_STUDENTS,
                });
            }
            memory::ask_for_more(&self.logs, 1)?;
            self.logs.push(Log::default());
        }
        Ok(student)
    }

    /// Counts a row that no reading can use. Its student and its item are kept all the same: who
    /// lost all rows belongs on a list, and must not be forgotten.
    #[cold]
    fn exclude(&mut self, row: &Row<'_>, reason: Exclusion) -> Result<()> {
        match &row.item {
            Some(item) => {
                let item = self.items.intern(item)?;
                self.excluded_of(item)?.add(reason);
            }
            None => self.excluded.add(reason),
        }
        if let Some(student) = &row.student {
            let student = self.student(student)?;
            let at = row
                .taken_at
                .map_or(MIN_TIME, |at| at.clamp(MIN_TIME, MAX_TIME));
            self.logs[student as usize].saw_excluded(at);
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn append(
        &mut self,
        student: u32,
        place: Place,
        item: u32,
        position: i32,
        mark: Interned,
    ) -> Result<()> {
        if self.responses == MAX_RESPONSES {
            return Err(Error::TooLarge {
                what: "responses",
                limit: MAX_RESPONSES,
            });
        }
        self.has_positions |= position != NO_POSITION;
        if self.logs[student as usize].append(place, item, position, mark)? {
            self.open_sitting(place)?;
        }
        self.responses += 1;
        Ok(())
    }

    fn open_sitting(&mut self, place: Place) -> Result<()> {
        self.has_attempts |= place.attempt != NO_ATTEMPT;
        if self.responses > 0 {
            self.unit = gcd(self.unit, place.taken_at.abs_diff(self.earliest));
        }
        self.earliest = self.earliest.min(place.taken_at);
        let assessment = place.assessment as usize;
        if assessment == self.first_times.len() {
            memory::ask_for_more(&self.first_times, 1)?;
            self.first_times.push(place.taken_at);
        }
        let first = &mut self.first_times[assessment];
        *first = place.taken_at.min(*first);
        Ok(())
    }

    /// Rows left out, with the final numbers of items.
    fn excluded(&self, item_ranks: &[u32]) -> Excluded {
        let mut by_item: Vec<(u32, Counts)> = item_ranks
            .iter()
            .zip(&self.excluded_by_item)
            .filter(|(_, counts)| counts.total() > 0)
            .map(|(&rank, &counts)| (rank, counts))
            .collect();
        by_item.sort_unstable_by_key(|(rank, _)| *rank);
        Excluded::new(self.excluded, by_item)
    }

    /// Writes the students of rows that are left out and the earliest time of these; `order` has
    /// the students in order of their ids.
    fn encode_excluded_students(&self, order: &[u32], out: &mut Vec<u8>) {
        let students: Vec<(u64, i64)> = (0u64..)
            .zip(order)
            .filter_map(|(rank, &at)| Some((rank, self.logs[at as usize].excluded?)))
            .collect();
        put_varint(out, students.len() as u64);
        let mut next = 0;
        for (rank, at) in students {
            put_varint(out, rank - next);
            put_signed(out, at);
            next = rank + 1;
        }
    }

    fn flags(&self, roster: &Roster, memberships: &Roster) -> u8 {
        let is_absolute = self.clock == Some(Clock::Absolute);
        let flags = [
            (is_absolute, FLAG_ABSOLUTE),
            (!roster.is_blank(), FLAG_ROSTER),
            (!memberships.is_blank(), FLAG_MEMBERSHIPS),
            (self.has_attempts, FLAG_ATTEMPTS),
            (self.has_positions, FLAG_POSITIONS),
        ];
        let set = flags.into_iter().filter(|(is_set, _)| *is_set);
        set.fold(0, |all, (_, flag)| all | flag)
    }

    /// Writes the flat form.
    pub fn encode(&self, poll: Poll<'_>) -> Result<Vec<u8>> {
        let tables = [&self.students, &self.items, &self.assessments, &self.groups];
        let tables: usize = tables.iter().map(|table| table.bytes_to_sort()).sum();
        let logs = || self.logs.iter().map(|log| log.bytes.len());
        let periods = 2 * size_of::<Period>() * self.periods.len();
        let by_item = 2 * size_of::<(u32, Counts)>() * self.excluded_by_item.len();
        let times = 2 * size_of::<u64>() * self.assessments.len();
        memory::ask(tables + logs().sum::<usize>() + 32 * self.logs.len() + periods)?;
        memory::ask(by_item + times + self.marks.bytes_to_sort())?;
        memory::ask(self.memberships.bytes_to_sort())?;
        let (students, student_ranks) = self.students.sorted(poll);
        let (items, item_ranks) = self.items.sorted(poll);
        let (assessments, assessment_ranks) = self.assessments.sorted(poll);
        let mut order = vec![0u32; student_ranks.len()];
        for (arrival, &rank) in student_ranks.iter().enumerate() {
            order[rank as usize] = arrival as u32;
        }
        let roster = self.roster(&student_ranks, poll);
        let memberships = self.memberships.sorted(&student_ranks, poll);

        let mut out = Vec::with_capacity(logs().sum());
        out.push(VERSION);
        out.push(self.flags(&roster, &memberships));
        let excluded = self.logs.iter().filter(|log| log.excluded.is_some());
        let integers = 2 * excluded.count() + 4 * self.periods.len() + self.assessments.len();
        let marks = self.marks.bytes_to_sort();
        memory::ask_for_more(&out, tables + by_item + LONGEST_INTEGER * integers + marks)?;
        students.encode(&mut out);
        items.encode(&mut out);
        assessments.encode(&mut out);
        self.excluded(&item_ranks).encode(&mut out);
        self.encode_excluded_students(&order, &mut out);
        if !roster.is_blank() {
            roster.encode(&mut out);
        }
        if !memberships.is_blank() {
            memberships.encode(&mut out);
        }
        let times = Times {
            earliest: match self.responses {
                0 => 0,
                _ => self.earliest,
            },
            unit: self.unit.max(1),
        };
        put_signed(&mut out, times.earliest);
        put_varint(&mut out, times.unit);
        let mut firsts = vec![0; assessments.len()];
        for (&rank, &first) in assessment_ranks.iter().zip(&self.first_times) {
            firsts[rank as usize] = times.units(first);
        }
        for &first in &firsts {
            put_varint(&mut out, first);
        }
        let dictionary = self.marks.dictionary();
        dictionary.encode(&mut out);
        put_varint(&mut out, self.responses);
        self.encode_rows(
            &order,
            [&item_ranks, &assessment_ranks],
            &Written {
                times,
                firsts,
                dictionary,
                has_attempts: self.has_attempts,
                has_positions: self.has_positions,
            },
            &mut out,
            poll,
        )?;
        debug!(
            "packed {} students into {} bytes",
            self.logs.len(),
            out.len()
        );
        Ok(out)
    }

    /// Writes the entries and the responses.
    fn encode_rows(
        &self,
        order: &[u32],
        [items, assessments]: [&[u32]; 2],
        written: &Written,
        out: &mut Vec<u8>,
        poll: Poll<'_>,
    ) -> Result<()> {
        let entries = order.len().div_ceil(STUDENTS_PER_ENTRY) * ENTRY_BYTES;
        memory::ask_for_more(out, entries)?;
        let mut entry = out.len();
        out.resize(out.len() + entries, 0);
        let first_row = out.len();
        let mut responses = Vec::new();
        for (rank, &arrival) in order.iter().enumerate() {
            poll();
            if rank % STUDENTS_PER_ENTRY == 0 {
                // The cap on all bytes keeps it below 2^32.
                let offset = (out.len() - first_row) as u32;
                out[entry..entry + ENTRY_BYTES].copy_from_slice(&offset.to_le_bytes());
                entry += ENTRY_BYTES;
            }
            let log = &self.logs[arrival as usize];
            log.replay(
                items,
                assessments,
                &written.dictionary,
                &mut responses,
                poll,
            )?;
            memory::ask_for_more(out, LONGEST_RESPONSE * (1 + responses.len()))?;
            written.put_student(&responses, out);
            if out.len() as u64 > MAX_ENCODED_BYTES {
                return Err(Error::TooLarge {
                    what: "bytes",
                    limit: MAX_ENCODED_BYTES,
                });
            }
        }
        Ok(())
    }
}

/// The greatest common divisor; that of 0 and `b` is `b`.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    if a != 0 && b.is_multiple_of(a) {
        return a;
    }
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
