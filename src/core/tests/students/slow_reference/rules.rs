//! One rule at a time: flags, open scales, attempts, ties.

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::{Attempts, Blanks, Ledger, MissingMax, Reading, Scope};
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::statistics::distribution::normal_quantile;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Asked};
use pg_assess_test_support::{OwnId, OwnRow, close, go, gradebook, mean, normal, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::whole::compare;
use super::{Response, bytes_of};

/// Thirty answers suffice for a flag also when some are worth little.
#[test]
fn answers_are_counted_for_a_flag_and_not_what_they_are_worth() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut rows = Vec::new();
    for student in 0..32 {
        let ability = normal(&mut rng);
        let others = if student % 2 == 0 { 1 } else { 30 };
        for item in 0..=others {
            let right = ability + normal(&mut rng) > 0.0;
            rows.push(Response {
                student,
                item,
                assessment: usize::from(item > 0),
                score: f64::from(u8::from(right == (item > 0))),
                day: 0.0,
            });
        }
    }
    compare(&rows, 0.0, &Options::default());
    let bytes = bytes_of(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    assert!(items[0].quality.n_effective < 30.0, "{:?}", items[0]);
    assert_eq!(items[0].quality.status.label(), "flawed");
}

#[test]
fn open_scales_are_standardized_within_their_item() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // Items 0 to 2 bounded, 3 and 4 open, 5 open and skewed, 6 open and constant.
    let mut rows = Vec::new();
    for student in 0..50 {
        for item in 0..7 {
            let score = match item {
                0..=2 => f64::from(rng.gen_range(0..=4u8)) / 4.0,
                3 | 4 => (100.0 + 30.0 * normal(&mut rng)).max(0.0),
                5 => (2.0 * normal(&mut rng)).exp(),
                _ => 7.0,
            };
            let max_score = MaxScore::Points(Some(if item < 3 { 1.0 } else { f64::INFINITY }));
            rows.push(OwnRow {
                max_score,
                ..row(student, item, 0, score, 0.0)
            });
        }
    }
    let scores = |item: i64| -> Vec<f64> {
        let of_item = rows
            .iter()
            .filter(|row| row.item == Some(OwnId::Integer(item)));
        of_item.filter_map(|row| row.score).collect()
    };
    let about = |scores: &[f64], power: i32| {
        let centre = mean(scores.iter().copied());
        scores.iter().map(|x| (x - centre).powi(power)).sum::<f64>()
    };
    let spread = ((0..3).map(|item| about(&scores(item), 2)).sum::<f64>() / (3.0 * 49.0)).sqrt();
    let (center, deviation): (Vec<f64>, Vec<f64>) = (3..7)
        .map(|item| {
            let mut scores = scores(item);
            let sd = (about(&scores, 2) / 49.0).sqrt();
            let skewness = about(&scores, 3) / 50.0 / sd.powi(3);
            assert_eq!(skewness.abs() > 2.0, item == 5, "{skewness}");
            if item != 5 {
                return (mean(scores), sd);
            }
            scores.sort_by(f64::total_cmp);
            let quartile = |share: f64| scores[(49.0 * share).round() as usize];
            let z = normal_quantile(0.75);
            (quartile(0.5), (quartile(0.75) - quartile(0.25)) / (2.0 * z))
        })
        .unzip();
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for student in 0..50 {
        let explained =
            solve::explain(&book, student, &Options::plain(), &go).expect("contributions");
        for contribution in explained {
            let item = contribution.item as usize;
            let raw = scores(item as i64)[student as usize];
            let expected = match item {
                0..=2 => raw,
                6 => 0.5,
                _ => 0.5 + spread * (raw - center[item - 3]) / deviation[item - 3],
            };
            close(contribution.score, expected, 1e-12, "standardized score");
        }
    }
    let items = solve::items(&book, &Options::default(), &go).expect("items");
    let facilities: Vec<bool> = items.iter().map(|item| item.facility.is_some()).collect();
    assert_eq!(facilities, [true, true, true, false, false, false, false]);
}

#[test]
fn attempts_move_figures_to_the_time_that_counts() {
    // One item tried on days 0, 50 and 100.
    let rows = [
        row(1, 1, 1, 0.2, 0.0),
        row(1, 1, 1, 0.9, 50.0),
        row(1, 1, 1, 0.6, 100.0),
        row(1, 2, 1, 0.5, 50.0),
        row(2, 1, 1, 0.4, 30.0),
    ];
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for (attempts, score, first, last) in [
        (Attempts::First, 0.2, 0, 50),
        (Attempts::Last, 0.6, 50, 100),
        (Attempts::Best, 0.9, 50, 50),
    ] {
        let options = Options {
            counting: Counting::Responses,
            ..Options::plain()
        };
        let options = Asked {
            attempts,
            ..Asked::from(options)
        };
        let explained = solve::explain(&book, 0, &options, &go).expect("contributions");
        let days = [
            explained[0].taken_at.min(explained[1].taken_at),
            explained[0].taken_at.max(explained[1].taken_at),
        ];
        assert_eq!(explained[0].score, score);
        assert_eq!(days, [first * DAY, last * DAY], "{attempts:?}");
        for contribution in &explained {
            let age = (100 * DAY - contribution.taken_at) as f64 / DAY as f64;
            close(contribution.decay, 0.5_f64.powf(age / 60.0), 1e-15, "decay");
            assert_eq!(contribution.quality, 1.0);
        }
        let assessments = solve::assessments(&book, &options, &go).expect("assessments");
        let (_, figures) = &assessments[0];
        assert_eq!(figures.span, Some((first.min(30) * DAY, last * DAY)));
        let items = solve::items(&book, &options, &go).expect("items");
        let own = if attempts == Attempts::First { 0 } else { 30 };
        assert_eq!(items[0].span.map(|(first_at, _)| first_at), Some(own * DAY));
        let students = solve::students(&book, &options, &go).expect("students");
        let last_at = students[0].level.and_then(|level| level.last_at);
        assert_eq!(last_at, Some(last * DAY));
    }
}

/// What counts of two attempts at a question of one point and at one of five.
#[test]
fn a_whole_attempt_is_chosen_by_its_points() {
    let answer = |item, attempt, score, max, day| OwnRow {
        attempt: Some(attempt),
        max_score: MaxScore::Points(Some(max)),
        ..row(1, item, 1, score, day)
    };
    let rows = [
        answer(1, 1, 1.0, 1.0, 0.0),
        answer(2, 1, 0.0, 5.0, 0.0),
        answer(1, 2, 0.0, 1.0, 7.0),
        answer(2, 2, 2.0, 5.0, 7.0),
        // A third was begun and is not marked.
        OwnRow {
            score: None,
            ..answer(2, 3, 0.0, 5.0, 9.0)
        },
    ];
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let counted = |attempts, exclude_items: &[u32]| {
        let scope = Scope {
            attempts,
            exclude_items: exclude_items.to_vec(),
            ..Scope::default()
        };
        let counted = Ledger::counted(&book, &scope, &go).expect("responses");
        let shares = counted.into_iter().map(|own| (own.item, own.score.value()));
        shares.collect::<Vec<_>>()
    };
    assert_eq!(counted(Attempts::Best, &[]), [(0, 1.0), (1, 0.4)]);
    assert_eq!(counted(Attempts::FirstAttempt, &[]), [(0, 1.0), (1, 0.0)]);
    assert_eq!(counted(Attempts::LastAttempt, &[]), [(0, 0.0), (1, 0.4)]);
    assert_eq!(counted(Attempts::BestAttempt, &[]), [(0, 0.0), (1, 0.4)]);
    // Of what counts the first attempt had more.
    assert_eq!(counted(Attempts::BestAttempt, &[1]), [(0, 1.0)]);
}

/// Where the most points of anybody are the maximum, a question of which nobody has any says nothing
/// of an attempt.
#[test]
fn an_attempt_without_a_usable_maximum_is_none() {
    let answer = |student, item, attempt, score, day| OwnRow {
        attempt: Some(attempt),
        max_score: MaxScore::Points(None),
        ..row(student, item, 1, score, day)
    };
    let rows = [
        answer(1, 1, 1, 0.0, 0.0),
        answer(1, 2, 2, 3.0, 1.0),
        answer(1, 1, 3, 0.0, 2.0),
        answer(2, 2, 1, 4.0, 0.0),
    ];
    let bytes = gradebook(&rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    for attempts in [
        Attempts::FirstAttempt,
        Attempts::LastAttempt,
        Attempts::BestAttempt,
    ] {
        let scope = Scope {
            attempts,
            reading: Reading {
                missing_max: MissingMax::Observed,
                ..Reading::default()
            },
            ..Scope::default()
        };
        let counted = Ledger::counted(&book, &scope, &go).expect("responses");
        let shares: Vec<f64> = counted.iter().map(|own| own.score.value()).collect();
        assert_eq!(shares, [0.75, 1.0], "{attempts:?}");
    }
}

#[test]
fn ties_of_the_criterion_are_ties_whatever_the_rounding() {
    // Five questions of one assessment, scores of one sixth and the like: sums in different
    // order differ in the last bit, the levels do not.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut rows = Vec::new();
    for student in 0..60 {
        for item in 0..5 {
            let score = f64::from(rng.gen_range(0..4u8)) / 3.0;
            rows.push(Response {
                student,
                item,
                assessment: 0,
                score,
                day: 0.0,
            });
        }
    }
    compare(&rows, 0.0, &Options::default());
    compare(&rows, 0.0, &Options::plain());
}

/// What is said not to count says nothing of a sitting either.
#[test]
fn an_excluded_answer_makes_no_blank_of_what_waits() {
    let blank = |item, student| OwnRow {
        score: None,
        ..row(student, item, 1, 0.0, 0.0)
    };
    let rows = [
        blank(1, 1),
        blank(2, 1),
        row(1, 9, 1, 1.0, 0.0),
        row(2, 1, 1, 1.0, 0.0),
        row(2, 2, 1, 0.0, 0.0),
        row(3, 1, 1, 1.0, 0.0),
        row(3, 2, 1, 1.0, 0.0),
    ];
    let scored = |rows: &[OwnRow], exclude_items: Vec<u32>| {
        let bytes = gradebook(rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let scope = Scope {
            exclude_items,
            reading: Reading {
                blanks: Blanks::Zero,
                ..Reading::default()
            },
            ..Scope::default()
        };
        let ledger = Ledger::new(&book, &scope, &go).expect("a ledger");
        let own = ledger.unmarked_of(0);
        (ledger.responses_of(0).len(), own[0].omitted, own[0].waiting)
    };
    assert_eq!(scored(&rows, vec![]), (3, 2, 0));
    let without: Vec<OwnRow> = rows
        .iter()
        .filter(|row| row.item != rows[2].item)
        .cloned()
        .collect();
    assert_eq!(scored(&rows, vec![2]), (0, 0, 2));
    assert_eq!(scored(&without, vec![]), (0, 0, 2));
}
