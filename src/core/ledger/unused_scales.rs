//! Questions whose scores use next to nothing of their scale, as shares of 1 do that were said to
//! be points of 100, or points of 5.

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, State};
use crate::memory;

/// The least maximum of a question that somebody gets more of than one in [`LITTLE`].
const LEAST_MAX: f64 = 20.0;
const LITTLE: f64 = 20.0;
/// Scores of a question at least.
const LEAST_SCORES: u64 = 10;

/// A question of which nobody has more than one point in twenty, and somebody has more than none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnusedScale {
    pub item: u32,
    /// The most that anybody has.
    pub most: f64,
    /// The lowest maximum that a score was given with.
    pub max_score: f64,
}

#[derive(Clone, Copy)]
struct Seen {
    scores: u64,
    most: f64,
    /// The largest share of the way from the minimum to the maximum.
    share: f64,
    max_score: f64,
}

/// Those of a gradebook, by the number of the item. Where no maximum is that large, none is looked
/// at.
pub fn unused_scales(gradebook: &Gradebook<'_>, poll: Poll<'_>) -> Result<Vec<UnusedScale>> {
    let marks = gradebook.marks();
    if !marks.is_empty() && !marks.iter().any(is_far_below) {
        return Ok(Vec::new());
    }
    let items = gradebook.items().len();
    memory::ask((size_of::<Seen>() + size_of::<UnusedScale>()) * items)?;
    let nothing = Seen {
        scores: 0,
        most: f64::NEG_INFINITY,
        share: 0.0,
        max_score: f64::INFINITY,
    };
    let mut seen = vec![nothing; items];
    gradebook.visit(
        |mark| mark,
        poll,
        |sitting| {
            for (&item, mark) in sitting.items.iter().zip(sitting.marks) {
                if mark.state == State::Scored {
                    let seen = &mut seen[item as usize];
                    seen.scores += 1;
                    seen.most = seen.most.max(mark.score);
                    // An unknown maximum may be any.
                    let (min, max) = ends(mark);
                    seen.share = seen.share.max((mark.score - min) / (max - min));
                    seen.max_score = seen.max_score.min(max);
                }
            }
            Ok(())
        },
    )?;
    let is_unused = |seen: &Seen| {
        let is_large = seen.max_score >= LEAST_MAX && seen.max_score.is_finite();
        let is_little = seen.share > 0.0 && LITTLE * seen.share <= 1.0;
        seen.scores >= LEAST_SCORES && is_little && is_large
    };
    let unused = (0..).zip(&seen).filter(|(_, seen)| is_unused(seen));
    let unused = unused.map(|(item, seen)| UnusedScale {
        item,
        most: seen.most,
        max_score: seen.max_score,
    });
    Ok(unused.collect())
}

fn is_far_below(mark: &Mark) -> bool {
    let (min, max) = ends(mark);
    let is_little = LITTLE * (mark.score - min) <= max - min;
    mark.state == State::Scored && max.is_finite() && max >= LEAST_MAX && is_little
}

/// The ends of a scale; 0 and 0 where the upper one is not known.
fn ends(mark: &Mark) -> (f64, f64) {
    match mark.scale.max_score() {
        Some(max) => (mark.scale.min_score(), max),
        None => (0.0, 0.0),
    }
}
