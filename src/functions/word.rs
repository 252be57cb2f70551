//! `normalize_word` and `matches_key`, declared in `sql/functions/word.sql`.

use pg_assess_core::word::{Key, Unusable, normalize};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::pg::arguments::Arguments;
use crate::pg::notices;
use crate::poll;

#[pg_extern(sql = false)]
fn normalize_word(fcinfo: pg_sys::FunctionCallInfo) -> Option<String> {
    let text = Arguments::of(fcinfo).optional::<&[u8]>()?;
    let word = normalize(text);
    if let Err(why) = &word
        && notices::is_first_time(fcinfo)
    {
        log::warn!("normalize_word gave null: {why}");
    }
    word.ok()
}

/// What `matches_key` keeps from call to call.
#[derive(Default)]
struct Judge {
    /// The key of the call before: the array it came in, and ready for use.
    array: Vec<u8>,
    key: Key,
    given: Warnings,
}

/// The warnings that have been given.
#[derive(Default)]
struct Warnings {
    damaged_answer: bool,
    key_without_entries: bool,
    entries_left_out: bool,
}

#[pg_extern(sql = false)]
fn matches_key(fcinfo: pg_sys::FunctionCallInfo) -> Option<bool> {
    let mut from = Arguments::of(fcinfo);
    let answer = from.optional::<&[u8]>()?;
    let mut arguments = from;
    let array = from.optional::<&[u8]>()?;
    let Judge {
        array: before,
        key,
        given,
    } = notices::call_state(fcinfo);
    // Mostly one key serves many answers, one after the other.
    if before != array {
        let entries: Array<'_, &[u8]> = arguments.optional()?;
        *key = Key::new(entries.iter().inspect(|_| poll()));
        *before = array.to_vec();
    }
    let word = normalize(answer);
    let is_right = key.has(word.as_deref().ok());
    if is_right.is_none() {
        once(&mut given.key_without_entries, || {
            "matches_key gave null: a key has no entry that can be normalised".to_owned()
        });
    } else if key.unusable() > 0 {
        once(&mut given.entries_left_out, || {
            "matches_key left out entries of a key: null, or not to be normalised".to_owned()
        });
    }
    if word == Err(Unusable::Damaged) {
        once(&mut given.damaged_answer, || {
            format!(
                "matches_key took an answer for wrong: {}",
                Unusable::Damaged
            )
        });
    }
    is_right
}

fn once(given: &mut bool, message: impl FnOnce() -> String) {
    if !std::mem::replace(given, true) {
        log::warn!("{}", message());
    }
}
