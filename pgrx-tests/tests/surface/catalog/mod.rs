//! The extension as the catalogs see it: what it installs, who may use it, that it goes without a
//! trace, and that no call of any of its functions brings a backend down.

mod calls;
mod installed;

use pg_assess_it::Session;

/// Rows of a query that lists what is wrong.
#[track_caller]
fn none(session: &mut Session, wrong: &str) {
    assert_eq!(session.table(wrong), [""; 0], "{wrong}");
}
