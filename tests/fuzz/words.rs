//! Words: any bytes have a normal form or none, and the form obeys the rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pg_assess_core::word::{Key, MAX_BYTES, Unusable, normalize};

fuzz_target!(|data: &[u8]| {
    is_form_or_refusal(data);
    // Two texts, apart at the first zero.
    let mut texts = data.splitn(2, |byte| *byte == 0);
    if let (Some(left), Some(right)) = (texts.next(), texts.next()) {
        compare(left, right);
    }
    let ascii: String = data.iter().map(|byte| char::from(byte & 0x7f)).collect();
    letters_have_no_case(&ascii);
    digits_apart_never_meet(&ascii);
});

fn is_form_or_refusal(text: &[u8]) {
    let word = match normalize(text) {
        Ok(word) => word,
        Err(Unusable::TooLong) => return,
        Err(why) => {
            assert!(std::str::from_utf8(text).is_ok() || why == Unusable::Damaged);
            return;
        }
    };
    assert!(!word.is_empty() && word.len() <= MAX_BYTES);
    assert_eq!(word.trim(), word);
    assert!(!word.contains("  "), "{word:?}");
    assert_eq!(
        normalize(word.as_bytes()).as_ref(),
        Ok(&word),
        "its own form"
    );
    let text = std::str::from_utf8(text).expect("checked by normalize");
    // Space around it is nothing, but for a mark that would stand on it.
    let wrapped = format!(" \t{text}\n");
    assert_eq!(
        normalize(wrapped.as_bytes()).as_ref(),
        Ok(&word),
        "{text:?}"
    );
}

/// Two texts are equal one way round if they are the other; a key has its own entries.
fn compare(left: &[u8], right: &[u8]) {
    let has = |entry: &[u8], text: &[u8]| {
        let key = Key::new([Some(entry)]);
        assert_eq!(key.unusable(), usize::from(normalize(entry).is_err()));
        key.has(normalize(text).ok().as_deref())
    };
    assert_eq!(has(left, left), normalize(left).ok().map(|_| true));
    if let (Some(one), Some(other)) = (has(left, right), has(right, left)) {
        assert_eq!(one, other);
        assert_eq!(one, normalize(left) == normalize(right));
    }
    let both = Key::new([Some(left), None, Some(right)]);
    for text in [left, right] {
        if let Ok(word) = normalize(text) {
            assert_eq!(both.has(Some(&word)), Some(true));
        }
    }
}

fn letters_have_no_case(text: &str) {
    let upper = normalize(text.to_ascii_uppercase().as_bytes());
    assert_eq!(
        normalize(text.to_ascii_lowercase().as_bytes()),
        upper,
        "{text:?}"
    );
}

/// No two digits that stood apart ever meet, and none is lost.
fn digits_apart_never_meet(text: &str) {
    // What cannot be seen sets nothing apart.
    let text: String = text
        .chars()
        .filter(|c| !c.is_control() || c.is_whitespace())
        .collect();
    let groups = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|group| !group.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if let Ok(word) = normalize(text.as_bytes()) {
        assert_eq!(groups(&word), groups(&text), "{text:?}");
    }
}
