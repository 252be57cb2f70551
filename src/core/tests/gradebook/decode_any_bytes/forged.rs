//! Numbers that nobody would write.

use cpu_time::ThreadTime;
use pg_assess_core::gradebook::{Builder, Error, Exclusion, Gradebook, put_varint};
use pg_assess_core::time::{Clock, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{OwnRow, check, go, row};

use super::survives;

/// How many numbers `forged` writes.
const NUMBERS: usize = 58;
/// The places of some of them.
const BY_ITEM: usize = 9;
const LOST_AT: usize = 17;
const PERIODS: usize = 23;
const EARLIEST: usize = 33;
const MARKS: usize = 37;
const FIRST_SITTING: usize = 42;
const SECOND_SITTING: usize = 49;

/// Three responses in the flat form, number by number; those given by place are another than the
/// honest one.
fn forged(lies: &[(usize, u64)]) -> Vec<u8> {
    let mut place = 0;
    let mut put = |out: &mut Vec<u8>, honest: &[u64]| {
        for &honest in honest {
            let lie = lies.iter().find(|(at, _)| *at == place);
            put_varint(out, lie.map_or(honest, |(_, lie)| *lie));
            place += 1;
        }
    };
    let mut out = vec![2, 14];
    out.push(1);
    put(&mut out, &[1, 14]); // Students.
    out.push(2);
    put(&mut out, &[1]); // Items.
    out.extend([7; 16]);
    out.push(3);
    put(&mut out, &[1, 2]); // Assessments.
    out.extend(b"a1");
    put(&mut out, &[0, 0, 0, 0]); // Rows left out without an item, and by item.
    put(&mut out, &[1, 0, 0, 0, 0, 2]);
    put(&mut out, &[1, 0, 10]); // Students of such.
    out.push(1);
    put(&mut out, &[2, 6, 2]); // Groups, unusable rows, periods.
    put(&mut out, &[1, 3]);
    put(&mut out, &[0, 2, 2000]); // Student, group and which ends are given, these ends.
    put(&mut out, &[0, 1 << 2 | 3, 2000, 4000]);
    put(&mut out, &[0, 2 << 2 | 1, 4000]);
    put(&mut out, &[2000, 1_000_000, 0]); // The earliest time, the unit, the assessment's first.
    put(&mut out, &[1]); // Scales.
    out.extend(0.0_f64.to_le_bytes());
    out.extend(1.0_f64.to_le_bytes());
    put(&mut out, &[2, 0]); // Marks: a full one, and one without a score.
    out.extend(1.0_f64.to_le_bytes());
    put(&mut out, &[1]);
    put(&mut out, &[3]); // Responses.
    out.extend([0; 4]);
    put(&mut out, &[2]); // Sittings: assessment, time, attempt, first item, responses.
    put(&mut out, &[0, 0, 1, 2, 0, 1]);
    out.push(0);
    put(&mut out, &[7]); // Position.
    put(&mut out, &[0, 2, 1, 4, 0, 2, 0]);
    out.extend([1, 0]);
    put(&mut out, &[3, 2]);
    assert_eq!(place, NUMBERS);
    out
}

fn refused(lies: &[(usize, u64)]) -> Option<Error> {
    check(&forged(lies)).err()
}

#[test]
fn forged_numbers_are_refused_or_valid_at_no_cost() {
    assert!(survives(&forged(&[]), true));
    let lies = [
        0,
        1,
        2,
        127,
        1 << 20,
        1 << 28,
        (1 << 31) - 1,
        (1 << 32) - 1,
        1 << 32,
        1 << 40,
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ];
    let start = ThreadTime::now();
    for first in 0..NUMBERS {
        for lie in lies {
            survives(&forged(&[(first, lie)]), true);
            for second in first + 1..NUMBERS {
                for other in lies {
                    survives(&forged(&[(first, lie), (second, other)]), false);
                }
            }
        }
    }
    // 280,000 gradebooks of some 150 bytes; zeroing one table of 2^28 takes longer.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

/// What is wrong with the honest bytes once their last piece that is `from` has become `to`.
fn spoilt(from: &[u8], to: &[u8]) -> Option<Error> {
    let mut bytes = forged(&[]);
    let at = bytes.windows(from.len()).rposition(|piece| piece == from);
    let at = at.expect("what is to be replaced");
    bytes.splice(at..at + from.len(), to.iter().copied());
    survives(&bytes, false);
    check(&bytes).err()
}

#[test]
fn forged_marks_are_refused() {
    let one = 1.0_f64.to_le_bytes();
    for score in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let not_finite = Some(Error::Malformed("a score is not finite"));
        assert_eq!(spoilt(&one, &score.to_le_bytes()), not_finite, "{score}");
    }
    assert_eq!(spoilt(&one, &1e300_f64.to_le_bytes()), None);

    let scale = |min: f64, max: f64| [min.to_le_bytes(), max.to_le_bytes()].concat();
    let (share, infinity) = (scale(0.0, 1.0), f64::INFINITY);
    for (min, max) in [
        (1.0, 1.0),
        (1.0, 0.0),
        (0.0, -0.0),
        (f64::NAN, 1.0),
        (f64::NAN, f64::NAN),
        (-infinity, 1.0),
        (-infinity, f64::NAN),
        (-infinity, -infinity),
        (infinity, infinity),
        (infinity, f64::NAN),
    ] {
        let no_scale = Some(Error::Malformed("a scale cannot be"));
        assert_eq!(spoilt(&share, &scale(min, max)), no_scale, "{min} {max}");
    }
    for (min, max) in [(-infinity, infinity), (-1e308, 1e308), (3.0, f64::NAN)] {
        assert_eq!(spoilt(&share, &scale(min, max)), None, "{min} {max}");
    }
    let two = |first: [f64; 2], second: [f64; 2]| {
        let scales = [first, second].map(|[min, max]| scale(min, max));
        spoilt(
            &[&[1][..], &share].concat(),
            &[&[2][..], &scales.concat()].concat(),
        )
    };
    let order = Some(Error::Malformed("the list of scales is not in order"));
    assert_eq!(two([0.0, 1.0], [0.0, 1.0]), order);
    assert_eq!(two([0.0, 1.0], [-0.0, 1.0]), order);
    assert_eq!(two([0.5, 1.0], [0.0, 1.0]), order);
    assert_eq!(two([0.0, 2.0], [0.0, 1.0]), order);
    assert_eq!(two([0.0, f64::NAN], [0.0, -f64::NAN]), order);
    assert_eq!(two([0.0, f64::NAN], [0.0, f64::INFINITY]), order);
    assert_eq!(two([0.0, f64::INFINITY], [0.0, f64::NAN]), None);

    for (lie, reason) in [
        ((MARKS + 1, 5), "the state of a mark is unknown"),
        ((MARKS + 1, 8), "a scale is not in the list"),
        ((MARKS + 1, u64::MAX), "a scale is not in the list"),
        ((MARKS, 70_000), "a count exceeds the bytes that follow"),
    ] {
        assert_eq!(refused(&[lie]), Some(Error::Malformed(reason)), "{lie:?}");
    }
    let order = Some(Error::Malformed("the list of marks is not in order"));
    let full = [&[0][..], &one].concat();
    let listed = |marks: &[&[u8]]| spoilt(&[&full[..], &[1]].concat(), &marks.concat());
    assert_eq!(listed(&[&full, &full]), order);
    assert_eq!(listed(&[&[1], &full]), order);
    let zeros = [[0; 9], [0, 0, 0, 0, 0, 0, 0, 0, 0x80]];
    assert_eq!(listed(&[&zeros[0], &zeros[1]]), order);
    assert_eq!(listed(&[&[1], &[4]]), None);
    // The last sitting has the marks 1 and 0.
    let unlisted = Some(Error::Malformed("a mark is not in the list"));
    assert_eq!(spoilt(&[1, 0, 3, 2], &[2, 0, 3, 2]), unlisted);
}

#[test]
fn forged_sittings_are_refused() {
    let out_of_range = Some(Error::Malformed("a time is out of range"));
    // The second sitting comes two seconds after the first, which came at a millisecond.
    let last = (MAX_TIME - 1000) as u64 / 1_000_000;
    for seconds in [last + 1, u64::MAX >> 2, u64::MAX] {
        let lie = (SECOND_SITTING + 1, seconds);
        assert_eq!(refused(&[lie]), out_of_range, "{seconds}");
    }
    assert_eq!(refused(&[(SECOND_SITTING + 1, last)]), None);
    let signed = |at: i64| ((at << 1) ^ (at >> 63)) as u64;
    for earliest in [MIN_TIME - 1, MAX_TIME + 1, i64::MIN, i64::MAX] {
        let lie = (EARLIEST, signed(earliest));
        assert_eq!(refused(&[lie]), out_of_range, "{earliest}");
        // Also when nobody says that there are responses.
        assert_eq!(refused(&[lie, (MARKS + 3, 0)]), out_of_range);
    }
    let order = Some(Error::Malformed("sittings are not in order"));
    let of_second = |lies: &[u64]| {
        let lies: Vec<_> = (SECOND_SITTING + 1..).zip(lies.iter().copied()).collect();
        refused(&lies)
    };
    // Time, whether the attempt is given, which.
    assert_eq!(of_second(&[0, 1, 2]), order);
    assert_eq!(of_second(&[0, 1, 1]), order);
    assert_eq!(of_second(&[0, 1, 4]), None);
    let neither = "an attempt is neither given nor left out";
    assert_eq!(of_second(&[2, 2]), Some(Error::Malformed(neither)));
    let attempt = Some(Error::Malformed("an attempt is out of range"));
    assert_eq!(of_second(&[2, 1, u64::MAX]), attempt);
    assert_eq!(of_second(&[2, 1, u64::MAX - 1]), None);
    let empty = Some(Error::Malformed("a sitting is empty"));
    assert_eq!(refused(&[(FIRST_SITTING + 5, 0)]), empty);
    for item in [1, 2, u64::MAX] {
        let item = refused(&[(FIRST_SITTING + 4, item)]);
        assert_eq!(item, Some(Error::Malformed("an item is not in the table")));
    }

    let of_position = |position: i64| refused(&[(FIRST_SITTING + 6, signed(position) + 1)]);
    for position in [i32::MIN + 1, 0, i32::MAX] {
        assert_eq!(of_position(i64::from(position)), None, "{position}");
    }
    let out_of_range = Some(Error::Malformed("a position is out of range"));
    for position in [i64::from(i32::MIN), 1 << 31, i64::MAX, i64::MIN + 1] {
        assert_eq!(of_position(position), out_of_range, "{position}");
    }
    let entry = Some(Error::Malformed("a student begins elsewhere"));
    assert_eq!(
        spoilt(&[0, 0, 0, 0, 2, 0, 0], &[1, 0, 0, 0, 2, 0, 0]),
        entry
    );
    let responses = Some(Error::Malformed("the count of responses is wrong"));
    assert_eq!(refused(&[(MARKS + 3, 2)]), responses);
}

#[test]
fn forged_rows_left_out_are_refused() {
    let no_item = Some(Error::Malformed("an item is not in the table"));
    assert_eq!(refused(&[(BY_ITEM + 1, 1)]), no_item);
    assert_eq!(refused(&[(BY_ITEM + 1, u64::MAX)]), no_item);
    let student = Some(Error::Malformed("a student is not in the table"));
    assert_eq!(refused(&[(LOST_AT - 1, 1)]), student);
    let out_of_range = Some(Error::Malformed("a time is out of range"));
    for at in [u64::MAX, u64::MAX - 1] {
        assert_eq!(refused(&[(LOST_AT, at)]), out_of_range, "{at}");
    }
}

#[test]
fn forged_rosters_are_refused() {
    assert_eq!(refused(&[]), None);
    for (lie, reason) in [
        ((PERIODS + 3, 1), "a student is not in the table"),
        ((PERIODS + 4, 3 << 2 | 3), "a group is not in the table"),
        ((PERIODS + 4, u64::MAX), "a group is not in the table"),
        ((PERIODS + 5, 4002), "a period ends before it begins"),
        ((PERIODS + 9, 1998), "periods are not in order"),
        ((PERIODS + 5, u64::MAX - 1), "a time is out of range"),
        ((PERIODS + 9, u64::MAX), "a time is out of range"),
    ] {
        assert_eq!(refused(&[lie]), Some(Error::Malformed(reason)), "{lie:?}");
    }
    // The same period twice is no set. One student, nothing left out, no groups, no unusable rows,
    // the periods, no times, no scales, no marks, no responses.
    let open = |periods: &[u8]| {
        let start = [2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        check(&[&start, periods, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]].concat()).err()
    };
    assert_eq!(open(&[1, 0, 0]), None);
    let order = Some(Error::Malformed("periods are not in order"));
    assert_eq!(open(&[2, 0, 0, 0, 0]), order);
}

#[test]
fn forged_counts_of_rows_do_not_overflow() {
    let null_id = Exclusion::NullId;
    for (place, is_of_item) in [(5, false), (BY_ITEM + 2, true)] {
        let bytes = forged(&[(place, u64::MAX), (place + 2, u64::MAX)]);
        let book = check(&bytes).expect("a gradebook with many excluded rows");
        assert_eq!(book.excluded().total(), u64::MAX);
        let mut builder = Builder::new();
        builder.merge(&book, &go).expect("the counts fit");
        let mut bad = OwnRow {
            item: None,
            ..row(7, 1, 1, 1.0, 0.0)
        };
        if is_of_item {
            bad.item = Some(pg_assess_test_support::OwnId::Uuid(
                0x0707 * (u128::MAX / 0xffff),
            ));
            bad.assessment = None;
        }
        builder
            .push(Clock::Calendar, bad.row())
            .expect("a bad row stops nothing");
        let bytes = builder.encode(&go).expect("small");
        let again = Gradebook::open(&bytes).expect("a gradebook");
        assert_eq!(again.items().len(), 1);
        assert_eq!(again.excluded().count(null_id), u64::MAX);
        assert!(matches!(
            builder.merge(&book, &go),
            Err(Error::TooLarge { .. })
        ));
    }
}

#[test]
fn newer_versions_and_unknown_parts_are_distinguished_from_damage() {
    let with = |version, flags| {
        let mut bytes = forged(&[]);
        (bytes[0], bytes[1]) = (version, flags);
        check(&bytes).err()
    };
    assert_eq!(with(3, 14), Some(Error::Newer(3)));
    assert_eq!(with(1, 14), Some(Error::Older(1)));
    assert!(matches!(with(0, 14), Some(Error::Malformed(_))));
    for flag in 5..8 {
        assert_eq!(with(2, 14 | 1 << flag), Some(Error::Newer(2)));
    }
}
