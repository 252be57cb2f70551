//! How long the core takes for a subject of so many responses: `make bench-core`.
//!
//! Students answer twenty assessments of five questions, a week apart; a student who knows more has
//! more of them right.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use pg_assess_core::gradebook::{Builder, Gradebook};
use pg_assess_core::options::Options;
use pg_assess_core::time::Clock;
use pg_assess_test_support::solve::{self, Settings, backtest};
use pg_assess_test_support::{OwnRow, go, gradebook, normal, row};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ASSESSMENTS: i64 = 20;
const QUESTIONS: i64 = 5;

fn main() {
    divan::main();
}

fn responses(count: usize) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let students = count as i64 / (ASSESSMENTS * QUESTIONS);
    let mut rows = Vec::with_capacity(count);
    for student in 0..students {
        let ability = normal(&mut rng);
        for assessment in 0..ASSESSMENTS {
            let day = (7 * assessment + student % 2) as f64;
            for question in 0..QUESTIONS {
                let item = QUESTIONS * assessment + question;
                let logit = ability - (question - 2) as f64 / 2.0;
                let score = f64::from(rng.gen_bool(1.0 / (1.0 + (-logit).exp())));
                rows.push(row(student, item, assessment, score, day));
            }
        }
    }
    rows
}

/// Times a question about a gradebook, per response.
fn ask<T>(bencher: Bencher<'_, '_>, count: usize, question: impl Fn(&Gradebook<'_>) -> T + Sync) {
    let bytes = gradebook(&responses(count));
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| question(&Gradebook::open(black_box(&bytes)).expect("a gradebook")));
}

#[divan::bench(args = SIZES)]
fn build(bencher: Bencher<'_, '_>, count: usize) {
    let rows = responses(count);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut builder = Builder::new();
        for row in black_box(&rows) {
            builder.push(Clock::Calendar, row.row()).expect("a row");
        }
        builder.encode(&go).expect("a gradebook")
    });
}

#[divan::bench(args = SIZES)]
fn merge(bencher: Bencher<'_, '_>, count: usize) {
    ask(bencher, count, |book| {
        let mut builder = Builder::new();
        builder.merge(book, &go).expect("one gradebook");
        builder.encode(&go).expect("a gradebook")
    });
}

#[divan::bench(args = SIZES)]
fn items(bencher: Bencher<'_, '_>, count: usize) {
    let options = Options::default();
    ask(bencher, count, |book| solve::items(book, &options, &go));
}

#[divan::bench(args = SIZES)]
fn students(bencher: Bencher<'_, '_>, count: usize) {
    let options = Options::default();
    ask(bencher, count, |book| solve::students(book, &options, &go));
}

#[divan::bench(args = SIZES)]
fn coverage(bencher: Bencher<'_, '_>, count: usize) {
    let options = Options::default();
    ask(bencher, count, |book| solve::coverage(book, &options, &go));
}

#[divan::bench(args = SIZES)]
fn missing_work(bencher: Bencher<'_, '_>, count: usize) {
    let options = Options::default();
    ask(bencher, count, |book| {
        let missing = solve::missing_work(book, &options, &go).expect("missing work");
        missing.count()
    });
}

#[divan::bench(args = SIZES)]
fn drift(bencher: Bencher<'_, '_>, count: usize) {
    let options = Options::default();
    ask(bencher, count, |book| {
        solve::item_drift(book, &options, &go)
    });
}

#[divan::bench(args = SIZES, max_time = 10)]
fn back_test(bencher: Bencher<'_, '_>, count: usize) {
    let (options, settings) = (Options::default(), Settings::default());
    ask(bencher, count, |book| {
        backtest(book, &options, &settings, &go)
    });
}
