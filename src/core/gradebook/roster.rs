//! Which student belonged to which group, and when.

use crate::gradebook::codec::{Reader, put_signed, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::gradebook::id::Ids;
use crate::memory;
use crate::time::{MAX_TIME, MIN_TIME};

/// The most periods of one roster: two for every student that a gradebook can hold.
pub const MAX_PERIODS: u64 = 10_000_000;

/// Bits of a period's head: which of its ends are given.
const HAS_FROM: u64 = 1;
const HAS_TO: u64 = 2;
const GROUP_SHIFT: u32 = 2;

/// A time during which a student was enrolled, both ends included. The order of the fields is
/// that of the flat form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The number in the table of students.
    pub student: u32,
    /// Microseconds since 2000-01-01, or [`Period::OPEN_FROM`].
    pub from: i64,
    /// The last microsecond, or [`Period::OPEN_TO`].
    pub to: i64,
    /// The number in the roster's table of groups.
    pub group: Option<u32>,
}

impl Period {
    /// The beginning of a period without a beginning.
    pub const OPEN_FROM: i64 = i64::MIN;
    /// The end of a period without an end.
    pub const OPEN_TO: i64 = i64::MAX;

    /// Whether a time lies in it.
    #[inline]
    pub fn covers(&self, at: i64) -> bool {
        self.from <= at && at <= self.to
    }

    /// Whether it says anything about time.
    pub(super) fn has_time(&self) -> bool {
        self.from != Self::OPEN_FROM || self.to != Self::OPEN_TO
    }
}

/// All periods of all students: a set, in order.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    groups: Ids,
    periods: Vec<Period>,
    unusable: u64,
}

impl Roster {
    /// Of distinct periods in order.
    pub(super) fn new(groups: Ids, periods: Vec<Period>, unusable: u64) -> Self {
        Self {
            groups,
            periods,
            unusable,
        }
    }

    /// The ids of the groups.
    pub fn groups(&self) -> &Ids {
        &self.groups
    }

    /// All periods, by student, then by beginning, by end and by group.
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// The periods of one student, by beginning, by end and by group.
    pub fn periods_of(&self, student: u32) -> &[Period] {
        let periods = &self.periods;
        let start = periods.partition_point(|period| period.student < student);
        let own = &periods[start..];
        &own[..own.partition_point(|period| period.student == student)]
    }

    /// The group in which a student was at a time: that of the period which covers it, of several
    /// that of the one in the last place, which began last. None outside all periods and in one
    /// without a group.
    pub fn group_at(&self, student: u32, at: i64) -> Option<u32> {
        let periods = self.periods_of(student);
        let period = periods.iter().rev().find(|period| period.covers(at))?;
        period.group
    }

    /// Rows that could not be used: without a student, or with an end before the beginning.
    pub fn unusable(&self) -> u64 {
        self.unusable
    }

    /// Whether there is no period. Then nobody is enrolled because nothing is known about
    /// enrolment.
    pub fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    /// Whether it leaves no trace in the flat form.
    pub(super) fn is_blank(&self) -> bool {
        self.periods.is_empty() && self.groups.is_empty() && self.unusable == 0
    }

    /// The roster as it was known at a time: without the periods that begin later.
    pub fn as_of(&self, at: i64) -> Self {
        let begun = |period: &&Period| period.from <= at;
        Self {
            groups: self.groups.clone(),
            periods: self.periods.iter().filter(begun).copied().collect(),
            unusable: self.unusable,
        }
    }

    /// Appends the flat form.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.groups.encode(out);
        put_varint(out, self.unusable);
        put_varint(out, self.periods.len() as u64);
        // Classes begin and end together: most differences are 0.
        let mut last = vec![(0i64, 0i64); self.groups.len() + 1];
        let mut student = 0;
        for period in &self.periods {
            let group = period.group.map_or(0, |group| group as usize + 1);
            let has_from = period.from != Period::OPEN_FROM;
            let has_to = period.to != Period::OPEN_TO;
            let ends = if has_from { HAS_FROM } else { 0 } | if has_to { HAS_TO } else { 0 };
            put_varint(out, u64::from(period.student - student));
            put_varint(out, (group as u64) << GROUP_SHIFT | ends);
            let (from, to) = &mut last[group];
            if has_from {
                put_signed(out, period.from.wrapping_sub(*from));
                *from = period.from;
            }
            if has_to {
                put_signed(out, period.to.wrapping_sub(*to));
                *to = period.to;
            }
            student = period.student;
        }
    }

    /// Reads what [`Roster::encode`] wrote of a gradebook with so many students.
    pub(super) fn decode(from: &mut Reader<'_>, students: usize) -> Result<Self> {
        let groups = Ids::decode(from)?;
        let unusable = from.varint()?;
        // A student and a head take at least a byte each.
        let count = from.count(2)?;
        if count as u64 > MAX_PERIODS {
            return Err(Error::TooLarge {
                what: "roster periods",
                limit: MAX_PERIODS,
            });
        }
        memory::ask(count * size_of::<Period>() + groups.len() * size_of::<(i64, i64)>())?;
        let mut periods: Vec<Period> = Vec::with_capacity(count);
        let mut last = vec![(0i64, 0i64); groups.len() + 1];
        let mut student = 0u32;
        for _ in 0..count {
            student = student.saturating_add(from.index()?);
            if student as usize >= students {
                return Err(Error::Malformed("a student is not in the table"));
            }
            let head = from.varint()?;
            let group = head >> GROUP_SHIFT;
            let (last_from, last_to) = last
                .get_mut(usize::try_from(group).unwrap_or(usize::MAX))
                .ok_or(Error::Malformed("a group is not in the table"))?;
            let mut end = |given: u64, last: &mut i64, open: i64| -> Result<i64> {
                if head & given == 0 {
                    return Ok(open);
                }
                *last = last.wrapping_add(from.signed()?);
                match (MIN_TIME..=MAX_TIME).contains(last) {
                    true => Ok(*last),
                    false => Err(Error::Malformed("a time is out of range")),
                }
            };
            let period = Period {
                student,
                from: end(HAS_FROM, last_from, Period::OPEN_FROM)?,
                to: end(HAS_TO, last_to, Period::OPEN_TO)?,
                group: (group as u32).checked_sub(1),
            };
            if period.from > period.to {
                return Err(Error::Malformed("a period ends before it begins"));
            }
            if periods.last() >= Some(&period) {
                return Err(Error::Malformed("periods are not in order"));
            }
            periods.push(period);
        }
        Ok(Self::new(groups, periods, unusable))
    }
}
