//! Who leaves blank what is hard gains nothing, unless blanks are ignored.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::ledger::{Blanks, Reading};
use pg_assess_core::options::Options;
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{OwnRow, go, gradebook, normal, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const STUDENTS: i64 = 300;
const TESTS: i64 = 5;
const QUESTIONS: i64 = 12;

/// Five tests of twelve questions; of `skips`, wrong answers are left blank.
fn school(seed: u64, skips: Option<i64>) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let difficulties: Vec<f64> = (0..TESTS * QUESTIONS).map(|_| normal(&mut rng)).collect();
    let mut rows = Vec::new();
    for student in 0..STUDENTS {
        let ability = normal(&mut rng);
        for test in 0..TESTS {
            for place in 0..QUESTIONS {
                let item = test * QUESTIONS + place;
                let chance = 1.0 / (1.0 + (difficulties[item as usize] - ability).exp());
                let is_right = rng.gen_bool(chance);
                let score = f64::from(u8::from(is_right));
                let is_blank = skips == Some(student) && !is_right;
                rows.push(OwnRow {
                    score: (!is_blank).then_some(score),
                    position: Some(place as i32),
                    ..row(student, item, test, score, 14.0 * test as f64)
                });
            }
        }
    }
    rows
}

/// Rank by need and level of a student.
fn place(rows: &[OwnRow], blanks: Blanks, student: i64) -> (u64, f64) {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let asked = Asked {
        reading: Reading {
            blanks,
            ..Reading::default()
        },
        ..Asked::from(Options::default())
    };
    let solved = solve::students(&book, &asked, &go).expect("students");
    let own = &solved[student as usize];
    (
        own.need_rank.expect("a rank"),
        own.level.expect("a level").level,
    )
}

#[test]
fn a_student_who_skips_what_is_hard_gains_nothing() {
    let mut gains = Vec::new();
    for seed in 0..8 {
        let answered = school(seed, None);
        // The student with the greatest need who got something right in each test: who leaves all
        // of a test blank waits for its marks.
        let has_points = |&student: &i64| {
            let own = answered
                .chunks_exact((TESTS * QUESTIONS) as usize)
                .nth(student as usize);
            let tests = own.expect("a student").chunks_exact(QUESTIONS as usize);
            tests
                .into_iter()
                .all(|test| test.iter().any(|row| row.score == Some(1.0)))
        };
        let neediest = (0..STUDENTS)
            .filter(has_points)
            .min_by_key(|&student| place(&answered, Blanks::Ignore, student).0)
            .expect("students");
        let (rank, level) = place(&answered, Blanks::Ignore, neediest);
        let skipped = school(seed, Some(neediest));
        let (ignored, gained) = place(&skipped, Blanks::Ignore, neediest);
        assert!(
            gained > level + 0.3 && ignored > rank + 100,
            "{gained} {level} {ignored}"
        );
        // A blank that counts is a wrong answer.
        assert_eq!(place(&skipped, Blanks::Zero, neediest), (rank, level));
        let (before_last, lower) = place(&skipped, Blanks::ZeroBeforeLastAnswer, neediest);
        assert!(
            lower - level < (gained - level) / 3.0,
            "{lower} {level} {gained}"
        );
        // What comes after the last answer was not reached, and of a weak student that is more.
        // A few ranks are gained; the student stays among the fifth with the greatest need.
        assert!(before_last <= (STUDENTS / 5) as u64, "{rank} {before_last}");
        // Nothing is gained by who tries the last question.
        let mut tried = skipped;
        for (row, own) in tried.iter_mut().zip(&answered) {
            if row.position == Some(QUESTIONS as i32 - 1) {
                row.score = own.score;
            }
        }
        assert_eq!(
            place(&tried, Blanks::ZeroBeforeLastAnswer, neediest),
            (rank, level)
        );
        gains.push((gained - level, lower - level));
    } // The figures of decision 26.
    let mean = |of: fn(&(f64, f64)) -> f64| gains.iter().map(of).sum::<f64>() / gains.len() as f64;
    let (ignored, before_last) = (mean(|gain| gain.0), mean(|gain| gain.1));
    assert!((0.55..0.65).contains(&ignored), "{ignored}");
    assert!((0.07..0.1).contains(&before_last), "{before_last}");
}
