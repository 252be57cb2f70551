//! Typed answers and untidy labels as words that can be compared.
//!
//! A text is brought to Unicode's NFKC with full case folding (The Unicode Standard, section 3.13,
//! definition D146), and its punctuation goes where it only separates or decorates. What makes one
//! number another, or a grade another, stays: 3.5 is not 35, -4 is not 4, A- is not A. No two
//! digits that stood apart ever meet.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// A longer text is no answer and no label. The form is held to it as well, so that it has a form
/// itself: compatibility may make a text eleven times as long.
pub const MAX_BYTES: usize = 1 << 16;

/// Why a text cannot be normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// What the text once said is lost, or Unicode does not say what it means.
    #[error("a text is not valid UTF-8, or has a replacement, private-use or unassigned character")]
    Damaged,
    #[error("a text or its normal form is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("a text has no letter, digit or symbol")]
    Blank,
}

/// The normal form of a text, which is its own normal form. `text` is UTF-8; it and the result have
/// at most [`MAX_BYTES`].
pub fn normalize(text: &[u8]) -> Result<String, Unusable> {
    if text.len() > MAX_BYTES {
        return Err(Unusable::TooLong);
    }
    let text = std::str::from_utf8(text).map_err(|_| Unusable::Damaged)?;
    // Of what is decomposed, folding makes nothing that could be decomposed further.
    let spelled = spell_out(text)?;
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&spelled);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let stripped = strip(&folded);
    if stripped.is_empty() {
        return Err(Unusable::Blank);
    }
    // Marks that have come together are put in order again.
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&stripped);
    if composed.len() > MAX_BYTES {
        return Err(Unusable::TooLong);
    }
    Ok(composed.into_owned())
}

/// Leaves out what is not seen, and writes out what NFKD would run together: 10² is no 102,
/// 3½ no 31/2, ①② no 12.
fn spell_out(text: &str) -> Result<String, Unusable> {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        let category = category(c);
        if c == '\u{fffd}' || is_meaningless(category) {
            return Err(Unusable::Damaged);
        }
        if is_invisible(c, category) {
            continue;
        }
        let number = NumberForm::of(c, category);
        match (before, number) {
            (Some(NumberForm::Raised), Some(NumberForm::Raised)) => {}
            (_, Some(NumberForm::Raised)) => out.push('^'),
            (Some(left), Some(right)) if left != right || right == NumberForm::Whole => {
                out.push(' ');
            }
            _ => {}
        }
        out.push(match c {
            // Acute accents on their own, which NFKD would put on a blank.
            '\u{b4}' | '\u{1ffd}' => '\'',
            other => other,
        });
        before = number;
    }
    Ok(out)
}

/// How the digits of a number are written; only such of one form make one number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberForm {
    Plain,
    Raised,
    Lowered,
    /// One character is the whole number, as ½ and ⑩ are.
    Whole,
}

impl NumberForm {
    fn of(c: char, category: GeneralCategory) -> Option<Self> {
        match c {
            '²' | '³' | '¹' | '\u{2070}'..='\u{207f}' => Some(Self::Raised),
            '\u{2080}'..='\u{208e}' => Some(Self::Lowered),
            _ if category == GeneralCategory::DecimalNumber => Some(Self::Plain),
            _ if category == GeneralCategory::OtherNumber && !is_decomposed(c) => Some(Self::Whole),
            _ => None,
        }
    }
}

fn is_decomposed(c: char) -> bool {
    DecomposingNormalizerBorrowed::new_nfkd().is_normalized(c.encode_utf8(&mut [0; 4]))
}

/// What a character of a decomposed and folded text is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gap,
    Letter,
    Mark,
    Digit,
    Symbol,
    /// Apostrophes and points, which may stand inside a word.
    Joiner,
    Dash,
    /// Brackets and quotation marks, which never are part of a number.
    Bracket,
    Punctuation,
}

impl Kind {
    fn of(c: char) -> Self {
        use GeneralCategory as G;
        match c {
            '.' | '·' | '\u{2027}' | '״' => return Self::Joiner,
            c if is_apostrophe(c) => return Self::Joiner,
            // Punctuation by category, but more than that by use: C#, 50 %, x*y.
            '#' | '%' | '*' | '‰' | '‱' | '٪' => return Self::Symbol,
            '\u{2212}' => return Self::Dash,
            '\u{2044}' | '\u{2215}' => return Self::Punctuation,
            '"' => return Self::Bracket,
            c if c.is_whitespace() => return Self::Gap,
            _ => {}
        }
        match category(c) {
            G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter => Self::Letter,
            G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Self::Mark,
            G::DecimalNumber => Self::Digit,
            G::DashPunctuation => Self::Dash,
            G::OpenPunctuation
            | G::ClosePunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation => Self::Bracket,
            G::ConnectorPunctuation | G::OtherPunctuation => Self::Punctuation,
            _ => Self::Symbol,
        }
    }

    /// Whether it stays wherever it stands.
    fn always_stays(self) -> bool {
        matches!(self, Self::Letter | Self::Digit | Self::Symbol)
    }
}

/// Takes the punctuation out of a decomposed and folded text; one space is between what remains.
///
/// Each decision looks at what was written last and at what comes next, and punctuation stays only
/// beside what stays in any case. So nothing more is found in the result.
fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // What was written last; a gap also where one has yet to be written.
    let mut left = Kind::Gap;
    let mut rest = text.chars().filter(|c| *c != TATWEEL).peekable();
    while let Some(c) = rest.next() {
        let kind = Kind::of(c);
        let right = rest.peek().map_or(Kind::Gap, |next| Kind::of(*next));
        let stays = match kind {
            kind if kind.always_stays() => true,
            Kind::Gap | Kind::Bracket => false,
            // A mark on nothing is a slip of the finger.
            Kind::Mark => left != Kind::Gap,
            // 3.5, 1/2, 10:30, 2026-05-04
            _ if left == Kind::Digit && right == Kind::Digit => true,
            // .5 and -.5
            _ if c == '.' => matches!(left, Kind::Gap | Kind::Symbol) && right == Kind::Digit,
            _ if is_hyphen(c) => {
                let to_left = left != Kind::Gap;
                let to_right = right.always_stays() || begins_number(rest.clone());
                match (to_left, to_right) {
                    // x=-4, but well-known are two words
                    (true, true) => left == Kind::Symbol,
                    // A-
                    (true, false) => !matches!(right, Kind::Dash | Kind::Mark),
                    // -4
                    (false, true) => true,
                    // - 4
                    (false, false) => {
                        out.is_empty() && begins_number(rest.clone().skip_while(is_space))
                    }
                }
            }
            _ => false,
        };
        if stays {
            if left == Kind::Gap && !out.is_empty() {
                out.push(' ');
            }
            out.push(plain(c, kind));
            left = match kind {
                Kind::Letter | Kind::Digit | Kind::Mark => kind,
                _ => Kind::Symbol,
            };
            if out == "-" {
                while rest.next_if(is_space).is_some() {}
            }
            continue;
        }
        // don't, U.S.A.
        let is_inside = matches!(left, Kind::Letter | Kind::Mark) && right == Kind::Letter;
        if kind != Kind::Joiner || !is_inside {
            left = Kind::Gap;
        }
        // An ellipsis is no decimal point.
        if c == '.' {
            while rest.next_if_eq(&'.').is_some() {}
        }
    }
    out
}

fn is_space(c: &char) -> bool {
    c.is_whitespace()
}

fn begins_number(mut text: impl Iterator<Item = char>) -> bool {
    let first = text.next();
    let first = if first == Some('.') {
        text.next()
    } else {
        first
    };
    first.map(Kind::of) == Some(Kind::Digit)
}

/// What stays of punctuation, as a keyboard has it.
fn plain(c: char, kind: Kind) -> char {
    match c {
        _ if kind == Kind::Dash => '-',
        c if is_apostrophe(c) => '\'',
        '\u{2044}' | '\u{2215}' => '/',
        other => other,
    }
}

/// Stretches Arabic words and says nothing.
const TATWEEL: char = '\u{640}';

/// What people type for an apostrophe, and the letters that look like one.
fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '‘' | '’' | '‛' | '′' | '\u{2b9}' | '\u{2bb}' | '\u{2bc}' | '׳' | '\u{55a}'
    )
}

/// Dashes that may be a minus; those longer than a figure only divide.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2013}' | '\u{2212}')
}

fn is_meaningless(category: GeneralCategory) -> bool {
    matches!(
        category,
        GeneralCategory::Unassigned | GeneralCategory::PrivateUse
    )
}

/// Soft hyphens, joiners, marks of direction, byte order marks, variation selectors, controls.
fn is_invisible(c: char, category: GeneralCategory) -> bool {
    let is_control = matches!(category, GeneralCategory::Control | GeneralCategory::Format);
    c == TATWEEL
        || is_control && !c.is_whitespace()
        || !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// The answers that are right, ready to be compared with many.
#[derive(Debug, Default)]
pub struct Key {
    /// Normal forms in order.
    words: Vec<String>,
    unusable: usize,
}

impl Key {
    /// From what may be typed; `None` stands for NULL, which nothing equals.
    pub fn new<'a>(entries: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        let mut key = Self::default();
        for entry in entries {
            match entry.map(normalize) {
                Some(Ok(word)) => key.words.push(word),
                _ => key.unusable += 1,
            }
        }
        key.words.sort_unstable();
        key
    }

    /// How many entries can be compared with no answer.
    pub fn unusable(&self) -> usize {
        self.unusable
    }

    /// Whether a normal form is right; none when nothing could be.
    pub fn has(&self, word: Option<&str>) -> Option<bool> {
        let is_right = |word: &str| {
            let found = self
                .words
                .binary_search_by(|entry| entry.as_str().cmp(word));
            found.is_ok()
        };
        (!self.words.is_empty()).then(|| word.is_some_and(is_right))
    }
}
