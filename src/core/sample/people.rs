//! Schools and students, with the truth behind them.

use std::ops::RangeInclusive;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::labels::labels;
use crate::sample::assessments::{Assessment, Subject};
use crate::sample::draws::{normal, rounded};
use crate::sample::lists::{PLACES, SCHOOL_KINDS};
use crate::sample::options::NetworkOptions;

/// A shared cause (the student) and a mild one (the school) make the abilities of one student in
/// two subjects correlate .7: `GENERAL^2 + SCHOOL^2 = .7`, and the three squares sum to 1.
const GENERAL: f64 = 0.781_024_967_590_665_4;
const SCHOOL: f64 = 0.3;
const OWN: f64 = 0.547_722_557_505_166_1;

/// Change of the 15 % who rise and the 15 % who fall, and of the two students who show it clearly,
/// in standard deviations per month.
const DRIFT: f64 = 0.10;
const STORY_DRIFT: f64 = 0.25;

/// Where a student's ability goes through the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    Rising,
    Falling,
    Steady,
}

labels!(Path { Rising => "rising", Falling => "falling", Steady => "steady" });

/// A student made to show something; each story is shown by one student of school 1. In order of
/// importance: a school too small for all of them gets the first ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// Why does a student with excellent spelling come out low in ELA? (full attendance)
    HighSpellingLowLiteracy,
    /// Falls clearly in every subject (full attendance).
    Falling,
    /// Rises clearly in every subject (full attendance).
    Rising,
    /// Has sat the last two Math assessments of the year and nothing else.
    NewArrival,
    /// Every score in Science is still pending (NULL).
    PendingScience,
    /// Is enrolled and has no response at all.
    NoResponses,
}

labels!(Story {
    HighSpellingLowLiteracy => "high spelling, low literacy",
    Falling => "falling",
    Rising => "rising",
    NewArrival => "new arrival",
    PendingScience => "pending",
    NoResponses => "no responses",
});

impl Story {
    /// Whether the story shows in the responses of this subject.
    pub(super) fn is_about(self, subject: Subject) -> bool {
        match self {
            Self::HighSpellingLowLiteracy => subject == Subject::Ela,
            Self::PendingScience => subject == Subject::Science,
            _ => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct School {
    pub id: i32,
    pub name: String,
}

/// One student, with what decides the student's responses.
#[derive(Debug, Clone, PartialEq)]
pub struct Student {
    pub id: i32,
    pub school_id: i32,
    /// 5 or 6; both grades sit the same assessments and do not differ in ability.
    pub grade: i32,
    pub path: Path,
    pub story: Option<Story>,
    pub(super) growth: [Growth; 3],
    pub(super) spelling: f64,
    pub(super) fluency: f64,
    pub(super) enrolled: RangeInclusive<i32>,
    pub(super) miss_rate: f64,
}

/// What is true of one student in one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthStudent {
    pub student_id: i32,
    pub subject: Subject,
    /// Ability on the last day of the year.
    pub ability: f64,
    /// Ability on the first day.
    pub start_ability: f64,
    /// Drift per 30 days; a small random walk comes on top of it.
    pub monthly_change: f64,
    pub path: Path,
    pub story: Option<Story>,
}

/// Ability in one subject through the year: a straight line plus a random walk with a step per
/// quarter, joined up by straight lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Growth {
    pub(super) start: f64,
    pub(super) monthly_change: f64,
    pub(super) walk: [f64; 4],
}

impl Growth {
    pub(super) fn at(&self, day: i32, last_day: i32) -> f64 {
        let quarters = 4.0 * f64::from(day) / f64::from(last_day);
        let mut ability = self.start + self.monthly_change * f64::from(day) / 30.0;
        for (step, begun) in self.walk.iter().zip([0.0, 1.0, 2.0, 3.0]) {
            ability += step * (quarters - begun).clamp(0.0, 1.0);
        }
        ability
    }
}

pub(super) fn found_schools(rng: &mut ChaCha8Rng, schools: i32) -> Vec<School> {
    let mut names: Vec<String> = SCHOOL_KINDS
        .iter()
        .flat_map(|kind| PLACES.iter().map(move |place| format!("{place} {kind}")))
        .collect();
    names.shuffle(rng);
    (1..=schools)
        .zip(names)
        .map(|(id, name)| School { id, name })
        .collect()
}

pub(super) fn enrol(rng: &mut ChaCha8Rng, options: &NetworkOptions) -> Vec<Student> {
    let mut students = Vec::new();
    let mut id = 0;
    for school_id in 1..=options.schools {
        let school_effect = SCHOOL * normal(rng);
        for _ in 0..options.students_per_school {
            id += 1;
            students.push(enrol_one(
                rng,
                id,
                school_id,
                school_effect,
                options.last_day(),
            ));
        }
    }
    students
}

fn enrol_one(
    rng: &mut ChaCha8Rng,
    id: i32,
    school_id: i32,
    school_effect: f64,
    last_day: i32,
) -> Student {
    let shared = school_effect + GENERAL * normal(rng);
    let (path, drift) = match rng.gen_range(0..100) {
        0..15 => (Path::Falling, -DRIFT),
        15..30 => (Path::Rising, DRIFT),
        _ => (Path::Steady, 0.0),
    };
    let growth = Subject::ALL.map(|_| Growth {
        start: rounded(shared + OWN * normal(rng)),
        monthly_change: rounded(drift * rng.gen_range(0.8..1.2)),
        walk: [(); 4].map(|()| rounded(0.06 * normal(rng))),
    });
    let literacy = growth[Subject::Ela as usize].start;
    let spelling = 0.15 * literacy + 0.99 * normal(rng);
    let fluency = normal(rng);

    let joins = rng.gen_range(last_day / 4..=last_day / 2);
    let leaves = rng.gen_range(last_day / 2..=last_day - last_day / 10);
    let enrolled = match rng.gen_range(0..100) {
        0..8 => joins..=last_day,
        8..11 => 0..=leaves,
        _ => 0..=last_day,
    };
    let often_absent = rng.gen_range(0.30..0.45);
    // 3 % often absent and the others at 5 % make about 6 % missed sittings.
    let miss_rate = if rng.gen_bool(0.03) {
        often_absent
    } else {
        0.05
    };
    let grade = rng.gen_range(5..=6);
    Student {
        id,
        school_id,
        grade,
        path,
        story: None,
        growth,
        spelling,
        fluency,
        enrolled,
        miss_rate,
    }
}

/// Makes the story students of school 1, evenly spread over its list.
pub(super) fn make_stories(
    students: &mut [Student],
    assessments: &[Assessment],
    options: &NetworkOptions,
) {
    let last_day = options.last_day();
    let math = assessments.iter().filter(|a| a.subject == Subject::Math);
    let arrival = math.rev().take(2).last().map_or(last_day, |a| a.day);

    let school_1 = students.iter_mut().filter(|student| student.school_id == 1);
    let every = (options.students_per_school.unsigned_abs() as usize / Story::ALL.len()).max(1);
    for (student, story) in school_1.step_by(every).zip(Story::ALL) {
        student.story = Some(story);
        student.enrolled = 0..=last_day;
        student.miss_rate = 0.0;
        match story {
            Story::HighSpellingLowLiteracy => {
                student.path = Path::Steady;
                student
                    .growth
                    .iter_mut()
                    .for_each(|growth| growth.monthly_change = 0.0);
                student.growth[Subject::Ela as usize] = Growth {
                    start: -1.4,
                    ..Growth::default()
                };
                student.spelling = 3.0;
            }
            Story::Falling => go_straight(student, Path::Falling, -STORY_DRIFT, last_day),
            Story::Rising => go_straight(student, Path::Rising, STORY_DRIFT, last_day),
            Story::NewArrival => student.enrolled = arrival..=last_day,
            Story::PendingScience | Story::NoResponses => {}
        }
    }
}

/// Lets a student pass through the middle of the network half-way through the year.
fn go_straight(student: &mut Student, path: Path, monthly_change: f64, last_day: i32) {
    let start = rounded(-monthly_change * f64::from(last_day) / 60.0);
    student.path = path;
    student.growth = Subject::ALL.map(|_| Growth {
        start,
        monthly_change,
        walk: [0.0; 4],
    });
}
