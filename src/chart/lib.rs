//! The pictures of a model, without Postgres.
//!
//! A picture is one struct, read from the JSON value in which SQL gathers its rows. From it come
//! the SVG, one self-contained text, and, but for the score sheet, the Vega-Lite specification; so
//! both show the same. What
//! is low, what is rising and what a group of levels is, the core decides.
//!
//! On the ground stand `rows`, `words`, `dates`, `colour`, `draw`, `layout`, `names` and `vega`;
//! on them the pictures `map`, `curve`, `history` and `sheet`, which know nothing of each other.

mod colour;
mod curve;
mod dates;
mod draw;
mod history;
mod layout;
mod map;
mod names;
mod rows;
mod sheet;
mod vega;
mod words;

pub use colour::colour;
pub use curve::{Group, ItemCurve};
pub use draw::{Rect, Svg};
pub use history::{Moment, Standing, StudentHistory, Test};
pub use layout::Axis;
pub use map::{MapPoint, NAMED, SchoolMap};
pub use names::{Dot, place_names};
pub use rows::{Of, Unreadable, read};
pub use sheet::{Cell, MOST_QUESTIONS, MOST_STUDENTS, Question, ScoreSheet, Student};
pub use words::text_width;
