//! The ledger: the responses of a gradebook that count, as of a date, at most one per student, item
//! and assessment, with all scores on one scale.
//!
//! Rests on `gradebook` and `statistics`. Every solver begins with one; it knows none of them.

mod attempts;
mod census;
mod layout;
mod left;
mod loader;
mod observed;
mod reading;
pub mod scale;
mod scope;
mod score;
mod unused_scales;
mod verdicts;
mod zero_times;

pub use census::{Census, Doubt, Doubtful};
pub use layout::{Ledger, Takers, Unit};
pub use left::{CountsByReason, LeftOut, Unmarked};
pub use loader::Response;
pub use reading::{Blanks, Left, MissingMax, OutOfRange, Reading};
pub use scope::{Attempts, Scope};
pub use score::Score;
pub use unused_scales::unused_scales;
pub use zero_times::rows_of_zero_time;
