//! A school network made from a seed: students, assessments, questions and every response of one
//! school year, together with the truth behind them (abilities, question quality).
//!
//! It serves demonstrations and tests: real gradebooks never come with the right answer. The model
//! is the usual one of item response theory: a logistic curve per question (2PL) with a guessing
//! floor on multiple choice (3PL) and ordered steps for partial credit (graded response), over
//! abilities that drift through the year.
//!
//! **The same [`Options`] give the same rows on every platform.** Hence one ChaCha8 stream consumed
//! in one fixed order, no hashing, no draws of `usize`, and drawn figures rounded to three decimals,
//! so that the last bit of a platform's `exp` cannot show. Flaws are decided by draws that are made
//! in any case: without flaws the same students give the same answers, only scored properly.
//!
//! Days count from the first day of the school year (day 0); abilities are in standard deviations
//! of the network at its start; a month is 30 days.

use crate::error::{Error, Result};
use lists::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

/// A shared cause (the student) and a mild one (the school) make the abilities of one student in
/// two subjects correlate .7: `GENERAL^2 + SCHOOL^2 = .7`, and the three squares sum to 1.
const GENERAL: f64 = 0.781_024_967_590_665_4;
const SCHOOL: f64 = 0.3;
const OWN: f64 = 0.547_722_557_505_166_1;

/// Change of the 15 % who rise and the 15 % who fall, and of the two students who show it clearly,
/// in standard deviations per month.
const DRIFT: f64 = 0.10;
const STORY_DRIFT: f64 = 0.25;

/// Chance of a right answer on a multiple-choice question by someone who does not know it.
const GUESS: f64 = 0.2;
/// A wrong key usually marks the most tempting wrong answer: chosen by this share of those who do
/// not know, and by few of those who do.
const TEMPTED: f64 = 0.65;
const TEMPTED_THOUGH_KNOWING: f64 = 0.06;

/// Median words correct per minute in grade 5 in the fall and gain per week until spring:
/// Hasbrouck and Tindal (2017), compiled oral reading fluency norms (121 rising to 146 in 32 weeks).
/// The spread is that of their spring percentiles (10th 102, 90th 195), split into reader and sitting.
const FLUENCY_FALL: f64 = 121.0;
const FLUENCY_GAIN: f64 = 0.8;
const FLUENCY_SD: f64 = 35.0;
const FLUENCY_NOISE: f64 = 8.0;

/// What a second attempt adds to the ability shown in it.
const PRACTICE: f64 = 0.4;

/// What network to make. Built by [`Options::new`] only, so always within range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    seed: u64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
}

impl Options {
    /// 1 to 100 `schools` of 2 to 10,000 students each, through a year of 4 to 60 `weeks`; any seed.
    /// With `flawed`, some multiple-choice questions are miskeyed or answered at random.
    pub fn new(
        seed: i64,
        schools: i32,
        students_per_school: i32,
        weeks: i32,
        flawed: bool,
    ) -> Result<Self> {
        within("schools", schools, 1..=100, "a number from 1 to 100")?;
        within(
            "students_per_school",
            students_per_school,
            2..=10_000,
            "a number from 2 to 10000",
        )?;
        within("weeks", weeks, 4..=60, "a number from 4 to 60")?;
        Ok(Self {
            seed: seed.cast_unsigned(),
            schools,
            students_per_school,
            weeks,
            flawed,
        })
    }

    fn last_day(&self) -> i32 {
        7 * self.weeks - 1
    }
}

fn within(
    name: &'static str,
    value: i32,
    range: RangeInclusive<i32>,
    expected: &'static str,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let value = value.to_string();
    Err(Error::Argument {
        name,
        value,
        expected,
    })
}

/// Gives an enum its closed set of text labels, as the tables show them.
macro_rules! labels {
    ($type:ident { $($variant:ident => $label:literal),+ $(,)? }) => {
        impl $type {
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Ela,
    Math,
    Science,
}
labels!(Subject { Ela => "ELA", Math => "Math", Science => "Science" });

impl Subject {
    pub const ALL: [Self; 3] = [Self::Ela, Self::Math, Self::Science];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssessmentKind {
    /// ELA: a reading test, what the ability in ELA is about.
    Literacy,
    /// ELA: ten words, nearly independent of the ability in ELA.
    Spelling,
    /// ELA: words read correctly in a minute.
    Fluency,
    /// Math and Science: 6 to 40 questions.
    Test,
    /// Math and Science: 1 to 5 questions.
    Quiz,
}
labels!(AssessmentKind {
    Literacy => "literacy",
    Spelling => "spelling",
    Fluency => "fluency",
    Test => "test",
    Quiz => "quiz",
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    MultipleChoice,
    PartialCredit,
    SpellingWord,
    WordsPerMinute,
}
labels!(QuestionKind {
    MultipleChoice => "multiple choice",
    PartialCredit => "partial credit",
    SpellingWord => "spelling word",
    WordsPerMinute => "words per minute",
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// Scored against the wrong key: success falls with ability.
    Miskeyed,
    /// Success has nothing to do with ability.
    Random,
}
labels!(Flaw { None => "none", Miskeyed => "miskeyed", Random => "random" });

/// Where a student's ability goes through the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    Rising,
    Falling,
    Steady,
}
labels!(Path { Rising => "rising", Falling => "falling", Steady => "steady" });

/// A student made to show something; each story is shown by one student of school 1.
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
    /// In order of importance: a school too small for all of them gets the first ones.
    const ALL: [Self; 6] = [
        Self::HighSpellingLowLiteracy,
        Self::Falling,
        Self::Rising,
        Self::NewArrival,
        Self::PendingScience,
        Self::NoResponses,
    ];

    /// Whether the story shows in the responses of this subject.
    fn is_about(self, subject: Subject) -> bool {
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
    growth: [Growth; 3],
    spelling: f64,
    fluency: f64,
    enrolled: RangeInclusive<i32>,
    miss_rate: f64,
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

#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub id: i32,
    pub subject: Subject,
    pub kind: AssessmentKind,
    pub title: String,
    /// Day of the year on which everybody sits it.
    pub day: i32,
    /// Nobody who is enrolled misses it (the Math test with the two miskeyed questions).
    obligatory: bool,
    questions: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub id: i32,
    pub assessment_id: i32,
    /// Place within its assessment, from 1.
    pub number: i32,
    pub kind: QuestionKind,
    pub prompt: Option<&'static str>,
    /// 1 to 4; infinite for words per minute, which has no upper bound.
    pub max_points: f64,
    /// None for words per minute, which is not right or wrong.
    pub curve: Option<Curve>,
    pub flaw: Flaw,
}

/// How the chance to know the answer rises with ability: `1 / (1 + exp(-discrimination * (ability -
/// difficulty)))`. It is the question's own, before guessing and before any flaw in its scoring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// Slope in logits per standard deviation of ability.
    pub discrimination: f64,
    /// Ability at which the chance is one half; with partial credit, the middle of the steps.
    pub difficulty: f64,
}

impl Curve {
    fn chance(self, ability: f64) -> f64 {
        1.0 / (1.0 + (-self.discrimination * (ability - self.difficulty)).exp())
    }

    /// Points out of `max_points` when the steps lie .8 apart around the difficulty.
    fn steps_reached(self, ability: f64, max_points: f64, effort: f64) -> f64 {
        let mut points = 0.0;
        while points < max_points {
            let step = 0.8 * (points - (max_points - 1.0) / 2.0);
            if effort >= self.chance(ability - step) {
                break;
            }
            points += 1.0;
        }
        points
    }
}

/// One student's score on one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub student_id: i32,
    pub subject: Subject,
    pub assessment_id: i32,
    pub question_id: i32,
    /// None when blank or not marked yet.
    pub points: Option<f64>,
    pub max_points: f64,
    pub day: i32,
    /// 1, or 2 for a retake.
    pub attempt: i16,
}

/// Ability in one subject through the year: a straight line plus a random walk with a step per
/// quarter, joined up by straight lines.
#[derive(Debug, Clone, PartialEq, Default)]
struct Growth {
    start: f64,
    monthly_change: f64,
    walk: [f64; 4],
}

impl Growth {
    fn at(&self, day: i32, last_day: i32) -> f64 {
        let quarters = 4.0 * f64::from(day) / f64::from(last_day);
        let mut ability = self.start + self.monthly_change * f64::from(day) / 30.0;
        for (step, begun) in self.walk.iter().zip([0.0, 1.0, 2.0, 3.0]) {
            ability += step * (quarters - begun).clamp(0.0, 1.0);
        }
        ability
    }
}

/// A whole network before anybody has answered anything: the memory it takes grows with its
/// students (some 200 bytes each), not with their responses, which are made one by one.
#[derive(Debug, Clone)]
pub struct Network {
    options: Options,
    given_names: Vec<&'static str>,
    family_names: Vec<&'static str>,
    schools: Vec<School>,
    students: Vec<Student>,
    assessments: Vec<Assessment>,
    questions: Vec<Question>,
    rng: ChaCha8Rng,
}

impl Network {
    pub fn new(options: Options) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let given_names = shuffled(&mut rng, &GIVEN_NAMES);
        let family_names = shuffled(&mut rng, &FAMILY_NAMES);
        let schools = found_schools(&mut rng, options.schools);
        let (assessments, questions) = write_assessments(&mut rng, &options);
        let mut students = enrol(&mut rng, &options);
        tell_stories(&mut students, &assessments, &options);
        Self {
            options,
            given_names,
            family_names,
            schools,
            students,
            assessments,
            questions,
            rng,
        }
    }

    pub fn schools(&self) -> &[School] {
        &self.schools
    }

    pub fn students(&self) -> &[Student] {
        &self.students
    }

    /// In order of their day.
    pub fn assessments(&self) -> &[Assessment] {
        &self.assessments
    }

    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Given and family name; no two students of a network share both.
    pub fn name(&self, student: &Student) -> (&'static str, String) {
        // The lengths of the lists are coprime, so the pairs repeat after their product only. From
        // there on the family name is a double one, with another distance in each round.
        let index = student.id.unsigned_abs() as usize;
        let (given, family) = (&self.given_names, &self.family_names);
        let last = family[index % family.len()];
        let name = match index / (given.len() * family.len()) {
            0 => last.to_owned(),
            round => format!("{last}-{}", family[(index + round) % family.len()]),
        };
        (given[index % given.len()], name)
    }

    /// What is true of one student, subject by subject.
    pub fn truth(&self, student: &Student) -> [TruthStudent; 3] {
        let last_day = self.options.last_day();
        Subject::ALL.map(|subject| {
            let growth = &student.growth[subject as usize];
            TruthStudent {
                student_id: student.id,
                subject,
                ability: rounded(growth.at(last_day, last_day)),
                start_ability: growth.start,
                monthly_change: growth.monthly_change,
                path: student.path,
                story: student.story.filter(|story| story.is_about(subject)),
            }
        })
    }

    /// Every response of the year, by day, assessment, student and question number.
    pub fn into_responses(self) -> impl Iterator<Item = Response> {
        Sittings {
            network: self,
            assessment: 0,
            student: 0,
            retakes: BTreeSet::new(),
        }
        .flatten()
    }
}

/// The sittings of the year in order of time, each with its responses.
struct Sittings {
    network: Network,
    /// Indices of the next first sitting.
    assessment: usize,
    student: usize,
    /// Day, assessment and student of the retakes to come.
    retakes: BTreeSet<(i32, usize, usize)>,
}

impl Iterator for Sittings {
    type Item = Vec<Response>;

    fn next(&mut self) -> Option<Vec<Response>> {
        loop {
            let next_day = self
                .network
                .assessments
                .get(self.assessment)
                .map(|next| next.day);
            // On a shared day the retake goes first, because its assessment has the lower id.
            if let Some(&retake) = self.retakes.first()
                && next_day.is_none_or(|next_day| retake.0 <= next_day)
            {
                self.retakes.remove(&retake);
                let (day, assessment, student) = retake;
                return Some(self.sit(assessment, student, day, 2));
            }
            let day = next_day?;
            if self.student == self.network.students.len() {
                self.student = 0;
                self.assessment += 1;
                continue;
            }
            let (assessment, student) = (self.assessment, self.student);
            self.student += 1;
            if self.attends(assessment, student) {
                self.plan_retake(assessment, student);
                return Some(self.sit(assessment, student, day, 1));
            }
        }
    }
}

impl Sittings {
    fn attends(&mut self, assessment: usize, student: usize) -> bool {
        let network = &mut self.network;
        let (assessment, student) = (&network.assessments[assessment], &network.students[student]);
        let expected = student.enrolled.contains(&assessment.day)
            && match student.story {
                Some(Story::NoResponses) => false,
                Some(Story::NewArrival) => assessment.subject == Subject::Math,
                _ => true,
            };
        expected && (!network.rng.gen_bool(student.miss_rate) || assessment.obligatory)
    }

    /// About 2 % of the sittings are repeated one to two weeks later, more of them by the weak. It
    /// goes by ability, not by score, so that flawed questions change nothing else.
    fn plan_retake(&mut self, assessment: usize, student: usize) {
        let network = &mut self.network;
        let last_day = network.options.last_day();
        let Assessment { subject, day, .. } = network.assessments[assessment];
        let Student {
            growth, enrolled, ..
        } = &network.students[student];
        let weak = growth[subject as usize].at(day, last_day) < 0.0;
        let again = network.rng.gen_bool(if weak { 0.03 } else { 0.01 });
        let day = day + network.rng.gen_range(7..=14);
        if again && enrolled.contains(&day) {
            self.retakes.insert((day, assessment, student));
        }
    }

    fn sit(&mut self, assessment: usize, student: usize, day: i32, attempt: i16) -> Vec<Response> {
        let Network {
            options,
            students,
            assessments,
            questions,
            rng,
            ..
        } = &mut self.network;
        let (assessment, student) = (&assessments[assessment], &students[student]);
        let practice = if attempt > 1 { PRACTICE } else { 0.0 };
        let ability =
            practice + student.growth[assessment.subject as usize].at(day, options.last_day());
        let pending =
            student.story == Some(Story::PendingScience) && assessment.subject == Subject::Science;

        let mut responses = Vec::with_capacity(assessment.questions.len());
        for question in &questions[assessment.questions.clone()] {
            let points = match (question.curve, question.kind) {
                (None, _) => read_aloud(rng, 0.8 * ability + 0.6 * student.fluency, day),
                (Some(curve), QuestionKind::SpellingWord) => {
                    answer(rng, question, curve, student.spelling + practice)
                }
                (Some(curve), _) => answer(rng, question, curve, ability),
            };
            let blank = rng.gen_bool(0.003);
            responses.push(Response {
                student_id: student.id,
                subject: assessment.subject,
                assessment_id: assessment.id,
                question_id: question.id,
                points: (!blank && !pending).then_some(points),
                max_points: question.max_points,
                day,
                attempt,
            });
        }
        responses
    }
}

/// Points for one question. It always takes two draws, whatever the question.
fn answer(rng: &mut ChaCha8Rng, question: &Question, curve: Curve, ability: f64) -> f64 {
    let effort = rng.gen_range(0.0..1.0);
    let luck = rng.gen_range(0.0..1.0);
    if question.kind == QuestionKind::PartialCredit {
        return curve.steps_reached(ability, question.max_points, effort);
    }
    let knows = effort < curve.chance(ability);
    let right = match (question.flaw, question.kind) {
        (Flaw::Random, _) => luck < 0.5,
        (Flaw::Miskeyed, _) if knows => luck >= 1.0 - TEMPTED_THOUGH_KNOWING,
        (Flaw::Miskeyed, _) => luck >= 1.0 - TEMPTED,
        (Flaw::None, QuestionKind::MultipleChoice) => knows || luck < GUESS,
        (Flaw::None, _) => knows,
    };
    f64::from(u8::from(right))
}

/// Words correct in a minute by a reader so many standard deviations above the middle.
fn read_aloud(rng: &mut ChaCha8Rng, fluency: f64, day: i32) -> f64 {
    let expected = FLUENCY_FALL + FLUENCY_GAIN * f64::from(day) / 7.0 + FLUENCY_SD * fluency;
    (expected + FLUENCY_NOISE * normal(rng)).round().max(5.0)
}

fn found_schools(rng: &mut ChaCha8Rng, schools: i32) -> Vec<School> {
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

/// The days of the year on which each subject's assessments fall, in order.
fn calendar(rng: &mut ChaCha8Rng, weeks: i32) -> Vec<(i32, Subject, AssessmentKind)> {
    let mut slots = Vec::new();
    for (subject, weekday) in [(Subject::Science, 0), (Subject::Ela, 1), (Subject::Math, 3)] {
        let mut week = rng.gen_range(0..=2);
        while week < weeks {
            let quiz = rng.gen_bool(0.3);
            let kind = match subject {
                Subject::Ela => AssessmentKind::Literacy,
                _ if quiz => AssessmentKind::Quiz,
                _ => AssessmentKind::Test,
            };
            slots.push((7 * week + weekday, subject, kind));
            week += rng.gen_range(2..=3);
        }
    }
    for week in 0..weeks {
        if week % 4 == 0 {
            slots.push((7 * week + 2, Subject::Ela, AssessmentKind::Fluency));
        }
        slots.push((7 * week + 4, Subject::Ela, AssessmentKind::Spelling));
    }
    slots.sort_by_key(|&(day, ..)| day);
    slots
}

fn write_assessments(rng: &mut ChaCha8Rng, options: &Options) -> (Vec<Assessment>, Vec<Question>) {
    let slots = calendar(rng, options.weeks);
    let mid_year = slots
        .iter()
        .filter(|(_, subject, _)| *subject == Subject::Math)
        .map(|&(day, ..)| day)
        .min_by_key(|day| (2 * day - options.last_day()).abs());

    let mut assessments: Vec<Assessment> = Vec::with_capacity(slots.len());
    let mut questions = Vec::new();
    let mut question_id = 0;
    for (id, (day, subject, kind)) in (1..).zip(slots) {
        let obligatory = subject == Subject::Math && Some(day) == mid_year;
        let kind = if obligatory {
            AssessmentKind::Test
        } else {
            kind
        };
        let earlier = assessments
            .iter()
            .filter(|a| (a.subject, a.kind) == (subject, kind))
            .count();
        let size = match kind {
            _ if obligatory => rng.gen_range(24..=36),
            AssessmentKind::Literacy => rng.gen_range(15..=40),
            AssessmentKind::Spelling => 10,
            AssessmentKind::Fluency => 1,
            AssessmentKind::Test => rng.gen_range(6..=40),
            AssessmentKind::Quiz => rng.gen_range(1..=5),
        };
        let first = questions.len();
        let words = WORDS.iter().cycle().skip(10 * earlier);
        for (number, word) in (1..=size).zip(words) {
            question_id += 1;
            // A fluency score unless made into something else below.
            let bare = Question {
                id: question_id,
                assessment_id: id,
                number,
                kind: QuestionKind::WordsPerMinute,
                prompt: Some("Words read correctly in one minute"),
                max_points: f64::INFINITY,
                curve: None,
                flaw: Flaw::None,
            };
            let question = match kind {
                AssessmentKind::Fluency => bare,
                AssessmentKind::Spelling => spelling_word(rng, bare, word),
                _ if obligatory => mid_year_question(rng, bare, options.flawed),
                _ => test_question(rng, bare, options.flawed),
            };
            questions.push(question);
        }
        let title = if obligatory {
            "Mid-year Math test".to_owned()
        } else {
            title(subject, kind, earlier)
        };
        let questions = first..questions.len();
        assessments.push(Assessment {
            id,
            subject,
            kind,
            title,
            day,
            obligatory,
            questions,
        });
    }
    (assessments, questions)
}

fn title(subject: Subject, kind: AssessmentKind, earlier: usize) -> String {
    let (name, topics) = match (subject, kind) {
        (_, AssessmentKind::Spelling) => return format!("Spelling list {}", earlier + 1),
        (_, AssessmentKind::Fluency) => return format!("Reading fluency {}", earlier + 1),
        (Subject::Ela, _) => ("Literacy test", ELA_TOPICS),
        (Subject::Math, AssessmentKind::Quiz) => ("Math quiz", MATH_TOPICS),
        (Subject::Math, _) => ("Math test", MATH_TOPICS),
        (Subject::Science, AssessmentKind::Quiz) => ("Science quiz", SCIENCE_TOPICS),
        (Subject::Science, _) => ("Science test", SCIENCE_TOPICS),
    };
    format!("{name} {}: {}", earlier + 1, topics[earlier % topics.len()])
}

/// A word most can spell: no guessing, far below the skill of nearly everybody.
fn spelling_word(rng: &mut ChaCha8Rng, bare: Question, word: &'static str) -> Question {
    Question {
        kind: QuestionKind::SpellingWord,
        prompt: Some(word),
        max_points: 1.0,
        curve: Some(curve(rng, 0.8..1.4, -4.2..-2.2)),
        ..bare
    }
}

/// Multiple choice for 1 point (of which about 3 % miskeyed and 2 % random when flawed), or partial
/// credit for 2 to 4.
fn test_question(rng: &mut ChaCha8Rng, bare: Question, flawed: bool) -> Question {
    let flaw = match rng.gen_range(0..100) {
        0..3 => Flaw::Miskeyed,
        3..5 => Flaw::Random,
        _ => Flaw::None,
    };
    let curve = match flaw {
        // A wrong key turns round what the question would tell; on one that tells something, that
        // stands out from chance with a class or two of students.
        Flaw::Miskeyed => curve(rng, 1.3..1.9, -1.2..0.2),
        Flaw::Random | Flaw::None => curve(rng, 0.7..1.9, -1.8..0.8),
    };
    let partial_credit = rng.gen_bool(0.2);
    let max_points = f64::from(rng.gen_range(2..=4));
    let question = Question {
        prompt: None,
        curve: Some(curve),
        ..bare
    };
    if partial_credit {
        Question {
            kind: QuestionKind::PartialCredit,
            max_points,
            ..question
        }
    } else {
        let flaw = if flawed { flaw } else { Flaw::None };
        Question {
            kind: QuestionKind::MultipleChoice,
            max_points: 1.0,
            flaw,
            ..question
        }
    }
}

/// The story of the mid-year Math test: its questions 2 and 15, and no others, are miskeyed.
fn mid_year_question(rng: &mut ChaCha8Rng, bare: Question, flawed: bool) -> Question {
    let question = test_question(rng, bare, false);
    let prompt = match question.number {
        2 => "What is 3/4 of 20?",
        15 => "Which fraction is equal to 2/3?",
        _ => return question,
    };
    Question {
        kind: QuestionKind::MultipleChoice,
        prompt: Some(prompt),
        max_points: 1.0,
        curve: Some(Curve {
            discrimination: 1.6,
            difficulty: -0.5,
        }),
        flaw: if flawed { Flaw::Miskeyed } else { Flaw::None },
        ..question
    }
}

fn curve(rng: &mut ChaCha8Rng, discrimination: Range<f64>, difficulty: Range<f64>) -> Curve {
    Curve {
        discrimination: rounded(rng.gen_range(discrimination)),
        difficulty: rounded(rng.gen_range(difficulty)),
    }
}

fn enrol(rng: &mut ChaCha8Rng, options: &Options) -> Vec<Student> {
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
fn tell_stories(students: &mut [Student], assessments: &[Assessment], options: &Options) {
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

fn shuffled(rng: &mut ChaCha8Rng, names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.shuffle(rng);
    names
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[rustfmt::skip]
mod lists {
    pub const GIVEN_NAMES: [&str; 100] = [
        "Ada", "Adam", "Aisha", "Alba", "Alec", "Amara", "Anders", "Anya", "Arlo", "Asha", "Aurora",
        "Basil", "Bea", "Bruno", "Caleb", "Camila", "Cleo", "Clara", "Cyrus", "Dalia", "Dante",
        "Daria", "Dina", "Eden", "Edith", "Elias", "Ella", "Emil", "Esme", "Ezra", "Farid", "Faye",
        "Felix", "Flora", "Freya", "Gideon", "Gita", "Greta", "Hana", "Hazel", "Hugo", "Ida",
        "Imani", "Ines", "Iris", "Isak", "Ivy", "Jada", "Jonas", "Juno", "Kai", "Kenji", "Kira",
        "Laila", "Lars", "Leo", "Lila", "Linus", "Luca", "Luz", "Mabel", "Malik", "Marta", "Mateo",
        "Mei", "Milo", "Mina", "Nadia", "Nico", "Nina", "Noor", "Odin", "Olive", "Omar", "Oskar",
        "Otis", "Paloma", "Pavel", "Petra", "Priya", "Quinn", "Rafael", "Rania", "Remy", "Rosa",
        "Ruben", "Sana", "Selma", "Silas", "Simone", "Tariq", "Tessa", "Theo", "Uma", "Vera",
        "Viktor", "Wren", "Yara", "Yusuf", "Zoe",
    ];

    pub const FAMILY_NAMES: [&str; 101] = [
        "Abara", "Acosta", "Adler", "Alvarez", "Amato", "Ansah", "Arden", "Aziz", "Baker",
        "Banerjee", "Barros", "Bauer", "Bello", "Berg", "Blake", "Bravo", "Brook", "Cardoso",
        "Castle", "Chandra", "Cho", "Cole", "Conti", "Cruz", "Dahl", "Danso", "Dean", "Delgado",
        "Diaz", "Dorsey", "Duarte", "Eklund", "Ellis", "Eze", "Farouk", "Fischer", "Flint",
        "Fontaine", "Ford", "Fuentes", "Garner", "Ghosh", "Gray", "Grove", "Haddad", "Hale",
        "Hansen", "Hart", "Hoang", "Holt", "Ibarra", "Ito", "Iyer", "Jansen", "Jordan", "Kane",
        "Kaur", "Keller", "Khan", "Kimura", "Klein", "Kovac", "Laine", "Lam", "Lange", "Leone",
        "Lopez", "Lund", "Marsh", "Mendes", "Mensah", "Moreau", "Mori", "Nasser", "Nguyen", "Novak",
        "Nunez", "Okafor", "Olsen", "Ortega", "Park", "Patel", "Perry", "Popov", "Quist", "Ramos",
        "Reyes", "Rossi", "Sato", "Silva", "Singh", "Stone", "Tan", "Torres", "Usman", "Vance",
        "Vega", "Weber", "West", "Yilmaz", "Zeller",
    ];

    pub const PLACES: [&str; 25] = [
        "Amber Hill", "Ashgrove", "Birchwood", "Bridgeway", "Cedar Park", "Clearwater", "Eastfield",
        "Elm Street", "Fairview", "Foxglove", "Greenbank", "Harbor View", "Highfield", "Juniper",
        "Lakeside", "Linden", "Maplewood", "Meadowbrook", "Northgate", "Oak Hollow", "Pinecrest",
        "Riverside", "Stonebridge", "Sunnyside", "Willow Creek",
    ];

    pub const SCHOOL_KINDS: [&str; 4] = [
        "Academy", "Charter School", "Community School", "Elementary",
    ];

    pub const ELA_TOPICS: [&str; 10] = [
        "Main idea", "Inference", "Vocabulary in context", "Point of view", "Text structure",
        "Poetry", "Informational texts", "Theme", "Figurative language", "Comparing texts",
    ];

    pub const MATH_TOPICS: [&str; 10] = [
        "Place value", "Multiplication", "Fractions", "Decimals", "Area and perimeter", "Division",
        "Angles", "Ratios", "Graphs and tables", "Word problems",
    ];

    pub const SCIENCE_TOPICS: [&str; 10] = [
        "Plants", "Forces", "Weather", "Electricity", "The water cycle", "Rocks and soils", "Light",
        "Food chains", "Sound", "The solar system",
    ];

    /// Ten lists of ten words, after which they come again.
    pub const WORDS: [&str; 100] = [
        "answer", "autumn", "balance", "beautiful", "because", "believe", "breathe", "bridge",
        "build", "busy", "calendar", "careful", "caught", "center", "century", "certain", "circle",
        "climb", "color", "complete", "consider", "continue", "country", "cousin", "daughter",
        "decide", "describe", "different", "difficult", "disappear", "early", "earth", "eight",
        "enough", "exercise", "experience", "extreme", "famous", "favorite", "February", "forward",
        "friend", "fruit", "grammar", "group", "guard", "guide", "heard", "heart", "height",
        "history", "imagine", "important", "increase", "interest", "island", "knowledge", "laugh",
        "learn", "length", "library", "material", "measure", "medicine", "mention", "minute",
        "natural", "naughty", "neighbor", "notice", "ocean", "often", "opposite", "ordinary",
        "particular", "peculiar", "perhaps", "picture", "popular", "position", "possible",
        "potatoes", "pressure", "probably", "promise", "purpose", "quarter", "question", "recent",
        "regular", "reign", "remember", "rhythm", "sentence", "separate", "special", "straight",
        "strange", "strength", "therefore",
    ];
}
