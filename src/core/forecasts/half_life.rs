//! Which half-lives would have served? Every later score of the past is predicted under each, and
//! the differences are tested against chance. Advice, never a setting.

use std::collections::BTreeMap;

use crate::Poll;
use crate::forecasts::resampling::Resampling;
use crate::foundation::Foundation;
use crate::options::Options;
use crate::questions::quality::weights;
use crate::statistics::bootstrap::BLOCKS;
use crate::statistics::distribution::around;
use crate::statistics::quantile::{lower_median, quantile};
use crate::students::evidence::{
    DecayedMean, Evidence, EvidenceOptions, NO_DECAY, decay, evidence_of, sort_by_time,
};
use crate::students::level::{Cohort, LevelOptions};
use crate::students::previous::Previous;
use crate::students::records::Records;
use crate::time::days_between;

/// Half-lives that are tried, in days; besides, the one in use and no decay at all.
const TRIED: [f64; 9] = [14.0, 21.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 365.0];
/// A score is predicted once this many are known: with fewer there is little to forget.
const LEAST_KNOWN: usize = 3;
/// Errors within this share of the least are the same for all that anybody would notice.
const NEGLIGIBLE: f64 = 0.01;
/// With fewer students, advice would follow chance: single classes of 30 gave anything from 48
/// to 134 days where the course as a whole gave 66.
const ENOUGH_STUDENTS: usize = 200;

/// One half-life that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// In days; none: no decay.
    pub half_life: Option<f64>,
    /// Root mean square error of what was predicted, in parts of the score scale.
    pub rmse: f64,
    /// What that exceeds the least error by.
    pub difference: f64,
    /// Interval of the difference; none with too few students.
    pub ci: Option<(f64, f64)>,
    /// Whether it does not differ from the best, or is as good for all that matters.
    pub indistinguishable: bool,
    pub is_best: bool,
    pub in_use: bool,
}

/// What the past shows about the half-life.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// From the shortest half-life to no decay; empty when nothing could be predicted.
    pub trials: Vec<Trial>,
    /// Scores that were predicted.
    pub n: u64,
    /// Students who gave them.
    pub students: u64,
    /// The half-life at which a level that drifts as much as these is followed best, in days;
    /// none when no drift is seen.
    pub variogram: Option<f64>,
    /// One sentence.
    pub sentence: String,
}

/// Squared errors of one block of students, by trial.
#[derive(Debug, Clone, Default)]
struct Errors {
    n: f64,
    squares: Vec<f64>,
}

/// Predicts every score of which at least three earlier ones are known, with the difficulty of
/// questions and the shrinkage of the default method.
pub fn advise(
    foundation: &Foundation,
    options: &Options,
    resampling: &Resampling,
    poll: Poll<'_>,
) -> Advice {
    let (ledger, difficulty) = (&foundation.ledger, &foundation.difficulty);
    let weights = weights(&foundation.items, options.quality);
    let of_evidence = EvidenceOptions::from(options);
    let records = Records::of(foundation, options, poll);
    let levels = LevelOptions::from(options);
    let mut half_lives: Vec<f64> = TRIED.to_vec();
    if !half_lives.contains(&options.half_life) {
        half_lives.push(options.half_life);
        half_lives.sort_unstable_by(f64::total_cmp);
    }
    half_lives.push(NO_DECAY);

    let predictor = Predictor {
        cohort: records.cohort(ledger, difficulty, &Previous::default(), &levels, poll),
        shrink: options.shrink,
        half_lives: &half_lives,
    };
    let mut blocks: BTreeMap<u32, Errors> = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut evidence = Vec::new();
    let mut students = 0;
    for student in 0..ledger.student_count() {
        poll();
        evidence_of(
            student,
            ledger,
            difficulty,
            &weights,
            &of_evidence,
            &mut evidence,
            poll,
        );
        sort_by_time(&mut evidence, poll);
        gaps.extend(evidence.windows(2).filter_map(|pair| {
            let days = days_between(pair[0].taken_at, pair[1].taken_at);
            (days > 0.0).then_some(days)
        }));
        let block = blocks.entry(student as u32 % BLOCKS).or_default();
        let before = block.n;
        predictor.run(&evidence, block, poll);
        students += usize::from(block.n > before);
    }
    let blocks: Vec<Errors> = blocks
        .into_values()
        .filter(|errors| errors.n > 0.0)
        .collect();
    // Days are precise enough for what is known.
    let variogram = lower_median(&mut gaps, f64::total_cmp)
        .and_then(|interval| records.variogram.half_life(interval));
    let variogram = variogram.map(f64::round);
    let trials = trials(&half_lives, &blocks, options, resampling, poll);
    Advice {
        sentence: sentence(&trials, students, variogram, options),
        trials,
        n: blocks.iter().map(|errors| errors.n).sum::<f64>() as u64,
        students: students as u64,
        variogram,
    }
}

/// Predicts the scores of one student after the other under every half-life.
struct Predictor<'a> {
    cohort: Option<Cohort>,
    shrink: bool,
    half_lives: &'a [f64],
}

impl Predictor<'_> {
    /// Adds the errors of one student's scores, which are in order of time.
    fn run(&self, evidence: &[Evidence], errors: &mut Errors, poll: Poll<'_>) {
        errors.squares.resize(self.half_lives.len(), 0.0);
        let mut means = vec![DecayedMean::default(); self.half_lives.len()];
        let mut known = 0;
        let mut last_at = None;
        for sitting in evidence.chunk_by(|a, b| a.taken_at == b.taken_at) {
            if sitting[0].unit % 1024 == 0 {
                poll();
            }
            if known >= LEAST_KNOWN {
                for piece in sitting {
                    errors.n += 1.0;
                    for (square, mean) in errors.squares.iter_mut().zip(&means) {
                        *square += (piece.adjusted - self.predicted(mean)).powi(2);
                    }
                }
            }
            let taken_at = sitting[0].taken_at;
            let days = last_at.map_or(0.0, |last_at| days_between(last_at, taken_at));
            for (mean, half_life) in means.iter_mut().zip(self.half_lives) {
                let faded = decay(days, *half_life);
                mean.fade(faded);
                for piece in sitting {
                    mean.add(piece, 1.0);
                }
            }
            known += sitting.len();
            last_at = Some(taken_at);
        }
    }

    fn predicted(&self, mean: &DecayedMean) -> f64 {
        let own = mean.value();
        match &self.cohort {
            Some(Cohort {
                population,
                noise: Some(noise),
                ..
            }) if self.shrink => {
                let reliability = population.reliability(noise / mean.effective_n());
                population.mean + reliability * (own - population.mean)
            }
            _ => own,
        }
    }
}

fn trials(
    half_lives: &[f64],
    blocks: &[Errors],
    options: &Options,
    resampling: &Resampling,
    poll: Poll<'_>,
) -> Vec<Trial> {
    let rmse = |times: &[f64]| -> Vec<f64> {
        let mut n = 0.0;
        let mut squares = vec![0.0; half_lives.len()];
        for (block, times) in blocks.iter().zip(times) {
            n += times * block.n;
            for (sum, square) in squares.iter_mut().zip(&block.squares) {
                *sum += times * square;
            }
        }
        squares
            .into_iter()
            .map(|square| (square / n).sqrt())
            .collect()
    };
    if blocks.is_empty() {
        return Vec::new();
    }
    let errors = rmse(&vec![1.0; blocks.len()]);
    let best = (0..errors.len())
        .min_by(|&a, &b| errors[a].total_cmp(&errors[b]))
        .unwrap_or_default();
    let mut draws = vec![Vec::new(); half_lives.len()];
    for times in resampling.of(blocks.len()) {
        poll();
        let drawn = rmse(&times);
        for (draws, error) in draws.iter_mut().zip(&drawn) {
            draws.push(error - drawn[best]);
        }
    }
    let tail = (1.0 - options.confidence) / 2.0;
    half_lives
        .iter()
        .zip(errors.iter().zip(&mut draws))
        .enumerate()
        .map(|(at, (&half_life, (&rmse, draws)))| {
            draws.sort_unstable_by(f64::total_cmp);
            let ci = quantile(draws, tail).zip(quantile(draws, 1.0 - tail));
            let difference = rmse - errors[best];
            let ci = ci.map(|limits| around(difference, limits));
            Trial {
                half_life: half_life.is_finite().then_some(half_life),
                rmse,
                difference,
                ci,
                indistinguishable: difference <= NEGLIGIBLE * errors[best]
                    || ci.is_some_and(|(low, _)| low <= 0.0),
                is_best: at == best,
                in_use: half_life == options.half_life,
            }
        })
        .collect()
}

fn days(half_life: Option<f64>) -> String {
    let Some(days) = half_life else {
        return "no decay".to_owned();
    };
    match format!("{days:.1}").trim_end_matches(".0") {
        "0" => "less than 0.1 days".to_owned(),
        "1" => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn sentence(
    trials: &[Trial],
    students: usize,
    variogram: Option<f64>,
    options: &Options,
) -> String {
    let in_use = days(Some(options.half_life));
    if students < ENOUGH_STUDENTS {
        return format!(
            "{students} students with more than {LEAST_KNOWN} assessments are too few to judge \
             a half-life by (at least {ENOUGH_STUDENTS}): keep {in_use}, or pool the classes of \
             the subject."
        );
    }
    let best = trials
        .iter()
        .position(|trial| trial.is_best)
        .unwrap_or_default();
    let run = |step: &mut dyn Iterator<Item = usize>| {
        step.take_while(|&at| trials[at].indistinguishable)
            .last()
            .unwrap_or(best)
    };
    let (low, high) = (run(&mut (0..=best).rev()), run(&mut (best..trials.len())));
    let range = match low == high {
        true if best + 1 == trials.len() => "no decay predicts scores best".to_owned(),
        true => {
            let best = days(trials[best].half_life);
            format!("a half-life of {best} predicts scores best")
        }
        false => format!(
            "from {} to {}, half-lives predict scores equally well (best: {})",
            days(trials[low].half_life),
            days(trials[high].half_life),
            days(trials[best].half_life),
        ),
    };
    let hint = match variogram {
        Some(days_hint) => format!("how fast scores drift suggests {}", days(Some(days_hint))),
        None => "scores show no drift".to_owned(),
    };
    let kept = trials[low..=high].iter().any(|trial| trial.in_use);
    let verdict = match kept {
        true => format!("there is no reason to change {in_use}"),
        false => format!(
            "{in_use} is worse, so {} would serve better",
            days(trials[best].half_life)
        ),
    };
    let mut text = format!("{range}; {hint}; {verdict}.");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}
