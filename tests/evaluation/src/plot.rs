//! Small pictures: one frame, a few series, a legend. Series differ in colour and in shape, and the
//! colours are those of Okabe and Ito (2008), which the colour-blind can distinguish.

use pg_assess_chart::{Axis, Rect, Svg, text_width};

const WIDTH: f64 = 700.0;
const LEFT: f64 = 66.0;
const TOP: f64 = 58.0;
/// Height of the frame, and of what is below it.
const HEIGHT: f64 = 300.0;
const BELOW: f64 = 62.0;
const LEGEND: f64 = 222.0;
/// Half the width of a mark.
const MARK: f64 = 5.0;
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#555555",
];
const DARK: &str = "fill=\"#222\"";
const GREY: &str = "fill=\"#555\"";
const CENTRED: &str = "fill=\"#222\" text-anchor=\"middle\"";
const INSIDE: &str = "fill=\"#fff\"";
const TO_THE_LEFT: &str = "fill=\"#222\" text-anchor=\"end\"";

/// One axis: what it shows, from where to where, and what stands at it.
#[derive(Debug, Clone)]
pub struct Scale {
    pub words: &'static str,
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Ticks at every `step`, written by `write`.
    pub fn steps(
        words: &'static str,
        (from, to): (f64, f64),
        step: f64,
        write: fn(f64) -> String,
    ) -> Self {
        let ticks = (from / step).round() as i64..=(to / step).round() as i64;
        let ticks = ticks.map(|at| at as f64 * step);
        Self {
            words,
            from,
            to,
            ticks: ticks.map(|at| (at, write(at))).collect(),
        }
    }

    /// Named places at 0, 1, 2 and so on.
    pub fn places(words: &'static str, names: impl IntoIterator<Item = String>) -> Self {
        let ticks: Vec<(f64, String)> = (0..).map(f64::from).zip(names).collect();
        Self {
            words,
            from: -0.5,
            to: ticks.len() as f64 - 0.5,
            ticks,
        }
    }
}

/// A picture in the making.
pub struct Plot {
    svg: Svg,
    x: Axis,
    y: Axis,
    series: usize,
    legend: f64,
}

impl Plot {
    pub fn new(title: &str, x: &Scale, y: &Scale) -> Self {
        Self::sized(title, x, y, WIDTH - LEGEND, HEIGHT, LEFT)
    }

    /// With room for the names of places on the upright scale.
    pub fn named(title: &str, x: &Scale, y: &Scale) -> Self {
        let widths = y.ticks.iter().map(|(_, name)| text_width(name, 13.0));
        let left = widths.fold(0.0, f64::max) + 24.0;
        Self::sized(title, x, y, WIDTH - LEGEND, HEIGHT, left)
    }

    fn sized(title: &str, x: &Scale, y: &Scale, right: f64, height: f64, left: f64) -> Self {
        let description = format!("{} against {}", y.words, x.words);
        let mut svg = Svg::new(WIDTH, TOP + height + BELOW, title, &description);
        svg.text(16.0, 28.0, 17.0, "font-weight=\"700\" fill=\"#222\"", title);
        let bottom = TOP + height;
        let across = axis(x, left, right);
        let up = axis(y, bottom, TOP);
        for (value, name) in &y.ticks {
            let at = up.at(*value);
            svg.line([(left, at), (right, at)], "stroke=\"#ddd\"");
            svg.text(left - 8.0, at + 4.5, 13.0, TO_THE_LEFT, name);
        }
        for (value, name) in &x.ticks {
            let at = across.at(*value);
            svg.line([(at, bottom), (at, bottom + 5.0)], "stroke=\"#888\"");
            svg.text(at, bottom + 20.0, 13.0, CENTRED, name);
        }
        svg.line([(left, bottom), (right, bottom)], "stroke=\"#888\"");
        svg.text((left + right) / 2.0, bottom + 46.0, 14.0, CENTRED, x.words);
        svg.text(16.0, 48.0, 13.0, GREY, y.words);
        Self {
            svg,
            x: across,
            y: up,
            series: 0,
            legend: TOP + 14.0,
        }
    }

    /// Points joined by lines.
    pub fn line(&mut self, name: &str, points: &[(f64, f64)]) {
        let colour = COLOURS[self.series % COLOURS.len()];
        let places: Vec<(f64, f64)> = points
            .iter()
            .map(|(x, y)| (self.x.at(*x), self.y.at(*y)))
            .collect();
        let stroke = format!("stroke=\"{colour}\" stroke-width=\"2\"");
        for pair in places.windows(2) {
            self.svg.line([pair[0], pair[1]], &stroke);
        }
        for (x, y) in places {
            self.mark(x, y, MARK);
        }
        self.name(name);
    }

    /// Points, each with its interval along the scale of x.
    pub fn intervals(&mut self, name: &str, points: &[(f64, f64, (f64, f64))]) {
        let colour = COLOURS[self.series % COLOURS.len()];
        for (x, y, (low, high)) in points {
            let (x, y) = (self.x.at(*x), self.y.at(*y));
            let ends = [(self.x.at(*low), y), (self.x.at(*high), y)];
            let stroke = format!("stroke=\"{colour}\" stroke-width=\"2\"");
            self.svg.line(ends, &stroke);
            self.mark(x, y, 4.0);
        }
        self.name(name);
    }

    /// Points by themselves.
    pub fn cloud(&mut self, name: &str, points: &[(f64, f64)]) {
        for (x, y) in points {
            self.mark(self.x.at(*x), self.y.at(*y), 3.2);
        }
        self.name(name);
    }

    /// A dashed line across, with words at its end.
    pub fn level(&mut self, y: f64, words: &str) {
        let at = self.y.at(y);
        let ends = [(self.x.from, at), (self.x.to, at)];
        self.svg
            .line(ends, "stroke=\"#555\" stroke-dasharray=\"5 4\"");
        self.svg
            .text(self.x.from + 6.0, at - 5.0, 12.0, GREY, words);
    }

    /// A dashed line upwards.
    pub fn upright(&mut self, x: f64) {
        let at = self.x.at(x);
        let ends = [(at, self.y.from), (at, self.y.to)];
        self.svg
            .line(ends, "stroke=\"#555\" stroke-dasharray=\"5 4\"");
    }

    /// A dashed line from corner to corner of the scales, where both figures are the same.
    pub fn diagonal(&mut self) {
        let (lo, hi) = (self.x.lo.max(self.y.lo), self.x.hi.min(self.y.hi));
        let at = |value: f64| (self.x.at(value), self.y.at(value));
        self.svg
            .line([at(lo), at(hi)], "stroke=\"#555\" stroke-dasharray=\"5 4\"");
    }

    /// The mark of the series, each of its own shape; `r` is about half of its width.
    fn mark(&mut self, x: f64, y: f64, r: f64) {
        let fill = format!("fill=\"{}\"", COLOURS[self.series % COLOURS.len()]);
        match self.series % 4 {
            0 => self.svg.circle(x, y, r, &fill),
            1 => {
                let side = 1.8 * r;
                let (x, y) = (x - side / 2.0, y - side / 2.0);
                let (w, h) = (side, side);
                self.svg.rect(Rect { x, y, w, h }, &fill);
            }
            2 => self.svg.triangle(x, y, 1.1 * r, 270, &fill),
            _ => self.svg.triangle(x, y, 1.1 * r, 90, &fill),
        }
    }

    fn name(&mut self, name: &str) {
        if !name.is_empty() {
            let (x, y) = (WIDTH - LEGEND + 22.0, self.legend);
            self.mark(x, y, MARK);
            self.svg.text(x + 12.0, y + 4.5, 13.0, DARK, name);
            self.legend += 24.0;
        }
        self.series += 1;
    }

    pub fn finish(self) -> String {
        self.svg.finish()
    }
}

fn axis(scale: &Scale, from: f64, to: f64) -> Axis {
    Axis {
        lo: scale.from,
        hi: scale.to,
        from,
        to,
    }
}

/// Bars that lie, each with its name before it and its figure inside; `goal` is a dashed line
/// with its words.
pub fn lying_bars(
    title: &str,
    words: &str,
    bars: &[(String, f64)],
    write: fn(f64) -> String,
    goal: Option<(f64, &str)>,
) -> String {
    const STEP: f64 = 34.0;
    let left = bars
        .iter()
        .map(|(name, _)| text_width(name, 14.0))
        .fold(0.0, f64::max)
        + 24.0;
    let bottom = TOP + 12.0 + STEP * bars.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 34.0, title, words);
    svg.text(16.0, 28.0, 17.0, "font-weight=\"700\" fill=\"#222\"", title);
    svg.text(16.0, 48.0, 13.0, GREY, words);
    let largest = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let across = Axis {
        lo: 0.0,
        hi: largest.max(goal.map_or(0.0, |(at, _)| at)),
        from: left,
        to: WIDTH - 30.0,
    };
    for (at, (name, value)) in bars.iter().enumerate() {
        let y = TOP + 10.0 + STEP * at as f64;
        svg.text(left - 8.0, y + 17.0, 14.0, TO_THE_LEFT, name);
        let bar = Rect {
            x: left,
            y,
            w: across.at(*value) - left,
            h: STEP - 10.0,
        };
        svg.rect(bar, &format!("fill=\"{}\"", COLOURS[0]));
        // At the foot of the bar, where no dashed line runs through it.
        svg.text(left + 8.0, y + 17.0, 14.0, INSIDE, &write(*value));
    }
    svg.line([(left, TOP + 4.0), (left, bottom)], "stroke=\"#888\"");
    if let Some((value, words)) = goal {
        let x = across.at(value);
        svg.line(
            [(x, TOP), (x, bottom + 6.0)],
            "stroke=\"#222\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"",
        );
        svg.text(x, bottom + 22.0, 13.0, CENTRED, words);
    }
    svg.finish()
}
