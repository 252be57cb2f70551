//! Cohorts, classes, growth and practice are no drift.

use pg_assess_core::questions::drift::{Drift, DriftStatus};
use pg_assess_test_support::{normal, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Bank, WEEKLY, Weekly, solve};

/// How many questions without any drift are tested, look significant, and are called drifted.
#[derive(Debug, Default)]
struct Alarms {
    tested: f64,
    significant: f64,
    runs: f64,
    runs_with_drift: f64,
}

impl Alarms {
    fn add<'a>(&mut self, drifts: impl IntoIterator<Item = &'a Drift>) {
        self.runs += 1.0;
        let mut any = false;
        for drift in drifts {
            let Some(change) = drift.change else { continue };
            self.tested += 1.0;
            self.significant += f64::from(u8::from(change.p <= 0.05));
            any |= drift.status == DriftStatus::Drifted;
        }
        self.runs_with_drift += f64::from(u8::from(any));
    }

    /// Fails where more than `p` look significant, or drifted questions are found in more than
    /// `any` of the runs.
    #[track_caller]
    fn at_most(&self, p: f64, any: f64, what: &str) {
        let (significant, runs) = (
            self.significant / self.tested,
            self.runs_with_drift / self.runs,
        );
        println!(
            "{what}: {} tested, p {significant:.3}, runs {runs:.3}",
            self.tested
        );
        assert!(
            self.tested > 400.0 && significant <= p && runs <= any,
            "{what}: {self:?}"
        );
    }
}

#[test]
fn a_change_of_cohort_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let cases = [
        ("the same", WEEKLY),
        (
            "a step",
            Weekly {
                ability: |at| if at < 0.5 { -0.5 } else { 0.5 },
                ..WEEKLY
            },
        ),
        (
            "a step, many",
            Weekly {
                ability: |at| if at < 0.5 { -0.5 } else { 0.5 },
                class: 100,
                ..WEEKLY
            },
        ),
        (
            "growth",
            Weekly {
                ability: |at| at,
                class: 50,
                ..WEEKLY
            },
        ),
        (
            "extreme questions",
            Weekly {
                ability: |at| at,
                class: 50,
                spread: 2.5,
                ..WEEKLY
            },
        ),
        (
            "two dates",
            Weekly {
                ability: |at| at,
                weeks: 2,
                class: 100,
                ..WEEKLY
            },
        ),
        (
            "forty dates",
            Weekly {
                ability: |at| at,
                weeks: 40,
                class: 10,
                ..WEEKLY
            },
        ),
    ];
    for (what, weekly) in cases {
        let mut alarms = Alarms::default();
        let (mut sharp, mut dull) = (Alarms::default(), Alarms::default());
        for _ in 0..60 {
            let (rows, bank) = weekly.rows(&mut rng, |_, _| 0.0);
            let drifts = solve(&rows);
            alarms.add(&drifts);
            let (high, low): (Vec<&Drift>, Vec<&Drift>) = drifts
                .iter()
                .partition(|drift| bank.slopes[drift.item as usize] > 1.2);
            sharp.add(high);
            dull.add(low);
        }
        alarms.at_most(0.06, 0.09, what);
        sharp.at_most(0.07, 0.09, "of these, sharp questions");
        dull.at_most(0.07, 0.09, "of these, dull questions");
    }
}

#[test]
fn what_some_classes_were_taught_is_seldom_called_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut alarms = Alarms::default();
    for _ in 0..120 {
        let weekly = Weekly {
            taught: 0.3,
            ..WEEKLY
        };
        alarms.add(&solve(&weekly.rows(&mut rng, |_, _| 0.0).0));
    }
    // If the noise between classes did not count, it would be .16 and .51.
    alarms.at_most(0.12, 0.35, "classes");
}

/// Fall and spring tests of thirty questions that share eight, for two cohorts; the second is
/// better by .8 standard deviations, and so harder are the questions that only it gets.
#[test]
fn growth_between_tests_that_share_questions_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut alarms = Alarms::default();
    for _ in 0..60 {
        let bank = Bank::new(&mut rng, 60, 1.0);
        let mut rows = Vec::new();
        for student in 0..400 {
            let term = student / 200;
            let ability = normal(&mut rng) + 0.8 * term as f64;
            for place in 0..30 {
                let (question, harder) = match place {
                    0..8 => (place, 0.0),
                    _ => (place + 30 * term, 0.8 * term as f64),
                };
                let score = f64::from(u8::from(
                    rng.gen_bool(bank.chance(question, ability - harder)),
                ));
                let day = (100 * term + student % 3) as f64;
                rows.push(row(
                    student as i64,
                    question as i64,
                    term as i64,
                    score,
                    day,
                ));
            }
        }
        let drifts = solve(&rows);
        for drift in &drifts[..8] {
            let change = drift.change.expect("eight questions link the tests");
            assert_eq!(
                (change.n_before, change.n_after),
                (change.n_before, 400 - change.n_before)
            );
        }
        alarms.add(&drifts);
    }
    alarms.at_most(0.06, 0.1, "two tests");
}

/// One question is all that two tests share: whether it or everything else changed cannot be known.
#[test]
fn one_common_question_cannot_be_judged() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let bank = Bank::new(&mut rng, 21, 0.5);
    let mut rows = Vec::new();
    for student in 0..400 {
        let term = student / 200;
        for place in 0..11 {
            let question = if place == 0 { 0 } else { place + 10 * term };
            let leak = if question == 0 && term == 1 { 0.3 } else { 0.0 };
            let chance: f64 = bank.chance(question, normal(&mut rng)) + leak;
            let score = f64::from(u8::from(rng.gen_bool(chance.min(1.0))));
            rows.push(row(
                student as i64,
                question as i64,
                term as i64,
                score,
                (90 * term) as f64,
            ));
        }
    }
    let drifts = solve(&rows);
    assert_eq!(drifts.len(), 21);
    for drift in &drifts {
        assert_eq!(
            (drift.status, drift.change),
            (DriftStatus::Insufficient, None)
        );
    }
    assert_eq!((drifts[0].dates, drifts[0].n), (2, 400));
    assert_eq!((drifts[1].dates, drifts[1].n), (1, 200));
}

/// The question moves to a test of which nothing else has been used before, while its old test goes
/// on without it: of the new students nothing is known but in new questions.
#[test]
fn questions_must_be_linked_on_both_sides() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let bank = Bank::new(&mut rng, 30, 0.5);
    let mut rows = Vec::new();
    for student in 0..300 {
        let (day, questions) = match student % 3 {
            0 => (0, 0..14),
            1 => (90, 1..14),
            _ => (90, 14..25),
        };
        let moved = (student % 3 == 2).then_some(0);
        for question in questions.chain(moved) {
            let chance = bank.chance(question, normal(&mut rng));
            let score = f64::from(u8::from(rng.gen_bool(chance)));
            let test = (student % 3) as i64;
            rows.push(row(
                student as i64,
                question as i64,
                test,
                score,
                f64::from(day),
            ));
        }
    }
    let drifts = solve(&rows);
    assert_eq!(
        (drifts[0].dates, drifts[0].n, drifts[0].change),
        (2, 200, None)
    );
    assert!(drifts[1..14].iter().all(|drift| drift.change.is_some()));
}

/// Six quizzes that repeat some questions; a third of the students joins for the second half, so
/// that old hands and newcomers meet the same questions.
#[test]
fn practice_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut alarms = Alarms::default();
    for _ in 0..40 {
        let bank = Bank::new(&mut rng, 40, 0.8);
        let mut rows = Vec::new();
        for student in 0..300 {
            let (ability, first) = (normal(&mut rng), if student % 3 == 0 { 3 } else { 0 });
            for quiz in first..6 {
                for place in 0..20 {
                    let (question, again) = match place {
                        0..10 => (place, quiz > first),
                        _ => (place + 10 * (quiz % 3), quiz >= first + 3),
                    };
                    let practised = if again { 1.0 } else { 0.0 };
                    let chance = bank.chance(question, ability + practised);
                    let score = f64::from(u8::from(rng.gen_bool(chance)));
                    let (question, quiz) = (question as i64, quiz as i64);
                    rows.push(row(
                        student as i64,
                        question,
                        quiz,
                        score,
                        20.0 * quiz as f64,
                    ));
                }
            }
        }
        let drifts = solve(&rows);
        assert!(
            drifts.iter().all(|drift| drift.n <= 300),
            "one answer of each student"
        );
        alarms.add(&drifts);
    }
    // With every answer counted, .24 look significant, and drift is found in three of four runs.
    alarms.at_most(0.07, 0.1, "practice");
}
