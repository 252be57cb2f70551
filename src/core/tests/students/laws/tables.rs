//! Tables and options of every kind.

use std::ops::Range;

use pg_assess_core::gradebook::{MaxScore, Standing};
use pg_assess_core::ledger::{Attempts, Blanks, MissingMax, OutOfRange, Reading};
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::Asked;
use pg_assess_test_support::{OwnId, OwnRow, normal, row};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Ids of one type: 0 integers, 1 uuids, 2 texts.
pub(super) fn id(kind: u8, number: u8) -> OwnId {
    const TEXTS: [&str; 6] = ["", "Zoë", "a", "a ", "ß-ничто", "\u{1f393}"];
    match kind {
        0 if number == 0 => OwnId::Integer(i64::MIN),
        0 if number == 1 => OwnId::Integer(i64::MAX),
        0 => OwnId::Integer(i64::from(number) - 3),
        1 => OwnId::Uuid(u128::from(number).wrapping_mul(u128::MAX / 9)),
        _ => OwnId::Text(
            TEXTS
                .get(usize::from(number))
                .map_or_else(|| format!("id {number}"), |text| (*text).to_owned()),
        ),
    }
}

/// Score and maximum: mostly fine, of every kind.
pub(super) fn score() -> impl Strategy<Value = (Option<f64>, MaxScore)> {
    let points = |max: f64| MaxScore::Points(Some(max));
    let unknown = MaxScore::Points(None);
    prop_oneof![
        6 => prop_oneof![Just(0.0), Just(1.0)].prop_map(|x| (Some(x), MaxScore::Share)),
        4 => (0..=4u8).prop_map(move |x| (Some(f64::from(x)), points(4.0))),
        3 => (0.0..=1.0f64).prop_map(|x| (Some(x), MaxScore::Share)),
        3 => (0..=250u16).prop_map(move |x| (Some(f64::from(x)), points(f64::INFINITY))),
        3 => prop_oneof![Just(MaxScore::Share), Just(points(4.0)), Just(unknown)]
            .prop_map(|max| (None, max)),
        1 => Just((Some(-0.5), MaxScore::Share)),
        1 => Just((Some(5.0), points(4.0))),
        1 => Just((Some(1e308), points(1e-308))),
        1 => Just((Some(-5e-324), points(1e9))),
        1 => Just((Some(-0.0), points(1e9))),
        1 => (0..4u8).prop_map(move |x| (Some(f64::from(x)), unknown)),
        1 => Just((Some(1.0), points(0.0))),
        1 => Just((Some(f64::NAN), MaxScore::Share)),
        1 => Just((Some(f64::INFINITY), points(f64::INFINITY))),
    ]
}

/// Mostly none; lowest scores of every kind.
fn min_score() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        12 => Just(None),
        1 => Just(Some(0.0)),
        2 => Just(Some(-1.0)),
        1 => Just(Some(0.5)),
        1 => prop_oneof![Just(f64::NEG_INFINITY), Just(f64::NAN), Just(1e308)].prop_map(Some),
    ]
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        12 => Just(Standing::Counts),
        1 => prop::sample::select(Standing::ALL.to_vec()),
    ]
}

/// Up to `most` rows over few ids, so that they meet; several attempts, NULLs of each kind.
pub(super) fn rows(most: usize) -> impl Strategy<Value = Vec<OwnRow>> {
    let null = || prop::bool::weighted(0.02);
    let time = prop_oneof![
        20 => (0..400i64, 0..3i64).prop_map(|(day, third)| Some(day * DAY + third * DAY / 3)),
        1 => Just(None),
        1 => Just(Some(i64::MAX)),
    ];
    let one = (
        (0..8u8, 0..6u8, 0..4u8),
        (null(), null(), null()),
        (score(), min_score(), standing()),
        time,
        (
            prop::option::weighted(0.2, -1..3i64),
            prop::option::weighted(0.7, 0..6i32),
        ),
    );
    let kinds = (0..3u8, 0..3u8, 0..3u8);
    (kinds, prop::collection::vec(one, 0..most)).prop_map(|((s, i, a), rows)| {
        rows.into_iter()
            .map(
                |(numbers, nulls, (score, min, standing), taken_at, (attempt, position))| OwnRow {
                    student: (!nulls.0).then(|| id(s, numbers.0)),
                    item: (!nulls.1).then(|| id(i, numbers.1)),
                    assessment: (!nulls.2).then(|| id(a, numbers.2)),
                    score: score.0,
                    min_score: min,
                    max_score: score.1,
                    taken_at,
                    standing,
                    attempt,
                    position,
                },
            )
            .collect()
    })
}

/// Rows over so few ids that several are of one sitting, and scores miss.
pub(super) fn sittings() -> impl Strategy<Value = Vec<OwnRow>> {
    let hour = DAY / 24;
    let row = (
        0..2i64,
        0..4i64,
        0..2i64,
        0..4u8,
        0..60i64,
        0..12i32,
        0..12i64,
    );
    prop::collection::vec(row, 0..40).prop_map(move |rows| {
        let made =
            rows.into_iter().map(
                |(student, item, test, score, hours, place, attempt)| OwnRow {
                    score: (score < 2).then(|| f64::from(score)),
                    taken_at: Some(hours * hour),
                    position: (place < 9).then_some(place),
                    attempt: (attempt < 3).then_some(attempt),
                    ..row_of(student, item, test)
                },
            );
        made.collect()
    })
}

fn row_of(student: i64, item: i64, test: i64) -> OwnRow {
    row(student, item, test, 0.0, 0.0)
}

/// A small school: enough answers per item for every status, some students absent.
pub(super) fn school(seed: u64) -> Vec<OwnRow> {
    school_of(5..45, seed)
}

/// The same with so many students.
pub(super) fn school_of(students: Range<i32>, seed: u64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let students = rng.gen_range(students);
    let (assessments, questions) = (rng.gen_range(1..9), rng.gen_range(1..7));
    let attendance = rng.gen_range(0.5..1.0);
    let effects: Vec<f64> = (0..assessments * questions)
        .map(|_| normal(&mut rng))
        .collect();
    let mut rows = Vec::new();
    for student in 0..students {
        let (ability, drift) = (normal(&mut rng), 0.3 * normal(&mut rng));
        for assessment in 0..assessments {
            if !rng.gen_bool(attendance) {
                continue;
            }
            let day = f64::from(assessment * 20) + f64::from(rng.gen_range(0..3u8));
            for question in 0..questions {
                let item = assessment * questions + question;
                let logit = ability + drift * f64::from(assessment) + effects[item as usize];
                let chance = 1.0 / (1.0 + (-1.5 * logit).exp());
                let sign = if question == 5 { 1.0 - chance } else { chance };
                let score = f64::from(rng.gen_bool(sign));
                let (item, assessment) = (i64::from(item), i64::from(assessment));
                rows.push(row(i64::from(student), item, assessment, score, day));
            }
        }
    }
    rows
}

pub(super) fn table() -> impl Strategy<Value = Vec<OwnRow>> {
    prop_oneof![2 => rows(70), 1 => any::<u64>().prop_map(school)]
}

/// Choices of every kind, also odd ones.
pub(super) fn options() -> impl Strategy<Value = Asked> {
    let attempts = prop::sample::select(Attempts::ALL.to_vec());
    let counting = prop_oneof![
        Just(Counting::Effective),
        Just(Counting::Assessments),
        Just(Counting::Responses)
    ];
    let base = (any::<bool>(), any::<bool>(), any::<bool>(), reading());
    let figures = (
        prop_oneof![4 => Just(60.0), 1 => Just(1e-3), 1 => Just(1e9), 1 => 1.0..400.0f64],
        prop_oneof![4 => Just(4.0), 1 => Just(0.0), 1 => Just(0.01)],
        prop_oneof![4 => Just(10.0), 1 => Just(0.0)],
        prop_oneof![4 => Just(0.25), 1 => Just(0.0), 1 => Just(1.0)],
        prop_oneof![4 => Just(0.95), 1 => Just(0.5), 1 => Just(0.999_999)],
        prop_oneof![4 => Just(None), 1 => Just(Some(0.5)), 1 => Just(Some(-1e300))],
        prop_oneof![3 => Just(None), 1 => Just(Some(90.0))],
    );
    (attempts, counting, base, figures).prop_map(
        |(attempts, counting, (adjust, shrink, quality, reading), figures)| {
            let options = Options {
                counting,
                adjust_difficulty: adjust,
                shrink,
                quality,
                half_life: figures.0,
                noise_df: figures.1,
                trend_noise_df: figures.1,
                min_answers: figures.2,
                weight_floor: figures.3,
                confidence: figures.4,
                cut: figures.5,
                trend_window: figures.6,
                flag_answers: 10,
                side_answers: 5,
                ..Options::default()
            };
            Asked {
                attempts,
                reading,
                ..Asked::from(options)
            }
        },
    )
}

/// What marks count as that are no plain score.
pub(super) fn reading() -> impl Strategy<Value = Reading> {
    let out_of_range = prop::sample::select(OutOfRange::ALL.to_vec());
    let missing_max = prop::sample::select(MissingMax::ALL.to_vec());
    let blanks = prop::sample::select(Blanks::ALL.to_vec());
    (out_of_range, missing_max, blanks).prop_map(|(out_of_range, missing_max, blanks)| Reading {
        out_of_range,
        missing_max,
        blanks,
    })
}
