//! Totals among questions: columns of an export, such as points earned or percent correct, that
//! came in as questions though they add up the others.

use std::ops::Range;

use hashbrown::HashMap;

use crate::Poll;
use crate::gradebook::{Gradebook, Result};
use crate::ledger::{Ledger, Left, Unit};
use crate::memory;
use crate::questions::parts::LEAST_PARTS;
use crate::questions::sheet::{Entered, sheets};
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

    /// A ledger without its totals, but for assessments of which nobody has anything else; units
    /// may be empty.
    pub fn take_out_of(&self, ledger: Ledger, poll: Poll<'_>) -> memory::Result<Ledger> {
        if self.are_none() {
            return Ok(ledger);
        }
        self.ask_for_copy(&ledger)?;
        memory::ask(ledger.assessments)?;
        let mut has_questions = vec![false; ledger.assessments];
        let assessment = |unit| ledger.unit(unit).assessment as usize;
        for unit in 0..ledger.unit_count() {
            if self.questions_in(ledger.responses_in(unit), &ledger) > 0 {
                has_questions[assessment(unit)] = true;
            }
        }
        let keep =
            |unit, at: usize| !self.has(ledger.items[at]) || !has_questions[assessment(unit)];
        let mut kept = ledger.only(keep, poll);
        kept.unmarked = ledger.unmarked;
        Ok(kept)
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
    /// [`Sheet::totals`]. Where each piece of work is an assessment of its own, all of these are
    /// looked at as one. `ledger` is of `gradebook`: its candidates are looked for among all that
    /// was entered, as a total also adds up what somebody chose not to count.
    pub fn find(ledger: &Ledger, gradebook: &Gradebook<'_>, poll: Poll<'_>) -> Result<Self> {
        let mut found = Found::default();
        // Of what is not laid out nothing can be said beforehand.
        let is_whole = !has_excluded(ledger);
        let some = candidates(ledger, poll)?;
        if !is_whole || some.is_some() {
            let is_candidate = some.filter(|_| is_whole);
            let numbers = assessments_of(is_candidate.as_deref(), ledger, poll)?;
            found.look_at(ledger, gradebook, |at| numbers[at as usize], poll)?;
        }
        let is_piece = ledger.assessments_of_one_item(poll)?;
        let pieces = ledger.of_one_item_each(&is_piece, poll)?;
        if !is_whole || candidates(&pieces, poll)?.is_some() {
            let number = |at: u32| is_piece[at as usize].then_some(0);
            found.look_at(ledger, gradebook, number, poll)?;
        }
        if found.0.is_empty() {
            return Ok(Self::default());
        }
        memory::ask((size_of::<u64>() + 1) * ledger.item_count())?;
        let mut beside_others = vec![0u64; ledger.item_count()];
        for of in [ledger, &pieces] {
            count_beside_others(of, &mut beside_others, poll);
        }
        let is_total = |(item, answers): (u32, &u64)| {
            let as_total = found.0.get(&item).copied().unwrap_or_default();
            2 * as_total > *answers
        };
        let totals: Vec<bool> = (0..).zip(&beside_others).map(is_total).collect();
        Ok(match totals.contains(&true) {
            true => Self(totals),
            false => Self::default(),
        })
    }
}

/// Whether somebody chose that questions do not count.
fn has_excluded(ledger: &Ledger) -> bool {
    ledger.left_out.all().of(Left::Excluded) > 0
}

/// The answers to each item on sheets where it is a total.
#[derive(Default)]
struct Found(HashMap<u32, u64>);

impl Found {
    /// Looks at all that was entered, whichever of several scores counts, and again without items
    /// that somebody chose not to count.
    fn look_at(
        &mut self,
        ledger: &Ledger,
        gradebook: &Gradebook<'_>,
        number_of: impl Fn(u32) -> Option<u32>,
        poll: Poll<'_>,
    ) -> Result<()> {
        let mut most: HashMap<(usize, u32), u64> = HashMap::new();
        let is_asked_for = |item| ledger.left_out.of_item(item).of(Left::Excluded) == 0;
        let choices: [&dyn Fn(u32) -> bool; 2] = [&|_| true, &is_asked_for];
        for has_item in choices
            .into_iter()
            .take(1 + usize::from(has_excluded(ledger)))
        {
            // By sheet, once the first scores are known: whether there are others.
            let mut has_several: Vec<bool> = Vec::new();
            for entered in Entered::ALL {
                let number = |at| {
                    let number = number_of(at)?;
                    let several = has_several.get(number as usize).copied();
                    several.unwrap_or(true).then_some(number)
                };
                let sheets = sheets(gradebook, ledger.as_of, entered, has_item, number, poll)?;
                for (number, sheet) in sheets.iter().enumerate() {
                    for (item, answers) in sheet.totals(poll)? {
                        let most = most.entry((number, item)).or_default();
                        *most = answers.max(*most);
                    }
                }
                if entered == Entered::First {
                    has_several = sheets.iter().map(|sheet| sheet.has_several).collect();
                    if !has_several.contains(&true) {
                        break;
                    }
                }
            }
        }
        for ((_, item), answers) in most {
            *self.0.entry(item).or_default() += answers;
        }
        Ok(())
    }
}

/// Counts the students and assessments with an answer to each item beside enough other items to be
/// the total of them.
fn count_beside_others(ledger: &Ledger, counts: &mut [u64], poll: Poll<'_>) {
    let mut items = Vec::new();
    for unit in 0..ledger.unit_count() {
        if unit % 1024 == 0 {
            poll();
        }
        // Among pieces of work, an item may stand several times.
        items.clear();
        items.extend_from_slice(&ledger.items[ledger.responses_in(unit)]);
        items.sort_unstable();
        items.dedup();
        if items.len() > LEAST_PARTS {
            for &item in &items {
                counts[item as usize] += 1;
            }
        }
    }
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

/// Items with other values than right and wrong that go with the mean of the others, or any such
/// where some answers do not count; none where there are none, as in a test of right and wrong
/// answers alone.
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
    // A total of other answers than those that count need not go with these.
    if ledger.duplicates > 0 {
        return Ok(Some(graded));
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

/// Numbers of the assessments in which a candidate was used, or any item where all may be totals.
fn assessments_of(
    candidates: Option<&[bool]>,
    ledger: &Ledger,
    poll: Poll<'_>,
) -> memory::Result<Vec<Option<u32>>> {
    memory::ask(size_of::<Option<u32>>() * ledger.assessments)?;
    let mut numbers = vec![None; ledger.assessments];
    let mut count = 0;
    for unit in 0..ledger.unit_count() {
        if unit % 1024 == 0 {
            poll();
        }
        let number = &mut numbers[ledger.unit(unit).assessment as usize];
        let mut items = ledger.items[ledger.responses_in(unit)].iter();
        let is_candidate = |&item: &u32| candidates.is_none_or(|are| are[item as usize]);
        if number.is_none() && items.any(is_candidate) {
            *number = Some(count);
            count += 1;
        }
    }
    Ok(numbers)
}
