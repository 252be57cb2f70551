//! Rows in, flat form out.

use std::collections::HashSet;

use log::debug;

use crate::Poll;
use crate::gradebook::codec::{Reader, put_signed, put_varint, unzigzag, zigzag};
use crate::gradebook::error::{Error, Result};
use crate::gradebook::excluded::{Excluded, Exclusion};
use crate::gradebook::flat::Gradebook;
use crate::gradebook::form::{
    FLAG_ABSOLUTE, FLAG_ROSTER, MAX_ENCODED_BYTES, MAX_RESPONSES, MAX_STUDENTS, VERSION,
};
use crate::gradebook::id::{Id, Ids, Interner};
use crate::gradebook::roster::{MAX_PERIODS, Period, Roster};
use crate::gradebook::score::{Score, ScoreTable};
use crate::memory;
use crate::statistics::pairs::sort;
use crate::statistics::rounding::ROUNDING;
use crate::time::{Clock, MAX_TIME, MIN_TIME};

/// The largest score that could be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxScore {
    /// Scores already are shares of their maximum.
    Share,
    /// This many points; infinite for a scale without an upper bound; none when unknown.
    Points(Option<f64>),
}

/// One row of a response table; `None` stands for NULL.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub student: Option<Id<'a>>,
    pub item: Option<Id<'a>>,
    pub assessment: Option<Id<'a>>,
    pub score: Option<f64>,
    pub max_score: MaxScore,
    /// Microseconds since 2000-01-01; the extremes of `i64` are the infinities, as in Postgres.
    pub taken_at: Option<i64>,
}

/// One row of a roster; `None` stands for NULL.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    pub student: Option<Id<'a>>,
    pub group: Option<Id<'a>>,
    /// Microseconds since 2000-01-01; none or the least `i64`: from the beginning of time.
    pub from: Option<i64>,
    /// The last microsecond; none or the greatest `i64`: without an end.
    pub to: Option<i64>,
}

/// The responses of one student in the order of arrival, each as difference to the one before:
/// two bytes where it belongs to the same sitting, about ten where it opens a new one.
#[derive(Debug, Clone)]
struct Log {
    bytes: Vec<u8>,
    assessment: u32,
    item: u32,
    taken_at: i64,
    /// Earliest time of an excluded row, if any.
    unscored: Option<i64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            assessment: u32::MAX,
            item: 0,
            taken_at: 0,
            unscored: None,
        }
    }
}

impl Log {
    fn saw_unscored(&mut self, at: i64) {
        self.unscored = Some(self.unscored.map_or(at, |before| before.min(at)));
    }
}

/// The numbers that the ids of another gradebook have here. An id gets one when it is met, as what
/// no response is left of leaves no trace.
struct Numbers<'a> {
    ids: &'a Ids,
    numbers: Vec<u32>,
}

impl<'a> Numbers<'a> {
    const NONE: u32 = u32::MAX;

    fn new(ids: &'a Ids) -> Self {
        Self {
            ids,
            numbers: vec![Self::NONE; ids.len()],
        }
    }

    #[inline]
    fn of(&mut self, id: u32, table: &mut Interner) -> Result<u32> {
        let number = &mut self.numbers[id as usize];
        if *number == Self::NONE {
            *number = table.intern(&self.ids.get(id))?;
        }
        Ok(*number)
    }
}

/// The most bytes that one response takes in a log.
const LONGEST_RESPONSE: usize = 40;
/// The least.
const SHORTEST_RESPONSE: usize = 2;

/// A response with its final numbers; the order of the fields is the order of the flat form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Response {
    assessment: u32,
    taken_at: i64,
    item: u32,
    /// The score as it is written.
    score: u64,
}

/// Collects responses in any order.
#[derive(Debug)]
pub struct Builder {
    clock: Option<Clock>,
    excluded: Excluded,
    students: Interner,
    items: Interner,
    assessments: Interner,
    scores: ScoreTable,
    logs: Vec<Log>,
    responses: u64,
    /// Earliest time, and the greatest common divisor of all times' distances from it.
    earliest: i64,
    unit: u64,
    groups: Interner,
    /// With the numbers of students and groups in the order of their arrival.
    periods: HashSet<Period>,
    /// Rows of a roster that cannot be used.
    unusable: u64,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty gradebook to be.
    pub fn new() -> Self {
        Self {
            clock: None,
            excluded: Excluded::default(),
            students: Interner::new("student"),
            items: Interner::new("item"),
            assessments: Interner::new("assessment"),
            scores: ScoreTable::default(),
            logs: Vec::new(),
            responses: 0,
            earliest: i64::MAX,
            unit: 0,
            groups: Interner::new("group"),
            periods: HashSet::new(),
            unusable: 0,
        }
    }

    /// Takes one row, or counts why it cannot. Errors are for what no row can be blamed for:
    /// ids or times of mixed types, and the cap.
    #[inline(always)]
    pub fn push(&mut self, clock: Clock, row: Row<'_>) -> Result<()> {
        // Ids stay where they are: copied for every row, they would cost more than their look-up.
        let (Some(student), Some(item), Some(assessment)) =
            (&row.student, &row.item, &row.assessment)
        else {
            return self.exclude(&row, Exclusion::NullId);
        };
        let Some(taken_at) = row.taken_at else {
            return self.exclude(&row, Exclusion::NullDate);
        };
        let Some(score) = row.score else {
            return self.exclude(&row, Exclusion::NullScore);
        };
        let max = match row.max_score {
            MaxScore::Share => 1.0,
            MaxScore::Points(Some(max)) if max > 0.0 => max,
            MaxScore::Points(_) => return self.exclude(&row, Exclusion::NoMaxScore),
        };
        if !score.is_finite() || !(MIN_TIME..=MAX_TIME).contains(&taken_at) {
            return self.exclude(&row, Exclusion::NotFinite);
        }
        // Before the division, which may round or overflow. Partial credits that add up to the
        // maximum may pass it by a rounding error: 0.1 + 0.2 of 0.3 is all of it.
        if score < 0.0 || score > max * (1.0 + ROUNDING) {
            return self.exclude(&row, Exclusion::OutOfRange);
        }
        let score = if max == f64::INFINITY {
            Score::unbounded(score)
        } else {
            Score::share((score / max).min(1.0))
        };
        self.set_clock(clock)?;
        let student = self.student(student)?;
        let item = self.items.intern(item)?;
        let assessment = self.assessments.intern(assessment)?;
        self.append(student, assessment, taken_at, item, score)
    }

    /// Takes one row of a roster, or counts that it cannot: without a student, or with an end
    /// before the beginning. A period that is there already changes nothing.
    pub fn enrol(&mut self, clock: Clock, row: Enrolment<'_>) -> Result<()> {
        let given = |at: Option<i64>| at.filter(|at| (MIN_TIME..=MAX_TIME).contains(at));
        let first = row.from.map_or(MIN_TIME, |from| from.max(MIN_TIME));
        let last = row.to.map_or(MAX_TIME, |to| to.min(MAX_TIME));
        let Some(student) = row.student.filter(|_| first <= last) else {
            self.unusable = self.unusable.saturating_add(1);
            return Ok(());
        };
        let (from, to) = (given(row.from), given(row.to));
        if from.is_some() || to.is_some() {
            self.set_clock(clock)?;
        }
        let student = self.student(&student)?;
        let group = row.group.map(|id| self.groups.intern(&id)).transpose()?;
        self.add_period(Period {
            student,
            from: from.unwrap_or(Period::OPEN_FROM),
            to: to.unwrap_or(Period::OPEN_TO),
            group,
        })
    }

    /// Takes all that another gradebook holds.
    pub fn merge(&mut self, other: &Gradebook<'_>, poll: Poll<'_>) -> Result<()> {
        self.merge_without(other, &[], poll)
    }

    /// Takes all that another gradebook holds but the responses to some of its items, named by
    /// their numbers in it. What it says of excluded rows stays, as they are not counted by
    /// item.
    pub fn merge_without(
        &mut self,
        other: &Gradebook<'_>,
        without: &[u32],
        poll: Poll<'_>,
    ) -> Result<()> {
        if let Some(clock) = other.clock() {
            self.set_clock(clock)?;
        }
        self.excluded.merge(other.excluded())?;
        let ids = [other.students(), other.items(), other.assessments()];
        let ids: usize = ids.iter().map(|ids| ids.len()).sum();
        memory::ask(2 * size_of::<u32>() * ids)?;
        let all = |ids: &Ids| {
            (0..ids.len() as u32).inspect(|at| {
                if at % 1024 == 0 {
                    poll();
                }
            })
        };
        let students = all(other.students())
            .map(|at| self.student(&other.students().get(at)))
            .collect::<Result<Vec<u32>>>()?;
        let mut left_out = vec![false; other.items().len()];
        for &item in without {
            left_out[item as usize] = true;
        }
        let mut items = Numbers::new(other.items());
        let mut assessments = Numbers::new(other.assessments());
        for &(student, at) in other.unscored() {
            self.logs[students[student as usize] as usize].saw_unscored(at);
        }
        let roster = other.roster();
        let mut groups = Numbers::new(roster.groups());
        for (at, &period) in roster.periods().iter().enumerate() {
            // Each may bring a group.
            if at % 512 == 0 {
                poll();
            }
            let group = period.group;
            let group = group.map(|group| groups.of(group, &mut self.groups));
            self.add_period(Period {
                student: students[period.student as usize],
                group: group.transpose()?,
                ..period
            })?;
        }
        self.unusable = self
            .unusable
            .checked_add(roster.unusable())
            .ok_or(Error::TooLarge {
                what: "unusable roster rows",
                limit: u64::MAX,
            })?;
        other.visit(poll, |sitting| {
            let student = students[sitting.student as usize];
            for (&item, &score) in sitting.items.iter().zip(sitting.scores) {
                if !left_out[item as usize] {
                    let item = items.of(item, &mut self.items)?;
                    let assessment = assessments.of(sitting.assessment, &mut self.assessments)?;
                    self.append(student, assessment, sitting.taken_at, item, score)?;
                }
            }
            Ok(())
        })
    }

    fn add_period(&mut self, period: Period) -> Result<()> {
        if self.periods.len() == self.periods.capacity() {
            memory::ask(4 * size_of::<Period>() * self.periods.len())?;
        }
        self.periods.insert(period);
        if self.periods.len() as u64 > MAX_PERIODS {
            return Err(Error::TooLarge {
                what: "roster periods",
                limit: MAX_PERIODS,
            });
        }
        Ok(())
    }

    /// The roster with the final numbers of students.
    fn roster(&self, student_ranks: &[u32], poll: Poll<'_>) -> Roster {
        let (groups, group_ranks) = self.groups.sorted(poll);
        let mut periods: Vec<Period> = self
            .periods
            .iter()
            .map(|&period| Period {
                student: student_ranks[period.student as usize],
                group: period.group.map(|group| group_ranks[group as usize]),
                ..period
            })
            .collect();
        sort(&mut periods, Period::cmp, poll);
        Roster::new(groups, periods, self.unusable)
    }

    fn set_clock(&mut self, clock: Clock) -> Result<()> {
        match self.clock {
            Some(before) if before != clock => Err(Error::Clocks),
            _ => {
                self.clock = Some(clock);
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn student(&mut self, id: &Id<'_>) -> Result<u32> {
        let student = self.students.intern(id)?;
        if student as usize == self.logs.len() {
            if self.logs.len() as u64 == MAX_STUDENTS {
                return Err(Error::TooLarge {
                    what: "students",
                    limit: MAX_STUDENTS,
                });
            }
            memory::ask_for_more(&self.logs, 1)?;
            self.logs.push(Log::default());
        }
        Ok(student)
    }

    /// Counts a row that cannot be used. Its student is kept all the same: a student
    /// without any known score belongs on a list, and must not be forgotten.
    #[cold]
    fn exclude(&mut self, row: &Row<'_>, reason: Exclusion) -> Result<()> {
        self.excluded.add(reason);
        if let Some(student) = &row.student {
            let student = self.student(student)?;
            let at = row
                .taken_at
                .map_or(MIN_TIME, |at| at.clamp(MIN_TIME, MAX_TIME));
            self.logs[student as usize].saw_unscored(at);
        }
        Ok(())
    }

    #[inline]
    fn append(
        &mut self,
        student: u32,
        assessment: u32,
        taken_at: i64,
        item: u32,
        score: Score,
    ) -> Result<()> {
        if self.responses == MAX_RESPONSES {
            return Err(Error::TooLarge {
                what: "responses",
                limit: MAX_RESPONSES,
            });
        }
        let code = self.scores.intern(score);
        let log = &mut self.logs[student as usize];
        memory::ask_for_more(&log.bytes, LONGEST_RESPONSE)?;
        let same_sitting = log.assessment == assessment && log.taken_at == taken_at;
        let step = zigzag(i64::from(item) - i64::from(log.item)) << 1;
        put_varint(&mut log.bytes, step | u64::from(!same_sitting));
        if !same_sitting {
            put_varint(&mut log.bytes, u64::from(assessment));
            put_signed(&mut log.bytes, taken_at.wrapping_sub(log.taken_at));
            log.assessment = assessment;
            log.taken_at = taken_at;
            if self.responses > 0 {
                self.unit = gcd(self.unit, taken_at.abs_diff(self.earliest));
            }
            self.earliest = self.earliest.min(taken_at);
        }
        log.item = item;
        // Code 0 announces a score that is not in the table.
        match code {
            Some(code) => put_varint(&mut log.bytes, u64::from(code) + 1),
            None => {
                log.bytes.push(0);
                log.bytes.extend_from_slice(&score.bits().to_le_bytes());
            }
        }
        self.responses += 1;
        Ok(())
    }

    /// Reads a student's log back, with the final numbers of items, assessments and scores.
    fn replay(
        log: &Log,
        items: &[u32],
        assessments: &[u32],
        scores: &[u64],
        responses: &mut Vec<Response>,
        poll: Poll<'_>,
    ) -> Result<()> {
        responses.clear();
        let most = log.bytes.len() / SHORTEST_RESPONSE;
        memory::ask_for_more(responses, most)?;
        responses.reserve_exact(most);
        let mut from = Reader::new(&log.bytes);
        let (mut assessment, mut taken_at, mut item) = (0u32, 0i64, 0i64);
        while from.left() > 0 {
            if responses.len().is_multiple_of(1 << 16) {
                poll();
            }
            let step = from.varint()?;
            item += unzigzag(step >> 1);
            if step & 1 == 1 {
                assessment = assessments[from.index()? as usize];
                taken_at = taken_at.wrapping_add(from.signed()?);
            }
            let score = match from.varint()? {
                0 => from.u64()?,
                code => scores[code as usize - 1],
            };
            responses.push(Response {
                assessment,
                taken_at,
                item: items[item as usize],
                score,
            });
        }
        sort(responses, Response::cmp, poll);
        Ok(())
    }

    /// Writes the students with excluded rows and the earliest time of these; `order` has the
    /// students in order of their ids.
    fn encode_unscored(&self, order: &[u32], out: &mut Vec<u8>) {
        let unscored: Vec<(u64, i64)> = (0u64..)
            .zip(order)
            .filter_map(|(rank, &at)| Some((rank, self.logs[at as usize].unscored?)))
            .collect();
        put_varint(out, unscored.len() as u64);
        let mut next = 0;
        for (rank, at) in unscored {
            put_varint(out, rank - next);
            put_signed(out, at);
            next = rank + 1;
        }
    }

    /// Writes the flat form.
    pub fn encode(&self, poll: Poll<'_>) -> Result<Vec<u8>> {
        let tables = [&self.students, &self.items, &self.assessments, &self.groups];
        let tables: usize = tables.iter().map(|table| table.bytes_to_sort()).sum();
        let logs = || self.logs.iter().map(|log| log.bytes.len());
        let periods = 2 * size_of::<Period>() * self.periods.len();
        let last = size_of::<(u64, u32)>() * self.assessments.len();
        memory::ask(tables + logs().sum::<usize>() + 32 * self.logs.len() + periods + last)?;
        let (students, student_ranks) = self.students.sorted(poll);
        let (items, item_ranks) = self.items.sorted(poll);
        let (assessments, assessment_ranks) = self.assessments.sorted(poll);
        let mut order = vec![0u32; student_ranks.len()];
        for (arrival, &rank) in student_ranks.iter().enumerate() {
            order[rank as usize] = arrival as u32;
        }
        let (dictionary, score_ranks) = self.scores.dictionary();

        let roster = self.roster(&student_ranks, poll);

        let mut out = Vec::with_capacity(logs().sum());
        out.push(VERSION);
        let absolute = match self.clock {
            Some(Clock::Absolute) => FLAG_ABSOLUTE,
            _ => 0,
        };
        out.push(match roster.is_blank() {
            true => absolute,
            false => absolute | FLAG_ROSTER,
        });
        self.excluded.encode(&mut out);
        memory::ask_for_more(&out, tables)?;
        students.encode(&mut out);
        items.encode(&mut out);
        assessments.encode(&mut out);

        self.encode_unscored(&order, &mut out);
        if !roster.is_blank() {
            roster.encode(&mut out);
        }

        let earliest = if self.responses == 0 {
            0
        } else {
            self.earliest
        };
        let unit = self.unit.max(1);
        put_signed(&mut out, earliest);
        put_varint(&mut out, unit);
        dictionary.encode(&mut out);
        put_varint(&mut out, self.responses);

        let mut last = vec![(0u64, 0u32); assessments.len()];
        let mut responses = Vec::new();
        for &arrival in &order {
            let log = &self.logs[arrival as usize];
            poll();
            Self::replay(
                log,
                &item_ranks,
                &assessment_ranks,
                &score_ranks,
                &mut responses,
                poll,
            )?;
            memory::ask_for_more(&out, LONGEST_RESPONSE * responses.len())?;
            let same = |a: &Response, b: &Response| {
                (a.assessment, a.taken_at) == (b.assessment, b.taken_at)
            };
            put_varint(&mut out, responses.chunk_by(same).count() as u64);
            let mut assessment = 0;
            for sitting in responses.chunk_by(same) {
                let head = sitting[0];
                let (time, first) = &mut last[head.assessment as usize];
                let units = head.taken_at.abs_diff(earliest) / unit;
                put_varint(&mut out, u64::from(head.assessment - assessment));
                put_signed(&mut out, units.wrapping_sub(*time) as i64);
                put_signed(&mut out, i64::from(head.item) - i64::from(*first));
                put_varint(&mut out, sitting.len() as u64);
                for pair in sitting.windows(2) {
                    put_varint(&mut out, u64::from(pair[1].item - pair[0].item));
                }
                for response in sitting {
                    dictionary.put(&mut out, response.score);
                }
                assessment = head.assessment;
                *time = units;
                *first = head.item;
            }
            if out.len() as u64 > MAX_ENCODED_BYTES {
                return Err(Error::TooLarge {
                    what: "bytes",
                    limit: MAX_ENCODED_BYTES,
                });
            }
        }
        debug!(
            "packed {} students into {} bytes",
            self.logs.len(),
            out.len()
        );
        Ok(out)
    }
}

/// The greatest common divisor; that of 0 and `b` is `b`.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    if a != 0 && b.is_multiple_of(a) {
        return a;
    }
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
