//! Memory is asked for before it is taken. Rust ends the process that cannot get memory, and
//! Postgres then ends all others; so what the next step may take is tried, and given back.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// What is left over whenever memory is asked for: enough for what is taken in between without
/// being asked for, and to say that there is no more.
const SPARE: usize = 2 << 20;
/// Pieces that are smaller together are not worth a call.
const STEP: usize = SPARE / 4;

/// Small pieces since the last call.
static SMALL: AtomicUsize = AtomicUsize::new(0);

/// Refuses what would take more memory than there is.
#[inline]
pub fn ask(bytes: usize) -> Result<()> {
    let small = SMALL
        .fetch_add(bytes, Ordering::Relaxed)
        .saturating_add(bytes);
    match small < STEP {
        true => Ok(()),
        false => ask_at_once(small),
    }
}

#[cold]
fn ask_at_once(bytes: usize) -> Result<()> {
    SMALL.store(0, Ordering::Relaxed);
    let mut memory: Vec<u8> = Vec::new();
    let granted = memory.try_reserve_exact(bytes.saturating_add(SPARE));
    // Lest the compiler sees that nothing is made of it.
    black_box(&memory);
    granted.map_err(|_| Error::OutOfMemory(bytes))
}

/// The same for a list that is about to take more, and grows to twice its size when it is full.
#[inline]
pub fn ask_for_more<T>(list: &Vec<T>, more: usize) -> Result<()> {
    match list.capacity() - list.len() < more {
        true => ask(size_of::<T>() * (list.len() + more).max(2 * list.capacity())),
        false => Ok(()),
    }
}
