//! What the scores of a gradebook say of the scale that they were given with.

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::{Census, Doubt, Scope, unused_scales};
use pg_assess_test_support::{OwnRow, go, gradebook, row};

/// A row of a student and an item with a maximum, of one assessment for all.
fn scored(student: i64, item: i64, score: f64, max: f64) -> OwnRow {
    OwnRow {
        max_score: MaxScore::Points(Some(max)),
        ..row(student, item, 0, score, 0.0)
    }
}

/// What is doubted of a hundred scores of one item.
fn doubt(max: f64, score: impl Fn(i64) -> f64) -> Option<Doubt> {
    let rows: Vec<_> = (0..100)
        .map(|own| scored(own, 0, score(own), max))
        .collect();
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let census = Census::of(&book, &Scope::default(), &go).expect("a census");
    census.doubt.map(|found| found.doubt)
}

#[test]
fn the_highest_tenth_says_what_scores_above_their_maximum_are() {
    for max in [1.0, 5.0, 9.0] {
        let percentages = |own: i64| own as f64;
        assert_eq!(doubt(max, percentages), Some(Doubt::Percentages));
        for stray in [105.0, 999.0] {
            let with_stray = |own| {
                if own % 12 == 0 {
                    stray
                } else {
                    percentages(own)
                }
            };
            assert_eq!(doubt(max, with_stray), Some(Doubt::Percentages));
        }
        let codes = |own| if own % 12 == 0 { 999.0 } else { max };
        assert_eq!(doubt(max, codes), Some(Doubt::Codes));
        let all = |_| 999.0;
        assert_eq!(doubt(max, all), Some(Doubt::Points));
        let twenty = |own| (own % 21) as f64;
        assert_eq!(doubt(max, twenty), Some(Doubt::PointsOrPercentages));
        // As far as twice the maximum it may be a bonus.
        assert_eq!(doubt(max, |_| 1.99 * max), Some(Doubt::Bonus));
        assert_ne!(doubt(max, |_| 2.0 * max), Some(Doubt::Bonus));
        assert_eq!(doubt(max, |_| max), None);
    }
}

#[test]
fn what_is_not_asked_about_says_nothing_of_a_scale() {
    // Item 0 in percent, item 1 with a bonus, item 2 of shares that were said to be percentages;
    // the scores of item 3 beyond the maximum count no more than those of item 2.
    let mut rows = Vec::new();
    for own in 0..30 {
        let share = (own % 2) as f64;
        let out = if own == 0 { 999.0 } else { share };
        rows.push(scored(own, 0, 100.0 * share, 1.0));
        rows.push(scored(own, 1, 1.2 * (own % 5 / 4) as f64, 1.0));
        rows.push(scored(own, 2, share, 100.0));
        rows.push(scored(own, 3, out, 100.0));
    }
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let asked = |scope: &Scope| {
        let census = Census::of(&book, scope, &go).expect("a census");
        let items = Census::doubts_by_item(&book, scope, &go).expect("doubts");
        let unused = unused_scales(&book, scope, &go).expect("scales");
        (
            census.doubt.map(|found| found.doubt),
            items.iter().map(|(item, _)| *item).collect::<Vec<_>>(),
            unused.iter().map(|own| own.item).collect::<Vec<_>>(),
        )
    };
    let without = |items: &[u32]| Scope {
        exclude_items: items.to_vec(),
        ..Scope::default()
    };
    let (percentages, bonus) = (Some(Doubt::Percentages), Some(Doubt::Bonus));
    assert_eq!(
        asked(&Scope::default()),
        (percentages, vec![0, 1, 3], vec![2, 3])
    );
    assert_eq!(asked(&without(&[0])), (bonus, vec![1, 3], vec![2, 3]));
    assert_eq!(asked(&without(&[0, 1, 3])), (None, vec![], vec![2]));
    let nothing = (None, vec![], vec![]);
    let excluded = Scope {
        exclude: vec![0],
        ..Scope::default()
    };
    let before = Scope {
        as_of: Some(-1),
        ..Scope::default()
    };
    assert_eq!(asked(&excluded), nothing);
    assert_eq!(asked(&before), nothing);
}

#[test]
fn few_answers_to_each_question_are_looked_at_together() {
    let unused = |rows: &[OwnRow]| {
        let bytes = gradebook(rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let found = unused_scales(&book, &Scope::default(), &go).expect("scales");
        found.iter().map(|own| own.item).collect::<Vec<_>>()
    };
    // Four answers to each of four items, of shares.
    let share = |own: i64, item: i64| scored(own, item, (own % 2) as f64, 100.0);
    let mut rows: Vec<_> = (0..16).map(|at| share(at / 4, at % 4)).collect();
    assert_eq!(unused(&rows), [0, 1, 2, 3]);
    assert_eq!(unused(&rows[..9]), [0; 0], "nine answers");
    // A scale that one of them uses says nothing of the others; nor does another scale.
    rows[4].score = Some(80.0);
    assert_eq!(unused(&rows), [0; 0]);
    rows[4].max_score = MaxScore::Points(Some(90.0));
    assert_eq!(unused(&rows), [1, 2, 3]);
}
