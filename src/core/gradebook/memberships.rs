//! Which student has rows of which group, while gradebooks of groups are merged.

use std::collections::HashMap;

use crate::Poll;
use crate::gradebook::error::{Error, Result};
use crate::gradebook::flat::Gradebook;
use crate::gradebook::id::{Id, Interner};
use crate::gradebook::roster::{MAX_PERIODS, Period, Roster};
use crate::gradebook::sittings::Sitting;
use crate::memory;
use crate::statistics::pairs::sort;

/// Per student and group the first and the last time of the student's rows there. More rows only
/// make it longer, so that it does not matter how they are merged.
#[derive(Debug)]
pub struct Memberships {
    groups: Interner,
    /// By the numbers of students and groups in the order of their arrival.
    spans: HashMap<(u32, Option<u32>), (i64, i64)>,
}

impl Memberships {
    pub fn new() -> Self {
        Self {
            groups: Interner::new("group"),
            spans: HashMap::new(),
        }
    }

    /// The number of a group.
    pub fn group(&mut self, id: Option<Id<'_>>) -> Result<Option<u32>> {
        id.map(|id| self.groups.intern(&id)).transpose()
    }

    /// Notes that a student has rows from one time to another in a group.
    pub fn add(&mut self, student: u32, group: Option<u32>, from: i64, to: i64) -> Result<()> {
        if self.spans.len() == self.spans.capacity() {
            memory::ask(4 * size_of::<Period>() * (self.spans.len() + 1))?;
        }
        let span = self.spans.entry((student, group)).or_insert((from, to));
        *span = (span.0.min(from), span.1.max(to));
        match self.spans.len() as u64 > MAX_PERIODS {
            true => Err(Error::TooLarge {
                what: "students in groups",
                limit: MAX_PERIODS,
            }),
            false => Ok(()),
        }
    }

    /// What sorting and writing them takes, in bytes.
    pub fn bytes_to_sort(&self) -> usize {
        self.groups.bytes_to_sort() + 2 * size_of::<Period>() * self.spans.len()
    }

    /// With the final numbers of students and groups.
    pub fn sorted(&self, student_ranks: &[u32], poll: Poll<'_>) -> Roster {
        let (groups, group_ranks) = self.groups.sorted(poll);
        let spans = self.spans.iter();
        let mut periods: Vec<Period> = spans
            .map(|(&(student, group), &(from, to))| Period {
                student: student_ranks[student as usize],
                from,
                to,
                group: group.map(|group| group_ranks[group as usize]),
            })
            .collect();
        sort(&mut periods, Period::cmp, poll);
        Roster::new(groups, periods, 0)
    }
}

/// Students with rows, in order, and the first and the last time of these.
pub fn spans(book: &Gradebook<'_>, poll: Poll<'_>) -> Result<Vec<(u32, i64, i64)>> {
    let mut spans: Vec<(u32, i64, i64)> = Vec::new();
    book.visit(
        |_| (),
        poll,
        |sitting: Sitting<'_, ()>| {
            let at = sitting.taken_at;
            match spans.last_mut() {
                Some((student, from, to)) if *student == sitting.student => {
                    (*from, *to) = (at.min(*from), at.max(*to));
                }
                _ => {
                    memory::ask_for_more(&spans, 1)?;
                    spans.push((sitting.student, at, at));
                }
            }
            Ok(())
        },
    )?;
    Ok(spans)
}
