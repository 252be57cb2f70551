//! Cronbach's alpha of complete rows against its definition; `items_reference.rs` has R's figures.

use pg_assess_core::statistics::alpha::{alpha, alpha_se, items, length, merge, push, rows};
use pg_assess_test_support::{cases, close, close_option, shuffled};
use proptest::prelude::*;

fn state<R: AsRef<[f64]>>(items: usize, rows: &[R]) -> Vec<f64> {
    let mut state = vec![0.0; length(items)];
    for row in rows {
        push(&mut state, row.as_ref());
    }
    state
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// From the items' variances and that of the total.
fn slow_alpha(table: &[Vec<f64>]) -> Option<f64> {
    let k = table.first()?.len();
    let column = |at: usize| -> Vec<f64> { table.iter().map(|row| row[at]).collect() };
    let within: f64 = (0..k).map(|at| variance(&column(at))).sum();
    let totals: Vec<f64> = table.iter().map(|row| row.iter().sum()).collect();
    let total = variance(&totals);
    let defined = table.len() > 1 && k > 1 && total > 1e-10 * within && within > 0.0;
    defined.then(|| k as f64 / (k as f64 - 1.0) * (1.0 - within / total))
}

fn table() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let score = prop_oneof![
        3 => (0..2u8).prop_map(f64::from),
        2 => -3.0..3.0f64,
    ];
    (1..8usize, 0..30usize).prop_flat_map(move |(k, n)| {
        let row = prop::collection::vec(score.clone(), k..=k);
        prop::collection::vec(row, n..=n)
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn alpha_is_that_of_the_definition(
        table in table(),
        origin in prop_oneof![Just(0.0), Just(1e6)],
        cut in 0.0..1.0f64,
        seed in any::<u64>(),
    ) {
        let k = table.first().map_or(2, Vec::len);
        let far: Vec<Vec<f64>> = table
            .iter()
            .map(|row| row.iter().map(|x| x + origin).collect())
            .collect();
        let whole = state(k, &far);
        prop_assert_eq!((rows(&whole), items(whole.len())), (table.len() as f64, Some(k)));
        let tolerance = 1e-9 * (1.0 + origin / 1e3);
        let near = |ours: Option<f64>, expected: Option<f64>| {
            let scale = expected.map_or(1.0, |alpha| 1.0 + alpha.powi(2));
            close_option(ours, expected, tolerance * scale, "alpha");
        };
        near(alpha(&whole), slow_alpha(&table));
        prop_assert_eq!(alpha_se(&whole).is_some(), alpha(&whole).is_some());
        prop_assert!(alpha(&whole).is_none_or(|alpha| alpha <= 1.0));

        let mixed = shuffled(&far, seed);
        let (one, other) = mixed.split_at((cut * mixed.len() as f64) as usize);
        let (mut one, other) = (state(k, one), state(k, other));
        merge(&mut one, &other);
        for (part, whole) in one.iter().zip(&whole) {
            close(*part, *whole, 1e-8 * (1.0 + origin / 1e3), "merged");
        }
        near(alpha(&one), slow_alpha(&table));
    }
}

#[test]
fn empty_parts_change_nothing() {
    let table = [[0.1, 0.7], [0.3, 0.2], [1.0, 0.9]];
    let whole = state(2, &table);
    let mut parts = state(2, &table);
    merge(&mut parts, &[0.0; 6]);
    assert_eq!(parts, whole);
    let mut parts = vec![0.0; 6];
    merge(&mut parts, &whole);
    assert_eq!(parts, whole);
    // What does not fit changes nothing either.
    push(&mut parts, &[1.0]);
    merge(&mut parts, &state(3, &[[1.0, 2.0, 3.0]]));
    assert_eq!(parts, whole);
}

#[test]
fn lengths() {
    for k in 0..1500 {
        assert_eq!(items(length(k)), Some(k));
        assert_eq!(items(length(k) + 1), None);
    }
    assert_eq!((items(0), alpha(&[]), alpha_se(&[])), (None, None, None));
    assert_eq!(alpha(&[5.0, 1.0, 2.0, 3.0]), None);
}

#[test]
fn undefined() {
    assert_eq!(alpha(&state(2, &[[1.0, 0.0]])), None);
    assert_eq!(alpha(&state(1, &[[1.0], [0.0]])), None);
    // Totals that do not vary, for two reasons.
    assert_eq!(
        alpha(&state(2, &[[0.1, 0.7], [0.1, 0.7], [0.1, 0.7]])),
        None
    );
    assert_eq!(
        alpha(&state(2, &[[0.1, 0.7], [0.7, 0.1], [0.3, 0.5]])),
        None
    );
    // Questions that disagree.
    let disagreeing = state(2, &[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]]);
    let expected = slow_alpha(&[vec![1., 0.], vec![0., 1.], vec![0., 1.], vec![1., 1.]]);
    assert!(expected < Some(0.0));
    close_option(alpha(&disagreeing), expected, 1e-14, "alpha");
    let huge = state(2, &[[1e100, -1e100], [-1e100, 1e100], [1e100, 1e100]]);
    assert!(alpha(&huge).is_none_or(f64::is_finite));
    assert!(alpha_se(&huge).is_none_or(f64::is_finite));
}

#[test]
fn no_alpha_is_above_1() {
    // Scores a rounding error apart.
    for step in [1e-15, 1e-12, 0.1] {
        let row = |student: u32| vec![0.7 + step * f64::from(student % 3); 10];
        let table: Vec<Vec<f64>> = (0..50).map(row).collect();
        let alpha = alpha(&state(10, &table));
        assert!(alpha.is_none_or(|alpha| alpha <= 1.0), "{alpha:?}");
    }
}
