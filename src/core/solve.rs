//! From a gradebook to rows: each function lays out the responses, fits the difficulties, judges
//! the questions and goes as far as its question needs.

use crate::Poll;
use crate::criterion::Criterion;
use crate::difficulty::Difficulty;
use crate::drift::{Drift, drifts};
use crate::error::Result;
use crate::explain::{Contribution, explain as contributions};
use crate::gradebook::{Exclusion, Gradebook};
use crate::item::{ItemQuality, qualities};
use crate::ledger::Ledger;
use crate::options::Options;
use crate::reliability::{self, Assessment};
use crate::separation::{Separation, separations};
use crate::student::{self, Student};

/// All that is told of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The number in the gradebook.
    pub item: u32,
    pub quality: ItemQuality,
    /// Mean score; none on a scale without an upper bound.
    pub facility: Option<f64>,
    pub separation: Separation,
    pub first_at: i64,
    pub last_at: i64,
}

/// What students and explanations rest on.
struct Foundation {
    ledger: Ledger,
    difficulty: Difficulty,
    criterion: Criterion,
    items: Vec<ItemQuality>,
}

impl Foundation {
    fn lay(gradebook: &Gradebook<'_>, options: &Options, poll: Poll<'_>) -> Result<Self> {
        options.check()?;
        let ledger = Ledger::new(gradebook, options, poll)?;
        let difficulty = Difficulty::fit(&ledger, options.adjust_difficulty, poll);
        let criterion = Criterion::new(&ledger, &difficulty);
        let items = qualities(&ledger, &difficulty, &criterion, options, poll);
        Ok(Self {
            ledger,
            difficulty,
            criterion,
            items,
        })
    }
}

/// The items with a response as of the date, in the gradebook's order.
pub fn items(gradebook: &Gradebook<'_>, options: &Options, poll: Poll<'_>) -> Result<Vec<Item>> {
    let Foundation {
        ledger,
        difficulty,
        criterion,
        items,
    } = Foundation::lay(gradebook, options, poll)?;
    let share = options.upper_lower_share;
    let separations = separations(&ledger, &difficulty, &criterion, share, poll);
    let mut sums = vec![0.0; items.len()];
    let mut spans = vec![(i64::MAX, i64::MIN); items.len()];
    for unit in 0..ledger.unit_count() {
        for response in ledger.responses_in(unit) {
            let item = ledger.items[response] as usize;
            sums[item] += ledger.scores[response];
            let (first, last) = &mut spans[item];
            *first = ledger.time_of(unit, response).min(*first);
            *last = ledger.time_of(unit, response).max(*last);
        }
    }
    Ok((0u32..)
        .zip(items)
        .zip(separations)
        .filter(|((_, quality), _)| quality.n > 0)
        .map(|((item, quality), separation)| {
            let (first_at, last_at) = spans[item as usize];
            let mean = sums[item as usize] / quality.n as f64;
            let facility = (!ledger.unbounded[item as usize]).then_some(mean);
            Item {
                item,
                quality,
                facility,
                separation,
                first_at,
                last_at,
            }
        })
        .collect())
}

/// The drift of the items with a response as of the date, in the gradebook's order.
pub fn item_drift(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<Drift>> {
    options.check()?;
    let ledger = Ledger::new(gradebook, options, poll)?;
    Ok(drifts(&ledger, options, poll))
}

/// The students known as of the date, in the gradebook's order.
pub fn students(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<Student>> {
    let Foundation {
        ledger,
        difficulty,
        items,
        ..
    } = Foundation::lay(gradebook, options, poll)?;
    Ok(student::students(
        &ledger,
        &difficulty,
        &items,
        options,
        poll,
    ))
}

/// What makes up the level of one student.
pub fn explain(
    gradebook: &Gradebook<'_>,
    student: u32,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<Contribution>> {
    let Foundation {
        ledger,
        difficulty,
        items,
        ..
    } = Foundation::lay(gradebook, options, poll)?;
    Ok(contributions(
        student,
        &ledger,
        &difficulty,
        &items,
        options,
        poll,
    ))
}

/// The assessments with a response as of the date, with their number in the gradebook.
pub fn assessments(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<(u32, Assessment)>> {
    options.check()?;
    let ledger = Ledger::new(gradebook, options, poll)?;
    let rows = reliability::assessments(&ledger, poll);
    Ok((0..)
        .zip(rows)
        .filter_map(|(at, row)| Some((at, row?)))
        .collect())
}

/// Rows by what became of them; every row of the source is in exactly one of the counts.
pub fn coverage(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<(&'static str, u64)>> {
    let ledger = Ledger::new(gradebook, options, poll)?;
    let count = |reason: Exclusion| gradebook.excluded().count(reason);
    Ok(vec![
        ("used", ledger.items.len() as u64),
        (Exclusion::NullScore.label(), count(Exclusion::NullScore)),
        (Exclusion::NullId.label(), count(Exclusion::NullId)),
        (Exclusion::NullDate.label(), count(Exclusion::NullDate)),
        (Exclusion::OutOfRange.label(), count(Exclusion::OutOfRange)),
        (Exclusion::NoMaxScore.label(), count(Exclusion::NoMaxScore)),
        ("future", ledger.future),
        ("duplicate", ledger.duplicates),
        (Exclusion::NotFinite.label(), count(Exclusion::NotFinite)),
    ])
}
