//! Are students with little data treated fairly?
//!
//! On several days of each course a fifth is flagged, and compared with the true lowest fifth of the
//! next 90 days. A plain mean of few scores is often extreme by chance, so that it flags too many
//! of those who have few.

use pg_assess_test_support::solve::{self, Asked};
use std::collections::HashSet;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::difficulty::Difficulty;
use pg_assess_core::time::DAY;

use crate::data::{Course, number_of};
use crate::statistics::{Count, flagged, mean, ranks};
use pg_assess_test_support::{OwnRow, go, gradebook};

/// Days of a course on which one looks.
pub const DAYS: [i64; 5] = [60, 90, 120, 150, 180];
/// How far the truth reaches, in days, and how many scores it rests on at least.
const AHEAD: i64 = 90;
const SCORES_AHEAD: usize = 2;
const FIFTH: f64 = 0.2;
/// Those with the fewest scores: the lowest third of their course; equal numbers share their place.
const FEWEST: f64 = 1.0 / 3.0;

/// Who is in the gradebook on the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cohort {
    /// Those who are compared: the cut is a fifth of them.
    Compared,
    /// Everyone, also those about to leave: the cut is a fifth of all.
    Everyone,
}

/// What is found of those with the fewest scores.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thin {
    /// Those with the fewest scores, of all.
    pub thin: Count,
    /// Of those with the fewest scores: truly in the lowest fifth, and flagged by plain mean, by
    /// level and by need.
    pub truly: Count,
    pub by_mean: Count,
    pub by_level: Count,
    pub by_need: Count,
    /// Of the true lowest fifth of everyone, those flagged.
    pub found_by_mean: Count,
    pub found_by_need: Count,
}

impl std::ops::AddAssign for Thin {
    fn add_assign(&mut self, other: Self) {
        self.thin += other.thin;
        self.truly += other.truly;
        self.by_mean += other.by_mean;
        self.by_level += other.by_level;
        self.by_need += other.by_need;
        self.found_by_mean += other.found_by_mean;
        self.found_by_need += other.found_by_need;
    }
}

/// Over all courses and days.
pub fn thin(courses: &[Course], cohort: Cohort) -> Thin {
    let mut thin = Thin::default();
    for course in courses {
        for day in DAYS {
            thin += thin_on(course, day, cohort);
        }
    }
    thin
}

/// One student who is compared.
struct Compared {
    scores: f64,
    mean: f64,
    ahead: f64,
    level: f64,
    need: f64,
}

fn thin_on(course: &Course, day: i64, cohort: Cohort) -> Thin {
    let students = compared(course, day, cohort);
    let column = |of: fn(&Compared) -> f64| students.iter().map(of).collect::<Vec<f64>>();
    let fifth = |of: fn(&Compared) -> f64| flagged(&column(of), FIFTH);
    let truth = fifth(|s| -s.ahead);
    let (by_mean, by_level, by_need) = (fifth(|s| -s.mean), fifth(|s| -s.level), fifth(|s| s.need));
    let places = ranks(&column(|s| s.scores));

    let mut thin = Thin::default();
    for at in 0..students.len() {
        let fewest = places[at] <= FEWEST * students.len() as f64;
        thin.thin.add(f64::from(fewest));
        if fewest {
            thin.truly.add(truth[at]);
            thin.by_mean.add(by_mean[at]);
            thin.by_level.add(by_level[at]);
            thin.by_need.add(by_need[at]);
        }
        let found = |flag: f64| Count {
            yes: truth[at] * flag,
            of: truth[at],
        };
        thin.found_by_mean += found(by_mean[at]);
        thin.found_by_need += found(by_need[at]);
    }
    thin
}

/// Everyone with a score so far and enough scores ahead.
fn compared(course: &Course, day: i64, cohort: Cohort) -> Vec<Compared> {
    let bytes = course.gradebook();
    let book = Gradebook::open(&bytes).expect("a gradebook");
    // How hard the tests ahead are is known best from the whole course.
    let ledger = solve::ledger(&book, &Options::default(), &go).expect("a ledger");
    let difficulty = Difficulty::fit(&ledger, true, &go);
    let mut truth = Vec::new();
    for student in 0..ledger.student_count() {
        let (mut so_far, mut ahead) = (Vec::new(), Vec::new());
        for unit in ledger.units_of(student) {
            let taken_on = ledger.unit(unit).taken_at / DAY;
            for response in ledger.responses_in(unit) {
                if taken_on <= day {
                    so_far.push(ledger.scores[response]);
                } else if taken_on <= day + AHEAD {
                    ahead.push(difficulty.adjusted(&ledger, response));
                }
            }
        }
        if !so_far.is_empty() && ahead.len() >= SCORES_AHEAD {
            truth.push((
                number_of(book.students().get(student as u32)),
                so_far,
                mean(ahead),
            ));
        }
    }

    let members: HashSet<i64> = truth.iter().map(|(id, ..)| *id).collect();
    let inside = |row: &&OwnRow| {
        cohort == Cohort::Everyone
            || members.contains(&number_of(row.student.as_ref().expect("a student").id()))
    };
    let bytes = gradebook(course.rows.iter().filter(inside));
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let options = Asked {
        as_of: Some(day * DAY),
        ..Asked::default()
    };
    // Both lists are in the order of the ids.
    let mut solved = solve::students(&book, &options, &go)
        .expect("students")
        .into_iter();
    truth
        .into_iter()
        .map(|(id, so_far, ahead)| {
            let student = solved
                .find(|student| number_of(book.students().get(student.student)) == id)
                .expect("everyone with a score");
            let level = student.level.expect("a level");
            Compared {
                scores: so_far.len() as f64,
                mean: mean(so_far),
                ahead,
                level: level.level,
                need: level.need.expect("a need"),
            }
        })
        .collect()
}
