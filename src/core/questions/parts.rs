//! Which items of a sheet add up others.

use crate::Poll;
use crate::memory;
use crate::questions::sheet::{Cell, Sheet};
use crate::statistics::rounding::ROUNDING;

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
/// One student in so many may be off the line of a total, and one in so many of those who have not
/// the most frequent score: where nearly everybody has everything right, these lie on any line.
const MOST_OFF: usize = 20;
const MOST_OFF_OF_OTHERS: usize = 10;
/// Times that a line is fitted again to the students that are nearest to it.
const CONCENTRATIONS: usize = 3;
/// Correlation with the mean of the others, and with a sum, below which nothing is tried.
const LEAST_CORRELATION: f64 = 0.7;
/// Items that may be totals, and items at most that are left out of a sum one after the other, as
/// a total need not add up all.
const MOST_LEFT_OUT: usize = 8;
/// Students at most with whom sums are tried.
const MOST_TRIED: usize = 512;
/// Ways to add up.
const MEASURES: usize = 3;

/// What others add up to for each student; none where there are too few of them.
type Sums = Vec<Option<f64>>;

impl Sheet {
    /// The totals among the items, with their answers. An item is one if, over the students with at
    /// least [`LEAST_PARTS`] others, but for one in twenty, it is within [`TOLERANCE`] of an
    /// increasing line through the sum of their points, the mean of their shares, or their points by
    /// those there were; of all other items, or of those that [`Sheet::added_up`] leaves.
    pub fn totals(&self, poll: Poll<'_>) -> memory::Result<Vec<(u32, u64)>> {
        memory::ask(
            160 * self.starts.len() + 200 * self.items.len() + size_of::<Cell>() * self.cells.len(),
        )?;
        let some = self.some();
        let mut totals = Vec::new();
        for place in self.candidates(poll) {
            let answers = (0..MEASURES).find_map(|measure| {
                let is_part = some.added_up(place, measure, poll)?;
                let left_out = is_part.iter().filter(|is_part| !**is_part).count() - 1;
                let scores = self.scores_of(place, poll);
                let sums = self.sums(&is_part, measure, poll)?;
                let total = on_line(&sums, &scores, LEAST_STUDENTS + left_out)?;
                self.parts_differ(&is_part, &total, poll)
                    .then(|| scores.iter().flatten().count() as u64)
            });
            totals.extend(answers.map(|answers| (self.items[place], answers)));
        }
        Ok(totals)
    }

    /// Which items the one at a place adds up; none where it adds up nothing. Of a sum with an item
    /// too many, what is off the line falls with that item. So the item with which it falls most is
    /// left out, one after the other.
    fn added_up(&self, place: usize, measure: usize, poll: Poll<'_>) -> Option<Vec<bool>> {
        let scores = self.scores_of(place, poll);
        let mut is_part = vec![true; self.items.len()];
        is_part[place] = false;
        let most_left_out = MOST_LEFT_OUT.min(self.items.len().checked_sub(LEAST_PARTS + 1)?);
        for left_out in 0..=most_left_out {
            let sums = self.sums(&is_part, measure, poll)?;
            if on_line(&sums, &scores, LEAST_STUDENTS + left_out).is_some() {
                return Some(is_part);
            }
            if left_out < most_left_out {
                let at = self.one_too_many(&is_part, &sums, &scores, poll)?;
                is_part[at] = false;
            }
        }
        None
    }

    /// The part with which the distances of the scores from their line on the sums fall most.
    fn one_too_many(
        &self,
        is_part: &[bool],
        sums: &Sums,
        scores: &Sums,
        poll: Poll<'_>,
    ) -> Option<usize> {
        let both = || sums.iter().zip(scores).map(|(x, y)| (*x).zip(*y));
        let mut line = Line::default();
        for (x, y) in both().flatten() {
            line.add(x, y);
        }
        let mut with_sum = vec![Line::default(); self.items.len()];
        let mut with_rest = with_sum.clone();
        for (cells, point) in self.students().zip(both()) {
            poll();
            let Some((x, y)) = point else { continue };
            for cell in cells.iter().filter(|cell| is_part[cell.place as usize]) {
                with_sum[cell.place as usize].add(x, cell.score);
                with_rest[cell.place as usize].add(cell.score, line.above(x, y));
            }
        }
        // The partial correlation, as items also go with the sum.
        let partial = |at: usize| {
            let (own, rest) = (&with_sum[at], &with_rest[at]);
            let r = rest.xy / (own.rest() * rest.yy).sqrt();
            // An item that says the same as the sum changes nothing.
            let differs = own.rest() > ROUNDING * own.yy && r.is_finite();
            differs.then_some((r, at))
        };
        let falls = (0..self.items.len()).filter_map(partial);
        let most = falls.min_by(|a, b| a.0.total_cmp(&b.0))?;
        (most.0 < 0.0).then_some(most.1)
    }

    /// Some of the students, evenly from among them, who are enough to try out what adds up.
    fn some(&self) -> Self {
        let step = self.students().count().div_ceil(MOST_TRIED).max(1);
        let mut some = Self {
            has_several: self.has_several,
            items: self.items.clone(),
            points: self.points.clone(),
            cells: Vec::new(),
            starts: vec![0],
        };
        for cells in self.students().step_by(step) {
            some.cells.extend_from_slice(cells);
            some.starts.push(some.cells.len() as u32);
        }
        some
    }

    /// The places of the items that go with the mean of the others, the best first.
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
            .filter(|(r, _)| *r >= LEAST_CORRELATION)
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

    /// What the parts of each student add up to by one of the [`MEASURES`]: the mean of their
    /// shares, the points, or these by how many there were; none where the points are not known.
    fn sums(&self, is_part: &[bool], measure: usize, poll: Poll<'_>) -> Option<Sums> {
        let are_known = (0..self.items.len()).all(|at| !is_part[at] || self.points[at].is_some());
        if measure > 0 && !are_known {
            return None;
        }
        let sum = |cells: &[Cell]| {
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
            let all: [f64; MEASURES] = [shares / f64::from(n), points, above / most];
            (n as usize >= LEAST_PARTS).then_some(all[measure])
        };
        Some(self.students().map(sum).collect())
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
/// several values, of at least so many students: one more for each item that was chosen to be left
/// out, as a choice among many fits a few. Few may be off it, as a mark that was changed by hand or
/// the row of an export that is no student: the line is that of least trimmed squares, by steps of
/// concentration (Rousseeuw and Van Driessen 2006).
fn on_line(sums: &Sums, scores: &Sums, least: usize) -> Option<Sums> {
    let both = (0..).zip(sums.iter().zip(scores));
    let known = both.filter_map(|(student, (x, y))| Some((student, (*x)?, (*y)?)));
    let mut points: Vec<Point> = known.collect();
    let others = points.len() - most_frequent(&points);
    let kept = points.len() - (points.len() / MOST_OFF).min(others / MOST_OFF_OF_OTHERS);
    if kept < least {
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

/// How many have the score that most have.
fn most_frequent(points: &[Point]) -> usize {
    let mut scores: Vec<f64> = points.iter().map(|point| point.2).collect();
    scores.sort_unstable_by(f64::total_cmp);
    let runs = scores.chunk_by(|a, b| a == b).map(<[f64]>::len);
    runs.max().unwrap_or(0)
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

    /// How far a point is above it.
    fn above(&self, x: f64, y: f64) -> f64 {
        let slope = if self.xx > 0.0 {
            self.xy / self.xx
        } else {
            0.0
        };
        y - self.y - slope * (x - self.x)
    }

    /// How far a point is off it.
    fn off(&self, x: f64, y: f64) -> f64 {
        self.above(x, y).abs()
    }

    /// The squares that it leaves.
    fn rest(&self) -> f64 {
        self.yy - self.xy.powi(2) / self.xx
    }

    fn correlation(&self) -> Option<f64> {
        let r = self.xy / (self.xx * self.yy).sqrt();
        r.is_finite().then_some(r)
    }
}
