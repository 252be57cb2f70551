//! The same rows for ever, keys, names, the calendar, and other sizes.

use std::collections::BTreeSet;

use pg_assess_core::sample::{
    AssessmentKind, NetworkOptions, QuestionKind, Response, Story, Subject,
};

use super::{YEAR, Year, is_between, network, year};

/// FNV-1a over every figure of every response.
fn fingerprint(responses: &[Response]) -> u64 {
    let figures = responses.iter().flat_map(|r| {
        let ids = [
            r.student_id,
            r.assessment_id,
            r.question_id,
            r.day,
            i32::from(r.attempt),
        ];
        let points = r.points.unwrap_or(-1.0).to_bits();
        ids.map(|id| u64::from(id.unsigned_abs()))
            .into_iter()
            .chain([points])
    });
    figures.fold(0xcbf2_9ce4_8422_2325, |hash, figure| {
        (hash ^ figure).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn the_same_seed_gives_the_same_rows_for_ever() {
    let (first, second) = (&*YEAR, year(1, true));
    assert_eq!(first.responses, second.responses);
    assert_eq!(first.network.students(), second.network.students());
    // A change here breaks every example and every test that was written against the sample.
    let teller = first.students_of(Story::HighSpellingLowLiteracy)[0].student_id;
    let student = &first.network.students()[teller as usize - 1];
    let (given, family) = first.network.name(student);
    assert_eq!((given, family.as_str()), ("Alba", "Cruz"));
    assert_eq!(first.responses.len(), 309_014);
    assert_eq!(fingerprint(&first.responses), 1_014_434_321_014_672_191);
}

#[test]
fn another_seed_gives_other_rows() {
    let (first, second) = (&*YEAR, &year(2, true));
    assert_ne!(first.responses[..1000], second.responses[..1000]);
    assert_ne!(first.network.schools(), second.network.schools());
    let names = |year: &Year| -> Vec<_> {
        year.network
            .students()
            .iter()
            .map(|student| year.network.name(student))
            .collect()
    };
    assert_ne!(names(first), names(second));
}

#[test]
fn the_default_network_has_a_size_for_demonstrations() {
    for seed in 1..=3 {
        let year = year(seed, true);
        assert_eq!(year.network.schools().len(), 4);
        assert_eq!(year.network.students().len(), 240);
        is_between(year.responses.len() as f64, 200_000.0, 400_000.0);
    }
}

#[test]
fn keys_are_dense_and_names_are_unique() {
    let year = &*YEAR;
    let network = &year.network;
    let ids = |n: usize| (1..=n as i32).collect::<Vec<_>>();
    let schools: Vec<i32> = network.schools().iter().map(|school| school.id).collect();
    let students: Vec<i32> = network
        .students()
        .iter()
        .map(|student| student.id)
        .collect();
    let assessments: Vec<i32> = network.assessments().iter().map(|a| a.id).collect();
    let questions: Vec<i32> = network
        .questions()
        .iter()
        .map(|question| question.id)
        .collect();
    assert_eq!(schools, ids(4));
    assert_eq!(students, ids(240));
    assert_eq!(assessments, ids(assessments.len()));
    assert_eq!(questions, ids(questions.len()));
    assert!(
        network
            .students()
            .iter()
            .all(|s| s.school_id == (s.id - 1) / 60 + 1)
    );
    assert!(
        network
            .students()
            .iter()
            .all(|s| (5..=6).contains(&s.grade))
    );

    let school_names: BTreeSet<_> = network
        .schools()
        .iter()
        .map(|school| &school.name)
        .collect();
    assert_eq!(school_names.len(), 4);
    let names: BTreeSet<_> = network.students().iter().map(|s| network.name(s)).collect();
    assert_eq!(names.len(), 240);
    let titles: BTreeSet<_> = network.assessments().iter().map(|a| &a.title).collect();
    assert_eq!(titles.len(), assessments.len());
}

#[test]
fn rows_come_in_the_order_of_a_real_system() {
    let year = &*YEAR;
    let keys = year.responses.iter().map(|r| {
        (
            r.day,
            r.assessment_id,
            r.student_id,
            year.question(r).number,
        )
    });
    assert!(
        keys.is_sorted_by(|left, right| left < right),
        "strictly ascending"
    );
    let unique: BTreeSet<_> = year
        .responses
        .iter()
        .map(|r| (r.student_id, r.question_id, r.attempt))
        .collect();
    assert_eq!(unique.len(), year.responses.len());
    for response in &year.responses {
        let (assessment, question) = (year.assessment(response), year.question(response));
        assert_eq!(question.assessment_id, assessment.id);
        assert_eq!(response.subject, assessment.subject);
        assert_eq!(response.max_points, question.max_points);
        assert!((0..36 * 7).contains(&response.day));
        if let Some(points) = response.points {
            assert!(points >= 0.0 && points <= question.max_points && points.fract() == 0.0);
        }
    }
}

#[test]
fn the_calendar_is_that_of_a_school_year() {
    let network = network(1, 4, 60, 36, true);
    let days = |kinds: &[AssessmentKind], subject| -> Vec<i32> {
        let chosen = network.assessments().iter();
        chosen
            .filter(|a| kinds.contains(&a.kind) && a.subject == subject)
            .map(|a| a.day)
            .collect()
    };
    let gaps = |days: &[i32]| {
        days.windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect::<BTreeSet<_>>()
    };
    let spelling = days(&[AssessmentKind::Spelling], Subject::Ela);
    let fluency = days(&[AssessmentKind::Fluency], Subject::Ela);
    assert_eq!((spelling.len(), gaps(&spelling)), (36, BTreeSet::from([7])));
    assert_eq!((fluency.len(), gaps(&fluency)), (9, BTreeSet::from([28])));
    assert_eq!(
        gaps(&days(&[AssessmentKind::Literacy], Subject::Ela)),
        BTreeSet::from([14, 21])
    );
    for subject in [Subject::Math, Subject::Science] {
        let both = days(&[AssessmentKind::Test, AssessmentKind::Quiz], subject);
        assert_eq!(gaps(&both), BTreeSet::from([14, 21]));
        assert!(days(&[AssessmentKind::Quiz], subject).len() >= 2);
    }
    for assessment in network.assessments() {
        let questions = network
            .questions()
            .iter()
            .filter(|q| q.assessment_id == assessment.id);
        let sizes = match assessment.kind {
            AssessmentKind::Literacy => 15..=40,
            AssessmentKind::Spelling => 10..=10,
            AssessmentKind::Fluency => 1..=1,
            AssessmentKind::Test => 6..=40,
            AssessmentKind::Quiz => 1..=5,
        };
        assert!(sizes.contains(&questions.count()), "{}", assessment.title);
    }
    for question in network.questions() {
        let maxima = match question.kind {
            QuestionKind::MultipleChoice | QuestionKind::SpellingWord => 1.0..=1.0,
            QuestionKind::PartialCredit => 2.0..=4.0,
            QuestionKind::WordsPerMinute => f64::INFINITY..=f64::INFINITY,
        };
        assert!(maxima.contains(&question.max_points));
        assert_eq!(
            question.curve.is_none(),
            question.kind == QuestionKind::WordsPerMinute
        );
    }
}

#[test]
fn the_smallest_network_still_works() {
    for seed in [i64::MIN, -1, 0, i64::MAX] {
        let network = network(seed, 1, 2, 4, true);
        let stories: Vec<_> = network
            .students()
            .iter()
            .map(|student| student.story)
            .collect();
        assert_eq!(
            stories,
            [Some(Story::HighSpellingLowLiteracy), Some(Story::Falling)]
        );
        for subject in Subject::ALL {
            assert!(network.assessments().iter().any(|a| a.subject == subject));
        }
        let responses: Vec<Response> = network.into_responses().collect();
        assert!(
            responses
                .iter()
                .all(|response| (0..28).contains(&response.day))
        );
        assert!(!responses.is_empty());
    }
}

#[test]
fn a_short_year_of_a_whole_school_still_works() {
    for seed in 0..20 {
        let network = network(seed, 2, 13, 4, true);
        let assessments = network.assessments().len();
        let arrival = network
            .students()
            .iter()
            .find(|s| s.story == Some(Story::NewArrival));
        let arrival = arrival.expect("a new arrival").id;
        let sat: BTreeSet<i32> = network
            .into_responses()
            .filter(|response| response.student_id == arrival)
            .map(|response| response.assessment_id)
            .collect();
        assert!((1..=2).contains(&sat.len()) && assessments > 6);
    }
}

#[test]
fn the_largest_arguments_work() {
    for (schools, students) in [(100, 100), (1, 10_000)] {
        let network = network(1, schools, students, 60, true);
        let names: BTreeSet<_> = network.schools().iter().map(|s| &s.name).collect();
        assert_eq!(names.len(), schools as usize);
        assert_eq!(network.students().len(), 10_000);
        assert_eq!(network.into_responses().take(10_000).count(), 10_000);
    }
}

#[test]
fn names_stay_unique_when_the_lists_are_used_up() {
    let network = network(1, 50, 700, 4, true);
    let names: BTreeSet<_> = network.students().iter().map(|s| network.name(s)).collect();
    assert_eq!(names.len(), 35_000);
}

#[test]
fn arguments_out_of_range_are_refused_by_name() {
    for (schools, students, weeks, argument) in [
        (0, 60, 36, "schools"),
        (101, 60, 36, "schools"),
        (4, 1, 36, "students_per_school"),
        (4, 10_001, 36, "students_per_school"),
        (4, 60, 3, "weeks"),
        (4, 60, i32::MAX, "weeks"),
        (i32::MIN, 60, 36, "schools"),
    ] {
        match NetworkOptions::new(1, schools, students, weeks, true) {
            Err(refused) => assert_eq!(refused.name, argument),
            other => panic!("{other:?}"),
        }
    }
}
