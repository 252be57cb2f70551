//! Drift, the slow way.

use pg_assess_test_support::{mean, solve};
use std::collections::{BTreeMap, BTreeSet};

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::drift::Change;
use pg_assess_core::statistics::distribution::{t_quantile, t_two_sided};
use pg_assess_core::statistics::multiplicity::most_significant_split;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{OwnRow, close, close_option, go, gradebook, row};

use super::{Answer, answers};

/// Who answered what: a student at one assessment.
fn sitting(answer: &Answer) -> (usize, usize) {
    (answer.student, answer.assessment)
}

/// Effects of items by alternating means, with a mean of 0 over the answers of linked items.
fn effects(answers: &[Answer]) -> BTreeMap<usize, f64> {
    let mut effect: BTreeMap<usize, f64> = answers.iter().map(|a| (a.item, 0.0)).collect();
    let items: Vec<usize> = effect.keys().copied().collect();
    let mut sittings: BTreeMap<(usize, usize), Vec<Answer>> = BTreeMap::new();
    for answer in answers {
        sittings.entry(sitting(answer)).or_default().push(*answer);
    }
    loop {
        let mut left: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for answers in sittings.values() {
            let ability = mean(answers.iter().map(|a| a.score - effect[&a.item]));
            for answer in answers {
                left.entry(answer.item)
                    .or_default()
                    .push(answer.score - ability);
            }
        }
        let next: BTreeMap<usize, f64> = left
            .into_iter()
            .map(|(item, left)| (item, mean(left)))
            .collect();
        let change = items
            .iter()
            .map(|i| (next[i] - effect[i]).abs())
            .fold(0.0, f64::max);
        effect = next;
        if change < 1e-14 {
            break;
        }
    }
    // Groups: the smallest item that reaches an item.
    let mut group: BTreeMap<usize, usize> = items.iter().map(|&item| (item, item)).collect();
    for _ in &items {
        for answers in sittings.values() {
            let least = answers
                .iter()
                .map(|a| group[&a.item])
                .min()
                .expect("an answer");
            for answer in answers {
                group.insert(answer.item, least);
            }
        }
    }
    let centre = |of: usize| {
        let linked = answers.iter().filter(|a| group[&a.item] == group[&of]);
        mean(linked.map(|a| effect[&a.item]))
    };
    items
        .iter()
        .map(|&item| (item, effect[&item] - centre(item)))
        .collect()
}

/// An answer that counts: its score, the level and the variances of the rest of the sitting.
#[derive(Debug, Clone, Copy)]
struct Held {
    answer: Answer,
    level: f64,
    error: f64,
    noise: f64,
}

/// What the description says of each item: how many dates and answers, and the change.
struct Slow {
    dates: usize,
    n: usize,
    change: Option<Change>,
    status: &'static str,
}

fn slow_drifts(rows: &[Answer], options: &Options) -> BTreeMap<usize, Slow> {
    let first: Vec<Answer> = rows
        .iter()
        .filter(|a| {
            let same = |b: &&Answer| b.student == a.student && b.item == a.item;
            let met = rows
                .iter()
                .filter(same)
                .map(|b| (b.day, b.assessment))
                .min();
            met == Some((a.day, a.assessment))
        })
        .copied()
        .collect();
    let mut out: BTreeSet<usize> = BTreeSet::new();
    let mut found = slow_judge(&first, &out, options);
    for _ in 0..3 {
        let drifted = |item: usize| match &found[&item] {
            Slow {
                change: Some(change),
                status: "drifted",
                ..
            } => change.value.abs(),
            _ => 0.0,
        };
        let worst: BTreeSet<usize> = first
            .iter()
            .filter(|a| {
                let beside = first.iter().filter(|b| b.assessment == a.assessment);
                let worst = beside.map(|b| drifted(b.item)).fold(0.0, f64::max);
                drifted(a.item) > 0.0 && drifted(a.item) >= worst / 2.0
            })
            .map(|a| a.item)
            .collect();
        let left = |assessment: usize| {
            let sittings = first.iter().filter(|a| a.assessment == assessment);
            let sizes = sittings.map(|a| {
                let beside = first.iter().filter(|b| sitting(a) == sitting(b));
                beside.filter(|b| !worst.contains(&b.item)).count()
            });
            sizes.max()
        };
        let few: BTreeSet<usize> = (0..4).filter(|&at| left(at) <= Some(5)).collect();
        let in_few = |item: &usize| {
            let mut uses = first.iter().filter(|a| a.item == *item);
            uses.any(|a| few.contains(&a.assessment))
        };
        let next: BTreeSet<usize> = worst.into_iter().filter(|item| !in_few(item)).collect();
        if next == out {
            break;
        }
        out = next;
        found = slow_judge(&first, &out, options);
    }
    found
}

fn slow_judge(first: &[Answer], out: &BTreeSet<usize>, options: &Options) -> BTreeMap<usize, Slow> {
    let anchors: Vec<Answer> = first
        .iter()
        .filter(|a| !out.contains(&a.item))
        .copied()
        .collect();
    let effect = effects(&anchors);
    let rest = |a: &Answer| -> Vec<usize> {
        let others = anchors
            .iter()
            .filter(|b| sitting(a) == sitting(b) && a.item != b.item);
        others.map(|b| b.item).collect()
    };
    let held: Vec<Held> = first
        .iter()
        .filter_map(|answer| {
            let others = anchors
                .iter()
                .filter(|b| sitting(answer) == sitting(b) && answer.item != b.item);
            let scores: Vec<f64> = others.map(|b| b.score - effect[&b.item]).collect();
            if scores.len() < 5 {
                return None;
            }
            let k = scores.len() as f64;
            let level = mean(scores.iter().copied());
            let noise = scores.iter().map(|s| (s - level).powi(2)).sum::<f64>() / (k - 1.0);
            Some(Held {
                answer: *answer,
                level,
                error: noise / k,
                noise,
            })
        })
        .collect();
    // How many answers of an item count before and after the start of a day.
    let sides = |item: usize, day: i64| {
        let of = held.iter().filter(|h| h.answer.item == item);
        let (before, after): (Vec<&Held>, Vec<&Held>) = of.partition(|h| h.answer.day < day);
        (before.len() as u64, after.len() as u64)
    };
    let mut found: BTreeMap<usize, Slow> = BTreeMap::new();
    for item in first.iter().map(|a| a.item).collect::<BTreeSet<_>>() {
        let own: Vec<Held> = held
            .iter()
            .filter(|h| h.answer.item == item)
            .copied()
            .collect();
        let days: BTreeSet<i64> = own.iter().map(|h| h.answer.day).collect();
        let change = slow_change(&own, options).filter(|change| {
            let day = change.changed_at / DAY;
            let companions = |after: bool| {
                let side = own.iter().filter(|h| (h.answer.day >= day) == after);
                mean(side.map(|h| {
                    let both = |item: &&usize| {
                        let (before, after) = sides(**item, day);
                        before.min(after) >= options.side_answers
                    };
                    rest(&h.answer).iter().filter(both).count() as f64
                }))
            };
            companions(false) >= 5.0 && companions(true) >= 5.0
        });
        let slow = Slow {
            dates: days.len(),
            n: own.len(),
            change,
            status: "insufficient",
        };
        found.insert(item, slow);
    }
    let tested: Vec<f64> = found
        .values()
        .filter_map(|s| s.change.map(|c| c.p))
        .collect();
    for slow in found.values_mut() {
        let Some(change) = &mut slow.change else {
            continue;
        };
        // The smallest level at which the step-up procedure finds it.
        let levels = tested.iter().filter(|&&p| p >= change.p).map(|&p| {
            let as_small = tested.iter().filter(|&&other| other <= p).count();
            p * tested.len() as f64 / as_small as f64
        });
        change.q = levels.fold(1.0, f64::min);
        let matters = change.value.abs() >= options.drift_margin;
        let drifted = matters && change.q <= options.drift_alpha;
        slow.status = if drifted { "drifted" } else { "stable" };
    }
    found
}

fn slow_change(own: &[Held], options: &Options) -> Option<Change> {
    let mut days: Vec<i64> = own.iter().map(|h| h.answer.day).collect();
    days.sort_unstable();
    days.dedup();
    // The occasion of each day, with the number of its answers.
    let mut occasions: Vec<(BTreeSet<i64>, usize)> = Vec::new();
    for day in days {
        let n = own.iter().filter(|h| h.answer.day == day).count();
        match occasions.last_mut() {
            Some((days, total)) if *total < 10 => {
                days.insert(day);
                *total += n;
            }
            _ => occasions.push((BTreeSet::from([day]), n)),
        }
    }
    if occasions.len() > 1 && occasions[occasions.len() - 1].1 < 10 {
        let (days, n) = occasions.pop()?;
        let last = occasions.last_mut()?;
        last.0.extend(days);
        last.1 += n;
    }
    let of = |at: usize| {
        let days = &occasions[at].0;
        own.iter().filter(|h| days.contains(&h.answer.day))
    };
    let n = own.len() as f64;
    let groups = occasions.len();
    let (mut xx, mut yy, mut xy, mut error) = (0.0, 0.0, 0.0, 0.0);
    for (at, (_, size)) in occasions.iter().enumerate() {
        let (x, y) = (
            mean(of(at).map(|h| h.answer.score)),
            mean(of(at).map(|h| h.level)),
        );
        for h in of(at) {
            xx += (h.answer.score - x).powi(2);
            yy += (h.level - y).powi(2);
            xy += (h.answer.score - x) * (h.level - y);
            error += h.error * (1.0 - 1.0 / *size as f64);
        }
    }
    let df = n - groups as f64;
    let doubt = error * (2.0 / df).sqrt();
    let typical = (xx / df / mean(own.iter().map(|h| h.noise))).sqrt();
    let spread = (yy - error).max(0.0) + doubt;
    let slope = (xy + doubt * typical) / spread;
    let left = |h: &Held| h.answer.score - slope * h.level;
    let within: f64 = (0..groups)
        .map(|at| {
            let centre = mean(of(at).map(left));
            of(at).map(|h| (left(h) - centre).powi(2)).sum::<f64>()
        })
        .sum();
    let mut best: Option<(f64, Change)> = None;
    let mut sizes = Vec::new();
    for split in 1..groups {
        let sides = [0..split, split..groups]
            .map(|side| side.flat_map(|at| of(at).copied()).collect::<Vec<Held>>());
        if sides
            .iter()
            .any(|side| (side.len() as u64) < options.side_answers)
        {
            continue;
        }
        sizes.push(sides[0].len() as f64);
        let means = sides.clone().map(|side| mean(side.iter().map(left)));
        let between: f64 = (0..groups)
            .map(|at| {
                let side = means[usize::from(at >= split)];
                occasions[at].1 as f64 * (mean(of(at).map(left)) - side).powi(2)
            })
            .sum();
        let mut variance = (within + between) / (n - 3.0);
        let chance = 4.0 * within / (n - groups as f64 - 1.0);
        variance = variance.max((chance + between) / (4.0 + groups as f64 - 2.0));
        let [a, b] = sides.clone().map(|side| side.len() as f64);
        let shown: [f64; 2] = sides.clone().map(|side| mean(side.iter().map(|h| h.level)));
        let shown = (shown[1] - shown[0]).powi(2) * yy / spread.powi(2);
        let se = (variance * (1.0 / a + 1.0 / b + shown)).sqrt();
        let value = means[1] - means[0];
        let t = value.abs() / se;
        if best.is_none_or(|(most, _)| t > most) {
            let facility = |side: &[Held]| Some(mean(side.iter().map(|h| h.answer.score)));
            let change = Change {
                changed_at: *occasions[split].0.first()? * DAY,
                n_before: a as u64,
                n_after: b as u64,
                facility_before: facility(&sides[0]),
                facility_after: facility(&sides[1]),
                value,
                se,
                ci_low: value - t_quantile(0.5 + options.confidence / 2.0, n - 3.0) * se,
                ci_high: value + t_quantile(0.5 + options.confidence / 2.0, n - 3.0) * se,
                p: t_two_sided(t, n - 3.0),
                q: 1.0,
            };
            best = Some((t, change));
        }
    }
    let (_, mut change) = best?;
    change.p = most_significant_split(change.p, &sizes, n);
    Some(change)
}

#[test]
fn every_figure_is_that_of_the_slow_calculation() {
    let (mut tested, mut drifted, mut insufficient) = (0, 0, 0);
    for seed in 0..30 {
        let answers = answers(seed);
        let options = Options {
            side_answers: 8 + seed % 20,
            drift_alpha: [0.05, 0.3][seed as usize % 2],
            drift_margin: [0.05, 0.15][seed as usize / 2 % 2],
            confidence: 0.9,
            ..Options::default()
        };
        let rows: Vec<OwnRow> = answers
            .iter()
            .map(|a| {
                let [student, item, assessment] = [a.student, a.item, a.assessment];
                let ids = [student, item, assessment].map(|id| id as i64);
                row(ids[0], ids[1], ids[2], a.score, a.day as f64 + 0.25)
            })
            .collect();
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let found = solve::item_drift(&book, &options, &go).expect("drifts");
        let expected = slow_drifts(&answers, &options);
        assert_eq!(found.len(), expected.len());
        for (ours, (item, slow)) in found.iter().zip(&expected) {
            let what = format!(
                "table {seed}, item {item}: {ours:?} against {:?}",
                slow.change
            );
            assert_eq!(book.items().get(ours.item).to_string(), item.to_string());
            assert_eq!(
                (ours.dates as usize, ours.n as usize),
                (slow.dates, slow.n),
                "{what}"
            );
            assert_eq!(ours.status.label(), slow.status, "{what}");
            assert_eq!(ours.change.is_some(), slow.change.is_some(), "{what}");
            insufficient += usize::from(slow.change.is_none());
            drifted += usize::from(slow.status == "drifted");
            let (Some(a), Some(b)) = (ours.change, slow.change) else {
                continue;
            };
            tested += 1;
            assert_eq!(a.changed_at, b.changed_at + DAY / 4, "{what}");
            assert_eq!((a.n_before, a.n_after), (b.n_before, b.n_after), "{what}");
            close_option(a.facility_before, b.facility_before, 1e-9, &what);
            close_option(a.facility_after, b.facility_after, 1e-9, &what);
            close(a.value, b.value, 1e-9, &what);
            close(a.se, b.se, 1e-9, &what);
            close(a.ci_low, b.ci_low, 1e-9, &what);
            close(a.ci_high, b.ci_high, 1e-9, &what);
            close(a.p, b.p, 1e-9, &what);
            close(a.q, b.q, 1e-9, &what);
        }
    }
    println!("{tested} tested, {drifted} drifted, {insufficient} insufficient");
    assert!(tested > 200 && drifted > 20 && insufficient > 50);
}
