//! Where Postgres and Rust meet: raw memory, calls into the server, and the acting role.
//!
//! The only folder with unsafe code. `functions` and `aggregates` rest on it; it imports nothing
//! of theirs.

pub mod allocator;
pub mod arguments;
pub mod ids;
pub mod logging;
pub mod notices;
pub mod rights;
pub mod rows;
pub mod session;
pub mod state;
pub mod time;
pub mod wire;
