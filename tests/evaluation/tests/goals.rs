//! The goals: what the product must show where the answer is known. They were set from a study of
//! the same kinds of data before the product was measured, and are never loosened.

use pg_assess_evaluation::common::shared_data;
use pg_assess_evaluation::data;
use pg_assess_evaluation::questions::{self, Damage};

/// With 100 answers a question: the gain in rank correlation over equal weights, and the share of
/// wrong keys that is found.
#[test]
fn weights_protect_from_bad_questions_and_do_no_harm_to_sound_ones() {
    let test = "weights_protect_from_bad_questions_and_do_no_harm_to_sound_ones";
    let Some(folder) = shared_data(test, "items") else {
        return;
    };
    let matrices = data::matrices(&folder).expect("all matrices");
    let outcomes = questions::outcomes(&matrices, &[100]);
    let of = |damage| questions::summary(&outcomes, damage, 100);
    let clean = of(Damage::None);
    assert_eq!(clean.sets, 9);
    assert!(clean.gain >= -0.001 && clean.worst >= -0.01, "{clean:?}");
    let random = of(Damage::Random(0.25));
    assert!(random.gain >= 0.028, "{random:?}");
    let reversed = of(Damage::Reversed(0.25));
    assert!(reversed.gain >= 0.105, "{reversed:?}");
    let few_reversed = of(Damage::Reversed(0.10));
    assert!(few_reversed.found.share() >= 0.8, "{few_reversed:?}");
    for summary in Damage::ALL.map(of) {
        assert!(summary.accused.share() <= 0.005, "{summary:?}");
    }
}
