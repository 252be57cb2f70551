//! pg_assess: which students most need our help, and why?
//!
//! This crate is glue. The arithmetic is in `src/core`, the SQL objects are declared in `sql/`.
//! `pg` is the only room that touches raw memory or changes the acting role; `functions` and
//! `aggregates` are what Postgres calls.

mod aggregates;
mod error;
mod functions;
mod pg;

pgrx::pg_module_magic!();

/// Lets a cancelled statement end; the core calls it in its loops.
fn poll() {
    pgrx::check_for_interrupts!();
}

/// Called by Postgres when the library is loaded into a backend.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::session::silence_backtraces();
    pg::logging::start();
    pg::rights::start();
    pg::session::require_utf8();
}
