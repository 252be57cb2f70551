//! All of the data, and what of it was known at a date.

use crate::Poll;
use crate::forecasts::backtest::forecast::Spread;
use crate::forecasts::backtest::method::{Method, SCORES};
use crate::foundation::Foundation;
use crate::gradebook::{Gradebook, Result};
use crate::ledger::{Ledger, Scope};
use crate::memory;
use crate::options::{Checked, Counting, Options};
use crate::questions::difficulty::Difficulty;
use crate::questions::quality::weights;
use crate::students::evidence::{
    Evidence, EvidenceOptions, NO_DECAY, OwnLevel, evidence_of, sort_by_time,
};
use crate::students::level::{Level, LevelOptions};
use crate::students::previous::Previous;
use crate::students::records::Records;
use crate::time::days_between;

/// A student with something known at a date and something to come.
pub(super) struct Candidate {
    pub student: u32,
    pub group: Option<u32>,
    /// The next assessment; none for a mean.
    pub assessment: Option<u32>,
    pub assessments: u32,
    pub observed: f64,
    pub values: [f64; SCORES],
    pub spreads: [Option<Spread>; SCORES],
    pub need: Option<f64>,
}

/// All of the data, of which each date hides the later part.
pub(super) struct Whole {
    pub ledger: Ledger,
    difficulty: Difficulty,
    weights: Vec<f64>,
    evidence: EvidenceOptions,
}

impl Whole {
    /// `weighted`: questions weigh as they do in a level, with the weights that all of the data
    /// give; else every question and every assessment count alike.
    pub fn new(
        gradebook: &Gradebook<'_>,
        scope: &Scope,
        options: &Checked<Options>,
        weighted: bool,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let foundation = Foundation::new(gradebook, scope, options, poll)?;
        Ok(Self {
            weights: weights(&foundation.items, weighted && options.quality),
            evidence: EvidenceOptions {
                counting: match weighted {
                    true => Counting::Effective,
                    false => Counting::Assessments,
                },
                ..EvidenceOptions::from(&**options)
            },
            ledger: foundation.ledger,
            difficulty: foundation.difficulty.by_all(),
        })
    }

    /// The assessments of a student of which nothing was known at the date, by time. They are the
    /// same whichever method predicts them.
    pub fn after(&self, known: &Known, student: usize, coming: &mut Vec<Evidence>, poll: Poll<'_>) {
        let ledger = &self.ledger;
        evidence_of(
            student,
            ledger,
            &self.difficulty,
            &self.weights,
            &self.evidence,
            coming,
            poll,
        );
        // A student who had begun had shown something of it, also where a later attempt counts.
        coming.retain(|piece| !known.began(student, ledger.unit(piece.unit).assessment));
        sort_by_time(coming, poll);
    }
}

/// All that was known at a date.
pub(super) struct Known {
    ledger: Ledger,
    difficulty: Difficulty,
    /// The same weight for every question.
    even: Vec<f64>,
    /// What each question weighs in a level.
    weights: Vec<f64>,
    evidence: EvidenceOptions,
    shrunk: Vec<Option<Level>>,
    level: Vec<Option<Level>>,
    drift: f64,
}

impl Known {
    pub fn at(
        cut_at: i64,
        gradebook: &Gradebook<'_>,
        scope: &Scope,
        options: &Checked<Options>,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let scope = Scope {
            as_of: Some(cut_at),
            ..scope.clone()
        };
        let ledger = Ledger::new(gradebook, &scope, poll)?;
        // Records and levels, what is predicted of each student, and where that stands.
        let each_student = size_of::<Candidate>() * 4 + size_of::<Level>() * 2 + 512;
        memory::ask(each_student * ledger.student_count() + 160 * ledger.most_responses())?;
        let foundation = Foundation::from_ledger(ledger, gradebook, options, poll)?;
        let evidence = EvidenceOptions::from(&**options);
        let of_levels = LevelOptions {
            cut: None,
            ..LevelOptions::from(&**options)
        };
        let Foundation {
            ledger,
            difficulty,
            items,
            ..
        } = foundation;
        let levels = |weights: &[f64]| {
            let window = options.trend_window;
            let records = Records::gather(&ledger, &difficulty, weights, &evidence, window, poll);
            let previous = Previous::default();
            let levels = records.levels(&ledger, &difficulty, &previous, &of_levels, poll);
            (levels, records.variogram.drift())
        };
        let even = vec![1.0; items.len()];
        let (shrunk, _) = levels(&even);
        let weights = weights(&items, options.quality);
        let (level, drift) = levels(&weights);
        Ok(Self {
            ledger,
            difficulty,
            even,
            weights,
            evidence,
            shrunk,
            level,
            drift,
        })
    }

    /// Whether the student had answered anything of an assessment.
    pub(super) fn began(&self, student: usize, assessment: u32) -> bool {
        let units = self
            .ledger
            .units_of_within(student, &(assessment..assessment + 1));
        !units.is_empty()
    }

    /// What all assessments of a student, also later ones, weigh by what was known.
    pub(super) fn weigh(
        &self,
        student: usize,
        whole: &Whole,
        all: &mut Vec<Evidence>,
        poll: Poll<'_>,
    ) {
        let (ledger, difficulty) = (&whole.ledger, &whole.difficulty);
        evidence_of(
            student,
            ledger,
            difficulty,
            &self.weights,
            &self.evidence,
            all,
            poll,
        );
    }

    /// What is known of a student; none without evidence.
    pub(super) fn outlook(
        &self,
        student: usize,
        evidence: &mut Vec<Evidence>,
        poll: Poll<'_>,
    ) -> Option<Outlook> {
        let known =
            |levels: &[Option<Level>]| levels[student].filter(|level| level.last_at.is_some());
        let (shrunk, level) = (known(&self.shrunk)?, known(&self.level)?);
        let (ledger, difficulty) = (&self.ledger, &self.difficulty);
        let by_assessment = &EvidenceOptions {
            counting: Counting::Assessments,
            ..self.evidence
        };
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
        let decayed = OwnLevel::of(evidence, self.evidence.half_life)?.plain;
        let assessments = evidence.len() as u32;
        evidence_of(
            student,
            ledger,
            difficulty,
            &self.even,
            &self.evidence,
            evidence,
            poll,
        );
        let adjusted = OwnLevel::of(evidence, NO_DECAY)?.adjusted;
        let adjusted_decayed = OwnLevel::of(evidence, self.evidence.half_life)?.adjusted;
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
pub(super) struct Outlook {
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
    /// Compared with what came, which is not empty; `all`, which is in order of units, shows
    /// how much noise to expect in it.
    pub(super) fn of(
        &self,
        coming: &[Evidence],
        all: &[Evidence],
        assessment: Option<u32>,
    ) -> Candidate {
        let (mut sum, mut observed, mut noise) = (0.0, 0.0, 0.0);
        for piece in coming {
            let precision: f64 = all[all.partition_point(|other| other.unit < piece.unit)..]
                .iter()
                .take_while(|other| other.unit == piece.unit)
                .map(|other| other.precision)
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
        let se = (level.after(level.se?.powi(2), drift) + level.noise? * noise).sqrt();
        let df = level.df.unwrap_or(f64::INFINITY);
        Some(Spread { se, df }).filter(|spread| spread.se.is_finite())
    }
}
