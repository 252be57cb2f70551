//! The gradebook: every response of a subject in one compact value.
//!
//! `builder` makes it from rows, `flat` reads it, and `form` describes the bytes, which are frozen.
//! Rests on `statistics`, `memory`, `labels` and `time`; the ledger and all above it rest on it.

mod builder;
mod codec;
mod error;
mod excluded;
mod flat;
mod form;
mod id;
mod outside;
mod roster;
mod score;

pub use builder::{Builder, Enrolment, MaxScore, Row};
pub use codec::put_varint;
pub use error::{Error, Result};
pub use excluded::{Excluded, Exclusion};
pub use flat::{Gradebook, Sitting};
pub use form::{MAX_ENCODED_BYTES, MAX_RESPONSES, MAX_STUDENTS, MAX_TEXT_BYTES};
pub use id::{Id, Ids, MAX_ID_BYTES};
pub use roster::{MAX_PERIODS, Period, Roster};
pub use score::Score;
