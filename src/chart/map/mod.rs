//! The school map: one dot a student, current level across, change up and down.

mod frame;
mod key;
mod marks;
mod vega;

use serde::Deserialize;

use crate::draw::{Rect, Svg};
use crate::layout::{CENTRED, GREY, PLOT_WIDTH, PLOT_X, PLOT_Y, WIDTH, heading, usable};
use crate::names::{Dot, write_names};
use crate::rows::{Of, figure};
use crate::words::{shorten, students};
use frame::{Caption, Frame};
use marks::Mark;

const HEIGHT: f64 = 800.0;
const PLOT: Rect = Rect {
    x: PLOT_X,
    y: PLOT_Y,
    w: PLOT_WIDTH,
    h: 590.0,
};
/// So many of those most in need are called by name, if their need is worth it.
pub const NAMED: usize = 12;
const NEED_TO_NAME: f64 = 0.2;
const NAME_SIZE: f64 = 13.0;

/// The students of a school or group. Low is what lies below `mean`, that of the school where
/// these are one class of it; else below the [middle](pg_assess_core::students::quadrant::middle) of those
/// shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchoolMap {
    pub of: Of,
    /// Instead of the usual one.
    #[serde(default)]
    pub title: Option<String>,
    #[serde(deserialize_with = "figure")]
    pub mean: Option<f64>,
    pub points: Vec<MapPoint>,
}

/// One student on the map. Figures that are not finite count as unknown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapPoint {
    pub student: String,
    /// Current level, a share of the maximum (mostly 0 to 1, but it may lie outside).
    #[serde(deserialize_with = "figure")]
    pub level: Option<f64>,
    /// Change of the level in 30 days; unknown when there are too few dates for it.
    #[serde(deserialize_with = "figure")]
    pub change: Option<f64>,
    /// Probability of lying below the cut, 0 to 1.
    #[serde(deserialize_with = "figure")]
    pub need: Option<f64>,
}

impl SchoolMap {
    fn title(&self) -> String {
        match &self.title {
            Some(title) => title.clone(),
            None => self.of.title("who is low, who is falling?"),
        }
    }

    /// Draws the map.
    ///
    /// Students without a usable level are counted below the picture; those without a change lie
    /// as rings in a strip of their own; those far outside the others lie as triangles at the edge.
    pub fn svg(&self) -> String {
        let drawable: Vec<(&MapPoint, f64)> = self
            .points
            .iter()
            .filter_map(|p| usable(p.level).map(|level| (p, level)))
            .collect();
        let without_level = self.points.len() - drawable.len();
        let mut svg = self.opening(drawable.len());
        if drawable.is_empty() {
            let words = "There is no student with a level to show.";
            svg.text(WIDTH / 2.0, HEIGHT / 2.0, 20.0, CENTRED, words);
            footer(&mut svg, 0, without_level, 0);
            return svg.finish();
        }
        let frame = Frame::around(&drawable, usable(self.mean));
        let marks = frame.marks(drawable);
        let captions = frame.captions(&marks);
        frame.draw(&mut svg);
        for mark in &marks {
            mark.draw(&mut svg);
        }
        for caption in &captions {
            caption.draw(&mut svg);
        }
        call_by_name(&mut svg, &marks, &captions);
        key::draw(&mut svg, &frame, &marks);
        let beyond = marks.iter().filter(|m| m.beyond.is_some()).count();
        footer(&mut svg, marks.len(), without_level, beyond);
        svg.finish()
    }

    fn opening(&self, n: usize) -> Svg {
        let description = format!(
            "A map of {} by current level (across) and change (up and down).",
            students(n)
        );
        let words = "Each dot is one student: the further left, the lower now; the further down, \
                     the faster falling.";
        heading(WIDTH, HEIGHT, &self.title(), words, &description)
    }
}

fn call_by_name(svg: &mut Svg, marks: &[Mark], captions: &[Caption]) {
    let dots: Vec<Dot> = marks.iter().map(|m| m.dot).collect();
    let taken: Vec<Rect> = captions.iter().map(|c| c.place).collect();
    let names: Vec<(usize, String)> = marks
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, mark)| mark.named)
        .map(|(i, mark)| (i, shorten(mark.student, 26)))
        .collect();
    write_names(svg, &dots, &names, NAME_SIZE, PLOT, &taken);
}

fn footer(svg: &mut Svg, shown: usize, without_level: usize, beyond: usize) {
    let mut notes = format!("{} shown.", students(shown));
    if without_level > 0 {
        notes += &format!(" {} without a level not shown.", students(without_level));
    }
    if beyond > 0 {
        notes += &format!(" Drawn at the edge, as they lie beyond the frame: {beyond}.");
    }
    svg.text(40.0, HEIGHT - 16.0, 12.0, GREY, &notes);
}
