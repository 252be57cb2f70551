//! The goals: what the product must show where the answer is known. They were set from a study of
//! the same kinds of data before the product was measured, and are never loosened.

use std::sync::LazyLock;

use pg_assess_core::forecasts::backtest::Method;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::sample::{Flaw, Path};
use pg_assess_core::students::trend::Direction;
use pg_assess_evaluation::backtest::{self, BANDS, Known, Predicted, of};
use pg_assess_evaluation::data::{self, Course};
use pg_assess_evaluation::missing::{self, Accuracy, Ranking};
use pg_assess_evaluation::network;
use pg_assess_evaluation::questions::{self, Damage};
use pg_assess_evaluation::statistics::{Count, mean};
use pg_assess_evaluation::thin::{self, Cohort};
use pg_assess_evaluation::trend::{self, Labels, View};
use pg_assess_test_support::shared_data;

/// The courses, read once; none without the data.
fn courses(test: &str) -> Option<&'static [Course]> {
    static COURSES: LazyLock<Vec<Course>> = LazyLock::new(|| {
        let folder = shared_data("courses", "oulad").expect("asked for before");
        data::courses(&folder).expect("all files")
    });
    shared_data(test, "oulad").map(|_| COURSES.as_slice())
}

/// The next score of everybody, predicted once; none without the data.
fn next_scores(test: &str) -> Option<&'static Predicted> {
    static NEXT: LazyLock<Predicted> = LazyLock::new(|| {
        let courses = courses("next scores").expect("asked for before");
        backtest::next(courses, Known::All)
    });
    courses(test).map(|_| &*NEXT)
}

/// Error, rank correlation and recall of the next score, and how much the error is below that of
/// the plain mean, whether students or whole courses are drawn.
#[test]
fn the_next_score_is_predicted() {
    let Some(next) = next_scores("the_next_score_is_predicted") else {
        return;
    };
    // The study had 128,073.
    assert_eq!(next.cases.len(), 128_113);
    let by_student = next.by_student();
    let level = of(&by_student, Method::Level);
    assert!(level.rmse <= Some(0.1365), "{level:?}");
    assert!(level.rank_correlation >= Some(0.577), "{level:?}");
    assert!(level.recall >= Some(0.512), "{level:?}");
    for figures in [&by_student, &next.by_course()] {
        let gain = of(figures, Method::Level).differences[0].expect("a difference");
        let high = gain.high.expect("an interval");
        assert!(gain.value <= high && high <= -0.0029, "{gain:?}");
    }
    let (few, [level, mean]) = next.few(2);
    assert!(few.of > 40_000.0, "{few:?}");
    assert!(level <= 0.133, "{level} {mean}");
}

/// Error, rank correlation and recall of the next 90 days.
#[test]
fn the_next_90_days_are_predicted() {
    let Some(courses) = courses("the_next_90_days_are_predicted") else {
        return;
    };
    let ahead = backtest::ahead(courses);
    // The study had 73,754.
    assert_eq!(ahead.cases.len(), 73_812);
    let figures = ahead.by_student();
    let level = of(&figures, Method::Level);
    assert!(level.rmse <= Some(0.104), "{level:?}");
    assert!(level.rank_correlation >= Some(0.690), "{level:?}");
    assert!(level.recall >= Some(0.574), "{level:?}");
}

/// However many assessments are known, 80 % intervals hold 78 to 86 % of the next scores and 95 %
/// intervals 93 to 98 %.
#[test]
fn intervals_hold_what_comes() {
    let Some(next) = next_scores("intervals_hold_what_comes") else {
        return;
    };
    for band in BANDS {
        let goals = [0.78..=0.86, 0.93..=0.98];
        for (at, goal) in goals.into_iter().enumerate() {
            let covered = mean(next.band(band).map(|case| case.within(at)));
            assert!(goal.contains(&covered), "{band:?} {at}: {covered}");
        }
    }
}

/// Where students did not take the same tests, difficulty is taken out: half of the results hidden
/// at random, and two tracks of easy and hard tests with little in common.
#[test]
fn hard_tests_are_no_punishment() {
    let Some(courses) = courses("hard_tests_are_no_punishment") else {
        return;
    };
    let gains = |known| {
        let figures = backtest::next(courses, known).by_student();
        [Method::AdjustedMean, Method::Level].map(|method| {
            let own = of(&figures, method).differences;
            [own[0], own[1]].map(|gain| gain.expect("a difference").value)
        })
    };
    let [[rmse, rho], [level_rmse, level_rho]] = gains(Known::Half);
    // The study's -.0045 and +.015 less half of its margins.
    assert!(rmse <= -0.0036 && rho >= 0.011, "{rmse} {rho}");
    assert!(
        level_rmse <= rmse && level_rho >= rho,
        "{level_rmse} {level_rho}"
    );
    let [[_, rho], [_, level_rho]] = gains(Known::TwoTracks);
    assert!(rho >= 0.025 && level_rho >= 0.025, "{rho} {level_rho}");
}

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

/// On shuffled dates at most one student in twenty may be labelled, in every course of some size;
/// and of those called falling at least three in five must have lower scores afterwards.
#[test]
fn a_trend_is_more_than_chance() {
    let Some(courses) = courses("a_trend_is_more_than_chance") else {
        return;
    };
    for view in [View::Default, View::Whole] {
        let chance = trend::chance(courses, view);
        let pooled = Labels::pool(chance.iter().map(|course| &course.shuffled));
        assert!(pooled.falling.of > 40_000.0, "{pooled:?}");
        assert!(pooled.moving() <= 0.05, "{view:?} {pooled:?}");
        for course in chance
            .iter()
            .filter(|course| course.shuffled.falling.of >= 1000.0)
        {
            assert!(course.shuffled.moving() <= 0.05, "{view:?} {course:?}");
        }
        // Real dates hold more than chance does.
        let real = Labels::pool(chance.iter().map(|course| &course.real));
        assert!(real.moving() > 1.5 * pooled.moving(), "{view:?} {real:?}");
    }
    let futures = trend::futures(courses);
    let futures = || futures.iter().flatten();
    let everyone = trend::lasting(futures(), None, |change| change < 0.0);
    let falling = trend::lasting(futures(), Some(Direction::Falling), |change| change < 0.0);
    let rising = trend::lasting(futures(), Some(Direction::Rising), |change| change > 0.0);
    assert_eq!(everyone.of, 4_706.0);
    assert!(falling.of >= 0.015 * everyone.of, "{falling:?}");
    assert!(falling.share() >= 0.60, "{falling:?}");
    assert!(rising.share() >= 0.60, "{rising:?}");
}

/// Ranked by the mean with missing work counted as 0, the chance that one who fails or leaves
/// stands above one who does not.
#[test]
fn missing_work_predicts_who_fails_or_leaves() {
    let Some(courses) = courses("missing_work_predicts_who_fails_or_leaves") else {
        return;
    };
    for (day, goal) in missing::DAYS.into_iter().zip([0.80, 0.85, 0.90]) {
        let cases = missing::cases(courses, day);
        let auc = |ranking| Accuracy::pool(&missing::accuracies(&cases, ranking)).auc();
        let with_missing = auc(Ranking::MissingAsZero);
        assert!(with_missing >= goal, "day {day}: {with_missing}");
        assert!(with_missing >= auc(Ranking::Mean) + 0.05, "day {day}");
    }
}

/// Of those with the fewest scores as many are flagged as truly are among the lowest, to within two
/// points in a hundred, where the plain mean is off by about five. And need finds what a plain mean
/// finds, or more.
#[test]
fn few_scores_are_no_reason_to_be_flagged() {
    let Some(courses) = courses("few_scores_are_no_reason_to_be_flagged") else {
        return;
    };
    let thin = thin::thin(courses, Cohort::Compared);
    let share = thin.thin.share();
    assert!((0.15..=0.25).contains(&share), "{thin:?}");
    let off = |flagged: Count| flagged.share() - thin.truly.share();
    assert!(off(thin.by_need).abs() <= 0.02, "{thin:?}");
    assert!(off(thin.by_mean) > 0.04, "{thin:?}");
    assert!(thin.found_by_need.share() >= 0.574, "{thin:?}");
}

/// The truth of the sample network is found again, in every subject and for every school alike.
#[test]
fn the_sample_network_is_seen_through() {
    let (mut keys, mut sound, mut opposite) = (Count::default(), Count::default(), 0.0);
    for year in network::years() {
        let what = format!("{} {}", year.seed, year.subject.label());
        let (ours, plain) = (year.by_level(), year.by_plain_mean());
        assert!(ours >= 0.95 && ours > plain, "{what}: {ours} {plain}");
        assert!(year.needy().share() >= 0.8, "{what}: {:?}", year.needy());
        let errors = year.errors();
        for school in 0..year.schools.len() {
            let of_school = errors
                .iter()
                .zip(&year.students)
                .filter(|(_, student)| student.school == school)
                .map(|(error, _)| *error);
            let error = mean(of_school);
            assert!(error.abs() <= 0.1, "{what}: school {school} {error}");
        }
        keys += year.questions_with(Flaw::Miskeyed, &[ItemStatus::Flawed]);
        sound += year.questions_with(Flaw::None, &[ItemStatus::Flawed]);
        opposite += year.labelled(Direction::Falling, Path::Rising).yes;
        opposite += year.labelled(Direction::Rising, Path::Falling).yes;
    }
    assert!(keys.of > 100.0 && keys.share() >= 0.95, "{keys:?}");
    assert!(sound.share() <= 0.005, "{sound:?}");
    assert_eq!(opposite, 0.0, "nobody is called the opposite of the truth");
}
