//! The responses of one assessment, student by student, its questions numbered from 0.

use hashbrown::HashMap;

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::questions::additive::{self, Answers};
use crate::statistics::moments::Moments;

pub struct Sittings {
    /// Per response: its question.
    questions: Vec<u32>,
    /// Per response: its score.
    scores: Vec<f64>,
    /// Per student: the first response; one more at the end.
    starts: Vec<usize>,
    /// Per question: the scores of all who answered it.
    pub moments: Vec<Moments>,
}

impl Sittings {
    /// Every unit has a response, and no question twice.
    pub fn of(ledger: &Ledger, units: &[usize], poll: Poll<'_>) -> Result<Self> {
        let lengths = units.iter().map(|&unit| ledger.responses_in(unit).len());
        let responses: usize = lengths.sum();
        memory::ask((size_of::<u32>() + size_of::<f64>()) * responses)?;
        let mut sittings = Self {
            questions: Vec::with_capacity(responses),
            scores: Vec::with_capacity(responses),
            starts: Vec::with_capacity(units.len() + 1),
            moments: Vec::new(),
        };
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        sittings.starts.push(0);
        for &unit in units {
            poll();
            for response in ledger.responses_in(unit) {
                let next = numbers.len() as u32;
                let number = *numbers.entry(ledger.items[response]).or_insert(next);
                if number == next {
                    sittings.moments.push(Moments::default());
                }
                let score = ledger.scores[response];
                sittings.moments[number as usize].add(score);
                sittings.questions.push(number);
                sittings.scores.push(score);
            }
            sittings.starts.push(sittings.questions.len());
        }
        Ok(sittings)
    }

    pub fn student_count(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn question_count(&self) -> usize {
        self.moments.len()
    }

    pub fn response_count(&self) -> usize {
        self.questions.len()
    }

    /// Whether every student answered every question.
    pub fn is_complete(&self) -> bool {
        self.response_count() == self.student_count() * self.question_count()
    }

    /// Per student: the questions and their scores.
    pub fn rows(&self) -> impl Iterator<Item = (&[u32], &[f64])> {
        self.starts.windows(2).map(|ends| {
            let own = ends[0]..ends[1];
            (&self.questions[own.clone()], &self.scores[own])
        })
    }

    /// How many questions a student answers, as their errors of measurement average: the harmonic
    /// mean.
    pub fn length(&self) -> f64 {
        let shares = self
            .rows()
            .map(|(questions, _)| 1.0 / questions.len() as f64);
        self.student_count() as f64 / shares.sum::<f64>()
    }

    /// How much easier or harder each question is than the others of its students.
    pub fn effects(&self, poll: Poll<'_>) -> Vec<f64> {
        let answers = Answers {
            items: &self.questions,
            scores: &self.scores,
            item_count: self.question_count(),
            students: self.student_count(),
            responses_of: &|student| self.starts[student]..self.starts[student + 1],
        };
        additive::effects(answers, poll)
    }
}
