//! The responses of one student while a gradebook is made, in the order of their arrival.

use crate::Poll;
use crate::gradebook::codec::{Reader, put_signed, put_varint, unzigzag, zigzag};
use crate::gradebook::error::Result;
use crate::gradebook::mark::{Dictionary, Interned};
use crate::memory;
use crate::statistics::pairs::sort;

/// What stands for no attempt, and comes before all of them.
pub const NO_ATTEMPT: i64 = i64::MIN;
/// What stands for no position, and comes before all of them.
pub const NO_POSITION: i32 = i32::MIN;

/// The most bytes that one response takes in a log.
pub const LONGEST_RESPONSE: usize = 60;
/// The least.
const SHORTEST_RESPONSE: usize = 2;

/// Bits of a response's head.
const OPENS_SITTING: u64 = 1;
const HAS_POSITION: u64 = 2;
const ITEM_SHIFT: u32 = 2;

/// Where and when a response was given, in numbers of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub assessment: u32,
    pub taken_at: i64,
    /// Or [`NO_ATTEMPT`].
    pub attempt: i64,
}

/// Each response as difference to the one before: two bytes where it belongs to the same sitting,
/// about ten where it opens a new one.
#[derive(Debug, Clone)]
pub struct Log {
    pub bytes: Vec<u8>,
    place: Place,
    item: u32,
    position: i32,
    /// Earliest time of a row that is left out, if any.
    pub excluded: Option<i64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            place: Place {
                assessment: u32::MAX,
                taken_at: 0,
                attempt: NO_ATTEMPT,
            },
            item: 0,
            position: 0,
            excluded: None,
        }
    }
}

impl Log {
    /// Notes the time of a row that is left out.
    pub fn saw_excluded(&mut self, at: i64) {
        self.excluded = Some(self.excluded.map_or(at, |before| before.min(at)));
    }

    /// Appends a response; whether it opens a new sitting.
    #[inline]
    pub fn append(
        &mut self,
        place: Place,
        item: u32,
        position: i32,
        mark: Interned,
    ) -> Result<bool> {
        memory::ask_for_more(&self.bytes, LONGEST_RESPONSE)?;
        let opens = self.place != place;
        let has_position = position != NO_POSITION;
        let head = zigzag(i64::from(item) - i64::from(self.item)) << ITEM_SHIFT
            | if opens { OPENS_SITTING } else { 0 }
            | if has_position { HAS_POSITION } else { 0 };
        put_varint(&mut self.bytes, head);
        if opens {
            let has_attempt = place.attempt != NO_ATTEMPT;
            let assessment = u64::from(place.assessment) << 1 | u64::from(has_attempt);
            put_varint(&mut self.bytes, assessment);
            let step = place.taken_at.wrapping_sub(self.place.taken_at);
            put_signed(&mut self.bytes, step);
            if has_attempt {
                put_signed(&mut self.bytes, place.attempt);
            }
            self.place = place;
        }
        if has_position {
            put_signed(
                &mut self.bytes,
                i64::from(position) - i64::from(self.position),
            );
            self.position = position;
        }
        self.item = item;
        // 0 announces a mark that has no number.
        match mark {
            Interned::Number(number) => put_varint(&mut self.bytes, u64::from(number) + 1),
            Interned::Whole(head, score) => {
                self.bytes.push(0);
                put_varint(&mut self.bytes, head);
                self.bytes.extend_from_slice(&score.to_bits().to_le_bytes());
            }
        }
        Ok(opens)
    }

    /// Reads the responses back into `responses`, in the order of the flat form, with the final
    /// numbers of items and assessments and the marks as they are written.
    pub fn replay(
        &self,
        items: &[u32],
        assessments: &[u32],
        dictionary: &Dictionary,
        responses: &mut Vec<Response>,
        poll: Poll<'_>,
    ) -> Result<()> {
        responses.clear();
        let most = self.bytes.len() / SHORTEST_RESPONSE;
        memory::ask_for_more(responses, most)?;
        responses.reserve_exact(most);
        let mut from = Reader::new(&self.bytes);
        let (mut assessment, mut taken_at, mut attempt) = (0u32, 0i64, NO_ATTEMPT);
        let (mut item, mut last_position) = (0i64, 0i64);
        while from.left() > 0 {
            if responses.len().is_multiple_of(1 << 16) {
                poll();
            }
            let head = from.varint()?;
            item += unzigzag(head >> ITEM_SHIFT);
            if head & OPENS_SITTING != 0 {
                let number = from.varint()?;
                assessment = assessments[(number >> 1) as usize];
                taken_at = taken_at.wrapping_add(from.signed()?);
                attempt = match number & 1 {
                    0 => NO_ATTEMPT,
                    _ => from.signed()?,
                };
            }
            let mut position = NO_POSITION;
            if head & HAS_POSITION != 0 {
                last_position += from.signed()?;
                position = last_position as i32;
            }
            let mark = match from.varint()? {
                0 => {
                    let head = from.varint()?;
                    dictionary.of_whole(head, f64::from_bits(from.u64()?))
                }
                number => dictionary.of_number(number as u32 - 1),
            };
            responses.push(Response {
                assessment,
                taken_at,
                attempt,
                item: items[item as usize],
                mark,
                position,
            });
        }
        sort(responses, Response::cmp, poll);
        Ok(())
    }
}

/// A response with its final numbers; the order of the fields is the order of the flat form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Response {
    pub assessment: u32,
    pub taken_at: i64,
    pub attempt: i64,
    pub item: u32,
    /// The mark as it is written.
    pub mark: u128,
    pub position: i32,
}

impl Response {
    /// Whether both are of one sitting.
    pub fn is_of_sitting(&self, other: &Self) -> bool {
        (self.assessment, self.taken_at, self.attempt)
            == (other.assessment, other.taken_at, other.attempt)
    }
}
