//! What can be wrong with gradebooks.

use crate::memory::OutOfMemory;

/// Why a gradebook cannot be made or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
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
    /// A gradebook outgrew its cap.
    #[error("gradebook is too large")]
    TooLarge { what: &'static str, limit: u64 },
    /// Bytes or text that are no gradebook.
    #[error("malformed gradebook")]
    Malformed(&'static str),
    /// Bytes of a version that is not read any more.
    #[error("gradebook was written by an older version")]
    Older(u8),
    /// Bytes of a version, or with a part, that this code does not know.
    #[error("gradebook was written by a newer version")]
    Newer(u8),
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
}

/// The result type of everything that reads a gradebook.
pub type Result<T> = std::result::Result<T, Error>;
