//! Models: made over any source, kept up to date, and told about.

mod alerts;
mod attach;
mod edges;
mod keys;
mod models;
mod tracking;
