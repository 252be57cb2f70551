//! Where each student stands now, and how sure that is.

use crate::Poll;
use crate::difficulty::Difficulty;
use crate::distribution::{TQuantiles, quantile, t_cdf};
use crate::ledger::Ledger;
use crate::moments::Moments;
use crate::options::{Counting, Options};
use crate::pairs::sort;
use crate::prior::{Prior, Record};
use crate::shrink::Population;
use crate::time::days_between;
use crate::trend::Line;
use crate::variogram::Variogram;

/// Degrees of freedom that the noise left over by the fit counts beside what students tell: three
/// of them with a second score must not tell the noise of all.
const FIT_DF: f64 = 8.0;
/// Differences of scores below this are what rounding leaves of equal ones.
pub(crate) const ROUNDING: f64 = 1e-9;

/// One piece of evidence: what an assessment says of a student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    pub unit: usize,
    /// The response it stands for, where every response counts by itself.
    pub response: Option<usize>,
    pub taken_at: i64,
    /// Weighted mean of the difficulty-adjusted scores.
    pub adjusted: f64,
    /// Weighted mean of the plain scores.
    pub plain: f64,
    /// Sum of the weights of its questions.
    pub quality: f64,
    /// What it counts, before decay.
    pub precision: f64,
}

/// The evidence of one student, in order of units.
pub fn evidence_of(
    student: usize,
    ledger: &Ledger,
    difficulty: &Difficulty,
    weights: &[f64],
    options: &Options,
    evidence: &mut Vec<Evidence>,
    poll: Poll<'_>,
) {
    evidence.clear();
    for unit in ledger.units_of(student) {
        if unit % 1024 == 0 {
            poll();
        }
        let responses = ledger.responses_in(unit);
        if options.counting == Counting::Responses {
            evidence.extend(responses.filter_map(|response| {
                let quality = weights[ledger.items[response] as usize];
                (quality > 0.0).then(|| Evidence {
                    unit,
                    response: Some(response),
                    taken_at: ledger.time_of(unit, response),
                    adjusted: difficulty.adjusted(ledger, response),
                    plain: ledger.scores[response],
                    quality,
                    precision: quality,
                })
            }));
            continue;
        }
        let (mut sum, mut squares, mut adjusted, mut plain) = (0.0, 0.0, 0.0, 0.0);
        for response in responses {
            let quality = weights[ledger.items[response] as usize];
            sum += quality;
            squares += quality * quality;
            adjusted += quality * difficulty.adjusted(ledger, response);
            plain += quality * ledger.scores[response];
        }
        if sum > 0.0 {
            let items = sum * sum / squares;
            // The mean weight, each question weighing in by its own weight: an assessment of
            // dull questions says less than one of sharp ones, however many there are.
            let sharpness = squares / sum;
            let precision = match options.counting {
                Counting::Effective => sharpness * items / (items + options.half_precision_items),
                Counting::Assessments | Counting::Responses => sharpness,
            };
            evidence.push(Evidence {
                unit,
                response: None,
                taken_at: ledger.unit(unit).taken_at,
                adjusted: adjusted / sum,
                plain: plain / sum,
                quality: sum,
                precision,
            });
        }
    }
}

/// Brings evidence that is in order of units into the order of time.
pub fn sort_by_time(evidence: &mut [Evidence], poll: Poll<'_>) {
    let key = |piece: &Evidence| (piece.taken_at, piece.unit, piece.response);
    sort(evidence, |a, b| key(a).cmp(&key(b)), poll);
}

/// The weight of evidence by its age: one half at one half-life.
#[inline]
pub fn decay(age_days: f64, half_life: f64) -> f64 {
    (-age_days / half_life).exp2()
}

/// The decayed mean of one student's evidence, nothing borrowed from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnLevel {
    /// Pieces of evidence.
    pub n: usize,
    pub adjusted: f64,
    pub plain: f64,
    pub last_at: i64,
    /// Sum of the decayed precision as of the last evidence.
    pub weight: f64,
    /// How many pieces of precision 1 the mean is worth: Kish's effective number, where pieces
    /// vary as their precision says.
    pub effective_n: f64,
    /// Variance about the mean of a piece of precision 1, and what it rests on: 0 degrees of
    /// freedom, and variance, where it cannot be told.
    pub variance: f64,
    pub df: f64,
}

impl OwnLevel {
    /// None without evidence. Ages are measured from the last evidence: as time goes by all
    /// weights shrink alike, so the mean must not move by as much as a rounding error.
    pub fn of(evidence: &[Evidence], half_life: f64) -> Option<Self> {
        let last_at = evidence.iter().map(|piece| piece.taken_at).max()?;
        let faded = |piece: &Evidence| decay(days_between(piece.taken_at, last_at), half_life);
        let (mut sum, mut adjusted, mut plain) = (0.0, 0.0, 0.0);
        // The mean's variance is `noise * squares / sum^2`, where a piece has `noise / precision`.
        let (mut squares, mut fades, mut fade_squares) = (0.0, 0.0, 0.0);
        for piece in evidence {
            let d = faded(piece);
            let w = d * piece.precision;
            sum += w;
            squares += d * w;
            fades += d;
            fade_squares += d * d;
            adjusted += w * piece.adjusted;
            plain += w * piece.plain;
        }
        let (adjusted, plain) = (adjusted / sum, plain / sum);
        // What makes the weighted sum of squares an unbiased estimate of the noise.
        let spread = fades - squares / sum;
        let about: f64 = evidence
            .iter()
            .map(|piece| faded(piece) * piece.precision * (piece.adjusted - adjusted).powi(2))
            .sum();
        // With equal precisions Kish's number of the weights less 1.
        let df = spread * fades / fade_squares;
        let several = evidence.len() > 1 && df > 1e-9;
        let varies = several && about > ROUNDING * ROUNDING * sum;
        Some(Self {
            n: evidence.len(),
            adjusted,
            plain,
            last_at,
            weight: sum,
            effective_n: sum / (squares / sum),
            variance: if varies { about / spread } else { 0.0 },
            df: if several { df } else { 0.0 },
        })
    }

    /// The same where the scores do not tell how much they vary by chance.
    fn without_variance(self) -> Self {
        Self {
            variance: 0.0,
            df: 0.0,
            ..self
        }
    }
}

/// What the cohort makes likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cohort {
    /// Mean level and its spread between students.
    pub population: Population,
    /// Variance of a piece of evidence of precision 1; none when nothing tells it.
    pub noise: Option<f64>,
    /// How fast levels drift: variance gained per day.
    drift: f64,
    /// Levels below this need help.
    cut: f64,
}

/// The level of one student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub level: f64,
    /// None where there is a single piece of evidence and nothing can, or may, be borrowed.
    pub se: Option<f64>,
    /// Degrees of freedom of the standard error; none where it is as good as known.
    pub df: Option<f64>,
    /// Variance about the level of a piece of evidence of precision 1, as far as it can be told.
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

/// What every student's own evidence says, in the ledger's order.
#[derive(Debug)]
pub struct Records {
    pub own: Vec<Option<OwnLevel>>,
    /// The line through the evidence, for the trend.
    pub lines: Vec<Option<Line>>,
    /// How far pieces of evidence are apart, by the days between them.
    pub variogram: Variogram,
}

impl Records {
    /// Goes through the evidence once.
    pub fn gather(
        ledger: &Ledger,
        difficulty: &Difficulty,
        weights: &[f64],
        options: &Options,
        poll: Poll<'_>,
    ) -> Self {
        let mut records = Self {
            own: Vec::with_capacity(ledger.student_count()),
            lines: Vec::with_capacity(ledger.student_count()),
            variogram: Variogram::default(),
        };
        // Where each answer has a difficulty of its own, that explains it, and what is left
        // varies too little or not at all.
        let saturated = difficulty.residual_variance.is_none();
        let mut evidence = Vec::new();
        for student in 0..ledger.student_count() {
            poll();
            evidence_of(
                student,
                ledger,
                difficulty,
                weights,
                options,
                &mut evidence,
                poll,
            );
            let own = OwnLevel::of(&evidence, options.half_life);
            if saturated {
                records.own.push(own.map(OwnLevel::without_variance));
                records.lines.push(None);
                continue;
            }
            records.own.push(own);
            sort_by_time(&mut evidence, poll);
            records
                .lines
                .push(Line::through(&evidence, ledger.as_of, options));
            records.variogram.add(&evidence);
        }
        records
    }

    /// What the evidence of all makes likely; last year's cohort stands in for what this year's
    /// evidence does not tell: the noise, where that of one student says nothing of it, and
    /// everything, while there is none at all.
    pub fn cohort(
        &self,
        ledger: &Ledger,
        difficulty: &Difficulty,
        options: &Options,
        poll: Poll<'_>,
    ) -> Option<Cohort> {
        let before = options.previous.cohort;
        let noise =
            cohort_noise(&self.own, ledger, difficulty, poll).or(before.and_then(|it| it.noise));
        let members: Vec<(f64, f64)> = self
            .own
            .iter()
            .flatten()
            .map(|own| (own.adjusted, noise.unwrap_or(0.0) / own.effective_n))
            .collect();
        let Some(population) = Population::estimate(&members).map(Population::with_floor) else {
            return before;
        };
        let mut cohort = Cohort {
            population,
            noise,
            drift: self.variogram.drift(),
            cut: 0.0,
        };
        cohort.cut = options
            .cut
            .unwrap_or_else(|| cohort.share_below(&self.own, options, poll));
        Some(cohort)
    }

    /// Levels in the ledger's order; none of anybody while nothing is known of the cohort.
    pub fn levels(
        &self,
        ledger: &Ledger,
        difficulty: &Difficulty,
        options: &Options,
        poll: Poll<'_>,
    ) -> Vec<Option<Level>> {
        let Some(cohort) = self.cohort(ledger, difficulty, options, poll) else {
            return vec![None; self.own.len()];
        };
        let reach = TQuantiles::new(0.5 + options.confidence / 2.0);
        let level = |student| {
            if student % 1024 == 0 {
                poll();
            }
            Some(self.level(student, &cohort, Some(&reach), ledger.as_of, options))
        };
        (0..self.own.len()).map(level).collect()
    }

    /// The level of one student; without an interval where it has no reach.
    pub fn level(
        &self,
        student: usize,
        cohort: &Cohort,
        reach: Option<&TQuantiles>,
        as_of: i64,
        options: &Options,
    ) -> Level {
        let prior = Prior::of(student, &cohort.population, options);
        cohort.level(self.own[student].as_ref(), prior, reach, as_of, options)
    }

    /// What a later year may know of each student: where they stood among the others. None of
    /// a cohort in which nobody differs, and of a single student.
    pub fn records(&self, cohort: &Cohort, options: &Options) -> Vec<Option<Record>> {
        let population = cohort.population;
        let several = self.own.iter().flatten().nth(1).is_some();
        let differ = several && population.variance.sqrt() > ROUNDING;
        let record = |own: &OwnLevel| {
            let reliability = population.reliability(cohort.mean_variance(own, options));
            let deviation = reliability * (own.adjusted - population.mean);
            Record {
                standing: deviation / population.variance.sqrt(),
                reliability,
            }
        };
        let own = self.own.iter();
        own.map(|own| own.as_ref().filter(|_| differ).map(record))
            .collect()
    }
}

/// Noise of one piece of evidence: from students with several, and what the fit leaves over,
/// spread over the questions of a unit; else half of all there is to see; none of one student
/// whose answers say nothing of it.
fn cohort_noise(
    own: &[Option<OwnLevel>],
    ledger: &Ledger,
    difficulty: &Difficulty,
    poll: Poll<'_>,
) -> Option<f64> {
    let (mut squares, mut df) = (0.0, 0.0);
    for own in own.iter().flatten() {
        squares += own.df * own.variance;
        df += own.df;
    }
    if let Some(residual) = difficulty.residual_variance {
        let mut shares = Moments::default();
        for unit in 0..ledger.unit_count() {
            if unit % 1024 == 0 {
                poll();
            }
            shares.add(1.0 / ledger.responses_in(unit).len() as f64);
        }
        let mut precision = Moments::default();
        for own in own.iter().flatten() {
            precision.add(own.effective_n / own.n as f64);
        }
        let fit = residual * shares.mean() * precision.mean();
        return Some((squares + FIT_DF * fit) / (df + FIT_DF));
    }
    let (mut moments, mut shares) = (Moments::default(), Moments::default());
    for own in own.iter().flatten() {
        moments.add(own.adjusted);
        shares.add(1.0 / own.effective_n);
    }
    let half = moments.variance()? / 2.0;
    Some(half / shares.mean())
}

impl Cohort {
    /// The level below which `cut_share` of the cohort lies, on the estimated true levels:
    /// single estimates are spread too wide by noise, shrunk ones too little, so they are drawn
    /// in half-way, which gives them the right variance (Louis 1984; Ghosh 1992). It does so
    /// towards any prior whose means, and what they leave open, have that variance together.
    fn share_below(&self, own: &[Option<OwnLevel>], options: &Options, poll: Poll<'_>) -> f64 {
        let half_way = |(student, own): (usize, &Option<OwnLevel>)| {
            let own = own.as_ref()?;
            let prior = Prior::of(student, &self.population, options);
            let reliability = if options.shrink {
                prior.reliability(self.mean_variance(own, options))
            } else {
                1.0
            };
            Some(prior.mean + reliability.sqrt() * (own.adjusted - prior.mean))
        };
        let mut levels: Vec<f64> = own.iter().enumerate().filter_map(half_way).collect();
        sort(&mut levels, f64::total_cmp, poll);
        quantile(&levels, options.cut_share).unwrap_or(self.population.mean)
    }

    /// Variance of a student's own level. Their noise is drawn towards the cohort's, as five
    /// scores do not tell a variance.
    fn mean_variance(&self, own: &OwnLevel, options: &Options) -> f64 {
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

    fn level(
        &self,
        own: Option<&OwnLevel>,
        prior: Prior,
        reach: Option<&TQuantiles>,
        as_of: i64,
        options: &Options,
    ) -> Level {
        let unknown = Level {
            level: prior.mean,
            se: None,
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
            return self.with_spread(unknown, spread, reach);
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
            ..unknown
        };
        let se = (variance + self.drift * silence).sqrt();
        self.with_spread(level, (df > 0.0).then_some((se, df)), reach)
    }

    /// The level with the interval and the need that follow from its standard error.
    fn with_spread(
        &self,
        level: Level,
        spread: Option<(f64, f64)>,
        reach: Option<&TQuantiles>,
    ) -> Level {
        let spread = spread.filter(|_| self.noise.is_some());
        let reach = spread
            .zip(reach)
            .map(|((se, df), reach)| se * reach.at(df))
            .filter(|reach| reach.is_finite());
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
