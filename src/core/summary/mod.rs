//! Summaries: values of a fixed size that take rows one by one in any order, merge, can be stored,
//! and answer questions later.
//!
//! A summary is a version byte, seven zero bytes and a fixed number of 64-bit words, little
//! endian: on disk, on the wire and while an aggregate runs. Its text form names every word, or
//! none while no row has come. Both forms hold every bit. [`docs/technical/format.md`] describes
//! them.
//!
//! [`docs/technical/format.md`]: ../../../../docs/technical/format.md
//!
//! `form` is what all of them share. Rests on `statistics`, `students::trend`, `options` and `time`.

mod decay;
mod error;
mod form;
mod item;
mod trend;

pub use decay::DecaySummary;
pub use error::{Error, Result};
pub use form::{Summary, usable};
pub use item::ItemSummary;
pub use trend::TrendSummary;
