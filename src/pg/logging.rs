//! The `log` crate's messages become Postgres messages, so that `client_min_messages` and the
//! server log govern them.

use log::{Level, LevelFilter, Log, Metadata, Record};
use pgrx::{PgLogLevel, PgSqlErrorCode, ereport, pg_sys};

struct PostgresLog;

static LOGGER: PostgresLog = PostgresLog;

/// Takes over the `log` facade for this backend.
pub fn start() {
    // Fails only when another logger came first in this process; then that one is kept.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// An error in the log is a warning to the user: what stops a statement is raised as an error by
/// its function and never logged.
fn of(level: Level) -> PgLogLevel {
    match level {
        Level::Error | Level::Warn => PgLogLevel::WARNING,
        Level::Info => PgLogLevel::NOTICE,
        Level::Debug | Level::Trace => PgLogLevel::DEBUG1,
    }
}

impl Log for PostgresLog {
    /// Asked before a message is put into words: most that debug is shown to nobody.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let level = of(metadata.level()) as i32;
        // SAFETY: only reads settings of the session.
        metadata.target().starts_with("pg_assess")
            && unsafe { pg_sys::message_level_is_interesting(level) }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = of(record.level());
        let code = match level {
            PgLogLevel::WARNING => PgSqlErrorCode::ERRCODE_WARNING,
            _ => PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        };
        ereport!(level, code, record.args().to_string());
    }

    fn flush(&self) {}
}
