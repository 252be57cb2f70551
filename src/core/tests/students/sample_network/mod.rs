//! The sample network: what it promises to contain, and that it is the same every time.

mod rows;
mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use pg_assess_core::sample::{
    Assessment, Network, NetworkOptions, Question, Response, Story, TruthStudent,
};

/// A network with all its rows.
struct Year {
    network: Network,
    responses: Vec<Response>,
}

fn network(seed: i64, schools: i32, students: i32, weeks: i32, flawed: bool) -> Network {
    Network::new(
        NetworkOptions::new(seed, schools, students, weeks, flawed).expect("options in range"),
    )
}

/// The network most tests look at: the default one.
static YEAR: LazyLock<Year> = LazyLock::new(|| year(1, true));

fn year(seed: i64, flawed: bool) -> Year {
    let network = network(seed, 4, 60, 36, flawed);
    let responses = network.clone().into_responses().collect();
    Year { network, responses }
}

fn truths(network: &Network) -> impl Iterator<Item = TruthStudent> {
    network
        .students()
        .iter()
        .flat_map(|student| network.truth(student))
}

impl Year {
    fn assessment(&self, response: &Response) -> &Assessment {
        &self.network.assessments()[response.assessment_id as usize - 1]
    }

    fn question(&self, response: &Response) -> &Question {
        &self.network.questions()[response.question_id as usize - 1]
    }

    fn of(&self, student_id: i32) -> impl Iterator<Item = &Response> {
        self.responses
            .iter()
            .filter(move |response| response.student_id == student_id)
    }

    /// The students of a story, by the truth rows that show it.
    fn students_of(&self, story: Story) -> Vec<TruthStudent> {
        truths(&self.network)
            .filter(|truth| truth.story == Some(story))
            .collect()
    }

    fn teller(&self, story: Story) -> i32 {
        let ids: BTreeSet<i32> = self
            .students_of(story)
            .iter()
            .map(|truth| truth.student_id)
            .collect();
        assert_eq!(ids.len(), 1, "{story:?} is shown by one student");
        *ids.first().expect("one student")
    }

    /// First attempts: assessments sat by each student.
    fn sittings(&self) -> BTreeMap<(i32, i32), i32> {
        let first = self
            .responses
            .iter()
            .filter(|response| response.attempt == 1);
        first
            .map(|r| ((r.student_id, r.assessment_id), r.day))
            .collect()
    }

    /// Ability of each student and subject halfway through the year.
    fn middle_ability(&self) -> BTreeMap<(i32, &'static str), f64> {
        let middle = |truth: &TruthStudent| (truth.start_ability + truth.ability) / 2.0;
        truths(&self.network)
            .map(|truth| ((truth.student_id, truth.subject.label()), middle(&truth)))
            .collect()
    }

    /// Pairs of ability and share of the points on each question.
    fn success(&self) -> BTreeMap<i32, Vec<(f64, f64)>> {
        let abilities = self.middle_ability();
        let mut success: BTreeMap<i32, Vec<(f64, f64)>> = BTreeMap::new();
        for response in self
            .responses
            .iter()
            .filter(|response| response.attempt == 1)
        {
            let ability = abilities[&(response.student_id, response.subject.label())];
            if let Some(points) = response.points {
                let pairs = success.entry(response.question_id).or_default();
                pairs.push((ability, points / response.max_points));
            }
        }
        success
    }
}

fn is_between(value: f64, low: f64, high: f64) {
    assert!(
        (low..=high).contains(&value),
        "{value} is not within {low}..={high}"
    );
}
