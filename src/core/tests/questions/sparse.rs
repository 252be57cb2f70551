//! Questions with few answers, in simulated schools whose truth is known.
//!
//! Everybody answers ten questions in each of twelve assessments, out of a bank so large that each
//! question has few answers. What a question takes for itself must not be taken from its students.

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_test_support::solve;
use pg_assess_test_support::{OwnRow, go, gradebook, mean, normal, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const STUDENTS: usize = 300;
const SITTINGS: usize = 12;
const LENGTH: usize = 10;
/// Standard deviation of difficulties; that of abilities is .12.
const DIFFICULTY: f64 = 0.15;

/// What the levels of one school are good for.
#[derive(Debug, Clone, Copy)]
struct Worth {
    /// Pearson's correlation with the truth.
    level: f64,
    raw_level: f64,
    /// Share of 95 % intervals that hold the truth.
    coverage: f64,
    error: f64,
    se: f64,
}

/// A school in which a question has so many answers on average, in parts of the score scale.
fn school(answers: f64, difficulty: f64, seed: u64) -> Worth {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = (STUDENTS * SITTINGS * LENGTH) as f64 / answers;
    let items = count as usize;
    let mut effects: Vec<f64> = (0..items).map(|_| difficulty * normal(&mut rng)).collect();
    let centre = mean(effects.iter().copied());
    effects.iter_mut().for_each(|effect| *effect -= centre);
    let abilities: Vec<f64> = (0..STUDENTS)
        .map(|_| 0.65 + 0.12 * normal(&mut rng))
        .collect();
    let chance = |ability: f64, item: usize| (ability + effects[item]).clamp(0.02, 0.98);
    let mut rows: Vec<OwnRow> = Vec::new();
    for (student, &ability) in abilities.iter().enumerate() {
        for sitting in 0..SITTINGS {
            let mut drawn = Vec::new();
            while drawn.len() < LENGTH {
                let item = rng.gen_range(0..items);
                if !drawn.contains(&item) {
                    drawn.push(item);
                }
            }
            for item in drawn {
                let score = f64::from(rng.gen_bool(chance(ability, item)));
                let (student, item, sitting) = (student as i64, item as i64, sitting as i64);
                rows.push(row(student, item, sitting, score, 7.0 * sitting as f64));
            }
        }
    }
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let options = Options {
        half_life: 1e6,
        ..Options::default()
    };
    let students = solve::students(&book, &options, &go).expect("solves");
    let truth: Vec<f64> = abilities
        .iter()
        .map(|&ability| mean((0..items).map(|item| chance(ability, item))))
        .collect();
    let level = |at: usize| students[at].level.expect("a level");
    let levels: Vec<f64> = (0..STUDENTS).map(|at| level(at).level).collect();
    let raw: Vec<f64> = (0..STUDENTS).filter_map(|at| level(at).raw_level).collect();
    let holds = |at: usize| {
        let level = level(at);
        let held = level.ci_low.zip(level.ci_high);
        f64::from(held.is_some_and(|(low, high)| (low..=high).contains(&truth[at])))
    };
    Worth {
        level: correlation(&levels, &truth),
        raw_level: correlation(&raw, &truth),
        coverage: mean((0..STUDENTS).map(holds)),
        error: mean((0..STUDENTS).map(|at| (levels[at] - truth[at]).powi(2))).sqrt(),
        se: mean((0..STUDENTS).filter_map(|at| level(at).se)),
    }
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x.iter().copied()), mean(y.iter().copied()));
    let product = |of: &dyn Fn(usize) -> f64| (0..x.len()).map(of).sum::<f64>();
    let xy = product(&|at| (x[at] - mx) * (y[at] - my));
    xy / (product(&|at| (x[at] - mx).powi(2)) * product(&|at| (y[at] - my).powi(2))).sqrt()
}

/// The mean of so many schools, which is printed.
fn schools(count: u64, answers: f64, difficulty: f64) -> Worth {
    let all: Vec<Worth> = (0..count)
        .map(|seed| school(answers, difficulty, seed))
        .collect();
    let of = |figure: fn(&Worth) -> f64| mean(all.iter().map(figure));
    let mean = Worth {
        level: of(|it| it.level),
        raw_level: of(|it| it.raw_level),
        coverage: of(|it| it.coverage),
        error: of(|it| it.error),
        se: of(|it| it.se),
    };
    println!(
        "{answers:4} answers, difficulty {difficulty}: intervals {:.3}, level {:.4}, raw {:.4}, \
         error {:.4}, se {:.4}",
        mean.coverage, mean.level, mean.raw_level, mean.error, mean.se
    );
    mean
}

/// Levels are at least as good as plain means at every number of answers a question, better where
/// there are more, and their errors are honest.
#[test]
fn questions_with_few_answers_take_nothing_from_their_students() {
    let gains = [1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 50.0].map(|answers| {
        let worth = schools(6, answers, DIFFICULTY);
        assert!(
            (0.94..=0.97).contains(&worth.coverage),
            "{answers}: {worth:?}"
        );
        assert!(
            (0.95..=1.05).contains(&(worth.se / worth.error)),
            "{answers}: {worth:?}"
        );
        worth.level - worth.raw_level
    });
    assert!(gains.iter().all(|gain| *gain >= -0.0005), "{gains:?}");
    assert!(gains[5] >= 0.0015 && gains[6] >= 0.003, "{gains:?}");
}

/// Where all questions are equally hard there is nothing to take out, and hardly anything is lost by
/// asking.
#[test]
fn questions_that_are_equally_hard_cost_next_to_nothing() {
    for answers in [1.2, 2.0, 10.0] {
        let worth = schools(6, answers, 0.0);
        assert!(
            worth.level >= worth.raw_level - 0.002,
            "{answers}: {worth:?}"
        );
        assert!(
            (0.94..=0.975).contains(&worth.coverage),
            "{answers}: {worth:?}"
        );
    }
}
