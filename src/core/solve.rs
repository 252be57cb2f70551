//! From a gradebook to rows: each function lays out the responses, fits the difficulties, judges
//! the questions and goes as far as its question needs.

use crate::Poll;
use crate::bootstrap;
use crate::calibrate::{self, Calibration};
use crate::criterion::Criterion;
use crate::difficulty::Difficulty;
use crate::drift::{Drift, drifts};
use crate::due::{self, Missing};
use crate::error::Result;
use crate::explain::{Contribution, explain as contributions};
use crate::gradebook::{Exclusion, Gradebook};
use crate::half_life::{self, Advice};
use crate::item::{ItemQuality, qualities};
use crate::ledger::Ledger;
use crate::level::Records;
use crate::memory;
use crate::options::{Counting, Options};
use crate::prior::Previous;
use crate::reliability::{self, Assessment};
use crate::separation::{Separation, separations};
use crate::student::{self, Student, weights};

/// All that is known of an item.
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

/// What the next steps take at most beside the ledger, in bytes for each.
struct Needs {
    response: usize,
    unit: usize,
    student: usize,
    item: usize,
    assessment: usize,
    /// The most units of one student.
    unit_of_one: usize,
}

impl Needs {
    /// Difficulties, criteria and qualities.
    const FOUNDATION: Self = Self {
        response: 0,
        unit: 16,
        student: 32,
        item: 512,
        assessment: 16,
        unit_of_one: 0,
    };
    /// The records of all students, gathered one after the other, and their cohort.
    const RECORDS: Self = Self {
        student: 208,
        unit_of_one: 224,
        ..Self::NONE
    };
    const NONE: Self = Self {
        response: 0,
        unit: 0,
        student: 0,
        item: 0,
        assessment: 0,
        unit_of_one: 0,
    };

    /// Refuses where there is not that much. A list that grows may be there twice, before and after,
    /// and have twice the room it needs.
    fn ask(&self, ledger: &Ledger, options: &Options) -> Result<()> {
        let most_pieces = match options.counting {
            Counting::Responses => ledger.most_responses(),
            Counting::Effective | Counting::Assessments => ledger.most_units(),
        };
        memory::ask(
            self.response * ledger.items.len()
                + self.unit * ledger.unit_count()
                + self.student * ledger.student_count()
                + self.item * ledger.item_count()
                + self.assessment * ledger.assessments
                + self.unit_of_one * most_pieces,
        )
    }
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
        Self::on(ledger, options, poll)
    }

    fn on(ledger: Ledger, options: &Options, poll: Poll<'_>) -> Result<Self> {
        Needs::FOUNDATION.ask(&ledger, options)?;
        let difficulty = Difficulty::fit(&ledger, options.adjust_difficulty, poll);
        let criterion = Criterion::new(&ledger, &difficulty, poll);
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
    let needs = Needs {
        item: size_of::<Item>() + size_of::<Separation>() + 64,
        ..Needs::NONE
    };
    needs.ask(&ledger, options)?;
    let separations = separations(&ledger, &difficulty, &criterion, share, poll)?;
    let mut sums = vec![0.0; items.len()];
    let mut spans = vec![(i64::MAX, i64::MIN); items.len()];
    for unit in 0..ledger.unit_count() {
        if unit % 1024 == 0 {
            poll();
        }
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
    // The sittings as students of their own, and those again that others are held against.
    let needs = Needs {
        response: 48,
        unit: 80,
        item: 96 + size_of::<Drift>(),
        assessment: 16,
        ..Needs::NONE
    };
    needs.ask(&ledger, options)?;
    drifts(&ledger, options, poll)
}

/// Slope and difficulty of the items with a response as of the date, in the gradebook's order; see
/// [`calibrate::calibrate`].
pub fn calibrate(
    gradebook: &Gradebook<'_>,
    options: &Options,
    settings: &calibrate::Settings,
    poll: Poll<'_>,
) -> Result<Calibration> {
    options.check()?;
    settings.check()?;
    let ledger = Ledger::new(gradebook, options, poll)?;
    let needs = Needs {
        response: 2 * size_of::<u32>(),
        student: 2 * size_of::<usize>(),
        item: 512,
        ..Needs::NONE
    };
    needs.ask(&ledger, options)?;
    calibrate::calibrate(ledger, options, settings, poll)
}

/// The students known as of the date, in the gradebook's order.
pub fn students(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<Student>> {
    Ok(each_student(gradebook, options, poll)?.collect())
}

/// The same one by one.
pub fn each_student(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<impl Iterator<Item = Student> + use<>> {
    let Foundation {
        ledger,
        difficulty,
        items,
        ..
    } = Foundation::lay(gradebook, options, poll)?;
    // With a rank, and what it rests on.
    let needs = Needs {
        student: Needs::RECORDS.student + 48,
        ..Needs::RECORDS
    };
    needs.ask(&ledger, options)?;
    student::students(ledger, &difficulty, &items, options, poll)
}

/// What last year's gradebook says of the students of `gradebook`, who are known by the text of
/// their ids; to be put into the `options` with which that one is solved. `before` are the same
/// options as they are for last year's: with `exclude` by its numbers, and `as_of` on its clock,
/// to which `convert` brings a time of this year's.
///
/// Nothing counts twice and nothing comes from later: of each student only what is older than
/// the first response of this year, and of nobody what is later than the date.
pub fn previous(
    previous: &Gradebook<'_>,
    before: &Options,
    gradebook: &Gradebook<'_>,
    options: &Options,
    convert: &dyn Fn(i64) -> i64,
    poll: Poll<'_>,
) -> Result<Previous> {
    options.check()?;
    let this_year = Ledger::new(gradebook, options, poll)?;
    memory::ask(48 * gradebook.students().len() + 8 * previous.students().len())?;
    let old: Vec<Option<u32>> = (0..gradebook.students().len() as u32)
        .map(|student| {
            if student % 1024 == 0 {
                poll();
            }
            let id = gradebook.students().get(student).to_string();
            let found = previous.students().find(&id)?;
            // Other spellings of one number or uuid would be several students.
            (previous.students().get(found).to_string() == id).then_some(found)
        })
        .collect();
    let mut ends = vec![i64::MAX; previous.students().len()];
    for (student, old) in old.iter().enumerate() {
        poll();
        if let (Some(old), Some(first)) = (old, this_year.begin_of(student)) {
            ends[*old as usize] = convert(first);
        }
    }
    let as_of = Some(this_year.as_of).filter(|&at| at > i64::MIN);
    let before = Options {
        as_of: before.as_of.or_else(|| as_of.map(convert)),
        previous: Previous::default(),
        ..before.clone()
    };
    let ledger = Ledger::before(previous, &ends, &before, poll)?;
    // Whoever borrows nothing does not borrow from last year either.
    if options.carry_over == 0.0 || !options.shrink {
        return Ok(Previous::default());
    }
    let last_year = Foundation::on(ledger, &before, poll)?;
    let (ledger, difficulty) = (&last_year.ledger, &last_year.difficulty);
    Needs::RECORDS.ask(ledger, &before)?;
    let weights = weights(&last_year.items, &before);
    let records = Records::gather(ledger, difficulty, &weights, &before, poll);
    let Some(cohort) = records.cohort(ledger, difficulty, &before, poll) else {
        return Ok(Previous::default());
    };
    let known = records.records(&cohort, &before);
    Ok(Previous {
        records: old.iter().map(|old| known[(*old)? as usize]).collect(),
        cohort: Some(cohort),
    })
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
    Needs::RECORDS.ask(&ledger, options)?;
    let own = ledger.responses_of(student as usize).len();
    memory::ask(3 * size_of::<Contribution>() * own)?;
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
    // Per item a number and its moments, in tables that grow.
    let needs = Needs {
        unit: 16,
        item: 160,
        assessment: 3 * size_of::<Option<Assessment>>(),
        ..Needs::NONE
    };
    needs.ask(&ledger, options)?;
    let rows = reliability::assessments(&ledger, poll)?;
    Ok((0..)
        .zip(rows)
        .filter_map(|(at, row)| Some((at, row?)))
        .collect())
}

/// Due work without a response, by student, then by date.
pub fn missing_work<'p>(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'p>,
) -> Result<impl Iterator<Item = Missing> + use<'p>> {
    options.check()?;
    let ledger = Ledger::new(gradebook, options, poll)?;
    due::missing_work(ledger, options.due_share, poll)
}

/// Rows by what became of them; every row of the source is in exactly one of the counts. The last
/// two are of the roster, where there is one.
pub fn coverage(
    gradebook: &Gradebook<'_>,
    options: &Options,
    poll: Poll<'_>,
) -> Result<Vec<(&'static str, u64)>> {
    let ledger = Ledger::new(gradebook, options, poll)?;
    let count = |reason: Exclusion| gradebook.excluded().count(reason);
    let mut rows = vec![
        ("used", ledger.items.len() as u64),
        (Exclusion::NullScore.label(), count(Exclusion::NullScore)),
        (Exclusion::NullId.label(), count(Exclusion::NullId)),
        (Exclusion::NullDate.label(), count(Exclusion::NullDate)),
        (Exclusion::OutOfRange.label(), count(Exclusion::OutOfRange)),
        (Exclusion::NoMaxScore.label(), count(Exclusion::NoMaxScore)),
        ("future", ledger.future),
        ("duplicate", ledger.duplicates),
        (Exclusion::NotFinite.label(), count(Exclusion::NotFinite)),
    ];
    let roster = gradebook.roster();
    if !roster.is_empty() || roster.unusable() > 0 {
        rows.push(("roster", ledger.roster.periods().len() as u64));
        rows.push(("bad_roster", roster.unusable()));
    }
    Ok(rows)
}

/// What the past says of the half-life; see [`half_life::advise`].
pub fn half_life_advice(
    gradebook: &Gradebook<'_>,
    options: &Options,
    resamples: u64,
    seed: u64,
    poll: Poll<'_>,
) -> Result<Advice> {
    bootstrap::check(resamples)?;
    let Foundation {
        ledger,
        difficulty,
        items,
        ..
    } = Foundation::lay(gradebook, options, poll)?;
    // The times between pieces of evidence.
    let needs = Needs {
        unit: 3 * size_of::<f64>(),
        ..Needs::RECORDS
    };
    needs.ask(&ledger, options)?;
    Ok(half_life::advise(
        &ledger,
        &difficulty,
        &items,
        options,
        resamples,
        seed,
        poll,
    ))
}
