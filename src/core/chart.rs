//! Pictures, each one self-contained SVG text. Here the school map: one dot a student, current
//! level across, change up and down; the others have modules of their own.

mod colour;
mod curve;
mod draw;
mod history;
mod names;
mod sheet;

pub use colour::colour;
pub use curve::item_curve;
pub use draw::{Axis, Rect, Svg, text_width};
pub use history::{Standing, Test, student_history};
pub use names::{Dot, place_names};
pub use sheet::{Cell, MOST_QUESTIONS, MOST_STUDENTS, Question, score_sheet};

use colour::hex;
use draw::{fit, percent, shorten, signed_percent};

use crate::quadrant::{Quadrant, middle, usual_range};

/// One student on the map. Figures that are not finite count as unknown.
#[derive(Clone, Copy, Debug)]
pub struct MapPoint<'a> {
    pub label: &'a str,
    /// Current level, a share of the maximum (mostly 0 to 1, but it may lie outside).
    pub level: Option<f64>,
    /// Change of the level in 30 days; unknown when there are too few dates to tell.
    pub slope: Option<f64>,
    /// Probability of lying below the cut, 0 to 1.
    pub need: Option<f64>,
}

/// So many of those most in need are called by name, if their need is worth it.
pub const NAMED: usize = 12;
const NEED_TO_NAME: f64 = 0.2;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 800.0;
const PLOT: Rect = Rect {
    x: 92.0,
    y: 104.0,
    w: 836.0,
    h: 590.0,
};
const KEY_X: f64 = 964.0;
const CAPTION_BAND: f64 = 30.0;
const NAME_SIZE: f64 = 13.0;
/// Beyond this a figure is a mistake of the caller's and has no place on any axis.
const ABSURD: f64 = 1e6;

const GREY: &str = "fill=\"#666\"";
const DARK: &str = "fill=\"#333\"";
const CENTRED: &str = "text-anchor=\"middle\" fill=\"#333\"";
const TICK: &str = "stroke=\"#e4e4e4\"";

/// Draws the school map.
///
/// Students without a usable level are counted below the picture; those without a slope lie as
/// rings in a strip of their own; those far outside the others lie as triangles at the edge. Low is
/// what lies below `mean`, that of the school where these are one class of it; else below the
/// [middle] of those shown.
pub fn school_map(points: &[MapPoint], title: &str, mean: Option<f64>) -> String {
    let drawable: Vec<(MapPoint, f64)> = points
        .iter()
        .filter_map(|p| usable(p.level).map(|level| (*p, level)))
        .collect();
    let without_level = points.len() - drawable.len();
    let mut svg = opening(title, drawable.len());
    if drawable.is_empty() {
        let words = "There is no student with a level to show.";
        svg.text(WIDTH / 2.0, HEIGHT / 2.0, 20.0, CENTRED, words);
    } else {
        let frame = Frame::around(&drawable, usable(mean));
        let marks = frame.marks(drawable);
        let captions = frame.captions(&marks);
        let beyond = marks.iter().filter(|m| m.beyond.is_some()).count();
        frame.draw(&mut svg);
        for mark in &marks {
            mark.draw(&mut svg);
        }
        for caption in &captions {
            caption.draw(&mut svg);
        }
        draw_names(&mut svg, &marks, &captions);
        draw_key(&mut svg, &frame, &marks);
        footer(&mut svg, marks.len(), without_level, beyond);
        return svg.finish();
    }
    footer(&mut svg, 0, without_level, 0);
    svg.finish()
}

fn usable(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite() && v.abs() <= ABSURD)
}

/// From 0 to 1, and further where figures lie beyond, though not for a few far outside.
fn unit_range(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let figures: Vec<f64> = figures.collect();
    let (min, max) = (
        figures.iter().copied().fold(0.0, f64::min),
        figures.iter().copied().fold(1.0, f64::max),
    );
    let (lo, hi) = match min < -1.0 || max > 2.0 {
        true => core_range(figures),
        false => (min, max),
    };
    let (lo, hi) = (lo.min(0.0), hi.max(1.0));
    let pad = |beyond| if beyond { 0.05 * (hi - lo) } else { 0.02 };
    (lo - pad(lo < 0.0), hi + pad(hi > 1.0))
}

/// The axis of scores at the left of a plot: of shares in per cent, of others as they are.
fn score_axis(svg: &mut Svg, plot: Rect, scores: &Axis, bounded: bool, words: &str) {
    let (ticks, decimals) = scores.ticks(10.0);
    for &tick in &ticks {
        let y = scores.at(tick);
        svg.line([(plot.x, y), (plot.right(), y)], TICK);
        let words = if bounded {
            percent(tick, decimals)
        } else {
            plain(tick, scores.hi - scores.lo)
        };
        let extra = "text-anchor=\"end\" fill=\"#555\"";
        svg.text(plot.x - 8.0, y + 4.5, 13.0, extra, &words);
    }
    let middle = plot.y + plot.h / 2.0;
    let turned = format!("{CENTRED} transform=\"rotate(-90 24 {middle:.0})\"");
    svg.text(24.0, middle.round(), 15.0, &turned, words);
}

/// A score that is no share, with as many decimals as tell apart what lies within `range`.
fn plain(score: f64, range: f64) -> String {
    let decimals = (2.0 - range.max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{score:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    match text {
        "-0" => "0".to_string(),
        _ => text.replace('-', "−"),
    }
}

fn students(n: usize) -> String {
    format!("{n} {}", if n == 1 { "student" } else { "students" })
}

fn opening(title: &str, n: usize) -> Svg {
    let description = format!(
        "A map of {} by current level (across) and change (up and down).",
        students(n)
    );
    let words = "Each dot is one student: the further left, the lower now; the further down, the \
                 faster falling.";
    heading(WIDTH, HEIGHT, title, words, &description)
}

/// A drawing with its title and a line of words below it.
fn heading(width: f64, height: f64, title: &str, words: &str, description: &str) -> Svg {
    let title = shorten(title, 90);
    let mut svg = Svg::new(width, height, &title, description);
    let room = width - 80.0;
    let size = if text_width(&title, 26.0) < room {
        26.0
    } else {
        17.0
    };
    let bold = "font-weight=\"700\" fill=\"#1a1a1a\"";
    svg.text(40.0, 48.0, size, bold, &fit(&title, size, room));
    svg.text(40.0, 76.0, 15.0, "fill=\"#555\"", &fit(words, 15.0, room));
    svg
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

/// What is drawn where: the field of those with a trend and below it the strip of those without.
struct Frame {
    field: Rect,
    strip: Rect,
    levels: Axis,
    changes: Axis,
    /// The range of levels and the steepest change that are drawn true to scale.
    range: (f64, f64),
    steepest: f64,
    mean: f64,
    /// Whether it is not that of these students alone.
    mean_is_of_all: bool,
    /// Deviations that get the full colour.
    spread: f64,
    pace: f64,
    /// Radius of a dot without need.
    r: f64,
}

impl Frame {
    fn around(drawable: &[(MapPoint, f64)], mean: Option<f64>) -> Frame {
        let all: Vec<f64> = drawable.iter().map(|d| d.1).collect();
        let (lo, hi) = core_range(all.clone());
        let inside = all.iter().filter(|level| (lo..=hi).contains(*level));
        let mean_is_of_all = mean.is_some();
        let mean = mean.or_else(|| middle(&all)).unwrap_or_default();
        // At least ten percentage points, so that a class of equals does not look far apart.
        let pad = ((hi - lo) * 0.05).max((0.1 - (hi - lo)) / 2.0);
        let levels = Axis {
            lo: lo.min(mean) - pad,
            hi: hi.max(mean) + pad,
            from: PLOT.x,
            to: PLOT.right(),
        };

        let slopes: Vec<f64> = drawable.iter().filter_map(|d| usable(d.0.slope)).collect();
        let unknown = drawable.len() - slopes.len();
        // The strip grows with the share of those without a trend.
        let strip_height = match unknown as f64 / drawable.len() as f64 {
            0.0 => 0.0,
            1.0 => PLOT.h,
            share => PLOT.h * (0.1 + 0.4 * share),
        };
        let strip = Rect {
            y: PLOT.bottom() - strip_height,
            h: strip_height,
            ..PLOT
        };
        let between = if strip.h > 0.0 { 12.0 } else { 0.0 };
        let field = Rect {
            h: (PLOT.h - strip.h - between).max(0.0),
            ..PLOT
        };

        let steepest = steepest(slopes.clone());
        // The captions in the corners get a band without dots above and below.
        let r = (9.0 - 2.0 * (drawable.len() as f64).log10()).clamp(1.5, 6.0);
        let band = CAPTION_BAND + 1.6 * r;
        let reach = steepest * (1.0 + 2.2 * band / field.h.max(200.0));
        let changes = Axis {
            lo: -reach,
            hi: reach,
            from: field.bottom(),
            to: field.y,
        };
        Frame {
            field,
            strip,
            levels,
            changes,
            range: (lo, hi),
            steepest,
            mean,
            mean_is_of_all,
            spread: 1.6 * root_mean_square(inside.map(|level| level - mean)),
            pace: 1.6 * root_mean_square(slopes.iter().map(|s| s.clamp(-steepest, steepest))),
            r,
        }
    }

    /// Marks from the least to the most in need, so that the needy come on top; equal needs by
    /// level and name, so that the same data always give the same picture.
    fn marks<'a>(&self, drawable: Vec<(MapPoint<'a>, f64)>) -> Vec<Mark<'a>> {
        let mut marks: Vec<Mark> = drawable
            .into_iter()
            .map(|(point, level)| self.mark(point, level))
            .collect();
        marks.sort_by(|a, b| {
            let need = |m: &Mark| m.need.unwrap_or(-1.0);
            need(a)
                .total_cmp(&need(b))
                .then_with(|| b.level.total_cmp(&a.level))
                .then_with(|| b.label.cmp(a.label))
        });
        for mark in marks
            .iter_mut()
            .rev()
            .filter(|m| m.need >= Some(NEED_TO_NAME))
            .take(NAMED)
        {
            mark.named = true;
        }
        let mut stack = Stack::new(self.strip, self.r);
        for mark in marks.iter_mut().rev().filter(|m| m.slope.is_none()) {
            mark.dot.y = stack.next(mark.dot.x);
        }
        marks
    }

    fn mark<'a>(&self, point: MapPoint<'a>, level: f64) -> Mark<'a> {
        let slope = usable(point.slope);
        let need = point.need.filter(|need| (0.0..=1.0).contains(need));
        let beyond = match slope {
            _ if level < self.range.0 => Some(180),
            _ if level > self.range.1 => Some(0),
            Some(slope) if slope > self.steepest => Some(270),
            Some(slope) if slope < -self.steepest => Some(90),
            _ => None,
        };
        let change = slope.unwrap_or(0.0).clamp(-self.steepest, self.steepest);
        Mark {
            label: point.label,
            level,
            slope,
            need,
            quadrant: slope.map(|slope| Quadrant::of(level, self.mean, slope)),
            beyond,
            named: false,
            fill: hex(colour(
                0.5 + 0.5 * (level - self.mean) / self.spread,
                0.5 + 0.5 * change / self.pace,
            )),
            dot: Dot {
                x: self.levels.at(level),
                y: self.changes.at(change),
                r: self.r * (1.0 + 0.6 * need.unwrap_or(0.0)),
            },
        }
    }

    fn draw(&self, svg: &mut Svg) {
        let (left, right, bottom) = (PLOT.x, PLOT.right(), PLOT.bottom());
        if self.strip.h > 0.0 {
            svg.rect(self.strip, "fill=\"#f4f4f4\" stroke=\"#ccc\"");
        }
        let (ticks, decimals) = self.levels.ticks(10.0);
        if self.field.h > 0.0 {
            svg.rect(self.field, "fill=\"#fafafa\" stroke=\"#ccc\"");
            let (ticks, decimals) = self.changes.ticks(9.0);
            for tick in ticks {
                let y = self.changes.at(tick);
                let zero = "stroke=\"#888\" stroke-width=\"1.5\"";
                svg.line(
                    [(left, y), (right, y)],
                    if tick == 0.0 { zero } else { TICK },
                );
                let words = signed_percent(tick, decimals);
                svg.text(
                    left - 8.0,
                    y + 4.5,
                    13.0,
                    "text-anchor=\"end\" fill=\"#555\"",
                    &words,
                );
            }
            let middle = (self.field.y + self.field.bottom()) / 2.0;
            let turned = format!("{CENTRED} transform=\"rotate(-90 30 {middle:.0})\"");
            let words = "← falling \u{a0} Change in 30 days, percentage points \u{a0} rising →";
            svg.text(30.0, middle.round(), 15.0, &turned, words);
        }
        for tick in ticks {
            let x = self.levels.at(tick);
            svg.line([(x, PLOT.y), (x, bottom)], TICK);
            let words = format!("{} %", percent(tick, decimals));
            svg.text(
                x,
                bottom + 20.0,
                13.0,
                "text-anchor=\"middle\" fill=\"#555\"",
                &words,
            );
        }
        let words = "← lower \u{a0} Current level, in per cent \u{a0} higher →";
        svg.text((left + right) / 2.0, bottom + 48.0, 15.0, CENTRED, words);

        let x = self.levels.at(self.mean);
        let dashed = "stroke=\"#888\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"";
        svg.line([(x, PLOT.y), (x, bottom)], dashed);
        let of = if self.mean_is_of_all { " of all" } else { "" };
        let words = format!("mean level{of}: {} %", percent(self.mean, 0));
        svg.text(
            x,
            PLOT.y - 7.0,
            13.0,
            "text-anchor=\"middle\" fill=\"#555\"",
            &words,
        );
    }

    /// What the corners mean, with the number of students in each quadrant.
    fn captions(&self, marks: &[Mark]) -> Vec<Caption> {
        let mut captions = Vec::new();
        if self.field.h > 0.0 {
            for quadrant in Quadrant::ALL {
                let fill = corner(quadrant);
                let (low, falling) = (quadrant.is_low(), quadrant.is_falling());
                let here = |mark: &&Mark| mark.quadrant == Some(quadrant);
                let count = marks.iter().filter(here).count();
                let text = format!("{}: {count}", quadrant.label());
                let w = text_width(&text, 14.0) + 6.0;
                let place = Rect {
                    x: if low {
                        self.field.x + 8.0
                    } else {
                        self.field.right() - 8.0 - w
                    },
                    y: if falling {
                        self.field.bottom() - 26.0
                    } else {
                        self.field.y + 5.0
                    },
                    w,
                    h: 20.0,
                };
                captions.push(Caption {
                    place,
                    low,
                    size: 14.0,
                    fill,
                    text,
                });
            }
        }
        if self.strip.h > 0.0 {
            let text = "no trend yet: too few dates".to_string();
            let w = text_width(&text, 12.0);
            let place = Rect {
                x: self.strip.x + 8.0,
                y: self.strip.y + 1.0,
                w,
                h: 18.0,
            };
            captions.push(Caption {
                place,
                low: true,
                size: 12.0,
                fill: "#666",
                text,
            });
        }
        captions
    }
}

/// What of a map is worth drawing: the lowest and the highest level, and the steepest change.
pub fn map_frame(levels: Vec<f64>, slopes: Vec<f64>) -> (f64, f64, f64) {
    let (lowest, highest) = core_range(levels);
    (lowest, highest, steepest(slopes))
}

/// The steepest change worth drawing, up or down.
fn steepest(slopes: Vec<f64>) -> f64 {
    let (down, up) = core_range(slopes);
    up.abs().max(down.abs()).max(0.002)
}

/// The range worth drawing: all of it, unless a few values lie far from the others.
fn core_range(mut values: Vec<f64>) -> (f64, f64) {
    usual_range(&mut values).unwrap_or((0.0, 1.0))
}

/// One when there is nothing to measure, as it is divided by.
fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v * v));
    if sum > 0.0 { (sum / n).sqrt() } else { 1.0 }
}

/// A student as drawn.
struct Mark<'a> {
    label: &'a str,
    level: f64,
    slope: Option<f64>,
    need: Option<f64>,
    quadrant: Option<Quadrant>,
    /// The direction in which the student lies beyond the frame, clockwise from the right.
    beyond: Option<u16>,
    named: bool,
    fill: String,
    dot: Dot,
}

impl Mark<'_> {
    fn draw(&self, svg: &mut Svg) {
        let Dot { x, y, r } = self.dot;
        let fill = &self.fill;
        let edge = if self.named {
            "stroke=\"#111\" stroke-width=\"1.6\""
        } else {
            "stroke=\"#fff\" stroke-width=\"0.8\""
        };
        svg.group(&self.tooltip(), |svg| match (self.beyond, self.slope) {
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
            shorten(self.label, 80),
            percent(self.level, 0)
        );
        match self.slope {
            Some(slope) => {
                text += &format!(", {} points in 30 days", signed_percent(slope, 1));
            }
            None => text += ", no trend yet",
        }
        if let Some(need) = self.need {
            text += &format!(", need {} %", percent(need, 0));
        }
        text
    }
}

/// The colour of a corner, dark enough to read on white.
fn corner(quadrant: Quadrant) -> &'static str {
    match quadrant {
        Quadrant::LowFalling => "#240b52",
        Quadrant::LowRising => "#2f5fb3",
        Quadrant::HighFalling => "#7a5f4c",
        Quadrant::HighRising => "#b84300",
    }
}

/// Words in a corner.
struct Caption {
    place: Rect,
    low: bool,
    size: f64,
    fill: &'static str,
    text: String,
}

impl Caption {
    fn draw(&self, svg: &mut Svg) {
        let (x, anchor) = if self.low {
            (self.place.x, "start")
        } else {
            (self.place.right(), "end")
        };
        let weight = if self.size > 13.0 { 600 } else { 400 };
        let extra = format!(
            "text-anchor=\"{anchor}\" font-weight=\"{weight}\" class=\"halo\" fill=\"{}\"",
            self.fill
        );
        svg.text(x, self.place.y + 15.0, self.size, &extra, &self.text);
    }
}

/// Sets dots of about the same level above and below one another, as far as the strip is high.
struct Stack {
    middle: f64,
    rows: usize,
    step: f64,
    taken: Vec<usize>,
}

impl Stack {
    fn new(strip: Rect, r: f64) -> Self {
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

    fn next(&mut self, x: f64) -> f64 {
        let column = ((x / self.step) as usize).min(self.taken.len() - 1);
        let row = self.taken[column] % self.rows;
        self.taken[column] += 1;
        let side = if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        self.middle + side * row.div_ceil(2) as f64 * self.step
    }
}

fn draw_names(svg: &mut Svg, marks: &[Mark], captions: &[Caption]) {
    let dots: Vec<Dot> = marks.iter().map(|m| m.dot).collect();
    let taken: Vec<Rect> = captions.iter().map(|c| c.place).collect();
    let (names, wanted): (Vec<String>, Vec<(usize, f64)>) = marks
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, mark)| mark.named)
        .map(|(i, mark)| {
            let name = shorten(mark.label, 26);
            let width = text_width(&name, NAME_SIZE);
            (name, (i, width))
        })
        .unzip();
    for (name, place) in names.iter().zip(place_names(&dots, &wanted, PLOT, &taken)) {
        let Some((rect, leader)) = place else {
            continue;
        };
        if let Some(leader) = leader {
            svg.line(leader, "stroke=\"#555\" stroke-width=\"0.8\"");
        }
        let extra = "text-anchor=\"middle\" class=\"halo name\" fill=\"#111\"";
        svg.text(rect.x + rect.w / 2.0, rect.y + 12.5, NAME_SIZE, extra, name);
    }
}

/// How to read colours, sizes and shapes.
fn draw_key(svg: &mut Svg, frame: &Frame, marks: &[Mark]) {
    const CELLS: usize = 12;
    const CELL: f64 = 11.0;
    let square = Rect {
        x: KEY_X + 18.0,
        y: 170.0,
        w: CELL * CELLS as f64,
        h: CELL * CELLS as f64,
    };
    svg.text(
        KEY_X,
        120.0,
        15.0,
        "font-weight=\"600\" fill=\"#333\"",
        "How to read it",
    );
    let share = |i: usize| i as f64 / (CELLS - 1) as f64;
    for row in 0..CELLS {
        for column in 0..CELLS {
            let cell = Rect {
                x: square.x + column as f64 * CELL,
                y: square.y + row as f64 * CELL,
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
    let (above, below) = (square.y - 24.0, square.bottom() + 18.0);
    for quadrant in [
        Quadrant::LowRising,
        Quadrant::HighRising,
        Quadrant::LowFalling,
        Quadrant::HighFalling,
    ] {
        let (x, anchor) = match quadrant.is_low() {
            true => (square.x, "start"),
            false => (square.right(), "end"),
        };
        let y = if quadrant.is_falling() { below } else { above };
        let weight = if quadrant.rank() == 1 { 700 } else { 400 };
        let extra = format!("text-anchor=\"{anchor}\" font-weight=\"{weight}\" {DARK}");
        let (level, change) = quadrant.label().split_once(" and ").unwrap_or_default();
        svg.text(x, y, 13.0, &extra, &format!("{level} and"));
        svg.text(x, y + 16.0, 13.0, &extra, change);
    }

    let r = frame.r;
    let x = KEY_X + 12.0;
    let mut y = square.bottom() + 84.0;
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
