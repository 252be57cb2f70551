//! The groups of the curve of a question.

use pg_assess_core::questions::curve::level_groups;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// A repeatable number from 0 to 1.
fn dice(i: usize) -> f64 {
    (i as f64 * 0.754_877_666).fract()
}

/// Levels from 0 to 1, and scores that rise with them.
fn answers(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .map(|i| {
            let level = i as f64 / (n.max(2) - 1) as f64;
            (level, f64::from(u8::from(dice(i) < level)))
        })
        .collect()
}

#[test]
fn groups_are_of_about_equal_size_and_in_order() {
    for (n, groups) in [(1, 1), (5, 1), (12, 2), (60, 8), (240, 8), (2000, 8)] {
        let found = level_groups(&answers(n), true, 0.95, 1);
        assert_eq!(found.len(), groups, "{n}");
        assert_eq!(found.iter().map(|g| g.students).sum::<u64>(), n as u64);
        let sizes = found.iter().map(|g| g.students);
        assert!(sizes.clone().max() <= sizes.min().map(|least| least + 2));
        assert!(found.windows(2).all(|w| w[0].highest < w[1].lowest));
        for g in &found {
            assert!(g.lowest <= g.level && g.level <= g.highest);
            let (low, high) = g.ci_low.zip(g.ci_high).expect("shares have one");
            assert!(0.0 <= low && low <= g.score && g.score <= high && high <= 1.0);
        }
    }
    assert_eq!(level_groups(&[], true, 0.95, 1), []);
    let turned: Vec<(f64, f64)> = answers(99).into_iter().rev().collect();
    assert_eq!(
        level_groups(&turned, true, 0.95, 1),
        level_groups(&answers(99), true, 0.95, 1)
    );
}

#[test]
fn students_of_one_level_stay_together() {
    let mut all: Vec<(f64, f64)> = vec![(0.5, 0.4); 100];
    assert_eq!(level_groups(&all, true, 0.95, 1).len(), 1);
    all.extend((0..20).map(|i| (0.6 + 0.01 * f64::from(i), 1.0)));
    let found = level_groups(&all, true, 0.95, 1);
    assert_eq!(found[0].students, 100);
    assert!(found.len() > 1 && near(found[0].score, 0.4));
}

#[test]
fn no_group_is_smaller_than_it_may_be() {
    for least in [1, 2, 7, 20, 50, 99, 100, 101] {
        for distinct in [1, 2, 3, 10, 100] {
            let all: Vec<(f64, f64)> = answers(100)
                .into_iter()
                .map(|(level, score)| ((level * f64::from(distinct)).floor(), score))
                .collect();
            let groups = level_groups(&all, true, 0.95, least);
            assert!(groups.iter().all(|g| g.students >= least as u64), "{least}");
            let found: u64 = groups.iter().map(|g| g.students).sum();
            assert_eq!(found, if least > 100 { 0 } else { 100 }, "{least}");
            assert!(groups.windows(2).all(|w| w[0].highest < w[1].lowest));
        }
    }
}

#[test]
fn intervals_are_those_of_the_textbooks() {
    // Wilson's for 5 of 6 and 95 %.
    let five = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0].map(|score| (0.5, score));
    let g = level_groups(&five, true, 0.95, 1)[0];
    assert!((g.ci_low.unwrap() - 0.436_50).abs() < 1e-4, "{g:?}");
    assert!((g.ci_high.unwrap() - 0.969_95).abs() < 1e-4, "{g:?}");
    // Student's for 1, 2, 3 and 95 %: 2 ± 4.3027 / √3.
    let three = [1.0, 2.0, 3.0].map(|score| (0.5, score));
    let g = level_groups(&three, false, 0.95, 1)[0];
    assert!((g.ci_low.unwrap() + 0.484_14).abs() < 1e-4, "{g:?}");
    assert!((g.ci_high.unwrap() - 4.484_14).abs() < 1e-4, "{g:?}");
    assert_eq!(g.expected, None);
    let one = level_groups(&[(0.5, 7.0)], false, 0.95, 1)[0];
    assert_eq!((one.ci_low, one.ci_high), (None, None));
}

#[test]
fn what_is_expected_of_an_average_question() {
    // A question whose scores are the levels less .2 does as expected everywhere.
    let all: Vec<(f64, f64)> = (30..90)
        .map(|i| (f64::from(i) / 100.0, f64::from(i) / 100.0 - 0.2))
        .collect();
    for g in level_groups(&all, true, 0.95, 1) {
        assert!(near(g.expected.unwrap(), g.score));
    }
}

#[test]
fn figures_beyond_all_numbers_do_not_matter() {
    let odd = [
        0.0,
        -0.0,
        1e-300,
        -3.0,
        1e6,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for a in odd {
        for b in odd {
            let groups = level_groups(&[(a, b), (b, a)], a > 0.0, b, 1);
            assert!(
                groups
                    .iter()
                    .all(|g| g.level.is_finite() && g.score.is_finite())
            );
        }
    }
}
