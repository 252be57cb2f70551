//! The school map is well-formed, readable and honest whatever it is given.

mod common;

use common::{assert_contrast, assert_specification, assert_well_formed, cases, linear, luminance};
use pg_assess_chart::{Dot, MapPoint, NAMED, Of, Rect, SchoolMap, colour, place_names, read};
use pg_assess_core::students::quadrant::{self, Quadrant};
use proptest::prelude::*;

fn point(student: &str, level: f64, change: f64, need: f64) -> MapPoint {
    MapPoint {
        student: student.to_owned(),
        level: Some(level),
        change: Some(change),
        need: Some(need),
    }
}

fn map(points: &[MapPoint], title: &str, mean: Option<f64>) -> SchoolMap {
    SchoolMap {
        title: Some(title.to_owned()),
        mean,
        points: points.to_vec(),
        ..SchoolMap::default()
    }
}

/// The drawing; whatever the figures, there is a specification too.
fn school_map(points: &[MapPoint], title: &str, mean: Option<f64>) -> String {
    let map = map(points, title, mean);
    assert_specification(&map.vega());
    map.svg()
}

/// A repeatable crowd of `n` dots.
fn crowd(n: usize, bounds: Rect) -> Vec<Dot> {
    let share = |i: usize, step: f64| (i as f64 * step).fract();
    (1..=n)
        .map(|i| Dot {
            x: bounds.x + bounds.w * share(i, 0.754_877_666),
            y: bounds.y + bounds.h * share(i, 0.569_840_291),
            r: 5.0,
        })
        .collect()
}

#[test]
fn an_ordinary_school() {
    let names: Vec<String> = (0..60).map(|i| format!("Student {i:02}")).collect();
    let points: Vec<MapPoint> = names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let share = i as f64 / 59.0;
            point(name, 0.3 + 0.6 * share, (share - 0.5) * 0.04, 1.0 - share)
        })
        .collect();
    let svg = school_map(&points, "A school", None);
    assert_well_formed(&svg);
    assert_contrast(&svg);
    assert_eq!(svg.matches("<circle").count(), 60 + 3); // and those of the key
    assert!(svg.contains("<title>A school</title>"));
    assert!(
        svg.contains("<title>Student 00: level 30 %, −2.0 points in 30 days, need 100 %</title>")
    );
    assert!(svg.contains("low and falling: 30") && svg.contains("high and rising: 30"));
    assert!(svg.contains("low and rising: 0") && svg.contains("high and falling: 0"));
    assert!(svg.contains("mean level: 60 %"));
    assert!(svg.contains("60 students shown."));
    // The neediest are called by name, the others are not.
    assert_eq!(svg.matches("halo name").count(), NAMED);
    assert!(svg.contains(">Student 00</text>") && !svg.contains(">Student 59</text>"));

    let mut turned = points.clone();
    turned.reverse();
    assert_eq!(
        svg,
        school_map(&turned, "A school", None),
        "the order of the rows must not matter"
    );
}

#[test]
fn nobody_to_show() {
    let nobody = school_map(&[], "Empty", None);
    assert_well_formed(&nobody);
    assert!(nobody.contains("There is no student with a level to show."));
    assert!(nobody.contains("0 students shown."));

    let unknown = MapPoint {
        student: "x".to_owned(),
        level: None,
        change: Some(0.1),
        need: Some(0.5),
    };
    let svg = school_map(
        &[
            unknown.clone(),
            MapPoint {
                level: Some(f64::NAN),
                ..unknown
            },
        ],
        "",
        None,
    );
    assert_well_formed(&svg);
    assert!(svg.contains("2 students without a level not shown."));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = [
        "</text><script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "Tom & Jerry's <b>",
        "]]>&#0;",
        "nul\0bell\u{7}del\u{7f}\u{fffe}",
        "two\nlines\tand\u{202e}reversed",
        "",
        "ŁÓDŹ 学生 طالب 👩🏽‍🎓",
    ];
    let points: Vec<MapPoint> = hostile
        .iter()
        .enumerate()
        .map(|(i, label)| point(label, i as f64 / 10.0, 0.01 * i as f64, 0.5))
        .collect();
    let svg = school_map(&points, "<title> & \"quotes\" ']]>\u{1}", None);
    assert_well_formed(&svg);
    assert!(!svg.contains("<script") && !svg.contains(" onload=\"alert"));
    assert!(svg.contains("Tom &amp; Jerry&#39;s &lt;b&gt;: level 20 %"));
    assert!(svg.contains("two lines and\u{fffd}reversed"));

    let long = "x".repeat(1_000_000);
    let svg = school_map(&[point(&long, 0.5, 0.0, 1.0)], &long, None);
    assert_well_formed(&svg);
    assert!(svg.len() < 40_000 && svg.contains('…'));
}

#[test]
fn colours_tell_the_corners_apart() {
    assert_eq!(colour(0.0, 0.0), [0x24, 0x0b, 0x52]);
    assert_eq!(colour(1.0, 1.0), [0xe6, 0x55, 0x00]);
    assert_eq!(colour(-9.0, 1e300), colour(0.0, 1.0));
    assert_eq!(colour(f64::NAN, f64::INFINITY), colour(0.5, 0.5));

    let darkest = luminance(colour(0.0, 0.0));
    for i in 0..=20 {
        for j in 0..=20 {
            let (u, v) = (f64::from(i) / 20.0, f64::from(j) / 20.0);
            assert!(
                luminance(colour(u, v)) >= darkest,
                "darker than low and falling at {u} {v}"
            );
        }
    }
    // Blue against orange: red-green deficiencies leave this axis.
    let [r, _, b] = colour(0.0, 1.0);
    assert!(b > r);
    let [r, _, b] = colour(1.0, 1.0);
    assert!(r > b);
}

/// A colour in OKLab (Ottosson 2020), where a distance of 0.02 can just be seen.
fn oklab(rgb: [f64; 3]) -> [f64; 3] {
    let [l, m, s] = times(
        [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ],
        rgb,
    )
    .map(|c| c.max(0.0).cbrt());
    times(
        [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ],
        [l, m, s],
    )
}

fn times(matrix: [[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    matrix.map(|[a, b, c]| a * x + b * y + c * z)
}

#[test]
fn colour_blind_readers_distinguish_the_corners() {
    // As those see who lack one kind of cone (Machado, Oliveira and Fernandes 2009).
    let eyes = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];
    let [low_falling, low_rising, high_falling, high_rising] =
        [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)].map(|(u, v)| colour(u, v));
    // Those of the score sheet, on which figures stand in white.
    let (below, far_below) = ([0x6a, 0x4f, 0xa3], [0x24, 0x0b, 0x52]);
    for (eye, matrix) in eyes.into_iter().enumerate() {
        let seen = |rgb| oklab(times(matrix, linear(rgb)));
        for (a, b, least) in [
            (low_falling, low_rising, 0.3),
            (low_falling, high_falling, 0.3),
            (low_falling, high_rising, 0.3),
            (low_rising, high_falling, 0.1),
            (low_rising, high_rising, 0.2),
            (high_falling, high_rising, 0.1),
            (below, far_below, 0.2),
            (below, [255; 3], 0.4),
        ] {
            let apart: f64 = seen(a)
                .into_iter()
                .zip(seen(b))
                .map(|(a, b)| (a - b) * (a - b))
                .sum();
            assert!(apart.sqrt() > least, "{eye}: {a:?} {b:?} {}", apart.sqrt());
        }
    }
    // Without any colour the darkest, and what is below on a sheet, can still be recognised.
    for other in [low_rising, high_falling, high_rising] {
        assert!(luminance(other) > 10.0 * luminance(low_falling));
    }
    assert!(luminance(below) > 5.0 * luminance(far_below));
}

#[test]
fn odd_figures_do_not_break_the_drawing() {
    let odd = [
        0.0,
        -0.0,
        f64::MIN_POSITIVE,
        1e-300,
        -3.0,
        5.0,
        1e6,
        -1e6,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let mut all = Vec::new();
    for level in odd {
        for slope in odd {
            let one = point("odd", level, slope, level);
            assert_well_formed(&school_map(&[one], "One", None));
            all.push(point("odd", level, slope, level));
        }
    }
    let svg = school_map(&all, "All", None);
    assert_well_formed(&svg);
    assert!(svg.contains("as they lie beyond the frame"));
    assert!(svg.contains("without a level not shown."));
}

#[test]
fn one_far_outside_does_not_squeeze_the_others() {
    let mut points: Vec<MapPoint> = (0..40)
        .map(|i| point("in", 0.4 + 0.01 * f64::from(i), 0.0, 0.1))
        .collect();
    points.push(point("far", 60.0, 0.0, 0.9));
    let svg = school_map(&points, "", None);
    assert_well_formed(&svg);
    assert!(
        svg.contains("<title>far: level 6000 %"),
        "the tooltip is true"
    );
    assert!(svg.contains("Drawn at the edge, as they lie beyond the frame: 1."));
    assert!(
        svg.contains("mean level: 60 %"),
        "the mean is of those inside"
    );
}

#[test]
fn rows_and_pictures_call_the_same_students_low() {
    // One far outside makes nobody low who is not; in a class, the mean of the school divides.
    let mut levels: Vec<f64> = (0..39).map(|i| 0.5 + 0.002 * f64::from(i)).collect();
    levels.push(4.0);
    let middle = quadrant::middle(&levels).expect("there are some");
    assert!((middle - 0.538).abs() < 1e-12, "{middle}");
    let low = |middle: f64| {
        let of = |level: &&f64| Quadrant::of(**level, middle, 0.0) == Quadrant::LowRising;
        levels.iter().filter(of).count()
    };
    assert_eq!((low(middle), low(0.55)), (19, 25));
    let points: Vec<MapPoint> = levels.iter().map(|&l| point("x", l, 0.0, 0.1)).collect();
    for (mean, words) in [
        (None, "mean level: 54 %"),
        (Some(0.55), "mean level of all: 55 %"),
    ] {
        let svg = school_map(&points, "", mean);
        assert_well_formed(&svg);
        assert!(svg.contains(words));
        assert!(svg.contains(&format!("low and rising: {}<", low(mean.unwrap_or(middle)))));
    }
    let far = school_map(&points[..9], "A class", Some(0.9));
    assert_well_formed(&far);
    assert!(far.contains("low and rising: 9<") && far.contains("mean level of all: 90 %"));

    assert_eq!(quadrant::middle(&[]), None);
    assert_eq!(quadrant::middle(&[0.25]), Some(0.25));
    let all = Quadrant::ALL.map(|q| (q.rank(), q.label()));
    assert!(all.is_sorted() && all[0] == (1, "low and falling"));
    assert_eq!(Quadrant::of(0.5, 0.5, 0.0), Quadrant::HighRising);
    assert_eq!(Quadrant::of(0.4, 0.5, -0.1), Quadrant::LowFalling);
    assert_eq!(Quadrant::of(0.6, 0.5, -0.1), Quadrant::HighFalling);
}

#[test]
fn students_without_a_trend_have_a_place() {
    let trendless = MapPoint {
        student: "new".to_owned(),
        level: Some(0.4),
        change: None,
        need: Some(0.7),
    };
    let svg = school_map(&[trendless.clone(), point("old", 0.6, 0.01, 0.1)], "", None);
    assert_well_formed(&svg);
    assert_contrast(&svg);
    assert!(
        svg.contains("no trend yet: too few dates")
            && svg.contains("new: level 40 %, no trend yet")
    );

    let svg = school_map(
        &vec![trendless; 500],
        "In September nobody has a trend",
        None,
    );
    assert_well_formed(&svg);
    assert_contrast(&svg);
    assert!(
        !svg.contains("low and falling:"),
        "no quadrants without trends"
    );
}

#[test]
fn names_never_overlap() {
    let bounds = Rect {
        x: 0.0,
        y: 0.0,
        w: 800.0,
        h: 500.0,
    };
    let corner = Rect {
        x: 0.0,
        y: 0.0,
        w: 150.0,
        h: 25.0,
    };
    for n in [1, 2, 12, 60, 240, 2000] {
        let dots = crowd(n, bounds);
        let wanted: Vec<(usize, f64)> = (0..n.min(40))
            .map(|i| (i, 60.0 + (i % 7) as f64 * 15.0))
            .collect();
        let places = place_names(&dots, &wanted, bounds, &[corner]);
        assert_eq!(places.len(), wanted.len());
        let found: Vec<Rect> = places.iter().flatten().map(|p| p.0).collect();
        assert!(
            found.len() * 2 >= wanted.len(),
            "most find a place among {n}"
        );
        for (i, rect) in found.iter().enumerate() {
            assert!(rect.within(bounds) && !rect.overlaps(corner));
            assert!(found[i + 1..].iter().all(|other| !rect.overlaps(*other)));
            for &(dot, _) in &wanted {
                let (x, y) = (dots[dot].x, dots[dot].y);
                assert!(
                    !rect.overlaps(Rect {
                        x,
                        y,
                        w: 0.0,
                        h: 0.0
                    }),
                    "covers a named dot"
                );
            }
        }
    }
    // All on one spot: whoever finds no room goes without.
    let heap = vec![
        Dot {
            x: 400.0,
            y: 250.0,
            r: 5.0
        };
        60
    ];
    let wanted: Vec<(usize, f64)> = (0..60).map(|i| (i, 120.0)).collect();
    let found: Vec<Rect> = place_names(&heap, &wanted, bounds, &[])
        .into_iter()
        .flatten()
        .map(|p| p.0)
        .collect();
    assert!(!found.is_empty() && found.len() < 60);
    for (i, rect) in found.iter().enumerate() {
        assert!(found[i + 1..].iter().all(|other| !rect.overlaps(*other)));
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_it_is_given_it_is_well_formed(
        rows in prop::collection::vec(
            (any::<String>(), any::<Option<f64>>(), any::<Option<f64>>(), any::<Option<f64>>()),
            0..30,
        ),
        title in any::<String>(),
    ) {
        let points: Vec<MapPoint> = rows
            .iter()
            .map(|(student, level, change, need)| MapPoint {
                student: student.clone(),
                level: *level,
                change: *change,
                need: *need,
            })
            .collect();
        assert_well_formed(&school_map(&points, &title, None));
    }
}

#[test]
fn the_specification_shows_what_the_drawing_shows() {
    let mut points: Vec<MapPoint> = (0..40)
        .map(|i| {
            point(
                &i.to_string(),
                0.4 + 0.01 * f64::from(i),
                0.001 * f64::from(i % 7 - 3),
                0.1,
            )
        })
        .collect();
    points.push(point("far", 60.0, 0.0, 0.9));
    points[3].change = None;
    for mean in [None, Some(0.5)] {
        let map = map(&points, "A school", mean);
        let (svg, spec) = (map.svg(), map.vega());
        assert_specification(&spec);
        let rows = spec["data"]["values"].as_array().expect("rows");
        assert_eq!(rows.len(), points.len());
        for quadrant in Quadrant::ALL.map(Quadrant::label) {
            let n = rows
                .iter()
                .filter(|row| row["quadrant"] == quadrant)
                .count();
            assert!(svg.contains(&format!("{quadrant}: {n}<")), "{quadrant} {n}");
        }
        assert_eq!(rows[3]["quadrant"], "no trend yet");
        assert!(svg.contains("beyond the frame: 1."));
        let words = spec["title"]["subtitle"].as_str().expect("words");
        assert!(words.ends_with("beyond the frame: 1."), "{words}");
    }
    // Nobody: one view all the same.
    let spec = map(&[], "Empty", None).vega();
    assert_specification(&spec);
    assert_eq!(spec["vconcat"].as_array().map(Vec::len), Some(1));
}

#[test]
fn rows_are_read_as_the_database_writes_them() {
    let rows = r#"{"of": {"subject": "Math", "student_group": null}, "mean": 0.5, "points": [
        {"student": "a", "level": 0.4, "change": null, "need": "NaN"},
        {"student": "b", "level": "Infinity", "change": 1, "need": 0}]}"#;
    let map: SchoolMap = read(rows).expect("a map");
    assert!(
        map.svg()
            .contains("<title>Math: who is low, who is falling?</title>")
    );
    assert!(
        map.svg()
            .contains("1 student shown. 1 student without a level not shown.")
    );
    assert_eq!((map.points[0].change, map.points[0].need), (None, None));
    assert_eq!(
        (map.points[1].level, map.points[1].change),
        (None, Some(1.0))
    );
    let bad = [
        "",
        "null",
        "[]",
        r#"{"points": []}"#,
        r#"{"of": {"subject": null}, "mean": null, "points": [], "more": 1}"#,
        r#"{"of": {"subject": null}, "mean": null, "points": [{"student": "Secret"}]}"#,
    ];
    for rows in bad {
        let error = read::<SchoolMap>(rows).expect_err(rows);
        assert!(!format!("{error:?}").contains("Secret"));
    }
}

#[test]
fn a_title_begins_with_whose_picture_it_is() {
    for (subject, group, title) in [
        (None, None, "Who is low, who is falling?"),
        (Some("Math"), None, "Math: who is low, who is falling?"),
        (
            Some("Math"),
            Some("8b"),
            "Math, 8b: who is low, who is falling?",
        ),
        (None, Some("8b"), "8b: who is low, who is falling?"),
    ] {
        let of = Of {
            subject: subject.map(str::to_owned),
            student_group: group.map(str::to_owned),
        };
        assert_eq!(of.title("who is low, who is falling?"), title);
    }
}
