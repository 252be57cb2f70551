//! Simulated schools whose truth is known: the figures find it again, as well as promised.
//!
//! 400 students, ten assessments of six questions 18 days apart; right answers by the logistic
//! curve of item response theory (2PL). All seeds are fixed, so the bounds may be tight.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::solve::Item;
use pg_assess_core::students::student::Student;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{OwnRow, close, go, gradebook, normal, row};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const STUDENTS: usize = 400;
const SITTINGS: usize = 10;
const LENGTH: usize = 6;
const DAYS: f64 = 18.0;

/// A school and its truth.
struct School {
    rows: Vec<OwnRow>,
    abilities: Vec<f64>,
    /// Steepness of each question's curve, below 0 where the key is wrong.
    slopes: Vec<f64>,
    easiness: Vec<f64>,
}

/// What makes a school special.
struct Plan {
    seed: u64,
    /// Every so many questions one has the wrong key; 0 for none.
    reversed_every: usize,
    /// How many assessments a student sits.
    sittings: fn(usize) -> usize,
    /// Change of a student's ability from one assessment to the next.
    drift: fn(usize) -> f64,
}

const ORDINARY: Plan = Plan {
    seed: 0,
    reversed_every: 0,
    sittings: |_| SITTINGS,
    drift: |_| 0.0,
};

impl School {
    fn new(plan: &Plan) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
        let abilities: Vec<f64> = (0..STUDENTS).map(|_| normal(&mut rng)).collect();
        let questions = 0..SITTINGS * LENGTH;
        let slopes = questions.clone().map(|question| {
            let slope = 1.2 * (0.3 * normal(&mut rng)).exp();
            let reversed = plan.reversed_every > 0 && question % plan.reversed_every == 0;
            if reversed { -0.6 * slope } else { slope }
        });
        let slopes: Vec<f64> = slopes.collect();
        let easiness: Vec<f64> = questions.map(|_| 0.3 + 0.8 * normal(&mut rng)).collect();
        let mut school = Self {
            rows: Vec::new(),
            abilities,
            slopes,
            easiness,
        };
        for student in 0..STUDENTS {
            let mut sittings: Vec<usize> = (0..SITTINGS).collect();
            sittings.shuffle(&mut rng);
            for &sitting in &sittings[..(plan.sittings)(student)] {
                let moved = (plan.drift)(student) * sitting as f64;
                for question in sitting * LENGTH..(sitting + 1) * LENGTH {
                    let chance = school.chance(school.abilities[student] + moved, question);
                    let score = f64::from(u8::from(rng.gen_bool(chance)));
                    let (student, question) = (student as i64, question as i64);
                    let day = DAYS * sitting as f64;
                    let response = row(student, question, sitting as i64, score, day);
                    school.rows.push(response);
                }
            }
        }
        school
    }

    fn chance(&self, ability: f64, question: usize) -> f64 {
        let logit = self.slopes[question] * (ability + self.easiness[question]);
        1.0 / (1.0 + (-logit).exp())
    }

    /// The score a student would get on all questions together.
    fn true_level(&self, student: usize) -> f64 {
        let questions = 0..self.slopes.len();
        let chances = questions.map(|at| self.chance(self.abilities[student], at));
        chances.sum::<f64>() / self.slopes.len() as f64
    }

    fn solve(&self, options: &Options) -> (Vec<Item>, Vec<Student>) {
        let bytes = gradebook(&self.rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        (
            solve::items(&book, options, &go).expect("items"),
            solve::students(&book, options, &go).expect("students"),
        )
    }
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| f(x - mx, y - my)).sum()
    };
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

/// Spearman's rank correlation; ties share their mean rank.
fn rank_correlation(x: &[f64], y: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let rank = |value: &f64| {
            let below = values.iter().filter(|other| *other < value).count();
            let tied = values.iter().filter(|other| *other == value).count();
            below as f64 + tied as f64 / 2.0
        };
        values.iter().map(rank).collect()
    };
    correlation(&ranks(x), &ranks(y))
}

/// One, three and ten assessments of evidence. With one or three the intervals are wider than
/// they need be (about 99 and 98 % of them hold the truth): they allow for students who are
/// noisier than others, of which these have none.
#[test]
fn intervals_hold_the_truth_and_need_is_a_probability() {
    let cut = 0.5;
    let mut held = [0.0; 3];
    let mut asked = [0.0; 3];
    let (mut needed, mut below) = (0.0, 0.0);
    for seed in 0..9 {
        let school = School::new(&Plan {
            seed,
            sittings: |student| [1, 3, 10][student % 3],
            ..ORDINARY
        });
        let options = Options {
            cut: Some(cut),
            ..Options::default()
        };
        let (_, students) = school.solve(&options);
        for (student, row) in students.iter().enumerate() {
            let level = row.level.expect("a level");
            let (low, high) = (level.ci_low.expect("low"), level.ci_high.expect("high"));
            let truth = school.true_level(student);
            held[student % 3] += f64::from(u8::from(low <= truth && truth <= high));
            asked[student % 3] += 1.0;
            needed += level.need.expect("need");
            below += f64::from(u8::from(truth < cut));
        }
    }
    let coverage = [0, 1, 2].map(|group| held[group] / asked[group]);
    assert!((0.95..=1.0).contains(&coverage[0]), "{coverage:?}");
    assert!((0.95..=0.995).contains(&coverage[1]), "{coverage:?}");
    assert!((0.93..=0.985).contains(&coverage[2]), "{coverage:?}");
    assert!((needed / below - 1.0).abs() < 0.1, "{needed} {below}");
}

#[test]
fn wrong_keys_are_flagged_and_sound_questions_are_not() {
    let (mut flagged, mut reversed, mut accused, mut sound) = (0, 0, 0, 0);
    for seed in 20..25 {
        let school = School::new(&Plan {
            seed,
            reversed_every: 10,
            ..ORDINARY
        });
        for (item, slope) in school
            .solve(&Options::default())
            .0
            .iter()
            .zip(&school.slopes)
        {
            let flawed = usize::from(item.quality.status.label() == "flawed");
            if *slope < 0.0 {
                reversed += 1;
                flagged += flawed;
                assert!(flawed == 0 || item.quality.weight == 0.0);
            } else {
                sound += 1;
                accused += flawed;
            }
        }
    }
    assert!(10 * flagged >= 9 * reversed, "{flagged} of {reversed}");
    assert!(100 * accused <= sound, "{accused} of {sound}");
}

#[test]
fn weights_follow_the_true_discrimination() {
    let mut mean = 0.0;
    for seed in 30..35 {
        let school = School::new(&Plan { seed, ..ORDINARY });
        let (items, _) = school.solve(&Options::default());
        let weights: Vec<f64> = items.iter().map(|item| item.quality.weight).collect();
        let r = correlation(&weights, &school.slopes);
        assert!(r > 0.5, "weights {r}");
        mean += r / 5.0;
        // Somers' D does not shrink for easy and hard questions, so it is closer.
        let d = |item: &Item| item.separation.somers_d.expect("a figure");
        let separations: Vec<f64> = items.iter().map(d).collect();
        let r = correlation(&separations, &school.slopes);
        assert!(r > 0.8, "Somers' D {r}");
    }
    assert!(mean > 0.65, "weights {mean}");
}

#[test]
fn levels_rank_better_than_plain_means_when_a_quarter_is_miskeyed() {
    for seed in 40..44 {
        let school = School::new(&Plan {
            seed,
            reversed_every: 4,
            ..ORDINARY
        });
        let mut means = vec![0.0; STUDENTS];
        for (at, response) in school.rows.iter().enumerate() {
            means[at / (SITTINGS * LENGTH)] += response.score.expect("a score");
        }
        let (_, students) = school.solve(&Options::default());
        let levels: Vec<f64> = students
            .iter()
            .map(|row| row.level.expect("a level").level)
            .collect();
        let ours = rank_correlation(&levels, &school.abilities);
        let plain = rank_correlation(&means, &school.abilities);
        assert!(ours > plain + 0.02, "{ours} against {plain}");
    }
}

/// Shares of students labelled falling and rising.
fn labelled(students: &[&Student]) -> (f64, f64) {
    let share = |label: &str| {
        let with = |row: &&&Student| row.trend.direction.label() == label;
        students.iter().filter(with).count() as f64 / students.len() as f64
    };
    (share("falling"), share("rising"))
}

#[test]
fn who_falls_is_seen_to_fall_and_chance_is_not_called_a_trend() {
    let options = Options {
        trend_window: None,
        ..Options::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(50);
    for seed in 50..54 {
        let mut school = School::new(&Plan {
            seed,
            // One in eight loses a quarter of a standard deviation with every assessment.
            drift: |student| if student % 8 == 0 { -0.25 } else { 0.0 },
            ..ORDINARY
        });
        let (_, students) = school.solve(&options);
        let (falling, steady): (Vec<_>, Vec<_>) =
            students.iter().partition(|row| row.student % 8 == 0);
        let (fell, rose) = labelled(&falling);
        let (wrongly, _) = labelled(&steady);
        assert!(fell > 0.3 && rose == 0.0, "{fell} {rose}");
        assert!(wrongly < 0.03, "{wrongly}");

        // The same scores, each student's in random order: nothing is left but chance.
        for of_student in school.rows.chunks_mut(SITTINGS * LENGTH) {
            let mut order: Vec<i64> = (0..SITTINGS as i64).collect();
            order.shuffle(&mut rng);
            for (at, response) in of_student.iter_mut().enumerate() {
                response.taken_at = Some(order[at / LENGTH] * DAYS as i64 * DAY);
            }
        }
        let (_, students) = school.solve(&options);
        let (falling, rising) = labelled(&students.iter().collect::<Vec<_>>());
        assert!(falling + rising <= 0.06, "{falling} {rising}");
    }
}

/// Levels that walk at random: by how much silence widens an interval is how far they walk.
#[test]
fn the_drift_of_levels_is_recovered() {
    let (noise, per_day) = (0.06_f64, 1e-4_f64);
    for seed in 60..64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = Vec::new();
        for student in 0..STUDENTS as i64 {
            let mut level = 0.5 + 0.1 * normal(&mut rng);
            for week in 0..12 {
                level += (7.0 * per_day).sqrt() * normal(&mut rng);
                let score = (level + noise * normal(&mut rng)).clamp(0.0, 1.0);
                rows.push(row(student, week, week, score, 7.0 * week as f64));
            }
        }
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let variance = |days: i64| {
            let options = Asked {
                as_of: Some((77 + days) * DAY),
                ..Asked::default()
            };
            let students = solve::students(&book, &options, &go).expect("students");
            let level = students[0].level.expect("a level");
            level.se.expect("an error").powi(2)
        };
        let found = (variance(100) - variance(0)) / 100.0;
        close(found / per_day, 1.0, 0.15, "drift");
    }
}
