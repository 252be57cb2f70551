//! Every choice a user can make, with its default. `docs/technical/method.md` gives the reasons.

use crate::domain::{
    finite, from_0_to_1, half, inside_0_to_1, not_negative, positive, positive_span, share,
};
use crate::error::{Error, Result};
use crate::prior::Previous;

/// Which of several answers of a student to one item of one assessment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attempts {
    /// The earliest, as Moodle's item analysis does: it shows what a student knew before the
    /// answers were discussed.
    #[default]
    First,
    /// The latest.
    Last,
    /// The highest.
    Best,
}

/// How much an assessment says about a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// `k / (k + half_precision_items)` with `k` the effective number of questions: more
    /// questions say more, but one long test cannot drown six short ones.
    #[default]
    Effective,
    /// Every assessment the same.
    Assessments,
    /// Every response the same, each at its own time.
    Responses,
}

macro_rules! labels {
    ($type:ty, $name:literal, $expected:literal, $($label:literal => $variant:path),+) => {
        impl std::str::FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($label => Ok($variant),)+
                    _ => Err(Error::Argument {
                        name: $name,
                        value: text.to_owned(),
                        expected: $expected,
                    }),
                }
            }
        }
    };
}

labels!(Attempts, "attempts", "one of first, last, best",
    "first" => Attempts::First, "last" => Attempts::Last, "best" => Attempts::Best);
labels!(Counting, "counting", "one of effective, assessments, responses",
    "effective" => Counting::Effective, "assessments" => Counting::Assessments,
    "responses" => Counting::Responses);

/// The choices. Spans are in days, shares and probabilities between 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Look at the data as they were at this time (microseconds since 2000-01-01); none: at the
    /// latest response.
    pub as_of: Option<i64>,
    /// See [`Attempts`].
    pub attempts: Attempts,
    /// Assessments to leave out, by their number in the gradebook.
    pub exclude: Vec<u32>,
    /// Take the difficulty of questions out of the scores.
    pub adjust_difficulty: bool,
    /// Draw uncertain figures towards what the cohort makes likely.
    pub shrink: bool,
    /// Weigh questions by how well they separate.
    pub quality: bool,
    /// Least weight of a sound question, as a share of the mean discrimination.
    pub weight_floor: f64,
    /// Fewer effective answers than this leave a question at the mean weight.
    pub min_answers: f64,
    /// Fewer answers than this and no question is called flawed or suspect.
    pub flag_answers: u64,
    /// One-sided level of the test for flawed questions.
    pub flag_alpha: f64,
    /// Share of the students in the upper and in the lower group (Kelley 1939).
    pub upper_lower_share: f64,
    /// Coverage of the intervals.
    pub confidence: f64,
    /// Age at which evidence counts one half.
    pub half_life: f64,
    /// See [`Counting`].
    pub counting: Counting,
    /// Questions at which an assessment has half of the precision it could ever have.
    pub half_precision_items: f64,
    /// Degrees of freedom that the cohort's noise adds to a student's own.
    pub noise_df: f64,
    /// A level below this needs help; none: `cut_share` of the cohort lies below.
    pub cut: Option<f64>,
    /// See `cut`.
    pub cut_share: f64,
    /// Evidence is stale when older than this many half-lives.
    pub stale_half_lives: f64,
    /// A trend looks back this far; none: over everything.
    pub trend_window: Option<f64>,
    /// Fewer dates than this and the trend is unclear.
    pub trend_min_dates: u64,
    /// A shorter span than this and the trend is unclear.
    pub trend_min_days: f64,
    /// Degrees of freedom that the cohort's noise about lines adds to a student's own.
    pub trend_noise_df: f64,
    /// Two-sided level of the test for a trend.
    pub trend_alpha: f64,
    /// A trend is steady when the whole interval lies within this change in 90 days.
    pub steady_margin: f64,
    /// An assessment is due when at least this share of the students active then took it.
    pub due_share: f64,
    /// A question may change where it has this many answers before and after.
    pub side_answers: u64,
    /// Share of questions called drifted that are not.
    pub drift_alpha: f64,
    /// A smaller change of a question than this is no drift.
    pub drift_margin: f64,
    /// What last year's gradebook says of the students, by their number in this one; see
    /// [`crate::solve::previous`].
    pub previous: Previous,
    /// Correlation of true levels from one year to the next; at 0 last year does not count.
    pub carry_over: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            as_of: None,
            attempts: Attempts::First,
            exclude: Vec::new(),
            adjust_difficulty: true,
            shrink: true,
            quality: true,
            weight_floor: 0.25,
            min_answers: 10.0,
            flag_answers: 30,
            flag_alpha: 0.05,
            upper_lower_share: 0.27,
            confidence: 0.95,
            half_life: 60.0,
            counting: Counting::Effective,
            half_precision_items: 20.0,
            noise_df: 8.0,
            cut: None,
            cut_share: 0.2,
            stale_half_lives: 2.0,
            trend_window: Some(180.0),
            trend_min_dates: 5,
            trend_min_days: 28.0,
            trend_noise_df: 4.0,
            trend_alpha: 0.05,
            steady_margin: 0.05,
            due_share: 0.5,
            side_answers: 30,
            drift_alpha: 0.05,
            drift_margin: 0.05,
            previous: Previous::default(),
            carry_over: 0.65,
        }
    }
}

impl Options {
    /// The origin article to the letter: plain scores, every assessment the same, nothing
    /// borrowed from the cohort.
    pub fn plain() -> Self {
        Self {
            adjust_difficulty: false,
            shrink: false,
            quality: false,
            counting: Counting::Assessments,
            ..Self::default()
        }
    }

    /// Refuses what cannot be computed with.
    pub fn check(&self) -> Result<()> {
        positive_span("half_life", self.half_life)?;
        positive("stale_half_lives", self.stale_half_lives)?;
        if let Some(window) = self.trend_window {
            positive_span("trend_window", window)?;
        }
        if let Some(cut) = self.cut {
            finite("cut", cut)?;
        }
        not_negative("min_answers", self.min_answers)?;
        not_negative("half_precision_items", self.half_precision_items)?;
        not_negative("noise_df", self.noise_df)?;
        not_negative("trend_noise_df", self.trend_noise_df)?;
        not_negative("trend_min_span", self.trend_min_days)?;
        not_negative("steady_margin", self.steady_margin)?;
        not_negative("drift_margin", self.drift_margin)?;
        inside_0_to_1("confidence", self.confidence)?;
        inside_0_to_1("flag_alpha", self.flag_alpha)?;
        inside_0_to_1("trend_alpha", self.trend_alpha)?;
        inside_0_to_1("drift_alpha", self.drift_alpha)?;
        inside_0_to_1("cut_share", self.cut_share)?;
        half("upper_lower_share", self.upper_lower_share)?;
        share("due_share", self.due_share)?;
        from_0_to_1("weight_floor", self.weight_floor)?;
        from_0_to_1("carry_over", self.carry_over)
    }
}
