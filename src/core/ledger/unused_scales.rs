//! Questions whose scores use next to nothing of their scale, as shares of 1 do that were said to
//! be points of 100, or points of 5.

use hashbrown::HashMap;

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, Scale, State};
use crate::ledger::reading::{Left, Outcome, Reading};
use crate::ledger::scope::{Scope, Window};
use crate::memory;

/// The least maximum of a question that somebody gets more of than one in [`LITTLE`].
const LEAST_MAX: f64 = 20.0;
const LITTLE: f64 = 20.0;
/// Scores of a question at least; where it has fewer, of all such questions of its scale.
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
    /// Whether somebody has more than no points.
    is_solved: bool,
    /// That with the lowest maximum.
    scale: Scale,
}

impl Seen {
    const NOTHING: Self = Self {
        scores: 0,
        most: f64::NEG_INFINITY,
        share: 0.0,
        is_solved: false,
        scale: Scale::UNKNOWN,
    };

    fn add(&mut self, mark: &Mark) {
        let (min, max) = ends(mark);
        self.scores += 1;
        self.most = self.most.max(mark.score);
        // An unknown maximum may be any.
        self.share = self.share.max((mark.score - min) / (max - min));
        self.is_solved |= mark.score > mark.scale.no_points();
        if self.scores == 1 || max < self.max_score() {
            self.scale = mark.scale;
        }
    }

    fn max_score(&self) -> f64 {
        self.scale.max_score().unwrap_or(0.0)
    }

    fn is_little(&self) -> bool {
        let is_large = self.max_score() >= LEAST_MAX && self.max_score().is_finite();
        is_large && LITTLE * self.share <= 1.0
    }
}

/// Those of a gradebook that a scope asks about, by the number of the item; by scores in range
/// alone. Where no maximum is that large, none is looked at.
pub fn unused_scales(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<UnusedScale>> {
    let marks = gradebook.marks();
    if !marks.is_empty() && !marks.iter().any(is_far_below) {
        return Ok(Vec::new());
    }
    let items = gradebook.items().len();
    let of_scale = 2 * size_of::<(Scale, Seen)>();
    memory::ask((size_of::<Seen>() + size_of::<UnusedScale>() + of_scale) * items)?;
    let mut seen = vec![Seen::NOTHING; items];
    let window = Window::new(gradebook, &[], scope)?;
    gradebook.visit(
        |mark| mark,
        poll,
        |sitting| {
            if !window.sees(&sitting) {
                return Ok(());
            }
            for (&item, mark) in sitting.items.iter().zip(sitting.marks) {
                if window.has_item(item) && is_in_range(mark) {
                    seen[item as usize].add(mark);
                }
            }
            Ok(())
        },
    )?;
    // Per scale the scores of questions with few, and whether any of these uses it.
    let mut pools: HashMap<Scale, (u64, bool)> = HashMap::new();
    for own in seen.iter().filter(|own| own.scores < LEAST_SCORES) {
        let (scores, is_little) = pools.entry(own.scale).or_insert((0, true));
        *scores += own.scores;
        *is_little &= own.is_little();
    }
    let has_enough = |own: &Seen| match own.scores {
        LEAST_SCORES.. => true,
        _ => pools[&own.scale].1 && pools[&own.scale].0 >= LEAST_SCORES,
    };
    let is_unused = |own: &Seen| own.is_solved && own.is_little() && has_enough(own);
    let unused = (0..).zip(&seen).filter(|(_, own)| is_unused(own));
    let unused = unused.map(|(item, own)| UnusedScale {
        item,
        most: own.most,
        max_score: own.max_score(),
    });
    Ok(unused.collect())
}

/// Whether a mark is a score that is not beyond the ends of its scale.
fn is_in_range(mark: &Mark) -> bool {
    matches!(
        Reading::default().outcome(*mark),
        Outcome::Counts(_) | Outcome::Left(Left::NoMaxScore)
    )
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
