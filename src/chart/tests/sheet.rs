//! The score sheet is well-formed, legible and honest whatever it is given.

mod common;

use common::{HOSTILE, ODD, assert_legible, assert_well_formed, cases, dice, words_of};
use pg_assess_chart::{Cell, MOST_QUESTIONS, MOST_STUDENTS, Question, ScoreSheet, Student, read};
use proptest::prelude::*;

fn questions(items: &[String]) -> Vec<Question> {
    items
        .iter()
        .map(|item| Question {
            item: item.clone(),
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
        is_below: Some(score < 0.6),
    }
}

/// `cells` are row by row, one row a student.
fn draw(students: &[&str], questions: &[Question], cells: &[Cell], assessment: &str) -> String {
    let rows = cells.chunks(questions.len().max(1));
    let students = students.iter().zip(rows).map(|(student, cells)| Student {
        student: student.to_string(),
        cells: cells.to_vec(),
    });
    let sheet = ScoreSheet {
        assessment: assessment.to_owned(),
        questions: questions.to_vec(),
        students: students.collect(),
        ..ScoreSheet::default()
    };
    sheet.svg()
}

fn sheet(students: usize, items: usize, prefix: &str) -> String {
    let (students, items) = (names(prefix, students), names("Q", items));
    let labels: Vec<&str> = students.iter().map(String::as_str).collect();
    let cells: Vec<Cell> = (0..labels.len() * items.len())
        .map(|i| cell(dice(i)))
        .collect();
    draw(&labels, &questions(&items), &cells, "3")
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
    let none = draw(&[], &[], &[], "3");
    assert_legible(&none);
    assert!(none.contains("There is no score to show."));
}

#[test]
fn what_is_below_is_marked_twice() {
    let items = names("Q", 3);
    let cells = [0.59, 0.6, 0.2].map(cell);
    let svg = draw(&["Ann"], &questions(&items), &cells, "");
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
    let of_ann = |all: &[Question]| draw(&["Ann"], all, &cells, "");
    for mark in [None, Some(0.75)] {
        for question in &mut all {
            question.pass_mark = mark;
        }
        let svg = of_ann(&all);
        assert!(!svg.contains(">pass mark</text>") && !svg.contains(">75</text>"));
    }
    let height = |svg: &str| svg.split('"').nth(7).map(|h| h.parse::<f64>().unwrap());
    let without = height(&of_ann(&all));
    all[1].pass_mark = None;
    let svg = of_ann(&all);
    assert_legible(&svg);
    assert!(svg.contains(">pass mark</text>") && height(&svg) > without);
    assert_eq!(svg.matches(">75</text>").count(), 2);
    all[0].pass_mark = Some(0.625);
    assert!(of_ann(&all).contains(">62.5</text>"));
    // What has no maximum has no pass mark.
    all[0].pass_mark = Some(0.75);
    all[1].bounded = false;
    assert!(!of_ann(&all).contains(">pass mark</text>"));
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
    let svg = draw(&labels, &questions(&items), &cells, "");
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
    let svg = draw(&["Ann"], &all, &[cell(0.7), open], "");
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
        let svg = draw(&HOSTILE, &questions(&items), &cells, text);
        assert_legible(&svg);
        assert!(!svg.contains("<script") && !svg.contains(" onload=\""));
    }
    let long = "x".repeat(1_000_000);
    let svg = draw(
        &[&long],
        &questions(std::slice::from_ref(&long)),
        &[cell(0.5)],
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
            is_below: Some(true),
        });
        for (question, facility) in all.iter_mut().zip(ODD) {
            question.facility = Some(facility);
            question.bounded = bounded;
        }
        assert_well_formed(&draw(&["odd"], &all, &cells, ""));
    }
}

#[test]
fn what_is_marked_is_put_in_words() {
    let items = names("Q", 24);
    let mut all = questions(&items);
    let cells: Vec<Cell> = (0..24).map(|i| cell(dice(i))).collect();
    let mut marked = |marks: [Option<f64>; 3], words: &str| {
        for (question, mark) in all.iter_mut().zip(marks.into_iter().cycle()) {
            question.pass_mark = mark;
        }
        let svg = draw(&["Ann"], &all, &cells, "3");
        let begin = "Per cent of the points, lowest totals first. Marked: below the";
        assert!(svg.contains(&format!("{begin} {words}.<")), "{words}");
    };
    marked([None; 3], "mean of all students");
    marked([Some(0.5), None, Some(0.5)], "pass mark, or else the mean");
    marked(
        [Some(0.5), Some(0.6), Some(0.5)],
        "pass mark of the question",
    );
    marked([Some(0.625); 3], "pass mark of 62.5 %");
    for question in &mut all {
        question.bounded = false;
    }
    let svg = draw(&["Ann"], &all, &cells, "3");
    assert!(svg.contains(">Scores as they are: they have no maximum, hence no totals.<"));
}

#[test]
fn cells_are_read_as_the_database_writes_them() {
    let rows = r#"{"of": {"subject": null, "student_group": "8b"}, "assessment": "3",
        "questions": [{"item": "a", "facility": 1, "pass_mark": null, "bounded": true},
                      {"item": "b", "facility": null, "pass_mark": null, "bounded": false}],
        "students": [{"student": "s", "cells": [[0.2, 0.6, true], [null, null, null]]},
                     {"student": "t", "cells": []}]}"#;
    let sheet: ScoreSheet = read(rows).expect("a sheet");
    assert_eq!(sheet.students[0].cells[1], Cell::default());
    let svg = sheet.svg();
    assert_legible(&svg);
    assert!(svg.contains("<title>8b: scores in assessment 3</title>"));
    assert!(svg.contains("2 students shown.") && svg.contains("1 scores are below"));
    assert!(read::<ScoreSheet>(&rows.replace("0.2, 0.6, true", "0.2")).is_err());
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_it_is_given_it_is_well_formed(
        rows in prop::collection::vec(
            (any::<String>(), any::<Option<f64>>(), -1.0..2.0f64, any::<Option<bool>>()),
            0..20,
        ),
        title in any::<String>(),
    ) {
        let cells: Vec<Cell> = rows
            .iter()
            .map(|r| Cell { score: r.1, expected: Some(r.2), is_below: r.3 })
            .collect();
        let labels: Vec<&str> = rows.iter().map(|r| r.0.as_str()).collect();
        let bounded = rows.len() % 2 == 0;
        let one = [Question { item: title.clone(), facility: None, pass_mark: None, bounded }];
        assert_well_formed(&draw(&labels, &one, &cells, &title));
    }
}
