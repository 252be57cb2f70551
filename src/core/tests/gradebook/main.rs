//! What is stored: gradebooks, rosters, summaries and words, whatever bytes they come from.

mod decode_any_bytes;
mod golden;
mod roster;
mod summaries;
mod word;
