//! What the tests are given from outside: the server, numbers of `make`, data beside the tree.

use std::path::{Path, PathBuf};
use std::thread;

use crate::Session;

pub fn environment(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run this through tests/with_postgres.sh"))
}

/// A number that `make` passes on.
pub fn number(name: &str) -> u64 {
    environment(name)
        .parse()
        .unwrap_or_else(|_| panic!("{name} is not a number"))
}

/// What begins the random choices of a long test: SEED, or else one of the clock. It is printed, so that
/// the test can be had again.
pub fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(given) if !given.is_empty() => number("SEED"),
        _ => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.expect("it is later than 1970").as_secs()
        }
    };
    println!("SEED={seed}");
    seed
}

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file or folder of the data beside the tree; none, and reported, where there is none.
pub fn shared_data(what: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(what);
    if path.exists() {
        return Some(path);
    }
    let thread = thread::current();
    println!("skipped: {}: no shared data", thread.name().unwrap_or(what));
    None
}

/// Whether the server has an extension; reported where it has not.
pub fn is_available(extension: &str) -> bool {
    let found: bool = Session::maintenance(&environment("PGHOST")).one(&format!(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = '{extension}')"
    ));
    if !found {
        let thread = thread::current();
        println!(
            "skipped: {}: no {extension}",
            thread.name().unwrap_or("test")
        );
    }
    found
}
