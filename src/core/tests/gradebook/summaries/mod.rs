//! Summaries of a fixed size: what they answer, that rows may come in any order and any parts,
//! and that their written forms hold every bit and nothing else.

mod forms;
mod probe;
mod rows;

use pg_assess_core::summary::Error;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use probe::{Probe, bytes_of, of};

/// Equal but for rounding, which is relative to values above 1.
fn near(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * left.abs().max(right.abs()).max(1.0)
}

/// Whatever is read, an error or a value that can be asked, merged, written and read again.
fn survives<S: Probe>(read: pg_assess_core::summary::Result<S>) -> bool {
    let Ok(summary) = read else {
        assert!(matches!(
            read,
            Err(Error::Malformed { name, .. } | Error::Newer { name, .. }) if name == S::NAME
        ));
        return false;
    };
    let finite = |summary: &S| {
        let answers = summary.answers();
        assert!(
            answers.iter().flatten().all(|answer| answer.is_finite()),
            "{summary:?} {answers:?}"
        );
    };
    finite(&summary);
    assert_eq!(S::decode(&bytes_of(&summary)), Ok(summary));
    assert_eq!(S::from_text(&summary.to_text()), Ok(summary));
    let mut twice = summary;
    match twice.merge(&summary) {
        Ok(()) => finite(&twice),
        // Twice as many as can be counted.
        Err(error) => assert!(matches!(error, Error::TooManyRows { .. }), "{error}"),
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut more = of::<S>(&[S::row(&mut rng), S::row(&mut rng)]);
    if more.merge(&summary).is_ok() {
        finite(&more);
    }
    true
}
