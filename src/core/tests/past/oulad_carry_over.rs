//! What last year's gradebook is worth on real courses: the Open University Learning Analytics
//! Dataset (Kuzilek, Hlosta and Zdrahal 2017, CC BY 4.0). Students who had a course before are
//! predicted after their first few scores in a new one, with and without the gradebook of the
//! old one.
//!
//! Everyone's scores end after the first few, as they do early in a year. What is predicted is
//! the mean of the next four scores (at least two), with the difficulty of the assessments taken
//! out, which the whole course shows; the mean of a course is taken out of both, since no
//! prediction can know how hard the next assessments are.

use pg_assess_test_support::solve::{self, Asked};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use pg_assess_core::gradebook::{Gradebook, Id, Ids};
use pg_assess_core::options::Options;
use pg_assess_core::questions::difficulty::Difficulty;
use pg_assess_test_support::{OwnRow, Table, go, gradebook, mean, number, row, shared_data};

/// Days by which an old course may reach into the new one.
const OVERLAP: f64 = 14.0;

#[derive(Debug, Clone, Copy)]
struct Score {
    student: i64,
    assessment: i64,
    /// Since the first of February 2013.
    day: f64,
    share: f64,
}

impl Score {
    fn row(&self) -> OwnRow {
        let id = self.assessment;
        row(self.student, id, id, self.share, self.day)
    }
}

/// A presentation of a module: the scores of each student by time.
struct Course {
    start: f64,
    students: BTreeMap<i64, Vec<Score>>,
}

impl Course {
    fn scores(&self) -> impl Iterator<Item = &Score> {
        self.students.values().flatten()
    }

    /// What was known of it when a course began.
    fn before(&self, start: f64) -> impl Iterator<Item = OwnRow> {
        let known = move |score: &&Score| score.day < start + OVERLAP;
        self.scores().filter(known).map(Score::row)
    }

    /// The gradebook after everyone's first scores. Whoever has none yet is known by a row
    /// without a score.
    fn after(&self, scores: usize) -> Vec<u8> {
        let rows = self.students.values().flat_map(|all| {
            let absent = OwnRow {
                score: None,
                ..all[0].row()
            };
            let first = all.iter().take(scores).map(Score::row);
            first.chain((scores == 0).then_some(absent))
        });
        gradebook(&rows.collect::<Vec<_>>())
    }

    /// How much easier than the mean each assessment was.
    fn effects(&self) -> HashMap<i64, f64> {
        let bytes = gradebook(&self.scores().map(Score::row).collect::<Vec<_>>());
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let ledger = solve::ledger(&book, &Options::default(), &go).expect("a ledger");
        let difficulty = Difficulty::fit(&ledger, true, &go);
        let items = 0..book.items().len() as u32;
        items
            .map(|at| (integer(book.items(), at), difficulty.effect[at as usize]))
            .collect()
    }
}

fn integer(ids: &Ids, at: u32) -> i64 {
    match ids.get(at) {
        Id::Integer(id) => id,
        other => panic!("{other:?}"),
    }
}

/// All courses, without exams, scores banked from an earlier course, and the one assessment whose
/// score only says that it was done.
fn courses(folder: &Path) -> Vec<Course> {
    let assessments = Table::read(&folder.join("assessments.csv.gz"));
    let names = [
        "code_module",
        "code_presentation",
        "assessment_type",
        "weight",
    ];
    let about = names.map(|name| assessments.texts(name));
    let about: HashMap<&str, [&str; 4]> = assessments
        .texts("id_assessment")
        .into_iter()
        .enumerate()
        .map(|(at, id)| (id, [0, 1, 2, 3].map(|column| about[column][at])))
        .collect();
    let results = Table::read(&folder.join("studentAssessment.csv.gz"));
    let names = [
        "id_assessment",
        "id_student",
        "date_submitted",
        "is_banked",
        "score",
    ];
    let columns = names.map(|name| results.column(name));
    let mut courses: BTreeMap<[&str; 2], Course> = BTreeMap::new();
    for result in &results.rows {
        let [id, student, day, banked, score] = columns.map(|column| &result[column]);
        let [module, presentation, kind, weight] = about[id];
        let done = [module, presentation, weight] == ["BBB", "2014J", "0"];
        let Some(score) = number(score).filter(|_| kind != "Exam" && banked == "0" && !done) else {
            continue;
        };
        let start = match presentation {
            "2013B" => 0.0,
            "2013J" => 242.0,
            "2014B" => 365.0,
            _ => 607.0,
        };
        let course = courses.entry([module, presentation]).or_insert(Course {
            start,
            students: BTreeMap::new(),
        });
        let student = student.parse().expect("a number");
        course.students.entry(student).or_default().push(Score {
            student,
            assessment: id.parse().expect("a number"),
            day: start + number(day).expect("a day"),
            share: score / 100.0,
        });
    }
    for scores in courses
        .values_mut()
        .flat_map(|course| course.students.values_mut())
    {
        scores.sort_by(|a, b| {
            a.day
                .total_cmp(&b.day)
                .then(a.assessment.cmp(&b.assessment))
        });
    }
    courses.into_values().collect()
}

/// The level of each student less that of one of whom nothing is known.
fn levels(bytes: &[u8], previous: Option<&Vec<u8>>) -> HashMap<i64, f64> {
    let book = Gradebook::open(bytes).expect("a gradebook");
    let mut options = Asked::default();
    if let Some(previous) = previous {
        let previous = Gradebook::open(previous).expect("a gradebook");
        let last_year = solve::previous(&previous, &options, &book, &options, &|at| at, &go);
        options.previous = last_year.expect("last year");
    }
    let students = solve::students(&book, &options, &go).expect("students");
    let stranger = students
        .iter()
        .filter_map(|row| row.level)
        .find(|level| !level.prior_is_own)
        .map_or(0.0, |level| level.prior);
    students
        .iter()
        .map(|row| {
            let level = row.level.map_or(0.0, |level| level.level - stranger);
            (integer(book.students(), row.student), level)
        })
        .collect()
}

/// How well the truth is predicted.
#[derive(Debug, Clone, Copy)]
struct Fit {
    n: usize,
    rmse: f64,
    /// Spearman's rank correlation; 0 where all predictions are the same.
    rho: f64,
}

impl Fit {
    fn of(pairs: &[(f64, f64)]) -> Self {
        let ranks = |of: fn(&(f64, f64)) -> f64| {
            let mut sorted: Vec<f64> = pairs.iter().map(of).collect();
            sorted.sort_by(f64::total_cmp);
            let rank = |value: f64| {
                let below = sorted.partition_point(|other| *other < value);
                let up_to = sorted.partition_point(|other| *other <= value);
                (below + up_to) as f64 - pairs.len() as f64
            };
            pairs
                .iter()
                .map(|pair| rank(of(pair)))
                .collect::<Vec<f64>>()
        };
        let (x, y) = (ranks(|pair| pair.0), ranks(|pair| pair.1));
        let product = |x: &[f64], y: &[f64]| mean(x.iter().zip(y).map(|(x, y)| x * y));
        let spread = (product(&x, &x) * product(&y, &y)).sqrt();
        Self {
            n: pairs.len(),
            rmse: mean(pairs.iter().map(|(x, y)| (x - y).powi(2))).sqrt(),
            rho: if spread > 0.0 {
                product(&x, &y) / spread
            } else {
                0.0
            },
        }
    }
}

/// Predictions after the first `k` scores of a course: without last year, with the gradebook of
/// each student's last course before, and with one gradebook of all earlier courses together.
fn predictions(course: &Course, all: &[Course], k: usize) -> [Vec<(f64, f64)>; 3] {
    let earlier = || all.iter().filter(|old| old.start < course.start);
    // By student, where among the earlier courses the last one is that the student had ended.
    let mut last: BTreeMap<i64, usize> = BTreeMap::new();
    for (at, old) in earlier().enumerate() {
        for (student, scores) in &old.students {
            let ended = scores
                .iter()
                .all(|score| score.day < course.start + OVERLAP);
            if ended && course.students.contains_key(student) {
                let best = last.entry(*student).or_insert(at);
                if old.start > earlier().nth(*best).expect("a course").start {
                    *best = at;
                }
            }
        }
    }
    if last.is_empty() {
        return [const { Vec::new() }; 3];
    }
    let bytes = course.after(k);
    let plain = levels(&bytes, None);
    let mut carried = plain.clone();
    for at in BTreeSet::from_iter(last.values()) {
        let old = earlier().nth(*at).expect("a course");
        let old = gradebook(&old.before(course.start).collect::<Vec<_>>());
        for (student, level) in levels(&bytes, Some(&old)) {
            if last.get(&student) == Some(at) {
                carried.insert(student, level);
            }
        }
    }
    let together: Vec<OwnRow> = earlier().flat_map(|old| old.before(course.start)).collect();
    let mut pooled = levels(&bytes, Some(&gradebook(&together)));
    for (student, level) in &mut pooled {
        if !last.contains_key(student) {
            *level = plain[student];
        }
    }

    let effects = course.effects();
    let next = |scores: &[Score]| {
        let next = scores[k..].iter().take(4);
        mean(next.map(|score| score.share - effects[&score.assessment]))
    };
    let truth: BTreeMap<i64, f64> = course
        .students
        .iter()
        .filter(|(_, scores)| scores.len() >= k + 2)
        .map(|(student, scores)| (*student, next(scores)))
        .collect();
    [&plain, &carried, &pooled].map(|levels| {
        let centre = mean(truth.keys().map(|student| levels[student]));
        let truth_centre = mean(truth.values().copied());
        let asked = truth
            .iter()
            .filter(|(student, _)| last.contains_key(student));
        asked
            .map(|(student, truth)| (levels[student] - centre, truth - truth_centre))
            .collect()
    })
}

#[test]
fn last_year_is_worth_about_one_score() {
    let Some(folder) = shared_data("last_year_is_worth_about_one_score", "oulad") else {
        return;
    };
    let courses = courses(&folder);
    let fits = |k: usize| {
        let mut pairs = [const { Vec::new() }; 3];
        for course in &courses {
            let of_course = predictions(course, &courses, k);
            pairs
                .iter_mut()
                .zip(of_course)
                .for_each(|(all, new)| all.extend(new));
        }
        pairs.map(|pairs| Fit::of(&pairs))
    };
    println!("scores    n   without: rmse, rho   with: rmse, rho   pooled: rmse, rho");
    let mut before: Option<Fit> = None;
    for (k, n) in [(0, 1140), (1, 964), (2, 823), (3, 638), (5, 457)] {
        let [plain, carried, pooled] = fits(k);
        println!(
            "{k:6} {:4}        {:.4} {:.3}      {:.4} {:.3}        {:.4} {:.3}",
            plain.n, plain.rmse, plain.rho, carried.rmse, carried.rho, pooled.rmse, pooled.rho
        );
        assert_eq!((plain.n, carried.n), (n, n));
        assert!(carried.rmse < plain.rmse && carried.rho > plain.rho, "{k}");
        // Both years in one gradebook are as good, as what students do not link is drawn in.
        assert!((carried.rmse - pooled.rmse).abs() < 0.0025, "{k}");
        assert!((carried.rho - pooled.rho).abs() < 0.005, "{k}");
        if k == 1 {
            assert!(carried.rho >= 0.7 && carried.rmse < 0.13, "{carried:?}");
        }
        // As good as one score more without it.
        if let Some(before) = before.filter(|_| k <= 2) {
            assert!(
                (before.rho - plain.rho).abs() < 0.02,
                "{k}: {before:?} {plain:?}"
            );
        }
        before = Some(carried);
    }
}
