//! From a gradebook to rows: each function lays out the responses, fits the difficulties, judges
//! the questions and goes as far as its question needs.

use crate::Poll;
use crate::assessments::{self, Assessment};
use crate::error::Result;
use crate::forecasts::half_life::{self, Advice};
use crate::forecasts::resampling::Resampling;
use crate::foundation::Foundation;
use crate::gradebook::{Exclusion, Gradebook};
use crate::ledger::{Ledger, Left, LeftOut, Scope, Unmarked};
use crate::memory;
use crate::needs::Needs;
use crate::options::{Checked, Counting, Options};
use crate::questions::calibrate::{self, Calibration};
use crate::questions::drift::{Drift, DriftOptions, drifts};
use crate::questions::quality::ItemQuality;
use crate::questions::separation::{Separation, separations};
use crate::questions::totals::Totals;
use crate::students::due::{self, Missing, MissingWork};
use crate::students::explain::{self, Contribution};
use crate::students::level::LevelOptions;
use crate::students::previous::Previous;
use crate::students::records::Records;
use crate::students::student::{self, Student};
pub use crate::students::summary_rows::SummaryRow;
use crate::students::summary_rows::{self, kind_of_name};
use crate::students::trend;

/// All that is known of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The number in the gradebook.
    pub item: u32,
    pub quality: ItemQuality,
    /// Mean score; none on a scale without an upper bound.
    pub facility: Option<f64>,
    pub separation: Separation,
    /// Times of the first and the last response, in microseconds since 2000-01-01; none without
    /// one.
    pub span: Option<(i64, i64)>,
    /// Rows that do not count, though they are there.
    pub uncounted: Uncounted,
}

/// Rows of a question that do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uncounted {
    /// Those that something is wrong with, as `coverage` counts them.
    pub left_out: u64,
    /// Those left blank; they may count all the same.
    pub blank: u64,
    /// Those whose mark is still to come, and those that are held back until most are marked.
    pub waiting: u64,
}

impl Uncounted {
    fn of(item: u32, left_out: &LeftOut, excluded: u64) -> Self {
        let left = left_out.of_item(item);
        let wrong = Left::WRONG.iter().map(|reason| left.of(*reason));
        Self {
            left_out: excluded + wrong.sum::<u64>(),
            blank: left_out.blanks_of_item(item),
            waiting: left.of(Left::Waiting) + left.of(Left::HeldBack),
        }
    }
}

/// The items with a dated row as of the date, in the gradebook's order.
pub fn items(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<Vec<Item>> {
    let Foundation {
        ledger,
        difficulty,
        criterion,
        items,
    } = Foundation::new(gradebook, scope, options, poll)?;
    let share = options.upper_lower_share;
    let needs = Needs {
        item: size_of::<Item>() + size_of::<Separation>() + 64,
        ..Needs::NONE
    };
    needs.ask(&ledger, options.counting)?;
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
    let mut excluded = gradebook.excluded().by_item().iter().peekable();
    Ok((0u32..)
        .zip(items)
        .zip(separations)
        .filter_map(|((item, quality), separation)| {
            let lost = excluded.next_if(|(other, _)| *other == item);
            let lost = lost.map_or(0, |(_, counts)| counts.total());
            let left = ledger.left_out.of_item(item);
            let has_answers = quality.n > 0;
            let mean = sums[item as usize] / quality.n as f64;
            let has_mean = has_answers && !ledger.unbounded[item as usize];
            (has_answers || left.total() > 0).then(|| Item {
                item,
                quality,
                facility: has_mean.then_some(mean),
                separation,
                span: has_answers.then_some(spans[item as usize]),
                uncounted: Uncounted::of(item, &ledger.left_out, lost),
            })
        })
        .collect())
}

/// The drift of the items with a response as of the date, in the gradebook's order.
pub fn item_drift(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<Vec<Drift>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    // The sittings as students of their own, and once more those that others are compared with.
    let needs = Needs {
        response: 48,
        unit: 80,
        item: 96 + size_of::<Drift>(),
        assessment: 16,
        ..Needs::NONE
    };
    needs.ask(&ledger, options.counting)?;
    Ok(drifts(&ledger, &DriftOptions::from(&**options), poll)?)
}

/// Slope and difficulty of the items with a response as of the date, in the gradebook's order; see
/// [`calibrate::calibrate`].
pub fn calibrate(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    settings: &Checked<calibrate::Settings>,
    poll: Poll<'_>,
) -> Result<Calibration> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    let needs = Needs {
        response: 2 * size_of::<u32>(),
        student: 2 * size_of::<usize>(),
        item: 512,
        ..Needs::NONE
    };
    needs.ask(&ledger, options.counting)?;
    let (least, confidence) = (options.min_answers, options.confidence);
    Ok(calibrate::calibrate(
        ledger, least, confidence, settings, poll,
    )?)
}

/// The students known as of the date, in the gradebook's order.
pub fn students(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    previous: &Previous,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<Vec<Student>> {
    Ok(each_student(gradebook, scope, previous, options, poll)?.collect())
}

/// The same one by one.
pub fn each_student(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    previous: &Previous,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<impl Iterator<Item = Student> + use<>> {
    let foundation = Foundation::new(gradebook, scope, options, poll)?;
    // With a rank, and what it rests on.
    let needs = Needs {
        student: Needs::RECORDS.student + 48,
        ..Needs::RECORDS
    };
    needs.ask(&foundation.ledger, options.counting)?;
    Ok(student::students(foundation, previous, options, poll)?)
}

/// What last year's gradebook, `old`, shows about the students of `gradebook`, who are known by the
/// text of their ids. `before` is the scope in the terms of last year's: with `exclude` by its
/// numbers, and `as_of` on its clock, to which `convert` brings a time of this year's.
///
/// Nothing counts twice and nothing comes from later: of each student only what is older than
/// the first response of this year, and of nobody what is later than the date.
pub fn previous(
    old: &Gradebook<'_>,
    before: &Scope,
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    convert: &dyn Fn(i64) -> i64,
    poll: Poll<'_>,
) -> Result<Previous> {
    let this_year = Ledger::new(gradebook, scope, poll)?;
    memory::ask(48 * gradebook.students().len() + 8 * old.students().len())?;
    let numbers: Vec<Option<u32>> = (0..gradebook.students().len() as u32)
        .map(|student| {
            if student % 1024 == 0 {
                poll();
            }
            let id = gradebook.students().get(student).to_string();
            let found = old.students().find(&id)?;
            // Other spellings of one number or uuid would be several students.
            (old.students().get(found).to_string() == id).then_some(found)
        })
        .collect();
    let mut ends = vec![i64::MAX; old.students().len()];
    for (student, number) in numbers.iter().enumerate() {
        poll();
        if let (Some(number), Some(first)) = (number, this_year.begin_of(student)) {
            ends[*number as usize] = convert(first);
        }
    }
    let as_of = Some(this_year.as_of).filter(|&at| at > i64::MIN);
    let before = Scope {
        as_of: before.as_of.or_else(|| as_of.map(convert)),
        ..before.clone()
    };
    let ledger = Ledger::before(old, &ends, &before, poll)?;
    // Without borrowing from the cohort, nothing is borrowed from last year either.
    if options.carry_over == 0.0 || !options.shrink {
        return Ok(Previous::default());
    }
    let last_year = Foundation::from_ledger(ledger, old, options, poll)?;
    let (ledger, difficulty) = (&last_year.ledger, &last_year.difficulty);
    Needs::RECORDS.ask(ledger, options.counting)?;
    let records = Records::of(&last_year, options, poll);
    let levels = LevelOptions::from(&**options);
    let nothing = Previous::default();
    let Some(cohort) = records.cohort(ledger, difficulty, &nothing, &levels, poll) else {
        return Ok(nothing);
    };
    let known = records.records(&cohort, &levels);
    Ok(Previous {
        records: numbers
            .iter()
            .map(|number| known[(*number)? as usize])
            .collect(),
        cohort: Some(cohort),
    })
}

/// What makes up the level of one student.
pub fn explain(
    gradebook: &Gradebook<'_>,
    student: u32,
    scope: &Scope,
    previous: &Previous,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<Vec<Contribution>> {
    let foundation = Foundation::new(gradebook, scope, options, poll)?;
    let ledger = &foundation.ledger;
    Needs::RECORDS.ask(ledger, options.counting)?;
    let own = ledger.responses_of(student as usize).len();
    memory::ask(3 * size_of::<Contribution>() * own)?;
    Ok(explain::explain(
        student,
        &foundation,
        previous,
        options,
        poll,
    ))
}

/// The ends of the line that the trend of one student is read from; whether the trend is clear,
/// [`students`] says.
pub fn trend_line(
    gradebook: &Gradebook<'_>,
    student: u32,
    scope: &Scope,
    options: &Checked<Options>,
    poll: Poll<'_>,
) -> Result<Option<[(i64, f64); 2]>> {
    let foundation = Foundation::new(gradebook, scope, options, poll)?;
    let needs = Needs {
        piece_of_one: Needs::RECORDS.piece_of_one,
        ..Needs::NONE
    };
    needs.ask(&foundation.ledger, options.counting)?;
    Ok(trend::trend_line(student, &foundation, options, poll))
}

/// The assessments of which somebody has a response, a blank or an answer that waits as of the
/// date, with their number in the gradebook.
pub fn assessments(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<(u32, Assessment)>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    // A total beside its parts would pass for reliability.
    let ledger = Totals::find(&ledger, gradebook, poll)?.take_out_of(ledger, poll)?;
    // Per item a number and its moments, in tables that grow.
    let needs = Needs {
        unit: 16,
        item: 160,
        assessment: 3 * size_of::<Option<Assessment>>() + size_of::<(u64, u64)>(),
        ..Needs::NONE
    };
    needs.ask(&ledger, Counting::Effective)?;
    let rows = assessments::assessments(&ledger, poll)?;
    Ok((0..)
        .zip(rows)
        .filter_map(|(at, row)| Some((at, row?)))
        .collect())
}

/// What students left blank, wait for or have without a score that counts, by student, then by
/// assessment.
pub fn unmarked(gradebook: &Gradebook<'_>, scope: &Scope, poll: Poll<'_>) -> Result<Vec<Unmarked>> {
    Ok(Ledger::new(gradebook, scope, poll)?.unmarked)
}

/// Rows that sum up others and came in as students, in the gradebook's order.
pub fn summary_rows(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<SummaryRow>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    let ids = gradebook.students();
    let name_of = |student| kind_of_name(&ids.get(student).to_string());
    Ok(summary_rows::summary_rows(&ledger, &name_of, poll)?)
}

/// Due work without a response, by student, then by date.
pub fn missing_work<'p>(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    poll: Poll<'p>,
) -> Result<MissingWork<impl Iterator<Item = Missing> + use<'p>>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    Ok(due::missing_work(ledger, options.due_share, poll)?)
}

/// Rows by what became of them; every row of the source is in exactly one of the counts. The last
/// two are of the roster, where there is one.
pub fn coverage(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<(&'static str, u64)>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    let excluded = |reason: Exclusion| (reason.label(), gradebook.excluded().count(reason));
    let left = |reason: Left| (reason.label(), ledger.left_out.all().of(reason));
    let mut rows = vec![
        ("used", ledger.items.len() as u64),
        left(Left::Blank),
        left(Left::Waiting),
        left(Left::HeldBack),
        left(Left::NotTaken),
        left(Left::Exempt),
        left(Left::Excluded),
        excluded(Exclusion::NullId),
        excluded(Exclusion::NullDate),
        left(Left::BelowMin),
        left(Left::AboveMax),
        left(Left::NoMaxScore),
        excluded(Exclusion::BadScale),
        ("future", ledger.future),
        ("duplicate", ledger.duplicates),
        ("conflicting", ledger.conflicting),
        excluded(Exclusion::NotFinite),
    ];
    let roster = gradebook.roster();
    if !roster.is_empty() || roster.unusable() > 0 {
        rows.push(("roster", ledger.roster.periods().len() as u64));
        rows.push(("bad_roster", roster.unusable()));
    }
    Ok(rows)
}

/// Rows that do not count, by item and reason; those of no item have none. Of repeated rows, see
/// [`coverage`].
pub fn coverage_by_item(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<(Option<u32>, &'static str, u64)>> {
    let ledger = Ledger::new(gradebook, scope, poll)?;
    let excluded = gradebook.excluded();
    let mut by_item = excluded.by_item().iter().peekable();
    let mut rows = Vec::new();
    let mut add = |item, reason, count| {
        if count > 0 {
            memory::ask_for_more(&rows, 1)?;
            rows.push((item, reason, count));
        }
        memory::Result::Ok(())
    };
    for item in 0..gradebook.items().len() as u32 {
        let left = ledger.left_out.of_item(item);
        for reason in Left::ALL {
            add(Some(item), reason.label(), left.of(reason))?;
        }
        if let Some((_, counts)) = by_item.next_if(|(other, _)| *other == item) {
            for reason in Exclusion::ALL {
                add(Some(item), reason.label(), counts.of(reason))?;
            }
        }
    }
    for reason in Exclusion::ALL {
        add(None, reason.label(), excluded.without_item().of(reason))?;
    }
    Ok(rows)
}

/// What the past shows about the half-life; see [`half_life::advise`].
pub fn half_life_advice(
    gradebook: &Gradebook<'_>,
    scope: &Scope,
    options: &Checked<Options>,
    resampling: &Checked<Resampling>,
    poll: Poll<'_>,
) -> Result<Advice> {
    let foundation = Foundation::new(gradebook, scope, options, poll)?;
    // The times between pieces of evidence.
    let needs = Needs {
        unit: 3 * size_of::<f64>(),
        ..Needs::RECORDS
    };
    needs.ask(&foundation.ledger, options.counting)?;
    Ok(half_life::advise(&foundation, options, resampling, poll))
}
