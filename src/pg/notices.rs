//! What is reported once: in a query, in a statement, or in the execution of a statement.

use std::sync::atomic::{AtomicI64, Ordering};

use pgrx::{PgMemoryContexts, pg_sys};

/// Whether this is the first time that the function asks in the execution of its statement. Such
/// a function keeps nothing else.
pub fn is_first_time(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    !std::mem::replace(call_state(fcinfo), true)
}

/// What a function keeps from call to call in the execution of its statement.
pub fn call_state<'a, T: Default>(fcinfo: pg_sys::FunctionCallInfo) -> &'a mut T {
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

/// What aggregates report, each once in a query.
#[derive(Debug, Clone, Copy)]
pub enum Notice {
    /// `gradebook_agg` left out responses.
    Responses,
    /// `gradebook_agg` has responses of the time 0.
    ZeroTimes,
    /// `roster_agg` left out enrolments.
    Enrolments,
    /// Another aggregate left out rows.
    Rows,
}

/// Whether this is the first time in the statement of the client that a function asks, which has
/// `asked` for itself.
pub fn is_first_in_statement(asked: &AtomicI64) -> bool {
    // SAFETY: reads a variable of the backend.
    let statement = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    asked.swap(statement, Ordering::Relaxed) != statement
}

/// Whether this is the first time that an aggregate asks in the execution of a query: several
/// aggregates of one query, or of partitions, have one thing to say. A parallel worker that
/// finishes groups itself is a query of its own.
pub fn is_first_in_query(fcinfo: pg_sys::FunctionCallInfo, notice: Notice) -> bool {
    let mark = (&raw const ASKED[notice as usize]).cast_mut().cast();
    // SAFETY: the context of an aggregate's call is its plan state, which begins as every plan
    // state does. The memory of the query is freed when it ends, also after an error; a callback
    // in that memory is the mark, since it goes with it.
    unsafe {
        let plan = (*fcinfo).context.cast::<pg_sys::PlanState>();
        let query = (*(*plan).state).es_query_cxt;
        let mut callback = (*query).reset_cbs;
        while !callback.is_null() {
            if (*callback).arg == mark {
                return false;
            }
            callback = (*callback).next;
        }
        let size = size_of::<pg_sys::MemoryContextCallback>();
        let callback: *mut pg_sys::MemoryContextCallback =
            pg_sys::MemoryContextAllocZero(query, size).cast();
        (*callback).func = Some(nothing_to_do);
        (*callback).arg = mark;
        pg_sys::MemoryContextRegisterResetCallback(query, callback);
        true
    }
}

/// Their addresses mark the queries in which `is_first_in_query` was asked.
static ASKED: [u8; 4] = [0; 4];

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn nothing_to_do(_mark: *mut std::ffi::c_void) {}
