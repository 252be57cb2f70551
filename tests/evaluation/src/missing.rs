//! Does missing work predict who will fail or leave?
//!
//! On a day, everyone still registered for a course is ranked, also those without a single score.
//! The outcome is whether they fail or withdraw in the end. Lists are made per course, so only
//! students of one course are compared.

use pg_assess_test_support::solve::{self, Asked};
use std::collections::HashMap;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;

use crate::data::{Course, number_of};
use crate::statistics::{Count, auc, flagged, mean};
use pg_assess_test_support::go;

/// Days of a course on which one looks.
pub const DAYS: [i64; 3] = [60, 120, 180];
const FLAGGED: f64 = 0.2;

/// By what the students are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// Low plain mean of the scores.
    Mean,
    /// High `need`.
    Need,
    /// High `missing`.
    Missing,
    /// Low mean of the scores with missing work counted as 0:
    /// `raw_level * assessments / (assessments + missing)`.
    MissingAsZero,
}

impl Ranking {
    pub const ALL: [Self; 4] = [Self::Mean, Self::Need, Self::Missing, Self::MissingAsZero];

    pub fn label(self) -> &'static str {
        match self {
            Self::Mean => "plain mean of scores",
            Self::Need => "need",
            Self::Missing => "missing work",
            Self::MissingAsZero => "mean, missing as 0",
        }
    }
}

/// One student on one day.
#[derive(Debug, Clone)]
pub struct Case {
    /// Per ranking, the higher the more in need; none where it says nothing.
    concern: [Option<f64>; 4],
    /// Whether there is any score.
    pub known: bool,
    pub failed: bool,
}

/// Per course, everyone still registered on a day.
pub fn cases(courses: &[Course], day: i64) -> Vec<Vec<Case>> {
    courses.iter().map(|course| cases_of(course, day)).collect()
}

fn cases_of(course: &Course, day: i64) -> Vec<Case> {
    let bytes = course.gradebook();
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let options = Asked {
        as_of: Some(day * DAY),
        ..Asked::default()
    };
    let students: HashMap<i64, Student> = solve::students(&book, &options, &go)
        .expect("students")
        .into_iter()
        .filter(|student| student.n > 0)
        .map(|student| (number_of(book.students().get(student.student)), student))
        .collect();
    let mut scores: HashMap<i64, Vec<f64>> = HashMap::new();
    for row in course
        .rows
        .iter()
        .filter(|row| row.taken_at <= options.as_of)
    {
        let student = number_of(row.student.as_ref().expect("a student").id());
        scores.entry(student).or_default().extend(row.score);
    }
    let here = |left: Option<f64>| left.is_none_or(|left| left > day as f64);
    let roster = course
        .roster
        .iter()
        .filter(|enrolment| here(enrolment.left));
    roster
        .map(|enrolment| {
            let concern = match students.get(&enrolment.student) {
                Some(student) => {
                    let level = student.level.expect("a level");
                    let (done, missing) = (
                        f64::from(student.assessments),
                        f64::from(student.work.missing),
                    );
                    let raw = level.raw_level.expect("scores");
                    [
                        Some(-mean(scores[&enrolment.student].iter().copied())),
                        level.need,
                        Some(missing),
                        Some(-raw * done / (done + missing)),
                    ]
                }
                // A student without a score is missing all there is, and nothing else is known.
                None => [None, None, Some(f64::INFINITY), Some(0.0)],
            };
            Case {
                concern,
                known: students.contains_key(&enrolment.student),
                failed: enrolment.failed,
            }
        })
        .collect()
}

/// How well a ranking predicts who fails or leaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accuracy {
    /// Pairs of one who fails and one of the same course who does not, `yes` in the right order.
    pub pairs: Count,
    /// Of those who fail, those among the first fifth of their course.
    pub found: Count,
}

impl std::ops::AddAssign for Accuracy {
    fn add_assign(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.found += other.found;
    }
}

impl Accuracy {
    /// Several courses as one.
    pub fn pool<'a>(courses: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for course in courses {
            sum += *course;
        }
        sum
    }

    /// The chance that one who fails stands above one who does not.
    pub fn auc(&self) -> f64 {
        self.pairs.share()
    }
}

/// Per course; students that the ranking leaves open stand in the middle. Courses in which nobody
/// has a score yet are left out.
pub fn accuracies(courses: &[Vec<Case>], ranking: Ranking) -> Vec<Accuracy> {
    let begun = |cases: &&Vec<Case>| cases.iter().any(|case| case.known);
    courses
        .iter()
        .filter(begun)
        .map(|cases| accuracy_of(cases, ranking))
        .collect()
}

fn accuracy_of(cases: &[Case], ranking: Ranking) -> Accuracy {
    let concern = |case: &Case| case.concern[ranking as usize];
    let middle = mean(cases.iter().filter_map(concern));
    let concern: Vec<f64> = cases
        .iter()
        .map(|case| concern(case).unwrap_or(middle))
        .collect();
    let failed: Vec<bool> = cases.iter().map(|case| case.failed).collect();
    let with = failed.iter().filter(|failed| **failed).count();
    let pairs = (with * (failed.len() - with)) as f64;
    let mut accuracy = Accuracy::default();
    if pairs > 0.0 {
        accuracy.pairs = Count {
            yes: pairs * auc(&concern, &failed),
            of: pairs,
        };
    }
    for (flag, failed) in flagged(&concern, FLAGGED).iter().zip(&failed) {
        if *failed {
            accuracy.found.add(*flag);
        }
    }
    accuracy
}

/// The same courses without those who have no score.
pub fn known(courses: &[Vec<Case>]) -> Vec<Vec<Case>> {
    courses
        .iter()
        .map(|cases| cases.iter().filter(|case| case.known).cloned().collect())
        .collect()
}
