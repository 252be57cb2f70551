//! The history of a student: scores over time, how much each still counts, and what came of it.

mod key;
mod svg;
mod vega;

use pg_assess_core::students::quadrant::Quadrant;
use pg_assess_core::students::trend::Direction;
use serde::Deserialize;

use crate::colour::ink;
use crate::layout::usable;
use crate::rows::{Of, figure, rounded_figure};

/// A student's assessments in order of time, and what is known as of a day. Figures have the
/// decimals that a specification has, so that both pictures show the same.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudentHistory {
    pub of: Of,
    pub student: String,
    pub tests: Vec<Test>,
    pub standing: Standing,
}

/// A student's answers in one assessment. Times are local, in microseconds since 1970.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub assessment: String,
    pub taken_at: i64,
    pub answers: u64,
    /// The score, difficulty of the questions taken out.
    #[serde(deserialize_with = "rounded_figure")]
    pub score: Option<f64>,
    /// The score as it was.
    #[serde(deserialize_with = "rounded_figure")]
    pub raw_score: Option<f64>,
    /// What its age leaves of its weight, 0 to 1.
    #[serde(deserialize_with = "rounded_figure")]
    pub fade: Option<f64>,
    /// Its share in the level, 0 to 1.
    #[serde(deserialize_with = "rounded_figure")]
    pub share: Option<f64>,
}

/// What is known of a student as of a day.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub as_of: Option<i64>,
    #[serde(deserialize_with = "rounded_figure")]
    pub level: Option<f64>,
    #[serde(deserialize_with = "rounded_figure")]
    pub ci_low: Option<f64>,
    #[serde(deserialize_with = "rounded_figure")]
    pub ci_high: Option<f64>,
    /// The level expected without evidence.
    #[serde(deserialize_with = "rounded_figure")]
    pub prior: Option<f64>,
    /// Change in 30 days; it and the line are shown where `trend` is not unclear.
    #[serde(deserialize_with = "rounded_figure")]
    pub slope: Option<f64>,
    pub trend: Option<String>,
    /// Days after which evidence counts one half.
    #[serde(deserialize_with = "figure")]
    pub half_life: Option<f64>,
    /// The ends of the line of the trend.
    pub line: Option<[Moment; 2]>,
}

/// A score at a time.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    pub at: i64,
    #[serde(deserialize_with = "rounded_figure")]
    pub score: Option<f64>,
}

impl StudentHistory {
    fn title(&self) -> String {
        let words = format!("scores and level of student {}", self.student);
        self.of.title(&words)
    }
}

impl Standing {
    fn has_trend(&self) -> bool {
        self.trend
            .as_deref()
            .is_some_and(|trend| trend != Direction::Unclear.label())
    }

    fn interval(&self) -> Option<(f64, f64)> {
        usable(self.ci_low).zip(usable(self.ci_high))
    }

    fn half_life(&self) -> Option<f64> {
        self.half_life.filter(|h| h.is_finite() && *h > 0.0)
    }

    /// Dark where falling and orange where rising, as on the school map; the dashes distinguish them
    /// where colours do not.
    fn trend_look(&self) -> (Option<&'static str>, &'static [u32]) {
        match self.trend.as_deref().and_then(Direction::of_label) {
            Some(Direction::Falling) => (Some(ink(Quadrant::LowFalling)), &[]),
            Some(Direction::Rising) => (Some(ink(Quadrant::HighRising)), &[14, 5]),
            _ => (None, &[3, 4]),
        }
    }
}

/// The colour of scores.
fn blue() -> &'static str {
    ink(Quadrant::LowRising)
}
