//! How often forecasts are resampled.

use crate::domain::Domain;
use crate::options::options;
use crate::statistics::bootstrap::Resampler;

options! {
    /// How often to resample, and what makes the resamples the same every time.
    pub struct Resampling {
        /// resamples of the bootstrap
        resamples: u64 = 500, Domain::Integer(0, 100_000, "an integer from 0 to 100000");
        /// what makes the resamples the same every time
        seed: u64 = 1, Domain::Seed;
    }
}

impl Resampling {
    /// The draws of so many units.
    pub fn of(&self, units: usize) -> Resampler {
        Resampler::new(units, self.resamples, self.seed)
    }
}
