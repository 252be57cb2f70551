//! What stands in front of the rows, and how these are cut into sittings and students.

use pg_assess_core::gradebook::{Builder, Exclusion, Gradebook, Id, MaxScore};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{
    OwnEnrolment, OwnId, OwnRow, check, enrolment, go, gradebook, row, with_roster,
};

use super::{assert_golden, decode, encode, expected, golden_bytes, hex};

#[test]
fn integers_and_dates_and_right_or_wrong() {
    let mut rows = Vec::new();
    for student in [-7, 1000, 3] {
        for item in 0..5 {
            let right = f64::from(u8::from((student + item) % 2 == 0));
            rows.push(row(student, 10 * item, 1, right, 8000.0));
            if student > 0 {
                rows.push(row(
                    student,
                    2 + 10 * item,
                    i64::MAX,
                    1.0 - right,
                    8007.0 + student as f64,
                ));
            }
        }
    }
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0103 0d 14 ca0f                           # students -7, 3, 1000
        010a 00 04 10 04 10 04 10 04 10 04        # items 0, 2, 10, 12, ..., 42
        0102 02 fcffffffffffffffff01              # assessments 1, 2^63 - 1
        00000000 00   00
        8080c0a791a9ba02                          # day 8000
        80c0ddeec102                              # unit: a day
        00 0a                                     # assessment 1 begins on it, the other on 8010
        01 0000000000000000 000000000000f03f      # one scale, 0 to 1
        02 00 0000000000000000 00 000000000000f03f
        19                                        # 25 responses
        00000000
        01   00 00 00 05 02020202 00 01 00 01 00  # -7: items 0, 10, 20, 30, 40
        02   00 00 00 05 02020202 00 01 00 01 00
             01 00 0d 05 02020202 01 00 01 00 01  # first item 13 = zigzag of -7: 8 - 7 = 1
        02   00 00 00 05 02020202 01 00 01 00 01
             01 e507 0d 05 02020202 00 01 00 01 00  # 997 days after the first of assessment 2
        ",
    );
}

#[test]
fn uuids() {
    let uuid = |value: u128| Some(OwnId::Uuid(value));
    let rows = [0xff00_u128 << 112, 1, u128::MAX].map(|value| OwnRow {
        student: uuid(value),
        item: uuid(value / 3),
        assessment: uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        ..row(0, 0, 0, 0.5, 1.5)
    });
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0203 00000000000000000000000000000001
             ff000000000000000000000000000000
             ffffffffffffffffffffffffffffffff
        0203 00000000000000000000000000000000
             55000000000000000000000000000000
             55555555555555555555555555555555
        0201 0123456789abcdef0123456789abcdef
        00000000 00   00
        80c098ccc507 01 00                        # a day and a half
        01 0000000000000000 000000000000f03f
        01 00 000000000000e03f
        03
        00000000
        01   00 00 00 01 00
        01   00 00 02 01 00
        01   00 00 04 01 00
        ",
    );
}

#[test]
fn texts() {
    let text = |text: &str| Some(OwnId::Text(text.to_owned()));
    let rows = ["", "Zoë", "a", "ничто", "\u{1f393}", "a b'\"\\"].map(|name| OwnRow {
        student: text(name),
        item: text(&name.to_uppercase()),
        assessment: text("Diktat № 1"),
        max_score: MaxScore::Points(Some(4.0)),
        ..row(0, 0, 0, name.len().min(4) as f64, -10.0)
    });
    assert_golden(
        Clock::Calendar,
        &rows,
        r#"
        02 00
        0306 00                                   # by their bytes: the empty text
             04 5a6fc3ab                          # Zoë
             01 61                                # a
             06 61206227225c                      # a b'"\
             0a d0bdd0b8d187d182d0be              # ничто
             04 f09f8e93
        0306 00
             01 41
             06 41204227225c
             04 5a4fc38b
             0a d09dd098d0a7d0a2d09e
             04 f09f8e93
        0301 0c 44696b74617420e284962031
        00000000 00   00
        ffffcda6a532 01 00                        # ten days before 2000
        01 0000000000000000 0000000000001040      # 0 to 4
        03 00 0000000000000000 00 000000000000f03f 00 0000000000001040
        06
        00000000
        01   00 00 00 01 00
        01   00 00 06 01 02
        01   00 00 02 01 01
        01   00 00 04 01 02
        01   00 00 08 01 02
        01   00 00 0a 01 02
        "#,
    );
}

#[test]
fn absolute_times_to_the_microsecond() {
    let mut rows = vec![row(1, 1, 1, 0.25, 0.0); 4];
    for (row, at) in rows
        .iter_mut()
        .zip([MIN_TIME, -1, 1_234_567_890_123_456, MAX_TIME])
    {
        row.taken_at = Some(at);
    }
    assert_golden(
        Clock::Absolute,
        &rows,
        "
        02 01                                     # bit 0: absolute times
        0101 02   0101 02   0101 02
        00000000 00   00
        ffff82eed7cfc1f005 01 00                  # the earliest time that Postgres knows
        01 0000000000000000 000000000000f03f
        01 00 000000000000d03f
        04
        00000000
        04   00 00 00 01 00                       # each so many microseconds after the first
             00 ffbf81f7ebe7a0f802 00 01 00
             00 c0b5acdbbfc2b9fa02 00 01 00
             00 ffffcb94a7d3a0f88201 00 01 00
        ",
    );
}

#[test]
fn the_same_answer_twice_and_again_later() {
    let rows = [
        row(1, 1, 1, 0.5, 3.0),
        row(1, 1, 1, 0.5, 3.0),
        row(1, 1, 1, 1.0, 3.0),
        row(1, 2, 1, 0.0, 3.0),
        row(1, 1, 1, 0.5, 6.0),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0101 02   0102 0202   0101 02
        00000000 00   00
        8080b1988b0f 80c098ccc507 00              # day 3, unit: three days
        01 0000000000000000 000000000000f03f
        03 00 0000000000000000 00 000000000000e03f 00 000000000000f03f
        05
        00000000
        02   00 00 00 04 000001 01 01 02 00       # item 1 three times, then item 2
             00 01 01 01 01                       # the difference to item 2: -1
        ",
    );
}

/// One row that can be read, and every other kind.
fn rows_of_no_use() -> [OwnRow; 12] {
    let at_item = |student, item, day| row(student, item, 1, 1.0, day);
    let good = at_item(1, 1, 30.0);
    let points = |max| MaxScore::Points(Some(max));
    let scored = |score, day| OwnRow {
        score: Some(score),
        ..at_item(4, 1, day)
    };
    [
        good.clone(),
        OwnRow {
            item: None,
            ..at_item(2, 1, 30.0)
        },
        OwnRow {
            student: None,
            ..good.clone()
        },
        OwnRow {
            taken_at: None,
            ..at_item(3, 1, 30.0)
        },
        scored(f64::NAN, 31.0),
        scored(f64::INFINITY, 29.0),
        OwnRow {
            max_score: points(0.0),
            ..at_item(5, 1, 30.0)
        },
        OwnRow {
            taken_at: Some(i64::MAX),
            ..at_item(6, 1, 30.0)
        },
        OwnRow {
            assessment: None,
            ..at_item(1, 9, 30.0)
        },
        OwnRow {
            min_score: Some(1.0),
            ..at_item(7, 4, 30.0)
        },
        OwnRow {
            max_score: points(f64::NAN),
            ..at_item(7, 4, 28.0)
        },
        OwnRow {
            student: None,
            item: None,
            ..good
        },
    ]
}

#[test]
fn rows_that_no_reading_can_use() {
    let rows = rows_of_no_use();
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0107 02020202020202                       # students 1 to 7
        0103 02 06 0a                             # items 1, 4, 9
        0101 02
        02000000                                  # without an item: null_id twice
        03                                        # by item: null_id, null_date, bad_scale, not_finite
           00 01010103                            # item 1
           00 00000200                            # item 4
           00 01000000                            # item 9
        07                                        # students, and when first
           00 8080eaf3ef9601                      # day 30
           00 8080eaf3ef9601
           00 ffff82eed7cfc1f005                  # without a time: the earliest there is
           00 8080af96ec9101                      # day 29
           00 8080eaf3ef9601
           00 feff94bbf6d6ffffff01                # infinity: the last time there is
           00 8080f4b8e88c01                      # day 28
        8080eaf3ef9601 01 00
        01 0000000000000000 000000000000f03f
        01 00 000000000000f03f
        01
        00000000
        01   00 00 00 01 00
        00 00 00 00 00 00
        ",
    );
    let bytes = encode(Clock::Calendar, &rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let excluded = book.excluded();
    let counts = Exclusion::ALL.map(|reason| excluded.count(reason));
    assert_eq!(counts, [4, 1, 3, 3]);
    assert_eq!(excluded.total(), 11);
    let without_item = Exclusion::ALL.map(|reason| excluded.without_item().of(reason));
    assert_eq!(without_item, [2, 0, 0, 0]);
    let by_item: Vec<_> = excluded
        .by_item()
        .iter()
        .map(|(at, counts)| {
            let counts = Exclusion::ALL.map(|reason| counts.of(reason));
            (book.items().get(*at), counts)
        })
        .collect();
    assert_eq!(
        by_item,
        [
            (Id::Integer(1), [1, 1, 1, 3]),
            (Id::Integer(4), [0, 0, 2, 0]),
            (Id::Integer(9), [1, 0, 0, 0]),
        ]
    );
    let students: Vec<(Id, i64)> = book
        .excluded_students()
        .iter()
        .map(|&(at, time)| (book.students().get(at), time))
        .collect();
    let day = |day: i64| day * DAY;
    assert_eq!(
        students,
        [
            (Id::Integer(1), day(30)),
            (Id::Integer(2), day(30)),
            (Id::Integer(3), MIN_TIME),
            (Id::Integer(4), day(29)),
            (Id::Integer(5), day(30)),
            (Id::Integer(6), MAX_TIME),
            (Id::Integer(7), day(28)),
        ]
    );
}

/// With bit 1 of the flags, a roster follows the students of excluded rows, with its groups, one
/// unusable row and ten periods. Those of classes that begin and end together take three or four
/// bytes each.
#[test]
fn a_roster() {
    let mut roster: Vec<OwnEnrolment> = (1..=4)
        .flat_map(|student| {
            [
                enrolment(student, Some(70), 8000, 8100),
                enrolment(student, Some(71), 8101, None),
            ]
        })
        .collect();
    roster.push(enrolment(2, None, None, None));
    roster.push(enrolment(9, Some(-1), None, -1));
    roster.push(enrolment(9, Some(8), 2, 1));
    roster.push(roster[0].clone());
    let rows = [row(1, 1, 1, 1.0, 8000.0), row(3, 1, 1, 0.0, 8001.0)];
    let bytes = golden_bytes(
        "
        02 02
        0105 02 02 02 02 0a   0101 02   0101 02
        00000000 00   00
        0103 01 8e01 02                           # groups -1, 70, 71
        01 0a                                     # one row of no use, ten periods:
           00 0b 8080c0a791a9ba02 feff86878aa5be02
           00 0d 808087878aa5be02
           01 00                                  # student 2, no group, both ends open
           00 0b 00 00
           00 0d 00
           01 0b 00 00
           00 0d 00
           01 0b 00 00
           00 0d 00
           01 06 01                               # until day -1, the last microsecond
        8080c0a791a9ba02 80c0ddeec102 00
        01 0000000000000000 000000000000f03f
        02 00 0000000000000000 00 000000000000f03f
        02
        00000000
        01   00 00 00 01 01
        00
        01   00 01 00 01 00
        00 00
        ",
    );
    assert_eq!(hex(&with_roster(&rows, &roster)), hex(&bytes));
    assert_eq!(decode(&bytes), expected(&rows));
    let book = check(&bytes).expect("a gradebook");
    let own = &book.roster();
    let group = |at: u32| own.groups().get(at);
    assert_eq!([0, 1, 2].map(group), [-1, 70, 71].map(Id::Integer));
    assert_eq!(own.unusable(), 1);
    let day = |day: i64| day * DAY;
    let read: Vec<_> = own
        .periods()
        .iter()
        .map(|period| (period.student, period.from, period.to, period.group))
        .collect();
    let both = |student| {
        [
            (student, day(8000), day(8101) - 1, Some(1)),
            (student, day(8101), i64::MAX, Some(2)),
        ]
    };
    let mut periods: Vec<_> = [0, 1, 2, 3].into_iter().flat_map(both).collect();
    periods.insert(2, (1, i64::MIN, i64::MAX, None));
    periods.push((4, i64::MIN, -1, Some(0)));
    assert_eq!(read, periods);
}

/// Each student takes six bytes here, so every 64 begin 384 bytes after those before.
#[test]
fn entries_of_students() {
    const ENTRIES: [&str; 3] = ["00000000", "80010000", "00030000"];
    for (students, entries) in [
        (1, 1),
        (63, 1),
        (64, 1),
        (65, 2),
        (128, 2),
        (129, 3),
        (130, 3),
    ] {
        let rows: Vec<OwnRow> = (0..students).map(|n| row(n, 1, 1, 1.0, 0.0)).collect();
        let count = match students {
            0..128 => format!("{students:02x}"),
            _ => format!("{:02x}01", students),
        };
        let golden = format!(
            "
            02 00
            01{count} 00 {ids}   0101 02   0101 02
            00000000 00   00
            00 01 00
            01 0000000000000000 000000000000f03f
            01 00 000000000000f03f
            {count}
            {entries}
            {rows}
            ",
            ids = "02".repeat(students as usize - 1),
            entries = ENTRIES[..entries].concat(),
            rows = "01 00 00 00 01 00".repeat(students as usize),
        );
        assert_golden(Clock::Calendar, &rows, &golden);
    }
}

/// A student without a response takes a byte, also the first and the last of an entry.
#[test]
fn entries_of_students_without_responses() {
    let rows: Vec<OwnRow> = (0..129)
        .map(|n| OwnRow {
            taken_at: (n % 64 == 1).then_some(0),
            ..row(n, 1, 1, 1.0, 0.0)
        })
        .collect();
    let bytes = gradebook(&rows);
    // Two have a response of five bytes more: the 2nd and the 66th.
    let rows_of_64 = format!("00 010000000100 {}", "00".repeat(62));
    let golden = format!("00000000 45000000 8a000000 {rows_of_64} {rows_of_64} 00");
    let golden = golden_bytes(&golden);
    assert_eq!(hex(&bytes[bytes.len() - golden.len()..]), hex(&golden));
    assert_eq!(decode(&bytes), expected(&rows));
}

#[test]
fn memberships() {
    let of_group = encode(Clock::Calendar, &[row(1, 1, 1, 1.0, 8000.0)]);
    let of_group = check(&of_group).expect("a gradebook");
    let mut builder = Builder::new();
    let group = Some(Id::Integer(7));
    builder.merge_group(&of_group, group, &go).expect("a group");
    let bytes = golden_bytes(
        "
        02 10
        0101 02   0101 02   0101 02
        00000000 00   00
        0101 0e   00                              # group 7, no row of no use
        01 00 07 8080c0a791a9ba02 8080c0a791a9ba02  # student 1, from day 8000 to day 8000
        8080c0a791a9ba02 01 00
        01 0000000000000000 000000000000f03f
        01 00 000000000000f03f
        01
        00000000
        01   00 00 00 01 00
        ",
    );
    assert_eq!(hex(&builder.encode(&go).expect("small")), hex(&bytes));
    let book = check(&bytes).expect("a gradebook");
    assert!(book.roster().is_empty(), "they are no roster");
    let own = book.memberships().periods()[0];
    let at = 8000 * DAY;
    assert_eq!((own.student, own.group), (0, Some(0)));
    assert_eq!((own.from, own.to), (at, at));
}
