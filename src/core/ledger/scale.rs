//! Scores without an upper bound, brought onto the scale of the others.

use crate::Poll;
use crate::statistics::moments::Moments;
use crate::statistics::pairs::sort;
use crate::statistics::quantile::nearest;

/// Spread assumed where there is no bounded score: that of a question half of the students get
/// right.
const DEFAULT_SPREAD: f64 = 0.5;
/// Half of the scores of a normal distribution lie within this many standard deviations of the
/// median, to either side (its upper quartile).
const NORMAL_QUARTILE: f64 = 0.674_489_750_196_081_7;
/// Beyond this skewness, median and quartiles stand in for mean and standard deviation.
const MAX_SKEWNESS: f64 = 2.0;
/// But not where they are closer together than this share of the largest score, which would then
/// be so many deviations away that nothing else counted, or no sum could hold it.
const LEAST_DEVIATION: f64 = 1e-6;

/// Replaces the scores numbered in `unbounded` by `0.5 + z * spread`, where `z` is the distance
/// from the mean of the same item's unbounded scores in their standard deviations, and `spread`
/// the standard deviation that bounded scores have within an item. So one residual scale serves
/// words per minute beside shares of a maximum. Items whose scores are all the same get 0.5.
pub fn standardize(items: &[u32], scores: &mut [f64], unbounded: &[u32], poll: Poll<'_>) {
    if unbounded.is_empty() {
        return;
    }
    let spread = within_item_spread(items, scores, unbounded);
    let mut by_item = unbounded.to_vec();
    let key = |at: u32| (items[at as usize], at);
    sort(&mut by_item, |&a, &b| key(a).cmp(&key(b)), poll);
    for group in by_item.chunk_by(|&a, &b| items[a as usize] == items[b as usize]) {
        let mut values: Vec<f64> = group.iter().map(|&at| scores[at as usize]).collect();
        let (center, deviation) = center_and_deviation(&mut values, poll);
        for &at in group {
            let score = &mut scores[at as usize];
            let z = if deviation > 0.0 {
                (*score - center) / deviation
            } else {
                0.0
            };
            *score = 0.5 + z * spread;
        }
    }
}

fn within_item_spread(items: &[u32], scores: &[f64], unbounded: &[u32]) -> f64 {
    let count = items.iter().max().map_or(0, |&last| last as usize + 1);
    let mut moments = vec![Moments::default(); count];
    let mut skip = unbounded.iter().peekable();
    for (at, (&item, &score)) in items.iter().zip(scores).enumerate() {
        if skip.next_if(|&&next| next as usize == at).is_none() {
            moments[item as usize].add(score);
        }
    }
    let (mut squares, mut df) = (0.0, 0.0);
    for moment in moments.iter().filter(|moment| moment.n() > 1.0) {
        squares += moment.sum_of_squares();
        df += moment.n() - 1.0;
    }
    if squares > 0.0 {
        (squares / df).sqrt()
    } else {
        DEFAULT_SPREAD
    }
}

fn center_and_deviation(values: &mut [f64], poll: Poll<'_>) -> (f64, f64) {
    // Scaled down first, so that squares and cubes of huge scores stay finite.
    let scale = values
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    if scale == 0.0 {
        return (0.0, 0.0);
    }
    let mut moments = Moments::default();
    for &value in &*values {
        moments.add(value / scale);
    }
    let (mean, Some(variance)) = (moments.mean(), moments.variance()) else {
        return (values[0], 0.0);
    };
    let cubes: f64 = values
        .iter()
        .map(|value| (value / scale - mean).powi(3))
        .sum();
    let skewness = cubes / moments.n() / variance.powf(1.5);
    if skewness.abs() > MAX_SKEWNESS {
        sort(values, f64::total_cmp, poll);
        let quartile = |share: f64| nearest(values, share).unwrap_or_default();
        let deviation = (quartile(0.75) / 2.0 - quartile(0.25) / 2.0) / NORMAL_QUARTILE;
        if deviation > LEAST_DEVIATION * scale {
            return (quartile(0.5), deviation);
        }
    }
    (mean * scale, variance.sqrt() * scale)
}
