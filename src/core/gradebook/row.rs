//! Rows as they come: of a table of responses, and of a roster.

use crate::gradebook::excluded::Exclusion;
use crate::gradebook::id::Id;
use crate::gradebook::mark::{Mark, Scale, State};
use crate::labels::labels;
use crate::time::{MAX_TIME, MIN_TIME};

/// The largest score that could be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxScore {
    /// Scores already are shares of their maximum.
    Share,
    /// This many points; infinite for a scale without an upper bound; none when unknown.
    Points(Option<f64>),
}

/// What the source says of a score beside the score itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// The score stands as it is.
    #[default]
    Counts,
    /// Whatever the score, it counts as none of the points.
    Zero,
    /// Whatever the score, its mark is still to come.
    Waiting,
    /// The student did not take it.
    NotTaken,
    /// The student need not take it.
    Exempt,
}

labels!(Standing {
    Counts => "counts",
    Zero => "zero",
    Waiting => "waiting",
    NotTaken => "not_taken",
    Exempt => "exempt",
});

/// One row of a response table; `None` stands for NULL.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub student: Option<Id<'a>>,
    pub item: Option<Id<'a>>,
    pub assessment: Option<Id<'a>>,
    pub score: Option<f64>,
    /// The lowest score that could be reached; none: 0.
    pub min_score: Option<f64>,
    pub max_score: MaxScore,
    /// Microseconds since 2000-01-01; the extremes of `i64` are the infinities, as in Postgres.
    pub taken_at: Option<i64>,
    pub standing: Standing,
    /// Which attempt at the assessment this is of; the least stands for none.
    pub attempt: Option<i64>,
    /// The place of the question in the sitting; the least stands for none.
    pub position: Option<i32>,
}

impl Row<'_> {
    /// What the row says of the answer, or why nothing can be made of it. Rows without an id or a
    /// time are left out before.
    #[inline(always)]
    pub(super) fn mark(&self, taken_at: i64) -> Result<Mark, Exclusion> {
        let min = self.min_score.unwrap_or(0.0);
        let scale = match self.max_score {
            MaxScore::Share if min == 0.0 => Some(Scale::SHARE),
            MaxScore::Share => Scale::new(min, Some(1.0)),
            MaxScore::Points(max) => Scale::new(min, max),
        };
        let (state, score) = match (self.standing, self.score) {
            (Standing::Counts, Some(score)) => (State::Scored, score),
            (Standing::Counts, None) => (State::NoScore, 0.0),
            (Standing::Zero, _) => (State::Scored, scale.map_or(0.0, |scale| scale.no_points())),
            (Standing::Waiting, _) => (State::Waiting, 0.0),
            (Standing::NotTaken, _) => (State::NotTaken, 0.0),
            (Standing::Exempt, _) => (State::Exempt, 0.0),
        };
        let scale = match (scale, state) {
            (Some(scale), _) => scale,
            (None, State::Scored) => return Err(Exclusion::BadScale),
            (None, _) => Scale::UNKNOWN,
        };
        if !score.is_finite() || !(MIN_TIME..=MAX_TIME).contains(&taken_at) {
            return Err(Exclusion::NotFinite);
        }
        Ok(Mark {
            state,
            scale,
            score: score + 0.0,
        })
    }
}

/// One row of a roster; `None` stands for NULL.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    pub student: Option<Id<'a>>,
    pub group: Option<Id<'a>>,
    /// Microseconds since 2000-01-01; none or the least `i64`: from the beginning of time.
    pub from: Option<i64>,
    /// The last microsecond; none or the greatest `i64`: without an end.
    pub to: Option<i64>,
}
