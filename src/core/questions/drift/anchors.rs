//! What answers are compared with: the other questions of the same sitting.

use crate::Poll;
use crate::ledger::Ledger;
use crate::questions::additive::{Answers, effects};

/// Other questions that an answer is compared with, and how many of these must have been used
/// on both sides of a change.
pub const MIN_ANCHORS: usize = 5;

/// The first answer of each student to each item, in whatever assessment; each sitting is a
/// student of its own, as abilities may have changed since the last. A student who met a question
/// before does better on it, which is no leak, and two answers of one student are not independent.
pub fn first_meetings(ledger: &Ledger, poll: Poll<'_>) -> Ledger {
    let mut first = vec![false; ledger.items.len()];
    // Per item: the last student who met it, when, and in which response.
    let mut met = vec![(usize::MAX, 0, 0); ledger.item_count()];
    for student in 0..ledger.student_count() {
        for unit in ledger.units_of(student) {
            if unit % 1024 == 0 {
                poll();
            }
            for response in ledger.responses_in(unit) {
                let at = ledger.time_of(unit, response);
                let (who, when, which) = &mut met[ledger.items[response] as usize];
                let repeated = *who == student;
                if repeated && at >= *when {
                    continue;
                }
                if repeated {
                    first[*which] = false;
                }
                first[response] = true;
                (*who, *when, *which) = (student, at, response);
            }
        }
    }
    ledger.by_sitting(|response| first[response], poll)
}

/// What the rest of a sitting shows about a student.
#[derive(Debug, Clone, Copy)]
pub struct Ability {
    /// Mean adjusted score.
    pub level: f64,
    /// Variance of the adjusted scores.
    pub noise: f64,
    /// How many there are.
    pub answers: f64,
}

/// Sittings, and what an answer in them is compared with.
pub struct Anchors<'a> {
    pub sittings: &'a Ledger,
    /// Per item: whether others may be compared with it.
    pub sound: &'a [bool],
    /// Per item: see [`effects`].
    effects: Vec<f64>,
    /// Mean adjusted score, from which all are measured so that sums lose no digits.
    pub mean: f64,
}

impl<'a> Anchors<'a> {
    pub fn new(sittings: &'a Ledger, sound: &'a [bool], poll: Poll<'_>) -> Self {
        let anchoring = sittings.by_sitting(|at| sound[sittings.items[at] as usize], poll);
        let answers = Answers {
            items: &anchoring.items,
            scores: &anchoring.scores,
            item_count: anchoring.item_count(),
            students: anchoring.student_count(),
            responses_of: &|student| anchoring.responses_of(student),
        };
        let effects = effects(answers, poll);
        let all = anchoring.items.iter().zip(&anchoring.scores);
        let sum: f64 = all
            .map(|(&item, score)| score - effects[item as usize])
            .sum();
        Self {
            sittings,
            sound,
            effects,
            mean: sum / anchoring.items.len().max(1) as f64,
        }
    }

    /// The adjusted score of a response that others may be compared with.
    fn anchor(&self, response: usize) -> Option<f64> {
        let item = self.sittings.items[response] as usize;
        self.sound[item].then(|| self.sittings.scores[response] - self.effects[item] - self.mean)
    }

    /// The responses of a sitting that count, with what each is compared with.
    pub fn answers(&self, sitting: usize) -> impl Iterator<Item = (usize, Ability)> {
        let responses = self.sittings.responses_in(sitting);
        let (mut n, mut sum, mut squares) = (0, 0.0, 0.0);
        for adjusted in responses.clone().filter_map(|at| self.anchor(at)) {
            n += 1;
            sum += adjusted;
            squares += adjusted * adjusted;
        }
        responses.filter_map(move |response| {
            let own = self.anchor(response);
            let others = n - usize::from(own.is_some());
            let own = own.unwrap_or(0.0);
            let answers = others as f64;
            let level = (sum - own) / answers;
            let about_level = squares - own * own - answers * level * level;
            let ability = Ability {
                level,
                noise: about_level.max(0.0) / (answers - 1.0),
                answers,
            };
            (others >= MIN_ANCHORS).then_some((response, ability))
        })
    }
}
