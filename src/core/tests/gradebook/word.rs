//! Words by Unicode's own rules, as Python has them, and by what must never be taken for the same.

use pg_assess_core::word::{Key, MAX_BYTES, Unusable, normalize};
use pg_assess_test_support::cases;
use proptest::prelude::*;

#[track_caller]
fn word(text: &str) -> String {
    normalize(text.as_bytes()).unwrap_or_else(|why| panic!("{text:?}: {why}"))
}

/// Fails unless each text has the normal form before it.
#[track_caller]
fn assert_forms(forms: &[(&str, &[&str])]) {
    for (expected, texts) in forms {
        for text in *texts {
            assert_eq!(word(text), *expected, "{text:?}");
            assert_eq!(word(&word(text)), *expected, "{text:?} again");
        }
    }
}

#[test]
fn letters_fold_as_pythons_tables_say() {
    let table = include_str!("words/casefold.tsv");
    for line in table.lines() {
        let (code_points, expected) = line.split_once('\t').expect("two columns");
        let text: String = code_points
            .split(' ')
            .map(|hex| u32::from_str_radix(hex, 16).expect("a number"))
            .map(|number| char::from_u32(number).expect("a character"))
            .collect();
        assert_eq!(word(&text), expected, "{code_points}");
    }
    assert!(table.lines().count() > 150);
}

#[test]
fn a_product_is_no_list_of_words() {
    for [one, other] in [
        ["x*y", "x-y"],
        ["4 * 5", "4 / 5"],
        ["x*2", "x/2"],
        ["2*3", "23"],
    ] {
        assert_ne!(word(one), word(other), "{one}");
    }
}

#[test]
fn words_lose_what_only_decorates_them() {
    assert_forms(&[
        (
            "paris",
            &[
                "Paris",
                " PARIS. ",
                "«Paris»",
                "(paris)",
                "\u{feff}Pa\u{ad}ris\u{200b}\n",
            ],
        ),
        (
            "dont",
            &[
                "don't",
                "Don’t",
                "don‘t",
                "don`t",
                "don´t",
                "donʼt",
                "DON＇T",
                "don\u{2032}t",
            ],
        ),
        ("мята", &["м'ята", "м’ята", "мʼята"]),
        ("collecció", &["col·lecció", "col.lecció"]),
        ("צהל", &["צה״ל", "צה׳ל"]),
        ("dogs bone", &["dogs' bone", "dogs’ bone"]),
        ("tis", &["'tis", "’Tis"]),
        ("rock n roll", &["rock 'n' roll", "Rock ’n’ Roll!"]),
        ("usa", &["U.S.A.", "u.s.a", "USA"]),
        ("10.30 am", &["10.30 a.m.", "10.30 AM"]),
        (
            "well known",
            &[
                "well-known",
                "Well known",
                "well–known",
                "well — known",
                "well\u{2011}known",
            ],
        ),
        (
            "and or",
            &[
                "and/or",
                "and, or",
                "and_or",
                "and…or",
                "and...or",
                "and\u{a0}\t or",
            ],
        ),
        (
            "red green",
            &[
                "red,green",
                "red; green",
                "{red} [green]",
                "red\u{3000}green",
            ],
        ),
        (
            "math unit 1",
            &["Math_Unit-1", "MATH: unit 1", "math—unit—1"],
        ),
        ("fig 5", &["Fig.5", "fig. 5", "fig...5"]),
        ("2 paris", &["2.Paris", "2) Paris"]),
        ("que", &["¿Que?", "¡QUE!"]),
        ("عربي", &["عـــربي"]),
        ("می خواهم", &["می خواهم"]),
        ("میخواهم", &["می\u{200c}خواهم"]),
        ("レオナルド ダ ヴィンチ", &["レオナルド・ダ・ヴィンチ"]),
        ("こんにちは 世界", &["「こんにちは、世界。」"]),
        ("❤", &["❤\u{fe0f}", "❤"]),
        ("👨👩👧", &["👨\u{200d}👩\u{200d}👧"]),
        ("i̇stanbul", &["İstanbul"]),
        ("ıspanak", &["ıspanak"]),
        ("é", &["e\u{301}", "É", "e\u{200b}\u{301}"]),
        ("a", &["\u{301}a", "´a", "¨ a", "a \u{301}"]),
        ("ạ\u{301}", &["a\u{301}\u{323}", "á\u{200d}\u{323}"]),
    ]);
}

#[test]
fn numbers_grades_and_names_keep_what_makes_them() {
    assert_forms(&[
        ("3.5", &["3.5", " 3.5. ", "(3.5)", "３．５"]),
        ("35", &["35", "\u{ad}3\u{200b}5"]),
        ("3,5", &["3,5"]),
        ("1,000", &["1,000,", "1,000."]),
        ("1'000", &["1'000", "1’000"]),
        (".5", &[".5", "(.5)"]),
        ("-.5", &["-.5", "−.5"]),
        ("$.5", &["$.5"]),
        ("-4", &["-4", "−4", "–4", "(-4)", "－4", " - 4", "– 4"]),
        ("4", &["4", "4.", "4!", "— 4"]),
        ("+4", &["+4"]),
        ("-4 a", &["- 4 a"]),
        ("a 4", &["- a - 4"]),
        ("x=-4", &["x=-4", "X=−4"]),
        ("-x", &["-x", "−X"]),
        ("1/2", &["1/2", "½", "1⁄2", "1∕2"]),
        ("3 1/2", &["3½", "3 1/2", "3 ½"]),
        ("-1/2", &["-½", "-1/2"]),
        ("31/2", &["31/2"]),
        ("10^2", &["10²", "10^2"]),
        ("10^-2", &["10⁻²", "10^-2"]),
        ("x^23", &["x²³", "x^23"]),
        ("102", &["102"]),
        ("10 2", &["10₂"]),
        ("h2o", &["H₂O", "h2o"]),
        ("c6h12o6", &["C₆H₁₂O₆"]),
        ("o^2-", &["O²⁻"]),
        (
            "1 2",
            &["①②", "1 2", "1...2", "1…2", "1 (2)", "1..2", "1\"2", "1“2"],
        ),
        ("12", &["⑫", "1\u{2060}2"]),
        ("1st", &["1ˢᵗ", "1st"]),
        ("10:30", &["10:30"]),
        ("2026-05-04", &["2026-05-04", "2026‑05‑04"]),
        ("10-12", &["10–12", "10-12", "10—12"]),
        ("5'6", &["5'6\"", "5′6″"]),
        ("50%", &["50%", "50%."]),
        ("50", &["50"]),
        ("c#", &["C#"]),
        ("c++", &["C++"]),
        ("c", &["C", "c."]),
        ("x+1", &["x+1"]),
        ("a-", &["A-", "A−", "(A-)", "A-."]),
        ("a- b+", &["A-, B+"]),
        ("a", &["A", "a—", "A--"]),
        ("≠", &["≠", "=\u{338}"]),
        ("٣٫٥", &["٣٫٥"]),
        ("👍", &["👍"]),
    ]);
}

#[test]
fn what_says_nothing_has_no_normal_form() {
    use Unusable::{Blank, Damaged, TooLong};
    for (text, why) in [
        ("", Blank),
        (" \t\n\u{a0}", Blank),
        ("???", Blank),
        ("- -", Blank),
        ("--", Blank),
        ("…", Blank),
        ("\u{200f}\u{202e}", Blank),
        ("\u{301}\u{302}", Blank),
        ("´", Blank),
        ("\0\u{1b}", Blank),
        ("ـ", Blank),
        ("\u{3164}", Blank),
        ("caf\u{fffd}", Damaged),
        ("\u{e000}", Damaged),
        ("a\u{10fffd}", Damaged),
        ("\u{378}", Damaged),
        ("\u{ffff}", Damaged),
    ] {
        assert_eq!(normalize(text.as_bytes()), Err(why), "{text:?}");
    }
    for bytes in [
        &b"caf\xe9"[..],
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"a\xf0\x9f",
    ] {
        assert_eq!(normalize(bytes), Err(Damaged), "{bytes:?}");
    }
    let longest = "ß".repeat(MAX_BYTES / 2);
    assert_eq!(word(&longest), "ss".repeat(MAX_BYTES / 2));
    assert_eq!(normalize((longest + "x").as_bytes()), Err(TooLong));
    // What can be grown most, and what must be put in order.
    let grown = "\u{fdfa}".repeat(MAX_BYTES / 33);
    assert_eq!(word(&grown).len(), 33 * (MAX_BYTES / 33));
    assert_eq!(word(&word(&grown)), word(&grown));
    for n in [MAX_BYTES / 33 + 1, MAX_BYTES / 3] {
        assert_eq!(normalize("\u{fdfa}".repeat(n).as_bytes()), Err(TooLong));
    }
    let marks: String = "\u{301}\u{323}".repeat(MAX_BYTES / 4 - 1);
    let half = MAX_BYTES / 4 - 1;
    assert_eq!(
        word(&format!("x{marks}")),
        format!("x{}{}", "\u{323}".repeat(half), "\u{301}".repeat(half))
    );
}

#[test]
fn one_turn_is_enough_for_every_character() {
    // Ideographs and syllables of Hangul are all alike.
    for c in '\0'..=char::MAX {
        let is_common = matches!(c, '\u{3400}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}');
        if is_common {
            continue;
        }
        let text = format!("{c}a{c}b1{c}2 {c}3={c}e\u{301}{c}");
        if let Ok(once) = normalize(text.as_bytes()) {
            assert_eq!(normalize(once.as_bytes()), Ok(once), "{text:?}");
        }
    }
}

/// Any text, most often of what has rules of its own.
fn text() -> impl Strategy<Value = String> {
    let special: Vec<char> = "aAβßſİı1٣２².,:/-–—−'’´`·״_%#*$+=^\"()“½①₂⁻¨ŉﬁﹱᾼ👍 \t\u{a0}\
                              \u{301}\u{323}\u{345}\u{338}\u{ad}\u{200d}\u{200b}ـ\
                              \u{1112}\u{1161}\u{11ab}か\u{3099}ﾞ"
        .chars()
        .collect();
    let one = prop_oneof![8 => prop::sample::select(special), 1 => any::<char>()];
    prop::collection::vec(one, 0..12).prop_map(String::from_iter)
}

/// The digits of a text in groups, apart where anything that can be seen is between them.
fn digit_groups(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect()
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn a_normal_form_is_its_own(text in text()) {
        if let Ok(once) = normalize(text.as_bytes()) {
            prop_assert_eq!(normalize(once.as_bytes()), Ok(once));
        }
    }

    #[test]
    fn digits_apart_never_meet(text in "[0-9a.,:;'’/ _–−()\"?!-]{0,10}") {
        let groups = digit_groups(&text);
        let found = normalize(text.as_bytes()).map(|word| digit_groups(&word));
        prop_assert_eq!(found.unwrap_or_default(), groups);
    }

    #[test]
    fn what_surrounds_a_word_is_nothing(text in text(), around in "[ \t\u{a0}(“\"!?,;]{0,4}") {
        let wrapped = format!("{around}{text}{around}");
        // A point or a dash at an end may be part of what is there.
        if !text.starts_with(['.', '\u{301}']) && text.chars().all(|c| !"²⁻½①₂".contains(c)) {
            prop_assert_eq!(normalize(wrapped.as_bytes()), normalize(text.as_bytes()));
        }
    }

    #[test]
    fn any_bytes_are_a_word_or_none(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        if normalize(&bytes).is_ok() {
            prop_assert!(std::str::from_utf8(&bytes).is_ok());
        }
    }
}

#[test]
fn a_key_has_what_equals_an_entry() {
    let key = |entries: &[&str]| Key::new(entries.iter().map(|entry| Some(entry.as_bytes())));
    let colours = key(&["Grey", "gray", "?"]);
    assert_eq!(colours.unusable(), 1);
    assert_eq!(colours.has(Some("grey")), Some(true));
    assert_eq!(colours.has(Some("gray")), Some(true));
    assert_eq!(colours.has(Some("gre")), Some(false));
    assert_eq!(colours.has(None), Some(false));
    for nothing in [key(&[]), key(&["?", ""]), Key::new([None])] {
        assert_eq!(nothing.has(Some("grey")), None);
        assert_eq!(nothing.has(None), None);
    }
}
