//! What can go wrong, in words that name no database. Each room has its own errors; here they come
//! together.

use crate::domain::Argument;
use crate::memory::OutOfMemory;
use crate::{gradebook, summary};

/// Every failure of the core. The glue gives each its SQLSTATE, DETAIL and HINT.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Argument(#[from] Argument),
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    #[error(transparent)]
    Gradebook(#[from] gradebook::Error),
    #[error(transparent)]
    Summary(#[from] summary::Error),
}

/// The result type of solvers.
pub type Result<T> = std::result::Result<T, Error>;
