//! The tests' support crate, by the name that the tests of pictures know.

pub use pg_assess_test_support::*;
