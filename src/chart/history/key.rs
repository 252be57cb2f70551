//! The key of a history, and how what it explains looks.

use super::{Standing, blue};
use crate::draw::Svg;
use crate::layout::{DARK, KEY_X, interval_bar, key_heading, usable};
use crate::words::fit;

pub const LEVEL: &str = "fill=\"#111\" stroke=\"#fff\" stroke-width=\"1.2\"";
pub const PRIOR: &str = "stroke=\"#888\" stroke-width=\"1.5\" stroke-dasharray=\"2 4\"";

/// The look of an assessment.
pub fn scored(opacity: &str) -> String {
    let blue = blue();
    format!("fill=\"{blue}\" fill-opacity=\"{opacity}\" stroke=\"{blue}\"")
}

pub fn trend_style(standing: &Standing) -> String {
    let (colour, dashes) = standing.trend_look();
    let mut style = format!(
        "stroke=\"{}\" stroke-width=\"3\" stroke-linecap=\"round\"",
        colour.unwrap_or("#555")
    );
    if let [long, short] = dashes {
        style += &format!(" stroke-dasharray=\"{long} {short}\"");
    }
    style
}

/// What of a history there is to explain, beside what is known of the student.
pub struct Shown {
    pub tests: bool,
    pub names: bool,
    pub line: bool,
}

/// How to read dots, names, lines and the band of what fades.
pub fn draw(svg: &mut Svg, standing: &Standing, shown: &Shown) {
    key_heading(svg);
    let (x, words_x) = (KEY_X + 14.0, KEY_X + 38.0);
    let mut y = 152.0;
    let mut entry = |svg: &mut Svg, shape: &dyn Fn(&mut Svg, f64), words: &[&str]| {
        shape(svg, y);
        for words in words {
            svg.text(words_x, y + 4.5, 13.0, DARK, words);
            y += 17.0;
        }
        y += 15.0;
    };
    let dot = |r: f64, opacity: f64| {
        move |svg: &mut Svg, y: f64| {
            svg.circle(x, y, r, &scored(&opacity.to_string()));
        }
    };
    if shown.tests {
        let words = ["an assessment; larger:", "more of the level"];
        entry(svg, &dot(11.0, 0.9), &words);
        entry(svg, &dot(6.0, 0.25), &["paler: older, counts less"]);
    }
    if shown.names {
        entry(svg, &|_, _| (), &["by name: those that", "count most"]);
    }
    if usable(standing.level).is_some() {
        let level = |svg: &mut Svg, y: f64| {
            interval_bar(svg, x, y - 16.0, y + 16.0);
            svg.diamond(x, y, 9.0, LEVEL);
        };
        entry(svg, &|_, _| (), &[]);
        entry(svg, &level, &["level now, with interval"]);
    }
    if usable(standing.prior).is_some() {
        let line = |svg: &mut Svg, y: f64| svg.line([(KEY_X, y), (KEY_X + 28.0, y)], PRIOR);
        entry(svg, &line, &["level expected without", "any score"]);
    }
    if shown.line {
        let style = trend_style(standing);
        let line = |svg: &mut Svg, y: f64| svg.line([(KEY_X, y), (KEY_X + 28.0, y)], &style);
        let words = format!("trend: {}", standing.trend.as_deref().unwrap_or_default());
        entry(svg, &line, &[&fit(&words, 13.0, 180.0)]);
    }
    if let Some(half_life) = standing.half_life() {
        let area = |svg: &mut Svg, y: f64| {
            let points = [
                (KEY_X, y + 7.0),
                (KEY_X + 28.0, y - 9.0),
                (KEY_X + 28.0, y + 7.0),
            ];
            svg.polyline(
                &points,
                &format!("fill=\"{}\" fill-opacity=\"0.35\"", blue()),
            );
        };
        let days = format!("one half after {:.0} days", half_life.min(1e9));
        entry(svg, &area, &["what time leaves of a score:", &days]);
    }
}
