//! Right and wrong answers, laid out for the fit.

use std::ops::Range;

use hashbrown::HashMap;

use crate::Poll;
use crate::ledger::Ledger;
use crate::questions::linked::Linked;
use crate::statistics::pairs::sort;

/// Fewest questions, linked by common students, of which two parameters each can be estimated: two
/// have three free counts for four parameters.
pub const LEAST_LINKED: usize = 3;

/// What the scores of one item are like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub n: u64,
    pub sum: f64,
    pub unbounded: bool,
    /// Whether a score is neither 0 nor 1.
    partial: bool,
}

impl Tally {
    /// Whether all answers are right or wrong.
    pub fn binary(&self) -> bool {
        !self.unbounded && !self.partial
    }

    /// Whether some are right and some are wrong.
    pub fn varies(&self) -> bool {
        self.sum > 0.0 && self.sum < self.n as f64
    }
}

/// The scores of every item of the gradebook.
pub fn tallies(ledger: &Ledger) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = ledger
        .unbounded
        .iter()
        .map(|&unbounded| Tally {
            unbounded,
            ..Tally::default()
        })
        .collect();
    for (&item, &score) in ledger.items.iter().zip(&ledger.scores) {
        let tally = &mut tallies[item as usize];
        tally.n += 1;
        tally.sum += score;
        tally.partial |= score != 0.0 && score != 1.0;
    }
    tallies
}

/// The answers to the items that can be calibrated.
pub struct Answers {
    /// Per item its number in the gradebook.
    pub items: Vec<u32>,
    /// Per item its component, the largest first.
    pub components: Vec<u32>,
    /// Per answer twice its item, and one more where it is right; in order, student by student.
    codes: Vec<u32>,
    /// Per student the first answer; one more at the end.
    students: Vec<usize>,
}

impl Answers {
    /// Takes the answers to items with right and wrong ones, with at least `min_answers`, that
    /// enough others are linked to by common students.
    pub fn gather(ledger: &Ledger, tallies: &[Tally], min_answers: f64, poll: Poll<'_>) -> Self {
        let usable: Vec<bool> = tallies
            .iter()
            .map(|tally| tally.binary() && tally.varies() && tally.n as f64 >= min_answers)
            .collect();
        let components = components(ledger, &usable, poll);
        let mut answers = Self {
            items: Vec::new(),
            components: Vec::new(),
            codes: Vec::new(),
            students: vec![0],
        };
        let mut places = vec![None; tallies.len()];
        for (item, component) in components.into_iter().enumerate() {
            if let Some(component) = component {
                places[item] = Some(answers.items.len() as u32);
                answers.items.push(item as u32);
                answers.components.push(component);
            }
        }
        for student in 0..ledger.student_count() {
            let start = answers.codes.len();
            for response in ledger.responses_of(student) {
                if let Some(place) = places[ledger.items[response] as usize] {
                    let right = ledger.scores[response] == 1.0;
                    answers.codes.push(2 * place + u32::from(right));
                }
            }
            sort(&mut answers.codes[start..], u32::cmp, poll);
            if answers.codes.len() > start {
                answers.students.push(answers.codes.len());
            }
            poll();
        }
        answers
    }

    /// Students with an answer.
    pub fn students(&self) -> Range<usize> {
        0..self.students.len() - 1
    }

    /// The answers of a student.
    pub fn of(&self, student: usize) -> &[u32] {
        &self.codes[self.students[student]..self.students[student + 1]]
    }

    /// The component of all items that a student answered.
    pub fn component_of(&self, student: usize) -> u32 {
        self.components[self.of(student)[0] as usize / 2]
    }

    /// How many items the largest component has.
    pub fn largest_component(&self) -> usize {
        self.components
            .iter()
            .filter(|&&component| component == 0)
            .count()
    }
}

/// Per item the component of usable items that it belongs to, in descending order of their size;
/// none if it is not usable or the component is too small.
fn components(ledger: &Ledger, usable: &[bool], poll: Poll<'_>) -> Vec<Option<u32>> {
    let mut linked = Linked::none_of(usable.len());
    for student in 0..ledger.student_count() {
        let items = &ledger.items[ledger.responses_of(student)];
        let mut items = items.iter().filter(|&&item| usable[item as usize]);
        if let Some(&first) = items.next() {
            let root = linked.root_of(first);
            items.fold(root, |root, &item| linked.link(root, item));
        }
        poll();
    }
    let roots = linked.roots();
    let mut sizes = vec![0; usable.len()];
    for (&root, _) in roots.iter().zip(usable).filter(|(_, usable)| **usable) {
        sizes[root as usize] += 1;
    }
    let mut order: Vec<u32> = (0..usable.len() as u32)
        .filter(|&root| sizes[root as usize] >= LEAST_LINKED)
        .collect();
    order.sort_by_key(|&root| std::cmp::Reverse(sizes[root as usize]));
    let numbers: HashMap<u32, u32> = order.into_iter().zip(0..).collect();
    roots
        .iter()
        .zip(usable)
        .map(|(root, usable)| numbers.get(root).copied().filter(|_| *usable))
        .collect()
}
