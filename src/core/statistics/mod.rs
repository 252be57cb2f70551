//! Statistics of plain numbers, each with its source: distributions, correlations, lines, tests.
//!
//! The ground floor. A file here knows no gradebook and no option, and imports nothing but its
//! neighbours, labels, memory and the [`Poll`](crate::Poll). Every other folder may import it.

pub mod alpha;
pub mod bootstrap;
pub(crate) mod concordance;
pub mod dif;
pub mod distribution;
pub mod kendall;
pub mod moments;
pub mod multiplicity;
pub(crate) mod pairs;
pub mod quantile;
pub mod rounding;
pub mod shrink;
pub mod theil_sen;
