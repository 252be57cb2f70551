//! What arguments may be, and the words in which they are refused.

/// An argument outside of its domain.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is out of range")]
pub struct Argument {
    pub name: &'static str,
    pub value: String,
    /// What is allowed, in words that follow "Give".
    pub expected: &'static str,
}

/// The values that an argument may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// True or false.
    Boolean,
    /// One of some labels; its words name them.
    Label(&'static str),
    /// Any number but infinity and NaN.
    Finite,
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// Above 0 and below 1: a coverage, or the level of a test.
    Inside0To1,
    /// 0 to 1, both included.
    From0To1,
    /// Above 0, at most 0.5: the share of one of two groups without a common member.
    Half,
    /// Above 0, at most 1.
    Share,
    /// An integer of at least 0.
    Count,
    /// An integer from the first to the second; its words say so.
    Integer(u64, u64, &'static str),
    /// Any integer, which only has to be the same to give the same results.
    Seed,
    /// Longer than nothing, in days.
    Span,
    /// Nothing or longer, in days.
    SpanFrom0,
}

impl Domain {
    /// What is allowed, in words that follow "Give".
    pub fn expected(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Label(expected) | Self::Integer(_, _, expected) => expected,
            Self::Finite => "a finite number",
            Self::Positive => "a finite number above zero",
            Self::NotNegative => "a finite number of at least zero",
            Self::Inside0To1 => "a number between 0 and 1, exclusive",
            Self::From0To1 => "a number from 0 to 1",
            Self::Half => "a number above 0 and at most 0.5",
            Self::Share => "a number above 0 and at most 1",
            Self::Count => "an integer of at least zero",
            Self::Seed => "any integer",
            Self::Span => "an interval above zero",
            Self::SpanFrom0 => "an interval of at least zero",
        }
    }

    /// Whether it is a span of time, which SQL gives as an `interval` and the core as days.
    pub fn is_span(self) -> bool {
        matches!(self, Self::Span | Self::SpanFrom0)
    }

    /// Refuses a number outside of the domain.
    pub fn check(self, name: &'static str, value: f64) -> Result<(), Argument> {
        let holds = match self {
            Self::Boolean | Self::Label(_) | Self::Seed | Self::Count => true,
            Self::Finite => value.is_finite(),
            Self::Positive | Self::Span => value.is_finite() && value > 0.0,
            Self::NotNegative | Self::SpanFrom0 => value.is_finite() && value >= 0.0,
            Self::Inside0To1 => value > 0.0 && value < 1.0,
            Self::From0To1 => (0.0..=1.0).contains(&value),
            Self::Half => value > 0.0 && value <= 0.5,
            Self::Share => value > 0.0 && value <= 1.0,
            Self::Integer(from, to, _) => (from as f64..=to as f64).contains(&value),
        };
        if holds {
            return Ok(());
        }
        let unit = if self.is_span() { " days" } else { "" };
        Err(Argument {
            name,
            value: format!("{value}{unit}"),
            expected: self.expected(),
        })
    }
}
