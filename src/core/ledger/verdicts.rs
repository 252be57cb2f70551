//! What every row of a gradebook counts as, where that depends on other rows too.
//!
//! Without a score and a word on why, a row waits for its mark if nobody has a score for that
//! question of that assessment, or if the student has none in that sitting; else it is blank. A
//! question of which most answers wait is held back: the few that are in may be the easy ones to
//! mark, or the empty ones.
//!
//! What a sitting is, stands in `attempts`.

use hashbrown::HashMap;

use crate::Poll;
use crate::gradebook::{Gradebook, Result, Sitting, State};
use crate::ledger::attempts::is_same_sitting;
use crate::ledger::observed::most_points;
use crate::ledger::reading::{self, Blanks, Left, Outcome, Reading, Worth};
use crate::ledger::scope::Window;
use crate::ledger::score::Score;
use crate::memory;

/// What a row counts as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    Counts(Score),
    /// Left blank, and counts all the same.
    BlankCounts(Score),
    Left(Left),
}

impl Verdict {
    /// Whether the student took it, whatever it counts as.
    pub fn is_taken(&self) -> bool {
        !matches!(self, Self::Left(Left::NotTaken | Left::Exempt))
    }
}

/// The rows of one student, assessment, time and attempt.
pub struct Part<'a> {
    pub student: u32,
    pub assessment: u32,
    pub taken_at: i64,
    pub attempt: Option<i64>,
    pub items: &'a [u32],
    pub verdicts: &'a [Verdict],
}

/// Answers to one question of one assessment.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    scored: u32,
    waiting: u32,
}

/// What takes the rows.
pub trait Sink {
    /// Whether to look at the rows of a student, an assessment, a time and an attempt.
    fn sees(&mut self, rows: &Sitting<'_, Outcome>) -> bool;

    /// Takes the rows of a student, an assessment, a time and an attempt, in the order of the
    /// gradebook, but for several attempts at an assessment.
    fn take(&mut self, part: &Part<'_>) -> Result<()>;
}

/// Judges the rows of a gradebook.
pub struct Judge<'b, 'a> {
    gradebook: &'b Gradebook<'a>,
    reading: Reading,
    window: &'b Window<'b>,
    /// Per item the most points that anybody had; empty where nobody asks.
    most: Vec<f64>,
    /// By assessment and item; empty where no row is without a score.
    tallies: HashMap<(u32, u32), Tally>,
}

/// A row that waits for the rest of its sitting.
#[derive(Clone, Copy)]
struct Pending {
    taken_at: i64,
    attempt: Option<i64>,
    item: u32,
    position: Option<i32>,
    outcome: Outcome,
}

impl<'b, 'a> Judge<'b, 'a> {
    /// Goes through the gradebook as often as it takes to know what others say of a row; of most,
    /// not at all.
    pub fn new(
        gradebook: &'b Gradebook<'a>,
        reading: Reading,
        window: &'b Window<'b>,
        poll: Poll<'_>,
    ) -> Result<Self> {
        let mut judge = Self {
            gradebook,
            reading,
            window,
            most: Vec::new(),
            tallies: HashMap::new(),
        };
        let may_have = |what: fn(State) -> bool| {
            let marks = gradebook.marks();
            let listed = marks.is_empty() && gradebook.responses() > 0;
            listed || marks.iter().any(|mark| what(mark.state))
        };
        let unmarked = |state| matches!(state, State::NoScore | State::Waiting);
        judge.most = most_points(gradebook, reading, window, poll)?;
        if may_have(unmarked) {
            judge.count_scores(poll)?;
            judge.count_waiting(poll)?;
        }
        Ok(judge)
    }

    fn count_scores(&mut self, poll: Poll<'_>) -> Result<()> {
        let mut tallies = HashMap::new();
        self.each_sitting(poll, |sitting| {
            for (&item, outcome) in sitting.items.iter().zip(sitting.marks) {
                if is_scored(outcome) {
                    ask_for_one(&tallies)?;
                    let tally: &mut Tally = tallies.entry((sitting.assessment, item)).or_default();
                    tally.scored += 1;
                }
            }
            Ok(())
        })?;
        self.tallies = tallies;
        Ok(())
    }

    fn count_waiting(&mut self, poll: Poll<'_>) -> Result<()> {
        let mut waiting = WaitingRows {
            window: self.window,
            counts: HashMap::new(),
        };
        self.visit(&mut waiting, poll)?;
        for (key, count) in waiting.counts {
            ask_for_one(&self.tallies)?;
            self.tallies.entry(key).or_default().waiting = count;
        }
        Ok(())
    }

    fn each_sitting(
        &self,
        poll: Poll<'_>,
        mut each: impl FnMut(Sitting<'_, Outcome>) -> Result<()>,
    ) -> Result<()> {
        let outcome = |mark| self.reading.outcome(mark);
        let window = self.window;
        self.gradebook
            .visit(outcome, poll, |sitting| match window.sees(&sitting) {
                true => each(sitting),
                false => Ok(()),
            })
    }

    /// Passes all rows on.
    pub fn visit(&self, sink: &mut impl Sink, poll: Poll<'_>) -> Result<()> {
        let mut scratch = Scratch::default();
        let mut pending: Vec<Pending> = Vec::new();
        let mut key = (0, 0);
        // Where all is known of each row by itself, nothing waits for the rest.
        let is_plain = self.tallies.is_empty();
        let outcome = |mark| self.reading.outcome(mark);
        self.gradebook
            .visit(outcome, poll, |sitting: Sitting<'_, Outcome>| {
                let (student, assessment) = (sitting.student, sitting.assessment);
                if !sink.sees(&sitting) {
                    return Ok(());
                }
                if is_plain {
                    let verdict = |item, outcome| self.verdict(assessment, item, outcome, false);
                    return sink.take(&scratch.part(&sitting, verdict)?);
                }
                if key != (student, assessment) {
                    self.judge(key, &mut pending, &mut scratch, sink)?;
                    key = (student, assessment);
                }
                memory::ask_for_more(&pending, sitting.items.len())?;
                for (at, (&item, &outcome)) in sitting.items.iter().zip(sitting.marks).enumerate() {
                    pending.push(Pending {
                        taken_at: sitting.taken_at,
                        attempt: sitting.attempt,
                        item,
                        position: sitting.position(at),
                        outcome,
                    });
                }
                Ok(())
            })?;
        self.judge(key, &mut pending, &mut scratch, sink)
    }

    /// Passes on all rows of one student and assessment, which are in order of time.
    fn judge(
        &self,
        (student, assessment): (u32, u32),
        pending: &mut Vec<Pending>,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) -> Result<()> {
        // Rows of items that do not count say nothing of a sitting.
        let counts = |row: &Pending| self.window.has_item(row.item);
        for row in pending.iter().filter(|row| !counts(row)) {
            sink.take(&Part {
                student,
                assessment,
                taken_at: row.taken_at,
                attempt: row.attempt,
                items: &[row.item],
                verdicts: &[self.verdict(assessment, row.item, row.outcome, false)],
            })?;
        }
        pending.retain(counts);
        if pending.iter().any(|row| row.attempt.is_some()) {
            pending.sort_by_key(|row| row.attempt);
        }
        let place = |row: &Pending| (row.attempt, row.taken_at);
        for sitting in pending.chunk_by(|a, b| is_same_sitting(place(a), place(b))) {
            let scored = || sitting.iter().filter(|row| is_scored(&row.outcome));
            let has_scores = scored().next().is_some();
            let last_answer = scored().filter_map(|row| row.position).max();
            for rows in sitting.chunk_by(|a, b| place(a) == place(b)) {
                scratch.clear();
                scratch.ask_for(rows.len())?;
                for row in rows {
                    let is_omitted = row.position < last_answer && row.position.is_some();
                    let verdict = match row.outcome {
                        Outcome::NoScore(_) if !has_scores => Verdict::Left(Left::Waiting),
                        outcome => self.verdict(assessment, row.item, outcome, is_omitted),
                    };
                    scratch.items.push(row.item);
                    scratch.verdicts.push(verdict);
                }
                sink.take(&Part {
                    student,
                    assessment,
                    taken_at: rows[0].taken_at,
                    attempt: rows[0].attempt,
                    items: &scratch.items,
                    verdicts: &scratch.verdicts,
                })?;
            }
        }
        pending.clear();
        Ok(())
    }

    /// What a row counts as in a sitting that has scores.
    #[inline]
    fn verdict(&self, assessment: u32, item: u32, outcome: Outcome, is_omitted: bool) -> Verdict {
        self.unless_excluded(item, self.by_itself(assessment, item, outcome, is_omitted))
    }

    /// What a row counts as whose item may be left out: whether the student took it stays known.
    #[inline]
    fn unless_excluded(&self, item: u32, verdict: Verdict) -> Verdict {
        match self.window.has_item(item) || !verdict.is_taken() {
            true => verdict,
            false => Verdict::Left(Left::Excluded),
        }
    }

    #[inline]
    fn by_itself(&self, assessment: u32, item: u32, outcome: Outcome, is_omitted: bool) -> Verdict {
        match outcome {
            Outcome::Counts(Worth::Score(score)) if self.tallies.is_empty() => {
                Verdict::Counts(score)
            }
            Outcome::Counts(worth) => match self.score(item, worth) {
                Ok(_) if self.is_held_back(assessment, item) => Verdict::Left(Left::HeldBack),
                Ok(score) => Verdict::Counts(score),
                Err(left) => Verdict::Left(left),
            },
            Outcome::Left(left) => Verdict::Left(left),
            Outcome::NoScore(worth) => {
                let is_zero = match self.reading.blanks {
                    Blanks::Ignore => false,
                    Blanks::Zero => true,
                    Blanks::ZeroBeforeLastAnswer => is_omitted,
                };
                let tally = self.tallies.get(&(assessment, item));
                if tally.is_none_or(|tally| tally.scored == 0) {
                    return Verdict::Left(Left::Waiting);
                }
                if self.is_held_back(assessment, item) || !is_zero {
                    return Verdict::Left(Left::Blank);
                }
                match self.score(item, worth) {
                    Ok(score) => Verdict::BlankCounts(score),
                    Err(left) => Verdict::Left(left),
                }
            }
        }
    }

    fn score(&self, item: u32, worth: Worth) -> std::result::Result<Score, Left> {
        match worth {
            Worth::Score(score) => Ok(score),
            Worth::Points { score, min } => {
                let most = self.most.get(item as usize).copied();
                let most = most.filter(|most| *most > min).ok_or(Left::NoMaxScore)?;
                Ok(Score::Share(reading::share(score, min, most)))
            }
        }
    }

    fn is_held_back(&self, assessment: u32, item: u32) -> bool {
        let tally = self.tallies.get(&(assessment, item));
        tally.is_some_and(|tally| tally.waiting > tally.scored)
    }
}

/// Counts the rows that wait, by assessment and item.
struct WaitingRows<'b> {
    window: &'b Window<'b>,
    counts: HashMap<(u32, u32), u32>,
}

impl Sink for WaitingRows<'_> {
    fn sees(&mut self, rows: &Sitting<'_, Outcome>) -> bool {
        self.window.sees(rows)
    }

    fn take(&mut self, part: &Part<'_>) -> Result<()> {
        for (&item, verdict) in part.items.iter().zip(part.verdicts) {
            if *verdict == Verdict::Left(Left::Waiting) {
                ask_for_one(&self.counts)?;
                *self.counts.entry((part.assessment, item)).or_insert(0) += 1;
            }
        }
        Ok(())
    }
}

fn is_scored(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Counts(_) => true,
        Outcome::Left(left) => matches!(left, Left::BelowMin | Left::AboveMax | Left::NoMaxScore),
        Outcome::NoScore(_) => false,
    }
}

fn ask_for_one<K, V>(map: &HashMap<K, V>) -> memory::Result<()> {
    match map.len() == map.capacity() {
        true => memory::ask(4 * size_of::<(K, V)>() * (map.len() + 1)),
        false => Ok(()),
    }
}

/// Lists that are filled again and again.
#[derive(Default)]
struct Scratch {
    items: Vec<u32>,
    verdicts: Vec<Verdict>,
}

impl Scratch {
    fn clear(&mut self) {
        self.items.clear();
        self.verdicts.clear();
    }

    fn ask_for(&self, n: usize) -> memory::Result<()> {
        memory::ask_for_more(&self.items, n)?;
        memory::ask_for_more(&self.verdicts, n)
    }

    /// A sitting as a part.
    #[inline]
    fn part<'s>(
        &'s mut self,
        sitting: &Sitting<'s, Outcome>,
        verdict: impl Fn(u32, Outcome) -> Verdict,
    ) -> memory::Result<Part<'s>> {
        self.verdicts.clear();
        memory::ask_for_more(&self.verdicts, sitting.items.len())?;
        let rows = sitting.items.iter().zip(sitting.marks);
        self.verdicts
            .extend(rows.map(|(&item, &outcome)| verdict(item, outcome)));
        Ok(Part {
            student: sitting.student,
            assessment: sitting.assessment,
            taken_at: sitting.taken_at,
            attempt: sitting.attempt,
            items: sitting.items,
            verdicts: &self.verdicts,
        })
    }
}
