//! The sample network, of which the whole truth is known: are the students' true places found
//! again, for each school and subject alike, and are its bad questions found?

use pg_assess_test_support::solve::{self, Settings, forecasts};
use std::collections::HashMap;

use pg_assess_core::forecasts::backtest::{Figures, Tally, Target};
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::gradebook::{Gradebook, Id, MaxScore};
use pg_assess_core::options::Options;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::sample::{Flaw, Network, NetworkOptions, Path, Subject};
use pg_assess_core::students::trend::Direction;

use crate::data::number_of;
use crate::statistics::{Count, flagged, mean, rank_correlation};
use pg_assess_test_support::{OwnRow, go, gradebook, row};

/// The first is the one that `sample_network()` makes.
pub const SEEDS: std::ops::RangeInclusive<i64> = 1..=5;
/// Those in need, and the lowest of the truth.
const FIFTH: f64 = 0.2;

/// One student with evidence in one subject.
#[derive(Debug, Clone)]
pub struct Found {
    pub school: usize,
    pub level: f64,
    /// Plain mean of the scores, words per minute left out.
    pub plain: f64,
    pub need: f64,
    pub direction: Direction,
    /// The truth at the end of the year, in standard deviations.
    pub ability: f64,
    pub path: Path,
}

/// One subject of one network.
#[derive(Debug, Clone)]
pub struct Year {
    pub seed: i64,
    pub subject: Subject,
    pub schools: Vec<String>,
    pub students: Vec<Found>,
    /// Per question: what is wrong with it in truth, and what it was found to be.
    pub questions: Vec<(Flaw, ItemStatus)>,
}

impl Year {
    fn column(&self, of: fn(&Found) -> f64) -> Vec<f64> {
        self.students.iter().map(of).collect()
    }

    /// Rank correlation of level and ability.
    pub fn by_level(&self) -> f64 {
        rank_correlation(&self.column(|s| s.level), &self.column(|s| s.ability))
    }

    /// Rank correlation of the plain mean and ability.
    pub fn by_plain_mean(&self) -> f64 {
        rank_correlation(&self.column(|s| s.plain), &self.column(|s| s.ability))
    }

    /// Of the fifth with the greatest need, those truly in the lowest fifth.
    pub fn needy(&self) -> Count {
        let truth = flagged(&self.column(|s| -s.ability), FIFTH);
        let mut count = Count::default();
        for (flag, truth) in flagged(&self.column(|s| s.need), FIFTH).iter().zip(&truth) {
            count += Count {
                yes: flag * truth,
                of: *flag,
            };
        }
        count
    }

    /// Per student: ability less what a straight line makes of the level, in standard deviations.
    pub fn errors(&self) -> Vec<f64> {
        let (levels, abilities) = (self.column(|s| s.level), self.column(|s| s.ability));
        let (x, y) = (
            mean(levels.iter().copied()),
            mean(abilities.iter().copied()),
        );
        let product = |pairs: &mut dyn Iterator<Item = (f64, f64)>| -> f64 {
            pairs.map(|(a, b)| a * b).sum()
        };
        let slope = product(&mut levels.iter().zip(&abilities).map(|(l, a)| (l - x, a - y)))
            / product(&mut levels.iter().map(|l| (l - x, l - x)));
        let line = |level: f64| y + slope * (level - x);
        levels
            .iter()
            .zip(&abilities)
            .map(|(l, a)| a - line(*l))
            .collect()
    }

    /// Questions with this flaw that were found to be in one of these states.
    pub fn questions_with(&self, flaw: Flaw, states: &[ItemStatus]) -> Count {
        let mut count = Count::default();
        for (_, status) in self.questions.iter().filter(|(truth, _)| *truth == flaw) {
            count.add(f64::from(states.contains(status)));
        }
        count
    }

    /// Students with this label whose ability truly took this path.
    pub fn labelled(&self, label: Direction, path: Path) -> Count {
        let mut count = Count::default();
        for student in self.students.iter().filter(|s| s.direction == label) {
            count.add(f64::from(student.path == path));
        }
        count
    }
}

/// Every subject of every network.
pub fn years() -> Vec<Year> {
    SEEDS.flat_map(year).collect()
}

/// One network, and its responses by subject.
fn network(seed: i64) -> (Network, HashMap<&'static str, Vec<OwnRow>>) {
    let options = NetworkOptions::new(seed, 4, 60, 36, true).expect("options in range");
    let network = Network::new(options);
    let mut rows: HashMap<&str, Vec<OwnRow>> = HashMap::new();
    for response in network.clone().into_responses() {
        let [student, question, assessment] = [
            response.student_id,
            response.question_id,
            response.assessment_id,
        ]
        .map(i64::from);
        rows.entry(response.subject.label())
            .or_default()
            .push(OwnRow {
                score: response.points,
                max_score: MaxScore::Points(Some(response.max_points)),
                ..row(student, question, assessment, 0.0, f64::from(response.day))
            });
    }
    (network, rows)
}

/// How well later scores of one subject of the first network are predicted.
#[derive(Debug, Clone)]
pub struct Hindsight {
    pub subject: Subject,
    /// Judged by scores in which questions weigh as in a level, else by plain ones.
    pub weighted: bool,
    pub target: Target,
    pub figures: Vec<Figures>,
}

/// By subject, kind of score and target.
pub fn hindsight() -> Vec<Hindsight> {
    let (_, rows) = network(*SEEDS.start());
    let mut all = Vec::new();
    for subject in Subject::ALL {
        let bytes = gradebook(&rows[subject.label()]);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        for weighted in [false, true] {
            let mut tallies = Target::ALL.map(|_| Tally::default());
            let settings = Settings {
                weighted_target: weighted,
                ..Settings::default()
            };
            forecasts(&book, &Options::default(), &settings, &go, |forecast| {
                tallies[forecast.target as usize].add(forecast.student, forecast);
            })
            .expect("settings in range");
            all.extend(
                Target::ALL
                    .iter()
                    .zip(&tallies)
                    .map(|(&target, tally)| Hindsight {
                        subject,
                        weighted,
                        target,
                        figures: tally.figures(&Resampling::default(), 0.95, &go),
                    }),
            );
        }
    }
    all
}

fn year(seed: i64) -> Vec<Year> {
    let (network, rows) = network(seed);
    let subjects = Subject::ALL.iter();
    subjects
        .map(|&subject| {
            let rows = &rows[subject.label()];
            Year {
                seed,
                subject,
                schools: network
                    .schools()
                    .iter()
                    .map(|school| school.name.clone())
                    .collect(),
                ..found(&network, subject, rows)
            }
        })
        .collect()
}

fn found(network: &Network, subject: Subject, rows: &[OwnRow]) -> Year {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let number = |id: Id| number_of(id) as usize - 1;
    let questions = solve::items(&book, &Options::default(), &go)
        .expect("items")
        .iter()
        .map(|item| {
            let truth = &network.questions()[number(book.items().get(item.item))];
            (truth.flaw, item.quality.status)
        })
        .collect();
    let mut plain: HashMap<String, Vec<f64>> = HashMap::new();
    for row in rows {
        if let (Some(score), MaxScore::Points(Some(max))) = (row.score, row.max_score)
            && max.is_finite()
        {
            let student = row.student.as_ref().expect("a student").id().to_string();
            plain.entry(student).or_default().push(score / max);
        }
    }
    let students = solve::students(&book, &Options::default(), &go)
        .expect("students")
        .iter()
        .filter(|student| student.n > 0)
        .map(|student| {
            let id = book.students().get(student.student);
            let level = student.level.expect("a level");
            let who = &network.students()[number(id)];
            let truth = &network.truth(who)[subject as usize];
            Found {
                school: who.school_id as usize - 1,
                level: level.level,
                plain: mean(plain[&id.to_string()].iter().copied()),
                need: level.need.expect("a need"),
                direction: student.trend.direction,
                ability: truth.ability,
                path: truth.path,
            }
        })
        .collect();
    Year {
        seed: 0,
        subject,
        schools: Vec::new(),
        students,
        questions,
    }
}
