//! Is a trend more than chance, and does it last?
//!
//! Chance: each student's dates are shuffled among that student's scores. Nothing is left to see,
//! so whatever is labelled then is labelled wrongly. Lasting: of those labelled on a day, how many
//! have lower (or higher) difficulty-adjusted scores after it than before.

use pg_assess_test_support::solve::{self, Asked};
use std::collections::HashMap;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::difficulty::Difficulty;
use pg_assess_core::students::student::Student;
use pg_assess_core::students::trend::Direction;
use pg_assess_core::time::DAY;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::{Course, number_of};
use crate::statistics::{Count, mean};
use pg_assess_test_support::{OwnRow, go, gradebook};

/// The day on which one looks.
pub const DAY_OF_LOOKING: i64 = 180;
/// Dates from which a student is compared with what came later.
pub const DATES: usize = 8;
/// Shuffles of every course.
const SHUFFLES: u64 = 4;

/// How far a trend looks back, and when one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// On [`DAY_OF_LOOKING`], with the default window.
    Default,
    /// After the end of the course, over everything.
    Whole,
}

impl View {
    fn options(self) -> Asked {
        match self {
            Self::Default => Asked {
                as_of: Some(DAY_OF_LOOKING * DAY),
                ..Asked::default()
            },
            Self::Whole => Asked::default().with(|own| own.trend_window = None),
        }
    }
}

/// Labels of one course's students who have dates enough for any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labels {
    pub falling: Count,
    pub rising: Count,
    pub steady: Count,
}

impl Labels {
    fn add(&mut self, direction: Direction) {
        let is = |label| f64::from(direction == label);
        self.falling.add(is(Direction::Falling));
        self.rising.add(is(Direction::Rising));
        self.steady.add(is(Direction::Steady));
    }

    /// Falling or rising.
    pub fn moving(&self) -> f64 {
        self.falling.share() + self.rising.share()
    }

    /// Several courses as one.
    pub fn pool<'a>(labels: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for labels in labels {
            sum.falling += labels.falling;
            sum.rising += labels.rising;
            sum.steady += labels.steady;
        }
        sum
    }
}

/// Labels as the data are, and with each student's dates shuffled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chance {
    pub real: Labels,
    pub shuffled: Labels,
}

/// Per course, the labels on real and on shuffled dates.
pub fn chance(courses: &[Course], view: View) -> Vec<Chance> {
    courses
        .iter()
        .map(|course| {
            let options = view.options();
            let seen = |row: &&OwnRow| row.taken_at <= options.as_of.or(Some(i64::MAX));
            let mut rows: Vec<OwnRow> = course.rows.iter().filter(seen).cloned().collect();
            // A student's rows together, so that they can be shuffled as a slice.
            rows.sort_by(|a, b| a.student.cmp(&b.student));
            let mut chance = Chance::default();
            label(&rows, &options, &mut chance.real);
            for seed in 0..SHUFFLES {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                for own in rows.chunk_by_mut(|a, b| a.student == b.student) {
                    let mut dates: Vec<_> = own.iter().map(|row| row.taken_at).collect();
                    dates.shuffle(&mut rng);
                    for (row, date) in own.iter_mut().zip(dates) {
                        row.taken_at = date;
                    }
                }
                label(&rows, &options, &mut chance.shuffled);
            }
            chance
        })
        .collect()
}

/// The labels of students with dates enough.
fn label(rows: &[OwnRow], options: &Asked, labels: &mut Labels) {
    let mut days: HashMap<i64, Vec<i64>> = HashMap::new();
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for row in rows.iter().filter(|row| row.score.is_some()) {
        let day = row.taken_at.expect("a date") / DAY;
        let student = number_of(row.student.as_ref().expect("a student").id());
        days.entry(student).or_default().push(day);
    }
    for student in solve::students(&book, options, &go).expect("students") {
        let id = number_of(book.students().get(student.student));
        let mut days = days.remove(&id).unwrap_or_default();
        days.sort_unstable();
        days.dedup();
        let span = days
            .last()
            .zip(days.first())
            .map_or(0, |(last, first)| last - first);
        if days.len() as u64 >= options.trend_min_dates && span as f64 >= options.trend_min_span {
            labels.add(student.trend.direction);
        }
    }
}

/// What became of one student who had at least [`DATES`] dates and scores after them.
#[derive(Debug, Clone, Copy)]
pub struct Future {
    pub direction: Direction,
    /// Mean adjusted score after the day of looking less that before.
    pub change: f64,
}

/// Per course, what became of those labelled on the day of looking.
pub fn futures(courses: &[Course]) -> Vec<Vec<Future>> {
    courses
        .iter()
        .map(|course| {
            let bytes = course.gradebook();
            let book = Gradebook::open(&bytes).expect("a gradebook");
            let options = View::Default.options();
            let students = solve::students(&book, &options, &go).expect("students");
            // How hard a test was is known best from the whole course.
            let ledger = solve::ledger(&book, &Options::default(), &go).expect("a ledger");
            let difficulty = Difficulty::fit(&ledger, true, &go);
            let future = |student: &Student| {
                let (mut before, mut after, mut dates) = (Vec::new(), Vec::new(), Vec::new());
                for unit in ledger.units_of(student.student as usize) {
                    let day = ledger.unit(unit).taken_at / DAY;
                    let adjusted = ledger.responses_in(unit);
                    let adjusted = adjusted.map(|at| difficulty.adjusted(&ledger, at));
                    if day <= DAY_OF_LOOKING {
                        dates.push(day);
                        before.extend(adjusted);
                    } else {
                        after.extend(adjusted);
                    }
                }
                dates.sort_unstable();
                dates.dedup();
                (dates.len() >= DATES && !after.is_empty()).then(|| Future {
                    direction: student.trend.direction,
                    change: mean(after) - mean(before),
                })
            };
            students.iter().filter_map(future).collect()
        })
        .collect()
}

/// How many of those with a label changed the way `went` says, and how many had the label.
pub fn lasting<'a>(
    futures: impl IntoIterator<Item = &'a Future>,
    label: Option<Direction>,
    went: fn(f64) -> bool,
) -> Count {
    let mut count = Count::default();
    for future in futures {
        if label.is_none_or(|label| label == future.direction) {
            count.add(f64::from(went(future.change)));
        }
    }
    count
}
