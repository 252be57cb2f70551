//! The ledger: the responses of a gradebook that count, as of a date, at most one per student, item
//! and assessment, with all scores on one scale.
//!
//! Rests on `gradebook` and `statistics`. Every solver begins with one; it knows none of them.

mod layout;
mod loader;
pub mod scale;
mod scope;

pub use layout::{Ledger, Takers, Unit};
pub use loader::Response;
pub use scope::{Attempts, Scope};
