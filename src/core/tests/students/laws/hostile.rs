//! Tables and choices made to break things.

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::time::{DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::solve::{self, Ask, Asked};
use pg_assess_test_support::{OwnId, OwnRow, Solved, assert_past_sound, go, gradebook, row};

use super::tables::school;

/// What a table is called, and its rows.
type Named = (&'static str, Vec<OwnRow>);

/// A score on a scale without an upper bound.
fn open(student: i64, item: i64, assessment: i64, score: f64, day: f64) -> OwnRow {
    OwnRow {
        max_score: MaxScore::Points(Some(f64::INFINITY)),
        ..row(student, item, assessment, score, day)
    }
}

fn at(row: OwnRow, at: i64) -> OwnRow {
    OwnRow {
        taken_at: Some(at),
        ..row
    }
}

/// Everybody takes all items of all assessments, a month apart.
fn grid(
    students: i64,
    items: i64,
    assessments: i64,
    score: &dyn Fn(i64, i64, i64) -> f64,
) -> Vec<OwnRow> {
    let mut rows = Vec::new();
    for s in 0..students {
        for a in 0..assessments {
            for i in 0..items {
                rows.push(row(s, a * items + i, a, score(s, i, a), (30 * a) as f64));
            }
        }
    }
    rows
}

/// The same rows with scores on a scale without an upper bound.
fn opened(rows: Vec<OwnRow>, score: &dyn Fn(usize) -> f64) -> Vec<OwnRow> {
    (0..)
        .zip(rows)
        .map(|(at, row)| OwnRow {
            score: Some(score(at)),
            max_score: MaxScore::Points(Some(f64::INFINITY)),
            ..row
        })
        .collect()
}

fn one(s: i64, i: i64, a: i64) -> f64 {
    f64::from(u8::from((s * 7 + i * 3 + a) % 5 < 2))
}

/// Tables nobody made in good faith.
fn hostile() -> Vec<Named> {
    [
        little_evidence(),
        of_any_size(),
        of_any_time(),
        hardly_tables(),
    ]
    .concat()
}

/// Few rows, or rows that say nothing new.
fn little_evidence() -> Vec<Named> {
    vec![
        ("nothing", vec![]),
        ("one row", vec![row(1, 1, 1, 0.5, 0.0)]),
        ("one student", grid(1, 5, 6, &one)),
        ("one item", grid(40, 1, 1, &one)),
        ("one item a time", grid(40, 1, 6, &one)),
        ("all the same", grid(40, 4, 6, &|_, _, _| 0.7)),
        ("all right", grid(40, 4, 6, &|_, _, _| 1.0)),
        ("all wrong", grid(40, 4, 6, &|_, _, _| 0.0)),
        (
            "all alike but one",
            grid(40, 4, 6, &|s, i, a| f64::from(u8::from(s + i + a > 0))),
        ),
        (
            "students constant",
            grid(40, 4, 6, &|s, _, _| s as f64 / 40.0),
        ),
        ("items constant", grid(40, 4, 6, &|_, i, _| i as f64 / 4.0)),
        (
            "two kinds of students",
            grid(40, 4, 6, &|s, _, _| f64::from(u8::from(s < 20))),
        ),
        (
            "all items alike",
            grid(40, 4, 6, &|s, _, a| f64::from(u8::from((s + a) % 3 == 0))),
        ),
    ]
}

/// Scores from the smallest number to the largest.
fn of_any_size() -> Vec<Named> {
    vec![
        (
            "tiny shares",
            grid(40, 4, 6, &|s, i, a| 5e-324 * one(s, i, a)),
        ),
        (
            "small shares",
            grid(40, 4, 6, &|s, i, a| 1e-160 * one(s, i, a)),
        ),
        (
            "a power for every assessment",
            grid(12, 3, 300, &|s, i, a| 10f64.powi(-a as i32) * one(s, i, a)),
        ),
        (
            "small and large shares",
            grid(40, 4, 6, &|s, i, a| {
                if s == 0 {
                    1e-160 * one(s, i, a)
                } else {
                    one(s, i, a)
                }
            }),
        ),
        ("noise of one is tiny", {
            let mut rows = grid(40, 4, 1, &|s, _, _| s as f64 / 40.0);
            rows.extend([row(0, 90, 9, 0.0, 3.0), row(0, 91, 9, 1e-160, 3.0)]);
            rows.extend([row(99, 90, 9, 0.0, 3.0), row(99, 91, 7, 1e-160, 9.0)]);
            rows
        }),
        (
            "almost one",
            grid(40, 4, 6, &|s, i, a| 1.0 - 1.1e-16 * one(s, i, a)),
        ),
        (
            "huge open scale",
            opened(grid(40, 4, 6, &one), &|at| {
                if at == 17 { 1e308 } else { at as f64 }
            }),
        ),
        (
            "many huge",
            opened(grid(40, 4, 6, &one), &|at| 1e308 / (1 + at) as f64),
        ),
        (
            "tiny open scale",
            opened(grid(40, 4, 6, &one), &|at| 5e-324 * at as f64),
        ),
        (
            "every magnitude",
            opened(grid(40, 4, 6, &one), &|at| {
                10f64.powi(at as i32 % 600 - 300)
            }),
        ),
        (
            "one open score each",
            vec![open(1, 1, 1, 1e308, 0.0), open(2, 2, 1, 5e-324, 0.0)],
        ),
        (
            "two open scores",
            vec![open(1, 1, 1, 1e308, 0.0), open(2, 1, 1, 0.0, 0.0)],
        ),
        (
            "largest double",
            vec![open(1, 1, 1, f64::MAX, 0.0), open(2, 1, 1, f64::MAX, 0.0)],
        ),
        ("open beside shares", {
            let mut rows = grid(40, 2, 6, &one);
            rows.extend(opened(grid(40, 1, 6, &one), &|at| (at % 97) as f64));
            rows
        }),
    ]
}

/// The ends of time, attempts without end.
fn of_any_time() -> Vec<Named> {
    vec![
        (
            "the ends of time",
            vec![
                at(row(1, 1, 1, 0.0, 0.0), MIN_TIME),
                at(row(1, 2, 2, 1.0, 0.0), MAX_TIME),
                at(row(2, 1, 1, 1.0, 0.0), MAX_TIME),
                at(row(2, 2, 2, 0.0, 0.0), MIN_TIME),
                at(row(3, 3, 3, 0.0, 0.0), 0),
            ],
        ),
        (
            "the ends of time, often",
            (0..200)
                .map(|n| {
                    at(
                        row(n % 20, n % 7, n % 11, (n % 2) as f64, 0.0),
                        match n % 3 {
                            0 => MIN_TIME + n,
                            1 => MAX_TIME - n,
                            _ => n,
                        },
                    )
                })
                .collect(),
        ),
        (
            "duplicates",
            (0..50)
                .map(|n| row(1, 1, 1, f64::from(n % 2), f64::from(n / 10)))
                .collect(),
        ),
        (
            "attempts all over",
            (0..400)
                .map(|n| {
                    row(
                        n % 5,
                        n % 3,
                        n % 2,
                        (n % 7) as f64 / 6.0,
                        (n * 37 % 100) as f64,
                    )
                })
                .collect(),
        ),
        (
            "steps of a microsecond",
            (0..60)
                .map(|n| at(row(n % 3, n, n, (n % 2) as f64, 0.0), n))
                .collect(),
        ),
    ]
}

/// Assessments and students that hardly hang together.
fn hardly_tables() -> Vec<Named> {
    vec![
        // One assessment for each number of questions, all saying the same.
        (
            "questions alike",
            (2..20)
                .flat_map(|k| {
                    grid(13, k, 1, &|s, _, _| (s * s % 11) as f64 / 11.0)
                        .into_iter()
                        .map(move |row| OwnRow {
                            assessment: Some(OwnId::Integer(k)),
                            ..row
                        })
                })
                .collect(),
        ),
        // A covariance above the variances, which no complete table could have.
        (
            "half-empty assessment",
            (0..60)
                .flat_map(|s| match s % 3 {
                    0 => vec![
                        row(s, 1, 1, (s % 2) as f64, 0.0),
                        row(s, 2, 1, (s % 2) as f64, 0.0),
                    ],
                    item => vec![row(s, item, 1, 0.5, 0.0)],
                })
                .collect(),
        ),
        (
            "an old and a new score",
            (0..40)
                .flat_map(|s| {
                    [
                        row(s, 1, 1, 0.2, 0.0),
                        row(s, 2, 2, s as f64 / 40.0, 3000.0),
                    ]
                })
                .collect(),
        ),
        (
            "hardly linked",
            (0..60)
                .map(|n| {
                    row(
                        n / 2,
                        n / 2 + n % 2,
                        n % 9,
                        ((n * n) % 11) as f64 / 10.0,
                        n as f64,
                    )
                })
                .collect(),
        ),
    ]
}

#[test]
fn hostile_tables_give_sound_figures() {
    for (name, rows) in hostile() {
        println!("{name}");
        let bytes = gradebook(&rows);
        for counting in [
            Counting::Effective,
            Counting::Assessments,
            Counting::Responses,
        ] {
            for (adjust, shrink, quality) in [
                (true, true, true),
                (false, false, false),
                (true, false, true),
                (false, true, true),
            ] {
                let options = Options {
                    counting,
                    adjust_difficulty: adjust,
                    shrink,
                    quality,
                    trend_window: None,
                    side_answers: 1,
                    ..Options::default()
                };
                Solved::of(&bytes, &options).assert_sound(&options);
                assert_past_sound(&bytes, &options);
            }
        }
    }
}

#[test]
fn hostile_tables_of_last_year_give_sound_figures() {
    let at = |row: &OwnRow, at| OwnRow {
        taken_at: Some(at),
        ..row.clone()
    };
    for (number, (name, old)) in (0..).zip(hostile()) {
        println!("{name}");
        let old = gradebook(&old);
        let as_bad = hostile().into_iter().skip(number % 4).step_by(4);
        // Responses at the end of time; the same without any score; tables as bad, later.
        let new: Vec<OwnRow> = school(3).iter().map(|row| at(row, MAX_TIME)).collect();
        let blank: Vec<OwnRow> = new
            .iter()
            .map(|row| OwnRow {
                score: None,
                ..row.clone()
            })
            .collect();
        for (at, (_, mut new)) in (0..).zip([("", new), ("", blank)].into_iter().chain(as_bad)) {
            for row in &mut new {
                let later = |at: i64| at.saturating_add(9999 * DAY).min(MAX_TIME);
                row.taken_at = row.taken_at.map(later);
            }
            let new = gradebook(&new);
            let (before, after) = (
                Gradebook::open(&old).expect("a gradebook"),
                Gradebook::open(&new).expect("a gradebook"),
            );
            let mut options = Asked::from(Options {
                carry_over: [0.65, 1.0][at % 2],
                ..Options::default()
            });
            let last_year = solve::previous(&before, &options, &after, &options, &|at| at, &go);
            options.previous = last_year.expect("last year");
            Solved::of(&new, &options).assert_sound(&options);
        }
    }
}

/// How fast evidence fades, and how sure one is of it.
fn choices_of_levels() -> Vec<Options> {
    let base = Options::default;
    vec![
        Options {
            half_life: f64::MIN_POSITIVE,
            ..base()
        },
        Options {
            half_life: 5e-324,
            ..base()
        },
        Options {
            half_life: f64::MAX,
            ..base()
        },
        Options {
            noise_df: f64::MAX,
            ..base()
        },
        Options {
            noise_df: 5e-324,
            ..base()
        },
        Options {
            noise_df: 5e-324,
            shrink: false,
            ..base()
        },
        Options {
            trend_noise_df: f64::MAX,
            ..base()
        },
        Options {
            trend_noise_df: 5e-324,
            ..base()
        },
        Options {
            trend_noise_df: 0.0,
            ..base()
        },
        Options {
            confidence: 1.0 - f64::EPSILON,
            ..base()
        },
        Options {
            confidence: 1.0 - f64::EPSILON / 2.0,
            ..base()
        },
        Options {
            confidence: 5e-324,
            ..base()
        },
        Options {
            flag_alpha: 5e-324,
            ..base()
        },
    ]
}

/// What is cut, flagged and left out.
fn choices_of_limits() -> Vec<Options> {
    let base = Options::default;
    vec![
        Options {
            half_precision_items: 0.0,
            ..base()
        },
        Options {
            half_precision_items: f64::MAX,
            ..base()
        },
        Options {
            cut: Some(f64::MAX),
            ..base()
        },
        Options {
            cut: Some(f64::MIN),
            ..base()
        },
        Options {
            cut_share: 5e-324,
            ..base()
        },
        Options {
            upper_lower_share: 5e-324,
            ..base()
        },
        Options {
            trend_window: Some(5e-324),
            ..base()
        },
        Options {
            min_answers: f64::MAX,
            ..base()
        },
        Options {
            min_answers: 0.0,
            flag_answers: 0,
            ..base()
        },
        Options {
            steady_margin: f64::MAX,
            trend_min_dates: 0,
            trend_min_span: 0.0,
            ..base()
        },
        Options {
            side_answers: 0,
            drift_alpha: 1.0 - f64::EPSILON,
            drift_margin: 0.0,
            ..base()
        },
        Options {
            side_answers: u64::MAX,
            drift_alpha: 5e-324,
            drift_margin: f64::MAX,
            ..base()
        },
    ]
}

#[test]
fn hostile_choices_give_sound_figures() {
    let base = Options::default;
    let choices = [choices_of_levels(), choices_of_limits()].concat();
    let scopes = [
        Asked {
            exclude: vec![0, 1, u32::MAX],
            ..Asked::from(base())
        },
        Asked {
            as_of: Some(i64::MIN),
            ..Asked::from(base())
        },
        Asked {
            as_of: Some(i64::MAX),
            ..Asked::from(base())
        },
    ];
    for options in choices.into_iter().map(Asked::from).chain(scopes) {
        options.checked().expect("an allowed choice");
        for rows in [school(1), school(2), school(3)] {
            println!("{options:?}");
            let bytes = gradebook(&rows);
            Solved::of(&bytes, &options).assert_sound(&options);
            assert_past_sound(&bytes, &options);
        }
    }
}

#[test]
fn bad_choices_are_refused() {
    let bytes = gradebook(&school(1));
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let base = Options::default;
    for options in [
        Options {
            half_life: 0.0,
            ..base()
        },
        Options {
            half_life: f64::NAN,
            ..base()
        },
        Options {
            half_life: f64::INFINITY,
            ..base()
        },
        Options {
            confidence: 1.0,
            ..base()
        },
        Options {
            cut: Some(f64::NAN),
            ..base()
        },
        Options {
            noise_df: -1.0,
            ..base()
        },
        Options {
            trend_noise_df: -1.0,
            ..base()
        },
        Options {
            trend_noise_df: f64::INFINITY,
            ..base()
        },
        Options {
            weight_floor: 1.5,
            ..base()
        },
        Options {
            due_share: 0.0,
            ..base()
        },
        Options {
            upper_lower_share: 0.51,
            ..base()
        },
        Options {
            drift_alpha: 0.0,
            ..base()
        },
        Options {
            drift_margin: f64::NAN,
            ..base()
        },
    ] {
        assert!(
            solve::students(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(solve::items(&book, &options, &go).is_err(), "{options:?}");
        assert!(
            solve::item_drift(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(
            solve::assessments(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(
            solve::explain(&book, 0, &options, &go).is_err(),
            "{options:?}"
        );
    }
}
