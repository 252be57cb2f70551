//! The median of all slopes between two points (Theil 1950; Sen 1968): a trend that a few wild
//! scores cannot bend.
//!
//! n points have n (n - 1) / 2 slopes, too many to look at. But how many lie below a value takes
//! n log n steps: sort the points by their height above a line of that slope, and count the
//! couples that change places (Knight 1966). So the slope of a wanted rank is closed in between
//! two values, chosen from a sample of those in between, until all that remain can be listed
//! (after Matousek 1991, without chance). Points are compared without rounding, so that the
//! counts are true, however close the slopes lie.

use crate::Poll;
use crate::statistics::distribution::normal_quantile;
use crate::statistics::kendall::Counts;
use crate::statistics::pairs::{sort_counting, sorted};

/// Slopes that are listed at most.
const MAX_LISTED: u64 = 1 << 18;

/// Points are scaled by 2^500, which changes no slope, so that the product of the smallest slope
/// with a time does not vanish.
const SCALE: f64 = f64::from_bits((1023 + 500) << 52);

/// A point: time and score.
type Point = [f64; 2];

/// The Theil-Sen line of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    /// Median of the slopes, in scores per unit of time; the mean of the middle two of an even
    /// number.
    pub slope: f64,
    /// Sen's limits: the slopes of ranks M and N + 1 - M of N, M = (N - C) / 2 rounded down, C
    /// the normal quantile times the standard deviation of Kendall's S. None when M is 0, when
    /// all scores are equal, which says nothing of the noise, and when not asked for.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Points.
    pub n: u64,
    /// Slopes: couples of points with different times.
    pub pairs: u64,
}

/// The median slope of `[time, score]` in any order; with limits when a confidence is given, above
/// 0 and below 1, which take as long again each. None when all times are equal, and when the slope
/// is too steep for a number.
///
/// Each slope is that of the two points as they are, rounded once.
pub fn theil_sen(sample: &[[f64; 2]], confidence: Option<f64>, poll: Poll<'_>) -> Option<TheilSen> {
    let points = sorted(sample, poll);
    let counts = Counts::of(&mut points.clone(), poll)?;
    let pairs = (counts.first.couples / 2) as u64;
    if pairs == 0 {
        return None;
    }
    let slopes = Slopes {
        points: points
            .iter()
            .map(|point| point.map(|x| x * SCALE))
            .collect(),
        pairs,
        poll,
    };
    let mut known = vec![(f64::NEG_INFINITY, 0), (f64::MAX, pairs)];
    let low = slopes.of_rank((pairs - 1) / 2, &mut known);
    let high = slopes.of_rank(pairs / 2, &mut known);
    let outside = confidence.map_or(0.0, |confidence| {
        let reach = normal_quantile(0.5 + confidence / 2.0) * counts.variance_s().sqrt();
        ((pairs as f64 - reach) / 2.0).floor()
    });
    let (ci_low, ci_high) = if outside >= 1.0 && counts.second.couples > 0 {
        // Ranks are counted from 0 here.
        let rank = outside as u64 - 1;
        (
            finite(slopes.of_rank(rank, &mut known)),
            finite(slopes.of_rank(pairs - 1 - rank, &mut known)),
        )
    } else {
        (None, None)
    };
    Some(TheilSen {
        slope: finite(low)?.midpoint(finite(high)?) + 0.0,
        ci_low,
        ci_high,
        n: points.len() as u64,
        pairs,
    })
}

/// A slope that is a number.
fn finite(slope: f64) -> Option<f64> {
    (slope.abs() < f64::MAX).then_some(slope + 0.0)
}

struct Slopes<'a> {
    /// By time, then score.
    points: Vec<Point>,
    pairs: u64,
    poll: Poll<'a>,
}

impl Slopes<'_> {
    /// The slope with `rank` slopes before it. `known` holds how many slopes are at most a value,
    /// and learns.
    fn of_rank(&self, rank: u64, known: &mut Vec<(f64, u64)>) -> f64 {
        loop {
            let (mut low, mut high) = ((f64::NEG_INFINITY, 0), (f64::MAX, self.pairs));
            for &(value, count) in known.iter() {
                if count <= rank && value > low.0 {
                    low = (value, count);
                }
                if count > rank && value < high.0 {
                    high = (value, count);
                }
            }
            if low.0.next_up() >= high.0 {
                return high.0;
            }
            let (between, place) = (high.1 - low.1, rank - low.1);
            let step = between.div_ceil(MAX_LISTED);
            let mut listed = self.list(low.0, high.0, step);
            if step == 1 && place < listed.len() as u64 {
                return *listed
                    .select_nth_unstable_by(place as usize, f64::total_cmp)
                    .1;
            }
            listed.sort_unstable_by(f64::total_cmp);
            // Three standard deviations of a share, were the sample a random one.
            let margin = 1.5 * (listed.len() as f64).sqrt();
            let middle = (place / step) as f64;
            let last = listed.len().saturating_sub(1);
            let sampled = |place: f64| listed.get((place as usize).min(last)).copied();
            let trials = [
                sampled(middle - margin).map(f64::next_down),
                sampled(middle + margin),
            ];
            let mut left = between;
            for value in trials.into_iter().flatten() {
                if low.0 < value && value < high.0 {
                    let count = self.up_to(value);
                    known.push((value, count));
                    left = left.min(count.abs_diff(if count <= rank { high.1 } else { low.1 }));
                }
            }
            if left > between / 2 {
                let value = halfway(low.0, high.0);
                known.push((value, self.up_to(value)));
            }
        }
    }

    /// How many slopes are at most `value`.
    fn up_to(&self, value: f64) -> u64 {
        let mut points = self.points.clone();
        sort_counting(
            &mut points,
            Line::new(value).overtakes(),
            |_, _| {},
            self.poll,
        )
    }

    /// Every `step`th of the slopes above `low` and up to `high`: points that change places when
    /// a line turns from the one slope to the other.
    fn list(&self, low: f64, high: f64, step: u64) -> Vec<f64> {
        let mut points = self.points.clone();
        if low > f64::NEG_INFINITY {
            sort_counting(
                &mut points,
                Line::new(low).overtakes(),
                |_, _| {},
                self.poll,
            );
        }
        let mut slopes = Vec::new();
        let (mut seen, mut next) = (0, 0);
        let visit = |earlier: &[Point], later: &Point| {
            let end = seen + earlier.len() as u64;
            while next < end {
                slopes.push(slope(&earlier[(next - seen) as usize], later));
                next += step;
            }
            seen = end;
        };
        sort_counting(&mut points, Line::new(high).overtakes(), visit, self.poll);
        slopes
    }
}

/// The number in the middle of all numbers between two.
fn halfway(low: f64, high: f64) -> f64 {
    // The bits of numbers rise with their distance from 0.
    let place = |x: f64| x.abs().to_bits() as i64 * if x < 0.0 { -1 } else { 1 };
    let middle = i64::midpoint(place(low), place(high));
    f64::from_bits(middle.unsigned_abs()).copysign(middle as f64)
}

/// A slope between two points, the earlier first, rounded once.
fn slope(from: &Point, to: &Point) -> f64 {
    let (rise, rise_error) = difference(to[1], from[1]);
    let (run, run_error) = difference(to[0], from[0]);
    let mut slope = (rise / run).clamp(-f64::MAX, f64::MAX);
    if rise == 0.0 || rise_error == 0.0 && run_error == 0.0 {
        return slope;
    }
    // Rounding twice more may have missed the nearest number by a few.
    while slope > -f64::MAX && Line::new(slope.next_down()).is_above(from, to) {
        slope = slope.next_down();
    }
    while slope < f64::MAX && !Line::new(slope).is_above(from, to) {
        slope = slope.next_up();
    }
    slope
}

/// A line whose slope is in the middle between a number and the next: slopes below it are rounded
/// to the number or one before it. A slope in the very middle goes to the even one of the two.
struct Line {
    slope: f64,
    next: f64,
}

impl Line {
    fn new(slope: f64) -> Self {
        Self {
            slope,
            next: slope.next_up(),
        }
    }

    /// Whether the second of two points lies lower above the line than the first.
    fn overtakes(&self) -> impl Fn(&Point, &Point) -> bool + '_ {
        |later, earlier| self.is_above(earlier, later)
    }

    /// Whether the line rises more than the points from the one to the other.
    fn is_above(&self, from: &Point, to: &Point) -> bool {
        let (rise, run) = (to[1] - from[1], to[0] - from[0]);
        if self.slope == f64::MAX {
            return run > 0.0;
        }
        let expected = self.slope * run;
        if expected.is_infinite() {
            return expected > 0.0;
        }
        let surplus = rise - expected;
        // More than the rounding of the steps so far, and the way to the middle.
        let doubt = 4.0 * f64::EPSILON * rise.abs()
            + 4.0 * f64::EPSILON * expected.abs()
            + (self.next - self.slope) * run.abs()
            + f64::MIN_POSITIVE;
        if surplus.abs() > doubt {
            return surplus < 0.0;
        }
        let rise_beyond = if rise == 0.0 {
            // The product might vanish, its sign does not.
            if self.slope < 0.0 { run } else { -run }
        } else {
            self.doubled_surplus(from, to).sign()
        };
        if rise_beyond == 0.0 {
            let even = self.slope.to_bits() & 1 == 0;
            return if even { run > 0.0 } else { run < 0.0 };
        }
        rise_beyond < 0.0
    }

    /// Twice what the points rise more than the line, exactly.
    fn doubled_surplus(&self, from: &Point, to: &Point) -> Sum {
        let (rise, rise_error) = difference(to[1], from[1]);
        let (run, run_error) = difference(to[0], from[0]);
        let mut sum = Sum::default();
        sum.add(2.0 * rise);
        sum.add(2.0 * rise_error);
        for slope in [self.slope, self.next] {
            for run in [run, run_error] {
                let product = -slope * run;
                sum.add(product);
                sum.add((-slope).mul_add(run, -product));
            }
        }
        sum
    }
}

/// `a - b` and what rounding took from it (Knuth 1969, "two-sum").
fn difference(a: f64, b: f64) -> (f64, f64) {
    let rounded = a - b;
    let from_b = a - rounded;
    let from_a = rounded + from_b;
    (rounded, (a - from_a) + (from_b - b))
}

/// A sum without rounding: numbers that do not overlap, the smallest first (Shewchuk 1997).
#[derive(Default)]
struct Sum {
    parts: [f64; 10],
    n: usize,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let mut carry = term;
        for part in &mut self.parts[..self.n] {
            let (sum, error) = difference(carry, -*part);
            *part = error;
            carry = sum;
        }
        self.parts[self.n] = carry;
        self.n += 1;
    }

    /// The largest part that is not 0 has the sign of the sum.
    fn sign(&self) -> f64 {
        let parts = self.parts[..self.n].iter().rev();
        parts.copied().find(|part| *part != 0.0).unwrap_or(0.0)
    }
}
