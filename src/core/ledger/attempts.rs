//! Which whole attempt at an assessment counts, where a student made several.

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, Scale, Sitting};
use crate::ledger::observed::most_points;
use crate::ledger::scope::{Pick, Scope, Window};
use crate::memory;
use crate::statistics::pairs::sort;
use crate::statistics::rounding::ROUNDING;
use crate::time::DAY;

/// The longest break within a sitting.
const BREAK: u64 = DAY as u64 / 2;

/// Attempt and time of a row.
pub type Place = (Option<i64>, i64);

/// Whether two rows of a student and an assessment, of which the second follows by attempt and
/// time, are of one sitting: of the same attempt, or without attempts less than half a day apart,
/// as each answer may have its own time.
pub fn is_same_sitting(first: Place, second: Place) -> bool {
    match (first, second) {
        ((None, first), (None, second)) => second.abs_diff(first) < BREAK,
        ((first, _), (second, _)) => first == second,
    }
}

/// The sitting that counts of a student's several at an assessment.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    student: u32,
    assessment: u32,
    attempt: Option<i64>,
    /// When the sitting began and ended.
    span: (i64, i64),
    /// When the first of all sittings began.
    pub first_at: i64,
}

impl Choice {
    /// The student and the assessment.
    pub fn key(&self) -> (u32, u32) {
        (self.student, self.assessment)
    }

    /// Whether a row of that student and assessment is of the sitting.
    pub fn has(&self, (attempt, taken_at): Place) -> bool {
        let (begin, end) = self.span;
        attempt == self.attempt && (begin..=end).contains(&taken_at)
    }
}

/// A row of a student and an assessment.
#[derive(Clone, Copy)]
struct Row {
    taken_at: i64,
    attempt: Option<i64>,
    item: u32,
    /// In the unit of the score; none where it does not count.
    points: Option<f64>,
}

impl Row {
    fn place(&self) -> Place {
        (self.attempt, self.taken_at)
    }
}

/// The sittings that count, by student and assessment, of those who have several with a score;
/// empty where attempts are chosen question by question.
pub fn choose(
    gradebook: &Gradebook<'_>,
    window: &Window<'_>,
    scope: &Scope,
    poll: Poll<'_>,
) -> Result<Vec<Choice>> {
    let mut choices = Vec::new();
    if !scope.attempts.are_whole() {
        return Ok(choices);
    }
    let pick = scope.attempts.pick();
    let mut rows: Vec<Row> = Vec::new();
    let mut key = (0, 0);
    let most = most_points(gradebook, scope.reading, window, poll)?;
    let read = |mark: Mark| (scope.reading.points(mark), mark.scale);
    gradebook.visit(read, poll, |sitting: Sitting<'_, (Option<f64>, Scale)>| {
        if !window.sees(&sitting) {
            return Ok(());
        }
        if key != (sitting.student, sitting.assessment) {
            choices.extend(choice(key, &mut rows, pick, poll)?);
            memory::ask_for_more(&choices, 1)?;
            key = (sitting.student, sitting.assessment);
        }
        memory::ask_for_more(&rows, sitting.items.len())?;
        let answers = sitting.items.iter().zip(sitting.marks);
        rows.extend(answers.map(|(&item, (points, scale))| {
            // Where nobody had more than the least, the most is no maximum.
            let most = most.get(item as usize);
            let has_max =
                scale.max_score().is_some() || most.is_some_and(|most| *most > scale.min_score());
            Row {
                taken_at: sitting.taken_at,
                attempt: sitting.attempt,
                item,
                points: points.filter(|_| has_max && window.has_item(item)),
            }
        }));
        Ok(())
    })?;
    choices.extend(choice(key, &mut rows, pick, poll)?);
    Ok(choices)
}

/// The sitting that counts among rows in order of time, which are used up; none where there is no
/// choice.
fn choice(
    (student, assessment): (u32, u32),
    rows: &mut Vec<Row>,
    pick: Pick,
    poll: Poll<'_>,
) -> Result<Option<Choice>> {
    let Some(first_at) = rows.first().map(|row| row.taken_at) else {
        return Ok(None);
    };
    memory::ask((size_of::<Row>() + size_of::<Tried>()) * rows.len())?;
    sort(rows, |a, b| a.place().cmp(&b.place()), poll);
    let sittings = rows.chunk_by_mut(|a, b| is_same_sitting(a.place(), b.place()));
    let with_scores = sittings.filter(|rows| rows.iter().any(|row| row.points.is_some()));
    let mut sittings: Vec<Tried> = with_scores.map(|rows| Tried::new(rows, poll)).collect();
    rows.clear();
    sort(
        &mut sittings,
        |a, b| (a.span.0, a.attempt).cmp(&(b.span.0, b.attempt)),
        poll,
    );
    let chosen = match pick {
        Pick::First => sittings.first(),
        Pick::Last => sittings.last(),
        Pick::Best => sittings.iter().reduce(Tried::better),
    };
    let chosen = chosen.filter(|_| sittings.len() > 1);
    Ok(chosen.map(|chosen| Choice {
        student,
        assessment,
        attempt: chosen.attempt,
        span: chosen.span,
        first_at,
    }))
}

/// A sitting that has scores.
#[derive(Clone, Copy)]
struct Tried {
    attempt: Option<i64>,
    span: (i64, i64),
    /// Of each question the most, in the unit of the scores.
    points: f64,
}

impl Tried {
    /// From its rows in order of time.
    fn new(rows: &mut [Row], poll: Poll<'_>) -> Self {
        let attempt = rows[0].attempt;
        let span = (rows[0].taken_at, rows[rows.len() - 1].taken_at);
        let most_first = |a: &Row, b: &Row| {
            let points = |row: &Row| row.points.unwrap_or(f64::NEG_INFINITY);
            a.item.cmp(&b.item).then(points(b).total_cmp(&points(a)))
        };
        sort(rows, most_first, poll);
        let questions = rows.chunk_by(|a, b| a.item == b.item);
        Self {
            attempt,
            span,
            points: questions.filter_map(|rows| rows[0].points).sum(),
        }
    }

    /// The one with more points, of equal ones the earlier.
    fn better<'s>(earlier: &'s Self, later: &'s Self) -> &'s Self {
        // Sums in another order differ in the last digits.
        let slack = ROUNDING * earlier.points.abs().max(later.points.abs());
        match later.points - earlier.points > slack {
            true => later,
            false => earlier,
        }
    }
}
