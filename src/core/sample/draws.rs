//! Draws from the one stream of random numbers.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

pub fn shuffled(rng: &mut ChaCha8Rng, names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.shuffle(rng);
    names
}

pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
