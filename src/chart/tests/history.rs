//! The history of a student is well-formed, legible and honest whatever it is given.

mod common;

use common::{HOSTILE, ODD, assert_legible, assert_specification, assert_well_formed, cases, dice};
use pg_assess_chart::{Moment, Standing, StudentHistory, Test};
use proptest::prelude::*;

/// That many days after 1970 began.
fn at(day: f64) -> i64 {
    (day * 86_400e6) as i64
}

fn end(day: f64, score: f64) -> Moment {
    Moment {
        at: at(day),
        score: Some(score),
    }
}

fn test(assessment: &str, day: f64, score: f64) -> Test {
    let fade = ((day - 20_600.0) / 60.0).exp2().min(1.0);
    Test {
        assessment: assessment.to_owned(),
        taken_at: at(day),
        answers: 12,
        score: Some(score),
        raw_score: Some(score - 0.05),
        fade: Some(fade),
        share: Some(fade / 40.0),
    }
}

fn standing(trend: &str) -> Standing {
    Standing {
        as_of: Some(at(20_600.0)),
        level: Some(0.54),
        ci_low: Some(0.43),
        ci_high: Some(0.65),
        prior: Some(0.6),
        slope: Some(-0.021),
        trend: Some(trend.to_owned()),
        half_life: Some(60.0),
        line: Some([end(20_420.0, 0.66), end(20_590.0, 0.54)]),
    }
}

fn tests_of(labels: &[String]) -> Vec<Test> {
    let span = 360.0 / labels.len() as f64;
    labels
        .iter()
        .enumerate()
        .map(|(i, label)| test(label, 20_595.0 - span * i as f64, 0.3 + 0.5 * dice(i)))
        .collect()
}

fn history(tests: &[Test], standing: &Standing, student: &str) -> StudentHistory {
    StudentHistory {
        student: student.to_owned(),
        tests: tests.to_vec(),
        standing: standing.clone(),
        ..StudentHistory::default()
    }
}

/// The drawing; whatever the figures, there is a specification too.
fn draw(tests: &[Test], standing: &Standing, student: &str) -> String {
    let history = history(tests, standing, student);
    assert_specification(&history.vega());
    history.svg()
}

#[test]
fn a_year_of_a_student() {
    for n in [1, 2, 5, 12, 60, 240] {
        let labels: Vec<String> = (0..n).map(|i| format!("Quiz {i}")).collect();
        let mut tests = tests_of(&labels);
        let svg = draw(&tests, &standing("falling"), "4");
        assert_legible(&svg);
        assert_eq!(svg.matches("<circle").count(), n + 2, "and two in the key");
        assert!(svg.contains(
            "Level 54 % (likely 43 to 65 %) on 2026-05-27, falling: −2.1 points in 30 days"
        ));
        assert!(svg.contains("trend: falling") && svg.contains("one half after 60 days"));
        let named = svg.matches("halo name").count();
        assert!(named <= 6 && named >= n.min(3), "{named} of {n}");
        tests.reverse();
        assert_eq!(svg, draw(&tests, &standing("falling"), "4"));
    }
}

#[test]
fn what_counts_more_is_larger_and_what_is_older_is_paler() {
    let tests = [test("old", 20_400.0, 0.4), test("new", 20_590.0, 0.7)];
    let svg = draw(&tests, &standing("unclear"), "");
    assert_legible(&svg);
    let figure = |after: &str, name: &str| -> f64 {
        let (_, rest) = svg.split_once(&format!("<title>{after}, ")).expect(after);
        let (_, rest) = rest.split_once(&format!(" {name}=\"")).expect(name);
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert!(figure("new", "r") > figure("old", "r"));
    assert!(figure("new", "fill-opacity") > figure("old", "fill-opacity"));
    // In the place that their scores and days say.
    assert!(figure("new", "cy") < figure("old", "cy"));
    assert!(figure("new", "cx") > figure("old", "cx"));
    assert!(svg.contains("old, 2025-11-08: 40 % with difficulty taken out, 35 % as scored"));
}

#[test]
fn a_trend_that_is_not_known_has_no_line() {
    let labels: Vec<String> = (0..9).map(|i| i.to_string()).collect();
    let tests = tests_of(&labels);
    let drawn = draw(&tests, &standing("rising"), "");
    let unclear = draw(&tests, &standing("unclear"), "");
    assert_legible(&unclear);
    assert!(drawn.contains("trend: rising") && drawn.contains("stroke-linecap"));
    assert!(unclear.contains("no clear trend") && !unclear.contains("stroke-linecap"));
    assert!(!unclear.contains("−2.1"));
}

#[test]
fn little_is_known() {
    let svg = draw(&[], &standing("unclear"), "New");
    assert_legible(&svg);
    assert!(svg.contains("0 assessments.") && !svg.contains("paler"));
    let svg = draw(&[], &Standing::default(), "Nobody");
    assert_legible(&svg);
    assert!(svg.contains("There is no score to show.") && svg.contains("No level yet"));
    let bare = Standing {
        as_of: Some(at(20_600.0)),
        ..Standing::default()
    };
    assert_legible(&draw(&[test("a", 20_500.0, 0.5)], &bare, ""));
    // What is yet to come does not count.
    let later = draw(&[test("a", 20_700.0, 0.5)], &standing("unclear"), "");
    assert!(later.contains("0 assessments."));
}

#[test]
fn any_span_of_time() {
    for span in [0.0, 0.5, 1.0, 40.0, 61.0, 63.0, 900.0, 9_000.0, 700_000.0] {
        let tests = [
            test("first", 20_600.0 - span, 0.5),
            test("last", 20_600.0, 0.6),
        ];
        assert_legible(&draw(&tests, &standing("steady"), "Span"));
    }
    let far = Standing {
        as_of: Some(at(1e8)),
        ..standing("steady")
    };
    assert_well_formed(&draw(&[test("a", -2e6, 0.5)], &far, ""));
}

#[test]
fn hostile_and_odd() {
    let tests: Vec<Test> = HOSTILE
        .iter()
        .enumerate()
        .map(|(i, label)| test(label, 20_500.0 + 12.0 * i as f64, 0.1 * i as f64))
        .collect();
    for text in HOSTILE {
        let svg = draw(&tests, &standing(text), text);
        assert_legible(&svg);
        assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
    }
    let long = "x".repeat(1_000_000);
    let svg = draw(&[test(&long, 20_500.0, 0.5)], &standing(&long), &long);
    assert_legible(&svg);
    assert!(svg.len() < 20_000);
    for a in ODD {
        for b in ODD {
            let odd = Test {
                assessment: "odd".to_owned(),
                taken_at: at(a),
                answers: u64::MAX,
                score: Some(b),
                raw_score: Some(a),
                fade: Some(a),
                share: Some(b),
            };
            let given = Standing {
                as_of: Some(at(b)),
                level: Some(a),
                ci_low: Some(b),
                ci_high: Some(a),
                prior: Some(b),
                slope: Some(a),
                trend: Some("rising".to_owned()),
                half_life: Some(b),
                line: Some([end(a, b), end(b, a)]),
            };
            assert_well_formed(&draw(std::slice::from_ref(&odd), &given, "Odd"));
            assert_well_formed(&draw(&[odd], &standing("rising"), "Odd"));
            let fine = Test {
                score: Some(b),
                ..test("a", 20_500.0, 0.5)
            };
            assert_well_formed(&draw(&[fine], &given, "Odd"));
        }
    }
}

#[test]
fn the_specification_shows_what_the_drawing_shows() {
    let tests = [test("old", 20_400.25, 0.4), test("new", 20_590.5, 0.7)];
    for (trend, colour, dashes) in [
        ("falling", "#240b52", "[]"),
        ("rising", "#b84300", "[14,5]"),
        ("steady", "#555555", "[3,4]"),
    ] {
        let spec = history(&tests, &standing(trend), "4").vega();
        let layers = spec["layer"].as_array().expect("layers");
        assert_eq!(layers.len(), 4);
        let line = &layers[3];
        assert_eq!(line["mark"]["color"], colour);
        assert_eq!(line["mark"]["strokeDash"].to_string(), dashes);
        assert_eq!(line["data"]["values"][0]["taken_at"], "2025-11-28T00:00:00");
        let words = spec["title"]["subtitle"].as_str().expect("words");
        let begin = format!("Level 54 % (likely 43 % to 65 %) on 2026-05-27; {trend}. ");
        assert!(words.starts_with(&begin), "{words}");
        let rows = &spec["data"]["values"];
        assert_eq!(rows[0]["taken_at"], "2025-11-08T06:00:00");
        assert_eq!(rows[1]["day"], 20_590.5);
    }
    // Of a student without a score there is the standing alone, without a level not even that.
    let without_line = Standing {
        line: None,
        ..standing("unclear")
    };
    let spec = history(&[], &without_line, "4").vega();
    assert_eq!(spec["layer"].as_array().map(Vec::len), Some(3));
    let spec = history(&[], &Standing::default(), "4").vega();
    assert_eq!(spec["layer"].as_array().map(Vec::len), Some(1));
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_it_is_given_it_is_well_formed(
        rows in prop::collection::vec(
            (any::<String>(), any::<Option<f64>>(), -1.0..2.0f64, 0.0..1.0f64, any::<i64>()),
            0..20,
        ),
        title in any::<String>(),
        as_of in any::<i64>(),
    ) {
        let far = rows.iter().map(|r| Test { taken_at: r.4, ..test(&r.0, 0.0, r.2) });
        let near = rows.iter().map(|r| Test {
            raw_score: r.1,
            fade: Some(r.3),
            share: Some(r.3),
            ..test(&r.0, 2e4 + 900.0 * r.2, r.2)
        });
        let (far, near): (Vec<Test>, Vec<Test>) = (far.collect(), near.collect());
        let standing = Standing { level: Some(0.5), ..Standing::default() };
        for (tests, as_of) in [(far, as_of), (near, at(22_000.0))] {
            let standing = Standing { as_of: Some(as_of), ..standing.clone() };
            assert_well_formed(&draw(&tests, &standing, &title));
        }
    }
}
