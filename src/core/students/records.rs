//! What every student's own evidence says, and what the evidence of all makes likely.

use log::debug;

use crate::Poll;
use crate::foundation::Foundation;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::questions::difficulty::Difficulty;
use crate::questions::quality::weights;
use crate::statistics::distribution::TQuantiles;
use crate::statistics::moments::Moments;
use crate::statistics::pairs::sort;
use crate::statistics::quantile::quantile;
use crate::statistics::rounding::ROUNDING;
use crate::statistics::shrink::Population;
use crate::students::evidence::{EvidenceOptions, OwnLevel, evidence_of, sort_by_time};
use crate::students::level::{Cohort, Level, LevelOptions};
use crate::students::previous::Previous;
use crate::students::prior::Record;
use crate::students::trend::Line;
use crate::students::variogram::Variogram;

/// Degrees of freedom that the noise left over by the fit counts beside that which students show:
/// three of them with a second score must not decide the noise of all.
const FIT_DF: f64 = 8.0;

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
    /// Of all students of a foundation, under the weights of its questions.
    pub fn of(foundation: &Foundation, options: &Options, poll: Poll<'_>) -> Self {
        Self::gather(
            &foundation.ledger,
            &foundation.difficulty,
            &weights(&foundation.items, options.quality),
            &EvidenceOptions::from(options),
            options.trend_window,
            poll,
        )
    }

    /// Goes through the evidence once.
    pub fn gather(
        ledger: &Ledger,
        difficulty: &Difficulty,
        weights: &[f64],
        evidence_options: &EvidenceOptions,
        trend_window: Option<f64>,
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
                evidence_options,
                &mut evidence,
                poll,
            );
            let own = OwnLevel::of(&evidence, evidence_options.half_life);
            if saturated {
                records.own.push(own.map(OwnLevel::without_variance));
                records.lines.push(None);
                continue;
            }
            records.own.push(own);
            sort_by_time(&mut evidence, poll);
            records
                .lines
                .push(Line::through(&evidence, ledger.as_of, trend_window));
            records.variogram.add(&evidence);
        }
        debug!(
            "gathered the evidence of {} students, of whom {} have a line",
            records.own.iter().flatten().count(),
            records.lines.iter().flatten().count()
        );
        records
    }

    /// What the evidence of all makes likely; last year's cohort stands in for what this year's
    /// evidence does not show: the noise, where a single student shows none, and
    /// everything, while there is none at all.
    pub fn cohort(
        &self,
        ledger: &Ledger,
        difficulty: &Difficulty,
        previous: &Previous,
        options: &LevelOptions,
        poll: Poll<'_>,
    ) -> Option<Cohort> {
        let before = previous.cohort;
        let noise =
            noise_of_all(&self.own, ledger, difficulty, poll).or(before.and_then(|it| it.noise));
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
            .unwrap_or_else(|| self.level_at_share(&cohort, previous, options, poll));
        Some(cohort)
    }

    /// The level below which `cut_share` of the cohort lies, on the estimated true levels:
    /// single estimates are spread too wide by noise, shrunk ones too little, so they are drawn
    /// in half-way, which gives them the right variance (Louis 1984; Ghosh 1992). It does so
    /// towards any prior whose means, and what they leave open, have that variance together.
    fn level_at_share(
        &self,
        cohort: &Cohort,
        previous: &Previous,
        options: &LevelOptions,
        poll: Poll<'_>,
    ) -> f64 {
        let half_way = |(student, own): (usize, &Option<OwnLevel>)| {
            let own = own.as_ref()?;
            let prior = previous.prior(student, &cohort.population, options.carry_over);
            let reliability = if options.shrink {
                prior.reliability(cohort.mean_variance(own, options))
            } else {
                1.0
            };
            Some(prior.mean + reliability.sqrt() * (own.adjusted - prior.mean))
        };
        let mut levels: Vec<f64> = self.own.iter().enumerate().filter_map(half_way).collect();
        sort(&mut levels, f64::total_cmp, poll);
        quantile(&levels, options.cut_share).unwrap_or(cohort.population.mean)
    }

    /// Levels in the ledger's order; none for anybody while nothing is known about the cohort.
    pub fn levels(
        &self,
        ledger: &Ledger,
        difficulty: &Difficulty,
        previous: &Previous,
        options: &LevelOptions,
        poll: Poll<'_>,
    ) -> Vec<Option<Level>> {
        let Some(cohort) = self.cohort(ledger, difficulty, previous, options, poll) else {
            return vec![None; self.own.len()];
        };
        let reach = options.reach();
        let level = |student| {
            if student % 1024 == 0 {
                poll();
            }
            let as_of = ledger.as_of;
            Some(self.level(student, &cohort, previous, Some(&reach), as_of, options))
        };
        (0..self.own.len()).map(level).collect()
    }

    /// The level of one student; without an interval where it has no reach.
    pub fn level(
        &self,
        student: usize,
        cohort: &Cohort,
        previous: &Previous,
        reach: Option<&TQuantiles>,
        as_of: i64,
        options: &LevelOptions,
    ) -> Level {
        let prior = previous.prior(student, &cohort.population, options.carry_over);
        cohort.level(self.own[student].as_ref(), prior, reach, as_of, options)
    }

    /// What a later year may know of each student: where they stood among the others. None for
    /// a cohort in which nobody differs, and for a single student.
    pub fn records(&self, cohort: &Cohort, options: &LevelOptions) -> Vec<Option<Record>> {
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
/// spread over the questions of a unit; else half of all variation; none for a single student
/// whose answers show none.
fn noise_of_all(
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
        for student in 0..ledger.student_count() {
            poll();
            let fitted = difficulty.fitted(ledger, student);
            for unit in ledger.units_of(student) {
                let responses = ledger.responses_in(unit);
                let is_question = |at: &usize| !difficulty.totals.has(ledger.items[*at]);
                let counts = |at: usize| difficulty.counts(&fitted, ledger.items[at]);
                let questions: f64 = responses.filter(is_question).map(counts).sum();
                if questions > 0.0 {
                    shares.add(1.0 / questions);
                }
            }
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
