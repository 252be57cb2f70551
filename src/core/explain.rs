//! Why a student's level is what it is: an exact sum, question by question.

use crate::Poll;
use crate::difficulty::Difficulty;
use crate::item::ItemQuality;
use crate::ledger::Ledger;
use crate::level::{Records, decay, evidence_of};
use crate::options::Options;
use crate::student::weights;
use crate::time::days_between;

/// What one response adds to a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    pub assessment: u32,
    pub item: u32,
    pub taken_at: i64,
    pub score: f64,
    /// The score of a student at the prior on this item.
    pub expected: f64,
    /// The item's weight.
    pub quality: f64,
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
    ledger: &Ledger,
    difficulty: &Difficulty,
    items: &[ItemQuality],
    options: &Options,
    poll: Poll<'_>,
) -> Vec<Contribution> {
    let weights = weights(items, options);
    let records = Records::gather(ledger, difficulty, &weights, options, poll);
    let Some(cohort) = records.cohort(ledger, difficulty, options, poll) else {
        return Vec::new();
    };
    let level = records.level(student as usize, &cohort, None, ledger.as_of, options);
    let mut evidence = Vec::new();
    evidence_of(
        student as usize,
        ledger,
        difficulty,
        &weights,
        options,
        &mut evidence,
        poll,
    );
    let Some(last_at) = evidence.iter().map(|piece| piece.taken_at).max() else {
        return Vec::new();
    };
    let weight_of = |taken_at, precision: f64| {
        precision * decay(days_between(taken_at, last_at), options.half_life)
    };
    let total: f64 = evidence
        .iter()
        .map(|piece| weight_of(piece.taken_at, piece.precision))
        .sum();
    let mut contributions = Vec::new();
    for piece in &evidence {
        if piece.unit % 1024 == 0 {
            poll();
        }
        let piece_share = level.reliability * weight_of(piece.taken_at, piece.precision) / total;
        let responses = match piece.response {
            Some(response) => response..response + 1,
            None => ledger.responses_in(piece.unit),
        };
        for response in responses {
            let item = ledger.items[response];
            let score = ledger.scores[response];
            let expected = level.prior + difficulty.effect[item as usize];
            let share = piece_share * weights[item as usize] / piece.quality;
            contributions.push(Contribution {
                assessment: ledger.unit(piece.unit).assessment,
                item,
                taken_at: ledger.time_of(piece.unit, response),
                score,
                expected,
                quality: weights[item as usize],
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
