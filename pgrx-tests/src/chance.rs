//! Chance that is the same in every run.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngSeed, TestRunner};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Choices one after the other.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.gen_range(0..end.max(1))
    }
}

/// Tries so many values of a strategy; one that fails is made smaller before it is shown.
pub fn try_values<S: Strategy>(count: u32, values: &S, mut holds: impl FnMut(S::Value)) {
    let config = ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(20260504),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    // A session is at work for one value at a time.
    let holds = std::cell::RefCell::new(&mut holds);
    let result = TestRunner::new(config).run(values, |value| {
        holds.borrow_mut()(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Bytes of which a few are changed, inserted, cut off or repeated.
pub fn mutants(original: &[u8], alphabet: &[u8]) -> impl Strategy<Value = Vec<u8>> {
    let original = original.to_vec();
    let change = (any::<Index>(), select(alphabet.to_vec()), 0..5u8);
    prop::collection::vec(change, 1..=3).prop_map(move |changes| {
        let mut bytes = original.clone();
        for (at, new, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 | 1 => bytes[at] = new,
                2 => bytes.insert(at, new),
                3 => bytes.truncate(at + 1),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    })
}
