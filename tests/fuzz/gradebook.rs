//! Gradebooks from bytes, from texts and from rows.
//!
//! The first byte chooses: its last two bits what the others are, the third whether the gradebook
//! is solved as well, which is slow. Rows may be spoiled in their flat form: chance alone seldom
//! gets past its tables.
#![no_main]

use pg_assess_test_support::solve;
use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pg_assess_core::gradebook::{Builder, Enrolment, Gradebook, Id, MaxScore, Period, Row};
use pg_assess_core::options::Options;
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pg_assess_core::gradebook::Error;
use pg_assess_test_support::{Solved, check, go};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let bytes = match choice & 3 {
        0 => from_bytes(data),
        1 => from_text(data),
        2 => from_rows(&mut Unstructured::new(data)),
        _ => from_spoiled_rows(&mut Unstructured::new(data)),
    };
    if let Some(bytes) = bytes.filter(|_| choice & 4 != 0) {
        solves(&bytes);
    }
});

/// Every response by its ids, in order: student, item, assessment, time, score.
type Response = (String, String, String, i64, u64);
/// Every period by its ids: student, group and both ends.
type Stay = (String, Option<String>, i64, i64);

/// What a gradebook says, whatever its numbers.
#[derive(Debug, PartialEq)]
struct Contents {
    responses: Vec<Response>,
    students: Vec<String>,
    excluded: u64,
    periods: Vec<Stay>,
    unusable: u64,
}

impl Contents {
    fn of(book: &Gradebook<'_>) -> Self {
        let mut responses = Vec::new();
        book.visit(&go, |sitting| {
            assert!((MIN_TIME..=MAX_TIME).contains(&sitting.taken_at));
            for (&item, score) in sitting.items.iter().zip(sitting.scores) {
                responses.push((
                    typed(&book.students().get(sitting.student)),
                    typed(&book.items().get(item)),
                    typed(&book.assessments().get(sitting.assessment)),
                    sitting.taken_at,
                    bits(score.value(), score.is_unbounded()),
                ));
            }
            Ok(())
        })
        .expect("checked rows");
        assert_eq!(responses.len() as u64, book.responses());
        responses.sort_unstable();
        let student = |at: u32| typed(&book.students().get(at));
        let mut periods: Vec<Stay> = (book.roster().periods().iter())
            .map(|own| {
                let group = own.group.map(|at| typed(&book.roster().groups().get(at)));
                (student(own.student), group, own.from, own.to)
            })
            .collect();
        periods.sort_unstable();
        Self {
            responses,
            students: (0..book.students().len() as u32).map(student).collect(),
            excluded: book.excluded().total(),
            periods,
            unusable: book.roster().unusable(),
        }
    }
}

/// An id with its type: the text 1 is not the number 1.
fn typed(id: &Id<'_>) -> String {
    format!("{id:?}")
}

fn bits(score: f64, unbounded: bool) -> u64 {
    score.to_bits() | u64::from(unbounded) << 63
}

/// Any bytes are refused, or a gradebook that can be written again.
fn from_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let book = check(bytes).ok()?;
    let canonical = match Gradebook::canonical(bytes, &go) {
        Ok(canonical) => canonical,
        Err(error) => {
            assert!(matches!(error, Error::TooLarge { .. }), "{error}");
            return None;
        }
    };
    let again = check(&canonical).expect("what was written can be read");
    assert_eq!(Contents::of(&again), Contents::of(&book));
    assert_eq!(again.excluded(), book.excluded());
    written_forms_agree(&canonical);
    Some(canonical)
}

/// Any text is refused, or the text of a gradebook.
fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    // The words in front are no secret, and base64 seldom comes by chance.
    let texts = [format!("gradebook:{text}"), text.into_owned()];
    let bytes = texts
        .iter()
        .find_map(|text| Gradebook::from_text(text, &go).ok())?;
    written_forms_agree(&bytes);
    Some(bytes)
}

/// Bytes in canonical form stay as they are, also through their text.
fn written_forms_agree(bytes: &[u8]) {
    assert_eq!(Gradebook::canonical(bytes, &go).as_deref(), Ok(bytes));
    let text = Gradebook::to_text(bytes);
    assert_eq!(text.len(), Gradebook::text_bytes(bytes.len()));
    assert_eq!(Gradebook::from_text(&text, &go).as_deref(), Ok(bytes));
}

/// The types that the ids of a table may have.
#[derive(Arbitrary, Clone, Copy)]
enum Kind {
    Integer,
    Uuid,
    Text,
}

/// Few of them, so that they meet, with the ends of each type.
fn id(kind: Kind, number: u8) -> Id<'static> {
    const INTEGERS: [i64; 6] = [i64::MIN, -1, 0, 1, 1 << 40, i64::MAX];
    const TEXTS: [&str; 6] = ["", "a", "a ", "1", "ß-ничто", "\u{1f393}"];
    let place = usize::from(number % 6);
    match kind {
        Kind::Integer => Id::Integer(INTEGERS[place]),
        Kind::Uuid => Id::Uuid([0, 1, 1 << 64, u128::MAX, 7, 8][place]),
        Kind::Text => Id::Text(TEXTS[place]),
    }
}

#[derive(Arbitrary)]
struct Tables {
    students: Kind,
    items: Kind,
    assessments: Kind,
    groups: Kind,
    is_absolute: bool,
}

impl Tables {
    fn clock(&self) -> Clock {
        match self.is_absolute {
            true => Clock::Absolute,
            false => Clock::Calendar,
        }
    }
}

#[derive(Arbitrary, Clone, Copy)]
enum Amount {
    Zero,
    One,
    Quarters(u8),
    Any(f64),
}

impl Amount {
    fn value(self) -> f64 {
        match self {
            Amount::Zero => 0.0,
            Amount::One => 1.0,
            Amount::Quarters(n) => f64::from(n) / 4.0,
            Amount::Any(value) => value,
        }
    }
}

#[derive(Arbitrary, Clone, Copy)]
enum Most {
    Share,
    Unknown,
    Unbounded,
    Points(Amount),
}

#[derive(Arbitrary, Clone, Copy)]
enum Time {
    Day(u8),
    Any(i64),
}

impl Time {
    fn at(self) -> i64 {
        match self {
            Time::Day(day) => i64::from(day) * DAY,
            Time::Any(at) => at,
        }
    }
}

/// A row of either table.
#[derive(Arbitrary, Clone, Copy)]
enum Given {
    Response {
        numbers: [u8; 3],
        score: Option<Amount>,
        most: Most,
        at: Option<Time>,
    },
    Enrolment {
        numbers: [u8; 2],
        from: Option<Time>,
        to: Option<Time>,
    },
}

/// Of numbers, those above stand for NULL.
const NULL: u8 = 250;

fn known(kind: Kind, number: u8) -> Option<Id<'static>> {
    (number < NULL).then(|| id(kind, number))
}

impl Given {
    fn response(self, tables: &Tables) -> Option<Row<'static>> {
        let Given::Response {
            numbers: [student, item, assessment],
            score,
            most,
            at,
        } = self
        else {
            return None;
        };
        Some(Row {
            student: known(tables.students, student),
            item: known(tables.items, item),
            assessment: known(tables.assessments, assessment),
            score: score.map(Amount::value),
            max_score: match most {
                Most::Share => MaxScore::Share,
                Most::Unknown => MaxScore::Points(None),
                Most::Unbounded => MaxScore::Points(Some(f64::INFINITY)),
                Most::Points(points) => MaxScore::Points(Some(points.value())),
            },
            taken_at: at.map(Time::at),
        })
    }

    fn enrolment(self, tables: &Tables) -> Option<Enrolment<'static>> {
        let Given::Enrolment {
            numbers: [student, group],
            from,
            to,
        } = self
        else {
            return None;
        };
        Some(Enrolment {
            student: known(tables.students, student),
            group: known(tables.groups, group),
            from: from.map(Time::at),
            to: to.map(Time::at),
        })
    }
}

fn build<'a>(tables: &Tables, rows: impl IntoIterator<Item = &'a Given>) -> Vec<u8> {
    let mut builder = Builder::new();
    for given in rows {
        if let Some(row) = given.response(tables) {
            builder.push(tables.clock(), row).expect("ids of one type");
        } else if let Some(row) = given.enrolment(tables) {
            builder.enrol(tables.clock(), row).expect("ids of one type");
        }
    }
    builder.encode(&go).expect("a small gradebook")
}

/// A usable response as the rules have it, written anew.
fn usable(row: &Row<'_>) -> Option<Response> {
    let ids = [row.student?, row.item?, row.assessment?];
    let [student, item, assessment] = ids.map(|id| typed(&id));
    let at = row
        .taken_at
        .filter(|at| (MIN_TIME..=MAX_TIME).contains(at))?;
    let score = row.score.filter(|score| score.is_finite())?;
    let most = match row.max_score {
        MaxScore::Share => 1.0,
        MaxScore::Points(points) => points.filter(|points| *points > 0.0)?,
    };
    if score < 0.0 || score > most * (1.0 + 1e-9) {
        return None;
    }
    let score = match most == f64::INFINITY {
        true => bits(score + 0.0, true),
        false => bits((score / most).min(1.0) + 0.0, false),
    };
    Some((student, item, assessment, at, score))
}

/// What is to be found of rows, by definition.
fn expected(tables: &Tables, rows: &[Given]) -> Contents {
    let responses: Vec<Row<'_>> = rows.iter().filter_map(|row| row.response(tables)).collect();
    let enrolments: Vec<Enrolment<'_>> = rows
        .iter()
        .filter_map(|row| row.enrolment(tables))
        .collect();
    let stays: Vec<Option<Stay>> = enrolments.iter().map(stay).collect();
    let enrolled = stays.iter().flatten().map(|stay| stay.0.clone());
    let answered = responses
        .iter()
        .filter_map(|row| Some(typed(&row.student?)));
    let mut students: Vec<String> = answered.chain(enrolled).collect();
    let mut periods: Vec<Stay> = stays.iter().flatten().cloned().collect();
    let mut found: Vec<Response> = responses.iter().filter_map(usable).collect();
    let excluded = (responses.len() - found.len()) as u64;
    found.sort_unstable();
    periods.sort_unstable();
    periods.dedup();
    students.sort_unstable();
    students.dedup();
    Contents {
        responses: found,
        students,
        excluded,
        periods,
        unusable: stays.iter().filter(|stay| stay.is_none()).count() as u64,
    }
}

/// A row of a roster as the rules have it; none where it is unusable.
fn stay(row: &Enrolment<'_>) -> Option<Stay> {
    let from = row.from.map_or(MIN_TIME, |at| at.max(MIN_TIME));
    let to = row.to.map_or(MAX_TIME, |at| at.min(MAX_TIME));
    if from > to {
        return None;
    }
    let is_time = |at: &i64| (MIN_TIME..=MAX_TIME).contains(at);
    Some((
        typed(&row.student?),
        row.group.map(|group| typed(&group)),
        row.from.filter(is_time).unwrap_or(Period::OPEN_FROM),
        row.to.filter(is_time).unwrap_or(Period::OPEN_TO),
    ))
}

/// What is written of rows is what they say, in any order and in any parts.
fn from_rows(from: &mut Unstructured<'_>) -> Option<Vec<u8>> {
    let tables = Tables::arbitrary(from).ok()?;
    let parts = usize::from(u8::arbitrary(from).ok()? % 4) + 1;
    let rows: Vec<Given> = Vec::arbitrary(from).ok()?;
    let bytes = build(&tables, &rows);
    let book = check(&bytes).expect("what was written can be read");
    let mut found = Contents::of(&book);
    // By their type and not by how they are printed.
    found.students.sort_unstable();
    assert_eq!(found, expected(&tables, &rows));
    assert_eq!(build(&tables, rows.iter().rev()), bytes, "in any order");
    written_forms_agree(&bytes);

    let mut whole = Builder::new();
    for part in (0..parts).rev() {
        let part = build(&tables, rows.iter().skip(part).step_by(parts));
        let part = check(&part).expect("a part");
        whole.merge(&part, &go).expect("ids of one type");
    }
    assert_eq!(whole.encode(&go).as_ref(), Ok(&bytes), "in {parts} parts");

    if !book.items().is_empty() {
        without_the_first_item(&book, &found);
    }
    Some(bytes)
}

/// A few bytes of the flat form are others than they should be.
fn from_spoiled_rows(from: &mut Unstructured<'_>) -> Option<Vec<u8>> {
    let tables = Tables::arbitrary(from).ok()?;
    let edits: [(u16, u8); 3] = Arbitrary::arbitrary(from).ok()?;
    let rows: Vec<Given> = Vec::arbitrary(from).ok()?;
    let mut bytes = build(&tables, &rows);
    for (at, byte) in edits {
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= byte;
    }
    from_bytes(&bytes)
}

/// Leaving an item out takes its responses away, and nothing else.
fn without_the_first_item(book: &Gradebook<'_>, whole: &Contents) {
    let mut builder = Builder::new();
    builder
        .merge_without(book, &[0], &go)
        .expect("one gradebook");
    let rest = builder.encode(&go).expect("a smaller one");
    let rest = Contents::of(&check(&rest).expect("what was written can be read"));
    let item = typed(&book.items().get(0));
    let kept: Vec<&Response> = whole.responses.iter().filter(|own| own.1 != item).collect();
    assert!(rest.responses.iter().eq(kept));
    assert_eq!(rest.excluded, whole.excluded);
    assert_eq!(rest.periods, whole.periods);
    assert_eq!(rest.students.len(), whole.students.len());
}

/// Whatever is in a gradebook, the solvers answer, and their answers are sound.
fn solves(bytes: &[u8]) {
    let book = Gradebook::open(bytes).expect("a gradebook");
    let options = Options::default();
    Solved::of(bytes, &options).assert_sound(&options);
    let missing = solve::missing_work(&book, &options, &go).expect("checked rows");
    missing.for_each(drop);
}
