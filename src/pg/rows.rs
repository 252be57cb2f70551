//! The rows of aggregates over responses and enrolments.

use pg_assess_core::domain::Argument;
use pg_assess_core::gradebook::{Enrolment, Id, MaxScore, Row, Standing};
use pg_assess_core::time::Clock;
use pgrx::fcinfo::{pg_getarg, pg_getarg_datum};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;

use crate::error::report;
use crate::pg::ids::IdSource;
use crate::pg::time::{TimeType, end_of_day, midnight};

/// Reads the rows of `gradebook_agg(student, item, assessment, score [[, min_score], max_score],
/// taken_at [, standing, attempt, position])`, whose arguments follow the state.
pub struct RowReader {
    ids: [IdSource; 3],
    scales: Scales,
    is_full: bool,
    time: TimeType,
}

/// Which ends of the scale a row names.
#[derive(Clone, Copy, PartialEq)]
enum Scales {
    /// Shares of the maximum.
    Shares,
    Max,
    MinAndMax,
}

impl Scales {
    /// The argument that is the time.
    fn time_at(self) -> usize {
        match self {
            Self::Shares => 5,
            Self::Max => 6,
            Self::MinAndMax => 7,
        }
    }
}

impl RowReader {
    /// Looks up the types of the call's arguments, once per group, and refuses those of no id.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Result<Self, Box<ErrorReport>> {
        // SAFETY: the aggregate's transition functions are declared with these arguments.
        unsafe {
            let arguments = (*fcinfo).nargs;
            let scales = match arguments {
                6 => Scales::Shares,
                7 => Scales::Max,
                _ => Scales::MinAndMax,
            };
            Ok(Self {
                ids: [
                    IdSource::of_argument(fcinfo, 1, "student")?,
                    IdSource::of_argument(fcinfo, 2, "item")?,
                    IdSource::of_argument(fcinfo, 3, "assessment")?,
                ],
                scales,
                is_full: arguments == 11,
                time: TimeType::of_argument(fcinfo, scales.time_at() as i32),
            })
        }
    }

    /// The row of the call at hand, and the clock of its time.
    #[inline(always)]
    pub fn read<'a>(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
    ) -> Result<(Clock, Row<'a>), Box<ErrorReport>> {
        // SAFETY: `new` looked at the same call site; every argument has the type asked for.
        unsafe {
            let float = |at| pg_getarg_datum(fcinfo, at).map(|d| f64::from_bits(d.value() as u64));
            let time = pg_getarg_datum(fcinfo, self.scales.time_at());
            let (clock, taken_at) = (self.time.clock(), time.map(|datum| self.time.of(datum)));
            let (min_score, max_score) = match self.scales {
                Scales::Shares => (None, MaxScore::Share),
                Scales::Max => (None, MaxScore::Points(float(5))),
                Scales::MinAndMax => (float(5), MaxScore::Points(float(6))),
            };
            let row = Row {
                student: self.ids[0].read(fcinfo, 1)?,
                item: self.ids[1].read(fcinfo, 2)?,
                assessment: self.ids[2].read(fcinfo, 3)?,
                score: float(4),
                min_score,
                max_score,
                taken_at,
                standing: Standing::Counts,
                attempt: None,
                position: None,
            };
            match self.is_full {
                true => Ok((clock, Self::rest(fcinfo, row)?)),
                false => Ok((clock, row)),
            }
        }
    }

    /// A row with what follows the time.
    ///
    /// # Safety
    /// The call has these arguments.
    unsafe fn rest<'a>(
        fcinfo: pg_sys::FunctionCallInfo,
        row: Row<'a>,
    ) -> Result<Row<'a>, Box<ErrorReport>> {
        // SAFETY: as the caller says.
        unsafe {
            let standing = match pg_getarg::<&str>(fcinfo, 8) {
                None => Standing::Counts,
                Some(label) => Standing::of_label(label).ok_or_else(|| {
                    Box::new(report(Argument {
                        name: "standing",
                        value: label.to_owned(),
                        expected: Standing::EXPECTED,
                    }))
                })?,
            };
            Ok(Row {
                standing,
                attempt: pg_getarg::<i64>(fcinfo, 9),
                position: pg_getarg::<i32>(fcinfo, 10),
                ..row
            })
        }
    }
}

/// Reads the rows of `roster_agg(student, student_group, entered_at, left_at)`, whose arguments
/// follow the state.
pub struct RosterReader {
    ids: [IdSource; 2],
    time: TimeType,
}

impl RosterReader {
    /// Looks up the types of the call's arguments, once per group, and refuses those of no id.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Result<Self, Box<ErrorReport>> {
        // SAFETY: the aggregate's transition functions are declared with these arguments.
        unsafe {
            Ok(Self {
                ids: [
                    IdSource::of_argument(fcinfo, 1, "student")?,
                    IdSource::of_argument(fcinfo, 2, "student_group")?,
                ],
                time: TimeType::of_argument(fcinfo, 3),
            })
        }
    }

    /// The row of the call at hand, and the clock of its times.
    pub fn read<'a>(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
    ) -> Result<(Clock, Enrolment<'a>), Box<ErrorReport>> {
        // SAFETY: `new` looked at the same call site; every argument has the type asked for.
        unsafe {
            let time = |at, of_day: fn(i32) -> i64| {
                pg_getarg_datum(fcinfo, at).map(|datum| match self.time {
                    TimeType::Date => of_day(datum.value() as i32),
                    TimeType::Timestamp | TimeType::Timestamptz => datum.value() as i64,
                })
            };
            let row = Enrolment {
                student: self.ids[0].read(fcinfo, 1)?,
                group: self.ids[1].read(fcinfo, 2)?,
                from: time(3, midnight),
                to: time(4, end_of_day),
            };
            Ok((self.time.clock(), row))
        }
    }
}

/// Reads the group of `_rollup_by_group(student_group, gradebook)`, which follows the state.
pub struct GroupReader(IdSource);

impl GroupReader {
    /// Looks up the type of the call's argument, once per group, and refuses that of no id.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Result<Self, Box<ErrorReport>> {
        // SAFETY: the aggregate's transition function is declared with this argument.
        Ok(Self(unsafe {
            IdSource::of_argument(fcinfo, 1, "student_group")?
        }))
    }

    /// The id of the call at hand.
    pub fn read<'a>(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
    ) -> Result<Option<Id<'a>>, Box<ErrorReport>> {
        // SAFETY: `new` looked at the same call site.
        unsafe { self.0.read(fcinfo, 1) }
    }
}
