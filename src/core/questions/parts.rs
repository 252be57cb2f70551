//! The items of one assessment, and which of them add up others.

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};

/// Questions that a total adds up at least.
pub const LEAST_PARTS: usize = 3;
/// Distinct scores that a total has at least.
const LEAST_VALUES: usize = 4;
/// Students in whom the parts of a total differ from it and from each other at least. One question
/// after another that all say the same adds up, too.
const LEAST_STUDENTS: usize = 10;
/// How far a total may be from the line, on a scale of 1: whole percents are rounded by half of
/// one, and the line is fitted to what was rounded.
const TOLERANCE: f64 = 0.0075;
/// The least standard deviation of a total, and how far a part is off its own line at least to
/// differ from the total.
const LEAST_SPREAD: f64 = 4.0 * TOLERANCE;
/// One student in so many may be off the line of a total.
const MOST_OFF: usize = 20;
/// Times that a line is fitted again to the students that are nearest to it.
const CONCENTRATIONS: usize = 3;
/// Correlation with a sum below which it is not tried again.
const LEAST_CORRELATION: f64 = 0.7;
/// Items at most that are left out of a sum one after the other, as other totals may be in it.
const MOST_LEFT_OUT: usize = 8;

/// The points that were given for an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    pub lowest: f64,
    pub span: f64,
}

/// An answer to an item, by its place among the items.
#[derive(Clone, Copy)]
struct Cell {
    place: u32,
    score: f64,
}

/// Who answered what of an assessment.
pub struct Parts {
    items: Vec<u32>,
    points: Vec<Option<Points>>,
    cells: Vec<Cell>,
    /// Per student: the first cell; one more at the end.
    starts: Vec<u32>,
}

/// What others add up to for each student; none where there are too few of them.
type Sums = Vec<Option<f64>>;

impl Parts {
    /// Gathers the units of an assessment. `places` has an entry of `u32::MAX` per item, and has
    /// that again afterwards.
    pub fn gather(
        units: &[u32],
        ledger: &Ledger,
        places: &mut [u32],
        points: &dyn Fn(u32) -> Option<Points>,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let lengths = units
            .iter()
            .map(|&unit| ledger.responses_in(unit as usize).len());
        let cells: usize = lengths.sum();
        memory::ask(2 * size_of::<Cell>() * cells + 160 * units.len())?;
        let mut parts = Self {
            items: Vec::new(),
            points: Vec::new(),
            cells: Vec::with_capacity(cells),
            starts: vec![0],
        };
        for (at, &unit) in units.iter().enumerate() {
            if at % 1024 == 0 {
                poll();
            }
            for response in ledger.responses_in(unit as usize) {
                let item = ledger.items[response];
                let place = &mut places[item as usize];
                if *place == u32::MAX {
                    memory::ask_for_more(&parts.items, 1)?;
                    memory::ask_for_more(&parts.points, 1)?;
                    *place = parts.items.len() as u32;
                    parts.items.push(item);
                    parts.points.push(points(item));
                }
                parts.cells.push(Cell {
                    place: *place,
                    score: ledger.scores[response],
                });
            }
            parts.starts.push(parts.cells.len() as u32);
        }
        for &item in &parts.items {
            places[item as usize] = u32::MAX;
        }
        Ok(parts)
    }

    /// The totals among the items, with their answers. An item is one if, over the students with at
    /// least [`LEAST_PARTS`] others, but for one in twenty, it is within [`TOLERANCE`] of an
    /// increasing line through the sum of their points, the mean of their shares, or their points by
    /// those there were. As other totals are no parts, those that go best with the mean of all
    /// others are left out of the sum one after the other; and each alone, as a question may go with
    /// the others as well as a total does.
    pub fn totals(&self, poll: Poll<'_>) -> Vec<(u32, u64)> {
        let candidates = self.candidates(poll);
        let scores: Vec<Sums> = candidates
            .iter()
            .map(|&at| self.scores_of(at, poll))
            .collect();
        let mut is_total = vec![false; candidates.len()];
        let alone = 1..candidates.len();
        let together = (0..candidates.len()).map(|last| 0..last + 1);
        for left_out in together.chain(alone.map(|at| at..at + 1)) {
            let open = |at: &usize| !is_total[*at];
            let tried: Vec<usize> = left_out.clone().filter(open).collect();
            if tried.is_empty() || self.items.len() < left_out.len() + LEAST_PARTS {
                continue;
            }
            let mut is_part = vec![true; self.items.len()];
            for &place in &candidates[left_out] {
                is_part[place] = false;
            }
            let sums = self.sums(&is_part, poll);
            for at in tried {
                let on_line = sums.iter().find_map(|sums| on_line(sums, &scores[at]));
                is_total[at] =
                    on_line.is_some_and(|total| self.parts_differ(&is_part, &total, poll));
            }
        }
        let found = (0..candidates.len()).filter(|at| is_total[*at]);
        let answers = |at: usize| scores[at].iter().flatten().count() as u64;
        found
            .map(|at| (self.items[candidates[at]], answers(at)))
            .collect()
    }

    fn students(&self) -> impl Iterator<Item = &[Cell]> {
        let ends = self.starts.windows(2);
        ends.map(|pair| &self.cells[pair[0] as usize..pair[1] as usize])
    }

    /// The places of the items that go best with the mean of the others, the best first.
    fn candidates(&self, poll: Poll<'_>) -> Vec<usize> {
        let mut lines = vec![Line::default(); self.items.len()];
        for cells in self.students().filter(|cells| cells.len() > LEAST_PARTS) {
            poll();
            let sum: f64 = cells.iter().map(|cell| cell.score).sum();
            for cell in cells {
                let others = (sum - cell.score) / (cells.len() - 1) as f64;
                lines[cell.place as usize].add(others, cell.score);
            }
        }
        let mut ordered: Vec<(f64, usize)> = (0..self.items.len())
            .filter_map(|at| Some((lines[at].correlation()?, at)))
            .filter(|(r, _)| *r > 0.0)
            .collect();
        ordered.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then(self.items[a.1].cmp(&self.items[b.1]))
        });
        ordered.truncate(MOST_LEFT_OUT);
        ordered.into_iter().map(|(_, at)| at).collect()
    }

    fn scores_of(&self, place: usize, poll: Poll<'_>) -> Sums {
        poll();
        let score = |cells: &[Cell]| {
            let own = cells.iter().find(|cell| cell.place as usize == place);
            own.map(|cell| cell.score)
        };
        self.students().map(score).collect()
    }

    /// What the parts of each student add up to: the mean of their shares, and where the points
    /// are known also the points, and these by how many there were.
    fn sums(&self, is_part: &[bool], poll: Poll<'_>) -> Vec<Sums> {
        let are_known = (0..self.items.len()).all(|at| !is_part[at] || self.points[at].is_some());
        let mut sums = vec![Vec::with_capacity(self.starts.len()); if are_known { 3 } else { 1 }];
        for cells in self.students() {
            poll();
            let (mut n, mut shares, mut points, mut above, mut most) = (0, 0.0, 0.0, 0.0, 0.0);
            for cell in cells.iter().filter(|cell| is_part[cell.place as usize]) {
                n += 1;
                shares += cell.score;
                if let Some(own) = self.points[cell.place as usize] {
                    points += own.lowest + own.span * cell.score;
                    above += own.span * cell.score;
                    most += own.span;
                }
            }
            let all = [shares / f64::from(n), points, above / most];
            let enough = n as usize >= LEAST_PARTS;
            for (sums, sum) in sums.iter_mut().zip(all) {
                sums.push(enough.then_some(sum));
            }
        }
        sums
    }

    /// Whether parts say something else than the total, in enough of the students for whom it is
    /// one: not where all questions have but one thing to say.
    fn parts_differ(&self, is_part: &[bool], total: &Sums, poll: Poll<'_>) -> bool {
        let mut lines = vec![Line::default(); self.items.len()];
        for (cells, total) in self.students().zip(total) {
            poll();
            let Some(total) = total else { continue };
            for cell in cells {
                lines[cell.place as usize].add(*total, cell.score);
            }
        }
        let differs = |(cells, total): (&[Cell], &Option<f64>)| {
            let off = |cell: &Cell, total: f64| {
                let place = cell.place as usize;
                is_part[place] && lines[place].off(total, cell.score) > LEAST_SPREAD
            };
            total.is_some_and(|total| cells.iter().any(|cell| off(cell, total)))
        };
        let students = self.students().zip(total).filter(|both| differs(*both));
        students.take(LEAST_STUDENTS).count() == LEAST_STUDENTS
    }
}

/// The scores that are an increasing linear function of the sums, to rounding, where they take
/// several values. Few may be off it, as a mark that was changed by hand or the row of an export
/// that is no student: the line is that of least trimmed squares, by steps of concentration
/// (Rousseeuw and Van Driessen 2006).
fn on_line(sums: &Sums, scores: &Sums) -> Option<Sums> {
    let both = (0..).zip(sums.iter().zip(scores));
    let known = both.filter_map(|(student, (x, y))| Some((student, (*x)?, (*y)?)));
    let mut points: Vec<Point> = known.collect();
    let kept = points.len() - points.len() / MOST_OFF;
    if kept < LEAST_STUDENTS {
        return None;
    }
    let mut line = Line::through(&points);
    for _ in 0..CONCENTRATIONS {
        if line.correlation().is_none_or(|r| r < LEAST_CORRELATION) {
            return None;
        }
        let off = |point: &Point| line.off(point.1, point.2);
        points.select_nth_unstable_by(kept - 1, |a, b| {
            off(a).total_cmp(&off(b)).then(a.0.cmp(&b.0))
        });
        line = Line::through(&points[..kept]);
    }
    points.truncate(kept);
    let is_wide = line.yy >= line.n * LEAST_SPREAD.powi(2) && line.xy > 0.0;
    if !is_wide || points.iter().any(|(_, x, y)| line.off(*x, *y) > TOLERANCE) {
        return None;
    }
    let mut values: Vec<f64> = Vec::with_capacity(LEAST_VALUES);
    for (_, _, y) in &points {
        if values.len() < LEAST_VALUES && !values.contains(y) {
            values.push(*y);
        }
    }
    if values.len() < LEAST_VALUES {
        return None;
    }
    let mut on_it = vec![None; scores.len()];
    for (student, _, y) in points {
        on_it[student] = Some(y);
    }
    Some(on_it)
}

/// A student, what the parts add up to, and the score.
type Point = (usize, f64, f64);

/// A least-squares line, about running means (Chan, Golub and LeVeque 1983).
#[derive(Clone, Copy, Default)]
struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Line {
    fn through(points: &[Point]) -> Self {
        let mut line = Self::default();
        for (_, x, y) in points {
            line.add(*x, *y);
        }
        line
    }

    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        let (dx, dy) = (x - self.x, y - self.y);
        self.x += dx / self.n;
        self.y += dy / self.n;
        self.xx += dx * (x - self.x);
        self.yy += dy * (y - self.y);
        self.xy += dx * (y - self.y);
    }

    /// How far a point is off it.
    fn off(&self, x: f64, y: f64) -> f64 {
        let slope = if self.xx > 0.0 {
            self.xy / self.xx
        } else {
            0.0
        };
        (y - self.y - slope * (x - self.x)).abs()
    }

    fn correlation(&self) -> Option<f64> {
        let r = self.xy / (self.xx * self.yy).sqrt();
        r.is_finite().then_some(r)
    }
}
