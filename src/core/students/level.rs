//! Where a student stands now, and how sure that is: the student's own mean, drawn towards what is
//! expected without it.

use crate::options::Options;
use crate::statistics::distribution::{TQuantiles, t_cdf};
use crate::statistics::rounding::ROUNDING;
use crate::statistics::shrink::Population;
use crate::students::evidence::{OwnLevel, decay};
use crate::students::prior::Prior;
use crate::time::days_between;

/// The options of levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelOptions {
    /// In days.
    pub half_life: f64,
    pub shrink: bool,
    pub noise_df: f64,
    pub cut: Option<f64>,
    pub cut_share: f64,
    pub confidence: f64,
    pub carry_over: f64,
}

impl From<&Options> for LevelOptions {
    fn from(options: &Options) -> Self {
        Self {
            half_life: options.half_life,
            shrink: options.shrink,
            noise_df: options.noise_df,
            cut: options.cut,
            cut_share: options.cut_share,
            confidence: options.confidence,
            carry_over: options.carry_over,
        }
    }
}

impl LevelOptions {
    /// How many standard errors the interval reaches to either side.
    pub fn reach(&self) -> TQuantiles {
        TQuantiles::new(0.5 + self.confidence / 2.0)
    }
}

/// What the cohort makes likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cohort {
    /// Mean level and its spread between students.
    pub population: Population,
    /// Variance of a piece of evidence of precision 1; none when it is not known.
    pub noise: Option<f64>,
    /// How fast levels drift: variance gained per day.
    pub drift: f64,
    /// Levels below this need help.
    pub cut: f64,
}

/// The level of one student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub level: f64,
    /// None where there is a single piece of evidence and nothing can, or may, be borrowed.
    pub se: Option<f64>,
    /// The largest variance that silence may bring: what is open about the student without any
    /// evidence.
    pub widest: f64,
    /// Degrees of freedom of the standard error; none where it is as good as known.
    pub df: Option<f64>,
    /// Variance about the level of a piece of evidence of precision 1, as far as it is known.
    pub noise: Option<f64>,
    /// None also where hardly any degree of freedom is left and the interval has no end.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Plain scores under the same weights; none without evidence.
    pub raw_level: Option<f64>,
    /// What would be expected without any evidence.
    pub prior: f64,
    /// Whether that is the student's own, from last year's record.
    pub prior_is_own: bool,
    /// How much of the evidence is believed, against the prior; 0..1.
    pub reliability: f64,
    /// Sum of the decayed precision as of the date.
    pub information: f64,
    /// Probability that the true level lies below the cut.
    pub need: Option<f64>,
    pub last_at: Option<i64>,
}

impl Level {
    /// A variance about the level when drift has added to it. A level may wander, but not further
    /// than students are apart: nobody is less known for what they showed once.
    pub fn after(&self, variance: f64, drift: f64) -> f64 {
        (variance + drift).min(self.widest)
    }
}

impl Cohort {
    /// Variance of a student's own level. Their noise is drawn towards the cohort's, as five
    /// scores are too few to estimate a variance.
    pub fn mean_variance(&self, own: &OwnLevel, options: &LevelOptions) -> f64 {
        let total = options.noise_df + own.df;
        let noise = match self.noise.filter(|_| options.shrink) {
            None => own.variance,
            Some(noise) if total > 0.0 => {
                (options.noise_df * noise + own.df * own.variance) / total
            }
            Some(noise) => noise,
        };
        noise / own.effective_n
    }

    /// The level that follows from a student's own mean and the prior; without an interval where
    /// there is no reach.
    pub fn level(
        &self,
        own: Option<&OwnLevel>,
        prior: Prior,
        reach: Option<&TQuantiles>,
        as_of: i64,
        options: &LevelOptions,
    ) -> Level {
        let unknown = Level {
            level: prior.mean,
            se: None,
            widest: prior.variance,
            ci_low: None,
            ci_high: None,
            raw_level: None,
            prior: prior.mean,
            prior_is_own: prior.own,
            reliability: 0.0,
            information: 0.0,
            need: None,
            last_at: None,
            df: None,
            noise: self.noise,
        };
        let Some(own) = own else {
            let spread = Some((prior.variance.sqrt(), f64::INFINITY));
            return self.with_spread(unknown, spread, reach, f64::INFINITY);
        };
        let mean_variance = self.mean_variance(own, options);
        let silence = days_between(own.last_at, as_of);
        let (reliability, variance, df) = if options.shrink {
            let reliability = prior.reliability(mean_variance);
            (
                reliability,
                reliability * mean_variance,
                options.noise_df + own.df,
            )
        } else {
            (1.0, mean_variance, own.df)
        };
        let level = Level {
            level: prior.mean + reliability * (own.adjusted - prior.mean),
            raw_level: Some(own.plain),
            reliability,
            information: own.weight * decay(silence, options.half_life),
            last_at: Some(own.last_at),
            noise: self.noise.map(|_| mean_variance * own.effective_n),
            widest: prior.variance.max(variance),
            ..unknown
        };
        let se = level.after(variance, self.drift * silence).sqrt();
        // Nor is the interval wider than without evidence, which has the normal distribution's.
        let longest = reach.map_or(f64::INFINITY, |reach| {
            let without = reach.normal() * prior.variance.sqrt();
            without.max(reach.at(df) * variance.sqrt())
        });
        self.with_spread(level, (df > 0.0).then_some((se, df)), reach, longest)
    }

    /// The level with the interval, of at most `longest` to either side, and the need that follow
    /// from its standard error.
    fn with_spread(
        &self,
        level: Level,
        spread: Option<(f64, f64)>,
        reach: Option<&TQuantiles>,
        longest: f64,
    ) -> Level {
        let spread = spread.filter(|_| self.noise.is_some());
        let reach = spread
            .zip(reach)
            .map(|((se, df), reach)| se * reach.at(df))
            .filter(|reach| reach.is_finite())
            .map(|reach| reach.min(longest));
        Level {
            se: spread.map(|(se, _)| se),
            df: spread.map(|(_, df)| df).filter(|df| df.is_finite()),
            ci_low: reach.map(|reach| level.level - reach),
            ci_high: reach.map(|reach| level.level + reach),
            need: spread.map(|(se, df)| match se > ROUNDING {
                true => t_cdf((self.cut - level.level) / se, df),
                false => f64::from(level.level < self.cut - ROUNDING),
            }),
            ..level
        }
    }
}
