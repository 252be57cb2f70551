//! Assessments and their questions, each with its own curve.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::labels::labels;
use crate::sample::draws::rounded;
use crate::sample::lists::{ELA_TOPICS, MATH_TOPICS, SCIENCE_TOPICS, WORDS};
use crate::sample::options::NetworkOptions;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Ela,
    Math,
    Science,
}

labels!(Subject { Ela => "ELA", Math => "Math", Science => "Science" });

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

#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub id: i32,
    pub subject: Subject,
    pub kind: AssessmentKind,
    pub title: String,
    /// Day of the year on which everybody sits it.
    pub day: i32,
    /// Nobody who is enrolled misses it (the Math test with the two miskeyed questions).
    pub(super) obligatory: bool,
    pub(super) questions: Range<usize>,
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
    pub(super) fn chance(self, ability: f64) -> f64 {
        1.0 / (1.0 + (-self.discrimination * (ability - self.difficulty)).exp())
    }

    /// Points out of `max_points` when the steps lie .8 apart around the difficulty.
    pub(super) fn steps_reached(self, ability: f64, max_points: f64, effort: f64) -> f64 {
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

/// The assessments of the year, by day, and their questions.
pub(super) fn write_assessments(
    rng: &mut ChaCha8Rng,
    options: &NetworkOptions,
) -> (Vec<Assessment>, Vec<Question>) {
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
        // A wrong key turns round what the question would show; on one that shows something, that
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
