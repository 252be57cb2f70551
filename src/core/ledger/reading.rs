//! What a mark counts as: the choices of whoever reads a gradebook.

use crate::gradebook::{Gradebook, Mark, Scale, State};
use crate::labels::labels;
use crate::ledger::score::Score;
use crate::statistics::rounding::ROUNDING;

/// What becomes of a score outside of its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutOfRange {
    /// It does not count: nobody knows which is wrong, the score or the scale.
    #[default]
    Exclude,
    /// It counts as the end of the scale that it is beyond, as a bonus or a penalty may.
    Clip,
}

labels!(OutOfRange { Exclude => "exclude", Clip => "clip" });

/// What becomes of points without a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingMax {
    /// They do not count.
    #[default]
    Exclude,
    /// The most points that anybody had for the question stand in for the maximum.
    Observed,
}

labels!(MissingMax { Exclude => "exclude", Observed => "observed" });

/// What becomes of questions that a student left blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blanks {
    /// They do not count.
    #[default]
    Ignore,
    /// They count as no points.
    Zero,
    /// Those before the last answer of a sitting were omitted, and count as no points; those after
    /// it were not reached, and do not count.
    ZeroBeforeLastAnswer,
}

labels!(Blanks {
    Ignore => "ignore",
    Zero => "zero",
    ZeroBeforeLastAnswer => "zero_before_last_answer",
});

/// Why a row that a gradebook keeps does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The score is below its minimum.
    BelowMin,
    /// The score is above its maximum.
    AboveMax,
    /// Nobody said what the maximum is.
    NoMaxScore,
    /// The student left it blank.
    Blank,
    /// Its mark is still to come.
    Waiting,
    /// It has a score, but most answers to the question wait for theirs.
    HeldBack,
    /// The student did not take it.
    NotTaken,
    /// The student need not take it.
    Exempt,
    /// Somebody said that the item does not count.
    Excluded,
}

labels!(Left {
    BelowMin => "below_min",
    AboveMax => "above_max",
    NoMaxScore => "no_max_score",
    Blank => "blank",
    Waiting => "waiting",
    HeldBack => "held_back",
    NotTaken => "not_taken",
    Exempt => "exempt",
    Excluded => "excluded",
});

impl Left {
    /// Those by which something is wrong with the row.
    pub const WRONG: [Self; 3] = [Self::BelowMin, Self::AboveMax, Self::NoMaxScore];
}

/// What a score is worth by its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Worth {
    Score(Score),
    /// The most that anybody had is yet to be found.
    Points {
        score: f64,
        min: f64,
    },
}

/// What a mark says by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Counts(Worth),
    Left(Left),
    /// Blank or waiting, as the others show; if blank, it may count as this.
    NoScore(Worth),
}

/// How marks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    pub out_of_range: OutOfRange,
    pub missing_max: MissingMax,
    pub blanks: Blanks,
}

impl Reading {
    /// Whether every mark of a gradebook is a score that counts by itself, as in most.
    pub fn plain_scores(&self, gradebook: &Gradebook<'_>) -> bool {
        let is_plain =
            |mark: &Mark| matches!(self.outcome(*mark), Outcome::Counts(Worth::Score(_)));
        let marks = gradebook.marks();
        (!marks.is_empty() || gradebook.responses() == 0) && marks.iter().all(is_plain)
    }

    /// The score of a mark where all are [plain](Reading::plain_scores).
    pub fn plain_score(&self, mark: Mark) -> Score {
        match self.outcome(mark) {
            Outcome::Counts(Worth::Score(score)) => score,
            _ => Score::Share(0.0),
        }
    }

    /// The points of a mark that counts by itself, in the unit of the score and within its scale.
    pub fn points(&self, mark: Mark) -> Option<f64> {
        let max = mark.scale.max_score().unwrap_or(f64::INFINITY);
        let points = mark.score.max(mark.scale.min_score()).min(max);
        matches!(self.outcome(mark), Outcome::Counts(_)).then_some(points)
    }

    /// What a mark says by itself.
    pub fn outcome(&self, mark: Mark) -> Outcome {
        match mark.state {
            State::Scored => match self.worth(&mark.scale, mark.score) {
                Ok(worth) => Outcome::Counts(worth),
                Err(left) => Outcome::Left(left),
            },
            State::NoScore => Outcome::NoScore(no_points(&mark.scale)),
            State::Waiting => Outcome::Left(Left::Waiting),
            State::NotTaken => Outcome::Left(Left::NotTaken),
            State::Exempt => Outcome::Left(Left::Exempt),
        }
    }

    fn worth(&self, scale: &Scale, score: f64) -> Result<Worth, Left> {
        let (min, max) = (scale.min_score(), scale.max_score());
        let span = max.map_or(f64::INFINITY, |max| max - min);
        // Partial credits that add up to the maximum may pass it by a rounding error: 0.1 + 0.2 of
        // 0.3 is all of it.
        let slack = match span.is_finite() {
            true => ROUNDING * span,
            false => 0.0,
        };
        let clips = self.out_of_range == OutOfRange::Clip;
        if score < min - slack && !clips {
            return Err(Left::BelowMin);
        }
        if max.is_some_and(|max| score > max + slack) && !clips {
            return Err(Left::AboveMax);
        }
        let score = score.max(min);
        match max {
            Some(f64::INFINITY) => Ok(Worth::Score(Score::Unbounded(score))),
            Some(max) => Ok(Worth::Score(Score::Share(share(score.min(max), min, max)))),
            None if self.missing_max == MissingMax::Observed => Ok(Worth::Points { score, min }),
            None => Err(Left::NoMaxScore),
        }
    }
}

/// The share of the way from the minimum to the maximum.
pub fn share(score: f64, min: f64, max: f64) -> f64 {
    // Halves, as the whole way may be longer than the largest number.
    let share = match (max - min).is_finite() {
        true => (score - min) / (max - min),
        false => (score / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0),
    };
    share.clamp(0.0, 1.0)
}

fn no_points(scale: &Scale) -> Worth {
    let (score, min) = (scale.no_points(), scale.min_score());
    match scale.max_score() {
        Some(f64::INFINITY) => Worth::Score(Score::Unbounded(score)),
        Some(max) => Worth::Score(Score::Share(share(score, min, max))),
        // None of the points are none of them, however many there are.
        None if score == min => Worth::Score(Score::Share(0.0)),
        None => Worth::Points { score, min },
    }
}
