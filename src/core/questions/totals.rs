//! Totals among questions: columns of an export, such as points earned or percent correct, that
//! came in as questions though they add up the others.

use std::ops::Range;

use hashbrown::HashMap;

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, State};
use crate::ledger::{Ledger, Left, Scope, Unit};
use crate::memory;
use crate::questions::parts::{LEAST_PARTS, Parts, Points};
use crate::statistics::moments::PairSums;

/// Correlation with the mean of the others below which nothing is looked at more closely. It only
/// saves time: a total that is no sum to rounding is none.
const LEAST_CORRELATION: f64 = 0.7;

/// Students of an assessment who are all looked at for candidates, and of the others one in so
/// many.
const ALL_OF_FIRST: u32 = 64;
const ONE_OF_OTHERS: u32 = 16;

/// Which items are totals; empty where none is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(Vec<bool>);

impl Totals {
    /// Whether there are any.
    #[inline]
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub fn has(&self, item: u32) -> bool {
        self.0.get(item as usize).copied().unwrap_or(false)
    }

    /// A ledger without its totals, but where they are all that a student has of an assessment.
    pub fn take_out_of(&self, ledger: Ledger, poll: Poll<'_>) -> memory::Result<Ledger> {
        match self.are_none() {
            true => Ok(ledger),
            false => {
                self.ask_for_copy(&ledger)?;
                let is_bare = |unit| self.questions_in(ledger.responses_in(unit), &ledger) == 0;
                let keep = |unit, at: usize| !self.has(ledger.items[at]) || is_bare(unit);
                let mut kept = ledger.only(keep, poll);
                kept.unmarked = ledger.unmarked;
                Ok(kept)
            }
        }
    }

    /// The responses of a ledger that are to questions; units may be empty.
    pub fn questions_of(&self, ledger: &Ledger, poll: Poll<'_>) -> memory::Result<Ledger> {
        self.ask_for_copy(ledger)?;
        Ok(ledger.only(|_, at| !self.has(ledger.items[at]), poll))
    }

    fn ask_for_copy(&self, ledger: &Ledger) -> memory::Result<()> {
        let per_response = 2 * size_of::<f64>() + size_of::<u32>();
        memory::ask(
            per_response * ledger.items.len()
                + size_of::<Unit>() * ledger.unit_count()
                + 5 * ledger.student_count()
                + ledger.item_count(),
        )
    }

    /// How many of these responses are to questions.
    #[inline]
    pub fn questions_in(&self, responses: Range<usize>, ledger: &Ledger) -> usize {
        match self.are_none() {
            true => responses.len(),
            false => responses.filter(|&at| !self.has(ledger.items[at])).count(),
        }
    }

    /// Finds the items that are, in the assessments with most of their answers, an increasing
    /// linear function of the sum or the mean of other items there, to rounding; see
    /// [`Parts::totals`]. Where each piece of work is an assessment of its own, all of these are
    /// looked at as one. `ledger` is of `gradebook`, which knows how many points there were.
    pub fn find(ledger: &Ledger, gradebook: &Gradebook<'_>, poll: Poll<'_>) -> Result<Self> {
        if ledger.left_out.all().of(Left::Excluded) > 0 {
            // A total also adds up what somebody said does not count.
            let scope = Scope {
                as_of: Some(ledger.as_of),
                ..Scope::default()
            };
            return Self::find(&Ledger::new(gradebook, &scope, poll)?, gradebook, poll);
        }
        let mut answers_as_total = HashMap::new();
        find_within(ledger, gradebook, |at| at, &mut answers_as_total, poll)?;
        let pieces = ledger.of_one_item_each(poll)?;
        find_within(&pieces, gradebook, |_| 0, &mut answers_as_total, poll)?;
        if answers_as_total.is_empty() {
            return Ok(Self::default());
        }
        memory::ask((size_of::<u64>() + 1) * ledger.item_count())?;
        let mut answers = vec![0u64; ledger.item_count()];
        for &item in &ledger.items {
            answers[item as usize] += 1;
        }
        let is_total = |(item, answers): (u32, &u64)| {
            let as_total = answers_as_total.get(&item).copied().unwrap_or_default();
            2 * as_total > *answers
        };
        let totals: Vec<bool> = (0..).zip(&answers).map(is_total).collect();
        Ok(match totals.contains(&true) {
            true => Self(totals),
            false => Self::default(),
        })
    }
}

/// Adds to each item the answers to it in assessments where it is a total. `place_of` gives the
/// number in the ledger of an assessment of the gradebook.
fn find_within(
    ledger: &Ledger,
    gradebook: &Gradebook<'_>,
    place_of: impl Fn(u32) -> u32,
    answers_as_total: &mut HashMap<u32, u64>,
    poll: Poll<'_>,
) -> Result<()> {
    let Some(candidates) = candidates(ledger, poll)? else {
        return Ok(());
    };
    let assessments = assessments_of(&candidates, ledger, poll);
    let points = points(&assessments, place_of, ledger.as_of, gradebook, poll)?;
    memory::ask(
        size_of::<u32>() * (ledger.unit_count() + ledger.item_count() + ledger.assessments),
    )?;
    let takers = ledger.takers(poll);
    let mut places = vec![u32::MAX; ledger.item_count()];
    for assessment in (0..ledger.assessments).filter(|&at| assessments[at]) {
        let units = takers.of(assessment);
        let of = |item| {
            let seen = points.get(&(assessment as u32, item));
            seen.and_then(Seen::points)
        };
        let parts = Parts::gather(units, ledger, &mut places, &of, poll)?;
        for (item, answers) in parts.totals(poll) {
            *answers_as_total.entry(item).or_default() += answers;
        }
    }
    Ok(())
}

/// The units that are looked at for candidates: of each assessment the first ones, and one in
/// sixteen of the others. A total is one for all, so that some of them show it.
fn sample(ledger: &Ledger, poll: Poll<'_>) -> Result<Vec<u32>> {
    memory::ask(size_of::<u32>() * ledger.assessments)?;
    let mut seen = vec![0u32; ledger.assessments];
    let mut sample = Vec::new();
    for unit in 0..ledger.unit_count() {
        if unit % 1024 == 0 {
            poll();
            memory::ask_for_more(&sample, 1024)?;
        }
        if ledger.responses_in(unit).len() > LEAST_PARTS {
            let seen = &mut seen[ledger.unit(unit).assessment as usize];
            *seen += 1;
            if *seen <= ALL_OF_FIRST || seen.is_multiple_of(ONE_OF_OTHERS) {
                sample.push(unit as u32);
            }
        }
    }
    Ok(sample)
}

/// Items with more than two values that go with the mean of the others; none where there are none,
/// as in a test of right and wrong answers alone.
fn candidates(ledger: &Ledger, poll: Poll<'_>) -> Result<Option<Vec<bool>>> {
    let sample = sample(ledger, poll)?;
    memory::ask((size_of::<f64>() + size_of::<PairSums>() + 2) * ledger.item_count())?;
    let mut first = vec![f64::NAN; ledger.item_count()];
    let mut graded = vec![false; ledger.item_count()];
    let mut any = false;
    for (at, &unit) in sample.iter().enumerate() {
        if at % 1024 == 0 {
            poll();
        }
        for at in ledger.responses_in(unit as usize) {
            let (item, score) = (ledger.items[at] as usize, ledger.scores[at]);
            if score == 0.0 || score == 1.0 || first[item] == score {
                continue;
            }
            match first[item].is_nan() {
                true => first[item] = score,
                false => {
                    graded[item] = true;
                    any = true;
                }
            }
        }
    }
    if !any {
        return Ok(None);
    }
    let mut sums = vec![PairSums::default(); ledger.item_count()];
    for (at, &unit) in sample.iter().enumerate() {
        if at % 1024 == 0 {
            poll();
        }
        let responses = ledger.responses_in(unit as usize);
        let others = (responses.len() - 1) as f64;
        let sum: f64 = ledger.scores[responses.clone()].iter().sum();
        for at in responses {
            let item = ledger.items[at] as usize;
            if graded[item] {
                let score = ledger.scores[at];
                sums[item].add(score - 0.5, (sum - score) / others - 0.5, 1.0);
            }
        }
    }
    let is_candidate = |sums: &PairSums| {
        let correlation = sums.scatter().correlation();
        correlation.is_some_and(|r| r >= LEAST_CORRELATION)
    };
    let candidates: Vec<bool> = sums.iter().map(is_candidate).collect();
    Ok(candidates.contains(&true).then_some(candidates))
}

/// The assessments in which a candidate was used.
fn assessments_of(candidates: &[bool], ledger: &Ledger, poll: Poll<'_>) -> Vec<bool> {
    let mut assessments = vec![false; ledger.assessments];
    for unit in 0..ledger.unit_count() {
        if unit % 1024 == 0 {
            poll();
        }
        let is_one = &mut assessments[ledger.unit(unit).assessment as usize];
        let mut items = ledger.items[ledger.responses_in(unit)].iter();
        *is_one = *is_one || items.any(|&item| candidates[item as usize]);
    }
    assessments
}

/// The scales that an item was given on in an assessment.
struct Seen {
    min: f64,
    max: Option<f64>,
    highest: f64,
    is_one: bool,
}

impl Seen {
    fn of(mark: &Mark) -> Self {
        Self {
            min: mark.scale.min_score(),
            max: mark.scale.max_score(),
            highest: f64::NEG_INFINITY,
            is_one: true,
        }
    }

    /// None where there were several scales, or no upper end.
    fn points(&self) -> Option<Points> {
        let span = self.max.unwrap_or(self.highest) - self.min;
        let is_known = self.is_one && span.is_finite() && span > 0.0;
        is_known.then_some(Points {
            lowest: self.min,
            span,
        })
    }
}

/// How many points there were for each item of these assessments.
fn points(
    assessments: &[bool],
    place_of: impl Fn(u32) -> u32,
    as_of: i64,
    gradebook: &Gradebook<'_>,
    poll: Poll<'_>,
) -> Result<HashMap<(u32, u32), Seen>> {
    let mut points: HashMap<(u32, u32), Seen> = HashMap::new();
    gradebook.visit(
        |mark| mark,
        poll,
        |sitting| {
            let place = place_of(sitting.assessment);
            if !assessments[place as usize] || sitting.taken_at > as_of {
                return Ok(());
            }
            let scored = |mark: &Mark| mark.state == State::Scored;
            for (&item, mark) in sitting
                .items
                .iter()
                .zip(sitting.marks)
                .filter(|(_, m)| scored(m))
            {
                if points.len() == points.capacity() {
                    let entry = size_of::<((u32, u32), Seen)>() + 1;
                    memory::ask(3 * entry * (points.capacity() + 8))?;
                }
                let seen = points
                    .entry((place, item))
                    .or_insert_with(|| Seen::of(mark));
                let scale = (mark.scale.min_score(), mark.scale.max_score());
                seen.is_one = seen.is_one && scale == (seen.min, seen.max);
                seen.highest = seen.highest.max(mark.score);
            }
            Ok(())
        },
    )?;
    Ok(points)
}
