//! What the tests of the pictures share: whether a drawing is well-formed, and its words legible.
#![allow(dead_code)] // Each test program uses its part.

use pg_assess_chart::{Rect, text_width};
use proptest::prelude::ProptestConfig;
use serde_json::Value;

/// So many cases, of which none is kept.
pub fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts that are no good words, but may be ids.
pub const HOSTILE: [&str; 8] = [
    "</text><script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "Tom & Jerry's <b>",
    "]]>&#0;",
    "nul\0bell\u{7}del\u{7f}\u{fffe}",
    "two\nlines\tand\u{202e}reversed",
    "",
    "ŁÓDŹ 学生 طالب 👩🏽‍🎓",
];

pub const ODD: [f64; 9] = [
    0.0,
    -0.0,
    1e-300,
    -3.0,
    1e6,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A repeatable number from 0 to 1.
pub fn dice(i: usize) -> f64 {
    (i as f64 * 0.754_877_666).fract()
}

/// A specification has its data in it, and only fields that the data have.
#[track_caller]
pub fn assert_specification(spec: &Value) {
    let schema = "https://vega.github.io/schema/vega-lite/v5.json";
    assert_eq!(spec["$schema"], schema);
    for words in [&spec["title"]["text"], &spec["title"]["subtitle"]] {
        assert!(words.is_string(), "{words}");
    }
    let data = &spec["data"]["values"];
    assert!(data.is_array());
    assert_view(spec, data);
}

fn assert_view(view: &Value, data: &Value) {
    assert!(view.get("url").is_none());
    let data = match &view["data"]["values"] {
        Value::Null => data,
        own => own,
    };
    let fields = |encoding: &Value| -> Vec<String> {
        let of = |channel: &Value| channel["field"].as_str().map(str::to_owned);
        let channels = encoding
            .as_object()
            .into_iter()
            .flat_map(|all| all.values());
        channels
            .flat_map(|channel| match channel {
                Value::Array(several) => several.iter().filter_map(of).collect(),
                one => Vec::from_iter(of(one)),
            })
            .collect()
    };
    for field in fields(&view["encoding"]) {
        for row in data.as_array().into_iter().flatten() {
            assert!(row.get(&field).is_some(), "{field} is not in {row}");
        }
    }
    for parts in [&view["layer"], &view["vconcat"]] {
        for part in parts.as_array().into_iter().flatten() {
            assert_view(part, data);
        }
    }
}

/// A small check of well-formedness: tags nest, attributes are quoted, entities are known.
pub fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert_text(&rest[..start]);
        let end = rest[start..].find('>').expect("every tag ends") + start;
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "a stray < in {tag:?}");
        let name = tag
            .trim_end_matches('/')
            .split_whitespace()
            .next()
            .unwrap_or("");
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else {
            assert!(
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()),
                "{tag:?}"
            );
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag:?}");
            tag.split('"').skip(1).step_by(2).for_each(assert_text);
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    assert_eq!(rest.trim(), "");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(
        !svg.contains("NaN") && !svg.contains("inf"),
        "a figure is not finite"
    );
}

fn assert_text(text: &str) {
    for part in text.split('&').skip(1) {
        let entity = part.split(';').next().unwrap_or("");
        assert!(
            ["amp", "lt", "gt", "quot", "#39"].contains(&entity),
            "&{entity}"
        );
    }
    let allowed = |c: char| c == '\n' || (c >= ' ' && !('\u{7f}'..='\u{9f}').contains(&c));
    assert!(
        text.chars()
            .all(|c| allowed(c) && c != '\u{fffe}' && c != '\u{ffff}')
    );
}

/// The places of all words of a drawing, beside the words.
pub fn words_of(svg: &str) -> Vec<(Rect, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let number = |tag: &str, name: &str| attribute(tag, name)?.parse::<f64>().ok();
    svg.lines()
        .filter(|line| line.starts_with("<text "))
        .map(|line| {
            let (tag, rest) = line.split_once('>').expect("a tag ends");
            let words = rest.strip_suffix("</text>").expect("and its element");
            let words = &words
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            let (x, y) = (number(tag, "x"), number(tag, "y"));
            let (x, y) = x.zip(y).expect("words have a place");
            let size = number(tag, "font-size").expect("and a size");
            let w = text_width(words, size) * 0.85;
            let before = match attribute(tag, "text-anchor").as_deref() {
                Some("middle") => w / 2.0,
                Some("end") => w,
                _ => 0.0,
            };
            let (up, h) = (0.7 * size, 0.8 * size);
            let place = match tag.contains("rotate(-90 ") {
                true => Rect {
                    x: x - up,
                    y: y - w + before,
                    w: h,
                    h: w,
                },
                false => Rect {
                    x: x - before,
                    y: y - up,
                    w,
                    h,
                },
            };
            (place, words.to_owned())
        })
        .collect()
}

/// No words cover others, and all are on the drawing.
#[track_caller]
pub fn assert_legible(svg: &str) {
    assert_well_formed(svg);
    let number = |name: &str| -> f64 {
        let (_, rest) = svg.split_once(&format!(" {name}=\"")).expect("a size");
        rest.split('"')
            .next()
            .expect("a value")
            .parse()
            .expect("a number")
    };
    let page = Rect {
        x: 0.0,
        y: 0.0,
        w: number("width"),
        h: number("height"),
    };
    let words = words_of(svg);
    for (i, (place, text)) in words.iter().enumerate() {
        assert!(
            place.within(page),
            "{text:?} at {place:?} leaves the drawing"
        );
        for (other, covered) in &words[i + 1..] {
            assert!(!place.overlaps(*other), "{text:?} and {covered:?} overlap");
        }
    }
    assert_contrast(svg);
}

/// A colour such as `#fff` or `#240b52`.
fn colour_of(hex: &str) -> Option<[u8; 3]> {
    let digits = hex.strip_prefix('#')?;
    let short = digits.len() == 3;
    let byte = |i: usize| match short {
        true => u8::from_str_radix(&digits[i..=i].repeat(2), 16),
        false => u8::from_str_radix(&digits[2 * i..2 * i + 2], 16),
    };
    Some([0, 1, 2].map(|i| byte(i).expect("hexadecimal digits")))
}

/// The primaries of sRGB as shares of the full light.
pub fn linear(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|byte| match f64::from(byte) / 255.0 {
        c if c <= 0.04045 => c / 12.92,
        c => ((c + 0.055) / 1.055).powf(2.4),
    })
}

/// Relative luminance as in the accessibility guidelines (WCAG 2).
pub fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = linear(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Words stand out from what they stand on as these guidelines want it of small letters.
pub fn assert_contrast(svg: &str) {
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let number = |tag: &str, name: &str| attribute(tag, name)?.parse::<f64>().ok();
    let mut grounds: Vec<(Rect, [u8; 3])> = Vec::new();
    for line in svg.lines() {
        let tag = line.split_once('>').map_or(line, |(tag, _)| tag);
        let fill = || colour_of(&attribute(tag, "fill")?);
        if tag.starts_with("<rect ") {
            let [x, y, w, h] = ["x", "y", "width", "height"].map(|n| number(tag, n).unwrap_or(0.0));
            grounds.extend(fill().map(|fill| (Rect { x, y, w, h }, fill)));
        } else if tag.starts_with("<text ") {
            let ink = fill().expect("words have a colour");
            let (place, words) = words_of(line).remove(0);
            let centre = Rect {
                x: place.x + place.w / 2.0,
                y: place.y + place.h / 2.0,
                w: 0.0,
                h: 0.0,
            };
            let below = grounds.iter().rev().find(|(rect, _)| centre.within(*rect));
            let ground = below.map_or([255; 3], |(_, fill)| *fill);
            let (ink, ground) = (luminance(ink), luminance(ground));
            let contrast = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
            assert!(contrast >= 4.5, "{words:?} has a contrast of {contrast:.2}");
        }
    }
}
