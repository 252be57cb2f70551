//! What all client tests share: a database of one's own, a session that keeps what the server says
//! beside its answers, tables to make models over, and the data that lie outside the tree.

mod chance;
mod database;
mod environment;
mod responses;
mod session;
pub mod source;
mod wire;

pub use chance::{Dice, mutants, try_values};
pub use database::{Database, Server};
pub use environment::{environment, is_available, number, root, seed, shared_data};
pub use responses::{AGGREGATE, PARALLEL, RESPONSES, SERIAL, gradebook_of, rows};
pub use session::{Session, Stop, describe, ending, stopped};
pub use wire::Wire;
