//! Rows of an export that sum up its students, and came in as students: the mean of each question,
//! or the most that could be had, or that anybody had.
//!
//! What such a row is shows in its scores: on one question after another they are what a student
//! would hit by chance only. That chance is added up, question by question, as a logarithm; a name
//! such as "Class average" adds to it, and never is enough alone.

use crate::Poll;
use crate::labels::labels;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::statistics::rounding::ROUNDING;

/// How far a mean may be from that of the others, on a scale of 1: two decimals of one point, or
/// whole percents, are rounded by half a hundredth.
const TOLERANCE: f64 = 0.0051;
/// The share of the questions on which a row is what it sums up at least: some scores of others may
/// be left out of the one or the other.
const LEAST_SHARE: f64 = 0.9;
/// Questions at least.
const LEAST_QUESTIONS: u32 = 3;
/// How far apart the scores of most students are at least: where they have one and the same mark on
/// every criterion of a sheet, who is near to the mean on one is so on all of them.
const LEAST_RANGE: f64 = 4.0 * TOLERANCE;
/// Other students at least, of a question that is compared.
const LEAST_OTHERS: f64 = 3.0;
/// The chance of one false row in a group of students that is borne, as minus a logarithm: one in
/// a hundred thousand.
const LEAST_EVIDENCE: f64 = 11.5;
/// What a name is worth: one student in ten million is called so.
const NAME: f64 = 16.0;
/// Names of such rows, in the words of the programs that write them.
const MEANS: [&str; 11] = [
    "average",
    "average score",
    "averages",
    "avg",
    "class average",
    "class mean",
    "mean",
    "mean score",
    "mittelwert",
    "moyenne",
    "promedio",
];
const MAXIMA: [&str; 8] = [
    "max points",
    "max score",
    "maximum",
    "maximum points",
    "maximum score",
    "out of",
    "points possible",
    "possible points",
];

/// What a row sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SummaryKind {
    /// The most points that there were, or that anybody had.
    Maximum,
    /// The mean of the others.
    Mean,
}

labels!(SummaryKind {
    Maximum => "maximum",
    Mean => "mean",
});

/// A row that came in as a student.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SummaryRow {
    pub student: u32,
    pub kind: SummaryKind,
    /// Questions that could be compared.
    pub questions: u32,
    /// Of these, those on which it is what it sums up.
    pub matching: u32,
}

/// What kind of row has this name, if any.
pub fn kind_of_name(id: &str) -> Option<SummaryKind> {
    let name = id.trim().trim_end_matches(':').to_lowercase();
    let is_one_of = |names: &[&str]| names.contains(&name.as_str());
    match () {
        () if is_one_of(&MEANS) => Some(SummaryKind::Mean),
        () if is_one_of(&MAXIMA) => Some(SummaryKind::Maximum),
        () => None,
    }
}

/// The scores of a question in one assessment.
#[derive(Clone, Copy, Default)]
struct Question {
    n: f64,
    sum: f64,
    lowest: f64,
    highest: f64,
    /// How many have the highest score.
    at_highest: f64,
    /// How many are about the mean, of all and of all but one with the highest score.
    at_means: [f64; 2],
}

impl Question {
    /// The mean, and that without one with the highest score.
    fn means(&self) -> [f64; 2] {
        [
            self.sum / self.n,
            (self.sum - self.highest) / (self.n - 1.0),
        ]
    }

    /// Minus the logarithm of the chance to be one of so many others (with the rule of succession).
    fn surprise(&self, others: f64) -> f64 {
        (self.n / (others + 1.0)).ln()
    }
}

/// What the questions of one student have shown.
#[derive(Clone, Copy, Default)]
struct Shown {
    questions: u32,
    /// On which others differ.
    varying: u32,
    /// On which the score is the mean of all others, or of all others but one with the most.
    means: [Matches; 2],
    /// On which nobody had more.
    tops: u32,
    /// On which nobody had all points.
    capped: u32,
    /// Of these, on which the score is the most, and others have as much.
    tied: u32,
    /// The lowest and the highest score on questions on which others differ.
    range: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Default)]
struct Matches {
    n: u32,
    evidence: f64,
}

/// The rows that sum up others, in the order of students. `name_of` says of which kind
/// of row a student's name is.
///
/// - A mean: on nine questions in ten of those on which others differ, the score is the mean of all
///   others to rounding, with or without one row of maxima among them. Evidence is the sum of
///   `-ln((c + 1) / n)`, with `c` of the `n - 1` others as close to the mean.
/// - A maximum: on all questions nobody has more. Where nobody has all points and others have as
///   much, in so many questions that the student who comes next would not do so, with the share of
///   the questions on which that one does as the chance; a name may stand in for that. Who is right
///   on everything is no maximum without a name: a student may be.
///
/// The evidence must reach `LEAST_EVIDENCE + ln(students)`.
pub fn summary_rows(
    ledger: &Ledger,
    name_of: &dyn Fn(u32) -> Option<SummaryKind>,
    poll: Poll<'_>,
) -> Result<Vec<SummaryRow>> {
    memory::ask(
        size_of::<Shown>() * ledger.student_count()
            + size_of::<Question>() * ledger.item_count()
            + size_of::<u32>() * (ledger.unit_count() + 2 * ledger.assessments),
    )?;
    let shown = compare(ledger, poll);
    let students = shown.iter().filter(|own| own.questions > 0).count();
    let needed = LEAST_EVIDENCE + (students.max(1) as f64).ln();
    let next = next_to_the_top(&shown);
    // Else all questions show the same, and are no evidence one by one.
    let differing = shown.iter().filter(|own| own.differs()).count();
    let are_questions = 2 * differing > students;
    let mut rows = Vec::new();
    for (student, own) in (0..).zip(&shown) {
        let named = |kind| {
            if name_of(student) == Some(kind) {
                NAME
            } else {
                0.0
            }
        };
        let mean = own.mean(needed, &named).filter(|_| are_questions);
        let found = mean.or_else(|| own.maximum(needed, next(student), &named));
        if let Some((kind, questions, matching)) = found {
            memory::ask_for_more(&rows, 1)?;
            rows.push(SummaryRow {
                student,
                kind,
                questions,
                matching,
            });
        }
    }
    Ok(rows)
}

impl Shown {
    /// Whether the student's scores differ from question to question.
    fn differs(&self) -> bool {
        self.range
            .is_some_and(|(low, high)| high - low > LEAST_RANGE)
    }

    fn mean(
        &self,
        needed: f64,
        named: &dyn Fn(SummaryKind) -> f64,
    ) -> Option<(SummaryKind, u32, u32)> {
        let best = match self.means[1].evidence > self.means[0].evidence {
            true => self.means[1],
            false => self.means[0],
        };
        let is_mean = self.varying >= LEAST_QUESTIONS
            && f64::from(best.n) >= LEAST_SHARE * f64::from(self.varying);
        (is_mean && best.evidence + named(SummaryKind::Mean) >= needed).then_some((
            SummaryKind::Mean,
            self.varying,
            best.n,
        ))
    }

    fn maximum(
        &self,
        needed: f64,
        next: [f64; 2],
        named: &dyn Fn(SummaryKind) -> f64,
    ) -> Option<(SummaryKind, u32, u32)> {
        if self.questions < LEAST_QUESTIONS || self.tops < self.questions {
            return None;
        }
        let by_chance = |share: f64, n: u32| {
            let n = f64::from(n);
            n * ((n + 2.0) / (share * n + 1.0)).ln()
        };
        let tied = match self.tied == self.capped {
            true => by_chance(next[1], self.capped),
            false => 0.0,
        };
        let evidence = match named(SummaryKind::Maximum) {
            0.0 => tied,
            bonus => bonus + tied.max(by_chance(next[0], self.questions)),
        };
        (evidence >= needed).then_some((SummaryKind::Maximum, self.questions, self.tops))
    }
}

/// For each student, the greatest shares of questions on which another has the most: of all
/// questions, and of those on which nobody has all points.
fn next_to_the_top(shown: &[Shown]) -> impl Fn(u32) -> [f64; 2] {
    let shares = |own: &Shown| {
        let share = |n, of| f64::from(n) / f64::from(u32::max(of, 1));
        [share(own.tops, own.questions), share(own.tied, own.capped)]
    };
    let mut best = [[(0.0, u32::MAX); 2]; 2];
    for (student, own) in (0..).zip(shown) {
        for (best, share) in best.iter_mut().zip(shares(own)) {
            if own.questions >= LEAST_QUESTIONS && share > best[0].0 {
                *best = [(share, student), best[0]];
            } else if own.questions >= LEAST_QUESTIONS && share > best[1].0 {
                best[1] = (share, student);
            }
        }
    }
    move |student| {
        best.map(|[first, second]| {
            if first.1 == student {
                second.0
            } else {
                first.0
            }
        })
    }
}

fn compare(ledger: &Ledger, poll: Poll<'_>) -> Vec<Shown> {
    let mut shown = vec![Shown::default(); ledger.student_count()];
    let mut questions = vec![Question::default(); ledger.item_count()];
    let mut used: Vec<u32> = Vec::new();
    let takers = ledger.takers(poll);
    for assessment in 0..ledger.assessments {
        let units = takers.of(assessment);
        let each = |take: &mut dyn FnMut(u32, u32, f64)| {
            for (at, &unit) in units.iter().enumerate() {
                if at % 1024 == 0 {
                    poll();
                }
                for response in ledger.responses_in(unit as usize) {
                    take(unit, ledger.items[response], ledger.scores[response]);
                }
            }
        };
        each(&mut |_, item, score| {
            let question = &mut questions[item as usize];
            if question.n == 0.0 {
                used.push(item);
                (question.lowest, question.highest) = (score, score);
            }
            question.n += 1.0;
            question.sum += score;
            question.lowest = question.lowest.min(score);
            question.highest = question.highest.max(score);
        });
        each(&mut |_, item, score| {
            let question = &mut questions[item as usize];
            let is_highest = score >= question.highest - ROUNDING;
            question.at_highest += f64::from(u8::from(is_highest));
            let means = question.means();
            for (about, mean) in question.at_means.iter_mut().zip(means) {
                *about += f64::from(u8::from((score - mean).abs() <= TOLERANCE));
            }
        });
        each(&mut |unit, item, score| {
            let question = questions[item as usize];
            if question.n > LEAST_OTHERS {
                let is_bounded = !ledger.unbounded[item as usize];
                shown[ledger.student_of(unit)].add(&question, score, is_bounded);
            }
        });
        for item in used.drain(..) {
            questions[item as usize] = Question::default();
        }
    }
    shown
}

impl Shown {
    fn add(&mut self, question: &Question, score: f64, is_bounded: bool) {
        let Question { n, sum, .. } = *question;
        self.questions += 1;
        if score >= question.highest - ROUNDING {
            self.tops += 1;
        }
        if !is_bounded || question.highest < 1.0 - TOLERANCE {
            self.capped += 1;
            if score >= question.highest - ROUNDING && question.at_highest > 1.0 {
                self.tied += 1;
            }
        }
        if question.highest - question.lowest <= 4.0 * TOLERANCE {
            return;
        }
        self.varying += 1;
        let (low, high) = self.range.unwrap_or((score, score));
        self.range = Some((low.min(score), high.max(score)));
        let all = (sum - score) / (n - 1.0);
        let without_most = (sum - score - question.highest) / (n - 2.0);
        for (at, mean) in [all, without_most].into_iter().enumerate() {
            if (score - mean).abs() <= TOLERANCE {
                let is_own = (score - question.means()[at]).abs() <= TOLERANCE;
                let others = question.at_means[at] - f64::from(u8::from(is_own));
                self.means[at].n += 1;
                self.means[at].evidence += question.surprise(others);
            }
        }
    }
}
