//! Aggregates as Postgres calls them, declared in `sql/aggregates`, those of gradebooks in
//! `sql/functions` too.

mod alpha;
mod dif;
mod gradebook;
mod numbers;
mod pairs;
mod summary;
