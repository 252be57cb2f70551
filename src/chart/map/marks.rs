//! The students of a school map as they are drawn.

use pg_assess_core::students::quadrant::Quadrant;

use crate::draw::{Rect, Svg};
use crate::layout::WIDTH;
use crate::names::Dot;
use crate::words::{percent, shorten, signed_percent};

/// A student as drawn.
pub struct Mark<'a> {
    pub student: &'a str,
    pub level: f64,
    pub change: Option<f64>,
    pub need: Option<f64>,
    pub quadrant: Option<Quadrant>,
    /// The direction in which the student lies beyond the frame, clockwise from the right.
    pub beyond: Option<u16>,
    pub named: bool,
    pub fill: String,
    pub dot: Dot,
}

impl Mark<'_> {
    pub fn draw(&self, svg: &mut Svg) {
        let Dot { x, y, r } = self.dot;
        let fill = &self.fill;
        let edge = if self.named {
            "stroke=\"#111\" stroke-width=\"1.6\""
        } else {
            "stroke=\"#fff\" stroke-width=\"0.8\""
        };
        svg.group(&self.tooltip(), |svg| match (self.beyond, self.change) {
            (Some(degrees), _) => {
                svg.triangle(x, y, r * 1.1, degrees, &format!("fill=\"{fill}\" {edge}"));
            }
            (None, Some(_)) => {
                svg.circle(
                    x,
                    y,
                    r,
                    &format!("fill=\"{fill}\" fill-opacity=\"0.88\" {edge}"),
                );
            }
            (None, None) => {
                let ring = format!("fill=\"#fff\" stroke=\"{fill}\" stroke-width=\"2.4\"");
                svg.circle(x, y, r - 0.8, &ring);
                if self.named {
                    svg.circle(x, y, r + 1.0, "fill=\"none\" stroke=\"#111\"");
                }
            }
        });
    }

    fn tooltip(&self) -> String {
        let mut text = format!(
            "{}: level {} %",
            shorten(self.student, 80),
            percent(self.level, 0)
        );
        match self.change {
            Some(change) => {
                text += &format!(", {} points in 30 days", signed_percent(change, 1));
            }
            None => text += ", no trend yet",
        }
        if let Some(need) = self.need {
            text += &format!(", need {} %", percent(need, 0));
        }
        text
    }
}

/// Sets dots of about the same level above and below one another, as far as the strip is high.
pub struct Stack {
    middle: f64,
    rows: usize,
    step: f64,
    taken: Vec<usize>,
}

impl Stack {
    pub fn new(strip: Rect, r: f64) -> Self {
        let step = 3.2 * r;
        // An odd number, with room for the caption above.
        let rows = ((strip.h - 44.0).max(0.0) / step) as usize | 1;
        let columns = (WIDTH / step) as usize + 1;
        Stack {
            middle: strip.y + strip.h / 2.0 + 3.0,
            rows,
            step,
            taken: vec![0; columns],
        }
    }

    pub fn next(&mut self, x: f64) -> f64 {
        let column = ((x / self.step) as usize).min(self.taken.len() - 1);
        let row = self.taken[column] % self.rows;
        self.taken[column] += 1;
        let side = if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        self.middle + side * row.div_ceil(2) as f64 * self.step
    }
}
