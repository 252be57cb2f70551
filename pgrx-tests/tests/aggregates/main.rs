//! What aggregates keep to, whatever the plan, the memory and the server.

mod aggregate;
mod contract;
mod memory;
mod roster;
mod shards;
mod summaries;
