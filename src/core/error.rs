//! What can go wrong, in words that name no database.

/// Every failure of the core. The glue gives each variant its SQLSTATE, DETAIL and HINT.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// An argument is outside its domain.
    #[error("{name} is out of range")]
    Argument {
        name: &'static str,
        value: String,
        expected: &'static str,
    },
    /// Two gradebooks hold ids that cannot be compared.
    #[error("cannot merge gradebooks whose {table} ids are of different types")]
    IdTypes {
        table: &'static str,
        left: &'static str,
        right: &'static str,
    },
    /// Calendar times (date, timestamp) meet absolute times (timestamptz).
    #[error("cannot aggregate times of different types together")]
    Clocks,
    /// Rows or summaries of one group that cannot be told on one scale.
    #[error("{argument} is not the same in all rows of a group")]
    Mismatch {
        argument: &'static str,
        left: String,
        right: String,
    },
    /// A gradebook outgrew its cap.
    #[error("gradebook is too large")]
    TooLarge { what: &'static str, limit: u64 },
    /// An aggregate that keeps the values of a group has too many of them.
    #[error("too many rows in one group")]
    GroupTooLarge,
    /// The next step would take so many bytes, and there are fewer.
    #[error("out of memory")]
    OutOfMemory(usize),
    /// Summaries that have seen more rows together than can be counted.
    #[error("too many rows in one {name}")]
    TooManyRows { name: &'static str, limit: u64 },
    /// Bytes or text that are no gradebook.
    #[error("malformed gradebook")]
    Malformed(&'static str),
    /// Bytes of a version, or with a part, that this code does not know.
    #[error("gradebook was written by a newer version")]
    Newer(u8),
    /// Bytes or text that are no summary of the type.
    #[error("malformed {name}")]
    MalformedSummary {
        name: &'static str,
        detail: &'static str,
    },
    /// A summary of a version that this code does not know.
    #[error("{name} was written by a newer version")]
    NewerSummary { name: &'static str, version: u8 },
}

/// The core's result type.
pub type Result<T> = std::result::Result<T, Error>;
