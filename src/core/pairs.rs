//! Samples of pairs in an order that does not depend on that of the rows, and how far two orders
//! of the same pairs disagree.

use std::cell::Cell;
use std::cmp::Ordering;
use std::mem;

use crate::Poll;

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
