//! Bytes from outside: an error or a valid gradebook, never a panic and never much memory.

use cpu_time::ThreadTime;
use pg_assess_core::gradebook::Error;
use pg_assess_core::gradebook::put_varint;
use pg_assess_core::gradebook::{Builder, Exclusion, Gradebook, MAX_ID_BYTES, MaxScore, Score};
use pg_assess_core::options::Options;
use pg_assess_core::time::{Clock, MAX_TIME, MIN_TIME};
use pg_assess_test_support::solve;
use pg_assess_test_support::{
    OwnEnrolment, OwnId, OwnRow, Solved, enrolment, go, gradebook, row, with_roster,
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

/// Every response by its ids.
fn contents(book: &Gradebook<'_>) -> Vec<(u32, String, String, i64, Score)> {
    let mut contents = Vec::new();
    book.visit(&go, |sitting| {
        let assessment = book.assessments().get(sitting.assessment).to_string();
        let answers = sitting.items.iter().zip(sitting.scores);
        contents.extend(answers.map(|(&item, &score)| {
            let item = book.items().get(item).to_string();
            (
                sitting.student,
                item,
                assessment.clone(),
                sitting.taken_at,
                score,
            )
        }));
        Ok(())
    })
    .expect("checked rows");
    // A student may have given one item two answers at a time, in whatever order they come.
    contents.sort_unstable();
    contents
}

/// Whether the bytes are a gradebook; if so, reads and rewrites it in every way there is.
fn survives(bytes: &[u8], solve: bool) -> bool {
    let Ok(book) = pg_assess_test_support::check(bytes) else {
        return false;
    };
    let mut last = None;
    book.visit(&go, |sitting| {
        let key = Some((sitting.student, sitting.assessment, sitting.taken_at));
        assert!(key > last, "sittings in order");
        last = key;
        assert!((MIN_TIME..=MAX_TIME).contains(&sitting.taken_at));
        assert_eq!(sitting.items.len(), sitting.scores.len());
        assert!(sitting.items.is_sorted());
        for score in sitting.scores {
            let most = if score.is_unbounded() { f64::MAX } else { 1.0 };
            assert!((0.0..=most).contains(&score.value()), "{score:?}");
        }
        Ok(())
    })
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
            let reread =
                pg_assess_test_support::check(&again).expect("what was written can be read");
            assert_eq!(reread.responses(), book.responses());
            assert_eq!(reread.excluded(), book.excluded());
            assert_eq!(reread.students().len(), book.students().len());
            assert_eq!(periods_by_id(&reread), periods_by_id(&book));
            assert_eq!(reread.roster().unusable(), book.roster().unusable());
            assert!(contents(&reread) == contents(&book), "the same responses");
            assert_eq!(
                pg_assess_test_support::merge([&again]),
                again,
                "the form is canonical"
            );
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
const LONG: usize = 8;

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
    let enrolled = with_roster(&binary, &roster);
    let roster = with_roster([], &roster);
    let mut seeds: Vec<Vec<u8>> = [
        vec![],
        vec![row(1, 1, 1, 1.0, 0.0)],
        binary,
        uuids.collect(),
        texts.collect(),
        excluded.collect(),
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
        let start = [1, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        bytes.splice(0..0, start);
        survives(&bytes, true);
        // Three students, no items, no assessments, two groups.
        let start = [1, 2, 0, 0, 0, 0, 0, 0, 1, 3, 2, 2, 2, 0, 0, 0, 1, 2, 4, 4, 0];
        bytes.splice(0..10, start);
        survives(&bytes, true);
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
fn what_is_written_otherwise_comes_in_as_we_write_it() {
    // Student 3, item 5, assessment 7, one full score at the time 0.
    let ids = [1, 1, 6, 1, 1, 10, 1, 1, 14, 0];
    let one = 1.0_f64.to_bits().to_le_bytes();
    let half = 0.5_f64.to_bits().to_le_bytes();
    let rows = [1, 1, 0, 0, 0, 1];
    let head = [1, 0, 0, 0, 0, 0, 0, 0];
    let ours = [&head[..], &ids, &[0, 1, 1], &one, &rows, &[0]].concat();
    assert_eq!(
        pg_assess_test_support::merge([&ours]),
        ours,
        "as we write it"
    );
    let with_ids = |ids: &[u8]| [&head[..], ids, &[0, 1, 1], &one, &rows, &[0]].concat();
    let others = [
        (
            "another unit",
            [&head[..], &ids, &[0, 9, 1], &one, &rows, &[0]].concat(),
        ),
        (
            "an unused score",
            [&head[..], &ids, &[0, 1, 2], &half, &one, &rows, &[1]].concat(),
        ),
        (
            "scores one by one",
            [&head[..], &ids, &[0, 1, 0], &rows, &one].concat(),
        ),
        (
            "an unused item",
            with_ids(&[1, 1, 6, 1, 2, 10, 2, 1, 1, 14, 0]),
        ),
        (
            "an unused assessment",
            with_ids(&[1, 1, 6, 1, 1, 10, 1, 2, 14, 2, 0]),
        ),
        (
            "a number at length",
            with_ids(&[1, 0x81, 0, 6, 1, 1, 10, 1, 1, 14, 0]),
        ),
        (
            "an unused group",
            [
                &[1, 2, 0, 0, 0, 0, 0, 0],
                &ids[..],
                &[1, 1, 8, 0, 0, 0, 1, 1],
                &one,
                &rows,
                &[0],
            ]
            .concat(),
        ),
    ];
    for (what, bytes) in others {
        let book = pg_assess_test_support::check(&bytes)
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(book.responses(), 1, "{what}");
        assert_eq!(
            Gradebook::canonical(&bytes, &go).as_ref(),
            Ok(&ours),
            "{what}"
        );
    }
}

/// How many numbers `forged` writes.
const NUMBERS: usize = 43;

/// One response in the flat form, number by number; those given by place are another than the
/// honest one.
fn forged(lies: &[(usize, u64)]) -> Vec<u8> {
    let mut out = vec![1, 2];
    let mut place = 0;
    let mut put = |out: &mut Vec<u8>, honest: u64| {
        let lie = lies.iter().find(|(at, _)| *at == place);
        put_varint(out, lie.map_or(honest, |(_, lie)| *lie));
        place += 1;
    };
    for _ in 0..6 {
        put(&mut out, 0); // Excluded rows by reason.
    }
    out.push(1);
    put(&mut out, 1); // Students.
    put(&mut out, 14);
    out.push(2);
    put(&mut out, 1); // Items.
    out.extend([7; 16]);
    out.push(3);
    put(&mut out, 1); // Assessments.
    put(&mut out, 2);
    out.extend(b"a1");
    put(&mut out, 1); // Unscored students.
    put(&mut out, 0);
    put(&mut out, 10);
    out.push(1);
    put(&mut out, 2); // Groups.
    put(&mut out, 6);
    put(&mut out, 2);
    put(&mut out, 1); // Unusable rows of the roster.
    put(&mut out, 3); // Periods.
    for (head, ends) in [
        (2, &[2000][..]),
        (1 << 2 | 3, &[2000, 4000]),
        (2 << 2 | 1, &[4000]),
    ] {
        put(&mut out, 0); // Student, group and which ends are given, these ends.
        put(&mut out, head);
        for &end in ends {
            put(&mut out, end);
        }
    }
    put(&mut out, 2000); // The earliest time, the unit.
    put(&mut out, 1_000_000);
    put(&mut out, 1); // Scores.
    out.extend(1.0f64.to_le_bytes());
    put(&mut out, 3); // Responses.
    put(&mut out, 2); // Sittings.
    for (time, responses) in [(0, 1), (2, 2)] {
        put(&mut out, 0); // Assessment, time, first item, responses.
        put(&mut out, time);
        put(&mut out, 0);
        put(&mut out, responses);
        if responses == 2 {
            put(&mut out, 0);
        }
        out.extend(vec![0; responses as usize]);
    }
    assert_eq!(place, NUMBERS);
    out
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
    // 140,000 gradebooks of a hundred bytes; zeroing one table of 2^28 takes longer.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn forged_times_and_scores_are_refused() {
    let spoil = |from: &[u8], to: &[u8]| {
        let mut bytes = forged(&[]);
        let at = bytes.windows(from.len()).rposition(|piece| piece == from);
        let at = at.expect("what is to be replaced");
        bytes.splice(at..at + from.len(), to.iter().copied());
        pg_assess_test_support::check(&bytes).err()
    };
    let out_of_range = Some(Error::Malformed("a score is out of range"));
    for score in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.0 + f64::EPSILON,
    ] {
        let spoilt = spoil(&1.0f64.to_le_bytes(), &score.to_le_bytes());
        assert_eq!(spoilt, out_of_range, "{score}");
    }
    // The second sitting at the time of the first; and long after the last time there is.
    let second = [0, 2, 0, 2, 0];
    let order = Some(Error::Malformed("sittings are not in order"));
    assert_eq!(spoil(&second, &[0, 0, 0, 2, 0]), order);
    let range = Some(Error::Malformed("a time is out of range"));
    for seconds in [9_223_371_999_999, u64::MAX >> 2] {
        let mut late = vec![0];
        put_varint(&mut late, 2 * seconds);
        late.extend([0, 2, 0]);
        assert_eq!(spoil(&second, &late), range);
    }
}

#[test]
fn forged_rosters_are_refused() {
    // Of the three periods in `forged`, numbers 19 to 28.
    let refused = |lies: &[(usize, u64)]| pg_assess_test_support::check(&forged(lies)).err();
    assert_eq!(refused(&[]), None);
    for (lie, reason) in [
        ((22, 1), "a student is not in the table"),
        ((23, 3 << 2 | 3), "a group is not in the table"),
        ((23, u64::MAX), "a group is not in the table"),
        ((24, 4002), "a period ends before it begins"),
        ((28, 1998), "periods are not in order"),
        ((24, u64::MAX - 1), "a time is out of range"),
        ((28, u64::MAX), "a time is out of range"),
    ] {
        assert_eq!(refused(&[lie]), Some(Error::Malformed(reason)), "{lie:?}");
    }
    // The same period twice is no set. One student, nobody unscored, no groups, no unusable rows,
    // the periods, no times, no scores, no responses.
    let open = |periods: &[u8]| {
        let start = [1, 2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0];
        pg_assess_test_support::check(&[&start, periods, &[0, 1, 0, 0, 0]].concat()).err()
    };
    assert_eq!(open(&[1, 0, 0]), None);
    let order = Some(Error::Malformed("periods are not in order"));
    assert_eq!(open(&[2, 0, 0, 0, 0]), order);
}

#[test]
fn forged_counts_of_rows_do_not_overflow() {
    let bytes = forged(&[(0, u64::MAX), (2, u64::MAX)]);
    let book = pg_assess_test_support::check(&bytes).expect("a gradebook with many excluded rows");
    let mut builder = Builder::new();
    builder.merge(&book, &go).expect("the counts fit");
    let without_id = OwnRow {
        item: None,
        ..row(7, 1, 1, 1.0, 0.0)
    };
    builder
        .push(Clock::Calendar, without_id.row())
        .expect("a bad row stops nothing");
    let bytes = builder.encode(&|| {}).expect("small");
    let excluded = *Gradebook::open(&bytes).expect("a gradebook").excluded();
    assert_eq!(excluded.count(Exclusion::NullId), u64::MAX);
    assert!(matches!(
        builder.merge(&book, &go),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn newer_versions_and_unknown_parts_are_distinguished_from_damage() {
    let mut bytes = forged(&[]);
    bytes[0] = 2;
    assert_eq!(
        pg_assess_test_support::check(&bytes).err(),
        Some(Error::Newer(2))
    );
    bytes[0] = 0;
    assert!(matches!(
        pg_assess_test_support::check(&bytes),
        Err(Error::Malformed(_))
    ));
    bytes[0] = 1;
    for flag in 2..8 {
        bytes[1] = 2 | 1 << flag;
        assert_eq!(
            pg_assess_test_support::check(&bytes).err(),
            Some(Error::Newer(1))
        );
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
