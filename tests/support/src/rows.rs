//! Rows that own their ids, and gradebooks made of them.

use std::collections::BTreeMap;

use pg_assess_core::gradebook::{Builder, Enrolment, Gradebook, Id, MaxScore, Row, Standing};
use pg_assess_core::time::{Clock, DAY};

use crate::go;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnId {
    Integer(i64),
    Uuid(u128),
    Text(String),
}

impl OwnId {
    pub fn id(&self) -> Id<'_> {
        match self {
            OwnId::Integer(value) => Id::Integer(*value),
            OwnId::Uuid(value) => Id::Uuid(*value),
            OwnId::Text(text) => Id::Text(text),
        }
    }
}

/// A row that owns what it holds; `None` stands for NULL.
#[derive(Clone, PartialEq)]
pub struct OwnRow {
    pub student: Option<OwnId>,
    pub item: Option<OwnId>,
    pub assessment: Option<OwnId>,
    pub score: Option<f64>,
    pub min_score: Option<f64>,
    pub max_score: MaxScore,
    pub taken_at: Option<i64>,
    pub standing: Standing,
    pub attempt: Option<i64>,
    pub position: Option<i32>,
}

/// On one line, so that a table can be read in a failure.
impl std::fmt::Debug for OwnRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            student,
            item,
            assessment,
            score,
            min_score,
            max_score,
            taken_at,
            standing,
            attempt,
            position,
        } = self;
        let ids = format!("{student:?} {item:?} {assessment:?}");
        let score = format!("{score:?} {min_score:?}..{max_score:?} {standing:?}");
        let rest = format!("{taken_at:?} {attempt:?} {position:?}");
        f.write_str(&format!("{ids} {score} {rest}").replace("Some", ""))
    }
}

impl OwnRow {
    pub fn row(&self) -> Row<'_> {
        Row {
            student: self.student.as_ref().map(OwnId::id),
            item: self.item.as_ref().map(OwnId::id),
            assessment: self.assessment.as_ref().map(OwnId::id),
            score: self.score,
            min_score: self.min_score,
            max_score: self.max_score,
            taken_at: self.taken_at,
            standing: self.standing,
            attempt: self.attempt,
            position: self.position,
        }
    }
}

/// A row with integer ids, a score that is a share, and a day.
pub fn row(student: i64, item: i64, assessment: i64, score: f64, day: f64) -> OwnRow {
    OwnRow {
        student: Some(OwnId::Integer(student)),
        item: Some(OwnId::Integer(item)),
        assessment: Some(OwnId::Integer(assessment)),
        score: Some(score),
        min_score: None,
        max_score: MaxScore::Share,
        taken_at: Some((day * DAY as f64) as i64),
        standing: Standing::Counts,
        attempt: None,
        position: None,
    }
}

/// A row of a roster that owns what it holds; `None` stands for NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEnrolment {
    pub student: Option<OwnId>,
    pub group: Option<OwnId>,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

impl OwnEnrolment {
    pub fn row(&self) -> Enrolment<'_> {
        Enrolment {
            student: self.student.as_ref().map(OwnId::id),
            group: self.group.as_ref().map(OwnId::id),
            from: self.from,
            to: self.to,
        }
    }
}

/// A row of a roster with integer ids; both days are included.
pub fn enrolment(
    student: i64,
    group: Option<i64>,
    from: impl Into<Option<i64>>,
    to: impl Into<Option<i64>>,
) -> OwnEnrolment {
    OwnEnrolment {
        student: Some(OwnId::Integer(student)),
        group: group.map(OwnId::Integer),
        from: from.into().map(|day| day * DAY),
        to: to.into().map(|day| day * DAY + DAY - 1),
    }
}

/// The flat form of responses and a roster.
pub fn with_roster<'a>(
    rows: impl IntoIterator<Item = &'a OwnRow>,
    roster: impl IntoIterator<Item = &'a OwnEnrolment>,
) -> Vec<u8> {
    let mut builder = builder(rows);
    for row in roster {
        let row = row.row();
        builder
            .enrol(Clock::Calendar, row)
            .expect("ids of one type");
    }
    builder.encode(&go).expect("a small gradebook")
}

/// The flat form of responses, each of a group, as a model has it: made group by group.
pub fn by_group(rows: &[(OwnRow, Option<i64>)]) -> Vec<u8> {
    let mut groups: BTreeMap<Option<i64>, Vec<OwnRow>> = BTreeMap::new();
    for (row, group) in rows {
        groups.entry(*group).or_default().push(row.clone());
    }
    let mut builder = Builder::new();
    for (group, rows) in &groups {
        let bytes = gradebook(rows);
        let part = Gradebook::open(&bytes).expect("a gradebook");
        let merged = builder.merge_group(&part, group.map(Id::Integer), &go);
        merged.expect("ids of one type");
    }
    builder.encode(&go).expect("a small gradebook")
}

pub fn builder<'a>(rows: impl IntoIterator<Item = &'a OwnRow>) -> Builder {
    let mut builder = Builder::new();
    for row in rows {
        builder
            .push(Clock::Calendar, row.row())
            .expect("ids of one type");
    }
    builder
}

/// The flat form of the rows.
pub fn gradebook<'a>(rows: impl IntoIterator<Item = &'a OwnRow>) -> Vec<u8> {
    builder(rows).encode(&go).expect("a small gradebook")
}

/// Reads all of a flat form.
pub fn check(bytes: &[u8]) -> pg_assess_core::gradebook::Result<Gradebook<'_>> {
    let book = Gradebook::open(bytes)?;
    book.visit(|mark| mark, &go, |_| Ok(()))?;
    Ok(book)
}

/// Merges flat forms in the order given.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut builder = Builder::new();
    for part in parts {
        let part = Gradebook::open(part).expect("a gradebook");
        builder.merge(&part, &go).expect("the same types");
    }
    builder.encode(&go).expect("a small gradebook")
}

/// The number that an id is.
pub fn integer(id: &Option<OwnId>) -> i64 {
    match id {
        Some(OwnId::Integer(number)) => *number,
        _ => panic!("an integer id"),
    }
}
