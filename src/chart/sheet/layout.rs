//! The score sheet, drawn: what lies where.

use pg_assess_core::students::quadrant::Quadrant;

use super::{Cell, MOST_QUESTIONS, MOST_STUDENTS, Question, Row};
use crate::colour::ink;
use crate::draw::{Rect, Svg};
use crate::layout::{CENTRED, DARK, GREY, usable};
use crate::words::{exact_percent, fit, percent, plain, shorten, students, text_width};

const CELL_W: f64 = 42.0;
const CELL_H: f64 = 22.0;
const SIZE: f64 = 13.0;
const HEAD_SIZE: f64 = 12.0;
const LEFT: f64 = 40.0;
const LEAST_WIDTH: f64 = 820.0;
const BELOW: &str = "#6a4fa3";
const NONE: &str = "#f0f0f0";
const MARK: &str = "text-anchor=\"middle\" fill=\"#555\" font-style=\"italic\"";
const DASH: &str = "text-anchor=\"middle\" fill=\"#666\"";

/// The darker the lower, as on the school map.
fn far_below() -> &'static str {
    ink(Quadrant::LowFalling)
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
pub struct Layout {
    names: f64,
    /// Where the first cell begins.
    x: f64,
    pub top: f64,
    /// Rows above those of students: the facilities, and pass marks where they differ.
    heads: usize,
    /// Students and questions that are drawn.
    rows: usize,
    columns: usize,
    turned: bool,
    pub width: f64,
    pub height: f64,
}

const TOTAL_W: f64 = 56.0;

impl Layout {
    pub fn of(rows: &[Row], questions: &[Question]) -> Self {
        let widest = |labels: &mut dyn Iterator<Item = &str>, size: f64, most: f64| {
            labels
                .map(|label| text_width(&fit(label, size, most), size))
                .fold(0.0, f64::max)
        };
        let mut names = rows.iter().take(MOST_STUDENTS).map(|row| row.label);
        let names = widest(&mut names, SIZE, 190.0).max(130.0) + 12.0;
        let columns = questions.len().min(MOST_QUESTIONS);
        let mut heads = questions.iter().take(columns).map(|q| q.item.as_str());
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

    pub fn head(&self, svg: &mut Svg, questions: &[Question], rows: &[Row]) {
        for (column, question) in questions.iter().take(self.columns).enumerate() {
            let cell = self.cell(0, column);
            let x = cell.x + CELL_W / 2.0;
            let y = self.top - 8.0;
            let label = fit(&question.item, HEAD_SIZE, 120.0);
            svg.group(&shorten(&question.item, 80), |svg| {
                if self.turned {
                    let (x, y) = (x + 4.5, y);
                    let turned = format!("fill=\"#333\" transform=\"rotate(-90 {x:.1} {y:.1})\"");
                    svg.text(x, y, HEAD_SIZE, &turned, &label);
                } else {
                    svg.text(x, y, HEAD_SIZE, CENTRED, &label);
                }
            });
            let share = |mark| usable(mark).filter(|_| question.bounded);
            let facility = share(question.facility).map(|mark| percent(mark, 0));
            let pass_mark = share(question.pass_mark).map(exact_percent);
            let marks = [facility, pass_mark].into_iter().take(self.heads);
            for (head, mark) in marks.enumerate() {
                if let Some(words) = mark {
                    svg.text(x, self.cell(head, column).y + 15.5, 12.0, MARK, &words);
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
            svg.text(x, self.top + 15.5, 12.0, MARK, &percent(mean, 0));
        }
    }

    pub fn row(&self, svg: &mut Svg, at: usize, row: &Row, questions: &[Question]) {
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
        if !cell.is_below() {
            svg.text(x, y, 12.0, CENTRED, &words);
            return;
        }
        let far = cell.expected.is_some_and(|expected| score < expected / 2.0);
        let fill = if far { far_below() } else { BELOW };
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

    pub fn grid(&self, svg: &mut Svg) {
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

    pub fn foot(&self, svg: &mut Svg, rows: &[Row], questions: usize) {
        let y = self.bottom() + 26.0;
        let mut x = LEFT;
        for (fill, words) in [
            (BELOW, "below what was expected"),
            (far_below(), "below one half of it"),
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
            svg.text(x + 34.0, y, 13.0, DARK, words);
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
