//! Resampling with replacement (Efron and Tibshirani 1993), the same every time for a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Students are dealt to this many units, which are resampled as a whole: what is predicted of one
/// student at several dates is correlated.
pub const BLOCKS: u32 = 128;
/// With fewer units an interval would be a guess.
const LEAST_UNITS: usize = 10;
/// Draws: how many times each unit was drawn. None at all for fewer than ten units.
#[derive(Debug)]
pub struct Resampler {
    units: usize,
    left: u64,
    random: ChaCha8Rng,
}

impl Resampler {
    pub fn new(units: usize, resamples: u64, seed: u64) -> Self {
        Self {
            units,
            left: match units < LEAST_UNITS {
                true => 0,
                false => resamples,
            },
            random: ChaCha8Rng::seed_from_u64(seed),
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
