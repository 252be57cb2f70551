//! Questions that drift: every figure against a second, slow calculation from the description,
//! laws, simulated banks whose truth is known, and the edges.
//!
//! Right answers follow the logistic curve of item response theory (2PL), for which the straight
//! line of the method is only an approximation. All seeds are fixed, so the bounds may be tight.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::solve;
use common::{OwnId, OwnRow, close, close_option, go, gradebook, normal, row};
use pg_assess_core::distribution::{normal_quantile, t_quantile, t_two_sided};
use pg_assess_core::drift::{Change, Drift, DriftStatus};
use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::multiplicity::{false_discovery_rates, most_significant_split};
use pg_assess_core::options::Options;
use pg_assess_core::time::{DAY, MAX_TIME, MIN_TIME};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn solve_with(rows: &[OwnRow], options: &Options) -> Vec<Drift> {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    solve::item_drift(&book, options, &go).expect("drifts")
}

fn solve(rows: &[OwnRow]) -> Vec<Drift> {
    solve_with(rows, &Options::default())
}

// The slow calculation.

#[derive(Debug, Clone, Copy)]
struct Answer {
    student: usize,
    item: usize,
    assessment: usize,
    score: f64,
    day: i64,
}

/// Questions that several assessments share, partial scores, blanks, students who meet a question
/// again, some leaks.
fn answers(seed: u64) -> Vec<Answer> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (students, assessments) = (rng.gen_range(80..160), rng.gen_range(1..4));
    let length = rng.gen_range(7..11);
    let bank = length + rng.gen_range(0..4);
    let leaks = rng.gen_range(1..6);
    let (days, blank) = (rng.gen_range(1..9), rng.gen_range(0.0..0.15));
    let partial = rng.gen_bool(0.3);
    let leak = rng.gen_range(0.0..3.0);
    let mut all = Vec::new();
    for student in 0..students {
        let ability = normal(&mut rng) + student as f64 / students as f64;
        for assessment in 0..assessments {
            if rng.gen_bool(0.3) {
                continue;
            }
            // In half of the tables the ids run against time.
            let term = if seed.is_multiple_of(2) {
                assessment
            } else {
                3 - assessment
            };
            let day = (40 * term + student * days / students) as i64;
            let mut items: Vec<usize> = (0..bank).collect();
            items.shuffle(&mut rng);
            for item in items.into_iter().take(length) {
                let leaked = item < leaks && 2 * student > students;
                let boost = if leaked { 2.0 * leak } else { 0.0 };
                let easiness = (item % 5) as f64 / 2.0 - 1.0 + boost;
                let steepness = 0.5 + (item % 3) as f64;
                let chance = 1.0 / (1.0 + (-steepness * (ability + easiness)).exp());
                let draw = (chance + 0.3 * normal(&mut rng)).clamp(0.0, 1.0);
                let score = if partial {
                    (4.0 * draw).round() / 4.0
                } else {
                    draw.round()
                };
                if !rng.gen_bool(blank) {
                    let answer = Answer {
                        student,
                        item,
                        assessment,
                        score,
                        day,
                    };
                    all.push(answer);
                }
            }
        }
    }
    all
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

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

// Simulated truth.

/// Questions with their curves.
struct Bank {
    slopes: Vec<f64>,
    easiness: Vec<f64>,
}

impl Bank {
    fn new(rng: &mut ChaCha8Rng, questions: usize, spread: f64) -> Self {
        let slopes = (0..questions).map(|_| 1.2 * (0.5 * normal(rng)).exp());
        let slopes = slopes.collect();
        let easiness = (0..questions).map(|_| 0.5 + spread * normal(rng)).collect();
        Self { slopes, easiness }
    }

    fn chance(&self, question: usize, ability: f64) -> f64 {
        1.0 / (1.0 + (-self.slopes[question] * (ability + self.easiness[question])).exp())
    }
}

/// One test that a class takes each week.
struct Weekly {
    weeks: usize,
    class: usize,
    questions: usize,
    /// Spread of the questions' easiness.
    spread: f64,
    /// Mean ability of a week's class.
    ability: fn(f64) -> f64,
    /// Spread of what a class has been taught of a question.
    taught: f64,
}

const WEEKLY: Weekly = Weekly {
    weeks: 10,
    class: 25,
    questions: 20,
    spread: 1.0,
    ability: |_| 0.0,
    taught: 0.0,
};

impl Weekly {
    /// The rows and the bank; `leak` is added to the chance of a right answer to a question in a
    /// week.
    fn rows(
        &self,
        rng: &mut ChaCha8Rng,
        leak: impl Fn(usize, usize) -> f64,
    ) -> (Vec<OwnRow>, Bank) {
        let bank = Bank::new(rng, self.questions, self.spread);
        let mut rows = Vec::new();
        for week in 0..self.weeks {
            let taught: Vec<f64> = (0..self.questions)
                .map(|_| self.taught * normal(rng))
                .collect();
            for student in week * self.class..(week + 1) * self.class {
                let ability = normal(rng) + (self.ability)(week as f64 / self.weeks as f64);
                for (question, taught) in taught.iter().enumerate() {
                    let chance = bank.chance(question, ability + taught) + leak(question, week);
                    let score = f64::from(u8::from(rng.gen_bool(chance.clamp(0.0, 0.98))));
                    let day = 7.0 * week as f64;
                    rows.push(row(student as i64, question as i64, 1, score, day));
                }
            }
        }
        (rows, bank)
    }
}

/// How many questions without any drift are tested, look significant, and are called drifted.
#[derive(Debug, Default)]
struct Alarms {
    tested: f64,
    significant: f64,
    runs: f64,
    runs_with_drift: f64,
}

impl Alarms {
    fn add<'a>(&mut self, drifts: impl IntoIterator<Item = &'a Drift>) {
        self.runs += 1.0;
        let mut any = false;
        for drift in drifts {
            let Some(change) = drift.change else { continue };
            self.tested += 1.0;
            self.significant += f64::from(u8::from(change.p <= 0.05));
            any |= drift.status == DriftStatus::Drifted;
        }
        self.runs_with_drift += f64::from(u8::from(any));
    }

    /// Fails where more than `p` look significant, or drifted questions are found in more than
    /// `any` of the runs.
    #[track_caller]
    fn at_most(&self, p: f64, any: f64, what: &str) {
        let (significant, runs) = (
            self.significant / self.tested,
            self.runs_with_drift / self.runs,
        );
        println!(
            "{what}: {} tested, p {significant:.3}, runs {runs:.3}",
            self.tested
        );
        assert!(
            self.tested > 400.0 && significant <= p && runs <= any,
            "{what}: {self:?}"
        );
    }
}

#[test]
fn a_change_of_cohort_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let cases = [
        ("the same", WEEKLY),
        (
            "a step",
            Weekly {
                ability: |at| if at < 0.5 { -0.5 } else { 0.5 },
                ..WEEKLY
            },
        ),
        (
            "a step, many",
            Weekly {
                ability: |at| if at < 0.5 { -0.5 } else { 0.5 },
                class: 100,
                ..WEEKLY
            },
        ),
        (
            "growth",
            Weekly {
                ability: |at| at,
                class: 50,
                ..WEEKLY
            },
        ),
        (
            "extreme questions",
            Weekly {
                ability: |at| at,
                class: 50,
                spread: 2.5,
                ..WEEKLY
            },
        ),
        (
            "two dates",
            Weekly {
                ability: |at| at,
                weeks: 2,
                class: 100,
                ..WEEKLY
            },
        ),
        (
            "forty dates",
            Weekly {
                ability: |at| at,
                weeks: 40,
                class: 10,
                ..WEEKLY
            },
        ),
    ];
    for (what, weekly) in cases {
        let mut alarms = Alarms::default();
        let (mut sharp, mut dull) = (Alarms::default(), Alarms::default());
        for _ in 0..60 {
            let (rows, bank) = weekly.rows(&mut rng, |_, _| 0.0);
            let drifts = solve(&rows);
            alarms.add(&drifts);
            let (high, low): (Vec<&Drift>, Vec<&Drift>) = drifts
                .iter()
                .partition(|drift| bank.slopes[drift.item as usize] > 1.2);
            sharp.add(high);
            dull.add(low);
        }
        alarms.at_most(0.06, 0.09, what);
        sharp.at_most(0.07, 0.09, "of these, sharp questions");
        dull.at_most(0.07, 0.09, "of these, dull questions");
    }
}

#[test]
fn what_some_classes_were_taught_is_seldom_called_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut alarms = Alarms::default();
    for _ in 0..120 {
        let weekly = Weekly {
            taught: 0.3,
            ..WEEKLY
        };
        alarms.add(&solve(&weekly.rows(&mut rng, |_, _| 0.0).0));
    }
    // If the noise between classes did not count, it would be .16 and .51.
    alarms.at_most(0.12, 0.35, "classes");
}

/// Fall and spring tests of thirty questions that share eight, for two cohorts; the second is
/// better by .8 standard deviations, and so harder are the questions that only it gets.
#[test]
fn growth_between_tests_that_share_questions_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut alarms = Alarms::default();
    for _ in 0..60 {
        let bank = Bank::new(&mut rng, 60, 1.0);
        let mut rows = Vec::new();
        for student in 0..400 {
            let term = student / 200;
            let ability = normal(&mut rng) + 0.8 * term as f64;
            for place in 0..30 {
                let (question, harder) = match place {
                    0..8 => (place, 0.0),
                    _ => (place + 30 * term, 0.8 * term as f64),
                };
                let score = f64::from(u8::from(
                    rng.gen_bool(bank.chance(question, ability - harder)),
                ));
                let day = (100 * term + student % 3) as f64;
                rows.push(row(
                    student as i64,
                    question as i64,
                    term as i64,
                    score,
                    day,
                ));
            }
        }
        let drifts = solve(&rows);
        for drift in &drifts[..8] {
            let change = drift.change.expect("eight questions link the tests");
            assert_eq!(
                (change.n_before, change.n_after),
                (change.n_before, 400 - change.n_before)
            );
        }
        alarms.add(&drifts);
    }
    alarms.at_most(0.06, 0.1, "two tests");
}

/// One question is all that two tests share: whether it or everything else changed cannot be told.
#[test]
fn one_common_question_cannot_be_judged() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let bank = Bank::new(&mut rng, 21, 0.5);
    let mut rows = Vec::new();
    for student in 0..400 {
        let term = student / 200;
        for place in 0..11 {
            let question = if place == 0 { 0 } else { place + 10 * term };
            let leak = if question == 0 && term == 1 { 0.3 } else { 0.0 };
            let chance: f64 = bank.chance(question, normal(&mut rng)) + leak;
            let score = f64::from(u8::from(rng.gen_bool(chance.min(1.0))));
            rows.push(row(
                student as i64,
                question as i64,
                term as i64,
                score,
                (90 * term) as f64,
            ));
        }
    }
    let drifts = solve(&rows);
    assert_eq!(drifts.len(), 21);
    for drift in &drifts {
        assert_eq!(
            (drift.status, drift.change),
            (DriftStatus::Insufficient, None)
        );
    }
    assert_eq!((drifts[0].dates, drifts[0].n), (2, 400));
    assert_eq!((drifts[1].dates, drifts[1].n), (1, 200));
}

/// The question moves to a test of which nothing else has been used before, while its old test goes
/// on without it: of the new students nothing is known but in new questions.
#[test]
fn questions_must_be_linked_on_both_sides() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let bank = Bank::new(&mut rng, 30, 0.5);
    let mut rows = Vec::new();
    for student in 0..300 {
        let (day, questions) = match student % 3 {
            0 => (0, 0..14),
            1 => (90, 1..14),
            _ => (90, 14..25),
        };
        let moved = (student % 3 == 2).then_some(0);
        for question in questions.chain(moved) {
            let chance = bank.chance(question, normal(&mut rng));
            let score = f64::from(u8::from(rng.gen_bool(chance)));
            let test = (student % 3) as i64;
            rows.push(row(
                student as i64,
                question as i64,
                test,
                score,
                f64::from(day),
            ));
        }
    }
    let drifts = solve(&rows);
    assert_eq!(
        (drifts[0].dates, drifts[0].n, drifts[0].change),
        (2, 200, None)
    );
    assert!(drifts[1..14].iter().all(|drift| drift.change.is_some()));
}

/// Six quizzes that repeat some questions; a third of the students joins for the second half, so
/// that old hands and newcomers meet the same questions.
#[test]
fn practice_is_no_drift() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut alarms = Alarms::default();
    for _ in 0..40 {
        let bank = Bank::new(&mut rng, 40, 0.8);
        let mut rows = Vec::new();
        for student in 0..300 {
            let (ability, first) = (normal(&mut rng), if student % 3 == 0 { 3 } else { 0 });
            for quiz in first..6 {
                for place in 0..20 {
                    let (question, again) = match place {
                        0..10 => (place, quiz > first),
                        _ => (place + 10 * (quiz % 3), quiz >= first + 3),
                    };
                    let practised = if again { 1.0 } else { 0.0 };
                    let chance = bank.chance(question, ability + practised);
                    let score = f64::from(u8::from(rng.gen_bool(chance)));
                    let (question, quiz) = (question as i64, quiz as i64);
                    rows.push(row(
                        student as i64,
                        question,
                        quiz,
                        score,
                        20.0 * quiz as f64,
                    ));
                }
            }
        }
        let drifts = solve(&rows);
        assert!(
            drifts.iter().all(|drift| drift.n <= 300),
            "one answer of each student"
        );
        alarms.add(&drifts);
    }
    // With every answer counted, .24 look significant, and drift is found in three of four runs.
    alarms.at_most(0.07, 0.1, "practice");
}

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

// Laws.

fn a_table(seed: u64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let leak = |question: usize, week: usize| if question == 3 && week >= 6 { 0.3 } else { 0.0 };
    let weekly = Weekly {
        ability: |at| at,
        class: 50,
        spread: 0.5,
        ..WEEKLY
    };
    weekly.rows(&mut rng, leak).0
}

#[test]
fn the_order_of_rows_and_the_time_of_day_do_not_matter() {
    for seed in 0..5 {
        let mut rows = a_table(seed);
        let before = solve(&rows);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rows.shuffle(&mut rng);
        assert_eq!(before, solve(&rows));
        for row in &mut rows {
            // Later on the same day.
            row.taken_at = row.taken_at.map(|at| at + rng.gen_range(1..DAY));
        }
        for (early, late) in before.iter().zip(solve(&rows)) {
            let (early, mut late) = (early.clone(), late);
            if let (Some(early), Some(late)) = (&early.change, &mut late.change) {
                assert_eq!(
                    late.changed_at.div_euclid(DAY),
                    early.changed_at.div_euclid(DAY)
                );
                late.changed_at = early.changed_at;
            }
            assert_eq!(early, late);
        }
    }
}

#[test]
fn a_shift_in_time_changes_nothing_but_the_date() {
    let rows = a_table(1);
    let before = solve(&rows);
    for days in [-200_000_i64, -1, 365, 90_000_000] {
        let shifted: Vec<OwnRow> = rows
            .iter()
            .map(|row| OwnRow {
                taken_at: row.taken_at.map(|at| at + days * DAY),
                ..row.clone()
            })
            .collect();
        for (before, after) in before.iter().zip(solve(&shifted)) {
            let mut moved = before.clone();
            if let Some(change) = &mut moved.change {
                change.changed_at += days * DAY;
            }
            assert_eq!(moved, after);
        }
    }
}

#[test]
fn an_easier_scale_of_one_question_or_of_all_changes_nothing() {
    let rows = a_table(2);
    let halved = |of: &dyn Fn(&OwnRow) -> bool, plus: f64| -> Vec<OwnRow> {
        let score = |row: &OwnRow| {
            row.score
                .map(|score| 0.5 * score + if of(row) { plus } else { 0.0 })
        };
        rows.iter()
            .map(|row| OwnRow {
                score: score(row),
                ..row.clone()
            })
            .collect()
    };
    let before = solve(&rows);
    let all = solve(&halved(&|_| true, 0.4));
    let one = solve(&halved(&|row| row.item == Some(OwnId::Integer(7)), 0.4));
    for (before, after) in before.iter().zip(all).chain(before.iter().zip(one)) {
        let (a, b) = (
            before.change.expect("a change"),
            after.change.expect("a change"),
        );
        assert_eq!((a.changed_at, a.n_before), (b.changed_at, b.n_before));
        close(a.value / 2.0, b.value, 1e-9, "change");
        close(a.se / 2.0, b.se, 1e-9, "standard error");
        close(a.p, b.p, 1e-9, "p");
    }
}

#[test]
fn a_student_alone_in_a_sitting_of_five_questions_counts_for_nothing() {
    let rows = a_table(3);
    let before = solve(&rows);
    let mut more = rows.clone();
    for question in 0..5 {
        more.push(row(100_000, question, 1, 1.0, 30.0));
    }
    let after = solve(&more);
    for (before, after) in before.iter().zip(after) {
        assert_eq!(
            (before.n, before.dates, before.status),
            (after.n, after.dates, after.status)
        );
    }
}

// Several looks.

/// Benjamini and Hochberg (1995), section 3.1: of fifteen p-values, four are significant at .05.
#[test]
fn false_discoveries_are_those_of_the_paper() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    let q = false_discovery_rates(&p);
    assert_eq!(q.iter().filter(|&&q| q <= 0.05).count(), 4);
    close(q[3], 0.0095 * 15.0 / 4.0, 1e-15, "the fourth");
    // The sixth would have more on its own, but the seventh is found at less.
    close(q[5], 0.0298 * 15.0 / 7.0, 1e-15, "the sixth");
    close(q[14], 1.0, 0.0, "the last");
    let mut turned = p;
    turned.reverse();
    let mut again = false_discovery_rates(&turned);
    again.reverse();
    assert_eq!(q, again, "order does not matter");
    assert!(false_discovery_rates(&[]).is_empty());
}

/// Lausen and Schumacher (1994), page 489: .073 for 2.5 among eleven splits of 200.
#[test]
fn a_search_costs_less_than_bonferroni_says() {
    let single = 2.0 * 0.006_209_665_325_776_132;
    let splits: Vec<f64> = (5..=15).map(|at| f64::from(10 * at)).collect();
    let p = most_significant_split(single, &splits, 200.0);
    assert!((0.073..0.085).contains(&p), "{p}");
    assert!(p < single * splits.len() as f64);
    close(
        most_significant_split(single, &splits[..1], 200.0),
        single,
        0.0,
        "one look",
    );
    assert_eq!(most_significant_split(0.0, &splits, 200.0), 0.0);
    assert_eq!(most_significant_split(1.0, &splits, 200.0), 1.0);
    // Splits far apart are looks at different things.
    let apart = most_significant_split(1e-9, &[1.0, 1e6], 1e6 + 1.0);
    close(apart, 2e-9, 1e-15, "Bonferroni");
}

/// Of random numbers, as many are called significant as should be, or fewer.
#[test]
fn the_price_of_a_search_is_right() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for (n, step) in [(200, 25), (200, 5), (1000, 10)] {
        let splits: Vec<f64> = (30..=n - 30).step_by(step).map(|at| at as f64).collect();
        let runs = 3000;
        let mut significant = 0.0;
        for _ in 0..runs {
            let values: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
            let total: f64 = values.iter().sum();
            let largest = splits.iter().map(|&at| {
                let before: f64 = values[..at as usize].iter().sum();
                let rest = n as f64 - at;
                let shift = before / at - (total - before) / rest;
                (shift / (1.0 / at + 1.0 / rest).sqrt()).abs()
            });
            let single = t_two_sided(largest.fold(0.0, f64::max), 1e9);
            let p = most_significant_split(single, &splits, n as f64);
            significant += f64::from(u8::from(p <= 0.05)) / f64::from(runs);
        }
        println!("{n} by {step}: {significant}");
        assert!((0.025..0.055).contains(&significant), "{significant}");
    }
}

// Edges.

#[test]
fn edges() {
    assert_eq!(solve(&[]), []);
    let grid = |students: i64, days: i64, score: &dyn Fn(i64, i64) -> f64| -> Vec<Drift> {
        let mut rows = Vec::new();
        for student in 0..students {
            for item in 0..8 {
                let day = (student * days / students) as f64;
                rows.push(row(student, item, 1, score(student, item), day));
            }
        }
        solve(&rows)
    };
    let some = |student: i64, item: i64| f64::from(u8::from((student * 7 + item * 5) % 11 < 6));
    let no_change = |drifts: &[Drift]| {
        for drift in drifts {
            let change = drift.change.expect("enough answers");
            assert_eq!((change.value, change.p, change.q), (0.0, 1.0, 1.0));
            assert_eq!(
                (drift.status, drift.direction()),
                (DriftStatus::Stable, None)
            );
        }
    };
    for drift in grid(1, 1, &some)
        .iter()
        .chain(&grid(200, 1, &some))
        .chain(&grid(59, 2, &some))
    {
        assert_eq!(
            (drift.status, drift.change),
            (DriftStatus::Insufficient, None)
        );
        assert_eq!(drift.status.rank(), 2);
    }
    assert!(
        grid(60, 2, &some)
            .iter()
            .all(|drift| drift.change.is_some())
    );
    no_change(&grid(200, 5, &|student, _| (student % 5) as f64 / 4.0));
    // Where all students of a day have shown the same, their other answers tell nothing.
    for drift in grid(200, 2, &|student, _| if student < 100 { 0.2 } else { 0.9 }) {
        assert_eq!((drift.n, drift.change), (200, None));
    }
    // No noise at all: the change stands out, and nothing is divided by nothing.
    let drifts = grid(200, 2, &|student, item| match (item, student < 100) {
        (0, false) => 1.0,
        _ => (student % 5) as f64 / 8.0,
    });
    assert_eq!(drifts[0].direction(), Some("easier"));
    assert!(
        drifts[1..]
            .iter()
            .all(|drift| drift.status == DriftStatus::Stable)
    );
}

/// An unbounded question lies on the common scale; its facility is not told.
#[test]
fn questions_without_a_maximum_drift_too() {
    let rows: Vec<OwnRow> = a_table(4)
        .into_iter()
        .map(|row| {
            let open = row.item == Some(OwnId::Integer(3));
            let words = row.score.map(|score| 90.0 + 40.0 * score);
            match open {
                true => OwnRow {
                    score: words,
                    max_score: MaxScore::Points(Some(f64::INFINITY)),
                    ..row
                },
                false => row,
            }
        })
        .collect();
    let drifts = solve(&rows);
    let change = drifts[3].change.expect("a change");
    assert_eq!(
        (change.facility_before, change.facility_after),
        (None, None)
    );
    assert_eq!(drifts[3].direction(), Some("easier"));
    assert!(change.value > 0.1);
    assert!(
        drifts[4]
            .change
            .expect("a change")
            .facility_before
            .is_some()
    );
}

/// The ends of time are dates like any others.
#[test]
fn all_of_time() {
    let mut rows = a_table(5);
    for row in &mut rows {
        let late = row.taken_at >= Some(42 * DAY);
        row.taken_at = Some(if late { MAX_TIME } else { MIN_TIME });
    }
    let drifts = solve(&rows);
    assert_eq!(drifts[3].direction(), Some("easier"));
    assert_eq!(drifts[3].change.expect("a change").changed_at, MAX_TIME);
    assert_eq!(drifts[3].dates, 2);
}
