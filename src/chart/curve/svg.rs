//! The curve of a question, drawn.

use super::{Group, ItemCurve};
use crate::colour::{colour, hex};
use crate::draw::{Rect, Svg};
use crate::layout::{
    Axis, CENTRED, DARK, GREY, KEY_X, PLOT_FRAME, PLOT_WIDTH, PLOT_X, PLOT_Y, WIDTH, any_range,
    heading, interval_bar, key_heading, level_axis, score_axis, unit_range, usable,
};
use crate::words::{percent, score, students, text_width};

const HEIGHT: f64 = 640.0;
const PLOT: Rect = Rect {
    x: PLOT_X,
    y: PLOT_Y,
    w: PLOT_WIDTH,
    h: 430.0,
};
const EXPECTED: &str = "fill=\"none\" stroke=\"#666\" stroke-width=\"2\" stroke-dasharray=\"7 5\"";
const CURVE: &str = "fill=\"none\" stroke=\"#555\" stroke-width=\"1.6\"";
const COUNT: &str = "text-anchor=\"middle\" class=\"halo\" fill=\"#555\"";

/// A group that can be drawn.
struct Dot<'a> {
    group: &'a Group,
    level: f64,
    score: f64,
    /// From 0, the lowest, to 1.
    share: f64,
}

impl ItemCurve {
    /// Draws the curve.
    pub fn svg(&self) -> String {
        let bounded = self.is_bounded();
        let dots = self.dots();
        let students_of = |dot: &Dot| dot.group.students;
        let n = dots.iter().map(students_of).fold(0, u64::saturating_add);
        let mut svg = self.opening(&dots, n);
        let (Some(first), Some(last)) = (dots.first(), dots.last()) else {
            let words = "There is no answer of a student with a level to show.";
            svg.text(WIDTH / 2.0, HEIGHT / 2.0, 20.0, CENTRED, words);
            return svg.finish();
        };
        let range = last.level - first.level;
        let pad = (range * 0.06).max((0.1 - range) / 2.0);
        let levels = Axis {
            lo: first.level - pad,
            hi: last.level + pad,
            from: PLOT.x,
            to: PLOT.right(),
        };
        let scores = score_scale(&dots, bounded);
        frame(&mut svg, &levels, &scores, bounded);
        let has_expected = draw_expected(&mut svg, &dots, &levels, &scores);
        draw_groups(&mut svg, &dots, &levels, &scores, bounded);
        let has_intervals = dots.iter().any(|dot| dot.group.ci_low.is_some());
        key(&mut svg, has_intervals, has_expected);
        let words = format!("{} answered it.", students(n as usize));
        svg.text(40.0, HEIGHT - 16.0, 12.0, GREY, &words);
        svg.finish()
    }

    fn dots(&self) -> Vec<Dot<'_>> {
        let mut dots: Vec<Dot> = self
            .groups
            .iter()
            .filter_map(|group| {
                let (level, score) = usable(group.level).zip(usable(group.score))?;
                Some(Dot {
                    group,
                    level,
                    score,
                    share: 0.5,
                })
            })
            .collect();
        if dots.len() > 1 {
            let last = (dots.len() - 1) as f64;
            for (i, dot) in dots.iter_mut().enumerate() {
                dot.share = i as f64 / last;
            }
        }
        dots
    }

    fn opening(&self, dots: &[Dot], n: u64) -> Svg {
        let bounded = self.is_bounded();
        let scores: Vec<String> = dots.iter().map(|dot| score(dot.score, bounded)).collect();
        let description = format!(
            "Mean score on a question by level, for {} in {} groups from low to high: {}.",
            students(n as usize),
            dots.len(),
            scores.join(", ")
        );
        heading(WIDTH, HEIGHT, &self.title(), &self.words(), &description)
    }
}

/// The counts of students stand below the lowest score.
fn score_scale(dots: &[Dot], bounded: bool) -> Axis {
    let figures = dots.iter().flat_map(|dot| {
        let group = dot.group;
        [Some(dot.score), group.expected, group.ci_low, group.ci_high]
            .into_iter()
            .filter_map(usable)
    });
    let (lo, hi) = match bounded {
        true => unit_range(figures),
        false => any_range(figures.collect()),
    };
    Axis {
        lo,
        hi,
        from: PLOT.bottom() - 24.0,
        to: PLOT.y,
    }
}

fn frame(svg: &mut Svg, levels: &Axis, scores: &Axis, bounded: bool) {
    svg.rect(PLOT, PLOT_FRAME);
    let words = match bounded {
        true => "Mean score, in per cent of the points",
        false => "Mean score",
    };
    score_axis(svg, PLOT, scores, bounded, words);
    let words = "← lower \u{a0} Current level of the students, in per cent \u{a0} higher →";
    level_axis(svg, PLOT, levels, words);
}

/// Whether there is anything expected.
fn draw_expected(svg: &mut Svg, dots: &[Dot], levels: &Axis, scores: &Axis) -> bool {
    let expected: Vec<(f64, f64)> = dots
        .iter()
        .filter_map(|dot| {
            let expected = usable(dot.group.expected)?;
            Some((levels.at(dot.level), scores.at(expected)))
        })
        .collect();
    if !expected.is_empty() {
        svg.polyline(&expected, EXPECTED);
    }
    !expected.is_empty()
}

fn draw_groups(svg: &mut Svg, dots: &[Dot], levels: &Axis, scores: &Axis, bounded: bool) {
    let place = |dot: &Dot| (levels.at(dot.level), scores.at(dot.score));
    let curve: Vec<(f64, f64)> = dots.iter().map(place).collect();
    svg.polyline(&curve, CURVE);
    let mut free_from = f64::NEG_INFINITY;
    for (dot, &(x, y)) in dots.iter().zip(&curve) {
        let group = dot.group;
        svg.group(&tooltip(dot, bounded), |svg| {
            if let Some((low, high)) = usable(group.ci_low).zip(usable(group.ci_high)) {
                interval_bar(svg, x, scores.at(low), scores.at(high));
            }
            svg.circle(x, y, 7.5, &edged(dot.share));
        });
        // How many students stand behind it, where there is room to say so.
        let count = group.students.to_string();
        let half = text_width(&count, 12.0) / 2.0 + 3.0;
        if x - half >= free_from {
            svg.text(x, PLOT.bottom() - 8.0, 12.0, COUNT, &count);
            free_from = x + half;
        }
    }
}

/// The look of a group, by its share on the way from low to high.
fn edged(share: f64) -> String {
    let fill = hex(colour(share, share));
    format!("fill=\"{fill}\" stroke=\"#111\" stroke-width=\"1.2\"")
}

fn tooltip(dot: &Dot, bounded: bool) -> String {
    let group = dot.group;
    let level = |level| usable(level).map_or("?".to_owned(), |level| percent(level, 0));
    let mut text = format!(
        "{} of level {} to {} %: mean score {}",
        students(group.students as usize),
        level(group.lowest),
        level(group.highest),
        score(dot.score, bounded)
    );
    if let Some((low, high)) = usable(group.ci_low).zip(usable(group.ci_high)) {
        text += &format!(" ({} to {})", score(low, bounded), score(high, bounded));
    }
    if let Some(expected) = usable(group.expected) {
        text += &format!(", expected {}", score(expected, bounded));
    }
    text
}

fn key(svg: &mut Svg, has_intervals: bool, has_expected: bool) {
    key_heading(svg);
    let (x, words_x) = (KEY_X + 14.0, KEY_X + 38.0);
    let mut y = 152.0;
    for (share, words) in [
        (0.0, "students of low level"),
        (1.0, "students of high level"),
    ] {
        svg.circle(x, y, 7.5, &edged(share));
        svg.text(words_x, y + 4.5, 13.0, DARK, words);
        y += 30.0;
    }
    if has_intervals {
        interval_bar(svg, x, y - 10.0, y + 10.0);
        svg.text(words_x, y + 4.5, 13.0, DARK, "interval of the mean");
        y += 34.0;
    }
    svg.text(x, y + 4.5, 12.0, COUNT, "12");
    svg.text(words_x, y + 4.5, 13.0, DARK, "students in the group");
    y += 34.0;
    let mut advice = vec!["A good question rises from", "left to right"];
    if has_expected {
        svg.line([(KEY_X, y), (KEY_X + 28.0, y)], EXPECTED);
        for words in [
            "expected of a question as",
            "hard that separates as the",
            "average one does",
        ] {
            svg.text(words_x, y + 4.5, 13.0, DARK, words);
            y += 17.0;
        }
        y += 17.0;
        advice[1] = "left to right, more steeply";
        advice.push("than the dashed line.");
    }
    advice.push("One that falls misleads.");
    for words in advice {
        svg.text(KEY_X, y, 13.0, GREY, words);
        y += 17.0;
    }
}
