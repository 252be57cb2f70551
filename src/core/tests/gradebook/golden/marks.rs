//! What rows say of answers: scores on their scales, why there is none, attempts and positions.

use pg_assess_core::gradebook::{MaxScore, Standing};
use pg_assess_core::time::Clock;
use pg_assess_test_support::{OwnRow, row};

use super::{assert_golden, decode, encode, expected};

const ANY: MaxScore = MaxScore::Points(Some(f64::INFINITY));
const UNKNOWN: MaxScore = MaxScore::Points(None);

const fn points(max: f64) -> MaxScore {
    MaxScore::Points(Some(max))
}

/// A row of student 1 and assessment 1.
fn scored(item: i64, score: f64, min_score: Option<f64>, max_score: MaxScore, day: f64) -> OwnRow {
    OwnRow {
        min_score,
        max_score,
        ..row(1, item, 1, score, day)
    }
}

#[test]
fn an_open_scale_beside_shares() {
    let mut rows = Vec::new();
    for (student, words) in [(1, 0.0), (2, 121.0), (3, 1e300), (4, 5e-324)] {
        let open = row(student, 1, 1, words, 20.0);
        rows.push(OwnRow {
            max_score: ANY,
            ..open
        });
        rows.push(row(student, 2, 1, f64::from(u8::from(student > 2)), 20.0));
    }
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0104 02020202   0102 0202   0101 02
        00000000 00   00
        80809ccdca64 01 00
        02                                        # two scales
           0000000000000000 000000000000f03f      # from 0 to 1, place 0
           0000000000000000 000000000000f07f      # from 0 on, place 1
        06                                        # six marks, each 8 * scale + state, score
           00 0000000000000000                    # 0, place 0
           00 000000000000f03f                    # 1
           08 0000000000000000                    # 0 words, place 2
           08 0100000000000000                    # 5e-324 words
           08 0000000000405e40                    # 121 words
           08 9c7500883ce4377e                    # 1e300 words
        08
        00000000
        01   00 00 00 02 01 02 00                 # item 1: 0 words, item 2: 0
        01   00 00 00 02 01 04 00
        01   00 00 00 02 01 05 01
        01   00 00 00 02 01 03 01
        ",
    );
}

/// Scores are kept as they came, also out of the range of their scale; zeros have no sign.
#[test]
fn minima_and_maxima() {
    let rows = [
        scored(1, 0.25, Some(-1.0), MaxScore::Share, 9.0),
        scored(2, 7.0, None, points(10.0), 9.0),
        scored(3, 7.0, Some(2.0), points(10.0), 9.0),
        scored(4, -3.0, Some(-2.0), points(10.0), 9.0),
        scored(5, 12.0, None, points(10.0), 9.0),
        scored(6, 1.0, None, MaxScore::Share, 9.0),
        scored(7, 1.0, Some(0.0), points(1.0), 9.0),
        scored(8, -0.0, Some(-0.0), points(10.0), 9.0),
        scored(9, -3.0, Some(-4.0), points(-0.0), 9.0),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0101 02   0109 020202020202020202   0101 02
        00000000 00   00
        808093c9a12d 01 00
        06                                        # by maximum, then by minimum:
           00000000000010c0 0000000000000000      # -4 to 0
           000000000000f0bf 000000000000f03f      # -1 to 1
           0000000000000000 000000000000f03f      # 0 to 1
           00000000000000c0 0000000000002440      # -2 to 10
           0000000000000000 0000000000002440      # 0 to 10
           0000000000000040 0000000000002440      # 2 to 10
        08
           00 00000000000008c0                    # -3 of -4 to 0
           08 000000000000d03f                    # 0.25 of -1 to 1
           10 000000000000f03f                    # 1 of 0 to 1
           18 00000000000008c0                    # -3 of -2 to 10
           20 0000000000000000                    # 0 of 0 to 10
           20 0000000000001c40                    # 7 of 0 to 10
           20 0000000000002840                    # 12 of 0 to 10
           28 0000000000001c40                    # 7 of 2 to 10
        09
        00000000
        01   00 00 00 09 0101010101010101         # items 1 to 9
             01 05 07 03 06 02 02 04 00           # their marks
        ",
    );
}

#[test]
fn points_without_a_maximum() {
    let rows = [
        scored(1, 3.0, None, UNKNOWN, 0.0),
        scored(2, -2.0, None, UNKNOWN, 0.0),
        scored(3, 5.0, Some(1.0), UNKNOWN, 0.0),
        scored(4, 5.0, None, ANY, 0.0),
        scored(5, 5.0, None, points(10.0), 0.0),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0101 02   0105 0202020202   0101 02
        00000000 00   00
        00 01 00
        04
           0000000000000000 0000000000002440      # 0 to 10
           0000000000000000 000000000000f07f      # from 0 on
           0000000000000000 000000000000f87f      # from 0, maximum unknown: the quiet NaN
           000000000000f03f 000000000000f87f      # from 1, maximum unknown
        05
           00 0000000000001440                    # 5 of 10
           08 0000000000001440                    # 5 of a scale without end
           10 00000000000000c0                    # -2 of nobody knows what
           10 0000000000000840                    # 3
           18 0000000000001440                    # 5
        05
        00000000
        01   00 00 00 05 01010101 03 02 04 01 00
        ",
    );
}

#[test]
fn a_scale_without_ends() {
    let rows = [
        scored(1, -2.5, Some(f64::NEG_INFINITY), ANY, 1.0),
        scored(2, 1e9, Some(f64::NEG_INFINITY), ANY, 1.0),
        scored(3, 0.5, Some(0.0), ANY, 1.0),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0101 02   0103 020202   0101 02
        00000000 00   00
        8080bbdd8305 01 00
        02
           000000000000f0ff 000000000000f07f      # from minus infinity to infinity
           0000000000000000 000000000000f07f
        03
           00 00000000000004c0
           00 0000000065cdcd41
           08 000000000000e03f
        03
        00000000
        01   00 00 00 03 0101 00 01 02
        ",
    );
}

/// Without a score, a mark is a head alone: 8 * scale + state.
#[test]
fn rows_without_a_score() {
    let mut rows = Vec::new();
    for (item, standing) in (0..).step_by(2).zip(Standing::ALL) {
        for (item, score) in [(item, None), (item + 1, Some(3.0))] {
            rows.push(OwnRow {
                score,
                standing,
                ..scored(item, 0.0, None, points(4.0), 1.0)
            });
        }
    }
    let second = |item, score, min, max, standing| OwnRow {
        student: row(2, 0, 0, 0.0, 0.0).student,
        score,
        standing,
        ..scored(item, 0.0, min, points(max), 1.0)
    };
    rows.extend([
        // Without a score, what cannot be a scale is an unknown one.
        second(0, None, None, 0.0, Standing::Counts),
        second(1, Some(f64::NAN), Some(f64::NAN), 1.0, Standing::Exempt),
        // No points are the end of the scale that is nearest to 0.
        second(2, Some(3.0), Some(1.0), 4.0, Standing::Zero),
        second(4, None, Some(-4.0), -1.0, Standing::Zero),
        // There are none without a scale: left out.
        second(3, Some(3.0), None, 0.0, Standing::Zero),
    ]);
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 00
        0102 0202   010a 00020202020202020202   0101 02
        00000000 01 03 00000100                   # item 3 lost a row: bad_scale
        01 01 8080bbdd8305                        # and so did student 2, on day 1
        8080bbdd8305 01 00
        04
           00000000000010c0 000000000000f0bf      # -4 to -1
           0000000000000000 0000000000001040      # 0 to 4
           000000000000f03f 0000000000001040      # 1 to 4
           0000000000000000 000000000000f87f      # unknown
        0a
           00 000000000000f0bf                    # -1 of -4 to -1
           08 0000000000000000                    # 0 of 4, place 1
           08 0000000000000840                    # 3 of 4, place 2
           09                                     # of 4, no score, place 3
           0a                                     # of 4, waiting, place 4
           0b                                     # of 4, not taken, place 5
           0c                                     # of 4, exempt, place 6
           10 000000000000f03f                    # 1 of 1 to 4, place 7
           19                                     # unknown, no score, place 8
           1c                                     # unknown, exempt, place 9
        0e
        00000000
        01   00 00 00 0a 010101010101010101       # counts, zero, waiting, not taken, exempt:
             03 02 01 01 04 04 05 05 06 06        # without a score and with 3
        01   00 00 00 04 010102 08 09 07 00
        ",
    );
}

/// Bit 2 of the flags: of each sitting, the attempt follows the time: 0 for none, or 1 and it.
#[test]
fn attempts() {
    let attempt = |student, item, assessment, score, day, attempt| OwnRow {
        attempt,
        ..row(student, item, assessment, score, day)
    };
    let rows = [
        attempt(1, 1, 1, 1.0, 5.0, Some(2)),
        attempt(1, 1, 1, 0.0, 5.0, Some(1)),
        attempt(1, 2, 1, 0.0, 5.0, Some(1)),
        attempt(1, 1, 1, 0.0, 5.0, None),
        attempt(1, 1, 2, 1.0, 6.0, Some(-1)),
        attempt(2, 1, 1, 1.0, 5.0, Some(i64::MAX)),
        attempt(2, 1, 1, 1.0, 5.0, Some(i64::MIN + 1)),
        attempt(3, 1, 1, 1.0, 7.0, None),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 04
        0103 020202   0102 0202   0102 0202
        00000000 00   00
        8080a7d39219 80c0ddeec102 00 01           # day 5, days; assessment 2 begins a day later
        01 0000000000000000 000000000000f03f
        02 00 0000000000000000 00 000000000000f03f
        08
        00000000
        04   00 00 00 00 01 00                    # no attempt: item 1, 0
             00 00 0102 00 02 01 00 00            # attempt 1: item 1 + 0, two items, both 0
             00 00 0104 01 01 01                  # attempt 2: item 2 - 1, 1
             01 00 0101 00 01 01                  # assessment 2, day 6, attempt -1
        02   00 00 01 fdffffffffffffffff01 00 01 01
             00 00 01 feffffffffffffffff01 00 01 01
        01   00 02 00 00 01 01                    # two days later
        ",
    );
}

/// The least integers stand for no attempt and no position, in rows as in bytes.
#[test]
fn the_least_attempt_and_position_are_none() {
    let least = OwnRow {
        attempt: Some(i64::MIN),
        position: Some(i32::MIN),
        ..row(1, 1, 1, 1.0, 5.0)
    };
    let none = row(1, 1, 1, 1.0, 5.0);
    assert_eq!(
        encode(Clock::Calendar, &[least]),
        encode(Clock::Calendar, &[none])
    );
}

/// Bit 3 of the flags: the positions follow the marks: 0 for none, or 1 more than the zigzag of the
/// difference to the last one given in the sitting.
#[test]
fn positions() {
    let position = |student, item, score, position| OwnRow {
        position,
        ..row(student, item, 1, score, 5.0)
    };
    let rows = [
        position(1, 1, 1.0, Some(3)),
        position(1, 2, 0.0, None),
        position(1, 3, 0.0, Some(1)),
        position(1, 4, 1.0, Some(2)),
        position(2, 1, 1.0, Some(i32::MAX)),
        position(2, 2, 1.0, Some(i32::MIN + 1)),
        position(2, 2, 1.0, None),
        position(3, 1, 1.0, None),
    ];
    assert_golden(
        Clock::Calendar,
        &rows,
        "
        02 08
        0103 020202   0104 02020202   0101 02
        00000000 00   00
        8080a7d39219 01 00
        01 0000000000000000 000000000000f03f
        02 00 0000000000000000 00 000000000000f03f
        08
        00000000
        01   00 00 00 04 010101 01 00 00 01       # items 1 to 4, their marks,
             07 00 04 03                          # 3 + 0, none, 3 - 2, 1 + 1
        01   00 00 00 03 0100 01 01 01            # item 1, item 2 twice:
             ffffffff0f 00 fcffffff1f             # 2^31 - 1, none, 2^32 - 2 less
        01   00 00 00 01 01 00                    # none
        ",
    );
}

/// FNV-1a with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Up to 256 distinct marks take one byte each, more take two or three, and beyond 65,536 each
/// is written out.
#[test]
fn many_distinct_marks() {
    for (n, length, hash) in [
        (256_i64, 3_371, 0xb235_9d7f_3237_5453),
        (257, 3_511, 0x2839_39cf_0e41_57f5),
        (65_536, 836_767, 0x5fda_9dec_090d_dcf4),
        (65_537, 656_679, 0xd9c9_7fc0_a6ab_9e81),
    ] {
        let rows: Vec<OwnRow> = (0..n)
            .map(|at| row(at % 100, at / 100, 1, at as f64 / 65_536.0, 1.0))
            .collect();
        let bytes = encode(Clock::Calendar, &rows);
        assert_eq!(decode(&bytes), expected(&rows));
        assert_eq!((bytes.len(), fnv(&bytes)), (length, hash), "{n} marks");
    }
}
