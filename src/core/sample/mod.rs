//! A school network made from a seed: students, assessments, questions and every response of one
//! school year, together with the truth behind them (abilities, question quality).
//!
//! It serves demonstrations and tests: real gradebooks never come with the right answer. The model
//! is the usual one of item response theory: a logistic curve per question (2PL) with a guessing
//! floor on multiple choice (3PL) and ordered steps for partial credit (graded response), over
//! abilities that drift through the year.
//!
//! **The same [`NetworkOptions`] give the same rows on every platform.** Hence one ChaCha8 stream
//! consumed in one fixed order, no hashing, no draws of `usize`, and drawn figures rounded to three
//! decimals, so that the last bit of a platform's `exp` cannot show. Flaws are decided by draws
//! that are made in any case: without flaws the same students give the same answers, only scored
//! properly.
//!
//! Days count from the first day of the school year (day 0); abilities are in standard deviations
//! of the network at its start; a month is 30 days.
//!
//! A world of its own: it imports errors, domains and labels, and nothing imports it but the glue.

mod answers;
mod assessments;
mod draws;
mod lists;
mod network;
mod options;
mod people;

pub use answers::Response;
pub use assessments::{Assessment, AssessmentKind, Curve, Flaw, Question, QuestionKind, Subject};
pub use network::Network;
pub use options::NetworkOptions;
pub use people::{Path, School, Story, Student, TruthStudent};
