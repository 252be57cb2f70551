//! The states of aggregates, and what other functions keep: where they live, who frees them.
//!
//! There are three kinds. The state of `gradebook_agg` is a Rust value in the memory context of the
//! aggregate, which drops it when the group is done, also after an error; Postgres sees a pointer
//! of type internal. The state of a summary is a value of an ordinary type of a fixed size, which
//! Postgres copies, counts and frees itself, and which is changed where it lies. [`Numbers`] are
//! for aggregates that need all values of a group: a piece of the aggregate's memory that grows,
//! so that Postgres knows how much a million groups take, and nothing has to be freed.

use crate::error::report;
use crate::pg::wire::summary_datum;
use pg_assess_core::summary::Summary;
use pg_assess_core::summary::{self, Error};
use pgrx::fcinfo::{pg_getarg_datum, pg_getarg_datum_raw};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{Internal, PgLogLevel, PgMemoryContexts, PgSqlErrorCode, pg_sys};

/// Changes the state in argument 0, which is made first where there is none yet. A failure is
/// raised here and not returned: this runs for every row, and a result with room for an error
/// report would be copied each time.
#[inline(always)]
pub fn update<T>(
    fcinfo: pg_sys::FunctionCallInfo,
    make: impl FnOnce() -> T,
    change: impl FnOnce(&mut T) -> Result<(), Box<ErrorReport>>,
) -> Internal {
    // SAFETY: argument 0 is the state; only this function makes values of type internal that
    // reach it, and the aggregate gives its state to one call at a time.
    let state = unsafe {
        match pg_getarg_datum(fcinfo, 0) {
            Some(datum) => datum.cast_mut_ptr::<T>(),
            None => PgMemoryContexts::For(context(fcinfo)).leak_and_drop_on_delete(make()),
        }
    };
    // SAFETY: as above.
    if let Err(report) = change(unsafe { &mut *state }) {
        raise(*report);
    }
    Internal::from(Some(pg_sys::Datum::from(state)))
}

/// The state in argument 0 as it is.
pub fn unchanged(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    // SAFETY: every function of an aggregate has its state as argument 0.
    Internal::from(unsafe { pg_getarg_datum(fcinfo, 0) })
}

/// The state in argument `at`; none when it is NULL.
pub fn state<'a, T>(fcinfo: pg_sys::FunctionCallInfo, at: usize) -> Option<&'a T> {
    // SAFETY: the argument is declared internal, so it holds what `update` or a deserialization
    // function of the same aggregate made; it lives at least as long as the call.
    unsafe { pg_getarg_datum(fcinfo, at).map(|datum| &*datum.cast_mut_ptr::<T>()) }
}

/// The memory context of the aggregate whose function is being called.
fn context(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::MemoryContext {
    let mut context = std::ptr::null_mut();
    // SAFETY: the context is only read when Postgres says that it has been set.
    if unsafe { pg_sys::AggCheckCallContext(fcinfo, &mut context) } == 0 {
        let code = PgSqlErrorCode::ERRCODE_INTERNAL_ERROR;
        raise(
            ErrorReport::new(code, "aggregate function called outside an aggregate", "")
                .set_detail("It is a step of an aggregate.")
                .set_hint("Call the aggregate itself."),
        );
    }
    context
}

#[cold]
fn raise(report: ErrorReport) -> ! {
    report.report(PgLogLevel::ERROR);
    unreachable!("an error does not return")
}

/// The state in argument 0 that is a summary, for [`keep_summary`] after a change. It is not
/// checked: every state begins as an empty one, and what joins it is checked.
///
/// The two stand apart, so that a change between them is compiled into its caller and works on
/// registers: a row waits for what the one before has written to memory.
#[inline(always)]
pub fn summary_state<S: Summary>(fcinfo: pg_sys::FunctionCallInfo) -> S {
    // SAFETY: argument 0 is declared as the type of the summary, whose values all have its size,
    // and the function as strict.
    unsafe {
        let place = pg_getarg_datum_raw(fcinfo, 0).cast_mut_ptr::<u8>();
        S::load(std::slice::from_raw_parts(place, S::SIZE))
    }
}

/// Puts a changed summary back where it lies, as core's `float8_accum` does (in
/// `utils/adt/float.c`): it belongs to the aggregate. Outside of one it may belong to a stored
/// row, and is left as it is.
#[inline(always)]
pub fn keep_summary<S: Summary>(
    fcinfo: pg_sys::FunctionCallInfo,
    summary: S,
    change: summary::Result<()>,
) -> Internal {
    if let Err(error) = change {
        raise(report(error));
    }
    if !is_aggregate(fcinfo) {
        return summary_datum(&summary);
    }
    // SAFETY: as for `summary_state`; within an aggregate only this call knows the value.
    unsafe {
        let datum = pg_getarg_datum_raw(fcinfo, 0);
        let place = datum.cast_mut_ptr::<u8>();
        summary.store(std::slice::from_raw_parts_mut(place, S::SIZE));
        Internal::from(Some(datum))
    }
}

/// Numbers of a group that is still growing, beside two words of their own.
pub struct Numbers(*mut NumbersHead);

/// What lies before the numbers.
#[repr(C)]
struct NumbersHead {
    /// Rows that were left out.
    excluded: u64,
    /// The value of an argument that all rows have in common; NaN where there is none.
    argument: f64,
    length: usize,
    capacity: usize,
}

const HEAD: usize = size_of::<NumbersHead>();

/// The first piece of memory of a group, with its head: a small group stays in it.
const FIRST_BYTES: usize = 128;

/// Numbers that fit into the largest piece of memory that Postgres gives (`MaxAllocSize` in
/// `utils/memutils.h`).
const MOST_NUMBERS: usize = (0x3fff_ffff - HEAD) / size_of::<f64>();

impl Numbers {
    fn new(context: pg_sys::MemoryContext, bytes: usize) -> Self {
        // SAFETY: the memory holds the head, which is written before it is read.
        unsafe {
            let head = pg_sys::MemoryContextAlloc(context, bytes).cast::<NumbersHead>();
            head.write(NumbersHead {
                excluded: 0,
                argument: f64::NAN,
                length: 0,
                capacity: (bytes - HEAD) / size_of::<f64>(),
            });
            Self(head)
        }
    }

    fn head(&self) -> &NumbersHead {
        // SAFETY: points to a head for as long as it lives.
        unsafe { &*self.0 }
    }

    fn head_mut(&mut self) -> &mut NumbersHead {
        // SAFETY: as above.
        unsafe { &mut *self.0 }
    }

    pub fn excluded(&self) -> u64 {
        self.head().excluded
    }

    /// Counts rows that are left out.
    pub fn exclude(&mut self, rows: u64) {
        self.head_mut().excluded += rows;
    }

    /// What [`Self::agree_on`] has set.
    pub fn argument(&self) -> Option<f64> {
        let argument = self.head().argument;
        (!argument.is_nan()).then_some(argument)
    }

    /// Sets the value of an argument, which is the same for all rows.
    pub fn agree_on(&mut self, name: &'static str, value: f64) -> Result<(), Error> {
        match self.argument() {
            Some(other) if other != value => Err(Error::Mismatch {
                argument: name,
                left: other.to_string(),
                right: value.to_string(),
            }),
            _ => {
                self.head_mut().argument = value;
                Ok(())
            }
        }
    }

    /// Takes over the excluded rows of others, and the value of the argument of that name.
    pub fn join(&mut self, other: &Self, name: &'static str) -> Result<(), Error> {
        self.exclude(other.excluded());
        match other.argument() {
            Some(argument) => self.agree_on(name, argument),
            None => Ok(()),
        }
    }

    pub fn as_slice(&self) -> &[f64] {
        // SAFETY: as many numbers as the length says follow the head.
        unsafe { std::slice::from_raw_parts(self.0.add(1).cast(), self.head().length) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(1).cast(), self.head().length) }
    }

    /// Whether more numbers would need more memory.
    pub fn is_full(&self, more: usize) -> bool {
        let head = self.head();
        head.length + more > head.capacity
    }

    /// Adds numbers at the end.
    #[inline(always)]
    pub fn extend(&mut self, numbers: &[f64]) -> Result<(), Error> {
        self.reserve(numbers.len())?;
        let length = self.head().length;
        // SAFETY: there is room for them, and the new numbers are not among the old ones.
        unsafe {
            let end = self.0.add(1).cast::<f64>().add(length);
            std::ptr::copy_nonoverlapping(numbers.as_ptr(), end, numbers.len());
        }
        self.head_mut().length = length + numbers.len();
        Ok(())
    }

    /// Makes room for more numbers.
    pub fn reserve(&mut self, more: usize) -> Result<(), Error> {
        match self.is_full(more) {
            true => self.grow(more),
            false => Ok(()),
        }
    }

    /// Forgets the numbers from `length` on.
    pub fn truncate(&mut self, length: usize) {
        let head = self.head_mut();
        head.length = head.length.min(length);
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<(), Error> {
        let needed = self.head().length + more;
        if needed > MOST_NUMBERS {
            return Err(Error::GroupTooLarge);
        }
        let bytes = HEAD + needed * size_of::<f64>();
        let bytes = bytes
            .next_power_of_two()
            .min(HEAD + MOST_NUMBERS * size_of::<f64>());
        // SAFETY: what is there was allocated by Postgres, keeps its context, and is not used
        // where it was any more.
        unsafe {
            self.0 = pg_sys::repalloc(self.0.cast(), bytes).cast();
        }
        self.head_mut().capacity = (bytes - HEAD) / size_of::<f64>();
        Ok(())
    }
}

/// Changes the numbers in argument 0, which are made first where there are none yet.
#[inline(always)]
pub fn update_numbers(
    fcinfo: pg_sys::FunctionCallInfo,
    change: impl FnOnce(&mut Numbers) -> Result<(), Error>,
) -> Internal {
    let mut numbers = match numbers(fcinfo, 0) {
        Some(numbers) => numbers,
        None => Numbers::new(context(fcinfo), FIRST_BYTES),
    };
    if let Err(error) = change(&mut numbers) {
        raise(report(error));
    }
    Internal::from(Some(pg_sys::Datum::from(numbers.0)))
}

/// The numbers in argument `at`; none when it is NULL.
pub fn numbers(fcinfo: pg_sys::FunctionCallInfo, at: usize) -> Option<Numbers> {
    // SAFETY: the argument is declared internal, and holds what `update_numbers` or
    // `received_numbers` made for the same aggregate.
    unsafe { pg_getarg_datum(fcinfo, at).map(|datum| Numbers(datum.cast_mut_ptr())) }
}

/// Numbers as a parallel worker sends them: within one server, so in its own order of bytes.
pub fn sent_numbers(numbers: &Numbers) -> Vec<u8> {
    let head = numbers.head();
    let fields = [head.excluded, head.argument.to_bits()];
    let words = fields
        .into_iter()
        .chain(numbers.as_slice().iter().map(|number| number.to_bits()));
    words.flat_map(u64::to_ne_bytes).collect()
}

/// What [`sent_numbers`] sent.
pub fn received_numbers(bytes: &[u8]) -> Result<Internal, Error> {
    let words = bytes
        .as_chunks()
        .0
        .iter()
        .map(|word| u64::from_ne_bytes(*word));
    let words: Vec<u64> = words.collect();
    let [excluded, argument, ref received @ ..] = words[..] else {
        return Err(Error::Malformed {
            name: "state of an aggregate",
            detail: "it ends too early",
        });
    };
    // SAFETY: reads a variable of the backend.
    let context = unsafe { pg_sys::CurrentMemoryContext };
    let mut numbers = Numbers::new(context, HEAD + size_of_val(received));
    let received: Vec<f64> = received.iter().map(|&word| f64::from_bits(word)).collect();
    numbers.extend(&received)?;
    let head = numbers.head_mut();
    (head.excluded, head.argument) = (excluded, f64::from_bits(argument));
    Ok(Internal::from(Some(pg_sys::Datum::from(numbers.0))))
}

/// Whether the function is called by an aggregate or a window; `AggCheckCallContext` asks the
/// same, but a call into C for every row would cost as much as the row.
pub fn is_aggregate(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: the context of a call is a node or null.
    unsafe {
        let context = (*fcinfo).context;
        !context.is_null()
            && matches!(
                (*context).type_,
                pg_sys::NodeTag::T_AggState | pg_sys::NodeTag::T_WindowAggState
            )
    }
}
