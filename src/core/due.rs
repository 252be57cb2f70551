//! Work that was due, and work that is missing: the strongest single sign of trouble.

use crate::Poll;
use crate::ledger::Ledger;

/// Due and missing assessments of one student.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub due: u32,
    pub missing: u32,
}

/// The work of every student. An assessment's date is the median of the times at which it was
/// taken. It is expected when at least `share` of the students active then took it, active being
/// those whose first and last responses lie around that date; it is due for every student whose
/// first response is not later.
pub fn work(ledger: &Ledger, share: f64, poll: Poll<'_>) -> Vec<Work> {
    let spans: Vec<Option<(i64, i64)>> = (0..ledger.student_count())
        .map(|student| {
            let times = || {
                ledger
                    .units_of(student)
                    .map(|unit| ledger.unit(unit).taken_at)
            };
            Some((times().min()?, times().max()?))
        })
        .collect();
    let (mut firsts, mut lasts): (Vec<i64>, Vec<i64>) = spans.iter().flatten().copied().unzip();
    firsts.sort_unstable();
    lasts.sort_unstable();
    let active = |at: i64| {
        firsts.partition_point(|first| *first <= at) - lasts.partition_point(|last| *last < at)
    };

    let mut times = vec![Vec::new(); ledger.assessments];
    for unit in (0..ledger.unit_count()).map(|unit| ledger.unit(unit)) {
        times[unit.assessment as usize].push(unit.taken_at);
    }
    let expected: Vec<Option<i64>> = times
        .iter_mut()
        .map(|times| {
            let middle = times.len().checked_sub(1)? / 2;
            let date = *times.select_nth_unstable(middle).1;
            (times.len() as f64 >= share * active(date) as f64).then_some(date)
        })
        .collect();
    let mut dates: Vec<i64> = expected.iter().flatten().copied().collect();
    dates.sort_unstable();

    spans
        .iter()
        .enumerate()
        .map(|(student, span)| {
            if student % 1024 == 0 {
                poll();
            }
            let Some((first, _)) = *span else {
                return Work::default();
            };
            let due = dates.len() - dates.partition_point(|date| *date < first);
            let mut taken: Vec<u32> = ledger
                .units_of(student)
                .map(|unit| ledger.unit(unit).assessment)
                .collect();
            taken.dedup();
            let done = taken
                .iter()
                .filter(|&&at| expected[at as usize].is_some_and(|date| date >= first))
                .count();
            Work {
                due: due as u32,
                missing: (due - done) as u32,
            }
        })
        .collect()
}
