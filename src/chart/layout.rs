//! The page that the pictures share: a heading, a plot with axes, a key beside it.

use pg_assess_core::students::quadrant::usual_range;

use crate::draw::{Rect, Svg};
use crate::words::{fit, percent, plain, shorten, text_width};

pub const WIDTH: f64 = 1200.0;
pub const PLOT_X: f64 = 92.0;
pub const PLOT_Y: f64 = 104.0;
pub const PLOT_WIDTH: f64 = 836.0;
pub const KEY_X: f64 = 964.0;
/// Beyond this a figure is a mistake of the caller's and has no place on any axis.
const ABSURD: f64 = 1e6;

pub const GREY: &str = "fill=\"#666\"";
pub const DARK: &str = "fill=\"#333\"";
pub const CENTRED: &str = "text-anchor=\"middle\" fill=\"#333\"";
pub const TICK: &str = "stroke=\"#e4e4e4\"";
/// Words at the ticks below a plot, and at those to its left.
pub const BELOW: &str = "text-anchor=\"middle\" fill=\"#555\"";
pub const BESIDE: &str = "text-anchor=\"end\" fill=\"#555\"";
pub const PLOT_FRAME: &str = "fill=\"#fafafa\" stroke=\"#ccc\"";

/// One axis: the figures `lo` to `hi` on the drawing from `from` to `to`.
#[derive(Clone, Copy)]
pub struct Axis {
    pub lo: f64,
    pub hi: f64,
    pub from: f64,
    pub to: f64,
}

impl Axis {
    pub fn at(&self, value: f64) -> f64 {
        let share = (value.clamp(self.lo, self.hi) - self.lo) / (self.hi - self.lo);
        self.from + share * (self.to - self.from)
    }

    /// Round figures, at most about `wanted` of them, and the decimals their per cents need.
    pub fn ticks(&self, wanted: f64) -> (Vec<f64>, usize) {
        let least = (self.hi - self.lo) / wanted;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0]
            .map(|s| s * power)
            .into_iter()
            .find(|&step| step >= least)
            .unwrap_or(10.0 * power);
        let decimals = (-(step * 100.0).log10().floor()).clamp(0.0, 6.0) as usize;
        let first = (self.lo / step).ceil() as i64;
        let last = (self.hi / step).floor() as i64;
        ((first..=last).map(|i| i as f64 * step).collect(), decimals)
    }
}

/// A figure that can be drawn.
pub fn usable(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite() && v.abs() <= ABSURD)
}

/// The range worth drawing: all of it, unless a few values lie far from the others.
pub fn core_range(mut values: Vec<f64>) -> (f64, f64) {
    usual_range(&mut values).unwrap_or((0.0, 1.0))
}

/// From 0 to 1, and further where figures lie beyond, though not for a few far outside.
pub fn unit_range(figures: impl Iterator<Item = f64>) -> (f64, f64) {
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

/// All of them with some room, though not for a few far outside.
pub fn any_range(figures: Vec<f64>) -> (f64, f64) {
    let (lo, hi) = core_range(figures);
    let pad = (0.05 * (hi - lo)).max(1e-3);
    (lo - pad, hi + pad)
}

/// The axis of scores at the left of a plot: of shares in per cent, of others as they are.
pub fn score_axis(svg: &mut Svg, plot: Rect, scores: &Axis, bounded: bool, words: &str) {
    let (ticks, decimals) = scores.ticks(10.0);
    for &tick in &ticks {
        let y = scores.at(tick);
        svg.line([(plot.x, y), (plot.right(), y)], TICK);
        let words = if bounded {
            percent(tick, decimals)
        } else {
            plain(tick, scores.hi - scores.lo)
        };
        svg.text(plot.x - 8.0, y + 4.5, 13.0, BESIDE, &words);
    }
    let middle = plot.y + plot.h / 2.0;
    let turned = format!("{CENTRED} transform=\"rotate(-90 24 {middle:.0})\"");
    svg.text(24.0, middle.round(), 15.0, &turned, words);
}

/// The axis of levels below a plot.
pub fn level_axis(svg: &mut Svg, plot: Rect, levels: &Axis, words: &str) {
    let (ticks, decimals) = levels.ticks(10.0);
    for tick in ticks {
        let x = levels.at(tick);
        svg.line([(x, plot.y), (x, plot.bottom())], TICK);
        let words = format!("{} %", percent(tick, decimals));
        svg.text(x, plot.bottom() + 20.0, 13.0, BELOW, &words);
    }
    let x = plot.x + plot.w / 2.0;
    svg.text(x, plot.bottom() + 48.0, 15.0, CENTRED, words);
}

/// A drawing with its title and a line of words below it.
pub fn heading(width: f64, height: f64, title: &str, words: &str, description: &str) -> Svg {
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

/// The heading of the key beside a plot.
pub fn key_heading(svg: &mut Svg) {
    let bold = "font-weight=\"600\" fill=\"#333\"";
    svg.text(KEY_X, 120.0, 15.0, bold, "How to read it");
}

/// From one end of an interval to the other.
pub fn interval_bar(svg: &mut Svg, x: f64, low: f64, high: f64) {
    let stroke = "stroke=\"#333\" stroke-width=\"1.8\"";
    svg.line([(x, low), (x, high)], stroke);
    for y in [low, high] {
        svg.line([(x - 5.0, y), (x + 5.0, y)], stroke);
    }
}
