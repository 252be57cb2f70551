//! Why a student's level is what it is: an exact sum, question by question.

use crate::Poll;
use crate::foundation::Foundation;
use crate::options::Options;
use crate::questions::quality::weights;
use crate::students::evidence::{EvidenceOptions, decay, evidence_of};
use crate::students::level::LevelOptions;
use crate::students::previous::Previous;
use crate::students::records::Records;
use crate::time::days_between;

/// What one response adds to a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    pub assessment: u32,
    pub item: u32,
    pub taken_at: i64,
    pub score: f64,
    /// The score of a student at the prior on this item, by what others show of it.
    pub expected: f64,
    /// The item's weight.
    pub quality: f64,
    /// The share of an answer that it counts, as others show more or less of the item; see
    /// [`Difficulty::by_others`](crate::questions::difficulty::Difficulty::by_others).
    pub counts: f64,
    /// The weight of its age, as of the date.
    pub decay: f64,
    /// Its share in the level; what all shares leave to 1 is the share of the prior.
    pub share: f64,
    /// `share * (score - expected)`; all together make `level - prior`.
    pub contribution: f64,
}

/// The contributions of one student's responses, by assessment and item; none without evidence.
pub fn explain(
    student: u32,
    foundation: &Foundation,
    previous: &Previous,
    options: &Options,
    poll: Poll<'_>,
) -> Vec<Contribution> {
    let (ledger, difficulty) = (&foundation.ledger, &foundation.difficulty);
    let weights = weights(&foundation.items, options.quality);
    let of_levels = LevelOptions::from(options);
    let records = Records::of(foundation, options, poll);
    let student = student as usize;
    let Some(cohort) = records.cohort(ledger, difficulty, previous, &of_levels, poll) else {
        return Vec::new();
    };
    let Some(own) = records.own[student] else {
        return Vec::new();
    };
    let level = records.level(student, &cohort, previous, None, ledger.as_of, &of_levels);
    let mut evidence = Vec::new();
    evidence_of(
        student,
        ledger,
        difficulty,
        &weights,
        &EvidenceOptions::from(options),
        &mut evidence,
        poll,
    );
    let fitted = difficulty.fitted(ledger, student);
    let mut contributions = Vec::new();
    for piece in &evidence {
        if piece.unit % 1024 == 0 {
            poll();
        }
        let faded = own.faded(piece, options.half_life);
        let piece_share = level.reliability * faded * piece.precision / own.weight;
        let responses = match piece.response {
            Some(response) => response..response + 1,
            None => ledger.responses_in(piece.unit),
        };
        for response in responses {
            let item = ledger.items[response];
            let score = ledger.scores[response];
            let (adjusted, counts) = difficulty.by_others(&fitted, ledger, response);
            let expected = level.prior + (score - adjusted);
            let share = piece_share * (counts * weights[item as usize] / piece.quality);
            contributions.push(Contribution {
                assessment: ledger.unit(piece.unit).assessment,
                item,
                taken_at: ledger.time_of(piece.unit, response),
                score,
                expected,
                quality: weights[item as usize],
                counts,
                decay: decay(
                    days_between(piece.taken_at, ledger.as_of),
                    options.half_life,
                ),
                share,
                contribution: share * (score - expected),
            });
        }
    }
    contributions
}
