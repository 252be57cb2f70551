//! Whether a student rose or fell, as a description of the past.
//!
//! The slope is that of the difficulty-adjusted assessment scores over time, weighted by their
//! precision and without decay: decay in a regression inflates false alarms. The noise about a
//! line is drawn towards the cohort's before it is tested.

use crate::Poll;
use crate::foundation::Foundation;
use crate::labels::labels;
use crate::options::Options;
use crate::questions::quality::weights;
use crate::statistics::distribution::{t_quantile, t_two_sided};
use crate::statistics::rounding::ROUNDING;
use crate::students::evidence::{Evidence, EvidenceOptions, evidence_of, sort_by_time};
use crate::time::{DAY, days_between};

/// Days that a slope is given per.
pub const SLOPE_DAYS: f64 = 30.0;
/// Days that the margin of a steady trend is given per.
const MARGIN_DAYS: f64 = 90.0;
/// Coverage of the interval that must lie inside the margin.
const STEADY_CONFIDENCE: f64 = 0.9;

/// The direction of a student's scores. The order is that of concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Falling,
    /// Too few dates, too short a span, or no change beyond noise.
    Unclear,
    /// Any change is small, which is more than not to see one.
    Steady,
    Rising,
}

labels!(Direction {
    Falling => "falling",
    Unclear => "unclear",
    Steady => "steady",
    Rising => "rising",
});

/// The options of trends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendOptions {
    pub shrink: bool,
    pub noise_df: f64,
    pub min_dates: u64,
    /// In days.
    pub min_span: f64,
    pub alpha: f64,
    pub steady_margin: f64,
}

impl From<&Options> for TrendOptions {
    fn from(options: &Options) -> Self {
        Self {
            shrink: options.shrink,
            noise_df: options.trend_noise_df,
            min_dates: options.trend_min_dates,
            min_span: options.trend_min_span,
            alpha: options.trend_alpha,
            steady_margin: options.steady_margin,
        }
    }
}

/// A line through one student's evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Change of the score per day.
    pub(crate) slope: f64,
    /// Weighted sum of squared distances of the times from their mean, in days.
    pub(crate) spread: f64,
    /// Weighted sum of squared distances from the line.
    pub(crate) residual: f64,
    /// Pieces of evidence less 2.
    pub(crate) df: f64,
    pub(crate) dates: u64,
    pub(crate) days: f64,
}

impl Line {
    /// Weighted least squares over the evidence of the last `window` days, or of all;
    /// `evidence` is in order of time. None with fewer than two different times.
    pub fn through(evidence: &[Evidence], as_of: i64, window: Option<f64>) -> Option<Self> {
        Self::about(evidence, as_of, window).map(|(line, _)| line)
    }

    /// The same line from its first to its last time, as times and scores; none where it spans
    /// fewer days than `min_span`.
    pub fn ends(
        evidence: &[Evidence],
        as_of: i64,
        window: Option<f64>,
        min_span: f64,
    ) -> Option<[(i64, f64); 2]> {
        let (line, centre) = Self::about(evidence, as_of, window)?;
        if !line.spans(min_span) {
            return None;
        }
        let at = |taken_at| {
            let days = days_between(centre.first, taken_at) - centre.time;
            (taken_at, centre.score + line.slope * days)
        };
        Some([at(centre.first), at(centre.last)])
    }

    /// Whether it spans so many days.
    fn spans(&self, days: f64) -> bool {
        self.days >= days
    }

    fn about(evidence: &[Evidence], as_of: i64, window: Option<f64>) -> Option<(Self, Centre)> {
        let inside = |piece: &&Evidence| {
            window.is_none_or(|window| days_between(piece.taken_at, as_of) <= window)
        };
        let evidence: Vec<&Evidence> = evidence.iter().filter(inside).collect();
        let (first, last) = (evidence.first()?.taken_at, evidence.last()?.taken_at);
        let (mut weight, mut time, mut score) = (0.0, 0.0, 0.0);
        for piece in &evidence {
            weight += piece.precision;
            time += piece.precision * days_between(first, piece.taken_at);
            score += piece.precision * piece.adjusted;
        }
        let (time, score) = (time / weight, score / weight);
        let (mut spread, mut product) = (0.0, 0.0);
        for piece in &evidence {
            let days = days_between(first, piece.taken_at) - time;
            spread += piece.precision * days * days;
            product += piece.precision * days * (piece.adjusted - score);
        }
        if first == last || spread <= 0.0 {
            return None;
        }
        let days = days_between(first, last);
        // A rise that rounding makes of equal scores would be far beyond chance, and so would be
        // any rise beside the noise that rounding leaves.
        let mut slope = product / spread;
        if slope.abs() * days < ROUNDING {
            slope = 0.0;
        }
        let mut residual: f64 = evidence
            .iter()
            .map(|piece| {
                let days = days_between(first, piece.taken_at) - time;
                piece.precision * (piece.adjusted - score - slope * days).powi(2)
            })
            .sum();
        if residual < ROUNDING * ROUNDING * weight {
            residual = 0.0;
        }
        // Sittings of one day are one date, whatever the hour.
        let dates = evidence
            .chunk_by(|a, b| same_day(a.taken_at, b.taken_at))
            .count() as u64;
        let line = Self {
            slope,
            spread,
            residual,
            df: evidence.len() as f64 - 2.0,
            dates,
            days,
        };
        let centre = Centre {
            first,
            last,
            time,
            score,
        };
        Some((line, centre))
    }
}

/// The mean of the evidence of a line, a point on it.
struct Centre {
    first: i64,
    last: i64,
    /// In days since the first.
    time: f64,
    score: f64,
}

fn same_day(a: i64, b: i64) -> bool {
    a.div_euclid(DAY) == b.div_euclid(DAY)
}

/// The trend of one student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change of the score per 30 days.
    pub slope: Option<f64>,
    pub slope_se: Option<f64>,
    /// Two-sided p-value of "no change".
    pub p: Option<f64>,
    pub direction: Direction,
}

/// Variance about the lines that all students share, of one piece of evidence with precision 1;
/// none while no line has a degree of freedom.
pub fn noise_about_lines<'a>(lines: impl Iterator<Item = &'a Line>) -> Option<f64> {
    let (residual, df) = lines
        .filter(|line| line.df > 0.0)
        .fold((0.0, 0.0), |(residual, df), line| {
            (residual + line.residual, df + line.df)
        });
    (df > 0.0).then(|| residual / df)
}

impl Trend {
    /// No line, no trend.
    pub const NONE: Trend = Trend {
        slope: None,
        slope_se: None,
        p: None,
        direction: Direction::Unclear,
    };

    /// The trend of a student, none within less than the least span: that is no change of a month,
    /// and by its rate two sittings of one morning would end far beyond any score.
    pub fn of_student(line: &Line, noise: Option<f64>, options: &TrendOptions) -> Self {
        match line.spans(options.min_span) {
            true => Self::of(line, noise, options),
            false => Self::NONE,
        }
    }

    /// Tests one line against noise.
    pub fn of(line: &Line, noise: Option<f64>, options: &TrendOptions) -> Self {
        let borrowed = noise.filter(|_| options.shrink);
        let (variance, df) = match borrowed {
            Some(noise) if options.noise_df + line.df > 0.0 => {
                let df = options.noise_df + line.df;
                ((options.noise_df * noise + line.residual) / df, df)
            }
            _ if line.df > 0.0 => (line.residual / line.df, line.df),
            _ => {
                return Self {
                    slope: Some(line.slope * SLOPE_DAYS),
                    ..Self::NONE
                };
            }
        };
        let se = (variance / line.spread).sqrt();
        let p = if se > 0.0 {
            t_two_sided(line.slope / se, df)
        } else {
            f64::from(u8::from(line.slope == 0.0))
        };
        let enough = line.dates >= options.min_dates && line.spans(options.min_span);
        let margin = options.steady_margin / MARGIN_DAYS;
        // Only asked of slopes inside the margin.
        let reach = || se * t_quantile(0.5 + STEADY_CONFIDENCE / 2.0, df);
        let direction = if !enough {
            Direction::Unclear
        } else if p < options.alpha {
            if line.slope < 0.0 {
                Direction::Falling
            } else {
                Direction::Rising
            }
        } else if line.slope.abs() <= margin && line.slope.abs() + reach() <= margin {
            Direction::Steady
        } else {
            Direction::Unclear
        };
        Self {
            slope: Some(line.slope * SLOPE_DAYS),
            // Huge scores within a moment of each other have one beyond all numbers.
            slope_se: Some(se * SLOPE_DAYS).filter(|se| se.is_finite()),
            p: Some(p),
            direction,
        }
    }
}

/// The ends of the line that the trend of a student is read from, as times and scores. None with
/// fewer than two different times, or a span below the least one.
pub fn trend_line(
    student: u32,
    foundation: &Foundation,
    options: &Options,
    poll: Poll<'_>,
) -> Option<[(i64, f64); 2]> {
    let (ledger, difficulty) = (&foundation.ledger, &foundation.difficulty);
    let mut evidence = Vec::new();
    evidence_of(
        student as usize,
        ledger,
        difficulty,
        &weights(&foundation.items, options.quality),
        &EvidenceOptions::from(options),
        &mut evidence,
        poll,
    );
    sort_by_time(&mut evidence, poll);
    Line::ends(
        &evidence,
        ledger.as_of,
        options.trend_window,
        options.trend_min_span,
    )
}
