//! The few SVG elements a chart is made of. Only finite numbers and escaped text get in.

use std::fmt::Write;

/// An upright rectangle on the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub fn within(&self, outer: Rect) -> bool {
        self.x >= outer.x
            && self.y >= outer.y
            && self.right() <= outer.right()
            && self.bottom() <= outer.bottom()
    }

    pub fn overlaps(&self, other: Rect) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// An SVG text in the making. `extra` is further attributes, written by the caller as they are.
pub struct Svg(String);

impl Svg {
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (w, h) = (num(width), num(height));
        Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', \
             Helvetica, Arial, sans-serif\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <style>.halo {{ paint-order: stroke; stroke: #fff; stroke-width: 4px; \
             stroke-linejoin: round; }}</style>\n\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n",
            escape(title),
            escape(description)
        ))
    }

    pub fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    fn push(&mut self, element: std::fmt::Arguments) {
        // Writing to a String does not fail.
        let _ = self.0.write_fmt(element);
        self.0.push('\n');
    }

    pub fn text(&mut self, x: f64, y: f64, size: f64, extra: &str, text: &str) {
        let (x, y, size) = (num(x), num(y), num(size));
        let text = escape(text);
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" {extra}>{text}</text>"
        ));
    }

    pub fn line(&mut self, [(x1, y1), (x2, y2)]: [(f64, f64); 2], extra: &str) {
        let (x1, y1, x2, y2) = (num(x1), num(y1), num(x2), num(y2));
        self.push(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {extra}/>"
        ));
    }

    pub fn rect(&mut self, Rect { x, y, w, h }: Rect, extra: &str) {
        let (x, y, w, h) = (num(x), num(y), num(w), num(h));
        self.push(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" {extra}/>"
        ));
    }

    /// A line through points; with a fill, an area.
    pub fn polyline(&mut self, points: &[(f64, f64)], extra: &str) {
        let pair = |&(x, y): &(f64, f64)| format!("{},{}", num(x), num(y));
        let points: Vec<String> = points.iter().map(pair).collect();
        self.push(format_args!(
            "<polyline points=\"{}\" {extra}/>",
            points.join(" ")
        ));
    }

    /// A square that stands on its corner.
    pub fn diamond(&mut self, x: f64, y: f64, r: f64, extra: &str) {
        let (x, y, r) = (num(x), num(y), num(r));
        self.push(format_args!(
            "<path d=\"M{r} 0L0 {r}L-{r} 0L0 -{r}Z\" transform=\"translate({x} {y})\" {extra}/>"
        ));
    }

    pub fn circle(&mut self, x: f64, y: f64, r: f64, extra: &str) {
        let (x, y, r) = (num(x), num(y), num(r));
        self.push(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {extra}/>"
        ));
    }

    /// A triangle whose tip points to `degrees`, clockwise from the right.
    pub fn triangle(&mut self, x: f64, y: f64, r: f64, degrees: u16, extra: &str) {
        let (x, y, r) = (num(x), num(y), num(r));
        self.push(format_args!(
            "<path d=\"M{r} 0L-{r} {r}V-{r}Z\" transform=\"translate({x} {y}) \
             rotate({degrees})\" {extra}/>"
        ));
    }

    /// Elements that show `tooltip` when pointed at.
    pub fn group(&mut self, tooltip: &str, draw: impl FnOnce(&mut Self)) {
        self.push(format_args!("<g><title>{}</title>", escape(tooltip)));
        draw(self);
        self.push(format_args!("</g>"));
    }
}

/// Text for XML: special characters escaped; characters that XML
/// forbids, or that turn the direction of what follows, replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A number for an attribute: at most one decimal, never NaN.
fn num(value: f64) -> String {
    let value = if value.is_finite() {
        (value * 10.0).round() / 10.0
    } else {
        0.0
    };
    // Adding zero turns a negative zero into a positive one.
    format!("{}", value + 0.0)
}
