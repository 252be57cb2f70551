//! Orders: sorting that can be stopped, by small numbers in time that grows with the list alone,
//! of pairs whatever the order of the rows, and how far two orders of the same pairs disagree.

use std::cell::Cell;
use std::cmp::Ordering;
use std::mem;

use crate::Poll;
use crate::memory::{self, Result};

/// Comparisons between two calls of `poll`: a fraction of a millisecond.
const PACE: u32 = 1 << 16;

/// Sorts like `sort_unstable_by`; `poll` is called now and then.
pub fn sort<T>(values: &mut [T], order: impl Fn(&T, &T) -> Ordering, poll: Poll<'_>) {
    let compared = Cell::new(0u32);
    values.sort_unstable_by(|a, b| {
        compared.set(compared.get() + 1);
        if compared.get() == PACE {
            compared.set(0);
            poll();
        }
        order(a, b)
    });
}

/// Orders by numbers below a bound (a counting sort), in time that grows with the list and not with
/// the bound, so that it may be used for many short lists.
pub struct Grouping {
    /// Per number: how many there are of it, then where the next one goes; 0 in between.
    places: Vec<u32>,
    met: Vec<u32>,
}

impl Grouping {
    /// For numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        Self {
            places: vec![0; bound],
            met: Vec::new(),
        }
    }

    /// Fills `ordered` with the values by their numbers, those of one number in the order in which
    /// they come. They are gone through twice, and so need not lie in memory a second time.
    pub fn order<T: Copy + Default>(
        &mut self,
        values: impl Iterator<Item = (u32, T)> + Clone,
        ordered: &mut Vec<T>,
    ) -> Result<()> {
        let mut total = 0;
        for (number, _) in values.clone() {
            let count = &mut self.places[number as usize];
            if *count == 0 {
                self.met.push(number);
            }
            *count += 1;
            total += 1;
        }
        self.met.sort_unstable();
        let mut start = 0;
        for &number in &self.met {
            start += mem::replace(&mut self.places[number as usize], start);
        }
        ordered.clear();
        memory::ask_for_more(ordered, total)?;
        ordered.resize(total, T::default());
        for (number, value) in values {
            let place = &mut self.places[number as usize];
            ordered[*place as usize] = value;
            *place += 1;
        }
        for number in self.met.drain(..) {
            self.places[number as usize] = 0;
        }
        Ok(())
    }
}

/// The pairs by their first value, then by their second; -0 becomes 0.
pub fn sorted(sample: &[[f64; 2]], poll: Poll<'_>) -> Vec<[f64; 2]> {
    let mut pairs: Vec<[f64; 2]> = sample
        .iter()
        .map(|pair| pair.map(|value| value + 0.0))
        .collect();
    sort(
        &mut pairs,
        |a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])),
        poll,
    );
    pairs
}

/// Sorts by merging neighbours (Knight 1966) and returns the number of inversions: in how many
/// couples the later one had to come before the earlier one. `precedes(later, earlier)` says that
/// it has to, and not of equals. `visit` is shown each later one with the earlier ones it passes.
pub fn sort_counting<T: Copy>(
    values: &mut Vec<T>,
    precedes: impl Fn(&T, &T) -> bool,
    mut visit: impl FnMut(&[T], &T),
    poll: Poll<'_>,
) -> u64 {
    let mut inversions = 0;
    let mut merged = Vec::with_capacity(values.len());
    let mut width = 1;
    while width < values.len() {
        merged.clear();
        for block in values.chunks(2 * width) {
            let (mut earlier, mut later) = block.split_at(width.min(block.len()));
            while let ([first, others @ ..], [next, rest @ ..]) = (earlier, later) {
                if precedes(next, first) {
                    inversions += earlier.len() as u64;
                    visit(earlier, next);
                    merged.push(*next);
                    later = rest;
                } else {
                    merged.push(*first);
                    earlier = others;
                }
            }
            merged.extend_from_slice(earlier);
            merged.extend_from_slice(later);
        }
        mem::swap(values, &mut merged);
        width *= 2;
        poll();
    }
    inversions
}
