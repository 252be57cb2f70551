//! What arguments may be, and the words in which they are refused.

use crate::error::{Error, Result};

pub fn finite(name: &'static str, value: f64) -> Result<()> {
    ensure(value.is_finite(), name, value, "a finite number")
}

pub fn positive(name: &'static str, value: f64) -> Result<()> {
    let expected = "a finite number above zero";
    ensure(value.is_finite() && value > 0.0, name, value, expected)
}

/// A span of time, told in days.
pub fn positive_span(name: &'static str, days: f64) -> Result<()> {
    match days.is_finite() && days > 0.0 {
        true => Ok(()),
        false => Err(Error::Argument {
            name,
            value: format!("{days} days"),
            expected: "an interval above zero",
        }),
    }
}

pub fn not_negative(name: &'static str, value: f64) -> Result<()> {
    let expected = "a finite number of at least zero";
    ensure(value.is_finite() && value >= 0.0, name, value, expected)
}

/// Between 0 and 1, without them: a confidence, or the level of a test.
pub fn inside_0_to_1(name: &'static str, value: f64) -> Result<()> {
    let expected = "a number between 0 and 1, exclusive";
    ensure(value > 0.0 && value < 1.0, name, value, expected)
}

pub fn from_0_to_1(name: &'static str, value: f64) -> Result<()> {
    let expected = "a number from 0 to 1";
    ensure((0.0..=1.0).contains(&value), name, value, expected)
}

/// The share of one of two groups that have nobody in common.
pub fn half(name: &'static str, value: f64) -> Result<()> {
    let expected = "a number above 0 and at most 0.5";
    ensure(value > 0.0 && value <= 0.5, name, value, expected)
}

/// A share that is not nothing.
pub fn share(name: &'static str, value: f64) -> Result<()> {
    let expected = "a number above 0 and at most 1";
    ensure(value > 0.0 && value <= 1.0, name, value, expected)
}

fn ensure(holds: bool, name: &'static str, value: f64, expected: &'static str) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::Argument {
            name,
            value: value.to_string(),
            expected,
        })
    }
}
