//! A gradebook into a builder: all of it, or without some of its items.

use crate::Poll;
use crate::gradebook::builder::Builder;
use crate::gradebook::error::{Error, Result};
use crate::gradebook::flat::Gradebook;
use crate::gradebook::id::{Id, Ids, Interner};
use crate::gradebook::log::{NO_ATTEMPT, NO_POSITION, Place};
use crate::gradebook::mark::{Interned, MarkTable};
use crate::gradebook::memberships::spans;
use crate::gradebook::roster::{Period, Roster};
use crate::gradebook::sittings::Sitting;
use crate::memory;
use crate::time::Clock;

/// The numbers that the ids of another gradebook have here. An id gets one when it is met, as what
/// no response is left of leaves no trace.
struct Numbers<'a> {
    ids: &'a Ids,
    numbers: Vec<u32>,
}

impl<'a> Numbers<'a> {
    const NONE: u32 = u32::MAX;

    fn new(ids: &'a Ids) -> Self {
        Self {
            ids,
            numbers: vec![Self::NONE; ids.len()],
        }
    }

    #[inline]
    fn of(&mut self, id: u32, table: &mut Interner) -> Result<u32> {
        let number = &mut self.numbers[id as usize];
        if *number == Self::NONE {
            *number = table.intern(&self.ids.get(id))?;
        }
        Ok(*number)
    }
}

/// What is taken of another gradebook, and by which numbers.
struct Taken<'a> {
    clock: Option<Clock>,
    /// Per student.
    students: Vec<u32>,
    items: Numbers<'a>,
    assessments: Numbers<'a>,
    /// Per item; empty where all are taken.
    left_out: Vec<bool>,
}

impl Taken<'_> {
    fn has(&self, item: u32) -> bool {
        self.left_out.is_empty() || !self.left_out[item as usize]
    }
}

impl Builder {
    /// Takes all that another gradebook holds.
    pub fn merge(&mut self, other: &Gradebook<'_>, poll: Poll<'_>) -> Result<()> {
        self.merge_without(other, &[], poll)
    }

    /// Takes all that the gradebook of a group holds, and notes which students have rows in the
    /// group.
    pub fn merge_group(
        &mut self,
        other: &Gradebook<'_>,
        group: Option<Id<'_>>,
        poll: Poll<'_>,
    ) -> Result<()> {
        self.merge(other, poll)?;
        let group = self.memberships.group(group)?;
        for (student, from, to) in spans(other, poll)? {
            let student = self.students.intern(&other.students().get(student))?;
            self.memberships.add(student, group, from, to)?;
        }
        Ok(())
    }

    /// Takes all that another gradebook holds but the rows of some of its items, named by their
    /// numbers in it.
    pub fn merge_without(
        &mut self,
        other: &Gradebook<'_>,
        without: &[u32],
        poll: Poll<'_>,
    ) -> Result<()> {
        if without.is_empty() {
            self.agree(other.clock())?;
        }
        self.excluded.merge(other.excluded().without_item())?;
        let ids = [other.students(), other.items(), other.assessments()];
        let ids: usize = ids.iter().map(|ids| ids.len()).sum();
        memory::ask(2 * size_of::<u32>() * ids)?;
        let all = (0..other.students().len() as u32).inspect(|at| {
            if at % 1024 == 0 {
                poll();
            }
        });
        let students = all.map(|at| self.student(&other.students().get(at)));
        let mut taken = Taken {
            clock: other.clock(),
            students: students.collect::<Result<_>>()?,
            items: Numbers::new(other.items()),
            assessments: Numbers::new(other.assessments()),
            left_out: Vec::new(),
        };
        if !without.is_empty() {
            taken.left_out = vec![false; other.items().len()];
            for &item in without {
                taken.left_out[item as usize] = true;
            }
        }
        self.take_excluded(other, &mut taken)?;
        self.take_roster(other.roster(), &taken, poll)?;
        self.take_memberships(other.memberships(), &taken, poll)?;
        self.take_rows(other, &mut taken, poll)
    }

    /// Takes over the clock of another gradebook, if it has one.
    fn agree(&mut self, clock: Option<Clock>) -> Result<()> {
        clock.map_or(Ok(()), |clock| self.set_clock(clock))
    }

    fn take_excluded(&mut self, other: &Gradebook<'_>, taken: &mut Taken<'_>) -> Result<()> {
        for &(student, at) in other.excluded_students() {
            self.logs[taken.students[student as usize] as usize].saw_excluded(at);
        }
        for (item, counts) in other.excluded().by_item() {
            if taken.has(*item) {
                let item = taken.items.of(*item, &mut self.items)?;
                self.excluded_of(item)?.merge(counts)?;
            }
        }
        Ok(())
    }

    fn take_roster(&mut self, roster: &Roster, taken: &Taken<'_>, poll: Poll<'_>) -> Result<()> {
        let mut groups = Numbers::new(roster.groups());
        for (at, &period) in roster.periods().iter().enumerate() {
            // Each may bring a group.
            if at % 512 == 0 {
                poll();
            }
            if period.has_time() {
                self.agree(taken.clock)?;
            }
            let group = period.group;
            let group = group.map(|group| groups.of(group, &mut self.groups));
            self.add_period(Period {
                student: taken.students[period.student as usize],
                group: group.transpose()?,
                ..period
            })?;
        }
        let unusable = self.unusable.checked_add(roster.unusable());
        self.unusable = unusable.ok_or(Error::TooLarge {
            what: "unusable roster rows",
            limit: u64::MAX,
        })?;
        Ok(())
    }

    fn take_memberships(
        &mut self,
        memberships: &Roster,
        taken: &Taken<'_>,
        poll: Poll<'_>,
    ) -> Result<()> {
        for (at, own) in memberships.periods().iter().enumerate() {
            if at % 512 == 0 {
                poll();
            }
            let group = own.group.map(|group| memberships.groups().get(group));
            let group = self.memberships.group(group)?;
            let student = taken.students[own.student as usize];
            self.memberships.add(student, group, own.from, own.to)?;
        }
        Ok(())
    }

    fn take_rows(
        &mut self,
        other: &Gradebook<'_>,
        taken: &mut Taken<'_>,
        poll: Poll<'_>,
    ) -> Result<()> {
        let listed = other.marks();
        if listed.is_empty() {
            let number = MarkTable::intern;
            return other.visit(
                |mark| mark,
                poll,
                |sitting| self.take_sitting(&sitting, taken, number),
            );
        }
        // Each is looked up once, when it is met, as with ids.
        memory::ask(size_of::<Option<Interned>>() * listed.len())?;
        let mut numbers = vec![None; listed.len()];
        other.visit_places(poll, |sitting| {
            self.take_sitting(&sitting, taken, |table, place| {
                let number = &mut numbers[place as usize];
                match *number {
                    Some(number) => Ok(number),
                    None => Ok(*number.insert(table.intern(listed[place as usize])?)),
                }
            })
        })
    }

    #[inline]
    fn take_sitting<M: Copy>(
        &mut self,
        sitting: &Sitting<'_, M>,
        taken: &mut Taken<'_>,
        mut number: impl FnMut(&mut MarkTable, M) -> Result<Interned>,
    ) -> Result<()> {
        let student = taken.students[sitting.student as usize];
        let mut place = None;
        for (at, (&item, &mark)) in sitting.items.iter().zip(sitting.marks).enumerate() {
            if !taken.has(item) {
                continue;
            }
            let place = match place {
                Some(place) => place,
                None => *place.insert(self.place(sitting, taken)?),
            };
            let item = taken.items.of(item, &mut self.items)?;
            let position = sitting.position(at).unwrap_or(NO_POSITION);
            let mark = number(&mut self.marks, mark)?;
            self.append(student, place, item, position, mark)?;
        }
        Ok(())
    }

    /// The place of a sitting of which something is taken.
    fn place<M>(&mut self, sitting: &Sitting<'_, M>, taken: &mut Taken<'_>) -> Result<Place> {
        self.agree(taken.clock)?;
        Ok(Place {
            assessment: taken
                .assessments
                .of(sitting.assessment, &mut self.assessments)?,
            taken_at: sitting.taken_at,
            attempt: sitting.attempt.unwrap_or(NO_ATTEMPT),
        })
    }
}
