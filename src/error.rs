//! The core's failures in the words of Postgres: SQLSTATE, DETAIL and HINT.

use pg_assess_core::Error;
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;

/// What functions return that can refuse.
pub type Result<T> = std::result::Result<T, ErrorReport>;

/// Translates a failure that came with an argument or a row.
pub fn report(error: Error) -> ErrorReport {
    let message = error.to_string();
    let new = |code| ErrorReport::new(code, message.clone(), "");
    match error {
        Error::Argument {
            name,
            value,
            expected,
        } => new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
            .set_detail(format!("The value of {name} is {value}."))
            .set_hint(format!("Give {expected}.")),
        Error::IdTypes { table, left, right } => new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
            .set_detail(format!(
                "One has ids of type {left}, the other of type {right}."
            ))
            .set_hint(format!(
                "Cast the {table} column to one type before it is aggregated."
            )),
        Error::Clocks => new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
            .set_detail("Some are of type date or timestamp, others of type timestamptz.")
            .set_hint("Cast the time column to one type before it is aggregated."),
        Error::Mismatch {
            argument,
            left,
            right,
        } => new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
            .set_detail(format!("One row has {left}, another {right}."))
            .set_hint(format!(
                "Give all rows of a group the same {argument}, or GROUP BY it."
            )),
        Error::TooLarge { what, limit } => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail(format!("A gradebook holds at most {limit} {what}."))
            .set_hint("Make one gradebook per subject or school year: add GROUP BY."),
        Error::GroupTooLarge => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail("What is kept of the rows of a group takes at most 1 GB.")
            .set_hint("Make groups smaller: add GROUP BY."),
        Error::OutOfMemory(bytes) => new(Code::ERRCODE_OUT_OF_MEMORY)
            .set_detail(format!("It takes {bytes} bytes to work out."))
            .set_hint("Make groups smaller: add GROUP BY."),
        Error::TooManyRows { name, limit } => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail(format!("The {name} holds at most {limit} rows."))
            .set_hint("Make groups smaller: add GROUP BY."),
        Error::Malformed(detail) => new(Code::ERRCODE_DATA_CORRUPTED)
            .set_detail(format!("In the value, {detail}."))
            .set_hint("Make the gradebook again from the responses."),
        Error::MalformedSummary { detail, .. } => new(Code::ERRCODE_DATA_CORRUPTED)
            .set_detail(format!("In the value, {detail}."))
            .set_hint("Make the summary again from its rows."),
        Error::NewerSummary { version, .. } => new(Code::ERRCODE_FEATURE_NOT_SUPPORTED)
            .set_detail(format!("It has format version {version}."))
            .set_hint("Install the version of pg_assess that wrote it, or a newer one."),
        Error::Newer(version) => new(Code::ERRCODE_FEATURE_NOT_SUPPORTED)
            .set_detail(format!(
                "It has format version {version} or a part added later."
            ))
            .set_hint("Install the version of pg_assess that wrote it, or a newer one."),
    }
}

/// Translates a failure to read a value from outside, in text (`22P02`) or binary (`22P03`).
pub fn report_input(error: Error, code: Code) -> ErrorReport {
    let (name, detail) = match error {
        Error::Malformed(detail) => ("gradebook", detail),
        Error::MalformedSummary { name, detail } => (name, detail),
        other => return report(other),
    };
    ErrorReport::new(code, format!("invalid input for type {name}"), "")
        .set_detail(format!("In the value, {detail}."))
        .set_hint("Only what the type itself has written can be read back.")
}

/// An argument that must not be NULL.
pub fn null_argument(name: &str, hint: &str) -> ErrorReport {
    let code = Code::ERRCODE_NULL_VALUE_NOT_ALLOWED;
    ErrorReport::new(code, format!("{name} must not be null"), "")
        .set_detail("NULL has no meaning for this argument.")
        .set_hint(hint)
}
