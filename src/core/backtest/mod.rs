//! How well the past would have been predicted: at several dates each student's next scores are
//! predicted from nothing but what was known then, by what a school would do anyway and by the
//! method with one part after the other switched on.

mod peers;
mod tally;

use std::collections::BTreeMap;

use crate::Poll;
use crate::bootstrap;
use crate::criterion::Criterion;
use crate::difficulty::Difficulty;
use crate::distribution::{t_quantile, t_two_sided};
use crate::error::{Error, Result};
use crate::gradebook::Gradebook;
use crate::item::qualities;
use crate::ledger::Ledger;
use crate::level::{Evidence, Level, OwnLevel, ROUNDING, Records, evidence_of, sort_by_time};
use crate::memory;
use crate::options::{Counting, Options};
use crate::student::weights;
use crate::time::{DAY, days_between};

pub use tally::{Difference, Figures, Tally};

/// Half-life of a mean in which age does not matter, in days.
const FOREVER: f64 = 1e18;
/// Students that a student is compared with, himself included; with fewer there is no telling
/// how hard the target was.
const LEAST_PEERS: usize = 5;
/// The most dates at which to look back.
const MAX_CUTS: usize = 1000;

/// A way to tell how a student will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Mean of all assessment scores so far.
    OverallMean,
    /// The latest assessment score.
    LastScore,
    /// Mean of the latest three.
    LastThreeMean,
    /// Mean under exponential decay.
    DecayedMean,
    /// Mean with the difficulty of questions taken out.
    AdjustedMean,
    /// The same under decay.
    AdjustedDecayedMean,
    /// The same drawn towards the cohort where evidence is thin.
    ShrunkLevel,
    /// The same with questions weighed by quality: the level that `students` tells.
    Level,
    /// The help list: students in the order of their need.
    Need,
}

impl Method {
    /// From the simplest to the whole.
    pub const ALL: [Method; 9] = [
        Method::OverallMean,
        Method::LastScore,
        Method::LastThreeMean,
        Method::DecayedMean,
        Method::AdjustedMean,
        Method::AdjustedDecayedMean,
        Method::ShrunkLevel,
        Method::Level,
        Method::Need,
    ];

    /// The label in `backtest`.
    pub fn label(self) -> &'static str {
        match self {
            Method::OverallMean => "overall_mean",
            Method::LastScore => "last_score",
            Method::LastThreeMean => "last_three_mean",
            Method::DecayedMean => "decayed_mean",
            Method::AdjustedMean => "adjusted_mean",
            Method::AdjustedDecayedMean => "adjusted_decayed_mean",
            Method::ShrunkLevel => "shrunk_level",
            Method::Level => "level",
            Method::Need => "need",
        }
    }

    /// 1 for the simplest.
    pub fn rank(self) -> i32 {
        self as i32 + 1
    }
}

/// How many methods predict a score: all but the help list, the last, which is an order.
const SCORES: usize = Method::Need as usize;

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The score of the next assessment, however far away.
    Next,
    /// The mean of all assessments within the horizon, where there are at least two.
    Horizon,
}

impl Target {
    /// Both.
    pub const ALL: [Target; 2] = [Target::Next, Target::Horizon];

    /// The label in `backtest`.
    pub fn label(self) -> &'static str {
        match self {
            Target::Next => "next",
            Target::Horizon => "horizon",
        }
    }
}

/// Where to look back from, and how often to resample.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Dates at which to predict; when empty, `cut_count` evenly chosen ones.
    pub cuts: Vec<i64>,
    /// See `cuts`.
    pub cut_count: u64,
    /// How far the second target looks ahead, in days.
    pub horizon: f64,
    /// Judge by scores in which questions weigh as they do for a level, with the weights that all
    /// of the data give; else by plain scores, every question and every assessment alike.
    pub weighted_target: bool,
    /// Resamples of the bootstrap.
    pub resamples: u64,
    /// What makes them the same every time.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cuts: Vec::new(),
            cut_count: 10,
            horizon: 90.0,
            weighted_target: false,
            resamples: 500,
            seed: 1,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let refuse = |name, value: String, expected| {
            Err(Error::Argument {
                name,
                value,
                expected,
            })
        };
        if !(self.horizon.is_finite() && self.horizon > 0.0) {
            let expected = "a finite span above zero";
            return refuse("horizon", self.horizon.to_string(), expected);
        }
        if self.cuts.len() > MAX_CUTS {
            let value = format!("{} dates", self.cuts.len());
            return refuse("cuts", value, "at most 1000 dates");
        }
        if !(1..=MAX_CUTS as u64).contains(&self.cut_count) {
            let expected = "an integer from 1 to 1000";
            return refuse("cut_count", self.cut_count.to_string(), expected);
        }
        bootstrap::check(self.resamples)
    }

    /// The dates, ascending and each once. Evenly chosen ones divide the time between the first
    /// and the last response, and are moved back to the beginning of their day when there are
    /// days enough.
    fn dates(&self, ledger: &Ledger) -> Vec<i64> {
        let mut cuts = self.cuts.clone();
        if cuts.is_empty() {
            let times = || (0..ledger.unit_count()).map(|unit| ledger.unit(unit).taken_at);
            let (Some(first), Some(last)) = (times().min(), times().max()) else {
                return cuts;
            };
            let parts = self.cut_count as i128 + 1;
            let span = i128::from(last) - i128::from(first);
            for part in 1..parts {
                let at = (i128::from(first) + span * part / parts) as i64;
                let whole_days = span >= parts * i128::from(DAY);
                cuts.push(if whole_days {
                    at - at.rem_euclid(DAY)
                } else {
                    at
                });
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }
}

/// One prediction beside what came. Scores are measured from the mean of those with the same target:
/// how hard it would be, nobody could know.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The number in the gradebook.
    pub student: u32,
    /// When the prediction was made.
    pub cut_at: i64,
    pub target: Target,
    /// The student's group on the roster at that time.
    pub group: Option<u32>,
    /// The assessment predicted; none of a mean.
    pub assessment: Option<u32>,
    /// Assessments known then.
    pub assessments: u32,
    pub observed: f64,
    /// Place among those of the date, from the lowest (near 0) to the highest (near 1).
    pub observed_rank: f64,
    /// Whether the student was among the lowest; between 0 and 1 when tied at the edge.
    pub low: f64,
    /// By method, in the order of [`Method::ALL`]; none where the method has nothing to say.
    pub predictions: [Option<Prediction>; Method::ALL.len()],
}

impl Forecast {
    /// What one method said.
    pub fn by(&self, method: Method) -> Option<&Prediction> {
        self.predictions[method as usize].as_ref()
    }
}

/// What one method said of one student.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prediction {
    /// None of the help list, which is an order.
    pub value: Option<f64>,
    /// Place among those of the date, as that of what was observed.
    pub rank: f64,
    /// Whether the method would have named the student; between 0 and 1 when tied at the edge.
    pub flagged: f64,
    /// How far what comes may be from the value.
    pub spread: Option<Spread>,
    /// Whether what came lies in the 80 % and in the 95 % interval.
    pub within: Option<[bool; 2]>,
    /// Probability of a level below the cut.
    pub need: Option<f64>,
}

impl Prediction {
    /// Half the width of the 80 % and of the 95 % interval for the target.
    pub fn reach(&self) -> Option<[f64; 2]> {
        let own = self.spread?;
        Some([0.9, 0.975].map(|p| own.se * t_quantile(p, own.df)))
    }
}

/// The standard error of a prediction, and its degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub se: f64,
    pub df: f64,
}

impl Spread {
    /// Whether the 80 % and the 95 % interval hold what came `error` from the value: by its
    /// probability, which is estimated much faster than the ends of intervals.
    fn holds(&self, error: f64) -> [bool; 2] {
        if self.se > ROUNDING {
            let probability = t_two_sided(error / self.se, self.df);
            [0.2, 0.05].map(|outside| probability >= outside)
        } else {
            [error.abs() <= ROUNDING; 2]
        }
    }
}

/// A student with something known at a date and something to come.
struct Candidate {
    student: u32,
    group: Option<u32>,
    /// The next assessment; none for a mean.
    assessment: Option<u32>,
    assessments: u32,
    observed: f64,
    values: [f64; SCORES],
    spreads: [Option<Spread>; SCORES],
    need: Option<f64>,
}

/// Calls `each` with every prediction that can be held against what came.
pub fn forecasts(
    gradebook: &Gradebook<'_>,
    options: &Options,
    settings: &Settings,
    poll: Poll<'_>,
    mut each: impl FnMut(&Forecast),
) -> Result<()> {
    options.check()?;
    settings.check()?;
    let whole = Whole::new(gradebook, options, settings, poll)?;
    for cut_at in settings.dates(&whole.ledger) {
        let known = Known::at(cut_at, gradebook, options, poll)?;
        let mut next = Vec::new();
        let mut horizon = Vec::new();
        let mut coming = Vec::new();
        let mut evidence = Vec::new();
        for student in 0..whole.ledger.student_count() {
            // One student may have very many assessments.
            poll();
            whole.after(&known, student, &mut coming, poll);
            let Some(first) = coming.first() else {
                continue;
            };
            let Some(outlook) = known.outlook(student, options, &mut evidence, poll) else {
                continue;
            };
            known.weigh(student, &whole, options, &mut evidence, poll);
            let assessment = whole.ledger.unit(first.unit).assessment;
            next.push(outlook.of(std::slice::from_ref(first), &evidence, Some(assessment)));
            coming.retain(|piece| days_between(cut_at, piece.taken_at) <= settings.horizon);
            if coming.len() >= 2 {
                horizon.push(outlook.of(&coming, &evidence, None));
            }
        }
        let share = options.cut_share;
        peers::compare(next, Target::Next, cut_at, share, poll, &mut each);
        peers::compare(horizon, Target::Horizon, cut_at, share, poll, &mut each);
    }
    Ok(())
}

/// All of the data, of which each date hides the later part.
struct Whole {
    ledger: Ledger,
    difficulty: Difficulty,
    weights: Vec<f64>,
    options: Options,
}

impl Whole {
    fn new(
        gradebook: &Gradebook<'_>,
        options: &Options,
        settings: &Settings,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let ledger = Ledger::new(gradebook, options, poll)?;
        memory::ask(
            32 * ledger.student_count()
                + 512 * ledger.item_count()
                + 16 * (ledger.unit_count() + ledger.assessments),
        )?;
        let difficulty = Difficulty::fit(&ledger, options.adjust_difficulty, poll);
        let mut options = Options {
            counting: Counting::Assessments,
            ..options.clone()
        };
        let weights = if settings.weighted_target {
            options.counting = Counting::Effective;
            let criterion = Criterion::new(&ledger, &difficulty, poll);
            let items = qualities(&ledger, &difficulty, &criterion, &options, poll);
            weights(&items, &options)
        } else {
            vec![1.0; ledger.item_count()]
        };
        Ok(Self {
            ledger,
            difficulty,
            weights,
            options,
        })
    }

    /// The assessments of a student of which nothing was known at the date, by time. They are the
    /// same whoever predicts them.
    fn after(&self, known: &Known, student: usize, coming: &mut Vec<Evidence>, poll: Poll<'_>) {
        let ledger = &self.ledger;
        evidence_of(
            student,
            ledger,
            &self.difficulty,
            &self.weights,
            &self.options,
            coming,
            poll,
        );
        // Who had begun had shown something of it, also where a later attempt counts now.
        coming.retain(|piece| !known.began(student, ledger.unit(piece.unit).assessment));
        sort_by_time(coming, poll);
    }
}

/// All that was known at a date.
struct Known {
    ledger: Ledger,
    difficulty: Difficulty,
    /// The same weight for every question.
    even: Vec<f64>,
    /// What each question weighs in a level.
    weights: Vec<f64>,
    /// The same weight for every assessment.
    by_assessment: Options,
    shrunk: Vec<Option<Level>>,
    level: Vec<Option<Level>>,
    drift: f64,
}

impl Known {
    fn at(
        cut_at: i64,
        gradebook: &Gradebook<'_>,
        options: &Options,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let options = Options {
            as_of: Some(cut_at),
            cut: None,
            ..options.clone()
        };
        let ledger = Ledger::new(gradebook, &options, poll)?;
        // Questions, records and levels, what is predicted of each student, and where that stands.
        let each_student = size_of::<Candidate>() * 4 + size_of::<Level>() * 2 + 512;
        memory::ask(
            each_student * ledger.student_count()
                + 512 * ledger.item_count()
                + 16 * (ledger.unit_count() + ledger.assessments)
                + 160 * ledger.most_responses(),
        )?;
        let difficulty = Difficulty::fit(&ledger, options.adjust_difficulty, poll);
        let criterion = Criterion::new(&ledger, &difficulty, poll);
        let items = qualities(&ledger, &difficulty, &criterion, &options, poll);
        let even = vec![1.0; items.len()];
        let records = Records::gather(&ledger, &difficulty, &even, &options, poll);
        let shrunk = records.levels(&ledger, &difficulty, &options, poll);
        let weights = weights(&items, &options);
        let records = Records::gather(&ledger, &difficulty, &weights, &options, poll);
        let level = records.levels(&ledger, &difficulty, &options, poll);
        let drift = records.variogram.drift();
        Ok(Self {
            ledger,
            difficulty,
            even,
            weights,
            by_assessment: Options {
                counting: Counting::Assessments,
                ..options
            },
            shrunk,
            level,
            drift,
        })
    }

    /// Whether the student had answered anything of an assessment.
    fn began(&self, student: usize, assessment: u32) -> bool {
        let units = self
            .ledger
            .units_of_within(student, &(assessment..assessment + 1));
        !units.is_empty()
    }

    /// What all assessments of a student, also later ones, weigh by what was known.
    fn weigh(
        &self,
        student: usize,
        whole: &Whole,
        options: &Options,
        all: &mut Vec<Evidence>,
        poll: Poll<'_>,
    ) {
        let (ledger, difficulty) = (&whole.ledger, &whole.difficulty);
        evidence_of(
            student,
            ledger,
            difficulty,
            &self.weights,
            options,
            all,
            poll,
        );
    }

    /// What is known of a student; none without evidence.
    fn outlook(
        &self,
        student: usize,
        options: &Options,
        evidence: &mut Vec<Evidence>,
        poll: Poll<'_>,
    ) -> Option<Outlook> {
        let known = |levels: &[Option<Level>]| levels[student].filter(|own| own.last_at.is_some());
        let (shrunk, level) = (known(&self.shrunk)?, known(&self.level)?);
        let (ledger, difficulty) = (&self.ledger, &self.difficulty);
        let by_assessment = &self.by_assessment;
        evidence_of(
            student,
            ledger,
            difficulty,
            &self.even,
            by_assessment,
            evidence,
            poll,
        );
        sort_by_time(evidence, poll);
        let plain = |last: usize| {
            let pieces = &evidence[evidence.len().saturating_sub(last)..];
            pieces.iter().map(|piece| piece.plain).sum::<f64>() / pieces.len() as f64
        };
        let means = [plain(usize::MAX), plain(1), plain(3)];
        let decayed = OwnLevel::of(evidence, options.half_life)?.plain;
        let assessments = evidence.len() as u32;
        evidence_of(
            student, ledger, difficulty, &self.even, options, evidence, poll,
        );
        let adjusted = OwnLevel::of(evidence, FOREVER)?.adjusted;
        let adjusted_decayed = OwnLevel::of(evidence, options.half_life)?.adjusted;
        Some(Outlook {
            student: student as u32,
            group: ledger.roster.group_at(student as u32, ledger.as_of),
            assessments,
            values: [
                means[0],
                means[1],
                means[2],
                decayed,
                adjusted,
                adjusted_decayed,
                shrunk.level,
                level.level,
            ],
            as_of: ledger.as_of,
            drift: self.drift,
            shrunk,
            level,
        })
    }
}

/// What was known of one student at a date.
struct Outlook {
    student: u32,
    group: Option<u32>,
    assessments: u32,
    values: [f64; SCORES],
    as_of: i64,
    drift: f64,
    shrunk: Level,
    level: Level,
}

impl Outlook {
    /// Held against what came, which is not empty; `all`, which is in order of units, tells how
    /// much noise to expect of it.
    fn of(&self, coming: &[Evidence], all: &[Evidence], assessment: Option<u32>) -> Candidate {
        let (mut sum, mut observed, mut noise) = (0.0, 0.0, 0.0);
        for piece in coming {
            let precision: f64 = all[all.partition_point(|own| own.unit < piece.unit)..]
                .iter()
                .take_while(|own| own.unit == piece.unit)
                .map(|own| own.precision)
                .sum();
            sum += piece.precision;
            observed += piece.precision * piece.adjusted;
            noise += piece.precision * piece.precision / precision;
        }
        let middle = coming[coming.len() / 2].taken_at;
        let mut spreads = [None; SCORES];
        for (method, level) in [
            (Method::ShrunkLevel, &self.shrunk),
            (Method::Level, &self.level),
        ] {
            spreads[method as usize] = self.spread(level, middle, noise / (sum * sum));
        }
        Candidate {
            student: self.student,
            group: self.group,
            assessment,
            assessments: self.assessments,
            observed: observed / sum,
            values: self.values,
            spreads,
            need: self.level.need,
        }
    }

    /// The level's own error, the drift until then, and what is predicted, whose variance is
    /// `noise` times that of a piece of evidence of precision 1.
    fn spread(&self, level: &Level, at: i64, noise: f64) -> Option<Spread> {
        let drift = self.drift * days_between(self.as_of, at);
        let se = (level.se?.powi(2) + drift + level.noise? * noise).sqrt();
        let df = level.df.unwrap_or(f64::INFINITY);
        Some(Spread { se, df }).filter(|own| own.se.is_finite())
    }
}

/// What a row of figures is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All dates and students.
    All,
    /// One date.
    Cut(i64),
    /// One group of the roster, by its number.
    Group(u32),
    /// Students of whom so many assessments were known: from, to.
    Assessments(u32, u32),
}

/// Bands of assessments known, as evidence grows.
const BANDS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, u32::MAX)];

impl Scope {
    /// The label in `backtest`.
    pub fn label(self) -> &'static str {
        match self {
            Scope::All => "all",
            Scope::Cut(_) => "cut",
            Scope::Group(_) => "group",
            Scope::Assessments(..) => "assessments",
        }
    }
}

/// The figures of one method for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub target: Target,
    pub scope: Scope,
    pub figures: Figures,
}

/// Sums up [`forecasts`]: by target, and in this order all, by date, by
/// group and by evidence.
pub fn backtest(
    gradebook: &Gradebook<'_>,
    options: &Options,
    settings: &Settings,
    poll: Poll<'_>,
) -> Result<Vec<Outcome>> {
    let mut tallies: BTreeMap<(Target, Scope), Tally> = BTreeMap::new();
    forecasts(gradebook, options, settings, poll, |forecast| {
        let band = BANDS
            .into_iter()
            .find(|(from, to)| (*from..=*to).contains(&forecast.assessments))
            .map(|(from, to)| Scope::Assessments(from, to));
        let scopes = [
            Some(Scope::All),
            Some(Scope::Cut(forecast.cut_at)),
            forecast.group.map(Scope::Group),
            band,
        ];
        for scope in scopes.into_iter().flatten() {
            let tally = tallies.entry((forecast.target, scope)).or_default();
            tally.add(forecast.student, forecast);
        }
    })?;
    let mut rows = Vec::new();
    for ((target, scope), tally) in tallies {
        let figures = tally.figures(settings.resamples, settings.seed, options.confidence, poll);
        rows.extend(figures.into_iter().map(|figures| Outcome {
            target,
            scope,
            figures,
        }));
    }
    Ok(rows)
}
