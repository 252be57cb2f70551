//! What of a school map is drawn where.

use pg_assess_core::students::quadrant::{Quadrant, middle};

use super::marks::{Mark, Stack};
use super::{MapPoint, NAMED, NEED_TO_NAME, PLOT};
use crate::colour::{colour, hex, ink};
use crate::draw::{Rect, Svg};
use crate::layout::{
    Axis, BELOW, BESIDE, CENTRED, PLOT_FRAME, TICK, core_range, level_axis, usable,
};
use crate::names::Dot;
use crate::words::{percent, signed_percent, text_width};

const CAPTION_BAND: f64 = 30.0;

/// What is drawn where: the field of those with a trend and below it the strip of those without.
pub struct Frame {
    field: Rect,
    pub strip: Rect,
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
    pub r: f64,
}

impl Frame {
    pub fn around(drawable: &[(&MapPoint, f64)], mean: Option<f64>) -> Frame {
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

        let slopes: Vec<f64> = drawable.iter().filter_map(|d| usable(d.0.change)).collect();
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
    pub fn marks<'a>(&self, drawable: Vec<(&'a MapPoint, f64)>) -> Vec<Mark<'a>> {
        let mut marks: Vec<Mark> = drawable
            .into_iter()
            .map(|(point, level)| self.mark(point, level))
            .collect();
        marks.sort_by(|a, b| {
            let need = |m: &Mark| m.need.unwrap_or(-1.0);
            need(a)
                .total_cmp(&need(b))
                .then_with(|| b.level.total_cmp(&a.level))
                .then_with(|| b.student.cmp(a.student))
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
        for mark in marks.iter_mut().rev().filter(|m| m.change.is_none()) {
            mark.dot.y = stack.next(mark.dot.x);
        }
        marks
    }

    fn mark<'a>(&self, point: &'a MapPoint, level: f64) -> Mark<'a> {
        let change = usable(point.change);
        let need = point.need.filter(|need| (0.0..=1.0).contains(need));
        let beyond = match change {
            _ if level < self.range.0 => Some(180),
            _ if level > self.range.1 => Some(0),
            Some(change) if change > self.steepest => Some(270),
            Some(change) if change < -self.steepest => Some(90),
            _ => None,
        };
        let drawn = change.unwrap_or(0.0).clamp(-self.steepest, self.steepest);
        Mark {
            student: &point.student,
            level,
            change,
            need,
            quadrant: change.map(|change| Quadrant::of(level, self.mean, change)),
            beyond,
            named: false,
            fill: hex(colour(
                0.5 + 0.5 * (level - self.mean) / self.spread,
                0.5 + 0.5 * drawn / self.pace,
            )),
            dot: Dot {
                x: self.levels.at(level),
                y: self.changes.at(drawn),
                r: self.r * (1.0 + 0.6 * need.unwrap_or(0.0)),
            },
        }
    }

    pub fn draw(&self, svg: &mut Svg) {
        if self.strip.h > 0.0 {
            svg.rect(self.strip, "fill=\"#f4f4f4\" stroke=\"#ccc\"");
        }
        if self.field.h > 0.0 {
            svg.rect(self.field, PLOT_FRAME);
            self.draw_changes(svg);
        }
        let words = "← lower \u{a0} Current level, in per cent \u{a0} higher →";
        level_axis(svg, PLOT, &self.levels, words);
        let x = self.levels.at(self.mean);
        let dashed = "stroke=\"#888\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"";
        svg.line([(x, PLOT.y), (x, PLOT.bottom())], dashed);
        let of = if self.mean_is_of_all { " of all" } else { "" };
        let words = format!("mean level{of}: {} %", percent(self.mean, 0));
        svg.text(x, PLOT.y - 7.0, 13.0, BELOW, &words);
    }

    /// The axis of changes.
    fn draw_changes(&self, svg: &mut Svg) {
        let (ticks, decimals) = self.changes.ticks(9.0);
        for tick in ticks {
            let y = self.changes.at(tick);
            let zero = "stroke=\"#888\" stroke-width=\"1.5\"";
            let style = if tick == 0.0 { zero } else { TICK };
            svg.line([(PLOT.x, y), (PLOT.right(), y)], style);
            let words = signed_percent(tick, decimals);
            svg.text(PLOT.x - 8.0, y + 4.5, 13.0, BESIDE, &words);
        }
        let middle = (self.field.y + self.field.bottom()) / 2.0;
        let turned = format!("{CENTRED} transform=\"rotate(-90 30 {middle:.0})\"");
        let words = "← falling \u{a0} Change in 30 days, percentage points \u{a0} rising →";
        svg.text(30.0, middle.round(), 15.0, &turned, words);
    }

    /// What the corners mean, with the number of students in each quadrant.
    pub fn captions(&self, marks: &[Mark]) -> Vec<Caption> {
        let mut captions = Vec::new();
        if self.field.h > 0.0 {
            for quadrant in Quadrant::ALL {
                let fill = ink(quadrant);
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

/// The steepest change worth drawing, up or down.
pub fn steepest(slopes: Vec<f64>) -> f64 {
    let (down, up) = core_range(slopes);
    up.abs().max(down.abs()).max(0.002)
}

/// One when there is nothing to measure, as it is divided by.
fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v * v));
    if sum > 0.0 { (sum / n).sqrt() } else { 1.0 }
}

/// Words in a corner.
pub struct Caption {
    pub place: Rect,
    low: bool,
    size: f64,
    fill: &'static str,
    text: String,
}

impl Caption {
    pub fn draw(&self, svg: &mut Svg) {
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
