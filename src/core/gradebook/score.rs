//! Scores, kept bit by bit.
//!
//! A score on a bounded item is its share of the maximum, 0 to 1. A score on an item without an
//! upper bound (words read in a minute) stays as it came. No score is negative, so the sign bit
//! is free to distinguish the two, and one 64-bit word holds either.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::gradebook::codec::{Reader, put_varint};
use crate::gradebook::error::{Error, Result};

const UNBOUNDED: u64 = 1 << 63;

/// A score in its stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u64);

impl Score {
    /// A share of the maximum, 0 to 1.
    #[inline]
    pub fn share(value: f64) -> Self {
        // Adding zero turns -0 into +0.
        Score((value + 0.0).to_bits())
    }

    /// A score without an upper bound, 0 or more.
    #[inline]
    pub fn unbounded(value: f64) -> Self {
        Score((value + 0.0).to_bits() | UNBOUNDED)
    }

    /// The number.
    #[inline]
    pub fn value(self) -> f64 {
        f64::from_bits(self.0 & !UNBOUNDED)
    }

    /// Whether the scale has no upper bound.
    #[inline]
    pub fn is_unbounded(self) -> bool {
        self.0 & UNBOUNDED != 0
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// Checks bits that came from outside.
    pub(super) fn from_bits(bits: u64) -> Result<Self> {
        let score = Score(bits);
        let value = score.value();
        if value.is_finite() && (score.is_unbounded() || value <= 1.0) {
            Ok(score)
        } else {
            Err(Error::Malformed("a score is out of range"))
        }
    }
}

/// More distinct scores than this are stored one by one rather than by number.
const MAX_DISTINCT: usize = 1 << 16;
/// So many of the first scores are looked through before their index is asked.
const COMMON: usize = 4;
/// What no score is equal to.
const NO_SCORE: Score = Score(u64::MAX);

/// Numbers scores in the order of their arrival. Most gradebooks know a handful of them.
#[derive(Debug, Clone)]
pub(super) struct ScoreTable {
    scores: Vec<Score>,
    /// The first of them again.
    common: [Score; COMMON],
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    overflowed: bool,
}

impl Default for ScoreTable {
    fn default() -> Self {
        Self {
            scores: Vec::new(),
            common: [NO_SCORE; COMMON],
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            overflowed: false,
        }
    }
}

impl ScoreTable {
    /// The number of `score`; none when there are too many to number.
    #[inline]
    pub fn intern(&mut self, score: Score) -> Option<u32> {
        // Right, wrong and a few in between are most of all scores. All are compared, without a
        // branch that could be guessed wrong: which of them comes next is a toss of a coin.
        let mut at = COMMON;
        for (place, &common) in self.common.iter().enumerate() {
            at = if common == score { place } else { at };
        }
        if at < COMMON {
            return Some(at as u32);
        }
        let hash = self.hasher.hash_one(score.0);
        let scores = &self.scores;
        if let Some(&at) = self.index.find(hash, |&at| scores[at as usize] == score) {
            return Some(at);
        }
        if self.scores.len() == MAX_DISTINCT {
            self.overflowed = true;
            return None;
        }
        let at = self.scores.len() as u32;
        self.scores.push(score);
        if let Some(common) = self.common.get_mut(at as usize) {
            *common = score;
        }
        let (scores, hasher) = (&self.scores, &self.hasher);
        self.index
            .insert_unique(hash, at, |&at| hasher.hash_one(scores[at as usize].0));
        Some(at)
    }

    /// The final form: all scores in order, or none when they are too many; and what each number
    /// is written as. Both depend only on the set of scores, never on their order, and written
    /// scores are ordered as the scores are.
    pub fn dictionary(&self) -> (Dictionary, Vec<u64>) {
        if self.overflowed {
            let written = self.scores.iter().map(|score| score.bits()).collect();
            return (Dictionary::default(), written);
        }
        let mut scores = self.scores.clone();
        scores.sort_unstable();
        let place = |score: &Score| scores.partition_point(|other| other < score) as u64;
        let written = self.scores.iter().map(place).collect();
        (Dictionary { scores }, written)
    }
}

/// How scores are written: by their place in an ordered list, or bit by bit where the list is
/// empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Dictionary {
    scores: Vec<Score>,
}

impl Dictionary {
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.scores.len() as u64);
        for score in &self.scores {
            out.extend_from_slice(&score.bits().to_le_bytes());
        }
    }

    pub fn decode(from: &mut Reader<'_>) -> Result<Self> {
        let n = from.count(8)?;
        if n > MAX_DISTINCT {
            return Err(Error::Malformed("the list of scores is too long"));
        }
        let mut scores = Vec::with_capacity(n);
        for _ in 0..n {
            let score = Score::from_bits(from.u64()?)?;
            if scores.last() >= Some(&score) {
                return Err(Error::Malformed("the list of scores is not in order"));
            }
            scores.push(score);
        }
        Ok(Self { scores })
    }

    /// Appends one score as it is [written](ScoreTable::dictionary).
    #[inline]
    pub fn put(&self, out: &mut Vec<u8>, written: u64) {
        match self.scores.len() {
            0 => out.extend_from_slice(&written.to_le_bytes()),
            1..=256 => out.push(written as u8),
            _ => put_varint(out, written),
        }
    }

    /// Reads `n` scores into `scores`, which is emptied first.
    #[inline]
    pub fn read(&self, from: &mut Reader<'_>, n: usize, scores: &mut Vec<Score>) -> Result<()> {
        scores.clear();
        let unknown = || Error::Malformed("a score is not in the list");
        match self.scores.len() {
            0 => {
                for _ in 0..n {
                    scores.push(Score::from_bits(from.u64()?)?);
                }
            }
            1..=256 => {
                for &code in from.bytes(n)? {
                    scores.push(*self.scores.get(usize::from(code)).ok_or_else(unknown)?);
                }
            }
            _ => {
                for _ in 0..n {
                    let code = from.index()? as usize;
                    scores.push(*self.scores.get(code).ok_or_else(unknown)?);
                }
            }
        }
        Ok(())
    }
}
