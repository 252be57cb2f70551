//! Leaks are found, and nothing beside them.

use pg_assess_core::statistics::distribution::normal_quantile;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{OwnId, close, mean};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{WEEKLY, Weekly, solve};

/// What a search for the first `leaks` questions finds.
struct Found {
    /// Share of the leaked questions called drifted, in the right direction.
    power: f64,
    /// Share of these whose day is at most one week off.
    near: f64,
    /// Their mean change.
    change: f64,
    /// Share of the other questions called drifted.
    innocent: f64,
}

fn search(seed: u64, weekly: &Weekly, leaks: usize, size: f64) -> Found {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let runs = 12_000 / (weekly.weeks * weekly.class);
    let (mut hits, mut near, mut change, mut innocent) = (0.0, 0.0, 0.0, 0.0);
    let half = weekly.weeks / 2;
    for _ in 0..runs {
        let leak = |question, week| {
            if question < leaks && week >= half {
                size
            } else {
                0.0
            }
        };
        for drift in solve(&weekly.rows(&mut rng, leak).0) {
            let Some(direction) = drift.direction() else {
                continue;
            };
            let found = drift.change.expect("a change");
            if drift.item as usize >= leaks {
                innocent += 1.0;
            } else if direction == if size > 0.0 { "easier" } else { "harder" } {
                hits += 1.0;
                change += found.value;
                let off = found.changed_at - 7 * half as i64 * DAY;
                near += f64::from(u8::from(off.abs() <= 7 * DAY));
            }
        }
    }
    let found = Found {
        power: hits / (runs * leaks) as f64,
        near: near / hits,
        change: change / hits,
        innocent: innocent / (runs * (weekly.questions - leaks)) as f64,
    };
    println!(
        "{} a side, {leaks} by {size}: power {:.2}, near {:.2}, change {:.2}, innocent {:.3}",
        half * weekly.class,
        found.power,
        found.near,
        found.change,
        found.innocent
    );
    found
}

#[test]
fn leaks_are_found() {
    let middling = Weekly {
        spread: 0.5,
        ..WEEKLY
    };
    let weekly = |weeks, class| Weekly {
        weeks,
        class,
        ..middling
    };
    // The chance is held below .98: the mean leak is smaller than its nominal size.
    let hundred = search(1, &weekly(8, 25), 1, 0.3);
    assert!(hundred.power >= 0.6 && hundred.near >= 0.9 && hundred.innocent <= 0.01);
    let more = search(2, &weekly(16, 25), 1, 0.25);
    assert!(more.power >= 0.7 && more.near >= 0.85 && more.innocent <= 0.01);
    let plain = search(3, &weekly(16, 25), 1, 0.3);
    assert!(plain.power >= 0.9 && plain.near >= 0.85 && plain.innocent <= 0.01);
    let harder = search(4, &weekly(16, 25), 1, -0.3);
    assert!(harder.power >= 0.9 && harder.near >= 0.9 && harder.innocent <= 0.01);
    close(harder.change, -0.29, 0.03, "the change given ability");
}

#[test]
fn leaked_questions_do_not_drag_the_others_down() {
    let middling = Weekly {
        weeks: 16,
        spread: 0.5,
        ..WEEKLY
    };
    // If they were not taken out of the ability, .2 of the others would be called harder.
    let six = search(5, &middling, 6, 0.3);
    assert!(six.power >= 0.85 && six.near >= 0.85 && six.innocent <= 0.025);
    // Taken out once only, .012 of the others would be called drifted.
    let many = Weekly {
        weeks: 40,
        class: 50,
        ..middling
    };
    let six = search(6, &many, 6, 0.3);
    assert!(six.power >= 0.97 && six.innocent <= 0.03);
}

/// Half of the students got hold of the question: it is found as a change of half the size.
#[test]
fn a_leak_to_some_is_found() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let weekly = Weekly {
        weeks: 8,
        class: 50,
        spread: 0.5,
        ..WEEKLY
    };
    let (mut found, mut change) = (0.0, 0.0);
    for _ in 0..40 {
        let (mut rows, _) = weekly.rows(&mut rng, |_, _| 0.0);
        for row in &mut rows {
            let leaked = row.item == Some(OwnId::Integer(0)) && row.taken_at >= Some(28 * DAY);
            if leaked && rng.gen_bool(0.5) {
                row.score = Some(1.0);
            }
        }
        let drift = &solve(&rows)[0];
        if drift.direction() == Some("easier") {
            found += 1.0 / 40.0;
            change += drift.change.expect("a change").value / 40.0;
        }
    }
    println!("found {found}, change {}", change / found);
    assert!(found >= 0.6);
    close(change / found, 0.22, 0.04, "the change");
}

/// The interval holds the true change of a question that has changed at a known day.
#[test]
fn intervals_hold_the_change() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let weekly = Weekly {
        weeks: 2,
        class: 150,
        ..WEEKLY
    };
    let (mut held, mut all) = (0.0, 0.0);
    for _ in 0..150 {
        let (rows, bank) = weekly.rows(&mut rng, |question, week| {
            if question == 0 && week == 1 {
                -0.2
            } else {
                0.0
            }
        });
        let ability: Vec<f64> = (0..2000)
            .map(|at| normal_quantile((at as f64 + 0.5) / 2e3))
            .collect();
        let truth = -mean(ability.iter().map(|&a| bank.chance(0, a).min(0.2)));
        let change = solve(&rows)[0].change.expect("a change");
        held += f64::from(u8::from(change.ci_low <= truth && truth <= change.ci_high));
        all += 1.0;
    }
    println!("coverage {}", held / all);
    close(held / all, 0.95, 0.04, "coverage");
}
