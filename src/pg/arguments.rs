//! The arguments of a call: by name where the order does not matter, one after the other where
//! each row counts.

use pg_assess_core::summary::Summary;
use pg_assess_core::time::{MAX_TIME, MIN_TIME};
use pgrx::datum::Interval;
use pgrx::fcinfo::{pg_arg_is_null, pg_getarg, pg_getarg_datum, pg_getarg_datum_raw};
use pgrx::pg_catalog::pg_proc::PgProc;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{Array, FromDatum, pg_sys};

use crate::error::{null_argument, report};
use crate::pg::time::{TimeType, days, interval_days};

/// The arguments of a call by their names in the SQL declaration, so that their order stands in
/// one place.
pub struct NamedArguments {
    fcinfo: pg_sys::FunctionCallInfo,
    names: Vec<Option<String>>,
}

impl NamedArguments {
    /// The arguments of the call at hand.
    pub fn of(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: a function is called with its look-up data, which has its number.
        let (function, given) = unsafe { ((*(*fcinfo).flinfo).fn_oid, (*fcinfo).nargs) };
        let function = PgProc::new(function);
        let mut names = function.map_or_else(Vec::new, |function| function.proargnames());
        // Behind them stand the columns of the result.
        names.truncate(usize::from(given as u16));
        Self { fcinfo, names }
    }

    /// Whether there is an argument of this name.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|argument| argument.as_deref() == Some(name))
    }

    /// The argument; none when it is NULL, or when there is none of the name. `T` is the Rust form
    /// of the type declared.
    pub fn optional<T: FromDatum>(&self, name: &str) -> Option<T> {
        let place = self.place(name)?;
        // SAFETY: there are as many arguments as names, and the declarations in sql/ have the
        // types that the callers ask for.
        unsafe { pg_getarg(self.fcinfo, place) }
    }

    /// The argument, which must not be NULL.
    pub fn required<T: FromDatum>(&self, name: &str) -> Result<T, ErrorReport> {
        self.optional(name)
            .ok_or_else(|| null_argument(name, "Leave it out to get its default."))
    }

    /// The argument, a span of time that must not be NULL, in days.
    pub fn days(&self, name: &str) -> Result<f64, ErrorReport> {
        self.required::<Interval>(name).map(days)
    }

    /// The argument, a span of time, in days.
    pub fn optional_days(&self, name: &str) -> Option<f64> {
        self.optional::<Interval>(name).map(days)
    }
}

/// The arguments of a call, taken one after the other in the order of the SQL declaration.
#[derive(Clone, Copy)]
pub struct Arguments {
    fcinfo: pg_sys::FunctionCallInfo,
    next: usize,
}

impl Arguments {
    /// The arguments of the call at hand.
    pub fn of(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Self { fcinfo, next: 0 }
    }

    /// The arguments that follow the state of an aggregate.
    pub fn after_state(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Self::after(fcinfo, 1)
    }

    /// The arguments that follow so many.
    pub fn after(fcinfo: pg_sys::FunctionCallInfo, next: usize) -> Self {
        Self { fcinfo, next }
    }

    /// The next argument; none when it is NULL. `T` is the Rust form of the type declared.
    pub fn optional<T: FromDatum>(&mut self) -> Option<T> {
        let at = self.next;
        self.next += 1;
        // SAFETY: Postgres passes as many arguments as the function is declared with, and the
        // declarations in sql/ have the types that the callers ask for.
        unsafe { pg_getarg(self.fcinfo, at) }
    }

    /// The next argument, an array of numbers, and its dimensions; none when it is NULL.
    pub fn array<'a>(&mut self) -> Option<(Array<'a, f64>, i32)> {
        let at = self.next;
        self.next += 1;
        // SAFETY: the declarations in sql/ have the type that the caller asks for; an array that
        // is not toasted begins with its head.
        unsafe {
            let datum = pg_getarg_datum(self.fcinfo, at)?;
            let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            let numbers = Array::from_datum(pg_sys::Datum::from(array), false)?;
            Some((numbers, (*array).ndim))
        }
    }

    /// How many arguments the call has.
    #[inline(always)]
    fn given(&self) -> usize {
        // SAFETY: only reads.
        usize::from(unsafe { (*self.fcinfo).nargs } as u16)
    }

    /// Whether an argument is left.
    #[inline(always)]
    pub fn has_more(&self) -> bool {
        self.next < self.given()
    }

    /// Whether one of the arguments that are left is NULL.
    #[inline(always)]
    pub fn has_null(&self) -> bool {
        // SAFETY: as for `optional`.
        let is_null = |at| unsafe { pg_arg_is_null(self.fcinfo, at) };
        (self.next..self.given()).any(is_null)
    }

    /// The next argument as it is; the caller's function is strict, so it is not NULL.
    #[inline(always)]
    fn datum(&mut self) -> pg_sys::Datum {
        let at = self.next;
        self.next += 1;
        // SAFETY: as for `optional`.
        unsafe { pg_getarg_datum_raw(self.fcinfo, at) }
    }

    /// The next argument, a `float8` of a strict function.
    #[inline(always)]
    pub fn float(&mut self) -> f64 {
        f64::from_bits(self.datum().value() as u64)
    }

    /// The next argument, a `boolean` that is not NULL.
    #[inline(always)]
    pub fn boolean(&mut self) -> bool {
        self.datum().value() as u8 != 0
    }

    /// The next argument, a time of a strict function.
    #[inline(always)]
    pub fn time(&mut self, time: TimeType) -> i64 {
        time.of(self.datum())
    }

    /// The next argument, a time that is not NULL, in microseconds since 2000-01-01; infinite for
    /// times there are not. Exact for 285 years before and after, and for every date.
    #[inline(always)]
    pub fn microseconds(&mut self, time: TimeType) -> f64 {
        let at = self.time(time);
        match (MIN_TIME..=MAX_TIME).contains(&at) {
            true => at as f64,
            false => f64::INFINITY,
        }
    }

    /// The next argument, an `interval` of a strict function, in days.
    #[inline(always)]
    pub fn interval_days(&mut self) -> f64 {
        // SAFETY: the declarations in sql/ have the type that the caller asks for.
        let span = unsafe { &*self.datum().cast_mut_ptr::<pg_sys::Interval>() };
        interval_days(span.month, span.day, span.time)
    }

    /// The next argument, a summary that is not NULL.
    pub fn summary<S: Summary>(&mut self) -> Result<S, ErrorReport> {
        let at = self.next;
        self.next += 1;
        // SAFETY: the declarations in sql/ have the type that the caller asks for, whose values
        // all have its size; they call a function only with summaries that are not NULL.
        let bytes = unsafe {
            pg_getarg_datum(self.fcinfo, at).map_or(&[][..], |datum| {
                std::slice::from_raw_parts(datum.cast_mut_ptr::<u8>(), S::SIZE)
            })
        };
        S::decode(bytes).map_err(report)
    }
}
