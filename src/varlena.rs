//! Values as they cross from Postgres and back: arguments by position, times, wire buffers.
//!
//! A gradebook is a varlena, as bytea is, so `&[u8]` and `Vec<u8>` stand for it. A summary is a
//! type of a fixed size that is passed by reference. Times are 64-bit integers on both sides.

use pg_assess_core::gradebook::{Enrolment, Id, MaxScore, Row};
use pg_assess_core::summary::Summary;
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pgrx::datum::Interval;
use pgrx::fcinfo::{pg_arg_is_null, pg_getarg, pg_getarg_datum, pg_getarg_datum_raw};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::varlena::{varatt_is_1b_e, varatt_is_4b_c, varlena_to_byte_slice};
use pgrx::{
    Array, FromDatum, Internal, PgLogLevel, PgMemoryContexts, PgSqlErrorCode, direct_function_call,
    pg_sys,
};

use crate::error::{null_argument, report};

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
        Self { fcinfo, next: 1 }
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

    /// The next argument, which must not be NULL.
    pub fn required<T: FromDatum>(&mut self, name: &str) -> Result<T, ErrorReport> {
        self.optional()
            .ok_or_else(|| null_argument(name, "Leave it out to get its default."))
    }

    /// The next argument, a span of time that must not be NULL, in days.
    pub fn days(&mut self, name: &str) -> Result<f64, ErrorReport> {
        self.required::<Interval>(name).map(days)
    }

    /// The next argument, a span of time, in days.
    pub fn optional_days(&mut self) -> Option<f64> {
        self.optional::<Interval>().map(days)
    }

    /// The next argument, an integer of at least zero.
    pub fn count(&mut self, name: &'static str) -> Result<u64, ErrorReport> {
        let value: i32 = self.required(name)?;
        u64::try_from(value).map_err(|_| {
            let code = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
            ErrorReport::new(code, format!("{name} is out of range"), "")
                .set_detail(format!("The value of {name} is {value}."))
                .set_hint("Give an integer of at least zero.")
        })
    }
}

fn days(span: Interval) -> f64 {
    interval_days(span.months(), span.days(), span.micros())
}

/// A span in days; a month has 30, as when Postgres justifies intervals.
#[inline(always)]
fn interval_days(months: i32, days: i32, micros: i64) -> f64 {
    let whole = f64::from(months) * 30.0 + f64::from(days);
    // A half-life is read for every row, and most are of whole days.
    match micros {
        0 => whole,
        _ => whole + micros as f64 / DAY as f64,
    }
}

/// A summary as it goes out. pgrx hands a value of its type `Internal` on as it is, whatever the
/// type in SQL.
pub fn summary_datum<S: Summary>(summary: &S) -> Internal {
    // SAFETY: the memory is as large as the summary, and lives as long as results do.
    unsafe {
        let place = PgMemoryContexts::CurrentMemoryContext
            .palloc(S::SIZE)
            .cast::<u8>();
        summary.store(std::slice::from_raw_parts_mut(place, S::SIZE));
        Internal::from(Some(pg_sys::Datum::from(place)))
    }
}

/// A one-dimensional array without NULL, as Postgres lays it out (array.h) behind the length that
/// every varlena begins with. An array out of a `Vec` of pgrx calls Postgres for each element.
pub fn array<E: AsRef<[u8]>>(
    kind: pg_sys::Oid,
    elements: impl ExactSizeIterator<Item = E>,
) -> Vec<u8> {
    let (dimensions, nulls_at, first) = (1, 0, 1);
    let length = elements.len() as u32;
    let head = [dimensions, nulls_at, kind.to_u32(), length, first];
    let mut bytes: Vec<u8> = head.into_iter().flat_map(u32::to_ne_bytes).collect();
    bytes.reserve(8 * elements.len());
    for element in elements {
        bytes.extend_from_slice(element.as_ref());
    }
    bytes
}

/// A text as an element of an array: its length, in the form of a header, and up to the next word.
pub fn text_element(text: &str) -> Vec<u8> {
    let length = 4 + text.len();
    let shift = if cfg!(target_endian = "little") { 2 } else { 0 };
    let mut bytes = ((length as u32) << shift).to_ne_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// A time as a `timestamptz`: calendar times are those of the session's zone,
/// so that a date comes back as the same date everywhere.
pub fn to_timestamptz(clock: Option<Clock>, at: i64) -> i64 {
    match clock {
        Some(Clock::Calendar) => convert(pg_sys::timestamp_timestamptz, at),
        _ => at,
    }
}

/// A `timestamptz` on the clock of the gradebook.
pub fn from_timestamptz(clock: Option<Clock>, at: i64) -> i64 {
    match clock {
        Some(Clock::Calendar) => convert(pg_sys::timestamptz_timestamp, at),
        _ => at,
    }
}

fn convert(function: unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum, at: i64) -> i64 {
    // At the ends of time another zone's clock cannot be told, and no report may fail over that.
    if !(MIN_TIME + 2 * DAY..=MAX_TIME - 2 * DAY).contains(&at) {
        return at;
    }
    // SAFETY: both functions take one 64-bit time, never NULL, and return one.
    unsafe { direct_function_call::<i64>(function, &[Some(pg_sys::Datum::from(at))]) }.unwrap_or(at)
}

/// The bytes of a wire message.
pub fn wire_bytes(message: &mut Internal) -> &[u8] {
    // SAFETY: a receive function is called with a StringInfo; it may not be called from SQL,
    // which has no values of type internal. The cursor tells Postgres what was read.
    unsafe {
        match message.get_mut::<pg_sys::StringInfoData>() {
            Some(buffer) if !buffer.data.is_null() && buffer.cursor <= buffer.len => {
                let start = buffer.data.cast::<u8>().offset(buffer.cursor as isize);
                let length = (buffer.len - buffer.cursor) as usize;
                buffer.cursor = buffer.len;
                std::slice::from_raw_parts(start, length)
            }
            _ => &[],
        }
    }
}

/// Keeps Rust from putting its own stack under every message, which pgrx does where the server was
/// started with RUST_BACKTRACE: it says nothing to who reads the message, and pages of it. Rust asks
/// for the setting once, of which only this library's copy of it learns.
pub fn silence_backtraces() {
    const SETTING: &str = "RUST_LIB_BACKTRACE";
    let before = std::env::var_os(SETTING);
    // SAFETY: a backend has one thread when it loads a library.
    unsafe { std::env::set_var(SETTING, "0") };
    drop(std::backtrace::Backtrace::capture());
    // SAFETY: as above.
    unsafe {
        match before {
            Some(before) => std::env::set_var(SETTING, before),
            None => std::env::remove_var(SETTING),
        }
    }
}

/// Refuses to be loaded into a database whose texts are in another encoding than Rust's.
/// SQL_ASCII is let in: it is none, and each id is checked.
pub fn require_utf8() {
    // SAFETY: reads a variable of the backend.
    let encoding = unsafe { pg_sys::GetDatabaseEncoding() } as u32;
    if encoding != pg_sys::pg_enc::PG_UTF8 && encoding != pg_sys::pg_enc::PG_SQL_ASCII {
        let code = PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
        ErrorReport::new(code, "pg_assess needs a database with encoding UTF8", "")
            .set_detail("In another encoding, text ids would not come back as they were.")
            .set_hint("Create the database with ENCODING 'UTF8'.")
            .report(PgLogLevel::ERROR);
    }
}

/// How the ids of one argument are read.
#[derive(Clone, Copy)]
enum IdSource {
    Int2,
    Int4,
    Int8,
    Uuid,
    Text,
    /// `char(n)`, whose padding does not count.
    Padded,
    /// A date as ISO 8601 has it, whatever the `DateStyle` of the session.
    Date,
    /// Any other type through its output function.
    Output(pg_sys::Oid),
}

impl IdSource {
    /// For an argument of the call; domains are what they stand for.
    ///
    /// # Safety
    /// `fcinfo` is that of the call at hand, and it has an argument `at`.
    unsafe fn of_argument(fcinfo: pg_sys::FunctionCallInfo, at: i32) -> Self {
        // SAFETY: as promised by the caller; both functions only look up.
        let declared = unsafe { pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, at) };
        // SAFETY: as above.
        match unsafe { pg_sys::getBaseType(declared) } {
            pg_sys::INT2OID => IdSource::Int2,
            pg_sys::INT4OID => IdSource::Int4,
            pg_sys::INT8OID => IdSource::Int8,
            pg_sys::UUIDOID => IdSource::Uuid,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => IdSource::Text,
            pg_sys::BPCHAROID => IdSource::Padded,
            pg_sys::DATEOID => IdSource::Date,
            other => {
                let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
                // SAFETY: both results are written before they are read.
                unsafe { pg_sys::getTypeOutputInfo(other, &mut output, &mut is_varlena) };
                IdSource::Output(output)
            }
        }
    }

    /// The id in argument `at`; none when it is NULL. Text lives as long as the call.
    ///
    /// # Safety
    /// The source was made for this argument of this call site.
    #[inline(always)]
    unsafe fn read<'a>(
        self,
        fcinfo: pg_sys::FunctionCallInfo,
        at: usize,
    ) -> Result<Option<Id<'a>>, Box<ErrorReport>> {
        // SAFETY: the datum has the type the source was made for; values it points to live in
        // the memory of the call.
        unsafe {
            let Some(datum) = pg_getarg_datum(fcinfo, at) else {
                return Ok(None);
            };
            Ok(Some(match self {
                IdSource::Int2 => Id::Integer(i64::from(datum.value() as i16)),
                IdSource::Int4 => Id::Integer(i64::from(datum.value() as i32)),
                IdSource::Int8 => Id::Integer(datum.value() as i64),
                IdSource::Uuid => Id::Uuid(u128::from_be_bytes(*datum.cast_mut_ptr::<[u8; 16]>())),
                IdSource::Text => Id::Text(utf8(text_bytes(datum))?),
                IdSource::Padded => Id::Text(utf8(text_bytes(datum))?.trim_end_matches(' ')),
                IdSource::Date => {
                    let (buffer, zone) = (std::ptr::null_mut(), std::ptr::null());
                    let text = pg_sys::JsonEncodeDateTime(buffer, datum, pg_sys::DATEOID, zone);
                    Id::Text(utf8(std::ffi::CStr::from_ptr(text).to_bytes())?)
                }
                IdSource::Output(function) => {
                    let text = pg_sys::OidOutputFunctionCall(function, datum);
                    Id::Text(utf8(std::ffi::CStr::from_ptr(text).to_bytes())?)
                }
            }))
        }
    }
}

/// The bytes of a text datum.
///
/// # Safety
/// `datum` is a valid varlena that outlives `'a`, as do values detoasted in this call.
unsafe fn text_bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut text: *mut pg_sys::varlena = datum.cast_mut_ptr();
        // A call into Postgres is dear; most ids need none.
        if varatt_is_1b_e(text) || varatt_is_4b_c(text) {
            text = pg_sys::pg_detoast_datum_packed(text);
        }
        varlena_to_byte_slice(text)
    }
}

// Boxed, as it is asked for every row and the report is large.
fn utf8(bytes: &[u8]) -> Result<&str, Box<ErrorReport>> {
    std::str::from_utf8(bytes).map_err(|_| {
        let code = PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
        let report = ErrorReport::new(code, "an id is not valid UTF-8", "")
            .set_detail("Ids are kept as text, which could not be read back.")
            .set_hint("pg_assess reads text ids in databases with encoding UTF8.");
        Box::new(report)
    })
}

/// The type of the times of a call.
#[derive(Clone, Copy)]
pub enum TimeType {
    Date,
    Timestamp,
    Timestamptz,
}

impl TimeType {
    /// For an argument of the call.
    ///
    /// # Safety
    /// `fcinfo` is that of the call at hand, and it has an argument `at`.
    unsafe fn of_argument(fcinfo: pg_sys::FunctionCallInfo, at: i32) -> Self {
        // SAFETY: as promised by the caller; both functions only look up.
        match unsafe { pg_sys::getBaseType(pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, at)) } {
            pg_sys::DATEOID => TimeType::Date,
            pg_sys::TIMESTAMPOID => TimeType::Timestamp,
            _ => TimeType::Timestamptz,
        }
    }

    /// A time from its datum; infinite ones are beyond the range of times.
    #[inline(always)]
    fn of(self, datum: pg_sys::Datum) -> i64 {
        match self {
            TimeType::Date => midnight(datum.value() as i32),
            TimeType::Timestamp | TimeType::Timestamptz => datum.value() as i64,
        }
    }

    /// What such times mean.
    pub fn clock(self) -> Clock {
        match self {
            TimeType::Date | TimeType::Timestamp => Clock::Calendar,
            TimeType::Timestamptz => Clock::Absolute,
        }
    }
}

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

/// The first moment of a day; infinite dates and those beyond the last time are infinite.
fn midnight(days: i32) -> i64 {
    i64::from(days)
        .checked_mul(DAY)
        .unwrap_or(if days < 0 { i64::MIN } else { i64::MAX })
}

/// The last microsecond of a day, infinite as its first moment is.
fn end_of_day(days: i32) -> i64 {
    match midnight(days) {
        infinite @ (i64::MIN | i64::MAX) => infinite,
        midnight => midnight.saturating_add(DAY - 1),
    }
}
