//! The flat form of a gradebook, its versions and limits.
//!
//! A gradebook is a multiset of responses in a canonical form. Whatever the order of the rows,
//! and however they were split and merged, equal rows give equal bytes; so every result computed
//! from it is the same to the last bit. Nothing is rounded and nothing decided in it: what is out
//! of a scale, blanks, repeated attempts, the date as of which to look and the half-life are chosen
//! when it is solved.
//!
//! # Flat form, version 2
//!
//! Integers are LEB128, signed ones zigzag; `f64` are 8 bytes little endian.
//! ```text
//! version  1 byte    2
//! flags    1 byte    bit 0: there are times, absolute (timestamptz) and not of a calendar;
//!                    bit 1: there is a roster; bit 2: sittings name attempts; bit 3: responses
//!                    have positions; bit 4: there are memberships; other bits: reserved, 0
//! ids      3 tables  students, items, assessments: type, count, ids in ascending order
//! excluded 4 counts  of rows without an item, in the order of `Exclusion::ALL`; then count, and
//!                    per item that lost any (item as difference, 4 counts)
//! students count, then (student as difference, earliest time) of students with excluded rows
//! roster   with bit 1 alone: table of group ids, count of unusable rows, count of periods, then
//!          per period student (difference), group and which ends are given, these ends (each as
//!          difference to the last one given in that group)
//! members  with bit 4 alone: written as the roster is; per student and group the first and the last
//!          time of the student's rows there
//! times    earliest time, unit: all times are earliest + k * unit, in microseconds; then per
//!          assessment the k of its earliest time
//! scales   count, then (minimum, maximum), ascending by maximum, then minimum; NaN for a maximum
//!          that nobody knows
//! marks    count, then distinct marks in ascending order; 0 when there are too many to list; each 8
//!          * the place of its scale + its state, and the score, if it has one
//! count    of responses
//! entries  per 64 students 4 bytes: where the first of them begins, from the first response
//! rows     per student a count of sittings, then per sitting assessment (difference to the
//!          student's last), time in units since the assessment's earliest, attempt (with bit 2),
//!          first item (difference to the student's last), count of responses, further items as
//!          differences, marks as places in the list, positions (with bit 3)
//! ```
//! A *sitting* is what one student answered of one assessment at one time and in one attempt. It
//! is written without regard to other students, so that one can be read without the rest.

pub const VERSION: u8 = 2;
pub const FLAG_ABSOLUTE: u8 = 1;
pub const FLAG_ROSTER: u8 = 2;
pub const FLAG_ATTEMPTS: u8 = 4;
pub const FLAG_POSITIONS: u8 = 8;
pub const FLAG_MEMBERSHIPS: u8 = 16;
pub const FLAGS: u8 =
    FLAG_ABSOLUTE | FLAG_ROSTER | FLAG_ATTEMPTS | FLAG_POSITIONS | FLAG_MEMBERSHIPS;
/// A reader that wants one student passes over fewer than so many others.
pub const STUDENTS_PER_ENTRY: usize = 64;
pub const ENTRY_BYTES: usize = 4;
/// Marks the text form, so that it is recognised before it is decoded.
pub const TEXT_PREFIX: &str = "gradebook:";

/// The most responses one gradebook takes: at 25 to 40 bytes each while it is built and solved, 3
/// to 4 GiB of memory. Larger data belong in several gradebooks, by subject or year.
pub const MAX_RESPONSES: u64 = 100_000_000;
/// The most students, each of whom takes about 600 bytes while a gradebook is solved.
pub const MAX_STUDENTS: u64 = 5_000_000;
/// A row that Postgres writes in text, as for a dump, ends at 1 GiB; this leaves room for its other
/// columns.
pub const MAX_TEXT_BYTES: u64 = (1 << 30) - (1 << 16);
/// The most bytes of a gradebook: what could be made but not written as text could not be dumped.
pub const MAX_ENCODED_BYTES: u64 = (MAX_TEXT_BYTES - TEXT_PREFIX.len() as u64) / 4 * 3;
