//! The gradebook: every response of a subject in one compact value.
//!
//! `row` is what comes, `mark` what is kept of it; `builder` makes a gradebook of rows, and with
//! `merge` of others; `flat` reads it, and `form` describes the bytes, which are frozen.
//! Rests on `statistics`, `memory`, `labels` and `time`; the ledger and all above it rest on it.

mod builder;
mod codec;
mod error;
mod excluded;
mod flat;
mod form;
mod id;
mod log;
mod mark;
mod memberships;
mod merge;
mod outside;
mod roster;
mod row;
mod sittings;

pub use builder::Builder;
pub use codec::put_varint;
pub use error::{Error, Result};
pub use excluded::{Counts, Excluded, Exclusion};
pub use flat::Gradebook;
pub use form::{MAX_ENCODED_BYTES, MAX_RESPONSES, MAX_STUDENTS, MAX_TEXT_BYTES};
pub use id::{Id, Ids, MAX_ID_BYTES};
pub use mark::{Mark, Scale, State};
pub use roster::{MAX_PERIODS, Period, Roster};
pub use row::{Enrolment, MaxScore, Row, Standing};
pub use sittings::Sitting;
