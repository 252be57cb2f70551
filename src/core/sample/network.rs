//! A whole network before anybody has answered anything.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::sample::assessments::{Assessment, Question, Subject, write_assessments};
use crate::sample::draws::{rounded, shuffled};
use crate::sample::lists::{FAMILY_NAMES, GIVEN_NAMES};
use crate::sample::options::NetworkOptions;
use crate::sample::people::{School, Student, TruthStudent, enrol, found_schools, make_stories};

/// A whole network before anybody has answered anything: the memory it takes grows with its
/// students (some 200 bytes each), not with their responses, which are made one by one.
#[derive(Debug, Clone)]
pub struct Network {
    pub(super) options: NetworkOptions,
    given_names: Vec<&'static str>,
    family_names: Vec<&'static str>,
    schools: Vec<School>,
    pub(super) students: Vec<Student>,
    pub(super) assessments: Vec<Assessment>,
    pub(super) questions: Vec<Question>,
    pub(super) rng: ChaCha8Rng,
}

impl Network {
    pub fn new(options: NetworkOptions) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let given_names = shuffled(&mut rng, &GIVEN_NAMES);
        let family_names = shuffled(&mut rng, &FAMILY_NAMES);
        let schools = found_schools(&mut rng, options.schools);
        let (assessments, questions) = write_assessments(&mut rng, &options);
        let mut students = enrol(&mut rng, &options);
        make_stories(&mut students, &assessments, &options);
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
}
