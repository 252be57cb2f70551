//! A two-dimensional colour scale, mixed in OKLab where equal steps look equal.

pub type Rgb = [u8; 3];

const LOW_FALLING: Rgb = [0x24, 0x0b, 0x52];
const LOW_RISING: Rgb = [0x6f, 0x9b, 0xe3];
const HIGH_FALLING: Rgb = [0xb7, 0x9a, 0x86];
const HIGH_RISING: Rgb = [0xe6, 0x55, 0x00];
/// The unremarkable middle is pale, so that the corners stand out.
const MIDDLE: Rgb = [0xc4, 0xb9, 0xc0];

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
    let mut mix = [0.0; 3];
    for (corner, share) in shares {
        for (sum, part) in mix.iter_mut().zip(oklab(corner)) {
            *sum += share * part;
        }
    }
    srgb(mix)
}

pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

// Matrices of OKLab (Ottosson 2020) and the transfer function of sRGB.

fn oklab(rgb: Rgb) -> [f64; 3] {
    let [r, g, b] = rgb.map(|byte| match f64::from(byte) / 255.0 {
        c if c <= 0.04045 => c / 12.92,
        c => ((c + 0.055) / 1.055).powf(2.4),
    });
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    ]
}

fn srgb([lightness, a, b]: [f64; 3]) -> Rgb {
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ]
    .map(|c| {
        let c = match c.clamp(0.0, 1.0) {
            c if c <= 0.0031308 => 12.92 * c,
            c => 1.055 * c.powf(1.0 / 2.4) - 0.055,
        };
        (c * 255.0).round() as u8
    })
}
