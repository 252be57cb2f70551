//! Other bytes that say the same come in as we write them.

use pg_assess_core::gradebook::{Builder, Gradebook, MaxScore};
use pg_assess_core::time::Clock;
use pg_assess_test_support::{OwnId, OwnRow, check, go, gradebook, merge, row};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The parts of a gradebook.
#[derive(Clone)]
struct Parts {
    flags: u8,
    students: Vec<u8>,
    items: Vec<u8>,
    assessments: Vec<u8>,
    /// Rows left out, the students of such, and the roster.
    excluded: Vec<u8>,
    times: Vec<u8>,
    scales: Vec<u8>,
    marks: Vec<u8>,
    responses: u8,
    rows: Vec<u8>,
}

impl Parts {
    /// Student 3, item 5, assessment 7, one full score at the time 0.
    fn one() -> Self {
        Self {
            flags: 0,
            students: vec![1, 1, 6],
            items: vec![1, 1, 10],
            assessments: vec![1, 1, 14],
            excluded: vec![0, 0, 0, 0, 0, 0],
            times: vec![0, 1, 0],
            scales: numbers(&[1], &[0.0, 1.0]),
            marks: numbers(&[1, 0], &[1.0]),
            responses: 1,
            rows: vec![1, 0, 0, 0, 1, 0],
        }
    }

    /// The same without anything.
    fn none() -> Self {
        Self {
            students: vec![0],
            items: vec![0],
            assessments: vec![0],
            times: vec![0, 1],
            scales: vec![0],
            marks: vec![0],
            responses: 0,
            rows: vec![],
            ..Self::one()
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let entries: &[u8] = if self.students == [0] { &[] } else { &[0; 4] };
        [
            &[2, self.flags][..],
            &self.students,
            &self.items,
            &self.assessments,
            &self.excluded,
            &self.times,
            &self.scales,
            &self.marks,
            &[self.responses],
            entries,
            &self.rows,
        ]
        .concat()
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut parts = self.clone();
        change(&mut parts);
        parts.bytes()
    }
}

/// Some bytes, then some numbers.
fn numbers(before: &[u8], numbers: &[f64]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
    before.iter().copied().chain(numbers).collect()
}

#[track_caller]
fn assert_comes_in_as(bytes: &[u8], ours: &[u8], what: &str) {
    check(bytes).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let canonical = Gradebook::canonical(bytes, &go);
    assert_eq!(canonical.as_deref(), Ok(ours), "{what}");
    assert_eq!(merge([&ours.to_vec()]), ours, "{what}: as we write it");
}

#[track_caller]
fn assert_come_in_as(others: &[(&str, Vec<u8>)], ours: &[u8]) {
    for (what, bytes) in others {
        assert_comes_in_as(bytes, ours, what);
        let responses = check(bytes).map(|book| book.responses());
        assert_eq!(responses, Ok(1), "{what}");
    }
}

#[test]
fn one_response() {
    let parts = Parts::one();
    let ours = parts.bytes();
    assert_comes_in_as(&ours, &ours, "ours");
    let one = 1.0_f64.to_le_bytes();
    let others = [
        ("another unit", parts.with(|own| own.times = vec![0, 9, 0])),
        ("no unit", parts.with(|own| own.times = vec![0, 0, 7])),
        (
            "an earlier beginning",
            parts.with(|own| own.times = vec![19, 1, 10]),
        ),
        (
            "an assessment that begins earlier",
            parts.with(|own| {
                own.times = vec![19, 1, 4];
                own.rows[2] = 6;
            }),
        ),
        (
            "an unused mark",
            parts.with(|own| {
                own.marks = [&numbers(&[2, 0], &[0.5])[..], &numbers(&[0], &[1.0])].concat();
                own.rows[5] = 1;
            }),
        ),
        (
            "an unused mark without a score",
            parts.with(|own| own.marks = [&[2, 0][..], &one, &[4]].concat()),
        ),
        (
            "marks one by one",
            parts.with(|own| {
                own.marks = vec![0];
                own.rows = numbers(&[1, 0, 0, 0, 1, 0], &[1.0]);
            }),
        ),
        (
            "an unused scale before it",
            parts.with(|own| {
                own.scales = numbers(&[2], &[-1.0, 1.0, 0.0, 1.0]);
                own.marks[1] = 8;
            }),
        ),
        (
            "an unused scale after it",
            parts.with(|own| own.scales = numbers(&[2], &[0.0, 1.0, 0.0, f64::NAN])),
        ),
        (
            "a minimum of minus zero",
            parts.with(|own| own.scales = numbers(&[1], &[-0.0, 1.0])),
        ),
    ];
    assert_come_in_as(&others, &ours);
}

#[test]
fn one_response_and_what_nothing_refers_to() {
    let parts = Parts::one();
    let others = [
        (
            "an unused item",
            parts.with(|own| own.items = vec![1, 2, 10, 2]),
        ),
        (
            "an unused item before it",
            parts.with(|own| {
                own.items = vec![1, 2, 8, 2];
                own.rows[3] = 2;
            }),
        ),
        (
            "an item that lost no row after all",
            parts.with(|own| {
                own.items = vec![1, 2, 10, 2];
                own.excluded = vec![0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            }),
        ),
        (
            "an unused assessment",
            parts.with(|own| {
                own.assessments = vec![1, 2, 14, 2];
                own.times.push(99);
            }),
        ),
        (
            "a number at length",
            parts.with(|own| own.students = vec![1, 0x81, 0, 6]),
        ),
        (
            "an unused group",
            parts.with(|own| {
                own.flags = 2;
                own.excluded.extend([1, 1, 8, 0, 0]);
            }),
        ),
        (
            "attempts, of which there are none",
            parts.with(|own| {
                own.flags = 4;
                own.rows = vec![1, 0, 0, 0, 0, 1, 0];
            }),
        ),
        (
            "positions, of which there are none",
            parts.with(|own| {
                own.flags = 8;
                own.rows.push(0);
            }),
        ),
    ];
    assert_come_in_as(&others, &parts.bytes());
}

#[test]
fn a_maximum_that_nobody_knows() {
    let unknown = |bits: u64| {
        let mut parts = Parts::one();
        parts.scales = numbers(&[1], &[0.0, f64::from_bits(bits)]);
        parts.bytes()
    };
    let ours = unknown(0x7ff8 << 48);
    for bits in [0x7ff8_0000_0000_0001, 0x7ff0_0000_0000_0001, u64::MAX] {
        assert_comes_in_as(&unknown(bits), &ours, &format!("{bits:x}"));
    }
}

#[test]
fn a_score_of_minus_zero() {
    let scored = |score| Parts::one().with(|own| own.marks = numbers(&[1, 0], &[score]));
    assert_comes_in_as(&scored(-0.0), &scored(0.0), "a score of minus zero");
}

/// The clock is that of the times; without one there is none.
#[test]
fn absolute_times_of_which_there_are_none() {
    let parts = Parts::none();
    let ours = parts.bytes();
    assert_comes_in_as(&ours, &ours, "nothing");
    let absolute = parts.with(|own| own.flags = 1);
    assert_comes_in_as(&absolute, &ours, "absolute times");
    let earliest = parts.with(|own| own.times = vec![20, 7]);
    assert_comes_in_as(&earliest, &ours, "an earliest time");
    // A period without ends says no time either.
    let roster = |flags| {
        parts.with(|own| {
            own.flags = flags;
            own.students = vec![1, 1, 6];
            own.excluded.extend([0, 0, 1, 0, 0]);
            own.rows = vec![0];
        })
    };
    assert_comes_in_as(&roster(3), &roster(2), "a roster without ends");
}

/// Nor have those a clock whose responses were all left out: they go with either.
#[test]
fn what_is_left_out_leaves_no_clock() {
    let of_clock = |clock| {
        let mut builder = Builder::new();
        let row = row(1, 1, 1, 1.0, 0.0);
        builder.push(clock, row.row()).expect("one row");
        builder.encode(&go).expect("a small gradebook")
    };
    let books = [Clock::Absolute, Clock::Calendar].map(of_clock);
    let [absolute, calendar] = &books;
    let book = |bytes| check(bytes).expect("a gradebook");
    let nothing_of = |bytes| {
        let mut builder = Builder::new();
        let left = builder.merge_without(&book(bytes), &[0], &go);
        left.expect("one gradebook");
        builder
    };
    let encode = |builder: Builder| builder.encode(&go).expect("a small gradebook");
    assert_eq!(encode(nothing_of(absolute)), encode(nothing_of(calendar)));
    for bytes in &books {
        let mut builder = nothing_of(absolute);
        builder.merge(&book(bytes), &go).expect("of either clock");
        assert_eq!(&encode(builder), bytes);
    }
}

/// Items and students that lost rows stay, though no row of theirs is kept.
#[test]
fn who_lost_rows_stays() {
    let lost = |items: Vec<u8>| {
        Parts::one().with(|own| {
            own.students = vec![1, 2, 6, 2];
            own.items = items;
            // Of the second item a row with a bad scale, of the second student.
            own.excluded = vec![0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0];
            own.rows.push(0);
        })
    };
    let ours = lost(vec![1, 2, 10, 2]);
    assert_comes_in_as(&ours, &ours, "an item with a lost row");
    assert_comes_in_as(&lost(vec![1, 3, 10, 2, 2]), &ours, "and one without");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Neither of its scales and marks, nor of its times, assessments, attempts and positions.
    #[test]
    fn an_item_that_is_left_out_leaves_no_trace(
        rows in prop::collection::vec(
            ((0..3i64, 0..3i64, 0..3i64), -1..3i8, -2..2i8, 0..4u8, 0..9i64, any::<[bool; 4]>()),
            0..30,
        ),
    ) {
        let rows = rows.into_iter().map(|((student, item, test), score, min, max, day, given)| {
            let max = [None, Some(2.0), Some(4.0), Some(f64::INFINITY)][usize::from(max)];
            OwnRow {
                score: given[0].then_some(f64::from(score)),
                min_score: given[1].then_some(f64::from(min)),
                max_score: MaxScore::Points(max),
                attempt: given[2].then_some(day % 2),
                position: given[3].then_some(item as i32),
                ..row(student, item, test, 0.0, day as f64 / 3.0)
            }
        });
        // Students stay, so each has a row of another item.
        let others = (0..3).map(|student| row(student, 9, 9, 1.0, 1.0));
        let rows: Vec<OwnRow> = rows.chain(others).collect();
        let rest = rows.iter().filter(|row| row.item != Some(OwnId::Integer(1)));
        let bytes = gradebook(&rows);
        let book = check(&bytes).expect("a gradebook");
        let mut builder = Builder::new();
        let without: Vec<u32> = book.items().find("1").into_iter().collect();
        builder.merge_without(&book, &without, &go).expect("one gradebook");
        prop_assert_eq!(builder.encode(&go), Ok(gradebook(rest)));
    }
}
