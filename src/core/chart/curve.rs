//! The curve of a question: how well students of each level do on it.

use super::colour::{colour, hex};
use super::draw::{Axis, Rect, Svg, percent};
use super::{
    CENTRED, DARK, GREY, KEY_X, TICK, WIDTH, core_range, heading, plain, score_axis, students,
    unit_range, usable,
};
use crate::curve::LevelGroup;

const HEIGHT: f64 = 640.0;
const PLOT: Rect = Rect {
    x: 92.0,
    y: 104.0,
    w: 836.0,
    h: 430.0,
};

/// Draws the curve. `bounded` says that scores are shares; `words` tell below the title what else
/// is known of the question.
pub fn item_curve(groups: &[LevelGroup], bounded: bool, title: &str, words: &str) -> String {
    let is_usable =
        |g: &&LevelGroup| usable(Some(g.level)).is_some() && usable(Some(g.score)).is_some();
    let groups: Vec<&LevelGroup> = groups.iter().filter(is_usable).collect();
    let n: u64 = groups.iter().map(|g| g.students).sum();
    let description = format!(
        "Mean score on a question by level, for {} in {} groups from low to high: {}.",
        students(n as usize),
        groups.len(),
        groups
            .iter()
            .map(|g| figure(g.score, bounded))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut svg = heading(WIDTH, HEIGHT, title, words, &description);
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
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
    let figures = groups.iter().flat_map(|g| {
        [Some(g.score), g.expected, g.ci_low, g.ci_high]
            .into_iter()
            .filter_map(usable)
    });
    let (lo, hi) = match bounded {
        true => unit_range(figures),
        false => any_range(figures.collect()),
    };
    // The counts of students stand below the lowest score.
    let scores = Axis {
        lo,
        hi,
        from: PLOT.bottom() - 24.0,
        to: PLOT.y,
    };
    frame(&mut svg, &levels, &scores, bounded);

    let expected: Vec<(f64, f64)> = groups
        .iter()
        .filter_map(|g| Some((levels.at(g.level), scores.at(usable(g.expected)?))))
        .collect();
    if !expected.is_empty() {
        svg.polyline(&expected, EXPECTED);
    }
    let curve: Vec<(f64, f64)> = groups
        .iter()
        .map(|g| (levels.at(g.level), scores.at(g.score)))
        .collect();
    svg.polyline(&curve, CURVE);
    let mut free_from = f64::NEG_INFINITY;
    for (i, group) in groups.iter().enumerate() {
        let share = match groups.len() {
            1 => 0.5,
            n => i as f64 / (n - 1) as f64,
        };
        let (x, y) = curve[i];
        let fill = hex(colour(share, share));
        svg.group(&tooltip(group, bounded), |svg| {
            if let Some((low, high)) = usable(group.ci_low).zip(usable(group.ci_high)) {
                interval_bar(svg, x, scores.at(low), scores.at(high));
            }
            let edged = format!("fill=\"{fill}\" stroke=\"#111\" stroke-width=\"1.2\"");
            svg.circle(x, y, 7.5, &edged);
        });
        // How many students stand behind it, where there is room to say so.
        let count = group.students.to_string();
        let half = super::text_width(&count, 12.0) / 2.0 + 3.0;
        if x - half >= free_from {
            svg.text(x, PLOT.bottom() - 8.0, 12.0, COUNT, &count);
            free_from = x + half;
        }
    }
    let has_intervals = groups.iter().any(|g| g.ci_low.is_some());
    key(&mut svg, has_intervals, !expected.is_empty());
    let words = format!("{} answered it.", students(n as usize));
    svg.text(40.0, HEIGHT - 16.0, 12.0, GREY, &words);
    svg.finish()
}

const EXPECTED: &str = "fill=\"none\" stroke=\"#666\" stroke-width=\"2\" stroke-dasharray=\"7 5\"";
const CURVE: &str = "fill=\"none\" stroke=\"#555\" stroke-width=\"1.6\"";
const COUNT: &str = "text-anchor=\"middle\" class=\"halo\" fill=\"#555\"";

/// From one end of an interval to the other.
pub(super) fn interval_bar(svg: &mut Svg, x: f64, low: f64, high: f64) {
    let stroke = "stroke=\"#333\" stroke-width=\"1.8\"";
    svg.line([(x, low), (x, high)], stroke);
    for y in [low, high] {
        svg.line([(x - 5.0, y), (x + 5.0, y)], stroke);
    }
}

/// A score in words.
fn figure(score: f64, bounded: bool) -> String {
    match bounded {
        true => format!("{} %", percent(score, 0)),
        false => plain(score, score.abs()),
    }
}

/// All of them with some room, though not for a few far outside.
fn any_range(figures: Vec<f64>) -> (f64, f64) {
    let (lo, hi) = core_range(figures);
    let pad = (0.05 * (hi - lo)).max(1e-3);
    (lo - pad, hi + pad)
}

fn frame(svg: &mut Svg, levels: &Axis, scores: &Axis, bounded: bool) {
    svg.rect(PLOT, "fill=\"#fafafa\" stroke=\"#ccc\"");
    let words = match bounded {
        true => "Mean score, in per cent of the points",
        false => "Mean score",
    };
    score_axis(svg, PLOT, scores, bounded, words);
    let (ticks, decimals) = levels.ticks(10.0);
    for tick in ticks {
        let x = levels.at(tick);
        svg.line([(x, PLOT.y), (x, PLOT.bottom())], TICK);
        let words = format!("{} %", percent(tick, decimals));
        let extra = "text-anchor=\"middle\" fill=\"#555\"";
        svg.text(x, PLOT.bottom() + 20.0, 13.0, extra, &words);
    }
    let words = "← lower \u{a0} Current level of the students, in per cent \u{a0} higher →";
    let x = PLOT.x + PLOT.w / 2.0;
    svg.text(x, PLOT.bottom() + 48.0, 15.0, CENTRED, words);
}

fn tooltip(group: &LevelGroup, bounded: bool) -> String {
    let mut text = format!(
        "{} of level {} to {} %: mean score {}",
        students(group.students as usize),
        percent(group.lowest, 0),
        percent(group.highest, 0),
        figure(group.score, bounded)
    );
    if let Some((low, high)) = usable(group.ci_low).zip(usable(group.ci_high)) {
        text += &format!(" ({} to {})", figure(low, bounded), figure(high, bounded));
    }
    if let Some(expected) = usable(group.expected) {
        text += &format!(", expected {}", figure(expected, bounded));
    }
    text
}

fn key(svg: &mut Svg, has_intervals: bool, has_expected: bool) {
    let bold = "font-weight=\"600\" fill=\"#333\"";
    svg.text(KEY_X, 120.0, 15.0, bold, "How to read it");
    let (x, words_x) = (KEY_X + 14.0, KEY_X + 38.0);
    let mut y = 152.0;
    for (share, words) in [
        (0.0, "students of low level"),
        (1.0, "students of high level"),
    ] {
        let fill = hex(colour(share, share));
        let edged = format!("fill=\"{fill}\" stroke=\"#111\" stroke-width=\"1.2\"");
        svg.circle(x, y, 7.5, &edged);
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
