//! Two-parameter logistic calibration: how steeply the chance of a right answer rises with ability,
//! and where it is one half. A second opinion on questions beside the correlations of
//! [`crate::questions::quality`], for answers that are right or wrong.
//!
//! `P(right) = 1 / (1 + exp(-(a θ + d)))` with the discrimination `a` and the difficulty
//! `b = -d / a` (Birnbaum 1968), and abilities `θ` that are standard normal. The parameters are
//! those that make the answers likeliest with abilities integrated out (Bock and Aitkin 1981).
//!
//! `fit` is the door: it lays out `answers`, climbs with `em` and takes errors from `information`.

mod answers;
mod calibrated;
mod em;
mod fit;
mod information;
mod settings;

pub use calibrated::{CalibratedItem, Calibration, CalibrationStatus, ErrorOf, Estimate, Run};
pub use fit::calibrate;
pub use settings::Settings;
