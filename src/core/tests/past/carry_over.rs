//! Last year's gradebook: what it may change, what it may not, and that it says what is true.

use pg_assess_core::domain::Argument;
use pg_assess_core::error::{Error, Result};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::students::previous::Previous;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Ask, Asked};
use pg_assess_test_support::{OwnId, OwnRow, Solved, close, go, gradebook, merge, normal, row};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Days from one year's first assessment to the next year's.
const YEAR: f64 = 365.0;

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        rng_seed: RngSeed::Fixed(21),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What `old` says, as the options with which `new` is to be solved.
fn try_after(old: &[u8], new: &[u8], options: &Asked) -> Result<Asked> {
    let (old, new) = (Gradebook::open(old)?, Gradebook::open(new)?);
    let previous = solve::previous(&old, options, &new, options, &|at| at, &go)?;
    Ok(Asked {
        previous,
        ..options.clone()
    })
}

fn after(old: &[u8], new: &[u8], options: &(impl Clone + Into<Asked>)) -> Asked {
    try_after(old, new, &options.clone().into()).expect("last year")
}

/// A year of a school: students by number, right or wrong answers.
fn year(seed: u64, first_student: i64, first_day: f64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (students, assessments, questions) = (
        rng.gen_range(1..30),
        rng.gen_range(1..6),
        rng.gen_range(1..6),
    );
    let mut rows = Vec::new();
    for student in first_student..first_student + students {
        let ability = normal(&mut rng);
        for assessment in 0..assessments {
            if rng.gen_bool(0.2) {
                continue;
            }
            for question in 0..questions {
                let item = assessment * questions + question;
                let right = ability + normal(&mut rng) > 0.3 * (question as f64 - 2.0);
                let day = first_day + 20.0 * assessment as f64;
                rows.push(row(
                    student,
                    item,
                    assessment,
                    f64::from(u8::from(right)),
                    day,
                ));
            }
        }
    }
    rows
}

/// The row of a student of whom nothing usable is known, to a question that nobody answered.
fn absent(student: i64, day: f64) -> OwnRow {
    OwnRow {
        score: None,
        ..row(student, 99, 99, 0.0, day)
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn where_last_year_says_nothing_all_is_as_it_was(seed in any::<u64>(), shift in -9..9i64) {
        let (old, new) = (gradebook(&year(seed, shift, 0.0)), gradebook(&year(seed ^ 1, 0, YEAR)));
        let plain = Options::default();
        let alone = Solved::of(&new, &plain);
        // One student alone does not show the noise, and last year's may.
        prop_assume!(alone.students.iter().flat_map(|row| row.level).all(|level| level.se.is_some()));
        let alone = alone.text();
        let strangers = gradebook(&year(seed, 1000, 0.0));
        let blank = gradebook(&[absent(0, 0.0), absent(3, 0.0)]);
        let none = gradebook([]);
        for (what, old, options) in [
            ("nothing", &none, plain.clone()),
            ("nothing usable", &blank, plain.clone()),
            ("strangers", &strangers, plain.clone()),
            ("the same gradebook", &new, plain.clone()),
            ("no carry-over", &old, Options { carry_over: 0.0, ..plain.clone() }),
        ] {
            let options = after(old, &new, &options);
            prop_assert_eq!(&Solved::of(&new, &options).text(), &alone, "{}", what);
        }
        let unshrunk = Options { shrink: false, ..plain };
        let text = Solved::of(&new, &after(&old, &new, &unshrunk)).text();
        prop_assert_eq!(text, Solved::of(&new, &unshrunk).text());
    }

    #[test]
    fn figures_are_sound_and_lie_between_prior_and_evidence(
        seed in any::<u64>(), shift in -9..9i64, carry_over in 0.0..=1.0f64,
    ) {
        let old = gradebook(&year(seed, shift, 0.0));
        let mut rows = year(seed ^ 1, 0, YEAR);
        rows.extend((0..40).map(|student| absent(student, YEAR)));
        let new = gradebook(&rows);
        // Without weights, only levels are shrunk.
        let plain = Options {
            carry_over,
            quality: false,
            ..Options::default()
        };
        let options = after(&old, &new, &plain);
        let (alone, solved) = (Solved::of(&new, &plain), Solved::of(&new, &options));
        // Explanations add up, ranks have no gaps, nothing is NaN.
        solved.assert_sound(&options);
        let adjusted = |student: u32| {
            let unshrunk = Options { shrink: false, ..plain.clone() };
            let book = Gradebook::open(&new).expect("a gradebook");
            let rows = solve::students(&book, &unshrunk, &go).expect("students");
            rows.iter().find(|row| row.student == student)?.level.map(|level| level.level)
        };
        for (row, alone) in solved.students.iter().zip(&alone.students) {
            let known = row.level.filter(|level| level.prior_is_own || level.last_at.is_some());
            prop_assert_eq!(row.need_rank.is_some(), known.is_some());
            prop_assert_eq!(row.status, alone.status);
            prop_assert_eq!((row.n, &row.trend, row.work), (alone.n, &alone.trend, alone.work));
            let (Some(level), Some(before)) = (row.level, alone.level) else { continue };
            prop_assert!(level.se <= before.se.map(|se| se * (1.0 + 1e-12)), "{:?}", level);
            prop_assert!(level.reliability <= before.reliability);
            if level.last_at.is_none() {
                prop_assert_eq!(level.level, level.prior);
                continue;
            }
            if row.student % 5 == 0 {
                let own = adjusted(row.student).expect("a level");
                let (low, high) = (own.min(level.prior), own.max(level.prior));
                prop_assert!(low - 1e-12 <= level.level && level.level <= high + 1e-12);
            }
        }
    }

    #[test]
    fn neither_the_order_nor_the_parts_of_last_year_matter(seed in any::<u64>()) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut old, new) = (year(seed, 0, 0.0), gradebook(&year(seed ^ 1, 3, YEAR)));
        let options = Options::default();
        let whole = after(&gradebook(&old), &new, &options);
        old.shuffle(&mut rng);
        let (one, other) = old.split_at(old.len() / 3);
        let merged = after(&merge(&[gradebook(other), gradebook(one)]), &new, &options);
        prop_assert_eq!(Solved::of(&new, &whole).text(), Solved::of(&new, &merged).text());
    }

    /// Neither what is later than the date, nor what is not older than a student's own first
    /// response, though both years overlap.
    #[test]
    fn nothing_of_last_year_comes_from_later_or_counts_twice(
        seed in any::<u64>(), overlap in 0..100i64, as_of in prop::option::of(0..500i64),
    ) {
        let start = YEAR - overlap as f64;
        let (old, mut rows) = (year(seed, 0, YEAR - 80.0), year(seed ^ 1, 0, start));
        rows.extend((0..40).map(|student| absent(student, start)));
        let options = Asked { as_of: as_of.map(|day| day * DAY), ..Asked::default() };
        let counts = |row: &&OwnRow| row.score.is_some() && options.as_of.is_none_or(|at| row.taken_at <= Some(at));
        let latest = rows.iter().filter(counts).map(|row| row.taken_at).max();
        let end = options.as_of.or(latest.flatten()).unwrap_or(i64::MAX);
        let older = |row: &&OwnRow| {
            let own = rows.iter().filter(counts).filter(|new| new.student == row.student);
            let first = own.map(|new| new.taken_at).min().flatten();
            row.taken_at <= Some(end) && first.is_none_or(|first| row.taken_at < Some(first))
        };
        let cut: Vec<OwnRow> = old.iter().filter(older).cloned().collect();
        let new = gradebook(&rows);
        let (whole, cut) = (after(&gradebook(&old), &new, &options), after(&gradebook(&cut), &new, &options));
        prop_assert_eq!(Solved::of(&new, &whole).text(), Solved::of(&new, &cut).text());
    }
}

fn level_of(bytes: &[u8], student: &str, options: &impl Ask) -> Student {
    let book = Gradebook::open(bytes).expect("a gradebook");
    let number = book.students().find(student).expect("a student");
    let students = solve::students(&book, options, &go).expect("students");
    let found = students.into_iter().find(|row| row.student == number);
    found.expect("a known student")
}

/// Twenty students, 6 assessments of two questions; the later the number the better.
fn ladder(ids: impl Fn(i64) -> OwnId, first_day: f64, assessments: i64) -> Vec<OwnRow> {
    let mut rows = Vec::new();
    for student in 0..20 {
        for assessment in 0..assessments {
            for question in 0..2 {
                let wobble = (student * 7 + assessment * 3 + question) % 5;
                let score = (student + wobble) as f64 / 25.0;
                let day = first_day + 14.0 * assessment as f64;
                rows.push(OwnRow {
                    student: Some(ids(student)),
                    ..row(0, 2 * assessment + question, assessment, score, day)
                });
            }
        }
    }
    rows
}

#[test]
fn students_are_known_by_the_text_of_their_ids() {
    let integer = |n| OwnId::Integer(n);
    let text = |n: i64| OwnId::Text(n.to_string());
    let padded = |n: i64| OwnId::Text(format!("{n:02}"));
    let uuid = |n: i64| OwnId::Uuid(n as u128);
    let uuid_text = |n: i64| OwnId::Text(format!("00000000-0000-0000-0000-{n:012x}"));
    let upper = |n: i64| OwnId::Text(format!("00000000-0000-0000-0000-{:012X}", n + 0xa0));
    let large = |n: i64| OwnId::Uuid(n as u128 + 0xa0);
    type Make<'a> = &'a dyn Fn(i64) -> OwnId;
    let pairs: [(Make, Make, usize); 8] = [
        (&integer, &integer, 20),
        (&integer, &text, 20),
        (&text, &integer, 20),
        (&uuid, &uuid, 20),
        (&uuid, &uuid_text, 20),
        (&uuid_text, &uuid, 20),
        // "07" is no 7, and another spelling of a uuid another text.
        (&integer, &padded, 10),
        (&large, &upper, 0),
    ];
    for (at, (old, new, expected)) in pairs.into_iter().enumerate() {
        let (old, new) = (
            gradebook(&ladder(old, 0.0, 6)),
            gradebook(&ladder(new, YEAR, 1)),
        );
        let options = after(&old, &new, &Options::default());
        let known = options.previous.records.iter().flatten().count();
        assert_eq!(known, expected, "pair {at}");
    }
}

#[test]
fn the_first_day_of_a_year_has_levels_and_ranks() {
    let old = gradebook(&ladder(OwnId::Integer, 0.0, 6));
    // The new class: ten of the old, and two whom nobody knows.
    let rows: Vec<OwnRow> = (5..15)
        .chain([77, 78])
        .map(|student| absent(student, YEAR))
        .collect();
    let new = gradebook(&rows);
    assert!(level_of(&new, "5", &Options::default()).level.is_none());
    let options = after(&old, &new, &Options::default());
    Solved::of(&new, &options).assert_sound(&options);
    let stranger = level_of(&new, "77", &options);
    let prior = stranger.level.expect("last year's cohort");
    assert_eq!((stranger.need_rank, prior.prior_is_own), (None, false));
    let mut last = f64::NEG_INFINITY;
    for student in 5..15 {
        let row = level_of(&new, &student.to_string(), &options);
        let level = row.level.expect("a level");
        assert_eq!((row.status.label(), row.assessments, row.n), ("none", 0, 0));
        assert!(level.level > last && level.se < prior.se, "{level:?}");
        assert_eq!(row.need_rank, Some(student - 4), "the lowest first");
        last = level.level;
        // By hand: the regression on last year's level.
        let book = Gradebook::open(&old).expect("a gradebook");
        let then = level_of(&old, &student.to_string(), &Options::default());
        let then = then.level.expect("a level");
        assert!(book.students().len() == 20);
        let expected = prior.level + 0.65 * (then.level - then.prior);
        close(level.level, expected, 1e-12, "prior");
        let left = 1.0 - 0.65 * 0.65 * then.reliability;
        let se = prior.se.expect("an error") * left.sqrt();
        close(level.se.expect("an error"), se, 1e-12, "its error");
    }
}

/// One student has answered a question: what that says about noise, only last year can show.
#[test]
fn the_first_score_of_a_year_has_an_interval() {
    let old = gradebook(&ladder(OwnId::Integer, 0.0, 6));
    let new = gradebook(&[row(3, 1, 1, 0.5, YEAR)]);
    let alone = level_of(&new, "3", &Options::default())
        .level
        .expect("a level");
    assert_eq!(alone.se, None);
    let options = after(&old, &new, &Options::default());
    let level = level_of(&new, "3", &options).level.expect("a level");
    assert!(level.se.is_some() && level.level < 0.5, "{level:?}");
}

#[test]
fn a_year_in_which_nobody_differs_says_nothing() {
    let new = gradebook(&ladder(OwnId::Integer, YEAR, 3));
    let alone = Solved::of(&new, &Options::default()).text();
    let same: Vec<OwnRow> = (0..60)
        .map(|n| row(n % 20, n / 20, n / 20, 0.7, n as f64))
        .collect();
    let one: Vec<OwnRow> = (0..6)
        .map(|n| row(3, n, n, (n % 2) as f64, n as f64))
        .collect();
    for (what, old) in [("all the same", same), ("one student", one)] {
        let options = after(&gradebook(&old), &new, &Options::default());
        assert_eq!(Solved::of(&new, &options).text(), alone, "{what}");
    }
    // A single assessment says little, but something.
    let single = gradebook(&ladder(OwnId::Integer, 0.0, 1));
    let options = after(&single, &new, &Options::default());
    let (first, last) = (
        level_of(&new, "0", &options),
        level_of(&new, "19", &options),
    );
    let prior = |row: Student| row.level.expect("a level").prior;
    assert!(prior(first) < prior(last));
}

/// Last year's scores may be spread twice as wide: what counts is where a student stood.
#[test]
fn the_spread_of_last_year_does_not_matter() {
    let new = gradebook(&ladder(OwnId::Integer, YEAR, 2));
    let narrow: Vec<OwnRow> = ladder(OwnId::Integer, 0.0, 6)
        .into_iter()
        .map(|row| OwnRow {
            score: row.score.map(|score| 0.3 + 0.5 * score),
            ..row
        })
        .collect();
    let wide = after(
        &gradebook(&ladder(OwnId::Integer, 0.0, 6)),
        &new,
        &Options::default(),
    );
    let narrow = after(&gradebook(&narrow), &new, &Options::default());
    for student in ["0", "7", "19"] {
        let prior = |options| {
            level_of(&new, student, options)
                .level
                .expect("a level")
                .prior
        };
        close(prior(&wide), prior(&narrow), 1e-9, student);
    }
}

#[test]
fn times_are_brought_to_the_clock_of_last_year() {
    // Its clock is ten days ahead.
    let (old, new) = (
        ladder(OwnId::Integer, 0.0, 6),
        ladder(OwnId::Integer, 60.0, 2),
    );
    let (old_bytes, new_bytes) = (gradebook(&old), gradebook(&new));
    fn book(bytes: &[u8]) -> Gradebook<'_> {
        Gradebook::open(bytes).expect("a gradebook")
    }
    let read_at = |convert: &dyn Fn(i64) -> i64, options: &Options| -> Previous {
        let (old, new) = (book(&old_bytes), book(&new_bytes));
        solve::previous(&old, options, &new, options, convert, &go).expect("last year")
    };
    let upto = |day: f64| -> Previous {
        let rows = old
            .iter()
            .filter(|row| row.taken_at < Some((day * DAY as f64) as i64));
        let cut = gradebook(rows);
        let (old, new) = (book(&cut), book(&new_bytes));
        let options = Options::default();
        solve::previous(&old, &options, &new, &options, &|at| at, &go).expect("last year")
    };
    let plain = Options::default();
    assert_eq!(read_at(&|at| at, &plain), upto(60.0));
    assert_eq!(read_at(&|at| at + 10 * DAY, &plain), upto(70.0));
    assert_eq!(read_at(&|at| at - 20 * DAY, &plain), upto(40.0));
}

#[test]
fn what_cannot_be_read_or_computed_with_is_refused() {
    let (old, new) = (gradebook(&year(1, 0, 0.0)), gradebook(&year(2, 0, YEAR)));
    for carry_over in [-1e-9, 1.000_001, f64::NAN, f64::INFINITY] {
        let options = Options {
            carry_over,
            ..Options::default()
        };
        let refusal = try_after(&old, &new, &options.clone().into()).expect_err("out of range");
        assert!(
            matches!(
                refusal,
                Error::Argument(Argument {
                    name: "carry_over",
                    ..
                })
            ),
            "{refusal:?}"
        );
        let book = Gradebook::open(&new).expect("a gradebook");
        assert!(solve::students(&book, &options, &go).is_err());
    }
    // The responses are read whether they are going to count or not.
    for carry_over in [0.0, 0.65] {
        let options = Options {
            carry_over,
            ..Options::default()
        };
        let forged = [&old[..old.len() - 1], &[0xff, 0xff]].concat();
        assert!(try_after(&forged, &new, &options.clone().into()).is_err());
    }
}

/// Two years of a cohort in which true levels have a known correlation.
struct TwoYears {
    old: Vec<u8>,
    new: Vec<u8>,
    truth: Vec<f64>,
}

const STUDENTS: usize = 500;
const SPREAD: f64 = 0.12;
const NOISE: f64 = 0.1;

impl TwoYears {
    /// `scores` this year by student. A third has two, a third six scores of last year, the
    /// rest none.
    fn new(seed: u64, correlation: f64, scores: fn(usize) -> usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut old, mut new, mut truth) = (Vec::new(), Vec::new(), Vec::new());
        for student in 0..STUDENTS {
            let before = normal(&mut rng);
            let rest = (1.0 - correlation * correlation).sqrt();
            let now = 0.5 + SPREAD * (correlation * before + rest * normal(&mut rng));
            truth.push(now);
            let id = student as i64;
            let mut score = |level: f64| level + NOISE * normal(&mut rng);
            for at in 0..[0, 2, 6][student % 3] {
                // Another scale than this year's.
                let share = 0.6 + 0.5 * (score(0.5 + SPREAD * before) - 0.5);
                old.push(row(id, at, at, share.clamp(0.0, 1.0), 7.0 * at as f64));
            }
            for at in 0..scores(student) as i64 {
                let share = score(now).clamp(0.0, 1.0);
                new.push(row(id, at, at, share, YEAR + 7.0 * at as f64));
            }
            new.push(absent(id, YEAR));
        }
        Self {
            old: gradebook(&old),
            new: gradebook(&new),
            truth,
        }
    }

    fn solve(&self, carry_over: f64) -> Vec<Student> {
        // All are equally noisy, which the default does not take for granted.
        let options = Options {
            carry_over,
            noise_df: 1e4,
            half_life: 1e4,
            ..Options::default()
        };
        let options = after(&self.old, &self.new, &options);
        let book = Gradebook::open(&self.new).expect("a gradebook");
        solve::students(&book, &options, &go).expect("students")
    }
}

#[test]
fn the_true_correlation_predicts_best() {
    for (seed, correlation) in [(0, 0.5), (10, 0.65), (20, 0.8)] {
        let rmse = |carry_over: f64| {
            let mut squares = 0.0;
            for seed in seed..seed + 8 {
                let years = TwoYears::new(seed, correlation, |student| [1, 2][student % 2]);
                for (row, truth) in years.solve(carry_over).iter().zip(&years.truth) {
                    squares += (row.level.expect("a level").level - truth).powi(2);
                }
            }
            (squares / (8 * STUDENTS) as f64).sqrt()
        };
        let best = rmse(correlation);
        for other in [0.0, correlation - 0.25, correlation + 0.2] {
            assert!(
                best < rmse(other),
                "{other} for {correlation}: {best} {}",
                rmse(other)
            );
        }
        assert!(best < 0.98 * rmse(0.0), "{best} {}", rmse(0.0));
    }
}

#[test]
fn intervals_hold_the_truth_and_need_is_calibrated() {
    // By scores this year (0, 1, 4) and whether there is a record of last year.
    let (mut held, mut asked) = ([0.0; 6], [0.0; 6]);
    let (mut needed, mut below) = ([0.0; 4], [0.0; 4]);
    for seed in 100..112 {
        let years = TwoYears::new(seed, 0.65, |student| [0, 1, 4][student / 3 % 3]);
        let mut sorted = years.truth.clone();
        sorted.sort_by(f64::total_cmp);
        let cut = sorted[STUDENTS / 5];
        for (student, (row, truth)) in years.solve(0.65).iter().zip(&years.truth).enumerate() {
            let level = row.level.expect("a level");
            let (low, high) = (level.ci_low.expect("low"), level.ci_high.expect("high"));
            assert_eq!(level.prior_is_own, student % 3 > 0);
            let group = 2 * (student / 3 % 3) + usize::from(level.prior_is_own);
            held[group] += f64::from(u8::from(low <= *truth && *truth <= high));
            asked[group] += 1.0;
            let need = level.need.expect("need");
            let bin = (4.0 * need).floor().min(3.0) as usize;
            needed[bin] += need;
            below[bin] += f64::from(u8::from(*truth < cut));
        }
    }
    for group in 0..6 {
        let coverage = held[group] / asked[group];
        assert!(
            (0.93..=0.97).contains(&coverage),
            "group {group}: {coverage}"
        );
    }
    for bin in 0..4 {
        let ratio = below[bin] / needed[bin];
        assert!(
            (0.88..=1.12).contains(&ratio),
            "need from {} / 4: {ratio}",
            bin
        );
    }
}
