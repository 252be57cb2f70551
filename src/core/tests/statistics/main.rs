//! Statistics over plain numbers, against other programs and their definitions.

mod alpha;
mod dif;
mod kendall;
mod separation;
mod theil_sen;
