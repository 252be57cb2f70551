//! How the model is fitted.

use crate::domain::Domain;
use crate::options::options;

options! {
    /// How the model is fitted.
    pub struct Settings {
        /// whether parameters are drawn to likely values: a ~ N(1, 1), d ~ N(0, 2²)
        prior: bool = true, Domain::Boolean;
        /// points on the scale of ability, equally spaced from -6 to 6
        nodes: u64 = 61, Domain::Integer(11, 201, "an integer from 11 to 201");
        /// steps after which the fit gives up
        max_iterations: u64 = 500, Domain::Integer(1, 100_000, "an integer from 1 to 100000");
        /// the fit has converged when a step moves no parameter by more than this
        tolerance: f64 = 1e-6, Domain::Positive;
    }
}
