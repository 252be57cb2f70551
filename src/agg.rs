//! The states of aggregates: where they live, who frees them.
//!
//! There are two kinds. The state of `gradebook_agg` is a Rust value in the memory context of the
//! aggregate, which drops it when the group is done, also after an error; Postgres sees a pointer
//! of type internal. The state of a summary is a value of an ordinary type of a fixed size, which
//! Postgres copies, counts and frees itself, and which is changed where it lies.

use pg_assess_core::summary::Summary;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{Internal, PgLogLevel, PgMemoryContexts, PgSqlErrorCode, pg_sys};

use crate::error::report;
use crate::varlena::summary_datum;

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
        raise(ErrorReport::new(
            code,
            "aggregate function called outside an aggregate",
            "",
        ));
    }
    context
}

#[cold]
fn raise(report: ErrorReport) -> ! {
    report.report(PgLogLevel::ERROR);
    unreachable!("an error does not return")
}

/// Changes the summary in argument 0 where it lies, as core's `float8_accum` does (in
/// `utils/adt/float.c`): it belongs to the aggregate. Outside of one it may belong to a stored
/// row, and a copy is changed.
#[inline(always)]
pub fn update_summary<S: Summary>(
    fcinfo: pg_sys::FunctionCallInfo,
    change: impl FnOnce(&mut S) -> pg_assess_core::Result<()>,
) -> Internal {
    // SAFETY: argument 0 is declared as the type of the summary, whose values all have its size,
    // and the function as strict. Within an aggregate only this call knows the value.
    unsafe {
        let Some(datum) = pg_getarg_datum(fcinfo, 0) else {
            return Internal::from(None);
        };
        let bytes = std::slice::from_raw_parts_mut(datum.cast_mut_ptr::<u8>(), S::SIZE);
        let mut summary = S::load(bytes);
        if let Err(error) = change(&mut summary) {
            raise(report(error));
        }
        if is_aggregate(fcinfo) {
            summary.store(bytes);
            Internal::from(Some(datum))
        } else {
            summary_datum(&summary)
        }
    }
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

/// Whether this is the first time that the function asks in the execution of its statement.
pub fn is_first_time(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: a function is called with its look-up data, which the executor makes anew for each
    // execution; what a function that returns no set keeps in fn_extra is its own business.
    unsafe {
        let lookup = (*fcinfo).flinfo;
        let first = (*lookup).fn_extra.is_null();
        (*lookup).fn_extra = lookup.cast();
        first
    }
}
