//! Aggregates as Postgres calls them, declared in the files of `sql/aggregates`.

mod alpha;
mod dif;
mod gradebook;
mod numbers;
mod pairs;
mod summary;
