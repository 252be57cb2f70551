//! Whether a question became easier or harder on some day: it leaked, was reworded, got another
//! key.
//!
//! Answers are held against what the same students did in the *other* questions of the same
//! sitting: what a class has learned since last term, or a stronger cohort, is no drift of the
//! question. What all questions of a sitting have in common is ability by definition.

use hashbrown::HashMap;

use crate::Poll;
use crate::difficulty::Difficulty;
use crate::distribution::{t_quantile, t_two_sided};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::level::ROUNDING;
use crate::memory;
use crate::multiplicity::{false_discovery_rates, most_significant_split};
use crate::options::Options;
use crate::pairs::sort;
use crate::time::DAY;

/// Other questions that an answer is held against, and of these again how many must have been used
/// on both sides of a change.
const MIN_ANCHORS: usize = 5;
/// Answers below which a day is taken together with the next.
const MIN_OCCASION: u64 = 10;
/// Degrees of freedom that the noise within occasions adds to that between them.
const OCCASION_DF: f64 = 4.0;
/// How often questions found to drift are taken out of what the others are held against.
const PURIFICATIONS: usize = 3;
/// Spread of abilities, per answer, that is what rounding leaves of none.
const NO_SPREAD: f64 = 1e-18;

/// What is said of a question. The order is that of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftStatus {
    /// It changed, beyond chance and by enough to matter.
    Drifted,
    /// Too few answers or dates, or nothing to hold them against.
    Insufficient,
    /// No such change was found.
    Stable,
}

impl DriftStatus {
    /// The label in `item_drift`.
    pub fn label(self) -> &'static str {
        match self {
            DriftStatus::Drifted => "drifted",
            DriftStatus::Insufficient => "insufficient",
            DriftStatus::Stable => "stable",
        }
    }

    /// 1 for what to review first.
    pub fn rank(self) -> i32 {
        self as i32 + 1
    }
}

/// The likeliest change of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When the first answer after it was given.
    pub changed_at: i64,
    pub n_before: u64,
    pub n_after: u64,
    /// Mean scores; none on a scale without an upper bound.
    pub facility_before: Option<f64>,
    pub facility_after: Option<f64>,
    /// Change of the mean score at the same ability, in parts of the score scale.
    pub value: f64,
    pub se: f64,
    pub ci_low: f64,
    pub ci_high: f64,
    /// Two-sided, corrected for the choice of the day.
    pub p: f64,
    /// Also corrected for the number of questions.
    pub q: f64,
}

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
/// what others are held against. So they are taken out of it and all are judged again, until the
/// same ones are found.
pub fn drifts(ledger: &Ledger, options: &Options, poll: Poll<'_>) -> Result<Vec<Drift>> {
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
    let mut answered = vec![false; sittings.item_count()];
    for &item in &sittings.items {
        answered[item as usize] = true;
    }
    drifts.retain(|drift| answered[drift.item as usize]);
    Ok(drifts)
}

/// The first answer of each student to each item, in whatever assessment; each sitting is a
/// student of its own, as abilities may have changed since the last. A student who met a question
/// before does better on it, which is no leak; nor are two answers of one student two witnesses.
fn first_meetings(ledger: &Ledger, poll: Poll<'_>) -> Ledger {
    let mut first = vec![false; ledger.items.len()];
    // Per item: the last student who met it, when, and in which response.
    let mut met = vec![(usize::MAX, 0, 0); ledger.item_count()];
    for student in 0..ledger.student_count() {
        for unit in ledger.units_of(student) {
            if unit % 1024 == 0 {
                poll();
            }
            for response in ledger.responses_in(unit) {
                let at = ledger.time_of(unit, response);
                let (who, when, which) = &mut met[ledger.items[response] as usize];
                let again = *who == student;
                if again && at >= *when {
                    continue;
                }
                if again {
                    first[*which] = false;
                }
                first[response] = true;
                (*who, *when, *which) = (student, at, response);
            }
        }
    }
    ledger.by_sitting(|response| first[response], poll)
}

/// Per item: whether others may be held against it. Where some questions of an assessment leaked,
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

/// What the rest of a sitting says of a student.
#[derive(Clone, Copy)]
struct Ability {
    /// Mean adjusted score.
    level: f64,
    /// Variance of the adjusted scores.
    noise: f64,
    /// How many there are.
    answers: f64,
}

/// Sittings, and what an answer in them is held against.
struct Anchors<'a> {
    sittings: &'a Ledger,
    /// Per item: whether others may be held against it.
    sound: &'a [bool],
    difficulty: Difficulty,
    /// Mean adjusted score, from which all are measured so that sums lose no digits.
    mean: f64,
}

impl<'a> Anchors<'a> {
    fn new(sittings: &'a Ledger, sound: &'a [bool], poll: Poll<'_>) -> Self {
        let anchoring = sittings.by_sitting(|at| sound[sittings.items[at] as usize], poll);
        let difficulty = Difficulty::fit(&anchoring, true, poll);
        let all = 0..anchoring.items.len();
        let sum: f64 = all.map(|at| difficulty.adjusted(&anchoring, at)).sum();
        Self {
            sittings,
            sound,
            difficulty,
            mean: sum / anchoring.items.len().max(1) as f64,
        }
    }

    /// The adjusted score of a response that others may be held against.
    fn anchor(&self, response: usize) -> Option<f64> {
        let sound = self.sound[self.sittings.items[response] as usize];
        sound.then(|| self.difficulty.adjusted(self.sittings, response) - self.mean)
    }

    /// The responses of a sitting that count, with what each is held against.
    fn answers(&self, sitting: usize) -> impl Iterator<Item = (usize, Ability)> {
        let responses = self.sittings.responses_in(sitting);
        let (mut n, mut sum, mut squares) = (0, 0.0, 0.0);
        for adjusted in responses.clone().filter_map(|at| self.anchor(at)) {
            n += 1;
            sum += adjusted;
            squares += adjusted * adjusted;
        }
        responses.filter_map(move |response| {
            let own = self.anchor(response);
            let others = n - usize::from(own.is_some());
            let own = own.unwrap_or(0.0);
            let answers = others as f64;
            let level = (sum - own) / answers;
            let about_level = squares - own * own - answers * level * level;
            let ability = Ability {
                level,
                noise: about_level.max(0.0) / (answers - 1.0),
                answers,
            };
            (others >= MIN_ANCHORS).then_some((response, ability))
        })
    }
}

/// Sums over answers to one item: its score `x`, and the ability `y` shown in the rest of the
/// sitting.
#[derive(Debug, Clone, Copy)]
struct Sums {
    /// When the first was given.
    first_at: i64,
    n: u64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
    /// Variances of the errors of `y`.
    error: f64,
    /// Variances of the scores that `y` is the mean of.
    noise: f64,
}

impl Sums {
    fn new(first_at: i64) -> Self {
        Self {
            first_at,
            n: 0,
            x: 0.0,
            y: 0.0,
            xx: 0.0,
            yy: 0.0,
            xy: 0.0,
            error: 0.0,
            noise: 0.0,
        }
    }

    fn add(&mut self, at: i64, x: f64, ability: Ability) {
        let y = ability.level;
        self.first_at = self.first_at.min(at);
        self.n += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
        self.error += ability.noise / ability.answers;
        self.noise += ability.noise;
    }

    fn merge(&mut self, other: &Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.n += other.n;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
        self.error += other.error;
        self.noise += other.noise;
    }

    fn day(&self) -> i64 {
        self.first_at.div_euclid(DAY)
    }
}

/// Every item, with the likeliest change of those in which one could be seen.
fn judge(
    sittings: &Ledger,
    sound: &[bool],
    options: &Options,
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
        drift.change = likeliest_change(&days, options);
        if let Some(change) = &mut drift.change {
            for facility in [&mut change.facility_before, &mut change.facility_after] {
                let told = facility.map(|mean| mean + anchors.mean);
                *facility = told.filter(|_| !sittings.unbounded[item]);
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
        let matters = change.value.abs() >= options.drift_margin;
        drift.status = if matters && change.q <= options.drift_alpha {
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

/// The split between two occasions at which the shift is the most significant; none where no split
/// has enough answers on both sides, or abilities do not vary. Facilities are measured from the mean of
/// all adjusted scores.
fn likeliest_change(days: &[Sums], options: &Options) -> Option<Change> {
    let occasions = occasions(days);
    let fit = Fit::of(&occasions)?;
    let mut before = Sums::new(i64::MAX);
    let mut squares_before = 0.0;
    let mut sizes = Vec::new();
    let mut best: Option<(f64, Change)> = None;
    for occasion in &occasions {
        let least = options.side_answers.max(1);
        if before.n >= least && fit.total.n - before.n >= least {
            sizes.push(before.n as f64);
            let (t, change) = fit.shift(&before, squares_before, occasion.first_at);
            if best.is_none_or(|(most, _)| t > most) {
                best = Some((t, change));
            }
        }
        before.merge(occasion);
        squares_before += fit.square(occasion);
    }
    let (t, mut change) = best?;
    let n = fit.total.n as f64;
    let df = n - 3.0;
    let reach = t_quantile(0.5 + options.confidence / 2.0, df) * change.se;
    change.ci_low = change.value - reach;
    change.ci_high = change.value + reach;
    change.p = most_significant_split(t_two_sided(t, df), &sizes, n);
    Some(change)
}

/// Days with too few answers to take out a mean are taken together with those that follow.
fn occasions(days: &[Sums]) -> Vec<Sums> {
    let mut occasions: Vec<Sums> = Vec::new();
    for day in days {
        match occasions.last_mut() {
            Some(last) if last.n < MIN_OCCASION => last.merge(day),
            _ => occasions.push(*day),
        }
    }
    if let [.., before, last] = &mut occasions[..]
        && last.n < MIN_OCCASION
    {
        before.merge(last);
        occasions.pop();
    }
    occasions
}

/// How the score depends on ability within occasions, where no drift and no difference between
/// cohorts can be part of it.
struct Fit {
    /// Change of the score with the true ability.
    slope: f64,
    /// Variance of the slope, in parts of that of the scores about it.
    slope_variance: f64,
    /// Sum of squares about the occasions' means, of scores without what ability explains.
    within: f64,
    /// Its degrees of freedom.
    within_df: f64,
    occasions: f64,
    total: Sums,
    /// Sum over the occasions of [`Fit::square`].
    squares: f64,
}

impl Fit {
    /// None where all students of an occasion have shown the same ability.
    fn of(occasions: &[Sums]) -> Option<Self> {
        let mut total = Sums::new(i64::MAX);
        let (mut xx, mut yy, mut xy, mut error) = (0.0, 0.0, 0.0, 0.0);
        for sums in occasions {
            let n = sums.n as f64;
            xx += about_mean(sums.xx, sums.x, n);
            yy += about_mean(sums.yy, sums.y, n);
            xy += sums.xy - sums.x * sums.y / n;
            error += sums.error * (1.0 - 1.0 / n);
            total.merge(sums);
        }
        let n = total.n as f64;
        let df = n - occasions.len() as f64;
        if yy <= NO_SPREAD * n {
            return None;
        }
        // What noise alone would add to the spread of abilities, one standard error of it: so much
        // the slope is drawn towards that of a question that depends on ability as others do.
        let doubt = error * (2.0 / df).sqrt();
        let typical = if doubt > 0.0 {
            (xx / df / (total.noise / n)).sqrt()
        } else {
            0.0
        };
        let spread = (yy - error).max(0.0) + doubt;
        let slope = (xy + doubt * typical) / spread;
        let mut fit = Self {
            slope,
            slope_variance: yy / spread.powi(2),
            within: (xx - 2.0 * slope * xy + slope * slope * yy).max(0.0),
            within_df: df - 1.0,
            occasions: occasions.len() as f64,
            total,
            squares: 0.0,
        };
        fit.squares = occasions.iter().map(|sums| fit.square(sums)).sum();
        Some(fit)
    }

    /// Sum of the scores without what ability explains.
    fn residual(&self, sums: &Sums) -> f64 {
        sums.x - self.slope * sums.y
    }

    /// What an occasion adds to the sum of squares between occasions.
    fn square(&self, sums: &Sums) -> f64 {
        self.residual(sums).powi(2) / sums.n as f64
    }

    /// The shift from `before` to the rest, with its t.
    fn shift(&self, before: &Sums, squares_before: f64, changed_at: i64) -> (f64, Change) {
        let (n_before, n_after) = (before.n, self.total.n - before.n);
        let (n, m) = (n_before as f64, n_after as f64);
        let (x, y) = (self.total.x - before.x, self.total.y - before.y);
        let after = self.residual(&self.total) - self.residual(before);
        let mut value = after / m - self.residual(before) / n;
        if value.abs() <= ROUNDING {
            value = 0.0;
        }
        // Occasions of one side should not differ. Where they do by more than chance, because
        // classes have been taught differently, so may the two sides. A few occasions do not tell
        // a variance, which is drawn towards that within them.
        let between = (squares_before - self.residual(before).powi(2) / n).max(0.0)
            + (self.squares - squares_before - after.powi(2) / m).max(0.0);
        let between_df = self.occasions - 2.0;
        let pooled = (self.within + between) / (self.within_df + between_df);
        let chance = OCCASION_DF * self.within / self.within_df;
        let variance = pooled.max((chance + between) / (OCCASION_DF + between_df));
        let shown = y / m - before.y / n;
        let se = (variance * (1.0 / n + 1.0 / m + shown.powi(2) * self.slope_variance)).sqrt();
        let t = if value == 0.0 { 0.0 } else { value.abs() / se };
        let change = Change {
            changed_at,
            n_before,
            n_after,
            facility_before: Some(before.x / n),
            facility_after: Some(x / m),
            value,
            se,
            ci_low: value,
            ci_high: value,
            p: 1.0,
            q: 1.0,
        };
        (t, change)
    }
}

/// A sum of squares about the mean; what rounding leaves of a constant counts as none.
fn about_mean(square: f64, sum: f64, n: f64) -> f64 {
    let about_mean = square - sum * sum / n;
    if about_mean > 1e-12 * square {
        about_mean
    } else {
        0.0
    }
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

/// Leaves only changes that could be told from a change of everything: the sittings on either side
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
