//! Resampling with replacement (Efron and Tibshirani 1993), the same every time for a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::Domain;
use crate::options::options;

/// Students are dealt to this many units, which are resampled as a whole: what is predicted of one
/// student at several dates is correlated.
pub const BLOCKS: u32 = 128;
/// With fewer units an interval would be a guess.
const LEAST_UNITS: usize = 10;
options! {
    /// How often to resample, and what makes the resamples the same every time.
    pub struct Resampling {
        /// resamples of the bootstrap
        resamples: u64 = 500, Domain::Integer(0, 100_000, "an integer from 0 to 100000");
        /// what makes the resamples the same every time
        seed: u64 = 1, Domain::Seed;
    }
}

/// Draws: how many times each unit was drawn. None at all for fewer than ten units.
#[derive(Debug)]
pub struct Resampler {
    units: usize,
    left: u64,
    random: ChaCha8Rng,
}

impl Resampler {
    pub fn new(units: usize, resampling: &Resampling) -> Self {
        Self {
            units,
            left: match units < LEAST_UNITS {
                true => 0,
                false => resampling.resamples,
            },
            random: ChaCha8Rng::seed_from_u64(resampling.seed),
        }
    }
}

impl Iterator for Resampler {
    type Item = Vec<f64>;

    fn next(&mut self) -> Option<Vec<f64>> {
        self.left = self.left.checked_sub(1)?;
        let mut times = vec![0.0; self.units];
        for _ in 0..self.units {
            times[self.random.gen_range(0..self.units)] += 1.0;
        }
        Some(times)
    }
}
