//! What can be wrong with summaries, and with the other aggregates over rows.

use crate::domain::Argument;
use crate::memory::OutOfMemory;

/// Why an aggregate cannot go on, or a summary cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Argument(#[from] Argument),
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// Calendar times (date, timestamp) meet absolute times (timestamptz).
    #[error("cannot aggregate times of different types together")]
    Clocks,
    /// Rows or summaries of one group that cannot be put on one scale.
    #[error("{argument} is not the same in all rows of a group")]
    Mismatch {
        argument: &'static str,
        left: String,
        right: String,
    },
    /// An aggregate that keeps the values of a group has too many of them.
    #[error("too many rows in one group")]
    GroupTooLarge,
    /// Summaries that have seen more rows together than can be counted.
    #[error("too many rows in one {name}")]
    TooManyRows { name: &'static str, limit: u64 },
    /// Bytes or text that are no summary of the type.
    #[error("malformed {name}")]
    Malformed {
        name: &'static str,
        detail: &'static str,
    },
    /// A summary of a version that this code does not know.
    #[error("{name} was written by a newer version")]
    Newer { name: &'static str, version: u8 },
}

/// The result type of aggregates.
pub type Result<T> = std::result::Result<T, Error>;
