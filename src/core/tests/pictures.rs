//! The curve of a question, the history of a student and the score sheet are well-formed, legible
//! and honest whatever they are given.

mod common;

use common::{assert_legible, assert_well_formed, words_of};
use pg_assess_core::chart::{
    Cell, MOST_QUESTIONS, MOST_STUDENTS, Question, Standing, Test, item_curve, score_sheet,
    student_history,
};
use pg_assess_core::curve::{LevelGroup, level_groups};
use proptest::prelude::*;

/// Texts that are no good words, but may be ids.
const HOSTILE: [&str; 8] = [
    "</text><script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "Tom & Jerry's <b>",
    "]]>&#0;",
    "nul\0bell\u{7}del\u{7f}\u{fffe}",
    "two\nlines\tand\u{202e}reversed",
    "",
    "ŁÓDŹ 学生 طالب 👩🏽‍🎓",
];

const ODD: [f64; 9] = [
    0.0,
    -0.0,
    1e-300,
    -3.0,
    1e6,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// A repeatable number from 0 to 1.
fn dice(i: usize) -> f64 {
    (i as f64 * 0.754_877_666).fract()
}

mod curve {
    use super::*;

    /// Levels from 0 to 1, and scores that rise with them.
    fn answers(n: usize) -> Vec<(f64, f64)> {
        (0..n)
            .map(|i| {
                let level = i as f64 / (n.max(2) - 1) as f64;
                (level, f64::from(u8::from(dice(i) < level)))
            })
            .collect()
    }

    #[test]
    fn groups_are_of_about_equal_size_and_in_order() {
        for (n, groups) in [(1, 1), (5, 1), (12, 2), (60, 8), (240, 8), (2000, 8)] {
            let told = level_groups(&answers(n), true, 0.95, 1);
            assert_eq!(told.len(), groups, "{n}");
            assert_eq!(told.iter().map(|g| g.students).sum::<u64>(), n as u64);
            let sizes = told.iter().map(|g| g.students);
            assert!(sizes.clone().max() <= sizes.min().map(|least| least + 2));
            assert!(told.windows(2).all(|w| w[0].highest < w[1].lowest));
            for g in &told {
                assert!(g.lowest <= g.level && g.level <= g.highest);
                let (low, high) = g.ci_low.zip(g.ci_high).expect("shares have one");
                assert!(0.0 <= low && low <= g.score && g.score <= high && high <= 1.0);
            }
        }
        assert_eq!(level_groups(&[], true, 0.95, 1), []);
        let turned: Vec<(f64, f64)> = answers(99).into_iter().rev().collect();
        assert_eq!(
            level_groups(&turned, true, 0.95, 1),
            level_groups(&answers(99), true, 0.95, 1)
        );
    }

    #[test]
    fn students_of_one_level_stay_together() {
        let mut all: Vec<(f64, f64)> = vec![(0.5, 0.4); 100];
        assert_eq!(level_groups(&all, true, 0.95, 1).len(), 1);
        all.extend((0..20).map(|i| (0.6 + 0.01 * f64::from(i), 1.0)));
        let told = level_groups(&all, true, 0.95, 1);
        assert_eq!(told[0].students, 100);
        assert!(told.len() > 1 && near(told[0].score, 0.4));
    }

    #[test]
    fn no_group_is_smaller_than_it_may_be() {
        for least in [1, 2, 7, 20, 50, 99, 100, 101] {
            for distinct in [1, 2, 3, 10, 100] {
                let all: Vec<(f64, f64)> = answers(100)
                    .into_iter()
                    .map(|(level, score)| ((level * f64::from(distinct)).floor(), score))
                    .collect();
                let groups = level_groups(&all, true, 0.95, least);
                assert!(groups.iter().all(|g| g.students >= least as u64), "{least}");
                let told: u64 = groups.iter().map(|g| g.students).sum();
                assert_eq!(told, if least > 100 { 0 } else { 100 }, "{least}");
                assert!(groups.windows(2).all(|w| w[0].highest < w[1].lowest));
            }
        }
    }

    #[test]
    fn intervals_are_those_of_the_textbooks() {
        // Wilson's for 5 of 6 and 95 %.
        let five = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0].map(|score| (0.5, score));
        let g = level_groups(&five, true, 0.95, 1)[0];
        assert!((g.ci_low.unwrap() - 0.436_50).abs() < 1e-4, "{g:?}");
        assert!((g.ci_high.unwrap() - 0.969_95).abs() < 1e-4, "{g:?}");
        // Student's for 1, 2, 3 and 95 %: 2 ± 4.3027 / √3.
        let three = [1.0, 2.0, 3.0].map(|score| (0.5, score));
        let g = level_groups(&three, false, 0.95, 1)[0];
        assert!((g.ci_low.unwrap() + 0.484_14).abs() < 1e-4, "{g:?}");
        assert!((g.ci_high.unwrap() - 4.484_14).abs() < 1e-4, "{g:?}");
        assert_eq!(g.expected, None);
        let one = level_groups(&[(0.5, 7.0)], false, 0.95, 1)[0];
        assert_eq!((one.ci_low, one.ci_high), (None, None));
    }

    #[test]
    fn what_is_expected_of_an_average_question() {
        // A question whose scores are the levels less .2 does as expected everywhere.
        let all: Vec<(f64, f64)> = (30..90)
            .map(|i| (f64::from(i) / 100.0, f64::from(i) / 100.0 - 0.2))
            .collect();
        for g in level_groups(&all, true, 0.95, 1) {
            assert!(near(g.expected.unwrap(), g.score));
        }
    }

    #[test]
    fn the_picture_tells_all() {
        for n in [1, 5, 60, 240, 2000] {
            let groups = level_groups(&answers(n), true, 0.95, 1);
            let svg = item_curve(&groups, true, "Question 7", "Words about it.");
            assert_legible(&svg);
            assert!(svg.contains("<title>Question 7</title>") && svg.contains("Words about it."));
            let noun = if n == 1 { "student" } else { "students" };
            assert!(svg.contains(&format!("{n} {noun} answered it.")));
            // A dot each, and two in the key.
            assert_eq!(svg.matches("<circle").count(), groups.len() + 2);
            assert_eq!(
                svg,
                item_curve(&groups, true, "Question 7", "Words about it.")
            );
        }
    }

    #[test]
    fn scores_without_an_upper_bound_are_told_as_they_are() {
        let words: Vec<(f64, f64)> = answers(60)
            .iter()
            .map(|a| (a.0, 80.0 + 40.0 * a.0))
            .collect();
        let svg = item_curve(
            &level_groups(&words, false, 0.95, 1),
            false,
            "Words read",
            "",
        );
        assert_legible(&svg);
        assert!(svg.contains(">100</text>") && !svg.contains("of the points"));
        assert!(!svg.contains("dashed") && !svg.contains("stroke-dasharray"));
        assert!(svg.contains("mean score 82"));
    }

    #[test]
    fn nobody_and_nonsense() {
        let svg = item_curve(&[], true, "", "");
        assert_legible(&svg);
        assert!(svg.contains("There is no answer of a student with a level to show."));
        for a in ODD {
            for b in ODD {
                let group = LevelGroup {
                    lowest: b,
                    highest: a,
                    level: a,
                    students: 3,
                    score: b,
                    ci_low: Some(a),
                    ci_high: Some(b),
                    expected: Some(a),
                };
                for bounded in [true, false] {
                    let all = [
                        group,
                        LevelGroup {
                            level: b,
                            score: a,
                            ..group
                        },
                    ];
                    assert_well_formed(&item_curve(&all, bounded, "Odd", ""));
                }
                let told = level_groups(&[(a, b), (b, a)], a > 0.0, b, 1);
                assert!(
                    told.iter()
                        .all(|g| g.level.is_finite() && g.score.is_finite())
                );
            }
        }
        for text in HOSTILE {
            let svg = item_curve(&level_groups(&answers(9), true, 0.9, 1), true, text, text);
            assert_legible(&svg);
            assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
        }
    }
}

mod history {
    use super::*;

    fn test(label: &str, day: f64, score: f64) -> Test<'_> {
        let fade = ((day - 20_600.0) / 60.0).exp2().min(1.0);
        Test {
            label,
            day,
            score,
            raw: Some(score - 0.05),
            fade,
            share: fade / 40.0,
        }
    }

    fn standing(trend: &str) -> Standing<'_> {
        Standing {
            as_of: 20_600.0,
            level: Some(0.54),
            ci_low: Some(0.43),
            ci_high: Some(0.65),
            prior: Some(0.6),
            slope: Some(-0.021),
            trend: Some(trend),
            half_life: Some(60.0),
            line: Some([(20_420.0, 0.66), (20_590.0, 0.54)]),
        }
    }

    fn tests_of(labels: &[String]) -> Vec<Test<'_>> {
        let span = 360.0 / labels.len() as f64;
        labels
            .iter()
            .enumerate()
            .map(|(i, label)| test(label, 20_595.0 - span * i as f64, 0.3 + 0.5 * dice(i)))
            .collect()
    }

    #[test]
    fn a_year_of_a_student() {
        for n in [1, 2, 5, 12, 60, 240] {
            let labels: Vec<String> = (0..n).map(|i| format!("Quiz {i}")).collect();
            let mut tests = tests_of(&labels);
            let svg = student_history(&tests, &standing("falling"), "Student 4");
            assert_legible(&svg);
            assert_eq!(svg.matches("<circle").count(), n + 2, "and two in the key");
            assert!(svg.contains(
                "Level 54 % (likely 43 to 65 %) on 2026-05-27, falling: −2.1 points in 30 days"
            ));
            assert!(svg.contains("trend: falling") && svg.contains("one half after 60 days"));
            let named = svg.matches("halo name").count();
            assert!(named <= 6 && named >= n.min(3), "{named} of {n}");
            tests.reverse();
            assert_eq!(
                svg,
                student_history(&tests, &standing("falling"), "Student 4")
            );
        }
    }

    #[test]
    fn what_counts_more_is_larger_and_what_is_older_is_paler() {
        let tests = [test("old", 20_400.0, 0.4), test("new", 20_590.0, 0.7)];
        let svg = student_history(&tests, &standing("unclear"), "");
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
    fn a_trend_that_is_not_told_has_no_line() {
        let labels: Vec<String> = (0..9).map(|i| i.to_string()).collect();
        let tests = tests_of(&labels);
        let told = student_history(&tests, &standing("rising"), "");
        let untold = student_history(&tests, &standing("unclear"), "");
        assert_legible(&untold);
        assert!(told.contains("trend: rising") && told.contains("stroke-linecap"));
        assert!(untold.contains("no clear trend") && !untold.contains("stroke-linecap"));
        assert!(!untold.contains("−2.1"));
    }

    #[test]
    fn little_is_known() {
        let svg = student_history(&[], &standing("unclear"), "New");
        assert_legible(&svg);
        assert!(svg.contains("0 assessments.") && !svg.contains("paler"));
        let svg = student_history(&[], &Standing::default(), "Nobody");
        assert_legible(&svg);
        assert!(svg.contains("There is no score to show.") && svg.contains("No level yet"));
        let bare = Standing {
            as_of: 20_600.0,
            ..Standing::default()
        };
        assert_legible(&student_history(&[test("a", 20_500.0, 0.5)], &bare, ""));
        // What is yet to come does not count.
        let later = student_history(&[test("a", 20_700.0, 0.5)], &standing("unclear"), "");
        assert!(later.contains("0 assessments."));
    }

    #[test]
    fn any_span_of_time() {
        for span in [0.0, 0.5, 1.0, 40.0, 61.0, 63.0, 900.0, 9_000.0, 700_000.0] {
            let tests = [
                test("first", 20_600.0 - span, 0.5),
                test("last", 20_600.0, 0.6),
            ];
            assert_legible(&student_history(&tests, &standing("steady"), "Span"));
        }
        let far = Standing {
            as_of: 1e8,
            ..standing("steady")
        };
        assert_well_formed(&student_history(&[test("a", -2e6, 0.5)], &far, ""));
    }

    #[test]
    fn hostile_and_odd() {
        let tests: Vec<Test> = HOSTILE
            .iter()
            .enumerate()
            .map(|(i, label)| test(label, 20_500.0 + 12.0 * i as f64, 0.1 * i as f64))
            .collect();
        for text in HOSTILE {
            let svg = student_history(&tests, &standing(text), text);
            assert_legible(&svg);
            assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
        }
        let long = "x".repeat(1_000_000);
        let svg = student_history(&[test(&long, 20_500.0, 0.5)], &standing(&long), &long);
        assert_legible(&svg);
        assert!(svg.len() < 20_000);
        for a in ODD {
            for b in ODD {
                let odd = Test {
                    label: "odd",
                    day: a,
                    score: b,
                    raw: Some(a),
                    fade: a,
                    share: b,
                };
                let told = Standing {
                    as_of: b,
                    level: Some(a),
                    ci_low: Some(b),
                    ci_high: Some(a),
                    prior: Some(b),
                    slope: Some(a),
                    trend: Some("rising"),
                    half_life: Some(b),
                    line: Some([(a, b), (b, a)]),
                };
                assert_well_formed(&student_history(&[odd], &told, "Odd"));
                assert_well_formed(&student_history(&[odd], &standing("rising"), "Odd"));
                let fine = Test {
                    score: b,
                    ..test("a", 20_500.0, 0.5)
                };
                assert_well_formed(&student_history(&[fine], &told, "Odd"));
            }
        }
    }
}

mod sheet {
    use super::*;

    fn questions(labels: &[String]) -> Vec<Question<'_>> {
        labels
            .iter()
            .map(|label| Question {
                label,
                facility: Some(0.6),
                pass_mark: None,
                bounded: true,
            })
            .collect()
    }

    fn names(prefix: &str, n: usize) -> Vec<String> {
        (1..=n).map(|i| format!("{prefix}{i}")).collect()
    }

    fn cell(score: f64) -> Cell {
        Cell {
            score: Some(score),
            expected: Some(0.6),
            is_below: score < 0.6,
        }
    }

    fn sheet(students: usize, items: usize, prefix: &str) -> String {
        let (students, items) = (names(prefix, students), names("Q", items));
        let labels: Vec<&str> = students.iter().map(String::as_str).collect();
        let cells: Vec<Cell> = (0..labels.len() * items.len())
            .map(|i| cell(dice(i)))
            .collect();
        score_sheet(&labels, &questions(&items), &cells, "Test 3", "Words.")
    }

    #[test]
    fn sheets_of_all_sizes() {
        for (students, items) in [(1, 1), (5, 3), (60, 20), (61, 41), (240, 40), (2000, 60)] {
            let svg = sheet(students, items, "Student ");
            assert_legible(&svg);
            let shown = students.min(MOST_STUDENTS);
            assert_eq!(
                svg.contains(&format!("and {} more with totals of", students - shown)),
                students > shown
            );
            assert_eq!(
                svg.contains(&format!(
                    "The first {MOST_QUESTIONS} questions, and {} more.",
                    items.saturating_sub(MOST_QUESTIONS)
                )),
                items > MOST_QUESTIONS
            );
            assert!(svg.len() < 900_000);
            assert_eq!(svg, sheet(students, items, "Student "));
        }
        assert_legible(&sheet(
            30,
            5,
            "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine the ",
        ));
        let none = score_sheet(&[], &[], &[], "Test 3", "");
        assert_legible(&none);
        assert!(none.contains("There is no score to show."));
    }

    #[test]
    fn what_is_below_is_marked_twice() {
        let items = names("Q", 3);
        let cells = [0.59, 0.6, 0.2].map(cell);
        let svg = score_sheet(&["Ann"], &questions(&items), &cells, "", "");
        assert_legible(&svg);
        // Two marks and two of the key, each on a dark ground.
        assert_eq!(svg.matches("<path").count(), 4);
        assert_eq!(svg.matches("fill=\"#6a4fa3\"").count(), 2);
        assert_eq!(svg.matches("fill=\"#240b52\"").count(), 2);
        assert!(svg.contains("2 scores are below what was expected."));
        assert!(svg.contains(">46</text>"), "the total of 59, 60 and 20 %");
    }

    #[test]
    fn pass_marks_are_shown_where_they_differ() {
        let items = names("Q", 3);
        let mut all = questions(&items);
        let cells = [0.59, 0.6, 0.2].map(cell);
        let draw = |all: &[Question]| score_sheet(&["Ann"], all, &cells, "", "");
        for mark in [None, Some(0.75)] {
            for question in &mut all {
                question.pass_mark = mark;
            }
            let svg = draw(&all);
            assert!(!svg.contains(">pass mark</text>") && !svg.contains(">75</text>"));
        }
        let height = |svg: &str| svg.split('"').nth(7).map(|h| h.parse::<f64>().unwrap());
        let without = height(&draw(&all));
        all[1].pass_mark = None;
        let svg = draw(&all);
        assert_legible(&svg);
        assert!(svg.contains(">pass mark</text>") && height(&svg) > without);
        assert_eq!(svg.matches(">75</text>").count(), 2);
        all[0].pass_mark = Some(0.625);
        assert!(draw(&all).contains(">62.5</text>"));
        // What has no maximum has no pass mark.
        all[0].pass_mark = Some(0.75);
        all[1].bounded = false;
        assert!(!draw(&all).contains(">pass mark</text>"));
    }

    #[test]
    fn the_lowest_come_first_and_those_without_a_score_last() {
        let items = names("Q", 2);
        let none = Cell::default();
        let cells = [
            cell(0.9),
            cell(0.8),
            none,
            none,
            cell(0.1),
            none,
            cell(0.5),
            cell(0.3),
        ];
        let labels = ["high", "none", "low", "middle"];
        let svg = score_sheet(&labels, &questions(&items), &cells, "", "");
        let order: Vec<String> = words_of(&svg)
            .into_iter()
            .map(|(_, words)| words)
            .filter(|words| labels.contains(&words.as_str()))
            .collect();
        assert_eq!(order, ["low", "middle", "high", "none"]);
        // Three without an answer, and the key.
        assert_eq!(svg.matches(">–</text>").count(), 4);
    }

    #[test]
    fn scores_without_an_upper_bound_have_no_part_in_the_total() {
        let items = names("Q", 2);
        let mut all = questions(&items);
        all[1].bounded = false;
        let open = Cell {
            score: Some(-112.0),
            ..Cell::default()
        };
        let svg = score_sheet(&["Ann"], &all, &[cell(0.7), open], "", "");
        assert_legible(&svg);
        assert!(svg.contains(">−112</text>"));
        assert_eq!(
            svg.matches(">70</text>").count(),
            3,
            "score, total, and their mean"
        );
    }

    #[test]
    fn hostile_and_odd() {
        let items: Vec<String> = HOSTILE.iter().map(|s| s.to_string()).collect();
        let cells: Vec<Cell> = (0..64).map(|i| cell(dice(i))).collect();
        for text in HOSTILE {
            let svg = score_sheet(&HOSTILE, &questions(&items), &cells, text, text);
            assert_legible(&svg);
            assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
        }
        let long = "x".repeat(1_000_000);
        let svg = score_sheet(
            &[&long],
            &questions(std::slice::from_ref(&long)),
            &[cell(0.5)],
            &long,
            &long,
        );
        assert_legible(&svg);
        assert!(svg.len() < 20_000);
        for bounded in [true, false] {
            let items = names("Q", ODD.len());
            let mut all = questions(&items);
            let cells = ODD.map(|score| Cell {
                score: Some(score),
                expected: Some(-score),
                is_below: true,
            });
            for (question, facility) in all.iter_mut().zip(ODD) {
                *question = Question {
                    facility: Some(facility),
                    bounded,
                    ..*question
                };
            }
            assert_well_formed(&score_sheet(&["odd"], &all, &cells, "", ""));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_they_are_given_they_are_well_formed(
        rows in prop::collection::vec(
            (any::<String>(), any::<Option<f64>>(), -1.0..2.0f64, 0.0..1.0f64),
            0..20,
        ),
        title in any::<String>(),
    ) {
        let cells: Vec<Cell> = rows
            .iter()
            .map(|r| Cell { score: r.1, expected: Some(r.2), is_below: r.3 < 0.5 })
            .collect();
        let labels: Vec<&str> = rows.iter().map(|r| r.0.as_str()).collect();
        let bounded = rows.len() % 2 == 0;
        let one = [Question { label: &title, facility: None, pass_mark: None, bounded }];
        assert_well_formed(&score_sheet(&labels, &one, &cells, &title, &title));
        let tests: Vec<Test> = rows
            .iter()
            .map(|r| Test { label: &r.0, day: 2e4 + 900.0 * r.2, score: r.2, raw: r.1, fade: r.3, share: r.3 })
            .collect();
        let standing = Standing { as_of: 22_000.0, level: Some(0.5), ..Standing::default() };
        assert_well_formed(&student_history(&tests, &standing, &title));
        let answers: Vec<(f64, f64)> = rows.iter().map(|r| (r.2, r.1.unwrap_or(r.3))).collect();
        let groups = level_groups(&answers, false, 0.95, 1);
        assert_well_formed(&item_curve(&groups, false, &title, &title));
    }
}
