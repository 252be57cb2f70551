//! Gradebooks from bytes, from texts and from rows.
//!
//! The first byte chooses: its last two bits what the others are, the third whether the gradebook
//! is solved as well, which is slow. Rows may be spoiled in their flat form: chance alone seldom
//! gets past its tables.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pg_assess_core::gradebook::Error;
use pg_assess_core::gradebook::{
    Builder, Counts, Enrolment, Exclusion, Gradebook, Id, Mark, MaxScore, Period, Row, Sitting,
    Standing, State,
};
use pg_assess_core::options::Options;
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::solve;
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

/// Bits of the minimum, of the maximum where it is known, the state, and bits of the score.
type Kept = (u64, Option<u64>, State, Option<u64>);
/// Every response by its ids, in order: student, item, assessment, time, attempt, what is kept of
/// the score, position.
type Response = (String, String, String, i64, Option<i64>, Kept, Option<i32>);
/// An item that lost rows, or none, and how many for each reason.
type Lost = (Option<String>, [u64; 4]);
/// Every period by its ids: student, group and both ends.
type Stay = (String, Option<String>, i64, i64);

/// What a gradebook says, whatever its numbers.
#[derive(Debug, PartialEq)]
struct Contents {
    responses: Vec<Response>,
    students: Vec<String>,
    excluded: Vec<Lost>,
    /// Students of rows left out, and the earliest time of these.
    lost: Vec<(String, i64)>,
    periods: Vec<Stay>,
    unusable: u64,
}

impl Contents {
    fn of(book: &Gradebook<'_>) -> Self {
        let mut responses = Vec::new();
        book.visit(
            |mark| mark,
            &go,
            |sitting| {
                assert!((MIN_TIME..=MAX_TIME).contains(&sitting.taken_at));
                for (at, (&item, mark)) in sitting.items.iter().zip(sitting.marks).enumerate() {
                    responses.push((
                        typed(&book.students().get(sitting.student)),
                        typed(&book.items().get(item)),
                        typed(&book.assessments().get(sitting.assessment)),
                        sitting.taken_at,
                        sitting.attempt,
                        bits(mark),
                        sitting.position(at),
                    ));
                }
                Ok(())
            },
        )
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
        let excluded = book.excluded();
        let counts = |counts: &Counts| Exclusion::ALL.map(|reason| counts.of(reason));
        let by_item = excluded.by_item().iter();
        let by_item = by_item.map(|(at, own)| (Some(typed(&book.items().get(*at))), counts(own)));
        let lost = book.excluded_students().iter();
        Self {
            responses,
            students: (0..book.students().len() as u32).map(student).collect(),
            excluded: in_order(
                [(None, counts(excluded.without_item()))]
                    .into_iter()
                    .chain(by_item),
            ),
            lost: in_order(lost.map(|&(at, time)| (student(at), time))),
            periods,
            unusable: book.roster().unusable(),
        }
    }
}

/// An id with its type: the text 1 is not the number 1.
fn typed(id: &Id<'_>) -> String {
    format!("{id:?}")
}

fn in_order<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values
}

fn bits(mark: &Mark) -> Kept {
    let (min, max) = (mark.scale.min_score(), mark.scale.max_score());
    let score = (mark.state == State::Scored).then_some(mark.score.to_bits());
    (min.to_bits(), max.map(f64::to_bits), mark.state, score)
}

/// A sitting with all that is in it.
type OwnSitting = (u32, i64, Option<i64>, Vec<(u32, Mark, Option<i32>)>);

fn own(sitting: &Sitting<'_, Mark>) -> OwnSitting {
    let answers = sitting.items.iter().zip(sitting.marks).enumerate();
    let answers = answers.map(|(at, (&item, &mark))| (item, mark, sitting.position(at)));
    let (assessment, taken_at) = (sitting.assessment, sitting.taken_at);
    (assessment, taken_at, sitting.attempt, answers.collect())
}

/// Each student is read alone as among the others. Of bytes that are no gradebook, those whose rows
/// came before what is wrong.
fn read_alone(book: &Gradebook<'_>) {
    let mut whole = vec![Vec::new(); book.students().len()];
    let mut last = 0;
    let read = book.visit(
        |mark| mark,
        &go,
        |sitting| {
            last = sitting.student;
            whole[sitting.student as usize].push(own(&sitting));
            Ok(())
        },
    );
    let good = match read {
        Ok(()) => whole.len() as u32,
        Err(_) => last,
    };
    for (student, whole) in (0..).zip(&whole) {
        let mut alone = Vec::new();
        let read = book.visit_student(
            student,
            |mark| mark,
            &go,
            |sitting| {
                assert_eq!(sitting.student, student);
                alone.push(own(&sitting));
                Ok(())
            },
        );
        if student < good {
            assert_eq!(read, Ok(()));
            assert_eq!(&alone, whole, "student {student}");
        }
    }
}

/// Any bytes are refused, or a gradebook that can be written again.
fn from_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    read_alone(&Gradebook::open(bytes).ok()?);
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
    /// So many that reading one takes another way than reading all.
    Many,
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
        Kind::Many => Id::Integer(i64::from(number)),
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
    Quarters(i8),
    Least,
    Any(f64),
}

impl Amount {
    fn value(self) -> f64 {
        match self {
            Amount::Zero => 0.0,
            Amount::One => 1.0,
            Amount::Quarters(n) => f64::from(n) / 4.0,
            Amount::Least => f64::NEG_INFINITY,
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

/// An attempt or a position.
#[derive(Arbitrary, Clone, Copy)]
enum Place {
    Few(u8),
    Any(i64),
}

impl Place {
    fn value(self) -> i64 {
        match self {
            Place::Few(value) => i64::from(value % 4),
            Place::Any(value) => value,
        }
    }
}

/// A row of either table.
#[derive(Arbitrary, Clone, Copy)]
enum Given {
    Response {
        numbers: [u8; 3],
        score: Option<Amount>,
        least: Option<Amount>,
        most: Most,
        at: Option<Time>,
        standing: u8,
        attempt: Option<Place>,
        position: Option<Place>,
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
            least,
            most,
            at,
            standing,
            attempt,
            position,
        } = self
        else {
            return None;
        };
        Some(Row {
            student: known(tables.students, student),
            item: known(tables.items, item),
            assessment: known(tables.assessments, assessment),
            score: score.map(Amount::value),
            min_score: least.map(Amount::value),
            max_score: match most {
                Most::Share => MaxScore::Share,
                Most::Unknown => MaxScore::Points(None),
                Most::Unbounded => MaxScore::Points(Some(f64::INFINITY)),
                Most::Points(points) => MaxScore::Points(Some(points.value())),
            },
            taken_at: at.map(Time::at),
            // Most rows count as they are.
            standing: match standing {
                0..5 => Standing::ALL[usize::from(standing)],
                _ => Standing::Counts,
            },
            attempt: attempt.map(Place::value),
            position: position.map(|place| place.value() as i32),
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

/// A response that is kept as the rules have it, or the place of the reason why it is not.
fn kept(row: &Row<'_>) -> Result<Response, usize> {
    let (Some(student), Some(item), Some(assessment)) = (row.student, row.item, row.assessment)
    else {
        return Err(0);
    };
    let at = row.taken_at.ok_or(1_usize)?;
    let min = row.min_score.unwrap_or(0.0);
    let max = match row.max_score {
        MaxScore::Share => Some(1.0),
        MaxScore::Points(points) => points,
    };
    let scale = match max {
        _ if min.is_nan() || min == f64::INFINITY => None,
        None if min == f64::NEG_INFINITY => None,
        Some(max) if max.is_nan() || max <= min => None,
        Some(max) if min == f64::NEG_INFINITY && max < f64::INFINITY => None,
        max => Some((min, max)),
    };
    let (state, score) = match row.standing {
        Standing::Counts if row.score.is_none() => (State::NoScore, None),
        Standing::Counts => (State::Scored, row.score),
        // No points, as far as the scale has them.
        Standing::Zero if min > 0.0 => (State::Scored, Some(min)),
        Standing::Zero if max < Some(0.0) && max.is_some() => (State::Scored, max),
        Standing::Zero => (State::Scored, Some(0.0)),
        Standing::Waiting => (State::Waiting, None),
        Standing::NotTaken => (State::NotTaken, None),
        Standing::Exempt => (State::Exempt, None),
    };
    let (min, max) = match scale {
        None if state == State::Scored => return Err(2),
        None => (0.0, None),
        Some(scale) => scale,
    };
    if score.is_some_and(|score| !score.is_finite()) || !(MIN_TIME..=MAX_TIME).contains(&at) {
        return Err(3);
    }
    // Zeros have no sign.
    let bits = |value: f64| (value + 0.0).to_bits();
    Ok((
        typed(&student),
        typed(&item),
        typed(&assessment),
        at,
        // The least stand for none.
        row.attempt.filter(|attempt| *attempt != i64::MIN),
        (bits(min), max.map(bits), state, score.map(bits)),
        row.position.filter(|position| *position != i32::MIN),
    ))
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
    let found = in_order(responses.iter().filter_map(|row| kept(row).ok()));
    let mut excluded = BTreeMap::from([(None, [0; 4])]);
    let mut lost = BTreeMap::new();
    for row in &responses {
        let Err(reason) = kept(row) else {
            continue;
        };
        let item = row.item.map(|item| typed(&item));
        excluded.entry(item).or_insert([0; 4])[reason] += 1;
        if let Some(student) = row.student {
            let at = row.taken_at.unwrap_or(MIN_TIME).clamp(MIN_TIME, MAX_TIME);
            let earliest = lost.entry(typed(&student)).or_insert(at);
            *earliest = at.min(*earliest);
        }
    }
    periods.sort_unstable();
    periods.dedup();
    students.sort_unstable();
    students.dedup();
    Contents {
        responses: found,
        students,
        excluded: excluded.into_iter().collect(),
        lost: lost.into_iter().collect(),
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
    read_alone(&book);

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

/// Leaving an item out takes its rows away, and nothing else.
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
    let of_others = |own: &&Lost| own.0.as_ref() != Some(&item);
    assert!(
        rest.excluded
            .iter()
            .eq(whole.excluded.iter().filter(of_others))
    );
    assert_eq!(rest.lost, whole.lost);
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
