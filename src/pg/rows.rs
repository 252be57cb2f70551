//! The rows of aggregates over responses and enrolments.

use pg_assess_core::gradebook::{Enrolment, MaxScore, Row};
use pg_assess_core::time::Clock;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;

use crate::pg::ids::IdSource;
use crate::pg::time::{TimeType, end_of_day, midnight};

/// Reads the rows of `gradebook_agg(student, item, assessment, score [, max_score], taken_at)`,
/// whose arguments follow the state.
pub struct RowReader {
    ids: [IdSource; 3],
    has_max_score: bool,
    time: TimeType,
}

impl RowReader {
    /// Looks up the types of the call's arguments, once per group.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: the aggregate's transition functions are declared with these arguments.
        unsafe {
            let arguments = i32::from((*fcinfo).nargs);
            Self {
                ids: [1, 2, 3].map(|at| IdSource::of_argument(fcinfo, at)),
                has_max_score: arguments == 7,
                time: TimeType::of_argument(fcinfo, arguments - 1),
            }
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
            let time_at = if self.has_max_score { 6 } else { 5 };
            let time = pg_getarg_datum(fcinfo, time_at);
            let (clock, taken_at) = (self.time.clock(), time.map(|datum| self.time.of(datum)));
            let row = Row {
                student: self.ids[0].read(fcinfo, 1)?,
                item: self.ids[1].read(fcinfo, 2)?,
                assessment: self.ids[2].read(fcinfo, 3)?,
                score: float(4),
                max_score: match self.has_max_score {
                    true => MaxScore::Points(float(5)),
                    false => MaxScore::Share,
                },
                taken_at,
            };
            Ok((clock, row))
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
    /// Looks up the types of the call's arguments, once per group.
    pub fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: the aggregate's transition functions are declared with these arguments.
        unsafe {
            Self {
                ids: [1, 2].map(|at| IdSource::of_argument(fcinfo, at)),
                time: TimeType::of_argument(fcinfo, 3),
            }
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
