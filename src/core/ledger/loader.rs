//! From a gradebook to the responses that count.

use log::debug;

use crate::Poll;
use crate::gradebook::{Gradebook, Period, Result, Sitting};
use crate::ledger::attempts::{self, Choice};
use crate::ledger::layout::{Ledger, Unit};
use crate::ledger::left::Unmarked;
use crate::ledger::reading::Outcome;
use crate::ledger::scale;
use crate::ledger::scope::{Pick, Scope, Window};
use crate::ledger::score::Score;
use crate::ledger::verdicts::{Judge, Part, Sink, Verdict};
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
        let rosters = [gradebook.roster(), gradebook.memberships()];
        let periods: usize = rosters.iter().map(|roster| roster.periods().len()).sum();
        let periods = 3 * size_of::<Period>() * periods;
        let per_response = size_of::<u32>() + size_of::<f64>();
        memory::ask(
            per_response * gradebook.responses() as usize + 9 * students + items + periods,
        )?;
        let window = Window::new(gradebook, ends, scope)?;
        let choices = attempts::choose(gradebook, &window, scope, poll)?;
        let mut loader = Loader {
            pick: scope.attempts.pick(),
            choices: &choices,
            window: &window,
            poll,
            pending: Vec::new(),
            key: None,
            attempt: None,
            raw_unbounded: Vec::new(),
            items: Vec::new(),
            scores: Vec::new(),
            ledger: Ledger {
                known: vec![false; gradebook.students().len()],
                unbounded: vec![false; gradebook.items().len()],
                assessments: gradebook.assessments().len(),
                items: Vec::with_capacity(gradebook.responses() as usize),
                scores: Vec::with_capacity(gradebook.responses() as usize),
                ..Ledger::empty(scope.as_of.unwrap_or(i64::MIN))
            },
        };
        match window.has_all_items() && scope.reading.plain_scores(gradebook) {
            true => {
                let score = |mark| scope.reading.plain_score(mark);
                gradebook.visit(score, poll, |sitting| loader.take_plain(&sitting))?;
            }
            false => {
                let judge = Judge::new(gradebook, scope.reading, &window, poll)?;
                judge.visit(&mut loader, poll)?;
            }
        }
        loader.flush();
        loader.pass_to(gradebook.students().len() as u32);
        let mut ledger = loader.ledger;
        ledger.mark_uncounted();
        ledger.note_beginnings(&choices)?;
        for &response in &loader.raw_unbounded {
            ledger.unbounded[ledger.items[response as usize] as usize] = true;
        }
        for &(student, at) in gradebook.excluded_students() {
            if window.is_open(student, at) {
                ledger.known[student as usize] = true;
            }
        }
        // Without a date and without a score to take it from, no period lies ahead.
        let now = match ledger.as_of {
            i64::MIN => i64::MAX,
            as_of => as_of,
        };
        ledger.roster = gradebook.roster().as_of(now);
        // They begin with rows, which are looked at up to the date that was given.
        ledger.memberships = gradebook
            .memberships()
            .as_of(scope.as_of.unwrap_or(i64::MAX));
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
                            Some(_) => Score::Unbounded(value),
                            None => Score::Share(value),
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
    attempt: Option<i64>,
    score: Score,
}

/// Writes sittings as they come, and picks the attempts that count where a student sat an
/// assessment, or answered an item, more than once.
struct Loader<'a> {
    ledger: Ledger,
    pick: Pick,
    /// The sittings that count where a student has several, from the student at hand on.
    choices: &'a [Choice],
    window: &'a Window<'a>,
    poll: Poll<'a>,
    /// The student and the assessment of the last unit.
    key: Option<(u32, u32)>,
    /// The attempt of the last unit that was written.
    attempt: Option<i64>,
    /// The answers of the last unit, once it has more than one sitting; it is not written then.
    pending: Vec<Answer>,
    raw_unbounded: Vec<u32>,
    /// What counts of the rows at hand.
    items: Vec<u32>,
    scores: Vec<Score>,
}

/// Answers of a student to an assessment that count, of one time and attempt.
struct Counted<'a> {
    student: u32,
    assessment: u32,
    taken_at: i64,
    attempt: Option<i64>,
    items: &'a [u32],
    scores: &'a [Score],
}

impl Sink for Loader<'_> {
    fn sees(&mut self, rows: &Sitting<'_, Outcome>) -> bool {
        // Rows without a score may have been made long before somebody takes the test.
        self.looks_at(rows, |outcome| matches!(outcome, Outcome::Counts(_)))
    }

    fn take(&mut self, part: &Part<'_>) -> Result<()> {
        let mut items = std::mem::take(&mut self.items);
        let mut scores = std::mem::take(&mut self.scores);
        items.clear();
        scores.clear();
        memory::ask_for_more(&items, part.items.len())?;
        memory::ask_for_more(&scores, part.items.len())?;
        let mut is_whole = true;
        for (&item, &verdict) in part.items.iter().zip(part.verdicts) {
            match verdict {
                Verdict::Counts(score) => {
                    items.push(item);
                    scores.push(score);
                }
                Verdict::BlankCounts(score) => {
                    items.push(item);
                    scores.push(score);
                    is_whole = false;
                }
                Verdict::Left(_) => is_whole = false,
            }
        }
        if !is_whole {
            self.note(part)?;
        }
        if !items.is_empty() {
            let counted = Counted {
                student: part.student,
                assessment: part.assessment,
                taken_at: part.taken_at,
                attempt: part.attempt,
                items: &items,
                scores: &scores,
            };
            self.add(&counted)?;
        }
        (self.items, self.scores) = (items, scores);
        Ok(())
    }
}

impl Loader<'_> {
    /// Whether rows are looked at, which are of the time of a score if any of them has one.
    #[inline]
    fn looks_at<M>(&mut self, rows: &Sitting<'_, M>, has_score: impl Fn(&M) -> bool) -> bool {
        if !self.window.is_open(rows.student, rows.taken_at) {
            self.ledger.future += rows.items.len() as u64;
            return false;
        }
        if rows.marks.iter().any(has_score) {
            self.ledger.as_of = self.ledger.as_of.max(rows.taken_at);
        }
        self.ledger.known[rows.student as usize] = true;
        if !self.window.has(rows.assessment) {
            return false;
        }
        let counts = self.choices.is_empty() || self.is_chosen(rows);
        if !counts {
            self.ledger.duplicates += rows.items.len() as u64;
        }
        counts
    }

    /// Whether rows are of a sitting that counts.
    fn is_chosen<M>(&mut self, rows: &Sitting<'_, M>) -> bool {
        let key = (rows.student, rows.assessment);
        let passed = self.choices.partition_point(|choice| choice.key() < key);
        self.choices = &self.choices[passed..];
        let choice = self.choices.first().filter(|choice| choice.key() == key);
        choice.is_none_or(|choice| choice.has((rows.attempt, rows.taken_at)))
    }

    /// Takes a sitting of which every score counts by itself.
    fn take_plain(&mut self, sitting: &Sitting<'_, Score>) -> Result<()> {
        if !self.looks_at(sitting, |_| true) {
            return Ok(());
        }
        let counted = Counted {
            student: sitting.student,
            assessment: sitting.assessment,
            taken_at: sitting.taken_at,
            attempt: sitting.attempt,
            items: sitting.items,
            scores: sitting.marks,
        };
        self.add(&counted)
    }

    /// Notes what of a part does not count, or counts though it was left blank.
    #[cold]
    fn note(&mut self, part: &Part<'_>) -> Result<()> {
        let ledger = &mut self.ledger;
        let is_same =
            |last: &Unmarked| (last.student, last.assessment) == (part.student, part.assessment);
        if !ledger.unmarked.last().is_some_and(is_same) {
            memory::ask_for_more(&ledger.unmarked, 1)?;
            let unmarked = Unmarked::new(part.student, part.assessment, part.taken_at);
            ledger.unmarked.push(unmarked);
        }
        let at = ledger.unmarked.len() - 1;
        let unmarked = &mut ledger.unmarked[at];
        unmarked.see(part.taken_at, part.verdicts.iter().any(Verdict::is_taken));
        let items = ledger.unbounded.len();
        for (&item, verdict) in part.items.iter().zip(part.verdicts) {
            match verdict {
                Verdict::Counts(_) => {}
                Verdict::BlankCounts(_) => {
                    unmarked.omitted += 1;
                    ledger.left_out.add_blank(item, items)?;
                }
                Verdict::Left(left) => {
                    unmarked.add(*left);
                    ledger.left_out.add(item, *left, items)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, sitting: &Counted<'_>) -> Result<()> {
        let key = Some((sitting.student, sitting.assessment));
        let repeated = self.key == key;
        let is_plain = !repeated && sitting.items.is_sorted_by(|a, b| a < b);
        self.ask_for(sitting, is_plain)?;
        if repeated && self.pending.is_empty() {
            self.recall();
        } else if !repeated {
            self.flush();
            self.pass_to(sitting.student);
            self.key = key;
        }
        if is_plain {
            self.write(sitting.items, sitting.scores, sitting.taken_at);
            self.attempt = sitting.attempt;
            return Ok(());
        }
        let answers = sitting.items.iter().zip(sitting.scores);
        self.pending.extend(answers.map(|(&item, &score)| Answer {
            item,
            taken_at: sitting.taken_at,
            attempt: sitting.attempt,
            score,
        }));
        Ok(())
    }

    /// Asks for what one more sitting may take; a plain one has each item once, and is the first of
    /// its student and assessment.
    fn ask_for(&self, sitting: &Counted<'_>, is_plain: bool) -> Result<()> {
        let (n, ledger) = (sitting.items.len(), &self.ledger);
        memory::ask_for_more(&ledger.units, 1)?;
        memory::ask_for_more(&ledger.begun, 1)?;
        memory::ask_for_more(&self.raw_unbounded, n)?;
        if !is_plain {
            // The last unit may come back to them.
            let last = ledger.responses_in(ledger.units.len().saturating_sub(1));
            memory::ask_for_more(&self.pending, n + last.len())?;
            // Kept apart once more while they are written, and each with its time from then on.
            memory::ask(
                32 * (self.pending.len() + n) + size_of::<i64>() * ledger.items.capacity(),
            )?;
        }
        Ok(())
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
                Ok(_) => Score::Unbounded(value),
                Err(_) => Score::Share(value),
            };
            self.pending.push(Answer {
                item: ledger.items[response],
                taken_at: unit.taken_at,
                attempt: self.attempt,
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

    /// Leaves one answer per item. Of answers that were given at the same time and in the same
    /// attempt and contradict each other, the higher one stands.
    fn pick(&mut self) {
        let best_first = |a: &Answer, b: &Answer| b.score.order(&a.score);
        let earlier =
            |a: &Answer, b: &Answer| a.taken_at.cmp(&b.taken_at).then(a.attempt.cmp(&b.attempt));
        let item = |a: &Answer, b: &Answer| a.item.cmp(&b.item);
        let before = self.pending.len();
        let at_once =
            |a: &Answer, b: &Answer| item(a, b).then(earlier(a, b)).then(best_first(a, b));
        sort(&mut self.pending, at_once, self.poll);
        let conflicting = &mut self.ledger.conflicting;
        let conflicting_before = *conflicting;
        self.pending.dedup_by(|next, first| {
            let is_same = item(next, first).then(earlier(next, first)).is_eq();
            *conflicting += u64::from(is_same && next.score != first.score);
            is_same
        });
        let pick = self.pick;
        let chosen_first = |a: &Answer, b: &Answer| {
            item(a, b).then(match pick {
                Pick::First => earlier(a, b),
                Pick::Last => earlier(b, a),
                Pick::Best => best_first(a, b).then(earlier(a, b)),
            })
        };
        sort(&mut self.pending, chosen_first, self.poll);
        self.pending.dedup_by_key(|answer| answer.item);
        let left_out = (before - self.pending.len()) as u64;
        self.ledger.duplicates += left_out - (self.ledger.conflicting - conflicting_before);
    }
}
