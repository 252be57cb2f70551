//! Bytes from outside: an error or a valid gradebook, never a panic and never much memory.

mod forged;
mod otherwise;

use pg_assess_core::gradebook::{
    Builder, Counts, Error, Exclusion, Gradebook, MAX_ID_BYTES, Mark, MaxScore, Scale, Sitting,
    Standing, State,
};
use pg_assess_core::options::Options;
use pg_assess_core::time::{Clock, MAX_TIME, MIN_TIME};
use pg_assess_test_support::solve;
use pg_assess_test_support::{
    OwnEnrolment, OwnId, OwnRow, Solved, check, enrolment, go, gradebook, merge, row, with_roster,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The roster by the ids of its groups, as numbers of groups that nobody was in go.
fn periods_by_id(book: &Gradebook<'_>) -> Vec<(u32, i64, i64, Option<String>)> {
    let roster = book.roster();
    let id = |group| roster.groups().get(group).to_string();
    let periods = roster.periods().iter();
    periods
        .map(|own| (own.student, own.from, own.to, own.group.map(id)))
        .collect()
}

/// Rows left out by the ids of the items, those without one first.
fn excluded_by_id(book: &Gradebook<'_>) -> Vec<(Option<String>, Vec<u64>)> {
    let counts = |counts: &Counts| Exclusion::ALL.map(|reason| counts.of(reason)).to_vec();
    let excluded = book.excluded();
    let by_item = excluded.by_item().iter();
    let by_item = by_item.map(|(at, own)| (Some(book.items().get(*at).to_string()), counts(own)));
    std::iter::once((None, counts(excluded.without_item())))
        .chain(by_item)
        .collect()
}

/// A mark in an order.
type Kept = (Scale, State, u64);
/// A response: student, ids of item and assessment, time, attempt, mark and position.
type Response = (u32, String, String, i64, Option<i64>, Kept, Option<i32>);

/// Every response by its ids.
fn contents(book: &Gradebook<'_>) -> Vec<Response> {
    let mut contents = Vec::new();
    let each = |sitting: Sitting<'_, Mark>| {
        let assessment = book.assessments().get(sitting.assessment).to_string();
        let answers = sitting.items.iter().zip(sitting.marks).enumerate();
        contents.extend(answers.map(|(at, (&item, mark))| {
            let item = book.items().get(item).to_string();
            (
                sitting.student,
                item,
                assessment.clone(),
                sitting.taken_at,
                sitting.attempt,
                (mark.scale, mark.state, mark.score.to_bits()),
                sitting.position(at),
            )
        }));
        Ok(())
    };
    book.visit(|mark| mark, &go, each).expect("checked rows");
    // A student may have given one item two answers at a time, in whatever order they come.
    contents.sort_unstable();
    contents
}

/// A sitting with all that is in it.
#[derive(Debug, PartialEq)]
struct OwnSitting {
    student: u32,
    assessment: u32,
    taken_at: i64,
    attempt: Option<i64>,
    answers: Vec<(u32, Mark, Option<i32>)>,
}

impl OwnSitting {
    fn of(sitting: &Sitting<'_, Mark>) -> Self {
        assert_eq!(sitting.items.len(), sitting.marks.len());
        let answers = sitting.items.iter().zip(sitting.marks).enumerate();
        Self {
            student: sitting.student,
            assessment: sitting.assessment,
            taken_at: sitting.taken_at,
            attempt: sitting.attempt,
            answers: answers
                .map(|(at, (&item, &mark))| (item, mark, sitting.position(at)))
                .collect(),
        }
    }

    fn assert_sound(&self, book: &Gradebook<'_>) {
        assert!((MIN_TIME..=MAX_TIME).contains(&self.taken_at));
        assert!(self.answers.is_sorted_by_key(|(item, ..)| *item));
        assert!((self.assessment as usize) < book.assessments().len());
        assert_ne!(self.attempt, Some(i64::MIN));
        for (item, mark, position) in &self.answers {
            assert!((*item as usize) < book.items().len());
            assert!(mark.score.is_finite());
            assert!(mark.state == State::Scored || mark.score == 0.0);
            assert!(mark.score != 0.0 || mark.score.is_sign_positive());
            let scale = Scale::new(mark.scale.min_score(), mark.scale.max_score());
            assert_eq!(scale, Some(mark.scale));
            assert_ne!(*position, Some(i32::MIN));
        }
    }
}

/// Reads student by student what a gradebook is read as at one go. Where that fails, what came
/// before it is the same; the rest is an error or anything at all, and no panic.
fn assert_students_alone_agree(book: &Gradebook<'_>) {
    let mut whole = Vec::new();
    let read = book.visit(
        |mark| mark,
        &go,
        |sitting| {
            let sitting = OwnSitting::of(&sitting);
            sitting.assert_sound(book);
            whole.push(sitting);
            Ok(())
        },
    );
    let students = book.students().len() as u32;
    let good = match read {
        Ok(()) => students,
        Err(_) => whole.last().map_or(0, |sitting| sitting.student),
    };
    for student in 0..students.min(300) {
        let mut alone = Vec::new();
        let read = book.visit_student(
            student,
            |mark| mark,
            &go,
            |sitting| {
                let sitting = OwnSitting::of(&sitting);
                sitting.assert_sound(book);
                alone.push(sitting);
                Ok(())
            },
        );
        if student < good {
            assert_eq!(read, Ok(()));
            let own = whole.iter().filter(|sitting| sitting.student == student);
            assert!(alone.iter().eq(own), "student {student}");
        }
    }
}

/// Whether the bytes are a gradebook; if so, reads and rewrites it in every way there is.
fn survives(bytes: &[u8], solve: bool) -> bool {
    if let Ok(book) = Gradebook::open(bytes) {
        assert_students_alone_agree(&book);
    }
    let Ok(book) = check(bytes) else {
        return false;
    };
    let mut last = None;
    book.visit(
        |_| (),
        &go,
        |sitting| {
            let (student, assessment) = (sitting.student, sitting.assessment);
            let key = Some((student, assessment, sitting.taken_at, sitting.attempt));
            assert!(key > last, "sittings in order");
            last = key;
            Ok(())
        },
    )
    .expect("checked rows");
    let mut periods = book.roster().periods().iter();
    assert!(book.roster().periods().is_sorted_by(|a, b| a < b), "a set");
    assert!(periods.all(|period| {
        period.from <= period.to
            && (period.student as usize) < book.students().len()
            && period
                .group
                .is_none_or(|group| (group as usize) < book.roster().groups().len())
    }));
    let mut builder = Builder::new();
    match builder.merge(&book, &go) {
        Ok(()) => {
            let again = builder.encode(&go).expect("what was merged can be written");
            let reread = check(&again).expect("what was written can be read");
            assert_eq!(reread.responses(), book.responses());
            assert_eq!(excluded_by_id(&reread), excluded_by_id(&book));
            assert_eq!(reread.excluded_students(), book.excluded_students());
            assert_eq!(reread.students().len(), book.students().len());
            assert_eq!(periods_by_id(&reread), periods_by_id(&book));
            assert_eq!(reread.roster().unusable(), book.roster().unusable());
            assert!(contents(&reread) == contents(&book), "the same responses");
            assert_eq!(merge([&again]), again, "the form is canonical");
            let read = Gradebook::from_text(&Gradebook::to_text(bytes), &go);
            assert_eq!(read.as_ref(), Ok(&again), "canonical on input");
        }
        Err(error) => assert!(matches!(error, Error::TooLarge { .. }), "{error}"),
    }
    if solve {
        let options = Options::default();
        Solved::of(bytes, &options).assert_sound(&options);
        let missing = solve::missing_work(&book, &options, &go).expect("checked rows");
        missing.for_each(drop);
    }
    true
}

/// The place of the long one in the seeds, behind the short ones.
const LONG: usize = 11;

/// Small gradebooks of every kind.
fn seeds() -> Vec<Vec<u8>> {
    let text = |text: &str| Some(OwnId::Text(text.to_owned()));
    let binary: Vec<OwnRow> = (0..12)
        .map(|n| row(n % 3, n % 4, n % 2, (n % 2) as f64, (n / 4) as f64))
        .collect();
    let uuids = (0..4).map(|n| OwnRow {
        student: Some(OwnId::Uuid(n << 100)),
        item: text("ä"),
        ..row(0, 0, 1, n as f64 / 8.0, n as f64 / 3.0)
    });
    let texts = (0..6).map(|n| OwnRow {
        student: text(["", "b", "ß"][n % 3]),
        item: text(["q1", "q2"][n % 2]),
        assessment: text("t"),
        max_score: MaxScore::Points(Some(f64::INFINITY)),
        ..row(0, 0, 0, 40.0 * n as f64, n as f64)
    });
    let excluded = (0..8).map(|n| OwnRow {
        score: (n % 3 == 0).then_some(1.0),
        taken_at: (n % 4 > 0).then_some(n * 1_000_003),
        ..row(n, 1, 1, 0.0, 0.0)
    });
    let many = (0..300).map(|n| row(n % 20, n % 30, n % 2, n as f64 / 300.0, (n % 7) as f64));
    let roster: Vec<OwnEnrolment> = (0..9)
        .map(|n| OwnEnrolment {
            student: (n < 8).then_some(OwnId::Integer(n % 5)),
            ..enrolment(
                0,
                Some(n % 2),
                (n % 3 > 0).then_some(n),
                (n % 4 > 0).then_some(n + 2),
            )
        })
        .collect();
    let mut marks = Vec::new();
    for (n, standing) in Standing::ALL.into_iter().cycle().take(30).enumerate() {
        let n = n as i64;
        marks.push(OwnRow {
            score: (n % 4 > 0).then_some(n as f64 / 3.0),
            min_score: [None, Some(-1.5), Some(f64::NEG_INFINITY)][n as usize % 3],
            max_score: MaxScore::Points([Some(4.0), None, Some(f64::INFINITY)][n as usize % 3]),
            standing,
            ..row(n % 2, n % 7, n % 3, 0.0, 1.0)
        });
    }
    let attempts = (0..16).map(|n| OwnRow {
        attempt: [None, Some(1), Some(2), Some(i64::MAX), Some(-3)][n as usize % 5],
        position: [Some(2), Some(1), None, Some(i32::MAX)][n as usize % 4],
        ..row(n % 2, n % 3, n % 2, (n % 2) as f64, 1.0)
    });
    let class = (0..130).map(|n| OwnRow {
        // Some have no response.
        item: (n % 9 > 0).then_some(OwnId::Integer(n % 2)),
        ..row(n, 0, 1, (n % 3) as f64 / 2.0, (n % 2) as f64)
    });
    let enrolled = with_roster(&binary, &roster);
    let roster = with_roster([], &roster);
    let mut seeds: Vec<Vec<u8>> = [
        vec![],
        vec![row(1, 1, 1, 1.0, 0.0)],
        binary,
        uuids.collect(),
        texts.collect(),
        excluded.collect(),
        marks,
        attempts.collect(),
        class.collect(),
    ]
    .iter()
    .map(gradebook)
    .collect();
    seeds.extend([enrolled, roster]);
    seeds.push(gradebook(&many.collect::<Vec<_>>()));
    seeds
}

/// Changes a few bytes the way disks, editors and attackers do.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    for _ in 0..=rng.gen_range(0..3) {
        let at = rng.gen_range(0..=bytes.len());
        let byte = match rng.gen_range(0..4) {
            0 => 0,
            1 => 0xff,
            2 => 0x80 | rng.r#gen::<u8>(),
            _ => rng.r#gen(),
        };
        match rng.gen_range(0..8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes[at] ^= 1 << rng.gen_range(0..8),
            4 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
            5 => {
                let end = rng.gen_range(at..=bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() => bytes[at] = byte,
            _ => bytes.push(byte),
        }
    }
}

#[test]
fn mutated_gradebooks_are_refused_or_valid() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let seeds = seeds();
    let mut valid = 0;
    for n in 0..100_000 {
        // The long one takes its time.
        let seed = &seeds[if n % 50 == 0 { LONG } else { n % LONG }];
        let mut bytes = seed.clone();
        mutate(&mut bytes, &mut rng);
        let solve = valid % 4 == 0;
        valid += usize::from(survives(&bytes, solve));
    }
    // Else the test would only test the first check.
    assert!((5_000..95_000).contains(&valid), "{valid}");
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused_or_valid() {
    for seed in &seeds()[..LONG] {
        assert!(survives(seed, true));
        for end in 0..seed.len() {
            assert!(!survives(&seed[..end], false), "cut at {end}");
        }
        for bit in 0..8 * seed.len() {
            let mut bytes = seed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            survives(&bytes, false);
        }
    }
}

#[test]
fn mutated_texts_are_refused_or_valid() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let texts: Vec<String> = seeds()[..LONG]
        .iter()
        .map(|seed| Gradebook::to_text(seed))
        .collect();
    let mut valid = 0;
    for n in 0..20_000 {
        let mut text = texts[n % LONG].clone().into_bytes();
        mutate(&mut text, &mut rng);
        let text = String::from_utf8_lossy(&text);
        if let Ok(bytes) = Gradebook::from_text(&text, &go) {
            assert!(survives(&bytes, false));
            valid += 1;
        }
    }
    assert!(valid > 100, "{valid}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_refused_or_valid(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes, true);
        // Behind a good beginning they get further.
        let start = [2, 0, 1, 1];
        bytes.splice(0..0, start);
        survives(&bytes, true);
        // Three students, no items, no assessments, nothing left out, two groups.
        let start = [2, 2, 1, 3, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 4, 0];
        bytes.splice(0..4, start);
        survives(&bytes, true);
        // A student, two items, an assessment, nothing left out, attempts and positions, a scale.
        let mut rest = bytes.split_off(start.len());
        let scale = [[0; 8], 1.0_f64.to_le_bytes()].concat();
        bytes = vec![2, 12, 1, 1, 2, 1, 2, 2, 2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
        bytes.extend(&scale);
        let start = bytes.len();
        bytes.append(&mut rest);
        survives(&bytes, true);
        // Two marks: a full one and one without a score; three responses, an entry, a sitting.
        let marks = [&[2, 0][..], &1.0_f64.to_le_bytes(), &[1, 3, 0, 0, 0, 0, 1, 0]].concat();
        bytes.splice(start..start, marks);
        survives(&bytes, true);
    }

    #[test]
    fn each_student_is_read_alone_as_among_the_others(
        rows in prop::collection::vec(
            (0..200i64, 0..5i64, 0..3i64, 0..9u8, 0..4i64, any::<[bool; 3]>()),
            0..400,
        ),
        spoilt in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let rows = rows.into_iter().map(|(student, item, test, score, day, given)| OwnRow {
            score: (score < 8).then(|| f64::from(score) / 7.0),
            attempt: (given[0] && score > 2).then_some(day),
            position: (given[1] && score > 4).then_some(item as i32),
            // Some students are left without a response.
            assessment: (given[2] || score > 2).then_some(OwnId::Integer(test)),
            ..row(student, item, test, 0.0, day as f64)
        });
        let mut bytes = gradebook(&rows.collect::<Vec<_>>());
        if let Some((at, byte)) = spoilt {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        if let Ok(book) = Gradebook::open(&bytes) {
            assert_students_alone_agree(&book);
        }
    }

    #[test]
    fn any_text_is_refused_or_valid(text in "(gradebook:)?.{0,80}", code in "[AQgw/+]{0,40}={0,2}") {
        for text in [text, format!("gradebook:{code}")] {
            if let Ok(bytes) = Gradebook::from_text(&text, &go) {
                prop_assert!(survives(&bytes, true));
            }
        }
    }
}

#[test]
fn what_the_builder_takes_can_be_read_back() {
    // The caps of both sides agree, also at the last byte.
    let id = "x".repeat(MAX_ID_BYTES as usize - 3);
    let mut builder = Builder::new();
    let long = OwnRow {
        student: Some(OwnId::Text(id)),
        ..row(1, 1, 1, 1.0, 0.0)
    };
    let refused = builder.push(Clock::Calendar, long.row());
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
}
