//! The states of aggregates, and what other functions keep: where they live, who frees them.
//!
//! A state is a Rust value in the memory context of the aggregate, which drops it when the group
//! is done, also after an error. Postgres sees a pointer of type internal.

use pgrx::fcinfo::pg_getarg_datum;
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

/// Whether this is the first time that the function asks in the execution of its statement. Such
/// a function keeps nothing else.
pub fn is_first_time(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    !std::mem::replace(kept(fcinfo), true)
}

/// What a function keeps from call to call in the execution of its statement.
pub fn kept<'a, T: Default>(fcinfo: pg_sys::FunctionCallInfo) -> &'a mut T {
    // SAFETY: a function is called with its look-up data, which the executor makes anew for each
    // execution; what a function that returns no set keeps in fn_extra is its own business, and it
    // lives in the context of the look-up. Each function keeps one type, and calls itself never.
    unsafe {
        let lookup = (*fcinfo).flinfo;
        if (*lookup).fn_extra.is_null() {
            let mut context = PgMemoryContexts::For((*lookup).fn_mcxt);
            (*lookup).fn_extra = context.leak_and_drop_on_delete(T::default()).cast();
        }
        &mut *(*lookup).fn_extra.cast()
    }
}
