//! Models: made over any source, kept up to date, and reported on.

mod advice;
mod alerts;
mod attach;
mod due;
mod edges;
mod excluded;
mod keys;
mod models;
mod named;
mod names;
mod scales;
mod totals;
mod tracking;
