//! How well the past would have been predicted: at several dates each student's next scores are
//! predicted from nothing but what was known then, by what a school would do anyway and by the
//! method with one part after the other switched on.
//!
//! `outcome` sums up what `forecasts` finds: at each date `known` lays everything out as it was,
//! and `peers` compares the predictions with what came.

mod forecast;
mod forecasts;
mod known;
mod method;
mod outcome;
mod peers;
mod settings;
mod tally;

pub use forecast::{Forecast, Prediction, Spread};
pub use forecasts::forecasts;
pub use method::{Method, Target};
pub use outcome::{Outcome, Slice, backtest};
pub use settings::Settings;
pub use tally::{Difference, Figures, Tally};
