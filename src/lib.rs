//! pg_assess: which students most need our help, and why?
//!
//! This crate is glue. The arithmetic is in `src/core`, the SQL objects are declared in `sql/`;
//! `agg`, `allocator` and `varlena` are the only rooms that touch raw memory; `rights` alone changes who acts.

mod agg;
mod allocator;
mod alpha;
mod backtest;
mod calibrate;
mod contents;
mod dif;
mod drift;
mod error;
mod gradebook;
mod logging;
mod missing_work;
mod numbers;
mod pairs;
mod pictures;
mod rights;
mod sample;
mod school_map;
mod solvers;
mod status;
mod summary;
mod varlena;
mod word;

pgrx::pg_module_magic!();

/// Lets a cancelled statement end; the core calls it in its loops.
fn poll() {
    pgrx::check_for_interrupts!();
}

/// Called by Postgres when the library is loaded into a backend.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    varlena::silence_backtraces();
    logging::start();
    rights::start();
    varlena::require_utf8();
}
