//! The score sheet: students by questions of one assessment, what is below expectation marked.

mod layout;

use serde::Deserialize;

use crate::layout::{CENTRED, heading, usable};
use crate::rows::{Of, figure};
use crate::words::{exact_percent, students};
use layout::Layout;

/// The scores of one assessment, of all students or of a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSheet {
    pub of: Of,
    pub assessment: String,
    pub questions: Vec<Question>,
    pub students: Vec<Student>,
}

/// A question of the sheet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub item: String,
    /// Mean score of all who answered it.
    #[serde(deserialize_with = "figure")]
    pub facility: Option<f64>,
    /// The share of the maximum that is expected; otherwise it is the facility.
    #[serde(deserialize_with = "figure")]
    pub pass_mark: Option<f64>,
    /// Whether its scores are shares of a maximum.
    pub bounded: bool,
}

/// A student, with a cell for each question.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Student {
    pub student: String,
    pub cells: Vec<Cell>,
}

/// What a student did on a question: written as a list, as there may be very many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Cell {
    #[serde(deserialize_with = "figure")]
    pub score: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub expected: Option<f64>,
    /// None where nothing is expected.
    pub is_below: Option<bool>,
}

impl Cell {
    fn is_below(&self) -> bool {
        self.is_below == Some(true)
    }
}

/// More than these are counted, not drawn.
pub const MOST_STUDENTS: usize = 60;
pub const MOST_QUESTIONS: usize = 40;

struct Row<'a> {
    label: &'a str,
    cells: &'a [Cell],
    total: Option<f64>,
}

impl ScoreSheet {
    fn title(&self) -> String {
        let words = format!("scores in assessment {}", self.assessment);
        self.of.title(&words)
    }

    /// What the figures are, and what is marked.
    fn words(&self) -> String {
        let bounded = self.questions.iter().filter(|question| question.bounded);
        let marks: Vec<Option<f64>> = bounded.map(|question| question.pass_mark).collect();
        if marks.is_empty() {
            return "Scores as they are: they have no maximum, hence no totals.".to_owned();
        }
        let mark = match marks[0] {
            _ if marks.iter().all(Option::is_none) => "mean of all students".to_owned(),
            _ if marks.contains(&None) => "pass mark, or else the mean".to_owned(),
            Some(mark) if marks.iter().all(|other| *other == Some(mark)) => {
                format!("pass mark of {} %", exact_percent(mark))
            }
            _ => "pass mark of the question".to_owned(),
        };
        format!("Per cent of the points, lowest totals first. Marked: below the {mark}.")
    }

    /// Draws the sheet. Students come from the lowest total, otherwise in the order in which they
    /// are given, as do questions.
    pub fn svg(&self) -> String {
        let rows = self.rows();
        let layout = Layout::of(&rows, &self.questions);
        let below = rows.iter().map(below).sum::<usize>();
        let description = format!(
            "A table of scores in per cent: {} from the lowest total down, by {} questions. \
             {below} scores are below what was expected.",
            students(rows.len()),
            self.questions.len()
        );
        let (title, words) = (self.title(), self.words());
        let mut svg = heading(layout.width, layout.height, &title, &words, &description);
        if rows.is_empty() || self.questions.is_empty() {
            let words = "There is no score to show.";
            svg.text(layout.width / 2.0, layout.top + 20.0, 20.0, CENTRED, words);
            return svg.finish();
        }
        layout.head(&mut svg, &self.questions, &rows);
        for (at, row) in rows.iter().take(MOST_STUDENTS).enumerate() {
            layout.row(&mut svg, at, row, &self.questions);
        }
        layout.grid(&mut svg);
        layout.foot(&mut svg, &rows, self.questions.len());
        svg.finish()
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row> = self
            .students
            .iter()
            .map(|student| Row {
                label: &student.student,
                cells: &student.cells,
                total: total(&self.questions, &student.cells),
            })
            .collect();
        rows.sort_by(|a, b| {
            let place = |row: &Row| row.total.unwrap_or(f64::INFINITY);
            place(a)
                .total_cmp(&place(b))
                .then_with(|| below(b).cmp(&below(a)))
        });
        rows
    }
}

fn below(row: &Row) -> usize {
    row.cells.iter().filter(|cell| cell.is_below()).count()
}

/// The mean score over the questions answered whose scores are shares.
fn total(questions: &[Question], cells: &[Cell]) -> Option<f64> {
    let scores = cells.iter().zip(questions).filter(|(_, q)| q.bounded);
    let (n, sum) = scores
        .filter_map(|(cell, _)| usable(cell.score))
        .fold((0.0, 0.0), |(n, sum), score| (n + 1.0, sum + score));
    (n > 0.0).then(|| sum / n)
}
