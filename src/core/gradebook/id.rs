//! Ids of students, items and assessments, and the tables that number them.

use std::fmt;
use std::hash::BuildHasher;
use std::rc::Rc;

use hashbrown::{DefaultHashBuilder, HashTable};
use uuid::Uuid;

use crate::Poll;
use crate::gradebook::codec::{Reader, put_signed, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::memory;

/// The most bytes that the ids of one table may take together. A stored value is limited to
/// 1 GiB; ids beyond this would leave no room for scores.
pub const MAX_ID_BYTES: u64 = 256 << 20;

/// An id as the caller's column has it. Whatever is neither an integer nor a uuid comes in its
/// text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id<'a> {
    Integer(i64),
    /// Its bytes as a big-endian number, which orders uuids as Postgres does.
    Uuid(u128),
    Text(&'a str),
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Integer(value) => value.fmt(f),
            Id::Uuid(value) => Uuid::from_u128(*value).hyphenated().fmt(f),
            Id::Text(text) => f.write_str(text),
        }
    }
}

/// Ids in columns, one type a table.
#[derive(Debug, Clone, Default)]
enum Column {
    #[default]
    Empty,
    Integer(Vec<i64>),
    Uuid(Vec<u128>),
    Text {
        text: String,
        ends: Vec<u32>,
    },
}

impl Column {
    fn type_name(&self) -> &'static str {
        match self {
            Column::Empty => "none",
            Column::Integer(_) => "integer",
            Column::Uuid(_) => "uuid",
            Column::Text { .. } => "text",
        }
    }

    fn len(&self) -> usize {
        match self {
            Column::Empty => 0,
            Column::Integer(ids) => ids.len(),
            Column::Uuid(ids) => ids.len(),
            Column::Text { ends, .. } => ends.len(),
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Id<'_> {
        match self {
            Column::Empty => Id::Text(""),
            Column::Integer(ids) => Id::Integer(ids[index]),
            Column::Uuid(ids) => Id::Uuid(ids[index]),
            Column::Text { text, ends } => {
                let start = if index == 0 {
                    0
                } else {
                    ends[index - 1] as usize
                };
                Id::Text(&text[start..ends[index] as usize])
            }
        }
    }

    /// Whether `id` has this number.
    #[inline(always)]
    fn is(&self, index: usize, id: &Id<'_>) -> bool {
        match (self, id) {
            (Column::Integer(ids), Id::Integer(id)) => ids.get(index) == Some(id),
            (Column::Uuid(ids), Id::Uuid(id)) => ids.get(index) == Some(id),
            _ => index < self.len() && self.get(index) == *id,
        }
    }

    /// Asks for what one more id takes.
    fn ask_for(&self, id: &Id<'_>) -> memory::Result<()> {
        match (self, id) {
            (Column::Integer(ids), _) => memory::ask_for_more(ids, 1),
            (Column::Uuid(ids), _) => memory::ask_for_more(ids, 1),
            (Column::Text { text, ends }, Id::Text(id)) => {
                if text.capacity() - text.len() < id.len() {
                    memory::ask((text.len() + id.len()).max(2 * text.capacity()))?;
                }
                memory::ask_for_more(ends, 1)
            }
            _ => Ok(()),
        }
    }

    /// Appends an id; false when it is of another type than those before.
    fn push(&mut self, id: Id<'_>) -> bool {
        if let Column::Empty = self {
            *self = match id {
                Id::Integer(_) => Column::Integer(Vec::new()),
                Id::Uuid(_) => Column::Uuid(Vec::new()),
                Id::Text(_) => Column::Text {
                    text: String::new(),
                    ends: Vec::new(),
                },
            };
        }
        match (self, id) {
            (Column::Integer(ids), Id::Integer(id)) => ids.push(id),
            (Column::Uuid(ids), Id::Uuid(id)) => ids.push(id),
            (Column::Text { text, ends }, Id::Text(id)) => {
                text.push_str(id);
                // The cap keeps the total below 2^28 bytes.
                ends.push(text.len() as u32);
            }
            _ => return false,
        }
        true
    }

    fn bytes(&self) -> u64 {
        match self {
            Column::Empty => 0,
            Column::Integer(ids) => 8 * ids.len() as u64,
            Column::Uuid(ids) => 16 * ids.len() as u64,
            Column::Text { text, ends } => (text.len() + 4 * ends.len()) as u64,
        }
    }
}

/// Distinct ids in the order of their type: numbers by value, uuids and texts by their bytes. They
/// do not change, and are shared by those who clone them.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    column: Rc<Column>,
}

impl Ids {
    /// How many.
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id with this number.
    pub fn get(&self, index: u32) -> Id<'_> {
        self.column.get(index as usize)
    }

    /// The number of the id that reads like `text`, if any.
    pub fn find(&self, text: &str) -> Option<u32> {
        let wanted = match &*self.column {
            Column::Empty => return None,
            Column::Integer(_) => Id::Integer(text.trim().parse().ok()?),
            Column::Uuid(_) => Id::Uuid(Uuid::parse_str(text.trim()).ok()?.as_u128()),
            Column::Text { .. } => Id::Text(text),
        };
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.column.get(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.len() && self.column.get(low) == wanted).then_some(low as u32)
    }

    /// Appends the flat form: a type byte, the count, the ids.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match &*self.column {
            Column::Empty => out.push(0),
            Column::Integer(ids) => {
                out.push(1);
                put_varint(out, ids.len() as u64);
                let mut last = 0i64;
                for &id in ids {
                    put_signed(out, id.wrapping_sub(last));
                    last = id;
                }
            }
            Column::Uuid(ids) => {
                out.push(2);
                put_varint(out, ids.len() as u64);
                for id in ids {
                    out.extend_from_slice(&id.to_be_bytes());
                }
            }
            Column::Text { ends, .. } => {
                out.push(3);
                put_varint(out, ends.len() as u64);
                for index in 0..ends.len() {
                    if let Id::Text(id) = self.column.get(index) {
                        put_varint(out, id.len() as u64);
                        out.extend_from_slice(id.as_bytes());
                    }
                }
            }
        }
    }

    /// Reads what [`Ids::encode`] wrote and checks that the ids ascend.
    pub(super) fn decode(from: &mut Reader<'_>) -> Result<Self> {
        let mut column = Column::Empty;
        let tag = from.byte()?;
        if tag == 0 {
            return Ok(Self::default());
        }
        let n = from.count(if tag == 2 { 16 } else { 1 })?;
        if n == 0 {
            return Err(Error::Malformed("a table of ids is empty"));
        }
        let mut last = 0i64;
        for index in 0..n {
            let id = match tag {
                1 => {
                    last = last.wrapping_add(from.signed()?);
                    Id::Integer(last)
                }
                2 => Id::Uuid(u128::from_be_bytes(
                    from.bytes(16)?.try_into().unwrap_or_default(),
                )),
                3 => {
                    let length = from.count(1)?;
                    let text = std::str::from_utf8(from.bytes(length)?)
                        .map_err(|_| Error::Malformed("an id is not valid UTF-8"))?;
                    if text.contains('\0') {
                        return Err(Error::Malformed("an id contains a zero byte"));
                    }
                    Id::Text(text)
                }
                _ => return Err(Error::Malformed("an id type is unknown")),
            };
            if index > 0 && column.get(index - 1) >= id {
                return Err(Error::Malformed("ids are not in order"));
            }
            column.ask_for(&id)?;
            column.push(id);
            if column.bytes() > MAX_ID_BYTES {
                return Err(Error::TooLarge {
                    what: "bytes of ids",
                    limit: MAX_ID_BYTES,
                });
            }
        }
        Ok(Self {
            column: Rc::new(column),
        })
    }
}

/// Numbers ids in the order of their arrival.
#[derive(Debug, Clone)]
pub(super) struct Interner {
    table: &'static str,
    column: Column,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    last: u32,
}

impl Interner {
    /// An empty table; `table` names it in errors.
    pub fn new(table: &'static str) -> Self {
        Self {
            table,
            column: Column::Empty,
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: 0,
        }
    }

    /// How many distinct ids have come.
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// The id with this number.
    pub fn get(&self, index: u32) -> Id<'_> {
        self.column.get(index as usize)
    }

    /// The number of `id`, a new one if it has not come before.
    #[inline(always)]
    pub fn intern(&mut self, id: &Id<'_>) -> Result<u32> {
        // Rows of one student or assessment mostly come together, and the items of an assessment
        // mostly in the order in which they first came.
        if self.column.is(self.last as usize, id) {
            return Ok(self.last);
        }
        if self.column.is(self.last as usize + 1, id) {
            self.last += 1;
            return Ok(self.last);
        }
        self.look_up(id)
    }

    #[inline(never)]
    fn look_up(&mut self, id: &Id<'_>) -> Result<u32> {
        let hash = self.hasher.hash_one(id);
        let column = &self.column;
        let found = self.index.find(hash, |&at| column.is(at as usize, id));
        self.last = match found {
            Some(&at) => at,
            None => self.add(id, hash)?,
        };
        Ok(self.last)
    }

    #[cold]
    fn add(&mut self, id: &Id<'_>, hash: u64) -> Result<u32> {
        let at = self.column.len() as u32;
        let length = if let Id::Text(text) = id {
            // With where it ends.
            text.len() as u64 + 4
        } else {
            16
        };
        if self.column.bytes() + length > MAX_ID_BYTES {
            return Err(Error::TooLarge {
                what: "bytes of ids",
                limit: MAX_ID_BYTES,
            });
        }
        self.column.ask_for(id)?;
        if self.index.len() == self.index.capacity() {
            memory::ask(4 * size_of::<u32>() * self.index.capacity())?;
        }
        if !self.column.push(*id) {
            let mut other = Column::Empty;
            other.push(*id);
            return Err(Error::IdTypes {
                table: self.table,
                left: self.column.type_name(),
                right: other.type_name(),
            });
        }
        let (column, hasher) = (&self.column, &self.hasher);
        self.index
            .insert_unique(hash, at, |&at| hasher.hash_one(column.get(at as usize)));
        Ok(at)
    }

    /// What it takes to bring them into order.
    pub fn bytes_to_sort(&self) -> usize {
        // Numbers and places, and the ids again in a list that grows.
        2 * size_of::<u32>() * self.len() + 2 * self.column.bytes() as usize
    }

    /// The ids in order, and the place in that order of each number given out.
    pub fn sorted(&self, poll: Poll<'_>) -> (Ids, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        // Millions of texts, each somewhere else in memory, take seconds to sort.
        let mut compared = 0_u32;
        order.sort_unstable_by(|&a, &b| {
            compared = compared.wrapping_add(1);
            if compared.is_multiple_of(1 << 16) {
                poll();
            }
            self.get(a).cmp(&self.get(b))
        });
        let mut rank = vec![0; order.len()];
        let mut column = Column::Empty;
        for (place, &at) in order.iter().enumerate() {
            rank[at as usize] = place as u32;
            column.push(self.get(at));
        }
        let column = Rc::new(column);
        (Ids { column }, rank)
    }
}
