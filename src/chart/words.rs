//! Numbers, names and counts as the pictures write them, and how wide that is.

/// A number of students.
pub fn students(n: usize) -> String {
    count(n, "student")
}

/// A number of things.
pub fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// A value with so many decimals, halves away from zero as in Postgres; what binary arithmetic
/// leaves of a half is one.
pub fn rounded(value: f64, decimals: usize) -> f64 {
    let scale = 10f64.powi(decimals as i32);
    let scaled = value.abs() * scale;
    if !scaled.is_finite() {
        return value;
    }
    let left = scaled.min(1e9) * 4.0 * f64::EPSILON;
    ((scaled + left).round() / scale).copysign(value)
}

/// The same as text, with a true minus sign.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.*}", decimals, rounded(value.abs(), decimals));
    if value < 0.0 && is_not_zero(&text) {
        format!("−{text}")
    } else {
        text
    }
}

/// A share as per cent.
pub fn percent(share: f64, decimals: usize) -> String {
    decimal(share * 100.0, decimals)
}

/// The same with a plus sign when it is above zero.
pub fn signed_percent(share: f64, decimals: usize) -> String {
    let text = percent(share, decimals);
    if share > 0.0 && is_not_zero(&text) {
        format!("+{text}")
    } else {
        text
    }
}

fn is_not_zero(digits: &str) -> bool {
    digits.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

/// A share that somebody has set: as per cent with the decimal it may have.
pub fn exact_percent(share: f64) -> String {
    let text = percent(share, 1);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A score that is no share, with as many decimals as distinguish what lies within `range`.
pub fn plain(score: f64, range: f64) -> String {
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

/// A score: a share as per cent, another as it is.
pub fn score(score: f64, bounded: bool) -> String {
    match bounded {
        true => format!("{} %", percent(score, 0)),
        false => plain(score, score.abs()),
    }
}

/// At most `most` characters, with an ellipsis where some are left out.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// As much of a text as is at most so wide, with an ellipsis where some is left out.
pub fn fit(text: &str, size: f64, width: f64) -> String {
    // No font has more characters in a width than this.
    let text = shorten(text, (width / size * 4.0) as usize);
    if text_width(&text, size) <= width {
        return text;
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let fits = |end: &&usize| text_width(&text[..**end], size) + size <= width;
    let end = ends.iter().rev().find(fits).copied().unwrap_or(0);
    format!("{}…", text[..end].trim_end())
}

/// About how wide a text is, rather too much than too little: fonts differ from reader to reader.
pub fn text_width(text: &str, size: f64) -> f64 {
    let em = |c| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | '\'' | ' ' | '|' => 0.36,
        'f' | 't' | 'r' | '-' => 0.45,
        'm' | 'w' | 'M' | 'W' | '@' | '…' => 1.0,
        'A'..='Z' => 0.74,
        c if c < '\u{1100}' => 0.64,
        _ => 1.05,
    };
    text.chars().map(em).sum::<f64>() * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        // As Postgres rounds them in the sentences beside the pictures.
        for (share, decimals, words) in [
            (0.625, 0, "63"),
            (0.575, 0, "58"),
            (0.005, 0, "1"),
            (-0.625, 0, "−63"),
            (0.6225, 1, "62.3"),
            (0.624, 0, "62"),
            (-0.0004, 1, "0.0"),
            (-0.0004, 2, "−0.04"),
            (1e300, 0, &format!("{:.0}", 1e302)),
        ] {
            assert_eq!(percent(share, decimals), words, "{share}");
        }
        assert_eq!(decimal(0.125, 2), "0.13");
        assert_eq!(rounded(0.0078125, 6), 0.007813);
        assert_eq!(rounded(-0.1234565, 6), -0.123457);
        for value in [0.0, 1e12, 1e15 + 0.5, f64::MAX, f64::INFINITY] {
            assert_eq!(rounded(value, 0), value.round());
        }
        assert!(rounded(f64::NAN, 6).is_nan());
    }

    #[test]
    fn things_are_counted() {
        assert_eq!(students(1), "1 student");
        assert_eq!(count(0, "assessment"), "0 assessments");
        assert_eq!(exact_percent(0.625), "62.5");
        assert_eq!(exact_percent(0.9), "90");
    }
}
