//! The key of a school map.

use pg_assess_core::students::quadrant::Quadrant;

use super::frame::Frame;
use super::marks::Mark;
use crate::colour::{colour, hex};
use crate::draw::{Rect, Svg};
use crate::layout::{DARK, GREY, KEY_X, key_heading};

const CELLS: usize = 12;
const CELL: f64 = 11.0;
const SQUARE: Rect = Rect {
    x: KEY_X + 18.0,
    y: 170.0,
    w: CELL * CELLS as f64,
    h: CELL * CELLS as f64,
};

/// How to read colours, sizes and shapes.
pub fn draw(svg: &mut Svg, frame: &Frame, marks: &[Mark]) {
    key_heading(svg);
    colours(svg);
    shapes(svg, frame, marks);
}

/// The colours of all levels and changes, with the words of the corners.
fn colours(svg: &mut Svg) {
    let share = |i: usize| i as f64 / (CELLS - 1) as f64;
    for row in 0..CELLS {
        for column in 0..CELLS {
            let cell = Rect {
                x: SQUARE.x + column as f64 * CELL,
                y: SQUARE.y + row as f64 * CELL,
                w: CELL,
                h: CELL,
            };
            let fill = hex(colour(share(column), 1.0 - share(row)));
            svg.rect(
                cell,
                &format!("fill=\"{fill}\" shape-rendering=\"crispEdges\""),
            );
        }
    }
    let (above, below) = (SQUARE.y - 24.0, SQUARE.bottom() + 18.0);
    for quadrant in [
        Quadrant::LowRising,
        Quadrant::HighRising,
        Quadrant::LowFalling,
        Quadrant::HighFalling,
    ] {
        let (x, anchor) = match quadrant.is_low() {
            true => (SQUARE.x, "start"),
            false => (SQUARE.right(), "end"),
        };
        let y = if quadrant.is_falling() { below } else { above };
        let weight = if quadrant.rank() == 1 { 700 } else { 400 };
        let extra = format!("text-anchor=\"{anchor}\" font-weight=\"{weight}\" {DARK}");
        let (level, change) = quadrant.label().split_once(" and ").unwrap_or_default();
        svg.text(x, y, 13.0, &extra, &format!("{level} and"));
        svg.text(x, y + 16.0, 13.0, &extra, change);
    }
}

/// What sizes and shapes mean, of those that there are.
fn shapes(svg: &mut Svg, frame: &Frame, marks: &[Mark]) {
    let r = frame.r;
    let x = KEY_X + 12.0;
    let mut y = SQUARE.bottom() + 84.0;
    let mut entry = |svg: &mut Svg, shape: &dyn Fn(&mut Svg, f64), words: &str| {
        shape(svg, y);
        svg.text(KEY_X + 32.0, y + 4.5, 13.0, DARK, words);
        y += 28.0;
    };
    if marks.iter().any(|m| m.need.is_some()) {
        entry(
            svg,
            &|svg, y| svg.circle(x, y, r * 1.6, GREY),
            "larger: more in need",
        );
        entry(
            svg,
            &|svg, y| svg.circle(x, y, r, GREY),
            "smaller: less in need",
        );
    }
    if marks.iter().any(|m| m.named) {
        let edged = "fill=\"#666\" stroke=\"#111\" stroke-width=\"1.6\"";
        entry(
            svg,
            &|svg, y| svg.circle(x, y, r * 1.6, edged),
            "by name: most in need",
        );
    }
    if frame.strip.h > 0.0 {
        let ring = "fill=\"#fff\" stroke=\"#666\" stroke-width=\"2.4\"";
        entry(svg, &|svg, y| svg.circle(x, y, r, ring), "no trend yet");
    }
    if marks.iter().any(|m| m.beyond.is_some()) {
        entry(
            svg,
            &|svg, y| svg.triangle(x, y, r * 1.1, 0, GREY),
            "beyond the frame",
        );
    }
}
