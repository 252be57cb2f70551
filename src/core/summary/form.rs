//! What all summaries are made of: words of 64 bits, and the checks of untrusted bytes.

use std::ops::RangeInclusive;

use crate::summary::error::{Error, Result};
use crate::time::{Clock, MAX_TIME, MIN_TIME};

/// The version of the format that is written.
pub(super) const VERSION: u8 = 1;

/// Magnitude beyond which a value is no score and no criterion: within it, and with weights
/// within theirs, no sum of squares over as many rows as can be counted overflows.
pub(super) const LARGEST: f64 = 1e100;
/// What a row may weigh beside 0. Smaller weights would be lost in their squares.
pub(super) const WEIGHTS: RangeInclusive<f64> = 1e-50..=1e50;

/// A value of a fixed size that rows and other such values can be added to.
pub trait Summary: Copy + Default + 'static {
    /// The name of the type.
    const NAME: &'static str;
    /// Bytes of the encoded form.
    const SIZE: usize;

    /// Writes the encoded form; `bytes` has [`Self::SIZE`] bytes.
    fn store(&self, bytes: &mut [u8]);

    /// Reads what [`Self::store`] wrote, without a check.
    fn load(bytes: &[u8]) -> Self;

    /// Reads untrusted bytes.
    fn decode(bytes: &[u8]) -> Result<Self>;

    /// The text form.
    fn to_text(&self) -> String;

    /// Reads the text form.
    fn from_text(text: &str) -> Result<Self>;

    /// Adds what another summary has seen.
    ///
    /// # Errors
    /// When the two cannot be put on one scale, such as different half-lives, and when their rows
    /// are too many to count.
    fn merge(&mut self, other: &Self) -> Result<()>;

    /// Rows that were left out since they cannot be used.
    fn excluded(&self) -> u64;
}

/// Rows beyond which no sum of them can be trusted to its last digit.
pub(super) const MOST_ROWS: u64 = 1 << 53;

/// Whether a value can be used as a score or a criterion.
pub fn usable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// How far rounding may carry sums over many rows beyond what exact ones could reach, as a share.
pub(super) const SLACK: f64 = 1e-6;

/// How far values can lie from their mean, as a share of it, when nothing but rounding sets them
/// apart: they may be sums of the same numbers in different orders.
pub(super) const NOISE: f64 = 4.0 * f64::EPSILON;

/// Whether values with this mean and weighted sum of squares about it differ by more than rounding.
pub(super) fn varies(mean: f64, squares: f64, weight: f64) -> bool {
    squares > weight * (NOISE * mean).powi(2)
}

/// Whether a sum is above 0, and at most as large as it can be.
pub(super) fn is_sum(sum: f64, most: f64) -> bool {
    sum > 0.0 && sum <= most * (1.0 + SLACK)
}

/// Whether a value is the mean of usable ones.
pub(super) fn is_mean(value: f64) -> bool {
    value.abs() <= LARGEST * (1.0 + SLACK)
}

/// Whether a sum of squares about a mean is one of `weight` usable values.
pub(super) fn is_sum_of_squares(squares: f64, weight: f64) -> bool {
    (0.0..=5.0 * LARGEST * LARGEST * weight).contains(&squares)
}

/// Whether a sum of products is one that goes with two sums of squares (Cauchy and Schwarz), which
/// vanish sooner than products when values are tiny.
pub(super) fn is_sum_of_products(products: f64, left: f64, right: f64) -> bool {
    products.abs() <= left.sqrt() * right.sqrt() * (1.0 + SLACK) + 1e-60
}

/// What takes one word of a summary.
pub(super) trait Word: Copy + Default {
    fn to_word(self) -> u64;
    fn from_word(word: u64) -> Self;
    fn to_text(self) -> String;
    fn from_text(text: &str) -> Option<Self>;
    fn is_finite(self) -> bool {
        true
    }
}

impl Word for u64 {
    fn to_word(self) -> u64 {
        self
    }
    fn from_word(word: u64) -> Self {
        word
    }
    fn to_text(self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Word for i64 {
    fn to_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        word as i64
    }
    fn to_text(self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Word for f64 {
    fn to_word(self) -> u64 {
        self.to_bits()
    }
    fn from_word(word: u64) -> Self {
        f64::from_bits(word)
    }
    /// The shortest digits that give the same value again.
    fn to_text(self) -> String {
        format!("{self:?}")
    }
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}

impl Word for bool {
    fn to_word(self) -> u64 {
        u64::from(self)
    }
    fn from_word(word: u64) -> Self {
        word != 0
    }
    fn to_text(self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// None while no row has come.
impl Word for Option<Clock> {
    fn to_word(self) -> u64 {
        match self {
            None => 0,
            Some(Clock::Calendar) => 1,
            Some(Clock::Absolute) => 2,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            1 => Some(Clock::Calendar),
            2 => Some(Clock::Absolute),
            _ => None,
        }
    }
    fn to_text(self) -> String {
        let name = match self {
            None => "none",
            Some(Clock::Calendar) => "calendar",
            Some(Clock::Absolute) => "absolute",
        };
        name.to_owned()
    }
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "none" => Some(None),
            "calendar" => Some(Some(Clock::Calendar)),
            "absolute" => Some(Some(Clock::Absolute)),
            _ => None,
        }
    }
}

/// Declares a summary by its words, of which `n` and `excluded` count rows. The type brings
/// `merge_rows`, for two that are not empty, and `fault`, which says what is wrong with values
/// that rows could not have led to.
macro_rules! summary {
    (
        $(#[$doc:meta])*
        $name:ident, $sql:literal {
            $($(#[$word_doc:meta])* $word:ident: $type:ty,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq)]
        pub struct $name {
            $($(#[$word_doc])* $word: $type,)+
        }

        impl $crate::summary::form::Summary for $name {
            const NAME: &'static str = $sql;
            const SIZE: usize = 8 * (1 + [$(stringify!($word)),+].len());

            #[inline]
            fn store(&self, bytes: &mut [u8]) {
                use $crate::summary::form::Word;
                let words = [u64::from($crate::summary::form::VERSION), $(self.$word.to_word()),+];
                for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
                    place.copy_from_slice(&word.to_le_bytes());
                }
            }

            #[inline]
            fn load(bytes: &[u8]) -> Self {
                use $crate::summary::form::Word;
                let mut words = bytes.chunks_exact(8).skip(1).map(|word| {
                    u64::from_le_bytes(word.try_into().unwrap_or_default())
                });
                Self {
                    $($word: Word::from_word(words.next().unwrap_or_default()),)+
                }
            }

            fn decode(bytes: &[u8]) -> $crate::summary::error::Result<Self> {
                $crate::summary::form::check_header($sql, bytes, Self::SIZE)?;
                let summary = Self::load(bytes);
                let mut rewritten = [0; Self::SIZE];
                summary.store(&mut rewritten);
                if bytes != rewritten {
                    return Err($crate::summary::form::malformed($sql, "a word has no meaning"));
                }
                summary.checked()
            }

            fn to_text(&self) -> String {
                use $crate::summary::form::Word;
                if self.is_empty() {
                    return format!("v{}", $crate::summary::form::VERSION);
                }
                let words = [$(format!("{}={}", stringify!($word), self.$word.to_text())),+];
                format!("v{} {}", $crate::summary::form::VERSION, words.join(" "))
            }

            fn from_text(text: &str) -> $crate::summary::error::Result<Self> {
                let mut words = $crate::summary::form::words_of_text($sql, text)?.peekable();
                if words.peek().is_none() {
                    return Ok(Self::default());
                }
                let summary = Self {
                    $($word: $crate::summary::form::word_of_text($sql, stringify!($word), &mut words)?,)+
                };
                match words.next() {
                    None => summary.checked(),
                    Some(_) => Err($crate::summary::form::malformed($sql, "it has a word too many")),
                }
            }

            fn merge(&mut self, other: &Self) -> $crate::summary::error::Result<()> {
                if other.is_empty() {
                    return Ok(());
                }
                if self.is_empty() {
                    *self = *other;
                    return Ok(());
                }
                let rows = (self.n + other.n).max(self.excluded + other.excluded);
                if rows > $crate::summary::form::MOST_ROWS {
                    return Err($crate::summary::error::Error::TooManyRows {
                        name: $sql,
                        limit: $crate::summary::form::MOST_ROWS,
                    });
                }
                self.merge_rows(other)
            }

            fn excluded(&self) -> u64 {
                self.excluded
            }
        }

        impl $name {
            /// Whether no row has come, not even one that was left out.
            fn is_empty(&self) -> bool {
                self.n == 0 && self.excluded == 0
            }

            fn checked(self) -> $crate::summary::error::Result<Self> {
                use $crate::summary::form::Word;
                if !($(self.$word.is_finite())&&+) {
                    return Err($crate::summary::form::malformed($sql, "a number is not finite"));
                }
                // To the last bit: the text form of an empty one has no room for the sign of a
                // zero.
                if self.is_empty() && [$(self.$word.to_word()),+].iter().any(|word| *word != 0) {
                    return Err($crate::summary::form::malformed($sql, "it counts rows it has not"));
                }
                if self.n.max(self.excluded) > $crate::summary::form::MOST_ROWS {
                    return Err($crate::summary::form::malformed($sql, "a count is too large"));
                }
                match self.fault() {
                    None => Ok(self),
                    Some(detail) => Err($crate::summary::form::malformed($sql, detail)),
                }
            }
        }
    };
}
pub(super) use summary;

pub(super) fn malformed(name: &'static str, detail: &'static str) -> Error {
    Error::Malformed { name, detail }
}

/// The version and the length, before anything else is read.
pub(super) fn check_header(name: &'static str, bytes: &[u8], size: usize) -> Result<()> {
    match bytes {
        [version, ..] if *version > VERSION => Err(Error::Newer {
            name,
            version: *version,
        }),
        [0, ..] => Err(malformed(name, "it has no version")),
        _ if bytes.len() != size => Err(malformed(name, "it has the wrong length")),
        _ => Ok(()),
    }
}

/// The words of a text form, after its version.
pub(super) fn words_of_text<'a>(
    name: &'static str,
    text: &'a str,
) -> Result<impl Iterator<Item = &'a str> + use<'a>> {
    let mut words = text.split_ascii_whitespace();
    let version = words.next().and_then(|word| word.strip_prefix('v'));
    match version.and_then(|version| version.parse::<u8>().ok()) {
        Some(VERSION) => Ok(words),
        Some(version) if version > VERSION => Err(Error::Newer { name, version }),
        _ => Err(malformed(name, "it does not begin with its version")),
    }
}

pub(super) fn word_of_text<'a, T: Word>(
    name: &'static str,
    key: &str,
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<T> {
    let value = words
        .next()
        .and_then(|word| word.strip_prefix(key)?.strip_prefix('='))
        .ok_or_else(|| malformed(name, "a word is missing or out of its place"))?;
    T::from_text(value).ok_or_else(|| malformed(name, "a word has no meaning"))
}

/// The clock of rows that join others.
pub(super) fn same_clock(left: Option<Clock>, right: Option<Clock>) -> Result<()> {
    match (left, right) {
        (Some(left), Some(right)) if left != right => Err(Error::Clocks),
        _ => Ok(()),
    }
}

/// Whether a time is one that rows can have.
pub(super) fn is_time(at: i64) -> bool {
    (MIN_TIME..=MAX_TIME).contains(&at)
}
