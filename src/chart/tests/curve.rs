//! The curve of a question is well-formed, legible and honest whatever it is given.

mod common;

use common::{HOSTILE, ODD, assert_legible, assert_specification, assert_well_formed, cases, dice};
use pg_assess_chart::{Group, ItemCurve, Of};
use pg_assess_core::questions::curve::level_groups;
use proptest::prelude::*;

/// Levels from 0 to 1, and scores that rise with them.
fn answers(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .map(|i| {
            let level = i as f64 / (n.max(2) - 1) as f64;
            (level, f64::from(u8::from(dice(i) < level)))
        })
        .collect()
}

fn curve(answers: &[(f64, f64)], bounded: bool) -> ItemCurve {
    ItemCurve {
        item: "7".to_owned(),
        facility: Some(0.625),
        discrimination: Some(-0.116),
        ci_low: Some(-0.375),
        ci_high: Some(0.001),
        status: Some("suspect".to_owned()),
        groups: level_groups(answers, bounded, 0.95, 1)
            .into_iter()
            .map(Group::from)
            .collect(),
        ..ItemCurve::default()
    }
}

/// The drawing; whatever the figures, there is a specification too.
fn draw(curve: &ItemCurve) -> String {
    assert_specification(&curve.vega());
    curve.svg()
}

#[test]
fn the_picture_shows_all() {
    for n in [1, 5, 60, 240, 2000] {
        let curve = curve(&answers(n), true);
        let svg = draw(&curve);
        assert_legible(&svg);
        assert!(svg.contains("<title>Who does well on question 7?</title>"));
        let noun = if n == 1 { "student" } else { "students" };
        assert!(svg.contains(&format!("{n} {noun} answered it.")));
        // A dot each, and two in the key.
        assert_eq!(svg.matches("<circle").count(), curve.groups.len() + 2);
        assert_eq!(svg, draw(&curve));
        let spec = curve.vega();
        assert_eq!(
            spec["data"]["values"].as_array().map(Vec::len),
            Some(curve.groups.len())
        );
        assert_eq!(spec["layer"].as_array().map(Vec::len), Some(4));
    }
}

#[test]
fn a_question_is_put_in_words() {
    let mut curve = curve(&answers(60), true);
    let words = "Mean score 63 %; discrimination −0.12 (−0.38 to 0.00); ";
    for (status, rest) in [
        (
            "suspect",
            "suspect: the stronger do worse on it, perhaps by chance.",
        ),
        ("flawed", "flawed: the stronger do worse on it."),
        ("insufficient", "too few answers to judge it."),
        ("sound", "very good."),
    ] {
        curve.status = Some(status.to_owned());
        curve.label = Some("very_good".to_owned());
        assert!(
            draw(&curve).contains(&format!("{words}{rest}<")),
            "{status}"
        );
        let spec = curve.vega();
        let subtitle = spec["title"]["subtitle"].as_str().expect("words");
        assert!(subtitle.starts_with(&format!("{words}{rest} Dashed: ")));
    }
    // As little as is known.
    curve = ItemCurve {
        of: Of {
            subject: Some("Math".to_owned()),
            ..Of::default()
        },
        ..ItemCurve::default()
    };
    let svg = draw(&curve);
    assert!(svg.contains("<title>Math: who does well on question ?</title>"));
    curve.status = Some("insufficient".to_owned());
    assert!(draw(&curve).contains(">Too few answers to judge it.<"));
}

#[test]
fn scores_without_an_upper_bound_are_shown_as_they_are() {
    let words: Vec<(f64, f64)> = answers(60)
        .iter()
        .map(|a| (a.0, 80.0 + 40.0 * a.0))
        .collect();
    let curve = curve(&words, false);
    let svg = draw(&curve);
    assert_legible(&svg);
    assert!(svg.contains(">100</text>") && !svg.contains("of the points"));
    assert!(!svg.contains("dashed") && !svg.contains("stroke-dasharray"));
    assert!(svg.contains("mean score 82"));
    let spec = curve.vega();
    assert_eq!(spec["layer"].as_array().map(Vec::len), Some(3));
    assert!(spec.to_string().contains(".4~g"));
}

#[test]
fn nobody_and_nonsense() {
    let svg = draw(&curve(&[], true));
    assert_legible(&svg);
    assert!(svg.contains("There is no answer of a student with a level to show."));
    for a in ODD {
        for b in ODD {
            for bounded in [true, false] {
                let group = Group {
                    lowest: Some(b),
                    highest: Some(a),
                    level: Some(a),
                    students: u64::MAX,
                    score: Some(b),
                    ci_low: Some(a),
                    ci_high: Some(b),
                    expected: bounded.then_some(a),
                };
                let other = Group {
                    level: Some(b),
                    score: Some(a),
                    ..group
                };
                let odd = ItemCurve {
                    facility: Some(a),
                    discrimination: Some(b),
                    ci_low: Some(a),
                    ci_high: Some(b),
                    groups: vec![group, other, Group::default()],
                    ..ItemCurve::default()
                };
                assert_well_formed(&draw(&odd));
            }
        }
    }
    for text in HOSTILE {
        let hostile = ItemCurve {
            of: Of {
                subject: Some(text.to_owned()),
                ..Of::default()
            },
            item: text.to_owned(),
            status: None,
            label: Some(text.to_owned()),
            ..curve(&answers(9), true)
        };
        let svg = draw(&hostile);
        assert_legible(&svg);
        assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_it_is_given_it_is_well_formed(
        rows in prop::collection::vec((any::<Option<f64>>(), -1.0..2.0f64, 0.0..1.0f64), 0..20),
        words in any::<String>(),
    ) {
        let answers: Vec<(f64, f64)> = rows.iter().map(|r| (r.1, r.0.unwrap_or(r.2))).collect();
        let curve = ItemCurve {
            item: words.clone(),
            status: Some(words),
            ..curve(&answers, false)
        };
        assert_well_formed(&draw(&curve));
    }
}
