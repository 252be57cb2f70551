//! Questions whose scores use next to nothing of their scale, as shares of 1 do that were said to
//! be points of 100.

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, State};
use crate::memory;

/// The most that a share of 1 is.
const MOST: f64 = 1.0;
/// The least maximum that is far above it. On a question of so many points, somebody gets more
/// than one of them.
const LEAST_MAX: f64 = 20.0;
/// Scores of a question at least.
const LEAST_SCORES: u64 = 10;

/// A question whose scores are all at most 1, and some above 0, where many more could be had.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnusedScale {
    pub item: u32,
    /// The lowest maximum that a score was given with.
    pub max_score: f64,
}

#[derive(Clone, Copy)]
struct Seen {
    scores: u64,
    most: f64,
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
        most: 0.0,
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
                    let max = mark.scale.max_score().unwrap_or(0.0);
                    seen.max_score = seen.max_score.min(max);
                }
            }
            Ok(())
        },
    )?;
    let is_unused = |seen: &Seen| {
        let is_large = seen.max_score >= LEAST_MAX && seen.max_score.is_finite();
        seen.scores >= LEAST_SCORES && seen.most > 0.0 && seen.most <= MOST && is_large
    };
    let unused = (0..).zip(&seen).filter(|(_, seen)| is_unused(seen));
    let unused = unused.map(|(item, seen)| UnusedScale {
        item,
        max_score: seen.max_score,
    });
    Ok(unused.collect())
}

fn is_far_below(mark: &Mark) -> bool {
    let max = mark.scale.max_score().filter(|max| max.is_finite());
    mark.state == State::Scored && mark.score <= MOST && max >= Some(LEAST_MAX)
}
