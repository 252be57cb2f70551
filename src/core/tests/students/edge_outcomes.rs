//! What results show where there is little or nothing to show: the table of the documentation, as
//! tests. Nothing is claimed that the data do not say.

use pg_assess_core::options::Options;
use pg_assess_test_support::{OwnRow, Solved, close, gradebook, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Students by assessments, two weeks apart, of five questions each.
fn grid(students: i64, assessments: i64, score: impl Fn(i64, i64, i64) -> f64) -> Vec<OwnRow> {
    let mut rows = Vec::new();
    for student in 0..students {
        for assessment in 0..assessments {
            for question in 0..5 {
                let score = score(student, question, assessment);
                let (item, day) = (5 * assessment + question, 14 * assessment);
                rows.push(row(student, item, assessment, score, day as f64));
            }
        }
    }
    rows
}

/// Right or wrong, with some sense: later students know more, later questions are harder.
fn sensible(student: i64, question: i64, assessment: i64) -> f64 {
    let noise = (student * 7 + question * 11 + assessment * 13) % 17;
    f64::from(u8::from(student + noise > 8 * question))
}

fn written(figure: Option<f64>) -> String {
    figure.map_or("none".to_owned(), |figure| {
        format!("{:.3}", figure + 0.0).replace("-0.000", "0.000")
    })
}

/// What is said of the first student, the first item and the first assessment.
fn outcome(rows: &[OwnRow], options: &Options) -> String {
    let solved = Solved::of(&gradebook(rows), options);
    solved.assert_sound(options);
    let mut parts = Vec::new();
    if let Some(row) = solved.students.first() {
        let level = row.level;
        parts.push(format!(
            "student {}: level {} se {} need {} rank {:?} trend {} p {}",
            row.status.label(),
            written(level.map(|level| level.level)),
            written(level.and_then(|level| level.se)),
            written(level.and_then(|level| level.need)),
            row.need_rank.unwrap_or(0),
            row.trend.direction.label(),
            written(row.trend.p),
        ));
    }
    if let Some(row) = solved.items.first() {
        parts.push(format!(
            "item {}: r_rest {} D {} index {} weight {}",
            row.quality.status.label(),
            written(row.quality.r_rest),
            written(row.separation.somers_d),
            written(row.separation.discrimination_index),
            written(Some(row.quality.weight)),
        ));
    }
    if let Some((_, row)) = solved.assessments.first() {
        parts.push(format!(
            "assessment: mean {} sd {} alpha {} sem {}",
            written(row.mean),
            written(row.sd),
            written(row.alpha),
            written(row.sem),
        ));
    }
    parts.join("; ")
}

#[track_caller]
fn assert_outcome(rows: &[OwnRow], expected: &str) {
    assert_eq!(outcome(rows, &Options::default()), expected);
}

#[test]
fn nothing() {
    assert_outcome(&[], "");
}

#[test]
fn a_student_without_a_usable_row_is_listed() {
    let absent = OwnRow {
        score: None,
        ..row(1, 1, 1, 0.0, 0.0)
    };
    assert_outcome(
        &[absent],
        "student none: level none se none need none rank 0 trend unclear p none; \
         item waiting: r_rest none D none index none weight 1.000; \
         assessment: mean none sd none alpha none sem none",
    );
}

#[test]
fn one_answer_is_a_level_without_any_certainty() {
    assert_outcome(
        &[row(1, 1, 1, 0.5, 0.0)],
        "student provisional: level 0.500 se none need none rank 1 trend unclear p none; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.500 sd none alpha none sem none",
    );
}

#[test]
fn one_student_and_one_assessment() {
    assert_outcome(
        &grid(1, 1, sensible),
        "student provisional: level 0.200 se none need none rank 1 trend unclear p none; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.200 sd none alpha none sem none",
    );
}

/// Every answer might be due to the question, so nothing is taken from any: neither noise nor a trend
/// can be estimated. Without the adjustment they can.
#[test]
fn one_student() {
    let rows = grid(1, 6, |_, question, assessment| {
        f64::from(u8::from(question < assessment))
    });
    assert_outcome(
        &rows,
        "student ok: level 0.593 se none need none rank 1 trend unclear p none; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.000 sd none alpha none sem none",
    );
    assert_eq!(
        outcome(&rows, &Options::plain()),
        "student ok: level 0.593 se 0.156 need 0.500 rank 1 trend rising p 0.000; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.000 sd none alpha none sem none"
    );
}

/// The same with several students who share no question: they can be compared, by plain scores.
#[test]
fn students_who_share_no_question() {
    let mut rows = grid(20, 6, sensible);
    for (at, row) in (0..).zip(&mut rows) {
        row.item = Some(pg_assess_test_support::OwnId::Integer(at));
    }
    assert_outcome(
        &rows,
        "student ok: level 0.400 se 0.073 need 0.672 rank 1 trend unclear p none; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.530 sd 0.175 alpha none sem none",
    );
}

/// Half of the spread of single answers is taken for noise.
#[test]
fn one_question() {
    let rows: Vec<OwnRow> = (0..40).map(|s| row(s, 1, 1, (s % 2) as f64, 0.0)).collect();
    assert_outcome(
        &rows,
        "student provisional: level 0.250 se 0.253 need 0.347 rank 1 trend unclear p none; \
         item insufficient: r_rest none D none index none weight 1.000; \
         assessment: mean 0.500 sd 0.506 alpha none sem none",
    );
}

#[test]
fn one_assessment() {
    assert_outcome(
        &grid(40, 1, sensible),
        "student provisional: level 0.382 se 0.121 need 0.935 rank 2 trend unclear p none; \
         item usable: r_rest 0.229 D 0.795 index 0.093 weight 0.927; \
         assessment: mean 0.730 sd 0.246 alpha 0.637 sem 0.148",
    );
}

#[test]
fn all_right() {
    assert_outcome(
        &grid(40, 6, |_, _, _| 1.0),
        "student ok: level 1.000 se 0.000 need 0.000 rank 1 trend steady p 1.000; \
         item no_variance: r_rest none D none index 0.000 weight 1.000; \
         assessment: mean 1.000 sd 0.000 alpha none sem none",
    );
}

#[test]
fn all_alike() {
    // Sums of .7 are not exact.
    assert_outcome(
        &grid(40, 6, |_, _, _| 0.7),
        "student ok: level 0.700 se 0.000 need 0.000 rank 1 trend steady p 1.000; \
         item no_variance: r_rest none D none index 0.000 weight 1.000; \
         assessment: mean 0.700 sd 0.000 alpha none sem none",
    );
}

#[test]
fn every_student_constant() {
    assert_outcome(
        &grid(40, 6, |student, _, _| student as f64 / 39.0),
        "student ok: level 0.000 se 0.000 need 1.000 rank 1 trend steady p 1.000; \
         item usable: r_rest 1.000 D 1.000 index 0.748 weight 1.000; \
         assessment: mean 0.500 sd 0.300 alpha 1.000 sem 0.000",
    );
}

#[test]
fn every_question_constant() {
    let rows = grid(40, 6, |_, question, _| (1 + question) as f64 / 7.0);
    assert_outcome(
        &rows,
        "student ok: level 0.429 se 0.000 need 0.000 rank 1 trend steady p 1.000; \
         item no_variance: r_rest none D none index 0.000 weight 1.000; \
         assessment: mean 0.429 sd 0.000 alpha none sem none",
    );
}

/// Whoever does better on one question does worse on the rest: as if all keys were wrong. Then
/// the rest is no criterion, and all questions weigh the same.
#[test]
fn all_with_the_same_total() {
    let rows = grid(40, 1, |student, question, _| {
        f64::from(u8::from((student + question) % 5 < 2))
    });
    assert_outcome(
        &rows,
        "student provisional: level 0.400 se 0.107 need 0.500 rank 1 trend unclear p none; \
         item flawed: r_rest -1.000 D -1.000 index -1.000 weight 1.000; \
         assessment: mean 0.400 sd 0.000 alpha none sem none",
    );
}

/// Ability and difficulty add up without noise: no change, which rounding must not hide.
#[test]
fn no_noise_at_all() {
    for seed in 0..10 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let effects: Vec<f64> = (0..40).map(|_| rng.gen_range(0.0..0.3)).collect();
        let mut rows = Vec::new();
        for student in 0..40 {
            let ability = rng.gen_range(0.0..0.7);
            for item in (0..40).filter(|item| (item * 7 + student) % 5 > 0) {
                let day = (20 * (item / 5)) as f64 + rng.gen_range(0.0..9.0);
                let score = ability + effects[item as usize];
                rows.push(row(student, item, item / 5, score, day));
            }
        }
        for shrink in [true, false] {
            let options = Options {
                shrink,
                trend_window: None,
                ..Options::default()
            };
            let solved = Solved::of(&gradebook(&rows), &options);
            for row in &solved.students {
                assert_eq!(row.trend.direction.label(), "steady", "{row:?}");
                let level = row.level.expect("a level");
                assert!([Some(0.0), Some(1.0)].contains(&level.need), "{row:?}");
                close(level.se.expect("an error"), 0.0, 1e-9, "se");
            }
        }
    }
}

/// Exactly along a line: no noise, but change.
#[test]
fn change_without_noise() {
    let rows = grid(40, 6, |student, _, assessment| {
        0.5 + 0.1 * (assessment as f64 - 2.5) * f64::from(u8::from(student % 2 == 0))
    });
    for shrink in [true, false] {
        let options = Options {
            shrink,
            adjust_difficulty: false,
            quality: false,
            ..Options::default()
        };
        let solved = Solved::of(&gradebook(&rows), &options);
        for row in &solved.students {
            let rising = row.student % 2 == 0;
            let label = if rising { "rising" } else { "steady" };
            assert_eq!(row.trend.direction.label(), label, "{row:?}");
        }
    }
}
