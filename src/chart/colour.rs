//! The colours of the pictures. Those of low and high, falling and rising are corners of a
//! two-dimensional scale, mixed in OKLab where equal steps look equal.

use palette::{FromColor, LinSrgb, Oklab, Srgb};
use pg_assess_core::students::quadrant::Quadrant;

pub type Rgb = [u8; 3];

const LOW_FALLING: Rgb = [0x24, 0x0b, 0x52];
const LOW_RISING: Rgb = [0x6f, 0x9b, 0xe3];
const HIGH_FALLING: Rgb = [0xb7, 0x9a, 0x86];
const HIGH_RISING: Rgb = [0xe6, 0x55, 0x00];
/// The unremarkable middle is pale, so that the corners stand out.
pub const MIDDLE: Rgb = [0xc4, 0xb9, 0xc0];
/// Of whom no quadrant is known.
pub const UNKNOWN: &str = "#777777";

/// The colour of a quadrant's students.
pub fn corner(quadrant: Quadrant) -> Rgb {
    match quadrant {
        Quadrant::LowFalling => LOW_FALLING,
        Quadrant::LowRising => LOW_RISING,
        Quadrant::HighFalling => HIGH_FALLING,
        Quadrant::HighRising => HIGH_RISING,
    }
}

/// The same, dark enough for words and lines on white.
pub fn ink(quadrant: Quadrant) -> &'static str {
    match quadrant {
        Quadrant::LowFalling => "#240b52",
        Quadrant::LowRising => "#2f5fb3",
        Quadrant::HighFalling => "#7a5f4c",
        Quadrant::HighRising => "#b84300",
    }
}

/// The colour at `level` and `change`, both from 0 (low, falling) to 1 (high, rising).
///
/// Darkest where low and falling, deep orange where high and rising. Lightness and the
/// blue-orange axis carry it, which people with the common colour vision deficiencies also see.
pub fn colour(level: f64, change: f64) -> Rgb {
    let unit = |v: f64| {
        if v.is_finite() {
            v.clamp(0.0, 1.0)
        } else {
            0.5
        }
    };
    let (u, v) = (unit(level), unit(change));
    let middle = 0.6 * (1.0 - (2.0 * u - 1.0).abs()) * (1.0 - (2.0 * v - 1.0).abs());
    let rest = 1.0 - middle;
    let shares = [
        (LOW_FALLING, rest * (1.0 - u) * (1.0 - v)),
        (LOW_RISING, rest * (1.0 - u) * v),
        (HIGH_FALLING, rest * u * (1.0 - v)),
        (HIGH_RISING, rest * u * v),
        (MIDDLE, middle),
    ];
    let mix = |mix: Oklab<f64>, (corner, share): (Rgb, f64)| mix + oklab(corner) * share;
    srgb(shares.into_iter().fold(Oklab::new(0.0, 0.0, 0.0), mix))
}

pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn oklab(rgb: Rgb) -> Oklab<f64> {
    Oklab::from_color(Srgb::from(rgb).into_linear())
}

fn srgb(mix: Oklab<f64>) -> Rgb {
    let light = LinSrgb::from_color(mix);
    Srgb::<f64>::from_linear(light).into_format().into()
}
