//! The responses of the year, one sitting after the other.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::sample::assessments::{Assessment, Curve, Flaw, Question, QuestionKind, Subject};
use crate::sample::draws::normal;
use crate::sample::network::Network;
use crate::sample::people::{Story, Student};

/// Chance of a right answer on a multiple-choice question by someone who does not know it.
const GUESS: f64 = 0.2;
/// A wrong key usually marks the most tempting wrong answer: chosen by this share of those who do
/// not know, and by few of those who do.
const TEMPTED: f64 = 0.65;
const TEMPTED_THOUGH_KNOWING: f64 = 0.06;

/// Median words correct per minute in grade 5 in the fall and gain per week until spring:
/// Hasbrouck and Tindal (2017), compiled oral reading fluency norms (121 rising to 146 in 32
/// weeks). The spread is that of their spring percentiles (10th 102, 90th 195), split into reader
/// and sitting.
const FLUENCY_FALL: f64 = 121.0;
const FLUENCY_GAIN: f64 = 0.8;
const FLUENCY_SD: f64 = 35.0;
const FLUENCY_NOISE: f64 = 8.0;

/// What a second attempt adds to the ability shown in it.
const PRACTICE: f64 = 0.4;

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

impl Network {
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
        let retakes = network.rng.gen_bool(if weak { 0.03 } else { 0.01 });
        let day = day + network.rng.gen_range(7..=14);
        if retakes && enrolled.contains(&day) {
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
