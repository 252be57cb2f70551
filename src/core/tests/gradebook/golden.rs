//! The flat form of version 1, byte for byte.
//!
//! It is stored in users' tables and in dumps, so it is frozen: a change that fails here needs
//! another version byte, and code that still reads this one.

use pg_assess_core::gradebook::{
    Builder, Exclusion, Gradebook, Id, MAX_ENCODED_BYTES, MAX_TEXT_BYTES, MaxScore,
};
use pg_assess_core::time::{Clock, DAY, MAX_TIME, MIN_TIME};
use pg_assess_test_support::{OwnEnrolment, OwnId, OwnRow, enrolment, go, row, with_roster};

fn encode(clock: Clock, rows: &[OwnRow]) -> Vec<u8> {
    let mut builder = Builder::new();
    for row in rows {
        builder.push(clock, row.row()).expect("ids of one type");
    }
    builder.encode(&go).expect("a small gradebook")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits"))
        .collect()
}

/// A response as read back: ids as text, whether the scale is open, score, time.
type Read = (String, String, String, bool, f64, i64);

fn decode(bytes: &[u8]) -> Vec<Read> {
    let book = pg_assess_test_support::check(bytes).expect("a gradebook");
    let mut rows = Vec::new();
    book.visit(&go, |sitting| {
        for (&item, score) in sitting.items.iter().zip(sitting.scores) {
            rows.push((
                book.students().get(sitting.student).to_string(),
                book.assessments().get(sitting.assessment).to_string(),
                book.items().get(item).to_string(),
                score.is_unbounded(),
                score.value(),
                sitting.taken_at,
            ));
        }
        Ok(())
    })
    .expect("checked rows");
    rows
}

/// The rows in the order of the flat form: by ids, then time, then item and score.
fn expected(rows: &[OwnRow]) -> Vec<Read> {
    let mut rows: Vec<&OwnRow> = rows.iter().collect();
    rows.sort_by(|a, b| {
        let key = |row: &OwnRow| {
            let taken_at = row.taken_at;
            (
                row.student.clone(),
                row.assessment.clone(),
                taken_at,
                row.item.clone(),
            )
        };
        let score = |row: &OwnRow| row.score.unwrap_or_default();
        key(a).cmp(&key(b)).then(score(a).total_cmp(&score(b)))
    });
    rows.into_iter()
        .map(|row| {
            let name =
                |id: &Option<OwnId>| id.as_ref().map_or(String::new(), |id| id.id().to_string());
            let (open, max) = match row.max_score {
                MaxScore::Points(Some(f64::INFINITY)) => (true, 1.0),
                MaxScore::Points(Some(max)) => (false, max),
                _ => (false, 1.0),
            };
            (
                name(&row.student),
                name(&row.assessment),
                name(&row.item),
                open,
                row.score.unwrap_or_default() / max,
                row.taken_at.unwrap_or_default(),
            )
        })
        .collect()
}

#[track_caller]
fn assert_golden(clock: Clock, rows: &[OwnRow], golden: &str) {
    let golden = golden.replace([' ', '\n'], "");
    assert_eq!(hex(&encode(clock, rows)), golden);
    let usable: Vec<OwnRow> = rows.iter().filter(|row| usable(row)).cloned().collect();
    assert_eq!(decode(&unhex(&golden)), expected(&usable));
}

fn usable(row: &OwnRow) -> bool {
    row.student.is_some()
        && row.item.is_some()
        && row.assessment.is_some()
        && row
            .taken_at
            .is_some_and(|at| (MIN_TIME..=MAX_TIME).contains(&at))
        && row
            .score
            .is_some_and(|score| (0.0..=1.0).contains(&score) || row.max_score != MaxScore::Share)
        && row.max_score != MaxScore::Points(None)
}

/// Version, flags, six counts of excluded rows, three empty tables, no unscored students,
/// earliest time 0, unit 1, no scores, no responses.
#[test]
fn nothing() {
    assert_golden(
        Clock::Calendar,
        &[],
        "01 00 000000000000 000000 00 00 01 00 00",
    );
    assert_golden(
        Clock::Absolute,
        &[],
        "01 00 000000000000 000000 00 00 01 00 00",
    );
}

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
        "010000000000000001030d14ca0f010a00041004100410041004010202fcffffffffffffffff0100
         8080c0a791a9ba0280c0ddeec102020000000000000000000000000000f03f190100000005020202
         02000100010002000000050202020200010001000114020502020202010001000102000000050202
         0202010001000101ca0f0005020202020001000100",
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
        "0100000000000000020300000000000000000000000000000001ff00000000000000000000000000
         0000ffffffffffffffffffffffffffffffff02030000000000000000000000000000000055000000
         0000000000000000000000005555555555555555555555555555555502010123456789abcdef0123
         456789abcdef0080c098ccc5070101000000000000e03f0301000000010001000002010001000002
         0100",
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
        "0100000000000000030600045a6fc3ab01610661206227225c0ad0bdd0b8d187d182d0be04f09f8e
         9303060001410641204227225c045a4fc38b0ad09dd098d0a7d0a2d09e04f09f8e9303010c44696b
         74617420e28496203100ffffcda6a53201030000000000000000000000000000d03f000000000000
         f03f06010000000100010000060102010000030101010000020102010000040102010000020102",
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
        "010100000000000001010201010201010200ffff82eed7cfc1f0050101000000000000d03f040400
         0000010000feff82eed7cfc1f0050001000082ebd5c8a7b5b10400010000fe94bff2cea1cefbff01
         000100",
    );
}

#[test]
fn an_open_scale_beside_shares() {
    let mut rows = Vec::new();
    for (student, words) in [(1, 0.0), (2, 121.0), (3, 1e300), (4, 5e-324)] {
        let open = row(student, 1, 1, words, 20.0);
        rows.push(OwnRow {
            max_score: MaxScore::Points(Some(f64::INFINITY)),
            ..open
        });
        rows.push(row(student, 2, 1, f64::from(u8::from(student > 2)), 20.0));
    }
    assert_golden(
        Clock::Calendar,
        &rows,
        "0100000000000000010402020202010202020101020080809ccdca64010600000000000000000000
         00000000f03f000000000000008001000000000000800000000000405ec09c7500883ce437fe0801
         00000002010200010000000201040001000000020105010100000002010301",
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
        "010000000000000001010201020202010102008080b1988b0f80c098ccc507030000000000000000
         000000000000e03f000000000000f03f050200000004000001010102000002000101",
    );
}

#[test]
fn rows_that_cannot_count() {
    let good = row(1, 1, 1, 1.0, 30.0);
    let rows = [
        good.clone(),
        OwnRow {
            item: None,
            ..row(2, 1, 1, 1.0, 30.0)
        },
        OwnRow {
            student: None,
            ..good.clone()
        },
        OwnRow {
            taken_at: None,
            ..row(3, 1, 1, 1.0, 30.0)
        },
        OwnRow {
            score: None,
            ..row(4, 1, 1, 1.0, 31.0)
        },
        OwnRow {
            score: None,
            ..row(4, 1, 1, 1.0, 29.0)
        },
        OwnRow {
            max_score: MaxScore::Points(None),
            ..row(5, 1, 1, 1.0, 30.0)
        },
        OwnRow {
            taken_at: Some(i64::MAX),
            ..row(6, 1, 1, 1.0, 30.0)
        },
        OwnRow {
            score: Some(1.5),
            ..row(1, 1, 1, 1.0, 30.0)
        },
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "0100020102010101010602020202020201010201010206008080eaf3ef9601008080eaf3ef960100
         ffff82eed7cfc1f005008080af96ec9101008080eaf3ef960100feff94bbf6d6ffffff018080eaf3
         ef96010101000000000000f03f010100000001000000000000",
    );
    let bytes = encode(Clock::Calendar, &rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let counts = Exclusion::ALL.map(|reason| book.excluded().count(reason));
    assert_eq!(counts, [2, 1, 2, 1, 1, 1]);
    assert_eq!(book.excluded().total(), 8);
    let unscored: Vec<(Id, i64)> = book
        .unscored()
        .iter()
        .map(|&(at, time)| (book.students().get(at), time))
        .collect();
    let day = |day: i64| day * DAY;
    assert_eq!(
        unscored,
        [
            (Id::Integer(1), day(30)),
            (Id::Integer(2), day(30)),
            (Id::Integer(3), MIN_TIME),
            (Id::Integer(4), day(29)),
            (Id::Integer(5), day(30)),
            (Id::Integer(6), MAX_TIME),
        ]
    );
}

/// With bit 1 of the flags, a roster follows the unscored students: here on the second to the
/// fourth line, with its groups, one unusable row and ten periods. Those of classes that begin
/// and end together take three or four bytes each.
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
    let golden = "
        01020000000000000105020202020a01010201010200
        0103018e0102 01 0a
        000b8080c0a791a9ba02feff86878aa5be02 000d808087878aa5be02
        0100 000b0000 000d00 010b0000 000d00 010b0000 000d00 010601
        8080c0a791a9ba0280c0ddeec102020000000000000000000000000000f03f
        02010000000101000100020001000000";
    let bytes = unhex(&golden.replace([' ', '\n'], ""));
    assert_eq!(hex(&with_roster(&rows, &roster)), hex(&bytes));
    assert_eq!(decode(&bytes), expected(&rows));
    let book = pg_assess_test_support::check(&bytes).expect("a gradebook");
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

/// FNV-1a with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Up to 256 distinct scores take one byte each, more take two or three, and beyond 65,536 each
/// is written out.
#[test]
fn many_distinct_scores() {
    for (n, length, hash) in [
        (256_i64, 3_090, 0xb073_9745_ba0d_23f6),
        (257, 3_229, 0x12fb_b9bd_4b7a_c26f),
        (65_536, 771_206, 0x2f90_9fb2_4ff0_70ac),
        (65_537, 591_117, 0xbcf5_065b_286d_f4d4),
    ] {
        let rows: Vec<OwnRow> = (0..n)
            .map(|at| row(at % 100, at / 100, 1, at as f64 / 65_536.0, 1.0))
            .collect();
        let bytes = encode(Clock::Calendar, &rows);
        assert_eq!(decode(&bytes), expected(&rows));
        assert_eq!((bytes.len(), fnv(&bytes)), (length, hash), "{n} scores");
    }
}

#[test]
fn the_text_form() {
    let bytes = encode(Clock::Calendar, &[row(1, 2, 3, 0.5, 4.0)]);
    let text = "gradebook:AQAAAAAAAAABAQIBAQQBAQYAgIDs9Y4UAQEAAAAAAADgPwEBAAAAAQA=";
    assert_eq!(Gradebook::to_text(&bytes), text);
    assert_eq!(Gradebook::from_text(text, &go), Ok(bytes.clone()));
    assert_eq!(Gradebook::from_text(&format!(" {text}\n"), &go), Ok(bytes));
}

#[test]
fn what_can_be_made_can_be_dumped() {
    let text_bytes = |bytes: u64| "gradebook:".len() as u64 + 4 * bytes.div_ceil(3);
    for n in 0..10 {
        let text = Gradebook::to_text(&vec![7; n]);
        assert_eq!(text.len() as u64, text_bytes(n as u64), "{n} bytes");
    }
    // Postgres takes a row of up to 0x3fffffff bytes (`MaxAllocSize` in `utils/memutils.h`).
    const { assert!(MAX_TEXT_BYTES < 0x3fff_ffff) };
    assert!(text_bytes(MAX_ENCODED_BYTES) <= MAX_TEXT_BYTES);
    assert!(
        text_bytes(MAX_ENCODED_BYTES + 3) > MAX_TEXT_BYTES,
        "no more is refused than must be"
    );
}
