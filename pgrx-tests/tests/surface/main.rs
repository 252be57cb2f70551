//! What the extension shows of itself: the catalogs, the documentation, ids, words and mistakes.

mod catalog;
mod docs;
mod ids;
mod mistakes;
mod words;
