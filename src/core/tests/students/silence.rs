//! Students who have not been seen for long: what is known of them fades, down to what is known of
//! anybody.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{OwnRow, go, gradebook, normal, row};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const STUDENTS: i64 = 60;

/// Weekly quizzes of students whose levels drift, and a last student without any answer.
fn rows() -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut rows = Vec::new();
    for student in 0..STUDENTS {
        let (ability, slope) = (normal(&mut rng), normal(&mut rng));
        for quiz in 0..12 {
            let drift = 0.01 * slope * quiz as f64;
            let score = 0.5 + 0.06 * ability + drift + 0.05 * normal(&mut rng);
            rows.push(row(
                student,
                quiz,
                quiz,
                score.clamp(0.0, 1.0),
                7.0 * quiz as f64,
            ));
        }
    }
    let unseen = row(STUDENTS, 0, 0, 0.0, 0.0);
    rows.push(OwnRow {
        score: None,
        ..unseen
    });
    rows
}

fn students(after_days: i64) -> Vec<Student> {
    let bytes = gradebook(&rows());
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let asked = Asked {
        as_of: Some((77 + after_days) * DAY),
        ..Asked::default()
    };
    solve::students(&book, &asked, &go).expect("students")
}

#[test]
fn silence_widens_an_interval_to_that_of_a_student_without_answers_and_no_further() {
    let mut before = 0.0;
    for days in [0, 30, 90, 365, 3 * 365, 100_000] {
        let students = students(days);
        let levels: Vec<_> = students
            .iter()
            .map(|one| one.level.expect("a level"))
            .collect();
        let unseen = levels[STUDENTS as usize];
        let (open, reach) = (
            unseen.se.expect("an error"),
            unseen.ci_high.expect("an end"),
        );
        for level in &levels[..STUDENTS as usize] {
            assert!(
                level.se.expect("an error") <= open + 1e-9,
                "{days}: {level:?}"
            );
            let own = level.ci_high.expect("an end") - level.level;
            assert!(own <= reach - unseen.level + 1e-9, "{days}: {level:?}");
        }
        let se = levels[0].se.expect("an error");
        assert!(se >= before, "{days}");
        before = se;
    }
    let open = students(0)[STUDENTS as usize].level.expect("a level").se;
    assert!((before - open.expect("an error")).abs() < 1e-9);
}

/// Sittings a few hours apart show nothing of how fast levels drift, and no change of a month.
#[test]
fn hours_are_no_months() {
    let hours: Vec<OwnRow> = rows()
        .into_iter()
        .map(|row| OwnRow {
            taken_at: row.taken_at.map(|at| at / (7 * 24)),
            ..row
        })
        .collect();
    let bytes = gradebook(&hours);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for student in solve::students(&book, &Asked::default(), &go).expect("students") {
        assert_eq!(
            (student.trend.slope, student.trend.p),
            (None, None),
            "{student:?}"
        );
    }
    let later = Asked {
        as_of: Some(100 * DAY),
        ..Asked::default()
    };
    let now = solve::students(&book, &Asked::default(), &go).expect("students");
    let then = solve::students(&book, &later, &go).expect("students");
    for (now, then) in now.iter().zip(&then) {
        let se = |one: &Student| one.level.expect("a level").se;
        assert_eq!(se(now), se(then));
    }
}
