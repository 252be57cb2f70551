//! The core's failures in the words of Postgres: SQLSTATE, DETAIL and HINT.

use pg_assess_core::memory::OutOfMemory;
use pg_assess_core::{Error, gradebook, summary};
use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;

/// What functions return that can refuse.
pub type Result<T> = std::result::Result<T, ErrorReport>;

/// Translates a failure that came with an argument or a row.
pub fn report(error: impl Into<Error>) -> ErrorReport {
    let error = error.into();
    let message = error.to_string();
    let new = |code| ErrorReport::new(code, message.clone(), "");
    match error {
        Error::Argument(argument) | Error::Summary(summary::Error::Argument(argument)) => {
            new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
                .set_detail(format!(
                    "The value of {} is {}.",
                    argument.name, argument.value
                ))
                .set_hint(format!("Give {}.", argument.expected))
        }
        Error::Memory(OutOfMemory(bytes))
        | Error::Gradebook(gradebook::Error::Memory(OutOfMemory(bytes)))
        | Error::Summary(summary::Error::Memory(OutOfMemory(bytes))) => {
            new(Code::ERRCODE_OUT_OF_MEMORY)
                .set_detail(format!("It takes {bytes} bytes to work out."))
                .set_hint("Make groups smaller: add GROUP BY.")
        }
        Error::Gradebook(gradebook::Error::Clocks) | Error::Summary(summary::Error::Clocks) => {
            new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
                .set_detail("Some are of type date or timestamp, others of type timestamptz.")
                .set_hint("Cast the time column to one type before it is aggregated.")
        }
        Error::Gradebook(error) => of_gradebook(error, new),
        Error::Summary(error) => of_summary(error, new),
    }
}

fn of_gradebook(error: gradebook::Error, new: impl Fn(Code) -> ErrorReport) -> ErrorReport {
    match error {
        gradebook::Error::IdTypes { table, left, right } => {
            new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
                .set_detail(format!(
                    "One has ids of type {left}, the other of type {right}."
                ))
                .set_hint(format!(
                    "Cast the {table} column to one type before it is aggregated."
                ))
        }
        gradebook::Error::TooLarge { what, limit } => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail(format!("A gradebook holds at most {limit} {what}."))
            .set_hint("Make one gradebook per subject or school year: add GROUP BY."),
        gradebook::Error::Malformed(detail) => new(Code::ERRCODE_DATA_CORRUPTED)
            .set_detail(format!("In the value, {detail}."))
            .set_hint("Make the gradebook again from the responses."),
        gradebook::Error::Older(version) => new(Code::ERRCODE_FEATURE_NOT_SUPPORTED)
            .set_detail(format!(
                "It has format version {version}, of before pg_assess 1.0."
            ))
            .set_hint("Make the gradebook again from the responses."),
        gradebook::Error::Newer(version) => new(Code::ERRCODE_FEATURE_NOT_SUPPORTED)
            .set_detail(format!(
                "It has format version {version} or a part added later."
            ))
            .set_hint("Install the version of pg_assess that wrote it, or a newer one."),
        shared => report(shared),
    }
}

fn of_summary(error: summary::Error, new: impl Fn(Code) -> ErrorReport) -> ErrorReport {
    match error {
        summary::Error::Mismatch {
            argument,
            left,
            right,
        } => new(Code::ERRCODE_INVALID_PARAMETER_VALUE)
            .set_detail(format!("One row has {left}, another {right}."))
            .set_hint(format!(
                "Give all rows of a group the same {argument}, or GROUP BY it."
            )),
        summary::Error::GroupTooLarge => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail("What is kept of the rows of a group takes at most 1 GB.")
            .set_hint("Make groups smaller: add GROUP BY."),
        summary::Error::TooManyRows { name, limit } => new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            .set_detail(format!("The {name} holds at most {limit} rows."))
            .set_hint("Make groups smaller: add GROUP BY."),
        summary::Error::Malformed { detail, .. } => new(Code::ERRCODE_DATA_CORRUPTED)
            .set_detail(format!("In the value, {detail}."))
            .set_hint("Make the summary again from its rows."),
        summary::Error::Newer { version, .. } => new(Code::ERRCODE_FEATURE_NOT_SUPPORTED)
            .set_detail(format!("It has format version {version}."))
            .set_hint("Install the version of pg_assess that wrote it, or a newer one."),
        shared => report(shared),
    }
}

/// Translates a failure to read a value from outside, in text (`22P02`) or binary (`22P03`).
pub fn report_input(error: impl Into<Error>, code: Code) -> ErrorReport {
    let (name, detail) = match error.into() {
        Error::Gradebook(gradebook::Error::Malformed(detail)) => ("gradebook", detail),
        Error::Summary(summary::Error::Malformed { name, detail }) => (name, detail),
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
