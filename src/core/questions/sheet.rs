//! What was entered of an assessment: a sheet of students and items, before anybody chooses what of
//! it counts.

use hashbrown::HashMap;

use crate::Poll;
use crate::gradebook::{Gradebook, Mark, Result, Scale, Sitting, State};
use crate::memory;

/// How far a score may lie beyond its scale, as a share of it. A bonus and a penalty are part of
/// what a total adds up; a code such as 999 is not.
const MOST_BEYOND: f64 = 1.0;

/// The points that were given for an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    pub lowest: f64,
    pub span: f64,
}

/// An answer to an item, by its place among the items.
#[derive(Clone, Copy)]
pub struct Cell {
    pub place: u32,
    /// On a scale of 1, but where the points are not known.
    pub score: f64,
}

/// Who got what for which item.
#[derive(Default)]
pub struct Sheet {
    /// Whether a student has several scores for an item.
    pub has_several: bool,
    pub items: Vec<u32>,
    /// None where there were several scales, each of more than a few scores.
    pub points: Vec<Option<Points>>,
    pub cells: Vec<Cell>,
    /// Per student: the first cell; one more at the end.
    pub starts: Vec<u32>,
}

impl Sheet {
    /// The cells of each student.
    pub fn students(&self) -> impl Iterator<Item = &[Cell]> {
        let ends = self.starts.windows(2);
        ends.map(|pair| &self.cells[pair[0] as usize..pair[1] as usize])
    }
}

/// Which of a student's scores for an item are entered, where there are several: a total may be
/// that of any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    First,
    Last,
    Best,
    /// All, with each sitting as a student.
    Sittings,
}

impl Entered {
    pub const ALL: [Self; 4] = [Self::First, Self::Last, Self::Best, Self::Sittings];

    /// Whether a score is entered in place of another of a student, by their times.
    fn takes(self, new: (i64, f64), old: (i64, f64)) -> bool {
        match self {
            Self::First => new.0 < old.0,
            Self::Last => new.0 >= old.0,
            Self::Best => new.1 > old.1,
            Self::Sittings => false,
        }
    }
}

/// The sheets of a gradebook as of a time, in microseconds since 2000-01-01. `number_of` numbers the
/// sheets from 0, and gives by assessment the one that it belongs to, if any; rows of other items
/// than those that `has_item` are passed over.
pub fn sheets(
    gradebook: &Gradebook<'_>,
    as_of: i64,
    entered: Entered,
    has_item: impl Fn(u32) -> bool,
    number_of: impl Fn(u32) -> Option<u32>,
    poll: Poll<'_>,
) -> Result<Vec<Sheet>> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut places = HashMap::new();
    gradebook.visit(
        |mark| mark,
        poll,
        |sitting| {
            let Some(number) = number_of(sitting.assessment) else {
                return Ok(());
            };
            if sitting.taken_at > as_of {
                return Ok(());
            }
            while drafts.len() <= number as usize {
                memory::ask_for_more(&drafts, 1)?;
                drafts.push(Draft::default());
            }
            drafts[number as usize].take(number, &sitting, entered, &has_item, &mut places)
        },
    )?;
    Ok(drafts.into_iter().map(Draft::finish).collect())
}

/// The places of items in their sheets, by the number of the sheet and the item.
type Places = HashMap<(u32, u32), u32>;

/// One score in so many may be on another scale than the others for its item: a slip of who entered
/// it.
const MOST_ON_ANOTHER: u32 = 20;

/// What is known of a column while it is written.
struct Column {
    /// The first two scales, with the scores that were given on them.
    scales: [(Scale, u32); 2],
    /// Scores on a third.
    on_others: u32,
    highest: f64,
    /// The line with the last score, its cell, and when it was given.
    line: u32,
    cell: u32,
    taken_at: i64,
}

impl Column {
    fn count(&mut self, mark: &Mark) {
        let [first, second] = &mut self.scales;
        if second.1 == 0 && mark.scale != first.0 {
            second.0 = mark.scale;
        }
        match mark.scale {
            scale if scale == first.0 => first.1 += 1,
            scale if scale == second.0 => second.1 += 1,
            _ => self.on_others += 1,
        }
        self.highest = self.highest.max(mark.score);
    }

    /// That of most scores.
    fn scale(&self) -> Scale {
        let [first, second] = self.scales;
        if second.1 > first.1 {
            second.0
        } else {
            first.0
        }
    }

    fn is_bounded(&self) -> bool {
        self.scale().max_score().is_some_and(f64::is_finite)
    }

    fn points(&self) -> Option<Points> {
        let [first, second] = self.scales.map(|scale| scale.1);
        let n = first + second + self.on_others;
        let lowest = self.scale().min_score();
        let highest = match self.is_bounded() {
            true => self.scale().max_score()?,
            false => self.highest,
        };
        let span = highest - lowest;
        let is_one = n - first.max(second) <= n / MOST_ON_ANOTHER;
        let is_known = is_one && span.is_finite() && span > 0.0;
        is_known.then_some(Points { lowest, span })
    }
}

/// A sheet that is being written.
#[derive(Default)]
struct Draft {
    sheet: Sheet,
    columns: Vec<Column>,
    student: Option<(u32, Option<i64>, i64)>,
}

impl Draft {
    fn take(
        &mut self,
        number: u32,
        rows: &Sitting<'_, Mark>,
        entered: Entered,
        has_item: &impl Fn(u32) -> bool,
        places: &mut Places,
    ) -> Result<()> {
        let Sheet {
            items,
            cells,
            starts,
            has_several,
            ..
        } = &mut self.sheet;
        memory::ask_for_more(cells, rows.items.len())?;
        let student = match entered {
            Entered::Sittings => (rows.student, rows.attempt, rows.taken_at),
            _ => (rows.student, None, 0),
        };
        if self.student != Some(student) {
            memory::ask_for_more(starts, 1)?;
            starts.push(cells.len() as u32);
            self.student = Some(student);
        }
        let line = starts.len() as u32;
        let mut next = 0;
        for (&item, mark) in rows.items.iter().zip(rows.marks) {
            let Some(score) = near_its_scale(mark).filter(|_| has_item(item)) else {
                continue;
            };
            if places.len() == places.capacity() {
                memory::ask(4 * size_of::<((u32, u32), u32)>() * (places.len() + 8))?;
            }
            // A student mostly has what the one before had.
            let place = match items.get(next as usize) {
                Some(&likely) if likely == item => next,
                _ => *places.entry((number, item)).or_insert(items.len() as u32),
            };
            next = place + 1;
            if place as usize == items.len() {
                memory::ask_for_more(items, 1)?;
                memory::ask_for_more(&self.columns, 1)?;
                items.push(item);
                self.columns.push(Column {
                    scales: [(mark.scale, 0); 2],
                    on_others: 0,
                    highest: f64::NEG_INFINITY,
                    line: u32::MAX,
                    cell: 0,
                    taken_at: 0,
                });
            }
            let column = &mut self.columns[place as usize];
            column.count(mark);
            if column.line != line {
                column.line = line;
                column.cell = cells.len() as u32;
                column.taken_at = rows.taken_at;
                cells.push(Cell { place, score });
                continue;
            }
            *has_several = true;
            let cell = &mut cells[column.cell as usize];
            let before = (column.taken_at, cell.score);
            if entered.takes((rows.taken_at, score), before) {
                column.taken_at = rows.taken_at;
                cell.score = score;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Sheet {
        let Sheet {
            points,
            cells,
            starts,
            ..
        } = &mut self.sheet;
        *points = self.columns.iter().map(Column::points).collect();
        for cell in cells.iter_mut() {
            let place = cell.place as usize;
            if let Some(points) = points[place].filter(|_| !self.columns[place].is_bounded()) {
                cell.score = (cell.score - points.lowest) / points.span;
            }
        }
        starts.push(cells.len() as u32);
        self.sheet
    }
}

/// A score on a scale of 1, or as it is where the scale has no end; none without a score, and where
/// it lies far beyond its scale.
fn near_its_scale(mark: &Mark) -> Option<f64> {
    if mark.state != State::Scored {
        return None;
    }
    let (min, max) = (mark.scale.min_score(), mark.scale.max_score());
    let Some(max) = max.filter(|max| max.is_finite()) else {
        return Some(mark.score);
    };
    let share = (mark.score - min) / (max - min);
    (-MOST_BEYOND..=1.0 + MOST_BEYOND)
        .contains(&share)
        .then_some(share)
}
