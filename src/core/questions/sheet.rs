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
    pub items: Vec<u32>,
    /// None where there were several scales.
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

/// The sheets of a gradebook as of a time, in microseconds since 2000-01-01: of each student the
/// earliest score for an item. `number_of` numbers the sheets from 0, and gives by assessment the
/// one that it belongs to, if any.
pub fn sheets(
    gradebook: &Gradebook<'_>,
    as_of: i64,
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
            drafts[number as usize].take(number, &sitting, &mut places)
        },
    )?;
    Ok(drafts.into_iter().map(Draft::finish).collect())
}

/// The places of items in their sheets, by the number of the sheet and the item.
type Places = HashMap<(u32, u32), u32>;

/// What is known of a column while it is written.
struct Column {
    scale: Scale,
    /// Whether all scores were given on it.
    is_one: bool,
    highest: f64,
    /// The student with the last score.
    last: u32,
}

impl Column {
    fn is_bounded(&self) -> bool {
        self.scale.max_score().is_some_and(f64::is_finite)
    }

    fn points(&self) -> Option<Points> {
        let lowest = self.scale.min_score();
        let highest = match self.is_bounded() {
            true => self.scale.max_score()?,
            false => self.highest,
        };
        let span = highest - lowest;
        let is_known = self.is_one && span.is_finite() && span > 0.0;
        is_known.then_some(Points { lowest, span })
    }
}

/// A sheet that is being written.
#[derive(Default)]
struct Draft {
    sheet: Sheet,
    columns: Vec<Column>,
    student: Option<u32>,
}

impl Draft {
    fn take(&mut self, number: u32, rows: &Sitting<'_, Mark>, places: &mut Places) -> Result<()> {
        let Sheet {
            items,
            cells,
            starts,
            ..
        } = &mut self.sheet;
        memory::ask_for_more(cells, rows.items.len())?;
        if self.student != Some(rows.student) {
            memory::ask_for_more(starts, 1)?;
            starts.push(cells.len() as u32);
            self.student = Some(rows.student);
        }
        let mut next = 0;
        for (&item, mark) in rows.items.iter().zip(rows.marks) {
            let Some(score) = near_its_scale(mark) else {
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
                    scale: mark.scale,
                    is_one: true,
                    highest: f64::NEG_INFINITY,
                    last: u32::MAX,
                });
            }
            let column = &mut self.columns[place as usize];
            column.is_one &= column.scale == mark.scale;
            column.highest = column.highest.max(mark.score);
            if column.last != rows.student {
                column.last = rows.student;
                cells.push(Cell { place, score });
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
