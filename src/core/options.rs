//! Every choice a user can make, with its default. `docs/technical/method.md` gives the reasons.
//!
//! An option is one row of a table, from which follow the field, the default, the check, what
//! `assess.options()` shows and, by the name, the argument in SQL. Each room takes its own part of
//! them, in a type of its own.

use std::ops::Deref;

use crate::domain::{Argument, Domain};
use crate::labels::labels;

/// How much an assessment says about a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// `k / (k + half_precision_items)` with `k` the effective number of questions: more
    /// questions say more, but one long test cannot drown six short ones.
    #[default]
    Effective,
    /// Every assessment the same.
    Assessments,
    /// Every response the same, each at its own time.
    Responses,
}

labels!(Counting {
    Effective => "effective",
    Assessments => "assessments",
    Responses => "responses",
});

/// One row of a table of options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The name of the argument in SQL.
    pub name: &'static str,
    pub domain: Domain,
    /// What it means, in words.
    pub about: &'static str,
}

/// The value of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Boolean(bool),
    Integer(u64),
    /// None where no value is one, too.
    Number(Option<f64>),
    Label(&'static str),
}

/// Where the value of an option is put.
#[derive(Debug)]
pub enum Slot<'a> {
    Boolean(&'a mut bool),
    Integer(&'a mut u64),
    Number(&'a mut f64),
    OptionalNumber(&'a mut Option<f64>),
    Counting(&'a mut Counting),
}

/// What can be the value of an option.
pub trait Choice {
    fn value(&self) -> Value;
    fn slot(&mut self) -> Slot<'_>;
}

macro_rules! choice {
    ($type:ty, $slot:ident, $this:ident => $value:expr) => {
        impl Choice for $type {
            fn value(&self) -> Value {
                let $this = *self;
                $value
            }
            fn slot(&mut self) -> Slot<'_> {
                Slot::$slot(self)
            }
        }
    };
}

choice!(bool, Boolean, this => Value::Boolean(this));
choice!(u64, Integer, this => Value::Integer(this));
choice!(f64, Number, this => Value::Number(Some(this)));
choice!(Option<f64>, OptionalNumber, this => Value::Number(this));
choice!(Counting, Counting, this => Value::Label(this.label()));

/// A set of options, as `options!` makes it.
pub trait Choices: Default {
    /// The rows of the table with their values.
    fn values(&self) -> Vec<(Row, Value)>;

    /// The rows of the table with the places of their values.
    fn slots(&mut self) -> Vec<(Row, Slot<'_>)>;

    /// The same as a type that the solvers take.
    ///
    /// # Errors
    /// When a value lies outside of its domain.
    fn check(self) -> Result<Checked<Self>, Argument> {
        for (row, value) in self.values() {
            match value {
                Value::Integer(value) => row.domain.check(row.name, value as f64)?,
                Value::Number(Some(value)) => row.domain.check(row.name, value)?,
                Value::Boolean(_) | Value::Label(_) | Value::Number(None) => {}
            }
        }
        Ok(Checked(self))
    }
}

/// Options whose values all lie in their domains.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<C>(C);

impl<C> Deref for Checked<C> {
    type Target = C;
    fn deref(&self) -> &C {
        &self.0
    }
}

/// Makes a set of options of a table. A row has its words, its name, the type of its value, its
/// default and its domain.
macro_rules! options {
    (@row $name:ident, $domain:expr, $($about:literal)+) => {
        $crate::options::Row {
            name: stringify!($name),
            domain: $domain,
            about: concat!($($about),+).trim_ascii(),
        }
    };
    (
        $(#[$outer:meta])*
        pub struct $set:ident {
            $($(#[doc = $about:literal])+ $name:ident: $type:ty = $default:expr, $domain:expr;)+
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $set {
            $($(#[doc = $about])+ pub $name: $type,)+
        }

        impl Default for $set {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl $crate::options::Choices for $set {
            fn values(&self) -> Vec<($crate::options::Row, $crate::options::Value)> {
                use $crate::options::Choice;
                vec![$((
                    $crate::options::options!(@row $name, $domain, $($about)+),
                    self.$name.value(),
                ),)+]
            }

            fn slots(&mut self) -> Vec<($crate::options::Row, $crate::options::Slot<'_>)> {
                use $crate::options::Choice;
                vec![$((
                    $crate::options::options!(@row $name, $domain, $($about)+),
                    self.$name.slot(),
                ),)+]
            }
        }
    };
}

pub(crate) use options;

options! {
    /// The choices of the method. Spans are in days, shares and probabilities between 0 and 1.
    pub struct Options {
        /// age at which evidence counts one half
        half_life: f64 = 60.0, Domain::Span;
        /// a level below this needs help; NULL: see cut_share
        cut: Option<f64> = None, Domain::Finite;
        /// share of the students that lies below the cut
        cut_share: f64 = 0.2, Domain::Inside0To1;
        /// whether the difficulty of questions is taken out of the scores
        adjust_difficulty: bool = true, Domain::Boolean;
        /// whether to borrow from the others where data are thin
        shrink: bool = true, Domain::Boolean;
        /// the least weight of a sound question, as a share of the mean discrimination
        weight_floor: f64 = 0.25, Domain::From0To1;
        /// effective answers from which a question is judged; below, it has the mean weight
        min_answers: f64 = 10.0, Domain::NotNegative;
        /// answers from which a question can be flawed or suspect
        flag_answers: u64 = 30, Domain::Count;
        /// one-sided level of the test for flawed questions
        flag_alpha: f64 = 0.05, Domain::Inside0To1;
        /// share of the students in each of the two groups of discrimination_index (Kelley 1939)
        upper_lower_share: f64 = 0.27, Domain::Half;
        /// whether questions weigh by how well they separate
        quality: bool = true, Domain::Boolean;
        /// what an assessment counts: effective, assessments or responses
        counting: Counting = Counting::Effective, Domain::Label(Counting::EXPECTED);
        /// questions at which an assessment has half of the precision it could ever have
        half_precision_items: f64 = 20.0, Domain::NotNegative;
        /// degrees of freedom that the noise of all adds to a student's own
        noise_df: f64 = 8.0, Domain::NotNegative;
        /// coverage of intervals
        confidence: f64 = 0.95, Domain::Inside0To1;
        /// half-lives after which evidence is stale
        stale_half_lives: f64 = 2.0, Domain::Positive;
        /// how far a trend looks back; NULL: over everything
        trend_window: Option<f64> = Some(180.0), Domain::Span;
        /// fewer dates than this: the trend is unclear
        trend_min_dates: u64 = 5, Domain::Count;
        /// less time than this: the trend is unclear
        trend_min_span: f64 = 28.0, Domain::SpanFrom0;
        /// two-sided level of the test for a trend
        trend_alpha: f64 = 0.05, Domain::Inside0To1;
        /// change in 90 days that still counts as steady
        steady_margin: f64 = 0.05, Domain::NotNegative;
        /// share of a group's members that makes an assessment due
        due_share: f64 = 0.5, Domain::Share;
        /// degrees of freedom that the noise about trends of all adds to a student's own
        trend_noise_df: f64 = 4.0, Domain::NotNegative;
        /// correlation of true levels from one year to the next; 0: last year does not count
        carry_over: f64 = 0.65, Domain::From0To1;
        /// answers that a question needs before and after a day on which it may have changed
        side_answers: u64 = 30, Domain::Count;
        /// share of the questions called drifted that are not
        drift_alpha: f64 = 0.05, Domain::Inside0To1;
        /// a change of a question that is smaller is no drift
        drift_margin: f64 = 0.05, Domain::NotNegative;
    }
}

impl Options {
    /// The origin article to the letter: plain scores, every assessment the same, nothing
    /// borrowed from the cohort.
    pub fn plain() -> Self {
        Self {
            adjust_difficulty: false,
            shrink: false,
            quality: false,
            counting: Counting::Assessments,
            ..Self::default()
        }
    }
}
