//! Reliability where students answer different questions: against an obvious calculation, against
//! known errors of measurement, and by laws.

mod slow;

use pg_assess_core::assessments::{AlphaStatus, Assessment};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::statistics::alpha;
use pg_assess_test_support::{OwnId, OwnRow, close, close_option, go, gradebook, row, solve};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use slow::{slow_covariances, slow_reliability};

use slow::variance;

/// Students by questions.
pub type Table = Vec<Vec<Option<f64>>>;

fn solved(rows: &[OwnRow]) -> Assessment {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let mut found = solve::assessments(&book, &Options::default(), &go).expect("assessments");
    assert_eq!(found.len(), 1);
    found.remove(0).1
}

fn rows(table: &Table) -> Vec<OwnRow> {
    let student = |(student, row_of): (i64, &Vec<Option<f64>>)| -> Vec<OwnRow> {
        let answers = (0..).zip(row_of);
        answers
            .filter_map(|(question, score)| Some(row(student, question, 1, (*score)?, 0.0)))
            .collect()
    };
    (0..).zip(table).flat_map(student).collect()
}

fn of(table: &Table) -> Assessment {
    solved(&rows(table))
}

/// A made-up test: who answers what is drawn for each student, and answers follow the model of Rasch.
struct Made {
    table: Table,
    /// Per student: the mean score that all draws would have on average.
    truth: Vec<f64>,
}

/// What a student gets.
#[derive(Clone, Copy)]
enum Draw {
    /// All questions.
    All,
    /// So many of the pool.
    Some(usize),
    /// So many, different from student to student.
    Any(&'static [usize]),
    /// One question of each run of so many; the first `common` questions stand alone.
    Slots { common: usize, size: usize },
}

fn made(students: usize, difficulties: &[f64], draw: Draw, rng: &mut ChaCha8Rng) -> Made {
    let questions = difficulties.len();
    let chance = |level: f64, at: usize| 1.0 / (1.0 + (difficulties[at] - level).exp());
    let mut made = Made {
        table: Vec::new(),
        truth: Vec::new(),
    };
    for _ in 0..students {
        // Nearly normal, with a spread of 1.
        let level = (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
        let pool: Vec<usize> = (0..questions).collect();
        let mut some =
            |count: usize| -> Vec<usize> { pool.choose_multiple(rng, count).copied().collect() };
        let own = match draw {
            Draw::All => pool.clone(),
            Draw::Some(count) => some(count),
            Draw::Any(counts) => {
                let count = counts[made.table.len() % counts.len()];
                some(count)
            }
            Draw::Slots { common, size } => {
                let slots = pool[common..].chunks(size);
                let drawn = slots.map(|slot| *slot.choose(rng).expect("a question"));
                pool[..common].iter().copied().chain(drawn).collect()
            }
        };
        let mut row = vec![None; questions];
        for at in own {
            row[at] = Some(f64::from(u8::from(rng.r#gen::<f64>() < chance(level, at))));
        }
        let weight = |at: usize| match draw {
            Draw::Slots { common, size } if at >= common => 1.0 / size as f64,
            _ => 1.0,
        };
        let weights: f64 = (0..questions).map(weight).sum();
        let all = (0..questions).map(|at| weight(at) * chance(level, at));
        made.truth.push(all.sum::<f64>() / weights);
        made.table.push(row);
    }
    made
}

/// From easy to hard, one logit apart on average.
fn spread(questions: usize) -> Vec<f64> {
    let at = |question: usize| (question * 7 % questions) as f64 / (questions - 1) as f64;
    (0..questions)
        .map(|question| 3.4 * at(question) - 1.7)
        .collect()
}

/// Without questions that nobody answered.
fn answered(table: Table) -> Table {
    let questions = table[0].len();
    let kept: Vec<usize> = (0..questions)
        .filter(|&at| table.iter().any(|row| row[at].is_some()))
        .collect();
    let row = |row: Vec<Option<f64>>| kept.iter().map(|&at| row[at]).collect();
    table.into_iter().map(row).collect()
}

#[test]
fn figures_are_those_of_the_obvious_calculation() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut tested = 0;
    for round in 0..60 {
        let draw = [
            Draw::All,
            Draw::Some(4),
            Draw::Any(&[1, 2, 3, 8]),
            Draw::Slots { common: 4, size: 3 },
        ][round % 4];
        let students = rng.gen_range(12..60);
        let mut table = made(students, &spread(10), draw, &mut rng).table;
        for row in &mut table {
            // Gaps, partial credit and a question that only one student got.
            for score in row.iter_mut() {
                let gap = round % 3 == 0 && rng.gen_bool(0.1);
                *score = score.filter(|_| !gap).map(|score| 0.25 + 0.5 * score);
            }
            row.push(None);
        }
        table[round % students][10] = (round % 2 == 0).then_some(1.0);
        table.retain(|row| row.iter().any(Option::is_some));
        let table = answered(table);
        let ours = of(&table);
        let (variance, error, se) = slow_reliability(&table);
        let what = format!("round {round}");
        close_option(ours.sd, Some(variance.sqrt()), 1e-12, &what);
        if ours.alpha_status != AlphaStatus::Ok {
            continue;
        }
        tested += 1;
        close_option(ours.sem, Some(error.sqrt()), 1e-9, &what);
        close_option(ours.alpha, Some(1.0 - error / variance), 1e-8, &what);
        match se {
            Some(se) => close_option(ours.alpha_se, Some(se), 1e-9 * (1.0 + se), &what),
            None => assert_eq!(ours.alpha_se, None),
        }
    }
    assert!(tested > 40, "{tested}");
}

#[test]
fn complete_rows_give_the_alpha_of_cronbach() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for students in [2, 3, 9, 10, 200] {
        for questions in [2, 3, 25] {
            let table = made(students, &spread(questions), Draw::All, &mut rng).table;
            let mut state = vec![0.0; alpha::length(questions)];
            for row in &table {
                let row: Vec<f64> = row.iter().flatten().copied().collect();
                alpha::push(&mut state, &row);
            }
            let ours = of(&table);
            let what = format!("{students} students, {questions} questions");
            let scale = ours.alpha.map_or(1.0, |alpha| 1.0 + alpha.powi(2));
            close_option(ours.alpha, alpha::alpha(&state), 1e-12 * scale, &what);
            // Of its square, as a root makes much of a trace of rounding.
            let square = |se: Option<f64>| se.map(|se| se.powi(2));
            let expected = square(alpha::alpha_se(&state));
            close_option(
                square(ours.alpha_se),
                expected,
                1e-12 * scale.powi(3),
                &what,
            );
            let sem = ours
                .sd
                .zip(ours.alpha)
                .map(|(sd, alpha)| sd * (1.0 - alpha).sqrt());
            close_option(ours.sem, sem, 1e-12, &what);
        }
    }
}

/// What students' means are off the truth by, and what alpha ought to be: the share of their
/// variance that is not that. Figures are means of many tests.
fn check_against_truth(what: &str, students: usize, difficulties: &[f64], draw: Draw) {
    // With five answers a question, what the noise of difficulties adds is only known roughly.
    let tolerance = if what == "thin" { 0.08 } else { 0.05 };
    let rounds = 30_000 / students;
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let (mut error, mut sem, mut share, mut alphas) = (0.0, 0.0, 0.0, Vec::new());
    let mut ses = 0.0;
    for _ in 0..rounds {
        let made = made(students, difficulties, draw, &mut rng);
        let ours = of(&made.table);
        let mean = |row: &Vec<Option<f64>>| {
            let scores: Vec<f64> = row.iter().flatten().copied().collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        let off = made.table.iter().zip(&made.truth);
        let off = off.map(|(row, truth)| (mean(row) - truth).powi(2));
        let squared = off.sum::<f64>() / students as f64;
        error += squared;
        share += 1.0 - squared / ours.sd.expect("a spread").powi(2);
        sem += ours.sem.expect("an error").powi(2);
        alphas.push(ours.alpha.expect("an alpha"));
        ses += ours.alpha_se.expect("a standard error");
    }
    let n = f64::from(rounds as u32);
    let alpha = alphas.iter().sum::<f64>() / n;
    close(sem / error, 1.0, tolerance, &format!("{what}: squared sem"));
    close(alpha, share / n, 0.025, &format!("{what}: alpha"));
    let spread = variance(&alphas).sqrt();
    close(
        ses / n / spread,
        1.0,
        0.35,
        &format!("{what}: standard error of alpha"),
    );
}

#[test]
fn all_questions_have_the_known_error() {
    check_against_truth("all", 300, &spread(10), Draw::All);
}

#[test]
fn six_of_a_pool_have_the_known_error() {
    check_against_truth("equally hard", 1000, &[0.0; 24], Draw::Some(6));
    check_against_truth("differently hard", 1000, &spread(24), Draw::Some(6));
    check_against_truth("small", 100, &spread(24), Draw::Some(6));
    check_against_truth("thin", 100, &spread(200), Draw::Some(10));
}

#[test]
fn random_slots_have_the_known_error() {
    check_against_truth("one", 300, &spread(11), Draw::Slots { common: 9, size: 2 });
    check_against_truth(
        "one of many",
        300,
        &spread(60),
        Draw::Slots {
            common: 10,
            size: 50,
        },
    );
    check_against_truth("only", 300, &spread(20), Draw::Slots { common: 0, size: 4 });
}

#[test]
fn students_with_different_numbers_of_questions_have_the_known_error() {
    check_against_truth("numbers", 1000, &spread(24), Draw::Any(&[2, 4, 6, 12]));
}

#[test]
fn two_halves_of_a_draw_agree_as_alpha_says() {
    // So large a pool that one half does not know what the other drew.
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let whole = made(4000, &spread(240), Draw::Some(12), &mut rng).table;
    // Every second question of a student, beginning with the first or with the second.
    let half = |begin: usize| -> Table {
        let row = |row: &Vec<Option<f64>>| {
            let mut seen = begin;
            let keep = row.iter().map(|score| {
                seen += usize::from(score.is_some());
                score.filter(|_| seen.is_multiple_of(2))
            });
            keep.collect()
        };
        whole.iter().map(row).collect()
    };
    let (one, other) = (half(0), half(1));
    let mean = |row: &Vec<Option<f64>>| row.iter().flatten().sum::<f64>() / 6.0;
    let [a, b] = [&one, &other].map(|half| half.iter().map(mean).collect::<Vec<f64>>());
    let difference: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    // With v(a + b) - v(a - b) = 4 cov(a, b).
    let covariance = (variance(&sum) - variance(&difference)) / 4.0;
    let correlation = covariance / (variance(&a) * variance(&b)).sqrt();
    for half in [&one, &other] {
        let ours = of(half);
        close_option(ours.alpha, Some(correlation), 0.03, "alpha");
        let error = (variance(&difference) / 2.0).sqrt();
        close_option(ours.sem, Some(error), 0.025 * error, "sem");
    }
}

#[test]
fn a_random_slot_takes_nothing_away() {
    let right = |s: i64, q: i64| f64::from(u8::from((s * 7 + q * 3) % 10 < s / 4));
    let test = |slot: &dyn Fn(i64) -> i64| -> Assessment {
        let students = (1..=40).flat_map(|s| (1..=6).map(move |q| (s, q)));
        let rows: Vec<OwnRow> = students
            .map(|(s, q)| row(s, if q == 6 { slot(s) } else { q }, 1, right(s, q), 0.0))
            .collect();
        solved(&rows)
    };
    let (fixed, drawn) = (test(&|_| 6), test(&|s| 60 + s % 2));
    assert_eq!(drawn.alpha_status, AlphaStatus::Ok);
    close_option(drawn.alpha, fixed.alpha, 0.08, "alpha");
    close_option(drawn.sem, fixed.sem, 0.02, "sem");
    // One alternative of its own for each student leaves the five that all answered.
    let own = test(&|s| 600 + s);
    assert_eq!((own.items, own.alpha_status), (45, AlphaStatus::Ok));
    close_option(own.alpha, fixed.alpha, 0.1, "alpha");
}

#[test]
fn an_answer_to_one_more_question_takes_nothing_away() {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    let mut table = made(400, &spread(20), Draw::All, &mut rng).table;
    let before = of(&table);
    for (score, student) in [(0.0, 3), (1.0, 3), (1.0, 250)] {
        for row in &mut table {
            row.truncate(20);
            row.push(None);
        }
        table[student][20] = Some(score);
        let after = of(&table);
        assert_eq!((after.items, after.alpha_status), (21, AlphaStatus::Ok));
        close_option(after.alpha, before.alpha, 2e-3, "alpha");
        close_option(after.alpha_se, before.alpha_se, 1e-3, "alpha_se");
        close_option(after.sem, before.sem, 1e-3, "sem");
    }
}

#[test]
fn a_status_says_why_there_is_no_alpha() {
    let status = |table: &Table| {
        let found = of(table);
        let figures = [found.alpha, found.alpha_se, found.sem];
        assert!(
            figures
                .iter()
                .all(|figure| figure.is_some() == figures[0].is_some())
        );
        assert_eq!(figures[0].is_some(), found.alpha_status == AlphaStatus::Ok);
        found.alpha_status.label()
    };
    let full = |students: usize, score: &dyn Fn(usize, usize) -> f64| -> Table {
        let row = |s: usize| (0..3).map(|q| Some(score(s, q))).collect();
        (0..students).map(row).collect()
    };
    let some = |s: usize, q: usize| f64::from(u8::from((s * (q + 2)) % 5 < 2));
    assert_eq!(status(&full(20, &some)), "ok");
    assert_eq!(status(&full(2, &|s, _| s as f64)), "ok");
    assert_eq!(status(&vec![vec![Some(1.0)]; 20]), "one_question");
    assert_eq!(status(&vec![vec![Some(1.0)]]), "one_question");
    assert_eq!(status(&full(1, &some)), "one_student");
    assert_eq!(status(&full(20, &|_, _| 0.7)), "no_variance");
    assert_eq!(status(&full(20, &|_, q| q as f64 / 2.0)), "no_variance");
    let same_mean = |s: usize, q: usize| f64::from(u8::from(s % 3 == q));
    assert_eq!(status(&full(21, &same_mean)), "no_variance");
    let single = |s: usize| {
        (0..4)
            .map(|q| (s % 4 == q).then_some((s % 2) as f64))
            .collect()
    };
    assert_eq!(status(&(0..20).map(single).collect()), "nothing_shared");
    let own = |s: usize| {
        (0..40)
            .map(|q| (q / 2 == s).then_some((q % 2) as f64))
            .collect()
    };
    assert_eq!(status(&(0..20).map(own).collect()), "nothing_shared");
    // Two of twenty answered the same two.
    let shared = |with: usize| -> Table {
        let row = |s: usize| {
            let score = |q: usize| some(s + 1, q);
            vec![Some(score(0)), (s < with).then(|| score(1))]
        };
        (0..20).map(row).collect()
    };
    assert_eq!(status(&shared(2)), "few_shared");
    assert_eq!(status(&shared(9)), "few_shared");
    assert_eq!(status(&shared(10)), "ok");
    let bank = vec![vec![Some(1.0); 1001]; 2];
    assert_eq!(status(&bank), "too_many_questions");
}

/// Ten students in five couples, each with two questions of their own: ten students share, but all
/// pairs of questions together show no more than one that six students answered.
#[test]
fn many_pairs_of_two_students_each_are_few() {
    let couple = |s: usize| {
        let score = |q: usize| (q / 2 == s / 2).then_some(((s + q) % 2) as f64);
        (0..10).map(score).collect()
    };
    let found = of(&(0..10).map(couple).collect());
    assert_eq!(found.alpha_status, AlphaStatus::FewShared);
}

#[test]
fn names_and_the_order_of_rows_change_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    for draw in [Draw::Some(4), Draw::Slots { common: 3, size: 3 }] {
        let table = made(80, &spread(12), draw, &mut rng).table;
        let before = of(&table);
        let mut renamed = rows(&table);
        for own in &mut renamed {
            let swap = |id: &Option<OwnId>, factor: i64, modulus: i64| match id {
                Some(OwnId::Integer(id)) => Some(OwnId::Integer(id * factor % modulus)),
                other => other.clone(),
            };
            own.student = swap(&own.student, 30, 83);
            own.item = swap(&own.item, 5, 13);
        }
        renamed.shuffle(&mut rng);
        let after = solved(&renamed);
        close_option(after.alpha, before.alpha, 1e-9, "alpha");
        close_option(after.alpha_se, before.alpha_se, 1e-9, "alpha_se");
        close_option(after.sem, before.sem, 1e-9, "sem");
    }
}

/// Twice the spread is twice the error, and a point more for everybody changes nothing.
#[test]
fn shift_and_scale() {
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let table = made(80, &spread(12), Draw::Some(5), &mut rng).table;
    let before = of(&table);
    let changed = |score: f64| 0.3 + score / 2.0;
    let row = |row: &Vec<Option<f64>>| row.iter().map(|score| score.map(changed)).collect();
    let after = of(&table.iter().map(row).collect());
    close_option(after.alpha, before.alpha, 1e-9, "alpha");
    close_option(after.alpha_se, before.alpha_se, 1e-9, "alpha_se");
    close_option(after.sem, before.sem.map(|sem| sem / 2.0), 1e-9, "sem");
}
