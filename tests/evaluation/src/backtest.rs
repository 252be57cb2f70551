//! How well are later scores predicted?
//!
//! Two questions, by the core's own back-test. The next score: for each assessment of a course one
//! looks back from the day on which the first twentieth had handed it in, and predicts it for
//! everybody else from what they had handed in of the others by then. The next 90 days: on five
//! days of a course, the mean of what came in the following 90 days.
//!
//! Predictions and outcomes are compared among those with the same target, as nobody could know how
//! hard it would be.

use pg_assess_test_support::solve::{Settings, forecasts};
use std::collections::{BTreeMap, HashMap};

use pg_assess_core::forecasts::backtest::{Figures, Forecast, Method, Tally, Target};
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::statistics::quantile::quantile;
use pg_assess_core::time::DAY;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Course, number_of};
use crate::statistics::{Count, mean};
use pg_assess_test_support::{OwnRow, go, gradebook};

/// Days of a course from which one looks 90 days ahead.
pub const DAYS: [i64; 5] = [60, 90, 120, 150, 180];
/// Share of an assessment's results that are in when it is predicted.
const EARLY: f64 = 0.05;
const RESAMPLES: u64 = 1000;
/// Numbers of assessments known, from and to, by which forecasts are divided.
pub const BANDS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, u32::MAX)];

/// How a band is written.
pub fn band_label((from, to): (u32, u32)) -> String {
    match to {
        u32::MAX => format!("{from} or more"),
        to if to == from => from.to_string(),
        to => format!("{from}–{to}"),
    }
}

/// Which of the results so far are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    All,
    /// Each with probability one half.
    Half,
    /// Students are dealt to two tracks; what was handed in of the easier half of the assessments
    /// is known of the one, of the harder half of the other. Of the half that is not theirs a
    /// tenth is known, or nothing.
    TwoTracks,
    TwoTracksApart,
}

impl Known {
    /// Row by row.
    fn of(self, rows: &[&OwnRow]) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut scores: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for row in rows {
            let scores = scores.entry(assessment_of(row)).or_default();
            scores.extend(row.score);
        }
        let mut means: Vec<(i64, f64)> = scores
            .into_iter()
            .map(|(assessment, scores)| (assessment, mean(scores)))
            .collect();
        means.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (harder, _) = means.split_at(means.len() / 2);
        let mut tracks = HashMap::new();
        let mut of_own_track = |row: &OwnRow, rng: &mut ChaCha8Rng| {
            let student = student_of(row);
            let track = *tracks.entry(student).or_insert_with(|| rng.gen_bool(0.5));
            track == harder.iter().any(|(id, _)| *id == assessment_of(row))
        };
        rows.iter()
            .map(|row| match self {
                Self::All => true,
                Self::Half => rng.gen_bool(0.5),
                Self::TwoTracks => of_own_track(row, &mut rng) || rng.gen_bool(0.1),
                Self::TwoTracksApart => of_own_track(row, &mut rng),
            })
            .collect()
    }
}

/// One student predicted; scores are measured from the mean of those with the same target.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Place among the courses.
    pub course: usize,
    pub student: i64,
    /// The assessment predicted; none of a mean.
    pub assessment: Option<u32>,
    /// Assessments known.
    pub known: u32,
    pub observed: f64,
    pub overall_mean: f64,
    pub last_score: f64,
    pub level: f64,
    /// Half the width of the 80 % and of the 95 % interval.
    pub reach: [f64; 2],
    pub need: f64,
    /// Whether truly among the lowest fifth, and whether named as such by need; in between when
    /// tied at the edge.
    pub low: f64,
    pub flagged: f64,
}

impl Case {
    fn new(course: usize, student: i64, forecast: &Forecast) -> Option<Self> {
        let value = |method| forecast.by(method)?.value;
        let need = forecast.by(Method::Need)?;
        Some(Self {
            course,
            student,
            assessment: forecast.assessment,
            known: forecast.assessments,
            observed: forecast.observed,
            overall_mean: value(Method::OverallMean)?,
            last_score: value(Method::LastScore)?,
            level: value(Method::Level)?,
            reach: forecast.by(Method::Level)?.reach()?,
            need: need.need?,
            low: forecast.low,
            flagged: need.flagged,
        })
    }

    /// What came less the level.
    pub fn error(&self) -> f64 {
        self.observed - self.level
    }

    /// Whether the 80 % interval (0) or the 95 % interval (1) held what came.
    pub fn within(&self, interval: usize) -> f64 {
        f64::from(self.error().abs() <= self.reach[interval])
    }
}

/// All forecasts of one target over all courses.
#[derive(Debug, Default)]
pub struct Predicted {
    /// For intervals by drawing students; one who took several courses is one.
    by_student: Tally,
    /// For intervals by drawing whole courses.
    by_course: Tally,
    by_module: BTreeMap<String, Tally>,
    pub cases: Vec<Case>,
}

impl Predicted {
    fn look_back(
        &mut self,
        at: usize,
        course: &Course,
        bytes: &[u8],
        cuts: Vec<i64>,
        target: Target,
    ) {
        let book = Gradebook::open(bytes).expect("a gradebook");
        let settings = Settings {
            cuts,
            ..Settings::default()
        };
        let module = self.by_module.entry(course.module.clone()).or_default();
        let options = Options::default();
        forecasts(&book, &options, &settings, &go, |forecast| {
            if forecast.target != target {
                return;
            }
            let student = number_of(book.students().get(forecast.student));
            self.by_student.add(student as u32, forecast);
            self.by_course.add(at as u32, forecast);
            module.add(student as u32, forecast);
            self.cases
                .push(Case::new(at, student, forecast).expect("by every method"));
        })
        .expect("settings in range");
    }

    /// The figures of all methods, with intervals of the differences by drawing students.
    pub fn by_student(&self) -> Vec<Figures> {
        figures(&self.by_student)
    }

    /// The same by drawing whole courses.
    pub fn by_course(&self) -> Vec<Figures> {
        figures(&self.by_course)
    }

    /// The same for one module after the other, by drawing students.
    pub fn by_module(&self) -> impl Iterator<Item = (&str, Vec<Figures>)> {
        let modules = self.by_module.iter();
        modules.map(|(module, tally)| (module.as_str(), figures(tally)))
    }

    /// Forecasts from so many assessments.
    pub fn band(&self, (from, to): (u32, u32)) -> impl Iterator<Item = &Case> {
        let inside = move |case: &&Case| (from..=to).contains(&case.known);
        self.cases.iter().filter(inside)
    }

    /// Root mean square error of level and plain mean for those with few assessments known,
    /// compared among themselves.
    pub fn few(&self, most: u32) -> (Count, [f64; 2]) {
        let mut peers: BTreeMap<(usize, Option<u32>), Vec<&Case>> = BTreeMap::new();
        for case in self.band((1, most)) {
            let target = (case.course, case.assessment);
            peers.entry(target).or_default().push(case);
        }
        let mut squares = [Count::default(); 2];
        for peers in peers.values() {
            for (square, predicted) in squares
                .iter_mut()
                .zip([|case: &Case| case.level, |case: &Case| case.overall_mean])
            {
                let error = |case: &&Case| case.observed - predicted(case);
                let centre = mean(peers.iter().map(error));
                for case in peers {
                    square.add((error(case) - centre).powi(2));
                }
            }
        }
        (squares[0], squares.map(|square| square.share().sqrt()))
    }
}

fn figures(tally: &Tally) -> Vec<Figures> {
    let resampling = Resampling {
        resamples: RESAMPLES,
        seed: 1,
    };
    tally.figures(&resampling, 0.95, &go)
}

/// The figures of one method.
pub fn of(figures: &[Figures], method: Method) -> &Figures {
    &figures[method as usize]
}

/// Every assessment of every course predicted.
pub fn next(courses: &[Course], known: Known) -> Predicted {
    let mut predicted = Predicted::default();
    for (at, course) in courses.iter().enumerate() {
        let rows: Vec<&OwnRow> = course
            .rows
            .iter()
            .filter(|row| row.score.is_some())
            .collect();
        let known = known.of(&rows);
        let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for row in &rows {
            days.entry(assessment_of(row))
                .or_default()
                .push(day_of(row));
        }
        for (assessment, mut days) in days {
            days.sort_unstable_by(f64::total_cmp);
            let cut = quantile(&days, EARLY).expect("somebody took it");
            let inside = rows.iter().zip(&known).filter(|(row, known)| {
                match assessment_of(row) == assessment {
                    true => day_of(row) >= cut,
                    false => day_of(row) < cut && **known,
                }
            });
            let bytes = gradebook(inside.map(|(row, _)| *row));
            // The last moment before the first day that counts as later.
            let cuts = vec![cut.ceil() as i64 * DAY - 1];
            predicted.look_back(at, course, &bytes, cuts, Target::Next);
        }
    }
    predicted
}

/// The next 90 days of every course predicted, on [`DAYS`].
pub fn ahead(courses: &[Course]) -> Predicted {
    let mut predicted = Predicted::default();
    for (at, course) in courses.iter().enumerate() {
        let cuts = DAYS.map(|day| day * DAY).to_vec();
        predicted.look_back(at, course, &course.gradebook(), cuts, Target::Horizon);
    }
    predicted
}

fn student_of(row: &OwnRow) -> i64 {
    number_of(row.student.as_ref().expect("a student").id())
}

fn assessment_of(row: &OwnRow) -> i64 {
    number_of(row.assessment.as_ref().expect("an assessment").id())
}

fn day_of(row: &OwnRow) -> f64 {
    (row.taken_at.expect("a date") / DAY) as f64
}
