//! From a gradebook to the responses that count.

use log::debug;

use crate::Poll;
use crate::gradebook::{Gradebook, Period, Result, Roster, Score, Sitting};
use crate::ledger::layout::{Ledger, Unit};
use crate::ledger::scale;
use crate::ledger::scope::{Attempts, Scope};
use crate::memory;
use crate::statistics::pairs::sort;

/// One response by its numbers in the gradebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    pub student: u32,
    pub item: u32,
    pub assessment: u32,
    /// In microseconds since 2000-01-01.
    pub taken_at: i64,
    pub score: Score,
}

impl Ledger {
    /// Lays out the responses of `gradebook` that count in the scope.
    pub fn new(gradebook: &Gradebook<'_>, scope: &Scope, poll: Poll<'_>) -> Result<Self> {
        Self::before(gradebook, &[], scope, poll)
    }

    /// The same, but of each student only what is older than the time in `ends`, if there is one.
    pub fn before(
        gradebook: &Gradebook<'_>,
        ends: &[i64],
        scope: &Scope,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let (mut ledger, raw_unbounded) = Self::load(gradebook, ends, scope, poll)?;
        scale::standardize(&ledger.items, &mut ledger.scores, &raw_unbounded, poll);
        Ok(ledger)
    }

    /// The ledger with scores as they are, and the responses whose score has no upper bound.
    fn load(
        gradebook: &Gradebook<'_>,
        ends: &[i64],
        scope: &Scope,
        poll: Poll<'_>,
    ) -> Result<(Self, Vec<u32>)> {
        let (students, items) = (gradebook.students().len(), gradebook.items().len());
        let periods = 3 * size_of::<Period>() * gradebook.roster().periods().len();
        let per_response = size_of::<u32>() + size_of::<f64>();
        memory::ask(
            per_response * gradebook.responses() as usize + 9 * students + items + periods,
        )?;
        let mut loader = Loader {
            attempts: scope.attempts,
            poll,
            pending: Vec::new(),
            key: None,
            raw_unbounded: Vec::new(),
            ledger: Ledger {
                as_of: scope.as_of.unwrap_or(i64::MIN),
                future: 0,
                duplicates: 0,
                known: vec![false; gradebook.students().len()],
                roster: Roster::default(),
                unbounded: vec![false; gradebook.items().len()],
                assessments: gradebook.assessments().len(),
                items: Vec::with_capacity(gradebook.responses() as usize),
                scores: Vec::with_capacity(gradebook.responses() as usize),
                units: Vec::new(),
                students: vec![0],
                times: Vec::new(),
                begun: Vec::new(),
            },
        };
        let limit = scope.as_of.unwrap_or(i64::MAX);
        let mut excluded = vec![false; gradebook.assessments().len()];
        for &assessment in &scope.exclude {
            if let Some(flag) = excluded.get_mut(assessment as usize) {
                *flag = true;
            }
        }
        gradebook.visit(poll, |sitting| {
            let end = ends.get(sitting.student as usize);
            if sitting.taken_at > limit || end.is_some_and(|&end| sitting.taken_at >= end) {
                loader.ledger.future += sitting.items.len() as u64;
                return Ok(());
            }
            loader.ledger.as_of = loader.ledger.as_of.max(sitting.taken_at);
            loader.ledger.known[sitting.student as usize] = true;
            if excluded[sitting.assessment as usize] {
                return Ok(());
            }
            loader.ask_for(&sitting)?;
            loader.take(sitting);
            Ok(())
        })?;
        loader.flush();
        loader.pass_to(gradebook.students().len() as u32);
        let mut ledger = loader.ledger;
        for &response in &loader.raw_unbounded {
            ledger.unbounded[ledger.items[response as usize] as usize] = true;
        }
        for &(student, at) in gradebook.unscored() {
            if at <= limit {
                ledger.known[student as usize] = true;
            }
        }
        // Without a date and without a response to take it from, no period lies ahead.
        let now = match scope.as_of {
            None if gradebook.responses() == 0 => i64::MAX,
            _ => ledger.as_of,
        };
        ledger.roster = gradebook.roster().as_of(now);
        for period in ledger.roster.periods() {
            ledger.known[period.student as usize] = true;
        }
        debug!(
            "laid out {} responses of {students} students to {items} questions; {} came later, {} \
             are other attempts",
            ledger.items.len(),
            ledger.future,
            ledger.duplicates
        );
        Ok((ledger, loader.raw_unbounded))
    }

    /// The responses of `gradebook` that count in the scope, with the scores they were given.
    pub fn counted(
        gradebook: &Gradebook<'_>,
        scope: &Scope,
        poll: Poll<'_>,
    ) -> Result<Vec<Response>> {
        let (ledger, raw_unbounded) = Self::load(gradebook, &[], scope, poll)?;
        memory::ask(size_of::<Response>() * ledger.items.len())?;
        let mut raw_unbounded = raw_unbounded.into_iter().peekable();
        let mut responses = Vec::with_capacity(ledger.items.len());
        for student in 0..ledger.student_count() {
            for unit in ledger.units_of(student) {
                if unit % 1024 == 0 {
                    poll();
                }
                for at in ledger.responses_in(unit) {
                    let value = ledger.scores[at];
                    responses.push(Response {
                        student: student as u32,
                        item: ledger.items[at],
                        assessment: ledger.units[unit].assessment,
                        taken_at: ledger.time_of(unit, at),
                        score: match raw_unbounded.next_if_eq(&(at as u32)) {
                            Some(_) => Score::unbounded(value),
                            None => Score::share(value),
                        },
                    });
                }
            }
        }
        Ok(responses)
    }
}

/// An answer whose fate is not decided yet.
#[derive(Clone, Copy)]
struct Answer {
    item: u32,
    taken_at: i64,
    score: Score,
}

/// Writes sittings as they come, and picks the attempts that count where a student sat an
/// assessment, or answered an item, more than once.
struct Loader<'a> {
    ledger: Ledger,
    attempts: Attempts,
    poll: Poll<'a>,
    /// The student and the assessment of the last unit.
    key: Option<(u32, u32)>,
    /// The answers of the last unit, once it has more than one sitting; it is not written then.
    pending: Vec<Answer>,
    raw_unbounded: Vec<u32>,
}

impl Loader<'_> {
    /// Asks for what one more sitting may take.
    fn ask_for(&self, sitting: &Sitting<'_>) -> Result<()> {
        let (n, ledger) = (sitting.items.len(), &self.ledger);
        memory::ask_for_more(&ledger.units, 1)?;
        memory::ask_for_more(&ledger.begun, 1)?;
        memory::ask_for_more(&self.raw_unbounded, n)?;
        // The last unit may come back to them.
        let repeated = self.key == Some((sitting.student, sitting.assessment));
        if repeated || !sitting.items.is_sorted_by(|a, b| a < b) {
            let last = ledger.responses_in(ledger.units.len().saturating_sub(1));
            memory::ask_for_more(&self.pending, n + last.len())?;
            // Kept apart once more while they are written, and each with its time from then on.
            memory::ask(
                32 * (self.pending.len() + n) + size_of::<i64>() * ledger.items.capacity(),
            )?;
        }
        Ok(())
    }

    fn take(&mut self, sitting: Sitting<'_>) {
        let key = Some((sitting.student, sitting.assessment));
        let repeated = self.key == key;
        if repeated && self.pending.is_empty() {
            self.recall();
        } else if !repeated {
            self.flush();
            self.pass_to(sitting.student);
            self.key = key;
        }
        let each_once = sitting.items.windows(2).all(|pair| pair[0] < pair[1]);
        if each_once && !repeated {
            self.write(sitting.items, sitting.scores, sitting.taken_at);
        } else {
            let answers = sitting.items.iter().zip(sitting.scores);
            self.pending.extend(answers.map(|(&item, &score)| Answer {
                item,
                taken_at: sitting.taken_at,
                score,
            }));
        }
    }

    /// Goes on to a student; those passed over have no unit.
    fn pass_to(&mut self, student: u32) {
        let next = self.ledger.units.len() as u32;
        self.ledger.students.resize(student as usize + 1, next);
    }

    /// Writes the answers of the last unit, given at one time.
    fn write(&mut self, items: &[u32], scores: &[Score], taken_at: i64) {
        let ledger = &mut self.ledger;
        let start = ledger.items.len();
        ledger.units.push(Unit {
            assessment: self.key.map_or(0, |(_, assessment)| assessment),
            start: start as u32,
            taken_at,
        });
        ledger.items.extend_from_slice(items);
        ledger
            .scores
            .extend(scores.iter().map(|score| score.value()));
        if !ledger.times.is_empty() {
            ledger.times.resize(ledger.items.len(), taken_at);
        }
        for (at, score) in scores.iter().enumerate() {
            if score.is_unbounded() {
                self.raw_unbounded.push((start + at) as u32);
            }
        }
    }

    /// Takes the last unit back, as more of it has come.
    fn recall(&mut self) {
        let ledger = &mut self.ledger;
        let Some(unit) = ledger.units.pop() else {
            return;
        };
        let start = unit.start as usize;
        for response in start..ledger.items.len() {
            let value = ledger.scores[response];
            let score = match self.raw_unbounded.binary_search(&(response as u32)) {
                Ok(_) => Score::unbounded(value),
                Err(_) => Score::share(value),
            };
            self.pending.push(Answer {
                item: ledger.items[response],
                taken_at: unit.taken_at,
                score,
            });
        }
        ledger.items.truncate(start);
        ledger.scores.truncate(start);
        ledger.times.truncate(start);
        let keep = self.raw_unbounded.partition_point(|&at| at < unit.start);
        self.raw_unbounded.truncate(keep);
    }

    /// Writes the pending answers that count as one unit.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let begun = self.pending.iter().map(|answer| answer.taken_at).min();
        self.pick();
        let pending = std::mem::take(&mut self.pending);
        let items: Vec<u32> = pending.iter().map(|answer| answer.item).collect();
        let scores: Vec<Score> = pending.iter().map(|answer| answer.score).collect();
        let times: Vec<i64> = pending.iter().map(|answer| answer.taken_at).collect();
        let last = times.iter().max().copied().unwrap_or_default();
        let several_times = times.iter().any(|&at| at != last);
        if several_times && self.ledger.times.is_empty() {
            // Until now each unit had one time.
            for unit in 0..self.ledger.units.len() {
                let end = self.ledger.responses_in(unit).end;
                self.ledger
                    .times
                    .resize(end, self.ledger.units[unit].taken_at);
            }
        }
        let start = self.ledger.items.len();
        let unit = self.ledger.units.len() as u32;
        let left_out = begun.filter(|begun| !times.contains(begun));
        self.ledger.begun.extend(left_out.map(|at| (unit, at)));
        self.write(&items, &scores, last);
        if several_times {
            self.ledger.times.truncate(start);
            self.ledger.times.extend(times);
        }
    }

    /// Leaves one answer per item. Answers given at the same time that contradict each other
    /// count for the student: the higher one stands.
    fn pick(&mut self) {
        let attempts = self.attempts;
        let chosen_first = |a: &Answer, b: &Answer| {
            let best_first = b.score.cmp(&a.score);
            a.item.cmp(&b.item).then(match attempts {
                Attempts::First => a.taken_at.cmp(&b.taken_at).then(best_first),
                Attempts::Last => b.taken_at.cmp(&a.taken_at).then(best_first),
                Attempts::Best => best_first.then(a.taken_at.cmp(&b.taken_at)),
            })
        };
        sort(&mut self.pending, chosen_first, self.poll);
        let before = self.pending.len();
        self.pending.dedup_by_key(|answer| answer.item);
        self.ledger.duplicates += (before - self.pending.len()) as u64;
    }
}
