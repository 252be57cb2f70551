//! The session: what is settled once, when a backend loads the library, and whether a transaction
//! of the client's is open.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

/// Keeps Rust from putting its own stack under every message, which pgrx does where the server was
/// started with RUST_BACKTRACE: pages that say nothing to a reader of the message. Rust asks
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

/// Whether the client has begun a transaction, so that no procedure can commit. Declared in
/// `sql/model/refresh.sql`.
#[pg_extern(sql = false)]
fn is_in_transaction_block() -> bool {
    // SAFETY: reads the state of the backend.
    unsafe { pg_sys::IsTransactionBlock() }
}
