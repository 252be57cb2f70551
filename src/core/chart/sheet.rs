//! The score sheet: students by questions of one assessment, what is below expectation marked.

use super::draw::{Rect, Svg, fit, percent, shorten};
use super::{GREY, heading, plain, students, text_width, usable};

/// A question of the sheet.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub label: &'a str,
    /// Mean score of all who answered it.
    pub facility: Option<f64>,
    /// The share of the maximum that is expected; otherwise it is the facility.
    pub pass_mark: Option<f64>,
    /// Whether its scores are shares of a maximum.
    pub bounded: bool,
}

/// What a student did on a question.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    pub score: Option<f64>,
    pub expected: Option<f64>,
    pub is_below: bool,
}

/// More than these are counted, not drawn.
pub const MOST_STUDENTS: usize = 60;
pub const MOST_QUESTIONS: usize = 40;

const CELL_W: f64 = 42.0;
const CELL_H: f64 = 22.0;
const SIZE: f64 = 13.0;
const HEAD_SIZE: f64 = 12.0;
const LEFT: f64 = 40.0;
const LEAST_WIDTH: f64 = 820.0;
/// The darker the lower, as on the school map.
const FAR_BELOW: &str = "#240b52";
const BELOW: &str = "#6a4fa3";
const NONE: &str = "#f0f0f0";
const DASH: &str = "text-anchor=\"middle\" fill=\"#666\"";

struct Row<'a> {
    label: &'a str,
    cells: &'a [Cell],
    total: Option<f64>,
}

/// Draws the sheet; `cells` are row by row, one row a student. Students come from the lowest
/// total, otherwise in the order in which they are given, as do questions.
pub fn score_sheet(
    labels: &[&str],
    questions: &[Question],
    cells: &[Cell],
    title: &str,
    words: &str,
) -> String {
    let width = questions.len().max(1);
    let mut rows: Vec<Row> = labels
        .iter()
        .zip(cells.chunks(width))
        .map(|(label, cells)| Row {
            label,
            cells,
            total: total(questions, cells),
        })
        .collect();
    rows.sort_by(|a, b| {
        let place = |row: &Row| row.total.unwrap_or(f64::INFINITY);
        let below = |row: &Row| row.cells.iter().filter(|c| c.is_below).count();
        place(a)
            .total_cmp(&place(b))
            .then_with(|| below(b).cmp(&below(a)))
    });
    let layout = Layout::of(&rows, questions);
    let below = cells.iter().filter(|c| c.is_below).count();
    let description = format!(
        "A table of scores in per cent: {} from the lowest total down, by {} questions. {below} \
         scores are below what was expected.",
        students(rows.len()),
        questions.len()
    );
    let mut svg = heading(layout.width, layout.height, title, words, &description);
    if rows.is_empty() || questions.is_empty() {
        let words = "There is no score to show.";
        let extra = "text-anchor=\"middle\" fill=\"#333\"";
        svg.text(layout.width / 2.0, layout.top + 20.0, 20.0, extra, words);
        return svg.finish();
    }
    layout.head(&mut svg, questions, &rows);
    for (at, row) in rows.iter().take(MOST_STUDENTS).enumerate() {
        layout.row(&mut svg, at, row, questions);
    }
    layout.grid(&mut svg);
    layout.foot(&mut svg, &rows, questions.len());
    svg.finish()
}

/// The mean score over the questions answered whose scores are shares.
fn total(questions: &[Question], cells: &[Cell]) -> Option<f64> {
    let scores = cells.iter().zip(questions).filter(|(_, q)| q.bounded);
    let (n, sum) = scores
        .filter_map(|(cell, _)| usable(cell.score))
        .fold((0.0, 0.0), |(n, sum), score| (n + 1.0, sum + score));
    (n > 0.0).then(|| sum / n)
}

/// A score as it stands in its cell.
fn figure(score: f64, bounded: bool) -> String {
    if bounded {
        return percent(score, 0);
    }
    let text = plain(score, score.abs());
    match text_width(&text, 12.0) <= CELL_W - 4.0 {
        true => text,
        false => format!("{score:.0e}").replace('-', "−"),
    }
}

/// What lies where.
struct Layout {
    names: f64,
    /// Where the first cell begins.
    x: f64,
    top: f64,
    /// Rows above those of students: the facilities, and pass marks where they differ.
    heads: usize,
    /// Students and questions that are drawn.
    rows: usize,
    columns: usize,
    turned: bool,
    width: f64,
    height: f64,
}

const TOTAL_W: f64 = 56.0;

impl Layout {
    fn of(rows: &[Row], questions: &[Question]) -> Self {
        let widest = |labels: &mut dyn Iterator<Item = &str>, size: f64, most: f64| {
            labels
                .map(|label| text_width(&fit(label, size, most), size))
                .fold(0.0, f64::max)
        };
        let mut names = rows.iter().take(MOST_STUDENTS).map(|row| row.label);
        let names = widest(&mut names, SIZE, 190.0).max(130.0) + 12.0;
        let columns = questions.len().min(MOST_QUESTIONS);
        let mut heads = questions.iter().take(columns).map(|q| q.label);
        let head = widest(&mut heads, HEAD_SIZE, 120.0);
        let turned = head > CELL_W - 4.0;
        let drawn = rows.len().min(MOST_STUDENTS);
        let top = 104.0 + if turned { head + 8.0 } else { 22.0 };
        let x = LEFT + names;
        let mut marks = questions.iter().filter(|q| q.bounded).map(|q| q.pass_mark);
        let first = marks.next().flatten();
        let heads = if marks.any(|mark| mark != first) {
            2
        } else {
            1
        };
        Self {
            names,
            x,
            top,
            heads,
            rows: drawn,
            columns,
            turned,
            width: (x + columns as f64 * CELL_W + TOTAL_W + 40.0).max(LEAST_WIDTH),
            // The key is below.
            height: top + (drawn + heads) as f64 * CELL_H + 92.0,
        }
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        Rect {
            x: self.x + column as f64 * CELL_W,
            y: self.top + row as f64 * CELL_H,
            w: CELL_W,
            h: CELL_H,
        }
    }

    fn right(&self) -> f64 {
        self.x + self.columns as f64 * CELL_W + TOTAL_W
    }

    fn bottom(&self) -> f64 {
        self.top + (self.rows + self.heads) as f64 * CELL_H
    }

    fn head(&self, svg: &mut Svg, questions: &[Question], rows: &[Row]) {
        for (column, question) in questions.iter().take(self.columns).enumerate() {
            let cell = self.cell(0, column);
            let x = cell.x + CELL_W / 2.0;
            let y = self.top - 8.0;
            let label = fit(question.label, HEAD_SIZE, 120.0);
            svg.group(&shorten(question.label, 80), |svg| {
                if self.turned {
                    let (x, y) = (x + 4.5, y);
                    let turned = format!("fill=\"#333\" transform=\"rotate(-90 {x:.1} {y:.1})\"");
                    svg.text(x, y, HEAD_SIZE, &turned, &label);
                } else {
                    svg.text(
                        x,
                        y,
                        HEAD_SIZE,
                        "text-anchor=\"middle\" fill=\"#333\"",
                        &label,
                    );
                }
            });
            // What somebody has set is shown with the decimal it may have.
            let marks = [question.facility, question.pass_mark];
            for (head, mark) in marks.into_iter().take(self.heads).enumerate() {
                if let Some(mark) = usable(mark).filter(|_| question.bounded) {
                    let words = percent(mark, head);
                    let words = words.strip_suffix(".0").unwrap_or(&words);
                    let extra = "text-anchor=\"middle\" fill=\"#555\" font-style=\"italic\"";
                    svg.text(x, self.cell(head, column).y + 15.5, 12.0, extra, words);
                }
            }
        }
        let extra = "fill=\"#555\" font-style=\"italic\"";
        for (head, words) in ["mean of all", "pass mark"]
            .into_iter()
            .take(self.heads)
            .enumerate()
        {
            svg.text(LEFT + 4.0, self.cell(head, 0).y + 15.5, 12.0, extra, words);
        }
        let bold = "text-anchor=\"middle\" font-weight=\"600\" fill=\"#333\"";
        let x = self.right() - TOTAL_W / 2.0;
        svg.text(x, self.top - 8.0, SIZE, bold, "total");
        let totals: Vec<f64> = rows.iter().filter_map(|row| row.total).collect();
        if !totals.is_empty() {
            let mean = totals.iter().sum::<f64>() / totals.len() as f64;
            let extra = "text-anchor=\"middle\" fill=\"#555\" font-style=\"italic\"";
            svg.text(x, self.top + 15.5, 12.0, extra, &percent(mean, 0));
        }
    }

    fn row(&self, svg: &mut Svg, at: usize, row: &Row, questions: &[Question]) {
        let y = self.cell(at + self.heads, 0).y;
        let name = fit(row.label, SIZE, self.names - 8.0);
        if name == row.label {
            svg.text(LEFT + 4.0, y + 15.5, SIZE, "fill=\"#111\"", &name);
        } else {
            svg.group(&shorten(row.label, 80), |svg| {
                svg.text(LEFT + 4.0, y + 15.5, SIZE, "fill=\"#111\"", &name);
            });
        }
        for (column, (cell, question)) in row
            .cells
            .iter()
            .zip(questions)
            .take(self.columns)
            .enumerate()
        {
            self.score(
                svg,
                self.cell(at + self.heads, column),
                cell,
                question.bounded,
            );
        }
        if let Some(total) = row.total {
            let bold = "text-anchor=\"middle\" font-weight=\"600\" fill=\"#111\"";
            let x = self.right() - TOTAL_W / 2.0;
            svg.text(x, y + 15.5, SIZE, bold, &percent(total, 0));
        }
    }

    fn score(&self, svg: &mut Svg, place: Rect, cell: &Cell, bounded: bool) {
        let x = place.x + CELL_W / 2.0;
        let y = place.y + 15.5;
        let Some(score) = usable(cell.score) else {
            svg.rect(place, &format!("fill=\"{NONE}\""));
            svg.text(x, y, 12.0, DASH, "–");
            return;
        };
        let words = figure(score, bounded);
        if !cell.is_below {
            svg.text(x, y, 12.0, "text-anchor=\"middle\" fill=\"#333\"", &words);
            return;
        }
        let far = cell.expected.is_some_and(|expected| score < expected / 2.0);
        let fill = if far { FAR_BELOW } else { BELOW };
        svg.rect(place, &format!("fill=\"{fill}\""));
        // The second mark, for whoever does not see the colour.
        svg.triangle(
            place.x + 7.0,
            place.y + CELL_H / 2.0,
            3.2,
            90,
            "fill=\"#fff\"",
        );
        let bold = "text-anchor=\"middle\" font-weight=\"600\" fill=\"#fff\"";
        svg.text(x + 5.0, y, 12.0, bold, &words);
    }

    fn grid(&self, svg: &mut Svg) {
        let stroke = "stroke=\"#d4d4d4\" stroke-width=\"0.8\"";
        for row in 0..=self.rows + self.heads {
            let y = self.top + row as f64 * CELL_H;
            // A stronger line above the students.
            let strong = "stroke=\"#777\" stroke-width=\"1.4\"";
            let style = if row == self.heads { strong } else { stroke };
            svg.line([(LEFT, y), (self.right(), y)], style);
        }
        for column in 0..=self.columns {
            let x = self.x + column as f64 * CELL_W;
            svg.line([(x, self.top), (x, self.bottom())], stroke);
        }
    }

    fn foot(&self, svg: &mut Svg, rows: &[Row], questions: usize) {
        let y = self.bottom() + 26.0;
        let mut x = LEFT;
        for (fill, words) in [
            (BELOW, "below what was expected"),
            (FAR_BELOW, "below one half of it"),
            (NONE, "no answer"),
        ] {
            let place = Rect {
                x,
                y: y - 12.0,
                w: 26.0,
                h: 16.0,
            };
            svg.rect(place, &format!("fill=\"{fill}\""));
            if fill == NONE {
                svg.text(x + 13.0, y, 12.0, DASH, "–");
            } else {
                svg.triangle(x + 13.0, y - 4.0, 3.2, 90, "fill=\"#fff\"");
            }
            svg.text(x + 34.0, y, 13.0, "fill=\"#333\"", words);
            x += 34.0 + text_width(words, 13.0) + 24.0;
        }
        let mut notes = format!("{} shown", students(self.rows));
        if let Some(next) = rows.get(self.rows) {
            notes += &format!(", and {} more", rows.len() - self.rows);
            if let Some(total) = next.total {
                notes += &format!(" with totals of {} % or above", percent(total, 0));
            }
        }
        notes += ".";
        if questions > self.columns {
            let more = questions - self.columns;
            notes += &format!(" The first {} questions, and {more} more.", self.columns);
        }
        svg.text(LEFT, y + 26.0, 12.0, GREY, &notes);
    }
}
