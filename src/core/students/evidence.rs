//! What assessments show about one student, and the mean of it.

use crate::Poll;
use crate::ledger::Ledger;
use crate::options::{Counting, Options};
use crate::questions::difficulty::Difficulty;
use crate::statistics::pairs::sort;
use crate::statistics::rounding::ROUNDING;
use crate::time::days_between;

/// The half-life of evidence that never loses weight, in days.
pub const NO_DECAY: f64 = f64::INFINITY;

/// The options of evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvidenceOptions {
    /// In days.
    pub half_life: f64,
    pub counting: Counting,
    pub half_precision_items: f64,
}

impl From<&Options> for EvidenceOptions {
    fn from(options: &Options) -> Self {
        Self {
            half_life: options.half_life,
            counting: options.counting,
            half_precision_items: options.half_precision_items,
        }
    }
}

/// One piece of evidence: what an assessment shows about a student.
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
    /// Sum of the weights of its questions, each as far as others show how hard it is.
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
    options: &EvidenceOptions,
    evidence: &mut Vec<Evidence>,
    poll: Poll<'_>,
) {
    evidence.clear();
    let fitted = difficulty.fitted(ledger, student);
    for unit in ledger.units_of(student) {
        if unit % 1024 == 0 {
            poll();
        }
        let responses = ledger.responses_in(unit);
        if options.counting == Counting::Responses {
            evidence.extend(responses.filter_map(|response| {
                let quality = weights[ledger.items[response] as usize];
                let (adjusted, counts) = difficulty.by_others(&fitted, ledger, response);
                (quality > 0.0).then(|| Evidence {
                    unit,
                    response: Some(response),
                    taken_at: ledger.time_of(unit, response),
                    adjusted,
                    plain: ledger.scores[response],
                    quality: quality * counts,
                    precision: quality * counts,
                })
            }));
            continue;
        }
        let (mut sum, mut squares, mut adjusted) = (0.0, 0.0, 0.0);
        let (mut qualities, mut plain) = (0.0, 0.0);
        for response in responses {
            let quality = weights[ledger.items[response] as usize];
            let (score, counts) = difficulty.by_others(&fitted, ledger, response);
            let weight = quality * counts;
            sum += weight;
            squares += quality * weight;
            adjusted += weight * score;
            qualities += quality;
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
                plain: plain / qualities,
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

fn faded_at(at: i64, piece: &Evidence, half_life: f64) -> f64 {
    decay(days_between(piece.taken_at, at), half_life)
}

/// Sums of the mean of evidence under decay.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecayedMean {
    /// Sum of the decayed precision.
    pub weight: f64,
    /// Sum of the precision, decayed twice: the variance of the mean is `noise * squares /
    /// weight^2`, where a piece of evidence has `noise / precision`.
    pub squares: f64,
    score: f64,
}

impl DecayedMean {
    /// Takes a piece of evidence that has faded to a share of its precision.
    pub fn add(&mut self, piece: &Evidence, faded: f64) {
        let weight = faded * piece.precision;
        self.weight += weight;
        self.squares += faded * weight;
        self.score += weight * piece.adjusted;
    }

    /// Lets everything so far fade to a share of its precision.
    pub fn fade(&mut self, faded: f64) {
        self.weight *= faded;
        self.squares *= faded * faded;
        self.score *= faded;
    }

    /// The mean of the difficulty-adjusted scores; NaN without evidence.
    pub fn value(&self) -> f64 {
        self.score / self.weight
    }

    /// How many pieces of precision 1 the mean is worth: Kish's effective number, where pieces
    /// vary as their precision says.
    pub fn effective_n(&self) -> f64 {
        self.weight / (self.squares / self.weight)
    }
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
    /// See [`DecayedMean::effective_n`].
    pub effective_n: f64,
    /// Variance about the mean of a piece of precision 1, and what it rests on: 0 degrees of
    /// freedom, and variance, where it is not known.
    pub variance: f64,
    pub df: f64,
}

impl OwnLevel {
    /// None without evidence. Ages are measured from the last evidence: as time goes by all
    /// weights shrink alike, so the mean must not move by as much as a rounding error.
    pub fn of(evidence: &[Evidence], half_life: f64) -> Option<Self> {
        let last_at = evidence.iter().map(|piece| piece.taken_at).max()?;
        let faded = |piece: &Evidence| faded_at(last_at, piece, half_life);
        let mut mean = DecayedMean::default();
        let (mut plain, mut fades, mut fade_squares) = (0.0, 0.0, 0.0);
        for piece in evidence {
            let d = faded(piece);
            mean.add(piece, d);
            plain += d * piece.precision * piece.plain;
            fades += d;
            fade_squares += d * d;
        }
        let (sum, adjusted) = (mean.weight, mean.value());
        // What makes the weighted sum of squares an unbiased estimate of the noise.
        let spread = fades - mean.squares / sum;
        let about: f64 = evidence
            .iter()
            .map(|piece| faded(piece) * piece.precision * (piece.adjusted - adjusted).powi(2))
            .sum();
        // With equal precisions Kish's number of the weights less 1.
        let df = spread * fades / fade_squares;
        let several = evidence.len() > 1 && df > ROUNDING;
        let varies = several && about > ROUNDING * ROUNDING * sum;
        Some(Self {
            n: evidence.len(),
            adjusted,
            plain: plain / sum,
            last_at,
            weight: sum,
            effective_n: mean.effective_n(),
            variance: if varies { about / spread } else { 0.0 },
            df: if several { df } else { 0.0 },
        })
    }

    /// The share of its precision with which a piece of evidence is in the mean.
    pub fn faded(&self, piece: &Evidence, half_life: f64) -> f64 {
        faded_at(self.last_at, piece, half_life)
    }

    /// The same where scores do not show how much they vary by chance.
    pub fn without_variance(self) -> Self {
        Self {
            variance: 0.0,
            df: 0.0,
            ..self
        }
    }
}
