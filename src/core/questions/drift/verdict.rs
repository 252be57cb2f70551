//! Which questions drifted, beyond chance and by enough to matter.

use hashbrown::HashMap;
use log::debug;

use crate::Poll;
use crate::labels::labels;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::options::Options;
use crate::questions::drift::anchors::{Anchors, MIN_ANCHORS, first_meetings};
use crate::questions::drift::change::{Change, likeliest_change};
use crate::questions::drift::sums::Sums;
use crate::statistics::multiplicity::false_discovery_rates;
use crate::statistics::pairs::sort;
use crate::time::DAY;

/// How often questions found to drift are taken out of what the others are compared with.
const PURIFICATIONS: usize = 3;

/// The options of drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftOptions {
    pub side_answers: u64,
    pub alpha: f64,
    pub margin: f64,
    pub confidence: f64,
}

impl From<&Options> for DriftOptions {
    fn from(options: &Options) -> Self {
        Self {
            side_answers: options.side_answers,
            alpha: options.drift_alpha,
            margin: options.drift_margin,
            confidence: options.confidence,
        }
    }
}

/// The verdict on a question. The order is that of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftStatus {
    /// It changed, beyond chance and by enough to matter.
    Drifted,
    /// Too few answers or dates, or nothing to compare them with.
    Insufficient,
    /// No such change was found.
    Stable,
}

labels!(DriftStatus {
    Drifted => "drifted",
    Insufficient => "insufficient",
    Stable => "stable",
});

/// All that is known of the drift of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The number in the gradebook.
    pub item: u32,
    /// Days with an answer that counts.
    pub dates: u32,
    /// Answers that count.
    pub n: u64,
    /// None where there is no day on which a change could be seen.
    pub change: Option<Change>,
    pub status: DriftStatus,
}

impl Drift {
    /// The change of a question that drifted.
    fn found(&self) -> Option<f64> {
        let change = self.change.filter(|_| self.status == DriftStatus::Drifted);
        change.map(|change| change.value)
    }

    /// Which way a question drifted.
    pub fn direction(&self) -> Option<&'static str> {
        let easier = self.found()? > 0.0;
        Some(if easier { "easier" } else { "harder" })
    }
}

/// The drift of the items with a response, in the gradebook's order. Questions that drift spoil
/// what others are compared with. So they are taken out of it and all are judged again, until the
/// same ones are found.
pub fn drifts(ledger: &Ledger, options: &DriftOptions, poll: Poll<'_>) -> Result<Vec<Drift>> {
    let sittings = first_meetings(ledger, poll);
    let mut sound = vec![true; sittings.item_count()];
    let mut drifts = judge(&sittings, &sound, options, poll)?;
    for _ in 0..PURIFICATIONS {
        let next = sound_items(&sittings, &drifts, poll);
        if next == sound {
            break;
        }
        sound = next;
        drifts = judge(&sittings, &sound, options, poll)?;
    }
    debug!(
        "looked for drift in {} sittings; {} questions are compared with others",
        sittings.unit_count(),
        sound.iter().filter(|&&sound| sound).count()
    );
    let mut answered = vec![false; sittings.item_count()];
    for &item in &sittings.items {
        answered[item as usize] = true;
    }
    drifts.retain(|drift| answered[drift.item as usize]);
    Ok(drifts)
}

/// Per item: whether others may be compared with it. Where some questions of an assessment leaked,
/// the sound ones look harder, but less so than the leaked ones look easier as long as these are
/// few. So only those that changed at least half as much as the worst are taken out, and none
/// where too few would be left.
fn sound_items(sittings: &Ledger, drifts: &[Drift], poll: Poll<'_>) -> Vec<bool> {
    let changes: Vec<f64> = drifts
        .iter()
        .map(|drift| drift.found().map_or(0.0, f64::abs))
        .collect();
    let units = || {
        (0..sittings.unit_count()).map(|unit| {
            if unit % 1024 == 0 {
                poll();
            }
            let assessment = sittings.unit(unit).assessment as usize;
            (assessment, &sittings.items[sittings.responses_in(unit)])
        })
    };
    let mut worst = vec![0.0_f64; sittings.assessments];
    for (assessment, items) in units() {
        for &item in items {
            worst[assessment] = worst[assessment].max(changes[item as usize]);
        }
    }
    let mut sound = vec![true; drifts.len()];
    for (assessment, items) in units() {
        for &item in items {
            let change = changes[item as usize];
            sound[item as usize] &= change == 0.0 || change < worst[assessment] / 2.0;
        }
    }
    let mut left = vec![0; sittings.assessments];
    for (assessment, items) in units() {
        let n = items.iter().filter(|&&item| sound[item as usize]).count();
        left[assessment] = n.max(left[assessment]);
    }
    for (_, items) in units().filter(|(assessment, _)| left[*assessment] <= MIN_ANCHORS) {
        for &item in items {
            sound[item as usize] = true;
        }
    }
    sound
}

/// Every item, with the likeliest change of those in which one could be seen.
fn judge(
    sittings: &Ledger,
    sound: &[bool],
    options: &DriftOptions,
    poll: Poll<'_>,
) -> Result<Vec<Drift>> {
    let anchors = Anchors::new(sittings, sound, poll);
    let mut drifts: Vec<Drift> = (0..sittings.item_count() as u32)
        .map(|item| Drift {
            item,
            dates: 0,
            n: 0,
            change: None,
            status: DriftStatus::Insufficient,
        })
        .collect();
    let mut spans = vec![None; drifts.len()];
    let days = sums_by_day(&anchors, poll)?;
    for days in days.chunk_by(|a, b| a.0 == b.0) {
        let item = days[0].0 as usize;
        let days: Vec<Sums> = days.iter().map(|(_, sums)| *sums).collect();
        let drift = &mut drifts[item];
        drift.dates = days.len() as u32;
        drift.n = days.iter().map(|day| day.n).sum();
        drift.change = likeliest_change(&days, options.side_answers, options.confidence);
        if let Some(change) = &mut drift.change {
            for facility in [&mut change.facility_before, &mut change.facility_after] {
                let on_scale = facility.map(|mean| mean + anchors.mean);
                *facility = on_scale.filter(|_| !sittings.unbounded[item]);
            }
        }
        spans[item] = span(&days, options.side_answers);
        poll();
    }
    require_companions(&anchors, &spans, &mut drifts, poll);
    let mut changes: Vec<&mut Change> = drifts
        .iter_mut()
        .filter_map(|drift| drift.change.as_mut())
        .collect();
    let p: Vec<f64> = changes.iter().map(|change| change.p).collect();
    for (change, q) in changes.iter_mut().zip(false_discovery_rates(&p)) {
        change.q = q;
    }
    for drift in &mut drifts {
        let Some(change) = &drift.change else {
            continue;
        };
        let matters = change.value.abs() >= options.margin;
        drift.status = if matters && change.q <= options.alpha {
            DriftStatus::Drifted
        } else {
            DriftStatus::Stable
        };
    }
    Ok(drifts)
}

/// The sums of every item and day, in that order.
fn sums_by_day(anchors: &Anchors<'_>, poll: Poll<'_>) -> Result<Vec<(u32, Sums)>> {
    let sittings = anchors.sittings;
    let mut days: HashMap<(u32, i64), Sums> = HashMap::new();
    for sitting in 0..sittings.unit_count() {
        for (response, ability) in anchors.answers(sitting) {
            if days.len() == days.capacity() {
                // The larger table, and then the list.
                memory::ask(4 * size_of::<((u32, i64), Sums)>() * days.capacity())?;
            }
            let at = sittings.time_of(sitting, response);
            days.entry((sittings.items[response], at.div_euclid(DAY)))
                .or_insert_with(|| Sums::new(at))
                .add(at, sittings.scores[response] - anchors.mean, ability);
        }
        if sitting % 1024 == 0 {
            poll();
        }
    }
    let mut days: Vec<(u32, Sums)> = days
        .into_iter()
        .map(|((item, _), sums)| (item, sums))
        .collect();
    let key = |(item, sums): &(u32, Sums)| (*item, sums.first_at);
    sort(&mut days, |a, b| key(a).cmp(&key(b)), poll);
    Ok(days)
}

/// The days on which an item has had `least` answers from its first, and to its last: a change
/// after the former and not after the latter has as many on both sides.
fn span(days: &[Sums], least: u64) -> Option<(i64, i64)> {
    let reached = |days: &mut dyn DoubleEndedIterator<Item = &Sums>| {
        let mut n = 0;
        for day in days {
            n += day.n;
            if n >= least {
                return Some(day.day());
            }
        }
        None
    };
    let (low, high) = (reached(&mut days.iter())?, reached(&mut days.iter().rev())?);
    (low < high).then_some((low, high))
}

/// Leaves only changes that differ from a change of everything: the sittings on either side
/// must hold on average at least [`MIN_ANCHORS`] other questions that were themselves used on both
/// sides. Otherwise nothing but the question itself links the sides.
fn require_companions(
    anchors: &Anchors<'_>,
    spans: &[Option<(i64, i64)>],
    drifts: &mut [Drift],
    poll: Poll<'_>,
) {
    let sittings = anchors.sittings;
    // Per item: companions of all answers before and after.
    let mut companions = vec![[0u64; 2]; drifts.len()];
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for sitting in 0..sittings.unit_count() {
        let items = &sittings.items[sittings.responses_in(sitting)];
        let sound = items.iter().filter(|&&item| anchors.sound[item as usize]);
        starts.clear();
        ends.clear();
        for (start, end) in sound.filter_map(|&item| spans[item as usize]) {
            starts.push(start);
            ends.push(end);
        }
        starts.sort_unstable();
        ends.sort_unstable();
        for (response, _) in anchors.answers(sitting) {
            let item = sittings.items[response] as usize;
            let Some(change) = &drifts[item].change else {
                continue;
            };
            let day = change.changed_at.div_euclid(DAY);
            let started = starts.partition_point(|start| *start < day);
            let ended = ends.partition_point(|end| *end < day);
            let others = started - ended - usize::from(anchors.sound[item]);
            let after = sittings.time_of(sitting, response) >= change.changed_at;
            companions[item][usize::from(after)] += others as u64;
        }
        if sitting % 1024 == 0 {
            poll();
        }
    }
    for (drift, [before, after]) in drifts.iter_mut().zip(companions) {
        let least = MIN_ANCHORS as u64;
        drift.change = drift
            .change
            .filter(|change| before >= least * change.n_before && after >= least * change.n_after);
    }
}
