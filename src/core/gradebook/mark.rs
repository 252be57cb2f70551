//! Marks: what a row says of an answer, kept as it came.
//!
//! A score with the scale that it was given on, or the reason why there is none. Which marks count,
//! and as what, is decided when a gradebook is read.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::gradebook::codec::{Reader, put_varint};
use crate::gradebook::error::{Error, Result};
use crate::labels::labels;
use crate::memory;

/// What is written for a maximum that nobody knows: the quiet NaN, whose bits a language need not
/// promise.
const UNKNOWN_MAX: u64 = 0x7ff8_0000_0000_0000;

/// What a score is measured against: minimum and maximum, in the unit of the score. Without a
/// maximum, nobody said what it is; an infinite one says that there is none.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    min: f64,
    max: Option<f64>,
}

impl Scale {
    /// Shares of the maximum.
    pub const SHARE: Self = Self {
        min: 0.0,
        max: Some(1.0),
    };
    /// Points of which nobody said how many could be had.
    pub const UNKNOWN: Self = Self {
        min: 0.0,
        max: None,
    };

    /// None where no score can be measured against it: the maximum is not above the minimum, one of
    /// them is not a number, or only the minimum is infinite.
    #[inline]
    pub fn new(min: f64, max: Option<f64>) -> Option<Self> {
        let is_scale = match max {
            Some(max) => min < max && (min.is_finite() || max == f64::INFINITY),
            None => min.is_finite(),
        };
        // Adding zero turns -0 into +0.
        is_scale.then_some(Self {
            min: min + 0.0,
            max: max.map(|max| max + 0.0),
        })
    }

    /// The lowest score; minus infinity where there is none.
    pub fn min_score(&self) -> f64 {
        self.min
    }

    /// The highest score; infinite where there is none, and none where it is not known.
    pub fn max_score(&self) -> Option<f64> {
        self.max
    }

    /// What no points at all are: 0, or the end of the scale that is nearest to it.
    pub fn no_points(&self) -> f64 {
        let high = self.max.map_or(0.0, |max| max.min(0.0));
        self.min.max(high) + 0.0
    }

    /// The bits that are written of the maximum.
    fn max_bits(&self) -> u64 {
        self.max.map_or(UNKNOWN_MAX, f64::to_bits)
    }

    /// By maximum, then by minimum; the unknown maximum comes last.
    fn words(&self) -> [u64; 2] {
        [ordered(self.max_bits()), ordered(self.min.to_bits())]
    }
}

impl Ord for Scale {
    fn cmp(&self, other: &Self) -> Ordering {
        self.words().cmp(&other.words())
    }
}

impl PartialOrd for Scale {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scale {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // Neither has a NaN or a -0.
        self.min == other.min && self.max == other.max
    }
}

impl Eq for Scale {}

impl Hash for Scale {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

/// A word that ascends as the number with these bits does; that of [`UNKNOWN_MAX`] is the highest.
#[inline]
fn ordered(bits: u64) -> u64 {
    match bits >> 63 {
        0 => bits | 1 << 63,
        _ => !bits,
    }
}

/// Undoes [`ordered`].
fn unordered(word: u64) -> f64 {
    f64::from_bits(match word >> 63 {
        0 => !word,
        _ => word & !(1 << 63),
    })
}

/// Whether a row has a score, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has.
    Scored,
    /// It has none, and does not say why: blank, or not marked yet.
    NoScore,
    /// It waits for its mark.
    Waiting,
    /// The student did not take it.
    NotTaken,
    /// The student need not take it.
    Exempt,
}

// In the order of the flat form.
labels!(State {
    Scored => "scored",
    NoScore => "no_score",
    Waiting => "waiting",
    NotTaken => "not_taken",
    Exempt => "exempt",
});

/// What a row says of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub state: State,
    pub scale: Scale,
    /// In the unit of the scale; 0 without a score.
    pub score: f64,
}

/// More distinct marks than this are stored one by one rather than by number.
const MAX_DISTINCT: usize = 1 << 16;
/// So many of the first marks are looked through before their index is asked.
const COMMON: usize = 4;
/// What no mark is equal to.
const NO_KEY: u128 = u128::MAX;

/// Low bits of a head that are the state.
const STATE_BITS: u32 = 3;
const STATE_MASK: u64 = (1 << STATE_BITS) - 1;

/// The head of a mark: its scale's number, and its state.
#[inline]
fn head(scale: u32, state: State) -> u64 {
    u64::from(scale) << STATE_BITS | state as u64
}

/// A mark as one number, which ascends by scale, state and score.
#[inline]
fn key(head: u64, score: f64) -> u128 {
    u128::from(head) << 64 | u128::from(ordered(score.to_bits()))
}

/// A mark that was numbered, or that is one too many.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interned {
    Number(u32),
    /// Its head, with the scale's number in the order of arrival, and its score.
    Whole(u64, f64),
}

/// Distinct values in the order of their arrival.
#[derive(Debug, Clone)]
struct Distinct<T> {
    values: Vec<T>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: Copy + Eq + Hash> Distinct<T> {
    fn find(&self, value: &T) -> Option<u32> {
        let hash = self.hasher.hash_one(value);
        let is_it = |&at: &u32| self.values[at as usize] == *value;
        self.index.find(hash, is_it).copied()
    }

    /// Appends a value that is not there yet.
    fn add(&mut self, value: T) -> Result<u32> {
        memory::ask_for_more(&self.values, 1)?;
        if self.index.len() == self.index.capacity() {
            memory::ask(4 * size_of::<u32>() * self.index.capacity())?;
        }
        let at = self.values.len() as u32;
        self.values.push(value);
        let (values, hasher) = (&self.values, &self.hasher);
        let hash = |&at: &u32| hasher.hash_one(values[at as usize]);
        self.index.insert_unique(hasher.hash_one(value), at, hash);
        Ok(at)
    }
}

/// Numbers marks in the order of their arrival. Most gradebooks know a handful of them.
#[derive(Debug, Clone)]
pub(super) struct MarkTable {
    scales: Distinct<Scale>,
    /// The scale that was met last.
    last_scale: u32,
    keys: Distinct<u128>,
    /// The first of them again.
    common: [u128; COMMON],
    overflowed: bool,
}

impl Default for MarkTable {
    fn default() -> Self {
        Self {
            scales: Distinct::default(),
            last_scale: 0,
            keys: Distinct::default(),
            common: [NO_KEY; COMMON],
            overflowed: false,
        }
    }
}

impl MarkTable {
    /// The number of `mark`, or the mark itself when there are too many to number.
    #[inline]
    pub fn intern(&mut self, mark: Mark) -> Result<Interned> {
        if self.scales.values.get(self.last_scale as usize) != Some(&mark.scale) {
            self.last_scale = match self.scales.find(&mark.scale) {
                Some(scale) => scale,
                None => self.scales.add(mark.scale)?,
            };
        }
        let head = head(self.last_scale, mark.state);
        let key = key(head, mark.score);
        // Right, wrong and a few in between are most of all marks. All are compared, without a
        // branch that could be guessed wrong: which of them comes next is a toss of a coin.
        let mut at = COMMON;
        for (place, &common) in self.common.iter().enumerate() {
            at = if common == key { place } else { at };
        }
        if at < COMMON {
            return Ok(Interned::Number(at as u32));
        }
        if let Some(at) = self.keys.find(&key) {
            return Ok(Interned::Number(at));
        }
        if self.keys.values.len() == MAX_DISTINCT {
            self.overflowed = true;
            return Ok(Interned::Whole(head, mark.score));
        }
        let at = self.keys.add(key)?;
        if let Some(common) = self.common.get_mut(at as usize) {
            *common = key;
        }
        Ok(Interned::Number(at))
    }

    /// What it takes to bring them into order.
    pub fn bytes_to_sort(&self) -> usize {
        3 * size_of::<Scale>() * self.scales.values.len()
            + 4 * size_of::<u128>() * self.keys.values.len()
    }

    /// The final form. It depends only on the set of marks, never on their order, and what is
    /// written ascends by scale, state and score.
    pub fn dictionary(&self) -> Dictionary {
        let mut scales = self.scales.values.clone();
        scales.sort_unstable();
        let rank = |scale: &Scale| scales.partition_point(|other| other < scale) as u64;
        let scale_ranks: Vec<u64> = self.scales.values.iter().map(rank).collect();
        let final_key = |&key: &u128| {
            let head = (key >> 64) as u64;
            let rank = scale_ranks[(head >> STATE_BITS) as usize];
            u128::from(rank << STATE_BITS | head & STATE_MASK) << 64 | key & u128::from(u64::MAX)
        };
        let of_numbers: Vec<u128> = self.keys.values.iter().map(final_key).collect();
        let mut keys = Vec::new();
        if !self.overflowed {
            keys.clone_from(&of_numbers);
            keys.sort_unstable();
        }
        Dictionary {
            written: of_numbers
                .iter()
                .map(|key| match self.overflowed {
                    true => *key,
                    false => keys.partition_point(|other| other < key) as u128,
                })
                .collect(),
            scale_ranks,
            scales,
            keys,
        }
    }
}

/// How the marks of a gradebook are written: by their place in an ordered list, or in full where
/// the list is empty.
#[derive(Debug)]
pub(super) struct Dictionary {
    scales: Vec<Scale>,
    keys: Vec<u128>,
    /// Per mark in the order of its arrival: what is written of it.
    written: Vec<u128>,
    /// Per scale in the order of its arrival: its place.
    scale_ranks: Vec<u64>,
}

impl Dictionary {
    /// What is written of a mark with a number.
    #[inline]
    pub fn of_number(&self, number: u32) -> u128 {
        self.written[number as usize]
    }

    /// What is written of another.
    pub fn of_whole(&self, head: u64, score: f64) -> u128 {
        let rank = self.scale_ranks[(head >> STATE_BITS) as usize];
        key(rank << STATE_BITS | head & STATE_MASK, score)
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.scales.len() as u64);
        for scale in &self.scales {
            out.extend_from_slice(&scale.min.to_le_bytes());
            out.extend_from_slice(&scale.max_bits().to_le_bytes());
        }
        put_varint(out, self.keys.len() as u64);
        for &key in &self.keys {
            put_key(out, key);
        }
    }

    /// Appends one mark as it is written.
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>, written: u128) {
        match self.keys.len() {
            0 => put_key(out, written),
            1..=256 => out.push(written as u8),
            _ => put_varint(out, written as u64),
        }
    }
}

fn put_key(out: &mut Vec<u8>, key: u128) {
    let head = (key >> 64) as u64;
    put_varint(out, head);
    if head & STATE_MASK == State::Scored as u64 {
        out.extend_from_slice(&unordered(key as u64).to_le_bytes());
    }
}

/// The marks of a gradebook that is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    scales: Vec<Scale>,
    marks: Vec<Mark>,
}

impl Marks {
    pub fn decode(from: &mut Reader<'_>) -> Result<Self> {
        let n = from.count(16)?;
        memory::ask(n * size_of::<Scale>())?;
        let mut scales = Vec::with_capacity(n);
        for _ in 0..n {
            let min = f64::from_bits(from.u64()?);
            let max = f64::from_bits(from.u64()?);
            let scale = Scale::new(min, (!max.is_nan()).then_some(max));
            let scale = scale.ok_or(Error::Malformed("a scale cannot be"))?;
            if scales.last() >= Some(&scale) {
                return Err(Error::Malformed("the list of scales is not in order"));
            }
            scales.push(scale);
        }
        let mut read = Self {
            scales,
            marks: Vec::new(),
        };
        let n = from.count(1)?;
        if n > MAX_DISTINCT {
            return Err(Error::Malformed("the list of marks is too long"));
        }
        // With what each becomes to the reader of the responses.
        memory::ask(2 * n * size_of::<Mark>())?;
        read.marks.reserve_exact(n);
        let mut last = None;
        for _ in 0..n {
            let (head, mark) = read.whole(from)?;
            let key = key(head, mark.score);
            if last >= Some(key) {
                return Err(Error::Malformed("the list of marks is not in order"));
            }
            last = Some(key);
            read.marks.push(mark);
        }
        Ok(read)
    }

    /// The distinct marks; empty where they are too many to list.
    pub fn listed(&self) -> &[Mark] {
        &self.marks
    }

    /// A mark that is written in full, and its head.
    fn whole(&self, from: &mut Reader<'_>) -> Result<(u64, Mark)> {
        let head = from.varint()?;
        let scale = usize::try_from(head >> STATE_BITS).ok();
        let scale = scale.and_then(|at| self.scales.get(at));
        let &scale = scale.ok_or(Error::Malformed("a scale is not in the list"))?;
        let state = State::ALL.get((head & STATE_MASK) as usize);
        let &state = state.ok_or(Error::Malformed("the state of a mark is unknown"))?;
        let score = match state {
            State::Scored => f64::from_bits(from.u64()?) + 0.0,
            _ => 0.0,
        };
        if !score.is_finite() {
            return Err(Error::Malformed("a score is not finite"));
        }
        let mark = Mark {
            state,
            scale,
            score,
        };
        Ok((head, mark))
    }

    /// Reads `n` marks into `read`, which is emptied first; `known` has what each listed mark is to
    /// become, `of` says it of one that is written in full.
    #[inline]
    pub fn read<T: Copy>(
        &self,
        from: &mut Reader<'_>,
        n: usize,
        known: &[T],
        of: &impl Fn(Mark) -> T,
        read: &mut Vec<T>,
    ) -> Result<()> {
        read.clear();
        let unknown = || Error::Malformed("a mark is not in the list");
        match known.len() {
            0 => {
                for _ in 0..n {
                    read.push(of(self.whole(from)?.1));
                }
            }
            1..=256 => {
                for &code in from.bytes(n)? {
                    read.push(*known.get(usize::from(code)).ok_or_else(unknown)?);
                }
            }
            _ => {
                for _ in 0..n {
                    let code = from.index()? as usize;
                    read.push(*known.get(code).ok_or_else(unknown)?);
                }
            }
        }
        Ok(())
    }
}
