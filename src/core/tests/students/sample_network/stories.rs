//! What is built into the network and can be found in it.

use std::collections::{BTreeMap, BTreeSet};

use pg_assess_core::sample::{
    AssessmentKind, Flaw, Path, Question, QuestionKind, Story, Subject, TruthStudent,
};
use pg_assess_test_support::mean;

use super::{YEAR, is_between, network, truths, year};

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let (mx, my) = (
        mean(pairs.iter().map(|p| p.0)),
        mean(pairs.iter().map(|p| p.1)),
    );
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|p| f(p.0 - mx, p.1 - my)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

#[test]
fn abilities_are_standard_and_correlate_across_subjects() {
    let network = network(5, 100, 100, 36, true);
    let truths: Vec<TruthStudent> = truths(&network).collect();
    let start = |subject| -> Vec<f64> {
        let rows = truths.iter().filter(|truth| truth.subject == subject);
        rows.map(|truth| truth.start_ability).collect()
    };
    let (ela, math, science) = (
        start(Subject::Ela),
        start(Subject::Math),
        start(Subject::Science),
    );
    for (left, right) in [(&ela, &math), (&ela, &science), (&math, &science)] {
        let pairs: Vec<_> = left.iter().copied().zip(right.iter().copied()).collect();
        is_between(correlation(&pairs), 0.66, 0.74);
        is_between(mean(left.iter().copied()), -0.1, 0.1);
        is_between(mean(left.iter().map(|ability| ability * ability)), 0.9, 1.1);
    }
    // Schools differ mildly: 9 % of the variance lies between them.
    let by_school: Vec<f64> = ela
        .chunks(100)
        .map(|school| mean(school.iter().copied()))
        .collect();
    is_between(mean(by_school.iter().map(|mean| mean * mean)), 0.05, 0.15);
}

#[test]
fn some_rise_some_fall_and_most_are_steady() {
    let network = network(5, 20, 100, 36, true);
    let truths: Vec<TruthStudent> = truths(&network).collect();
    for (path, share, change) in [
        (Path::Falling, 0.15, -0.1),
        (Path::Rising, 0.15, 0.1),
        (Path::Steady, 0.70, 0.0),
    ] {
        let on_path: Vec<_> = truths
            .iter()
            .filter(|t| t.path == path && t.story.is_none())
            .collect();
        is_between(
            on_path.len() as f64 / truths.len() as f64,
            share - 0.03,
            share + 0.03,
        );
        is_between(
            mean(on_path.iter().map(|t| t.monthly_change)),
            change - 0.01,
            change + 0.01,
        );
        // 251 days of drift; what remains is the random walk.
        let drift = |t: &TruthStudent| t.monthly_change * 251.0 / 30.0;
        let walk = |t: &TruthStudent| t.ability - t.start_ability - drift(t);
        is_between(mean(on_path.iter().map(|t| walk(t))), -0.02, 0.02);
        is_between(
            mean(on_path.iter().map(|t| walk(t).powi(2))).sqrt(),
            0.10,
            0.14,
        );
    }
}

#[test]
fn sound_questions_rise_with_ability_miskeyed_ones_fall_and_random_ones_do_neither() {
    let year = &*YEAR;
    let success = year.success();
    let mut slopes: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let tests = [QuestionKind::MultipleChoice, QuestionKind::PartialCredit];
    for question in year
        .network
        .questions()
        .iter()
        .filter(|q| tests.contains(&q.kind))
    {
        let slope = correlation(&success[&question.id]);
        slopes.entry(question.flaw.label()).or_default().push(slope);
    }
    assert!(slopes["miskeyed"].len() >= 10 && slopes["random"].len() >= 5);
    assert!(
        slopes["miskeyed"].iter().all(|&slope| slope < -0.1),
        "{:?}",
        slopes["miskeyed"]
    );
    assert!(slopes["none"].iter().all(|&slope| slope > 0.05));
    is_between(mean(slopes["miskeyed"].iter().copied()), -0.5, -0.25);
    is_between(mean(slopes["none"].iter().copied()), 0.35, 0.6);
    is_between(mean(slopes["random"].iter().copied()), -0.06, 0.06);
}

#[test]
fn questions_2_and_15_of_the_mid_year_math_test_are_the_story() {
    let year = &*YEAR;
    let test = year
        .network
        .assessments()
        .iter()
        .find(|a| a.title == "Mid-year Math test");
    let test = test.expect("the test of the story");
    assert_eq!(
        (test.subject, test.kind),
        (Subject::Math, AssessmentKind::Test)
    );
    is_between(f64::from(test.day), 252.0 * 0.4, 252.0 * 0.6);
    let questions: Vec<&Question> = year
        .network
        .questions()
        .iter()
        .filter(|q| q.assessment_id == test.id)
        .collect();
    assert!(questions.len() >= 20);
    let flawed: Vec<(i32, Flaw)> = questions
        .iter()
        .filter(|question| question.flaw != Flaw::None)
        .map(|question| (question.number, question.flaw))
        .collect();
    assert_eq!(flawed, [(2, Flaw::Miskeyed), (15, Flaw::Miskeyed)]);
    let success = year.success();
    for question in questions
        .iter()
        .filter(|question| question.flaw != Flaw::None)
    {
        assert_eq!(question.kind, QuestionKind::MultipleChoice);
        let mut success = success[&question.id].clone();
        success.sort_by(|left, right| left.0.total_cmp(&right.0));
        let fifth = success.len() / 5;
        is_between(mean(success[..fifth].iter().map(|s| s.1)), 0.4, 0.7);
        is_between(mean(success[4 * fifth..].iter().map(|s| s.1)), 0.02, 0.2);
    }
    // Nobody who is enrolled misses it.
    let sittings = year.sittings();
    for student in 1..=240 {
        let days: Vec<i32> = sittings
            .range((student, 0)..(student + 1, 0))
            .map(|s| *s.1)
            .collect();
        let enrolled = days.first() <= Some(&test.day) && days.last() >= Some(&test.day);
        if enrolled && !days.is_empty() {
            assert!(
                sittings.contains_key(&(student, test.id)),
                "student {student}"
            );
        }
    }
}

#[test]
fn a_few_multiple_choice_questions_are_flawed_and_no_others() {
    let mut count: BTreeMap<&str, f64> = BTreeMap::new();
    for seed in 0..20 {
        for question in network(seed, 1, 2, 36, true).questions() {
            if question.kind == QuestionKind::MultipleChoice {
                *count.entry(question.flaw.label()).or_default() += 1.0;
            } else {
                assert_eq!(question.flaw, Flaw::None);
            }
        }
    }
    let all: f64 = count.values().sum();
    is_between(count["miskeyed"] / all, 0.025, 0.04);
    is_between(count["random"] / all, 0.014, 0.026);
}

#[test]
fn without_flaws_everything_else_stays_the_same() {
    let (flawed, sound) = (&*YEAR, year(1, false));
    assert!(
        sound
            .network
            .questions()
            .iter()
            .all(|question| question.flaw == Flaw::None)
    );
    assert_eq!(flawed.network.students(), sound.network.students());
    assert_eq!(flawed.network.assessments(), sound.network.assessments());
    assert_eq!(flawed.responses.len(), sound.responses.len());
    let mut changed = BTreeSet::new();
    for (left, right) in flawed.responses.iter().zip(&sound.responses) {
        let question = flawed.question(left);
        if question.flaw == Flaw::None {
            assert_eq!(left, right);
        } else {
            assert_eq!(
                (left.student_id, left.question_id, left.day, left.attempt),
                (
                    right.student_id,
                    right.question_id,
                    right.day,
                    right.attempt
                )
            );
            if left.points != right.points {
                changed.insert(question.id);
            }
        }
    }
    let questions = flawed
        .network
        .questions()
        .iter()
        .zip(sound.network.questions());
    for (left, right) in questions {
        assert_eq!(left.curve, right.curve);
        assert_eq!(changed.contains(&left.id), left.flaw != Flaw::None);
    }
}

#[test]
fn most_ace_spelling_whatever_their_literacy() {
    let year = &*YEAR;
    let abilities = year.middle_ability();
    let mut spelling: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    for response in &year.responses {
        if let (AssessmentKind::Spelling, Some(points)) =
            (year.assessment(response).kind, response.points)
        {
            spelling
                .entry(response.student_id)
                .or_default()
                .push(points);
        }
    }
    let pairs: Vec<(f64, f64)> = spelling
        .iter()
        .map(|(&student, points)| (abilities[&(student, "ELA")], mean(points.iter().copied())))
        .collect();
    assert!(mean(pairs.iter().map(|pair| pair.1)) > 0.85);
    is_between(correlation(&pairs), -0.1, 0.3);
    let weak: Vec<_> = pairs.iter().filter(|pair| pair.0 < -0.8).collect();
    let acing = weak.iter().filter(|pair| pair.1 > 0.9).count() as f64;
    is_between(acing / weak.len() as f64, 0.3, 0.9);
}

#[test]
fn one_student_spells_well_and_reads_badly() {
    let year = &*YEAR;
    let [truth] = &year.students_of(Story::HighSpellingLowLiteracy)[..] else {
        panic!("one row")
    };
    assert_eq!((truth.subject, truth.path), (Subject::Ela, Path::Steady));
    assert_eq!((truth.ability, truth.monthly_change), (-1.4, 0.0));
    let share = |student, kind| {
        let of = year.of(student).filter(|r| year.assessment(r).kind == kind);
        mean(of.filter_map(|r| Some(r.points? / r.max_points)))
    };
    assert!(share(truth.student_id, AssessmentKind::Spelling) > 0.97);
    let own = share(truth.student_id, AssessmentKind::Literacy);
    let weaker = (1..=240)
        .filter(|&student| share(student, AssessmentKind::Literacy) < own)
        .count();
    assert!(weaker < 48, "{weaker} students have lower literacy scores");
}

#[test]
fn the_story_students_go_to_school_1_and_miss_nothing() {
    let year = &*YEAR;
    let sittings = year.sittings();
    for story in [
        Story::HighSpellingLowLiteracy,
        Story::Falling,
        Story::Rising,
    ] {
        let student = year.teller(story);
        assert!(student <= 60, "{story:?} is shown in school 1");
        let sat = sittings.keys().filter(|(id, _)| *id == student).count();
        assert_eq!(sat, year.network.assessments().len());
    }
    for (story, path, change) in [
        (Story::Falling, Path::Falling, -0.25),
        (Story::Rising, Path::Rising, 0.25),
    ] {
        let rows = year.students_of(story);
        assert_eq!(rows.len(), 3, "in every subject");
        assert!(
            rows.iter()
                .all(|row| row.path == path && row.monthly_change == change)
        );
        let math = |days: std::ops::Range<i32>| {
            let rows = year
                .of(rows[0].student_id)
                .filter(|r| r.subject == Subject::Math);
            mean(
                rows.filter(|r| days.contains(&r.day))
                    .filter_map(|r| Some(r.points? / r.max_points)),
            )
        };
        assert!((math(168..252) - math(0..84)) * change.signum() > 0.2);
    }
}

#[test]
fn the_new_arrival_has_two_assessments_late_in_the_year() {
    let year = &*YEAR;
    let student = year.teller(Story::NewArrival);
    let sat: BTreeMap<i32, i32> = year
        .of(student)
        .filter(|r| r.attempt == 1)
        .map(|r| (r.assessment_id, r.day))
        .collect();
    assert_eq!(sat.len(), 2);
    assert!(sat.values().all(|&day| day > 200));
}

#[test]
fn one_student_has_only_pending_scores_in_science_and_one_has_no_rows() {
    let year = &*YEAR;
    let [pending] = &year.students_of(Story::PendingScience)[..] else {
        panic!("one row")
    };
    assert_eq!(pending.subject, Subject::Science);
    let mut science = year
        .of(pending.student_id)
        .filter(|r| r.subject == Subject::Science);
    assert!(science.by_ref().take(100).count() == 100);
    assert!(science.all(|response| response.points.is_none()));
    let elsewhere = year
        .of(pending.student_id)
        .filter(|r| r.subject != Subject::Science);
    assert!(
        elsewhere
            .filter(|response| response.points.is_some())
            .count()
            > 100
    );

    assert_eq!(year.of(year.teller(Story::NoResponses)).count(), 0);
    let present: BTreeSet<i32> = year.responses.iter().map(|r| r.student_id).collect();
    assert_eq!(present.len(), 239, "everybody else has rows");
}

#[test]
fn students_join_late_leave_early_and_miss_tests() {
    let network = network(3, 10, 100, 36, true);
    let calendar: Vec<i32> = network.assessments().iter().map(|a| a.day).collect();
    let (mut late, mut early, mut missed, mut due, mut often) = (0, 0, 0, 0, 0);
    let mut days: BTreeMap<i32, BTreeMap<i32, i32>> = BTreeMap::new();
    for response in network
        .into_responses()
        .filter(|response| response.attempt == 1)
    {
        days.entry(response.student_id)
            .or_default()
            .insert(response.assessment_id, response.day);
    }
    for sat in days.values().filter(|sat| sat.len() > 2) {
        let first = *sat.values().min().expect("sat some");
        let last = *sat.values().max().expect("sat some");
        late += i32::from(first >= 62);
        early += i32::from(last <= 227);
        let expected = calendar
            .iter()
            .filter(|day| (first..=last).contains(day))
            .count();
        missed += expected - sat.len();
        due += expected;
        often += i32::from((expected - sat.len()) * 4 > expected);
    }
    is_between(f64::from(late), 60.0, 100.0);
    is_between(f64::from(early), 15.0, 45.0);
    is_between(missed as f64 / due as f64, 0.05, 0.07);
    is_between(f64::from(often), 15.0, 45.0);
}

#[test]
fn retakes_are_later_second_attempts_and_better() {
    let year = &*YEAR;
    let sittings = year.sittings();
    let retaken: BTreeMap<(i32, i32), i32> = year
        .responses
        .iter()
        .filter(|response| response.attempt != 1)
        .map(|r| {
            assert_eq!(r.attempt, 2);
            ((r.student_id, r.assessment_id), r.day)
        })
        .collect();
    is_between(retaken.len() as f64 / sittings.len() as f64, 0.012, 0.025);
    assert!(
        retaken
            .iter()
            .all(|(key, day)| (7..=14).contains(&(day - sittings[key])))
    );

    let score = |attempt| {
        mean(year.responses.iter().filter_map(|r| {
            let counts = r.attempt == attempt && r.max_points.is_finite();
            let key = (r.student_id, r.assessment_id);
            (counts && retaken.contains_key(&key)).then_some(r.points? / r.max_points)
        }))
    };
    is_between(score(2) - score(1), 0.01, 0.15);
}

#[test]
fn a_few_scores_are_missing() {
    let year = &*YEAR;
    let pending = year.teller(Story::PendingScience);
    let others: Vec<_> = year
        .responses
        .iter()
        .filter(|r| r.student_id != pending)
        .collect();
    let blank = others
        .iter()
        .filter(|response| response.points.is_none())
        .count();
    is_between(blank as f64 / others.len() as f64, 0.002, 0.004);
}

#[test]
fn fluency_rises_from_the_fall_norm_to_the_spring_norm() {
    let year = &*YEAR;
    let words = |days: std::ops::Range<i32>| -> Vec<f64> {
        year.responses
            .iter()
            .filter(|r| r.max_points.is_infinite() && days.contains(&r.day))
            .filter_map(|r| r.points)
            .collect()
    };
    is_between(mean(words(0..7)), 111.0, 131.0);
    is_between(mean(words(224..231)), 136.0, 156.0);
    let all = words(0..252);
    let usual = all
        .iter()
        .filter(|words| (40.0..=220.0).contains(*words))
        .count();
    is_between(usual as f64 / all.len() as f64, 0.94, 1.0);
}
