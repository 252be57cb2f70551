//! Advice on the half-life against a slow calculation, published figures and levels that are known
//! to walk at random, and its wording against its numbers.

use pg_assess_core::Error;
use pg_assess_core::forecasts::half_life::{Advice, Trial};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::questions::difficulty::Difficulty;
use pg_assess_core::statistics::shrink::Population;
use pg_assess_core::students::previous::Previous;
use pg_assess_core::students::records::Records;
use pg_assess_core::students::variogram::optimal;
use pg_assess_core::time::DAY;
use pg_assess_test_support::solve::{self, Ask, Asked};
use pg_assess_test_support::{
    OwnRow, answers, assert_advice_sound, close, go, gradebook, messy_school, normal, row,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn advice(rows: &[OwnRow], options: &impl Ask, resamples: u64) -> Advice {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    solve::half_life_advice(&book, options, resamples, 1, &go).expect("advice")
}

/// Time in days, score without difficulty, precision.
type Piece = (f64, f64, f64);

/// The evidence of every student.
fn evidence(rows: &[OwnRow], asked: &impl Ask) -> Vec<Vec<Piece>> {
    let all = answers(&rows.iter().collect::<Vec<_>>(), asked);
    let options = asked.options();
    let mut students: Vec<i64> = all.iter().map(|(student, _)| *student).collect();
    students.dedup();
    let days = |at: i64| at as f64 / DAY as f64;
    let of = |student: i64| -> Vec<Piece> {
        let own: Vec<_> = all
            .iter()
            .filter(|own| own.0 == student)
            .map(|own| own.1)
            .collect();
        if options.counting == Counting::Responses {
            let piece = |own: &pg_assess_core::students::explain::Contribution| {
                let precision = own.quality * own.counts;
                (days(own.taken_at), own.score - own.expected, precision)
            };
            return own
                .iter()
                .filter(|own| own.quality > 0.0)
                .map(piece)
                .collect();
        }
        let mut units: Vec<u32> = own.iter().map(|own| own.assessment).collect();
        units.sort_unstable();
        units.dedup();
        let piece = |unit: u32| {
            let own: Vec<_> = own.iter().filter(|own| own.assessment == unit).collect();
            let sum: f64 = own.iter().map(|own| own.quality * own.counts).sum();
            let squares = own.iter().map(|own| own.quality.powi(2) * own.counts);
            let squares: f64 = squares.sum();
            let score = |own: &&pg_assess_core::students::explain::Contribution| {
                own.quality * own.counts * (own.score - own.expected)
            };
            let score = own.iter().map(score).sum::<f64>() / sum;
            let k = sum * sum / squares;
            let precision = match options.counting {
                Counting::Effective => squares / sum * k / (k + options.half_precision_items),
                _ => squares / sum,
            };
            let at = own.iter().map(|own| own.taken_at).max().expect("an answer");
            (days(at), score, precision)
        };
        units.into_iter().map(piece).collect()
    };
    students.into_iter().map(of).collect()
}

/// What the cohort is like, and the noise of a piece of precision 1.
fn cohort(rows: &[OwnRow], asked: &impl Ask) -> (Population, Option<f64>) {
    let options = asked.options();
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let ledger = solve::ledger(&book, asked, &go).expect("a ledger");
    let difficulty = Difficulty::fit(&ledger, options.adjust_difficulty, &go);
    let mut weights = vec![1.0; ledger.item_count()];
    for item in solve::items(&book, asked, &go).expect("items") {
        if options.quality {
            weights[item.item as usize] = item.quality.weight;
        }
    }
    let records = Records::gather(&ledger, &difficulty, &weights, &options.into(), None, &go);
    let cohort = records
        .cohort(
            &ledger,
            &difficulty,
            &Previous::default(),
            &options.into(),
            &go,
        )
        .expect("evidence");
    (cohort.population, cohort.noise)
}

/// Mean square error of the scores predicted from three or more earlier ones, their number, and
/// that of the students.
fn slow_error(rows: &[OwnRow], options: &Asked, half_life: Option<f64>) -> (f64, u64, u64) {
    let (population, noise) = cohort(rows, options);
    let (mut squares, mut n, mut students) = (0.0, 0, 0);
    for own in evidence(rows, options) {
        let before = n;
        for &(at, score, _) in &own {
            let known: Vec<&Piece> = own.iter().filter(|piece| piece.0 < at).collect();
            if known.len() < 3 {
                continue;
            }
            let last = known.iter().map(|piece| piece.0).fold(f64::MIN, f64::max);
            let (mut sum, mut sum_scores, mut sum_squares) = (0.0, 0.0, 0.0);
            for (at, score, precision) in known {
                let fade = half_life.map_or(1.0, |days| 0.5_f64.powf((last - at) / days));
                sum += fade * precision;
                sum_scores += fade * precision * score;
                // A piece varies by `noise / precision`.
                sum_squares += fade * fade * precision;
            }
            let mean = sum_scores / sum;
            let predicted = match noise.filter(|_| options.shrink) {
                Some(noise) => {
                    let believed = population.reliability(noise * sum_squares / (sum * sum));
                    population.mean + believed * (mean - population.mean)
                }
                None => mean,
            };
            squares += (score - predicted).powi(2);
            n += 1;
        }
        students += u64::from(n > before);
    }
    (squares / n as f64, n, students)
}

#[test]
fn every_error_is_that_of_a_slow_calculation() {
    let mut predicted = 0;
    for seed in 0..20 {
        let rows = messy_school(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let options = Options {
            half_life: [60.0, 47.0, 1.5][seed as usize % 3],
            counting: [
                Counting::Effective,
                Counting::Assessments,
                Counting::Responses,
            ][seed as usize / 2 % 3],
            shrink: rng.gen_bool(0.7),
            quality: rng.gen_bool(0.7),
            adjust_difficulty: rng.gen_bool(0.8),
            min_answers: 4.0,
            ..Options::default()
        };
        let options = Asked {
            attempts: [Attempts::First, Attempts::Last, Attempts::Best][seed as usize % 3],
            ..Asked::from(options)
        };
        let advice = advice(&rows, &options, 20);
        assert_advice_sound(&advice, options.half_life);
        predicted += advice.n;
        for trial in &advice.trials {
            let (square, n, students) = slow_error(&rows, &options, trial.half_life);
            assert_eq!((advice.n, advice.students), (n, students));
            close(
                trial.rmse,
                square.sqrt(),
                1e-9,
                &format!("{seed} {:?}", trial.half_life),
            );
        }
    }
    assert!(predicted > 800, "{predicted}");
}

/// In intervals between two assessments, for what a level gains in an interval by noise.
#[test]
fn the_best_half_life_is_that_of_the_literature() {
    for (ratio, intervals) in [(0.0225, 4.6), (0.0025, 13.9), (0.09, 2.3)] {
        for (interval, noise) in [(20.0, 1.0), (25.0, 0.01)] {
            let found = optimal(ratio * noise / interval, noise, interval);
            close(found / interval, intervals, 0.06, "intervals");
        }
    }
    // Kept within two weeks and a year.
    assert_eq!(optimal(1.0, 0.01, 7.0), 14.0);
    assert_eq!(optimal(1e-9, 1.0, 7.0), 365.0);
    assert_eq!(optimal(f64::MAX, 1e-300, 7.0), 14.0);
    assert_eq!(optimal(1e-300, f64::MAX, 7.0), 365.0);
}

/// The steady error of a mean with gain `g` for a level that gains variance `q` between two scores
/// of noise 1, `((1 - g)^2 q + g^2) / (1 - (1 - g)^2)`, is least at the half-life proposed.
#[test]
fn no_other_half_life_follows_a_random_walk_better() {
    for q in [0.001, 0.01, 0.1, 0.5] {
        let error = |half_life: f64| {
            let kept = 0.5_f64.powf(1.0 / half_life);
            (kept * kept * q + (1.0 - kept).powi(2)) / (1.0 - kept * kept)
        };
        let interval = 30.0;
        let best = optimal(q / interval, 1.0, interval) / interval;
        let best = best.min(365.0 / interval);
        if best < 12.0 {
            assert!(
                error(best) < error(best * 1.01) && error(best) < error(best * 0.99),
                "{q}"
            );
        }
    }
}

/// Weekly scores of levels that gain `ratio` of the noise's variance each week.
fn walk(seed: u64, students: i64, weeks: i64, ratio: f64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let noise = 0.1;
    let mut rows = Vec::new();
    for student in 0..students {
        let mut level = 2.0 + 0.1 * normal(&mut rng);
        for week in 0..weeks {
            level += ratio.sqrt() * noise * normal(&mut rng);
            let score = level + noise * normal(&mut rng);
            let mut row = row(student, week, week, score, 7.0 * week as f64);
            row.max_score = MaxScore::Points(Some(4.0));
            rows.push(row);
        }
    }
    rows
}

#[test]
fn a_level_that_walks_at_random_is_followed_best_by_the_half_life_proposed() {
    for seed in 0..3 {
        // Each week 0.0225 of the noise: 4.6 weeks, 32 days.
        let advice = advice(&walk(seed, 250, 24, 0.0225), &Options::default(), 100);
        assert_advice_sound(&advice, 60.0);
        assert_eq!((advice.n, advice.students), (250 * 21, 250));
        let proposed = advice.variogram.expect("a drift");
        assert!((22.0..=48.0).contains(&proposed), "{proposed}");
        let best = advice.trials.iter().find(|own| own.is_best).expect("one");
        assert!(
            (21.0..=60.0).contains(&best.half_life.expect("days")),
            "{best:?}"
        );
        let near = |own: &&Trial| {
            let ratio = own.half_life.unwrap_or(f64::INFINITY) / 32.0;
            (0.6..=1.5).contains(&ratio)
        };
        for own in advice.trials.iter().filter(near) {
            assert!(own.indistinguishable, "{own:?}");
        }
        assert!(advice.trials[9].rmse > best.rmse);
    }
}

#[test]
fn without_drift_nothing_need_be_forgotten() {
    for seed in 0..3 {
        let advice = advice(&walk(seed, 250, 16, 0.0), &Options::default(), 100);
        assert_advice_sound(&advice, 60.0);
        let last = advice.trials.last().expect("trials");
        assert_eq!(last.half_life, None);
        assert!(last.indistinguishable, "{last:?}");
        assert!(
            advice.variogram.is_none_or(|days| days > 100.0),
            "{:?}",
            advice.variogram
        );
        assert!(
            advice.sentence.contains("to no decay, half-lives"),
            "{}",
            advice.sentence
        );
    }
}

/// The sentence that the numbers make.
fn expected_sentence(advice: &Advice, in_use: &str) -> String {
    let name = |at: usize| match advice.trials[at].half_life {
        Some(10.26) => "10.3 days".to_owned(),
        Some(days) => format!("{days} days"),
        None => "no decay".to_owned(),
    };
    let best = advice
        .trials
        .iter()
        .position(|own| own.is_best)
        .expect("one");
    let (mut low, mut high) = (best, best);
    while low > 0 && advice.trials[low - 1].indistinguishable {
        low -= 1;
    }
    while high + 1 < advice.trials.len() && advice.trials[high + 1].indistinguishable {
        high += 1;
    }
    let range = match (low == high, advice.trials[best].half_life) {
        (true, Some(_)) => format!("A half-life of {} predicts scores best", name(best)),
        (true, None) => "No decay predicts scores best".to_owned(),
        _ => format!(
            "From {} to {}, half-lives predict scores equally well (best: {})",
            name(low),
            name(high),
            name(best)
        ),
    };
    let drift = match advice.variogram {
        Some(days) => format!("how fast scores drift suggests {days} days"),
        None => "scores show no drift".to_owned(),
    };
    let kept = advice.trials[low..=high].iter().any(|own| own.in_use);
    let verdict = match kept {
        true => format!("there is no reason to change {in_use}"),
        false => format!("{in_use} is worse, so {} would serve better", name(best)),
    };
    format!("{range}; {drift}; {verdict}.")
}

#[test]
fn the_sentence_says_what_the_numbers_say() {
    let with = |half_life| Options {
        half_life,
        ..Options::default()
    };
    let none = |seed| walk(seed, 210, 16, 0.0);
    for (rows, half_life, in_use) in [
        (none(1), 60.0, "60 days"),
        (none(2), 60.0, "60 days"),
        (none(3), 2.0, "2 days"),
        (none(4), 1.0, "1 day"),
        (none(5), 0.01, "less than 0.1 days"),
        (walk(1, 210, 16, 0.05), 14.0, "14 days"),
        (walk(2, 210, 16, 0.05), 365.0, "365 days"),
        (walk(3, 210, 16, 0.5), 60.0, "60 days"),
        (walk(3, 210, 16, 0.5), 10.26, "10.3 days"),
    ] {
        let advice = advice(&rows, &with(half_life), 50);
        assert_advice_sound(&advice, half_life);
        assert_eq!(advice.sentence, expected_sentence(&advice, in_use));
    }
}

#[test]
fn too_few_students_are_reported() {
    let sentence = |students, weeks, half_life| {
        let options = Options {
            half_life,
            ..Options::default()
        };
        let advice = advice(&walk(1, students, weeks, 0.02), &options, 50);
        assert_advice_sound(&advice, half_life);
        advice.sentence
    };
    assert_eq!(
        sentence(199, 6, 60.0),
        "199 students with more than 3 assessments are too few to judge a half-life by \
         (at least 200): keep 60 days, or pool the classes of the subject."
    );
    assert!(!sentence(200, 6, 60.0).contains("too few"));
    assert_eq!(
        sentence(300, 3, 47.0),
        "0 students with more than 3 assessments are too few to judge a half-life by \
         (at least 200): keep 47 days, or pool the classes of the subject."
    );
    assert!(sentence(0, 0, 60.0).starts_with("0 students"));
}

#[test]
fn bad_arguments_are_refused() {
    let bytes = gradebook(&walk(1, 12, 6, 0.0));
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let with = |half_life| Options {
        half_life,
        ..Options::default()
    };
    for (half_life, resamples, expected) in [
        (0.0, 0, "half_life"),
        (f64::NAN, 0, "half_life"),
        (60.0, 100_001, "resamples"),
    ] {
        match solve::half_life_advice(&book, &with(half_life), resamples, 1, &go) {
            Err(Error::Argument(argument)) => assert_eq!(argument.name, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

/// One that is not among those tried is tried besides, in its place.
#[test]
fn the_half_life_in_use_is_always_tried() {
    let rows = walk(1, 30, 8, 0.02);
    let tried = |half_life| {
        let options = Options {
            half_life,
            ..Options::default()
        };
        let advice = advice(&rows, &options, 20);
        assert_advice_sound(&advice, half_life);
        advice
            .trials
            .iter()
            .map(|own| own.half_life)
            .collect::<Vec<_>>()
    };
    let all = [14.0, 21.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 365.0];
    let with = |more: &[f64]| {
        let mut days: Vec<f64> = all.iter().chain(more).copied().collect();
        days.sort_unstable_by(f64::total_cmp);
        days.into_iter().map(Some).chain([None]).collect::<Vec<_>>()
    };
    assert_eq!(tried(60.0), with(&[]));
    assert_eq!(tried(47.0), with(&[47.0]));
    assert_eq!(tried(0.5), with(&[0.5]));
    assert_eq!(tried(1e18), with(&[1e18]));
    assert_eq!(tried(f64::MAX), with(&[f64::MAX]));
    assert_eq!(tried(5e-324), with(&[5e-324]));
}

#[test]
fn intervals_are_those_of_resampled_students() {
    let rows = walk(3, 120, 12, 0.02);
    let plain = Options::default();
    let one = advice(&rows, &plain, 200);
    assert_eq!(one, advice(&rows, &plain, 200));
    let none = advice(&rows, &plain, 0);
    let few = advice(&walk(3, 9, 12, 0.02), &plain, 200);
    for own in none.trials.iter().chain(&few.trials) {
        assert_eq!(own.ci, None);
    }
    let narrow = Options {
        confidence: 0.5,
        ..Options::default()
    };
    let narrow = advice(&rows, &narrow, 200);
    for ((wide, narrow), none) in one.trials.iter().zip(&narrow.trials).zip(&none.trials) {
        let (wide_ci, narrow_ci) = (wide.ci.expect("it"), narrow.ci.expect("it"));
        assert!(wide_ci.0 <= narrow_ci.0 && narrow_ci.1 <= wide_ci.1);
        assert_eq!((wide.rmse, wide.difference), (none.rmse, none.difference));
    }

    // With other students of the same kind the difference between 14 days and no decay would
    // have been another.
    let apart = |trials: &[Trial]| trials[9].rmse - trials[0].rmse;
    let seen: Vec<f64> = (0..60)
        .map(|seed| apart(&advice(&walk(seed, 120, 12, 0.2), &plain, 0).trials))
        .collect();
    let reported: Vec<f64> = (0..6)
        .map(|seed| {
            let advice = advice(&walk(seed, 120, 12, 0.2), &plain, 200);
            assert!(advice.trials[0].is_best);
            let (low, high) = advice.trials[9].ci.expect("an interval");
            (high - low) / 2.0 / 1.96
        })
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let centre = mean(&seen);
    let squares: Vec<f64> = seen.iter().map(|own| (own - centre).powi(2)).collect();
    let ratio = mean(&reported) / mean(&squares).sqrt();
    assert!((ratio - 1.0).abs() < 0.25, "{ratio}");
}
