//! Memory is asked for before it is taken. Rust ends the process that cannot get memory, and
//! Postgres then ends all others; so what the next step may take is tried, and given back.
//!
//! Not all is asked for: small pieces are not worth a call, and Postgres takes memory in between.
//! For these there is a reserve, which the allocator opens when there is no other memory
//! (src/pg/allocator.rs), and which must be full again before anything more is granted.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The next step would take so many bytes, and there are fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("out of memory")]
pub struct OutOfMemory(pub usize);

/// The result type of what only memory can stop.
pub type Result<T> = std::result::Result<T, OutOfMemory>;

/// What is left over whenever memory is asked for: enough for what is taken in between without
/// being asked for.
const SPARE: usize = 2 << 20;
/// Pieces that are smaller together are not worth a call.
const STEP: usize = SPARE / 4;
/// Enough until somebody asks again, and to say that there is no more. What is tried is larger, and
/// does not open it.
const RESERVE: usize = SPARE;

/// Small pieces since the last call.
static SMALL: AtomicUsize = AtomicUsize::new(0);
static RESERVED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static IS_OPEN: AtomicBool = AtomicBool::new(true);

/// Refuses what would take more memory than there is.
#[inline]
pub fn ask(bytes: usize) -> Result<()> {
    let small = SMALL
        .fetch_add(bytes, Ordering::Relaxed)
        .saturating_add(bytes);
    match small < STEP && !IS_OPEN.load(Ordering::Relaxed) {
        true => Ok(()),
        false => ask_at_once(small),
    }
}

#[cold]
fn ask_at_once(bytes: usize) -> Result<()> {
    SMALL.store(0, Ordering::Relaxed);
    match fill_reserve() && is_there(bytes.saturating_add(SPARE)) {
        true => Ok(()),
        false => Err(OutOfMemory(bytes)),
    }
}

fn is_there(bytes: usize) -> bool {
    let mut memory: Vec<u8> = Vec::new();
    let granted = memory.try_reserve_exact(bytes);
    // Otherwise the compiler would leave it out.
    black_box(&memory);
    granted.is_ok()
}

fn fill_reserve() -> bool {
    if !IS_OPEN.load(Ordering::Relaxed) {
        return true;
    }
    let Ok(mut reserved) = RESERVED.lock() else {
        return false;
    };
    let is_full = reserved.try_reserve_exact(RESERVE).is_ok();
    IS_OPEN.store(!is_full, Ordering::Relaxed);
    is_full
}

/// Gives the reserve back for an allocation of so many bytes that has failed; returns whether that
/// may work now. What is larger was to be asked for.
pub fn open_reserve(bytes: usize) -> bool {
    if bytes > RESERVE || IS_OPEN.swap(true, Ordering::Relaxed) {
        return false;
    }
    // The thread that fills it holds the lock, and must not wait for itself.
    match RESERVED.try_lock() {
        Ok(mut reserved) => {
            *reserved = Vec::new();
            true
        }
        Err(_) => false,
    }
}

/// The same for a list that is about to take more, and grows to twice its size when it is full.
#[inline]
pub fn ask_for_more<T>(list: &Vec<T>, more: usize) -> Result<()> {
    match list.capacity() - list.len() < more {
        true => ask(size_of::<T>() * (list.len() + more).max(2 * list.capacity())),
        false => Ok(()),
    }
}
