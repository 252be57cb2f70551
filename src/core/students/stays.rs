//! Which students were in which group, and when.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::Poll;
use crate::gradebook::Period;
use crate::ledger::Ledger;
use crate::statistics::pairs::sort;
use crate::statistics::quantile::lower_median;
use crate::students::attendance::Attendance;

/// By group, then by student and time. Those of one student in one group do not overlap.
pub type Stays = Vec<Period>;

/// The order of stays.
pub fn by_group(stay: &Period) -> (Option<u32>, u32, i64) {
    (stay.group, stay.student, stay.from)
}

/// According to the roster. Overlapping ones in a group are one, so that nobody is counted twice.
pub fn enrolled(ledger: &Ledger, poll: Poll<'_>) -> Stays {
    let mut stays = ledger.roster.periods().to_vec();
    sort(&mut stays, |a, b| by_group(a).cmp(&by_group(b)), poll);
    stays.dedup_by(|next, stay| {
        let overlap =
            (next.group, next.student) == (stay.group, stay.student) && next.from <= stay.to;
        if overlap {
            stay.to = stay.to.max(next.to);
        }
        overlap
    });
    without_twins(stays, poll)
}

/// According to the rows of each group: from the first row there on, until the first of another
/// group that comes after all of these. A student with rows of several groups at the same time
/// belongs to all of them. Leaving for good and giving up look the same.
pub fn seen(ledger: &Ledger, poll: Poll<'_>) -> Stays {
    let mut stays = ledger.memberships.periods().to_vec();
    // By student, then by beginning.
    for own in stays.chunk_by_mut(|a, b| a.student == b.student) {
        poll();
        for at in 0..own.len() {
            let last = own[at].to;
            let next = own.partition_point(|other| other.from <= last);
            own[at].to = own.get(next).map_or(Period::OPEN_TO, |next| next.from - 1);
        }
    }
    sort(&mut stays, |a, b| by_group(a).cmp(&by_group(b)), poll);
    without_twins(stays, poll)
}

/// All in one group, each from the first assessment that they took. Leaving and giving up look the
/// same, so that nothing ends.
pub fn in_one_group(ledger: &Ledger, attendance: &Attendance, poll: Poll<'_>) -> Stays {
    let stay = |student: u32| {
        poll();
        let taken = attendance.of_student(student, ledger);
        let from = taken
            .map(|taken| attendance.first_at(taken, ledger))
            .min()?;
        Some(Period {
            student,
            from,
            to: Period::OPEN_TO,
            group: None,
        })
    };
    (0..ledger.student_count() as u32)
        .filter_map(stay)
        .collect()
}

/// Without the groups that have the members and times of an earlier one: they expect the same work,
/// and what is due in several groups is due in the first of them. Where everybody is in thousands
/// of groups, the work of all would be gone through for each.
fn without_twins(mut stays: Stays, poll: Poll<'_>) -> Stays {
    let times = |stays: &[Period]| -> Vec<(u32, i64, i64)> {
        let times = stays.iter().map(|stay| (stay.student, stay.from, stay.to));
        times.collect()
    };
    let hasher = DefaultHashBuilder::default();
    let mut first: HashMap<u64, &[Period]> = HashMap::new();
    let mut twins: HashSet<Option<u32>> = HashSet::new();
    for group in stays.chunk_by(|a, b| a.group == b.group) {
        poll();
        let known = *first.entry(hasher.hash_one(times(group))).or_insert(group);
        if known[0].group != group[0].group && times(known) == times(group) {
            twins.insert(group[0].group);
        }
    }
    drop(first);
    stays.retain(|stay| !twins.contains(&stay.group));
    stays
}

/// The parts of stays during which students were active, according to what they took: until a
/// silence after the last of it that would be nothing unusual. Without this silence, an assessment
/// that a few have just begun would seem to be taken by all who are still active.
pub fn while_active(
    mut stays: Stays,
    ledger: &Ledger,
    attendance: &Attendance,
    poll: Poll<'_>,
) -> Stays {
    let usual = usual_silence(ledger, attendance, poll);
    for stay in &mut stays {
        poll();
        let taken = attendance.of_student(stay.student, ledger);
        let times = taken.map(|taken| attendance.first_at(taken, ledger));
        let last = times.filter(|at| stay.covers(*at)).max();
        let end = last.unwrap_or(stay.from).saturating_add_unsigned(usual);
        stay.to = stay.to.min(end);
    }
    stays
}

/// The median over students of their longest silence so far, in microseconds.
fn usual_silence(ledger: &Ledger, attendance: &Attendance, poll: Poll<'_>) -> u64 {
    let (mut silences, mut times) = (Vec::new(), Vec::new());
    for student in 0..ledger.student_count() as u32 {
        poll();
        times.clear();
        let taken = attendance.of_student(student, ledger);
        times.extend(taken.map(|taken| attendance.first_at(taken, ledger)));
        sort(&mut times, i64::cmp, poll);
        let spans = times.windows(2).map(|pair| pair[1].abs_diff(pair[0]));
        silences.extend(spans.max().filter(|longest| *longest > 0));
    }
    lower_median(&mut silences, u64::cmp).unwrap_or(0)
}
